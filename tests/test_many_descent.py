"""descend_many: every curve goes where `descend` takes it alone, by walking or in closed form."""

import warnings

import numpy as np
import pytest

import polydescent as pd
from polydescent.errors import (
    BadCall,
    BadSetting,
    CurvesOnTheirWay,
    CurvesWithoutAnswer,
    RateTooLarge,
    RateTooLargeForCurves,
    UnknownName,
)

CURVES, POINTS = 5, 30
OPTIMIZERS = ("gd", "momentum", "nesterov", "adam", pd.Momentum(1e-6, 0.9))


def columns(seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 2, (CURVES, POINTS)) * np.array([1, 0.5, 3, 1, 1])[:, None]
    y = rng.normal(size=(CURVES, POINTS)) + x
    return x, y


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("basis", ["power", "chebyshev", "legendre"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS, ids=str)
@pytest.mark.parametrize("way", ["walk", "closed form", "tolerance"])
def test_each_goes_where_it_would_alone(way, optimizer, basis):
    if way == "closed form" and optimizer == "adam":
        return
    x, y = columns()
    settings = {"optimizer": optimizer, "basis": basis, "steps": 80}
    if way == "tolerance":
        settings |= {"tolerance": 0.2, "steps": 400}
    else:
        settings["method"] = way
    runs = pd.descend_many(x, y, 2, **settings)
    settings.pop("method", None)
    for i in range(CURVES):
        alone = pd.descend(x[i], y[i], 2, **settings)
        assert runs.loss[i] == pytest.approx(alone.loss, rel=1e-9)
        np.testing.assert_allclose(
            runs.coef[i], alone.coef, rtol=1e-8, atol=1e-9 * abs(alone.coef).max()
        )
        assert runs.history.steps[i] == alone.history.steps
        assert pd.Status(runs.status[i]).name == alone.outcome.name
        assert runs.is_far[i] == alone.is_far
        assert runs.excess[i] == pytest.approx(alone.excess, rel=1e-6, abs=1e-9)
        assert runs.stderr[i] == pytest.approx(alone.stderr, rel=1e-9)
        assert runs.r2[i] == pytest.approx(alone.r2, rel=1e-9, abs=1e-12)
        kept = runs.history.kept[runs.history.kept <= alone.history.steps]
        np.testing.assert_allclose(
            runs.history.loss[: len(kept), i], alone.history.loss[kept], rtol=1e-9
        )
        again = runs[i]
        assert again.history.loss[-1] == pytest.approx(alone.loss, rel=1e-9)
    if optimizer != "adam":
        assert runs.forecast.largest_stable_rate.shape == (CURVES,)


@pytest.mark.filterwarnings("ignore")
def test_rates_of_each_and_divergence():
    x, y = columns()
    limit = pd.summarize_many(x, y, 2).forecast().largest_stable_rate
    rates = limit * np.array([0.5, 0.9, 1.1, 2.0, 0.99])
    with pytest.raises(RateTooLargeForCurves, match="diverges on 2 of 5 curves") as refused:
        pd.descend_many(x, y, 2, learning_rate=rates)
    assert refused.value.count == 2
    assert refused.value.curve == (int(limit[2:4].argmin()) + 2,)
    assert refused.value.limit == pytest.approx(limit[2:4].min())
    with pytest.raises(RateTooLarge):
        pd.descend_many(x, y, 2, learning_rate=limit.max())
    runs = pd.descend_many(x, y, 2, learning_rate=rates, allow_divergence=True, steps=50)
    diverged = [pd.Status(s).name == "DIVERGED" for s in runs.status]
    assert diverged == [False, False, True, True, False]
    assert runs.explain(3).startswith("Diverged: learning rate")
    assert list(runs.forecast.is_stable) == [True, True, False, False, True]
    two = runs[2:4]
    assert list(two.forecast.is_stable) == [False, False]
    assert two.history.loss.shape == (len(runs.history.kept), 2)
    objects = pd.descend_many(
        x, y, 2, optimizer=pd.GradientDescent(rates), steps=50, allow_divergence=True
    )
    assert np.array_equal(objects.loss, runs.loss)


def test_starts():
    x, y = columns()
    start = np.random.default_rng(1).normal(size=(CURVES, 2))
    runs = pd.descend_many(x, y, 1, start=start, steps=300)
    alone = pd.descend(x[1], y[1], 1, start=start[1], steps=300)
    assert runs.loss[1] == pytest.approx(alone.loss, rel=1e-10)
    assert runs.history.loss[0, 1] == pytest.approx(alone.history.loss[0], rel=1e-12)
    zeros = pd.descend_many(x, y, 1, start="zeros", steps=300)
    np.testing.assert_allclose(zeros.history.loss[0], (y * y).sum(axis=1))


def test_troubles_stop_no_other():
    x, y = columns()
    x[1], y[2, 2:] = 3.0, np.nan
    with pytest.warns(CurvesWithoutAnswer, match="2 of 5 curves"):
        runs = pd.descend_many(x, y, 2, missing="omit", basis="chebyshev")
    names = [pd.Status(s).name for s in runs.status]
    assert names == ["CONVERGED", "TOO_FEW_DISTINCT", "TOO_FEW_ROWS", "CONVERGED", "CONVERGED"]
    assert np.isnan(runs.coef[1:3]).all()
    assert np.isnan(runs.history.loss[:, 1:3]).all()
    assert runs.ok.tolist() == [True, False, False, True, True]
    exact = pd.fit(x[0], y[0], 2)
    assert runs.loss[0] == pytest.approx(exact.loss, rel=1e-6)
    assert "distinct x" in runs.explain(1)


def test_one_warning_for_all_that_are_far():
    x, y = columns()
    with pytest.warns(CurvesOnTheirWay, match="descents ended far from least squares") as seen:
        pd.descend_many(x, y, 3, steps=3)
    assert len(seen) == 1
    assert seen[0].filename == __file__


def test_shapes_and_summaries():
    x, y = (c[:4].reshape(2, 2, POINTS) for c in columns())
    runs = pd.descend_many(x, y, 1, steps=500)
    assert runs.shape == (2, 2)
    assert runs.history.loss.shape[1:] == (2, 2)
    assert runs.forecast.shape == (2, 2)
    summaries = pd.summarize_many(x, y, 3)
    again = summaries.descend(1, steps=500)
    np.testing.assert_allclose(again.loss, runs.loss, rtol=1e-10)
    assert isinstance(again[1, 0], pd.Fit)
    walked = summaries.descend(1, steps=500, method="walk")
    np.testing.assert_allclose(walked.loss, runs.loss, rtol=1e-9)


def test_x_that_powers_cannot_hold():
    x, y = columns()
    x = x.copy()
    x[0] = 1e200 * (1 + x[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        runs = pd.descend_many(x, y, 3)
    assert pd.Status(runs.status[0]).name == "OUT_OF_RANGE"
    assert np.isfinite(runs.loss[1:]).all()


@pytest.mark.parametrize(
    ("settings", "error"),
    [
        ({"method": "jump"}, BadSetting),
        ({"method": "closed form", "optimizer": "adam"}, BadSetting),
        ({"method": "closed form", "tolerance": 0.1}, BadSetting),
        ({"learning_rate": np.ones(3)}, BadSetting),
        ({"learning_rate": -1.0}, BadSetting),
        ({"start": np.ones(9)}, BadSetting),
        ({"start": np.full((CURVES, 4), np.nan)}, BadSetting),
        ({"steps": 0}, BadSetting),
        ({"basis": "sine"}, UnknownName),
        ({"degree": "auto"}, BadCall),
        ({"absolute_sigma": True}, BadCall),
    ],
)
def test_refusals(settings, error):
    x, y = columns()
    with pytest.raises(error):
        pd.descend_many(x, y, **settings)
