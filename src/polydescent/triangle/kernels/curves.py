"""Many curves into as many triangles: rows of an array, or runs of rows one after the other."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from polydescent.arrays import Array, namespace, on_rows, to_host
from polydescent.errors import OutOfRange
from polydescent.triangle import kernels
from polydescent.triangle.kernels import curve_blocks, native_curves
from polydescent.triangle.kernels.folded import LEFT_RANGE, Folded

LARGEST = 1e150  # its square, and sums of such squares, fit a double
_PADDING = 1.25  # longest by shortest of the runs that are padded to one length
LONG = 1 << 16  # rows of one curve from which the kernels of one curve take over


def fold_rows(
    x: Array, y: Array, weights: Array | None, degree: int, kernel: str | None = None
) -> Folded:
    """The triangles of the rows of y, one curve each, on their own domains.

    x: shape (n,), for all curves, or (m, n). y: (m, n). weights: None for 1, (n,) or (m, n), ≥ 0; a
    row of weight 0 does not count. All real floating, of one library and device. Rows in which one
    of them is NaN or infinite are left out and counted; no curve's trouble changes another. kernel:
    "native" or "blocks"; left out, the fastest that serves.
    """
    x, y, weights = (None if c is None else on_rows(c) for c in (x, y, weights))
    if y.shape[1] >= LONG:
        return _within_range(_fold_long(x, y, weights, degree))
    if _is_native(kernel, degree):
        x_held, y_held, omega = (native_curves.on_host(c) for c in (x, y, weights))
        if x_held is not None and y_held is not None and (omega is None) == (weights is None):
            folded, hard = native_curves.fold_rows(x_held, y_held, omega, degree)
            if hard.any():
                x, y, weights = (
                    c if c is None or c.ndim == 1 else c[hard] for c in (x_held, y_held, omega)
                )
                folded.put(hard, curve_blocks.fold(x, y, weights, degree))
            return _within_range(folded)
    return _within_range(curve_blocks.fold(x, y, weights, degree))


def fold_runs(
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None,
    offsets: np.ndarray,
    degree: int,
    kernel: str | None = None,
) -> Folded:
    """The same of runs: curve i is made of the rows offsets[i] … offsets[i + 1] − 1.

    x, y, weights: shape (rows,), real floating, of NumPy; weights may be None for 1. offsets:
    shape (m + 1,), whole numbers that do not fall, from 0 to rows.
    """
    offsets = np.asarray(offsets, dtype=np.int64)
    lengths = np.diff(offsets)
    folded, left = Folded.blank(len(lengths), degree), lengths > 0
    long = np.flatnonzero(lengths >= LONG)
    if _is_native(kernel, degree) and not len(long):
        held: list[Any] = [native_curves.on_host(c) for c in (x, y, weights)]
        folded, left = native_curves.fold_runs(held[0], held[1], held[2], offsets, degree)
    for i in long:
        rows = slice(offsets[i], offsets[i + 1])
        omega = None if weights is None else weights[None, rows]
        folded.put([i], _fold_long(x[None, rows], y[None, rows], omega, degree))
        left[i] = False
    order = np.flatnonzero(left)
    if len(order) and len(long) and _is_native(kernel, degree):
        return _within_range(_between(folded, x, y, weights, offsets, long, degree, kernel))
    order = order[np.argsort(lengths[order], kind="stable")]
    start = 0
    while start < len(order):
        shortest = int(lengths[order[start]])
        longest = max(int(shortest * _PADDING), shortest + 4)
        end = int(np.searchsorted(lengths[order], longest, side="right"))
        curves = order[start:end]
        folded.put(curves, _fold_padded(x, y, weights, offsets, lengths, curves, degree))
        start = end
    return _within_range(folded)


def _between(
    folded: Folded,
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None,
    offsets: np.ndarray,
    long: np.ndarray,
    degree: int,
    kernel: str | None,
) -> Folded:
    """The short runs before, between and after the long ones, stretch by stretch."""
    ends = [-1, *long.tolist(), len(offsets) - 1]
    for before, after in pairwise(ends):
        if after - before > 1:
            some = offsets[before + 1 : after + 1]
            rows = slice(some[0], some[-1])
            omega = None if weights is None else weights[rows]
            part = fold_runs(x[rows], y[rows], omega, some - some[0], degree, kernel)
            folded.put(slice(before + 1, after), part)
    return folded


def _is_native(kernel: str | None, degree: int) -> bool:
    """Whether C folds: asked for, or here and not excluded by the environment."""
    return native_curves.serves(degree) if kernel is None else kernel == "native"


def _fold_long(x: Array, y: Array, weights: Array | None, degree: int) -> Folded:
    """Few long curves, each by the kernels of one curve."""
    folded = Folded.blank(y.shape[0], degree)
    for i in range(y.shape[0]):
        columns = [c if c is None or len(c.shape) == 1 else c[i, ...] for c in (x, y, weights)]
        one = _fold_one(columns, degree)
        folded.put([i], one)
    return folded


def _fold_one(columns: list[Any], degree: int) -> Folded:
    folded = Folded.blank(1, degree)
    xp = namespace(*(c for c in columns if c is not None))
    finite = xp.isfinite(columns[0]) & xp.isfinite(columns[1])
    if columns[2] is not None:
        finite = finite & xp.isfinite(columns[2])
    folded.omitted[0] = finite.shape[0] - int(xp.count_nonzero(finite))
    if folded.omitted[0]:
        columns = [None if c is None else c[finite] for c in columns]
    x, y, weights = columns
    folded.n[0] = x.shape[0] if weights is None else int(xp.count_nonzero(weights))
    if not folded.n[0]:
        return folded
    try:
        array, domain = kernels.compress(x, y, weights, degree)
    except OutOfRange:
        folded.array[0] = np.inf
        return folded
    folded.array[0] = array
    folded.lo[0], folded.hi[0] = domain.lo, domain.hi
    if weights is not None:
        host = to_host(weights)
        folded.log_weights[0] = np.log(host[host > 0]).sum()
    return folded


def _fold_padded(
    x: np.ndarray,
    y: np.ndarray,
    weights: np.ndarray | None,
    offsets: np.ndarray,
    lengths: np.ndarray,
    curves: np.ndarray,
    degree: int,
) -> Folded:
    """Runs of like length, as rows of one array with places left empty."""
    places = np.arange(int(lengths[curves].max()))
    live = places < lengths[curves, None]
    rows = np.where(live, offsets[curves, None] + places, offsets[curves, None])
    omega = None if weights is None else weights[rows]
    return curve_blocks.fold(x[rows], y[rows], omega, degree, None if live.all() else live)


def _within_range(folded: Folded) -> Folded:
    """Curves whose squares or domain are no doubles marked, their triangles NaN."""
    doubtful = np.flatnonzero(~folded.sound)
    with np.errstate(invalid="ignore"):
        largest = np.abs(folded.array[doubtful, :, -1]).max(axis=-1, initial=0.0)
        width = folded.hi[doubtful] / 2 - folded.lo[doubtful] / 2
        fine = (largest <= LARGEST) & (np.isfinite(width) | (folded.n[doubtful] == 0))
    out = doubtful[~fine]
    if len(out):
        folded.array[out] = np.nan
        folded.sound[out] = False
        folded.fault[out] = LEFT_RANGE
    return folded
