"""What an optimizer is: frozen settings, two verbs, and what its theory can say beforehand."""

from __future__ import annotations

import math
from collections.abc import Callable
from copy import copy
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np

from polydescent.arrays import Array, is_array, namespace, number_or_stack, to_host
from polydescent.checks import number
from polydescent.descent.motion import Motion
from polydescent.errors import BadSetting, NoClosedForm

Hessian = Callable[[Array], Array]  # p ↦ H·p, of the shape of p


class Optimizer:
    """The base of all optimizers: `start` and `step` are all that a descent needs.

    Settings are the fields of a frozen dataclass and mean what they mean in torch.optim. All of it
    holds for a stack of curves too: weights and curvature then have shape (…, k), and a setting is
    a number, or an array of shape (…, 1) with one for each curve. So have the extremes of the
    curvature, of which the theory knows the rest.

    A class of its own needs a `name`, its fields and `step`; one that remembers something, `start`.
    """

    name: ClassVar[str]
    has_closed_form: ClassVar[bool] = False  # whether `motion` tells every step beforehand
    left_open: ClassVar[tuple[str, ...]] = ()  # settings that may be None: `fastest` chooses them
    takes_batches: ClassVar[bool] = True  # whether some rows at a time will do
    hint: ClassVar[str] = "take more of them"  # where they were not enough
    learning_rate: Any

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if value is not None or name not in self.left_open:
                _check(self, name, value)

    @property
    def is_open(self) -> bool:
        """Whether some setting was left open, for `fastest` to choose."""
        return any(getattr(self, name) is None for name in self.left_open)

    def start(self, w: Array, hessian: Hessian | None = None) -> Any:
        """The state before the first step: nothing, of an optimizer that remembers nothing.

        Parameters
        ----------
        w
            Weights, shape (…, k).
        hessian
            p ↦ H·p, which only ConjugateGradient asks for; None unless given.
        """
        return None

    def step(self, w: Array, gradient: Array, state: Any) -> tuple[Array, Any]:
        """(weights, state) after one step.

        Parameters
        ----------
        w, gradient
            Shape (…, k); the gradient in units of y² per unit of w.
        state
            What `start` or the step before gave.
        """
        raise NotImplementedError

    def limit(self, largest: Any) -> Any:
        """The learning rate above which the mode of the largest curvature grows; infinite where
        none makes it grow for good.

        Parameters
        ----------
        largest
            λ, in units of y² per unit of weight²; shape (…, 1) of a stack.
        """
        return math.inf

    def fastest(self, smallest: Any, largest: Any) -> Self:
        """These settings with what was left open set to the fastest.

        Parameters
        ----------
        smallest, largest
            λ_min and λ_max, in units of y² per unit of weight²; shape (…, 1) of a stack.
        """
        return self

    def decay(self, curvature: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The share of each mode's initial error left after `steps`, shape (*steps, …, modes).

        Parameters
        ----------
        curvature
            λ, shape (…, modes), in units of y² per unit of weight².
        steps
            t, whole numbers ≥ 0.

        Raises
        ------
        NoClosedForm
            Where the steps depend on the whole path.
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
        NoClosedForm, BadSetting
            As `decay`.
        """
        raise NoClosedForm(type(self).__name__, "forecast of the loss")


def dot(a: Array, b: Array) -> Array:
    """Σ a·b of each curve, shape (…, 1)."""
    return namespace(a).sum(a * b, axis=-1, keepdims=True)


def over(a: Array, b: Array) -> Array:
    """a / b, and 0 where b is not above 0."""
    xp = namespace(b)
    return a / xp.where(b > 0, b, xp.full_like(b, math.inf))


# ── settings ──


def change_settings(optimizer: Any, change: Callable[[Array], Any]) -> Any:
    """The optimizer with the settings that a stack has one by one changed."""
    changed = {name: change(v) for name, v in vars(optimizer).items() if is_array(v)}
    return replace(optimizer, **changed) if changed else optimizer


def scaled(optimizer: Any, factor: float) -> Any:
    """The optimizer at a share of its learning rate, which may be 0 where a schedule ends."""
    at = copy(optimizer)
    object.__setattr__(at, "learning_rate", optimizer.learning_rate * factor)
    return at


def chosen(optimizer: Any, **settings: Any) -> Any:
    """The optimizer with these settings: floats, or arrays of a stack."""
    return replace(optimizer, **{name: number_or_stack(v) for name, v in settings.items()})


def settled(*settings: Any) -> list[Any]:
    """The settings. Raises BadSetting for one left open, which only data can choose."""
    if any(setting is None for setting in settings):
        raise BadSetting("learning_rate and momentum", None, "chosen first: see `fastest`")
    return list(settings)


def _check(optimizer: Optimizer, name: str, value: Any) -> None:
    """Raise BadSetting for a setting outside its range."""
    if name == "learning_rate" and value is None:
        wanted = f"a number: no rate is the fastest of {type(optimizer).__name__}"
        raise BadSetting(name, None, wanted)
    if name == "betas":
        wanted = "two numbers, each at least 0 and below 1"
        if not isinstance(value, tuple | list) or len(value) != 2 or None in value:
            raise BadSetting(name, value, wanted)
        for beta in value:
            _check(optimizer, "momentum", beta)
        return
    wanted, is_within = _RANGES[name]
    wanted += ", or None for the fastest" if name in optimizer.left_open else ""
    if not is_within(_numbers(name, value, wanted)).all():
        raise BadSetting(name, value, wanted)


def _numbers(name: str, setting: Any, wanted: str) -> np.ndarray:
    """A setting on the host: one number, or those of a stack. Raises BadSetting."""
    if not is_array(setting):
        return np.asarray(number(name, setting, wanted))
    try:
        return to_host(setting)
    except (TypeError, ValueError):
        raise BadSetting(name, setting, wanted) from None


def _positive(v: np.ndarray) -> np.ndarray:
    return (v > 0) & np.isfinite(v)


def _not_negative(v: np.ndarray) -> np.ndarray:
    return (v >= 0) & np.isfinite(v)


def _share(v: np.ndarray) -> np.ndarray:
    return (v >= 0) & (v < 1)


_SHARE = ("at least 0 and below 1", _share)
_AMOUNT = ("0 or more", _not_negative)
_RANGES: dict[str, tuple[str, Callable[[np.ndarray], np.ndarray]]] = {
    "learning_rate": ("a positive finite number", _positive),
    "momentum": _SHARE,
    "alpha": _SHARE,
    "eps": ("above 0", _positive),
    "weight_decay": _AMOUNT,
    "lr_decay": _AMOUNT,
    "momentum_decay": _AMOUNT,
    "initial_accumulator_value": _AMOUNT,
}
