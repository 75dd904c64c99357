"""Dates and large whole numbers as x: one map in and out, no digit lost on the way."""

from __future__ import annotations

import datetime as dt
import json
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas
import polars
import pyarrow
import pytest
import torch

import polydescent as pd
from polydescent import errors
from polydescent.arrays import columns
from polydescent.cli import main
from polydescent.rows.axis import Axis, axis_of_halves, read_axis
from polydescent.rows.calendar import UNITS

DAYS = np.datetime64("2021-03-05", "D") + np.arange(60)
Y = 3.0 + 0.5 * np.arange(60)


def as_python(days):
    return [dt.date.fromisoformat(str(day)) for day in days]


HOLDERS = {
    "datetime64[D]": lambda d: d,
    "datetime64[s]": lambda d: d.astype("M8[s]"),
    "datetime64[ns]": lambda d: d.astype("M8[ns]"),
    "list of date": as_python,
    "list of datetime": lambda d: [dt.datetime.fromisoformat(str(day)) for day in d],
    "aware datetimes": lambda d: [dt.datetime.fromisoformat(f"{day}T02:00:00+02:00") for day in d],
    "Series": lambda d: pandas.Series(d),
    "aware Series": lambda d: pandas.Series(d).dt.tz_localize("UTC").dt.tz_convert("Asia/Tokyo"),
    "DatetimeIndex": lambda d: pandas.DatetimeIndex(d),
    "list of Timestamp": lambda d: list(pandas.DatetimeIndex(d)),
    "object array": lambda d: np.array(as_python(d), dtype=object),
    "object Series": lambda d: pandas.Series(as_python(d), dtype=object),
    "pyarrow dates": lambda d: pyarrow.array(as_python(d)),
    "pyarrow chunks": lambda d: pyarrow.chunked_array([as_python(d)[:7], as_python(d)[7:]]),
    "pyarrow timestamps": lambda d: pyarrow.array(d.astype("M8[ns]")),
    "pyarrow in a zone": lambda d: pyarrow.array(
        d.astype("M8[us]"), type=pyarrow.timestamp("us", "Asia/Tokyo")
    ),
    "ArrowDtype": lambda d: pandas.Series(as_python(d), dtype=pandas.ArrowDtype(pyarrow.date32())),
    "polars dates": lambda d: polars.Series(as_python(d)),
    "polars in a zone": lambda d: polars.Series(d.astype("M8[us]")).dt.replace_time_zone("UTC"),
    "list of datetime64[ns]": lambda d: list(d.astype("M8[ns]")),
}


@pytest.mark.parametrize("holder", HOLDERS)
def test_dates_however_held_give_the_same_line(holder):
    dates = HOLDERS[holder](DAYS)
    line = pd.fit(dates, Y, 1)
    np.testing.assert_allclose(line.coef, [3, 0.5], atol=1e-14)
    assert (line.axis.unit, str(line.axis)) == ("day", "2021-03-05")
    np.testing.assert_allclose(line(dates), Y, atol=1e-13)
    one = dates.iloc[7] if isinstance(dates, pandas.Series) else dates[7]
    assert line(one) == pytest.approx(Y[7])


def test_polars_and_duckdb_timestamps():
    polars, duckdb = pytest.importorskip("polars"), pytest.importorskip("duckdb")
    line = pd.fit(polars.Series(DAYS.astype("M8[us]")), Y, 1)
    np.testing.assert_allclose(line.coef, [3, 0.5], atol=1e-14)
    table = duckdb.sql("SELECT TIMESTAMP '2021-03-05' + INTERVAL 1 DAY * i t FROM range(60) r(i)")
    line = pd.fit(table.fetchnumpy()["t"], Y, 1)
    np.testing.assert_allclose(line.coef, [3, 0.5], atol=1e-14)


@pytest.mark.parametrize("unit", UNITS)
def test_the_slope_is_per_the_unit_asked_for(unit):
    line = pd.fit(DAYS, Y, 1, per=unit)
    assert line.coef[1] == pytest.approx(0.5 * UNITS[unit] / 86_400, rel=1e-14)
    assert line(DAYS[10]) == pytest.approx(Y[10], rel=1e-14)
    assert f"{unit}s since 2021-03-05, coefficients are per {unit}" in str(line)


def test_places_come_back_as_dates():
    line = pd.fit(DAYS, np.arange(60) - 29.5, 1)
    (root,) = line.roots()
    assert root.value == np.datetime64("2021-04-03T12:00:00")
    parabola = pd.fit(DAYS, (np.arange(60) - 20.0) ** 2 + np.tile([0.5, -0.5], 30), 2)
    (turn,) = parabola.extrema()
    low, high = turn.x.confidence_interval()
    assert low < turn.x.value < high
    assert turn.x.unit == "day"
    assert abs(turn.x.value - np.datetime64("2021-03-25", "s")) < np.timedelta64(1, "D")
    area = line.integral(DAYS[0], DAYS[-1])
    assert area.value == pytest.approx(0, abs=1e-10)
    through = pd.fit(DAYS, Y, 2, through=(DAYS[5], 9.0))
    assert through(DAYS[5]) == pytest.approx(9.0)


def test_missing_dates_are_missing_values():
    dates = DAYS.astype("M8[s]")
    dates[4] = np.datetime64("NaT")
    with pytest.raises(errors.NotFinite, match="x has 1 NaN"):
        pd.fit(dates, Y, 1)
    assert pd.fit(dates, Y, 1, missing="omit").n == 59


@pytest.mark.parametrize("gap", [None, float("nan"), pandas.NaT, pandas.NA])
def test_dates_among_objects_may_be_missing(gap):
    for dates in ([gap, *as_python(DAYS)[1:]], [*as_python(DAYS)[:-1], gap]):
        for held in (dates, np.array(dates, dtype=object), pandas.Series(dates, dtype=object)):
            assert pd.fit(held, Y, 1, missing="omit").n == 59
    with pytest.raises(errors.NotNumbers, match="dates and 3"):
        pd.fit([*as_python(DAYS)[1:], 3], Y, 1)


def test_numbers_are_no_dates_and_dates_no_numbers():
    line = pd.fit(DAYS, Y, 1)
    with pytest.raises(errors.NotNumbers, match="dates since 2021-03-05"):
        line(3.0)
    with pytest.raises(errors.NotNumbers):
        pd.fit(np.arange(60.0), Y, 1)(DAYS)
    with pytest.raises(errors.BadSetting, match="one of second"):
        pd.fit(DAYS, Y, 1, per="fortnight")
    with pytest.raises(errors.BadSetting, match="only dates"):
        pd.fit(np.arange(60.0), Y, 1, per="day")


def test_outside_is_said_in_dates():
    with pytest.raises(errors.OutsideDomain, match=r"x = 2031-01-01 outside \[2021-03-05"):
        pd.fit(DAYS, Y, 1)(np.datetime64("2031-01-01"), outside="raise")


@pytest.mark.parametrize(
    "make",
    [np.asarray, lambda t: t.tolist(), torch.tensor, pandas.Series, lambda t: t.astype(np.uint64)],
    ids=["int64", "list", "torch", "Series", "uint64"],
)
def test_nanosecond_integers_lose_nothing(make):
    whole = 1_700_000_000_123_456_789 + 3 * np.arange(1000, dtype=np.int64)
    t = make(whole)
    y = 7.0 * np.arange(1000)
    line = pd.fit(t, torch.tensor(y) if make is torch.tensor else y, 1)
    assert float(line.coef[1]) == pytest.approx(7 / 3, rel=1e-15)
    exact = -Fraction(7, 3) * 1_700_000_000_123_456_789
    assert float(line.coef[0]) == pytest.approx(float(exact), rel=1e-15)
    np.testing.assert_allclose(np.asarray(line(t)), 7.0 * np.arange(1000), atol=1e-9)
    assert line(1_700_000_000_123_456_789 + 300) == pytest.approx(700, abs=1e-9)


def test_whole_numbers_never_wrap_around():
    top = np.uint64(2**64 - 1) - np.arange(10, dtype=np.uint64)
    line = pd.fit(top, np.arange(10.0), 1)
    far = np.array([2**64 - 1, 0], dtype=np.uint64)
    np.testing.assert_allclose(line(far, outside="ignore"), [0, 2.0**64], atol=1e-9)
    wide = np.array([-(2**62), 0, 2**63 - 1])
    assert pd.fit(wide, wide / 2.0**62, 1).coef[1] == pytest.approx(2.0**-62, rel=1e-15)


def test_nanosecond_dates_lose_nothing():
    t = np.datetime64("2023-11-14T22:13:20.123456789", "ns") + np.arange(500)
    line = pd.fit(t, 2.0 * np.arange(500), 1, per="second")
    assert line.coef[1] == pytest.approx(2e9, rel=1e-9)
    np.testing.assert_allclose(line(t), 2.0 * np.arange(500), atol=1e-4)


def test_small_whole_numbers_stay_plain():
    assert read_axis(np.arange(5)) == Axis()
    assert read_axis([1, 2**53]) == Axis()
    assert read_axis([1, 2**53 + 1]) == Axis(1)


def test_descent_takes_dates_too():
    run = pd.descend(DAYS, Y, 1, basis="chebyshev", steps=200)
    assert run(DAYS[3]) == pytest.approx(Y[3], rel=1e-6)


@pytest.fixture
def table(tmp_path):
    duckdb = pytest.importorskip("duckdb")
    path = tmp_path / "days.parquet"
    duckdb.sql(
        "SELECT TIMESTAMP '2021-03-05' + INTERVAL 1 DAY * i AS t, 3 + 0.5 * i AS v "
        "FROM range(60) r(i)"
    ).write_parquet(str(path))
    return path


def test_dates_of_a_file_or_a_table(table):
    line = pd.fit(table, x="t", y="v", degree=1)
    np.testing.assert_allclose(line.coef, [3, 0.5], atol=1e-13)
    assert (str(line.axis), line.axis.unit, line.is_refined) == ("2021-03-05", "day", True)
    np.testing.assert_allclose(line(DAYS), Y, atol=1e-12)
    frame = pandas.DataFrame({"t": DAYS, "v": Y})
    yearly = pd.fit(frame, x="t", y="v", degree=1, per="year", through=(DAYS[0], 3.5))
    assert yearly(DAYS[0]) == pytest.approx(3.5)
    assert yearly.axis.unit == "year"
    run = pd.descend(table, x="t", y="v", degree=1, basis="chebyshev", steps=300)
    assert run(DAYS[9]) == pytest.approx(Y[9], rel=1e-6)
    with pytest.raises(errors.BadSetting, match="only dates"):
        pd.fit(table, x="v", y="v", degree=1, per="day")


def test_the_command_reads_dates(table, monkeypatch, capsys):
    arguments = ["polydescent", "fit", str(table), "--x", "t", "--y", "v", "--degree", "1"]
    monkeypatch.setattr("sys.argv", [*arguments, "--per", "week"])
    with pytest.raises(SystemExit, match="0"):
        main()
    out = capsys.readouterr().out
    assert "y = 3 + 3.5 t" in out
    assert "weeks since 2021-03-05" in out


THROUGH = {  # what is typed, and what Python calls the same
    "dates": (["2021-03-10,4"], (np.datetime64("2021-03-10"), 4)),
    "times": (["2021-03-10T06:30,4"], (np.datetime64("2021-03-10T06:30"), 4)),
    "zones": (["2021-03-10T01:00+02:00,4"], (np.datetime64("2021-03-09T23:00"), 4)),
    "two": (
        ["2021-03-10,4", " 2021-03-20 ,9"],
        [(np.datetime64("2021-03-10"), 4), (np.datetime64("2021-03-20"), 9)],
    ),
}


@pytest.mark.parametrize("unit", ["day", "year"])
@pytest.mark.parametrize(("typed", "points"), THROUGH.values(), ids=THROUGH)
def test_points_typed_are_dates_where_x_are(typed, points, unit, polydescent, table):
    through = [word for point in typed for word in ("--through", point)]
    asked = ("--x", "t", "--y", "v", "--degree", 2, "--per", unit, *through)
    code, out, err = polydescent("fit", table, *asked, "--json", "--save", "m.json")
    assert (code, err) == (0, "")
    expected = pd.fit(table, x="t", y="v", degree=2, per=unit, through=points)
    assert json.loads(out)["coef"] == list(expected.coef)
    code, out, _ = polydescent("predict", "m.json", "--at", "2021-03-10T06:30")
    assert code == 0
    assert float(out) == pytest.approx(expected(np.datetime64("2021-03-10T06:30")), rel=1e-9)


@pytest.mark.parametrize("point", ["5,1", "2021,1", "1e3,1"])
def test_numbers_typed_on_dates_are_refused_as_in_python(point, polydescent, table):
    asked = ("--x", "t", "--y", "v", "--degree", 1)
    code, out, err = polydescent("fit", table, *asked, "--through", point, "--save", "m.json")
    with pytest.raises(errors.BadSetting, match="of a date and a finite number"):
        pd.fit(table, x="t", y="v", degree=1, through=tuple(map(float, point.split(","))))
    assert code == 2
    assert "--through must be points X,Y of a date and a finite number, each with another X" in err
    assert not out
    assert not Path("m.json").exists()


@pytest.mark.parametrize("unit", ["D", "s", "ns"])
def test_dates_on_numbers_are_refused(unit, polydescent):
    date = np.datetime64("2021-03-10", unit)
    with pytest.raises(errors.BadSetting, match="through must be a point"):
        pd.fit([0, 1, 2, 3], [1, 3, 5, 8], 1, through=(date, 1))
    Path("n.csv").write_text("x,y\n0,1\n1,3\n2,5\n3,8\n")
    asked = ("fit", "n.csv", "--x", "x", "--y", "y", "--degree", 1)
    code, _, err = polydescent(*asked, "--through", "2021-03-10,1")
    assert code == 2
    assert "points X,Y" in err


@pytest.mark.parametrize(
    "typed",
    [
        ["yesterday,1"],
        ["2021-03-10,one"],
        ["2021-03-10"],
        ["1,2,3"],
        ["2021-03-10,1", "5,1"],
        ["2021-03-10,1", "2021-03-10,2"],
    ],
)
def test_points_that_are_none_are_refused_before_any_row_is_read(typed, polydescent):
    through = [word for point in typed for word in ("--through", point)]
    code, out, err = polydescent("fit", "no-such.csv", "--x", "t", "--y", "v", *through)
    assert code == 2
    assert "no-such" not in err
    assert not out


def assert_same_line(found, expected):
    assert found.axis == expected.axis
    np.testing.assert_allclose(found.coef, expected.coef, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("per", [None, "year", "second"])
def test_a_summary_of_dates_knows_its_axis(per, tmp_path):
    whole = pd.fit(DAYS, Y + DAYS.astype(int) % 3, 1, per=per)
    y = Y + DAYS.astype(int) % 3
    summary = pd.summarize(DAYS, y, 2, per=per)
    assert_same_line(summary.fit(1), whole)
    assert "2021-03-05" in repr(summary)
    summary.save(tmp_path / "m.json")
    line = pd.Summary.load(tmp_path / "m.json").fit(1)
    assert_same_line(line, whole)
    assert line(DAYS[7]) == pytest.approx(whole(DAYS[7]))
    chunks = ((DAYS[i : i + 7], y[i : i + 7]) for i in range(0, 60, 7))
    assert_same_line(pd.summarize(chunks, degree=1, per=per).fit(), whole)


def test_parts_on_different_axes_merge_on_the_first(tmp_path):
    early = pd.summarize(DAYS[:40], Y[:40], 1, per="week")
    late = pd.summarize(DAYS[40:].astype("M8[ns]"), Y[40:], 1, per="second")
    both = (early + late).fit()
    np.testing.assert_allclose(both.coef, [3, 3.5], rtol=1e-12)
    assert (both.axis.unit, str(both.axis)) == ("week", "2021-03-05")
    with pytest.raises(errors.BadCall, match=r"since 2021-03-05\) and numbers in another"):
        early + pd.summarize(np.arange(9.0), np.arange(9.0), 1)
    with pytest.raises(errors.BadSetting, match="one of second"):
        pd.summarize(DAYS, Y, per="month")


def test_dates_and_whole_numbers_of_dask_blocks():
    da = pytest.importorskip("dask.array")
    y = da.from_array(Y, chunks=13)
    line = pd.fit(da.from_array(DAYS.astype("M8[s]"), chunks=13), y, 1)
    np.testing.assert_allclose(line.coef, [3, 0.5], atol=1e-12)
    assert str(line.axis) == "2021-03-05"
    whole = da.from_array(1_700_000_000_123_456_789 + np.arange(60), chunks=13)
    assert float(pd.fit(whole, y, 1).coef[1]) == pytest.approx(0.5, rel=1e-12)


def test_whole_numbers_in_halves():
    whole = [2**64 + 1, -5, 0, 2**40]
    high = np.array([float(v >> 32) for v in whole])
    low = np.array([float(v & (2**32 - 1)) for v in whole])
    axis, x = axis_of_halves(high[1:], low[1:])
    assert (axis, x.tolist()) == (Axis(), [-5, 0, 2.0**40])
    axis, x = axis_of_halves(high[:1], low[:1])
    assert (axis, x.tolist()) == (Axis(2**64), [1.0])
    assert axis.places(x) == [2**64 + 1]
    assert axis_of_halves(np.array([np.nan]), np.array([np.nan]))[0] == Axis()


def test_dates_are_said_as_short_as_they_can_be():
    axis = Axis(0, "us", "day")
    assert axis.label(-32_872.0) == "1880-01-01"
    assert axis.label(0.5) == "1970-01-01T12:00:00"
    assert axis.label(0.5 / 86_400) == "1970-01-01T00:00:00.5"
    assert str(Axis(1, "s", "day")) == "1970-01-01T00:00:01"


def test_places_are_read_from_text():
    axis = Axis(0, "us", "day")
    assert axis.parsed("2024-05-01") == np.datetime64("2024-05-01")
    assert axis.number(axis.parsed("1970-01-02T02:00+02:00")) == 1
    assert axis.number(axis.parsed("1970-01-02T12:00Z")) == 1.5
    for text in ("5", "NaT", "today", "2024-13-01"):
        with pytest.raises(errors.BadSetting, match="a date such as"):
            axis.parsed(text)
    assert Axis().parsed("1.5") == 1.5
    assert Axis().parsed("1700000000123456789") == 1_700_000_000_123_456_789
    with pytest.raises(errors.BadSetting, match="a number"):
        Axis().parsed("2024-05-01")


# ── the domain, and code that dates go into ──


def test_the_domain_is_as_the_user_calls_x():
    fit = pd.fit(DAYS, Y, 1)
    assert (fit.domain.lo, fit.domain.hi) == (DAYS[0], DAYS[-1])
    whole = pd.fit(np.arange(10**17, 10**17 + 9), np.arange(9.0), 1)
    assert whole.domain.lo == 10**17
    assert isinstance(whole.domain.hi, int)
    assert whole.domain.hi == 10**17 + 8
    assert pd.fit([0.5, 1, 2.5], [1, 2, 3], 1).domain == pd.summarize([0.5, 2.5], [1, 2]).domain
    json.dumps([whole.domain.lo, whole.domain.hi])


@pytest.mark.parametrize(("per", "tick"), [("year", "D"), ("day", "ms"), ("second", "us")])
def test_code_takes_dates(per, tick):
    duckdb = pytest.importorskip("duckdb")
    rng = np.random.default_rng(0)
    dates = np.datetime64("2021-03-04T05:06:07", "us") + rng.integers(0, 10**14, 40)
    dates = np.sort(dates.astype(f"M8[{tick}]"))
    fit = pd.fit(dates, np.sin(np.arange(40)), 3, per=per)
    at = [dt.datetime(2022, 2, 3, 4, 5, 6, 789000), *dates[[0, 20, -1]].astype("M8[us]").tolist()]
    at = [t for t in at if np.datetime64(t) <= dates[-1]]
    expected = [fit(np.datetime64(t)) for t in at]
    space = {}
    exec(fit.equation("python", dates=True), space)
    np.testing.assert_allclose([space["f"](t) for t in at], expected, rtol=0, atol=1e-8)
    values = ", ".join(f"(TIMESTAMP '{t}')" for t in at)
    code = fit.equation("sql", x="moment", dates=True)
    found = duckdb.sql(f"SELECT {code} FROM (VALUES {values}) t(moment)").fetchall()
    np.testing.assert_allclose([float(row[0]) for row in found], expected, rtol=0, atol=1e-8)


@pytest.mark.parametrize(
    ("style", "comment"),
    [
        ("python", "# t: days since 2020-01-01 UTC\n"),
        ("c", "/* t: days since 2020-01-01 UTC */\n"),
        ("javascript", "/* t: days since 2020-01-01 UTC */\n"),
        ("sql", "/* t: days since 2020-01-01 UTC */\n"),
    ],
)
def test_code_says_what_its_variable_is(style, comment):
    days = np.datetime64("2020-01-01") + np.arange(9)
    assert pd.fit(days, np.arange(9.0), 1).equation(style).startswith(comment)
    assert comment[:2] not in pd.fit(np.arange(9.0), np.arange(9.0), 1).equation(style)


@pytest.mark.parametrize(
    ("make", "settings", "says"),
    [
        (lambda: pd.fit(DAYS, Y, 1), {"style": "c"}, "is written in python and sql"),
        (lambda: pd.fit(DAYS, Y, 1), {"style": "latex"}, "is for code"),
        (lambda: pd.fit([0, 1, 2], [1, 2, 4], 1), {"style": "sql"}, "over numbers"),
        (
            lambda: pd.fit(np.datetime64(7, "ns") + np.arange(3), [1.0, 2, 4], 1),
            {"style": "python"},
            "finer than the microseconds",
        ),
    ],
)
def test_code_that_cannot_take_dates(make, settings, says):
    with pytest.raises(pd.errors.BadCall, match=says):
        make().equation(**settings, dates=True)


# ── whole numbers, however they are held ──

FIRST = 2**60 + 1
WHOLE = [FIRST + 3 * i for i in range(40)]
RISING = 7.0 * np.arange(40)
WHOLE_HOLDERS = {
    "list": list,
    "tuple": tuple,
    "list of int64": lambda t: [np.int64(v) for v in t],
    "tuple of int64": lambda t: tuple(np.int64(v) for v in t),
    "list of both": lambda t: [np.int64(v) if i % 2 else v for i, v in enumerate(t)],
    "list with a float": lambda t: [*t[:-1], Fraction(t[-1])],
    "objects": lambda t: np.array(t, dtype=object),
    "Decimal": lambda t: [Decimal(v) for v in t],
    "range": lambda t: range(t[0], t[-1] + 1, 3),
    "iterator": iter,
    "pyarrow": pyarrow.array,
    "pyarrow decimals": lambda t: pyarrow.array([Decimal(v) for v in t]),
    "pyarrow chunks": lambda t: pyarrow.chunked_array([t[:9], t[9:]]),
    "Int64": lambda t: pandas.Series(t, dtype="Int64"),
    "ArrowDtype": lambda t: pandas.Series(t, dtype="int64[pyarrow]"),
    "object Series": lambda t: pandas.Series(t, dtype=object),
    "Index": pandas.Index,
    "polars": polars.Series,
    "masked": lambda t: np.ma.masked_array(t, mask=[False] * 40),
}


@pytest.mark.parametrize("holder", WHOLE_HOLDERS)
@pytest.mark.parametrize("beyond", [0, 2**62, 2**70])
def test_whole_numbers_keep_their_digits_in_every_container(holder, beyond):
    t = [v + beyond for v in WHOLE]
    try:
        held = WHOLE_HOLDERS[holder](t)
    except (OverflowError, pyarrow.ArrowInvalid):
        pytest.skip("no such numbers there")
    line = pd.fit(held, RISING, 1)
    assert line.coef[1] == 7 / 3
    assert line.axis == Axis(t[0])
    if holder != "iterator":
        np.testing.assert_allclose(np.asarray(line(held)), RISING, atol=1e-12)


@pytest.mark.parametrize("holder", ["list", "objects", "pyarrow", "Int64", "ArrowDtype", "polars"])
def test_whole_numbers_keep_their_digits_beside_missing_ones(holder):
    t = [None if i in (0, 5) else v for i, v in enumerate(WHOLE)]
    held = WHOLE_HOLDERS[holder](t)
    line = pd.fit(held, RISING, 1, missing="omit")
    assert (line.n, line.summary.omitted, line.coef[1]) == (38, 2, 7 / 3)
    assert np.isnan(np.asarray(line(held))).sum() == 2
    masked = np.ma.masked_array(WHOLE, mask=[v is None for v in t])
    assert pd.fit(masked, RISING, 1, missing="omit").coef[1] == 7 / 3


def test_whole_numbers_and_fractions_among_them_are_subtracted_exactly():
    t = [Fraction(2**61) + Fraction(i, 3) for i in range(9)]
    line = pd.fit(t, np.arange(9.0), 1)
    assert line.axis == Axis(2**61)
    assert line.coef[1] == pytest.approx(3, rel=1e-15)
    assert pd.fit([1e300, 5, 7], [1, 2, 3], 1).axis.is_plain  # nothing to lose


@pytest.mark.parametrize("holder", [h for h in WHOLE_HOLDERS if h != "range"])
def test_large_y_and_weights_round_once(holder):
    rng = np.random.default_rng(5)
    whole = [2**53 + int(v) for v in rng.integers(0, 2**62, 40)]
    held = WHOLE_HOLDERS[holder](whole)
    (column,) = columns(y=held)
    assert column.tolist() == [float(v) for v in whole]


def test_text_among_objects_is_no_number():
    with pytest.raises(errors.NotNumbers, match="objects"):
        pd.fit(np.array(["a", 1], dtype=object), [1, 2], 1)


# ── durations ──

HOURS = np.arange(40) * np.timedelta64(36, "h")
PYTHON = [dt.timedelta(hours=36 * i) for i in range(40)]
DURATIONS = {
    "timedelta64[h]": HOURS,
    "timedelta64[ns]": HOURS.astype("m8[ns]"),
    "list of timedelta": PYTHON,
    "list of timedelta64": list(HOURS),
    "list of Timedelta": [pandas.Timedelta(v) for v in PYTHON],
    "Series": pandas.Series(HOURS),
    "object Series": pandas.Series(PYTHON, dtype=object),
    "TimedeltaIndex": pandas.TimedeltaIndex(HOURS),
    "pyarrow": pyarrow.array(PYTHON),
    "polars": polars.Series(PYTHON),
}


@pytest.mark.parametrize("holder", DURATIONS)
@pytest.mark.parametrize("unit", [None, *UNITS])
def test_durations_are_numbers_of_a_unit(holder, unit):
    held = DURATIONS[holder]
    line = pd.fit(held, RISING, 1, per=unit)
    per_day = 7 / 1.5 * UNITS[unit or "day"] / 86_400
    np.testing.assert_allclose(line.coef, [0, per_day], rtol=1e-14, atol=1e-12)
    np.testing.assert_allclose(np.asarray(line(held)), RISING, rtol=1e-13, atol=1e-12)
    assert line(dt.timedelta(hours=36)) == pytest.approx(7)
    assert line(np.timedelta64(36, "h")) == line(pandas.Timedelta("36h")) == pytest.approx(7)
    assert f"{unit or 'day'}s, coefficients are per {unit or 'day'}" in str(line)


def test_durations_keep_nanoseconds():
    t = np.arange(50).astype("m8[ns]")
    assert pd.fit(t, np.arange(50.0), 1, per="second").coef[1] == 1e9


def test_durations_travel_with_a_summary(tmp_path):
    parts = [
        pd.summarize(HOURS[:9], RISING[:9], 2),
        pd.summarize(PYTHON[9:], RISING[9:], 2, per="week"),
    ]
    both = parts[0] + parts[1]
    both.save(tmp_path / "m.json")
    line = pd.Summary.load(tmp_path / "m.json").fit(1)
    assert line.axis == Axis(unit="day")
    assert line(HOURS[3]) == pytest.approx(RISING[3])
    chunks = [(HOURS[i::3], RISING[i::3]) for i in range(3)]
    np.testing.assert_allclose(pd.fit(chunks, degree=1).coef, line.coef, atol=1e-12)
    fitted = pd.fit(HOURS, RISING - 10.5, 2, through=(HOURS[4], 20.0))
    assert fitted(HOURS[4]) == pytest.approx(20)
    root = pd.fit(HOURS, RISING - 10.5, 1).roots()[0]
    assert (root.value, root.unit) == (pytest.approx(2.25), "day")


def test_durations_that_are_none_are_refused_with_the_right_word():
    for bad, said in (
        (np.arange(3).astype("m8[M]"), "durations in units of 'M'"),
        ([dt.timedelta(1), 2, 3], "durations and 2"),
    ):
        with pytest.raises(errors.NotNumbers, match=said):
            pd.fit(bad, [1, 2, 3], 1)
    with pytest.raises(errors.NotNumbers, match="over dates since"):
        pd.fit(DAYS, Y, 1)(HOURS)
    with pytest.raises(errors.NotNumbers, match="over numbers"):
        pd.fit(np.arange(60.0), Y, 1)(HOURS)
    with pytest.raises(errors.NotNumbers, match="y must hold real numbers"):
        pd.fit(RISING, HOURS, 1)
    for one, other in ((HOURS, DAYS[:40]), (HOURS, RISING), (DAYS[:40], RISING)):
        with pytest.raises(errors.BadCall, match="in one part of the rows"):
            pd.fit([(one, RISING), (other, RISING)], degree=1)
    missing = [None, *PYTHON[1:]]
    assert pd.fit(missing, RISING, 1, missing="omit").n == 39
