"""A picture becomes the model's input as the manifest says, and points of the input find back to the picture."""

from __future__ import annotations

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st
from model_files import input_of, picture_of

from adas_runtime.perception.models.manifest import ModelInput
from adas_runtime.perception.models.preprocess import Preprocessor, fit_of


def model_input(width_px: int, height_px: int, **changed: Any) -> ModelInput:
    data = input_of(width_px, height_px, **changed)
    return ModelInput.model_validate({**data, "mean": tuple(data["mean"]), "std": tuple(data["std"])})


def filled(given: ModelInput, picture: np.ndarray) -> np.ndarray:
    buffer = np.zeros(given.shape, dtype=given.dtype)
    Preprocessor(given, buffer).fill(picture)
    return buffer


@pytest.mark.parametrize("colour", ["rgb", "bgr"])
@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_values_are_the_picture_normalised_colour_by_colour(layout: str, dtype: str, colour: str) -> None:
    mean, std = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
    given = model_input(40, 24, layout=layout, dtype=dtype, colour=colour, mean=mean, std=std)
    picture = picture_of(40, 24)
    ordered = picture[..., ::-1] if colour == "rgb" else picture
    wanted = (ordered.astype(np.float64) - mean) / std
    if layout == "nchw":
        wanted = wanted.transpose(2, 0, 1)
    tolerance = 1e-6 if dtype == "float32" else 2e-3
    np.testing.assert_allclose(filled(given, picture)[0].astype(np.float64), wanted, atol=tolerance, rtol=tolerance)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
def test_whole_numbers_stay_whole(layout: str) -> None:
    given = model_input(16, 8, layout=layout, dtype="uint8", colour="bgr")
    picture = picture_of(16, 8)
    wanted = picture.transpose(2, 0, 1) if layout == "nchw" else picture
    np.testing.assert_array_equal(filled(given, picture)[0], wanted)


@pytest.mark.parametrize("layout", ["nchw", "nhwc"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
def test_grey_models_and_grey_pictures(dtype: str, layout: str) -> None:
    import cv2

    grey_model = model_input(16, 8, layout=layout, dtype=dtype, colour="grey", std=[1.0], mean=[0.0])
    colour_model = model_input(16, 8, dtype="float32", std=[1.0] * 3)
    picture = picture_of(16, 8)
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
    np.testing.assert_array_equal(filled(grey_model, picture).reshape(8, 16).astype(np.uint8), grey)
    np.testing.assert_array_equal(filled(grey_model, grey).reshape(8, 16).astype(np.uint8), grey)
    np.testing.assert_array_equal(filled(colour_model, grey)[0, 1].astype(np.uint8), grey)


def test_the_letterbox_pads_evenly_and_keeps_the_shape() -> None:
    given = model_input(64, 64, std=[1.0] * 3)
    white = np.full((72, 128, 3), 255, dtype=np.uint8)
    plane = filled(given, white)[0, 0]
    assert (plane[:14] == 114).all()
    assert (plane[14:50] == 255).all()
    assert (plane[50:] == 114).all()


def test_another_shape_of_picture_leaves_nothing_of_the_former_one() -> None:
    given = model_input(64, 64, std=[1.0] * 3)
    buffer = np.zeros(given.shape, dtype=given.dtype)
    fill = Preprocessor(given, buffer)
    fill.fill(np.full((128, 72, 3), 255, dtype=np.uint8))
    fill.fill(np.full((72, 128), 200, dtype=np.uint8))
    fill.fill(np.full((72, 128, 3), 10, dtype=np.uint8))
    assert set(np.unique(buffer)) == {10.0, 114.0}


def test_what_is_cut_off_above_is_not_seen_and_points_find_back() -> None:
    given = model_input(64, 32, std=[1.0] * 3, fit="stretch", crop_top=0.6)
    picture = np.full((100, 128, 3), 255, dtype=np.uint8)
    picture[60:] = 50
    assert set(np.unique(filled(given, picture))) == {50.0}
    fit, _ = fit_of(given, 128, 100)
    points = np.array([[0.0, 0.0], [64.0, 32.0]], np.float32)
    np.testing.assert_allclose(fit.to_picture(points), [[0.0, 60.0], [128.0, 100.0]], atol=1e-4)


@hypothesis_given(
    width=st.integers(1, 3000),
    height=st.integers(1, 3000),
    columns=st.integers(16, 700),
    rows=st.integers(16, 700),
    way=st.sampled_from(["letterbox", "stretch"]),
    cut=st.sampled_from([0.0, 0.33, 0.9]),
    x=st.floats(0.0, 1.0),
    y=st.floats(0.0, 1.0),
)
def test_points_find_back_to_the_picture(
    width: int, height: int, columns: int, rows: int, way: str, cut: float, x: float, y: float
) -> None:
    fit, (left, top, inner_columns, inner_rows) = fit_of(
        model_input(columns, rows, fit=way, crop_top=cut), width, height
    )
    assert left >= 0 and top >= 0 and left + inner_columns <= columns and top + inner_rows <= rows
    y = max(y, fit.cut_px / height)
    at = np.array([[x * width * fit.scale_x + fit.offset_x, y * height * fit.scale_y + fit.offset_y]], np.float32)
    back = fit.clip(fit.to_picture(at))[0]
    # float32 holds the input's pixels to 6e-5; a pixel of the input is 1/scale pixels of the picture
    assert back[0] == pytest.approx(x * width, abs=2e-4 / fit.scale_x + 1e-3)
    assert back[1] == pytest.approx(y * height, abs=2e-4 / fit.scale_y + 1e-3)
    assert 0.0 <= back[0] <= width and 0.0 <= back[1] <= height


@pytest.mark.parametrize("dtype", ["float32", "float16", "uint8"])
@pytest.mark.parametrize("colour", ["rgb", "grey"])
def test_nothing_of_a_picture_s_size_is_allocated_in_steady_state(colour: str, dtype: str) -> None:
    given = model_input(320, 192, dtype=dtype, colour=colour)
    buffer = np.zeros(given.shape, dtype=given.dtype)
    fill = Preprocessor(given, buffer)
    picture = picture_of(640, 360)
    fill.fill(picture)
    tracemalloc.start()
    try:
        fill.fill(picture)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(5):
            fill.fill(picture)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak - before < 16_384, "the smallest plane has 61 440 bytes"
    assert after - before < 4_096
