"""How well vehicles, pedestrians and cyclists are found in real pictures, how far away, and how sure.

    python benchmark/objects.py [--data FOLDER] [--model MANIFEST] [--worst DIR] [--json]
    python benchmark/objects.py --spoilt        # the same in the dark, in fog, out of focus
    python benchmark/objects.py --calibrate     # slope and shift that make frequencies of its vehicles' scores

FOLDER holds the shared recordings (by default ADAS_SHARED_DATA, or beside the checkout); what it lacks is left out.
Nothing that is measured here was trained on. AP50: all-point average precision at an overlap (IoU) of 0.5. Whoever is
hidden or cut off by more than half, and parts that the labels leave open, are neither right nor wrong. A false box
counts for the distance at which its class would look as tall.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from lanes import shared_data

from adas_runtime.perception.camera import Camera
from adas_runtime.perception.models.objects import FINDER, TOLD_MIN, ObjectFinder
from adas_runtime.perception.objects import LEAST, Box, Found, Picture, likeness, placed
from adas_runtime.signals import ObjectClass

OVERLAP: Final = 0.5
BANDS_M: Final = ((0.0, 20.0), (20.0, 40.0), (40.0, 80.0), (0.0, 40.0), (0.0, 80.0))
USUAL_M: Final = {ObjectClass.CAR: 1.55, ObjectClass.PEDESTRIAN: 1.7, ObjectClass.CYCLIST: 1.7}
KITTI: Final = {
    "Car": ObjectClass.CAR, "Van": ObjectClass.CAR, "Truck": ObjectClass.CAR,
    "Pedestrian": ObjectClass.PEDESTRIAN, "Cyclist": ObjectClass.CYCLIST,
}  # fmt: skip
KITTI_CAMERA_M: Final = 1.65  # height of its cameras above the road (Geiger 2012)


@dataclass(frozen=True)
class Labelled:
    """Somebody in a picture; the distance is `None` where nobody measured it."""

    kind: ObjectClass
    box: Box
    range_m: float | None
    counts: bool = True


@dataclass
class Item:
    """One picture with its truth."""

    name: str
    picture: Picture
    focal_px: float
    truth: list[Labelled]
    open_parts: list[Box] = field(default_factory=list)
    camera: Camera | None = None
    found: tuple[Found, ...] = ()


def kitti(data: Path) -> Iterator[Item]:
    """The KITTI frames, for evaluation only."""
    folder = data / "objects" / "kitti_nc"
    for path in sorted((folder / "image_2").glob("*.jpg")):
        picture = _picture(path)
        rows = (folder / "calib" / f"{path.stem}.txt").read_text(encoding="utf-8").splitlines()
        matrix = next(row for row in rows if row.startswith("P2")).split()[1:]
        focal, cx, cy = float(matrix[0]), float(matrix[2]), float(matrix[6])
        camera = Camera(
            width_px=picture.shape[1], height_px=picture.shape[0], fx_px=focal, fy_px=focal, cx_px=cx, cy_px=cy,
            z_m=KITTI_CAMERA_M,
        )  # fmt: skip
        item = Item(path.name, picture, focal, [], camera=camera)
        for row in (folder / "label_2" / f"{path.stem}.txt").read_text(encoding="utf-8").splitlines():
            words = row.split()
            numbers = [float(word) for word in words[1:]]
            box: Box = (numbers[3], numbers[4], numbers[5], numbers[6])
            kind = KITTI.get(words[0])
            if kind is None:
                item.open_parts.append(box)
                continue
            # nearest point of a car that stands along or across: half its length towards the camera
            yaw, length, width = numbers[13], numbers[9], numbers[8]
            reach = 0.5 * (abs(math.sin(yaw)) * length + abs(math.cos(yaw)) * width)
            range_m = max(numbers[12] - reach, 0.5)
            counts = numbers[0] <= 0.5 and numbers[1] <= 1
            item.truth.append(Labelled(kind, box, range_m, counts))
        yield item


def udacity(data: Path, *, between: int = 0) -> Iterator[Item]:
    """Boxes drawn by hand in pictures of a drive that nothing was trained on.

    Args:
        data: The shared recordings.
        between: Frames of the clip are taken at each so many, too, with boxes between those of its key frames.
    """
    folder = data / "objects" / "udacity"
    focal = 1150.0
    told = json.loads((folder / "test_images.boxes.json").read_text(encoding="utf-8"))
    for name, entry in told["images"].items():
        truth = [Labelled(ObjectClass.CAR, tuple(item["box"]), None) for item in entry["objects"]]
        parts = [tuple(box) for box in entry["ignore"]]
        yield Item(name, _picture(folder / entry["file"]), focal, truth, parts)
    told = json.loads((folder / "highway_shadow_concrete_a.boxes.json").read_text(encoding="utf-8"))
    film = cv2.VideoCapture(str(folder / told["file"]))
    keys = {entry["frame"]: np.array(entry["objects"][0]["box"], float) for entry in told["frames"]}  # one car in each
    edges = np.array([np.interp(range(max(keys) + 1), list(keys), [box[k] for box in keys.values()]) for k in range(4)])
    for index in range(max(keys) + 1):
        there, picture = film.read()
        if there and (index in keys or (between and index % between == 0)):
            left, top, right, bottom = edges[:, index].tolist()
            truth = [Labelled(ObjectClass.CAR, (left, top, right, bottom), None)]
            parts = [tuple(box) for box in told["ignore_regions"]]
            yield Item(f"a_{index}", np.asarray(picture, np.uint8), focal, truth, parts)


def empty(data: Path) -> Iterator[Item]:
    """Pictures without any road user: KITTI frames without one, and whatever else stands about."""
    for item in kitti(data):
        if not item.truth and not item.open_parts:
            yield item
    yield from objects_of_other_kinds(data)


def objects_of_other_kinds(data: Path) -> Iterator[Item]:
    """Pictures of what is no road user: chessboards in a room, a house's wall."""
    for path in [
        *sorted((data / "lanes" / "udacity_advanced" / "camera_cal").glob("*.jpg")),
        data / "signs" / "photos" / "house_number_70.jpg",
    ]:
        if path.is_file():
            yield Item(path.name, _picture(path), 1150.0, [])


def _picture(path: Path) -> Picture:
    found = cv2.imread(str(path))
    assert found is not None, path
    return np.asarray(found, np.uint8)


def overlap(a: Box, b: Box) -> float:
    """Intersection over union."""
    both = _both(a, b)
    return both / max(_area(a) + _area(b) - both, 1e-9)


def _both(a: Box, b: Box) -> float:
    return max(min(a[2], b[2]) - max(a[0], b[0]), 0.0) * max(min(a[3], b[3]) - max(a[1], b[1]), 0.0)


def _area(box: Box) -> float:
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


@dataclass
class Match:
    """One box of the network: right, wrong, or neither (`None`)."""

    found: Found
    item: Item
    is_right: bool | None
    truth: Labelled | None
    range_m: float


def matches(items: list[Item], kind: ObjectClass) -> list[Match]:
    """The boxes of a class against the truth, the surest first, each truth taken once."""
    every = sorted(
        ((one, item) for item in items for one in item.found if one.object_class is kind),
        key=lambda pair: -pair[0].score,
    )
    taken: set[tuple[int, int]] = set()
    told: list[Match] = []
    for one, item in every:
        best, best_at = OVERLAP, -1
        for at, truth in enumerate(item.truth):
            share = overlap(one.box_px, truth.box)
            if truth.kind is kind and share >= best and (id(item), at) not in taken:
                best, best_at = share, at
        if best_at >= 0:
            truth = item.truth[best_at]
            taken.add((id(item), best_at))
            range_m = truth.range_m if truth.range_m is not None else _usual(one, item)
            told.append(Match(one, item, True if truth.counts else None, truth, range_m))
            continue
        open_parts = [*item.open_parts, *(t.box for t in item.truth if t.kind is kind and not t.counts)]
        is_open = any(_both(one.box_px, part) > 0.5 * _area(one.box_px) for part in open_parts)
        told.append(Match(one, item, None if is_open else False, None, _usual(one, item)))
    return told


def _usual(one: Found, item: Item) -> float:
    return item.focal_px * USUAL_M[one.object_class] / max(one.box_px[3] - one.box_px[1], 1.0)


def average_precision(found: list[Match], truths: int) -> float | None:
    """Area below precision over recall; `None` without truth."""
    if truths == 0:
        return None
    hits = np.array([bool(one.is_right) for one in found if one.is_right is not None])
    if len(hits) == 0:
        return 0.0
    right = np.cumsum(hits)
    precision = np.maximum.accumulate((right / np.arange(1, len(hits) + 1))[::-1])[::-1]
    return float((precision * hits).sum() / truths)


def bands(items: list[Item], kind: ObjectClass) -> dict[str, dict[str, Any]]:
    """AP50, and recall and precision of what is told, by distance."""
    found = matches(items, kind)
    told: dict[str, dict[str, Any]] = {}
    for low, high in BANDS_M:
        here = [
            one if low <= one.range_m < high else Match(one.found, one.item, None, one.truth, one.range_m)
            for one in found
        ]
        truths = [t for item in items for t in item.truth if t.kind is kind and t.counts]
        count = sum(1 for t in truths if t.range_m is not None and low <= t.range_m < high)
        sure = [one for one in here if one.found.score >= TOLD_MIN and one.is_right is not None]
        right = sum(bool(one.is_right) for one in sure)
        told[f"{low:.0f}-{high:.0f} m"] = {
            "truth": count,
            "ap50": average_precision(here, count),
            "recall": right / count if count else None,
            "precision": right / len(sure) if sure else None,
        }
    return told


def calibration_error(found: list[Match], bins: int = 10) -> tuple[float, list[tuple[float, float, int]]]:
    """Expected calibration error; and of each bin mean score, share that is right, count."""
    sure = [one for one in found if one.is_right is not None]
    rows, error = [], 0.0
    for at in range(bins):
        part = [
            one
            for one in sure
            if at / bins <= one.found.score < (at + 1) / bins or (at == bins - 1 and one.found.score >= 1)
        ]
        if part:
            mean = sum(one.found.score for one in part) / len(part)
            share = sum(bool(one.is_right) for one in part) / len(part)
            rows.append((mean, share, len(part)))
            error += len(part) / len(sure) * abs(mean - share)
    return error, rows


def frequencies(found: list[Match]) -> tuple[float, float]:
    """Slope and shift of a score's logit that make it the share of boxes that are right (Platt 1999).

    Two vehicles of weak belief, one right and one wrong at each end, keep the fit from certainty that few boxes give.
    """
    sure = [one for one in found if one.is_right is not None]
    x = np.array([math.log(one.found.score / (1.0 - one.found.score)) for one in sure] + [4.0, 4.0, -4.0, -4.0])
    y = np.array([float(bool(one.is_right)) for one in sure] + [1.0, 0.0, 1.0, 0.0])
    a, b = 1.0, 0.0
    for _ in range(100):
        p = 1.0 / (1.0 + np.exp(-(a * x + b)))
        gradient = np.array([((p - y) * x).sum(), (p - y).sum()])
        weight = p * (1.0 - p)
        hessian = np.array([[(weight * x * x).sum(), (weight * x).sum()], [(weight * x).sum(), weight.sum()]])
        step = np.linalg.solve(hessian + 1e-6 * np.eye(2), gradient)
        a, b = a - 0.5 * float(step[0]), b - 0.5 * float(step[1])
    return a, b


def range_errors(items: list[Item]) -> dict[str, dict[str, float]]:
    """Distance by flat ground against the truth, of vehicles that were found and are not cut off."""
    told: dict[str, dict[str, float]] = {}
    errors: dict[tuple[float, float], list[tuple[float, float]]] = {}
    for one in matches(items, ObjectClass.CAR):
        if not one.is_right or one.truth is None or one.truth.range_m is None or one.item.camera is None:
            continue
        seen = placed(one.found, one.item.camera, like=1.0, is_measured=True)
        if seen.is_cut or seen.x_m is None or seen.range_std_m is None:
            continue
        for band in BANDS_M[:3]:
            if band[0] <= one.truth.range_m < band[1]:
                off = seen.x_m - one.truth.range_m
                errors.setdefault(band, []).append((off / one.truth.range_m, off / seen.range_std_m))
    for (low, high), rows in errors.items():
        share = np.array(rows)
        told[f"{low:.0f}-{high:.0f} m"] = {
            "count": len(rows),
            "median_share": float(np.median(share[:, 0])),
            "abs_median_share": float(np.median(np.abs(share[:, 0]))),
            "within_2_std": float((np.abs(share[:, 1]) < 2).mean()),
        }
    return told


def spoilt(picture: Picture) -> Iterator[tuple[str, Picture]]:
    """The picture as it is, and seen worse and worse."""
    yield "clear", picture
    for share in (0.4, 0.15, 0.06):
        yield f"dark {share}", np.asarray(picture * share, np.uint8)
    for share in (0.5, 0.75, 0.9):
        yield f"fog {share}", np.asarray(picture * (1.0 - share) + 190.0 * share, np.uint8)
    for sigma in (2.0, 4.0, 8.0):
        yield f"blur {sigma:.0f}", np.asarray(cv2.GaussianBlur(picture, (0, 0), sigma), np.uint8)
    half = picture.copy()
    half[:, : picture.shape[1] // 2] = 0
    yield "half black", half


def in_bad_light(finder: ObjectFinder, items: list[Item]) -> Iterator[tuple[str, float, float, float]]:
    """What spoils the picture; how like it still is to what was learnt; share of the vehicles told; share right."""
    names = [name for name, _ in spoilt(items[0].picture)]
    for at, name in enumerate(names):
        likes, told, right, truths = [], 0, 0, 0
        seen_items = []
        for item in items:
            picture = [seen for _, seen in spoilt(item.picture)][at]
            like = likeness(picture)
            likes.append(like)
            seen = Item(item.name, picture, item.focal_px, item.truth, item.open_parts, item.camera)
            lower = LEAST + (1.0 - LEAST) * like
            seen.found = tuple(replace(one, score=one.score * lower) for one in finder.find(picture))
            seen_items.append(seen)
            truths += sum(t.kind is ObjectClass.CAR and t.counts and (t.range_m or 0.0) < 40.0 for t in item.truth)
        for one in matches(seen_items, ObjectClass.CAR):
            if one.found.score >= TOLD_MIN and one.is_right is not None and one.range_m < 40.0:
                told += 1
                right += one.is_right
        yield name, float(np.mean(likes)), right / max(truths, 1), right / max(told, 1)


def draw(item: Item, wrong: list[Match], missed: list[Labelled]) -> Picture:
    """The picture with its truth (thin white), what is told wrongly (red) and what is missed (yellow)."""
    picture = item.picture.copy()
    for truth in item.truth:
        _frame(picture, truth.box, (255, 255, 255), 1)
    for one in missed:
        _frame(picture, one.box, (0, 220, 255), 2)
    for match in wrong:
        _frame(picture, match.found.box_px, (0, 0, 255), 2)
        left, top = round(match.found.box_px[0]), round(match.found.box_px[1])
        text = f"{match.found.object_class.name.lower()} {match.found.score:.2f}"
        cv2.putText(picture, text, (left, max(top - 4, 12)), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 255), 1, cv2.LINE_AA)
    return picture


def _frame(picture: Picture, box: Box, colour: tuple[int, int, int], width: int) -> None:
    left, top, right, bottom = (round(value) for value in box)
    cv2.rectangle(picture, (left, top), (right, bottom), colour, width)


def worst(items: list[Item], count: int = 20) -> list[tuple[float, Item, list[Match], list[Labelled]]]:
    """The pictures with the surest wrong boxes and the nearest road users that were missed, the worst first."""
    of_item: dict[int, tuple[list[Match], list[Labelled]]] = {id(item): ([], []) for item in items}
    for kind in USUAL_M:
        found = matches(items, kind)
        for one in found:
            if one.is_right is False and one.found.score >= TOLD_MIN:
                of_item[id(one.item)][0].append(one)
        seen = {id(one.truth) for one in found if one.truth is not None and one.found.score >= TOLD_MIN}
        for item in items:
            near = [
                t
                for t in item.truth
                if t.kind is kind and t.counts and id(t) not in seen and (t.range_m or 30.0) < 40.0
            ]
            of_item[id(item)][1].extend(near)
    ranked = []
    for item in items:
        wrong, missed = of_item[id(item)]
        badness = sum(one.found.score for one in wrong) + sum(20.0 / max(t.range_m or 30.0, 5.0) for t in missed)
        ranked.append((badness, item, wrong, missed))
    ranked.sort(key=lambda row: -row[0])
    return ranked[:count]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=shared_data())
    parser.add_argument("--model", default=FINDER, help="name, or the file of a manifest")
    parser.add_argument("--worst", type=Path, help="write the twenty worst pictures here")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--spoilt", action="store_true", help="in bad light alone")
    parser.add_argument("--calibrate", action="store_true", help="of an export without calibration; KITTI is left out")
    options = parser.parse_args()
    finder = ObjectFinder(("de",), options.model)
    if options.calibrate:
        items = list(udacity(options.data, between=4))  # roads alone; in the car it sees nothing else
        for item in items:
            item.found = finder.find(item.picture)
        found = matches(items, ObjectClass.CAR)
        slope, shift = frequencies(found)
        right = sum(one.is_right is True for one in found)
        wrong = sum(one.is_right is False for one in found)
        print(f"{len(items)} pictures, {right} boxes right, {wrong} wrong: slope {slope:.3f}, shift {shift:.3f}")
        return
    if options.spoilt:
        for name, like, recall, precision in in_bad_light(finder, [*kitti(options.data), *udacity(options.data)]):
            print(f"{name:<12} like {like:.2f}, told {recall:.2f}, of these right {precision:.2f}")
        return
    told: dict[str, Any] = {}
    groups: dict[str, list[Item]] = {}
    for name, source in (("kitti", kitti), ("udacity", udacity), ("empty", empty)):
        items = list(source(options.data))
        began_s = time.process_time()
        for item in items:
            item.found = finder.find(item.picture)
        groups[name] = items
        told[name] = {"pictures": len(items), "ms": (time.process_time() - began_s) / max(len(items), 1) * 1e3}
    for kind in USUAL_M:
        told["kitti"][kind.name.lower()] = bands(groups["kitti"], kind)
    every = [one for kind in USUAL_M for one in matches(groups["kitti"], kind)]
    error, rows = calibration_error(every)
    told["kitti"]["ece"] = error
    told["kitti"]["bins"] = rows
    told["kitti"]["ranges"] = range_errors(groups["kitti"])
    told["kitti"]["false_a_picture"] = sum(
        one.is_right is False and one.found.score >= TOLD_MIN for one in every
    ) / max(len(groups["kitti"]), 1)
    cars = matches(groups["udacity"], ObjectClass.CAR)
    truths = sum(len(item.truth) for item in groups["udacity"])
    sure = [one for one in cars if one.found.score >= TOLD_MIN and one.is_right is not None]
    told["udacity"] |= {
        "truth": truths,
        "ap50": average_precision(cars, truths),
        "recall": sum(bool(one.is_right) for one in sure) / max(truths, 1),
        "false": sum(one.is_right is False for one in sure),
        "ece": calibration_error(cars)[0],
    }
    told["empty"]["false_a_picture"] = sum(
        one.score >= TOLD_MIN for item in groups["empty"] for one in item.found
    ) / max(len(groups["empty"]), 1)
    if options.worst is not None:
        options.worst.mkdir(parents=True, exist_ok=True)
        for number, (badness, item, wrong, missed) in enumerate(worst(groups["kitti"] + groups["udacity"])):
            said = [f"{one.found.object_class.name.lower()} {one.found.score:.2f}" for one in wrong]
            lost = [f"{t.kind.name.lower()} {t.range_m or 0:.0f} m" for t in missed]
            print(f"{number:2d} {item.name} {badness:.2f}: wrong {said}, missed {lost}")
            cv2.imwrite(str(options.worst / f"{number:02d}_{Path(item.name).stem}.png"), draw(item, wrong, missed))
    if options.json:
        print(json.dumps(told))
        return
    for group, figures in told.items():
        print(f"{group}: {figures['pictures']} pictures, {figures['ms']:.0f} ms each")
        for name, value in figures.items():
            if isinstance(value, dict):
                for band, row in value.items():
                    cells = ", ".join(
                        f"{key} {'-' if cell is None else format(cell, '.2f')}" for key, cell in row.items()
                    )
                    print(f"  {name} {band}: {cells}")
            elif name == "bins":
                print("  calibration: " + " ".join(f"{mean:.2f}>{share:.2f}({count})" for mean, share, count in value))
            elif name not in ("pictures", "ms"):
                print(f"  {name}: {value if value is None else round(value, 3)}")


if __name__ == "__main__":
    main()
