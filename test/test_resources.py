"""Configuration is found from a checkout, from an installed prefix, and where the user says."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from adas_runtime import resources
from adas_runtime.errors import ConfigError


def test_checkout_is_found() -> None:
    checkout = resources.checkout_dir()
    assert checkout is not None
    assert resources.config_dir() == checkout / "config"


def test_override_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAS_CONFIG_DIR", str(tmp_path))
    assert resources.config_dir() == tmp_path


def test_override_that_is_no_folder_is_refused_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAS_CONFIG_DIR", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match=r"ADAS_CONFIG_DIR: .*gone is no folder; name the folder"):
        resources.config_dir()


def installed(prefix: Path) -> Path:
    """The package as an installation lays it out, with only what config_dir() needs."""
    package = prefix / "lib" / "python3.x" / "site-packages" / "adas_runtime"
    package.mkdir(parents=True)
    source = Path(resources.__file__).parent
    for name in ("__init__.py", "resources.py", "errors.py"):
        shutil.copy(source / name, package / name)
    return package.parent


def ask(site: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "from adas_runtime.resources import config_dir; print(config_dir())"
    return subprocess.run(
        [sys.executable, "-S", "-c", code],
        env={"PYTHONPATH": str(site), "PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        check=False,
        cwd=site,
    )


def test_found_in_the_prefix_it_is_installed_in(tmp_path: Path) -> None:
    site = installed(tmp_path / "prefix")
    config = tmp_path / "prefix" / "share" / "adas_runtime" / "config"
    config.mkdir(parents=True)
    assert ask(site).stdout.strip() == str(config)


def test_found_through_the_ament_prefixes(tmp_path: Path) -> None:
    site = installed(tmp_path / "elsewhere")
    config = tmp_path / "overlay" / "share" / "adas_runtime" / "config"
    config.mkdir(parents=True)
    answer = ask(site, AMENT_PREFIX_PATH=f"{tmp_path / 'empty'}:{tmp_path / 'overlay'}")
    assert answer.stdout.strip() == str(config)


def test_missing_everywhere_is_one_clear_error(tmp_path: Path) -> None:
    answer = ask(installed(tmp_path / "prefix"))
    assert answer.returncode != 0
    assert "ConfigError" in answer.stderr
    assert "install the package anew" in answer.stderr
