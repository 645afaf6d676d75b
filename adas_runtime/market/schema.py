"""What a market file holds: one declaration gives types, ranges, units, texts, the JSON Schema and the reference.

No field has a default: `config/markets/base.yaml` holds every value, so that nothing is hidden in code. A number that
the law or a driver speaks in km/h or degrees keeps that unit in the file and says so in its name.

`cautious` on a field says which way is safe for a value that nobody has checked (confidence `u`): `higher`, `lower`,
`false`, `fewer` (items of the base only), `unknown` (that word); where nothing is said, an unchecked value may not
differ.
"""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field, PrivateAttr, StringConstraints, model_validator
from typing_extensions import Self

from adas_runtime.aeb.params import EmergencyBrakingParams
from adas_runtime.alks.params import AlksParams
from adas_runtime.arbitration.params import EnvelopeParams, HealthParams
from adas_runtime.config import Strict, need_items
from adas_runtime.dcas.headway_params import HeadwayParams
from adas_runtime.dcas.system_params import DcasParams
from adas_runtime.driver_monitoring.params import DriverMonitoringParams
from adas_runtime.isa.params import IsaParams
from adas_runtime.lane_keeping.centring_params import LaneCentringParams
from adas_runtime.lane_keeping.change_params import AutomaticLaneChangeParams
from adas_runtime.lane_keeping.correction_params import EmergencyLaneKeepingParams
from adas_runtime.lane_keeping.lane_params import EgoLaneParams
from adas_runtime.lane_keeping.params import LaneDepartureParams
from adas_runtime.lane_keeping.side_wind_params import SideWindParams
from adas_runtime.lateral.params import LateralControlParams
from adas_runtime.lighting.params import LightingParams
from adas_runtime.longitudinal.following_params import FollowingParams
from adas_runtime.market.facts import Corridor, DefaultLimit, Following, Parking, Place, Signs, SpeedDefaults
from adas_runtime.perception.params import LanePerceptionParams
from adas_runtime.perception.tracking.params import TrackingParams
from adas_runtime.signals import SpeedUnit, Stage

FORMAT: Final = 1
STAGES: Final = {stage.name.lower(): stage for stage in Stage}

StageName = Literal["off", "shadow", "warn", "on"]
Category = Literal["M1", "N1", "M2", "M3", "N2", "N3"]
Colour = Literal["white", "yellow", "orange", "blue"]
Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}(-[A-Z0-9]{1,8})?$")]
Language = Annotated[str, StringConstraints(pattern=r"^[a-z]{2}$")]
TextCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_./]{0,63}$")]
Text = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"\S")]


def _day(value: Any) -> Any:
    """A date from its text; strict, since pydantic would also take a number of seconds for a date."""
    if value is None or isinstance(value, date):
        return value
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise ValueError("must be a date that exists, YYYY-MM-DD; write it such as 2026-12-01")


Day = Annotated[date, BeforeValidator(_day)]


class Feature(Strict):
    """How much one function may do in this market, and on what ground."""

    stage: StageName = Field(
        description="off: not run; shadow: runs and is recorded, reaches neither driver nor car; warn: alerts reach "
        "the driver; on: requests reach the car."
    )
    approval_ref: str = Field(
        max_length=128,
        description="Approval that covers this function at this stage; empty where there is none.",
    )
    valid_from: Day | None = Field(description="First day on which the stage may be used.")
    valid_until: Day | None = Field(description="Last day on which the stage may be used; nothing: without end.")
    reason: str = Field(max_length=256, description="Why this stage; required below `warn`.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.stage in ("off", "shadow") and not self.reason.strip():
            raise ValueError("reason is empty although the function is kept below warn; say why")
        if self.approval_ref and self.valid_from is None:
            raise ValueError("valid_from is missing although an approval is named; give its first day")
        if self.valid_from is not None and self.valid_until is not None and self.valid_until < self.valid_from:
            raise ValueError("valid_until lies before valid_from; give the last day of the approval")
        return self


class Features(Strict):
    """The functions with a stage. A new function adds one line here, named like its `FunctionSpec`."""

    headlamps: Feature = Field(description="Automatic dipped beam, daytime running lamps and main beam, UN R48.")
    signal_lamps: Feature = Field(description="Emergency stop signal, automatic hazard and stop lamps, UN R48.")
    lane_departure: Feature = Field(description="Lane departure warning, R130 style.")
    elks: Feature = Field(description="Emergency lane keeping, the correcting half, 2021/646.")
    lane_centring: Feature = Field(description="Lane centring, hands on the wheel, UN R79 ACSF B1.")
    lane_change: Feature = Field(description="Lane change at the driver's indicator, hands on, UN R79 ACSF C.")
    side_wind: Feature = Field(description="Help in side wind, UN R79 corrective steering.")
    dcas: Feature = Field(description="Driver control assistance, hands on the wheel, UN R171.")
    aeb: Feature = Field(description="Autonomous emergency braking, UN R152.")
    alks: Feature = Field(description="Automated lane keeping, UN R157.")
    headway: Feature = Field(description="Warning of a distance that is shorter than usual in the country.")
    drowsiness: Feature = Field(description="Drowsiness warning, 2021/1341.")
    distraction: Feature = Field(description="Distraction warning, 2023/2590.")
    isa: Feature = Field(description="Intelligent speed assistance; elsewhere than in the EU, the speed limit.")


class Road(Strict):
    """Rules of the road that hold everywhere in the market."""

    traffic_side: Literal["left", "right"] = Field(description="Side of the road that traffic keeps to.")
    speed_unit: Literal["kmh", "mph"] = Field(description="Unit on signs and on the driver's display.")


class LaneWidth(Strict):
    """Lane widths between the inner edges of the markings (R130 Annex 3)."""

    nominal_m: float = Field(ge=2.4, le=4.5, description="Usual lane [m].")
    min_m: float = Field(
        ge=2.2,
        le=3.5,
        description="Narrowest pair of lines taken for a lane where nothing tells of works [m].",
        json_schema_extra={"cautious": "higher"},
    )
    works_min_m: float = Field(
        ge=2.2,
        le=3.5,
        description="Narrowest pair of lines taken for a lane in works, told by colour, signs or cones [m].",
        json_schema_extra={"cautious": "higher"},
    )
    max_m: float = Field(
        ge=3.0,
        le=5.5,
        description="Widest pair of lines taken for one lane [m].",
        json_schema_extra={"cautious": "lower"},
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.works_min_m <= self.min_m:
            raise ValueError("works_min_m must be <= min_m; a lane in works is never wider than one outside")
        if not self.min_m <= self.nominal_m:
            raise ValueError("min_m must be <= nominal_m; the usual lane must be accepted")
        if not self.nominal_m <= self.max_m:
            raise ValueError("max_m must be >= nominal_m; the usual lane must be accepted")
        return self


class Dash(Strict):
    """A broken line."""

    paint_m: float = Field(gt=0.0, le=12.0, description="Length of a painted dash [m].")
    gap_m: float = Field(gt=0.0, le=20.0, description="Gap to the next dash [m].")


class LineWidth(Strict):
    """Widths of painted lines."""

    edge_m: float = Field(ge=0.05, le=0.5, description="Edge line of the carriageway [m].")
    lane_m: float = Field(ge=0.05, le=0.5, description="Line between lanes or opposing flows [m].")


class WorksMarking(Strict):
    """Temporary markings in road works."""

    colours: tuple[Colour, ...] = Field(
        max_length=4,
        description="Colours that tell of works; empty: none is known, permanent lines hold.",
        json_schema_extra={"cautious": "fewer"},
    )
    overrides_permanent: bool = Field(
        description="A temporary marking cancels the permanent one beside it.",
        json_schema_extra={"cautious": "false"},
    )
    has_raised: bool = Field(
        description="Rows of raised markers in a works colour are works markings too, where no others count.",
        json_schema_extra={"cautious": "false"},
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        need_items("overrides_permanent", self.overrides_permanent, "colours", self.colours, "name those of works")
        return self


class RaisedMarkers(Strict):
    """Buttons and studs that stand in for paint or beside it."""

    is_used: bool = Field(
        description="Rows of raised markers may be lane boundaries.",
        json_schema_extra={"cautious": "false"},
    )
    centre_colour: Colour | None = Field(
        description="Colour of raised markers towards the middle of the road; nothing: colours say nothing."
    )


class LaneFacts(Strict):
    """Lanes and markings as they are painted in this market: facts, each with its confidence and source."""

    width: LaneWidth = Field(description="Lane widths.")
    opposing_line_colour: Colour = Field(description="Colour of the line to the opposing flow.")
    edge_line_colour: Colour = Field(description="Colour of the edge line.")
    edge_line_pattern: Literal["solid", "dashed_off_motorway"] = Field(
        description="Pattern of the edge line; dashed_off_motorway: short dashes, solid on motorways only."
    )
    dash: Dash = Field(description="The usual broken line.")
    line_width: LineWidth = Field(description="Line widths.")
    works: WorksMarking = Field(description="Temporary markings.")
    raised: RaisedMarkers = Field(description="Raised markers.")
    covering: tuple[Literal["snow", "sand"], ...] = Field(
        max_length=2,
        description="What covers markings in this country; where they fade, the driver is told which it may be.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        # yellow is either works or opposing traffic, never both; one global rule is unsafe.
        if self.works.overrides_permanent and self.opposing_line_colour in self.works.colours:
            raise ValueError(
                f"opposing_line_colour is {self.opposing_line_colour}, which also tells of works and would cancel "
                "the line to the opposing flow; take the colour out of works.colours, or set overrides_permanent false"
            )
        return self


class Alerts(Strict):
    """What the driver reads. The texts stand in `config/texts/`, one file per language."""

    languages: tuple[Language, ...] = Field(
        min_length=1,
        max_length=4,
        description="Languages, ISO 639-1; the first is shown. Each must have every text.",
    )
    wanted: tuple[Language, ...] = Field(
        max_length=4,
        description="Languages of the country that have no texts yet; while one is named the market has no release.",
    )
    texts: dict[TextCode, dict[Language, Text]] = Field(
        description="The market's own wording, by alert code and language, instead of that of the language file."
    )


class Certificates(Strict):
    """The maker's certificates that functions may depend on; a rule says which function does."""

    r155_valid_until: Day | None = Field(description="Last day of the UN R155 certificate (cyber security).")
    r156_valid_until: Day | None = Field(description="Last day of the UN R156 certificate (software update).")


class Market(Strict):
    """One market, merged: what a core may be built from."""

    format: Literal[1] = Field(description="Format of the file; not inherited.")
    market: Code = Field(
        description='Code of the market, in quotes: ISO 3166-1, or "EU" for what its members share; not inherited.'
    )
    title: str = Field(min_length=1, max_length=64, description="Name for people; not inherited.")
    revision: str = Field(
        min_length=1,
        max_length=64,
        description="Revision of this file, a date; not inherited.",
    )
    categories: tuple[Category, ...] = Field(
        min_length=1,
        description="UN vehicle categories that the market is released for; the rules are judged for each.",
    )
    software_id: str = Field(
        max_length=64,
        description="Software identification that the car reports for these functions (RXSWIN, UN R156); a change of "
        "a stage needs another one. Empty: not assigned yet.",
    )
    certificates: Certificates = Field(description="The maker's certificates.")
    features: Features = Field(description="Stage per function.")
    road: Road = Field(description="Rules of the road.")
    speed_defaults: SpeedDefaults = Field(description="Speed limits where no sign stands.")
    signs: Signs = Field(description="Speed-limit signs.")
    lanes: LaneFacts = Field(description="Lanes and markings.")
    following: Following = Field(description="Distance to the car ahead.")
    corridor: Corridor = Field(description="Emergency corridor.")
    parking: Parking = Field(description="Parking.")
    alerts: Alerts = Field(description="What the driver reads.")
    perception: LanePerceptionParams = Field(description="Lane perception.")
    ego_lane: EgoLaneParams = Field(description="The one lane estimate that all lane functions share.")
    tracking: TrackingParams = Field(description="The one list of road users that all functions share.")
    lane_departure: LaneDepartureParams = Field(description="Lane departure warning.")
    lateral_control: LateralControlParams = Field(description="How every function that steers leads the car.")
    elks: EmergencyLaneKeepingParams = Field(description="Emergency lane keeping, the correcting half.")
    lane_centring: LaneCentringParams = Field(description="Lane centring.")
    lane_change: AutomaticLaneChangeParams = Field(description="Automatic lane change.")
    side_wind: SideWindParams = Field(description="Help in side wind.")
    isa: IsaParams = Field(description="Intelligent speed assistance.")
    lighting: LightingParams = Field(description="Lamps.")
    longitudinal: FollowingParams = Field(description="Following and set speed of driver control assistance.")
    dcas: DcasParams = Field(description="Driver control assistance.")
    aeb: EmergencyBrakingParams = Field(description="Emergency braking.")
    alks: AlksParams = Field(description="Automated lane keeping.")
    headway: HeadwayParams = Field(description="Distance warning.")
    driver_monitoring: DriverMonitoringParams = Field(description="Drowsiness and distraction.")
    envelope: EnvelopeParams = Field(description="Limits of the safety envelope.")
    health: HealthParams = Field(description="Health monitor.")

    @model_validator(mode="after")
    def _check(self) -> Self:
        width, warning = self.lanes.width, self.lane_departure
        stages = self.stages()
        if stages["dcas"] is Stage.WARN:
            raise ValueError(
                "features.dcas.stage is warn: the driver would read that the car steers while it does not; write off, "
                "shadow or on"
            )
        if stages["dcas"] > Stage.SHADOW >= stages["lane_departure"]:
            raise ValueError(
                f"features.dcas.stage is {self.features.dcas.stage}, yet lane_departure reaches nobody "
                f"({self.features.lane_departure.stage}): assistance needs a lane departure warning (R171 5.1.5)"
            )
        if stages["lane_change"] is Stage.WARN:
            raise ValueError(
                "features.lane_change.stage is warn: the driver would read that the car changes lanes while it does "
                "not; write off, shadow or on"
            )
        if stages["lane_change"] > Stage.SHADOW and stages["lane_centring"] is not Stage.ON:
            raise ValueError(
                f"features.lane_change.stage is on, yet lane_centring is {self.features.lane_centring.stage}: a change "
                "begins and ends with lane centring (R79 5.6.4.1)"
            )
        if self.tracking.standing_confidence >= self.aeb.confidence_min:
            raise ValueError(
                f"tracking.standing_confidence = {self.tracking.standing_confidence:g} reaches aeb.confidence_min = "
                f"{self.aeb.confidence_min:g}: bridges and rails that radar alone sees would be warned of; lower it"
            )
        if warning.lane_width_min_m > width.works_min_m:
            raise ValueError(
                f"lane_departure stands by in lanes narrower than lane_width_min_m = {warning.lane_width_min_m}, which "
                f"works_min_m = {width.works_min_m} takes for lanes; lower lane_width_min_m"
            )
        if warning.lane_width_max_m < width.max_m:
            raise ValueError(
                f"lane_departure stands by in lanes wider than lane_width_max_m = {warning.lane_width_max_m}, which "
                f"max_m = {width.max_m} takes for lanes; raise lane_width_max_m"
            )
        self._check_lateral()
        return self

    def _check_lateral(self) -> None:
        """What functions ask for must pass the envelope: one that cuts them would open their loops."""
        accel, jerk = self.envelope.lateral_accel_max_mps2, self.envelope.lateral_jerk_max_mps3
        declared = max(
            value for _, value in self.lane_centring.aysmax.steps() + self.lane_centring.aysmax_heavy.steps()
        )
        asked = {
            "lane_centring.aysmax and lane_centring.excess_mps2": (declared + self.lane_centring.excess_mps2, accel),
            "elks.accel_max_mps2": (self.elks.accel_max_mps2, accel),
            "elks.jerk_max_mps3": (self.elks.jerk_max_mps3, jerk),
            "dcas.lateral_accel_max_mps2": (self.dcas.lateral_accel_max_mps2, accel),
            "alks.lateral_accel_max_mps2": (self.alks.lateral_accel_max_mps2, accel),
            "lateral_control.jerk_max_mps3": (self.lateral_control.jerk_max_mps3, jerk),
        }
        for key, (value, bound) in asked.items():
            if value > bound + 1e-9:
                raise ValueError(f"{key}: {value:g} is more than the envelope lets through, {bound:g}; lower it")
        if self.elks.override_torque_nm > self.envelope.override_torque_nm:
            raise ValueError("elks.override_torque_nm is above that of the envelope, which hands back first; lower it")
        if self.lane_centring.override_torque_nm > self.envelope.override_torque_nm:
            raise ValueError("lane_centring.override_torque_nm is above that of the envelope; lower it")

    _lineage: tuple[str, ...] = PrivateAttr(default=())

    @property
    def lineage(self) -> tuple[str, ...]:
        """Its file and what that extends, the nearest first: where a model may run is said by any of them."""
        return self._lineage or (self.name,)

    def descends_from(self, lineage: tuple[str, ...]) -> None:
        """Take note of the files that it was merged from."""
        self._lineage = lineage

    @property
    def name(self) -> str:
        """The market's name on the command line and in recordings: its code in lower case."""
        return self.market.lower()

    def stages(self) -> dict[str, Stage]:
        """Stage per function."""
        return {name: STAGES[getattr(self.features, name).stage] for name in type(self.features).model_fields}

    @property
    def speed_unit(self) -> SpeedUnit:
        """Unit of the signs and of the driver's display."""
        return SpeedUnit.MPH if self.road.speed_unit == "mph" else SpeedUnit.KMH

    def default_limit(self, *kinds: Place, region: str = "") -> DefaultLimit:
        """The limit where no sign stands, of a road that is one of these kinds; unknown where they disagree."""
        return self.speed_defaults.limit_for(kinds, self.speed_unit, region)

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the merged values, so that a recording says exactly which configuration decided."""
        text = json.dumps(
            self.model_dump(mode="json"),
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=False,
        )
        return hashlib.sha256(text.encode()).hexdigest()
