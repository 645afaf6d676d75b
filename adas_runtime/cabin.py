"""Pictures of the cabin leave the process that took them nowhere: how one is known, whatever carries it.

A picture of the driver is looked at in the one process that opens his camera (`nodes.driver_camera`, or a supplier's);
what leaves it is `DriverState`, which holds angles and openness and no identity. So a picture of the cabin among our
inputs is a mistake of wiring, and it is refused where it comes in: not decoded, not recorded, not shown. It is known by
the name of its topic, by the frame in its header, by the camera that our own message names. Where the name leaves a
doubt it counts as one: a front camera can be renamed, a face in a recording cannot be taken back.
"""

from __future__ import annotations

import re
import struct
from typing import Final

from adas_runtime.signals import CameraId

PICTURES: Final = ("sensor_msgs/msg/CompressedImage", "sensor_msgs/msg/Image", "adas_interfaces/msg/CameraFrame")
WHAT: Final = "is a picture of the cabin, which is never read, recorded or passed on"
MEND: Final = "let the driver camera send adas_interfaces/msg/DriverState; rename what is no picture of the cabin"
_OWN: Final = PICTURES[2]
_WORDS: Final = frozenset(
    {"cabin", "dms", "driver", "drivers", "face", "incabin", "interior", "occupant", "occupants", "oms", "passenger"}
)
_PARTS: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_NAME_MAX: Final = 1024  # of a frame; what is longer is none


def is_cabin_name(name: str) -> bool:
    """Whether the name of a topic or frame speaks of the cabin: one of its words does, in any spelling."""
    return any(word.lower() in _WORDS for word in _PARTS.findall(name))


def is_cabin_topic(topic: str, kind: str) -> bool:
    """Whether a topic with pictures shows the cabin, by its name."""
    return kind in PICTURES and is_cabin_name(topic)


def is_cabin_message(kind: str, data: bytes) -> bool:
    """Whether the bytes (CDR) of a message with a picture say that it shows the cabin.

    Bytes that are no such message say nothing; whoever reads them refuses them for that.
    """
    if kind not in PICTURES or len(data) < 16:
        return False
    order = "<" if data[1] & 1 else ">"
    if kind == _OWN:  # float64 stamp_s, uint8 camera
        return data[12] == int(CameraId.DRIVER)
    (length,) = struct.unpack_from(order + "I", data, 12)  # after the header's stamp: the frame's name
    if not 0 < length <= _NAME_MAX:
        return False
    return is_cabin_name(bytes(data[16 : 16 + length - 1]).decode("utf-8", "replace"))
