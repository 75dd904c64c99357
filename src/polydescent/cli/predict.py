"""polydescent predict: the curve of a saved model, at numbers or at every row of a file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from polydescent.cli import options as o
from polydescent.store import Model
from polydescent.verbs import Fit


def predict(
    model: Annotated[str, typer.Argument(help="A model file, from fit --save.")],
    files: Annotated[
        list[str] | None, typer.Argument(help="Files with the column x of the model.")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="X", help="A number or a date; may be given several times."),
    ] = None,
    degree: Annotated[
        str | None,
        typer.Option(metavar="NUMBER|auto[:MAX]", help="Up to the model's.", show_default=False),
    ] = None,
    null: o.NullOption = None,
    delimiter: o.DelimiterOption = None,
    decimal: o.DecimalOption = None,
    comment: o.CommentOption = None,
    columns: o.ColumnsOption = None,
    hive: o.HiveOption = False,
) -> None:
    """Print the predicted y: one number for each --at, or CSV lines x,y for the rows of files."""
    from polydescent import store
    from polydescent.errors import BadCall, NoColumns

    if not files and not at:
        raise BadCall("Nothing to predict: give --at with an x, or a file.")
    saved = store.load(model)
    if files and "x" not in saved.asked:
        raise NoColumns(model)
    curve = _curve(saved, degree)
    for x in at or []:
        typer.echo(repr(float(curve(curve.axis.parsed(x)))))
    if files:
        format = o.format_of(
            null, delimiter, decimal, comment, columns, hive, saved.asked.get("format", "")
        )
        _print_rows(curve, files, saved.asked["x"], saved.asked["y"], format)


def _curve(saved: Model, degree: str | None) -> Fit:
    """The curve that the model was saved with, or the one of another degree."""
    from polydescent.cli.options import asked_of_fit
    from polydescent.verbs import fit_folded

    typed: dict[str, Any] = {"fix": None, "terms": None, "through": None}
    if degree is not None:
        typed |= {"degree": degree}
    else:
        typed |= {"degree": str(saved.summary.degree)} | saved.curve
    wanted, asked = asked_of_fit(**typed)
    return fit_folded(saved.summary.lower(wanted), None, **asked)


def _print_rows(curve: Fit, files: list[str], x: str, y: str, format: Any) -> None:
    """Stream the rows through the curve: one chunk is in memory."""
    import numpy as np

    from polydescent.sources.files import files as source_of

    typer.echo(f"{_quoted(x)},{_quoted(y)}")
    # there is no y yet, or it is not wanted
    source = source_of(files, x, "CAST(0 AS DOUBLE)", format=format)
    o.say_guesses(source)
    for part in source.parts:
        for rows, _ in part.chunks():
            known = ~np.isnan(rows.x)
            texts, y_hat = np.full(rows.n, "nan", dtype=object), np.full(rows.n, np.nan)
            if known.any():
                texts[known] = rows.axis.texts(rows.x[known])
                y_hat[known] = curve(rows.axis.places(rows.x[known]))
            pairs = zip(texts, y_hat.tolist(), strict=True)
            typer.echo("\n".join(f"{x},{y!r}" for x, y in pairs))


def _quoted(name: str) -> str:
    """A CSV field: an expression may hold commas."""
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',"\n') else name
