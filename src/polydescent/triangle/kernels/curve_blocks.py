"""Many curves at once in the array API: any CPU without a compiler, any torch device."""

from __future__ import annotations

from typing import Any

import numpy as np

from polydescent.arrays import Array, in_double, namespace, quiet, to_host
from polydescent.triangle.kernels.folded import Folded, joined

NUMBERS = 1 << 16  # of one column that are in work at once on a CPU: 512 kB
DEVICE_NUMBERS = 1 << 22  # elsewhere: 32 MB
CONDITION = 30.0  # ‖R‖·‖R⁻¹‖ from which sums of squares have lost digits that others keep
SUMMED = 12  # the degree up to which sums are tried: beyond, few curves are conditioned so well
LOST = 1e-270  # a sum of squares below it has lost digits
TINY, HUGE = 1e-140, 1e150  # lengths below and above have squares that are no longer doubles

Columns = list[Array]  # of all curves of a block, shape (b, n) or (b,) each
Triangles = list[list[Array]]  # [i][j] is entry (i, j) of all curves, shape (b,); None below


def fold(
    x: Array, y: Array, weights: Array | None, degree: int, live: Array | None = None
) -> Folded:
    """The curves of the rows of y, shape (m, n), one by one: see `curves.fold_rows`.

    x: shape (n,) or (m, n). weights: None, (n,) or (m, n), ≥ 0. live: False where there is no row
    at all, (m, n); None where there are all.
    """
    xp = namespace(x, y)
    m, n = y.shape
    on_host = str(getattr(y, "device", "cpu")).startswith(("cpu", "mps"))
    size = max((NUMBERS if on_host else DEVICE_NUMBERS) // max(n, 1), 1)
    parts = []
    for start in range(0, m, size):
        some = slice(start, min(start + size, m))
        x_block, y_block, omega, there = (
            None if c is None else c[None, :] if len(c.shape) == 1 else c[some, ...]
            for c in (x, y, weights, live)
        )
        omega = None if omega is None else in_double(omega)
        with quiet():
            parts.append(_folded(xp, in_double(x_block), in_double(y_block), omega, degree, there))
    return joined(parts, degree)


def _folded(
    xp: Any, x: Array, y: Array, omega: Array | None, degree: int, live: Array | None
) -> Folded:
    """One block of b curves: x, omega of shape (b, n) or (1, n), y and live (b, n)."""
    b, n = y.shape
    k = degree + 1
    if n == 0:
        return Folded.blank(b, degree)
    count = omitted = None
    if live is not None or omega is not None or not _is_finite(xp, x, y):
        zero = xp.zeros_like(y)
        finite = xp.isfinite(x) & xp.isfinite(y)
        if omega is not None:
            finite = finite & xp.isfinite(omega)
        there = finite | True if live is None else live
        omitted = xp.sum(xp.astype(there & ~finite, xp.int64), axis=-1)
        live = there & finite if omega is None else there & finite & (omega > 0)
        count = xp.sum(xp.astype(live, xp.int64), axis=-1)
        omega = xp.where(live, zero + 1 if omega is None else omega + zero, zero)
    lo, hi, u, half = _mapped(xp, xp.broadcast_to(x, y.shape), live)
    if live is None:
        origin = y[:, 0]
    else:
        first = xp.argmax(xp.astype(live, xp.int8), axis=-1)[:, None]
        index = xp.arange(n, device=first.device)[None, :]
        y = xp.where(live, y, zero)
        origin = xp.sum(xp.where(index == first, y, zero), axis=-1)
    rest = y - origin[:, None]
    if live is not None:
        rest = xp.where(live, rest, xp.zeros_like(rest))
    T = _chebyshev(xp, u, degree)
    triangle = xp.zeros((b, k + 1, k + 1), dtype=xp.float64, device=y.device)
    weights = xp.zeros((b, k), dtype=xp.float64, device=y.device)
    sound = xp.zeros(b, dtype=xp.bool, device=y.device)
    enough = n >= 2 * k if count is None else bool(xp.any(count >= 2 * k))
    if degree <= SUMMED and enough:
        R, z, rss, w, sound = _summed(xp, T, omega, rest, origin)
        sound = sound & (half > TINY) & (half < HUGE)
        if count is not None:
            sound = sound & (count >= 2 * k)
        for i in range(k):
            for j in range(i, k):
                triangle[:, i, j] = R[i][j]
            triangle[:, i, k] = z[i]
            weights[:, i] = w[i]
        triangle[:, k, k] = xp.sqrt(rss)
    if not bool(xp.all(sound)):
        hard = ~sound
        (at,) = xp.nonzero(hard)
        columns = [xp.take(c, at, axis=0) for c in (*T, rest)]
        if omega is not None:
            root = xp.sqrt(xp.take(omega, at, axis=0))
            columns = [root * c for c in columns]
        found = _orthogonalized(xp, columns)
        rank = xp.cumulative_sum(xp.astype(hard, xp.int64))
        place = xp.where(hard, rank - 1, xp.zeros_like(rank))
        triangle = xp.where(hard[:, None, None], xp.take(found, place, axis=0), triangle)
    triangle[:, 0, k] += triangle[:, 0, 0] * origin
    weights[:, 0] += origin
    logs = xp.zeros_like(lo)
    if omega is not None:
        logs = xp.sum(xp.log(xp.where(omega > 0, omega, xp.ones_like(omega))), axis=-1)
    used, left_out = (
        np.full(b, whole, dtype=np.int64) if c is None else to_host(c).astype(np.int64)
        for c, whole in ((count, n), (omitted, 0))
    )
    return Folded(
        to_host(triangle),
        to_host(lo),
        to_host(hi),
        used,
        to_host(logs),
        left_out,
        np.zeros(b, dtype=np.int8),
        to_host(weights),
        to_host(sound) > 0,
    )


def _is_finite(xp: Any, *columns: Array) -> bool:
    """Whether no value is NaN or infinite: one sum tells, and sums that overflow look again."""
    return all(bool(xp.isfinite(xp.sum(c))) or bool(xp.all(xp.isfinite(c))) for c in columns)


def _mapped(xp: Any, x: Array, live: Array | None) -> tuple[Array, Array, Array, Array]:
    """The domain of each curve, lo and hi, u = x mapped from it to [−1, 1], and half its width."""
    if live is None:
        lo, hi = xp.min(x, axis=-1), xp.max(x, axis=-1)
    else:
        infinite = xp.zeros_like(x) + np.inf
        lo = xp.min(xp.where(live, x, infinite), axis=-1)
        hi = xp.max(xp.where(live, x, -infinite), axis=-1)
    mid, half = lo / 2 + hi / 2, hi / 2 - lo / 2
    wide = half > 0
    u = (x - mid[:, None]) / xp.where(wide, half, xp.ones_like(half))[:, None]
    inside = wide[:, None] if live is None else live & wide[:, None]
    if live is not None or not bool(xp.all(wide)):
        u = xp.where(inside, u, xp.zeros_like(u))
    return lo, hi, u, half


def _chebyshev(xp: Any, u: Array, degree: int) -> Columns:
    """T₀(u) … T_degree(u)."""
    T = [xp.ones_like(u), u]
    for j in range(2, degree + 1):
        T.append(2 * u * T[j - 1] - T[j - 2])
    return T[: degree + 1]


def _summed(
    xp: Any, T: Columns, omega: Array | None, rest: Array, origin: Array
) -> tuple[Triangles, Columns, Array, Columns, Array]:
    """R, z, rss and weights by Cholesky of sums of products, corrected once by the residuals, and
    of which curves they are good.
    """
    k = len(T)
    weighed = T if omega is None else [omega * t for t in T]
    low = [xp.sum(t, axis=-1) for t in weighed]
    high = [xp.vecdot(t, T[-1]) for t in weighed]
    right = [xp.vecdot(t, rest) for t in weighed]
    moments = [*low, *(2 * high[j] - low[k - 1 - j] for j in range(1, k))]
    gram = [[(moments[i + j] + moments[abs(i - j)]) / 2 for j in range(k)] for i in range(k)]
    R, good = _cholesky(xp, gram)
    inverse = _inverse(R)
    good = good & (_square(R) * _square(inverse) <= CONDITION**2)
    z = _transposed_times(inverse, right)
    w = _times(inverse, z)
    left = rest
    for j in range(k):
        left = left - w[j][:, None] * T[j]
    weighed_left = left if omega is None else omega * left
    rss = xp.vecdot(weighed_left, left)
    more = _transposed_times(inverse, [xp.vecdot(weighed_left, t) for t in T])
    for step in more:
        rss = rss - step * step
    rss = xp.where(rss > 0, rss, xp.zeros_like(rss))
    w = [a + b for a, b in zip(w, _times(inverse, more), strict=True)]
    z = [a + b for a, b in zip(z, more, strict=True)]
    size = sum(xp.abs(entry) for entry in z) + xp.abs(R[0][0] * origin)
    good = good & (rss < HUGE**2) & (size < HUGE) & (R[0][0] > TINY)
    good = good & ((size > 1e3 * TINY) | (size == 0))
    lost = (rss < LOST) & xp.any(left != 0, axis=-1)  # their squares are no doubles
    good = good & ~lost
    return R, z, rss, w, good


def _cholesky(xp: Any, gram: Triangles) -> tuple[Triangles, Array]:
    """R with RᵀR = the Gram matrix, and of which curves it is positive definite."""
    k = len(gram)
    R: Triangles = [[None] * k for _ in range(k)]
    good = gram[0][0] > 0
    for i in range(k):
        for j in range(i, k):
            entry = gram[i][j]
            for above in range(i):
                entry = entry - R[above][i] * R[above][j]
            if j == i:
                good = good & (entry > 0)
                entry = xp.sqrt(xp.where(entry > 0, entry, xp.ones_like(entry)))
            else:
                entry = entry / R[i][i]
            R[i][j] = entry
    return R, good


def _inverse(R: Triangles) -> Triangles:
    k = len(R)
    inverse: Triangles = [[None] * k for _ in range(k)]
    for j in range(k):
        inverse[j][j] = 1 / R[j][j]
        for i in range(j - 1, -1, -1):
            entry = sum(R[i][between] * inverse[between][j] for between in range(i + 1, j + 1))
            inverse[i][j] = -entry / R[i][i]
    return inverse


def _square(R: Triangles) -> Array:
    """The square of the Frobenius norm."""
    return sum(R[i][j] * R[i][j] for i in range(len(R)) for j in range(i, len(R)))


def _times(R: Triangles, v: Columns) -> Columns:
    return [sum(R[i][j] * v[j] for j in range(i, len(v))) for i in range(len(v))]


def _transposed_times(R: Triangles, v: Columns) -> Columns:
    return [sum(R[i][j] * v[i] for i in range(j + 1)) for j in range(len(v))]


def _orthogonalized(xp: Any, columns: Columns) -> Array:
    """The triangle of the columns, shape (b, size, size).

    Each column is taken out of those after it: Gram and Schmidt's process, modified, gives the R of
    Householder's reflections of the rows below as many rows of zeros, to the last rounding.
    """
    size = len(columns)
    columns = list(columns)
    b, device = columns[0].shape[0], columns[0].device
    triangle = xp.zeros((b, size, size), dtype=xp.float64, device=device)
    for j in range(size):
        largest = xp.max(xp.abs(columns[j]), axis=-1)
        largest = xp.where(largest > 0, largest, xp.ones_like(largest))[:, None]
        unit = columns[j] / largest  # so that no square underflows
        length = xp.sqrt(xp.sum(unit * unit, axis=-1))
        triangle[:, j, j] = length * largest[:, 0]
        unit = unit / xp.where(length > 0, length, xp.ones_like(length))[:, None]
        for other in range(j + 1, size):
            dot = xp.vecdot(unit, columns[other])
            triangle[:, j, other] = dot
            columns[other] = columns[other] - dot[:, None] * unit
    return triangle
