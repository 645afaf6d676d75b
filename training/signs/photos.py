"""Real pictures of roads as backgrounds, from recordings whose licence permits it (docs/signs.md).

python -m training.signs.photos --out photos.npz CLIP.mp4 FOLDER PICTURE ...
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import cv2
import numpy as np

ROWS, COLUMNS = 360, 640
OF_A_CLIP: Final = 8  # pictures taken from one clip
PICTURES: Final = (".jpg", ".jpeg", ".png")


def pictures(path: Path) -> list[np.ndarray]:
    """The pictures of a file or folder, RGB, all of one size."""
    if path.is_dir():
        return [one for item in sorted(path.iterdir()) if item.suffix in PICTURES for one in pictures(item)]
    found = []
    if path.suffix in PICTURES:
        found = [cv2.imread(str(path))]
    else:
        film = cv2.VideoCapture(str(path))
        count = int(film.get(cv2.CAP_PROP_FRAME_COUNT))
        for at in np.linspace(0, max(0, count - 2), min(count, OF_A_CLIP)).astype(int):
            film.set(cv2.CAP_PROP_POS_FRAMES, int(at))
            found.append(film.read()[1])
    return [
        cv2.cvtColor(cv2.resize(one, (COLUMNS, ROWS), interpolation=cv2.INTER_AREA), cv2.COLOR_BGR2RGB)
        for one in found
        if one is not None
    ]


def main() -> None:
    """All pictures into one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sources", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    found = [one for source in options.sources for one in pictures(source)]
    np.savez_compressed(options.out, pictures=np.stack(found))
    print(f"{options.out}: {len(found)} pictures")


if __name__ == "__main__":
    main()
