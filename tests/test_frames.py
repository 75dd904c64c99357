"""What is given with labels comes back with them: pandas, Polars, xarray."""

import numpy as np
import pandas
import polars
import pytest
import xarray as xr

import polydescent as pd

X = np.array([0.0, 1, 2, 3, 4, 5])
Y = X**2 + np.array([0, 0.1, 0, -0.1, 0, 0.1])
INDEX = pandas.Index(list("fedcba"), name="row")
FIT = pd.fit(X, Y, 2)

ANSWERS = {
    "curve": lambda x: [FIT(x, "ignore")],
    "confidence_band": FIT.confidence_band,
    "prediction_band": FIT.prediction_band,
    "prediction_band of weights": lambda x: FIT.prediction_band(x, weight=2.0),
    "derivative": lambda x: [FIT.derivative()(x)],
    "standard errors": lambda x: [FIT.derivative().stderr_at(x)],
}
LABELED = {
    "Series": pandas.Series(X, INDEX),
    "whole numbers": pandas.Series(X.astype(int), INDEX),
    "float32": pandas.Series(X.astype("f4"), INDEX),
    "nullable": pandas.Series(X, INDEX, dtype="Float64"),
    "pyarrow": pandas.Series(X, INDEX, dtype="float64[pyarrow]"),
    "DataFrame": pandas.DataFrame({"a": X, "b": X + 1}, INDEX),
    "Polars": polars.Series("x", X),
    "DataArray": xr.DataArray(
        X.reshape(2, 3), dims=("a", "b"), coords={"b": [7, 8, 9]}, attrs={"units": "s"}
    ),
}


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("kind", LABELED)
def test_answers_have_the_labels_of_what_was_asked(kind, answer):
    given = LABELED[kind]
    wanted = ANSWERS[answer](np.asarray(given, dtype=np.float64))
    for found, plain in zip(ANSWERS[answer](given), wanted, strict=True):
        assert type(found) is type(given)
        np.testing.assert_array_equal(np.asarray(found), plain)
        if kind == "DataArray":
            assert found.dims == given.dims
            assert found.b.equals(given.b)
            assert not found.attrs  # those of x
        elif kind != "Polars":
            assert found.index.equals(given.index)
        if kind == "DataFrame":
            assert list(found.columns) == ["a", "b"]


def test_dates_keep_their_index_too():
    days = pandas.Series(pandas.date_range("2024-01-01", periods=6), INDEX)
    fitted = pd.fit(days, Y, 1)
    for given in (days, days.dt.tz_localize("Europe/Berlin").dt.tz_convert("UTC")):
        found = fitted(given, "ignore")
        assert found.index.equals(INDEX)
    moved = fitted(days[::-1])
    pandas.testing.assert_series_equal(moved[::-1], fitted(days))
    assert fitted.to_frame(days).index.equals(INDEX)


def test_a_column_of_a_table_goes_in_and_a_column_comes_out():
    table = pandas.DataFrame({"t": X, "v": Y}, INDEX)
    fitted = pd.fit(table, x="t", y="v", degree=2)
    table["curve"] = fitted(table["t"].sample(frac=1, random_state=0))  # aligned by the index
    np.testing.assert_array_equal(table["curve"], FIT(X))
