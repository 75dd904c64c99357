"""The median and other quantiles of y at each x, exact, from a few passes over any number of rows.

A sample tells where the curve is. Rows far above and far below it cost what their sums say, for
their signs are known; only those in between go into the linear program (Portnoy and Koenker 1997).
A pass then looks for rows on another side of the new curve than was taken for granted; they join
the program, and where there are none, the curve is that of all rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from polydescent.arrays import namespace, to_host
from polydescent.errors import RowsChanged
from polydescent.least_squares.constraints import NONE, Constraints
from polydescent.least_squares.solution import from_triangle
from polydescent.polynomial.basis import CHEBYSHEV, Domain, design_matrix
from polydescent.polynomial.curve import Polynomial
from polydescent.robust import linear_program
from polydescent.robust.losses import Quantile
from polydescent.robust.passes import Reader, Sample, columns_that_count
from polydescent.robust.scale import median
from polydescent.rows.rows import Rows
from polydescent.triangle import kernels
from polydescent.triangle.kernels.reference import stack
from polydescent.triangle.triangle import Triangle

DIRECT = 1 << 14  # rows that are solved at once
_ROUNDS = 25
_BLOCK = 1 << 16  # rows of a pass at once
_NEARBY = 1 << 14  # rows that tell the density about the curve
_NARROW = 1e-3  # of a typical residual: nearer to the curve, squares take over from |residual|
_FAR = 1e4  # times the typical residual: rows beyond it are brought as near
_LOST = 1e-6  # of how far the curve moved: what its residuals may have lost
_SMALLEST = 1e-140
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, eq=False)
class Tilted:
    """A quantile, and what the rows leave uncertain about it.

    Attributes
    ----------
    triangle
        Of the rows, each weighed so that its square is what it costs: a parabola that touches the
        loss from above at the curve, and has its minimum there.
    curve
        Chebyshev weights, shape (k,).
    root
        Shape (k, m), root·rootᵀ is the covariance of the weights, in units of y²: Hendricks and
        Koenker's. NaN without degrees of freedom.
    passes
        How often all rows were read.
    """

    triangle: Triangle
    curve: np.ndarray
    root: np.ndarray
    passes: int


def sample_size(n: int, degree: int) -> int:
    """Rows from which a quantile of n rows is best guessed."""
    return max(DIRECT, 2 * int(((degree + 1) * n) ** (2 / 3)))


def settle(
    reader: Reader,
    base: Triangle,
    loss: Quantile,
    sample: Sample,
    held: Constraints = NONE,
    origin: int = 0,
) -> Tilted:
    """The curve below which a share q of all rows lies. Arguments as in `reweighted.settle`."""
    solution = from_triangle(base, held, origin)
    frame = _Frame(base.domain, math.sqrt(base.n) * solution.factor, loss.q)
    passes, curve = 0, _from_sample(frame, sample, base, held, origin)
    if not sample.is_all:
        curve, passes = _exact(reader, base, frame, sample, curve)
    apart, share = _nearby(frame, sample, curve)
    left = _Rows.of(sample.rows).left(curve, base.domain)
    typical = median(np.abs(left), sample.rows.counts)
    narrow = max(_NARROW * typical, 64 * _EPS * float(np.abs(curve).max()), _SMALLEST)
    of_rows = partial(_weighed, frame=frame, curve=curve, apart=apart, narrow=narrow)
    found = reader.each(of_rows)
    array = found.parabola
    array[:-1, -1] = array[:-1, :-1] @ curve
    triangle = Triangle(array, base.domain, base.n, base.log_weights)
    root = frame.root(found.density * share, base.n, base.n - solution.free)
    return Tilted(triangle, curve, root, passes + 1)


def starts(
    sample: Sample, base: Triangle, held: Constraints = NONE, origin: int = 0
) -> Iterator[np.ndarray]:
    """The median and the quartiles of a sample, from which losses with many minima start: one of
    them is among the good rows though nearly half of all be off on one side. Chebyshev weights.
    """
    solution = from_triangle(base, held, origin)
    for q in (0.5, 0.25, 0.75):
        frame = _Frame(base.domain, math.sqrt(base.n) * solution.factor, q)
        yield _from_sample(frame, sample, base, held, origin)


def _from_sample(
    frame: _Frame, sample: Sample, base: Triangle, held: Constraints, origin: int
) -> np.ndarray:
    """The quantile of a sample. The walk begins near a constant: one wild row may have taken least
    squares away, and with it the digits of what is held.
    """
    rows, flat = _Rows.of(sample.rows), base.array.copy()
    flat[:-1, -1], flat[-1, -1] = flat[:-1, 0] * np.median(rows.y), 0.0
    near = from_triangle(Triangle(flat, base.domain, base.n), held, origin)
    return frame.through(rows, near.weights)


# ── the program ──


@dataclass(frozen=True, eq=False)
class _Rows:
    """Rows of a program: x, y and cost (√ω times count), shape (m,) each, on the host."""

    x: np.ndarray
    y: np.ndarray
    cost: np.ndarray

    @classmethod
    def of(cls, rows: Rows) -> _Rows:
        cost = np.ones(rows.n) if rows.weights is None else np.sqrt(to_host(rows.weights))
        if rows.counts is not None:
            cost = cost * to_host(rows.counts)
        return cls(to_host(rows.x), to_host(rows.y), cost)

    def left(self, curve: np.ndarray, domain: Domain) -> np.ndarray:
        """y − f(x), shape (m,)."""
        return self.y - Polynomial(CHEBYSHEV, domain, curve)(self.x)


@dataclass(frozen=True, eq=False)
class _Frame:
    """The directions in which a curve may move, and the quantile.

    domain: of x. factor: shape (k, m), the directions, of size 1 over all rows. q: the share below.
    """

    domain: Domain
    factor: np.ndarray
    q: float

    def directions(self, x: Any) -> np.ndarray:
        """X, shape (rows, m): how each direction moves the curve at x."""
        u = self.domain.to_unit(x)
        return design_matrix(CHEBYSHEV, u, len(self.factor) - 1) @ self.factor

    def moves(self, rows: _Rows, curve: np.ndarray, pull: Any = 0.0) -> np.ndarray:
        """How far along each direction the curve that costs least is from one that obeys what is
        held.
        """
        X, left = self.directions(rows.x), rows.left(curve, self.domain)
        pull = np.zeros(X.shape[1]) + pull
        far = _FAR * (float(np.median(np.abs(left))) or float(np.abs(left).max()))
        while True:  # how far a far row is costs digits, and tells nothing but its side
            near = np.clip(left, -far, far)
            found = linear_program.solve(X, near, rows.cost, self.q, pull)
            beyond = np.abs(left) > far
            if not (np.abs(X[beyond] @ found) >= far).any():
                return found
            far *= _FAR

    def through(self, rows: _Rows, curve: np.ndarray) -> np.ndarray:
        """The curve that costs least, from one that obeys what is held."""
        for _ in range(_ROUNDS):
            before, curve = curve, curve + self.factor @ self.moves(rows, curve)
            typical = float(np.median(np.abs(rows.left(curve, self.domain))))
            moved = float(np.abs(curve - before).sum())
            if moved * _LOST <= max(typical, float(np.abs(curve).sum())):
                break  # the digits that the residuals lost to the curve before are not missed
        return curve

    def root(self, density: np.ndarray, n: int, freedom: int) -> np.ndarray:
        """√(q(1 − q))·H⁻¹·J^½ for the weights, with H of the triangle of rows times density."""
        along = density[:-1, :-1] @ self.factor
        spread = math.sqrt(self.q * (1 - self.q) * n)
        try:
            inverse = np.linalg.inv(along.T @ along)
        except np.linalg.LinAlgError:
            freedom = 0
        if freedom < 1:
            return np.full_like(self.factor, np.nan)
        return spread * self.factor @ inverse


# ── many rows ──


@dataclass(frozen=True, eq=False)
class _Sides:
    """What a pass finds: Σ cost·X of the rows far above and far below, shape (2, m); x, y and cost
    of those between, shape (3, rows); rows on the wrong side of the newest curve; all that count.
    """

    sums: np.ndarray
    between: np.ndarray
    wrong: int
    n: int

    def __add__(self, other: _Sides) -> _Sides:
        between = np.concatenate([self.between, other.between], axis=1)
        wrong, n = self.wrong + other.wrong, self.n + other.n
        return _Sides(self.sums + other.sums, between, wrong, n)


def _exact(
    reader: Reader, base: Triangle, frame: _Frame, sample: Sample, guess: np.ndarray
) -> tuple[np.ndarray, int]:
    """(curve, passes) from the guess of a sample."""
    some = _Rows.of(sample.rows)
    wide = np.linalg.norm(frame.directions(some.x), axis=1)
    share = min(sample_size(base.n, base.degree) / base.n, 0.5)
    width = float(np.quantile(np.abs(some.left(guess, frame.domain)) / wide, share))
    curves: list[np.ndarray] = []  # as moves from the guess
    passes = 0
    while passes < _ROUNDS:
        passes += 1
        of_rows = partial(_sides, frame=frame, guess=guess, width=width, curves=curves)
        found = reader.each(of_rows)
        if found.n != base.n:
            raise RowsChanged(base.n, found.n)
        if curves and not found.wrong:
            break
        if found.wrong > found.between.shape[1]:
            width, guess, curves = 4 * width, guess + frame.factor @ curves[-1], []
            continue
        pull = frame.q * found.sums[0] + (frame.q - 1) * found.sums[1]
        curves = [*curves, frame.moves(_Rows(*found.between), guess, pull)]
    return guess + frame.factor @ curves[-1], passes


def _sides(
    rows: Rows, frame: _Frame, guess: np.ndarray, width: float, curves: Sequence[np.ndarray]
) -> _Sides:
    columns = [to_host(column) for column in columns_that_count(rows)]
    sums, between, wrong = np.zeros((2, frame.factor.shape[1])), [], 0
    for start in range(0, len(columns[0]), _BLOCK):
        x, y, cost, _ = (column[start : start + _BLOCK] for column in columns)
        X, some = frame.directions(x), _Rows(x, y, cost)
        left = some.left(guess, frame.domain)
        is_far = left * left > width**2 * np.einsum("ij,ij->i", X, X)
        moved = 0
        for curve in curves:
            turned = is_far & (left * (left - X @ curve) < 0)
            is_far, moved = is_far & ~turned, int(np.count_nonzero(turned))
        wrong += moved
        near = np.flatnonzero(~is_far)
        far = np.where(is_far, cost, 0.0)
        sums += np.stack([np.where(left > 0, far, 0.0), np.where(left > 0, 0.0, far)]) @ X
        between.append(np.stack([x[near], y[near], cost[near]]))
    return _Sides(sums, np.concatenate(between, axis=1), wrong, int(columns[3].sum()))


# ── what the rows leave uncertain ──


def _nearby(frame: _Frame, sample: Sample, curve: np.ndarray) -> tuple[np.ndarray, float]:
    """(difference of the quantiles q + h and q − h of √ω·residual, as Chebyshev weights, 2h): from
    it the density of y about the curve at each x (Hendricks and Koenker 1992), h by Bofinger's
    rule.
    """
    rows = Sample.of(sample.rows, _NEARBY, 0).rows
    some = _Rows.of(rows)
    root = np.ones(rows.n) if rows.weights is None else np.sqrt(to_host(rows.weights))
    left, often = root * some.left(curve, frame.domain), some.cost / root
    h = min(_bandwidth(frame.q, float(often.sum())), 0.999 * min(frame.q, 1 - frame.q))
    X, nothing = frame.directions(some.x), np.zeros(frame.factor.shape[1])
    high, low = (
        linear_program.solve(X, left, often, share, nothing) for share in (frame.q + h, frame.q - h)
    )
    return frame.factor @ (high - low), math.sqrt(2 * h)


def _bandwidth(q: float, n: float) -> float:
    """Of quantiles about q: Bofinger's, least in mean square for normal noise."""
    from scipy import special  # a tenth of a second: only where a quantile is asked for

    z = float(special.ndtri(q))
    density = math.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    return (4.5 * density**4 / (2 * z * z + 1) ** 2 / n) ** 0.2


@dataclass(frozen=True, eq=False)
class _Weighed:
    """Triangles, shape (k + 1, k + 1), of rows weighed by their cost and by the density of y."""

    parabola: np.ndarray
    density: np.ndarray

    def __add__(self, other: _Weighed) -> _Weighed:
        return _Weighed(*map(stack, vars(self).values(), vars(other).values()))


def _weighed(
    rows: Rows, frame: _Frame, curve: np.ndarray, apart: np.ndarray, narrow: float
) -> _Weighed:
    x, y, cost, often = columns_that_count(rows)
    xp, k = namespace(x), len(curve)
    left = y - Polynomial(CHEBYSHEV, frame.domain, curve)(x)
    tilt = xp.where(left > 0, frame.q + 0 * left, 1 - frame.q + 0 * left)
    size = xp.abs(left)
    size = xp.where(size > narrow, size, narrow + 0 * size)
    between = Polynomial(CHEBYSHEV, frame.domain, apart)(x)
    least = 1e-8 * float(np.abs(apart).sum()) + _SMALLEST
    inverse = 1 / xp.where(between > least, between, least + 0 * between)
    density = xp.where(between > least, inverse, 0 * inverse)
    omega = cost * cost / xp.where(often == 0, 1 + 0 * often, often)
    triangles = []
    for weights in (cost * tilt / size, omega * density):
        array, own = kernels.compress(x, left, weights, k - 1)
        known = array[:-1, :-1].any()
        triangles.append(Triangle(array, own, 1).rebased(frame.domain).array if known else array)
    return _Weighed(*triangles)
