"""Whether trigger, actuator and envelope mean the same brakes: one that trusts more than it gets brakes too late.

Peers shipped a trigger whose braking distance from 60 km/h was metres shorter than what their controller let through.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from adas_runtime.collision.brakes import Brakes
from adas_runtime.errors import ConfigError
from adas_runtime.units import GRAVITY_MPS2, kmh_to_mps

if TYPE_CHECKING:
    from adas_runtime.market.schema import Market
    from adas_runtime.vehicle.schema import BrakeModel, Vehicle

CHECKED_KMH: Final = 60.0
UNKNOWN: Final = Brakes(0.2, 20.0, 7.0)  # a car like most, a little worse [D]
APART_MAX_M: Final = 0.3  # of the stopping distances from there [D]


def passed_of(market: Market, vehicle: Vehicle) -> Brakes:
    """What the envelope lets through, on the delay of the vehicle's brakes."""
    delay_s = UNKNOWN.delay_s if vehicle.brakes is None else vehicle.brakes.delay_s
    envelope, limits = market.envelope, vehicle.limits
    decel_mps2 = min(-envelope.accel_min_mps2, -limits.accel_min_mps2, envelope.friction * GRAVITY_MPS2)
    jerk_mps3 = min(-envelope.jerk_min_mps3, -limits.jerk_min_mps3)
    return Brakes(delay_s, jerk_mps3, decel_mps2)  # a test holds it against the envelope's own limits


def actuator_of(brakes: BrakeModel) -> Brakes:
    """What the brakes do at maximum mass, as the vehicle file says."""
    return Brakes(brakes.delay_s, brakes.jerk_mps3, brakes.decel_laden_mps2)


def brakes_of(market: Market, vehicle: Vehicle) -> Brakes:
    """What the trigger may count on: its own demand, through the envelope, by the brakes at maximum mass.

    Of a car whose brakes nobody knows it is the driver who brakes: what the warning's time is reckoned by.
    """
    if vehicle.brakes is None:
        return UNKNOWN
    passed, actuator = passed_of(market, vehicle), actuator_of(vehicle.brakes)
    return Brakes(
        actuator.delay_s,
        min(passed.jerk_mps3, actuator.jerk_mps3),
        min(market.aeb.decel_mps2, passed.decel_mps2, actuator.decel_mps2),
    )


def check_brakes(market: Market, vehicle: Vehicle) -> None:
    """Refuse a bundle whose trigger, actuator and envelope disagree.

    Raises:
        ConfigError: The demand is more than what the envelope passes or the brakes give, and by how many metres that
            is from 60 km/h.
    """
    if vehicle.brakes is None:
        return  # it never brakes
    speed_mps = kmh_to_mps(CHECKED_KMH)
    passed, actuator = passed_of(market, vehicle), actuator_of(vehicle.brakes)
    asked = Brakes(actuator.delay_s, min(passed.jerk_mps3, actuator.jerk_mps3), market.aeb.decel_mps2)
    asked_m = asked.stop_m(speed_mps)
    for name, brakes, mend in (
        ("the envelope lets it stop", passed, "lower aeb.decel_mps2, or raise what envelope and limits let through"),
        ("the brakes stop it", actuator, "lower aeb.decel_mps2, or correct brakes in the vehicle file"),
    ):
        way_m = brakes.stop_m(speed_mps)
        if way_m > asked_m + APART_MAX_M:
            raise ConfigError(
                f"emergency braking counts on {asked_m:.1f} m from {CHECKED_KMH:g} km/h to a stop, {name} in "
                f"{way_m:.1f} m: {way_m - asked_m:.1f} m apart",
                where=f"market {market.name}, vehicle {vehicle.name}",
                mend=mend,
            )
