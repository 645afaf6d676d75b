"""Parameters of the lamps; every value stands in the market file, none here. Bounds are the law's, where it has one."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict

DARK_LUX: Final = 1000.0  # R48 6.2.7.5, L02: below it dipped beam is on
BRIGHT_LUX: Final = 7000.0  # R48 6.2.7.5, L04: above it dipped beam is off
OFF_AFTER_S: Final = 5.0  # L04: later than this
OFF_LATEST_S: Final = 300.0  # L04
MANUAL_OFF_UNTIL_KMH: Final = 10.0  # R48 6.19.7.2 (L12); L07 for dipped beam
MANUAL_OFF_UNTIL_M: Final = 100.0  # the same
ONCOMING_AT_LEAST_M: Final = 400.0  # R48 6.1.9.3.1.2, L23 [U]
PRECEDING_AT_LEAST_M: Final = 100.0
CYCLIST_AT_LEAST_M: Final = 75.0
ESS_FROM_KMH: Final = 50.0  # R48 6.23.7.3.1, L43: above it
ESS_DECEL_MPS2: Final = 6.0  # R13-H 5.2.23.1, L45
ESS_DECEL_HEAVY_MPS2: Final = 4.0  # R13, L47 [U]
ESS_RELEASE_MPS2: Final = 2.5  # R13-H 5.2.23.1, L45 [U]
FLASH_HZ: Final = 4.0  # R48 6.23.7.1, L41; R48 6.25 (L50) the same
FLASH_TOLERANCE_HZ: Final = 1.0
REAR_ALERT_TTC_S: Final = 1.4  # R48 6.25, L50 [U]
REAR_ALERT_FAST_KMH: Final = 30.0
REAR_ALERT_LONGEST_S: Final = 3.0

OFF_BUTTON: Final = "headlamps"  # names among `DriverInput.pressed`
DAYTIME_BUTTON: Final = "daytime_running"
HAZARD_BUTTON: Final = "hazard"
OFF_WITHIN_S: Final = 3.0  # L06 (d) asks for two deliberate actions; the second within this time [D]
OFF_APART_S: Final = 0.2  # nearer to each other they are one press of a worn contact [D]


def is_flash_rate(rate_hz: float, has_filament: bool = False) -> bool:
    """Whether lamps may flash at this rate for an emergency stop signal or a rear-end alert.

    Source: UN R48 6.23.7.1: 4.0 +- 1.0 Hz; 4.0 +0.0/-1.0 Hz with a filament light source.
    """
    return FLASH_HZ - FLASH_TOLERANCE_HZ <= rate_hz <= FLASH_HZ + (0.0 if has_filament else FLASH_TOLERANCE_HZ)


class HeadlampParams(Strict):
    """Automatic dipped beam and daytime running lamps (UN R48 6.2.7.5, 6.19.7)."""

    dark_lux: float = Field(
        ge=DARK_LUX, le=BRIGHT_LUX, description="Less light than this for on_after_s: dipped beam on [lx]."
    )
    bright_lux: float = Field(
        ge=DARK_LUX, le=BRIGHT_LUX, description="More light than this for off_after_s: dipped beam off [lx]."
    )
    start_lux: float = Field(
        ge=DARK_LUX, le=BRIGHT_LUX, description="At a start, less light than this: dipped beam on [lx]."
    )
    on_after_s: float = Field(
        ge=0.0,
        le=1.7,
        description="Darkness that switches on; sensor, bus and lamp must fit into what is left of 2 s [s].",
    )
    off_after_s: float = Field(
        gt=OFF_AFTER_S, le=OFF_LATEST_S - 2.0, description="Brightness that switches off; the law wants 5 to 300 s [s]."
    )
    fault_after_s: float = Field(
        ge=0.0, le=1.5, description="Missing light values are a fault after this time, and the lamps go on [s]."
    )
    valid_after_s: float = Field(ge=0.0, le=60.0, description="Light values end a fault after this time [s].")
    rain_after_s: float = Field(ge=0.0, le=120.0, description="Rain, or quick wiping, that switches on [s].")
    tunnel_lead_s: float = Field(
        ge=0.0, le=10.0, description="A tunnel on the map switches on this long before its portal; 0: never [s]."
    )
    tunnel_length_min_m: float = Field(ge=0.0, le=1000.0, description="Shorter tunnels do not [m].")
    tunnel_probability_min: float = Field(
        ge=0.0, le=1.0, description="Nor do those that the car reaches with less probability."
    )
    map_confidence_min: float = Field(ge=0.0, le=1.0, description="Confidence that the map's road ahead needs.")
    has_daytime_running: bool = Field(description="Daytime running lamps are fitted and burn by day.")
    is_dipped_by_day: bool = Field(description="Dipped beam also by day, where the law asks for it.")
    is_manual_off_allowed: bool = Field(
        description="The driver may switch dipped beam off in the dark: standing, or slowly by two actions."
    )
    legal_confirmed: bool = Field(description="Every value above was checked against the text in force.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.dark_lux < self.bright_lux:
            raise ValueError("dark_lux must be below bright_lux (hysteresis)")
        if not self.dark_lux <= self.start_lux <= self.bright_lux:
            raise ValueError("start_lux must lie from dark_lux to bright_lux")
        return self


class MainBeamParams(Strict):
    """Main-beam assist (UN R48 6.1.9.3)."""

    is_enabled: bool = Field(description="The assist works; it needs an approval of its own.")
    approval_ref: str = Field(max_length=128, description="That approval; empty where there is none.")
    dark_lux: float = Field(ge=0.0, le=DARK_LUX, description="Only with less light than this [lx].")
    lit_lux: float = Field(ge=0.0, le=DARK_LUX, description="More light than this, a lit road, ends it [lx].")
    from_kmh: float = Field(ge=0.0, le=150.0, description="Speed from which main beam comes [km/h].")
    until_kmh: float = Field(ge=0.0, le=150.0, description="Speed below which it goes [km/h].")
    clear_after_s: float = Field(ge=0.0, le=30.0, description="Nobody in the beam for this long [s].")
    oncoming_m: float = Field(ge=ONCOMING_AT_LEAST_M, le=500.0, description="Oncoming vehicles dip it from here [m].")
    preceding_m: float = Field(ge=PRECEDING_AT_LEAST_M, le=500.0, description="Preceding vehicles dip it [m].")
    cyclist_m: float = Field(ge=CYCLIST_AT_LEAST_M, le=500.0, description="Cyclists and people on foot dip it [m].")
    half_angle_deg: float = Field(ge=5.0, le=60.0, description="Half of the beam's width, left and right [deg].")
    confidence_min: float = Field(ge=0.0, le=0.5, description="Less certain objects dip nothing.")
    legal_confirmed: bool = Field(description="Every value above was checked against the text in force.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.is_enabled and not self.approval_ref.strip():
            raise ValueError("is_enabled is true without an approval; name it in approval_ref, or set is_enabled false")
        if self.until_kmh > self.from_kmh:
            raise ValueError("until_kmh must not be above from_kmh (hysteresis)")
        if self.lit_lux < self.dark_lux:
            raise ValueError("lit_lux must not be below dark_lux (hysteresis)")
        return self


class SignalLampParams(Strict):
    """Emergency stop signal, hazard, rear-end alert and stop lamps (UN R48 6.6, 6.23, 6.25)."""

    has_emergency_stop_signal: bool = Field(description="The emergency stop signal is fitted.")
    ess_from_kmh: float = Field(ge=ESS_FROM_KMH, le=200.0, description="Only above this speed [km/h].")
    ess_decel_mps2: float = Field(
        ge=ESS_DECEL_MPS2, le=10.0, description="Declared deceleration of emergency braking, cars and vans [m/s^2]."
    )
    ess_decel_heavy_mps2: float = Field(
        ge=ESS_DECEL_HEAVY_MPS2, le=10.0, description="The same for buses and trucks [m/s^2]."
    )
    ess_release_mps2: float = Field(
        ge=ESS_RELEASE_MPS2, le=6.0, description="It ends when deceleration falls below this [m/s^2]."
    )
    ess_after_s: float = Field(ge=0.0, le=0.3, description="Deceleration must hold this long [s].")
    ess_source: Literal["led", "filament"] = Field(description="Light source of the lamps that flash.")
    ess_rate_hz: float = Field(ge=3.0, le=5.0, description="Rate at which the body controller flashes them [Hz].")
    is_hazard_after_ess: bool = Field(description="Hazard lamps after an emergency stop that ends in standstill.")
    ess_to_hazard_s: float = Field(
        ge=0.0, le=10.0, description="Standstill this long after the signal still counts as its end [s]."
    )
    hazard_until_kmh: float = Field(
        ge=0.0, le=60.0, description="Hazard lamps of an emergency stop go off above this speed [km/h]."
    )
    is_hazard_after_crash: bool = Field(description="Hazard lamps after a collision.")
    has_rear_end_alert: bool = Field(description="The rear-end collision alert is fitted.")
    rear_alert_ttc_s: float = Field(
        ge=0.1, le=REAR_ALERT_TTC_S, description="Time to collision that starts it, fast closing [s]."
    )
    rear_alert_longest_s: float = Field(gt=0.0, le=REAR_ALERT_LONGEST_S, description="It lasts no longer [s].")
    rear_alert_lateral_m: float = Field(
        ge=0.5, le=3.0, description="A vehicle behind counts within this distance from the centre line [m]."
    )
    stop_decel_mps2: float = Field(
        gt=0.7, le=1.3, description="Automatic deceleration from which stop lamps light [m/s^2]."
    )
    stop_release_mps2: float = Field(ge=0.0, le=0.7, description="Below this they go off [m/s^2].")
    legal_confirmed: bool = Field(description="Every value above was checked against the text in force.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not is_flash_rate(self.ess_rate_hz, self.ess_source == "filament"):
            raise ValueError("ess_rate_hz must be 3.0 to 4.0 Hz where ess_source is filament (R48 6.23.7.1)")
        if self.ess_release_mps2 >= min(self.ess_decel_mps2, self.ess_decel_heavy_mps2):
            raise ValueError("ess_release_mps2 must be below ess_decel_mps2 and ess_decel_heavy_mps2 (hysteresis)")
        return self


class LightingParams(Strict):
    """Lamps (UN R48)."""

    headlamps: HeadlampParams = Field(description="Dipped beam and daytime running lamps.")
    main_beam: MainBeamParams = Field(description="Main-beam assist.")
    signals: SignalLampParams = Field(description="Emergency stop signal, hazard, rear-end alert, stop lamps.")
