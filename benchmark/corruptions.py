"""Whether confidence falls before truth does: labelled clips under weather, dirt and faults of the camera, by severity.

    python benchmark/corruptions.py [--data FOLDER] [--severities 0.25,0.5,1] [--only rain,dirt] [--draw DIR] [--json]

Of every clip each second picture, in order, through the lane detector and the camera's health as the car runs them.
`truth`: share of pictures whose two boundaries are told, each within 0.3 m of the label in the lower 60 % of its rows
(benchmark/lanes.py's `near`). `confidence`: of the boundaries told, the health's factor in it; none told counts as 0.
`sure and wrong`: boundaries told with at least 0.5, of which a label in those rows is farther than 0.3 m; the same
without the health's factor in brackets. A shift is judged against the road: where the label lies in the shifted picture
the detector is right in pixels and wrong in metres, so there only confidence counts.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from lanes import NEAR_ENOUGH_M, NEAR_SHARE, SIDES, Frame, clip, columns_at, shared_data

from adas_runtime.market import load_market
from adas_runtime.perceive.corruptions import KINDS, Corruptor
from adas_runtime.perception import camera_health
from adas_runtime.perception.lane_model import LaneDetector, LaneState
from adas_runtime.signals import LaneSide

CLIPS: Final = ("udacity_p1/solidWhiteRight.mp4", "clips/highway_shadow_concrete_a.mp4")
EVERY: Final = 2
SURE: Final = 0.5
SEVERITIES: Final = (0.25, 0.5, 0.75, 1.0)


@dataclass
class Tally:
    """One corruption at one severity."""

    frames: int = 0
    right: int = 0
    told: int = 0
    confidence: float = 0.0
    sure_wrong: int = 0
    sure_wrong_without: int = 0
    troubles: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        """Figures only."""
        return {
            "frames": self.frames,
            "truth": round(self.right / max(self.frames, 1), 3),
            "confidence": round(self.confidence / max(2 * self.frames, 1), 3),
            "sure_and_wrong": self.sure_wrong,
            "sure_and_wrong_without_health": self.sure_wrong_without,
            "health": dict(self.troubles.most_common()),
        }


def judge(frame: Frame, kind: str, detector: LaneDetector, state: Any, tally: Tally, picture: Any) -> Any:
    """One picture more; returns the memory."""
    lanes, health_state = state
    health, health_state = camera_health.step(picture, frame.stamp_s, health_state)
    result, lanes = detector.step(picture, frame.stamp_s, lanes)
    tally.frames += 1
    tally.troubles[health.trouble.name.lower()] += 1
    good = 0
    for side in SIDES:
        line, true = result.model.side(side), frame.left if side is LaneSide.LEFT else frame.right
        if line is None:
            continue
        tally.told += 1
        confidence = line.confidence * (0.0 if health.is_useless else health.factor)
        tally.confidence += confidence
        if true is None or not len(true.rows):
            continue
        is_near = true.rows >= true.rows.max() - NEAR_SHARE * np.ptp(true.rows)
        error_m = np.abs(columns_at(result, line, true.rows) - true.columns) * true.metres_per_px
        is_right = bool((np.nan_to_num(error_m[is_near], nan=9.9) <= NEAR_ENOUGH_M).all())
        good += is_right
        if not is_right or kind == "shifted":
            tally.sure_wrong += confidence >= SURE
            tally.sure_wrong_without += line.confidence >= SURE
    tally.right += good == 2
    return lanes, health_state


def labelled(data: Path) -> Iterator[list[Frame]]:
    """Each clip's pictures."""
    for name in CLIPS:
        frames = [frame for number, frame in enumerate(clip(data / "lanes" / name)) if number % EVERY == 0]
        yield [frame for frame in frames if frame.is_labelled]


def run(clips: list[list[Frame]], kind: str, severity: float, draw: Path | None = None) -> Tally:
    """All clips under one corruption."""
    tally = Tally()
    market = load_market("us")
    for number, frames in enumerate(clips):
        detector = LaneDetector(market.perception, market.lanes, None)
        state: Any = (LaneState(), camera_health.HealthState())
        corruptor = Corruptor(kind, severity)
        clean = len(frames) // 3 if kind in ("shifted", "frozen") else 0  # these happen on the way
        for index, frame in enumerate(frames):
            picture = frame.image if index < clean else corruptor.step(frame.image)
            into = Tally() if index < clean else tally
            state = judge(frame, kind, detector, state, into, picture)
            if draw is not None and index == len(frames) - 1:
                small = cv2.resize(picture, (640, 360), interpolation=cv2.INTER_AREA)
                cv2.imwrite(str(draw / f"{kind}_{severity:g}_{number}.jpg"), small)
    return tally


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--severities", default=",".join(f"{value:g}" for value in SEVERITIES))
    parser.add_argument("--only", default=",".join(KINDS))
    parser.add_argument("--draw", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    clips = list(labelled(options.data or shared_data()))
    if options.draw is not None:
        options.draw.mkdir(parents=True, exist_ok=True)
    found = {"clean 0": run(clips, "blur", 0.0)}
    for kind in options.only.split(","):
        for text in options.severities.split(","):
            found[f"{kind} {text}"] = run(clips, kind, float(text), options.draw)
    if options.json:
        print(json.dumps({name: tally.as_json() for name, tally in found.items()}, indent=1))
        return
    print(f"{'':16}{'truth':>7}{'confidence':>12}{'sure and wrong':>16}  health")
    for name, tally in found.items():
        told = tally.as_json()
        health = ", ".join(f"{key} {count}" for key, count in told["health"].items())
        wrong = f"{told['sure_and_wrong']} ({told['sure_and_wrong_without_health']})"
        print(f"{name:16}{told['truth']:7.0%}{told['confidence']:12.2f}{wrong:>16}  {health}")


if __name__ == "__main__":
    main()
