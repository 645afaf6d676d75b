"""A configuration model as tables of keys: type, range, unit, meaning, and the value in a file."""

from __future__ import annotations

import typing
from collections.abc import Callable

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from adas_runtime.config import Key, annotation_text, dotted, model_of, unit_of
from adas_runtime.reference.text import code, paragraphs, table

ValueOf = Callable[[Key], str]


def sections(model: type[BaseModel], value_of: ValueOf, head: str, level: int = 2) -> str:
    """The keys of a model: its plain ones in a first table, then a heading with a table for each section."""
    plain = list(_flat(model, ()))
    parts = [_table(plain, value_of, head)] if plain else []
    for name, info in model.model_fields.items():
        inner = model_of(info.annotation)
        if inner is None:
            continue
        parts.append(f"{'#' * level} {name}\n\n{paragraphs(inner.__doc__ or info.description)}")
        start: Key = (name, "*") if _is_open(info) else (name,)
        parts.append(_table(list(_flat(inner, start)), value_of, head))
    return "\n".join(parts)


def _is_open(info: FieldInfo) -> bool:
    return typing.get_origin(info.annotation) is dict


def _flat(model: type[BaseModel], prefix: Key) -> typing.Iterator[tuple[Key, FieldInfo]]:
    """Leaves below a model; at the top, without those that are sections."""
    for name, info in model.model_fields.items():
        key = (*prefix, name)
        inner = model_of(info.annotation)
        if inner is None:
            yield key, info
        elif prefix:
            yield from _flat(inner, (*key, "*") if _is_open(info) else key)


def _table(rows: list[tuple[Key, FieldInfo]], value_of: ValueOf, head: str) -> str:
    return table(
        ("key", "type", "range", "unit", head, "meaning"),
        [
            (
                code(dotted(key)),
                annotation_text(info.annotation),
                limits(info),
                unit_of(info),
                code(value_of(key)),
                _meaning(info),
            )
            for key, info in rows
        ],
    )


def _meaning(info: FieldInfo) -> str:
    text = info.description or ""
    unit = unit_of(info)
    text = text.removesuffix(".").removesuffix(f"[{unit}]").rstrip() if unit else text
    text = text if text.endswith(".") else text + "."
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    way = extra.get("cautious")
    return f"{text} *Cautious: {way}.*" if way else text


def limits(info: FieldInfo) -> str:
    """The range of a field in words, such as `>= 0, <= 5`."""
    found: dict[str, object] = {}
    for item in info.metadata:
        for name in ("gt", "ge", "lt", "le", "min_length", "max_length", "pattern"):
            if (bound := getattr(item, name, None)) is not None:
                found[name] = bound
    signs = {"gt": "> {}", "ge": ">= {}", "lt": "< {}", "le": "<= {}"}
    texts = [signs[name].format(f"{bound:g}") for name, bound in found.items() if name in signs]
    low, high = found.get("min_length"), found.get("max_length")
    if low is not None and high is not None:
        texts.append(f"{low} to {high} long")
    elif high is not None:
        texts.append(f"at most {high} long")
    elif low is not None:
        texts.append(f"at least {low} long")
    return ", ".join(texts)
