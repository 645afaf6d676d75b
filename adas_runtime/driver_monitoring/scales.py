"""Figures read as sleepiness on the Karolinska scale (KSS): 1 very alert, 7 sleepy, 9 fighting sleep."""

from __future__ import annotations

from collections.abc import Callable

from adas_runtime.driver_monitoring.params import Scale


def grader(scale: Scale) -> Callable[[float], float]:
    """The function that reads a figure on its scale: straight between the steps, flat outside."""
    steps = tuple(zip(scale.at, scale.score, scale.at[1:], scale.score[1:], strict=False))
    first, last = scale.score[0], scale.score[-1]
    least = scale.at[0]

    def grade(value: float) -> float:
        if value <= least:
            return first
        for low, low_score, high, high_score in steps:
            if value < high:
                return low_score + (high_score - low_score) * (value - low) / (high - low)
        return last

    return grade
