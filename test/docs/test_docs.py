"""The documentation says what the code does: generated pages are current, links lead somewhere, examples work."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from adas_runtime.cli import build_app
from adas_runtime.graph import default_graph
from adas_runtime.market.report import checked
from adas_runtime.market.texts import driver_text
from adas_runtime.reference import pages

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
WRITTEN = sorted(path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md"))
PAGES = pages()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_current(name: str) -> None:
    path = DOCS / name
    assert path.exists() and path.read_text(encoding="utf-8") == PAGES[name], "run script/gen_docs"


def test_nothing_else_stands_among_the_generated_pages() -> None:
    found = {path.relative_to(DOCS).as_posix() for path in (DOCS / "reference").iterdir()}
    assert found == set(PAGES), "run script/gen_docs"


def test_the_diagram_holds_every_function_and_source() -> None:
    graph = default_graph()
    names = {spec.name for spec in graph.functions} | {source.name for source in graph.sources}
    picture = set(re.findall(r'class="name"[^>]*>([^<]+)<', PAGES["reference/graph.svg"]))
    assert names | {f"{topic.producer}/{topic.output}" for topic in graph.leaving()} == picture
    diagram = PAGES["reference/graph.md"].partition("```mermaid\n")[2].partition("```")[0]
    assert diagram == graph.mermaid()
    assert all(f"`{topic.name}`" in PAGES["reference/graph.md"] for topic in graph.topics())


class _Loader(yaml.SafeLoader):
    """mkdocs names Python functions by tags; here they are only names."""


_Loader.add_multi_constructor("tag:yaml.org,2002:python/name:", lambda loader, suffix, node: suffix)


def nav_files(entry: object) -> list[str]:
    if isinstance(entry, str):
        return [entry]
    items = entry.values() if isinstance(entry, dict) else entry
    assert not isinstance(items, (str, bytes))
    return [name for item in items for name in nav_files(item)]  # type: ignore[attr-defined]


def test_every_page_is_in_the_navigation_and_every_entry_is_a_page() -> None:
    config = yaml.load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"), Loader=_Loader)
    assert sorted(nav_files(config["nav"])) == WRITTEN, "add the page to nav in mkdocs.yml"


@pytest.mark.parametrize("name", WRITTEN)
def test_every_link_leads_to_a_file_and_a_heading(name: str) -> None:
    page = DOCS / name
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, heading = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.is_file(), f"{name}: {target} leads nowhere"
        if heading and path.suffix == ".md":
            heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
            anchors = {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", head.lower()).strip()) for head in heads}
            assert heading in anchors, f"{name}: no heading for {target}"


@pytest.mark.parametrize("name", WRITTEN)
def test_every_command_in_a_block_exists(name: str) -> None:
    blocks = re.findall(r"```[a-z]*\n(.*?)```", (DOCS / name).read_text(encoding="utf-8"), flags=re.DOTALL)
    app = build_app()
    commands = {str(item.name) for item in app.registered_commands}
    inner_apps = [group.typer_instance for group in app.registered_groups]
    groups = {str(inner.info.name): inner for inner in inner_apps if inner is not None}
    for line in "\n".join(blocks).splitlines():
        words = re.match(r"\$?\s*(?:script/)?adas ([a-z-]+)(?: ([a-z]+))?", line)
        if words is None:
            continue
        assert words[1] in commands | set(groups), f"{name}: adas {words[1]} is no command"
        if words[1] in groups:
            inner = {str(item.name) for item in groups[words[1]].registered_commands}
            assert words[2] in inner, f"{name}: adas {words[1]} {words[2]} is no command"


def test_the_example_of_a_market_may_be_used(tmp_path: Path) -> None:
    text = re.search(r"```yaml\n(# France.*?)```", (DOCS / "markets.md").read_text(encoding="utf-8"), flags=re.DOTALL)
    assert text is not None
    path = tmp_path / "fr.yaml"
    path.write_text(text[1], encoding="utf-8")
    item = checked(str(path), None)
    assert [finding.line() for finding in item.findings] == []
    assert item.merged is not None and item.merged.market is not None
    assert driver_text(item.merged.market, "lane_departure_left").startswith("Sortie")


def test_the_page_of_markets_names_every_rule() -> None:
    package = ROOT / "adas_runtime"
    source = "".join(
        (package / name).read_text(encoding="utf-8") for name in ("config.py", "market/load.py", "market/rules.py")
    )
    rules = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"', source)) - {"utf-8-sig"} | set(
        re.findall(r'rule="([a-z-]+)"', source)
    )
    told = set(re.findall(r"`([a-z]+(?:-[a-z]+)*)`", (DOCS / "markets.md").read_text(encoding="utf-8")))
    assert rules - {"base"} <= told
