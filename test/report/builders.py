"""A replay's folder in the shape that `adas_runtime/replay/schema.py` declares, without a replay."""
# ruff: noqa: E501 - one event a line reads best

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

from adas_runtime.replay.schema import (
    EVENTS_FILE,
    SERIES_FILE,
    SERIES_SCHEMA,
    STILLS_DIR,
    SUMMARY_FILE,
    SUMMARY_SCHEMA,
)


def make_summary(**changes: Any) -> dict[str, Any]:
    """A summary of 30 s with two departures, one function each in a stage, and one warning."""
    summary: dict[str, Any] = {
        "schema": SUMMARY_SCHEMA,
        "bag": "drives/a9_evening.mcap",
        "market": "de",
        "market_revision": "2026.1",
        "market_digest": "5f" * 32,
        "vehicle": "reference",
        "started_from": "bag",
        "start_s": 1_700_000_000.0,
        "duration_s": 30.0,
        "wall_s": 0.25,
        "real_time_factor": 120.0,
        "digest": "ab" * 32,
        "decisions": 9000,
        "inputs": {
            "/vehicle/state": {
                "type": "adas_interfaces/msg/VehicleState",
                "feeds": ["vehicle_state"],
                "count": 3000,
                "dropped": 2,
                "max_gap_s": 0.31,
            },
            "/radar/objects": {"type": "", "feeds": ["radar"], "count": 0, "dropped": 0, "max_gap_s": None},
        },
        "functions": {
            "lane_departure": {
                "stage": "warn",
                "time_active_s": 24.5,
                "alerts": 2,
                "interventions": 0,
                "kpis": {"distance_left_m": 0.42, "distance_right_m": 0.61},
                "absent_s": {"lane_model": 1.5},
            },
            "envelope": {
                "stage": "on",
                "time_active_s": 30.0,
                "alerts": 0,
                "interventions": 1,
                "kpis": {},
                "time_fault_s": 0.0,
            },
        },
        "latency_ms": {"p50": 0.08, "p95": 0.12, "p99": 0.2},
        "warnings": ["/vehicle/state: gap of 0.31 s at 12.2 s; check the recorder's load"],
        "versions": {"adas_runtime": "0.1.0", "opencv": "5.0.0"},
        "providers": {},
        "command": "adas replay drives/a9_evening.mcap --market de --out out/a9",
    }
    summary.update(changes)
    return summary


def make_events() -> list[dict[str, Any]]:
    """Two departures, a degraded phase, a data gap."""
    return [
        {"t_s": 0.0, "kind": "status", "function": "lane_departure", "code": "standby", "cause": "speed", "health": "ok"},
        {"t_s": 8.0, "kind": "alert_start", "function": "lane_departure", "code": "lane_departure_left", "side": "left",
         "cause": "left line in 0.4 s", "level": "warning", "stage": "warn", "values": {"distance_m": 0.12}},
        {"t_s": 9.2, "kind": "alert_end", "function": "lane_departure", "code": "lane_departure_left", "level": "warning"},
        {"t_s": 12.2, "kind": "input", "function": "/vehicle/state", "code": "gap", "cause": "0.31 s without a message"},
        {"t_s": 12.3, "kind": "status", "function": "lane_departure", "code": "standby", "cause": "no vehicle state",
         "health": "degraded"},
        {"t_s": 12.3, "kind": "envelope", "function": "envelope", "code": "stale_input", "cause": "ramp to zero"},
        {"t_s": 21.0, "kind": "alert_start", "function": "lane_departure", "code": "lane_departure_right",
         "side": "right", "cause": "right line crossed", "level": "critical", "is_shadow": True},
        {"t_s": 22.0, "kind": "alert_end", "function": "lane_departure", "code": "lane_departure_right"},
    ]  # fmt: skip


def make_series(duration_s: float = 30.0, rate_hz: float = 20.0) -> dict[str, Any]:
    """Speed and both boundaries, with a hole where the left one was not seen."""
    t_s = [index / rate_hz for index in range(int(duration_s * rate_hz) + 1)]
    sway = [0.9 * math.exp(-(((t - 8.6) / 1.2) ** 2)) - 0.9 * math.exp(-(((t - 21.4) / 1.2) ** 2)) for t in t_s]
    left = [None if 15.0 < t < 16.5 else 1.75 - s for t, s in zip(t_s, sway, strict=True)]
    right = [-1.75 - s for s in sway]

    def track(title: str, unit: str, values: list[Any]) -> dict[str, Any]:
        return {"title": title, "unit": unit, "t_s": t_s, "values": values}

    def span(start_s: float, end_s: float, label: str, level: str, text: str = "") -> dict[str, Any]:
        return {"start_s": start_s, "end_s": end_s, "label": label, "level": level, "text": text}

    zero = [0.0] * len(t_s)
    return {
        "schema": SERIES_SCHEMA,
        "duration_s": duration_s,
        "tracks": {
            "speed_mps": track("speed", "m/s", [22.0 + 3.0 * math.sin(t / 7.0) for t in t_s]),
            "lane_left_m": track("left boundary", "m", left),
            "lane_right_m": track("right boundary", "m", right),
            "lane_left_confidence": track("left", "1", [0.0 if v is None else 0.9 for v in left]),
            "lane_right_confidence": track("right", "1", [0.85] * len(t_s)),
            "demand_curvature_1pm": track("demand", "1/m", zero),
            "command_curvature_1pm": track("command", "1/m", zero),
            "demand_accel_mps2": track("demand", "m/s^2", [-2.0 if 12.3 < t < 13.5 else 0.0 for t in t_s]),
            "command_accel_mps2": track("command", "m/s^2", [-1.2 if 12.3 < t < 14.0 else 0.0 for t in t_s]),
        },
        "rows": {
            "lane_perception": [span(0.4, duration_s, "tracking", "active")],
            "lane_departure": [
                span(0.0, 2.0, "standby", "idle", "speed below the limit"),
                span(2.0, 12.3, "ready", "active"),
                span(12.3, 13.5, "standby", "degraded", "no vehicle state"),
                span(13.5, duration_s, "ready", "active"),
            ],
            "lane_departure alerts": [
                span(8.0, 9.2, "lane_departure_left", "warning", "left line in 0.4 s"),
                span(21.0, 22.0, "lane_departure_right", "shadow", "right line crossed"),
            ],
            "envelope": [span(0.0, duration_s, "nominal", "active")],
            "envelope limits": [span(12.3, 14.0, "stale_input", "warning")],
            "data": [span(12.2, 12.51, "gap", "degraded", "/vehicle/state")],
        },
    }


def write_folder(
    folder: Path,
    *,
    summary: dict[str, Any] | None = None,
    events: list[dict[str, Any]] | None = None,
    series: dict[str, Any] | None = None,
    stills: dict[str, bytes] | None = None,
) -> Path:
    """All files of a replay's folder."""
    (folder / STILLS_DIR).mkdir(parents=True, exist_ok=True)
    (folder / SUMMARY_FILE).write_text(json.dumps(summary or make_summary()), encoding="utf-8")
    lines = [json.dumps(event) + "\n" for event in (make_events() if events is None else events)]
    (folder / EVENTS_FILE).write_text("".join(lines), encoding="utf-8")
    (folder / SERIES_FILE).write_text(json.dumps(series or make_series()), encoding="utf-8")
    for name, content in (stills or {}).items():
        (folder / name).write_bytes(content)
    return folder
