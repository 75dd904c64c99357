"""Adam, AdamW, NAdam, RMSprop, Adagrad: each weight at a pace of its own, which its past sets.

Their steps are of about η in units of weight, whatever the size of a gradient. There is no largest
stable rate and no closed form: too large a rate makes them circle, not explode. With a weight decay
above 0 they arrive where weights are smaller than those of least squares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from polydescent.arrays import Array, namespace
from polydescent.descent.contract import Hessian, Optimizer


@dataclass(frozen=True)
class Adam(Optimizer):
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
    hint: ClassVar[str] = (
        "its steps have the size of its learning rate, so take more of them, or a lower rate; "
        "Momentum() needs no tuning"
    )

    def start(self, w: Array, hessian: Hessian | None = None) -> tuple[int, Array, Array]:
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


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam on weights that first shrink by themselves: w ← (1 − η·decay)·w before each step.

    Parameters
    ----------
    learning_rate
        η > 0, in units of weight; default 0.001.
    betas
        (β₁, β₂), each in [0, 1); default (0.9, 0.999).
    eps
        Above 0, in units of the gradient; default 1e-8.
    weight_decay
        At least 0, per unit of weight: how far the weights are pulled to 0; default 0.01.

    Raises
    ------
    BadSetting
        For a setting outside its range.

    Notes
    -----
    Loshchilov and Hutter, Decoupled weight decay regularization, 2019.
    """

    weight_decay: float = 1e-2
    name: ClassVar[str] = "adamw"

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        return super().step(w * (1 - self.learning_rate * self.weight_decay), gradient, state)


@dataclass(frozen=True)
class NAdam(Optimizer):
    """Adam that looks ahead as Nesterov does, with a momentum that warms up.

    With μₜ = β₁·(1 − 0.96^(t·momentum_decay)/2) and Mₜ = μ₁·…·μₜ, in place of Adam's m/(1−β₁ᵗ):
    (1 − μₜ)/(1 − Mₜ)·g + μₜ₊₁/(1 − Mₜ₊₁)·m.

    Parameters
    ----------
    learning_rate
        η > 0, in units of weight; default 0.002.
    betas
        (β₁, β₂), each in [0, 1); default (0.9, 0.999).
    eps
        Above 0, in units of the gradient; default 1e-8.
    weight_decay
        At least 0: so much of the weights is added to the gradient; default 0.
    momentum_decay
        At least 0: how fast the momentum warms up; default 0.004.

    Raises
    ------
    BadSetting
        For a setting outside its range.

    Notes
    -----
    Dozat, Incorporating Nesterov momentum into Adam, 2016.
    """

    learning_rate: float | Array = 2e-3
    betas: tuple[float, float] = (0.9, 0.999)
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum_decay: float = 4e-3
    name: ClassVar[str] = "nadam"
    hint: ClassVar[str] = Adam.hint

    def start(self, w: Array, hessian: Hessian | None = None) -> Any:
        zeros = namespace(w).zeros_like(w)
        return 0, 1.0, zeros, zeros  # t, M, means of the gradient and of its square

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        t, product, m, s = state
        t, g, (first, second) = t + 1, gradient + self.weight_decay * w, self.betas
        now, ahead = (first * (1 - 0.96 ** (j * self.momentum_decay) / 2) for j in (t, t + 1))
        product = product * now
        m, s = first * m + (1 - first) * g, second * s + (1 - second) * g * g
        scale = namespace(w).sqrt(s / (1 - second**t)) + self.eps
        along = (1 - now) / (1 - product) * g + ahead / (1 - product * ahead) * m
        return w - self.learning_rate * along / scale, (t, product, m, s)


@dataclass(frozen=True)
class RMSprop(Optimizer):
    """Down the gradient over the root of its mean square.

    s ← α·s + (1−α)·g²; v ← β·v + g/(√s + eps); w ← w − η·v.

    Parameters
    ----------
    learning_rate
        η > 0, in units of weight; default 0.01.
    alpha
        α in [0, 1), of the mean of g²; default 0.99.
    eps
        Above 0, in units of the gradient; default 1e-8.
    weight_decay
        At least 0: so much of the weights is added to the gradient; default 0.
    momentum
        β in [0, 1); default 0.

    Raises
    ------
    BadSetting
        For a setting outside its range.

    Notes
    -----
    Tieleman and Hinton, Lecture 6.5 of Neural networks for machine learning, 2012.
    """

    learning_rate: float | Array = 1e-2
    alpha: float = 0.99
    eps: float = 1e-8
    weight_decay: float = 0.0
    momentum: float = 0.0
    name: ClassVar[str] = "rmsprop"
    hint: ClassVar[str] = Adam.hint

    def start(self, w: Array, hessian: Hessian | None = None) -> tuple[Array, Array]:
        zeros = namespace(w).zeros_like(w)
        return zeros, zeros  # the mean square s and the velocity v

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        g, (s, v) = gradient + self.weight_decay * w, state
        s = self.alpha * s + (1 - self.alpha) * g * g
        v = self.momentum * v + g / (namespace(w).sqrt(s) + self.eps)
        return w - self.learning_rate * v, (s, v)


@dataclass(frozen=True)
class Adagrad(Optimizer):
    """Down the gradient over the root of the sum of its squares: steps that grow ever shorter.

    s ← s + g²; w ← w − η/(1 + (t−1)·lr_decay)·g/(√s + eps).

    Parameters
    ----------
    learning_rate
        η > 0, in units of weight; default 0.01.
    lr_decay
        At least 0: how fast the rate itself falls; default 0.
    weight_decay
        At least 0: so much of the weights is added to the gradient; default 0.
    initial_accumulator_value
        s before the first step, at least 0, in units of the gradient squared; default 0.
    eps
        Above 0, in units of the gradient; default 1e-10.

    Raises
    ------
    BadSetting
        For a setting outside its range.

    Notes
    -----
    Duchi, Hazan and Singer, Adaptive subgradient methods, 2011.
    """

    learning_rate: float | Array = 1e-2
    lr_decay: float = 0.0
    weight_decay: float = 0.0
    initial_accumulator_value: float = 0.0
    eps: float = 1e-10
    name: ClassVar[str] = "adagrad"
    hint: ClassVar[str] = (
        "its steps grow ever shorter, so take a larger rate; Momentum() needs no tuning"
    )

    def start(self, w: Array, hessian: Hessian | None = None) -> tuple[int, Array]:
        return 0, namespace(w).zeros_like(w) + self.initial_accumulator_value

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        g, (t, s) = gradient + self.weight_decay * w, state
        s = s + g * g
        rate = self.learning_rate / (1 + t * self.lr_decay)
        return w - rate * g / (namespace(w).sqrt(s) + self.eps), (t + 1, s)
