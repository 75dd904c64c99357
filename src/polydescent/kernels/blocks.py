"""Sums over cache-sized blocks in the array API: any CPU without a compiler, any torch device."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import numpy as np

from polydescent.arrays import Array, in_double, namespace, quiet, to_host
from polydescent.basis import Domain
from polydescent.kernels import moments, reference
from polydescent.kernels.threads import cores, share_out

BLOCK = 1 << 13  # rows at once on a CPU: a column is 64 kB, so a degree of 10 fits the cache
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
    parts = xp.empty((-(-n // size), 3 * k + 3), **kind)
    curve = xp.asarray(pilot, **kind)

    def work(waiting: Iterator[int]) -> None:
        T = xp.empty((k, size), **kind)
        with quiet():  # a thread has its own
            for part in waiting:
                rows = slice(part * size, min((part + 1) * size, n))
                root = None if weights is None else xp.sqrt(in_double(weights[rows]))
                u, rest, seen = _framed(in_double(x[rows]), in_double(y[rows]), root, domain)
                V = T[:, : u.shape[0]]
                V[0, :] = 1.0 if root is None else root
                parts[part, :-2] = _products(V, u, rest, curve)
                parts[part, -2], parts[part, -1] = seen

    # NumPy lets go of the interpreter in each operation; torch spreads them over the cores itself
    share_out(work, parts.shape[0], cores() if xp is np else 1)
    return moments.read(to_host(parts))


def _framed(
    x: Array, y: Array, root: Array | None, domain: Domain
) -> tuple[Array, Array, tuple[Array, Array]]:
    """(u, √weight·y, (min x, max x)) of a block; root: √weight, None for 1."""
    xp = namespace(x)
    u = (x - domain.mid) * (1 / domain.half)  # a guessed domain has width: see `moments`
    if root is None:
        return u, y, (xp.min(x), xp.max(x))
    live = root != 0.0  # chosen, not multiplied: a weight of 0 silences NaN
    lowest, highest = xp.where(live, x, xp.inf), xp.where(live, x, -xp.inf)
    rest = xp.where(live, y, 0.0) * root
    return xp.where(live, u, 0.0), rest, (xp.min(lowest), xp.max(highest))


def _products(V: Array, u: Array, rest: Array, curve: Array) -> Array:
    """The sums of products of one block, as `moments.read` takes them, shape (3k + 1,).

    V: shape (k, rows), its first row √weight; the others are filled in. curve: the pilot, (k,).
    """
    xp, k = namespace(V), V.shape[0]
    if k > 1:
        V[1, :] = u * V[0, :]
    twice = u + u
    for j in range(2, k):
        V[j, :] = twice * V[j - 1, :]
        V[j, :] -= V[j - 2, :]
    rest = rest - curve @ V
    return xp.concat((V @ V[0, :], V @ V[k - 1, :], V @ rest, (rest @ rest)[None]))
