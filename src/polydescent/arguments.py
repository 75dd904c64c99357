"""What the arguments of fit and descend mean: dates, weights or sigma, degree="auto"."""

from __future__ import annotations

from typing import Any

import numpy as np

from polydescent.arrays import columns, is_array, namespace
from polydescent.dates import PLAIN, Axis, read_axis
from polydescent.errors import BadCall, BadDegree, BadSetting
from polydescent.summary import checked_degree

HIGHEST = 10  # the degree up to which degree="auto" looks unless told otherwise


def on_axis(data: Any, y: Any, x: Any, per: str | None) -> tuple[tuple[Any, Any, Any], Axis]:
    """(data, y, x) with dates and large whole numbers in x as float64, and the axis they are on."""
    if y is None or isinstance(y, str) or (data is not None and x is not None):
        if per is not None:
            raise BadCall("per= gives the unit of dates in x: pass x and y as columns of values.")
        return (data, y, x), PLAIN
    given = x if data is None else data
    axis = read_axis(given, per)
    numbers = given if axis.is_plain else axis.numbers(given)
    return ((None, y, numbers) if data is None else (numbers, y, None)), axis


def weights_of(weights: Any, sigma: Any) -> Any:
    """The weights themselves, or 1/σ², rounded once; of a column of a file, SQL that says so.

    Raises BadCall for both, BadSetting where a sigma is not above 0.
    """
    if sigma is None:
        return weights
    if weights is not None:
        raise BadCall("Pass weights= (of the squares) or sigma= (standard deviations), not both.")
    if isinstance(sigma, str):
        return f"1 / (({sigma}) * ({sigma}))"
    if not is_array(sigma) and np.ndim(sigma) == 0:
        raise BadSetting("sigma", sigma, "a column of standard deviations, one for each row")
    (sigma,) = columns(sigma=sigma)
    low = sigma <= 0  # NaN is not: it is refused or omitted with the NaN of x and y
    if bool(namespace(sigma).any(low)):
        raise BadSetting("sigma", float(sigma[low][0]), "above 0 in every row")
    return 1.0 / (sigma * sigma)


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
        return checked_degree(degree), 0
    name, _, highest = degree.partition(":")
    if name != "auto" or (highest and not highest.isdecimal()) or degree.endswith(":"):
        raise BadDegree(degree)
    return 0, max(int(highest), 1) if highest else HIGHEST
