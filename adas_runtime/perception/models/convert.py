"""Other forms of a model, made at the desk: calibrated 8 bit (QDQ) and 16 bit. Needs the package `onnx`."""

from __future__ import annotations

import contextlib
import importlib.util
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adas_runtime.errors import AdasError, ConfigError
from adas_runtime.perception.models.manifest import ModelInput
from adas_runtime.perception.models.onnx_file import read_onnx
from adas_runtime.perception.models.preprocess import Picture, Preprocessor


class ConvertError(AdasError):
    """A form that cannot be made."""


def require_onnx() -> None:
    """Say what is missing before anything is begun.

    Raises:
        ConvertError: The package `onnx` is not here; the car does not need it, so the runtime does not ask for it.
    """
    if importlib.util.find_spec("onnx") is None:
        raise ConvertError("the package onnx is not installed", mend="run script/bootstrap, or `pip install onnx`")


class _Pictures:
    """onnxruntime's CalibrationDataReader, over pictures that go through our own preprocessing."""

    def __init__(self, given: ModelInput, pictures: Sequence[Picture]) -> None:
        self._name = given.name
        self._inputs = self._prepared(given, pictures)

    def _prepared(self, given: ModelInput, pictures: Sequence[Picture]) -> Iterator[np.ndarray[Any, Any]]:
        buffer = np.zeros(given.shape, dtype=given.dtype)
        fill = Preprocessor(given, buffer)
        for picture in pictures:
            fill.fill(picture)
            yield buffer.copy()

    def get_next(self) -> dict[str, np.ndarray[Any, Any]] | None:
        """The next input, or `None` at the end."""
        found = next(self._inputs, None)
        return None if found is None else {self._name: found}


def convert(
    raw: bytes,
    *,
    to: Literal["int8", "fp16"],
    given: ModelInput,
    pictures: Sequence[Picture],
) -> bytes:
    """Another form of a model.

    Args:
        raw: The fp32 file.
        to: int8: weights and activations of 8 bit between QuantizeLinear and DequantizeLinear, their ranges taken from
            the pictures. fp16: weights of 16 bit, inputs and outputs stay as they are.
        given: How pictures become the input.
        pictures: For int8; those that the model will meet, some dozens.
    Raises:
        ConvertError: The package `onnx` is missing, no pictures were given, or the model is one already.
    """
    require_onnx()
    types = read_onnx(raw).node_types
    if "QuantizeLinear" in types:
        raise ConvertError("the model is quantised already", mend="name its fp32 file")
    if to == "int8" and not pictures:
        raise ConvertError("8 bit needs pictures to learn the ranges from", mend="name some dozens with --pictures")
    with tempfile.TemporaryDirectory(prefix="adas-convert-") as folder, _quiet():
        source, target = Path(folder) / "fp32.onnx", Path(folder) / "out.onnx"
        source.write_bytes(raw)
        try:
            if to == "int8":
                _quantise(source, target, given, pictures)
            else:
                _halve(source, target)
        except Exception as err:  # both tools raise whatever their parts raise
            text = " ".join(str(err).split())[:200] or type(err).__name__
            raise ConvertError(
                f"the model cannot be made {to}: {text}", mend="export it for opset 17 and try again"
            ) from err
        return target.read_bytes()


def _quantise(source: Path, target: Path, given: ModelInput, pictures: Sequence[Picture]) -> None:
    from onnxruntime.quantization import CalibrationMethod, QuantFormat, QuantType, quantize_static

    quantize_static(
        str(source),
        str(target),
        _Pictures(given, pictures),
        quant_format=QuantFormat.QDQ,
        activation_type=QuantType.QUInt8,
        weight_type=QuantType.QInt8,
        per_channel=True,
        # without VNNI, products of 8 x 8 bit overflow 16 bit on x86: seven bit weights do not
        reduce_range=True,
        calibrate_method=CalibrationMethod.MinMax,
    )


def _halve(source: Path, target: Path) -> None:
    import onnx
    from onnxruntime.transformers.float16 import convert_float_to_float16

    model = convert_float_to_float16(onnx.load(str(source)), keep_io_types=True)
    onnx.save(model, str(target))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """The tools log advice for their own users."""
    import logging

    former = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(former)


def read_pictures(paths: Sequence[Path], count_max: int) -> list[Picture]:
    """Pictures of files and folders, at most so many, spread evenly over all.

    Raises:
        ConfigError: One cannot be read, or there is none.
    """
    import cv2

    files: list[Path] = []
    for path in paths:
        if path.is_dir():
            files += sorted(item for item in path.rglob("*") if item.suffix.lower() in (".jpg", ".jpeg", ".png"))
        else:
            files.append(path)
    if not files:
        raise ConfigError(
            "no picture there", where=", ".join(map(str, paths)), mend="name JPEG or PNG files, or a folder"
        )
    step = max(len(files) / count_max, 1.0)
    chosen = [files[int(index * step)] for index in range(min(len(files), count_max))]
    pictures = []
    for file in chosen:
        picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if picture is None:
            raise ConfigError("cannot be read as a picture", where=str(file), mend="name JPEG or PNG files")
        pictures.append(np.asarray(picture, dtype=np.uint8))
    return pictures
