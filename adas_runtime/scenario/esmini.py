"""OpenSCENARIO files played by esmini, with our car as its external ego (`adas scenario run --engine esmini`).

`ESMINI_LIB` names the library (esminiLib of 2026; built or downloaded by who uses it, nothing of it is shipped here).
Each drive is rehearsed first: esmini drives `Ego` by its script, and the line that it takes is our way, which our car
then drives at its first speed until something brakes. In the drive itself `Ego` is under an external controller, we
report where our car is at every step, and the others do what esmini has them do.

esmini is one scenario at a time in a process, as each of ours is.
"""

from __future__ import annotations

import ctypes
import math
import os
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, overload

from adas_runtime.errors import AdasError
from adas_runtime.scenario.braking import STEP_S, STOPPED_MPS, Drive, Mover, Outcome, boxes_touch, nobody_hit
from adas_runtime.scenario.opendrive import Course, Pose, straights
from adas_runtime.scenario.openscenario import EGO, number_or_text, variation
from adas_runtime.scenario.plain_xml import parsed
from adas_runtime.signals import ObjectClass
from adas_runtime.vehicle.schema import Vehicle

VARIABLE: Final = "ESMINI_LIB"
LONG_MAX_S: Final = 60.0
REHEARSED_S: Final = 0.02
SPACED_M: Final = 1.0  # of our way: its curvature is taken over so far
VEHICLES: Final = {  # esmini's Vehicle::Category
    0: ObjectClass.CAR,
    1: ObjectClass.VAN,
    2: ObjectClass.TRUCK,
    3: ObjectClass.TRUCK,
    4: ObjectClass.TRAILER,
    5: ObjectClass.BUS,
    6: ObjectClass.MOTORCYCLE,
    7: ObjectClass.CYCLIST,
}
VEHICLE_TYPE: Final = 1
PEDESTRIAN_TYPE: Final = 2
ANIMAL_CATEGORY: Final = 2
EXTERNAL: Final = (
    '<ObjectController><Controller name="external"><Properties><Property name="esminiController"'
    ' value="ExternalController"/></Properties></Controller></ObjectController>'
)
ACTIVATE: Final = (
    '<PrivateAction><ControllerAction><ActivateControllerAction longitudinal="true" lateral="true"/></ControllerAction>'
    "</PrivateAction>"
)


class _State(ctypes.Structure):
    """SE_ScenarioObjectState of esminiLib.hpp."""

    _fields_ = tuple(
        (name, kind)
        for kind, names in (
            (ctypes.c_int, "id model_id ctrl_type"),
            (ctypes.c_double, "timestamp x y z h p r"),
            (ctypes.c_uint32, "road_id junction_id"),
            (ctypes.c_double, "t"),
            (ctypes.c_int, "lane_id"),
            (ctypes.c_double, "lane_offset s speed centre_x centre_y centre_z width length height"),
            (ctypes.c_int, "object_type object_category"),
            (ctypes.c_double, "wheel_angle wheel_rot"),
            (ctypes.c_int, "visibility_mask"),
        )
        for name in names.split()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The parameters of one drive of a file."""

    parameters: Mapping[str, float | str]
    xml: tuple[bytes, bytes]  # of the rehearsal and of the drive


@dataclass(slots=True)
class _Played:
    """A road user as esmini moves it; the first one steps esmini for all."""

    session: _Session
    number: int
    kind: ObjectClass
    size_m: tuple[float, float]
    is_first: bool
    seen_from_s: float = -math.inf
    x_m: float = 0.0
    y_m: float = 0.0
    heading_rad: float = 0.0
    speed_mps: float = 0.0
    accel_mps2: float = 0.0
    across_mps: float = 0.0
    is_there: bool = True

    def move(self, t_s: float, way_m: float, speed_mps: float) -> None:
        """One step."""
        if self.is_first:
            self.session.step(way_m, speed_mps)
        former_mps = self.speed_mps
        self.look()
        self.accel_mps2 = (self.speed_mps - former_mps) / STEP_S

    def look(self) -> None:
        """Where esmini has it."""
        state = self.session.library.state(self.number)
        self.is_there = state is not None
        if state is not None:
            self.x_m, self.y_m, self.heading_rad = self.session.local(_middle(state))
            self.speed_mps = state.speed


@dataclass(slots=True)
class _Session:
    """One drive in esmini."""

    library: _Library
    ego: int
    course: Course
    front_m: float

    def local(self, pose: Pose) -> Pose:
        """A pose of the world in the frame of our front bumper at the start."""
        x0_m, y0_m, turned0 = self.course.place(0.0, 0.0)
        east, north = pose[0] - x0_m, pose[1] - y0_m
        cosine, sine = math.cos(turned0), math.sin(turned0)
        return east * cosine + north * sine - self.front_m, north * cosine - east * sine, pose[2] - turned0

    def step(self, way_m: float, speed_mps: float) -> None:
        """Tell where our car is, and let the others go on."""
        self.library.report(self.ego, self.course.place(way_m, 0.0), speed_mps)
        self.library.step(STEP_S)


class _Library:
    """What is used of esminiLib."""

    def __init__(self, path: str) -> None:
        try:
            self._lib = ctypes.CDLL(path)
            number, text, real = ctypes.c_int, ctypes.c_char_p, ctypes.c_double
            for name, arguments in (
                ("SE_InitWithString", (text, number, number, number, number)),
                ("SE_AddPath", (text,)),
                ("SE_StepDT", (real,)),
                ("SE_GetIdByName", (text,)),
                ("SE_GetId", (number,)),
                ("SE_GetObjectState", (number, ctypes.POINTER(_State))),
                ("SE_ReportObjectPosXYH", (number, real, real, real)),
                ("SE_ReportObjectSpeed", (number, real)),
            ):
                getattr(self._lib, name).argtypes = arguments
            self._lib.SE_LogToConsole.argtypes = (ctypes.c_bool,)
            self._lib.SE_SetLogFilePath.argtypes = (text,)
            self._lib.SE_SetSeed.argtypes = (ctypes.c_uint,)
        except (OSError, AttributeError) as error:
            raise AdasError(
                f"is no esminiLib: {error}", where=f"{VARIABLE}={path}", mend="name libesminiLib"
            ) from error

    def begin(self, xml: bytes, path: Path) -> int:
        """Start a scenario; the number of our car."""
        where = str(path)
        self._lib.SE_Close()
        self._lib.SE_ClearPaths()
        self._lib.SE_AddPath(str(path.resolve().parent).encode())  # for a road that a parameter names
        self._lib.SE_LogToConsole(False)
        self._lib.SE_SetLogFilePath(b"")
        self._lib.SE_SetSeed(1)  # what it draws is the same in every drive
        if self._lib.SE_InitWithString(xml, 0, 0, 0, 0) != 0:
            raise AdasError("esmini cannot play it", where=where, mend="see what esmini itself says of the file")
        ego = int(self._lib.SE_GetIdByName(EGO.encode()))
        if ego < 0:
            raise AdasError(f"has no entity {EGO}", where=where, mend="name our car so")
        return ego

    def step(self, seconds: float) -> None:
        """Go on."""
        self._lib.SE_StepDT(seconds)

    @property
    def is_over(self) -> bool:
        """Whether the scenario ended by its own word."""
        return int(self._lib.SE_GetQuitFlag()) != 0

    def numbers(self) -> list[int]:
        """Of everybody."""
        return [int(self._lib.SE_GetId(index)) for index in range(self._lib.SE_GetNumberOfObjects())]

    def state(self, number: int) -> _State | None:
        """One of them, or `None` where it is no more."""
        found = _State()
        return found if self._lib.SE_GetObjectState(number, ctypes.byref(found)) == 0 else None

    def report(self, number: int, pose: Pose, speed_mps: float) -> None:
        """Where our car is."""
        self._lib.SE_ReportObjectPosXYH(number, *pose)
        self._lib.SE_ReportObjectSpeed(number, speed_mps)


class _Drives(Sequence[Drive]):
    """Drives that are rehearsed as they are asked for."""

    def __init__(self, count: int, make: Callable[[int], Drive]) -> None:
        self._count, self._make = count, make

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Drive: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Drive]: ...
    def __getitem__(self, index: int | slice) -> Drive | Sequence[Drive]:
        if isinstance(index, slice):
            return [self._make(number) for number in range(*index.indices(self._count))]
        return self._make(range(self._count)[index])


class Esmini:
    """A scenario or a variation as esmini plays it."""

    def __init__(self, path: Path, vehicle: Vehicle) -> None:
        """Read it; nothing is played yet.

        Raises:
            AdasError: `ESMINI_LIB` names no esminiLib, or the file cannot be read.
        """
        library = os.environ.get(VARIABLE, "")
        if not library:
            raise AdasError(
                "names no library", where=VARIABLE, mend="set it to the path of libesminiLib, or leave out --engine"
            )
        self._library = _Library(library)
        self._front_m = vehicle.dimensions.wheelbase_m + vehicle.dimensions.front_overhang_m
        self._size_m = vehicle.dimensions.length_m, vehicle.dimensions.width_m
        root, varied = parsed(path), [dict[str, str]()]
        if root.find("ParameterValueDistribution") is not None:
            path, varied = variation(root, path)
            root = parsed(path)
        if root.find("Storyboard") is None:
            raise AdasError("holds no storyboard", where=str(path), mend="name a scenario or a variation, no catalog")
        self._path = path
        head = root.find("FileHeader")
        self.title = (head.get("description") if head is not None else None) or path.stem
        _make_absolute(root, path.resolve().parent)
        self.cases = [
            Case(parameters={name: number_or_text(value) for name, value in changes.items()}, xml=_both(root, changes))
            for changes in varied
        ]
        self.drives = _Drives(len(self.cases), self._drive)
        self.text = ET.tostring(root, encoding="unicode") + repr([dict(case.parameters) for case in self.cases])

    def judged(self, number: int, outcome: Outcome) -> dict[str, Any]:
        """What `adas scenario run --json` prints of a drive."""
        return outcome.result(self._path.stem, self.cases[number].parameters, *nobody_hit(outcome))

    def _drive(self, number: int) -> Drive:
        case, path = self.cases[number], self._path
        course, speed_mps, long_s = self._rehearsed(case.xml[0])
        library, front_m, half_m, ours_m = self._library, self._front_m, 0.5 * self._size_m[0], self._size_m

        def movers() -> Sequence[Mover]:
            ego = library.begin(case.xml[1], path)
            session = _Session(library, ego, course, front_m)
            found: list[_Played] = []
            for other in library.numbers():
                state = library.state(other)
                if other == ego or state is None:
                    continue
                size_m = state.length, state.width
                found.append(_Played(session, other, _class_of(state), size_m, not found))
                found[-1].look()
                middle = found[-1].x_m + half_m, found[-1].y_m
                if boxes_touch(*middle, found[-1].heading_rad, size_m, ours_m):
                    what = "our car cannot be driven here: another one stands where it begins"
                    raise AdasError(what, where=str(path), mend="take another scenario")
            return found

        def curvature(way_m: float) -> float:
            turned = course.place(way_m + 0.5 * SPACED_M, 0.0)[2] - course.place(way_m - 0.5 * SPACED_M, 0.0)[2]
            return math.remainder(turned, math.tau) / SPACED_M

        return Drive(
            name=self._path.stem, speed_mps=speed_mps, actors=(), movers=movers, curvature=curvature, lane="path",
            long_s=long_s,
        )  # fmt: skip

    def _rehearsed(self, xml: bytes) -> tuple[Course, float, float]:
        """Our way, our first speed and how long it takes, as esmini drives by the script."""
        ego = self._library.begin(xml, self._path)
        state = self._library.state(ego)
        if state is None or state.speed < STOPPED_MPS:
            what = "our car cannot be driven here: it stands at the start, or drives backwards"
            raise AdasError(what, where=str(self._path), mend="take another scenario")
        first_mps, heading, points, t_s = float(state.speed), state.h, [(state.x, state.y)], 0.0
        while t_s < LONG_MAX_S and not self._library.is_over:
            self._library.step(REHEARSED_S)
            t_s += REHEARSED_S
            state = self._library.state(ego)
            if state is None:
                break
            if math.dist((state.x, state.y), points[-1]) >= SPACED_M:
                points.append((state.x, state.y))
        if len(points) == 1:
            points.append((points[0][0] + math.cos(heading), points[0][1] + math.sin(heading)))
        return Course(straights(points)), first_mps, max(t_s, 1.0)


def _class_of(state: _State) -> ObjectClass:
    if state.object_type == VEHICLE_TYPE:
        return VEHICLES.get(state.object_category, ObjectClass.UNKNOWN)
    if state.object_type == PEDESTRIAN_TYPE:
        return ObjectClass.ANIMAL if state.object_category == ANIMAL_CATEGORY else ObjectClass.PEDESTRIAN
    return ObjectClass.UNKNOWN


def _middle(state: _State) -> Pose:
    """Its middle: esmini tells the reference point."""
    cosine, sine = math.cos(state.h), math.sin(state.h)
    x_m = state.x + state.centre_x * cosine - state.centre_y * sine
    return x_m, state.y + state.centre_x * sine + state.centre_y * cosine, state.h


def _make_absolute(root: ET.Element, folder: Path) -> None:
    """Roads and catalogs by their whole paths: esmini gets the text of the file, which lies nowhere."""
    for item, name in (
        *((item, "filepath") for item in root.iter("LogicFile")),
        *((item, "filepath") for item in root.iter("SceneGraphFile")),
        *((item, "path") for item in root.iter("Directory")),
    ):
        value = item.get(name, "")
        if value and not value.startswith("$"):
            item.set(name, str((folder / value).resolve()))


def _both(root: ET.Element, changes: Mapping[str, str]) -> tuple[bytes, bytes]:
    """The scenario with these parameters: with our car by its script, and with our car from outside."""
    texts = []
    for is_outside in (False, True):
        copy = ET.fromstring(ET.tostring(root))
        for item in copy.iterfind("ParameterDeclarations/ParameterDeclaration"):
            if item.get("name", "") in changes:
                item.set("value", changes[item.get("name", "")])
        for entity in copy.iterfind(f"Entities/ScenarioObject[@name='{EGO}']"):
            for controller in entity.findall("ObjectController"):
                entity.remove(controller)
            if is_outside:
                entity.append(ET.fromstring(EXTERNAL))
        for private in copy.iterfind(f"Storyboard/Init/Actions/Private[@entityRef='{EGO}']"):
            for action in private.findall("PrivateAction"):
                if (
                    action.find(".//ActivateControllerAction") is not None
                    or action.find("ControllerAction") is not None
                ):
                    private.remove(action)
            if is_outside:
                private.append(ET.fromstring(ACTIVATE))
        texts.append(ET.tostring(copy))
    return texts[0], texts[1]
