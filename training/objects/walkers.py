"""Real people cut out of clips of a camera that stands still, to be put into other pictures.

The clips are of Intel's sample videos (CC BY 4.0), given with `training.objects.train --clips`; without them people are
drawn alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import cv2
import numpy as np

from training.objects.shapes import PEDESTRIAN, Sprite

MOST: Final = 60  # cut-outs of one clip
TALL_M: Final = 1.72
SAME: Final = 4.0  # mean difference of two pictures of the same empty room
STEP: Final = 28  # grey levels by which somebody differs from what stands behind


def walkers(path: Path) -> list[Sprite]:
    """Whoever moves alone through a clip, upright and whole."""
    film = cv2.VideoCapture(str(path))
    frames = []
    while True:
        there, picture = film.read()
        if not there:
            break
        frames.append(picture)
    if len(frames) < 10:
        return []
    if float(cv2.absdiff(frames[0], frames[-1]).mean()) < SAME:  # nobody there yet, and nobody any more
        behind = frames[0]
    else:
        sample = frames[:: max(1, len(frames) // 60)]
        behind = np.median(np.stack(sample[:60]), axis=0).astype(np.uint8)
    found: list[Sprite] = []
    for picture in frames[:: max(1, len(frames) // 220)]:
        apart = cv2.GaussianBlur(cv2.absdiff(picture, behind).max(axis=2), (5, 5), 0)
        mask = (apart > STEP).astype(np.uint8) * 255
        mask = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8))
        mask = cv2.morphologyEx(mask, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
        count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
        rows, columns = mask.shape
        for at in range(1, count):
            left, top, wide, high, area = (int(value) for value in stats[at])
            is_whole = left > 3 and top > 3 and left + wide < columns - 3 and top + high < rows - 3
            if not is_whole or high < 60 or not 1.7 < high / wide < 4.2 or area < 0.4 * wide * high:
                continue
            margin = 3
            part = slice(top - margin, top + high + margin), slice(left - margin, left + wide + margin)
            solid = np.where(labels[part] == at, 255, 0).astype(np.uint8)
            contours = cv2.findContours(solid, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0]
            cv2.drawContours(solid, contours, -1, 255, -1)  # what looks like the wall inside a body is body
            solid = cv2.erode(solid, np.ones((3, 3), np.uint8))
            cut = np.dstack([picture[part], cv2.GaussianBlur(solid, (3, 3), 0.8)])
            focal = 1000.0
            foot = (wide / 2 + margin, float(high + margin))
            found.append(Sprite(cut, solid, PEDESTRIAN, focal, focal * TALL_M / high, foot))
    if len(found) > MOST:
        found = [found[k] for k in np.linspace(0, len(found) - 1, MOST).astype(int)]
    return found
