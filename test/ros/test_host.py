"""The host node in this process, on real DDS: lifecycle, what is refused, absent, late or does not fit, clocks."""

from __future__ import annotations

import array
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import pytest

pytestmark = pytest.mark.ros
pytest.importorskip("rclpy")

import rclpy  # noqa: E402
from live_graph import COMMAND, DEMAND, TOPICS, VEHICLE, Spinning, until, values  # noqa: E402
from rclpy.qos import QoSProfile, ReliabilityPolicy  # noqa: E402

from adas_runtime.converter import to_msg  # noqa: E402
from adas_runtime.function import Process  # noqa: E402
from adas_runtime.interfaces import type_name  # noqa: E402
from adas_runtime.nodes.base import DEFECTS_MAX  # noqa: E402
from adas_runtime.nodes.host import Host  # noqa: E402
from adas_runtime.nodes.settings import Settings, load, message_type  # noqa: E402
from adas_runtime.signals import ActuationCommand, BodyState, Stage, VehicleState  # noqa: E402
from adas_runtime.usage.run_cycle import run_cycle_file  # noqa: E402

if TYPE_CHECKING:
    from live_graph import Probe

STATUS = "/adas/envelope/status"
Hosting = Callable[..., Any]


@contextmanager
def hosting(process: Process = Process.GUARD, *, is_active: bool = True, **options: Any) -> Iterator[Any]:
    """A host of this process; `codes` of it are the exit codes that it asked for."""
    rclpy.init()
    settings = Settings(process=process, market="de", **options)
    codes: list[int] = []
    host = Host(settings, load(settings), codes.append)
    host.codes = codes
    spinning = Spinning(rclpy.get_default_context())
    spinning.executor.add_node(host)
    if is_active:
        host.trigger_configure()
        host.trigger_activate()
    spinning.start()
    try:
        yield host
    finally:
        spinning.end()
        host.destroy_node()
        rclpy.try_shutdown()


def change_state(probe: Probe, transition: str) -> bool:
    """As a lifecycle manager does it: over the service of the node."""
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    client = probe.node.create_client(ChangeState, "/adas_guard/change_state")
    until(client.service_is_ready, "the lifecycle service answers")
    number = getattr(Transition, f"TRANSITION_{transition}")
    future = client.call_async(ChangeState.Request(transition=Transition(id=number)))
    until(future.done, f"the answer to {transition}")
    return bool(future.result().success)


def demand(counter: int, **fields: Any) -> ActuationCommand:
    return ActuationCommand(stamp_s=time.time(), author="arbiter", counter=counter, oldest_input_age_s=0.0, **fields)


# --- lifecycle --------------------------------------------------------------------------------------------------------


@pytest.mark.clause("R171 5.5.4.2.8.1")
def test_a_killed_decision_process_gives_no_locked_out_driver_assistance_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one host kept without an orderly end, the next one begins with, within one run of the computer."""
    monkeypatch.setenv("ADAS_STATE_DIR", str(tmp_path))
    with hosting(Process.DECISION) as host:
        core = host._functions.core("dcas")
        twice = replace(core.state.counters, cycle_unavailable=2)
        core.state = replace(core.state, counters=twice)
        until(run_cycle_file().exists, "it is written with the next status, long before any end")
    written = run_cycle_file().read_text(encoding="utf-8")
    with hosting(Process.DECISION) as host:
        assert host._functions.kept()["dcas"]["unavailable"] == 2
        body = BodyState(stamp_s=time.time(), is_master_switch_on=True, ignition_cycle=8)
        core = host._functions.core("dcas")
        core.state = replace(core.state, counters=replace(core.state.counters, cycle=7))
        host._publish(host._functions.offer("/vehicle/body", body, time.time()))
        until(lambda: core.state.counters.cycle_unavailable == 0, "a new run cycle begins anew")
        until(lambda: run_cycle_file().read_text(encoding="utf-8") != written, "and that is kept as well")


def test_it_commands_only_while_active_and_begins_safe_each_time(probe: Probe) -> None:
    probe.listen(COMMAND)
    with hosting(is_active=False):
        assert change_state(probe, "CONFIGURE")
        time.sleep(0.1)
        assert probe.last(COMMAND) is None, "inactive: nothing is written"
        for _ in range(2):
            assert change_state(probe, "ACTIVATE")
            at_s = time.time()
            first = until(lambda at_s=at_s: probe.since(COMMAND, at_s), "commands come")[0]
            assert first.is_safe_stop and first.accel_mps2 == 0.0 and first.lateral_authority == 0.0
            assert change_state(probe, "DEACTIVATE")
            until(lambda: probe.lost[COMMAND], "its readers notice the end")
            count = len(probe.heard[COMMAND])
            time.sleep(0.1)
            assert len(probe.heard[COMMAND]) == count
            probe.lost[COMMAND].clear()
        assert change_state(probe, "CLEANUP")
        assert change_state(probe, "CONFIGURE"), "it can be configured anew"
        assert change_state(probe, "ACTIVATE")
        at_s = time.time()
        until(lambda: probe.since(COMMAND, at_s), "commands come")


def test_shut_down_from_active_ends_the_process_in_order(probe: Probe) -> None:
    with hosting() as host:
        assert change_state(probe, "ACTIVE_SHUTDOWN")
        until(lambda: host.codes == [0], "it asks for its end")


# --- what comes in ----------------------------------------------------------------------------------------------------


def test_a_value_out_of_bounds_is_refused_counted_and_told(probe: Probe) -> None:
    """NaN, inf, an unknown gear: none reaches a function, all are counted, the log tells the first."""
    kind = message_type(type_name(VehicleState), VEHICLE)
    good = to_msg(VehicleState)(VehicleState(stamp_s=time.time(), speed_mps=20.0))
    with hosting() as host:
        publisher, _ = probe.publisher(TOPICS[VEHICLE])
        reader = host.ledger.readers[VEHICLE]

        def is_connected() -> bool:
            publisher.publish(good)
            time.sleep(0.02)
            return bool(reader.received)

        until(is_connected, "the guard hears the vehicle")  # best effort: what is sent before is lost
        for field, value in (("speed_mps", math.nan), ("speed_mps", math.inf), ("gear", 250)):
            bad = to_msg(VehicleState)(VehicleState(stamp_s=time.time(), speed_mps=20.0))
            setattr(bad, field, value)
            publisher.publish(bad)
            time.sleep(0.02)
        assert isinstance(good, kind)
        name = f"adas_guard: reads {VEHICLE}"
        told = until(
            lambda: (s := probe.told(name)) and values(s).get("refused") == "3" and s, "three refusals are told"
        )
        assert "VehicleState.gear" in values(told)["last_refusal"]


def test_an_input_that_falls_silent_is_told_as_absent(probe: Probe) -> None:
    probe.listen(STATUS)
    probe.drive()
    with hosting():
        until(lambda: (s := probe.last(STATUS)) and "vehicle" not in s.absent, "the vehicle state arrives")
        probe.stop_driving()
        until(lambda: "vehicle" in probe.last(STATUS).absent, "its absence is told")
        told = until(
            lambda: (s := probe.told("adas_guard: envelope")) and "vehicle" in values(s).get("absent", "") and s,
            "in the diagnostics too",
        )
        assert "lacks" in told.message and told.level != b"\x00"


def test_a_demand_that_does_not_fit_is_an_error_not_silence(probe: Probe) -> None:
    """The trap of ROS 2: a writer with other QoS is simply not heard. Both sides must say so."""
    topic = TOPICS[DEMAND]
    with hosting():
        probe.node.create_publisher(
            message_type(type_name(topic.signal), topic.name),
            topic.name,
            QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT),
        )
        told = until(
            lambda: (s := probe.told(f"adas_guard: reads {DEMAND}")) and "does not fit" in s.message and s,
            "the mismatch is told",
        )
        assert told.level == b"\x02"


def test_a_late_demand_misses_its_deadline(probe: Probe) -> None:
    with hosting():
        publisher, convert = probe.publisher(TOPICS[DEMAND])
        until(lambda: publisher.get_subscription_count(), "the guard listens")
        publisher.publish(convert(demand(1)))
        name = f"adas_guard: reads {DEMAND}"
        until(lambda: (s := probe.told(name)) and int(values(s)["deadlines_missed"]) > 0, "the missed deadline is told")


def test_the_newest_picture_wins_and_the_others_are_counted(probe: Probe) -> None:
    from sensor_msgs.msg import CompressedImage

    with hosting(Process.PERCEPTION) as host:
        publisher = probe.node.create_publisher(CompressedImage, "/camera/front/image/compressed", QoSProfile(depth=5))
        picture = array.array("B", cv2.imencode(".jpg", np.zeros((48, 64, 3), np.uint8))[1].tobytes())
        reader = host.ledger.readers["/camera/front/image/compressed"]

        def send(number: int) -> None:
            message = CompressedImage(format="jpeg", data=picture)
            message.header.stamp.sec = number
            publisher.publish(message)
            time.sleep(0.02)

        def is_connected() -> bool:
            send(0)
            return bool(reader.received)

        until(is_connected, "perception hears the camera")  # best effort: what is sent before is lost
        seen: list[float] = []
        offer = host._functions.offer

        def slow(topic: str, signal: Any, now_s: float) -> Any:
            seen.append(signal.stamp_s)
            time.sleep(0.3)  # a step that takes longer than several pictures
            return offer(topic, signal, now_s)

        host._functions.offer = slow
        dropped = reader.dropped
        for number in range(1, 5):
            send(number)
        until(lambda: len(seen) >= 2, "the second picture is worked on")
        assert seen == [1.0, 4.0]
        name = "adas_perception: reads /camera/front/image/compressed"
        until(
            lambda: (s := probe.told(name)) and values(s)["dropped"] == str(dropped + 2),
            "the dropped pictures are told",
        )


# --- what goes out ----------------------------------------------------------------------------------------------------


def test_who_comes_late_gets_the_market(probe: Probe) -> None:
    with hosting():
        until(lambda: probe.told("adas_guard: process"), "the guard runs")
        probe.listen("/adas/market/status")
        status = until(lambda: probe.last("/adas/market/status"), "the latched market status")
    assert status.market == "de" and len(status.digest) == 64
    assert {feature.function: feature.stage for feature in status.features}["lane_departure"] is Stage.WARN


def test_a_defect_in_a_callback_is_survived_and_too_many_end_the_process(probe: Probe) -> None:
    probe.listen(COMMAND)
    with hosting() as host:
        until(lambda: probe.last(COMMAND), "commands come")
        advance = host._functions.advance
        left = [1]

        def broken(now_s: float) -> Any:
            if left[0] > 0:
                left[0] -= 1
                raise ZeroDivisionError("a defect")
            return advance(now_s)

        host._functions.advance = broken
        told = until(
            lambda: (s := probe.told("adas_guard: process")) and "ZeroDivisionError" in s.message and s,
            "the defect is told",
        )
        assert values(told)["defects_caught"] == "1"
        at_s = time.time()
        until(lambda: probe.since(COMMAND, at_s), "the guard goes on")
        assert host.codes == []
        left[0] = DEFECTS_MAX + 1
        until(lambda: host.codes and host.codes[0] == 3, "a process that only fails ends, to be started afresh")


def test_a_process_whose_work_hangs_is_missed_although_its_threads_live(probe: Probe) -> None:
    probe.listen(COMMAND)
    with hosting() as host:
        until(lambda: probe.last(COMMAND), "commands come")
        advance = host._functions.advance
        hung = []

        def hang(now_s: float) -> Any:
            if not hung:
                hung.append(now_s)
                time.sleep(0.5)
            return advance(now_s)

        host._functions.advance = hang
        until(lambda: hung and [t for t in probe.lost[COMMAND] if t >= hung[0]], "its readers notice")
        at_s = time.time()
        commands = until(lambda: probe.since(COMMAND, at_s), "it comes back")
        assert commands[0].is_safe_stop


# --- time -------------------------------------------------------------------------------------------------------------


def test_simulated_time_drives_the_timers_and_may_run_back(probe: Probe) -> None:
    """peers: with /clock subscribed, executors starved 10 Hz timers to 2.4 Hz (rclpy #1452)."""
    from rosgraph_msgs.msg import Clock

    clock = probe.node.create_publisher(Clock, "/clock", QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT))
    probe.listen(COMMAND)

    def play(start_s: float, seconds: float) -> list[Any]:
        """`/clock` at 200 Hz of simulated time; the commands of that time."""
        for step in range(round(seconds * 200)):
            now_s = start_s + step / 200
            message = Clock()
            message.clock.sec, message.clock.nanosec = int(now_s), round((now_s % 1.0) * 1e9)
            clock.publish(message)
            time.sleep(0.005)
        return [c for _, c in list(probe.heard[COMMAND]) if start_s <= c.stamp_s <= start_s + seconds]

    with hosting(use_sim_time=True):
        until(lambda: clock.get_subscription_count(), "the guard listens to /clock")
        until(lambda: play(1000.0, 0.05), "the guard runs on the simulated clock")
        commands = play(2000.0, 2.0)
        # 10 ms of period on a clock of 5 ms: 100 to 200 a second; half of that is far from starved on any machine
        assert len(commands) >= 100
        assert all(b.stamp_s > a.stamp_s for a, b in pairwise(commands))
        again = until(lambda: play(500.0, 0.5), "it starts afresh when time runs back")
        assert again[0].is_safe_stop


# --- parameters -------------------------------------------------------------------------------------------------------


def test_the_configuration_shows_as_read_only_parameters(probe: Probe) -> None:
    from rclpy.parameter import Parameter

    with hosting() as host:
        loaded = load(host.settings)
        jerk = host.get_parameter("config.envelope.jerk_max_mps3")
        assert jerk.value == loaded.market.envelope.jerk_max_mps3
        descriptor = host.describe_parameter("config.envelope.jerk_max_mps3")
        assert descriptor.read_only and "m/s^3" in descriptor.description
        assert descriptor.floating_point_range[0].to_value == 50.0
        assert host.get_parameter("market").value == "de"
        assert host.get_parameter("car.dimensions.wheelbase_m").value == loaded.vehicle.dimensions.wheelbase_m
        result = host.set_parameters([Parameter("config.envelope.jerk_max_mps3", value=49.0)])[0]
        assert not result.successful
        assert host.get_parameter("config.envelope.jerk_max_mps3").value == loaded.market.envelope.jerk_max_mps3
