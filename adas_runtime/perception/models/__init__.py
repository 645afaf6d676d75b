"""Neural networks that can be trusted: a manifest says what a model is, and every load proves it before it may look.

`manifest` and `onnx_file` say what a model must be, `store` and `pull` where its file is, `providers` and `session` run
it, `preprocess` and `decoders` lead from a picture to pixels of that picture, `model` holds them together. OpenCV and
onnxruntime are imported only where a model is loaded.
"""

from __future__ import annotations

import sys


def running() -> dict[str, str]:
    """What runs each model that this process has loaded, in a line: for the diagnostics and the recording.

    Loads nothing: where no model is loaded there is nothing to tell.
    """
    module = sys.modules.get("adas_runtime.perception.models.model")
    if module is None:
        return {}
    told: dict[str, str] = {}
    for report in module.loaded_reports():
        told[report.model] = "; ".join(filter(None, (told.get(report.model), report.line())))
    return told
