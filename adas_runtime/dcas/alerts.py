"""What the driver is told: one slot per kind of message, so that a hands-on request and a failure show together."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.function import EPS_S
from adas_runtime.records import maker
from adas_runtime.signals import Alert, AlertLevel, AlertSide


@dataclass(frozen=True, slots=True)
class Form:
    """How an alert is given; every one is optical.

    Args:
        is_acoustic, is_haptic: What comes besides.
        sounds_s: It sounds for this long, then it is seen only [s].
    """

    level: AlertLevel
    is_acoustic: bool = False
    is_haptic: bool = False
    sounds_s: float = math.inf


INFO, WARNING, CRITICAL = AlertLevel.INFO, AlertLevel.WARNING, AlertLevel.CRITICAL
FORMS: Final = {
    # hands
    "dcas_hands_on": Form(WARNING),  # R171 5.5.4.2.6.1.1: visual, continual
    "dcas_hands_on_escalated": Form(WARNING, is_acoustic=True, is_haptic=True),  # 5.5.4.2.6.1.2
    # eyes, and what follows
    "dcas_eyes_on": Form(WARNING, is_acoustic=True),  # 5.5.4.2.6.2.1: visual and one more
    "dcas_eyes_on_escalated": Form(CRITICAL, is_acoustic=True, is_haptic=True),  # 5.5.4.2.6.2.2
    "dcas_take_over": Form(CRITICAL, is_acoustic=True, is_haptic=True),  # 5.5.4.2.6.3.1
    "dcas_stopping": Form(CRITICAL, is_acoustic=True, is_haptic=True),  # 5.5.4.2.6.4.1; R79 5.1.6.3.3
    "dcas_stopped": Form(CRITICAL, is_acoustic=True),
    # the system
    "dcas_fault": Form(WARNING, is_acoustic=True),  # 5.4.3
    "dcas_hand_back": Form(CRITICAL, is_acoustic=True, is_haptic=True),  # 5.3.5.1.1, 5.5.3.3.3
    "dcas_crossing": Form(WARNING, is_acoustic=True, is_haptic=True),  # 5.3.7.1.4
    "dcas_change_suppressed": Form(WARNING, is_acoustic=True, sounds_s=3.0),  # 6.2.8
    "dcas_ended": Form(WARNING, is_acoustic=True),  # 5.3.5.1.1: notify at once
    "dcas_off": Form(INFO),
    "dcas_unavailable": Form(INFO, is_acoustic=True),  # 5.4.5
    "dcas_locked_out": Form(INFO, is_acoustic=True),  # 5.5.4.2.8.1
    "dcas_refused": Form(INFO, is_acoustic=True),
    # information
    "dcas_change_stands": Form(WARNING),  # 5.3.7.2.1.9
    "dcas_change_proposed": Form(INFO),  # 5.3.7.2.3.2
    "dcas_limit_changed": Form(INFO, is_acoustic=True),  # 5.3.7.4.7.3.1
    "dcas_speed_suspended": Form(INFO),  # 5.5.3.4.1.1
    "dcas_press_to_go": Form(INFO),
    "dcas_boundary_ahead": Form(INFO),  # 5.3.5.5
    "dcas_gap_notice": Form(INFO),  # 5.3.7.5
    "dcas_over_limit": Form(INFO),  # 5.3.7.4.7.1
}


@dataclass(frozen=True, slots=True)
class Said:
    """What is wanted said in a slot."""

    code: str
    cause: str
    side: AlertSide = AlertSide.NONE


@dataclass(frozen=True, slots=True)
class Slot:
    """What a slot says now; an empty code: nothing.

    Args:
        since_s: When it began.
        sent_s: When it was last sent.
        is_quiet: Without sound, since an emergency system warns.
    """

    code: str = ""
    side: AlertSide = AlertSide.NONE
    since_s: float = 0.0
    sent_s: float = 0.0
    is_quiet: bool = False


EMPTY: Final = Slot()
make_said = maker(Said)
make_slot = maker(Slot)


def tell(
    slot: Slot, said: Said | None, now_s: float, *, author: str, period_s: float, is_quiet: bool, has_haptic: bool
) -> tuple[Slot, Alert | None]:
    """The slot after this step, and the alert that is sent: while it holds in its period, and once when it ends.

    One slot says one thing: before another begins, the end of the first is told.

    Args:
        slot: What it said before.
        said: What is wanted said now.
        now_s: Time.
        author: Name of the function.
        period_s: Period of repetition.
        is_quiet: An emergency system warns: its sound comes first (R171 5.5.4.2.2.2), ours stays optical.
        has_haptic: The car has something to shake.
    """
    if said is None:
        if not slot.code:
            return slot, None
        return EMPTY, _alert(slot, author, now_s, "over", is_active=False, is_quiet=is_quiet, has_haptic=has_haptic)
    if slot.code and (slot.code != said.code or slot.side is not said.side):
        return EMPTY, _alert(slot, author, now_s, said.code, is_active=False, is_quiet=is_quiet, has_haptic=has_haptic)
    if slot.code and is_quiet is slot.is_quiet and now_s - slot.sent_s < period_s - EPS_S:
        return slot, None
    slot = make_slot(said.code, said.side, slot.since_s if slot.code else now_s, now_s, is_quiet)
    return slot, _alert(slot, author, now_s, said.cause, is_active=True, is_quiet=is_quiet, has_haptic=has_haptic)


def _alert(
    slot: Slot, author: str, now_s: float, cause: str, *, is_active: bool, is_quiet: bool, has_haptic: bool
) -> Alert:
    form = FORMS[slot.code]
    return Alert(
        stamp_s=now_s,
        author=author,
        code=slot.code,
        is_active=is_active,
        level=form.level,
        side=slot.side,
        is_optical=True,
        is_acoustic=form.is_acoustic and not is_quiet and now_s - slot.since_s < form.sounds_s - EPS_S,
        is_haptic=form.is_haptic and has_haptic and not is_quiet,
        since_s=slot.since_s,
        cause=cause,
    )
