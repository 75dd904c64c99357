"""Laws of a fit and its uncertainty: what must not matter does not, what scales, scales."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import backends

import polydescent as pd

rng = np.random.default_rng(21)
N = 60
X = rng.uniform(-2, 5, N)
Y = 1 - X + 0.3 * X**2 + rng.normal(size=N)
W = rng.integers(1, 4, N).astype(float)
FITS = {
    "plain": {"degree": 3},
    "weighted": {"degree": 2, "weights": W},
    "absolute": {"degree": 2, "sigma": 1 / np.sqrt(W), "absolute_sigma": True},
    "terms": {"terms": [0, 2, 3]},
    "through": {"degree": 3, "through": (1.0, 2.0)},
}
settings = pytest.mark.parametrize("asked", FITS.values(), ids=FITS)


def assert_same(a, b, rtol=1e-11):
    np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=rtol, atol=1e-13)


@settings
def test_the_order_of_rows_does_not_matter_to_the_last_bit(asked):
    order = rng.permutation(N)
    moved: dict[str, Any] = {
        k: v[order] if isinstance(v, np.ndarray) else v for k, v in asked.items()
    }
    one, other = pd.fit(X, Y, **asked), pd.fit(X[order], Y[order], **moved)
    assert one.coef.tolist() == other.coef.tolist()
    assert one.loss == other.loss
    assert_same(one.stderr, other.stderr, 1e-15)


@settings
def test_units_of_y_scale_coefficients_and_errors(asked):
    eightfold = asked | {
        name: value
        for name, value in {
            "through": (1.0, 16.0),
            "sigma": 8 / np.sqrt(W),
        }.items()
        if name in asked
    }
    one, other = pd.fit(X, Y, **asked), pd.fit(X, 8 * Y, **eightfold)
    assert (8 * one.coef).tolist() == other.coef.tolist()
    assert_same(8 * np.asarray(one.stderr), other.stderr, 1e-14)
    assert one.r2 == pytest.approx(other.r2, rel=1e-14)


@pytest.mark.parametrize("asked", [FITS["plain"], FITS["weighted"], FITS["absolute"]])
@pytest.mark.parametrize(("scale", "shift"), [(4.0, 0.0), (1.0, 1024.0), (-0.5, 8.0)])
def test_units_of_x_move_the_curve_with_its_bands(asked, scale, shift):
    moved = scale * X + shift
    X_back = (moved - shift) / scale  # what float64 kept of X
    one, other = pd.fit(X_back, Y, **asked), pd.fit(moved, Y, **asked)
    at = np.linspace(-1, 4, 9)
    assert_same(one(at), other(scale * at + shift))
    for a, b in zip(
        one.prediction_band(at), other.prediction_band(scale * at + shift), strict=True
    ):
        assert_same(a, b)
    assert_same(one.derivative()(at), scale * other.derivative()(scale * at + shift))
    for a, b in zip(one.extrema(), other.extrema()[:: 1 if scale > 0 else -1], strict=True):
        assert a.kind == b.kind
        assert b.x.value == pytest.approx(scale * a.x.value + shift, rel=1e-11)
        assert b.x.stderr == pytest.approx(abs(scale) * a.x.stderr, rel=1e-9)


def test_whole_weights_are_repeated_rows_but_for_the_degrees_of_freedom():
    repeats = W.astype(int)
    one = pd.fit(X, Y, 2, weights=W)
    many = pd.fit(np.repeat(X, repeats), np.repeat(Y, repeats), 2)
    assert one.coef.tolist() == many.coef.tolist()
    assert one.loss == many.loss
    ratio = np.sqrt(many.degrees_of_freedom / one.degrees_of_freedom)
    assert_same(one.stderr, ratio * np.asarray(many.stderr), 1e-14)


@settings
def test_intervals_widen_with_the_level(asked):
    fit = pd.fit(X, Y, **asked)
    at = np.linspace(-1, 4, 5)
    widths = [np.subtract(*fit.confidence_band(at, level)[::-1]) for level in (0.5, 0.9, 0.99)]
    assert (widths[0] <= widths[1]).all()
    assert (widths[1] <= widths[2]).all()
    inner, outer = fit.confidence_band(at), fit.prediction_band(at)
    assert (outer[0] < inner[0]).all()
    assert (inner[1] < outer[1]).all()


@settings
def test_the_integral_of_the_derivative_is_the_difference(asked):
    fit = pd.fit(X, Y, **asked)
    assert fit.derivative().integral(0, 3).value == pytest.approx(fit(3.0) - fit(0.0), rel=1e-12)
    halves = fit.integral(-1, 1).value + fit.integral(1, 4).value
    assert fit.integral(-1, 4).value == pytest.approx(halves, rel=1e-12)
    assert fit.integral(4, -1).value == pytest.approx(-halves, rel=1e-12)


def test_a_sum_of_summaries_has_the_statistics_of_the_whole():
    parts = [pd.summarize(X[i::3], Y[i::3], 3) for i in range(3)]
    merged, whole = sum(parts[1:], parts[0]).fit(), pd.fit(X, Y, 3)
    for name in ("coef", "stderr", "residual_sd", "r2", "adjusted_r2", "aic", "bic"):
        assert_same(getattr(merged, name), getattr(whole, name))
    assert_same(merged.degrees().aicc, whole.degrees(3).aicc)


@backends
def test_every_library_gets_its_own_arrays_back_with_the_same_numbers(backend):
    x, y, w = (backend.array(column) for column in (X, Y, W))
    host = [np.asarray(column, dtype=np.float64) for column in (x, y, w)]
    fit, known = pd.fit(x, y, 2, weights=w), pd.fit(host[0], host[1], 2, weights=host[2])
    at = x[:5]
    pairs = [
        (fit.coef, known.coef),
        (fit.stderr, known.stderr),
        (fit.covariance, known.covariance),
        (fit.confidence_interval(), known.confidence_interval()),
        (fit(at), known(host[0][:5])),
        (fit.derivative()(at), known.derivative()(host[0][:5])),
        (fit._uncertain.stderr_at(at), known._uncertain.stderr_at(host[0][:5])),
        *zip(fit.confidence_band(at), known.confidence_band(host[0][:5]), strict=True),
        *zip(fit.prediction_band(at), known.prediction_band(host[0][:5]), strict=True),
    ]
    for found, expected in pairs:
        assert type(found) is type(x)
        assert found.dtype == x.dtype
        assert_same(found, expected, 1e-6 if backend.dtype == "float32" else 1e-15)
    assert fit.is_refined
    assert fit.loss == known.loss
    assert [r.value for r in fit.roots()] == [r.value for r in known.roots()]
