"""Deterministic replay: a recording through the executor that the car runs, on the recording's clock."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from adas_runtime.collision.bundle import check_brakes
from adas_runtime.errors import AdasError, BagError, ConfigError
from adas_runtime.executor import BACKWARD_TOLERANCE_S, GAP_S, ROUNDING_S, Emission, Executor
from adas_runtime.function import BuildContext, Process
from adas_runtime.graph import SOURCES, STATUS_OUTPUT, Graph, default_graph, live_topic
from adas_runtime.horizon.open import open_map
from adas_runtime.horizon.store import MapStore
from adas_runtime.inputs import InputMap, load_input_map
from adas_runtime.inputs.binder import Binder
from adas_runtime.inputs.feed import OWN, SOURCE_OF, Feed
from adas_runtime.inputs.recording import UNREADABLE, Read, bind, feeds_of, refuse_unused
from adas_runtime.inputs.vehicle_choice import AUTO, Choice, choose
from adas_runtime.market import Market, load_market
from adas_runtime.market.rules import check_vehicle
from adas_runtime.replay.bag import Bag
from adas_runtime.replay.history import History
from adas_runtime.replay.limits import LimitShares, truth_of
from adas_runtime.replay.out import DRAWN_INPUTS, OutBag, Write
from adas_runtime.replay.report import write_report
from adas_runtime.replay.schema import EVENTS_FILE, OUT_FILE, SERIES_FILE, SUMMARY_FILE, dump
from adas_runtime.signals import CameraFrame, FeatureState, FunctionStatus, MarketStatus, Signal, Stage
from adas_runtime.vehicle import load_vehicle

PROGRESS_EVERY: Final = 256  # messages
HASHED_PARTS: Final = 1024
HASHED_BYTES: Final = 1 << 16
CAMERA_SOURCE: Final = next(source.topic for source in SOURCES if source.signal is CameraFrame)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One bag under one market."""

    bag: Path
    market: str
    vehicle: str
    out: Path
    inputs: str | None = None
    map: str | None = None
    from_decision: bool = False
    force: bool = False
    copy_camera: bool = False
    command: str = ""


@dataclass(slots=True)
class _Counts:
    count: int = 0
    dropped: int = 0
    max_gap_ns: int = -1
    last_ns: int | None = None
    refusals: dict[str, int] = field(default_factory=dict)
    read: Read | None = None  # of a topic that is used
    is_recorded: bool = False  # what perception said: taken as it is
    hash: Any = None  # over log times and bytes of a topic that is used
    unhashed: bytearray = field(default_factory=bytearray)

    def digest(self) -> str:
        """SHA-256 over log times and bytes, hex; empty of a topic that is not used."""
        if self.hash is None:
            return ""
        self.hash.update(self.unhashed)
        self.unhashed.clear()
        return str(self.hash.hexdigest())


def run(job: Job, progress: Callable[[float], None] | None = None) -> Path:
    """Replay one bag and return the folder with what it left.

    Raises:
        AdasError: The bag, the market or the place cannot be used. Nothing is left half-written.
    """
    market = load_market(job.market)
    input_map = None if job.inputs is None else load_input_map(job.inputs)
    if job.vehicle != AUTO:
        check_vehicle(market, load_vehicle(job.vehicle))
    roads = open_map(job.map)
    _check_place(job)
    parent = job.out.resolve().parent
    with Bag(job.bag) as bag:
        choice = choose(job.vehicle, bag, input_map)
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{job.out.name}.", dir=parent))
        except OSError as error:
            raise BagError(
                f"cannot be written to ({error.strerror})", where=str(parent), mend="take another --out"
            ) from error
        try:
            _Replay(job, bag, market, choice, folder, input_map, roads).run(progress)
            write_report(folder)
            folder.chmod(0o755)
            target = job.out.resolve()
            if target.exists():
                if job.force:
                    shutil.rmtree(target)
                else:
                    target.rmdir()  # fails where another replay has filled it meanwhile
            folder.rename(target)
        except OSError as error:
            raise BagError(
                f"cannot be written ({error.strerror})", where=str(job.out), mend="free space or take another --out"
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    return job.out


def _check_place(job: Job) -> None:
    """Refuse an --out that would overwrite anything but a former replay's folder."""
    out = job.out
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    where = str(out)
    if not job.force:
        raise BagError("exists already", where=where, mend="take another --out, or --force to replace it")
    if not (out / SUMMARY_FILE).is_file():
        raise BagError("is no replay's folder, so --force does not replace it", where=where, mend="take another --out")
    if job.bag.resolve().is_relative_to(out.resolve()):
        raise BagError("holds the recording itself, so --force does not replace it", where=where, mend="another --out")


def recorded_perception(graph: Graph) -> dict[str, type[Signal]]:
    """What perception says, by topic: with --from decision the recording says it in its place."""
    found: dict[str, type[Signal]] = {}
    for spec in graph.in_process(Process.PERCEPTION):
        for output in spec.outputs:
            found[live_topic(spec.name, output.name)] = output.signal
        found[live_topic(spec.name, STATUS_OUTPUT)] = FunctionStatus
    return found


def unfed(executor: Executor, fed: set[str]) -> dict[str, tuple[str, ...]]:
    """Functions that need what nothing in a recording feeds, themselves or through another one, by these sources.

    Args:
        executor: Its functions, producers first.
        fed: Names of the sources that the recording feeds.
    """
    lacking: dict[str, tuple[str, ...]] = {source.topic: (source.name,) for source in SOURCES if source.name not in fed}
    found: dict[str, tuple[str, ...]] = {}
    for spec in executor.functions:
        names: set[str] = set()
        for item, wire in zip(spec.inputs, executor.graph.wires(spec.name), strict=True):
            if item.is_needed:
                names.update(name for topic in wire.topics for name in lacking.get(topic, ()))
        if not any(item.is_needed for item in spec.inputs):  # any of its triggers is enough, and none comes
            wires = {wire.input: wire.topics for wire in executor.graph.wires(spec.name)}
            heard = [topic for name in spec.triggers for topic in wires[name]]
            if all(topic in lacking for topic in heard):
                names.update(name for topic in heard for name in lacking[topic])
        if names:
            found[spec.name] = tuple(sorted(names))
            lacking |= {live_topic(spec.name, output.name): found[spec.name] for output in spec.outputs}
    return found


class _Replay:
    """The state of one run."""

    def __init__(
        self,
        job: Job,
        bag: Bag,
        market: Market,
        choice: Choice,
        folder: Path,
        input_map: InputMap | None,
        roads: MapStore | None = None,
    ) -> None:
        self.job = job
        self.bag = bag
        self.market = market
        self.vehicle = choice.vehicle
        self.folder = folder
        self.input_map = input_map
        self.roads = roads
        self.warnings: list[str] = list(choice.warnings)
        if market.stages()["aeb"] is Stage.ON:
            try:
                check_brakes(market, choice.vehicle)
            except ConfigError as error:  # nothing is braked here; a car would not start like that
                self.warnings.append(f"{error.what}: such a car is not driven")
        self.counts: dict[str, _Counts] = {}
        self.steps_s: list[float] = []
        self.recorded: frozenset[str] = frozenset()
        self.read_to_s = bag.start_s

    def run(self, progress: Callable[[float], None] | None) -> None:
        began_s = time.perf_counter()
        bag = self.bag
        graph = default_graph(self.vehicle.networks)
        kinds = {name: topic.type for name, topic in bag.topics.items()}
        feeds = list(feeds_of(bag, self.input_map))
        recorded = {
            topic for topic, kind in recorded_perception(graph).items() if kinds.get(topic) == OWN + kind.__name__
        }
        is_decision = self._is_decision(recorded, feeds)
        if is_decision:
            self.recorded = frozenset(recorded)
            feeds = [self._without_perception(feed) for feed in feeds]
        bound = bind(bag, feeds, elsewhere=self.recorded)
        refuse_unused(bag, bound, self.input_map)
        reads, binder = bound.reads, bound.binder
        self.counts = {feed.topic: _Counts() for feed in feeds}
        self.warnings.extend(bound.warnings)
        context = BuildContext(market=self.market, vehicle=self.vehicle, roads=self.roads)
        perception = frozenset(spec.name for spec in graph.in_process(Process.PERCEPTION))
        executor = Executor(graph, context, self.market.stages(), without=perception if is_decision else frozenset())
        digest = hashlib.sha256()
        hashed: list[bytes] = []  # what the digest is to be told, many parts at once
        writers: dict[str, tuple[bytes, Write]] = {}  # by topic: its name and who writes what it brings
        decisions = 0
        start_s = bag.start_s
        history = History(executor, start_s, self.folder, self.vehicle.cameras.get("front"))
        history.limits = LimitShares(truth_of(bag))
        history.unfed = unfed(
            executor, {part.partition(".")[0] for feed in bound.feeds.values() for part in feed.feeds}
        )
        out = OutBag(
            self.folder / OUT_FILE,
            {
                "market": self.market.name,
                "market_digest": self.market.digest,
                "vehicle": self.vehicle.name,
                "bag": str(self.job.bag),
                "map_digest": "" if self.roads is None else self.roads.digest,
                "started_from": "decision" if is_decision else "bag",
                "versions": json.dumps(_versions(), sort_keys=True),
            },
            self.vehicle,
        )
        try:
            out.signal(
                "/adas/market/status",
                MarketStatus(
                    stamp_s=start_s,
                    market=self.market.name,
                    revision=self.market.revision,
                    digest=self.market.digest,
                    vehicle=self.vehicle.name,
                    features=tuple(FeatureState(function=n, stage=s) for n, s in sorted(self.market.stages().items())),
                ),
                round(start_s * 1e9),
            )

            def take(emissions: list[Emission], log_ns: int) -> None:
                nonlocal decisions
                decisions += len(emissions)
                for emission in emissions:
                    topic = emission.topic
                    found = writers.get(topic)
                    if found is None:
                        found = writers[topic] = topic.encode(), out.writer(topic, type(emission.signal))
                    # CDR bytes are the same on every machine, and made once for file and digest
                    add(found[0])
                    add(found[1](emission.signal, log_ns))
                    tell(emission)
                if len(hashed) > HASHED_PARTS:
                    digest.update(b"".join(hashed))
                    hashed.clear()

            def catch_up(until_s: float) -> None:
                """Step what is due before the next message comes."""
                before_s = until_s - ROUNDING_S  # what is due with the message, but for rounding, waits for it
                due_s = executor.next_due_s()
                if due_s is None or due_s >= before_s:
                    return
                if until_s - due_s > GAP_S:
                    stop_s = due_s + GAP_S
                    while due_s is not None and due_s <= stop_s:
                        take(self._timed(executor.advance, due_s), round(due_s * 1e9))
                        due_s = executor.next_due_s()
                    executor.skip_to(until_s)
                while (due_s := executor.next_due_s()) is not None and due_s < before_s:
                    take(self._timed(executor.advance, due_s), round(due_s * 1e9))

            tell, add, offer = history.emission, hashed.append, executor.offer
            topics = bag.topics
            pictures: dict[str, int] = {}
            newest: tuple[str, bytes, int] | None = None
            stills = 0
            span_s = max(bag.end_s - start_s, 1e-9)
            for number, (log_ns, topic, data, found) in enumerate(self._signals(reads, binder, history)):
                now_s = log_ns * 1e-9
                is_picture = False
                for graph_topic, signal in found:
                    catch_up(now_s)
                    history.input(graph_topic, signal, now_s)
                    if graph_topic == CAMERA_SOURCE:
                        is_picture = True
                        if not pictures:
                            self._tell_camera(out, signal, log_ns)
                        pictures[topic] = pictures.get(topic, 0) + 1
                    elif type(signal) in DRAWN_INPUTS:
                        out.show(signal, log_ns)
                    begin_s = time.perf_counter()
                    emissions = offer(graph_topic, signal, now_s)
                    if emissions:
                        if not is_picture:
                            self.steps_s.append(time.perf_counter() - begin_s)
                        take(emissions, log_ns)
                if is_picture:
                    newest = (topic, data, log_ns)
                if not is_picture or self.job.copy_camera:
                    out.raw(topic, topics[topic], data, log_ns)
                if history.stills > stills and newest is not None:
                    stills = history.stills
                    out.picture(bag.topics[newest[0]], newest[1], newest[2])
                if progress is not None and number % PROGRESS_EVERY == 0:
                    progress(min(1.0, (now_s - start_s) / span_s))
            catch_up(self.read_to_s)  # what fell silent before the recording's end is absent there
            digest.update(b"".join(hashed))
            if pictures and not self.job.copy_camera:
                out.note("adas_pictures", _reference(bag, pictures))
        finally:
            out.close()
        self.warnings = list(dict.fromkeys([*bag.warnings, *self.warnings, *self._refusal_warnings()]))
        needed = {
            topic
            for spec in executor.functions
            for item, wire in zip(spec.inputs, executor.graph.wires(spec.name), strict=True)
            if item.is_needed
            for topic in wire.topics
        }
        for source in SOURCES:
            is_missed = source.topic in needed or source.name in history.untold
            if is_missed and source.topic not in history.seen:
                told = ", ".join(sorted(history.untold.get(source.name, ())))
                in_a_car = f"; no alert of this drive, in a car the driver would be told: {told}" if told else ""
                self.warnings.append(
                    f"nothing in the bag feeds {source.name}: what needs it reports it absent{in_a_car}"
                )
        self.warnings += self._sparse_warnings(executor, bound.feeds)
        summary, events, series = history.finish(
            job=self.job,
            market=self.market,
            vehicle=self.vehicle,
            is_decision=is_decision,
            end_s=bag.end_s,
            wall_s=time.perf_counter() - began_s,
            digest=digest.hexdigest(),
            decisions=decisions,
            feeds=bound.feeds,
            counts={
                name: (
                    c.count,
                    c.dropped,
                    c.max_gap_ns * 1e-9 if c.max_gap_ns >= 0 else None,
                    c.digest(),
                )
                for name, c in self.counts.items()
            },
            steps_s=self.steps_s,
            warnings=self.warnings,
            versions=_versions(),
        )
        (self.folder / SUMMARY_FILE).write_text(dump(summary) + "\n", encoding="utf-8")
        (self.folder / SERIES_FILE).write_text(dump(series) + "\n", encoding="utf-8")
        (self.folder / EVENTS_FILE).write_text("".join(dump(event) + "\n" for event in events), encoding="utf-8")

    def _is_decision(self, recorded: set[str], feeds: list[Feed]) -> bool:
        """Whether perception's recorded outputs take its place: as asked, or for want of a camera."""
        has_outputs = any(not topic.endswith("/" + STATUS_OUTPUT) for topic in recorded)
        has_camera = any("camera_front" in feed.feeds for feed in feeds)
        if self.job.from_decision and not has_outputs:
            wanted = sorted(
                topic
                for topic in recorded_perception(default_graph(self.vehicle.networks))
                if not topic.endswith("/status")
            )
            raise BagError(
                f"holds no {' or '.join(wanted)} of this program",
                where=str(self.job.bag),
                mend="give the out.mcap of a replay or a recording of `adas up`, or replay without --from decision",
            )
        if self.job.from_decision:
            return True
        if has_outputs and not has_camera:
            self.warnings.append(
                "no camera in the bag: perception's recorded outputs are used, as with --from decision"
            )
            return True
        return False

    def _without_perception(self, feed: Feed) -> Feed:
        if feed.topic in self.recorded:
            output = feed.topic.removeprefix("/adas/").replace("/", ".")
            return replace(feed, feeds=(output,), is_guessed=False, note="recorded perception")
        if "camera_front" in feed.feeds:
            return replace(feed, feeds=(), note="perception does not run")
        return feed

    def _tell_camera(self, out: OutBag, frame: Signal, log_ns: int) -> None:
        """Mount and lens for the viewer, scaled to the pictures."""
        from adas_runtime.perception.lane_model import decode

        if isinstance(frame, CameraFrame):
            image = decode(frame.encoding, frame.data, frame.width_px, frame.height_px)
            if image is not None:
                out.camera(image.shape[1], image.shape[0], log_ns)

    def _timed(self, advance: Callable[[float], list[Emission]], now_s: float) -> list[Emission]:
        begin_s = time.perf_counter()
        emissions = advance(now_s)
        if emissions:
            self.steps_s.append(time.perf_counter() - begin_s)
        return emissions

    def _signals(
        self, reads: Mapping[str, Read], binder: Binder, history: History
    ) -> Iterator[tuple[int, str, bytes, list[tuple[str, Signal]]]]:
        """Log time [ns], topic, raw bytes and what they say by topic of the graph, in the recording's order."""
        former_s: float | None = None
        counts, convert = self.counts, binder.convert
        gap_max_ns = GAP_S * 1e9
        for log_ns, topic, data in self.bag.messages():
            now_s = self.read_to_s = log_ns * 1e-9
            count = counts.get(topic)
            if count is None or not count.count:
                count = counts.setdefault(topic, _Counts())
                count.read = reads.get(topic)
                count.is_recorded = topic in self.recorded
                count.hash = hashlib.sha256() if count.read is not None else None
            count.count += 1
            last_ns = count.last_ns
            count.last_ns = log_ns
            if last_ns is not None and log_ns - last_ns > count.max_gap_ns and log_ns > last_ns:
                count.max_gap_ns = log_ns - last_ns
            read = count.read
            if read is None:
                continue
            if last_ns is not None and log_ns - last_ns > gap_max_ns:
                history.data(topic, "gap", f"{(log_ns - last_ns) * 1e-9:.2f} s without a message", last_ns * 1e-9)
            count.unhashed += b"%d " % log_ns
            count.unhashed += data
            if len(count.unhashed) > HASHED_BYTES:
                count.hash.update(count.unhashed)
                count.unhashed.clear()
            if former_s is not None and former_s - now_s > BACKWARD_TOLERANCE_S:
                history.data(topic, "clock_jump", f"the recording's clock runs back by {former_s - now_s:.3f} s", now_s)
                history.new_time_line(former_s)
            former_s = now_s
            try:
                message = read(data)
                found = [(topic, message)] if count.is_recorded else convert(topic, message, now_s)
            except UNREADABLE as error:
                count.dropped += 1
                text = error.line() if isinstance(error, AdasError) else f"undecodable ({type(error).__name__})"
                key = text.split(" = ")[0]
                if key not in count.refusals:
                    history.data(topic, "refused", text, now_s)
                count.refusals[key] = count.refusals.get(key, 0) + 1
                continue
            yield log_ns, topic, data, found

    def _sparse_warnings(self, executor: Executor, feeds: Mapping[str, Feed]) -> list[str]:
        """Signals that come too seldom for who reads them: each is absent between two messages."""
        period_s: dict[str, float] = {}
        for feed in feeds.values():
            count = self.counts.get(feed.topic)
            if count is None or count.count < 2:
                continue
            for source in {
                SOURCE_OF[target.partition(".")[0]] for target in feed.feeds if feed.topic not in self.recorded
            }:
                mean_s = (self.bag.end_s - self.bag.start_s) / count.count
                period_s[source.topic] = min(mean_s, period_s.get(source.topic, mean_s))
        found = []
        for source in SOURCES:
            readers = [
                (item.max_age_s, spec.name)
                for spec in executor.functions
                for item, wire in zip(spec.inputs, executor.graph.wires(spec.name), strict=True)
                if source.topic in wire.topics and item.is_needed
            ]
            every_s = period_s.get(source.topic)
            if every_s is None or not readers or every_s <= min(readers)[0]:
                continue
            late = sorted({name for age_s, name in readers if age_s < every_s})
            found.append(
                f"{source.name} comes every {every_s:.2g} s on average, too seldom for {', '.join(late)} "
                f"(none older than {min(readers)[0]:g} s): absent in between; record it at {source.rate_hz:g} Hz"
            )
        return found

    def _refusal_warnings(self) -> list[str]:
        return [
            f"{topic}: {number} of {count.count} messages refused: {text}"
            for topic, count in sorted(self.counts.items())
            for text, number in sorted(count.refusals.items())
        ]


def _reference(bag: Bag, pictures: dict[str, int]) -> dict[str, str]:
    """Where the pictures are that out.mcap does not hold."""
    return {
        "topics": json.dumps(pictures, sort_keys=True),
        "files": json.dumps([str(path) for path in bag.files]),
        "note": "not copied: open the recording beside this file, or replay with --copy-camera",
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("adas_runtime", "numpy", "opencv-python-headless", "rosbags"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
