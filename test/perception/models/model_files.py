"""Puts a tiny model with a complete manifest into a folder, so that a test changes the one thing it is about."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml
from onnx_writer import constant_net

from adas_runtime.perception.models.draft import golden_of, write_golden
from adas_runtime.perception.models.golden import seeded_picture
from adas_runtime.perception.models.manifest import ModelInput, load_manifest
from adas_runtime.perception.models.model import Model, prove_model
from adas_runtime.perception.models.providers import InferenceParams, load_inference

BOXES = {"confidence_min": 0.25, "iou_max": 0.5, "boxes_max": 100}
CPU: InferenceParams = load_inference().model_copy(update={"providers": ("cpu",), "threads": 1, "warm_up_runs": 1})


def input_of(width_px: int = 64, height_px: int = 64, **changed: Any) -> dict[str, Any]:
    colours = 1 if changed.get("colour") == "grey" else 3
    plain = changed.get("dtype") == "uint8"
    return {
        "name": "images",
        "layout": "nchw",
        "width_px": width_px,
        "height_px": height_px,
        "dtype": "float32",
        "colour": "rgb",
        "fit": "letterbox",
        "pad": 114,
        "mean": [0.0] * colours,
        "std": [1.0 if plain else 255.0] * colours,
        **changed,
    }


def place(
    folder: Path,
    raw: bytes,
    *,
    decoder: Mapping[str, Any],
    classes: Sequence[str],
    told: Mapping[str, npt.NDArray[Any]] | None = None,
    given: Mapping[str, Any] | None = None,
    name: str = "tiny",
    opset: int = 17,
    precision: str = "fp32",
    **changed: Any,
) -> Path:
    """Writes model, golden file and manifest; `changed` replaces keys of the manifest, by dotted name with `__`."""
    given = dict(given or input_of())
    model_input = ModelInput.model_validate({**given, "mean": tuple(given["mean"]), "std": tuple(given["std"])})
    found = dict(told or {})
    picture = seeded_picture(3, model_input.width_px, model_input.height_px)
    if not found:
        found, _ = golden_of(raw, model_input, picture, ())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.onnx").write_bytes(raw)
    golden = write_golden(folder / f"{name}.npz", found, 1, None)
    data: dict[str, Any] = {
        "format": 1,
        "name": name,
        "title": "a model of the tests",
        "licence": "Apache-2.0",
        "training": {"regions": ["DE"], "date": "2026-11-26", "data": "none"},
        "markets": ["all"],
        "input": given,
        "outputs": [
            {"name": key, "dtype": str(value.dtype), "shape": list(value.shape)} for key, value in found.items()
        ],
        "decoder": dict(decoder),
        "classes": list(classes),
        "forms": {
            precision: {
                "file": f"{name}.onnx",
                "sha256": hashlib.sha256(raw).hexdigest(),
                "size_bytes": len(raw),
                "opset": opset,
                "golden": {
                    "file": f"{name}.npz",
                    "sha256": golden,
                    "seed": 3,
                    "every": 1,
                    "atol": 1e-4,
                    "rtol": 1e-4,
                },
            }
        },
    }
    data = copy.deepcopy(data)
    for dotted, value in changed.items():
        *parents, last = dotted.split("__")
        target: Any = data
        for parent in parents:
            target = target[int(parent)] if isinstance(target, list) else target[parent]
        if value is None:
            target.pop(last, None)
        else:
            target[last] = value
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    return path


def prove(path: Path, params: InferenceParams = CPU, **more: Any) -> Model:
    """Loads it as the car would, without a market."""
    return prove_model(path, load_manifest(path), params=params, **more)


def telling(
    folder: Path,
    outputs: Mapping[str, npt.NDArray[Any]],
    *,
    decoder: Mapping[str, Any],
    classes: Sequence[str],
    given: Mapping[str, Any] | None = None,
) -> Model:
    """A loaded model that puts out these values for every picture."""
    given = dict(given or input_of())
    shape = (1, 3, given["height_px"], given["width_px"])
    raw = constant_net(outputs, shape=shape)
    return prove(place(folder, raw, decoder=decoder, classes=classes, told=outputs, given=given))


def picture_of(width_px: int, height_px: int) -> npt.NDArray[np.uint8]:
    return seeded_picture(5, width_px, height_px)
