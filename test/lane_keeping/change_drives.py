"""What the automatic lane change is fed in its tests: a motorway, a car that follows its plan or a script, traffic."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from steering_drives import CAR, MARKET, START_S, STEP_S, driver, lane, status, vehicle

from adas_runtime.lane_keeping.change import Inputs, LaneChange, Outputs
from adas_runtime.lane_keeping.change_params import AutomaticLaneChangeParams
from adas_runtime.lane_keeping.change_states import MOVING, STEERING, State
from adas_runtime.scenario.motorway import motorway_map
from adas_runtime.signals import (
    Alert,
    BodyState,
    Indicator,
    LaneBeyond,
    MarkingType,
    ObjectClass,
    TrackedObject,
    TrackedObjects,
)
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

PARAMS = MARKET.lane_change
SPACING_M = 3.65  # a lane and the marking between two
OPEN = {"type": MarkingType.DASHED, "may_cross": True, "beyond": LaneBeyond.SAME_DIRECTION}
ON = {"pressed": ("lane_change",)}
LEFT, RIGHT = {"indicator": Indicator.LEFT}, {"indicator": Indicator.RIGHT}
FRONT_M = CAR.dimensions.wheelbase_m + CAR.dimensions.front_overhang_m
REAR_M = CAR.dimensions.length_m - FRONT_M


def params(**changes: Any) -> AutomaticLaneChangeParams:
    """Germany's values, some of them changed, all rules of the schema applied."""
    return AutomaticLaneChangeParams.model_validate({**PARAMS.model_dump(), **changes})


def car(**equipment: Any) -> Vehicle:
    """The reference car with other equipment."""
    return CAR.model_copy(update={"equipment": CAR.equipment.model_copy(update=equipment)})


def thing(x_m: float, lane_: int, speed_kmh: float, number: int = 1, **more: Any) -> TrackedObject:
    """A road user; lane 1 is the next one to the left, 0 ours, -1 the next one to the right."""
    usual: dict[str, Any] = {
        "object_id": number,
        "object_class": ObjectClass.CAR,
        "x_m": x_m,
        "y_m": lane_ * SPACING_M,
        "speed_x_mps": kmh_to_mps(speed_kmh),
        "speed_y_mps": 0.0,
        "length_m": 4.5,
        "width_m": 1.8,
        "x_std_m": 0.1,
        "y_std_m": 0.1,
        "speed_x_std_mps": 0.1,
        "confidence": 0.9,
        "age_s": 10.0,
    }
    return TrackedObject(**{**usual, **more})


def behind(gap_m: float, speed_kmh: float, lane_: int = 1, **more: Any) -> TrackedObject:
    """A vehicle behind, bumper to bumper."""
    return thing(-REAR_M - gap_m, lane_, speed_kmh, **more)


FAR = behind(120.0, 110.0, lane_=0)


@dataclass(frozen=True, slots=True)
class Said:
    """One step."""

    t_s: float
    state: str
    reason: str
    place_m: float
    out: Outputs

    @property
    def alerts(self) -> tuple[Alert, ...]:
        return tuple(alert for alert in (self.out.alert, self.out.hands) if alert is not None)

    @property
    def is_asking(self) -> bool:
        return self.out.request is not None and self.out.request.is_active


@dataclass(slots=True)
class Motion:
    """The core and the world around it; `place_m` is the car, left of the middle of its first lane.

    `script` gives place and rate by the time since the mark; without, the car follows the core's plan exactly.
    """

    core: LaneChange
    speed_kmh: float = 100.0
    script: Callable[[float], tuple[float, float]] | None = None
    now_s: float = START_S
    mark_s: float = START_S
    has_resumed: bool = True
    said: list[Said] = field(default_factory=list)
    centring: str = "active"

    def place(self) -> tuple[float, float]:
        """Place and rate to the left."""
        t_s = self.now_s - self.mark_s
        if self.script is not None:
            return self.script(t_s)
        plan, state = self.core.state.plan, self.core.state.state
        if state not in MOVING or state is State.RETURN:
            return (plan.side * SPACING_M if state is State.RESUME or plan.base_m else 0.0), 0.0
        lead_s = self.core._control.lead_s(kmh_to_mps(self.speed_kmh))
        place_m, rate_mps, _ = plan.way.at(self.now_s - plan.moved_s - lead_s)
        return plan.side * place_m, plan.side * rate_mps

    def lane(self, left: dict[str, Any], right: dict[str, Any], **more: Any) -> Any:
        """The lane that the car is in now."""
        place_m, rate_mps = self.place()
        index = round(place_m / SPACING_M)
        return lane(
            self.now_s,
            lateral_m=place_m - index * SPACING_M,
            rate_mps=rate_mps,
            left=left,
            right=right,
            speed_mps=kmh_to_mps(self.speed_kmh),
            **more,
        )

    def hold(self, seconds: float, **changes: Any) -> list[Said]:
        """Go on with these inputs; a callable is asked with the time since the mark."""
        begin = len(self.said)
        for _ in range(max(1, round(seconds / STEP_S))):
            t_s = self.now_s - self.mark_s
            given = {key: value(t_s) if callable(value) else value for key, value in changes.items()}
            left, right = given.pop("left", OPEN), given.pop("right", OPEN)
            lane_ = given.pop("lane", {})
            hands = given.pop("hands", True)
            driver_ = given.pop("driver", {})
            objects = given.pop("objects", ())
            more = given.pop("vehicle", {})
            state = self.core.state.state
            # lane centring stands by while this function steers, and goes on when it has ended
            said = self.centring
            if said == "active" and (state in STEERING or not self.has_resumed):
                said = "standby"
            inputs: dict[str, Any] = {
                "lane": None if lane_ is None else self.lane(left, right, **lane_),
                "vehicle": vehicle(self.now_s, speed_kmh=self.speed_kmh, is_hands_on=hands, **more),
                "driver": driver(self.now_s, **driver_),
                "body": (BodyState(stamp_s=self.now_s, is_master_switch_on=True),),
                "objects": () if objects is None else (TrackedObjects(stamp_s=self.now_s, objects=tuple(objects)),),
                "horizon": (replace(motorway_map(), stamp_s=self.now_s),),
                "centring": (replace(status("lane_centring", said), stamp_s=self.now_s),),
            }
            inputs |= given
            place_m = self.place()[0]
            out = self.core.step(Inputs(**inputs), self.now_s)
            self.said.append(Said(t_s, out.status.state, out.status.reason, place_m, out))
            self.now_s += STEP_S
        return self.said[begin:]

    def mark(self) -> None:
        """Time zero from here on."""
        self.mark_s = self.now_s
        self.said.clear()


def fresh(chosen: AutomaticLaneChangeParams = PARAMS, vehicle_: Vehicle = CAR, **more: Any) -> Motion:
    """As after a start."""
    return Motion(LaneChange(chosen, MARKET.lane_centring, MARKET.lateral_control, vehicle_), **more)


def standby(
    chosen: AutomaticLaneChangeParams = PARAMS, vehicle_: Vehicle = CAR, seen: Any = (FAR,), **more: Any
) -> Motion:
    """Switched on, on a proven road, with somebody seen beyond the range of rear sensing; time zero is now."""
    motion = fresh(chosen, vehicle_, **more)
    script, motion.script = motion.script, lambda t_s: (0.0, 0.0)
    motion.hold(11.0, objects=seen)
    motion.hold(0.1, objects=seen, driver=ON)
    motion.hold(0.5, objects=seen)
    motion.script = script
    motion.mark()
    return motion


def states(said: list[Said]) -> list[str]:
    """The states, each once per entry."""
    found: list[str] = []
    for item in said:
        if not found or found[-1] != item.state:
            found.append(item.state)
    return found


def first(said: list[Said], state: str) -> float | None:
    """When a state was entered."""
    return next((item.t_s for item in said if item.state == state), None)


def told(said: list[Said], code: str) -> list[Alert]:
    """Every message of an alert."""
    return [alert for item in said for alert in item.alerts if alert.code == code and alert.is_active]


def glide(begin_s: float, touch_s: float, across_s: float) -> Callable[[float], tuple[float, float]]:
    """A car that moves to the left from `begin_s`; its tyre touches the marking, then all wheels are across."""
    touch_m, across_m = 0.875, 0.875 + 0.15 + 1.75

    def at(t_s: float) -> tuple[float, float]:
        if t_s <= begin_s:
            return 0.0, 0.0
        if t_s <= touch_s:
            rate = touch_m / (touch_s - begin_s)
            return rate * (t_s - begin_s), rate
        rate = (across_m - touch_m) / (across_s - touch_s)
        place_m = touch_m + rate * (t_s - touch_s)
        return (place_m, rate) if place_m < SPACING_M else (SPACING_M, 0.0)

    return at
