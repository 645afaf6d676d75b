"""What the tests of the envelope ask for: the fields of a demand on either axis."""

from __future__ import annotations

from typing import Any


def steer(curvature_1pm: float) -> dict[str, Any]:
    return {
        "is_lateral_active": True,
        "curvature_1pm": curvature_1pm,
        "lateral_author": "lka",
        "lateral_cause": "keep_lane",
    }


def cap(accel_cap_mps2: float) -> dict[str, Any]:
    return {"accel_cap_mps2": accel_cap_mps2, "longitudinal_author": "isa", "longitudinal_cause": "limit"}


def push(accel_mps2: float) -> dict[str, Any]:
    return {
        "is_longitudinal_active": True,
        "accel_mps2": accel_mps2,
        "longitudinal_author": "acc",
        "longitudinal_cause": "follow",
    }
