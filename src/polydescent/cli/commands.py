"""The table of subcommands, one file each, and what they have in common."""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.main import get_command

from polydescent.cli.terminal import say

NAMES = ("approximate", "fit", "update", "merge", "predict", "explain")


def _print_version(wanted: bool) -> None:
    if wanted:
        from polydescent import __version__
        from polydescent.triangle import kernels

        say(f"polydescent {__version__}")
        say(kernels.described())
        raise typer.Exit


def options(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            callback=_print_version,
            is_eager=True,
            help="Say which, and which kernels it has.",
        ),
    ] = False,
) -> None:
    """Polynomial regression by gradient descent: exact, explained, of any size."""


@cache
def tree(only: str = "") -> Any:
    """The commands with their options, as typer reads them; with a name, that one alone: the others
    need not be loaded to run it.
    """
    app = typer.Typer(
        help="Polynomial regression by gradient descent: exact, explained, of any size.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich" if sys.stdout and sys.stdout.isatty() else None,  # plain in a pipe
    )
    app.callback()(options)
    for name in [only] if only in NAMES else NAMES:
        app.command()(getattr(import_module(f"polydescent.cli.{name}"), name))
    return get_command(app)
