"""From the topics of any recording or car to the signals of the graph: what feeds what, and why the rest feeds nothing.

What a topic means comes from an input map, or is guessed from type and name; it is shown, and checked against the first
messages (`Survey`, `checks.py`): which axis of an odometry carries the speed, how an inertial sensor is mounted, and
whether a header's stamp and the recording speak of one clock. What a recording lacks stays absent.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any, Final

import numpy as np

from adas_runtime.cabin import MEND, WHAT, is_cabin_name
from adas_runtime.converter import check
from adas_runtime.errors import SignalError
from adas_runtime.inputs import checks, cloud, pictures
from adas_runtime.inputs.checks import Motion, Reading, Series
from adas_runtime.inputs.feed import (
    ANCHOR,
    CONVERTER_OF_TYPE,
    FIELDS,
    OWN,
    SOURCE_OF,
    WHEEL_ANGLE,
    Feed,
    Link,
    Survey,
    target_shape,
)
from adas_runtime.inputs.guess import guess
from adas_runtime.inputs.paths import getter
from adas_runtime.interfaces import Kind
from adas_runtime.records import maker
from adas_runtime.replay.cdr import decoder as own_decoder
from adas_runtime.signals import (
    BY_NAME,
    CameraFrame,
    CameraId,
    DriverInput,
    FixStatus,
    PoseFix,
    RadarObjects,
    RadarTrack,
    Signal,
    VehicleState,
)

__all__ = ["OWN", "Binder", "Converted", "Feed", "Survey", "guess", "own_reader"]

CLOCK_OFFSET_MAX_S: Final = 1.0  # more between stamp and log time is another clock, not latency
SHIFT_MIN_S: Final = 0.05  # a steady difference beyond that is another clock or a fixed delay of the recorder
SHIFT_SPREAD_S: Final = 0.03  # latency of a bus or a network varies by more over a drive
SHIFT_MESSAGES: Final = 50
_MERGED: Final[Mapping[str, type[Signal]]] = {
    "vehicle_state": VehicleState,
    "driver_input": DriverInput,
    "pose_fix": PoseFix,
}
_DAMAGED: Final = (
    ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, struct.error, ArithmeticError,
)  # fmt: skip

Converted = list[tuple[str, Signal]]
Convert = Callable[[Any, float], Converted]
Read = Callable[[Any], Any]


class _Merge:
    """A signal that several topics fill in: the anchor's message makes it, the rest is taken while fresh."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.topic = SOURCE_OF[source].topic
        self.record = maker(_MERGED[source])
        self.anchor = ANCHOR[source]
        self.values: dict[str, dict[str, tuple[float, Any, float]]] = {}  # field -> topic -> time, value, greatest age

    def put(self, name: str, topic: str, now_s: float, value: Any, max_age_s: float) -> None:
        """Remember the value of a topic that may give this field."""
        by_topic = self.values.get(name)
        if by_topic is not None and topic in by_topic:
            by_topic[topic] = (now_s, value, max_age_s)

    def rank(self, name: str, topics: Iterable[str]) -> None:
        """Fix which topics may give a field, the preferred one first."""
        self.values[name] = dict.fromkeys(topics, (-math.inf, None, 0.0))

    def make(self, now_s: float, maker: str) -> Signal | None:
        """The signal of this moment; `None` without its anchor, or where another topic's anchor is preferred."""
        found: dict[str, Any] = {}
        for name, by_topic in self.values.items():
            for topic, (at_s, value, max_age_s) in by_topic.items():
                if value is not None and abs(now_s - at_s) <= max_age_s:
                    if name == self.anchor and topic != maker:
                        return None
                    found[name] = value
                    break
        if self.anchor not in found:
            return None
        if self.source == "pose_fix":
            if "longitude_deg" not in found:
                return None
            found.setdefault("status", FixStatus.FIX)
        return self.record(stamp_s=now_s, **found)  # type: ignore[call-arg]


class Binder:
    """Turns messages into signals; pure but for what it remembers of the last messages.

    Args:
        feeds: What each topic is used for.
        surveys: First messages of the topics that are used, for the checks.
        trust_stamps: Take the headers' stamps as they are, as in the car where all share one clock and a wrong stamp
            is a fault that the ages must show; else the surveys decide.
    """

    def __init__(self, feeds: Sequence[Feed], surveys: Mapping[str, Survey], *, trust_stamps: bool = False) -> None:
        self._trust_stamps = trust_stamps
        self.warnings: list[str] = []
        self._use_log_time: dict[str, bool] = {}
        self._shift_s: dict[str, float] = {}
        self._convert: dict[str, Convert] = {}
        self._notes: dict[str, list[str]] = {}
        self._dropped: dict[str, set[str]] = {}
        self._motion = Motion()
        self.readings: dict[str, Reading] = {}  # what the first messages said, by topic, to save a guess
        self.links: dict[str, tuple[Link, ...]] = {}
        self.merges = {name: _Merge(name) for name in _MERGED}
        self.feeds: dict[str, Feed] = {feed.topic: feed for feed in feeds}
        used = [feed for feed in feeds if feed.feeds]
        for feed in used:
            self._choose_clock(feed, surveys.get(feed.topic, Survey()))
        # what tells the motion comes before what is judged by it
        for feed in sorted(used, key=lambda feed: _JUDGED.index(_judged(feed))):
            self._convert[feed.topic] = self._make(feed, surveys.get(feed.topic, Survey()))
        self._settle(used)
        for feed in feeds:
            lost = self._dropped.get(feed.topic, set())
            kept = tuple(target for target in feed.feeds if target not in lost)
            if feed.feeds and not kept:
                self._convert.pop(feed.topic, None)
            note = "; ".join(text for text in (feed.note, *self._notes.get(feed.topic, ())) if text)
            self.feeds[feed.topic] = replace(feed, feeds=kept, note=note)

    @property
    def topics(self) -> frozenset[str]:
        """Topics that feed something."""
        return frozenset(self._convert)

    @property
    def log_time_topics(self) -> frozenset[str]:
        """Topics whose stamps are not followed."""
        return frozenset(topic for topic, is_used in self._use_log_time.items() if is_used)

    def convert(self, topic: str, message: Any, log_s: float) -> Converted:
        """The signals that one message brings, by topic of the graph.

        Raises:
            SignalError: A value is refused at the border.
        """
        try:
            convert = self._convert.get(topic)
            if convert is None:
                return []
            found = convert(message, log_s)
            for _, signal in found:
                if signal is not message:  # the reader of our own messages has checked what it made
                    check(signal)
        except SignalError as error:
            raise SignalError(error.what, where=topic) from None
        except _DAMAGED as error:
            raise SignalError(f"damaged message ({type(error).__name__}: {error})", where=topic) from error
        return found

    # --- clocks and notes ---

    def _choose_clock(self, feed: Feed, survey: Survey) -> None:
        topic = feed.topic
        if self._trust_stamps or feed.clock:
            self._use_log_time[topic] = feed.clock == "recording" and not self._trust_stamps
            return
        offsets = [
            stamp - log_s
            for log_s, message in zip(survey.times_s, survey.messages, strict=True)
            if (stamp := stamp_of(message)) is not None
        ]
        if not offsets:
            self._use_log_time[topic] = True
            return
        offset = median(offsets)
        far = abs(offset) > CLOCK_OFFSET_MAX_S
        self._use_log_time[topic] = far
        if far:
            stamps = [stamp_of(m) or 0.0 for m in survey.messages]
            log_s = median(survey.times_s)
            what = f"{offset:+.3f} s off"
            if not any(stamps):
                what = "unset"
            elif log_s > 0.0 and 0.5 < median(stamps) / (log_s * 1e3) < 2.0:
                what = "in milliseconds"
            elif abs(median(stamps)) < 0.1 * log_s:
                what = f"of another clock ({median(stamps):.1f} s, perhaps since its start)"
            self._warn(topic, f"stamps are {what} against the recording's clock: log times are used")
        elif abs(offset) > SHIFT_MIN_S and not feed.type.startswith(OWN) and len(offsets) >= SHIFT_MESSAGES:
            ordered = sorted(offsets)
            if ordered[(9 * len(ordered)) // 10] - ordered[len(ordered) // 10] <= SHIFT_SPREAD_S:
                self._shift_s[topic] = -offset
                side = "behind" if offset < 0.0 else "ahead of"
                self._warn(
                    topic,
                    f"stamps are a steady {abs(offset):.3f} s {side} the recording's clock, so another clock or a "
                    "fixed delay: they are moved by it",
                )

    def _time(self, topic: str, message: Any, log_s: float) -> float:
        if self._use_log_time[topic]:
            return log_s
        stamp = stamp_of(message)
        return log_s if stamp is None else stamp + self._shift_s.get(topic, 0.0)

    def _survey_stamp(self, topic: str) -> Callable[[Any], float | None]:
        return (lambda message: None) if self._use_log_time[topic] else stamp_of

    def _note(self, topic: str, text: str) -> None:
        self._notes.setdefault(topic, []).append(text)

    def _warn(self, topic: str, text: str) -> None:
        self._note(topic, text)
        self.warnings.append(f"{topic}: {text}")

    def _tell(self, topic: str, reading: Reading) -> None:
        self.readings[topic] = reading
        for text in reading.notes:
            if text in reading.warnings:
                self._warn(topic, text)
            else:
                self._note(topic, text)

    def _drop(self, topic: str, *targets: str) -> None:
        self._dropped.setdefault(topic, set()).update(targets)

    # --- merging ---

    def _settle(self, used: Sequence[Feed]) -> None:
        """Who gives which field: of a map every topic, in its order; of guesses the best that stood its checks."""
        order: dict[tuple[str, str], list[str]] = {}
        for feed in sorted(used, key=lambda feed: (_merit(feed), feed.rank, feed.topic)):
            for target in feed.feeds:
                source, _, name = target.partition(".")
                if not name or source not in self.merges or target in self._dropped.get(feed.topic, ()):
                    continue
                topics = order.setdefault((source, name), [])
                if topics and not feed.is_of_map and feed.is_guessed:
                    self._drop(feed.topic, target)
                    if name == "speed_mps":
                        self._note(feed.topic, f"spare: {topics[0]} gives the speed")
                else:
                    topics.append(feed.topic)
        for (source, name), topics in order.items():
            self.merges[source].rank(name, topics)
        for merge in self.merges.values():
            if merge.anchor not in merge.values and merge.source != "pose_fix":
                self._orphan(merge, [feed for feed in used if feed.is_guessed])

    def _orphan(self, merge: _Merge, guessed: Sequence[Feed]) -> None:
        """What fills in a signal that nothing makes feeds nothing."""
        for feed in guessed:
            lost = self._dropped.get(feed.topic, set())
            parts = [t for t in feed.feeds if t.startswith(merge.source + ".") and t not in lost]
            if parts:
                self._drop(feed.topic, *parts)
                self._note(feed.topic, f"not used: nothing gives {merge.source}.{merge.anchor} beside it")

    def _emit(self, source: str, now_s: float, maker: str) -> Converted:
        signal = self.merges[source].make(now_s, maker)
        return [] if signal is None else [(self.merges[source].topic, signal)]

    # --- converters ---

    def _make(self, feed: Feed, survey: Survey) -> Convert:
        topic = feed.topic
        name = feed.converter or CONVERTER_OF_TYPE.get(feed.type, FIELDS)
        if name == "own":
            return self._own(topic, BY_NAME[feed.type.removeprefix(OWN)])
        if name == "compressed_image":
            return self._picture(topic, pictures.compressed_frame)
        if name == "image":
            return self._picture(topic, pictures.raw_frame)
        if name == "navsatfix":
            return self._fix(feed, survey)
        if name == "point_cloud2_radar":
            return self._radar(feed, survey)
        if name in ("odometry", "twist"):
            return self._pace(feed, survey)
        if name == "imu":
            return self._imu(feed, survey)
        if name == "joint_state":
            return self._joint(feed, survey)
        return self._targets(feed) if feed.each else self._fields(feed, survey)

    def _own(self, topic: str, signal: type[Signal]) -> Convert:
        from adas_runtime.converter import from_msg

        target = next(source.topic for source in SOURCE_OF.values() if source.signal is signal)
        read = from_msg(signal)
        use_log_time = self._use_log_time[topic]

        def convert(value: Any, log_s: float) -> Converted:
            # the reader of recordings decodes our own messages straight into signals; rclpy brings messages
            found = value if isinstance(value, Signal) else read(value)
            if isinstance(found, CameraFrame) and found.camera is not CameraId.FRONT:
                raise SignalError(WHAT, mend=MEND)
            return [(target, replace(found, stamp_s=log_s) if use_log_time else found)]  # type: ignore[type-var]

        return convert

    def _picture(self, topic: str, read: Callable[[Any, float], Signal]) -> Convert:
        target = SOURCE_OF["camera_front"].topic

        def convert(m: Any, log_s: float) -> Converted:
            if is_cabin_name(getattr(m.header, "frame_id", "")):
                raise SignalError(f"frame {m.header.frame_id!r} {WHAT}", mend=MEND)
            return [(target, read(m, self._time(topic, m, log_s)))]

        return convert

    def _fix(self, feed: Feed, survey: Survey) -> Convert:
        topic = feed.topic
        target = SOURCE_OF["pose_fix"].topic
        if self._motion.speed is None:
            self._motion.speed = checks.speed_from_fixes(survey, self._survey_stamp(topic))
            self._motion.source = f"the way between the fixes of {topic}"

        def convert(m: Any, log_s: float) -> Converted:
            if m.status.status < 0:
                return []  # NavSatStatus.STATUS_NO_FIX: the numbers beside it mean nothing
            variance = max(float(m.position_covariance[0]), float(m.position_covariance[4]))
            is_known = m.position_covariance_type > 0 and 0.0 <= variance < 1e12
            altitude = float(m.altitude)
            now_s = self._time(topic, m, log_s)
            heading = self.merges["pose_fix"].values.get("heading_rad", {})
            course = next((v for at_s, v, age in heading.values() if v is not None and abs(now_s - at_s) <= age), None)
            fix = PoseFix(
                stamp_s=now_s,
                latitude_deg=float(m.latitude),
                longitude_deg=float(m.longitude),
                altitude_m=altitude if math.isfinite(altitude) else None,
                heading_rad=course,
                position_std_m=math.sqrt(variance) if is_known else None,
                status=FixStatus.AUGMENTED if m.status.status > 0 else FixStatus.FIX,
            )
            return [(target, fix)]

        return convert

    def _pace(self, feed: Feed, survey: Survey) -> Convert:
        topic, kind = feed.topic, feed.type
        is_flat = kind == "geometry_msgs/msg/TwistStamped"

        def twist(m: Any) -> Any:
            return m.twist if is_flat else m.twist.twist

        stamp = self._survey_stamp(topic)
        # a rate that nobody takes needs no judgement
        rate_unit = feed.rate_unit if "vehicle_state.yaw_rate_rps" in feed.feeds else "rad/s"
        if kind == "nav_msgs/msg/Odometry":
            reading, motion = checks.read_odometry(survey, stamp, feed.axes, rate_unit)
            if motion.speed is not None:
                motion.source = f"the poses of {topic}"
                self._motion = motion
        else:
            reading = checks.read_twist(survey, stamp, twist, feed.axes, rate_unit, self._motion)
            self._learn_speed(topic, survey, lambda m: float(np.dot(reading.axes[0], _xyz(twist(m).linear))))
        self._tell(topic, reading)
        takes_speed = reading.speed_factor is not None and "vehicle_state.speed_mps" in feed.feeds
        takes_yaw = reading.yaw_factor is not None and "vehicle_state.yaw_rate_rps" in feed.feeds
        if not takes_speed:
            self._drop(topic, "vehicle_state.speed_mps")
        if not takes_yaw:
            self._drop(topic, "vehicle_state.yaw_rate_rps")
        ahead, speed_gain = _axis(reading.axes[0], reading.speed_factor)
        upright, yaw_gain = _axis(reading.axes[2], reading.yaw_factor)
        state = self.merges["vehicle_state"]
        is_map_frame, max_age_s = reading.is_map_frame, feed.max_age_s

        def convert(m: Any, log_s: float) -> Converted:
            now_s = self._time(topic, m, log_s)
            moved = twist(m)
            if takes_yaw:
                yaw = yaw_gain * float(getattr(moved.angular, upright))
                # NaN is how some senders say that they do not measure it
                state.put("yaw_rate_rps", topic, now_s, yaw if math.isfinite(yaw) else None, max_age_s)
            if not takes_speed:
                return []
            v = moved.linear
            if is_map_frame:
                q = m.pose.pose.orientation
                heading = math.atan2(2.0 * (q.w * q.z + q.x * q.y), 1.0 - 2.0 * (q.y * q.y + q.z * q.z))
                speed = float(v.x) * math.cos(heading) + float(v.y) * math.sin(heading)
            else:
                speed = speed_gain * float(getattr(v, ahead))
            state.put("speed_mps", topic, now_s, speed, max_age_s)
            return self._emit("vehicle_state", now_s, topic)

        return convert

    def _imu(self, feed: Feed, survey: Survey) -> Convert:
        topic = feed.topic
        reading = checks.read_imu(
            survey, self._survey_stamp(topic), feed.axes, feed.rate_unit, feed.accel_unit, self._motion
        )
        self._tell(topic, reading)
        forward, left, up = reading.axes
        ways: list[tuple[str, str, float, bool]] = []
        for target, row, factor, is_rate in (
            ("vehicle_state.accel_mps2", forward, reading.accel_factor, False),
            ("vehicle_state.lateral_accel_mps2", left, reading.accel_factor, False),
            ("vehicle_state.yaw_rate_rps", up, reading.yaw_factor, True),
        ):
            if factor is None or not np.any(row):
                self._drop(topic, target)
            elif target in feed.feeds:
                ways.append((target.partition(".")[2], *_axis(row, factor), is_rate))
        if self._motion.yaw_rate is None and reading.yaw_factor is not None and survey.times_s:
            values = [reading.yaw_factor * float(np.dot(up, _xyz(m.angular_velocity))) for m in survey.messages]
            self._motion.yaw_rate = Series(np.array(survey.times_s), np.array(values))
        state, max_age_s = self.merges["vehicle_state"], feed.max_age_s

        def convert(m: Any, log_s: float) -> Converted:
            now_s = self._time(topic, m, log_s)
            a, w = m.linear_acceleration, m.angular_velocity
            for name, axis, gain, is_rate in ways:
                value = gain * float(getattr(w if is_rate else a, axis))
                state.put(name, topic, now_s, _finite(name, value), max_age_s)
            return []

        return convert

    def _joint(self, feed: Feed, survey: Survey) -> Convert:
        topic, joint = feed.topic, feed.item
        state, max_age_s = self.merges["vehicle_state"], feed.max_age_s
        sign = 1.0

        def read(m: Any) -> float | None:
            at = 0
            if joint:
                names = list(m.name)
                if joint not in names:
                    raise SignalError(f"no joint {joint!r}; it has {', '.join(map(str, names[:8])) or 'none'}")
                at = names.index(joint)
            return float(m.position[at]) if len(m.position) > at else None

        if feed.is_guessed:
            factor, why = checks.steering_factor(_series(survey, read), self._motion.speed, self._motion.yaw_rate)
            if factor is not None:
                sign = factor
                self.links[topic] = (Link(target=WHEEL_ANGLE, path="position[0]", factor=factor),)
                self._note(topic, why)
            elif "judge" in why:
                self._note(topic, f"taken as wheel angle in rad, as JointState has it ({why})")
            else:
                self._warn(topic, f"not used: {why}")
                self._drop(topic, WHEEL_ANGLE)

        def convert(m: Any, log_s: float) -> Converted:
            value = read(m)
            if value is not None:
                now_s = self._time(topic, m, log_s)
                state.put("steering_wheel_angle_rad", topic, now_s, _finite("steering", sign * value), max_age_s)
            return []

        return convert

    def _radar(self, feed: Feed, survey: Survey) -> Convert:
        topic = feed.topic
        signs = (1.0, 1.0)
        if feed.axes is not None:
            matrix = checks.matrix_of(feed.axes)
            if abs(matrix[0, 0]) != 1.0:
                self._warn(topic, "a radar's x must point forward or back: its axes are not followed")
            else:
                signs = (float(matrix[0, 0]), float(matrix[1, 1]))
        else:
            self._note(topic, "x taken as forward, y as left, closing as negative")
        if survey.messages:
            names = cloud.field_names(survey.messages[0])
            if not {name.lower() for name in names} & set(cloud.RATE):
                self._note(topic, f"without a range rate (fields {', '.join(names)})")
        target = SOURCE_OF["radar"].topic

        def convert(m: Any, log_s: float) -> Converted:
            tracks = cloud.radar_tracks(m, signs)
            return [(target, RadarObjects(stamp_s=self._time(topic, m, log_s), tracks=tracks))]

        return convert

    # --- values by path ---

    def _fields(self, feed: Feed, survey: Survey) -> Convert:
        topic = feed.topic
        links = []
        for link in feed.links:
            kept = self._judge(feed, link, survey) if feed.is_checked else link
            if kept is None:
                self._drop(topic, link.target)
                continue
            source, _, name = kept.target.partition(".")
            links.append((self.merges[source], name, _value_reader(kept), kept.max_age_s))
            self.links[topic] = (*self.links.get(topic, ()), kept)
            if kept.target == "vehicle_state.speed_mps":
                read = _value_reader(kept)
                self._learn_speed(topic, survey, read)
        emits = [
            merge.source
            for merge in {id(merge): merge for merge, *_ in links}.values()
            if any(m is merge and name == merge.anchor for m, name, *_ in links)
        ]

        def convert(m: Any, log_s: float) -> Converted:
            now_s = self._time(topic, m, log_s)
            for merge, name, read, max_age_s in links:
                merge.put(name, topic, now_s, read(m), max_age_s)
            found: Converted = []
            for source in emits:
                found += self._emit(source, now_s, topic)
            return found

        return convert

    def _targets(self, feed: Feed) -> Convert:
        topic = feed.topic
        read_list = getter(feed.each)
        links = [(link.target.partition(".")[2], _value_reader(link)) for link in feed.links]
        target = SOURCE_OF["radar"].topic
        limit = 256

        def convert(m: Any, log_s: float) -> Converted:
            tracks = []
            for index, item in enumerate(read_list(m)):
                if index >= limit:
                    break
                values = {name: read(item) for name, read in links}
                values.setdefault("track_id", index)
                tracks.append(RadarTrack(**values))
            return [(target, RadarObjects(stamp_s=self._time(topic, m, log_s), tracks=tuple(tracks)))]

        return convert

    def _learn_speed(self, topic: str, survey: Survey, read: Callable[[Any], Any]) -> None:
        if self._motion.speed is None and len(survey.times_s) > 1:
            self._motion.speed = _series(survey, read)
            self._motion.source = f"the speed of {topic}"

    def _judge(self, feed: Feed, link: Link, survey: Survey) -> Link | None:
        """A guess by a value's name, kept only where its unit is told or shown; else told why not."""
        topic, path = feed.topic, link.path
        series = _series(survey, _value_reader(link))
        mend = "to use it, say its unit in an input map"
        if link.target == WHEEL_ANGLE and not link.is_unit_told:
            factor, why = checks.steering_factor(series, self._motion.speed, self._motion.yaw_rate)
            if factor is None:
                self._warn(topic, f"{path} looks like a steering wheel angle, but {why}: not used; {mend}")
                return None
            self._note(topic, f"{path}: {why}")
            return replace(link, factor=factor)
        if link.is_unit_told:
            return link
        if link.target == "vehicle_state.speed_mps":
            factor = checks.speed_factor(series, self._motion.speed)
            if factor is not None:
                unit = "m/s" if factor == 1.0 else "km/h" if factor < 0.3 else "mph"
                self._note(topic, f"{path}: speed in {unit}, by {self._motion.source}")
                return replace(link, factor=factor)
        elif link.target == "vehicle_state.yaw_rate_rps" and self._motion.yaw_rate is not None:
            reading = Reading()
            checks._find_rate(
                reading, series.values, self._motion.yaw_rate.at(series.times_s), None, self._motion.source
            )
            if reading.yaw_factor is not None and len(series.values):
                for text in reading.notes:
                    self._warn(topic, text)
                return replace(link, factor=reading.yaw_factor)
        self._warn(
            topic, f"{path} looks like a {link.target.partition('.')[2].rpartition('_')[0].replace('_', ' ')}, but "
            f"nothing tells its unit: not used; {mend}",
        )  # fmt: skip
        return None


# --- helpers ----------------------------------------------------------------------------------------------------------

_JUDGED: Final = ("odometry", "fix", "speed", "rest", "imu", "steering")


def _judged(feed: Feed) -> str:
    """Class of a topic in the order in which topics are judged."""
    name = feed.converter or CONVERTER_OF_TYPE.get(feed.type, FIELDS)
    if name in ("odometry", "imu"):
        return name
    if name == "navsatfix":
        return "fix"
    if name == "twist" or "vehicle_state.speed_mps" in feed.feeds:
        return "speed"
    return "steering" if WHEEL_ANGLE in feed.feeds else "rest"


def _merit(feed: Feed) -> int:
    """A gyroscope measures the yaw rate; in a twist it is often left at zero. In a map its order counts."""
    name = feed.converter or CONVERTER_OF_TYPE.get(feed.type, FIELDS)
    return 0 if feed.is_of_map or not feed.is_guessed or name == "imu" else 1


def _axis(row: Any, factor: float | None) -> tuple[str, float]:
    """The one component that a row of axes takes, with its factor; the others may be NaN and must not matter."""
    place = int(np.argmax(np.abs(row)))
    return "xyz"[place], float(row[place]) * (factor or 0.0)


def _xyz(vector: Any) -> tuple[float, float, float]:
    return float(vector.x), float(vector.y), float(vector.z)


def _finite(name: str, value: float) -> float:
    value = float(value)
    if not math.isfinite(value):
        raise SignalError(f"{name} = {value}: must be finite")
    return value


def _series(survey: Survey, read: Callable[[Any], Any]) -> Series:
    """A value over the first messages; those that it cannot be read from are left out."""
    times: list[float] = []
    values: list[float] = []
    for time_s, message in zip(survey.times_s, survey.messages, strict=True):
        try:
            value = read(message)
        except (SignalError, *_DAMAGED):
            continue
        if value is not None and math.isfinite(value) and (not times or time_s > times[-1]):
            times.append(time_s)
            values.append(float(value))
    return Series(np.array(times), np.array(values))


def _text(value: Any) -> str:
    """A message's value as an input map writes it."""
    if isinstance(value, (bool, np.bool_)):
        return "true" if value else "false"
    if isinstance(value, (bytes, bytearray)):
        return str(value[0]) if len(value) == 1 else value.hex()
    number = float(value) if not isinstance(value, str) else None
    return value if number is None else str(int(number)) if number.is_integer() else repr(number)


def _value_reader(link: Link) -> Read:
    """The function that reads a link's value from a message, in the signal's own type and unit."""
    shape = target_shape(link.target)
    assert shape is not None
    get = getter(link.path)
    name = link.target
    if link.values:
        table = dict(link.values)

        def read_value(m: Any) -> Any:
            text = _text(get(m))
            if text not in table:
                raise SignalError(f"{name}: {link.path} = {text[:40]} is none of {', '.join(table)}")
            found = table[text]
            return shape.enum(found) if shape.enum is not None and found is not None else found

        return read_value
    if shape.kind is Kind.BOOL:

        def read_truth(m: Any) -> bool:
            return bool(_finite(name, get(m)))

        return read_truth
    gain, offset = link.scale * link.factor, link.offset * link.factor
    if shape.kind is Kind.INT:
        return lambda m: round(_finite(name, get(m)) * gain + offset)

    def read_number(m: Any) -> float:
        return _finite(name, get(m)) * gain + offset

    return read_number


def stamp_of(message: Any) -> float | None:
    """Stamp of a message's header, or of its own field `stamp` [s]; `None` where it has none."""
    if isinstance(message, Signal):
        return message.stamp_s
    header = getattr(message, "header", None)
    stamp = getattr(header, "stamp", None) if header is not None else getattr(message, "stamp", None)
    if stamp is None:
        own = getattr(message, "stamp_s", None)
        return float(own) if own is not None else None
    if not hasattr(stamp, "nanosec"):
        return None
    return float(stamp.sec) + float(stamp.nanosec) * 1e-9


def own_reader(kind: str) -> Callable[[bytes], Signal] | None:
    """The fast decoder of one of our own messages, `None` for every other type."""
    name = kind.removeprefix(OWN)
    kind_of: type = BY_NAME.get(name, Signal)
    return own_decoder(kind_of) if kind.startswith(OWN) and name in BY_NAME else None
