"""What the first messages of a topic say of themselves: axes, units, and whether a value was measured at all.

Peers' recordings carry forward speed in `twist.linear.z`, yaw rates in degrees, twists in the map's axes and angular
rates that nobody filled in. Each check holds one quantity against another that was measured independently, the way
covered against the speed, gravity against the axes, and says what it concluded and what it could not judge.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from adas_runtime.inputs.feed import DIRECTIONS, Axes, Survey
from adas_runtime.units import GRAVITY_MPS2

Array = npt.NDArray[np.float64]

MOVING_MPS: Final = 0.5
PAIRS_MIN: Final = 5
STEP_S: Final = (0.15, 2.0)  # between two poses that are compared
TURN_MIN_RPS: Final = 0.03  # less turning than this shows no sign and no unit
DEG: Final = math.pi / 180.0
_EARTH_M: Final = 6_371_000.0


@dataclass(slots=True)
class Series:
    """A quantity over time; times in seconds, ascending."""

    times_s: Array
    values: Array

    def at(self, times_s: Array) -> Array:
        """Values at other times, linear between; NaN outside."""
        if len(self.times_s) < 2:
            return np.full(len(times_s), np.nan)
        found: Array = np.interp(times_s, self.times_s, self.values, left=np.nan, right=np.nan)
        return found


@dataclass(slots=True)
class Motion:
    """What is known of the drive independently of the topic under judgement; `None` where nothing is."""

    speed: Series | None = None
    yaw_rate: Series | None = None
    source: str = ""


@dataclass(slots=True)
class Reading:
    """How to read a topic.

    `axes` are rows of the matrix from the message's axes to forward, left, up; a row of zeros: unknown. Factors are
    `None` where the quantity must not be used.
    """

    axes: Array = field(default_factory=lambda: np.eye(3))
    is_map_frame: bool = False
    speed_factor: float | None = 1.0
    yaw_factor: float | None = 1.0
    accel_factor: float | None = 1.0
    notes: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Say it beside the topic and among the warnings."""
        self.notes.append(text)
        self.warnings.append(text)


def matrix_of(axes: Axes) -> Array:
    """The matrix from a message's axes, named by where they point, to forward, left, up."""
    rows = np.zeros((3, 3))
    for column, name in enumerate(axes):
        place = DIRECTIONS.index(name)
        rows[place // 2, column] = 1.0 if place % 2 == 0 else -1.0
    return rows


def axes_text(axes: Array) -> str:
    """Where the message's x, y and z point, such as `x forward, y left, z up`."""
    words = []
    for column, name in enumerate("xyz"):
        found = [
            DIRECTIONS[2 * row + (0 if axes[row, column] > 0.0 else 1)]
            for row in range(3)
            if abs(axes[row, column]) > 0.5
        ]
        if found:
            words.append(f"{name} {found[0]}")
    return ", ".join(words)


# --- odometry and twist -----------------------------------------------------------------------------------------------


def _vector(value: Any) -> tuple[float, float, float]:
    return float(value.x), float(value.y), float(value.z)


def _columns(
    survey: Survey, read: Callable[[Any], Sequence[float]], stamp: Callable[[Any], float | None]
) -> tuple[Array, Array]:
    """Times and values, rows that are not finite left out. Stamps, where they run like the recording's clock."""
    rows = np.array([read(message) for message in survey.messages], dtype=np.float64)
    if not len(rows):
        return np.zeros(0), np.zeros((0, 1))
    times = np.array(survey.times_s)
    stamps = [stamp(message) for message in survey.messages]
    own_times = np.array([log_s if own is None else own for log_s, own in zip(survey.times_s, stamps, strict=True)])
    rows[:, ~np.any(np.isfinite(rows), axis=0)] = 0.0  # NaN throughout: a component that the sender does not measure
    whole = np.all(np.isfinite(rows), axis=1)
    rows, times, own_times = rows[whole], times[whole], own_times[whole]
    if len(times) > 1:
        span, own_span = times[-1] - times[0], own_times[-1] - own_times[0]
        runs_alike = span > 0.0 and abs(own_span / span - 1.0) < 0.02
        if runs_alike and bool(np.all(np.diff(own_times) > 0.0)):
            times = own_times - own_times[0] + times[0] if abs(own_times[0] - times[0]) > 1.0 else own_times
        elif not np.all(np.diff(times) > 0.0):
            keep = np.concatenate([[True], np.diff(np.maximum.accumulate(times)) > 0.0])
            return times[keep], rows[keep]
    return times, rows


def _pairs(times: Array) -> list[tuple[int, int]]:
    found = []
    first = 0
    for index in range(1, len(times)):
        gap = times[index] - times[first]
        if gap < STEP_S[0]:
            continue
        if gap <= STEP_S[1]:
            found.append((first, index))
        first = index
    return found


def _rotation(q: Array) -> Array:
    """Rotation matrices of quaternions x y z w, (n, 3, 3); all-zero ones are taken as no rotation."""
    norm = np.linalg.norm(q, axis=1)
    unit = np.where(norm[:, None] > 1e-9, q / np.maximum(norm, 1e-9)[:, None], np.array([0.0, 0.0, 0.0, 1.0]))
    x, y, z, w = unit.T
    return np.stack(
        [
            np.stack([1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)], axis=1),
            np.stack([2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)], axis=1),
            np.stack([2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)], axis=1),
        ],
        axis=1,
    )


def read_odometry(
    survey: Survey, stamp: Callable[[Any], float | None], stated: Axes | None, rate_unit: str | None
) -> tuple[Reading, Motion]:
    """How an odometry is to be read, and the motion that its poses tell."""
    reading = Reading()
    if stated is not None:
        reading.axes = matrix_of(stated)

    def row(m: Any) -> list[float]:
        p, q, t = m.pose.pose.position, m.pose.pose.orientation, m.twist.twist
        return [*_vector(p), float(q.x), float(q.y), float(q.z), float(q.w), *_vector(t.linear), *_vector(t.angular)]

    times, rows = _columns(survey, row, stamp)
    pairs = _pairs(times)
    if not pairs:
        if stated is None:
            reading.notes.append("axes not checked: x taken as forward, as ROS has it")
        reading.yaw_factor = DEG if rate_unit == "deg/s" else 1.0
        return reading, Motion()
    first, second = (np.array(side) for side in zip(*pairs, strict=True))
    gap = times[second] - times[first]
    middle = 0.5 * (times[first] + times[second])
    way = np.hypot(*(rows[second, :2] - rows[first, :2]).T) / gap
    rotations = _rotation(rows[:, 3:7])
    linear = 0.5 * (rows[first, 7:10] + rows[second, 7:10])
    angular = 0.5 * (rows[first, 10:13] + rows[second, 10:13])
    moving = way > MOVING_MPS
    if stated is None:
        _find_forward(reading, way, linear, moving, rotations)
    forward = reading.axes[0]
    facing = rotations @ forward
    heading = np.unwrap(np.arctan2(facing[:, 1], facing[:, 0]))
    turn = (heading[second] - heading[first]) / gap
    if np.ptp(heading) < 1e-6 and moving.any():  # no orientation was filled in: the path tells
        course = np.unwrap(np.arctan2(*(rows[second, :2] - rows[first, :2]).T[::-1]))
        turn = np.gradient(course, middle) if len(course) > 2 else np.zeros(len(course))
        turn = np.where(moving, turn, 0.0)
    yaw = angular @ reading.axes[2]
    _find_rate(reading, yaw, turn, rate_unit, "the heading")
    sign = np.sign(np.median(linear[moving] @ forward)) if moving.any() and not reading.is_map_frame else 1.0
    motion = Motion(speed=Series(middle, way * (sign or 1.0)), yaw_rate=Series(middle, turn))
    return reading, motion


def _find_forward(reading: Reading, way: Array, linear: Array, moving: Array, rotations: Array) -> None:
    """Forward by the way covered, up by the orientation, left by the right hand."""
    vertical = np.median(rotations[:, 2, :], axis=0)  # the world's up in the message's axes
    place = int(np.argmax(np.abs(vertical)))
    up = np.zeros(3)
    if abs(vertical[place]) > 0.85:
        up[place] = math.copysign(1.0, vertical[place])
    if moving.sum() < PAIRS_MIN:
        if up[0] != 0.0:
            reading.speed_factor = reading.yaw_factor = None
            reading.warn("the car does not move and x stands upright: which axis carries the speed is not known")
        else:
            reading.notes.append("the car does not move: axes not checked, x taken as forward")
        return
    errors = [float(np.median(np.abs(way - np.abs(linear[:, axis]))[moving])) for axis in range(3)]
    typical = float(np.median(way[moving]))
    best = int(np.argmin(errors))
    limit = 0.3 + 0.1 * typical
    if errors[0] <= 2.0 * errors[best] + 0.2 and errors[0] <= limit:
        forward = np.array([1.0, 0.0, 0.0])
        if up.any() and up[0] == 0.0:
            reading.axes = np.stack([forward, np.cross(up, forward), up])
        return
    length = np.hypot(linear[:, 0], linear[:, 1])
    if errors[best] > limit and float(np.median(np.abs(way - length)[moving])) <= limit:
        reading.is_map_frame = True
        reading.warn(
            "the twist is in the map's axes, against its definition: the speed is its part along the car's heading"
        )
        return
    if errors[best] > limit:
        ratio = float(np.median((np.abs(linear[:, 0]) / np.maximum(way, 1e-6))[moving]))
        reading.speed_factor = None
        reading.warn(
            f"no axis of the twist agrees with the way covered (x tells {ratio:.2f} times its speed): "
            "the speed is not used"
        )
        return
    sign = 1.0 if np.median(linear[moving, best]) >= 0.0 else -1.0
    forward = np.zeros(3)
    forward[best] = sign
    name = "xyz"[best]
    reading.warn(
        f"the way covered agrees with twist.linear.{name} (off by {errors[best]:.2f} m/s), not with x "
        f"(off by {errors[0]:.2f} m/s): the speed is taken from {'-' if sign < 0 else ''}{name}"
    )
    if not up.any() or up[best] != 0.0:
        reading.axes = np.stack([forward, np.zeros(3), np.zeros(3)])
        reading.yaw_factor = None
        return
    reading.axes = np.stack([forward, np.cross(up, forward), up])


def _find_rate(reading: Reading, yaw: Array, turn: Array, stated: str | None, against: str) -> None:
    """Unit and sign of a yaw rate by an independent one."""
    if stated is not None:
        reading.yaw_factor = DEG if stated == "deg/s" else 1.0
        return
    if reading.yaw_factor is None:
        return
    good = np.isfinite(yaw) & np.isfinite(turn)
    yaw, turn = yaw[good], turn[good]
    if not len(yaw):
        return
    if not np.any(yaw):
        if np.any(np.abs(turn) > 1e-4):
            reading.yaw_factor = None
            reading.notes.append("its angular rates are all zero: not measured, not used")
        return
    if np.sum(np.abs(turn) > TURN_MIN_RPS) < PAIRS_MIN:
        return  # hardly a bend: nothing to judge by
    likeness = _correlation(yaw, turn)
    slope = float(yaw @ turn / (yaw @ yaw))
    if likeness is None or abs(likeness) < 0.8:
        reading.yaw_factor = None
        reading.warn(f"its yaw rate does not follow {against}: not used")
        return
    size = abs(slope)
    for unit, factor in (("rad/s", 1.0), ("deg/s", DEG)):
        if 0.7 <= size / factor <= 1.4:
            reading.yaw_factor = math.copysign(factor, slope)
            if unit == "deg/s":
                reading.warn(f"its angular rates are in degrees a second, by {against}: converted")
            if slope < 0.0:
                reading.warn(f"its yaw rate is positive to the right, by {against}: turned")
            return
    reading.yaw_factor = None
    reading.warn(f"its yaw rate is {1.0 / size:.2f} times what {against} tells: not used")


def read_twist(
    survey: Survey,
    stamp: Callable[[Any], float | None],
    twist: Callable[[Any], Any],
    stated: Axes | None,
    rate_unit: str | None,
    motion: Motion,
) -> Reading:
    """How a twist without a pose is to be read."""
    reading = Reading()
    if stated is not None:
        reading.axes = matrix_of(stated)
    times, rows = _columns(survey, lambda m: [*_vector(twist(m).linear), *_vector(twist(m).angular)], stamp)
    if len(times) < 2:
        if stated is None:
            reading.notes.append("axes not checked: x taken as forward, as ROS has it")
        reading.yaw_factor = DEG if rate_unit == "deg/s" else 1.0
        return reading
    linear, yaw = rows[:, :3], rows[:, 3:] @ reading.axes[2]
    if stated is None:
        length = np.hypot(linear[:, 0], linear[:, 1])
        moving = length > MOVING_MPS
        if moving.sum() >= PAIRS_MIN and float(np.median(np.abs(linear[moving, 1]) / length[moving])) > 0.3:
            # a car cannot drive sideways; satellite receivers send east and north
            reading.speed_factor = None
            reading.yaw_factor = None
            reading.warn("its velocity points across the car: east and north, not the car's axes; not used")
            return reading
    speed = linear @ reading.axes[0]
    _find_speed_unit(reading, Series(times, speed), motion)
    if np.any(np.abs(linear) > MOVING_MPS) and not np.any(rows[:, 3:]):
        reading.yaw_factor = None
        reading.notes.append("its angular rates are all zero: not measured, not used")
    elif motion.yaw_rate is not None:
        _find_rate(reading, yaw, motion.yaw_rate.at(times), rate_unit, motion.source)
    elif rate_unit == "deg/s":
        reading.yaw_factor = DEG
    return reading


def _find_speed_unit(reading: Reading, speed: Series, motion: Motion) -> None:
    """A twist is in m/s by its definition; another source of speed may contradict that."""
    factor = speed_factor(speed, motion.speed)
    if factor is not None and factor != 1.0:
        reading.speed_factor = factor
        unit = "km/h" if factor < 0.3 else "mph"
        reading.warn(f"its speed is in {unit}, by {motion.source}: converted")


def speed_factor(speed: Series, known: Series | None) -> float | None:
    """From a speed's own unit to m/s by another source; `None` where that cannot be judged."""
    if known is None:
        return None
    there = np.abs(known.at(speed.times_s))
    good = np.isfinite(there) & (there > 2.0) & np.isfinite(speed.values) & (np.abs(speed.values) > 1.0)
    if good.sum() < 4 * PAIRS_MIN:
        return None
    ratios = there[good] / np.abs(speed.values[good])
    ratio = float(np.median(ratios))
    if float(np.median(np.abs(ratios / ratio - 1.0))) > 0.1:
        return None
    for factor in (1.0, 1.0 / 3.6, 0.44704):
        if abs(ratio / factor - 1.0) < 0.15:
            return factor
    return None


def speed_from_fixes(survey: Survey, stamp: Callable[[Any], float | None]) -> Series | None:
    """Speed by the way between satellite fixes; `None` where there are too few."""

    def row(m: Any) -> list[float]:
        if m.status.status < 0:
            return [math.nan, math.nan]
        return [float(m.latitude), float(m.longitude)]

    times, rows = _columns(survey, row, stamp)
    found: list[tuple[float, float]] = []
    first = 0
    for index in range(1, len(times)):
        gap = times[index] - times[first]
        if gap < 0.9:  # metres of noise must not become speed
            continue
        if gap <= 3.0:
            north = math.radians(rows[index, 0] - rows[first, 0]) * _EARTH_M
            east = math.radians(rows[index, 1] - rows[first, 1]) * _EARTH_M * math.cos(math.radians(rows[index, 0]))
            found.append((0.5 * (times[index] + times[first]), math.hypot(north, east) / gap))
        first = index
    if len(found) < PAIRS_MIN:
        return None
    return Series(np.array([t for t, _ in found]), np.array([v for _, v in found]))


# --- inertial ---------------------------------------------------------------------------------------------------------


def read_imu(
    survey: Survey,
    stamp: Callable[[Any], float | None],
    stated: Axes | None,
    rate_unit: str | None,
    accel_unit: str | None,
    motion: Motion,
) -> Reading:
    """How an inertial sensor is mounted: up by gravity, forward by the change of speed."""
    reading = Reading()
    times, rows = _columns(survey, lambda m: [*_vector(m.linear_acceleration), *_vector(m.angular_velocity)], stamp)
    known = {"g": GRAVITY_MPS2, "m/s^2": 1.0}
    if len(times) == 0:
        if stated is None:
            reading.accel_factor = reading.yaw_factor = None
            reading.warn("its mounting is not known, not used; state its axes in the input map")
            return reading
        reading.axes = matrix_of(stated)
        reading.accel_factor = known.get(accel_unit or "m/s^2")
        reading.yaw_factor = DEG if rate_unit == "deg/s" else 1.0
        return reading
    rest = np.median(rows[:, :3], axis=0)
    size = float(np.linalg.norm(rest))
    in_g = abs(size - 1.0) < 0.15
    has_gravity = in_g or abs(size - GRAVITY_MPS2) < 1.5
    place = int(np.argmax(np.abs(rest)))
    is_upright = has_gravity and abs(rest[place]) > 0.85 * size
    reading.accel_factor = known[accel_unit] if accel_unit else GRAVITY_MPS2 if in_g else 1.0
    if in_g and accel_unit is None and has_gravity:
        reading.warn("its accelerations are in g, by gravity: converted")
    up = np.zeros(3)
    if is_upright:
        up[place] = math.copysign(1.0, rest[place])
    if stated is not None:
        reading.axes = matrix_of(stated)
        if is_upright and float(reading.axes[2] @ up) < 0.5:
            reading.warn(
                f"gravity shows that {'' if up[place] > 0 else '-'}{'xyz'[place]} points up, the input map says "
                f"{axes_text(reading.axes)}: the map is followed"
            )
    elif not is_upright:
        reading.accel_factor = reading.yaw_factor = None
        told = " ".join(f"{value:.1f}" for value in rest)
        why = "no gravity in its accelerations" if not has_gravity else "no axis of it points up"
        reading.notes.append(f"{why} ({told}): mounting unknown, not used; state its axes in the input map")
        return reading
    else:
        forward, is_seen = _find_ahead(times, rows[:, :3], up, motion)
        if forward is None:
            reading.axes = np.stack([np.zeros(3), np.zeros(3), up])
            reading.accel_factor = None
            reading.notes.append(
                f"{'' if up[place] > 0 else '-'}{'xyz'[place]} points up by gravity, but which axis points ahead is "
                "not known: of it only the yaw rate is used"
            )
        else:
            reading.axes = np.stack([forward, np.cross(up, forward), up])
            how = "by gravity and by the change of speed" if is_seen else "up by gravity; x taken as ahead, not checked"
            reading.notes.append(f"{axes_text(reading.axes)} ({how})")
    yaw = rows[:, 3:] @ reading.axes[2]
    if not np.any(rows[:, 3:]):
        reading.yaw_factor = None
        reading.notes.append("its angular rates are all zero: not measured, not used")
    elif motion.yaw_rate is not None:
        _find_rate(reading, _smooth(times, yaw), motion.yaw_rate.at(times), rate_unit, motion.source)
    elif rate_unit is not None:
        reading.yaw_factor = DEG if rate_unit == "deg/s" else 1.0
    elif in_g:
        reading.yaw_factor = None
        reading.warn("unit of its angular rates not known: not used; state rate_unit in the input map")
    return reading


def _find_ahead(times: Array, accel: Array, up: Array, motion: Motion) -> tuple[Array | None, bool]:
    """The axis that points ahead, and whether the change of speed shows it."""
    level = [axis for axis in range(3) if up[axis] == 0.0]
    if motion.speed is not None:
        grid = np.arange(times[0], times[-1], 0.5)
        speed = motion.speed.at(grid)
        good = np.isfinite(speed)
        if good.sum() >= 4 * PAIRS_MIN:
            grid, change = grid[good], np.gradient(_boxed(speed[good], 3), 0.5)
            if float(np.std(change)) > 0.15:
                found = []
                for axis in level:
                    felt = np.interp(grid, times, _smooth(times, accel[:, axis]))
                    found.append((_correlation(_boxed(felt, 3), change) or 0.0, axis))
                found.sort(key=lambda item: -abs(item[0]))
                if abs(found[0][0]) > 0.5 and abs(found[0][0]) > abs(found[1][0]) + 0.2:
                    ahead = np.zeros(3)
                    ahead[found[0][1]] = math.copysign(1.0, found[0][0])
                    return ahead, True
    if up[2] == 0.0:
        return None, False
    return np.array([1.0, 0.0, 0.0]), False


# --- steering ---------------------------------------------------------------------------------------------------------


def steering_factor(angle: Series, speed: Series | None, yaw_rate: Series | None) -> tuple[float | None, str]:
    """From a steering topic's own unit to wheel angle, left positive [rad], by the bends driven; and why (not).

    The wheel's angle over the path's curvature is steering ratio times wheelbase: 30 to 60 rad m for road cars, 20 to
    110 taken here. The road wheels' own angle has about 2 to 6: that is no steering wheel.
    """
    if speed is None or yaw_rate is None:
        return None, "nothing to judge it by"
    v, w = speed.at(angle.times_s), yaw_rate.at(angle.times_s)
    good = np.isfinite(v) & np.isfinite(w) & (v > 2.0) & np.isfinite(angle.values)
    if good.sum() < 4 * PAIRS_MIN:
        return None, "the car hardly moves, so its unit cannot be judged"
    bend = w[good] / v[good]
    value = angle.values[good]
    if np.sum(np.abs(bend) > 0.004) < 4 * PAIRS_MIN:
        return None, "the road hardly bends, so its unit cannot be judged"
    likeness = _correlation(value, bend)
    slope = float(value @ bend / (bend @ bend))
    if likeness is None or abs(likeness) < 0.7:
        return None, "it does not follow the bends driven"
    size = abs(slope)
    side = "" if slope > 0.0 else ", right positive: turned"
    for unit, factor in (("rad", 1.0), ("deg", DEG)):
        if 20.0 <= size * factor <= 110.0:
            return math.copysign(factor, slope), f"wheel angle in {unit} by the bends driven{side}"
        if 1.5 <= size * factor <= 8.0 and unit == "rad":
            return None, f"{size:.1f} rad m over the bends driven: the road wheels' angle, not the steering wheel's"
    return None, f"{size:.3g} over the bends driven fits no steering wheel"


# --- small things -----------------------------------------------------------------------------------------------------


def _correlation(a: Array, b: Array) -> float | None:
    a, b = a - a.mean(), b - b.mean()
    scale = math.sqrt(float(a @ a) * float(b @ b))
    return float(a @ b) / scale if scale > 1e-12 else None


def _boxed(values: Array, count: int) -> Array:
    if len(values) < count or count < 2:
        return values
    return np.convolve(
        np.pad(values, (count // 2, count - 1 - count // 2), mode="edge"), np.ones(count) / count, "valid"
    )


def _smooth(times: Array, values: Array, window_s: float = 0.4) -> Array:
    if len(times) < 3:
        return values
    step = float(np.median(np.diff(times)))
    return _boxed(values, max(1, int(window_s / max(step, 1e-3)) | 1))
