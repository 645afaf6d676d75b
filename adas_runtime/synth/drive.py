"""A drive made from a specification: what the sensors record and what is true, without a file.

drive = make_drive(DriveSpec(market="de", seconds=30.0))
picture = drive.frame(120)          # (720, 1280, 3) BGR
truth = drive.lanes(120)            # LaneModel of that picture
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from adas_runtime.errors import AdasError
from adas_runtime.perception.camera import Camera, camera_of
from adas_runtime.signals import (
    BodyState,
    DriverInput,
    DriverState,
    FixStatus,
    Gear,
    LaneModel,
    LightSwitch,
    PoseFix,
    SignObservations,
    SpeedLimitState,
    TrackedObjects,
    VehicleState,
    Wiper,
)
from adas_runtime.synth import truth
from adas_runtime.synth.driver import Driver, DriverKind
from adas_runtime.synth.motion import RATE_HZ, Motion, drive
from adas_runtime.synth.plan import Light, Plan, Rain, Scenario, make_plan
from adas_runtime.synth.profile import SmoothRate
from adas_runtime.synth.render import Renderer
from adas_runtime.synth.style import style_of
from adas_runtime.units import kmh_to_mps

if TYPE_CHECKING:
    from adas_runtime.market.schema import Market
    from adas_runtime.vehicle.schema import Vehicle

SECONDS_MAX: Final = 3600.0
FPS_MAX: Final = 100
FIX_EVERY: Final = 10  # of the 100 Hz samples
STALK_EVERY: Final = 5
EGO_EVERY: Final = 2
BODY_EVERY: Final = 10
LIMIT_EVERY: Final = 10
SPEEDOMETER_GAIN: Final = 1.03  # and an offset: inside the band of UN R39 5.4  [D]
SPEEDOMETER_OFFSET_MPS: Final = kmh_to_mps(1.0)
SIGN_SIGHT_M: Final = 60.0  # of the camera that reads signs  [D]
SIGN_RANGE_NOISE: Final = 0.03
SIGN_CONFIDENCE: Final = 0.9
TRACK_RANGE_M: Final = 120.0  # of the box that tracks road users  [D]
TRACK_AGE_S: Final = 0.2
TRACK_STD: Final = (0.15, 0.1, 0.1)  # forward [m], sideways [m], speed [m/s]  [D]
TRACK_CONFIDENCE: Final = 0.9
# when the driver of an assisted drive presses which button; played live, lane perception takes 2 s to begin  [D]
ASSIST_AT_S: Final = {"dcas": 3.5, "set_speed": 4.5}
PRESS_S: Final = 0.3
AWAY_FROM: Final = 0.5  # share of an assisted drive after which the driver looks into his lap, for so long  [D]
AWAY_S: Final = 9.0
ASSISTED_TORQUE: Final = 0.3  # hands that rest on a wheel which steers by itself
WIPERS: Final = {Rain.NONE: Wiper.OFF, Rain.LIGHT: Wiper.INTERVAL, Rain.HEAVY: Wiper.FAST}
FIX_STD_M: Final = 0.3  # noise of the satellite fix  [D]
FIX_ALTITUDE_M: Final = 100.0
EPOCH_S: Final = 1_767_268_800  # 2026-01-01 12:00 UTC; the seed moves it by whole days, never the clock of the machine
DAYS: Final = 3650
SEMI_MAJOR_M: Final = 6_378_137.0  # WGS 84
ECCENTRICITY_2: Final = 6.694379990141e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class DriveSpec:
    """What to make. `market` and `vehicle` are names, paths or what was loaded from them.

    `width_px` and `height_px` default to the vehicle's front camera; another size of the same shape scales it.
    """

    market: str | Market = "de"
    vehicle: str | Vehicle = "reference"
    seconds: float = 30.0
    seed: int = 0
    fps: float = 20.0
    width_px: int | None = None
    height_px: int | None = None
    scenario: Scenario = Scenario.DEMO
    light: Light = Light.AUTO
    rain: Rain = Rain.NONE
    driver: DriverKind = DriverKind.ATTENTIVE  # what a driver camera tells; absent: there is none
    is_assisted: bool = False  # the driver switches assistance on, takes the feet off, and looks away for a while


class Drive:
    """A made drive. Times are seconds since its start; stamps are seconds since the epoch."""

    def __init__(self, spec: DriveSpec, market: Market, vehicle: Vehicle, camera: Camera) -> None:
        self.spec = spec
        self.market = market
        self.vehicle = vehicle
        self.camera = camera
        self.style = style_of(market)
        self.plan: Plan = make_plan(
            self.style,
            vehicle,
            seconds=spec.seconds,
            seed=spec.seed,
            scenario=spec.scenario,
            light=spec.light,
            rain=spec.rain,
        )
        self.motion: Motion = drive(self.plan, vehicle)
        self.departures: tuple[truth.Departure, ...] = truth.departures(self.plan, self.motion)
        self.epoch_ns = (EPOCH_S + (spec.seed % DAYS) * 86_400) * 1_000_000_000
        self.frame_count = max(int(spec.seconds * spec.fps + 1e-9), 1)
        self.sample_count = max(int(spec.seconds * RATE_HZ + 1e-9), 1)

    # --- time -------------------------------------------------------------------------------------------------------

    def ns_of(self, t_s: float) -> int:
        """Epoch time of a drive time [ns]."""
        return self.epoch_ns + round(t_s * 1e9)

    def stamp_of(self, t_s: float) -> float:
        """Epoch time of a drive time, as signals carry it [s]."""
        return self.ns_of(t_s) * 1e-9

    def frame_time_s(self, index: int) -> float:
        """Drive time of a picture."""
        return index / self.spec.fps

    @property
    def date(self) -> str:
        """Day of the drive, UTC."""
        return time.strftime("%Y-%m-%d", time.gmtime(self.epoch_ns // 1_000_000_000))

    # --- place ------------------------------------------------------------------------------------------------------

    def place_of(self, x_m: float, y_m: float) -> tuple[float, float]:
        """Latitude and longitude of a place, WGS 84 [deg]."""
        place = self.style.place
        sin = np.sin(np.radians(place.latitude_deg))
        bend = 1.0 - ECCENTRICITY_2 * sin * sin
        north_m = SEMI_MAJOR_M * (1.0 - ECCENTRICITY_2) / bend**1.5
        east_m = SEMI_MAJOR_M / np.sqrt(bend) * np.cos(np.radians(place.latitude_deg))
        return (
            place.latitude_deg + float(np.degrees(y_m / north_m)),
            place.longitude_deg + float(np.degrees(x_m / east_m)),
        )

    # --- pictures ---------------------------------------------------------------------------------------------------

    @cached_property
    def renderer(self) -> Renderer:
        """Draws the pictures; made when the first one is asked for."""
        return Renderer(self.plan, self.motion, self.camera)

    def frame(self, index: int) -> NDArray[np.uint8]:
        """Picture `index`, (rows, columns, 3) BGR. Independent of every other picture."""
        return self.renderer.frame(index, self.frame_time_s(index))

    # --- what the vehicle records -----------------------------------------------------------------------------------

    def vehicle_states(self) -> Iterator[VehicleState]:
        """The vehicle at 100 Hz."""
        is_assisted = self.spec.is_assisted
        torque = ((ASSISTED_TORQUE if is_assisted else 1.0) * self._torque_nm()).tolist()
        motion = self.motion
        speed, accel = motion.speed_mps.tolist(), motion.accel_mps2.tolist()
        yaw_rate, wheel = motion.yaw_rate_rps.tolist(), motion.wheel_angle_rad.tolist()
        wheel_rate = motion.wheel_rate_rps.tolist()
        for index in range(self.sample_count):
            # pedals of a car with 4.5 m/s^2 at full throttle, against rolling and air resistance  [D]
            effort = 0.0 if is_assisted else accel[index] + 0.12 + 0.0004 * speed[index] ** 2
            yield VehicleState(
                stamp_s=self.stamp_of(index / RATE_HZ),
                speed_mps=speed[index],
                accel_mps2=accel[index],
                lateral_accel_mps2=speed[index] * yaw_rate[index],
                yaw_rate_rps=yaw_rate[index],
                steering_wheel_angle_rad=wheel[index],
                steering_wheel_rate_rps=wheel_rate[index],
                driver_torque_nm=torque[index],
                is_hands_on=True,
                accelerator=min(max(effort / 4.5, 0.0), 1.0),
                brake=min(max(-effort / 8.0, 0.0), 1.0),
                is_braking=effort < 0.0,
                gear=Gear.DRIVE,
                is_stability_control_active=False,
            )

    def driver_inputs(self) -> Iterator[DriverInput]:
        """The stalk at 20 Hz."""
        for index in range(0, self.sample_count, STALK_EVERY):
            t = index / RATE_HZ
            pressed = tuple(
                name for name, at_s in ASSIST_AT_S.items() if self.spec.is_assisted and at_s <= t < at_s + PRESS_S
            )
            yield DriverInput(stamp_s=self.stamp_of(t), indicator=self.plan.indicator_at(t), pressed=pressed)

    def driver_state(self, index: int) -> DriverState:
        """What a driver camera would conclude at the time of picture `index`: made, there is no such picture."""
        t = self.frame_time_s(index)
        return self._driver.state(t, self.stamp_of(t), index)

    @cached_property
    def _driver(self) -> Driver:
        driver = Driver(self.spec.driver, self.spec.seconds, self.spec.seed)
        if self.spec.is_assisted:
            driver.look_down(AWAY_FROM * self.spec.seconds, length_s=AWAY_S)
        return driver

    def body_states(self) -> Iterator[BodyState]:
        """The body at 10 Hz: a speedometer that shows a little more, light and rain as in the pictures."""
        lux = (10.0 ** (0.5 + 4.0 * np.clip(self.plan.ambient.value(self.motion.t_s), 0.0, 1.0))).tolist()
        speed = self.motion.speed_mps.tolist()
        rain, is_assisted = self.plan.rain, self.spec.is_assisted
        zone_s = 3600.0 * round(self.style.place.longitude_deg / 15.0)  # of the sun, not of the law  [D]
        for index in range(0, self.sample_count, BODY_EVERY):
            stamp_s = self.stamp_of(index / RATE_HZ)
            yield BodyState(
                stamp_s=stamp_s,
                is_master_switch_on=True,
                is_propulsion_on=True,
                indicated_speed_mps=SPEEDOMETER_GAIN * speed[index] + SPEEDOMETER_OFFSET_MPS,
                ambient_lux=lux[index],
                light_switch=LightSwitch.AUTO,
                is_main_beam_wanted=False,
                is_flashing=False,
                is_front_fog_on=False,
                is_rear_fog_on=False,
                wiper=WIPERS[rain],
                is_raining=rain is not Rain.NONE,
                is_parking_brake_on=False,
                is_driver_door_open=False,
                is_driver_seated=True if is_assisted else None,
                is_driver_belt_fastened=True if is_assisted else None,
                is_hazard_on=False,
                is_trailer_coupled=False,
                is_emergency_brake_signal=False,
                is_abs_cycling=False,
                is_crash_detected=False,
                utc_s=stamp_s,
                utc_offset_s=zone_s,
            )

    def sign_camera(self, index: int) -> SignObservations:
        """What a camera that reads signs itself would tell at the time of picture `index`: made, not seen."""
        found = self.signs(index)
        random = np.random.default_rng([self.spec.seed, 5, index])
        seen = tuple(
            replace(
                sign,
                x_m=sign.x_m * float(1.0 + random.normal(0.0, SIGN_RANGE_NOISE)),
                confidence=SIGN_CONFIDENCE,
            )
            for sign in found.signs
            if sign.x_m is not None and sign.x_m <= SIGN_SIGHT_M
        )
        return replace(found, signs=seen)

    def object_sensor(self, index: int) -> TrackedObjects:
        """What a supplier's box would tell of road users at the time of picture `index`: made, not seen."""
        found = self.objects(index)
        random = np.random.default_rng([self.spec.seed, 6, index])
        seen = []
        for item in found.objects:
            if item.age_s < TRACK_AGE_S or abs(item.x_m) > TRACK_RANGE_M:
                continue
            noise = random.normal(0.0, 1.0, 4).tolist()
            seen.append(
                replace(
                    item,
                    x_m=item.x_m + TRACK_STD[0] * noise[0],
                    y_m=item.y_m + TRACK_STD[1] * noise[1],
                    speed_x_mps=item.speed_x_mps + TRACK_STD[2] * noise[2],
                    speed_y_mps=item.speed_y_mps + TRACK_STD[2] * noise[3],
                    accel_x_mps2=None,
                    x_std_m=TRACK_STD[0],
                    y_std_m=TRACK_STD[1],
                    speed_x_std_mps=TRACK_STD[2],
                    confidence=TRACK_CONFIDENCE,
                    sources=("radar", "camera"),
                )
            )
        return replace(found, objects=tuple(seen))

    def fixes(self) -> Iterator[PoseFix]:
        """Satellite fixes at 10 Hz, of the vehicle's origin, with white noise."""
        random = np.random.default_rng([self.spec.seed, 3])
        for index in range(0, self.sample_count, FIX_EVERY):
            east, north = random.normal(0.0, FIX_STD_M, 2)
            latitude_deg, longitude_deg = self.place_of(
                float(self.motion.x_m[index] + east), float(self.motion.y_m[index] + north)
            )
            yield PoseFix(
                stamp_s=self.stamp_of(index / RATE_HZ),
                latitude_deg=latitude_deg,
                longitude_deg=longitude_deg,
                altitude_m=FIX_ALTITUDE_M,
                heading_rad=float((self.motion.heading_rad[index] + np.pi) % (2.0 * np.pi) - np.pi),
                position_std_m=FIX_STD_M,
                status=FixStatus.FIX,
            )

    def _torque_nm(self) -> NDArray[np.float64]:
        """The driver's torque: holds the curve, steers on purpose, and lets go while the car drifts  [D].

        0.9 Nm hold 1 m/s^2 in a curve and 2.2 Nm make 1 m/s^2 of lateral correction, as in a car with light steering.
        """
        motion = self.motion
        t = motion.t_s
        purpose = np.ones_like(t)
        for item in self.plan.manoeuvres:
            if item.kind == "departure" and not item.is_indicated:
                turn = next(
                    (d.limit_s for d in self.departures if d.limit_s and item.begin_s <= d.limit_s <= item.end_s),
                    (item.begin_s + item.end_s) / 2.0,
                )
                rest = SmoothRate(
                    [(item.begin_s - 0.5, 1.0), (item.begin_s, 0.1), (turn + 0.2, 0.1), (turn + 0.6, 1.0)]
                )
                purpose = np.minimum(purpose, rest.value(t))
        hold = 0.9 * self.plan.road.line.curvature_at(motion.s_m) * motion.speed_mps**2
        correct = 2.2 * np.gradient(motion.lateral_rate_mps, t, edge_order=2)
        random = np.random.default_rng([self.spec.seed, 4])
        raw = random.normal(0.0, 1.0, len(t) + 40)
        tremor = 0.5 * np.convolve(raw, np.ones(41) / 41.0, mode="valid")[: len(t)]
        return np.clip(hold + purpose * (correct + tremor), -20.0, 20.0)

    # --- what is true -----------------------------------------------------------------------------------------------

    def lanes(self, index: int) -> LaneModel:
        """The lane boundaries at the time of picture `index`."""
        t = self.frame_time_s(index)
        return truth.lanes(self.plan, self.motion.at(t), self.stamp_of(t))

    def objects(self, index: int) -> TrackedObjects:
        """The other road users at the time of picture `index`."""
        t = self.frame_time_s(index)
        return truth.objects(self.plan, self.motion.at(t), t, self.stamp_of(t))

    def limits(self) -> Iterator[SpeedLimitState]:
        """The limit in force at 10 Hz."""
        for index in range(0, self.sample_count, LIMIT_EVERY):
            t = index / RATE_HZ
            country = self.market.market[:2]
            yield truth.limit(self.plan, float(self.motion.s_m[index]), self.stamp_of(t), country)

    def signs(self, index: int) -> SignObservations:
        """The signs ahead at the time of picture `index`."""
        t = self.frame_time_s(index)
        return truth.signs(self.plan, self.motion.at(t), self.stamp_of(t))


def make_drive(spec: DriveSpec) -> Drive:
    """Make a drive.

    Raises:
        AdasError: A value of the specification is out of its range, or the market or the vehicle cannot be read.
    """
    from adas_runtime.market import load_market
    from adas_runtime.vehicle import load_vehicle

    if not 1.0 <= spec.seconds <= SECONDS_MAX:
        raise AdasError(f"{spec.seconds:g} s is out of range", where="--seconds", mend=f"take 1 to {SECONDS_MAX:g}")
    if not 1.0 <= spec.fps <= FPS_MAX:
        raise AdasError(f"{spec.fps:g} is out of range", where="--fps", mend=f"take 1 to {FPS_MAX}")
    if not 0 <= spec.seed < 2**32:
        raise AdasError(f"{spec.seed} is out of range", where="--seed", mend="take 0 to 4294967295")
    market = load_market(spec.market) if isinstance(spec.market, str) else spec.market
    vehicle = load_vehicle(spec.vehicle) if isinstance(spec.vehicle, str) else spec.vehicle
    mount = vehicle.cameras.get("front")
    if mount is None:
        raise AdasError("has no front camera", where=f"vehicle {vehicle.name}", mend="add cameras.front to its file")
    width, height = spec.width_px, spec.height_px
    if width is None:
        width = mount.width_px if height is None else round(height * mount.width_px / mount.height_px)
    if height is None:
        height = round(width * mount.height_px / mount.width_px)
    if not (160 <= width <= 4096 and 90 <= height <= 4096):
        raise AdasError(f"{width}x{height} is out of range", where="--width, --height", mend="take 160x90 to 4096x4096")
    camera = camera_of(mount, width, height)
    if camera is None:
        raise AdasError(
            f"{width}x{height} has another shape than the vehicle's camera ({mount.width_px}x{mount.height_px})",
            where="--width, --height",
            mend="give one of the two, the other follows",
        )
    return Drive(spec, market, vehicle, camera)


__all__ = ["Drive", "DriveSpec", "Light", "Rain", "Scenario", "make_drive"]
