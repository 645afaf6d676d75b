"""Make a long drive small enough for a page without hiding a peak or a short alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from adas_runtime.replay.schema import Span

SEVERITY: Final = (
    "off",
    "idle",
    "active",
    "shadow",
    "info",
    "warning",
    "degraded",
    "critical",
    "fault",
)


def thin_track(
    t_s: Sequence[float], values: Sequence[float | None], limit: int
) -> tuple[list[float], list[float | None]]:
    """Keep at most about `limit` points: the smallest and the largest of each of `limit / 2` equal times.

    A `None` (a gap of the line) stays, and so do the first and the last point.

    Args:
        t_s: Times, rising [s].
        values: One value a time.
        limit: Points to keep, at least 4.
    """
    count = min(len(t_s), len(values))
    if count <= limit:
        return list(t_s[:count]), list(values[:count])
    buckets = max(1, (limit - 2) // 3)  # two extremes and a gap each
    start_s, end_s = t_s[0], t_s[count - 1]
    width_s = (end_s - start_s) / buckets or 1.0
    kept: list[int] = [0]
    index = 0
    for bucket in range(buckets):
        until_s = start_s + (bucket + 1) * width_s if bucket + 1 < buckets else float("inf")
        low = high = gap = None
        while index < count and t_s[index] < until_s:
            value = values[index]
            if value is None:
                gap = index
            else:
                if low is None or value < values[low]:  # type: ignore[operator]  # never points at a None
                    low = index
                if high is None or value > values[high]:  # type: ignore[operator]
                    high = index
            index += 1
        kept.extend(sorted({item for item in (low, high, gap) if item is not None}))
    kept.append(count - 1)
    order = sorted(set(kept))
    return [t_s[i] for i in order], [values[i] for i in order]


def thin_spans(spans: Sequence[Span], limit: int) -> list[Span]:
    """Keep at most `limit` bars: the shortest neighbours become one bar of the gravest level among them."""
    if len(spans) <= limit:
        return list(spans)
    start_s = min(span.start_s for span in spans)
    width_s = (max(span.end_s for span in spans) - start_s) / limit or 1.0
    groups: dict[int, list[Span]] = {}
    for span in spans:
        groups.setdefault(min(limit - 1, int((span.start_s - start_s) / width_s)), []).append(span)
    thinned = []
    for group in groups.values():
        if len(group) == 1:
            thinned.append(group[0])
            continue
        worst = max(group, key=lambda span: SEVERITY.index(span.level))
        thinned.append(
            worst.model_copy(
                update={
                    "start_s": group[0].start_s,
                    "end_s": max(span.end_s for span in group),
                    "text": f"{len(group)} bars drawn as one; gravest: {worst.text or worst.label}",
                }
            )
        )
    return thinned
