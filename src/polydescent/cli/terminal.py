"""Lines for people: styled and wrapped on a terminal, plain and whole in a pipe."""

from __future__ import annotations

import sys
from functools import cache
from typing import Any

import typer


def say(line: str = "", style: str = "") -> None:
    """One line. style, such as "bold" or "yellow", is for terminals; NO_COLOR is obeyed."""
    if sys.stdout.isatty():
        _console().print(line, style=style, markup=False, highlight=False, emoji=False)
    else:
        typer.echo(line)


def fact(name: str, value: str, label: int) -> None:
    """A fact below others: its name in so many columns, its value wrapped beside it."""
    line = f"{name:<{label}}{value}"
    if not sys.stdout.isatty():
        typer.echo(line)
        return
    from rich.padding import Padding
    from rich.text import Text

    console = _console()
    if len(line) <= console.width:
        console.print(Text(f"{name:<{label}}", "dim") + Text(value))
    else:
        console.print(Text(name, "dim"))
        console.print(Padding(Text(value), (0, 0, 0, 2)))


@cache
def _console() -> Any:
    from rich.console import Console  # costs 40 ms: only where somebody looks

    return Console()
