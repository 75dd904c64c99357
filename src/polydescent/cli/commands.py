"""The table of subcommands, one file each, and what they have in common."""

from __future__ import annotations

import sys
from functools import cache
from typing import Annotated, Any

import typer
from typer.main import get_command

from polydescent.cli.approximate import approximate
from polydescent.cli.explain import explain
from polydescent.cli.fit import fit
from polydescent.cli.merge import merge
from polydescent.cli.predict import predict
from polydescent.cli.terminal import say
from polydescent.cli.update import update

app = typer.Typer(
    help="Polynomial regression by gradient descent: exact, explained, of any size.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if sys.stdout and sys.stdout.isatty() else None,  # plain in a pipe
)
app.command()(approximate)
app.command()(fit)
app.command()(update)
app.command()(merge)
app.command()(predict)
app.command()(explain)


def _print_version(wanted: bool) -> None:
    if wanted:
        from polydescent import __version__
        from polydescent.triangle import kernels

        say(f"polydescent {__version__}")
        say(kernels.described())
        raise typer.Exit


@app.callback()
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
def tree() -> Any:
    """The commands with their options, as typer reads them."""
    return get_command(app)
