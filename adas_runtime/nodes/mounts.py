"""Where the cameras are, for `/tf_static`: from the vehicle's file, nothing else."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.units import deg_to_rad
from adas_runtime.vehicle.schema import CameraMount, Vehicle

BASE: Final = "base_link"  # ISO 8855 origin: on the ground under the centre of the rear axle
Quaternion = tuple[float, float, float, float]
# from x forward, y left, z up to the picture's x right, y down, z forward (REP 103)
OPTICAL: Final[Quaternion] = (-0.5, 0.5, -0.5, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One static transform: `child` in `parent`, metres and x, y, z, w."""

    parent: str
    child: str
    x_m: float = 0.0
    y_m: float = 0.0
    z_m: float = 0.0
    rotation: Quaternion


def rotation(camera: CameraMount) -> Quaternion:
    """The mounting's rotation: yaw, then pitch, then roll, about axes that turn along (x, y, z, w)."""
    roll, pitch, yaw = (deg_to_rad(angle) / 2.0 for angle in (camera.roll_deg, camera.pitch_deg, camera.yaw_deg))
    cr, sr, cp, sp, cy, sy = (f(angle) for angle in (roll, pitch, yaw) for f in (math.cos, math.sin))
    return (
        cy * cp * sr - sy * sp * cr,
        cy * sp * cr + sy * cp * sr,
        sy * cp * cr - cy * sp * sr,
        cy * cp * cr + sy * sp * sr,
    )


def mounts(vehicle: Vehicle) -> tuple[Mount, ...]:
    """Body and optical frame of each camera."""
    found = []
    for place, camera in sorted(vehicle.cameras.items()):
        name = f"camera_{place}"
        found.append(
            Mount(
                parent=BASE,
                child=name,
                x_m=camera.x_m,
                y_m=camera.y_m,
                z_m=camera.z_m,
                rotation=rotation(camera),
            )
        )
        found.append(Mount(parent=name, child=f"{name}_optical", rotation=OPTICAL))
    return tuple(found)
