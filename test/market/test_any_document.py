"""Whatever stands in a market file, it validates or is refused with a line number; never a traceback."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import event, example, given, settings
from hypothesis import strategies as st
from market_files import HEAD, whole_file

from adas_runtime.cli import main
from adas_runtime.config import fields_of
from adas_runtime.market import load_market
from adas_runtime.market.report import checked
from adas_runtime.market.schema import Market

WHOLE = whole_file()
LINES = WHOLE.splitlines()
KEYS = sorted({str(key[-1]) for key, _ in fields_of(Market)} | {"extends", "value", "conf", "src"})
# what people, editors and other tools put where a value belongs
TOKENS = [
    *("NO", "no", "on", "off", "Off", "yes", "true", "null", "~", "", "'", '"', "[", "]", "{", "}", "{}", "[]", "- 1"),
    *(
        "0777",
        "0x10",
        "1_000",
        "12:30",
        "2026-11-23",
        "1e999",
        "-1e400",
        ".inf",
        ".nan",
        "-.inf",
        "1" * 500,
        "-0",
        "0.0",
    ),
    *(
        "&a 1",
        "*a",
        "!!python/object:os.system x",
        "!!float 1",
        "<<: 1",
        "? a",
        "| \n x",
        "> \n x",
        "%TAG",
        "---",
        "...",
    ),
    *(
        "\t",
        "\t1",
        "#",
        "a: b: c",
        "a:b",
        "ｗ",
        "左",
        "خروج",
        "\u200b",
        "\ufeff",
        "\x00",
        "\x1b[31m",
        "é",
        "💥",
        "\u2028",
    ),
    *(
        "{value: 1, conf: u}",
        "{value: 1}",
        "{conf: s}",
        "{value: 1, conf: s, src: x, unit: m}",
        "shadow",
        "warn",
        "base",
        "de",
    ),
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("markets")


def judge(folder: Path, raw: bytes) -> bool:
    """Whether the document is accepted; fails where a refusal does not say where, or is anything but a finding."""
    path = folder / "any.yaml"
    path.write_bytes(raw)
    item = checked(str(path), None)
    for finding in item.findings:
        line = finding.line()
        assert "\n" not in line and line.isprintable()
        assert finding.mend and finding.what and finding.rule
        assert re.search(r"\.yaml:\d+: ", line), line
        if finding.where.file.endswith("any.yaml"):
            assert 1 <= finding.where.line <= raw.count(b"\n") + raw.count(b"\r") + 2
    if not item.findings:
        assert item.merged is not None and item.merged.market is not None
        assert load_market(path, is_dated=False).digest == item.merged.market.digest
    return not item.findings


@given(raw=st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
@example(raw=b"")
@example(raw=b"\xff\xfe\x00")
@example(raw=b"- 1\n- 2\n")
@example(raw=b"text")
@example(raw=b"extends: any\n")
@example(raw=("a: " + "[" * 5000).encode())
@settings(max_examples=100)
def test_any_bytes(folder: Path, raw: bytes) -> None:
    assert not judge(folder, raw)
    judge(folder, HEAD.encode() + b"lane_departure: " + raw + b"\n")


scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["de", "off", "NO", "white", "left", "s", "u", "2026-12-01"])
)
keys: st.SearchStrategy[Any] = st.sampled_from(KEYS) | st.text(max_size=4) | st.integers() | st.booleans() | st.none()
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(data=st.dictionaries(st.sampled_from(KEYS), documents, max_size=6), has_head=st.booleans())
@example(data={"road": {"traffic_side": {"value": "left", "conf": ["s"]}}}, has_head=True)
@example(data={"value": None, "conf": "s"}, has_head=False)
@settings(max_examples=100)
def test_any_structure(folder: Path, data: dict[str, Any], has_head: bool) -> None:
    if has_head:
        data = {"format": 1, "market": "DE", "title": "T", "revision": "1", "extends": "de", **data}
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    event("accepted" if judge(folder, text.encode("utf-8")) else "refused")


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """The whole file with a few lines deleted, doubled, moved, indented, retyped, or a token put anywhere."""
    lines = list(LINES)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        kind = draw(st.sampled_from(["delete", "double", "move", "indent", "retype", "insert", "number", "rename"]))
        line = lines[at]
        name, colon, _ = line.partition(":")
        if kind == "delete":
            del lines[at]
        elif kind == "double":
            lines.insert(at, line)
        elif kind == "move":
            lines.insert(draw(st.integers(0, len(lines) - 1)), lines.pop(at))
        elif kind == "indent":
            lines[at] = draw(st.sampled_from([" ", "\t", "      "])) + line
        elif kind == "retype":
            lines[at] = f"{name}{colon} {draw(st.sampled_from(TOKENS))}"
        elif kind == "number":
            lines[at] = f"{name}{colon} {draw(st.floats() | st.integers())}"
        elif kind == "rename":
            lines[at] = line.replace(name.strip(), draw(st.sampled_from(KEYS)), 1)
        else:
            column = draw(st.integers(0, len(line)))
            lines[at] = line[:column] + draw(st.sampled_from(TOKENS)) + line[column:]
        if not lines:
            return ""
    return "\n".join(lines) + "\n"


@given(text=mutated())
@settings(max_examples=150)
def test_any_mutation_of_a_valid_file(folder: Path, text: str) -> None:
    event("accepted" if judge(folder, text.encode("utf-8")) else "refused")


def test_the_unchanged_file_is_accepted(folder: Path) -> None:
    assert judge(folder, WHOLE.encode())


@pytest.mark.parametrize("value", ["[{}]", "{a: {b: 1}}", "null", "1e308", "-1", '"x"', "true"])
def test_a_value_of_a_wrong_kind_at_every_key(folder: Path, value: str) -> None:
    accepted = []
    for key, _ in fields_of(Market):
        text = value
        for name in reversed(key):
            text = f"{{{name}: {text}}}"
        body = "".join(line for line in HEAD.splitlines(True) if not line.startswith(f"{key[0]}:")) + text[1:-1] + "\n"
        if judge(folder, body.encode()):
            accepted.append(".".join(str(part) for part in key))
    may_hold = {
        "true": ".is_,.has_,.accept_,_confirmed,.door_rule,_read,_enabled,.needs_,.on_other_,.may_wait_,.to_s,.calls_",
        "null": "valid_,heavy_distance_m",
        "-1": "jerk_min_mps3,cap_min_mps2",
        '"x"': "title,revision,approval_ref,reason,lane_departure_,software_id",
    }
    assert all(any(part in key for part in may_hold.get(value, "(none)").split(",")) for key in accepted), accepted


@given(text=mutated())
@settings(max_examples=25)
def test_the_command_line_never_shows_a_traceback(folder: Path, text: str) -> None:
    path = folder / "command.yaml"
    path.write_text(text, encoding="utf-8")
    assert main(["market", "check", str(path)]) in (0, 1)
    assert main(["market", "show", str(path)]) in (0, 2)
