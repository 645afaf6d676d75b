"""The ego lane against the truth: rendered drives seen by lane perception, and the labelled clips of the shared data.

    python benchmark/ego_lane.py [--seconds 20] [--only de_works,clip_a] [--json] [--overlay DIR]

Rendered drives have exact metres: at each picture the lane's centre, the distance of both tyres to their lines (DTLM)
and its rate are compared with the road's own geometry at the front axle, and the centre 20 m ahead. Beside them stand
perception's lines as they come, and the filter of lane departure warning on the same pictures. Pictures are 50 ms old
when they arrive. A picture in which the car is judged to be in another lane than it is counts as `missed`.

Labelled clips have no metres: the lane's centre is drawn into the picture and compared with the middle of both labels
at each labelled row; a lane of 3.66 m (US Interstate) turns pixels into metres. No vehicle signals exist for them.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from lanes import clip, shared_data

from adas_runtime.function import BuildContext
from adas_runtime.lane_keeping.ego_lane import EgoLaneEstimate, Inputs, build
from adas_runtime.lane_keeping.line import Line, follow, measure
from adas_runtime.market import load_market
from adas_runtime.perception.camera import Camera
from adas_runtime.perception.lane_model import LaneDetector, LaneState
from adas_runtime.signals import EgoLane, LaneBoundary, LaneModel, LaneSide
from adas_runtime.synth.drive import Drive, DriveSpec, Light, Rain, Scenario, make_drive
from adas_runtime.vehicle import load_vehicle

PICTURE_AGE_S: Final = 0.05
AHEAD_M: Final = 20.0
VEHICLE: Final = load_vehicle("reference")
AXLE_M: Final = VEHICLE.dimensions.wheelbase_m
TYRE_M: Final = VEHICLE.dimensions.tyre_outer_width_m
DRIVES: Final = {
    "de_demo": ("de", "demo", "day", "none"),
    "de_works": ("de", "works", "day", "none"),
    "de_r130": ("de", "r130", "day", "none"),
    "jp_rural": ("jp", "rural", "day", "none"),
    "jp_motorway": ("jp", "motorway", "dusk", "light"),
    "us_rural": ("us", "rural", "day", "none"),
    "us_motorway": ("us", "motorway", "day", "none"),
    "ae_motorway": ("ae", "motorway", "low_sun", "none"),
    "ae_demo": ("ae", "demo", "night", "none"),
    "cn_motorway": ("cn", "motorway", "day", "heavy"),
}
CLIPS: Final = {
    "p1_video": "udacity_p1/solidWhiteRight.mp4",
    "clip_a": "clips/highway_shadow_concrete_a.mp4",
    "clip_b": "clips/highway_shadow_concrete_b.mp4",
}


@dataclass(kw_only=True)
class Tally:
    """Errors of one drive or clip, by quantity."""

    name: str
    pictures: int = 0
    missed: int = 0
    fit: int = 0
    works_right: int = 0
    cpu_s: float = 0.0
    errors: dict[str, list[float]] = field(default_factory=dict)

    def add(self, quantity: str, error: float) -> None:
        """One error."""
        self.errors.setdefault(quantity, []).append(error)

    def rms(self, quantity: str) -> float | None:
        """Root mean square, `None` without any."""
        found = self.errors.get(quantity)
        return None if not found else float(np.sqrt(np.mean(np.square(found))))

    def at(self, quantity: str, percent: float) -> float | None:
        """A percentile of the absolute error."""
        found = self.errors.get(quantity)
        return None if not found else float(np.percentile(np.abs(found), percent))

    def as_json(self) -> dict[str, Any]:
        """Figures only."""
        return {
            "name": self.name,
            "pictures": self.pictures,
            "missed": self.missed,
            "fit_to_steer": self.fit,
            "works_right": self.works_right,
            "us_per_picture": round(1e6 * self.cpu_s / max(self.pictures, 1), 1),
            "rms": {key: self.rms(key) for key in self.errors},
            "p99": {key: self.at(key, 99) for key in self.errors},
        }


def inner_m(line: LaneBoundary, x_m: float) -> float:
    """Inner edge of a marking [m]."""
    half = 0.5 * (0.15 if line.width_m is None else line.width_m)
    return line.offset_m(x_m) - half if line.side in (LaneSide.LEFT, LaneSide.NEXT_LEFT) else line.offset_m(x_m) + half


def centre_m(model: LaneModel, x_m: float) -> float | None:
    """Middle between the inner edges of both own lines [m]."""
    left, right = model.side(LaneSide.LEFT), model.side(LaneSide.RIGHT)
    return None if left is None or right is None else 0.5 * (inner_m(left, x_m) + inner_m(right, x_m))


def seen(drive: Drive) -> Iterator[LaneModel]:
    """What lane perception tells of each picture of a drive."""
    detector = LaneDetector(drive.market.perception, drive.market.lanes, VEHICLE.cameras["front"])
    state = LaneState()
    for index in range(drive.frame_count):
        result, state = detector.step(drive.frame(index), drive.lanes(index).stamp_s, state)
        yield result.model


def rendered(name: str, seconds: float) -> Tally:
    """One rendered drive."""
    market, scenario, light, rain = DRIVES[name]
    drive = make_drive(
        DriveSpec(
            market=market, seconds=seconds, seed=3, scenario=Scenario(scenario), light=Light(light), rain=Rain(rain)
        )
    )
    core = build(BuildContext(market=drive.market, vehicle=VEHICLE))
    tally = Tally(name=name)
    states = list(drive.vehicle_states())
    stamps = [item.stamp_s for item in states]
    truth = [drive.lanes(index) for index in range(drive.frame_count)]
    lines: dict[LaneSide, Line | None] = {LaneSide.LEFT: None, LaneSide.RIGHT: None}
    works = {"yellow", "orange"} & set(drive.market.lanes.works.colours)
    for index, model in enumerate(seen(drive)):
        now_s = model.stamp_s + PICTURE_AGE_S
        inputs = Inputs(lanes=(model,), vehicle=(states[bisect_right(stamps, now_s) - 1],))
        began = time.thread_time()
        lane = core.step(inputs, now_s).lane
        tally.cpu_s += time.thread_time() - began
        assert lane is not None
        for side in lines:
            line = model.side(side)
            found = None if line is None else measure(line, AXLE_M, TYRE_M, drive.market.lane_departure)
            if found is not None:
                lines[side] = follow(lines[side], found, model.stamp_s, drive.market.lane_departure)
        near = [line for side in (LaneSide.LEFT, LaneSide.RIGHT) if (line := truth[index].side(side)) is not None]
        is_works = any(line.colour.name.lower() in works for line in near)
        _compare(tally, truth, index, model, lane, lines, is_works)
    return tally


def _compare(
    tally: Tally,
    truth: list[LaneModel],
    index: int,
    model: LaneModel,
    lane: EgoLane,
    lines: dict[LaneSide, Line | None],
    is_works: bool,
) -> None:
    true_m = centre_m(truth[index], AXLE_M)
    if true_m is None:
        return
    tally.pictures += 1
    tally.fit += lane.is_fit_to_steer
    tally.works_right += lane.is_works == is_works
    if not lane.edges or abs(lane.centre_m(AXLE_M) - true_m) > 1.2:
        tally.missed += 1
        return
    tally.add("centre", lane.centre_m(AXLE_M) - true_m)
    told_m, ahead_m = centre_m(model, AXLE_M), centre_m(truth[index], AHEAD_M)
    if told_m is not None:
        tally.add("centre, perception", told_m - true_m)
    if ahead_m is not None:
        tally.add("centre ahead", lane.centre_m(AHEAD_M) - ahead_m)
    if not 2 <= index < len(truth) - 2:
        return
    for side, sign in ((LaneSide.LEFT, 1.0), (LaneSide.RIGHT, -1.0)):
        around = [truth[index + step].side(side) for step in (-2, 0, 2)]
        if any(line is None for line in around):
            continue
        before_m, here_m, after_m = (sign * inner_m(line, AXLE_M) for line in around if line is not None)
        edge = lane.edge(side)
        if abs(after_m - before_m) > 1.0 or edge is None or not edge.is_seen:
            continue  # another line
        rate_mps = (after_m - before_m) / (truth[index + 2].stamp_s - truth[index - 2].stamp_s)
        dtlm_m = here_m - 0.5 * TYRE_M
        tally.add("DTLM", edge.distance_m - dtlm_m)
        tally.add("drift", edge.rate_mps - rate_mps)
        line = lines[side]
        if line is not None:
            tally.add("DTLM, departure", line.distance_m - dtlm_m)
            tally.add("drift, departure", line.rate_mps - rate_mps)


def draw(image: Any, lane: EgoLane, camera: Camera, path: Path) -> None:
    """The lane in the picture: centre white, edges green where seen and orange where set from the other side."""
    shown = image.copy()
    x = np.geomspace(3.0, max(lane.x_max_m, 20.0), 60)
    half = 0.5 * (lane.width_m or 0.0)
    edges = {edge.side: edge.is_seen for edge in lane.edges}
    for side_m, hue in (
        (0.0, (255, 255, 255)),
        (half, (0, 200, 0) if edges.get(LaneSide.LEFT) else (0, 140, 255)),
        (-half, (0, 200, 0) if edges.get(LaneSide.RIGHT) else (0, 140, 255)),
    ):
        if not lane.edges:
            break
        pixels = camera.project_ground(x, np.array([lane.centre_m(float(at)) + side_m for at in x]))
        points = np.round(pixels[np.isfinite(pixels).all(axis=1)]).astype(np.int32)
        cv2.polylines(shown, [points], False, hue, 2, cv2.LINE_AA)
    text = f"{lane.offset_m:+.2f} m, {lane.width_m or 0.0:.2f} m wide, {lane.confidence:.2f} {lane.reason}"
    for hue, thick in (((0, 0, 0), 3), ((255, 255, 255), 1)):
        cv2.putText(shown, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, hue, thick, cv2.LINE_AA)
    cv2.imwrite(str(path), shown)


def recorded(name: str, overlay: Path | None) -> Tally:
    """One labelled clip of a camera that nobody measured."""
    market = load_market("us")
    core: EgoLaneEstimate = build(BuildContext(market=market, vehicle=VEHICLE))
    detector = LaneDetector(market.perception, market.lanes, None)
    state = LaneState()
    tally = Tally(name=name)
    former: EgoLane | None = None
    for frame in clip(shared_data() / "lanes" / CLIPS[name]):
        stamp_s = 1000.0 + frame.stamp_s
        result, state = detector.step(frame.image, stamp_s, state)
        began = time.thread_time()
        lane = core.step(Inputs(lanes=(result.model,)), stamp_s + PICTURE_AGE_S).lane
        tally.cpu_s += time.thread_time() - began
        assert lane is not None
        tally.pictures += 1
        if overlay is not None and tally.pictures % 10 == 1:
            draw(frame.image, lane, result.camera, overlay / f"{frame.name}.jpg")
        if not lane.edges:
            tally.missed += 1
            former = None
            continue
        if former is not None:
            tally.add("step", lane.centre_m(AXLE_M) - former.centre_m(AXLE_M))
        former = lane
        if frame.left is None or frame.right is None:
            continue
        x = np.geomspace(2.0, max(lane.x_max_m, 40.0), 300)
        pixels = result.camera.project_ground(x, np.array([lane.centre_m(float(value)) for value in x]))
        pixels = pixels[np.isfinite(pixels).all(axis=1)][::-1]
        low, high = (
            max(frame.left.rows.min(), frame.right.rows.min()),
            min(frame.left.rows.max(), frame.right.rows.max()),
        )
        rows = frame.left.rows[(frame.left.rows >= low) & (frame.left.rows <= high)]
        order = np.argsort(frame.right.rows)
        right = np.interp(rows, frame.right.rows[order], frame.right.columns[order])
        chosen = (frame.left.rows >= low) & (frame.left.rows <= high)
        middle, scale = 0.5 * (frame.left.columns[chosen] + right), frame.left.metres_per_px[chosen]
        columns = np.interp(rows, pixels[:, 1], pixels[:, 0], left=np.nan, right=np.nan)
        for error, row in zip((columns - middle) * scale, rows, strict=True):
            if np.isfinite(error):
                tally.add("centre", float(error))
                if row >= rows.max() - 0.6 * np.ptp(rows):
                    tally.add("centre near", float(error))
    return tally


def _mm(value: float | None) -> str:
    return "" if value is None else f"{1e3 * value:.0f}"


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=20.0, help="length of a rendered drive")
    parser.add_argument("--only", default="", help="names, separated by commas")
    parser.add_argument("--json", action="store_true", help="print for machines")
    parser.add_argument("--overlay", type=Path, help="folder for every tenth picture of the clips, with the lane")
    options = parser.parse_args()
    if options.overlay is not None:
        options.overlay.mkdir(parents=True, exist_ok=True)
    only = set(options.only.split(",")) - {""}
    drives = [rendered(name, options.seconds) for name in DRIVES if not only or name in only]
    clips = []
    if shared_data().is_dir():
        clips = [recorded(name, options.overlay) for name in CLIPS if not only or name in only]
    if options.json:
        json.dump([tally.as_json() for tally in (*drives, *clips)], sys.stdout, indent=2)
        print()
        return
    heads = ("drive", "missed", "centre", "perception's", "20 m ahead", "DTLM", "departure's", "drift", "departure's")
    keys = ("centre", "centre, perception", "centre ahead", "DTLM", "DTLM, departure", "drift", "drift, departure")
    _table("rms / 99th percentile, mm and mm/s", heads, keys, drives)
    _table(
        "rms / 99th percentile, mm",
        ("clip", "missed", "centre", "near rows", "from picture to picture"),
        ("centre", "centre near", "step"),
        clips,
    )
    spent = [1e6 * tally.cpu_s / tally.pictures for tally in (*drives, *clips) if tally.pictures]
    if spent:
        print(f"processor time of a step with a picture: {min(spent):.0f} to {max(spent):.0f} us")


def _table(title: str, heads: tuple[str, ...], keys: tuple[str, ...], tallies: list[Tally]) -> None:
    if not tallies:
        return
    print(f"{title}\n\n| {' | '.join(heads)} |\n|{'---|' * len(heads)}")
    for tally in tallies:
        cells = [f"{_mm(tally.rms(key))} / {_mm(tally.at(key, 99))}" for key in keys]
        print(f"| {tally.name} | {tally.missed} of {tally.pictures} | {' | '.join(cells)} |")
    print()


if __name__ == "__main__":
    main()
