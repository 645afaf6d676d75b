"""Sign reading as a function of the graph: a picture in, the speed signs that several pictures agree on out.

It is in the graph of a car whose vehicle file names it among its `networks`; there it takes the place of a sign camera
with a reader of its own. Its networks take longer than a picture's turn, so it steps beside the other functions.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.perception.pictures import opened, troubled
from adas_runtime.signals import CameraFrame, SignObservation, SignObservations

if TYPE_CHECKING:
    # at run time only where a picture is looked at: onnxruntime with its networks is 150 MB
    from adas_runtime.market.schema import Market
    from adas_runtime.perception.camera import Camera
    from adas_runtime.perception.camera_health import HealthState
    from adas_runtime.perception.models.signs import SignReader
    from adas_runtime.perception.sign_votes import Tracks
    from adas_runtime.perception.signs import Box
    from adas_runtime.vehicle.schema import CameraMount

SIZE_M: Final = 0.7  # across: 0.6 m in towns, 0.75 to 0.9 m on fast roads; a third off in distance at most [D]
BESIDE_M: Final = 15.0  # farther beside us it stands at another road [D]
SIGNS_MAX: Final = 16
PERIOD_S: Final = 0.2  # at 130 km/h a sign is in reach of the reader for five looks
CONFIDENCE_MAX: Final = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class SignReadingInputs:
    """What it reads."""

    frame: CameraFrame | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignReadingOutputs:
    """One list of signs per picture that was looked at; an empty one says that none is in sight."""

    signs: SignObservations | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class SignReadingState:
    """Memory: the signs of the pictures before, and the stamp of the last one, so that none is looked at twice."""

    health: HealthState
    tracks: Tracks = ()
    stamp_s: float | None = None


class SignReading:
    """Reads the newest picture. What two pictures do not agree on is not told: a wrong limit is worse than none.

    No picture, or one that cannot be decoded: it says so and tells no sign, and what depends on it lives by the map.
    """

    def __init__(self, reader: SignReader, market: Market, mount: CameraMount | None) -> None:
        from adas_runtime.perception import camera_health
        from adas_runtime.perception.camera import camera_for
        from adas_runtime.perception.sign_votes import voted

        self._reader, self._voted = reader, voted
        self._camera, self._camera_for = camera_health, camera_for
        self._mount = mount
        self._unit = market.speed_unit
        self._params = market.perception
        self.state = SignReadingState(health=camera_health.START)

    def warm_up(self) -> None:
        """Look at an empty picture and forget it: the first run of a network is the slowest."""
        import numpy as np

        columns, rows = (1280, 720) if self._mount is None else (self._mount.width_px, self._mount.height_px)
        self._reader.look(np.full((rows, columns, 3), 90, dtype=np.uint8))

    def step(self, inputs: SignReadingInputs, now_s: float) -> SignReadingOutputs:
        """One picture."""
        frame = inputs.frame
        picture = opened(frame, self.state.stamp_s)
        if frame is None or isinstance(picture, Status):
            assert isinstance(picture, Status)
            if frame is not None:
                self.state = replace(self.state, stamp_s=frame.stamp_s)
            return SignReadingOutputs(signs=None, status=picture)
        rows, columns = picture.shape[:2]
        health, memory = self._camera.step(picture, frame.stamp_s, self.state.health)
        if health.shows_nothing:
            self.state = SignReadingState(stamp_s=frame.stamp_s, health=memory)
            return SignReadingOutputs(signs=None, status=troubled(health))
        camera, _ = self._camera_for(self._mount, columns, rows, self._params)
        seen = self._reader.look(picture)
        tracks, agreed = self._voted(self.state.tracks, seen, frame.stamp_s, columns)
        self.state = SignReadingState(tracks=tracks, stamp_s=frame.stamp_s, health=memory)
        told = []
        worth = 1.0 if health.is_useless else health.factor
        for sign, reading in zip(seen, agreed, strict=True):
            if reading is None:
                continue
            kind, value = reading
            x_m, y_m = _place(sign.box_px, camera)
            told.append(
                SignObservation(
                    kind=kind,
                    value_mps=None if value is None else self._unit.mps(value),
                    unit=self._unit,
                    x_m=x_m,
                    y_m=y_m,
                    is_relevant=abs(y_m) <= BESIDE_M,
                    confidence=min(sign.confidence, CONFIDENCE_MAX) * worth,
                )
            )
        told.sort(key=lambda sign: (sign.x_m or 0.0, sign.kind))
        return SignReadingOutputs(
            signs=SignObservations(stamp_s=frame.stamp_s, signs=tuple(told[:SIGNS_MAX])),
            status=Status(state="reading", is_active=True, kpis=(float(len(seen)), float(len(told)))),
        )


def _place(box: Box, camera: Camera) -> tuple[float, float]:
    """Where a sign stands, by its size in the picture: forward and left [m]."""
    import numpy as np

    from adas_runtime.perception.signs import side_px

    left, top, right, bottom = box
    ray = camera.rays(np.array([[0.5 * (left + right), 0.5 * (top + bottom)]]))[0]
    depth_m = SIZE_M * camera.fx_px / max(side_px(box), 1.0)
    return camera.x_m + depth_m * float(ray[0]), camera.y_m + depth_m * float(ray[1])


def _build(context: BuildContext) -> SignReading:
    import cv2

    from adas_runtime.perception.models.signs import SignReader

    cv2.setNumThreads(1)
    market = context.market
    return SignReading(SignReader(market.lineage), market, context.vehicle.cameras.get("front"))


SPEC = FunctionSpec(
    name="sign_reading",
    summary="reads speed signs in the front camera's pictures; in cars whose vehicle file names it",
    process=Process.PERCEPTION,
    inputs=(Input(name="frame", signal=CameraFrame, max_age_s=0.5, source="camera_front"),),
    outputs=(Output(name="signs", signal=SignObservations, is_periodic=False),),
    inputs_type=SignReadingInputs,
    outputs_type=SignReadingOutputs,
    period_s=1.0,
    trigger="frame",
    min_period_s=PERIOD_S,
    has_stage=False,
    is_slow=True,
    kpis=("seen", "agreed"),
    build=_build,
)
