"""`adas inputs` and `adas replay --inputs`: a guess that is saved gives the same drive."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from foreign_drives import bound, custom, each, fix, header, imu, make, motion, odometry, twist, write

from adas_runtime.cli import main
from adas_runtime.inputs import load_input_map

DRIVE = motion(30.0)
AXES = ("down", "left", "forward")


@pytest.fixture(scope="module")
def drive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = custom({"acme/msg/Steer": "std_msgs/Header header\nfloat64 steering_angle\n"})

    def steer(m: Any) -> Any:
        angle = -2320.0 * m.yaw_rate_rps / max(m.speed_mps, 0.5)
        return make("acme/msg/Steer", store, header=header(m.t_s), steering_angle=angle)

    topics = {
        "/ins/odometry": each(DRIVE, lambda m: odometry(m, axes=AXES, rate_scale=180.0 / math.pi)),
        "/ins/imu": each(DRIVE, lambda m: imu(m, axes=AXES)),
        "/ins/fix": each(DRIVE, fix, 5),
        "/acme/steer": each(DRIVE, steer),
        "/chatter": each(DRIVE, lambda m: make("std_msgs/msg/String", data="x")),
    }
    return write(tmp_path_factory.mktemp("drive") / "bag", topics, store)


def test_a_saved_guess_gives_the_same_signals(drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "acme.yaml"
    assert main(["inputs", "guess", str(drive), "--out", str(saved)]) == 0
    assert f"--inputs {saved}" in capsys.readouterr().out
    _, by_guess, _ = bound(drive)
    found, by_map, _ = bound(drive, load_input_map(saved))
    assert by_map == by_guess
    assert not any(feed.is_guessed for feed in found.feeds.values() if feed.feeds)
    text = saved.read_text()
    assert "axes: [down, left, forward]" in text and "scale: -1.0" in text and "/chatter" in text
    # it is there: nothing is overwritten unasked
    assert main(["inputs", "guess", str(drive), "--out", str(saved)]) == 2
    assert "exists already" in capsys.readouterr().err
    assert saved.read_text() == text


def test_a_replay_by_the_saved_map_decides_the_same(drive: Path, tmp_path: Path) -> None:
    saved = tmp_path / "acme.yaml"
    assert main(["inputs", "guess", str(drive), "--out", str(saved)]) == 0
    digests = []
    for name, more in (("guess", []), ("map", ["--inputs", str(saved)])):
        out = tmp_path / name
        assert main(["replay", str(drive), "--market", "de", "--out", str(out), *more]) == 0
        summary = json.loads((out / "summary.json").read_text())
        digests.append(summary["digest"])
        assert (f"--inputs {saved}" in summary["command"]) == bool(more)
        assert summary["inputs"]["/ins/odometry"]["is_guessed"] is not bool(more)
    assert digests[0] == digests[1]


def test_the_ranges_of_all_fields_are_shown(drive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inputs", "guess", str(drive), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    speed = next(row for row in found["values"] if row["field"] == "vehicle_state.speed_mps")
    assert speed["unit"] == "m/s" and speed["low"] == 0.0
    assert speed["high"] == pytest.approx(max(m.speed_mps for m in DRIVE))
    odd = next(topic for topic in found["topics"] if topic["topic"] == "/chatter")
    assert odd["feeds"] == [] and odd["note"]


def test_check_tells_what_a_map_makes_of_a_recording(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "map.yaml"
    path.write_text(
        "format: 1\nname: m\ninputs:\n  - {topic: /ins/odometry, type: nav_msgs/msg/Odometry}\n"
        "  - {topic: /gone, type: sensor_msgs/msg/Imu}\n"
    )
    assert main(["inputs", "check", str(path)]) == 0
    assert "sound, for recordings and cars" in capsys.readouterr().out
    assert main(["inputs", "check", str(path), str(drive)]) == 0
    assert "not in the recording: /gone" in capsys.readouterr().out
    path.write_text(
        "format: 1\nname: m\ninputs:\n  - topic: /ins/odometry\n    type: nav_msgs/msg/Odometry\n    scle: 2\n"
    )
    assert main(["inputs", "check", str(path)]) == 2
    assert f"{path}:6: inputs[0].scle: unknown key" in capsys.readouterr().err


def test_refused_messages_are_a_finding(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def tell(m: Any) -> Any:
        return twist(m, linear=(math.nan if m.t_s > 20.0 else m.speed_mps, 0.0, 0.0))

    path = write(tmp_path / "bag", {"/twist": each(DRIVE, tell)})
    map_path = tmp_path / "m.yaml"
    map_path.write_text("format: 1\nname: m\ninputs:\n  - {topic: /twist, type: geometry_msgs/msg/TwistStamped}\n")
    assert main(["inputs", "check", str(map_path), str(path)]) == 1
    out = capsys.readouterr().out
    assert "249 of 750 messages refused" in out and "speed_mps = nan" in out


def test_list_names_every_shipped_map(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["inputs", "list"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in ("autoware", "carla", "default", "kitti"))


def test_an_unknown_map_is_told_with_the_choice(
    drive: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(tmp_path / "out")
    assert main(["replay", str(drive), "--market", "de", "--out", out, "--inputs", "autowear"]) == 2
    assert "no input map 'autowear'; take one of autoware" in capsys.readouterr().err
    assert not Path(out).exists()
