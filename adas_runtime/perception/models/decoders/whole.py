"""One answer for the whole picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from adas_runtime.perception.models.decoders.common import activate, one_output, option
from adas_runtime.perception.models.manifest import Manifest
from adas_runtime.perception.models.preprocess import Fit
from adas_runtime.perception.models.results import Verdict


class Classification:
    """One output (1, classes). Raw values are divided by the temperature first, so that confidences are honest."""

    def __init__(self, manifest: Manifest) -> None:
        output = one_output(manifest, 2)
        if output.shape[1] != len(manifest.classes):
            raise ValueError(
                f"output {output.name} has {output.shape[1]} values for {len(manifest.classes)} classes; "
                "correct classes"
            )
        self._manifest = manifest
        self._name = output.name
        self._activation = str(option(manifest, "activation"))
        self._temperature = np.float32(option(manifest, "temperature"))
        if self._activation == "none" and self._temperature != 1.0:
            raise ValueError("temperature changes nothing without an activation; write 1, or name the activation")

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], fit: Fit) -> Verdict:
        """Scores; NaN becomes 0, which nobody believes."""
        raw = outputs[self._name][0].astype(np.float32)
        if self._activation != "none":
            raw = activate(raw / self._temperature, self._activation, axis=0)
        return Verdict(scores=np.nan_to_num(raw, nan=0.0, posinf=1.0, neginf=0.0), classes=self._manifest.classes)


class Values:
    """One output (1, values): numbers with names, `classes`, as the model gives them; what they mean its user knows."""

    def __init__(self, manifest: Manifest) -> None:
        output = one_output(manifest, 2)
        if output.shape[1] != len(manifest.classes):
            raise ValueError(
                f"output {output.name} has {output.shape[1]} values for {len(manifest.classes)} names; correct classes"
            )
        self._manifest = manifest
        self._name = output.name

    def decode(self, outputs: Mapping[str, npt.NDArray[Any]], fit: Fit) -> Verdict:
        """The numbers; NaN and what is beyond all bounds become finite, and what reads them bounds them further."""
        raw = outputs[self._name][0].astype(np.float32)
        return Verdict(scores=np.nan_to_num(raw, nan=0.0, posinf=1.0, neginf=0.0), classes=self._manifest.classes)
