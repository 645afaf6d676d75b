"""The radar's own tracks: returns become bodies that are followed over ground, each with an honest covariance.

A return belongs to the body that the radar's number says, where it stands there; else to the nearest within the gate.
Where several returns fight for several bodies, the cheapest assignment decides.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from adas_runtime.perception.tracking.assignment import assigned
from adas_runtime.perception.tracking.motion import Axis, begun, carried, loosened, measured, placed
from adas_runtime.perception.tracking.params import TrackingParams
from adas_runtime.records import maker, replacer
from adas_runtime.signals import ObjectClass, RadarObjects, RadarTrack

NOBODY: Final = -1
SIDE_SPEED_STD_MPS: Final = 1.5  # of a new body: across the road everyone is slow [D]
SPEED_STD_MPS: Final = 15.0  # of a new body whose speed no radar told
STRAIGHT: Final = 0.7  # sideways of this times ahead, the speed that a radar measures says little of that ahead
MOVED_FRAMES: Final = 3  # so many frames it has to be faster than what stands can seem
SIGMAS: Final = 3.0
GHOST_S: Final = 0.12  # a body that was not told of yet dies after this time unseen: two frames
FAR_M: Final = 450.0  # beyond, nothing is followed
BEND_MPS: Final = 3.0  # below, our yaw rate says nothing of the road
FAST_MPS: Final = 120.0  # faster over ground nothing on a road is
NEAR_X_M: Final = 15.0  # farther off, no gate is looked at
NEAR_Y_M: Final = 8.0
IN_LINE_M: Final = 1.2  # aside, of returns of one vehicle [D]
OUTLIER: Final = 3.0  # of the gate: so near, a return that does not fit makes no new body [D]
DOUBT_MPS: Final = 0.5  # so much less sure a body's speed and acceleration are after such a return [D]
DOUBT_MPS2: Final = 3.0
ONE_BODY_MPS: Final = 0.75  # returns of one body differ by no more: its turning, the radar's noise [D]


@dataclass(frozen=True, slots=True)
class Tie:
    """What a body is beside a thing of its own; changes seldom.

    Args:
        told: Supplier's number of the object that it is, `NOBODY`: none.
        lists: For how many of the lists that were told.
        told_s: When another sensor saw it last, and which (`told_by`).
        head: Number of the nearer body that it is part of, `NOBODY`: none.
        head_s: From then on it is, for the others.
        kind, length_m, width_m: As another sensor told.
    """

    told: int = NOBODY
    lists: int = 0
    told_s: float = -math.inf
    told_by: tuple[str, ...] = ()
    head: int = NOBODY
    head_s: float = 0.0
    kind: ObjectClass = ObjectClass.UNKNOWN
    length_m: float | None = None
    width_m: float | None = None


ALONE: Final = Tie()


@dataclass(frozen=True, slots=True)
class Echo:
    """A body that the radar sees. Its axes hold at the stamp of the last radar message.

    Args:
        number: Under which the others know it.
        radar_id: The radar's number.
        born_s, seen_s: First and last return of it.
        frames: Messages with it.
        along, across: See `motion`.
        fast_frames: Frames in a row in which it was faster than what stands can seem.
        is_proven: It has moved, or another sensor saw it too: no rail, no bridge.
        tie: Whom it belongs to.
    """

    number: int
    radar_id: int
    born_s: float
    seen_s: float
    frames: int
    along: Axis
    across: Axis
    fast_frames: int
    is_proven: bool
    tie: Tie


make_echo = maker(Echo)
tie_with = replacer(Tie)


@dataclass(frozen=True, slots=True)
class Return:
    """One return of a message.

    Args:
        speed_mps: Over ground along x, of a body that does not move across; `None`: not measured, or it says nothing.
        slope: What a body's speed across takes off it: a range rate lies along the line of sight.
        x_var, y_var, speed_var: Variances.
    """

    radar_id: int
    x_m: float
    y_m: float
    speed_mps: float | None
    slope: float
    x_var: float
    y_var: float
    speed_var: float


make_return = maker(Return)


Body = tuple[Echo, Axis, Axis]  # and its axes now


class Radar:
    """Follows what the radar returns; keeps nothing."""

    def __init__(self, params: TrackingParams) -> None:
        self._params = params
        self._range_var = params.range_std_m**2
        self._side_var = params.side_std_m**2
        self._angle_var = params.angle_std_rad**2
        self._rate_var = params.rate_std_mps**2

    def followed(
        self,
        old: tuple[Echo, ...],
        radar: RadarObjects,
        dt_s: float,
        own_mps: float,
        own_mean_mps: float,
        yaw_rate_rps: float,
        next_number: int,
    ) -> tuple[tuple[Echo, ...], int, str]:
        """The bodies after a message.

        Args:
            old: Before.
            radar: The message.
            dt_s: Since the message before, >= 0 [s].
            own_mps, own_mean_mps: Our speed now, and on average since then.
            yaw_rate_rps: Our turning.
            next_number: First number that is free.
        Returns:
            Bodies, the next free number, and what is wrong with the message, `""`: nothing.
        """
        bodies = self._carried(old, dt_s, own_mean_mps, yaw_rate_rps)
        tracks, fault = radar.tracks, ""
        if len(tracks) > self._params.flood:
            tracks, fault = tracks[: self._params.flood], "radar_flood"
        returns = []
        for track in tracks:
            item = self._measured(track, own_mps)
            if item is not None:
                returns.append(item)
            elif not math.isfinite(track.x_m + track.y_m + (track.speed_x_mps or track.range_rate_mps or 0.0)):
                fault = "radar_invalid"
        chosen, left, doubted = self._assigned(bodies, returns)
        stamp_s = radar.stamp_s
        found = []
        limit_mps = self._params.moving_mps + self._params.moving_share * abs(own_mps)
        for index, (echo, along, across) in enumerate(bodies):
            item = chosen.get(index)
            if item is not None:
                found.append(self._corrected(echo, along, across, item, stamp_s, limit_mps))
            elif stamp_s - echo.seen_s <= (
                self._params.coast_s if echo.frames >= self._params.coast_frames else GHOST_S
            ):
                if index in doubted:  # a bad measurement, or harder braking than we believed: the next one decides
                    along = loosened(along, DOUBT_MPS**2, DOUBT_MPS2**2)
                found.append(
                    make_echo(
                        echo.number, echo.radar_id, echo.born_s, echo.seen_s, echo.frames, along, across,
                        echo.fast_frames, echo.is_proven, echo.tie,
                    )
                )  # fmt: skip
        if left:
            used = list(chosen.values())
            for item in left:
                if not self._is_twin(item, used) and len(found) < 2 * self._params.flood:
                    found.append(self._begun(item, stamp_s, next_number))
                    next_number += 1
                    used.append(item)
        return tuple(found), next_number, fault

    def _carried(self, old: tuple[Echo, ...], dt_s: float, own_mps: float, yaw_rate_rps: float) -> list[Body]:
        """Where the bodies are after a time in which we drove on and turned."""
        params = self._params
        fade = math.exp(-dt_s / params.accel_s)
        noise = 1.0 - fade * fade
        along_noise, across_noise = noise * params.accel_std_mps2**2, noise * params.side_accel_std_mps2**2
        turn_rad = yaw_rate_rps * dt_s
        # whoever drives, drives our road: with us or towards us, its bend pushes all to one side
        bend_1pm = yaw_rate_rps / own_mps if own_mps > BEND_MPS else 0.0
        found = []
        for echo in old:
            along, across = echo.along, echo.across
            x_m, y_m, speed_mps, side_mps = along[0], across[0], along[1], across[1]
            if -FAR_M < x_m < FAR_M and -FAR_M < y_m < FAR_M:
                ahead_mps, bend_mps2 = own_mps - yaw_rate_rps * y_m, bend_1pm * speed_mps * speed_mps
                found.append(
                    (
                        echo,
                        carried(along, dt_s, ahead_mps, fade, along_noise, 0.0, turn_rad * side_mps),
                        carried(across, dt_s, yaw_rate_rps * x_m, fade, across_noise, bend_mps2, -turn_rad * speed_mps),
                    )
                )
        return found

    def _measured(self, track: RadarTrack, own_mps: float) -> Return | None:
        """A return with its noise; `None`: its numbers are none, or so large that nothing on a road has them."""
        x_m, y_m, speed_mps, slope, speed_var = track.x_m, track.y_m, track.speed_x_mps, 0.0, self._rate_var
        if speed_mps is None and track.range_rate_mps is not None and abs(y_m) < STRAIGHT * abs(x_m):
            slope = y_m / x_m
            square = 1.0 + slope * slope
            speed_mps, speed_var = track.range_rate_mps * math.copysign(math.sqrt(square), x_m), speed_var * square
        if speed_mps is not None:
            speed_mps += own_mps
            if not -FAST_MPS < speed_mps < FAST_MPS:
                return None
        if not (-FAR_M < x_m < FAR_M and -FAR_M < y_m < FAR_M):
            return None
        return make_return(
            track.track_id,
            x_m,
            y_m,
            speed_mps,
            slope,
            self._range_var + self._angle_var * y_m * y_m,
            self._side_var + self._angle_var * x_m * x_m,
            speed_var,
        )

    def _corrected(self, echo: Echo, along: Axis, across: Axis, item: Return, stamp_s: float, limit_mps: float) -> Echo:
        across = placed(across, item.y_m, item.y_var)
        if item.speed_mps is None:
            along = placed(along, item.x_m, item.x_var)
        else:
            slope = item.slope
            along = measured(
                along,
                item.x_m,
                item.x_var,
                item.speed_mps - slope * across[1],
                item.speed_var + slope * slope * across[6],
            )
        fast_frames, is_proven = echo.fast_frames, echo.is_proven
        if not is_proven:
            is_fast = abs(along[1]) > limit_mps + SIGMAS * math.sqrt(along[6])
            fast_frames = fast_frames + 1 if is_fast else 0
            is_proven = fast_frames >= MOVED_FRAMES
        return make_echo(
            echo.number, item.radar_id, echo.born_s, stamp_s, echo.frames + 1, along, across,
            fast_frames, is_proven, echo.tie,
        )  # fmt: skip

    def _begun(self, item: Return, stamp_s: float, number: int) -> Echo:
        params = self._params
        speed_mps, speed_var = 0.0, SPEED_STD_MPS**2
        if item.speed_mps is not None:
            speed_mps, speed_var = item.speed_mps, item.speed_var + (item.slope * SIDE_SPEED_STD_MPS) ** 2
        return make_echo(
            number,
            item.radar_id,
            stamp_s,
            stamp_s,
            1,
            begun(item.x_m, item.x_var, speed_mps, speed_var, params.accel_std_mps2**2),
            begun(item.y_m, item.y_var, 0.0, SIDE_SPEED_STD_MPS**2, params.side_accel_std_mps2**2),
            0,
            False,
            ALONE,
        )

    # --- who is who ---------------------------------------------------------------------------------------------------

    def _assigned(self, bodies: list[Body], returns: list[Return]) -> tuple[dict[int, Return], list[Return], set[int]]:
        """The return of each body, by its place in the list, the returns of nobody, and bodies whose own is far off."""
        by_id: dict[int, int] = {}
        for index, (echo, _, _) in enumerate(bodies):  # of two that had this number, the one that is known longer
            known = by_id.get(echo.radar_id)
            if known is None or echo.frames > bodies[known][0].frames:
                by_id[echo.radar_id] = index
        gate = self._params.gate
        chosen: dict[int, Return] = {}
        left = []
        for item in returns:
            its = by_id.get(item.radar_id)
            if its is None or its in chosen or self._distance(bodies[its], item) > gate:
                left.append(item)
            else:
                chosen[its] = item
        if not left or len(chosen) == len(bodies):
            return chosen, left, set()
        free = [index for index in range(len(bodies)) if index not in chosen]
        pairs: dict[tuple[int, int], float] = {}
        outliers: set[int] = set()
        doubted: set[int] = set()
        for place, item in enumerate(left):
            for index in free:
                body = bodies[index]
                if abs(body[1][0] - item.x_m) < NEAR_X_M and abs(body[2][0] - item.y_m) < NEAR_Y_M:
                    distance = self._distance(body, item)
                    if distance <= gate:
                        pairs[place, index] = distance
                    elif distance <= OUTLIER * gate:
                        outliers.add(place)  # a bad measurement of it rather than somebody new
                        doubted.add(index)
        matched = assigned(pairs, gate) if pairs else []
        for place, index in matched:
            chosen[index] = left[place]
        outliers.update(place for place, _ in matched)
        return chosen, [item for place, item in enumerate(left) if place not in outliers], doubted

    def _distance(self, body: Body, item: Return) -> float:
        """Squared Mahalanobis distance of a return from where a body is."""
        _, along, across = body
        off_x, off_y = item.x_m - along[0], item.y_m - across[0]
        found = off_x * off_x / (along[3] + item.x_var) + off_y * off_y / (across[3] + item.y_var)
        if item.speed_mps is not None and found <= self._params.gate:
            slope = item.slope
            off_mps = item.speed_mps - slope * across[1] - along[1]
            found += off_mps * off_mps / (along[6] + item.speed_var + slope * slope * across[6])
        return found

    def _is_twin(self, item: Return, used: list[Return]) -> bool:
        """Whether another return is the same body: one body under two numbers."""
        near_m, x_m, y_m, speed_mps = self._params.cluster_m, item.x_m, item.y_m, item.speed_mps
        for other in used:
            if -near_m <= other.x_m - x_m <= near_m and -IN_LINE_M <= other.y_m - y_m <= IN_LINE_M:
                if speed_mps is None or other.speed_mps is None:
                    return True
                if -ONE_BODY_MPS <= other.speed_mps - speed_mps <= ONE_BODY_MPS:
                    return True
        return False
