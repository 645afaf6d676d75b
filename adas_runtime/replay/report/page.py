"""The page of one replay."""

from __future__ import annotations

import base64
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import jinja2
from markupsafe import Markup

from adas_runtime.errors import AdasError
from adas_runtime.replay.report.thinning import thin_spans, thin_track
from adas_runtime.replay.schema import (
    Event,
    EventKind,
    Series,
    Span,
    Summary,
    Track,
    read_events,
    read_series,
    read_summary,
)
from adas_runtime.units import KMH_PER_MPS, rad_to_deg

REPORT_FILE: Final = "report.html"
MAX_POINTS: Final = 20_000  # per line; min and max of each time, so that a zoom into one hour still shows 0.5 s
MAX_BARS: Final = 1_500  # per row of the timeline
DATED_FROM_S: Final = 946_684_800.0  # 2000: no recording of ROS 2 is older, and no clock since a start gets there
DATED_TO_S: Final = 4_102_444_800.0  # 2100
MAX_STILLS: Final = 40
MAX_EVENTS: Final = 2_000  # rows of the table; the file events.jsonl has them all
MAX_STILL_BYTES: Final = 400_000

KIND_TEXT: Final = {
    EventKind.ALERT_START: "alert",
    EventKind.ALERT_END: "alert ends",
    EventKind.REQUEST_START: "request",
    EventKind.REQUEST_END: "request ends",
    EventKind.ENVELOPE: "envelope",
    EventKind.STATUS: "status",
    EventKind.INPUT: "data",
}
LINE_COLOURS: Final = (
    "--line-1",
    "--line-2",
    "--line-3",
    "--line-4",
    "--line-5",
    "--line-6",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of a plot."""

    title: str
    colour: str
    t_s: list[float]
    values: list[float | None]
    dash: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plot:
    """One plot: lines of one unit over the drive's time."""

    key: str
    title: str
    unit: str
    lines: list[Line]
    note: str = ""
    band: tuple[float, float] | None = None
    marks: list[float] = field(default_factory=list)


def write_report(out_dir: Path) -> Path:
    """Write `report.html` from what a replay left in its folder.

    Args:
        out_dir: Folder with `summary.json`, `events.jsonl`, `series.json` and, where a camera saw the drive, `stills/`.
    Returns:
        The path of the page.
    Raises:
        BagError: A file is missing or is not what it should be.
    """
    summary = read_summary(out_dir)
    events = list(read_events(out_dir))
    series = read_series(out_dir)
    stills, stills_note = _stills(out_dir, events)
    plots, quiet = _plots(summary, series, events)
    data = {
        "duration_s": max(series.duration_s, summary.duration_s, 1e-3),
        "plots": [_plot_json(plot) for plot in plots],
    }
    notable = [event for event in events if is_notable(event)]
    page = (
        environment()
        .get_template("report.html.j2")
        .render(
            summary=summary,
            bag_name=Path(summary.bag).name or summary.bag,
            verdict=_verdict(summary, events),
            rows=[
                (name, _row_note(name), _stage(summary, name), _bars(spans, series.duration_s))
                for name, spans in series.rows.items()
            ],
            levels=_levels(series),
            plots=plots,
            quiet=quiet,
            stills=stills,
            stills_note=stills_note,
            events=events[:MAX_EVENTS],
            event_count=len(events),
            notable_count=len(notable),
            kind_text=KIND_TEXT,
            is_notable=is_notable,
            alert_codes=_alert_codes(events, summary),
            data=data,
            **page_parts("uPlot.iife.min.js", "report.js"),
        )
    )
    path = out_dir / REPORT_FILE
    path.write_text(page, encoding="utf-8")
    return path


def is_notable(event: Event) -> bool:
    """Whether a reader wants to see it first: something reached, or would have reached, driver, car or validity."""
    if event.kind is EventKind.STATUS:
        return event.health in ("fault", "degraded")
    return event.kind in (
        EventKind.ALERT_START,
        EventKind.REQUEST_START,
        EventKind.ENVELOPE,
        EventKind.INPUT,
    )


@cache
def environment() -> jinja2.Environment:
    """Templates with every value escaped, and a missing one an error."""
    loader = jinja2.FunctionLoader(lambda name: _asset(f"templates/{name}"))
    env = jinja2.Environment(
        loader=loader,
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.filters.update(clock=clock, stamp=stamp, moment=moment, figure=figure, duration=duration, data_json=data_json)
    return env


def page_parts(*scripts: str) -> dict[str, Any]:
    """Style, scripts in the order of loading, and the policy that lets exactly these run."""
    sources = [_asset(f"assets/{name}") for name in scripts]
    hashes = " ".join(f"'sha256-{base64.b64encode(hashlib.sha256(s.encode()).digest()).decode()}'" for s in sources)
    allowed = hashes or "'none'"
    policy = Markup(f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {allowed}")
    return {
        "style": Markup(_asset("assets/uPlot.min.css") + _asset("assets/report.css")),  # our own files
        "scripts": [Markup(source) for source in sources],
        "policy": policy,
    }


def clock(t_s: float) -> str:
    """Seconds of the drive as `1:02.35` or `1:00:02.35`."""
    hundredths = math.floor(t_s * 100 + 0.5)
    sign = "-" if hundredths < 0 else ""
    minutes, rest = divmod(abs(hundredths), 6000)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{rest // 100:02d}.{rest % 100:02d}"
    return f"{sign}{hours}:{minutes:02d}:{seconds}" if hours else f"{sign}{minutes}:{seconds}"


def stamp(time_s: float) -> str:
    """A time on the recording's clock as viewers take it: `1700000005.150`."""
    return f"{time_s:.3f}"


def moment(time_s: float) -> str:
    """A time on the recording's clock as date and time, where that clock tells one: `2023-11-14 22:13:20 UTC`.

    ROS counts from 1970 in UTC; a clock that counts from its own start gives no date, and `""` is told.
    """
    if not DATED_FROM_S <= time_s < DATED_TO_S:
        return ""
    return datetime.fromtimestamp(math.floor(time_s), tz=timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")


def duration(seconds: float) -> str:
    """A length of time for people: `30.0 s`, `2 min 05 s`, `1 h 02 min`."""
    if seconds < 120.0:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 7200:
        return f"{whole // 60} min {whole % 60:02d} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


def figure(value: float | None) -> str:
    """A number with four significant digits; a dash for none."""
    if value is None:
        return "–"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.4g}"


def data_json(value: Any) -> Markup:
    """JSON that can stand inside a script element: no `<`, `>` or `&` is left in it."""
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def _asset(name: str) -> str:
    return files("adas_runtime.replay.report").joinpath(name).read_text(encoding="utf-8")


def _verdict(summary: Summary, events: Sequence[Event]) -> list[dict[str, str]]:
    """The strip on top: what a reader wants to know before anything else."""
    functions = summary.functions
    alerts = sum(item.alerts for item in functions.values())
    shadow = sum(1 for event in events if event.kind is EventKind.ALERT_START and event.is_shadow)
    envelope = functions.get("envelope")
    limited = envelope.interventions if envelope is not None else 0
    requests = sum(item.interventions for name, item in functions.items() if name != "envelope")
    faults = {name: item.time_fault_s for name, item in functions.items() if item.time_fault_s > 0.0}
    dropped = sum(item.dropped for item in summary.inputs.values())
    missing = [name for name, item in summary.inputs.items() if item.count == 0]
    return [
        {
            "label": "Alerts",
            "value": str(alerts),
            "note": f"{shadow} of them in shadow, unseen by the driver" if shadow else "to the driver",
            "level": "warning" if alerts else "calm",
            "href": "#events",
        },
        {
            "label": "Interventions",
            "value": str(requests),
            "note": f"envelope limited {limited} time{'' if limited == 1 else 's'}",
            "level": "warning" if requests or limited else "calm",
            "href": "#drive",
        },
        {
            "label": "Functions in fault",
            "value": str(len(faults)),
            "note": ", ".join(f"{name} {duration(time_s)}" for name, time_s in faults.items()) or "none at any time",
            "level": "fault" if faults else "good",
            "href": "#functions",
        },
        {
            "label": "Data warnings",
            "value": str(len(summary.warnings)),
            "note": f"{dropped} messages refused, {len(missing)} input{'' if len(missing) == 1 else 's'} missing",
            "level": "degraded" if summary.warnings or dropped else "good",
            "href": "#data",
        },
        {
            "label": "Speed of replay",
            "value": f"{figure(round(summary.real_time_factor, 1))}×",  # times, not x
            "note": f"{duration(summary.duration_s)} of driving in {duration(summary.wall_s)}",
            "level": "calm",
            "href": "#reproduce",
        },
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertCode:
    """How often an alert came, and what the driver reads: in the market's first language, and in English."""

    code: str
    count: int
    language: str
    direction: str
    text: str
    english: str


def _alert_codes(events: Iterable[Event], summary: Summary) -> list[AlertCode]:
    """Every alert of the drive, with what the driver read: the replay wrote it down, since a market may be a file."""
    counts = Counter((event.function, event.code) for event in events if event.kind is EventKind.ALERT_START)
    found = []
    for (_, code), count in sorted(counts.items()):
        told = summary.texts.get(code)
        found.append(
            AlertCode(
                code=code,
                count=count,
                language=told.language if told is not None else "en",
                direction=told.direction if told is not None else "ltr",
                text="" if told is None or told.text == code else told.text,
                english="" if told is None or told.english in (code, told.text) else told.english,
            )
        )
    return found


def _bars(spans: Sequence[Span], duration_s: float) -> list[dict[str, Any]]:
    bars = []
    for span in thin_spans(spans, MAX_BARS):
        start_s = min(max(span.start_s, 0.0), duration_s)
        end_s = min(max(span.end_s, start_s), duration_s)
        text = f"{span.label}, {clock(span.start_s)} to {clock(span.end_s)}"
        bars.append(
            {
                "start": f"{start_s:.3f}",
                "end": f"{end_s:.3f}",
                "label": span.label,
                "level": span.level,
                "text": f"{text}: {span.text}" if span.text else text,
            }
        )
    return bars


def _stage(summary: Summary, row: str) -> str:
    function = summary.functions.get(row)
    return function.stage if function is not None else ""


def _row_note(name: str) -> str:
    if name.endswith(" alerts"):
        return "alerts"
    if name.endswith(" requests"):
        return "requests"
    if name.startswith("ego_lane "):
        return "lane"
    if name.startswith("dcas "):
        return "assistance"
    if ": " in name:
        return "what is asked of the lamp"
    return {"envelope limits": "limits", "envelope cap": "cap of the driver's pedal"}.get(name, "state")


def _levels(series: Series) -> list[str]:
    used = {span.level for spans in series.rows.values() for span in spans}
    order = (
        "off",
        "idle",
        "active",
        "shadow",
        "info",
        "warning",
        "critical",
        "degraded",
        "fault",
    )
    return [level for level in order if level in used]


def _plots(summary: Summary, series: Series, events: Sequence[Event]) -> tuple[list[Plot], list[str]]:
    """The plots in reading order, and the names of what never left zero and is therefore not drawn."""
    tracks = dict(series.tracks)
    marks = [round(event.t_s, 3) for event in events if event.kind is EventKind.ALERT_START][:500]
    plots: list[Plot] = []
    quiet: list[str] = []

    lane: dict[str, Track] = {name: tracks.pop(name) for name in ("lane_left_m", "lane_right_m") if name in tracks}
    if lane:
        half_m = _half_tyre_width_m(summary.vehicle)
        note = "Lateral position of the lane boundaries at the rear axle, left positive."
        if half_m is not None:
            note += (
                f" The band is the car between its outer tyre edges ({2.0 * half_m:.2f} m): a line in it is a crossing."
            )
        plots.append(
            Plot(
                key="lane",
                title="Lane boundaries",
                unit="m",
                lines=_lines(
                    lane,
                    {"lane_left_m": "left boundary", "lane_right_m": "right boundary"},
                ),
                note=note,
                band=None if half_m is None else (-half_m, half_m),
                marks=marks,
            )
        )
    own: dict[str, Track] = {
        name: tracks.pop(name) for name in ("ego_offset_m", "ego_width_m", "ego_shift_m") if name in tracks
    }
    if any(value is not None for track in own.values() for value in track.values):
        plots.append(
            Plot(
                key="own-lane",
                title="Own lane",
                unit="m",
                lines=_lines(own, {}),
                note="Centre of the lane at the rear axle and the wanted place in it, left positive, and its width.",
                marks=marks,
            )
        )
    speed = tracks.pop("speed_mps", None)
    if speed is not None:
        names = {"speed_mps": "ego speed", "speed_limit_mps": "limit told", "true_limit_mps": "true limit"}
        told: dict[str, Track] = {
            name: tracks.pop(name) for name in ("speed_limit_mps", "true_limit_mps") if name in tracks
        }
        plots.append(
            Plot(
                key="speed",
                title="Speed",
                unit="km/h",
                lines=_lines({"speed_mps": speed, **told}, names, factor=KMH_PER_MPS),
                note="A gap in the line of a limit: none is told, or there is none." if told else "",
                marks=marks,
            )
        )
    gap = tracks.pop("headway_gap_m", None)
    if gap is not None:
        plots.append(
            Plot(
                key="gap",
                title="Gap to the car ahead",
                unit="m",
                lines=_lines({"headway_gap_m": gap}, {}),
                note="Bumper to bumper, as the distance warning knows it, once a second.",
                marks=marks,
            )
        )
    users: dict[str, Track] = {
        name: tracks.pop(name) for name in ("users", "users_of_both", "users_standing") if name in tracks
    }
    if any(value is not None for track in users.values() for value in track.values):
        plots.append(
            Plot(
                key="users",
                title="Road users",
                unit="",
                lines=_lines(users, {}),
                note="How many tracking tells of, once a second; where each stands, the viewer shows (/viz/objects).",
                marks=marks,
            )
        )
    gaze: dict[str, Track] = {
        name: tracks.pop(name) for name in ("driver_pitch_rad", "driver_yaw_rad") if name in tracks
    }
    if any(value is not None for track in gaze.values() for value in track.values):
        plots.append(
            Plot(
                key="gaze",
                title="Driver: gaze",
                unit="deg",
                lines=_lines(gaze, {}, factor=rad_to_deg(1.0)),
                note="From straight ahead, as the driver camera tells it; no picture of the driver is kept.",
                marks=marks,
            )
        )
    for key, name, title, note in (
        ("eyes", "driver_openness", "Driver: eyes", "0 closed, 1 open."),
        ("drowsiness", "driver_score", "Driver: drowsiness", "1 very alert, 7 sleepy, 9 fighting sleep."),
    ):
        track = tracks.pop(name, None)
        if track is not None and any(value is not None for value in track.values):
            plots.append(
                Plot(key=key, title=title, unit=track.unit, lines=_lines({name: track}, {}), note=note, marks=marks)
            )
    for key, title, suffix in (
        ("accel", "Acceleration: demand and command", "_accel_mps2"),
        ("curvature", "Path curvature: demand and command", "_curvature_1pm"),
    ):
        group = {name: tracks.pop(name) for name in list(tracks) if name.endswith(suffix)}
        if not group:
            continue
        if all(not value for track in group.values() for value in track.values):
            quiet.append(title.split(":")[0].lower())
            continue
        names = {name: _quantity_title(name, suffix) for name in group}
        plots.append(
            Plot(
                key=key,
                title=title,
                unit=next(iter(group.values())).unit,
                lines=_lines(group, names),
                marks=marks,
            )
        )
    confidence = {name: tracks.pop(name) for name in list(tracks) if name.endswith("_confidence")}
    if confidence:
        names = {
            "lane_left_confidence": "left boundary",
            "lane_right_confidence": "right boundary",
            "ego_confidence": "own lane",
        }
        plots.append(
            Plot(
                key="confidence",
                title="Confidence of the lane boundaries and of the own lane",
                unit="1",
                lines=_lines(confidence, names),
            )
        )
    by_unit: dict[str, dict[str, Track]] = {}
    for name, track in tracks.items():
        by_unit.setdefault(track.unit, {})[name] = track
    for unit, group in by_unit.items():
        titles = ", ".join(track.title for track in group.values())
        plots.append(
            Plot(
                key=f"more-{len(plots)}",
                title=titles,
                unit=unit,
                lines=_lines(group, {}),
            )
        )
    return plots, quiet


def _quantity_title(name: str, suffix: str) -> str:
    stem = name.removesuffix(suffix)
    if stem == "demand":
        return "demand (arbiter)"
    if stem == "command":
        return "command (envelope)"
    if stem.endswith("_cap"):
        return f"cap of the driver's pedal ({'arbiter' if stem.startswith('demand') else 'envelope'})"
    return stem.removeprefix("request_") + " asks"


def _lines(group: dict[str, Track], names: dict[str, str], factor: float = 1.0) -> list[Line]:
    lines = []
    for index, (name, track) in enumerate(group.items()):
        t_s, values = thin_track(track.t_s, track.values, MAX_POINTS)
        lines.append(
            Line(
                title=names.get(name, track.title),
                colour=LINE_COLOURS[index % len(LINE_COLOURS)],
                t_s=[round(t, 3) for t in t_s],
                values=[None if value is None else float(f"{value * factor:.6g}") for value in values],
                dash=(6, 4) if name.startswith("demand_") else None,
            )
        )
    return lines


def _plot_json(plot: Plot) -> dict[str, Any]:
    return {
        "key": plot.key,
        "unit": plot.unit,
        "band": plot.band,
        "marks": plot.marks,
        "lines": [
            {
                "title": line.title,
                "colour": line.colour,
                "t": line.t_s,
                "v": line.values,
                "dash": line.dash,
            }
            for line in plot.lines
        ],
    }


def _half_tyre_width_m(vehicle: str) -> float | None:
    """Half the width over the tyres; `None` where the vehicle file is not on this machine: then no band is drawn."""
    try:
        from adas_runtime.vehicle import load_vehicle

        return load_vehicle(vehicle).dimensions.tyre_outer_width_m / 2.0
    except AdasError:
        return None


def _stills(out_dir: Path, events: Sequence[Event]) -> tuple[list[dict[str, Any]], str]:
    """Pictures of the events, gravest kinds first where there are too many, then by time."""
    root = out_dir.resolve()
    seen: set[tuple[str, str, str, float]] = set()
    candidates = []
    for index, event in enumerate(events):
        key = (event.still, event.function, event.code, event.t_s)
        if event.still and key not in seen:
            seen.add(key)
            candidates.append((_rank(event), index, event))
    chosen = sorted(candidates, key=lambda item: item[:2])[:MAX_STILLS]
    stills = []
    lost = 0
    for _, index, event in sorted(chosen, key=lambda item: item[1]):
        path = (out_dir / event.still).resolve()
        if not path.is_relative_to(root) or not path.is_file() or path.stat().st_size > MAX_STILL_BYTES:
            lost += 1
            continue
        kind = {".png": "png", ".webp": "webp"}.get(path.suffix.lower(), "jpeg")
        picture = base64.b64encode(path.read_bytes()).decode("ascii")
        stills.append(
            {
                "event": event,
                "index": index,
                "source": f"data:image/{kind};base64,{picture}",
            }
        )
    notes = []
    if len(candidates) > len(chosen):
        notes.append(
            f"{len(chosen)} of {len(candidates)} pictures are shown, alerts and faults first; the rest is in stills/."
        )
    if lost:
        notes.append(f"{lost} picture{'' if lost == 1 else 's'} could not be read.")
    return stills, " ".join(notes)


def _rank(event: Event) -> int:
    if event.level == "critical" or event.health == "fault":
        return 0
    order = (
        EventKind.ALERT_START,
        EventKind.REQUEST_START,
        EventKind.ENVELOPE,
        EventKind.STATUS,
    )
    return 1 + order.index(event.kind) if event.kind in order else 1 + len(order)
