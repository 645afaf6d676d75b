"""How fast a model is here: p50 and p99 of a picture, and the share of the time that is not inference."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from adas_runtime.perception.models.model import Model
from adas_runtime.perception.models.preprocess import Picture
from adas_runtime.perception.models.session import RuntimeReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured, the picture already decoded.

    Args:
        runs: Pictures.
        picture_px: Columns and rows.
        p50_ms: Median of a picture, preprocessing and decoding included [ms].
        p99_ms: 99 of 100 are faster [ms].
        infer_p50_ms: Median of the inference alone [ms].
        outside_share: Share of the time spent outside inference [1].
        report: What ran it.
    """

    runs: int
    picture_px: tuple[int, int]
    p50_ms: float
    p99_ms: float
    infer_p50_ms: float
    outside_share: float
    report: RuntimeReport

    def as_json(self) -> dict[str, Any]:
        """For machines."""
        return asdict(self)


def bench(model: Model, picture: Picture, runs: int) -> Figures:
    """Looks at one picture again and again."""
    total, infer = np.empty(runs), np.empty(runs)
    for _ in range(min(runs, 5)):
        model.look(picture)
    for run in range(runs):
        model.look(picture)
        total[run], infer[run] = model.spent.total_s, model.spent.infer_s
    return Figures(
        runs=runs,
        picture_px=(picture.shape[1], picture.shape[0]),
        p50_ms=float(np.percentile(total, 50) * 1e3),
        p99_ms=float(np.percentile(total, 99) * 1e3),
        infer_p50_ms=float(np.percentile(infer, 50) * 1e3),
        outside_share=float(1.0 - infer.sum() / total.sum()) if total.sum() > 0.0 else 0.0,
        report=model.report,
    )
