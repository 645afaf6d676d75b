"""States of tracking and the table of their transitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.transitions import ANY, Table, Transition


class State(Enum):
    """What the road users rest on; the status carries the value."""

    STANDBY = "standby"
    BLIND = "blind"
    SUPPLIER = "supplier"
    RADAR = "radar"
    FUSED = "fused"


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        has_supplier, has_radar: Its messages come.
        lost: Reason code of a sensor that came and is silent, `""`: none.
        fault: What is wrong with what comes, `""`: nothing.
    """

    has_supplier: bool
    has_radar: bool
    lost: str
    fault: str


def _detail(usual: str) -> Callable[[View], str]:
    return lambda view: view.fault or view.lost or usual


TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (  # first match wins
        Transition(
            ANY,
            State.FUSED,
            lambda v: v.has_supplier and v.has_radar,
            "radar_and_supplier",
            "[D]",
            _detail("radar_and_supplier"),
        ),
        Transition(ANY, State.SUPPLIER, lambda v: v.has_supplier, "supplier_alone", "[D]", _detail("supplier_alone")),
        Transition(ANY, State.RADAR, lambda v: v.has_radar, "radar_alone", "[D]", _detail("radar_alone")),
        Transition(ANY, State.BLIND, lambda v: bool(v.lost), "sensors_lost", "[D]"),
        Transition(ANY, State.STANDBY, lambda v: True, "no_sensor", "[D]"),
    ),
)

REASONS: Final = {
    "radar_and_supplier": "Radar and supplier are there; who is seen by both carries both.",
    "supplier_alone": "The supplier's objects pass through.",
    "radar_alone": "Road users come from the radar alone.",
    "sensors_lost": "Every sensor that was there is silent: nobody is told of.",
    "no_sensor": "Neither radar nor supplier was ever heard; it rests.",
    "radar_lost": "The radar was there and is silent.",
    "supplier_lost": "The supplier was there and is silent.",
    "vehicle_absent": "Without the car's own speed the radar's objects cannot be followed, and nobody is carried on.",
    "radar_invalid": "The radar tells numbers that are none; those returns are left out.",
    "supplier_invalid": "The supplier tells numbers that are none, or one object twice; those are left out.",
    "radar_flood": "More returns than one message may hold; the first count.",
    "supplier_flood": "More objects than one message may hold; the nearest count.",
    "time_ran_back": "The clock ran back; everything starts afresh.",
}
