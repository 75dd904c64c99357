"""scikit-learn's estimators: its own checks, its numbers, and its ways of composing them."""

# wrong types are passed on purpose, and arguments as rows of tables
# pyright: reportArgumentType=false, reportCallIssue=false, reportAttributeAccessIssue=false

import pickle
import subprocess
import sys

import numpy as np
import pandas
import pytest
import sklearn
from sklearn.base import clone
from sklearn.compose import ColumnTransformer, TransformedTargetRegressor
from sklearn.linear_model import LinearRegression, SGDRegressor
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    LeaveOneOut,
    PredefinedSplit,
    RepeatedKFold,
    ShuffleSplit,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import PolynomialFeatures, StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

import polydescent as pd
from polydescent import errors
from polydescent.estimators import ChebyshevFeatures, PolynomialRegressor, PolynomialRegressorCV
from polydescent.estimators.table import Table, sizes, terms

EPOCH = 1.7e9  # seconds since 1970, about now


def rows(n=200, features=1, targets=1, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.uniform(-1, 1, (n, features))
    Y = np.sin(X @ rng.normal(size=(features, targets)) * 2) + rng.normal(0, 0.1, (n, targets))
    return X, Y[:, 0] if targets == 1 else Y, rng.uniform(0.1, 10, n)


def theirs(degree):
    return make_pipeline(PolynomialFeatures(degree), LinearRegression(fit_intercept=False))


@parametrize_with_checks(
    [
        *(PolynomialRegressor(degree) for degree in (1, 2)),
        *(PolynomialRegressorCV(highest) for highest in (1, 2)),
        *(ChebyshevFeatures(degree) for degree in (1, 2)),
        ChebyshevFeatures(2, include_bias=True),
    ]
)
def test_scikit_learn_has_no_objection(estimator, check):
    check(estimator)


# ── its numbers ──


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("targets", [1, 3])
@pytest.mark.parametrize(("features", "degree"), [(1, 0), (1, 1), (1, 9), (2, 5), (3, 3), (5, 2)])
def test_the_curve_is_that_of_polynomial_features(features, degree, targets, weighted):
    X, y, w = rows(features=features, targets=targets)
    named = {"sample_weight": w} if weighted else {}
    other = theirs(degree).fit(X, y, **{f"linearregression__{k}": v for k, v in named.items()})
    ours = PolynomialRegressor(degree).fit(X, y, **named)
    at = rows(50, features, seed=1)[0]
    np.testing.assert_allclose(ours.predict(at), other.predict(at), rtol=1e-10, atol=1e-10)
    assert ours.score(X, y) == pytest.approx(other.score(X, y), rel=1e-10)
    exponents = PolynomialFeatures(degree).fit(X).powers_
    np.testing.assert_array_equal(ours.exponents_, exponents)


@pytest.mark.parametrize("features", [1, 2])
def test_rows_too_few_have_the_answer_of_the_smallest_norm(features):
    X, y, _ = rows(4, features)
    model = PolynomialRegressor(6).fit(X, y)
    columns = ChebyshevFeatures(6, include_bias=True).fit_transform(X)
    wanted = np.linalg.lstsq(columns, y, rcond=None)[0]
    np.testing.assert_allclose(model.weights_, wanted, atol=1e-12)
    np.testing.assert_allclose(model.predict(X), y, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("features", [1, 2])
def test_units_do_not_matter(features, scale):
    X, y, w = rows(features=features)
    wanted = PolynomialRegressor(4).fit(X, y, w).predict(X)
    found = PolynomialRegressor(4).fit(scale * X, scale * y, scale * w).predict(scale * X)
    np.testing.assert_allclose(found / scale, wanted, rtol=1e-9, atol=1e-9)


def test_one_feature_is_a_fit():
    X, y, w = rows()
    model = PolynomialRegressor(5).fit(X, y, w)
    fitted = pd.fit(X[:, 0], y, 5, weights=w)
    np.testing.assert_allclose(model.predict(X), fitted(X[:, 0]), rtol=1e-10, atol=1e-12)
    assert model.summary_.n == 200
    again = model.summary_.fit()
    np.testing.assert_allclose(again.stderr, fitted.stderr, rtol=1e-9)
    assert again.aic == pytest.approx(fitted.aic, rel=1e-9)


@pytest.mark.parametrize("change", [{"features": 2}, {"targets": 2}])
def test_a_summary_is_of_one_feature_and_one_target(change):
    X, y, _ = rows(**change)
    model = PolynomialRegressor(2).fit(X, y)
    assert not hasattr(model, "summary_")
    with pytest.raises(AttributeError, match="one feature and one target"):
        _ = model.summary_


# ── in batches ──


def sorted_seconds(n=20_000, features=1):
    rng = np.random.default_rng(3)
    X = EPOCH + rng.uniform(0, 3e7, (n, features))
    X = X[np.argsort(X[:, 0])]
    u = (X - EPOCH) / 1.5e7 - 1
    y = np.cos(3 * u).sum(axis=1) + rng.normal(0, 0.1, n)
    return X, y


@pytest.mark.parametrize(("features", "degree"), [(1, 8), (2, 3)])
def test_batches_of_sorted_seconds_are_one_fit(features, degree):
    X, y = sorted_seconds(features=features)
    whole = PolynomialRegressor(degree).fit(X, y)
    batches = PolynomialRegressor(degree)
    for part in np.array_split(np.arange(len(X)), 200):
        batches.partial_fit(X[part], y[part])
    np.testing.assert_allclose(batches.predict(X), whole.predict(X), rtol=0, atol=1e-12)
    assert whole.score(X, y) > (0.97 if features == 1 else 0.9)


@pytest.mark.parametrize("features", [1, 3])
def test_tables_add_up(features):
    X, Y, w = rows(90, features, 2)
    w[:5] = 0
    X[60:] *= 3
    parts = [Table.fold(X[s], Y[s], w[s], 3) for s in (slice(0, 30), slice(30, 60), slice(60, 90))]
    whole = Table.fold(X, Y, w, 3)
    a, b, c = parts
    for table in (a + b + c, a + (b + c), c + a + b, whole):
        np.testing.assert_allclose(table.solve(), whole.solve(), rtol=1e-9, atol=1e-9)
        low = table.lower(1)
        np.testing.assert_allclose(low.solve(), Table.fold(X, Y, w, 1).solve(), atol=1e-10)
        squares = (low.array[low.k :, low.k :] ** 2).sum(axis=0)
        left = (w[:, None] * (Y - whole_line(X, Y, w)) ** 2).sum(axis=0)
        np.testing.assert_allclose(squares, left, rtol=1e-10)
    empty = Table.fold(X[:3], Y[:3], np.zeros(3), 3)
    np.testing.assert_array_equal((a + empty).array, a.array)
    np.testing.assert_array_equal((empty + a).array, a.array)


def whole_line(X, Y, w):
    return LinearRegression().fit(X, Y, w).predict(X)


def test_terms_of_lower_degrees_come_first():
    for features in (1, 2, 4):
        for degree in range(4):
            whole = terms(features, degree + 1)
            assert (whole[: len(terms(features, degree))] == terms(features, degree)).all()
            assert sizes(features, degree)[-1] == len(terms(features, degree))


def test_batches_that_do_not_go_together_are_refused():
    X, y, _ = rows()
    model = PolynomialRegressor(3).partial_fit(X, y)
    with pytest.raises(errors.BadCall, match="added at degree 3, these at 4"):
        model.set_params(degree=4).partial_fit(X, y)
    with pytest.raises(errors.BadCall, match="had 1 columns in earlier batches and has 2"):
        model.set_params(degree=3).partial_fit(X, np.c_[y, y])
    with pytest.raises(ValueError, match="expecting 1 features"):
        model.partial_fit(np.c_[X, X], y)
    assert model.set_params(degree=4).fit(X, y).weights_.shape == (5,)


# ── cross-validation ──

SPLITTERS = {
    "5": 5,
    "KFold": KFold(5),
    "shuffled": KFold(5, shuffle=True, random_state=1),
    "GroupKFold": GroupKFold(5),
    "TimeSeriesSplit": TimeSeriesSplit(5),
    "with a gap": TimeSeriesSplit(3, gap=10, max_train_size=60),
    "RepeatedKFold": RepeatedKFold(n_splits=5, n_repeats=2, random_state=2),
    "ShuffleSplit": ShuffleSplit(4, test_size=0.3, random_state=3),
    "PredefinedSplit": PredefinedSplit(np.arange(200) % 4 - 1),
    "pairs": [(np.arange(150), np.arange(150, 200)), (np.arange(50, 200), np.arange(50))],
}


@pytest.mark.parametrize("name", SPLITTERS)
def test_scores_are_those_of_a_grid_search(name):
    X, y, _ = rows()
    groups = np.random.default_rng(4).integers(0, 20, 200) if name == "GroupKFold" else None
    grid = {"polynomialfeatures__degree": range(11)}
    search = GridSearchCV(
        theirs(1), grid, cv=SPLITTERS[name], scoring="neg_mean_squared_error"
    ).fit(X, y, groups=groups)
    found = PolynomialRegressorCV(10, cv=SPLITTERS[name]).fit(X, y, groups=groups)
    scores = [v for k, v in search.cv_results_.items() if k.startswith("split")]
    np.testing.assert_allclose(found.cv_mse_, -np.array(scores), rtol=1e-12)
    assert found.degree_ == search.best_params_["polynomialfeatures__degree"]
    whole = PolynomialRegressor(found.degree_).fit(X, y)
    np.testing.assert_allclose(found.predict(X), whole.predict(X), rtol=1e-10, atol=1e-11)


def test_several_features_and_targets_are_scored_too():
    X, Y, _ = rows(features=2, targets=2)
    search = GridSearchCV(
        theirs(1), {"polynomialfeatures__degree": range(5)}, scoring="neg_mean_squared_error"
    ).fit(X, Y)
    found = PolynomialRegressorCV(4).fit(X, Y)
    scores = [v for k, v in search.cv_results_.items() if k.startswith("split")]
    np.testing.assert_allclose(found.cv_mse_, -np.array(scores), rtol=1e-12)
    assert found.predict(X).shape == (200, 2)


def test_weights_count_in_fits_and_scores():
    X, y, w = rows(60)
    w[::7] = 0
    found = PolynomialRegressorCV(4, cv=KFold(3)).fit(X, y, w).cv_mse_
    for i, (train, test) in enumerate(KFold(3).split(X)):
        for degree in range(5):
            curve = PolynomialRegressor(degree).fit(X[train], y[train], w[train])
            left = np.average((y[test] - curve.predict(X[test])) ** 2, weights=w[test])
            assert found[i, degree] == pytest.approx(left, rel=1e-9)


def test_more_than_a_thousand_parts_are_refused():
    X, y, _ = rows(1001)
    with pytest.raises(errors.TooManyParts, match=r"degrees\(\)\.loo"):
        PolynomialRegressorCV(2, cv=LeaveOneOut()).fit(X, y)
    loo = PolynomialRegressorCV(2, cv=LeaveOneOut()).fit(X[:40], y[:40]).cv_mse_.mean(axis=0)
    table = pd.fit(X[:40, 0], y[:40], 2).degrees()
    np.testing.assert_allclose(np.sqrt(loo), table.loo, rtol=1e-10)


# ── features ──


def test_features_let_linear_models_see_epoch_seconds():
    X, y = sorted_seconds(2000)
    order = np.random.default_rng(0).permutation(len(X))
    X, y = X[order], y[order]
    right = pd.fit(X[:, 0], y, 8).r2
    ours = make_pipeline(ChebyshevFeatures(8), LinearRegression()).fit(X, y)
    assert ours.score(X, y) == pytest.approx(right, abs=1e-9)
    assert right > 0.9
    powers = make_pipeline(PolynomialFeatures(8), LinearRegression()).fit(X, y)
    assert powers.score(X, y) < right - 0.03  # 0.05 to 0.92, by the version
    sgd = make_pipeline(ChebyshevFeatures(8), SGDRegressor(random_state=0)).fit(X, y)
    assert sgd.score(X, y) > right - 0.02


@pytest.mark.parametrize("bias", [False, True])
def test_columns_are_named_products_of_chebyshev_polynomials(bias):
    X, _, _ = rows(features=2)
    made = ChebyshevFeatures(2, include_bias=bias).fit(X)
    u, v = made.box_[0], made.box_[1]
    u, v = (2 * (X - u) / (v - u) - 1).T
    wanted = {
        "1": np.ones(200),
        "T1(x0)": u,
        "T1(x1)": v,
        "T2(x0)": 2 * u * u - 1,
        "T1(x0) T1(x1)": u * v,
        "T2(x1)": 2 * v * v - 1,
    }
    names = made.get_feature_names_out()
    assert list(names) == list(wanted)[0 if bias else 1 :]
    for column, name in zip(made.transform(X).T, names, strict=True):
        np.testing.assert_allclose(column, wanted[name], atol=1e-14)


def test_boxes_grow_by_batches():
    X, _, _ = rows(features=2)
    made = ChebyshevFeatures(2)
    for part in np.array_split(X, 7):
        made.partial_fit(part)
    np.testing.assert_array_equal(made.box_, ChebyshevFeatures(2).fit(X).box_)


# ── its ways of composing ──

ALL = [PolynomialRegressor(2), PolynomialRegressorCV(3), ChebyshevFeatures(2)]


@pytest.mark.parametrize("estimator", ALL, ids=lambda e: type(e).__name__)
def test_copies_pickles_and_pictures(estimator):
    X, y, _ = rows()
    fitted = clone(estimator).fit(X, y)
    again = pickle.loads(pickle.dumps(fitted))
    use = "transform" if hasattr(fitted, "transform") else "predict"
    np.testing.assert_array_equal(getattr(again, use)(X), getattr(fitted, use)(X))
    assert type(estimator).__name__ in fitted._repr_html_()
    assert repr(clone(fitted)) == repr(estimator)


def test_tables_keep_their_names():
    X, y, _ = rows(features=2)
    frame = pandas.DataFrame(X, columns=["depth", "time"], index=np.arange(200) * 3)
    made = ChebyshevFeatures(1).set_output(transform="pandas").fit_transform(frame)
    assert list(made.columns) == ["T1(depth)", "T1(time)"]
    assert (made.index == frame.index).all()
    model = PolynomialRegressor(2).fit(frame, pandas.Series(y, frame.index))
    assert list(model.feature_names_in_) == ["depth", "time"]
    with pytest.raises(ValueError, match="feature names"):
        model.predict(frame[["time", "depth"]])
    one = PolynomialRegressor(2).fit(frame[["time"]], y)
    assert one.summary_.x_name == "time"


def test_in_pipelines_searches_and_compositions():
    X, y, _ = rows(features=2)
    chain = make_pipeline(StandardScaler(), PolynomialRegressor())
    grid = {"polynomialregressor__degree": [1, 2, 3]}
    assert GridSearchCV(chain, grid, cv=3).fit(X, y).best_score_ > 0.5
    assert cross_val_score(PolynomialRegressorCV(3), X, y, cv=3).min() > 0.5
    parts = ColumnTransformer([("c", ChebyshevFeatures(3), [0])], remainder="passthrough")
    assert parts.fit_transform(X).shape == (200, 4)
    logged = TransformedTargetRegressor(PolynomialRegressor(3), func=np.exp, inverse_func=np.log)
    assert logged.fit(X, y).score(X, y) > 0.5


def test_metadata_finds_its_way():
    X, y, w = rows()
    w[::3] = 0
    groups = np.arange(200) % 7
    with sklearn.config_context(enable_metadata_routing=True):
        chain = make_pipeline(
            StandardScaler().set_fit_request(sample_weight=False),
            PolynomialRegressorCV(3, cv=GroupKFold(3)).set_fit_request(
                sample_weight=True, groups=True
            ),
        ).fit(X, y, sample_weight=w, groups=groups)
        model = PolynomialRegressor(2).set_fit_request(sample_weight=True)
        model.set_score_request(sample_weight=True)
        search = GridSearchCV(model, {"degree": [2]}).fit(X, y, sample_weight=w)
    alone = PolynomialRegressorCV(3, cv=GroupKFold(3)).fit(X, y, w, groups)
    np.testing.assert_allclose(chain[-1].cv_mse_, alone.cv_mse_, rtol=1e-9)
    wanted = PolynomialRegressor(2).fit(X, y, w).predict(X)
    np.testing.assert_allclose(search.best_estimator_.predict(X), wanted, atol=1e-12)


@pytest.mark.parametrize(
    ("settings", "given", "said"),
    [
        ({"degree": -1}, {}, "degree"),
        ({"degree": 1.5}, {}, "degree"),
        ({}, {"sample_weight": [1.0]}, "same number of rows"),
        ({}, {"sample_weight": np.full(200, -1.0)}, "finite and 0 or more"),
        ({}, {"sample_weight": np.full((200, 2), 1.0)}, "one weight for each row"),
        ({}, {"sample_weight": np.zeros(200)}, "every sample_weight is zero"),
    ],
)
def test_settings_that_are_none_are_refused(settings, given, said):
    X, y, _ = rows()
    with pytest.raises(ValueError, match=said):
        PolynomialRegressor(**settings).fit(X, y, **given)


def test_terms_beyond_memory_are_refused_before_any_is_made():
    with pytest.raises(errors.TooLarge, match="products of 200 features"):
        PolynomialRegressor(9).fit(np.zeros((3, 200)), np.zeros(3))


# ── where it is not installed ──


def test_nothing_loads_scikit_learn_unasked():
    script = (
        "import sys; sys.modules['sklearn'] = None; import polydescent; "
        "from polydescent import *; import polydescent.estimators as e; "
        "assert 'ChebyshevFeatures' in dir(e)\n"
        "for ask in (lambda: e.ChebyshevFeatures, lambda: polydescent.PolynomialRegressor):\n"
        "    try: ask()\n"
        "    except polydescent.errors.MissingExtra as why: print(why)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.count('pip install "polydescent[sklearn]"') == 2, done.stderr
