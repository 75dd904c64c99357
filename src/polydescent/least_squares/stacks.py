"""Back-substitution for a stack of triangles, column by column over all of them at once."""

from __future__ import annotations

import numpy as np


def back_substituted(R: np.ndarray, z: np.ndarray) -> np.ndarray:
    """w with R·w = z, shape (…, k), for R (…, k, k), upper triangular, and z (…, k)."""
    w = np.empty(np.broadcast_shapes(R.shape[:-1], z.shape))
    for i in range(z.shape[-1] - 1, -1, -1):
        entry = z[..., i]
        for j in range(i + 1, z.shape[-1]):
            entry = entry - R[..., i, j] * w[..., j]
        w[..., i] = entry / R[..., i, i]
    return w


def inverse(R: np.ndarray) -> np.ndarray:
    """R⁻¹, shape (…, k, k), upper triangular as R is."""
    found = np.zeros_like(R)
    k = R.shape[-1]
    for j in range(k):
        found[..., j, j] = 1 / R[..., j, j]
        for i in range(j - 1, -1, -1):
            entry = R[..., i, i + 1] * found[..., i + 1, j]
            for between in range(i + 2, j + 1):
                entry = entry + R[..., i, between] * found[..., between, j]
            found[..., i, j] = -entry / R[..., i, i]
    return found
