"""GradientDescent, Momentum, Nesterov, Adam: frozen settings, two verbs, and their theory.

The settings mean what they mean in torch.optim. `start` and `step` are all the descent needs. On
least squares every eigenmode of the Hessian moves alone, so the first three also answer for a mode
of curvature λ (an eigenvalue of the Hessian, in units of y² per unit of weight²): how large a rate
is stable, which is fastest, and what share of the initial error is left after any number of steps.

All of it holds for a stack of curves too: weights and curvature then have shape (…, k), and a
setting is a number, or an array of shape (…, 1) with one for each curve. So have the extremes of
the curvature, of which the theory knows the rest.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from polydescent.arrays import Array, is_array, namespace, number_or_stack, to_host
from polydescent.checks import number
from polydescent.descent.motion import Motion
from polydescent.errors import BadSetting, NoClosedForm, SetTwice, UnknownName


@dataclass(frozen=True)
class GradientDescent:
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

    def __post_init__(self) -> None:
        _check_rate(self.learning_rate)

    def start(self, w: Array) -> Any:
        """The state before the first step: none.

        Parameters
        ----------
        w
            Weights, shape (…, k).
        """
        return None

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
        return _chosen(self, learning_rate=2 / (largest + smallest))

    def decay(self, curvature: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The share of each mode's initial error left after `steps`: (1 − ηλ)^t, shape (*steps, …,
        modes).

        Parameters
        ----------
        curvature
            λ, shape (…, modes), in units of y² per unit of weight².
        steps
            t, whole numbers ≥ 0.

        Raises
        ------
        BadSetting
            Where a setting was left open.
        """
        return self.motion(curvature).left(steps)

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
        (eta,) = _settled(self.learning_rate)
        return Motion(eta * curvature, eta * curvature, 0.0)


@dataclass(frozen=True)
class Momentum:
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

    def __post_init__(self) -> None:
        _check_rate(self.learning_rate)
        _check_momentum(self.momentum)

    def start(self, w: Array) -> Array:
        """The velocity before the first step: v = 0, shape (…, k).

        Parameters
        ----------
        w
            Weights, shape (…, k).
        """
        return namespace(w).zeros_like(w)

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
            return _chosen(self, learning_rate=2 * (1 + self.momentum) / (largest + smallest))
        rate = self.learning_rate
        if rate is None:
            root = 2 / (np.sqrt(largest) + np.sqrt(smallest))
            rate = root * root
        # critical damping of the mode that needs most; it stays below 1 while η < 4/λ
        flat, steep = ((1 - np.sqrt(rate * curvature)) ** 2 for curvature in (smallest, largest))
        needed = np.maximum(flat, steep)
        return _chosen(self, learning_rate=rate, momentum=np.minimum(needed, _JUST_BELOW_ONE))

    def decay(self, curvature: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """As GradientDescent.decay: the corner of the t-th power of the 2×2 map of (error,
        velocity).

        Parameters
        ----------
        curvature, steps
            λ and t, as in `GradientDescent.decay`.
        """
        return self.motion(curvature).left(steps)

    def motion(self, curvature: np.ndarray) -> Motion:
        """How each mode moves.

        Parameters
        ----------
        curvature
            λ, as in `GradientDescent.motion`.
        """
        eta, beta = _settled(self.learning_rate, self.momentum)
        return Motion(eta * curvature, eta * curvature, beta)


@dataclass(frozen=True)
class Nesterov:
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

    def __post_init__(self) -> None:
        _check_rate(self.learning_rate)
        _check_momentum(self.momentum)

    def start(self, w: Array) -> Array:
        """The velocity before the first step: v = 0, shape (…, k).

        Parameters
        ----------
        w
            Weights, shape (…, k).
        """
        return namespace(w).zeros_like(w)

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
            return _chosen(self, learning_rate=self._fastest_rate(smallest, largest))
        if self.learning_rate is None:
            rate = 4 / (3 * largest + smallest)  # critical damping then slows the steepest as much
            return _chosen(self, learning_rate=rate, momentum=_critical(rate * smallest))
        beta = self._fastest_momentum(self.learning_rate * smallest, self.learning_rate * largest)
        return _chosen(self, momentum=beta)

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

    def decay(self, curvature: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """As Momentum.decay.

        Parameters
        ----------
        curvature, steps
            λ and t, as in `GradientDescent.decay`.
        """
        return self.motion(curvature).left(steps)

    def motion(self, curvature: np.ndarray) -> Motion:
        """How each mode moves.

        Parameters
        ----------
        curvature
            λ, as in `GradientDescent.motion`.
        """
        eta, beta = _settled(self.learning_rate, self.momentum)
        return Motion(eta * curvature, eta * curvature * (1 + beta), beta)


@dataclass(frozen=True)
class Adam:
    """Steps of about η in each weight, whatever the size of its gradient.

    m ← β₁·m + (1−β₁)·g; s ← β₂·s + (1−β₂)·g²; w ← w − η·(m/(1−β₁ᵗ)) / (√(s/(1−β₂ᵗ)) + eps). There
    is no largest stable rate and no closed form: too large a rate makes it circle, not explode.

    Parameters
    ----------
    learning_rate
        η > 0, in units of weight; default 0.001.
    betas
        (β₁, β₂), each in [0, 1); default (0.9, 0.999).
    eps
        Above 0, in units of the gradient; default 1e-8.

    Raises
    ------
    BadSetting
        For a setting outside its range.

    Notes
    -----
    Kingma and Ba, Adam: a method for stochastic optimization, 2015.
    """

    learning_rate: float | Array = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    name: ClassVar[str] = "adam"

    def __post_init__(self) -> None:
        if self.learning_rate is None:
            raise BadSetting("learning_rate", None, "a number: no rate is the fastest of Adam")
        _check_rate(self.learning_rate)
        pair = isinstance(self.betas, tuple | list) and len(self.betas) == 2
        if not pair or None in self.betas:
            raise BadSetting("betas", self.betas, "two numbers, each at least 0 and below 1")
        for beta in self.betas:
            _check_momentum(beta)
        if not number("eps", self.eps, "above 0") > 0:
            raise BadSetting("eps", self.eps, "above 0")

    def start(self, w: Array) -> tuple[int, Array, Array]:
        """The state (t, m, s) before the first step: t = 0, m = s = 0.

        Parameters
        ----------
        w
            Weights, shape (…, k).
        """
        zeros = namespace(w).zeros_like(w)
        return 0, zeros, zeros

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        """(weights, (t, m, s)) after one step.

        Parameters
        ----------
        w, gradient
            Shape (…, k); the gradient in units of y² per unit of w.
        state
            (t, m, s): steps made, means of the gradient and of its square.
        """
        t, m, s = state
        t += 1
        first, second = self.betas
        m = first * m + (1 - first) * gradient
        s = second * s + (1 - second) * gradient * gradient
        scale = namespace(w).sqrt(s / (1 - second**t)) + self.eps
        return w - self.learning_rate / (1 - first**t) * m / scale, (t, m, s)

    def limit(self, largest: Any) -> Any:
        """Infinite: Adam does not explode.

        Parameters
        ----------
        largest
            λ; of no effect.
        """
        return math.inf

    def fastest(self, smallest: Any, largest: Any) -> Self:
        """These settings: nothing is left open.

        Parameters
        ----------
        smallest, largest
            λ_min and λ_max; of no effect.
        """
        return self

    def decay(self, curvature: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Nothing: the steps of Adam depend on the whole path.

        Parameters
        ----------
        curvature, steps
            As in `GradientDescent.decay`.

        Raises
        ------
        NoClosedForm
            Always.
        """
        raise NoClosedForm("Adam", "forecast of the loss")

    def motion(self, curvature: np.ndarray) -> Motion:
        """Nothing: the steps of Adam depend on the whole path.

        Parameters
        ----------
        curvature
            As in `GradientDescent.motion`.

        Raises
        ------
        NoClosedForm
            Always.
        """
        raise NoClosedForm("Adam", "forecast of the loss")


Optimizer = GradientDescent | Momentum | Nesterov | Adam
OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.name: kind for kind in (GradientDescent, Momentum, Nesterov, Adam)
}
_JUST_BELOW_ONE = 1 - 2**-53


def checked_optimizer(
    optimizer: object = None, learning_rate: float | None = None, momentum: float | None = None
) -> Optimizer:
    """The optimizer given, or the one of that name ("gd" unless named) with these settings.

    Raises UnknownName for anything else, BadCall for settings beside an optimizer that has its own,
    BadSetting.
    """
    given = {"learning_rate": learning_rate, "momentum": momentum}
    settings: dict[str, Any] = {name: v for name, v in given.items() if v is not None}
    if isinstance(optimizer, Optimizer):
        if settings:
            raise SetTwice(type(optimizer).__name__, settings)
        return optimizer
    name = "gd" if optimizer is None else optimizer
    if not isinstance(name, str) or name not in OPTIMIZERS:
        objects = [kind.__name__ + "()" for kind in OPTIMIZERS.values()]
        raise UnknownName("optimizer", optimizer, [*OPTIMIZERS, *objects])
    kind = OPTIMIZERS[name]
    if momentum is not None and kind not in (Momentum, Nesterov):
        raise BadSetting("momentum", momentum, f"left out: {name} has none")
    return kind(**settings)


def change_settings(optimizer: Optimizer, change: Callable[[Array], Any]) -> Optimizer:
    """The optimizer with the settings that a stack has one by one changed."""
    changed = {name: change(v) for name, v in vars(optimizer).items() if is_array(v)}
    return replace(optimizer, **changed) if changed else optimizer


def _chosen(optimizer: Any, **settings: Any) -> Any:
    """The optimizer with these settings: floats, or arrays of a stack."""
    return replace(optimizer, **{name: number_or_stack(v) for name, v in settings.items()})


def _check_rate(rate: Any) -> None:
    if rate is None:
        return
    wanted = "a positive finite number, or None for the fastest"
    values = _numbers("learning_rate", rate, wanted)
    if not (values > 0).all() or not np.isfinite(values).all():
        raise BadSetting("learning_rate", rate, wanted)


def _check_momentum(momentum: Any) -> None:
    if momentum is None:
        return
    values = _numbers("momentum", momentum, "at least 0 and below 1")
    if not ((values >= 0) & (values < 1)).all():
        raise BadSetting("momentum", momentum, "at least 0 and below 1")


def _numbers(name: str, setting: Any, wanted: str) -> np.ndarray:
    """A setting on the host: one number, or those of a stack. Raises BadSetting."""
    if not is_array(setting):
        return np.asarray(number(name, setting, wanted))
    try:
        return to_host(setting)
    except (TypeError, ValueError):
        raise BadSetting(name, setting, wanted) from None


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


def _settled(*settings: Any) -> list[Any]:
    """The settings. Raises BadSetting for one left open, which only data can choose."""
    if any(setting is None for setting in settings):
        raise BadSetting("learning_rate and momentum", None, "chosen first: see `fastest`")
    return list(settings)
