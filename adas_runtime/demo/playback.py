"""A recording as a timeline of what to publish when: pure, no ROS, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, cast

from adas_runtime.errors import SignalError
from adas_runtime.executor import BACKWARD_TOLERANCE_S
from adas_runtime.inputs.recording import UNREADABLE, Bound
from adas_runtime.replay.bag import Bag
from adas_runtime.signals import CameraFrame, Signal

GAP_MAX_S: Final = 60.0  # a logger that got its time from the network mid-drive jumps by years
GAP_PLAYED_S: Final = 1.0  # what is waited instead
COMPRESSED: Final = ("jpeg", "png", "webp", "bmp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cue:
    """One thing to publish: a signal of the graph by its topic, or the CDR bytes of a camera's calibration."""

    log_s: float
    topic: str
    signal: Signal | None = None
    raw: bytes = b""


@dataclass(slots=True)
class Told:
    """What a playback left out, and why."""

    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """From a recording's time to the clock of the car.

    Args:
        begin_s: Log time of the first message [s].
        start_s: Clock time at which it is due [s].
        rate: Seconds of the recording in one of the clock.
        is_original: Stamps stay as recorded; time comes from `/clock`.
    """

    begin_s: float
    start_s: float
    rate: float = 1.0
    is_original: bool = False

    def due_s(self, log_s: float) -> float:
        """When a message of this log time is due, on the clock [s]."""
        return self.start_s + (log_s - self.begin_s) / self.rate

    def shifted(self, signal: Signal, log_s: float) -> Signal:
        """The signal with its stamp on the clock; its age at the time of the log stays what it was."""
        if self.is_original:
            return signal
        moved: Signal = replace(cast(Any, signal), stamp_s=self.due_s(log_s) + (signal.stamp_s - log_s))
        return moved

    def is_jump(self, last_s: float, log_s: float) -> bool:
        """Whether the recording's clock ran back or so far ahead that nobody would wait for it."""
        return not -BACKWARD_TOLERANCE_S <= log_s - last_s <= GAP_MAX_S

    def after_jump(self, log_s: float, at_s: float) -> Pace:
        """The pace of what follows a jump: the message of this log time is due at `at_s` of the clock."""
        return replace(self, begin_s=log_s, start_s=at_s)


def cues(
    bag: Bag,
    bound: Bound,
    told: Told,
    *,
    seconds: float | None = None,
    info_topic: str | None = None,
    only: frozenset[str] | None = None,
    without: frozenset[str] = frozenset(),
) -> Iterator[Cue]:
    """What to publish, in the order of the recording.

    Args:
        bag: The recording.
        bound: Its topics bound to the graph.
        told: Gets what is left out.
        seconds: Stop after this much of the recording [s].
        info_topic: Topic of the camera's calibration, to be passed on as it is.
        only: Topics of the graph to be played; `None`: all.
        without: Topics of the graph that are not, since somebody else sends them.
    """
    topics = set(bound.reads) | ({info_topic} if info_topic else set())
    end_s = None if seconds is None else bag.start_s + seconds
    for log_ns, topic, data in bag.messages(topics):
        log_s = log_ns * 1e-9
        if end_s is not None and log_s > end_s:
            return
        if topic == info_topic:
            yield Cue(log_s=log_s, topic=topic, raw=data)
            continue
        try:
            found = bound.binder.convert(topic, bound.reads[topic](data), log_s)
        except UNREADABLE as error:
            text = error.line().split(" = ")[0] if isinstance(error, SignalError) else "undecodable"
            told.refused[f"{topic}: {text}"] += 1
            continue
        for graph_topic, signal in found:
            if graph_topic in without or (only is not None and graph_topic not in only):
                continue
            yield Cue(log_s=log_s, topic=graph_topic, signal=signal)


def as_compressed(frame: CameraFrame) -> tuple[str, bytes] | None:
    """Format and bytes of a picture as `CompressedImage` carries it; raw ones without loss; `None`: not a picture."""
    if frame.encoding in COMPRESSED:
        return frame.encoding, frame.data
    import cv2

    from adas_runtime.perception.lane_model import decode

    picture = decode(frame.encoding, frame.data, frame.width_px, frame.height_px)
    if picture is None:
        return None
    is_done, data = cv2.imencode(".png", picture, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return ("png", data.tobytes()) if is_done else None
