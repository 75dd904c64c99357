"""Sums over cache-sized blocks in the array API: any CPU without a compiler, any torch device."""

from __future__ import annotations

from functools import partial

import numpy as np

from polydescent.arrays import Array, in_double, namespace, to_host
from polydescent.basis import Domain
from polydescent.kernels import moments, reference

BLOCK = 1 << 13  # rows at once on a CPU: a column is 64 kB, and too short for BLAS to start threads
DEVICE_BLOCK = 1 << 18  # elsewhere: enough work for a launch, 2 MB a column
SMALL = 1 << 14  # rows up to which the reference is faster


def compress(x: Array, y: Array, weights: Array | None, degree: int) -> tuple[np.ndarray, Domain]:
    """As `kernels.compress`: sums over blocks (see `moments`), or `reference` where they fail."""
    found = None
    if x.shape[0] > SMALL:
        found = moments.compress(x, y, weights, degree, partial(_sums, x, y, weights))
    return found or reference.compress(x, y, weights, degree)


def _sums(
    x: Array, y: Array, weights: Array | None, domain: Domain, pilot: np.ndarray
) -> tuple[np.ndarray, Domain]:
    """The Gram matrix and the true domain, see `moments.compress`; the device is asked once."""
    xp, n, k = namespace(x), x.shape[0], len(pilot)
    on_host = str(getattr(x, "device", "cpu")).startswith(("cpu", "mps"))
    size = min(BLOCK if on_host else DEVICE_BLOCK, n)
    kind = {"dtype": xp.float64, "device": in_double(x[:1]).device}
    T, parts = xp.empty((k, size), **kind), xp.empty((-(-n // size), 3 * k + 3), **kind)
    for part, start in enumerate(range(0, n, size)):
        rows = slice(start, min(start + size, n))
        x_block, rest = in_double(x[rows]), in_double(y[rows])
        u, lowest, highest, V = domain.to_unit(x_block), x_block, x_block, T[:, : x_block.shape[0]]
        V[0, :] = 1.0
        if weights is not None:
            root = xp.sqrt(in_double(weights[rows]))
            live = root != 0.0  # chosen, not multiplied: a weight of 0 silences NaN
            u, rest = xp.where(live, u, 0.0), xp.where(live, rest, 0.0) * root
            lowest, highest = xp.where(live, x_block, xp.inf), xp.where(live, x_block, -xp.inf)
            V[0, :] = root
        if k > 1:
            V[1, :] = u * V[0, :]
        twice = u + u
        for j in range(2, k):
            V[j, :] = twice * V[j - 1, :] - V[j - 2, :]
        for j in range(k):
            rest = rest - float(pilot[j]) * V[j, :]
        parts[part, :k] = xp.vecdot(V, V[:1, :])
        parts[part, k : 2 * k] = xp.vecdot(V, V[k - 1 :, :])
        parts[part, 2 * k : 3 * k] = xp.vecdot(V, rest[None, :])
        parts[part, 3 * k] = xp.vecdot(rest, rest)
        parts[part, 3 * k + 1], parts[part, 3 * k + 2] = xp.min(lowest), xp.max(highest)
    return moments.read(to_host(parts))
