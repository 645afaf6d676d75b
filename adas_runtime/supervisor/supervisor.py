"""Starts the processes of the live graph, keeps them alive, tells what is degraded, and ends them in order.

It imports no rclpy: a fault of the middleware cannot take it down. What the graph's own topics say reaches it as lines
of JSON from the monitor, a thin node in a child process, and the monitor tells /diagnostics what it says of itself.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from types import FrameType, TracebackType
from typing import Any, Final

from typing_extensions import Self

from adas_runtime.function import Process
from adas_runtime.supervisor.child import Child, usage
from adas_runtime.supervisor.commands import START_ORDER, STOP_ORDER
from adas_runtime.supervisor.policy import (
    EXIT_BAD_INPUT,
    EXIT_WRONG_RMW,
    RestartParams,
    RestartState,
    after_death,
)
from adas_runtime.supervisor.shared_memory import clear_leftovers

TICK_S: Final = 0.2
TELL_S: Final = 1.0
FROZEN_S: Final = 5.0  # each process reports once a second; one that was heard and then is not hangs
HEARING_S: Final = 2.0
REPEAT_S: Final = 10.0  # the same line of a process is said once in this time
STARTING_S: Final = 30.0  # one that has never been heard by then hangs in its start; a busy machine needs 10
GRACE_S: Final = 5.0  # a process that has not ended so long after SIGTERM is killed
MONITOR: Final = "monitor"
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Life(Enum):
    """What a supervised process is doing."""

    RUNNING = "up"
    WAITING = "restarting"
    GIVEN_UP = "down"
    ENDED = "ended"


@dataclass(slots=True)
class Slot:
    """One supervised process over all its lives."""

    name: str
    command: tuple[str, ...]
    process: Process | None  # of the graph; the monitor and what runs beside the graph are none
    child: Child | None = None
    life: Life = Life.ENDED
    restart: RestartState = field(default_factory=RestartState)
    due_s: float = 0.0
    reason: str = ""
    cpu_s: float = 0.0  # of former lives and of this one
    base_cpu_s: float = 0.0
    resident_bytes: int = 0
    peak_bytes: int = 0
    heard_s: float | None = None  # last sign of life of this life of the process
    line: str = ""  # what it said last
    line_s: float = 0.0
    line_repeats: int = 0
    is_ending: bool = False  # it has been killed and is not reaped yet

    @property
    def ends_with(self) -> Process:
        """Whose turn it shares at the end: what beside the graph looks goes with perception, the ear last."""
        if self.process is not None:
            return self.process
        return Process.RECORDER if self.name == MONITOR else Process.PERCEPTION


@dataclass(slots=True)
class View:
    """What the monitor told last; `alerts` counts those that began."""

    active_at_s: float | None = None
    statuses: dict[str, dict[str, Any]] = field(default_factory=dict)
    alerts: int = 0
    active_alerts: set[tuple[str, str]] = field(default_factory=set)
    market: str = ""


Say = Callable[[str], None]
Commands = Mapping[Process, Sequence[str]] | Mapping[Process | str, Sequence[str]]
Made = Callable[[], tuple[Commands, Mapping[str, str]]]


class Supervisor:
    """Supervises until told to stop; use it as a context, so that nothing outlives the block.

    Args:
        commands: Command line per process of the graph, and by name of what runs beside it; or what makes them, with
            what the environment must hold besides. It is called while the monitor already starts, which thus hears the
            first word of each process.
        monitor: Command line of the monitor, `None` for none.
        environment: Environment of every child.
        say: Takes one line for each event that a user wants to know of.
        params: Pace of the restarts.
        grace_s: Patience with a process that was asked to end [s].
        frozen_s: A process whose signs of life stop for so long is killed, to be started again [s].
        starting_s: So is one that has given none so long after its start [s].
        is_verbose: Pass on what the children log at the level INFO, too.
    """

    def __init__(
        self,
        commands: Commands | Made,
        *,
        monitor: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        say: Say = lambda text: None,
        params: RestartParams | None = None,
        grace_s: float = GRACE_S,
        frozen_s: float = FROZEN_S,
        starting_s: float = STARTING_S,
        is_verbose: bool = False,
    ) -> None:
        self._environment = dict(os.environ if environment is None else environment)
        self._say = say
        self._params = params or RestartParams()
        self._grace_s = grace_s
        self._frozen_s = frozen_s
        self._starting_s = starting_s
        self._is_verbose = is_verbose
        self._commands = commands
        self.slots: dict[str, Slot] = {}
        if monitor is not None:
            self.slots[MONITOR] = Slot(name=MONITOR, command=tuple(monitor), process=None)
        self.view = View()
        self.started_s = 0.0
        self.time_to_active_s: float | None = None
        self.refusal: str | None = None
        self.signals = 0
        self._selector = selectors.DefaultSelector()
        self._watched: dict[int, Slot] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._handlers: dict[int, Any] = {}
        self._is_stopping = False
        self._told_s = 0.0
        self._degraded: tuple[str, ...] = ()

    # --- life of the supervisor ---

    def __enter__(self) -> Self:
        """Take the signals over and start everything."""
        for number in SIGNALS:
            self._handlers[number] = signal.signal(number, self._on_signal)
        self.started_s = time.monotonic()
        clear_leftovers()
        try:
            for slot in self.slots.values():
                self._start(slot)
            commands, environment = self._commands() if callable(self._commands) else (self._commands, {})
            self._environment.update(environment)
            processes = [process for process in START_ORDER if process in commands]
            slots = [Slot(name=p.value, command=tuple(commands[p]), process=p) for p in processes]
            beside = [(name, line) for name, line in commands.items() if not isinstance(name, Process)]
            slots += [Slot(name=name, command=tuple(line), process=None) for name, line in beside]
            self.slots = {slot.name: slot for slot in [*slots, *self.slots.values()]}
            for slot in slots:
                if self.signals:
                    break  # told to end while starting
                self._start(slot)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self.stop()
        finally:
            for number, handler in self._handlers.items():
                signal.signal(number, handler)
            self._handlers.clear()
            self._selector.close()
            os.close(self._wake_read)
            os.close(self._wake_write)

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signals += 1
        try:
            os.write(self._wake_write, b"x")
        except BlockingIOError:
            return

    @property
    def is_asked_to_stop(self) -> bool:
        """A signal came."""
        return self.signals > 0

    @property
    def degraded(self) -> tuple[str, ...]:
        """What is wrong now: processes that are not up."""
        return tuple(
            f"{slot.name} {slot.life.value}"
            for slot in self.slots.values()
            if slot.life in (Life.WAITING, Life.GIVEN_UP)
        )

    @property
    def is_active(self) -> bool:
        """Every function has reported, and the guard commands."""
        return self.view.active_at_s is not None

    # --- one turn ---

    def tick(self, timeout_s: float = TICK_S) -> None:
        """Wait for something to happen, at most `timeout_s`, and deal with it."""
        now_s = time.monotonic()
        waits = [slot.due_s - now_s for slot in self.slots.values() if slot.life is Life.WAITING]
        for key, _ in self._selector.select(max(0.0, min([timeout_s, *waits]))):
            if key.fd == self._wake_read:
                self._drain_wake()
        for slot in self.slots.values():
            self._read(slot)
            self._reap(slot)
        now_s = time.monotonic()
        if not self._is_stopping:
            for slot in self.slots.values():
                if slot.life is Life.WAITING and now_s >= slot.due_s and not self.is_asked_to_stop:
                    self._start(slot)
            self._end_frozen(now_s)
            self._announce()
        if now_s - self._told_s >= TELL_S:
            self._told_s = now_s
            for slot in self.slots.values():
                self._measure(slot)
            self._tell_monitor()

    def run(self, each: Callable[[], None] = lambda: None) -> None:
        """Turn until a signal comes or a configuration is refused; `each` is called once a turn."""
        while not self.is_asked_to_stop and self.refusal is None:
            self.tick()
            each()

    def stop(self) -> None:
        """End all processes in order; a further signal ends them at once."""
        self._is_stopping = True
        before = self.signals
        for group in STOP_ORDER:
            slots = [slot for slot in self.slots.values() if slot.ends_with in group and slot.child is not None]
            for slot in slots:
                assert slot.child is not None
                slot.child.signal(signal.SIGTERM)
            deadline_s = time.monotonic() + self._grace_s
            killed: set[str] = set()
            while any(slot.child is not None for slot in slots):
                left_s = deadline_s - time.monotonic()
                is_forced = self.signals > before
                if left_s <= 0.0 or is_forced:
                    for slot in slots:
                        if slot.child is not None and slot.child.exit_code is None and slot.name not in killed:
                            killed.add(slot.name)
                            why = "forced" if is_forced else f"it did not end within {self._grace_s:g} s"
                            self._say(f"{slot.name}: killed, {why}")
                            slot.child.signal(signal.SIGKILL)
                    left_s = TICK_S
                self.tick(min(left_s, TICK_S))

    # --- parts ---

    def _start(self, slot: Slot) -> None:
        is_recorder = slot.process is Process.RECORDER
        try:
            slot.child = Child(
                slot.name,
                slot.command,
                self._environment,
                # the recorder may finish its file; nothing else may go on without a supervisor
                death_signal=signal.SIGTERM if is_recorder else signal.SIGKILL,
                has_channel=slot.name == MONITOR,
            )
        except OSError as error:
            self._dead(slot, lived_s=0.0, exit_code=1, last=f"cannot be started ({error.strerror})")
            return
        slot.life = Life.RUNNING
        slot.heard_s = None
        slot.is_ending = False
        for descriptor in slot.child.descriptors:
            self._selector.register(descriptor, selectors.EVENT_READ)
            self._watched[descriptor] = slot

    def _read(self, slot: Slot) -> None:
        child = slot.child
        if child is None:
            return
        before = child.descriptors
        for is_channel, text in child.lines():
            if is_channel:
                self._heard(text)
            elif self._is_verbose or not (self._is_stopping or text.startswith(("[INFO]", "[DEBUG]"))):
                # while all of them end, that others are gone is no news
                self._pass_on(slot, text)
        for descriptor in set(before) - set(child.descriptors):
            self._selector.unregister(descriptor)
            self._watched.pop(descriptor, None)

    def _pass_on(self, slot: Slot, text: str) -> None:
        """Say a line; one that comes again and again, as a decoder's at each picture, is said once in a while."""
        now_s = time.monotonic()
        if text == slot.line and now_s - slot.line_s < REPEAT_S:
            slot.line_repeats += 1
            return
        if slot.line_repeats:
            self._say(f"{slot.name}: {slot.line} ({slot.line_repeats} times more)")
        slot.line, slot.line_s, slot.line_repeats = text, now_s, 0
        self._say(f"{slot.name}: {text}")

    def _reap(self, slot: Slot) -> None:
        child = slot.child
        if child is None or (code := child.exit_code) is None:
            return
        self._read(slot)
        for descriptor in child.descriptors:
            self._selector.unregister(descriptor)
            self._watched.pop(descriptor, None)
        child.close()
        slot.child = None
        if code < 0:
            clear_leftovers()  # it could not give its shared memory back, and the next ones need it
        slot.base_cpu_s = slot.cpu_s
        slot.resident_bytes = 0
        if self._is_stopping:
            slot.life = Life.ENDED
            return
        self._dead(slot, lived_s=child.lived_s, exit_code=code, last=child.last_lines[-1] if child.last_lines else "")

    def _dead(self, slot: Slot, *, lived_s: float, exit_code: int, last: str) -> None:
        how = f"killed by {signal.Signals(-exit_code).name}" if exit_code < 0 else f"exit code {exit_code}"
        verdict = after_death(
            slot.restart,
            lived_s=lived_s,
            exit_code=exit_code,
            is_vital=slot.process is Process.GUARD,
            params=self._params,
        )
        slot.restart = verdict.state
        slot.reason = f"{how} after {lived_s:.1f} s"
        if exit_code == EXIT_BAD_INPUT and not self.is_active and self.refusal is None and slot.name != MONITOR:
            # nothing has driven yet: a refused configuration ends the whole start, with the child's own line
            self.refusal = last or f"{slot.name} refuses its configuration"
            slot.life = Life.GIVEN_UP
            return
        if exit_code == EXIT_WRONG_RMW and not self.is_active and self.refusal is None:
            name = self._environment.get("RMW_IMPLEMENTATION", "")
            self.refusal = f"RMW_IMPLEMENTATION: {name!r} is no middleware of this ROS 2; unset it"
            slot.life = Life.GIVEN_UP
            return
        is_hopeless = verdict.state.failures > self._params.give_up_after and slot.process is Process.GUARD
        if is_hopeless and not self.is_active and self.refusal is None:  # a start without a guard is none
            self.refusal = f"guard: {slot.reason}, {verdict.state.failures} times in a row; its last word: {last}"
            slot.life = Life.GIVEN_UP
            return
        if verdict.delay_s is None:
            slot.life = Life.GIVEN_UP
            self._say(f"{slot.name}: {slot.reason}; not started again, {verdict.reason}")
            return
        slot.life = Life.WAITING
        slot.due_s = time.monotonic() + verdict.delay_s
        self._say(f"{slot.name}: {slot.reason}; started again in {verdict.delay_s:g} s")

    def _announce(self) -> None:
        """Say a change of what is degraded once."""
        now = tuple(text for text in self.degraded if not text.startswith(MONITOR))
        if now == self._degraded:
            return
        self._degraded = now
        if now:
            what = "the guard keeps the car safe" if self._is_up(Process.GUARD.value) else "no command reaches the car"
            self._say(f"degraded: {', '.join(now)}; {what}")
        else:
            self._say("all processes up again")
        self._tell_monitor()

    def _end_frozen(self, now_s: float) -> None:
        """Kill what hangs, so that it is started again; only while the others are heard, else the ear is at fault."""
        monitor = self.slots.get(MONITOR)
        if monitor is not None:
            self._end_if_frozen(monitor, now_s)  # the ear itself, by its own signs of life
        others = [slot for slot in self.slots.values() if slot.name != MONITOR]
        heard = [slot.heard_s for slot in others if slot.heard_s is not None]
        if not heard or now_s - max(heard) > HEARING_S:
            return
        for slot in others:
            self._end_if_frozen(slot, now_s)

    def _end_if_frozen(self, slot: Slot, now_s: float) -> None:
        child = slot.child
        if child is None or slot.is_ending:
            return
        since_s, patience_s = slot.heard_s, self._frozen_s
        if since_s is None:
            since_s, patience_s = child.started_s, self._starting_s
        if now_s - since_s > patience_s:
            self._say(f"{slot.name}: hangs, nothing heard for {patience_s:g} s; killed")
            slot.is_ending = True
            child.signal(signal.SIGKILL)

    def _is_up(self, name: str) -> bool:
        slot = self.slots.get(name)
        return slot is not None and slot.life is Life.RUNNING

    def _heard(self, line: str) -> None:
        try:
            told = json.loads(line)
        except ValueError:
            return
        kind = told.get("kind")
        if kind == "alive":
            slot = self.slots.get(str(told.get("process")))
            if slot is not None and slot.life is Life.RUNNING:
                slot.heard_s = time.monotonic()
        elif kind == "status":
            self.view.statuses[str(told["author"])] = told
        elif kind == "alert":
            key = (str(told.get("author")), str(told.get("code")))
            if not told.get("is_active"):
                self.view.active_alerts.discard(key)
            elif key not in self.view.active_alerts:
                self.view.active_alerts.add(key)  # an alert that holds is sent again and again
                self.view.alerts += 1
        elif kind == "market":
            self.view.market = str(told.get("market", ""))
        elif kind == "active" and self.view.active_at_s is None:
            self.view.active_at_s = time.monotonic()
            self.time_to_active_s = self.view.active_at_s - self.started_s

    def _tell_monitor(self) -> None:
        monitor = self.slots.get(MONITOR)
        if monitor is not None and monitor.child is not None:
            monitor.child.tell(json.dumps({"processes": self.processes()}))

    def processes(self) -> dict[str, dict[str, Any]]:
        """State, restarts, CPU and memory of every process, for machines."""
        return {
            slot.name: {
                "state": slot.life.value,
                "pid": slot.child.pid if slot.child is not None else None,
                "restarts": slot.restart.restarts,
                "cpu_s": round(slot.cpu_s, 3),
                "resident_mb": round(slot.resident_bytes / 1e6, 1),
                "peak_resident_mb": round(slot.peak_bytes / 1e6, 1),
                "reason": slot.reason,
            }
            for slot in self.slots.values()
        }

    def _measure(self, slot: Slot) -> None:
        if slot.child is None:
            return
        cpu_s, resident = usage(slot.child.pid)
        if resident:
            slot.cpu_s = slot.base_cpu_s + cpu_s
            slot.resident_bytes = resident
            slot.peak_bytes = max(slot.peak_bytes, resident)

    def _drain_wake(self) -> None:
        try:
            while os.read(self._wake_read, 512):
                continue
        except BlockingIOError:
            return
