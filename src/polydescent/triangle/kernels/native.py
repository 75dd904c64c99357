"""Fused C on all cores (sums.c): sums where they serve, else reflections, always right."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

from polydescent.arrays import Array, host_view
from polydescent.checks import DEGREES
from polydescent.polynomial.basis import Domain
from polydescent.triangle.kernels import reference, sums
from polydescent.triangle.kernels.reference import stack
from polydescent.triangle.kernels.threads import cores, share_out

try:
    from polydescent.triangle.kernels._sums import ffi, lib
except ImportError as why:
    MISSING = f"not built in this install ({why})"
else:
    MISSING = ""

FEW = 1 << 15  # rows up to which reflections are faster than a pilot and sums
PIECE = 1 << 17  # rows a thread takes at a time: fixed, so the number of threads changes no digit
BYTES = {np.dtype(np.float64): 8, np.dtype(np.float32): 4}


def serves(x: Array, y: Array, weights: Array | None, degree: int) -> bool:
    """Whether such columns are taken: float64 or float32, any stride, in the host's memory."""
    if MISSING or degree > DEGREES["in C"]:
        return False
    columns = (x, y) if weights is None else (x, y, weights)
    return all(BYTES.get(getattr(host_view(c), "dtype", None)) for c in columns)


def compress(x: Array, y: Array, weights: Array | None, degree: int) -> tuple[np.ndarray, Domain]:
    """As `kernels.compress`, for columns that it `serves`."""
    x, y = host_view(x), host_view(y)
    weights = None if weights is None else host_view(weights)
    rows = ffi.new("rows *", (_column(x), _column(y), _column(weights)))
    n = x.shape[0]
    found = None
    if n > FEW:
        found = sums.compress(x, y, weights, degree, partial(_sums, rows, n))
    if found is None:
        found = _reflected(rows, n, degree)
    if found is None or sums.underflows(found[0], y):
        found = reference.compress(x, y, weights, degree)
    return found


def _sums(rows: Any, n: int, domain: Domain, pilot: np.ndarray) -> tuple[np.ndarray, Domain]:
    """The Gram matrix and the true domain: see `sums.compress`."""
    frame = _frame(domain, pilot)
    return sums.read(_pieces(lib.fold_sums, n, (3 * len(pilot) + 3,), rows, frame))


def discounted(
    x: Array,
    y: Array,
    weights: Array | None,
    domain: Domain,
    pilot: np.ndarray,
    loss: tuple[int, float],
    scale: float,
    bracket: tuple[float, float],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One read of rows that count less the farther they lie from `pilot`: see sums.h.

    x, y, weights: columns that it `serves`. pilot: Chebyshev weights on `domain`, which holds all
    x. loss: its code and width. bracket: the least and largest residual to hand over; (0, −1) for
    none. Returns the sums that `sums.gram` takes, of y − pilot; the tallies; the residuals within
    the bracket.
    """
    x, y = host_view(x), host_view(y)
    weights = None if weights is None else host_view(weights)
    columns = _column(x), _column(y), _column(weights)
    rows, frame = ffi.new("rows *", columns), _frame(domain, pilot)
    low, high = bracket
    discount = ffi.new("discount *", (*loss, scale, low, high))
    n, width, room = x.shape[0], 3 * len(pilot) + 1, PIECE + 1 if high >= low else 1
    parts = np.empty((-(-n // PIECE), width + 3 + lib.TALLIES))
    into, inside = ffi.from_buffer("double[]", parts), [np.empty(0)] * len(parts)

    def work(waiting: Iterator[int]) -> None:
        found = np.empty(room)
        there = ffi.from_buffer("double[]", found)
        for piece in waiting:
            first = piece * PIECE
            size, at = min(PIECE, n - first), into + piece * parts.shape[1]
            lib.fold_discounted(rows, frame, discount, first, size, at, there)
            inside[piece] = found[: int(parts[piece, -1])].copy()

    share_out(work, len(parts), cores())
    total = sums.pairwise(np.delete(parts, [width, width + 1, parts.shape[1] - 1], axis=1))
    return total[:width], total[width:], np.concatenate(inside)


def _reflected(rows: Any, n: int, degree: int) -> tuple[np.ndarray, Domain] | None:
    """The triangle by Householder reflections; None where squares leave the range of doubles."""
    lows, highs = _pieces(lib.fold_range, n, (2,), rows).T
    domain = Domain(float(lows.min()), float(highs.max()))
    if not (domain.is_point or sums.TINY < domain.half_width < 1 / sums.TINY):
        return None
    pilot = np.zeros(degree + 1)  # named, because C holds no reference to it
    frame = _frame(domain, pilot)
    parts = list(_pieces(lib.fold_triangle, n, (degree + 2, degree + 2), rows, frame))
    while len(parts) > 1:
        pairs = [stack(*pair) for pair in zip(parts[::2], parts[1::2], strict=False)]
        parts = pairs + parts[2 * len(pairs) :]
    return (parts[0], domain) if math.isfinite(parts[0][-1, -1]) else None


def _column(values: np.ndarray | None) -> tuple[Any, int, int, bool]:
    if values is None:
        return ffi.NULL, 0, 0, False
    size, stride = values.itemsize, values.strides[0]
    address = values.__array_interface__["data"][0]
    contiguous = stride == size and address % size == 0
    return ffi.cast("char *", address), stride, size, contiguous


def _frame(domain: Domain, pilot: np.ndarray) -> Any:
    scale = 0.0 if domain.is_point else 1 / domain.half_width
    return ffi.new(
        "frame *", (domain.mid, scale, len(pilot) - 1, ffi.from_buffer("double[]", pilot))
    )


def _pieces(fold: Callable[..., None], n: int, shape: tuple[int, ...], *given: Any) -> np.ndarray:
    """What `fold` makes of each PIECE of the rows, shape (pieces, *shape), on all cores."""
    results = np.empty((-(-n // PIECE), *shape))
    length = math.prod(shape)
    into = ffi.from_buffer("double[]", results)

    def work(waiting: Iterator[int]) -> None:
        for piece in waiting:
            first = piece * PIECE
            fold(*given, first, min(PIECE, n - first), into + piece * length)

    if len(results) == 1:
        fold(*given, 0, n, into)
    else:
        share_out(work, len(results), cores())
    return results
