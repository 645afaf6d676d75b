"""From a source to records: one detector a source, memory from picture to picture where they follow one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import cv2

from adas_runtime.market import Market
from adas_runtime.perceive.corruptions import Corruptor
from adas_runtime.perceive.result import Record, Trace, record
from adas_runtime.perceive.sources import Frame, Kind, Say, Source, looked_at
from adas_runtime.perception import camera_health
from adas_runtime.perception.camera import Camera, camera_of
from adas_runtime.perception.lane_model import LaneDetector, LaneResult, LaneState
from adas_runtime.perception.models.objects import ObjectFinder
from adas_runtime.perception.models.road import RoadReader
from adas_runtime.perception.models.signs import SignReader
from adas_runtime.perception.object_tracks import Track, followed
from adas_runtime.perception.object_tracks import Tracks as ObjectTracks
from adas_runtime.perception.sign_votes import Reading, Tracks, voted
from adas_runtime.signals import LaneModel
from adas_runtime.vehicle import Vehicle


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One picture with what was found in it.

    Args:
        frame: The picture; without an image where it cannot be decoded.
        record: What is told of it.
        model: The boundaries.
        camera: As estimated for this picture; `None` without a picture.
        traces: Boundaries in pixels by side.
    """

    frame: Frame
    record: Record
    model: LaneModel
    camera: Camera | None
    traces: dict[str, Trace] = field(default_factory=dict)


def perceive(
    source: Source,
    *,
    market: Market,
    reader: SignReader,
    finder: ObjectFinder,
    surface: RoadReader,
    vehicle: Vehicle,
    every: int,
    max_frames: int | None,
    camera_topic: str | None,
    say: Say,
    corruptor: Corruptor | None = None,
) -> Iterator[Seen]:
    """Look at a source's pictures.

    Args:
        source: Pictures of one video or recording share the memory; a single picture is looked at until it settles.
        market: Thresholds and lane facts.
        reader: Reads speed signs.
        finder: Finds road users.
        surface: Tells the road.
        vehicle: The camera.
        every: Look at the first of each so many pictures.
        max_frames: Stop after so many looks.
        camera_topic: Topic of a recording.
        say: Called with each line that the user should read.
        corruptor: What weather, dirt or a fault does to each picture before it is looked at.
    Raises:
        AdasError: The source cannot be read.
    """
    cv2.setNumThreads(1)  # as in the car; threads would make sums depend on the machine
    mount = vehicle.cameras.get("front")
    detector = LaneDetector(market.perception, market.lanes, mount)
    state, health_state = LaneState(), camera_health.START
    tracks: Tracks = ()
    bodies = ObjectTracks()
    former_size: tuple[int, int] | None = None
    for frame in looked_at(source, every=every, max_frames=max_frames, say=say, camera_topic=camera_topic):
        if frame.image is not None and corruptor is not None:
            frame = replace(frame, image=corruptor.step(frame.image))
        if frame.image is None:
            yield _broken(source, frame)
            continue
        height, width = frame.image.shape[:2]
        is_new = (width, height) != former_size
        if is_new and mount is not None and mount.is_calibrated and camera_of(mount, width, height) is None:
            say(
                f"{source.name}: pictures of {width}x{height} are not of the camera of vehicle {vehicle.name} "
                f"({mount.width_px}x{mount.height_px}): an unknown camera is assumed"
            )
        former_size = (width, height)
        if source.kind is Kind.PICTURE:
            result, state = detector.settle(frame.image, frame.stamp_s)
            health = camera_health.alone(frame.image)
        else:
            result, state = detector.step(frame.image, frame.stamp_s, state)
            health, health_state = camera_health.step(frame.image, frame.stamp_s, health_state)
        result = replace(result, model=camera_health.weighed(result.model, health))
        trust = _trust(result, state, is_single=source.kind is Kind.PICTURE)
        signs = reader.look(frame.image, is_near=source.kind is Kind.PICTURE)
        agreed: tuple[Reading | None, ...] = ()
        if source.kind is not Kind.PICTURE:
            tracks, agreed = voted(tracks, signs, frame.stamp_s, width)
        objects = finder.look(frame.image, result.camera, is_measured=trust != "estimating")
        followed_as: tuple[Track, ...] = ()
        if source.kind is not Kind.PICTURE:
            # nobody tells of our own speed here: speeds are relative
            bodies, followed_as = followed(bodies, objects, frame.stamp_s)
        told, traces = record(
            source=source.name,
            frame=frame.index,
            stamp_s=frame.stamp_s,
            result=result,
            vehicle=vehicle.name,
            trust=trust,
            health=health,
            signs=signs,
            agreed=agreed,
            unit=market.road.speed_unit,
            objects=objects,
            tracks=followed_as,
            road=surface.look(frame.image),
        )
        yield Seen(frame=frame, record=told, model=result.model, camera=result.camera, traces=traces)


def _trust(result: LaneResult, state: LaneState, *, is_single: bool) -> str:
    if result.is_mount_known:
        return "calibrated"
    has_converged = state.pitch is not None and state.pitch.has_converged
    return "estimated" if has_converged and not is_single else "estimating"


def _broken(source: Source, frame: Frame) -> Seen:
    told: Record = {
        "frame": frame.index,
        "stamp_s": round(frame.stamp_s, 6),
        "source": source.name,
        "width_px": None,
        "height_px": None,
        "camera": None,
        "reason": frame.reason,
        "lanes": [],
        "signs": [],
        "road": None,
        "objects": [],
    }
    return Seen(frame=frame, record=told, model=LaneModel(stamp_s=frame.stamp_s, reason=frame.reason), camera=None)
