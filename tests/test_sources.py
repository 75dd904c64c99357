"""Every source of the same rows gives the same summary, and says what is wrong with the others."""

import gzip
import json
import pickle
import sqlite3
import sys
from datetime import date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import array_api_strict
import duckdb
import numpy as np
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest

import polydescent as pd
from polydescent import errors
from polydescent.arrays import to_host
from polydescent.regression.passes import states, summary_of
from polydescent.rows import arrow
from polydescent.rows.arrow import CHUNK, blocks
from polydescent.rows.chunks import InMemory, Selection
from polydescent.rows.duck import Columns, Streamed
from polydescent.rows.rows import Rows, omit_missing
from polydescent.rows.source_of import source_of
from polydescent.rows.tables import Table

DATA = Path(__file__).parent / "data"
N = 1_000


@pytest.fixture(scope="module")
def rows():
    x = np.random.default_rng(0).uniform(-2, 5, N)
    return x, np.sin(x) + 0.1 * np.random.default_rng(1).standard_normal(N), np.arange(N) % 4 + 0.5


@pytest.fixture(scope="module")
def frame(rows):
    x, y, w = rows
    return pandas.DataFrame({"the x": x, "y": y, "w": w, "id": np.arange(N)})


def write_csv(frame, path, sep=","):
    frame.to_csv(path, sep=sep, index=False)


def write_lines(frame, path):
    with gzip.open(path, "wt") if path.suffix == ".gz" else open(path, "w") as file:
        for row in frame.to_dict("records"):
            file.write(json.dumps(row) + "\n")


WRITERS = {
    "t.csv": write_csv,
    "t.csv.gz": write_csv,
    "t.tsv": lambda frame, path: write_csv(frame, path, "\t"),
    "semicolons.txt": lambda frame, path: write_csv(frame, path, ";"),
    "t.parquet": lambda frame, path: frame.to_parquet(path),
    "t.jsonl": write_lines,
    "t.ndjson.gz": write_lines,
    "it's [1] *.csv": write_csv,
}


def assert_same(found, expected):
    assert found.n == expected.n
    assert found.domain == expected.domain
    np.testing.assert_allclose(
        found.triangle.array, expected.triangle.array, rtol=1e-12, atol=1e-10
    )


@pytest.fixture(scope="module")
def expected(rows):
    x, y, w = rows
    return pd.summarize(x, y, 5, weights=w)


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same_summary(name, frame, expected, tmp_path):
    WRITERS[name](frame, tmp_path / name)
    found = pd.summarize(tmp_path / name, x="the x", y="y", weights="w", degree=5)
    assert_same(found, expected)
    assert (found.x_name, found.y_name) == ("the x", "y")


TABLES = {
    "pandas": lambda frame: frame,
    "polars": polars.DataFrame,
    "pyarrow": pyarrow.Table.from_pandas,
    "reader": lambda frame: pyarrow.Table.from_pandas(frame).to_reader(max_chunksize=7),
}


@pytest.mark.parametrize("kind", TABLES)
def test_every_table_gives_the_same_summary(kind, frame, expected):
    table = TABLES[kind](frame)
    assert_same(pd.summarize(table, x="the x", y="y", weights="w", degree=5), expected)


def test_a_relation_of_duckdb_is_a_table(frame, expected):
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    relation = connection.from_df(frame).filter("id >= 0")
    assert_same(pd.summarize(relation, x="the x", y="y", weights="w", degree=5), expected)


def test_sql_lists_and_globs(frame, expected, tmp_path):
    for part in range(3):
        frame[part::3].to_parquet(tmp_path / f"{part}.parquet")
    asked = {"x": "the x", "y": "y", "weights": "w", "degree": 5}
    assert_same(pd.summarize(f"{tmp_path}/*.parquet", **asked), expected)
    every = [tmp_path / "2.parquet", f"{tmp_path}/[01].parquet"]
    assert_same(pd.summarize(every, **asked), expected)
    select = f"SELECT * FROM '{tmp_path}/*.parquet';"
    assert_same(pd.summarize(select, **asked), expected)


def test_iterables_of_chunks(rows, expected):
    x, y, w = rows
    parts = [(x[i::3], y[i::3], w[i::3]) for i in range(3)]
    assert_same(pd.summarize(iter(parts), degree=5), expected)
    assert_same(pd.summarize([*parts, ([], [], [])], degree=5), expected)
    assert pd.fit(iter([(x, y)]), degree=2).equation() == pd.fit(x, y, 2).equation()


def test_tensors_come_in_chunks_too(rows):
    torch = pytest.importorskip("torch")
    x, y, _ = (torch.tensor(column) for column in rows)
    found = pd.fit((x[i::2], y[i::2]) for i in range(2))
    assert isinstance(found.coef, torch.Tensor)
    np.testing.assert_allclose(found.coef, pd.fit(x, y).coef, rtol=1e-12)


def test_expressions_and_where(frame, tmp_path):
    frame.to_csv(tmp_path / "t.csv", index=False)
    kept = frame[frame.id < 500]
    found = pd.fit(tmp_path / "t.csv", x='ln("the x" + 3)', y="2 * y", where="id < 500", degree=2)
    direct = pd.fit(np.log(kept["the x"] + 3), 2 * kept.y, degree=2)
    np.testing.assert_allclose(found.coef, direct.coef, rtol=1e-12)
    assert found.n == 500
    table = pd.fit(frame, x='ln("the x" + 3)', y="2 * y", where="id < 500", degree=2)
    np.testing.assert_allclose(table.coef, direct.coef, rtol=1e-12)


def test_months_of_a_real_file():
    path = DATA / "global-temperature-monthly.csv"
    found = pd.fit(path, x="epoch(strptime(Year, '%Y-%m'))", y="Mean", degree=1)
    assert found.n == 3823
    assert found.coef[1] * 86400 * 365.25 * 100 == pytest.approx(0.95, abs=0.3)  # °C a century


def test_descend_takes_the_same_sources(frame):
    runs = [
        pd.descend(frame, x="the x", y="y", degree=2, basis="chebyshev", start="zeros", over=over)
        for over in ("rows", "summary")
    ]
    np.testing.assert_allclose(runs[0].coef, runs[1].coef, rtol=1e-9)


# ── streams longer than a chunk ──────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def long_file(tmp_path_factory):
    """(path, x, y): rows enough for several chunks, in row groups of another size."""
    path = tmp_path_factory.mktemp("long") / "long.parquet"
    x = np.linspace(0, 1, 3 * CHUNK + 777)
    y = np.cos(7 * x)
    pyarrow.parquet.write_table(pyarrow.table({"x": x, "y": y}), path, row_group_size=100_000)
    return path, x, y


def test_a_long_file_is_its_rows(long_file):
    path, x, y = long_file
    source = source_of(path, "y", "x")
    sizes = [rows.n for rows, _ in source.chunks()]
    assert sizes == [CHUNK, CHUNK, CHUNK, 777]
    np.testing.assert_array_equal(source_of(path, "y", "x").gathered().x, x)
    streamed, direct = pd.summarize(path, x="x", y="y", degree=9), pd.summarize(x, y, 9)
    u = np.linspace(0, 1, 101)
    np.testing.assert_allclose(streamed.fit()(u), direct.fit()(u), atol=1e-12)


def test_chunks_can_be_skipped_to_the_row(long_file):
    path, x, _ = long_file
    rows = [rows.x for rows, _ in source_of(path, "y", "x").chunks(skip=CHUNK + 5)]
    np.testing.assert_array_equal(np.concatenate(rows), x[CHUNK + 5 :])


def test_a_pass_goes_on_from_any_state_to_the_same_bits(long_file):
    source = source_of(long_file[0], "y", "x")
    path = list(states(source, 4))
    assert [state.rows for state in path] == [
        0,
        CHUNK,
        2 * CHUNK,
        3 * CHUNK,
        *[3 * CHUNK + 777] * 2,
    ]
    for state in path[:-1]:
        last = list(states(source, 4, state=state))[-1]
        total, whole = last.tally.total(4), path[-1].tally.total(4)
        np.testing.assert_array_equal(total.triangle.array, whole.triangle.array)
        assert total.n == whole.n


def test_what_is_kept_to_draw_is_even(long_file):
    path, x, _ = long_file
    kept = Selection(limit=100_000)
    summary_of(source_of(path, "y", "x"), 2, look=kept.take)
    assert not kept.is_all
    assert 50_000 <= kept.rows.n <= 100_000
    steps = np.diff(np.searchsorted(x, kept.rows.x))
    assert steps.min() == steps.max()
    assert kept.rows.x[0] == x[0]


@pytest.mark.parametrize("sizes", [[10, 10], [3, 0, 9, 1, 40], [1] * 25, [64]])
@pytest.mark.parametrize("skip", [0, 1, 8, 13])
def test_blocks_end_at_the_same_rows_however_batches_are_cut(sizes, skip):
    values = np.arange(float(sum(sizes)))
    bounds = np.cumsum([0, *sizes])
    batches = [pyarrow.record_batch({"x": values[a:b]}) for a, b in pairwise(bounds)]
    found = [column for (column,) in blocks(batches, skip, size=8)]
    np.testing.assert_array_equal(np.concatenate(found), values[skip:])
    assert all(len(column) == 8 for column in found[:-1])
    assert 0 < len(found[-1]) <= 8


# ── missing values ───────────────────────────────────────────────────────────────────────────────


def test_missing_rows_are_omitted_and_counted(frame, tmp_path):
    holes = frame.copy()
    holes.loc[::10, "y"] = np.nan
    holes.loc[5, "the x"] = np.inf
    whole = holes[np.isfinite(holes["the x"]) & np.isfinite(holes.y)]
    expected = pd.summarize(whole["the x"], whole.y, degree=3)
    holes.to_csv(tmp_path / "t.csv", index=False)
    sources = {
        "arrays": ((holes["the x"], holes.y), {}),
        "table": ((holes,), {"x": "the x", "y": "y"}),
        "file": ((tmp_path / "t.csv",), {"x": "the x", "y": "y"}),
        "chunks": ((((c["the x"], c.y) for c in (holes[:300], holes[300:])),), {}),
    }
    for name, (arguments, named) in sources.items():
        found = pd.summarize(*arguments, **named, degree=3, missing="omit")
        assert_same(found, expected)
        assert found.omitted == 101, name
    fitted = pd.fit(holes, x="the x", y="y", missing="omit")
    assert fitted.summary.omitted == 101


def test_omit_missing_leaves_whole_rows_alone(rows):
    held = Rows.of(*rows)
    assert omit_missing(held) == (held, 0)


def test_a_missing_value_is_named_with_its_row(long_file, tmp_path):
    _, x, y = long_file
    y = y.copy()
    y[CHUNK + 123] = np.nan
    pyarrow.parquet.write_table(pyarrow.table({"x": x, "y": y}), tmp_path / "holes.parquet")
    with pytest.raises(pd.PolydescentError, match=rf"holes\.parquet.* at row {CHUNK + 123:,} "):
        pd.fit(tmp_path / "holes.parquet", x="x", y="y")


def test_nothing_left_is_refused():
    with pytest.raises(pd.PolydescentError, match="No rows to fit"):
        pd.summarize([1.0, np.nan], [np.nan, 1.0], missing="omit")


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────


def refusals(folder):
    """(what to fit, what the refusal says) for inputs nobody can fit."""
    csv = folder / "t.csv"
    csv.write_text("speed,name,when\n1,a,2020-01-01\n2,b,2020-01-02\n")
    (folder / "cut.csv.gz").write_bytes(gzip.compress(b"x,y\n1,2\n" * 1000)[:40])
    (folder / "no.xyz").write_text("1,2\n")
    late = "x,y\n" + "1,2\n" * 300_000 + "oops,3\n"
    (folder / "late.csv").write_text(late)
    (folder / "empty.csv").write_text("x,y\n")
    co2 = DATA / "co2-mauna-loa-monthly.csv"
    return {
        "no file": (folder / "t.csw", {}, "no file .* Did you mean .*t.csv"),
        "no match": (f"{folder}/*.parquet", {}, "There is no file"),
        "no kind": (folder / "no.xyz", {}, r"what kind of file .* \.parquet"),
        "no names": (csv, {"x": None}, "needs the names of its columns"),
        "no column": (csv, {"x": "sped"}, "no column 'sped' .* Did you mean 'speed'"),
        "text": (csv, {"x": "speed", "y": "name"}, "'name' holds 'a' in row 0 .*CAST"),
        "date": (csv, {"x": "speed", "y": "when"}, "holds '2020-01-01' in row 0 .*epoch"),
        "expression": (csv, {"x": "speed +* 2"}, "cannot use 'speed \\+\\* 2'"),
        "where": (csv, {"x": "speed", "y": "speed", "where": "nope > 1"}, "nope"),
        "late text": (folder / "late.csv", {}, "holds 'oops' in row 300,000 "),
        "cut": (folder / "cut.csv.gz", {}, "cut.csv.gz"),
        "empty": (folder / "empty.csv", {}, "No rows to fit"),
        "broken sql": ("SELECT x FROM nowhere", {}, "Cannot run"),
        "header": (co2, {"x": "Decimal Date", "y": "Average"}, "names 6 columns .* have 7 values"),
        "numbers": ([1.0, 2.0], {"x": None, "y": None}, "y is missing"),
        "no chunks": (iter([1, 2]), {"x": None, "y": None}, r"chunks \(x, y\)"),
    }


@pytest.fixture(scope="module")
def refused(tmp_path_factory):
    return refusals(tmp_path_factory.mktemp("refused"))


def test_a_refusal_says_what_was_found_and_what_to_do(subtests, refused):
    for case, (data, named, said) in refused.items():
        with subtests.test(case), pytest.raises(pd.PolydescentError, match=f"(?s){said}"):
            pd.fit(data, **({"x": "x", "y": "y", "degree": 1} | named))


@pytest.mark.parametrize("package", ["duckdb", "pyarrow"])
def test_without_the_extra_the_error_says_how_to_install_it(package, monkeypatch, frame):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(pd.PolydescentError, match=r'pip install "polydescent\[files\]"'):
        pd.fit(frame, x="the x", y="y * 2")


def test_refusals_travel_between_processes():
    with pytest.raises(pd.PolydescentError) as caught:
        pd.fit([0.0, np.inf], [1.0, 2.0], degree=1)
    again = pickle.loads(pickle.dumps(caught.value))
    assert str(again) == str(caught.value)
    assert vars(again) == vars(caught.value)


def test_a_file_without_rows_adds_none(tmp_path):
    (tmp_path / "a.csv").write_text("x,y\n")
    (tmp_path / "b.csv").write_text("x,y\n1,2\n3,4\n")
    assert pd.summarize(f"{tmp_path}/*.csv", x="x", y="y", degree=1).n == 2


def test_a_source_passes_through_the_door(rows):
    held = InMemory(Rows.of(*rows[:2]))
    assert source_of(held, None) is held
    assert pd.fit(held, degree=2).equation() == pd.fit(*rows[:2], degree=2).equation()


WHOLE = {
    "BIGINT": 1_700_000_000_123_456_789,
    "UBIGINT": 2**64 - 4000,
    "HUGEINT": 2**80 + 1,
    "negative": -1_700_000_000_123_456_789,
}


@pytest.mark.parametrize("kind", WHOLE)
@pytest.mark.parametrize("ending", ["parquet", "csv"])
def test_whole_numbers_of_any_size_lose_nothing(tmp_path, kind, ending):
    if ending == "csv" and kind != "BIGINT":
        pytest.skip("a CSV column of larger numbers is DOUBLE")
    first, sql = WHOLE[kind], "BIGINT" if kind == "negative" else kind
    sql = f"SELECT ({first} + 3 * i)::{sql} AS t, 7.0 * i AS v FROM range(1000) r(i)"
    table, path = duckdb.sql(sql), tmp_path / f"t.{ending}"
    (table.write_parquet if ending == "parquet" else table.write_csv)(str(path))
    # neither Parquet nor Arrow has a HUGEINT
    for source in (sql,) if kind == "HUGEINT" else (sql, path, table):
        line = pd.fit(source, x="t", y="v", degree=1)
        assert float(line.coef[1]) == pytest.approx(7 / 3, rel=1e-15)
        assert line(first + 300) == pytest.approx(700, abs=1e-9)


def test_missing_whole_numbers_and_small_ones(tmp_path):
    path = tmp_path / "t.parquet"
    duckdb.sql(
        "SELECT CASE WHEN i <> 3 THEN 1700000000123456789 + i END AS t, 2.0 * i AS v, i AS small "
        "FROM range(50) r(i)"
    ).write_parquet(str(path))
    line = pd.fit(path, x="t", y="v", degree=1, missing="omit")
    assert (line.n, line.summary.omitted) == (49, 1)
    assert float(line.coef[1]) == pytest.approx(2, rel=1e-14)
    assert pd.fit(path, x="small", y="v", degree=1).axis.is_plain


def test_nanoseconds_of_dates_are_kept(tmp_path):
    path = tmp_path / "t.parquet"
    duckdb.sql(
        "SELECT make_timestamp_ns(1700000000123456789 + 3 * i) AS t, 7.0 * i AS v "
        "FROM range(1000) r(i)"
    ).write_parquet(str(path))
    line = pd.fit(path, x="t", y="v", degree=1, per="second")
    assert line.coef[1] == pytest.approx(7e9 / 3, rel=1e-12)
    assert str(line.axis) == "2023-11-14T22:13:20.123456789"
    assert line.summary.x_name == "t"


def test_files_of_dates_and_of_numbers_do_not_mix(tmp_path):
    (tmp_path / "a.csv").write_text("t,v\n2024-05-01,1\n2024-05-02,2\n")
    (tmp_path / "b.csv").write_text("t,v\n1,1\n2,2\n")
    with pytest.raises(errors.BadCall, match="pass dates in both"):
        pd.fit(str(tmp_path / "*.csv"), x="t", y="v", degree=1)


SINGLE = [(0.0, 1.0), (1.0, 3.5), (2.0, 4.5), (3.0, 9.0)]
STREAMS = {
    "rows": SINGLE,
    "generator": (row for row in SINGLE),
    "lists": iter([list(row) for row in SINGLE]),
    "whole numbers": [(int(x), y) for x, y in SINGLE],
    "NumPy scalars": [tuple(map(np.float64, row)) for row in SINGLE],
    "arrays without axes": [tuple(map(np.array, row)) for row in SINGLE],
    "row last": iter([([0.0, 1.0, 2.0], [1.0, 3.5, 4.5]), (3.0, 9.0)]),
    "row first": iter([(0.0, 1.0), ([1.0, 2.0, 3.0], [3.5, 4.5, 9.0])]),
    "row between": iter([([0.0], [1.0]), (1.0, 3.5), ([2.0, 3.0], [4.5, 9.0])]),
    "empty between": iter([([], []), (0.0, 1.0), ([], []), *SINGLE[1:]]),
    "iterators": [(iter([0.0, 1.0]), iter([1.0, 3.5])), *SINGLE[2:]],
    "weights of 1": [(*row, 1.0) for row in SINGLE],
    "arrays of the standard": [
        (array_api_strict.asarray([0.0, 1.0]), array_api_strict.asarray([1.0, 3.5])),
        (array_api_strict.asarray([2.0, 3.0]), array_api_strict.asarray([4.5, 9.0])),
    ],
    "some weights": [SINGLE[0], (*SINGLE[1], 1.0), (*SINGLE[2], None), (*SINGLE[3], None, 1)],
}


@pytest.mark.parametrize("name", STREAMS)
def test_every_single_row_of_a_stream_counts(name):
    fitted = pd.fit(STREAMS[name], degree=1)
    wanted = pd.fit(*zip(*SINGLE, strict=True), degree=1)
    assert fitted.n == 4
    assert to_host(fitted.coef).tolist() == wanted.coef.tolist()
    assert fitted.aic == pytest.approx(wanted.aic)


def test_many_single_rows_make_few_chunks():
    n = CHUNK + 5
    chunks = list(source_of(((i, 2 * i) for i in range(n)), None).chunks())
    assert [rows.n for rows, _ in chunks] == [CHUNK, 5]
    x = np.concatenate([rows.x for rows, _ in chunks])
    np.testing.assert_array_equal(x, np.arange(n))


def test_weights_of_some_chunks_are_kept_with_the_rows():
    x, y = np.arange(6.0), np.array([1, 0, 3, 5, 4, 9.0])
    w = np.array([1, 1, 1, 5, 6, 7.0])
    for cut in (slice(None), slice(None, None, -1)):
        chunks = [(x[:3], y[:3]), (x[3:], y[3:], w[3:])][cut]
        found, wanted = pd.fit(chunks, degree=1), pd.fit(x, y, 1, weights=w)
        assert found.coef.tolist() == wanted.coef.tolist()
        assert found.degrees().loo == pytest.approx(wanted.degrees().loo)


@pytest.mark.parametrize(
    ("rows", "error"),
    [
        ([(0.0, 1.0), (1.0, [2.0])], errors.WrongShape),
        ([(0.0, 1.0), ("a", 2.0)], errors.NotNumbers),
        ([(0.0, 1.0), (1.0, np.nan)], errors.NotFinite),
        ([(0.0, None), (1.0, 2.0)], errors.NotFinite),
        ([(0.0, 1.0), (1.0, 2.0, -1.0)], errors.BadSetting),
        ([(0.0, 1.0), (1.0,)], errors.BadCall),
        ([[0, 1], [1, 3]], errors.BadCall),  # columns, or rows?
        ([[0, 1, 2], [1, 3, 5]], errors.BadCall),
        (((0, 1, 2), (1, 3, 5)), errors.BadCall),
    ],
)
def test_rows_that_are_none_are_refused(rows, error):
    with pytest.raises(error):
        pd.summarize(rows, degree=0)


def test_a_single_row_without_y_may_be_omitted():
    assert pd.summarize([(0.0, None), (1.0, 2.0)], degree=0, missing="omit").omitted == 1


# ── columns by name ──────────────────────────────────────────────────────────────────────────────


def arrow_columns(n=40):
    """Columns of every type that a table may have, some with holes."""
    i, rng = np.arange(n), np.random.default_rng(3)
    whole, large = rng.integers(-100, 100, n), 1_700_000_000_123_456_789 + 3 * i
    start = "2020-01-01T00:00:00.123456789"
    dates = {unit: np.datetime64(start, unit) + i for unit in ("s", "ms", "us", "ns")}

    def holes(values):
        return [None if k % 7 == 0 else value for k, value in enumerate(values)]

    numbers = {
        **{kind: whole.astype(kind) for kind in ("int8", "int16", "int32", "int64")},
        **{kind: abs(whole).astype(kind) for kind in ("uint8", "uint16", "uint32", "uint64")},
        **{kind: (whole / 3).astype(kind) for kind in ("float16", "float32", "float64")},
        "large": large,
        "large unsigned": np.uint64(2**64 - 4000) + i.astype("uint64"),
        "large negative": -large,
        "whole range": [-(2**63), 2**63 - 1] * (n // 2),
        "holes": holes(whole.tolist()),
        "large holes": holes(large.tolist()),
        "float holes": holes((whole / 7).tolist()),
        "not finite": np.where(i % 7 == 0, np.nan, np.where(i == 3, np.inf, i / 3)),
    }
    others = {
        "bool": whole > 0,
        "text": ["a", "b"] * (n // 2),
        "category": pyarrow.array(["a", "b"] * (n // 2)).dictionary_encode(),
        "decimal": [Decimal(k) / 4 for k in range(n)],
        "date": [date(2020, 1, 1) + timedelta(k) for k in range(n)],
        "duration": [timedelta(k) for k in range(n)],
        "date holes": holes([datetime(1600, 1, 1) + timedelta(k) for k in range(n)]),
        "nothing": pyarrow.nulls(n),
        **{f"dates {unit}": values for unit, values in dates.items()},
        **{
            f"zone {unit}": pyarrow.array(values).cast(pyarrow.timestamp(unit, "Asia/Tokyo"))
            for unit, values in dates.items()
        },
    }
    return {name: pyarrow.array(values) for name, values in (numbers | others).items()}


def outcome(source):
    """The rows of a source, or its refusal, as something to compare."""
    try:
        rows = source.gathered()
    except pd.PolydescentError as refusal:
        return type(refusal), str(refusal)
    columns = (rows.x, rows.y, rows.weights)
    exact = [None if c is None else np.asarray(c).tobytes() for c in columns]
    return exact, rows.axis, rows.x_name, rows.y_name


def test_columns_of_a_table_are_what_a_database_makes_of_them(subtests):
    columns = arrow_columns()
    table, direct = pyarrow.table(columns), 0
    for name in columns:
        for asked in (Columns(name, "float64", "uint8"), Columns("int32", name)):
            if arrow.numbers(table.to_reader(), asked.columns) is None:
                continue  # a database makes it
            direct += 1
            with subtests.test(str(asked)):
                names = list(dict.fromkeys(asked.columns.values()))
                stream = table.select(names).to_reader()
                found = outcome(Table(table, asked, "it"))
                assert found == outcome(Streamed("it", asked, stream))
    assert direct > len(columns)


def test_pandas_columns_that_are_arrays_are_what_a_database_makes_of_them(subtests):
    frame, direct = pyarrow.table(arrow_columns()).to_pandas(), 0
    for name in frame.columns:
        source = source_of(frame, name, name)
        if not isinstance(source, InMemory):
            continue
        direct += 1
        table = pyarrow.Table.from_pandas(frame[[name]])
        with subtests.test(name):
            rows = source.gathered()
            same = Streamed("it", Columns(name, name), table.to_reader()).gathered()
            np.testing.assert_array_equal(rows.y, same.y)
            known = np.isfinite(rows.x)
            np.testing.assert_array_equal(known, np.isfinite(same.x))
            np.testing.assert_array_equal(
                np.asarray(rows.axis.places(rows.x[known])),
                np.asarray(same.axis.places(same.x[known])),
            )
    assert direct > 12


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_plain_columns_need_no_database(kind, frame, expected, monkeypatch):
    monkeypatch.setitem(sys.modules, "duckdb", None)
    table = TABLES[kind](frame)
    assert_same(pd.summarize(table, x="the x", y="y", weights="w", degree=5), expected)


HOLDERS = {
    "dict": lambda frame: {name: frame[name].to_numpy() for name in frame},
    "dict of lists": lambda frame: {name: frame[name].tolist() for name in frame},
    "recarray": lambda frame: frame.to_records(),
    "records": lambda frame: np.array(frame.to_records(index=False).tolist(), _RECORD),
    "lazy frame": lambda frame: polars.from_pandas(frame).lazy(),
    "xarray": lambda frame: pytest.importorskip("xarray").Dataset.from_dataframe(frame),
    "coordinates": lambda frame: (
        pytest.importorskip("xarray")
        .Dataset.from_dataframe(frame)
        .set_coords(["the x", "w", "id"])
        .y
    ),
}
_RECORD = [("the x", float), ("y", float), ("w", float), ("id", int)]


@pytest.mark.parametrize("kind", HOLDERS)
def test_whatever_holds_columns_by_name(kind, frame, expected):
    held = HOLDERS[kind](frame)
    assert_same(pd.summarize(held, x="the x", y="y", weights="w", degree=5), expected)
    some = frame[frame.id < 500]
    asked = {"x": 'ln("the x" + 3)', "y": "2 * y", "where": "id < 500", "degree": 2}
    direct = pd.fit(np.log(some["the x"] + 3), 2 * some.y, 2, sigma=some.w)
    fitted = pd.fit(held, **asked, sigma="w")
    np.testing.assert_allclose(fitted.coef, direct.coef, rtol=1e-12)
    assert fitted.n == 500
    with pytest.raises(errors.UnknownName, match=r"no column 'nope'.* There are: "):
        pd.fit(held, x="nope", y="y")


@pytest.mark.parametrize("kind", [*HOLDERS, "frame", "table", "file"])
def test_counts_are_a_column_whatever_holds_it(kind, frame, tmp_path):
    frame.to_csv(tmp_path / "rows.csv", index=False)
    others = {
        "frame": frame,
        "table": pyarrow.Table.from_pandas(frame),
        "file": str(tmp_path / "rows.csv"),
    }
    held = HOLDERS[kind](frame) if kind in HOLDERS else others[kind]
    direct = pd.fit(frame["the x"], frame.y, 2, counts=frame.id, sigma=2.0)
    fitted = pd.fit(held, x="the x", y="y", degree=2, counts="id", sigma=2.0)
    assert fitted.n == direct.n == frame.id.sum()
    np.testing.assert_allclose(fitted.coef, direct.coef, rtol=1e-12)
    some = pd.fit(held, x="the x", y="y", degree=2, counts="id + 1", where="id < 500")
    assert some.n == frame.id[frame.id < 500].sum() + 500


def test_a_dict_keeps_its_library_and_takes_weights_that_are_an_array(rows):
    torch = pytest.importorskip("torch")
    x, y, w = (torch.tensor(column) for column in rows)
    fitted = pd.fit({"t": x, "v": y}, x="t", y="v", weights=w)
    assert isinstance(fitted.coef, torch.Tensor)
    np.testing.assert_array_equal(fitted.coef, pd.fit(x, y, weights=w).coef)
    assert (fitted.summary.x_name, fitted.summary.y_name) == ("t", "v")


def test_a_lazy_frame_computes_the_columns_asked_for(frame):
    lazy = polars.from_pandas(frame).lazy()
    spoiled = lazy.with_columns(id=polars.col("id").map_batches(lambda _: 1 / 0, polars.Int64))
    assert pd.fit(spoiled, x="the x", y="y").n == N


def holders_refused():
    """(what to fit, how, what the refusal says) for what holds no columns, or not one table."""
    frame = pandas.DataFrame({"x": [1.0, 2, 3], "y": [1.0, 2, 4], "mixed": [1, "a", None]})
    both = {"x": "x", "y": "y"}
    connection = duckdb.connect()
    columns = polars.DataFrame({"x": frame.x, "y": frame.y})
    return {
        "connection": (connection, both, r'connection\.sql\("SELECT …"\)'),
        "connection alone": (connection, {}, r'connection\.sql\("SELECT …"\)'),
        "sqlite": (sqlite3.connect(":memory:"), both, "connection to a data base"),
        "groups": (frame.groupby("x"), both, "fit all of them"),
        "groups of a column": (frame.groupby("x").y, {}, "fit all of them"),
        "groups of polars": (columns.group_by("x"), {}, "fit all of them"),
        "series": (frame.x, both, "does not hand over its columns"),
        "list": ([1.0, 2.0], both, "x='x' names a column, but the list has no columns"),
        "list of dicts": ([{"x": 1, "y": 2}], both, "the list has no columns by name"),
        "array": (np.arange(3.0), {"y": "y"}, "y='y' names a column, but the ndarray has no"),
        "generator": ((i for i in range(3)), both, "the generator has no columns"),
        "no names": (frame, {}, "Name the columns of the DataFrame"),
        "no x": (frame, {"y": "y"}, "Name the columns of the DataFrame"),
        "dict without names": ({"x": [1]}, {}, "Name the columns of the dict"),
        "dict of two lengths": ({"x": [1], "y": [1, 2]}, both, "x has 1, y has 2"),
        "two lengths in SQL": ({"x": [1], "y": [1, 2]}, both | {"where": "x > 0"}, "x has 1, y"),
        "dict of text": ({"x": ["a"], "y": [1]}, both, "found text"),
        "array of weights": (frame, both | {"weights": np.ones(3)}, "weights or sigma of a file"),
        "array of sigma": (frame, both | {"sigma": np.ones(3)}, "weights or sigma of a file"),
        "where that is none": (frame, both | {"where": True}, "where of a file or table"),
        "mixed column": (frame, both | {"x": "x + 0"}, "does not hand over its columns"),
        "two of a name": (frame[["x", "y", "y"]], both, "Duplicate column names"),
    }


def test_holders_that_are_no_table_are_refused_with_what_to_do(subtests):
    for case, (data, named, said) in holders_refused().items():
        with subtests.test(case), pytest.raises(pd.PolydescentError, match=said):
            pd.fit(data, **named)


def test_a_data_set_of_more_dimensions_says_how_to_make_rows():
    xarray = pytest.importorskip("xarray")
    grid = xarray.Dataset({"v": (("t", "z"), np.ones((3, 2)))}, {"t": [1.0, 2, 3]})
    with pytest.raises(errors.BadCall, match=r"v along t × z.*to_dataframe\(\)\.reset_index"):
        pd.fit(grid, x="t", y="v")
    rows = grid.to_dataframe().reset_index()
    assert pd.fit(rows, x="t", y="v", degree=1).n == 6
    assert pd.fit(grid.v[:, 0], x="t", degree=1).n == 3
    assert pd.fit(grid.t, grid.v[:, 0], degree=1).n == 3
