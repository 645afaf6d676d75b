"""From map extracts to a map file: OpenStreetMap through pyosmium, Lanelet2 through its own library."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from adas_runtime.horizon.borders import Borders
from adas_runtime.horizon.counts import Counts
from adas_runtime.horizon.lanelets import is_lanelet2, read_lanelets
from adas_runtime.horizon.roads import CLASS_OF, Way
from adas_runtime.horizon.store import SCALE, VERSION, MapError, MapWriter
from adas_runtime.horizon.tags import Rule, read_rule

BUILT_UP_LANDUSE: Final = ("residential", "retail", "commercial", "industrial")
ONEWAY: Final = {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1, "no": 0, "false": 0, "0": 0, "reversible": 0}
CLOSED: Final = ("no",)
TAGGED_SURE: Final = 0.9  # the mapper says which law holds
# How often the law's limit is the posted one where only this is known. On roads with a tag, which are the signed ones,
# it is so in 60 % (AT) and 10 % (DE) of residential streets and in a quarter of rural roads (benchmark/horizon.py):
# an assumption, and told as one.
CLASS_SURE: Final = 0.5  # a residential street lies in a built-up area
LANDUSE_SURE: Final = 0.4  # houses around it; the law counts the sign, not the houses
OPEN_COUNTRY_SURE: Final = 0.3

Progress = Callable[[str], None]
Piece = tuple[int, int, list[tuple[int, int]]]


def build_map(
    extracts: Sequence[Path],
    out: Path,
    *,
    country: str = "",
    borders: Path | None = None,
    progress: Progress | None = None,
) -> Counts:
    """Build one map file from all extracts.

    Args:
        extracts: OpenStreetMap or Lanelet2 files (.osm, .osm.gz, .osm.bz2, .osm.pbf).
        out: The map file; it appears whole or not at all.
        country: Code of the country that everything lies in.
        borders: GeoJSON of borders, where extracts cross them.
        progress: Told what is being done.

    Raises:
        MapError: An extract that cannot be read, or no road in any of them.
    """
    try:
        import osmium
    except ImportError as err:
        raise MapError("osmium is not installed", mend="run script/bootstrap") from err

    for path in extracts:
        if not path.is_file():
            raise MapError("no such file", where=str(path), mend="name an OpenStreetMap or Lanelet2 extract")
    if not out.parent.is_dir():
        raise MapError("no such folder", where=str(out.parent), mend="create it, or choose another --out")
    found = Borders(borders) if borders is not None else None
    say = progress or (lambda text: None)
    counts = Counts()
    writer = MapWriter(out)
    seen: set[int] = set()
    dates: list[float] = []  # newest edit of each extract, 0 unknown
    try:
        for path in extracts:
            try:
                if is_lanelet2(path):
                    dates.append(0.0)
                    read_lanelets(path, writer, counts, country, found)
                else:
                    reader = _Reader(path, writer, counts, country, found, seen, say)
                    reader.run()
                    dates.append(reader.newest_utc_s)
            except (RuntimeError, osmium.InvalidLocationError) as err:
                raise MapError(f"cannot be read as a map extract: {err}", where=str(path), mend="get it anew") from err
        if writer.ways == 0:
            raise MapError("holds no road", where=", ".join(map(str, extracts)), mend="name an extract with roads")
        counts.edges = writer.edges
        say("indexing")
        meta = {
            "data_utc_s": min(dates) if dates and all(dates) else None,
            "format": VERSION,
            "sources": [{"file": path.name, "sha256": _file_digest(path)} for path in extracts],
            "country": country,
            "borders": borders.name if borders is not None else "",
            **counts.as_json(),
        }
        writer.finish(meta)
    except BaseException:
        writer.abandon()
        raise
    return counts


def _ways(path: str, key: str, *, is_located: bool = True) -> Iterable[Any]:
    """The ways with a key, with the places of their nodes where wanted; pyosmium's types know no kind of a filter."""
    import osmium

    if not is_located:
        return osmium.FileProcessor(path, osmium.osm.WAY).with_filter(osmium.filter.KeyFilter(key))
    ways = osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY).with_locations()
    return ways.with_filter(osmium.filter.EntityFilter(osmium.osm.WAY)).with_filter(osmium.filter.KeyFilter(key))


def _file_digest(path: Path) -> str:
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def is_road(tags: Mapping[str, str]) -> bool:
    """Whether a car may be on it."""
    if tags.get("highway") not in CLASS_OF or tags.get("area") == "yes":
        return False
    for key in ("motorcar", "motor_vehicle", "vehicle", "access"):  # the nearest word decides
        if key in tags:
            return tags[key] not in CLOSED
    return True


class _Reader:
    """Reads one OpenStreetMap extract in three passes: junctions, built-up areas, roads."""

    def __init__(
        self,
        path: Path,
        writer: MapWriter,
        counts: Counts,
        country: str,
        borders: Borders | None,
        seen: set[int],
        say: Progress,
    ) -> None:
        self._path = str(path)
        self._name = path.name
        self._writer, self._counts, self._country, self._borders = writer, counts, country, borders
        self._seen, self._say = seen, say
        self._areas: Any = None
        self.newest_utc_s = 0.0

    def run(self) -> None:
        self._say(f"{self._name}: junctions")
        self._junctions = self._find_junctions()
        self._say(f"{self._name}: built-up areas")
        self._areas = self._find_areas()
        self._say(f"{self._name}: roads")
        for way in _ways(self._path, "highway"):
            self._road(way)
            if self._counts.ways % 100_000 == 0 and self._counts.ways:
                self._say(f"{self._name}: {self._counts.ways} roads")

    def _find_junctions(self) -> frozenset[int]:
        import array

        import numpy as np

        refs = array.array("q")
        for way in _ways(self._path, "highway", is_located=False):
            if way.tags.get("highway") in CLASS_OF:
                refs.extend([node.ref for node in way.nodes])
        numbers, how_often = np.unique(np.frombuffer(refs, dtype=np.int64), return_counts=True)
        return frozenset(numbers[how_often > 1].tolist())

    def _find_areas(self) -> Any:
        from shapely import STRtree, linearrings, polygons

        rings = []
        for way in _ways(self._path, "landuse"):
            if way.tags.get("landuse") not in BUILT_UP_LANDUSE or not way.is_closed() or len(way.nodes) < 4:
                continue
            points = [(node.lon, node.lat) for node in way.nodes if node.location.valid()]
            if len(points) == len(way.nodes):
                rings.append(points)
        return STRtree([polygons(linearrings(ring)) for ring in rings]) if rings else None

    def _road(self, way: Any) -> None:
        tags = dict(way.tags)
        if not is_road(tags):
            return
        if way.id in self._seen:
            self._counts.repeated += 1
            return
        pieces = self._pieces(way)
        if not pieces:
            return
        self._seen.add(way.id)
        self.newest_utc_s = max(self.newest_utc_s, way.timestamp.timestamp())
        malformed: list[tuple[str, str]] = []
        self._counts.ways += 1
        for number, (country, parts) in enumerate(self._by_country(way.id, pieces)):
            record = self._describe(way.id, tags, parts, malformed, country)
            self._writer.add(record, parts)
            if number == 0:
                self._counts.with_limit += record.forward.limit is not None or record.backward.limit is not None
                self._counts.without_country += not record.country
        self._counts.malformed.update(set(malformed))

    def _by_country(self, way_id: int, pieces: list[Piece]) -> list[tuple[str, list[Piece]]]:
        """The pieces of a road, cut at borders: where it crosses one it goes on as a road of the other country."""
        if self._country or self._borders is None:
            return [(self._country, pieces)]
        found: list[tuple[str, list[Piece]]] = []
        cuts = 0
        for start, end, points in pieces:
            stretches = [item for item in self._borders.split(points) if len(item[1]) > 1]
            for number, (country, part) in enumerate(stretches):
                first, last = start, end
                if number > 0:
                    first = _border_node(way_id, cuts)
                if number < len(stretches) - 1:
                    cuts += 1
                    last = _border_node(way_id, cuts)
                if not found or found[-1][0] != country:
                    found.append((country, []))
                found[-1][1].append((first, last, part))
        return found

    def _pieces(self, way: Any) -> list[Piece]:
        pieces: list[Piece] = []
        points: list[tuple[int, int]] = []
        refs: list[int] = []
        is_whole = True

        def close() -> None:
            if len(points) > 1:
                pieces.append((refs[0], refs[-1], list(points)))

        for node in way.nodes:
            location = node.location
            if not location.valid():
                is_whole = False
                close()
                points.clear()
                refs.clear()
                continue
            point = (round(location.lat * SCALE), round(location.lon * SCALE))
            if points and point == points[-1]:
                refs[-1] = node.ref if node.ref in self._junctions else refs[-1]
                continue
            points.append(point)
            refs.append(node.ref)
            if node.ref in self._junctions and len(points) > 1:
                close()
                del points[:-1], refs[:-1]
        close()
        self._counts.incomplete += not is_whole
        return pieces

    def _describe(
        self, way_id: int, tags: dict[str, str], pieces: list[Piece], malformed: list[tuple[str, str]], country: str
    ) -> Way:
        highway = tags["highway"]
        oneway = ONEWAY.get(tags.get("oneway", ""), None)
        if "oneway" in tags and oneway is None:
            malformed.append(("oneway", tags["oneway"]))
        is_roundabout = tags.get("junction") in ("roundabout", "circular")
        if oneway is None:
            oneway = 1 if is_roundabout or highway == "motorway" else 0
        if oneway == -1:  # the store keeps only lines along the traffic
            tags = {_swapped(key): value for key, value in tags.items()}
            for number, (start, end, points) in enumerate(pieces):
                pieces[number] = (end, start, points[::-1])
        forward = read_rule(tags, "forward", malformed)
        backward = Rule() if oneway else read_rule(tags, "backward", malformed)
        middle = pieces[len(pieces) // 2][2]
        place = middle[len(middle) // 2]
        point = (place[0] / SCALE, place[1] / SCALE)
        built_up, sure = self._built_up(highway, forward, point)
        lanes_forward, lanes_backward = _lanes(tags, bool(oneway), malformed)
        return Way(
            way_id=way_id,
            highway=highway,
            road_class=CLASS_OF[highway],
            name=tags.get("name", "")[:128],
            ref=tags.get("ref", "")[:64],
            is_oneway=bool(oneway),
            is_tunnel=tags.get("tunnel", "no") not in ("no", "culvert"),
            is_bridge=tags.get("bridge", "no") != "no",
            is_link=highway.endswith("_link"),
            is_roundabout=is_roundabout,
            is_motorroad=tags.get("motorroad") == "yes",
            is_lit=None if "lit" not in tags else tags["lit"] != "no",
            lanes_forward=lanes_forward,
            lanes_backward=lanes_backward,
            country=country,
            built_up=built_up,
            built_up_confidence=sure,
            forward=forward,
            backward=backward,
        )

    def _built_up(self, highway: str, rule: Rule, point: tuple[float, float]) -> tuple[bool | None, float]:
        """Whether the road lies in a built-up area, from what the mapper says down to the houses around it."""
        if rule.area in ("urban", "living_street"):
            return True, TAGGED_SURE
        if rule.area in ("rural", "rural_dual", "motorway", "expressway"):
            return False, TAGGED_SURE
        if highway in ("residential", "living_street"):
            return True, CLASS_SURE
        if highway in ("motorway", "motorway_link"):
            return False, CLASS_SURE
        if self._areas is None:
            return None, 0.0
        from shapely import Point

        if len(self._areas.query(Point(point[1], point[0]), "intersects")):
            return True, LANDUSE_SURE
        return False, OPEN_COUNTRY_SURE


def _border_node(way_id: int, number: int) -> int:
    """A node where a road crosses a border; OpenStreetMap's own nodes are positive."""
    return -(abs(way_id) * 1024 + number % 1024) - 1


def _swapped(key: str) -> str:
    if ":forward" in key:
        return key.replace(":forward", ":backward")
    return key.replace(":backward", ":forward")


def _lanes(tags: Mapping[str, str], is_oneway: bool, malformed: list[tuple[str, str]]) -> tuple[int, int]:
    """Lanes along and against the points, 0 where they are not known."""
    found: dict[str, int] = {}
    for key in ("lanes", "lanes:forward", "lanes:backward"):
        text = tags.get(key)
        if text is None:
            continue
        if text.strip().isdigit() and 1 <= int(text) <= 32:
            found[key] = int(text)
        else:
            malformed.append((key, text))
    total = found.get("lanes", 0)
    if is_oneway:
        return found.get("lanes:forward", total), 0
    forward, backward = found.get("lanes:forward", 0), found.get("lanes:backward", 0)
    if total and not forward and backward and backward < total:
        forward = total - backward
    if total and forward and not backward and forward < total:
        backward = total - forward
    if total and total % 2 == 0 and not forward and not backward:
        forward = backward = total // 2
    return forward, backward
