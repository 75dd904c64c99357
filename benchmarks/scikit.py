"""scikit-learn's ways beside its own estimators: all degrees by folds, batches, features, fits."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures
from timing import Row, table

from polydescent.estimators import ChebyshevFeatures, PolynomialRegressor, PolynomialRegressorCV

HIGHEST, FOLDS = 10, 5


def rows(n: int, features: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """n rows, seeded."""
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (n, features))
    return X, np.sin(3 * X.sum(axis=1)) + rng.normal(0, 0.1, n)


def worked(run: Callable[[], Any], repeat: int) -> float:
    """The least processor time of some runs, of all threads together: cores may be shared."""
    least = np.inf
    for _ in range(repeat):
        begun = time.process_time()
        run()
        least = min(least, time.process_time() - begun)
    return float(least)


def plain(degree: int) -> Any:
    """What people use."""
    return make_pipeline(PolynomialFeatures(degree), LinearRegression())


def search() -> Any:
    """All degrees by folds, as people do it; without the last fit, which ours makes too."""
    degrees = {"polynomialfeatures__degree": range(HIGHEST + 1)}
    scoring = "neg_mean_squared_error"
    return GridSearchCV(plain(1), degrees, cv=FOLDS, scoring=scoring, refit=False)


def folds(n: int) -> str:
    """Scores of every degree and fold."""
    X, y = rows(n)
    theirs, ours = search().fit(X, y), PolynomialRegressorCV(HIGHEST, cv=FOLDS).fit(X, y)
    scores = -np.array([theirs.cv_results_[f"split{i}_test_score"] for i in range(FOLDS)])
    apart = float(np.max(np.abs(ours.cv_mse_ / scores - 1)))
    times = [
        Row(
            "GridSearchCV(PolynomialFeatures, LinearRegression)",
            worked(lambda: theirs.fit(X, y), 1),
        ),
        Row(
            "PolynomialRegressorCV", worked(lambda: ours.fit(X, y), 15), "500" if n > 10**5 else ""
        ),
    ]
    return (
        f"Degrees 0 to {HIGHEST} by {FOLDS} folds, {n:,} rows; scores differ by {apart:.1g}:\n\n"
        f"{table(times)}"
    )


def fits(n: int, features: int, degree: int) -> str:
    """One fit."""
    X, y = rows(n, features)
    theirs, ours = plain(degree), PolynomialRegressor(degree)
    times = [
        Row("PolynomialFeatures, LinearRegression", worked(lambda: theirs.fit(X, y), 3)),
        Row("PolynomialRegressor", worked(lambda: ours.fit(X, y), 9)),
    ]
    return f"One fit, {features} features, degree {degree}, {n:,} rows:\n\n{table(times)}"


def batches() -> str:
    """partial_fit in sorted batches of epoch seconds, and what other columns make of them."""
    rng = np.random.default_rng(3)
    X = np.sort(1.7e9 + rng.uniform(0, 3e7, (100_000, 1)), axis=0)
    y = np.cos((X[:, 0] - 1.7e9) / 5e6) + rng.normal(0, 0.1, len(X))
    whole, parts = PolynomialRegressor(8).fit(X, y), PolynomialRegressor(8)
    for part in np.array_split(np.arange(len(X)), 200):
        parts.partial_fit(X[part], y[part])
    apart = float(np.max(np.abs(parts.predict(X) - whole.predict(X))))
    chain = make_pipeline(ChebyshevFeatures(8), LinearRegression())
    r2 = [round(model.fit(X, y).score(X, y), 4) for model in (plain(8), chain)]
    return (
        f"Epoch seconds, degree 8: 200 sorted batches are within {apart:.1g} of one fit. R² of "
        f"LinearRegression on PolynomialFeatures {r2[0]}, on ChebyshevFeatures {r2[1]}."
    )


def report() -> str:
    """The section of RESULTS.md."""
    parts = ["## scikit-learn: processor time of all threads, best of some runs"]
    parts += [folds(n) for n in (10**4, 10**5, 10**6)]
    parts += [fits(10**6, 1, 3), fits(10**5, 2, 5), fits(10**5, 5, 3), fits(10**5, 20, 2)]
    return "\n\n".join([*parts, batches()])
