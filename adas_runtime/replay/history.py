"""What a replay is remembered by: events, timeline, plot series, stills and figures, gathered as it runs."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from adas_runtime.executor import Emission, Executor
from adas_runtime.graph import ACTUATING
from adas_runtime.inputs.binder import Feed
from adas_runtime.perception.models import running
from adas_runtime.replay import viz
from adas_runtime.replay.limits import LimitShares
from adas_runtime.replay.schema import (
    SERIES_SCHEMA,
    STILLS_DIR,
    SUMMARY_SCHEMA,
    DriverText,
    Event,
    EventKind,
    FunctionSummary,
    InputSummary,
    Latency,
    Series,
    Span,
    Summary,
    Track,
)
from adas_runtime.signals import (
    ActuationCommand,
    Alert,
    AlertSide,
    AssistanceMode,
    AssistanceState,
    CameraFrame,
    CameraId,
    DriverState,
    EgoLane,
    EngagementStage,
    FunctionStatus,
    Health,
    LampDemand,
    LampRequest,
    LaneModel,
    LaneSide,
    LateralRequest,
    LongitudinalRequest,
    ManoeuvreState,
    Signal,
    SpeedLimitState,
    Stage,
    VehicleState,
)

if TYPE_CHECKING:
    from adas_runtime.market import Market
    from adas_runtime.vehicle import Vehicle
    from adas_runtime.vehicle.schema import CameraMount

STILLS_MAX: Final = 120
STILL_WIDTH_PX: Final = 480
PLOT_PERIOD_S: Final = 0.095  # of what comes often: 10 points a second, jitter of its sender allowed for
ENVELOPE: Final = "envelope"
SHADOW: Final = "/adas/shadow/"
LAMPS: Final = tuple(
    item.name for item in fields(LampRequest) if item.default is LampDemand.NO_DEMAND
)  # each has a band in the timeline
HEALTH: Final = "health"
DRIVER: Final = ("drowsiness", "distraction")
COUNTING: Final = ("isa", "headlamps", "signal_lamps", "dcas", "arbiter", "envelope")
OWN_FAULT: Final = "_fault"  # how the codes of functions that tell their own failure end
SIGNS: Final = frozenset(
    {"side", "lane_from_left"}
)  # figures that tell which one: neither their mean nor their least value says anything


@dataclass(slots=True)
class _Function:
    stage: Stage
    alerts: int = 0
    interventions: int = 0
    active_s: float = 0.0
    fault_s: float = 0.0
    absent_s: dict[str, float] = field(default_factory=dict)
    by_code: dict[str, int] = field(default_factory=dict)
    kpi_sum: dict[str, float] = field(default_factory=dict)
    kpi_count: dict[str, int] = field(default_factory=dict)
    kpi_min: dict[str, float] = field(default_factory=dict)
    status: FunctionStatus | None = None
    status_s: float = 0.0


@dataclass(slots=True)
class _Curve:
    """A plot's line as it grows; `last` is the last value, not rounded."""

    unit: str
    title: str
    t_s: list[float] = field(default_factory=list)
    values: list[float | None] = field(default_factory=list)
    last: float | None = None
    is_flat: bool = False  # its last two points show the same value

    def add(self, t_s: float, value: float | None) -> None:
        """Add a point; a flat stretch is two points."""
        values = self.values
        if value == self.last and values:
            if self.is_flat and t_s > self.t_s[-1]:
                self.t_s[-1] = t_s
                return
            shown = values[-1]
        else:
            shown = None if value is None else round(value, 6)
            self.last = value
        is_same = bool(values) and values[-1] == shown
        if is_same and self.is_flat and t_s > self.t_s[-1]:
            self.t_s[-1] = t_s
            return
        self.t_s.append(t_s)
        values.append(shown)
        self.is_flat = is_same

    def track(self) -> Track:
        """The line as the series holds it."""
        return Track(unit=self.unit, title=self.title, t_s=[round(t_s, 4) for t_s in self.t_s], values=self.values)


@dataclass(slots=True)
class _Open:
    """A bar of the timeline that has begun."""

    start_s: float
    last_s: float
    label: str
    level: Any
    text: str


def _level(mode: AssistanceMode, working: Any) -> Any:
    return working if mode is AssistanceMode.ACTIVE else "idle"


class History:
    """Listens to inputs and emissions; `finish` gives summary, events and series.

    `unfed`: functions that need sources which the recording never had, with the names of these. That such a function
    tells its failure is right in a car and no event of the drive: it goes to `untold`, by source, and to no alert.
    """

    def __init__(self, executor: Executor, start_s: float, folder: Path, mount: CameraMount | None = None) -> None:
        self._start_s = start_s
        self._folder = folder
        self._mount = mount
        self._model: LaneModel | None = None
        self._events: list[Event] = []
        self._rows: dict[str, list[Span]] = {spec.name: [] for spec in executor.functions}
        self._open: dict[tuple[str, str], _Open] = {}
        self._curves: dict[str, _Curve] = {}
        self._functions = {
            spec.name: _Function(stage=Stage.OFF if spec.has_stage else Stage.ON) for spec in executor.functions
        }
        self._frames: deque[tuple[float, CameraFrame]] = deque(maxlen=1)
        self.stills = 0
        self._last_still = (-1.0, "")  # when its picture came, and its name
        self._lanes: dict[LaneSide, int] = dict.fromkeys(LaneSide, 0)
        self._models = 0
        self._lane_pictures = [0, 0, 0]  # of the ego lane: all, with a lane, fit to steer by
        self.seen: set[str] = set()
        self.limits = LimitShares()
        self._now_s = start_s
        self._speed_mps = 0.0
        self._plotted_s: dict[str, float] = {}  # when the last points of a quantity that comes often were
        self._held: dict[str, tuple[ActuationCommand, float, bool]] = {}  # last of each; whether it waits to be drawn
        self.unfed: Mapping[str, tuple[str, ...]] = {}
        self.untold: dict[str, set[str]] = {}
        self._lit: dict[str, tuple[LampDemand, ...]] = {}
        self._listeners: dict[str, Callable[[Any, float], None]] = {}

    # --- as it runs ---

    def input(self, topic: str, signal: Signal, now_s: float) -> None:
        """A value of the recording was offered."""
        self.seen.add(topic)
        t_s = now_s - self._start_s
        if isinstance(signal, VehicleState):
            self._speed_mps = signal.speed_mps
            if self._is_due("speed", t_s):
                self._plot("speed_mps", "Speed", "m/s", t_s, signal.speed_mps)
        elif isinstance(signal, CameraFrame):
            if signal.camera is not CameraId.FRONT:
                return  # no still of the cabin, whoever let it in
            self._frames.append((t_s, signal))
        elif isinstance(signal, LaneModel):
            self._lane(signal, t_s)
        elif isinstance(signal, DriverState) and self._is_due("driver", t_s):
            seen = signal.is_face_visible
            self._plot("driver_pitch_rad", "gaze down", "rad", t_s, signal.gaze_pitch_rad if seen else None)
            self._plot("driver_yaw_rad", "gaze left", "rad", t_s, signal.gaze_yaw_rad if seen else None)
            self._plot("driver_openness", "eyes open", "1", t_s, signal.eye_openness if seen else None)

    def data(self, topic: str, code: str, cause: str, now_s: float) -> None:
        """Something is wrong with the data."""
        t_s = now_s - self._start_s
        self._add(Event(t_s=t_s, kind=EventKind.INPUT, function=topic, code=code, cause=cause))
        self._rows.setdefault("data", []).append(
            Span(start_s=t_s, end_s=t_s + 0.1, label=code, level="warning", text=f"{topic}: {cause}")
        )

    def new_time_line(self, ended_s: float) -> None:
        """The clock ran back and the functions begin afresh: what was going on ended at `ended_s`, untold."""
        t_s = ended_s - self._start_s
        for row, key in list(self._open):
            self._close((row, key), t_s)
            for suffix, kind in ((" alerts", EventKind.ALERT_END), (" requests", EventKind.REQUEST_END)):
                if row.endswith(suffix):
                    name = row.removesuffix(suffix)
                    self._add(Event(t_s=t_s, kind=kind, function=name, code=key, cause="the clock ran back"))
        for function in self._functions.values():
            self._settle(function, t_s)
            function.status = None

    def emission(self, emission: Emission) -> None:
        """A function said something."""
        listen = self._listeners.get(emission.topic)
        if listen is None:
            listen = self._listeners[emission.topic] = self._listener(emission)
        now_s = self._now_s = emission.now_s
        listen(emission.signal, now_s - self._start_s)

    def _listener(self, emission: Emission) -> Callable[[Any, float], None]:
        """Who listens to a topic: looked up once, since all that it brings is of one kind and one function."""
        kind, name, is_shadow = type(emission.signal), emission.function, emission.topic.startswith(SHADOW)
        if kind is ActuationCommand:
            return partial(self._command, name)
        if kind is FunctionStatus:
            return self._status
        if kind is Alert:
            return partial(self._alert, name, is_shadow)
        if kind in ACTUATING:
            return partial(self._request, name, is_shadow)
        if kind is EgoLane:
            return partial(self._ego_lane, name)
        if kind is LaneModel:
            return self._lane
        if kind is AssistanceState:
            return partial(self._assistance, name, is_shadow)
        if kind is SpeedLimitState:
            return self._limit
        return lambda signal, t_s: None

    def _limit(self, state: SpeedLimitState, t_s: float) -> None:
        self.limits.add(state, self._speed_mps, self._now_s)
        self._plot("speed_limit_mps", "Speed limit", "m/s", t_s, state.limit_mps)

    def _is_due(self, what: str, t_s: float) -> bool:
        """Whether a quantity gets a point again: ten a second, as an eye follows, and after a jump at once."""
        plotted_s = self._plotted_s.get(what)
        if plotted_s is not None and 0.0 <= t_s - plotted_s < PLOT_PERIOD_S:
            return False
        self._plotted_s[what] = t_s
        return True

    def _add(self, event: Event) -> None:
        self._events.append(event)

    def _plot(self, name: str, title: str, unit: str, t_s: float, value: float | None) -> None:
        curve = self._curves.get(name)
        if curve is None:
            curve = self._curves[name] = _Curve(unit, title)
        curve.add(t_s, value)

    def _lane(self, model: LaneModel, t_s: float) -> None:
        self._models += 1
        self._model = model
        is_due = self._is_due("lanes", t_s)
        for side, name in ((LaneSide.LEFT, "left"), (LaneSide.RIGHT, "right")):
            boundary = model.side(side)
            offset_m = confidence = None
            if boundary is not None:
                self._lanes[side] += 1
                offset_m, confidence = boundary.c0_m, boundary.confidence
            if not is_due:
                continue
            self._plot(f"lane_{name}_m", f"{name} boundary", "m", t_s, offset_m)
            self._plot(f"lane_{name}_confidence", f"{name} confidence", "1", t_s, confidence)

    def _ego_lane(self, name: str, lane: EgoLane, t_s: float) -> None:
        """Where the car is in its lane, and what the market makes of the markings."""
        seen = bool(lane.edges)
        counts = self._lane_pictures
        counts[0] += 1
        counts[1] += seen
        counts[2] += lane.is_fit_to_steer
        if self._is_due(name, t_s):
            self._plot("ego_offset_m", "lane centre", "m", t_s, lane.offset_m if seen else None)
            self._plot("ego_width_m", "lane width", "m", t_s, lane.width_m if seen else None)
            self._plot("ego_shift_m", "wanted place in the lane", "m", t_s, lane.shift_m if seen else None)
            self._plot("ego_confidence", "own lane", "1", t_s, lane.confidence if seen else None)
        for key, label, level, text in (
            (" works", "works" if lane.is_works else "", "active", lane.reason),
            (
                " shift",
                lane.shift_reason,
                "info",
                "keeps left of the lane's centre" if lane.shift_m > 0.0 else "keeps right of the lane's centre",
            ),
            (" not for steering", "" if lane.is_fit_to_steer or not seen else lane.reason, "warning", ""),
        ):
            if label:
                self._bar(name + key, "", label, level, text, t_s)
            else:
                self._close((name + key, ""), t_s)

    def _assistance(self, name: str, is_shadow: bool, state: AssistanceState, t_s: float) -> None:
        """What the driver is told of assistance all the time, as bars; the speed it keeps to."""
        working: Any = "shadow" if is_shadow else "active"
        engaged = state.mode is AssistanceMode.ACTIVE
        self._plot("assist_speed_mps", "Speed allowed by assistance", "m/s", t_s, state.max_speed_mps)
        asked, manoeuvre = state.engagement, state.manoeuvre
        urgent: Any = "critical" if asked >= EngagementStage.EYES_ON_ESCALATED else "warning"
        held = (name + " standstill", "held" if engaged and state.is_standstill_held else "", working)
        for row, label, level in (
            (name + " steering", state.lateral.name.lower() if engaged else "", _level(state.lateral, working)),
            (name + " speed", state.longitudinal.name.lower() if engaged else "", _level(state.longitudinal, working)),
            (name + " driver", asked.name.lower() if asked is not EngagementStage.NONE else "", urgent),
            (name + " lane change", manoeuvre.name.lower() if manoeuvre is not ManoeuvreState.NONE else "", working),
            held,
        ):
            if label:
                self._bar(row, "", label, level, state.reason, t_s)
            else:
                self._close((row, ""), t_s)

    def _status(self, status: FunctionStatus, t_s: float) -> None:
        function = self._functions[status.author]
        former = function.status
        self._settle(function, t_s)
        function.stage = status.stage
        function.status, function.status_s = status, t_s
        for kpi in status.kpis:
            if kpi.name in SIGNS:
                continue
            function.kpi_sum[kpi.name] = function.kpi_sum.get(kpi.name, 0.0) + kpi.value
            function.kpi_count[kpi.name] = function.kpi_count.get(kpi.name, 0) + 1
            function.kpi_min[kpi.name] = min(function.kpi_min.get(kpi.name, math.inf), kpi.value)
        if status.author == "headway":
            gap_m = next((kpi.value for kpi in status.kpis if kpi.name == "gap_m"), None)
            if gap_m is not None or "headway_gap_m" in self._curves:
                self._plot("headway_gap_m", "gap to the car ahead", "m", t_s, gap_m)
        if status.author == "tracking":
            told = {kpi.name: kpi.value for kpi in status.kpis}
            if told or "users" in self._curves:
                self._plot("users", "road users", "1", t_s, told.get("objects"))
                self._plot("users_of_both", "seen by radar and supplier", "1", t_s, told.get("of_both"))
                self._plot("users_standing", "standing, seen by radar alone", "1", t_s, told.get("standing"))
        if status.author == "drowsiness":
            score = next((kpi.value for kpi in status.kpis if kpi.name == "score"), None)
            if score is not None or "driver_score" in self._curves:
                self._plot("driver_score", "sleepiness, Karolinska scale", "KSS", t_s, score)
        health = status.health.name.lower()
        level: Any = (
            "off"
            if status.stage is Stage.OFF
            else health
            if status.health is not Health.OK
            else "shadow"
            if status.is_active and status.stage is Stage.SHADOW
            else "active"
            if status.is_active
            else "idle"
        )
        self._bar(status.author, "", status.state, level, status.reason, t_s)
        shown = None if former is None else (former.state, former.health, former.absent, former.stage, former.reason)
        if shown != (status.state, status.health, status.absent, status.stage, status.reason):
            cause = status.reason or (f"without {', '.join(status.absent)}" if status.absent else "")
            self._add(
                Event(
                    t_s=t_s,
                    kind=EventKind.STATUS,
                    function=status.author,
                    code=status.state,
                    cause=cause,
                    health=health,
                    stage=status.stage.name.lower(),
                )
            )

    @staticmethod
    def _settle(function: _Function, t_s: float) -> None:
        """Add the time since the last status to what it said."""
        status = function.status
        if status is None or t_s <= function.status_s:
            return
        passed = t_s - function.status_s
        function.active_s += passed * status.is_active
        function.fault_s += passed * (status.health is Health.FAULT)
        for name in status.absent:
            function.absent_s[name] = function.absent_s.get(name, 0.0) + passed

    def _bar(self, row: str, key: str, label: str, level: Any, text: str, t_s: float) -> None:
        """Go on with the row's bar or begin another."""
        at = (row, key)
        bar = self._open.get(at)
        if bar is not None and (bar.label, bar.level) == (label, level):
            bar.last_s = t_s
            return
        self._close(at, t_s)
        self._open[at] = _Open(t_s, t_s, label, level, text)

    def _close(self, at: tuple[str, str], t_s: float) -> None:
        bar = self._open.pop(at, None)
        if bar is not None:
            self._rows.setdefault(at[0], []).append(
                Span(start_s=bar.start_s, end_s=max(t_s, bar.start_s), label=bar.label, level=bar.level, text=bar.text)
            )

    def _alert(self, name: str, is_shadow: bool, alert: Alert, t_s: float) -> None:
        kind, _, subject = alert.code.partition("/")
        subject, is_failure = (subject, kind != "silent") if name == HEALTH else (name, kind.endswith(OWN_FAULT))
        if is_failure and subject in self.unfed:
            for source in self.unfed[subject]:
                self.untold.setdefault(source, set()).add(alert.code)
            return
        row, key = f"{name} alerts", alert.code
        common: dict[str, Any] = {
            "function": name,
            "code": alert.code,
            "cause": alert.cause,
            "side": "" if alert.side is AlertSide.NONE else alert.side.name.lower(),
            "level": alert.level.name.lower(),
            "is_shadow": is_shadow,
            "stage": self._functions[name].stage.name.lower(),
        }
        is_open = (row, key) in self._open
        if alert.is_active and not is_open:
            function = self._functions[name]
            function.alerts += 1
            function.by_code[alert.code] = function.by_code.get(alert.code, 0) + 1
            level = "shadow" if is_shadow else alert.level.name.lower()
            self._bar(row, key, alert.code, level, alert.cause, t_s)
            self._add(Event(t_s=t_s, kind=EventKind.ALERT_START, still=self._still(t_s), **common))
        elif not alert.is_active and is_open:
            self._close((row, key), t_s)
            self._add(Event(t_s=t_s, kind=EventKind.ALERT_END, **common))

    def _request(self, name: str, is_shadow: bool, request: Any, t_s: float) -> None:
        is_lateral = isinstance(request, LateralRequest)
        if isinstance(request, LongitudinalRequest):
            quantity, value, unit = "accel_mps2", request.accel_mps2, "m/s^2"
        elif is_lateral:
            quantity, value, unit = "curvature_1pm", request.curvature_1pm, "1/m"
        else:
            self._lamps(name, request, t_s, is_shadow)
            return
        row, key = f"{name} requests", quantity
        is_open = (row, key) in self._open
        self._plot(f"request_{name}_{quantity}", f"{name}", unit, t_s, value if request.is_active else None)
        if request.is_active == is_open:
            return
        kind = EventKind.REQUEST_START if request.is_active else EventKind.REQUEST_END
        self._add(
            Event(
                t_s=t_s,
                kind=kind,
                function=name,
                code=quantity,
                cause=request.cause,
                is_shadow=is_shadow,
                values={quantity: value},
                still=self._still(t_s) if request.is_active else "",
            )
        )
        if request.is_active:
            self._functions[name].interventions += 1
            self._bar(row, key, quantity, "shadow" if is_shadow else "active", request.cause, t_s)
        else:
            self._close((row, key), t_s)

    def _lamps(self, name: str, request: LampRequest, t_s: float, is_shadow: bool) -> None:
        """A band per lamp that the function has a word on."""
        asked = tuple(getattr(request, lamp) for lamp in LAMPS)
        former = self._lit.get(name)
        if asked == former:
            return
        self._lit[name] = asked
        for index, (lamp, demand) in enumerate(zip(LAMPS, asked, strict=True)):
            if former is not None and former[index] is demand:
                continue
            row = f"{name}: {lamp.replace('_', ' ')}"
            if demand is LampDemand.NO_DEMAND:
                self._close((row, ""), t_s)
            else:
                level = "idle" if demand is LampDemand.OFF else "shadow" if is_shadow else "active"
                self._bar(row, "", demand.name.lower(), level, request.cause, t_s)

    def _cap(self, command: ActuationCommand, track: str, title: str, t_s: float) -> None:
        """The most that the driver's pedal may ask for; most drives have none, and then there is no line."""
        if command.accel_cap_mps2 is not None or track in self._curves:
            self._plot(track, title, "m/s^2", t_s, command.accel_cap_mps2)

    def _command(self, name: str, command: ActuationCommand, t_s: float) -> None:
        """Demand or command; while nothing changes only its time is noted, which is most of a drive."""
        held = self._held.get(name)
        if (
            held is not None
            and t_s > held[1]
            and command.curvature_1pm == held[0].curvature_1pm
            and command.accel_mps2 == held[0].accel_mps2
            and command.limits == held[0].limits
            and command.accel_cap_mps2 is None
            and held[0].accel_cap_mps2 is None
        ):
            self._held[name] = (command, t_s, True)
            return
        if held is not None and held[2]:
            self._draw_command(name, held[0], held[1])  # the end of the flat stretch
        self._held[name] = (command, t_s, False)
        self._draw_command(name, command, t_s)

    def _draw_command(self, name: str, command: ActuationCommand, t_s: float) -> None:
        if name != ENVELOPE:
            self._plot("demand_curvature_1pm", "demand (arbiter)", "1/m", t_s, command.curvature_1pm)
            self._plot("demand_accel_mps2", "demand (arbiter)", "m/s^2", t_s, command.accel_mps2)
            self._cap(command, "demand_cap_accel_mps2", "cap of the pedal (arbiter)", t_s)
            return
        self._plot("command_curvature_1pm", "command (envelope)", "1/m", t_s, command.curvature_1pm)
        self._plot("command_accel_mps2", "command (envelope)", "m/s^2", t_s, command.accel_mps2)
        self._cap(command, "command_cap_accel_mps2", "cap of the pedal (envelope)", t_s)
        if command.accel_cap_mps2 is not None:
            self._bar("envelope cap", "", "pedal capped", "active", command.longitudinal_cause, t_s)
        else:
            self._close(("envelope cap", ""), t_s)
        label = ", ".join(command.limits)
        bar = self._open.get(("envelope limits", ""))
        if (bar.label if bar is not None else "") == label:
            return
        self._close(("envelope limits", ""), t_s)
        if label:
            level = "fault" if command.is_safe_stop else "warning"
            self._bar("envelope limits", "", label, level, command.lateral_cause or command.longitudinal_cause, t_s)
            if command.is_lateral_active or command.is_longitudinal_active:
                self._functions[ENVELOPE].interventions += 1
        self._add(Event(t_s=t_s, kind=EventKind.ENVELOPE, function=ENVELOPE, code=label, cause=label))

    def _still(self, t_s: float) -> str:
        """A small picture of what the camera saw, `""` where it saw nothing."""
        if not self._frames or self.stills >= STILLS_MAX or t_s - self._frames[-1][0] > 0.5:
            return ""
        import cv2

        from adas_runtime.perception.lane_model import decode

        came_s, frame = self._frames[-1]
        if came_s == self._last_still[0]:
            return self._last_still[1]  # two events, one picture
        image = decode(frame.encoding, frame.data, frame.width_px, frame.height_px)
        if image is None:
            return ""
        height = max(1, round(image.shape[0] * STILL_WIDTH_PX / image.shape[1]))
        small = cv2.resize(image, (STILL_WIDTH_PX, height), interpolation=cv2.INTER_AREA)
        self._draw_lanes(small, frame.stamp_s)
        name = f"{STILLS_DIR}/{self.stills:04d}.jpg"
        path = self._folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes())
        self.stills += 1
        self._last_still = (came_s, name)
        return name

    def _draw_lanes(self, image: Any, stamp_s: float) -> None:
        """The lane model of this picture, where the vehicle file knows the camera."""
        import cv2
        import numpy as np

        from adas_runtime.perception.camera import camera_of

        model, mount = self._model, self._mount
        if model is None or mount is None or abs(model.stamp_s - stamp_s) > 1e-6:
            return
        camera = camera_of(mount, image.shape[1], image.shape[0])
        if camera is None:
            return
        for (red, green, blue, _), line in viz.lane_pixels(model, camera):
            if red == green == blue:
                red, blue = 0.2, 0.4  # green, to be told from the paint beneath
            points = np.array([(round(u * 8), round(v * 8)) for u, v in line], dtype=np.int32)  # 3 bits of fraction
            for width, shade in ((4, (0, 0, 0)), (2, (255 * blue, 255 * green, 255 * red))):
                cv2.polylines(image, [points], False, shade, width, cv2.LINE_AA, 3)

    # --- at the end ---

    def finish(
        self,
        *,
        job: Any,
        market: Market,
        vehicle: Vehicle,
        is_decision: bool,
        end_s: float,
        wall_s: float,
        digest: str,
        decisions: int,
        feeds: Mapping[str, Feed],
        counts: Mapping[str, tuple[int, int, float | None, str]],
        steps_s: Sequence[float],
        warnings: Sequence[str],
        versions: dict[str, str],
    ) -> tuple[Summary, list[Event], Series]:
        """Everything that the folder holds besides the outputs."""
        duration_s = max(0.0, end_s - self._start_s)
        for name, (command, t_s, is_waiting) in self._held.items():
            if is_waiting:
                self._draw_command(name, command, t_s)
        for at in list(self._open):
            self._close(at, duration_s)
        for true in self.limits.truth:
            self._plot("true_limit_mps", "True limit", "m/s", true.stamp_s - self._start_s, true.limit_mps)
        functions = {}
        for name, function in self._functions.items():
            self._settle(function, duration_s)
            kpis = {
                f"{kpi}_mean": function.kpi_sum[kpi] / function.kpi_count[kpi] for kpi in sorted(function.kpi_sum)
            } | {f"{kpi}_min": function.kpi_min[kpi] for kpi in sorted(function.kpi_min)}
            if name == "tracking":
                kpis = {key: value for key, value in kpis.items() if key.endswith("_mean")}
            if name == "lane_departure" and duration_s > 0.0:
                kpis["warnings_per_hour"] = function.alerts * 3600.0 / duration_s
            if name in COUNTING:  # their figures are counters: the last of each
                kpis = {kpi.name: kpi.value for kpi in (function.status.kpis if function.status is not None else ())}
            if name == "isa":  # and what the truth says
                kpis |= self.limits.kpis()
                if duration_s > 0.0:
                    kpis["warnings_per_hour"] = function.alerts * 3600.0 / duration_s
            if name == "headway":  # of its figures three are counters
                last = {kpi.name: kpi.value for kpi in (function.status.kpis if function.status is not None else ())}
                of = ("gap_s_mean", "gap_s_min", "gap_m_min")
                kpis = {key: kpis[key] for key in of if key in kpis} | {
                    key: last[key] for key in ("watched_s", "short_s", "warnings") if key in last
                }
                if last.get("watched_s", 0.0) > 0.0:
                    kpis["warnings_per_hour"] = function.alerts * 3600.0 / last["watched_s"]
            if name in DRIVER:  # nuisance by cause, per hour of watched driving
                last = {kpi.name: kpi.value for kpi in (function.status.kpis if function.status is not None else ())}
                kpis = {key: kpis[key] for key in ("score_mean",) if key in kpis} | last
                if last.get("driven_s", 0.0) > 0.0:
                    for code, count in sorted(function.by_code.items()):
                        kpis[f"{code}_per_hour"] = count * 3600.0 / last["driven_s"]
            if name == "lane_change":  # two of its figures are counters
                last = {kpi.name: kpi.value for kpi in (function.status.kpis if function.status is not None else ())}
                ends = ("changes", "suppressed", "manoeuvre_s")
                kpis = {key: value for key, value in last.items() if key in ends} | {
                    key: value for key, value in kpis.items() if key in ("rear_gap_m_min", "rear_gap_needed_m_mean")
                }
            if name == "lane_perception" and self._models:
                kpis["left_seen_share"] = self._lanes[LaneSide.LEFT] / self._models
                kpis["right_seen_share"] = self._lanes[LaneSide.RIGHT] / self._models
            if name == "ego_lane" and self._lane_pictures[0]:
                pictures, with_lane, fit = self._lane_pictures
                kpis["lane_share"] = with_lane / pictures
                kpis["fit_to_steer_share"] = fit / pictures
            functions[name] = FunctionSummary(
                stage=function.stage.name.lower(),
                time_active_s=round(function.active_s, 6),
                alerts=function.alerts,
                interventions=function.interventions,
                kpis={key: round(value, 6) for key, value in kpis.items()},
                time_fault_s=round(function.fault_s, 6),
                absent_s={key: round(value, 6) for key, value in sorted(function.absent_s.items())},
            )
        ordered = sorted(steps_s)

        def percentile(share: float) -> float:
            return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1e3, 4) if ordered else 0.0

        inputs = {}
        for name, feed in feeds.items():
            count, dropped, max_gap_s, input_digest = counts.get(name, (0, 0, None, ""))
            inputs[name] = InputSummary(
                type=feed.type,
                feeds=list(feed.feeds),
                count=count,
                dropped=dropped,
                max_gap_s=max_gap_s,
                is_guessed=bool(feed.feeds) and feed.is_guessed,
                note=feed.note,
                digest=input_digest,
            )
        summary = Summary(
            schema=SUMMARY_SCHEMA,
            bag=str(job.bag),
            market=market.name,
            market_revision=market.revision,
            market_digest=market.digest,
            vehicle=vehicle.name,
            started_from="decision" if is_decision else "bag",
            start_s=self._start_s,
            duration_s=duration_s,
            wall_s=round(wall_s, 3),
            real_time_factor=round(duration_s / wall_s, 2) if wall_s > 0.0 else 0.0,
            digest=digest,
            decisions=decisions,
            inputs=inputs,
            functions=functions,
            texts=driver_texts(market, {event.code for event in self._events if event.kind is EventKind.ALERT_START}),
            latency_ms=Latency(p50=percentile(0.5), p95=percentile(0.95), p99=percentile(0.99)),
            warnings=list(warnings),
            versions=versions,
            providers=running(),
            command=job.command,
        )
        events = sorted(self._events, key=lambda event: event.t_s)
        series = Series(
            schema=SERIES_SCHEMA,
            duration_s=duration_s,
            tracks={name: curve.track() for name, curve in self._curves.items()},
            rows={name: sorted(spans, key=lambda span: span.start_s) for name, spans in self._rows.items() if spans},
        )
        return summary, events, series


def driver_texts(market: Market, codes: Iterable[str]) -> dict[str, DriverText]:
    """What the driver reads for alerts: in the market's first language, and in English."""
    from adas_runtime.market.texts import REFERENCE, direction, driver_text

    language = market.alerts.languages[0]
    return {
        code: DriverText(
            language=language,
            direction=direction(language),
            text=driver_text(market, code, language),
            english=driver_text(market, code, REFERENCE),
        )
        for code in sorted(codes)
    }
