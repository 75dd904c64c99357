"""fit, descend, summarize: from rows to a Fit, by least squares or step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from polydescent.advice import advice, cure
from polydescent.arrays import (
    Array,
    count_distinct,
    in_double,
    is_array,
    namespace,
    to_host,
)
from polydescent.basis import CHEBYSHEV, POWER, Basis, Domain, basis_named, design_matrix
from polydescent.convergence import Forecast
from polydescent.descent import History, Outcome, walk
from polydescent.equation import equation
from polydescent.errors import BadSetting, RateTooLarge, TooFewDistinct, TooFewRows
from polydescent.optimizers import GradientDescent, Optimizer, checked_optimizer
from polydescent.passes import present, summary_of, summary_of_rows
from polydescent.polynomial import Polynomial
from polydescent.sources import Rows, Source, source_of
from polydescent.sources.chunks import Held, Kept
from polydescent.summary import Summary, checked_degree

_ARRIVED = 1e-6  # relative excess loss at which a descent counts as converged
_ROUNDING = (
    1e-20  # share of Σ y² that is arrival too: noise-free data have a lowest loss of about 0
)


@dataclass(frozen=True, eq=False)
class Fit:
    """A fitted polynomial: call it on x; read how good it is and, after a descent, how it got
    there.

    curve: the polynomial in the coordinates it was found in. summary: the rows as a triangle of its
    degree. loss: the sum of squared residuals of this curve, in units of y². history, forecast: of
    the descent, None after exact least squares. rows: what there is to draw, not copied: all rows,
    an even selection where they were streamed, None from a bare summary. Arrays come back in the
    library, dtype and device of the data.
    """

    curve: Polynomial
    summary: Summary
    loss: float
    outcome: Outcome
    history: History | None = None
    forecast: Forecast | None = None
    rows: Rows | None = None

    def __call__(self, x: Any) -> Any:
        """The curve at x: a number for a number, an array of its shape and kind for an array."""
        if is_array(x):
            values = self.curve(x)
            xp = namespace(x)
            if xp.isdtype(x.dtype, "real floating"):
                return xp.astype(values, x.dtype, copy=False)
            return values
        values = self.curve(np.asarray(x, dtype=np.float64))
        return float(values) if values.ndim == 0 else values

    @property
    def degree(self) -> int:
        return self.summary.degree

    @property
    def n(self) -> int:
        """The number of rows."""
        return self.summary.n

    @property
    def domain(self) -> Domain:
        """The interval of x in the data."""
        return self.summary.domain

    @cached_property
    def _powers(self) -> np.ndarray:
        return self.curve.powers()

    @property
    def coef(self) -> Array:
        """Coefficients of 1, x, x², … in the user's own x, shape (degree + 1,): a, b, c, d."""
        return self.summary.kind.put(self._powers)

    @property
    def lowest_loss(self) -> float:
        """The loss of exact least squares at this degree, in units of y²."""
        return self.summary.rss

    @property
    def excess(self) -> float:
        """How far the loss is above the lowest, relative to it: 0.03 is 3 %. Never negative."""
        above = max(self.loss - self.lowest_loss, 0.0)
        return above / self.lowest_loss if self.lowest_loss else (math.inf if above else 0.0)

    @property
    def r2(self) -> float:
        """1 − loss / Σ (y − mean y)²; NaN where y is constant."""
        return 1 - self.loss / self.summary.tss if self.summary.tss else math.nan

    @property
    def degrees_of_freedom(self) -> int:
        """Rows minus coefficients."""
        return self.n - self.degree - 1

    @cached_property
    def _scaled_inverse(self) -> np.ndarray:
        """Residual sd · R⁻¹ in powers of x, shape (k, k): a square root of the covariance."""
        if self.degrees_of_freedom < 1:
            return np.full((self.degree + 1,) * 2, math.nan)
        R, _, rss = self.summary.least_squares(POWER)
        inverse = np.linalg.solve(R, np.eye(self.degree + 1))
        return math.sqrt(rss / self.degrees_of_freedom) * inverse

    @property
    def covariance(self) -> Array:
        """rss/(n − k)·(VᵀV)⁻¹ of the least-squares coefficients, shape (k, k), from R⁻¹."""
        return self.summary.kind.put(self._scaled_inverse @ self._scaled_inverse.T)

    @property
    def stderr(self) -> Array:
        """Standard errors of the least-squares coefficients, shape (k,), in units of `coef`."""
        inverse = self._scaled_inverse
        return self.summary.kind.put(np.sqrt((inverse * inverse).sum(axis=1)))

    def equation(self, digits: int = 6) -> str:
        """`y = a + b x + c x^2 + …` with the numbers."""
        return equation(self._powers, digits=digits)

    @property
    def advice(self) -> str:
        """What the outcome means and what to do about it, with this fit's numbers."""
        return advice(self.outcome, self.history, self.forecast, self.curve.basis.name)

    def plot(self, kind: str = "fit", ax: Any = None, *, level: float = 0.95) -> Any:
        """Draw on matplotlib axes, a new figure's where none are given, and return them.

        kind: "fit" (data, curve, confidence and prediction bands of `level`, equation),
        "residuals", "degrees", and of a descent "loss" and "modes". Raises UnknownName,
        MissingExtra, and NothingToDraw where this fit does not hold what the kind shows.
        """
        from polydescent.report.static import draw

        return draw(self, kind, ax, level)

    def __getstate__(self) -> dict[str, Any]:
        """What a pickle holds: all but the rows, which may be larger than a message."""
        return vars(self) | {"rows": None}

    def __repr__(self) -> str:
        return (
            f"<Fit {self.equation()}; {self.n:,} rows, loss {self.loss:.6g}, {self.outcome.value}>"
        )


# ── the three verbs ──────────────────────────────────────────────────────────────────────────────


def summarize(
    data: Any = None,
    /,
    y: Any = None,
    degree: int = 8,
    *,
    x: Any = None,
    weights: Any = None,
    where: str | None = None,
    missing: str = "raise",
) -> Summary:
    """One pass over the rows, folded into a triangle that holds every fit up to `degree`.

    data, y: columns of n numbers (arrays, tensors, lists, Series, Dask arrays). Or data alone with
    x= and y= naming columns or SQL expressions of columns: a path, a glob, SQL, a list of them, a
    table (pandas, Polars, PyArrow, DuckDB), a Dask dataframe (names only). Or data alone: an
    iterable of chunks (x, y) or (x, y, weights). weights: of the squares, ≥ 0. where: SQL, rows of
    a file or table to use. missing: "omit" leaves out rows with NaN or infinity and counts them.
    Memory is one chunk, whatever n is. Raises PolydescentError: see `polydescent.errors`.

    >>> summarize([0, 1, 2, 3], [1, 3, 5, 7], degree=1).fit().coef
    array([1., 2.])
    """
    degree = checked_degree(degree)
    return summary_of(source_of(data, y, x, weights, where), degree, missing)


def fit(
    data: Any = None,
    /,
    y: Any = None,
    degree: int = 3,
    *,
    x: Any = None,
    weights: Any = None,
    where: str | None = None,
    missing: str = "raise",
) -> Fit:
    """Exact least squares: the polynomial with the smallest sum of squared residuals.

    Arguments and errors as in `summarize`; besides, TooFewRows and TooFewDistinct.

    >>> line = fit([0, 1, 2, 3], [1, 3, 5, 7], degree=1)
    >>> line.equation()
    'y = 1 + 2 x'
    >>> line(10)
    21.0
    """
    source = source_of(data, y, x, weights, where)
    summary, rows = _summarized(source, degree, missing)
    return replace(fit_summary(summary), rows=rows)


def descend(
    data: Any = None,
    /,
    y: Any = None,
    degree: int = 3,
    *,
    x: Any = None,
    weights: Any = None,
    where: str | None = None,
    missing: str = "raise",
    over: str = "summary",
    **settings: Any,
) -> Fit:
    """Gradient descent on the sum of squared residuals, with its history and its forecast.

    The rows as in `summarize`. over: "summary" walks on the triangle in float64 on the host, "rows"
    over all rows in their own library, dtype and device: the same steps up to rounding. Settings:

    basis: "power" (weights are a, b, c, d of x), "chebyshev" or "legendre" (on x mapped to [−1,
    1]). optimizer: GradientDescent() by default; a learning rate left out is the fastest stable
    one. start: "random" (standard normal, from `seed`), "zeros", or k numbers. steps: updates to
    make. tolerance: stop once the loss is within this share of the lowest possible.
    allow_divergence: walk even where the learning rate is above the largest stable one.

    Raises RateTooLarge before step 1, and whatever `fit` raises.

    >>> run = descend([0, 1, 2, 3], [1, 3, 5, 7], degree=1, start="zeros", steps=200)
    >>> run.equation(digits=4)
    'y = 1 + 2 x'
    >>> run.history.loss.shape, run.history.weights.shape
    ((201,), (201, 2))
    """
    if over not in ("summary", "rows"):
        raise BadSetting("over", over, '"summary" or "rows"')
    source = source_of(data, y, x, weights, where)
    if over == "rows":
        source = Held(source.gathered())
    summary, rows = _summarized(source, degree, missing)
    run = descend_summary(summary, rows=rows if over == "rows" else None, **settings)
    return replace(run, rows=rows)


def _summarized(source: Source, degree: Any, missing: str) -> tuple[Summary, Rows | None]:
    """The summary at exactly `degree`, checked to determine its coefficients, and rows to draw."""
    degree = checked_degree(degree)
    if isinstance(source, Held):
        rows, omitted = present(source.rows, missing)
        return _determined(summary_of_rows(rows, degree, omitted), rows), rows
    kept = Kept()
    summary = summary_of(source, degree, missing, kept.take)
    if source.remote:
        return _determined(summary), None
    return _determined(summary, kept.rows if kept.is_all else None), kept.rows


def _determined(summary: Summary, rows: Rows | None = None) -> Summary:
    """The summary, if its rows determine its coefficients. rows: all of them, if they are here."""
    if summary.n < summary.degree + 1:
        raise TooFewRows(summary.n, summary.degree)
    if not summary.has_full_rank:
        distinct = summary.degree + 1 if rows is None else count_distinct(rows.x)
        known = distinct if distinct <= summary.degree else None
        raise TooFewDistinct(summary.n, summary.degree, known)
    return summary


# ── from a summary ───────────────────────────────────────────────────────────────────────────────


def fit_summary(summary: Summary) -> Fit:
    """Exact least squares at the summary's degree."""
    curve = Polynomial(CHEBYSHEV, summary.domain, summary.solve())
    return Fit(curve, summary, summary.rss, Outcome.EXACT)


def descend_summary(
    summary: Summary,
    *,
    basis: str | Basis = POWER,
    optimizer: Optimizer | None = None,
    start: str | Sequence[float] | Array = "random",
    seed: int = 0,
    steps: int = 2000,
    tolerance: float | None = None,
    allow_divergence: bool = False,
    rows: Rows | None = None,
) -> Fit:
    """Gradient descent at the summary's degree, over the summary or over `rows`. See `descend`."""
    basis = basis_named(basis)
    _check_steps(steps)
    forecast = forecast_summary(summary, basis=basis, optimizer=optimizer, start=start, seed=seed)
    w = forecast.start
    if not forecast.is_stable and not allow_divergence:
        raise RateTooLarge(
            forecast.optimizer.learning_rate or math.nan,
            forecast.largest_stable_rate,
            forecast.best_rate,
            cure(forecast, basis.name),
        )
    target = None if tolerance is None else _target(tolerance, forecast.lowest_loss)
    if rows is None:
        R, z, rss = summary.least_squares(basis)
        history = walk(R, z, rss, w, forecast.optimizer, int(steps), target)
    else:
        A, b = _rows_in(basis, rows, summary)
        history = walk(A, b, 0.0, rows.kind.put(w), forecast.optimizer, int(steps), target)
    last = to_host(history.weights[-1, ...])
    loss = float(history.loss[-1])
    curve = Polynomial(basis, summary.domain, last)
    return Fit(curve, summary, loss, _outcome(loss, summary, forecast), history, forecast)


def forecast_summary(
    summary: Summary,
    *,
    basis: str | Basis = POWER,
    optimizer: Optimizer | None = None,
    start: str | Sequence[float] | Array = "random",
    seed: int = 0,
) -> Forecast:
    """What a descent with these settings will do. See `descend` for them and for what is refused.
    """
    summary.solve()  # refuses rows that do not determine the weights
    w = starting_weights(start, summary.degree + 1, seed)
    optimizer = checked_optimizer(optimizer or GradientDescent())
    return Forecast.of(*summary.least_squares(basis_named(basis)), optimizer, w)


def starting_weights(start: str | Sequence[float] | Array, k: int, seed: int) -> np.ndarray:
    """k starting weights as float64. Raises BadSetting."""
    if isinstance(start, str):
        if start == "random":
            return np.random.default_rng(seed).standard_normal(k)
        if start == "zeros":
            return np.zeros(k)
        raise BadSetting("start", start, f'"random", "zeros" or {k} numbers')
    try:
        w = to_host(start)
    except (TypeError, ValueError):
        w = np.array([math.nan])
    if w.shape != (k,) or not np.isfinite(w).all():
        raise BadSetting("start", start, f'"random", "zeros" or {k} finite numbers')
    return w


def _rows_in(basis: Basis, rows: Rows, summary: Summary) -> tuple[Array, Array]:
    """The design matrix and y in the rows' own dtype, scaled by √weights."""
    v = summary.domain.to_unit(in_double(rows.x)) if basis.on_unit else rows.x
    xp = namespace(rows.x)
    dtype = xp.result_type(rows.x, rows.y)
    A = design_matrix(basis, xp.astype(v, dtype, copy=False), summary.degree)
    b = xp.astype(rows.y, dtype, copy=False)
    if rows.weights is None:
        return A, b
    scale = xp.astype(xp.sqrt(rows.weights), dtype, copy=False)
    return A * scale[:, None], b * scale


def _check_steps(steps: object) -> None:
    if not isinstance(steps, int | np.integer) or isinstance(steps, bool) or steps < 1:
        raise BadSetting("steps", steps, "a whole number of 1 or more")


def _target(tolerance: float, lowest: float) -> float:
    if not tolerance > 0:
        raise BadSetting(
            "tolerance", tolerance, "above 0: the excess loss to stop at, 0.01 for 1 %"
        )
    return lowest * (1 + tolerance)


def _outcome(loss: float, summary: Summary, forecast: Forecast) -> Outcome:
    """Divergence is a rate above the limit, not an overflow, which can take 10⁵ steps."""
    if not math.isfinite(loss) or not forecast.is_stable:
        return Outcome.DIVERGED
    rounding = _ROUNDING * float(summary.triangle[:, -1] @ summary.triangle[:, -1])
    near = loss <= summary.rss * (1 + _ARRIVED) + rounding
    return Outcome.CONVERGED if near else Outcome.STEPS_EXHAUSTED
