"""What happens in a drive: road, manoeuvres, other cars, signs and light, drawn from a seed. No picture, no file."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Final

import numpy as np

from adas_runtime.signals import Indicator, MarkingColour, MarkingType, ObjectClass, SignKind, SpeedUnit
from adas_runtime.synth.profile import Sine, SmoothRate, Wander
from adas_runtime.synth.road import Lane, Marking, ReferenceLine, Road
from adas_runtime.synth.route import Route, Stretch, make_route
from adas_runtime.synth.style import RoadKind, RoadStyle
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

ROAD_BEHIND_M: Final = 150.0
ROAD_AHEAD_M: Final = 900.0
BEYOND_LINE_M: Final = 0.3  # R130 6.5: warned at the latest when the tyre is this far beyond the line's outer edge
STUD_M: Final = 0.10  # adaptations.md section 3, lane.raised.diameter
LEFT: Final = 1
RIGHT: Final = -1


class Scenario(Enum):
    """What a drive shows."""

    DEMO = "demo"  # 2+1 road: departures left and right, lane change, lead and oncoming cars, sign, dusk
    MOTORWAY = "motorway"  # three lanes one way
    RURAL = "rural"  # one lane each way
    WORKS = "works"  # motorway with temporary lines beside the permanent ones
    R130 = "r130"  # departures at the rates of R130 6.5 on both sides, with and without indicator
    CALM = "calm"  # centred driving only: whatever warns here is a false alarm
    ROUTE = "route"  # along a map: limits that change, a turn into another road, a limit by hours, an untagged street


class Light(Enum):
    """Light of a drive."""

    AUTO = "auto"  # day; the demo ends at dusk
    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"
    LOW_SUN = "low_sun"


class Rain(Enum):
    """Rain of a drive."""

    NONE = "none"
    LIGHT = "light"
    HEAVY = "heavy"


@dataclass(frozen=True, slots=True, kw_only=True)
class Manoeuvre:
    """One planned lateral movement; what it did to the lines is measured afterwards on the path."""

    kind: str
    side: int
    rate_mps: float
    begin_s: float
    end_s: float
    is_indicated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Another road user that keeps its lane.

    Args:
        s_m: Where its centre is at the start [m].
        speed_mps: Its speed along its own direction; for a lead, added to the ego vehicle's [m/s].
        sway_m: It gains and loses so much on this, in a slow sine [m].
        sway_period_s: Period of that sine [s].
        is_lead: It keeps ahead of the ego vehicle.
        is_opposing: It comes towards us.
    """

    object_id: int
    object_class: ObjectClass
    s_m: float
    d_m: float
    speed_mps: float
    sway_m: float = 0.0
    sway_period_s: float = 40.0
    is_lead: bool = False
    is_opposing: bool = False
    length_m: float = 4.4
    width_m: float = 1.8
    height_m: float = 1.45
    colour_bgr: tuple[int, int, int] = (120, 40, 30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A sign on a post beside our lane."""

    s_m: float
    d_m: float
    kind: SignKind
    value: int
    unit: SpeedUnit
    look: str

    @property
    def value_mps(self) -> float:
        """The limit [m/s]."""
        return self.unit.mps(self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Everything that happens in a drive."""

    scenario: Scenario
    road: Road
    kind: RoadKind
    seconds: float
    seed: int
    lateral_rate: SmoothRate
    wander: Wander
    speed: SmoothRate
    indicator: tuple[tuple[float, float, Indicator], ...]
    manoeuvres: tuple[Manoeuvre, ...]
    actors: tuple[Actor, ...]
    signs: tuple[Sign, ...]
    unit: SpeedUnit
    stretches: tuple[Stretch, ...]
    turn_m: tuple[float, float] | None
    ambient: SmoothRate
    is_low_sun: bool
    rain: Rain
    bridges_m: tuple[tuple[float, float], ...]
    ground: str

    def actor_state(self, actor: Actor, t_s: float) -> tuple[float, float, float]:
        """Arc length of a road user's centre [m], speed along its own direction [m/s] and acceleration [m/s^2]."""
        rate = 2.0 * math.pi / actor.sway_period_s
        run = actor.speed_mps * t_s + actor.sway_m * math.sin(rate * t_s)
        speed = actor.speed_mps + actor.sway_m * rate * math.cos(rate * t_s)
        accel = -actor.sway_m * rate * rate * math.sin(rate * t_s)
        if actor.is_lead:
            at = np.array([t_s])
            run += float(self.speed.integral(at)[0])
            speed += float(self.speed.value(at)[0])
            accel += float(self.speed.slope(at)[0])
        return actor.s_m + (-run if actor.is_opposing else run), speed, accel

    def indicator_at(self, t_s: float) -> Indicator:
        """The stalk."""
        for begin, end, side in self.indicator:
            if begin <= t_s < end:
                return side
        return Indicator.OFF


def make_plan(
    style: RoadStyle,
    vehicle: Vehicle,
    *,
    seconds: float,
    seed: int,
    scenario: Scenario = Scenario.DEMO,
    light: Light = Light.AUTO,
    rain: Rain = Rain.NONE,
) -> Plan:
    """Draws a drive from a seed.

    Args:
        style: Look of the market's roads.
        vehicle: The ego vehicle.
        seconds: Length of the drive [s].
        seed: Same seed, same plan.
        scenario: What it shows.
        light: Light.
        rain: Rain.
    """
    random = np.random.default_rng(seed)
    kind = RoadKind.MOTORWAY if scenario in (Scenario.MOTORWAY, Scenario.WORKS) else RoadKind.RURAL
    limit = style.limit(kind)
    unit = SpeedUnit.KMH if style.unit == "kmh" else SpeedUnit.MPH
    limit_mps = unit.mps(limit)
    kerb = LEFT if style.traffic_side == "left" else RIGHT
    # R130 6.5 tests at 65 +- 3 km/h; elsewhere a driver holds nine tenths of the limit, 60 to 110 km/h  [D]
    cruise = kmh_to_mps(65.0) if scenario is Scenario.R130 else min(max(0.9 * limit_mps, 17.0), 30.0)
    route: Route | None = None
    if scenario is Scenario.ROUTE:
        route = make_route(limit, unit, kerb, style.place.longitude_deg, rain is not Rain.NONE)
    speed = _speed(random, cruise, seconds) if route is None else SmoothRate(list(route.speed))
    reach = float(speed.integral(np.array([seconds]))[0]) + ROAD_AHEAD_M
    knots = _knots(random, reach, cruise, scenario) if route is None else route.curvature
    line = ReferenceLine(knots, -ROAD_BEHIND_M - 600.0, reach + 200.0)
    road = _cross_section(style, kind, scenario, kerb, line, cruise * 6.0, cruise * (seconds - 4.0))
    crew = _Crew(random, vehicle, road, seconds)
    _manoeuvres(crew, scenario)
    rate = SmoothRate(crew.rate)
    outer = road.edge_left_m if kerb == LEFT else road.edge_right_m
    stretches = route.stretches if route is not None else _stretches(style, kind, limit, cruise, seconds)
    signs = tuple(
        Sign(
            s_m=stretch.s_m,
            d_m=outer + kerb * 1.2,
            kind=SignKind.SPEED_LIMIT,
            value=stretch.limit,
            unit=unit,
            look=style.place.sign,
        )
        for stretch in stretches
        if stretch.is_signed and stretch.limit is not None
    )
    indicator = tuple(crew.indicator)
    if route is not None:
        indicator = ((*route.indicator_s, Indicator.LEFT if kerb == LEFT else Indicator.RIGHT),)
    return Plan(
        scenario=scenario,
        road=road,
        kind=kind,
        seconds=seconds,
        seed=seed,
        lateral_rate=rate,
        wander=_wander(random) if scenario is not Scenario.R130 else Wander(()),  # R130 6.5 wants exact rates
        speed=speed,
        indicator=indicator,
        manoeuvres=tuple(crew.done),
        actors=_actors(random, road, cruise, seconds, scenario, (speed, rate), vehicle.dimensions.width_m),
        signs=signs,
        unit=unit,
        stretches=stretches,
        turn_m=None if route is None else route.turn_m,
        ambient=_ambient(light, scenario, seconds),
        is_low_sun=light is Light.LOW_SUN,
        rain=rain,
        bridges_m=((cruise * seconds * 0.32, cruise * seconds * 0.32 + 9.0),) if scenario is Scenario.DEMO else (),
        ground=style.place.ground,
    )


def _stretches(style: RoadStyle, kind: RoadKind, limit: int, cruise: float, seconds: float) -> tuple[Stretch, ...]:
    """Where no route is followed: signs every 40 s, and before the first nobody can tell."""
    lower = max(limit - (20 if style.unit == "kmh" else 10), 10)
    highway = "motorway" if kind is RoadKind.MOTORWAY else "secondary"
    found = [Stretch(s_m=-1e9, limit=None, area=kind.value, highway=highway)]
    first_m = cruise * 0.42 * min(seconds, 30.0)
    for number, offset in enumerate(np.arange(0.0, cruise * seconds, 40.0 * cruise)):
        value = limit if number % 2 == 0 else lower
        found.append(
            Stretch(
                s_m=first_m + float(offset),
                limit=value,
                mapped=value,
                is_signed=True,
                area=kind.value,
                highway=highway,
            )
        )
    return tuple(found)


def _speed(random: np.random.Generator, cruise: float, seconds: float) -> SmoothRate:
    knots = [(0.0, cruise)]
    while knots[-1][0] < seconds + 1.0:
        knots.append((knots[-1][0] + float(random.uniform(4.0, 7.0)), cruise + float(random.uniform(-0.6, 0.6))))
    return SmoothRate(knots)


def _knots(
    random: np.random.Generator, reach: float, cruise: float, scenario: Scenario
) -> tuple[tuple[float, float], ...]:
    """Curvature: straights, clothoids and arcs. R130 5.2.1: inner marking radius at least 250 m."""
    lateral_accel = 1.2  # comfortable in a curve  [D]
    tightest = min(lateral_accel / cruise**2, 1.0 / 300.0)
    side = float(random.choice([-1.0, 1.0]))
    s = cruise * (4.0 if scenario is not Scenario.R130 else 40.0)
    knots = [(0.0, 0.0), (s, 0.0)]
    while s < reach:
        curvature = side * tightest * float(random.uniform(0.55, 1.0))
        clothoid, arc, straight = (cruise * random.uniform(2.2, 3.2), cruise * random.uniform(4.0, 6.0), cruise * 3.0)
        knots += [(s + clothoid, curvature), (s + clothoid + arc, curvature), (s + 2.0 * clothoid + arc, 0.0)]
        s += 2.0 * clothoid + arc
        if random.uniform() < 0.6:
            s += straight
            knots.append((s, 0.0))
        side = -side
    return tuple(knots)


def _cross_section(
    style: RoadStyle,
    kind: RoadKind,
    scenario: Scenario,
    kerb: int,
    line: ReferenceLine,
    works_from_m: float,
    works_to_m: float,
) -> Road:
    """Lanes and lines, written for a kerb on the right (-1) and mirrored where it is on the left."""
    # a lane is measured between the inner edges of its lines (R130 Annex 3); lines are placed by their centres
    width = style.lane_width_m + style.lane_line_m
    is_narrow = scenario in (Scenario.RURAL, Scenario.ROUTE)
    own = 3 if kind is RoadKind.MOTORWAY else 1 if is_narrow else 2
    first = 1 if kind is RoadKind.MOTORWAY else 0  # lane in which the drive begins, counted from the kerb
    kerb_edge = -(first + 0.5) * width
    inner = (own - first - 0.5) * width
    colour = {name: MarkingColour[name.upper()] for name in ("white", "yellow", "orange", "blue")}
    lanes = [Lane(d_m=(number - first) * width, width_m=width) for number in range(own)]

    def solid(d: float, paint: float, name: str) -> Marking:
        return Marking(d_m=d, type=MarkingType.SOLID, colour=colour[name], width_m=paint)

    def dashed(d: float, name: str) -> Marking:
        return Marking(
            d_m=d,
            type=MarkingType.DASHED,
            colour=colour[name],
            width_m=style.lane_line_m,
            dash_m=style.dash_m,
            gap_m=style.gap_m,
        )

    markings = [solid(kerb_edge, style.edge_line_m, style.edge_colour)]
    between = [(number - first + 0.5) * width for number in range(own - 1)]
    markings += [dashed(d, "white") for d in between]
    if style.has_studs:
        markings += [
            Marking(
                d_m=d,
                type=MarkingType.STUDS,
                colour=MarkingColour.WHITE,
                width_m=STUD_M,
                gap_m=style.dash_m + style.gap_m - STUD_M,
                phase_m=style.dash_m + style.gap_m / 2.0,
            )
            for d in between
        ]
    left_edge = inner
    if kind is RoadKind.MOTORWAY:
        markings.append(solid(inner, style.edge_line_m, style.edge_colour))
    else:
        opposing = Marking(
            d_m=inner,
            type=MarkingType.DASHED if is_narrow else MarkingType.DOUBLE_SOLID,
            colour=colour[style.opposing_colour],
            width_m=style.lane_line_m,
            dash_m=style.dash_m,
            gap_m=style.gap_m,
            between_m=0.0 if scenario is Scenario.RURAL else 2.0 * style.lane_line_m,
        )
        lanes.append(Lane(d_m=inner + width / 2.0, width_m=width, is_opposing=True))
        left_edge = inner + width
        markings += [opposing, solid(left_edge, style.edge_line_m, style.edge_colour)]
    if scenario is Scenario.WORKS:
        name = style.works_colour
        half = (style.works_lane_width_m + style.lane_line_m) / 2.0
        temporary = [(-half, MarkingType.SOLID), (half, MarkingType.DASHED), (3.0 * half, MarkingType.SOLID)]
        markings += [
            Marking(
                d_m=d,
                type=form,
                colour=colour[name],
                width_m=style.lane_line_m,
                dash_m=style.dash_m / 2.0,
                gap_m=style.gap_m / 2.0,
                s_begin_m=works_from_m,
                s_end_m=works_to_m,
                is_temporary=True,
            )
            for d, form in temporary
        ]
    kerb_shoulder, far_shoulder = (2.5, 0.9) if kind is RoadKind.MOTORWAY else (0.75, 0.75)
    right, left = kerb_edge - kerb_shoulder, left_edge + far_shoulder
    if kerb == LEFT:
        lanes = [Lane(d_m=-item.d_m, width_m=item.width_m, is_opposing=item.is_opposing) for item in lanes]
        markings = [replace(item, d_m=-item.d_m) for item in markings]
        left, right = -right, -left
    return Road(
        line=line, lanes=tuple(lanes), markings=tuple(markings), edge_left_m=left, edge_right_m=right, kerb=kerb
    )


@dataclass(slots=True)
class _Crew:
    """Lines up lateral movements in time."""

    random: np.random.Generator
    vehicle: Vehicle
    road: Road
    seconds: float
    now_s: float = 3.0
    offset_m: float = 0.0
    rate: list[tuple[float, float]] = field(default_factory=lambda: [(0.0, 0.0), (1.0, 0.0)])
    indicator: list[tuple[float, float, Indicator]] = field(default_factory=list)
    done: list[Manoeuvre] = field(default_factory=list)

    def _move(self, begin_s: float, rise_s: float, fall_s: float, peak: float, distance: float) -> float:
        """Adds a lateral movement over a distance at a peak rate; returns when it ends [s]."""
        steady = distance / abs(peak) - (rise_s + fall_s) / 2.0
        if steady < 0.02:  # too short for this rate: the ramps alone make the distance
            scale = distance / (abs(peak) * (rise_s + fall_s) / 2.0 + abs(peak) * 0.02)
            rise_s, fall_s, steady = rise_s * scale, fall_s * scale, 0.02 * scale
        times = [begin_s, begin_s + rise_s, begin_s + rise_s + steady, begin_s + rise_s + steady + fall_s]
        if begin_s > self.rate[-1][0]:
            self.rate.append((begin_s, 0.0))
        self.rate += [(times[1], peak), (times[2], peak), (times[3], 0.0)]
        return times[3]

    def departure(self, side: int, rate_mps: float, *, is_indicated: bool = False, beyond_m: float = 0.45) -> bool:
        """Drifts over the next line and comes back; false where no time is left."""
        marking = self._next_line(side)
        if marking is None:
            return False
        half_tyres = self.vehicle.dimensions.tyre_outer_width_m / 2.0
        distance = abs(marking.d_m - self.offset_m) + marking.overall_width_m / 2.0 + beyond_m - half_tyres
        back = max(0.8, rate_mps)
        takes = distance / rate_mps + 1.1 + distance / back + 1.2
        if self.now_s + takes > self.seconds - 0.5:
            return False
        begin = self.now_s
        out = self._move(begin, 1.4, 0.8, side * rate_mps, distance)
        end = self._move(out + 0.05, 0.9, 1.3, -side * back, distance)
        if is_indicated:
            self.indicator.append((begin - 0.8, end, Indicator.LEFT if side == LEFT else Indicator.RIGHT))
        self.done.append(
            Manoeuvre(
                kind="departure", side=side, rate_mps=rate_mps, begin_s=begin, end_s=end, is_indicated=is_indicated
            )
        )
        self.now_s = end + float(self.random.uniform(1.2, 1.8))
        return True

    def lane_change(self, side: int, *, is_indicated: bool = True) -> bool:
        """Goes to the neighbouring lane and stays."""
        target = next(
            (
                lane
                for lane in self.road.lanes
                if not lane.is_opposing and abs(lane.d_m - self.offset_m - side * lane.width_m) < 0.3
            ),
            None,
        )
        peak = 1.1
        if target is None or self.now_s + 1.2 + target.width_m / peak + 1.8 > self.seconds - 0.5:
            return False
        begin = self.now_s + 1.2
        end = self._move(begin, 1.6, 1.6, side * peak, abs(target.d_m - self.offset_m))
        if is_indicated:
            self.indicator.append((self.now_s, end, Indicator.LEFT if side == LEFT else Indicator.RIGHT))
        self.offset_m = target.d_m
        self.done.append(
            Manoeuvre(kind="lane_change", side=side, rate_mps=peak, begin_s=begin, end_s=end, is_indicated=is_indicated)
        )
        self.now_s = end + float(self.random.uniform(1.2, 1.8))
        return True

    def _next_line(self, side: int) -> Marking | None:
        beside = [item for item in self.road.lines_at(0.0) if (item.d_m - self.offset_m) * side > 0.5]
        beside = [item for item in beside if item.type is not MarkingType.STUDS]
        return min(beside, key=lambda item: abs(item.d_m - self.offset_m), default=None)


def _manoeuvres(crew: _Crew, scenario: Scenario) -> None:
    inward = -crew.road.kerb  # away from the kerb: the side of the second lane
    if scenario in (Scenario.CALM, Scenario.WORKS, Scenario.ROUTE):
        return
    if scenario is Scenario.R130:
        # R130 6.5: two rates between 0.1 and 0.8 m/s, both sides; with the indicator as the suppression's proof
        for rate in (0.5, 0.2, 0.8, 0.1, 0.35, 0.65):
            for side in (LEFT, RIGHT):
                crew.departure(side, rate)
            crew.departure(inward, rate, is_indicated=True)
        return
    if scenario is Scenario.DEMO:
        crew.departure(LEFT, 0.5)
        crew.departure(RIGHT, 0.7)
        crew.lane_change(inward)
    side = inward
    while True:
        chance = float(crew.random.uniform())
        rate = float(crew.random.choice([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8]))
        done = (
            crew.lane_change(side) or crew.lane_change(-side)
            if chance < 0.35
            else crew.departure(side, rate, is_indicated=chance > 0.85)
        )
        side = -side
        if not done and not crew.departure(side, 0.7):
            return


def _wander(random: np.random.Generator) -> Wander:
    """A driver's sway in the lane, some centimetres at 0.05 to 0.25 Hz  [D]."""
    return Wander(
        tuple(
            Sine(
                amplitude=float(amplitude),
                rate_rps=float(2.0 * np.pi * random.uniform(low, high)),
                phase_rad=float(random.uniform(0.0, 2.0 * np.pi)),
            )
            for amplitude, low, high in ((0.05, 0.05, 0.09), (0.03, 0.10, 0.15), (0.012, 0.18, 0.25))
        )
    )


PAINTS: Final = (
    (150, 60, 30),
    (40, 40, 150),
    (200, 200, 205),
    (60, 60, 62),
    (150, 150, 152),
    (70, 110, 60),
    (120, 50, 110),
)


TOO_NEAR_M: Final = 12.0  # between centres, along the road: a car nearer than this would be hit


def _actors(
    random: np.random.Generator,
    road: Road,
    cruise: float,
    seconds: float,
    scenario: Scenario,
    ego: tuple[SmoothRate, SmoothRate],
    ego_width_m: float,
) -> tuple[Actor, ...]:
    """Other road users; those that the ego vehicle (speed, lateral rate) would run into are left out."""
    actors: list[Actor] = []
    if scenario is Scenario.ROUTE:
        return ()  # nobody else: what this drive shows are limits
    time = np.arange(0.0, seconds + 0.5, 0.1)
    ego_s, ego_d = ego[0].integral(time), ego[1].integral(time)

    def add(
        lane: Lane, s_m: float, speed: float, *, truck: bool = False, sway_m: float = 0.0, is_lead: bool = False
    ) -> None:
        colour = PAINTS[int(random.integers(len(PAINTS)))]
        width = 2.5 if truck else 1.82
        if not is_lead:
            gap = np.abs(s_m + (-speed if lane.is_opposing else speed) * time - ego_s)
            beside = np.abs(ego_d - lane.d_m) < (width + ego_width_m) / 2.0 + 0.25
            if bool(((gap < TOO_NEAR_M) & beside).any()):
                return
        actors.append(
            Actor(
                object_id=len(actors) + 1,
                object_class=ObjectClass.TRUCK if truck else ObjectClass.CAR,
                s_m=s_m,
                d_m=lane.d_m,
                speed_mps=speed,
                sway_m=sway_m,
                is_lead=is_lead,
                is_opposing=lane.is_opposing,
                length_m=9.5 if truck else 4.4,
                width_m=width,
                height_m=3.4 if truck else 1.46,
                colour_bgr=colour,
            )
        )

    own = [lane for lane in road.lanes if not lane.is_opposing]
    first = next(lane for lane in own if abs(lane.d_m) < 0.1)
    add(first, 46.0, 0.0, sway_m=10.0, is_lead=True)
    if scenario in (Scenario.MOTORWAY, Scenario.WORKS):
        for spell in range(int(seconds / 40.0) + 1):
            add(own[0], 75.0 + spell * 40.0 * 0.14 * cruise, cruise * 0.86, truck=True)
            add(own[-1], -30.0 - spell * 40.0 * 0.12 * cruise, cruise * 1.12)
    for lane in road.lanes:
        if lane.is_opposing:
            at = 160.0
            while at < 2.0 * cruise * seconds + 200.0:
                add(lane, at, cruise * float(random.uniform(0.92, 1.0)), truck=bool(random.uniform() < 0.2))
                at += float(random.uniform(6.0, 12.0)) * cruise
    return tuple(actors)


def _ambient(light: Light, scenario: Scenario, seconds: float) -> SmoothRate:
    """Daylight, 1 at noon and 0.03 at night."""
    level = {Light.DAY: 1.0, Light.DUSK: 0.42, Light.NIGHT: 0.03, Light.LOW_SUN: 0.85, Light.AUTO: 1.0}[light]
    if light is Light.AUTO and scenario is Scenario.DEMO:
        return SmoothRate([(0.0, 1.0), (0.55 * seconds, 1.0), (0.9 * seconds, 0.38), (seconds + 1.0, 0.36)])
    return SmoothRate([(0.0, level), (seconds + 1.0, level)])
