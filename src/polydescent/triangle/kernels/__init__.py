"""Compress one chunk of rows into a triangle: one answer, several ways, the fastest that serves."""

from __future__ import annotations

import os
import warnings
from typing import Any

import numpy as np

from polydescent.arrays import Array, on_rows
from polydescent.errors import SlowKernelsWarning, UnknownName
from polydescent.polynomial.basis import Domain
from polydescent.triangle.kernels import blocks, native, reference
from polydescent.triangle.kernels.threads import cores

KERNELS = {
    "native": native,
    "blocks": blocks,
    "reference": reference,
}  # the first that serves is taken
ALLOWED = "POLYDESCENT_KERNELS"  # the environment may name fewer, such as "blocks,reference"
_MANY = 100_000  # rows from which a user notices that the C kernels are absent


def compress(
    x: Array, y: Array, weights: Array | None, degree: int, kernel: str | None = None
) -> tuple[np.ndarray, Domain]:
    """The triangle of the rows √weight·[T₀(u) … T_degree(u) | y], u = x mapped from its own domain.

    x, y, weights: shape (n,), n ≥ 1, real floating, one library and device; weights ≥ 0, or None
    for 1. A row of weight 0 does not count, whatever its x and y are. Sums are in float64. `kernel`
    names the one to use; left out, the fastest that serves such columns.

    Returns the upper triangle, shape (degree + 2, degree + 2), float64 on the host with a
    non-negative diagonal, and the domain [min x, max x], (inf, −inf) if no row counts. Raises
    NotFinite where a value is NaN or infinite, OutOfRange where its square is, UnknownName for a
    kernel that is absent or does not take such columns.
    """
    x, y, weights = (None if c is None else on_rows(c) for c in (x, y, weights))
    if kernel is None:
        kernel = "native" if _native_serves(x, y, weights, degree) else "blocks"
        if native.MISSING and x.shape[0] >= _MANY and ALLOWED not in os.environ:
            warnings.warn(SlowKernelsWarning(x.shape[0], native.MISSING), stacklevel=2)
    elif kernel not in (serving := _serving(x, y, weights, degree)):
        raise UnknownName("kernel for these columns", kernel, serving)
    return KERNELS[kernel].compress(x, y, weights, degree)


def discounted(
    x: Array, y: Array, weights: Array | None, domain: Domain, pilot: np.ndarray, *loss: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """Rows that count less the farther they lie from a curve, folded as they are weighed: see
    `native.discounted`. None where no kernel here does so for such columns.
    """
    if not _native_serves(x, y, weights, len(pilot) - 1):
        return None
    return native.discounted(x, y, weights, domain, pilot, *loss)


def available() -> dict[str, str]:
    """Each kernel's name and why it is absent here, "" if it is not; fastest first."""
    absent = native.MISSING
    if not absent and "native" not in os.environ.get(ALLOWED, "native"):
        absent = f"excluded by {ALLOWED}={os.environ[ALLOWED]}"
    return {"native": absent, "blocks": "", "reference": ""}


def described() -> str:
    """A line for each kernel: whether it is here, what it is, why not; and the threads it has."""
    lines = []
    for name, absent in available().items():
        what = (KERNELS[name].__doc__ or "").partition("\n")[0]
        lines.append(f"{name:<10} {f'absent: {absent}' if absent else f'here: {what}'}")
    return "\n".join([*lines, f"{'threads':<10} {cores()}"])


def _native_serves(x: Array, y: Array, weights: Array | None, degree: int) -> bool:
    allowed = os.environ.get(ALLOWED)
    return (allowed is None or "native" in allowed) and native.serves(x, y, weights, degree)


def _serving(x: Array, y: Array, weights: Array | None, degree: int) -> list[str]:
    return [k for k in KERNELS if k != "native" or _native_serves(x, y, weights, degree)]
