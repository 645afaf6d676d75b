"""A recording into the live graph: `python -m adas_runtime.nodes.player BAG`, or `adas play BAG`.

Whatever the recording holds becomes the graph's own inputs first (input map or guess), so any bag can drive it. Stamps
are moved to now; with `--clock` they stay and `/clock` tells the time, for a graph started with `--use-sim-time`.
"""

from __future__ import annotations

import argparse
import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from queue import Queue
from typing import Any, Final

from adas_runtime.demo.playback import GAP_PLAYED_S, Cue, Pace, Told, as_compressed, cues
from adas_runtime.errors import AdasError, BagError
from adas_runtime.inputs import load_input_map
from adas_runtime.inputs.recording import open_recording
from adas_runtime.inputs.vehicle_choice import INFO, info_topic_of
from adas_runtime.nodes import log_files
from adas_runtime.replay.bag import Bag
from adas_runtime.signals import CameraFrame

IMAGE_TOPIC: Final = "/camera/front/image/compressed"
INFO_TOPIC: Final = "/camera/front/camera_info"
AHEAD: Final = 256  # cues that are read ahead, so that decompressing a chunk delays nothing
CLOCK_STEP_S: Final = 0.01
SETTLE_S: Final = 0.3  # after all are connected: the other side may still be matching
FIRST_S: Final = 0.2  # from the decision to start to the first message
LATE_S: Final = 0.05
CLOCK_END_S: Final = 2.0**31  # of builtin_interfaces/Time


@dataclass(slots=True)
class Played:
    """What was played.

    Args:
        log_start_s: Log time of the recording that was played at `start_s` of the clock.
        seconds: Length of what was played, of the recording.
        topics: Messages per topic.
        late: Messages sent more than 50 ms after they were due: the machine is too slow.
        late_max_s: The worst of them.
        jumps: Places at which the recording's clock ran back or far ahead; a second was waited instead.
        unheard: Topics that nobody listened to.
        refused: What could not become a signal, and how often.
    """

    log_start_s: float = 0.0
    start_s: float = 0.0
    seconds: float = 0.0
    topics: dict[str, int] = field(default_factory=dict)
    late: int = 0
    late_max_s: float = 0.0
    jumps: int = 0
    unheard: list[str] = field(default_factory=list)
    refused: dict[str, int] = field(default_factory=dict)


def play(
    path: Path,
    *,
    inputs: str | None = None,
    rate: float = 1.0,
    with_clock: bool = False,
    seconds: float | None = None,
    wait_s: float = 10.0,
    without: frozenset[str] = frozenset(),
    progress: Callable[[float, float], None] | None = None,
) -> Played:
    """Play a recording once, in real time divided by nothing but `rate`.

    Args:
        path: The recording.
        inputs: Input map; by default guessed.
        rate: Seconds of the recording in one second.
        with_clock: Original stamps, and `/clock`.
        seconds: Only so much of its beginning [s].
        wait_s: Patience for listeners before the first message [s].
        without: Topics of the graph that somebody else sends.
        progress: Called with seconds done and seconds in all.
    Raises:
        AdasError: The recording cannot be read or feeds nothing.
    """
    with Bag(path) as bag:
        bound = open_recording(bag, None if inputs is None else load_input_map(inputs))
        info = None
        pictures = [name for name, feed in bound.feeds.items() if "camera_front" in feed.feeds and name in bound.reads]
        if pictures:
            info = info_topic_of(pictures[0], [name for name, topic in bag.topics.items() if topic.type == INFO])
        if with_clock and bag.end_s >= CLOCK_END_S:
            raise BagError(
                f"holds stamps up to {bag.end_s:.0f} s, beyond 2038, which /clock (32 bits) cannot tell",
                where=str(path),
                mend="play it without --clock: its stamps are then moved to now",
            )
        told = Told()
        length_s = bag.end_s - bag.start_s if seconds is None else min(seconds, bag.end_s - bag.start_s)
        timeline = read_ahead(cues(bag, bound, told, seconds=seconds, info_topic=info, without=without))
        player = _Player(with_clock=with_clock)
        try:
            played = player.run(timeline, bag.start_s, length_s, rate, wait_s, info, progress)
        finally:
            player.close()
    played.refused = dict(told.refused)
    return played


def read_ahead(source: Iterator[Cue]) -> Iterator[Cue]:
    """The same cues, read by a thread; an error in it comes out here."""
    queue: Queue[Cue | BaseException | None] = Queue(AHEAD)

    def work() -> None:
        try:
            for cue in source:
                queue.put(cue)
            queue.put(None)
        except BaseException as error:
            queue.put(error)

    threading.Thread(target=work, name="read-ahead", daemon=True).start()
    while (item := queue.get()) is not None:
        if isinstance(item, BaseException):
            raise item
        yield item


class _Player:
    """The rclpy side."""

    def __init__(self, *, with_clock: bool) -> None:
        import rclpy
        from rclpy.signals import SignalHandlerOptions

        self._context = rclpy.Context()
        rclpy.init(args=log_files.arguments(), context=self._context, signal_handler_options=SignalHandlerOptions.NO)
        self._node = rclpy.create_node("adas_player", context=self._context)
        self._senders: dict[str, Callable[[Cue, Pace], bool]] = {}
        self._publishers: dict[str, Any] = {}
        self._clock: Any = None
        if with_clock:
            from rosgraph_msgs.msg import Clock

            self._clock = self._node.create_publisher(Clock, "/clock", 10)

    def close(self) -> None:
        """Free the node."""
        self._node.destroy_node()
        self._context.try_shutdown()

    def run(
        self,
        timeline: Iterator[Cue],
        begin_s: float,
        length_s: float,
        rate: float,
        wait_s: float,
        info: str | None,
        progress: Callable[[float, float], None] | None,
    ) -> Played:
        from adas_runtime.graph import SOURCES

        waiting: list[Cue] = []
        # the first second tells the topics, so that listeners are connected before the first message
        for cue in timeline:
            waiting.append(cue)
            if cue.log_s - begin_s > 1.0 or len(waiting) >= AHEAD // 2:
                break
        by_topic = {source.topic: source.signal for source in SOURCES}
        for cue in waiting:
            self._open(cue, by_topic, info)
        played = Played(log_start_s=begin_s)
        self._await(wait_s)
        monotonic_s = time.monotonic() + FIRST_S
        played.start_s = time.time() + FIRST_S
        pace = Pace(begin_s=begin_s, start_s=played.start_s, rate=rate, is_original=self._clock is not None)

        def both() -> Iterator[Cue]:
            yield from waiting
            yield from timeline

        clock_s = last_s = begin_s
        for cue in both():
            if pace.is_jump(last_s, cue.log_s):
                played.jumps += 1
                monotonic_s, clock_s = time.monotonic() + GAP_PLAYED_S, cue.log_s
                pace = pace.after_jump(cue.log_s, time.time() + GAP_PLAYED_S)
            last_s = cue.log_s
            if self._clock is not None:
                while clock_s <= cue.log_s:
                    self._sleep_until(monotonic_s + (clock_s - pace.begin_s) / rate)
                    self._tell_clock(clock_s)
                    clock_s += CLOCK_STEP_S
            due_s = monotonic_s + (cue.log_s - pace.begin_s) / rate
            self._sleep_until(due_s)
            late_s = time.monotonic() - due_s
            played.late += late_s > LATE_S
            played.late_max_s = max(played.late_max_s, late_s)
            sender = self._open(cue, by_topic, info)
            if sender(cue, pace):
                name = IMAGE_TOPIC if isinstance(cue.signal, CameraFrame) else cue.topic
                played.topics[name] = played.topics.get(name, 0) + 1
            played.seconds = cue.log_s - begin_s
            if progress is not None:
                progress(played.seconds, length_s)
        self._sleep_until(time.monotonic() + SETTLE_S)  # what is on its way arrives before the writers go
        played.unheard = sorted(name for name, p in self._publishers.items() if not p.get_subscription_count())
        return played

    @staticmethod
    def _sleep_until(at_s: float) -> None:
        left_s = at_s - time.monotonic()
        if left_s > 0.0:
            time.sleep(left_s)

    def _tell_clock(self, now_s: float) -> None:
        from rosgraph_msgs.msg import Clock

        message = Clock()
        _set_stamp(message.clock, now_s)
        self._clock.publish(message)

    def _await(self, wait_s: float) -> None:
        """Until somebody listens to every topic and no further listener comes, or the patience is over."""
        end_s = time.monotonic() + wait_s
        former: list[int] = []
        still_s = time.monotonic()
        while time.monotonic() < end_s:
            counts = [publisher.get_subscription_count() for publisher in self._publishers.values()]
            if counts != former:
                former, still_s = counts, time.monotonic()
            # a recorder that is there first must not cost perception the first pictures
            if all(counts) and time.monotonic() - still_s >= SETTLE_S:
                return
            time.sleep(0.05)

    def _open(self, cue: Cue, by_topic: dict[str, Any], info: str | None) -> Callable[[Cue, Pace], bool]:
        sender = self._senders.get(cue.topic)
        if sender is None:
            sender = self._info() if cue.topic == info else self._signal(cue.topic, by_topic[cue.topic])
            self._senders[cue.topic] = sender
        return sender

    def _info(self) -> Callable[[Cue, Pace], bool]:
        from rclpy.serialization import deserialize_message
        from sensor_msgs.msg import CameraInfo

        # the calibration is for recordings; nobody in the graph waits for it
        publisher = self._node.create_publisher(CameraInfo, INFO_TOPIC, 10)

        def send(cue: Cue, pace: Pace) -> bool:
            message = deserialize_message(cue.raw, CameraInfo)
            if not pace.is_original:
                _set_stamp(message.header.stamp, pace.due_s(cue.log_s))
            publisher.publish(message)
            return True

        return send

    def _signal(self, topic: str, kind: Any) -> Callable[[Cue, Pace], bool]:
        from adas_runtime.converter import to_msg
        from adas_runtime.graph import default_graph
        from adas_runtime.interfaces import type_name
        from adas_runtime.nodes.qos import offered, profile
        from adas_runtime.nodes.settings import message_type

        about = next(item for item in default_graph().topics() if item.name == topic)
        qos = profile(offered(about))
        if kind is CameraFrame:
            return self._pictures(qos)
        publisher = self._node.create_publisher(message_type(type_name(kind), topic), topic, qos)
        if about.consumers:
            self._publishers[topic] = publisher
        convert = to_msg(kind)

        def send(cue: Cue, pace: Pace) -> bool:
            assert cue.signal is not None
            publisher.publish(convert(pace.shifted(cue.signal, cue.log_s)))
            return True

        return send

    def _pictures(self, qos: Any) -> Callable[[Cue, Pace], bool]:
        import array

        from sensor_msgs.msg import CompressedImage

        publisher = self._publishers[IMAGE_TOPIC] = self._node.create_publisher(CompressedImage, IMAGE_TOPIC, qos)

        def send(cue: Cue, pace: Pace) -> bool:
            assert isinstance(cue.signal, CameraFrame)
            found = as_compressed(cue.signal)
            if found is None:
                return False
            message = CompressedImage(format=found[0])
            message.header.frame_id = "camera_front"
            _set_stamp(message.header.stamp, pace.shifted(cue.signal, cue.log_s).stamp_s)
            message.data = array.array("B", found[1])
            publisher.publish(message)
            return True

        return send


def _set_stamp(stamp: Any, at_s: float) -> None:
    stamp.sec, stamp.nanosec = divmod(round(at_s * 1e9), 1_000_000_000)


def main() -> None:
    """Entry point of the process that demo and launch file start."""
    parser = argparse.ArgumentParser(prog="python -m adas_runtime.nodes.player")
    parser.add_argument("bag", type=Path)
    parser.add_argument("--inputs")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rate", type=float, default=1.0)
    parser.add_argument("--clock", action="store_true")
    parser.add_argument("--wait", type=float, default=10.0)
    parser.add_argument("--without", action="append", default=[], help="a topic that somebody else sends")
    parser.add_argument("--report", type=Path)
    options = parser.parse_args()
    from adas_runtime.nodes import transport

    transport.prepare(sends_pictures=True)
    try:
        played = play(
            options.bag,
            inputs=options.inputs,
            rate=options.rate,
            with_clock=options.clock,
            seconds=options.seconds,
            wait_s=options.wait,
            without=frozenset(options.without),
        )
    except AdasError as error:
        print(f"adas: {error.line()}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    if options.report is not None:
        options.report.write_text(json.dumps(asdict(played), indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
