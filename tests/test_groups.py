"""A curve for each key of the rows: what `fit` gives of the rows of that key alone, however the
rows come, are cut or are kept.
"""

import datetime
import os
import warnings
from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest

import polydescent as pd
from polydescent.errors import (
    AlreadyAdded,
    BadCall,
    BadKeys,
    CurvesWithoutAnswer,
    LengthMismatch,
    NotFinite,
    OutsideDomain,
    RowsWithoutCurve,
    UnknownKey,
    UnknownName,
)
from polydescent.many.grouped import GroupTally, merged
from polydescent.many.status import Status
from polydescent.rows import duck, keys, tables

N = 600
SOME = 12  # groups that are compared one by one


@pytest.fixture
def small_blocks(monkeypatch):
    """Rows are looked at and folded 50 at once."""
    monkeypatch.setattr(duck, "BLOCK", 50)
    monkeypatch.setattr(tables, "BLOCK", 50)
    monkeypatch.setattr(keys, "BLOCK", 50)


def rows_of(k, seed=0):
    """Columns of rows with these keys: each group at a place and a scale of its own."""
    generator = np.random.default_rng(seed)
    place = np.unique([str(key) for key in k], return_inverse=True)[1]
    x = generator.uniform(-1, 1, len(k)) * (1 + place) + 1000 * place
    y = np.cos(x) * 10.0 ** (place % 7) + generator.normal(size=len(k))
    weights = 10.0 ** generator.uniform(-3, 3, len(k))
    return {"k": k, "x": x, "y": y, "w": weights}


def of_key(columns, key):
    """The rows of one key."""
    same = np.array([k == key or (k is None and key is None) for k in columns["k"]])
    return {name: np.asarray(values)[same] for name, values in columns.items() if name != "k"}


def assert_alone(fits, columns, degree, tolerance=1e-13, **roles):
    """Each curve is what `fit` gives of its rows alone."""
    assert fits.keys.num_rows == len({str(key) for key in columns["k"]})
    every = list(enumerate(fits.keys.column(0).to_pylist()))
    for i, key in every[:: -(-len(every) // SOME)]:
        rows = of_key(columns, key)
        assert fits.summaries.n[i] == len(rows["x"]), key
        given: dict[str, Any] = {role: rows[name] for role, name in roles.items()}
        if len(np.unique(rows["x"])) <= degree:
            assert fits.status[i] in (Status.TOO_FEW_ROWS, Status.TOO_FEW_DISTINCT)
            assert np.isnan(fits.coef[i]).all()
            continue
        alone = pd.fit(rows["x"], rows["y"], degree, **given)
        at = np.linspace(rows["x"].min(), rows["x"].max(), 7)
        scale = max(np.abs(rows["y"]).max(), np.abs(alone(at)).max())
        assert np.abs(fits.at(i)(at) - alone(at)).max() <= tolerance * scale, key
        assert np.abs(fits(at, outside="ignore")[i] - alone(at)).max() <= tolerance * scale, key
        if len(rows["x"]) > degree + 1:
            np.testing.assert_allclose(fits.residual_sd[i], alone.residual_sd, rtol=1e-9)
            np.testing.assert_allclose(fits.stderr[i], alone.stderr, rtol=1e-7)
            np.testing.assert_allclose(fits.r2[i], alone.r2, rtol=1e-9, atol=1e-12)


def random_keys(of, n=N, seed=1):
    return np.random.default_rng(seed).integers(0, of, n)


KEYS = {
    "one group": np.zeros(N, dtype=int),
    "interleaved": np.arange(N) % 7,
    "one after the other": np.repeat(np.arange(6), N // 6),
    "back again": np.repeat([3, 1, 3, 2, 1, 0], N // 6),
    "at random": random_keys(20),
    "few rows each": random_keys(300),
    "a row each": np.arange(N),
    "one large, many small": np.where(random_keys(2) == 0, 0, np.arange(N)),
    "far apart": random_keys(5) * 10**15 - 7,
    "texts": np.array([f"sensor-{i}" for i in random_keys(9)]),
    "with NULL": np.array([None if i == 3 else f"s{i}" for i in random_keys(5)], dtype=object),
    "flags": random_keys(2) > 0,
    "floats": random_keys(4) / 3.0,
    "days": np.array(["2024-05-01", "2024-05-02"], dtype="M8[D]")[random_keys(2)],
}


@pytest.mark.parametrize("degree", [0, 3])
@pytest.mark.parametrize("k", KEYS.values(), ids=KEYS)
def test_keys_beside_arrays(k, degree):
    columns = rows_of(k)
    columns["k"] = k.tolist() if k.dtype.kind == "M" else k
    with warnings.catch_warnings(action="ignore", category=CurvesWithoutAnswer):
        fits = pd.fit_many(columns["x"], columns["y"], degree, by=k)
    assert_alone(fits, columns, degree)


def as_dict(columns, folder):
    return dict(columns)


def as_pandas(columns, folder):
    return pandas.DataFrame(columns)


def as_polars(columns, folder):
    return polars.DataFrame({name: list(values) for name, values in columns.items()})


def as_lazy(columns, folder):
    return as_polars(columns, folder).lazy()


def as_arrow(columns, folder):
    return pyarrow.table(
        {name: pyarrow.array(values, from_pandas=True) for name, values in columns.items()}
    )


def as_duck(columns, folder):
    return duckdb.connect().from_arrow(as_arrow(columns, folder))


def as_parquet(columns, folder):
    pyarrow.parquet.write_table(as_arrow(columns, folder), folder / "t.parquet")
    return folder / "t.parquet"


def as_csv(columns, folder):
    as_pandas(columns, folder).to_csv(folder / "t.csv", index=False)
    return str(folder / "t.csv")


def as_json(columns, folder):
    as_pandas(columns, folder).to_json(folder / "t.jsonl", orient="records", lines=True)
    return folder / "t.jsonl"


def as_glob(columns, folder):
    table = as_arrow(columns, folder)
    for i in range(4):
        part = table.slice(i * N // 4, N // 4)
        pyarrow.parquet.write_table(part, folder / f"p{i}.parquet")
    return str(folder / "p*.parquet")


def as_sql(columns, folder):
    return f"SELECT * FROM '{as_parquet(columns, folder)}'"


HOLDERS = [
    as_dict,
    as_pandas,
    as_polars,
    as_lazy,
    as_arrow,
    as_duck,
    as_parquet,
    as_csv,
    as_json,
    as_glob,
    as_sql,
]


@pytest.mark.parametrize("kind", ["at random", "few rows each", "with NULL", "texts"])
@pytest.mark.parametrize("hold", HOLDERS, ids=lambda hold: hold.__name__[3:])
def test_whatever_holds_the_rows(hold, kind, tmp_path, small_blocks):
    columns = rows_of(KEYS[kind])
    data = hold(columns, tmp_path)
    digits = 1e-9 if hold is as_json else 1e-12  # pandas writes 10 decimals
    with warnings.catch_warnings(action="ignore", category=CurvesWithoutAnswer):
        fits = pd.fit_many(data, x="x", y="y", by="k", weights="w", degree=2)
    assert fits.keys.column_names == ["k"]
    assert_alone(fits, columns, 2, digits, weights="w") if hold is not as_json else None


ROLES = {
    "sigma": ({"sigma": "w"}, {"sigma": "w"}),
    "weights": ({"weights": "w"}, {"weights": "w"}),
    "an expression": ({"weights": "w + 0"}, {"weights": "w"}),
}


@pytest.mark.parametrize(("asked", "roles"), ROLES.values(), ids=ROLES)
def test_weights_of_a_table(asked, roles):
    columns = rows_of(KEYS["at random"])
    fits = pd.fit_many(as_arrow(columns, None), x="x", y="y", by="k", degree=2, **asked)
    assert_alone(fits, columns, 2, **roles)


def test_counts_stand_for_rows():
    columns = rows_of(KEYS["interleaved"])
    counts = random_keys(4, seed=3)
    fits = pd.fit_many({**columns, "c": counts}, x="x", y="y", by="k", counts="c", degree=2)
    again = {name: np.repeat(values, counts) for name, values in columns.items()}
    repeated = pd.fit_many(again, x="x", y="y", by="k", degree=2)
    np.testing.assert_array_equal(fits.n, repeated.n)
    np.testing.assert_allclose(fits.coef, repeated.coef, rtol=1e-6)
    np.testing.assert_allclose(fits.stderr, repeated.stderr, rtol=1e-8)


def test_where_picks_rows_of_groups():
    columns = rows_of(KEYS["interleaved"])
    fits = pd.fit_many(as_arrow(columns, None), x="x", y="y", by="k", where="k < 3", degree=1)
    kept = {name: values[columns["k"] < 3] for name, values in columns.items()}
    assert_alone(fits, kept, 1)


def test_expressions_and_several_columns_are_keys(tmp_path):
    columns = rows_of(KEYS["interleaved"])
    path = as_csv(columns, tmp_path)
    fits = pd.fit_many(path, x="x", y="y", by=["k % 2 = 0", "k // 3"], degree=1)
    assert fits.keys.column_names == ["k % 2 = 0", "k // 3"]
    even = (columns["k"] % 2 == 0) & (columns["k"] // 3 == 1)
    alone = pd.fit(columns["x"][even], columns["y"][even], 1)
    np.testing.assert_allclose(fits[True, 1].coef, alone.coef, rtol=1e-10)
    two = pd.fit_many(columns["x"], columns["y"], 1, by=[columns["k"] % 2 == 0, columns["k"] // 3])
    np.testing.assert_allclose(two[True, 1].coef, alone.coef, rtol=1e-10)


@pytest.mark.parametrize(
    "name", ["degree", "n", "by", "x", "keys", "c0", "r2", "status", "weights"]
)
def test_a_key_column_may_be_called_like_anything(name, tmp_path):
    columns = rows_of(KEYS["interleaved"])
    x = "x" if name != "x" else "t"
    table = {name: columns["k"], x: columns["x"], "y": columns["y"]}
    fits = pd.fit_many(as_parquet(table, tmp_path), x=x, y="y", by=name, degree=1)
    assert_alone(fits, columns, 1)
    written = fits.to_table()
    assert len(set(written.column_names)) == len(written.column_names)
    assert written.column(0).to_pylist() == list(range(7))
    fits.save(tmp_path / "m.parquet")
    assert pd.Fits.load(tmp_path / "m.parquet").keys.equals(fits.keys)


def test_x_may_be_its_own_key():
    fits = pd.fit_many(
        {"x": [1, 1, 2, 2], "y": [1.0, 3.0, 5.0, 7.0]}, x="x", y="y", by="x", degree=0
    )
    np.testing.assert_allclose(fits.coef[:, 0], [2.0, 6.0])


@pytest.mark.parametrize("hold", [as_dict, as_pandas, as_parquet, as_csv])
def test_dates_have_one_origin(hold, tmp_path):
    generator = np.random.default_rng(5)
    k = np.arange(N) % 3
    start = np.array(["1901-01-01", "1985-05-05T12", "2024-02-29"], dtype="M8[us]")
    seconds = generator.integers(0, 86_400 * 30, N).astype("m8[s]")
    columns = {"k": k, "x": start[k] + seconds, "y": generator.normal(size=N) + k}
    fits = pd.fit_many(hold(columns, tmp_path), x="x", y="y", by="k", degree=2, per="day")
    for key in range(3):
        rows = k == key
        alone = pd.fit(columns["x"][rows], columns["y"][rows], 2, per="day")
        at = columns["x"][rows][:9]
        np.testing.assert_allclose(fits[key](at), alone(at), rtol=0, atol=1e-9)
    ends = fits.domain
    assert ends.lo.dtype.kind == "M"
    assert (ends.lo <= ends.hi).all()
    table = fits.to_table()
    assert pyarrow.types.is_timestamp(table.schema.field("x_min").type)


def test_whole_numbers_beyond_float64_keep_their_digits(tmp_path):
    k, i = np.arange(N) % 4, np.arange(N)
    x = 10**18 + 3 * 10**9 * k + i
    columns = {"k": k, "x": x, "y": 1e-9 * (x - 10**18) + np.cos(i)}
    for hold in (as_dict, as_parquet, as_csv):
        fits = pd.fit_many(hold(columns, tmp_path), x="x", y="y", by="k", degree=1)
        for key in range(4):
            alone = pd.fit(x[k == key], columns["y"][k == key], 1)
            np.testing.assert_allclose(fits[key].r2, alone.r2, rtol=1e-9)
            assert int(fits[key].domain.lo) == x[k == key].min()


# ── what is missing ──────────────────────────────────────────────────────────────────────────────


def with_holes():
    columns = rows_of(KEYS["interleaved"])
    columns["y"][[10, 11, 17]] = np.nan  # of 3, 4, 3
    columns["x"][20] = np.inf  # of 6
    columns["w"][10] = 0.0
    return columns


@pytest.mark.parametrize("hold", [as_dict, as_pandas, as_arrow, as_parquet, as_csv])
def test_missing_values_are_refused_with_their_key(hold, tmp_path):
    data = hold(with_holes(), tmp_path)
    with pytest.raises(NotFinite, match=r"in the group '\d'") as found:
        pd.fit_many(data, x="x", y="y", by="k")
    assert found.value.key in list("346")
    fits = pd.fit_many(data, x="x", y="y", by="k", missing="omit", degree=2)
    assert fits.omitted.tolist() == [0, 0, 0, 2, 1, 0, 1]
    whole = {name: np.delete(values, [10, 11, 17, 20]) for name, values in with_holes().items()}
    assert_alone(fits, whole, 2)


def test_groups_with_missing_values_can_be_marked():
    with pytest.warns(CurvesWithoutAnswer, match="3 not finite"):
        fits = pd.fit_many(with_holes(), x="x", y="y", by="k", missing="mark")
    assert (fits.status == Status.NOT_FINITE).tolist() == [k in (3, 4, 6) for k in range(7)]
    assert np.isfinite(fits.coef[fits.ok]).all()
    light = with_holes()
    light["w"][[11, 17, 20]] = 0.0  # as that of row 10 is: what counts is whole
    weighted = pd.fit_many(light, x="x", y="y", by="k", weights="w", missing="mark")
    assert weighted.ok.all()


def test_a_group_of_missing_rows_has_a_status():
    data = {"k": [1, 1, 2, 2], "x": [0.0, 1.0, np.nan, 1.0], "y": [0.0, 1.0, 2.0, np.nan]}
    with pytest.warns(CurvesWithoutAnswer, match="1 of 2 curves have no answer: 1 no rows"):
        fits = pd.fit_many(data, x="x", y="y", by="k", degree=1, missing="omit")
    assert fits.status.tolist() == [Status.OK, Status.NO_ROWS]
    assert fits.explain(2).startswith("No rows")
    with pytest.raises(pd.PolydescentError, match="No rows"):
        fits[2]
    with pytest.raises(pd.PolydescentError, match="No rows"):
        pd.fit_many({**data, "y": [np.nan] * 4}, x="x", y="y", by="k", missing="omit")


def test_weights_of_0_do_not_count():
    data = {"k": [1, 1, 1, 2], "x": [0.0, 1.0, 2.0, 1.0], "y": [0.0, 1.0, np.nan, np.nan]}
    with pytest.warns(CurvesWithoutAnswer):
        fits = pd.fit_many(data["x"], data["y"], 1, by=data["k"], weights=[1.0, 1.0, 0.0, 0.0])
    assert fits.n.tolist() == [2, 0]
    np.testing.assert_allclose(fits[1].coef, [0.0, 1.0], atol=1e-15)


# ── parts and sums ───────────────────────────────────────────────────────────────────────────────


def cut(columns, places):
    ends = [0, *sorted(places), len(columns["k"])]
    return [
        {name: values[a:b] for name, values in columns.items()} for a, b in pairwise(ends) if a < b
    ]


def assert_same(ours, theirs, digits=1e-13):
    """Two summaries are of the same rows, up to rounding."""
    assert ours.keys.equals(theirs.keys)
    np.testing.assert_array_equal(ours.n, theirs.n)
    np.testing.assert_array_equal(ours.omitted, theirs.omitted)
    np.testing.assert_array_equal(ours.triangle.domain.lo, theirs.triangle.domain.lo)
    a, b = ours.triangle.array, theirs.triangle.array
    assert (np.abs(a - b) <= digits * np.abs(b).max(axis=(1, 2))[:, None, None]).all()


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["at random", "few rows each", "with NULL", "back again"])
def test_any_cut_of_the_rows_gives_the_same(kind, seed):
    columns = rows_of(KEYS[kind])
    whole = pd.summarize_many(columns, x="x", y="y", by="k", weights="w", degree=3)
    places = np.random.default_rng(seed).integers(0, N, 2**seed % 60)
    parts = [
        pd.summarize_many(part, x="x", y="y", by="k", weights="w", degree=3)
        for part in cut(columns, places)
    ]
    assert_same(sum(parts[1:], parts[0]), whole)
    tally = GroupTally()
    for part in parts:
        tally = tally.plus(part)
    assert_same(tally.total(), whole)


@pytest.mark.parametrize("kind", ["at random", "few rows each", "a row each", "texts", "with NULL"])
def test_sorted_by_the_engine_or_folded_block_by_block(kind, tmp_path, monkeypatch):
    columns = rows_of(KEYS[kind])
    path = as_parquet(columns, tmp_path)
    whole = pd.summarize_many(columns, x="x", y="y", by="k")
    for block, enough in ((50, 0), (170, 10**9)):
        monkeypatch.setattr(duck, "BLOCK", block)
        monkeypatch.setattr(keys, "BLOCK", block)
        monkeypatch.setattr(keys, "_ENOUGH", enough)
        for data in (path, as_csv(columns, tmp_path), f"SELECT * FROM '{path}'"):
            assert_same(pd.summarize_many(data, x="x", y="y", by="k"), whole)


def test_hashes_that_collide_stay_right(tmp_path, monkeypatch):
    """All keys of one hash: rows of all groups come mixed, as far as sorting goes."""
    columns = rows_of(KEYS["few rows each"])
    monkeypatch.setattr(duck, "BLOCK", 50)
    monkeypatch.setattr(keys, "BLOCK", 50)
    monkeypatch.setattr(keys, "_ENOUGH", 10**9)
    monkeypatch.setattr(duck, "ORDER", "hash({keys}) % 2")
    found = pd.summarize_many(as_parquet(columns, tmp_path), x="x", y="y", by="k")
    assert_same(found, pd.summarize_many(columns, x="x", y="y", by="k"))


def test_whole_numbers_in_texts_are_read_exactly_when_rows_are_sorted(tmp_path, monkeypatch):
    monkeypatch.setattr(duck, "BLOCK", 50)
    monkeypatch.setattr(keys, "BLOCK", 50)
    monkeypatch.setattr(keys, "_ENOUGH", 10**9)
    i = np.arange(200)
    x = np.where(i < 150, i, 2**60 + 256 * i)
    columns = {"k": np.where(i < 150, i % 60, i % 5), "x": x, "y": np.cos(i)}
    found = pd.summarize_many(as_csv(columns, tmp_path), x="x", y="y", by="k", degree=1)
    assert found.n.sum() == 200


def test_the_order_of_rows_does_not_matter():
    columns = rows_of(KEYS["at random"])
    shuffled = np.random.default_rng(3).permutation(N)
    again = {name: values[shuffled] for name, values in columns.items()}
    one, other = (pd.summarize_many(c, x="x", y="y", by="k") for c in (columns, again))
    assert_same(one, other)


def test_sums_by_key_keep_the_keys_of_both():
    a = pd.summarize_many([0, 1, 2], [0.0, 1.0, 2.0], 1, by=["b", "a", "a"])
    b = pd.summarize_many([3, 4], [3.0, 4.0], 1, by=["c", "a"])
    both = a + b
    assert both.keys.column(0).to_pylist() == ["a", "b", "c"]
    assert both.n.tolist() == [3, 1, 1]
    assert_same(both, b + a)
    with pytest.raises(pd.PolydescentError, match="degrees 1 and 2"):
        a + pd.summarize_many([0], [1.0], 2, by=["a"])
    with pytest.raises(BadCall, match="Only one side has keys"):
        a + pd.summarize_many([0, 1], [[0.0, 1.0]], 1)
    with pytest.raises(BadKeys, match="'key' here and 'other' there"):
        a + pd.summarize_many([0], [1.0], 1, by={"other": ["a"]})


def test_dates_of_two_parts_are_on_one_axis():
    days = np.array(["2024-01-01", "2024-01-03", "2024-01-09"], dtype="M8[D]")
    later = days + np.timedelta64(400, "D")
    y = [1.0, 2.0, 5.0]
    a, b = (pd.summarize_many(d, y, 1, by=["a", "a", "b"]) for d in (days, later))
    whole = pd.summarize_many(np.r_[days, later], y + y, 1, by=["a", "a", "b"] * 2)
    fits = (a + b).fit(), whole.fit()
    for key in "ab":
        np.testing.assert_allclose(*(f[key](days, outside="ignore") for f in fits), rtol=1e-10)


def test_a_million_groups_in_small(tmp_path):
    k = np.random.default_rng(0).permutation(np.arange(60_000) // 3)
    x = np.arange(60_000.0)
    fits = pd.fit_many({"k": k, "x": x, "y": 2 * x + k}, x="x", y="y", by="k", degree=1)
    np.testing.assert_allclose(fits.coef[:, 1], 2.0, rtol=1e-8)
    assert fits.shape == (20_000,)


def test_merging_nothing_with_something():
    a = pd.summarize_many([0, 1], [0.0, 1.0], 1, by=["a", "b"])
    nothing = a[:0]
    assert isinstance(nothing, pd.Summaries)
    assert_same(merged([nothing, a]), a)


# ── keys, tables, files ──────────────────────────────────────────────────────────────────────────


@pytest.fixture
def lines():
    """Two sites with a line each: fits by site and number, and their rows."""
    x = np.arange(12.0)
    site = np.array(["north", "south"] * 6)
    number = np.array([7, 7, 7, 7, 8, 8] * 2)
    y = np.where(site == "north", 1 + 2 * x, 5 - x) + number
    table = pandas.DataFrame({"site": site, "number": number, "x": x, "y": y})
    return pd.fit_many(table, x="x", y="y", by=["site", "number"], degree=1), table


def test_one_curve_by_its_key_and_by_position(lines):
    fits, _ = lines
    one = fits["north", 7]
    assert isinstance(one, pd.Fit)
    assert one.equation() == "y = 8 + 2 x"
    assert fits.at(0).equation() == one.equation()
    assert "least squares" in fits.explain(("north", 7))
    assert isinstance(fits[:2], pd.Fits)
    assert fits[fits.coef[:, 1] < 0].keys.column(0).to_pylist() == ["south", "south"]
    with pytest.raises(UnknownKey, match="There are, of 4"):
        fits["east", 7]
    with pytest.raises(KeyError):
        fits[0]


def test_pictures_and_pages_by_key(lines, tmp_path):
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    fits, _ = lines
    figure = fits.plot([("south", 8), ("north", 7)], figure=Figure())
    assert len(figure.axes) == 2
    with pytest.raises(UnknownKey):
        fits.plot([("east", 8)], figure=Figure())
    fits.explore(("north", 7), tmp_path / "p.html")
    assert (tmp_path / "p.html").stat().st_size > 10_000


def test_whole_keys_are_keys_not_positions():
    fits = pd.fit_many([0, 1, 0, 1], [1.0, 2.0, 5.0, 7.0], 1, by=[1, 1, 0, 0])
    assert fits[0].coef[1] == pytest.approx(2.0)
    assert fits[1].coef[1] == pytest.approx(1.0)
    assert fits.at(0).coef[1] == pytest.approx(2.0)


def test_the_table_has_a_row_for_each_curve(lines):
    fits, _ = lines
    table = fits.to_table()
    assert table.column_names == [
        *("site", "number", "n", "omitted", "degree", "c0", "c1", "se0", "se1", "r2"),
        *("residual_sd", "loss", "x_min", "x_max", "status"),
    ]
    assert table["c1"].to_pylist() == pytest.approx([2.0, 2.0, -1.0, -1.0])
    assert set(table["status"].to_pylist()) == {"OK"}
    chebyshev = fits.to_table("chebyshev")
    np.testing.assert_allclose(chebyshev["w0"].to_numpy(), fits.weights[:, 0])
    one = fits.at(0)
    assert chebyshev["se0"][0].as_py() == pytest.approx(one.residual_sd / np.sqrt(one.n), abs=1e-12)


def test_predictions_by_key_row_by_row(lines):
    fits, table = lines
    np.testing.assert_allclose(fits.predict(table), table["y"], atol=1e-12)
    shuffled = table.sample(frac=1, random_state=1)
    found = fits.predict(shuffled)
    assert found.index.equals(shuffled.index)
    np.testing.assert_allclose(found, shuffled["y"], atol=1e-12)
    for other in (polars.from_pandas(table), pyarrow.Table.from_pandas(table), dict(table)):
        np.testing.assert_allclose(fits.predict(other), table["y"], atol=1e-12)
    beside = fits.predict(table["x"].to_numpy(), by=[table["site"], table["number"]])
    np.testing.assert_allclose(beside, table["y"], atol=1e-12)
    renamed = table.rename(columns={"x": "t", "site": "s"})
    np.testing.assert_allclose(fits.predict(renamed, x="t", by=["s", "number"]), table["y"])


def test_predictions_say_what_they_cannot(lines):
    fits, table = lines
    strange = table.assign(number=[9, *table["number"][1:]])
    with pytest.warns(RowsWithoutCurve, match="1 of 12 rows .* the first is 'north, 9'"):
        found = fits.predict(strange)
    assert np.isnan(found[0])
    assert np.isfinite(found[1:]).all()
    with pytest.raises(OutsideDomain, match="of curve north, 7, the first"):
        fits.predict(table.assign(x=table["x"] + [50, *[0] * 11]), outside="raise")
    with pytest.warns(pd.OutsideDomainWarning):
        fits.predict(table.assign(x=-5.0))
    with pytest.raises(BadCall, match="keys of 2 parts"):
        fits.predict(table, by="site")
    with pytest.raises(BadCall, match="have no keys"):
        pd.fit_many([0, 1], [[0.0, 1.0]], 1).predict(table)
    with pytest.raises(LengthMismatch):
        fits.predict([1.0, 2.0], by=[["north"], [7]])


def test_dates_in_predictions():
    days = np.array(["2024-01-01", "2024-01-03", "2024-01-09"], dtype="M8[D]")
    fits = pd.fit_many(days, [1.0, 3.0, 9.0], 1, by=["a"] * 3)
    table = pandas.DataFrame({"x": pandas.to_datetime(days), "key": "a"})
    np.testing.assert_allclose(fits.predict(table), [1.0, 3.0, 9.0])


def test_fits_come_back_from_their_file(lines, tmp_path):
    fits, table = lines
    fits.save(tmp_path / "m.parquet")
    found = pd.Fits.load(tmp_path / "m.parquet")
    assert found.keys.equals(fits.keys)
    np.testing.assert_allclose(found.coef, fits.coef, rtol=1e-13, atol=1e-13)
    np.testing.assert_allclose(found.predict(table), table["y"], atol=1e-12)
    assert_same(pd.Summaries.load(tmp_path / "m.parquet"), fits.summaries)
    fits.summaries.save(tmp_path / "m.parquet")
    assert os.listdir(tmp_path) == ["m.parquet"]
    held = pd.fit_many(
        table, x="x", y="y", by="site", terms=[1], absolute_sigma=True, sigma="number"
    )
    held.save(tmp_path / "h.parquet")
    again = pd.Fits.load(tmp_path / "h.parquet")
    np.testing.assert_allclose(again.coef, held.coef, rtol=1e-12)
    np.testing.assert_allclose(again.stderr, held.stderr, rtol=1e-9)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────


REFUSED = {
    "no such column": ({"by": "z"}, UnknownName, "no column 'z'"),
    "twice": ({"by": ["k", "k"]}, BadCall, "each once"),
    "nothing": ({"by": []}, BadCall, "needs names"),
    "a number": ({"by": 3}, BadCall, "found int 3"),
    "an aggregate": ({"by": "sum(k)"}, pd.PolydescentError, "one value of many rows"),
    "a nested column": ({"by": "[k]"}, BadKeys, "a key is one value"),
    "an axis": ({"by": "k", "axis": 0}, BadCall, "axis="),
    "no keys": ({}, BadCall, "by= says"),
    "files twice": ({"by": "k"}, AlreadyAdded, "given twice"),
}


@pytest.mark.parametrize(("asked", "error", "said"), REFUSED.values(), ids=REFUSED)
def test_what_is_refused(asked, error, said, tmp_path):
    path = as_parquet(rows_of(KEYS["interleaved"]), tmp_path)
    data = [path, path] if error is AlreadyAdded else path
    with pytest.raises(error, match=said):
        pd.fit_many(data, x="x", y="y", **asked)


def test_keys_of_arrays_are_columns():
    with pytest.raises(BadCall, match="names a column, but x and y are arrays"):
        pd.fit_many([0, 1], [1.0, 2.0], 0, by="k")
    with pytest.raises(LengthMismatch):
        pd.fit_many([0, 1], [1.0, 2.0], 0, by=["a"])
    with pytest.raises(BadCall, match="An iterable of chunks has no keys"):
        pd.fit_many(iter([([0.0], [1.0])]), by="k")
    with pytest.raises(BadCall, match="pass by= too"):
        pd.fit_many([0, 1], [[1.0, 2.0]], 0, where="x > 1")


def test_keys_of_days_are_found_by_days():
    day = datetime.date(2024, 5, 1)
    fits = pd.fit_many([0, 1], [1.0, 2.0], 0, by=[day, day])
    for key in (day, np.datetime64("2024-05-01"), "2024-05-01"):
        assert fits[key].n == 2


# ── Dask ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("kind", ["at random", "few rows each", "with NULL", "texts"])
def test_dask_dataframes_by_key(kind):
    dask = pytest.importorskip("dask.dataframe")
    columns = rows_of(KEYS[kind])
    frame = dask.from_pandas(pandas.DataFrame(columns), npartitions=5)
    found = pd.summarize_many(frame, x="x", y="y", by="k", weights="w")
    assert_same(found, pd.summarize_many(columns, x="x", y="y", by="k", weights="w"))
    two = pd.fit_many(frame, x="x", y="y", by=["k"], missing="omit", degree=0)
    assert two.keys.column_names == ["k"]
    with pytest.raises(UnknownName, match="no column 'z'"):
        pd.fit_many(frame, x="x", y="y", by="z")


def test_dask_arrays_with_keys_beside_them():
    array = pytest.importorskip("dask.array")
    columns = rows_of(KEYS["at random"])
    x, y, k = (array.from_array(columns[name], chunks=130) for name in ("x", "y", "k"))
    found = pd.summarize_many(x, y, by=k)
    whole = pd.summarize_many(columns["x"], columns["y"], by=columns["k"])
    assert_same(found, whole)
    two = pd.summarize_many(x, y, by=[k, k % 2])
    assert two.keys.column_names == ["key0", "key1"]
    assert two.shape == whole.shape
