"""Lanelet2 maps into the same store: each lanelet a one-way piece of road along its centre line."""

from __future__ import annotations

import gzip
import re
import tempfile
from pathlib import Path
from typing import Any, Final

from adas_runtime.horizon.borders import Borders
from adas_runtime.horizon.counts import Counts
from adas_runtime.horizon.roads import Way
from adas_runtime.horizon.store import SCALE, MapError, MapWriter
from adas_runtime.horizon.tags import Form, Limit, Rule, read_limit
from adas_runtime.signals import RoadClass

DRIVABLE: Final = ("road", "highway", "play_street", "bus_lane", "")
CLASS_OF_SUBTYPE: Final = {
    "highway": ("motorway", RoadClass.MOTORWAY),
    "play_street": ("living_street", RoadClass.LIVING_STREET),
}
AREA_OF: Final = {"urban": "urban", "nonurban": "rural"}
_NODE: Final = re.compile(rb"<node\b[^>]*>")
_PLACE: Final = re.compile(rb"""\b(lat|lon)=["']([-+.0-9eE]+)["']""")
_LANELET: Final = re.compile(rb"""<tag k=["']type["'] v=["']lanelet["']""")
SIMPLE_M: Final = 0.05
FIRST_NODE: Final = 1 << 48  # ends of lanelets have no node of their own; above every OpenStreetMap node


def read_lanelets(path: Path, writer: MapWriter, counts: Counts, country: str, borders: Borders | None) -> None:
    """Add the lanelets of a file that a car may use.

    Raises:
        MapError: The library is not installed, or refuses the file.
    """
    try:
        import lanelet2
        from lanelet2.core import BasicPoint3d
        from lanelet2.io import Origin
        from lanelet2.projection import UtmProjector
    except ImportError as err:
        raise MapError(
            "is a Lanelet2 map, and lanelet2 is not installed",
            where=str(path),
            mend="run 'pip install lanelet2' (x86-64 only)",
        ) from err
    from shapely import LineString

    origin = _first_place(path)
    projector = UtmProjector(Origin(origin[0], origin[1]))
    with tempfile.TemporaryDirectory() as folder:
        plain = path
        if path.suffix == ".gz":  # the library reads no packed file
            plain = Path(folder) / "map.osm"
            plain.write_bytes(_text(path))
        try:
            found, errors = lanelet2.io.loadRobust(str(plain), projector)
        except RuntimeError as err:
            raise MapError(f"cannot be read as a Lanelet2 map: {err}", where=str(path), mend="check the file") from err
    counts.incomplete += len(errors)
    ends: dict[tuple[int, int], int] = {}

    def node(left: int, right: int) -> int:
        return ends.setdefault((left, right), FIRST_NODE + writer.edges * 4 + len(ends))

    for lanelet in sorted(found.laneletLayer, key=lambda item: int(item.id)):
        attributes = {key: lanelet.attributes[key] for key in lanelet.attributes.keys()}  # noqa: SIM118 - a C++ map
        subtype = attributes.get("subtype", "")
        if subtype not in DRIVABLE or attributes.get("participant:vehicle", "yes") == "no":
            continue
        line = [(point.x, point.y) for point in lanelet.centerline]
        if len(line) > 2:  # centre lines have a point each half metre; these carry nothing and cost at each step
            line = list(LineString(line).simplify(SIMPLE_M).coords)
        places = [projector.reverse(BasicPoint3d(x, y, 0.0)) for x, y in line]
        points = [(round(place.lat * SCALE), round(place.lon * SCALE)) for place in places]
        points = [point for number, point in enumerate(points) if number == 0 or point != points[number - 1]]
        if len(points) < 2:
            counts.incomplete += 1
            continue
        left, right = lanelet.leftBound, lanelet.rightBound
        start = node(int(left[0].id), int(right[0].id))
        end = node(int(left[len(left) - 1].id), int(right[len(right) - 1].id))
        middle = points[len(points) // 2]
        here = country or (borders.country((middle[0] / SCALE, middle[1] / SCALE)) if borders is not None else "")
        is_urban = {"urban": True, "nonurban": False}.get(attributes.get("location", ""))
        # an urban "highway" of Lanelet2 is a large street, not a motorway with the law's motorway limit
        kind = "" if subtype == "highway" and is_urban is not False else subtype
        highway, road_class = CLASS_OF_SUBTYPE.get(kind, ("lanelet", RoadClass.UNKNOWN))
        rule = _rule(lanelet, attributes, subtype, counts)
        writer.add(
            Way(
                way_id=int(lanelet.id),
                highway=highway,
                road_class=road_class,
                is_oneway=attributes.get("one_way", "yes") != "no",
                lanes_forward=1,
                country=here,
                built_up=is_urban,
                built_up_confidence=0.0 if is_urban is None else 0.9,
                forward=rule,
                backward=rule,
            ),
            [(start, end, points)],
        )
        counts.ways += 1
        counts.with_limit += rule.limit is not None
        counts.without_country += not here


def _rule(lanelet: Any, attributes: dict[str, str], subtype: str, counts: Counts) -> Rule:
    """The lanelet's own limit, else that of a speed-limit sign that refers to it; in km/h where no unit is said."""
    area = AREA_OF.get(attributes.get("location", ""), "")
    if subtype == "highway":
        area = "motorway" if area == "rural" else ""
    texts = [("speed_limit", attributes["speed_limit"])] if "speed_limit" in attributes else []
    for element in lanelet.regulatoryElements:
        marks = element.attributes
        if "subtype" not in marks or marks["subtype"] != "speed_limit":
            continue
        if "sign_type" in marks:
            texts.append(("sign_type", marks["sign_type"]))
        for sign in element.parameters["refers"] if "refers" in element.parameters.keys() else ():  # noqa: SIM118
            if "subtype" in sign.attributes:
                texts.append(("sign_type", sign.attributes["subtype"]))
    for key, text in texts:
        limit = read_sign(text) if key == "sign_type" else read_limit(text)
        if limit is not None and limit.form is Form.NUMBER:
            return Rule(limit=limit, source=key, area=area)
        counts.malformed[(key, text)] += 1
    return Rule(area=area)


def read_sign(text: str) -> Limit | None:
    """The limit of a German sign's code, such as `de274-30` or `de274.1-30`; `None`: another sign.

    The numbers 50 to 63 in the third place are the old catalogue's: 274-53 is 30 km/h, 274-56 is 60.
    """
    code, _, number = text.lower().partition("-")
    if code not in ("de274", "de274.1") or not number.isdigit():
        return read_limit(text)
    value = int(number)
    if 51 <= value <= 63 and value % 10 != 0:
        value = (value - 50) * 10
    return read_limit(str(value))


def is_lanelet2(path: Path) -> bool:
    """Whether a file is a Lanelet2 map: it holds lanelets, which OpenStreetMap has not."""
    return path.name.endswith((".osm", ".osm.gz", ".xml")) and _LANELET.search(_text(path)) is not None


def _text(path: Path) -> bytes:
    raw = path.read_bytes()
    if path.suffix != ".gz":
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError) as err:
        raise MapError(f"cannot be unpacked: {err}", where=str(path), mend="get it anew") from err


def _first_place(path: Path) -> tuple[float, float]:
    for node in _NODE.finditer(_text(path)):
        place = {key: float(value) for key, value in _PLACE.findall(node[0])}
        if len(place) == 2:
            return place[b"lat"], place[b"lon"]
    raise MapError("holds no node with a place", where=str(path), mend="export it with latitude and longitude")
