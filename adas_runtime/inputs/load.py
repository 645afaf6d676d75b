"""From an input-map file, or from a recording's topics, to feeds."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adas_runtime.config import Document, named_file, read_yaml, validate
from adas_runtime.errors import ConfigError
from adas_runtime.inputs.feed import CONVERTERS, OUTPUTS, Feed
from adas_runtime.inputs.schema import MapFile, TopicEntry


def maps_dir() -> Path:
    """Where the shipped input maps are."""
    from adas_runtime.resources import config_dir

    return config_dir() / "inputs"


def input_map_names() -> tuple[str, ...]:
    """Names of the shipped input maps."""
    return tuple(sorted(path.stem for path in maps_dir().glob("*.yaml")))


def input_map_path(name_or_path: str | Path) -> Path:
    """The file of an input map: a name stands for a shipped one, what has a suffix or a folder is a path.

    Raises:
        ConfigError: No such map.
    """
    return named_file(name_or_path, maps_dir(), input_map_names, "input map")


def load_input_map(name_or_path: str | Path) -> InputMap:
    """An input map by name or file.

    Raises:
        ConfigError: The first thing that is wrong with it, with file and line.
    """
    document = read_yaml(input_map_path(name_or_path))
    return InputMap(file=validate(MapFile, document), document=document)


@dataclass(frozen=True, slots=True, kw_only=True)
class InputMap:
    """What the topics of a recording or of a car are used for."""

    file: MapFile
    document: Document

    @property
    def name(self) -> str:
        """Its name."""
        return self.file.name

    def feeds(
        self, topics: Mapping[str, str], types: Mapping[str, Mapping[str, Any]] | None = None
    ) -> tuple[Feed, ...]:
        """What each topic of a recording feeds under this map.

        Args:
            topics: Type of each topic of the recording.
            types: Field definitions that the recording embeds, by topic; paths are judged against them.
        Raises:
            ConfigError: A path of the map leads nowhere in the type that the recording holds.
        """
        found: dict[str, Feed] = {
            name: Feed(
                topic=name,
                type=kind,
                is_guessed=False,
                note="an output or truth in the recording; not an input"
                if name.startswith(OUTPUTS)
                else f"not in the input map {self.name}",
            )
            for name, kind in topics.items()
        }
        whole: dict[str, str] = {}
        for index, entry in enumerate(self.file.inputs):
            kind = topics.get(entry.topic)
            if kind is None:
                continue
            if entry.type and kind != entry.type:
                found[entry.topic] = Feed(
                    topic=entry.topic,
                    type=kind,
                    is_guessed=False,
                    note=f"not used: the input map {self.name} expects {entry.type}",
                )
                continue
            if not entry.fields and kind not in CONVERTERS[entry.converter_name].types:
                found[entry.topic] = Feed(
                    topic=entry.topic,
                    type=kind,
                    is_guessed=False,
                    note=f"not used: converter {entry.converter_name} does not read {kind}",
                )
                continue
            if entry.fields and types is not None and kind in types.get(entry.topic, {}):
                try:
                    entry.check_paths(dict(types[entry.topic]), kind)
                except ValueError as error:
                    what, _, mend = str(error).partition("; ")
                    where = self.document.origin(("inputs", index))
                    raise ConfigError(what, where=str(where), mend=mend) from None
            feed = self._feed(entry, kind, index)
            rival = next((whole[target] for target in feed.feeds if target in whole), None)
            if rival is not None:
                note = f"not used: {rival} stands before it in the input map {self.name}"
                found[entry.topic] = Feed(topic=entry.topic, type=kind, is_guessed=False, note=note)
                continue
            whole.update({target: entry.topic for target in feed.feeds if "." not in target})
            found[entry.topic] = feed
        return tuple(found[name] for name in sorted(found))

    def absent(self, topics: Collection[str]) -> tuple[str, ...]:
        """Topics of the map that a recording does not hold."""
        return tuple(item.topic for item in self.file.inputs if item.topic not in topics)

    def live_feeds(self) -> tuple[Feed, ...]:
        """What to subscribe to in the car, in the order of the map.

        Raises:
            ConfigError: An entry tells no type.
        """
        found = []
        for index, entry in enumerate(self.file.inputs):
            if not entry.type:
                raise ConfigError(
                    f"inputs[{index}].type: is missing for {entry.topic}",
                    where=str(self.document.origin(("inputs", index))),
                    mend="add it: in the car no recording tells the type",
                )
            found.append(self._feed(entry, entry.type, index))
        return tuple(found)

    def _feed(self, entry: TopicEntry, kind: str, rank: int) -> Feed:
        return Feed(
            topic=entry.topic,
            type=kind,
            feeds=entry.feeds(),
            is_guessed=False,
            note=entry.note,
            converter=entry.converter_name,
            links=tuple(item.link() for item in entry.fields),
            each=entry.each,
            axes=entry.axes,
            rate_unit=entry.rate_unit,
            accel_unit=entry.accel_unit,
            item=entry.joint,
            clock=entry.clock or "",
            max_age_s=entry.max_age_s,
            definition=entry.definition,
            rank=rank,
            is_of_map=True,
        )
