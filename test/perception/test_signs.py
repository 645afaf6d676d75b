"""Speed signs: drawn ones at all sizes, real cut-outs and photographs, and pictures in which there is none."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import cv2
import numpy as np
import pytest
from benchmark_modules import load
from hypothesis import given, settings
from hypothesis import strategies as st

from adas_runtime.cli import main
from adas_runtime.perception.models.manifest import load_manifest, manifest_path
from adas_runtime.perception.models.signs import READER, SignReader
from adas_runtime.perception.sign_votes import Tracks, voted
from adas_runtime.perception.signs import CUT_PX, SeenSign, cut_out, meaning
from adas_runtime.signals import SignKind, SpeedUnit
from adas_runtime.synth.plan import Sign
from adas_runtime.synth.props import sign_texture


@pytest.fixture(scope="module")
def reader() -> SignReader:
    return SignReader(("de",))


@pytest.fixture(scope="module")
def figures() -> Iterator[ModuleType]:
    """The evaluation itself, as a user runs it."""
    with pytest.MonkeyPatch.context() as patch:
        yield load("signs", patch)


def road(side: int, *, value: int = 80, look: str = "ring", x: int = 860, y: int = 240) -> np.ndarray:
    """A grey road under a bright sky, and beside it a drawn sign of `side` pixels."""
    picture = np.full((720, 1280, 3), (214, 196, 178), np.uint8)
    picture[340:] = (92, 98, 96)
    if side:
        sign = Sign(s_m=0.0, d_m=0.0, kind=SignKind.SPEED_LIMIT, value=value, unit=SpeedUnit.KMH, look=look)
        face, alpha = (cv2.resize(part, (side, side), interpolation=cv2.INTER_AREA) for part in sign_texture(sign))
        share = alpha[..., None] / 255.0
        spot = picture[y : y + side, x : x + side]
        spot[:] = np.round(spot * (1.0 - share) + face * share)
    return picture


@pytest.mark.parametrize("look", ["ring", "ring_blue", "plate"])
@pytest.mark.parametrize("side", [32, 48, 90, 150])
def test_a_drawn_sign_is_read_at_its_place(reader: SignReader, look: str, side: int) -> None:
    [sign] = reader.look(road(side, look=look, value=60))
    assert (sign.kind, sign.value) == (SignKind.SPEED_LIMIT, 60)
    middle = ((sign.box_px[0] + sign.box_px[2]) / 2.0, (sign.box_px[1] + sign.box_px[3]) / 2.0)
    assert middle == pytest.approx((860 + side / 2.0, 240 + side / 2.0), abs=0.12 * side)


def test_a_road_without_a_sign_has_none(reader: SignReader) -> None:
    assert reader.look(road(0)) == ()


def test_a_sign_that_fills_the_picture_is_seen_when_asked_for(reader: SignReader) -> None:
    near = road(340, x=400, y=120)
    assert [(sign.kind, sign.value) for sign in reader.look(near, is_near=True)] == [(SignKind.SPEED_LIMIT, 80)]


def test_a_grey_picture_is_read_as_well(reader: SignReader) -> None:
    grey = cv2.cvtColor(road(64, value=50), cv2.COLOR_BGR2GRAY)
    assert [sign.value for sign in reader.look(np.asarray(grey, np.uint8))] == [50]


def test_every_class_of_the_model_means_something() -> None:
    classes = load_manifest(manifest_path(READER)).classes
    told = [meaning(name) for name in classes]
    assert told.count(None) == 2, "other and nothing"
    assert ("speed_limit_50" in classes) and meaning("speed_limit_50") == (SignKind.SPEED_LIMIT, 50)
    assert meaning("city_exit") == (SignKind.CITY_EXIT, None)
    with pytest.raises(ValueError, match="no_parking"):
        meaning("no_parking")


@settings(max_examples=60)
@given(
    x=st.floats(-80.0, 400.0), y=st.floats(-80.0, 300.0), w=st.floats(0.0, 500.0), h=st.floats(0.0, 500.0),
    around=st.sampled_from([1.05, 1.2, 1.35]),
)  # fmt: skip
def test_any_box_gives_a_cut_out(x: float, y: float, w: float, h: float, around: float) -> None:
    picture = np.arange(240 * 320 * 3, dtype=np.uint32).astype(np.uint8).reshape(240, 320, 3)
    cut = cut_out(picture, (x, y, x + w, y + h), around)
    assert cut.shape == (CUT_PX, CUT_PX, 3) and cut.dtype == np.uint8


@pytest.mark.parametrize("side", [20.0, 60.0, 200.0, 420.0])
def test_a_cut_out_is_centred_on_its_box(side: float) -> None:
    picture = np.zeros((480, 640, 3), np.uint8)
    cv2.circle(picture, (320, 240), max(int(side / 8), 2), (255, 255, 255), -1)
    box = (320.5 - side / 2, 240.5 - side / 2, 320.5 + side / 2, 240.5 + side / 2)
    cut = cut_out(picture, box, 1.2)
    rows, columns = np.nonzero(cut[..., 0] > 127)
    assert (columns.mean(), rows.mean()) == pytest.approx((CUT_PX / 2 - 0.5, CUT_PX / 2 - 0.5), abs=0.8)


def test_perceive_tells_signs_in_the_unit_of_the_market(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    cv2.imwrite(str(tmp_path / "road.png"), road(80, value=55, look="plate"))
    assert main(["perceive", str(tmp_path / "road.png"), "--market", "us", "--json"]) == 0
    [sign] = json.loads(capsys.readouterr().out)["signs"]
    assert (sign["kind"], sign["value"], sign["unit"]) == ("speed_limit", 55, "mph")
    assert 0.6 <= sign["confidence"] <= 1.0 and len(sign["box_px"]) == 4
    assert main(["perceive", str(tmp_path / "road.png"), "--overlay", str(tmp_path / "drawn")]) == 0
    assert "speed limit 55 km/h" in capsys.readouterr().out, "de by default"


def test_german_cut_outs_are_read_as_measured(reader: SignReader, figures: ModuleType, shared_data: Path) -> None:
    if not (shared_data / "signs" / "gtsdb_crops.csv").is_file():
        pytest.skip(f"no sign cut-outs in {shared_data}")
    found = figures.cuts(reader, shared_data / "signs")
    assert found.told >= 0.90 * found.count and found.right >= 0.985 * found.told


def test_photographs_of_streets_are_read_and_a_house_number_is_no_limit(
    reader: SignReader, figures: ModuleType, shared_data: Path
) -> None:
    if not (shared_data / "signs" / "photos").is_dir():
        pytest.skip(f"no photographs in {shared_data}")
    told = figures.photographs(reader, shared_data / "signs" / "photos")
    assert told["berlin_50.jpg"] == [("SPEED_LIMIT", 50)]
    assert told["berlin_zone30.jpg"] == [("ZONE_ENTRY", 30)]
    assert told["house_number_70.jpg"] == []


def test_roads_without_a_legible_sign_stay_silent(reader: SignReader, figures: ModuleType, shared_data: Path) -> None:
    for group, paths in figures.roads(shared_data):
        if not paths:
            pytest.skip(f"{group}: no pictures in {shared_data}")
        told = sum(len(figures.look(reader, path)) for path in paths)
        assert told <= 0.02 * len(paths), group


@pytest.mark.parametrize("market", ["de", "jp", "us"])
def test_a_rendered_drive_confirms_its_limit_before_it_is_passed_and_no_other(figures: ModuleType, market: str) -> None:
    found = figures.rendered(SignReader((market,)), market, 26.0)
    assert found.count >= 3
    assert found.confirmed_m >= 20.0
    assert found.confirmed_wrong == 0 and found.wrong <= 1


# --- votes ------------------------------------------------------------------------------------------------------------

BOX = (600.0, 200.0, 640.0, 240.0)


def seen(value: int, box: tuple[float, float, float, float] = BOX, confidence: float = 0.9) -> SeenSign:
    return SeenSign(kind=SignKind.SPEED_LIMIT, value=value, box_px=box, confidence=confidence, finding=0.9)


def values(pictures: list[list[SeenSign]], period_s: float = 0.2) -> list[list[int | None]]:
    tracks: Tracks = ()
    told = []
    for number, signs in enumerate(pictures):
        tracks, agreed = voted(tracks, signs, number * period_s, 1280)
        told.append([None if reading is None else reading[1] for reading in agreed])
    return told


def test_one_picture_confirms_nothing_and_two_that_agree_do() -> None:
    assert values([[seen(50)], [seen(50, (612.0, 190.0, 660.0, 238.0))]]) == [[None], [50]]


def test_a_wrong_reading_between_right_ones_is_outvoted() -> None:
    assert values([[seen(80)], [seen(90)], [seen(80)], [seen(80)]]) == [[None], [None], [80], [80]]
    assert values([[seen(80)], [seen(80)], [seen(90)]])[-1] == [80], "what two have said is kept against one"


def test_two_signs_beside_each_other_keep_their_own_votes() -> None:
    other = (900.0, 200.0, 940.0, 240.0)
    assert values([[seen(50), seen(70, other)], [seen(70, other), seen(50)]]) == [[None, None], [70, 50]]


def test_what_was_passed_long_ago_has_no_vote() -> None:
    assert values([[seen(50)], [], [], [], [seen(50)]]) == [[None], [], [], [], [None]]


@given(
    pictures=st.lists(
        st.lists(st.tuples(st.sampled_from([50, 60, 80]), st.floats(0, 1200), st.floats(1, 200), st.floats(0.6, 1.0)),
                 max_size=3),
        max_size=12,
    )
)  # fmt: skip
def test_what_is_confirmed_was_read_twice(pictures: list[list[tuple[int, float, float, float]]]) -> None:
    signs = [[seen(v, (x, 100.0, x + side, 100.0 + side), c) for v, x, side, c in picture] for picture in pictures]
    counts: dict[int, int] = {}
    for picture, told in zip(signs, values(signs), strict=True):
        for sign in picture:
            assert sign.value is not None
            counts[sign.value] = counts.get(sign.value, 0) + 1
        assert all(value is None or counts.get(value, 0) >= 2 for value in told)
