"""What all tests share: the shared recordings, a ROS domain of their own, the Hypothesis profiles."""

from __future__ import annotations

import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

TEST = Path(__file__).resolve().parent
ROOT = TEST.parent

# Helper modules beside the tests (builders.py and the like) are imported by their plain name: it must be unique.
HELPERS = [p for p in TEST.rglob("*.py") if not p.name.startswith("test_") and p.stem not in ("conftest", "__init__")]
TWICE = [name for name, count in Counter(p.name for p in HELPERS).items() if count > 1]
if TWICE:
    raise pytest.UsageError(f"two test helpers share a name: {TWICE}; rename one")
for folder in sorted({str(p.parent) for p in HELPERS}):
    if folder not in sys.path:
        sys.path.append(folder)

settings.register_profile("default", deadline=None, print_blob=True)
settings.register_profile(
    "ci", settings.get_profile("default"), derandomize=True, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("ci" if os.environ.get("CI") else "default")


def pytest_configure(config: pytest.Config) -> None:
    """Before any test module is imported, and in every xdist worker: stay on this machine, in a domain of our own."""
    os.environ["ROS_AUTOMATIC_DISCOVERY_RANGE"] = "LOCALHOST"
    base = int(os.environ.get("ROS_DOMAIN_ID") or os.getpid() % 100 + 1)
    worker = os.environ.get("PYTEST_XDIST_WORKER", "")
    if worker and not os.environ.get("ADAS_TEST_DOMAIN_SET"):
        base = (base + int(worker.removeprefix("gw")) * 7) % 101
    # set once: child processes of a worker inherit the domain as it is
    os.environ["ADAS_TEST_DOMAIN_SET"] = "1" if worker else ""
    os.environ["ROS_DOMAIN_ID"] = str(base)
    if not os.environ.get("ADAS_TEST_STATE_SET"):  # a test is no use of the car: its figures go where nobody reads
        folder = tempfile.TemporaryDirectory(prefix="adas-test-state-")
        config.add_cleanup(folder.cleanup)
        os.environ["ADAS_STATE_DIR"] = folder.name
        os.environ["ADAS_TEST_STATE_SET"] = "1"


@pytest.fixture(scope="session")
def ros_domain_id() -> int:
    """The ROS domain that this run (or xdist worker) has for itself; set in the environment already."""
    return int(os.environ["ROS_DOMAIN_ID"])


@pytest.fixture(scope="session")
def repository() -> Path:
    """Root of the checkout."""
    return ROOT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Folder of the shared recordings and images; the test is skipped, with the reason, where it is missing."""
    path = Path(os.environ.get("ADAS_SHARED_DATA") or ROOT.parent / "shared" / "data")
    if not path.is_dir():
        pytest.skip(f"no shared recordings at {path}: set ADAS_SHARED_DATA")
    return path


@pytest.fixture(scope="session")
def ros(ros_domain_id: int) -> int:
    """For tests on a real graph: the domain to use; skipped, with the reason, without rclpy or the built messages."""
    pytest.importorskip("rclpy", reason="rclpy is not installed: run script/bootstrap")
    pytest.importorskip("adas_interfaces.msg", reason="adas_interfaces is not built: run script/build-interfaces")
    return ros_domain_id


@pytest.fixture(autouse=True)
def _environment_stays() -> Iterator[None]:
    """A command that a test runs in this process may name its DDS profile there; the next test starts afresh."""
    before = dict(os.environ)
    yield
    for name in (before.keys() | os.environ.keys()) - {"PYTEST_CURRENT_TEST"}:
        if name not in before:
            del os.environ[name]
        elif os.environ.get(name) != before[name]:
            os.environ[name] = before[name]
