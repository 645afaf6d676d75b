"""The one node that runs functions: it feeds an executor with what arrives, publishes what it says, decides nothing.

One timer serves all periods: it is set to the moment at which the next function is due (no polling), on the steady
clock, so that a step of the system clock cannot delay the envelope; with `use_sim_time` on the clock of `/clock`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Final, Protocol, runtime_checkable

from rclpy.clock import ClockChange, JumpThreshold
from rclpy.duration import Duration

from adas_runtime.converter import from_msg, to_msg
from adas_runtime.errors import SignalError
from adas_runtime.executor import BACKWARD_TOLERANCE_S, Emission, Executor
from adas_runtime.function import BuildContext, Process
from adas_runtime.graph import STATUS_OUTPUT, Topic, live_topic, shadow_topic
from adas_runtime.inputs import Feed
from adas_runtime.inputs.binder import Binder
from adas_runtime.inputs.feed import SOURCE_OF
from adas_runtime.interfaces import type_name
from adas_runtime.nodes.base import ProcessNode, Stop
from adas_runtime.nodes.beside import Beside
from adas_runtime.nodes.ledger import Reader, Writer
from adas_runtime.nodes.mounts import mounts
from adas_runtime.nodes.qos import FRAMES_DEPTH, LEASE_S, MARKET_STATUS, TopicQos, profile, requested
from adas_runtime.nodes.settings import Loaded, Settings, message_type
from adas_runtime.perception.models import running
from adas_runtime.signals import (
    ActuationCommand,
    CameraFrame,
    FeatureState,
    FunctionStatus,
    MarketStatus,
    Signal,
    Stage,
)
from adas_runtime.usage.run_cycle import RunCycleKeeper, boot_id, run_cycle_file
from adas_runtime.usage.store import Keeper, usage_file

TIMER_MIN_S: Final = 1e-4  # a period of zero would never let go of the executor
TIMER_EARLY_S: Final = 5e-5  # steady and node clock round apart: rather a little late than once in vain
FIRST_STEP_S: Final = 0.01
USED: Final = "isa"  # the function whose use the law wants counted (2021/1958 Article 4)
USAGE_PERIOD_S: Final = 60.0  # what a crash may cost of the figures of use


@runtime_checkable
class WarmsUp(Protocol):
    """A core whose first step would be slow: it loads before its process is active."""

    def warm_up(self) -> None:
        """Load what the first step would wait for; its memory stays that of a start."""


def _warm(executor: Executor) -> Executor:
    for spec in executor.functions:
        core = executor.core(spec.name)
        if isinstance(core, WarmsUp):
            core.warm_up()
    return executor


Sender = tuple[Any, Callable[[Any], Any], Writer]


class Host(ProcessNode):
    """All functions of one process on one executor."""

    def __init__(self, settings: Settings, loaded: Loaded, stop: Stop) -> None:
        super().__init__(settings, loaded, stop)
        self._functions: Executor | None = None
        self._beside: Beside | None = None
        self._files: Loaded | None = None
        self._binder: Binder | None = None
        self._senders: dict[str, Sender] = {}
        self._subscriptions_made: list[Any] = []
        self._publishers_made: list[Any] = []
        self._timer: Any = None
        self._armed_s: float | None = None
        self._jump: Any = None
        self._usage: Keeper | None = None
        self._usage_timer: Any = None
        self._run_cycle: RunCycleKeeper | None = None

    # --- lifecycle ---

    def prepare(self, loaded: Loaded) -> None:
        """Build the functions of this process: their models, devices and states."""
        context = BuildContext(market=loaded.market, vehicle=loaded.vehicle, roads=loaded.roads)
        here = loaded.graph.in_process(self.settings.process)
        slow = frozenset(spec.name for spec in here if spec.is_slow)
        stages, process = loaded.market.stages(), self.settings.process
        executor = _warm(Executor(loaded.graph, context, stages, process=process, without=slow))
        wanted = set(executor.external_topics)
        if slow:
            quick = frozenset(spec.name for spec in here) - slow
            self._beside = Beside(
                _warm(Executor(loaded.graph, context, stages, process=process, without=quick)),
                self.now_s,
                self._said_beside,
                self._failed_beside,
            )
            wanted |= self._beside.topics
        feeds = [
            feed
            for feed in loaded.feeds
            if any(SOURCE_OF[target.partition(".")[0]].topic in wanted for target in feed.feeds)
        ]
        self._binder = Binder(feeds, {}, trust_stamps=True)
        for warning in self._binder.warnings:
            self.get_logger().warning(warning)
        if loaded.map_refusal:
            self.get_logger().error(f"goes on without a map: {loaded.map_refusal}")
        self.ledger.facts["map"] = loaded.map_refusal or ("" if loaded.roads is None else loaded.roads.digest)
        self._functions = executor
        self._files = loaded
        is_counted = loaded.market.stages().get(USED, Stage.OFF) >= Stage.WARN  # no driver used it below
        if is_counted and not self._is_sim_time and any(spec.name == USED for spec in executor.functions):
            self._usage = Keeper(loaded.market.isa.feedback, usage_file(), self.get_logger().warning)
        if not self._is_sim_time and executor.kept():
            self._run_cycle = RunCycleKeeper(run_cycle_file(), boot_id(), self.get_logger().warning)

    def start(self) -> None:
        """Open all topics, tell what never changes, and step for the first time."""
        executor, loaded, binder = self._functions, self._files, self._binder
        assert executor is not None and loaded is not None and binder is not None
        executor.reset()
        if self._run_cycle is not None:
            executor.keep(self._run_cycle.found())
        self.ledger.functions.clear()
        topics = {topic.name: topic for topic in loaded.graph.topics()}
        for spec in loaded.graph.in_process(self.settings.process):
            for output in (*(item.name for item in spec.outputs), STATUS_OUTPUT):
                topic = topics[live_topic(spec.name, output)]
                self._open_writer(topic, topic.name)
                if output != STATUS_OUTPUT and spec.has_stage:
                    self._open_writer(topic, shadow_topic(spec.name, output))
        heard = {*executor.external_topics, *(() if self._beside is None else self._beside.topics)}
        read = [topics[name] for name in sorted(heard) if topics[name].process is not None]
        for topic in read:
            self._open_reader(topic)
        self._watch_peers(loaded, {topic.name for topic in read})
        sources = {topic.name: topic for topic in topics.values() if topic.process is None}
        for feed in binder.feeds.values():
            if feed.topic in binder.topics:
                self._open_feed(feed, sources)
        if self.settings.process is Process.GUARD:
            self._tell_market(loaded)
        if self.settings.process is Process.PERCEPTION:
            self._tell_mounts(loaded)
        self._timer = self.create_timer(
            FIRST_STEP_S, self.guarded(self._on_timer), clock=None if self._is_sim_time else self._steady
        )
        if self._beside is not None:
            self._beside.start()
        if self._usage is not None:
            self._usage_timer = self.create_timer(
                USAGE_PERIOD_S, self.guarded(self._usage.save_soon), clock=self._steady
            )
        if self._is_sim_time:
            self._jump = self.get_clock().create_jump_callback(
                JumpThreshold(
                    min_forward=None, min_backward=Duration(seconds=-BACKWARD_TOLERANCE_S), on_clock_change=True
                ),
                post_callback=self.guarded(self._on_jump),
            )

    def finish(self) -> None:
        """Close all topics; the functions stay built."""
        if self._beside is not None:
            self._beside.end()
        if self._jump is not None:
            self._jump.unregister()
            self._jump = None
        if self._timer is not None:
            self.destroy_timer(self._timer)
            self._timer = None
        if self._usage_timer is not None:
            self.destroy_timer(self._usage_timer)
            self._usage_timer = None
        if self._usage is not None:
            self._usage.save()
        if self._run_cycle is not None:
            self._run_cycle.save()
        self._armed_s = None
        for subscription in self._subscriptions_made:
            self.destroy_subscription(subscription)
        for publisher in self._publishers_made:
            self.destroy_publisher(publisher)
        self._subscriptions_made.clear()
        self._publishers_made.clear()
        self._senders.clear()
        self.ledger.readers.clear()
        self.ledger.writers.clear()

    def forget(self) -> None:
        """Drop the functions and what they hold."""
        self._functions = self._files = self._binder = self._usage = self._run_cycle = self._beside = None
        self.ledger.functions.clear()

    # --- topics ---

    def _open_writer(self, topic: Topic, name: str) -> None:
        publisher, record = self.write(replace(topic, name=name), message_type(type_name(topic.signal), name))
        self._publishers_made.append(publisher)
        self._senders[name] = (publisher, to_msg(topic.signal), record)

    def _open_reader(self, topic: Topic) -> None:
        convert = from_msg(topic.signal)
        name = topic.name
        is_status = topic.signal is FunctionStatus
        is_demand = topic.signal is ActuationCommand

        def on_message(message: Any) -> None:
            now_s = self.now_s()
            record.received += 1
            record.last_s = time.monotonic()
            try:
                signal = convert(message)
                if is_demand and record.senders > 1:  # whom to follow cannot be known: then nobody
                    raise SignalError(record.ambiguity())
            except SignalError as error:
                self._refuse(record, error)
                return
            record.clock_off_s = signal.stamp_s - now_s
            self._offer(name, signal, now_s, is_status=is_status)

        subscription, record = self.read(topic, type_name(topic.signal), on_message)
        self._subscriptions_made.append(subscription)

    def _open_feed(self, feed: Feed, sources: dict[str, Topic]) -> None:
        binder = self._binder
        assert binder is not None
        source = sources[SOURCE_OF[feed.feeds[0].partition(".")[0]].topic]
        is_picture = source.signal is CameraFrame
        qos = requested(source)
        if is_picture:
            qos = TopicQos(depth=FRAMES_DEPTH, is_reliable=False)

        def on_message(message: Any) -> None:
            now_s = self.now_s()
            record.received += 1
            record.last_s = time.monotonic()
            if is_picture:
                message = self._newest(subscription, message, record)
            try:
                found = binder.convert(feed.topic, message, now_s)
            except SignalError as error:
                self._refuse(record, error)
                return
            for topic, signal in found:
                record.clock_off_s = signal.stamp_s - now_s
                self._offer(topic, signal, now_s)

        subscription, record = self.read(replace(source, name=feed.topic), feed.type, on_message, qos=qos)
        self._subscriptions_made.append(subscription)

    @staticmethod
    def _newest(subscription: Any, message: Any, record: Reader) -> Any:
        """Of the pictures that wait, the newest: a late picture is worth less than the next one."""
        while (found := subscription.handle.take_message(subscription.msg_type, False)) is not None:
            record.received += 1
            record.dropped += 1
            message = found[0]
        return message

    def _watch_peers(self, loaded: Loaded, read: set[str]) -> None:
        """Notice each other process's end through the liveliness of one of its topics, where none is read anyway."""
        for process in Process:
            specs = loaded.graph.in_process(process)
            names = {live_topic(spec.name, STATUS_OUTPUT) for spec in specs}
            if process is self.settings.process or not specs or names & read:
                continue
            topic = next(topic for topic in loaded.graph.topics() if topic.name in names)

            def on_message(message: bytes, name: str = topic.name) -> None:
                record = self.ledger.readers[name]
                record.received += 1
                record.last_s = time.monotonic()

            subscription, _ = self.read(topic, type_name(topic.signal), on_message, raw=True)
            self._subscriptions_made.append(subscription)

    def _refuse(self, record: Reader, error: SignalError) -> None:
        if record.refuse(error.line(), time.monotonic()):
            self.get_logger().warning(f"{record.topic}: refused, {record.refused} so far: {error.line()}")
            self.tell_change()

    # --- what is told once ---

    def _tell_market(self, loaded: Loaded) -> None:
        market = loaded.market
        status = MarketStatus(
            stamp_s=self.now_s(),
            market=market.name,
            revision=market.revision,
            digest=market.digest,
            vehicle=loaded.vehicle.name,
            features=tuple(FeatureState(function=n, stage=s) for n, s in sorted(market.stages().items())),
        )
        self._open_writer(MARKET_STATUS, MARKET_STATUS.name)
        self._send(MARKET_STATUS.name, status)

    def _tell_mounts(self, loaded: Loaded) -> None:
        try:
            from geometry_msgs.msg import TransformStamped
            from tf2_msgs.msg import TFMessage
        except ImportError:
            self.ledger.facts["tf_static"] = "not sent: the ROS 2 package tf2_msgs is not installed"
            return
        transforms = []
        for mount in mounts(loaded.vehicle):
            sent = TransformStamped()
            sent.header.stamp = self.get_clock().now().to_msg()
            sent.header.frame_id, sent.child_frame_id = mount.parent, mount.child
            place, turned = sent.transform.translation, sent.transform.rotation
            place.x, place.y, place.z = mount.x_m, mount.y_m, mount.z_m
            turned.x, turned.y, turned.z, turned.w = mount.rotation
            transforms.append(sent)
        publisher = self.create_publisher(TFMessage, "/tf_static", profile(TopicQos(depth=1, is_latched=True)))
        publisher.publish(TFMessage(transforms=transforms))
        self._publishers_made.append(publisher)
        self.ledger.facts["tf_static"] = f"{len(transforms)} transforms"

    # --- the work ---

    def _offer(self, topic: str, signal: Signal, now_s: float, *, is_status: bool = False) -> None:
        executor = self._functions
        if executor is None or self._timer is None:
            return
        if self._beside is not None and topic in self._beside.topics:
            self._beside.offer(topic, signal)
        begin_s = time.perf_counter()
        emissions = executor.offer(topic, signal, now_s)
        if emissions:
            self._publish(emissions)
            self.ledger.step.add(time.perf_counter() - begin_s)
        if not is_status:
            self._arm(now_s)

    def _on_timer(self) -> None:
        executor = self._functions
        if executor is None or self._timer is None:
            return
        now_s = self.now_s()
        if self._armed_s is not None:
            self.ledger.lag.add(max(0.0, now_s - self._armed_s))
        self._armed_s = None
        begin_s = time.perf_counter()
        emissions = executor.advance(now_s)
        if emissions:
            self._publish(emissions)
            self.ledger.step.add(time.perf_counter() - begin_s)
        self._arm(now_s)

    def _arm(self, now_s: float) -> None:
        """Set the timer to the next due step; one that fires earlier looks again, which is cheaper than to move it."""
        executor, timer = self._functions, self._timer
        if executor is None or timer is None:
            return
        due_s = executor.next_due_s()
        if due_s is None or (self._armed_s is not None and self._armed_s <= due_s):
            return
        self._armed_s = due_s
        timer.timer_period_ns = round(max(due_s - now_s + TIMER_EARLY_S, TIMER_MIN_S) * 1e9)
        timer.reset()

    def _on_jump(self, jump: Any) -> None:
        """Simulated time began anew: what was armed lies in another time line."""
        if jump.clock_change == ClockChange.ROS_TIME_NO_CHANGE:
            self.get_logger().warning(f"/clock ran back by {-jump.delta.nanoseconds * 1e-9:.3f} s: all starts afresh")
        self._armed_s = None
        self._on_timer()

    def _said_beside(self, emissions: list[Emission]) -> None:
        """In the thread beside: let the node's executor publish."""
        assert self.executor is not None
        self.executor.create_task(self.guarded(self._publish_beside), emissions)

    def _failed_beside(self, error: Exception) -> None:
        def tell() -> None:
            raise error

        assert self.executor is not None
        self.executor.create_task(self.guarded(tell))

    def _publish_beside(self, emissions: list[Emission]) -> None:
        if self._timer is not None:  # else it has finished meanwhile
            self._publish(emissions)

    def _publish(self, emissions: Iterable[Emission]) -> None:
        for emission in emissions:
            self._send(emission.topic, emission.signal)
            if emission.output == STATUS_OUTPUT:
                self._note(emission.signal)

    def _send(self, topic: str, signal: Signal) -> None:
        publisher, convert, record = self._senders[topic]
        publisher.publish(convert(signal))
        record.sent += 1

    def _note(self, status: Any) -> None:
        """Keep a function's last word for the diagnostics, and tell a change of its health at once."""
        former = self.ledger.functions.get(status.author)
        self.ledger.functions[status.author] = status
        if self._usage is not None and status.author == USED:
            self._usage.heard({kpi.name: kpi.value for kpi in status.kpis})
        keeper = self._run_cycle
        if keeper is not None and self._functions is not None and keeper.heard(self._functions.kept()):
            keeper.save_soon()  # looked at with each status, so at once when a mode changes
        if former is None or (former.health, former.absent, former.stage) != (
            status.health,
            status.absent,
            status.stage,
        ):
            self.tell_change()

    def facts(self) -> None:
        """What runs each model, asserted when it was loaded: not what this onnxruntime could have run it on."""
        super().facts()
        self.ledger.facts.update({f"model_{name}": line for name, line in running().items()})
        self.ledger.facts["lease_s"] = f"{LEASE_S:g}"
