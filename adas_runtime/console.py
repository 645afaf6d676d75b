"""What commands print: tables that fit a terminal and stay plain, whole lines in a pipe, and JSON for machines."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Sequence
from typing import Any

GAP = "  "


def print_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Rows under their heads: by rich on a terminal; in a pipe aligned by spaces, never wrapped, never cut."""
    if sys.stdout.isatty():
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(box=None, header_style="bold", pad_edge=False)
        for number, head in enumerate(heads):
            table.add_column(head, no_wrap=number == 0)  # the first names the row: it stays whole
        for row in rows:
            table.add_row(*(Text(cell) for cell in row))
        Console(highlight=False).print(table)
        return
    lines = [list(heads), *(list(row) for row in rows)]
    widths = [max(_width(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = [
            cell + " " * (width - _width(cell)) for cell, width in zip(line[:-1], widths[:-1], strict=True)
        ] + line[-1:]
        print(GAP.join(cells).rstrip())


def print_json(value: Any) -> None:
    """One JSON document; texts of all languages as they are."""
    print(json.dumps(value, indent=2, ensure_ascii=False))


def _width(text: str) -> int:
    """Columns of a text on a terminal: East Asian wide signs take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)
