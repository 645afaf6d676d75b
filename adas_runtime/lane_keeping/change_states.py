"""States of the automatic lane change and the table of their transitions (UN R79 5.6.4)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """How far a lane change has come; the status carries the value, and the instrument shows it (R79 5.6.4.5)."""

    __hash__ = object.__hash__  # members are looked up in every step, and Enum hashes their names in Python

    OFF = "off"
    FAULT = "fault"
    WAITING = "waiting"
    STANDBY = "standby"
    PROCEDURE = "procedure"
    APPROACH = "approach"
    MANOEUVRE = "manoeuvre"
    SETTLE = "settle"
    RESUME = "resume"
    RETURN = "return"
    SUPPRESSED = "suppressed"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        is_on: The driver switched it on in this run cycle, and the road is one for it.
        off: Why it is not on.
        failure: Input that is absent for longer than a short dropout, or the lane lost on the way; `""` without.
        ended: What takes the steering away at once: the driver, lane centring off, assistance; `""` without.
        is_seeing: Traffic was seen beyond the range of rear sensing since the start, and nothing says that it is blind.
        is_command: The driver set the indicator, with lane centring active.
        blocked: What speaks against it, `""` nothing.
        is_cancelled: The driver took the indicator back.
        is_late: A time window of the law cannot be met any more.
        is_due: It is time to move to the side, with hands on the wheel and, where needed, the second action done.
        is_gap: The situation is not critical when the tyre will be at the marking.
        is_beside: Somebody is beside the car, and its middle is not across yet.
        is_at_line: The front tyre touches the marking.
        is_across: Front and rear wheels are fully across.
        is_too_long: The manoeuvre lasted longer than the law allows.
        is_settled: The car keeps the new lane.
        is_resumed: Lane centring steers again, and the indicator is off.
        is_back: The car is back in the middle of its lane.
        is_told: The driver was told for long enough.
    """

    is_on: bool
    off: str
    failure: str
    ended: str
    is_seeing: bool
    is_command: bool
    blocked: str
    is_cancelled: bool
    is_late: bool
    is_due: bool
    is_gap: bool
    is_beside: bool
    is_at_line: bool
    is_across: bool
    is_too_long: bool
    is_settled: bool
    is_resumed: bool
    is_back: bool
    is_told: bool


BEFORE: Final = (State.PROCEDURE, State.APPROACH)  # the manoeuvre has not started: it may be suppressed
STEERING: Final = (*BEFORE, State.MANOEUVRE, State.SETTLE, State.RETURN)  # in place of lane centring
MOVING: Final = frozenset({State.APPROACH, State.MANOEUVRE, State.SETTLE, State.RETURN})
INDICATING: Final = frozenset({*BEFORE, State.MANOEUVRE, State.SETTLE, State.RESUME})
READY: Final = (State.WAITING, State.STANDBY)

TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins: order is priority
        Transition(
            ANY,
            State.OFF,
            lambda v: not v.is_on,
            "switched_off, road_not_proven, run_cycle",
            "R79 5.6.4.2.1, 5.6.4.2.3",
            lambda v: v.off,
        ),
        Transition(
            (*STEERING, State.RESUME),
            State.SUPPRESSED,
            lambda v: bool(v.ended),
            "driver_steers, centring_off, assistance_steers",
            "R79 5.6.4.3, 5.6.4.6.8.1",
            lambda v: v.ended,
        ),
        Transition(
            ANY,
            State.FAULT,
            lambda v: bool(v.failure),
            "vehicle_absent, driver_input_absent, objects_absent, lane_lost, lane_absent",
            "R79 5.6.4.5.5",
            lambda v: v.failure,
        ),
        Transition((State.FAULT,), State.WAITING, lambda v: not v.is_seeing, "nothing_seen_behind", "R79 5.6.4.8.3"),
        Transition((State.FAULT,), State.STANDBY, lambda v: True, "ready", "[D]"),
        Transition((State.OFF,), State.WAITING, lambda v: True, "switched_on", "R79 5.6.4.2.3"),
        Transition(
            READY,
            State.SUPPRESSED,
            lambda v: v.is_command and bool(v.blocked),
            "what speaks against it",
            "R79 5.6.4.6.8.1, 5.6.4.8.4",
            lambda v: v.blocked,
        ),
        Transition((State.STANDBY,), State.PROCEDURE, lambda v: v.is_command, "driver_starts", "R79 5.6.4.6.1 to 3"),
        Transition((State.WAITING,), State.STANDBY, lambda v: v.is_seeing, "ready", "R79 5.6.4.8.3"),
        Transition((State.STANDBY,), State.WAITING, lambda v: not v.is_seeing, "rear_blind", "R79 5.6.4.8.4"),
        Transition((State.PROCEDURE,), State.SUPPRESSED, lambda v: v.is_cancelled, "driver_cancels", "R79 5.6.4.6.8.1"),
        Transition(
            (State.PROCEDURE,),
            State.SUPPRESSED,
            lambda v: bool(v.blocked),
            "what speaks against it",
            "R79 5.6.4.6.8.1",
            lambda v: v.blocked,
        ),
        Transition(
            (State.PROCEDURE,), State.SUPPRESSED, lambda v: v.is_late, "not_in_time", "R79 5.6.4.6.4, 5.6.4.6.8.1"
        ),
        Transition(
            (State.PROCEDURE,),
            State.APPROACH,
            lambda v: v.is_due and v.is_gap,
            "gap_free",
            "R79 5.6.4.6.4, 5.6.4.7",
        ),
        Transition((State.APPROACH,), State.RETURN, lambda v: v.is_cancelled, "driver_cancels", "R79 5.6.4.6.8.1"),
        Transition(
            (State.APPROACH,),
            State.RETURN,
            lambda v: bool(v.blocked),
            "what speaks against it",
            "R79 5.6.4.6.8.1",
            lambda v: v.blocked,
        ),
        Transition((State.APPROACH,), State.RETURN, lambda v: not v.is_gap, "critical", "R79 5.6.4.7, 5.6.4.6.8.1"),
        Transition((State.APPROACH,), State.RETURN, lambda v: v.is_late, "not_in_time", "R79 5.6.4.6.4"),
        Transition((State.APPROACH,), State.MANOEUVRE, lambda v: v.is_at_line, "at_the_line", "R79 2.4.17"),
        Transition((State.MANOEUVRE,), State.RETURN, lambda v: v.is_beside, "beside", "[D]"),
        Transition((State.MANOEUVRE,), State.SETTLE, lambda v: v.is_across, "all_wheels_across", "R79 2.4.17"),
        Transition(
            (State.MANOEUVRE,), State.SETTLE, lambda v: v.is_too_long, "manoeuvre_too_long", "R79 5.6.4.6.5, 5.6.4.5.5"
        ),
        Transition((State.SETTLE,), State.RESUME, lambda v: v.is_settled, "lane_reached", "R79 5.6.4.6.6"),
        Transition((State.RESUME,), State.STANDBY, lambda v: v.is_resumed, "lane_changed", "R79 5.6.4.6.7"),
        Transition((State.RETURN,), State.SUPPRESSED, lambda v: v.is_back, "back_in_lane", "R79 5.6.4.6.8"),
        Transition(
            (State.SUPPRESSED,), State.WAITING, lambda v: v.is_told and not v.is_seeing, "told", "R79 5.6.4.5.4"
        ),
        Transition((State.SUPPRESSED,), State.STANDBY, lambda v: v.is_told, "told", "R79 5.6.4.5.4"),
    ),
)

BLOCKED: Final = {
    "hands_off": "Hands are off the wheel.",
    "speed_low": "Too slow: a fast vehicle from behind would not be seen in time.",
    "no_edge": "The marking on that side is not seen.",
    "marking": "The marking may not be crossed.",
    "oncoming": "The other lane may be for oncoming traffic, or is not known.",
    "lane_unfit": "The lane is not seen well enough to steer by.",
    "works": "Road works.",
    "curve": "The curve leaves no lateral acceleration for it.",
    "beside": "Somebody is beside the car.",
    "no_rear_sensing": "Nothing tells of the traffic behind, or not far enough.",
    "nothing_seen_behind": "Since the start nobody was seen beyond the range of rear sensing: it may be blind.",
    "rear_blind": "Vehicles came up from behind without having been seen: rear sensing is blind.",
    "trailer": "A trailer is coupled.",
    "stability_control": "Stability control intervenes.",
    "emergency_braking": "Emergency braking is at work.",
    "road_lost": "The road is not proven to be one for it any more.",
}
DRIVER_CAUSED: Final = frozenset({"driver_cancels", "driver_steers", "centring_off", "assistance_steers"})  # 5.6.4.5.4
REASONS: Final = {
    "switched_off": "The driver has it off; so it is at every start.",
    "run_cycle": "A new start of the car: off until the driver switches it on.",
    "road_not_proven": "Map and camera or signs do not both say: divided road, no cyclists, no pedestrians.",
    "switched_on": "The driver switched it on.",
    "ready": "Ready: the indicator begins a lane change while lane centring is active.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
    "driver_steers": "The driver steers.",
    "centring_off": "Lane centring was switched off or ended.",
    "assistance_steers": "Driver control assistance or automated lane keeping steers.",
    "vehicle_absent": "The vehicle's state is missing or too old.",
    "driver_input_absent": "Buttons and stalks are not known.",
    "objects_absent": "Nothing tells of other road users.",
    "lane_absent": "There is no lane estimate: camera or perception is gone.",
    "lane_lost": "The lane was lost on the way.",
    "driver_starts": "The driver's indicator started it; it keeps the lane until there is a gap.",
    "driver_cancels": "The driver took the indicator back.",
    "not_in_time": "No gap, or no second action, in the time that the law allows.",
    "gap_free": "The gap is free: the car moves to the side.",
    "critical": "The vehicle behind came too near: back into the lane.",
    "at_the_line": "The front tyre is at the marking.",
    "all_wheels_across": "All wheels are across.",
    "manoeuvre_too_long": "It took longer than the law allows.",
    "lane_reached": "The new lane is reached; lane centring goes on.",
    "lane_changed": "Lane centring steers in the new lane.",
    "back_in_lane": "The car is back in the middle of its lane.",
    "told": "The driver was told of it.",
    **BLOCKED,
}
