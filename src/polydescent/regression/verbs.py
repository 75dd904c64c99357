"""fit, descend, summarize: from rows to a Fit, by least squares or step by step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from polydescent.arrays import Array
from polydescent.descent.optimizers import Optimizer
from polydescent.polynomial.basis import Basis
from polydescent.regression.fit import Fit
from polydescent.regression.request import Request
from polydescent.regression.summary import Summary
from polydescent.regression.training import Descent
from polydescent.triangle.triangle import checked_degree


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
    moments: bool = False,
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
    moments
        Whether to sum up, in the same pass, what steps over batches of these rows do, so that
        `Summary.forecast` takes batch=. Default False.

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
    return Request.parse(
        data,
        y,
        checked_degree(degree),
        x=x,
        weights=weights,
        sigma=sigma,
        counts=counts,
        where=where,
        file_format=file_format,
        missing=missing,
        per=per,
        again=again,
        moments=moments,
    ).summarize()


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
    shape: Any = None,
    bounds: Any = None,
    per: str | None = None,
    again: bool = False,
    criterion: str | None = None,
    folds: int | str | None = None,
    loss: Any = "squares",
    variance: Any = "equal",
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
    shape
        "increasing", "decreasing", "convex", "concave" or "positive", or several of them: all over
        the domain of the data, between the rows too. Standard errors are given the places where the
        curve touches what it must not cross. None unless given.
    bounds
        Of coefficients, power to (low, high), None for no limit, as {1: (0, None)}: in units of y
        per unit of x to that power. None unless given.
    per
        The unit of dates and durations, default "day": coefficients are per it.
    again
        True counts files that hold the same rows twice; False (default) refuses them.
    criterion
        By what degree="auto" chooses, the lowest of: "aicc" (default), "aic", "bic", "loo" (what
        each row leaves that is not used itself; needs the rows in memory) or "cv" (the same for
        rows left out a fold at a time, in one pass; default where folds are given).
    folds
        Of "cv": how many parts the rows are dealt into, one of every so many rows in a row to each,
        always the same way, 2 to 1,000; or "files", which leaves one file out at a time. Default 5.
    loss
        Of the residuals: "squares" (default), or what outliers do not pull, "huber", "tukey",
        "cauchy", "median", or one of `polydescent.losses` with its settings, such as
        losses.Huber(c=2) or losses.Quantile(0.9). Rows are then read some 10 times. Residuals are
        taken in units of sigma, or times the root of their weight.
    variance
        Of the noise, for the standard errors: "equal" at every x (default), "HC0", "HC1", "HC2" or
        "HC3" where it changes with x, or "HAC", also `HAC(lags=12)`, where rows in the order of x
        have noise in common with those before.

    Raises
    ------
    PolydescentError
        As `summarize`, and TooFewRows, TooFewDistinct, TooFewFree, NeedsRows, NeedsFiles,
        TooManyParts; of a shape NoSuchCurve, of a loss ScaleVanishes, TooFewTrusted, of a variance
        LeverageOne, OutOfOrder, of both RowsChanged.

    Examples
    --------
    >>> line = fit([0, 1, 2, 3], [1, 3, 5, 7], degree=1)
    >>> line.equation()
    'y = 1 + 2 x'
    >>> line(2.5)
    6.0
    """
    return Request.parse(
        data,
        y,
        degree,
        x=x,
        weights=weights,
        sigma=sigma,
        absolute_sigma=absolute_sigma,
        counts=counts,
        where=where,
        file_format=file_format,
        missing=missing,
        fix=fix,
        terms=terms,
        through=through,
        shape=shape,
        bounds=bounds,
        per=per,
        again=again,
        criterion=criterion,
        folds=folds,
        loss=loss,
        variance=variance,
    ).fit()


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
    batch: int | None = None,
    draw: str = "replacement",
    schedule: Callable[[int], float] | Sequence[float] | Array | None = None,
    validation: Summary | None = None,
    ridge: float = 0.0,
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
        "gd" (default), "momentum", "nesterov", "adam", "adamw", "nadam", "rmsprop", "adagrad", "bb"
        (Barzilai–Borwein), "cg" (conjugate gradients), or an object such as Momentum(1e-6, 0.9)
        that holds its settings.
    learning_rate
        η of the optimizer named, in units of weight² per y², of Adam and its kin in units of
        weight. Left out, the fastest stable one, of batches half of the largest stable one; 0.001
        of Adam.
    momentum
        β of "momentum", "nesterov" or "rmsprop", in [0, 1). Left out, the fastest; 0 of the last.
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
    batch
        Take each step down the gradient of so many rows, times n / batch, ≥ 1; with over="rows".
        Left out, of all rows. `Forecast.expected_excess_at` and `noise_floor` foretell it.
    draw
        How rows get into a batch: "replacement" (default), each by chance, or "shuffle", each once
        in an epoch.
    schedule
        What the learning rate is multiplied with at each step: a function of the step, counted from
        0, or as many numbers as steps, each ≥ 0. Left out, 1.
    validation
        A summary of rows put aside, in the same units of x: `History.validation` tells their loss
        at the steps kept, `History.best_step` where it was lowest. None unless given.
    ridge
        What the sum of the squares of all weights but the first costs, ≥ 0, in units of y² per unit
        of weight²; default 0. History and forecast are of the loss with that cost, and end where it
        is lowest; `Fit.loss` is without it.

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
    descent = Descent.parse(
        over=over,
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
        batch=batch,
        draw=draw,
        schedule=schedule,
        validation=validation,
        ridge=ridge,
    )
    request = Request.parse(
        data,
        y,
        checked_degree(degree),
        x=x,
        weights=weights,
        sigma=sigma,
        absolute_sigma=absolute_sigma,
        counts=counts,
        where=where,
        file_format=file_format,
        missing=missing,
        per=per,
        again=again,
    )
    return request.descend(descent)
