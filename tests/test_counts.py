"""A row with a count is that many rows: everything a fit says is what the repeated rows say."""

from typing import Any

import numpy as np
import pandas
import pytest
import torch

import polydescent as pd
from polydescent import errors
from polydescent.report.density import Density
from polydescent.rows.rows import Rows

N = 60


def columns(seed=0, scale=1.0):
    """x, y, weights over six decades with zeros among them, counts with zeros among them."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 5, N)
    y = scale * (1 - x + 0.3 * x**2 + rng.normal(0, 0.4, N))
    w = 10.0 ** rng.uniform(-3, 3, N)
    w[::11] = 0
    return x, y, w, rng.integers(0, 6, N)


def repeated(counts, *arrays):
    return [None if a is None else np.repeat(a, counts) for a in arrays]


def assert_says_the_same(found, wanted):
    """All numbers, and the text that `print` shows."""
    np.testing.assert_allclose(found.coef, wanted.coef, rtol=1e-15)
    for name in ("stderr", "covariance"):
        np.testing.assert_allclose(getattr(found, name), getattr(wanted, name), rtol=1e-12)
    names = ("n", "degrees_of_freedom", "loss", "r2", "adjusted_r2", "residual_sd", "degree")
    for name in (*names, "aic", "aicc", "bic", "lowest_loss"):
        assert getattr(found, name) == pytest.approx(getattr(wanted, name), rel=1e-12), name
    at = np.linspace(found.domain.lo, found.domain.hi, 9)
    np.testing.assert_allclose(found.prediction_band(at), wanted.prediction_band(at), rtol=1e-12)
    assert found.domain == wanted.domain
    assert str(found) == str(wanted)


CASES = {
    "counts alone": {},
    "weights": {"weights": True},
    "sigma": {"sigma": True},
    "known sigma": {"sigma": True, "absolute_sigma": True},
    "held": {"weights": True, "fix": {0: 1.0}},
    "terms": {"terms": [0, 2]},
    "through": {"through": (1.0, 1.0)},
    "auto": {"degree": "auto:5", "weights": True},
    "auto by loo": {"degree": "auto:5", "weights": True, "criterion": "loo"},
    "auto by cv": {"degree": "auto:5", "criterion": "cv", "folds": 4},
}


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("case", CASES)
def test_counts_are_repetitions(case, scale):
    x, y, w, counts = columns(scale=scale)
    asked = {"degree": 2} | CASES[case]
    if "terms" in asked:
        del asked["degree"]
    if "fix" in asked:
        asked["fix"] = {0: scale}
    if "through" in asked:
        asked["through"] = (1.0, scale)
    one, many = dict(asked), dict(asked)
    if asked.get("weights"):
        one["weights"], (many["weights"],) = w, repeated(counts, w)
    if asked.get("sigma"):
        sigma = scale * (0.2 + 0.1 * np.abs(x))
        one["sigma"], (many["sigma"],) = sigma, repeated(counts, sigma)
    fitted = pd.fit(x, y, counts=counts, **one)
    x_again, y_again = repeated(counts, x, y)
    again = pd.fit(x_again, y_again, **many)
    assert_says_the_same(fitted, again)


@pytest.mark.parametrize("criterion", ["aicc", "loo", "cv"])
def test_tables_of_degrees_are_those_of_repetitions(criterion):
    x, y, w, counts = columns(1)
    one = pd.fit(x, y, 2, weights=w, counts=counts).degrees(5, criterion)
    rx, ry, rw = repeated(counts, x, y, w)
    many = pd.fit(rx, ry, 2, weights=rw).degrees(5, criterion)
    assert str(one) == str(many)
    for name in ("loss", "residual_sd", "adjusted_r2", "aic", "aicc", "bic", "loo", "cv"):
        np.testing.assert_allclose(getattr(one, name), getattr(many, name), rtol=1e-10)


@pytest.mark.parametrize("over", ["summary", "rows"])
def test_a_descent_over_counted_rows_takes_the_same_steps(over):
    x, y, w, counts = columns(2)
    asked = {"degree": 2, "basis": "chebyshev", "steps": 30, "over": over}
    one = pd.descend(x, y, weights=w, counts=counts, **asked)
    rx, ry, rw = repeated(counts, x, y, w)
    many = pd.descend(rx, ry, weights=rw, **asked)
    np.testing.assert_allclose(one.history.loss, many.history.loss, rtol=1e-10)
    np.testing.assert_allclose(one.coef, many.coef, rtol=1e-9)
    np.testing.assert_allclose(one.stderr, many.stderr, rtol=1e-9)


def test_large_counts_are_not_repeated_in_memory():
    x, y, _, _ = columns()
    counts = np.full(N, 10**12)
    fitted = pd.fit(x, y, 2, counts=counts)
    assert fitted.n == N * 10**12
    assert fitted.stderr == pytest.approx(pd.fit(x, y, 2).stderr * np.sqrt(57 / 60) / 1e6, rel=1e-9)


def assert_same_summary(found, wanted):
    assert (found.n, found.omitted) == (wanted.n, wanted.omitted)
    assert found.triangle.log_weights == pytest.approx(wanted.triangle.log_weights, rel=1e-12)
    np.testing.assert_allclose(found.triangle.array, wanted.triangle.array, rtol=1e-9, atol=1e-9)


SOURCES = {
    "lists": lambda x, y, w, c: ((list(x), list(y)), {"weights": list(w), "counts": c.tolist()}),
    "torch": lambda x, y, w, c: (
        (torch.tensor(x), torch.tensor(y)),
        {"weights": torch.tensor(w), "counts": torch.tensor(c)},
    ),
    "chunks": lambda x, y, w, c: (([(x[i::3], y[i::3], w[i::3], c[i::3]) for i in range(3)],), {}),
    "rows": lambda x, y, w, c: ((list(zip(x, y, w, c, strict=True)),), {}),
}


@pytest.mark.parametrize("source", SOURCES)
def test_counts_in_every_source(source):
    x, y, w, counts = columns(3)
    w = w + 1e-3  # none is 0: chunks of a stride may not hold the ends of x
    asked, named = SOURCES[source](x, y, w, counts)
    rx, ry, rw = repeated(counts, x, y, w)
    found = pd.summarize(*asked, degree=3, **named)
    wanted = pd.summarize(rx, ry, 3, weights=rw)
    assert_same_summary(found, wanted)


def test_counts_by_name(tmp_path):
    pytest.importorskip("duckdb")
    x, y, w, counts = columns(4)
    frame = pandas.DataFrame({"x": x, "y": y, "w": w, "n": counts})
    frame.to_csv(tmp_path / "t.csv", index=False)
    rx, ry, rw = repeated(counts, x, y, w)
    wanted = pd.summarize(rx, ry, 3, weights=rw)
    named = {"x": "x", "y": "y", "weights": "w", "degree": 3}
    for data in (frame, tmp_path / "t.csv"):
        assert_same_summary(pd.summarize(data, counts="n", **named), wanted)
        double = pd.summarize(data, counts="2 * n", **named)
        assert double.n == 2 * wanted.n
    alone = pd.fit(tmp_path / "t.csv", x="x", y="y", counts="n", degree=3)
    assert_says_the_same(alone, pd.fit(rx, ry, 3))


def test_counts_of_dask_collections():
    da, dd = pytest.importorskip("dask.array"), pytest.importorskip("dask.dataframe")
    x, y, w, counts = columns(5)
    rx, ry, rw = repeated(counts, x, y, w)
    wanted = pd.summarize(rx, ry, 3, weights=rw)
    frame = pandas.DataFrame({"x": x, "y": y, "w": w, "n": counts})
    parts = dd.from_pandas(frame, npartitions=3)
    named: dict[str, Any] = {"x": "x", "y": "y", "weights": "w", "counts": "n"}
    assert_same_summary(pd.summarize(parts, degree=3, **named), wanted)
    x, y, w, counts = (da.from_array(column, chunks=17) for column in (x, y, w, counts))
    assert_same_summary(pd.summarize(x, y, 3, weights=w, counts=counts), wanted)
    assert pd.summarize(x, y, 3, counts=counts).triangle.log_weights == 0


def test_the_command_counts(polydescent):
    x, y, _, counts = columns(6)
    frame = pandas.DataFrame({"x": x, "y": y, "n": counts})
    frame.to_csv("t.csv", index=False)
    frame.loc[np.repeat(frame.index, counts)].to_csv("r.csv", index=False)
    code, out, _ = polydescent("fit", "t.csv", "--x", "x", "--y", "y", "--counts", "n")
    assert code == 0
    again = polydescent("fit", "r.csv", "--x", "x", "--y", "y")[1]
    assert out.replace("t.csv", "r.csv") == again
    options = ("--x", "x", "--y", "y", "--counts", "n", "--degree", 2, "--save", "m.json")
    assert polydescent("fit", "t.csv", *options)[0] == 0
    frame.to_csv("u.csv", index=False, float_format="%.9f")
    assert polydescent("update", "m.json", "u.csv")[0] == 0
    assert pd.Summary.load("m.json").n == 2 * counts.sum()
    code, _, err = polydescent("fit", "t.csv", "--x", "x", "--y", "y", "--counts", "y")
    assert (code, "counts must be whole numbers" in err) == (2, True)


@pytest.mark.parametrize("bad", [[1, -1, 1], [1, 2.5, 1], [2**53, 1, 1], [0.5, 1, 1]])
def test_what_counts_nothing_is_refused(bad):
    with pytest.raises(errors.BadSetting, match="counts must be whole numbers from 0"):
        pd.fit([0, 1, 2], [1, 3, 5], 1, counts=bad)


def test_counts_that_are_missing():
    x, y = [0.0, 1.0, 2.0, 3.0], [1.0, 3.0, np.nan, 7.0]
    with pytest.raises(errors.NotFinite, match="counts has 1 NaN"):
        pd.fit(x[:2], y[:2], 1, counts=[1, np.nan])
    summary = pd.summarize(x, y, 1, counts=[2, np.nan, 3, 4], missing="omit")
    assert (summary.n, summary.omitted) == (6, 4)  # of the row without a count, one
    assert pd.fit(x, y, 1, counts=[1, 1, 0, 1]).n == 3  # never seen, whatever its y
    with pytest.raises(errors.NoRows):
        pd.fit(x, y, 1, counts=[0, 0, 0, 0])
    with pytest.raises(errors.LengthMismatch):
        pd.fit(x, y, 1, counts=[1, 1])
    with pytest.raises(errors.BadCall, match="brings its weights and counts itself"):
        pd.summarize(iter([(0.0, 1.0)]), counts=[2])


def test_a_picture_counts_every_row():
    x, y, w, counts = columns(7)
    density = Density.of(Rows.of(x, y, w, counts=counts))
    assert density.counts.sum() + density.outside == counts[w > 0].sum()
