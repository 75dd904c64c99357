"""Keys: encoded so that equal ones meet, whatever their type, and found again."""

import datetime
import decimal

import numpy as np
import pandas
import polars
import pyarrow
import pytest

from polydescent.errors import BadKeys, LengthMismatch, UnknownKey
from polydescent.many import partition
from polydescent.rows import keys
from polydescent.rows.keys import Keys

DAY = datetime.date(2024, 5, 1)
NOON = datetime.datetime(2024, 5, 1, 12)
NAN = float("nan")
COLUMNS = {
    "whole": [3, -1, 3, 2**62],
    "far apart": [10**18, 1, 10**18, 5],
    "missing": [7, None, 7, None],
    "floats": [0.5, -0.0, 0.0, 1e300],
    "NaN": [NAN, 1.0, NAN, 2.0],
    "texts": ["b", "a", "b", ""],
    "texts missing": ["b", None, "b", None],
    "flags": [True, False, True, None],
    "days": [DAY, None, DAY, DAY],
    "times": [NOON, NOON, None, NOON],
    "decimals": [decimal.Decimal("1.50"), decimal.Decimal("2"), decimal.Decimal("1.5"), None],
    "bytes": [b"a", b"", b"a", None],
    "nothing": [None, None, None, None],
}


def same(a, b):
    """Whether two of Python's values are one key."""
    return a == b or (a != a and b != b)


@pytest.mark.parametrize("values", COLUMNS.values(), ids=COLUMNS)
def test_equal_keys_have_one_code_and_are_found(values):
    found = Keys.of(pyarrow.table({"k": pyarrow.array(values, from_pandas=False)}))
    for i, a in enumerate(values):
        for j, b in enumerate(values):
            assert (found.codes[i] == found.codes[j]) == same(a, b), (a, b)
        assert keys.find(found.table, a) == found.codes[i]
        assert same(keys.key_at(found.table, int(found.codes[i])), a)
    assert sorted(set(found.codes)) == list(range(found.table.num_rows))


@pytest.mark.parametrize("values", COLUMNS.values(), ids=COLUMNS)
def test_sorted_keys_end_with_the_missing_one(values):
    found = Keys.of(pyarrow.table({"k": pyarrow.array(values, from_pandas=False)}))
    order = keys.order(found.table)
    assert sorted(order) == list(range(found.table.num_rows))
    there = found.table.column(0).take(pyarrow.array(order)).to_pylist()
    assert None not in there[:-1]
    known = [v for v in there if v is not None and v == v]
    assert known == sorted(known)


def test_two_columns_make_a_key_of_both():
    a, b = [1, 1, 2, 2, None, None], ["x", "y", "x", "x", "x", None]
    found = Keys.of(pyarrow.table({"a": a, "b": b}))
    assert found.table.num_rows == 5
    assert found.codes[2] == found.codes[3]
    for row in zip(a, b, strict=True):
        assert keys.key_at(found.table, keys.find(found.table, row)) == row
    with pytest.raises(UnknownKey, match="A key is a, b, in this order"):
        keys.find(found.table, 1)


def test_random_keys_of_three_columns():
    generator = np.random.default_rng(0)
    columns = {name: generator.integers(-50, 50, 3000) * 10**9 for name in "abc"}
    columns["b"] = columns["b"].astype(str)
    found = Keys.of(pyarrow.table(columns))
    rows = list(zip(*(column.tolist() for column in columns.values()), strict=True))
    assert found.table.num_rows == len(set(rows))
    assert [keys.key_at(found.table, code) for code in found.codes.tolist()] == rows


BESIDE = {
    "numpy": np.array([2, 1, 2]),
    "big-endian": np.array([2, 1, 2], dtype=">i4"),
    "small": np.array([2, 1, 2], dtype=np.uint8),
    "strided": np.array([2, 0, 1, 0, 2, 0])[::2],
    "read-only": np.frombuffer(np.array([2, 1, 2]).tobytes(), dtype=np.int64),
    "list": [2, 1, 2],
    "pandas": pandas.Series([2, 1, 2], name="k"),
    "categories": pandas.Series(["2", "1", "2"], dtype="category"),
    "polars": polars.Series("k", [2, 1, 2]),
    "polars categories": polars.Series("k", ["2", "1", "2"], dtype=polars.Categorical),
    "arrow": pyarrow.array([2, 1, 2]),
    "arrow chunks": pyarrow.chunked_array([[2], [1, 2]]),
    "dictionary": pyarrow.array(["2", "1", "2"]).dictionary_encode(),
    "large texts": pyarrow.array(["2", "1", "2"], pyarrow.large_string()),
    "objects": np.array(["2", "1", "2"], dtype=object),
    "datetime64": np.array(["2002-01-01", "2001-01-01", "2002-01-01"], dtype="M8[ns]"),
    "days": np.array(["2002-01-01", "2001-01-01", "2002-01-01"], dtype="M8[D]"),
    "dict": {"k": [2, 1, 2]},
    "two": [np.array([2, 1, 2]), np.array(["a", "b", "a"])],
}


@pytest.mark.parametrize("by", BESIDE.values(), ids=BESIDE)
def test_whatever_stands_beside_the_rows(by):
    found = Keys.beside(by, 3)
    assert found.codes[0] == found.codes[2] != found.codes[1]
    assert found.table.num_rows == 2


def test_masked_keys_are_missing():
    found = Keys.beside(np.ma.masked_array([1, 2, 3], [False, True, False]), 3)
    assert keys.find(found.table, None) == found.codes[1]


def test_what_is_no_key_is_refused():
    with pytest.raises(LengthMismatch, match="by 'key' has 2"):
        Keys.beside([1, 2], 3)
    with pytest.raises(BadKeys, match="one value a row"):
        Keys.beside([1, "a", 2], 3)
    with pytest.raises(BadKeys, match="a key is one value"):
        Keys.of(pyarrow.table({"k": [[1], [2]]}))
    with pytest.raises(BadKeys, match=r"shape \(3, 1\)"):
        Keys.beside(np.zeros((3, 1)), 3)


UNIONS = {
    "alike": ([1, 2], [2, 3], 3),
    "small and large": (pyarrow.array([1, 2], "int8"), pyarrow.array([2, 2**40], "int64"), 3),
    "whole and floats": ([1, 2], [2.0, 2.5], 3),
    "numbers and texts": ([1, 2], ["2", "a"], 3),
    "leading zeros": ([7], ["007"], 2),
    "flags and texts": ([True], ["True", "true"], 2),
    "nothing and texts": ([None, None], ["a", None], 2),
    "texts and categories": (["a"], pyarrow.array(["a", "b"]).dictionary_encode(), 2),
    "beyond floats": ([2**53 + 1], [2.0**53], 2),
    "days and times": ([DAY], [datetime.datetime(2024, 5, 1), NOON], 2),
    "seconds and nanoseconds": (
        pyarrow.array([1], pyarrow.timestamp("s")),
        pyarrow.array([10**9, 10**9 + 1], pyarrow.timestamp("ns")),
        2,
    ),
}


@pytest.mark.parametrize(("left", "right", "distinct"), UNIONS.values(), ids=UNIONS)
def test_keys_of_two_types_meet_where_they_say_the_same(left, right, distinct):
    parts = [Keys.of(pyarrow.table({"k": one})).table for one in (left, right)]
    for tables in (parts, parts[::-1]):
        table, places = keys.union(tables)
        assert table.num_rows == distinct
        assert [len(codes) for codes in places] == [one.num_rows for one in tables]


def test_the_union_puts_each_key_where_it_says():
    generator = np.random.default_rng(1)
    parts = [
        Keys.of(pyarrow.table({"k": generator.integers(0, 100, 50).astype(str)})).table
        for _ in range(5)
    ]
    table, places = keys.union(parts)
    for part, codes in zip(parts, places, strict=True):
        assert table.column(0).take(pyarrow.array(codes)).to_pylist() == part.column(0).to_pylist()


def test_other_names_do_not_meet():
    parts = [pyarrow.table({name: [1]}) for name in "ab"]
    with pytest.raises(BadKeys, match="'a' here and 'b' there"):
        keys.union(parts)


def test_texts_of_a_file_are_numbers_only_where_nothing_is_lost():
    cases = {
        ("1", "2", None): pyarrow.int64(),
        ("1", "-7"): pyarrow.int64(),
        ("01", "2"): pyarrow.string(),
        ("1", "a"): pyarrow.string(),
        ("1.5", "2"): pyarrow.string(),
        ("",): pyarrow.string(),
        ("9" * 25,): pyarrow.string(),
        (None,): pyarrow.string(),
    }
    for values, kind in cases.items():
        column = pyarrow.array(values, pyarrow.string())
        assert keys.typed(pyarrow.table({"k": column})).column(0).type == kind, values


def test_a_file_may_write_whole_numbers_as_others():
    found = Keys.of(pyarrow.table({"k": ["12", " 12", "12.0", "012", "12.5"]}), texts=True)
    assert found.codes[0] == found.codes[1] == found.codes[2]
    assert found.table.num_rows == 3


def test_runs_of_equal_keys_count_each_as_one():
    columns = {"a": ["x", "x", None, None, "x", "y"], "b": [1, 1, 1, None, None, None]}
    found = Keys.of(pyarrow.table(columns), in_runs=True)
    assert found.codes.tolist() == [0, 0, 1, 2, 3, 4]
    assert found.table.column(0).to_pylist() == ["x", None, None, "x", "y"]


def test_a_key_that_is_not_there_names_some_that_are():
    table = Keys.of(pyarrow.table({"k": ["sensor-12", "sensor-14", "pump"]})).table
    with pytest.raises(UnknownKey, match=r"no group 'sensor-13'.*of 3: sensor-1") as found:
        keys.find(table, "sensor-13")
    assert isinstance(found.value, KeyError)
    assert found.value.n == 3
    whole = Keys.of(pyarrow.table({"k": [1, 2]})).table
    assert keys.find(whole, "2") == keys.find(whole, 2) == keys.find(whole, np.int8(2))
    for absent in ("x", 2.5, True, DAY, (1, 2)):
        with pytest.raises(UnknownKey):
            keys.find(whole, absent)


@pytest.mark.parametrize("missing", ["", "not built"])
@pytest.mark.parametrize("m", [1, 7, 300, 70_000, 2**17 + 3])
def test_rows_come_together_in_their_own_order(m, missing, monkeypatch):
    monkeypatch.setattr(partition, "MISSING", partition.MISSING or missing)
    codes = np.random.default_rng(m).integers(0, m, 2000)
    x, y = np.arange(2000.0), -np.arange(2000.0)[::-1]
    offsets, (a, nothing, b, c) = partition.partition(codes, m, [x, None, y, x[::-1]])
    order = np.argsort(codes, kind="stable")
    assert nothing is None
    np.testing.assert_array_equal(a, x[order])
    np.testing.assert_array_equal(b, y[order])
    np.testing.assert_array_equal(c, x[::-1][order])
    np.testing.assert_array_equal(np.diff(offsets), np.bincount(codes, minlength=m))
