"""The ROS 2 package (ament_python). Tool settings stand in pyproject.toml, pinned dependencies in requirements/."""

import sys
from pathlib import Path

from setuptools import find_packages, setup

NAME = "adas_runtime"
HERE = Path(__file__).parent


# colcon runs this file directly, and `ros2 run` then looks for programs in lib/<package>; pip wants them in bin/.
FOR_ROS = {"install": {"install_scripts": f"$base/lib/{NAME}"}, "develop": {"script_dir": f"$base/lib/{NAME}"}}
IS_DIRECT = bool({"install", "develop"} & set(sys.argv[1:]))


def shared(folder: str, pattern: str = "*") -> list[tuple[str, list[str]]]:
    """(target, files) for every folder below `folder`: the tree as it stands, under share/adas_runtime."""
    files = sorted(p.relative_to(HERE) for p in (HERE / folder).rglob(pattern) if p.is_file())
    by_parent: dict[Path, list[str]] = {}
    for path in files:
        by_parent.setdefault(path.parent, []).append(str(path))
    return [(f"share/{NAME}/{parent}", names) for parent, names in sorted(by_parent.items())]


def requirements(name: str) -> list[str]:
    """The one list of what the runtime imports; script/lock resolves the same file."""
    lines = (HERE / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return [bare for line in lines if (bare := line.split("#")[0].strip())]


setup(
    name=NAME,
    version="0.1.0",
    description="One driver-assistance runtime for many markets: live on ROS 2, and replayed bit for bit.",
    license="Apache-2.0",
    python_requires=">=3.10",
    packages=find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={"": ["*.html", "*.j2", "*.css", "*.js", "*.svg", "*.json", "*.yaml", "py.typed"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        *shared("config"),
        *shared("launch", "*.py"),
    ],
    install_requires=requirements("runtime.in"),
    extras_require={"ray": ["ray"]},  # `adas scenario run --ray`: over the machines of a cluster
    zip_safe=False,
    options=FOR_ROS if IS_DIRECT else {},
    entry_points={"console_scripts": ["adas = adas_runtime.cli:run"]},
)
