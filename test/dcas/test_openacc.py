"""Our controller behind recorded cars, beside the production cars that followed them (OpenACC, ZalaZone)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from benchmark_modules import load

from adas_runtime.errors import AdasError
from adas_runtime.market import load_market
from adas_runtime.scenario.openacc import Recording, read
from adas_runtime.vehicle import load_vehicle

TABLE = """Date,8,10,2019
Vehicle_order,FIRST,SECOND,THIRD,
Number_of_vehicles,3
ACC,1
Distance_setting,S
Time,Speed1,Speed2,Speed3,IVS1,IVS2
1.0,8.0,8.1,,20.0,
1.1,8.0,8.2,8.3,19.9,15.0
1.2,8.0,8.3,8.3,19.8,15.1
"""


@pytest.fixture(scope="module")
def benchmark() -> Iterator[ModuleType]:
    """The script that makes the tables of the docs."""
    with pytest.MonkeyPatch.context() as patch:
        yield load("following", patch)


@pytest.fixture(scope="module")
def recordings(shared_data: Path) -> list[Recording]:
    folder = shared_data / "car_following" / "openacc_zalazone"
    return [read(path) for path in sorted(folder.glob("*.csv"))]


def test_a_table_is_read_with_its_holes(tmp_path: Path) -> None:
    """Setting, names, and missing samples as NaN."""
    path = tmp_path / "x.csv"
    path.write_text(TABLE, encoding="utf-8")
    found = read(path)
    assert (found.setting, found.is_acc, found.cars) == ("short", True, ("FIRST", "SECOND", "THIRD"))
    assert [pair.name for pair in found.pairs] == ["SECOND", "THIRD"]
    assert math.isnan(found.pairs[1].gap_m[0]) and found.pairs[1].gap_m[1] == 15.0


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n", TABLE.replace("8.1", "fast"), "\n".join(TABLE.splitlines()[:6])],
    ids=["empty", "another-table", "no-number", "no-rows"],
)
def test_what_is_no_table_is_told_in_one_line(tmp_path: Path, text: str) -> None:
    """What, where, the mend."""
    path = tmp_path / "x.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(AdasError, match=r"x\.csv"):
        read(path)
    with pytest.raises(AdasError, match="cannot be read"):
        read(tmp_path / "none.csv")


def test_no_swing_of_a_recorded_column_grows_through_ours(benchmark: ModuleType, recordings: list[Recording]) -> None:
    """Behind the same first car: production cars swing up three times, ours calm it, at their gaps too."""
    chosen = [item for item in recordings if item.name.startswith("mixed") or "part23" in item.name]
    found = benchmark.columns(chosen, load_market("de"), load_vehicle("reference"))
    assert len(found) == 2
    for column in found:
        assert column.real_mps[-1] > 1.5 * column.lead_swing_mps
        assert column.ours_mps[-1] < 0.9 * column.lead_swing_mps
        assert column.ours_same_mps[-1] < 0.9 * column.lead_swing_mps


def test_the_gap_is_kept_better_and_smoother_than_the_production_car(
    benchmark: ModuleType, recordings: list[Recording]
) -> None:
    """Every pair of the platoons with the short setting: steadier gap, not above the market's least, less jerk."""
    short = [item for item in recordings if "part23" in item.name or "part26" in item.name]
    found = benchmark.sides(short, load_market("de"), load_vehicle("reference"))
    assert len(found) >= 8
    for item in found:
        assert item.ours.gap_min_s >= 1.9
        assert item.ours.gap_std_s < item.real.gap_std_s
        assert item.ours.jerk_rms < item.real.jerk_rms
        assert item.ours.amplification <= 1.0 < item.real.amplification
        assert item.ours_same.gap_std_s < item.real.gap_std_s


def test_normal_following_is_no_alarm_and_a_fixed_threshold_would_be(
    benchmark: ModuleType, recordings: list[Recording]
) -> None:
    """Issue 4 C.1: no alarm for any ACC car nor for ours in any market; every least gap as threshold alarms all day."""
    short = [item for item in recordings if "part23" in item.name or "part40" in item.name]
    found = benchmark.nuisance(short, load_vehicle("reference"))
    germany, poland, least_de, least_au = found["ACC short"]
    assert germany.per_hour == poland.per_hour == 0.0
    assert least_de.per_hour > 30.0 and least_au.per_hour > 30.0
    assert [item.per_hour for item in found["ours"]][:3] == [0.0, 0.0, 0.0]
    by_hand = found["by hand"]
    assert by_hand[0].short_s > by_hand[1].short_s > 0.0, "0.6 s warns of less than 1.0 s"
