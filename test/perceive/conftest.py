"""Fixtures of the tests of `adas perceive`."""

from __future__ import annotations

import pytest
from perceive_builders import Perceive


@pytest.fixture
def perceive(capfd: pytest.CaptureFixture[str]) -> Perceive:
    return Perceive(capfd)
