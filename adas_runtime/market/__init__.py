"""Markets: one YAML file per country decides which function is off, silent, warns or acts, and by which numbers."""

from adas_runtime.market.load import load_market, market_names, market_path, merge
from adas_runtime.market.schema import LaneFacts, Market

__all__ = ["LaneFacts", "Market", "load_market", "market_names", "market_path", "merge"]
