"""A page in a real browser: what it holds once its scripts have run, and what the console said."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest


def find_chromium() -> str | None:
    """The first browser of the Chromium family on this machine."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((path for name in names if (path := shutil.which(name)) is not None), None)


class Browser:
    """Headless Chromium with a profile of its own and no way to the network."""

    def __init__(self, program: str, profile: Path) -> None:
        self._base = [
            program,
            "--headless=new",
            "--disable-gpu",
            "--no-first-run",
            "--hide-scrollbars",
            "--disable-background-networking",
            "--host-resolver-rules=MAP * ~NOTFOUND",
            "--virtual-time-budget=4000",
            "--enable-logging=stderr",
            f"--user-data-dir={profile}",
        ]
        if os.geteuid() == 0:
            self._base.append("--no-sandbox")  # Chromium refuses to run as root with one

    def dom(self, page: Path, width_px: int = 1200) -> tuple[str, list[str]]:
        """The document after its scripts, and every line of the console."""
        command = [*self._base, f"--window-size={width_px},900", "--dump-dom", page.as_uri()]
        result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        console = re.findall(r'CONSOLE[:(]\d+\)?\] (".*)', result.stderr)
        return result.stdout, console

    def screenshot(self, page: Path, picture: Path, width_px: int, height_px: int) -> None:
        """A picture of the page's top."""
        command = [*self._base, f"--window-size={width_px},{height_px}", f"--screenshot={picture}", page.as_uri()]
        subprocess.run(command, capture_output=True, timeout=120, check=True)


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Browser:
    """Chromium, or a skip that says what is missing."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on this machine (install the package `chromium`)")
    return Browser(program, tmp_path_factory.mktemp("chromium"))
