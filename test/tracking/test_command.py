"""`adas step tracking`, with the example of the docs page."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from adas_runtime.cli import main


def test_the_example_of_the_page_does_what_the_page_says(
    repository: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (repository / "docs" / "tracking.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", page, re.DOTALL)
    assert found is not None
    lines = subprocess.run([sys.executable, "-c", found[1]], check=True, capture_output=True, text=True).stdout
    path = tmp_path / "users.jsonl"
    path.write_text(lines, encoding="utf-8")
    assert main(["step", "tracking", "--market", "de", "--inputs", str(path), "--json"]) == 0
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    told = [(step["t_s"], step["outputs"]["objects"]["objects"]) for step in steps if "objects" in step["outputs"]]
    first_s, (car, post) = next((t_s, objects) for t_s, objects in told if objects)
    assert first_s == pytest.approx(0.15) and car["sources"] == ["radar"] and car["object_class"] == "unknown"
    assert post["speed_x_mps"] == 0.0 and post["confidence"] == pytest.approx(0.35)
    (both,) = [item for item in dict(told)[3.0] if item["object_class"] == "car"]
    assert both["sources"] == ["camera", "radar"] and both["object_id"] == car["object_id"]
    assert both["speed_x_mps"] == pytest.approx(16.0, abs=0.05)
    (alone,) = [item for item in told[-1][1] if item["object_class"] == "car"]
    assert alone["sources"] == ["radar"] and alone["object_id"] == car["object_id"]
    assert max(len(objects) for _, objects in told) == 2
