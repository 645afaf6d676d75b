"""Market files for the tests: a short one that extends a shipped market, and a whole one that states every value."""

from __future__ import annotations

import re
from pathlib import Path

from adas_runtime.resources import config_dir

HEAD = 'format: 1\nmarket: "DE"\ntitle: Test\nrevision: "1"\nextends: de\n'


def write(folder: Path, body: str = "", head: str = HEAD, name: str = "test.yaml") -> Path:
    """A file in `folder` of head and body."""
    path = folder / name
    path.write_text(head + body, encoding="utf-8")
    return path


def whole_file(code: str = "DE", features: str = "warn") -> str:
    """Every value of the base in one market file, so that a mutation can meet any of them."""
    text = (config_dir() / "markets" / "base.yaml").read_text(encoding="utf-8")
    head = f'market: "{code}"\ntitle: Whole\nrevision: "1"\nextends: base'
    text = re.sub(r'^revision: ".*"$', lambda _: head, text, count=1, flags=re.MULTILINE)
    # what the law of the Union asks for; the others stay silent
    for name, stage in (
        ("lane_departure", features),
        ("isa", features),
        ("elks", "on"),
        ("aeb", "on"),
        ("drowsiness", features),
        ("distraction", features),
    ):
        text = re.sub(rf"(  {name}:\n    stage: )off", rf"\g<1>{stage}", text, count=1)
    assert f'market: "{code}"' in text and f"stage: {features}" in text, "the base's head has changed: mend the helper"
    return text
