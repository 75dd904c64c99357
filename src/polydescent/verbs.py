"""fit, descend, summarize: from rows to a Fit, by least squares or step by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from polydescent.advice import cure
from polydescent.arguments import absolute_sigma_of, settled, wanted_degree, weights_of
from polydescent.arrays import Array, count_distinct, in_double, namespace, to_host
from polydescent.basis import CHEBYSHEV, POWER, Basis, basis_named, design_matrix
from polydescent.constraints import NONE, Constraints, constraints_of
from polydescent.convergence import Forecast
from polydescent.dates import check_unit
from polydescent.degrees import degree_table
from polydescent.descent import Outcome, walk
from polydescent.errors import BadCall, BadSetting, NoRows, RateTooLarge, TooFewDistinct, TooFewRows
from polydescent.optimizers import GradientDescent, Optimizer, checked_optimizer
from polydescent.passes import present, summary_of, summary_of_rows
from polydescent.polynomial import Polynomial
from polydescent.result import Fit
from polydescent.solution import Solution, solve
from polydescent.sources import Rows, Source, source_of
from polydescent.sources.chunks import Held, Kept
from polydescent.summary import Summary, checked_degree

_ARRIVED = 1e-6  # relative excess loss at which a descent counts as converged
# share of Σ y² that is arrival too: noise-free data have a lowest loss of about 0
_ROUNDING = 1e-20


# ── the three verbs ──────────────────────────────────────────────────────────────────────────────


def summarize(
    data: Any = None,
    /,
    y: Any = None,
    degree: int = 8,
    *,
    x: Any = None,
    weights: Any = None,
    sigma: Any = None,
    where: str | None = None,
    file_format: Any = None,
    missing: str = "raise",
    per: str | None = None,
) -> Summary:
    """One pass over the rows, folded into a triangle that holds every fit up to `degree`.

    data, y: columns of n numbers (arrays, tensors, lists, Series, Dask arrays). Or data alone with
    x= and y= naming columns or SQL expressions of columns: a path, a glob, SQL, a list of them, a
    table (pandas, Polars, PyArrow, DuckDB), a Dask dataframe (names only). Or data alone: an
    iterable of chunks (x, y) or (x, y, weights). weights: of the squares, ≥ 0; or sigma: standard
    deviations of y, > 0, for weights of 1/σ². A row of weight 0 does not count, whatever its y.
    where: SQL, rows of a file or table to use. file_format: how text files are written, a
    `FileFormat` or a dict of its fields. missing: "omit" leaves out rows with NaN or infinity
    and counts them. x may be dates, or whole numbers of any size; per: the unit of dates ("second",
    "day", "year", …). Memory is one chunk, whatever n is. Raises PolydescentError: see
    `polydescent.errors`.

    >>> summarize([0, 1, 2, 3], [1, 3, 5, 7], degree=1).fit().coef
    array([1., 2.])
    """
    degree = checked_degree(degree)
    check_unit(per)
    source = source_of(data, y, x, weights_of(weights, sigma), where, file_format)
    return summary_of(source, degree, missing).settled(per)


def fit(
    data: Any = None,
    /,
    y: Any = None,
    degree: int | str = 3,
    *,
    x: Any = None,
    weights: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    where: str | None = None,
    file_format: Any = None,
    missing: str = "raise",
    fix: Any = None,
    terms: Any = None,
    through: Any = None,
    per: str | None = None,
) -> Fit:
    """Exact least squares: the polynomial with the smallest sum of (weighted) squared residuals.

    Rows as in `summarize`. degree: a number, "auto" or "auto:8" for the best up to 10, or 8, by
    AICc. absolute_sigma: sigma is known in units
    of y, so the residuals do not scale the standard errors. fix: coefficients to hold, as {0: 0.0}.
    terms: the powers of x to use, as [1, 3]; they set the degree. through: a point (x, y) or
    several that the curve must meet.

    Up to some millions of rows · coefficients the answer is refined: `coef` is the float64 nearest
    to what exact arithmetic on the data gives. Raises as `summarize`, and TooFewRows,
    TooFewDistinct, TooFewFree.

    >>> line = fit([0, 1, 2, 3], [1, 3, 5, 7], degree=1)
    >>> line.equation()
    'y = 1 + 2 x'
    >>> line(2.5)
    6.0
    """
    check_unit(per)
    source = source_of(data, y, x, weights_of(weights, sigma), where, file_format)
    degree, highest = wanted_degree(degree)
    _, degree = constraints_of(highest or degree, fix, terms)
    known = absolute_sigma_of(absolute_sigma, weights, sigma)
    summary, rows = settled(*_summarized(source, degree, missing), per)
    held, _ = constraints_of(degree, fix, terms, through, summary.axis)
    return fit_folded(summary, rows, held, bool(highest), known)


def descend(
    data: Any = None,
    /,
    y: Any = None,
    degree: int = 3,
    *,
    x: Any = None,
    weights: Any = None,
    sigma: Any = None,
    where: str | None = None,
    file_format: Any = None,
    missing: str = "raise",
    per: str | None = None,
    over: str = "summary",
    basis: str | Basis = "power",
    optimizer: Optimizer | None = None,
    start: str | Sequence[float] | Array = "random",
    seed: int = 0,
    steps: int = 2000,
    tolerance: float | None = None,
    allow_divergence: bool = False,
) -> Fit:
    """Gradient descent on the sum of squared residuals, with its history and its forecast.

    The rows as in `fit`. over: "summary" walks on the triangle in float64 on the host, "rows"
    over all rows in their own library, dtype and device: the same steps up to rounding.

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
    check_unit(per)
    source = source_of(data, y, x, weights_of(weights, sigma), where, file_format)
    if over == "rows":
        source = Held(source.gathered())
    summary, rows = settled(*_summarized(source, checked_degree(degree), missing), per)
    _determined(summary, rows)
    run = descend_summary(
        summary,
        basis=basis,
        optimizer=optimizer,
        start=start,
        seed=seed,
        steps=steps,
        tolerance=tolerance,
        allow_divergence=allow_divergence,
        rows=rows if over == "rows" else None,
    )
    return replace(run, rows=rows)


def _summarized(source: Source, degree: int, missing: str) -> tuple[Summary, Rows | None]:
    """The summary at `degree`, and rows to draw: all of them, a selection, or none."""
    if isinstance(source, Held):
        rows, omitted = present(source.rows, missing)
        return summary_of_rows(rows, degree, omitted), rows
    kept = Kept()
    summary = summary_of(source, degree, missing, kept.take)
    return summary, None if source.remote else kept.rows


def _inhabited(summary: Summary) -> None:
    if not summary.n:
        raise NoRows("none is left without missing values and with a weight above 0")


def _determined(summary: Summary, rows: Rows | None = None, held: Constraints = NONE) -> Summary:
    """The summary, if its rows determine its coefficients: some rows help to say why not."""
    _inhabited(summary)
    free = summary.degree + 1 - len(held)
    if summary.n < free:
        raise TooFewRows(summary.n, summary.degree)
    if not held and not summary.has_full_rank:
        all_rows = rows is not None and rows.counting == summary.n
        distinct = count_distinct(rows.x) if rows is not None and all_rows else free
        known = distinct if distinct < free else None
        raise TooFewDistinct(summary.n, summary.degree, known, summary.lowest_idle)
    return summary


def fit_folded(
    summary: Summary,
    rows: Rows | None,
    held: Constraints = NONE,
    auto: bool = False,
    absolute_sigma: bool = False,
) -> Fit:
    """The fit of rows already folded, refined if all are in `rows`; auto: at the best degree
    up to the summary's. Raises as `fit`.
    """
    all_rows = rows if rows is not None and rows.counting == summary.n else None
    _inhabited(summary)
    if auto:
        if held:
            raise BadCall(
                'degree="auto" chooses among whole polynomials: leave out fix=, terms= and '
                "through=, or give degree= a number."
            )
        summary = summary.lower(degree_table(summary, known_variance=absolute_sigma).pick)
    solution = solve(_determined(summary, rows, held), all_rows, held, summary.axis.power_origin)
    found = fit_solution(summary, solution)
    return replace(found, rows=rows, absolute_sigma=absolute_sigma)


# ── from a summary ───────────────────────────────────────────────────────────────────────────────


def fit_summary(summary: Summary) -> Fit:
    """Exact least squares at the summary's degree."""
    return fit_solution(summary, solve(summary, origin=summary.axis.power_origin))


def fit_solution(summary: Summary, solution: Solution) -> Fit:
    """The Fit of a solution of the summary."""
    curve = Polynomial(CHEBYSHEV, summary.domain, solution.weights)
    return Fit(curve, summary, solution.rss, Outcome.EXACT, solution=solution)


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
    """What a descent with these settings will do. See `descend` for them and what is refused."""
    summary.solve()  # refuses rows that do not determine the weights
    w = starting_weights(start, summary.degree + 1, seed)
    optimizer = checked_optimizer(optimizer or GradientDescent())
    return Forecast.of(*summary.least_squares(basis_named(basis)), optimizer, w)


def starting_weights(start: str | Sequence[float] | Array, k: int, seed: int) -> np.ndarray:
    """k starting weights as float64. Raises BadSetting."""
    if isinstance(start, str):
        if start == "random":
            if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
                raise BadSetting("seed", seed, "a whole number from 0")
            return np.random.default_rng(seed).standard_normal(k)
        if start == "zeros":
            return np.zeros(k)
        raise BadSetting("start", start, f'"random", "zeros" or {k} numbers')
    try:
        w = to_host(start)
    except (TypeError, ValueError, OverflowError):
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
