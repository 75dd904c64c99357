"""polydescent merge: the model of the rows of several models."""

from __future__ import annotations

from typing import Annotated

import typer

from polydescent.cli.terminal import say


def merge(
    models: Annotated[list[str], typer.Argument(help="Two model files or more.")],
    output: Annotated[str, typer.Option("--output", "-o", help="Where to save the result.")],
    again: Annotated[
        bool, typer.Option("--again", help="Merge models that hold the same file, too.")
    ] = False,
) -> None:
    """Merge models of different rows, of the same columns, into one, which may be one of them."""
    from polydescent.models import model as store

    merged = store.merge(models, output, again)
    say(f"{output} holds {merged.summary.n:,} rows of {len(models)} models")
