"""Strict configuration models and YAML reading with line numbers, for markets, vehicles, input maps and models.

Files are read by the YAML 1.2 core schema: `NO`, `off`, `on`, `yes`, `12:30`, `1_000` and `2026-11-23` are texts, only
`true`, `false`, `null` and decimal, `0x` and `0o` numbers are something else. What two YAML versions read differently
(`0777`) and what only obscures a safety file (anchors, aliases, tags, several documents) is refused. Every complaint
names file, line, key, value and the mend.
"""

from __future__ import annotations

import difflib
import json
import math
import re
import types
import typing
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar, Union

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.fields import FieldInfo
from yaml.reader import Reader

from adas_runtime.errors import ConfigError

MAX_FILE_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 24
MAX_NODES: Final = 50_000
MAX_SHOWN: Final = 60

Key = tuple[str | int, ...]
ModelT = TypeVar("ModelT", bound=BaseModel)


def need_items(flag: str, is_true: bool, name: str, items: Collection[Any], mend: str) -> None:
    """Refuse a list that is empty although a flag beside it says that it holds something.

    Raises:
        ValueError: It is; a validator of the model tells it.
    """
    if is_true and not items:
        raise ValueError(f"{name} is empty although {flag} is true; {mend}")


class Strict(BaseModel):
    """Base of every configuration model: frozen, no unknown key, no NaN or inf."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, validate_default=True)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value was written."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a configuration file.

    Args:
        where: File and line.
        key: Dotted key, empty for the file as a whole.
        what: What is wrong.
        mend: What to do.
        rule: Short name of the rule, for machines.
        value: The offending value as shown to people, empty where there is none.
    """

    where: Origin
    what: str
    mend: str
    rule: str
    key: str = ""
    value: str = ""

    def error(self) -> ConfigError:
        """The finding as the error that stops a start."""
        subject = f"{self.key} = {self.value}" if self.key and self.value else self.key
        return ConfigError(
            f"{subject}: {self.what}" if subject else self.what,
            where=str(self.where),
            mend=self.mend,
        )

    def line(self) -> str:
        """The finding as one line of text."""
        return self.error().line()


@dataclass(slots=True)
class Document:
    """One parsed file: plain values, and where each of them was written."""

    file: str
    data: Any = None
    origins: dict[Key, Origin] = field(default_factory=dict)

    def origin(self, key: Key) -> Origin:
        """Where `key` was written, or the nearest thing that holds it."""
        while key not in self.origins and key:
            key = key[:-1]
        return self.origins.get(key, Origin(self.file, 1))

    def value(self, key: Key) -> Any:
        """The value at `key`; `None` where there is none."""
        found = self.data
        for part in key:
            try:
                found = found[part]
            except (KeyError, IndexError, TypeError):
                return None
        return found


def dotted(key: Key) -> str:
    """A key as people write it: `lanes.works.colours[0]`."""
    text = ""
    for part in key:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return printable(text, MAX_SHOWN * 2)


def printable(text: str, limit: int = MAX_SHOWN) -> str:
    """Text that cannot break a line or a terminal, shortened."""
    text = "".join(char if char.isprintable() else "?" for char in text)
    return text if len(text) <= limit else text[: limit - 3] + "..."


def shown(value: Any) -> str:
    """A value as it appears in a message."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list" if len(value) > 4 else "[" + ", ".join(shown(item) or "nothing" for item in value) + "]"
    return printable(json.dumps(value, ensure_ascii=False))


# --- reading ----------------------------------------------------------------------------------------------------------

_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_BOOL: Final = {
    "true": True,
    "True": True,
    "TRUE": True,
    "false": False,
    "False": False,
    "FALSE": False,
}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_BASED_INT = re.compile(r"0(?:o[0-7]+|x[0-9a-fA-F]+)\Z")
_LEADING_ZERO = re.compile(r"[-+]?0[0-9]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_NOT_FINITE = re.compile(r"(?:[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z")
_MAX_DIGITS: Final = 40  # of a number; Python refuses to convert very long ones, and none of ours needs more
_SURROGATE = re.compile("[\ud800-\udfff]")


def shown_path(path: Path) -> str:
    """A path as messages give it: inside the configuration folder from there (`markets/de.yaml`), else as written."""
    from adas_runtime.resources import config_dir

    try:
        return path.resolve().relative_to(config_dir().resolve()).as_posix()
    except (ValueError, OSError, RuntimeError):
        return printable(str(path), 200)


_FILE_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")


def named_file(name_or_path: str | Path, folder: Path, names: Callable[[], Iterable[str]], kind: str) -> Path:
    """The file that a name or path means: what has a suffix or a folder is a path, all else a name of a shipped file.

    Args:
        name_or_path: As the user gave it.
        folder: Where the shipped files of this kind are.
        names: Tells their names, for the mend.
        kind: What they are, `market`.
    Raises:
        ConfigError: No such shipped file.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or "/" in text or "\\" in text or Path(text).suffix in (".yaml", ".yml"):
        return Path(name_or_path)
    path = folder / f"{text}.yaml"
    if _FILE_NAME.match(text) and path.is_file():
        return path
    raise ConfigError(
        f"no {kind} {printable(text)!r}", mend=f"take one of {', '.join(names())}, or a file that ends in .yaml"
    )


def read_yaml(path: Path) -> Document:
    """Reads one YAML file.

    Raises:
        ConfigError: It cannot be read, or is not the YAML that configuration files may use.
    """
    return parse_yaml(_read_bytes(path), shown_path(path))


def _read_bytes(path: Path) -> bytes:
    where = shown_path(path)
    try:
        if not path.exists():
            raise ConfigError("no such file", where=where, mend="check the name")
        if not path.is_file():  # a folder, or a device or pipe that would block or never end
            raise ConfigError("is not a file", where=where, mend="name the YAML file itself")
        with path.open("rb") as stream:
            raw = stream.read(MAX_FILE_BYTES + 1)
    except (OSError, ValueError) as err:
        text = err.strerror if isinstance(err, OSError) and err.strerror else str(err)
        raise ConfigError(
            f"cannot be read: {text}",
            where=where,
            mend="check the name and its permissions",
        ) from err
    if len(raw) > MAX_FILE_BYTES:
        raise ConfigError(
            f"is larger than {MAX_FILE_BYTES} bytes",
            where=where,
            mend="a configuration file is small",
        )
    return raw


def parse_yaml(raw: bytes | str, file: str) -> Document:
    """Parses one YAML text; `file` stands in messages.

    Raises:
        ConfigError: Not UTF-8, not YAML, or a construct that configuration files may not use.
    """
    text = _decode(raw, file)
    bad = Reader.NON_PRINTABLE.search(text) or _SURROGATE.search(text)
    if bad:
        raise ConfigError(
            f"holds the control character U+{ord(bad.group()):04X}",
            where=f"{file}:{text.count(chr(10), 0, bad.start()) + 1}",
            mend="remove it",
        )
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        return _Builder(file).build(loader)
    except yaml.MarkedYAMLError as err:
        mark = err.problem_mark or err.context_mark
        problem = printable(err.problem or err.context or "cannot be parsed", 120)
        row = text.splitlines()[mark.line] if mark and mark.line < len(text.splitlines()) else ""
        has_tab = "\t" in row[: len(row) - len(row.lstrip())]
        raise ConfigError(
            f"not YAML: {problem}",
            where=f"{file}:{mark.line + 1 if mark else 1}",
            mend="indent with spaces, not tabs" if has_tab else "mind indentation, colons, brackets and quotes",
        ) from err
    except (
        yaml.YAMLError,
        ValueError,
        OverflowError,
    ) as err:  # pure-Python PyYAML: "\Uffffffff", %YAML 1.<very long>
        raise ConfigError(
            f"not YAML: {printable(str(err), 120)}",
            where=f"{file}:1",
            mend="see the file in an editor",
        ) from err
    finally:
        loader.dispose()


def _decode(raw: bytes | str, file: str) -> str:
    if isinstance(raw, str):
        return raw.removeprefix("\ufeff")
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise ConfigError("is UTF-16", where=f"{file}:1", mend="save it as UTF-8")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as err:
        line = raw.count(b"\n", 0, err.start) + 1
        raise ConfigError(
            f"byte 0x{raw[err.start]:02x} is not UTF-8",
            where=f"{file}:{line}",
            mend="save it as UTF-8",
        ) from err


class _Builder:
    """Turns parser events into plain values, without recursion, so that no nesting can exhaust the stack."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._document = Document(file=file)
        self._stack: list[tuple[dict[str, Any] | list[Any], Key]] = []
        self._key: str | None = None  # read and waiting for its value
        self._keys: list[str | None] = []
        self._nodes = 0

    def build(self, loader: Any) -> Document:
        documents = 0
        while loader.check_event():
            event = loader.get_event()
            line = event.start_mark.line + 1
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse(
                        line,
                        "holds a second document",
                        "one file, one document: remove the '---'",
                    )
            elif isinstance(event, yaml.AliasEvent):
                self._refuse(
                    line,
                    f"uses the alias *{printable(event.anchor or '')}",
                    "write the value out, or use extends",
                )
            elif isinstance(event, yaml.NodeEvent):
                self._node(event, line)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._stack.pop()
                self._key = self._keys.pop()
        return self._document

    def _node(self, event: yaml.NodeEvent, line: int) -> None:
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._refuse(
                line,
                f"holds more than {MAX_NODES} values",
                "a configuration file is small",
            )
        if event.anchor is not None:
            self._refuse(
                line,
                f"sets the anchor &{printable(event.anchor or '')}",
                "write the value out, or use extends",
            )
        tag = getattr(event, "tag", None)
        if tag is not None and not (tag == "!" and isinstance(event, yaml.ScalarEvent)):
            self._refuse(line, f"uses the tag {printable(tag)}", "remove the tag")
        holder = self._stack[-1][0] if self._stack else None
        if isinstance(holder, dict) and self._key is None:
            self._take_key(holder, event, line)
            return
        value: Any
        if isinstance(event, yaml.MappingStartEvent):
            value = {}
        elif isinstance(event, yaml.SequenceStartEvent):
            value = []
        else:
            assert isinstance(event, yaml.ScalarEvent)
            value = self._scalar(event, line)
        key = self._put(holder, value, line)
        if isinstance(value, (dict, list)):
            if len(self._stack) >= MAX_DEPTH:
                self._refuse(line, f"is nested deeper than {MAX_DEPTH} levels", "flatten it")
            self._stack.append((value, key))
            self._keys.append(None)
            self._key = None

    def _take_key(self, holder: dict[str, Any], event: yaml.NodeEvent, line: int) -> None:
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(
                line,
                "has a list or mapping as a key",
                "a key is a word; quote a text that starts with [ or {",
            )
        assert isinstance(event, yaml.ScalarEvent)
        place = (*self._stack[-1][1], event.value)
        if event.value in holder:
            first = self._document.origins[place].line
            self._refuse(
                line,
                f"key {printable(event.value)!r} stands here again, first on line {first}",
                "keep one of the two",
            )
        if event.value == "<<":
            self._refuse(line, "uses the merge key <<", "use extends")
        self._key = event.value
        self._document.origins[place] = Origin(self._file, line)

    def _put(self, holder: dict[str, Any] | list[Any] | None, value: Any, line: int) -> Key:
        """Puts a value into what holds it and returns its key."""
        if holder is None:
            self._document.data = value
            self._document.origins[()] = Origin(self._file, line)
            return ()
        parent = self._stack[-1][1]
        if isinstance(holder, dict):
            assert self._key is not None
            key: Key = (*parent, self._key)
            holder[self._key] = value
            self._key = None
        else:
            key = (*parent, len(holder))
            holder.append(value)
            self._document.origins[key] = Origin(self._file, line)
        return key

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> Any:
        text = event.value
        if _SURROGATE.search(text):
            self._refuse(line, "holds half of a surrogate pair", "write the character itself")
        if event.style or event.tag == "!":  # quoted or a block: a text, whatever it looks like
            return text
        if text in _NULL:
            return None
        if text in _BOOL:
            return _BOOL[text]
        if _NOT_FINITE.match(text):
            self._refuse(
                line,
                f"{text} is not a finite number",
                "give a number; leave the key out where none is known",
            )
        is_number = _INT.match(text) or _BASED_INT.match(text) or _FLOAT.match(text)
        if not is_number:
            return text
        if len(text) > _MAX_DIGITS:
            self._refuse(
                line,
                f"number {printable(text)} is too long",
                "round it, or quote it if it is a text",
            )
        if _LEADING_ZERO.match(text):
            self._refuse(
                line,
                f"{text} starts with 0, which YAML 1.1 reads as octal and 1.2 as decimal",
                "drop the zero, or quote it if it is a text",
            )
        if _BASED_INT.match(text):
            return int(text, 0)
        if _INT.match(text):
            return int(text)
        number = float(text)
        if not math.isfinite(number):
            self._refuse(line, f"{text} is not a finite number", "give a number")
        return number

    def _refuse(self, line: int, what: str, mend: str) -> typing.NoReturn:
        raise ConfigError(what, where=f"{self._file}:{line}", mend=mend)


# --- validating -------------------------------------------------------------------------------------------------------


def load(model: type[ModelT], path: Path) -> ModelT:
    """Reads and validates one file.

    Raises:
        ConfigError: The first thing that is wrong with it.
    """
    return validate(model, read_yaml(path))


def validate(model: type[ModelT], document: Document) -> ModelT:
    """The document as a model.

    Raises:
        ConfigError: The first finding.
    """
    result, found = examine(model, document)
    if found:
        raise found[0].error()
    assert result is not None
    return result


def examine(model: type[ModelT], document: Document) -> tuple[ModelT | None, list[Finding]]:
    """The document as a model, or everything that is wrong with it, in the order of the lines.

    Types are judged strictly (no text for a number, no `true` for 1.0), lists become tuples and texts become enums.
    """
    if not isinstance(document.data, dict):
        return None, [
            Finding(
                where=document.origin(()),
                what="holds no mapping of keys to values",
                mend="see docs",
                rule="wrong-type",
            )
        ]
    try:
        # JSON rules are what a file needs: strict on types, yet a list is a tuple and a text an enum.
        return model.model_validate_json(json.dumps(document.data), strict=True), []
    except ValidationError as err:
        found = [_finding(model, document, dict(item)) for item in err.errors(include_url=False)]
        return None, sorted(found, key=lambda item: (item.where.file, item.where.line, item.key))


def unit_of(info: FieldInfo) -> str:
    """The unit that ends a field's description, `[m/s]`; empty where there is none."""
    match = re.search(r"\[([^\]]+)\]\.?\Z", info.description or "")
    return match.group(1) if match else ""


def model_of(annotation: Any) -> type[BaseModel] | None:
    """The model inside an annotation such as `X`, `X | None`, `tuple[X, ...]`, `dict[str, X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for part in typing.get_args(annotation):
        found = model_of(part)
        if found is not None:
            return found
    return None


ANY_MEND: Final = "change one of the values"  # of a contradiction that names no other


def fields_of(model: type[BaseModel], prefix: Key = ()) -> Iterator[tuple[Key, FieldInfo]]:
    """Every field below a model, depth first; `*` stands for the keys of an open mapping."""
    for name, info in model.model_fields.items():
        key = (*prefix, name)
        yield key, info
        inner = model_of(info.annotation)
        if inner is not None:
            is_open = typing.get_origin(info.annotation) is dict
            yield from fields_of(inner, (*key, "*") if is_open else key)


def field_at(model: type[BaseModel], key: Key) -> FieldInfo | None:
    """The field that holds the value at `key`."""
    info = None
    current: type[BaseModel] | None = model
    for part in key:
        if current is not None and part in current.model_fields:
            info = current.model_fields[str(part)]
            current = model_of(info.annotation)
    return info


def _finding(model: type[BaseModel], document: Document, error: dict[str, Any]) -> Finding:
    location: Key = tuple(error["loc"])
    kind: str = error["type"]
    is_key = bool(location) and location[-1] == "[key]"
    key: Key = ()
    for part in location:  # pydantic puts names of union members among the keys: keep what the file holds
        if (isinstance(document.value(key), dict) and part in document.value(key)) or (
            isinstance(part, int) and isinstance(document.value(key), list)
        ):
            key = (*key, part)
    if kind == "missing":
        name = str(location[-1])
        info = field_at(model, location)
        return Finding(
            where=document.origin(key),
            key=dotted((*key, name)),
            what="is missing",
            mend=f"add it: {info.description}" if info and info.description else "add it",
            rule="missing-key",
        )
    if kind == "extra_forbidden" or is_key:
        return _unknown_key(model, document, key)
    info = field_at(model, key)
    context = error.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        what = str(context.get("error") or error["msg"])
        first = what.split(maxsplit=1)[0].rstrip(":,") if what else ""
        if isinstance(document.value(key), dict) and first in document.value(key):
            key = (*key, first)  # a rule across fields names the one to look at first
        what, _, mend = what.partition("; ")
        return Finding(
            where=document.origin(key),
            key=dotted(key),
            value=shown(document.value(key)) if not isinstance(document.value(key), dict) else "",
            what=what,
            mend=mend or ANY_MEND,
            rule="contradiction",
        )
    what, mend, rule = _complaint(kind, context, error["msg"], document.value(key), unit_of(info) if info else "")
    inner = model_of(info.annotation) if info is not None else None
    if kind in ("model_type", "model_attributes_type") and inner is not None:
        mend = f"write its keys below it: {', '.join(inner.model_fields)}"
    elif kind == "string_pattern_mismatch" and info is not None and info.description:
        mend = info.description.rstrip(".")
    return Finding(
        where=document.origin(key),
        key=dotted(key),
        value=shown(document.value(key)),
        what=what,
        mend=mend,
        rule=rule,
    )


def _unknown_key(model: type[BaseModel], document: Document, key: Key) -> Finding:
    parent = field_at(model, key[:-1])
    inner = model_of(parent.annotation) if parent is not None else model
    known = list(inner.model_fields) if inner is not None else []
    if parent is not None and typing.get_origin(parent.annotation) is dict:
        known = [str(item) for item in typing.get_args(typing.get_args(parent.annotation)[0])]
    near = difflib.get_close_matches(str(key[-1]), known, n=1) if key else []
    return Finding(
        where=document.origin(key),
        key=dotted(key),
        what="unknown key",
        mend=f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known) or 'none'}",
        rule="unknown-key",
    )


_BOUNDS: Final = {
    "greater_than": (">", "gt"),
    "greater_than_equal": (">=", "ge"),
    "less_than": ("<", "lt"),
    "less_than_equal": ("<=", "le"),
}
_TYPES: Final = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "string_type": "a text",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "tuple_type": "a list",
    "list_type": "a list",
    "set_type": "a list",
    "frozen_set_type": "a list",
    "date_type": "a date, YYYY-MM-DD",
    "date_parsing": "a date, YYYY-MM-DD",
    "date_from_datetime_parsing": "a date, YYYY-MM-DD",
    "date_from_datetime_inexact": "a date, YYYY-MM-DD",
}
_LENGTHS: Final = {
    "too_long": ("at most", "max_length"),
    "too_short": ("at least", "min_length"),
}


def _complaint(kind: str, context: dict[str, Any], message: str, value: Any, unit: str) -> tuple[str, str, str]:
    """What is wrong, the mend and the rule, for one pydantic error."""
    suffix = f" {unit}" if unit else ""
    if kind in _BOUNDS:
        sign, name = _BOUNDS[kind]
        return (
            f"must be {sign} {context[name]}{suffix}",
            "give a value inside the range",
            "out-of-range",
        )
    if kind in ("literal_error", "enum"):
        expected = str(context.get("expected", "")).replace(" or ", ", ").replace("'", "")
        near = difflib.get_close_matches(str(value), expected.split(", "), n=1)
        return (
            f"must be one of {expected}",
            f"did you mean {near[0]!r}?" if near else "take one of them",
            "wrong-value",
        )
    if kind in _TYPES:
        got = (
            "nothing"
            if value is None
            else {
                dict: "a mapping",
                list: "a list",
                str: "a text",
                bool: "a truth value",
            }
        )
        text = got if isinstance(got, str) else got.get(type(value), "a number")
        mend = f"write it{f' in {unit}' if unit else ''}"
        if kind == "bool_type":
            mend = "write true or false, without quotes"
        elif kind == "string_type":
            mend = "put it in quotes"
        elif isinstance(value, str) and kind in ("float_type", "int_type"):
            mend = "write a plain number, without quotes, underscores or unit"
        return f"must be {_TYPES[kind]}, not {text}", mend, "wrong-type"
    for name, (word, bound) in _LENGTHS.items():
        if kind.endswith(name):
            return (
                f"must have {word} {context[bound]} entries or characters",
                "change its length",
                "wrong-length",
            )
    if kind == "string_pattern_mismatch":
        return (
            f"must match {context['pattern']}",
            "write it in that form",
            "wrong-value",
        )
    if kind == "finite_number":
        return "is not a finite number", "give a number", "out-of-range"
    return message, "see the market file reference", "wrong-value"


def annotation_text(annotation: Any) -> str:
    """A type in words, for the references."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " | ".join(f"`{item}`" for item in args)
    if origin in (Union, types.UnionType):
        return " or ".join(annotation_text(item) if item is not type(None) else "nothing" for item in args)
    if origin is typing.Annotated:
        return annotation_text(args[0])
    if origin is dict:
        return f"mapping of {annotation_text(args[0])} to {annotation_text(args[1])}"
    if origin in (tuple, list, frozenset):
        kinds = [item for item in args if item is not Ellipsis]
        if len(set(kinds)) == 1:
            count = f"{len(kinds)} x " if Ellipsis not in args and origin is tuple else ""
            return f"list of {count}{annotation_text(kinds[0])}"
        return "list of " + ", ".join(annotation_text(item) for item in kinds)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "section"
    names = {float: "number", int: "whole number", bool: "true or false", str: "text"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))
