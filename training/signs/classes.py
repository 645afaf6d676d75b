"""What a sign can say: the classes of the sign reader, in the order of its output."""

from __future__ import annotations

from typing import Final

VALUES: Final = tuple(range(5, 145, 5))  # what is printed on the sign; the unit is the country's
# kinds that carry a number, then those that do not; names are those of `signals.SignKind`, in small letters
WITH_VALUE: Final = (
    "speed_limit",
    "variable_speed_limit",
    "end_of_speed_limit",
    "minimum_speed",
    "end_of_minimum_speed",
    "advisory_speed",
    "zone_entry",
    "zone_exit",
)
WITHOUT_VALUE: Final = (
    "end_of_speed_limit",
    "end_of_all_limits",
    "city_entry",
    "city_exit",
    "motorway_entry",
    "motorway_exit",
    "expressway_entry",
    "expressway_exit",
    "living_street_entry",
    "living_street_exit",
    "other",  # a sign, or something with a number on it, that sets no speed for a car
    "nothing",  # no sign at all
)
ZONES: Final = (5, 10, 15, 20, 25, 30, 40, 50, 60)
NO_VALUE: Final = len(VALUES)


def names() -> list[str]:
    """`kind_value` or `kind`, the order of the classifier's output."""
    with_value = [f"{kind}_{value}" for kind in WITH_VALUE for value in VALUES]
    return with_value + list(WITHOUT_VALUE)


def index(kind: str, value: int | None) -> int:
    """Place of a class in the output."""
    if value is not None:
        return WITH_VALUE.index(kind) * len(VALUES) + VALUES.index(value)
    return len(WITH_VALUE) * len(VALUES) + WITHOUT_VALUE.index(kind)
