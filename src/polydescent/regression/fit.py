"""Fit: a fitted polynomial, how good it is, and after a descent how it got there."""

from __future__ import annotations

import json
import math
from copy import deepcopy
from dataclasses import dataclass
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from polydescent.arrays import Array, columns, in_double, namespace, quiet, to_host
from polydescent.checks import one_of
from polydescent.descent.forecast import Forecast
from polydescent.descent.loop import History
from polydescent.descent.outcome import Outcome, advice
from polydescent.errors import (
    BadRecord,
    BadSetting,
    Misfit,
    OutOfRange,
    RowsNotHeld,
)
from polydescent.frames import frame, index_of
from polydescent.least_squares.degrees import Choice
from polydescent.least_squares.solution import Solution, rows_that_count, solve
from polydescent.polynomial.basis import BASES, POWER, Domain
from polydescent.polynomial.curve import Polynomial
from polydescent.regression.diagnostics import Diagnostics, diagnose
from polydescent.regression.evidence import Evidence, all_rows
from polydescent.regression.forms import equation_of, numpy_of, table_of
from polydescent.regression.inside import check_inside
from polydescent.regression.summary import Summary
from polydescent.rows.rows import Rows
from polydescent.sealed import schema
from polydescent.sealed.document import exactly

if TYPE_CHECKING:
    from polydescent.report.notebook import Page


@dataclass(frozen=True, eq=False)
class Fit(Evidence):
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
    least_squares
        The exact least squares solution at this degree, which this fit is or is compared with.
    rows
        What there is to draw, not copied: all rows, an even selection where they were streamed,
        None from a bare summary.
    absolute_sigma
        Whether the weights are 1/σ² with σ known, in units of y, so that the residuals do not scale
        the standard errors.
    choice
        By what the degree was chosen, if it was "auto", and by what `degrees()` picks.
    held_out
        Where folds chose it, root mean square of the residuals that they left, in units of y, for
        each degree looked at; else None.
    judgment
        Of another loss or variance: its scale, which rows it discounts and the formula of its
        errors. `summary` then holds the rows as the loss weighed them last. None of plain least
        squares.
    history, forecast
        Of the descent; None after exact least squares.
    """

    history: History | None = None
    forecast: Forecast | None = None

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
            check_inside(x, self.summary.domain, self.axis, outside)
        return self.axis.answer(x, self.curve)

    # ── what it is ──

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
    def is_refined(self) -> bool:
        """Whether the coefficients are the float64 nearest to the exact least squares ones."""
        return self.outcome is Outcome.EXACT and self.least_squares.refined is not None

    @property
    def residuals(self) -> Array:
        """y − f(x) of every row that was read, shape (n,), in units of y, of the kind of the data.

        Raises
        ------
        RowsNotHeld
            Where rows were streamed or summarized: they are gone.
        """
        rows = all_rows(self)
        if rows is None:
            raise RowsNotHeld("residuals", 0 if self.rows is None else self.rows.n, self.n)
        with quiet():
            left = in_double(rows.y) - self.curve(rows.x)
        return namespace(rows.y).astype(left, rows.y.dtype, copy=False)

    def diagnostics(self) -> Diagnostics:
        """What a careful statistician would ask of it: print it, or read its arrays.

        Returns
        -------
        Diagnostics
            Leverage, studentized residuals and Cook's distance of every row; Durbin-Watson,
            Breusch-Pagan and lack of fit.

        Raises
        ------
        RowsNotHeld
            Where rows were streamed or summarized: they are gone.
        BadCall
            After a descent, and with fewer than 2 degrees of freedom.
        """
        return diagnose(self)

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
        found = {"y": self(x), "stderr": self._uncertain.stderr_at(x)}
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
        return equation_of(self, style, digits, x, errors=errors, dates=dates)

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
        return numpy_of(self, basis)

    def to_json(self) -> str:
        """This fit as JSON text, every number exact; without the rows. `from_json` reads it."""
        return json.dumps(self.to_record(), allow_nan=False)

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
            return cls.from_record(schema.plain(text))
        except Misfit as why:
            raise BadRecord(why) from None

    def to_record(self) -> dict[str, Any]:
        """Plain dicts, lists, text and finite numbers."""
        return {
            "basis": self.curve.basis.name,
            "weights": exactly(self.curve.weights),
            "summary": self.summary.to_record(),
            "loss": exactly(self.loss),
            "outcome": self.outcome.name,
            "least_squares": self.least_squares.to_record(),
            "absolute_sigma": self.absolute_sigma,
            "choice": self.choice.to_record(),
            "judgment": None if self.judgment is None else self.judgment.to_record(),
            "history": None if self.history is None else self.history.to_record(),
            "forecast": None if self.forecast is None else self.forecast.to_record(),
        }

    @classmethod
    def from_record(cls, found: Any) -> Self:
        """The inverse of `to_record`. Raises Misfit.

        Parameters
        ----------
        found
            The whole of a document.
        """
        values = _RECORD(found, "")
        summary, outcome, loss = values["summary"], Outcome[values["outcome"]], values["loss"]
        k, origin = summary.degree + 1, summary.axis.power_origin
        weights = schema.array((k,), schema.extended)(values["weights"], "weights")
        solved = values["least_squares"]
        solved = Solution.from_record(solved, "least_squares", summary.triangle, origin)
        if outcome is Outcome.EXACT:
            same = np.array_equal(weights, solved.weights) and loss == solved.rss
            schema.check(same, "weights and loss", "those of least squares", weights.tolist())
        judgment = values["judgment"]
        if judgment is not None:
            from polydescent.robust.judgment import Judgment

            judgment = Judgment.from_record(judgment, "judgment", solved.free)
        history, forecast = values["history"], values["forecast"]
        walked = history is not None
        steps = f"that of {outcome.name}"
        schema.check(walked == (outcome not in _WITHOUT_STEPS), "history", steps, walked)
        both = walked == (forecast is not None)
        schema.check(both, "forecast", "there as history is", walked)
        if walked:
            history = History.from_record(history, "history", k)
            forecast = Forecast.from_record(forecast, "forecast", k)
            _check_end(loss, outcome, history, forecast)
        return cls(
            curve=Polynomial(BASES[values["basis"]], summary.domain, weights),
            summary=summary,
            loss=loss,
            outcome=outcome,
            least_squares=solved,
            absolute_sigma=values["absolute_sigma"],
            choice=values["choice"],
            judgment=judgment,
            history=history,
            forecast=forecast,
        )

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
        return cls(curve, summary, loss, Outcome.GIVEN, solution, rows)

    @property
    def advice(self) -> str:
        """What the outcome means and what to do about it, with this fit's numbers."""
        if self.judgment is not None and self.judgment.loss is not None:
            word = self.judgment.word
            return " ".join([f"Settled by {word}: no pass moves the curve.", *self.cautions])
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
        path: str | PathLike[str] | None = None,
        sample: int = 0,
        title: str = "",
        language: str | None = None,
        tour: bool = True,
    ) -> Page | None:
        """One HTML page that re-runs the training on all rows, offline, from some 80 numbers: in
        the notebook, or written to a file.

        Parameters
        ----------
        path
            A file name ending in .html; left out, the page is returned.
        sample
            Raw rows to carry in it, at most so many; default 0: the rows then travel as counts on a
            grid, from which none can be told.
        title
            The heading; "y of x", by the names of the columns, where left out.
        language
            "en", "zh-CN", or that of the reader where left out.
        tour
            Whether it offers a guided tour; default True.

        Returns
        -------
        Page or None
            Without a path, what a notebook shows in a frame; None where a file was written.

        Raises
        ------
        BadSetting, NoFolder
            For a path that cannot be written, a sample that is no number of rows, a tour that is
            neither True nor False.
        UnknownName
            For another language.
        """
        if path is None:
            from polydescent.report.notebook import Page
            from polydescent.report.page import page_text

            return Page(page_text(self, sample, title, language, tour))
        from polydescent.report.page import write_page

        write_page(self, path, sample, title, language, tour)
        return None

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
        """The equation, a small picture, the coefficients and how good they are, for a notebook."""
        from polydescent.report.notebook import headed

        return headed(self) + table_of(self)

    def _repr_latex_(self) -> str:
        """The equation, with its standard errors where it has arrived."""
        return f"${self.equation('latex', errors=True)}$"

    def __str__(self) -> str:
        from polydescent.report.text import describe

        return describe(self)


_WITHOUT_STEPS = (Outcome.EXACT, Outcome.GIVEN)
_RECORD = schema.record(
    {
        "basis": schema.choice(BASES),
        "weights": schema.anything,
        "summary": Summary.from_record,
        "loss": schema.extended,
        "outcome": schema.choice(Outcome.__members__),
        "least_squares": schema.anything,
        "absolute_sigma": schema.flag,
        "choice": Choice.from_record,
        "judgment": schema.Maybe(schema.anything, None),
        "history": schema.anything,
        "forecast": schema.anything,
    }
)


def _check_end(loss: float, outcome: Outcome, history: History, forecast: Forecast) -> None:
    """Raise Misfit where a descent did not end as it says."""
    last = float(to_host(history.loss)[-1])
    same = loss == last or (math.isnan(loss) and math.isnan(last))
    same = same or (forecast.ridge > 0 and loss <= last)  # which holds the penalty too
    schema.check(same, "loss", "that after the last step", loss)
    diverged = not (math.isfinite(last) and forecast.is_stable)
    is_so = diverged == (outcome is Outcome.DIVERGED)
    schema.check(is_so, "outcome", "that of history", outcome.name)
