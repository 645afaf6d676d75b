"""What a market may do with assistance: an approval for `on`, no half measure, no text that nobody has read."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from market_files import write

from adas_runtime.market import load_market, market_names
from adas_runtime.market.load import merge
from adas_runtime.market.release import release_findings
from adas_runtime.market.report import checked
from adas_runtime.market.rules import load_rules
from adas_runtime.signals import Stage

DAY = date(2026, 11, 26)
APPROVED = 'approval_ref: "E1*171R00/02*0001*00", valid_from: 2026-10-01'


def found(folder: Path, body: str) -> list[str]:
    """What the check says of a German market with these lines."""
    return [finding.line() for finding in checked(str(write(folder, body)), DAY).findings]


@pytest.mark.parametrize("name", market_names())
def test_no_shipped_market_lets_it_touch_the_car(name: str) -> None:
    market = load_market(name, is_dated=False)
    assert market.stages()["dcas"] <= Stage.SHADOW
    assert market.dcas.series == "00" and not market.dcas.has_supplement_2
    assert not market.dcas.sim_enabled and not market.dcas.hands_off_enabled


def test_it_works_with_an_approval_alone(tmp_path: Path) -> None:
    assert "needs an approval" in found(tmp_path, "features: {dcas: {stage: on}}\n")[0]
    assert found(tmp_path, f"features: {{dcas: {{stage: on, {APPROVED}}}}}\n") == []


REFUSED = [
    ("half", f"features: {{dcas: {{stage: warn, {APPROVED}}}}}\n", "the driver would read that the car steers"),
    (
        "no-departure-warning",
        f"features: {{dcas: {{stage: on, {APPROVED}}}, lane_departure: {{stage: shadow, reason: test}}}}\n",
        "needs a lane departure warning",
    ),
    ("sim", "dcas: {sim_enabled: true}\n", "sim_enabled is true, which series"),
    ("hands-off", "dcas: {hands_off_enabled: true, hands_off_approval_ref: E1}\n", "hands_off_enabled is true, which"),
    ("series", 'dcas: {series: "01"}\n', "nobody has confirmed"),
    ("supplement", "dcas: {has_supplement_2: true}\n", "nobody has confirmed"),
    ("late-request", "dcas: {engagement: {eyes_request_s: 5.1}}\n", "must be <= 5"),
    ("instruments", "dcas: {gaze: {relevant: [instruments]}}\n", "gaze.relevant"),
    ("hard-stop", "dcas: {risk: {decel_mps2: 4.1}}\n", "must be <= 4"),
    ("sharp", "dcas: {lateral_accel_max_mps2: 2.9}\n", "more than the envelope lets through"),
]


@pytest.mark.parametrize(("body", "word"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_the_law_or_an_unread_text_forbids_is_refused_in_one_line(body: str, word: str, tmp_path: Path) -> None:
    lines = found(tmp_path, body)
    assert len(lines) >= 1 and any(word in line and "test.yaml:6" in line for line in lines), lines


def test_a_release_waits_for_a_person_who_has_read_the_text(tmp_path: Path) -> None:
    merged = merge(write(tmp_path, f"features: {{dcas: {{stage: on, {APPROVED}}}}}\n"))
    keys = {finding.key for finding in release_findings(merged, on=DAY)}
    assert "dcas.legal_confirmed" in keys
    assert not any(key.startswith("dcas.") for key in {f.key for f in release_findings(merge(write(tmp_path)), on=DAY)})


@pytest.mark.parametrize("name", market_names())
def test_manoeuvres_that_the_system_starts_are_open_nowhere(name: str, tmp_path: Path) -> None:
    """A maker's word that the later series is read is not enough: no rule of any country opens them yet."""
    code = load_market(name, is_dated=False).market
    head = f'format: 1\nmarket: "{code}"\ntitle: Test\nrevision: "1"\nextends: {name}\n'
    path = write(tmp_path, 'dcas: {series: "01", later_series_read: true, sim_enabled: true}\n', head=head)
    keys = {item.key: item for item in checked(str(path), DAY).findings}
    assert keys["dcas.sim_enabled"].rule == "unknown-state" and "locked false" in keys["dcas.sim_enabled"].what


@pytest.mark.parametrize("name", market_names())
def test_hands_off_is_open_nowhere_without_a_rule_that_says_so(name: str, tmp_path: Path) -> None:
    """A maker who states that the later series is read, and names an approval, opens it where the law does alone."""
    code = load_market(name, is_dated=False).market
    head = f'format: 1\nmarket: "{code}"\ntitle: Test\nrevision: "1"\nextends: {name}\n'
    switch = '{series: "01", later_series_read: true, hands_off_enabled: true, hands_off_approval_ref: E1}'
    path = write(tmp_path, f"dcas: {switch}\n", head=head)
    keys = {item.key: item for item in checked(str(path), DAY).findings}
    rule, _ = load_rules().rule("dcas_hands_off", code, "M1", DAY)
    is_open = rule is not None and rule.state == "approval" and rule.conf != "u"
    assert is_open is (name in ("nl", "lt", "ee")), "the rules changed: read them again"
    assert ("dcas.hands_off_enabled" in keys) is not is_open
    if rule is not None and rule.state == "forbidden":
        assert keys["dcas.hands_off_enabled"].rule == "forbidden" and rule.src in keys["dcas.hands_off_enabled"].what
