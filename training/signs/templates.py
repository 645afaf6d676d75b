"""Faces of signs to train on: the drawn artwork, and our own drawings of every value in many styles and fonts.

python -m training.signs.templates --artwork FOLDER --out templates.npz

Needs Pillow and CairoSVG (training/requirements.txt) and some condensed sans fonts (any of `FONTS` that is installed is
used; DejaVu is enough to start). Nothing of a photograph goes in here.
"""

from __future__ import annotations

import argparse
import csv
import io
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from training.signs.classes import VALUES, ZONES, index

SIDE: Final = 96  # of a template [px]
DRAWN: Final = 384  # drawn larger, then shrunk
ROUND, PLATE, OTHER = 0, 1, 2  # what the detector tells apart
FONTS: Final = (
    "dejavu/DejaVuSansCondensed-Bold.ttf",
    "dejavu/DejaVuSans-Bold.ttf",
    "roboto/unhinted/RobotoCondensed-Bold.ttf",
    "roboto/unhinted/RobotoCondensed-Medium.ttf",
    "liberation/LiberationSansNarrow-Bold.ttf",
    "liberation/LiberationSans-Bold.ttf",
    "open-sans/OpenSans-CondBold.ttf",
    "dosis/Dosis-Bold.otf",
    "dosis/Dosis-ExtraBold.otf",
    "cabin/Cabin-Bold.otf",
    "lato/Lato-Heavy.ttf",
    "freefont/FreeSansBold.ttf",
)
ARABIC: Final = str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩")
Colour = tuple[int, int, int]
WHITE, BLACK, RED, BLUE, GREEN, YELLOW = (
    (245, 245, 242),
    (18, 18, 20),
    (190, 20, 30),
    (20, 70, 160),
    (0, 105, 70),
    (250, 200, 20),
)


class Drawer:
    """Draws one face: white paper of `DRAWN` pixels that is transparent where there is no sign."""

    def __init__(self, random: np.random.Generator, fonts: list[str]) -> None:
        self.random = random
        self._fonts = fonts
        self.picture = Image.new("RGBA", (DRAWN, DRAWN), (0, 0, 0, 0))
        self.draw = ImageDraw.Draw(self.picture)

    def between(self, low: float, high: float) -> float:
        """A drawn number."""
        return float(self.random.uniform(low, high))

    def near(self, colour: Colour, spread: float = 18.0) -> Colour:
        """A colour that has seen some years."""
        shifted = np.clip(np.array(colour) + self.random.normal(0.0, spread, 3), 0, 255)
        return int(shifted[0]), int(shifted[1]), int(shifted[2])

    def disc(self, share: float, colour: Colour) -> None:
        """A filled circle; share of the whole radius."""
        r = DRAWN / 2 * share
        c = DRAWN / 2
        self.draw.ellipse((c - r, c - r, c + r, c + r), fill=(*colour, 255))

    def box(self, width: float, height: float, colour: Colour, radius: float = 0.05) -> None:
        """A filled rectangle with rounded corners, in shares of the paper."""
        w, h, c = DRAWN * width / 2, DRAWN * height / 2, DRAWN / 2
        self.draw.rounded_rectangle((c - w, c - h, c + w, c + h), DRAWN * radius, fill=(*colour, 255))

    def text(self, text: str, *, width: float, height: float, colour: Colour, y: float = 0.0) -> None:
        """A text stretched into a box below the middle by `y`, all in shares of the paper."""
        fonts = self._fonts if text.isascii() else [font for font in self._fonts if "DejaVuSans" in font]
        font = ImageFont.truetype(fonts[int(self.random.integers(len(fonts)))], 200)
        left, top, right, bottom = font.getbbox(text)
        mask = Image.new("L", (max(1, int(right - left)), max(1, int(bottom - top))), 0)
        ImageDraw.Draw(mask).text((-left, -top), text, fill=255, font=font)
        natural = mask.width / mask.height
        tall = min(height, width / natural * self.between(1.0, 1.25))
        wide = min(width, tall * natural)
        mask = mask.resize((max(1, int(DRAWN * wide)), max(1, int(DRAWN * tall))), Image.Resampling.LANCZOS)
        corner = (int((DRAWN - mask.width) / 2), int(DRAWN * (0.5 + y) - mask.height / 2))
        self.picture.paste((*colour, 255), corner, mask)

    def slash(self, colour: Colour, width: float, lines: int, gap: float, lean: float) -> None:
        """Lines from low left to high right over the whole sign, kept inside it."""
        over = Image.new("RGBA", self.picture.size, (0, 0, 0, 0))
        pen = ImageDraw.Draw(over)
        for number in range(lines):
            off = (number - (lines - 1) / 2) * gap * DRAWN
            c, reach = DRAWN / 2, DRAWN * 0.55
            dx, dy = math.cos(lean) * reach, math.sin(lean) * reach
            ox, oy = math.sin(lean) * off, math.cos(lean) * off
            ends = (c - dx + ox, c + dy + oy, c + dx + ox, c - dy + oy)
            pen.line(ends, fill=(*colour, 255), width=int(DRAWN * width))
        alpha = self.picture.getchannel("A")
        self.picture.paste(over, (0, 0), Image.composite(over.getchannel("A"), Image.new("L", alpha.size, 0), alpha))
        self.draw = ImageDraw.Draw(self.picture)

    def done(self) -> np.ndarray:
        """The template, (4, SIDE, SIDE) uint8 RGBA."""
        small = self.picture.resize((SIDE, SIDE), Image.Resampling.LANCZOS)
        return np.moveaxis(np.asarray(small), 2, 0).copy()


def _digits(d: Drawer, value: int, scale: float, colour: Colour) -> None:
    """The number in a round sign; on the Gulf now and then with Arabic digits above."""
    room = 0.62 * scale if value >= 100 else 0.52 * scale
    if d.random.random() < 0.08:
        d.text(str(value).translate(ARABIC), width=room * 0.8, height=0.24 * scale, colour=colour, y=-0.15)
        d.text(str(value), width=room * 0.8, height=0.26 * scale, colour=colour, y=0.15)
    elif d.random.random() < 0.06:
        d.text(str(value), width=room, height=0.32 * scale, colour=colour, y=-0.06)
        d.text(str(d.random.choice(["km/h", "mph", "km"])), width=0.3, height=0.1, colour=colour, y=0.2)
    else:
        d.text(str(value), width=room, height=d.between(0.36, 0.48) * scale, colour=colour)


def ring(d: Drawer, value: int) -> None:
    """A red ring: white, yellow, or with blue digits."""
    kind = d.random.random()
    ground = d.near(YELLOW) if kind < 0.12 else d.near(WHITE, 10)
    ink = d.near((25, 45, 130)) if 0.12 <= kind < 0.27 else d.near(BLACK)
    outside = 1.0
    if d.random.random() < 0.35:
        d.disc(1.0, d.near(WHITE, 10))
        outside = d.between(0.93, 0.98)
    d.disc(outside, d.near(RED, 25))
    inside = outside - d.between(0.17, 0.32)
    d.disc(inside, ground)
    _digits(d, value, d.between(0.85, 1.1) * inside / 0.76, ink)


def lit_ring(d: Drawer, value: int) -> None:
    """A variable sign: lamps on black."""
    if d.random.random() < 0.5:
        d.box(1.0, 1.0, d.near((12, 12, 14), 6))
    else:
        d.disc(1.0, d.near((12, 12, 14), 6))
    d.disc(d.between(0.86, 0.95), d.near((225, 30, 30), 25))
    d.disc(d.between(0.66, 0.74), d.near((12, 12, 14), 6))
    _digits(d, value, d.between(0.85, 1.0), d.near((250, 245, 225) if d.random.random() < 0.75 else (250, 190, 40), 12))
    _lamps(d)


def lit_plate(d: Drawer, value: int) -> None:
    """A variable plate of the American kind, or a bare lit number."""
    d.box(0.86, 1.0, d.near((14, 14, 14), 6))
    ink = d.near((250, 245, 225) if d.random.random() < 0.5 else (250, 180, 30), 12)
    if d.random.random() < 0.7:
        d.text("SPEED", width=0.6, height=0.14, colour=ink, y=-0.36)
        d.text("LIMIT", width=0.6, height=0.14, colour=ink, y=-0.18)
    d.text(str(value), width=0.7, height=0.42, colour=ink, y=0.17)
    _lamps(d)


def _lamps(d: Drawer) -> None:
    """The grid between lamps, as far as a camera sees it."""
    if d.random.random() < 0.6:
        step = int(d.between(9, 16))
        for at in range(0, DRAWN, step):
            d.draw.line((at, 0, at, DRAWN), fill=(12, 12, 14, 255), width=max(1, step // 4))
            d.draw.line((0, at, DRAWN, at), fill=(12, 12, 14, 255), width=max(1, step // 4))
        if d.random.random() < 0.5:
            d.picture.putalpha(255)


def end_ring(d: Drawer, value: int | None) -> None:
    """The end of a limit: grey digits, black or red lines."""
    d.disc(1.0, d.near((60, 60, 60) if d.random.random() < 0.7 else WHITE))
    d.disc(d.between(0.92, 0.97), d.near(WHITE, 10))
    if value is not None:
        grey = d.near((110, 110, 112) if d.random.random() < 0.7 else (40, 40, 40))
        _digits(d, value, d.between(0.95, 1.2), grey)
    colour = d.near(RED) if d.random.random() < 0.2 else d.near(BLACK)
    lines = int(d.random.choice([1, 3, 4, 5]))
    d.slash(colour, 0.10 if lines == 1 else d.between(0.018, 0.035), lines, d.between(0.05, 0.08), d.between(0.7, 0.9))


def end_all(d: Drawer) -> None:
    """The end of all prohibitions."""
    end_ring(d, None)


def minimum(d: Drawer, value: int) -> None:
    """Blue disc, white digits."""
    d.disc(1.0, d.near(WHITE, 10))
    d.disc(d.between(0.93, 1.0), d.near(BLUE, 25))
    _digits(d, value, d.between(0.95, 1.15), d.near(WHITE, 10))


def end_minimum(d: Drawer, value: int) -> None:
    """The same with a red line."""
    minimum(d, value)
    d.slash(d.near(RED), d.between(0.05, 0.1), 1, 0.0, d.between(0.7, 0.9))


def us_plate(d: Drawer, value: int) -> None:
    """`SPEED LIMIT` or `MAXIMUM` over a number."""
    wide = d.between(0.72, 0.86)
    d.box(wide, 1.0, d.near(WHITE, 10))
    edge = d.near(BLACK)
    w, h, c = DRAWN * (wide / 2 - 0.025), DRAWN * 0.475, DRAWN / 2
    d.draw.rounded_rectangle((c - w, c - h, c + w, c + h), DRAWN * 0.05, outline=(*edge, 255), width=int(DRAWN * 0.018))
    if d.random.random() < 0.75:
        d.text("SPEED", width=wide * 0.75, height=0.15, colour=edge, y=-0.34)
        d.text("LIMIT", width=wide * 0.75, height=0.15, colour=edge, y=-0.15)
        d.text(str(value), width=wide * 0.75, height=0.42, colour=edge, y=0.2)
    else:
        d.text("MAXIMUM", width=wide * 0.85, height=0.13, colour=edge, y=-0.32)
        d.text(str(value), width=wide * 0.75, height=0.45, colour=edge, y=0.06)
        if d.random.random() < 0.6:
            d.text("km/h", width=0.3, height=0.1, colour=edge, y=0.39)


def advisory(d: Drawer, value: int) -> None:
    """A yellow plate under a warning, or the blue square of Europe."""
    if d.random.random() < 0.65:
        d.box(0.95, 0.95, d.near(YELLOW))
        ink = d.near(BLACK)
        d.draw.rectangle((20, 20, DRAWN - 20, DRAWN - 20), outline=(*ink, 255), width=6)
        d.text(str(value), width=0.7, height=0.48, colour=ink, y=-0.1)
        d.text(str(d.random.choice(["MPH", "km/h", "M.P.H."])), width=0.5, height=0.16, colour=ink, y=0.32)
    else:
        d.box(0.98, 0.98, d.near(BLUE, 25))
        d.text(str(value), width=0.75, height=d.between(0.35, 0.5), colour=d.near(WHITE, 10))


def zone(d: Drawer, value: int, ends: bool = False) -> None:
    """A plate with a ring and a word."""
    d.box(d.between(0.74, 0.86), 1.0, d.near(WHITE, 10), 0.03)
    up = d.random.random() < 0.35
    inner = Drawer(d.random, d._fonts)
    end_ring(inner, value) if ends else ring(inner, value)
    size = int(DRAWN * d.between(0.56, 0.68))
    face = inner.picture.resize((size, size), Image.Resampling.LANCZOS)
    middle = int(DRAWN * (0.5 + (0.12 if up else -0.12)))
    d.picture.paste(face, (DRAWN // 2 - size // 2, middle - size // 2), face)
    word = str(d.random.choice(["ZONE", "ZONA", "Zone"]))
    ink = d.near((110, 110, 110)) if ends else d.near(BLACK)
    d.text(word, width=0.6, height=0.18, colour=ink, y=-0.37 if up else 0.37)
    if ends and d.random.random() < 0.7:
        d.slash(d.near((60, 60, 60)), d.between(0.02, 0.05), int(d.random.choice([1, 4])), 0.05, d.between(0.7, 0.95))


LETTERS: Final = "ABCDEFGHIKLMNOPRSTUVWZ"


def town(d: Drawer, ends: bool = False) -> None:
    """A town's name."""
    name = "".join(d.random.choice(list(LETTERS), int(d.random.integers(4, 10)))).capitalize()
    style = d.random.random()
    tall = d.between(0.5, 0.72)
    if style < 0.5:
        edge, ground = d.near(BLACK), d.near(YELLOW)
    elif style < 0.8:
        edge, ground = d.near(RED), d.near(WHITE, 10)
    else:
        edge, ground = d.near(BLACK), d.near(WHITE, 10)
    d.box(1.0, tall, edge, 0.03)
    d.box(0.96, tall - 0.05, ground, 0.03)
    d.text(name, width=0.8, height=0.28, colour=d.near(BLACK))
    if ends:
        d.slash(d.near(RED), d.between(0.03, 0.07), 1, 0.0, math.atan2(tall, 1.0))


def number_of_a_house(d: Drawer) -> None:
    """A number that is no sign of the road: house, route, height, weight, bus, shop, clock."""
    value = int(d.random.integers(1, 140))
    style = int(d.random.integers(7))
    ink = d.near(WHITE, 10)
    if style == 0:
        d.box(d.between(0.8, 1.0), d.between(0.6, 0.9), d.near(BLUE, 30))
        d.text(str(value), width=0.7, height=0.45, colour=ink)
    elif style == 1:
        d.disc(1.0, d.near(RED, 25))
        d.disc(d.between(0.7, 0.8), d.near(WHITE, 10))
        text = str(d.random.choice(["3.8m", "5.5t", "2,1m", "7.5t", "12t", "70m", "4t", "2m"]))
        d.text(text, width=0.58, height=0.3, colour=d.near(BLACK))
    elif style == 2:
        d.box(1.0, d.between(0.4, 0.7), d.near(GREEN, 25))
        d.text(f"{d.random.choice(['A', 'B', 'E', 'M', 'N'])}{value}", width=0.75, height=0.35, colour=ink)
    elif style == 3:
        d.box(1.0, d.between(0.3, 0.5), d.near(WHITE, 20))
        d.text(f"{value} m", width=0.8, height=0.28, colour=d.near(BLACK))
    elif style == 4:
        d.box(d.between(0.6, 1.0), d.between(0.6, 1.0), d.near(WHITE, 60))
        d.text(str(value), width=0.6, height=0.5, colour=d.near(BLACK, 50))
    elif style == 5:
        d.disc(1.0, d.near(WHITE, 30))
        d.disc(0.9, d.near((200, 200, 200), 40))
        for hour in range(12):
            a = hour * math.pi / 6
            x, y = DRAWN / 2 + math.cos(a) * DRAWN * 0.38, DRAWN / 2 + math.sin(a) * DRAWN * 0.38
            d.draw.ellipse((x - 8, y - 8, x + 8, y + 8), fill=(20, 20, 20, 255))
        d.draw.line((DRAWN / 2, DRAWN / 2, DRAWN * 0.7, DRAWN * 0.3), fill=(20, 20, 20, 255), width=12)
    else:
        d.box(1.0, d.between(0.22, 0.35), d.near(YELLOW if d.random.random() < 0.4 else WHITE, 10))
        plate = "".join(d.random.choice(list(LETTERS + "0123456789"), 7))
        d.text(plate, width=0.9, height=0.2, colour=d.near(BLACK))


def shape(d: Drawer) -> None:
    """Round and square things without a meaning: lamps, reflectors, advertisements, no entry, other prohibitions."""
    colours = [RED, BLUE, WHITE, YELLOW, GREEN, BLACK, (120, 120, 120)]

    def pick() -> Colour:
        return d.near(colours[int(d.random.integers(len(colours)))], 30)

    if d.random.random() < 0.6:
        d.disc(1.0, pick())
        if d.random.random() < 0.7:
            d.disc(d.between(0.3, 0.9), pick())
    else:
        d.box(d.between(0.4, 1.0), d.between(0.4, 1.0), pick())
        if d.random.random() < 0.7:
            d.box(d.between(0.2, 0.4), d.between(0.2, 0.9), pick())
    style = d.random.random()
    if style < 0.3:
        d.text("".join(d.random.choice(list(LETTERS.lower()), 3)), width=0.6, height=0.4, colour=pick())
    elif style < 0.5:
        d.box(0.7, 0.16, pick(), 0.01)
    elif style < 0.65:
        d.slash(pick(), d.between(0.04, 0.12), 1, 0.0, d.between(-1.0, 1.0))


def artwork_meaning(name: str, kind: str, value: str) -> tuple[str, int | None]:
    """Class of a drawn sign, from its table."""
    number = int(value) if value else None
    if kind in ("speed_limit", "variable_speed_limit", "end_of_speed_limit", "minimum_speed", "end_of_minimum_speed"):
        return kind, number
    if kind == "advisory_speed_plate":
        return "advisory_speed", number
    for pattern, meaning in (
        ("information--built-up-area", "city_entry"),
        ("information--end-of-built-up-area", "city_exit"),
        ("information--end-of-motorway", "motorway_exit"),
        ("information--motorway", "motorway_entry"),
        ("information--end-of-living-street", "living_street_exit"),
        ("information--living-street", "living_street_entry"),
        ("regulatory--end-of-prohibition", "end_of_all_limits"),
    ):
        if name.startswith(pattern):
            return meaning, None
    return "other", None


def read_artwork(folder: Path) -> list[tuple[np.ndarray, int, int]]:
    """The drawn signs: template, class, form."""
    import cairosvg

    found = []
    with (folder.parent / "artwork.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            meaning = artwork_meaning(row["file"], row["kind"], row["value_shown"])
            path = folder / Path(row["file"]).name
            if not path.is_file():
                continue
            raw = cairosvg.svg2png(bytestring=path.read_bytes(), output_width=DRAWN)
            picture = Image.open(io.BytesIO(raw)).convert("RGBA")
            picture = picture.crop(picture.getbbox() or (0, 0, 1, 1))
            side = max(picture.size)
            paper = Image.new("RGBA", (side, side), (0, 0, 0, 0))
            paper.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
            small = np.moveaxis(np.asarray(paper.resize((SIDE, SIDE), Image.Resampling.LANCZOS)), 2, 0)
            is_round = bool(re.search("ring|led", row["style"])) and "us" not in row["style"]
            is_round |= row["kind"] in ("end_of_speed_limit", "minimum_speed", "end_of_minimum_speed")
            form = OTHER if meaning[0] == "other" else ROUND if is_round else PLATE
            found.append((small.copy(), index(*meaning), form))
    return found


def drawn(fonts: list[str], seed: int, of_each: int) -> list[tuple[np.ndarray, int, int]]:
    """Our own drawings, `of_each` of each value in each style."""
    random = np.random.default_rng(seed)
    found: list[tuple[np.ndarray, int, int]] = []

    def add(maker: Callable[[Drawer], None], meaning: int, form: int, times: int) -> None:
        for _ in range(times):
            d = Drawer(random, fonts)
            maker(d)
            found.append((d.done(), meaning, form))

    for value in VALUES:
        add(lambda d, v=value: ring(d, v), index("speed_limit", value), ROUND, 4 * of_each)
        add(lambda d, v=value: us_plate(d, v), index("speed_limit", value), PLATE, 2 * of_each)
        add(lambda d, v=value: lit_ring(d, v), index("variable_speed_limit", value), ROUND, 2 * of_each)
        add(lambda d, v=value: lit_plate(d, v), index("variable_speed_limit", value), PLATE, of_each)
        add(lambda d, v=value: end_ring(d, v), index("end_of_speed_limit", value), ROUND, 2 * of_each)
        add(lambda d, v=value: minimum(d, v), index("minimum_speed", value), ROUND, of_each)
        add(lambda d, v=value: end_minimum(d, v), index("end_of_minimum_speed", value), ROUND, of_each)
        add(lambda d, v=value: advisory(d, v), index("advisory_speed", value), PLATE, of_each)
    for value in ZONES:
        add(lambda d, v=value: zone(d, v), index("zone_entry", value), PLATE, 4 * of_each)
        add(lambda d, v=value: zone(d, v, ends=True), index("zone_exit", value), PLATE, 4 * of_each)
    add(end_all, index("end_of_all_limits", None), ROUND, 20 * of_each)
    add(town, index("city_entry", None), PLATE, 40 * of_each)
    add(lambda d: town(d, ends=True), index("city_exit", None), PLATE, 40 * of_each)
    add(number_of_a_house, index("other", None), OTHER, 150 * of_each)
    add(shape, index("other", None), OTHER, 100 * of_each)
    return found


def installed_fonts(folder: Path = Path("/usr/share/fonts")) -> list[str]:
    """The fonts of `FONTS` that this machine has."""
    found = [str(path) for name in FONTS for path in folder.glob(f"*/{name}")]
    if not found:
        raise SystemExit(f"no font of {', '.join(FONTS[:3])}, ... below {folder}: install DejaVu")
    return found


def main() -> None:
    """Draw all faces into one file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--artwork", type=Path, required=True, help="folder of SVG files, with artwork.csv beside it")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--of-each", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    faces = read_artwork(options.artwork) + drawn(installed_fonts(), options.seed, options.of_each)
    pictures = np.stack([face for face, _, _ in faces])
    meanings = np.array([meaning for _, meaning, _ in faces], dtype=np.int16)
    forms = np.array([form for _, _, form in faces], dtype=np.int8)
    np.savez_compressed(options.out, pictures=pictures, meanings=meanings, forms=forms)
    print(f"{options.out}: {len(faces)} faces, {len(set(meanings.tolist()))} classes")


if __name__ == "__main__":
    main()
