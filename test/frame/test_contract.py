"""Every function of the product's graph keeps the contract: total, deterministic, restorable, inside the types."""

from __future__ import annotations

import pytest
from function_contract import FunctionContract

from adas_runtime.function import FunctionSpec
from adas_runtime.graph import NETWORKS, default_graph


@pytest.fixture(params=default_graph(NETWORKS).functions, ids=lambda spec: spec.name)
def spec(request: pytest.FixtureRequest) -> FunctionSpec:
    found: FunctionSpec = request.param
    return found


class TestEveryFunction(FunctionContract):
    """A function is tested by standing in the graph; nobody has to remember it."""

    @pytest.fixture(autouse=True)
    def _take(self, spec: FunctionSpec) -> None:
        self.spec = spec  # type: ignore[misc]
        if len(spec.inputs) > 8:
            self.examples = 10  # each draws as much as three of the others
        if spec.is_slow:
            self.examples = 3  # networks are loaded and proven anew for each
