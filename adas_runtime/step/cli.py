"""`adas step`: one function's core on a timed input sequence."""

from __future__ import annotations

import json
from dataclasses import MISSING, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from adas_runtime.step.run import Step

HIDDEN: Final = ("stamp_s", "author", "counter", "since_s")  # of an output, in the listing for people


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("step")(step)


def step(
    function: Annotated[str, typer.Argument(help="Name of the function, such as lane_departure.")],
    market: Annotated[str, typer.Option(help="Market: name or file.")],
    inputs: Annotated[Path, typer.Option(help="JSON Lines: what the function is told, and when.")],
    vehicle: Annotated[str, typer.Option(help="Vehicle: name or file.")] = "reference",
    map_: Annotated[str | None, typer.Option("--map", help="Map file; ADAS_MAP names one as well.")] = None,
    is_all: Annotated[
        bool, typer.Option("--all", help="List every step, not only those that change something.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print every step as one JSON object a line.")] = False,
) -> None:
    """Feed one function's core a timed input sequence and print what it does, and why."""
    from adas_runtime.function import BuildContext
    from adas_runtime.horizon.open import open_map
    from adas_runtime.market import load_market
    from adas_runtime.market.rules import check_vehicle
    from adas_runtime.step.feed import read_lines
    from adas_runtime.step.run import function_of, run
    from adas_runtime.vehicle import load_vehicle

    spec = function_of(function)
    chosen = load_market(market)
    car = load_vehicle(vehicle)
    check_vehicle(chosen, car)
    context = BuildContext(market=chosen, vehicle=car, roads=open_map(map_))
    lines = read_lines(inputs, spec)
    stage = chosen.stages()[spec.name].name.lower() if spec.has_stage else "always on"
    if not as_json:
        print(f"{spec.name}: {spec.summary}")
        print(f"market {chosen.name} (its stage there: {stage}), vehicle {context.vehicle.name}")
    former: tuple[Any, ...] = ()
    said: dict[str, tuple[Any, ...]] = {}
    count = 0
    for item in run(spec, context, lines):
        count += 1
        if as_json:
            print(json.dumps(_as_json(item, spec.kpis), ensure_ascii=False, allow_nan=False))
            continue
        status = item.status
        shown = (status.state, status.is_active, status.health, status.reason, item.absent)
        told = {
            out.name: item.outputs[out.name]
            for out in spec.outputs
            if out.name in item.outputs and (is_all or said.get(out.name) != _kind(item.outputs[out.name]))
        }
        if is_all or told or shown != former:
            print(f"{item.t_s:9.3f}  {_text(item, spec.kpis if is_all else (), told)}")
        former = shown
        said.update({name: _kind(value) for name, value in told.items()})
    if not as_json:
        print(f"{count} steps, {lines[-1].t_s - lines[0].t_s:g} s")


def _as_json(item: Step, kpis: tuple[str, ...]) -> dict[str, Any]:
    from adas_runtime.step.run import plain

    return {
        "t_s": item.t_s,
        "state": item.status.state,
        "is_active": item.status.is_active,
        "health": item.status.health.name.lower(),
        "reason": item.status.reason,
        "absent": list(item.absent),
        "kpis": dict(zip(kpis, item.status.kpis, strict=False)),
        "outputs": {name: plain(value) for name, value in item.outputs.items()},
    }


def _kind(value: Any) -> tuple[Any, ...]:
    """What makes two values of an output the same news: all but times, counters and measured numbers."""
    held = ((field.name, getattr(value, field.name)) for field in fields(value))
    return tuple(item for name, item in held if name not in (*HIDDEN, "cause") and not isinstance(item, float))


def _text(item: Step, kpis: tuple[str, ...], outputs: dict[str, Any]) -> str:
    status = item.status
    words = [status.state, "" if status.health.value == 0 else f"({status.health.name.lower()})", status.reason]
    if item.absent:
        words.append(f"[lacks {', '.join(item.absent)}]")
    words += [f"{name}={value:.3f}" for name, value in zip(kpis, status.kpis, strict=False) if value is not None]
    words += [f"{name}: {_brief(value)}" for name, value in outputs.items()]
    return "  ".join(word for word in words if word)


def _brief(value: Any) -> str:
    """The fields of an output that differ from their defaults."""
    from adas_runtime.step.run import plain

    words = []
    for field in fields(value):
        held = getattr(value, field.name)
        if field.name in HIDDEN or (field.default is not MISSING and held == field.default):
            continue
        shown = plain(held)
        words.append(f"{field.name}={shown:.4g}" if isinstance(shown, float) else f"{field.name}={shown}")
    return " ".join(words)
