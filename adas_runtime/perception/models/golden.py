"""The golden picture of a model, and whether its outputs are what they were when the model was released."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from adas_runtime.config import shown_path
from adas_runtime.errors import ConfigError
from adas_runtime.perception.models.manifest import Golden, Manifest

MAX_BYTES = 64 * 1024 * 1024


def seeded_picture(seed: int, width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
    """A picture drawn from a number, the same on every machine and with every NumPy: blocks of colour under noise.

    Returns:
        (height, width, 3) uint8 BGR.
    """
    cells = 8
    coarse = np.frombuffer(hashlib.shake_256(b"blocks:%d" % seed).digest(cells * cells * 3), dtype=np.uint8)
    blocks = coarse.reshape(cells, cells, 3)
    rows = np.arange(height_px) * cells // height_px
    columns = np.arange(width_px) * cells // width_px
    noise = np.frombuffer(hashlib.shake_256(b"noise:%d" % seed).digest(width_px * height_px * 3), dtype=np.uint8)
    mixed = blocks[rows][:, columns].astype(np.uint16) * 3 + noise.reshape(height_px, width_px, 3)
    return np.ascontiguousarray(mixed // 4, dtype=np.uint8)


def read_golden(golden: Golden, folder: Path) -> dict[str, npt.NDArray[Any]]:
    """The arrays of the archive.

    Raises:
        ConfigError: Missing, another file, or no archive of plain arrays.
    """
    path = folder / golden.file
    where = shown_path(path)
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as err:
        raise ConfigError(
            f"golden file cannot be read: {err.strerror or err}", where=where, mend="put it beside the manifest"
        ) from err
    digest = hashlib.sha256(raw).hexdigest()
    if digest != golden.sha256:
        raise ConfigError(
            f"is not the golden file of the manifest: its sha256 begins {digest[:12]}, not {golden.sha256[:12]}",
            where=where,
            mend="put the right file there",
        )
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as err:
        raise ConfigError("is no NumPy archive of plain arrays", where=where, mend="make it anew") from err


def golden_picture(
    golden: Golden, arrays: Mapping[str, npt.NDArray[Any]], manifest: Manifest, where: str
) -> npt.NDArray[np.uint8]:
    """The picture that the model is asked about.

    Raises:
        ConfigError: The archive holds none.
    """
    if golden.seed is not None:
        return seeded_picture(golden.seed, manifest.input.width_px, manifest.input.height_px)
    picture = arrays.get("picture")
    if picture is None or picture.dtype != np.uint8 or picture.ndim not in (2, 3) or 0 in picture.shape:
        raise ConfigError(
            "holds no array `picture` of type uint8, (rows, columns, 3) BGR or (rows, columns)",
            where=where,
            mend="add it, or give a seed in the manifest",
        )
    return np.ascontiguousarray(picture)


def sampled(output: npt.NDArray[Any], every: int) -> npt.NDArray[Any]:
    """What the archive keeps of an output."""
    return np.array(output.reshape(-1)[::every])


def compare(
    golden: Golden,
    arrays: Mapping[str, npt.NDArray[Any]],
    outputs: Mapping[str, npt.NDArray[Any]],
    where: str,
) -> float:
    """The outputs beside the golden ones.

    Returns:
        Greatest difference.
    Raises:
        ConfigError: One is missing, not finite or too far away.
    """
    worst = 0.0
    for name, output in outputs.items():
        wanted = arrays.get(name)
        found = sampled(output, golden.every)
        if wanted is None or wanted.shape != found.shape:
            raise ConfigError(
                f"holds no golden values for output {name}" if wanted is None else f"output {name} has another size",
                where=where,
                mend="make the golden file anew",
            )
        wanted64, found64 = wanted.astype(np.float64), found.astype(np.float64)
        if not np.isfinite(found64).all():
            raise ConfigError(
                f"the model puts out NaN or infinity in {name} for its golden picture",
                where=where,
                mend="take another precision or provider; do not drive with this model on this machine",
            )
        gap = np.abs(found64 - wanted64)
        excess = gap - (golden.atol + golden.rtol * np.abs(wanted64))
        if float(excess.max(initial=-1.0)) > 0.0:
            at = int(np.argmax(excess))
            raise ConfigError(
                f"output {name} is not the golden one: {found64[at]:.6g} instead of {wanted64[at]:.6g} at value "
                f"{at * golden.every}, more than {golden.atol:g} + {golden.rtol:g} of it",
                where=where,
                mend="this model with this onnxruntime, driver or precision has not been proven: take the proven ones",
            )
        worst = max(worst, float(gap.max(initial=0.0)))
    return worst
