"""Which part of the machine runs a model: chosen by name, asserted, and never changed in silence."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import Field, model_validator
from typing_extensions import Self

from adas_runtime.config import Strict, load
from adas_runtime.errors import AdasError
from adas_runtime.perception.models.manifest import Manifest, Precision

Provider = Literal["tensorrt", "cuda", "cpu"]
NAMES: Final[dict[Provider, str]] = {
    "tensorrt": "TensorrtExecutionProvider",
    "cuda": "CUDAExecutionProvider",
    "cpu": "CPUExecutionProvider",
}
WHERE: Final = "inference.yaml"


class ProviderError(AdasError):
    """The machine does not run the model as it was told to."""


class Precisions(Strict):
    """Form of the model that each provider takes, where the model has it; else fp32, which the report says."""

    tensorrt: Precision = Field(description="TensorRT.")
    cuda: Precision = Field(description="CUDA.")
    cpu: Precision = Field(description="CPU.")

    def get(self, provider: Provider) -> Precision:
        """Of this provider."""
        return {"tensorrt": self.tensorrt, "cuda": self.cuda, "cpu": self.cpu}[provider]


class InferenceParams(Strict):
    """How models run on this machine."""

    format: Literal[1] = Field(description="Format of the file.")
    providers: tuple[Provider, ...] = Field(
        min_length=1, max_length=3, description="What may run models, the wanted one first."
    )
    allow_cpu: bool = Field(
        description="The CPU may stand in for a missing GPU: a reduced mode, which the diagnostics and recordings "
        "tell. False on the car: the model is refused instead."
    )
    whole_on_gpu: bool = Field(description="Refuse a model of which single nodes would run on the CPU beside the GPU.")
    precisions: Precisions = Field(description="Form of the model per provider.")
    threads: int = Field(ge=1, le=64, description="Threads of the CPU provider.")
    warm_up_runs: int = Field(ge=1, le=100, description="Runs before the first picture counts.")
    device_id: int = Field(ge=0, le=15, description="Number of the GPU.")
    gpu_memory_mb: int = Field(ge=64, le=65536, description="Most GPU memory that one model may take [MB].")

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        if len(set(self.providers)) != len(self.providers):
            raise ValueError("providers names one twice; name each once")
        return self


def load_inference(path: Path | None = None) -> InferenceParams:
    """How models run here: the shipped `inference.yaml`, or a file.

    Raises:
        ConfigError: The first thing that is wrong with it.
    """
    from adas_runtime.resources import config_dir

    return load(InferenceParams, path or config_dir() / WHERE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """The provider that was chosen.

    Args:
        provider: It.
        is_reduced: A wanted GPU is not there and the CPU stands in, as the configuration allows.
        reason: Why it is not the first that was wanted; empty where it is.
    """

    provider: Provider
    is_reduced: bool = False
    reason: str = ""


def choose(params: InferenceParams, available: Sequence[str]) -> Choice:
    """The first wanted provider that this build of onnxruntime has.

    Args:
        params: What is wanted and allowed.
        available: `onnxruntime.get_available_providers()`.
    Raises:
        ProviderError: None of them is there, or only the CPU, which may not stand in.
    """
    missing = []
    for provider in params.providers:
        if NAMES[provider] in available:
            break
        missing.append(provider)
    else:
        raise ProviderError(
            f"none of {', '.join(params.providers)} is in this onnxruntime, which has {', '.join(available) or 'none'}",
            where=WHERE,
            mend="install onnxruntime-gpu, or name cpu in providers",
        )
    if not missing:
        return Choice(provider=provider)
    reason = f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not in this onnxruntime"
    if provider == "cpu" and not params.allow_cpu:
        raise ProviderError(
            f"{reason}, and the CPU may not stand in",
            where=WHERE,
            mend="install onnxruntime-gpu (`adas doctor` tells more), or set allow_cpu: true for a reduced mode",
        )
    return Choice(provider=provider, is_reduced=provider == "cpu", reason=reason)


def precision_for(params: InferenceParams, provider: Provider, manifest: Manifest) -> tuple[Precision, str]:
    """The form to load, and why it is not the wanted one (empty where it is).

    TensorRT could make 16 bit of an fp32 file by itself, but no golden output has proven that: only declared forms
    run.
    """
    wanted = params.precisions.get(provider)
    if manifest.forms.get(wanted) is not None:
        return wanted, ""
    fallback = manifest.forms.precisions[0]
    return fallback, f"the model has no {wanted} form"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """The accelerator as its driver tells it."""

    name: str
    driver: str


def _ask(command: Sequence[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=5.0, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout if done.returncode == 0 else ""


def gpu_identity(device_id: int = 0, ask: Callable[[Sequence[str]], str] = _ask, root: Path = Path("/")) -> Gpu | None:
    """Name and driver of a GPU: from `nvidia-smi`, or on a Jetson from the board's own files; `None` without one."""
    told = ask(("nvidia-smi", f"--id={device_id}", "--query-gpu=name,driver_version", "--format=csv,noheader"))
    parts = [part.strip() for part in told.strip().split(",")]
    if len(parts) == 2 and all(parts):
        return Gpu(name=parts[0], driver=parts[1])
    try:
        release = (root / "etc/nv_tegra_release").read_text(encoding="utf-8", errors="replace")
        board = (root / "proc/device-tree/model").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    found = re.search(r"R(\d+).*?REVISION: ([\d.]+)", release)
    return Gpu(name=board.strip("\0 \n"), driver=f"L4T {found.group(1)}.{found.group(2)}" if found else "L4T unknown")


def cache_key(sha256: str, precision: str, gpu: Gpu, runtime_version: str) -> str:
    """Name of the engine cache's folder: an engine is good for one model, GPU, driver and onnxruntime only."""
    parts = (sha256[:16], precision, gpu.name, gpu.driver, runtime_version)
    return "__".join(re.sub(r"[^A-Za-z0-9.]+", "-", part).strip("-") or "unknown" for part in parts)


def provider_list(
    choice: Choice, params: InferenceParams, *, cache: Path | None, precision: Precision
) -> list[tuple[str, dict[str, Any]]]:
    """What onnxruntime is asked for: the chosen provider, those below it for nodes it cannot take, and their options.

    Args:
        choice: The provider.
        params: Limits.
        cache: Folder for TensorRT engines; `None` keeps none.
        precision: Wanted on this provider.
    """
    cuda: dict[str, Any] = {
        "device_id": params.device_id,
        "gpu_mem_limit": params.gpu_memory_mb * 1024 * 1024,
        "arena_extend_strategy": "kSameAsRequested",
        "cudnn_conv_algo_search": "HEURISTIC",  # EXHAUSTIVE times kernels: two starts, two answers
        "use_tf32": 0,  # 32 bit means 32 bit, or the golden output would have to be blurred
    }
    wanted: list[tuple[str, dict[str, Any]]] = [(NAMES["cpu"], {})]
    if choice.provider in ("cuda", "tensorrt"):
        wanted.insert(0, (NAMES["cuda"], cuda))
    if choice.provider == "tensorrt":
        options: dict[str, Any] = {
            "device_id": params.device_id,
            "trt_max_workspace_size": params.gpu_memory_mb * 1024 * 1024,
            "trt_fp16_enable": precision == "fp16",
            "trt_int8_enable": precision == "int8",
        }
        if cache is not None:
            options |= {
                "trt_engine_cache_enable": True,
                "trt_engine_cache_path": str(cache),
                "trt_timing_cache_enable": True,
                "trt_timing_cache_path": str(cache),
            }
        wanted.insert(0, (NAMES["tensorrt"], options))
    return wanted


def require_providers(asked: Sequence[str], got: Sequence[str], model: str) -> None:
    """A session that runs elsewhere than it was told to is a fault: onnxruntime itself only prints a warning.

    Raises:
        ProviderError: It does.
    """
    if list(asked) != list(got):
        raise ProviderError(
            f"model {model} was to run on {', '.join(asked)}, onnxruntime took {', '.join(got) or 'nothing'}",
            where=WHERE,
            mend="see `adas doctor` for what the GPU lacks (CUDA, cuDNN or TensorRT libraries); "
            "or name cpu alone in providers",
        )
