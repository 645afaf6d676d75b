"""What a model says of itself: its file and hash, its input, its decoder, where it was trained and where it may run."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Final, Literal

from pydantic import Field, field_validator, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict, load, named_file, printable, shown_path
from adas_runtime.errors import ConfigError

Precision = Literal["fp32", "fp16", "int8"]
DType = Literal["float32", "float16", "uint8", "int64", "int32"]
EVERYWHERE: Final = "all"
ELEMENTS_MAX: Final = 1 << 28  # of one tensor; more is a mistake in a file, not a model for a car
_SHA256: Final = r"^[0-9a-f]{64}$"
_PLAIN_FILE: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,127}$"

# options that each decoder needs; all others must be absent
_BOXES: Final = ("confidence_min", "iou_max", "boxes_max")
OPTIONS: Final[dict[str, tuple[str, ...]]] = {
    "yolov5": _BOXES,
    "yolov8": _BOXES,
    "yolov11": _BOXES,
    "yolov10": ("confidence_min", "boxes_max"),
    "yolo_pose": (*_BOXES, "keypoints"),
    "rtdetr": ("confidence_min", "boxes_max", "activation"),
    "ufld": ("confidence_min", "row_anchors_px"),
    "ufld_v2": ("confidence_min", "row_anchors_px", "column_anchors_px"),
    "segmentation": ("confidence_min", "activation"),
    "heatmaps": ("confidence_min", "keypoints"),
    "classification": ("activation", "temperature"),
    "values": (),
}


class ModelInput(Strict):
    """How a picture becomes the model's one input."""

    name: str = Field(min_length=1, max_length=128, description="Name of the input in the model.")
    layout: Literal["nchw", "nhwc"] = Field(description="Order of the axes; the batch is always one.")
    width_px: int = Field(ge=1, le=8192, description="Columns [px].")
    height_px: int = Field(ge=1, le=8192, description="Rows [px].")
    dtype: Literal["float32", "float16", "uint8"] = Field(description="Type of the numbers.")
    colour: Literal["rgb", "bgr", "grey"] = Field(description="Order of the colours.")
    fit: Literal["letterbox", "stretch"] = Field(
        description="letterbox keeps the shape of the picture and pads; stretch does not."
    )
    pad: int = Field(ge=0, le=255, description="Grey value of the padding.")
    crop_top: float = Field(
        default=0.0, ge=0.0, le=0.9, description="Share of the picture's rows that is cut off above: the sky [1]."
    )
    mean: tuple[float, ...] = Field(
        min_length=1,
        max_length=3,
        description="Subtracted, per colour in the order of `colour`, in grey levels 0..255.",
    )
    std: tuple[float, ...] = Field(
        min_length=1,
        max_length=3,
        description="Divided by, per colour in the order of `colour`, in grey levels 0..255.",
    )

    @property
    def channels(self) -> int:
        """Colours of the input."""
        return 1 if self.colour == "grey" else 3

    @property
    def shape(self) -> tuple[int, int, int, int]:
        """Shape of the input tensor."""
        if self.layout == "nchw":
            return (1, self.channels, self.height_px, self.width_px)
        return (1, self.height_px, self.width_px, self.channels)

    @model_validator(mode="after")
    def _agree(self) -> Self:
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) != self.channels:
                raise ValueError(f"{name} has {len(values)} values for {self.channels} colours; give one per colour")
        if any(value <= 0.0 for value in self.std):
            raise ValueError("std must be above zero; give 255 for a model that takes 0..1")
        if self.dtype == "uint8" and (any(self.mean) or any(value != 1.0 for value in self.std)):
            raise ValueError("mean and std change the values of a uint8 input; give mean 0 and std 1, or another dtype")
        return self


class ModelOutput(Strict):
    """One output, exactly as the decoder reads it."""

    name: str = Field(min_length=1, max_length=128, description="Name of the output in the model.")
    dtype: DType = Field(description="Type of the numbers.")
    shape: tuple[int, ...] = Field(min_length=1, max_length=6, description="Shape, the batch of one included.")

    @field_validator("shape")
    @classmethod
    def _bounded(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if any(size < 1 for size in value) or prod(value) > ELEMENTS_MAX:
            raise ValueError("sizes must be at least 1 and bounded; give the numbers that the model really puts out")
        return value


class Decoder(Strict):
    """What turns the outputs into pixels of the picture; each decoder needs its own options and takes no others."""

    name: Literal[
        "yolov5",
        "yolov8",
        "yolov11",
        "yolov10",
        "yolo_pose",
        "rtdetr",
        "ufld",
        "ufld_v2",
        "segmentation",
        "heatmaps",
        "classification",
        "values",
    ] = Field(description="Layout of the outputs.")
    confidence_min: float | None = Field(
        default=None, ge=0.0, le=1.0, description="What is less certain is not told [1]."
    )
    iou_max: float | None = Field(
        default=None,
        gt=0.0,
        le=1.0,
        description="Of two boxes of one class that overlap more, the better one stays [1].",
    )
    boxes_max: int | None = Field(
        default=None, ge=1, le=10_000, description="At most so many boxes, the best ones [1]."
    )
    activation: Literal["none", "sigmoid", "softmax"] | None = Field(
        default=None, description="What makes probabilities of the raw values; none where the model has done it."
    )
    temperature: float | None = Field(
        default=None,
        gt=0.0,
        le=100.0,
        description="Raw values are divided by it first, so that confidences are honest [1].",
    )
    row_anchors_px: tuple[float, ...] | None = Field(
        default=None, min_length=2, max_length=512, description="Rows of the model's input that lanes are told at [px]."
    )
    column_anchors_px: tuple[float, ...] | None = Field(
        default=None, min_length=2, max_length=512, description="Columns that flat lanes are told at [px]."
    )
    keypoints: tuple[str, ...] | None = Field(
        default=None, min_length=1, max_length=256, description="Names of the points, in the order of the output."
    )

    @model_validator(mode="after")
    def _own_options(self) -> Self:
        needed = OPTIONS[self.name]
        for option in type(self).model_fields:
            if option == "name":
                continue
            is_given = getattr(self, option) is not None
            if option in needed and not is_given:
                raise ValueError(f"name {self.name} needs {option}; add it")
            if is_given and option not in needed:
                raise ValueError(f"{option} is no option of decoder {self.name}; remove it")
        return self


class Golden(Strict):
    """A picture and what the model must make of it, checked at every load on the machine that will drive."""

    file: str = Field(pattern=_PLAIN_FILE, description="NumPy archive beside the manifest, a plain name.")
    sha256: str = Field(pattern=_SHA256, description="64 small hexadecimal digits, as sha256sum prints them.")
    seed: int | None = Field(
        default=None,
        ge=0,
        le=2**31 - 1,
        description="The picture is drawn from this number; without it the archive holds the array `picture`.",
    )
    every: int = Field(ge=1, le=100_000, description="The archive holds every so many-th value of each output.")
    atol: float = Field(ge=0.0, le=1000.0, description="Greatest difference, in units of the output.")
    rtol: float = Field(ge=0.0, le=0.5, description="Greatest difference beside it, as a share of the value [1].")


class Form(Strict):
    """One file of the model."""

    file: str | None = Field(default=None, pattern=_PLAIN_FILE, description="File beside the manifest, a plain name.")
    url: str | None = Field(
        default=None,
        pattern=r"^https?://[^\s]+$",
        description="An http or https address that `adas models pull` reads.",
    )
    sha256: str = Field(pattern=_SHA256, description="64 small hexadecimal digits, as sha256sum prints them.")
    size_bytes: int = Field(ge=16, le=2**31, description="Size of the file [byte].")
    opset: int = Field(ge=7, le=99, description="Version of the ONNX operators (ai.onnx) in the file.")
    golden: Golden = Field(description="Golden input and output.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.url is None):
            raise ValueError("file and url: exactly one of them must be given; keep the one that holds")
        return self


class Forms(Strict):
    """The same model in several precisions; fp32 is the one that the others are judged by."""

    fp32: Form | None = Field(default=None, description="32 bit floating point.")
    fp16: Form | None = Field(default=None, description="16 bit floating point.")
    int8: Form | None = Field(default=None, description="Calibrated 8 bit (QuantizeLinear and DequantizeLinear).")

    def get(self, precision: Precision) -> Form | None:
        """The form of this precision."""
        return {"fp32": self.fp32, "fp16": self.fp16, "int8": self.int8}[precision]

    @property
    def precisions(self) -> tuple[Precision, ...]:
        """What there is."""
        known: tuple[Precision, ...] = ("fp32", "fp16", "int8")
        return tuple(name for name in known if self.get(name) is not None)

    @model_validator(mode="after")
    def _any(self) -> Self:
        if not self.precisions:
            raise ValueError("forms holds no file; add fp32")
        return self


class Training(Strict):
    """Where the model's knowledge comes from."""

    regions: tuple[str, ...] = Field(
        min_length=1, max_length=64, description="Countries of the pictures (ISO 3166-1), or `rendered`."
    )
    date: datetime.date = Field(description="When it was trained, YYYY-MM-DD.")
    data: str = Field(min_length=1, max_length=500, description="Data sets, and the licence of each.")


class Manifest(Strict):
    """One model."""

    format: Literal[1] = Field(description="Format of the file.")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$", description="Name; the file is called after it.")
    title: str = Field(min_length=1, max_length=160, description="What it does, for people.")
    licence: str = Field(min_length=1, max_length=64, description="Licence of the model (SPDX).")
    training: Training = Field(description="Where its knowledge comes from.")
    markets: tuple[str, ...] = Field(
        min_length=1,
        max_length=300,
        description="Markets it may run in, such as de, or eu for all that extend it; `all` for every one.",
    )
    input: ModelInput = Field(description="How a picture becomes the input.")
    outputs: tuple[ModelOutput, ...] = Field(max_length=16, description="What it puts out.")
    decoder: Decoder = Field(description="What turns the outputs into pixels of the picture.")
    classes: tuple[str, ...] = Field(min_length=1, max_length=2000, description="Classes, in the order of the output.")
    forms: Forms = Field(description="Its files, by precision.")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if not self.outputs:  # here, not as a least length, which a wrong entry would seem to break
            raise ValueError("outputs is empty; name what the decoder reads")
        for name, items in (("classes", self.classes), ("outputs", tuple(item.name for item in self.outputs))):
            if len(set(items)) != len(items):
                raise ValueError(f"{name} names something twice; give each its own name")
        return self

    def permits(self, lineage: Sequence[str]) -> bool:
        """Whether it may run in a market.

        Args:
            lineage: The market's name and the names of what it extends, such as ("de", "eu", "base").
        """
        return EVERYWHERE in self.markets or any(name in self.markets for name in lineage)


def models_dir() -> Path:
    """Where the shipped models are."""
    from adas_runtime.resources import config_dir

    return config_dir() / "models"


def model_names() -> tuple[str, ...]:
    """Names of the shipped models."""
    return tuple(sorted(path.stem for path in models_dir().glob("*.yaml")))


def manifest_path(name_or_path: str | Path) -> Path:
    """The manifest of a model: a name stands for a shipped one, what has a suffix or a folder is a path.

    Raises:
        ConfigError: No such model.
    """
    return named_file(name_or_path, models_dir(), model_names, "model")


def load_manifest(path: Path) -> Manifest:
    """Reads and checks one manifest; its model is not looked at yet.

    Raises:
        ConfigError: The first thing that is wrong with it.
    """
    manifest = load(Manifest, path)
    if manifest.name != path.stem:
        raise ConfigError(
            f"name = {manifest.name!r}: the file is called {path.name}",
            where=shown_path(path),
            mend=f"write {path.stem}, or rename the file",
        )
    return manifest


def market_lineage(market: str | Path) -> tuple[str, ...]:
    """A market and what it extends, the nearest first.

    Raises:
        ConfigError: No such market.
    """
    from adas_runtime.market.load import chain_files, market_path

    return tuple(path.stem for path in chain_files(market_path(market)))


def require_market(manifest: Manifest, lineage: Sequence[str], where: str) -> None:
    """Refuse a model in a market that its manifest does not name.

    Raises:
        ConfigError: It may not run there.
    """
    if not manifest.permits(lineage):
        market = lineage[0] if lineage else "none"
        raise ConfigError(
            f"model {manifest.name} may not run in market {printable(market)}: it is released for "
            f"{', '.join(manifest.markets)}",
            where=where,
            mend="take a model that is released there, or prove this one there and add the market to its manifest",
        )
