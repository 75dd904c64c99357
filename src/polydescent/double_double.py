"""Arithmetic with 32 digits on arrays: a number is the unevaluated sum hi + lo of two float64.

Every function here is free of branches and needs neither fused multiply-add nor long double: plain
float64 rounded to nearest, in the order written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Part = Any  # a float64 array or number
Pair = tuple[Part, Part]  # (hi, lo), |lo| at most half a unit in the last place of hi

_SPLITTER = 134217729.0  # 2²⁷ + 1


def two_sum(a: Part, b: Part) -> Pair:
    """a + b without error (Knuth 1969): hi = fl(a + b), hi + lo = a + b exactly."""
    hi = a + b
    from_b = hi - a
    return hi, (a - (hi - from_b)) + (b - from_b)


def renormalized(hi: Part, lo: Part) -> Pair:
    """The same sum as a proper pair, where |hi| ≥ |lo| (Dekker 1971)."""
    total = hi + lo
    return total, lo - (total - hi)


def split(a: Part) -> Pair:
    """a as a sum of two numbers of 26 bits, whose products are exact (Veltkamp 1968)."""
    spread = _SPLITTER * a
    hi = spread - (spread - a)
    return hi, a - hi


def two_product(a: Part, b: Part) -> Pair:
    """a·b without error (Dekker 1971), for sizes between 10⁻²⁵⁰ and 10³⁰⁰: hi = fl(a·b)."""
    a_hi, a_lo = split(a)
    b_hi, b_lo = split(b)
    hi = a * b
    return hi, a_lo * b_lo - (((hi - a_hi * b_hi) - a_lo * b_hi) - a_hi * b_lo)


def product(a: Pair, b: Pair) -> Pair:
    """a·b to 31 digits."""
    hi, lo = two_product(a[0], b[0])
    return renormalized(hi, lo + (a[0] * b[1] + a[1] * b[0]))


def sum_of(a: Pair, b: Pair) -> Pair:
    """a + b to 31 digits of the larger of the two."""
    hi, lo = two_sum(a[0], b[0])
    return renormalized(hi, lo + (a[1] + b[1]))


def quotient(a: Pair, b: Pair) -> Pair:
    """a / b to 31 digits."""
    first = a[0] / b[0]
    hi, lo = two_product(first, b[0])
    rest = ((a[0] - hi) - lo) + (a[1] - first * b[1])
    return renormalized(first, rest / b[0])


def total(a: Pair) -> Pair:
    """Σ a over the last axis, to 28 digits of n·max|a|.

    The leading bits of each term, cut at a place that all terms share, add without error in any
    order (Rump, Ogita & Oishi 2008); what is left is 2⁴⁰ times smaller and is added as usual.
    """
    hi, lo = a
    largest = float(np.abs(hi).max(initial=0.0))
    cut = 4.0 * 2.0 ** np.ceil(np.log2(largest * hi.shape[-1])) if largest else 1.0
    leading = (hi + cut) - cut
    return two_sum(leading.sum(axis=-1), ((hi - leading) + lo).sum(axis=-1))
