"""A fit in other forms: as an equation or code, as a numpy.polynomial, as a table."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from polydescent.arrays import to_host
from polydescent.checks import one_of
from polydescent.errors import (
    BadCall,
    OutOfRange,
)
from polydescent.polynomial.basis import CHEBYSHEV
from polydescent.polynomial.curve import Polynomial
from polydescent.polynomial.text import PROSE, check_style, code, equation
from polydescent.regression.evidence import Evidence
from polydescent.visible import html_table

_TOLD_APART = 2.0**-20  # of half the domain: of float64 there; less leaves NumPy five digits


def equation_of(
    fit: Evidence, style: str, digits: int | None, x: str | None, *, errors: bool, dates: bool
) -> str:
    """The curve as text: see `Fit.equation`."""
    check_style(style)
    if style in PROSE:
        if dates:
            raise BadCall('dates=True is for code: style="python" or "sql".')
        name = x or ("t" if fit.axis.is_dates else "x")
        known = errors and not fit.outcome.is_unfinished
        stderr = to_host(fit.stderr) if known else None
        if stderr is not None and not np.isfinite(stderr).all():
            stderr = None
        return equation(
            fit._powers,
            name,
            digits=6 if digits is None else digits,
            style=style,
            stderr=stderr,
        )
    if errors:
        raise BadCall("errors=True is for equations to read: plain, unicode or latex.")
    return code(
        Polynomial(CHEBYSHEV, fit.summary.domain, fit.curve.in_chebyshev()),
        style,
        fit._powers,
        x or ("t" if fit.axis.is_dates and not dates else "x"),
        17 if digits is None else digits,
        fit.axis,
        dates,
    )


def numpy_of(fit: Evidence, basis: str) -> Any:
    """The curve as a numpy.polynomial: see `Fit.to_numpy`."""
    one_of("basis", basis, ("power", "chebyshev"))
    span = _span(fit)
    if basis == "power":
        return np.polynomial.Polynomial(fit._powers, domain=span, window=span)
    return np.polynomial.Chebyshev(fit.curve.in_chebyshev(), domain=span)


def _span(fit: Evidence) -> list[float]:
    """The domain as NumPy needs it: float64 of the user's own x, with some width."""
    inside, origin = fit.summary.domain, fit.axis.power_origin
    lo, hi = inside.lo + origin, inside.hi + origin
    apart = float(np.spacing(max(abs(lo), abs(hi))))
    if inside.is_point:
        return [lo - max(apart, 1.0), hi + max(apart, 1.0)]  # of one x, where the curve is flat
    if apart > _TOLD_APART * inside.half_width:
        near = origin or f"{inside.lo:.17g}"
        raise OutOfRange(
            f"A numpy.polynomial of x within {2 * inside.half_width:.6g} of each other near {near}",
            f"Call the fit itself, or subtract {near} from x before you fit.",
        )
    return [lo, hi]


def table_of(fit: Evidence) -> str:
    """The coefficients and how good they are, as HTML."""
    known = not fit.outcome.is_unfinished
    errors = to_host(fit.stderr) if known else np.full(fit.degree + 1, math.nan)
    x = "t" if fit.axis.is_dates else "x"
    lines = [
        (f"{x}^{power}", f"{value:.10g}", f"{error:.6g}" if math.isfinite(error) else "")
        for power, (value, error) in enumerate(zip(fit._powers, errors, strict=True))
    ]
    names = [fit.summary.x_name, fit.summary.y_name]
    if fit.rows is not None:
        names = [fit.rows.x_name, fit.rows.y_name]
    facts = f"{fit.n:,} rows of {names[0]}, {names[1]}; R² {fit.r2:.6f}, {fit.outcome.value}"
    return html_table(facts, lines, ("term", "coefficient", "std. error"))
