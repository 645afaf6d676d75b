"""Reading, inheriting and merging market files: what is refused, with which line and mend, and what follows."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from market_files import HEAD, whole_file, write

from adas_runtime.errors import ConfigError
from adas_runtime.market import load_market
from adas_runtime.market.load import MAX_CHAIN, merge
from adas_runtime.market.report import checked, values

# (what is wrong, text after the head, rule, line of the complaint, words of the complaint)
WRONG = [
    ("unknown key", "lane_depature: {}\n", "unknown-key", 6, "did you mean 'lane_departure'?"),
    ("unknown inner key", "lane_departure:\n  warn_at: 1.0\n", "unknown-key", 7, "lane_departure.warn_at: unknown key"),
    ("new feature", "features:\n  hover: {stage: off}\n", "unknown-key", 7, "features.hover: unknown key"),
    ("protection off", "features:\n  envelope: {stage: off}\n", "unknown-key", 7, "features.envelope"),
    ("language in capitals", "alerts:\n  texts:\n    fault:\n      DE: x\n", "unknown-key", 9, "unknown key"),
    ("wording of no alert", "alerts:\n  texts:\n    fualt: {en: x}\n", "unknown-key", 8, "known here: lane_departure"),
    ("empty wording", "alerts: {texts: {fault: {en: ' '}}}\n", "wrong-value", 6, "own wording"),
    ("out of range", "lane_departure:\n  confirm_s: 0.5\n", "out-of-range", 7, "confirm_s = 0.5: must be <= 0.3 s"),
    ("later than the law", "lane_departure:\n  active_from_kmh: 70\n", "out-of-range", 7, "must be <= 65.0 km/h"),
    ("text for number", 'lane_departure:\n  confirm_s: "0.1"\n', "wrong-type", 7, "without quotes"),
    ("unit in value", "lane_departure:\n  confirm_s: 0.1 s\n", "wrong-type", 7, "plain number"),
    ("underscore", "lane_departure:\n  active_from_kmh: 6_0\n", "wrong-type", 7, "underscores"),
    ("yes for true", "lane_departure:\n  is_haptic: yes\n", "wrong-type", 7, "true or false, without quotes"),
    ("1 for true", "lane_departure:\n  is_haptic: 1\n", "wrong-type", 7, "true or false"),
    ("nothing", "lane_departure:\n  confirm_s:\n", "wrong-type", 7, "must be a number, not nothing"),
    ("section as value", "lane_departure: 3\n", "wrong-type", 6, "mapping of keys to values"),
    ("stage as section", "features: {lane_departure: off}\n", "wrong-type", 6, "keys below it: stage, approval_ref"),
    ("list as section", "lanes: {dash: [3, 10]}\n", "wrong-type", 6, "keys below it: paint_m, gap_m"),
    ("stage as truth value", "features: {lane_departure: {stage: false}}\n", "wrong-value", 6, "off, shadow, warn, on"),
    ("stage misspelt", "features: {lane_departure: {stage: wran}}\n", "wrong-value", 6, "did you mean 'warn'?"),
    ("no entry", "categories: []\n", "wrong-length", 6, "at least 1"),
    ("no such day", "features: {lane_departure: {valid_from: 2026-02-30}}\n", "contradiction", 6, "date that exists"),
    ("fact without source", "road: {traffic_side: left}\n", "confidence", 6, "without confidence and source"),
    ("unknown confidence", "road: {traffic_side: {value: left, conf: x}}\n", "confidence", 6, "say how sure"),
    ("primary, no source", "road: {traffic_side: {value: left, conf: p}}\n", "confidence", 6, "must name the source"),
    ("sourced, no value", "road: {traffic_side: {conf: p, src: x}}\n", "missing-key", 6, "but no value"),
    ("unknown beside value", "road: {speed_unit: {value: mph, conf: e, src: x, why: y}}\n", "unknown-key", 6, "why"),
    (
        "narrower than usual lane",
        "lanes: {width: {max_m: {value: 3.2, conf: e, src: x}}}\n",
        "contradiction",
        6,
        "max_m must be >= nominal_m",
    ),
    (
        "opposing line in works colour",
        "lanes:\n  opposing_line_colour: {value: yellow, conf: s, src: x}\n",
        "contradiction",
        7,
        "would cancel the line to the opposing flow",
    ),
    (
        "cancelling without colour",
        "lanes: {works: {colours: {value: [], conf: e, src: x}}}\n",
        "contradiction",
        6,
        "colours is empty",
    ),
    ("hysteresis", "lane_departure: {active_until_kmh: 65}\n", "contradiction", 6, "hysteresis"),
    ("silent warning", "lane_departure: {is_acoustic: false}\n", "contradiction", 6, "R130 5.4.1"),
    ("driver not first", "envelope: {override_hand_back_s: 2.0}\n", "contradiction", 6, "the driver comes first"),
    (
        "stands by in a lane",
        "categories: [M1]\n\n\nlane_departure:\n  confirm_s: 0.2\n  lane_width_min_m: 2.5\n",
        "contradiction",
        11,
        "works_min_m = 2.4 takes for lanes; lower lane_width_min_m",
    ),
    (
        "wide lanes of a country",
        "lanes:\n  raised: {is_used: {value: true, conf: e, src: x}}\n  width: {max_m: {value: 5.5, conf: e, src: x}}\n"
        "lane_departure: {lane_width_max_m: 5.0}\n",
        "contradiction",
        8,
        "max_m = 5.5 takes for lanes; raise lane_width_max_m",
    ),
    ("language without texts", "alerts: {languages: [de, tl]}\n", "missing-text", 6, "complete config/texts/tl.yaml"),
    ("limit as text", "speed_defaults: {urban: {value: fast, conf: e, src: x}}\n", "contradiction", 6, "write unknown"),
    ("limit with unit", 'speed_defaults: {urban: {value: "50 km/h", conf: e, src: x}}\n', "contradiction", 6, "number"),
    ("no kind of road", "speed_defaults: {motorways: {value: 1, conf: e, src: x}}\n", "unknown-key", 6, "'motorway'"),
    (
        "same as nothing",
        "speed_defaults: {motorway: {value: same, conf: e, src: x}}\n",
        "contradiction",
        6,
        "no more general kind",
    ),
    (
        "case of no road",
        "speed_defaults: {conditional: {x: {wet: {value: 80, conf: e, src: x}}}}\n",
        "unknown-key",
        6,
        "living_street",
    ),
    ("case, no source", "speed_defaults: {conditional: {urban: {wet: 30}}}\n", "confidence", 6, "without confidence"),
    ("corridor nowhere", "corridor: {roads: {value: [], conf: e, src: x}}\n", "contradiction", 6, "name the kinds"),
    (
        "approval that ends before it begins",
        "features: {lane_departure: {approval_ref: E1, valid_from: 2026-05-01, valid_until: 2026-04-30}}\n",
        "contradiction",
        6,
        "before valid_from",
    ),
    ("uncertain limit", "speed_defaults: {urban: {value: 60, conf: u}}\n", "confidence", 6, "differs from 50"),
    ("uncertain look", "signs: {family: {value: mutcd, conf: u}}\n", "confidence", 6, "less cautious"),
    ("uncertain gap", "following: {time_gap_min_s: {value: 1.5, conf: u}}\n", "confidence", 6, "less cautious than 2"),
    ("silent without reason", 'features: {lane_departure: {stage: off, reason: ""}}\n', "contradiction", 6, "say why"),
    (
        "approval without day",
        "features: {lane_departure: {approval_ref: E1}}\n",
        "contradiction",
        6,
        "valid_from is missing",
    ),
    (
        "uncertain but bolder",
        "lanes: {width: {min_m: {value: 2.5, conf: u}}}\n",
        "confidence",
        6,
        "less cautious than 2.75",
    ),
    (
        "uncertain and different",
        "lanes: {dash: {gap_m: {value: 9.0, conf: u}}}\n",
        "confidence",
        6,
        "differs from 12.0",
    ),
    ("key twice", "road: {}\nroad: {}\n", "unreadable", 7, "stands here again, first on line 6"),
    ("anchor", "road: &a {}\n", "unreadable", 6, "anchor"),
    ("tab", "road:\n\ttraffic_side: left\n", "unreadable", 7, "spaces, not tabs"),
    ("octal", "lane_departure: {active_from_kmh: 060}\n", "unreadable", 6, "starts with 0"),
    ("not a number", "lane_departure: {confirm_s: .nan}\n", "unreadable", 6, "not a finite number"),
    ("second document", "---\nroad: {}\n", "unreadable", 6, "second document"),
]


@pytest.mark.parametrize(("body", "rule", "line", "words"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_what_is_wrong_is_told_with_line_rule_and_mend(
    tmp_path: Path, body: str, rule: str, line: int, words: str
) -> None:
    findings = checked(str(write(tmp_path, body)), None).findings
    assert [(item.rule, item.where.line) for item in findings] == [(rule, line)], [item.line() for item in findings]
    text = findings[0].line()
    assert re.search(rf"test\.yaml:{line}: ", text) and words in text and "; " in text


@pytest.mark.parametrize(
    ("head", "rule", "line", "words"),
    [
        (HEAD.replace("format: 1\n", ""), "format", 1, "format is missing"),
        (HEAD.replace("format: 1", "format: 2"), "format", 1, "must be 1; write format: 1"),
        (HEAD.replace("format: 1", 'format: "1"'), "format", 1, "write format: 1"),
        (HEAD.replace("format: 1", "format: true"), "format", 1, "write format: 1"),
        (HEAD.replace('market: "DE"\n', ""), "missing-key", 1, "market: is missing"),
        (HEAD.replace('"DE"', "Germany"), "wrong-value", 2, "market"),
        (HEAD.replace('"DE"', "false"), "wrong-type", 2, "put it in quotes"),
        (HEAD.replace("title: Test\n", ""), "missing-key", 1, "Name for people"),
        (HEAD.replace("extends: de\n", ""), "unreadable", 1, "add extends: base"),
        (HEAD.replace("extends: de", "extends: dee"), "unreadable", 5, "no such market"),
        (HEAD.replace("extends: de", "extends: DE"), "unreadable", 5, "write extends: de"),
        (HEAD.replace('"DE"', '"de"'), "wrong-value", 2, "Code of the market, in quotes: ISO 3166-1"),
        (HEAD.replace("extends: de", "extends: [de]"), "unreadable", 5, "must be the name of a market"),
        (HEAD.replace("extends: de", "extends: ../de"), "unreadable", 5, "must be the name of a market"),
        (HEAD.replace("extends: de", "extends: test"), "unreadable", 5, "circle: test -> test"),
    ],
)
def test_a_wrong_head(tmp_path: Path, head: str, rule: str, line: int, words: str) -> None:
    findings = checked(str(write(tmp_path, head=head)), None).findings
    assert [(item.rule, item.where.line) for item in findings] == [(rule, line)], [item.line() for item in findings]
    assert words in findings[0].line()


def test_a_circle_and_a_long_chain_are_refused(tmp_path: Path) -> None:
    for one, two in (("a1", "b1"), ("b1", "c1"), ("c1", "a1")):
        write(tmp_path, head=HEAD.replace("extends: de", f"extends: {two}"), name=f"{one}.yaml")
    assert "circle: a1 -> b1 -> c1 -> a1" in checked(str(tmp_path / "a1.yaml"), None).findings[0].line()
    parents = 2  # de extends eu extends base
    for index in range(MAX_CHAIN - parents):
        write(
            tmp_path,
            head=HEAD.replace("extends: de", f"extends: {'de' if index == 0 else f'x{index}'}"),
            name=f"x{index + 1}.yaml",
        )
    last = MAX_CHAIN - parents
    assert "more than" in checked(str(tmp_path / f"x{last}.yaml"), None).findings[0].line()
    assert not checked(str(tmp_path / f"x{last - 1}.yaml"), None).findings


def test_a_copied_file_that_kept_the_other_countrys_code_is_refused(tmp_path: Path) -> None:
    copied = write(tmp_path, name="fr.yaml")
    finding = checked(str(copied), None).findings[0]
    assert finding.rule == "market-mismatch" and finding.where.line == 2
    assert 'write market: "FR", or rename the file' in finding.line()
    assert not checked(str(write(tmp_path, name="de_winter_fleet.yaml")), None).findings


def test_the_base_is_no_market(tmp_path: Path) -> None:
    from adas_runtime.market.load import markets_dir

    assert checked(str(markets_dir() / "base.yaml"), None).findings[0].rule == "base"


def test_a_mistake_in_a_parent_is_told_where_it_stands(tmp_path: Path) -> None:
    write(tmp_path, "lane_departure:\n  confirm_s: 9\n", name="parent.yaml")
    child = write(tmp_path, head=HEAD.replace("extends: de", "extends: parent"))
    assert (
        "parent.yaml:7: lane_departure.confirm_s = 9: must be <= 0.3 s" in checked(str(child), None).findings[0].line()
    )


def test_a_child_mends_what_its_parent_has_wrong(tmp_path: Path) -> None:
    write(tmp_path, "lane_departure:\n  confirm_s: 9\n", name="parent.yaml")
    child = write(tmp_path, "lane_departure: {confirm_s: 0.2}\n", HEAD.replace("extends: de", "extends: parent"))
    assert load_market(child).lane_departure.confirm_s == 0.2


def test_sections_merge_and_lists_are_replaced(tmp_path: Path) -> None:
    parent, child = (
        load_market("de"),
        load_market(write(tmp_path, "lane_departure: {confirm_s: 0.2}\nalerts: {languages: [en]}\n")),
    )
    assert child.lane_departure.confirm_s == 0.2
    assert child.lane_departure.model_copy(update={"confirm_s": 0.1}) == parent.lane_departure
    assert child.alerts.languages == ("en",) and child.alerts.texts == parent.alerts.texts
    assert child.lanes == parent.lanes and child.title == "Test"


def test_a_value_that_replaces_a_sourced_one_does_not_keep_its_source(tmp_path: Path) -> None:
    write(tmp_path, 'lane_departure: {confirm_s: {value: 0.2, conf: p, src: "R130 5.2"}}\n', name="parent.yaml")
    child = merge(
        write(tmp_path, "lane_departure: {confirm_s: 0.15}\n", HEAD.replace("extends: de", "extends: parent"))
    )
    item = next(item for item in values(child) if item.key == "lane_departure.confirm_s")
    assert (item.value, item.provenance.conf, item.provenance.src, item.is_own) == (0.15, "e", "", True)


def test_a_market_beside_the_file_wins_over_a_shipped_one(tmp_path: Path) -> None:
    write(tmp_path, "lane_departure: {confirm_s: 0.2}\n", HEAD.replace("extends: de", "extends: eu"), name="de.yaml")
    assert load_market(write(tmp_path)).lane_departure.confirm_s == 0.2


@pytest.mark.parametrize(
    ("parent", "body"),
    [
        ("de", "lanes: {width: {min_m: {value: 2.9, conf: u}}}\n"),
        ("de", "lanes: {width: {max_m: {value: 4.2, conf: u}}}\n"),
        ("de", "lanes: {works: {colours: {value: [], conf: u}, overrides_permanent: {value: false, conf: u}}}\n"),
        ("ae", "lanes: {raised: {is_used: {value: false, conf: u}}}\n"),
        ("de", "lanes: {dash: {gap_m: {value: 12.0, conf: u}}}\n"),
    ],
    ids=["higher", "lower", "fewer, false", "false", "the same"],
)
def test_an_uncertain_value_may_be_more_cautious(tmp_path: Path, parent: str, body: str) -> None:
    path = write(
        tmp_path, body, HEAD.replace("extends: de", f"extends: {parent}").replace('"DE"', f'"{parent.upper()}"')
    )
    assert [item.line() for item in checked(str(path), None).findings] == []


@pytest.mark.parametrize(
    "body",
    [
        "lanes: {width: {max_m: {value: 4.6, conf: u}}}\n",
        "lanes: {works: {colours: {value: [yellow, orange], conf: u}}}\n",
        "lanes: {raised: {is_used: {value: true, conf: u}}}\n",
    ],
    ids=["lower", "fewer", "false"],
)
def test_an_uncertain_value_may_not_be_bolder(tmp_path: Path, body: str) -> None:
    assert [item.rule for item in checked(str(write(tmp_path, body)), None).findings] == ["confidence"]


def test_unquoted_no_and_off_are_the_country_and_the_stage(tmp_path: Path) -> None:
    head = HEAD.replace('"DE"', "NO").replace("extends: de", "extends: base")
    norway = load_market(
        write(tmp_path, "features: {lane_departure: {stage: off, reason: test}}\n", head, name="no.yaml")
    )
    assert norway.market == "NO" and norway.name == "no"
    assert norway.features.lane_departure.stage == "off"


def test_every_finding_is_told_in_the_order_of_the_lines(tmp_path: Path) -> None:
    body = "lane_departure:\n  confirm_s: 9\n  is_haptic: 1\nenvelop: {}\n"
    assert [item.where.line for item in checked(str(write(tmp_path, body)), None).findings] == [7, 8, 9]


def test_load_market_raises_the_first_finding_in_one_line(tmp_path: Path) -> None:
    path = write(tmp_path, "lane_departure: {confirm_s: 9}\n")
    with pytest.raises(ConfigError, match=r"test\.yaml:6: lane_departure\.confirm_s = 9: must be <= 0\.3 s; give"):
        load_market(path)


@pytest.mark.parametrize("name", ["xx", "base", "../de", "de.yml", "DE\n", "", "config", "\x1b[31m"])
def test_a_name_that_is_no_market_is_refused(name: str) -> None:
    with pytest.raises(ConfigError):
        load_market(name)


def test_a_name_may_be_written_in_capitals() -> None:
    assert load_market("DE") == load_market("de")


# --- the digest -------------------------------------------------------------------------------------------------------


@settings(max_examples=20)
@given(order=st.randoms(use_true_random=False))
def test_the_digest_does_not_depend_on_order_comments_or_spelling(
    tmp_path_factory: pytest.TempPathFactory, order: object
) -> None:
    import random

    assert isinstance(order, random.Random)
    folder = tmp_path_factory.getbasetemp()
    path = write(folder, whole_file(), head="", name="digest.yaml")
    expected = load_market(path).digest
    blocks = re.split(r"\n(?=\S)", whole_file())
    blocks = [block for block in blocks if not block.startswith("#")]
    order.shuffle(blocks)
    text = "# another comment\n" + "\n".join(blocks).replace("confirm_s: 0.1\n", "confirm_s: 1e-1   # said otherwise\n")
    text = text.replace("curve_cut_radius_m: 250.0", "curve_cut_radius_m: 250")
    assert load_market(write(folder, text + "\n", head="", name="digest.yaml")).digest == expected


def test_the_digest_does_not_depend_on_the_order_of_texts(tmp_path: Path) -> None:
    body = "alerts: {{texts: {{fault: {{{}}}}}}}\n"
    one = load_market(write(tmp_path, body.format("fr: Gauche, it: Sinistra"))).digest
    assert load_market(write(tmp_path, body.format("it: Sinistra, fr: Gauche"))).digest == one
    assert load_market(write(tmp_path, body.format("it: Sinistra, fr: Links"))).digest != one


def test_the_digest_does_not_depend_on_which_file_of_the_chain_says_it(tmp_path: Path) -> None:
    body = "lane_departure: {confirm_s: 0.2}\n"
    flat = load_market(write(tmp_path, body)).digest
    write(tmp_path, body, name="parent.yaml")
    assert load_market(write(tmp_path, head=HEAD.replace("extends: de", "extends: parent"))).digest == flat


@settings(max_examples=30)
@given(share=st.floats(0.0, 1.0))
def test_the_digest_differs_with_any_value(tmp_path_factory: pytest.TempPathFactory, share: float) -> None:
    body = f"lane_departure: {{warn_min_s: {share:.6f}}}\n"
    market = load_market(write(tmp_path_factory.getbasetemp(), body, name="digest.yaml"))
    other = load_market(write(tmp_path_factory.getbasetemp(), name="digest.yaml"))
    same = market.lane_departure.warn_min_s == other.lane_departure.warn_min_s
    assert (market.digest == other.digest) == same
