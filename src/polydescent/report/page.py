"""A fit as the explorer's page: what the page must know, and the file it is written to."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from polydescent.checks import whole
from polydescent.descent.optimizers import GradientDescent
from polydescent.errors import BadSetting, UnknownName
from polydescent.least_squares.degrees import degree_table, leave_one_out
from polydescent.least_squares.folds import Dealt, dealt_out
from polydescent.regression.evidence import all_rows, is_weighted
from polydescent.regression.fit import Fit
from polydescent.regression.summary import Summary
from polydescent.report import explorer
from polydescent.report.density import Density, blocks
from polydescent.rows.axis import UNITS, Axis
from polydescent.rows.rows import Rows
from polydescent.sealed.atomic import check_folder, locked, replacing
from polydescent.sealed.document import reported
from polydescent.visible import shortened, visible

LANGUAGES = ("en", "zh-CN")
_DEGREE = 10  # that the page can go up to, where the rows are at hand
_FOLDS = 5  # that rows are dealt into
_ROWS_A_NUMBER = 3  # of each fold: a triangle of fewer rows would give them away
_MOST_DEALT = 1_000_000  # rows: more would take seconds to deal
_LONGEST_NAME = 300  # characters
_REPLAYED = ("gd", "momentum", "nesterov", "adam")  # what explorer/core.js takes steps with
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
    tour: bool = True,
) -> None:
    """Write the explorer of this fit. See `Fit.explore`."""
    check_page(path)
    text = page_text(fit, sample, title, language, tour)
    with locked(path), replacing(path) as beside:
        beside.write_text(text, encoding="utf-8")


def page_text(
    fit: Fit, sample: int = 0, title: str = "", language: str | None = None, tour: bool = True
) -> str:
    """The explorer of this fit as HTML. See `Fit.explore`."""
    sample = whole("sample", sample, wanted="a whole number of rows, 0 for none")
    if language is not None and (not isinstance(language, str) or language not in LANGUAGES):
        raise UnknownName("language", language, LANGUAGES)
    if not isinstance(tour, bool):
        raise BadSetting("tour", tour, "True or False")
    return explorer.page(payload(fit, sample, title, language, tour))


def payload(
    fit: Fit, sample: int = 0, title: str = "", language: str | None = None, tour: bool = True
) -> dict:
    """What `explorer.page` asks for: the triangle, the run shown first, a picture of the rows."""
    summary = _summary(fit)
    x_name, y_name = _names(fit)
    rows = fit.rows
    return {
        "version": 2,
        "title": shown(title or f"{y_name} of {x_name}"),
        "x_name": shown(x_name),
        "y_name": shown(y_name),
        "n": fit.n,
        "absolute_sigma": fit.absolute_sigma,
        "weighted": is_weighted(fit),
        "counted": rows is not None and rows.counts is not None,
        "log_weights": summary.triangle.log_weights,
        "domain": [summary.domain.lo, summary.domain.hi],
        "dates": _dates(fit.axis),
        "triangle": [v for i, row in enumerate(summary.triangle.array.tolist()) for v in row[i:]],
        **_left_out(fit, summary),
        "held": _held(fit),
        "degree": fit.degree,
        **_run(fit),
        "density": None if rows is None else explorer.density(Density.of(rows)),
        "sample": _sample(rows, sample) if rows is not None and sample else None,
        "language": language,
        "tour": tour,
    }


def shown(name: str) -> str:
    """A name or a title as it goes into a page: nothing that turns the direction of its words."""
    return shortened(visible(name), _LONGEST_NAME)


def _summary(fit: Fit) -> Summary:
    """The fit's own, or where all rows are at hand one of a higher degree, to play with. What is
    held is held at the degree of the fit.
    """
    rows = all_rows(fit)
    degree = min(_DEGREE, fit.n - 1)
    held = bool(fit.least_squares.constraints)
    if rows is None or degree <= fit.degree or held:
        return fit.summary
    return Summary.of_rows(rows.x, rows.y, rows.weights, degree, rows.counts)


def _run(fit: Fit) -> dict[str, Any]:
    """The descent shown first: the fit's own, or one that arrives where least squares went.

    Of a descent that the page does not know, plain gradient descent from the same start.
    """
    forecast = fit.forecast or fit.summary.forecast(basis="chebyshev", start="zeros")
    optimizer = forecast.optimizer
    if optimizer.name not in _REPLAYED or not forecast.is_plain:
        start = forecast.start.tolist()
        optimizer = fit.summary.forecast(basis=fit.curve.basis, start=start).optimizer
    if fit.least_squares.constraints:
        directions = _free_directions(_equations(fit)[0])
        s = np.linalg.svd(fit.summary.R @ directions)[1]
        optimizer = GradientDescent().fastest(2 * s[-1] ** 2, 2 * s[0] ** 2)
    return {
        "basis": "chebyshev" if fit.forecast is None else fit.curve.basis.name,
        "optimizer": {"name": optimizer.name} | vars(optimizer),
        "start": forecast.start.tolist(),
        "steps": _STEPS if fit.history is None else fit.history.steps,
    }


# ── what is held ──


def _equations(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """(B, b), shape (m, k) and (m,): the Chebyshev weights obey B·w = b."""
    solution = fit.least_squares
    B, b = solution.constraints.equations(solution.domain, fit.degree, solution.origin)
    return np.array(B, dtype=np.float64), np.array(b, dtype=np.float64)


def _free_directions(B: np.ndarray) -> np.ndarray:
    """Orthonormal directions N with B·N = 0, shape (k, k − m)."""
    return np.linalg.svd(B)[2][len(B) :].T


def _held(fit: Fit) -> dict[str, Any] | None:
    constraints = fit.least_squares.constraints
    if not constraints:
        return None
    B, b = _equations(fit)
    return {
        "equations": B.tolist(),
        "values": b.tolist(),
        "fixed": [list(pair) for pair in constraints.fixed],
        "through": [[x - fit.axis.power_origin, y] for x, y in constraints.through],
    }


# ── rows left out ──


def _left_out(fit: Fit, summary: Summary) -> dict[str, Any]:
    """The rows dealt into folds, each a triangle of far more rows than numbers, from which none can
    be told; where they are too few for that, the errors that each leaves when it is left out.
    """
    rows = all_rows(fit)
    if rows is None or fit.n > _MOST_DEALT or fit.least_squares.constraints:
        return {"folds": None, "loo": None}
    if fit.n < _FOLDS * _ROWS_A_NUMBER * (summary.degree + 2):
        highest = degree_table(summary.triangle, leave_out=False).degree[-1]
        errors = leave_one_out(summary.triangle.lower(int(highest)), rows)
        return {"folds": None, "loo": [reported(float(error)) for error in errors]}
    dealt, _ = dealt_out(rows, summary.degree, Dealt(_FOLDS))
    parts = [part.rebased(summary.domain) for part in dealt]
    folds = [{"n": part.n, "triangle": explorer.packed(part.array)} for part in parts]
    return {"folds": folds, "loo": None}


# ── names and places ──


def _names(fit: Fit) -> tuple[str, str]:
    x, y = (fit.rows.x_name, fit.rows.y_name) if fit.rows is not None else ("x", "y")
    if fit.axis.is_dates:
        return x, y
    if fit.axis.is_durations:
        return f"{x}, {fit.axis.unit}s", y
    return (x if fit.axis.is_plain else f"{x} − {fit.axis}"), y


def _dates(axis: Axis) -> dict[str, Any] | None:
    """The date at x = 0 and the unit of x in milliseconds, as browsers count."""
    if not axis.is_dates or not axis.unit:
        return None
    origin = int(axis.start.astype("datetime64[ms]").astype(np.int64))
    return {"origin": origin, "per": 1000 * UNITS[axis.unit], "unit": axis.unit}


def _sample(rows: Rows, most: int) -> list[list[float]]:
    """Up to so many rows, evenly chosen, as [x values, y values]."""
    some = list(blocks(rows, stride=max(1, -(-rows.n // most))))
    return [np.concatenate(column).tolist() for column in zip(*some, strict=True)]
