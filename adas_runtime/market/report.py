"""What a market holds and where each value comes from, for people and machines: lists, differences, JSON Schema."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from adas_runtime.config import Finding, Key, Origin, dotted, field_at, shown_path, unit_of
from adas_runtime.errors import ConfigError
from adas_runtime.market.load import CONFIDENCE, OWN, Merged, Provenance, market_path, merge
from adas_runtime.market.rules import RuleBook, check, load_rules
from adas_runtime.market.schema import Market


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """One value of a merged market.

    Args:
        key: Dotted key.
        value: As in the file, sourced values unwrapped.
        unit: Of a number, empty without.
        origin: File and line that set it.
        provenance: Confidence and source.
        is_own: The named file set it, not a parent.
    """

    key: str
    value: Any
    unit: str
    origin: Origin
    provenance: Provenance
    is_own: bool

    def as_json(self) -> dict[str, Any]:
        """The value for machines."""
        return {
            "key": self.key,
            "value": self.value,
            "unit": self.unit,
            "file": self.origin.file,
            "line": self.origin.line,
            "conf": self.provenance.conf,
            "src": self.provenance.src,
            "own": self.is_own,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One key that two markets hold differently; `None`: it does not have the key."""

    key: str
    one: Value | None
    two: Value | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file and everything that is wrong with it."""

    path: Path
    merged: Merged | None
    findings: list[Finding]


def values(merged: Merged) -> list[Value]:
    """Every value of the merged market, in the order of the base; what only names the file is left out."""
    own = {layer.document.file for layer in merged.layers[:1]}
    found = []
    for key, value in leaves(merged.document.data):
        if key[0] in OWN:
            continue
        info = field_at(Market, key)
        origin = merged.document.origin(key)
        found.append(
            Value(
                key=dotted(key),
                value=value,
                unit=unit_of(info) if info is not None else "",
                origin=origin,
                provenance=merged.provenance.get(key, Provenance()),
                is_own=origin.file in own,
            )
        )
    return found


def leaves(data: Any, key: Key = ()) -> Iterator[tuple[Key, Any]]:
    """Every value that is no mapping, with its key; lists are values."""
    if isinstance(data, dict) and data:
        for name, value in data.items():
            yield from leaves(value, (*key, name))
    else:
        yield key, data


def differences(one: Merged, two: Merged) -> list[Difference]:
    """What two markets hold differently, in the order of the base."""
    first = {item.key: item for item in values(one) if item.value != {}}
    second = {item.key: item for item in values(two) if item.value != {}}
    return [
        Difference(key=key, one=first.get(key), two=second.get(key))
        for key in dict.fromkeys((*first, *second))
        if key not in first or key not in second or first[key].value != second[key].value
    ]


def read(name_or_path: str) -> Merged:
    """A market that is merged and valid; the rules of the law are not asked.

    Raises:
        ConfigError: It cannot be read, or the first thing that is wrong with it.
    """
    merged = merge(market_path(name_or_path))
    if merged.findings:
        raise merged.findings[0].error()
    return merged


def checked(name_or_path: str, on: date | None) -> Checked:
    """A market judged by schema and rules.

    Raises:
        ConfigError: The file itself cannot be opened. What is wrong inside it, or with a parent, is a finding.
    """
    path = market_path(name_or_path)
    if not path.is_file() or not os.access(path, os.R_OK):
        what = "no such file" if not path.exists() else "is not a file that can be read"
        raise ConfigError(what, where=shown_path(path), mend="check the name and its permissions")
    try:
        merged = merge(path)
        return Checked(path=path, merged=merged, findings=merged.findings or check(merged, on=on))
    except ConfigError as err:
        return Checked(path=path, merged=None, findings=[_as_finding(err, path)])


def _as_finding(err: ConfigError, path: Path) -> Finding:
    file, _, line = err.where.rpartition(":")
    where = Origin(file, int(line)) if file and line.isdigit() else Origin(err.where or shown_path(path), 1)
    return Finding(where=where, what=err.what, mend=err.mend, rule="unreadable")


def law(merged: Merged, on: date | None, book: RuleBook | None = None) -> list[dict[str, str]]:
    """How the law stands for each function and vehicle category of a market: one record each."""
    assert merged.market is not None
    rules = book or load_rules()
    found = []
    for function, stage in merged.market.stages().items():
        for category in merged.market.categories:
            rule, origin = rules.rule(function, merged.market.market, category, on)
            found.append(
                {
                    "function": function,
                    "category": category,
                    "stage": stage.name.lower(),
                    "state": rule.state if rule else "unknown",
                    "minimum_stage": (rule.minimum_stage or "") if rule else "",
                    "conf": rule.conf if rule else "u",
                    "src": rule.src if rule else "no rule in config/rules",
                    "where": str(origin) if origin else "",
                }
            )
    return found


# --- the JSON Schema of a market file ---------------------------------------------------------------------------------

_SOURCED: Final = {
    "conf": {
        "enum": list(CONFIDENCE),
        "description": ", ".join(f"{key}: {text}" for key, text in CONFIDENCE.items()),
    },
    "src": {"type": "string", "description": "Where it comes from: text and clause, or page."},
}


def file_schema() -> dict[str, Any]:
    """The JSON Schema of a market file, for editors: what `extends` gives may be left out, values may be sourced."""
    schema = Market.model_json_schema()
    definitions = {name: _as_written(item) for name, item in schema.pop("$defs", {}).items()}
    root = _as_written(schema)
    properties = {key: schema["properties"][key] if key in OWN else item for key, item in root["properties"].items()}
    properties["extends"] = {"type": "string", "description": "Market that this file changes: base, eu, ..."}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **root,
        "title": "adas_runtime market file",
        "properties": properties,
        "required": [*OWN],
        "$defs": definitions,
    }


def _as_written(schema: dict[str, Any]) -> dict[str, Any]:
    """A model's schema without `required`, each leaf plain or as `{value, conf, src}`."""
    result = {key: item for key, item in schema.items() if key != "required"}
    if "properties" in schema:
        result["properties"] = {key: _leaf(item) for key, item in schema["properties"].items()}
    return result


def _leaf(schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema or any("$ref" in item for item in schema.get("allOf", ())):
        return schema
    plain = {key: item for key, item in schema.items() if key not in ("title", "description", "cautious")}
    sourced = {
        "type": "object",
        "properties": {"value": plain, **_SOURCED},
        "required": ["value", "conf"],
        "additionalProperties": False,
    }
    return {"description": schema.get("description", ""), "anyOf": [plain, sourced]}
