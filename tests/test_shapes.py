"""A curve keeps its shape between the rows too, and loses no more than it must."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.polynomial import chebyshev
from scipy.optimize import lsq_linear, nnls

import polydescent as pd
from polydescent import errors
from polydescent.least_squares.shapes import SHAPES

CURVES = [np.tanh, np.square, np.exp, np.abs, np.cos, np.zeros_like]


def rows(seed, n=80):
    rng = np.random.default_rng(seed)
    offset, scale = rng.choice([0.0, 5.0, 2000.0]), 10.0 ** rng.integers(-3, 4)
    x = rng.uniform(-2, 2, n)
    y = CURVES[seed % len(CURVES)](x) + rng.normal(0, 10 ** rng.uniform(-2, 0), n)
    return offset + scale * x, y * 10.0 ** rng.integers(-5, 6)


def lowest(found, name):
    """The lowest value of the signed derivative by u, where it turns and at the ends, as a share of
    the largest of the free curve.
    """
    order, sign = SHAPES[name]
    weights = found.curve.in_chebyshev()
    free = found.summary.fit().curve.in_chebyshev()
    u = np.linspace(-1, 1, 2001)
    slope = chebyshev.chebder(weights, order + 1)
    turns = chebyshev.chebroots(slope[: np.flatnonzero(slope)[-1] + 1]) if slope.any() else []
    turns = np.real(turns)[np.abs(np.real(turns)) < 1]
    scale = np.abs(chebyshev.chebval(u, chebyshev.chebder(free, order))).max()
    value = sign * chebyshev.chebval(np.concatenate((u, turns)), chebyshev.chebder(weights, order))
    return value.min() / scale


@pytest.mark.parametrize("seed", range(24))
def test_shapes_hold_between_all_rows_and_from_a_summary_too(seed):
    rng = np.random.default_rng(100 + seed)
    x, y = rows(seed)
    names = [("increasing",), ("convex", "decreasing"), ("positive",), ("concave",)][seed % 4]
    degree = int(rng.integers(1, 13))
    found = pd.fit(x, y, degree, shape=names)
    bare = pd.summarize(x, y, degree).fit(shape=names)
    assert found.is_refined
    assert not bare.is_refined
    for curve in (found, bare):
        for name in names:
            if SHAPES[name][0] <= degree:
                assert lowest(curve, name) > -1e-12
        assert curve.loss >= curve.summary.rss * (1 - 1e-12)
    assert bare.loss == pytest.approx(found.loss, rel=1e-9)
    again = pd.Fit.from_json(found.to_json())
    assert again.coef.tolist() == found.coef.tolist()
    assert again.least_squares.constraints == found.least_squares.constraints


@pytest.mark.parametrize("seed", range(6))
def test_a_cubic_that_rises_loses_what_the_cone_of_rising_cubics_does(seed):
    """Slopes of degree 2 that are not negative are sums of (u − t)² and 1 − u²: many t suffice."""
    rng = np.random.default_rng(seed)
    u = np.linspace(-1, 1, 60)
    y = np.sin(3 * u) + rng.normal(0, 0.3, 60)
    t = np.linspace(-1, 1, 801)
    slopes = [np.polynomial.Polynomial.fromroots([a, a]) for a in t]
    slopes.append(np.polynomial.Polynomial([1, 0, -1]))
    columns = [s.integ()(u) for s in slopes]
    E = np.column_stack((np.ones(60), -np.ones(60), *columns))
    best = nnls(E, y)[1] ** 2
    found = pd.fit(u, y, 3, shape="increasing")
    assert found.loss <= best * (1 + 1e-10)
    assert found.loss >= best * (1 - 1e-4)


def test_places_that_are_touched_are_equations_and_lower_the_freedom():
    x = np.linspace(-1, 1, 50)
    y = x**3 - 0.2 * x
    found = pd.fit(x, y, 3, shape="increasing")
    held = found.least_squares.constraints
    assert [order for order, _ in held.touched] == [1]
    assert held.touched[0][1] == pytest.approx(0, abs=1e-12)
    assert found.degrees_of_freedom == 50 - 3
    assert "shape: increasing, on this domain: touched at x = " in str(found)
    assert "given what is touched" in str(found)
    free = pd.fit(x, 5 * x**3 + x, 3, shape="increasing")
    assert free.coef.tolist() == pd.fit(x, 5 * x**3 + x, 3).coef.tolist()
    assert "the free curve obeys" in str(free)


@pytest.mark.parametrize("seed", range(8))
def test_bounds_are_those_of_bounded_least_squares(seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, 60)
    y = rng.normal(size=60) + rng.normal(size=5) @ x ** np.arange(5)[:, None]
    low, high = np.sort(rng.normal(size=(2, 5)), axis=0)
    low[1], high[3] = -np.inf, np.inf
    V = x[:, None] ** np.arange(5)
    expected = lsq_linear(V, y, (low, high), method="bvls", tol=1e-14)
    ends = {
        j: (None if np.isinf(a) else a, None if np.isinf(b) else b)
        for j, (a, b) in enumerate(zip(low, high, strict=True))
    }
    found = pd.fit(x, y, 4, bounds=ends)
    np.testing.assert_allclose(found.coef, expected.x, rtol=1e-9, atol=1e-10)
    assert (found.coef >= low).all()
    assert (found.coef <= high).all()


def test_shapes_meet_what_else_is_held():
    x, y = rows(3)
    x = (x - x.min()) / np.ptp(x)
    found = pd.fit(x, -y, 4, shape="convex", through=(0.5, 1.0), bounds={1: (0, None)})
    assert found(0.5) == pytest.approx(1, rel=1e-12)
    assert found.coef[1] >= 0
    assert (found.derivative(2)(np.linspace(0, 1, 501)) >= -1e-9 * np.abs(y).max()).all()


def test_nothing_but_zero_is_left_where_y_is_below_it():
    x = np.linspace(0, 1, 30)
    found = pd.fit(x, -1 - x, 3, shape="positive")
    assert found.coef.tolist() == [0, 0, 0, 0]
    assert found.degrees_of_freedom == 30


REFUSED: list[tuple[dict[str, Any], type[Exception], str]] = [
    ({"shape": "up"}, errors.BadSetting, "increasing, decreasing"),
    ({"shape": 3}, errors.BadSetting, "increasing, decreasing"),
    ({"shape": ("increasing", "decreasing")}, errors.BadSetting, "degree=0"),
    ({"shape": ("convex", "concave")}, errors.BadSetting, "degree=1"),
    ({"bounds": {1: (1, 0)}}, errors.BadSetting, "low < high"),
    ({"bounds": {7: (0, 1)}}, errors.BadSetting, "from 0 to the degree"),
    ({"bounds": [0, 1]}, errors.BadSetting, "a mapping"),
    ({"bounds": {1: ("a", 1)}}, errors.BadSetting, "a mapping"),
    ({"shape": "convex", "degree": "auto"}, errors.BadCall, "shape="),
    ({"shape": "convex", "degree": 41}, errors.BadSetting, "at most 40"),
    ({"shape": "increasing", "bounds": {1: (None, -1)}}, errors.NoSuchCurve, "Widen bounds="),
    ({"shape": "increasing", "through": [(0, 1), (1, 0)]}, errors.NoSuchCurve, "through"),
]


@pytest.mark.parametrize(("asked", "refusal", "text"), REFUSED)
def test_what_cannot_be_is_refused(asked, refusal, text):
    x = np.linspace(0, 1, 60)
    with pytest.raises(refusal, match=text):
        pd.fit(x, x, **{"degree": 3} | asked)
