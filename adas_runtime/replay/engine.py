"""Deterministic replay: a recording through the executor that the car runs, on the recording's clock."""

from __future__ import annotations

import hashlib
import importlib.metadata
import json
import platform
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from adas_runtime.converter import pack
from adas_runtime.errors import AdasError, BagError, SignalError
from adas_runtime.executor import BACKWARD_TOLERANCE_S, GAP_S, Emission, Executor
from adas_runtime.function import BuildContext
from adas_runtime.graph import SOURCES, default_graph, live_topic
from adas_runtime.inputs.binder import OWN, Binder, Feed, Survey, guess, own_reader
from adas_runtime.interfaces import msg_definitions
from adas_runtime.market import Market, load_market
from adas_runtime.replay.bag import Bag, decoder
from adas_runtime.replay.history import History
from adas_runtime.replay.out import OutBag
from adas_runtime.replay.schema import EVENTS_FILE, OUT_FILE, SERIES_FILE, SUMMARY_FILE, dump
from adas_runtime.signals import CameraFrame, FeatureState, MarketStatus, Signal
from adas_runtime.vehicle import Vehicle, load_vehicle

SURVEY_MESSAGES: Final = 400
PERCEPTION: Final = "lane_perception"
RECORDED_LANES: Final = live_topic(PERCEPTION, "lanes")
CAMERA_SOURCE: Final = next(source.topic for source in SOURCES if source.signal is CameraFrame)

Read = Callable[[bytes], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One bag under one market."""

    bag: Path
    market: str
    vehicle: str
    out: Path
    from_decision: bool = False
    force: bool = False
    copy_camera: bool = False
    command: str = ""


@dataclass(slots=True)
class _Counts:
    count: int = 0
    dropped: int = 0
    max_gap_s: float | None = None
    last_s: float | None = None
    refusals: dict[str, int] = field(default_factory=dict)


def run(job: Job, progress: Callable[[float], None] | None = None) -> Path:
    """Replay one bag and return the folder with what it left.

    Raises:
        AdasError: The bag, the market or the place cannot be used. Nothing is left half-written.
    """
    market = load_market(job.market)
    vehicle = load_vehicle(job.vehicle)
    if job.out.exists() and any(job.out.iterdir() if job.out.is_dir() else [1]) and not job.force:
        raise BagError("exists already", where=str(job.out), mend="take another --out, or --force to replace it")
    if job.out.exists() and job.force and not ((job.out / SUMMARY_FILE).exists() or not any(job.out.iterdir())):
        raise BagError("is no replay's folder, so --force does not replace it", where=str(job.out))
    parent = job.out.resolve().parent
    with Bag(job.bag) as bag:
        try:
            parent.mkdir(parents=True, exist_ok=True)
            folder = Path(tempfile.mkdtemp(prefix=f".{job.out.name}.", dir=parent))
        except OSError as error:
            raise BagError(
                f"cannot be written to ({error.strerror})", where=str(parent), mend="take another --out"
            ) from error
        try:
            _Replay(job, bag, market, vehicle, folder).run(progress)
            folder.chmod(0o755)
            if job.out.exists():
                shutil.rmtree(job.out)
            folder.rename(job.out)
        except OSError as error:
            raise BagError(
                f"cannot be written ({error.strerror})", where=str(job.out), mend="free space or take another --out"
            ) from error
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    from adas_runtime.replay.report import write_report

    write_report(job.out)
    return job.out


class _Replay:
    """The state of one run."""

    def __init__(self, job: Job, bag: Bag, market: Market, vehicle: Vehicle, folder: Path) -> None:
        self.job = job
        self.bag = bag
        self.market = market
        self.vehicle = vehicle
        self.folder = folder
        self.warnings: list[str] = []
        self.counts: dict[str, _Counts] = {}
        self.steps_s: list[float] = []

    def run(self, progress: Callable[[float], None] | None) -> None:
        began_s = time.perf_counter()
        bag = self.bag
        kinds = {name: topic.type for name, topic in bag.topics.items()}
        feeds = list(guess(kinds))
        recorded = kinds.get(RECORDED_LANES) == OWN + "LaneModel"
        has_camera = any("camera_front" in feed.feeds for feed in feeds)
        is_decision = self.job.from_decision or (recorded and not has_camera)
        if is_decision and not recorded:
            raise BagError(
                f"holds no {RECORDED_LANES}", where=str(self.job.bag), mend="replay it without --from decision"
            )
        if is_decision:
            if not self.job.from_decision:
                self.warnings.append(
                    f"no camera in the bag: the recorded {RECORDED_LANES} is used, as with --from decision"
                )
            feeds = [
                Feed(
                    topic=f.topic,
                    type=f.type,
                    feeds=("lane_perception.lanes",),
                    is_guessed=False,
                    note="recorded perception",
                )
                if f.topic == RECORDED_LANES
                else Feed(topic=f.topic, type=f.type, note="perception does not run")
                if "camera_front" in f.feeds
                else f
                for f in feeds
            ]
        reads, feeds = self._readers(feeds)
        used = frozenset(reads)
        if not used:
            listed = ", ".join(f"{name} ({kind})" for name, kind in sorted(kinds.items())) or "none"
            raise BagError(
                f"no topic feeds a function; its topics: {listed}",
                where=str(self.job.bag),
                mend="record camera, vehicle state or satellite fixes, or use adas_interfaces messages",
            )
        binder = Binder(feeds, self._survey(reads, used - {RECORDED_LANES} if is_decision else used))
        self.warnings.extend(binder.warnings)
        context = BuildContext(market=self.market, vehicle=self.vehicle)
        executor = Executor(
            default_graph(),
            context,
            self.market.stages(),
            without=frozenset({PERCEPTION}) if is_decision else frozenset(),
        )
        digest = hashlib.sha256()
        decisions = 0
        start_s = bag.start_s
        history = History(executor, start_s, self.folder)
        out = OutBag(
            self.folder / OUT_FILE,
            {
                "market": self.market.name,
                "market_digest": self.market.digest,
                "vehicle": self.vehicle.name,
                "bag": str(self.job.bag),
                "versions": json.dumps(_versions(), sort_keys=True),
            },
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
                start_s,
            )

            def take(emissions: list[Emission]) -> None:
                nonlocal decisions
                for emission in emissions:
                    decisions += 1
                    digest.update(emission.topic.encode())
                    digest.update(pack(emission.signal))
                    out.signal(emission.topic, emission.signal, emission.now_s)
                    history.emission(emission)

            span_s = max(bag.end_s - start_s, 1e-9)
            for now_s, topic, graph_topic, signal, data in self._signals(reads, binder, history):
                if data is not None:
                    is_picture = graph_topic == CAMERA_SOURCE
                    if not is_picture or self.job.copy_camera:
                        out.raw(topic, bag.topics[topic], data, now_s)
                if graph_topic is None or signal is None:
                    continue
                due_s = executor.next_due_s()
                if due_s is not None and now_s - due_s > GAP_S:
                    stop_s = due_s + GAP_S
                    while due_s is not None and due_s <= stop_s:
                        take(self._timed(executor.advance, due_s))
                        due_s = executor.next_due_s()
                    executor.skip_to(now_s)
                while (due_s := executor.next_due_s()) is not None and due_s < now_s:
                    take(self._timed(executor.advance, due_s))
                history.input(graph_topic, signal, now_s)
                begin_s = time.perf_counter()
                emissions = executor.offer(graph_topic, signal, now_s)
                if emissions and graph_topic != CAMERA_SOURCE:
                    self.steps_s.append(time.perf_counter() - begin_s)
                take(emissions)
                if progress is not None:
                    progress(min(1.0, (now_s - start_s) / span_s))
        finally:
            out.close()
        self.warnings = list(dict.fromkeys([*bag.warnings, *self.warnings, *self._refusal_warnings()]))
        for source in SOURCES:
            if source.topic in {
                t for s in executor.functions for w in executor.graph.wires(s.name) for t in w.topics
            } and (source.topic not in history.seen):
                self.warnings.append(f"nothing in the bag feeds {source.name}: what needs it reports it absent")
        summary, events, series = history.finish(
            job=self.job,
            market=self.market,
            vehicle=self.vehicle,
            is_decision=is_decision,
            end_s=bag.end_s,
            wall_s=time.perf_counter() - began_s,
            digest=digest.hexdigest(),
            decisions=decisions,
            feeds=binder.feeds,
            counts={name: (c.count, c.dropped, c.max_gap_s) for name, c in self.counts.items()},
            steps_s=self.steps_s,
            warnings=self.warnings,
            versions=_versions(),
        )
        (self.folder / SUMMARY_FILE).write_text(dump(summary) + "\n", encoding="utf-8")
        (self.folder / SERIES_FILE).write_text(dump(series) + "\n", encoding="utf-8")
        (self.folder / EVENTS_FILE).write_text("".join(dump(event) + "\n" for event in events), encoding="utf-8")

    def _timed(self, advance: Callable[[float], list[Emission]], now_s: float) -> list[Emission]:
        begin_s = time.perf_counter()
        emissions = advance(now_s)
        if emissions:
            self.steps_s.append(time.perf_counter() - begin_s)
        return emissions

    def _readers(self, feeds: list[Feed]) -> tuple[dict[str, Read], list[Feed]]:
        reads: dict[str, Read] = {}
        checked: list[Feed] = []
        for feed in feeds:
            self.counts[feed.topic] = _Counts()
            if not feed.feeds:
                checked.append(feed)
                continue
            own = own_reader(feed.type)
            found: Any = (
                own if own is not None else decoder(self.bag.topics[feed.topic], msg_definitions(), self.bag.distro)
            )
            if isinstance(found, str):
                self.warnings.append(f"{feed.topic}: {found}; it is not used")
                checked.append(Feed(topic=feed.topic, type=feed.type, note=found))
                continue
            reads[feed.topic] = found
            checked.append(feed)
        return reads, checked

    def _survey(self, reads: dict[str, Read], topics: frozenset[str]) -> dict[str, Survey]:
        surveys = {topic: Survey() for topic in topics}
        left = set(topics)
        for log_ns, topic, data in self.bag.messages(topics):
            survey = surveys[topic]
            if topic in left:
                try:
                    message = reads[topic](data)
                except (SignalError, ValueError, KeyError, IndexError, AssertionError):
                    continue
                survey.times_s.append(log_ns * 1e-9)
                survey.messages.append(message)
                limit = 5 if "image" in topic.lower() or "camera" in topic.lower() else SURVEY_MESSAGES
                if len(survey.times_s) >= limit:
                    left.discard(topic)
                    if not left:
                        break
        return surveys

    def _signals(
        self, reads: dict[str, Read], binder: Binder, history: History
    ) -> Iterator[tuple[float, str, str | None, Signal | None, bytes | None]]:
        """Log time, topic of the bag, topic of the graph, signal and raw bytes, in the recording's order."""
        former_s: float | None = None
        for log_ns, topic, data in self.bag.messages():
            now_s = log_ns * 1e-9
            count = self.counts.setdefault(topic, _Counts())
            count.count += 1
            if count.last_s is not None and now_s > count.last_s:
                gap_s = now_s - count.last_s
                if count.max_gap_s is None or gap_s > count.max_gap_s:
                    count.max_gap_s = gap_s
                if topic in reads and gap_s > GAP_S:
                    history.data(topic, "gap", f"{gap_s:.2f} s without a message", count.last_s)
            count.last_s = now_s
            if topic not in reads:
                continue
            if former_s is not None and former_s - now_s > BACKWARD_TOLERANCE_S:
                history.data(topic, "clock_jump", f"the recording's clock runs back by {former_s - now_s:.3f} s", now_s)
            former_s = now_s
            try:
                message = reads[topic](data)
                if topic == RECORDED_LANES:
                    found = [(RECORDED_LANES, message)]
                else:
                    found = binder.convert(topic, message, now_s)
            except (SignalError, ValueError, KeyError, IndexError, AttributeError, AssertionError) as error:
                count.dropped += 1
                text = error.line() if isinstance(error, AdasError) else f"undecodable ({type(error).__name__})"
                key = text.split(" = ")[0]
                if key not in count.refusals:
                    history.data(topic, "refused", text, now_s)
                count.refusals[key] = count.refusals.get(key, 0) + 1
                continue
            yield now_s, topic, None, None, data
            for graph_topic, signal in found:
                yield now_s, topic, graph_topic, signal, None

    def _refusal_warnings(self) -> list[str]:
        return [
            f"{topic}: {number} of {count.count} messages refused: {text}"
            for topic, count in sorted(self.counts.items())
            for text, number in sorted(count.refusals.items())
        ]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in ("adas_runtime", "numpy", "opencv-python-headless", "rosbags"):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
