"""polydescent update: new rows into a saved model, without reading the old ones again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from polydescent.cli import options as o


def update(
    model: Annotated[str, typer.Argument(help="A model file, from fit --save.")],
    files: Annotated[list[str], typer.Argument(help="Files, globs or SQL with the new rows.")],
    again: Annotated[
        bool, typer.Option("--again", help="Add files that were added before, too.")
    ] = False,
    null: o.NullOption = None,
    delimiter: o.DelimiterOption = None,
    decimal: o.DecimalOption = None,
    comment: o.CommentOption = None,
    columns: o.ColumnsOption = None,
    hive: o.HiveOption = False,
    quiet: o.QuietOption = False,
) -> None:
    """Add the rows of files to a saved model: the columns and expressions are the model's own.

    Killed or stopped, the same command goes on where it was, and counts each row once.
    """
    from polydescent import journal, store
    from polydescent.errors import NoColumns
    from polydescent.progress import Progress
    from polydescent.sources.files import files as source_of

    path = Path(model)
    before = store.load(path)
    asked = dict(before.asked)
    missing = asked.pop("missing", "raise")
    if not asked:
        raise NoColumns(model)
    format = o.format_of(null, delimiter, decimal, comment, columns, hive, asked.pop("format", ""))
    source = source_of(files, **asked, format=format)
    o.say_guesses(source)
    job = journal.Job(source, path, before.summary.degree, missing, is_update=True, again=again)
    with Progress(source, quiet) as progress:
        after = journal.run(job, watch=progress)
    added = sum(s.rows for s in after.sources[len(before.sources) :])
    typer.echo(f"{added:,} rows read, {model} now holds {after.summary.n:,}")
    if after.summary.omitted:
        typer.echo(f"{after.summary.omitted:,} rows with missing values were omitted in all")
