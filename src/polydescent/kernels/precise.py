"""Sums over rows to 30 digits, in C (precise.c) where it is built, else in NumPy: one answer."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np

from polydescent import double_double as dd

try:
    from polydescent.kernels import _precise  # pyright: ignore[reportAttributeAccessIssue]
except ImportError:
    _precise = None

BLOCK = 1 << 12  # rows in double-double at once: a few hundred kilobytes


@dataclass(frozen=True, eq=False)
class Frame:
    """How rows are read: u = (x·x_unit − mid) / half, r = y·y_unit − Σ pilot[k]·T_k(u), as pairs.

    x_unit, y_unit: powers of two that bring x and y to a size of 1, so that nothing overflows.
    mid, half: of the domain, times x_unit. pilot: Chebyshev weights times y_unit, shape (k,).
    """

    x_unit: float
    y_unit: float
    mid: float
    half: float
    pilot: np.ndarray

    @property
    def degree(self) -> int:
        return len(self.pilot) - 1


def sums(x: np.ndarray, y: np.ndarray, omega: np.ndarray | None, frame: Frame) -> dd.Pair:
    """Σ ω·T_k for k = 0 … d, Σ ω·T_d·T_k for k = 1 … d, Σ ω·r·T_k for k = 0 … d, Σ ω·r².

    x, y: shape (n,), float64 on the host. omega: weights, None for 1. Returns a pair of
    shape (3·d + 3,). The first two kinds give every Σ ω·T_m up to m = 2d, since
    Σ T_{d+k} = 2·Σ T_d·T_k − Σ T_{d−k}.
    """
    if _in_c(frame.degree):
        return _sums_in_c(x, y, omega, frame)
    result: dd.Pair = (0.0, 0.0)
    for start in range(0, len(x), BLOCK):
        rows = slice(start, start + BLOCK)
        some = None if omega is None else omega[rows]
        result = dd.sum_of(result, _sums_of_block(x[rows], y[rows], some, frame))
    return result


def _in_c(degree: int) -> bool:
    allowed = "native" in os.environ.get("POLYDESCENT_KERNELS", "native")
    return _precise is not None and allowed and degree <= _precise.lib.MAX_PRECISE_DEGREE


def _sums_in_c(x: np.ndarray, y: np.ndarray, omega: np.ndarray | None, frame: Frame) -> dd.Pair:
    assert _precise is not None
    ffi, kept = _precise.ffi, []

    def at(values: np.ndarray) -> Any:
        kept.append(np.ascontiguousarray(values, dtype=np.float64))  # alive until the call returns
        return ffi.from_buffer("double[]", kept[-1])

    result = np.empty((3 * frame.degree + 3, 2))
    weights = ffi.NULL if omega is None else at(omega)
    rows = ffi.new("precise_rows *", [at(x), at(y), weights, frame.x_unit, frame.y_unit])
    _precise.lib.precise_sums(
        rows, len(x), frame.mid, frame.half, frame.degree, at(frame.pilot), at(result)
    )
    return result[:, 0], result[:, 1]


def _sums_of_block(x: np.ndarray, y: np.ndarray, omega: np.ndarray | None, frame: Frame) -> dd.Pair:
    T = _chebyshev(x, frame)
    r = _residual(y, T, frame)
    weighted_T = T if omega is None else dd.product(T, (omega, 0.0))
    weighted_r = r if omega is None else dd.product(r, (omega, 0.0))
    last = weighted_T[0][-1], weighted_T[1][-1]
    parts = (
        dd.total(weighted_T),
        dd.total(dd.product((T[0][1:], T[1][1:]), last)),
        dd.total(dd.product(T, weighted_r)),
        dd.total(dd.product((r[0][None], r[1][None]), weighted_r)),
    )
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _chebyshev(x: np.ndarray, frame: Frame) -> dd.Pair:
    """T₀(u) … T_degree(u), shape (degree + 1, n)."""
    hi, lo = np.empty((frame.degree + 1, len(x))), np.empty((frame.degree + 1, len(x)))
    hi[0], lo[0] = 1.0, 0.0
    from_mid = dd.two_sum(x * frame.x_unit, -frame.mid)
    u = dd.quotient(from_mid, (frame.half, 0.0))
    hi[1:2], lo[1:2] = u
    twice_u = 2.0 * u[0], 2.0 * u[1]
    for k in range(2, frame.degree + 1):
        rising = dd.product((hi[k - 1], lo[k - 1]), twice_u)
        hi[k], lo[k] = dd.sum_of(rising, (-hi[k - 2], -lo[k - 2]))
    return hi, lo


def _residual(y: np.ndarray, T: dd.Pair, frame: Frame) -> dd.Pair:
    """y − Σ pilot[k]·T_k as a pair, shape (n,)."""
    pilot = -frame.pilot[:, None]
    hi, lo = dd.two_product(T[0], pilot)
    lo += T[1] * pilot
    r = y * frame.y_unit, np.zeros_like(y)
    for k in range(len(pilot)):
        r = dd.sum_of(r, (hi[k], lo[k]))
    return r
