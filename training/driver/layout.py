"""What the three networks see and say; the runtime reads the same names from the manifests' classes."""

from __future__ import annotations

from typing import Final

FINDER_COLUMNS, FINDER_ROWS = 192, 144
STRIDE: Final = 8  # of the finder's map, in pixels of its input
FACE_PX: Final = 72  # side of the cut-out of a face
AROUND: Final = 1.45  # that cut-out's side, as a share of the face's height
EYE_COLUMNS, EYE_ROWS = 48, 32
EYE_WIDE: Final = 0.40  # width of an eye's cut-out, as a share of the face's height
YAWS_DEG: Final = tuple(range(-90, 91, 15))
PITCHES_DEG: Final = tuple(range(-60, 61, 15))
FLAGS: Final = ("sunglasses", "mouth_covered", "eyes_covered", "face")
POINTS: Final = ("eye_image_left", "eye_image_right", "nose", "mouth_image_left", "mouth_image_right")
BOX: Final = ("left", "top", "right", "bottom")
OPENNESS: Final = (0.0, 0.25, 0.5, 0.75, 1.0)


def face_classes() -> list[str]:
    """Names of the values of the face reader: two distributions, four probabilities, places in its input."""
    return (
        [f"yaw_{value}" for value in YAWS_DEG]
        + [f"pitch_{value}" for value in PITCHES_DEG]
        + list(FLAGS)
        + [f"{axis}_{name}" for name in POINTS for axis in "xy"]
        + list(BOX)
    )


def eye_classes() -> list[str]:
    """Names of the values that the eye reader gives: a distribution and a probability."""
    return [f"open_{round(100 * value)}" for value in OPENNESS] + ["visible"]


def two_hot(value: float, places: tuple[float, ...]) -> list[float]:
    """A value between two places as a share of each."""
    found = [0.0] * len(places)
    value = min(max(value, places[0]), places[-1])
    step = places[1] - places[0]
    low = min(int((value - places[0]) / step), len(places) - 2)
    share = (value - places[low]) / step
    found[low], found[low + 1] = 1.0 - share, share
    return found
