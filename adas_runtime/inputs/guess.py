"""What the topics of a recording may feed, by type, name and the names of their values; the binder then judges it.

A guess may be wrong, so it is shown, each part is held against the first messages where that can be done, and what
stays ambiguous (a speed of an unknown unit) is not used.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from adas_runtime.cabin import is_cabin_topic
from adas_runtime.graph import SOURCES
from adas_runtime.inputs.feed import OUTPUTS, OWN, WHEEL_ANGLE, Feed, Link
from adas_runtime.units import factor_to

NO_USE: Final = "feeds no function of the graph"
NOT_MEASURED: Final = (
    "cmd",
    "command",
    "target",
    "desired",
    "setpoint",
    "reference",
    "truth",
    "goal",
    "planned",
    "predicted",
)
OTHER_VIEWS: Final = ("driver", "cabin", "rear", "back", "depth")
SPEED: Final = "vehicle_state.speed_mps"
YAW_RATE: Final = "vehicle_state.yaw_rate_rps"
ACCELS: Final = ("vehicle_state.accel_mps2", "vehicle_state.lateral_accel_mps2")
PACE_TYPES: Final = (
    "geometry_msgs/msg/TwistStamped",
    "geometry_msgs/msg/TwistWithCovarianceStamped",
    "nav_msgs/msg/Odometry",
)
_FLOATS: Final = ("float32", "float64")
_PLAIN: Final = ("data", "value")  # a leaf of this name is called like its topic
_BY_NAME: Final[tuple[tuple[str, re.Pattern[str], re.Pattern[str]], ...]] = (
    (
        SPEED,
        re.compile(r"^(vehicle_|ego_|car_|longitudinal_|long_|current_|can_)*(speed|velocity|speedometer)(_|$)"),
        re.compile(r"limit|max|min|wheel|angular|wind|lateral|vertical|engine|fan|motor|lead|object|std|cov|error|set"),
    ),
    (YAW_RATE, re.compile(r"(^|_)(yaw_?rate|heading_rate)(_|$)"), re.compile(r"std|cov|error|bias|offset")),
    (
        WHEEL_ANGLE,
        re.compile(r"(^|_)(steering_wheel_angle|steering_angle|steer_angle|steering_wheel)(_|$)"),
        re.compile(r"tire|tyre|road|front|rear|std|cov|error|bias|offset|rate|torque|vel"),
    ),
)
_UNITS: Final = (
    (re.compile(r"_(mps|m_s|meters_per_second)$"), "m/s"),
    (re.compile(r"_(kmh|kph|km_h|kmph)$"), "km/h"),
    (re.compile(r"_mph$"), "mph"),
    (re.compile(r"_(rps|radps|rad_s|rad_per_s)$"), "rad/s"),
    (re.compile(r"_(dps|degps|deg_s|deg_per_s)$"), "deg/s"),
    (re.compile(r"_(rad|radians)$"), "rad"),
    (re.compile(r"_(deg|degrees)$"), "deg"),
)


def guess(
    topics: Mapping[str, str],
    leaves: Mapping[str, Mapping[str, str]] | None = None,
    claimed: Mapping[str, Feed] | None = None,
) -> tuple[Feed, ...]:
    """What each topic may feed; topics of our own decisions and of the truth feed nothing.

    Args:
        topics: Type of each topic.
        leaves: Values that each topic's messages hold (path -> basic type), where the type is known.
        claimed: Feeds that are known already, from an input map of a well-known system.
    """
    return _Guess(topics, leaves or {}, claimed or {}).feeds()


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


class _Guess:
    def __init__(
        self, topics: Mapping[str, str], leaves: Mapping[str, Mapping[str, str]], claimed: Mapping[str, Feed]
    ) -> None:
        self.topics = topics
        self.leaves = leaves
        self.found: dict[str, Feed] = {
            name: Feed(topic=name, type=kind, note=_why_not(name, kind)) for name, kind in topics.items()
        }
        self.free = {
            name: kind
            for name, kind in topics.items()
            if not name.startswith(OUTPUTS) and not is_cabin_topic(name, kind)
        }
        self.given: set[str] = set()
        for name, feed in claimed.items():
            if name in self.free:
                self.found[name] = feed
                del self.free[name]
                self.given.update(feed.feeds)

    def feeds(self) -> tuple[Feed, ...]:
        """All feeds, by topic."""
        for source in SOURCES:
            if source.name in self.given:
                continue
            own = self.best((OWN + source.signal.__name__,), (source.topic,))
            if own is not None:
                self.use(own, source.name, is_guessed=own != source.topic)
        self.camera()
        if not self.has("pose_fix"):
            fix = self.best(("sensor_msgs/msg/NavSatFix",), ("gps", "gnss", "fix"))
            if fix is not None:
                self.use(fix, "pose_fix")
        self.radar()
        if "vehicle_state" not in self.given:
            self.vehicle_state()
        return tuple(self.found[name] for name in sorted(self.found))

    def has(self, source: str) -> bool:
        """Whether something gives this source, or a part of it."""
        return any(target.partition(".")[0] == source for target in self.given)

    def use(self, name: str, *targets: str, is_guessed: bool = True) -> None:
        """Let a topic feed something."""
        former = self.found[name]
        targets = tuple(target for target in targets if target not in self.given)
        self.found[name] = replace(former, feeds=(*former.feeds, *targets), note="", is_guessed=is_guessed)
        self.given.update(targets)

    def ranked(self, kinds: Sequence[str], liked: Sequence[str], disliked: Sequence[str] = ()) -> list[str]:
        """Topics of these types, the most fitting name first."""

        def rank(name: str) -> tuple[int, str]:
            low = name.lower()
            return 4 * sum(word in low for word in disliked) - sum(word in low for word in liked), name

        return sorted((name for name, kind in self.free.items() if kind in kinds), key=rank)

    def best(self, kinds: Sequence[str], liked: Sequence[str], disliked: Sequence[str] = ()) -> str | None:
        """The most fitting topic of these types."""
        found = self.ranked(kinds, liked, disliked)
        return found[0] if found else None

    def camera(self) -> None:
        """The picture that looks ahead."""
        if self.has("camera_front"):
            return
        views = (*OTHER_VIEWS, "left_", "right_", "side", "seg", "mask", "annotat", "debug", "overlay")
        for kind in ("sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/Image"):
            for name in self.ranked((kind,), ("front", "image", "camera", "forward"), views):
                low = name.lower()
                if not any(word in low for word in (*OTHER_VIEWS, "seg", "mask")):
                    self.use(name, "camera_front")
                    return

    def radar(self) -> None:
        """The radar that looks ahead."""
        if self.has("radar"):
            return
        aside = ("rear", "back", "corner", "left", "right", "side")
        for name in self.ranked(("sensor_msgs/msg/PointCloud2",), ("front", "track", "object"), aside):
            if "radar" in name.lower() and not any(word in name.lower() for word in aside[:2]):
                self.use(name, "radar")
                return

    def vehicle_state(self) -> None:
        """Speed and what goes with it; several may give the speed, the binder keeps the best that stands its checks."""
        if SPEED not in self.given:
            speeds = []
            for kind in PACE_TYPES:
                names = self.ranked((kind,), ("vehicle", "twist", "kinematic", "odom"), ("gps", "gnss", "fix"))
                speeds += [name for name in names if not any(word in name.lower() for word in NOT_MEASURED)]
            for place, name in enumerate(speeds):
                self.found[name] = replace(self.found[name], feeds=(SPEED, YAW_RATE), note="", rank=place)
            if speeds:
                self.given.update((SPEED, YAW_RATE))
        elif YAW_RATE not in self.given:
            for name in self.ranked(PACE_TYPES, ("kinematic", "odom"), NOT_MEASURED):
                if not any(word in name.lower() for word in NOT_MEASURED):
                    self.use(name, YAW_RATE)
                    break
        imu = self.best(("sensor_msgs/msg/Imu",), ("imu", "data", "vehicle", "ins"), ("camera",))
        if imu is not None:
            self.found[imu] = replace(self.found[imu], feeds=(*ACCELS, YAW_RATE), note="")
        wheel = next((n for n in self.ranked(("sensor_msgs/msg/JointState",), ()) if "steering_wheel" in n.lower()), "")
        if wheel and WHEEL_ANGLE not in self.given:
            self.use(wheel, WHEEL_ANGLE)
        self.by_names()

    def by_names(self) -> None:
        """Values of other messages, by what they are called."""
        for name in sorted(self.free):
            if self.found[name].feeds or any(word in name.lower() for word in NOT_MEASURED):
                continue
            if self.topics[name].startswith(("sensor_msgs/", "nav_msgs/", "geometry_msgs/", OWN)):
                continue
            links = []
            for target, liked, disliked in _BY_NAME:
                hits = []
                for path, basic in self.leaves.get(name, {}).items():
                    leaf = path.rpartition(".")[2]
                    if leaf in _PLAIN:
                        leaf = name.rpartition("/")[2]
                    leaf = _snake(leaf)
                    words = f"{_snake(path)} {leaf}"
                    is_like = basic in _FLOATS and liked.search(leaf) and not disliked.search(leaf)
                    if is_like and not any(word in words for word in NOT_MEASURED):
                        hits.append((path, leaf))
                if len(hits) == 1:
                    links.append(_link(target, *hits[0]))
                elif hits:
                    paths = ", ".join(path for path, _ in hits[:4])
                    note = f"{paths} look alike: none is used; name one in an input map"
                    self.found[name] = replace(self.found[name], note=note)
            if links:
                self.found[name] = replace(
                    self.found[name],
                    feeds=tuple(link.target for link in links),
                    links=tuple(links),
                    converter="fields",
                    is_checked=True,
                    rank=100,  # a message made for the purpose is preferred
                    note="by the names of its values",
                )


def _link(target: str, path: str, leaf: str) -> Link:
    from adas_runtime.inputs.feed import target_shape

    shape = target_shape(target)
    assert shape is not None
    for pattern, unit in _UNITS:
        if pattern.search(leaf):
            factor = factor_to(shape.note.unit, unit)
            if factor is not None:
                return Link(target=target, path=path, factor=factor, is_unit_told=True)
    return Link(target=target, path=path)


def _why_not(name: str, kind: str) -> str:
    if name.startswith(OUTPUTS):
        return "an output or truth in the recording; not an input"
    if kind == "sensor_msgs/msg/CameraInfo":
        return "no signal, but the lens of the camera for --vehicle auto"
    if is_cabin_topic(name, kind):
        return "a picture of the cabin: never read, recorded or passed on"
    return NO_USE
