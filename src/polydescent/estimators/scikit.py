"""Polynomial regression and Chebyshev features as scikit-learn knows estimators."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Self

import numpy as np

from polydescent.errors import BadCall, BadSetting, LengthMismatch, MissingExtra, NoRows
from polydescent.estimators.table import (
    Box,
    Table,
    features_of,
    on_one_box,
    predicted,
    sizes,
    terms,
)
from polydescent.least_squares.folds import MOST_PARTS, Splits, held_out, total
from polydescent.regression.summary import Summary
from polydescent.triangle.triangle import checked_degree

try:
    from sklearn.base import BaseEstimator, MultiOutputMixin, RegressorMixin, TransformerMixin
    from sklearn.model_selection import KFold, check_cv
    from sklearn.utils.validation import check_is_fitted, validate_data
except ImportError:
    raise MissingExtra("scikit-learn", "sklearn", "An estimator of scikit-learn") from None

_WEIGHTLESS = "every sample_weight is zero"


class _Polynomial(MultiOutputMixin, RegressorMixin, BaseEstimator):
    """What the two regressors share once there is a table: its answer, and predictions by it."""

    n_features_in_: int

    def _solved(self, table: Table, one_target: bool) -> Self:
        """Hold the table and its answer."""
        self.table_ = table
        weights = table.solve()
        self.weights_ = weights[:, 0] if one_target else weights
        self.exponents_ = table.exponents
        self.box_ = np.stack((table.box.lo, table.box.hi))
        return self

    def predict(self, X: Any) -> np.ndarray:
        """The polynomial at rows X, in units of y; outside the box of the data without a word.

        Parameters
        ----------
        X
            Shape (n, p), in the units of the features.

        Returns
        -------
        numpy.ndarray
            Shape (n,), or (n, m) where y had m columns.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        weights = self.weights_.reshape(len(self.exponents_), -1)
        out = predicted(X, self.table_.box, self.exponents_, weights)
        return out[:, 0] if self.weights_.ndim == 1 else out

    @property
    def summary_(self) -> Summary:
        """The rows as a `Summary`, of one feature and one target: its `fit()` has the coefficients
        in powers of x, their standard errors, bands, the equation, and every lower degree.

        Raises
        ------
        AttributeError
            With several features or targets.
        """
        check_is_fitted(self)
        if self.n_features_in_ != 1 or self.weights_.ndim != 1:
            raise AttributeError(
                f"summary_ is of one feature and one target; here are {self.n_features_in_} and "
                f"{1 if self.weights_.ndim == 1 else self.weights_.shape[1]}."
            )
        names = getattr(self, "feature_names_in_", ["x"])
        return Summary(self.table_.triangle, x_name=str(names[0]))


class PolynomialRegressor(_Polynomial):
    """Least squares polynomial of one feature or several, for scikit-learn.

    ŷ = Σ w[i]·∏ⱼ T[e[i, j]](uⱼ) over all exponents of total degree ≤ `degree`; T: Chebyshev
    polynomials, uⱼ: feature j mapped from its interval in the data to [−1, 1]. The same curve as
    PolynomialFeatures with LinearRegression where float64 can tell, and right where that is not:
    years, epoch seconds, high degrees. Where the rows do not determine it, the weights of the
    smallest norm.

    Parameters
    ----------
    degree
        The highest total degree, 0 or more; default 3.

    Attributes
    ----------
    weights_
        Shape (k,), or (k, m) where y had m columns, in units of y.
    exponents_
        Of the k terms, shape (k, p), by total degree.
    box_
        Lowest and highest of each feature in the data, shape (2, p).
    table_
        The rows as a triangle, for `partial_fit`.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Examples
    --------
    >>> from polydescent.estimators import PolynomialRegressor
    >>> model = PolynomialRegressor(degree=1).fit([[0], [1], [2], [3]], [1, 3, 5, 7])
    >>> model.predict([[4]])
    array([9.])
    >>> model.summary_.fit().equation()
    'y = 1 + 2 x'
    """

    def __init__(self, degree: int = 3):
        self.degree = degree

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit all rows.

        Parameters
        ----------
        X
            Shape (n, p), numbers.
        y
            Shape (n,) or (n, m).
        sample_weight
            Of the squares, shape (n,), ≥ 0; default 1. A row of weight 0 does not count.

        Raises
        ------
        ValueError
            For what is not finite, no rows, or a degree or weights that are none.
        """
        return self._added(X, y, sample_weight, first=True)

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Add rows to those seen so far: after all batches the same as one `fit` of all rows, in
        whatever order they came.

        Parameters
        ----------
        X
            Shape (n, p), numbers.
        y
            Shape (n,) or (n, m).
        sample_weight
            Of the squares, shape (n,), ≥ 0; default 1.

        Raises
        ------
        ValueError
            As `fit`.
        BadCall
            For another degree or number of targets than before.
        """
        return self._added(X, y, sample_weight, first=not hasattr(self, "table_"))

    def _added(self, X: Any, y: Any, sample_weight: Any, first: bool) -> Self:
        degree = checked_degree(self.degree)
        X, y = validate_data(
            self, X, y, reset=first, dtype=np.float64, multi_output=True, y_numeric=True
        )
        Y = np.asarray(y, dtype=np.float64).reshape(len(X), -1)
        table = Table.fold(X, Y, _weights(sample_weight, len(X)), degree)
        if not first:
            before = self.table_
            if before.exponents is not table.exponents and before.degree != degree:
                raise BadCall(
                    f"The rows so far were added at degree {before.degree}, these at {degree}: "
                    "keep the degree between calls of partial_fit, or begin again with fit."
                )
            if before.array.shape != table.array.shape or y.ndim != self.weights_.ndim:
                raise BadCall(
                    f"y had {before.targets} columns in earlier batches and has {Y.shape[1]} here."
                )
            table = before + table
        if not table.n:
            raise NoRows(_WEIGHTLESS)
        return self._solved(table, y.ndim == 1)


class PolynomialRegressorCV(_Polynomial):
    """Polynomial regression at the degree that cross-validation chooses, in one pass.

    Each group of rows that the folds treat alike is one triangle, which tells what any curve leaves
    of its rows; sums of the others give the curves of all degrees at once. The scores are those of
    GridSearchCV over PolynomialFeatures and LinearRegression with "neg_mean_squared_error".

    Parameters
    ----------
    highest
        The highest degree to look at, 0 or more; default 10.
    cv
        As in scikit-learn: a number of folds (of neighboring rows, as KFold makes them), a
        splitter, or pairs of positions (train, test). Default 5 folds.

    Attributes
    ----------
    degree_
        The one with the lowest mean of `cv_mse_` over the folds; of equals the lowest.
    cv_mse_
        Mean squares of the held-out residuals, weighted where rows are, shape (folds, highest + 1),
        in units of y²; the mean over the targets where there are several.
    weights_, exponents_, box_, table_, n_features_in_, feature_names_in_
        As `PolynomialRegressor` of that degree has them.

    Examples
    --------
    >>> import numpy as np
    >>> from polydescent.estimators import PolynomialRegressorCV
    >>> x = np.random.default_rng(0).uniform(-1, 1, (60, 1))
    >>> model = PolynomialRegressorCV(highest=6).fit(x, x[:, 0] ** 3)
    >>> model.cv_mse_.shape
    (5, 7)
    """

    def __init__(self, highest: int = 10, *, cv: Any = None):
        self.highest = highest
        self.cv = cv

    def fit(self, X: Any, y: Any, sample_weight: Any = None, groups: Any = None) -> Self:
        """Choose the degree by the folds, then fit all rows.

        Parameters
        ----------
        X
            Shape (n, p), numbers.
        y
            Shape (n,) or (n, m).
        sample_weight
            Of the squares, in the fits and in the scores, shape (n,), ≥ 0; default 1.
        groups
            Of the rows, shape (n,), for splitters that ask for them.

        Raises
        ------
        ValueError
            For what is not finite, too few rows for the folds, or more than 1,000 parts.
        """
        highest = checked_degree(self.highest)
        X, y = validate_data(self, X, y, dtype=np.float64, multi_output=True, y_numeric=True)
        Y = np.asarray(y, dtype=np.float64).reshape(len(X), -1)
        weights = _weights(sample_weight, len(X))
        tables, splits = _parts(X, Y, weights, highest, self.cv, y, groups)
        whole = tables[0].box
        for table in tables[1:]:
            whole |= table.box
        arrays = on_one_box(tables, whole)
        of = np.array([table.total_weight for table in tables])
        left = held_out(arrays, splits, sizes(X.shape[1], highest), minimum_norm=True)
        with np.errstate(invalid="ignore"):  # a fold of weight 0 tells nothing
            self.cv_mse_ = left.mean(axis=-1) / (splits.test @ of)[:, None]
        mean = self.cv_mse_.mean(axis=0)
        self.degree_ = int(np.nanargmin(mean)) if np.isfinite(mean).any() else 0
        table = replace(
            tables[0],
            array=total(arrays, np.ones(len(arrays))),
            box=whole,
            n=sum(table.n for table in tables),
            log_weights=sum(table.log_weights for table in tables),
        )
        if not table.n:
            raise NoRows(_WEIGHTLESS)
        return self._solved(table.lower(self.degree_), y.ndim == 1)


def _parts(
    X: np.ndarray,
    Y: np.ndarray,
    weights: np.ndarray | None,
    degree: int,
    cv: Any,
    y: np.ndarray,
    groups: Any,
) -> tuple[list[Table], Splits]:
    """A table for all rows that the folds treat alike, and what each fold does with it."""
    n = len(X)
    splitter: Any = check_cv(5 if cv is None else cv)
    if type(splitter) is KFold and not splitter.shuffle and splitter.n_splits <= min(n, MOST_PARTS):
        # neighboring rows, which need not be gathered
        k = splitter.n_splits
        ends = np.cumsum(n // k + (np.arange(k) < n % k))
        splits = Splits.each_once(k)
        columns: list[np.ndarray | None] = [X, Y, weights]
    else:
        splits = Splits.of(splitter.split(X, y, groups), n)
        assert splits.part is not None
        order = np.argsort(splits.part.astype(np.int16), kind="stable")
        ends = np.cumsum(np.bincount(splits.part, minlength=splits.parts))
        columns = [None if c is None else c[order] for c in (X, Y, weights)]
    spans = [slice(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)]
    tables = [
        Table.fold(*(None if c is None else c[span] for c in columns), degree)  # type: ignore[arg-type]
        for span in spans
    ]
    return tables, splits


class ChebyshevFeatures(TransformerMixin, BaseEstimator):
    """Chebyshev polynomials of the features, which every linear model can work with.

    ∏ⱼ T[e[i, j]](uⱼ) for all exponents of total degree ≤ `degree`, uⱼ: feature j mapped from its
    interval in the data to [−1, 1]. They span what PolynomialFeatures spans, are within [−1, 1] in
    the data, and nearly at right angles: steps of a gradient get somewhere, and epoch seconds keep
    their digits.

    Parameters
    ----------
    degree
        The highest total degree, 0 or more; default 3.
    include_bias
        Whether the constant 1 is a column too; default False, for most models have an intercept.

    Attributes
    ----------
    box_
        Lowest and highest of each feature in the data, shape (2, p).
    exponents_
        Of the columns, shape (columns, p), by total degree.
    n_features_in_, feature_names_in_
        As everywhere in scikit-learn.

    Examples
    --------
    >>> from polydescent.estimators import ChebyshevFeatures
    >>> ChebyshevFeatures(degree=2).fit_transform([[2000], [2005], [2010]])
    array([[-1.,  1.],
           [ 0., -1.],
           [ 1.,  1.]])
    """

    def __init__(self, degree: int = 3, *, include_bias: bool = False):
        self.degree = degree
        self.include_bias = include_bias

    def fit(self, X: Any, y: Any = None) -> Self:
        """Find the interval of each feature.

        Parameters
        ----------
        X
            Shape (n, p), numbers.
        y
            Of no use here.
        """
        return self._seen(X, first=True)

    def partial_fit(self, X: Any, y: Any = None) -> Self:
        """Widen the intervals by more rows. Rows transformed before were on the narrower ones.

        Parameters
        ----------
        X
            Shape (n, p), numbers.
        y
            Of no use here.
        """
        return self._seen(X, first=not hasattr(self, "box_"))

    def _seen(self, X: Any, first: bool) -> Self:
        checked_degree(self.degree)
        X = validate_data(self, X, reset=first, dtype=np.float64)
        box = Box.around(X) if first else Box(*self.box_) | Box.around(X)
        self.box_ = np.stack((box.lo, box.hi))
        bare = 0 if self.include_bias else 1
        self.exponents_ = terms(X.shape[1], self.degree)[bare:]
        return self

    def transform(self, X: Any) -> np.ndarray:
        """The columns for rows X, shape (n, columns).

        Parameters
        ----------
        X
            Shape (n, p), numbers, in the box or outside it.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64)
        exponents = terms(X.shape[1], self.degree)
        columns = features_of(Box(*self.box_).to_unit(X), exponents)
        return columns if self.include_bias else columns[:, 1:]

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """What the columns are called: T2(x0), or T1(x0) T1(x1).

        Parameters
        ----------
        input_features
            Names of the features, shape (p,); left out, those seen in `fit`, or x0, x1, ….
        """
        check_is_fitted(self)
        names = _names(self, input_features)
        texts = [
            " ".join(f"T{power}({name})" for name, power in zip(names, e, strict=True) if power)
            for e in self.exponents_.tolist()
        ]
        return np.array([text or "1" for text in texts], dtype=object)


def _names(estimator: Any, given: Any) -> list[str]:
    """The names of the features. Raises ValueError where others are given than were seen."""
    known = getattr(estimator, "feature_names_in_", None)
    if given is None:
        p = estimator.n_features_in_
        return list(known) if known is not None else [f"x{j}" for j in range(p)]
    given = np.asarray(given, dtype=object)
    if known is not None and not np.array_equal(given, known):
        raise ValueError("input_features is not equal to feature_names_in_")
    if len(given) != estimator.n_features_in_:
        raise ValueError("input_features should have length equal to number of features")
    return list(given)


def _weights(sample_weight: Any, n: int) -> np.ndarray | None:
    """One weight for each row, None for 1. Raises BadSetting, LengthMismatch."""
    if sample_weight is None:
        return None
    weights = np.asarray(sample_weight, dtype=np.float64)
    if weights.ndim == 0:
        weights = np.full(n, float(weights))
    if weights.ndim != 1:
        raise BadSetting(
            "sample_weight", weights.shape, "1D array or scalar: one weight for each row"
        )
    if len(weights) != n:
        raise LengthMismatch({"X": n, "sample_weight": len(weights)})
    if not (np.isfinite(weights) & (weights >= 0)).all():
        bad = weights[~(np.isfinite(weights) & (weights >= 0))][0]
        raise BadSetting("sample_weight", float(bad), "finite and 0 or more")
    return weights
