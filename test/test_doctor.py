"""The doctor finds what is missing, names the mend, and outlives any patient."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from adas_runtime import doctor
from adas_runtime.doctor import Check, Child, Verdict

BAD = [
    doctor.check_python((3, 9, 18)),
    doctor.check_python((3, 14, 0)),
    doctor.check_shared_memory(Path("/nowhere")),
]


def say(monkeypatch: pytest.MonkeyPatch, child: Child) -> None:
    monkeypatch.setattr(doctor, "run_child", lambda *_, **__: child)


@pytest.mark.parametrize("check", BAD, ids=lambda c: c.name)
def test_what_is_not_ok_names_a_mend(check: Check) -> None:
    assert check.verdict is not Verdict.OK
    assert check.mend


@pytest.mark.parametrize("check", [doctor.check_rclpy, doctor.check_interfaces, doctor.check_opencv, doctor.check_dds])
def test_a_failing_child_is_a_required_failure(monkeypatch: pytest.MonkeyPatch, check: object) -> None:
    say(monkeypatch, Child(False, "ImportError: libfoo.so"))
    assert callable(check)
    found = check()
    assert found.verdict is Verdict.FAIL
    assert found.is_required
    assert found.detail == "ImportError: libfoo.so"
    assert found.mend


def test_a_crash_or_hang_of_a_child_is_an_answer() -> None:
    assert doctor.run_child("import os; os.abort()") == Child(False, "killed by signal 6")
    assert doctor.run_child("import time; time.sleep(60)", timeout_s=0.5).output == "no answer within 0 s"
    assert doctor.run_child("raise SystemExit('no')") == Child(False, "no")
    assert doctor.run_child("print('a'); print('b')") == Child(True, "b")


def test_a_check_that_breaks_is_a_finding() -> None:
    def check_broken() -> Check:
        raise OSError("no /proc")

    [found] = doctor.run_checks([check_broken])
    assert (found.name, found.verdict) == ("broken", Verdict.FAIL)
    assert "no /proc" in found.detail


def test_only_required_failures_make_it_ill() -> None:
    optional = Check(name="x", verdict=Verdict.FAIL, detail="", is_required=False)
    warning = Check(name="y", verdict=Verdict.WARN, detail="")
    required = Check(name="z", verdict=Verdict.FAIL, detail="")
    assert doctor.is_healthy([optional, warning])
    assert not doctor.is_healthy([optional, required])


@pytest.mark.parametrize(("has_gpu", "verdict"), [(True, Verdict.WARN), (False, Verdict.OK)])
def test_an_idle_gpu_is_told(monkeypatch: pytest.MonkeyPatch, has_gpu: bool, verdict: Verdict) -> None:
    say(monkeypatch, Child(True, "1.32.0 CPUExecutionProvider"))
    monkeypatch.setattr(doctor, "has_nvidia", lambda: has_gpu)
    assert doctor.check_onnxruntime().verdict is verdict


@pytest.mark.parametrize(
    ("child", "has_gpu", "verdict"),
    [
        (Child(True, "1 probe fp32 on cpu (reduced: cuda is not in this onnxruntime)"), False, Verdict.OK),
        (Child(True, "1 probe fp32 on cpu (reduced: cuda is not in this onnxruntime)"), True, Verdict.WARN),
        (Child(True, "0 probe fp32 on cuda (NVIDIA Orin, driver 540.4.0)"), True, Verdict.OK),
        (Child(False, "models/probe.onnx: output seen is not the golden one"), True, Verdict.FAIL),
    ],
)
def test_a_network_is_proven_on_the_machine(
    monkeypatch: pytest.MonkeyPatch, child: Child, has_gpu: bool, verdict: Verdict
) -> None:
    say(monkeypatch, child)
    monkeypatch.setattr(doctor, "has_nvidia", lambda: has_gpu)
    found = doctor.check_models()
    assert found.verdict is verdict
    assert "probe" in found.detail
    assert bool(found.mend) == (verdict is not Verdict.OK)


def test_memory_is_read(tmp_path: Path) -> None:
    meminfo = tmp_path / "meminfo"
    meminfo.write_text("MemTotal: 9 kB\nMemAvailable:  8388608 kB\n", encoding="ascii")
    assert doctor.check_memory(meminfo).detail == "8192 MiB available"
    assert doctor.check_memory(tmp_path / "gone").verdict is Verdict.WARN


@pytest.mark.parametrize(
    ("variable", "value", "verdict"),
    [
        ("RMW_IMPLEMENTATION", "rmw_fastrtps_cpp", Verdict.OK),
        ("RMW_IMPLEMENTATION", "rmw_zenoh_cpp", Verdict.WARN),
        ("FASTDDS_DEFAULT_PROFILES_FILE", "/nowhere.xml", Verdict.FAIL),
    ],
)
def test_middleware(monkeypatch: pytest.MonkeyPatch, variable: str, value: str, verdict: Verdict) -> None:
    for name in ("RMW_IMPLEMENTATION", "FASTRTPS_DEFAULT_PROFILES_FILE", "FASTDDS_DEFAULT_PROFILES_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, value)
    assert doctor.check_rmw().verdict is verdict


def test_stale_messages_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    say(monkeypatch, Child(True, ""))
    monkeypatch.setattr(doctor, "built_hash", lambda: "0" * 64)
    found = doctor.check_interfaces()
    assert found.verdict is Verdict.FAIL
    assert "built from other files" in found.detail


def test_built_hash_is_found_in_a_sourced_prefix(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mark = tmp_path / "share" / "adas_interfaces" / "source.sha256"
    mark.parent.mkdir(parents=True)
    mark.write_text("abc\n", encoding="utf-8")
    monkeypatch.setenv("AMENT_PREFIX_PATH", f"/nowhere:{tmp_path}")
    assert doctor.built_hash() == "abc"


def test_both_prints_hold_every_check(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(doctor, "run_checks", lambda: BAD)
    assert doctor.command(json_=True) == 1
    data = json.loads(capsys.readouterr().out)
    assert data["is_healthy"] is False
    assert [row["name"] for row in data["checks"]] == [check.name for check in BAD]
    assert doctor.command() == 1
    text = capsys.readouterr().out
    assert text.count("mend: ") == len(BAD)
    assert text.splitlines()[-1] == "missing: python, python"


def test_registers_as_a_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "run_checks", lambda: BAD)
    app = typer.Typer()
    app.callback()(lambda: None)
    doctor.register(app)
    assert app(["doctor", "--json"], standalone_mode=False) == 1


def test_imports_no_ros() -> None:
    code = (
        "import sys, adas_runtime.doctor; print([m for m in sys.modules if m.startswith(('rclpy', 'adas_interfaces'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.ros
def test_this_machine(ros: int) -> None:
    """The real checks: what the tests themselves stand on must be there."""
    found = {check.name: check for check in doctor.run_checks()}
    for name in ("python", "ros 2", "rclpy", "dds", "onnxruntime", "models", "opencv"):
        assert found[name].verdict is not Verdict.FAIL, found[name]
