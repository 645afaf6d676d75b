"""The gate rules of the market survey (matrix.md section 1): what keeps a function from a country's roads."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from market_files import HEAD, write

from adas_runtime.cli import main
from adas_runtime.config import Finding
from adas_runtime.market import load_market, market_names
from adas_runtime.market.load import merge
from adas_runtime.market.profile import default_limit, profile, profile_stages
from adas_runtime.market.release import bundle_findings
from adas_runtime.market.rules import RuleBook, check, check_change, load_rules
from adas_runtime.market.schema import Features
from adas_runtime.signals import LimitKind, Stage

DAY = date(2026, 11, 26)
RULES = """format: 1
function: lane_departure
revision: "1"
rules:
  - {market: "XM", categories: [M1], state: mandatory, minimum_stage: warn, conf: s, src: mandate}
  - {market: "XA", categories: [M1], state: approval, conf: p, src: approval}
  - {market: "XN", categories: [M1], state: forbidden, conf: p, src: ban}
  - {market: "XQ", categories: [M1], state: unknown, conf: s, src: nobody knows}
  - {market: "XO", categories: [M1], state: none, conf: s, src: nothing found}
  - {market: "XU", categories: [M1], state: mandatory, minimum_stage: warn, conf: u, src: hearsay of a mandate}
  - {market: "XV", categories: [M1], state: none, conf: u, src: hearsay of nothing}
  - {market: "XC", categories: [M1], state: approval, needs_certificates: true, conf: p, src: "VAF 8(2)"}
"""


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder = tmp_path_factory.mktemp("config") / "rules"
    folder.mkdir()
    (folder / "lane_departure.yaml").write_text(RULES, encoding="utf-8")
    (folder.parent / "unions.yaml").write_text('format: 1\nrevision: "1"\nunions: {}\n', encoding="utf-8")
    return load_rules(folder)


def rules_of(
    folder: Path, book: RuleBook, code: str, stage: str, feature: str = "", more: str = "", on: date | None = DAY
) -> list[Finding]:
    head = HEAD.replace('"DE"', f'"{code}"').replace("extends: de", "extends: base")
    body = f"features: {{lane_departure: {{{feature}stage: {stage}, reason: test}}}}\n{more}"
    merged = merge(write(folder, body, head))
    assert not merged.findings, [item.line() for item in merged.findings]
    found = check(merged, on=on, rules=book)
    return [item for item in found if "lane_departure" in item.key or "certificates" in item.key]


def names(findings: list[Finding]) -> list[str]:
    return [item.rule for item in findings]


APPROVED = "approval_ref: E1-0001, valid_from: 2026-06-01, valid_until: 2027-05-31, "


@pytest.mark.clause("matrix 1.1")
def test_1_a_mandatory_function_is_not_kept_below_its_stage(tmp_path: Path, book: RuleBook) -> None:
    assert names(rules_of(tmp_path, book, "XM", "off")) == ["below-mandatory"]
    assert names(rules_of(tmp_path, book, "XM", "shadow")) == ["below-mandatory"]
    assert not rules_of(tmp_path, book, "XM", "warn")


@pytest.mark.clause("matrix 1.2")
@pytest.mark.clause("matrix 1.5")
@pytest.mark.parametrize("stage", ["warn", "on"])
def test_2_and_5_an_approval_is_named_and_in_force_on_the_day(tmp_path: Path, book: RuleBook, stage: str) -> None:
    def found(feature: str, on: date | None) -> list[str]:
        return names(rules_of(tmp_path, book, "XA", stage, feature, on=on))

    assert found("", DAY) == ["approval-missing"]
    assert found(APPROVED, date(2026, 5, 31)) == ["not-yet-valid"]
    assert found(APPROVED, date(2026, 6, 1)) == []
    assert found(APPROVED, date(2027, 5, 31)) == []
    assert found(APPROVED, date(2027, 6, 1)) == ["no-longer-valid"]
    assert found(APPROVED, None) == [], "without a day the dates are not judged"


@pytest.mark.clause("matrix 1.3")
@pytest.mark.parametrize("code", ["XN", "XQ", "XX"])
def test_3_what_is_forbidden_or_unknown_stays_locked_off_whatever_the_file_says(
    tmp_path: Path, book: RuleBook, code: str
) -> None:
    for stage in ("shadow", "warn", "on"):
        for feature in ("", APPROVED):
            found = rules_of(tmp_path, book, code, stage, feature)
            assert len(found) == 1 and found[0].rule in ("forbidden", "unknown-state") and "to off" in found[0].mend
    assert not rules_of(tmp_path, book, code, "off")


@pytest.mark.clause("matrix 1.3")
@pytest.mark.parametrize("name", market_names())
def test_3_no_shipped_market_runs_what_is_forbidden_or_unknown_not_even_silently(name: str) -> None:
    market = load_market(name, on=DAY)
    for function, stage in market.stages().items():
        rule, _ = load_rules().rule(function, market.market, "M1", DAY)
        if rule is None or rule.state in ("forbidden", "unknown"):
            assert stage is Stage.OFF, function


def test_that_no_rule_holds_opens_shadow_while_it_is_hearsay(tmp_path: Path, book: RuleBook) -> None:
    assert not rules_of(tmp_path, book, "XV", "shadow")
    for feature in ("", APPROVED):
        assert names(rules_of(tmp_path, book, "XV", "warn", feature)) == ["unknown-state"]


@pytest.mark.clause("matrix 1.4")
def test_4_where_no_rule_was_found_it_warns_at_most(tmp_path: Path, book: RuleBook) -> None:
    assert not rules_of(tmp_path, book, "XO", "warn")
    assert names(rules_of(tmp_path, book, "XO", "on", APPROVED)) == ["above-sign-off"]


def test_an_unchecked_mandate_forces_nothing_and_opens_nothing(tmp_path: Path, book: RuleBook) -> None:
    assert not rules_of(tmp_path, book, "XU", "off")
    assert names(rules_of(tmp_path, book, "XU", "warn")) == ["approval-missing"]
    assert not rules_of(tmp_path, book, "XU", "warn", APPROVED)


@pytest.mark.clause("matrix 1.5")
def test_5_a_change_of_value_or_confidence_is_a_new_revision(tmp_path: Path) -> None:
    urban = 'speed_defaults: {{urban: {{value: 50, conf: {}, src: "a page"}}}}\n'
    former = merge(write(tmp_path, urban.format("u"), name="former.yaml"))
    same = merge(write(tmp_path, urban.format("u"), name="same.yaml"))
    surer = merge(write(tmp_path, urban.format("s"), name="surer.yaml"))
    revised = merge(write(tmp_path, urban.format("s"), HEAD.replace('"1"', '"2"'), name="revised.yaml"))
    other = merge(write(tmp_path, "lane_departure: {confirm_s: 0.2}\n", name="other.yaml"))
    assert not check_change(former, same) and not check_change(former, revised)
    assert names(check_change(former, surer)) == ["revision"] == names(check_change(former, other))
    assert (
        check_change(former, surer)[0].where.line == 4 and "speed_defaults.urban" in check_change(former, surer)[0].what
    )


@pytest.mark.clause("R156 7.1.1")
def test_6_a_change_of_stage_is_another_software(tmp_path: Path) -> None:
    stage = "features: {{lane_departure: {{stage: {}, reason: test}}}}\nsoftware_id: {}\n"
    former = merge(write(tmp_path, stage.format("warn", '"RX 1"'), name="former.yaml"))
    second = HEAD.replace('"1"', '"2"')
    raised = merge(write(tmp_path, stage.format("on", '"RX 1"'), second, name="raised.yaml"))
    assert names(check_change(former, raised)) == ["software-id"]
    assert not check_change(former, merge(write(tmp_path, stage.format("on", '"RX 2"'), second, name="new.yaml")))


def test_5_and_6_on_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    former = write(tmp_path, name="former.yaml")
    changed = write(tmp_path, "lane_departure: {confirm_s: 0.2}\n", name="changed.yaml")
    assert main(["market", "check", str(changed), "--against", str(former)]) == 1
    assert "write a new revision" in capsys.readouterr().out
    assert main(["market", "check", str(former), "--against", str(former)]) == 0
    assert main(["market", "check", str(former), "--against", "jp"]) == 2
    assert main(["market", "check", "de", "jp", "--against", "de"]) == 2


@pytest.mark.clause("VAF 8(2)")
def test_7_automation_ends_with_the_makers_certificates(tmp_path: Path, book: RuleBook) -> None:
    def found(r155: str, r156: str, on: date = DAY) -> list[str]:
        more = f"certificates: {{r155_valid_until: {r155}, r156_valid_until: {r156}}}\n"
        return [item.key for item in rules_of(tmp_path, book, "XC", "on", APPROVED, more, on)]

    assert found("2027-01-01", "2027-01-01") == []
    assert found("2026-11-26", "2026-11-26") == [], "the last day is a day of use"
    assert found("2026-11-25", "2027-01-01") == ["certificates.r155_valid_until"]
    assert found("2027-01-01", "2026-11-25") == ["certificates.r156_valid_until"]
    assert found("null", "2027-01-01") == ["certificates.r155_valid_until"]
    rule, _ = load_rules().rule("alks", "CH", "M1", DAY)
    assert rule is not None and rule.needs_certificates and rule.state == "approval"


@pytest.mark.clause("matrix 1.8")
def test_8_an_unknown_country_has_the_most_restrictive_of_its_neighbours() -> None:
    names_ = market_names()
    markets = {name: load_market(name, is_dated=False) for name in names_}
    functions = tuple(Features.model_fields)
    assert profile("AT").markets == ("at",) and profile("AT").is_exact
    without = [name for name in names_ if name != "at"]
    assert profile("AT", names=without).markets == ("eu",), "a member of the Union without a file"
    assert profile("US-CA").markets == ("us",) and profile("gb-nir").markets == ("gb-nir",)
    between = profile("LI", ["CH", "DE"])
    assert between.markets == ("ch", "de") and not between.is_exact
    found = profile_stages(between, markets, functions)
    for name in functions:
        assert found[name] == min(markets["ch"].stages()[name], markets["de"].stages()[name])
    assert found["lane_departure"] is Stage.SHADOW, "warns in Germany, not released in Switzerland"
    for nowhere in (profile(""), profile("XX"), profile("AQ", ["XX"])):
        assert nowhere.markets == () and not nowhere.is_exact
        assert set(profile_stages(nowhere, markets, functions).values()) == {Stage.OFF}
    pair = [markets[name] for name in between.markets]
    assert default_limit(pair, "urban").limit_mps == pytest.approx(50 / 3.6)
    assert default_limit(pair, "motorway").kind is LimitKind.UNKNOWN, "none in Germany, 120 in Switzerland"
    assert default_limit([], "urban").kind is LimitKind.UNKNOWN


def test_a_release_needs_a_software_identification_and_texts_that_someone_read(tmp_path: Path) -> None:
    def found(body: str, extends: str = "de") -> list[str]:
        head = HEAD.replace("extends: de", f"extends: {extends}").replace('"DE"', f'"{extends.upper()}"')
        return [item.rule for item in bundle_findings(merge(write(tmp_path, body, head)))]

    assert found("") == ["software-id", "text-unchecked"], "German texts are a machine's"
    assert found('software_id: "RX 1"\nalerts: {languages: [en]}\n') == []
    assert found("", "kr") == [], "every function is silent"
    assert "union" in found("", "eu"), "a union is no country"
    assert "missing-text" in found("alerts: {wanted: [cs]}\n"), "the country's language has no texts"


def test_the_profile_is_told_on_the_command_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["market", "profile", "LI", "--near", "CH", "--near", "DE"]) == 0
    assert "most restrictive of ch, de" in capsys.readouterr().out


@pytest.mark.parametrize("name", market_names())
def test_no_shipped_market_runs_a_function_on_an_unchecked_word(name: str) -> None:
    market, book = load_market(name, on=DAY), load_rules()
    for function, stage in market.stages().items():
        if stage > Stage.SHADOW:
            for category in market.categories:
                rule, _ = book.rule(function, market.market, category, DAY)
                assert rule is not None and rule.conf in ("p", "s") and rule.state in ("mandatory", "none")
