"""What the arguments of fit and descend mean: dates, weights or sigma, degree="auto"."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from polydescent.checks import DEGREES
from polydescent.errors import BadCall, BadDegree, BadSetting
from polydescent.least_squares.degrees import BY_AICC, Choice
from polydescent.regression.summary import Summary
from polydescent.rows.deviations import Deviations, weights_of_deviations
from polydescent.rows.rows import Rows, Same
from polydescent.triangle.triangle import checked_degree


def in_unit(summary: Summary, rows: Rows | None, per: str | None) -> tuple[Summary, Rows | None]:
    """The same rows on the axis that people read: see `Summary.in_unit`."""
    summary = summary.in_unit(per)
    return summary, rows if rows is None else rows.on(summary.axis)


def weights_of(weights: Any, sigma: Any) -> Any:
    """The weights themselves, or 1/σ², rounded once: an array, or `Same` of one σ for every row; of
    a column of a file, what says so.

    Whatever its dtype, σ is taken as the number it is: squared in its own, a float32 would lose
    digits. Raises BadCall for both, BadSetting where a sigma is not above 0, OutOfRange.
    """
    if sigma is None:
        return weights
    if weights is not None:
        raise BadCall("Pass weights= (of the squares) or sigma= (standard deviations), not both.")
    if isinstance(sigma, str):
        return Deviations(sigma)
    one = _one_number(sigma)
    inverse = weights_of_deviations(sigma if one is None else [one])
    if one is None:
        return inverse
    if math.isnan(one):
        raise BadSetting("sigma", one, "above 0")
    return Same(float(inverse[0]))


def _one_number(sigma: Any) -> float | None:
    """sigma as a float where it is one number for all rows, of any library; else None."""
    shape = getattr(sigma, "shape", None)
    if isinstance(sigma, bool) or shape or (shape is None and hasattr(sigma, "__len__")):
        return None
    try:
        return float(sigma)
    except (TypeError, ValueError):
        return None


def absolute_sigma_of(absolute_sigma: object, weights: Any, sigma: Any) -> bool:
    """absolute_sigma, where it has a meaning. Raises BadCall, BadSetting."""
    check_absolute(absolute_sigma)
    if absolute_sigma and weights is None and sigma is None:
        raise BadCall("absolute_sigma=True needs sigma=, the standard deviations that are known.")
    return bool(absolute_sigma)


def check_absolute(absolute_sigma: object) -> None:
    """Raise BadSetting for what is no yes and no no."""
    if not isinstance(absolute_sigma, bool | np.bool_):
        raise BadSetting("absolute_sigma", absolute_sigma, "True or False")


def check_choice(choice: Choice, highest: int) -> None:
    """Raise BadCall for a choice where there is nothing to choose. highest: 0 without "auto"."""
    if not highest and choice != BY_AICC:
        raise BadCall(
            'criterion= and folds= say how degree="auto" chooses: pass that, or leave them out.'
        )


def wanted_degree(degree: Any) -> tuple[int, int]:
    """(degree, 0), or (0, the highest to look at) for "auto" and "auto:8". Raises BadDegree."""
    if not isinstance(degree, str):
        try:
            return checked_degree(degree), 0
        except BadDegree:
            raise BadDegree(degree, auto=True) from None
    name, _, highest = degree.partition(":")
    most = DEGREES["auto"] if degree == "auto" else _whole(highest)
    if name != "auto" or most is None:
        raise BadDegree(degree, auto=True)
    return 0, max(checked_degree(most), 1)


def _whole(text: str) -> int | None:
    """The whole number that decimal digits write; None for other text, and for thousands of
    digits, which Python does not read.
    """
    try:
        return int(text) if text.isdecimal() else None
    except ValueError:
        return None
