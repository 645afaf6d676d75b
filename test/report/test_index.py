"""The matrix over bags and markets."""

from __future__ import annotations

import re
from pathlib import Path

from builders import make_summary, write_folder
from chromium import Browser

from adas_runtime.replay.report import Refused, write_index, write_report


def test_links_every_replay_and_says_what_was_refused(tmp_path: Path) -> None:
    folders = []
    for market in ("de", "jp"):
        folders.append(write_folder(tmp_path / f"a #1 {market}", summary=make_summary(market=market)))
        write_report(folders[-1])
    page = write_index(tmp_path, [*folders, Refused(bag="b.mcap", market="de", reason="b.mcap: <truncated>")])
    text = page.read_text(encoding="utf-8")
    links = re.findall(r'href="([^"#]+report\.html)"', text)
    assert links == ["a%20%231%20de/report.html", "a%20%231%20jp/report.html"]
    assert "2 replays: 2 bags, 2 markets" in text
    assert "&lt;truncated&gt;" in text
    assert "1 could not be replayed" in text


def test_lives_in_a_browser_without_an_error(tmp_path: Path, browser: Browser) -> None:
    folder = write_folder(tmp_path / "a")
    dom, console = browser.dom(write_index(tmp_path, [folder]))
    assert console == []
    assert "2 alerts, 1 intervention" in dom
