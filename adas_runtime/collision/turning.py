"""Whom we meet while we turn: two ways, each as wide as who takes it, and whether both are in one place at one time.

On a straight road it is enough to carry everybody on to the moment when our front reaches him. In a turn our front
comes round from the side, and whoever comes towards us is across our way before long. So the turn itself is drawn
ahead: our box along the bend that the wheel makes now, and the other one's along its own course. What stands is not
judged here: the bend that a wheel makes for a moment points at everything beside a junction.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

STEP_S: Final = 0.1
AHEAD_S: Final = 2.0  # so far: beyond, neither turns nor goes as he does now
STEPS: Final = round(AHEAD_S / STEP_S)
GROWS_S: Final = 0.5  # the wheel goes on turning for so long: half of what a turn into a side road takes [D]
BACK_S: Final = 0.7  # or goes back to straight in that time [D]
CURVATURE_MAX_1PM: Final = 0.22  # no car turns tighter
SPEED_UP_MAX_MPS2: Final = 3.0
BESIDE_M: Final = 0.4  # room for both one's mirrors
HALVINGS: Final = 4  # of a step: 6 ms
TURNING_RPS: Final = 0.12  # who turns less goes straight on, as far as his speed tells [D]

INSIDE: Final = 0.2  # sine of the course [D]

Pose = tuple[float, float, float, float, float]  # middle [m], cosine and sine of the direction, way [m]


@dataclass(frozen=True, slots=True)
class Box:
    """Half of a length and half of a width [m]."""

    along_m: float
    across_m: float


@dataclass(frozen=True, slots=True)
class Turn:
    """Our way from the moment of the message on, in the vehicle frame of that moment, a pose every STEP_S.

    Args:
        ways: As the wheel turns now.
        back: As it would go where the wheel went back to straight.
        speed_mps: At the start.
        curvature_1pm: By now.
    """

    ways: tuple[Pose, ...]
    back: tuple[Pose, ...]
    speed_mps: float
    curvature_1pm: float


@dataclass(frozen=True, slots=True)
class Other:
    """A road user, by its middle in the same frame.

    Args:
        x_m, y_m: Its middle.
        course_rad, speed_mps, accel_mps2: Over ground; braking negative.
        turn_rps: How fast its course turns.
    """

    x_m: float
    y_m: float
    course_rad: float
    speed_mps: float
    accel_mps2: float
    turn_rps: float
    box: Box


@dataclass(frozen=True, slots=True)
class Meeting:
    """Where two ways meet.

    Args:
        entry_m: Our way until we would be in the room that the other one passes through.
        touch_s: When both would be there; `inf`: not both at once, as far as is drawn.
        is_ahead: The other one is then before our front, rather than beside us.
        is_sure: Also where the wheel goes back.
        is_from_inside: A vehicle that comes from the side that we turn to, towards the other one: as oncoming traffic
            does all along a bend. Whoever has the right of way before our turn goes to the side that we turn to.
    """

    entry_m: float
    touch_s: float
    is_ahead: bool
    is_sure: bool
    is_from_inside: bool


def drawn(
    speed_mps: float, accel_mps2: float, curvature_1pm: float, curvature_rate_1pms: float, middle_m: float
) -> Turn:
    """Our way ahead.

    Args:
        accel_mps2: Ours, which goes on: a driver who waits for the other one, or who hurries, is believed.
        curvature_1pm: Of the way of the rear axle.
        curvature_rate_1pms: Its change in time.
        middle_m: From the rear axle to the middle of the car.
    """
    grown = curvature_1pm + GROWS_S * curvature_rate_1pms
    if grown * curvature_1pm < 0.0:
        grown = 0.0  # a wheel that goes back stops in the middle, as far as is known
    grown = min(max(grown, -CURVATURE_MAX_1PM), CURVATURE_MAX_1PM)
    return Turn(
        _poses(speed_mps, accel_mps2, curvature_1pm, grown, GROWS_S, middle_m),
        _poses(speed_mps, accel_mps2, curvature_1pm, 0.0, BACK_S, middle_m),
        speed_mps,
        curvature_1pm,
    )


def _poses(
    speed_mps: float, accel_mps2: float, curvature_1pm: float, last_1pm: float, lasts_s: float, middle_m: float
) -> tuple[Pose, ...]:
    x_m = y_m = turned = way_m = 0.0
    found = [(middle_m, 0.0, 1.0, 0.0, 0.0)]
    accel_mps2 = min(accel_mps2, SPEED_UP_MAX_MPS2)
    for step in range(STEPS):
        mid_s = (step + 0.5) * STEP_S
        step_m = max(speed_mps + accel_mps2 * mid_s, 0.0) * STEP_S
        share = min(mid_s / lasts_s, 1.0)
        turn = (curvature_1pm + share * (last_1pm - curvature_1pm)) * step_m
        x_m += step_m * math.cos(turned + 0.5 * turn)
        y_m += step_m * math.sin(turned + 0.5 * turn)
        turned += turn
        way_m += step_m
        cosine, sine = math.cos(turned), math.sin(turned)
        found.append((x_m + middle_m * cosine, y_m + middle_m * sine, cosine, sine, way_m))
    return tuple(found)


def touches(pose: Pose, own: Box, x_m: float, y_m: float, cosine: float, sine: float, box: Box) -> bool:
    """Whether our box at a pose touches another one, by their separating axes."""
    own_x, own_y, own_cosine, own_sine, _ = pose
    east, north = x_m - own_x, y_m - own_y
    along = abs(own_cosine * cosine + own_sine * sine)
    across = abs(sine * own_cosine - cosine * own_sine)
    return (
        abs(east * own_cosine + north * own_sine) <= own.along_m + box.along_m * along + box.across_m * across
        and abs(north * own_cosine - east * own_sine) <= own.across_m + box.along_m * across + box.across_m * along
        and abs(east * cosine + north * sine) <= box.along_m + own.along_m * along + own.across_m * across
        and abs(north * cosine - east * sine) <= box.across_m + own.along_m * across + own.across_m * along
    )


def entry_m(poses: tuple[Pose, ...], own: Box, other: Other) -> float | None:
    """Our way until we touch the room that the other one passes through as it goes straight on; `None`: never."""
    reach_m = other.speed_mps * AHEAD_S
    cosine, sine = math.cos(other.course_rad), math.sin(other.course_rad)
    x_m, y_m = other.x_m + 0.5 * reach_m * cosine, other.y_m + 0.5 * reach_m * sine
    room = Box(other.box.along_m + 0.5 * reach_m, other.box.across_m + BESIDE_M)
    former = poses[0]
    if touches(former, own, x_m, y_m, cosine, sine, room):
        return 0.0
    for pose in poses[1:]:
        if touches(pose, own, x_m, y_m, cosine, sine, room):
            for _ in range(HALVINGS):
                middle = _between(former, pose)
                if touches(middle, own, x_m, y_m, cosine, sine, room):
                    pose = middle
                else:
                    former = middle
            return former[4]
        former = pose
    return None


def _between(one: Pose, other: Pose) -> Pose:
    x_m, y_m, cosine, sine, way_m = (0.5 * (a + b) for a, b in zip(one, other, strict=True))
    norm = math.hypot(cosine, sine) or 1.0
    return x_m, y_m, cosine / norm, sine / norm, way_m


def touch_s(poses: tuple[Pose, ...], own: Box, other: Other, turn_rps: float) -> tuple[float, bool] | None:
    """When both are in one place, and whether the other one is before our front then; `None`: not as far as is drawn.

    Args:
        turn_rps: How fast the other one's course turns from now on.
    """
    x_m, y_m, course = other.x_m, other.y_m, other.course_rad
    cosine, sine = math.cos(course), math.sin(course)
    for step, pose in enumerate(poses):
        if touches(pose, own, x_m, y_m, cosine, sine, other.box):
            east, north = x_m - pose[0], y_m - pose[1]
            return step * STEP_S, east * pose[2] + north * pose[3] > own.along_m - own.across_m
        if turn_rps:
            course += turn_rps * STEP_S
            cosine, sine = math.cos(course), math.sin(course)
        step_m = max(other.speed_mps + other.accel_mps2 * (step + 0.5) * STEP_S, 0.0) * STEP_S
        x_m += step_m * cosine
        y_m += step_m * sine
    return None


def meeting(turn: Turn, own: Box, other: Other, *, is_walking: bool, is_braked_for: bool) -> Meeting | None:
    """Where and when we meet; `None`: we do not.

    Both have to be there at once, also where the other one goes on turning as it does: in a bend that it takes as we
    do, only its straight line is across our way. And a wheel that goes back must not keep us out of its way: at the
    end of a turn, the bend that is still driven points at who waits beside the road that we turn into.

    Args:
        is_walking: It has no lane and turns on the spot: the last two are asked of vehicles alone.
        is_braked_for: It is met until it is past, whenever we would be there: braking for it changed the times.
    """
    entry = entry_m(turn.ways, own, other)
    if entry is None:
        return None
    found = touch_s(turn.ways, own, other, 0.0)
    if found is None:
        return Meeting(entry, math.inf, True, True, False) if is_braked_for else None
    is_sure, is_from_inside = is_walking or is_braked_for, False
    if not is_sure:
        side = math.copysign(1.0, turn.curvature_1pm)
        if other.turn_rps * side < -TURNING_RPS:
            return None
        is_from_inside = side * math.sin(other.course_rad) < -INSIDE
        if abs(other.turn_rps) >= TURNING_RPS and touch_s(turn.ways, own, other, other.turn_rps) is None:
            return None
        is_sure = entry_m(turn.back, own, other) is not None
    return Meeting(entry, *found, is_sure, is_from_inside)
