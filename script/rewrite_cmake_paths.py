"""Points the CMake exports of the ROS 2 wheels at this interpreter.

The wheels' exported targets name the include folders of the machine that built them (`/opt/python/cp3XX-cp3XX/...`).
Run by the environment's own Python. Files are replaced, never changed in place: they may be hard links into a cache.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import tempfile
from pathlib import Path

PREFIX = r"/opt/python/cp3\d+-cp3\d+"
END = r"(?=[;\"'\s)>]|$)"  # a path in a CMake list ends here


def rewrite(text: str, *, python_include: str, numpy_include: str, prefix: str) -> str:
    """The same CMake text with every build-machine path replaced by this interpreter's."""
    text = re.sub(PREFIX + r"/lib/python3\.\d+/site-packages/numpy/(?:_core|core)/include" + END, numpy_include, text)
    text = re.sub(PREFIX + r"/include/python3\.\d+" + END, python_include, text)
    return re.sub(PREFIX + r"(?=[/;\"'\s)>]|$)", prefix, text)


def main() -> int:
    """Rewrite every export below this environment's prefix."""
    import numpy as np

    roots = [Path(sys.prefix) / "share", Path(sys.prefix) / "lib" / "cmake"]
    changed = 0
    for path in (p for root in roots for p in root.rglob("*.cmake")):
        old = path.read_text(encoding="utf-8")
        new = rewrite(
            old, python_include=sysconfig.get_path("include"), numpy_include=np.get_include(), prefix=sys.base_prefix
        )
        if new != old:
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, delete=False) as handle:
                handle.write(new)
            os.chmod(handle.name, 0o644)
            os.replace(handle.name, path)
            changed += 1
    print(f"{changed} CMake files rewritten")
    return 0


if __name__ == "__main__":
    sys.exit(main())
