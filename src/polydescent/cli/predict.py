"""polydescent predict: the curve of a saved model at numbers or at every row of a file, or where
the curve has a given value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from polydescent.cli import options as o
from polydescent.cli.declare import Options, argument, choice, command, number, text, texts
from polydescent.cli.terminal import csv_field, remark, write
from polydescent.errors import BadSetting

if TYPE_CHECKING:
    from polydescent.models.model import Model
    from polydescent.regression.fit import Fit
    from polydescent.rows.source import Source


class Wanted(Options):
    """What is predicted."""

    at: tuple[str, ...] = texts("A number or a date; may be given several times.", "X")
    inverse: tuple[str, ...] = texts("Print the x where the curve is Y; several times too.", "Y")
    band: str | None = choice(
        "With low and high, of the curve or of a new y.", ("confidence", "prediction")
    )
    level: float = number("Of the band.", 0.95)
    sigma: float | None = number("Of the new y, or of Y.  [default: typical]")
    degree: str | None = text("Up to the model's.", "NUMBER|auto[:MAX]")
    key: str | None = text("Of a model of groups: the curve of this key.", "KEY[,KEY]")


@command(
    model=argument("A model file, from fit --save."),
    files=argument("Files with the column x of the model.", many=True, required=False),
    wanted=Wanted,
    text_files=o.TextFiles,
    trust=o.TRUST,
)
def predict(
    model: str, files: tuple[str, ...], wanted: Wanted, text_files: o.TextFiles, trust: bool
) -> None:
    """Print the predicted y: one number for each --at, or CSV lines x,y for the rows of files.

    With --band, low and high follow each y. --inverse prints CSV lines y,x,stderr. Of a model of
    groups, CSV lines with the keys: all curves at --at, of each row its own.
    """
    from polydescent.checks import level as checked_level
    from polydescent.errors import BadCall, NoColumns
    from polydescent.models import groups
    from polydescent.models import model as store
    from polydescent.rows.files import files as source_of

    if not files and not wanted.at and not wanted.inverse:
        raise BadCall("Nothing to predict: give --at with an x, --inverse with a y, or a file.")
    checked_level(wanted.level)
    if wanted.sigma is not None and wanted.band != "prediction" and not wanted.inverse:
        raise BadCall("--sigma is of a new y: it goes with --band prediction, or with --inverse.")
    if groups.is_groups(model):
        saved: Any = groups.load(model)
        if wanted.key is None:
            _predict_each(model, saved, files, wanted, text_files, trust)
            return
        curve = _curve_of_key(saved, wanted)
    else:
        if wanted.key is not None:
            raise BadCall(f"{model!r} holds one curve and no keys: leave out --key.")
        saved = store.load(model)
        curve = _curve(saved, wanted.degree)
    if files and "x" not in saved.asked:
        raise NoColumns(model)
    if wanted.band == "prediction":
        _check_sigma(saved, curve, wanted.sigma)
    reach = _reaching(curve, wanted)
    for place in [_place(curve, x) for x in wanted.at]:
        write(",".join(repr(float(value)) for value in reach(place)))
    if wanted.inverse:
        _print_places(curve, wanted.inverse, wanted.sigma or 0.0)
    if files:
        format = text_files.format(saved.asked.get("format", ""))
        # there is no y yet, or it is not wanted; nothing is counted, so twice is twice
        source = source_of(
            list(files),
            saved.asked["x"],
            "CAST(0 AS DOUBLE)",
            again=True,
            trusted=trust,
            format=format,
        )
        o.say_guesses(source)
        _print_rows(reach, source, saved.asked["y"], wanted.band)


def _predict_each(
    model: str,
    saved: Any,
    files: Sequence[str],
    wanted: Wanted,
    text_files: o.TextFiles,
    trust: bool,
) -> None:
    """Of a model of groups: all curves at --at, and of each row of the files its own."""
    from polydescent.cli.groups import predict_groups
    from polydescent.errors import BadCall, NoColumns
    from polydescent.rows.files import files as source_of

    if wanted.band is not None or wanted.inverse or wanted.sigma is not None:
        raise BadCall("--band, --inverse and --sigma are of one curve: say which with --key.")
    if files and "x" not in saved.asked:
        raise NoColumns(model)
    fits, source = _fits(saved, wanted.degree), None
    if files:
        format = text_files.format(saved.asked.get("format", ""))
        source = source_of(
            list(files),
            saved.asked["x"],
            "CAST(0 AS DOUBLE)",
            again=True,
            trusted=trust,
            format=format,
            by=saved.by,
        )
        o.say_guesses(source)
    names = saved.asked.get("x", "x"), saved.asked.get("y", "y")
    predict_groups(fits, [_place(fits, x) for x in wanted.at], source, *names)


def _fits(saved: Any, degree: str | None) -> Any:
    """The curves of a model of groups, or those of another degree."""
    from dataclasses import replace

    return (saved if degree is None else replace(saved, curve={"degree": degree})).fits()


def _curve_of_key(saved: Any, wanted: Wanted) -> Fit:
    from polydescent.cli.groups import one_of_key

    assert wanted.key is not None
    return one_of_key(_fits(saved, wanted.degree), wanted.key)


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


def _reaching(curve: Fit, wanted: Wanted) -> Callable[[Any], tuple[Any, ...]]:
    """y at x, and with a band its low and high."""
    level = wanted.level
    if wanted.band is None:
        return lambda x: (curve(x),)
    if wanted.band == "confidence":
        return lambda x: (curve(x), *curve.confidence_band(x, level))
    weight = None if wanted.sigma is None else 1 / wanted.sigma**2
    return lambda x: (curve(x), *curve.prediction_band(x, level, weight=weight))


def _print_places(curve: Fit, inverse: Sequence[str], sigma: float) -> None:
    from polydescent.cli.typed import numbers

    asked = [y for text in inverse for y in numbers("inverse", text)]
    write("y,x,stderr")
    for y in asked:
        found = curve.inverse(y, sigma=sigma)
        for root in found:
            x = str(root.value) if curve.axis.is_dates else repr(root.value)
            write(f"{y!r},{x},{root.stderr!r}")
        if not found:
            remark(f"the curve is nowhere {y:.6g} in its domain")


def _curve(saved: Model, degree: str | None) -> Fit:
    """The curve that the model was saved with, or the one of another degree."""
    from polydescent.regression.problem import Problem

    largest = saved.summary.degree
    typed = dict(saved.curve)
    known_sigma = typed.pop("absolute_sigma", False)
    if degree is not None:
        criterion = typed.get("criterion") if degree.startswith("auto") else None
        typed = {"degree": degree, "criterion": criterion}
    elif typed.get("terms") is not None:  # they set the degree
        typed["degree"] = str(largest)
    curve = o.Curve(**{"degree": str(largest)} | {n: v for n, v in typed.items() if v is not None})
    return Problem.parse(largest=largest, **curve.asked(known_sigma)).solve(saved.summary)


def _place(curve: Any, text: str) -> Any:
    """What was typed for --at. Raises BadSetting."""
    try:
        return curve.axis.parsed(text)
    except BadSetting as bad:
        raise BadSetting("--at", text, bad.wanted) from None


def _print_rows(
    reach: Callable[[Any], tuple[Any, ...]], source: Source, y: str, band: str | None
) -> None:
    """Stream the rows through the curve: one chunk is in memory."""
    import numpy as np

    names = [source.x_name, y, *(("low", "high") if band else ())]
    header = [",".join(map(csv_field, names))]  # written once the first rows could be read
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
