"""A fit as the explorer's page: what the page must know, and the file it is written to."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from polydescent.checks import whole
from polydescent.errors import BadSetting, UnknownName
from polydescent.regression.evidence import all_rows
from polydescent.regression.fit import Fit
from polydescent.regression.summary import Summary
from polydescent.report import explorer
from polydescent.report.density import Density, blocks
from polydescent.rows.rows import Rows
from polydescent.sealed.atomic import check_folder, locked, replacing
from polydescent.visible import shortened, visible

LANGUAGES = ("en", "zh-CN")
_DEGREE = 10  # that the page can go up to, where the rows are at hand
_LONGEST_NAME = 300  # characters
_STEPS = 200  # shown first after exact least squares, which takes none


def check_page(path: str | PathLike[str], name: str = "path") -> None:
    """Refuse a page that could not be written, before any work is done for it.

    Raises BadSetting, NoFolder.
    """
    if Path(path).suffix.lower() not in (".html", ".htm"):
        raise BadSetting(name, str(path), "a file name ending in .html")
    check_folder(Path(path))


def write_page(
    fit: Fit,
    path: str | PathLike[str],
    sample: int = 0,
    title: str = "",
    language: str | None = None,
) -> None:
    """Write the explorer of this fit. See `Fit.explore`."""
    check_page(path)
    sample = whole("sample", sample, wanted="a whole number of rows, 0 for none")
    if language is not None and (not isinstance(language, str) or language not in LANGUAGES):
        raise UnknownName("language", language, LANGUAGES)
    text = explorer.page(payload(fit, sample, title, language))
    with locked(path), replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def payload(fit: Fit, sample: int = 0, title: str = "", language: str | None = None) -> dict:
    """What `explorer.page` asks for: the triangle, the run shown first, a picture of the rows."""
    summary = _summary(fit)
    x_name, y_name = _names(fit)
    return {
        "version": 1,
        "title": shown(title or f"{y_name} of {x_name}"),
        "x_name": shown(x_name),
        "y_name": shown(y_name),
        "n": fit.n,
        "absolute_sigma": fit.absolute_sigma,
        "domain": [summary.domain.lo, summary.domain.hi],
        "triangle": [v for i, row in enumerate(summary.triangle.array.tolist()) for v in row[i:]],
        "degree": fit.degree,
        **_run(fit),
        "density": None if fit.rows is None else explorer.density(Density.of(fit.rows)),
        "sample": _sample(fit.rows, sample) if fit.rows is not None and sample else None,
        "language": language,
    }


def shown(name: str) -> str:
    """A name or a title as it goes into a page: nothing that turns the direction of its words."""
    return shortened(visible(name), _LONGEST_NAME)


def _summary(fit: Fit) -> Summary:
    """The fit's own, or where all rows are at hand one of a higher degree, to play with."""
    rows = all_rows(fit)
    degree = min(_DEGREE, fit.n - 1)
    if rows is None or degree <= fit.degree:
        return fit.summary
    return Summary.of_rows(rows.x, rows.y, rows.weights, degree, rows.counts)


def _run(fit: Fit) -> dict[str, Any]:
    """The descent shown first: the fit's own, or one that arrives where least squares went."""
    forecast = fit.forecast or fit.summary.forecast(basis="chebyshev", start="zeros")
    optimizer = forecast.optimizer
    return {
        "basis": "chebyshev" if fit.forecast is None else fit.curve.basis.name,
        "optimizer": {"name": optimizer.name} | vars(optimizer),
        "start": forecast.start.tolist(),
        "steps": _STEPS if fit.history is None else fit.history.steps,
    }


def _names(fit: Fit) -> tuple[str, str]:
    x, y = (fit.rows.x_name, fit.rows.y_name) if fit.rows is not None else ("x", "y")
    if fit.axis.is_dates:
        return f"{x}, {fit.axis.unit}s since {fit.axis}", y
    if fit.axis.is_durations:
        return f"{x}, {fit.axis.unit}s", y
    return (x if fit.axis.is_plain else f"{x} − {fit.axis}"), y


def _sample(rows: Rows, most: int) -> list[list[float]]:
    """Up to so many rows, evenly chosen, as [x values, y values]."""
    some = list(blocks(rows, stride=max(1, -(-rows.n // most))))
    return [np.concatenate(column).tolist() for column in zip(*some, strict=True)]
