"""Barzilai–Borwein and conjugate gradients: the step's length is read off the loss, not chosen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Self

from polydescent.arrays import Array, namespace
from polydescent.descent.contract import Hessian, Optimizer, chosen, dot, over, settled
from polydescent.errors import BadCall


@dataclass(frozen=True)
class BarzilaiBorwein(Optimizer):
    """Down the gradient, at the rate that the step before would have needed.

    With s the step before and c the change of the gradient in it: η = s·s / s·c; w ← w − η·g. The
    loss may rise on the way; it arrives all the same, in far fewer steps than at any one rate.

    Parameters
    ----------
    learning_rate
        Of the first step, > 0, in units of weight² per y²; None (default) for the fastest stable
        one on the data at hand.

    Raises
    ------
    BadSetting
        For a rate that is not a positive finite number.

    Notes
    -----
    Barzilai and Borwein, Two-point step size gradient methods, 1988.
    """

    learning_rate: float | Array | None = None
    name: ClassVar[str] = "bb"
    takes_batches: ClassVar[bool] = False
    left_open: ClassVar[tuple[str, ...]] = ("learning_rate",)

    def fastest(self, smallest: Any, largest: Any) -> Self:
        if self.learning_rate is not None:
            return self
        return chosen(self, learning_rate=2 / (largest + smallest))

    def start(self, w: Array, hessian: Hessian | None = None) -> Any:
        zeros, (rate,) = namespace(w).zeros_like(w), settled(self.learning_rate)
        return w, zeros, zeros[..., :1] + rate  # weights and gradient before, and the rate

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        before, gradient_before, rate = state
        moved, xp = w - before, namespace(w)
        bent = dot(moved, gradient - gradient_before)
        rate = xp.where(bent > 0, over(dot(moved, moved), bent), rate)
        return w - rate * gradient, (w, gradient, rate)


@dataclass(frozen=True)
class ConjugateGradient(Optimizer):
    """To the lowest loss along p, a direction whose curvature ties it to none of those before.

    p ← g + (g·g / that of the step before)·p; w ← w − (p·g / p·H·p)·p. There is nothing to set, and
    but for rounding it arrives in as many steps as there are weights.

    Notes
    -----
    Hestenes and Stiefel, Methods of conjugate gradients for solving linear systems, 1952.
    """

    learning_rate: ClassVar[None] = None
    name: ClassVar[str] = "cg"
    takes_batches: ClassVar[bool] = False

    def start(self, w: Array, hessian: Hessian | None = None) -> Any:
        if hessian is None:
            raise BadCall("ConjugateGradient starts with the Hessian of the loss: p ↦ 2·Aᵀ·(A·p).")
        zeros = namespace(w).zeros_like(w)
        return hessian, zeros, zeros[..., :1]  # the direction p, and g·g before

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        hessian, p, before = state
        square = dot(gradient, gradient)
        p = gradient + over(square, before) * p
        return w - over(dot(p, gradient), dot(p, hessian(p))) * p, (hessian, p, square)
