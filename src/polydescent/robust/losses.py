"""What a residual costs: squares near the curve, and less than squares far from it.

A loss is two rules on a = |residual| / scale: `weight(a)`, what the row counts in the squares that
the next pass solves, and `slope(a)`, the derivative ψ′ of ψ(a) = a·weight(a), from which the
standard errors follow. `Quantile` has neither: it is a linear program, see `quantiles`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from polydescent.arrays import Array, namespace
from polydescent.checks import number
from polydescent.errors import BadSetting, UnknownName


@dataclass(frozen=True)
class Loss:
    """What every loss of squares near the curve has: a width c, in units of the scale.

    Parameters
    ----------
    c
        Where the loss leaves the squares, > 0, in units of the scale. The default makes the curve
        95 % as sure as least squares where the noise is normal after all.
    """

    c: float

    name: ClassVar[str] = ""
    code: ClassVar[int] = 0  # what the C kernel calls it
    is_convex: ClassVar[bool] = False  # one minimum at a given scale, wherever one starts

    def __post_init__(self) -> None:
        wanted = "a number above 0, in units of the scale"
        if not number("c", self.c, wanted) > 0 or not math.isfinite(float(self.c)):
            raise BadSetting("c", self.c, wanted)
        object.__setattr__(self, "c", float(self.c))

    def weight(self, a: Array) -> Array:
        """ψ(a)/a for a = |residual|/scale: what a row counts in the squares, 1 near the curve.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        raise NotImplementedError

    def slope(self, a: Array) -> Array:
        """ψ′(a): how the pull of a row changes with its residual.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        raise NotImplementedError

    def cost(self, a: Array) -> Array:
        """2ρ(a), ρ′ = ψ: a² near the curve; scale²·cost adds up to the loss.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        raise NotImplementedError


@dataclass(frozen=True)
class Huber(Loss):
    """Squares up to c scales, absolute values beyond: what is far pulls no harder than what is at
    c. Mild outliers, in y.

    Parameters
    ----------
    c
        Where absolute values begin, > 0, in units of the scale; default 1.345.

    Examples
    --------
    >>> import numpy as np
    >>> Huber(c=2.0).weight(np.array([1.0, 4.0]))
    array([1. , 0.5])
    """

    c: float = 1.345
    name: ClassVar[str] = "huber"
    code: ClassVar[int] = 0
    is_convex: ClassVar[bool] = True

    def weight(self, a: Array) -> Array:
        """min(1, c/a): see `Loss.weight`.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        return self.c / namespace(a).maximum(a, _constant(self.c, a))

    def slope(self, a: Array) -> Array:
        """1 up to c, 0 beyond: see `Loss.slope`.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        return namespace(a).astype(a <= self.c, a.dtype)

    def cost(self, a: Array) -> Array:
        """a² up to c, 2·c·a − c² beyond: see `Loss.cost`.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        near = namespace(a).minimum(a, _constant(self.c, a))
        return near * (2 * a - near)


@dataclass(frozen=True)
class Tukey(Loss):
    """Tukey's biweight: rows beyond c scales do not count at all. Gross outliers, up to nearly half
    of the rows.

    It has many minima; the curve is the one that the median fit leads to.

    Parameters
    ----------
    c
        From where rows do not count, > 0, in units of the scale; default 4.685.

    Examples
    --------
    >>> import numpy as np
    >>> Tukey(c=2.0).weight(np.array([0.0, 1.0, 4.0]))
    array([1.    , 0.5625, 0.    ])
    """

    c: float = 4.685
    name: ClassVar[str] = "tukey"
    code: ClassVar[int] = 1

    def weight(self, a: Array) -> Array:
        """(1 − (a/c)²)² up to c, 0 beyond: see `Loss.weight`.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        left = 1 - self._near(a)
        return left * left

    def slope(self, a: Array) -> Array:
        """(1 − (a/c)²)·(1 − 5·(a/c)²) up to c, 0 beyond: see `Loss.slope`.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        near = self._near(a)
        return (1 - near) * (1 - 5 * near)

    def cost(self, a: Array) -> Array:
        """(c²/3)·(1 − (1 − (a/c)²)³) up to c, c²/3 beyond: see `Loss.cost`.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        near = self._near(a)
        return self.c**2 * near * (1 - near * (1 - near / 3))

    def _near(self, a: Array) -> Array:
        """(a/c)², 1 beyond c."""
        part = namespace(a).minimum(a * (1 / self.c), _constant(1.0, a))
        return part * part


@dataclass(frozen=True)
class Cauchy(Loss):
    """Cauchy's (Lorentzian) loss: rows count less the farther they are, none is left out.

    Parameters
    ----------
    c
        Where a row counts half, > 0, in units of the scale; default 2.385.

    Examples
    --------
    >>> import numpy as np
    >>> Cauchy(c=2.0).weight(np.array([0.0, 2.0]))
    array([1. , 0.5])
    """

    c: float = 2.385
    name: ClassVar[str] = "cauchy"
    code: ClassVar[int] = 2

    def weight(self, a: Array) -> Array:
        """1/(1 + (a/c)²): see `Loss.weight`.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        part = a / self.c
        return 1 / (1 + part * part)

    def slope(self, a: Array) -> Array:
        """(1 − (a/c)²)/(1 + (a/c)²)²: see `Loss.slope`.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        weight = self.weight(a)
        return weight * (2 * weight - 1)

    def cost(self, a: Array) -> Array:
        """c²·ln(1 + (a/c)²): see `Loss.cost`.

        Parameters
        ----------
        a
            ≥ 0, any shape.
        """
        part = a / self.c
        return self.c**2 * namespace(a).log1p(part * part)


@dataclass(frozen=True)
class Quantile:
    """The curve that a share q of all y lies below: absolute values, tilted.

    Each row costs q·r above the curve and (q − 1)·r below it, r in units of σ where that is known.
    Quantile(0.5) is the median.

    Parameters
    ----------
    q
        The share below the curve, between 0 and 1.

    Examples
    --------
    >>> Quantile(0.9).q
    0.9
    """

    q: float = 0.5

    def __post_init__(self) -> None:
        wanted = "a share between 0 and 1"
        if not 0 < number("q", self.q, wanted) < 1:
            raise BadSetting("q", self.q, wanted)
        object.__setattr__(self, "q", float(self.q))

    @property
    def name(self) -> str:
        """Its word: "median", or "quantile"."""
        return "median" if self.q == 0.5 else "quantile"


def _constant(value: float, like: Array) -> Array:
    return namespace(like).asarray(value, dtype=like.dtype, device=like.device)


AnyLoss = Loss | Quantile
SQUARES = "squares"
LOSSES = {"huber": Huber(), "tukey": Tukey(), "cauchy": Cauchy(), "median": Quantile(0.5)}
KINDS: dict[str, Any] = {
    "huber": Huber,
    "tukey": Tukey,
    "cauchy": Cauchy,
    "median": Quantile,
    "quantile": Quantile,
}


def loss_of(loss: object) -> AnyLoss | None:
    """The loss meant by a word or by a loss itself; None for squares. Raises UnknownName,
    BadSetting.
    """
    if isinstance(loss, Loss | Quantile):
        return loss
    if loss is None or loss == SQUARES:
        return None
    if isinstance(loss, str):
        if loss in LOSSES:
            return LOSSES[loss]
        raise UnknownName("loss", loss, (SQUARES, *LOSSES))
    words = ", ".join(f'"{word}"' for word in (SQUARES, *LOSSES))
    raise BadSetting("loss", loss, f"{words}, or one of polydescent.losses, as losses.Huber(c=2)")


def described(loss: AnyLoss) -> str:
    """A loss with its settings, in words: huber(c = 1.345)."""
    if loss == Quantile(0.5):
        return "median"
    settings = ", ".join(f"{f.name} = {getattr(loss, f.name):g}" for f in fields(loss))
    return f"{loss.name}({settings})"
