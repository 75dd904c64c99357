"""Rows brought together by the code of their group, in their own order: in C, or by counting."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

try:
    from polydescent.many._partition import ffi, lib
except ImportError as why:
    MISSING = f"not built in this install ({why})"
else:
    MISSING = ""

Column = np.ndarray | None


def partition(
    codes: np.ndarray, m: int, columns: Sequence[Column]
) -> tuple[np.ndarray, list[Column]]:
    """(offsets, columns): row by row the groups 0 … m − 1, group c from offsets[c] to
    offsets[c + 1].

    codes: shape (n,), int64, each in [0, m). columns: shape (n,) each, or None, which stays.
    """
    ordered = len(codes) < 2 or bool((codes[1:] >= codes[:-1]).all())
    there = [column for column in columns if column is not None]
    if ordered or MISSING or any(column.dtype != np.float64 for column in there):
        return _counted(codes, m, columns, ordered)
    codes = np.ascontiguousarray(codes, dtype=np.int64)
    offsets = np.empty(m + 1, dtype=np.int64)
    pointer = ffi.from_buffer("int64_t[]", codes)
    lib.count_codes(pointer, len(codes), m, ffi.from_buffer("int64_t[]", offsets))
    held = [np.ascontiguousarray(column) for column in there]
    into = [np.empty_like(column) for column in held]
    sides = ([ffi.from_buffer("double[]", a) for a in arrays] for arrays in (held, into))
    pointers = [ffi.new("double *[]", side) for side in sides]
    following = offsets[:-1].copy()
    lib.scatter(pointer, len(codes), ffi.from_buffer("int64_t[]", following), len(held), *pointers)
    found = iter(into)
    return offsets, [None if column is None else next(found) for column in columns]


def _counted(
    codes: np.ndarray, m: int, columns: Sequence[Column], ordered: bool
) -> tuple[np.ndarray, list[Column]]:
    """The same in NumPy, whose stable sort of 16 bits counts."""
    offsets = np.zeros(m + 1, dtype=np.int64)
    np.cumsum(np.bincount(codes, minlength=m), out=offsets[1:])
    if ordered:
        return offsets, list(columns)
    order = np.argsort((codes & 0xFFFF).astype(np.uint16), kind="stable")
    for shift in range(16, max(m - 1, 1).bit_length(), 16):
        digit = ((codes >> shift) & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(digit[order], kind="stable")]
    return offsets, [None if column is None else column[order] for column in columns]
