"""Sums over cache-sized blocks in the array API: any CPU without a compiler, any torch device."""

from __future__ import annotations

from functools import partial

import numpy as np

from polydescent.arrays import Array, in_double, into, namespace, to_host
from polydescent.polynomial.basis import Domain
from polydescent.triangle.kernels import reference, sums

BLOCK = 1 << 13  # rows at once on a CPU: a column is 64 kB, and too short for BLAS to start threads
DEVICE_BLOCK = 1 << 18  # elsewhere: enough work for a launch, 2 MB a column
SMALL = 1 << 14  # rows up to which the reference is faster


def compress(x: Array, y: Array, weights: Array | None, degree: int) -> tuple[np.ndarray, Domain]:
    """As `kernels.compress`: sums over blocks (see `sums`), or `reference` where they fail."""
    found = None
    if x.shape[0] > SMALL:
        found = sums.compress(x, y, weights, degree, partial(_sums, x, y, weights))
    return found or reference.compress(x, y, weights, degree)


def _sums(
    x: Array, y: Array, weights: Array | None, domain: Domain, pilot: np.ndarray
) -> tuple[np.ndarray, Domain]:
    """The Gram matrix and the true domain, see `sums.compress`; the device is asked once."""
    xp, n, k = namespace(x), x.shape[0], len(pilot)
    on_host = str(getattr(x, "device", "cpu")).startswith(("cpu", "mps"))
    size = min(BLOCK if on_host else DEVICE_BLOCK, n)
    kind = {"dtype": xp.float64, "device": in_double(x[:1]).device}
    parts = xp.empty((-(-n // size), 3 * k + 3), **kind)
    curve = xp.asarray(pilot, **kind)
    T = xp.ones((k, size), **kind)
    for part in range(parts.shape[0]):
        rows = slice(part * size, min((part + 1) * size, n))
        x_block, rest = in_double(x[rows]), in_double(y[rows])
        V, low, high = T[:, : rest.shape[0]], x_block, x_block
        if weights is not None:
            root = xp.sqrt(in_double(weights[rows]))
            live = root != 0.0  # chosen, not multiplied: a weight of 0 silences NaN
            low, high = xp.where(live, x_block, xp.inf), xp.where(live, x_block, -xp.inf)
            x_block, rest = xp.where(live, x_block, domain.mid), xp.where(live, rest, 0.0) * root
            V[0, :] = root
        fill(V, x_block, domain)
        rest = rest - curve @ V
        parts[part, :-2] = xp.concat((V @ V[0, :], V @ V[-1, :], V @ rest, (rest @ rest)[None]))
        parts[part, -2], parts[part, -1] = xp.min(low), xp.max(high)
    return sums.read(to_host(parts))


def fill(V: Array, x: Array, domain: Domain) -> None:
    """Fill the columns after the first, √weight, of V, shape (k, rows), by the recurrence."""
    if V.shape[0] == 1:
        return
    u = (x - domain.mid) * (1 / domain.half_width)  # a guessed domain has width: see `sums`
    into(V[1, :], "multiply", u, V[0, :])
    u += u
    for j in range(2, V.shape[0]):
        into(V[j, :], "multiply", u, V[j - 1, :])
        V[j, :] -= V[j - 2, :]
