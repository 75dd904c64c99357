"""The best curve that rises, bends or stays as asked, and keeps its coefficients within bounds.

The free curve has weights w₀ and a factor F of their covariance: every other curve is w₀ + F·e and
loses ‖e‖² more. What is asked is linear in e, one inequality at every place of the domain:

    minimize ‖e‖  where  ±f⁽ᵐ⁾(u) ≥ 0 for all u in [−1, 1]  and  low ≤ coef[p] ≤ high

Least distance programming (Lawson and Hanson 1974) answers it for a few places; those where the
curve is lowest beside them are added until none is left (an exchange). The curve then touches 0 in
a few places u, which Newton's method moves to where it has its minima; they are equations from
there on, so that the curve between them is as exact as the places are squared.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polydescent.arrays import quiet
from polydescent.checks import as_whole
from polydescent.errors import BadSetting, NoSuchCurve
from polydescent.least_squares.constraints import Constraints
from polydescent.least_squares.solution import Solution
from polydescent.polynomial.basis import CHEBYSHEV
from polydescent.polynomial.curve import exact_powers, nearest_float

SHAPES = {  # the order of the derivative, and its sign
    "increasing": (1, 1),
    "decreasing": (1, -1),
    "convex": (2, 1),
    "concave": (2, -1),
    "positive": (0, 1),
}
HIGHEST = 40  # degree: from 50 on rounding of the second derivative ends some exchanges too early
_ROUNDS = 60
_TOLERANCE = 1e-13  # of the free curve's derivative: what it may be below 0
_CLOSE = 1e-7  # of a place: the curve dips below 0 by its square
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Demands:
    """What a curve must obey all over the domain of its rows, and its coefficients.

    shapes: names of `SHAPES`. bounds: (power, low, high), ±inf for none, in units of y per unit of
    the user's x to the power, ascending.
    """

    shapes: tuple[str, ...] = ()
    bounds: tuple[tuple[int, float, float], ...] = ()

    @classmethod
    def parse(cls, shape: Any = None, bounds: Any = None) -> Demands:
        """What a user typed. Raises BadSetting."""
        return cls(_shapes(shape), _bounds(bounds))

    def __bool__(self) -> bool:
        return bool(self.shapes or self.bounds)

    def __str__(self) -> str:
        return ", ".join([*self.shapes, *(_interval(*bound) for bound in self.bounds)])

    def check(self, degree: int) -> None:
        """Raise BadSetting where a curve of this degree cannot be asked."""
        if self and degree > HIGHEST:
            raise BadSetting("degree", degree, f"at most {HIGHEST} with shape= or bounds=")
        for power, _, _ in self.bounds:
            if power > degree:
                raise BadSetting("bounds", power, f"a power from 0 to the degree, {degree}")


ANY = Demands()


def obeying(
    demands: Demands, solve: Callable[[Constraints], Solution], held: Constraints
) -> Solution:
    """The best curve that obeys the demands and what is held; solve: the best that obeys the
    equations alone.

    Raises NoSuchCurve where there is none, and what `solve` raises.
    """
    held = replace(held, shape=str(demands))
    free = solve(held)
    touched = touches(free, demands, held)
    if touched is None:
        return replace(free, constraints=held)
    found = solve(replace(held, touched=touched[0], bound=touched[1]))
    with quiet():
        beyond = [b for b in _crossed(demands, found.powers) if b not in touched[1]]
    if beyond:  # by rounding alone
        found = solve(
            replace(held, touched=touched[0], bound=tuple(sorted((*touched[1], *beyond))))
        )
    return found


# ── what was typed ──


def _shapes(shape: Any) -> tuple[str, ...]:
    names = (shape,) if isinstance(shape, str) else () if shape is None else shape
    wanted = f"{', '.join(SHAPES)}, or several of them"
    if not isinstance(names, Iterable):
        raise BadSetting("shape", shape, wanted)
    names = tuple(names)
    if any(not isinstance(name, str) or name not in SHAPES for name in names):
        raise BadSetting("shape", shape, wanted)
    names = tuple(name for name in SHAPES if name in names)
    for pair, instead in (("increasing", "decreasing"), 0), (("convex", "concave"), 1):
        if set(pair) <= set(names):
            raise BadSetting("shape", shape, f"one of the two; both at once is degree={instead}")
    return names


def _bounds(bounds: Any) -> tuple[tuple[int, float, float], ...]:
    wanted = "a mapping of powers to (low, high) with low < high, None for no limit: {1: (0, None)}"
    if bounds is None:
        return ()
    if not isinstance(bounds, Mapping):
        raise BadSetting("bounds", bounds, wanted)
    found = {}
    for power, ends in bounds.items():
        place = as_whole(power)
        try:
            low, high = (None if end is None else float(end) for end in ends)
        except (TypeError, ValueError, OverflowError):
            raise BadSetting("bounds", bounds, wanted) from None
        low, high = -math.inf if low is None else low, math.inf if high is None else high
        if place is None or place < 0 or not low < high:
            raise BadSetting("bounds", bounds, wanted)
        found[place] = (low, high)
    return tuple(sorted((power, *ends) for power, ends in found.items()))


def _interval(power: int, low: float, high: float) -> str:
    left = "" if low == -math.inf else f"{low:.6g} ≤ "
    return f"{left}x^{power}" + ("" if high == math.inf else f" ≤ {high:.6g}")


def _crossed(demands: Demands, powers: np.ndarray) -> list[tuple[int, float]]:
    """The bounds that these coefficients are beyond."""
    low = [(p, lo) for p, lo, _ in demands.bounds if powers[p] < lo]
    return low + [(p, hi) for p, _, hi in demands.bounds if powers[p] > hi]


# ── where the best curve touches ──


@dataclass(frozen=True, eq=False)
class _Rows:
    """Inequalities A·e ≥ h: places (order, sign, u), then bounds (power, sign, end)."""

    places: tuple[tuple[int, int, float], ...]
    bounds: tuple[tuple[int, int, float], ...]

    def pick(self, which: Iterable[int]) -> _Rows:
        many = len(self.places)
        which = sorted(which)
        return _Rows(
            tuple(self.places[i] for i in which if i < many),
            tuple(self.bounds[i - many] for i in which if i >= many),
        )


@dataclass(frozen=True, eq=False)
class _Distance:
    """The free curve as the origin e = 0: what it and its directions are worth at a place."""

    weights: np.ndarray
    factor: np.ndarray
    powers: np.ndarray
    powers_factor: np.ndarray
    slopes: tuple[np.ndarray, ...]

    @classmethod
    def of(cls, free: Solution) -> _Distance:
        columns = [exact_powers(CHEBYSHEV, free.domain, c, free.origin) for c in free.factor.T]
        rows = np.array([[nearest_float(v) for v in column] for column in columns])
        powers_factor = rows.reshape(-1, len(free.weights)).T
        both = np.column_stack((free.factor, free.weights))
        slopes = tuple(np.polynomial.chebyshev.chebder(both, order) for order in range(5))
        return cls(free.weights, free.factor, free.powers, powers_factor, slopes)

    def derivative(self, order: int, e: np.ndarray | None = None) -> np.ndarray:
        """Chebyshev weights of f⁽ᵐ⁾ by u."""
        weights = self.weights if e is None else self.weights + self.factor @ e
        return np.polynomial.chebyshev.chebder(weights, order)

    def at(self, rows: _Rows, more: int = 0) -> tuple[np.ndarray, np.ndarray]:
        """(A, c) of each row, the values of the curve being A·e + c; of the derivative `more`
        times further for places.
        """
        many = len(rows.places)
        A = np.zeros((many + len(rows.bounds), self.factor.shape[1]))
        c = np.zeros(len(A))
        orders, signs, u = np.array(rows.places).reshape(-1, 3).T
        for order in np.unique(orders):
            these = np.flatnonzero(orders == order)
            slopes = self.slopes[int(order) + more]
            found = (
                np.polynomial.chebyshev.chebvander(u[these], len(slopes) - 1)
                @ slopes
                * signs[these, None]
            )
            A[these], c[these] = found[:, :-1], found[:, -1]
        if not more:
            for i, (power, sign, end) in enumerate(rows.bounds, many):
                A[i] = sign * self.powers_factor[power]
                c[i] = sign * (self.powers[power] - end)
        return A, c


def touches(
    free: Solution, demands: Demands, held: Constraints
) -> tuple[tuple[tuple[int, float], ...], tuple[tuple[int, float], ...]] | None:
    """((order, u) where the best curve touches 0, (power, end) where a coefficient is at its
    bound); None where the free curve obeys. Raises NoSuchCurve.
    """
    distance = _Distance.of(free)
    k = len(free.weights)
    signs = [SHAPES[name] for name in demands.shapes if SHAPES[name][0] < k]
    scale = {order: _largest(distance.derivative(order)) for order, _ in signs}
    grid = np.cos(np.linspace(np.pi, 0, 4 * k + 1))
    bounds = [(p, 1, low) for p, low, _ in demands.bounds if low > -math.inf]
    bounds += [(p, -1, high) for p, _, high in demands.bounds if high < math.inf]
    places = [(order, sign, float(u)) for order, sign in signs for u in grid]
    allowed = {order: _allowed(distance, order, scale[order]) for order, _ in signs}

    def lacking(e: np.ndarray | None = None) -> list[tuple[int, int, float]]:
        return [
            (order, sign, u)
            for order, sign in signs
            for u, value in _minima(sign * distance.derivative(order, e))
            if value < -allowed[order]
        ]

    if not lacking() and not _crossed(demands, free.powers):
        return None
    for _ in range(_ROUNDS):
        rows = _Rows(tuple(places), tuple(bounds))
        active = _least_distance(*distance.at(rows))
        if active is None:
            raise NoSuchCurve(str(demands), k - 1, str(held))
        some = rows.pick(active)
        e = _at_equality(*distance.at(some))[0]
        new, more = lacking(e), []
        settled = _settled(distance, _merged(some, k))
        if settled is not None:
            better, e = settled
            more = lacking(e)
            if not more and _keeps(distance, bounds, e):
                return _as_touched(better)
        if not new:
            return _as_touched(some)
        places = [*places, *new, *more]
    raise NoSuchCurve(str(demands), k - 1, str(held), rounds=_ROUNDS)


def _as_touched(rows: _Rows) -> tuple[tuple[tuple[int, float], ...], tuple[tuple[int, float], ...]]:
    places = sorted({(order, u) for order, _, u in rows.places})
    return tuple(places), tuple(sorted((power, end) for power, _, end in rows.bounds))


def _largest(weights: np.ndarray) -> float:
    grid = np.cos(np.linspace(np.pi, 0, 16 * len(weights) + 1))
    return float(np.abs(np.polynomial.chebyshev.chebval(grid, weights)).max())


def _allowed(distance: _Distance, order: int, scale: float) -> float:
    """How far below 0 is nothing: a share of the free derivative, and the rounding of it."""
    return _TOLERANCE * scale + _EPS * float(np.abs(distance.derivative(order)).sum())


def _minima(weights: np.ndarray) -> list[tuple[float, float]]:
    """(u, value) of the lowest places of a curve on [−1, 1]: where its slope is 0, and its ends."""
    slope = np.trim_zeros(np.polynomial.chebyshev.chebder(weights), "b")
    roots = np.polynomial.chebyshev.chebroots(slope) if len(slope) > 1 else np.zeros(0)
    inside = roots.real[(np.abs(roots.imag) < 1e-6) & (np.abs(roots.real) < 1)]
    grid = np.cos(np.linspace(np.pi, 0, 4 * len(weights) + 1))
    u = np.unique([*inside, *grid])
    value = np.polynomial.chebyshev.chebval(u, weights)
    padded = np.concatenate(([np.inf], value, [np.inf]))
    low = (value <= padded[:-2]) & (value <= padded[2:])
    return list(zip(u[low].tolist(), value[low].tolist(), strict=True))


def _least_distance(A: np.ndarray, c: np.ndarray) -> np.ndarray | None:
    """Which rows the shortest e with A·e + c ≥ 0 touches; None where there is none."""
    from scipy.optimize import nnls  # a tenth of a second: only where a shape is asked for

    size = np.linalg.norm(A, axis=1)
    size[size == 0] = 1.0
    h = -c / size
    top = np.abs(h).max()
    if not top:
        return np.zeros(0, dtype=int)
    E = np.vstack([(A / size[:, None]).T, h / top])
    target = np.zeros(len(E))
    target[-1] = 1.0
    try:
        multipliers, left = nnls(E, target, maxiter=30 * E.shape[1])
    except RuntimeError:  # it circles among rows that rounding makes equal
        return None
    if left**2 < 1e-14:
        return None
    return np.flatnonzero(multipliers)


def _at_equality(A: np.ndarray, c: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(e, μ, A⁺): the shortest e = Aᵀ·μ with A·e + c = 0; rows of A of any size."""
    size = np.linalg.norm(A, axis=1)
    size[size == 0] = 1.0
    inverse = np.linalg.pinv(A / size[:, None], rcond=1e-13) / size
    e = -inverse @ c
    return e, inverse.T @ e, inverse


def _merged(rows: _Rows, k: int) -> _Rows:
    """One place for each group of neighbors: they stand around one touch."""
    found: list[list[tuple[int, int, float]]] = []
    for place in sorted(rows.places):
        last = found[-1][-1] if found else (-1, 0, 0.0)  # no order is −1
        if last[:2] == place[:2] and math.acos(last[2]) - math.acos(place[2]) < 1.1 * math.pi / (
            4 * k
        ):
            found[-1].append(place)
        else:
            found.append([place])
    merged = []
    for group in found:
        ends = [p for p in group if abs(p[2]) == 1]
        middle = sum(p[2] for p in group) / len(group)
        merged.append(ends[0] if ends else (*group[0][:2], middle))
    return _Rows(tuple(merged), rows.bounds)


def _settled(distance: _Distance, rows: _Rows) -> tuple[_Rows, np.ndarray] | None:
    """The places moved to where the curve that touches there has its minima, by Newton's method,
    and that curve; None where it does not arrive or would rather leave one.
    """
    u = np.array([place[2] for place in rows.places])
    sign_only, k = [place[:2] for place in rows.places], len(distance.weights)
    last, many, identity = math.inf, len(u), np.eye(distance.factor.shape[1])
    for _ in range(30):
        places = tuple((*s, float(v)) for s, v in zip(sign_only, u, strict=True))
        rows = replace(rows, places=places)
        A, c = distance.at(rows)
        e, multipliers, inverse = _at_equality(A, c)
        if not many:
            break
        (A1, c1), (A2, c2) = (distance.at(rows, more) for more in (1, 2))
        slope, bend = (c1 + A1 @ e)[:many], (c2 + A2 @ e)[:many]
        inward = u * slope > 1e-7 * (np.abs(A1) @ np.abs(e) + np.abs(c1))[:many]
        free = (np.abs(u) < 1) | inward
        if not free.any():
            break
        A1, away = A1[:many], identity - inverse @ A
        J = np.diag(bend) + A1 @ away @ A1.T * multipliers[:many]
        J -= A1 @ inverse[:, :many] * slope
        J = J[np.ix_(free, free)]
        size = np.abs(J).max(axis=1)
        if not size.all() or not np.isfinite(J).all():
            return None
        step = np.zeros(many)
        step[free] = np.linalg.lstsq(J / size[:, None], -slope[free] / size, rcond=1e-13)[0]
        step = np.clip(step, -0.5 / k, 0.5 / k)
        moved = np.clip(u + step, -1.0, 1.0)
        before, last = last, np.abs(moved - u).max()
        u = moved
        if last <= 4 * _EPS or (last < _CLOSE and last > before / 4):
            break  # to rounding, which is that of derivatives
    else:
        return None
    places = tuple((*s, float(v)) for s, v in zip(sign_only, u, strict=True))
    rows = replace(rows, places=places)
    e, multipliers, _ = _at_equality(*distance.at(rows))
    if (multipliers < -1e-9 * np.abs(multipliers).max(initial=0.0)).any():
        return None
    return rows, e


def _keeps(distance: _Distance, bounds: list[tuple[int, int, float]], e: np.ndarray) -> bool:
    """Whether no coefficient is beyond its bound but for rounding."""
    A, c = distance.at(_Rows((), tuple(bounds)))
    size = np.abs(A) @ np.abs(e) + np.abs(c)
    return bool((A @ e + c >= -1e-13 * size).all())
