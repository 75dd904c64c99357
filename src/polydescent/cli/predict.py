"""polydescent predict: the curve of a saved model at numbers or at every row of a file, or where
the curve has a given value.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Annotated, Any

import typer

from polydescent.cli import options as o
from polydescent.cli.terminal import write
from polydescent.errors import BadSetting
from polydescent.models.model import Model
from polydescent.regression.fit import Fit
from polydescent.rows.source import Source
from polydescent.visible import visible

Band = StrEnum("Band", ["confidence", "prediction"])


def predict(
    model: Annotated[str, typer.Argument(help="A model file, from fit --save.")],
    files: Annotated[
        list[str] | None, typer.Argument(help="Files with the column x of the model.")
    ] = None,
    at: Annotated[
        list[str] | None,
        typer.Option(metavar="X", help="A number or a date; may be given several times."),
    ] = None,
    inverse: Annotated[
        list[str] | None,
        typer.Option(metavar="Y", help="Print the x where the curve is Y; several times too."),
    ] = None,
    band: Annotated[
        Band | None,
        typer.Option(help="With low and high, of the curve or of a new y.", show_default=False),
    ] = None,
    level: Annotated[float, typer.Option(help="Of the band.")] = 0.95,
    sigma: Annotated[
        float | None,
        typer.Option(help="Of the new y, or of Y.  [default: typical]", show_default=False),
    ] = None,
    degree: Annotated[
        str | None,
        typer.Option(metavar="NUMBER|auto[:MAX]", help="Up to the model's.", show_default=False),
    ] = None,
    trust: o.TrustOption = False,
    null: o.NullOption = None,
    delimiter: o.DelimiterOption = None,
    decimal: o.DecimalOption = None,
    comment: o.CommentOption = None,
    columns: o.ColumnsOption = None,
    hive: o.HiveOption = False,
) -> None:
    """Print the predicted y: one number for each --at, or CSV lines x,y for the rows of files.

    With --band, low and high follow each y. --inverse prints CSV lines y,x,stderr.
    """
    from polydescent.checks import level as checked_level
    from polydescent.errors import BadCall, NoColumns
    from polydescent.models import model as store
    from polydescent.rows.files import files as source_of

    if not files and not at and not inverse:
        raise BadCall("Nothing to predict: give --at with an x, --inverse with a y, or a file.")
    checked_level(level)
    if sigma is not None and band != Band.prediction and not inverse:
        raise BadCall("--sigma is of a new y: it goes with --band prediction, or with --inverse.")
    saved = store.load(model)
    if files and "x" not in saved.asked:
        raise NoColumns(model)
    curve = _curve(saved, degree)
    if band == Band.prediction:
        _check_sigma(saved, curve, sigma)
    reach = _reaching(curve, band, level, sigma)
    for place in [_place(curve, x) for x in at or []]:
        write(",".join(repr(float(value)) for value in reach(place)))
    if inverse:
        _print_places(curve, inverse, sigma or 0.0)
    if files:
        format = o.format_of(
            null, delimiter, decimal, comment, columns, hive, saved.asked.get("format", "")
        )
        # there is no y yet, or it is not wanted; nothing is counted, so twice is twice
        source = source_of(
            files, saved.asked["x"], "CAST(0 AS DOUBLE)", again=True, trusted=trust, format=format
        )
        o.say_guesses(source)
        _print_rows(reach, source, saved.asked["y"], band)


def _check_sigma(saved: Model, curve: Fit, sigma: float | None) -> None:
    """Refuse a sigma that has no unit, and rows of unknown ones. Raises BadCall, BadSetting."""
    from polydescent.errors import BadCall, BadSetting
    from polydescent.regression.evidence import is_weighted

    weighted = not {"weights", "sigma"}.isdisjoint(saved.asked)
    if sigma is None and weighted and not is_weighted(curve):
        raise BadCall(
            "The rows of this model had weights, which it does not hold: say with --sigma how far "
            "a new y scatters, in the unit that sigma had (1/√weight)."
        )
    if sigma is not None and not weighted:
        raise BadCall(
            "The rows of this model had no sigma, so a new y scatters as they do: leave out "
            "--sigma."
        )
    if sigma is not None and not 0 < sigma < float("inf"):
        raise BadSetting("--sigma", sigma, "above 0")


def _reaching(
    curve: Fit, band: Band | None, level: float, sigma: float | None
) -> Callable[[Any], tuple[Any, ...]]:
    """y at x, and with a band its low and high."""
    if band is None:
        return lambda x: (curve(x),)
    if band == Band.confidence:
        return lambda x: (curve(x), *curve.confidence_band(x, level))
    weight = None if sigma is None else 1 / sigma**2
    return lambda x: (curve(x), *curve.prediction_band(x, level, weight=weight))


def _print_places(curve: Fit, inverse: list[str], sigma: float) -> None:
    from polydescent.cli.options import numbers

    asked = [y for text in inverse for y in numbers("inverse", text)]
    write("y,x,stderr")
    for y in asked:
        found = curve.inverse(y, sigma=sigma)
        for root in found:
            x = str(root.value) if curve.axis.is_dates else repr(root.value)
            write(f"{y!r},{x},{root.stderr!r}")
        if not found:
            typer.echo(f"polydescent: the curve is nowhere {y:.6g} in its domain", err=True)


def _curve(saved: Model, degree: str | None) -> Fit:
    """The curve that the model was saved with, or the one of another degree."""
    from polydescent.regression.problem import Problem

    typed: dict[str, Any] = {"fix": None, "terms": None, "through": None}
    if degree is not None:
        kept = ("absolute_sigma", "criterion") if degree.startswith("auto") else ("absolute_sigma",)
        typed |= {"degree": degree} | {k: saved.curve[k] for k in kept if k in saved.curve}
    else:
        typed |= {"degree": str(saved.summary.degree)} | saved.curve
    if typed["terms"] is not None:  # they set the degree
        typed["degree"] = str(saved.summary.degree)
    return Problem.parse(largest=saved.summary.degree, **o.curve_of(**typed)).solve(saved.summary)


def _place(curve: Fit, text: str) -> Any:
    """What was typed for --at. Raises BadSetting."""
    try:
        return curve.axis.parsed(text)
    except BadSetting as bad:
        raise BadSetting("--at", text, bad.wanted) from None


def _print_rows(
    reach: Callable[[Any], tuple[Any, ...]], source: Source, y: str, band: Band | None
) -> None:
    """Stream the rows through the curve: one chunk is in memory."""
    import numpy as np

    names = [source.x_name, y, *(("low", "high") if band else ())]
    header = [",".join(map(_named, names))]  # written once the first rows could be read
    for part in source.parts:
        for rows, _ in part.chunks():
            known = ~np.isnan(rows.x)
            texts = np.full(rows.n, "nan", dtype=object)
            found = np.full((len(names) - 1, rows.n), np.nan)
            if known.any():
                texts[known] = rows.axis.texts(rows.x[known])
                found[:, known] = reach(rows.axis.places(rows.x[known]))
            lines = zip(texts, *found.tolist(), strict=True)
            write("\n".join([*header, *(f"{x},{','.join(map(repr, y))}" for x, *y in lines)]))
            header = []
    if header:
        write(header[0])


def _named(name: str) -> str:
    """A CSV field on one line. An expression may hold commas; one that begins as a formula of a
    spreadsheet gets an apostrophe, so that none computes what a file from somebody else asks for.
    """
    name = visible(name)
    name = f"'{name}" if name.lstrip().startswith(("=", "+", "-", "@")) else name
    return '"' + name.replace('"', '""') + '"' if any(c in name for c in ',;"') else name
