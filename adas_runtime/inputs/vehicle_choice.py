"""Which vehicle a recording was made with, as far as its pictures tell: a wrong camera called calibrated is a lie.

`auto` takes the lens from a recorded `CameraInfo`. Where that is a shipped vehicle's own calibrated camera (as in
`adas synth`), that vehicle; else a car of unknown mounting with the recorded lens, whose pitch perception estimates.
Without `CameraInfo`, or with a K of zeros, nothing is known of the camera; without pictures none is needed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from adas_runtime.errors import AdasError
from adas_runtime.inputs.load import InputMap
from adas_runtime.replay.bag import Bag, decoder
from adas_runtime.vehicle import Vehicle, load_vehicle, vehicle_names
from adas_runtime.vehicle.schema import CameraMount

AUTO: Final = "auto"
REFERENCE: Final = "reference"
UNKNOWN: Final = "unknown_camera"
INFO: Final = "sensor_msgs/msg/CameraInfo"
SAME_SHARE: Final = 0.005  # of the focal length: what a CameraInfo may differ from the vehicle's file
LOOKS: Final = 400  # CameraInfo messages that are looked at for a change
PLUMB_BOB: Final = ("plumb_bob", "radial", "")
FISHEYE: Final = ("equidistant", "fisheye", "kannala_brandt4")


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A vehicle, what is told of the choice, and what people should worry about."""

    vehicle: Vehicle
    note: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lens:
    """What a `CameraInfo` says; `refusal` where that cannot be used."""

    width_px: int
    height_px: int
    fx_px: float
    fy_px: float
    cx_px: float
    cy_px: float
    distortion: tuple[float, float, float, float, float]
    lens: Literal["plumb_bob", "equidistant"] = "plumb_bob"
    refusal: str = ""


def choose_vehicle(name: str, bag_path: str | Path, tell: Callable[[str], None] | None = None) -> Vehicle:
    """The vehicle of a recording.

    Args:
        name: `auto`, or a vehicle's name or file, which always wins.
        bag_path: The recording.
        tell: Called with each note and warning.
    Raises:
        AdasError: No such vehicle, or the recording cannot be read.
    """
    if name != AUTO:
        return load_vehicle(name)
    with Bag(Path(bag_path)) as bag:
        choice = choose(name, bag)
    if tell is not None:
        for text in (choice.note, *choice.warnings):
            if text:
                tell(text)
    return choice.vehicle


def choose(name: str, bag: Bag, input_map: InputMap | None = None) -> Choice:
    """The vehicle of an open recording; see `choose_vehicle`."""
    from adas_runtime.inputs.recording import feeds_of

    if name != AUTO:
        return Choice(vehicle=load_vehicle(name))
    picture = next((feed for feed in feeds_of(bag, input_map) if "camera_front" in feed.feeds), None)
    if picture is None:
        return Choice(
            vehicle=load_vehicle(REFERENCE), note=f"vehicle {REFERENCE}: no front camera's pictures in the recording"
        )
    size = _picture_size(bag, picture.topic)
    info_topic = info_topic_of(picture.topic, [n for n, topic in bag.topics.items() if topic.type == INFO])
    if info_topic is None:
        return _unknown(f"{picture.topic} comes without CameraInfo")
    infos = _messages(bag, info_topic, LOOKS)
    first = next(infos, None)
    if first is None:
        return _unknown(f"{info_topic} holds no message that can be read")
    lens = lens_of(first, is_rectified=is_rectified(picture.topic))
    if lens is None:
        return _unknown(f"{info_topic} says by a K of zeros that the camera is not known")
    if lens.refusal:
        return _unknown(f"{info_topic}: {lens.refusal}")
    warnings = []
    changed = sum(1 for info in infos if _numbers(info) != _numbers(first))
    if changed:
        warnings.append(f"{info_topic}: the camera's calibration changes within the recording: the first one is used")
    if size is not None:
        squeeze = (size[0] / lens.width_px) / (size[1] / lens.height_px)
        if abs(squeeze - 1.0) > 0.02:
            return _unknown(
                f"{info_topic} is for {lens.width_px}x{lens.height_px}, the pictures have {size[0]}x{size[1]}: "
                "another shape"
            )
    for candidate in sorted(vehicle_names(), key=lambda known: known != REFERENCE):
        vehicle = load_vehicle(candidate)
        mount = vehicle.cameras.get("front")
        if mount is not None and mount.is_calibrated and _is_same(lens, mount):
            note = f"vehicle {candidate}: {info_topic} holds its camera"
            return Choice(vehicle=vehicle, note=note, warnings=tuple(warnings))
    base = load_vehicle(UNKNOWN)
    mount = base.cameras["front"]
    try:
        seen = CameraMount(
            **{
                **mount.model_dump(),
                "width_px": lens.width_px,
                "height_px": lens.height_px,
                "fx_px": lens.fx_px,
                "fy_px": lens.fy_px,
                "cx_px": lens.cx_px,
                "cy_px": lens.cy_px,
                "lens": lens.lens,
                "distortion": lens.distortion,
                "is_calibrated": False,
            }
        )
    except ValueError:
        return _unknown(f"{info_topic} holds no possible lens: its principal point lies outside the picture")
    vehicle = base.model_copy(update={"cameras": {**base.cameras, "front": seen}})
    note = (
        f"vehicle {UNKNOWN} with the lens of {info_topic} (f {lens.fx_px:.0f} px); mounting not known: pitch is "
        f"estimated, height {mount.z_m:g} m assumed"
    )
    return Choice(vehicle=vehicle, warnings=(note, *warnings))


def _unknown(why: str) -> Choice:
    text = f"vehicle {UNKNOWN}: {why}; lens and mounting are assumed, pitch is estimated"
    mend = "name the vehicle whose camera took the pictures with --vehicle"
    return Choice(vehicle=load_vehicle(UNKNOWN), warnings=(f"{text}; {mend}",))


def is_rectified(topic: str) -> bool:
    """Whether the pictures of a topic are undistorted already, by image_proc's names (`image_rect`)."""
    return any(re.search(r"(^|_)rect(ified|_|$)", part) for part in topic.split("/"))


def info_topic_of(picture: str, infos: list[str]) -> str | None:
    """The `CameraInfo` that belongs to a picture topic: of the same folder, or one above, as image_transport has it."""
    folder = picture.rpartition("/")[0]
    while folder:
        found = f"{folder}/camera_info"
        if found in infos:
            return found
        folder = folder.rpartition("/")[0]
    beside = [name for name in infos if name.rpartition("/")[0] == picture.rpartition("/")[0]]
    if beside:
        return sorted(beside)[0]
    return infos[0] if len(infos) == 1 else None


def lens_of(info: Any, *, is_rectified: bool) -> Lens | None:
    """The lens of a `CameraInfo`; `None` where its K says that nothing is known.

    Args:
        info: `sensor_msgs/CameraInfo`.
        is_rectified: The pictures are undistorted already: then P counts, and there is no distortion.
    """
    k = [float(value) for value in info.k]
    p = [float(value) for value in info.p]
    d = [float(value) for value in info.d]
    if is_rectified and len(p) == 12 and p[0] > 0.0 and p[5] > 0.0:
        k, d = [p[0], p[1], p[2], p[4], p[5], p[6], 0.0, 0.0, 1.0], []
    if len(k) != 9 or not any(k):
        return None
    refusal = ""
    model = re.sub(r"\W", "_", str(info.distortion_model).lower())
    is_fisheye = bool(d) and model in FISHEYE
    values = d
    if not all(map(math.isfinite, [*k, *d])) or k[0] <= 0.0 or k[4] <= 0.0:
        refusal = "its K or D holds no usable numbers"
    elif int(info.width) < 1 or int(info.height) < 1:
        refusal = "it names no picture size"
    elif is_fisheye:
        if len(d) != 4:
            refusal = f"it has {len(d)} distortion values, equidistant has 4"
    elif any(abs(value) > 0.0 for value in d):
        if model == "rational_polynomial" and not any(d[5:]):
            values = d[:5]
        elif model not in PLUMB_BOB:
            refusal = f"its distortion model {model} is not supported, only plumb_bob and equidistant are"
        elif len(d) > 5 and any(d[5:]):
            refusal = f"it has {len(d)} distortion values, plumb_bob has 5"
    roi = getattr(info, "roi", None)
    whole = (int(info.width), int(info.height))
    if not refusal and roi is not None and (int(roi.width), int(roi.height)) not in ((0, 0), whole):
        refusal = "it cuts a region out of the picture, which is not supported"
    if not any(values):
        values = []
    padded = [*values[:5], 0.0, 0.0, 0.0, 0.0, 0.0][:5]
    return Lens(
        width_px=int(info.width),
        height_px=int(info.height),
        fx_px=k[0],
        fy_px=k[4],
        cx_px=k[2],
        cy_px=k[5],
        distortion=(padded[0], padded[1], padded[2], padded[3], padded[4]),
        lens="equidistant" if is_fisheye else "plumb_bob",
        refusal=refusal,
    )


def _is_same(lens: Lens, mount: CameraMount) -> bool:
    x, y = lens.width_px / mount.width_px, lens.height_px / mount.height_px
    pairs = (
        (lens.fx_px, mount.fx_px * x),
        (lens.fy_px, mount.fy_px * y),
        (lens.cx_px, (mount.cx_px + 0.5) * x - 0.5),
        (lens.cy_px, (mount.cy_px + 0.5) * y - 0.5),
    )
    near = SAME_SHARE * lens.fx_px
    return (
        lens.lens == mount.lens
        and all(abs(a - b) <= near for a, b in pairs)
        and all(abs(a - b) <= 1e-3 for a, b in zip(lens.distortion, mount.distortion, strict=True))
    )


def _numbers(info: Any) -> tuple[Any, ...]:
    return (int(info.width), int(info.height), tuple(map(float, info.k)), tuple(map(float, info.d)))


def _messages(bag: Bag, name: str, count: int) -> Iterator[Any]:
    """The first messages of a topic that can be decoded."""
    read = decoder(bag.topics[name], {}, bag.distro)
    if isinstance(read, str):
        return
    for index, (_, _, data) in enumerate(bag.messages([name])):
        if index >= count:
            return
        try:
            yield read(data)
        except (ValueError, KeyError, IndexError, AssertionError, AttributeError):
            continue


def _picture_size(bag: Bag, name: str) -> tuple[int, int] | None:
    """Size of the first picture that has one."""
    from adas_runtime.inputs.pictures import compressed_frame, raw_frame

    kind = bag.topics[name].type
    if not kind.startswith("sensor_msgs/"):
        return None
    convert = compressed_frame if kind.endswith("CompressedImage") else raw_frame
    for message in _messages(bag, name, 5):
        try:
            frame = convert(message, 0.0)
        except (AdasError, ValueError, TypeError, AttributeError):
            continue
        return frame.width_px, frame.height_px
    return None
