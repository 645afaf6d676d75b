"""How well marked bays are found in pictures from above: drawn parking areas of several markets, with their truth.

    python benchmark/parking.py [--count 40] [--draw DIR] [--json]

Drawn: asphalt with grain, patches and shadows, worn paint, T, U and open ends, rows across, aslant and along the kerb,
parked cars, arrows and gratings between them. A bay counts as found where all four corners lie within 0.4 m and the
kind is right; a false one matches none. What is partly outside the picture or below 0.9 of its length is left out.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np

from adas_runtime.market import load_market
from adas_runtime.perceive.slots import draw as draw_slots
from adas_runtime.perception.parking import Ground, find_slots
from adas_runtime.signals import ParkingSlot, SlotKind

SIDE_PX: Final = 640
M_PER_PX: Final = 0.025
MARKETS: Final = ("de", "us")
NEAR_M: Final = 0.4
KINDS: Final = {
    "perpendicular": SlotKind.PERPENDICULAR,
    "angled": SlotKind.ANGLED,
    "parallel": SlotKind.PARALLEL,
}


@dataclass(frozen=True, eq=False)
class Truth:
    """One drawn bay: corners in the vehicle frame, the entrance first."""

    corners: np.ndarray
    kind: SlotKind
    is_free: bool
    is_reserved: bool


@dataclass
class Scene:
    """One picture with its bays."""

    picture: np.ndarray
    ground: Ground
    truth: list[Truth] = field(default_factory=list)


def scene(kind: str, market: str, seed: int) -> Scene:
    """A drawn parking area; the same seed, the same picture."""
    random = np.random.default_rng(seed)
    bay = load_market(market).parking.bay
    ground = Ground.around(SIDE_PX, SIDE_PX, M_PER_PX)
    picture = _asphalt(random)
    made = Scene(picture=picture, ground=ground)
    width_m = float(random.uniform(bay.width_min_m, bay.width_max_m))
    length_m = float(bay.length_m * random.uniform(0.95, 1.08))
    side = -1.0 if random.random() < 0.5 else 1.0
    away_m = float(random.uniform(1.6, 2.6))
    slope_rad = math.radians(
        {"perpendicular": 90.0, "angled": float(random.uniform(45.0, 65.0)), "parallel": 90.0}[kind]
    )
    step_m, depth_m = (width_m / math.sin(slope_rad), length_m)
    if kind == "parallel":
        step_m, depth_m = length_m * float(random.uniform(1.05, 1.3)), float(random.uniform(1.9, 2.4))
    turn_rad = math.radians(float(random.normal(0.0, 2.0)))
    paint = (225, 228, 230)
    if random.random() < 0.25:
        paint = (60, 190, 225)
    is_blue = random.random() < 0.2
    first_m = -7.0 + float(random.uniform(0.0, step_m))
    begins = np.arange(first_m, 7.5, step_m)
    along = np.array([math.cos(slope_rad), side * math.sin(slope_rad)])
    rotation = np.array([[math.cos(turn_rad), -math.sin(turn_rad)], [math.sin(turn_rad), math.cos(turn_rad)]])
    near = [rotation @ np.array([x, side * away_m]) for x in begins]
    far = [rotation @ (np.array([x, side * away_m]) + depth_m * along) for x in begins]
    layer = np.zeros((SIDE_PX, SIDE_PX), np.uint8)
    line_m = float(random.uniform(0.09, 0.13))
    form = str(random.choice(["open", "t", "u"]))
    for index in range(len(begins)):
        _stroke(layer, ground, near[index], far[index], line_m)
    for index in range(len(begins) - 1):
        if form == "u":
            _stroke(layer, ground, far[index], far[index + 1], line_m)
    if form == "t":
        for index in range(len(begins)):
            half = 0.25 * rotation @ np.array([1.0, 0.0])
            _stroke(layer, ground, near[index] - half, near[index] + half, line_m)
    for index in range(len(begins) - 1):
        corners = np.stack([near[index], near[index + 1], far[index + 1], far[index]])
        is_taken = random.random() < 0.4
        if is_taken:
            _car(picture, ground, corners, random, is_along=kind == "parallel")
        made.truth.append(Truth(corners=corners, kind=KINDS[kind], is_free=not is_taken, is_reserved=is_blue))
    _arrow(layer, ground, random)
    colour = np.array((190, 110, 40) if is_blue else paint, np.float32)
    worn = np.clip(random.normal(0.85, 0.12, (SIDE_PX // 8, SIDE_PX // 8)), 0.35, 1.0).astype(np.float32)
    worn = cv2.resize(worn, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_LINEAR)
    is_car = np.zeros((SIDE_PX, SIDE_PX), bool)
    share = (cv2.GaussianBlur(layer, (0, 0), 0.8).astype(np.float32) / 255.0 * worn * 0.9)[..., None]
    painted = picture.astype(np.float32) * (1.0 - share) + colour * share
    painted[is_car] = picture[is_car]
    made.picture = np.clip(painted * _shade(random) + random.normal(0.0, 3.0, (SIDE_PX, SIDE_PX, 1)), 0, 255).astype(
        np.uint8
    )
    return made


def _asphalt(random: np.random.Generator) -> np.ndarray:
    base = float(random.uniform(70.0, 125.0))
    rough = cv2.resize(random.normal(0.0, 5.0, (20, 20)).astype(np.float32), (SIDE_PX, SIDE_PX))
    grey = base + rough + random.normal(0.0, 4.0, (SIDE_PX, SIDE_PX))
    picture = np.repeat(np.clip(grey, 0, 255)[..., None], 3, axis=2).astype(np.uint8)
    for _ in range(int(random.integers(0, 3))):  # mended places, and gratings
        x, y, w, h = (int(value) for value in random.integers(20, SIDE_PX - 20, 4))
        corner = (min(x + w // 4, SIDE_PX - 1), min(y + h // 5, SIDE_PX - 1))
        cv2.rectangle(picture, (x, y), corner, tuple(int(base + d) for d in (-18, -17, -16)), -1)
    return picture


def _shade(random: np.random.Generator) -> np.ndarray:
    shade = np.ones((SIDE_PX, SIDE_PX, 1), np.float32)
    if random.random() < 0.5:  # of a house
        mask = np.zeros((SIDE_PX, SIDE_PX), np.float32)
        points = random.integers(-100, SIDE_PX + 100, (4, 2)).astype(np.int32)
        cv2.fillConvexPoly(mask, cv2.convexHull(points), 1.0)
        shade -= 0.4 * cv2.GaussianBlur(mask, (0, 0), 4.0)[..., None]
    return shade


def _stroke(layer: np.ndarray, ground: Ground, one: np.ndarray, two: np.ndarray, wide_m: float) -> None:
    direction = (two - one) / max(float(np.hypot(*(two - one))), 1e-9)
    normal = 0.5 * wide_m * np.array([-direction[1], direction[0]])
    points = ground.pixels(np.stack([one + normal, two + normal, two - normal, one - normal]))
    cv2.fillConvexPoly(layer, np.round(points * 16).astype(np.int32), 255, cv2.LINE_AA, 4)


def _arrow(layer: np.ndarray, ground: Ground, random: np.random.Generator) -> None:
    if random.random() < 0.5:
        x = float(random.uniform(-5.0, 5.0))
        _stroke(layer, ground, np.array([x, 0.2]), np.array([x + 1.6, 0.2]), 0.15)
        for left in (-0.35, 0.35):
            _stroke(layer, ground, np.array([x + 1.0, 0.2 + left]), np.array([x + 1.7, 0.2]), 0.15)


def _car(
    picture: np.ndarray, ground: Ground, corners: np.ndarray, random: np.random.Generator, *, is_along: bool
) -> None:
    centre = corners.mean(axis=0)
    axis = corners[1] - corners[0] if is_along else corners[3] - corners[0]
    axis = axis / np.hypot(*axis)
    across = np.array([-axis[1], axis[0]])
    length, width = float(random.uniform(3.9, 4.7)), float(random.uniform(1.7, 1.9))
    body = tuple(int(value) for value in random.integers(20, 240, 3))
    for share, colour in ((1.0, body), (0.62, (35, 32, 30)), (0.4, body)):
        spots = [
            centre + share * 0.5 * length * a * axis + (0.85 if share < 1.0 else 1.0) * 0.5 * width * b * across
            for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))
        ]
        points = np.round(ground.pixels(np.stack(spots)) * 16).astype(np.int32)
        cv2.fillConvexPoly(picture, points, colour, cv2.LINE_AA, 4)


def matched(slot: ParkingSlot, truth: Truth) -> float | None:
    """Greatest error of a corner [m]; `None`: another bay, or another kind."""
    corners = np.array([(corner.x_m, corner.y_m) for corner in slot.corners])
    turned = truth.corners[[1, 0, 3, 2]]  # named from the other separator
    error_m = min(float(np.hypot(*(corners - wanted).T).max()) for wanted in (truth.corners, turned))
    return error_m if error_m <= NEAR_M and slot.kind is truth.kind else None


def is_whole(truth: Truth, ground: Ground) -> bool:
    """All of it lies in the picture, with a hand's breadth around it."""
    pixels = ground.pixels(truth.corners)
    return bool((pixels >= 6).all() and (pixels < SIDE_PX - 6).all())


def figures(kind: str, market: str, count: int, draw: Path | None = None) -> dict[str, Any]:
    """Of some pictures of one kind in one market."""
    bay = load_market(market).parking.bay
    wanted = found = false = right = told = wrong_free = free = free_found = 0
    errors: list[float] = []
    for seed in range(count):
        made = scene(kind, market, seed)
        slots = find_slots(made.picture, made.ground, bay)
        open_truth = [truth for truth in made.truth if is_whole(truth, made.ground)]
        wanted += len(open_truth)
        free += sum(truth.is_free for truth in open_truth)
        left = list(open_truth)
        for slot in slots:
            hit = next((truth for truth in left if matched(slot, truth) is not None), None)
            if hit is not None:
                left.remove(hit)
                found += 1
                free_found += hit.is_free
                errors.append(matched(slot, hit) or 0.0)
                if slot.is_free is not None:
                    told += 1
                    right += slot.is_free is hit.is_free
                    wrong_free += slot.is_free and not hit.is_free
            elif not any(matched(slot, truth) is not None for truth in made.truth):
                false += 1
        if draw is not None and seed < 3:
            cv2.imwrite(str(draw / f"{kind}_{market}_{seed}.png"), draw_slots(made.picture, slots, made.ground))
    return {
        "bays": wanted,
        "found": round(found / max(wanted, 1), 3),
        "free_found": round(free_found / max(free, 1), 3),
        "false_per_picture": round(false / count, 3),
        "corner_median_m": round(float(np.median(errors)), 3) if errors else None,
        "corner_p90_m": round(float(np.quantile(errors, 0.9)), 3) if errors else None,
        "free_right": round(right / max(told, 1), 3),
        "free_though_taken": wrong_free,
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--draw", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    if options.draw is not None:
        options.draw.mkdir(parents=True, exist_ok=True)
    told = {f"{kind} {m}": figures(kind, m, options.count, options.draw) for kind in KINDS for m in MARKETS}
    if options.json:
        print(json.dumps(told, indent=1))
        return
    for name, row in told.items():
        print(f"{name:20}", ", ".join(f"{key} {value}" for key, value in row.items()))


if __name__ == "__main__":
    main()
