"""Fit: a fitted polynomial, how good it is, and after a descent how it got there."""

from __future__ import annotations

import json
import math
import warnings
from copy import deepcopy
from dataclasses import asdict, dataclass
from functools import cached_property
from os import PathLike
from typing import Any, Self

import numpy as np

from polydescent.arrays import Array, Kind, columns, in_double, is_array, namespace, quiet, to_host
from polydescent.checks import finite, one_of
from polydescent.descent.forecast import Forecast
from polydescent.descent.loop import History
from polydescent.descent.outcome import Outcome, advice
from polydescent.errors import (
    BadCall,
    BadRecord,
    BadSetting,
    LengthMismatch,
    Misfit,
    OutOfRange,
    OutsideDomain,
    OutsideDomainWarning,
    RowsNotHeld,
)
from polydescent.frames import frame, index_of
from polydescent.least_squares.accuracy import Accuracy, accuracy, cautions
from polydescent.least_squares.degrees import BY_AICC, Choice, Criteria, Degrees, degree_table
from polydescent.least_squares.inference import Inference
from polydescent.least_squares.solution import Solution, rows_that_count, solve
from polydescent.least_squares.uncertain import UncertainCurve, chi2_tail
from polydescent.polynomial.basis import CHEBYSHEV, POWER, Domain
from polydescent.polynomial.curve import Polynomial
from polydescent.polynomial.text import PROSE, check_style, code, equation
from polydescent.regression.record import from_record, to_record
from polydescent.regression.summary import Summary
from polydescent.rows.axis import Axis
from polydescent.rows.rows import Rows
from polydescent.sealed.schema import plain
from polydescent.triangle.triangle import Triangle, checked_degree
from polydescent.visible import html_table

_FAR = 0.01  # of what least squares explains: a descent that misses more has not arrived
_NOTHING = 1e-20  # of Σ y²: rounding
_TOLD_APART = 2.0**-20  # of half the domain: of float64 there; less leaves NumPy five digits
_AT_THE_EDGE = 1e-9  # of half the domain: rounding, not extrapolation


@dataclass(frozen=True, eq=False)
class Fit(Inference):
    """A fitted polynomial: call it on x; read how good it is and, after a descent, how it got
    there.

    Arrays come back in the library, dtype and device of the data. Made by `fit`, `descend`,
    `Summary.fit` and the class methods below, not by hand.

    Standard errors and intervals are those of least squares: of a descent that has not converged
    they say how well the data determine the coefficients, not how far off it still is, so
    `print(fit)` leaves them out.

    Attributes
    ----------
    curve
        The polynomial in the coordinates it was found in, on x in float64.
    summary
        The rows as a triangle of its degree.
    loss
        Σ ω·(y − f(x))² of this curve, in units of y² (times weight).
    outcome
        How it ended: an `Outcome`.
    history, forecast
        Of the descent; None after exact least squares.
    rows
        What there is to draw, not copied: all rows, an even selection where they were streamed,
        None from a bare summary.
    solution
        The exact least squares solution, where it was known beforehand: read `best`.
    absolute_sigma
        Whether the weights are 1/σ² with σ known, in units of y, so that the residuals do not scale
        the standard errors.
    choice
        By what the degree was chosen, if it was "auto", and by what `degrees()` picks.
    held_out
        Where folds chose it, root mean square of the residuals that they left, in units of y, for
        each degree looked at; else None.
    """

    curve: Polynomial
    summary: Summary
    loss: float
    outcome: Outcome
    history: History | None = None
    forecast: Forecast | None = None
    rows: Rows | None = None
    solution: Solution | None = None
    absolute_sigma: bool = False
    choice: Choice = BY_AICC
    held_out: np.ndarray | None = None

    def __call__(self, x: Any, outside: str = "warn") -> Any:
        """The curve at x, in units of y: a number for a number, an array of its shape and kind for
        an array.

        f(x) = Σ coef[j]·xʲ, computed in the coordinates that the curve was found in.

        Parameters
        ----------
        x
            Where, in the units of the data's x (dates where those were dates); any shape.
        outside
            What to do where x lies outside the domain of the data: "warn" (once a call; default),
            "raise" or "ignore".

        Raises
        ------
        OutsideDomain
            Where outside is "raise".
        BadSetting
            For another word.

        Warns
        -----
        OutsideDomainWarning
            Where outside is "warn".
        """
        one_of("outside", outside, ("warn", "raise", "ignore"))
        if outside != "ignore":
            self._check_inside(x, outside)
        return self.axis.answer(x, self.curve)

    def _check_inside(self, x: Any, outside: str) -> None:
        values = self.axis.numbers(x)
        if not is_array(values) or isinstance(values, np.generic | np.ndarray):
            values = np.atleast_1d(np.asarray(values, dtype=np.float64))
        slack = _AT_THE_EDGE * self.summary.domain.half_width
        beyond = (values < self.summary.domain.lo - slack) | (
            values > self.summary.domain.hi + slack
        )
        if not namespace(values).any(beyond):
            return
        values, beyond = to_host(values), to_host(beyond) > 0
        far = values[beyond]
        ends = (float(far.min()), float(far.max()), self.summary.domain.lo, self.summary.domain.hi)
        found = OutsideDomain(far.size, values.size, *map(self.axis.label, ends))
        if outside == "raise":
            raise found
        warnings.warn(str(found), OutsideDomainWarning, stacklevel=3)

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
    def domain(self) -> Domain:
        """The interval of x in the data, from lo to hi as the user calls them, in units of x: dates
        of dates, and whole numbers where they are too large for float64. `summary.domain` has them
        as float64.
        """
        inside = self.summary.domain
        if self.axis.is_plain:
            return inside
        return Domain(self.axis.place(inside.lo), self.axis.place(inside.hi))

    @property
    def axis(self) -> Axis:
        """How dates and large whole numbers became float64."""
        return self.summary.axis

    @property
    def kind(self) -> Kind:
        """Where the arrays it gives back live."""
        return self.summary.kind

    @property
    def is_refined(self) -> bool:
        """Whether the coefficients are the float64 nearest to the exact least squares ones."""
        return self.outcome is Outcome.EXACT and self.best.refined is not None

    @cached_property
    def best(self) -> Solution:
        """The exact least squares solution that this fit is, or is compared with."""
        return self.solution or solve(self.summary.triangle, origin=self.axis.power_origin)

    @cached_property
    def _powers(self) -> np.ndarray:
        if self.outcome is Outcome.EXACT:
            return self.best.powers
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
        return self.kind.put(self._powers)

    # ── how good it is ──

    @property
    def lowest_loss(self) -> float:
        """The loss of exact least squares at this degree, in units of y²."""
        return self.best.rss

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
        return accuracy(self.best, self.summary.triangle, beside)

    @cached_property
    def cautions(self) -> tuple[str, ...]:
        """What the equation alone does not tell, in words: digits that are lost, places where the
        rows hardly hold the curve, an x far from all others. Empty for most fits.
        """
        exact = self.outcome is Outcome.EXACT
        triangle = self.summary.triangle
        return tuple(cautions(self._accuracy, self.best, triangle, self.axis, self.rows, exact))

    @property
    def r2(self) -> float:
        """1 − loss / Σ ω·(y − mean y)²; NaN where y is constant.

        About the mean also where fix=, terms= or through= leaves no free intercept: it may then be
        negative, and other packages may give 1 − loss / Σ ω·y², which is nearer to 1.
        """
        return 1 - self.loss / self.best.tss if self.best.tss else math.nan

    @property
    def adjusted_r2(self) -> float:
        """1 − (1 − R²)·(n − 1)/(degrees of freedom); NaN without degrees of freedom."""
        freedom = self.degrees_of_freedom
        return 1 - (1 - self.r2) * (self.n - 1) / freedom if freedom > 0 else math.nan

    @property
    def degrees_of_freedom(self) -> int:
        """Rows used minus coefficients fitted."""
        return self.n - self.best.free

    @property
    def residual_sd(self) -> float:
        """√(lowest loss / degrees of freedom), in units of y (of one row of weight 1)."""
        freedom = self.degrees_of_freedom
        return math.sqrt(self.lowest_loss / freedom) if freedom > 0 else math.nan

    @cached_property
    def _criteria(self) -> Criteria:
        logs = self.summary.triangle.log_weights
        return Criteria(self.loss, self.n, self.best.free, logs, self.absolute_sigma)

    @property
    def is_weighted(self) -> bool:
        """Whether the rows have weights, as far as this fit can tell: a bare summary knows Σ ln ω
        alone.
        """
        seen = self.rows is not None and self.rows.weights is not None
        return seen or self.summary.triangle.log_weights != 0

    @property
    def aic(self) -> float:
        """Akaike's criterion, −2 ln L + 2p: see `Criteria` for what it counts."""
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
        up_to = self.degree if up_to is None else checked_degree(up_to)
        choice = self.choice
        if criterion is not None or folds is not None:
            same = criterion == choice.criterion and folds is None
            choice = choice if same else Choice.of(criterion, folds)
        rows = self.rows if self.holds_all_rows else None
        left = self.held_out if choice == self.choice else None
        left = None if left is None or up_to >= len(left) else left
        if up_to <= self.degree:
            refined = None if self.best.constraints else self.best.refined
            lower = self.summary.triangle.lower(up_to)
            return degree_table(lower, rows, self.absolute_sigma, choice, refined, held_out=left)
        if rows is None:
            raise BadCall(
                f"This fit holds its summary of degree {self.degree} but not the rows. Summarize "
                f"at the higher degree: summarize(…, degree={up_to}).fit().degrees()."
            )
        triangle = Triangle.fold(rows.x, rows.y, rows.weights, up_to, rows.counts)
        return degree_table(triangle, rows, self.absolute_sigma, choice, held_out=left)

    @property
    def holds_all_rows(self) -> bool:
        """Whether `rows` are all rows that count, not a selection."""
        return self.rows is not None and self.rows.counting == self.n

    # ── what the data leave uncertain ──

    @cached_property
    def uncertain(self) -> UncertainCurve:
        """The curve with the covariance of its weights: s²·(VᵀWV)⁻¹ with s² = rss/(n − k), or
        (VᵀWV)⁻¹ where sigma is absolute.
        """
        sd = 1.0 if self.absolute_sigma else self.residual_sd
        refined = self.best.refined if self.outcome is Outcome.EXACT else None
        return UncertainCurve(
            self.curve.in_chebyshev(),
            sd * self.best.factor,
            self.summary.domain,
            math.inf if self.absolute_sigma else self.degrees_of_freedom,
            self.kind,
            self.axis,
            self._powers,
            sd * self.best.factor_in_powers,
            None if refined is None else tuple(refined.weights),
        )

    def prediction_band(
        self, x: Any, level: float = 0.95, *, weight: Any = None, sigma: Any = None
    ) -> tuple[Any, Any]:
        """(low, high), in units of y, which holds a new y at each x in `level` of all samples.

        f(x) ± t·√(se(f(x))² + s²/ω), with t of Student's distribution and ω the weight of the new
        y.

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
        return self.uncertain.band(x, level, scale / self._weight_of_new(x, weight, sigma))

    def _weight_of_new(self, x: Any, weight: Any, sigma: Any) -> Any:
        if sigma is not None and not self.is_weighted:
            raise BadCall(
                "No sigma or weights of the rows are known here, so the unit of sigma is not "
                "either: pass weight=, relative to the weights the rows had (1 if none, 1/sigma² "
                "if sigma)."
            )
        if weight is not None and sigma is not None:
            raise BadCall("Pass weight= or sigma= of the new y, not both.")
        if weight is None and sigma is None:
            return self.typical_weight
        name, given = ("weight", weight) if weight is not None else ("sigma", sigma)
        one: Any = given
        (values,) = columns(**{name: one}) if np.ndim(one) else (finite(name, one),)
        values, shape = to_host(values), np.shape(x)
        if values.shape not in ((), shape):
            raise LengthMismatch({"x": math.prod(shape), name: values.size})
        if not (np.isfinite(values) & (values > 0)).all():
            raise BadSetting(name, given, "above 0")
        return values if sigma is None else 1 / values**2

    @cached_property
    def typical_weight(self) -> float:
        """The geometric mean of the weights of the rows, 1 where they have none: of rows with
        sigma, 1/σ² with σ the geometric mean of theirs.
        """
        return math.exp(self.summary.triangle.log_weights / self.n)

    @property
    def chi2(self) -> float:
        """Σ ((y − f(x))/σ)² where sigma is absolute, NaN where it is not."""
        return self.loss if self.absolute_sigma else math.nan

    @property
    def chi2_p(self) -> float:
        """How probable a χ² at least as large is if curve and sigma are right; NaN where sigma is
        not absolute or no degrees of freedom are left.
        """
        return chi2_tail(self.chi2, self.degrees_of_freedom)

    @property
    def residuals(self) -> Array:
        """y − f(x) of every row that was read, shape (n,), in units of y, of the kind of the data.

        Raises
        ------
        RowsNotHeld
            Where rows were streamed or summarized: they are gone.
        """
        if self.rows is None or not self.holds_all_rows:
            raise RowsNotHeld("residuals", 0 if self.rows is None else self.rows.n, self.n)
        with quiet():
            left = in_double(self.rows.y) - self.curve(self.rows.x)
        return namespace(self.rows.y).astype(left, self.rows.y.dtype, copy=False)

    def to_frame(self, x: Any, level: float = 0.95) -> Any:
        """The curve at x as a pandas.DataFrame, on the index of x where that is a Series.

        Parameters
        ----------
        x
            Where, in the units of the data's x, shape (m,) or a number.
        level
            Of the intervals, between 0 and 1; default 0.95.

        Returns
        -------
        pandas.DataFrame
            m rows. Columns x, y, stderr (of the curve), confidence_low, confidence_high,
            prediction_low, prediction_high: all but x in units of y.

        Raises
        ------
        MissingExtra
            Without pandas.
        BadSetting
            For a level that is none.
        """
        low, high = self.confidence_band(x, level)
        lowest, highest = self.prediction_band(x, level)
        found = {"y": self(x), "stderr": self.uncertain.stderr_at(x)}
        found |= {"confidence_low": low, "confidence_high": high}
        found |= {"prediction_low": lowest, "prediction_high": highest}
        columns = {name: np.atleast_1d(to_host(values)) for name, values in found.items()}
        return frame({"x": np.atleast_1d(np.asarray(x))} | columns, index_of(x))

    # ── in other forms ──

    def equation(
        self,
        style: str = "plain",
        digits: int | None = None,
        x: str | None = None,
        *,
        errors: bool = False,
        dates: bool = False,
    ) -> str:
        """The curve as text: to read, as a sum of powers, or to run, in Horner's form.

        Parameters
        ----------
        style
            "plain" (default), "unicode" or "latex" to read; "python", "c", "sql" or "javascript" to
            run.
        digits
            Significant ones, 1 to 17; default 6 to read and 17 to run.
        x
            The name of the variable, "x" unless given. Of dates it is "t", in units since the
            origin, as a comment in code says.
        errors
            Standard errors in the last digits, to read, where the fit has arrived. Default False.
        dates
            Code, Python or SQL, that takes the date itself (Python: a datetime, SQL: a timestamp,
            both in UTC), called x unless x= names it. Default False.

        Raises
        ------
        UnknownName
            For another style.
        BadSetting, BadCall
            For digits out of range; for errors in code, dates in prose or without dates.

        Examples
        --------
        >>> from polydescent import fit
        >>> fit([0, 1, 2, 3], [1, 3, 5, 8], degree=1).equation(digits=3, x="t", errors=True)
        'y = 0.80(32) + 2.30(17) t'
        """
        check_style(style)
        if style in PROSE:
            if dates:
                raise BadCall('dates=True is for code: style="python" or "sql".')
            name = x or ("t" if self.axis.is_dates else "x")
            known = errors and not self.outcome.is_unfinished
            stderr = to_host(self.stderr) if known else None
            if stderr is not None and not np.isfinite(stderr).all():
                stderr = None
            return equation(
                self._powers,
                name,
                digits=6 if digits is None else digits,
                style=style,
                stderr=stderr,
            )
        if errors:
            raise BadCall("errors=True is for equations to read: plain, unicode or latex.")
        return code(
            Polynomial(CHEBYSHEV, self.summary.domain, self.curve.in_chebyshev()),
            style,
            self._powers,
            x or ("t" if self.axis.is_dates and not dates else "x"),
            17 if digits is None else digits,
            self.axis,
            dates,
        )

    def to_numpy(self, basis: str = "power") -> Any:
        """A numpy.polynomial object of this curve, in the user's own x; its coefficients ascend.

        Parameters
        ----------
        basis
            "power" (default) for a Polynomial in powers of x, or "chebyshev" for a Chebyshev series
            on the domain, which keeps its digits where x is far from 0.

        Raises
        ------
        BadSetting
            For another basis.
        OutOfRange
            For x so large and so near each other that NumPy, which maps them to [−1, 1] in float64
            from 0, hardly tells them apart.
        """
        one_of("basis", basis, ("power", "chebyshev"))
        span = self._span()
        if basis == "power":
            return np.polynomial.Polynomial(self._powers, domain=span, window=span)
        return np.polynomial.Chebyshev(self.curve.in_chebyshev(), domain=span)

    def _span(self) -> list[float]:
        """The domain as NumPy needs it: float64 of the user's own x, with some width."""
        inside, origin = self.summary.domain, self.axis.power_origin
        lo, hi = inside.lo + origin, inside.hi + origin
        apart = float(np.spacing(max(abs(lo), abs(hi))))
        if inside.is_point:
            return [lo - max(apart, 1.0), hi + max(apart, 1.0)]  # of one x, where the curve is flat
        if apart > _TOLD_APART * inside.half_width:
            near = origin or f"{inside.lo:.17g}"
            raise OutOfRange(
                f"A numpy.polynomial of x within {2 * inside.half_width:.6g} of each other "
                f"near {near}",
                f"Call the fit itself, or subtract {near} from x before you fit.",
            )
        return [lo, hi]

    def to_json(self) -> str:
        """This fit as JSON text, every number exact; without the rows. `from_json` reads it."""
        body = to_record(
            self.curve,
            self.summary,
            self.best,
            self.outcome,
            self.history,
            self.forecast,
            loss=self.loss,
            absolute_sigma=self.absolute_sigma,
            choice=asdict(self.choice),
        )
        return json.dumps(body, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The fit that `to_json` wrote.

        Parameters
        ----------
        text
            JSON, as `to_json` returned it.

        Raises
        ------
        BadRecord
            For other text, or numbers that contradict each other.
        MissingExtra, NoDevice
            For a history of tensors that cannot be here.
        """
        try:
            return cls(**from_record(plain(text)))
        except Misfit as why:
            raise BadRecord(why) from None

    @classmethod
    def from_polyfit(cls, coefficients: Any, x: Any, y: Any, weights: Any = None) -> Self:
        """A Fit of what numpy.polyfit returned and the rows it was fitted to.

        Its `loss` is that of these coefficients, its `excess` how far they are from exact.

        Parameters
        ----------
        coefficients
            Shape (degree + 1,), highest power first, in units of y per power of x.
        x, y
            The rows, shape (n,) each.
        weights
            Of the squares, shape (n,), ≥ 0: numpy.polyfit's w squared. 1 unless given.

        Raises
        ------
        BadSetting
            For coefficients that are not finite.
        OutOfRange
            Where the sum of squared residuals leaves float64.
        PolydescentError
            As `fit`, for the rows.
        """
        (falling,) = columns(coefficients=coefficients)
        powers = to_host(falling)[::-1].copy()
        if not np.isfinite(powers).all():
            raise BadSetting("coefficients", coefficients, "finite numbers, highest power first")
        rows = Rows.of(x, y, weights)
        summary = Summary.of_rows(rows.x, rows.y, rows.weights, len(powers) - 1)
        curve = Polynomial(POWER, summary.domain, powers)
        solution = solve(summary.triangle, rows)
        x, y, omega = rows_that_count(rows)
        with quiet():
            residual = y - curve(x)
            loss = float((residual * residual * (1.0 if omega is None else omega)).sum())
        if not math.isfinite(loss):
            raise OutOfRange("The sum of squared residuals", "Check the coefficients.")
        return cls(curve, summary, loss, Outcome.GIVEN, rows=rows, solution=solution)

    @property
    def advice(self) -> str:
        """What the outcome means and what to do about it, with this fit's numbers."""
        first = advice(self.outcome, self.history, self.forecast, self.curve.basis.name)
        return " ".join([first, *self.cautions])

    def plot(self, kind: str = "fit", ax: Any = None, *, level: float = 0.95) -> Any:
        """Draw on matplotlib axes, a new figure's where none are given, and return them.

        Parameters
        ----------
        kind
            "fit" (data, curve, confidence and prediction bands, equation; default), "residuals",
            "degrees", and of a descent "loss" and "modes".
        ax
            The axes to draw on; new ones where left out.
        level
            Of the bands, between 0 and 1; default 0.95.

        Raises
        ------
        UnknownName, BadSetting
            For another kind, a level that is none.
        MissingExtra
            Without matplotlib.
        NothingToDraw
            Where this fit does not hold what the kind shows.
        """
        from polydescent.report.static import draw

        return draw(self, kind, ax, level)

    def explore(
        self,
        path: str | PathLike[str],
        sample: int = 0,
        title: str = "",
        language: str | None = None,
    ) -> None:
        """Write one HTML file that re-runs the training on all rows, offline, from some 80 numbers.

        Parameters
        ----------
        path
            A file name ending in .html.
        sample
            Raw rows to carry in it, at most so many; default 0: the rows then travel as counts on a
            grid, from which none can be told.
        title
            The heading; "y of x", by the names of the columns, where left out.
        language
            "en", "zh-CN", or that of the reader where left out.

        Raises
        ------
        BadSetting, NoFolder
            For a path that cannot be written, a sample that is no number of rows.
        UnknownName
            For another language.
        """
        from polydescent.report.page import write_page

        write_page(self, path, sample, title, language)

    def __copy__(self) -> Self:
        """The same fit, with its rows: only a pickle is a message."""
        made = object.__new__(type(self))
        vars(made).update(vars(self))
        return made

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """The same fit in memory of its own, with its rows."""
        made = memo[id(self)] = object.__new__(type(self))
        vars(made).update(deepcopy(vars(self), memo))
        return made

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: all but the rows, which may be larger than a message."""
        return vars(self) | {"rows": None}

    def __repr__(self) -> str:
        return (
            f"<Fit {self.equation()}; {self.n:,} rows, loss {self.loss:.6g}, {self.outcome.value}>"
        )

    def _repr_html_(self) -> str:
        """The coefficients and how good they are, for a notebook."""
        known = not self.outcome.is_unfinished
        errors = to_host(self.stderr) if known else np.full(self.degree + 1, math.nan)
        x = "t" if self.axis.is_dates else "x"
        lines = [
            (f"{x}^{power}", f"{value:.10g}", f"{error:.6g}" if math.isfinite(error) else "")
            for power, (value, error) in enumerate(zip(self._powers, errors, strict=True))
        ]
        names = [self.summary.x_name, self.summary.y_name]
        if self.rows is not None:
            names = [self.rows.x_name, self.rows.y_name]
        facts = f"{self.n:,} rows of {names[0]}, {names[1]}; R² {self.r2:.6f}, {self.outcome.value}"
        return html_table(facts, lines, ("term", "coefficient", "std. error"))

    def _repr_latex_(self) -> str:
        """The equation, with its standard errors where it has arrived."""
        return f"${self.equation('latex', errors=True)}$"

    def __str__(self) -> str:
        from polydescent.report.text import describe

        return describe(self)
