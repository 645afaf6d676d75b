"""A recording bound to the graph: feeds from a map or a guess, readers of its messages, first messages, binder.

The one way in for replay, player and `adas inputs`, so that all of them take a topic for the same thing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from rosbags.serde.errors import SerdeError

from adas_runtime.errors import BagError, SignalError
from adas_runtime.inputs.binder import Binder, Converted, own_reader
from adas_runtime.inputs.feed import OUTPUTS, OWN, Feed, Survey
from adas_runtime.inputs.guess import NO_USE, guess
from adas_runtime.inputs.load import InputMap, input_map_names, input_map_path, load_input_map
from adas_runtime.inputs.paths import leaves
from adas_runtime.interfaces import msg_definitions, own_typestore
from adas_runtime.replay.bag import Bag, BagTopic, decoder, oversize

SURVEY_MESSAGES: Final = 400
SURVEY_S: Final = 600.0  # a car may stand for minutes before its motion shows which axis is which
SURVEY_STEP_S: Final = 0.1
IMU_STEP_S: Final = 0.04  # its noise must be smoothed
PICTURES: Final = 3
OWN_MAP: Final = "default"

Read = Callable[[bytes], Any]
UNREADABLE: Final = (
    SignalError, SerdeError, ValueError, KeyError, IndexError, AttributeError, TypeError, AssertionError,
    OverflowError, struct.error, MemoryError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A recording that is ready to be read."""

    feeds: Mapping[str, Feed]
    reads: Mapping[str, Read]
    binder: Binder
    warnings: tuple[str, ...]

    def messages(self, bag: Bag) -> Iterator[tuple[float, str, Converted | str]]:
        """Log time, topic, and the signals of each message by topic of the graph, or why it is refused."""
        for log_ns, topic, data in bag.messages(self.reads):
            now_s = log_ns * 1e-9
            try:
                found: Converted | str = self.binder.convert(topic, self.reads[topic](data), now_s)
            except SignalError as error:
                found = error.line()
            except UNREADABLE as error:
                found = f"undecodable ({type(error).__name__})"
            yield now_s, topic, found


def types_of(bag: Bag, topics: Iterable[str]) -> dict[str, Mapping[str, Any]]:
    """Field definitions by topic: those that the recording embeds, else those that ROS 2 knows."""
    from adas_runtime.errors import ConfigError
    from adas_runtime.inputs.types import defined_types, known_types

    found: dict[str, Mapping[str, Any]] = {}
    for name in topics:
        topic = bag.topics[name]
        if topic.definition and topic.encoding in ("ros2msg", ""):
            try:
                found[name] = defined_types(topic.type, topic.definition)
                continue
            except ConfigError:
                pass
        found[name] = known_types()
    return found


def feeds_of(bag: Bag, input_map: InputMap | None = None) -> tuple[Feed, ...]:
    """What each topic of a recording feeds, by a map, or by a guess.

    Raises:
        ConfigError: The map does not fit the types of the recording.
    """
    kinds = {name: topic.type for name, topic in bag.topics.items()}
    if input_map is not None:
        mapped = [entry.topic for entry in input_map.file.inputs if entry.topic in kinds]
        return input_map.feeds(kinds, types_of(bag, mapped))
    claimed = _known_system(kinds)
    foreign = [
        name
        for name, kind in kinds.items()
        if name not in claimed and not kind.startswith((OWN, "sensor_msgs/", "nav_msgs/", "geometry_msgs/"))
    ]
    types = types_of(bag, foreign)
    found = guess(kinds, {name: leaves(types[name], kinds[name]) for name in foreign}, claimed)
    undefined = {name for name in foreign if kinds[name] not in types[name]}
    return tuple(
        replace(feed, note=f"{NO_USE}: the recording holds no definition of its type; an input map can give it")
        if feed.topic in undefined and not feed.feeds and not feed.topic.startswith(OUTPUTS)
        else feed
        for feed in found
    )


def _known_system(kinds: Mapping[str, str]) -> dict[str, Feed]:
    """Feeds of the shipped map whose topics the recording holds, with the same types; the map with most of them."""
    best: dict[str, Feed] = {}
    for name in input_map_names():
        text = input_map_path(name).read_text(encoding="utf-8")
        if name == OWN_MAP or not any(f"topic: {topic}\n" in text for topic in kinds):
            continue  # reading a map takes 20 ms, and most recordings hold none of its topics
        found = {
            feed.topic: replace(feed, is_guessed=True, note=f"as in the input map {name}")
            for feed in load_input_map(name).feeds(kinds)
            if feed.feeds
        }
        if len(found) > max(len(best), 1):
            best = found
    return best


def bind(bag: Bag, feeds: Sequence[Feed], *, elsewhere: Collection[str] = (), trust_stamps: bool = False) -> Bound:
    """Readers, first messages and binder for feeds of a recording.

    Args:
        bag: The recording.
        feeds: What its topics are used for.
        elsewhere: Topics that get a reader, but whose values somebody else takes.
        trust_stamps: As of `Binder`.
    """
    reads: dict[str, Read] = {}
    checked: list[Feed] = []
    warnings: list[str] = []
    for feed in feeds:
        if not feed.feeds:
            checked.append(feed)
            continue
        found = reader_of(bag.topics[feed.topic], feed.definition, bag.distro)
        if isinstance(found, str):
            warnings.append(f"{feed.topic}: {found}; it is not used")
            checked.append(replace(feed, feeds=(), note=found))
            continue
        reads[feed.topic] = found
        checked.append(feed)
    own = [feed for feed in checked if feed.topic not in elsewhere]
    binder = Binder(own, _survey(bag, reads, [f for f in own if f.topic in reads]), trust_stamps=trust_stamps)
    used = {topic: read for topic, read in reads.items() if topic in binder.topics or topic in elsewhere}
    told = {feed.topic: binder.feeds.get(feed.topic, feed) for feed in checked}
    return Bound(feeds=told, reads=used, binder=binder, warnings=(*warnings, *binder.warnings))


def open_recording(bag: Bag, input_map: InputMap | None = None, *, trust_stamps: bool = False) -> Bound:
    """A recording bound to the graph.

    Raises:
        BagError: No topic feeds anything.
        ConfigError: The map does not fit the recording.
    """
    bound = bind(bag, feeds_of(bag, input_map), trust_stamps=trust_stamps)
    refuse_unused(bag, bound, input_map)
    return bound


def refuse_unused(bag: Bag, bound: Bound, input_map: InputMap | None) -> None:
    """Raise the error of a recording that feeds nothing."""
    if any(feed.feeds for feed in bound.feeds.values()):
        return
    plain = (NO_USE, "not in the input map")
    told = [f"{feed.topic}: {feed.note}" for feed in bound.feeds.values() if not feed.note.startswith(plain)]
    kinds = [f"{name} ({topic.type})" for name, topic in sorted(bag.topics.items())]
    others = f"its topics: {', '.join(kinds) or 'none'}"
    if input_map is not None:
        wanted = ", ".join(entry.topic for entry in input_map.file.inputs[:6])
        raise BagError(
            "; ".join([f"nothing in it feeds a function by the input map {input_map.name} ({wanted})", *told, others]),
            where=str(bag.path),
            mend="leave --inputs out to guess, or `adas inputs guess BAG --out map.yaml` and edit it",
        )
    raise BagError(
        "; ".join(["no topic feeds a function", *told, others]),
        where=str(bag.path),
        mend="say in an input map what they mean (docs/inputs.md), or record camera, vehicle state or satellite fixes",
    )


def reader_of(topic: BagTopic, definition: str, distro: str) -> Read | str:
    """The function that decodes a topic's messages, or one clause that says why there is none."""
    own = own_reader(topic.type)
    if own is not None:
        return own if is_as_today(topic) else _other_version(topic, distro)
    definitions = dict(msg_definitions())
    if definition and not topic.definition:
        definitions[topic.type] = definition
    return decoder(topic, definitions, distro)


def is_as_today(topic: BagTopic) -> bool:
    """Whether a topic of ours is recorded with the fields that this version knows, so that its own decoder fits."""
    if not topic.definition or topic.encoding not in ("ros2msg", ""):
        return True
    if oversize(topic.definition):
        return False  # none of ours, whatever its name says
    ours = own_typestore()
    if topic.definition == ours.generate_msgdef(topic.type, ros_version=2)[0]:
        return True
    from rosbags.typesys import get_types_from_msg
    from rosbags.typesys.base import TypesysError

    try:
        recorded = get_types_from_msg(topic.definition, topic.type)
    except (TypesysError, KeyError, ValueError):
        return True  # what cannot be read decides nothing
    return all(
        [field[0] for field in fields] == [field[0] for field in ours.fielddefs[name][1]]
        and [str(field[1]) for field in fields] == [str(field[1]) for field in ours.fielddefs[name][1]]
        for name, (_, fields) in recorded.items()
        if name.startswith(OWN) and name in ours.fielddefs
    )


def _other_version(topic: BagTopic, distro: str) -> Read | str:
    """By the definition that the recording embeds: each field by its name, wherever it stands.

    A field that may be unknown, and that came after the recording was made, is unknown in it.
    """
    from adas_runtime.converter import from_msg
    from adas_runtime.interfaces import shape
    from adas_runtime.signals import BY_NAME

    decode = decoder(topic, {}, distro)
    if isinstance(decode, str):
        return decode
    name = topic.type.removeprefix(OWN)
    convert = from_msg(BY_NAME[name])
    record: type = BY_NAME[name]
    flags = [f"has_{item.name}" for item in shape(record) if item.is_optional]

    def read(data: bytes) -> Any:
        message = decode(data)
        for flag in flags:
            if not hasattr(message, flag):
                setattr(message, flag, False)
        try:
            return convert(message)
        except AttributeError as error:
            raise SignalError(f"recorded by another version of the runtime, without the field {error.name}") from error

    return read


def _survey(bag: Bag, reads: Mapping[str, Read], feeds: Sequence[Feed]) -> dict[str, Survey]:
    """The first messages; of what must be judged by the car's motion, thinned, for as long as that may take."""
    surveys = {feed.topic: Survey() for feed in feeds}
    left = dict.fromkeys(surveys, SURVEY_MESSAGES)
    is_judged = {
        feed.topic: not feed.type.startswith(OWN) and any(t.startswith("vehicle_state") for t in feed.feeds)
        for feed in feeds
    }
    for feed in feeds:
        if "camera_front" in feed.feeds:
            left[feed.topic] = PICTURES
        elif is_judged[feed.topic] or ("pose_fix" in feed.feeds and any(is_judged.values())):
            left[feed.topic] = round(SURVEY_S / IMU_STEP_S)
    last_s: dict[str, float] = {}
    step_s = {feed.topic: IMU_STEP_S if feed.type == "sensor_msgs/msg/Imu" else SURVEY_STEP_S for feed in feeds}
    for log_ns, topic, data in bag.messages(surveys):
        time_s = log_ns * 1e-9
        if time_s - bag.start_s > SURVEY_S:
            for name in [name for name, survey in surveys.items() if survey.times_s]:
                left.pop(name, None)
        if not left:
            break
        if topic not in left:
            continue
        if (is_judged[topic] or left[topic] > SURVEY_MESSAGES) and time_s - last_s.get(topic, -1e18) < step_s[topic]:
            continue
        try:
            message = reads[topic](data)
        except UNREADABLE:
            continue
        last_s[topic] = time_s
        surveys[topic].times_s.append(time_s)
        surveys[topic].messages.append(message)
        left[topic] -= 1
        if left[topic] <= 0:
            del left[topic]
    return surveys
