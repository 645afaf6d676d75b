"""The command reference: every command of `adas` with its arguments and options, as the program declares them."""

from __future__ import annotations

from typing import Any

import typer

from adas_runtime.cli import build_app
from adas_runtime.reference.text import code, generated, table

HEAD = """# Commands

What `adas COMMAND --help` says, in one page. Exit code 0: done; 1: a finding or a regression; 2: wrong usage or bad
input, told in one line: what, where, the mend.
"""


def page() -> str:
    """The whole page."""
    root: Any = typer.main.get_command(build_app())
    parts = [generated("the commands themselves"), HEAD]
    for name, command in sorted(_commands(root, "adas")):
        parts.append(_command(name, command))
    return "\n".join(parts)


def _commands(group: Any, prefix: str) -> list[tuple[str, Any]]:
    """Full name and command of everything that can be run below a group."""
    found = []
    for name, command in group.commands.items():
        full = f"{prefix} {name}"
        found += _commands(command, full) if hasattr(command, "commands") else [(full, command)]
    return [item for item in found if not item[1].hidden]


def _command(name: str, command: Any) -> str:
    arguments = [item for item in command.params if item.param_type_name == "argument"]
    options = [item for item in command.params if item.param_type_name == "option" and item.name != "help"]
    usage = " ".join([name, *(_metavar(item) for item in arguments), *(["[OPTIONS]"] if options else [])])
    parts = [f"## {name}\n", f"```\n{usage}\n```\n", " ".join((command.help or "").split()) + "\n"]
    rows = [(code(_metavar(item)), "", _help(item)) for item in arguments]
    rows += [(", ".join(code(flag) for flag in _flags(item)), _default(item), _help(item)) for item in options]
    if rows:
        parts.append(table(("argument or option", "default", "meaning"), rows))
    return "\n".join(parts)


def _metavar(item: Any) -> str:
    text = str(item.metavar or item.name.upper())
    text += "..." if item.nargs == -1 and not text.endswith("...") else ""
    return text if item.required else f"[{text.strip('[]')}]"


def _flags(item: Any) -> list[str]:
    return [*item.opts, *item.secondary_opts]


def _default(item: Any) -> str:
    if item.required:
        return "required"
    value = item.default() if callable(item.default) else item.default
    if value is None or value == "" or value == () or item.is_flag:
        return "on" if item.is_flag and value is True else ""
    if isinstance(value, (int, float, str)):
        return code(str(getattr(value, "value", value)))
    return ""


def _help(item: Any) -> str:
    return str(item.help or "")
