"""Two stacks of triangles into one: reflections, each done to all curves of the stack at once."""

from __future__ import annotations

import numpy as np

from polydescent.triangle.kernels import reference

_FEW = 32  # curves up to which one QR each is faster
_BLOCK = 1 << 11  # curves in work at once: their entries stay in a processor's cache
_LEAST, _MOST = 1e-120, 1e120  # entries whose squares add up without leaving the doubles


def stack(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """The triangles of the rows of both, shape (…, k, k), the diagonal ≥ 0: same basis, same
    domain.
    """
    leading, size = upper.shape[:-2], upper.shape[-1]
    if int(np.prod(leading)) <= _FEW:
        return reference.stack(upper, lower)
    upper, lower = (a.reshape(-1, size, size) for a in np.broadcast_arrays(upper, lower))
    found = np.zeros(upper.shape)
    for start in range(0, len(upper), _BLOCK):
        some = slice(start, start + _BLOCK)
        found[some] = _reflected(upper[some], lower[some])
    with np.errstate(invalid="ignore"):
        largest = np.maximum(np.abs(upper).max((1, 2)), np.abs(lower).max((1, 2)))
        far = ~((largest > _LEAST) & (largest < _MOST)) & (largest != 0)
    if far.any():
        found[far] = reference.stack(upper[far], lower[far])
    return found.reshape(*leading, size, size)


def _reflected(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """The same of one block, shape (b, k, k)."""
    size = upper.shape[-1]
    pairs = [(i, j) for i in range(size) for j in range(i, size)]
    top = {(i, j): np.ascontiguousarray(upper[:, i, j]) for i, j in pairs}
    low = {(i, j): np.ascontiguousarray(lower[:, i, j]) for i, j in pairs}
    found = np.zeros(upper.shape)
    with np.errstate(all="ignore"):  # of the curves that are done again
        for j in range(size):
            # column j: only its own row above, and the rows up to j below, are not 0 there
            own = top[j, j]
            length = own * own
            for i in range(j + 1):
                length = length + low[i, j] * low[i, j]
            length = np.sqrt(length)
            first = own + length  # both ≥ 0: nothing cancels
            scale = length * first
            scale = np.where(scale == 0, 1.0, scale)
            found[:, j, j] = length
            for other in range(j + 1, size):
                dot = first * top[j, other]
                for i in range(j + 1):
                    dot = dot + low[i, j] * low[i, other]
                dot = dot / scale
                found[:, j, other] = np.where(
                    length == 0, top[j, other], first * dot - top[j, other]
                )
                for i in range(j + 1):
                    low[i, other] = low[i, other] - low[i, j] * dot
    return found
