"""Many curves into as many triangles: rows of an array, or runs of rows one after the other."""

from __future__ import annotations

import numpy as np

from polydescent.arrays import Array, on_rows
from polydescent.triangle.kernels import curve_blocks
from polydescent.triangle.kernels.folded import LEFT_RANGE, Folded

LARGEST = 1e150  # its square, and sums of such squares, fit a double
_PADDING = 1.25  # longest by shortest of the runs that are padded to one length
_LONG = 1 << 15  # rows of one curve from which the kernels of one curve take over


def fold_rows(x: Array, y: Array, weights: Array | None, degree: int) -> Folded:
    """The triangles of the rows of y, one curve each, on their own domains.

    x: shape (n,), for all curves, or (m, n). y: (m, n). weights: None for 1, (n,) or (m, n), ≥ 0; a
    row of weight 0 does not count. All real floating, of one library and device. Rows in which one
    of them is NaN or infinite are left out and counted; no curve's trouble changes another.
    """
    x, y, weights = (None if c is None else on_rows(c) for c in (x, y, weights))
    return _within_range(curve_blocks.fold(x, y, weights, degree))


def fold_runs(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, offsets: np.ndarray, degree: int
) -> Folded:
    """The same of runs: curve i is made of the rows offsets[i] … offsets[i + 1] − 1.

    x, y, weights: shape (rows,), real floating, of NumPy; weights may be None for 1. offsets:
    shape (m + 1,), whole numbers that do not fall, from 0 to rows.
    """
    offsets = np.asarray(offsets, dtype=np.int64)
    lengths = np.diff(offsets)
    folded = Folded.blank(len(lengths), degree)
    order = np.argsort(lengths, kind="stable")
    start = int(np.searchsorted(lengths[order], 0, side="right"))  # those without rows stay blank
    while start < len(order):
        shortest = lengths[order[start]]
        longest = max(int(shortest * _PADDING), int(shortest) + 4)
        end = int(np.searchsorted(lengths[order], longest, side="right"))
        curves = order[start:end]
        folded.put(curves, _fold_padded(x, y, weights, offsets, lengths, curves, degree))
        start = end
    return _within_range(folded)


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
    with np.errstate(invalid="ignore"):
        largest = np.abs(folded.array[:, :, -1]).max(axis=-1, initial=0.0)
        width = folded.hi / 2 - folded.lo / 2
        out = ~(largest <= LARGEST) | ((folded.n > 0) & ~np.isfinite(width))
    if out.any():
        folded.array[out] = np.nan
        folded.sound[out] = False
        folded.fault[out] = LEFT_RANGE
    return folded
