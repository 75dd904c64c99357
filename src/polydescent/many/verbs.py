"""fit_many, summarize_many, descend_many: from arrays of curves to Fits, one call for all."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from polydescent.arrays import in_double, is_array, namespace, real_array, to_host
from polydescent.checks import one_of
from polydescent.descent.optimizers import Optimizer
from polydescent.errors import BadCall, CurvesOnTheirWay, CurvesWithoutAnswer
from polydescent.many.chunked import summarize_chunks
from polydescent.many.descents import descended, parsed
from polydescent.many.fits import Fits, fits_of
from polydescent.many.held import KnownOfEach, problem_of
from polydescent.many.passes import MISSING, summaries_by_key
from polydescent.many.status import WITHOUT_ANSWER, Status, in_words
from polydescent.many.summaries import Summaries
from polydescent.polynomial.basis import Basis
from polydescent.regression.problem import Problem
from polydescent.regression.request import weights_of
from polydescent.rows.calendar import check_unit
from polydescent.rows.cluster import is_chunked
from polydescent.rows.curves import Curves
from polydescent.rows.deviations import weights_of_deviations
from polydescent.rows.labelled import Labels, beside, curves_of, is_labelled
from polydescent.rows.rows import Same
from polydescent.rows.source import Source
from polydescent.rows.source_of import source_of
from polydescent.triangle.kernels.curves import fold_rows
from polydescent.triangle.kernels.folded import Folded
from polydescent.triangle.triangle import checked_degree


def summarize_many(
    data: Any = None,
    /,
    y: Any = None,
    degree: int = 8,
    *,
    x: Any = None,
    by: Any = None,
    axis: int = -1,
    weights: Any = None,
    sigma: Any = None,
    counts: Any = None,
    where: str | None = None,
    file_format: Any = None,
    missing: str = "raise",
    per: str | None = None,
    again: bool = False,
) -> Summaries:
    """Every curve folded into a triangle of its own, which holds every fit of it up to `degree`.

    Parameters
    ----------
    data, y
        The x and y of the curves, arrays, tensors or nested lists. y: shape (…, n), the last axis
        the points, in any unit; also a Dask array, whose chunks stay as they are. data, the x:
        shape (n,), for all curves, or that of y; numbers, dates or durations. Or data alone, an
        xarray DataArray with x= naming the dimension of the points, or a Dataset with y= naming the
        variable. With by=, the x and y of rows: all that `summarize` takes but chunks.
    degree
        The highest degree that can be fitted from them, default 8.
    x
        The x, instead of data; of an xarray object, the name of a dimension or coordinate; with
        by=, the column of x in a file or table, or SQL.
    by
        One curve for each key, not for each row of y: the column of the key of each row, or an SQL
        expression of columns, or a list of them; of rows in memory, the keys beside x and y, shape
        (n,), or a list or dict of several. A missing key is a key of its own.
    axis
        Of y, and of all that has its shape: along which the points of a curve lie; default −1.
    weights
        Of the squares, shape (n,) or that of y, ≥ 0; default 1. A point of weight 0 does not count.
    sigma
        Instead of weights, standard deviations of y in units of y, > 0: one number, shape (n,), or
        that of y.
    counts
        How often each point was seen, shape (n,) or that of y, whole numbers ≥ 0; default 1.
    where
        With by=, an SQL expression that picks rows of a file or table; all unless given.
    file_format
        With by=, how text files are written: a `FileFormat` or a dict of its fields.
    missing
        What to do with points that hold NaN or infinity or are masked: "raise" (default), "omit"
        to leave them out, curve by curve, or "mark" to give such curves no answer and a status.
    per
        The unit of x where it holds dates or durations: "second", "minute", "hour", "day"
        (default), "week" or "year".
    again
        With by=, True counts files that hold the same rows twice; False (default) refuses them.

    Raises
    ------
    PolydescentError
        BadDegree, BadSetting, BadCall, NotNumbers, NotFiniteInCurves, CurvesDiffer, MixedKinds;
        with by= BadKeys, NotFinite, NoRows and what reading a file may meet; each says what was
        found. A curve that cannot be fitted is no reason: it has a status.

    Examples
    --------
    >>> import numpy as np
    >>> years = np.arange(2000.0, 2010.0)
    >>> summarize_many(years, np.ones((3, 10)) * years, degree=1)
    <Summaries of 3 curves, degree 1: 3 ok>
    """
    if by is not None:
        rows = _keyed(data, y, x, by, axis, weights, sigma, where, again, counts, file_format)
        return _by_key(rows, checked_degree(degree), missing, per)
    _check_arrays(where, file_format, again)
    given = _Given.of(data, y, x, axis, weights, sigma, counts)
    return given.summarized(degree, missing, per)[0]


def fit_many(
    data: Any = None,
    /,
    y: Any = None,
    degree: int | str = 3,
    *,
    x: Any = None,
    by: Any = None,
    axis: int = -1,
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
    criterion: str = "aicc",
    per: str | None = None,
    again: bool = False,
) -> Fits:
    """Exact least squares of many curves at once: arrays in, arrays out, a status for each.

    Parameters
    ----------
    data, y
        The x and y of the curves, as in `summarize_many`: y of shape (…, n), x of shape (n,), for
        all, or that of y. With by=, rows: columns, a file, a table.
    degree
        A number, default 3. "auto" for the best of each curve up to 10, "auto:5" up to 5.
    x
        The x, instead of data; with by=, the column of x in a file or table, or SQL.
    by
        One curve for each key: the column of the key of each row, or an SQL expression, or a list
        of them; of rows in memory, the keys beside x and y. None: a curve for each row of y.
    axis
        Of y, and of all that has its shape: along which the points of a curve lie; default −1.
    weights
        Of the squares, shape (n,) or that of y, ≥ 0; default 1.
    sigma
        Instead of weights, standard deviations of y in units of y, > 0: one number, shape (n,), or
        that of y.
    absolute_sigma
        Whether sigma (or 1/√weights) is known in units of y, so that the residuals do not scale the
        standard errors; default False.
    counts
        How often each point was seen, shape (n,) or that of y, whole numbers ≥ 0; default 1.
    where
        With by=, an SQL expression that picks rows of a file or table; all unless given.
    file_format
        With by=, how text files are written: a `FileFormat` or a dict of its fields.
    missing
        "raise" (default) for points with NaN or infinity, "omit" to leave them out, curve by curve,
        or "mark" to give such curves no answer and a status.
    fix
        Coefficients to hold, power to value, as {0: 0.0}: a number for all curves, or an array of
        shape (…) with that of each. None unless given.
    terms
        The powers of x to use, as [1, 3]; they set the degree. All unless given.
    through
        A point (x, y), or several, that the curves must meet: numbers for all curves, or arrays of
        shape (…). None unless given.
    criterion
        By what degree="auto" chooses, the lowest of: "aicc" (default), "aic" or "bic".
    per
        The unit of dates and durations, default "day": coefficients are per it.
    again
        With by=, True counts files that hold the same rows twice; False (default) refuses them.

    Raises
    ------
    PolydescentError
        As `summarize_many`, and TooFewFree.

    Warns
    -----
    CurvesWithoutAnswer
        Once, where there are curves that could not be fitted: how many, by reason.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 1, 50)
    >>> fits = fit_many(x, np.stack([x, 1 - x**2]), degree=2)
    >>> fits.coef.round(12) + 0.0
    array([[ 0.,  1.,  0.],
           [ 1.,  0., -1.]])
    >>> by_site = fit_many([0, 1, 2, 0, 1], [1, 3, 5, 7, 9], degree=1, by=["a", "a", "a", "b", "b"])
    >>> by_site["b"].equation()
    'y = 7 + 2 x'
    """
    known = KnownOfEach(fix, terms, through)
    problem = problem_of(degree, known, criterion=criterion, absolute_sigma=absolute_sigma)
    if problem.absolute_sigma and weights is None and sigma is None:
        raise BadCall("absolute_sigma=True needs sigma=, the standard deviations that are known.")
    if by is not None:
        rows = _keyed(data, y, x, by, axis, weights, sigma, where, again, counts, file_format)
        fits = fits_of(_by_key(rows, problem.degree, missing, per), problem, None, known)
        warn_of_troubles(fits.status)
        return fits
    _check_arrays(where, file_format, again)
    given = _Given.of(data, y, x, axis, weights, sigma, counts)
    known.check(given.shape)
    summaries, curves = given.summarized(problem.degree, missing, per)
    fits = fits_of(summaries, problem, curves, known)
    warn_of_troubles(fits.status)
    return fits


def descend_many(
    data: Any = None,
    /,
    y: Any = None,
    degree: int = 3,
    *,
    x: Any = None,
    axis: int = -1,
    weights: Any = None,
    sigma: Any = None,
    absolute_sigma: bool = False,
    counts: Any = None,
    missing: str = "raise",
    per: str | None = None,
    basis: str | Basis = "power",
    optimizer: str | Optimizer | None = None,
    learning_rate: Any = None,
    momentum: Any = None,
    start: Any = "random",
    seed: int = 0,
    steps: int = 2000,
    tolerance: float | None = None,
    allow_divergence: bool = False,
    method: str = "auto",
) -> Fits:
    """Gradient descent on many curves at once, each on its own loss, with its own outcome.

    Parameters
    ----------
    data, y
        The x and y of the curves, as in `summarize_many`: y of shape (…, n), x of shape (n,), for
        all, or that of y.
    degree
        A number, default 3.
    x
        The x, instead of data.
    axis
        Of y, and of all that has its shape: along which the points of a curve lie; default −1.
    weights
        Of the squares, shape (n,) or that of y, ≥ 0; default 1.
    sigma
        Instead of weights, standard deviations of y in units of y, > 0.
    absolute_sigma
        Whether sigma is known in units of y, as in `fit_many`; default False.
    counts
        How often each point was seen, shape (n,) or that of y, whole numbers ≥ 0; default 1.
    missing
        "raise" (default), "omit" or "mark", as in `fit_many`.
    per
        The unit of dates and durations, default "day": weights are per it.
    basis
        "power" (weights are a, b, c, d of x; default), "chebyshev" or "legendre" (on x mapped to
        [−1, 1], curve by curve).
    optimizer
        "gd" (default), "momentum", "nesterov" or "adam", or an object that holds its settings.
    learning_rate
        η: a number for all curves, or an array of shape (…). Left out, of each curve the fastest
        stable one; 0.001 of Adam.
    momentum
        β of "momentum" or "nesterov": a number, or an array of shape (…). Left out, the fastest.
    start
        "random" (standard normal, from `seed`, the same for all; default), "zeros", degree + 1
        weights for all, or an array of shape (…, degree + 1).
    seed
        Of the random start, a whole number ≥ 0; default 0.
    steps
        Updates to make, ≥ 1; default 2,000.
    tolerance
        Stop each curve once its loss is within this share of the lowest possible, 0.01 for 1 %.
    allow_divergence
        Go on even where the learning rate is above the largest stable one. Default False.
    method
        "walk" step by step, or by the "closed form" of each mode, the same up to rounding; "auto"
        (default) is the faster of them.

    Returns
    -------
    Fits
        With `history` (the losses at up to 100 steps) and `forecast`, and a status of CONVERGED,
        STEPS_EXHAUSTED or DIVERGED for each curve that could descend.

    Raises
    ------
    RateTooLarge
        Before step 1, unless allow_divergence, with how many curves and the smallest limit.
    PolydescentError
        As `summarize_many`, and UnknownName, SetTwice.

    Warns
    -----
    CurvesWithoutAnswer, CurvesOnTheirWay
        Once each, where there are any.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(0, 1, 20)
    >>> runs = descend_many(x, np.stack([2 * x, 1 - x]), degree=1, start="zeros")
    >>> runs
    <Fits of 2 curves, degree 1: 2 converged>
    >>> runs.history.loss.shape
    (100, 2)
    """
    problem = Problem.parse(degree, absolute_sigma=absolute_sigma)
    problem.check_plain()
    if problem.absolute_sigma and weights is None and sigma is None:
        raise BadCall("absolute_sigma=True needs sigma=, the standard deviations that are known.")
    given = _Given.of(data, y, x, axis, weights, sigma, counts)
    descent = parsed(
        given.shape,
        basis=basis,
        optimizer=optimizer,
        learning_rate=learning_rate,
        momentum=momentum,
        start=start,
        seed=seed,
        steps=steps,
        tolerance=tolerance,
        allow_divergence=allow_divergence,
        method=method,
    )
    summaries, curves = given.summarized(problem.degree, missing, per)
    answers, run = descended(summaries, *descent)
    fits = Fits(summaries, answers, problem, curves=curves, run=run)
    warn_of_troubles(fits.status)
    if not allow_divergence and (far := int(fits.is_far.sum())):
        found = CurvesOnTheirWay(far, fits.status.size, in_words(fits.status))
        warnings.warn(found, stacklevel=2)
    return fits


def warn_of_troubles(status: np.ndarray) -> None:
    """One warning, for the caller of a verb, that counts the curves without an answer by reason."""
    troubled = np.isin(status, WITHOUT_ANSWER)
    if troubled.any():
        text = in_words(status[troubled])
        found = CurvesWithoutAnswer(int(troubled.sum()), status.size, text)
        warnings.warn(found, stacklevel=3)


def _keyed(
    data: Any,
    y: Any,
    x: Any,
    by: Any,
    axis: int,
    weights: Any,
    sigma: Any,
    where: str | None,
    again: bool,
    counts: Any,
    file_format: Any,
) -> Source:
    """Rows with keys, from what the user passed."""
    if axis != -1:
        raise BadCall("axis= says where the points of a stack lie, and by= takes rows: pass one.")
    return source_of(data, y, x, weights_of(weights, sigma), where, again, counts, file_format, by)


def _by_key(source: Source, degree: int, missing: str, per: str | None) -> Summaries:
    check_unit(per)
    return summaries_by_key(source, degree, missing).in_unit(per)


def _check_arrays(where: object, file_format: object, again: object) -> None:
    """Raise BadCall for what only rows with keys have."""
    if where is not None or file_format is not None or again:
        raise BadCall(
            "where=, file_format= and again= are for files and tables with a curve for each key: "
            "pass by= too."
        )


@dataclass(frozen=True, eq=False)
class _Given:
    """What the user passed, read: curves in memory, or a Dask array of them.

    shape: of the curves. chunks: what `summarize_chunks` takes: x, y, weights and the axis.
    """

    shape: tuple[int, ...]
    curves: Curves | None = None
    chunks: tuple[Any, ...] = ()
    labels: Labels | None = None

    @classmethod
    def of(
        cls, data: Any, y: Any, x: Any, axis: int, weights: Any, sigma: Any, counts: Any
    ) -> _Given:
        """Raises BadCall where the arguments fit no form, and as `Curves.read`."""
        labels = None
        if is_labelled(data):
            weights, sigma, counts = (beside(c, data, y) for c in (weights, sigma, counts))
            data, y, axis, labels = curves_of(data, y, x)
            x = None
        if isinstance(y, str) or isinstance(x, str) or isinstance(data, str):
            raise BadCall(
                "Columns of a table or file are rows: by= says which of them make a curve, as in "
                'fit_many(table, x="t", y="v", by="sensor").'
            )
        if y is None or (data is None) == (x is None):
            raise BadCall(
                "Pass x and y of the curves: fit_many(x, y) with y of shape (curves, points) and x "
                "of shape (points,) or that of y."
            )
        data = data if x is None else x
        if is_chunked(y):
            if counts is not None:
                raise BadCall("counts= is for arrays in memory: pass weights= with a Dask array.")
            omega = weights if sigma is None else _omega(weights, sigma, y, axis)
            shape = tuple(n for i, n in enumerate(y.shape) if i != axis % y.ndim)
            return cls(shape, chunks=(data, y, omega, axis), labels=labels)
        curves = Curves.read(data, y, _omega(weights, sigma, y, axis), counts, axis)
        return cls(curves.shape, curves, labels=labels)

    def summarized(
        self, degree: int, missing: str, per: str | None
    ) -> tuple[Summaries, Curves | None]:
        """The summaries, and the curves where they are in memory."""
        degree = checked_degree(degree)
        one_of("missing", missing, MISSING)
        check_unit(per)
        curves = self.curves
        if curves is None:
            x, y, weights, axis = self.chunks
            found = summarize_chunks(x, y, weights, axis, degree, missing).in_unit(per)
        else:
            found = _summarized(curves, degree, missing).in_unit(per)
            curves = curves.on(found.axis)
        if self.labels is not None:
            names = {"x_name": self.labels.x_name, "y_name": self.labels.y_name}
            found = replace(found, labels=self.labels, **names)
        return found, curves


def _omega(weights: Any, sigma: Any, y: Any, axis: int) -> Any:
    """The weights, or 1/σ² in the shape of sigma."""
    if sigma is None or weights is not None or not (np.ndim(sigma) or is_array(sigma)):
        found = weights_of(weights, sigma)
        return np.full(np.shape(y)[axis], found.weight) if isinstance(found, Same) else found
    given = real_array("sigma", sigma)
    xp = namespace(given)
    return xp.reshape(weights_of_deviations(xp.reshape(given, (-1,))), given.shape)


def _summarized(curves: Curves, degree: int, missing: str) -> Summaries:
    """The summaries of curves in memory, on their own axis."""
    x, y, omega = (curves.flat(c) for c in (curves.x, curves.y, curves.omega))
    folded = fold_rows(x, y, omega, degree)
    if missing != "omit" and folded.omitted.any():
        folded = _without_missing(curves, folded, missing)
    if curves.counts is not None:
        folded = _counted(curves, folded)
    summaries = Summaries.of_folded(folded, curves.shape, curves.kind)
    return replace(summaries, axis=curves.axis)


def _without_missing(curves: Curves, folded: Folded, missing: str) -> Folded:
    """Where no value may be missing: refused, or the curves marked; points of weight 0 do not
    count.
    """
    bad = curves.missing()
    if missing == "raise" and bad.any():
        curves.raise_missing(bad)
    folded.omitted[~bad] = 0
    folded.fault[bad] = Status.NOT_FINITE
    folded.array[bad] = np.nan
    folded.sound[bad] = False
    return folded


def _counted(curves: Curves, folded: Folded) -> Folded:
    """Rows that stand for several: n and Σ ln ω with each as often as its count says."""
    y = curves.y
    xp = namespace(y)
    zero = xp.zeros(y.shape, dtype=xp.float64, device=y.device)
    counts = in_double(curves.counts) + zero
    live = xp.isfinite(curves.x) & xp.isfinite(y) & (in_double(curves.omega) + zero > 0)
    n = to_host(xp.sum(xp.where(live, counts, zero), axis=-1)).astype(np.int64)
    logs = folded.log_weights * 0.0
    if curves.weights is not None:
        safe = xp.where(live, in_double(curves.weights) + zero, zero + 1)
        logs = to_host(xp.sum(xp.where(live, counts, zero) * xp.log(safe), axis=-1)).reshape(-1)
    return folded._replace(n=n.reshape(-1), log_weights=logs)
