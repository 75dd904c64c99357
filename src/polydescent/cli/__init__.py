"""The polydescent command: one file per subcommand; a refusal becomes exit code 2 here."""

from __future__ import annotations

import sys
import warnings
from io import TextIOWrapper
from typing import Annotated

import typer

from polydescent.cli.approximate import approximate
from polydescent.cli.explain import explain
from polydescent.cli.fit import fit
from polydescent.cli.merge import merge
from polydescent.cli.predict import predict
from polydescent.cli.update import update
from polydescent.errors import ConvergenceWarning, FileRefused, PolydescentError, Stopped

app = typer.Typer(
    help="Polynomial regression by gradient descent: exact, explained, of any size.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich" if sys.stdout.isatty() else None,  # plain lines in a pipe
)
app.command()(approximate)
app.command()(fit)
app.command()(update)
app.command()(merge)
app.command()(predict)
app.command()(explain)


def _print_version(wanted: bool) -> None:
    if wanted:
        from polydescent import __version__, kernels

        typer.echo(f"polydescent {__version__}")
        typer.echo(kernels.described())
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


def _warning_line(message: Warning | str, *where: object) -> str:
    """A warning as the command says it: without the line of our code that Python would show."""
    return f"polydescent: {message}\n"


def main() -> None:
    """The entry point: a refusal becomes one line on stderr and exit code 2, nothing written."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # ² and − where the encoding has none: ?
            stream.reconfigure(errors="replace")
    warnings.formatwarning = _warning_line
    warnings.simplefilter("ignore", ConvergenceWarning)  # what a command prints says it
    try:
        app()
    except PolydescentError as refusal:
        typer.echo(f"polydescent: {refusal}", err=True)
        sys.exit(130 if isinstance(refusal, Stopped) else 2)  # 130: what Ctrl-C means to a shell
    except BrokenPipeError:  # the reader went away, as `| head` does
        sys.stderr.close()
        sys.exit(1)
    except OSError as why:  # what no door below has told
        typer.echo(f"polydescent: {FileRefused(why.filename or '', 'use', why)}", err=True)
        sys.exit(2)
