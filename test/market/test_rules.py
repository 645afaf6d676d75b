"""What the law lets a market do: mandatory, with an approval, not at all; by country, vehicle category and day."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_files import HEAD, write

from adas_runtime.config import Finding
from adas_runtime.errors import ConfigError
from adas_runtime.market.load import merge
from adas_runtime.market.report import checked
from adas_runtime.market.rules import RuleBook, check, load_rules

TODAY = date(2026, 11, 25)
STAGES = ["off", "shadow", "warn", "on"]
APPROVED = 'approval_ref: "E1*R79*0001", valid_from: 2026-12-01, '

RULES = """format: 1
function: lane_departure
revision: "1"
rules:
  - {market: "XA", categories: [M1, N1], state: mandatory, minimum_stage: warn, since: 2026-01-01, conf: p, src: law A}
  - {market: "XB", categories: [M1], state: approval, conf: s, src: law B}
  - {market: "XC", categories: [M1], state: forbidden, conf: p, src: law C}
  - {market: "XD", categories: [M1], state: unknown, conf: u, src: nobody knows}
  - {market: "XE", categories: [M1], state: none, conf: s, src: looked everywhere}
  - {market: "XF", categories: [M1], state: none, conf: u, src: hearsay}
  - {market: "XG", categories: [M1], state: none, conf: s, src: before}
  - {market: "XG", categories: [M1], state: forbidden, since: 2027-01-01, conf: p, src: after}
  - {market: "XA-NR", categories: [M1], state: approval, conf: s, src: law of the north}
  - {market: "XU", categories: [M1], state: mandatory, minimum_stage: warn, conf: p, src: law of the union}
"""
UNIONS = 'format: 1\nrevision: "1"\nunions:\n  "XU": {members: ["XE", "XM"], src: treaty}\n'


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder = tmp_path_factory.mktemp("config") / "rules"
    folder.mkdir()
    (folder / "lane_departure.yaml").write_text(RULES, encoding="utf-8")
    (folder.parent / "unions.yaml").write_text(UNIONS, encoding="utf-8")
    return load_rules(folder)


def judge(
    folder: Path,
    book: RuleBook,
    code: str,
    stage: str,
    *,
    feature: str = "",
    extends: str = "base",
    on: date | None = TODAY,
) -> list[Finding]:
    head = HEAD.replace('"DE"', f'"{code}"').replace("extends: de", f"extends: {extends}")
    body = f"features: {{lane_departure: {{{feature}stage: {stage}, reason: test}}}}\n"
    merged = merge(write(folder, body, head))
    assert not merged.findings, [item.line() for item in merged.findings]
    return [item for item in check(merged, on=on, rules=book) if item.key.startswith("features.lane_departure.")]


# country, stage, rule that refuses it; everything else is accepted
REFUSED = {
    ("XA", "off"): "below-mandatory",
    ("XA", "shadow"): "below-mandatory",
    ("XB", "warn"): "approval-missing",
    ("XB", "on"): "approval-missing",
    ("XC", "shadow"): "forbidden",
    ("XC", "warn"): "forbidden",
    ("XC", "on"): "forbidden",
    ("XD", "shadow"): "unknown-state",
    ("XD", "warn"): "unknown-state",
    ("XD", "on"): "unknown-state",
    ("XE", "on"): "above-sign-off",
    ("XF", "warn"): "unknown-state",
    ("XF", "on"): "unknown-state",
    ("XX", "shadow"): "unknown-state",
    ("XX", "warn"): "unknown-state",
    ("XX", "on"): "unknown-state",
}


@pytest.mark.parametrize("code", ["XA", "XB", "XC", "XD", "XE", "XF", "XX"])
@pytest.mark.parametrize("stage", STAGES)
def test_each_state_of_the_law_with_each_stage(tmp_path: Path, book: RuleBook, code: str, stage: str) -> None:
    findings = judge(tmp_path, book, code, stage)
    assert [item.rule for item in findings] == ([REFUSED[code, stage]] if (code, stage) in REFUSED else [])
    for item in findings:
        assert item.where.line == 6 and item.key == "features.lane_departure.stage" and item.mend
        assert code in item.what and ("lane_departure.yaml:" in item.what or code == "XX")


@settings(max_examples=40)
@given(code=st.sampled_from(["XA", "XB", "XC", "XD", "XE", "XF", "XG", "XX", "XA-NR", "XM"]), day=st.dates())
def test_without_a_duty_a_lower_stage_is_never_refused_where_a_higher_is_accepted(
    tmp_path_factory: pytest.TempPathFactory, book: RuleBook, code: str, day: date
) -> None:
    folder = tmp_path_factory.getbasetemp()
    accepted = {stage: not judge(folder, book, code, stage, feature=APPROVED, on=day) for stage in STAGES}
    rule, _ = book.rule("lane_departure", code, "M1", day)
    if rule is not None and rule.state == "mandatory":
        assert accepted["warn"] >= accepted["shadow"] >= accepted["off"]
    else:
        assert accepted["off"]
        assert accepted["shadow"] >= accepted["warn"] >= accepted["on"]


def test_an_approval_opens_the_stage_from_its_first_day(tmp_path: Path, book: RuleBook) -> None:
    def rules(day: date) -> list[str]:
        return [item.rule for item in judge(tmp_path, book, "XB", "on", feature=APPROVED, on=day)]

    assert rules(date(2026, 11, 30)) == ["not-yet-valid"]
    assert rules(date(2026, 12, 1)) == []


def test_a_blank_approval_is_none(tmp_path: Path, book: RuleBook) -> None:
    feature = 'approval_ref: "  ", valid_from: 2026-01-01, '
    assert [item.rule for item in judge(tmp_path, book, "XB", "on", feature=feature)] == ["approval-missing"]


def test_an_approval_opens_nothing_that_is_forbidden_or_unknown(tmp_path: Path, book: RuleBook) -> None:
    for code in ("XC", "XD", "XF", "XX"):
        day = date(2027, 1, 1)
        assert judge(tmp_path, book, code, "warn", feature=APPROVED, on=day), code
        assert (not judge(tmp_path, book, code, "shadow", feature=APPROVED, on=day)) is (code == "XF"), code


def test_a_duty_and_a_ban_begin_on_their_day(tmp_path: Path, book: RuleBook) -> None:
    assert not judge(tmp_path, book, "XA", "off", on=date(2025, 12, 31))
    assert judge(tmp_path, book, "XA", "off", on=date(2026, 1, 1))
    assert not judge(tmp_path, book, "XG", "warn", on=date(2026, 12, 31))
    assert [item.rule for item in judge(tmp_path, book, "XG", "warn", on=date(2027, 1, 1))] == ["forbidden"]


def test_the_law_follows_the_country_not_what_its_file_extends(tmp_path: Path, book: RuleBook) -> None:
    write(tmp_path, head=HEAD.replace('"DE"', '"XB"').replace("extends: de", "extends: base"), name="parent.yaml")
    assert judge(tmp_path, book, "XX", "warn", extends="parent")[0].rule == "unknown-state"
    assert not judge(tmp_path, book, "XM", "warn"), "a member is under the union's law, whatever its file extends"
    assert judge(tmp_path, book, "XM", "shadow")[0].rule == "below-mandatory"


def test_the_nearest_law_wins(tmp_path: Path, book: RuleBook) -> None:
    assert judge(tmp_path, book, "XA-NR", "warn")[0].rule == "approval-missing"  # a part with a law of its own
    assert judge(tmp_path, book, "XA-SU", "off")[0].rule == "below-mandatory"  # a part without
    assert not judge(tmp_path, book, "XE", "shadow")  # a member with a rule of its own


def test_each_category_of_vehicle_is_judged(tmp_path: Path, book: RuleBook) -> None:
    head = HEAD.replace('"DE"', '"XB"').replace("extends: de", "extends: base")
    body = f"categories: [M1, N3]\nfeatures: {{lane_departure: {{{APPROVED}stage: warn}}}}\n"
    findings = check(merge(write(tmp_path, body, head)), on=date(2027, 1, 1), rules=book)
    findings = [item for item in findings if "lane_departure" in item.key]
    assert [(item.rule, "N3" in item.what) for item in findings] == [("unknown-state", True)]


def test_a_wrong_rule_file_is_refused_with_its_line(tmp_path: Path) -> None:
    folder = tmp_path / "rules"
    folder.mkdir()
    (tmp_path / "unions.yaml").write_text(UNIONS, encoding="utf-8")
    for change, words in (
        (("state: forbidden, conf", "state: verboten, conf"), r":7: rules\[2\].state = \"verboten\": must be one of"),
        (("minimum_stage: warn, since", "since"), r":5: .*minimum_stage belongs to a mandatory function"),
        (('market: "XC"', 'market: "XB"'), r":4: rules.*holds XB M1 twice"),
        (("conf: p, src: law C", "conf: p"), r":7: rules\[2\]\.src: is missing"),
    ):
        (folder / "lane_departure.yaml").write_text(RULES.replace(*change), encoding="utf-8")
        load_rules.__globals__["_load_rules"].cache_clear()
        with pytest.raises(ConfigError, match=words):
            load_rules(folder)


def test_a_car_of_a_category_that_the_market_was_not_judged_for_does_not_start(tmp_path: Path) -> None:
    from adas_runtime.function import Process
    from adas_runtime.nodes.settings import Settings, load
    from adas_runtime.resources import config_dir

    text = (config_dir() / "vehicles" / "reference.yaml").read_text(encoding="utf-8")
    truck = tmp_path / "truck.yaml"
    truck.write_text(text.replace("category: M1", "category: N3"), encoding="utf-8")
    with pytest.raises(
        ConfigError, match=r"--vehicle: vehicle reference is of category N3, market DE is released for M1"
    ):
        load(Settings(process=Process.GUARD, market="de", vehicle=str(truck)))
    silent = "features: {elks: {stage: off, reason: no duty of trucks}, aeb: {stage: off, reason: other rules}}\n"
    market = write(tmp_path, f"categories: [N3]\n{silent}")
    assert load(Settings(process=Process.GUARD, market=str(market), vehicle=str(truck))).vehicle.category == "N3"


# --- the shipped rules: matrix.md section 3, lane_keeping.md E1, E9 ---------------------------------------------------


@pytest.mark.clause("GSR2 7(3)")
@pytest.mark.parametrize("code", ["DE", "FR", "PL", "EU"])
def test_lane_departure_warning_is_a_duty_in_the_union(tmp_path: Path, code: str) -> None:
    assert [item.rule for item in judge(tmp_path, load_rules(), code, "shadow")] == ["below-mandatory"]
    assert not judge(tmp_path, load_rules(), code, "warn")


@pytest.mark.parametrize("code", ["NO", "GB", "CH", "JP", "CN", "AE", "SA", "US", "TR"])
def test_elsewhere_no_file_turns_the_warning_on_by_extending_the_union(tmp_path: Path, code: str) -> None:
    assert judge(tmp_path, load_rules(), code, "warn", extends="eu")
    is_unknown = code in ("AE", "SA", "TR")
    assert bool(judge(tmp_path, load_rules(), code, "shadow", extends="eu")) is is_unknown
    assert not judge(tmp_path, load_rules(), code, "off", extends="eu")


def test_every_function_with_a_stage_has_rules() -> None:
    from adas_runtime.graph import default_graph
    from adas_runtime.market.schema import Features

    with_stage = {spec.name for spec in default_graph().functions if spec.has_stage}
    assert with_stage == set(Features.model_fields) <= set(load_rules().functions)


def test_a_market_in_a_fault_of_the_rules_is_told_not_raised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from adas_runtime.market import rules

    def broken(_: object = None) -> RuleBook:
        raise ConfigError("is wrong", where="rules/lane_departure.yaml:3", mend="mend it")

    monkeypatch.setattr(rules, "load_rules", broken)
    assert checked(str(write(tmp_path)), TODAY).findings[0].line().startswith("rules/lane_departure.yaml:3: is wrong")
