"""polydescent merge: the model of the rows of several models."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Annotated

import typer

from polydescent.store import Model


def merge(
    models: Annotated[list[str], typer.Argument(help="Two model files or more.")],
    output: Annotated[str, typer.Option("--output", "-o", help="Where to save the result.")],
    again: Annotated[
        bool, typer.Option("--again", help="Merge models that hold the same file, too.")
    ] = False,
) -> None:
    """Merge models of different rows, of the same columns, into one."""
    from polydescent import store

    loaded = [(path, store.load(path)) for path in models]
    merged = reduce(lambda left, right: _both(left, right, again), loaded)[1]
    store.save(merged, output)
    typer.echo(f"{output} holds {merged.summary.n:,} rows of {len(models)} models")


def _both(left: tuple[str, Model], right: tuple[str, Model], again: bool) -> tuple[str, Model]:
    """The path of `left` and the model of the rows of both.

    Raises AskedDiffer, AlreadyAdded, SourceGrew, DegreesDiffer.
    """
    from polydescent.errors import AskedDiffer

    (path, ours), (other, theirs) = left, right
    for role in ("x", "y", "weights", "sigma"):
        if ours.asked and theirs.asked and ours.asked.get(role) != theirs.asked.get(role):
            raise AskedDiffer(role, ours.asked.get(role), theirs.asked.get(role), other)
    if not again:
        for source in theirs.sources:
            ours.check_new(source, path)
    merged = replace(
        ours,
        summary=ours.summary + theirs.summary,
        asked=ours.asked or theirs.asked,
        sources=ours.sources + theirs.sources,
        passes=ours.passes + theirs.passes,
    )
    return path, merged
