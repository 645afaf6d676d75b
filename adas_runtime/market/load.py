"""From files to a market: `extends`, deep merge, confidence and origin of each value."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Literal

from adas_runtime.config import (
    ANY_MEND,
    Document,
    Finding,
    Key,
    Origin,
    dotted,
    examine,
    field_at,
    fields_of,
    model_of,
    named_file,
    read_yaml,
    shown,
    shown_path,
)
from adas_runtime.errors import ConfigError
from adas_runtime.market.schema import Market

MAX_CHAIN: Final = 8
BASE: Final = "base"
OWN: Final = ("format", "market", "title", "revision", "extends")  # each file says these for itself
FACTS: Final = ("road", "speed_defaults", "signs", "lanes", "following", "corridor", "parking")  # with conf and src
Confidence = Literal["p", "s", "u", "e"]
CONFIDENCE: Final = {
    "p": "primary text read",
    "s": "secondary source read",
    "u": "uncertain",
    "e": "engineering choice",
}
_CODE_NAME = re.compile(r"[a-z]{2}(-[a-z0-9]{1,8})?\Z")  # a file that is named like a country's code
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}\Z")
_SOURCED_KEYS: Final = frozenset(("value", "conf", "src"))


@dataclass(frozen=True, slots=True)
class Provenance:
    """How sure a value is and where it comes from."""

    conf: str = "e"
    src: str = ""


@dataclass(slots=True)
class Layer:
    """One file of a chain, its sourced values unwrapped."""

    document: Document
    path: Path
    provenance: dict[Key, Provenance]
    findings: list[Finding]

    @property
    def name(self) -> str:
        """Stem of the file."""
        return self.path.stem


@dataclass(slots=True)
class Merged:
    """A market with the history of each value.

    Args:
        market: The market; `None` where a finding keeps it from being one.
        document: Merged values and their origins.
        provenance: Confidence and source per value; what is not in it is an engineering choice.
        layers: Files, the named one first, the base last.
        findings: Everything that is wrong.
    """

    market: Market | None
    document: Document
    provenance: dict[Key, Provenance]
    layers: list[Layer]
    findings: list[Finding]


def markets_dir() -> Path:
    """Where the shipped markets are."""
    from adas_runtime.resources import config_dir

    return config_dir() / "markets"


def market_names() -> tuple[str, ...]:
    """Names of the shipped markets."""
    return tuple(sorted(path.stem for path in markets_dir().glob("*.yaml") if path.stem != BASE))


def market_path(name_or_path: str | Path) -> Path:
    """The file of a market: a name stands for a shipped one, what has a suffix or a folder is a path.

    Raises:
        ConfigError: No such market.
    """
    if isinstance(name_or_path, str) and _NAME.match(name_or_path.lower()):
        name_or_path = name_or_path.lower()  # a country's code is written DE as well
    return named_file(name_or_path, markets_dir(), market_names, "market")


def load_market(name_or_path: str | Path, *, on: date | None = None, is_dated: bool = True) -> Market:
    """A market, merged and checked by all rules.

    Args:
        name_or_path: `de`, or a file.
        on: Day on which it is to be used; today where none is given.
        is_dated: False skips the rules that depend on the day, for the replay of a market that is not in force yet.
    Raises:
        ConfigError: The first thing that is wrong with it.
    """
    from adas_runtime.market.rules import check

    merged = merge(market_path(name_or_path))
    findings = merged.findings or check(merged, on=(on or date.today()) if is_dated else None)
    if findings:
        raise findings[0].error()
    assert merged.market is not None
    return merged.market


def merge(path: Path) -> Merged:
    """Reads a market file and what it extends, merges and validates them.

    Raises:
        ConfigError: A file of the chain cannot be read or is not YAML.
    """
    layers = _chain(path)
    document = Document(file=layers[0].document.file, data={})
    provenance: dict[Key, Provenance] = {}
    for layer in reversed(layers):
        is_own = layer is layers[0]
        data = {key: value for key, value in layer.document.data.items() if is_own or key not in OWN}
        data.pop("extends", None)
        _overlay(document, provenance, layer, data, ())
    findings = [item for layer in reversed(layers) for item in layer.findings]
    if layers[0].name == BASE:
        findings.append(
            _at(
                layers[0],
                (),
                "is the common base, not a market",
                "name a market that extends it",
                "base",
            )
        )
        return Merged(None, document, provenance, layers, findings)
    for key in OWN[1:4]:  # each layer looked at its own format
        if key not in layers[0].document.data:
            text = Market.model_fields[key].description
            findings.append(_at(layers[0], (), "is missing", f"add it: {text}", "missing-key", key))
    document.origins[()] = layers[0].document.origin(())
    market, problems = examine(Market, document)
    known = {(item.where, item.key) for item in findings}
    missing = {item.key for item in findings if item.rule == "missing-key"}
    findings += [
        _nearer(item, document, layers)
        for item in problems
        if (item.where, item.key) not in known and item.key not in missing and item.key != "format"
    ]
    findings += _misnamed(layers)
    findings += _unsure(layers)
    findings += _speechless(document) if market is not None else []
    if market is not None:
        market.descends_from(tuple(layer.name for layer in layers))
    return Merged(market if not findings else None, document, provenance, layers, findings)


def _nearer(finding: Finding, document: Document, layers: list[Layer]) -> Finding:
    """A contradiction, told at the line of the nearest file that takes part in it: a parent's value is seldom wrong."""
    is_own = finding.where.file == layers[0].document.file
    if finding.rule != "contradiction" or (is_own and finding.value):
        return finding
    words = set(re.findall(r"\w+", finding.what if finding.mend == ANY_MEND else finding.what + finding.mend))
    section = tuple(finding.key.split(".")[:-1])
    inside = [(key, at) for key, at in document.origins.items() if key[: len(section)] == section and key != section]
    for layer in layers:
        own = [(key, at) for key, at in inside if at.file == layer.document.file]
        leaves = [at for key, at in own if key[-1] in words and not isinstance(document.value(key), dict)]
        named = leaves or [at for key, at in own if key[-1] in words] or ([] if is_own else [at for _, at in own])
        if named:
            return replace(finding, where=min(named, key=lambda at: at.line))
    return finding


def _at(layer: Layer, key: Key, what: str, mend: str, rule: str, name: str = "") -> Finding:
    return Finding(
        where=layer.document.origin(key),
        key=name or dotted(key),
        what=what,
        mend=mend,
        rule=rule,
    )


def chain_files(path: Path) -> tuple[Path, ...]:
    """The files that a market is made of: its own, what that extends, and so on.

    Raises:
        ConfigError: One of them cannot be read or is not YAML.
    """
    return tuple(layer.path for layer in _chain(path))


def _chain(path: Path) -> list[Layer]:
    """The file and its parents, nearest first."""
    layers: list[Layer] = []
    where: Origin | None = None
    while True:
        resolved = path.resolve()
        if any(layer.path.resolve() == resolved for layer in layers):
            names = " -> ".join([layer.name for layer in layers] + [path.stem])
            raise ConfigError(
                f"extends runs in a circle: {names}",
                where=str(where),
                mend="let the last extend base",
            )
        if len(layers) >= MAX_CHAIN:
            raise ConfigError(
                f"extends more than {MAX_CHAIN} files",
                where=str(where),
                mend="shorten the chain",
            )
        layer = _layer(path)
        layers.append(layer)
        parent = layer.document.data.get("extends")
        where = layer.document.origin(("extends",))
        if "extends" not in layer.document.data:
            if layer.name != BASE:
                raise ConfigError("extends is missing", where=str(where), mend=f"add extends: {BASE}")
            return layers
        if layer.name == BASE:
            raise ConfigError("the base extends nothing", where=str(where), mend="remove extends")
        if not isinstance(parent, str) or not _NAME.match(parent):
            is_capital = isinstance(parent, str) and _NAME.match(parent.lower()) is not None
            raise ConfigError(
                f"extends = {shown(parent)}: must be the name of a market",
                where=str(where),
                mend=f"write extends: {str(parent).lower()}" if is_capital else f"such as {BASE}",
            )
        beside, shipped = (
            path.parent / f"{parent}.yaml",
            markets_dir() / f"{parent}.yaml",
        )
        if not beside.is_file() and not shipped.is_file():
            raise ConfigError(
                f"extends = {parent}: no such market",
                where=str(where),
                mend=f"put {parent}.yaml beside it, or take one of {', '.join((BASE, *market_names()))}",
            )
        path = beside if beside.is_file() else shipped


def _layer(path: Path) -> Layer:
    """One file of a chain. Shipped ones are parents of many: read once, for as long as they do not change."""
    if path.parent != markets_dir() or not path.is_file():
        return _read_layer(path)
    stat = path.stat()
    return _shipped_layer(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=64)
def _shipped_layer(path: Path, mtime_ns: int, size: int) -> Layer:
    return _read_layer(path)


def _read_layer(path: Path) -> Layer:
    document = read_yaml(path)
    if not isinstance(document.data, dict):
        raise ConfigError(
            "holds no mapping of keys to values",
            where=f"{shown_path(path)}:1",
            mend="see docs/markets.md",
        )
    layer = Layer(document, path, {}, [])
    version = document.data.get("format")
    if version != 1 or isinstance(version, bool):
        text = f"format = {shown(version)}: must be 1" if "format" in document.data else "format is missing"
        where = document.origin(("format",))
        layer.findings.append(Finding(where=where, what=text, mend="write format: 1", rule="format"))
    document.data = _unwrap(layer, document.data, ())
    return layer


def _unwrap(layer: Layer, value: Any, key: Key) -> Any:
    """Takes `{value: .., conf: .., src: ..}` apart; a list or a plain value stays."""
    if not isinstance(value, dict):
        return value
    is_sourced = bool(key) and (
        ("value" in value and "conf" in value) or (set(value) & {"value", "conf"} and set(value) <= _SOURCED_KEYS)
    )
    if not is_sourced:
        return {name: _unwrap(layer, item, (*key, name)) for name, item in value.items()}
    for name in sorted(set(value) - _SOURCED_KEYS):
        layer.findings.append(
            _at(
                layer,
                (*key, name),
                "unknown key",
                "known here: value, conf, src",
                "unknown-key",
            )
        )
    conf, source = value.get("conf"), value.get("src", "")
    if "value" not in value:
        layer.findings.append(_at(layer, key, "has a confidence but no value", "add value:", "missing-key"))
    if not isinstance(conf, str) or conf not in CONFIDENCE:
        texts = ", ".join(f"{letter} ({text})" for letter, text in CONFIDENCE.items())
        layer.findings.append(
            _at(
                layer,
                (*key, "conf"),
                f"must be one of {texts}",
                "say how sure it is",
                "confidence",
            )
        )
    if not isinstance(source, str) or (conf in ("p", "s") and not source.strip()):
        layer.findings.append(
            _at(
                layer,
                (*key, "src"),
                "must name the source",
                "add src: with text, clause or page",
                "confidence",
            )
        )
    layer.provenance[key] = Provenance(str(conf), str(source))
    return value.get("value")


def _overlay(
    document: Document,
    provenance: dict[Key, Provenance],
    layer: Layer,
    data: Any,
    key: Key,
) -> None:
    """Merges one layer in: mappings key by key, everything else as a whole."""
    for name, value in data.items():
        here = (*key, name)
        target = document.value(key)
        document.origins[here] = layer.document.origin(here)
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _overlay(document, provenance, layer, value, here)
            continue
        if isinstance(target.get(name), (dict, list)):  # what stood below it goes with it
            for old in [item for item in (*document.origins, *provenance) if item[: len(here)] == here != item]:
                document.origins.pop(old, None)
                provenance.pop(old, None)
        provenance.pop(here, None)
        if isinstance(value, dict):
            target[name] = {}
            _overlay(document, provenance, layer, value, here)
            continue
        target[name] = value
        if here in layer.provenance:
            provenance[here] = layer.provenance[here]
        for index in range(len(value) if isinstance(value, list) else 0):
            item = (*here, index)
            document.origins[item] = layer.document.origin(item)


def _leaves(data: Any, key: Key = ()) -> list[tuple[Key, Any]]:
    if isinstance(data, dict):
        return [leaf for name, value in data.items() for leaf in _leaves(value, (*key, name))]
    return [(key, data)]


def _misnamed(layers: list[Layer]) -> list[Finding]:
    """A copied file that still holds the code of the country it was copied from."""
    findings = []
    for layer in layers:
        code = layer.document.data.get("market")
        if not _CODE_NAME.match(layer.name) or not isinstance(code, str) or code.lower() == layer.name:
            continue
        findings.append(
            Finding(
                where=layer.document.origin(("market",)),
                key="market",
                value=shown(code),
                what=f"is not the country that the file is named after, {layer.name}",
                mend=f'write market: "{layer.name.upper()}", or rename the file',
                rule="market-mismatch",
            )
        )
    return findings


def _speechless(document: Document) -> list[Finding]:
    """Languages that lack a text, and own wording of a code that does not exist."""
    from adas_runtime.market.texts import codes, missing, text_files

    findings = []
    for index, language in enumerate(document.value(("alerts", "languages"))):
        lacking = missing(language)
        if not lacking:
            continue
        what = f"lacks {len(lacking)} texts, such as {lacking[0]}" if language in text_files() else "has no texts"
        findings.append(
            Finding(
                where=document.origin(("alerts", "languages", index)),
                key="alerts.languages",
                value=shown(language),
                what=what,
                mend=f"complete config/texts/{language}.yaml after en.yaml, or take the language out",
                rule="missing-text",
            )
        )
    for code in document.value(("alerts", "texts")):
        if code.partition("/")[0] not in codes() and code not in codes():
            key = ("alerts", "texts", code)
            mend = f"known here: {', '.join(codes())}"
            findings.append(
                Finding(where=document.origin(key), key=dotted(key), what="unknown key", mend=mend, rule="unknown-key")
            )
    return findings


def _unsure(layers: list[Layer]) -> list[Finding]:
    """Facts without a source, and unchecked values that are bolder than what they replace."""
    findings = []
    for index, layer in enumerate(layers):
        for key, value in _leaves(layer.document.data):
            given = layer.provenance.get(key)
            info = field_at(Market, key)
            if key[0] in FACTS and given is None and info is not None and model_of(info.annotation) is None:
                findings.append(
                    _at(
                        layer,
                        key,
                        "is a fact without confidence and source",
                        f"write {{value: {shown(value)}, conf: s, src: ...}}",
                        "confidence",
                    )
                )
            if given is None or given.conf != "u" or layer.name == BASE:
                continue
            former = next(
                (old for below in layers[index + 1 :] if (old := below.document.value(key)) is not None),
                None,
            )
            extra = info.json_schema_extra if info is not None and isinstance(info.json_schema_extra, dict) else {}
            way = str(extra.get("cautious", "same"))
            if former is None or not _is_cautious(way, former, value):
                findings.append(
                    Finding(
                        where=layer.document.origin(key),
                        key=dotted(key),
                        value=shown(value),
                        what=f"is uncertain (conf u) and less cautious than {shown(former)}, which it replaces"
                        if way != "same"
                        else f"is uncertain (conf u) and differs from {shown(former)}, which it replaces",
                        mend="find a source for it, or leave the key out",
                        rule="confidence",
                    )
                )
    return findings


def _is_cautious(way: str, former: Any, value: Any) -> bool:
    if value == former:
        return True
    if way == "false":
        return value is False
    if way == "unknown":
        return bool(value == "unknown")
    if way == "fewer":
        return isinstance(value, list) and isinstance(former, list) and all(item in former for item in value)
    numbers = isinstance(value, (int, float)) and isinstance(former, (int, float))
    if way in ("higher", "lower") and numbers:
        return bool(value >= former) if way == "higher" else bool(value <= former)
    return False


__all__ = [
    "Confidence",
    "Layer",
    "Merged",
    "Provenance",
    "fields_of",
    "load_market",
    "market_names",
    "market_path",
    "merge",
    "model_of",
]
