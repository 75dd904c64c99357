"""A fit says how many digits it has, and what its equation alone does not tell."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest

import polydescent as pd
from polydescent import errors
from polydescent.least_squares.accuracy import accuracy
from polydescent.polynomial.basis import CHEBYSHEV, design_matrix

N = 400


def _places():
    rng = np.random.default_rng(31)
    return {
        "uniform": rng.uniform(-1, 1, N),
        "years": rng.integers(1900, 2021, N).astype(float),
        "two clusters": np.concatenate(
            (rng.uniform(0, 1e-3, N // 2), rng.uniform(0.999, 1, N // 2))
        ),
        "log-normal": rng.lognormal(0, 1.5, N),
        "crowded": rng.uniform(0, 1, N) ** 9,
        "one far": np.append(rng.uniform(0, 1, N - 1), 1000.0),
    }


@pytest.mark.parametrize("degree", [1, 3, 6])
@pytest.mark.parametrize("offset", [0.0, 1e4])
@pytest.mark.parametrize("noise", [0.0, 1e-3, 1.0])
@pytest.mark.parametrize("case", _places())
def test_a_fit_of_a_summary_has_at_least_the_digits_it_says(case, noise, offset, degree):
    """Against the exact weights of the refined fit of the same rows."""
    x = _places()[case]
    u = (x - x.min()) / np.ptp(x)
    y = np.cos(4 * u) + offset + noise * np.random.default_rng(32).normal(size=N)
    try:
        found = pd.summarize(x, y, degree).fit()
    except errors.TooFewDistinct:
        pytest.skip("refused: no digit at all")
    exact = pd.fit(x, y, degree).least_squares.refined.weights
    weights = found.least_squares.weights
    off = [float(Fraction(w) - v) for w, v in zip(weights.tolist(), exact, strict=True)]
    V = design_matrix(CHEBYSHEV, np.linspace(-1, 1, 401), degree)
    error, size = np.abs(V @ off).max(), np.abs(V @ weights).max()
    true = -math.log10(max(error / size, 1e-16))
    assert found.digits <= true + 1.5
    assert found.digits >= min(true, 15.95) - 6
    assert np.linalg.cond(found.summary.R) > 1e3 or found.digits > 11


def test_a_refined_fit_has_all_digits():
    x = _places()["two clusters"]
    found = pd.fit(x, np.cos(x), 6)
    assert found.digits > 15
    assert not any("digits" in text for text in found.cautions)
    assert pd.fit([0, 1], [0, 0], 1).digits == pytest.approx(15.95, abs=0.01)


def test_few_digits_are_printed_with_the_error_in_units_of_y():
    x = _places()["two clusters"]
    found = pd.summarize(x, 1000 * np.cos(x), 6).fit()
    assert found.digits < 10
    caution = found.cautions[0]
    assert "in units of y" in caution
    assert "condition number" in caution
    assert f"caution: {caution}" in str(found)
    assert caution in found.advice
    assert pd.Fit.from_json(found.to_json()).digits == found.digits


def test_a_descent_has_the_digits_it_has_reached():
    x = np.linspace(-1, 1, 50)
    there = pd.descend(x, np.cos(x), 2, basis="chebyshev", steps=300)
    on_its_way = pd.descend(x, np.cos(x), 2, basis="chebyshev", steps=3)
    assert on_its_way.digits < 3 < 10 < there.digits
    rate = pd.GradientDescent(learning_rate=10.0)
    lost = pd.descend(x, np.cos(x), 2, optimizer=rate, allow_divergence=True)
    assert lost.digits == 0


def test_a_degree_that_the_rows_hardly_hold_is_not_silent():
    x = np.linspace(0, 1, 25)
    y = np.cos(3 * x)
    assert pd.fit(x, y, 8).cautions == ()
    wild = pd.fit(x, y, 20)
    assert "hardly hold this curve" in wild.advice
    assert "caution: The rows hardly hold" in str(wild)
    # what it says is so: the standard error there, in units of that of one y
    place = 0.989459
    assert f"x = {place}" in wild.advice
    low, high = pd.fit(x, y + np.sin(1e5 * x), 20, sigma=1.0, absolute_sigma=True).confidence_band(
        place
    )
    assert f"{(high - low) / 2 / 1.959964:.1e}"[:3] in wild.advice
    holed = np.concatenate((np.linspace(0, 0.2, 20), np.linspace(0.8, 1, 20)))
    assert "near x = 0." in pd.fit(holed, holed, 10).advice


# ── an x far from all others ──

FAR = [9.96920996838687e36, -9.97e36, 1e20, -99999.0, 1e300, 1.7e308]


def with_one(far, n=40_000, where=5, times=1):
    x = np.random.default_rng(33).uniform(0, 10, n)
    x[where : where + times] = far
    return x, np.sin(x / 10 * (np.abs(x) < 11))


@pytest.mark.parametrize("kernels", ["native", "blocks"])
@pytest.mark.parametrize("far", FAR)
def test_one_far_x_in_many_is_answered_or_refused_by_name(far, kernels, monkeypatch):
    monkeypatch.setenv("POLYDESCENT_KERNELS", kernels)
    x, y = with_one(far)
    found = pd.fit(x, y, 1)
    assert f"x = {far:.6g} stands alone: the other 39,999 lie from" in found.advice
    assert f"{far:.6g} stands alone" in str(found)
    if abs(far) > 1e9:
        assert found(far) == pytest.approx(y[5], abs=1e-9)
        with pytest.raises(errors.TooFewDistinct, match="stands alone"):
            pd.fit(x, y, 3)
        with pytest.raises(errors.TooFewDistinct, match="stands alone"):
            pd.descend(x, y, 3)


def test_a_fill_value_in_many_rows_stands_alone_too():
    x, y = with_one(-99999.0, times=300)
    assert "x = -99999 (in 300 rows) stands alone: the other 39,700" in pd.fit(x, y, 1).advice


@pytest.mark.parametrize("case", ["uniform", "years", "two clusters", "log-normal"])
def test_ordinary_x_do_not_stand_alone(case):
    x = _places()[case]
    assert "alone" not in pd.fit(x, np.cos(x), 2).advice


def test_rows_of_weight_zero_are_no_company_and_no_outlier():
    x, y = with_one(1e20, n=100)
    weights = np.ones(100)
    assert "alone" in pd.fit(x, y, 1, weights=weights).advice
    weights[5] = 0
    assert "alone" not in pd.fit(x, y, 1, weights=weights).advice


def test_few_rows_are_no_crowd():
    assert "alone" not in pd.fit([0.0, 1.0, 1e6], [1.0, 2.0, 4.0], 1).advice


@pytest.mark.parametrize(
    ("far", "others", "alone"), [(2000.0, 300, 1), (100.0, 300, 1), (2000.0, 300, 400)]
)
def test_what_stands_alone_is_far_and_rarer_than_the_rest(far, others, alone):
    x = np.append(np.random.default_rng(34).uniform(0, 1, others), np.full(alone, far))
    said = pd.fit(x, np.cos(x), 1).advice
    assert ("stands alone" in said) == (far > 1000 and alone < others)


def test_rows_at_one_x_are_judged_there():
    """A slope through the origin of a column that is 5 throughout: no other place is known."""
    fit = pd.fit([5.0, 5, 5], [1.0, 2, 4], 1, terms=[1])
    found = accuracy(fit.least_squares, fit.summary.triangle)
    assert found.place == 5
    assert found.noise == pytest.approx(1 / math.sqrt(3))


def test_a_curve_far_from_the_solution_has_no_digit():
    """Its size over its error is below the smallest float64."""
    x = np.linspace(0, 1, 9)
    fitted = pd.fit(x, 1e140 * (1 + x), 1)
    found = accuracy(fitted.least_squares, fitted.summary.triangle, np.array([1e-200, 0.0]))
    assert found.digits == 0
    assert 1e140 < found.error < 1e141
