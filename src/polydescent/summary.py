"""The whole data set as one small triangle that least squares cannot tell apart from it."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from polydescent import kernels
from polydescent.arrays import Array, Kind, in_double, namespace, weights_of_counted
from polydescent.basis import CHEBYSHEV, Basis, Domain, change_of_basis
from polydescent.dates import PLAIN, Axis, check_unit
from polydescent.errors import (
    BadDegree,
    BadSetting,
    DegreesDiffer,
    OutOfRange,
    TooFewDistinct,
    TooFewRows,
)
from polydescent.kernels.reference import raise_not_finite, stack

if TYPE_CHECKING:
    from polydescent.convergence import Forecast
    from polydescent.verbs import Fit

HIGHEST = 300  # standard errors of powers take seconds there, minutes at 1,000
RANK_TOLERANCE = 64 * np.finfo(np.float64).eps
_LARGEST = 1e150  # its square, and sums of such squares, fit a double
_SMALLEST = 1e-138  # so does its square, and what rounding leaves of that: 10⁻³² of it
_BLOCK = 1 << 16  # weights whose logarithms are in memory at once


@dataclass(frozen=True, eq=False)
class Summary:
    """n rows (x, y) folded into a triangle [[R, z], [0, √rss]] with ‖V w − y‖² = ‖R w − z‖² + rss
    for all w.

    V holds the Chebyshev polynomials T₀ … T_degree of u = x mapped from the domain to [−1, 1].

    Laws, all up to rounding: a + b = b + a; (a + b) + c = a + (b + c); a + Summary.empty(d) = a;
    the sum of the summaries of parts is the summary of the whole; `lower(d)` is the summary at
    degree d.

    triangle: shape (degree + 2, degree + 2), float64, non-negative diagonal. Treat it as read-only.
    omitted: rows left out because a value was missing; they are not among the n. x_name, y_name:
    for human eyes. axis: how dates and large whole numbers became x; parts on different ones are
    moved to the first's when they are added. log_weights: Σ ln ω over the n rows, 0 of rows without
    weights: what the likelihood of weighted rows needs besides the triangle.
    """

    triangle: np.ndarray
    domain: Domain
    n: int
    kind: Kind = field(default=Kind())
    omitted: int = 0
    x_name: str = "x"
    y_name: str = "y"
    axis: Axis = field(default=PLAIN)
    log_weights: float = 0.0

    # ── making one ──

    @classmethod
    def of_rows(
        cls,
        x: Array,
        y: Array,
        weights: Array | None = None,
        degree: int = 8,
        counts: Array | None = None,
    ) -> Summary:
        """The summary of rows already checked by `arrays.columns`; each stands for its count."""
        raise_not_finite(counts=counts)
        omega = weights_of_counted(weights, counts)
        triangle, domain = kernels.compress(x, y, omega, degree)
        if np.abs(triangle[:, -1]).max() > _LARGEST:
            raise OutOfRange("The sum of squares of y", "Divide y by a constant first.")
        n = x.shape[0] if omega is None else counted(weights, counts, omega)
        logs = 0.0 if weights is None else _log_weights(weights, counts, omega)
        return cls(triangle, domain, n, Kind.of(x, y), log_weights=logs)

    @classmethod
    def empty(cls, degree: int = 8) -> Summary:
        """The summary of no rows: adding it changes nothing."""
        size = checked_degree(degree) + 2
        return cls(np.zeros((size, size)), Domain(np.inf, -np.inf), 0)

    def __add__(self, other: Summary) -> Summary:
        """The summary of the rows of both. Raises DegreesDiffer, BadCall for dates and numbers."""
        if not isinstance(other, Summary):
            return NotImplemented
        if self.degree != other.degree:
            raise DegreesDiffer(self.degree, other.degree)
        omitted = self.omitted + other.omitted
        if not other.n or not self.n:
            return replace(self if self.n else other, omitted=omitted)
        axis = self.axis.joint(other.axis)
        ours, theirs = self.moved(axis), other.moved(axis)
        domain = ours.domain | theirs.domain
        triangle = stack(ours.rebased(domain).triangle, theirs.rebased(domain).triangle)
        return replace(
            ours,
            triangle=triangle,
            domain=domain,
            n=self.n + other.n,
            kind=self.kind.joint(other.kind),
            omitted=omitted,
            log_weights=self.log_weights + other.log_weights,
        )

    def rebased(self, domain: Domain) -> Summary:
        """The same rows on a wider domain."""
        if domain == self.domain or self.domain.is_empty:
            return replace(self, domain=domain)
        C = change_of_basis(CHEBYSHEV, CHEBYSHEV, self.degree, *self.domain.widening(domain))
        triangle = self.triangle.copy()
        triangle[:-1, :-1] = self.R @ C
        return replace(self, triangle=triangle, domain=domain)

    def moved(self, axis: Axis) -> Summary:
        """The same rows on another axis: a triangle knows x only by its place in the domain."""
        if axis == self.axis or self.domain.is_empty:
            return replace(self, axis=axis)
        ends = (float(self.axis.moved(x, axis)) for x in (self.domain.lo, self.domain.hi))
        return replace(self, domain=Domain(*ends), axis=axis)

    def settled(self, per: str | None) -> Summary:
        """The same rows on the axis that people read: dates in `per` (days) since a round origin,
        durations in `per`.

        Raises BadSetting where x holds numbers, which have no unit.
        """
        check_unit(per)
        if self.domain.is_empty:
            return self
        if self.axis.is_durations:
            return self.moved(Axis(unit=per or "day"))
        if self.axis.is_dates:
            ends = self.domain.lo, self.domain.hi
            return self.moved(self.axis.settled(*ends, per or "day"))
        if per is not None:
            wanted = "left out where x holds numbers: only dates and durations have a unit"
            raise BadSetting("per", per, wanted)
        return self

    def lower(self, degree: int) -> Summary:
        """The summary at a lower degree: the leading block, and what the dropped terms explained as
        rss.
        """
        degree = checked_degree(degree, self.degree)
        if degree == self.degree:
            return self
        k = degree + 1
        triangle = np.zeros((k + 1, k + 1))
        triangle[:k, :k] = self.triangle[:k, :k]
        triangle[:k, k] = self.triangle[:k, -1]
        triangle[k, k] = np.linalg.norm(self.triangle[k:, -1])
        return replace(self, triangle=triangle)

    # ── what it holds ──

    @property
    def degree(self) -> int:
        return self.triangle.shape[0] - 2

    @property
    def R(self) -> np.ndarray:
        """Shape (degree + 1, degree + 1), upper triangular, RᵀR = VᵀV."""
        return self.triangle[:-1, :-1]

    @property
    def z(self) -> np.ndarray:
        """Shape (degree + 1,), Qᵀy, in units of y."""
        return self.triangle[:-1, -1]

    @property
    def rss(self) -> float:
        """The lowest sum of squared residuals any polynomial of this degree reaches, in units of
        y².
        """
        return float(self.triangle[-1, -1]) ** 2

    @property
    def tss(self) -> float:
        """Σ (y − mean y)², in units of y²: what the constant leaves."""
        dropped = self.triangle[1:, -1]
        return float(dropped @ dropped)

    @property
    def square(self) -> float:
        """Σ y², in units of y²."""
        return float(self.triangle[:, -1] @ self.triangle[:, -1])

    def least_squares(self, basis: Basis = CHEBYSHEV) -> tuple[np.ndarray, np.ndarray, float]:
        """(R, z, rss) in the coordinates of another basis: the same loss, other weights.

        Raises OutOfRange where powers of x do not fit a double.
        """
        if basis is CHEBYSHEV:
            return self.R, self.z, self.rss
        scale, shift = basis.variable(self.domain)
        with np.errstate(over="ignore", invalid="ignore"):
            R = self.R @ change_of_basis(basis, CHEBYSHEV, self.degree, scale, shift)
        if not np.isfinite(R).all():
            raise OutOfRange(
                f"x to the power {self.degree} on [{self.domain.lo:.6g}, {self.domain.hi:.6g}]",
                'Use basis="chebyshev", which maps x to [−1, 1] first.',
            )
        return R, self.z, self.rss

    def solve(self) -> np.ndarray:
        """The Chebyshev weights of least squares, shape (degree + 1,).

        Raises TooFewRows, TooFewDistinct where the rows do not determine them, OutOfRange.
        """
        self.check_size()
        if self.n < self.degree + 1:
            raise TooFewRows(self.n, self.degree)
        if not self.has_full_rank:
            raise TooFewDistinct(self.n, self.degree, idle=self.lowest_idle)
        weights = np.linalg.solve(self.R, self.z)  # of a triangle: plain back-substitution
        if not np.isfinite(weights).all():
            raise OutOfRange("Some weight of the curve", "Divide y by a constant first.")
        return weights

    def check_size(self) -> None:
        """Raises OutOfRange for y so small, though not all 0, that their squares lose digits."""
        if 0 < np.abs(self.triangle[:, -1]).max() < _SMALLEST:
            raise OutOfRange("The sum of squares of y", "Multiply y by a constant first.")

    @property
    def has_full_rank(self) -> bool:
        """Whether every term adds something, beyond rounding, to those below it."""
        return determines(self.R)

    @property
    def lowest_idle(self) -> int | None:
        """The lowest power of x that adds nothing to those below it, None if all do."""
        k = self.degree + 1
        return next((j for j in range(k) if not determines(self.R[: j + 1, : j + 1])), None)

    # ── keeping it ──

    def save(self, path: str | PathLike[str]) -> None:
        """Write it to a file: JSON, every float exact, with a checksum; all of it or nothing."""
        from polydescent.store import Model, save

        save(Model(self), path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Summary:
        """Read what `save` or `polydescent fit --save` wrote.

        Raises NoFile, DamagedModel, UnknownSchema.
        """
        from polydescent.store import load

        return load(path).summary

    # ── what to do with it (the two places where an import goes up the ladder) ──

    def fit(
        self,
        degree: int | str | None = None,
        *,
        absolute_sigma: bool = False,
        fix: Any = None,
        terms: Any = None,
        through: Any = None,
        criterion: str = "aicc",
    ) -> Fit:
        """Exact least squares from this summary.

        Raises as `polydescent.fit`, whose arguments these are.

        Parameters
        ----------
        degree
            Up to the summary's, which it is where left out; "auto", or "auto:5", for the best up to
            10, or 5.
        absolute_sigma
            Whether the weights are 1/σ² with σ known in units of y.
        fix, terms, through
            What is known of the curve.
        criterion
            By what degree="auto" chooses: "aicc", "aic" or "bic". "loo" and "cv" need the rows.
        """
        from polydescent.verbs import fit_summary

        return fit_summary(
            self,
            degree,
            absolute_sigma=absolute_sigma,
            fix=fix,
            terms=terms,
            through=through,
            criterion=criterion,
        )

    def descend(self, degree: int | None = None, **settings: Any) -> Fit:
        """Gradient descent on this summary. See `polydescent.descend` for the settings,
        absolute_sigma among them.
        """
        from polydescent.verbs import descend_summary

        return descend_summary(self if degree is None else self.lower(degree), **settings)

    def forecast(self, degree: int | None = None, **settings: Any) -> Forecast:
        """What `descend` with the same settings will do, without doing it."""
        from polydescent.verbs import forecast_summary

        return forecast_summary(self if degree is None else self.lower(degree), **settings)

    def __repr__(self) -> str:
        ends = self.axis.label(self.domain.lo), self.axis.label(self.domain.hi)
        where = "" if not self.n else f", x in [{ends[0]}, {ends[1]}]"
        return f"<Summary of {self.n:,} rows, degree {self.degree}{where}>"


@dataclass(frozen=True, eq=False)
class Tally:
    """A running sum of summaries, added in pairs of like size as carries are in binary addition.

    After m parts a row has been through log₂ m merges instead of m, and the sum depends on nothing
    but the order of the parts.

    parts: (how many were added into it, their sum), the counts falling powers of 2.
    """

    parts: tuple[tuple[int, Summary], ...] = ()

    def plus(self, summary: Summary) -> Tally:
        """The tally with one more summary."""
        parts, count = list(self.parts), 1
        while parts and parts[-1][0] == count:
            summary = parts.pop()[1] + summary
            count *= 2
        return Tally((*parts, (count, summary)))

    def total(self, degree: int) -> Summary:
        """The sum of all, `Summary.empty(degree)` for none."""
        total = Summary.empty(degree)
        for _, summary in reversed(self.parts):
            total = summary + total
        return total


def counted(weights: Array | None, counts: Array | None, omega: Array) -> int:
    """How many rows count: those whose ω·c is not 0, each as often as its count says."""
    xp = namespace(omega)
    if counts is None:
        return int(xp.count_nonzero(omega))
    if weights is not None:
        counts = xp.where(omega == 0, xp.zeros_like(omega), in_double(counts))
    return int(xp.sum(in_double(counts)))


def _log_weights(weights: Array, counts: Array | None, omega: Array) -> float:
    """Σ c·ln ω over the rows that count, block by block."""
    xp, total = namespace(weights), 0.0
    for start in range(0, weights.shape[0], _BLOCK):
        rows = slice(start, min(start + _BLOCK, weights.shape[0]))
        some = in_double(weights[rows])
        if counts is None:
            total += _sum_of_logs(xp, some)
            continue
        logs = xp.log(xp.where(in_double(omega[rows]) == 0, xp.ones_like(some), some))
        total += float(xp.sum(logs * in_double(counts[rows])))
    return total


def _sum_of_logs(xp: Any, weights: Array) -> float:
    """Σ ln ω over the weights that are not 0; one logarithm, which is slow, for eight of them."""
    if bool(xp.any(weights == 0)):
        weights = xp.where(weights == 0, xp.ones_like(weights), weights)
    even = weights.shape[0] // 8 * 8
    if float(xp.min(weights)) > 2.0**-125 and float(xp.max(weights)) < 2.0**125:
        product = xp.prod(xp.reshape(weights[:even], (8, -1)), axis=0)  # of eight: within 2^±1000
        return float(xp.sum(xp.log(product))) + float(xp.sum(xp.log(weights[even:])))
    return float(xp.sum(xp.log(weights)))


def determines(R: np.ndarray) -> bool:
    """Whether each column of a triangle adds something, beyond rounding, to those before it."""
    own = np.abs(np.diagonal(R))
    return bool((own > RANK_TOLERANCE * len(own) * np.hypot.reduce(R, axis=0)).all())


def checked_degree(degree: object, largest: int | None = None) -> int:
    """`degree` as an int. Raises BadDegree."""
    try:
        whole = int(degree)  # type: ignore[call-overload]
        good = whole == degree and not isinstance(degree, bool)
    except (TypeError, ValueError, OverflowError):
        good, whole = False, 0
    if not good or whole < 0 or (largest is not None and whole > largest):
        raise BadDegree(degree, largest)
    if whole > HIGHEST:
        raise BadSetting("degree", degree, f"at most {HIGHEST:,}: a triangle grows with its square")
    return whole
