"""`adas usage`: how speed assistance was used, as 2021/1958 Article 4 asks to count it."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("usage")(usage)


def usage(
    as_json: Annotated[bool, typer.Option("--json", help="Print the result for machines.")] = False,
) -> int:
    """Show the counters of speed assistance over all drives of this car: how long and how far, never when or where.

    They stand in the folder that ADAS_STATE_DIR names, by default in the user's own for states.
    """
    from adas_runtime.console import print_json, print_table
    from adas_runtime.usage.store import COUNTERS, read, usage_file

    path = usage_file()
    found = read(path)
    if as_json:
        print_json({"file": str(path), "feedback": found})
        return 0
    if not found:
        print(f"nothing counted yet ({path})")
        return 0
    print_table(
        ("counter", *found), [(name, *(f"{counts[name]:.0f}" for counts in found.values())) for name in COUNTERS]
    )
    for form, counts in found.items():
        offs, total_m = counts["switch_offs"], counts["on_m"] + counts["off_m"]
        after = f", on average {counts['to_switch_off_s'] / offs:.0f} s after it was on" if offs else ""
        share = f"on for {100.0 * counts['on_m'] / total_m:.0f} % of {total_m / 1000.0:.1f} km, " if total_m else ""
        often = {0.0: "never switched off", 1.0: "switched off once"}.get(offs, f"switched off {offs:.0f} times")
        print(f"{form}: {share}{often}{after}")
    return 0
