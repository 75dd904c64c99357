"""sigma means 1/σ² of the number given, rounded once: whatever its dtype, one or a column."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from cases import backends
from exact import least_squares

import polydescent as pd
from polydescent import errors
from polydescent.regression.request import weights_of

RNG = np.random.default_rng(21)
SIGMAS = {
    "float64": RNG.uniform(0.1, 3, 200),
    "three hundred decades": 10 ** RNG.uniform(-150, 150, 200),
    "float32": RNG.uniform(0.1, 3, 200).astype(np.float32),
    "float32 near its ends": (10 ** RNG.uniform(-37, 37, 200)).astype(np.float32),
    "float16": RNG.uniform(0.01, 3, 200).astype(np.float16),
    "whole numbers": RNG.integers(1, 10**6, 200),
    "bytes": RNG.integers(1, 120, 200).astype(np.int8),
    "list": [0.1, 0.2, 0.3, 3],
}


@pytest.mark.parametrize("case", SIGMAS)
def test_weights_are_the_inverse_square_rounded_once(case):
    found = weights_of(None, SIGMAS[case])
    assert found.tolist() == [float(1 / Fraction(float(s)) ** 2) for s in SIGMAS[case]]


@backends
def test_sigma_of_any_library_keeps_its_digits(backend):
    values = backend.array(np.linspace(0.1, 3, 50))
    found = weights_of(None, values)
    assert type(found) is type(values)
    expected = [float(1 / Fraction(float(s)) ** 2) for s in values]
    assert [float(w) for w in found] == expected


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_the_fit_is_that_of_the_sigma_given(dtype):
    rng = np.random.default_rng(22)
    x = rng.uniform(0, 4, 40)
    sigma = (0.1 + 0.2 * x).astype(dtype)
    y = 3 - x + sigma * rng.normal(size=40)
    exact = least_squares(x, y, 1, [1 / Fraction(float(s)) ** 2 for s in sigma])
    found = pd.fit(x, y, 1, sigma=sigma)
    np.testing.assert_allclose(found.coef, [float(c) for c in exact.coef], rtol=2e-15)
    assert found.loss == pytest.approx(float(exact.rss), rel=2e-15)


@pytest.mark.parametrize("number", [0.3, np.float32(0.3), np.array(0.3), 2])
def test_one_sigma_is_that_of_every_row(number):
    x = np.linspace(0, 4, 60)
    y = np.sin(x)
    one = pd.fit(x, y, 2, sigma=number, absolute_sigma=True)
    column = pd.fit(x, y, 2, sigma=np.full(60, float(number)), absolute_sigma=True)
    assert one.coef.tolist() == column.coef.tolist()
    assert one.stderr.tolist() == column.stderr.tolist()
    assert (one.loss, one.aic) == (column.loss, column.aic)


def test_one_sigma_for_every_kind_of_source(tmp_path):
    pandas = pytest.importorskip("pandas")
    array = pytest.importorskip("dask.array")
    x = np.linspace(0, 4, 60)
    y = np.sin(x)
    path = tmp_path / "rows.csv"
    np.savetxt(path, np.column_stack((x, y)), delimiter=",", header="t,v", comments="", fmt="%.17g")
    blocks = (array.from_array(column, chunks=25) for column in (x, y))
    loss = pd.fit(x, y, 1).loss * 4
    for found in (
        pd.fit(path, x="t", y="v", degree=1, sigma=0.5),
        pd.fit(pandas.DataFrame({"t": x, "v": y}), x="t", y="v", degree=1, sigma=0.5),
        pd.fit(((x[i::3], y[i::3]) for i in range(3)), degree=1, sigma=0.5),
        pd.fit(*blocks, degree=1, sigma=0.5),
        pd.summarize(x, y, 1, sigma=0.5).fit(),
    ):
        assert found.n == 60
        assert found.loss == pytest.approx(loss, rel=1e-12)
    both = pd.summarize([path, path], x="t", y="v", degree=1, sigma=0.5, again=True)
    assert both.n == 120
    assert both.rss == pytest.approx(2 * loss, rel=1e-12)
    walked = pd.descend(x, y, 1, sigma=0.5, over="rows", basis="chebyshev")
    assert walked.loss == pytest.approx(loss)


@pytest.mark.parametrize("bad", [0, -1.0, float("nan"), np.float32(-2), [1.0, -1.0], [0.0, 1.0]])
def test_what_is_not_above_zero_is_refused(bad):
    with pytest.raises(errors.BadSetting, match="above 0"):
        pd.fit([1.0, 2.0], [1.0, 2.0], 1, sigma=bad)


@pytest.mark.parametrize("bad", [1e-200, 1e200, float("inf"), [1.0, 1e-160]])
def test_squares_out_of_range_are_refused(bad):
    with pytest.raises(errors.OutOfRange, match="another unit"):
        pd.fit([1.0, 2.0], [1.0, 2.0], 1, sigma=bad)


def test_weights_beside_an_iterable_of_chunks_are_refused_not_ignored():
    with pytest.raises(errors.BadCall, match="brings its weights and counts itself"):
        pd.fit([([0.0, 1.0], [1.0, 2.0])], degree=1, weights=[1.0, 2.0])
