"""What a build of a map found, and what it left out."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any


@dataclass(kw_only=True)
class Counts:
    """What a build found and left out.

    Args:
        malformed: (key, value) of every tag that was not understood, with how often.
        incomplete: Ways of which a node is not in the extract.
        without_country: Ways whose country is not known.
        repeated: Ways that were in an earlier extract already.
    """

    ways: int = 0
    edges: int = 0
    with_limit: int = 0
    malformed: Counter[tuple[str, str]] = field(default_factory=Counter)
    incomplete: int = 0
    without_country: int = 0
    repeated: int = 0

    def as_json(self) -> dict[str, Any]:
        """For the map's own record and for machines."""
        return {
            "ways": self.ways,
            "edges": self.edges,
            "with_limit": self.with_limit,
            "malformed": sum(self.malformed.values()),
            "malformed_tags": [
                {"key": key, "value": value, "count": count} for (key, value), count in self.malformed.most_common(100)
            ],
            "incomplete": self.incomplete,
            "without_country": self.without_country,
            "repeated": self.repeated,
        }
