"""fit_many, summarize_many, descend_many: from arrays of curves to Fits, one call for all."""

from __future__ import annotations

from typing import Any

from polydescent.arrays import Kind, namespace
from polydescent.many.fits import Fits, fits_of
from polydescent.many.summaries import Summaries
from polydescent.triangle.kernels.curves import fold_rows
from polydescent.triangle.triangle import checked_degree


def summarize_many(x: Any, y: Any, degree: int = 8, *, weights: Any = None) -> Summaries:
    """Every curve folded into a triangle that holds every fit up to `degree`."""
    degree = checked_degree(degree)
    xp = namespace(x, y)
    shape, n = tuple(y.shape[:-1]), y.shape[-1]
    x, y, weights = (
        c if c is None or len(c.shape) == 1 else xp.reshape(c, (-1, n)) for c in (x, y, weights)
    )
    return Summaries.of_folded(fold_rows(x, y, weights, degree), shape, Kind.of(x, y))


def fit_many(x: Any, y: Any, degree: int = 3, *, weights: Any = None) -> Fits:
    """Exact least squares of every curve."""
    return fits_of(summarize_many(x, y, degree, weights=weights))
