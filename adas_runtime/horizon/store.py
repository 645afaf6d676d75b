"""The map file: SQLite with an R*Tree, versioned, checksummed, written whole or not at all, read by memory mapping."""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import sqlite3
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from adas_runtime.errors import AdasError
from adas_runtime.horizon.geo import METRES_PER_DEG, Point, lengths_m, longitude_scale
from adas_runtime.horizon.roads import Edge, Way
from adas_runtime.horizon.tags import Rule
from adas_runtime.signals import RoadClass

APPLICATION_ID: Final = 0x41444D50  # "ADMP"
VERSION: Final = 1
SCALE: Final = 10_000_000  # OpenStreetMap's own resolution, 1e-7 degrees
MMAP_BYTES: Final = 4 << 30
CACHED_EDGES: Final = 200_000  # about 200 MB; then the cache starts afresh

_SCHEMA: Final = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE rule (id INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE way (
    id INTEGER PRIMARY KEY, way_id INTEGER NOT NULL, highway TEXT NOT NULL, class INTEGER NOT NULL, name TEXT NOT NULL,
    ref TEXT NOT NULL, flags INTEGER NOT NULL, lit INTEGER NOT NULL,
    lanes_forward INTEGER NOT NULL, lanes_backward INTEGER NOT NULL,
    country TEXT NOT NULL, built_up INTEGER, built_up_confidence REAL NOT NULL, forward INTEGER NOT NULL,
    backward INTEGER NOT NULL);
CREATE TABLE edge (
    id INTEGER PRIMARY KEY, way INTEGER NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL, points BLOB NOT NULL);
CREATE VIRTUAL TABLE box USING rtree_i32(id, south, north, west, east);
"""
_INDEXES: Final = "CREATE INDEX edge_start ON edge (start); CREATE INDEX edge_end ON edge (end);"
_FLAGS: Final = ("is_oneway", "is_tunnel", "is_bridge", "is_link", "is_roundabout", "is_motorroad")
_LIT: Final = {None: 0, False: 1, True: 2}
_IS_LIT: Final = {number: value for value, number in _LIT.items()}
_HASHED: Final = (
    "SELECT * FROM rule ORDER BY id",
    "SELECT * FROM way ORDER BY id",
    "SELECT * FROM edge ORDER BY id",
)


class MapError(AdasError):
    """A map or an extract that cannot be read or written."""


class MapWriter:
    """Writes a map file beside its place and moves it there when it is whole.

    Args:
        path: The map file.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._part = path.with_name(f".{path.name}.part")
        try:
            self._part.unlink(missing_ok=True)
            self._db = sqlite3.connect(self._part)
            self._db.executescript(
                f"PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-65536;"
                f"PRAGMA application_id={APPLICATION_ID}; PRAGMA user_version={VERSION};"
            )
            self._db.executescript(_SCHEMA)
            self._db.execute("BEGIN")
        except (OSError, sqlite3.Error) as err:
            raise MapError(f"cannot be written: {err}", where=str(path), mend="choose another --out") from err
        self._rules: dict[str, int] = {}
        self.ways = 0
        self.edges = 0

    def add(self, way: Way, pieces: list[tuple[int, int, list[tuple[int, int]]]]) -> None:
        """Add a way and its edges: (start node, end node, points in 1e-7 degrees)."""
        self.ways += 1
        self._db.execute(
            "INSERT INTO way VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                self.ways,
                way.way_id,
                way.highway,
                int(way.road_class),
                way.name,
                way.ref,
                sum(1 << bit for bit, flag in enumerate(_FLAGS) if getattr(way, flag)),
                _LIT[way.is_lit],
                way.lanes_forward,
                way.lanes_backward,
                way.country,
                None if way.built_up is None else int(way.built_up),
                way.built_up_confidence,
                self._rule(way.forward),
                self._rule(way.backward),
            ),
        )
        for start, end, points in pieces:
            self.edges += 1
            flat = [number for point in points for number in point]
            self._db.execute(
                "INSERT INTO edge VALUES (?,?,?,?,?)",
                (self.edges, self.ways, start, end, struct.pack(f"<{len(flat)}i", *flat)),
            )
            self._db.execute(
                "INSERT INTO box VALUES (?,?,?,?,?)",
                (self.edges, min(flat[::2]), max(flat[::2]), min(flat[1::2]), max(flat[1::2])),
            )

    def _rule(self, rule: Rule) -> int:
        text = rule.text()
        number = self._rules.get(text)
        if number is None:
            number = self._rules[text] = len(self._rules) + 1
            self._db.execute("INSERT INTO rule VALUES (?,?)", (number, text))
        return number

    def finish(self, meta: Mapping[str, Any]) -> None:
        """Index, hash and move the file to its place."""
        try:
            self._db.executescript(_INDEXES)
            entries = {**meta, "ways": self.ways, "edges": self.edges, "sha256": _digest(self._db)}
            self._db.executemany(
                "INSERT INTO meta VALUES (?,?)",
                [(key, json.dumps(value, ensure_ascii=False)) for key, value in sorted(entries.items())],
            )
            self._db.commit()
            self._db.execute("ANALYZE")
            self._db.commit()
            self._db.close()
            with open(self._part, "rb") as file:
                os.fsync(file.fileno())
            os.replace(self._part, self.path)
        except (OSError, sqlite3.Error) as err:
            self.abandon()
            raise MapError(f"cannot be written: {err}", where=str(self.path), mend="free the disk") from err

    def abandon(self) -> None:
        """Leave nothing behind."""
        with contextlib.suppress(sqlite3.Error):
            self._db.close()
        self._part.unlink(missing_ok=True)


def _digest(db: sqlite3.Connection) -> str:
    digest = hashlib.sha256()
    for query in _HASHED:
        for row in db.execute(query):
            digest.update(repr(row).encode())
    return digest.hexdigest()


class MapStore:
    """A map file, open for reading; a `RoadMap`.

    Edges are read when they are first asked for and kept; the file is mapped into memory and never written, so an
    answer depends on nothing but the file.

    Raises:
        MapError: Not a map, of another version, cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise MapError("no such map", where=str(path), mend="build it with 'adas map build EXTRACT --out FILE.map'")
        try:
            name = f"file:{quote(path.resolve().as_posix())}?mode=ro&immutable=1"
            self._db = sqlite3.connect(name, uri=True, check_same_thread=False)
            kind = self._db.execute("PRAGMA application_id").fetchone()[0]
            version = self._db.execute("PRAGMA user_version").fetchone()[0]
            if kind != APPLICATION_ID:
                raise MapError("is not a map", where=str(path), mend="build one with 'adas map build'")
            if version != VERSION:
                raise MapError(
                    f"has format {version}, this runtime reads {VERSION}", where=str(path), mend="build the map again"
                )
            pages, size = (self._db.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
            if path.stat().st_size < pages * size:
                raise MapError("is cut off", where=str(path), mend="copy or build it again")
            self._db.execute(f"PRAGMA mmap_size={MMAP_BYTES}")
            self.meta: dict[str, Any] = {
                key: json.loads(value) for key, value in self._db.execute("SELECT key, value FROM meta")
            }
        except (sqlite3.Error, ValueError) as err:
            raise MapError(f"cannot be read as a map: {err}", where=str(path), mend="build it again") from err
        self._edges: dict[int, Edge] = {}
        self._ways: dict[int, Way] = {}
        self._rules: dict[int, Rule] = {}
        self._nodes: dict[int, tuple[Edge, ...]] = {}

    @property
    def digest(self) -> str:
        """SHA-256 of its content, as the builder wrote it."""
        return str(self.meta.get("sha256", ""))

    @property
    def data_utc_s(self) -> float | None:
        """The newest edit of a road in the oldest of the extracts, where they tell it [s since 1970]."""
        found = self.meta.get("data_utc_s")
        return float(found) if isinstance(found, (int, float)) else None

    def verify(self) -> None:
        """Read everything and compare with the checksum.

        Raises:
            MapError: The content is not what was built.
        """
        try:
            is_whole = _digest(self._db) == self.digest
        except sqlite3.Error as err:
            raise MapError(f"is damaged: {err}", where=str(self.path), mend="copy or build it again") from err
        if not is_whole:
            raise MapError("is damaged: its checksum differs", where=str(self.path), mend="copy or build it again")

    def near(self, point: Point, radius_m: float) -> tuple[Edge, ...]:
        """Edges whose box comes within a radius, in the order of their numbers."""
        north = math.ceil(radius_m / METRES_PER_DEG * SCALE)
        east = math.ceil(radius_m / max(longitude_scale(point[0]), 1000.0) * SCALE)
        latitude, longitude = round(point[0] * SCALE), round(point[1] * SCALE)
        rows = self._db.execute(
            "SELECT id FROM box WHERE north >= ? AND south <= ? AND east >= ? AND west <= ?",
            (latitude - north, latitude + north, longitude - east, longitude + east),
        ).fetchall()
        found = [self.edge(row[0]) for row in sorted(rows)]
        return tuple(edge for edge in found if edge is not None)

    def at_node(self, node: int) -> tuple[Edge, ...]:
        """Edges that begin or end at a node, in the order of their numbers."""
        found = self._nodes.get(node)
        if found is None:
            rows = self._db.execute(
                "SELECT id FROM edge WHERE start=? UNION SELECT id FROM edge WHERE end=?", (node, node)
            )
            edges = [self.edge(row[0]) for row in sorted(rows.fetchall())]
            found = tuple(edge for edge in edges if edge is not None)
            if len(self._nodes) >= CACHED_EDGES:
                self._nodes.clear()
            self._nodes[node] = found
        return found

    def edge(self, edge_id: int) -> Edge | None:
        """One edge."""
        found = self._edges.get(edge_id)
        if found is not None:
            return found
        row = self._db.execute("SELECT way, start, end, points FROM edge WHERE id=?", (edge_id,)).fetchone()
        if row is None:
            return None
        numbers = struct.unpack(f"<{len(row[3]) // 4}i", row[3])
        points = tuple((a / SCALE, b / SCALE) for a, b in zip(numbers[::2], numbers[1::2], strict=True))
        found = Edge(
            edge_id=edge_id,
            way=self._way(row[0]),
            start=row[1],
            end=row[2],
            points=points,
            along_m=lengths_m(points),
        )
        if len(self._edges) >= CACHED_EDGES:
            self._edges.clear()
            self._ways.clear()
        self._edges[edge_id] = found
        return found

    def _way(self, number: int) -> Way:
        found = self._ways.get(number)
        if found is None:
            row = self._db.execute("SELECT * FROM way WHERE id=?", (number,)).fetchone()
            flags = {flag: bool(row[6] >> bit & 1) for bit, flag in enumerate(_FLAGS)}
            found = self._ways[number] = Way(
                way_id=row[1],
                highway=row[2],
                road_class=RoadClass(row[3]),
                name=row[4],
                ref=row[5],
                is_lit=_IS_LIT[row[7]],
                lanes_forward=row[8],
                lanes_backward=row[9],
                country=row[10],
                built_up=None if row[11] is None else bool(row[11]),
                built_up_confidence=row[12],
                forward=self._rule(row[13]),
                backward=self._rule(row[14]),
                **flags,
            )
        return found

    def _rule(self, number: int) -> Rule:
        found = self._rules.get(number)
        if found is None:
            text = self._db.execute("SELECT text FROM rule WHERE id=?", (number,)).fetchone()[0]
            found = self._rules[number] = Rule.from_text(text)
        return found
