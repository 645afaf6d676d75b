"""One alert over time: sent at once, again in a period while it holds, and once more when it ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from adas_runtime.function import EPS_S
from adas_runtime.records import maker
from adas_runtime.signals import Alert, AlertLevel, AlertSide


@dataclass(frozen=True, slots=True)
class Call:
    """What the driver should be told now; fields as in `Alert`."""

    code: str
    cause: str
    level: AlertLevel = AlertLevel.WARNING
    side: AlertSide = AlertSide.NONE
    is_optical: bool = True
    is_acoustic: bool = False
    is_haptic: bool = False


@dataclass(frozen=True, slots=True)
class Ring:
    """What was told last: `call` runs since `since_s`, and was last sent at `sent_s`."""

    call: Call | None = None
    since_s: float = 0.0
    sent_s: float = 0.0


SILENT: Final = Ring()
make_ring = maker(Ring)


def ring(old: Ring, call: Call | None, now_s: float, author: str, period_s: float) -> tuple[Ring, Alert | None]:
    """What is kept, and the message to send now, if any.

    From one code or side to another the end of the former goes first, the new one follows with the next step.
    """
    former = old.call
    if former is None:
        if call is None:
            return old, None
        return make_ring(call, now_s, now_s), _alert(author, call, now_s, now_s, is_active=True)
    if call is None or call.code != former.code or call.side is not former.side:
        return SILENT, _alert(author, former, now_s, old.since_s, is_active=False)
    is_other = (call.is_acoustic, call.is_haptic, call.level) != (former.is_acoustic, former.is_haptic, former.level)
    if is_other or not 0.0 <= now_s - old.sent_s < period_s - EPS_S:
        return make_ring(call, old.since_s, now_s), _alert(author, call, now_s, old.since_s, is_active=True)
    return make_ring(call, old.since_s, old.sent_s), None


def _alert(author: str, call: Call, now_s: float, since_s: float, *, is_active: bool) -> Alert:
    return Alert(
        stamp_s=now_s,
        author=author,
        code=call.code,
        is_active=is_active,
        level=call.level,
        side=call.side,
        is_optical=call.is_optical,
        is_acoustic=call.is_acoustic,
        is_haptic=call.is_haptic,
        since_s=since_s,
        cause=call.cause,
    )
