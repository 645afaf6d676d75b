"""How drives are recorded: `config/recorder.yaml`."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from adas_runtime.config import Strict, load


class RecorderParams(Strict):
    """Files, patience and memory of the recorder."""

    format: Literal[1] = Field(description="Version of this format.")
    split_mb: float = Field(gt=0.0, le=1e6, description="A new file after this much [MB].")
    split_s: float = Field(ge=1.0, le=86400.0, description="A new file after this long [s].")
    flush_s: float = Field(gt=0.0, le=60.0, description="A killed recorder loses at most this much [s].")
    fsync_s: float = Field(gt=0.0, le=600.0, description="A power failure costs at most this much [s].")
    queue_mb: float = Field(gt=0.0, le=16384.0, description="Memory for messages that wait for the disk [MB].")
    keep_free_mb: float = Field(ge=0.0, le=1e6, description="Recording pauses below this much free space [MB].")
    retry_s: float = Field(gt=0.0, le=600.0, description="A paused recording tries again so often [s].")


def load_recorder_params() -> RecorderParams:
    """The shipped values, or those of `ADAS_CONFIG_DIR`.

    Raises:
        ConfigError: The first thing that is wrong with the file.
    """
    from adas_runtime.resources import config_dir

    return load(RecorderParams, config_dir() / "recorder.yaml")
