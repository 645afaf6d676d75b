"""Courses and roads: where lines, arcs and spirals lead, and routes through a junction."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adas_runtime.errors import AdasError
from adas_runtime.scenario.opendrive import Course, Network, chained, straights

BENDS = st.floats(-0.1, 0.1)
SHAPES = st.lists(st.tuples(st.floats(2.0, 60.0), BENDS, BENDS), min_size=1, max_size=4)


def test_a_road_is_where_lines_arcs_and_spirals_lead() -> None:
    road = Course(chained([(100.0, 0.0, 0.0), (50.0, 0.0, 0.01), (100.0, 0.01, 0.01)]))
    assert road.place(60.0, 2.0) == pytest.approx((60.0, 2.0, 0.0))
    x_m, y_m, turned = road.place(150.0, 0.0)
    assert turned == pytest.approx(0.25) and y_m == pytest.approx(50.0 * 0.25 / 3.0, rel=0.02) and x_m < 150.0
    far_x, far_y, far_turned = road.place(250.0, 0.0)
    assert far_turned == pytest.approx(1.25)
    # the arc of 100 m radius, from its own begin
    arc_x, arc_y = 100.0 * (math.sin(1.25) - math.sin(0.25)), 100.0 * (math.cos(0.25) - math.cos(1.25))
    assert (far_x - x_m, far_y - y_m) == pytest.approx((arc_x, arc_y), abs=0.01)


@given(SHAPES, st.floats(0.0, 1.0), st.floats(-2.0, 2.0))
def test_a_place_beside_a_course_is_found_again(
    shapes: list[tuple[float, float, float]], share: float, left_m: float
) -> None:
    course = Course(chained(shapes, (3.0, -7.0, 0.4)))
    s_m = share * course.length_m
    x_m, y_m, _ = course.place(s_m, left_m)
    found_s, found_t = course.project(x_m, y_m)
    # a way that comes back to itself has two answers: either is the place
    assert course.place(found_s, found_t)[:2] == pytest.approx((x_m, y_m), abs=0.1)
    assert abs(found_t) <= abs(left_m) + 0.1


@given(SHAPES)
def test_the_way_back_leads_to_the_begin(shapes: list[tuple[float, float, float]]) -> None:
    course = Course(chained(shapes, (3.0, -7.0, 0.4)))
    back = Course(course.reversed_pieces())
    x_m, y_m, heading = back.place(back.length_m, 0.0)
    assert (x_m, y_m) == pytest.approx((3.0, -7.0), abs=1e-6)
    assert math.remainder(heading - 0.4 - math.pi, math.tau) == pytest.approx(0.0, abs=1e-9)
    assert back.curvature_1pm(1.0) == pytest.approx(-course.curvature_1pm(course.length_m - 1.0), abs=1e-9)


def test_a_polyline_has_corners_a_road_has_none() -> None:
    assert Course(straights([(0.0, 0.0), (10.0, 0.0), (10.0, 10.0)])).has_corners
    assert not Course(chained([(10.0, 0.0, 0.0), (10.0, 0.0, 0.1)])).has_corners


LANE = '<lane id="{}"><width a="{}" b="0" c="0" d="0" sOffset="0"/></lane>'
LANES = (
    f'<lanes><laneSection s="0"><left>{LANE.format(1, 3.5)}</left><right>{LANE.format(-1, 3.5)}</right>'
    "</laneSection></lanes>"
)


def road(
    name: str, begin: tuple[float, float, float], long_m: float, link: str, more: str = "", bend: float = 0.0
) -> str:
    x_m, y_m, heading = begin
    shape = f'<arc curvature="{bend}"/>' if bend else "<line/>"
    return (
        f'<road id="{name}" length="{long_m}" {more}><link>{link}</link><planView>'
        f'<geometry s="0" x="{x_m}" y="{y_m}" hdg="{heading}" length="{long_m}">{shape}</geometry></planView>'
        f"{LANES}</road>"
    )


def crossing() -> str:
    """West and north arms that end in a junction, an east arm that begins in it; a bend from west to north."""
    west = road("w", (0.0, 0.0, 0.0), 100.0, '<successor elementType="junction" elementId="j"/>')
    north = road("n", (110.0, 110.0, -math.pi / 2), 100.0, '<successor elementType="junction" elementId="j"/>')
    east = road("e", (120.0, 0.0, 0.0), 80.0, '<predecessor elementType="junction" elementId="j"/>')
    ends = '<{} elementType="road" elementId="{}" contactPoint="{}"/>'
    across = road("x", (100.0, 0.0, 0.0), 20.0, ends.format("predecessor", "w", "end")
                  + ends.format("successor", "e", "start"), 'junction="j"')  # fmt: skip
    bend = road("b", (100.0, 0.0, 0.0), 5.0 * math.pi, ends.format("predecessor", "w", "end")
                + ends.format("successor", "n", "end"), 'junction="j"', 0.1)  # fmt: skip
    return f"<OpenDRIVE>{west}{north}{east}{across}{bend}</OpenDRIVE>"


def network(folder: Path, text: str = "") -> Network:
    path = folder / "crossing.xodr"
    path.write_text(text or crossing(), encoding="utf-8")
    return Network.read(path)


def test_a_route_leads_through_a_junction_and_its_lanes_are_of_who_drives_it(tmp_path: Path) -> None:
    roads = network(tmp_path)
    across = roads.route([("w", 20.0), ("e", 10.0)])
    assert across.place(across.along(100.0), 0.0) == pytest.approx((120.0, 0.0, 0.0))
    assert across.lane_m(10.0, -1) == -1.75
    turned = roads.route([("w", 0.0), ("n", 0.0)])
    # northwards on a road that leads south: our right lane is its left one
    x_m, y_m, heading = turned.place(turned.along(100.0 + 5.0 * math.pi + 30.0), 0.0)
    assert (x_m, y_m, heading) == pytest.approx((110.0, 40.0, math.pi / 2))
    assert turned.lane_m(150.0, -1) == -1.75 and turned.lane_m(150.0, -2) is None
    back = roads.route([("n", 0.0), ("w", 30.0)])
    assert back.place(back.along(back.length_m), 0.0)[:2] == pytest.approx((0.0, 0.0), abs=1e-6)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(("<line/>", "<poly3/>"), "another shape", id="shape"),
        pytest.param(('b="0" c', 'b="0.1" c'), "width changes", id="width"),
        pytest.param(('length="100.0"><line', 'length="0"><line'), "without length", id="length"),
        pytest.param(('hdg="0.0"', 'hdg="north"'), "road w", id="no-number"),
        pytest.param(('id="w" length="100.0" ', 'id="w" length="100.0" rule="LHT"'), "left-hand", id="rule"),
        pytest.param(('elementId="w"', 'elementId="q"'), "no way leads", id="no-way"),
    ],
)
def test_what_a_road_may_not_hold_is_refused_where_it_is_used(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    roads = network(tmp_path, crossing().replace(*change))
    with pytest.raises(AdasError, match=told):
        roads.route([("w", 0.0), ("e", 0.0)])
