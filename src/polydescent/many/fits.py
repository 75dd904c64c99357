"""Fits: the curves of many, the same words as a Fit, each with leading dimensions."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from polydescent.arrays import Array, Kind, is_array, namespace, quiet, to_host
from polydescent.checks import level as checked_level
from polydescent.checks import one_of
from polydescent.descent.forecast import Forecast
from polydescent.errors import (
    NeedsRows,
    OutsideDomain,
    OutsideDomainWarning,
    PolydescentError,
)
from polydescent.least_squares.constraints import Constraints
from polydescent.least_squares.stacks import inverse
from polydescent.least_squares.student import quantile
from polydescent.many.descents import Histories, Run, is_far
from polydescent.many.held import NOTHING, KnownOfEach
from polydescent.many.solving import Answers, chosen_answers, held_answers, plain_answers
from polydescent.many.status import FINE, Status
from polydescent.many.summaries import Summaries
from polydescent.many.tables import (
    beyond_domain,
    located,
    on_index,
    to_table,
    values_at,
    without_curve,
)
from polydescent.polynomial.basis import Domain
from polydescent.polynomial.stack import evaluate_each, powers_matrix, powers_of_each
from polydescent.regression.fit import Fit
from polydescent.regression.problem import Problem, check_determined
from polydescent.rows.axis import Axis
from polydescent.rows.curves import Curves
from polydescent.rows.keys import find, is_selection
from polydescent.rows.labelled import dataset

if TYPE_CHECKING:
    from polydescent.report.notebook import Page


@dataclass(frozen=True, eq=False)
class Fits:
    """Many fitted polynomials: call them on x; read how good each is.

    What a `Fit` says of one curve, of each: leading dimensions, written …, are the curves. Numbers
    come back in the library and on the device of the data, in float64; those of a curve without an
    answer are NaN, and its `status` says why. Made by `fit_many`, `descend_many` and
    `Summaries.fit`, not by hand.

    Attributes
    ----------
    summaries
        The rows of each curve as a triangle.
    answers
        Weights and status of each curve, as `weights` and `status` have them.
    problem
        Which curves are wanted: degree, what is known beforehand, whether sigma is absolute.
    known
        What is known of each curve beforehand, where they differ in it.
    curves
        The rows, not copied, where they are at hand: `fits[i]` is then refined.
    run
        Of descents, their settings, forecasts and losses; None of exact least squares.

    Examples
    --------
    >>> from polydescent import fit_many
    >>> lines = fit_many([0, 1, 2, 3], [[1, 3, 5, 7], [0, 1, 0, 1]], degree=1)
    >>> lines.coef
    array([[1. , 2. ],
           [0.2, 0.2]])
    >>> lines[0].equation()
    'y = 1 + 2 x'
    """

    summaries: Summaries
    answers: Answers
    problem: Problem
    known: KnownOfEach = NOTHING
    curves: Curves | None = None
    run: Run | None = None

    # ── what they are ──

    @property
    def weights(self) -> np.ndarray:
        """In Chebyshev polynomials on the domain of each curve, shape (…, degree + 1), on the
        host.
        """
        return self.answers.weights

    @property
    def status(self) -> np.ndarray:
        """How each curve came out, shape (…,) int8, on the host: see `Status`."""
        return self.answers.status

    @property
    def absolute_sigma(self) -> bool:
        """Whether the weights of the rows are 1/σ² with σ known in units of y."""
        return self.problem.absolute_sigma

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading dimensions."""
        return self.weights.shape[:-1]

    def __len__(self) -> int:
        return self.shape[0]

    @property
    def degree(self) -> int:
        """The highest power of x, of all curves."""
        return self.weights.shape[-1] - 1

    @property
    def degrees(self) -> np.ndarray:
        """The degree of each curve, shape (…,), on the host: its own where degree="auto"; its
        coefficients above are 0.
        """
        own = self.answers.degrees
        return np.full(self.shape, self.degree) if own is None else own

    @property
    def kind(self) -> Kind:
        """Where the numbers they give back live: with y, in float64."""
        kind = self.summaries.kind
        return Kind(kind.library, "float64", kind.device)

    @property
    def axis(self) -> Axis:
        """How dates and large whole numbers became float64: one for all curves."""
        return self.summaries.axis

    @property
    def keys(self) -> Any:
        """A table with a row for each curve, None where curves go by position."""
        return self.summaries.keys

    @property
    def n(self) -> Array:
        """The number of rows used, shape (…,), whole."""
        return self._whole(self.summaries.n)

    @property
    def omitted(self) -> Array:
        """Rows left out because a value was missing, shape (…,), whole."""
        return self._whole(self.summaries.omitted)

    def _whole(self, values: np.ndarray) -> Array:
        if self.kind.library == "numpy":
            return values
        like = self.kind.put(0.0)
        xp = namespace(like)
        return xp.asarray(values, dtype=xp.int64, device=like.device)

    @property
    def domain(self) -> Domain:
        """The interval of x of each curve, lo and hi of shape (…,), in units of x: dates of dates;
        NaN, or NaT, of curves without rows.
        """
        inside = self._inside
        put = self.kind.put if self.axis.is_plain else self._places
        return Domain(put(inside.lo), put(inside.hi))

    @cached_property
    def _inside(self) -> Any:
        """The domain of each curve in float64, NaN of curves without rows."""
        domain, there = self.summaries.triangle.domain, self.summaries.n > 0
        lo, hi = (np.where(there, end, np.nan) for end in (domain.lo, domain.hi))
        return Domain(lo, hi)

    def _places(self, x: np.ndarray) -> np.ndarray:
        there = np.isfinite(x)
        places = np.asarray(self.axis.places(np.where(there, x, 0.0).ravel())).reshape(x.shape)
        if places.dtype.kind == "M":
            return np.where(there, places, np.datetime64("NaT"))
        return np.where(there, places, np.nan)

    @property
    def ok(self) -> np.ndarray:
        """Whether each curve has an answer that has arrived, shape (…,), on the host."""
        return np.isin(self.status, FINE)

    def explain(self, place: Any) -> str:
        """How a curve came out, in words: of one without an answer, what `fit` would have raised.

        Parameters
        ----------
        place
            Its position, an index or a tuple of them; its key where they have keys.
        """
        if self.keys is not None:
            place = find(self.keys, place)
        try:
            one = self.at(place)
        except PolydescentError as why:
            return str(why)
        return one.advice

    def __getitem__(self, place: Any) -> Any:
        """One curve, as a whole `Fit`, refined where its rows are at hand, or some of them, as
        Fits, by position; where they have keys, one is `fits[key]`, or `fits[part, part]`.

        Raises UnknownKey, and what `fit` raises of a curve without an answer.
        """
        if self.keys is not None and not is_selection(place):
            return self.at(find(self.keys, place))
        if is_array(place) and not isinstance(place, np.ndarray):
            place = np.asarray(place.tolist())
        some = self.weights[place]
        return self._some(place) if some.ndim > 1 else self.at(place)

    def at(self, place: Any) -> Fit:
        """One curve, by position.

        Parameters
        ----------
        place
            An index, or a tuple of them.

        Raises
        ------
        PolydescentError
            Of a curve without an answer, what `fit` raises.
        """
        self.summaries.check_fault(place)
        summary = self.summaries.at(place)
        rows = None
        if self.curves is not None:
            rows = self.curves[place].rows(summary.x_name, summary.y_name)
        if self.run is not None:
            own = self.run.forecast[place] if self.shape else self.run.forecast
            settings = {"optimizer": own.optimizer, "start": own.start, "allow_divergence": True}
            descent = replace(self.run.descent, **settings)
            check_determined(summary, rows)
            return descent.run(summary, rows, absolute_sigma=self.absolute_sigma)
        problem = self.problem
        if self.known:
            problem = replace(problem, known=self.known.at(place))
        if self.answers.degrees is not None:
            problem = replace(problem, degree=int(self.answers.degrees[place]), auto=None)
        return problem.solve(summary, rows)

    def _some(self, place: Any) -> Fits:
        return replace(
            self,
            summaries=self.summaries[place],
            answers=self.answers[place],
            known=self.known.some(place),
            curves=None if self.curves is None else self.curves[place],
            run=None if self.run is None else self.run[place],
        )

    # ── tables and files ──

    def to_table(self, basis: str = "power") -> Any:
        """An Arrow table with a row for each curve, which pandas, Polars and DuckDB read.

        Parameters
        ----------
        basis
            "power" (default) for `coef`, in columns c0, c1, …, or "chebyshev" for `weights` on the
            domain of each curve, in w0, w1, …, which keep their digits where x is far from 0; their
            standard errors are in se0, se1, …

        Returns
        -------
        pyarrow.Table
            The keys, or the place along each dimension as curve (curve_0, curve_1, …); then n,
            omitted, degree, the numbers above, r2, residual_sd, loss, x_min, x_max and status, its
            name.

        Raises
        ------
        BadSetting, MissingExtra
            For another word; without PyArrow.
        """
        return to_table(self, basis)

    def predict(
        self, data: Any, *, x: str | None = None, by: Any = None, outside: str = "warn"
    ) -> Any:
        """The value of its own curve for each row of a table, by key, in units of y, float64.

        Parameters
        ----------
        data
            A table (pandas, Polars, PyArrow, a dict of columns), or the x of n rows.
        x
            The column of x; by the name it was fitted under where left out.
        by
            The columns of keys; by their names where left out. Of n rows in memory, the keys, one
            for each row.
        outside
            What to do where x lies outside the domain of its curve: "warn" (once a call; default),
            "raise" or "ignore".

        Returns
        -------
        numpy.ndarray or pandas.Series
            Shape (n,); NaN where no curve has the key, or where that has no answer. A Series, on
            the same index, of a pandas table.

        Raises
        ------
        PolydescentError
            BadCall of curves without keys, UnknownName, BadKeys, OutsideDomain where asked for.

        Warns
        -----
        OutsideDomainWarning, RowsWithoutCurve
            Once each: where x lies outside, where there are keys without a curve.
        """
        one_of("outside", outside, ("warn", "raise", "ignore"))
        numbers, places, found = located(self, data, x, by)
        if (places < 0).any():
            warnings.warn(without_curve(places, found), stacklevel=2)
        if outside != "ignore" and (beyond := beyond_domain(self, numbers, places)):
            if outside == "raise":
                raise beyond
            warnings.warn(str(beyond), OutsideDomainWarning, stacklevel=2)
        return on_index(data, values_at(self, numbers, places))

    def save(self, path: str | PathLike[str]) -> None:
        """Write them to a Parquet file, a row for each curve, all of it or nothing.

        Parameters
        ----------
        path
            The file, replaced where it is such a file.

        Raises
        ------
        NotAModel, NotKept, NoFolder, FileRefused
            Where something else is there; where they could not be read back or written.
        """
        from polydescent.models.groups import save_fits

        save_fits(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Fits:
        """Read what `save` or `polydescent fit --by … --save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        NoFile, DamagedModel, UnknownSchema
            Where there is none, or none that can be believed.
        """
        from polydescent.models.groups import load_fits

        return load_fits(path)

    # ── the curves ──

    def __call__(self, x: Any, outside: str = "warn") -> Array:
        """The curves at x, in units of y, float64.

        Parameters
        ----------
        x
            Where, in the units of the data's x (dates where those were dates): shape (m,), for all
            curves, or (…, m), for each its own; a number for all.
        outside
            What to do where x lies outside the domain of a curve: "warn" (once a call; default),
            "raise" or "ignore".

        Returns
        -------
        Array
            Shape (…, m); (…,) at a number.

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
        values = self.axis.numbers(x)
        given = is_array(values) and not isinstance(values, np.ndarray | np.generic)
        host = to_host(values) if given else np.asarray(values, dtype=np.float64)
        if outside != "ignore":
            self._check_inside(np.atleast_1d(host), outside)
        inside = self._inside
        with np.errstate(invalid="ignore"):  # of empty domains
            numbers = self.weights, inside.mid, inside.half_width, np.atleast_1d(host)
        if self.kind.library != "numpy":
            numbers = tuple(map(self.kind.put, numbers))
        found = evaluate_each(*numbers)
        return found if host.ndim else found[..., 0]

    def _check_inside(self, x: np.ndarray, outside: str) -> None:
        inside = self._inside
        there = ~np.isnan(self.weights[..., 0])
        with np.errstate(invalid="ignore"):
            lo, hi = (edge[..., None] for edge in inside.edges)
        if x.ndim == 1:  # shared: the ends say it all
            x = np.array([x.min(), x.max()]) if x.size else x
        beyond = ((x < lo) | (x > hi)) & there[..., None]
        if not beyond.any():
            return
        far = np.broadcast_to(x, beyond.shape)[beyond]
        curve = np.argwhere(beyond)[0][:-1]
        ends = (
            float(far.min()),
            float(far.max()),
            *(e[tuple(curve)] for e in (inside.lo, inside.hi)),
        )
        curves = int(beyond.any(axis=-1).sum())
        labels = [self.axis.label(float(end)) for end in ends]
        place = tuple(int(i) for i in curve)
        found = OutsideDomain(far.size, beyond.size, *labels, curves=(curves, there.size, place))
        if outside == "raise":
            raise found
        warnings.warn(str(found), OutsideDomainWarning, stacklevel=3)

    @cached_property
    def _powers(self) -> np.ndarray:
        origin = self.axis.power_origin
        powers = powers_of_each(self.weights, self._inside, origin)
        for i, power in enumerate(self._fixed):
            powers[..., power] = self._known(self._held_values[..., i])
        return powers

    @property
    def _held(self) -> Constraints:
        return self.problem.known.on(self.degree, self.axis)

    @property
    def _fixed(self) -> list[int]:
        """The powers whose coefficients are held."""
        return [power for power, _ in self._held.fixed]

    @property
    def _held_values(self) -> np.ndarray:
        return self.known.values(self._held, self.shape)

    @property
    def coef(self) -> Array:
        """Coefficients of 1, x, x², … of each curve in the user's own x, shape (…, degree + 1);
        that of xʲ in units of y per unit of x to the j.
        """
        return self.kind.put(self._powers)

    # ── how good they are ──

    @cached_property
    def _there(self) -> np.ndarray:
        return ~np.isnan(self.weights[..., 0])

    def _known(self, values: Any) -> np.ndarray:
        """Of curves with an answer, NaN of others."""
        return np.where(self._there, values, np.nan)

    @cached_property
    def _lowest(self) -> np.ndarray:
        return self._known(self.answers.rss)

    @property
    def lowest_loss(self) -> Array:
        """The loss of exact least squares of each curve, shape (…,), in units of y²."""
        return self.kind.put(self._lowest)

    @property
    def _losses(self) -> np.ndarray:
        return self._lowest if self.run is None else self.run.loss

    @property
    def excess(self) -> Array:
        """How far the loss is above the lowest, relative to it, shape (…,): 0.03 is 3 %."""
        with np.errstate(all="ignore"):
            above = np.maximum(self._losses - self._lowest, 0.0)
            share = np.where(above > 0, above / self._lowest, 0.0)
        return self.kind.put(self._known(share))

    @property
    def is_far(self) -> np.ndarray:
        """Whether a descent ended far from least squares, as `Fit.is_far`, shape (…,), on the
        host.
        """
        unfinished = np.isin(self.status, (Status.STEPS_EXHAUSTED, Status.DIVERGED))
        if self.run is None:
            return unfinished
        return unfinished & is_far(self.run.loss, self.summaries)

    @property
    def forecast(self) -> Forecast | None:
        """Of descents, what was foretold of each, with leading dimensions; None of others."""
        return None if self.run is None else self.run.forecast

    @property
    def history(self) -> Histories | None:
        """Of descents, the losses at up to 100 of the steps; None of others."""
        return None if self.run is None else self.run.history

    @property
    def loss(self) -> Array:
        """Σ ω·(y − f(x))² of each curve, shape (…,), in units of y² (times weight)."""
        return self.kind.put(self._losses)

    @cached_property
    def _r2(self) -> np.ndarray:
        tss = self.summaries.triangle.tss
        with quiet():
            return self._known(1 - self._losses / np.where(tss > 0, tss, np.nan))

    @property
    def r2(self) -> Array:
        """1 − loss / Σ ω·(y − mean y)², shape (…,); NaN where y is constant."""
        return self.kind.put(self._r2)

    @property
    def adjusted_r2(self) -> Array:
        """1 − (1 − R²)·(n − 1)/(degrees of freedom), shape (…,); NaN without degrees of freedom."""
        return self.kind.put(1 - (1 - self._r2) * (self.summaries.n - 1) / self._freedom)

    @property
    def degrees_of_freedom(self) -> Array:
        """Rows used minus coefficients fitted, shape (…,), whole."""
        return self._whole(self.summaries.n - self.answers.free)

    @cached_property
    def _freedom(self) -> np.ndarray:
        freedom = (self.summaries.n - self.answers.free).astype(np.float64)
        return np.where(freedom > 0, freedom, np.nan)

    @cached_property
    def _residual_sd(self) -> np.ndarray:
        return np.sqrt(self._lowest / self._freedom)

    @property
    def residual_sd(self) -> Array:
        """√(lowest loss / degrees of freedom), shape (…,), in units of y (of one row of weight
        1).
        """
        return self.kind.put(self._residual_sd)

    @cached_property
    def _factor(self) -> np.ndarray:
        """Shape (…, k, f): factor·factorᵀ is the covariance of the weights in units of s²."""
        if self.answers.factor is not None:
            return self.answers.factor
        with np.errstate(all="ignore"):
            return np.where(
                self._there[..., None, None], inverse(self.summaries.triangle.R), np.nan
            )

    @cached_property
    def _root(self) -> np.ndarray:
        """Shape (…, k, f): root·rootᵀ is the covariance of the coefficients."""
        domain = self._inside
        matrix = powers_matrix(domain, self.degree, self.axis.power_origin)
        sd = 1.0 if self.absolute_sigma else self._residual_sd[..., None, None]
        with np.errstate(all="ignore"):
            root = sd * (matrix @ self._factor)
        root[..., self._fixed, :] = self._known(0.0)[..., None, None]
        return root

    @property
    def covariance(self) -> Array:
        """Of the coefficients, shape (…, k, k), in units of `coef`²: s²·(VᵀWV)⁻¹, s² = rss/(n − k),
        or 1 where sigma is absolute.
        """
        return self.kind.put(self._root @ self._root.mT)

    @cached_property
    def _stderr(self) -> np.ndarray:
        return np.sqrt((self._root * self._root).sum(axis=-1))

    @property
    def stderr(self) -> Array:
        """Standard errors of the coefficients, shape (…, k), in units of `coef`."""
        return self.kind.put(self._stderr)

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
            Shape (…, k, 2), in units of `coef`; NaN without degrees of freedom.

        Raises
        ------
        BadSetting
            For a level that is none.
        """
        level = checked_level(level)
        if self.absolute_sigma:
            reach = np.asarray(quantile(level, np.inf))[..., None]
        else:
            freedom, which = np.unique(self._freedom, return_inverse=True)
            each = np.array([quantile(level, f) for f in freedom])
            reach = each[which].reshape(*self.shape, 1)
        ends = (self._powers - reach * self._stderr, self._powers + reach * self._stderr)
        return self.kind.put(np.stack(ends, axis=-1))

    # ── in other forms ──

    def to_dataset(self) -> Any:
        """The results as an xarray.Dataset, with the dimensions and coordinates of the data.

        polyfit_coefficients, along degree from the highest to 0, polyfit_covariance (cov_i, cov_j
        in that order) and polyfit_residuals are what xarray's own polyfit gives, so that
        xarray.polyval takes them; polyfit_stderr, r2, residual_sd, n and status are beside them.

        Raises
        ------
        MissingExtra
            Without xarray.
        """
        covariance = self._root @ self._root.mT
        columns = {
            "degree": ((), np.arange(self.degree, -1, -1)),
            "polyfit_coefficients": (("degree",), self._powers[..., ::-1]),
            "polyfit_stderr": (("degree",), self._stderr[..., ::-1]),
            "polyfit_covariance": (("cov_i", "cov_j"), covariance[..., ::-1, ::-1]),
            "polyfit_residuals": ((), self._losses),
            "r2": ((), self._r2),
            "residual_sd": ((), self._residual_sd),
            "n": ((), self.summaries.n),
            "status": ((), self.status),
        }
        return dataset(columns, self.summaries.labels, self.shape)

    def plot(self, kind: Any = "worst", count: int = 12, figure: Any = None) -> Any:
        """Draw on a matplotlib figure, a new one where none is given, and return it.

        Parameters
        ----------
        kind
            "worst" (default) or "best": the curves with the lowest, or highest, R² side by side,
            with their rows where they are at hand; a list of places, or of keys where they have
            keys, for chosen ones; "r2" or "status": how often each occurs.
        count
            Of curves side by side, at most 100; default 12.
        figure
            The figure to draw on; a new one where left out.

        Raises
        ------
        UnknownName, BadSetting
            For another kind, places or count.
        MissingExtra
            Without matplotlib.
        NothingToDraw
            Where no curve has an R².
        """
        from polydescent.report.many_panels import draw

        return draw(self, kind, count, figure)

    def explore(
        self, place: Any, path: str | PathLike[str] | None = None, **options: Any
    ) -> Page | None:
        """One HTML page that re-runs the training of one curve: see `Fit.explore`.

        Parameters
        ----------
        place
            The position of the curve, an index or a tuple of them; its key where they have keys.
        path
            A file name ending in .html; left out, the page is returned.
        **options
            sample, title, language and tour, as in `Fit.explore`.

        Returns
        -------
        Page or None
            Without a path, what a notebook shows in a frame.

        Raises
        ------
        PolydescentError
            As `Fit.explore`, and of a curve without an answer what `fit` raises.
        """
        return self[place].explore(path, **options)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: all but the rows, which may be larger than a message."""
        return vars(self) | {"curves": None}

    def __repr__(self) -> str:
        from polydescent.report.many_text import headline

        return f"<{headline(self)}>"

    def __str__(self) -> str:
        from polydescent.report.many_text import describe

        return describe(self)

    def _repr_html_(self) -> str:
        """The first curves and how good all are, for a notebook."""
        from polydescent.report.many_text import table

        return table(self)


def fits_of(
    summaries: Summaries,
    problem: Problem | None = None,
    curves: Curves | None = None,
    known: KnownOfEach = NOTHING,
) -> Fits:
    """Exact least squares of every curve: whole polynomials at the degree of the summaries, unless
    the problem says otherwise.

    curves: their rows, where they are at hand. known: as in the problem, of each. Raises NeedsRows
    for a criterion that leaves rows out, BadSetting.
    """
    problem = Problem(summaries.degree) if problem is None else problem
    if problem.degree != summaries.degree:
        summaries = summaries.lower(problem.degree)
    if problem.auto is not None:
        if problem.auto.needs_rows:
            raise NeedsRows(problem.auto.criterion)
        answers = chosen_answers(
            summaries.triangle, summaries.fault, problem.auto.criterion, problem.absolute_sigma
        )
    elif problem.known:
        known = known or KnownOfEach(**vars(problem.known))
        known.check(summaries.shape)
        held = problem.known.on(problem.degree, summaries.axis)
        triangle, fault, axis = summaries.triangle, summaries.fault, summaries.axis
        answers = held_answers(triangle, fault, known, held, axis)
    else:
        answers = plain_answers(summaries)
    return Fits(summaries, answers, problem, known, curves)
