"""Evidence: a curve beside the least squares answer; how good it is, and what is uncertain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from polydescent.arrays import Array, columns, namespace, to_host
from polydescent.checks import finite
from polydescent.descent.outcome import Outcome
from polydescent.errors import BadCall, BadSetting, LengthMismatch, RowsNotHeld
from polydescent.least_squares.accuracy import Accuracy, accuracy, cautions
from polydescent.least_squares.degrees import BY_AICC, Choice, Criteria, Degrees, degree_table
from polydescent.least_squares.solution import Solution
from polydescent.polynomial.basis import CHEBYSHEV
from polydescent.polynomial.curve import Polynomial
from polydescent.regression.summary import Summary
from polydescent.rows.axis import Axis
from polydescent.rows.rows import Rows
from polydescent.triangle.triangle import Triangle, checked_degree

if TYPE_CHECKING:  # a descent that is watched asks for none of it
    from polydescent.least_squares.estimate import Estimate, Extremum, Root
    from polydescent.least_squares.uncertain import UncertainCurve
    from polydescent.robust.judgment import Judgment

_FAR = 0.01  # of what least squares explains: a descent that misses more has not arrived
_NOTHING = 1e-20  # of Σ y²: rounding


@dataclass(frozen=True, eq=False)
class Evidence:
    """A curve beside the least squares answer for the same rows: what a `Fit` says of itself but
    for its other forms and the way it came.

    Attributes
    ----------
    curve, summary, loss, outcome, least_squares, rows, absolute_sigma, choice, held_out, judgment
        As of `Fit`.
    """

    curve: Polynomial
    summary: Summary
    loss: float
    outcome: Outcome
    least_squares: Solution
    rows: Rows | None = None
    absolute_sigma: bool = False
    choice: Choice = BY_AICC
    held_out: np.ndarray | None = None
    judgment: Judgment | None = None

    # ── what it is ──

    @property
    def degree(self) -> int:
        """The highest power of x."""
        return self.summary.degree

    @property
    def n(self) -> int:
        """The number of rows used."""
        return self.summary.n

    @property
    def axis(self) -> Axis:
        """How dates and large whole numbers became float64."""
        return self.summary.axis

    @cached_property
    def _powers(self) -> np.ndarray:
        if self.outcome is Outcome.EXACT:
            return self.least_squares.powers
        if self.axis.power_origin:
            weights = self.curve.in_chebyshev()
            shifted = Polynomial(CHEBYSHEV, self.summary.domain, weights)
            return shifted.powers(self.axis.power_origin)
        return self.curve.powers()

    @property
    def coef(self) -> Array:
        """Coefficients of 1, x, x², … in the user's own x, shape (degree + 1,): a, b, c, d; that of
        xʲ in units of y per unit of x to the j.
        """
        return self.summary.kind.put(self._powers)

    # ── how good it is ──

    @property
    def lowest_loss(self) -> float:
        """The loss of exact least squares at this degree, in units of y²."""
        return self.least_squares.rss

    @property
    def excess(self) -> float:
        """How far the loss is above the lowest, relative to it: 0.03 is 3 %. Never negative."""
        above = max(self.loss - self.lowest_loss, 0.0)
        return above / self.lowest_loss if self.lowest_loss else (math.inf if above else 0.0)

    @property
    def is_far(self) -> bool:
        """Whether a descent ended far from least squares: its loss is above the lowest by more than
        1 % of what the best curve of this degree explains. At degree 0, where that is nothing, by
        more than 1 % of the lowest loss; where y is constant, by more than 1 % of Σ y².
        """
        if not self.outcome.is_unfinished:
            return False
        lowest, squares = self.summary.rss, self.summary.triangle.square
        scale = self.summary.tss - lowest if self.degree else lowest
        if scale <= _NOTHING * squares:
            scale = squares
        return not self.loss - lowest <= _FAR * scale

    @property
    def digits(self) -> float:
        """Correct significant digits of the curve where it is largest, estimated, 0 to 15.95: how
        near it comes to the exact least squares curve of these rows.

        Rather too few than too many: see `accuracy`. All 15.95 of a refined fit, which is rounded
        once; few where x spread so badly that their rounding shows, or a descent is on its way.
        """
        return self._accuracy.digits

    @cached_property
    def _accuracy(self) -> Accuracy:
        beside = None if self.outcome is Outcome.EXACT else self.curve.in_chebyshev()
        return accuracy(self.least_squares, self.summary.triangle, beside)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What the equation alone does not tell, in words: digits that are lost, places where the
        rows hardly hold the curve, an x far from all others. Empty for most fits.
        """
        exact = self.outcome is Outcome.EXACT
        triangle = self.summary.triangle
        return tuple(
            cautions(self._accuracy, self.least_squares, triangle, self.axis, self.rows, exact)
        )

    @property
    def r2(self) -> float:
        """1 − loss / Σ ω·(y − mean y)²; NaN where y is constant.

        About the mean also where fix=, terms= or through= leaves no free intercept: it may then be
        negative, and other packages may give 1 − loss / Σ ω·y², which is nearer to 1. Of a loss
        that weighs rows, of the rows as weighed; NaN of a quantile.
        """
        if not self.least_squares.tss or _is_quantile(self):
            return math.nan
        return 1 - self.loss / self.least_squares.tss

    @property
    def adjusted_r2(self) -> float:
        """1 − (1 − R²)·(n − 1)/(degrees of freedom); NaN without degrees of freedom."""
        freedom = self.degrees_of_freedom
        return 1 - (1 - self.r2) * (self.n - 1) / freedom if freedom > 0 else math.nan

    @property
    def degrees_of_freedom(self) -> int:
        """Rows used minus coefficients fitted."""
        return self.n - self.least_squares.free

    @property
    def residual_sd(self) -> float:
        """√(lowest loss / degrees of freedom), in units of y (of one row of weight 1); of another
        loss than squares its scale, NaN of a quantile.
        """
        if self.judgment is not None and self.judgment.loss is not None:
            return self.judgment.scale
        freedom = self.degrees_of_freedom
        return math.sqrt(self.lowest_loss / freedom) if freedom > 0 else math.nan

    @cached_property
    def _criteria(self) -> Criteria:
        logs = self.summary.triangle.log_weights
        if self.judgment is not None and self.judgment.loss is not None:
            return Criteria(math.nan, self.n, self.least_squares.free, logs, True)
        return Criteria(self.loss, self.n, self.least_squares.free, logs, self.absolute_sigma)

    @property
    def aic(self) -> float:
        """Akaike's criterion, −2 ln L + 2p: see `Criteria` for what it counts. NaN of another loss
        than squares, which has no likelihood; so are the next two.
        """
        return self._criteria.aic

    @property
    def aicc(self) -> float:
        """AIC corrected for few rows; inf where there are too few."""
        return self._criteria.aicc

    @property
    def bic(self) -> float:
        """The Bayesian criterion, −2 ln L + p ln n."""
        return self._criteria.bic

    def degrees(
        self,
        up_to: int | None = None,
        criterion: str | None = None,
        folds: int | str | None = None,
    ) -> Degrees:
        """Every degree up to `up_to`, with the one to take; needs the rows to go above its own.

        Whole polynomials: what fix=, terms= and through= held is free here.

        Parameters
        ----------
        up_to
            The highest degree; the fit's own where left out.
        criterion, folds
            What picks, as in `fit`, folds alone meaning "cv"; both left out, what chose the degree
            of this fit, "aicc" of others.

        Raises
        ------
        BadCall
            Above the degree of a fit that holds no rows.
        BadDegree, BadSetting, NeedsRows
            For a degree or criterion that is none; for "loo" and "cv" without rows.
        NeedsFiles, TooManyParts
            For files as folds other than those that chose the degree; for more than 1,000 folds.
        """
        if self.judgment is not None and self.judgment.loss is not None:
            raise BadCall(
                "The degrees are compared by squares, and this fit has the loss "
                f"{self.judgment.word}: ask fit(…).degrees() of the same rows."
            )
        up_to = self.degree if up_to is None else checked_degree(up_to)
        choice = self.choice
        if criterion is not None or folds is not None:
            same = criterion == choice.criterion and folds is None
            choice = choice if same else Choice.of(criterion, folds)
        rows = all_rows(self)
        left = self.held_out if choice == self.choice else None
        left = None if left is None or up_to >= len(left) else left
        if up_to <= self.degree:
            refined = None if self.least_squares.constraints else self.least_squares.refined
            lower = self.summary.triangle.lower(up_to)
            return degree_table(lower, rows, self.absolute_sigma, choice, refined, held_out=left)
        if rows is None:
            raise BadCall(
                f"This fit holds its summary of degree {self.degree} but not the rows. Summarize "
                f"at the higher degree: summarize(…, degree={up_to}).fit().degrees()."
            )
        triangle = Triangle.fold(rows.x, rows.y, rows.weights, up_to, rows.counts)
        return degree_table(triangle, rows, self.absolute_sigma, choice, held_out=left)

    # ── what the data leave uncertain ──

    @cached_property
    def _uncertain(self) -> UncertainCurve:
        """The curve with the covariance of its weights: s²·(VᵀWV)⁻¹ with s² = rss/(n − k), or
        (VᵀWV)⁻¹ where sigma is absolute, or what the judgment says.
        """
        from polydescent.least_squares.uncertain import UncertainCurve

        freedom, solution = self.degrees_of_freedom, self.least_squares
        if self.judgment is None:
            sd = 1.0 if self.absolute_sigma else self.residual_sd
            root, in_powers = sd * solution.factor, sd * solution.factor_in_powers
            freedom = math.inf if self.absolute_sigma else freedom
        elif np.isfinite(self.judgment.mix).all():
            root = solution.factor @ self.judgment.mix
            in_powers = solution.in_powers(root.T)
        else:
            root = in_powers = np.full((len(solution.weights), 1), math.nan)
        refined = self.least_squares.refined if self.outcome is Outcome.EXACT else None
        return UncertainCurve(
            self.curve.in_chebyshev(),
            root,
            self.summary.domain,
            freedom,
            self.summary.kind,
            self.axis,
            self._powers,
            in_powers,
            None if refined is None else tuple(refined.weights),
        )

    @property
    def covariance(self) -> Array:
        """Of the coefficients, shape (k, k), in units of `coef`²: s²·(VᵀWV)⁻¹, s² = rss/(n − k), or
        1 where sigma is absolute; by the formula of `judgment` where a loss or a variance was asked
        for.
        """
        return self._uncertain.covariance

    @property
    def stderr(self) -> Array:
        """Standard errors of the coefficients, shape (k,), in units of `coef`; 0 for those held."""
        return self._uncertain.stderr

    def confidence_interval(self, level: float = 0.95) -> Array:
        """(low, high) of each coefficient, which holds the true one in `level` of all samples.

        coef ± t·stderr, with t of Student's distribution, normal where sigma is absolute.

        Parameters
        ----------
        level
            Share of samples, between 0 and 1; default 0.95.

        Returns
        -------
        Array
            Shape (k, 2), in units of `coef`; NaN without degrees of freedom.

        Raises
        ------
        BadSetting
            For a level that is none.
        """
        return self._uncertain.confidence_interval(level)

    def confidence_band(self, x: Any, level: float = 0.95) -> tuple[Any, Any]:
        """(low, high), in units of y, which holds the true curve at each x in `level` of all
        samples.

        f(x) ± t·se(f(x)): at each x by itself, not for all x at once.

        Parameters
        ----------
        x
            Where, in the units of the data's x; any shape.
        level
            Share of samples, between 0 and 1; default 0.95.

        Returns
        -------
        low, high
            Each of the shape and kind of x.

        Raises
        ------
        BadSetting
            For a level that is none.
        """
        return self._uncertain.band(x, level)

    def derivative(self, order: int = 1) -> UncertainCurve:
        """The derivative, with standard errors, in units of y per unit of x (of dates, per
        `axis.unit`) to the order.

        Parameters
        ----------
        order
            1 to 99; default 1, the slope.

        Raises
        ------
        BadSetting
            For another order.
        """
        return self._uncertain.derivative(order)

    def integral(self, a: Any, b: Any) -> Estimate:
        """∫ f(x) dx from a to b, with its standard error, in units of y times units of x (of dates,
        of `axis.unit`).

        Parameters
        ----------
        a, b
            The ends, in the units of the data's x; a > b gives the negative.

        Raises
        ------
        BadSetting
            For ends that are not finite.
        """
        return self._uncertain.integral(a, b)

    def roots(self, everywhere: bool = False) -> list[Root]:
        """Where the curve is 0, ascending, with standard errors, in units of x.

        Parameters
        ----------
        everywhere
            False (default), within the domain of the data, or True, on all of the real line.
        """
        return self._uncertain.roots(everywhere)

    def inverse(self, y: float, everywhere: bool = False, *, sigma: float = 0.0) -> list[Root]:
        """The x at which the curve is y, ascending, with standard errors, in units of x:
        calibration.

        Parameters
        ----------
        y
            A number, in units of y.
        everywhere
            False (default), within the domain of the data, or True, on all of the real line.
        sigma
            The standard deviation of that y, in units of y, ≥ 0; 0 (default) where it is given
            rather than measured.

        Raises
        ------
        BadSetting
            For a y or sigma that is none.
        """
        return self._uncertain.inverse(y, everywhere, sigma=sigma)

    def extrema(self, everywhere: bool = False) -> list[Extremum]:
        """Where the curve turns, ascending, with standard errors of place (in units of x) and value
        (of y).

        Parameters
        ----------
        everywhere
            False (default), within the domain of the data, or True, on all of the real line.
        """
        return self._uncertain.extrema(everywhere)

    def prediction_band(
        self, x: Any, level: float = 0.95, *, weight: Any = None, sigma: Any = None
    ) -> tuple[Any, Any]:
        """(low, high), in units of y, which holds a new y at each x in `level` of all samples.

        f(x) ± t·√(se(f(x))² + s²/ω), with t of Student's distribution and ω the weight of the new
        y. s is `residual_sd` everywhere, whatever variance= said; of a loss, its scale: outliers
        are not foretold. NaN of a quantile: two of them are such a band, Quantile(0.025) and
        Quantile(0.975).

        Parameters
        ----------
        x
            Where, in the units of the data's x; any shape.
        level
            Share of samples, between 0 and 1; default 0.95.
        weight
            Of the new y, > 0, one number or one for each x; `typical_weight` where neither is said.
        sigma
            Instead, its standard deviation, one or one for each x, > 0, in the unit that `fit` was
            given sigma in.

        Returns
        -------
        low, high
            Each of the shape and kind of x.

        Raises
        ------
        BadSetting, LengthMismatch
            For a level, weight or sigma outside its range, or of another shape than x.
        BadCall
            For weight and sigma both, or sigma where that of the rows is not known.
        """
        scale = 1.0 if self.absolute_sigma else self.residual_sd**2
        if _is_quantile(self):
            scale = math.nan
        return self._uncertain.band(x, level, scale / _weight_of_new(self, x, weight, sigma))

    @cached_property
    def typical_weight(self) -> float:
        """The geometric mean of the weights of the rows, 1 where they have none: of rows with
        sigma, 1/σ² with σ the geometric mean of theirs.
        """
        return math.exp(self.summary.triangle.log_weights / self.n)

    # ── how the rows were judged ──

    @property
    def scale(self) -> float | None:
        """1.4826 · median |residual|, in units of y (of one row of weight 1): what a loss that
        weighs rows calls near and far; 1 where sigma is absolute, None of squares and quantiles.
        """
        weighs = self.judgment is not None and self.judgment.weighs is not None
        return self.judgment.scale if self.judgment is not None and weighs else None

    @property
    def discounted(self) -> int:
        """Rows that the loss counts less than half, each as often as it was counted; 0 of squares
        and quantiles. `row_weights` tells which.
        """
        return 0 if self.judgment is None else self.judgment.discounted

    @property
    def row_weights(self) -> Array:
        """What the loss leaves of each row that was read, from 0 to 1, shape (n,): 1 of squares.

        Raises
        ------
        RowsNotHeld
            Where rows were streamed: they are gone.
        BadCall
            Of a quantile, which weighs none.
        """
        rows = all_rows(self)
        if rows is None:
            raise RowsNotHeld("row weights", 0 if self.rows is None else self.rows.n, self.n)
        if _is_quantile(self):
            raise BadCall("A quantile weighs no rows: `residuals` tells on which side each lies.")
        from polydescent.robust.passes import weighed_residuals

        left, _ = weighed_residuals(rows, self.curve)
        xp, loss = namespace(left), None if self.judgment is None else self.judgment.weighs
        weight = xp.ones_like(left)
        if self.judgment is not None and loss is not None and self.judgment.scale > 0:
            weight = loss.weight(xp.abs(left) * (1 / self.judgment.scale))
        return xp.astype(weight, rows.y.dtype, copy=False)

    @property
    def chi2(self) -> float:
        """Σ ((y − f(x))/σ)² where sigma is absolute, NaN where it is not."""
        weighed = self.judgment is not None and self.judgment.loss is not None
        return self.loss if self.absolute_sigma and not weighed else math.nan

    @property
    def chi2_p(self) -> float:
        """How probable a χ² at least as large is if curve and sigma are right; NaN where sigma is
        not absolute or no degrees of freedom are left.
        """
        from polydescent.least_squares.student import chi2_tail

        return chi2_tail(self.chi2, self.degrees_of_freedom)


def all_rows(evidence: Evidence) -> Rows | None:
    """Its rows, where they are all that count and not a selection."""
    rows = evidence.rows
    return rows if rows is not None and rows.counting == evidence.n else None


def _is_quantile(evidence: Evidence) -> bool:
    return evidence.judgment is not None and evidence.judgment.is_quantile


def is_weighted(evidence: Evidence) -> bool:
    """Whether the rows have weights, as far as can be told: a bare summary knows Σ ln ω alone."""
    seen = evidence.rows is not None and evidence.rows.weights is not None
    return seen or evidence.summary.triangle.log_weights != 0


def _weight_of_new(evidence: Evidence, x: Any, weight: Any, sigma: Any) -> Any:
    """ω of a new y at x: what was said of it, or else what is typical."""
    if sigma is not None and not is_weighted(evidence):
        raise BadCall(
            "No sigma or weights of the rows are known here, so the unit of sigma is not "
            "either: pass weight=, relative to the weights the rows had (1 if none, 1/sigma² "
            "if sigma)."
        )
    if weight is not None and sigma is not None:
        raise BadCall("Pass weight= or sigma= of the new y, not both.")
    if weight is None and sigma is None:
        return evidence.typical_weight
    name, given = ("weight", weight) if weight is not None else ("sigma", sigma)
    one: Any = given
    (values,) = columns(**{name: one}) if np.ndim(one) else (finite(name, one),)
    values, shape = to_host(values), np.shape(x)
    if values.shape not in ((), shape):
        raise LengthMismatch({"x": math.prod(shape), name: values.size})
    if not (np.isfinite(values) & (values > 0)).all():
        raise BadSetting(name, given, "above 0")
    return values if sigma is None else 1 / values**2
