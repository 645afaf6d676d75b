"""`adas compare`: what changed between two replays of the same drive, and whether it is a regression.

A regression is a change that a driver, a regulator or the car could suffer from:

    alert, request   missing, added, later than the tolerance, less urgent, or no longer reaching the driver or the car
    envelope         it limits where it did not, or no longer limits where it did
    command          acceleration or curvature differ by more than the tolerance
    status           a fault or a degradation that was not there; a function active for less time, or longer without
                     an input
    stage            a function may do less
    input            a topic is no longer used, or more of its messages are refused
    run              a replay of the first folder has none to be held against

Everything else is a change: told, and no regression (with --strict it is one). Drives whose inputs differ are refused:
their decisions cannot be held against each other. Latency depends on the machine and is told for information.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, fields
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final, Literal

from adas_runtime.errors import AdasError, BagError
from adas_runtime.replay.schema import (
    OUT_FILE,
    SUMMARY_FILE,
    Event,
    EventKind,
    Series,
    Summary,
    Track,
    read_events,
    read_series,
    read_summary,
)

COMPARE_SCHEMA: Final = "adas-compare/1"
MATCH_S: Final = 2.0  # two alerts of one code that lie farther apart are not the same alert
STAGES: Final = ("off", "shadow", "warn", "on")
LEVELS: Final = ("", "info", "warning", "critical")
EPISODES: Final = {EventKind.ALERT_START: EventKind.ALERT_END, EventKind.REQUEST_START: EventKind.REQUEST_END}
NAMES: Final = {EventKind.ALERT_START: "alert", EventKind.REQUEST_START: "request"}

Verdict = Literal["identical", "equal", "changed", "regression"]
VERDICTS: Final[tuple[Verdict, ...]] = ("identical", "equal", "changed", "regression")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tolerances:
    """How much may differ.

    Args:
        time_s: Begin of an alert, a request or an envelope action; times in fault, active or without input [s].
        accel_mps2: Commanded acceleration [m/s^2].
        curvature_1pm: Commanded path curvature [1/m].
        kpi_share: A function's figures, as a share of the greater of the two.
    """

    time_s: float = 0.05
    accel_mps2: float = 0.05
    curvature_1pm: float = 0.0001
    kpi_share: float = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One difference; `t_s` counts from the start of the drive, `None` where it has no time."""

    kind: str
    what: str
    text: str
    is_regression: bool
    t_s: float | None = None
    a: Any = None
    b: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two replays of one drive."""

    name: str
    a: str
    b: str
    verdict: Verdict
    findings: tuple[Finding, ...] = ()
    first_difference: dict[str, Any] | None = None
    digests: tuple[str, str] = ("", "")
    latency_p99_ms: tuple[float, float] = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class _Episode:
    """An alert or a request from its begin to its end."""

    start: Event
    end_s: float | None


@dataclass(slots=True)
class _Findings:
    """Collects; `is_strict` makes a regression of every change."""

    is_strict: bool
    found: list[Finding] = field(default_factory=list)

    def add(
        self, kind: str, what: str, text: str, bad: bool, t_s: float | None = None, a: Any = None, b: Any = None
    ) -> None:
        is_regression = bad or self.is_strict
        self.found.append(Finding(kind=kind, what=what, text=text, is_regression=is_regression, t_s=t_s, a=a, b=b))


def compare(
    a: Path, b: Path, tolerances: Tolerances | None = None, *, is_strict: bool = False
) -> tuple[Comparison, ...]:
    """Compare two replay folders, or two folders of many replays name by name.

    Raises:
        BagError: A folder is no replay's, or the two are not of the same drive.
    """
    tolerances = tolerances or Tolerances()
    runs_a, runs_b = _runs(a), _runs(b)
    if ("" in runs_a) != ("" in runs_b):
        many, one = (b, a) if "" in runs_a else (a, b)
        raise BagError(
            f"holds many replays, {one} is a single one", where=str(many), mend="give one of its folders, or two such"
        )
    found = []
    for name in sorted(runs_a.keys() | runs_b.keys()):
        first, second = runs_a.get(name), runs_b.get(name)
        if first is not None and second is not None:
            found.append(_pair(name or a.name, first, second, tolerances, is_strict))
            continue
        is_lost = second is None
        text = f"replayed only in {a if is_lost else b}"
        found.append(
            Comparison(
                name=name,
                a=str(first or ""),
                b=str(second or ""),
                verdict="regression" if is_lost or is_strict else "changed",
                findings=(Finding(kind="run", what=name, text=text, is_regression=is_lost or is_strict),),
            )
        )
    return tuple(found)


def worst(comparisons: Iterable[Comparison]) -> Verdict:
    """The gravest verdict of many."""
    return max((item.verdict for item in comparisons), key=VERDICTS.index)


def as_json(comparisons: Sequence[Comparison], tolerances: Tolerances) -> dict[str, Any]:
    """The result for machines."""
    return {
        "schema": COMPARE_SCHEMA,
        "verdict": worst(comparisons),
        "tolerances": asdict(tolerances),
        "comparisons": [asdict(item) for item in comparisons],
    }


def _runs(path: Path) -> dict[str, Path]:
    """Replay folders by name; a folder that is one itself has the name ``."""
    if (path / SUMMARY_FILE).is_file():
        return {"": path}
    found = {item.parent.name: item.parent for item in sorted(path.glob(f"*/{SUMMARY_FILE}"))} if path.is_dir() else {}
    if not found:
        read_summary(path)  # raises, and says why
    return found


def _pair(name: str, a: Path, b: Path, tolerances: Tolerances, is_strict: bool) -> Comparison:
    old, new = read_summary(a), read_summary(b)
    _check_same_drive(a, b, old, new)
    findings = _Findings(is_strict)
    _inputs(findings, old, new)
    is_identical = old.digest == new.digest
    difference: dict[str, Any] | None = None
    if not is_identical:
        events_a, events_b = list(read_events(a)), list(read_events(b))
        _functions(findings, old, new, tolerances)
        _episodes(findings, events_a, events_b, tolerances)
        _statuses(findings, events_a, events_b, tolerances)
        _limits(findings, events_a, events_b, max(old.duration_s, new.duration_s), tolerances)
        _commands(findings, read_series(a), read_series(b), tolerances)
        difference = first_difference(a / OUT_FILE, b / OUT_FILE, old.start_s)
    found = tuple(sorted(findings.found, key=lambda item: (not item.is_regression, item.t_s or 0.0, item.kind)))
    verdict: Verdict = "changed" if found else "equal"
    if any(item.is_regression for item in found):
        verdict = "regression"
    elif is_identical:
        verdict = "identical"
    return Comparison(
        name=name,
        a=str(a),
        b=str(b),
        verdict=verdict,
        findings=found,
        first_difference=difference,
        digests=(old.digest, new.digest),
        latency_p99_ms=(old.latency_ms.p99, new.latency_ms.p99),
    )


def _check_same_drive(a: Path, b: Path, old: Summary, new: Summary) -> None:
    """Refuse drives whose inputs differ: what both used must be the same, byte for byte and time for time."""
    used_a = {topic: item for topic, item in old.inputs.items() if item.feeds}
    used_b = {topic: item for topic, item in new.inputs.items() if item.feeds}
    common = sorted(used_a.keys() & used_b.keys())
    differing = [
        topic
        for topic in common
        if (used_a[topic].digest, used_a[topic].count) != (used_b[topic].digest, used_b[topic].count)
        # recorded perception may come from another version: that is what is compared
        and not topic.startswith("/adas/")
    ]
    mend = "compare two replays of one recording"
    if not [topic for topic in common if not topic.startswith("/adas/")]:
        if common and not differing:
            return
        raise BagError(f"has no input in common with {b}: not the same drive", where=str(a), mend=mend)
    if differing:
        raise BagError(f"differs from {b} in {', '.join(differing)}: not the same drive", where=str(a), mend=mend)


def _inputs(findings: _Findings, old: Summary, new: Summary) -> None:
    for text, was, now in (
        ("market", old.market, new.market),
        ("market revision", old.market_revision, new.market_revision),
        ("market content", old.market_digest[:12], new.market_digest[:12]),
        ("vehicle", old.vehicle, new.vehicle),
        ("started from", old.started_from, new.started_from),
    ):
        if was != now:
            findings.add("configuration", text, f"{text}: {was}, now {now}", False, a=was, b=now)
    for topic in sorted(old.inputs.keys() | new.inputs.keys()):
        was_input, now_input = old.inputs.get(topic), new.inputs.get(topic)
        was_used, now_used = bool(was_input and was_input.feeds), bool(now_input and now_input.feeds)
        if was_used != now_used:
            is_lost = was_used and old.started_from == new.started_from
            findings.add("input", topic, "no longer used" if was_used else "used now", is_lost, a=was_used, b=now_used)
        elif was_input and now_input and was_input.dropped != now_input.dropped:
            text = f"{was_input.dropped} messages refused, now {now_input.dropped}"
            is_worse = now_input.dropped > was_input.dropped
            findings.add("input", topic, text, is_worse, a=was_input.dropped, b=now_input.dropped)


def _functions(findings: _Findings, old: Summary, new: Summary, tolerances: Tolerances) -> None:
    for name in sorted(old.functions.keys() | new.functions.keys()):
        was, now = old.functions.get(name), new.functions.get(name)
        if was is None or now is None:
            is_lost = now is None and old.started_from == new.started_from
            findings.add("function", name, "is gone" if now is None else "is new", is_lost)
            continue
        if was.stage != now.stage:
            is_less = STAGES.index(now.stage) < STAGES.index(was.stage)
            findings.add("stage", name, f"stage {was.stage}, now {now.stage}", is_less, a=was.stage, b=now.stage)
        for text, before_s, after_s, sign in (
            ("active", was.time_active_s, now.time_active_s, -1.0),
            ("in fault", was.time_fault_s, now.time_fault_s, 1.0),
            *(
                (f"without {name_}", was.absent_s.get(name_, 0.0), now.absent_s.get(name_, 0.0), 1.0)
                for name_ in sorted(was.absent_s.keys() | now.absent_s.keys())
            ),
        ):
            if abs(after_s - before_s) > tolerances.time_s:
                is_worse = (after_s - before_s) * sign > 0.0
                line = f"{text} {before_s:.2f} s, now {after_s:.2f} s"
                findings.add("status", name, line, is_worse, a=before_s, b=after_s)
        for kpi in sorted(was.kpis.keys() | now.kpis.keys()):
            before, after = was.kpis.get(kpi), now.kpis.get(kpi)
            is_known = before is not None and after is not None
            scale = max(abs(before or 0.0), abs(after or 0.0))
            if not is_known or abs((after or 0.0) - (before or 0.0)) > tolerances.kpi_share * scale:
                findings.add("kpi", name, f"{kpi} {_figure(before)}, now {_figure(after)}", False, a=before, b=after)


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _gather(events: Iterable[Event]) -> dict[tuple[str, str, str, str], list[_Episode]]:
    """Alerts and requests by kind, function, code and side, in time."""
    found: dict[tuple[str, str, str, str], list[_Episode]] = defaultdict(list)
    ends = {end: start for start, end in EPISODES.items()}
    for event in events:
        if event.kind in EPISODES:
            found[event.kind.value, event.function, event.code, event.side].append(_Episode(event, None))
        elif event.kind in ends:
            key = (ends[event.kind].value, event.function, event.code, event.side)
            if found[key] and found[key][-1].end_s is None:
                found[key][-1] = _Episode(found[key][-1].start, event.t_s)
    return found


def match(a: Sequence[float], b: Sequence[float], limit: float) -> list[tuple[int | None, int | None]]:
    """Pairs of indices whose times are nearest to each other, in time; what has no partner within `limit` is alone."""
    near = sorted(
        (abs(first - second), i, j)
        for i, first in enumerate(a)
        for j, second in enumerate(b)
        if abs(first - second) <= limit
    )
    taken_a: dict[int, int] = {}
    taken_b: set[int] = set()
    for _, i, j in near:
        if i not in taken_a and j not in taken_b:
            taken_a[i] = j
            taken_b.add(j)
    pairs: list[tuple[int | None, int | None]] = [(i, taken_a.get(i)) for i in range(len(a))]
    pairs += [(None, j) for j in range(len(b)) if j not in taken_b]
    return pairs


def _episodes(findings: _Findings, a: Sequence[Event], b: Sequence[Event], tolerances: Tolerances) -> None:
    first, second = _gather(a), _gather(b)
    for key in sorted(first.keys() | second.keys()):
        olds, news = first.get(key, []), second.get(key, [])
        kind, function, code, side = key
        noun = NAMES[EventKind(kind)]
        label = code if not side or side in code else f"{code} ({side})"
        for i, j in match([e.start.t_s for e in olds], [e.start.t_s for e in news], MATCH_S):
            if j is None:
                old = olds[i or 0]
                t_s = old.start.t_s
                findings.add(noun, function, f"{label} is missing; it was at {t_s:.2f} s", True, t_s, a=t_s)
            elif i is None:
                t_s = news[j].start.t_s
                findings.add(noun, function, f"{label} is new: {news[j].start.cause or 'no cause'}", True, t_s, b=t_s)
            else:
                _same_episode(findings, noun, function, label, olds[i], news[j], tolerances)


def _same_episode(
    findings: _Findings, noun: str, function: str, label: str, old: _Episode, new: _Episode, tolerances: Tolerances
) -> None:
    was, now = old.start, new.start
    moved_s = now.t_s - was.t_s
    if abs(moved_s) > tolerances.time_s:
        word = "later" if moved_s > 0.0 else "earlier"
        text = f"{label} begins {abs(moved_s):.3f} s {word}"
        findings.add(noun, function, text, moved_s > 0.0, was.t_s, a=was.t_s, b=now.t_s)
    if was.level != now.level:
        text = f"{label} is {now.level or 'without level'}, was {was.level or 'without level'}"
        is_less = LEVELS.index(now.level) < LEVELS.index(was.level)
        findings.add(noun, function, text, is_less, now.t_s, a=was.level, b=now.level)
    if was.is_shadow != now.is_shadow:
        text = f"{label} {'reaches nobody now' if now.is_shadow else 'is no longer in shadow'}"
        findings.add(noun, function, text, now.is_shadow, now.t_s, a=was.is_shadow, b=now.is_shadow)
    if was.cause != now.cause:
        text = f"{label}: cause {was.cause!r}, now {now.cause!r}"
        findings.add(noun, function, text, False, now.t_s, a=was.cause, b=now.cause)
    if old.end_s != new.end_s:
        if old.end_s is None or new.end_s is None:
            text = f"{label} {'does not end' if new.end_s is None else 'ends'} within the drive now"
            findings.add(noun, function, text, False, now.t_s, a=old.end_s, b=new.end_s)
        elif abs(new.end_s - old.end_s) > tolerances.time_s:
            word = "later" if new.end_s > old.end_s else "earlier"
            text = f"{label} ends {abs(new.end_s - old.end_s):.3f} s {word}"
            findings.add(noun, function, text, False, old.end_s, a=old.end_s, b=new.end_s)


def _statuses(findings: _Findings, a: Sequence[Event], b: Sequence[Event], tolerances: Tolerances) -> None:
    """Faults and degradations that one of the two does not have."""

    def troubles(events: Sequence[Event]) -> dict[tuple[str, str], list[Event]]:
        found: dict[tuple[str, str], list[Event]] = defaultdict(list)
        for event in events:
            if event.kind is EventKind.STATUS and event.health in ("fault", "degraded"):
                found[event.function, event.health].append(event)
        return found

    first, second = troubles(a), troubles(b)
    for key in sorted(first.keys() | second.keys()):
        olds, news = first.get(key, []), second.get(key, [])
        function, health = key
        for i, j in match([e.t_s for e in olds], [e.t_s for e in news], max(MATCH_S, tolerances.time_s)):
            if i is None and j is not None:
                text = f"new {health}: {news[j].cause or news[j].code}"
                findings.add("status", function, text, True, news[j].t_s, b=news[j].code)
            elif j is None and i is not None:
                text = f"{health} is gone: {olds[i].cause or olds[i].code}"
                findings.add("status", function, text, False, olds[i].t_s, a=olds[i].code)


def _limits(
    findings: _Findings, a: Sequence[Event], b: Sequence[Event], duration_s: float, tolerances: Tolerances
) -> None:
    """Where the envelope acts in one and not in the other, limit by limit."""

    def spans(events: Sequence[Event]) -> dict[str, list[tuple[float, float]]]:
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        begun: dict[str, float] = {}
        for event in [event for event in events if event.kind is EventKind.ENVELOPE]:
            active = set(filter(None, event.code.split(", ")))
            for limit in sorted(begun.keys() - active):
                found[limit].append((begun.pop(limit), event.t_s))
            for limit in sorted(active - begun.keys()):
                begun[limit] = event.t_s
        for limit, start_s in begun.items():
            found[limit].append((start_s, duration_s))
        return found

    first, second = spans(a), spans(b)
    for limit in sorted(first.keys() | second.keys()):
        for text, those, others in (
            ("no longer limits", first.get(limit, []), second.get(limit, [])),
            ("limits now", second.get(limit, []), first.get(limit, [])),
        ):
            for start_s, end_s in _outside(those, others):
                if end_s - start_s > tolerances.time_s:
                    line = f"{limit} {text} for {end_s - start_s:.2f} s"
                    findings.add("envelope", "envelope", line, True, start_s, a=start_s, b=end_s)


def _outside(those: Sequence[tuple[float, float]], others: Sequence[tuple[float, float]]) -> list[tuple[float, float]]:
    """The parts of `those` spans that no other span covers; both in time."""
    left = []
    for start, end in those:
        at = start
        for other_start, other_end in others:
            if other_end <= at or other_start >= end:
                continue
            if other_start > at:
                left.append((at, other_start))
            at = max(at, other_end)
        if at < end:
            left.append((at, end))
    return left


def _commands(findings: _Findings, a: Series, b: Series, tolerances: Tolerances) -> None:
    """What reaches the car, and what the arbiter asked for, value by value."""
    for name in sorted(a.tracks.keys() | b.tracks.keys()):
        if not name.startswith(("command_", "demand_")):
            continue
        limit = tolerances.accel_mps2 if name.endswith("_accel_mps2") else tolerances.curvature_1pm
        first, second = a.tracks.get(name), b.tracks.get(name)
        if first is None or second is None:
            findings.add("command", name, "is gone" if second is None else "is new", True)
            continue
        worst_by, at_s, total_s = _track_difference(first, second, limit)
        if worst_by > limit and total_s > tolerances.time_s:
            text = f"differs by up to {worst_by:.3g} {first.unit}, for {total_s:.2f} s"
            findings.add("command", name, text, True, at_s, a=worst_by)


def _track_difference(a: Track, b: Track, limit: float) -> tuple[float, float, float]:
    """Greatest difference, its time, and for how long it is above `limit`; both lines hold their last value."""
    worst_by = at_s = total_s = 0.0
    i = j = 0
    was: float | None = None
    now: float | None = None
    former_s: float | None = None
    is_off = False
    while i < len(a.t_s) or j < len(b.t_s):
        t_s = min(a.t_s[i] if i < len(a.t_s) else float("inf"), b.t_s[j] if j < len(b.t_s) else float("inf"))
        if former_s is not None and is_off:
            total_s += max(0.0, t_s - former_s)
        if i < len(a.t_s) and a.t_s[i] <= t_s:
            was, i = a.values[i], i + 1
        if j < len(b.t_s) and b.t_s[j] <= t_s:
            now, j = b.values[j], j + 1
        difference = abs((now or 0.0) - (was or 0.0))
        is_off = difference > limit
        if difference > worst_by:
            worst_by, at_s = difference, t_s
        former_s = t_s
    return worst_by, at_s, total_s


def first_difference(a: Path, b: Path, start_s: float) -> dict[str, Any] | None:
    """The first value of the two decision streams that differs, field by field; `None` where that cannot be told."""
    from adas_runtime.inputs.binder import own_reader
    from adas_runtime.replay.bag import Bag

    if not a.is_file() or not b.is_file():
        return None
    try:
        with Bag(a) as first, Bag(b) as second:
            topics = [n for n in first.topics if n.startswith("/adas/") and n in second.topics]
            topics = [n for n in topics if n != "/adas/market/status"]
            for left, right in zip_longest(first.messages(topics), second.messages(topics)):
                if left == right:
                    continue
                found = left or right
                assert found is not None
                place = {"topic": found[1], "t_s": round(found[0] * 1e-9 - start_s, 6)}
                if left is None or right is None:
                    return place | {"fields": {}, "only_in": "b" if left is None else "a"}
                if left[1] != right[1]:
                    return place | {"fields": {}, "other_topic": right[1]}
                read = own_reader(first.topics[left[1]].type)
                if read is None:
                    return place | {"fields": {}}
                was, now = read(left[2]), read(right[2])
                return place | {
                    "fields": {
                        item.name: [str(getattr(was, item.name)), str(getattr(now, item.name))]
                        for item in fields(was)  # type: ignore[arg-type]
                        if getattr(was, item.name) != getattr(now, item.name)
                    }
                }
    except AdasError:
        return None
    return None


def show(comparisons: Sequence[Comparison]) -> None:
    """Print the result for people."""
    from adas_runtime.console import print_table

    told = {
        "identical": "identical: the same decisions, bit for bit",
        "equal": "equal within the tolerances",
        "changed": "changed, no regression",
        "regression": "REGRESSION",
    }
    for item in comparisons:
        print(f"{item.name}: {told[item.verdict]}")
        if item.findings:
            print_table(
                ("", "at", "kind", "where", "difference"),
                [
                    (
                        "worse" if finding.is_regression else "",
                        "" if finding.t_s is None else f"{finding.t_s:.2f} s",
                        finding.kind,
                        finding.what,
                        finding.text,
                    )
                    for finding in item.findings
                ],
            )
        if item.first_difference:
            place = item.first_difference
            names = ", ".join(f"{name} {was} -> {now}" for name, (was, now) in place["fields"].items())
            line = f"first difference: {place['topic']} at {place['t_s']:.3f} s{': ' + names if names else ''}"
            print(f"  {line}"[:400])
        before, after = item.latency_p99_ms
        if before and after:
            print(f"  one step, p99 (for information): {before:.3f} ms, now {after:.3f} ms")
    if len(comparisons) > 1:
        counts = [(sum(item.verdict == verdict for item in comparisons), verdict) for verdict in reversed(VERDICTS)]
        print(f"{len(comparisons)} replays: {', '.join(f'{n} {verdict}' for n, verdict in counts if n)}")


def dump(comparisons: Sequence[Comparison], tolerances: Tolerances) -> str:
    """JSON of the result."""
    return json.dumps(as_json(comparisons, tolerances), indent=2, ensure_ascii=False, allow_nan=False)
