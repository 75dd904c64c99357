"""Families of polynomials as recurrences: one evaluator and one change of basis serve them all."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np

from polydescent.arrays import Array, namespace
from polydescent.errors import UnknownName
from polydescent.sealed import schema

_TINY = 1e-150  # quotients by less leave float64
_AT_THE_EDGE = 1e-9  # of half the domain: rounding, not extrapolation


@dataclass(frozen=True)
class Domain:
    """The interval [lo, hi] of x, and the map u = (x − mid) / half that takes it to [−1, 1].

    An interval of one point maps to u = 0; its half is |mid| (1 where mid is about 0), so that u
    tells other x apart and a slope held beforehand can be written in it. The empty interval (inf,
    −inf) is the identity of `|`. A stack of domains has lo and hi of shape (…,), and so has all
    that follows from them.

    Parameters
    ----------
    lo, hi
        The ends, in units of x.

    Examples
    --------
    >>> Domain(0.0, 4.0) | Domain(3.0, 10.0)
    Domain(lo=0.0, hi=10.0)
    """

    lo: Any  # a float, or an array of a stack
    hi: Any

    @property
    def mid(self) -> float:
        """The middle, in units of x."""
        return self.lo / 2 + self.hi / 2  # halves first: lo + hi may overflow

    @property
    def half_width(self) -> float:
        """Half of its length, in units of x: what u = 1 is away from the middle."""
        width, size = self.hi / 2 - self.lo / 2, abs(self.mid)
        return _either(width != 0, width, _either(size > _TINY, size, 1.0))

    @property
    def is_point(self) -> bool:
        """Whether all x are one, or so near each other that float64 halves them to one."""
        return self.hi / 2 - self.lo / 2 == 0

    @property
    def is_empty(self) -> bool:
        """Whether it holds no x."""
        return self.lo > self.hi

    @property
    def edges(self) -> tuple[Any, Any]:
        """lo and hi, each further out by what rounding may do to an x that lies there."""
        slack = _AT_THE_EDGE * self.half_width
        return self.lo - slack, self.hi + slack

    def to_unit(self, x: Array) -> Array:
        """u in [−1, 1] for x in the domain, same shape and kind as x.

        Parameters
        ----------
        x
            In the units of lo and hi; any shape.
        """
        return (x - self.mid) / self.half_width

    def widening(self, wider: Domain) -> tuple[float, float]:
        """(scale, shift) with u on `wider` = scale·u + shift for the x of this domain.

        Parameters
        ----------
        wider
            A domain that holds this one.
        """
        scale = _either(self.is_point, 0.0, self.half_width / wider.half_width)
        return scale, (self.mid - wider.mid) / wider.half_width

    def __getitem__(self, place: Any) -> Domain:
        """Some of a stack."""
        return Domain(self.lo[place], self.hi[place])  # type: ignore[index]

    def __or__(self, other: Domain) -> Domain:
        """The smallest domain that holds both."""
        lo = _either(self.lo <= other.lo, self.lo, other.lo)
        return Domain(lo, _either(self.hi >= other.hi, self.hi, other.hi))

    def to_record(self) -> list[float] | None:
        """Its ends; None of the empty one, whose ends JSON has no numbers for."""
        return None if self.is_empty else [self.lo, self.hi]

    @classmethod
    def from_record(cls, found: Any, where: str) -> Self:
        """The inverse of `to_record`. Raises Misfit.

        Parameters
        ----------
        found
            What stands in a document.
        where
            The place there, for the refusal.
        """
        if found is None:
            return cls(math.inf, -math.inf)
        lo, hi = _ENDS(found, where)
        schema.check(lo <= hi, where, "[lo, hi] with lo at most hi", found)
        return cls(lo, hi)


_ENDS = schema.pair(schema.number(), schema.number())


def _either(condition: Any, yes: Any, no: Any) -> Any:
    """`yes` where the condition holds and `no` elsewhere, for numbers and for stacks of them."""
    if isinstance(condition, np.ndarray):
        return np.where(condition, yes, no)
    return yes if condition else no


@dataclass(frozen=True)
class Basis:
    """A family p₀ = 1, p[k+1](v) = a·v·p[k](v) − c·p[k−1](v), with a and c given by
    `recurrence(k)`.

    `on_unit` families live on v = u, the domain mapped to [−1, 1]; the others on v = x itself.
    """

    name: str
    symbol: str
    recurrence: Callable[[int], tuple[float, float]]
    on_unit: bool = True

    def variable(self, domain: Domain) -> tuple[float, float]:
        """(scale, shift) with v = scale·u + shift."""
        return (1.0, 0.0) if self.on_unit else (domain.half_width, domain.mid)

    def __reduce__(self) -> tuple[Any, ...]:
        """By its name where it is one of ours, so that copies and pickles hold that very one."""
        if BASES.get(self.name) is self:
            return basis_named, (self.name,)
        return Basis, (self.name, self.symbol, self.recurrence, self.on_unit)


def _power(k: int) -> tuple[float, float]:
    return 1.0, 0.0


def _chebyshev(k: int) -> tuple[float, float]:
    return (2.0, 1.0) if k else (1.0, 0.0)


def _legendre(k: int) -> tuple[float, float]:
    return (2 * k + 1) / (k + 1), k / (k + 1)


POWER = Basis("power", "x", _power, on_unit=False)
CHEBYSHEV = Basis("chebyshev", "T", _chebyshev)
LEGENDRE = Basis("legendre", "P", _legendre)
BASES = {basis.name: basis for basis in (POWER, CHEBYSHEV, LEGENDRE)}


def basis_named(name: str | Basis) -> Basis:
    """The basis called `name`; a Basis passes through. Raises UnknownName."""
    if isinstance(name, Basis):
        return name
    if not isinstance(name, str) or name not in BASES:
        raise UnknownName("basis", name, BASES)
    return BASES[name]


def design_matrix(basis: Basis, v: Array, degree: int) -> Array:
    """The columns p₀(v) … p_degree(v), shape (n, degree + 1), for v of shape (n,)."""
    xp = namespace(v)
    columns = [xp.ones_like(v)]
    for k in range(degree):
        a, c = basis.recurrence(k)
        following = v * columns[k] if a == 1.0 else a * v * columns[k]
        columns.append(following - c * columns[k - 1] if c else following)
    # stacked along the first axis and turned: each column contiguous, which products like best
    return xp.moveaxis(xp.stack(columns, axis=0), 0, -1)


def evaluate(basis: Basis, weights: np.ndarray, v: Array) -> Array:
    """Σ weights[k]·p[k](v), same shape and kind as v, by Clenshaw's recurrence from the top."""
    xp = namespace(v)
    above = above_that = xp.zeros_like(v)
    for k in range(len(weights) - 1, -1, -1):
        a, _ = basis.recurrence(k)
        _, c = basis.recurrence(k + 1)
        above, above_that = a * v * above - c * above_that + float(weights[k]), above
    return above


def change_of_basis(
    target: Basis, source: Basis, degree: int, scale: Any = 1.0, shift: Any = 0.0
) -> np.ndarray:
    """The target polynomials of scale·v + shift written in the source polynomials of v.

    Column j of the result C, shape (…, degree + 1, degree + 1), upper triangular, holds the source
    coordinates of target[j](scale·v + shift), so design(target) = design(source) · C, and a curve
    with weights w in the target has weights C·w in the source. Entries stay bounded where scale·v +
    shift stays in [−1, 1]. scale, shift: numbers, or shape (…,) for a stack.
    """
    k = degree + 1
    if np.ndim(scale) or np.ndim(shift):
        scale, shift = np.broadcast_arrays(scale, shift)
        scale, shift = scale[..., None], shift[..., None]
    columns = np.zeros((k, *np.shape(scale)[:-1], k))  # one after the other, each contiguous
    columns[0, ..., 0] = 1.0
    up, down = _times_variable(source, k)
    for j in range(degree):
        a, c = target.recurrence(j)
        column, following = columns[j], columns[j + 1]
        following[..., 1:] = column[..., :-1] * up
        following[..., :-1] += column[..., 1:] * down
        following *= scale
        following += shift * column
        if a != 1.0:
            following *= a
        if c:
            following -= c * columns[j - 1]
    return np.ascontiguousarray(columns.transpose((*range(1, columns.ndim), 0)))


@lru_cache(maxsize=64)
def _times_variable(basis: Basis, k: int) -> tuple[np.ndarray, np.ndarray]:
    """(up, down), shape (k − 1,) each, of v·p[i] = up[i]·p[i+1] + down[i−1]·p[i−1]."""
    a, c = np.array([basis.recurrence(i) for i in range(k)]).T
    return 1 / a[:-1], (c / a)[1:]
