"""Smooth functions of time from which the motion is made: a rate between knots, and its exact integral."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class SmoothRate:
    """A quantity whose value goes from knot to knot by a smoothstep, so that its slope is continuous.

    Args:
        knots: (time [s], value); ascending times. Constant before the first and after the last.
    """

    def __init__(self, knots: list[tuple[float, float]]) -> None:
        self._t = np.array([time for time, _ in knots], dtype=np.float64)
        self._v = np.array([value for _, value in knots], dtype=np.float64)
        step = np.diff(self._t)
        area = step * (self._v[:-1] + self._v[1:]) / 2.0
        self._area = np.concatenate(([0.0], np.cumsum(area)))

    def _cell(self, t_s: Floats) -> tuple[NDArray[np.intp], Floats, Floats]:
        index = np.clip(np.searchsorted(self._t, t_s, side="right") - 1, 0, max(len(self._t) - 2, 0))
        width = self._t[index + 1] - self._t[index]
        return index, width, np.clip((t_s - self._t[index]) / width, 0.0, 1.0)

    def value(self, t_s: Floats) -> Floats:
        """The value."""
        index, _, u = self._cell(t_s)
        return np.asarray(self._v[index] + (self._v[index + 1] - self._v[index]) * u * u * (3.0 - 2.0 * u))

    def slope(self, t_s: Floats) -> Floats:
        """Its derivative."""
        index, width, u = self._cell(t_s)
        return np.asarray((self._v[index + 1] - self._v[index]) * 6.0 * u * (1.0 - u) / width)

    def integral(self, t_s: Floats) -> Floats:
        """Its integral from the first knot."""
        index, width, u = self._cell(t_s)
        rise = self._v[index + 1] - self._v[index]
        inside = self._area[index] + width * (self._v[index] * u + rise * (u**3 - u**4 / 2.0))
        outside = np.maximum(t_s - self._t[-1], 0.0) * self._v[-1] + np.minimum(t_s - self._t[0], 0.0) * self._v[0]
        return np.asarray(inside + outside)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sine:
    """One harmonic of a driver's wander."""

    amplitude: float
    rate_rps: float
    phase_rad: float


class Wander:
    """A sum of slow sines that is zero with zero slope at the drive's start: how a driver sways in the lane."""

    def __init__(self, sines: tuple[Sine, ...], fade_s: float = 2.0) -> None:
        self._sines = sines
        self._fade = SmoothRate([(0.0, 0.0), (fade_s, 1.0)])

    def _raw(self, t_s: Floats, order: int) -> Floats:
        total = np.zeros_like(t_s)
        for sine in self._sines:
            total += (
                sine.amplitude * sine.rate_rps**order * np.sin(sine.rate_rps * t_s + sine.phase_rad + order * np.pi / 2)
            )
        return total

    def value(self, t_s: Floats) -> Floats:
        """The sway."""
        return np.asarray(self._fade.value(t_s) * self._raw(t_s, 0))

    def slope(self, t_s: Floats) -> Floats:
        """Its derivative."""
        return np.asarray(self._fade.value(t_s) * self._raw(t_s, 1) + self._fade.slope(t_s) * self._raw(t_s, 0))
