"""fit, descend, summarize: from rows to a Fit, by least squares or step by step."""

from __future__ import annotations

import math
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from polydescent.arrays import Array, count_distinct, in_double, namespace, to_host
from polydescent.checks import number, one_of, whole
from polydescent.descent.forecast import Forecast
from polydescent.descent.loop import walk
from polydescent.descent.optimizers import Optimizer, checked_optimizer
from polydescent.descent.outcome import Outcome, cure
from polydescent.errors import (
    BadCall,
    BadSetting,
    ConvergenceWarning,
    NoRows,
    RateTooLarge,
    TooFewDistinct,
    TooFewRows,
    amount,
)
from polydescent.least_squares.accuracy import stands_alone
from polydescent.least_squares.constraints import NONE, Constraints, constraints_of
from polydescent.least_squares.degrees import BY_AICC, Choice, degree_table
from polydescent.least_squares.solution import Solution, rows_that_count, solve
from polydescent.memory import check_memory
from polydescent.polynomial.basis import CHEBYSHEV, POWER, Basis, basis_named, design_matrix
from polydescent.polynomial.curve import Polynomial
from polydescent.regression.fit import Fit
from polydescent.regression.passes import present, summary_of, summary_of_rows
from polydescent.regression.progress import Stepping
from polydescent.regression.request import (
    absolute_sigma_of,
    check_absolute,
    check_choice,
    in_unit,
    wanted_degree,
    weights_of,
)
from polydescent.regression.summary import Summary
from polydescent.rows.axis import check_unit
from polydescent.rows.chunks import InMemory, Selection
from polydescent.rows.rows import Rows
from polydescent.rows.source import Source
from polydescent.rows.source_of import source_of
from polydescent.triangle.triangle import checked_degree

_ARRIVED = 1e-6  # relative excess loss at which a descent counts as converged
# share of Σ y² that is arrival too: noise-free data have a lowest loss of about 0
_ROUNDING = 1e-20
_BYTES_A_STEP = 16  # its loss, above the lowest and in all


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
    counts: Any = None,
    where: str | None = None,
    file_format: Any = None,
    missing: str = "raise",
    per: str | None = None,
    again: bool = False,
) -> Summary:
    """One pass over the rows, folded into a triangle that holds every fit up to `degree`.

    ‖V w − y‖² = ‖R w − z‖² + rss for every w, V being the Chebyshev polynomials of x. Memory is one
    chunk of rows, whatever n is.

    Parameters
    ----------
    data, y
        Columns of n numbers, shape (n,): arrays, tensors, lists, Series, Dask arrays; y in any
        unit. data, the x, may be dates, durations or whole numbers of any size. Or data alone, with
        x= and y= naming its columns: a path, a glob, SQL, a list of them, a table (pandas, Polars,
        PyArrow, DuckDB), a dict of columns, records, an xarray Dataset, a Dask dataframe (names
        only). Or data alone: an iterable of chunks (x, y), (x, y, weights) or (x, y, weights,
        counts), or of single rows of numbers.
    degree
        The highest degree that can be fitted from it, default 8: every lower degree is in the
        triangle, so a high one costs little and nothing has to be read again.
    x
        With a file or table: the column of x, or an SQL expression of columns; y= likewise. With
        arrays: their x, instead of data.
    weights
        Of the squares, shape (n,) or a column, ≥ 0, in any unit; default 1. A row of weight 0 does
        not count, whatever its y.
    sigma
        Instead of weights, standard deviations of y in units of y, shape (n,), a column or one
        number, > 0: weights of 1/σ².
    counts
        How often each row was seen, shape (n,) or a column, whole numbers ≥ 0; default 1. The same
        as repeating it so often.
    where
        An SQL expression that picks rows of a file or table; all unless given.
    file_format
        How text files are written: a `FileFormat` or a dict of its fields. Guessed unless given.
    missing
        What to do with rows that hold NaN or infinity: "raise" (default), or "omit" to leave them
        out and count them in `Summary.omitted`.
    per
        The unit of x where it holds dates or durations: "second", "minute", "hour", "day"
        (default), "week" or "year".
    again
        Files that hold the same rows, or one of them the first rows of another, are refused; True
        counts them twice. Default False.

    Raises
    ------
    PolydescentError
        BadDegree, BadSetting, BadCall, NotNumbers, NotFinite, LengthMismatch, NoRows, MissingExtra
        and what reading a file may meet; each says what was found.

    Examples
    --------
    >>> summarize([0, 1, 2, 3], [1, 3, 5, 7], degree=1).fit().coef
    array([1., 2.])
    """
    degree = checked_degree(degree)
    check_unit(per)
    omega = weights_of(weights, sigma)
    source = source_of(data, y, x, omega, where, again, counts, file_format)
    return summary_of(source, degree, missing).in_unit(per)


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
    counts: Any = None,
    where: str | None = None,
    file_format: Any = None,
    missing: str = "raise",
    fix: Any = None,
    terms: Any = None,
    through: Any = None,
    per: str | None = None,
    again: bool = False,
    criterion: str = "aicc",
    folds: int = 5,
) -> Fit:
    """Exact least squares: the polynomial with the smallest sum of (weighted) squared residuals.

    Up to some millions of rows · coefficients the answer is refined: `coef` is the float64 nearest
    to what exact arithmetic on the data gives.

    Parameters
    ----------
    data, y
        The x and y of n rows, shape (n,) each, or a file, a table or chunks of rows: everything
        that `summarize` takes. y is in any unit.
    degree
        A number, default 3: a line or a cubic is what people look at, and each degree more bends
        the curve once more. "auto" for the best up to 10, "auto:8" for the best up to 8.
    x
        The column of x in a file or table, or an SQL expression of columns; y= likewise.
    weights
        Of the squares, shape (n,) or a column, ≥ 0; default 1.
    sigma
        Instead of weights, standard deviations of y in units of y, shape (n,), a column or one
        number, > 0.
    absolute_sigma
        Whether sigma (or 1/√weights) is known in units of y, so that the residuals do not scale the
        standard errors; default False.
    counts
        How often each row was seen, shape (n,) or a column, whole numbers ≥ 0; default 1.
    where
        An SQL expression that picks rows of a file or table; all unless given.
    file_format
        How text files are written: a `FileFormat` or a dict of its fields. Guessed unless given.
    missing
        "raise" (default) for rows with NaN or infinity, or "omit" to leave them out.
    fix
        Coefficients to hold, power to value, as {0: 0.0}: each in units of y per unit of x to that
        power. None unless given. R² stays about the mean of y: see `Fit.r2`.
    terms
        The powers of x to use, as [1, 3]; they set the degree. All unless given.
    through
        A point (x, y), or several, that the curve must meet. None unless given.
    per
        The unit of dates and durations, default "day": coefficients are per it.
    again
        True counts files that hold the same rows twice; False (default) refuses them.
    criterion
        By what degree="auto" chooses, the lowest of: "aicc" (default), "aic", "bic", "loo" (what
        each row leaves that is not used itself) or "cv" (the same for rows left out a fold at a
        time). The last two need the rows in memory.
    folds
        Of "cv": how many parts the rows are dealt into, shuffled, always the same way; default 5.

    Raises
    ------
    PolydescentError
        As `summarize`, and TooFewRows, TooFewDistinct, TooFewFree, NeedsRows.

    Examples
    --------
    >>> line = fit([0, 1, 2, 3], [1, 3, 5, 7], degree=1)
    >>> line.equation()
    'y = 1 + 2 x'
    >>> line(2.5)
    6.0
    """
    check_unit(per)
    choice = Choice.of(criterion, folds)
    omega = weights_of(weights, sigma)
    source = source_of(data, y, x, omega, where, again, counts, file_format)
    degree, highest = wanted_degree(degree)
    check_choice(choice, highest)
    _, degree = constraints_of(highest or degree, fix, terms)
    known = absolute_sigma_of(absolute_sigma, weights, sigma)
    summary, rows = in_unit(*_summarized(source, degree, missing), per)
    held, _ = constraints_of(degree, fix, terms, through, summary.axis)
    return fit_folded(summary, rows, held, choice if highest else None, known)


def descend(
    data: Any = None,
    /,
    y: Any = None,
    degree: int = 3,
    *,
    x: Any = None,
    weights: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    counts: Any = None,
    where: str | None = None,
    file_format: Any = None,
    missing: str = "raise",
    per: str | None = None,
    again: bool = False,
    over: str = "summary",
    basis: str | Basis = "power",
    optimizer: str | Optimizer | None = None,
    learning_rate: float | None = None,
    momentum: float | None = None,
    start: str | Sequence[float] | Array = "random",
    seed: int = 0,
    steps: int = 2000,
    tolerance: float | None = None,
    allow_divergence: bool = False,
    progress: bool = False,
) -> Fit:
    """Gradient descent on the sum of squared residuals, with its history and its forecast.

    With A the polynomials of the basis at the rows and b the y: w ← w − η·g, g = 2·Aᵀ·(A·w − b);
    see the optimizers for other steps.

    Parameters
    ----------
    data, y
        The x and y of n rows, shape (n,) each, or whatever else `summarize` takes.
    degree
        A number, default 3.
    x
        The column of x in a file or table, or an SQL expression of columns; y= likewise.
    weights
        Of the squares, shape (n,) or a column, ≥ 0; default 1.
    sigma
        Instead of weights, standard deviations of y in units of y, > 0.
    absolute_sigma
        Whether sigma is known in units of y, as in `fit`; default False.
    counts
        How often each row was seen, shape (n,) or a column, whole numbers ≥ 0; default 1.
    where
        An SQL expression that picks rows of a file or table; all unless given.
    file_format
        How text files are written: a `FileFormat` or a dict of its fields. Guessed unless given.
    missing
        "raise" (default) for rows with NaN or infinity, or "omit" to leave them out.
    per
        The unit of dates and durations, default "day": weights are per it.
    again
        True counts files that hold the same rows twice; False (default) refuses them.
    over
        "summary" (default) walks on the triangle in float64 on the host, "rows" over all rows in
        their own library, dtype and device: the same steps up to rounding.
    basis
        "power" (weights are a, b, c, d of x, the coefficients; default), "chebyshev" or "legendre"
        (on x mapped to [−1, 1], weights in units of y).
    optimizer
        "gd" (default), "momentum", "nesterov" or "adam", or an object such as Momentum(1e-6, 0.9)
        that holds its settings.
    learning_rate
        η of the optimizer named, in units of weight² per y², of Adam in units of weight. Left out,
        the fastest stable one; 0.001 of Adam.
    momentum
        β of "momentum" or "nesterov", in [0, 1). Left out, the fastest.
    start
        "random" (standard normal, from `seed`; default), "zeros", or degree + 1 weights.
    seed
        Of the random start, a whole number ≥ 0; default 0.
    steps
        Updates to make, ≥ 1; default 2,000.
    tolerance
        Stop once the loss is within this share of the lowest possible, 0.01 for 1 %. Left out, all
        steps are made.
    allow_divergence
        Walk even where the learning rate is above the largest stable one. Default False.
    progress
        One line on standard error, if that is a terminal, once it takes over a second. Default
        False.

    Returns
    -------
    Fit
        With `history` and `forecast`, and an outcome of CONVERGED, STEPS_EXHAUSTED or DIVERGED.

    Raises
    ------
    RateTooLarge
        Before step 1, unless allow_divergence.
    PolydescentError
        As `summarize`, and TooFewRows, TooFewDistinct, UnknownName, SetTwice, TooLarge.

    Warns
    -----
    ConvergenceWarning
        Where it ends far from least squares (see `Fit.is_far`), unless an allowed divergence is
        watched.

    Examples
    --------
    >>> run = descend([0, 1, 2, 3], [1, 3, 5, 7], degree=1, start="zeros", steps=200)
    >>> run.equation(digits=4)
    'y = 1 + 2 x'
    >>> run.history.loss.shape, run.history.weights.shape
    ((201,), (201, 2))
    """
    one_of("over", over, ("summary", "rows"))
    check_steps(steps)
    check_unit(per)
    omega = weights_of(weights, sigma)
    source = source_of(data, y, x, omega, where, again, counts, file_format)
    known = absolute_sigma_of(absolute_sigma, weights, sigma)
    if over == "rows":
        source = InMemory(source.gathered())
    summary, rows = in_unit(*_summarized(source, checked_degree(degree), missing), per)
    _determined(summary, rows)
    run = descend_summary(
        summary,
        basis=basis,
        optimizer=optimizer,
        learning_rate=learning_rate,
        momentum=momentum,
        start=start,
        seed=seed,
        steps=steps,
        tolerance=tolerance,
        allow_divergence=allow_divergence,
        progress=progress,
        rows=rows if over == "rows" else None,
        absolute_sigma=known,
    )
    return replace(run, rows=rows)


def _summarized(source: Source, degree: int, missing: str) -> tuple[Summary, Rows | None]:
    """The summary at `degree`, and rows to draw: all of them, a selection, or none."""
    if isinstance(source, InMemory):
        rows, omitted = present(source.rows, missing)
        return summary_of_rows(rows, degree, omitted), rows
    kept = Selection()
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
    if not held and not summary.triangle.has_full_rank:
        all_rows = rows is not None and rows.counting == summary.n
        distinct = free
        if rows is not None and all_rows:
            distinct = count_distinct(rows_that_count(rows)[0])
        known = distinct if distinct < free else None
        alone = None if rows is None else stands_alone(rows, summary.domain, summary.axis)
        raise TooFewDistinct(summary.n, summary.degree, known, summary.triangle.lowest_idle, alone)
    return summary


def fit_folded(
    summary: Summary,
    rows: Rows | None,
    held: Constraints = NONE,
    auto: Choice | None = None,
    absolute_sigma: bool = False,
) -> Fit:
    """The fit of rows already folded, refined if all are in `rows`; auto: at the degree up to the
    summary's that it chooses. Raises as `fit`.
    """
    all_rows = rows if rows is not None and rows.counting == summary.n else None
    _inhabited(summary)
    if auto is not None:
        if held:
            raise BadCall(
                'degree="auto" chooses among whole polynomials: leave out fix=, terms= and '
                "through=, or give degree= a number."
            )
        table = degree_table(summary.triangle, all_rows, absolute_sigma, auto, leave_out=False)
        summary = summary.lower(table.pick)
    triangle = _determined(summary, rows, held).triangle
    solution = solve(triangle, all_rows, held, summary.axis.power_origin)
    found = fit_solution(summary, solution)
    return replace(found, rows=rows, absolute_sigma=absolute_sigma, choice=auto or BY_AICC)


# ── from a summary ───────────────────────────────────────────────────────────────────────────────


def fit_summary(
    summary: Summary,
    degree: int | str | None = None,
    *,
    absolute_sigma: bool = False,
    fix: Any = None,
    terms: Any = None,
    through: Any = None,
    criterion: str = "aicc",
) -> Fit:
    """Exact least squares from a summary. See `Summary.fit`."""
    check_absolute(absolute_sigma)
    choice = Choice.of(criterion)
    highest = 0
    if isinstance(degree, str) and degree.startswith("auto"):
        _, highest = wanted_degree(degree)
        wanted = min(highest, summary.degree)
    else:
        wanted = checked_degree(summary.degree if degree is None else degree, summary.degree)
    check_choice(choice, highest)
    held, wanted = constraints_of(wanted, fix, terms, through, summary.axis)
    auto = choice if highest else None
    return fit_folded(summary.lower(wanted), None, held, auto, bool(absolute_sigma))


def fit_solution(summary: Summary, solution: Solution) -> Fit:
    """The Fit of a solution of the summary."""
    curve = Polynomial(CHEBYSHEV, summary.domain, solution.weights)
    return Fit(curve, summary, solution.rss, Outcome.EXACT, solution=solution)


def descend_summary(
    summary: Summary,
    *,
    basis: str | Basis = POWER,
    optimizer: str | Optimizer | None = None,
    learning_rate: float | None = None,
    momentum: float | None = None,
    start: str | Sequence[float] | Array = "random",
    seed: int = 0,
    steps: int = 2000,
    tolerance: float | None = None,
    allow_divergence: bool = False,
    progress: bool = False,
    rows: Rows | None = None,
    absolute_sigma: bool = False,
) -> Fit:
    """Gradient descent at the summary's degree, over the summary or over `rows`. See `descend`."""
    check_absolute(absolute_sigma)
    basis = basis_named(basis)
    steps = check_steps(steps)
    chosen = checked_optimizer(optimizer, learning_rate, momentum)
    forecast = forecast_summary(summary, basis=basis, optimizer=chosen, start=start, seed=seed)
    if not forecast.is_stable and not allow_divergence:
        raise RateTooLarge(
            forecast.optimizer.learning_rate or math.nan,
            forecast.largest_stable_rate,
            forecast.best_rate,
            cure(forecast, basis.name),
        )
    target = None if tolerance is None else _target(tolerance, forecast.lowest_loss)
    w = forecast.start
    if rows is None:
        A, b, rest = summary.triangle.least_squares(basis)
    else:
        (A, b), rest, w = _rows_in(basis, rows, summary), 0.0, rows.kind.put(w)
    with Stepping(steps, summary.rss, quiet=not progress) as line:
        history = walk(A, b, rest, w, forecast.optimizer, steps, target, line.watch)
    last = to_host(history.weights[-1, ...])
    loss = float(history.loss[-1])
    curve = Polynomial(basis, summary.domain, last)
    outcome, known = _outcome(loss, summary, forecast), bool(absolute_sigma)
    run = Fit(curve, summary, loss, outcome, history, forecast, absolute_sigma=known)
    if run.is_far and (forecast.is_stable or not allow_divergence):
        found = ConvergenceWarning(loss, run.lowest_loss, run.r2, _best_r2(summary), run.advice)
        warnings.warn(found, stacklevel=3)  # of `descend`, or of Summary.descend
    return run


def forecast_summary(
    summary: Summary,
    *,
    basis: str | Basis = POWER,
    optimizer: str | Optimizer | None = None,
    learning_rate: float | None = None,
    momentum: float | None = None,
    start: str | Sequence[float] | Array = "random",
    seed: int = 0,
) -> Forecast:
    """What a descent with these settings will do. See `descend` for them and what is refused."""
    summary.triangle.solve()  # refuses rows that do not determine the weights
    w = starting_weights(start, summary.degree + 1, seed)
    chosen = checked_optimizer(optimizer, learning_rate, momentum)
    return Forecast.of(*summary.triangle.least_squares(basis_named(basis)), chosen, w)


def starting_weights(start: str | Sequence[float] | Array, k: int, seed: int) -> np.ndarray:
    """k starting weights as float64. Raises BadSetting."""
    if isinstance(start, str):
        if start == "random":
            return np.random.default_rng(whole("seed", seed)).standard_normal(k)
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
    if rows.omega is None:
        return A, b
    scale = xp.astype(xp.sqrt(rows.omega), dtype, copy=False)
    return A * scale[:, None], b * scale


def check_steps(steps: object) -> int:
    """The number of updates, if it is one whose history memory holds.

    Raises BadSetting, TooLarge.
    """
    steps = whole("steps", steps, 1)
    needed = _BYTES_A_STEP * (steps + 1)
    check_memory(
        f"Keeping the loss of each of {amount(steps)} steps",
        needed,
        "Take fewer: steps= of some millions show all there is to see, and forecast.loss_at(step) "
        "tells the loss at any step without walking there.",
    )
    return steps


def _target(tolerance: float, lowest: float) -> float:
    wanted = "above 0: the excess loss to stop at, 0.01 for 1 %"
    share = number("tolerance", tolerance, wanted)
    if not share > 0:
        raise BadSetting("tolerance", tolerance, wanted)
    return lowest * (1 + share)


def _best_r2(summary: Summary) -> float:
    return 1 - summary.rss / summary.tss if summary.tss else math.nan


def _outcome(loss: float, summary: Summary, forecast: Forecast) -> Outcome:
    """Divergence is a rate above the limit, not an overflow, which can take 10⁵ steps."""
    if not math.isfinite(loss) or not forecast.is_stable:
        return Outcome.DIVERGED
    near = loss <= summary.rss * (1 + _ARRIVED) + _ROUNDING * summary.triangle.square
    return Outcome.CONVERGED if near else Outcome.STEPS_EXHAUSTED
