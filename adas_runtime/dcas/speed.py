"""Set speed, speed limit and chosen gap of driver control assistance: UN R171 5.3.7.4 and 5.3.7.5.

The current maximum speed is the driver's set speed, or the limit where that is lower. A limit that falls takes it along
at once; one that rises gives back no more than the driver had set; a set speed below both is left alone. A driver may
set more than the limit by an action of his own (a limit that was read wrongly must not hold a car back), which is shown
all the time; no setting adds anything to a limit by itself (5.3.7.4.7.3.4). Nothing goes above the country's maximum.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from adas_runtime.dcas.params import (
    FASTER_BUTTON,
    GAP_BUTTON,
    HEADWAY_NOTICE_S,
    RESUME_BUTTON,
    SET_BUTTON,
    SLOWER_BUTTON,
)
from adas_runtime.longitudinal.following_params import FollowingParams
from adas_runtime.market.facts import PLACES, SpeedDefaults
from adas_runtime.records import maker
from adas_runtime.signals import SPEED_MAX_MPS, SpeedUnit
from adas_runtime.units import kmh_to_mps

if TYPE_CHECKING:
    from adas_runtime.dcas.memory import Now
    from adas_runtime.market.facts import Following
    from adas_runtime.market.schema import Market

LONG_PRESS_S: Final = 0.6  # from here on a press changes the speed by the large step, again and again [D]
REPEAT_S: Final = 0.4
LARGE: Final = 10  # in the driver's unit, to its next multiple
SAME_MPS: Final = 0.05  # limits nearer than this are one limit


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one step rests on.

    Args:
        speed_mps: True speed [m/s].
        pressed: Buttons that are down; `None`: no driver input, nothing is pressed.
        limit_mps: Speed limit determined, `None`: unknown or none [m/s].
        has_no_limit: The law sets no limit here.
        is_active: Longitudinal assistance works.
        is_switching_on: It begins to work with this step, by the driver's action.
    """

    speed_mps: float
    pressed: tuple[str, ...] | None = None
    limit_mps: float | None = None
    has_no_limit: bool = False
    is_active: bool = False
    is_switching_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowed:
    """What holds.

    Args:
        set_mps: What the driver set, `None`: nothing yet [m/s].
        max_mps: Current maximum speed, `None`: nothing set yet [m/s].
        limit_mps: Limit that it goes by; one that is not known any more is not shown [m/s].
        choice: Which of the market's gaps the driver chose.
        is_limit_changed: The limit changed the current maximum in this step: sound or haptics are due (5.3.7.4.7.3.1).
        is_over_limit: The car is faster than the limit: shown (5.3.7.4.7.1).
        is_set_over_limit: The driver set more than the limit; counted in the report (7.2.3).
        is_gap_notice_due: The driver is to be told that the gap is below 2 s (5.3.7.5).
        is_resumed: The driver asks to move off or to take up the former speed.
    """

    set_mps: float | None
    max_mps: float | None
    limit_mps: float | None
    choice: int = 0
    is_limit_changed: bool = False
    is_over_limit: bool = False
    is_set_over_limit: bool = False
    is_gap_notice_due: bool = False
    is_resumed: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step; a new run cycle starts with a fresh one."""

    set_mps: float | None = None
    max_mps: float | None = None
    limit_mps: float | None = None  # the last one known: what the next one is compared with
    choice: int = 0
    pressed: tuple[str, ...] = ()
    button: str = ""  # that is held
    again_s: float = 0.0  # and works again at this time
    was_active: bool = False  # in this run cycle


make_allowed = maker(Allowed)
make_memory = maker(Memory)


def country_maximum_mps(defaults: SpeedDefaults, unit: SpeedUnit) -> tuple[float | None, bool]:
    """Highest limit of the country's law [m/s], and whether it is sure to be the highest.

    `None` and sure: somewhere the law sets no limit. `None` and not sure: nobody knows one.
    """
    values = [getattr(defaults, place) for place in PLACES]
    values += [value for region in defaults.regions.values() for value in region.values()]
    if "none" in values:
        return None, True
    known = [value for value in values if isinstance(value, float)]
    if not known:
        return None, False
    return unit.mps(max(known)), isinstance(defaults.motorway, float)


class SetSpeed:
    """Keeps what the driver set within what the law and the design allow; total over all inputs.

    Buttons, each by its rising edge: `set_speed` takes the present speed, `resume` the former one, `speed_up` and
    `speed_down` change it by one, held by tens; `time_gap` takes the next longer gap, after the longest the least.
    """

    def __init__(self, params: FollowingParams, market: Market, *, is_gap_shown: bool = True) -> None:
        """`is_gap_shown`: the car shows the chosen gap all the time, so that no notice is due (5.3.7.5)."""
        self.state = Memory()
        self._following = market.following
        self._gaps = len(market.following.selectable_extra_s)
        self._one_mps = market.speed_unit.mps(1.0)
        self._is_gap_shown = is_gap_shown
        self._lowest_mps = kmh_to_mps(params.set_min_kmh)
        self._designed_mps = kmh_to_mps(params.set_max_kmh)
        self._unknown_mps = kmh_to_mps(params.set_max_unknown_kmh)
        self._tolerance_mps = kmh_to_mps(params.over_limit_tolerance_kmh)
        self._country_mps, self._is_country_sure = country_maximum_mps(market.speed_defaults, market.speed_unit)

    def new_run(self) -> None:
        """A new run cycle: nothing is set, the least gap is chosen (5.5.3.1)."""
        self.state = Memory()

    def ceiling_mps(self, limit_mps: float | None) -> float:
        """Highest speed that may be set: designed range and the country's maximum (5.3.7.4.3, 5.3.7.4.4) [m/s].

        Where the country's maximum is not known for sure, the limit in force may be above what is known, never more.
        """
        if self._is_country_sure:
            return self._designed_mps if self._country_mps is None else min(self._designed_mps, self._country_mps)
        known_mps = self._unknown_mps if self._country_mps is None else self._country_mps
        return min(self._designed_mps, max(known_mps, limit_mps or 0.0))

    def step(self, asked: Asked, now_s: float) -> Allowed:
        """One step."""
        old = self.state
        speed_mps = min(max(asked.speed_mps, 0.0), SPEED_MAX_MPS) if math.isfinite(asked.speed_mps) else 0.0
        limit_mps = asked.limit_mps if asked.limit_mps is not None and math.isfinite(asked.limit_mps) else None
        pressed = asked.pressed or ()
        set_mps, max_mps, choice = old.set_mps, old.max_mps, old.choice

        # --- the limit ---
        is_changed = False
        known_mps = None if asked.has_no_limit else limit_mps if limit_mps is not None else old.limit_mps
        if known_mps is not None and (old.limit_mps is None or abs(known_mps - old.limit_mps) > SAME_MPS):
            if max_mps is not None and set_mps is not None:
                if known_mps < max_mps - SAME_MPS:
                    max_mps, is_changed = known_mps, True  # 5.3.7.4.7.3.3
                elif max_mps < set_mps - SAME_MPS:
                    risen_mps = min(set_mps, known_mps)  # 5.3.7.4.7.3.4: back to what the driver set, at most
                    is_changed = risen_mps > max_mps + SAME_MPS
                    max_mps = risen_mps
        elif asked.has_no_limit and old.limit_mps is not None and set_mps is not None and max_mps is not None:
            is_changed = set_mps > max_mps + SAME_MPS
            max_mps = set_mps

        # --- the driver ---
        new = () if pressed == old.pressed else tuple(name for name in pressed if name not in old.pressed)
        button, again_s = old.button, old.again_s
        is_resumed = RESUME_BUTTON in new
        if asked.is_switching_on:
            if set_mps is None or not is_resumed:
                set_mps = self._rounded(speed_mps)
            max_mps = set_mps if limit_mps is None else min(set_mps, limit_mps)
        elif asked.is_active and (new or button):
            if SET_BUTTON in new:
                set_mps = max_mps = self._rounded(speed_mps)
            for name in (FASTER_BUTTON, SLOWER_BUTTON):
                is_again = name == button and name in pressed and now_s >= again_s
                if (name in new or is_again) and max_mps is not None:
                    set_mps = max_mps = self._changed(max_mps, name == FASTER_BUTTON, is_large=is_again)
                    button, again_s = name, now_s + (REPEAT_S if is_again else LONG_PRESS_S)
        if button and button not in pressed:
            button = ""
        if GAP_BUTTON in new and asked.is_active:
            choice = (choice + 1) % self._gaps
        if set_mps is not None and max_mps is not None:
            ceiling_mps = self.ceiling_mps(limit_mps)
            set_mps, max_mps = min(set_mps, ceiling_mps), min(max_mps, ceiling_mps)

        is_first = asked.is_active and not old.was_active
        self.state = make_memory(
            set_mps, max_mps, known_mps, choice, pressed, button, again_s, old.was_active or asked.is_active
        )
        return make_allowed(
            set_mps=set_mps,
            max_mps=max_mps,
            limit_mps=limit_mps,
            choice=choice,
            is_limit_changed=is_changed and asked.is_active,
            is_over_limit=limit_mps is not None and speed_mps > limit_mps + self._tolerance_mps,
            is_set_over_limit=limit_mps is not None and max_mps is not None and max_mps > limit_mps + SAME_MPS,
            is_gap_notice_due=is_first
            and not self._is_gap_shown
            and self._following.time_gap_s(choice=choice) < HEADWAY_NOTICE_S,
            is_resumed=is_resumed and asked.is_active,
        )

    def _rounded(self, speed_mps: float) -> float:
        """A speed in whole units of the driver's display, inside the designed range [m/s]."""
        one_mps = self._one_mps
        return max(round(speed_mps / one_mps) * one_mps, self._lowest_mps)

    def _changed(self, speed_mps: float, is_faster: bool, *, is_large: bool) -> float:
        """The set speed after a press: one unit, or to the next multiple of ten [m/s]."""
        one_mps = self._one_mps
        value = round(speed_mps / one_mps)
        if is_large:
            value = (value // LARGE + 1) * LARGE if is_faster else -((-value) // LARGE + 1) * LARGE
        else:
            value += 1 if is_faster else -1
        return max(value * one_mps, self._lowest_mps)


def gap_in_force_s(facts: Following, now: Now, choice: int) -> float:
    """Time gap that is kept now: the driver's choice, and what rain, a tunnel and a trailer add in this market [s]."""
    body = now.body
    return facts.time_gap_s(
        choice=choice,
        is_wet=body is not None and body.is_road_wet,
        is_tunnel=now.is_tunnel,
        has_trailer=body is not None and body.is_trailer_coupled is True,
    )
