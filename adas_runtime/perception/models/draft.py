"""A manifest for a model that somebody brings: what the file tells is read from it, and its golden output is taken."""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import yaml

from adas_runtime.config import shown_path
from adas_runtime.errors import AdasError, ConfigError
from adas_runtime.perception.models.golden import sampled, seeded_picture
from adas_runtime.perception.models.manifest import OPTIONS, Manifest, ModelInput, load_manifest
from adas_runtime.perception.models.model import prove_model
from adas_runtime.perception.models.onnx_file import OnnxError, read_onnx
from adas_runtime.perception.models.preprocess import Picture, Preprocessor

VALUES_MAX: Final = 4096  # kept of each output: enough to tell another engine, small enough for a repository
STARTS: Final[dict[str, Any]] = {
    "confidence_min": 0.25,
    "iou_max": 0.45,
    "boxes_max": 300,
    "activation": "softmax",
    "temperature": 1.0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the file of a model cannot tell.

    Args:
        name: Of the model.
        title: What it does.
        licence: SPDX.
        regions: Countries of the training pictures, or `rendered`.
        trained: Day, YYYY-MM-DD.
        data: Data sets and their licences.
        markets: Where it may run.
        decoder: Layout of its outputs.
        options: Of the decoder; what is not given starts at a usual value.
        classes: Names; empty where the file itself tells them.
        size_px: Columns and rows, where the file leaves them open.
        colour: rgb, bgr or grey.
        fit: letterbox or stretch.
        pad: Grey value of the padding.
        crop_top: Share of the picture's rows that is cut off above [1].
        mean: Per colour, in grey levels.
        std: Per colour, in grey levels.
    """

    name: str
    title: str
    licence: str
    regions: Sequence[str]
    trained: str
    data: str
    markets: Sequence[str]
    decoder: str
    options: Mapping[str, Any]
    classes: Sequence[str]
    size_px: tuple[int, int] | None
    colour: str
    fit: str
    pad: int
    crop_top: float
    mean: Sequence[float]
    std: Sequence[float]


def classes_of(notes: Mapping[str, str]) -> tuple[str, ...]:
    """Names of the classes that an exporter wrote into the model as `names`; empty where there are none.

    Exporters of the YOLO families write a Python mapping of number to name, or a list.
    """
    try:
        names = ast.literal_eval(notes.get("names", ""))
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return ()
    if isinstance(names, dict) and sorted(names) == list(range(len(names))):
        names = [names[index] for index in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return ()
    return tuple(names)


def golden_of(
    raw: bytes, given: ModelInput, picture: Picture, names: Sequence[str]
) -> tuple[dict[str, npt.NDArray[Any]], int]:
    """Outputs of a model for a picture on the CPU, and how densely they are worth keeping.

    Raises:
        ConfigError: onnxruntime cannot run it.
    """
    import onnxruntime

    buffer = np.zeros(given.shape, dtype=given.dtype)
    Preprocessor(given, buffer).fill(picture)
    try:
        session = onnxruntime.InferenceSession(raw, providers=["CPUExecutionProvider"])
        outputs = session.run(list(names) or None, {given.name: buffer})
    except Exception as err:  # onnxruntime's own errors share no base class
        text = " ".join(str(err).split()).rsplit("] : ", 1)[-1][:200]
        raise ConfigError(f"onnxruntime cannot run it: {text}", mend="check size and type of the input") from err
    found = (
        {item.name: np.asarray(value) for item, value in zip(session.get_outputs(), outputs, strict=True)}
        if not names
        else dict(zip(names, map(np.asarray, outputs), strict=True))
    )
    every = max(1, -(-max(value.size for value in found.values()) // VALUES_MAX))
    return found, every


def write_golden(path: Path, outputs: Mapping[str, npt.NDArray[Any]], every: int, picture: Picture | None) -> str:
    """Writes the archive; returns its sha256."""
    arrays: dict[str, npt.NDArray[Any]] = {name: sampled(value, every) for name, value in outputs.items()}
    if picture is not None:
        arrays["picture"] = picture
    with path.open("wb") as stream:
        np.savez_compressed(stream, **arrays)  # type: ignore[arg-type]
    return hashlib.sha256(path.read_bytes()).hexdigest()


def draft(source: Path, folder: Path, said: Said, picture: Picture | None) -> Manifest:
    """Writes `NAME.yaml`, `NAME.onnx` and `NAME.npz` into a folder and proves them; what fails leaves nothing there.

    Args:
        source: The model.
        folder: Where they go; nothing there is replaced.
        said: What the file cannot tell.
        picture: The golden one; drawn from a number where none is given.
    Raises:
        ConfigError: The file is no model we can run, or what was said does not fit it.
    """
    where = shown_path(source)
    try:
        raw = source.read_bytes()
        info = read_onnx(raw)
    except OSError as err:
        raise ConfigError(f"cannot be read: {err.strerror or err}", where=where, mend="check the name") from err
    except OnnxError as err:
        raise ConfigError(str(err), where=where, mend="name an ONNX model") from err
    if len(info.inputs) != 1 or len(info.inputs[0].shape) != 4:
        raise ConfigError("has no single input of four axes", where=where, mend="export it with the picture as input")
    classes = tuple(said.classes) or classes_of(info.notes)
    if not classes:
        raise ConfigError("does not name its classes", where=where, mend="say them with --classes car,person,...")
    shape = info.inputs[0].shape
    layout = "nhwc" if shape[3] in (1, 3) and shape[1] not in (1, 3) else "nchw"
    rows, columns = (shape[2], shape[3]) if layout == "nchw" else (shape[1], shape[2])
    if said.size_px is not None:
        columns, rows = said.size_px
    if not columns or not rows:
        raise ConfigError("leaves the size of its input open", where=where, mend="say it with --size, such as 640x640")
    data: dict[str, Any] = {
        "format": 1,
        "name": said.name,
        "title": said.title,
        "licence": said.licence,
        "training": {"regions": list(said.regions), "date": said.trained, "data": said.data},
        "markets": list(said.markets),
        "input": {
            "name": info.inputs[0].name,
            "layout": layout,
            "width_px": columns,
            "height_px": rows,
            "dtype": info.inputs[0].dtype,
            "colour": said.colour,
            "fit": said.fit,
            "pad": said.pad,
            **({"crop_top": said.crop_top} if said.crop_top else {}),
            "mean": list(said.mean),
            "std": list(said.std),
        },
    }
    try:
        given = ModelInput.model_validate(data["input"])
    except ValueError as err:
        text = str(err).splitlines()[-2].strip() if len(str(err).splitlines()) > 1 else str(err)
        raise ConfigError(text, where=where, mend="check --size, --colour, --mean and --std") from err
    outputs, every = golden_of(raw, given, seeded_picture(1, columns, rows) if picture is None else picture, ())
    paths = {kind: folder / f"{said.name}.{kind}" for kind in ("yaml", "onnx", "npz")}
    for path in paths.values():
        if path.exists() and not (path.suffix == ".onnx" and path.resolve() == source.resolve()):
            raise ConfigError("is there already", where=shown_path(path), mend="take another --name or --out")
    is_copied = paths["onnx"].resolve() != source.resolve()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if is_copied:
            paths["onnx"].write_bytes(raw)
        golden = write_golden(paths["npz"], outputs, every, picture)
        needed = OPTIONS.get(said.decoder, ())
        data |= {
            "outputs": [
                {"name": name, "dtype": str(value.dtype), "shape": list(value.shape)} for name, value in outputs.items()
            ],
            "decoder": {"name": said.decoder, **{k: said.options.get(k, STARTS.get(k)) for k in needed}},
            "classes": list(classes),
            "forms": {
                "fp32": stanza(paths["onnx"].name, raw, info.opset, paths["npz"].name, golden, every, picture is None)
            },
        }
        data["decoder"] = {key: value for key, value in data["decoder"].items() if value is not None}
        paths["yaml"].write_text(dump(data), encoding="utf-8")
    except OSError as err:
        raise ConfigError(
            f"cannot be written: {err.strerror or err}", where=str(err.filename or folder), mend="check the folder"
        ) from err
    try:
        manifest = load_manifest(paths["yaml"])
        prove_model(paths["yaml"], manifest, precision="fp32")
    except AdasError:
        for kind, path in paths.items():
            if kind != "onnx" or is_copied:
                path.unlink(missing_ok=True)
        raise
    return manifest


def stanza(
    file: str, raw: bytes, opset: int, golden_file: str, golden_sha256: str, every: int, is_seeded: bool
) -> dict[str, Any]:
    """One entry below `forms`."""
    return {
        "file": file,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "size_bytes": len(raw),
        "opset": opset,
        "golden": {
            "file": golden_file,
            "sha256": golden_sha256,
            **({"seed": 1} if is_seeded else {}),
            "every": every,
            "atol": 0.001,
            "rtol": 0.001,
        },
    }


def dump(data: Any) -> str:
    """YAML as our files are written: short lists on one line."""
    return str(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, default_flow_style=None, width=110))
