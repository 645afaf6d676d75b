"""How well speed signs are found and read: real cut-outs, photographs and road pictures, and rendered drives.

    python benchmark/signs.py [--data FOLDER] [--seconds 30] [--worst DIR]

FOLDER holds the shared recordings (by default ADAS_SHARED_DATA, or beside the checkout); what it lacks is left out.
Nothing that is measured here was trained on.
"""

from __future__ import annotations

import argparse
import csv
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np
from lanes import shared_data

from adas_runtime.perception.models.signs import SignReader
from adas_runtime.perception.sign_votes import Tracks, voted
from adas_runtime.perception.signs import Box, Picture, SeenSign, cut_out
from adas_runtime.signals import SignKind
from adas_runtime.synth.drive import DriveSpec, Scenario, make_drive

NEAR_M = 40.0
MARKETS = ("de", "jp", "us", "ae", "se")


@dataclass
class Cuts:
    """Cut-outs of one sign each."""

    count: int = 0
    told: int = 0
    right: int = 0
    wrong: list[tuple[Path, str]] = field(default_factory=list)


def cuts(reader: SignReader, folder: Path) -> Cuts:
    """German speed limits as a detector would cut them out (for evaluation only)."""
    found = Cuts()
    with (folder / "gtsdb_crops.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            path = folder / row["file"]
            path = path if path.is_file() else folder.parent / row["file"]
            picture = _picture(path)
            sign = reader.read(picture, whole(picture))
            found.count += 1
            if sign is None:
                continue
            found.told += 1
            if sign.kind is SignKind.SPEED_LIMIT and sign.value == int(row["speed_limit"]):
                found.right += 1
            else:
                found.wrong.append((path, f"{sign.kind.name} {sign.value} {sign.confidence:.2f}"))
    return found


def photographs(reader: SignReader, folder: Path) -> dict[str, list[tuple[str, int | None]]]:
    """What is told of each photograph."""
    return {
        path.name: [(sign.kind.name, sign.value) for sign in look(reader, path, is_near=True)]
        for path in sorted(folder.glob("*.jpg"))
    }


def look(reader: SignReader, path: Path, *, is_near: bool = False) -> tuple[SeenSign, ...]:
    """The signs of a file."""
    return reader.look(_picture(path), is_near=is_near)


def whole(picture: Picture) -> Box:
    """The box of a picture that is all sign."""
    return 0.0, 0.0, float(picture.shape[1]), float(picture.shape[0])


def _picture(path: Path) -> Picture:
    found = cv2.imread(str(path))
    assert found is not None, path
    return np.asarray(found, np.uint8)


def roads(data: Path) -> Iterator[tuple[str, list[Path]]]:
    """Pictures of roads in which no speed sign can be read, by group."""
    lanes = data / "lanes"
    yield "Udacity, TuSimple", sorted(p for p in lanes.rglob("*") if p.suffix == ".jpg" or p.stem.isdigit())
    yield "KITTI (for evaluation only)", sorted((data / "objects" / "kitti_nc" / "image_2").glob("*"))


@dataclass
class Drive:
    """One rendered drive: pictures in which a sign stands nearer than `NEAR_M`."""

    count: int = 0
    right: int = 0
    wrong: int = 0
    farthest_m: float = 0.0
    confirmed_m: float = 0.0
    confirmed_wrong: int = 0


def rendered(reader: SignReader, market: str, seconds: float) -> Drive:
    """Signs in a drive of a market, against its truth."""
    drive = make_drive(DriveSpec(market=market, seconds=seconds, scenario=Scenario.DEMO))
    renderer = drive.renderer
    found = Drive()
    tracks: Tracks = ()
    for index in range(0, int(seconds * 20), 4):  # five pictures a second
        truth = [sign for sign in drive.signs(index).signs if sign.x_m is not None and 6.0 < sign.x_m]
        if not truth:
            continue
        nearest = min(truth, key=lambda sign: sign.x_m or 0.0)
        assert nearest.value_mps is not None and nearest.x_m is not None
        value = round(nearest.value_mps / nearest.unit.mps(1.0))
        picture = np.asarray(renderer.frame(index, drive.frame_time_s(index)), np.uint8)
        told = reader.look(picture)
        tracks, agreed = voted(tracks, told, index / 20.0, picture.shape[1])
        for reading in agreed:
            if reading is not None and reading[1] == value:
                found.confirmed_m = max(found.confirmed_m, nearest.x_m)
            found.confirmed_wrong += reading is not None and reading[1] != value
        is_right = any(sign.kind is SignKind.SPEED_LIMIT and sign.value == value for sign in told)
        if is_right:
            found.farthest_m = max(found.farthest_m, nearest.x_m)
        found.wrong += sum(sign.value != value for sign in told)
        if nearest.x_m <= NEAR_M:
            found.count += 1
            found.right += is_right
    return found


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=shared_data())
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--worst", type=Path, help="write the cut-outs that were read wrongly here")
    options = parser.parse_args()
    reader = SignReader(("de",))
    data: Path = options.data
    if (data / "signs" / "gtsdb_crops.csv").is_file():
        of_cuts = cuts(reader, data / "signs")
        told, right = of_cuts.told, of_cuts.right
        print(f"German cut-outs: {of_cuts.count}, told {told / of_cuts.count:.1%}, of these right {right / told:.1%}")
        for path, said in of_cuts.wrong:
            print(f"  {path.parent.name}/{path.name}: {said}")
            if options.worst is not None:
                options.worst.mkdir(parents=True, exist_ok=True)
                picture = _picture(path)
                name = f"{path.parent.name}_{path.stem}.png"
                cv2.imwrite(str(options.worst / name), cut_out(picture, whole(picture), 1.2))
        print(f"photographs: {json.dumps(photographs(reader, data / 'signs' / 'photos'))}")
        for group, paths in roads(data):
            if paths:
                began_s = time.process_time()
                wrong = sum(len(look(reader, path)) for path in paths)
                ms = (time.process_time() - began_s) / len(paths) * 1e3
                print(f"{group}: {len(paths)} pictures, {wrong} signs told, {ms:.0f} ms a picture")
    for market in MARKETS:
        one = rendered(SignReader((market,)), market, options.seconds)
        print(
            f"rendered {market}: right in {one.right} of {one.count} pictures within {NEAR_M:.0f} m, first at "
            f"{one.farthest_m:.0f} m, wrong in {one.wrong}; confirmed at {one.confirmed_m:.0f} m, "
            f"wrongly {one.confirmed_wrong}"
        )


if __name__ == "__main__":
    main()
