"""Descent on a few rows at a time, with the loss of all rows before every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from polydescent.arrays import Array, namespace, quiet, to_host, written
from polydescent.descent.contract import Optimizer, scaled
from polydescent.descent.loop import KEPT, History, forward

DRAWS = ("replacement", "shuffle")
_BLOCK = 1 << 14  # rows drawn at once


def walk_batches(
    A: Array,
    b: Array,
    counts: np.ndarray | None,
    system: tuple[np.ndarray, np.ndarray, float],
    start: Array,
    optimizer: Optimizer,
    steps: int,
    batch: int,
    draw: str,
    seed: int,
    target: float | None = None,
    watch: Callable[[int, float], None] | None = None,
    scale: np.ndarray | None = None,
) -> History:
    """`steps` steps, each down the gradient of `batch` rows times n / batch.

    Parameters
    ----------
    A : shape (rows, k), of the rows that count, each times the root of its weight.
    b : shape (rows,), y likewise.
    counts : shape (rows,), how often each was seen, None for once; n is their sum.
    system : R, z and rss of all rows in the coordinates of A.
    start, optimizer, steps, target, watch, scale : as in `walk`.
    batch : rows of a batch, of which the last of an epoch may have fewer.
    draw : "replacement", each row by chance, or "shuffle", each once in an epoch.
    seed : of the draws.
    """
    xp, (R, z, rss) = namespace(A), system
    like = {"dtype": start.dtype, "device": start.device}
    spacing = -(-steps // KEPT)
    loss = np.empty(steps + 1)
    weights = xp.empty((steps // spacing + 2, *start.shape), **like)
    n = A.shape[0] if counts is None else int(counts.sum())
    batches = _batches(A.shape[0], n, counts, batch, draw, np.random.default_rng([seed, 1]))
    w, state = start, optimizer.start(start)
    with quiet():
        for t in range(steps + 1):
            residual = R @ to_host(w) - z
            loss[t] = residual @ residual + rss
            if t % spacing == 0:
                weights = written(weights, (t // spacing, ...), w)
            if watch is not None:
                watch(t, float(loss[t]))
            if t == steps or (target is not None and loss[t] <= target):
                break
            rows = next(batches)
            some, wanted = _taken(A, rows), _taken(b, rows)
            residual = forward(some, wanted, w)
            gradient = (residual @ some) * (2.0 * n / len(rows))
            pace = optimizer if scale is None else scaled(optimizer, float(scale[t]))
            w, state = pace.step(w, gradient, state)
    kept = np.arange(0, t + 1, spacing)
    if kept[-1] != t:
        kept = np.append(kept, t)
    weights = written(weights, (len(kept) - 1, ...), w)
    return History(xp.asarray(loss[: t + 1], **like), weights[: len(kept), ...], kept)


def _batches(
    rows: int,
    n: int,
    counts: np.ndarray | None,
    batch: int,
    draw: str,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """The rows of one batch after the other, without end."""
    if draw == "shuffle":
        each = np.arange(rows) if counts is None else np.repeat(np.arange(rows), counts.astype(int))
        while True:
            order = rng.permutation(each)
            yield from (order[i : i + batch] for i in range(0, n, batch))
    ends = None if counts is None else np.cumsum(counts)
    while True:
        drawn = rng.integers(0, n, (max(_BLOCK // batch, 1), batch))
        yield from drawn if ends is None else np.searchsorted(ends, drawn, side="right")


def _taken(values: Array, rows: np.ndarray) -> Array:
    """Some of the rows, in their library."""
    if type(values) is np.ndarray:
        return values[rows]
    xp = namespace(values)
    return xp.take(values, xp.asarray(rows, device=values.device), axis=0)
