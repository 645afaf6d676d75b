"""From picture messages to camera frames: what is no picture is refused here, in words."""

from __future__ import annotations

import struct
from typing import Any, Final

from adas_runtime.errors import SignalError
from adas_runtime.perception.encoded import is_cut
from adas_runtime.signals import MAX_FRAME_BYTES, CameraFrame, CameraId

CHANNELS: Final = {
    "mono8": 1,
    "8uc1": 1,
    "bgr8": 3,
    "8uc3": 3,
    "rgb8": 3,
    "bgra8": 4,
    "8uc4": 4,
    "rgba8": 4,
    "yuv422": 2,
    "uyvy": 2,
    "yuv422_yuy2": 2,
    "yuyv": 2,
}
# ROS names a Bayer pattern by its first two pixels, OpenCV by the second row's: rggb is OpenCV's BG
BAYER: Final = {"bayer_rggb8": "BG", "bayer_bggr8": "RG", "bayer_gbrg8": "GR", "bayer_grbg8": "GB"}


def compressed_frame(message: Any, stamp_s: float) -> CameraFrame:
    """A frame of `sensor_msgs/CompressedImage`.

    Raises:
        SignalError: The bytes are no JPEG, PNG, WebP or BMP, or are cut short: what is missing would be decoded grey.
    """
    data = as_bytes(message.data)
    kind, size = picture_kind(data)
    text = str(message.format)
    if not kind:
        told = "it is empty" if not data else f"its format says {text[:40]!r}" if text else "it names no format"
        raise SignalError(f"picture is none of jpeg, png, webp, bmp; {told}")
    if "compresseddepth" in text.lower():
        raise SignalError("picture is a depth image")
    if size is None:
        raise SignalError(f"picture is cut short: {len(data)} bytes of {kind} without a size")
    if is_cut(data):
        raise SignalError(f"picture is cut short: {len(data)} bytes of {kind} without its end")
    return CameraFrame(
        stamp_s=stamp_s, camera=CameraId.FRONT, width_px=size[0], height_px=size[1], encoding=kind, data=data
    )


def raw_frame(message: Any, stamp_s: float) -> CameraFrame:
    """A frame of `sensor_msgs/Image`: rows without padding, Bayer patterns turned into colours.

    Raises:
        SignalError: The encoding is not supported, or the bytes do not fit the size.
    """
    encoding = str(message.encoding).lower()
    width, height, step = int(message.width), int(message.height), int(message.step)
    channels = 1 if encoding in BAYER else CHANNELS.get(encoding)
    if channels is None:
        known = ", ".join([*CHANNELS, *BAYER])
        raise SignalError(f"picture encoding {encoding[:40]!r} is not supported; known: {known}")
    row = width * channels
    if width < 1 or height < 1 or width * height * channels > MAX_FRAME_BYTES:
        raise SignalError(f"picture size {width}x{height} is out of range")
    data = as_bytes(message.data)
    if step < row or len(data) < step * (height - 1) + row:
        raise SignalError(f"picture of {width}x{height} {encoding} holds {len(data)} bytes, step {step}: too few")
    if step != row:
        data = b"".join(data[at : at + row] for at in range(0, step * height, step))
    data = data[: row * height]
    if encoding in BAYER:
        encoding, data = "bgr8", _colours(data, width, height, BAYER[encoding])
    return CameraFrame(
        stamp_s=stamp_s, camera=CameraId.FRONT, width_px=width, height_px=height, encoding=encoding, data=data
    )


def as_bytes(data: Any) -> bytes:
    """The bytes of a message's list: of an array, of NumPy's, or of bytes."""
    found = data.tobytes() if hasattr(data, "tobytes") else bytes(data)
    return found if isinstance(found, bytes) else bytes(found)


def picture_kind(data: bytes) -> tuple[str, tuple[int, int] | None]:
    """What an encoded picture is, by its first bytes and not by what the sender calls it; and its width and height."""
    if data[:3] == b"\xff\xd8\xff":
        return "jpeg", _jpeg_size(data)
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "png", struct.unpack_from(">II", data, 16) if len(data) >= 24 else None
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp", _decoded_size(data)
    if data[:2] == b"BM":
        return "bmp", _decoded_size(data)
    return "", None


def _jpeg_size(data: bytes) -> tuple[int, int] | None:
    at = 2
    while at + 9 <= len(data):
        if data[at] != 0xFF:
            return None
        marker = data[at + 1]
        if marker == 0xFF:  # fill byte
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", data, at + 5)
            return (width, height) if width and height else None
        if marker in (0x01, *range(0xD0, 0xDA)):
            at += 2
            continue
        at += 2 + int(struct.unpack_from(">H", data, at + 2)[0])
    return None


def _decoded_size(data: bytes) -> tuple[int, int] | None:
    import cv2
    import numpy as np

    try:
        found: Any = cv2.imdecode(np.frombuffer(data, dtype=np.uint8), cv2.IMREAD_GRAYSCALE)
    except cv2.error:
        return None
    return None if found is None else (int(found.shape[1]), int(found.shape[0]))


def _colours(data: bytes, width: int, height: int, pattern: str) -> bytes:
    import cv2
    import numpy as np

    if width < 2 or height < 2:
        raise SignalError(f"picture of {width}x{height} is too small for a Bayer pattern")
    mosaic = np.frombuffer(data, dtype=np.uint8).reshape(height, width)
    return np.asarray(cv2.cvtColor(mosaic, getattr(cv2, f"COLOR_Bayer{pattern}2BGR"))).tobytes()
