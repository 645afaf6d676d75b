"""The page of one replay: complete, harmless whatever the names in a bag are, small, and alive in a browser."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from builders import make_events, make_series, make_summary, write_folder
from chromium import Browser

from adas_runtime.errors import BagError
from adas_runtime.market import load_market
from adas_runtime.replay.history import driver_texts
from adas_runtime.replay.report import write_report
from adas_runtime.replay.report.page import MAX_EVENTS, MAX_STILLS, clock, duration, moment

EVIL = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>"
JPEG = cv2.imencode(".jpg", np.full((90, 160, 3), 120, np.uint8))[1].tobytes()


class _Elements(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def _page(folder: Path, **files: Any) -> str:
    return write_report(write_folder(folder, **files)).read_text(encoding="utf-8")


def test_says_what_was_replayed_and_how_to_repeat_it(tmp_path: Path) -> None:
    text = _Elements(_page(tmp_path)).text
    for expected in (
        "a9_evening.mcap",
        "drives/a9_evening.mcap",
        "de, revision 2026.1",
        "5f" * 32,
        "ab" * 32,
        "reference",
        "opencv 5.0.0",
        "120.0 times real time",
        "adas replay drives/a9_evening.mcap --market de --out out/a9",
        "gap of 0.31 s at 12.2 s",
        "lane_departure_left",
        "distance_left_m",
        "lane_model 1.5 s",
    ):
        assert expected in text, expected


def test_tells_the_date_of_the_drive_in_utc(tmp_path: Path) -> None:
    assert "from 2023-11-14 22:13:20 UTC" in _Elements(_page(tmp_path)).text


@pytest.mark.parametrize("start_s", [0.0, 86_400.0, 3.2e8, 1e12])
def test_a_clock_that_tells_no_date_is_not_taken_for_one(tmp_path: Path, start_s: float) -> None:
    text = _Elements(_page(tmp_path, summary=make_summary(start_s=start_s))).text
    assert "UTC" not in text.split("What was replayed")[0]
    assert "without a date" in text


@pytest.mark.parametrize(
    ("time_s", "told"),
    [
        (1_700_000_000.999, "2023-11-14 22:13:20 UTC"),
        (1_709_251_199.0, "2024-02-29 23:59:59 UTC"),
        (946_684_799.9, ""),
        (float("nan"), ""),
        (float("inf"), ""),
    ],
)
def test_a_moment_is_of_the_calendar(time_s: float, told: str) -> None:
    assert moment(time_s) == told


def test_counts_shadow_alerts_apart(tmp_path: Path) -> None:
    assert "1 of them in shadow, unseen by the driver" in _page(tmp_path)


OWN = """format: 1
market: "DE"
title: A trial
revision: "1"
extends: de
alerts: {texts: {lane_departure_left: {de: "Achtung <links>"}}}
"""


@pytest.mark.parametrize(
    ("market", "language", "direction", "text"),
    [
        ("ae", "ar", "rtl", "خروج عن المسار إلى اليسار"),
        ("de", "de", "ltr", "Spur wird links verlassen"),
        ("gb", "en", "ltr", "Leaving the lane to the left"),
        ("own.yaml", "de", "ltr", "Achtung &lt;links&gt;"),
    ],
)
def test_says_what_the_driver_reads_in_the_market_s_own_words(
    tmp_path: Path, market: str, language: str, direction: str, text: str
) -> None:
    (tmp_path / "own.yaml").write_text(OWN, encoding="utf-8")
    chosen = load_market(tmp_path / market if market.endswith(".yaml") else market, is_dated=False)
    told = driver_texts(chosen, ["lane_departure_left", "lane_departure_right"])
    texts = {code: item.model_dump(mode="json") for code, item in told.items()}
    page = _page(tmp_path, summary=make_summary(market=chosen.name, texts=texts))
    assert f'<q lang="{language}" dir="{direction}">{text}</q>' in page
    assert ("(Leaving the lane to the left)" in page) is (language != "en"), "in English too, for whoever reads reports"


def test_a_summary_of_an_older_release_shows_the_code_alone(tmp_path: Path) -> None:
    page = _page(tmp_path)
    assert "lane_departure_left" in page and "<q lang" not in page


def test_tells_a_missing_input_from_an_empty_figure(tmp_path: Path) -> None:
    text = _Elements(_page(tmp_path)).text
    assert "not in the bag" in text
    assert "missing" in text


def test_nothing_of_a_recording_becomes_markup(tmp_path: Path) -> None:
    summary = make_summary(bag=EVIL, vehicle=EVIL, market=EVIL, command=EVIL, warnings=[EVIL], versions={EVIL: EVIL})
    summary["inputs"][EVIL] = summary["inputs"]["/vehicle/state"] | {"type": EVIL, "note": EVIL, "feeds": [EVIL]}
    summary["functions"][EVIL] = summary["functions"]["lane_departure"] | {"kpis": {EVIL: 1.0}}
    events = [event | {"function": EVIL, "code": EVIL, "cause": EVIL} for event in make_events()]
    series = make_series()
    series["rows"][EVIL] = [{"start_s": 0, "end_s": 5, "label": EVIL, "level": "active", "text": EVIL}]
    series["tracks"][EVIL] = series["tracks"]["speed_mps"] | {"title": EVIL, "unit": EVIL}
    elements = _Elements(_page(tmp_path, summary=summary, events=events, series=series)).found
    assert [tag for tag, _ in elements if tag == "img"] == []
    assert len([tag for tag, _ in elements if tag == "script"]) == 3
    assert not [attrs for _, attrs in elements if any(name.startswith("on") for name in attrs)]


def test_asks_the_network_for_nothing(tmp_path: Path) -> None:
    events = make_events()
    events[1]["still"] = "stills/1.jpg"
    page = _page(tmp_path, events=events, stills={"stills/1.jpg": JPEG})
    for tag, attrs in _Elements(page).found:
        for name in ("src", "href", "srcset", "action", "data"):
            value = attrs.get(name) or ""
            assert not re.match(r"(?i)\s*(https?:)?//", value), (tag, name, value)
    assert "@import" not in page
    assert "default-src 'none'" in page


def test_stays_small_for_an_hour(tmp_path: Path) -> None:
    spans = [
        {"start_s": t * 0.1, "end_s": t * 0.1 + 0.05, "label": "ready", "level": "active", "text": ""}
        for t in range(36000)
    ]
    series = make_series(duration_s=3600.0)
    series["rows"]["lane_departure"] = spans
    events = [
        {"t_s": i * 0.5, "kind": "alert_start", "function": "lane_departure", "code": "x", "still": "stills/1.jpg"}
        for i in range(7200)
    ]
    page = _page(tmp_path, series=series, events=events, stills={"stills/1.jpg": JPEG})
    assert len(page) < 12_000_000
    assert page.count("<figure") == MAX_STILLS
    assert f"{MAX_STILLS} of 7200 pictures are shown" in page
    assert f"The first {MAX_EVENTS} of 7200 events" in page


def test_shows_no_file_from_outside_the_folder(tmp_path: Path) -> None:
    (tmp_path / "secret.jpg").write_bytes(JPEG)
    events = make_events()
    events[1]["still"] = "../secret.jpg"
    page = _page(tmp_path / "out", events=events)
    assert "<figure" not in page
    assert "1 picture could not be read" in page


def test_a_drive_without_anything_still_makes_a_page(tmp_path: Path) -> None:
    summary = make_summary(duration_s=0.0, inputs={}, functions={}, warnings=["the bag is empty"])
    series = make_series() | {"duration_s": 0.0, "tracks": {}, "rows": {}}
    page = _page(tmp_path, summary=summary, events=[], series=series)
    assert "Nothing happened." in page
    assert "The bag holds nothing to plot." in page


def test_a_folder_that_is_no_replay_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BagError, match=r"summary\.json"):
        write_report(tmp_path)


@pytest.mark.parametrize(
    ("t_s", "text"),
    [(0.0, "0:00.00"), (62.345, "1:02.35"), (59.999, "1:00.00"), (3725.5, "1:02:05.50"), (-0.5, "-0:00.50")],
)
def test_clock(t_s: float, text: str) -> None:
    assert clock(t_s) == text


@pytest.mark.parametrize(("t_s", "text"), [(30.0, "30.0 s"), (125.0, "2 min 05 s"), (7322.0, "2 h 02 min")])
def test_duration(t_s: float, text: str) -> None:
    assert duration(t_s) == text


def test_lives_in_a_browser_without_an_error(tmp_path: Path, browser: Browser) -> None:
    events = make_events()
    events[1]["still"] = "stills/1.jpg"
    page = write_report(write_folder(tmp_path, events=events, stills={"stills/1.jpg": JPEG}))
    dom, console = browser.dom(page)
    assert console == []
    assert 'data-ready="yes"' in dom
    assert dom.count("<canvas") == 4, "lane, speed, acceleration, confidence; curvature never left zero"
    assert "0:00.0 to 0:30.0" in dom


def test_hostile_names_run_nothing_in_a_browser(tmp_path: Path, browser: Browser) -> None:
    summary = make_summary(bag=EVIL, command=EVIL, warnings=[EVIL])
    series = make_series()
    series["tracks"][EVIL] = series["tracks"]["speed_mps"] | {"title": "</script><script>console.error(3)</script>"}
    dom, console = browser.dom(write_report(write_folder(tmp_path, summary=summary, series=series)))
    assert console == []
    assert 'data-ready="yes"' in dom


@pytest.mark.parametrize("width_px", [1200, 800])
def test_nothing_overflows_sideways(tmp_path: Path, browser: Browser, width_px: int) -> None:
    long = "a_very_long_name_without_any_space/" * 12
    summary = make_summary(bag=long, warnings=[long], command=long)
    page = write_report(write_folder(tmp_path, summary=summary))
    probe = tmp_path / "probe.html"  # a frame of the wanted width; headless windows have a least width of their own
    probe.write_text(
        f'<iframe id="f" src="report.html" style="width:{width_px}px;height:900px;border:0"></iframe><p id="p"></p>'
        "<script>onload=()=>setTimeout(()=>{const d=document.getElementById('f').contentDocument.documentElement;"
        "document.getElementById('p').textContent=d.scrollWidth+' of '+d.clientWidth},500)</script>"
    )
    browser_with_files = Browser(browser._base[0], tmp_path / "profile")
    browser_with_files._base.append("--allow-file-access-from-files")
    dom, _ = browser_with_files.dom(probe, width_px=1400)
    found = re.search(r'id="p">(\d+) of (\d+)', dom)
    assert found is not None and page.exists(), dom[:500]
    assert int(found[1]) <= int(found[2])


def test_data_in_the_page_is_what_was_written(tmp_path: Path) -> None:
    page = _page(tmp_path)
    found = re.search(r'id="report-data">(.*?)</script>', page, re.DOTALL)
    assert found is not None
    plots = {plot["key"]: plot for plot in json.loads(found[1])["plots"]}
    assert min(plots["lane"]["lines"][0]["v"], key=lambda v: 99 if v is None else v) == pytest.approx(0.85, abs=0.01)
    assert plots["speed"]["lines"][0]["v"][0] == pytest.approx(22.0 * 3.6)
    assert plots["lane"]["marks"] == [8.0, 21.0]
