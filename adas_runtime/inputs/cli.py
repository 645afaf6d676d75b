"""`adas inputs`: what the topics of a recording feed, by a guess or by an input map."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adas_runtime.errors import AdasError

if TYPE_CHECKING:
    from adas_runtime.inputs.load import InputMap
    from adas_runtime.inputs.recording import Bound
    from adas_runtime.replay.bag import Bag


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(
        name="inputs",
        help="Input maps: which topic of a recording or a car feeds which signal.",
        no_args_is_help=True,
    )
    group.command("list")(list_maps)
    group.command("guess")(guess)
    group.command("check")(check)
    app.add_typer(group)


def list_maps(as_json: Annotated[bool, typer.Option("--json", help="Print for machines.")] = False) -> None:
    """The input maps that ship with the runtime."""
    from adas_runtime.console import print_json, print_table
    from adas_runtime.inputs.load import input_map_names, load_input_map

    maps = [load_input_map(name) for name in input_map_names()]
    if as_json:
        print_json([{"name": item.name, "summary": item.file.summary, "file": item.document.file} for item in maps])
        return
    print_table(("map", "for"), [(item.name, item.file.summary) for item in maps])


def guess(
    bag: Annotated[Path, typer.Argument(help="rosbag2 folder or file, MCAP or SQLite3.")],
    out: Annotated[Path | None, typer.Option(help="Write the guess as an input map.")] = None,
    force: Annotated[bool, typer.Option(help="Replace a map that is there.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print for machines.")] = False,
) -> int:
    """What each topic of a recording is taken for when no map is given, and what its values look like."""
    from adas_runtime.inputs.recording import open_recording
    from adas_runtime.inputs.save import map_text
    from adas_runtime.replay.bag import Bag

    if out is not None and out.exists() and not force:
        raise AdasError("exists already", where=str(out), mend="take another --out, or --force to replace it")
    with Bag(bag) as opened:
        bound = open_recording(opened)
        found = _examined(opened, bound)
        if out is not None:
            name = "".join(char if char.isalnum() else "_" for char in out.stem.lower())[:64] or "map"
            _write(out, map_text(name, opened.path.name, bound))
    _print(found, as_json)
    if out is not None and not as_json:
        print(f"written: {out}; use it with: adas replay {bag} --inputs {out}")
    return 0


def check(
    input_map: Annotated[str, typer.Argument(metavar="MAP", help="Input map: name or file.")],
    bag: Annotated[Path | None, typer.Argument(help="Recording to hold it against.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print for machines.")] = False,
) -> int:
    """Whether a map is sound, and with a recording what it makes of it; exit 1 where messages are refused or unused."""
    from adas_runtime.console import print_json, print_table
    from adas_runtime.inputs.load import load_input_map
    from adas_runtime.inputs.recording import open_recording
    from adas_runtime.replay.bag import Bag

    loaded = load_input_map(input_map)
    if bag is None:
        untyped = [entry.topic for entry in loaded.file.inputs if not entry.type]
        rows = [(e.topic, e.type or "(as recorded)", ", ".join(e.feeds()), e.note) for e in loaded.file.inputs]
        if as_json:
            print_json({"map": loaded.name, "is_live": not untyped, "topics": [row[0] for row in rows]})
            return 0
        print_table(("topic", "type", "feeds", "note"), rows)
        what = "recordings and cars" if not untyped else f"recordings alone: no type is told for {', '.join(untyped)}"
        print(f"{loaded.name}: sound, for {what}")
        return 0
    with Bag(bag) as opened:
        bound = open_recording(opened, loaded)
        found = _examined(opened, bound)
        found["not_recorded"] = list(loaded.absent(opened.topics))
        found["not_used"] = _unused(loaded, bound)
    _print(found, as_json)
    return 1 if found["not_used"] or any(topic["refused"] for topic in found["topics"]) else 0


def _unused(input_map: InputMap, bound: Bound) -> list[str]:
    """Topics of the map that the recording holds and that nevertheless feed nothing."""
    wanted = {entry.topic for entry in input_map.file.inputs}
    return [
        f"{feed.topic}: {feed.note}"
        for feed in bound.feeds.values()
        if feed.topic in wanted and not feed.feeds and "stands before" not in feed.note
    ]


def _examined(bag: Bag, bound: Bound) -> dict[str, Any]:
    """Every message converted once: counts, refusals, and the range of every field that is fed."""
    from adas_runtime.inputs.values import Ranges

    counts = {name: {"messages": 0, "refused": 0, "why": ""} for name in bound.feeds}
    ranges = Ranges()
    for _, topic, found in bound.messages(bag):
        count: dict[str, Any] = counts[topic]
        count["messages"] += 1
        if isinstance(found, str):
            count["refused"] += 1
            count["why"] = count["why"] or found
            continue
        for _, signal in found:
            ranges.add(signal)
    return {
        "bag": str(bag.path),
        "topics": [
            {
                "topic": feed.topic,
                "type": feed.type,
                "feeds": list(feed.feeds),
                "is_guessed": bool(feed.feeds) and feed.is_guessed,
                "note": feed.note,
                **counts[feed.topic],
            }
            for feed in bound.feeds.values()
        ],
        "values": ranges.table(),
        "warnings": [*bag.warnings, *bound.warnings],
    }


def _print(found: dict[str, Any], as_json: bool) -> None:
    from adas_runtime.console import print_json, print_table

    if as_json:
        print_json(found)
        return
    used = [topic for topic in found["topics"] if topic["feeds"]]
    for topic in used:
        refused = f", {topic['refused']} of {topic['messages']} messages refused" if topic["refused"] else ""
        print(f"{topic['topic']}  {topic['type']}{refused}")
        print(f"    -> {', '.join(topic['feeds'])}")
        if topic["note"]:
            print(f"    {topic['note']}")
        if topic["why"]:
            print(f"    first refusal: {topic['why']}")
    others: dict[str, list[str]] = {}
    for topic in found["topics"]:
        if not topic["feeds"]:
            others.setdefault(topic["note"].removeprefix("not used: "), []).append(f"{topic['topic']} {topic['type']}")
    for note, names in others.items():
        print(f"not used: {note}")
        print("".join(f"    {name}\n" for name in names), end="")
    if found["values"]:
        print()
        rows = [
            (v["field"], v["unit"], *(_shown(v[key]) for key in ("low", "median", "high")), str(v["count"]))
            for v in found["values"]
        ]
        print_table(("field", "unit", "low", "median", "high", "values"), rows)
    for text in found.get("not_used", ()):
        print(f"finding: {text}", file=sys.stderr)
    for topic in found.get("not_recorded", ()):
        print(f"not in the recording: {topic}")
    told = [f"{topic['topic']}: {part}" for topic in found["topics"] for part in topic["note"].split("; ")]
    for text in found["warnings"]:
        if not any(text.startswith(part) for part in told):
            print(f"warning: {text}", file=sys.stderr)


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _write(path: Path, text: str) -> None:
    """The file, whole or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, delete=False, encoding="utf-8") as stream:
            stream.write(text)
        os.chmod(stream.name, 0o644)
        os.replace(stream.name, path)
    except OSError as error:
        raise AdasError(f"cannot be written ({error.strerror})", where=str(path), mend="take another --out") from error
