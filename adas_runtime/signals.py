"""The typed values that flow between functions: SI units, ISO 8855 axes, one declaration for all uses.

Vehicle frame: origin on the ground under the centre of the rear axle, x forward, y left, z up; left turn, left
curvature and left offset are positive (ISO 8855). `stamp_s` is the acquisition time of the oldest source, in seconds
since the epoch of the clock that the recording or the node uses.

Each field's `Annotated` note gives text, unit and bounds. From these notes come the ROS messages in
`adas_interfaces/msg` (`script/gen_msgs`), the converter that refuses what is out of bounds, and the message reference.
A missing value is `None`, never a number that means "missing"; on the wire a `has_<field>` flag says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique
from typing import Annotated, Final

from adas_runtime.units import kmh_to_mps, mph_to_mps

SPEED_MAX_MPS: Final = 150.0
MAX_LANE_BOUNDARIES: Final = 8
MAX_OBJECTS: Final = 256
MAX_FRAME_BYTES: Final = 16 * 1024 * 1024
RADAR_ALONE: Final[tuple[str, ...]] = ("radar",)  # sources of an object that no camera saw
PEDAL_MIN: Final = 0.05  # a pedal that is pressed less is a foot that rests on it [D]


@dataclass(frozen=True, slots=True)
class Note:
    """What a field means: text, unit (SI, or `1` for a plain number) and the bounds that the border enforces.

    `max_len` bounds a text (UTF-8 bytes), a byte string or a tuple. Bounds are physical plausibility, wider than any
    market's or vehicle's limits: what lies outside was not measured, it is a fault of the sender.
    """

    text: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    max_len: int = 0


class Signal:
    """Base of every value that crosses a border of a process."""

    __slots__ = ()
    stamp_s: float


Stamp = Annotated[float, Note("acquisition time of the oldest source", "s", 0.0, 1e11)]
Confidence = Annotated[float, Note("confidence, 0 none to 1 certain", "1", 0.0, 1.0)]
Name = Annotated[str, Note("name of a function, source or object", max_len=64)]
Reason = Annotated[str, Note("why, for the driver's log and the report", max_len=256)]
Chain = Annotated[str, Note("way of that input, from its source to the actuator", max_len=256)]


# --- enumerations -----------------------------------------------------------------------------------------------------


@unique
class Gear(IntEnum):
    """Selected gear."""

    UNKNOWN = 0
    PARK = 1
    REVERSE = 2
    NEUTRAL = 3
    DRIVE = 4


@unique
class Indicator(IntEnum):
    """What the direction indicators do."""

    OFF = 0
    LEFT = 1
    RIGHT = 2
    HAZARD = 3


@unique
class CameraId(IntEnum):
    """Which camera."""

    FRONT = 0
    DRIVER = 1


@unique
class FixStatus(IntEnum):
    """Quality of a satellite fix."""

    NO_FIX = 0
    FIX = 1
    AUGMENTED = 2
    DEAD_RECKONING = 3


@unique
class LaneSide(IntEnum):
    """Which boundary, counted from the ego vehicle."""

    LEFT = 0
    RIGHT = 1
    NEXT_LEFT = 2
    NEXT_RIGHT = 3


@unique
class MarkingType(IntEnum):
    """Form of a lane boundary."""

    UNKNOWN = 0
    SOLID = 1
    DASHED = 2
    DOUBLE_SOLID = 3
    SOLID_DASHED = 4
    STUDS = 5
    ROAD_EDGE = 6


@unique
class MarkingColour(IntEnum):
    """Colour of a lane boundary."""

    UNKNOWN = 0
    WHITE = 1
    YELLOW = 2
    ORANGE = 3
    BLUE = 4


@unique
class ObjectClass(IntEnum):
    """Kind of road user."""

    UNKNOWN = 0
    CAR = 1
    VAN = 2
    TRUCK = 3
    BUS = 4
    MOTORCYCLE = 5
    CYCLIST = 6
    PEDESTRIAN = 7
    ANIMAL = 8
    TRAILER = 9


@unique
class SignKind(IntEnum):
    """Meaning of a traffic sign."""

    UNKNOWN = 0
    SPEED_LIMIT = 1
    END_OF_SPEED_LIMIT = 2
    END_OF_ALL_LIMITS = 3
    ADVISORY_SPEED = 4
    MINIMUM_SPEED = 5
    CITY_ENTRY = 6
    CITY_EXIT = 7
    MOTORWAY_ENTRY = 8
    MOTORWAY_EXIT = 9
    ZONE_ENTRY = 10
    ZONE_EXIT = 11
    VARIABLE_SPEED_LIMIT = 12
    EXPRESSWAY_ENTRY = 13
    EXPRESSWAY_EXIT = 14
    LIVING_STREET_ENTRY = 15
    LIVING_STREET_EXIT = 16
    ROADWORKS = 17
    ROADWORKS_END = 18
    END_OF_MINIMUM_SPEED = 19


@unique
class SpeedUnit(IntEnum):
    """The unit that a sign or the driver's display uses; values inside the runtime stay in m/s."""

    KMH = 0
    MPH = 1

    def mps(self, value: float) -> float:
        """A number in this unit, in metres per second."""
        return mph_to_mps(value) if self is SpeedUnit.MPH else kmh_to_mps(value)


@unique
class LightSwitch(IntEnum):
    """Where the driver's light switch stands."""

    UNKNOWN = 0
    OFF = 1
    POSITION = 2
    DIPPED = 3
    AUTO = 4


@unique
class Wiper(IntEnum):
    """What the windscreen wiper does."""

    UNKNOWN = 0
    OFF = 1
    INTERVAL = 2
    SLOW = 3
    FAST = 4


@unique
class GazeZone(IntEnum):
    """Where the driver looks."""

    UNKNOWN = 0
    ROAD = 1
    MIRROR_LEFT = 2
    MIRROR_RIGHT = 3
    MIRROR_CENTRE = 4
    INSTRUMENTS = 5
    CENTRE_STACK = 6
    LAP = 7
    PASSENGER = 8


@unique
class LaneBeyond(IntEnum):
    """What lies beyond a boundary of the ego lane."""

    UNKNOWN = 0
    SAME_DIRECTION = 1
    ONCOMING = 2
    SHOULDER = 3
    OFF_ROAD = 4


@unique
class AssistanceMode(IntEnum):
    """Mode of driver control assistance (UN R171 2.17, 2.18)."""

    OFF = 0
    INACTIVE = 1
    PASSIVE = 2
    ACTIVE = 3
    LOCKOUT = 4


@unique
class EngagementStage(IntEnum):
    """What the driver is asked for (UN R171 5.5.4.2.6), in the order of urgency."""

    NONE = 0
    HANDS_ON = 1
    HANDS_ON_ESCALATED = 2
    EYES_ON = 3
    EYES_ON_ESCALATED = 4
    TAKE_OVER = 5
    UNAVAILABLE = 6


@unique
class ManoeuvreState(IntEnum):
    """How far a lane change has come (UN R79 5.6.4, UN R171 2.12 and 2.13)."""

    NONE = 0
    PROPOSED = 1
    PROCEDURE = 2
    MANOEUVRE = 3
    RESUMING = 4
    SUPPRESSED = 5


@unique
class DssadFlag(IntEnum):
    """What the data storage of automated driving keeps (UN R157 8.2)."""

    ACTIVATION = 0
    DEACTIVATION = 1
    TRANSITION_DEMAND = 2
    DRIVER_INPUT_REDUCED = 3
    EMERGENCY_START = 4
    EMERGENCY_END = 5
    EDR_TRIGGER = 6
    COLLISION = 7
    STOP_START = 8
    SEVERE_SYSTEM_FAILURE = 9
    SEVERE_VEHICLE_FAILURE = 10
    LANE_CHANGE_START = 11
    LANE_CHANGE_END = 12
    LANE_CHANGE_ABORT = 13


@unique
class SlotKind(IntEnum):
    """How a parking bay lies to the road."""

    UNKNOWN = 0
    PARALLEL = 1
    PERPENDICULAR = 2
    ANGLED = 3


@unique
class RoadClass(IntEnum):
    """Importance of a road, after OpenStreetMap's highway classes."""

    UNKNOWN = 0
    MOTORWAY = 1
    TRUNK = 2
    PRIMARY = 3
    SECONDARY = 4
    TERTIARY = 5
    RESIDENTIAL = 6
    LIVING_STREET = 7
    SERVICE = 8
    TRACK = 9


@unique
class LimitSource(IntEnum):
    """Where a speed limit comes from."""

    NONE = 0
    SIGN = 1
    MAP = 2
    IMPLICIT_SIGN = 3
    DEFAULT = 4
    VEHICLE = 5


@unique
class LimitKind(IntEnum):
    """Whether a limit is signed, follows from the law, or does not exist."""

    UNKNOWN = 0
    EXPLICIT = 1
    IMPLICIT = 2
    NO_LIMIT = 3


@unique
class LampDemand(IntEnum):
    """What a function asks of a lamp; the driver's switch always wins."""

    NO_DEMAND = 0
    OFF = 1
    ON = 2


@unique
class AlertLevel(IntEnum):
    """How urgent an alert is."""

    INFO = 0
    WARNING = 1
    CRITICAL = 2


@unique
class AlertSide(IntEnum):
    """Side that an alert speaks of."""

    NONE = 0
    LEFT = 1
    RIGHT = 2


@unique
class Stage(IntEnum):
    """How much a function may do in this market (design section 5)."""

    OFF = 0
    SHADOW = 1
    WARN = 2
    ON = 3


@unique
class Health(IntEnum):
    """Whether a function can do its work."""

    OK = 0
    DEGRADED = 1
    FAULT = 2


# --- inputs -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleState(Signal):
    """The ego vehicle's motion and the driver's hold of it, at 100 Hz."""

    stamp_s: Stamp
    speed_mps: Annotated[float, Note("speed along x, negative in reverse", "m/s", -40.0, SPEED_MAX_MPS)]
    accel_mps2: Annotated[float | None, Note("acceleration along x, braking negative", "m/s^2", -30.0, 30.0)] = None
    lateral_accel_mps2: Annotated[float | None, Note("acceleration along y", "m/s^2", -30.0, 30.0)] = None
    yaw_rate_rps: Annotated[float | None, Note("yaw rate, left turn positive", "rad/s", -4.0, 4.0)] = None
    steering_wheel_angle_rad: Annotated[
        float | None, Note("steering wheel angle, left positive", "rad", -20.0, 20.0)
    ] = None
    steering_wheel_rate_rps: Annotated[
        float | None, Note("rate of the wheel angle, left positive", "rad/s", -60.0, 60.0)
    ] = None
    driver_torque_nm: Annotated[float | None, Note("driver's torque on the wheel, left positive", "Nm", -50, 50)] = None
    is_hands_on: Annotated[bool | None, Note("hands on the wheel, where a sensor tells")] = None
    accelerator: Annotated[float | None, Note("accelerator pedal, 0 released to 1 floored", "1", 0.0, 1.0)] = None
    brake: Annotated[float | None, Note("brake pedal, 0 released to 1 full", "1", 0.0, 1.0)] = None
    is_braking: Annotated[bool | None, Note("driver presses the brake pedal")] = None
    gear: Gear = Gear.UNKNOWN
    is_stability_control_active: Annotated[bool | None, Note("ESC or ABS intervenes")] = None
    is_steering_available: Annotated[bool | None, Note("the steering takes commands; false: it cannot")] = None
    is_braking_available: Annotated[bool | None, Note("the brakes take commands; false: they cannot")] = None

    @property
    def is_pedal_pressed(self) -> bool:
        """The driver presses the brake or the accelerator, as far as the car tells."""
        return (
            self.is_braking is True
            or (self.brake is not None and self.brake > PEDAL_MIN)
            or (self.accelerator is not None and self.accelerator > PEDAL_MIN)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverInput(Signal):
    """Stalks and buttons."""

    stamp_s: Stamp
    indicator: Indicator = Indicator.OFF
    pressed: Annotated[tuple[str, ...], Note("buttons down, by name", max_len=16)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyState(Signal):
    """The body of the car at 10 Hz: switches, lamps, weather, time of day; what a car does not tell stays unknown.

    Local time is `utc_s + utc_offset_s`. It is for calendars only (limits by hour, season): its clock is another one
    than that of the stamps, and the two are never subtracted.
    """

    stamp_s: Stamp
    is_master_switch_on: Annotated[bool | None, Note("vehicle master control switch on; a stop/start pause is on")] = (
        None
    )
    ignition_cycle: Annotated[
        int | None,
        Note(
            "counts the activations of the master control switch; the same all through a run cycle", "1", 0, 2**31 - 1
        ),
    ] = None
    is_propulsion_on: Annotated[bool | None, Note("propulsion system ready to move the car")] = None
    indicated_speed_mps: Annotated[
        float | None, Note("speed that the speedometer shows (UN R39)", "m/s", 0.0, SPEED_MAX_MPS)
    ] = None
    ambient_lux: Annotated[float | None, Note("light around the car", "lx", 0.0, 2e5)] = None
    light_switch: LightSwitch = LightSwitch.UNKNOWN
    is_main_beam_wanted: Annotated[bool | None, Note("driver's stalk asks for main beam, or its automatic")] = None
    is_flashing: Annotated[bool | None, Note("driver flashes the headlamps")] = None
    is_dipped_beam_on: Annotated[bool | None, Note("dipped beam is lit")] = None
    is_main_beam_on: Annotated[bool | None, Note("main beam is lit")] = None
    is_front_fog_on: Annotated[bool | None, Note("front fog lamps are lit")] = None
    is_rear_fog_on: Annotated[bool | None, Note("rear fog lamp is lit")] = None
    wiper: Wiper = Wiper.UNKNOWN
    is_raining: Annotated[bool | None, Note("rain sensor sees water on the windscreen")] = None
    is_parking_brake_on: Annotated[bool | None, Note("parking brake on")] = None
    is_driver_door_open: Annotated[bool | None, Note("driver's door open")] = None
    is_driver_seated: Annotated[bool | None, Note("somebody sits on the driver's seat")] = None
    is_driver_belt_fastened: Annotated[bool | None, Note("driver's belt fastened")] = None
    is_hazard_on: Annotated[bool | None, Note("driver's hazard switch on")] = None
    is_trailer_coupled: Annotated[bool | None, Note("a trailer is coupled")] = None
    is_emergency_brake_signal: Annotated[bool | None, Note("emergency braking logic signal (UN R13-H 5.2.23)")] = None
    is_abs_cycling: Annotated[bool | None, Note("ABS is fully cycling")] = None
    is_crash_detected: Annotated[bool | None, Note("restraint system has seen a collision")] = None
    outside_temperature_k: Annotated[float | None, Note("air outside", "K", 150.0, 400.0)] = None
    utc_s: Annotated[float | None, Note("time of day and date, since 1970, UTC", "s", 0.0, 1e11)] = None
    utc_offset_s: Annotated[float | None, Note("local time less UTC, east positive", "s", -54000.0, 54000.0)] = None

    @property
    def is_road_wet(self) -> bool:
        """Rain is sensed, or the wipers go on and on."""
        return self.is_raining is True or self.wiper in (Wiper.SLOW, Wiper.FAST)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CameraFrame(Signal):
    """One picture. On live topics a camera speaks `sensor_msgs/CompressedImage`; the input map turns it into this."""

    stamp_s: Stamp
    camera: CameraId = CameraId.FRONT
    width_px: Annotated[int, Note("columns", "px", 1, 16384)]
    height_px: Annotated[int, Note("rows", "px", 1, 16384)]
    encoding: Annotated[str, Note("jpeg, png, bgr8, rgb8, mono8, or a sensor_msgs raw encoding", max_len=32)]
    data: Annotated[bytes, Note("the encoded picture, or its rows without padding", max_len=MAX_FRAME_BYTES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarTrack:
    """One target of a radar, in the vehicle frame."""

    track_id: Annotated[int, Note("number given by the radar", "1", 0, 2**31 - 1)]
    x_m: Annotated[float, Note("position forward", "m", -500.0, 500.0)]
    y_m: Annotated[float, Note("position left", "m", -500.0, 500.0)]
    range_rate_mps: Annotated[float | None, Note("relative radial speed, closing negative", "m/s", -200.0, 200.0)] = (
        None
    )
    speed_x_mps: Annotated[float | None, Note("relative speed along x", "m/s", -200.0, 200.0)] = None
    rcs_dbsm: Annotated[float | None, Note("radar cross section", "dBsm", -100.0, 100.0)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RadarObjects(Signal):
    """What a radar reports in one cycle."""

    stamp_s: Stamp
    tracks: Annotated[tuple[RadarTrack, ...], Note("targets, strongest claim first", max_len=MAX_OBJECTS)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PoseFix(Signal):
    """A satellite fix, WGS 84."""

    stamp_s: Stamp
    latitude_deg: Annotated[float, Note("latitude", "deg", -90.0, 90.0)]
    longitude_deg: Annotated[float, Note("longitude", "deg", -180.0, 180.0)]
    altitude_m: Annotated[float | None, Note("height above the ellipsoid", "m", -1000.0, 20000.0)] = None
    heading_rad: Annotated[float | None, Note("course, from east, left positive", "rad", -6.3, 6.3)] = None
    position_std_m: Annotated[float | None, Note("standard deviation of the position", "m", 0.0, 1e6)] = None
    status: FixStatus = FixStatus.NO_FIX


# --- between ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneBoundary:
    """One boundary as y = c0 + c1 x + c2 x^2 + c3 x^3 in the vehicle frame, valid from x_min_m to x_max_m."""

    side: LaneSide
    c0_m: Annotated[float, Note("lateral offset at x = 0", "m", -50.0, 50.0)]
    c1: Annotated[float, Note("slope at x = 0", "1", -5.0, 5.0)]
    c2_1pm: Annotated[float, Note("half the curvature at x = 0", "1/m", -1.0, 1.0)]
    c3_1pm2: Annotated[float, Note("a sixth of the curvature's change per metre", "1/m^2", -0.1, 0.1)]
    x_min_m: Annotated[float, Note("nearest x that was seen", "m", -50.0, 300.0)]
    x_max_m: Annotated[float, Note("farthest x that was seen", "m", -50.0, 300.0)]
    type: MarkingType = MarkingType.UNKNOWN
    colour: MarkingColour = MarkingColour.UNKNOWN
    confidence: Confidence
    offset_std_m: Annotated[float, Note("standard deviation of the offset at x_min_m", "m", 0.0, 20.0)]
    width_m: Annotated[float | None, Note("width of the painted line", "m", 0.0, 2.0)] = None

    def offset_m(self, x_m: float) -> float:
        """Lateral position of the boundary's centre at `x_m`, left positive [m]."""
        return self.c0_m + x_m * (self.c1 + x_m * (self.c2_1pm + x_m * self.c3_1pm2))

    def slope(self, x_m: float) -> float:
        """dy/dx of the boundary at `x_m`."""
        return self.c1 + x_m * (2.0 * self.c2_1pm + x_m * 3.0 * self.c3_1pm2)


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneModel(Signal):
    """The lane boundaries that perception sees; a boundary it does not see is not in the tuple."""

    stamp_s: Stamp
    boundaries: Annotated[tuple[LaneBoundary, ...], Note("at most one a side", max_len=MAX_LANE_BOUNDARIES)] = ()
    camera_pitch_rad: Annotated[float | None, Note("estimated pitch, nose down positive", "rad", -0.5, 0.5)] = None
    is_calibrated: Annotated[bool, Note("camera geometry is known or has converged, so metres can be trusted")] = False
    reason: Reason = ""

    def side(self, side: LaneSide) -> LaneBoundary | None:
        """The boundary of one side, `None` where it is not seen."""
        for boundary in self.boundaries:
            if boundary.side is side:
                return boundary
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedObject:
    """One road user, tracked, in the vehicle frame."""

    object_id: Annotated[int, Note("track number, not reused while the graph runs", "1", 0, 2**31 - 1)]
    object_class: ObjectClass
    x_m: Annotated[float, Note("nearest point, forward", "m", -500.0, 500.0)]
    y_m: Annotated[float, Note("centre, left", "m", -500.0, 500.0)]
    speed_x_mps: Annotated[float, Note("speed over ground along x", "m/s", -SPEED_MAX_MPS, SPEED_MAX_MPS)]
    speed_y_mps: Annotated[float, Note("speed over ground along y", "m/s", -SPEED_MAX_MPS, SPEED_MAX_MPS)]
    accel_x_mps2: Annotated[float | None, Note("acceleration along x", "m/s^2", -30.0, 30.0)] = None
    yaw_rad: Annotated[float | None, Note("heading in the vehicle frame", "rad", -6.3, 6.3)] = None
    length_m: Annotated[float | None, Note("length", "m", 0.0, 60.0)] = None
    width_m: Annotated[float | None, Note("width", "m", 0.0, 10.0)] = None
    x_std_m: Annotated[float, Note("standard deviation of x", "m", 0.0, 500.0)]
    y_std_m: Annotated[float, Note("standard deviation of y", "m", 0.0, 500.0)]
    speed_x_std_mps: Annotated[float, Note("standard deviation of speed_x", "m/s", 0.0, 100.0)]
    confidence: Confidence
    age_s: Annotated[float, Note("time since the track was born", "s", 0.0, 1e6)]
    sources: Annotated[tuple[str, ...], Note("sensors that saw it in the last 0.5 s", max_len=8)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedObjects(Signal):
    """Road users around the car."""

    stamp_s: Stamp
    objects: Annotated[tuple[TrackedObject, ...], Note("tracked road users", max_len=MAX_OBJECTS)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SignObservation:
    """One traffic sign, seen in one picture or voted over several; its place in the vehicle frame."""

    kind: SignKind
    value_mps: Annotated[float | None, Note("the limit it shows", "m/s", 0.0, 100.0)] = None
    unit: SpeedUnit = SpeedUnit.KMH
    x_m: Annotated[float | None, Note("position forward", "m", -200.0, 500.0)] = None
    y_m: Annotated[float | None, Note("position left", "m", -200.0, 200.0)] = None
    supplement: Annotated[
        str, Note("supplementary plates, as `conditions.py` reads them: wet AND weight>7.5", max_len=64)
    ] = ""
    lane: Annotated[
        int | None,
        Note("lane it hangs over, counted from the ego lane, left positive; unknown: all lanes", "1", -16, 16),
    ] = None
    is_lit: Annotated[bool | None, Note("a variable sign shows something; false: it is dark")] = None
    is_temporary: Annotated[bool, Note("for road works or an event: yellow ground, on a trailer or a vehicle")] = False
    is_relevant: Annotated[bool, Note("applies to the ego lane and direction")] = True
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class SignObservations(Signal):
    """Traffic signs seen by a camera."""

    stamp_s: Stamp
    signs: Annotated[tuple[SignObservation, ...], Note("signs", max_len=32)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DriverState(Signal):
    """What the driver camera concludes; no picture leaves the process that took it."""

    stamp_s: Stamp
    is_face_visible: Annotated[bool, Note("a face is seen on the driver's seat")] = False
    is_camera_covered: Annotated[bool, Note("lens covered or picture frozen")] = False
    gaze_zone: GazeZone = GazeZone.UNKNOWN
    gaze_yaw_rad: Annotated[float | None, Note("gaze from straight ahead, left positive", "rad", -3.2, 3.2)] = None
    gaze_pitch_rad: Annotated[float | None, Note("gaze from the horizon, down positive", "rad", -3.2, 3.2)] = None
    head_yaw_rad: Annotated[float | None, Note("head turned left positive", "rad", -3.2, 3.2)] = None
    head_pitch_rad: Annotated[float | None, Note("head down positive", "rad", -3.2, 3.2)] = None
    eye_openness: Annotated[float | None, Note("0 closed to 1 open", "1", 0.0, 1.0)] = None
    is_hard_to_see: Annotated[bool | None, Note("sunglasses, mask, hat or light make the eyes hard to see")] = None
    frame: Annotated[
        int | None, Note("number of the picture; one that stands still tells of a frozen camera", "1", 0, 2**31 - 1)
    ] = None
    confidence: Confidence = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Corner:
    """A point on the ground, vehicle frame."""

    x_m: Annotated[float, Note("forward", "m", -100.0, 100.0)]
    y_m: Annotated[float, Note("left", "m", -100.0, 100.0)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingSlot:
    """One parking bay, entrance corners first."""

    kind: SlotKind
    corners: Annotated[tuple[Corner, ...], Note("in order around the bay", max_len=4)]
    is_free: Annotated[bool | None, Note("nothing stands in it")] = None
    is_reserved: Annotated[bool, Note("marked for a permit holder, or never a parking space")] = False
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkingSlots(Signal):
    """Parking bays around the car."""

    stamp_s: Stamp
    slots: Annotated[tuple[ParkingSlot, ...], Note("bays", max_len=64)] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionalLimit:
    """A limit that holds only under a condition."""

    limit_mps: Annotated[float | None, Note("speed limit; unknown with NO_LIMIT: none", "m/s", 0.0, 100.0)] = None
    kind: LimitKind = LimitKind.EXPLICIT
    condition: Annotated[str, Note("as `conditions.py` reads it: wet, 22:00-06:00, trailer", max_len=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class HorizonSegment:
    """The road ahead from one offset to the next.

    `limit_mps` holds without conditions. `unit` is that of the signs there, `region` an ISO 3166-2 code where rules
    differ within the country. What is not known stays unknown: an unknown `is_built_up` is not "outside".
    """

    offset_m: Annotated[float, Note("start, along the most probable path", "m", -1000.0, 20000.0)]
    length_m: Annotated[float, Note("length", "m", 0.0, 20000.0)]
    probability: Annotated[float, Note("that the car gets there", "1", 0.0, 1.0)]
    road_class: RoadClass = RoadClass.UNKNOWN
    limit_mps: Annotated[float | None, Note("speed limit", "m/s", 0.0, 100.0)] = None
    limit_kind: LimitKind = LimitKind.UNKNOWN
    limit_confidence: Confidence = 0.0
    unit: SpeedUnit = SpeedUnit.KMH
    advisory_mps: Annotated[float | None, Note("advised speed, never a limit", "m/s", 0.0, 100.0)] = None
    conditional: Annotated[tuple[ConditionalLimit, ...], Note("limits under a condition", max_len=8)] = ()
    road_id: Annotated[int | None, Note("number of the road's piece in the map", "1", 0, 2**53)] = None
    is_built_up: Annotated[bool | None, Note("inside a built-up area")] = None
    is_dual_carriageway: Annotated[bool | None, Note("directions are separated")] = None
    is_link: Annotated[bool, Note("slip road")] = False
    is_lit: Annotated[bool | None, Note("street lighting")] = None
    slope: Annotated[float | None, Note("rise over run, uphill positive", "1", -1.0, 1.0)] = None
    curvature_1pm: Annotated[float | None, Note("curvature, left positive", "1/m", -1.0, 1.0)] = None
    lanes: Annotated[int | None, Note("lanes in our direction", "1", 0, 32)] = None
    is_tunnel: Annotated[bool, Note("tunnel")] = False
    country: Annotated[str, Note("ISO 3166-1 alpha-2 code", max_len=2)] = ""
    region: Annotated[str, Note("ISO 3166-2 code, where known", max_len=8)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Horizon(Signal):
    """The map's road ahead of the matched position. The first segment holds the car: its offset is not above 0."""

    stamp_s: Stamp
    is_matched: Annotated[bool, Note("position matched to the map")] = False
    provider: Name = ""
    map_age_s: Annotated[float | None, Note("age of the map's data", "s", 0.0, 1e10)] = None
    position_std_m: Annotated[float | None, Note("uncertainty of the place along the road", "m", 0.0, 1e6)] = None
    reason: Reason = ""
    confidence: Confidence = 0.0
    segments: Annotated[tuple[HorizonSegment, ...], Note("in driving order", max_len=512)] = ()


# --- outputs ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeedLimitState(Signal):
    """The speed limit in force and where it comes from; unknown is a value."""

    stamp_s: Stamp
    limit_mps: Annotated[float | None, Note("limit in force", "m/s", 0.0, 100.0)] = None
    kind: LimitKind = LimitKind.UNKNOWN
    source: LimitSource = LimitSource.NONE
    unit: SpeedUnit = SpeedUnit.KMH
    condition: Annotated[str, Note("condition that makes it hold", max_len=64)] = ""
    confidence: Confidence = 0.0
    reason: Reason = ""
    age_s: Annotated[float | None, Note("time since a source last confirmed it", "s", 0.0, 1e6)] = None
    distance_m: Annotated[float | None, Note("driven since a source last confirmed it", "m", 0.0, 1e7)] = None
    country: Annotated[str, Note("whose rules hold, ISO 3166-1 alpha-2 code", max_len=2)] = ""
    is_walking_pace: Annotated[bool, Note("the law says walking pace: no number is shown")] = False
    is_temporary: Annotated[bool, Note("road works or a variable sign")] = False
    pending_mps: Annotated[
        float | None,
        Note("limit whose condition cannot be judged: show beside the other that there is one", "m/s", 0.0, 100.0),
    ] = None
    pending_condition: Annotated[str, Note("that condition", max_len=64)] = ""
    advisory_mps: Annotated[float | None, Note("advised speed, never a limit", "m/s", 0.0, 100.0)] = None
    minimum_mps: Annotated[float | None, Note("signed minimum speed, never a limit", "m/s", 0.0, 100.0)] = None
    next_mps: Annotated[float | None, Note("next limit ahead", "m/s", 0.0, 100.0)] = None
    next_distance_m: Annotated[float | None, Note("distance to it", "m", 0.0, 20000.0)] = None
    indicated_speed_mps: Annotated[float | None, Note("speed it is compared with", "m/s", 0.0, SPEED_MAX_MPS)] = None
    is_exceeded: Annotated[bool, Note("the speed shown to the driver is above the limit")] = False
    is_feedback_on: Annotated[bool, Note("warning or speed control work; false: information only")] = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneEdge:
    """One side of the ego lane, as the market's rules read it."""

    side: LaneSide
    distance_m: Annotated[
        float, Note("DTLM: inner edge of the marking to the outer front tyre edge, inside positive", "m", -20.0, 20.0)
    ]
    rate_mps: Annotated[float, Note("its change, towards the line negative", "m/s", -10.0, 10.0)] = 0.0
    type: MarkingType = MarkingType.UNKNOWN
    colour: MarkingColour = MarkingColour.UNKNOWN
    width_m: Annotated[float, Note("width of the painted line, 0 for an edge without paint", "m", 0.0, 2.0)] = 0.0
    is_seen: Annotated[bool, Note("a boundary was seen there; false: set at the usual width from the other side")] = (
        True
    )
    may_cross: Annotated[bool | None, Note("the marking may be crossed from this side")] = None
    beyond: LaneBeyond = LaneBeyond.UNKNOWN
    confidence: Confidence


@dataclass(frozen=True, slots=True, kw_only=True)
class EgoLane(Signal):
    """The lane that the car is in: the one estimate that every lane function steers and warns by.

    The centre is y = offset_m + heading_rad x + curvature_1pm x^2 / 2 + curvature_rate_1pm2 x^3 / 6 in the vehicle
    frame (origin under the rear axle). `shift_m` is where inside the lane the car should keep, left of the centre.
    """

    stamp_s: Stamp
    edges: Annotated[tuple[LaneEdge, ...], Note("at most one a side; none: no lane", max_len=2)] = ()
    offset_m: Annotated[float, Note("lane centre at the rear axle, left of the car positive", "m", -20.0, 20.0)] = 0.0
    heading_rad: Annotated[float, Note("lane direction at the rear axle, left positive", "rad", -1.6, 1.6)] = 0.0
    curvature_1pm: Annotated[float, Note("curvature of the centre, left positive", "1/m", -0.5, 0.5)] = 0.0
    curvature_rate_1pm2: Annotated[float, Note("its change along the lane", "1/m^2", -0.1, 0.1)] = 0.0
    width_m: Annotated[float | None, Note("between the inner edges of the markings", "m", 0.0, 20.0)] = None
    x_max_m: Annotated[float, Note("farthest x that the centre holds for", "m", 0.0, 300.0)] = 0.0
    shift_m: Annotated[float, Note("wanted place left of the centre", "m", -5.0, 5.0)] = 0.0
    shift_reason: Annotated[str, Note("why, such as emergency_corridor", max_len=64)] = ""
    lanes: Annotated[int | None, Note("lanes in our direction", "1", 0, 32)] = None
    lane_from_left: Annotated[int | None, Note("number of our lane, 0 leftmost", "1", 0, 31)] = None
    is_works: Annotated[bool, Note("road works: their markings hold")] = False
    is_calibrated: Annotated[bool, Note("metres can be trusted")] = False
    is_fit_to_steer: Annotated[bool, Note("good enough to steer by; why not stands in the reason")] = False
    confidence: Confidence = 0.0
    reason: Reason = ""

    def centre_m(self, x_m: float) -> float:
        """Lateral position of the lane's centre at `x_m`, left of the car positive [m]."""
        return self.offset_m + x_m * (
            self.heading_rad + x_m * (0.5 * self.curvature_1pm + x_m * self.curvature_rate_1pm2 / 6.0)
        )

    def moved(self, distance_m: float, turn_rad: float) -> tuple[float, float, float, float]:
        """The centre as the car sees it `distance_m` farther on, turned left by `turn_rad` since `stamp_s`.

        The lane holds at its stamp; whoever steers at a later time carries it on by speed and yaw rate.

        Returns:
            Offset [m], heading [rad], curvature [1/m] and its rate [1/m^2].
        """
        rate = self.curvature_rate_1pm2
        curvature = self.curvature_1pm + distance_m * rate
        heading = self.heading_rad + distance_m * (self.curvature_1pm + 0.5 * distance_m * rate)
        offset_m = self.centre_m(distance_m) - 0.5 * distance_m * turn_rad
        return offset_m, heading - turn_rad, curvature, rate

    def edge(self, side: LaneSide) -> LaneEdge | None:
        """The edge on this side, `None` where there is none."""
        for edge in self.edges:
            if edge.side is side:
                return edge
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistanceState(Signal):
    """What driver control assistance tells the driver all the time (UN R171 5.5.4.1.1)."""

    stamp_s: Stamp
    mode: AssistanceMode = AssistanceMode.OFF
    lateral: AssistanceMode = AssistanceMode.OFF
    longitudinal: AssistanceMode = AssistanceMode.OFF
    engagement: EngagementStage = EngagementStage.NONE
    manoeuvre: ManoeuvreState = ManoeuvreState.NONE
    manoeuvre_side: AlertSide = AlertSide.NONE
    set_speed_mps: Annotated[float | None, Note("maximum set by the driver", "m/s", 0.0, SPEED_MAX_MPS)] = None
    max_speed_mps: Annotated[float | None, Note("current maximum speed", "m/s", 0.0, SPEED_MAX_MPS)] = None
    limit_mps: Annotated[float | None, Note("speed limit that it goes by", "m/s", 0.0, 100.0)] = None
    time_gap_s: Annotated[float | None, Note("following distance in force", "s", 0.0, 10.0)] = None
    lead_gap_m: Annotated[float | None, Note("bumper to bumper, to the car followed", "m", 0.0, 500.0)] = None
    lead_speed_mps: Annotated[float | None, Note("its speed along x", "m/s", -SPEED_MAX_MPS, SPEED_MAX_MPS)] = None
    is_standstill_held: Annotated[bool, Note("held at standstill; the driver has to act to move off")] = False
    is_horn_wanted: Annotated[bool, Note("the horn is to sound now: the driver does not answer")] = False
    is_help_wanted: Annotated[bool, Note("the car's emergency call is to be made: the driver does not answer")] = False
    reason: Reason = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DssadEvent(Signal):
    """One entry for the data storage of automated driving (UN R157 8.3)."""

    stamp_s: Stamp
    author: Name
    number: Annotated[int, Note("counts from 1 since the process began", "1", 0, 2**31 - 1)]
    flag: DssadFlag
    reason: Reason = ""
    utc_s: Annotated[float | None, Note("date and time, since 1970, UTC", "s", 0.0, 1e11)] = None
    software: Annotated[str, Note("version of the software and digest of the market file", max_len=128)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LateralRequest(Signal):
    """A function asks for a path curvature."""

    stamp_s: Stamp
    author: Name
    cause: Reason
    is_active: Annotated[bool, Note("the function wants to steer; false hands back")] = False
    curvature_1pm: Annotated[float, Note("wanted path curvature, left positive", "1/m", -0.5, 0.5)] = 0.0
    priority: Annotated[int, Note("rank in the arbiter's order, lower wins", "1", 0, 255)] = 255
    oldest_input: Annotated[str, Note("input of its author that the stamp is of", max_len=64)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LongitudinalRequest(Signal):
    """A function asks for an acceleration."""

    stamp_s: Stamp
    author: Name
    cause: Reason
    is_active: Annotated[bool, Note("the function wants to accelerate or brake; false hands back")] = False
    accel_mps2: Annotated[float, Note("wanted acceleration, braking negative", "m/s^2", -15.0, 10.0)] = 0.0
    priority: Annotated[int, Note("rank in the arbiter's order, lower wins", "1", 0, 255)] = 255
    oldest_input: Annotated[str, Note("input of its author that the stamp is of", max_len=64)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LampRequest(Signal):
    """A function asks for lamps."""

    stamp_s: Stamp
    author: Name
    cause: Reason
    dipped_beam: LampDemand = LampDemand.NO_DEMAND
    main_beam: LampDemand = LampDemand.NO_DEMAND
    hazard: LampDemand = LampDemand.NO_DEMAND
    stop_lamps: LampDemand = LampDemand.NO_DEMAND
    emergency_stop_signal: LampDemand = LampDemand.NO_DEMAND
    daytime_running: LampDemand = LampDemand.NO_DEMAND
    position: LampDemand = LampDemand.NO_DEMAND
    rear_end_alert: LampDemand = LampDemand.NO_DEMAND
    indicator_left: LampDemand = LampDemand.NO_DEMAND
    indicator_right: LampDemand = LampDemand.NO_DEMAND
    emergency_stop_rate_hz: Annotated[float | None, Note("flashes of the emergency stop signal", "Hz", 0.0, 10.0)] = (
        None
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert(Signal):
    """A warning for the driver; sent while it holds and once more when it ends."""

    stamp_s: Stamp
    author: Name
    code: Annotated[str, Note("stable reason code, such as lane_departure_left", max_len=64)]
    is_active: Annotated[bool, Note("the warning holds")]
    level: AlertLevel = AlertLevel.WARNING
    side: AlertSide = AlertSide.NONE
    is_optical: Annotated[bool, Note("shown")] = True
    is_acoustic: Annotated[bool, Note("sounded")] = False
    is_haptic: Annotated[bool, Note("felt")] = False
    since_s: Annotated[float, Note("when this warning began", "s", 0.0, 1e11)]
    cause: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Kpi:
    """One figure of a function, by the name that its declaration gives."""

    name: Name
    value: Annotated[float, Note("value, unit in the name", "1", -1e12, 1e12)]


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionStatus(Signal):
    """What a function does and why; sent at each change and at least once a second."""

    stamp_s: Stamp
    author: Name
    stage: Stage
    health: Health = Health.OK
    state: Annotated[str, Note("state of its state machine", max_len=64)]
    is_active: Annotated[bool, Note("it works on the road now: not off, not standing by")] = False
    reason: Reason = ""
    absent: Annotated[tuple[str, ...], Note("inputs that are missing or too old", max_len=16)] = ()
    kpis: Annotated[tuple[Kpi, ...], Note("figures that are known now", max_len=16)] = ()

    @property
    def is_at_work(self) -> bool:
        """Whether others have to mind it: it is active and may act; one in shadow touches nobody."""
        return self.is_active and self.stage is Stage.ON


@dataclass(frozen=True, slots=True, kw_only=True)
class ActuationCommand(Signal):
    """What the vehicle is asked to do. The arbiter's is a demand; only the envelope's reaches an actuator."""

    stamp_s: Stamp
    author: Name
    counter: Annotated[int, Note("goes up by one with each command, modulo 65536", "1", 0, 65535)]
    is_lateral_active: Annotated[bool, Note("steering is requested")] = False
    curvature_1pm: Annotated[float, Note("path curvature, left positive", "1/m", -0.5, 0.5)] = 0.0
    lateral_authority: Annotated[float, Note("share of the steering, 0 driver alone to 1", "1", 0.0, 1.0)] = 0.0
    is_longitudinal_active: Annotated[bool, Note("acceleration is requested")] = False
    accel_mps2: Annotated[float, Note("acceleration, braking negative", "m/s^2", -15.0, 10.0)] = 0.0
    accel_cap_mps2: Annotated[
        float | None,
        Note(
            "most that the driver's pedal may ask for, engine braking negative; unknown: no cap", "m/s^2", -15.0, 10.0
        ),
    ] = None
    lateral_author: Name = ""
    lateral_cause: Reason = ""
    longitudinal_author: Name = ""
    longitudinal_cause: Reason = ""
    is_limited: Annotated[bool, Note("the envelope changed the demand")] = False
    is_safe_stop: Annotated[bool, Note("the safe ramp to zero request runs or has ended")] = False
    limits: Annotated[tuple[str, ...], Note("limits that acted, and faults, by reason code", max_len=16)] = ()
    oldest_input_age_s: Annotated[float | None, Note("age of the oldest input of the chain", "s", 0.0, 1e6)] = None
    oldest_input_chain: Chain = ""
    lateral_age_s: Annotated[float | None, Note("age of the oldest input of the steering asked for", "s", 0.0, 1e6)] = (
        None
    )
    lateral_chain: Chain = ""
    longitudinal_age_s: Annotated[
        float | None, Note("age of the oldest input of the acceleration or cap asked for", "s", 0.0, 1e6)
    ] = None
    longitudinal_chain: Chain = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureState:
    """One function's stage in the market in force."""

    function: Name
    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketStatus(Signal):
    """The market bundle in force."""

    stamp_s: Stamp
    market: Annotated[str, Note("name of the market file", max_len=32)]
    revision: Annotated[str, Note("its revision", max_len=64)]
    digest: Annotated[str, Note("SHA-256 of the merged configuration, hex", max_len=64)]
    vehicle: Annotated[str, Note("name of the vehicle file", max_len=64)]
    features: Annotated[tuple[FeatureState, ...], Note("stage per function", max_len=64)] = ()


SIGNALS: Final[tuple[type[Signal], ...]] = (
    VehicleState,
    DriverInput,
    BodyState,
    CameraFrame,
    RadarObjects,
    PoseFix,
    LaneModel,
    TrackedObjects,
    SignObservations,
    DriverState,
    ParkingSlots,
    Horizon,
    SpeedLimitState,
    EgoLane,
    AssistanceState,
    DssadEvent,
    LateralRequest,
    LongitudinalRequest,
    LampRequest,
    Alert,
    FunctionStatus,
    ActuationCommand,
    MarketStatus,
)
PARTS: Final[tuple[type, ...]] = (
    LaneBoundary,
    RadarTrack,
    TrackedObject,
    SignObservation,
    Corner,
    ParkingSlot,
    ConditionalLimit,
    HorizonSegment,
    LaneEdge,
    Kpi,
    FeatureState,
)
BY_NAME: Final[dict[str, type[Signal]]] = {signal.__name__: signal for signal in SIGNALS}
