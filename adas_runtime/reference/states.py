"""The state machines: every table of transitions that a function follows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adas_runtime.aeb import states as aeb
from adas_runtime.alks import side as alks_side
from adas_runtime.alks import states as alks
from adas_runtime.dcas import change, engagement, headway, modes, override
from adas_runtime.driver_monitoring import distraction_states, drowsiness_states
from adas_runtime.isa import feedback as isa
from adas_runtime.lane_keeping import (
    centring_states,
    change_states,
    correction_states,
    corridor,
    lane_states,
    side_wind_states,
)
from adas_runtime.lane_keeping import states as lane_departure
from adas_runtime.lighting import headlamp_states, signal_states
from adas_runtime.longitudinal import following
from adas_runtime.perception.tracking import states as tracking
from adas_runtime.reference.text import code, generated, table
from adas_runtime.transitions import Table

HEAD = """# State machines

A function with states follows one table. The rows are tried from the top and the first whose guard holds fires: the
order is the priority, faults first. The reason code travels in the function's status, the log and the report.
`[D]` marks a choice of this design; a clause such as `R130 5.2.1` names the rule behind the row, `ELKS K10` a line of
the lane-keeping sheet. `[NF]` and `[U]` mark a figure or a rule of a legal text that nobody here has read.
"""

MACHINES: tuple[tuple[str, str, Table[Any, Any], Mapping[str, str]], ...] = (
    ("Lane departure warning", "lane_keeping/states.py", lane_departure.TRANSITIONS, lane_departure.REASONS),
    (
        "Emergency lane keeping, correction",
        "lane_keeping/correction_states.py",
        correction_states.TRANSITIONS,
        correction_states.REASONS,
    ),
    ("Lane centring", "lane_keeping/centring_states.py", centring_states.TRANSITIONS, centring_states.REASONS),
    ("Automatic lane change", "lane_keeping/change_states.py", change_states.TRANSITIONS, change_states.REASONS),
    ("Emergency braking", "aeb/states.py", aeb.TRANSITIONS, aeb.REASONS),
    ("Automated lane keeping", "alks/states.py", alks.TRANSITIONS, alks.REASONS),
    ("Automated lane keeping: emergency manoeuvre", "alks/states.py", alks.EMERGENCIES, {}),
    ("Automated lane keeping: lane change of the stop", "alks/side.py", alks_side.TRANSITIONS, alks_side.REASONS),
    ("Side wind", "lane_keeping/side_wind_states.py", side_wind_states.TRANSITIONS, side_wind_states.REASONS),
    ("Ego lane", "lane_keeping/lane_states.py", lane_states.TRANSITIONS, lane_states.REASONS),
    ("Tracking", "perception/tracking/states.py", tracking.TRANSITIONS, tracking.REASONS),
    ("Emergency corridor", "lane_keeping/corridor.py", corridor.TRANSITIONS, corridor.REASONS),
    ("Driver control assistance: mode", "dcas/modes.py", modes.TRANSITIONS, modes.REASONS),
    ("Driver control assistance: hands", "dcas/engagement.py", engagement.HANDS, engagement.REASONS),
    ("Driver control assistance: eyes", "dcas/engagement.py", engagement.EYES, engagement.REASONS),
    ("Driver control assistance: alarms", "dcas/engagement.py", engagement.ALARM, engagement.REASONS),
    ("Driver control assistance: who steers", "dcas/override.py", override.LATERAL, override.REASONS),
    ("Driver control assistance: who controls the speed", "dcas/override.py", override.LONGITUDINAL, override.REASONS),
    ("Driver control assistance: lane change", "dcas/change.py", change.TRANSITIONS, change.REASONS),
    ("Following the car ahead", "longitudinal/following.py", following.TRANSITIONS, following.REASONS),
    ("Distance warning", "dcas/headway.py", headway.TRANSITIONS, headway.REASONS),
    (
        "Drowsiness",
        "driver_monitoring/drowsiness_states.py",
        drowsiness_states.TRANSITIONS,
        drowsiness_states.REASONS,
    ),
    (
        "Distraction",
        "driver_monitoring/distraction_states.py",
        distraction_states.TRANSITIONS,
        distraction_states.REASONS,
    ),
    ("Headlamps", "lighting/headlamp_states.py", headlamp_states.TRANSITIONS, headlamp_states.REASONS),
    ("Signal lamps", "lighting/signal_states.py", signal_states.TRANSITIONS, signal_states.REASONS),
    ("Intelligent speed assistance", "isa/feedback.py", isa.TRANSITIONS, isa.REASONS),
)


def page() -> str:
    """The whole page."""
    parts = [generated("the tables of transitions"), HEAD]
    for title, source, machine, reasons in MACHINES:
        parts.append(f"## {title}\n\nFrom `adas_runtime/{source}`.\n")
        parts.append(machine.markdown())
        parts.append("Reason codes:\n")
        parts.append(table(("code", "meaning"), [(code(name), text) for name, text in reasons.items()]))
    return "\n".join(parts)
