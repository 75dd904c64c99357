"""Lines for people: styled and wrapped on a terminal, plain and whole in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from polydescent.errors import PolydescentError
from polydescent.visible import visible

STANDARD_OUTPUT = "standard output"


def say(line: str = "", style: str = "") -> None:
    """One line. style, such as "bold" or "yellow", is for terminals; NO_COLOR is obeyed."""
    line = visible(line)
    if not sys.stdout.isatty():
        write(line)
        return
    with written_to(STANDARD_OUTPUT):
        _console().print(line, style=style, markup=False, highlight=False, emoji=False)


def fact(name: str, value: str, label: int) -> None:
    """A fact below others: its name in so many columns, its value wrapped beside it."""
    name, value = visible(name), visible(value)
    line = f"{name:<{label}}{value}"
    if not sys.stdout.isatty():
        write(line)
        return
    from rich.padding import Padding
    from rich.text import Text

    console = _console()
    with written_to(STANDARD_OUTPUT):
        if len(line) <= console.width:
            console.print(Text(f"{name:<{label}}", "dim") + Text(value))
        else:
            console.print(Text(name, "dim"))
            console.print(Padding(Text(value), (0, 0, 0, 2)))


def write(text: str) -> None:
    """Lines of our own making, as they are: nothing of a file or an argument is in them."""
    with written_to(STANDARD_OUTPUT):
        sys.stdout.write(text + "\n")


def remark(line: str) -> None:
    """One line on standard error, of what is no refusal and no result."""
    if sys.stderr is not None:
        sys.stderr.write(f"polydescent: {visible(line)}\n")


def csv_field(name: str) -> str:
    """A CSV field on one line. An expression may hold commas; one that begins as a formula of a
    spreadsheet gets an apostrophe, so that none computes what a file from somebody else asks for.
    """
    name = visible(name)
    name = f"'{name}" if name.lstrip().startswith(("=", "+", "-", "@")) else name
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',;"') else name


@contextmanager
def written_to(path: str) -> Iterator[None]:
    """What the system refuses in the block names the path: a full disk does not say which."""
    try:
        yield
    except (BrokenPipeError, PolydescentError):
        raise
    except OSError as why:
        raise OSError(why.errno, why.strerror or str(why), path) from None


@cache
def _console() -> Any:
    from rich.console import Console  # costs 40 ms: only where somebody looks

    return Console()
