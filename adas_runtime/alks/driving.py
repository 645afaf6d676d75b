"""How it drives: the gap to the car ahead, emergency braking, the stop, the middle of the lane (UN R157 5.2 to 5.5)."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Final

from adas_runtime.alks.looking import Looking, Now
from adas_runtime.alks.memory import STANDING_MPS, Driven, Memory, with_driven
from adas_runtime.alks.params import EMERGENCY_MPS2
from adas_runtime.alks.side import SideStep, SideStepper
from adas_runtime.alks.side import State as Side
from adas_runtime.alks.states import CONTROLLING, DRIVING, Emergency, State
from adas_runtime.alks.table import following_gap_s
from adas_runtime.collision.bundle import brakes_of
from adas_runtime.collision.threat import ThreatFinder, Track
from adas_runtime.lateral.change_judge import Judge
from adas_runtime.lateral.control import CENTRE, PathControl, Target
from adas_runtime.lateral.gap import WIDTH_USUAL_M
from adas_runtime.longitudinal.curves import slower_ahead
from adas_runtime.longitudinal.following import Drive, Lead, braking_needed_mps2, build_following
from adas_runtime.longitudinal.lead import ONCOMING_MPS, LeadChooser, middle_of
from adas_runtime.market.schema import Market
from adas_runtime.records import maker
from adas_runtime.signals import RADAR_ALONE, EgoLane, TrackedObjects
from adas_runtime.units import kmh_to_mps
from adas_runtime.vehicle.schema import Vehicle

BESIDE_RATE_MPS: Final = 0.3  # to the side, for who drives beside us [D]
BESIDE_WIDTH_M: Final = 1.8
INTRUDES_M: Final = 0.475  # a car 1.8 m wide, 0.375 m out of the middle of a lane of 3.5 m (R157 Annex 3, CCD)
INTRUDES_MPS: Final = 0.3  # slower, and it wanders in its lane [D]
SEEN_PICTURES: Final = 4  # a ghost of a picture or two is nothing in the way [D]
PASSED_S: Final = 0.1  # R157 Annex 3, FSM's lateral check
BESIDE_LENGTH_M: Final = 4.5
BESIDE_AHEAD_M: Final = 5.0  # who will soon be beside us counts already [D]

make_drive = maker(Drive)


class Driving:
    """Speed and steering; all memory is in `Driven`."""

    def __init__(self, market: Market, vehicle: Vehicle, looking: Looking) -> None:
        params = self._params = market.alks
        size = vehicle.dimensions
        self._facts = market.following
        self._is_heavy = vehicle.category not in ("M1", "N1")
        self._control = PathControl(market.lateral_control, vehicle)
        self._following = build_following(market, vehicle)
        self._chooser = LeadChooser(vehicle)
        self._finder = ThreatFinder(market.aeb, vehicle, brakes_of(market, vehicle))
        self._side = SideStepper(
            Judge(market.lane_change, market.lane_centring, vehicle),
            market.lane_change,
            -1 if market.road.traffic_side == "right" else 1,
        )
        self._has_side = looking.may_change_lane
        self._side_from_mps = kmh_to_mps(market.dcas.risk.change_from_kmh)
        self._side_decel_mps2 = market.dcas.risk.decel_change_mps2
        self._curve_mps2 = market.longitudinal.curve_lateral_accel_mps2
        self._lateral_max_mps2 = params.lateral_accel_max_mps2
        self._front_m = size.wheelbase_m + size.front_overhang_m
        self._rear_m = size.length_m - self._front_m
        self._half_m, self._tyre_half_m = 0.5 * size.width_m, 0.5 * size.tyre_outer_width_m

    def watched(self, old: Driven, now: Now, *, is_new_drive: bool) -> Driven:
        """What is ahead, before anything is decided: the car ahead, and how hard it must be braked for."""
        vehicle = now.vehicle
        if vehicle is None:
            return old
        self._chooser.state = old.lead
        lead = self._chooser.step(now.objects, now.lane, now.speed_mps, vehicle.yaw_rate_rps, now.now_s)
        tracks, stamp_s, threat_mps2 = self._threat(old, now)
        need_mps2 = -threat_mps2
        nearest, in_way_mps2 = self._in_way(tracks, now)
        if nearest is not None and (lead is None or nearest.gap_m < lead.gap_m):
            lead = nearest
        self._following.state = old.following
        if is_new_drive:
            self._following.reset(vehicle.accel_mps2 or 0.0, is_standing=now.speed_mps < STANDING_MPS)
        wanted = self._following.step(
            make_drive(
                dt_s=now.dt_s,
                speed_mps=now.speed_mps,
                max_speed_mps=now.limit_mps,
                time_gap_s=self._gap_s(now),
                queue_gap_m=self._facts.queue_gap_m,
                lead=lead,
                slower=slower_ahead(now.lane, now.horizon, now.speed_mps, self._curve_mps2),
                is_resumed=True,  # nobody has to act for it to move off in a queue
            )
        )
        need_mps2 = min(need_mps2, wanted.needed_mps2, in_way_mps2)
        return with_driven(
            old,
            following=self._following.state,
            lead=self._chooser.state,
            tracks=tracks,
            stamp_s=stamp_s,
            accel_mps2=wanted.accel_mps2,
            needed_mps2=need_mps2,
            risk_s=now.now_s if need_mps2 < -EMERGENCY_MPS2 else old.risk_s,
            gap_m=None if lead is None else lead.gap_m,
        )

    def accel_mps2(
        self, former_mps2: float, driven: Driven, now: Now, state: State, emergency: Emergency, side: SideStep
    ) -> float:
        """Acceleration to ask for. `driven.accel_mps2` is what following wants, `former_mps2` what was asked before."""
        params = self._params
        if emergency is Emergency.BRAKING:
            return -params.emergency_decel_mps2  # R157 5.3.2
        wanted_mps2 = driven.accel_mps2
        if driven.needed_mps2 < -params.avoid_from_mps2:
            wanted_mps2 = min(wanted_mps2, max(driven.needed_mps2, -EMERGENCY_MPS2))
        if state is State.STOPPED:
            wanted_mps2 = min(wanted_mps2, -params.hold_decel_mps2)
        elif state is State.STOPPING:  # R157 5.5.1: it aims at 4 m/s^2 at most
            is_moving = side.state is not Side.STAY
            goal_mps2 = -(self._side_decel_mps2 if is_moving else params.stop_decel_mps2)
            step_mps2 = params.stop_jerk_mps3 * now.dt_s
            former_mps2 = min(former_mps2, 0.0)  # nobody accelerates from here on
            goal_mps2 = max(min(goal_mps2, former_mps2 + step_mps2), former_mps2 - step_mps2)
            wanted_mps2 = min(wanted_mps2, goal_mps2)
        elif state is not State.ACTIVE:
            wanted_mps2 = min(wanted_mps2, 0.0)  # R157 5.4.3: it goes on, no faster
        return wanted_mps2

    def moved_aside(self, old: Memory, state: State, now: Now) -> SideStep:
        """The lane change of the stop, where the approval and the car have one."""
        if state is not State.STOPPING:
            return old.side if old.side.state is Side.STAY else replace(old.side, state=Side.STAY, base_m=0.0)
        if not self._has_side:
            return old.side
        return self._side.step(
            old.side,
            now.lane if now.is_lane else None,
            now.objects,
            is_wanted=now.speed_mps >= self._side_from_mps and now.horizon is not None,
            speed_mps=now.speed_mps,
            lead_s=self._control.lead_s(now.speed_mps),
            has_esc=now.has_esc,
            dt_s=now.dt_s,
            now_s=now.now_s,
        )

    def steered(self, old: Memory, driven: Driven, now: Now, state: State, side: SideStep) -> Driven:
        """The curvature asked for; while somebody else steers, what the car drives."""
        vehicle, lane = now.vehicle, now.lane
        if vehicle is None:
            return driven
        control, pose, known = driven.control, None, driven.lane
        if lane is not None and lane.is_fit_to_steer:
            pose = self._control.pose(control, lane, now.now_s, now.speed_mps, now.yaw_rate_rps)
            known = lane
        elif driven.pose is not None and old.state in CONTROLLING:
            pose = self._control.carried(
                control, driven.pose, speed_mps=now.speed_mps, yaw_rate_rps=now.yaw_rate_rps, dt_s=now.dt_s
            )
        aside_m = 0.0
        if state not in CONTROLLING or now.speed_mps <= STANDING_MPS:
            control = self._control.watch(
                control,
                pose if lane is not None and lane.is_fit_to_steer else None,
                speed_mps=now.speed_mps,
                yaw_rate_rps=now.yaw_rate_rps,
                dt_s=now.dt_s,
                steered_1pm=self._control.steered_1pm(vehicle),
            )
        elif pose is not None:
            if side.state in (Side.MOVE, Side.RETURN):
                target = self._side.target(side, self._control.lead_s(now.speed_mps), now.now_s)
            else:
                aside_m = self._aside(driven.aside_m, known, now) if state in DRIVING else 0.0
                target = CENTRE if aside_m == 0.0 else Target(aside_m)
            control = self._control.steer(
                control,
                pose,
                speed_mps=now.speed_mps,
                yaw_rate_rps=now.yaw_rate_rps,
                dt_s=now.dt_s,
                accel_max_mps2=self._lateral_max_mps2,
                target=target,
            )
        return with_driven(driven, control=control, lane=known, pose=pose, aside_m=aside_m)

    # --- parts --------------------------------------------------------------------------------------------------------

    def _gap_s(self, now: Now) -> float:
        """Time gap to keep: R157's table to 60 km/h, and everywhere the country's (R157 5.2.3.3) [s]."""
        gap_s = self._facts.time_gap_s(
            is_wet=now.body is not None and now.body.is_road_wet,
            is_tunnel=now.horizon is not None and now.horizon.segments[0].is_tunnel,
        )
        return max(gap_s, following_gap_s(now.speed_mps, is_heavy=self._is_heavy))

    def _threat(self, old: Driven, now: Now) -> tuple[tuple[Track, ...], float, float]:
        """Tracks, their stamp, and the braking that the nearest threat needs, 0 without one [m/s^2]."""
        objects, vehicle = now.objects, now.vehicle
        if objects is None or vehicle is None or not math.isfinite(objects.stamp_s):
            return old.tracks, old.stamp_s, 0.0
        tracks, threat, stamp_s = self._finder.step(
            old.tracks,
            old.stamp_s,
            objects,
            now.lane,
            now.speed_mps,
            vehicle.accel_mps2,
            now.yaw_rate_rps,
            now.now_s,
        )
        needed_mps2 = 0.0 if threat is None or not threat.may_brake or threat.is_contrary else threat.needed_mps2
        return tracks, stamp_s, needed_mps2

    def _in_way(self, tracks: tuple[Track, ...], now: Now) -> tuple[Lead | None, float]:
        """Of the slower road users ahead that are in our way or on their way into it: the nearest, which is followed
        already, and the braking that the gravest needs, as an acceleration: it may stand behind one that drives away.

        In our way: as far as the lane is seen, and beyond along its curve, since at 130 km/h the law's range of sight
        leaves half a second (R157 7.1.1). Into it: Annex 3 of R157, as its models see a cut-in: the other one has left
        the middle of its lane by 0.375 m (CCD), and will be in ours by the time we have passed it (FSM).
        """
        lane, best, best_m, worst_mps2 = now.lane, None, math.inf, 0.0
        way = None
        if lane is not None:
            way = (lane.offset_m, lane.heading_rad, lane.curvature_1pm, lane.curvature_rate_1pm2, lane.x_max_m)
        half_m = 0.5 * ((lane.width_m if lane is not None else None) or WIDTH_USUAL_M)
        for track in tracks:
            item = track.item
            age_s = max(now.now_s - track.stamp_s, 0.0)
            closing_mps = now.speed_mps - track.along_mps
            gap_m = track.x_m - closing_mps * age_s - self._front_m
            if gap_m <= 0.0 or closing_mps <= 0.0 or track.along_mps < ONCOMING_MPS:
                continue
            middle_m, slope = (0.0, 0.0) if way is None else middle_of(way, track.x_m)
            away_m, aside_mps = item.y_m - middle_m, track.aside_mps - slope * track.along_mps
            towards_mps = -aside_mps if away_m > 0.0 else aside_mps
            near_m = abs(away_m) - 0.5 * (item.width_m or BESIDE_WIDTH_M)
            is_in = near_m < self._half_m and track.pictures >= SEEN_PICTURES and (
                track.has_moved or item.sources != RADAR_ALONE
            )  # fmt: skip
            if not is_in:
                if towards_mps < INTRUDES_MPS or near_m > half_m + INTRUDES_M or track.along_mps <= 0.0:
                    continue
                into_s = (near_m - self._half_m) / towards_mps
                passed_s = (gap_m + self._front_m + self._rear_m + (item.length_m or BESIDE_LENGTH_M)) / closing_mps
                is_in = into_s < passed_s + PASSED_S
            if not is_in:
                continue
            needed = braking_needed_mps2(
                gap_m, now.speed_mps, track.along_mps, min(track.accel_mps2, 0.0), self._facts.queue_gap_m
            )
            worst_mps2 = min(worst_mps2, needed)
            if gap_m < best_m:
                best_m = gap_m
                best = Lead(
                    object_id=item.object_id, gap_m=gap_m, speed_mps=track.along_mps, accel_mps2=track.accel_mps2,
                    age_s=age_s,
                )  # fmt: skip
        return best, worst_mps2

    def _aside(self, former_m: float, lane: EgoLane | None, now: Now) -> float:
        """Left of the middle of the lane, for who drives beside us (R157 5.2.2), never over a marking [m]."""
        params, objects = self._params, now.objects
        wanted_m = 0.0
        if objects is not None and lane is not None:
            left_m, right_m = self._beside(objects)
            wanted_m = max(params.beside_m - right_m, 0.0) - max(params.beside_m - left_m, 0.0)
            free_m = 0.5 * (lane.width_m or 0.0) - self._tyre_half_m
            bound_m = max(min(params.beside_shift_max_m, 0.5 * free_m), 0.0)
            wanted_m = min(max(wanted_m, -bound_m), bound_m)
        step_m = BESIDE_RATE_MPS * now.dt_s
        return max(min(wanted_m, former_m + step_m), former_m - step_m)

    def _beside(self, objects: TrackedObjects) -> tuple[float, float]:
        """Room to who drives beside us, left and right [m]."""
        left_m = right_m = math.inf
        for item in objects.objects:
            length_m = item.length_m or BESIDE_LENGTH_M
            if item.x_m > self._front_m + BESIDE_AHEAD_M or item.x_m + length_m < -self._rear_m:
                continue  # `x_m` is its nearest point: its rear end, where in doubt
            room_m = abs(item.y_m) - 0.5 * (item.width_m or BESIDE_WIDTH_M) - self._half_m
            if room_m <= 0.0:
                continue  # ahead of us or behind: not beside
            if item.y_m > 0.0:
                left_m = min(left_m, room_m)
            else:
                right_m = min(right_m, room_m)
        return left_m, right_m
