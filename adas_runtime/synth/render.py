"""One picture of a drive: simple graphics, exact geometry. A picture depends on its number alone, never on the former.

A lens with distortion is drawn with an ideal lens first, on a picture wide enough, and then bent. Everything on the
road is projected point by point through the vehicle file's camera; the ground is flat and the mount is rigid.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from adas_runtime.errors import AdasError
from adas_runtime.perception.camera import Camera
from adas_runtime.signals import MarkingColour
from adas_runtime.synth.ground import GroundView, Texture
from adas_runtime.synth.motion import Motion, Pose
from adas_runtime.synth.paint import PAINT_BGR, SHIFT, Course, PaintLayer, corners, flood, tinted
from adas_runtime.synth.plan import Actor, Plan, Rain, Sign
from adas_runtime.synth.props import Colour, Shade, Trees, draw_car, draw_sign, fill, paste, place, to_local
from adas_runtime.synth.props import Face as PropFace

Floats = NDArray[np.float64]
Bytes = NDArray[np.uint8]
ASPHALT: Final = (96.0, 97.0, 98.0)
GROUND: Final[dict[str, Colour]] = {"grass": (62.0, 108.0, 92.0), "sand": (128.0, 168.0, 190.0)}
IDEAL_MIN: Final = 0.26  # cosine of the widest angle that an ideal picture can hold: 75 degrees to each side
NOISE_GAIN: Final = 2.2  # spread of the sensor noise by day [grey levels]  [D]
NOISE_BIAS: Final = 24
HAZE_REACH_M: Final[dict[Rain, float]] = {Rain.NONE: 700.0, Rain.LIGHT: 260.0, Rain.HEAVY: 120.0}
TREE_REACH_M: Final = 170.0
POST_SPACING_M: Final = 50.0
SUN_AZIMUTH_RAD: Final = 0.12  # of the low sun, from the drive's first heading  [D]
SUN_ELEVATION_RAD: Final = 0.09


@dataclass(frozen=True, slots=True)
class Mood:
    """Light and air of one picture."""

    ambient: float
    sky_low: Floats  # colour at the horizon, which is also the haze's
    sky_high: Floats
    tint: Floats  # of daylight
    lamps_on: bool


def mood_of(ambient: float, rain: Rain, is_low_sun: bool) -> Mood:
    """Colours of sky and light at a level of daylight."""
    levels = np.array([0.0, 0.1, 0.4, 0.75, 1.0])
    low = np.array([[14, 12, 11], [58, 50, 56], [122, 142, 196], [206, 208, 210], [228, 220, 208]], dtype=np.float64)
    high = np.array([[8, 6, 5], [48, 30, 22], [148, 104, 78], [206, 160, 118], [214, 158, 108]], dtype=np.float64)
    tint = np.array([[1.1, 1.0, 0.95], [1.12, 1.0, 0.95], [1.05, 0.98, 0.98], [1, 1, 1], [1, 1, 1]], dtype=np.float64)
    mix = [np.array([np.interp(ambient, levels, table[:, i]) for i in range(3)]) for table in (low, high, tint)]
    if is_low_sun:
        mix[0] = mix[0] * 0.5 + np.array([150.0, 205.0, 245.0]) * 0.5
        mix[2] = np.array([0.86, 0.98, 1.1])
    if rain is not Rain.NONE:
        grey = float(mix[0].mean()) * (0.82 if rain is Rain.LIGHT else 0.7)
        mix[0] = np.full(3, grey) * [1.03, 1.0, 0.98]
        mix[1] = np.full(3, grey * 0.86) * [1.03, 1.0, 0.98]
    return Mood(
        ambient=ambient, sky_low=mix[0], sky_high=mix[1], tint=mix[2], lamps_on=ambient < 0.6 or rain is not Rain.NONE
    )


@dataclass(frozen=True, slots=True)
class Scene:
    """One picture in the making, for what stands on the ground."""

    picture: Bytes
    shade: Shade
    light: Callable[[float], float]  # brightness of a surface at a distance
    mood: Mood
    reach_m: float  # distance at which the air takes two thirds of the contrast


Draw = Callable[[Scene, float, float, float], None]


class Renderer:
    """Draws the pictures of one drive through one camera.

    Args:
        plan: What happens.
        motion: How the ego vehicle moves.
        camera: The camera, for the pictures' size.
    """

    def __init__(self, plan: Plan, motion: Motion, camera: Camera) -> None:
        self._plan = plan
        self._motion = motion
        self.camera = camera
        self._ideal, self._bend = _ideal_camera(camera)
        random = np.random.default_rng([plan.seed, 1])
        self._ground = GroundView(self._ideal, Texture(random))
        self._paint = PaintLayer(self._ideal, self._ground.top_px, plan.road)
        reach = float(motion.s_m[-1]) + TREE_REACH_M + 40.0
        self._trees = Trees(random, plan.road, reach, plan.ground == "sand")
        height, width = self._ideal.height_px, self._ideal.width_px
        self._noise = _sensor_noise(random, height + 96, width + 96)
        self._clouds = _clouds(random)
        self._hills = _hills(random, plan.ground == "sand")
        self._patches = _patches(random, plan, reach)
        haze = np.exp(-self._ground.distance_m / HAZE_REACH_M[plan.rain])
        self._clear: NDArray[np.float32] = haze.astype(np.float32)
        veil = np.round(255.0 * (1.0 - haze)).astype(np.uint8)
        self._veil: Bytes = np.asarray(cv2.merge((veil, veil, veil)), dtype=np.uint8)
        self._headlights = _headlight_cone(self._ground)
        self._last_air: tuple[float, Bytes, Bytes] = (-1.0, veil, veil)

    def frame(self, index: int, t_s: float) -> Bytes:
        """The picture at a time, (rows, columns, 3) BGR. `index` seeds its sensor noise and rain."""
        pose = self._motion.at(t_s)
        s_ego = pose.s_guess_m
        mood = mood_of(float(self._plan.ambient.value(np.array([t_s]))[0]), self._plan.rain, self._plan.is_low_sun)
        picture = np.empty((self._ideal.height_px, self._ideal.width_px, 3), dtype=np.uint8)
        top = self._ground.top_px
        self._draw_sky(picture[: top + 1], pose, mood)
        self._draw_ground(picture[top:], pose, s_ego, mood)
        self._draw_props(picture, pose, s_ego, t_s, mood)
        random = np.random.default_rng([self._plan.seed, 2, index])
        if self._plan.is_low_sun:
            self._draw_glare(picture, pose)
        if self._plan.rain is not Rain.NONE:
            self._draw_rain(picture, random, mood)
        row, column = (int(value) for value in random.integers(0, 96, 2))
        noise = self._noise[row : row + picture.shape[0], column : column + picture.shape[1]]
        gain = 1.0 + 1.6 * (1.0 - min(mood.ambient * 1.5, 1.0))  # a dark scene is amplified, and its noise with it
        picture = np.asarray(cv2.addWeighted(picture, 1.0, noise, gain, -gain * NOISE_BIAS), dtype=np.uint8)
        if self._bend is not None:
            picture = np.asarray(cv2.remap(picture, self._bend[0], self._bend[1], cv2.INTER_LINEAR), dtype=np.uint8)
        return picture

    # --- sky --------------------------------------------------------------------------------------------------------

    def _draw_sky(self, part: Bytes, pose: Pose, mood: Mood) -> None:
        rows, columns = part.shape[:2]
        if not rows:
            return
        # the sky is smooth: a quarter of the pixels is enough
        few = (rows + 1) // 2, (columns + 1) // 2
        rise = np.linspace(1.0, 0.0, few[0])[:, None] ** 0.8
        column = np.round(mood.sky_low * (1.0 - rise) + mood.sky_high * rise).astype(np.uint8)[:, None, :]
        wide = cv2.resize(np.ascontiguousarray(column), few[::-1], interpolation=cv2.INTER_NEAREST)
        gradient = np.asarray(wide, dtype=np.uint8)
        azimuth = pose.heading_rad + self._ideal.yaw_rad
        fade = np.linspace(1.0, 0.25, few[0], dtype=np.float32)[:, None] * np.float32(
            0.75 * min(1.0, mood.ambient + 0.2)
        )
        faded = cv2.resize(fade / np.float32(255.0), few[::-1], interpolation=cv2.INTER_NEAREST)
        cloud = cv2.multiply(self._panorama(self._clouds, azimuth, *few), faded, dtype=cv2.CV_32F)
        white = np.empty_like(gradient)
        low = mood.sky_low
        flood(white, tinted((float(low[0]), float(low[1]), float(low[2])), np.full(3, 1.08)))
        rest = cv2.addWeighted(cloud, -1.0, cloud, 0.0, 1.0)
        sky = cv2.blendLinear(gradient, white, rest, cloud)
        cv2.resize(sky, (columns, rows), dst=part, interpolation=cv2.INTER_LINEAR)
        # far hills: their foot is the horizon
        across = np.arange(-8, columns + 9, 8, dtype=np.float64)
        bearing = azimuth - np.arctan((across - self._ideal.cx_px) / self._ideal.fx_px)
        far = self._ideal.x_m + 1e5
        edge = self._ideal.project_ground(np.array([far, far]), np.array([4e4, -4e4]))
        slope = (edge[1, 1] - edge[0, 1]) / (edge[1, 0] - edge[0, 0])
        horizon = edge[0, 1] + slope * (across - edge[0, 0])
        for layer, (share, lift) in enumerate(((0.72, 1.0), (0.45, 0.55))):
            profile = self._hills[layer]
            place_of = (bearing / (2.0 * np.pi) % 1.0) * len(profile)
            height = np.interp(place_of, np.arange(len(profile) + 1), np.append(profile, profile[0])) * lift
            outline = np.stack((across, horizon - height * self._ideal.fx_px), axis=1)
            foot = np.array([[across[-1], horizon[-1] + 4.0], [across[0], horizon[0] + 4.0]])
            points = np.round(np.concatenate((outline, foot)) * (1 << SHIFT)).astype(np.int32)
            own = np.array(GROUND[self._plan.ground]) * 0.55 * mood.ambient * mood.tint
            colour = tuple(float(value) for value in mood.sky_low * share + own * (1.0 - share))
            cv2.fillPoly(part, [points], colour, lineType=cv2.LINE_AA, shift=SHIFT)

    def _panorama(self, image: Bytes, azimuth: float, rows: int, columns: int) -> Bytes:
        """The cut of a full-circle picture (twice side by side) that the camera sees, moved by fractions of a pixel."""
        circle = image.shape[1] // 2
        per_pixel = circle / (2.0 * np.pi) / self._ideal.fx_px * self._ideal.width_px / columns
        shift = -azimuth / (2.0 * np.pi) * circle % circle
        matrix = np.array([[per_pixel, 0.0, shift], [0.0, image.shape[0] / rows, 0.0]])
        return np.asarray(
            cv2.warpAffine(image, matrix, (columns, rows), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP),
            dtype=np.uint8,
        )

    # --- ground -----------------------------------------------------------------------------------------------------

    def _draw_ground(self, part: Bytes, pose: Pose, s_ego: float, mood: Mood) -> None:
        ground, road, rain = self._ground, self._plan.road, self._plan.rain
        wet = {Rain.NONE: 1.0, Rain.LIGHT: 0.8, Rain.HEAVY: 0.66}[rain]
        course = Course(road, pose, s_ego, ground.near_m)
        tint = mood.tint
        asphalt = tinted((ASPHALT[0] * wet, ASPHALT[1] * wet, ASPHALT[2] * wet), tint)
        bare = tinted(GROUND["sand"], tint)
        areas = [
            (-1e9, 1e9, road.edge_left_m + 0.5, road.edge_right_m - 0.5, dimmed(bare, 0.72)),
            (-1e9, 1e9, road.edge_left_m, road.edge_right_m, asphalt),
        ]
        for lane in road.lanes:  # wheel tracks, a little darker and smoother
            for track in (-0.85, 0.85):
                middle = lane.d_m + track
                areas.append((-1e9, 1e9, middle + 0.32, middle - 0.32, dimmed(asphalt, 0.93)))
        areas += [(begin, end, left, right, dimmed(asphalt, gain)) for begin, end, left, right, gain in self._patches]
        bands = [(course.band(left, right, begin, end), colour) for begin, end, left, right, colour in areas]
        polygons = [(band, colour) for band, colour in bands if band is not None]
        base = np.empty_like(part)
        flood(base, tinted(GROUND[self._plan.ground], tint))
        shapes = corners(self._ideal, [band for band, _ in polygons], ground.top_px, 1)
        for points, (_, colour) in zip(shapes, polygons, strict=True):
            cv2.fillPoly(base, [points], colour, lineType=cv2.LINE_AA, shift=SHIFT)

        grain = ground.texture(pose)
        # worn paint lets the asphalt through, in spots; water on the road takes contrast from it. Few pixels are
        # painted: to blend those alone takes a fifth of the time of blending all
        coverage = self._paint.coverage(course)
        painted = np.flatnonzero(coverage)
        share = coverage.ravel()[painted].astype(np.float32) * _WEAR[grain.ravel()[painted]]
        share *= np.float32((0.85 if rain is Rain.HEAVY else 1.0) / 255.0**2)
        paint: NDArray[np.float32] = np.array(tinted(PAINT_BGR[MarkingColour.WHITE], tint), dtype=np.float32)
        if not self._paint.is_white_only:
            paint = self._paint.colour(course, tint).reshape(-1, 3)[painted].astype(np.float32)
        pixels = base.reshape(-1, 3)
        under = pixels[painted].astype(np.float32)
        pixels[painted] = (under + (paint - under) * share[:, None] + np.float32(0.5)).astype(np.uint8)

        light, haze = self._air(mood)
        for begin, end in self._plan.bridges_m:
            band = course.band(60.0, -60.0, begin, end)
            if band is not None:
                (points,) = corners(self._ideal, [band], ground.top_px, 1)
                shadow = np.full(part.shape[:2], 128, dtype=np.uint8)
                cv2.fillPoly(shadow, [points], 48, lineType=cv2.LINE_AA, shift=SHIFT)
                light = np.asarray(cv2.multiply(light, shadow, scale=1.0 / 128.0), dtype=np.uint8)
        gain = cv2.multiply(grain, light, scale=1.0 / 128.0)
        lit = cv2.multiply(base, cv2.merge((gain, gain, gain)), scale=1.0 / 128.0)
        cv2.add(lit, haze, dst=part)

    def _air(self, mood: Mood) -> tuple[Bytes, Bytes]:
        """Light on the ground that reaches the camera (128 is full daylight near by), and what the air adds to it."""
        key, light, haze = self._last_air  # one read: another thread may replace it meanwhile
        if key == mood.ambient:
            return light, haze
        level = self._clear * np.float32(128.0 * _exposure(mood.ambient))
        if mood.lamps_on and mood.ambient < 0.5:
            level += self._headlights * self._clear * np.float32(96.0 * (1.0 - mood.ambient / 0.5))
        light = np.asarray(level, dtype=np.uint8)
        table = (np.arange(256)[:, None] / 255.0 * mood.sky_low).round().astype(np.uint8).reshape(256, 1, 3)
        haze = np.asarray(cv2.LUT(self._veil, table), dtype=np.uint8)
        self._last_air = (mood.ambient, light, haze)
        return light, haze

    # --- what stands on the ground --------------------------------------------------------------------------------

    def _draw_props(self, picture: Bytes, pose: Pose, s_ego: float, t_s: float, mood: Mood) -> None:
        road = self._plan.road
        reach = HAZE_REACH_M[self._plan.rain]
        light = _exposure(mood.ambient)

        def beam(distance: float) -> float:
            if not (mood.lamps_on and mood.ambient < 0.5):
                return 0.0
            return 0.5 * (1.0 - mood.ambient / 0.5) * math.exp(-((distance / 45.0) ** 2))

        def shade(colour: Colour, glow: float, distance: float) -> tuple[int, int, int]:
            clear = math.exp(-max(distance, 0.0) / reach)
            lit = max(light + beam(distance), glow)
            mixed = [
                min(value * lit * float(mood.tint[i]), 255.0) * clear + float(mood.sky_low[i]) * (1.0 - clear)
                for i, value in enumerate(colour)
            ]
            return (round(mixed[0]), round(mixed[1]), round(mixed[2]))

        # what stands where, then one projection of all feet, then drawing from far to near
        stands: list[tuple[float, float, Draw]] = []
        trees = self._trees
        for number in trees.near(s_ego, TREE_REACH_M).tolist():
            stands.append((float(trees.s_m[number]), float(trees.d_m[number]), partial(self._draw_tree, number=number)))
        first = math.ceil((s_ego + 5.0) / POST_SPACING_M)
        for number in range(first, first + int(150.0 / POST_SPACING_M) + 1):
            for d in (road.edge_left_m + 0.6, road.edge_right_m - 0.6):
                stands.append((number * POST_SPACING_M, d, self._draw_post))
        for sign in self._plan.signs:
            if 3.0 < sign.s_m - s_ego < 180.0:
                stands.append((sign.s_m, sign.d_m, partial(self._draw_sign, sign=sign)))
        for actor in self._plan.actors:
            s, _, accel = self._plan.actor_state(actor, t_s)
            if -5.0 < s - s_ego < 260.0:
                stands.append((s, actor.d_m, partial(self._draw_actor, actor=actor, is_braking=accel < -0.2)))
        for begin, end in self._plan.bridges_m:
            if 8.0 < end - s_ego < 260.0:
                stands.append((end, 0.0, partial(self._draw_bridge, pose=pose, begin=begin, end=end)))
        at = np.array([item[0] for item in stands])
        x, y = pose.to_vehicle(*road.line.point(at, np.array([item[1] for item in stands])))
        yaw = road.line.heading_at(at) - pose.heading_rad
        scene = Scene(picture, shade, lambda distance: light + beam(distance), mood, reach)
        for index in np.argsort(-x, kind="stable").tolist():
            stands[index][2](scene, float(x[index]), float(y[index]), float(yaw[index]))

    def _draw_post(self, scene: Scene, x: float, y: float, yaw: float) -> None:
        for low, high, colour in ((0.0, 1.0, (226.0, 228.0, 228.0)), (0.72, 0.9, (34.0, 34.0, 34.0))):
            quad = np.array([[0, 0.06, low], [0, -0.06, low], [0, -0.06, high], [0, 0.06, high]], dtype=np.float64)
            for face in place([PropFace(quad, colour)], x, y, yaw):
                fill(scene.picture, self._ideal, face, scene.shade)

    def _draw_sign(self, scene: Scene, x: float, y: float, yaw: float, *, sign: Sign) -> None:
        light = scene.light(x)
        bright = min(light + (light - scene.light(1e6)), 1.1)  # its sheet throws the headlights back
        gain = bright * math.exp(-x / (2.0 * scene.reach_m))
        draw_sign(scene.picture, self._ideal, sign, x, y, yaw, gain, scene.shade)

    def _draw_actor(self, scene: Scene, x: float, y: float, yaw: float, *, actor: Actor, is_braking: bool) -> None:
        mood = scene.mood
        if actor.is_opposing:
            yaw += math.pi
        light = _exposure(mood.ambient)
        for grow, share in ((0.25, 0.72), (0.02, 0.42)):
            along, across = actor.length_m / 2.0 + grow, actor.width_m / 2.0 + grow
            quad = np.array(
                [[along, across, 0.0], [along, -across, 0.0], [-along, -across, 0.0], [-along, across, 0.0]]
            )
            dark = dimmed(ASPHALT, share * light)
            for face in place([PropFace(quad, dark, 1.0)], x, y, yaw):
                fill(scene.picture, self._ideal, face, _plain)
        draw_car(scene.picture, self._ideal, actor, x, y, yaw, scene.shade, mood.lamps_on, is_braking)
        if mood.lamps_on and mood.ambient < 0.5 and actor.is_opposing:
            self._draw_glow(scene.picture, x - actor.length_m / 2.0, y, actor.width_m, mood)

    def _draw_tree(self, scene: Scene, x: float, y: float, yaw: float, *, number: int) -> None:
        camera = self._ideal
        if x < camera.x_m + 3.0:
            return
        height = float(self._trees.height_m[number])
        foot, head = camera.project(np.array([[x, y, 0.0], [x, y, height]]))
        half = (foot[1] - head[1]) / 2.0
        clear = math.exp(-(x - camera.x_m) / scene.reach_m)
        box = (float(foot[0] - half), float(head[1]), float(foot[0] + half), float(foot[1]))
        sprite = self._trees.sprites[int(self._trees.kind[number])]
        paste(scene.picture, sprite, box, scene.mood.tint * scene.light(x) * clear, scene.mood.sky_low * (1.0 - clear))

    def _draw_glow(self, picture: Bytes, x: float, y: float, width: float, mood: Mood) -> None:
        if x < self._ideal.x_m + 2.0:
            return
        for side in (1.0, -1.0):
            at = self._ideal.project(np.array([[x, y + side * (width / 2.0 - 0.2), 0.72]]))[0]
            spread = max(self._ideal.fx_px * 0.35 / (x - self._ideal.x_m), 2.5)
            _add_blob(picture, float(at[0]), float(at[1]), spread, 230.0 * (1.0 - mood.ambient))

    def _draw_bridge(
        self, scene: Scene, x: float, y: float, yaw: float, *, pose: Pose, begin: float, end: float
    ) -> None:
        road, camera = self._plan.road, self._ideal
        left, right = road.edge_left_m + 9.0, road.edge_right_m - 9.0
        for at, gain in ((end, 0.55), (begin, 1.0)):
            ends = [to_local(road, pose, at, d) for d in (left, right)]
            if min(point[0] for point in ends) < camera.x_m + 3.0:
                continue
            (x1, y1, _), (x2, y2, _) = ends
            deck = np.array([[x1, y1 + 30, 5.2], [x2, y2 - 30, 5.2], [x2, y2 - 30, 6.9], [x1, y1 + 30, 6.9]])
            fill(scene.picture, camera, PropFace(deck, dimmed((132.0, 138.0, 140.0), gain)), scene.shade)
            rail = deck.copy()
            rail[:2, 2], rail[2:, 2] = 6.9, 7.1
            fill(scene.picture, camera, PropFace(rail, (90.0, 94.0, 96.0)), scene.shade)
            for (foot_x, foot_y, turn), side in zip(ends, (1.0, -1.0), strict=True):
                wall = np.array([[0, 0, 0], [0, side * 2.5, 0], [0, side * 2.5, 5.2], [0, 0, 5.2]], dtype=np.float64)
                for face in place([PropFace(wall, dimmed((118.0, 124.0, 126.0), gain))], foot_x, foot_y, turn):
                    fill(scene.picture, camera, face, scene.shade)

    # --- air and lens -------------------------------------------------------------------------------------------------

    def _draw_glare(self, picture: Bytes, pose: Pose) -> None:
        bearing = SUN_AZIMUTH_RAD - pose.heading_rad
        far = np.array([[math.cos(bearing), math.sin(bearing), math.tan(SUN_ELEVATION_RAD)]]) * 1e5
        if far[0, 0] <= 0.0:
            return
        at = self._ideal.project(far)[0]
        for spread, gain in (
            (self._ideal.fx_px * 0.02, 255.0),
            (self._ideal.fx_px * 0.10, 120.0),
            (self._ideal.fx_px * 0.4, 55.0),
        ):
            _add_blob(picture, float(at[0]), float(at[1]), spread, gain)
        # the road mirrors the sun below it, a column of glare
        self._mirror(picture, float(at[0]))

    def _mirror(self, picture: Bytes, column: float) -> None:
        part = picture[self._ground.top_px :]
        rows, columns = part.shape[:2]
        across = np.exp(-(((np.arange(columns) - column) / (0.09 * columns)) ** 2)).astype(np.float32)
        down = np.linspace(1.0, 0.15, rows, dtype=np.float32)[:, None]
        bright = (70.0 * down * across[None, :]).astype(np.uint8)
        cv2.add(part, cv2.merge((bright // 2, (bright * np.float32(0.85)).astype(np.uint8), bright)), dst=part)

    def _draw_rain(self, picture: Bytes, random: np.random.Generator, mood: Mood) -> None:
        height, width = picture.shape[:2]
        count = 160 if self._plan.rain is Rain.LIGHT else 480
        layer = np.zeros((height, width), dtype=np.uint8)
        at = random.uniform(0.0, 1.0, (count, 2)) * [width, height]
        length = random.uniform(10.0, 34.0, count) * height / 720.0
        lean = random.normal(0.08, 0.03, count)
        for (x, y), tall, slope in zip(at, length, lean, strict=True):
            cv2.line(layer, (int(x), int(y)), (int(x + slope * tall), int(y + tall)), 46, 1, cv2.LINE_AA)
        bright = cv2.multiply(layer, layer, scale=float((0.3 + 0.7 * mood.ambient) / 64.0))
        cv2.add(picture, cv2.merge((bright, bright, bright)), dst=picture)


def _plain(colour: Colour, glow: float, distance: float) -> tuple[int, int, int]:
    return (round(colour[0]), round(colour[1]), round(colour[2]))


def dimmed(colour: Colour, gain: float) -> Colour:
    """A darker or lighter colour."""
    return (colour[0] * gain, colour[1] * gain, colour[2] * gain)


def _exposure(ambient: float) -> float:
    """Brightness that the camera makes of daylight: its exposure holds most of a change back  [D]."""
    return math.pow(ambient, 0.72)


_WEAR: Final[Bytes] = np.clip(np.round(330.0 - 1.05 * np.arange(256)), 60, 250).astype(np.uint8)


def _ideal_camera(camera: Camera) -> tuple[Camera, tuple[NDArray[np.int16], NDArray[np.uint16]] | None]:
    """The same camera with an ideal lens on a picture that covers all its rays, and how to bend that picture."""
    if not camera.has_distortion:
        return camera, None
    columns, rows = np.meshgrid(
        np.arange(camera.width_px, dtype=np.float64), np.arange(camera.height_px, dtype=np.float64)
    )
    body = camera.rays(np.stack((columns.ravel(), rows.ravel()), axis=1)) @ camera.rotation
    if not (body[:, 0] > IDEAL_MIN * np.linalg.norm(body, axis=1)).all():
        raise AdasError(
            "sees too far to the side to be rendered",
            where="camera front",
            mend="take a lens below 150 degrees",
        )
    u = camera.cx_px - camera.fx_px * body[:, 1] / body[:, 0]
    v = camera.cy_px - camera.fy_px * body[:, 2] / body[:, 0]
    left, top = max(0, math.ceil(-u.min()) + 2), max(0, math.ceil(-v.min()) + 2)
    right, bottom = math.ceil(u.max()) + 3, math.ceil(v.max()) + 3
    ideal = replace(
        camera,
        width_px=left + max(right, camera.width_px),
        height_px=top + max(bottom, camera.height_px),
        cx_px=camera.cx_px + left,
        cy_px=camera.cy_px + top,
        lens="plumb_bob",
        distortion=(0.0, 0.0, 0.0, 0.0, 0.0),
    )
    shape = (camera.height_px, camera.width_px)
    maps = cv2.convertMaps(
        (u + left).reshape(shape).astype(np.float32), (v + top).reshape(shape).astype(np.float32), cv2.CV_16SC2
    )
    return ideal, (np.asarray(maps[0], dtype=np.int16), np.asarray(maps[1], dtype=np.uint16))


def _sensor_noise(random: np.random.Generator, rows: int, columns: int) -> Bytes:
    grey = random.normal(0.0, 0.8 * NOISE_GAIN, (rows, columns, 1)).astype(np.float32)
    colour = random.normal(0.0, 0.5 * NOISE_GAIN, (rows, columns, 3)).astype(np.float32)
    return np.asarray(np.clip(np.round(grey + colour + NOISE_BIAS), 0, 255), dtype=np.uint8)


def _clouds(random: np.random.Generator) -> Bytes:
    """Cloud cover twice around, 0 to 255; its columns close upon themselves."""
    total = np.zeros((160, 4096), dtype=np.float32)
    for cells, gain in ((3, 1.0), (6, 0.6), (12, 0.4), (24, 0.25), (48, 0.15)):
        coarse = random.uniform(-1.0, 1.0, (cells + 2, cells * 6)).astype(np.float32)
        closed = np.concatenate((coarse, coarse[:, :1]), axis=1)
        total += gain * cv2.resize(closed, (4096, 160), interpolation=cv2.INTER_CUBIC)
    once = np.asarray(np.clip((total - 0.05) * 210.0, 0.0, 255.0), dtype=np.uint8)
    return np.concatenate((once, once), axis=1)


def _hills(random: np.random.Generator, is_flat: bool) -> tuple[Floats, Floats]:
    """Heights of two rows of hills as tangents of elevation, all around."""
    count = 2048
    angle = np.arange(count) * (2.0 * np.pi / count)
    layers = []
    for low, high, gain in ((5, 40, 0.016), (12, 220, 0.011)):
        total = np.zeros(count)
        for harmonic in range(low, high, 3):
            total += np.sin(harmonic * angle + random.uniform(0.0, 2.0 * np.pi)) / harmonic**0.7
        total -= total.min()
        layers.append((0.3 if is_flat else 1.0) * (0.006 + gain * total / total.max()))
    return layers[0], layers[1]


def _patches(
    random: np.random.Generator, plan: Plan, reach: float
) -> tuple[tuple[float, float, float, float, float], ...]:
    """Repairs, joints and seams of the asphalt: begin, end, left, right, brightness. Some run along like a line."""
    found: list[tuple[float, float, float, float, float]] = []
    at = -20.0
    while at < reach:
        at += float(random.uniform(8.0, 45.0))
        lane = plan.road.lanes[int(random.integers(len(plan.road.lanes)))]
        chance = float(random.uniform())
        if chance < 0.35:  # a filled crack along the lane: darker, and as thin as a line
            d = lane.d_m + float(random.uniform(-1.4, 1.4))
            found.append((at, at + float(random.uniform(3.0, 14.0)), d + 0.03, d - 0.03, 0.62))
        elif chance < 0.7:  # a joint across
            found.append((at, at + 0.06, plan.road.edge_left_m, plan.road.edge_right_m, 0.7))
        else:  # a repair, lighter or darker
            half = lane.width_m / 2.0 * float(random.uniform(0.35, 1.0))
            gain = float(random.choice([0.8, 0.86, 1.12, 1.18]))
            found.append((at, at + float(random.uniform(2.0, 12.0)), lane.d_m + half, lane.d_m - half, gain))
    return tuple(found)


def _headlight_cone(ground: GroundView) -> NDArray[np.float32]:
    """Light of the dipped beam on the ground: bright from 8 to 40 m, twice as wide as the lane  [D]."""
    x, y = ground.distance_m, ground.left_m
    along = np.exp(-(((x - 14.0) / 24.0) ** 2))
    across = np.exp(-((y / (2.2 + 0.22 * x)) ** 2))
    return np.asarray(along * across, dtype=np.float32)


def _add_blob(picture: Bytes, x: float, y: float, spread: float, gain: float) -> None:
    """Adds a round glow."""
    reach = math.ceil(2.6 * spread)
    left, right = max(int(x) - reach, 0), min(int(x) + reach + 1, picture.shape[1])
    top, bottom = max(int(y) - reach, 0), min(int(y) + reach + 1, picture.shape[0])
    if left >= right or top >= bottom:
        return
    across = np.exp(-(((np.arange(left, right) - x) / spread) ** 2))
    down = np.exp(-(((np.arange(top, bottom) - y) / spread) ** 2))
    bright = (gain * down[:, None] * across[None, :]).astype(np.uint8)
    part = picture[top:bottom, left:right]
    part[:] = cv2.add(np.ascontiguousarray(part), cv2.merge((bright, bright, bright)))
