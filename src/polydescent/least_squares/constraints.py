"""What is known about the curve beforehand, as linear equations that its weights must obey."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, Self

import numpy as np

from polydescent.checks import DEGREES, as_whole
from polydescent.errors import BadSetting, OutOfRange, TooFewDistinct, TooFewFree
from polydescent.least_squares.fixed_point import (
    ONE,
    PLACES,
    covariance_factor,
    dot,
    fixed,
    in_fixed_point,
    least_squares,
    unit,
)
from polydescent.polynomial.basis import CHEBYSHEV, Domain
from polydescent.polynomial.curve import exact_powers, nearest_float
from polydescent.rows.axis import ORIGINS, PLAIN, Axis, read_axis
from polydescent.sealed import schema
from polydescent.triangle.triangle import RANK_TOLERANCE, Triangle, checked_degree

_WHOLE = 2**53  # whole numbers up to it are float64
_PRIME = 2**521 - 1  # a rank modulo it is the rank, but for one chance in some 10¹⁵⁰
Equations = tuple[Sequence[Sequence[Fraction]], Sequence[Fraction]]  # B·w = b: (m, k) and (m,)


@dataclass(frozen=True)
class Constraints:
    """Coefficients held fixed (a term left out is fixed at 0) and points the curve runs through.

    fixed: (power, coefficient) pairs in the user's own x, ascending. through: (x, y) pairs, x
    a whole number where float64 does not hold it. touched: (order, u) pairs where a derivative (of
    order 0 the curve) is 0, u in the domain mapped to [−1, 1]. bound: (power, coefficient) pairs
    too. shape: what the last two follow from, in words; it may hold without them.
    """

    fixed: tuple[tuple[int, float], ...] = ()
    through: tuple[tuple[int | float, float], ...] = ()
    touched: tuple[tuple[int, float], ...] = ()
    bound: tuple[tuple[int, float], ...] = ()
    shape: str = ""

    def __bool__(self) -> bool:
        return len(self) > 0

    def __len__(self) -> int:
        return len(self.coefficients) + len(self.through) + len(self.touched)

    @property
    def coefficients(self) -> tuple[tuple[int, float], ...]:
        """(power, coefficient) of all that do not move."""
        return self.fixed + self.bound

    def __str__(self) -> str:
        held = [f"x^{power} = {value:.6g}" for power, value in self.fixed]
        return ", ".join([*held, *(f"through ({x:.6g}, {y:.6g})" for x, y in self.through)])

    def equations(self, domain: Domain, degree: int, origin: int = 0) -> Equations:
        """The equations for Chebyshev weights on `domain`, solved for as many of the weights.

        Written down as they are asked, they are nearly parallel where x is far from 0: x² and x³
        differ little on [2000, 2020]. Solved, w[i] + Σ C[i, j]·w[j] = b[i], they are far from it,
        and hold to 96 digits what was asked. Raises TooFewFree where they contradict or repeat each
        other.
        """
        if not self:
            return (), ()
        if not self._independent(domain, degree, origin):
            raise TooFewFree(degree, len(self), repeated=True)
        unit_weights = [[float(i == j) for i in range(degree + 1)] for j in range(degree + 1)]
        powers = [exact_powers(CHEBYSHEV, domain, weights, origin) for weights in unit_weights]
        rows = [([column[power] for column in powers], value) for power, value in self.coefficients]
        for x, y in self.through:
            rows.append(([_horner(column, Fraction(x)) for column in powers], y))
        unit_domain = Domain(-1.0, 1.0)
        in_u = [exact_powers(CHEBYSHEV, unit_domain, w) for w in unit_weights if self.touched]
        for order, u in self.touched:
            rows.append(([_horner(_slope(column, order), Fraction(u)) for column in in_u], 0.0))
        scaled = []
        for row, value in rows:
            largest = max(map(abs, row))
            scaled.append([*(a / largest for a in row), Fraction(value) / largest])
        return _solved(scaled)

    def _independent(self, domain: Domain, degree: int, origin: int) -> bool:
        """Whether no equation repeats or contradicts the others.

        That is up to the places alone: the free powers must be able to tell them apart.
        """
        held = {power for power, _ in self.coefficients}
        if len(held) < len(self.coefficients):
            return False
        free = [power for power in range(degree + 1) if power not in held]
        mid, half = Fraction(domain.mid) + origin, Fraction(domain.half_width)
        places = [(0, Fraction(x)) for x, _ in self.through]
        places += [(order, mid + half * Fraction(u)) for order, u in self.touched]
        x = [(order, p.numerator * pow(p.denominator, -1, _PRIME)) for order, p in places]
        rows = [
            [math.perm(p, m) * pow(v, p - m, _PRIME) if p >= m else 0 for p in free] for m, v in x
        ]
        return _rank(rows) == len(rows)

    def to_record(self) -> dict[str, Any]:
        """Its fields."""
        return asdict(self)

    @classmethod
    def from_record(cls, found: Any, where: str, degree: int) -> Self:
        """The inverse, of a curve of this degree. Raises Misfit."""
        fixed = schema.series(schema.pair(schema.whole(0, degree), schema.number()))
        forms = {
            "fixed": fixed,
            "through": schema.series(schema.pair(_place_form, schema.number())),
            "touched": schema.Maybe(schema.series(schema.pair(schema.whole(0, 2), _inside)), ()),
            "bound": schema.Maybe(fixed, ()),
            "shape": schema.Maybe(schema.text, ""),
        }
        held = cls(**schema.record(forms)(found, where))
        powers = [power for power, _ in sorted(held.coefficients)]
        points = [x for x, _ in held.through]
        schema.check(powers == sorted(set(powers)), f"{where}.fixed", "rising powers", powers)
        apart = len(points) == len(set(points))
        schema.check(apart, f"{where}.through", "points of different x", points)
        most = degree + bool(held.shape)
        schema.check(len(held) <= most, where, f"at most {most}", len(held))
        return held


NONE = Constraints()


def _place_form(found: Any, where: str) -> int | float:
    """A number, whole ones exactly, however large."""
    large = type(found) is int and abs(found) > _WHOLE
    return schema.whole(-ORIGINS, ORIGINS)(found, where) if large else schema.number()(found, where)


_inside = schema.number(-1.0, 1.0)


def _slope(powers: list[Fraction], order: int) -> list[Fraction]:
    """The powers of the derivative."""
    return [math.perm(j, order) * c for j, c in enumerate(powers)][order:]


def _horner(coefficients: list[Fraction], x: Fraction) -> Fraction:
    value = Fraction(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


def _rank(rows: list[list[int]]) -> int:
    """The rank of a matrix modulo _PRIME, by elimination."""
    rank, columns = 0, len(rows[0]) if rows else 0
    for c in range(columns):
        pivot = next((i for i in range(rank, len(rows)) if rows[i][c]), None)
        if pivot is None:
            continue
        rows[rank], rows[pivot] = rows[pivot], rows[rank]
        inverse = pow(rows[rank][c], -1, _PRIME)
        for i in range(rank + 1, len(rows)):
            factor = rows[i][c] * inverse
            rows[i] = [(a - factor * b) % _PRIME for a, b in zip(rows[i], rows[rank], strict=True)]
        rank += 1
    return rank


def _solved(rows: list[list[Fraction]]) -> Equations:
    """Independent equations [B | b] with a 1 for each in a column of its own, the largest left.

    In integers of as many bits as keep PLACES after the smallest pivot.
    """
    places = 2 * PLACES
    while (found := _eliminated([[_cut(a, places) for a in row] for row in rows], places)) is None:
        places *= 2
    return (
        [[Fraction(a, 1 << places) for a in row[:-1]] for row in found],
        [Fraction(row[-1], 1 << places) for row in found],
    )


def _cut(value: Fraction, places: int) -> int:
    return (value.numerator << places) // value.denominator


def _eliminated(rows: list[list[int]], places: int) -> list[list[int]] | None:
    """Gauss and Jordan's elimination with complete pivoting; None where a pivot is so small that
    fewer than PLACES bits of it are left.
    """
    left = set(range(len(rows)))
    while left:
        i, j = max(
            ((i, j) for i in left for j in range(len(rows[i]) - 1)),
            key=lambda place: abs(rows[place[0]][place[1]]),
        )
        pivot = rows[i][j]
        if abs(pivot) >> PLACES == 0:
            return None
        rows[i] = [(a << places) // pivot for a in rows[i]]
        for other, row in enumerate(rows):
            if other != i:
                factor = row[j]
                rows[other] = [
                    a - ((factor * b) >> places) for a, b in zip(row, rows[i], strict=True)
                ]
        left.remove(i)
    return rows


@dataclass(frozen=True)
class Known:
    """What a user says of the curve beforehand: points of dates wait until the axis of x is known.

    fix: {power: coefficient}. terms: the powers of x to use, all others are 0. through: a point
    (x, y), or several of them. None for nothing.
    """

    fix: Any = None
    terms: Any = None
    through: Any = None

    def __bool__(self) -> bool:
        return not (self.fix is None and self.terms is None and self.through is None)

    def degree(self, degree: int) -> int:
        """The degree meant: terms= sets it. Raises BadSetting, TooFewFree, as far as they can be
        checked before x is read.
        """
        axis = _guessed_axis(self.through)
        return constraints_of(degree, self.fix, self.terms, self.through, axis)[1]

    def on(self, degree: int, axis: Axis) -> Constraints:
        """The constraints, for rows whose x are on this axis. Raises BadSetting, NotNumbers."""
        if not self:
            return NONE
        return constraints_of(degree, self.fix, self.terms, self.through, axis)[0]


NOTHING = Known()


def _guessed_axis(through: Any) -> Axis:
    """The axis of the points themselves, where all are dates or durations."""
    try:
        flat = [] if through is None else list(through)
        pairs = [flat] if len(flat) == 2 and not np.ndim(flat[0]) else flat
        places = [pair[0] for pair in pairs]
    except (TypeError, IndexError, KeyError):
        return PLAIN  # which `constraints_of` refuses in its own words
    dates = [place for place in places if _number(place) is None]
    if dates and len(dates) < len(places):
        raise BadSetting("through", f"{dates[0]} among numbers", "dates in all points, or numbers")
    return read_axis(dates) if dates else PLAIN


def constraints_of(
    degree: int, fix: Any = None, terms: Any = None, through: Any = None, axis: Axis = PLAIN
) -> tuple[Constraints, int]:
    """(constraints, degree) from what the user passed to `fit`; terms= sets the degree.

    fix: {power: coefficient}. terms: the powers of x to use, all others are 0. through: (x, y), or
    several of them, x as the axis has it. Raises BadSetting, TooFewFree.
    """
    held: dict[int, float] = {}
    if terms is not None:
        powers = _powers(terms)
        degree = max(powers)
        held = dict.fromkeys(set(range(degree + 1)) - powers, 0.0)
    if fix is not None:
        for power, value in _fixed(fix, degree).items():
            if held.get(power, value) != value:
                raise BadSetting("fix", fix, f"without power {power}, which terms= leaves out")
            held[power] = value
    found = Constraints(tuple(sorted(held.items())), _points(through, axis))
    if found and degree > DEGREES["exact"]:
        raise BadSetting(
            "degree", degree, f"at most {DEGREES['exact']} with fix=, terms= or through="
        )
    if len(found) > degree:
        raise TooFewFree(degree, len(found))
    return found, degree


def _powers(terms: Any) -> set[int]:
    wanted = "the powers of x to use, such as [1, 3]"
    if not isinstance(terms, Iterable) or isinstance(terms, str | bytes):
        raise BadSetting("terms", terms, wanted)
    powers = {checked_degree(power) for power in terms}
    if not powers:
        raise BadSetting("terms", terms, wanted)
    return powers


def _fixed(fix: Any, degree: int) -> dict[int, float]:
    wanted = f"a mapping of powers 0 to {degree} to numbers, such as {{0: 0.0}}"
    if not isinstance(fix, Mapping):
        raise BadSetting("fix", fix, wanted)
    found = {}
    for power, value in fix.items():
        number, place = _number(value), as_whole(power)
        if place is None or not 0 <= place <= degree or number is None:
            raise BadSetting("fix", fix, wanted)
        found[place] = number
    return found


def _points(through: Any, axis: Axis) -> tuple[tuple[float, float], ...]:
    if through is None:
        return ()
    kinds = "a date and a finite number" if axis.is_dates else "finite numbers"
    wanted = f"a point (x, y) of {kinds}, or a list of such points with different x"
    try:
        flat = list(through)
        pairs = [flat] if len(flat) == 2 and not np.ndim(flat[0]) else [list(p) for p in flat]
        if axis.is_dates or axis.is_durations:
            pairs = [[axis.number(pair[0]), *pair[1:]] for pair in pairs]
    except (TypeError, IndexError):
        raise BadSetting("through", through, wanted) from None
    points: list[Any] = [(_place(pair[0]), *map(_number, pair[1:])) for pair in pairs if len(pair)]
    good = all(len(point) == 2 and None not in point for point in points)
    if not points or len(points) < len(pairs) or not good or len(dict(points)) < len(points):
        raise BadSetting("through", through, wanted)
    return tuple(points)


def _place(value: Any) -> int | float | None:
    """A finite number, whole ones exactly: float64 has not all beyond 2⁵³."""
    place = _number(value)
    whole = None if place is None or abs(place) < _WHOLE else as_whole(value)
    return place if whole is None else whole


def _number(value: Any) -> float | None:
    if isinstance(value, np.datetime64 | np.timedelta64):  # nanoseconds of which float() takes
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


# ── on a summary ──


@dataclass(frozen=True, eq=False)
class Restricted:
    """Least squares among the weights that obey the constraints, exact for the triangle it is of.

    weights: Chebyshev, exact rationals, in units of y: what is held of the powers of x may be a
    small difference of them. factor: shape (k, m) for m free directions, factor·factorᵀ is the
    covariance of the weights in units of the residual variance. rss: in units of y². gram:
    RᵀR·unit². equations: what they obey.
    """

    weights: list[Fraction]
    factor: np.ndarray
    rss: float
    gram: list[list[int]]
    unit: Fraction
    equations: Equations

    @cached_property
    def exact_factor(self) -> list[list[Fraction]]:
        """What `factor` is rounded from, up to a rotation: m columns of shape (k,)."""
        columns = covariance_factor(self.gram, in_fixed_point(self.equations[0]))
        return [[Fraction(c, ONE) * self.unit for c in column] for column in columns]


def restrict(triangle: Triangle, equations: Equations) -> Restricted:
    """The best weights w of a summary with B·w = b, from `Constraints.equations`.

    Raises TooFewDistinct where the rows do not determine the free ones, OutOfRange.
    """
    largest = float(np.abs(triangle.R).max())
    _check_size(max(map(abs, equations[1])) * Fraction(max(1.0, largest)))
    free = _free(equations[0])
    if not _determined(triangle.R, free):
        raise TooFewDistinct(triangle.n, triangle.degree)
    R_unit, y_unit = unit(largest), unit(float(np.abs(triangle.z).max()))
    R = in_fixed_point((triangle.R * R_unit).tolist())
    z = [fixed(v) for v in (triangle.z * y_unit).tolist()]
    columns = [*zip(*R, strict=True)]
    gram = [[dot(p, q) for q in columns] for p in columns]
    back = Fraction(R_unit) / Fraction(y_unit)  # from the weights in these units to those in y's
    b = [fixed(value / back) for value in equations[1]]
    gradient = [dot(column, z) for column in columns]
    w = least_squares(gram, gradient, in_fixed_point(equations[0]), b)
    left = [dot(row, w) - v for row, v in zip(R, z, strict=True)]
    added = Fraction(dot(left, left), ONE) / Fraction(y_unit) ** 2
    _check_size(nearest_float(added) ** 0.5)
    weights = [Fraction(v, ONE) * back for v in w]
    rss = float(triangle.rss) + nearest_float(added)
    factor = free @ np.linalg.inv(np.asarray(np.linalg.qr(triangle.R @ free, mode="r")))
    return Restricted(weights, factor, rss, gram, Fraction(R_unit), equations)


def _check_size(value: float | Fraction) -> None:
    """Raise OutOfRange where sums of squares of numbers of this size do not fit."""
    if not value < 1e150:
        raise OutOfRange("The sum of squares under these constraints", "Check fix= and through=.")


def _free(B: Sequence[Sequence[Fraction]]) -> np.ndarray:
    """The directions N with B·N = 0, shape (k, k − m), read off equations that are solved."""
    solved = np.array([[nearest_float(a) for a in row] for row in B])
    units = np.eye(len(B))
    own = [int((solved == e[:, None]).all(axis=0).argmax()) for e in units]  # 1 there, 0 elsewhere
    others = [j for j in range(solved.shape[1]) if j not in own]
    N = np.zeros((solved.shape[1], len(others)))
    N[others, range(len(others))] = 1.0
    N[own] = -solved[:, others]
    return N


def _determined(R: np.ndarray, free: np.ndarray) -> bool:
    """Whether the rows tell the free directions apart beyond the rounding of R·free."""
    if not free.shape[1]:
        return True
    size = np.linalg.norm(np.abs(R) @ np.abs(free), axis=0)
    if not size.all():
        return False
    return bool(np.linalg.svd(R @ free / size)[1][-1] > RANK_TOLERANCE * len(size))
