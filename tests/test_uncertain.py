"""Standard errors, intervals, bands and what follows, against exact arithmetic and statsmodels."""

from __future__ import annotations

import json
import math
import pickle
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
import statsmodels.api as sm
import torch
from exact import least_squares, random_problem, root

import polydescent as pd
from polydescent import errors
from polydescent.rows.rows import Rows

NIST = Path(__file__).parent / "data" / "nist"


def data(seed=0, n=40):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 4, n)
    return x, 1 - 2 * x + 0.5 * x**2 + rng.normal(size=n), rng.uniform(0.2, 3, n)


def vandermonde(x, degree):
    return np.vander(x, degree + 1, increasing=True)


# ── numbers ──


@pytest.mark.parametrize("name", ["norris", "pontius", "wampler3"])
def test_nist_standard_errors(name):
    found = json.loads((NIST / f"{name}.json").read_text())
    fit = pd.fit(np.array(found["x"]), np.array(found["y"]), found["degree"])
    certified = found["certified"]
    np.testing.assert_allclose(fit.stderr, certified["stderr_ascending"], rtol=10**-13.7)
    np.testing.assert_allclose(fit.residual_sd, certified["residual_sd"], rtol=1e-13)
    np.testing.assert_allclose(fit.r2, certified["r_squared"], rtol=1e-13)


@pytest.mark.parametrize("name", ["wampler1", "wampler2"])
def test_exact_fits_have_no_errors_worth_the_name(name):
    found = json.loads((NIST / f"{name}.json").read_text())
    fit = pd.fit(np.array(found["x"]), np.array(found["y"]), found["degree"])
    assert fit.r2 == 1
    assert fit.residual_sd < 1e-14
    assert np.abs(np.asarray(fit.stderr)).max() < 1e-14


def test_against_exact_arithmetic():
    rng = np.random.default_rng(1)
    for _ in range(10):
        x, y, weights, degree = random_problem(rng)
        exact = least_squares(x, y, degree, weights)
        fit = pd.fit(x, y, degree, weights=weights)
        variance = exact.rss / (len(x) - degree - 1)
        assert fit.coef.tolist() == [float(c) for c in exact.coef]
        errors_ = [root(variance * row[i]) for i, row in enumerate(exact.inverse)]
        np.testing.assert_allclose(fit.stderr, errors_, rtol=1e-15)
        covariance = np.array([[float(variance * v) for v in row] for row in exact.inverse])
        scale = np.outer(errors_, errors_)
        np.testing.assert_allclose(fit.covariance / scale, covariance / scale, atol=1e-14)
        assert fit.r2 == pytest.approx(float(1 - exact.rss / exact.tss), rel=1e-15)


@pytest.mark.parametrize("weighted", [False, True])
def test_against_statsmodels(weighted):
    x, y, w = data()
    fit = pd.fit(x, y, 2, weights=w if weighted else None)
    V, weights = vandermonde(x, 2), cast(Any, w)
    model = sm.WLS(y, V, weights=weights) if weighted else sm.OLS(y, V)
    other = model.fit()
    np.testing.assert_allclose(fit.stderr, other.bse, rtol=1e-10)
    np.testing.assert_allclose(fit.covariance, other.cov_params(), rtol=1e-10)
    np.testing.assert_allclose(fit.confidence_interval(0.9), other.conf_int(0.1), rtol=1e-9)
    assert fit.r2 == pytest.approx(other.rsquared, rel=1e-12)
    assert fit.adjusted_r2 == pytest.approx(other.rsquared_adj, rel=1e-12)
    assert fit.residual_sd == pytest.approx(math.sqrt(other.scale), rel=1e-12)
    assert fit.degrees_of_freedom == other.df_resid
    assert fit.aic - 2 == pytest.approx(other.aic, rel=1e-12)  # it does not count the variance
    assert fit.bic - math.log(40) == pytest.approx(other.bic, rel=1e-12)
    at = np.linspace(-1, 4, 7).clip(x.min(), x.max())
    frame = other.get_prediction(vandermonde(at, 2)).summary_frame(0.05)
    low, high = fit.confidence_band(at)
    np.testing.assert_allclose(low, frame["mean_ci_lower"], rtol=1e-9)
    np.testing.assert_allclose(high, frame["mean_ci_upper"], rtol=1e-9)
    low, high = fit.prediction_band(at, weight=1)
    np.testing.assert_allclose(low, frame["obs_ci_lower"], rtol=1e-9)
    np.testing.assert_allclose(high, frame["obs_ci_upper"], rtol=1e-9)


def test_leave_one_out_leaves_each_row_out():
    x, y, w = data(n=25)
    table = pd.fit(x, y, 3, weights=w).degrees()
    for degree in range(4):
        left = []
        for i in range(len(x)):
            rest = np.arange(len(x)) != i
            one = pd.fit(x[rest], y[rest], degree, weights=w[rest])
            left.append(y[i] - one(x[i], outside="ignore"))
        expected = math.sqrt(np.mean(w * np.square(left)))
        assert table.loo[degree] == pytest.approx(expected, rel=1e-10)


def test_degrees_are_those_of_separate_fits():
    x, y, w = data()
    table = pd.fit(x, y, 2, weights=w).degrees(5)
    assert table.degree.tolist() == list(range(6))
    for degree in range(6):
        one = pd.fit(x, y, degree, weights=w)
        assert table.loss[degree] == pytest.approx(one.loss, rel=1e-12)
        assert table.residual_sd[degree] == pytest.approx(one.residual_sd, rel=1e-12)
        assert table.adjusted_r2[degree] == pytest.approx(one.adjusted_r2, rel=1e-9, abs=1e-9)
        assert table.aicc[degree] == pytest.approx(one.aicc, rel=1e-12)
        assert table.bic[degree] == pytest.approx(one.bic, rel=1e-12)
    assert table.pick == 2
    assert "← pick" in str(table)
    assert pd.fit(x, y, "auto", weights=w).degree == 2
    assert pd.fit(x, y, "auto:1", weights=w).degree == 1


def test_noise_free_data_stop_at_their_degree():
    x = np.linspace(-1, 2, 50)
    assert pd.fit(x, 1 - 3 * x**3, "auto").degree == 3
    assert pd.fit(x, np.full(50, 2.0), "auto").degree == 0


# ── what weights and sigma mean ──


def test_sigma_is_weights_of_one_over_its_square():
    x, y, s = data()
    by_sigma = pd.fit(x, y, 2, sigma=s)
    weights = [float(1 / Fraction(v) ** 2) for v in s.tolist()]
    by_weights = pd.fit(x, y, 2, weights=weights)
    assert by_sigma.coef.tolist() == by_weights.coef.tolist()
    np.testing.assert_array_equal(by_sigma.stderr, by_weights.stderr)


def test_absolute_sigma_is_not_scaled_by_the_residuals():
    x, y, s = data()
    fit = pd.fit(x, y, 2, sigma=s, absolute_sigma=True)
    V = vandermonde(x, 2) / s[:, None]
    np.testing.assert_allclose(fit.covariance, np.linalg.inv(V.T @ V), rtol=1e-9)
    low, high = fit.confidence_interval(0.95)[0]
    assert high - low == pytest.approx(2 * 1.959963984540054 * fit.stderr[0], rel=1e-12)
    assert "σ known" in str(fit)


def test_weights_scale_nothing_but_residual_sd():
    x, y, w = data()
    one, many = pd.fit(x, y, 2, weights=w), pd.fit(x, y, 2, weights=1e6 * w)
    np.testing.assert_allclose(one.stderr, many.stderr, rtol=1e-14)
    assert one.r2 == pytest.approx(many.r2, rel=1e-15)


def test_a_zero_weight_excludes_its_row_even_where_y_is_nan():
    x, y, w = data()
    w[[3, 9]] = 0
    bad = y.copy()
    bad[[3, 9]] = np.nan
    keep = w > 0
    fit, rest = (
        pd.fit(x, bad, 2, weights=w),
        pd.fit(x[keep], y[keep], 2, weights=w[keep]),
    )
    assert fit.coef.tolist() == rest.coef.tolist()
    assert fit.n == rest.n == 38
    assert fit.degrees_of_freedom == rest.degrees_of_freedom
    np.testing.assert_array_equal(fit.stderr, rest.stderr)
    assert "2 of weight 0" in str(fit)


@pytest.mark.parametrize("column", ["x", "y", "weights", "sigma"])
def test_missing_values_are_refused_or_omitted_alike(column):
    x, y, w = data()
    columns: dict[str, Any] = {"x": x, "y": y, "weights" if column != "sigma" else "sigma": w}
    columns[column] = columns[column].copy()
    columns[column][5] = np.nan
    x, y = columns.pop("x"), columns.pop("y")
    with pytest.raises(errors.NotFinite, match="row 5"):
        pd.fit(x, y, 2, **columns)
    fit = pd.fit(x, y, 2, missing="omit", **columns)
    assert fit.n == 39
    assert "39 used, 1 omitted" in str(fit)


# ── constraints ──


def test_terms_and_fixed_coefficients_against_exact_arithmetic():
    rng = np.random.default_rng(2)
    for _ in range(8):
        x, y, weights, _ = random_problem(rng, 4)
        exact = least_squares(x, y, 4, weights, [1, 4])
        fit = pd.fit(x, y, weights=weights, terms=[1, 4])
        assert fit.coef.tolist() == [0, float(exact.coef[0]), 0, 0, float(exact.coef[1])]
        variance = exact.rss / (len(x) - 2)
        errors_ = [root(variance * exact.inverse[i][i]) for i in range(2)]
        np.testing.assert_allclose(np.asarray(fit.stderr)[[1, 4]], errors_, rtol=1e-15)
        assert np.asarray(fit.stderr)[[0, 2, 3]].tolist() == [0, 0, 0]
        assert fit.degrees_of_freedom == len(x) - 2


def test_a_fixed_coefficient_is_what_was_asked():
    x, y, _ = data()
    fit = pd.fit(x + 100, y, 2, fix={0: 0.1})
    assert fit.coef[0] == 0.1
    exact = least_squares(x + 100, [Fraction(v) - Fraction(0.1) for v in y], 2, terms=[1, 2])
    np.testing.assert_array_equal(fit.coef[1:], [float(c) for c in exact.coef])


def test_through_is_met_where_it_was_asked():
    x, y, _ = data()
    fit = pd.fit(x, y, 3, through=[(1.5, 7.0), (3, -2)])
    assert fit(1.5) == pytest.approx(7, abs=1e-13)
    assert fit(3.0) == pytest.approx(-2, abs=1e-13)
    assert fit._uncertain.stderr_at(1.5) == pytest.approx(0, abs=1e-7)
    assert fit.loss > pd.fit(x, y, 3).loss


def test_terms_that_data_cannot_tell_apart_are_fine_without_the_others():
    fit = pd.fit([1.0, 1, 2, 2], [1.0, 1.2, 8.1, 7.9], terms=[3])
    assert fit.coef[3] == pytest.approx((1.1 + 8 * 8) / 65)
    with pytest.raises(errors.TooFewDistinct):
        pd.fit([1.0, 1, 2, 2], [1.0, 1.2, 8.1, 7.9], 3)


# ── derived quantities ──


def test_derivative_and_integral_are_linear_maps_of_the_covariance():
    x, y, _ = data()
    fit = pd.fit(x, y, 3)
    C, c = np.asarray(fit.covariance), np.asarray(fit.coef)
    at = 1.7
    slope = np.array([0, 1, 2 * at, 3 * at**2])
    assert fit.derivative()(at) == pytest.approx(slope @ c, rel=1e-12)
    assert fit.derivative().stderr_at(at) == pytest.approx(math.sqrt(slope @ C @ slope), rel=1e-9)
    np.testing.assert_allclose(fit.derivative().coef, [c[1], 2 * c[2], 3 * c[3]], rtol=1e-12)
    powers = np.arange(1, 5)
    area = (3**powers - 0.5**powers) / powers
    found = fit.integral(0.5, 3)
    assert found.value == pytest.approx(area @ c, rel=1e-12)
    assert found.stderr == pytest.approx(math.sqrt(area @ C @ area), rel=1e-9)
    assert fit.derivative(4).coef.tolist() == [0]


def test_roots_and_extrema_by_the_delta_method():
    x, y, _ = data()
    fit = pd.fit(x, y, 2)
    (a, b, c), C = np.asarray(fit.coef), np.asarray(fit.covariance)
    for found in fit.roots(everywhere=True):
        at = found.value
        assert a + b * at + c * at**2 == pytest.approx(0, abs=1e-12)
        gradient = -np.array([1, at, at**2]) / (b + 2 * c * at)
        assert found.stderr == pytest.approx(math.sqrt(gradient @ C @ gradient), rel=1e-9)
    (turn,) = fit.extrema()
    assert turn.kind == "minimum"
    assert turn.x.value == pytest.approx(-b / (2 * c), rel=1e-12)
    gradient = np.array([0, -1 / (2 * c), b / (2 * c**2)])
    assert turn.x.stderr == pytest.approx(math.sqrt(gradient @ C @ gradient), rel=1e-9)
    low, high = turn.x.confidence_interval(0.99)
    assert low < turn.x.value < high
    assert turn.value.value == pytest.approx(fit(turn.x.value), rel=1e-14)


def test_roots_of_special_curves():
    x = np.linspace(-2, 2, 21)
    assert pd.fit(x, 0 * x, 2).roots() == []
    assert pd.fit(x, 0 * x + 3, 2).roots() == []
    touching = pd.fit(x, (x - 1) ** 2, 2).roots()
    assert len(touching) == 1
    assert touching[0].value == pytest.approx(1, abs=1e-15)
    assert touching[0].touches
    assert math.isfinite(touching[0].stderr)
    assert [r.value for r in pd.fit(x, x**3 - x, 3).roots()] == pytest.approx([-1, 0, 1], abs=1e-14)
    assert pd.fit(x, x - 5, 1).roots() == []
    assert pd.fit(x, x - 5, 1).roots(everywhere=True)[0].value == pytest.approx(5)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_results_live_where_the_data_do(dtype):
    x, y, _ = (torch.tensor(column, dtype=dtype) for column in data())
    fit = pd.fit(x, y, 2)
    at = x[:4]
    arrays = [fit.coef, fit.stderr, fit.covariance, fit.confidence_interval(), fit(at)]
    arrays += [*fit.confidence_band(at), *fit.prediction_band(at), fit.derivative()(at)]
    assert all(isinstance(a, torch.Tensor) and a.dtype == dtype for a in arrays)
    assert fit.confidence_interval().shape == (3, 2)
    assert isinstance(fit.confidence_band(0.5)[0], float)


def test_a_summary_gives_the_same_to_rounding_and_says_it_is_not_refined():
    x, y, w = data()
    fit, bare = (
        pd.fit(x, y, 3, weights=w),
        pd.summarize(x, y, 3, weights=w).fit(),
    )
    np.testing.assert_allclose(bare.coef, fit.coef, rtol=1e-12)
    np.testing.assert_allclose(bare.stderr, fit.stderr, rtol=1e-12)
    assert fit.is_refined
    assert not bare.is_refined
    assert "not refined" in str(bare)
    with pytest.raises(errors.BadCall, match="summarize"):
        bare.degrees(7)


def test_without_degrees_of_freedom_nothing_is_claimed():
    fit = pd.fit([0.0, 1, 2], [1.0, 5, 2], 2)
    assert np.isnan(fit.stderr).all()
    assert np.isnan(fit.confidence_interval()).all()
    assert math.isnan(fit.residual_sd)
    assert fit.aicc == math.inf
    assert "unknown: as many coefficients as rows" in str(fit)


# ── beyond the data ──


def test_outside_the_domain():
    line = pd.fit([0.0, 1, 2], [1.0, 3, 5], 1)
    with pytest.warns(errors.OutsideDomainWarning, match=r"x = 10 outside \[0, 2\]"):
        assert line(10) == 21
    with pytest.raises(errors.OutsideDomain, match="2 of 3 x, from -1 to 9"):
        line(np.array([-1, 1, 9]), outside="raise")
    assert line(10, outside="ignore") == 21
    with pytest.raises(errors.BadSetting, match="outside"):
        line(1, outside="no")


@pytest.mark.parametrize("x", [np.linspace(-3, 7, 20), 1e9 + np.arange(20), 1e-30 * np.arange(20)])
def test_rounding_at_an_end_of_the_domain_is_not_outside(x):
    fit = pd.fit(x, np.cos(np.arange(20)), 2)
    half = np.ptp(x) / 2
    for end, away in ((x[0], -half), (x[-1], half)):
        fit(end + 1e-10 * away, outside="raise")
        with pytest.raises(errors.OutsideDomain):
            fit(end + 1e-6 * away, outside="raise")


def test_no_loss_is_below_the_lowest():
    """By its rounding it may be: in float32 about every second descent over the rows ends so."""
    below = 0
    for seed in range(20):
        rng = np.random.default_rng(seed)
        x = rng.uniform(-1, 1, 30).astype(np.float32)
        y = np.cos(3 * x) + 0.1 * rng.normal(size=30).astype(np.float32)
        run = pd.descend(x, y, 3, basis="chebyshev", optimizer="momentum", over="rows", steps=300)
        below += run.loss < run.lowest_loss
        assert run.excess >= 0
        lower = replace(run, loss=run.lowest_loss * (1 - 1e-7))
        assert lower.excess == 0
    assert below > 0


def test_coverage_of_intervals_and_bands():
    """95 % intervals hold the truth in 93 to 97 % of samples, within what 400 of them can show."""
    rng = np.random.default_rng(5)
    x = np.linspace(-1, 3, 30)
    truth = np.array([-1.0, 2, -0.5])
    hits = np.zeros(3)
    for _ in range(400):
        y = np.polynomial.polynomial.polyval(x, truth) + 0.1 * rng.normal(size=30)
        fit = pd.fit(x, y, 2)
        low, high = fit.confidence_interval()[1]
        hits[0] += low <= truth[1] <= high
        low, high = fit.extrema(everywhere=True)[0].x.confidence_interval()
        hits[1] += low <= 2 <= high
        low, high = fit.prediction_band(1.3)
        new = np.polynomial.polynomial.polyval(1.3, truth) + 0.1 * rng.normal()
        hits[2] += low <= new <= high
    assert (hits / 400 > 0.92).all()
    assert (hits / 400 < 0.98).all()


def test_criteria_with_known_variance_count_no_variance():
    x, y, s = data()
    fit = pd.fit(x, y, 2, sigma=s, absolute_sigma=True)
    residual = (y - fit(x)) / s
    deviance = np.sum(residual**2 + np.log(2 * np.pi * s**2))
    assert fit.aic == pytest.approx(deviance + 2 * 3, rel=1e-12)
    assert fit.degrees(2).aicc[2] == pytest.approx(fit.aicc, rel=1e-12)
    assert fit.bic == pytest.approx(deviance + 3 * math.log(40), rel=1e-12)


def test_a_pickled_fit_says_the_same():
    x, y, w = data()
    fit = pd.fit(x, y, 2, weights=w)
    back = pickle.loads(pickle.dumps(fit))
    assert back.rows is None
    for name in ("coef", "stderr", "covariance", "aic", "bic", "r2", "residual_sd"):
        np.testing.assert_array_equal(getattr(back, name), getattr(fit, name))


# ── a new y, and how well known sigmas fit ──


@pytest.mark.parametrize("scale", [1e-30, 1e-2, 1e30])
@pytest.mark.parametrize("absolute", [False, True])
def test_a_prediction_band_holds_new_rows(absolute, scale):
    """Of rows with one sigma, and of a new row with a sigma of its own."""
    rng = np.random.default_rng(5)
    x = np.linspace(0, 1, 30)
    at, theirs = np.array([0.1, 0.5, 0.9]), scale * np.array([0.2, 1.0, 5.0])
    typical, own = [], []
    for _ in range(150):
        y = scale * (1 + 2 * x + rng.normal(size=30))
        fit = pd.fit(x, y, 1, sigma=np.full(30, scale), absolute_sigma=absolute)
        new = scale * (1 + 2 * at)
        low, high = fit.prediction_band(at)
        y_new = new + scale * rng.normal(size=3)
        typical += ((low < y_new) & (y_new < high)).tolist()
        low, high = fit.prediction_band(at, sigma=theirs)
        y_new = new + theirs * rng.normal(size=3)
        own += ((low < y_new) & (y_new < high)).tolist()
    assert 0.91 < np.mean(typical) < 0.985
    assert 0.91 < np.mean(own) < 0.985


def test_a_prediction_band_of_weights_is_that_of_statsmodels():
    x, y, w = data()
    fit = pd.fit(x, y, 2, weights=w)
    model = sm.WLS(y, vandermonde(x, 2), weights=cast(Any, w)).fit()
    at = np.linspace(-1, 4, 7).clip(x.min(), x.max())
    own = np.geomspace(0.1, 10, 7)
    frame = model.get_prediction(vandermonde(at, 2), weights=own).summary_frame(0.1)
    for said in ({"weight": own}, {"sigma": 1 / np.sqrt(own)}):
        low, high = fit.prediction_band(at, 0.9, **said)
        np.testing.assert_allclose(low, frame["obs_ci_lower"], rtol=1e-9)
        np.testing.assert_allclose(high, frame["obs_ci_upper"], rtol=1e-9)
    assert fit.typical_weight == pytest.approx(np.exp(np.log(w).mean()))
    assert fit.prediction_band(0.5) == fit.prediction_band(0.5, weight=fit.typical_weight)
    assert pd.fit(x, y, 2).typical_weight == 1
    torch_x = torch.tensor(at)
    low, _ = fit.prediction_band(torch_x, 0.9, weight=own)
    np.testing.assert_allclose(low.numpy(), frame["obs_ci_lower"], rtol=1e-9)


@pytest.mark.parametrize(
    ("said", "error", "says"),
    [
        ({"weight": 1, "sigma": 1}, errors.BadCall, "not both"),
        ({"weight": 0}, errors.BadSetting, "weight must be above 0"),
        ({"sigma": -1.0}, errors.BadSetting, "sigma must be above 0"),
        ({"sigma": math.nan}, errors.BadSetting, "sigma must be a finite number"),
        ({"sigma": [1.0, 2.0]}, errors.LengthMismatch, "x has 3, sigma has 2"),
        ({"weight": "heavy"}, errors.BadSetting, "weight must be a finite number"),
    ],
)
def test_new_rows_that_cannot_be(said, error, says):
    x, y, w = data()
    with pytest.raises(error, match=says):
        pd.fit(x, y, 1, weights=w).prediction_band([0.0, 1.0, 2.0], **said)


def test_sigma_has_no_unit_where_rows_had_none():
    x, y, _ = data()
    with pytest.raises(errors.BadCall, match="pass weight="):
        pd.fit(x, y, 1).prediction_band(1.0, sigma=0.1)


def test_chi_squared_and_how_probable_it_is():
    from scipy import stats

    x, y, _ = data()
    sigma = np.full(x.size, 1.1)
    fit = pd.fit(x, y, 2, sigma=sigma, absolute_sigma=True)
    expected = np.sum(((y - fit(x)) / sigma) ** 2)
    assert fit.chi2 == pytest.approx(expected, rel=1e-12)
    assert fit.chi2_p == pytest.approx(stats.chi2.sf(expected, x.size - 3), rel=1e-9)
    assert f"χ²: {fit.chi2:.6g} on 37 degrees of freedom, p = {fit.chi2_p:.4g}" in str(fit)
    relative = pd.fit(x, y, 2, sigma=sigma)
    assert math.isnan(relative.chi2)
    assert math.isnan(relative.chi2_p)
    assert "χ²" not in str(relative)
    none_left = pd.fit(x[:3], y[:3], 2, sigma=sigma[:3], absolute_sigma=True)
    assert math.isnan(none_left.chi2_p)


# ── rows ──


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_residuals_are_of_the_kind_of_the_data(dtype):
    x, y, _ = (torch.tensor(column, dtype=dtype) for column in data())
    fit = pd.fit(x, y, 2)
    assert isinstance(fit.residuals, torch.Tensor)
    assert fit.residuals.dtype == dtype
    np.testing.assert_allclose(fit.residuals.numpy(), (y - fit(x)).numpy(), atol=1e-6)


def test_residuals_of_all_rows_read_even_of_weight_0():
    x, y, w = data()
    w[3] = 0
    fit = pd.fit(x, y, 2, weights=w)
    np.testing.assert_allclose(fit.residuals, y - fit(x), atol=1e-14)
    assert np.sum(w * fit.residuals**2) == pytest.approx(fit.loss, rel=1e-12)


def test_residuals_of_rows_that_are_gone_are_refused():
    x, y, _ = data()
    with pytest.raises(errors.RowsNotHeld, match="none of the 40 rows, so it has no residuals"):
        _ = pd.summarize(x, y, 2).fit().residuals
    some = replace(pd.fit(x, y, 2), rows=Rows.of(x[::2], y[::2]))
    with pytest.raises(errors.RowsNotHeld, match="20 of the 40 rows"):
        _ = some.residuals


# ── sizes of y ──


@pytest.mark.parametrize("scale", [2.0**-420, 2.0**-100, 2.0**100, 2.0**450])
def test_statistics_of_y_of_any_size(scale):
    x, y, w = data()
    one, other = (
        pd.fit(x, y, 2, weights=w),
        pd.fit(x, scale * y, 2, weights=w),
    )
    np.testing.assert_allclose(other.stderr, scale * np.asarray(one.stderr), rtol=1e-12)
    assert other.r2 == pytest.approx(one.r2, rel=1e-12)
    np.testing.assert_allclose(
        [r.value for r in other.roots(everywhere=True)],
        [r.value for r in one.roots(everywhere=True)],
        rtol=1e-12,
    )


@pytest.mark.parametrize("ask", ["fit", "through", "descend", "summary"])
def test_y_whose_squares_are_no_doubles_is_refused(ask):
    x, y, _ = data()
    y = 1e-162 * y
    calls = {
        "fit": lambda: pd.fit(x, y, 2),
        "through": lambda: pd.fit(x, y, 2, through=(0, 0)),
        "descend": lambda: pd.descend(x, y, 2),
        "summary": lambda: pd.summarize(x, y, 2).fit(1),
    }
    with pytest.raises(errors.OutOfRange, match="Multiply y by a constant first"):
        calls[ask]()


def test_small_y_among_others_and_y_of_0_are_fitted():
    x, y, _ = data()
    parts = pd.summarize(x, 1e-162 * y, 2) + pd.summarize(x, y, 2)
    assert parts.fit().r2 < 1
    assert pd.fit(x, 0 * y, 2).coef.tolist() == [0, 0, 0]


# ── pandas ──


def test_a_series_gives_a_series_on_its_index():
    import pandas

    x, y, _ = data()
    fit = pd.fit(x, y, 2)
    at = pandas.Series([0.5, 1.5, 2.5], index=["a", "b", "c"])
    found = fit(at)
    assert isinstance(found, pandas.Series)
    assert found.index.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(found.to_numpy(), fit(at.to_numpy()))
    low, high = fit.confidence_band(at)
    assert (low < found).all()
    assert (found < high).all()
    frame = fit.to_frame(at, level=0.9)
    assert frame.index.tolist() == ["a", "b", "c"]
    np.testing.assert_array_equal(frame["y"], found)
    np.testing.assert_array_equal(frame["prediction_high"], fit.prediction_band(at, 0.9)[1])
    assert isinstance(fit(at.to_numpy()), np.ndarray)


def test_degrees_as_a_frame():
    x, y, _ = data()
    table = pd.fit(x, y, 2).degrees(4)
    frame = table.to_frame()
    assert frame.index.tolist() == [0, 1, 2, 3, 4]
    assert frame.index.name == "degree"
    np.testing.assert_array_equal(frame["aicc"], table.aicc)
    assert frame["aicc"].idxmin() == table.pick


def test_frames_without_pandas_say_how_to_get_it(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pandas", None)
    x, y, _ = data()
    with pytest.raises(errors.MissingExtra, match="pandas"):
        pd.fit(x, y, 2).degrees().to_frame()
