"""One model on one provider, proven: buffers that stay, a warm-up, the golden output, and a report of all that."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from adas_runtime.config import printable, shown_path
from adas_runtime.errors import ConfigError
from adas_runtime.perception.models.golden import compare, golden_picture, read_golden
from adas_runtime.perception.models.manifest import Manifest, Precision
from adas_runtime.perception.models.preprocess import Fit, Picture, Preprocessor
from adas_runtime.perception.models.providers import (
    Choice,
    Gpu,
    InferenceParams,
    ProviderError,
    cache_key,
    choose,
    gpu_identity,
    precision_for,
    provider_list,
    require_providers,
)
from adas_runtime.perception.models.store import Proven, prove

CACHE_DIR: Final = "ADAS_CACHE_DIR"


def engines_dir() -> Path:
    """Folder of built engines: in `ADAS_CACHE_DIR`, else `adas` in the user's own folder for caches (XDG)."""
    named = os.environ.get(CACHE_DIR)
    base = Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "adas"
    return base.expanduser() / "engines"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeReport:
    """What runs a model, for the diagnostics, the recording and people.

    Args:
        model: Its name.
        sha256: Of its file.
        precision: Of its file.
        provider: tensorrt, cuda or cpu: asserted, not assumed.
        asked: Providers that onnxruntime was told to use, and uses.
        is_reduced: The CPU stands in for a GPU that was wanted.
        notes: Why something is not as it was wanted.
        device: GPU and driver; empty on the CPU.
        runtime: Version of onnxruntime.
        engine_cache: Folder of its engines; empty where none are kept.
        load_s: From the file to the first answer, the warm-up included [s].
        golden_gap: Greatest difference from the golden output, in units of the output.
    """

    model: str
    sha256: str
    precision: Precision
    provider: str
    asked: tuple[str, ...]
    is_reduced: bool
    notes: tuple[str, ...]
    device: str
    runtime: str
    engine_cache: str
    load_s: float
    golden_gap: float

    def line(self) -> str:
        """One line for the diagnostics: `probe fp32 on cpu (reduced: ...), sha256 0123456789ab`."""
        text = f"{self.model} {self.precision} on {self.provider}"
        if self.device:
            text += f" ({self.device})"
        if self.is_reduced or self.notes:
            text += f" ({'reduced: ' if self.is_reduced else ''}{'; '.join(self.notes)})"
        return f"{text}, sha256 {self.sha256[:12]}, onnxruntime {self.runtime}"


SessionFactory = Callable[[bytes, Any, list[tuple[str, dict[str, Any]]]], Any]


def _session(raw: bytes, options: Any, providers: list[tuple[str, dict[str, Any]]]) -> Any:
    import onnxruntime

    # enable_fallback: by default onnxruntime prints a warning and goes on with the CPU
    return onnxruntime.InferenceSession(raw, options, providers=providers, enable_fallback=0)


def _available() -> Sequence[str]:
    import onnxruntime

    return tuple(onnxruntime.get_available_providers())


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What a session asks of the machine; tests put other answers here.

    Args:
        available: Providers of this onnxruntime.
        make_session: Makes one of the model's bytes.
        gpu: Tells the GPU of a number.
    """

    available: Callable[[], Sequence[str]] = _available
    make_session: SessionFactory = _session
    gpu: Callable[[int], Gpu | None] = gpu_identity


class ModelSession:
    """A loaded model. Make it with `open_session`; one at a time may use it, its buffers are used again and again."""

    def __init__(
        self,
        manifest: Manifest,
        proven: Proven,
        choice: Choice,
        params: InferenceParams,
        notes: Sequence[str],
        manifest_file: Path,
        machine: Machine,
    ) -> None:
        import onnxruntime

        started_s = time.perf_counter()
        self.manifest = manifest
        where = shown_path(proven.path)
        gpu = machine.gpu(params.device_id) if choice.provider != "cpu" else None
        cache = None
        if choice.provider == "tensorrt" and gpu is not None:
            cache = engines_dir() / cache_key(proven.form.sha256, proven.precision, gpu, onnxruntime.__version__)
            _make_folder(cache)
        asked = provider_list(choice, params, cache=cache, precision=proven.precision)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = params.threads
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 4  # what is wrong is told once, by us
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # waiting threads leave the core alone
        if params.whole_on_gpu and choice.provider != "cpu":
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        try:
            self._session = machine.make_session(proven.raw, options, asked)
        except Exception as err:  # onnxruntime's own errors share no base class
            raise ProviderError(
                f"onnxruntime cannot run it on {choice.provider}: {_one_line(err)}",
                where=where,
                mend="export it for an operator set that this onnxruntime knows, or see `adas doctor`",
            ) from err
        names = tuple(name for name, _ in asked)
        require_providers(names, self._session.get_providers(), manifest.name)
        self._bind(where)
        self._preprocessor = Preprocessor(manifest.input, self.input)
        try:
            for _ in range(params.warm_up_runs):
                self._session.run_with_iobinding(self._binding)
        except Exception as err:
            raise ProviderError(
                f"fails in its warm-up on {choice.provider}: {_one_line(err)}",
                where=where,
                mend="correct inputs and outputs in the manifest, or see `adas doctor` for what the GPU lacks",
            ) from err
        gap = self._check_golden(proven, manifest_file, where)
        self.report = RuntimeReport(
            model=manifest.name,
            sha256=proven.form.sha256,
            precision=proven.precision,
            provider=choice.provider,
            asked=names,
            is_reduced=choice.is_reduced,
            notes=tuple(notes),
            device=f"{gpu.name}, driver {gpu.driver}" if gpu is not None else "",
            runtime=onnxruntime.__version__,
            engine_cache=str(cache) if cache is not None else "",
            load_s=time.perf_counter() - started_s,
            golden_gap=gap,
        )

    def _bind(self, where: str) -> None:
        """Input and outputs become arrays that onnxruntime reads and writes in place."""
        import onnxruntime

        given = self.manifest.input
        found = {item.name: item.shape for item in self._session.get_outputs()}
        self.input: npt.NDArray[Any] = np.zeros(given.shape, dtype=given.dtype)
        self.outputs: dict[str, npt.NDArray[Any]] = {}
        self._binding = self._session.io_binding()
        self._values = [onnxruntime.OrtValue.ortvalue_from_numpy(self.input)]  # shares the array's memory
        self._binding.bind_ortvalue_input(given.name, self._values[0])
        for output in self.manifest.outputs:
            sizes = tuple(size if isinstance(size, int) else 0 for size in found.get(output.name) or ())
            if sizes and (
                len(sizes) != len(output.shape)
                or any(size not in (0, want) for size, want in zip(sizes, output.shape, strict=True))
            ):
                raise ConfigError(
                    f"its output {output.name} is {'x'.join(map(str, sizes))}, its manifest says "
                    f"{'x'.join(map(str, output.shape))}",
                    where=where,
                    mend="correct outputs in the manifest, or export the model anew",
                )
            array = np.zeros(output.shape, dtype=output.dtype)
            value = onnxruntime.OrtValue.ortvalue_from_numpy(array)
            self._binding.bind_ortvalue_output(output.name, value)
            self.outputs[output.name] = array
            self._values.append(value)

    def _check_golden(self, proven: Proven, manifest_file: Path, where: str) -> float:
        golden = proven.form.golden
        arrays = read_golden(golden, manifest_file.parent)
        golden_file = shown_path(manifest_file.parent / golden.file)
        self.fill(golden_picture(golden, arrays, self.manifest, golden_file))
        self.infer()
        return compare(golden, arrays, self.outputs, where)

    def fill(self, picture: Picture) -> Fit:
        """Writes a picture into the input buffer; tells how it lies there."""
        return self._preprocessor.fill(picture)

    def infer(self) -> None:
        """Runs the model: `input` is read, `outputs` are written in place.

        Raises:
            ProviderError: The provider fails while driving; it is never replaced in silence.
        """
        try:
            self._session.run_with_iobinding(self._binding)
        except Exception as err:
            raise ProviderError(
                f"model {self.manifest.name} fails while running: {_one_line(err)}",
                mend="see `adas doctor`; the process has to be started anew",
            ) from err


def open_session(
    manifest: Manifest,
    manifest_file: Path,
    params: InferenceParams,
    *,
    precision: Precision | None = None,
    machine: Machine | None = None,
) -> ModelSession:
    """Loads, proves and warms up a model.

    Args:
        manifest: What it must be.
        manifest_file: Where the manifest is; files lie beside it.
        params: How models run on this machine.
        precision: This form and no other; by default the one that `params` names for the provider.
        machine: For tests; this machine by default.
    Raises:
        ConfigError: Its file, shape, operators or golden output are not what the manifest says.
        ProviderError: The machine does not run it as told.
    """
    machine = machine or Machine()
    choice = choose(params, machine.available())
    notes = [choice.reason] if choice.reason else []
    if precision is None:
        precision, note = precision_for(params, choice.provider, manifest)
        notes += [note] if note else []
    proven = prove(manifest, precision, manifest_file)
    return ModelSession(manifest, proven, choice, params, notes, manifest_file, machine)


def _make_folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as err:
        raise ConfigError(
            f"engine cache cannot be made: {err.strerror or err}",
            where=str(path),
            mend=f"name another folder in {CACHE_DIR}",
        ) from err


def _one_line(err: Exception) -> str:
    text = " ".join(str(err).split())
    # "[ONNXRuntimeError] : 1 : FAIL : ..." : the number and the name of the error say nothing to people
    return printable(text.rsplit("] : ", 1)[-1], 240)
