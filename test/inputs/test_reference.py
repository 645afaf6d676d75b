"""The page on input maps names what the schema has, and its examples are maps."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from adas_runtime.config import fields_of, parse_yaml, validate
from adas_runtime.inputs import input_map_names
from adas_runtime.inputs.feed import CONVERTERS
from adas_runtime.inputs.load import InputMap
from adas_runtime.inputs.schema import MapFile
from adas_runtime.units import UNITS


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "inputs.md").read_text(encoding="utf-8")


def test_every_key_converter_unit_and_map_is_named(page: str) -> None:
    words = {word for code in re.findall(r"`([^`\n]+)`", page) for word in [code, *code.split()]}
    keys = {str(key[-1]) for key, _ in fields_of(MapFile)}
    assert {*keys, *CONVERTERS, *UNITS} <= words
    assert all(name in page for name in input_map_names())


def test_every_example_is_a_sound_map(page: str) -> None:
    examples = re.findall(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    assert len(examples) == 2
    for text in examples:
        document = parse_yaml(text, "example.yaml")
        assert InputMap(file=validate(MapFile, document), document=document).live_feeds()
