"""`adas doctor`: what this machine has and lacks, with the mend.

Whatever may crash or hang (rclpy, DDS) is tried in a child process; this module imports no ROS.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path
from typing import Annotated, Final

import typer

from adas_runtime.errors import AdasError

MIB: Final = 1024 * 1024
SHM_NEEDED_MIB: Final = 256  # four processes with a segment of 64 MiB each (config/fastdds.xml)
MEMORY_NEEDED_MIB: Final = 2048  # the live graph's budget is 700 MB; a replay with pictures takes as much again
DISK_NEEDED_MIB: Final = 2048
CORES_NEEDED: Final = 2
CHILD_TIMEOUT_S: Final = 30.0
WHEEL_DISTROS: Final = {"7": "jazzy", "9": "kilted"}  # major version of ros-rclpy
CHROMIUM: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Verdict(Enum):
    """What a check found."""

    OK = "ok"
    WARN = "warn"
    """Works, but slower or with less than it could."""
    FAIL = "fail"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One line of the report."""

    name: str
    verdict: Verdict
    detail: str
    mend: str = ""
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Child:
    """How a child process ended; `output` is its last line on stdout, or what it complained about."""

    is_ok: bool
    output: str


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""


def run_child(code: str, arguments: Sequence[str] = (), timeout_s: float = CHILD_TIMEOUT_S) -> Child:
    """Run Python code in a child; a crash or a hang there is an answer, not a fault here."""
    command = [sys.executable, "-c", code, *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return Child(False, f"no answer within {timeout_s:.0f} s")
    if done.returncode == 0:
        return Child(True, _last_line(done.stdout))
    if done.returncode < 0:
        return Child(False, f"killed by signal {-done.returncode}")
    return Child(False, _last_line(done.stderr) or f"exit code {done.returncode}")


def interfaces_hash(folder: Path) -> str:
    """What `adas_interfaces` is built from, as one hash; script/lib.sh computes the same."""
    messages = sorted(folder.glob("msg/*.msg"), key=lambda p: p.name.encode())
    digest = hashlib.sha256()
    for path in messages:
        digest.update(f"adas_interfaces/msg/{path.name}\n".encode())
    for path in (folder / "CMakeLists.txt", folder / "package.xml", *messages):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def built_hash() -> str | None:
    """The hash that script/build-interfaces left in the first prefix that holds the messages."""
    prefixes = [*os.environ.get("AMENT_PREFIX_PATH", "").split(os.pathsep), sys.prefix]
    for prefix in filter(None, prefixes):
        mark = Path(prefix) / "share" / "adas_interfaces" / "source.sha256"
        if mark.is_file():
            return mark.read_text(encoding="utf-8").strip()
    return None


# --- the checks -------------------------------------------------------------------------------------------------------


def check_python(version: tuple[int, ...] = tuple(sys.version_info[:3])) -> Check:
    """The interpreter is one that the locks cover."""
    text = ".".join(map(str, version))
    if (3, 10) <= version[:2] <= (3, 13):
        return Check(name="python", verdict=Verdict.OK, detail=f"{text}, {sys.executable}")
    return Check(
        name="python",
        verdict=Verdict.FAIL,
        detail=f"{text} is outside 3.10 to 3.13",
        mend="run script/bootstrap with PYTHON=/path/to/python3.12",
    )


def ros_origin() -> tuple[str, str] | None:
    """(distribution, where it comes from), or None without ROS 2."""
    try:
        version = importlib.metadata.version("ros-rclpy")
    except importlib.metadata.PackageNotFoundError:
        distro = os.environ.get("ROS_DISTRO")
        prefix = os.environ.get("AMENT_PREFIX_PATH", "?").split(os.pathsep)[-1]
        return (distro, f"sourced from {prefix}") if distro else None
    return WHEEL_DISTROS.get(version.split(".")[0], "unknown"), f"wheels (ros-rclpy {version})"


def check_ros() -> Check:
    """Which ROS 2, and from where."""
    origin = ros_origin()
    if origin is None:
        return Check(
            name="ros 2",
            verdict=Verdict.FAIL,
            detail="neither wheels in this environment nor a sourced installation",
            mend="run script/bootstrap, or source /opt/ros/jazzy/setup.sh first",
        )
    distro, source = origin
    if distro in ("jazzy", "kilted"):
        return Check(name="ros 2", verdict=Verdict.OK, detail=f"{distro}, {source}")
    return Check(
        name="ros 2",
        verdict=Verdict.WARN,
        detail=f"{distro}, {source}: not tested with this project",
        mend="use Jazzy or Kilted",
    )


def check_rclpy() -> Check:
    """Rclpy imports and its middleware loads."""
    child = run_child("import rclpy; rclpy.init(); print(rclpy.get_rmw_implementation_identifier()); rclpy.shutdown()")
    if child.is_ok:
        return Check(name="rclpy", verdict=Verdict.OK, detail=f"starts on {child.output}")
    return Check(name="rclpy", verdict=Verdict.FAIL, detail=child.output, mend="run script/bootstrap")


def check_interfaces() -> Check:
    """The messages import and are built from the present files."""
    mend = "run script/bootstrap, or script/build-interfaces"
    child = run_child("from adas_interfaces.msg import ActuationCommand; ActuationCommand()")
    if not child.is_ok:
        return Check(name="interfaces", verdict=Verdict.FAIL, detail=child.output, mend=mend)
    source = Path(__file__).resolve().parents[1] / "adas_interfaces"
    if not source.is_dir():
        return Check(name="interfaces", verdict=Verdict.OK, detail="built (installed, no sources to compare with)")
    built = built_hash()
    if built is None:
        return Check(name="interfaces", verdict=Verdict.WARN, detail="built, from which files is not known", mend=mend)
    if built != interfaces_hash(source):
        detail = "built from other files than adas_interfaces/ holds now"
        return Check(name="interfaces", verdict=Verdict.FAIL, detail=detail, mend=mend)
    return Check(name="interfaces", verdict=Verdict.OK, detail=f"built and current ({built[:12]})")


def check_rmw() -> Check:
    """The middleware asked for is the one whose profile ships."""
    asked = os.environ.get("RMW_IMPLEMENTATION", "")
    profile = os.environ.get("FASTRTPS_DEFAULT_PROFILES_FILE") or os.environ.get("FASTDDS_DEFAULT_PROFILES_FILE") or ""
    if profile and not Path(profile).is_file():
        return Check(
            name="rmw",
            verdict=Verdict.FAIL,
            detail=f"the Fast DDS profile {profile} does not exist",
            mend="unset FASTDDS_DEFAULT_PROFILES_FILE, or name config/fastdds.xml",
        )
    if asked in ("", "rmw_fastrtps_cpp"):
        detail = f"{asked or 'default'}, profile {profile or 'config/fastdds.xml (set by adas up)'}"
        return Check(name="rmw", verdict=Verdict.OK, detail=detail)
    return Check(
        name="rmw",
        verdict=Verdict.WARN,
        detail=f"RMW_IMPLEMENTATION={asked}: the shared-memory profile is for rmw_fastrtps_cpp",
        mend="unset RMW_IMPLEMENTATION",
    )


# Two processes: within one, Fast DDS hands the message over without any transport and the check would prove nothing.
_LOOPBACK: Final = """
import os, subprocess, sys, time
role = sys.argv[1]
if role == "listen":
    talker = subprocess.Popen([sys.executable, "-c", os.environ["ADAS_LOOPBACK"], "talk"])
import rclpy
from std_msgs.msg import String
rclpy.init()
node = rclpy.create_node("adas_doctor_" + role)
end = time.monotonic() + 15.0
if role == "talk":
    publisher = node.create_publisher(String, "adas_doctor", 10)
    while time.monotonic() < end:
        publisher.publish(String(data=repr(time.time())))
        time.sleep(0.05)
else:
    got = []
    node.create_subscription(String, "adas_doctor", lambda m: got.append(time.time() - float(m.data)), 10)
    while len(got) < 5 and time.monotonic() < end:
        rclpy.spin_once(node, timeout_sec=0.2)
    talker.terminate()
    talker.wait()
    if len(got) < 5:
        sys.exit("no message crossed from one process to another within 15 s")
    print("%.1f ms from process to process" % (1e3 * sorted(got)[len(got) // 2]))
"""


def check_dds() -> Check:
    """A message really crosses from one process to another on this machine."""
    environment = {"ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST", "ROS_DOMAIN_ID": str(os.getpid() % 100 + 1)}
    # handed over in the environment, since the wheels' start hook re-executes Python with its arguments as they were
    before = {key: os.environ.get(key) for key in (*environment, "ADAS_LOOPBACK")}
    os.environ.update(environment, ADAS_LOOPBACK=_LOOPBACK)
    try:
        child = run_child(_LOOPBACK, ["listen"])
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
    if child.is_ok:
        return Check(name="dds", verdict=Verdict.OK, detail=child.output)
    return Check(
        name="dds",
        verdict=Verdict.FAIL,
        detail=child.output,
        mend="let the loopback interface carry UDP multicast (ip link set lo multicast on), and free /dev/shm",
    )


def check_shared_memory(folder: Path = Path("/dev/shm")) -> Check:
    """Room for the segments that carry images."""
    mend = f"give /dev/shm at least {SHM_NEEDED_MIB} MiB (docker run --shm-size=1g; mount -o remount,size=1g /dev/shm)"
    if not folder.is_dir() or not os.access(folder, os.W_OK):
        return Check(
            name="shared memory",
            verdict=Verdict.WARN,
            detail=f"{folder} is not writable: images go over UDP, five times as slow",
            mend=mend,
            is_required=False,
        )
    free_mib = shutil.disk_usage(folder).free // MIB
    is_enough = free_mib >= SHM_NEEDED_MIB
    return Check(
        name="shared memory",
        verdict=Verdict.OK if is_enough else Verdict.WARN,
        detail=f"{free_mib} MiB free in {folder}",
        mend="" if is_enough else mend,
        is_required=False,
    )


def has_nvidia() -> bool:
    """An NVIDIA device is visible: a graphics card or a Jetson."""
    return any(Path(p).exists() for p in ("/dev/nvidiactl", "/dev/nvhost-gpu", "/etc/nv_tegra_release"))


def check_onnxruntime() -> Check:
    """ONNX Runtime loads; with which accelerator."""
    child = run_child("import onnxruntime as o; print(o.__version__, *o.get_available_providers())")
    if not child.is_ok:
        return Check(name="onnxruntime", verdict=Verdict.FAIL, detail=child.output, mend="run script/bootstrap")
    version, *providers = child.output.split()
    short = [p.removesuffix("ExecutionProvider") for p in providers]
    if has_nvidia() and not {"CUDA", "Tensorrt"} & set(short):
        return Check(
            name="onnxruntime",
            verdict=Verdict.WARN,
            detail=f"{version}, {', '.join(short)}: an NVIDIA device is there and stays idle",
            mend="replace onnxruntime by onnxruntime-gpu of the same version (Jetson: NVIDIA's own wheel)",
        )
    return Check(name="onnxruntime", verdict=Verdict.OK, detail=f"{version}, {', '.join(short)}")


PROBE: Final = """
import sys
from adas_runtime.errors import AdasError
from adas_runtime.perception.models.model import load_model
try:
    report = load_model("probe", market=("all",)).report
except AdasError as error:
    sys.exit(error.line())
print(int(report.is_reduced), report.line())
"""


def check_models() -> Check:
    """A neural network runs on the provider that `inference.yaml` wants, and computes what it did at its release."""
    child = run_child(PROBE)
    if not child.is_ok:
        return Check(
            name="models", verdict=Verdict.FAIL, detail=child.output, mend="see `adas models verify`, docs/models.md"
        )
    is_reduced, _, line = child.output.partition(" ")
    if is_reduced == "1" and has_nvidia():
        return Check(
            name="models",
            verdict=Verdict.WARN,
            detail=line,
            mend="give onnxruntime the GPU, and set allow_cpu: false in inference.yaml on the car",
        )
    return Check(name="models", verdict=Verdict.OK, detail=line)


def check_opencv() -> Check:
    """OpenCV loads and can decode the pictures that bags hold."""
    child = run_child(
        "import cv2, numpy as n; ok, b = cv2.imencode('.jpg', n.zeros((8, 8, 3), n.uint8));"
        "assert ok and cv2.imdecode(b, 1).shape == (8, 8, 3); print(cv2.__version__)"
    )
    if child.is_ok:
        return Check(name="opencv", verdict=Verdict.OK, detail=child.output)
    return Check(name="opencv", verdict=Verdict.FAIL, detail=child.output, mend="run script/bootstrap")


def check_cores() -> Check:
    """Cores that this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    is_enough = count >= CORES_NEEDED
    return Check(
        name="cores",
        verdict=Verdict.OK if is_enough else Verdict.WARN,
        detail=f"{count} usable, {platform.machine()}",
        mend="" if is_enough else "give it two cores: the live graph takes 1.2 of one",
        is_required=False,
    )


def check_memory(meminfo: Path = Path("/proc/meminfo")) -> Check:
    """Memory that is available now."""
    try:
        lines = meminfo.read_text(encoding="ascii").splitlines()
    except OSError:
        return Check(name="memory", verdict=Verdict.WARN, detail=f"{meminfo} cannot be read", is_required=False)
    available = next((int(line.split()[1]) // 1024 for line in lines if line.startswith("MemAvailable:")), 0)
    is_enough = available >= MEMORY_NEEDED_MIB
    return Check(
        name="memory",
        verdict=Verdict.OK if is_enough else Verdict.WARN,
        detail=f"{available} MiB available",
        mend="" if is_enough else f"close other programs: {MEMORY_NEEDED_MIB} MiB are wanted",
        is_required=False,
    )


def check_disk(folder: Path | None = None) -> Check:
    """Room for recordings and reports in the current folder."""
    folder = folder or Path.cwd()
    free_mib = shutil.disk_usage(folder).free // MIB
    is_enough = free_mib >= DISK_NEEDED_MIB
    return Check(
        name="disk",
        verdict=Verdict.OK if is_enough else Verdict.WARN,
        detail=f"{free_mib // 1024} GiB free in {folder}",
        mend="" if is_enough else f"free some space: {DISK_NEEDED_MIB} MiB are wanted for recordings",
        is_required=False,
    )


def check_config() -> Check:
    """The configuration that ships is found."""
    from adas_runtime.resources import config_dir

    try:
        path = config_dir()
    except AdasError as error:
        return Check(name="config", verdict=Verdict.FAIL, detail=error.what, mend=error.mend)
    count = len(list((path / "markets").glob("*.yaml")))
    if count == 0:
        return Check(
            name="config", verdict=Verdict.FAIL, detail=f"no market in {path}", mend="install the package anew"
        )
    return Check(name="config", verdict=Verdict.OK, detail=f"{count} market files in {path}")


def check_chromium() -> Check:
    """A browser for looking at reports without a screen (tests only)."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    return Check(
        name="chromium",
        verdict=Verdict.OK if found else Verdict.WARN,
        detail=found or "not found: the browser tests of the report are skipped",
        mend="" if found else "apt install chromium",
        is_required=False,
    )


def check_launch() -> Check:
    """What `ros2 launch` and its tests need; not on PyPI."""
    names = ("launch", "launch_ros", "launch_testing")
    # a folder of that name in the current directory is found too, but has no origin
    missing = [name for name in names if (spec := importlib.util.find_spec(name)) is None or spec.origin is None]
    return Check(
        name="launch",
        verdict=Verdict.WARN if missing else Verdict.OK,
        detail=f"not installed: {', '.join(missing)}" if missing else ", ".join(names),
        mend="use `adas up`, or a ROS 2 from apt: these are not published as wheels" if missing else "",
        is_required=False,
    )


CHECKS: Final[tuple[Callable[[], Check], ...]] = (
    check_python,
    check_ros,
    check_rclpy,
    check_interfaces,
    check_rmw,
    check_dds,
    check_shared_memory,
    check_onnxruntime,
    check_opencv,
    check_config,
    check_models,
    check_cores,
    check_memory,
    check_disk,
    check_chromium,
    check_launch,
)


def run_checks(checks: Sequence[Callable[[], Check]] = CHECKS) -> list[Check]:
    """Every check in order; one that breaks is itself a finding."""
    found: list[Check] = []
    for check in checks:
        try:
            found.append(check())
        except Exception as error:  # the doctor must outlive any patient
            name = getattr(check, "__name__", "check").removeprefix("check_").replace("_", " ")
            found.append(Check(name=name, verdict=Verdict.FAIL, detail=f"the check itself failed: {error!r}"))
    return found


def is_healthy(checks: Sequence[Check]) -> bool:
    """No required thing is missing."""
    return not any(check.is_required and check.verdict is Verdict.FAIL for check in checks)


def as_json(checks: Sequence[Check]) -> str:
    """The result for machines."""
    rows = [{**asdict(check), "verdict": check.verdict.value} for check in checks]
    return json.dumps({"schema": "adas.doctor/1", "is_healthy": is_healthy(checks), "checks": rows}, indent=2)


def as_text(checks: Sequence[Check]) -> str:
    """The result for people: one line a check, the mend below it."""
    width = max(len(check.name) for check in checks)
    lines = []
    for check in checks:
        sign = {Verdict.OK: "ok  ", Verdict.WARN: "note", Verdict.FAIL: "FAIL"}[check.verdict]
        lines.append(f"{sign}  {check.name:<{width}}  {check.detail}")
        if check.mend:
            lines.append(f"      {'':<{width}}  mend: {check.mend}")
    failed = [check.name for check in checks if check.is_required and check.verdict is Verdict.FAIL]
    lines.append(f"missing: {', '.join(failed)}" if failed else "everything that is required is there")
    return "\n".join(lines)


def command(json_: bool = False) -> int:
    """Print what this machine has and lacks; 0 when all that is required is there, else 1."""
    checks = run_checks()
    print(as_json(checks) if json_ else as_text(checks))
    return 0 if is_healthy(checks) else 1


def register(app: typer.Typer) -> None:
    """Add `adas doctor`."""

    @app.command(name="doctor")
    def doctor(
        json_: Annotated[bool, typer.Option("--json", help="print the result for machines")] = False,
    ) -> int:
        """What this machine has and lacks, with the mend."""
        return command(json_)
