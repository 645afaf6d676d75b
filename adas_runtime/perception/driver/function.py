"""The driver camera as a function: a picture in, `DriverState` out.

It stands outside the graph: what enters the graph comes by a topic, and a picture of the cabin is on none. Who opens
the camera steps it in his own process (`nodes.driver_camera`), and only what it says leaves.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from adas_runtime.errors import ConfigError
from adas_runtime.function import BuildContext, FunctionSpec, Input, Output, Process, Status
from adas_runtime.perception.pictures import WAITING
from adas_runtime.signals import CameraFrame, CameraId, DriverState, Health

if TYPE_CHECKING:
    from adas_runtime.perception.driver.core import DriverWatcher, Seat, WatchState
    from adas_runtime.vehicle.schema import Vehicle

MIDDLE_M = 0.2  # a camera so near the car's middle sees both seats [D]; one beside it sees the driver alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What it reads."""

    frame: CameraFrame | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """One word for each picture."""

    driver: DriverState | None
    status: Status


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """Memory: the watcher's, and the stamp of the last picture, so that none is worked on twice."""

    watch: WatchState
    stamp_s: float | None = None


class DriverPerception:
    """Decodes a picture and looks at the driver in it. Without a new picture it says nothing."""

    def __init__(self, watcher: DriverWatcher) -> None:
        from adas_runtime.perception.driver.core import WatchState
        from adas_runtime.perception.lane_model import decode

        self._watcher = watcher
        self._decode = decode
        self.state = State(watch=WatchState())

    def step(self, inputs: Inputs, now_s: float) -> Outputs:
        """One picture; what cannot be seen in it is unknown."""
        frame = inputs.frame
        if frame is None or frame.camera is not CameraId.DRIVER:
            status = Status(state="blind", health=Health.DEGRADED, reason="no picture of the driver camera")
            return Outputs(driver=None, status=status)
        if frame.stamp_s == self.state.stamp_s:
            return Outputs(driver=None, status=WAITING)
        picture = self._decode(frame.encoding, frame.data, frame.width_px, frame.height_px)
        seen, watch = self._watcher.step(picture, frame.stamp_s, self.state.watch)
        self.state = State(watch=watch, stamp_s=frame.stamp_s)
        is_blind = seen.sight is None or not (seen.driver.is_face_visible or "no_face" in seen.causes)
        status = Status(
            state=seen.causes[0] if seen.causes else "watching",
            is_active=True,
            health=Health.DEGRADED if is_blind else Health.OK,
            reason=", ".join(seen.causes),
            kpis=(seen.driver.confidence, seen.driver.eye_openness),
        )
        return Outputs(driver=seen.driver, status=status)


def seat_of(vehicle: Vehicle | None, traffic_side: str) -> Seat:
    """Where the driver sits in the picture: at the left of the car where traffic keeps to the right.

    Args:
        vehicle: Whose driver camera it is; `None`: unknown.
        traffic_side: Of the market, left or right.
    """
    from adas_runtime.perception.driver.core import Seat

    mount = None if vehicle is None else vehicle.cameras.get("driver")
    is_left_hand_drive = traffic_side == "right"
    is_central = mount is not None and abs(mount.y_m) <= MIDDLE_M
    return Seat(
        mount=mount,
        # the camera looks back: the car's left is its picture's right
        is_driver_image_right=is_left_hand_drive if is_central else None,
        is_passenger_right=is_left_hand_drive,
    )


def _build(context: BuildContext) -> DriverPerception:
    import cv2

    from adas_runtime.perception.driver.core import DriverWatcher
    from adas_runtime.perception.models.driver import DriverNetworks

    if "driver" not in context.vehicle.cameras:
        raise ConfigError(
            "has no driver camera", where=f"vehicle {context.vehicle.name}", mend="add cameras.driver to its file"
        )
    cv2.setNumThreads(1)  # beside the functions of the car; and threads would make sums depend on the machine
    market = context.market
    seat = seat_of(context.vehicle, market.road.traffic_side)
    return DriverPerception(DriverWatcher(DriverNetworks(market.lineage), seat))


SPEC = FunctionSpec(
    name="driver_perception",
    summary="looks at the driver: face, head, eyes, what hides them, a covered or frozen camera",
    process=Process.PERCEPTION,
    inputs=(Input(name="frame", signal=CameraFrame, max_age_s=0.2),),
    outputs=(Output(name="driver", signal=DriverState),),
    inputs_type=Inputs,
    outputs_type=Outputs,
    period_s=0.2,
    trigger="frame",
    min_period_s=0.03,
    has_stage=False,
    kpis=("confidence", "eye_openness"),
    build=_build,
)
