"""Drives for the tests, small and made once per run."""

from __future__ import annotations

from functools import cache

from adas_runtime.synth.drive import Drive, DriveSpec, Light, Rain, Scenario, make_drive


@cache
def drive(
    market: str = "de",
    seconds: float = 30.0,
    seed: int = 0,
    scenario: Scenario = Scenario.DEMO,
    light: Light = Light.AUTO,
    rain: Rain = Rain.NONE,
    width_px: int | None = None,
) -> Drive:
    """A drive; equal arguments give the same object."""
    return make_drive(
        DriveSpec(
            market=market, seconds=seconds, seed=seed, scenario=scenario, light=light, rain=rain, width_px=width_px
        )
    )
