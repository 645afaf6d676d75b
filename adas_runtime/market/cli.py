"""`adas market`: list, show, check and compare market files."""

from __future__ import annotations

import sys
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any

import typer

from adas_runtime.errors import AdasError

if TYPE_CHECKING:
    from adas_runtime.market.load import Merged
    from adas_runtime.market.report import Checked, Value

MarketArgument = Annotated[str, typer.Argument(metavar="MARKET", help="Name, such as de, or a file.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print the result for machines.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    market = typer.Typer(
        name="market",
        help="Market files: which function is off, silent, warns or acts in a country, and by which numbers.",
        no_args_is_help=True,
    )
    market.command("list")(list_)
    market.command("show")(show)
    market.command("check")(check)
    market.command("diff")(diff)
    market.command("matrix")(matrix)
    market.command("profile")(profile)
    market.command("schema")(schema)
    app.add_typer(market)


def list_(as_json: AsJson = False) -> int:
    """List the shipped markets; exit 1 where one of them is refused."""
    from adas_runtime.console import print_json, print_table
    from adas_runtime.market.load import market_names
    from adas_runtime.market.report import checked

    found = [(name, checked(name, None)) for name in market_names()]
    records = [_listed(name, item) for name, item in found]
    if as_json:
        print_json(records)
    else:
        print_table(
            ("name", "title", "extends", "revision", "traffic", "stages"),
            [
                (
                    str(item["name"]),
                    str(item["title"]),
                    " > ".join(item["extends"]),
                    str(item["revision"]),
                    str(item["traffic_side"]),
                    ", ".join(f"{function} {stage}" for function, stage in item["stages"].items()) or "refused",
                )
                for item in records
            ],
        )
    return _tell(item for _, item in found)


def _listed(name: str, item: Checked) -> dict[str, Any]:
    market = item.merged.market if item.merged is not None else None
    return {
        "name": name,
        "title": market.title if market else "",
        "extends": [layer.name for layer in item.merged.layers[1:]] if item.merged else [],
        "revision": market.revision if market else "",
        "traffic_side": market.road.traffic_side if market else "",
        "stages": {function: stage.name.lower() for function, stage in market.stages().items()} if market else {},
        "digest": market.digest if market else "",
    }


def _tell(items: Any) -> int:
    """First finding of each refused market on stderr; the exit code."""
    refused = [item for item in items if item.findings]
    for item in refused:
        print(f"adas: {item.findings[0].line()}", file=sys.stderr)
    return 1 if refused else 0


def show(
    name: MarketArgument,
    effective: Annotated[bool, typer.Option(help="All values, also those it inherits.")] = False,
    origins: Annotated[bool, typer.Option(help="Of each value: file, line, confidence and source.")] = False,
    as_json: AsJson = False,
) -> int:
    """Show a market: what its file sets, how the law stands, and on demand every value and where it comes from."""
    from adas_runtime.console import print_json, print_table
    from adas_runtime.market.facts import PLACES
    from adas_runtime.market.report import law, read, values

    merged = read(name)
    assert merged.market is not None
    chosen = [item for item in values(merged) if effective or item.is_own]
    rules = law(merged, date.today())
    if as_json:
        record = {**_head(merged), "law": rules, "values": [item.as_json() for item in chosen]}
        if effective:
            record["effective"] = merged.market.model_dump(mode="json")
        print_json(record)
        return 0
    market = merged.market
    print(f"{market.title} ({market.market}), revision {market.revision}, {merged.layers[0].document.file}")
    print(f"extends {' > '.join(layer.name for layer in merged.layers[1:])}; digest {market.digest}")
    if all(getattr(market.speed_defaults, place) in ("unknown", "same") for place in PLACES):
        print("no default speed limit is known: where neither sign nor map tells the limit, it is unknown")
    for rule in rules:
        least = f" from {rule['minimum_stage']} up" if rule["minimum_stage"] else ""
        print(
            f"{rule['function']} {rule['stage']}: {rule['state']}{least} for {rule['category']} "
            f"(conf {rule['conf']}: {rule['src']})"
        )
    print()
    heads = ("key", "value", "unit", *(("where", "conf", "source") if origins else ()))
    print_table(
        heads,
        [
            (
                item.key,
                _text(item.value),
                item.unit,
                *((str(item.origin), item.provenance.conf, item.provenance.src) if origins else ()),
            )
            for item in chosen
        ],
    )
    return 0


def _head(merged: Merged) -> dict[str, Any]:
    market = merged.market
    assert market is not None
    return {
        "market": market.market,
        "title": market.title,
        "revision": market.revision,
        "file": merged.layers[0].document.file,
        "extends": [layer.name for layer in merged.layers[1:]],
        "digest": market.digest,
        "stages": {function: stage.name.lower() for function, stage in market.stages().items()},
    }


def check(
    names: Annotated[
        list[str], typer.Argument(metavar="MARKET|FILE|all...", help="Names or files; all: shipped ones.")
    ],
    on: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Day of use; today where none is given.")] = "",
    against: Annotated[
        str, typer.Option(metavar="MARKET|FILE", help="The former edition: a change needs a new revision.")
    ] = "",
    release: Annotated[
        bool, typer.Option("--release", help="As for a release: figures of the law that nobody has read are refused.")
    ] = False,
    as_json: AsJson = False,
) -> int:
    """Check markets against the schema and the law: file, line, rule and mend of everything that is wrong.

    Exit 0: all may be used. Exit 1: one is refused. Exit 2: no such market, or a file that cannot be opened.
    """
    from adas_runtime.console import print_json
    from adas_runtime.market.load import market_names
    from adas_runtime.market.report import checked, read
    from adas_runtime.market.rules import check_change

    day = _day(on)
    chosen = list(dict.fromkeys(item for name in names for item in (market_names() if name == "all" else (name,))))
    found = [(name, checked(name, day)) for name in chosen]
    if against:
        if len(found) != 1:
            raise AdasError("compares one market with its former edition", where="--against", mend="name one market")
        former, item = read(against), found[0][1]
        if item.merged is not None and item.merged.market is not None and former.market is not None:
            if former.market.market != item.merged.market.market:
                codes = f"{former.market.market} is not {item.merged.market.market}"
                raise AdasError(codes, where="--against", mend="name the former edition of the same market")
            item.findings.extend(check_change(former, item.merged))
    if release:
        from adas_runtime.market.release import bundle_findings, release_findings

        for _, item in found:
            if item.merged is not None and item.merged.market is not None:
                item.findings.extend(release_findings(item.merged, on=day) + bundle_findings(item.merged))
    if as_json:
        print_json([_as_json(name, item) for name, item in found])
    else:
        for name, item in found:
            for finding in item.findings:
                print(f"{finding.line()} [{finding.rule}]")
            if not item.findings and item.merged is not None and item.merged.market is not None:
                market = item.merged.market
                stages = ", ".join(f"{function} {stage.name.lower()}" for function, stage in market.stages().items())
                print(
                    f"{name}: may be used on {day}: {stages}; revision {market.revision}, digest {market.digest[:12]}"
                )
    return 1 if any(item.findings for _, item in found) else 0


def _day(text: str) -> date:
    if not text:
        return date.today()
    try:
        return date.fromisoformat(text)
    except ValueError as err:
        raise AdasError(f"{text!r} is no day", where="--on", mend="write it as 2026-12-01") from err


def _as_json(name: str, item: Checked) -> dict[str, Any]:
    from adas_runtime.config import shown_path

    return {
        "market": name,
        "file": shown_path(item.path),
        "ok": not item.findings,
        "digest": item.merged.market.digest if item.merged and item.merged.market and not item.findings else "",
        "findings": [
            {
                "file": finding.where.file,
                "line": finding.where.line,
                "key": finding.key,
                "value": finding.value,
                "what": finding.what,
                "mend": finding.mend,
                "rule": finding.rule,
            }
            for finding in item.findings
        ],
    }


def diff(
    one: Annotated[str, typer.Argument(metavar="A", help="Market: name or file.")],
    two: Annotated[str, typer.Argument(metavar="B", help="Market to compare with: name or file.")],
    as_json: AsJson = False,
) -> int:
    """Show what two markets hold differently, with file and line of both values."""
    from adas_runtime.console import print_json, print_table
    from adas_runtime.market.report import differences, read

    first, second = read(one), read(two)
    found = differences(first, second)
    if as_json:
        print_json(
            {
                "a": _head(first),
                "b": _head(second),
                "differences": [
                    {
                        "key": item.key,
                        "a": item.one.as_json() if item.one else None,
                        "b": item.two.as_json() if item.two else None,
                    }
                    for item in found
                ],
            }
        )
        return 0
    assert first.market is not None and second.market is not None
    if not found:
        print(f"{first.market.title} and {second.market.title} hold the same values")
        return 0
    print_table(
        ("key", first.market.title, second.market.title, "where", "and"),
        [(item.key, _shown(item.one), _shown(item.two), _where(item.one), _where(item.two)) for item in found],
    )
    return 0


def matrix(
    html: Annotated[
        str, typer.Option("--html", metavar="FILE", help="Write the table as a page that needs nothing else.")
    ] = "",
    category: Annotated[str, typer.Option(metavar="M1..N3", help="Category of vehicle.")] = "M1",
    on: Annotated[str, typer.Option(metavar="YYYY-MM-DD", help="Day of use; today where none is given.")] = "",
    as_json: AsJson = False,
) -> int:
    """Show systems by markets, for a launch: how the law stands, and what this release does there.

    Each cell: a sign that says what it comes to; M mandatory, A with an approval, - no rule, N not allowed, ? unknown,
    and how sure that is (p, s, u); the stage. The page also holds dates and sources. Exit 1 where a market is refused.
    """
    import typing
    from pathlib import Path

    from adas_runtime.console import print_json, print_table
    from adas_runtime.market.load import market_names
    from adas_runtime.market.matrix import VERDICTS, page
    from adas_runtime.market.matrix import matrix as build
    from adas_runtime.market.report import checked
    from adas_runtime.market.schema import Category

    if category not in typing.get_args(Category):
        known = ", ".join(typing.get_args(Category))
        raise AdasError(f"no category {category!r}", where="--category", mend=f"take one of {known}")
    day = _day(on)
    found = [(name, checked(name, day)) for name in market_names()]
    result = build(
        [(name, item.merged) for name, item in found if item.merged is not None],
        typing.cast("Category", category),
        day,
    )
    if html:
        try:
            Path(html).write_text(page(result), encoding="utf-8")
        except OSError as err:
            raise AdasError(f"cannot be written: {err.strerror}", where=html, mend="choose another place") from err
    if as_json:
        print_json(result.as_json())
    elif html:
        print(html)
    else:
        print_table(
            ("market", *result.systems),
            [
                (
                    row.name,
                    *(
                        f"{VERDICTS[cell.verdict][0]} {cell.letter} {cell.stage}".rstrip()
                        for cell in (row.cells[name] for name in result.systems)
                    ),
                )
                for row in result.rows
            ],
        )
        print()
        for sign, meaning in VERDICTS.values():
            print(f"{sign} {meaning}")
    return _tell(item for _, item in found)


def profile(
    code: Annotated[
        str, typer.Argument(metavar="COUNTRY", help="ISO 3166 code, such as AT, US-CA; XX: none is known.")
    ],
    near: Annotated[
        list[str] | None, typer.Option("--near", metavar="COUNTRY", help="A country around; may be given often.")
    ] = None,
    as_json: AsJson = False,
) -> int:
    """Show which market's rules hold in a country, and with which stages.

    A country without a file has those of what it is a part of, or of its union. Without any, it has the most
    restrictive of what lies around; where nothing is known, every function is off.
    """
    from adas_runtime.console import print_json, print_table
    from adas_runtime.market.load import load_market
    from adas_runtime.market.profile import profile as choose
    from adas_runtime.market.profile import profile_stages
    from adas_runtime.market.schema import Features

    found = choose("" if code.upper() == "XX" else code, near or ())
    markets = {name: load_market(name, is_dated=False) for name in found.markets}
    stages = profile_stages(found, markets, Features.model_fields)
    if as_json:
        record = {"country": found.code, "markets": list(found.markets), "exact": found.is_exact}
        print_json({**record, "stages": {name: stage.name.lower() for name, stage in stages.items()}})
        return 0
    rules = ", ".join(found.markets) or "no market"
    how = "rules of" if found.is_exact else "no rules of its own; the most restrictive of"
    print(f"{found.code or 'no country'}: {how} {rules}")
    print_table(("function", "stage"), [(name, stage.name.lower()) for name, stage in stages.items()])
    return 0


def _shown(value: Value | None) -> str:
    if value is None:
        return "-"
    return f"{_text(value.value)} {value.unit}".rstrip()


def _text(value: Any) -> str:
    """A value as people read it: texts without quotes."""
    from adas_runtime.config import printable, shown

    return (printable(value, 200) if isinstance(value, str) else shown(value)) or "nothing"


def _where(value: Value | None) -> str:
    return str(value.origin) if value is not None else "-"


def schema(
    merged: Annotated[bool, typer.Option(help="Of the merged market, with every value, instead of a file.")] = False,
) -> int:
    """Print the JSON Schema of a market file, for editors and other tools."""
    from adas_runtime.console import print_json
    from adas_runtime.market.report import file_schema
    from adas_runtime.market.schema import Market

    print_json(Market.model_json_schema() if merged else file_schema())
    return 0
