"""A model is loaded only when it is what its manifest says, in a market that the manifest names."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import CPU, input_of, place, prove
from onnx_writer import Net, identity_net, node, probe_net

from adas_runtime.errors import AdasError, ConfigError
from adas_runtime.perception.models.manifest import load_manifest, manifest_path, model_names
from adas_runtime.perception.models.model import load_model

SEGMENTS = {"name": "segmentation", "confidence_min": 0.25, "activation": "softmax"}
CLASSES = ("first", "second", "third")


def probe(folder: Path, raw: bytes | None = None, **changed: Any) -> Path:
    more = {"classes": CLASSES, **changed}
    return place(folder, probe_net() if raw is None else raw, decoder=SEGMENTS, **more)


def refusal(path: Path, **more: Any) -> AdasError:
    with pytest.raises(AdasError) as caught:
        prove(path, **more)
    error = caught.value
    assert error.where, "it says where"
    assert error.mend, "and what to do"
    assert "\n" not in error.line()
    return error


def test_a_model_that_is_what_it_says_is_loaded_and_tells_what_runs_it(tmp_path: Path) -> None:
    report = prove(probe(tmp_path)).report
    assert report.provider == "cpu"
    assert report.asked == ("CPUExecutionProvider",)
    assert not report.is_reduced, "the CPU was what was wanted"
    assert report.sha256 == hashlib.sha256(probe_net()).hexdigest()
    assert report.golden_gap <= 1e-4
    assert "tiny fp32 on cpu" in report.line()


@pytest.mark.parametrize("name", model_names())
def test_every_shipped_model_is_good_here(name: str) -> None:
    assert load_model(name, market="de", params=CPU).report.model == name


def test_the_shipped_probe_can_be_made_again() -> None:
    assert manifest_path("probe").with_suffix(".onnx").read_bytes() == probe_net()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"forms__fp32__sha256": "0" * 64}, "sha256 begins 489979b80896, not 000000000000"),
        ({"forms__fp32__opset": 18}, "was made for opset 17, its manifest says 18"),
        ({"input__width_px": 32}, "input is images float32 1x3x64x64, its manifest says images float32 1x3x64x32"),
        ({"input__dtype": "float16"}, "its manifest says images float16"),
        ({"input__name": "data"}, "its manifest says data float32"),
        ({"outputs__0__name": "boxes"}, "has no output 'boxes'; it has seen"),
        ({"outputs__0__dtype": "float16"}, "output is seen float32 1x3x16x16, its manifest says seen float16"),
        ({"outputs__0__shape": [1, 3, 16, 8]}, "its manifest says seen float32 1x3x16x8"),
        ({"forms__fp32__golden__sha256": "1" * 64}, "is not the golden file of the manifest"),
        ({"forms__fp32__golden__seed": 4}, "output seen is not the golden one"),
        ({"forms__fp32__golden__seed": None}, "holds no array `picture`"),
        ({"forms__fp32__golden__file": "gone.npz"}, "golden file cannot be read"),
        ({"forms__fp32__file": "gone.onnx"}, "model tiny is not here"),
        ({"input__colour": "bgr"}, "output seen is not the golden one"),
        ({"input__mean": [1.0, 1.0, 1.0]}, "output seen is not the golden one"),
        ({"classes": ["first", "second"]}, "has 3 layers for 2 classes"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_differs_from_its_manifest_is_refused(tmp_path: Path, changed: dict[str, Any], words: str) -> None:
    assert words in refusal(probe(tmp_path, **changed)).line()


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"decoder__name": "yolov9"}, "must be one of yolov5"),
        ({"decoder__iou_max": 0.5}, "iou_max is no option of decoder segmentation"),
        ({"decoder__activation": None}, "name segmentation needs activation"),
        ({"input__mean": [0.0]}, "mean has 1 values for 3 colours"),
        ({"input__std": [0.0, 1.0, 1.0]}, "std must be above zero"),
        ({"forms__fp32__url": "https://example.org/m.onnx"}, "exactly one of them must be given"),
        ({"forms__fp32__file": "../../etc/passwd"}, "a plain name"),
        ({"forms__fp32__sha256": "ABC"}, "64 small hexadecimal digits"),
        ({"classes": ["a", "a", "b"]}, "classes names something twice"),
        ({"outputs__0__shape": [1, 3, 0, 16]}, "sizes must be at least 1"),
        ({"markets": []}, "markets"),
        ({"licence": None}, "is missing"),
        ({"outputs": []}, "outputs is empty"),
        ({"forms": {}}, "forms holds no file"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_manifest_that_cannot_hold_is_refused_with_its_line(
    tmp_path: Path, changed: dict[str, Any], words: str
) -> None:
    path = probe(tmp_path, **changed)
    error = refusal(path)
    assert words in error.line()
    assert "tiny.yaml" in error.where


def test_a_manifest_is_called_after_its_model(tmp_path: Path) -> None:
    path = probe(tmp_path).rename(tmp_path / "other.yaml")
    assert "the file is called other.yaml" in refusal(path).line()


def test_a_file_that_was_cut_off_or_is_something_else_is_refused(tmp_path: Path) -> None:
    whole = probe_net()
    for raw in (b"<html>not found</html>" * 4, whole[: len(whole) // 2], b"\x00" * 64):
        path = probe(tmp_path)
        (tmp_path / "tiny.onnx").write_bytes(raw)
        text = path.read_text(encoding="utf-8").replace(hashlib.sha256(whole).hexdigest(), _sha(raw))
        path.write_text(text, encoding="utf-8")
        assert "tiny.onnx" in refusal(path).where


def _sha(raw: bytes) -> str:
    return hashlib.sha256(raw).hexdigest()


def test_weights_that_no_hash_covers_are_refused(tmp_path: Path) -> None:
    net = Net(
        [("images", "float32", (1, 3, 64, 64))],
        [("seen", "float32", (1, 3, 64, 64))],
        [node("Add", ["images", "w"], ["seen"])],
        {"w": np.zeros((1,), np.float32)},
        external=True,
    )
    outputs = {"seen": np.zeros((1, 3, 64, 64), np.float32)}
    path = place(tmp_path, net.bytes(), decoder=SEGMENTS, classes=CLASSES, told=outputs)
    assert "keeps weights in another file" in refusal(path).line()


@pytest.mark.parametrize(("precision", "word"), [("int8", "QuantizeLinear"), ("fp16", "16 bit weights")])
def test_a_form_is_what_it_is_called(tmp_path: Path, precision: str, word: str) -> None:
    assert word in refusal(probe(tmp_path, precision=precision)).line()


def test_an_output_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    net = Net(
        [("images", "float32", (1, 3, 64, 64))],
        [("seen", "float32", (1, 3, 64, 64))],
        [node("Sub", ["images", "one"], ["low"]), node("Log", ["low"], ["seen"])],
        {"one": np.full((1,), 2.0, np.float32)},
    )
    outputs = {"seen": np.zeros((1, 3, 64, 64), np.float32)}
    path = place(tmp_path, net.bytes(), decoder=SEGMENTS, classes=CLASSES, told=outputs)
    assert "NaN or infinity" in refusal(path).line()


def test_a_size_that_the_file_leaves_open_is_what_the_manifest_says(tmp_path: Path) -> None:
    net = Net(
        [("images", "float32", ("batch", 3, "rows", "columns"))],
        [("seen", "float32", ("batch", 3, "rows", "columns"))],
        [node("Relu", ["images"], ["seen"])],
    )
    path = place(tmp_path, net.bytes(), decoder=SEGMENTS, classes=CLASSES, given=input_of(48, 32))
    assert prove(path).report.golden_gap <= 1e-4


def test_an_open_size_that_comes_out_otherwise_is_refused(tmp_path: Path) -> None:
    net = Net(
        [("images", "float32", ("batch", 3, "rows", "columns"))],
        [("seen", "float32", ("batch", 3, "rows", "columns"))],
        [node("Relu", ["images"], ["seen"])],
    )
    outputs = {"seen": np.zeros((1, 3, 8, 8), np.float32)}
    path = place(tmp_path, net.bytes(), decoder=SEGMENTS, classes=CLASSES, told=outputs)
    assert "tiny.onnx" in refusal(path).where


def test_an_operator_set_that_the_runtime_does_not_know_is_one_line(tmp_path: Path) -> None:
    raw = Net(
        [("images", "float32", (1, 3, 64, 64))],
        [("seen", "float32", (1, 3, 64, 64))],
        [node("Relu", ["images"], ["seen"])],
        opset=98,
    ).bytes()
    outputs = {"seen": np.zeros((1, 3, 64, 64), np.float32)}
    path = place(tmp_path, raw, decoder=SEGMENTS, classes=CLASSES, told=outputs, opset=98)
    assert "onnxruntime cannot run it on cpu" in refusal(path).line()


def test_a_model_runs_only_in_its_markets(tmp_path: Path) -> None:
    path = probe(tmp_path, markets=["eu", "jp"])
    assert load_model(path, market="de", params=CPU).manifest.permits(("de", "eu", "base"))
    assert load_model(path, market="jp", params=CPU).report.model == "tiny"
    with pytest.raises(ConfigError) as caught:
        load_model(path, market="us", params=CPU)
    assert "may not run in market us: it is released for eu, jp" in caught.value.line()
    assert caught.value.mend


def test_the_market_is_asked_before_anything_is_loaded(tmp_path: Path) -> None:
    path = probe(tmp_path, markets=["jp"], forms__fp32__sha256="0" * 64)
    with pytest.raises(ConfigError, match="may not run in market de"):
        load_model(path, market="de", params=CPU)


def test_changing_the_file_after_the_hash_was_taken_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was hashed is what is loaded: the file is read once."""
    path = probe(tmp_path)
    opened = []
    real = Path.open

    def counting(self: Path, *args: Any, **kwargs: Any) -> Any:
        if self.suffix == ".onnx":
            opened.append(self)
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "open", counting)
    prove(path)
    assert len(opened) == 1


def test_a_model_of_another_decoder_layout_is_refused(tmp_path: Path) -> None:
    decoder = {"name": "yolov8", "confidence_min": 0.2, "iou_max": 0.5, "boxes_max": 10}
    path = place(tmp_path, identity_net((1, 3, 64, 64)), decoder=decoder, classes=("car",))
    error = refusal(path)
    assert "decoder yolov8" in error.line()
    assert "tiny.yaml" in error.where
    assert load_manifest(path).decoder.name == "yolov8"
