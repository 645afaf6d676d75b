"""script/bootstrap: one clear line for each thing that is missing, and no work twice.

The tools that take time (Python's venv, pip, cmake) are stand-ins on a PATH of their own; the script is the real one.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
# what a bare machine has; no compiler, no Python
BARE = """
awk basename cat chmod cp cut date df dirname env flock grep head ln ls mkdir mv pwd rm sed sh sha256sum sleep sort tail
touch tr true uname wc find xargs
""".split()

# Runs the script's real probe on the real interpreter, with one thing changed first.
PROBED = """#!/bin/sh
# $1 is "-" (the probe, on stdin), or an ordinary call
[ "$1" = - ] || exec {python} "$@"
shift
exec {python} -c 'import sys
{change}
exec(sys.stdin.read())' "$@"
"""

# A Python whose environments are empty shells; every call is written down.
STAND_IN = """#!/bin/sh
printf '%s\\n' "${{0##*/}} $*" >>"$CALLS"
case "$*" in
    "- "*) cat >/dev/null; echo 'ok {tag}' ;;
    "-m venv "*)
        sleep "${{VENV_SECONDS:-0}}"
        for last in "$@"; do :; done
        mkdir -p "$last/bin"
        cp "$0" "$last/bin/python"
        {{
            printf '#!/bin/sh\\nprintf "%%s\\\\n" "cmake $*" >>"$CALLS"\\n'
            printf 'mkdir -p "%s/share/adas_interfaces"\\n' "$last"
        }} >"$last/bin/cmake"
        chmod +x "$last/bin/cmake"
        ;;
    *"{fails_on}"*) echo "{fails_with}" >&2; exit 1 ;;
esac
"""


@dataclass
class Machine:
    """A checkout and a PATH in a temporary folder."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    @property
    def bin(self) -> Path:
        return self.folder / "bin"

    @property
    def venv(self) -> Path:
        return self.checkout / ".venv"

    def program(self, name: str, text: str) -> Path:
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def probed_python(self, change: str, name: str = "python3") -> None:
        self.program(name, PROBED.format(python=sys.executable, change=change))

    def stand_in_python(
        self, name: str = "python3", *, tag: str = "311", fails_on: str = "@never@", fails_with: str = ""
    ) -> None:
        self.program(name, STAND_IN.format(tag=tag, fails_on=fails_on, fails_with=fails_with))

    def compilers(self) -> None:
        for name in ("cc", "c++"):
            self.program(name, "#!/bin/sh\n")

    def messages(self, *names: str) -> None:
        for name in names:
            (self.checkout / "adas_interfaces" / "msg" / f"{name}.msg").write_text(
                "float64 stamp_s\n", encoding="utf-8"
            )

    def start(self, script: str = "bootstrap", **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [f"script/{script}"],
            cwd=self.checkout,
            env={**self.environment, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, script: str = "bootstrap", **environment: str) -> tuple[int, str]:
        process = self.start(script, **environment)
        out, err = process.communicate(timeout=120)
        assert out == "", "nothing on standard output: callers print results there"
        return process.returncode, err

    def refusal(self, **environment: str) -> str:
        """The one line that a start ends with, exit code checked."""
        code, err = self.run(**environment)
        lines = [line for line in err.splitlines() if not line.startswith(("bootstrap: ", "build-interfaces: "))]
        assert code == 2, err
        assert len(lines) == 1, err
        assert lines[0].startswith("script/b"), err
        return lines[0]

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        path.unlink(missing_ok=True)
        return lines


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Bare: a shell and its tools, no Python, no compiler."""
    made = Machine(tmp_path)
    made.bin.mkdir()
    for name in BARE:
        found = shutil.which(name, path="/usr/bin:/bin")
        assert found is not None, name
        (made.bin / name).symlink_to(found)
    shutil.copytree(ROOT / "script", made.checkout / "script", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "requirements", made.checkout / "requirements")
    for name in ("setup.py", "package.xml"):
        shutil.copy(ROOT / name, made.checkout / name)
    (made.checkout / "resource").mkdir()
    (made.checkout / "resource" / "adas_runtime").touch()
    interfaces = made.checkout / "adas_interfaces"
    (interfaces / "msg").mkdir(parents=True)
    for name in ("CMakeLists.txt", "package.xml"):
        shutil.copy(ROOT / "adas_interfaces" / name, interfaces / name)
    made.environment = {"PATH": str(made.bin), "HOME": str(tmp_path), "CALLS": str(tmp_path / "calls"), "LC_ALL": "C"}
    return made


@pytest.fixture
def ready(machine: Machine) -> Machine:
    """With compilers and a Python whose environments cost nothing."""
    machine.compilers()
    machine.stand_in_python()
    return machine


# --- what is missing --------------------------------------------------------------------------------------------------


def test_no_python(machine: Machine) -> None:
    line = machine.refusal()
    assert "no python3 found" in line
    assert "Install CPython 3.10 to 3.13" in line


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("sys.version_info = (3, 9, 2)", "is Python 3.9"),
        ("sys.version_info = (3, 14, 0)", "is Python 3.14"),
        ('sys.implementation.name = "pypy"', "is not the standard CPython build"),
        ('sys.modules["ensurepip"] = None', "has no venv module (Debian and Ubuntu: apt install python3."),
        (
            'import sysconfig; sysconfig.get_path = lambda *_: "/nowhere"',
            "has no Python.h (Debian and Ubuntu: apt install python3.",
        ),
    ],
)
def test_unusable_python_says_why(machine: Machine, change: str, reason: str) -> None:
    machine.probed_python(change)
    line = machine.refusal()
    assert reason in line
    assert str(machine.bin / "python3") in line


def test_the_next_python_is_tried(machine: Machine) -> None:
    machine.probed_python("sys.version_info = (3, 9, 2)", "python3")
    machine.stand_in_python("python3.12", tag="312")
    machine.compilers()
    assert machine.run()[0] == 0
    assert (machine.venv / ".adas" / "python").read_text(encoding="utf-8") == "312\n"


def test_python_that_is_named_is_used_alone(ready: Machine) -> None:
    line = ready.refusal(PYTHON="/nowhere/python3.12")
    assert "PYTHON=/nowhere/python3.12 not found" in line
    ready.probed_python("sys.version_info = (3, 9, 2)", "old")
    assert "old is Python 3.9. Set PYTHON" in ready.refusal(PYTHON="old")


@pytest.mark.parametrize(("tool", "language"), [("cc", "C"), ("c++", "C++")])
def test_no_compiler(ready: Machine, tool: str, language: str) -> None:
    (ready.bin / tool).unlink()
    line = ready.refusal()
    assert f"no {language} compiler ({tool} not on PATH)" in line
    assert "apt install g++" in line
    assert not ready.venv.exists(), "said before anything was downloaded"


def test_no_index(machine: Machine, tmp_path: Path) -> None:
    """The real pip, against a port where nobody listens."""
    machine.probed_python("pass")
    machine.compilers()
    line = machine.refusal(
        PIP_CONFIG_FILE="/dev/null", PIP_INDEX_URL="http://127.0.0.1:9/", PIP_RETRIES="0", PIP_NO_CACHE_DIR="1"
    )
    assert "the package index cannot be reached" in line
    assert "pip config list" in line


def test_damaged_lock(machine: Machine) -> None:
    machine.probed_python("pass")
    machine.compilers()
    (machine.checkout / "requirements" / "tools.lock").write_text("<<<<<<< ours\n", encoding="utf-8")
    line = machine.refusal(PIP_CONFIG_FILE="/dev/null", PIP_NO_INDEX="1")
    assert "requirements/tools.lock is damaged: get the file again (git checkout requirements/tools.lock)" in line


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.", "does not match requirements/"),
        ("OSError: [Errno 28] No space left on device", "the disk is full"),
        ("ReadTimeoutError: HTTPSConnectionPool: Read timed out.", "the package index cannot be reached"),
        ("ERROR: No matching distribution found for numpy==99", "the package index lacks a package of requirements/"),
        ("something new", "failed: something new. Log: "),
    ],
)
def test_what_pip_says_becomes_one_line(ready: Machine, said: str, expected: str) -> None:
    ready.stand_in_python(fails_on="pip install", fails_with=said)
    assert expected in ready.refusal()


def test_missing_lock(ready: Machine) -> None:
    (ready.checkout / "requirements" / "jazzy-py311.lock").unlink()
    assert "requirements/jazzy-py311.lock is missing" in ready.refusal()


def test_full_disk_is_said_first(ready: Machine) -> None:
    ready.program("df", "#!/bin/sh\nprintf 'Filesystem 1M-blocks Used Available\\n/dev/x 100 90 10 90%% /\\n'\n")
    line = ready.refusal()
    assert "only 10 MB free" in line
    assert "set ADAS_VENV" in line
    assert not [call for call in ready.calls() if "venv" in call]


def test_no_flock(ready: Machine) -> None:
    (ready.bin / "flock").unlink()
    assert "apt install util-linux" in ready.refusal()


def test_unknown_wheels(ready: Machine) -> None:
    assert "ROS_WHEELS=foxy is unknown: use jazzy or kilted" in ready.refusal(ROS_WHEELS="foxy")


def test_machine_without_wheels(ready: Machine) -> None:
    ready.program("uname", '#!/bin/sh\n[ "$1" = -m ] && echo aarch64 || echo Linux\n')
    line = ready.refusal()
    assert "no ROS 2 wheels for Linux-aarch64" in line
    assert "/opt/ros/jazzy/setup.sh" in line


def test_foreign_environment_is_left_alone(ready: Machine) -> None:
    ready.venv.mkdir()
    mine = ready.venv / "mine"
    mine.touch()
    line = ready.refusal()
    assert "was not made by this script: move it away" in line
    assert mine.exists()


def test_messages_that_do_not_build(ready: Machine) -> None:
    ready.messages("A")
    assert ready.run()[0] == 0
    ready.program("fail", "#!/bin/sh\necho 'a.cpp:1: error: expected something' >&2\nexit 1\n").rename(
        ready.venv / "bin/cmake"
    )
    ready.messages("B")
    assert "adas_interfaces does not build: a.cpp:1: error: expected something. Log: " in ready.refusal()
    assert "adas_interfaces does not build" in ready.refusal(), "asked again, it does not claim to be done"


# --- no work twice ----------------------------------------------------------------------------------------------------


def kinds(calls: list[str]) -> list[str]:
    """The steps among the calls, in order."""
    signs = {
        "-m venv": "venv",
        "tools.lock": "tools",
        "py311.lock": "packages",
        "rewrite_cmake": "rewrite",
        "cmake --build": "messages",
        " -e ": "project",
    }
    return [step for call in calls for sign, step in signs.items() if sign in call]


def test_first_start_then_nothing(ready: Machine) -> None:
    ready.messages("A")
    code, err = ready.run()
    assert code == 0, err
    assert kinds(ready.calls()) == ["venv", "tools", "packages", "rewrite", "messages", "project"]
    assert ready.run() == (0, "")
    assert ready.calls() == [], "the second start runs no Python at all"


def test_each_change_repeats_its_own_steps(ready: Machine) -> None:
    ready.messages("A")
    assert ready.run()[0] == 0
    ready.calls()

    ready.messages("B")
    assert ready.run()[0] == 0
    assert kinds(ready.calls()) == ["messages"]

    with (ready.checkout / "setup.py").open("a", encoding="utf-8") as handle:
        handle.write("# changed\n")
    assert ready.run()[0] == 0
    assert kinds(ready.calls()) == ["project"]

    with (ready.checkout / "requirements" / "jazzy-py311.lock").open("a", encoding="utf-8") as handle:
        handle.write("# changed\n")
    assert ready.run()[0] == 0
    assert kinds(ready.calls()) == ["venv", "tools", "packages", "rewrite", "messages", "project"]


def test_moved_checkout_is_set_up_anew(ready: Machine) -> None:
    assert ready.run()[0] == 0
    ready.calls()
    ready.checkout.rename(ready.folder / "moved")
    done = subprocess.run(
        ["script/bootstrap"], cwd=ready.folder / "moved", env=ready.environment, capture_output=True, check=True
    )
    assert b"is ready" in done.stderr
    assert "venv" in kinds(ready.calls())


def test_half_made_environment_is_made_again(ready: Machine) -> None:
    ready.stand_in_python(fails_on="pip install", fails_with="Read timed out")
    ready.refusal()
    left = ready.venv / "left-over"
    left.touch()
    ready.stand_in_python()
    code, err = ready.run()
    assert code == 0
    assert "found an unfinished environment, making it again" in err
    assert not left.exists()


def test_killed_start_is_made_good(ready: Machine) -> None:
    process = ready.start(VENV_SECONDS="30")
    until = time.monotonic() + 20.0
    while not (ready.venv / ".adas" / "making").exists():
        assert time.monotonic() < until
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    code, err = ready.run()
    assert code == 0, err
    assert ready.run() == (0, "")


def test_environment_without_its_python_is_made_again(ready: Machine) -> None:
    assert ready.run()[0] == 0
    (ready.venv / "bin" / "python").unlink()
    ready.calls()
    assert ready.run()[0] == 0
    assert "venv" in kinds(ready.calls())


def test_parallel_starts_set_up_once(ready: Machine) -> None:
    started = [ready.start(VENV_SECONDS="1") for _ in range(3)]
    said = [process.communicate(timeout=60)[1] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert kinds(ready.calls()).count("venv") == 1
    assert sum("waiting for it" in text for text in said) == 2


def test_each_flavour_has_its_own_environment(ready: Machine) -> None:
    assert ready.run()[0] == 0
    assert ready.run(ROS_WHEELS="kilted")[0] == 0
    assert (ready.checkout / ".venv-kilted").is_dir()
    assert any("kilted-py311.lock" in call for call in ready.calls())
    assert ready.run() == (0, "")
    assert ready.run(ROS_WHEELS="kilted") == (0, "")


# --- a sourced ROS 2 --------------------------------------------------------------------------------------------------

SOURCED = {"ROS_DISTRO": "jazzy", "AMENT_PREFIX_PATH": "/opt/ros/jazzy"}


def test_sourced_ros_is_used(ready: Machine) -> None:
    """Only the assembly of the commands: a ROS 2 from apt is not there in the tests."""
    ready.program("colcon", "#!/bin/sh\n")
    ready.stand_in_python(tag="312")
    ready.messages("A")
    (ready.checkout / ".venv-system" / "colcon/install/adas_interfaces/share/adas_interfaces").mkdir(parents=True)
    (ready.checkout / ".venv-system" / ".adas").mkdir()
    # the stand-in for colcon runs as a module of the environment's Python and leaves the folder that colcon would make
    stand_in = (ready.bin / "python3").read_text(encoding="utf-8")
    made = "${0%/bin/*}/colcon/install/adas_interfaces/share/adas_interfaces"
    ready.program("python3", stand_in + f'case "$*" in *"colcon --log-base"*) mkdir -p "{made}" ;; esac\n')
    code, err = ready.run(**SOURCED)
    assert code == 0, err
    calls = ready.calls()
    venv = ready.checkout / ".venv-system"
    assert f"python3 -m venv --system-site-packages {venv}" in calls
    assert any("requirements/system-py312.lock" in call for call in calls)
    assert not any("rewrite_cmake" in call for call in calls)
    [build] = [call for call in calls if "colcon --log-base" in call]
    assert "build --base-paths . adas_interfaces" in build
    assert f"--install-base {venv}/colcon/install" in build
    assert ready.run(**SOURCED) == (0, "")


def test_sourced_but_too_old(ready: Machine) -> None:
    line = ready.refusal(ROS_DISTRO="humble", AMENT_PREFIX_PATH="/opt/ros/humble")
    assert "ROS_DISTRO=humble is too old" in line
    assert "ROS_WHEELS=jazzy" in line


def test_sourced_without_colcon(ready: Machine) -> None:
    assert "apt install python3-colcon-common-extensions" in ready.refusal(**SOURCED)


def test_wheels_asked_for_by_name_win(ready: Machine) -> None:
    assert ready.run(ROS_WHEELS="jazzy", **SOURCED)[0] == 0
    assert ready.venv.is_dir()


# --- the parts --------------------------------------------------------------------------------------------------------


def test_cmake_paths_are_rewritten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "script"))
    from rewrite_cmake_paths import rewrite

    base = "/opt/python/cp312-cp312"
    text = (
        f'set(X "{base}/include/python3.12;{base}/lib/python3.12/site-packages/numpy/_core/include")\n'
        f"  INTERFACE {base}/include/python3.12>\n"
        f"{base}/lib/python3.12/site-packages/numpy/core/include\n"
        "/opt/python/other/include\n"
    )
    new = rewrite(text, python_include="/p/inc", numpy_include="/n/inc", prefix="/p")
    assert new == 'set(X "/p/inc;/n/inc")\n  INTERFACE /p/inc>\n/n/inc\n/opt/python/other/include\n'


def test_message_definitions_are_parsed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    parser = pytest.importorskip("rosidl_parser.parser", reason="rosidl_parser is not installed")
    from rosidl_parser.definition import IdlLocator

    (tmp_path / "msg").mkdir()
    (tmp_path / "msg" / "A.idl").write_text(
        "module p { module msg { struct A { double stamp_s; }; }; };", encoding="utf-8"
    )
    parsed: list[object] = []
    plain = parser.parse_idl_file
    monkeypatch.setattr(parser, "parse_idl_file", lambda *args: parsed.append(args) or plain(*args))
    spec = importlib.util.spec_from_file_location("idl_cache", ROOT / "script" / "idl_cache" / "sitecustomize.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    cache = tmp_path / "cache"
    cache.mkdir()
    module.share_parses(cache)
    first = parser.parse_idl_file(IdlLocator(str(tmp_path), "msg/A.idl"))
    second = parser.parse_idl_file(IdlLocator(str(tmp_path), "msg/A.idl"))
    assert len(parsed) == 1
    assert len(first.content.elements) == len(second.content.elements) > 0
    [entry] = cache.iterdir()
    entry.write_bytes(b"damaged")
    parser.parse_idl_file(IdlLocator(str(tmp_path), "msg/A.idl"))
    assert len(parsed) == 2


def test_doctor_and_script_agree_on_the_hash(ready: Machine) -> None:
    from adas_runtime.doctor import interfaces_hash

    ready.messages("LaneModel", "LaneBoundary", "A")
    assert ready.run()[0] == 0
    built = (ready.venv / "share" / "adas_interfaces" / "source.sha256").read_text(encoding="utf-8").strip()
    assert built == interfaces_hash(ready.checkout / "adas_interfaces")


@pytest.mark.parametrize("script", ["bootstrap", "build-interfaces", "lock", "test", "demo", "adas", "docs", "lib.sh"])
def test_scripts_are_posix_shell(script: str) -> None:
    text = (ROOT / "script" / script).read_text(encoding="utf-8")
    subprocess.run(["sh", "-n", str(ROOT / "script" / script)], check=True)
    if script != "lib.sh":
        assert text.startswith("#!/bin/sh\n")
        assert os.access(ROOT / "script" / script, os.X_OK)
    assert "[[" not in text.replace("[[:", "")
