"""Following and set speed: one wanted acceleration from the car ahead, the speed allowed, and what lies ahead.

The gap law is a sliding law on a constant time gap with a distance at standstill: a = (dv + k (gap - wanted)) / h. It
lets a column of cars swing up nowhere as long as h exceeds about twice the actuator's lag and delay together; see
`string_stability`, which proves it for a vehicle file and a market. On top of it stands what a gap law does not know:
the braking that a slower car ahead *needs*, bounds of comfort, cut-ins, curves, stopping, and moving off.

    following = build_following(market, vehicle)
    wanted = following.step(Drive(dt_s=0.02, speed_mps=v, max_speed_mps=v_set, time_gap_s=2.0, lead=lead))

Nothing here steers the modes: whoever is not active calls `reset` with the acceleration of the car.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final

from adas_runtime.errors import ConfigError
from adas_runtime.longitudinal.following_params import FollowingParams
from adas_runtime.longitudinal.string_stability import TOLERANCE, shortest_time_gap_s, worst_gain
from adas_runtime.market.facts import HEAVY_FROM_MPS
from adas_runtime.market.facts import Following as FollowingFacts
from adas_runtime.records import maker
from adas_runtime.transitions import Table, Transition
from adas_runtime.units import kmh_to_mps

if TYPE_CHECKING:
    from adas_runtime.arbitration.params import EnvelopeParams
    from adas_runtime.market.schema import Market
    from adas_runtime.vehicle.schema import Vehicle, VehicleLimits

STEP_MAX_S: Final = 0.2  # over a longer gap in time nothing is integrated
AGE_MAX_S: Final = 1.0  # an older lead is none
FAST_MPS: Final = 30.0  # from here on `accel_fast_mps2`
DERIVATIVE_S: Final = 0.4  # filter of the lead's acceleration where the tracker tells none
CUT_IN_SHARE: Final = 0.9  # a new car nearer than this share of the wanted gap cut in
RESTORED_SHARE: Final = 0.95  # of the wanted gap: the cut-in is over
CUT_IN_MAX_S: Final = 15.0
ROOM_MIN_M: Final = 0.5  # a gap shorter than that at standstill asks for no more than this room does
SETTLE_S: Final = 1.0  # after it moved off it does not count as stopped for this long
SAME_GAP_M: Final = 3.0  # a track that begins where another one ended is the same car
SAME_SPEED_MPS: Final = 2.0
CLEAR_M: Final = 2.0  # beyond the gap at standstill: room for the driver to let the car close up
LEAD_MOVES_MPS: Final = 0.5  # a standing car ahead has moved off
RELEASE_JERK_MPS3: Final = 4.0  # of the brake that held the car
APPLY_JERK_MPS3: Final = 3.0
RAMP_MPS: Final = kmh_to_mps(10.0)  # below the speed that a distance is asked for from, the gap grows towards it
TIME_GAP_MIN_S: Final = 1.0  # no market file allows less
NEAR_M: Final = 0.5  # shortest way to a point ahead that braking is spread over


class State(Enum):
    """What it does; `HELD` moves off by itself, `WAITING` at the driver's action alone."""

    FREE = "free"
    FOLLOWING = "following"
    CUT_IN = "cut_in"
    HELD = "held"
    WAITING = "waiting"


class Cause(Enum):
    """What the wanted acceleration rests on."""

    FREE = "free"
    FOLLOWING = "following"
    CUT_IN = "cut_in"
    BRAKING = "braking"  # the car ahead needs more than the gap law asks for
    CURVE = "curve"
    STANDSTILL = "standstill"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """The car followed.

    Args:
        object_id: Its track; another one is another car.
        gap_m: Bumper to bumper, along the lane [m].
        speed_mps: Over ground, along the lane [m/s].
        accel_mps2: `None`: not told; it is then taken from the speed [m/s^2].
        age_s: Time since it was seen [s].
    """

    object_id: int
    gap_m: float
    speed_mps: float
    accel_mps2: float | None = None
    age_s: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Drive:
    """What one step rests on.

    Args:
        dt_s: Time since the former step [s].
        speed_mps: Of the car [m/s].
        max_speed_mps: Current maximum speed (R171 5.3.7.4.5) [m/s].
        time_gap_s: Of the driver's choice and the market, see `market.facts.Following.time_gap_s` [s].
        queue_gap_m: Gap at standstill [m].
        visibility_m: How far one sees, where it is known [m].
        lead: The car ahead, `None`: none.
        slower: Points ahead that want a lower speed, such as curves: (distance [m], speed [m/s]).
        may_move_off: False: after a stop it moves off at the driver's action alone, such as after emergency braking
            (R171 5.5.3.3.4).
        is_resumed: The driver acts to move off in this step (resume, accelerator).
    """

    dt_s: float
    speed_mps: float
    max_speed_mps: float
    time_gap_s: float
    queue_gap_m: float = 2.0
    visibility_m: float | None = None
    lead: Lead | None = None
    slower: tuple[tuple[float, float], ...] = ()
    may_move_off: bool = True
    is_resumed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What it wants.

    Args:
        accel_mps2: Acceleration to ask for [m/s^2].
        needed_mps2: Braking that the car ahead needs, as an acceleration; beyond `-decel_max_mps2` following alone
            does not do [m/s^2].
        gap_m: Wanted gap, `None` without a car ahead [m].
    """

    accel_mps2: float
    cause: Cause
    state: State
    reason: str
    gap_m: float | None = None
    needed_mps2: float = 0.0

    @property
    def is_held(self) -> bool:
        """The car is held at standstill."""
        return self.state is State.HELD or self.state is State.WAITING


@dataclass(frozen=True, slots=True)
class Memory:
    """All that is kept from step to step."""

    state: State = State.FREE
    reason: str = "no_car_ahead"
    accel_mps2: float = 0.0  # asked for in the former step
    time_gap_s: float | None = None
    lead_id: int = -1
    lead_gap_m: float = 0.0
    lead_speed_mps: float = 0.0
    lead_accel_mps2: float = 0.0
    lead_age_s: float = math.inf
    in_state_s: float = 0.0
    may_move_off: bool = True


@dataclass(frozen=True, slots=True)
class View:
    """What the guards see of one step.

    Args:
        is_stopped: Slower than the speed at which it holds, and nothing wants it to drive.
        is_expired: It is held for longer than it may move off by itself, or may not at all.
        is_resumed: The driver acts to move off.
        is_clear: The way ahead is free to move off: no car ahead, or one that is far enough or drives.
        has_moved: The car ahead has driven off.
        has_lead: There is a car ahead.
        cuts_in: It is new and nearer than the wanted gap.
        is_restored: The gap is as wanted again, or was given long enough.
    """

    is_stopped: bool
    is_expired: bool
    is_resumed: bool
    is_clear: bool
    has_moved: bool
    has_lead: bool
    cuts_in: bool
    is_restored: bool


_HELD, _MOVING = (State.HELD, State.WAITING), (State.FREE, State.FOLLOWING, State.CUT_IN)
TRANSITIONS: Final[Table[State, View]] = Table(
    State,
    (
        Transition(_HELD, State.FOLLOWING, lambda v: v.is_resumed and v.is_clear and v.has_lead, "driver_resumes", ""),
        Transition(_HELD, State.FREE, lambda v: v.is_resumed and v.is_clear, "driver_resumes", ""),
        Transition((State.WAITING,), State.HELD, lambda v: v.is_resumed, "driver_resumes_behind_car", "[D]"),
        Transition((State.HELD,), State.WAITING, lambda v: v.is_expired, "held_too_long", "R171 5.5.3.3.4, [D]"),
        Transition((State.HELD,), State.FOLLOWING, lambda v: v.has_moved, "car_ahead_moves_off", ""),
        Transition((State.HELD,), State.WAITING, lambda v: not v.has_lead, "car_ahead_lost", "[D]"),
        Transition(_MOVING, State.HELD, lambda v: v.is_stopped, "stopped", ""),
        Transition(_MOVING, State.FREE, lambda v: not v.has_lead, "no_car_ahead", ""),
        Transition(
            (State.FREE, State.FOLLOWING), State.CUT_IN, lambda v: v.cuts_in, "car_cut_in", "adaptations 4: cut-in"
        ),
        Transition((State.CUT_IN,), State.FOLLOWING, lambda v: v.is_restored, "gap_restored", "adaptations 4: cut-in"),
        Transition((State.FREE,), State.FOLLOWING, lambda v: True, "car_ahead", ""),
    ),
)

REASONS: Final = {
    "no_car_ahead": "No car ahead that matters: it holds the speed allowed.",
    "car_ahead": "A car is ahead: it keeps the gap.",
    "car_cut_in": "A car came in nearer than the wanted gap: it lets the gap grow, within the market's bound.",
    "gap_restored": "The gap is as wanted again.",
    "stopped": "The car stands and is held.",
    "car_ahead_moves_off": "The car ahead moved off soon enough: it follows by itself.",
    "car_ahead_lost": "The car ahead was lost at standstill: the driver has to act to move off.",
    "held_too_long": "It stood too long, or a stop came from an emergency: the driver has to act to move off.",
    "driver_resumes": "The driver let it move off.",
    "driver_resumes_behind_car": "The driver acted while the car ahead still stands: it may move off after it.",
}

make_memory = maker(Memory)
make_view = maker(View)
make_wanted = maker(Wanted)


class GapLaw:
    """The wanted gap over the speed: the greatest of the time gap and of the market's distances in metres.

    A distance alone does not grow with speed, and a column of cars that keep one swings up (R171 says nothing of it;
    mathematics does). So each distance becomes a line that holds it from `floor_full_kmh`, or from the speed it is
    asked for, and grows by `floor_slope_s`; below, it falls to nothing where traffic queues.
    """

    def __init__(self, params: FollowingParams, facts: FollowingFacts, *, is_heavy: bool = False) -> None:
        """`is_heavy`: a truck or bus, whose distance outside built-up areas the market may name in metres."""
        self._full_mps, self._from_mps = kmh_to_mps(params.floor_full_kmh), kmh_to_mps(params.floor_from_kmh)
        self._slope_s = params.floor_slope_s
        self._lines = tuple(self._line(kmh_to_mps(step.above_kmh), step.distance_m) for step in facts.distances)
        if is_heavy and facts.heavy_distance_m is not None:
            self._lines += (self._line(HEAVY_FROM_MPS, facts.heavy_distance_m),)
        self._fog = tuple((step.below_m, self._line(0.0, step.distance_m)) for step in facts.low_visibility)

    def _line(self, above_mps: float, distance_m: float) -> tuple[float, float, float]:
        """Speed from which a distance holds [m/s], the distance [m], and its growth below that speed [s]."""
        if above_mps <= self._full_mps:
            return self._full_mps, distance_m, distance_m / (self._full_mps - self._from_mps)
        return above_mps, distance_m, distance_m / RAMP_MPS

    def wanted(
        self, speed_mps: float, time_gap_s: float, queue_gap_m: float, visibility_m: float | None = None
    ) -> tuple[float, float]:
        """Wanted gap [m], and the time gap that the law's gain rests on [s]."""
        gap_m, gain_s = queue_gap_m + time_gap_s * speed_mps, time_gap_s
        lines = self._lines
        if visibility_m is not None and self._fog:
            lines += tuple(line for below_m, line in self._fog if visibility_m < below_m)[:1]
        for knee_mps, distance_m, ramp_s in lines:
            over_mps = speed_mps - knee_mps
            line_m = distance_m + (self._slope_s if over_mps > 0.0 else ramp_s) * over_mps
            if line_m > gap_m:
                gap_m = line_m
                gain_s = min(self._slope_s, time_gap_s)
        return gap_m, gain_s


class Following:
    """Following and set speed; see `TRANSITIONS`.

    It speeds up for nobody's sake: a car ahead that is lost for a moment is believed in for `lead_hold_s`, one that is
    lost at standstill is waited for
    no longer: the driver decides. Comfort bounds hold in all of it but where the car ahead needs more braking, up to
    `decel_max_mps2`; what needs more is emergency braking's work, and `needed_mps2` says so.
    """

    def __init__(self, params: FollowingParams, facts: FollowingFacts, *, is_heavy: bool = False) -> None:
        self.state = Memory()
        self._params = params
        self._law = GapLaw(params, facts, is_heavy=is_heavy)
        self._cut_in_decel_mps2 = min(facts.cut_in_brake_max_mps2, params.decel_max_mps2)

    def reset(self, accel_mps2: float = 0.0, *, is_standing: bool = False) -> None:
        """Start afresh from the car's acceleration; a standing car is held and waits for the driver."""
        state = State.WAITING if is_standing else State.FREE
        accel_mps2 = accel_mps2 if math.isfinite(accel_mps2) else 0.0
        self.state = Memory(
            state=state, reason="held_too_long" if is_standing else "no_car_ahead", accel_mps2=accel_mps2
        )

    def step(self, drive: Drive) -> Wanted:
        """One step; total over all inputs. Without a speed that is a number it asks for what it asked before."""
        old, params = self.state, self._params
        speed_mps = drive.speed_mps
        if not math.isfinite(speed_mps + drive.max_speed_mps + drive.time_gap_s + drive.queue_gap_m):
            return make_wanted(
                accel_mps2=min(old.accel_mps2, 0.0), cause=Cause.FREE, state=old.state, reason=old.reason
            )
        dt_s = drive.dt_s
        if not 0.0 <= dt_s <= STEP_MAX_S:
            dt_s = STEP_MAX_S if dt_s > 0.0 else 0.0
        if speed_mps < 0.0:
            speed_mps = 0.0

        lead_id, lead_gap_m, lead_speed_mps, lead_accel_mps2, lead_age_s = self._lead(old, drive, speed_mps, dt_s)
        has_lead = lead_age_s <= AGE_MAX_S
        time_gap_s = drive.time_gap_s if drive.time_gap_s > TIME_GAP_MIN_S else TIME_GAP_MIN_S
        if time_gap_s != old.time_gap_s:
            time_gap_s = self._slewed(old.time_gap_s, time_gap_s, dt_s)
        gap_m, gain_s = self._law.wanted(speed_mps, time_gap_s, drive.queue_gap_m, drive.visibility_m)

        # --- state ---
        in_state_s = old.in_state_s + dt_s
        may_move_off = old.may_move_off and drive.may_move_off
        is_held = old.state is State.HELD or old.state is State.WAITING
        is_new = has_lead and self._is_new(old, lead_id, lead_gap_m, lead_speed_mps)
        state, reason = old.state, old.reason
        if is_new or speed_mps < params.standstill_mps or state is not (State.FOLLOWING if has_lead else State.FREE):
            view = self._view(
                old,
                drive,
                speed_mps,
                in_state_s,
                gap_m,
                lead_gap_m if has_lead else None,
                lead_speed_mps,
                may_move_off=may_move_off,
                is_new=is_new,
            )
            row = TRANSITIONS.fire(state, view)
            if row is not None:
                state, reason = row.target, row.reason
                if state is not old.state:
                    in_state_s = 0.0
                    if state is State.HELD or old.state is State.WAITING:
                        may_move_off = drive.may_move_off or drive.is_resumed
        if not is_held and state is not State.HELD:
            may_move_off = True

        # --- acceleration ---
        needed_mps2 = 0.0
        if state is State.HELD or state is State.WAITING:
            wanted, cause = -params.hold_decel_mps2, Cause.STANDSTILL
            up, down = RELEASE_JERK_MPS3, APPLY_JERK_MPS3
        else:
            up, down = params.jerk_up_mps3, params.jerk_down_mps3
            top_mps2 = params.accel_fast_mps2
            if speed_mps < FAST_MPS:
                top_mps2 += (params.accel_max_mps2 - top_mps2) * (1.0 - speed_mps / FAST_MPS)
            wanted, cause = params.speed_gain_1ps * (drive.max_speed_mps - speed_mps), Cause.FREE
            if wanted > top_mps2:
                wanted = top_mps2
            elif wanted < -params.decel_speed_mps2:
                wanted = -params.decel_speed_mps2
            for distance_m, slower_mps in drive.slower:
                if slower_mps < speed_mps:
                    curve = self._curve(distance_m, slower_mps, speed_mps, top_mps2)
                    if curve < wanted:
                        wanted, cause = curve, Cause.CURVE
            if has_lead:
                is_cut_in = state is State.CUT_IN
                gain_1ps = params.cut_in_gain_1ps if is_cut_in else params.gap_gain_1ps
                bound = self._cut_in_decel_mps2 if is_cut_in else params.decel_comfort_mps2
                follow = (lead_speed_mps - speed_mps + gain_1ps * (lead_gap_m - gap_m)) / gain_s
                if follow < -bound:
                    follow = -bound
                if follow < wanted:
                    wanted, cause = follow, Cause.CUT_IN if is_cut_in else Cause.FOLLOWING
                needed_mps2 = braking_needed_mps2(
                    lead_gap_m, speed_mps, lead_speed_mps, lead_accel_mps2, drive.queue_gap_m
                )
                if needed_mps2 < -0.5 * params.avoid_from_mps2:
                    brake = max(_blend(needed_mps2, params.avoid_from_mps2, top_mps2), -params.decel_max_mps2)
                    if brake < wanted:
                        wanted, cause = brake, Cause.BRAKING
                        if brake < -bound:
                            down = params.jerk_avoid_mps3
            if old.accel_mps2 < 0.0:
                up = RELEASE_JERK_MPS3 if is_held else max(up, params.jerk_down_mps3)
        accel_mps2, change_mps2 = old.accel_mps2, wanted - old.accel_mps2
        accel_mps2 += -down * dt_s if change_mps2 < -down * dt_s else min(change_mps2, up * dt_s)
        self.state = make_memory(
            state,
            reason,
            accel_mps2,
            time_gap_s,
            lead_id,
            lead_gap_m,
            lead_speed_mps,
            lead_accel_mps2,
            lead_age_s,
            in_state_s,
            may_move_off,
        )
        return make_wanted(
            accel_mps2=accel_mps2,
            cause=cause,
            state=state,
            reason=reason,
            gap_m=gap_m if has_lead else None,
            needed_mps2=needed_mps2,
        )

    def _view(
        self,
        old: Memory,
        drive: Drive,
        speed_mps: float,
        in_state_s: float,
        gap_m: float,
        lead_gap_m: float | None,
        lead_speed_mps: float,
        *,
        may_move_off: bool,
        is_new: bool,
    ) -> View:
        """What the guards see; not needed in most steps: who drives on, behind the same car or none, stays as he is."""
        params = self._params
        may_drive = drive.max_speed_mps >= params.standstill_mps
        has_lead = lead_gap_m is not None
        has_moved = lead_gap_m is not None and lead_speed_mps > LEAD_MOVES_MPS and lead_gap_m > drive.queue_gap_m
        return make_view(
            is_stopped=speed_mps < params.standstill_mps
            and old.accel_mps2 <= 0.0
            and in_state_s > SETTLE_S
            and (not may_move_off or not may_drive or (has_lead and not has_moved)),
            is_expired=in_state_s > params.move_off_within_s or not may_move_off,
            is_resumed=drive.is_resumed,
            is_clear=may_drive and (lead_gap_m is None or has_moved or lead_gap_m > drive.queue_gap_m + CLEAR_M),
            has_moved=has_moved and may_drive,
            has_lead=has_lead,
            cuts_in=is_new and lead_gap_m is not None and lead_gap_m < CUT_IN_SHARE * gap_m,
            is_restored=lead_gap_m is None or lead_gap_m >= RESTORED_SHARE * gap_m or in_state_s > CUT_IN_MAX_S,
        )

    def _lead(self, old: Memory, drive: Drive, speed_mps: float, dt_s: float) -> tuple[int, float, float, float, float]:
        """The car ahead as of now: track, gap, speed, acceleration, and the age of what that rests on."""
        lead = drive.lead
        if lead is None or not math.isfinite(lead.gap_m + lead.speed_mps + lead.age_s) or lead.age_s > AGE_MAX_S:
            age_s = old.lead_age_s + dt_s
            if age_s > self._params.lead_hold_s:
                return old.lead_id, old.lead_gap_m, old.lead_speed_mps, 0.0, math.inf
            gap_m = max(old.lead_gap_m + (old.lead_speed_mps - speed_mps) * dt_s, 0.0)
            return old.lead_id, gap_m, old.lead_speed_mps, min(old.lead_accel_mps2, 0.0), age_s
        age_s = lead.age_s if lead.age_s > 0.0 else 0.0
        gap_m = lead.gap_m + (lead.speed_mps - speed_mps) * age_s
        if gap_m < 0.0:
            gap_m = 0.0
        if lead.accel_mps2 is not None and math.isfinite(lead.accel_mps2):
            accel = lead.accel_mps2
        elif lead.object_id != old.lead_id or dt_s <= 0.0 or old.lead_age_s > AGE_MAX_S:
            accel = 0.0
        else:
            raw = (lead.speed_mps - old.lead_speed_mps) / dt_s
            accel = old.lead_accel_mps2 + (raw - old.lead_accel_mps2) * dt_s / (DERIVATIVE_S + dt_s)
        return lead.object_id, gap_m, lead.speed_mps, min(max(accel, -10.0), 5.0), age_s

    def _is_new(self, old: Memory, lead_id: int, gap_m: float, speed_mps: float) -> bool:
        """Whether the car ahead is another one than before: somebody came in between.

        Nothing is new in the first step after a reset: whoever switches on behind a car saw it there.
        """
        if lead_id == old.lead_id or old.time_gap_s is None:
            return False
        return (
            old.lead_age_s > AGE_MAX_S
            or abs(gap_m - old.lead_gap_m) > SAME_GAP_M
            or abs(speed_mps - old.lead_speed_mps) > SAME_SPEED_MPS
        )

    def _slewed(self, old_s: float | None, wanted_s: float, dt_s: float) -> float:
        """The time gap in force: a change comes in gradually, or the car would brake for a button."""
        if old_s is None:
            return wanted_s
        step = self._params.gap_slew * dt_s
        return min(max(wanted_s, old_s - step), old_s + step)

    def _curve(self, distance_m: float, slower_mps: float, speed_mps: float, top_mps2: float) -> float:
        """Acceleration that a lower speed ahead allows."""
        params = self._params
        if distance_m <= NEAR_M:
            return max(params.speed_gain_1ps * (slower_mps - speed_mps), -params.decel_comfort_mps2)
        needed = (slower_mps * slower_mps - speed_mps * speed_mps) / (2.0 * distance_m)
        return max(_blend(needed, params.curve_from_mps2, top_mps2), -params.decel_comfort_mps2)


def build_following(market: Market, vehicle: Vehicle) -> Following:
    """The controller of one market and one vehicle.

    Raises:
        ConfigError: With this vehicle's engine and brakes a column of such cars would swing up at the market's gaps.
    """
    facts, params, drive = market.following, market.longitudinal, vehicle.drive
    for slope_s in (facts.time_gap_s(), params.floor_slope_s):
        worst = worst_gain(
            slope_s=slope_s,
            gain_s=slope_s,
            gap_gain_1ps=params.gap_gain_1ps,
            lag_s=drive.lag_s,
            delay_s=drive.delay_s,
        )
        if worst > 1.0 + TOLERANCE:
            shortest_s = shortest_time_gap_s(gap_gain_1ps=params.gap_gain_1ps, lag_s=drive.lag_s, delay_s=drive.delay_s)
            raise ConfigError(
                f"a column of cars swings up at {slope_s:g} s, by {100.0 * (worst - 1.0):.1f} % from car to car, with "
                f"drive.delay_s = {drive.delay_s:g} and drive.lag_s = {drive.lag_s:g}",
                where=f"market {market.name}, vehicle {vehicle.name}",
                mend=f"take gaps of {shortest_s:.2f} s and more, or lower longitudinal.gap_gain_1ps",
            )
    return Following(
        fitted(params, market.envelope, vehicle.limits), facts, is_heavy=vehicle.category not in ("M1", "N1")
    )


def fitted(params: FollowingParams, envelope: EnvelopeParams, limits: VehicleLimits) -> FollowingParams:
    """The parameters within what the envelope and the vehicle's maker let pass.

    A controller that counts on more braking than the gate behind it gives brakes too late, and does not know it.
    """
    brake_mps2 = min(-envelope.accel_min_mps2, -limits.accel_min_mps2)
    brake_jerk = min(-envelope.jerk_min_mps3, -limits.jerk_min_mps3)
    accel_mps2 = min(envelope.accel_max_mps2, limits.accel_max_mps2)
    bounds = {
        "accel_max_mps2": accel_mps2,
        "accel_fast_mps2": accel_mps2,
        "decel_speed_mps2": brake_mps2,
        "decel_comfort_mps2": brake_mps2,
        "decel_max_mps2": brake_mps2,
        "hold_decel_mps2": brake_mps2,
        "jerk_up_mps3": min(envelope.jerk_max_mps3, limits.jerk_max_mps3),
        "jerk_down_mps3": brake_jerk,
        "jerk_avoid_mps3": brake_jerk,
    }
    changes = {name: bound for name, bound in bounds.items() if getattr(params, name) > bound}
    return params.model_copy(update=changes) if changes else params


def _blend(needed_mps2: float, from_mps2: float, top_mps2: float) -> float:
    """Upper bound on the acceleration for a braking that is needed: none at half of `from_mps2`, all of it from there.

    Without the slope between, it would switch on and off around `from_mps2`.
    """
    if needed_mps2 <= -from_mps2:
        return needed_mps2
    share = -needed_mps2 / from_mps2  # 0.5 to 1
    return top_mps2 + (2.0 * share - 1.0) * (-from_mps2 - top_mps2) if share > 0.5 else top_mps2


def braking_needed_mps2(
    gap_m: float, speed_mps: float, lead_speed_mps: float, lead_accel_mps2: float, queue_gap_m: float
) -> float:
    """Constant acceleration (not above 0) that keeps the gap at standstill from a car ahead that goes on so.

    Where it brakes to a standstill before the gap is used up, its place of standstill counts; else the closing speed.
    """
    room_m = max(gap_m - queue_gap_m, ROOM_MIN_M)
    lead_mps = max(lead_speed_mps, 0.0)
    closing_mps = speed_mps - lead_mps
    lead_decel = max(-lead_accel_mps2, 0.0)
    if lead_decel < 0.1:
        return -closing_mps * closing_mps / (2.0 * room_m) if closing_mps > 0.0 else 0.0
    stop_m = room_m + lead_mps * lead_mps / (2.0 * lead_decel)
    to_stop = speed_mps * speed_mps / (2.0 * stop_m)
    # time that the lead needs to stand; whoever brakes at `to_stop` for longer than that stops behind it
    if closing_mps <= 0.0 or speed_mps * lead_decel >= lead_mps * to_stop:
        return -to_stop
    return -(lead_decel + closing_mps * closing_mps / (2.0 * room_m))
