"""Quality of service of every topic, derived from the graph: nothing lists a topic or a deadline a second time.

A late topic and a lost process are noticed by DDS itself, never by polling:

- deadline: a periodic topic promises a value every two periods and 30 ms of scheduling; silence longer than that is an
  event at every reader. The 10 ms command is missed after 50 ms, a status of once a second after 2 s.
- liveliness: a process renews its lease while it runs, so one that is killed or frozen is noticed after `LEASE_S`. A
  topic that moves the car renews it by each value it writes (manual by topic): a process whose threads live while its
  work hangs is noticed too.

What comes from outside (cameras, the vehicle) is read best effort and without a promise: a reader that asks a foreign
sender for a deadline gets nothing at all from it. How late such an input may be, the functions' ages decide.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from adas_runtime.function import STATUS_PERIOD_S
from adas_runtime.graph import MARKET_STATUS_TOPIC, Topic
from adas_runtime.signals import ActuationCommand, CameraFrame, FunctionStatus, MarketStatus

PERIODS: Final = 2.0  # one value may be lost or late before anybody is alarmed
SCHEDULING_S: Final = 0.03  # a kernel without real-time scheduling, two busy cores
LEASE_S: Final = 0.12  # with the dispatch of the event below the 150 ms in which a lost guard must be noticed
BACKLOG_S: Final = 0.05  # older values of a periodic topic are not worth working off
EVENTS_DEPTH: Final = 10
FRAMES_DEPTH: Final = 3  # the reader takes all that wait and works on the newest only


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicQos:
    """Quality of service of one side of a topic, without ROS.

    Args:
        depth: Values kept.
        is_reliable: Resent until they arrive; else best effort.
        is_latched: A late reader gets the last value.
        deadline_s: Greatest time between two values; `None`: none is promised or asked for [s].
        lease_s: The writer is taken for lost this long after its last sign of life [s].
        is_manual: Only a value written is a sign of life.
    """

    depth: int
    is_reliable: bool = True
    is_latched: bool = False
    deadline_s: float | None = None
    lease_s: float | None = None
    is_manual: bool = False


MARKET_STATUS: Final = Topic(
    name=MARKET_STATUS_TOPIC,
    signal=MarketStatus,
    producer="guard",
    output="market_status",
    process=None,
    consumers=(),
    period_s=None,
)


def period_s(topic: Topic) -> float | None:
    """Time between two values of a topic; `None` for events. A status comes at each change and once a second."""
    return STATUS_PERIOD_S if topic.signal is FunctionStatus else topic.period_s


def deadline_s(topic: Topic) -> float | None:
    """Silence that is an alarm; `None` where silence is no fault [s]."""
    period = period_s(topic)
    return None if period is None else PERIODS * period + SCHEDULING_S


def depth(topic: Topic) -> int:
    """Values that a reader or writer keeps."""
    if topic.signal is MarketStatus:
        return 1
    if topic.signal is CameraFrame:
        return FRAMES_DEPTH
    if topic.period_s is None:
        return EVENTS_DEPTH  # alerts and changes of status: none may be lost
    return min(max(math.ceil(BACKLOG_S / topic.period_s), 1), EVENTS_DEPTH)


def offered(topic: Topic) -> TopicQos:
    """What the writer promises; for a source: what a sender of this project (player, gateway) promises."""
    if topic.signal is MarketStatus:
        return TopicQos(depth=depth(topic), is_latched=True)
    if topic.process is None:
        return TopicQos(depth=depth(topic), is_reliable=False, deadline_s=deadline_s(topic))
    return TopicQos(
        depth=depth(topic),
        deadline_s=deadline_s(topic),
        lease_s=LEASE_S,
        is_manual=topic.signal is ActuationCommand,
    )


def requested(topic: Topic) -> TopicQos:
    """What a reader of this project asks for: all that the writer promises, but of a foreign sender nothing."""
    if topic.process is None and topic.signal is not MarketStatus:
        return TopicQos(depth=depth(topic), is_reliable=False)
    return offered(topic)


def is_compatible(writer: TopicQos, reader: TopicQos) -> bool:
    """Whether DDS connects the two: the writer promises at least what the reader asks for."""
    if (reader.is_reliable and not writer.is_reliable) or (reader.is_latched and not writer.is_latched):
        return False
    if reader.is_manual and not writer.is_manual:
        return False
    for promised, asked in ((writer.deadline_s, reader.deadline_s), (writer.lease_s, reader.lease_s)):
        if asked is not None and (promised is None or promised > asked):
            return False
    return True


def profile(qos: TopicQos) -> Any:
    """The same as rclpy's `QoSProfile`."""
    from rclpy.duration import Duration
    from rclpy.qos import DurabilityPolicy, HistoryPolicy, LivelinessPolicy, QoSProfile, ReliabilityPolicy

    options: dict[str, Any] = {}
    if qos.deadline_s is not None:
        options["deadline"] = Duration(nanoseconds=round(qos.deadline_s * 1e9))
    if qos.lease_s is not None:
        options["liveliness_lease_duration"] = Duration(nanoseconds=round(qos.lease_s * 1e9))
        options["liveliness"] = LivelinessPolicy.MANUAL_BY_TOPIC if qos.is_manual else LivelinessPolicy.AUTOMATIC
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=qos.depth,
        reliability=ReliabilityPolicy.RELIABLE if qos.is_reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.TRANSIENT_LOCAL if qos.is_latched else DurabilityPolicy.VOLATILE,
        **options,
    )
