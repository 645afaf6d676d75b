"""Lane detection against ground truth: the labelled pictures and clips of the shared data, and rendered drives.

    python benchmark/lanes.py                         every group
    python benchmark/lanes.py --only p1_video,clip_a  some of them
    python benchmark/lanes.py --overlay DIR           also draws truth and result
    python benchmark/lanes.py --json

The shared data is found through ADAS_SHARED_DATA, or beside the checkout. Assumptions: a lane of the real pictures is
3.66 m (12 ft, US Interstate) wide, which turns pixels into metres at each labelled row without any camera; rendered
drives have exact metres. Truth is never shown to the detector. A frame is `within 0.3 m` only where both of its
boundaries are told and every labelled row of both is; `near` asks the same of the rows in the lower 60 % of the
labelled ones alone. `rows` is the share of labelled rows within 20 px of a picture 1280 px wide, untold lines
counting as missed (the measure of the TuSimple benchmark). The groups `aug_*` are all labelled pictures, and some
frames of the clips, seen another way.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt

from adas_runtime.market import load_market
from adas_runtime.perception.lane_model import LaneDetector, LaneResult, LaneState, decode
from adas_runtime.signals import LaneBoundary, LaneModel, LaneSide, MarkingColour, MarkingType
from adas_runtime.vehicle import load_vehicle
from adas_runtime.vehicle.schema import CameraMount

ROOT: Final = Path(__file__).resolve().parent.parent
LANE_M: Final = 3.66
NEAR_ENOUGH_M: Final = 0.3
NEAR_SHARE: Final = 0.6
ROW_PX: Final = 20.0
SYNTH_ROWS_M: Final = tuple(float(x) for x in range(7, 31))  # where rendered drives are judged
SIDES: Final = (LaneSide.LEFT, LaneSide.RIGHT)
BINS: Final = (0.3, 0.5, 0.7, 0.8, 0.9, 1.01)

Image = npt.NDArray[np.uint8]
Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, eq=False)
class SideTruth:
    """One boundary of the own lane: columns at rows [px], the size of a pixel there [m], and what it looks like."""

    rows: Array
    columns: Array
    metres_per_px: Array
    colour: str = ""
    type: str = ""


@dataclass(frozen=True, kw_only=True, eq=False)
class Frame:
    """A picture with its truth; `None`: that side has no line. Independent pictures begin afresh."""

    name: str
    image: Image
    stamp_s: float
    left: SideTruth | None
    right: SideTruth | None
    is_first: bool
    is_alone: bool = False
    is_labelled: bool = True
    exact: LaneModel | None = None


@dataclass(kw_only=True)
class Tally:
    """What one group came to."""

    name: str
    frames: int = 0
    both: int = 0
    within: int = 0
    near: int = 0
    rows: list[int] = field(default_factory=lambda: [0, 0])
    wanted: int = 0
    sides: dict[LaneSide, list[int]] = field(default_factory=lambda: {side: [0, 0, 0] for side in SIDES})
    errors_px: list[float] = field(default_factory=list)
    errors_m: list[float] = field(default_factory=list)
    false: int = 0
    colour: list[int] = field(default_factory=lambda: [0, 0])
    type: list[int] = field(default_factory=lambda: [0, 0])
    times_ms: list[float] = field(default_factory=list)
    bins: list[list[int]] = field(default_factory=lambda: [[0, 0] for _ in BINS[1:]])
    failed: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Figures only."""

        def share(part: int, whole: int) -> float | None:
            return round(part / whole, 4) if whole else None

        def at(values: list[float], percent: float) -> float | None:
            return round(float(np.percentile(values, percent)), 3) if values else None

        return {
            "group": self.name,
            "frames": self.frames,
            "both_found": share(self.both, self.wanted),
            "both_within_0.3m": share(self.within, self.wanted),
            "near_within_0.3m": share(self.near, self.wanted),
            "rows_within_20px": share(*self.rows),
            "left_found": share(self.sides[LaneSide.LEFT][1], self.sides[LaneSide.LEFT][0]),
            "left_within": share(self.sides[LaneSide.LEFT][2], self.sides[LaneSide.LEFT][0]),
            "right_found": share(self.sides[LaneSide.RIGHT][1], self.sides[LaneSide.RIGHT][0]),
            "right_within": share(self.sides[LaneSide.RIGHT][2], self.sides[LaneSide.RIGHT][0]),
            "px_median": at(self.errors_px, 50),
            "px_p90": at(self.errors_px, 90),
            "m_median": at(self.errors_m, 50),
            "m_p90": at(self.errors_m, 90),
            "false_boundaries": self.false,
            "colour_right": share(*self.colour),
            "type_right": share(*self.type),
            "ms_p50": at(self.times_ms, 50),
            "ms_p99": at(self.times_ms, 99),
            "confidence_bins": [
                {"from": low, "right": right, "of": count} for low, (right, count) in zip(BINS, self.bins, strict=False)
            ],
            "failed": self.failed,
        }


# --- truth ----------------------------------------------------------------------------------------------------------


def shared_data() -> Path:
    """Folder of the shared recordings and pictures."""
    return Path(os.environ.get("ADAS_SHARED_DATA") or ROOT.parent / "shared" / "data")


def _pair(
    left: list[list[float]], right: list[list[float]], look: dict[str, Any], seen: dict[str, Any]
) -> tuple[SideTruth | None, SideTruth | None]:
    """Both sides from labelled points; metres per pixel from the lane's own width in pixels at the row."""
    points = {"left": np.array(left, dtype=np.float64), "right": np.array(right, dtype=np.float64)}
    fits = {side: np.polyfit(found[:, 1], found[:, 0], 2) for side, found in points.items()}
    made: dict[str, SideTruth] = {}
    for side, found in points.items():
        low, high = seen.get(f"{side}_observed_rows") or (0, 1 << 16)
        rows = found[(found[:, 1] >= low) & (found[:, 1] <= high)]
        width = np.polyval(fits["right"], rows[:, 1]) - np.polyval(fits["left"], rows[:, 1])
        made[side] = SideTruth(
            rows=rows[:, 1],
            columns=rows[:, 0],
            metres_per_px=LANE_M / np.maximum(width, 1.0),
            colour=str(look.get(f"{side}_colour", "")),
            type=str(look.get(f"{side}_type", "")),
        )
    return (made["left"] if len(made["left"].rows) else None), (made["right"] if len(made["right"].rows) else None)


def pictures(folder: Path) -> Iterator[Frame]:
    """Labelled pictures, each by itself."""
    for label in sorted(folder.glob("*.lanes.json")):
        path = label.with_name(label.name.replace(".lanes.json", ".jpg"))
        look = json.loads(label.read_text(encoding="utf-8"))
        if "frames" in look:
            continue
        left, right = _pair(look["left"], look["right"], look, {})
        yield Frame(
            name=path.stem, image=_read(path), stamp_s=0.0, left=left, right=right, is_first=True, is_alone=True
        )


def clip(video: Path) -> Iterator[Frame]:
    """A labelled clip."""
    look = json.loads(video.with_suffix(".lanes.json").read_text(encoding="utf-8"))
    labels = {item["frame"]: item for item in look["frames"]}
    reader = cv2.VideoCapture(str(video))
    number = 0
    while True:
        has_more, image = reader.read()
        if not has_more:
            break
        item = labels.get(number)
        left, right = _pair(item["left"], item["right"], look, item) if item else (None, None)
        yield Frame(
            name=f"{video.stem}_{number:04d}",
            image=np.asarray(image, dtype=np.uint8),
            stamp_s=number / float(look["fps"]),
            left=left,
            right=right,
            is_first=number == 0,
            is_labelled=item is not None,
        )
        number += 1
    reader.release()


def masks(folder: Path) -> Iterator[Frame]:
    """TuSimple samples: one grey value a lane; the own lane's are the nearest two on both sides of the middle."""
    for path in sorted(folder.glob("*_instance.png")):
        mask = _read(path)[..., 0]
        image = _read(path.with_name(path.name.replace("_instance", "")))
        found = []
        for value in sorted(set(np.unique(mask).tolist()) - {0}):
            rows = [row for row in range(0, mask.shape[0], 10) if (mask[row] == value).any()]
            columns = [float(np.flatnonzero(mask[row] == value).mean()) for row in rows]
            if len(rows) >= 4:
                fit = np.polyfit(rows[-8:], columns[-8:], 1)
                found.append((float(np.polyval(fit, mask.shape[0] - 1)), rows, columns))
        middle = 0.5 * mask.shape[1]
        left = max((item for item in found if item[0] < middle), default=None)
        right = min((item for item in found if item[0] >= middle), default=None)
        if left is None or right is None:
            continue
        pair = _pair(
            [[c, r] for r, c in zip(left[1], left[2], strict=True)],
            [[c, r] for r, c in zip(right[1], right[2], strict=True)],
            {},
            {},
        )
        yield Frame(name=path.stem, image=image, stamp_s=0.0, left=pair[0], right=pair[1], is_first=True, is_alone=True)


CHANGES: Final = ("plain", "mirror", "crop", "640x360", "1920x1080", "dark", "bright", "blur", "jpeg30", "rain", "roll")


def changed(frame: Frame, kind: str) -> Frame:
    """A labelled picture as another camera, another light or another drive would have seen it."""
    image = frame.image
    height, width = image.shape[:2]
    move = np.eye(3)  # of pixels
    random = np.random.default_rng(5)
    if kind == "mirror":
        image, move = image[:, ::-1], np.array([[-1.0, 0.0, width - 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
    elif kind == "crop":  # a longer lens that looks elsewhere
        top, left = round(0.14 * height), round(0.1 * width)
        image, move = image[top:, left:], np.array([[1.0, 0.0, -left], [0.0, 1.0, -top], [0.0, 0.0, 1.0]])
    elif kind in ("640x360", "1920x1080"):
        size = tuple(int(part) for part in kind.split("x"))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA if size[0] < width else cv2.INTER_LINEAR)
        by_x, by_y = size[0] / width, size[1] / height
        move = np.array([[by_x, 0.0, 0.5 * by_x - 0.5], [0.0, by_y, 0.5 * by_y - 0.5], [0.0, 0.0, 1.0]])
    elif kind in ("dark", "bright"):
        curve = 255.0 * (np.arange(256) / 255.0) ** (2.2 if kind == "dark" else 0.5)
        image = cv2.LUT(image, curve.astype(np.uint8))
    elif kind == "blur":
        image = cv2.GaussianBlur(image, (0, 0), width / 700.0)
    elif kind == "jpeg30":
        image = cv2.imdecode(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 30])[1], cv2.IMREAD_COLOR)
    elif kind == "rain":  # less contrast, noise, and streaks
        veil = 0.75 * image + 0.25 * 150.0 + random.normal(0.0, 6.0, image.shape)
        image = np.clip(veil, 0, 255).astype(np.uint8)
        for _ in range(250):
            x, y, long = random.integers(width), random.integers(height), random.integers(10, 35)
            cv2.line(image, (int(x), int(y)), (int(x + long // 5), int(y + long)), (185, 185, 185), 1, cv2.LINE_AA)
    elif kind == "roll":
        turn = cv2.getRotationMatrix2D((0.5 * (width - 1), 0.5 * (height - 1)), 2.0, 1.0)
        image = cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE)
        move = np.vstack([turn, [0.0, 0.0, 1.0]])
    size_px = image.shape[1], image.shape[0]

    def moved(true: SideTruth | None) -> SideTruth | None:
        if true is None:
            return None
        points = np.stack([true.columns, true.rows, np.ones_like(true.rows)], axis=1) @ move.T
        seen = (points[:, 0] >= 0) & (points[:, 0] < size_px[0]) & (points[:, 1] >= 0) & (points[:, 1] < size_px[1])
        if not seen.any():
            return None
        return SideTruth(
            rows=points[seen, 1],
            columns=points[seen, 0],
            metres_per_px=true.metres_per_px[seen] / abs(move[0, 0]),
            colour=true.colour,
            type=true.type,
        )

    left, right = moved(frame.left), moved(frame.right)
    return Frame(
        name=f"{frame.name}_{kind}",
        image=np.ascontiguousarray(image),
        stamp_s=0.0,
        left=right if kind == "mirror" else left,
        right=left if kind == "mirror" else right,
        is_first=True,
        is_alone=True,
    )


def again(kind: str) -> Iterator[Frame]:
    """All labelled pictures and some frames of each clip, changed, each by itself."""
    lanes = shared_data() / "lanes"
    for folder in ("udacity_p1", "udacity_advanced"):
        yield from (changed(frame, kind) for frame in pictures(lanes / folder))
    yield from (changed(frame, kind) for frame in masks(lanes / "tusimple"))
    for video, every in (
        ("udacity_p1/solidWhiteRight.mp4", 60),
        ("clips/highway_shadow_concrete_a.mp4", 20),
        ("clips/highway_shadow_concrete_b.mp4", 18),
    ):
        for number, frame in enumerate(clip(lanes / video)):
            if number % every == every // 2 and frame.is_labelled:
                yield changed(frame, kind)


def drive(market: str, scenario: str, light: str, rain: str, seconds: float, cache: Path | None) -> Iterator[Frame]:
    """A rendered drive at 10 pictures a second, as JPEG like a camera's."""
    from adas_runtime.synth.drive import DriveSpec, Light, Rain, Scenario, make_drive

    made = make_drive(
        DriveSpec(
            market=market,
            seconds=seconds,
            fps=10.0,
            seed=7,
            scenario=Scenario(scenario),
            light=Light(light),
            rain=Rain(rain),
        )
    )
    stem = f"{market}_{scenario}_{light}_{rain}"
    for index in range(made.frame_count):
        kept = cache / f"{stem}_{index:04d}.jpg" if cache else None
        if kept is not None and kept.is_file():
            data = kept.read_bytes()
        else:
            data = cv2.imencode(".jpg", made.frame(index), [cv2.IMWRITE_JPEG_QUALITY, 90])[1].tobytes()
            if kept is not None:
                kept.write_bytes(data)
        image = decode("jpeg", data, 0, 0)
        assert image is not None
        truth = made.lanes(index)
        sides: list[SideTruth | None] = []
        for side in SIDES:
            line = truth.side(side)
            if line is None:
                sides.append(None)
                continue
            x = np.array([value for value in SYNTH_ROWS_M if line.x_min_m <= value <= line.x_max_m])
            y = np.array([line.offset_m(float(value)) for value in x])
            at, beside = made.camera.project_ground(x, y), made.camera.project_ground(x, y - 1.0)
            sides.append(
                SideTruth(
                    rows=at[:, 1],
                    columns=at[:, 0],
                    metres_per_px=1.0 / np.maximum(np.abs(beside[:, 0] - at[:, 0]), 1e-6),
                    colour=line.colour.name.lower(),
                    type=line.type.name.lower(),
                )
            )
        yield Frame(
            name=f"{stem}_{index:04d}",
            image=image,
            stamp_s=index * 0.1,
            left=sides[0],
            right=sides[1],
            is_first=index == 0,
            exact=truth,
        )


def _read(path: Path) -> Image:
    image = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if image is None:
        raise SystemExit(f"{path}: cannot be read")
    return np.asarray(image, dtype=np.uint8)


# --- judgement ------------------------------------------------------------------------------------------------------


def columns_at(result: LaneResult, line: LaneBoundary, rows: Array, *, is_extended: bool = True) -> Array:
    """Column of a boundary at rows of the picture [px]; NaN where it does not reach."""
    first = 1.5 if is_extended else line.x_min_m
    last = max(line.x_max_m, 80.0) if is_extended else line.x_max_m
    x = np.geomspace(max(first, 0.5), max(last, first + 1.0), 400)
    y = line.c0_m + x * (line.c1 + x * (line.c2_1pm + x * line.c3_1pm2))
    pixels = result.camera.project_ground(x, y)
    good = np.isfinite(pixels).all(axis=1)
    pixels = pixels[good][::-1]  # rows ascending
    if len(pixels) < 2:
        return np.full(rows.shape, np.nan)
    return np.asarray(np.interp(rows, pixels[:, 1], pixels[:, 0], left=np.nan, right=np.nan))


def judge(frame: Frame, result: LaneResult, tally: Tally) -> None:
    """Adds one frame to the tally."""
    tally.frames += 1
    found = {side: result.model.side(side) for side in SIDES}
    if not frame.is_labelled:
        return
    truth = {LaneSide.LEFT: frame.left, LaneSide.RIGHT: frame.right}
    good, near = {}, {}
    for side in SIDES:
        line, true = found[side], truth[side]
        if true is None or not len(true.rows):
            if line is not None:
                tally.false += 1
            continue
        count = tally.sides[side]
        count[0] += 1
        good[side] = near[side] = False
        tally.rows[1] += len(true.rows)
        if line is None:
            continue
        count[1] += 1
        if frame.exact is not None:
            exact = frame.exact.side(side)
            assert exact is not None
            error_m = np.array(
                [abs(line.offset_m(x) - exact.offset_m(x)) for x in SYNTH_ROWS_M if exact.x_min_m <= x <= exact.x_max_m]
            )
        columns = columns_at(result, line, true.rows)
        error_px = np.abs(columns - true.columns)
        if frame.exact is None:
            error_m = np.where(np.isfinite(error_px), error_px * true.metres_per_px, 9.9)
        good[side] = bool((error_m <= NEAR_ENOUGH_M).all())
        is_near = true.rows >= true.rows.max() - NEAR_SHARE * np.ptp(true.rows)
        near_m = error_px * true.metres_per_px
        near[side] = bool((near_m[is_near] <= NEAR_ENOUGH_M).all())
        tally.rows[0] += int(np.count_nonzero(error_px <= ROW_PX * frame.image.shape[1] / 1280.0))
        count[2] += good[side]
        tally.errors_px.extend(error_px[np.isfinite(error_px)].tolist())
        tally.errors_m.extend(error_m.tolist())
        if float(np.median(error_m)) > 1.0:
            tally.false += 1
        index = int(np.searchsorted(BINS, line.confidence, side="right")) - 1
        if 0 <= index < len(tally.bins):
            tally.bins[index][0] += good[side]
            tally.bins[index][1] += 1
        if good[side] and true.colour and true.colour != "unknown":
            tally.colour[0] += line.colour.name.lower() == true.colour
            tally.colour[1] += 1
        if good[side] and true.type in ("solid", "dashed") and line.type is not MarkingType.UNKNOWN:
            tally.type[0] += line.type.name.lower() == true.type
            tally.type[1] += 1
    if len(good) == 2:
        tally.wanted += 1
        tally.both += all(found[side] is not None for side in SIDES)
        tally.within += all(good.values())
        tally.near += all(near.values())
    if not all(good.values()):
        tally.failed.append(frame.name)


def draw(frame: Frame, result: LaneResult) -> Image:
    """Truth as white dots with a black rim, what was found in colour: left green, right red, next lanes blue."""
    image = frame.image.copy()
    hues = {LaneSide.LEFT: (0, 220, 0), LaneSide.RIGHT: (40, 40, 255)}
    for line in result.model.boundaries:
        rows = np.arange(0.0, image.shape[0], 4.0)
        for is_extended, thick in ((True, 1), (False, 3)):
            columns = columns_at(result, line, rows, is_extended=is_extended)
            points = np.stack([columns, rows], axis=1)[np.isfinite(columns)]
            if len(points) > 1:
                hue = hues.get(line.side, (255, 160, 0))
                cv2.polylines(image, [np.round(points).astype(np.int32)], False, hue, thick, cv2.LINE_AA)
    for true in (frame.left, frame.right):
        if true is not None:
            for column, row in zip(true.columns, true.rows, strict=True):
                cv2.circle(image, (round(column), round(row)), 4, (0, 0, 0), -1)
                cv2.circle(image, (round(column), round(row)), 2, (255, 255, 255), -1)
    text = " ".join(
        f"{line.side.name.lower()} {line.offset_m(0.0):+.2f} m {line.type.name.lower()} {line.colour.name.lower()} "
        f"{line.confidence:.2f};"
        for line in result.model.boundaries
    )
    text = f"pitch {result.camera.pitch_rad:.3f} yaw {result.camera.yaw_rad:.3f} " + text
    cv2.putText(image, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 0), 3, cv2.LINE_AA)
    cv2.putText(image, text, (8, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 255, 255), 1, cv2.LINE_AA)
    return np.asarray(image, dtype=np.uint8)


# --- groups ---------------------------------------------------------------------------------------------------------


def mounts() -> dict[str, CameraMount | None]:
    """Cameras: nothing known, known lens at an unknown angle, and the exact one of rendered drives."""
    made: dict[str, CameraMount | None] = {"none": None}
    made["reference"] = load_vehicle("reference").cameras["front"]
    path = shared_data() / "lanes/udacity_advanced/camera_intrinsics.json"
    if path.is_file():
        lens = json.loads(path.read_text(encoding="utf-8"))
        (fx, _, cx), (_, fy, cy), _ = lens["K"]
        made["lens"] = CameraMount(
            width_px=lens["image_size"][0], height_px=lens["image_size"][1], fx_px=fx, fy_px=fy, cx_px=cx, cy_px=cy,
            lens="plumb_bob", distortion=tuple(lens["D"]), x_m=1.6, y_m=0.0, z_m=1.3,
            roll_deg=0.0, pitch_deg=0.0, yaw_deg=0.0, is_calibrated=False,
        )  # fmt: skip
    return made


def groups(cache: Path | None) -> dict[str, tuple[str, str, Iterator[Frame]]]:
    """Name to market, camera and frames."""
    lanes = shared_data() / "lanes"
    found: dict[str, tuple[str, str, Iterator[Frame]]] = {}
    if lanes.is_dir():
        found["p1_images"] = ("eu", "none", pictures(lanes / "udacity_p1"))
        found["p1_video"] = ("eu", "none", clip(lanes / "udacity_p1/solidWhiteRight.mp4"))
        found["advanced"] = ("eu", "none", pictures(lanes / "udacity_advanced"))
        found["advanced_lens"] = ("eu", "lens", pictures(lanes / "udacity_advanced"))
        for part in ("a", "b"):
            video = lanes / f"clips/highway_shadow_concrete_{part}.mp4"
            found[f"clip_{part}"] = ("eu", "none", clip(video))
            found[f"clip_{part}_lens"] = ("eu", "lens", clip(video))
        found["tusimple"] = ("eu", "none", masks(lanes / "tusimple"))
        for kind in CHANGES:
            found[f"aug_{kind}"] = ("eu", "none", again(kind))
    for market, scenario, light, rain in (
        ("de", "demo", "day", "none"),
        ("de", "works", "day", "none"),
        ("jp", "rural", "day", "none"),
        ("jp", "motorway", "dusk", "light"),
        ("ae", "motorway", "low_sun", "none"),
        ("ae", "demo", "night", "none"),
        ("cn", "motorway", "day", "heavy"),
        ("cn", "rural", "dusk", "none"),
    ):
        for camera in ("reference", "none"):
            if camera == "none" and market != "de":
                continue
            name = f"synth_{market}_{scenario}_{light}_{rain}" + ("" if camera == "reference" else "_unknown")
            found[name] = (market, camera, drive(market, scenario, light, rain, 20.0, cache))
    return found


def evaluate(
    market: str, mount: CameraMount | None, frames: Iterator[Frame], tally: Tally, overlay: Path | None
) -> None:
    """Runs the detector over a group."""
    loaded = load_market(market)
    detector = LaneDetector(loaded.perception, loaded.lanes, mount)
    state = LaneState()
    for frame in frames:
        start = time.perf_counter()
        if frame.is_alone:
            result = detector.settle(frame.image)[0]
        else:
            if frame.is_first:
                state = LaneState()
            result, state = detector.step(frame.image, frame.stamp_s, state)
            tally.times_ms.append((time.perf_counter() - start) * 1e3)
        judge(frame, result, tally)
        if overlay is not None:
            folder = overlay / tally.name
            folder.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(folder / f"{frame.name}.jpg"), draw(frame, result))


def line_of(tally: Tally) -> str:
    """One row of the table."""
    figures = tally.as_json()

    def percent(key: str) -> str:
        value = figures[key]
        return "-" if value is None else f"{100 * value:.1f}"

    def plain(key: str) -> str:
        value = figures[key]
        return "-" if value is None else f"{value:.2f}"

    cells = [
        f"{tally.name:<36}", f"{tally.frames:>4}", percent("both_found"), percent("both_within_0.3m"),
        percent("near_within_0.3m"), percent("rows_within_20px"),
        f"{percent('left_found')}/{percent('left_within')}", f"{percent('right_found')}/{percent('right_within')}",
        f"{plain('px_median')}/{plain('px_p90')}", f"{plain('m_median')}/{plain('m_p90')}", str(tally.false),
        percent("colour_right"), percent("type_right"), f"{plain('ms_p50')}/{plain('ms_p99')}",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


HEAD: Final = (
    "| group | frames | both found % | both within 0.3 m % | near % | rows % | left found/within % "
    "| right found/within % | px median/p90 | m median/p90 | false | colour % | type % | ms p50/p99 |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|"
)


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description="Lane detection against ground truth.")
    parser.add_argument("--only", default="", help="groups, separated by commas; a part of the name is enough")
    parser.add_argument("--overlay", type=Path, help="folder for pictures with truth and result drawn in")
    parser.add_argument("--cache", type=Path, help="folder that keeps rendered pictures between runs")
    parser.add_argument("--json", action="store_true", help="print figures for machines")
    wanted = parser.parse_args()
    cv2.setNumThreads(1)
    if wanted.cache:
        wanted.cache.mkdir(parents=True, exist_ok=True)
    cameras = mounts()
    parts = [part for part in wanted.only.split(",") if part]
    tallies = []
    if not wanted.json:
        print(HEAD)
    for name, (market, camera, frames) in groups(wanted.cache).items():
        if parts and not any(part in name for part in parts):
            continue
        tally = Tally(name=name)
        evaluate(market, cameras[camera], frames, tally, wanted.overlay)
        tallies.append(tally)
        if not wanted.json:
            print(line_of(tally), flush=True)
    if not tallies:
        print(f"--only {wanted.only}: no such group; have {', '.join(groups(None))}", file=sys.stderr)
        return 2
    if wanted.json:
        print(json.dumps([tally.as_json() for tally in tallies], indent=1))
        return 0
    print("\nconfidence, boundaries of all groups: share within 0.3 m at every row")
    for index, low in enumerate(BINS[:-1]):
        right = sum(tally.bins[index][0] for tally in tallies)
        count = sum(tally.bins[index][1] for tally in tallies)
        print(
            f"  {low:.1f} to {min(BINS[index + 1], 1.0):.1f}: {right}/{count}"
            + (f" = {right / count:.2f}" if count else "")
        )
    return 0


__all__ = ["Frame", "MarkingColour", "SideTruth", "Tally", "evaluate", "groups", "judge", "mounts"]

if __name__ == "__main__":
    raise SystemExit(main())
