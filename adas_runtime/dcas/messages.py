"""What assistance says and asks for: alerts, state, requests, lamps, status."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adas_runtime.dcas import change, mrm
from adas_runtime.dcas.alerts import Said, make_said
from adas_runtime.dcas.change import State as Change
from adas_runtime.dcas.change import side_of
from adas_runtime.dcas.engagement import Alarm, Eyes, Hands
from adas_runtime.dcas.memory import NAME, STANDING_MPS, Memory, Now, Told
from adas_runtime.dcas.modes import CONTROLLING, MODES, PRECONDITIONS, WORKING, State
from adas_runtime.dcas.override import LATERAL_MODES, LONGITUDINAL_MODES, Lateral, Longitudinal
from adas_runtime.dcas.speed import Allowed, gap_in_force_s
from adas_runtime.function import EPS_S, Status, oldest_input
from adas_runtime.longitudinal.following import State as Follow
from adas_runtime.longitudinal.following import Wanted
from adas_runtime.market.schema import Market
from adas_runtime.records import maker
from adas_runtime.signals import (
    AlertSide,
    AssistanceMode,
    AssistanceState,
    EngagementStage,
    Health,
    LampDemand,
    LaneSide,
    LateralRequest,
    LongitudinalRequest,
    ManoeuvreState,
    RoadClass,
)

RISK_RANK: Final = 3  # `arbitration.arbiter.LongitudinalRank`; a test holds them together
WATCH_S: Final = 0.02  # between two steps while it stands by, or works and asks for next to no change
DECELERATION_RANK: Final = 4
PROPULSION_RANK: Final = 6
CENTRING_RANK: Final = 4  # `arbitration.arbiter.LateralRank`
STATE_PERIOD_S: Final = 0.2
SEGMENTS_MAX: Final = 16
PROBABILITY_MIN: Final = 0.5
SIDES: Final = {LaneSide.LEFT: AlertSide.LEFT, LaneSide.RIGHT: AlertSide.RIGHT}
DARK: Final = (LampDemand.NO_DEMAND,) * 3
HANDS_ON: Final = Said("dcas_hands_on", "hands_on_request")
HANDS_ON_ESCALATED: Final = Said("dcas_hands_on_escalated", "hands_on_escalated")
EYES_ON: Final = Said("dcas_eyes_on", "eyes_on_request")
EYES_ON_ESCALATED: Final = Said("dcas_eyes_on_escalated", "eyes_on_escalated")
TAKE_OVER: Final = Said("dcas_take_over", "take_over")
STOPPED: Final = Said("dcas_stopped", "stopped")
BOUNDARY_AHEAD: Final = Said("dcas_boundary_ahead", "road_outside")
OVER_LIMIT: Final = Said("dcas_over_limit", "above_limit")

make_state = maker(AssistanceState)
make_lateral = maker(LateralRequest)
make_longitudinal = maker(LongitudinalRequest)
make_status = maker(Status)


class Messages:
    """Makes the messages of a step from what was judged and driven."""

    def __init__(self, market: Market) -> None:
        self._params = market.dcas
        self._following = market.following
        self._roads = frozenset(RoadClass[name.upper()] for name in market.dcas.roads)

    def wanted(
        self, memory: Memory, now: Now, allowed: Allowed | None, wanted: Wanted | None
    ) -> tuple[Said | None, Said | None, Said | None, Said | None]:
        """What is wanted said of hands, of eyes, as a notice and as information."""
        return (
            self._said_hands(memory),
            self._said_eyes(memory),
            self._said_notice(memory, now),
            self._said_info(memory, now, allowed, wanted),
        )

    def news(self, told: Told, now: Now, allowed: Allowed | None) -> Told:
        """Information of something that just happened."""
        now_s = now.now_s
        if allowed is None:
            return told if told.news is None else replace(told, news=None)
        news = None
        if allowed.is_limit_changed:
            news = make_said("dcas_limit_changed", "limit_changed", AlertSide.NONE)
        elif allowed.is_gap_notice_due:
            news = make_said("dcas_gap_notice", "gap_below_2_s", AlertSide.NONE)
        if news is not None:
            return replace(told, news=news, news_until_s=now_s + self._params.notice_s)
        if told.news is not None and now_s >= told.news_until_s:
            return replace(told, news=None)
        return told

    def _said_hands(self, memory: Memory) -> Said | None:
        if memory.state not in CONTROLLING:
            return None
        hands = memory.engagement.hands
        if hands is Hands.REQUESTED:
            return HANDS_ON
        return HANDS_ON_ESCALATED if hands is Hands.ESCALATED else None

    def _said_eyes(self, memory: Memory) -> Said | None:
        state, engagement = memory.state, memory.engagement
        if state is State.RISK_MITIGATION:
            return make_said("dcas_stopping", memory.reason, AlertSide.NONE)
        if state is State.HELD:
            return STOPPED
        if state not in CONTROLLING:
            return None
        if engagement.alarm is Alarm.TAKE_OVER:
            return TAKE_OVER
        if engagement.eyes is Eyes.REQUESTED:
            return EYES_ON
        return EYES_ON_ESCALATED if engagement.eyes is Eyes.ESCALATED else None

    def _said_notice(self, memory: Memory, now: Now) -> Said | None:
        state = memory.state
        if state is State.EXITING:
            return make_said("dcas_hand_back", memory.reason, AlertSide.NONE)
        if memory.failed and state is State.OFF:
            return make_said("dcas_fault", memory.failed, AlertSide.NONE)
        manoeuvre = memory.manoeuvre
        if state in CONTROLLING:
            if manoeuvre.state in (Change.SUPPRESSED, Change.RETURNING):
                return make_said("dcas_change_suppressed", manoeuvre.reason, side_of(manoeuvre.side))
            is_meant = manoeuvre.stalk != 0 or manoeuvre.state in change.MOVING
            if memory.driven.lateral is Lateral.CONTROL and not is_meant and now.lane:
                for edge in now.lane.edges:  # R171 5.3.7.1.4: unintentionally
                    if edge.is_seen and edge.distance_m < 0.0:
                        return make_said("dcas_crossing", "tyre_on_marking", SIDES.get(edge.side, AlertSide.NONE))
        return memory.told.past

    def _said_info(self, memory: Memory, now: Now, allowed: Allowed | None, wanted: Wanted | None) -> Said | None:
        if memory.state not in CONTROLLING or allowed is None:
            return None
        manoeuvre = memory.manoeuvre
        if manoeuvre.state is Change.MANOEUVRE and now.speed_mps < STANDING_MPS:
            return make_said("dcas_change_stands", "standing", side_of(manoeuvre.side))
        if manoeuvre.state is Change.PROPOSED:
            return make_said("dcas_change_proposed", manoeuvre.reason, side_of(manoeuvre.side))
        if memory.told.news is not None:
            return memory.told.news
        if memory.driven.longitudinal is Longitudinal.SUSPENDED:
            return make_said("dcas_speed_suspended", memory.driven.longitudinal_reason, AlertSide.NONE)
        if wanted is not None and wanted.state is Follow.WAITING and memory.driven.longitudinal is Longitudinal.CONTROL:
            return make_said("dcas_press_to_go", wanted.reason, AlertSide.NONE)
        if self._is_boundary_ahead(now):
            return BOUNDARY_AHEAD
        return OVER_LIMIT if allowed.is_over_limit else None

    def _is_boundary_ahead(self, now: Now) -> bool:
        """The map's road ahead leaves what assistance is designed for (R171 5.3.5.5)."""
        if now.horizon is None:
            return False
        reach_m = now.speed_mps * self._params.boundary_lead_s
        for segment in now.horizon.segments[:SEGMENTS_MAX]:
            if segment.offset_m > reach_m:
                return False
            if (
                segment.probability >= PROBABILITY_MIN
                and segment.road_class is not RoadClass.UNKNOWN
                and segment.road_class not in self._roads
            ):
                return True
        return False

    def lateral(self, memory: Memory, now: Now, stamp_s: float) -> tuple[LateralRequest | None, bool]:
        """Steering asked for, and whether it is; one last message when it ends."""
        driven, is_asking = memory.driven, False
        if now.vehicle is not None:
            is_stopping = memory.state is State.RISK_MITIGATION and now.is_way and not now.is_steering
            is_asking = driven.lateral is Lateral.CONTROL or is_stopping
        if not is_asking and not driven.is_asking_lateral:
            return None, False
        oldest, stamp_s = oldest_input(vehicle=stamp_s, lane=None if now.lane is None else now.lane.stamp_s)
        return (
            make_lateral(
                stamp_s=stamp_s,
                oldest_input=oldest,
                author=NAME,
                cause=driven.lateral_reason if memory.state in CONTROLLING else memory.reason,
                is_active=is_asking,
                curvature_1pm=driven.control.curvature_1pm if is_asking else 0.0,
                priority=CENTRING_RANK,
            ),
            is_asking,
        )

    def longitudinal(
        self, memory: Memory, now: Now, wanted: Wanted | None, stamp_s: float
    ) -> tuple[LongitudinalRequest | None, bool]:
        """Acceleration asked for, and whether it is; one last message when it ends."""
        driven, accel_mps2 = memory.driven, memory.driven.accel_mps2
        is_stopping = memory.state is State.RISK_MITIGATION or memory.state is State.HELD
        is_asking = wanted is not None and (
            is_stopping
            or driven.longitudinal is Longitudinal.CONTROL
            or (driven.longitudinal is Longitudinal.BRAKED and accel_mps2 < 0.0)
        )
        if not is_asking and not driven.is_asking_longitudinal:
            return None, False
        rank = RISK_RANK if is_stopping else DECELERATION_RANK if accel_mps2 < 0.0 else PROPULSION_RANK
        cause = memory.reason
        if is_asking and wanted is not None and not is_stopping:
            is_slower = memory.state is State.EXITING and accel_mps2 < wanted.accel_mps2  # than following wants
            cause = memory.reason if is_slower else wanted.cause.value
        # a stop for want of a driver is held on without anybody's eyes
        seen_s = None if now.objects is None or is_stopping else now.objects.stamp_s
        oldest, stamp_s = oldest_input(vehicle=stamp_s, objects=seen_s)
        return (
            make_longitudinal(
                stamp_s=stamp_s,
                oldest_input=oldest,
                author=NAME,
                cause=cause,
                is_active=is_asking,
                accel_mps2=accel_mps2 if is_asking else 0.0,
                priority=rank,
            ),
            is_asking,
        )

    def lamps(self, memory: Memory) -> tuple[LampDemand, LampDemand, LampDemand]:
        """Hazard, indicator left, indicator right."""
        on, none = LampDemand.ON, LampDemand.NO_DEMAND
        manoeuvre = memory.manoeuvre
        side = manoeuvre.side if manoeuvre.state in change.INDICATING else 0
        is_stopping = memory.state is State.RISK_MITIGATION or memory.state is State.HELD
        # R79 5.1.6.3.4; the same lamps tell of a lane change while there is one [D]
        hazard = on if is_stopping and side == 0 else none
        return hazard, on if side > 0 else none, on if side < 0 else none

    def state(
        self, memory: Memory, now: Now, allowed: Allowed | None, wanted: Wanted | None, stamp_s: float
    ) -> tuple[AssistanceState | None, tuple[object, ...], float]:
        """What the driver is told all the time (R171 5.5.4.1.1); `None` while nothing changes for a moment."""
        driven, told, state = memory.driven, memory.told, memory.state
        mode = MODES[state]
        is_controlling = state in CONTROLLING
        lateral = LATERAL_MODES[driven.lateral] if is_controlling else mode
        longitudinal = LONGITUDINAL_MODES[driven.longitudinal] if is_controlling else mode
        is_held = state is State.HELD or (
            is_controlling and wanted is not None and wanted.is_held and longitudinal is AssistanceMode.ACTIVE
        )
        set_mps = None if allowed is None else allowed.set_mps
        max_mps = None if allowed is None else allowed.max_mps
        stage = memory.engagement.stage if state in WORKING else EngagementStage.NONE
        manoeuvre = change.TOLD[memory.manoeuvre.state] if state in WORKING else ManoeuvreState.NONE
        limit_mps = None if allowed is None else allowed.limit_mps
        is_horn = is_help = False
        if state is State.HELD:
            held_s = now.now_s - memory.entered_s + EPS_S
            is_horn, is_help = mrm.outside_help(self._params.risk, held_s, is_hands_on=now.is_hands_on)
        help_key = (is_horn, is_help)
        key = (
            mode,
            lateral,
            longitudinal,
            stage,
            manoeuvre,
            set_mps,
            max_mps,
            limit_mps,
            is_held,
            memory.reason,
            help_key,
        )
        if key == told.state and now.now_s - told.state_s < STATE_PERIOD_S - EPS_S:
            return None, key, told.state_s
        lead = driven.lead.lead if state in WORKING else None
        return (
            make_state(
                stamp_s=stamp_s,
                mode=mode,
                lateral=lateral,
                longitudinal=longitudinal,
                engagement=stage,
                manoeuvre=manoeuvre,
                manoeuvre_side=side_of(memory.manoeuvre.side),
                set_speed_mps=set_mps,
                max_speed_mps=max_mps,
                limit_mps=limit_mps,
                time_gap_s=None if allowed is None else gap_in_force_s(self._following, now, allowed.choice),
                lead_gap_m=None if lead is None else min(lead.gap_m, 500.0),
                lead_speed_mps=None if lead is None else max(min(lead.speed_mps, 150.0), -150.0),
                is_standstill_held=is_held,
                is_horn_wanted=is_horn,
                is_help_wanted=is_help,
                reason=memory.unmet if state is State.INACTIVE and memory.unmet else memory.reason,
            ),
            key,
            now.now_s,
        )

    def status(self, memory: Memory, *, is_calm: bool) -> Status:
        """What the function says of itself; `is_calm`: every other vehicle state is soon enough for the next step."""
        state, driven = memory.state, memory.driven
        health, reason = Health.OK, memory.reason
        if memory.failed:
            health, reason = Health.FAULT, memory.failed
        elif memory.unmet and state is not State.OFF and PRECONDITIONS.get(memory.unmet, (False,))[0]:
            health = Health.DEGRADED
        if state is State.INACTIVE and memory.unmet:
            reason = memory.unmet
        elif state in CONTROLLING:
            if memory.engagement.stage is not EngagementStage.NONE:
                reason = memory.engagement.reason
            elif driven.lateral is not Lateral.CONTROL:
                reason = driven.lateral_reason
            elif driven.longitudinal is not Longitudinal.CONTROL:
                reason = driven.longitudinal_reason
            elif memory.manoeuvre.state is not Change.NONE:
                reason = memory.manoeuvre.reason
        return make_status(
            state=state.value,
            is_active=state in WORKING,
            health=health,
            reason=reason,
            kpis=figures(memory),
            rest_s=0.0 if state in WORKING and not is_calm else WATCH_S,
        )


def figures(memory: Memory) -> tuple[float | None, ...]:
    """The figures of the status, in the order of the declaration."""
    counters, is_working = memory.counters, memory.state in WORKING
    lead = memory.driven.lead.lead if is_working else None
    return (
        counters.passive_m,
        counters.active_m,
        counters.over_limit_m,
        float(counters.unavailable),
        float(counters.hands_requests),
        float(counters.eyes_requests),
        float(counters.take_overs),
        float(counters.ended_failure),
        float(counters.ended_boundary),
        float(counters.ended_other),
        float(counters.lane_changes),
        float(counters.occurrences),
        memory.driven.control.offset_m if memory.driven.lateral is Lateral.CONTROL else None,
        lead.gap_m if lead is not None else None,
    )
