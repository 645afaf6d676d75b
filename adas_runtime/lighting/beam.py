"""Who and what lies ahead of the headlamps: road users in the beam, a tunnel, a lit road."""

from __future__ import annotations

import math
from typing import Final

from adas_runtime.lighting.params import HeadlampParams, MainBeamParams
from adas_runtime.signals import RADAR_ALONE, Horizon, ObjectClass, TrackedObject, TrackedObjects
from adas_runtime.units import deg_to_rad

FOLLOWS_MPS: Final = 1.0  # faster than this along our way shows tail lamps; all else may show headlamps
HALF_WIDTH_M: Final = 1.0  # of a road user, around the point that is tracked
ON_FOOT: Final = (ObjectClass.CYCLIST, ObjectClass.PEDESTRIAN)


def user_in_beam(objects: TrackedObjects, params: MainBeamParams) -> str:
    """The kind of road user whom main beam would dazzle: oncoming, cyclist, preceding; `""` nobody.

    Source: UN R48 6.1.9.3; the ranges are parameters that cannot be set below those of 6.1.9.3.1.2. A vehicle that
    stands counts as oncoming: its lamps may face us.
    """
    if not objects.objects:
        return ""
    slope = math.tan(deg_to_rad(params.half_angle_deg))
    found = ""
    for item in objects.objects:
        if item.x_m <= 0.0:
            continue
        kind = _kind(item, slope, params)
        if kind == "oncoming":
            return kind
        if kind and found != "cyclist":
            found = kind
    return found


def _kind(item: TrackedObject, slope: float, params: MainBeamParams) -> str:
    if item.object_class is ObjectClass.ANIMAL or item.confidence < params.confidence_min:
        return ""
    if item.x_m <= 0.0 or abs(item.y_m) > item.x_m * slope + HALF_WIDTH_M:
        return ""
    if item.sources == RADAR_ALONE and item.speed_x_mps == item.speed_y_mps == 0.0:
        return ""  # a rail, a bridge, a sign: no eyes
    if item.object_class in ON_FOOT:
        kind, range_m = "cyclist", params.cyclist_m
    elif item.speed_x_mps > FOLLOWS_MPS:
        kind, range_m = "preceding", params.preceding_m
    else:
        kind, range_m = "oncoming", params.oncoming_m
    return "" if item.x_m > range_m else kind


def is_tunnel_near(horizon: Horizon, speed_mps: float, now_s: float, params: HeadlampParams) -> bool:
    """Whether the map tells of a tunnel that the car is in, or enters within `tunnel_lead_s`.

    An additional reason to switch on (L08), so the map may be wrong without harm.
    """
    if not horizon.is_matched or horizon.confidence < params.map_confidence_min or params.tunnel_lead_s <= 0.0:
        return False
    driven_m = speed_mps * (now_s - horizon.stamp_s)
    start_m, end_m = math.inf, -math.inf
    for segment in horizon.segments:
        if not segment.is_tunnel or segment.probability < params.tunnel_probability_min:
            start_m, end_m = math.inf, -math.inf
            continue
        offset_m = segment.offset_m - driven_m
        start_m, end_m = min(start_m, offset_m), offset_m + segment.length_m
        if (
            end_m > 0.0
            and start_m <= speed_mps * params.tunnel_lead_s
            and end_m - start_m >= params.tunnel_length_min_m
        ):
            return True
    return False


def is_road_lit(horizon: Horizon, params: HeadlampParams) -> bool:
    """Whether the map tells that the car is on a lit road or in a built-up area."""
    if not horizon.is_matched or horizon.confidence < params.map_confidence_min or not horizon.segments:
        return False
    here = horizon.segments[0]
    return here.is_lit is True or here.is_built_up is True
