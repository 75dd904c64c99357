"""Arithmetic with 32 digits on arrays: a number is the unevaluated sum hi + lo of two float64.

And with 48, as hi + mid + lo, for what cancels: a residual is the small difference of large
numbers, so its digits are the last ones of theirs.

Every function here is free of branches and needs neither fused multiply-add nor long double: plain
float64 rounded to nearest, in the order written.
"""

from __future__ import annotations

from typing import Any

import numpy as np

Part = Any  # a float64 array or number
Pair = tuple[Part, Part]  # (hi, lo), |lo| at most half a unit in the last place of hi
Triple = tuple[Part, Part, Part]  # (hi, mid, lo), each about 2⁵³ times smaller than the one before

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


# ── 48 digits ──


def renormalized3(hi: Part, mid: Part, lo: Part) -> Triple:
    """The same sum as a proper triple, where |hi| ≥ |mid| ≥ |lo|, or nearly so."""
    mid, last = two_sum(mid, lo)
    hi, rest = two_sum(hi, mid)
    mid, lo = two_sum(rest, last)
    return hi, mid, lo


def negative3(a: Triple) -> Triple:
    """−a, without error."""
    return -a[0], -a[1], -a[2]


def sum3(a: Triple, b: Triple) -> Triple:
    """a + b to 46 digits of the larger of the two."""
    hi, rest = two_sum(a[0], b[0])
    mid, last = two_sum(a[1], b[1])
    mid, more = two_sum(mid, rest)
    return renormalized3(hi, mid, (a[2] + b[2]) + (last + more))


def product3(a: Triple, b: Triple) -> Triple:
    """a·b to 46 digits: the three largest partial products without error, the rest rounded."""
    hi, rest = two_product(a[0], b[0])
    left, left_lo = two_product(a[0], b[1])
    right, right_lo = two_product(a[1], b[0])
    mid, cross_lo = two_sum(left, right)
    mid, mid_lo = two_sum(rest, mid)
    lo = a[0] * b[2] + a[1] * b[1] + a[2] * b[0]
    return renormalized3(hi, mid, lo + ((left_lo + right_lo) + (cross_lo + mid_lo)))


def scaled3(a: Triple, factor: Part) -> Triple:
    """a·factor to 46 digits, for a factor that is one float64."""
    hi, rest = two_product(a[0], factor)
    mid, mid_lo = two_product(a[1], factor)
    mid, more = two_sum(mid, rest)
    return renormalized3(hi, mid, a[2] * factor + (mid_lo + more))


def quotient3(a: Pair, b: Part) -> Triple:
    """a / b to 46 digits, for a divisor that is one float64: long division, 16 digits a step."""
    first = a[0] / b
    hi, lo = two_product(first, b)
    left, rest = two_sum((a[0] - hi) - lo, a[1])
    second = left / b
    hi, lo = two_product(second, b)
    return renormalized3(first, second, (((left - hi) - lo) + rest) / b)


def total3(a: Triple) -> Triple:
    """Σ a over the last axis, to 46 digits of Σ|a|, by halves: neighbors first."""
    hi, mid, lo = a
    while (n := hi.shape[-1]) > 1:
        even, odd = slice(0, n - n % 2, 2), slice(1, n, 2)
        left, right = (tuple(part[..., s] for part in (hi, mid, lo)) for s in (even, odd))
        halved = sum3(left, right)  # type: ignore[arg-type]
        if n % 2:
            last = (part[..., -1:] for part in (hi, mid, lo))
            halved = tuple(np.concatenate(p, axis=-1) for p in zip(halved, last, strict=True))
        hi, mid, lo = halved
    return hi[..., 0], mid[..., 0], lo[..., 0]
