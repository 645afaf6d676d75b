"""What decoders share."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from adas_runtime.perception.models.manifest import Manifest, ModelOutput


def option(manifest: Manifest, name: str) -> Any:
    """An option that the manifest has been checked to give."""
    value = getattr(manifest.decoder, name)
    assert value is not None
    return value


def one_output(manifest: Manifest, axes: int) -> ModelOutput:
    """The only output.

    Raises:
        ValueError: There are several, or it has another number of axes.
    """
    if len(manifest.outputs) != 1:
        raise ValueError(f"reads one output, the manifest names {len(manifest.outputs)}; name the right one alone")
    output = manifest.outputs[0]
    if len(output.shape) != axes or output.shape[0] != 1:
        raise ValueError(
            f"output {output.name} has shape {'x'.join(map(str, output.shape))}, not 1 and {axes - 1} more; "
            "take another decoder, or export for a batch of one"
        )
    return output


def activate(raw: npt.NDArray[np.float32], way: str, *, axis: int) -> npt.NDArray[np.float32]:
    """Probabilities of raw values, in place."""
    if way == "sigmoid":
        np.clip(raw, -60.0, 60.0, out=raw)
        np.negative(raw, out=raw)
        np.exp(raw, out=raw)
        raw += np.float32(1.0)
        np.reciprocal(raw, out=raw)
    elif way == "softmax":
        raw -= np.max(raw, axis=axis, keepdims=True)
        np.exp(raw, out=raw)
        raw /= np.sum(raw, axis=axis, keepdims=True)
    return raw
