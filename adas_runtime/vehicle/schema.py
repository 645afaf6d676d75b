"""What the runtime knows of its car: dimensions, actuators, camera mounts. Never invented: a file says it."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict


class CameraMount(Strict):
    """Intrinsics (as OpenCV and `CameraInfo` have them) and mounting of one camera in the vehicle frame."""

    width_px: int = Field(
        ge=1,
        le=16384,
        description="Columns of the picture that the intrinsics belong to [px].",
    )
    height_px: int = Field(
        ge=1,
        le=16384,
        description="Rows of the picture that the intrinsics belong to [px].",
    )
    fx_px: float = Field(gt=0.0, description="Focal length, horizontal [px].")
    fy_px: float = Field(gt=0.0, description="Focal length, vertical [px].")
    cx_px: float = Field(description="Principal point, column [px].")
    cy_px: float = Field(description="Principal point, row [px].")
    lens: Literal["plumb_bob", "equidistant"] = Field(
        description="Distortion model: `plumb_bob` of a pinhole, `equidistant` of a fisheye (Kannala and Brandt)."
    )
    distortion: tuple[float, float, float, float, float] = Field(
        description="k1, k2, p1, p2, k3 of `plumb_bob`; k1, k2, k3, k4 and 0 of `equidistant`."
    )
    x_m: float = Field(description="Ahead of the rear axle [m].")
    y_m: float = Field(description="Left of the vehicle's centre line [m].")
    z_m: float = Field(gt=0.0, le=5.0, description="Above the ground [m].")
    roll_deg: float = Field(ge=-45.0, le=45.0, description="Right side down positive [deg].")
    pitch_deg: float = Field(ge=-45.0, le=45.0, description="Nose down positive [deg].")
    yaw_deg: float = Field(ge=-180.0, le=180.0, description="Left positive [deg].")
    is_calibrated: bool = Field(
        description="Intrinsics and mounting were measured. False: pitch and vanishing point come from the footage."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not 0.0 <= self.cx_px <= self.width_px:
            raise ValueError("cx_px lies outside the picture; intrinsics and width_px must belong together")
        if not 0.0 <= self.cy_px <= self.height_px:
            raise ValueError("cy_px lies outside the picture; intrinsics and height_px must belong together")
        if self.lens == "equidistant" and self.distortion[4] != 0.0:
            raise ValueError("distortion: equidistant has four values; the fifth must be 0")
        return self


class VehicleDimensions(Strict):
    """Outer dimensions."""

    length_m: float = Field(gt=0.5, le=20.0, description="Bumper to bumper [m].")
    width_m: float = Field(gt=0.5, le=3.0, description="Without mirrors [m].")
    width_with_mirrors_m: float = Field(gt=0.5, le=3.5, description="With mirrors folded out [m].")
    wheelbase_m: float = Field(gt=0.5, le=12.0, description="Front axle to rear axle [m].")
    front_overhang_m: float = Field(ge=0.0, le=4.0, description="Front axle to front bumper [m].")
    tyre_outer_width_m: float = Field(gt=0.5, le=3.0, description="Outer edge to outer edge of the front tyres [m].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.wheelbase_m + self.front_overhang_m >= self.length_m:
            raise ValueError("wheelbase_m and front_overhang_m reach beyond length_m; measure the three again")
        if self.tyre_outer_width_m > self.width_m:
            raise ValueError("tyre_outer_width_m is wider than width_m; the tyres stand inside the body")
        if self.width_m > self.width_with_mirrors_m:
            raise ValueError("width_with_mirrors_m is narrower than width_m; measure over the mirrors")
        return self


class SteeringModel(Strict):
    """Single-track relation between path curvature and the steering wheel: delta = atan(L kappa (1 + K v^2)).

    In driving, a commanded curvature acts late: first the actuator (delay, then first-order lag), then the tyres.
    """

    ratio: float = Field(gt=1.0, le=40.0, description="Steering wheel angle over road wheel angle.")
    understeer_s2pm2: float = Field(ge=0.0, le=0.02, description="Understeer factor K [s^2/m^2].")
    rear_slip_s2pm: float = Field(
        ge=0.0, le=0.03, description="Slip angle of the rear tyres per lateral acceleration [s^2/m]."
    )
    delay_s: float = Field(ge=0.0, le=0.3, description="From the command to the first movement of the wheels [s].")
    lag_s: float = Field(ge=0.0, le=0.3, description="Time constant of the steering actuator [s].")
    wheel_rate_max_rps: float = Field(gt=0.0, le=20.0, description="Fastest commanded steering wheel rate [rad/s].")
    wheel_angle_max_rad: float = Field(gt=0.0, le=20.0, description="Largest steering wheel angle [rad].")


class DriveModel(Strict):
    """How late a commanded acceleration acts: a delay, then a first-order lag, the slower of engine and brakes."""

    delay_s: float = Field(ge=0.0, le=0.6, description="From the command to the first change of acceleration [s].")
    lag_s: float = Field(ge=0.0, le=1.0, description="Time constant of engine and brakes [s].")


class BrakeModel(Strict):
    """What full braking does: nothing for a delay, then a ramp, then a deceleration that lasts."""

    delay_s: float = Field(ge=0.0, le=0.6, description="From the command to the first deceleration [s].")
    jerk_mps3: float = Field(gt=1.0, le=80.0, description="How fast the deceleration builds up [m/s^3].")
    decel_mps2: float = Field(ge=4.0, le=12.0, description="Reached on a dry road, mass in running order [m/s^2].")
    decel_laden_mps2: float = Field(ge=4.0, le=12.0, description="The same at maximum mass [m/s^2].")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.decel_laden_mps2 > self.decel_mps2:
            raise ValueError("decel_laden_mps2 is above decel_mps2; a loaded car does not brake better")
        return self


class VehicleLimits(Strict):
    """What the vehicle's maker lets the runtime ask for; the envelope takes the tighter of this and the market's."""

    accel_max_mps2: float = Field(ge=0.0, le=5.0, description="Strongest acceleration [m/s^2].")
    accel_min_mps2: float = Field(ge=-12.0, le=0.0, description="Strongest braking, negative [m/s^2].")
    jerk_max_mps3: float = Field(gt=0.0, le=50.0, description="Rate at which acceleration rises [m/s^3].")
    jerk_min_mps3: float = Field(
        ge=-80.0,
        lt=0.0,
        description="Rate at which braking builds up, negative [m/s^3].",
    )
    lateral_accel_max_mps2: float = Field(gt=0.0, le=10.0, description="Lateral acceleration asked for [m/s^2].")
    lateral_jerk_max_mps3: float = Field(gt=0.0, le=20.0, description="Lateral jerk asked for [m/s^3].")


class VehicleEquipment(Strict):
    """What else the car has that assistance stands on."""

    has_emergency_braking: bool = Field(
        description="An advanced emergency braking system works in the car (UN R152, R131), its maker's own or ours; "
        "without one R171 5.1.5 permits no driver control assistance."
    )
    front_sensing_m: float | None = Field(
        gt=0.0,
        le=500.0,
        description="How far road users ahead are surely seen; nothing: not known, no automated lane keeping [m].",
    )
    has_data_storage: bool = Field(
        description="A data storage of automated driving keeps the entries of `/adas/alks/event` (UN R157 8); without "
        "one there is no automated lane keeping."
    )
    rear_sensing_m: float | None = Field(
        gt=0.0,
        le=300.0,
        description="How far traffic behind and beside is surely seen; nothing: no such sensors, no lane change [m].",
    )


class Vehicle(Strict):
    """One vehicle model."""

    format: Literal[1] = Field(description="Format of the file.")
    name: str = Field(min_length=1, max_length=64, description="Name in recordings and reports.")
    category: Literal["M1", "N1", "M2", "M3", "N2", "N3"] = Field(description="UN vehicle category.")
    dimensions: VehicleDimensions = Field(description="Outer dimensions.")
    steering: SteeringModel = Field(description="From path curvature to the steering wheel.")
    drive: DriveModel = Field(description="Engine and brakes.")
    brakes: BrakeModel | None = Field(
        description="Full braking; nothing: not known, and emergency braking warns without ever braking."
    )
    equipment: VehicleEquipment = Field(description="What else the car has.")
    limits: VehicleLimits = Field(description="What the maker lets the runtime ask for.")
    networks: tuple[Literal["sign_reading"], ...] = Field(
        description="Functions with neural networks that run in this car: `sign_reading` takes the place of a sign "
        "camera with a reader of its own."
    )
    cameras: dict[Literal["front", "driver"], CameraMount] = Field(description="Cameras by place.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        for place, camera in self.cameras.items():
            ahead_m = self.dimensions.wheelbase_m + self.dimensions.front_overhang_m
            if not ahead_m - self.dimensions.length_m <= camera.x_m <= ahead_m:
                raise ValueError(f"cameras: {place} is mounted outside the car; x_m counts from the rear axle")
            if abs(camera.y_m) > self.dimensions.width_with_mirrors_m / 2.0:
                raise ValueError(f"cameras: {place} is mounted outside the car; y_m counts from the centre line")
        return self
