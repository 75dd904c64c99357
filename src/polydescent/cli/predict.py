"""polydescent predict: the curve of a saved model, at numbers or at every row of a file."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from polydescent.cli.terminal import write
from polydescent.errors import BadSetting
from polydescent.store import Model
from polydescent.verbs import Fit
from polydescent.visible import visible


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
    for place in [_place(curve, x) for x in at or []]:
        write(repr(float(curve(place))))
    if files:
        _print_rows(curve, files, saved.asked["x"], saved.asked["y"])


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


def _place(curve: Fit, text: str) -> Any:
    """What was typed for --at. Raises BadSetting."""
    try:
        return curve.axis.parsed(text)
    except BadSetting as bad:
        raise BadSetting("--at", text, bad.wanted) from None


def _print_rows(curve: Fit, files: list[str], x: str, y: str) -> None:
    """Stream the rows through the curve: one chunk is in memory."""
    import numpy as np

    from polydescent.sources.files import files as source_of

    lines = [f"{_named(x)},{_named(y)}"]  # written once the first rows could be read
    source = source_of(files, x, "CAST(0 AS DOUBLE)")  # there is no y yet, or it is not wanted
    for part in source.parts:
        for rows, _ in part.chunks():
            known = ~np.isnan(rows.x)
            texts, y_hat = np.full(rows.n, "nan", dtype=object), np.full(rows.n, np.nan)
            if known.any():
                texts[known] = rows.axis.texts(rows.x[known])
                y_hat[known] = curve(rows.axis.places(rows.x[known]))
            pairs = zip(texts, y_hat.tolist(), strict=True)
            write("\n".join([*lines, *(f"{x},{y!r}" for x, y in pairs)]))
            lines = []
    if lines:
        write(lines[0])


def _named(name: str) -> str:
    """A CSV field on one line. An expression may hold commas; one that begins as a formula of a
    spreadsheet gets an apostrophe, so that none computes what a file from somebody else asks for.
    """
    name = visible(name)
    name = f"'{name}" if name.lstrip().startswith(("=", "+", "-", "@")) else name
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',;"') else name
