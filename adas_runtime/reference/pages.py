"""Every generated page, by its path under `docs/`."""

from __future__ import annotations


def pages() -> dict[str, str]:
    """Path under `docs/` to the whole text of the file."""
    from adas_runtime.reference import commands, degradation, graph, markets, messages, states, vehicles

    return {
        "reference/commands.md": commands.page(),
        "reference/degradation.md": degradation.page(),
        "reference/graph.md": graph.page(),
        "reference/graph.svg": graph.picture(),
        "reference/messages.md": messages.page(),
        "reference/states.md": states.page(),
        "reference/market-file.md": markets.file_page(),
        "reference/markets.md": markets.shipped_page(),
        "reference/vehicle-file.md": vehicles.page(),
    }
