"""A model that looks at pictures: proven session, preprocessing and decoder in one, and where its time goes."""

from __future__ import annotations

import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from adas_runtime.config import shown_path
from adas_runtime.perception.models.decoders import make_decoder
from adas_runtime.perception.models.manifest import (
    Manifest,
    Precision,
    load_manifest,
    manifest_path,
    market_lineage,
    require_market,
)
from adas_runtime.perception.models.preprocess import Picture
from adas_runtime.perception.models.providers import InferenceParams, load_inference
from adas_runtime.perception.models.results import Result
from adas_runtime.perception.models.session import Machine, ModelSession, RuntimeReport, open_session


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """Where the time of one picture went [s]."""

    preprocess_s: float
    infer_s: float
    decode_s: float

    @property
    def total_s(self) -> float:
        """All of it."""
        return self.preprocess_s + self.infer_s + self.decode_s


class Model:
    """Make it with `load_model`. One thread at a time: its buffers are used again for each picture."""

    def __init__(self, session: ModelSession, where: str) -> None:
        self._session = session
        self._decoder = make_decoder(session.manifest, where)
        self.spent = Spent(preprocess_s=0.0, infer_s=0.0, decode_s=0.0)
        _LOADED.add(self)

    @property
    def manifest(self) -> Manifest:
        """What it says of itself."""
        return self._session.manifest

    @property
    def report(self) -> RuntimeReport:
        """What runs it."""
        return self._session.report

    def look(self, picture: Picture) -> Result:
        """What the model sees.

        Args:
            picture: (rows, columns, 3) uint8 BGR, or (rows, columns) grey.
        Returns:
            In pixels of this picture; arrays of the size of a picture hold until the next call.
        Raises:
            ProviderError: The provider fails; it is never replaced in silence.
        """
        started_s = time.perf_counter()
        fit = self._session.fill(picture)
        filled_s = time.perf_counter()
        self._session.infer()
        inferred_s = time.perf_counter()
        result = self._decoder.decode(self._session.outputs, fit)
        ended_s = time.perf_counter()
        self.spent = Spent(
            preprocess_s=filled_s - started_s, infer_s=inferred_s - filled_s, decode_s=ended_s - inferred_s
        )
        return result


_LOADED: weakref.WeakSet[Model] = weakref.WeakSet()


def loaded_reports() -> tuple[RuntimeReport, ...]:
    """What runs the models of this process, for its diagnostics and recordings."""
    return tuple(sorted((model.report for model in _LOADED), key=lambda report: report.model))


def load_model(
    name_or_path: str | Path,
    *,
    market: str | Path | Sequence[str],
    params: InferenceParams | None = None,
    precision: Precision | None = None,
    machine: Machine | None = None,
) -> Model:
    """Loads a model and proves it: market, hash, operators, shapes, provider and golden output.

    Args:
        name_or_path: Of its manifest.
        market: Where the car drives: a market's name or file, or the names of its lineage.
        params: How models run on this machine; the shipped `inference.yaml` by default.
        precision: This form and no other.
        machine: For tests.
    Raises:
        ConfigError: It is not what its manifest says, or may not run in this market.
        ProviderError: The machine does not run it as told.
    """
    path = manifest_path(name_or_path)
    manifest = load_manifest(path)
    lineage = market_lineage(market) if isinstance(market, (str, Path)) else tuple(market)
    require_market(manifest, lineage, shown_path(path))
    return prove_model(path, manifest, params=params, precision=precision, machine=machine)


def prove_model(
    path: Path,
    manifest: Manifest,
    *,
    params: InferenceParams | None = None,
    precision: Precision | None = None,
    machine: Machine | None = None,
) -> Model:
    """The same without a market: for `adas models verify` and `bench`, which drive no car.

    Raises:
        ConfigError: It is not what its manifest says.
        ProviderError: The machine does not run it as told.
    """
    make_decoder(manifest, shown_path(path))  # a wrong layout is told before anything is read
    session = open_session(manifest, path, params or load_inference(), precision=precision, machine=machine)
    return Model(session, shown_path(path))
