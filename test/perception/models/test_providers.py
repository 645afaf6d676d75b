"""The provider is chosen by name and asserted; what onnxruntime does in silence is a fault here.

This machine has no GPU: lists of available providers and sessions are fakes, and are called so.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from model_files import CPU, place, prove
from onnx_writer import probe_net

from adas_runtime.perception.models.manifest import Precision, load_manifest
from adas_runtime.perception.models.providers import (
    NAMES,
    Gpu,
    InferenceParams,
    ProviderError,
    cache_key,
    choose,
    gpu_identity,
    load_inference,
    precision_for,
    provider_list,
)
from adas_runtime.perception.models.session import Machine

FAKE_CAR = (NAMES["tensorrt"], NAMES["cuda"], NAMES["cpu"])
FAKE_CUDA = (NAMES["cuda"], NAMES["cpu"])
FAKE_LAPTOP = ("AzureExecutionProvider", NAMES["cpu"])
ORIN = Gpu(name="NVIDIA Orin", driver="540.4.0")


def wanted(*providers: str, allow_cpu: bool = False, **changed: Any) -> InferenceParams:
    return load_inference().model_copy(
        update={"providers": providers or ("tensorrt", "cuda", "cpu"), "allow_cpu": allow_cpu, **changed}
    )


@pytest.mark.parametrize(
    ("params", "available", "provider", "is_reduced"),
    [
        (wanted(), FAKE_CAR, "tensorrt", False),
        (wanted(), FAKE_CUDA, "cuda", False),
        (wanted(allow_cpu=True), FAKE_LAPTOP, "cpu", True),
        (wanted("cpu"), FAKE_CAR, "cpu", False),
        (wanted("cuda", "cpu"), FAKE_CAR, "cuda", False),
    ],
)
def test_the_first_wanted_that_is_there(
    params: InferenceParams, available: Sequence[str], provider: str, is_reduced: bool
) -> None:
    choice = choose(params, available)
    assert (choice.provider, choice.is_reduced) == (provider, is_reduced)
    assert bool(choice.reason) == (provider != params.providers[0]), "what is not as wanted says why"


def test_the_cpu_stands_in_only_where_the_configuration_says_so() -> None:
    with pytest.raises(ProviderError) as caught:
        choose(wanted(), FAKE_LAPTOP)
    assert "tensorrt and cuda are not in this onnxruntime, and the CPU may not stand in" in caught.value.line()
    assert "allow_cpu: true" in caught.value.mend


def test_nothing_wanted_is_there() -> None:
    with pytest.raises(ProviderError, match="none of tensorrt, cuda is in this onnxruntime"):
        choose(wanted("tensorrt", "cuda", allow_cpu=True), FAKE_LAPTOP)


class FakeSession:
    """A session that onnxruntime made on other providers than it was asked for, as it does without cuDNN."""

    def __init__(self, got: Sequence[str]) -> None:
        self._got = list(got)

    def get_providers(self) -> list[str]:
        return self._got


def fake_machine(available: Sequence[str], got: Sequence[str]) -> Machine:
    return Machine(
        available=lambda: available, make_session=lambda _raw, _options, _asked: FakeSession(got), gpu=lambda _id: ORIN
    )


def probe(folder: Path, **changed: Any) -> Path:
    decoder = {"name": "segmentation", "confidence_min": 0.25, "activation": "softmax"}
    return place(folder, probe_net(), decoder=decoder, classes=("first", "second", "third"), **changed)


@pytest.mark.parametrize(
    ("available", "got"),
    [(FAKE_CUDA, [NAMES["cpu"]]), (FAKE_CAR, FAKE_CUDA), (FAKE_CAR, [NAMES["cpu"]]), (FAKE_CUDA, [])],
)
def test_a_silent_fallback_is_a_fault_even_where_the_cpu_may_stand_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, available: Sequence[str], got: Sequence[str]
) -> None:
    monkeypatch.setenv("ADAS_CACHE_DIR", str(tmp_path / "cache"))
    with pytest.raises(ProviderError) as caught:
        prove(probe(tmp_path), wanted(allow_cpu=True), machine=fake_machine(available, got))
    assert "was to run on" in caught.value.line()
    assert "adas doctor" in caught.value.mend


def test_onnxruntime_s_own_error_is_one_line_and_no_second_try(tmp_path: Path) -> None:
    asked: list[Any] = []

    def failing(_raw: bytes, _options: Any, providers: Any) -> Any:
        asked.append(providers)
        raise RuntimeError("[ONNXRuntimeError] : 1 : FAIL : libcudnn.so.9:\n cannot open shared object file")

    machine = Machine(available=lambda: FAKE_CUDA, make_session=failing, gpu=lambda _id: ORIN)
    with pytest.raises(ProviderError) as caught:
        prove(probe(tmp_path), wanted(allow_cpu=True), machine=machine)
    assert "cannot run it on cuda" in caught.value.line()
    assert "libcudnn.so.9: cannot open shared object file" in caught.value.line()
    assert len(asked) == 1


def test_the_real_session_of_this_machine_is_asked_for_no_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import onnxruntime

    made: list[dict[str, Any]] = []
    real = onnxruntime.InferenceSession

    def watching(*args: Any, **kwargs: Any) -> Any:
        made.append(kwargs)
        return real(*args, **kwargs)

    monkeypatch.setattr(onnxruntime, "InferenceSession", watching)
    path = probe(tmp_path)
    made.clear()
    prove(path)
    assert [item["enable_fallback"] for item in made] == [0]


def test_a_reduced_mode_is_reported(tmp_path: Path) -> None:
    real = Machine()
    machine = Machine(available=lambda: FAKE_LAPTOP, make_session=real.make_session)
    report = prove(probe(tmp_path), wanted(allow_cpu=True, threads=1), machine=machine).report
    assert report.is_reduced
    assert "reduced: tensorrt and cuda are not in this onnxruntime" in report.line()


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8"])
def test_what_onnxruntime_is_asked_for(tmp_path: Path, precision: Precision) -> None:
    params = wanted(gpu_memory_mb=1024, device_id=1)
    names = []
    for available in (FAKE_CAR, FAKE_CUDA, FAKE_LAPTOP):
        choice = choose(wanted(allow_cpu=True), available)
        asked = provider_list(choice, params, cache=tmp_path, precision=precision)
        names.append([name for name, _ in asked])
        for name, options in asked:
            if name != NAMES["cpu"]:
                assert options["device_id"] == 1
    assert names == [list(FAKE_CAR), list(FAKE_CUDA), [NAMES["cpu"]]]
    options = provider_list(choose(params, FAKE_CAR), params, cache=tmp_path, precision=precision)[0][1]
    assert (options["trt_fp16_enable"], options["trt_int8_enable"]) == (precision == "fp16", precision == "int8")
    assert options["trt_engine_cache_path"] == str(tmp_path)


def test_precision_follows_the_provider_and_the_model(tmp_path: Path) -> None:
    manifest = load_manifest(probe(tmp_path))
    params = load_inference()
    assert precision_for(params, "cpu", manifest) == ("fp32", "")
    assert precision_for(params, "tensorrt", manifest) == ("fp32", "the model has no fp16 form")


def test_an_engine_is_good_for_one_model_gpu_driver_and_runtime_only() -> None:
    base = ("a" * 64, "fp16", ORIN, "1.23.2")
    others = [
        ("b" * 64, *base[1:]),
        (base[0], "int8", *base[2:]),
        (*base[:2], Gpu(name="NVIDIA H100", driver=ORIN.driver), base[3]),
        (*base[:2], Gpu(name=ORIN.name, driver="540.4.1"), base[3]),
        (*base[:3], "1.32.0"),
    ]
    keys = [cache_key(*item) for item in (base, *others)]
    assert len(set(keys)) == len(keys)
    assert all("/" not in key and not key.startswith(".") for key in keys)
    assert "/" not in cache_key("a" * 64, "fp16", Gpu(name="../../x", driver="/"), "1")


def test_the_engine_cache_lies_in_its_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ADAS_CACHE_DIR", str(tmp_path))
    asked: list[Any] = []

    def noting(_raw: bytes, _options: Any, providers: Any) -> Any:
        asked.append(dict(providers))
        return FakeSession([])

    machine = Machine(available=lambda: FAKE_CAR, make_session=noting, gpu=lambda _id: ORIN)
    with pytest.raises(ProviderError):
        prove(probe(tmp_path / "model"), wanted(), machine=machine)
    folder = Path(asked[0][NAMES["tensorrt"]]["trt_engine_cache_path"])
    assert folder.parent == tmp_path / "engines"
    assert folder.is_dir()
    assert "NVIDIA-Orin" in folder.name and "540.4.0" in folder.name


def test_the_gpu_is_told_by_its_driver_or_by_the_board(tmp_path: Path) -> None:
    assert gpu_identity(0, lambda _command: "NVIDIA H100 80GB HBM3, 570.124.06\n") == Gpu(
        name="NVIDIA H100 80GB HBM3", driver="570.124.06"
    )
    assert gpu_identity(0, lambda _command: "", tmp_path) is None
    (tmp_path / "etc").mkdir()
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "etc/nv_tegra_release").write_text("# R36 (release), REVISION: 4.3, GCID: 38968081\n")
    (tmp_path / "proc/device-tree/model").write_text("NVIDIA Jetson AGX Orin Developer Kit\0")
    assert gpu_identity(0, lambda _command: "", tmp_path) == Gpu(
        name="NVIDIA Jetson AGX Orin Developer Kit", driver="L4T 36.4.3"
    )


def test_the_shipped_configuration_wants_a_gpu_and_says_when_there_is_none() -> None:
    params = load_inference()
    assert params.providers == ("tensorrt", "cuda", "cpu")
    assert params.allow_cpu, "a laptop must start; the car sets it to false"


def test_a_wrong_configuration_is_refused(tmp_path: Path) -> None:
    text = (
        "format: 1\nproviders: [cuda, cuda]\nallow_cpu: true\nwhole_on_gpu: false\nthreads: 2\nwarm_up_runs: 1\n"
        "device_id: 0\ngpu_memory_mb: 512\nprecisions: {tensorrt: fp16, cuda: fp16, cpu: fp32}\n"
    )
    path = tmp_path / "inference.yaml"
    path.write_text(text)
    with pytest.raises(Exception, match="providers names one twice"):
        load_inference(path)
    assert CPU.providers == ("cpu",)
