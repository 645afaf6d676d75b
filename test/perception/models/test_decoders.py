"""Each decoder on a tiny model with known outputs, back to pixels of the original picture, which is twice as large."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_files import BOXES, input_of, picture_of, telling

from adas_runtime.errors import ConfigError
from adas_runtime.perception.models.decoders import make_decoder
from adas_runtime.perception.models.decoders.boxes import suppress
from adas_runtime.perception.models.manifest import OPTIONS, Manifest
from adas_runtime.perception.models.preprocess import fit_of
from adas_runtime.perception.models.results import Boxes, Lines, Points, Segments, Verdict

CLASSES = ("car", "person", "cycle")
GIVEN = input_of(64, 48)
PICTURE = picture_of(128, 72)  # letterboxed: scale 0.5, six rows of padding above and below
# centre and size in the input -> left top right bottom in the picture
CAR = ((20.0, 20.0, 10.0, 8.0), (30.0, 20.0, 50.0, 36.0))
PERSON = ((50.0, 30.0, 4.0, 12.0), (96.0, 36.0, 104.0, 60.0))


def assert_car_and_person(found: Any, score: float = 0.9) -> None:
    assert isinstance(found, Boxes)
    assert [found.classes[label] for label in found.labels] == ["car", "person"]
    np.testing.assert_allclose(found.boxes_px, [CAR[1], PERSON[1]], atol=1e-3)
    np.testing.assert_allclose(found.scores, [score, 0.6], atol=1e-3)
    assert found.as_json()[0]["class"] == "car"


def yolo8_table(places: int = 50, points: int = 0) -> np.ndarray:
    table = np.zeros((4 + len(CLASSES) + 3 * points, places), np.float32)
    table[:4, 7], table[4, 7] = CAR[0], 0.9
    table[:4, 8], table[4, 8] = (20.5, 20.0, 10.0, 8.0), 0.8  # the same car again
    table[:4, 9], table[5, 9] = PERSON[0], 0.6
    table[:4, 10], table[6, 10] = (20.0, 20.0, 10.0, 8.0), 0.1  # too unsure
    return table


@pytest.mark.parametrize("name", ["yolov8", "yolov11"])
@pytest.mark.parametrize("is_turned", [False, True])
def test_yolo_8_and_11(tmp_path: Path, name: str, is_turned: bool) -> None:
    table = yolo8_table()
    raw = (table.T if is_turned else table)[None].copy()
    model = telling(tmp_path, {"output0": raw}, decoder={"name": name, **BOXES}, classes=CLASSES, given=GIVEN)
    assert_car_and_person(model.look(PICTURE))


def test_yolo_5_multiplies_objectness(tmp_path: Path) -> None:
    raw = np.zeros((1, 30, 5 + len(CLASSES)), np.float32)
    raw[0, 3, :6] = (*CAR[0], 0.95, 0.9 / 0.95)
    raw[0, 4, :6] = (*CAR[0], 0.9, 0.9)
    raw[0, 5, [0, 1, 2, 3, 4, 6]] = (*PERSON[0], 0.75, 0.8)
    raw[0, 6, :6] = (*PERSON[0], 0.4, 0.5)  # 0.2 is too unsure although the objectness is not
    model = telling(tmp_path, {"output": raw}, decoder={"name": "yolov5", **BOXES}, classes=CLASSES, given=GIVEN)
    assert_car_and_person(model.look(PICTURE))


def test_yolo_10_has_suppressed_already(tmp_path: Path) -> None:
    raw = np.zeros((1, 20, 6), np.float32)
    raw[0, 0] = (15.0, 16.0, 25.0, 24.0, 0.9, 0.0)
    raw[0, 1] = (48.0, 24.0, 52.0, 36.0, 0.6, 1.0)
    raw[0, 2] = (48.0, 24.0, 52.0, 36.0, 0.5, 7.0)  # a class that the manifest does not know
    decoder = {"name": "yolov10", "confidence_min": 0.25, "boxes_max": 100}
    model = telling(tmp_path, {"output0": raw}, decoder=decoder, classes=CLASSES, given=GIVEN)
    assert_car_and_person(model.look(PICTURE))


def detr_tables() -> tuple[np.ndarray, np.ndarray]:
    shares = np.full((1, 10, 4), 0.5, np.float32)
    logits = np.full((1, 10, len(CLASSES)), -8.0, np.float32)
    for query, (box, label, score) in enumerate(((CAR[0], 0, 0.9), (PERSON[0], 1, 0.6))):
        shares[0, query] = np.array(box) / (64, 48, 64, 48)
        logits[0, query, label] = np.log(score / (1.0 - score))
    return shares, logits


@pytest.mark.parametrize("is_joined", [False, True])
def test_rt_detr(tmp_path: Path, is_joined: bool) -> None:
    shares, logits = detr_tables()
    decoder = {"name": "rtdetr", "confidence_min": 0.25, "boxes_max": 100, "activation": "sigmoid"}
    outputs = {"logits": logits, "pred_boxes": shares}
    if is_joined:
        decoder["activation"] = "none"
        outputs = {"output0": np.concatenate([shares, 1.0 / (1.0 + np.exp(-logits))], axis=2).astype(np.float32)}
    model = telling(tmp_path, outputs, decoder=decoder, classes=CLASSES, given=GIVEN)
    assert_car_and_person(model.look(PICTURE))


def test_keypoints_come_with_their_box(tmp_path: Path) -> None:
    table = yolo8_table(points=2)
    table[7:, 7] = (15.0, 16.0, 0.9, 25.0, 24.0, 0.3)
    decoder = {"name": "yolo_pose", **BOXES, "keypoints": ["left", "right"]}
    model = telling(tmp_path, {"output0": table[None]}, decoder=decoder, classes=CLASSES, given=GIVEN)
    found = model.look(PICTURE)
    assert_car_and_person(found)
    assert isinstance(found, Boxes) and found.points_px is not None
    np.testing.assert_allclose(found.points_px[0], [[30.0, 20.0, 0.9], [50.0, 36.0, 0.3]], atol=1e-3)


def test_row_anchor_lanes_lie_between_their_cells(tmp_path: Path) -> None:
    cells, anchors = 10, [12.0, 24.0, 36.0]
    raw = np.zeros((1, cells + 1, len(anchors), 2), np.float32)
    raw[0, cells] = 20.0  # nowhere ...
    raw[0, :, 1, 0] = -20.0
    raw[0, [3, 4], 1, 0] = 20.0  # ... but half in cell 3 and half in cell 4 of the middle row
    raw[0, :, 2, 0] = -20.0
    raw[0, 9, 2, 0] = 20.0
    decoder = {"name": "ufld", "confidence_min": 0.5, "row_anchors_px": anchors}
    model = telling(tmp_path, {"lanes": raw}, decoder=decoder, classes=("left", "right"), given=GIVEN)
    found = model.look(PICTURE)
    assert isinstance(found, Lines)
    assert np.isnan(found.points_px[0, 0, 0]) and np.isnan(found.points_px[1, :, 0]).all()
    step = 63 / 9  # cells reach from the first to the last column
    np.testing.assert_allclose(found.points_px[0, 1], [(3.5 * step + 0.5) * 2, (24.5 - 6) * 2], atol=1e-2)
    np.testing.assert_allclose(found.points_px[0, 2], [63.5 * 2, (36.5 - 6) * 2], atol=1e-2)
    assert found.scores[0] == pytest.approx(1.0)
    assert found.scores[1] == 0.0
    assert [line["class"] for line in found.as_json()] == ["left"]


def test_hybrid_anchors_tell_steep_lines_by_rows_and_flat_ones_by_columns(tmp_path: Path) -> None:
    rows, columns, lines = [12.0, 24.0, 36.0], [0.0, 32.0], 4
    outputs = {
        "loc_row": np.full((1, 9, len(rows), lines), -20.0, np.float32),
        "loc_col": np.full((1, 5, len(columns), lines), -20.0, np.float32),
        "exist_row": np.zeros((1, 2, len(rows), lines), np.float32),
        "exist_col": np.zeros((1, 2, len(columns), lines), np.float32),
    }
    for name in ("exist_row", "exist_col"):
        outputs[name][0, 0] = 9.0  # nowhere ...
    outputs["exist_row"][0, 1, 1, 1] = 30.0  # ... but the second line passes the middle row
    outputs["loc_row"][0, [3, 4], 1, 1] = 20.0  # half in cell 3 and half in cell 4 of nine
    outputs["exist_col"][0, 1, 1, 0] = 30.0  # and the first line the second column
    outputs["loc_col"][0, 2, 1, 0] = 20.0
    outputs["exist_col"][0, 1, 0, 1] = 30.0  # what the second line says by columns does not count
    decoder = {"name": "ufld_v2", "confidence_min": 0.5, "row_anchors_px": rows, "column_anchors_px": columns}
    names = ("far left", "left", "right", "far right")
    found = telling(tmp_path, outputs, decoder=decoder, classes=names, given=GIVEN).look(PICTURE)
    assert isinstance(found, Lines)
    assert [line["class"] for line in found.as_json()] == ["far left", "left"]
    np.testing.assert_allclose(found.points_px[1, 1], [(3.5 + 0.5) / 8 * 64 * 2, (24 - 6) * 2], atol=1e-2)
    np.testing.assert_allclose(found.points_px[0, 1], [32 * 2, ((2 + 0.5) / 4 * 48 - 6) * 2], atol=1e-2)
    assert np.isnan(found.points_px[2:, :, 0]).all()
    assert found.scores[1] == pytest.approx(1.0)


def test_segments_lie_where_they_are_in_the_picture(tmp_path: Path) -> None:
    raw = np.zeros((1, 2, 12, 16), np.float32)  # a quarter of the input
    raw[0, 1, :, 8:] = 6.0  # the right half is the second class
    raw[0, 0, :, :8] = 6.0
    raw[0, :, 6, 3] = 1.0  # one cell is undecided
    decoder = {"name": "segmentation", "confidence_min": 0.6, "activation": "softmax"}
    model = telling(tmp_path, {"seen": raw}, decoder=decoder, classes=("road", "lane"), given=GIVEN)
    found = model.look(PICTURE)
    assert isinstance(found, Segments)
    labels = found.at_picture()
    assert labels.shape == (72, 128)
    assert (labels[:, 64:] == 1).all()
    unsure = np.argwhere(labels == 255)
    # cell (6, 3) covers rows 24..28, columns 12..16 of the input: rows 36..44, columns 24..32 of the picture
    assert unsure.min(axis=0).tolist() == [36, 24]
    assert unsure.max(axis=0).tolist() == [43, 31]
    assert {item["class"]: item["share"] for item in found.as_json()}["lane"] == pytest.approx(0.5)


def test_what_the_model_has_not_seen_is_unsure(tmp_path: Path) -> None:
    raw = np.zeros((1, 2, 12, 16), np.float32)
    raw[0, 1] = 6.0
    decoder = {"name": "segmentation", "confidence_min": 0.6, "activation": "softmax"}
    given = input_of(64, 48, crop_top=0.5, fit="stretch")
    found = telling(tmp_path, {"seen": raw}, decoder=decoder, classes=("road", "lane"), given=given).look(PICTURE)
    assert isinstance(found, Segments)
    labels = found.at_picture()
    assert (labels[:36] == 255).all()
    assert (labels[36:] == 1).all()


def test_segments_as_labels(tmp_path: Path) -> None:
    raw = np.zeros((1, 12, 16), np.int64)
    raw[0, :, 8:] = 1
    raw[0, 0, 0] = 9
    decoder = {"name": "segmentation", "confidence_min": 0.0, "activation": "none"}
    model = telling(tmp_path, {"seen": raw}, decoder=decoder, classes=("road", "lane"), given=GIVEN)
    found = model.look(PICTURE)
    assert isinstance(found, Segments)
    assert found.labels[0, 0] == 255
    assert (found.at_picture()[:, 64:] == 1).all()


def test_heat_maps_peak_between_their_cells(tmp_path: Path) -> None:
    raw = np.zeros((1, 3, 12, 16), np.float32)
    raw[0, 0, 6, 4:7] = (0.5, 0.9, 0.5)
    raw[0, 1, 6, 4:7] = (0.3, 0.9, 0.7)  # leans to the right
    raw[0, 2, 6, 5] = 0.1  # not seen
    decoder = {"name": "heatmaps", "confidence_min": 0.3, "keypoints": ["eye", "nose", "mouth"]}
    model = telling(tmp_path, {"maps": raw}, decoder=decoder, classes=("face",), given=GIVEN)
    found = model.look(PICTURE)
    assert isinstance(found, Points)
    np.testing.assert_allclose(found.points_px[0], [5.5 * 4 * 2, (6.5 * 4 - 6) * 2, 0.9], atol=1e-3)
    assert found.points_px[1, 0] == pytest.approx((5.5 + 0.25) * 8, abs=1e-3)
    assert np.isnan(found.points_px[2]).all()
    assert [item["point"] for item in found.as_json()] == ["eye", "nose"]


def test_the_temperature_makes_confidence_honest(tmp_path: Path) -> None:
    raw = np.array([[4.0, 0.0, 0.0]], np.float32)
    scores = []
    for temperature in (1.0, 4.0):
        decoder = {"name": "classification", "activation": "softmax", "temperature": temperature}
        folder = tmp_path / str(temperature)
        found = telling(folder, {"logits": raw}, decoder=decoder, classes=CLASSES, given=GIVEN).look(PICTURE)
        assert isinstance(found, Verdict)
        assert found.as_json()[0]["class"] == "car"
        assert found.scores.sum() == pytest.approx(1.0)
        scores.append(float(found.scores[0]))
    assert scores[0] == pytest.approx(np.exp(4) / (np.exp(4) + 2), abs=1e-5)
    assert scores[1] == pytest.approx(np.e / (np.e + 2), abs=1e-5)


def test_values_come_out_under_their_names_as_the_model_gives_them(tmp_path: Path) -> None:
    raw = np.array([[-0.25, 0.5, 7.0]], np.float32)
    found = telling(tmp_path, {"values": raw}, decoder={"name": "values"}, classes=CLASSES, given=GIVEN).look(PICTURE)
    assert isinstance(found, Verdict)
    assert dict(zip(found.classes, found.scores.tolist(), strict=True)) == {"car": -0.25, "person": 0.5, "cycle": 7.0}


def test_what_lies_in_the_padding_is_nowhere(tmp_path: Path) -> None:
    table = np.zeros((4 + len(CLASSES), 20), np.float32)
    table[:4, 0], table[4, 0] = (20.0, 2.0, 10.0, 4.0), 0.9  # wholly above the picture
    table[:4, 1], table[4, 1] = (20.0, 6.0, 10.0, 4.0), 0.9  # half of it
    model = telling(
        tmp_path, {"output0": table[None]}, decoder={"name": "yolov8", **BOXES}, classes=CLASSES, given=GIVEN
    )
    found = model.look(PICTURE)
    assert isinstance(found, Boxes)
    np.testing.assert_allclose(found.boxes_px, [(30.0, 0.0, 50.0, 4.0)], atol=1e-3)


def test_boxes_of_another_class_are_not_suppressed() -> None:
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, 10], [1, 0, 11, 10]], np.float32)
    labels = np.array([0, 1, 0], np.int32)
    kept = suppress(boxes, np.array([0.5, 0.9, 0.6], np.float32), labels, iou_max=0.5, boxes_max=10)
    assert kept.tolist() == [1, 2]


@given(st.integers(0, 2**32 - 1), st.integers(0, 60), st.floats(0.05, 0.95))
def test_suppression_is_the_textbook_s(seed: int, count: int, iou_max: float) -> None:
    random = np.random.default_rng(seed)
    corner = random.uniform(0, 50, (count, 2))
    boxes = np.concatenate([corner, corner + random.uniform(5, 30, (count, 2))], axis=1).astype(np.float32)
    scores = random.permutation(count).astype(np.float32) / max(count, 1) * 0.9 + 0.05
    labels = random.integers(0, 3, count).astype(np.int32)
    kept: list[int] = []
    for index in np.argsort(-scores):
        if all(labels[index] != labels[other] or _iou(boxes[index], boxes[other]) <= iou_max for other in kept):
            kept.append(int(index))
    found = suppress(boxes, scores, labels, iou_max=iou_max, boxes_max=count + 1).tolist()
    assert found == kept


def _iou(one: np.ndarray, other: np.ndarray) -> float:
    low, high = np.maximum(one[:2], other[:2]), np.minimum(one[2:], other[2:])
    shared = float(np.prod(np.maximum(high - low, 0.0)))
    return shared / (float(np.prod(one[2:] - one[:2])) + float(np.prod(other[2:] - other[:2])) - shared)


LAYOUTS: dict[str, tuple[dict[str, Any], dict[str, tuple[int, ...]], tuple[str, ...]]] = {
    "yolov5": (BOXES, {"o": (1, 20, 8)}, CLASSES),
    "yolov8": (BOXES, {"o": (1, 7, 20)}, CLASSES),
    "yolov11": (BOXES, {"o": (1, 20, 7)}, CLASSES),
    "yolov10": ({"confidence_min": 0.2, "boxes_max": 9}, {"o": (1, 20, 6)}, CLASSES),
    "yolo_pose": ({**BOXES, "keypoints": ("a", "b")}, {"o": (1, 13, 20)}, CLASSES),
    "rtdetr": (
        {"confidence_min": 0.2, "boxes_max": 9, "activation": "sigmoid"},
        {"b": (1, 20, 4), "s": (1, 20, 3)},
        CLASSES,
    ),
    "ufld": ({"confidence_min": 0.2, "row_anchors_px": (10.0, 20.0)}, {"o": (1, 11, 2, 3)}, CLASSES),
    "ufld_v2": (
        {"confidence_min": 0.2, "row_anchors_px": (10.0, 20.0), "column_anchors_px": (5.0, 30.0, 60.0)},
        {"loc_row": (1, 9, 2, 3), "loc_col": (1, 7, 3, 3), "exist_row": (1, 2, 2, 3), "exist_col": (1, 2, 3, 3)},
        CLASSES,
    ),
    "segmentation": ({"confidence_min": 0.2, "activation": "softmax"}, {"o": (1, 3, 6, 8)}, CLASSES),
    "heatmaps": ({"confidence_min": 0.2, "keypoints": ("a", "b")}, {"o": (1, 2, 6, 8)}, CLASSES),
    "classification": ({"activation": "sigmoid", "temperature": 2.0}, {"o": (1, 3)}, CLASSES),
    "values": ({}, {"o": (1, 3)}, CLASSES),
}


def manifest_of(name: str, shapes: dict[str, tuple[int, ...]] | None = None) -> Manifest:
    options, usual, classes = LAYOUTS[name]
    form = {
        "file": "x.onnx",
        "sha256": "0" * 64,
        "size_bytes": 100,
        "opset": 17,
        "golden": {"file": "x.npz", "sha256": "0" * 64, "seed": 1, "every": 1, "atol": 0.0, "rtol": 0.0},
    }
    given = {**GIVEN, "mean": tuple(GIVEN["mean"]), "std": tuple(GIVEN["std"])}
    return Manifest.model_validate(
        {
            "format": 1,
            "name": "x",
            "title": "x",
            "licence": "x",
            "training": {"regions": ("DE",), "date": "2026-01-01", "data": "x"},
            "markets": ("all",),
            "input": given,
            "outputs": tuple(
                {"name": key, "dtype": "float32", "shape": shape} for key, shape in (shapes or usual).items()
            ),
            "decoder": {"name": name, **options},
            "classes": classes,
            "forms": {"fp32": form},
        }
    )


def test_every_decoder_that_a_manifest_may_name_is_tested_here() -> None:
    assert set(LAYOUTS) == set(OPTIONS)


@pytest.mark.parametrize("name", LAYOUTS)
@given(seed=st.integers(0, 2**32 - 1), spoilt=st.sampled_from([0.0, np.nan, np.inf, -np.inf, 1e38, -1e38]))
def test_whatever_a_model_puts_out_gives_a_result_inside_the_picture(name: str, seed: int, spoilt: float) -> None:
    manifest = manifest_of(name)
    random = np.random.default_rng(seed)
    outputs = {}
    for item in manifest.outputs:
        values = (random.normal(0.5, 1.0, item.shape) * random.choice([1.0, 30.0])).astype(np.float32)
        values[random.random(item.shape) < 0.2] = spoilt
        outputs[item.name] = values
    fit, _ = fit_of(manifest.input, 128, 72)
    with np.errstate(all="ignore"):
        found = make_decoder(manifest, "x.yaml").decode(outputs, fit)
    if isinstance(found, Boxes):
        assert np.isfinite(found.boxes_px).all()
        assert (found.boxes_px >= 0.0).all() and (found.boxes_px <= (128, 72, 128, 72)).all()
        assert (found.boxes_px[:, 2:] > found.boxes_px[:, :2]).all()
        assert len(found.scores) == len(found.labels) == len(found.boxes_px) <= 100
        assert (found.scores >= 0.2).all()
    elif isinstance(found, Lines):
        columns = found.points_px[..., 0]
        assert (np.isnan(columns) | ((columns >= 0.0) & (columns <= 128.0))).all()
        assert np.isfinite(found.scores).all() and (found.scores <= 1.0 + 1e-5).all()
    elif isinstance(found, Segments):
        assert set(np.unique(found.at_picture())) <= {0, 1, 2, 255}
    elif isinstance(found, Points):
        seen = found.points_px[~np.isnan(found.points_px[:, 2])]
        assert (seen[:, :2] >= 0.0).all() and (seen[:, :2] <= (128, 72)).all()
    else:
        assert np.isfinite(found.scores).all()
    assert isinstance(found.as_json(), list)


@pytest.mark.parametrize("name", LAYOUTS)
def test_outputs_of_another_layout_are_refused_before_anything_runs(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_decoder(manifest_of(name, {"o": (1, 17, 19)} if name != "classification" else {"o": (1, 9)}), "x.yaml")
    assert caught.value.line().startswith(f"x.yaml: decoder {name}: ")
    assert caught.value.mend


def test_the_documentation_names_every_decoder_and_option(repository: Path) -> None:
    text = (repository / "docs" / "models.md").read_text(encoding="utf-8")
    for name, options in OPTIONS.items():
        assert f"`{name}`" in text
        assert all(f"`{option}`" in text for option in options)
