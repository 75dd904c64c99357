"""fit: right answers whatever kind comes in, clear errors for what cannot be right."""

import copy
import functools
import itertools
import pickle
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas
import polars
import pytest
from cases import backends, data_sets, lesson

import polydescent as pd
from polydescent import errors
from polydescent.regression.evidence import all_rows

LINE = pytest.approx([1.0, 2.0], rel=1e-14)


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([0, 1, 2, 3], [1, 3, 5, 7]),
        ((0.0, 1, 2, 3), range(1, 9, 2)),
        (pandas.Series([0, 1, 2, 3]), pandas.Series([1.0, 3, 5, 7])),
        (pandas.Series([0, 1, 2, 3], dtype="Int64"), [1, 3, 5, 7]),
        (polars.Series([0, 1, 2, 3]), polars.Series([1.0, 3, 5, 7])),
        (np.arange(4, dtype="u1"), np.array([1, 3, 5, 7], dtype=">f4")),
        (np.array([False, True]), np.array([1, 3], dtype="i2")),
        (iter([0, 1, 2, 3]), (v for v in [1, 3, 5, 7])),
        ([Decimal(0), Decimal(1)], [Fraction(1), Fraction(3)]),
        (np.arange(8)[::2] / 2, np.arange(1, 16, 2)[::2][:4] - np.arange(4) * 2.0),
    ],
)
def test_all_kinds_of_columns_work(x, y):
    found = pd.fit(x, y, 1)
    assert list(found.coef) == LINE
    assert isinstance(found.coef, np.ndarray)


def test_both_ways_of_passing_columns():
    assert list(pd.fit([0, 1], [1, 3], 1).coef) == LINE
    assert list(pd.fit([0, 1], y=[1, 3], degree=1).coef) == LINE
    assert list(pd.fit(x=[0, 1], y=[1, 3], degree=1).coef) == LINE


@backends
def test_same_kind_in_same_kind_out(backend):
    x, y = (backend.array(column) for column in lesson())
    found = pd.fit(x, y)
    for value in (found.coef, found(x), found.stderr, found.covariance):
        assert type(value) is type(x)
        assert value.dtype == x.dtype
    assert found.coef.shape == (4,)
    assert found.stderr.shape == (4,)
    assert found.covariance.shape == (4, 4)
    assert found(x).shape == x.shape


def test_calling_a_fit():
    line = pd.fit([0, 1, 2, 30], [1, 3, 5, 61], 1)
    assert line(10) == pytest.approx(21)
    assert isinstance(line(10), float)
    assert isinstance(line(np.float64(10)), float)
    np.testing.assert_allclose(line([0, 10]), [1, 21], rtol=1e-14)
    assert line(np.zeros((2, 3))).shape == (2, 3)
    assert line(np.array([0, 10])).dtype == np.float64


@pytest.mark.parametrize("case", data_sets())
def test_coefficients_stderr_and_r2_equal_numpys(case):
    x, y = data_sets()[case]
    x = (x - x.mean()) / np.ptp(x) + 0.5  # where numpy.polyfit is at its best
    found = pd.fit(x, y, 2)
    coef, covariance = np.polyfit(x, y, 2, cov=True)
    np.testing.assert_allclose(found.coef, coef[::-1], rtol=1e-6)
    np.testing.assert_allclose(found.covariance, covariance[::-1, ::-1], rtol=1e-6)
    np.testing.assert_allclose(found.stderr, np.sqrt(np.diag(covariance))[::-1], rtol=1e-6)
    residual = y - np.polyval(coef, x)
    assert found.loss == pytest.approx(residual @ residual)
    assert found.r2 == pytest.approx(1 - found.loss / np.sum((y - y.mean()) ** 2))
    assert found.excess == 0
    assert found.outcome is pd.Outcome.EXACT


def test_weights_count_rows():
    x, y = data_sets()["integers"]
    counts = np.random.default_rng(0).integers(0, 4, len(x))
    weighted = pd.fit(x, y, 2, weights=counts)
    repeated = pd.fit(np.repeat(x, counts), np.repeat(y, counts), 2)
    np.testing.assert_allclose(weighted.coef, repeated.coef, rtol=1e-12)
    assert weighted.loss == pytest.approx(repeated.loss)
    run = pd.descend(x, y, 2, weights=counts, basis="chebyshev", over="rows")
    np.testing.assert_allclose(run.coef, repeated.coef, rtol=1e-9)


def test_as_many_rows_as_coefficients_interpolate():
    found = pd.fit([0, 1, 2], [1, 0, 5], 2)
    np.testing.assert_allclose(found([0, 1, 2]), [1, 0, 5], atol=1e-14)
    assert np.isnan(found.stderr).all()


def test_a_constant_y_has_no_r2():
    assert np.isnan(pd.fit([0, 1, 2], [4, 4, 4], 1).r2)


def test_results_print():
    found = pd.fit([0, 1, 2, 3], [1, -1, -3, -5], 1)
    assert found.equation() == "y = 1 - 2 x"
    assert "y = 1 - 2 x" in repr(found)
    assert "4 rows" in repr(pd.summarize([0, 1, 2, 3], [1, -1, -3, -5], 1))


NAN, INF = float("nan"), float("inf")
REFUSALS = {
    "lengths": (([1, 2, 3], [1, 2]), {}, errors.LengthMismatch, "x has 3, y has 2"),
    "empty": (([], []), {}, errors.NoRows, "No rows"),
    "2-D": ((np.ones((3, 2)), [1, 2, 3]), {}, errors.WrongShape, r"found shape \(3, 2\)"),
    "0-D": ((3, 4), {}, errors.WrongShape, r"found shape \(\)"),
    "NaN": (([1, 2, NAN, NAN], [1, 2, 3, 4]), {}, errors.NotFinite, r"x has 2 .* nan at row 2"),
    "inf": (([1, 2, 3, 4], [1, INF, 3, 4]), {}, errors.NotFinite, r"y has 1 .* inf at row 1"),
    "None": (([1, 2, 3, 4], [1, None, 3, 4]), {}, errors.NotFinite, "y has 1 .* row 1"),
    "masked": (
        (np.arange(4.0), np.ma.masked_equal([1.0, 9, 3, 4], 9)),
        {},
        errors.NotFinite,
        "y has 1 .* row 1",
    ),
    "distinct": (([1, 1, 2, 2], [1, 2, 3, 4]), {"degree": 2}, errors.TooFewDistinct, "2 distinct"),
    "constant x": (([1, 1, 1], [1, 2, 3]), {"degree": 1}, errors.TooFewDistinct, "1 distinct"),
    "few rows": (([1, 2, 3], [1, 2, 3]), {}, errors.TooFewRows, "Use degree=2 or less"),
    "degree": (([1, 2], [1, 2]), {"degree": -1}, errors.BadDegree, "found -1"),
    "complex": (([1j, 2], [1, 2]), {}, errors.NotNumbers, "complex"),
    "text": ((["a", "b"], [1, 2]), {}, errors.NotNumbers, "text .*'a'"),
    "ragged": (([[1], [1, 2]], [1, 2]), {}, errors.NotNumbers, "unequal length"),
    "objects": (([object(), 1], [1, 2]), {}, errors.NotNumbers, "objects"),
    "dates": (
        ([1, 2], np.array(["2020-01-01", "2021-01-01"], "M8[D]")),
        {"degree": 1},
        errors.NotNumbers,
        "datetime64",
    ),
    "no y": (([1, 2],), {}, errors.BadCall, "y is missing"),
    "no x": ((), {"y": [1, 2]}, errors.BadCall, "x is missing"),
    "x twice": (([1, 2], [1, 2]), {"x": [1, 2]}, errors.BadCall, "x was given twice"),
    "name of nothing": (([1, 2], "y"), {}, errors.BadCall, "names a column"),
    "file without names": (("data.csv",), {}, errors.BadCall, "names of its columns"),
    "where": (([1, 2], [1, 2]), {"where": "x > 1"}, errors.BadCall, "rows of a file"),
    "weights negative": (
        ([1, 2, 3], [1, 2, 3]),
        {"degree": 1, "weights": [1, -1, 1]},
        errors.BadSetting,
        "weights must be 0 or more",
    ),
    "weights short": (
        ([1, 2, 3], [1, 2, 3]),
        {"degree": 1, "weights": [1, 1]},
        errors.LengthMismatch,
        "weights has 2",
    ),
    "huge y": (([1, 2, 3], [1e200, 2e200, 5e200]), {"degree": 1}, errors.OutOfRange, "Divide y"),
}


@pytest.mark.parametrize("verb", [pd.fit, pd.descend])
@pytest.mark.parametrize("case", REFUSALS)
def test_bad_input_is_refused_with_advice(case, verb):
    arguments, settings, error, says = REFUSALS[case]
    with pytest.raises(error, match=says) as refusal:
        verb(*arguments, **settings)
    assert isinstance(refusal.value, pd.PolydescentError)


def test_libraries_do_not_mix():
    torch = pytest.importorskip("torch")
    with pytest.raises(errors.MixedKinds, match="numpy and torch"):
        pd.fit(np.arange(4.0), torch.arange(4.0))


def test_float32_accumulates_in_float64():
    """10⁶ float32 points of y = 3x + 7, where numpy.polyfit finds a slope of 1.85."""
    x = np.linspace(9, 11, 10**6, dtype=np.float32)
    found = pd.fit(x, (3 * x.astype(float) + 7).astype(np.float32), 1)
    np.testing.assert_allclose(found.coef, [7, 3], rtol=1e-6)
    assert found.coef.dtype == np.float32


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("make", [pd.fit, functools.partial(pd.descend, basis="chebyshev")])
def test_a_copy_keeps_the_rows_and_a_pickle_does_not(make, copied):
    x = np.linspace(0, 1, 30)
    fit = make(x, np.cos(5 * x), 3, weights=1 + x)
    again = copied(fit)
    assert type(again) is pd.Fit
    assert all_rows(again) is not None
    np.testing.assert_array_equal(again.residuals, fit.residuals)
    np.testing.assert_array_equal(again.degrees(5).bic, fit.degrees(5).bic)
    assert np.shares_memory(again.rows.x, fit.rows.x) == (copied is copy.copy)
    assert again.curve.basis is fit.curve.basis
    for one in (fit, again):
        found = pickle.loads(pickle.dumps(one))
        assert found.rows is None
        assert found.curve.basis is fit.curve.basis


def test_numpy_objects_of_large_x_are_right_or_refused():
    for origin, width in itertools.product([2**40, 2**60, -(2**62), 10**18], [40, 10**6, 10**12]):
        x = origin + np.arange(41, dtype=np.int64) * (width // 40)
        u = np.arange(41) / 40
        fit = pd.fit(x, 1 + u - 3 * u**2, 2)
        lost = np.spacing(float(abs(origin))) / width
        for basis in ("power", "chebyshev"):
            if lost > 1e-6:
                with pytest.raises(errors.OutOfRange, match="subtract"):
                    fit.to_numpy(basis)
        if lost < 1e-6:
            found = fit.to_numpy("chebyshev")(x.astype(float))
            np.testing.assert_allclose(found, fit(x), atol=100 * lost + 1e-12)
            assert np.isfinite(fit.to_numpy()(x.astype(float))).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("x", [0, 5.0, 2**60 + 1, -1e150])
def test_numpy_objects_of_one_place_are_its_mean(x):
    fit = pd.fit([x, x, x], [1.0, 2.0, 6.0], 0)
    for basis in ("power", "chebyshev"):
        assert fit.to_numpy(basis)(float(x)) == pytest.approx(3.0)
