"""The vehicle file reference, with the values of the reference vehicle."""

from __future__ import annotations

from adas_runtime.config import Document, Key, read_yaml, shown
from adas_runtime.reference.fields import sections
from adas_runtime.reference.text import generated
from adas_runtime.vehicle import Vehicle, vehicle_path

HEAD = """# Vehicle file

What the runtime knows of its car stands in one YAML file, `--vehicle NAME` or `--vehicle FILE.yaml`. Nothing has a
default: a value that is not measured is not invented. `reference` is a placeholder for a compact car that demo and
synthetic drives use; for a real car copy `config/vehicles/reference.yaml` and measure. `unknown_camera` is for footage
of a camera nobody measured: pitch and vanishing point then come from the footage.

```
adas vehicle list                    the shipped vehicles
adas vehicle check my_car.yaml       everything that is wrong with a file: line, rule, mend
adas vehicle show reference          every value with its unit and line
```
"""


def page() -> str:
    """The whole page."""
    document = read_yaml(vehicle_path("reference"))

    def value_of(key: Key) -> str:
        return _at(document, key)

    parts = [generated("adas_runtime/vehicle/schema.py"), HEAD, sections(Vehicle, value_of, "reference")]
    return "\n".join(parts)


def _at(document: Document, key: Key) -> str:
    return shown(document.value(tuple("front" if part == "*" else part for part in key)))
