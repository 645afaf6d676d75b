"""Whether the driver's hands are on the wheel, and whether the driver steers."""

from __future__ import annotations

import math

from adas_runtime.signals import VehicleState


def torque_nm(vehicle: VehicleState) -> float | None:
    """Size of the driver's torque, `None` where the car does not tell [Nm]."""
    torque = vehicle.driver_torque_nm
    return None if torque is None or not math.isfinite(torque) else abs(torque)


def hands_seen(vehicle: VehicleState, torque_min_nm: float) -> bool | None:
    """Hands are on: by a sensor, else by torque in this moment; `None`: the car cannot tell.

    Without a sensor `False` only says that no torque is felt: a hand at rest shows itself now and then.
    """
    if vehicle.is_hands_on is not None:
        return vehicle.is_hands_on
    torque = torque_nm(vehicle)
    return None if torque is None else torque >= torque_min_nm
