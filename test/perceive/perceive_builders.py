"""Pictures with known truth, and the command line in this process."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from synth_drives import drive

from adas_runtime.cli import main
from adas_runtime.perception.camera import Camera
from adas_runtime.signals import LaneBoundary, LaneModel, LaneSide, MarkingColour, MarkingType
from adas_runtime.synth.drive import Scenario


@dataclass(frozen=True)
class Run:
    """What one call of `adas perceive` left."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


class Perceive:
    """`adas perceive` with captured output."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def __call__(self, *arguments: object) -> Run:
        self._capfd.readouterr()
        code = main(["perceive", *(str(argument) for argument in arguments)])
        told = self._capfd.readouterr()
        return Run(code, told.out, told.err)


def road(market: str = "de", index: int = 20, width_px: int = 960) -> tuple[np.ndarray, LaneModel, Camera]:
    """A drawn road with the truth about its lanes."""
    made = drive(market=market, seconds=4.0, scenario=Scenario.CALM, width_px=width_px)
    return made.frame(index), made.lanes(index), made.camera


def write(path: Path, image: np.ndarray, *options: int) -> Path:
    done, data = cv2.imencode(path.suffix, image, list(options))
    assert done
    path.write_bytes(data.tobytes())
    return path


def make_boundary(
    side: LaneSide = LaneSide.LEFT,
    coefficients: tuple[float, float, float, float] = (1.8, 0.0, 0.0, 0.0),
    x_min_m: float = 6.0,
    x_max_m: float = 40.0,
    form: MarkingType = MarkingType.SOLID,
) -> LaneBoundary:
    c0, c1, c2, c3 = coefficients
    return LaneBoundary(
        side=side,
        c0_m=c0,
        c1=c1,
        c2_1pm=c2,
        c3_1pm2=c3,
        x_min_m=x_min_m,
        x_max_m=x_max_m,
        type=form,
        colour=MarkingColour.WHITE,
        confidence=0.9,
        offset_std_m=0.03,
        width_m=0.15,
    )


def make_camera(**changes: Any) -> Camera:
    plain: dict[str, Any] = {
        "width_px": 1280,
        "height_px": 720,
        "fx_px": 1000.0,
        "fy_px": 1000.0,
        "cx_px": 639.5,
        "cy_px": 359.5,
        "x_m": 1.6,
        "z_m": 1.3,
        "pitch_rad": 0.03,
    }
    return Camera(**{**plain, **changes})
