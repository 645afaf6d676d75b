"""The examples of the docs, as an examiner runs them: `adas step` on the functions that steer."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from adas_runtime.cli import main

PAGE = Path(__file__).resolve().parents[2] / "docs" / "lane_keeping.md"
EXAMPLES = dict(
    re.findall(r"`(\w+\.jsonl)`:[^\n]*(?:\n[^\n]+)*\n\n```json\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
)


@pytest.mark.parametrize(
    ("function", "file", "expected"),
    [
        (
            "lane_centring",
            "hands.jsonl",
            ["off", "standby", "active", "hands1", "hands2", "emergency", "off"],
        ),
        (
            "lane_change",
            "change.jsonl",
            [
                *["off", "waiting", "standby", "procedure", "approach", "manoeuvre", "settle", "resume", "standby"],
                *["procedure", "suppressed", "standby"],
            ],
        ),
        ("side_wind", "gust.jsonl", ["armed", "helping", "fading", "armed"]),
        ("elks", "drift.jsonl", ["armed", "correct_left", "armed", "suppressed", "standby", "fault"]),
    ],
)
def test_the_example_of_the_docs_does_what_they_say(
    function: str, file: str, expected: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / file).write_text(EXAMPLES[file], encoding="utf-8")
    assert main(["step", function, "--market", "de", "--inputs", str(tmp_path / file), "--json"]) == 0
    steps = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    states = [step["state"] for step in steps]
    assert [state for index, state in enumerate(states) if index == 0 or state != states[index - 1]] == expected
    if function == "lane_centring":
        entered = {state: steps[states.index(state)]["t_s"] for state in expected}
        assert (
            entered["hands1"] - 5.0 <= 15.0 and entered["hands2"] - 5.0 <= 30.0 and entered["emergency"] - 5.0 <= 60.0
        )
