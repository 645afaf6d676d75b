"""A loaded model: its buffers stay, its answers repeat, its failure is told, its process knows what runs it."""

from __future__ import annotations

import gc
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from model_files import BOXES, input_of, picture_of, place, prove
from onnx_writer import constant_net, identity_net, probe_net

from adas_runtime.perception.models import running
from adas_runtime.perception.models.model import Model, loaded_reports
from adas_runtime.perception.models.providers import ProviderError
from adas_runtime.perception.models.results import Boxes, Segments

SEGMENTS = {"name": "segmentation", "confidence_min": 0.0, "activation": "softmax"}


def probe(folder: Path) -> Model:
    return prove(place(folder, probe_net(), decoder=SEGMENTS, classes=("first", "second", "third")))


def test_two_looks_at_one_picture_are_the_same_bit_for_bit(tmp_path: Path) -> None:
    model = probe(tmp_path)
    picture, other = picture_of(128, 72), picture_of(96, 96)
    first = model.look(picture)
    assert isinstance(first, Segments)
    labels, scores = first.labels.copy(), first.scores.copy()
    model.look(other)
    again = model.look(picture)
    assert isinstance(again, Segments)
    np.testing.assert_array_equal(labels, again.labels)
    np.testing.assert_array_equal(scores, again.scores)
    assert model.spent.total_s > model.spent.infer_s > 0.0


def test_nothing_of_a_tensor_s_size_is_allocated_in_steady_state(tmp_path: Path) -> None:
    """Small results are made anew; the input has 245 760 bytes and the output 800 000."""
    table = np.zeros((1, 10, 20_000), np.float32)
    table[0, :4, :3] = 30.0
    table[0, 4, :3] = 0.9
    given = input_of(160, 128)
    raw = constant_net({"output0": table}, shape=(1, 3, 128, 160))
    path = place(
        tmp_path,
        raw,
        decoder={"name": "yolov8", **BOXES},
        classes=tuple("abcdef"),
        told={"output0": table},
        given=given,
    )
    model = prove(path)
    picture = picture_of(640, 360)
    for _ in range(3):
        model.look(picture)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(50):
            model.look(picture)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        grown = []
        for _ in range(3):
            start = tracemalloc.get_traced_memory()[0]
            for _ in range(100):
                found = model.look(picture)
            grown.append(tracemalloc.get_traced_memory()[0] - start)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert isinstance(found, Boxes) and len(found.scores) == 1
    # one number for each of the 20 000 places is 80 000 bytes; NumPy 2.2 reduces through a buffer of 32 kB
    assert peak - before < 65_536
    # stores of freed small blocks in Python and NumPy may fill once more; a leak grows every time
    assert min(grown) < 1_024, grown


def test_segments_are_found_without_allocating_their_grid(tmp_path: Path) -> None:
    given = input_of(128, 128)
    path = place(tmp_path, identity_net((1, 3, 128, 128)), decoder=SEGMENTS, classes=("b", "g", "r"), given=given)
    model = prove(path)
    picture = picture_of(640, 360)
    model.look(picture)
    tracemalloc.start()
    try:
        model.look(picture)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        model.look(picture)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak - before < 16_384, "a single layer of bytes"


def test_a_provider_that_fails_while_driving_is_told_and_not_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = probe(tmp_path)

    class Broken:
        def run_with_iobinding(self, _binding: Any) -> None:
            raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : CUDA failure 700: an illegal memory access")

    monkeypatch.setattr(model._session, "_session", Broken())
    with pytest.raises(ProviderError, match="CUDA failure 700") as caught:
        model.look(picture_of(64, 64))
    assert caught.value.mend


def test_a_process_knows_which_models_it_runs_and_on_what(tmp_path: Path) -> None:
    gc.collect()
    former = len(loaded_reports())
    model = probe(tmp_path)
    assert len(loaded_reports()) == former + 1
    assert model.report in loaded_reports()
    assert "fp32 on cpu, sha256 489979b80896" in running()["tiny"]
    del model
    gc.collect()
    assert len(loaded_reports()) == former


@pytest.mark.parametrize("dtype", ["float16", "uint8"])
def test_models_of_other_number_types(tmp_path: Path, dtype: str) -> None:
    given = input_of(16, 8, dtype=dtype, layout="nhwc", colour="bgr", mean=[0.0] * 3, std=[1.0] * 3)
    raw = identity_net((1, 8, 16, 3), dtype)
    picture = picture_of(16, 8)
    told = {"seen": np.zeros((1, 8, 16, 3), dtype)}
    decoder = {"name": "segmentation", "confidence_min": 0.0, "activation": "none"}
    path = place(
        tmp_path,
        raw,
        decoder=decoder,
        classes=tuple("abcdefgh"),
        given=given,
        told=told,
        forms__fp32__golden__atol=300.0,
    )
    session = prove(path)._session
    session.fill(picture)
    session.infer()
    np.testing.assert_array_equal(session.outputs["seen"][0].astype(np.uint8), picture)


def test_the_runtime_is_not_loaded_by_reading_manifests() -> None:
    """Every process may read what models there are; OpenCV and onnxruntime cost it 60 MB."""
    import subprocess
    import sys

    code = (
        "import sys; from adas_runtime.perception.models.manifest import load_manifest, manifest_path; "
        "import adas_runtime.perception.models.store, adas_runtime.perception.models.providers, "
        "adas_runtime.perception.models.budget; load_manifest(manifest_path('probe')); "
        "print([name for name in ('onnxruntime', 'cv2', 'onnx') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_onnxruntime_is_imported_here_alone_and_only_where_it_is_used(repository: Path) -> None:
    import ast

    found = {}
    for path in (repository / "adas_runtime").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for item in ast.walk(tree):
            names = [part.name for part in item.names] if isinstance(item, ast.Import) else []
            names += [item.module or ""] if isinstance(item, ast.ImportFrom) else []
            if any(name.split(".")[0] in ("onnxruntime", "onnx") for name in names):
                found[path.relative_to(repository).as_posix()] = item in tree.body
    assert found
    assert all(name.startswith("adas_runtime/perception/models/") for name in found), found
    assert not any(found.values()), "a reader of manifests must not pay for it"
