"""Made drives in ten markets against their truth: right nearly everywhere, wrong nowhere else than at a sign."""

from __future__ import annotations

from bisect import bisect_right

import pytest

from adas_runtime.function import BuildContext
from adas_runtime.isa.core import Inputs, build
from adas_runtime.market import load_market
from adas_runtime.replay.limits import LimitShares
from adas_runtime.signals import LimitKind, LimitSource, SpeedUnit
from adas_runtime.synth.drive import DriveSpec, make_drive
from adas_runtime.synth.plan import Scenario
from adas_runtime.vehicle import load_vehicle

MARKETS = ("de", "fr", "gb", "jp", "us", "ae", "pl", "se", "kr", "ch")
SECONDS = 60.0


@pytest.mark.parametrize(
    ("name", "scenario"),
    [(name, (Scenario.RURAL, Scenario.MOTORWAY)[number % 2]) for number, name in enumerate(MARKETS)],
    ids=MARKETS,
)
def test_the_limit_of_the_signs_is_told_in_the_market_s_unit(name: str, scenario: Scenario) -> None:
    made = make_drive(
        DriveSpec(
            market=load_market(name, is_dated=False), seconds=SECONDS, scenario=scenario, width_px=160, height_px=90
        )
    )
    states, bodies = list(made.vehicle_states()), list(made.body_states())
    truth = tuple(made.limits())
    shares = LimitShares(truth)
    stamps = [item.stamp_s for item in truth]
    core = build(BuildContext(market=made.market, vehicle=load_vehicle("reference")))
    units = set()
    for index in range(made.frame_count):
        signs = made.sign_camera(index)
        now_s = signs.stamp_s
        at = min(round(made.frame_time_s(index) * 100.0), len(states) - 1)
        body = bodies[min(at // 10, len(bodies) - 1)]
        result = core.step(Inputs(vehicle=states[at], body=body, signs=signs), now_s)
        limit = result.limit
        assert limit is not None
        shares.add(limit, states[at].speed_mps, now_s)
        soon = truth[bisect_right(stamps, now_s + 0.3) - 1]  # told ten times a second, and a sign's distance is noisy
        if soon.kind is LimitKind.UNKNOWN:
            assert limit.source is LimitSource.NONE, "before the first sign nothing is known and nothing is assumed"
        elif limit.kind is not LimitKind.UNKNOWN:
            units.add(limit.unit)
    kpis = shares.kpis()
    assert kpis["judged_m"] > 800.0 and kpis["right_share"] > 0.98, kpis
    assert kpis["wrong_share"] < 0.02, "at each change the two differ for a few metres"
    assert units == {SpeedUnit.MPH if name in ("gb", "us") else SpeedUnit.KMH}
