"""Standard errors where the noise is not the same everywhere, or one row's goes on in the next.

    Cov = B·M·B,  B = (VᵀWV)⁻¹,  M = Σ ω²·r²/(1 − h)ᵖ·v·vᵀ  with the leverage h = ω·vᵀ·B·v

p is 0 for HC0 and HC1, which multiplies by n/(n − k), 1 for HC2 and 2 for HC3 (White 1980,
MacKinnon and White 1985). M is one more fold of the rows, with weights ω²·r²/(1 − h)ᵖ, and h a
polynomial of twice the degree, so that the root of Cov is as long as that of B. Of rows in the
order of time, HAC adds what rows up to L apart have in common (Newey and West 1987): with
Bartlett's weights that is the sum of squares of all sums of L + 1 rows on end, so that M has a root
there too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from polydescent.arrays import Array, in_double, namespace, on_rows, qr_triangle, to_host
from polydescent.checks import whole
from polydescent.errors import BadCall, BadSetting, LeverageOne, OutOfOrder
from polydescent.least_squares.solution import Solution
from polydescent.polynomial.basis import CHEBYSHEV, Domain, design_matrix
from polydescent.polynomial.curve import Polynomial
from polydescent.rows.rows import Rows
from polydescent.triangle import kernels
from polydescent.triangle.kernels.blocks import fill
from polydescent.triangle.kernels.reference import normalized, stack
from polydescent.triangle.triangle import Triangle

_BLOCK = 1 << 14  # rows at once: a column is 128 kB
_ALONE = 1e-9  # of 1: a row whose leverage is nearer to it holds the curve alone
POWERS = {"HC0": 0, "HC1": 0, "HC2": 1, "HC3": 2}  # of 1 − leverage
EQUAL = "equal"


@dataclass(frozen=True)
class HAC:
    """Errors of rows in the order of x whose noise goes on from one to the next: Newey and West's.

    Parameters
    ----------
    lags
        How many rows apart two may still have noise in common, a whole number ≥ 0. Left out, by
        Newey and West's rule, 4·(n/100)^(2/9) rounded down.

    Examples
    --------
    >>> HAC(lags=12)
    HAC(lags=12)
    """

    lags: int | None = None

    def __post_init__(self) -> None:
        if self.lags is not None:
            object.__setattr__(self, "lags", whole("lags", self.lags))

    def at(self, n: int) -> HAC:
        """The same with its lags for n rows. Raises BadSetting where they are not fewer.

        Parameters
        ----------
        n
            How many rows there are, ≥ 1.
        """
        lags = int(4 * (n / 100) ** (2 / 9)) if self.lags is None else self.lags
        if lags >= n:
            raise BadSetting("lags", lags, f"fewer than the {n:,} rows")
        return HAC(lags)

    def __str__(self) -> str:
        return "HAC" if self.lags is None else f"HAC(lags={self.lags})"


Variance = str | HAC


def variance_of(variance: object) -> Variance:
    """The variance that was asked for. Raises BadSetting."""
    if isinstance(variance, HAC):
        return variance
    if variance == "HAC":
        return HAC()
    if isinstance(variance, str) and variance in (EQUAL, *POWERS):
        return variance
    words = ", ".join(f'"{word}"' for word in (EQUAL, *POWERS, "HAC"))
    raise BadSetting("variance", variance, f"{words}, or HAC(12) for 12 lags")


# ── one fold more ──


@dataclass(frozen=True, eq=False)
class Frame:
    """The curve that residuals are taken from, and what it takes to weigh them. A root of Cov is
    factor·(unit·factorᵀ·Mᵀ) with M the root of the meat.

    Attributes
    ----------
    curve
        Chebyshev weights on `domain`, shape (k,).
    factor
        Shape (k, m), factor·factorᵀ = B.
    domain
        Holds all x.
    unit
        Residuals are divided by it, so that their squares fit a double; > 0.
    power
        p, of 1 − h.
    """

    curve: np.ndarray
    factor: np.ndarray
    domain: Domain
    unit: float
    power: int = 0

    @classmethod
    def of(cls, solution: Solution, power: int = 0) -> Frame:
        """About a least squares solution."""
        unit = float(np.sqrt(solution.rss)) or 1.0
        return cls(solution.weights, solution.factor, solution.domain, unit, power)

    @property
    def leverage(self) -> np.ndarray:
        """Chebyshev weights of ‖factorᵀ·v(u)‖², shape (2k − 1,)."""
        from numpy.polynomial import chebyshev

        total = np.zeros(2 * len(self.curve) - 1)
        for column in self.factor.T:
            square = chebyshev.chebmul(column, column)
            total[: len(square)] += square
        return total


@dataclass(frozen=True, eq=False)
class Meat:
    """The root of M over some rows, upper triangular, shape (k, k); parts are added up."""

    root: np.ndarray

    def __add__(self, other: Meat) -> Meat:
        return Meat(stack(self.root, other.root))


def meat(rows: Rows, frame: Frame) -> Meat:
    """M of one chunk of rows. Raises LeverageOne where 1 − h is 0 and divides."""
    x, y, omega, often = _columns(rows, frame.domain.mid)
    xp, k = namespace(x), len(frame.curve)
    kind = {"dtype": xp.float64, "device": x.device}
    both = np.zeros((2, 2 * k - 1))
    both[0, :k], both[1] = frame.curve, frame.leverage
    curves = xp.asarray(both if frame.power else both[:1, :k], **kind)
    T = xp.ones((curves.shape[1], min(_BLOCK, x.shape[0])), **kind)
    weight = xp.empty_like(x)
    for start in range(0, x.shape[0], _BLOCK):
        some = slice(start, min(start + _BLOCK, x.shape[0]))
        V = T[:, : some.stop - start]
        fill(V, x[some], frame.domain)
        found = curves @ V
        left = (y[some] - found[0, :]) * (1 / frame.unit)
        square = left * left
        own = 1.0 if omega is None else omega[some]
        if frame.power:
            free = 1 - found[1, :] * own
            if bool(xp.any(free < _ALONE)):
                raise LeverageOne(float(x[some][free < _ALONE][0]), frame.power)
            square = square / (free if frame.power == 1 else free * free)
        weight[some] = square * own * own
    if often is not None:
        weight = weight * often
    array, own = kernels.compress(x, y, weight, k - 1)
    if array.any():
        array = Triangle(array, own, 1).rebased(frame.domain).array
    return Meat(array[:-1, :-1])


def _columns(rows: Rows, mid: float) -> tuple[Array, Array, Array | None, Array | None]:
    """x, y, ω and count in float64, None for 1; a row that does not count has a count of 0."""
    x, y = in_double(on_rows(rows.x)), in_double(on_rows(rows.y))
    if rows.omega is None:
        return x, y, None, None
    xp, total = namespace(x), in_double(on_rows(rows.omega))
    live = total != 0
    x, y = xp.where(live, x, mid + 0 * total), xp.where(live, y, 0 * total)
    often = xp.astype(live, x.dtype)
    if rows.counts is not None:
        often = often * in_double(on_rows(rows.counts))
    omega = (
        None
        if rows.weights is None
        else xp.where(live, in_double(on_rows(rows.weights)), 0 * total)
    )
    return x, y, omega, often


# ── rows in order ──


def meat_in_order(chunks: Iterable[Rows], frame: Frame, lags: int) -> Meat:
    """M of rows in the order of x, with what up to `lags` rows apart have in common.

    chunks: all rows, one after the other; the last `lags` of each are carried into the next. Raises
    OutOfOrder, BadCall for rows with counts.
    """
    k = len(frame.curve)
    carried, total, last = np.zeros((lags, k)), np.zeros((k, k)), _Order()
    for rows in chunks:
        if rows.counts is not None:
            raise BadCall('variance="HAC" takes rows in order, each once: leave counts= out.')
        if rows.omega is not None:
            rows = rows.chosen(rows.omega != 0)
        x, y = to_host(rows.x), to_host(rows.y)
        last.check(x)
        left = (y - Polynomial(CHEBYSHEV, frame.domain, frame.curve)(x)) / frame.unit
        if rows.weights is not None:
            left = left * to_host(rows.weights)
        for start in range(0, len(x), _BLOCK):
            some = slice(start, start + _BLOCK)
            V = design_matrix(CHEBYSHEV, frame.domain.to_unit(x[some]), k - 1)
            carried = np.concatenate([carried, V * left[some, None]])
            total = _with_sums(total, carried, lags)
            carried = carried[len(carried) - lags :]
    total = _with_sums(total, np.concatenate([carried, np.zeros((lags, k))]), lags)
    return Meat(total / math.sqrt(lags + 1))


def _with_sums(total: np.ndarray, rows: np.ndarray, lags: int) -> np.ndarray:
    """The triangle with the sums of each lags + 1 rows on end folded in."""
    if len(rows) <= lags:
        return total
    sums = np.concatenate([np.zeros((1, rows.shape[1])), np.cumsum(rows, axis=0)])
    windows = sums[lags + 1 :] - sums[: len(sums) - lags - 1]
    return stack(total, normalized(qr_triangle(windows)))


class _Order:
    """Sees that x rises, or falls, all the way."""

    def __init__(self) -> None:
        self._sign, self._last, self._row = 0.0, math.nan, 0

    def check(self, x: np.ndarray) -> None:
        """Look at the next x. Raises OutOfOrder."""
        if not len(x):
            return
        steps = np.diff(x, prepend=x[0] if math.isnan(self._last) else self._last)
        moving = steps[steps != 0]
        if len(moving) and not self._sign:
            self._sign = float(np.sign(moving[0]))
        back = steps * self._sign < 0
        if back.any():
            first = int(back.argmax())
            raise OutOfOrder(self._row + first, float(x[first]), self._sign < 0)
        self._last, self._row = float(x[-1]), self._row + len(x)
