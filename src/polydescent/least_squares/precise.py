"""Sums over rows to 30 digits, in C (precise.c) where it is built, else in NumPy: one answer.

What multiplies a correction that is small already, Σ ω·T_i·T_j, needs no more. The residual and its
sums have 46 digits: a coefficient near 0 may be what is left of numbers 10³⁰ times larger.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from polydescent import double_double as dd

try:
    from polydescent.least_squares import _precise  # pyright: ignore[reportAttributeAccessIssue]
except ImportError:
    _precise = None

BLOCK = 1 << 12  # rows in double-double at once: a few hundred kilobytes


@dataclass(frozen=True, eq=False)
class Frame:
    """How rows are read: u = (x·x_unit − mid) / half_width, r = y·y_unit − Σ pilot[k]·T_k(u).

    x_unit, y_unit: powers of two that bring x and y to a size of 1, so that nothing overflows.
    mid, half_width: of the domain, times x_unit. pilot: Chebyshev weights times y_unit, shape (k,);
    pilot_rest: what they leave of weights known to 32 digits, None for nothing.
    """

    x_unit: float
    y_unit: float
    mid: float
    half_width: float
    pilot: np.ndarray
    pilot_rest: np.ndarray | None = None

    @property
    def degree(self) -> int:
        return len(self.pilot) - 1


def sums(x: np.ndarray, y: np.ndarray, omega: np.ndarray | None, frame: Frame) -> dd.Triple:
    """Σ ω·T_k for k = 0 … d, Σ ω·T_d·T_k for k = 1 … d, Σ ω·r·T_k for k = 0 … d, Σ ω·r².

    x, y: shape (n,), float64 on the host. omega: weights, None for 1. Returns a triple of
    shape (3·d + 3,). The first two kinds give every Σ ω·T_m up to m = 2d, since
    Σ T_{d+k} = 2·Σ T_d·T_k − Σ T_{d−k}.
    """
    if _in_c(frame.degree):
        return _sums_in_c(x, y, omega, frame)
    result: dd.Triple = (0.0, 0.0, 0.0)
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        some = None if omega is None else omega[rows]
        result = dd.sum3(result, _sums_of_block(x[rows], y[rows], some, frame))
    return result


def _in_c(degree: int) -> bool:
    allowed = "native" in os.environ.get("POLYDESCENT_KERNELS", "native")
    return _precise is not None and allowed and degree <= _precise.lib.MAX_PRECISE_DEGREE


def _sums_in_c(x: np.ndarray, y: np.ndarray, omega: np.ndarray | None, frame: Frame) -> dd.Triple:
    assert _precise is not None
    ffi, kept = _precise.ffi, []

    def at(values: np.ndarray | None) -> Any:
        if values is None:
            return ffi.NULL
        kept.append(np.ascontiguousarray(values, dtype=np.float64))  # alive until the call returns
        return ffi.from_buffer("double[]", kept[-1])

    result = np.empty((3 * frame.degree + 3, 3))
    rows = ffi.new("precise_rows *", [at(x), at(y), at(omega), frame.x_unit, frame.y_unit])
    pilot = at(frame.pilot), at(frame.pilot_rest)
    _precise.lib.precise_sums(
        rows, len(x), frame.mid, frame.half_width, frame.degree, *pilot, at(result)
    )
    return result[:, 0], result[:, 1], result[:, 2]


def _sums_of_block(
    x: np.ndarray, y: np.ndarray, omega: np.ndarray | None, frame: Frame
) -> dd.Triple:
    T = _chebyshev(x, frame)
    r = _residual(y, T, frame)
    weighted_r = r if omega is None else dd.scaled3(r, omega)
    low = T[0], T[1]
    weighted = low if omega is None else dd.product(low, (omega, 0.0))
    last = weighted[0][-1], weighted[1][-1]
    square = dd.product(_shortened(r), _shortened(weighted_r))
    parts = (
        _lengthened(dd.total(weighted)),
        _lengthened(dd.total(dd.product((low[0][1:], low[1][1:]), last))),
        dd.total3(dd.product3(T, weighted_r)),
        _lengthened(dd.total((square[0][None], square[1][None]))),
    )
    hi, mid, lo = (np.concatenate(p) for p in zip(*parts, strict=True))
    return hi, mid, lo


def _shortened(a: dd.Triple) -> dd.Pair:
    return dd.renormalized(a[0], a[1] + a[2])


def _lengthened(a: dd.Pair) -> dd.Triple:
    return *a, np.zeros_like(a[0])


def _chebyshev(x: np.ndarray, frame: Frame) -> dd.Triple:
    """T₀(u) … T_degree(u), shape (degree + 1, n)."""
    hi, mid, lo = (np.zeros((frame.degree + 1, len(x))) for _ in range(3))
    hi[0] = 1.0
    u = dd.quotient3(dd.two_sum(x * frame.x_unit, -frame.mid), frame.half_width)
    hi[1:2], mid[1:2], lo[1:2] = u
    twice_u = 2.0 * u[0], 2.0 * u[1], 2.0 * u[2]
    for k in range(2, frame.degree + 1):
        before, last = ((hi[j], mid[j], lo[j]) for j in (k - 2, k - 1))
        hi[k], mid[k], lo[k] = dd.sum3(dd.product3(last, twice_u), dd.negative3(before))
    return hi, mid, lo


def _residual(y: np.ndarray, T: dd.Triple, frame: Frame) -> dd.Triple:
    """y − Σ pilot[k]·T_k, shape (n,)."""
    zero = np.zeros_like(y)
    r: dd.Triple = (y * frame.y_unit, zero, zero)
    for pilot in (frame.pilot, frame.pilot_rest):
        for k, weight in enumerate([] if pilot is None else pilot):
            r = dd.sum3(r, dd.scaled3((T[0][k], T[1][k], T[2][k]), -weight))
    return r
