"""`adas market matrix`: a launch is decided on it, so each cell says what the check would say."""

from __future__ import annotations

import json
import re
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from adas_runtime.cli import main
from adas_runtime.market import market_names
from adas_runtime.market.load import market_path, merge
from adas_runtime.market.matrix import NAMES, VERDICTS, Matrix, matrix, page
from adas_runtime.market.rules import load_rules
from adas_runtime.market.schema import Features

DAY = date(2026, 11, 26)


@pytest.fixture(scope="module")
def found() -> Matrix:
    return matrix([(name, merge(market_path(name))) for name in market_names()], "M1", DAY)


def test_every_market_and_every_system_is_there(found: Matrix) -> None:
    assert [row.name for row in found.rows] == list(market_names())
    assert set(found.systems) == set(load_rules().functions) == set(NAMES)
    assert all(set(row.cells) == set(found.systems) for row in found.rows)
    built = {system for system in found.systems if all(row.cells[system].stage for row in found.rows)}
    assert built == set(Features.model_fields)


# market, system, letter, verdict: matrix.md section 3
CELLS = [
    ("de", "lane_departure", "Mp", "works"),
    ("de", "elks", "Ms", "works"),
    ("de", "alks", "Ap", "approval"),
    ("de", "dcas_hands_off", "?s", "elsewhere"),
    ("nl", "dcas_hands_off", "As", "elsewhere"),
    ("ch", "dcas_hands_off", "Np", "elsewhere"),
    ("ch", "lane_departure", "Au", "approval"),
    ("ae", "lane_departure", "?u", "locked"),
    ("my", "alks", "Ns", "locked"),
    ("jp", "aeb", "Ms", "works"),
    ("no", "elks", "Mu", "approval"),
    ("mx", "lane_departure", "-s", "works"),
]


@pytest.mark.parametrize(("name", "system", "letter", "verdict"), CELLS)
def test_a_cell_says_the_law_and_what_it_comes_to(
    found: Matrix, name: str, system: str, letter: str, verdict: str
) -> None:
    cell = next(row for row in found.rows if row.name == name).cells[system]
    assert (cell.letter, cell.verdict) == (letter, verdict)


def test_the_day_decides() -> None:
    def state(name: str, system: str, on: date) -> str:
        return matrix([(name, merge(market_path(name)))], "M1", on).rows[0].cells[system].letter

    assert state("us", "aeb", date(2029, 8, 31)) == "-u" and state("us", "aeb", date(2029, 9, 1)) == "Mp"
    assert state("cn", "dcas", date(2026, 12, 31)) == "?u" and state("cn", "dcas", date(2027, 1, 1)) == "As"
    assert state("de", "distraction", date(2026, 7, 6)) == "?u" and state("de", "distraction", date(2026, 7, 7)) == "Ms"


def test_no_cell_works_that_the_check_refuses(tmp_path: Path) -> None:
    from market_files import HEAD, write

    head = HEAD.replace('"DE"', '"JP"').replace("extends: de", "extends: jp")
    merged = merge(write(tmp_path, "features: {lane_departure: {stage: on}}\n", head))
    cell = matrix([("test", merged)], "M1", DAY).rows[0].cells["lane_departure"]
    assert cell.verdict == "refused" and "test.yaml:6" in cell.why and cell.stage == "on"


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.outside: list[str] = []
        self.directions: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.outside += [value for name, value in given.items() if name in ("src", "href") and value]
        if tag == "q":
            self.directions[str(given["lang"])] = str(given["dir"])
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_stands_alone_and_tells_without_colour(found: Matrix) -> None:
    text = page(found)
    parser = _Page()
    parser.feed(text)
    assert parser.open == [] and parser.outside == [] and "http" not in text and "@import" not in text
    assert parser.directions["ar"] == "rtl" and parser.directions["en"] == "ltr"
    assert len({sign for sign, _ in VERDICTS.values()}) == len(VERDICTS), "the sign alone must tell"
    for row in found.rows:
        assert row.title in text
    colours = dict(re.findall(r"--(\w+): (#\w{6})", text.partition("@media")[0]))
    for name in VERDICTS:
        if name in colours:
            assert contrast(colours["ink"], colours[name]) >= 7.0


def contrast(one: str, two: str) -> float:
    def light(colour: str) -> float:
        parts = [int(colour[at : at + 2], 16) / 255.0 for at in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    high, low = sorted((light(one), light(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["market", "matrix", "--on", "2026-11-26"]) == 0
    out = capsys.readouterr().out
    assert re.search(r"^de .*Mp warn", out, flags=re.MULTILINE) and "locked" in out
    target = tmp_path / "matrix.html"
    assert main(["market", "matrix", "--html", str(target), "--on", "2026-11-26"]) == 0
    assert capsys.readouterr().out.strip() == str(target) and target.read_text(encoding="utf-8").startswith("<!doctype")
    assert main(["market", "matrix", "--json", "--category", "N3", "--on", "2026-11-26"]) == 0
    record = json.loads(capsys.readouterr().out)
    assert record["category"] == "N3" and record["rows"][0]["cells"]["isa"]["conf"]


def test_wrong_use_of_the_command(tmp_path: Path) -> None:
    assert main(["market", "matrix", "--category", "M9"]) == 2
    assert main(["market", "matrix", "--html", str(tmp_path / "none" / "x.html")]) == 2
