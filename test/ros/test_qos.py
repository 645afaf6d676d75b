"""Quality of service is derived from the graph: every topic has the deadline and the lease that its period asks for."""

from __future__ import annotations

import pytest

from adas_runtime.function import STATUS_PERIOD_S, Process
from adas_runtime.graph import Topic, default_graph
from adas_runtime.nodes.qos import MARKET_STATUS, TopicQos, is_compatible, offered, requested
from adas_runtime.signals import ActuationCommand, FunctionStatus

TOPICS = (*default_graph().topics(), MARKET_STATUS)
OWN = [topic for topic in TOPICS if topic.process is not None]
SOURCES = [topic for topic in TOPICS if topic.process is None and topic is not MARKET_STATUS]
NOTICED_WITHIN_S = 0.15


def named(topic: Topic) -> str:
    return topic.name


@pytest.mark.parametrize("topic", OWN, ids=named)
def test_a_deadline_follows_from_the_declared_period(topic: Topic) -> None:
    """Peers alarm a 33 Hz command after a second: here a topic is late after two of its own periods."""
    period_s = STATUS_PERIOD_S if topic.signal is FunctionStatus else topic.period_s
    deadline_s = offered(topic).deadline_s
    if period_s is None:
        assert deadline_s is None, "silence of an event is no fault"
    else:
        assert deadline_s is not None
        assert 2.0 * period_s <= deadline_s <= 2.0 * period_s + 0.05


@pytest.mark.parametrize("topic", OWN, ids=named)
def test_a_lost_process_is_noticed_in_time(topic: Topic) -> None:
    qos = offered(topic)
    assert qos.lease_s is not None and qos.lease_s < NOTICED_WITHIN_S
    assert requested(topic).lease_s == qos.lease_s, "the reader watches what the writer promises"


@pytest.mark.parametrize("topic", [t for t in OWN if t.signal is ActuationCommand], ids=named)
def test_what_moves_the_car_lives_by_its_values(topic: Topic) -> None:
    """A process whose threads run while its work hangs is lost too; several values fit into the lease."""
    qos = offered(topic)
    assert qos.is_manual and qos.is_reliable
    assert topic.period_s is not None and qos.lease_s is not None and qos.lease_s >= 3.0 * topic.period_s


@pytest.mark.parametrize("topic", TOPICS, ids=named)
def test_both_sides_of_a_topic_fit(topic: Topic) -> None:
    assert is_compatible(offered(topic), requested(topic))


@pytest.mark.parametrize("topic", SOURCES, ids=named)
@pytest.mark.parametrize("sender", [TopicQos(depth=1, is_reliable=False), TopicQos(depth=10)], ids=["best", "reliable"])
def test_any_sensor_driver_is_heard(topic: Topic, sender: TopicQos) -> None:
    """A driver with default or sensor QoS promises nothing; a reader that asked for a deadline would get no data."""
    assert is_compatible(sender, requested(topic))


def test_the_market_reaches_those_who_come_late() -> None:
    assert offered(MARKET_STATUS).is_latched and offered(MARKET_STATUS).is_reliable


def test_every_process_can_be_missed_by_another() -> None:
    """Each has a status topic, by whose liveliness the others notice its end."""
    for process in (Process.PERCEPTION, Process.DECISION, Process.GUARD):
        assert any(topic.process is process and topic.signal is FunctionStatus for topic in TOPICS)


@pytest.mark.ros
def test_rclpy_agrees_on_what_fits(ros: int) -> None:
    from rclpy.qos import QoSCompatibility, qos_check_compatible

    from adas_runtime.nodes.qos import profile

    sides = {topic.name: (offered(topic), requested(topic)) for topic in TOPICS}
    plain = TopicQos(depth=1, is_reliable=False)
    for writer, reader in [*sides.values(), *((plain, reader) for _, reader in sides.values())]:
        told, _ = qos_check_compatible(profile(writer), profile(reader))
        assert (told != QoSCompatibility.ERROR) == is_compatible(writer, reader)
