"""Fixtures of the live graph."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture
def probe(ros: int) -> Iterator[Any]:
    """A node of the test that listens and feeds."""
    from live_graph import Probe

    made = Probe()
    yield made
    made.close()
