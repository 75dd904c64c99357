"""GradientDescent, Momentum, Nesterov, Adam: frozen settings, two verbs, and their theory.

The settings mean what they mean in torch.optim. `start` and `step` are all the descent needs. On
least squares every eigenmode of the Hessian moves alone, so the first three also answer for a mode
of curvature λ (an eigenvalue of the Hessian, in units of y² per unit of weight²): how large a rate
is stable, which is fastest, and what share of the initial error is left after any number of steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self

import numpy as np

from polydescent.arrays import Array, namespace
from polydescent.errors import BadSetting, NoClosedForm, UnknownName


@dataclass(frozen=True)
class GradientDescent:
    """w ← w − η·g.

    learning_rate: η; None for the fastest stable one on the data at hand.
    """

    learning_rate: float | None = None
    name: ClassVar[str] = "gd"

    def __post_init__(self) -> None:
        _check_rate(self.learning_rate)

    def start(self, w: Array) -> Any:
        """The state before the first step."""
        return None

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        """(weights, state) after one step."""
        return w - self.learning_rate * gradient, None

    def limit(self, largest: float) -> float:
        """The learning rate above which the mode of the largest curvature grows."""
        return 2 / largest

    def fastest(self, smallest: float, largest: float) -> Self:
        """These settings with what was left open set to shrink the slowest mode most per step."""
        if self.learning_rate is not None:
            return self
        return replace(self, learning_rate=2 / (largest + smallest))

    def decay(self, curvature: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The share of each mode's initial error left after `steps`: (1 − ηλ)^t, shape (…steps,
        modes).

        Through log1p, so that a mode that hardly moves in 10⁹ steps keeps its digits.
        """
        (eta,) = _settled(self.learning_rate)
        return _power_of_rest(eta * curvature, steps[..., None])


@dataclass(frozen=True)
class Momentum:
    """Heavy ball: v ← β·v + g; w ← w − η·v.

    learning_rate: η; momentum: β in [0, 1). None for the fastest on the data at hand, given the
    other.
    """

    learning_rate: float | None = None
    momentum: float | None = None
    name: ClassVar[str] = "momentum"

    def __post_init__(self) -> None:
        _check_rate(self.learning_rate)
        _check_momentum(self.momentum)

    def start(self, w: Array) -> Array:
        """v = 0."""
        return namespace(w).zeros_like(w)

    def step(self, w: Array, gradient: Array, state: Array) -> tuple[Array, Array]:
        """(weights, velocity) after one step."""
        velocity = self.momentum * state + gradient
        return w - self.learning_rate * velocity, velocity

    def limit(self, largest: float) -> float:
        """The learning rate above which the mode of the largest curvature grows, for this β."""
        return 2 * (1 + (self.momentum or 0.0)) / largest

    def fastest(self, smallest: float, largest: float) -> Self:
        """As GradientDescent.fastest. With both open: Polyak's pair."""
        if self.momentum is not None and self.learning_rate is not None:
            return self
        if self.momentum is not None:  # the extreme modes then shrink alike
            return replace(self, learning_rate=2 * (1 + self.momentum) / (largest + smallest))
        rate = self.learning_rate
        if rate is None:
            root = 2 / (math.sqrt(largest) + math.sqrt(smallest))
            rate = root * root
        # critical damping of the mode that needs most; it stays below 1 while η < 4/λ
        needed = max((1 - math.sqrt(rate * curvature)) ** 2 for curvature in (smallest, largest))
        return replace(self, learning_rate=rate, momentum=min(needed, _JUST_BELOW_ONE))

    def decay(self, curvature: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """As GradientDescent.decay: the corner of the t-th power of the 2×2 map of (error,
        velocity).
        """
        eta, beta = _settled(self.learning_rate, self.momentum)
        return _two_roots(eta * curvature, eta * curvature, beta, steps)


@dataclass(frozen=True)
class Nesterov:
    """Momentum that looks ahead: v ← β·v + g; w ← w − η·(g + β·v).

    learning_rate: η; momentum: β in [0, 1). None for the fastest on the data at hand, given the
    other.
    """

    learning_rate: float | None = None
    momentum: float | None = None
    name: ClassVar[str] = "nesterov"

    def __post_init__(self) -> None:
        _check_rate(self.learning_rate)
        _check_momentum(self.momentum)

    def start(self, w: Array) -> Array:
        """v = 0."""
        return namespace(w).zeros_like(w)

    def step(self, w: Array, gradient: Array, state: Array) -> tuple[Array, Array]:
        """(weights, velocity) after one step."""
        velocity = self.momentum * state + gradient
        return w - self.learning_rate * (gradient + self.momentum * velocity), velocity

    def limit(self, largest: float) -> float:
        """The learning rate above which the mode of the largest curvature grows, for this β."""
        beta = self.momentum or 0.0
        return (2 + 2 * beta) / (1 + 2 * beta) / largest

    def fastest(self, smallest: float, largest: float) -> Self:
        """As GradientDescent.fastest. With both open: the pair of Lessard, Recht and Packard
        (2016).
        """
        if self.momentum is not None and self.learning_rate is not None:
            return self
        if self.momentum is not None:
            return replace(self, learning_rate=self._fastest_rate(smallest, largest))
        rate = self.learning_rate
        if rate is None:
            rate = 4 / (3 * largest + smallest)
        root = math.sqrt(min(rate * smallest, 1.0))  # critical damping of the flattest mode
        return replace(
            self, learning_rate=rate, momentum=min((1 - root) / (1 + root), _JUST_BELOW_ONE)
        )

    def _fastest_rate(self, smallest: float, largest: float) -> float:
        """The rate at which the flattest and the steepest mode shrink alike, by bisection.

        The flattest shrinks faster, the steepest slower, as the rate grows from 1/λ_max to the
        limit.
        """
        low, high = 1 / largest, self.limit(largest)
        for _ in range(60):
            rate = (low + high) / 2
            if self._radius(rate * smallest) > self._radius(rate * largest):
                low = rate
            else:
                high = rate
        return low

    def _radius(self, q: float) -> float:
        """The factor per step at ηλ = q: the larger root of r² − (1+β)(1−q)·r + β(1−q)."""
        beta = self.momentum or 0.0
        trace, product = (1 + beta) * (1 - q), beta * (1 - q)
        spread = trace * trace - 4 * product
        return math.sqrt(product) if spread < 0 else (abs(trace) + math.sqrt(spread)) / 2

    def decay(self, curvature: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """As Momentum.decay."""
        eta, beta = _settled(self.learning_rate, self.momentum)
        return _two_roots(eta * curvature, eta * curvature * (1 + beta), beta, steps)


@dataclass(frozen=True)
class Adam:
    """Steps of about η in each weight, whatever the size of its gradient (Kingma and Ba, 2015).

    m ← β₁·m + (1−β₁)·g; s ← β₂·s + (1−β₂)·g²; w ← w − η·(m/(1−β₁ᵗ)) / (√(s/(1−β₂ᵗ)) + eps). There
    is no largest stable rate and no closed form: too large a rate makes it circle, not explode.
    """

    learning_rate: float = 1e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    name: ClassVar[str] = "adam"

    def __post_init__(self) -> None:
        if self.learning_rate is None:
            raise BadSetting("learning_rate", None, "a number: no rate is the fastest of Adam")
        _check_rate(self.learning_rate)
        for beta in self.betas:
            _check_momentum(beta)
        if not self.eps > 0:
            raise BadSetting("eps", self.eps, "above 0")

    def start(self, w: Array) -> tuple[int, Array, Array]:
        """t = 0, m = s = 0."""
        zeros = namespace(w).zeros_like(w)
        return 0, zeros, zeros

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        """(weights, (t, m, s)) after one step."""
        t, m, s = state
        t += 1
        first, second = self.betas
        m = first * m + (1 - first) * gradient
        s = second * s + (1 - second) * gradient * gradient
        scale = namespace(w).sqrt(s / (1 - second**t)) + self.eps
        return w - self.learning_rate / (1 - first**t) * m / scale, (t, m, s)

    def limit(self, largest: float) -> float:
        """Infinite: Adam does not explode."""
        return math.inf

    def fastest(self, smallest: float, largest: float) -> Self:
        """These settings: nothing is left open."""
        return self

    def decay(self, curvature: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """Raises NoClosedForm."""
        raise NoClosedForm("Adam", "forecast of the loss")


Optimizer = GradientDescent | Momentum | Nesterov | Adam
OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.name: kind for kind in (GradientDescent, Momentum, Nesterov, Adam)
}
_JUST_BELOW_ONE = 1 - 2**-53


def checked_optimizer(optimizer: object) -> Optimizer:
    """The optimizer given. Raises UnknownName for anything else, a string included."""
    if isinstance(optimizer, Optimizer):
        return optimizer
    names = [kind.__name__ + "()" for kind in OPTIMIZERS.values()]
    raise UnknownName("optimizer", optimizer, names)


def _check_rate(rate: float | None) -> None:
    if rate is not None and not (rate > 0 and math.isfinite(rate)):
        raise BadSetting("learning_rate", rate, "a positive finite number, or None for the fastest")


def _check_momentum(momentum: float | None) -> None:
    if momentum is not None and not 0 <= momentum < 1:
        raise BadSetting("momentum", momentum, "at least 0 and below 1")


def _settled(*settings: float | None) -> list[float]:
    """The settings as numbers. Raises BadSetting for one left open, which only data can choose."""
    if None in settings:
        raise BadSetting("learning_rate and momentum", None, "chosen first: see `fastest`")
    return [float(setting) for setting in settings if setting is not None]


def _power_of_rest(delta: np.ndarray, t: np.ndarray) -> np.ndarray:
    """(1 − δ)^t, through log1p so that a mode that hardly moves in 10⁹ steps keeps its digits."""
    with np.errstate(divide="ignore"):
        log = np.where(delta < 1, np.log1p(-np.minimum(delta, 1.0)), np.log(np.abs(1 - delta)))
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.where(t == 0, 1.0, np.exp(t * log))
    return np.where((delta > 1) & (t % 2 == 1), -size, size)


def _two_roots(q: np.ndarray, pull: np.ndarray, beta: float, steps: np.ndarray) -> np.ndarray:
    """The error left after `steps` in modes with momentum, shape (…steps, modes).

    Such a mode is a damped oscillator, with s = 1 − β + pull and q = ηλ:

        e[1] = (1 − pull)·e[0],    e[t+1] = (2 − s)·e[t] − (1 − s + q)·e[t−1]

    solved by the roots r of r² − (2 − s)·r + 1 − s + q. They are found as 1 − δ, since slow modes
    have δ near 0; near a double root (critical damping, the fastest setting) their ratio is used.
    """
    t = steps[..., None]
    s = 1 - beta + pull
    lean = (1 - beta - pull) / 2  # first entry of the map minus the mean of the roots
    spread = s * s - 4 * q  # squared distance of the roots
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        real = _real_roots(q, s, lean, np.sqrt(np.maximum(spread, 0.0)), t)
        radius = np.maximum(1 - s + q, 0.0)  # squared
        height = np.sqrt(np.maximum(-spread, 0.0)) / 2
        mean = 1 - s / 2
        angle = np.arctan2(height, np.abs(mean))  # near 0, not near π, where sin loses its digits
        turning = np.exp(t * np.log(radius) / 2) * (
            np.cos(t * angle) + np.where(mean < 0, -lean, lean) * np.sin(t * angle) / height
        )
        turning = np.where((mean < 0) & (t % 2 == 1), -turning, turning)
    begun = np.where(t == 0, 1.0, 1 - pull)
    return np.where(t <= 1, begun, np.where(spread >= 0, real, turning))


def _real_roots(
    q: np.ndarray, s: np.ndarray, lean: np.ndarray, apart: np.ndarray, t: np.ndarray
) -> np.ndarray:
    """The part of `_two_roots` where both roots are real, a distance `apart`."""
    far = (s + apart) / 2
    near = np.where(far > 0, q / far, 0.0)  # δ₁·δ₂ = q: no cancellation
    sign = np.where(s <= 2, 1.0, -1.0)
    slow = np.where(s <= 2, near, far)  # the root 1 − slow is the larger in size
    # the other root is (1 − slow)·(1 − gap); where both are 0, nothing is left and any gap will do
    gap = np.where(slow == 1, 1.0, np.clip(sign * apart / (1 - slow), 0.0, 2.0))
    left = _power_of_rest(gap, t)
    gone = np.where(gap < 0.5, -np.expm1(t * np.log1p(-np.minimum(gap, 0.5))), 1 - left)
    per_apart = np.where(apart > 0, gone / apart, t / np.abs(1 - slow))
    share = np.where(slow == 1, 0.0, (1 + left) / 2 + sign * lean * per_apart)
    return _power_of_rest(slow, t) * share
