"""Where the files of models are, and the proof that a file is the one its manifest names."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from adas_runtime.config import shown_path
from adas_runtime.errors import ConfigError
from adas_runtime.perception.models.manifest import Form, Manifest, ModelOutput, Precision
from adas_runtime.perception.models.onnx_file import OnnxError, OnnxInfo, Tensor, read_onnx

MODELS_DIR: Final = "ADAS_MODELS_DIR"


def store_dir() -> Path:
    """Folder of the pulled models: `ADAS_MODELS_DIR`, else `adas/models` in the user's own folder for data (XDG)."""
    named = os.environ.get(MODELS_DIR)
    if named:
        return Path(named).expanduser()
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.environ.get("HOME") or "~", ".local", "share")
    return Path(base).expanduser() / "adas" / "models"


def model_path(form: Form, manifest_file: Path) -> Path:
    """Where the file of a form is, or would be after `adas models pull`: there it is called by its hash."""
    if form.file is not None:
        return manifest_file.parent / form.file
    return store_dir() / f"{form.sha256}.onnx"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """A model's bytes that are what the manifest says; what was hashed is what is loaded."""

    precision: Precision
    form: Form
    path: Path
    raw: bytes
    info: OnnxInfo


def form_of(manifest: Manifest, precision: Precision, where: str) -> Form:
    """The form of a precision.

    Raises:
        ConfigError: The model has none.
    """
    form = manifest.forms.get(precision)
    if form is None:
        raise ConfigError(
            f"model {manifest.name} has no {precision} form",
            where=where,
            mend=f"take {' or '.join(manifest.forms.precisions)}, or make one with `adas models convert`",
        )
    return form


def prove(manifest: Manifest, precision: Precision, manifest_file: Path) -> Proven:
    """Reads a model's file once and holds it against the manifest; nothing runs yet.

    Raises:
        ConfigError: Missing, another file, another version of the operators, other inputs or outputs.
    """
    form = form_of(manifest, precision, shown_path(manifest_file))
    path = model_path(form, manifest_file)
    where = shown_path(path)
    raw = _read(path, form, manifest, where)
    digest = hashlib.sha256(raw).hexdigest()
    if digest != form.sha256:
        mend = (
            "put the right file there" if form.url is None else f"delete it and run `adas models pull {manifest.name}`"
        )
        raise ConfigError(
            f"is not the {precision} file that {shown_path(manifest_file)} names: its sha256 begins {digest[:12]}, "
            f"not {form.sha256[:12]}",
            where=where,
            mend=mend,
        )
    try:
        info = read_onnx(raw)
    except OnnxError as err:
        raise ConfigError(str(err), where=where, mend="put an ONNX model there and its sha256 in the manifest") from err
    _compare(manifest, precision, form, info, where)
    return Proven(precision=precision, form=form, path=path, raw=raw, info=info)


def _read(path: Path, form: Form, manifest: Manifest, where: str) -> bytes:
    try:
        if not path.is_file():
            raise ConfigError(
                f"model {manifest.name} is not here",
                where=where,
                mend=f"run `adas models pull {manifest.name}`" if form.url else "put the file beside its manifest",
            )
        with path.open("rb") as stream:
            return stream.read(form.size_bytes + 1)  # a longer file has another hash
    except OSError as err:
        raise ConfigError(
            f"cannot be read: {err.strerror or err}", where=where, mend="check the file and its permissions"
        ) from err


def _compare(manifest: Manifest, precision: Precision, form: Form, info: OnnxInfo, where: str) -> None:
    def refuse(what: str, mend: str) -> None:
        raise ConfigError(what, where=where, mend=mend)

    if info.opset != form.opset:
        refuse(
            f"was made for opset {info.opset}, its manifest says {form.opset}",
            "export the model anew, or correct opset after a look at what changed",
        )
    if info.has_external_weights:
        refuse("keeps weights in another file, which its sha256 does not cover", "export it as one file")
    if precision == "int8" and "QuantizeLinear" not in info.node_types:
        refuse("is called int8 but holds no QuantizeLinear", "make it with `adas models convert --to int8`")
    if precision == "fp16" and not info.has_fp16:
        refuse("is called fp16 but holds no 16 bit weights", "make it with `adas models convert --to fp16`")
    if len(info.inputs) != 1:
        refuse(f"has {len(info.inputs)} inputs", "export a model whose one input is the picture")
    given = manifest.input
    _same(info.inputs[0], Tensor(given.name, given.dtype, given.shape), "input", where)
    found = {item.name: item for item in info.outputs}
    for output in manifest.outputs:
        if output.name not in found:
            refuse(
                f"has no output {output.name!r}; it has {', '.join(sorted(found)) or 'none'}",
                "correct outputs in the manifest",
            )
        _same(found[output.name], tensor_of(output), "output", where)


def tensor_of(output: ModelOutput) -> Tensor:
    """The output as the file would tell it."""
    return Tensor(output.name, output.dtype, output.shape)


def _same(found: Tensor, wanted: Tensor, kind: str, where: str) -> None:
    """A size that the file leaves open may be anything; all else must agree."""
    is_shape = len(found.shape) == len(wanted.shape) and all(
        size in (0, want) for size, want in zip(found.shape, wanted.shape, strict=True)
    )
    # an output may be without shape in the file; the session measures it at load
    if kind == "output" and not found.shape:
        is_shape = True
    if (found.name, found.dtype) != (wanted.name, wanted.dtype) or not is_shape:
        raise ConfigError(
            f"its {kind} is {_shown(found)}, its manifest says {_shown(wanted)}",
            where=where,
            mend=f"correct {kind}{'s' if kind == 'output' else ''} in the manifest, or export the model anew",
        )


def _shown(tensor: Tensor) -> str:
    sizes = "x".join(str(size) if size else "?" for size in tensor.shape)
    return f"{tensor.name} {tensor.dtype} {sizes or 'without shape'}"
