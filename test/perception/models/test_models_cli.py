"""`adas models`: what a user sees, and the exit codes that scripts rely on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import yaml
from model_files import input_of, picture_of, place
from onnx_writer import Net, constant_net, identity_net, node, probe_net

from adas_runtime.cli import main
from adas_runtime.perception.models.manifest import load_manifest
from adas_runtime.perception.models.model import prove_model

SEGMENTS = {"name": "segmentation", "confidence_min": 0.25, "activation": "softmax"}
CLASSES = ("first", "second", "third")


def run(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = main(["models", *map(str, arguments)])
    told = capsys.readouterr()
    return code, told.out, told.err


def told(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> Any:
    code, out, err = run(capsys, *arguments, "--json")
    assert code == 0, err
    return json.loads(out)


def probe(folder: Path, **changed: Any) -> Path:
    return place(folder, probe_net(), decoder=SEGMENTS, classes=CLASSES, **changed)


def test_list_says_what_a_model_is_and_whether_it_is_here(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = probe(tmp_path, forms__fp32__file=None, forms__fp32__url="https://example.org/tiny.onnx")
    [away] = told(capsys, "list", path)
    assert away["licence"] == "Apache-2.0"
    assert away["trained"] == {"regions": ["DE"], "date": "2026-11-26"}
    assert [form["is_here"] for form in away["forms"]] == [False]
    assert all(form["is_here"] for item in told(capsys, "list") for form in item["forms"])
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert "probe" in out and "sees nothing of a road" in out


def test_verify_proves_the_shipped_models(capsys: pytest.CaptureFixture[str]) -> None:
    found = told(capsys, "verify")
    assert {item["name"] for item in found} >= {"probe", "sign_finder", "sign_reader", "object_finder"}
    assert all(item["is_good"] for item in found)
    assert all(item["provider"] in ("cpu", "cuda", "tensorrt") for item in found)


def test_verify_refuses_with_one_line_and_looks_at_the_rest(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    bad = probe(tmp_path / "bad", forms__fp32__sha256="0" * 64)
    worse = probe(tmp_path / "worse", decoder__name="yolov9")
    code, out, err = run(capsys, "verify", bad, worse, "probe", "--json")
    assert code == 2
    assert [item["is_good"] for item in json.loads(out)] == [False, False, True]
    assert len(err.strip().splitlines()) == 2
    assert "must be one of" in err
    assert "tiny.onnx" in err and "sha256" in err


def test_verify_asks_the_market(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = probe(tmp_path, markets=["eu"])
    assert run(capsys, "verify", path, "--market", "de")[0] == 0
    code, _, err = run(capsys, "verify", path, "--market", "us")
    assert code == 2
    assert "may not run in market us" in err


def test_verify_with_the_car_s_configuration_refuses_the_cpu(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    from adas_runtime.resources import config_dir

    text = (config_dir() / "inference.yaml").read_text(encoding="utf-8").replace("allow_cpu: true", "allow_cpu: false")
    car = tmp_path / "inference.yaml"
    car.write_text(text, encoding="utf-8")
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this machine has a GPU")
    code, _, err = run(capsys, "verify", "probe", "--inference", car)
    assert code == 2
    assert "the CPU may not stand in" in err


def test_bench_tells_where_the_time_goes(capsys: pytest.CaptureFixture[str]) -> None:
    [found] = told(capsys, "bench", "probe", "--runs", "20", "--precision", "fp32")
    assert found["runs"] == 20
    assert 0.0 < found["infer_p50_ms"] <= found["p50_ms"] <= found["p99_ms"]
    assert 0.0 < found["outside_share"] < 1.0
    assert found["report"]["provider"] in ("cpu", "cuda", "tensorrt")


def test_pull_of_what_lies_there_fetches_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert told(capsys, "pull", "probe") == []


def test_pull_then_verify(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import functools
    import http.server
    import threading

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_args: Any) -> None:
            pass

    (tmp_path / "web").mkdir()
    (tmp_path / "web" / "tiny.onnx").write_bytes(probe_net())
    monkeypatch.setenv("ADAS_MODELS_DIR", str(tmp_path / "store"))
    handler = functools.partial(Quiet, directory=str(tmp_path / "web"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as web:
        thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{web.server_address[1]}/tiny.onnx"
        path = probe(tmp_path / "m", forms__fp32__file=None, forms__fp32__url=url)
        code, _, err = run(capsys, "verify", path)
        assert code == 2
        assert "run `adas models pull tiny`" in err
        [done] = told(capsys, "pull", path)
        web.shutdown()
        thread.join()
    assert done["fetched_bytes"] == len(probe_net())
    assert Path(done["path"]).parent == tmp_path / "store"
    assert run(capsys, "verify", path)[0] == 0
    assert told(capsys, "list", path)[0]["forms"][0]["is_here"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("verify", "nothing"), "no model 'nothing'"),
        (("verify", "gone.yaml"), "no such file"),
        (("verify", "probe", "--precision", "fp8"), "take fp32, fp16 or int8"),
        (("verify", "probe", "--precision", "int8"), "has no int8 form"),
        (("verify", "probe", "--market", "xx"), "no market 'xx'"),
        (("bench", "probe", "--picture", "gone.jpg"), "cannot be read as a picture"),
        (("convert", "probe", "--to", "int4", "--out", "."), "take int8 or fp16"),
        (("convert", "probe", "--to", "int8", "--out", "."), "8 bit needs pictures"),
    ],
)
def test_wrong_usage_is_one_line(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    if "8 bit" in words:
        pytest.importorskip("onnx", reason="the development environment has it: run script/bootstrap")
    code, out, err = run(capsys, *arguments)
    assert code == 2
    assert words in err
    assert len(err.strip().splitlines()) == 1 and "Traceback" not in err + out


SAID = (
    *("--licence", "MIT", "--markets", "eu,jp", "--regions", "DE,JP", "--trained", "2026-10-01"),
    *("--data", "our own pictures"),
)


def test_a_model_that_a_user_brings_gets_a_manifest(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = np.zeros((1, 7, 50), np.float32)
    table[0, :4, 0], table[0, 4, 0] = (32.0, 32.0, 10.0, 10.0), 0.9
    brought = tmp_path / "best.onnx"
    brought.write_bytes(constant_net({"output0": table}, shape=(1, 3, 64, 64)))
    out = tmp_path / "mine"
    code, line, err = run(
        *(capsys, "new", brought, "--name", "mine", "--decoder", "yolov8", "--classes", "car,person,cycle"),
        *(*SAID, "--out", out),
    )
    assert code == 0, err
    path = Path(line.strip())
    manifest = load_manifest(path)
    assert manifest.markets == ("eu", "jp")
    assert manifest.outputs[0].shape == (1, 7, 50)
    assert prove_model(path, manifest).look(picture_of(64, 64)).as_json()[0]["class"] == "car"
    code, _, err = run(
        *(capsys, "new", brought, "--name", "mine", "--decoder", "yolov8", "--classes", "car,person,cycle"),
        *(*SAID, "--out", out),
    )
    assert code == 2
    assert "is there already" in err


@pytest.mark.parametrize(
    ("told_names", "classes"),
    [("{0: 'car', 1: 'person'}", ["car", "person"]), ("['car', 'person']", ["car", "person"]), ("{0: 1}", None)],
)
def test_classes_that_the_exporter_wrote_are_taken(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, told_names: str, classes: list[str] | None
) -> None:
    net = Net(
        [("images", "float32", (1, 3, 8, 8))],
        [("seen", "float32", (1, 2, 2, 2))],
        [node("Conv", ["images", "w"], ["seen"], kernel_shape=(4, 4), strides=(4, 4))],
        {"w": np.full((2, 3, 4, 4), 0.1, np.float32)},
        notes={"names": told_names, "task": "segment"},
    )
    brought = tmp_path / "best.onnx"
    brought.write_bytes(net.bytes())
    out = tmp_path / "mine"
    code, _, err = run(
        *(capsys, "new", brought, "--name", "mine", "--decoder", "segmentation", *SAID, "--out", out),
        *("--crop-top", "0.5"),
    )
    if classes is None:
        assert code == 2
        assert "does not name its classes" in err
        return
    assert code == 0, err
    manifest = load_manifest(out / "mine.yaml")
    assert list(manifest.classes) == classes
    assert manifest.input.crop_top == 0.5


@pytest.mark.parametrize(
    ("raw", "more", "words"),
    [
        (b"not a model at all, not a bit", (), "ONNX model"),
        (identity_net((1, 3, 0, 0)), (), "leaves the size of its input open"),
        (identity_net((1, 3, 8, 8)), ("--classes", "a,b"), "output seen has shape 1x3x8x8, not 1 and 2 more"),
        (identity_net((1, 3, 8, 8)), ("--mean", "1,x,2"), "--mean 1,x,2"),
        (identity_net((1, 3, 8, 8)), ("--mean", "1,2"), "mean has 2 values for 3 colours"),
        (identity_net((1, 3, 8, 8)), ("--size", "8"), "--size 8"),
        (identity_net((1, 3, 8, 8)), ("--decoder", "yolov9"), "must be one of"),
        (identity_net((1, 3, 8, 8)), ("--trained", "yesterday"), "training.date"),
    ],
)
def test_a_model_that_does_not_fit_what_was_said(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, raw: bytes, more: tuple[str, ...], words: str
) -> None:
    brought = tmp_path / "best.onnx"
    brought.write_bytes(raw)
    code, _, err = run(
        *(capsys, "new", brought, "--name", "mine", "--decoder", "yolov8", "--classes", "a"),
        *(*SAID, "--out", tmp_path / "mine", *more),
    )
    assert code == 2
    assert words in err
    assert len(err.strip().splitlines()) == 1
    assert not list((tmp_path / "mine").glob("*")), "nothing is left behind, so that the next try is not in its way"


def convolution() -> bytes:
    """A model whose output is the sum over three by three pixels, colour by colour."""
    kernel = np.zeros((3, 3, 3, 3), np.float32)
    for colour in range(3):
        kernel[colour, colour] = 1.0 / 9.0
    return Net(
        [("images", "float32", (1, 3, 32, 32))],
        [("seen", "float32", (1, 3, 32, 32))],
        [node("Conv", ["images", "w"], ["seen"], kernel_shape=(3, 3), pads=(1, 1, 1, 1))],
        {"w": kernel},
    ).bytes()


@pytest.mark.parametrize("to", ["int8", "fp16"])
def test_another_form_is_made_proven_and_close(capsys: pytest.CaptureFixture[str], tmp_path: Path, to: str) -> None:
    pytest.importorskip("onnx", reason="the development environment has it: run script/bootstrap")
    folder = tmp_path / "m"
    path = place(folder, convolution(), decoder=SEGMENTS, classes=("r", "g", "b"), given=input_of(32, 32))
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index in range(4):
        cv2.imwrite(str(pictures / f"{index}.png"), picture_of(40 + index, 30))
    code, out, err = run(capsys, "convert", path, "--to", to, "--out", folder, "--pictures", pictures)
    assert code == 0, err
    assert "differs from fp32 by at most" in err
    data = yaml.safe_load(path.read_text(encoding="utf-8"))
    data["forms"] |= yaml.safe_load(out)
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    [found] = told(capsys, "verify", path, "--precision", to)
    assert found["is_good"]
    manifest = load_manifest(path)
    first, other = prove_model(path, manifest, precision="fp32"), prove_model(path, manifest, precision=to)  # type: ignore[arg-type]
    first.look(picture_of(32, 32))
    other.look(picture_of(32, 32))
    gap = np.abs(first._session.outputs["seen"] - other._session.outputs["seen"]).max()
    assert 0.0 < gap < (0.02 if to == "int8" else 0.002), "another form differs, but not by much"
