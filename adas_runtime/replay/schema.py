"""What a replay leaves in its folder besides `out.mcap`: summary, events and plot series, as the report reads them.

    DIR/summary.json   one `Summary`
    DIR/events.jsonl   one `Event` a line, by time
    DIR/series.json    one `Series`: what the report plots, thinned out to what a screen can show
    DIR/stills/*.jpg   a small picture for each event that a camera saw; `Event.still` names it, relative to DIR

Times `t_s` are seconds since `Summary.start_s`, the bag's clock, so that a reader never handles 1.7e9 s.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from adas_runtime.errors import BagError

SUMMARY_SCHEMA: Final = "adas-replay-summary/1"
SERIES_SCHEMA: Final = "adas-replay-series/1"
SUMMARY_FILE: Final = "summary.json"
EVENTS_FILE: Final = "events.jsonl"
SERIES_FILE: Final = "series.json"
OUT_FILE: Final = "out.mcap"
STILLS_DIR: Final = "stills"


class _Record(BaseModel):
    """Frozen, and tolerant of keys that a later version of the same schema adds."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class InputSummary(_Record):
    """What one topic of the bag brought, or, with count 0, what is missing."""

    type: str = Field(description="ROS type of the topic; empty where the bag lacks it.")
    feeds: list[str] = Field(description="What the topic feeds, such as `vehicle_state.speed_mps`; empty: nothing.")
    count: int = Field(description="Messages read.")
    dropped: int = Field(description="Messages refused: undecodable, not finite, out of bounds.")
    max_gap_s: float | None = Field(description="Longest time without a message; None below two messages [s].")
    is_guessed: bool = Field(
        default=False,
        description="No input map named this topic; its meaning was guessed.",
    )
    note: str = Field(
        default="",
        description="Why it is not used, or how: frame convention, clock, plausibility.",
    )
    digest: str = Field(default="", description="SHA-256 over its log times and bytes, hex; empty where unused.")


class FunctionSummary(_Record):
    """What one function did."""

    stage: Literal["off", "shadow", "warn", "on"]
    time_active_s: float = Field(description="Time in which its status said active [s].")
    alerts: int = Field(description="Alerts begun, shadow ones included.")
    interventions: int = Field(description="Requests begun (envelope: times at which it began to limit).")
    kpis: dict[str, float] = Field(description="Figures, by the names that the function declares.")
    time_fault_s: float = Field(default=0.0, description="Time in which its health was a fault [s].")
    absent_s: dict[str, float] = Field(default_factory=dict, description="Time without each of its inputs [s].")


class Latency(_Record):
    """Compute time of one step of all due functions, this machine [ms]. Not part of the digest."""

    p50: float
    p95: float
    p99: float


class DriverText(_Record):
    """What the driver reads for an alert code, in the market's own words where it has some."""

    language: str
    direction: Literal["ltr", "rtl"]
    text: str
    english: str


class Summary(_Record):
    """One replay: one bag under one market."""

    schema_: Literal["adas-replay-summary/1"] = Field(alias="schema")
    bag: str = Field(description="Path as given on the command line.")
    market: str
    market_revision: str
    market_digest: str
    vehicle: str
    started_from: Literal["bag", "decision"] = Field(
        description="`decision`: recorded outputs of perception were used, and perception did not run."
    )
    start_s: float = Field(description="Log time of the first message used [s].")
    duration_s: float = Field(description="First to last message [s].")
    wall_s: float
    real_time_factor: float = Field(description="duration_s / wall_s")
    digest: str = Field(description="SHA-256 over the decision stream, hex.")
    decisions: int = Field(description="Values in the decision stream.")
    inputs: dict[str, InputSummary]
    functions: dict[str, FunctionSummary]
    latency_ms: Latency
    texts: dict[str, DriverText] = Field(
        default_factory=dict, description="What the driver read, by alert code of this drive."
    )
    warnings: list[str] = Field(description="One line each: what is wrong with the data, where, and the mend.")
    versions: dict[str, str] = Field(description="Software and model versions.")
    providers: dict[str, str] = Field(
        description="What each model ran on, as asserted when it was loaded, with form, hash and version."
    )
    command: str = Field(description="The command that repeats this replay.")

    @property
    def end_s(self) -> float:
        """Log time of the last message [s]."""
        return self.start_s + self.duration_s


class EventKind(str, Enum):
    """What happened."""

    ALERT_START = "alert_start"
    ALERT_END = "alert_end"
    REQUEST_START = "request_start"
    REQUEST_END = "request_end"
    ENVELOPE = "envelope"  # the set of limits that act has changed; code: the set, comma separated, empty: none
    STATUS = "status"  # state, health or absent inputs of a function have changed; code: the state
    INPUT = "input"  # something is wrong with the data; code: gap, clock_jump, refused, ...


class Event(_Record):
    """One line of the events file."""

    t_s: float = Field(description="Since the start of the bag [s].")
    kind: EventKind
    function: str = Field(description="Author; for `input` the topic.")
    code: str
    cause: str = ""
    side: Literal["", "left", "right"] = ""
    level: Literal["", "info", "warning", "critical"] = ""
    health: Literal["", "ok", "degraded", "fault"] = ""
    stage: Literal["", "off", "shadow", "warn", "on"] = ""
    is_shadow: bool = Field(default=False, description="It was recorded and reached nobody.")
    values: dict[str, float] = Field(default_factory=dict, description="Figures by name with unit, `speed_mps`.")
    still: str = Field(default="", description="Picture, relative to the folder; empty: none.")


class Track(_Record):
    """One line of a plot; times and values side by side, `None` breaks the line."""

    unit: str
    title: str
    t_s: list[float]
    values: list[float | None]


class Span(_Record):
    """One bar of the timeline."""

    start_s: float
    end_s: float
    label: str
    level: Literal[
        "off",
        "idle",
        "active",
        "shadow",
        "info",
        "warning",
        "critical",
        "degraded",
        "fault",
    ]
    text: str = ""


class Series(_Record):
    """What the report draws.

    Tracks that exist where the data does: `speed_mps`, `lane_left_m`, `lane_right_m` (lateral offset of the boundary
    at the rear axle, left positive), `lane_left_confidence`, `lane_right_confidence`, `demand_curvature_1pm` and
    `demand_accel_mps2` (arbiter), `command_curvature_1pm` and `command_accel_mps2` (envelope),
    `demand_cap_accel_mps2` and `command_cap_accel_mps2` (the most that the driver's pedal may ask for),
    `request_<function>_<quantity>` per asking function, `speed_limit_mps` (told) and `true_limit_mps` (truth).
    Rows of the timeline, in drawing order: one per function (its states), `<function> alerts`, `<function> requests`,
    `<function>: <lamp>` (what it asks of the lamp), `envelope limits`, `envelope cap`, `data` (gaps and jumps).
    """

    schema_: Literal["adas-replay-series/1"] = Field(alias="schema")
    duration_s: float
    tracks: dict[str, Track]
    rows: dict[str, list[Span]]


def read_summary(folder: Path) -> Summary:
    """The summary of a replay folder.

    Raises:
        BagError: There is none, or it is not one.
    """
    path = folder / SUMMARY_FILE
    try:
        return Summary.model_validate_json(path.read_bytes())
    except OSError as error:
        raise BagError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            mend="give the --out folder of an `adas replay` run",
        ) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise BagError(
            f"{place}: {first['msg']}",
            where=str(path),
            mend="run `adas replay` again with this version",
        ) from error


def read_events(folder: Path) -> Iterator[Event]:
    """The events of a replay folder, by time.

    Raises:
        BagError: There are none, or a line is not one.
    """
    path = folder / EVENTS_FILE
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BagError(
            f"cannot be read ({error.strerror})",
            where=str(path),
            mend="run `adas replay` again",
        ) from error
    for number, line in enumerate(lines, start=1):
        try:
            yield Event.model_validate_json(line)
        except ValidationError as error:
            raise BagError(
                f"not an event: {error.errors()[0]['msg']}",
                where=f"{path}:{number}",
                mend="run `adas replay` again",
            ) from error


def read_series(folder: Path) -> Series:
    """The plot series of a replay folder.

    Raises:
        BagError: There are none, or they are not what they should be.
    """
    path = folder / SERIES_FILE
    try:
        return Series.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise BagError("cannot be read", where=str(path), mend="run `adas replay` again") from error


def dump(record: _Record) -> str:
    """JSON of a record, keys in the order of declaration."""
    return record.model_dump_json(by_alias=True)
