"""What a careful driver could have avoided: the performance models of UN R157, over whole grids at once.

Three models answer the same question, whether a collision was preventable: the careful driver (CCD) and the fuzzy
safety model (FSM) of R157 Annex 3, and RSS for comparison. An ALKS must avoid what A09 or one of the first two calls
preventable (`alks.md` section 2, [D]). All functions take numbers or arrays that broadcast against each other; no loop
runs over cases, only over time. Constants: JRC-FSM and esmini as quoted in `alks.md`.

Conventions: time starts with the lateral motion or with the braking of the car ahead; a gap reaches from its rear to
our front; lateral speed is a step; both cars are `LENGTH_M` long and `WIDTH_M` wide and drive in the middle of lanes of
`LANE_M`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from adas_runtime.alks.table import FLOOR_HEAVY_M, FLOOR_M, FOLLOWING, FOLLOWING_HEAVY
from adas_runtime.units import kmh_to_mps

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Numbers = npt.ArrayLike

G_MPS2: Final = 9.81
LENGTH_M: Final = 4.3
WIDTH_M: Final = 1.9
LANE_M: Final = 3.5
DELAY_S: Final = 0.75  # R157 Annex 3: from risk perceived to braking; the reaction time of FSM and RSS, too
COMFORT_MPS2: Final = 4.0  # FSM
BRAKE_MPS2: Final = 6.0  # FSM; R157 5.2.5.2
LEAD_BRAKE_MPS2: Final = 7.0  # FSM
STANDSTILL_M: Final = 2.0  # FSM
JERK_MPS3: Final = 12.65
FULL_MPS2: Final = 0.774 * G_MPS2  # CCD
RAMP_S: Final = 0.6
WANDER_M: Final = 0.375  # CCD: farther from the lane's middle is a risk
EVALUATION_S: Final = 0.4
CRITICAL_TTC_S: Final = 2.0
HARD_BRAKING_MPS2: Final = 5.0
RSS_ACCEL_MPS2: Final = 3.0
RSS_LATERAL_MPS2: Final = 1.0
RSS_MARGIN_M: Final = 0.3
STEP_S: Final = 0.01
LONGEST_S: Final = 40.0
NEVER_M: Final = 1e9  # the smallest gap of cars that are never behind each other
STATE: Final = (  # of a case that is not decided yet
    "case", "speed", "lateral", "decel", "gap", "other", "moved", "brake", "accel", "waits", "seen_s", "least",
)  # fmt: skip

# A09, R157 5.2.5.2
REACTION_S: Final = 0.35
VISIBLE_S: Final = 0.72
TO_REFERENCE_M: Final = (LANE_M - WIDTH_M) / 2.0 + 0.3  # from the lane's middle until it is 0.3 m beyond the marking


class Model(Enum):
    """Which yardstick."""

    CCD = "ccd"
    FSM = "fsm"
    RSS = "rss"


class Event(Enum):
    """What the other car does."""

    CUT_IN = "cut_in"
    CUT_OUT = "cut_out"
    BRAKING = "braking"


class Verdict(IntEnum):
    """Whether the collision was preventable."""

    PREVENTABLE = 0
    UNPREVENTABLE = 1
    NOT_CRITICAL = 2


@dataclass(frozen=True, slots=True, eq=False)
class Assessment:
    """Verdicts of one model.

    Args:
        verdict: Of each case, values of `Verdict`, int8.
        value: Smallest gap where it was preventable [m], impact speed where it was not [m/s], gap at the end of the
            risk evaluation where it was not critical [m]; float64.
    """

    verdict: npt.NDArray[np.int8]
    value: Floats


def following_distance_m(speed_mps: Numbers, *, is_heavy: bool = False) -> Floats:
    """Least distance behind a car of the same lane, up to 60 km/h (R157 5.2.3.3)."""
    speed = np.asarray(speed_mps, np.float64)
    table = FOLLOWING_HEAVY if is_heavy else FOLLOWING
    gap_s = np.interp(speed, [kmh_to_mps(speed_kmh) for speed_kmh, _ in table], [gap_s for _, gap_s in table])
    return np.asarray(np.maximum(speed * gap_s, FLOOR_HEAVY_M if is_heavy else FLOOR_M))


def intrusion_ttc_s(closing_mps: Numbers, distance_m: Numbers, lateral_mps: Numbers) -> Floats:
    """Time to collision where the car that cuts in is 0.3 m beyond the marking (A10, R157 5.2.5.2) [s]."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.divide(distance_m, closing_mps) - np.divide(TO_REFERENCE_M, lateral_mps))


def must_avoid_ttc_s(closing_mps: Numbers) -> Floats:
    """Above this time to collision a cut-in must be avoided (R157 5.2.5.2) [s]."""
    return np.asarray(closing_mps, np.float64) / (2.0 * BRAKE_MPS2) + REACTION_S


def must_avoid(closing_mps: Numbers, distance_m: Numbers, lateral_mps: Numbers) -> Flags:
    """Whether R157 5.2.5.2 itself demands that a cut-in is avoided (A09); without closing in there is none."""
    visible_s = TO_REFERENCE_M / np.asarray(lateral_mps, np.float64)
    closing = np.asarray(closing_mps, np.float64)
    is_late = intrusion_ttc_s(closing, distance_m, lateral_mps) > must_avoid_ttc_s(closing)
    return np.asarray((closing > 0.0) & is_late & (visible_s >= VISIBLE_S))


def pfs(gap_m: Numbers, ego_mps: Numbers, other_mps: Numbers) -> tuple[Floats, Floats, Floats]:
    """Proactive fuzzy surrogate: value 0 to 1, safe and unsafe distance [m]."""
    gap, ego, other = (np.asarray(value, np.float64) for value in (gap_m, ego_mps, other_mps))
    common = ego * DELAY_S - other * other / (2.0 * LEAD_BRAKE_MPS2)
    safe = common + ego * ego / (2.0 * COMFORT_MPS2) + STANDSTILL_M
    unsafe = common + ego * ego / (2.0 * BRAKE_MPS2)
    return _fuzzy(gap - STANDSTILL_M, safe, unsafe), safe, unsafe


def cfs(gap_m: Numbers, ego_mps: Numbers, other_mps: Numbers, ego_accel_mps2: Numbers) -> tuple[Floats, Floats, Floats]:
    """Critical fuzzy surrogate: value 0 to 1, safe and unsafe distance [m]; our acceleration is the last step's."""
    gap, ego, other, accel = np.broadcast_arrays(
        *(np.asarray(value, np.float64) for value in (gap_m, ego_mps, other_mps, ego_accel_mps2))
    )
    accel = np.maximum(accel, -COMFORT_MPS2)
    then = ego + accel * DELAY_S
    closing = ego - other
    with np.errstate(divide="ignore", invalid="ignore"):
        while_braking = closing * closing / (2.0 * np.abs(accel))  # closed before the reaction is over
    during = ((ego + then) / 2.0 - other) * DELAY_S
    left = (then - other) ** 2
    is_over = then <= other
    safe = np.where(is_over, while_braking, during + left / (2.0 * COMFORT_MPS2))
    unsafe = np.where(is_over, while_braking, during + left / (2.0 * BRAKE_MPS2))
    value = np.where(is_over, (gap < safe).astype(np.float64), _fuzzy(gap, safe, unsafe))
    none = ego <= other
    return np.where(none, 0.0, value), np.where(none, 0.0, safe), np.where(none, 0.0, unsafe)


def reaction_mps2(critical: Numbers, proactive: Numbers) -> Floats:
    """Braking that the fuzzy surrogates ask for, positive [m/s^2]."""
    c, p = np.asarray(critical, np.float64), np.asarray(proactive, np.float64)
    return np.where(c > 0.0, c * (BRAKE_MPS2 - COMFORT_MPS2) + COMFORT_MPS2, p * COMFORT_MPS2)


def rss_longitudinal_m(ego_mps: Numbers, other_mps: Numbers) -> Floats:
    """Safe distance of RSS along the lane [m]."""
    ego, other = np.asarray(ego_mps, np.float64), np.asarray(other_mps, np.float64)
    then = ego + DELAY_S * RSS_ACCEL_MPS2
    way = ego * DELAY_S + 0.5 * RSS_ACCEL_MPS2 * DELAY_S**2
    return np.maximum(0.0, way + then * then / (2 * BRAKE_MPS2) - other * other / (2 * BRAKE_MPS2))


def rss_lateral_m(lateral_mps: Numbers) -> Floats:
    """Safe distance of RSS across [m]."""
    speed = np.asarray(lateral_mps, np.float64)
    then = speed + DELAY_S * RSS_LATERAL_MPS2
    return RSS_MARGIN_M + (speed + then) * DELAY_S / 2.0 + then * then / (2.0 * RSS_LATERAL_MPS2)


def assess(
    model: Model,
    event: Event,
    *,
    ego_mps: Numbers,
    other_mps: Numbers = 0.0,
    distance_m: Numbers = 0.0,
    lateral_mps: Numbers = 0.0,
    decel_mps2: Numbers = 0.0,
    ahead_m: Numbers = 0.0,
    step_s: float = STEP_S,
) -> Assessment:
    """Whether each case was preventable.

    Args:
        model: Yardstick.
        event: What the other car does.
        ego_mps: Our speed.
        other_mps: Speed of a car that cuts in; one that brakes drives as fast as we do.
        distance_m: Gap to the other car as it begins.
        lateral_mps: Its lateral speed, cut-in and cut-out; above 0 there.
        decel_mps2: Its braking.
        ahead_m: Cut-out: from its front to the stopped vehicle that it uncovers.
        step_s: Of the integration; verdicts of the published vectors hold from 0.001 to 0.1.
    Returns:
        Arrays of the shape that all of them broadcast to.
    Raises:
        ValueError: A number that is not finite, a negative one, or a lateral speed of 0 where it needs one.
    """
    given = [
        np.asarray(value, np.float64) for value in (ego_mps, other_mps, distance_m, lateral_mps, decel_mps2, ahead_m)
    ]
    if not all(np.isfinite(value).all() and (value >= 0.0).all() for value in given):
        raise ValueError("speeds, distances and decelerations must be finite and 0 at least")
    if event is not Event.BRAKING and not (given[3] > 0.0).all():
        raise ValueError(f"a {event.value.replace('_', '-')} needs a lateral speed above 0")
    cases = np.broadcast_arrays(*given)
    run = _Run(model, event, [value.ravel().astype(np.float64) for value in cases], step_s)
    run.go()
    shape = cases[0].shape
    return Assessment(run.verdict.reshape(shape), run.value.reshape(shape))


def _fuzzy(x: Any, safe: Floats, unsafe: Floats) -> Floats:
    """1 up to the unsafe distance, 0 from the safe one on, a line between."""
    with np.errstate(divide="ignore", invalid="ignore"):
        between = (x - safe) / (unsafe - safe)
    return np.where(x >= safe, 0.0, np.where(x <= unsafe, 1.0, between))


class _Run:
    """All cases in step; those that are decided leave."""

    def __init__(self, model: Model, event: Event, cases: list[Floats], step_s: float) -> None:
        ego, other, distance, lateral, decel, ahead = cases
        self.model, self.event, self.dt = model, event, step_s
        count = len(ego)
        self.verdict = np.full(count, Verdict.PREVENTABLE, np.int8)
        self.value = np.full(count, NEVER_M)
        self.case = np.arange(count)
        self.speed = ego.copy()
        self.lateral, self.decel = lateral, decel
        self.gap = distance + (LENGTH_M + ahead if event is Event.CUT_OUT else 0.0)
        stopped = np.zeros(count)
        self.other = {Event.CUT_IN: other, Event.CUT_OUT: stopped, Event.BRAKING: ego}[event].copy()
        self.moved = np.zeros(count)  # the other car's way across
        self.brake = np.zeros(count)
        self.accel = np.zeros(count)
        self.waits = np.full(count, DELAY_S)
        self.seen_s = np.full(count, np.inf)  # CCD: when the risk was seen
        self.least = np.full(count, NEVER_M)

    def go(self) -> None:
        """Until all is decided, or for `LONGEST_S`."""
        time_s = 0.0
        while len(self.case) and time_s < LONGEST_S:
            done = self._step(time_s)
            time_s += self.dt
            self._settle(done, Verdict.PREVENTABLE, self.least)
        self._settle(np.ones(len(self.case), bool), Verdict.PREVENTABLE, self.least)

    def _settle(self, which: Flags, verdict: Verdict | npt.NDArray[np.int8], value: Floats) -> None:
        """Write results down and let these cases leave; arrays are of all that are left."""
        if not which.any():
            return
        self.verdict[self.case[which]] = verdict[which] if isinstance(verdict, np.ndarray) else verdict
        self.value[self.case[which]] = value[which]
        stay = ~which
        for name in STATE:
            setattr(self, name, getattr(self, name)[stay])

    def _step(self, time_s: float) -> Flags:
        """One step; which cases came to rest."""
        self._settle_contact()
        if self.model is Model.CCD:
            self._see(time_s)
            ready = time_s >= self.seen_s + DELAY_S - 1e-9
            self.brake = np.where(ready, np.minimum(self.brake + FULL_MPS2 / RAMP_S * self.dt, FULL_MPS2), self.brake)
            speed = np.maximum(self.speed - self.brake * self.dt, 0.0)
        else:
            speed = self._react()
        self.accel = (speed - self.speed) / self.dt
        self.other = np.maximum(self.other - self.decel * self.dt, 0.0)
        self.gap = self.gap + (self.other - speed) * self.dt
        self.speed = speed
        self.moved = self.moved + self.lateral * self.dt
        if self.event is Event.CUT_IN:
            self.moved = np.minimum(self.moved, LANE_M)
        return np.asarray((speed <= 0.0) & ((self.other <= 0.0) | (self.event is not Event.BRAKING)))

    def _across(self) -> Floats:
        """Gap between the sides of the two cars, negative where they overlap [m]."""
        if self.event is Event.CUT_IN:
            across: Floats = LANE_M - WIDTH_M - self.moved
            return across
        return np.full(len(self.case), -WIDTH_M)

    def _settle_contact(self) -> None:
        """Collisions, cars that were passed, and the smallest gap of those behind each other."""
        overlaps = self._across() < 0.0
        hits = overlaps & (self.gap <= 0.0)
        is_hit = hits & (self.gap > -2.0 * LENGTH_M)
        self.least = np.where(overlaps & ~hits, np.minimum(self.least, self.gap), self.least)
        verdict = np.where(is_hit, Verdict.UNPREVENTABLE, Verdict.PREVENTABLE).astype(np.int8)
        self._settle(hits, verdict, np.where(is_hit, self.speed - self.other, self.least))

    def _see(self, time_s: float) -> None:
        """CCD: when the risk is seen; cut-ins that are not critical then leave."""
        if self.event is Event.BRAKING:
            from_s = np.where(self.decel > HARD_BRAKING_MPS2, EVALUATION_S, 0.0)
        else:
            from_s = WANDER_M / self.lateral + EVALUATION_S
        now = np.isinf(self.seen_s) & (time_s >= from_s - 1e-9) & (self.gap > 0.0)
        self.seen_s = np.where(now, time_s, self.seen_s)
        if self.event is Event.CUT_IN and now.any():
            closing = self.speed - self.other
            with np.errstate(divide="ignore", invalid="ignore"):
                is_critical = (closing > 0.0) & (self.gap / closing <= CRITICAL_TTC_S)
            self._settle(now & ~is_critical, Verdict.NOT_CRITICAL, self.gap)

    def _react(self) -> Floats:
        """FSM and RSS: after the delay brake as far as the model asks; returns our new speed."""
        across = self._across()
        is_moving_in = (self.moved < LANE_M) & (self.event is Event.CUT_IN)
        sideways = np.where(is_moving_in, self.lateral, 0.0)
        applies = self.gap > 0.0
        if self.event is Event.CUT_OUT:
            applies &= self.moved > WANDER_M
        target: Floats | float
        if self.model is Model.FSM:
            closing = self.speed - self.other
            with np.errstate(divide="ignore", invalid="ignore"):
                meets = across / sideways < (self.gap + 2.0 * LENGTH_M) / closing + 0.1
            applies &= (across < 0.0) | ((sideways > 0.0) & (closing > 0.0) & meets)
            c = cfs(self.gap, self.speed, self.other, self.accel)[0]
            p = pfs(self.gap, self.speed, self.other)[0]
            is_risk = applies & (c + p > 0.0)
            target = reaction_mps2(c, p)
        else:
            near = (self.gap < rss_longitudinal_m(self.speed, self.other)) & (across < rss_lateral_m(sideways))
            is_risk = applies & near
            target = FULL_MPS2
        waits = is_risk & (self.waits > 1e-9)
        brakes = is_risk & ~waits
        self.waits = np.where(waits, self.waits - self.dt, self.waits)
        self.brake = np.where(brakes, np.minimum(self.brake + JERK_MPS3 * self.dt, target), self.brake)
        return np.asarray(np.where(brakes, np.maximum(self.speed - self.brake * self.dt, 0.0), self.speed))
