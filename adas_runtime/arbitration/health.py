"""The health monitor: which function is silent, at fault or short of an input, told to the driver once per cause."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from adas_runtime.arbitration.params import HealthParams
from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status, clipped
from adas_runtime.records import maker, replacer
from adas_runtime.signals import Alert, AlertLevel, FunctionStatus, Health, Stage

STATUS_MAX_AGE_S = 10.0  # silence is judged here, by the parameter, not by the executor


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthInputs:
    """What the monitor reads."""

    statuses: tuple[FunctionStatus, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthOutputs:
    """An alert where one begins, holds or ends."""

    alert: Alert | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One thing that is wrong.

    Args:
        code: Stable reason code.
        text: For the driver's log.
        level: How much it matters.
        since_s: First seen.
        gone_s: Last time it was seen to hold; the alert ends `clear_after_s` later.
        told_s: When its alert was last sent; `None`: not yet.
    """

    code: str
    text: str
    level: AlertLevel
    since_s: float
    gone_s: float
    told_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthState:
    """Memory of the monitor."""

    started_s: float | None = None
    stepped_s: float | None = None
    seen: frozenset[str] = frozenset()
    causes: tuple[Cause, ...] = field(default_factory=tuple)


HEALTH: Final = {AlertLevel.INFO: Health.OK, AlertLevel.WARNING: Health.DEGRADED, AlertLevel.CRITICAL: Health.FAULT}
make_cause = maker(Cause)
make_outputs = maker(HealthOutputs)
make_state = maker(HealthState)
make_status = maker(Status)
cause_with = replacer(Cause)


class HealthMonitor:
    """Looks at every status; sends at most one alert a step, the gravest first."""

    def __init__(self, params: HealthParams, expected: tuple[str, ...]) -> None:
        """`expected`: every function of the graph but this one; each owes a status a second."""
        self._params = params
        self._expected = expected
        self.state = make_state()

    def step(self, inputs: HealthInputs, now_s: float) -> HealthOutputs:
        """One look."""
        state = self.state
        if state.stepped_s is not None and now_s < state.stepped_s:  # the clock ran back: what is told holds on
            causes_now = [
                cause_with(c, since_s=now_s, gone_s=now_s, told_s=None if c.told_s is None else now_s)
                for c in state.causes
            ]
            state = HealthState(causes=tuple(causes_now))
        started_s = now_s if state.started_s is None else state.started_s
        found = self._found(inputs, now_s, now_s - started_s < self._params.startup_grace_s)
        causes: list[Cause] = []
        for code, (text, level) in sorted(found.items()):
            former = next((c for c in state.causes if c.code == code), None)
            if former is None:
                causes.append(make_cause(code=code, text=text, level=level, since_s=now_s, gone_s=now_s))
            else:
                causes.append(cause_with(former, text=text, level=level, gone_s=now_s))
        ended: list[Cause] = []
        for former in state.causes:
            if former.code in found:
                continue
            if now_s - former.gone_s < self._params.clear_after_s:
                causes.append(former)
            elif former.told_s is not None:
                ended.append(former)
        alert, told = self._alert(causes, ended, now_s)
        if told is not None:
            causes = [cause_with(c, told_s=now_s) if c.code == told else c for c in causes]
        # an end that could not be told in this step is kept until it is
        causes += [c for c in ended if alert is None or alert.is_active or alert.code != c.code]
        self.state = HealthState(
            started_s=started_s, stepped_s=now_s, causes=tuple(sorted(causes, key=lambda c: c.code))
        )
        worst = max((c.level for c in causes), default=AlertLevel.INFO)
        return make_outputs(
            alert=alert,
            status=make_status(
                state="ok" if not causes else "degraded",
                is_active=True,
                health=HEALTH[worst],
                reason=clipped(", ".join(c.code for c in sorted(causes, key=lambda c: (-c.level, c.code)))),
            ),
        )

    def _found(self, inputs: HealthInputs, now_s: float, is_starting: bool) -> dict[str, tuple[str, AlertLevel]]:
        found: dict[str, tuple[str, AlertLevel]] = {}
        heard = {status.author: status for status in inputs.statuses}
        told = {cause.code for cause in self.state.causes}
        alike: dict[tuple[str, str], list[str]] = {}  # by kind and reason: one cause, many sufferers
        for name in self._expected:
            status = heard.get(name)
            if status is None or now_s - status.stamp_s > self._params.silent_after_s:
                if not is_starting:  # nothing is missed before it could have come (Autoware's start-up alarms)
                    found[f"silent/{name}"] = (f"{name} does not answer", AlertLevel.CRITICAL)
                continue
            if status.stage in (Stage.OFF, Stage.SHADOW):  # shadow touches nobody: its status tells whoever looks
                continue
            if status.health is Health.FAULT:
                alike.setdefault(("fault", status.reason or name), []).append(name)
            elif status.absent and not is_starting:
                found[f"degraded/{name}"] = (f"{name} lacks {', '.join(status.absent)}", AlertLevel.WARNING)
            elif status.health is Health.DEGRADED:
                alike.setdefault(("degraded", status.reason or name), []).append(name)
        for (kind, reason), names in alike.items():
            first = next((name for name in names if f"{kind}/{name}" in told), names[0])  # it keeps its name
            level = AlertLevel.CRITICAL if kind == "fault" else AlertLevel.WARNING
            found[f"{kind}/{first}"] = (f"{', '.join(names)}: {reason}", level)
        return found

    def _alert(self, causes: list[Cause], ended: list[Cause], now_s: float) -> tuple[Alert | None, str | None]:
        """The alert to send now and the code of the cause that it tells of, ends first."""
        if ended:
            return self._make(ended[0], is_active=False, now_s=now_s), None
        due = []
        for cause in causes:
            params = self._params
            hold_s = params.fault_after_s if cause.level is AlertLevel.CRITICAL else params.degraded_after_s
            is_new = cause.told_s is None and cause.gone_s - cause.since_s >= hold_s  # seen to hold, not remembered
            is_repeat = cause.told_s is not None and now_s - cause.told_s >= params.repeat_s
            if is_new or is_repeat:
                due.append((not is_new, -cause.level, cause.code, cause))
        if not due:
            return None, None
        cause = min(due)[3]
        return self._make(cause, is_active=True, now_s=now_s), cause.code

    @staticmethod
    def _make(cause: Cause, *, is_active: bool, now_s: float) -> Alert:
        return Alert(
            stamp_s=now_s,
            author="health",
            code=clipped(cause.code, 64),
            is_active=is_active,
            level=cause.level,
            is_acoustic=False,
            since_s=cause.since_s,
            cause=clipped(cause.text),
        )


def _build(context: BuildContext) -> HealthMonitor:
    return HealthMonitor(context.market.health, tuple(name for name in context.functions if name != "health"))


SPEC = FunctionSpec(
    name="health",
    summary="tells the driver which function is silent, at fault or short of an input",
    process=Process.GUARD,
    inputs=(Input(name="statuses", signal=FunctionStatus, max_age_s=STATUS_MAX_AGE_S, many=True),),
    outputs=(Output(name="alert", signal=Alert, is_periodic=False),),
    inputs_type=HealthInputs,
    outputs_type=HealthOutputs,
    alerts=("silent", "fault", "degraded"),
    period_s=0.1,
    has_stage=False,
    build=_build,
)
