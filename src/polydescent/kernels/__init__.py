"""Compress one chunk of rows into a triangle: one answer, several ways, chosen by what is there and by n."""

from __future__ import annotations

import numpy as np

from polydescent.arrays import Array
from polydescent.basis import Domain
from polydescent.kernels import reference


def compress(x: Array, y: Array, weights: Array | None, degree: int) -> tuple[np.ndarray, Domain]:
    """The triangle of the rows √weight·[T₀(u) … T_degree(u) | y], u = x mapped from its own domain.

    x, y, weights: shape (n,), n ≥ 1, real floating, one library and device; weights ≥ 0 or None for 1.
    Returns the upper triangle, shape (degree + 2, degree + 2), float64 on the host with a non-negative
    diagonal, and the domain [min x, max x]. Raises NotFinite where a value is NaN or infinite.
    """
    return reference.compress(x, y, weights, degree)
