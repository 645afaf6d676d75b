"""What the driver reads: every alert that the code can raise has its text in every language of every market."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from market_files import write

from adas_runtime.errors import ConfigError
from adas_runtime.graph import NETWORKS, default_graph
from adas_runtime.market import load_market, market_names
from adas_runtime.market.report import checked
from adas_runtime.market.texts import PLACEHOLDER, codes, direction, driver_text, missing, text_files
from adas_runtime.resources import config_dir
from adas_runtime.signals import Alert

FILES = text_files()


def test_every_alert_that_a_function_declares_has_a_text_and_no_text_is_left_over() -> None:
    """That it raises no other is part of every function's contract (test/frame)."""
    declared = {code for spec in default_graph(NETWORKS).functions for code in spec.alerts}
    assert declared == set(codes()), "write it in config/texts/en.yaml, then in every other language"


def test_who_raises_alerts_declares_their_codes() -> None:
    for spec in default_graph(NETWORKS).functions:
        assert any(output.signal is Alert for output in spec.outputs) is bool(spec.alerts), spec.name


def test_every_function_of_the_graph_has_a_name_for_the_driver() -> None:
    assert {spec.name for spec in default_graph(NETWORKS).functions} <= set(FILES["en"].functions)


def test_the_languages_asked_for_are_there() -> None:
    assert {"en", "de", "fr", "es", "ja", "ar", "zh", "th"} <= set(FILES)
    assert {
        language for name in market_names() for language in load_market(name, is_dated=False).alerts.languages
    } == set(FILES)


@pytest.mark.parametrize("language", FILES)
def test_a_language_is_whole_and_says_how_sure_it_is(language: str) -> None:
    file = FILES[language]
    assert missing(language) == ()
    assert set(file.texts) <= set(codes()) and set(file.functions) <= set(FILES["en"].functions), "left over"
    for code, text in file.texts.items():
        assert PLACEHOLDER.findall(text) == PLACEHOLDER.findall(FILES["en"].texts[code]), code
    assert file.conf == ("e" if language == "en" else "u"), (
        "a checked translation says who checked it: change this test"
    )


@pytest.mark.parametrize("name", market_names())
def test_every_market_speaks_and_never_shows_a_bare_code(name: str) -> None:
    market = load_market(name, is_dated=False)
    for language in market.alerts.languages:
        for code in codes():
            text = driver_text(
                market, f"{code}/lane_departure" if "{function}" in FILES["en"].texts[code] else code, language
            )
            assert text and "{" not in text and not text.startswith(code)


def test_only_arabic_runs_from_right_to_left() -> None:
    rtl = re.compile("[\u0590-\u08ff]")
    for language, file in FILES.items():
        has_rtl = all(rtl.search(text) for text in file.texts.values())
        assert (direction(language) == "rtl") is has_rtl is (language == "ar")
    assert direction("xx") == "ltr"


def test_a_text_of_its_own_and_an_unknown_code() -> None:
    market = load_market("ae", is_dated=False)
    assert driver_text(market, "fault/isa", "en") == "Speed assistance is at fault"
    assert driver_text(market, "fault/unheard_of", "en") == "unheard_of is at fault"
    assert driver_text(market, "unheard_of") == "unheard_of", "nothing is hidden"


def test_the_markets_own_wording_wins(tmp_path: Path) -> None:
    body = "alerts: {texts: {lane_departure_left: {de: Achtung links}}}\n"
    market = load_market(write(tmp_path, body), is_dated=False)
    assert driver_text(market, "lane_departure_left") == "Achtung links"
    assert driver_text(market, "lane_departure_right") == "Spur wird rechts verlassen"


def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str) -> Path:
    folder = tmp_path / "config"
    shutil.copytree(config_dir(), folder)
    file = folder / "texts" / "de.yaml"
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setenv("ADAS_CONFIG_DIR", str(folder))
    return folder


def test_a_market_that_lacks_one_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken(tmp_path, monkeypatch, '  lane_departure_left: "Spur wird links verlassen"\n', "")
    (finding,) = checked("de", None).findings
    assert (
        finding.rule == "missing-text" and finding.key == "alerts.languages" and finding.where.file == "markets/de.yaml"
    )
    assert "lacks 1 texts, such as lane_departure_left; complete config/texts/de.yaml" in finding.line()
    assert not checked("fr", None).findings, "the others are not concerned"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("language: de", "language: en", "is not the language that the file is named after"),
        ("direction: ltr", "direction: up", "must be one of ltr, rtl"),
        ('"Spur wird links verlassen"', '"Spur {side} verlassen"', "placeholder other than"),
        ("conf: u", "conf: x", "must be one of"),
    ],
)
def test_a_wrong_language_file_is_told_with_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, words: str
) -> None:
    folder = broken(tmp_path, monkeypatch, old, new)
    with pytest.raises(ConfigError, match=words):
        text_files(folder / "texts")
