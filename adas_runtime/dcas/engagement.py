"""Is the driver with it: hands and eyes, two chains of warnings side by side, one end (UN R171 5.5.4.2).

Hands chain: hands off, hands-on request (HOR), escalated. Eyes chain: eyes away, eyes-on request (EOR), escalated. The
first escalation that nobody answers starts the clock to the direct control alert (DCA) and to the driver unavailability
response (DUR). Unknown hands and unknown eyes never count as engaged.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import inf
from typing import Final

from adas_runtime.dcas.params import EYES_OFF_LATEST_S, EngagementParams
from adas_runtime.function import EPS_S
from adas_runtime.gaze import Sight
from adas_runtime.records import maker
from adas_runtime.signals import EngagementStage
from adas_runtime.transitions import Table, Transition
from adas_runtime.units import kmh_to_mps


class Hands(Enum):
    """Hands chain."""

    __hash__ = object.__hash__  # members are looked up in every step, and Enum hashes their names in Python

    ON = "hands_on"
    OFF = "hands_off"
    REQUESTED = "hands_requested"
    ESCALATED = "hands_escalated"


class Eyes(Enum):
    """Eyes chain."""

    __hash__ = object.__hash__  # members are looked up in every step, and Enum hashes their names in Python

    ON = "eyes_on"
    AWAY = "eyes_away"
    REQUESTED = "eyes_requested"
    ESCALATED = "eyes_escalated"


class Alarm(Enum):
    """What follows when escalations stay without an answer."""

    __hash__ = object.__hash__  # members are looked up in every step, and Enum hashes their names in Python

    NONE = "none"
    TAKE_OVER = "take_over"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class HandsView:
    """What the guards of the hands chain see.

    Args:
        is_on: A hand is on the wheel, for sure.
        is_due: Hands off for so long that the request is due, above the speed gate.
        is_escalation_due: The request stood for so long.
    """

    is_on: bool
    is_due: bool
    is_escalation_due: bool


@dataclass(frozen=True, slots=True)
class EyesView:
    """What the guards of the eyes chain see.

    Args:
        is_away: The eyes are off all that the task needs, for sure.
        is_back: They have been back for so long that they count as back.
        is_due: Away for so long that the request is due, above the speed gate.
        is_escalation_due: The request stood for so long.
    """

    is_away: bool
    is_back: bool
    is_due: bool
    is_escalation_due: bool


@dataclass(frozen=True, slots=True)
class AlarmView:
    """What the guards of the alarm see.

    Args:
        is_taken_over: The driver steers without assistance, or overrides in another clear way.
        is_answered: The alarm came from the hands alone, and a hand is on the wheel again.
        is_take_over_due: The first unanswered escalation is so old that the direct control alert is due.
        is_unavailable_due: The same for the unavailability response.
    """

    is_taken_over: bool
    is_answered: bool
    is_take_over_due: bool
    is_unavailable_due: bool


HANDS: Final[Table[Hands, HandsView]] = Table(
    Hands,
    (
        Transition(
            (Hands.OFF, Hands.REQUESTED, Hands.ESCALATED),
            Hands.ON,
            lambda v: v.is_on,
            "hand_on_wheel",
            "R171 5.5.4.2.4.1, 5.5.4.2.6.1.1",
        ),
        Transition((Hands.ON,), Hands.OFF, lambda v: not v.is_on, "hands_off", "R171 5.5.4.2.4.1"),
        Transition(
            (Hands.OFF,),
            Hands.REQUESTED,
            lambda v: v.is_due,
            "hands_on_request",
            "R171 5.5.4.2.3.1, 5.5.4.2.6.1.1",
        ),
        Transition(
            (Hands.REQUESTED,),
            Hands.ESCALATED,
            lambda v: v.is_escalation_due,
            "hands_on_escalated",
            "R171 5.5.4.2.6.1.2",
        ),
    ),
)
EYES: Final[Table[Eyes, EyesView]] = Table(
    Eyes,
    (
        Transition(
            (Eyes.AWAY, Eyes.REQUESTED, Eyes.ESCALATED),
            Eyes.ON,
            lambda v: v.is_back,
            "eyes_back",
            "R171 5.5.4.2.5.2.1, 5.5.4.2.6.2.1",
        ),
        Transition((Eyes.ON,), Eyes.AWAY, lambda v: v.is_away, "eyes_away", "R171 5.5.4.2.5.2"),
        Transition(
            (Eyes.AWAY,),
            Eyes.REQUESTED,
            lambda v: v.is_due,
            "eyes_on_request",
            "R171 5.5.4.2.3.2, 5.5.4.2.5.3, 5.5.4.2.6.2.1",
        ),
        Transition(
            (Eyes.REQUESTED,),
            Eyes.ESCALATED,
            lambda v: v.is_escalation_due,
            "eyes_on_escalated",
            "R171 5.5.4.2.6.2.2",
        ),
    ),
)
ALARM: Final[Table[Alarm, AlarmView]] = Table(
    Alarm,
    (
        Transition(
            (Alarm.TAKE_OVER, Alarm.UNAVAILABLE),
            Alarm.NONE,
            lambda v: v.is_taken_over,
            "driver_took_over",
            "R171 5.5.4.2.6.3.1, 5.5.4.2.6.4.1",
        ),
        Transition(
            (Alarm.TAKE_OVER,),
            Alarm.NONE,
            lambda v: v.is_answered,
            "hand_on_wheel",
            "[D] the alert that R171 does not ask for on the hands path",
        ),
        Transition(
            (Alarm.NONE, Alarm.TAKE_OVER),
            Alarm.UNAVAILABLE,
            lambda v: v.is_unavailable_due,
            "driver_unavailable",
            "R171 5.5.4.2.6.4.1",
        ),
        Transition(
            (Alarm.NONE,),
            Alarm.TAKE_OVER,
            lambda v: v.is_take_over_due,
            "take_over",
            "R171 5.5.4.2.3.3, 5.5.4.2.6.3.1; R79 5.1.6.3.2",
        ),
    ),
)
REASONS: Final = {
    "hand_on_wheel": "A hand is on the wheel.",
    "hands_off": "No hand is on the wheel, or nothing tells of one.",
    "hands_on_request": "Hands off for too long: hands-on request (HOR).",
    "hands_on_escalated": "The hands-on request stays without an answer.",
    "eyes_back": "The eyes are back on the task for long enough.",
    "eyes_away": "The eyes are off everything that the task needs.",
    "eyes_on_request": "Eyes away for too long, or again and again: eyes-on request (EOR).",
    "eyes_on_escalated": "The eyes-on request stays without an answer.",
    "take_over": "Direct control alert (DCA): the driver has to steer.",
    "driver_took_over": "The driver has taken over.",
    "driver_unavailable": "Driver unavailability response (DUR): the risk mitigation function stops the car.",
}


@dataclass(frozen=True, slots=True)
class Engagement:
    """All that is kept; the default is a driver who was just found engaged.

    Args:
        hands, eyes, alarm: The three states.
        hands_off_s: Since when the hands are off.
        hands_s: Since when the hands chain is in its state.
        eyes_off_s: Since when the eyes are away.
        eyes_s: Since when the eyes chain is in its state.
        relevant_s: Since when the gaze is back without a break, `None` while it is not.
        first_s: Start of the clock to the alarms: the earliest unanswered escalation.
        by_eyes: The direct control alert stands on the eyes chain too, so only steering ends it.
        aversions: Ends of the looks away that still count.
        reason: What happened last.
    """

    hands: Hands = Hands.ON
    eyes: Eyes = Eyes.ON
    alarm: Alarm = Alarm.NONE
    hands_off_s: float | None = None
    hands_s: float = 0.0
    eyes_off_s: float | None = None
    eyes_s: float = 0.0
    relevant_s: float | None = None
    first_s: float | None = None
    by_eyes: bool = False
    aversions: tuple[float, ...] = ()
    reason: str = "hand_on_wheel"

    @property
    def stage(self) -> EngagementStage:
        """What the driver is asked for, the most urgent."""
        if self.alarm is not Alarm.NONE:
            return EngagementStage.UNAVAILABLE if self.alarm is Alarm.UNAVAILABLE else EngagementStage.TAKE_OVER
        if self.eyes is Eyes.ESCALATED:
            return EngagementStage.EYES_ON_ESCALATED
        if self.eyes is Eyes.REQUESTED:
            return EngagementStage.EYES_ON
        if self.hands is Hands.ESCALATED:
            return EngagementStage.HANDS_ON_ESCALATED
        return EngagementStage.HANDS_ON if self.hands is Hands.REQUESTED else EngagementStage.NONE

    @property
    def is_engaged(self) -> bool:
        """Hands on the wheel, eyes not away, no warning: what a manoeuvre needs (R171 5.3.7.2.1.1)."""
        return self.hands is Hands.ON and self.eyes is Eyes.ON and self.alarm is Alarm.NONE


make_engagement = maker(Engagement)
make_hands_view = maker(HandsView)
make_eyes_view = maker(EyesView)
make_alarm_view = maker(AlarmView)


class EngagementMonitor:
    """Steps the chains. Set-points lie below the legal maxima by more than a sensor's age and a step."""

    def __init__(self, params: EngagementParams, *, is_hands_off: bool = False) -> None:
        """`is_hands_off`: no hands-on request on motorways while the eyes are confirmed (see `DcasParams`)."""
        self._params = params
        self._is_hands_off = is_hands_off
        self._gate_mps = kmh_to_mps(params.gate_kmh)

    def step(
        self,
        old: Engagement,
        *,
        is_hands_on: bool,
        sight: Sight,
        speed_mps: float,
        is_taken_over: bool,
        now_s: float,
        is_motorway: bool = False,
    ) -> Engagement:
        """One step.

        Args:
            old: What was kept.
            is_hands_on: A hand is on the wheel for sure; unknown is false.
            sight: Where the driver looks.
            speed_mps: Speed, for the gate: only the first request of a chain waits for it.
            is_taken_over: The driver steers without assistance, or overrides in another clear way.
            now_s: Time.
            is_motorway: The map says so.
        """
        if (
            is_hands_on
            and sight is Sight.RELEVANT
            and old.hands is Hands.ON
            and old.eyes is Eyes.ON
            and old.alarm is Alarm.NONE
        ):
            return old if old.relevant_s is not None else self._seen(old, now_s)
        params = self._params
        is_fast = speed_mps > self._gate_mps
        reason = old.reason

        # eyes
        relevant_s = None
        if sight is Sight.RELEVANT:
            relevant_s = now_s if old.relevant_s is None else old.relevant_s
        aversions = old.aversions
        if aversions and now_s - aversions[0] > params.aversion_window_s:
            aversions = tuple(at_s for at_s in aversions if now_s - at_s <= params.aversion_window_s)
        is_repeated = len(aversions) >= params.aversions_max
        reengage_s = params.repeated_reengage_s if is_repeated else params.reengage_s
        request_s = params.repeated_request_s if is_repeated else params.eyes_request_s
        if sight is Sight.RELEVANT:
            request_s = max(
                request_s, EYES_OFF_LATEST_S
            )  # just coming back: no request into that, but by the law's time
        eyes, eyes_s, eyes_off_s = old.eyes, old.eyes_s, old.eyes_off_s
        away_s = 0.0 if eyes_off_s is None else now_s - eyes_off_s + EPS_S
        eyes_row = EYES.fire(
            eyes,
            make_eyes_view(
                is_away=sight is Sight.AWAY,
                is_back=relevant_s is not None and now_s - relevant_s + EPS_S >= reengage_s,
                is_due=is_fast and away_s >= request_s,
                is_escalation_due=now_s - eyes_s + EPS_S >= params.eyes_escalate_s,
            ),
        )
        if eyes_row is not None:
            if eyes_row.target is Eyes.AWAY:
                eyes_off_s = now_s
            elif eyes_row.target is Eyes.ON:
                if away_s >= params.aversion_min_s:
                    aversions = (*aversions[-9:], now_s)
                eyes_off_s = None
            eyes, eyes_s, reason = eyes_row.target, now_s, eyes_row.reason

        # hands
        hands, hands_s, hands_off_s = old.hands, old.hands_s, old.hands_off_s
        off_s = 0.0 if hands_off_s is None else now_s - hands_off_s + EPS_S
        # the delay holds only while the eyes are confirmed: when they leave, the request is due at once
        is_confirmed = sight is Sight.RELEVANT and eyes is Eyes.ON
        wait_s = params.hands_request_eyes_on_s if is_confirmed else params.hands_request_s
        if self._is_hands_off and is_motorway and is_confirmed:
            wait_s = inf
        hands_row = HANDS.fire(
            hands,
            make_hands_view(
                is_on=is_hands_on,
                is_due=is_fast and off_s >= wait_s,
                is_escalation_due=now_s - hands_s + EPS_S >= params.hands_escalate_s,
            ),
        )
        if hands_row is not None:
            if hands_row.target is Hands.OFF:
                hands_off_s = now_s
            elif hands_row.target is Hands.ON:
                hands_off_s = None
            hands, hands_s, reason = hands_row.target, now_s, hands_row.reason

        # alarm: counts from the earliest escalation that stays without an answer
        alarm, first_s, by_eyes = old.alarm, old.first_s, old.by_eyes
        if alarm is Alarm.NONE:
            first_s, by_eyes = None, False
            if hands is Hands.ESCALATED:
                first_s = hands_s
            if eyes is Eyes.ESCALATED:
                first_s = eyes_s if first_s is None else min(first_s, eyes_s)
        if eyes is Eyes.ESCALATED and now_s - eyes_s + EPS_S >= params.take_over_s:
            by_eyes = True
        open_s = 0.0 if first_s is None else now_s - first_s + EPS_S
        alarm_row = ALARM.fire(
            alarm,
            make_alarm_view(
                is_taken_over=is_taken_over,
                is_answered=not by_eyes and hands is Hands.ON,
                is_take_over_due=first_s is not None and open_s >= params.take_over_s,
                is_unavailable_due=first_s is not None and open_s >= params.unavailable_s,
            ),
        )
        if alarm_row is not None:
            alarm, reason = alarm_row.target, alarm_row.reason
            if alarm is Alarm.NONE:
                first_s, by_eyes = None, False
                if is_taken_over:  # both chains begin anew: who steers is there
                    hands, hands_s, hands_off_s = Hands.ON, now_s, None
                    eyes, eyes_s, eyes_off_s = Eyes.ON, now_s, None
        return make_engagement(
            hands,
            eyes,
            alarm,
            hands_off_s,
            hands_s,
            eyes_off_s,
            eyes_s,
            relevant_s,
            first_s,
            by_eyes,
            aversions,
            reason,
        )

    def _seen(self, old: Engagement, now_s: float) -> Engagement:
        return make_engagement(
            old.hands,
            old.eyes,
            old.alarm,
            None,
            old.hands_s,
            None,
            old.eyes_s,
            now_s,
            None,
            False,
            old.aversions,
            old.reason,
        )
