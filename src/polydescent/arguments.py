"""What the arguments of fit and descend mean: dates, weights or sigma, degree="auto"."""

from __future__ import annotations

from typing import Any

import numpy as np

from polydescent.arrays import columns, namespace, quiet
from polydescent.errors import BadCall, BadDegree, BadSetting, OutOfRange
from polydescent.sources import Rows
from polydescent.sources.deviations import Deviations
from polydescent.summary import Summary, checked_degree

HIGHEST = 10  # the degree up to which degree="auto" looks unless told otherwise


def settled(summary: Summary, rows: Rows | None, per: str | None) -> tuple[Summary, Rows | None]:
    """The same rows on the axis that people read: see `Summary.settled`."""
    summary = summary.settled(per)
    return summary, rows if rows is None else rows.moved(summary.axis)


def weights_of(weights: Any, sigma: Any) -> Any:
    """The weights themselves, or 1/σ², rounded once; of a column of a file, what says so.

    Raises BadCall for both, BadSetting where a sigma is not above 0.
    """
    if sigma is None:
        return weights
    if weights is not None:
        raise BadCall("Pass weights= (of the squares) or sigma= (standard deviations), not both.")
    if isinstance(sigma, str):
        return Deviations(sigma)
    if isinstance(sigma, int | float):
        raise BadSetting("sigma", sigma, "a column of standard deviations, one for each row")
    (sigma,) = columns(sigma=sigma)
    low = sigma <= 0  # NaN is not: it is refused or omitted with the NaN of x and y
    if bool(namespace(sigma).any(low)):
        raise BadSetting("sigma", float(sigma[low][0]), "above 0 in every row")
    with quiet():
        square = sigma * sigma
    smallest = float(namespace(sigma).finfo(sigma.dtype).smallest_normal)
    if bool(namespace(sigma).any((square < smallest) | (square > 1 / smallest))):
        raise OutOfRange("sigma² of some row", "Give y and sigma in another unit.")
    return 1.0 / square


def absolute_sigma_of(absolute_sigma: object, weights: Any, sigma: Any) -> bool:
    """absolute_sigma, where it has a meaning. Raises BadCall, BadSetting."""
    if not isinstance(absolute_sigma, bool | np.bool_):
        raise BadSetting("absolute_sigma", absolute_sigma, "True or False")
    if absolute_sigma and weights is None and sigma is None:
        raise BadCall("absolute_sigma=True needs sigma=, the standard deviations that are known.")
    return bool(absolute_sigma)


def wanted_degree(degree: Any) -> tuple[int, int]:
    """(degree, 0), or (0, the highest to look at) for "auto" and "auto:8". Raises BadDegree."""
    if not isinstance(degree, str):
        try:
            return checked_degree(degree), 0
        except BadDegree:
            raise BadDegree(degree, auto=True) from None
    name, _, highest = degree.partition(":")
    if name != "auto" or (highest and not highest.isdecimal()) or degree.endswith(":"):
        raise BadDegree(degree, auto=True)
    return 0, max(checked_degree(int(highest)), 1) if highest else HIGHEST
