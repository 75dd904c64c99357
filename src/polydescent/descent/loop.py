"""Gradient descent: forward, loss, backward, update, over rows or over their triangle."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any, Self

import numpy as np

from polydescent.arrays import (
    Array,
    Kind,
    is_all,
    matvec,
    namespace,
    quiet,
    sum_squares,
    to_host,
    written,
)
from polydescent.descent import fused
from polydescent.descent.contract import Optimizer, change_settings, scaled
from polydescent.sealed import schema
from polydescent.sealed.document import exactly

KEPT = 10_000  # weights are thinned beyond so many steps; losses are all kept


def forward(A: Array, b: Array, w: Array) -> Array:
    """Residuals A·w − b, shape (…, rows), in units of y."""
    return matvec(A, w) - b


def backward(A: Array, residual: Array) -> Array:
    """Gradient of the sum of squared residuals, 2·Aᵀ·residual, (…, k), in y² per unit of w."""
    half = matvec(A.mT, residual)
    return half + half  # as exact as 2·half, and at k = 4 in half the time


def curved(A: Array, p: Array) -> Array:
    """The Hessian of the sum of squares times p, 2·Aᵀ·(A·p), shape (…, k)."""
    return backward(A, matvec(A, p))


@dataclass(frozen=True, eq=False)
class History:
    """What happened at every step. Entry t is before update t; the last entry is the result.

    A stack of curves has leading dimensions, written …; one curve has none.

    Attributes
    ----------
    loss
        Shape (steps + 1, …), sum of squares, in units of y².
    weights
        Shape (len(kept), …, k), in the descent's coordinates, at the steps in `kept`.
    kept
        Shape (len(kept),), step numbers: all of them up to 10,000, an even selection with both ends
        beyond.
    validation
        Shape (len(kept),), the loss of the rows put aside at those steps, in units of y²; None
        where there are none.

    Examples
    --------
    >>> from polydescent import descend
    >>> seen = descend([0, 1, 2, 3], [1, 3, 5, 7], degree=1, start="zeros", steps=200).history
    >>> seen.steps, float(seen.loss[0])
    (200, 84.0)
    """

    loss: Array
    weights: Array
    kept: np.ndarray
    validation: np.ndarray | None = None

    @property
    def steps(self) -> int:
        """The number of updates made."""
        return self.loss.shape[0] - 1

    @property
    def best_step(self) -> int | None:
        """The step in `kept` at which the rows put aside were met best; None without such."""
        if self.validation is None or not np.isfinite(self.validation).any():
            return None
        return int(self.kept[np.nanargmin(self.validation)])

    def __repr__(self) -> str:
        if len(self.loss.shape) > 1:
            return f"<History of {self.steps:,} steps of a stack of {tuple(self.loss.shape[1:])}>"
        first, last = float(self.loss[0]), float(self.loss[-1])
        return f"<History of {self.steps:,} steps, loss from {first:.6g} to {last:.6g}>"

    def to_record(self) -> dict[str, Any]:
        """Of one curve: plain lists, with the kind that the numbers live in."""
        return {
            "kind": Kind.of(self.loss, self.weights).to_record(),
            "loss": exactly(to_host(self.loss)),
            "weights": exactly(to_host(self.weights)),
            "kept": self.kept.tolist(),
            **({} if self.validation is None else {"validation": exactly(self.validation)}),
        }

    @classmethod
    def from_record(cls, found: Any, where: str, k: int) -> Self:
        """The inverse, of k weights. Raises Misfit; MissingExtra, NoDevice for tensors that cannot
        be here.

        Parameters
        ----------
        found
            What stands in a document.
        where
            The place there, for the refusal.
        k
            How many weights there are.
        """
        forms = {
            "kind": Kind.from_record,
            "loss": schema.series(schema.extended, 1),
            "weights": schema.anything,
            "kept": schema.series(schema.whole(), 1, KEPT + 2),
            "validation": schema.Maybe(schema.series(schema.extended, 1), None),
        }
        values = schema.record(forms)(found, where)
        steps, kept = len(values["loss"]) - 1, values["kept"]
        rising = kept[0] == 0 and kept[-1] == steps and all(a < b for a, b in pairwise(kept))
        ends = f"{kept[0]} to {kept[-1]}"
        schema.check(rising, f"{where}.kept", f"rising from 0 to {steps}", ends)
        shape = (len(kept), k)
        weights = schema.array(shape, schema.extended)(values["weights"], f"{where}.weights")
        kind, losses = values["kind"], np.array(values["loss"])
        loss, there = kind.put(losses), kind.put(weights)
        pairs = (losses, loss), (weights, there)
        held = all(np.array_equal(a, to_host(b), equal_nan=True) for a, b in pairs)
        schema.check(held, f"{where}.kind.dtype", "one that holds the numbers", kind.dtype)
        aside = values["validation"]
        if aside is not None:
            schema.check(len(aside) == len(kept), f"{where}.validation", "one a step kept", aside)
            aside = np.array(aside)
        return cls(loss, there, np.array(kept, dtype=np.int64), aside)


def walk(
    A: Array,
    b: Array,
    rest: float | Array,
    start: Array,
    optimizer: Optimizer,
    steps: int,
    target: float | Array | None = None,
    watch: Callable[[int, float], None] | None = None,
    scale: np.ndarray | None = None,
) -> History:
    """Take `steps` steps down the loss ‖A·w − b‖² + rest from the weights `start`.

    Of one curve or of a stack, whose leading dimensions are written …; what all share may lack
    them. Everything stays in the library, dtype and device of A; a diverging run ends in inf and
    NaN, not in an exception.

    Parameters
    ----------
    A : shape (…, rows, k), the design matrix or the R of a summary.
    b : shape (…, rows), y or z.
    rest : shape (…,), what no weights change, 0 or rss.
    start : shape (…, k), of all curves.
    optimizer : with every setting chosen, for all curves or for each.
    steps : how many at most.
    target : shape (…,); stops early where every loss is that or less.
    watch : called with each step and its loss, of a stack the largest.
    scale : shape (steps,), what the learning rate is multiplied with at each step.
    """
    spacing = -(-steps // KEPT)
    if fused.serves(A, b, start, optimizer):
        told = None if target is None and watch is None else partial(_told, rest, target, watch)
        loss, weights, w, t = fused.walk(A, b, start, optimizer, steps, spacing, scale, told)
    else:
        given = A, b, rest, start, optimizer, steps, spacing, target, watch, scale
        loss, weights, w, t = _walk(*given)
    kept = np.arange(0, t + 1, spacing)
    if kept[-1] != t:
        kept = np.append(kept, t)
    weights = written(weights, (len(kept) - 1, ...), w)
    return History(loss[: t + 1, ...] + rest, weights[: len(kept), ...], kept)


def _told(rest: Any, target: Any, watch: Any, first: int, losses: np.ndarray) -> int | None:
    """Which of the steps from `first` on is the last, None for none of them."""
    now = losses + rest
    last = None
    if target is not None:
        arrived = np.flatnonzero((now <= target).reshape(len(now), -1).all(axis=1))
        last = int(arrived[0]) if arrived.size else None
    if watch is not None:
        for i, one in enumerate(now if last is None else now[: last + 1]):
            watch(first + i, float(one.max()))
    return last


def _walk(
    A: Array,
    b: Array,
    rest: float | Array,
    start: Array,
    optimizer: Optimizer,
    steps: int,
    spacing: int,
    target: float | Array | None,
    watch: Callable[[int, float], None] | None,
    scale: np.ndarray | None,
) -> tuple[Array, Array, Array, int]:
    """What `fused.walk` gives, in any library and dtype and for every optimizer."""
    xp = namespace(A)
    like = {"dtype": start.dtype, "device": start.device}
    optimizer = change_settings(optimizer, lambda setting: xp.asarray(setting, **like))
    loss = xp.empty((steps + 1, *start.shape[:-1]), **like)
    weights = xp.empty((steps // spacing + 2, *start.shape), **like)
    w, state = start, optimizer.start(start, partial(curved, A))
    with quiet():
        for t in range(steps + 1):
            residual = forward(A, b, w)
            now = sum_squares(residual)
            loss = written(loss, (t, ...), now)
            if t % spacing == 0:
                weights = written(weights, (t // spacing, ...), w)
            if watch is not None:
                watch(t, float(xp.max(now + rest)))
            if t == steps or (target is not None and is_all(now + rest <= target)):
                break
            pace = optimizer if scale is None else scaled(optimizer, float(scale[t]))
            w, state = pace.step(w, backward(A, residual), state)
    return loss, weights, w, t
