"""OpenSCENARIO files: the ALKS suite loads and runs; what is not understood is refused by its name."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from adas_runtime.cli import main
from adas_runtime.errors import AdasError
from adas_runtime.market import load_market
from adas_runtime.scenario.braking import Actor, Drive, Mover, Sensor, drive, loop_graph
from adas_runtime.scenario.openscenario import OpenScenario
from adas_runtime.scenario.suite import Order, build
from adas_runtime.signals import ObjectClass
from adas_runtime.vehicle import load_vehicle

VEHICLE = load_vehicle("reference")
FRONT_M = VEHICLE.dimensions.wheelbase_m + VEHICLE.dimensions.front_overhang_m

OSC = Path(__file__).parent / "osc"
ACT = 'value="{}" rule="greaterOrEqual"/></ByValueCondition></Condition></ConditionGroup></StartTrigger></Act>'


def write(folder: Path, *changes: tuple[str, str]) -> Path:
    (folder / "road.xodr").write_text((OSC / "road.xodr").read_text(encoding="utf-8"), encoding="utf-8")
    text = (OSC / "cut.xosc").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = folder / "cut.xosc"
    path.write_text(text, encoding="utf-8")
    return path


def order(path: Path) -> Order:
    return Order(suite=str(path), market="de", vehicle="reference", seed=1, whole=False)


def test_the_others_follow_their_script(tmp_path: Path) -> None:
    """The lane change begins 30 m before our bumper, and its greatest speed across is the one that the file says."""
    case = OpenScenario(write(tmp_path), VEHICLE).cases[0]
    assert case.drive.speed_mps == 20.0 and case.drive.long_s == 30.0 and case.drive.movers is not None
    (other,) = case.drive.movers()
    assert other.kind is ObjectClass.CAR and other.size_m == (4.5, 1.8)
    # our rear axle is at 10 m, its reference point 60 m farther on, its middle 1.5 m ahead of that
    assert other.x_m == pytest.approx(61.5 - FRONT_M) and other.y_m == pytest.approx(-1.5 - 1.75)
    begun_m = fastest = 0.0
    way_m = 0.0
    for step in range(1500):
        way_m += 0.2
        other.move(step * 0.01, way_m, 20.0)
        gap_m = other.x_m - 2.25 - way_m
        if other.across_mps and not begun_m:
            begun_m = gap_m
        fastest = max(fastest, other.across_mps)
    assert other.speed_mps == 15.0
    assert begun_m == pytest.approx(30.0, abs=0.1)
    assert fastest == pytest.approx(1.5, abs=0.01)
    assert other.y_m == pytest.approx(0.0, abs=1e-6)


def test_a_drive_is_judged_and_repeats_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write(tmp_path)
    assert main(["scenario", "run", str(path), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["scenario"] == "cut" and found["verdict"] == "pass" and found["impact_kmh"] == 0.0
    suite = build(order(path))
    assert suite.run(0, 1, is_traced=False) == suite.run(0, 1, is_traced=False)


def test_a_variation_is_spread_and_its_constraints_discard(tmp_path: Path) -> None:
    write(tmp_path)
    path = tmp_path / "varied.xosc"
    path.write_text((OSC / "varied.xosc").read_text(encoding="utf-8"), encoding="utf-8")
    found = OpenScenario(path, VEHICLE)
    assert [case.parameters for case in found.cases] == [
        {"speed": 10.0, "slower": 5.0},
        *({"speed": 20.0, "slower": slower} for slower in (5.0, 10.0, 15.0)),
    ]
    assert found.discarded == 2, "no slower than standing"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(("LaneChangeAction>", "LaneJumpAction>"), "LaneJumpAction", id="action"),
        pytest.param(("RelativeDistanceCondition", "SpeedCondition"), "SpeedCondition", id="condition"),
        pytest.param(('laneId="-1"', 'laneId="-7"'), "lane -7 is not on the road", id="lane"),
        pytest.param(("$slower}", "$slow}"), "$slow", id="parameter"),
        pytest.param(("${-$slower}", "${__import__($slower)}"), "expression", id="expression"),
        pytest.param(('name="Ego"', 'name="Hero"'), "no entity", id="no-ego"),
        pytest.param(("road.xodr", "none.xodr"), "none.xodr", id="road"),
        pytest.param(('"sinusoidal"', '"step"'), "shape", id="shape"),
        pytest.param(("SimulationTimeCondition value", "TrafficSignalCondition value"), "begins by Traffic", id="act"),
        pytest.param(("<OpenSCENARIO>", "<!DOCTYPE x []><OpenSCENARIO>"), "declares entities", id="entities"),
        pytest.param(("</Storyboard>", ""), "cannot be read", id="no-xml"),
    ],
)
def test_what_is_not_understood_is_one_line_with_its_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: tuple[str, str], told: str
) -> None:
    assert main(["scenario", "run", str(write(tmp_path, change))]) == 2
    err = capsys.readouterr().err
    assert told in err and "Traceback" not in err and err.count("\n") == 1


def test_an_act_may_begin_later(tmp_path: Path) -> None:
    """The same lane change, but not before the act."""
    case = OpenScenario(write(tmp_path, (ACT.format(0), ACT.format(9))), VEHICLE).cases[0]
    assert case.drive.movers is not None
    (other,) = case.drive.movers()
    begun_s = None
    for step in range(1500):
        other.move(step * 0.01, 0.2 * step, 20.0)
        if other.across_mps and begun_s is None:
            begun_s = step * 0.01
    assert begun_s == pytest.approx(9.0, abs=0.02)


# --- trajectories, routes and meetings, on a road of 2 km to the east -------------------------------------------------

STEP = (
    '<SpeedAction><SpeedActionDynamics dynamicsShape="step" dynamicsDimension="time" value="0"/><SpeedActionTarget>'
    '<AbsoluteTargetSpeed value="{}"/></SpeedActionTarget></SpeedAction>'
)
EGO_AT = '<LanePosition roadId="0" laneId="-1" s="{}"/>'


def scene(folder: Path, init: str, event: str, *, ego: str = "", road: str = "road.xodr") -> Path:
    """Our car at 20 m/s at 10 m, another one by `init`, and what it does at once by `event`."""
    text = (OSC / "cut.xosc").read_text(encoding="utf-8")
    begin, end = text.index('<Private entityRef="Ego">'), text.index("</Actions></Init>")
    ours = ego or (
        f"<PrivateAction><TeleportAction><Position>{EGO_AT.format(10)}</Position></TeleportAction></PrivateAction>"
        f"<PrivateAction><LongitudinalAction>{STEP.format(20)}</LongitudinalAction></PrivateAction>"
    )
    text = (
        text[:begin]
        + f'<Private entityRef="Ego">{ours}</Private><Private entityRef="Other">{init}</Private>'
        + text[end:]
    )
    begin, end = text.index('<Action name="cut">'), text.index("</Event>")
    text = (
        text[:begin]
        + (f'<Action name="it"><PrivateAction>{event}</PrivateAction></Action>' if event else "")
        + text[end:]
    )
    write(folder)
    path = folder / "scene.xosc"
    path.write_text(text.replace("road.xodr", road), encoding="utf-8")
    return path


def teleport(position: str, speed: float = 0.0) -> str:
    return (
        f"<PrivateAction><TeleportAction><Position>{position}</Position></TeleportAction></PrivateAction>"
        f"<PrivateAction><LongitudinalAction>{STEP.format(speed)}</LongitudinalAction></PrivateAction>"
    )


def follow(shape: str, more: str = "", time: str = "<None/>") -> str:
    return (
        f"<RoutingAction><FollowTrajectoryAction {more}><TimeReference>{time}</TimeReference><TrajectoryRef>"
        f"<Trajectory name='t' closed='false'><Shape>{shape}</Shape></Trajectory></TrajectoryRef>"
        "</FollowTrajectoryAction></RoutingAction>"
    )


def polyline(*points: tuple[float, float], times: tuple[float, ...] = ()) -> str:
    """Vertices in road coordinates."""
    clock = [f' time="{at_s}"' for at_s in times] or [""] * len(points)
    vertices = "".join(
        f'<Vertex{at}><Position><RoadPosition roadId="0" s="{s}" t="{t}"/></Position></Vertex>'
        for (s, t), at in zip(points, clock, strict=True)
    )
    return f"<Polyline>{vertices}</Polyline>"


def clothoids(*shapes: tuple[float, float, float], begin: str = "") -> str:
    """Length, curvature at begin and end; the first one begins at a position, or where its follower stands."""
    parts = "".join(
        f'<ClothoidSplineSegment length="{long_m}" curvatureStart="{first}" curvatureEnd="{last}">'
        f"{f'<PositionStart>{begin}</PositionStart>' if begin and index == 0 else ''}</ClothoidSplineSegment>"
        for index, (long_m, first, last) in enumerate(shapes)
    )
    return f"<ClothoidSpline>{parts}</ClothoidSpline>"


def meet(ours: str, theirs: str, speed: float, steady: str = "") -> str:
    return (
        f"<SynchronizeAction masterEntityRef='Ego'><TargetPositionMaster>{ours}</TargetPositionMaster>"
        f"<TargetPosition>{theirs}</TargetPosition><FinalSpeed><AbsoluteSpeed value='{speed}'>{steady}</AbsoluteSpeed>"
        "</FinalSpeed></SynchronizeAction>"
    )


def moved(path: Path, seconds: float) -> Mover:
    """The other one, so much later; we never brake."""
    case = OpenScenario(path, VEHICLE).cases[0]
    assert case.drive.movers is not None
    (other,) = case.drive.movers()
    for step in range(round(seconds / 0.01)):
        other.move(step * 0.01, step * 0.01 * case.drive.speed_mps, case.drive.speed_mps)
    return other


def on_road(s_m: float, t_m: float) -> tuple[float, float]:
    """A place of the road in the frame of our front at the start; our lane's middle is 1.75 m right of the line."""
    return s_m - 10.0 - FRONT_M, t_m + 1.75


def test_a_polyline_by_the_clock_is_where_it_says(tmp_path: Path) -> None:
    line = polyline((100.0, -5.0), (100.0, 5.0), (110.0, 5.0), times=(0.0, 4.0, 6.0))
    timing = '<Timing domainAbsoluteRelative="relative" scale="1.0" offset="0.0"/>'
    path = scene(tmp_path, teleport('<RoadPosition roadId="0" s="100" t="-5"/>'), follow(line, time=timing))
    half = moved(path, 2.0)
    assert half.y_m == pytest.approx(on_road(100.0, 1.5)[1], abs=0.1)  # its middle is 1.5 m ahead of its axle
    assert half.heading_rad == pytest.approx(math.pi / 2) and half.speed_mps == pytest.approx(2.5, abs=0.01)
    end = moved(path, 8.0)
    assert end.speed_mps == 0.0 and end.heading_rad == pytest.approx(0.0)


def test_clothoids_begin_where_their_follower_stands(tmp_path: Path) -> None:
    """Towards us in the other lane, then a quarter turn to its left: across our road."""
    arc = clothoids((5.0 * math.pi, 0.1, 0.1), (50.0, 0.0, 0.0))
    at = '<RelativeRoadPosition entityRef="Ego" ds="100" dt="3.0"><Orientation h="${pi}"/></RelativeRoadPosition>'
    other = moved(scene(tmp_path, teleport(at, 10.0), follow(arc)), 5.0 * math.pi / 10.0 + 0.5)
    assert other.heading_rad == pytest.approx(1.5 * math.pi, abs=0.01)
    x_m, y_m = on_road(110.0 - 1.5 - 10.0, 1.5 - 10.0 - 5.0)
    assert (other.x_m, other.y_m) == pytest.approx((x_m, y_m), abs=0.3)


def test_beside_an_entity_is_in_its_frame(tmp_path: Path) -> None:
    at = (
        '<RelativeObjectPosition entityRef="Ego" dx="40" dy="2.5"><Orientation h="1.5" type="relative"/>'
        "</RelativeObjectPosition>"
    )
    other = moved(scene(tmp_path, teleport(at), ""), 0.01)
    assert (other.x_m, other.y_m) == pytest.approx(
        (40.0 - FRONT_M + 1.5 * math.cos(1.5), 2.5 + 1.5 * math.sin(1.5)), abs=1e-6
    )
    assert other.heading_rad == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("first_mps", "steady"),
    [
        pytest.param(0.0, "", id="stands-and-waits"),
        pytest.param(12.0, '<TargetDistanceSteadyState distance="20"/>', id="moves-steady-way"),
        pytest.param(12.0, '<TargetTimeSteadyState time="2"/>', id="moves-steady-time"),
    ],
)
def test_who_is_synchronised_is_at_its_place_as_we_are_at_ours(tmp_path: Path, first_mps: float, steady: str) -> None:
    ours, theirs = EGO_AT.format(210), '<RoadPosition roadId="0" s="300" t="4.5"/>'
    at = '<RoadPosition roadId="0" s="220" t="4.5"/>'
    path = scene(tmp_path, teleport(at, first_mps), meet(ours, theirs, 10.0, steady))
    other = moved(path, 200.0 / 20.0)
    assert other.x_m == pytest.approx(on_road(300.0 + 1.5, 0.0)[0], abs=0.2)
    assert other.speed_mps == pytest.approx(10.0)


def test_who_leads_another_goes_on_leading_it(tmp_path: Path) -> None:
    """A car ahead of the other, bumper to bumper, however fast that one becomes."""
    path = scene(tmp_path, teleport('<RoadPosition roadId="0" s="80" t="4.5"/>', 15.0), "")
    text = path.read_text(encoding="utf-8")
    entity = text[text.index('<ScenarioObject name="Other">') : text.index("</Entities>")]
    leader = (
        '<Private entityRef="Lead">' + teleport('<RelativeObjectPosition entityRef="Other" dx="9" dy="0"/>')
        + '<PrivateAction><LongitudinalAction><LongitudinalDistanceAction entityRef="Other" freespace="true"'
        ' distance="7" continuous="true" displacement="leadingReferencedEntity"/></LongitudinalAction></PrivateAction>'
        "</Private>"
    )  # fmt: skip
    text = text.replace("</Entities>", entity.replace('name="Other"', 'name="Lead"') + "</Entities>")
    path.write_text(text.replace("</Actions></Init>", leader + "</Actions></Init>"), encoding="utf-8")
    case = OpenScenario(path, VEHICLE).cases[0]
    assert case.drive.movers is not None
    other, lead = case.drive.movers()
    for step in range(100):
        other.move(step * 0.01, 0.0, 20.0)
        lead.move(step * 0.01, 0.0, 20.0)
        assert lead.x_m - other.x_m == pytest.approx(7.0 + 4.5)


def test_our_car_follows_its_trajectory(tmp_path: Path) -> None:
    """Clothoids of ours are steered along; a start along them is kept."""
    shape = clothoids((100.0, 0.0, 0.0), (20.0, 0.0, 0.1), (15.0, 0.1, 0.1), begin=EGO_AT.format(10))
    ego = (
        "<PrivateAction>" + follow(shape, "initialDistanceOffset='40'") + "</PrivateAction>"
        f"<PrivateAction><LongitudinalAction>{STEP.format(8)}</LongitudinalAction></PrivateAction>"
    )
    path = scene(tmp_path, teleport('<RoadPosition roadId="0" s="900" t="4.5"/>'), "", ego=ego)
    drive = OpenScenario(path, VEHICLE).cases[0].drive
    assert drive.curvature is not None and drive.speed_mps == 8.0
    assert [drive.curvature(way_m) for way_m in (0.0, 59.0, 70.0, 90.0)] == pytest.approx([0.0, 0.0, 0.05, 0.1])


def test_our_car_backwards_is_refused_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = scene(tmp_path, teleport(EGO_AT.format(80)), "")
    path.write_text(
        path.read_text(encoding="utf-8").replace('value="20"/></SpeedActionTarget', 'value="-2"/></SpeedActionTarget')
    )
    assert main(["scenario", "run", str(path)]) == 2
    err = capsys.readouterr().err
    assert "backwards" in err and err.count("\n") == 1


# --- the suites -------------------------------------------------------------------------------------------------------


def files(shared_data: Path, part: str) -> list[Path]:
    folder = shared_data / "scenarios" / part
    if not folder.is_dir():
        pytest.skip(f"the folder scenarios/{part} of the shared data is missing")
    return [path for path in sorted(folder.rglob("*.xosc")) if "atalog" not in str(path)]


def test_all_files_of_the_alks_suite_load(shared_data: Path) -> None:
    found = {path.stem: OpenScenario(path, VEHICLE) for path in files(shared_data, "alks") if "4_5_2" not in path.stem
             and "4_4_1_cut_in_no_collision_variation" not in path.stem}  # fmt: skip
    assert len(found) >= 20
    assert all(scenario.cases for scenario in found.values())
    walk = found["alks_scenario_4_2_3_crossing_pedestrian_variation"]
    assert walk.discarded == len(walk.cases), "the lanes against the road's direction"


def test_every_template_of_the_alks_suite_hits_nobody(shared_data: Path) -> None:
    """By emergency braking alone; also the cut-in that the suite calls unavoidable."""
    templates = [path for path in files(shared_data, "alks") if path.stem.endswith("_template")]
    assert len(templates) == 15
    for path in templates:
        found = build(order(path)).run(0, 1, is_traced=False)
        assert found["verdict"] == "pass", path.stem


LATE_KMH = {"CPNCO": 50.0, "CBNAO": 50.0, "CBNA": 55.0, "CPTA": 15.0}  # faster, who comes out late is hit
NOT_JUDGED = ("CCFtap", "CMFtap", "CCFho", "CPTAn")  # docs/aeb.md: who comes towards us, and who walks as we turn right


def test_the_ncap_files_that_are_read_hit_nobody_they_see_in_time_and_the_others_are_refused_by_name(
    shared_data: Path,
) -> None:
    read, refused = 0, {}
    for path in files(shared_data, "ncap"):
        try:
            suite = build(order(path))
        except AdasError as error:
            refused[path.stem] = error.what
            continue
        read += 1
        if any(name in path.stem for name in NOT_JUDGED):
            continue
        late = next((kmh for name, kmh in LATE_KMH.items() if name in path.stem), math.inf)
        for number in range(0, len(suite.drives), max(len(suite.drives) // 4, 1)):
            found = suite.run(number, 1, is_traced=False)
            assert found["verdict"] == "pass" or suite.drives[number].speed_mps * 3.6 > late, (path.stem, number)
    assert read == 54 and len(refused) == 6
    assert all("CPRA" in name and "backwards" in what for name, what in refused.items())


@pytest.mark.parametrize(
    "name",
    ["CPNA-25_50kph", "CPFA-50_50kph", "CPNCO-50_50kph", "CPLA-50_50kph", "CBFA-50_50kph", "CBNA-50_50kph",
     "CBNAO-50_50kph", "CCFhol_50kph", "CCFhos_50kph", "CCFtap_10kph", "CMFtap_10kph", "CPTAfo-50_10kph",
     "CPTAfs-50_10kph", "CPTAno-50_10kph", "CPTAns-50_10kph"],
)  # fmt: skip
def test_who_is_not_braked_for_is_hit(shared_data: Path, name: str) -> None:
    """The scripts meet us: a car that sees nothing hits at full speed."""
    (path,) = [path for path in files(shared_data, "ncap") if name in path.stem]
    suite = build(order(path))
    outcome = drive(suite.drives[0], suite.market, suite.vehicle, suite.graph, Sensor(miss_share=1.0))
    assert outcome.impact_mps == pytest.approx(suite.drives[0].speed_mps)


def test_who_stands_behind_another_is_not_seen() -> None:
    """A child behind a parked car is told of only as it comes out."""
    car = Actor(kind=ObjectClass.CAR, x_m=30.0, y_m=-2.5)
    child = Actor(kind=ObjectClass.PEDESTRIAN, x_m=34.0, y_m=-3.0)
    graph, market = loop_graph(), load_market("de")
    free = drive(Drive(name="free", speed_mps=5.0, actors=(replace(child, y_m=0.0),)), market, VEHICLE, graph)
    assert free.braked_s is not None
    crossing = replace(child, y_m=-6.0, heading_rad=math.pi / 2.0, speed_mps=1.0)
    alone = drive(Drive(name="alone", speed_mps=6.0, actors=(crossing,)), market, VEHICLE, graph)
    hidden = drive(Drive(name="hidden", speed_mps=6.0, actors=(crossing, car)), market, VEHICLE, graph)
    assert alone.warned_s is not None and hidden.warned_s is not None
    assert hidden.warned_s >= alone.warned_s
