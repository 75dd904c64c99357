"""What is known about the curve beforehand, as linear equations that its weights must obey."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from polydescent.basis import CHEBYSHEV, Domain
from polydescent.dates import PLAIN, Axis
from polydescent.errors import BadSetting, OutOfRange, TooFewDistinct, TooFewFree
from polydescent.polynomial import exact_powers, nearest_float
from polydescent.summary import RANK_TOLERANCE, Summary, checked_degree

_HIGHEST = 100  # k² rationals of some 2,000·k bits: a gigabyte at degree 150
Equations = tuple[Sequence[Sequence[Fraction]], Sequence[Fraction]]  # B·w = b: (m, k) and (m,)


@dataclass(frozen=True)
class Constraints:
    """Coefficients held fixed (a term left out is fixed at 0) and points the curve runs through.

    fixed: (power, coefficient) pairs in the user's own x, ascending. through: (x, y) pairs.
    """

    fixed: tuple[tuple[int, float], ...] = ()
    through: tuple[tuple[float, float], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fixed or self.through)

    def __len__(self) -> int:
        return len(self.fixed) + len(self.through)

    def __str__(self) -> str:
        held = [f"x^{power} = {value:.6g}" for power, value in self.fixed]
        return ", ".join([*held, *(f"through ({x:.6g}, {y:.6g})" for x, y in self.through)])

    def equations(self, domain: Domain, degree: int, origin: int = 0) -> Equations:
        """The equations for Chebyshev weights on `domain`, exact, the largest entry of each 1."""
        if not self:
            return (), ()
        unit = [[float(i == j) for i in range(degree + 1)] for j in range(degree + 1)]
        powers = [exact_powers(CHEBYSHEV, domain, weights, origin) for weights in unit]
        rows = [([column[power] for column in powers], value) for power, value in self.fixed]
        for x, y in self.through:
            rows.append(([_horner(column, Fraction(x)) for column in powers], y))
        scales = [max(map(abs, row)) for row, _ in rows]
        return (
            [[a / s for a in row] for (row, _), s in zip(rows, scales, strict=True)],
            [Fraction(value) / s for (_, value), s in zip(rows, scales, strict=True)],
        )


NONE = Constraints()


def _horner(coefficients: list[Fraction], x: Fraction) -> Fraction:
    value = Fraction(0)
    for c in reversed(coefficients):
        value = value * x + c
    return value


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
    if found and degree > _HIGHEST:
        raise BadSetting("degree", degree, f"at most {_HIGHEST} with fix=, terms= or through=")
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
        number = _number(value)
        if isinstance(power, bool) or power not in range(degree + 1) or number is None:
            raise BadSetting("fix", fix, wanted)
        found[int(power)] = number
    return found


def _points(through: Any, axis: Axis) -> tuple[tuple[float, float], ...]:
    if through is None:
        return ()
    wanted = "a point (x, y) of finite numbers, or a list of such points with different x"
    try:
        flat = list(through)
        pairs = [flat] if len(flat) == 2 and not np.ndim(flat[0]) else [list(p) for p in flat]
        if axis.is_dates or axis.is_durations:
            pairs = [[axis.number(pair[0]), *pair[1:]] for pair in pairs]
    except (TypeError, IndexError):
        raise BadSetting("through", through, wanted) from None
    points = [tuple(_number(v) for v in pair) for pair in pairs]
    good = all(len(point) == 2 and None not in point for point in points)
    if not points or not good or len({point[0] for point in points}) < len(points):
        raise BadSetting("through", through, wanted)
    return tuple((float(x), float(y)) for x, y in points)  # type: ignore[arg-type]


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


# ── on a summary ──


@dataclass(frozen=True, eq=False)
class Restricted:
    """Least squares among the weights that obey the constraints.

    weights: Chebyshev, shape (k,). root: shape (k, m) for m free directions, root·rootᵀ is the
    covariance of the weights in units of the residual variance. rss: in units of y².
    """

    weights: np.ndarray
    root: np.ndarray
    rss: float


def _check_size(value: float) -> None:
    """Raise OutOfRange where sums of squares of numbers of this size do not fit."""
    if not value < 1e150:
        raise OutOfRange("The sum of squares under these constraints", "Check fix= and through=.")


def restrict(summary: Summary, equations: Equations) -> Restricted:
    """The best weights w of a summary with B·w = b.

    Raises TooFewFree where the equations contradict or repeat each other.
    """
    B = np.array([[nearest_float(a) for a in row] for row in equations[0]])
    b = np.array([nearest_float(v) for v in equations[1]])
    _check_size(float(np.abs(b).max()) * max(1.0, float(np.abs(summary.R).max())))
    U, s, Wt = np.linalg.svd(B)
    if s[-1] <= 1e-13 * s[0]:
        raise TooFewFree(summary.degree, len(b), repeated=True)
    m = len(b)
    held = Wt[:m].T @ ((U.T @ b) / s)
    free = Wt[m:].T
    stacked = np.column_stack((summary.R @ free, summary.z - summary.R @ held))
    triangle = np.asarray(np.linalg.qr(stacked, mode="r"))
    R, z = triangle[:-1, :-1], triangle[:-1, -1]
    if not _determined(summary.R, free):
        raise TooFewDistinct(summary.n, summary.degree)
    rss = summary.rss + float(np.square(triangle[-1, -1]))
    _check_size(math.sqrt(rss))
    return Restricted(held + free @ np.linalg.solve(R, z), free @ np.linalg.inv(R), rss)


def _determined(R: np.ndarray, free: np.ndarray) -> bool:
    """Whether the rows tell the free directions apart beyond the rounding of R·free."""
    size = np.linalg.norm(np.abs(R) @ np.abs(free), axis=0)
    if not size.all():
        return False
    return bool(np.linalg.svd(R @ free / size)[1][-1] > RANK_TOLERANCE * len(size))
