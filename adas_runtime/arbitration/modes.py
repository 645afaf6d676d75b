"""Degraded modes: what is left of each function when one thing fails, as data.

What a function does without an input is its own to say, and follows from what it declares; here it is written down for
the whole graph, in one place, and checked: a test makes each fault happen in drives through the executor of the car
and holds status, alert, command and diagnostics against these rows. Who is not named in a row is at full. The page
`docs/reference/degradation.md` is printed from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final


class Mode(Enum):
    """What is left of a function, in the order of loss."""

    FULL = "full"
    DEGRADED = "degraded"  # works on with less, and says so
    WARNS = "warns only"  # what it asks of the car is not followed
    DEMANDS = "asks the driver back"  # automation drives on meanwhile, and stops where nobody comes
    STOPS = "stops the car"  # at once, and holds it
    ABSENT = "absent"  # asks for nothing, warns of nothing
    RAMP = "safe ramp"  # of the envelope: every axis is handed back
    GONE = "gone"  # its process, or the gate itself, says nothing any more


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """One cell.

    Args:
        mode: What is left.
        why: Reason in the function's status, or in the command's limits.
        tells: How the health monitor tells the driver of it: `fault`, `degraded`, `silent`; empty: it does not, since
            the function tells it itself or nothing is wrong with it.
    """

    mode: Mode
    why: str = ""
    tells: str = ""


BROKEN: Final = "Error: "  # followed by what its core raised

FULL: Final = Left(mode=Mode.FULL)
GONE: Final = Left(mode=Mode.GONE, tells="silent")


def degraded(why: str, tells: str = "degraded") -> Left:
    """It works on with less."""
    return Left(mode=Mode.DEGRADED, why=why, tells=tells)


def warns(why: str, tells: str = "") -> Left:
    """What it asks of the car is not followed."""
    return Left(mode=Mode.WARNS, why=why, tells=tells)


def demands(why: str, tells: str = "degraded") -> Left:
    """It drives on and asks the driver back."""
    return Left(mode=Mode.DEMANDS, why=why, tells=tells)


def stops(why: str, tells: str = "fault") -> Left:
    """It stops the car at once."""
    return Left(mode=Mode.STOPS, why=why, tells=tells)


def absent(why: str, tells: str = "fault") -> Left:
    """It asks for nothing."""
    return Left(mode=Mode.ABSENT, why=why, tells=tells)


def ramp(why: str, tells: str = "degraded") -> Left:
    """The envelope hands every axis back."""
    return Left(mode=Mode.RAMP, why=why, tells=tells)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One row.

    Args:
        names: What fails, and how; several where the same is left.
        what: What happens.
        gate: What becomes of commands: at full they pass, a ramp hands all back, `WARNS` refuses one axis.
        left: What is left of each function that is not at full, by name, once it has settled.
        alerts: What functions themselves tell the driver; what the health monitor tells stands with each function.
    """

    names: tuple[str, ...]
    what: str
    gate: Left = FULL
    left: Mapping[str, Left] = field(default_factory=dict)
    alerts: tuple[str, ...] = ()


def breaks(
    name: str, *, left: Mapping[str, Left] | None = None, gate: Left = FULL, alerts: tuple[str, ...] = ()
) -> Fault:
    """A function's core raises: it is gone, and so is what rests on it."""
    return Fault(
        names=(f"{name} breaks",),
        what="its core raises",
        gate=gate,
        left={name: absent(BROKEN), **(left or {})},
        alerts=alerts,
    )


FAULTS: Final[tuple[Fault, ...]] = (
    Fault(
        names=("vehicle_state lost", "vehicle_state stale"),
        what="no value comes any more, or the last one again and again with its old stamp",
        gate=Left(mode=Mode.RAMP, why="vehicle_absent"),
        left={
            "alks": stops("vehicle_absent"),
            "tracking": degraded("vehicle_absent"),
            "horizon": degraded("lacks vehicle"),
            "country": degraded("lacks vehicle"),
            "aeb": absent("vehicle_absent"),
            "lane_departure": absent("vehicle_absent"),
            "lane_centring": absent("vehicle_absent"),
            "lane_change": degraded("lacks vehicle"),
            "side_wind": absent("vehicle_absent"),
            "drowsiness": absent("vehicle_absent"),
            "distraction": absent("vehicle_absent"),
            "isa": absent("vehicle_absent"),
            "dcas": absent("vehicle_absent"),
            "elks": absent("vehicle_absent"),
            "headway": absent("vehicle_absent"),
            "arbiter": degraded("lacks vehicle"),
            "envelope": ramp("vehicle_absent"),
            "headlamps": degraded("vehicle_absent"),
            "signal_lamps": degraded("vehicle_absent"),
        },
        alerts=(
            "aeb_unavailable",
            "alks_stopping",
            "dcas_fault",
            "isa_fault",
            "lane_centring_ended",
        ),
    ),
    Fault(
        names=("driver_input lost", "driver_input stale"),
        what="no value comes any more, or the last one again and again with its old stamp",
        left={
            "alks": demands("driver_input_absent"),
            "lane_departure": degraded("driver_input_absent"),
            "lane_centring": absent("driver_input_absent"),
            "lane_change": degraded("lacks driver"),
            "dcas": absent("driver_input_absent"),
            "headlamps": degraded("lacks driver"),
            "signal_lamps": degraded("lacks driver"),
        },
        alerts=("alks_take_over", "alks_take_over_now", "dcas_fault", "dcas_hand_back", "lane_centring_ended"),
    ),
    Fault(
        names=("body lost", "body stale"),
        what="no value comes any more, or the last one again and again with its old stamp",
        left={
            "alks": demands("body_absent"),
            "dcas": absent("body_absent"),
            "headlamps": absent("light_unknown", "degraded"),
            "signal_lamps": degraded("lacks body"),
        },
        alerts=("alks_take_over", "alks_take_over_now", "dcas_fault", "dcas_hand_back", "headlamps_fault"),
    ),
    Fault(
        names=("camera_front lost", "camera_front stale"),
        what="no value comes any more, or the last one again and again with its old stamp",
        left={
            "alks": stops("lane_lost"),
            "lane_perception": absent("no camera picture", "degraded"),
            "ego_lane": absent("lanes_absent", ""),
            "lane_departure": absent("lanes_absent"),
            "lane_centring": absent("lane_unfit", ""),
            "dcas": absent("safety_system_fault"),
            "elks": absent("lane_unfit", ""),
        },
        alerts=(
            "alks_stopping",
            "dcas_ended",
            "dcas_fault",
            "dcas_hand_back",
            "lane_centring_boundary",
            "lane_centring_ended",
        ),
    ),
    Fault(
        names=("radar lost", "radar stale"),
        what="no value comes any more, or the last one again and again; the supplier alone is left",
        left={
            "alks": demands("sensor_lost"),
            "tracking": degraded("radar_lost"),
        },
        alerts=("alks_take_over", "alks_take_over_now"),
    ),
    Fault(
        names=("pose_fix lost", "pose_fix stale"),
        what="no value comes any more, or the last one again and again with its old stamp",
        left={
            "horizon": degraded("lacks fix"),
        },
    ),
    Fault(
        names=("sign_camera lost", "sign_camera stale"),
        what="no value comes any more, or the last one again and again with its old stamp",
    ),
    Fault(
        names=("map_supplier lost", "map_supplier stale"),
        what="no value comes any more, or the last one again and again with its old stamp",
        left={
            "alks": demands("map_lost"),
            "horizon": absent("no map is given and none supplied", ""),
        },
        alerts=("alks_take_over",),
    ),
    Fault(
        names=("object_supplier lost", "object_supplier stale"),
        what="no value comes any more, or the last one again and again with its old stamp",
        left={
            "alks": demands("sensor_lost"),
            "tracking": degraded("supplier_lost"),
            "aeb": absent("supplier_lost", "degraded"),
        },
        alerts=("aeb_unavailable", "alks_take_over", "alks_take_over_now"),
    ),
    Fault(
        names=("driver_camera lost", "driver_camera stale"),
        what="no value comes any more, or the last one again and again with its old stamp",
        left={
            "alks": demands("driver_monitoring_lost"),
            "distraction": absent("driver_camera_absent"),
            "dcas": absent("driver_monitoring_lost"),
        },
        alerts=("alks_take_over", "dcas_fault", "dcas_hand_back"),
    ),
    Fault(
        names=("vehicle_state implausible",),
        what="90 m/s from one message to the next, and from then on",
        gate=Left(mode=Mode.RAMP, why="speed_jump"),
        left={
            "envelope": ramp("speed_jump"),
            "aeb": absent("speed_out_of_range", ""),
            "lane_centring": absent("speed_outside_range", ""),
            "dcas": absent("speed_high", ""),
            "elks": absent("speed_outside_range", ""),
        },
        alerts=(
            "alks_emergency",
            "dcas_ended",
            "dcas_hand_back",
            "dcas_over_limit",
            "headway_short",
            "lane_centring_ended",
        ),
    ),
    Fault(
        names=("driver_input implausible",),
        what="every button stuck as pressed: an edge is a press, whoever made it",
        left={
            "lane_centring": absent("switched_off", ""),
            "dcas": absent("switched_off", ""),
        },
        alerts=("dcas_off",),
    ),
    Fault(
        names=("body implausible",),
        what="tells nothing",
        left={
            "alks": demands("driver_seat", ""),
            "dcas": absent("driver_seat", ""),
            "headlamps": absent("light_unknown", "degraded"),
        },
        alerts=("alks_take_over", "alks_take_over_now", "dcas_ended", "dcas_hand_back", "headlamps_fault"),
    ),
    Fault(
        names=("camera_front implausible",),
        what="pictures cut short",
        left={
            "alks": stops("lane_lost"),
            "lane_perception": absent("picture cannot be decoded as jpeg", "degraded"),
            "ego_lane": absent("no_marking", ""),
            "lane_departure": absent("no_marking", "degraded"),
            "lane_centring": absent("lane_unfit", ""),
            "dcas": absent("lane_lost", ""),
            "elks": absent("lane_unfit", ""),
        },
        alerts=("alks_stopping", "dcas_ended", "dcas_hand_back", "lane_centring_boundary", "lane_centring_ended"),
    ),
    Fault(
        names=("radar implausible",),
        what="nothing to tell; what it saw is followed on for a moment",
    ),
    Fault(
        names=("pose_fix implausible",),
        what="no fix, somewhere else",
    ),
    Fault(
        names=("sign_camera implausible",),
        what="3.6 km/h on a motorway, with little confidence",
    ),
    Fault(
        names=("map_supplier implausible",),
        what="not matched to the road",
        left={
            "alks": demands("map_lost"),
            "horizon": absent("no map is given and none supplied", ""),
        },
        alerts=("alks_take_over",),
    ),
    Fault(
        names=("object_supplier implausible",),
        what="positions known to 400 m, without confidence",
        left={
            "aeb": absent("watching", ""),
        },
    ),
    Fault(
        names=("driver_camera implausible",),
        what="covered",
        left={
            "alks": demands("driver_monitoring_lost"),
            "distraction": absent("driver_camera_covered"),
            "dcas": absent("driver_monitoring_lost"),
        },
        alerts=("alks_take_over", "dcas_fault", "dcas_hand_back"),
    ),
    Fault(
        names=("vehicle_state not a number",),
        what="past the border of a process, which refuses it: there it is lost",
        gate=Left(mode=Mode.RAMP, why="vehicle_not_finite"),
        left={
            "alks": stops("vehicle_absent"),
            "tracking": degraded("vehicle_absent"),
            "aeb": absent("vehicle_absent"),
            "lane_departure": absent("vehicle_absent"),
            "lane_centring": absent("vehicle_absent"),
            "side_wind": absent("vehicle_absent"),
            "drowsiness": absent("vehicle_absent"),
            "distraction": absent("vehicle_absent"),
            "isa": absent("vehicle_absent"),
            "dcas": absent("vehicle_absent"),
            "elks": absent("vehicle_absent"),
            "headway": absent("vehicle_absent"),
            "envelope": ramp("vehicle_not_finite"),
            "headlamps": degraded("vehicle_absent"),
            "signal_lamps": degraded("vehicle_absent"),
        },
        alerts=(
            "aeb_unavailable",
            "alks_stopping",
            "dcas_fault",
            "isa_fault",
            "lane_centring_ended",
        ),
    ),
    Fault(
        names=("steering unavailable",),
        what="the vehicle says so",
        gate=Left(mode=Mode.WARNS, why="steering_unavailable"),
        left={
            "alks": stops("steering_unavailable"),
            "lane_centring": warns("centring"),
            "dcas": degraded("activated", ""),
            "envelope": degraded("steering_unavailable"),
        },
        alerts=("alks_stopping",),
    ),
    Fault(
        names=("brakes unavailable",),
        what="the vehicle says so",
        gate=Left(mode=Mode.WARNS, why="brakes_unavailable"),
        left={
            "alks": stops("brakes_unavailable"),
            "aeb": warns("collision_imminent"),
            "dcas": degraded("activated", ""),
            "envelope": degraded("brakes_unavailable"),
        },
        alerts=("alks_stopping",),
    ),
    Fault(
        names=("perception lost",),
        what="the process dies",
        left={
            "alks": stops("lane_lost"),
            "lane_perception": GONE,
            "ego_lane": absent("lanes_absent", ""),
            "lane_departure": absent("lanes_absent"),
            "lane_centring": absent("lane_unfit", ""),
            "dcas": absent("safety_system_fault"),
            "elks": absent("lane_unfit", ""),
        },
        alerts=(
            "alks_stopping",
            "dcas_ended",
            "dcas_fault",
            "dcas_hand_back",
            "lane_centring_boundary",
            "lane_centring_ended",
        ),
    ),
    Fault(
        names=("decision lost",),
        what="the process dies",
        gate=Left(mode=Mode.RAMP, why="demand_absent"),
        left={
            "alks": GONE,
            "tracking": GONE,
            "horizon": GONE,
            "country": GONE,
            "ego_lane": GONE,
            "aeb": GONE,
            "lane_departure": GONE,
            "lane_centring": GONE,
            "lane_change": GONE,
            "side_wind": GONE,
            "drowsiness": GONE,
            "distraction": GONE,
            "isa": GONE,
            "dcas": GONE,
            "elks": GONE,
            "headway": GONE,
            "arbiter": GONE,
            "envelope": ramp("demand_absent"),
            "headlamps": GONE,
            "signal_lamps": GONE,
        },
    ),
    Fault(
        names=("guard lost",),
        what="the process dies; the supervisor tells, and starts it again within 0.1 s",
        gate=Left(mode=Mode.GONE, why=""),
        left={
            "envelope": GONE,
            "signal_lamps": degraded("lacks command"),
            "health": GONE,
        },
    ),
    Fault(
        names=("clock ahead",),
        what="by an hour, in every process",
        gate=Left(mode=Mode.RAMP, why="time_gap"),
        left={
            "alks": demands("time_jumped", ""),
            "dcas": absent("available", ""),
            "envelope": ramp("time_gap"),
        },
        alerts=("aeb_unavailable", "alks_take_over", "alks_take_over_now", "dcas_ended", "dcas_hand_back"),
    ),
    Fault(
        names=("clock back",),
        what="by an hour, in every process",
        gate=Left(mode=Mode.RAMP, why="time_gap"),
        left={
            "alks": demands("time_jumped", ""),
            "lane_centring": absent("switched_off", ""),
            "dcas": absent("available", ""),
        },
        alerts=("alks_take_over", "alks_take_over_now", "dcas_ended", "dcas_hand_back", "lane_centring_ended"),
    ),
    Fault(
        names=("counter frozen",),
        what="the arbiter's number stands still",
        gate=Left(mode=Mode.RAMP, why="demand_frozen"),
        left={
            "envelope": ramp("demand_frozen"),
        },
    ),
    breaks(
        "lane_perception",
        left={
            "alks": stops("lane_lost"),
            "ego_lane": absent("lanes_absent", ""),
            "lane_departure": absent("lanes_absent"),
            "lane_centring": absent("lane_unfit", ""),
            "dcas": absent("safety_system_fault"),
            "elks": absent("lane_unfit", ""),
        },
        alerts=(
            "alks_stopping",
            "dcas_ended",
            "dcas_fault",
            "dcas_hand_back",
            "lane_centring_boundary",
            "lane_centring_ended",
        ),
    ),
    breaks("horizon"),
    breaks("country"),
    breaks(
        "ego_lane",
        left={
            "alks": stops("lane_lost"),
            "lane_centring": absent("lane_absent"),
            "lane_change": degraded("lacks lane"),
            "dcas": absent("lane_absent"),
            "elks": absent("lane_absent"),
        },
        alerts=("alks_stopping", "dcas_fault", "dcas_hand_back", "lane_centring_boundary", "lane_centring_ended"),
    ),
    breaks(
        "tracking",
        left={
            "aeb": absent("objects_absent", "degraded"),
            "dcas": absent("objects_absent"),
            "alks": stops("objects_absent"),
            "headway": absent("objects_absent", ""),
        },
        alerts=("aeb_unavailable", "alks_stopping", "dcas_fault", "dcas_hand_back"),
    ),
    breaks("alks"),
    breaks("aeb"),
    breaks(
        "lane_departure",
        left={
            "dcas": absent("safety_system_fault"),
        },
        alerts=("dcas_fault", "dcas_hand_back"),
    ),
    breaks("lane_centring"),
    breaks("lane_change"),
    breaks("side_wind"),
    breaks("drowsiness"),
    breaks("distraction"),
    breaks("isa"),
    breaks("dcas"),
    breaks("elks"),
    breaks("headway"),
    breaks(
        "arbiter",
        gate=Left(mode=Mode.RAMP, why="demand_absent"),
        left={
            "envelope": ramp("demand_absent"),
        },
    ),
    breaks(
        "envelope",
        gate=Left(mode=Mode.GONE, why=""),
        left={
            "signal_lamps": degraded("lacks command"),
        },
    ),
    breaks("headlamps"),
    breaks("signal_lamps"),
    breaks("health"),
)
