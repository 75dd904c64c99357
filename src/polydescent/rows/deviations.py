"""Standard deviations σ as weights 1/σ², rounded once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from polydescent.arrays import Array, beside, columns, in_double, namespace, quiet
from polydescent.double_double import quotient, two_product
from polydescent.errors import BadSetting, OutOfRange

_SMALLEST = float(np.finfo(np.float64).smallest_normal)


@dataclass(frozen=True)
class Deviations:
    """Weights of 1/σ², where σ is the column, or SQL expression of columns, of this text."""

    column: str


def by_role(x: Any, y: Any, weights: Any = None, counts: Any = None) -> dict[str, Any]:
    """x, y, and what else there is, by role: `Deviations` are the role sigma."""
    named = {"x": x, "y": y, "weights": weights, "counts": counts}
    if isinstance(weights, Deviations):
        named = {"x": x, "y": y, "sigma": weights.column, "counts": counts}
    return {role: value for role, value in named.items() if value is not None or role in "xy"}


def weighed(found: Mapping[str, Any], before: int = 0, label: str = "") -> dict[str, Any]:
    """The same columns by role, weights in the place of a sigma. Raises as the next."""
    if "sigma" not in found:
        return dict(found)
    others = {role: column for role, column in found.items() if role != "sigma"}
    return others | {"weights": weights_of_deviations(found["sigma"], before, label)}


def weights_of_deviations(sigma: Any, before: int = 0, label: str = "") -> Array:
    """1/σ², each the float64 nearest to it; NaN where sigma is.

    sigma: shape (n,), above 0. before: rows of the source that came earlier; label: its name, "" of
    an array. Whatever the dtype, σ is taken as the number it is: squared in its own, a float32
    would lose digits. Raises BadSetting, with the row of a source, where a sigma is not above 0,
    OutOfRange where 1/σ² is no float64.
    """
    (given,) = columns(sigma=sigma)
    sigma = in_double(given)
    xp = namespace(sigma)
    low = sigma <= 0  # NaN is not: it is refused or omitted with the NaN of x and y
    if bool(xp.any(low)):
        place = "above 0 in every row"
        if label:
            row = before + int(xp.argmax(xp.astype(low, xp.int64)))
            place += f" of {label}; row {row:,} (counted from 0)"
        raise BadSetting("sigma", float(sigma[low][0]), place)
    with quiet():
        square = sigma * sigma
    if bool(xp.any((square < _SMALLEST) | (square > 1 / _SMALLEST))):
        raise OutOfRange("sigma² of some row", "Give y and sigma in another unit.")
    return beside(given, _inverse_square(sigma))


def _inverse_square(sigma: Array) -> Array:
    """1/σ², the float64 nearest to it: σ² and the quotient by it are taken to 31 digits.

    Very small and very large σ are brought near 1 by a power of two first, so that no part of a
    product underflows.
    """
    xp = namespace(sigma)
    one = xp.ones_like(sigma)
    far = xp.where(sigma < 2.0**-250, 2.0**500 * one, one)
    far = xp.where(sigma > 2.0**250, 2.0**-500 * one, far)
    near = sigma * far
    inverse, _ = quotient((one, 0 * one), two_product(near, near))
    return inverse * far * far
