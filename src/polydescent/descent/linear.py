"""GradientDescent, Momentum, Nesterov: linear in the error, so that every step is known beforehand.

On least squares every eigenmode of the Hessian moves alone, so these also answer for a mode of
curvature λ (an eigenvalue of the Hessian, in units of y² per unit of weight²): how large a rate is
stable, which is fastest, and what share of the initial error is left after any number of steps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np

from polydescent.arrays import Array, namespace
from polydescent.descent.contract import Hessian, Optimizer, chosen, settled
from polydescent.descent.motion import Motion

_JUST_BELOW_ONE = 1 - 2**-53


@dataclass(frozen=True)
class GradientDescent(Optimizer):
    """Down the gradient: w ← w − η·g.

    Parameters
    ----------
    learning_rate
        η > 0, in units of weight² per y²; None (default) for the fastest stable one on the data at
        hand.

    Raises
    ------
    BadSetting
        For a rate that is not a positive finite number.
    """

    learning_rate: float | Array | None = None
    name: ClassVar[str] = "gd"
    has_closed_form: ClassVar[bool] = True
    left_open: ClassVar[tuple[str, ...]] = ("learning_rate",)

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        """(weights, state) after one step.

        Parameters
        ----------
        w, gradient
            Shape (…, k); the gradient in units of y² per unit of w.
        state
            None.
        """
        return w - self.learning_rate * gradient, None

    def limit(self, largest: Any) -> Any:
        """The learning rate above which the mode of the largest curvature grows: 2/λ.

        Parameters
        ----------
        largest
            λ, in units of y² per unit of weight²; shape (…, 1) of a stack.
        """
        return 2 / largest

    def fastest(self, smallest: Any, largest: Any) -> Self:
        """These settings with what was left open set to shrink the slowest mode most per step: η =
        2/(λ_max + λ_min).

        Parameters
        ----------
        smallest, largest
            λ_min and λ_max, in units of y² per unit of weight²; shape (…, 1) of a stack.
        """
        if self.learning_rate is not None:
            return self
        return chosen(self, learning_rate=2 / (largest + smallest))

    def motion(self, curvature: np.ndarray) -> Motion:
        """How each mode moves.

        Parameters
        ----------
        curvature
            λ, shape (…, modes), in units of y² per unit of weight².

        Raises
        ------
        BadSetting
            Where a setting was left open.
        """
        (eta,) = settled(self.learning_rate)
        return Motion(eta * curvature, eta * curvature, 0.0)


@dataclass(frozen=True)
class Momentum(Optimizer):
    """Heavy ball: v ← β·v + g; w ← w − η·v.

    Parameters
    ----------
    learning_rate
        η > 0, in units of weight² per y²; None (default) for the fastest on the data at hand.
    momentum
        β in [0, 1); None (default) for the fastest.

    Raises
    ------
    BadSetting
        For a rate or momentum outside its range.

    Notes
    -----
    Polyak, Some methods of speeding up the convergence of iteration methods, 1964.
    """

    learning_rate: float | Array | None = None
    momentum: float | Array | None = None
    name: ClassVar[str] = "momentum"
    has_closed_form: ClassVar[bool] = True
    left_open: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum")

    def start(self, w: Array, hessian: Hessian | None = None) -> Array:
        return namespace(w).zeros_like(w)  # the velocity

    def step(self, w: Array, gradient: Array, state: Array) -> tuple[Array, Array]:
        """(weights, velocity) after one step.

        Parameters
        ----------
        w, gradient
            Shape (…, k); the gradient in units of y² per unit of w.
        state
            The velocity v, shape (…, k), in units of the gradient.
        """
        velocity = self.momentum * state + gradient
        return w - self.learning_rate * velocity, velocity

    def limit(self, largest: Any) -> Any:
        """The learning rate above which the mode of the largest curvature grows, for this β: 2(1 +
        β)/λ.

        Parameters
        ----------
        largest
            λ, as in `GradientDescent.limit`.
        """
        return 2 * (1 + _or_zero(self.momentum)) / largest

    def fastest(self, smallest: Any, largest: Any) -> Self:
        """As GradientDescent.fastest. With both open: Polyak's pair.

        Parameters
        ----------
        smallest, largest
            λ_min and λ_max, as in `GradientDescent.fastest`.
        """
        if self.momentum is not None and self.learning_rate is not None:
            return self
        if self.momentum is not None:  # the extreme modes then shrink alike
            return chosen(self, learning_rate=2 * (1 + self.momentum) / (largest + smallest))
        rate = self.learning_rate
        if rate is None:
            root = 2 / (np.sqrt(largest) + np.sqrt(smallest))
            rate = root * root
        # critical damping of the mode that needs most; it stays below 1 while η < 4/λ
        flat, steep = ((1 - np.sqrt(rate * curvature)) ** 2 for curvature in (smallest, largest))
        needed = np.maximum(flat, steep)
        return chosen(self, learning_rate=rate, momentum=np.minimum(needed, _JUST_BELOW_ONE))

    def motion(self, curvature: np.ndarray) -> Motion:
        """How each mode moves.

        Parameters
        ----------
        curvature
            λ, as in `GradientDescent.motion`.
        """
        eta, beta = settled(self.learning_rate, self.momentum)
        return Motion(eta * curvature, eta * curvature, beta)


@dataclass(frozen=True)
class Nesterov(Optimizer):
    """Momentum that looks ahead: v ← β·v + g; w ← w − η·(g + β·v).

    Parameters
    ----------
    learning_rate
        η > 0, in units of weight² per y²; None (default) for the fastest on the data at hand.
    momentum
        β in [0, 1); None (default) for the fastest.

    Raises
    ------
    BadSetting
        For a rate or momentum outside its range.
    """

    learning_rate: float | Array | None = None
    momentum: float | Array | None = None
    name: ClassVar[str] = "nesterov"
    has_closed_form: ClassVar[bool] = True
    left_open: ClassVar[tuple[str, ...]] = ("learning_rate", "momentum")

    def start(self, w: Array, hessian: Hessian | None = None) -> Array:
        return namespace(w).zeros_like(w)  # the velocity

    def step(self, w: Array, gradient: Array, state: Array) -> tuple[Array, Array]:
        """(weights, velocity) after one step.

        Parameters
        ----------
        w, gradient
            Shape (…, k); the gradient in units of y² per unit of w.
        state
            The velocity v, shape (…, k), in units of the gradient.
        """
        velocity = self.momentum * state + gradient
        return w - self.learning_rate * (gradient + self.momentum * velocity), velocity

    def limit(self, largest: Any) -> Any:
        """The learning rate above which the mode of the largest curvature grows, for this β: (2 +
        2β)/(1 + 2β)/λ.

        Parameters
        ----------
        largest
            λ, as in `GradientDescent.limit`.
        """
        beta = _or_zero(self.momentum)
        return (2 + 2 * beta) / (1 + 2 * beta) / largest

    def fastest(self, smallest: Any, largest: Any) -> Self:
        """As GradientDescent.fastest. With both open: the pair of Lessard, Recht and Packard
        (2016).

        Parameters
        ----------
        smallest, largest
            λ_min and λ_max, as in `GradientDescent.fastest`.
        """
        if self.momentum is not None and self.learning_rate is not None:
            return self
        if self.momentum is not None:
            return chosen(self, learning_rate=self._fastest_rate(smallest, largest))
        if self.learning_rate is None:
            rate = 4 / (3 * largest + smallest)  # critical damping then slows the steepest as much
            return chosen(self, learning_rate=rate, momentum=_critical(rate * smallest))
        beta = self._fastest_momentum(self.learning_rate * smallest, self.learning_rate * largest)
        return chosen(self, momentum=beta)

    @staticmethod
    def _fastest_momentum(flattest: Any, steepest: Any) -> Any:
        """The β at which the slower of the modes ηλ = flattest and ηλ = steepest shrinks most.

        Up to the critical damping of the flattest mode, that one shrinks faster as β grows; the
        steepest, where ηλ > 1, shrinks slower and from ηλ = 4/3 on may grow. Where ηλ > 2 it grows
        at any β, slowest at 0.
        """
        critical = _critical(flattest)
        is_best = _radius(steepest, critical) <= _radius(flattest, critical)
        if np.all(is_best):
            return critical

        def is_low(beta: Any) -> Any:
            return _radius(steepest, beta) < _radius(flattest, beta)

        return np.where(is_best, critical, _bisected(0.0, critical, is_low))

    def _fastest_rate(self, smallest: Any, largest: Any) -> Any:
        """The rate at which the flattest and the steepest mode shrink alike, by bisection.

        The flattest shrinks faster, the steepest slower, as the rate grows from 1/λ_max to the
        limit.
        """
        beta = _or_zero(self.momentum)

        def is_low(rate: Any) -> Any:
            return _radius(rate * smallest, beta) > _radius(rate * largest, beta)

        return _bisected(1 / largest, self.limit(largest), is_low)

    def motion(self, curvature: np.ndarray) -> Motion:
        """How each mode moves.

        Parameters
        ----------
        curvature
            λ, as in `GradientDescent.motion`.
        """
        eta, beta = settled(self.learning_rate, self.momentum)
        return Motion(eta * curvature, eta * curvature * (1 + beta), beta)


def _or_zero(momentum: Any) -> Any:
    """β, 0 where it is left open."""
    return 0.0 if momentum is None else momentum


def _bisected(low: Any, high: Any, is_low: Callable[[Any], Any]) -> Any:
    """The last number at which `is_low` holds, elementwise, between one of each kind."""
    for _ in range(60):
        middle = (low + high) / 2
        rises = is_low(middle)
        low, high = np.where(rises, middle, low), np.where(rises, high, middle)
    return low


def _critical(q: Any) -> Any:
    """Nesterov's β that damps the mode of ηλ = q critically: below it the mode creeps, above it
    swings.
    """
    root = np.sqrt(np.minimum(q, 1.0))
    return np.minimum((1 - root) / (1 + root), _JUST_BELOW_ONE)


def _radius(q: Any, beta: Any) -> Any:
    """Nesterov's factor per step at ηλ = q: the larger root of r² − (1+β)(1−q)·r + β(1−q)."""
    with np.errstate(over="ignore", invalid="ignore"):
        trace, product = (1 + beta) * (1 - q), beta * (1 - q)
        spread = trace * trace - 4 * product
        return np.where(spread < 0, np.sqrt(product), (np.abs(trace) + np.sqrt(spread)) / 2)
