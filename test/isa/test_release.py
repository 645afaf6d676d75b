"""No release of a market whose law demands speed assistance while a figure of the law is unread."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adas_runtime.cli import main
from adas_runtime.market.load import market_path, merge
from adas_runtime.market.release import release_findings
from adas_runtime.resources import config_dir

UNREAD = 7  # six figures and the door rule


@pytest.mark.clause("2021/1958 Annex I (unread)")
@pytest.mark.parametrize("name", ["eu", "de", "se"])
def test_a_market_of_the_union_is_refused_with_file_line_and_mend(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["market", "check", name]) == 0
    capsys.readouterr()
    assert main(["market", "check", "--release", name]) == 1
    lines = capsys.readouterr().out.splitlines()
    own = [line for line in lines if "isa." in line]
    assert len(own) == UNREAD
    assert all(re.match(r"markets/\w+\.yaml:\d+: isa\.[\w.]+ = false: no release of \w\w: ", line) for line in own)
    assert all("official text" in line and line.endswith("[legal-unconfirmed]") for line in own)


def test_only_the_lamps_that_a_market_enables_are_judged(tmp_path: Path) -> None:
    """In Japan automatic headlamps are on by law, the signal lamps are silent and there is no main-beam assist."""
    keys = {item.key for item in release_findings(merge(market_path("jp")), on=None)}
    assert keys == {"lighting.headlamps.legal_confirmed"}
    text = market_path("jp").read_text(encoding="utf-8")
    more = text.replace("\nlighting:\n", "\nlighting:\n  main_beam: {is_enabled: true, approval_ref: E43 48R}\n")
    assert more != text
    (tmp_path / "jp.yaml").write_text(more, encoding="utf-8")
    keys = {item.key for item in release_findings(merge(tmp_path / "jp.yaml"), on=None)}
    assert keys == {"lighting.headlamps.legal_confirmed", "lighting.main_beam.legal_confirmed"}


def test_where_no_law_demands_it_nothing_is_held_back() -> None:
    assert not release_findings(merge(market_path("us")), on=None)


def test_read_by_a_person_it_may_be_released(tmp_path: Path) -> None:
    for name in ("base", "eu", "de"):
        text = (config_dir() / "markets" / f"{name}.yaml").read_text(encoding="utf-8")
        (tmp_path / f"{name}.yaml").write_text(text.replace("_confirmed: false", "_confirmed: true"), encoding="utf-8")
    assert not release_findings(merge(tmp_path / "de.yaml"), on=None)
    text = (tmp_path / "base.yaml").read_text(encoding="utf-8")
    half = text.replace(
        "cascade_after_s: {figure: 4.0, legal_confirmed: true}",
        "cascade_after_s: {figure: 4.0, legal_confirmed: false}",
    )
    assert half != text
    (tmp_path / "base.yaml").write_text(half, encoding="utf-8")
    (finding,) = release_findings(merge(tmp_path / "de.yaml"), on=None)
    assert finding.key == "isa.cascade_after_s.legal_confirmed"
