"""What is true in a drive: lanes, objects, signs and departures, as the signals that perception and functions use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adas_runtime.signals import (
    Alert,
    AlertLevel,
    AlertSide,
    Indicator,
    LaneBoundary,
    LaneModel,
    LaneSide,
    LimitKind,
    LimitSource,
    MarkingType,
    SignObservation,
    SignObservations,
    SpeedLimitState,
    TrackedObject,
    TrackedObjects,
)
from adas_runtime.synth.motion import Motion, Pose
from adas_runtime.synth.plan import BEYOND_LINE_M, Plan
from adas_runtime.synth.road import Marking

AUTHOR: Final = "truth"
FIT_ERROR_MAX_M: Final = 0.01  # a cubic follows a clothoid this well, or its range is shortened
FIT_RANGES_M: Final = (80.0, 60.0, 45.0, 30.0, 20.0)
SIGHT_M: Final = 150.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Departure:
    """One stretch of time in which a front tyre is on or over a line.

    Args:
        code: `lane_departure_*`: must be warned of; `lane_change_*`: indicated, must not; `lane_touch_*`: the tyre
            stayed within 0.3 m beyond the line, a warning is neither due nor wrong.
        side: +1 to the left, -1 to the right.
        is_indicated: The indicator of that side was on when the tyre touched the line.
        inner_s: The outer side of the nearest front tyre reaches the line's inner edge [s].
        outer_s: It leaves the line's outer edge; `None` where it never does [s].
        limit_s: It is 0.3 m beyond, the latest time of a warning (R130 6.5); `None` where it never is [s].
        end_s: No tyre touches the line any more, or the drive ends [s].
        rate_mps: Lateral speed at the touch [m/s].
        marking: The line.
    """

    code: str
    side: int
    is_indicated: bool
    inner_s: float
    outer_s: float | None
    limit_s: float | None
    end_s: float
    rate_mps: float
    marking: Marking

    @property
    def must_warn(self) -> bool:
        """A lane departure warning is due."""
        return self.code.startswith("lane_departure")

    @property
    def must_not_warn(self) -> bool:
        """A lane departure warning is wrong."""
        return self.code.startswith("lane_change")


def departures(plan: Plan, motion: Motion) -> tuple[Departure, ...]:
    """Every time that a front tyre touches a line, in order."""
    found: list[Departure] = []
    for marking in plan.road.markings:
        if marking.type is MarkingType.STUDS:
            continue
        half = marking.overall_width_m / 2.0
        in_force = np.array([marking in plan.road.lines_at(float(s)) for s in motion.s_m[::10]], dtype=bool).repeat(10)[
            : len(motion.t_s)
        ]
        touching = (motion.left_tyre_m > marking.d_m - half) & (motion.right_tyre_m < marking.d_m + half) & in_force
        edges = np.flatnonzero(np.diff(np.concatenate(([False], touching, [False])).astype(np.int8)))
        for begin, end in zip(edges[::2], edges[1::2], strict=True):
            before = max(int(begin) - 1, 0)
            side = 1 if motion.left_tyre_m[before] + motion.right_tyre_m[before] < 2.0 * marking.d_m else -1
            tyre = motion.left_tyre_m if side > 0 else motion.right_tyre_m
            beyond = side * (tyre - marking.d_m)  # of the tyre's outer side past the line's centre
            inner = _crossing(motion.t_s, beyond, -half, int(begin), int(end))
            outer = _crossing(motion.t_s, beyond, half, int(begin), int(end))
            limit = _crossing(motion.t_s, beyond, half + BEYOND_LINE_M, int(begin), int(end))
            inner_s = float(motion.t_s[begin]) if inner is None else inner
            wanted = Indicator.LEFT if side > 0 else Indicator.RIGHT
            indicated = plan.indicator_at(inner_s) in (wanted, Indicator.HAZARD)
            stem = "lane_change" if indicated else "lane_departure" if limit is not None else "lane_touch"
            found.append(
                Departure(
                    code=f"{stem}_{'left' if side > 0 else 'right'}",
                    side=side,
                    is_indicated=indicated,
                    inner_s=inner_s,
                    outer_s=outer,
                    limit_s=limit,
                    end_s=float(motion.t_s[min(int(end), len(motion.t_s) - 1)]),
                    rate_mps=abs(float(motion.lateral_rate_mps[begin])),
                    marking=marking,
                )
            )
    return tuple(sorted(found, key=lambda item: item.inner_s))


def _crossing(t_s: NDArray[np.float64], value: NDArray[np.float64], level: float, begin: int, end: int) -> float | None:
    """First time in [begin - 1, end) at which a value rises through a level, linear between samples."""
    for index in range(max(begin, 1), end):
        if value[index] >= level > value[index - 1]:
            share = (level - value[index - 1]) / (value[index] - value[index - 1])
            return float(t_s[index - 1] + share * (t_s[index] - t_s[index - 1]))
    return None


def alerts(events: tuple[Departure, ...], epoch_s: float) -> list[Alert]:
    """The truth about departures, as alerts: active from the touch to the end.

    The times that an evaluation needs stand in `cause` as `key=value` pairs, seconds since the drive's start.
    """
    said: list[Alert] = []
    for item in events:
        cause = " ".join(
            (
                f"indicator={'on' if item.is_indicated else 'off'}",
                f"rate_mps={item.rate_mps:.3f}",
                f"inner_s={item.inner_s:.3f}",
                f"outer_s={'none' if item.outer_s is None else f'{item.outer_s:.3f}'}",
                f"limit_s={'none' if item.limit_s is None else f'{item.limit_s:.3f}'}",
                f"end_s={item.end_s:.3f}",
                f"line={item.marking.type.name.lower()}",
                f"colour={item.marking.colour.name.lower()}",
            )
        )
        for stamp, active in ((item.inner_s, True), (item.end_s, False)):
            said.append(
                Alert(
                    stamp_s=epoch_s + stamp,
                    author=AUTHOR,
                    code=item.code,
                    is_active=active,
                    level=AlertLevel.WARNING if item.must_warn else AlertLevel.INFO,
                    side=AlertSide.LEFT if item.side > 0 else AlertSide.RIGHT,
                    is_optical=item.must_warn,
                    since_s=epoch_s + item.inner_s,
                    cause=cause,
                )
            )
    return sorted(said, key=lambda alert: alert.stamp_s)


def lanes(plan: Plan, pose: Pose, stamp_s: float) -> LaneModel:
    """The boundaries of the lane that the vehicle's origin is in, and the next ones, as cubics in the vehicle frame."""
    line = plan.road.line
    s_ego, d_ego = line.project(np.array([pose.x_m]), np.array([pose.y_m]), np.array([pose.s_guess_m]))
    here = [item for item in plan.road.lines_at(float(s_ego[0])) if not _is_companion(item, plan)]
    left = [item for item in here if item.d_m > d_ego[0]]
    right = [item for item in here if item.d_m <= d_ego[0]]
    chosen = [
        *zip((LaneSide.LEFT, LaneSide.NEXT_LEFT), reversed(left), strict=False),
        *zip((LaneSide.RIGHT, LaneSide.NEXT_RIGHT), right, strict=False),
    ]
    return LaneModel(
        stamp_s=stamp_s,
        boundaries=tuple(_boundary(plan, pose, float(s_ego[0]), side, item) for side, item in chosen),
        camera_pitch_rad=None,
        is_calibrated=True,
        reason="ground truth",
    )


def _is_companion(item: Marking, plan: Plan) -> bool:
    """Studs in the gaps of a dashed line belong to that line."""
    return item.type is MarkingType.STUDS and any(
        other.type is MarkingType.DASHED and abs(other.d_m - item.d_m) < 0.01 for other in plan.road.markings
    )


def _boundary(plan: Plan, pose: Pose, s_ego: float, side: LaneSide, item: Marking) -> LaneBoundary:
    reach = min(FIT_RANGES_M[0], max(item.s_end_m - s_ego, FIT_RANGES_M[-1]))
    coefficients, error = np.zeros(4), np.inf
    for far in (reach, *(value for value in FIT_RANGES_M[1:] if value < reach)):
        reach = far
        s = s_ego + np.linspace(-3.0, far + 6.0, 64)
        x, y = pose.to_vehicle(*plan.road.line.point(s, item.d_m))
        inside = (x >= -1.0) & (x <= far + 1.0)
        x, y = x[inside], y[inside]
        scaled = x / far
        design = np.stack([scaled**power for power in range(4)], axis=1)
        fit, *_ = np.linalg.lstsq(design, y, rcond=None)
        error = float(np.max(np.abs(design @ fit - y)))
        coefficients = fit / far ** np.arange(4)
        if error <= FIT_ERROR_MAX_M:
            break
    return LaneBoundary(
        side=side,
        c0_m=float(coefficients[0]),
        c1=float(coefficients[1]),
        c2_1pm=float(coefficients[2]),
        c3_1pm2=float(coefficients[3]),
        x_min_m=0.0,
        x_max_m=reach,
        type=item.type,
        colour=item.colour,
        confidence=1.0,
        offset_std_m=min(error, 20.0),
        width_m=item.width_m,
    )


def objects(plan: Plan, pose: Pose, t_s: float, stamp_s: float) -> TrackedObjects:
    """Other road users within sight, nearest first. Speeds are over ground, in the vehicle's axes."""
    found: list[TrackedObject] = []
    for actor in plan.actors:
        s, speed, accel = plan.actor_state(actor, t_s)
        if abs(s - pose.s_guess_m) > SIGHT_M + 20.0:
            continue
        at = np.array([s])
        x, y = pose.to_vehicle(*plan.road.line.point(at, actor.d_m))
        heading = float(plan.road.line.heading_at(at)[0]) - pose.heading_rad + (np.pi if actor.is_opposing else 0.0)
        heading = float((heading + np.pi) % (2.0 * np.pi) - np.pi)
        # nearest point along x of the box around the actor's centre
        reach = abs(np.cos(heading)) * actor.length_m / 2.0 + abs(np.sin(heading)) * actor.width_m / 2.0
        near = float(x[0] - np.sign(x[0]) * reach)
        if abs(near) > SIGHT_M:
            continue
        found.append(
            TrackedObject(
                object_id=actor.object_id,
                object_class=actor.object_class,
                x_m=float(near),
                y_m=float(y[0]),
                speed_x_mps=speed * float(np.cos(heading)),
                speed_y_mps=speed * float(np.sin(heading)),
                accel_x_mps2=accel * float(np.cos(heading)),
                yaw_rad=heading,
                length_m=actor.length_m,
                width_m=actor.width_m,
                x_std_m=0.0,
                y_std_m=0.0,
                speed_x_std_mps=0.0,
                confidence=1.0,
                age_s=t_s,
                sources=(AUTHOR,),
            )
        )
    return TrackedObjects(stamp_s=stamp_s, objects=tuple(sorted(found, key=lambda item: abs(item.x_m))))


def signs(plan: Plan, pose: Pose, stamp_s: float) -> SignObservations:
    """Signs ahead within sight, nearest first."""
    found: list[SignObservation] = []
    for sign in plan.signs:
        x, y = pose.to_vehicle(*plan.road.line.point(np.array([sign.s_m]), sign.d_m))
        if 0.0 < x[0] < 100.0 and abs(y[0]) < 50.0:  # not round the corner of another road
            found.append(
                SignObservation(
                    kind=sign.kind,
                    value_mps=sign.value_mps,
                    unit=sign.unit,
                    x_m=float(x[0]),
                    y_m=float(y[0]),
                    confidence=1.0,
                )
            )
    return SignObservations(stamp_s=stamp_s, signs=tuple(sorted(found, key=lambda item: item.x_m or 0.0)))


def limit(plan: Plan, s_m: float, stamp_s: float, country: str) -> SpeedLimitState:
    """The limit in force: of the stretch of road that the car is on; where nobody can tell, none is asserted.

    `reason` names the type of road as type approval counts it: `urban`, `rural` or `motorway`.
    """
    here = next(stretch for stretch in reversed(plan.stretches) if stretch.s_m <= s_m)
    is_known = here.limit is not None
    return SpeedLimitState(
        stamp_s=stamp_s,
        limit_mps=None if here.limit is None else plan.unit.mps(here.limit),
        kind=LimitKind.EXPLICIT if is_known else LimitKind.UNKNOWN,
        source=LimitSource.NONE if not is_known else LimitSource.SIGN if here.is_signed else LimitSource.MAP,
        unit=plan.unit,
        condition=here.condition,
        confidence=1.0,
        reason=here.area,
        country=country,
    )
