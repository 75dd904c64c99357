"""Fused C on all cores (curves.c): many curves, each folded while it is in the nearest cache."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np

from polydescent.arrays import Array, host_view
from polydescent.checks import DEGREES
from polydescent.triangle import kernels
from polydescent.triangle.kernels.folded import Folded
from polydescent.triangle.kernels.threads import cores, share_out

try:
    from polydescent.triangle.kernels._curves import ffi, lib
except ImportError as why:
    MISSING = f"not built in this install ({why})"
else:
    MISSING = ""

PIECE = 1 << 17  # numbers a thread takes at a time
_MERGED = 1 << 12  # triangles a thread takes at a time
_NEAR = 4096  # rows of the curves that are in work at once: see curves.c
_BYTES = {np.dtype(np.float64): 8, np.dtype(np.float32): 4}


def on_host(column: Array | None) -> np.ndarray | None:
    """The column as C takes it, float64 or float32, without a copy where it is that; None where it
    lives elsewhere.
    """
    held = None if column is None else host_view(column)
    if held is None or held.dtype in _BYTES:
        return held
    return held.astype(np.float64)


def serves(degree: int) -> bool:
    """Whether C is here, not excluded by the environment, and takes such a degree."""
    allowed = os.environ.get(kernels.ALLOWED, "native")
    return not MISSING and degree <= DEGREES["in C"] and "native" in allowed


def fold_rows(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, degree: int
) -> tuple[Folded, np.ndarray]:
    """As `curves.fold_rows`, and which curves are left to others, shape (m,)."""
    given = ffi.new("many_curves *", (*map(_column, (x, y, weights)), y.shape[1], ffi.NULL))
    return _folded(given, y.shape[0], y.shape[1], y.size, degree)


def fold_runs(
    x: np.ndarray, y: np.ndarray, weights: np.ndarray | None, offsets: np.ndarray, degree: int
) -> tuple[Folded, np.ndarray]:
    """As `curves.fold_runs`, and which curves are left to others, shape (m,)."""
    offsets = np.ascontiguousarray(offsets, dtype=np.int64)
    at = ffi.from_buffer("int64_t[]", offsets)
    given = ffi.new("many_curves *", (*map(_column, (x, y, weights)), 0, at))
    most = int(np.diff(offsets).max(initial=0))
    return _folded(given, len(offsets) - 1, most, len(x), degree)


def _column(values: np.ndarray | None) -> tuple[Any, int, int, int]:
    """Where it lies: of shape (n,), shared or of runs, or (m, n)."""
    if values is None:
        return ffi.NULL, 0, 0, 8
    step = values.strides[0] if values.ndim == 2 else 0
    address = values.__array_interface__["data"][0]
    return ffi.cast("char *", address), step, values.strides[-1], _BYTES[values.dtype]


def _folded(given: Any, m: int, most: int, numbers: int, degree: int) -> tuple[Folded, np.ndarray]:
    k = degree + 1
    array, weights = np.empty((m, k + 1, k + 1)), np.empty((m, k))
    lo, hi, logs = np.empty((3, m))
    n, omitted = np.empty((2, m), dtype=np.int64)
    state = np.empty(m, dtype=np.int8)
    doubles = (ffi.from_buffer("double[]", a) for a in (array, weights, lo, hi, logs))
    whole = (ffi.from_buffer("int64_t[]", a) for a in (n, omitted))
    into = (*doubles, *whole, ffi.from_buffer("int8_t[]", state))
    out = ffi.new("folded_curves *", into)
    size = max(PIECE * m // max(numbers, 1), 1)

    def work(waiting: Iterator[int]) -> None:
        scratch = np.empty((3 * degree + 12) * most + 3 * _NEAR)
        room = ffi.from_buffer("double[]", scratch)
        for piece in waiting:
            first = piece * size
            lib.fold_curves(given, degree, first, min(first + size, m), out, room)

    share_out(work, -(-m // size), cores())
    folded = Folded(
        array, lo, hi, n, logs, omitted, np.zeros(m, dtype=np.int8), weights, state == lib.SOUND
    )
    return folded, state == lib.HARD


def merge(
    mine: tuple[np.ndarray, ...], theirs: tuple[np.ndarray, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """The triangles of the rows of both, shape (m, k + 1, k + 1), on the unions of their domains,
    and which are left to others, shape (m,).

    mine, theirs: triangles, lo, hi and n of m curves each.
    """
    held = [[np.ascontiguousarray(c, dtype=np.float64) for c in side] for side in (mine, theirs)]
    m, size, _ = held[0][0].shape
    stacks = [
        ffi.new("stack_of_triangles *", [ffi.from_buffer("double[]", c) for c in side])
        for side in held
    ]
    merged, hard = np.empty((m, size, size)), np.empty(m, dtype=np.int8)
    into, flags = ffi.from_buffer("double[]", merged), ffi.from_buffer("int8_t[]", hard)

    def work(waiting: Iterator[int]) -> None:
        for piece in waiting:
            first = piece * _MERGED
            last = min(first + _MERGED, m)
            lib.merge_triangles(*stacks, size, first, last, into, flags)

    share_out(work, -(-m // _MERGED), cores())
    return merged, hard > 0
