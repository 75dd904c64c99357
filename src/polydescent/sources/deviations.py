"""Standard deviations σ as weights 1/σ², rounded once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from polydescent.double_double import quotient, two_product
from polydescent.errors import BadSetting, OutOfRange


@dataclass(frozen=True)
class Deviations:
    """Weights of 1/σ², where σ is the column, or SQL expression of columns, of this text."""

    column: str


def weights_of_deviations(sigma: np.ndarray, before: int = 0, label: str = "") -> np.ndarray:
    """1/σ², shape of sigma, each the float64 nearest to it; NaN where sigma is.

    before: rows of the source that came earlier; label: its name. Raises BadSetting, with the row,
    where a sigma is not above 0, OutOfRange where 1/σ² is no float64.
    """
    low = sigma <= 0  # NaN is not: it is refused or omitted with the NaN of x and y
    if low.any():
        first = int(low.argmax())
        place = f"above 0 in every row of {label or 'the data'}; row {before + first:,}"
        raise BadSetting("sigma", float(sigma[first]), f"{place} (counted from 0)")
    known = np.isfinite(sigma)
    part, power = np.frexp(np.where(known, sigma, 1.0))
    one = np.ones_like(part)
    inverse, _ = quotient((one, 0.0 * one), two_product(part, part))  # between 1 and 4
    with np.errstate(over="ignore", under="ignore"):
        weights = np.ldexp(inverse, -2 * power)
    tiny = np.finfo(np.float64).smallest_normal
    if (~np.isfinite(weights) | (weights < tiny)).any():
        raise OutOfRange("sigma² of some row", "Give y and sigma in another unit.")
    return np.where(known, weights, np.nan)
