"""`adas perceive`: what perception sees in pictures, videos and recordings."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Generic, Protocol, TypeVar

import typer

from adas_runtime.errors import AdasError

if TYPE_CHECKING:
    from adas_runtime.perceive.driver import SeenDriver
    from adas_runtime.perceive.overlay import Image
    from adas_runtime.perceive.result import Record
    from adas_runtime.perceive.run import Seen
    from adas_runtime.perceive.sources import Frame, Say, Source
    from adas_runtime.vehicle import Vehicle

HEAD = f"{'picture':<28} {'left':>8} {'right':>8} {'width':>7}  {'left boundary':<24} right boundary"

T = TypeVar("T", bound="_Seen")
T_contra = TypeVar("T_contra", contravariant=True)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("perceive")(perceive)


def perceive(
    inputs: Annotated[
        list[str],
        typer.Argument(metavar="IMAGE|VIDEO|BAG...", help="Pictures, videos, rosbag2 recordings, folders of pictures."),
    ],
    vehicle: Annotated[
        str, typer.Option(help="Vehicle whose front camera took them: name or file; auto: what the recording says.")
    ] = "auto",
    market: Annotated[str, typer.Option(help="Market, for its lane facts and thresholds: name or file.")] = "de",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a picture, one a line.")] = False,
    overlay: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Draw what is seen into files in this folder.")
    ] = None,
    stills: Annotated[bool, typer.Option("--stills", help="Draw one file a picture, also of videos.")] = False,
    every: Annotated[int, typer.Option(min=1, help="Look at the first of each so many pictures.")] = 1,
    max_frames: Annotated[int | None, typer.Option(min=1, help="Look at so many pictures of each input.")] = None,
    camera: Annotated[
        str | None, typer.Option(metavar="TOPIC", help="Topic of a recording; else the front camera's is guessed.")
    ] = None,
    slots: Annotated[
        bool, typer.Option("--slots", help="Parking bays instead, in pictures from above, forward up; with --scale.")
    ] = False,
    scale: Annotated[float | None, typer.Option(metavar="M_PER_PX", help="Size of a pixel on the ground.")] = None,
    corrupt: Annotated[
        str | None,
        typer.Option(metavar="KIND[:SEVERITY]", help="Spoil each picture first: rain, dirt:0.8, ...; severity 0 to 1."),
    ] = None,
    driver: Annotated[
        bool, typer.Option("--driver", help="The pictures show the driver: tell face, head, eyes, what hides them.")
    ] = False,
) -> int:
    """Show what perception sees in each picture: lanes, speed signs, road users; or the driver; or parking bays."""
    if stills and overlay is None:
        raise AdasError("draws nothing without --overlay", where="--stills", mend="name a folder with --overlay DIR")
    _refuse_idle(slots=slots, driver=driver, stills=stills, scale=scale, corrupt=corrupt, camera=camera)
    if driver:
        view: _View[Any] = _driver_view(vehicle, market, every, max_frames)
        return _show(inputs, view, as_json=as_json, overlay=overlay, stills=stills)
    from adas_runtime.perceive.corruptions import Corruptor

    if corrupt is not None:
        Corruptor.of(corrupt)  # a wrong one is refused before anything is read
    if slots:
        from adas_runtime.market import load_market
        from adas_runtime.perceive.slots import show

        return show(
            inputs,
            market=load_market(market),
            scale_m=scale,
            as_json=as_json,
            overlay=overlay,
            every=every,
            max_frames=max_frames,
            camera_topic=camera,
            say=_say,
        )
    view = _road_view(vehicle, market, every, max_frames, camera, corrupt)
    return _show(inputs, view, as_json=as_json, overlay=overlay, stills=stills)


def _refuse_idle(
    *, slots: bool, driver: bool, stills: bool, scale: float | None, corrupt: str | None, camera: str | None
) -> None:
    """Refuse an option that would do nothing beside the others: whoever gave it would take its silence for its effect.

    Raises:
        AdasError: The first such option.
    """
    if driver and slots:
        raise AdasError("asks for the driver, --slots for parking bays", where="--driver", mend="take one of the two")
    idle = (
        (driver and camera is not None, "--camera", "names a topic, which no picture of the driver is on"),
        (driver and corrupt is not None, "--corrupt", "spoils pictures of the road, none of the driver"),
        (slots and corrupt is not None, "--corrupt", "spoils pictures of the road, none with --slots"),
        (slots and stills, "--stills", "does nothing with --slots, which draws one file a picture anyway"),
        (not slots and scale is not None, "--scale", "is the scale of a picture from above: it needs --slots"),
    )
    for is_idle, option, what in idle:
        if is_idle:
            raise AdasError(what, where=option, mend="leave it out")


class _Seen(Protocol):
    """One picture with what is told of it."""

    @property
    def frame(self) -> Frame: ...
    @property
    def record(self) -> Record: ...


class _Counts(Protocol[T_contra]):
    """What a film's pictures come to."""

    count: int

    def add(self, seen: T_contra) -> None: ...
    def line(self, name: str) -> str: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class _View(Generic[T]):
    """One way to look at pictures, and to tell of them.

    Args:
        head: Of the table.
        look: What is seen in a source's pictures.
        line: One row of the table.
        draw: The picture with what was seen in it.
        tally: Counts a source's pictures.
    """

    head: str
    look: Callable[[Source], Iterator[T]]
    line: Callable[[Source, T], str]
    draw: Callable[[T], Image]
    tally: Callable[[], _Counts[T]]


def _show(inputs: list[str], view: _View[T], *, as_json: bool, overlay: Path | None, stills: bool) -> int:
    """Look at every input, and tell of it; the exit code."""
    from contextlib import nullcontext
    from functools import partial

    from adas_runtime.ingest.progress import Progress
    from adas_runtime.perceive.film import Drawer, OverlayFolder
    from adas_runtime.perceive.result import dumps
    from adas_runtime.perceive.sources import Kind, find

    folder = None if overlay is None else OverlayFolder(overlay)
    failed = looked = 0
    drawn: list[Path] = []
    # on a terminal the table itself shows how far it is
    with nullcontext() if sys.stdout.isatty() else Progress("looking at pictures") as progress:
        for source in find(inputs):
            if isinstance(source, AdasError):
                failed += 1
                _complain(source)
                continue
            is_film = source.kind is not Kind.PICTURE
            drawer = None if folder is None else Drawer(folder, source, stills=stills)
            tally = view.tally()
            try:
                for seen in view.look(source):
                    if as_json:
                        sys.stdout.write(dumps(seen.record) + "\n")
                    else:
                        if looked == 0:
                            print(view.head)
                        if is_film and tally.count == 0:
                            print(source.name)
                        print(view.line(source, seen))
                    tally.add(seen)
                    looked += 1
                    if drawer is not None:
                        drawer.add(seen.frame, partial(view.draw, seen))
                    if progress is not None:
                        progress.update(looked, None)
                if drawer is not None:
                    drawer.close()
            except AdasError as error:
                failed += 1
                _complain(error)
            finally:
                if drawer is not None:
                    drawer.drop()
                    drawn += drawer.files
            if not as_json and is_film and tally.count:
                print(tally.line(source.name))
    if drawn and not as_json:
        print(f"drawn: {', '.join(str(path) for path in drawn[:4])}{f' and {len(drawn) - 4} more' * (len(drawn) > 4)}")
    return 2 if failed else 0


def _road_view(
    vehicle: str, market: str, every: int, max_frames: int | None, camera: str | None, corrupt: str | None
) -> _View[Seen]:
    """Lanes, signs and road users before the car."""
    from adas_runtime.market import load_market
    from adas_runtime.perceive.corruptions import Corruptor
    from adas_runtime.perceive.overlay import draw
    from adas_runtime.perceive.run import perceive as look_at
    from adas_runtime.perception.models.objects import ObjectFinder
    from adas_runtime.perception.models.road import RoadReader
    from adas_runtime.perception.models.signs import SignReader

    rules = load_market(market)
    # proven once, not once an input
    reader, finder, surface = SignReader(market), ObjectFinder(market), RoadReader(market)
    named = None if vehicle == "auto" else _load(vehicle)

    def look(source: Source) -> Iterator[Seen]:
        notes: list[str] = []
        for seen in look_at(
            source,
            market=rules,
            reader=reader,
            finder=finder,
            surface=surface,
            vehicle=named if named is not None else _choose(source, camera, notes.append),
            every=every,
            max_frames=max_frames,
            camera_topic=camera,
            say=_say,
            corruptor=None if corrupt is None else Corruptor.of(corrupt),
        ):
            while notes:
                _say(notes.pop(0))
            yield seen

    return _View(head=HEAD, look=look, line=_line, draw=draw, tally=_Tally)


def _driver_view(vehicle: str, market: str, every: int, max_frames: int | None) -> _View[SeenDriver]:
    """The driver: face, head, eyes."""
    from adas_runtime.market import load_market
    from adas_runtime.perceive import driver
    from adas_runtime.perception.driver.function import seat_of
    from adas_runtime.perception.models.driver import DriverNetworks
    from adas_runtime.vehicle import load_vehicle

    rules = load_market(market)
    car = None if vehicle == "auto" else load_vehicle(vehicle)
    if car is not None and "driver" not in car.cameras:
        raise AdasError(f"vehicle {car.name} has no driver camera", where="--vehicle", mend="add cameras.driver to it")
    seat = seat_of(car, rules.road.traffic_side)
    reader = DriverNetworks(market)

    def look(source: Source) -> Iterator[SeenDriver]:
        return driver.watch(source, reader=reader, seat=seat, every=every, max_frames=max_frames, say=_say)

    def line(source: Source, seen: SeenDriver) -> str:
        return driver.line(_shown_name(source, seen.frame.index), seen)

    return _View(head=driver.HEAD, look=look, line=line, draw=driver.draw, tally=driver.Tally)


def _shown_name(source: Source, frame: int) -> str:
    """A picture's name or count, short enough for the table."""
    name = source.path.name if source.kind.value == "picture" else f"  frame {frame}"
    return name if len(name) <= 28 else f"{name[:12]}...{name[-13:]}"


def _say(text: str) -> None:
    print(f"adas: {text}", file=sys.stderr)


def _complain(error: AdasError) -> None:
    sys.stdout.flush()
    print(f"adas: {error.line()}", file=sys.stderr)


def _load(name: str) -> Vehicle:
    from adas_runtime.vehicle import load_vehicle

    car = load_vehicle(name)
    if "front" not in car.cameras:
        raise AdasError(f"vehicle {car.name} has no front camera", where="--vehicle", mend="add cameras.front to it")
    return car


def _choose(source: Source, camera: str | None, say: Say) -> Vehicle:
    """The vehicle of `auto`: what a recording says of its camera, else a camera that nobody knows."""
    from adas_runtime.perceive.sources import Kind

    if source.kind is not Kind.BAG:
        return _load("unknown_camera")
    from adas_runtime.inputs.recording import feeds_of
    from adas_runtime.inputs.vehicle_choice import choose
    from adas_runtime.replay.bag import Bag

    with Bag(source.path) as bag:
        front = {feed.topic for feed in feeds_of(bag) if "camera_front" in feed.feeds}
        if camera is not None and camera not in front:
            say(f"{source.name}: the lens of {camera} is taken as unknown; name a vehicle file with --vehicle")
            return _load("unknown_camera")
        choice = choose("auto", bag)
    for text in choice.warnings or (choice.note,):
        say(f"{source.name}: {text}")
    return choice.vehicle


def _line(source: Source, seen: Seen) -> str:
    from adas_runtime.perceive.result import object_text, sign_text

    record = seen.record
    name = _shown_name(source, record["frame"])
    lanes: dict[str, dict[str, Any]] = {lane["side"]: lane for lane in record["lanes"]}
    left, right = lanes.get("left"), lanes.get("right")
    if record["width_px"] is None:
        return f"{name:<28} {record['reason']}"
    offsets = [f"{lane['polynomial']['c0_m']:+.2f} m" if lane else "-" for lane in (left, right)]
    width = f"{left['polynomial']['c0_m'] - right['polynomial']['c0_m']:.2f} m" if left and right else "-"
    forms = [
        f"{lane['type'].replace('_', ' ')} {lane['colour']} {lane['confidence'] * 100:.0f} %" if lane else "not seen"
        for lane in (left, right)
    ]
    signs = "".join(f"; {sign_text(sign)}" for sign in record["signs"])
    # of a moving picture only who was seen in several; three are enough for a line
    bodies = [item for item in record["objects"] if source.kind.value == "picture" or item["is_confirmed"]]
    signs += "".join(f"; {object_text(item)}" for item in bodies[:3])
    if len(bodies) > 3:
        signs += f"; {len(bodies) - 3} more"
    return f"{name:<28} {offsets[0]:>8} {offsets[1]:>8} {width:>7}  {forms[0]:<24} {forms[1]}{signs}"


class _Tally:
    """What a video's pictures come to."""

    def __init__(self) -> None:
        self.count = 0
        self._both = 0
        self._one = 0
        self._widths: list[float] = []
        self._trust = ""
        self._sick: dict[str, int] = {}

    def add(self, seen: Seen) -> None:
        """Count one picture."""
        self.count += 1
        offsets = {lane["side"]: lane["polynomial"]["c0_m"] for lane in seen.record["lanes"]}
        has = ("left" in offsets) + ("right" in offsets)
        self._both += has == 2
        self._one += has == 1
        if has == 2:
            self._widths.append(offsets["left"] - offsets["right"])
        if seen.record["camera"] is not None:
            self._trust = seen.record["camera"]["state"]
            if (health := seen.record["camera"]["health"]) != "none":
                self._sick[health] = self._sick.get(health, 0) + 1

    def line(self, name: str) -> str:
        """One line for the table."""
        from statistics import median

        noun = "picture" if self.count == 1 else "pictures"
        text = f"{name}: {self.count} {noun}, both boundaries in {100 * self._both / self.count:.0f} %"
        if self._one:
            text += f", one in {100 * self._one / self.count:.0f} %"
        if self._widths:
            text += f", lane {median(self._widths):.2f} m wide"
        if self._trust and self._trust != "calibrated":
            text += "; camera not calibrated: metres are assumed"
        for health, count in sorted(self._sick.items(), key=lambda item: -item[1]):
            text += f"; camera {health} in {100 * count / self.count:.0f} %"
        return text
