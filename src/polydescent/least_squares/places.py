"""The standard error of a place where a curve has a value, also where it hardly crosses it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np

from polydescent.arrays import quiet
from polydescent.polynomial.curve import nearest_float
from polydescent.polynomial.roots import Zero, real_zeros

_TERMS = 30  # of a curve about its root, that say whether it is straight there


def stderr_of_root(
    weights: Sequence[Fraction], rounding: Fraction, zero: Zero, stderr: float
) -> float:
    """The standard error of a root, in u, of a curve with a standard error of `stderr` there."""
    if not math.isfinite(stderr):
        return stderr
    first, *others = _taylor(weights, zero.u)
    linear = stderr / abs(first) if first else math.inf
    with quiet():
        bend = sum(abs(c) * (4 * linear) ** j for j, c in enumerate(others, 1))
    if zero.order == 1 and 2 * bend <= abs(first):
        return linear
    level = Fraction(2 * stderr) + (len(weights) * rounding if zero.order > 1 else 0)
    fine = rounding / (1 << 30)  # the level is above what rounding spreads
    below = above = None
    for everywhere in (False, True):
        if below is None or above is None:
            curves = (lifted(weights, by) for by in (level, -level))
            ends = [z.u for curve in curves for z in real_zeros(curve, fine, everywhere)]
            below = max((u for u in ends if u < zero.u), default=None)
            above = min((u for u in ends if u > zero.u), default=None)
    if below is None or above is None:
        return math.inf
    far = nearest_float(max(zero.u - below, above - zero.u)) / 2
    return far if zero.order > 1 or far > 2 * linear else linear


def _taylor(weights: Sequence[Fraction], u: Fraction) -> list[float]:
    """f′, f″/2!, f‴/3!, … at u, the first of them."""
    slope, at = np.array([nearest_float(w) for w in weights]), nearest_float(u)
    found = []
    with quiet():
        for j in range(1, max(min(len(weights), _TERMS), 2)):
            slope = np.polynomial.chebyshev.chebder(slope) / j
            found.append(float(np.polynomial.chebyshev.chebval(at, slope)))
    return found


def lifted(weights: Sequence[Fraction], by: Fraction) -> list[Fraction]:
    """The weights of the curve so much higher."""
    return [weights[0] + by, *weights[1:]]
