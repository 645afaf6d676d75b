"""What a driver camera would say of a made driver: attentive, distracted, or drowsy. No picture is drawn."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import Enum
from typing import Final

from adas_runtime.signals import DriverState, GazeZone
from adas_runtime.units import deg_to_rad

BLINK_EVERY_S: Final = (2.5, 6.0)
BLINK_S: Final = (0.10, 0.20)
GLANCE_EVERY_S: Final = (5.0, 11.0)
GLANCE_S: Final = (0.4, 0.9)
OPEN: Final = 0.9
CLOSED: Final = 0.05
LOWERED: Final = 0.4  # lids over a gaze that is down
DOWN_AT: Final = (0.3, 0.65)  # shares of a distracted drive at which the driver looks into the lap, for so long  [D]
DOWN_S: Final = 6.0
DROWSY_FROM: Final = 0.35  # share of a drowsy drive from which blinks are long
DROWSY_EVERY_S: Final = (2.5, 4.0)
DROWSY_BLINK_S: Final = (0.4, 0.9)
ASLEEP_AT: Final = 0.8  # and at which the eyes close for longer
ASLEEP_S: Final = 1.8


class DriverKind(Enum):
    """What the made driver does."""

    ABSENT = "absent"
    ATTENTIVE = "attentive"
    DISTRACTED = "distracted"
    DROWSY = "drowsy"


Place = tuple[GazeZone, float, float]  # zone, yaw left positive, pitch down positive [deg]
ROAD: Final[Place] = (GazeZone.ROAD, 0.0, 2.0)
LAP: Final[Place] = (GazeZone.LAP, -4.0, 45.0)
GLANCES: Final[tuple[Place, ...]] = (
    (GazeZone.MIRROR_LEFT, 42.0, 8.0),
    (GazeZone.MIRROR_CENTRE, -25.0, -12.0),
    (GazeZone.INSTRUMENTS, 0.0, 24.0),
    (GazeZone.MIRROR_RIGHT, -58.0, 10.0),
)


@dataclass(frozen=True, slots=True)
class _Spell:
    from_s: float
    to_s: float
    place: Place | None = None  # where the driver looks; `None`: the eyes are closed


class Driver:
    """A made driver. The same kind, length and seed make the same one."""

    def __init__(self, kind: DriverKind, seconds: float, seed: int) -> None:
        self.kind = kind
        rng = random.Random(f"driver {seed}")
        self._looks = list(self._spells(rng, seconds, GLANCE_EVERY_S, GLANCE_S, is_look=True))
        drowsy_s = DROWSY_FROM * seconds if kind is DriverKind.DROWSY else seconds
        self._lids = list(self._spells(rng, drowsy_s, BLINK_EVERY_S, BLINK_S))
        if kind is DriverKind.DROWSY:
            self._lids += list(self._spells(rng, seconds, DROWSY_EVERY_S, DROWSY_BLINK_S, start_s=drowsy_s))
            self._lids.append(_Spell(ASLEEP_AT * seconds, ASLEEP_AT * seconds + ASLEEP_S))
        if kind is DriverKind.DISTRACTED:
            self.look_down(*(share * seconds for share in DOWN_AT), length_s=DOWN_S)

    def look_down(self, *starts_s: float, length_s: float) -> None:
        """The driver also looks into the lap at these times."""
        self._looks = [*(_Spell(at_s, at_s + length_s, LAP) for at_s in starts_s), *self._looks]

    def state(self, t_s: float, stamp_s: float, frame: int) -> DriverState:
        """What the camera says `t_s` after the start of the drive."""
        zone, yaw_deg, pitch_deg = next(
            (spell.place for spell in self._looks if spell.from_s <= t_s < spell.to_s and spell.place is not None), ROAD
        )
        is_closed = any(spell.from_s <= t_s < spell.to_s for spell in self._lids)
        return DriverState(
            stamp_s=stamp_s,
            is_face_visible=True,
            gaze_zone=zone,
            gaze_yaw_rad=deg_to_rad(yaw_deg),
            gaze_pitch_rad=deg_to_rad(pitch_deg),
            head_yaw_rad=deg_to_rad(0.5 * yaw_deg),
            head_pitch_rad=deg_to_rad(0.4 * pitch_deg),
            eye_openness=CLOSED if is_closed else LOWERED if zone is GazeZone.LAP else OPEN,
            is_hard_to_see=False,
            frame=frame,
            confidence=0.9,
        )

    @staticmethod
    def _spells(
        rng: random.Random,
        until_s: float,
        every_s: tuple[float, float],
        length_s: tuple[float, float],
        *,
        start_s: float = 0.0,
        is_look: bool = False,
    ) -> list[_Spell]:
        found, at_s = [], start_s
        while (at_s := at_s + rng.uniform(*every_s)) < until_s:
            found.append(_Spell(at_s, at_s + rng.uniform(*length_s), rng.choice(GLANCES) if is_look else None))
        return found
