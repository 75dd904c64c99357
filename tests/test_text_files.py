"""What is read from a text file is what stands in it, in every row, or is refused with its row."""

import csv
import datetime
import gzip
import io
import json
import math
import random
from fractions import Fraction
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow
import pyarrow.feather
import pyarrow.parquet
import pytest

import polydescent as pd
from polydescent import errors
from polydescent.regression.request import weights_of
from polydescent.rows.deviations import weights_of_deviations
from polydescent.rows.files import files, told
from polydescent.rows.layout import layout_of
from polydescent.rows.source_of import source_of

SIZES = (40, 21_000)  # on both sides of what DuckDB looks at to tell what a column holds
EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
MICROSECOND = datetime.timedelta(microseconds=1)


def read(source, x="x", y="y", **named):
    sigma = named.pop("sigma", None)
    return source_of(str(source), y, x, weights_of(None, sigma), **named).gathered()


# ── late rows of another kind ────────────────────────────────────────────────────────────────────

LATE = {  # column: (text of an early row, text of a late one)
    "decimals": (str, lambda i: f"{i}.5"),
    "exponents": (str, lambda i: f"{i}.25e-3"),
    "large": (str, lambda i: str(2**53 + 1 + 2 * (i % 7))),
    "blanks": (str, lambda i: f"{i}.125"),
    "signs": (str, lambda i: f"-{i}e2"),
    "gaps": (str, lambda i: "NA" if i % 2 else f"{i}.75"),
}


def texts(n):
    """Rows of a file: its last tenth differs from the others."""
    return [{name: kinds[i >= n - n // 10](i) for name, kinds in LATE.items()} for i in range(n)]


def lines_of(name, rows):
    """The rows as text, of the kind that the name says; JSON with the numbers as they are."""
    if ".jsonl" in name:
        pairs = [[f'"{k}": {"null" if v == "NA" else v}' for k, v in r.items()] for r in rows]
        return "".join(f"{{{', '.join(row)}}}\n" for row in pairs)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), delimiter="\t" if ".tsv" in name else ",")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def write(path, rows):
    content = lines_of(path.name, rows).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path


def number(text):
    return math.nan if text.strip() == "NA" else float(text)


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.jsonl"])
def test_numbers_are_what_stands_in_late_rows(tmp_path, name, n):
    rows = texts(n)
    path = write(tmp_path / name, rows)
    for x, y in (("decimals", "gaps"), ("large", "exponents"), ("blanks", "signs")):
        found = read(path, x, y)
        np.testing.assert_array_equal(found.x, [number(row[x]) for row in rows])
        np.testing.assert_array_equal(found.y, [number(row[y]) for row in rows])


@pytest.mark.parametrize("name", ["t.csv", "t.jsonl"])
def test_expressions_and_conditions_see_what_stands_in_late_rows(tmp_path, name):
    rows = texts(SIZES[1])
    path = write(tmp_path / name, rows)
    found = read(path, "decimals * 2", "exponents", where="signs < -2e6 OR decimals < 9.5")
    kept = [r for r in rows if number(r["signs"]) < -2e6 or number(r["decimals"]) < 9.5]
    np.testing.assert_array_equal(found.x, [2 * number(row["decimals"]) for row in kept])
    np.testing.assert_array_equal(found.y, [number(row["exponents"]) for row in kept])
    assert kept[-1] is rows[-1]


def test_a_glob_reads_each_file_as_it_is(tmp_path):
    rows = texts(60)
    for part, name in enumerate(("a.csv", "b.tsv", "c.jsonl", "d.csv.gz")):
        write(tmp_path / name, rows[15 * part : 15 * part + 15])
    found = read(tmp_path / "*", "decimals", "exponents")
    np.testing.assert_array_equal(found.x, [number(row["decimals"]) for row in rows])


@pytest.mark.parametrize("start", [2**53 - 20, 2**62, -(2**70), 1_700_000_000_123_456_789])
@pytest.mark.parametrize("name", ["t.csv", "t.txt", "t.jsonl"])
def test_whole_numbers_of_any_size_are_kept(tmp_path, start, name):
    t = [start + 3 * i for i in range(50)]
    if name == "t.txt":
        (tmp_path / name).write_text("# t v\n" + "".join(f"{v}  {i}\n" for i, v in enumerate(t)))
    else:
        write(tmp_path / name, [{"t": str(v), "v": str(i)} for i, v in enumerate(t)])
    found = read(tmp_path / name, "t", "v")
    assert [found.axis.origin + int(x) for x in found.x] == t
    taken = read(tmp_path / name, f"t - {start}", "v")
    np.testing.assert_array_equal(taken.x, 3.0 * np.arange(50))


def test_numbers_of_many_sizes_are_each_the_nearest_float(tmp_path):
    t = ["4929201181735904551", "0.39", "-1e-30", str(2**53 + 1), "9.5e22", "-7"]
    found = read(write(tmp_path / "t.csv", [{"t": v, "v": "1"} for v in t]), "t", "v")
    assert found.axis.is_plain
    np.testing.assert_array_equal(found.x, [float(v) for v in t])


def date_text(i):
    day = f"20{i % 30:02}-0{i % 9 + 1}-{i % 28 + 1:02}"
    return (
        day,
        f"{day}T{i % 24:02}:30:15",
        f"{day} {i % 24:02}:30:15.{i % 1000:03}",
        f"{day}T{i % 24:02}:30+05:00",
        f"{day} {i % 24:02}:30:59.999999-0930",
        f"{day}T{i % 24:02}:00Z",
    )[i % 6]


@pytest.mark.parametrize("n", SIZES)
def test_dates_keep_late_times_and_zones(tmp_path, n):
    t = [f"2024-01-{i % 28 + 1:02}" if i < n - 30 else date_text(i) for i in range(n)]
    path = write(tmp_path / "t.csv", [{"t": v, "v": "1"} for v in t])
    found = read(path, "t", "v")
    expected = []
    for text in t:
        date = datetime.datetime.fromisoformat(text)
        date = date if date.tzinfo else date.replace(tzinfo=datetime.UTC)
        expected.append((date - EPOCH) // MICROSECOND)
    assert found.axis.tick == "us"
    assert [found.axis.origin + int(x) for x in found.x] == expected
    seconds = read(path, "epoch_us(t)", "v")
    assert [seconds.axis.origin + int(x) for x in seconds.x] == expected


def test_nanoseconds_in_late_dates_are_kept(tmp_path):
    t = ["2024-01-01", "2024-01-01T00:00:00.000001", "2024-01-01 00:00:00.123456789+01:00"]
    found = read(write(tmp_path / "t.csv", [{"t": v, "v": "1"} for v in t]), "t", "v")
    start = 1_704_067_200 * 10**9
    ticks = [start, start + 1000, start - 3600 * 10**9 + 123_456_789]
    assert [found.axis.origin + int(x) for x in found.x] == ticks


WRONG = {  # what x holds: (early, late that is refused)
    "text": (str, "oops"),
    "true": (str, "true"),
    "a date among numbers": (str, "2024-01-01"),
    "a grouped number": (str, "1 234"),
    "a number among dates": (lambda i: "2024-01-01", "5"),
    "no date": (lambda i: "2024-01-01", "2024-02-30"),
    "beyond the calendar": (lambda i: "2024-01-01", "300000-01-01"),
}


@pytest.mark.parametrize("kind", WRONG)
@pytest.mark.parametrize("n", SIZES)
def test_a_late_value_of_another_kind_is_refused_with_its_row(tmp_path, kind, n):
    early, late = WRONG[kind]
    rows = [{"x": early(i), "y": "1"} for i in range(n)] + [{"x": late, "y": "1"}] * 2
    with pytest.raises(errors.BadValue, match="counted from 0") as refused:
        read(write(tmp_path / "t.csv", rows))
    assert (refused.value.row, refused.value.text, refused.value.column) == (n, late, "x")


def test_a_late_text_in_an_expression_is_refused_with_its_row(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,y\n" + "1,2\n" * 99 + "1,oops\n")
    with pytest.raises(errors.BadValue, match="'oops' in row 99 "):
        read(path, y="y * 2")


# ── ordinary text files ──────────────────────────────────────────────────────────────────────────

NAN = math.nan
ORDINARY = {  # file: (content, format, x, y)
    "missing.csv": (
        "x,y\n1,NA\n2,n/a\n3,null\n4,NULL\n5,-\n6,None\n7,#N/A\n8,\n9, NA \n10,5\n",
        {},
        range(1, 11),
        [NAN] * 9 + [5],
    ),
    "decimal-comma.csv": ("x;y\n1,5;2,25\n-3;NA\n4e1;,5\n", {}, [1.5, -3, 40], [2.25, NAN, 0.5]),
    "late-decimal.csv": ("x;y\n1;2\n3;4,5\n", {"decimal": ","}, [1, 3], [2, 4.5]),
    "tabs.txt": ("x\ty\n1\t2\n3\t-\n", {}, [1, 3], [2, NAN]),
    "bars.txt": ("x|y\n1|2\n3|4\n", {}, [1, 3], [2, 4]),
    "aligned.dat": ("  x     y\n  1.0   2.0\n 10.0  -3.5\n\n", {}, [1, 10], [2, -3.5]),
    "savetxt.txt": ("# x y\n1.0e+00 2.0e+00\n2.0e+00   3.0e+00\n", {}, [1, 2], [2, 3]),
    "comments.txt": (
        "# made\n# x,y\n1,2\n3,4 # why\n#N/A,5\n5,#N/A\n  # end\n",
        {},
        [1, 3, NAN, 5],
        [2, 4, 5, NAN],
    ),
    "percent.csv": ("% by hand\nx,y\n1,2\n% more\n3,4\n", {}, [1, 3], [2, 4]),
    "semicolons.txt": ("x y\n; by hand\n1 2;\n", {"comment": ";"}, [1], [2]),
    "titles.csv": ("Station 5\nmeasured 2024\n\nx,y\n1,2\n3,4\n", {}, [1, 3], [2, 4]),
    "named.csv": ("1,2\n3,4\n", {"columns": ("x", "y")}, [1, 3], [2, 4]),
    "renamed.csv": ("a,b\n1,2\n3,4\n", {"columns": "x,y"}, [1, 3], [2, 4]),
    "code.csv": (
        "x,y\n1,-9999\n2,-9999.0\n-9998,3\n",
        {"null": "-9999"},
        [1, 2, -9998],
        [NAN, NAN, 3],
    ),
    "said.csv": ("x,y\n1,kaputt\n2,3\n", {"null": ("kaputt",)}, [1, 2], [NAN, 3]),
    "windows.csv": ("x,y\r\n1,2\r\n3,4\r\n", {}, [1, 3], [2, 4]),
    "old-mac.csv": ("x,y\r1,2\r3,4\r", {}, [1, 3], [2, 4]),
    "both.csv": ("x,y\r\n1,2\n3,4\r\n5,6", {}, [1, 3, 5], [2, 4, 6]),
    "mark.csv": ("\ufeffx,y\n1,2\n", {}, [1], [2]),
    "wide.csv": ("x,y\n1,2\n".encode("utf-16"), {}, [1], [2]),
    "latin.csv": ("größe,x,y\nä,1,2\n".encode("latin-1"), {}, [1], [2]),
    "quoted.csv": ('x,y,n\n1,2,"a\nb"\n3,"4","c,d"\n"5",6,\n', {}, [1, 3, 5], [2, 4, 6]),
    "blank-lines.csv": ("x,y\n\n1,2\n\n3,4\n\n", {}, [1, 3], [2, 4]),
    "no-end.csv": ("x,y\n1,2\n3,4", {}, [1, 3], [2, 4]),
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_text_files_are_read(tmp_path, name):
    content, said, x, y = ORDINARY[name]
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    source = source_of(path, "y", "x", file_format=said)
    found = [rows for rows, _ in source.chunks()]
    np.testing.assert_array_equal([v for rows in found for v in rows.x], [float(v) for v in x])
    np.testing.assert_array_equal([v for rows in found for v in rows.y], [float(v) for v in y])


def test_numpy_and_pandas_agree(tmp_path):
    pandas = pytest.importorskip("pandas")
    table = np.random.default_rng(1).normal(0, 1e3, (50, 2))
    np.savetxt(tmp_path / "t.dat", table, header="x y")
    found = read(tmp_path / "t.dat")
    np.testing.assert_array_equal(
        np.column_stack((found.x, found.y)), np.loadtxt(tmp_path / "t.dat")
    )
    frame = pandas.DataFrame(table, columns=["x", "y"])
    frame.loc[3, "y"] = np.nan
    frame.to_csv(tmp_path / "t.csv", sep=";", decimal=",", na_rep="NA")
    found = read(tmp_path / "t.csv")
    np.testing.assert_array_equal(found.y, frame.y)


def test_lines_that_end_in_another_way_late_are_read(tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"x,y\n" + b"1,2\n" * 30_000 + b"3,4\r\n" * 30_000 + b"5,6\n")
    found = read(path)
    assert (found.n, found.x.sum(), found.y.sum()) == (60_001, 120_005, 180_006)


REFUSED = {
    "long.csv": (b"x,y\n1," + b"a" * 1_100_000 + b"\n", "longer than 131,072 bytes"),
    "late-long.csv": (b"x,y\n" + b"1,2\n" * 999 + b"1," + b"a" * 1_100_000, "longer than"),
    "no-lines.csv.gz": (gzip.compress(b"1" * 30_000_000), "first line is longer than"),
    "ragged.csv": (b"x,y\n1,2\n3,4,5\n", "Expected Number of Columns: 2 Found: 3"),
    "short.csv": (b"x,y\n1,2\n3\n4,5\n", "Expected Number of Columns: 2 Found: 1"),
    "ragged.txt": (b"# x y\n1 2\n3 4 5\n", "3 values instead of 2: 3 4 5"),
    "twice.csv": (b"x,y,x\n1,2,3\n", "'x' is the name of columns 0, 2"),
    "big-endian.csv": (b"\xfe\xff" + "x,y\n1,2\n".encode("utf-16-be"), "iconv"),
    "zeros.csv": ("x,y\n1,2\n".encode("utf-16-le"), "bytes of 0"),
    "no.csv.gz": (b"this is no gzip", "damaged"),
    "cut.csv.gz": (gzip.compress(b"x,y\n" + b"1,2\n" * 999)[:30], "damaged"),
    "comma.csv": (b"x;y\n" + b"1;2\n" * 300 + b"1;2,5\n", "decimal mark.* --decimal ,"),
    "point.csv": (b"x;y\n1,5;2\n1.234;2\n3,5;4\n", "'1.234' in row 1"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_files_are_refused_in_one_line(tmp_path, name):
    content, said = REFUSED[name]
    (tmp_path / name).write_bytes(content)
    named: dict[str, Any] = {"file_format": {"decimal": ","}} if name == "point.csv" else {}
    with pytest.raises(errors.BadTable, match=said) as refused:
        read(tmp_path / name, **named)
    assert "\n" not in str(refused.value)


def test_folders_and_pipes_are_no_files(tmp_path):
    with pytest.raises(errors.BadTable, match=r"is a folder. .*\*\.csv"):
        read(tmp_path)
    with pytest.raises(errors.BadTable, match="is a pipe or a device"):
        read("/dev/null")


def test_guesses_are_told(tmp_path):
    for name in ("a.csv", "b.csv"):
        (tmp_path / name).write_text(f"x;y\n1,5;{ord(name[0])}\n")
    (tmp_path / "c.csv").write_text("x,y\n1,2\n")
    source = files(str(tmp_path / "*.csv"), "x", "y")
    (line,) = told(source)
    assert line.endswith("a.csv and 1 more: read with ; between values, decimal comma")


def test_texts_keep_their_texts_in_conditions(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,y,land\n1,2,NA\n3,NA,DE\n5,6,NA\n")
    np.testing.assert_array_equal(read(path, where="land = 'NA'").x, [1, 5])
    np.testing.assert_array_equal(read(path, where="land <> 'NA'").y, [NAN])


def test_columns_are_told_what_they_are(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("x,flag,when\n1,true,2024-01-01\n2,false,2024-01-02\n")
    for y, said in (("flag", 'CAST."flag" AS INTEGER'), ("when", 'epoch."when"')):
        with pytest.raises(errors.BadValue, match=said):
            read(path, y=y)
    np.testing.assert_array_equal(read(path, y='CAST("flag" AS INTEGER)').y, [1, 0])
    assert np.diff(read(path, y='epoch("when")').y) == 86_400


FORMATS = [
    {"delimiter": "ab"},
    {"delimiter": '"'},
    {"decimal": ";"},
    {"decimal": ",", "delimiter": ","},
    {"comment": "##"},
    {"comment": "1"},
    {"columns": "a,a"},
    {"null": 5},
    {"hive": "yes"},
    {"separator": ";"},
]


@pytest.mark.parametrize("said", FORMATS, ids=str)
def test_formats_that_cannot_be_are_refused(said):
    with pytest.raises(errors.BadSetting):
        pd.fit("t.csv", x="x", y="y", file_format=said)


def test_a_format_comes_back_from_its_text():
    said = pd.FileFormat(null=("-9999", "ä"), delimiter="tab", comment="", columns=("a", "b"))
    assert pd.FileFormat.from_json(said.to_json()) == said
    assert pd.FileFormat.from_json("") == pd.FileFormat()
    assert pd.FileFormat().to_json() == ""


def test_only_the_head_of_a_file_is_looked_at(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"x,y\n" + b"1,2\n" * 5_000_000))
    found = layout_of(path, pd.FileFormat(), "t")
    assert found.goes_on
    assert len(found.rows) <= 200


# ── folders in paths ─────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["d.csv", "d.jsonl", "d.parquet", "d.txt"])
def test_a_folder_is_a_column_only_where_asked(tmp_path, name):
    (tmp_path / "y=7").mkdir()
    path = tmp_path / "y=7" / name
    if name.endswith("parquet"):
        pyarrow.parquet.write_table(pyarrow.table({"x": [1.0], "y": [2.0]}), path)
    elif name.endswith("txt"):
        path.write_text("# x y\n1 2\n")
    else:
        write(path, [{"x": "1", "y": "2"}])
    assert read(path).y == [2]
    assert read(path, y="y * 1").y == [2]
    other = path.with_name(f"only-{name}")
    if name.endswith("parquet"):
        pyarrow.parquet.write_table(pyarrow.table({"x": [1.0]}), other)
    elif name.endswith("txt"):
        other.write_text("# x z\n1 2\n")
    else:
        write(other, [{"x": "1", "z": "2"}])
    assert read(other, file_format={"hive": True}).y == [7]
    assert read(other, y="y * 2", file_format={"hive": True}).y == [14]


def test_a_folder_named_like_a_home_is_that_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~").mkdir()
    (tmp_path / "~" / "d.csv").write_text("x,y\n1,2\n")
    assert read("~/d.csv").y == [2]


# ── damage ───────────────────────────────────────────────────────────────────────────────────────


def spoiled(raw, seed, times):
    """Copies of some bytes with one bit turned."""
    rng = random.Random(seed)
    for _ in range(times):
        copy = bytearray(raw)
        copy[rng.randrange(len(copy))] ^= 1 << rng.randrange(8)
        yield bytes(copy)


@pytest.mark.parametrize("name", ["t.csv.gz", "t.jsonl.gz", "t.parquet"])
def test_a_turned_bit_gives_no_other_number(tmp_path, name):
    x, y = np.arange(300.0), np.random.default_rng(0).random(300)
    path = tmp_path / name
    if name.endswith("parquet"):
        table = pyarrow.table({"x": x, "y": y})
        pyarrow.parquet.write_table(table, path, write_page_checksum=True, use_dictionary=False)
    else:
        write(path, [{"x": repr(float(a)), "y": repr(float(b))} for a, b in zip(x, y, strict=True)])
    np.testing.assert_array_equal(read(path).y, y)
    for copy in spoiled(path.read_bytes(), 1, 12):
        path.write_bytes(copy)
        try:
            found = read(path)
        except errors.PolydescentError:
            continue
        np.testing.assert_array_equal(found.y, y)


def test_a_json_array_cut_short_is_refused(tmp_path):
    whole = json.dumps([{"x": i, "y": i} for i in range(5)])
    path = tmp_path / "t.json"
    for cut in range(1, len(whole), 4):
        path.write_text(whole[:cut])
        with pytest.raises(errors.BadTable):
            read(path)
    path.write_text(whole[: whole.rindex("{")])
    with pytest.raises(errors.DamagedFile, match="cut short"):
        read(path)
    path.write_text(whole + "\n")
    assert read(path).n == 5


# ── standard deviations ──────────────────────────────────────────────────────────────────────────


def test_sigma_of_a_file_is_squared_in_double_and_rounded_once(tmp_path):
    path = tmp_path / "t.parquet"
    small = np.array([100, 110, 127], np.int8)
    third = np.array([0.1, 0.2, 0.3], np.float32)
    pyarrow.parquet.write_table(
        pyarrow.table({"x": [1.0, 2.0, 3.0], "y": [1.0, 2.0, 3.0], "i": small, "f": third}), path
    )
    for name, column in (("i", small), ("f", third), ("2 * f", 2 * third.astype(float))):
        expected = [float(1 / Fraction(float(s)) ** 2) for s in column]
        np.testing.assert_array_equal(read(path, sigma=name).weights, expected)
    with pytest.raises(errors.BadSetting, match=r"above 0 in every row of .*; row 1 "):
        read(path, sigma="2 - x")
    with pytest.raises(errors.BadSetting, match="row 1 "):
        read(write(tmp_path / "t.csv", [{"x": "1", "y": "1"}, {"x": "-1", "y": "1"}]), sigma="x")


def test_weights_of_deviations_are_rounded_once():
    rng = np.random.default_rng(3)
    sigma = np.concatenate([10 ** rng.uniform(-150, 150, 500), [1e-150, 1e150, 1 / 3, 1.0]])
    expected = [float(1 / Fraction(s) ** 2) for s in sigma]
    np.testing.assert_array_equal(weights_of_deviations(sigma), expected)
    assert np.isnan(weights_of_deviations(np.array([np.nan]))).all()
    for far in (1e-170, 1e170):
        with pytest.raises(errors.OutOfRange):
            weights_of_deviations(np.array([far]))


# ── Arrow, standard input, models ────────────────────────────────────────────────────────────────


def test_files_of_arrow_are_read(tmp_path):
    table = pyarrow.table({"x": [1.0, 2.0, 3.0], "y": [2, 4, None]})
    with pyarrow.ipc.new_file(tmp_path / "a.arrow", table.schema) as file:
        file.write_table(table)
    with pyarrow.ipc.new_stream(tmp_path / "b.arrow", table.schema) as file:
        file.write_table(table)
    pyarrow.feather.write_feather(table, tmp_path / "c.feather")
    for name in ("a.arrow", "b.arrow", "c.feather"):
        found = read(tmp_path / name)
        np.testing.assert_array_equal(found.y, [2, 4, NAN])
    (tmp_path / "cut.arrow").write_bytes((tmp_path / "a.arrow").read_bytes()[:100])
    with pytest.raises(errors.BadTable):
        read(tmp_path / "cut.arrow")


@pytest.mark.parametrize("kind", ["csv", "gz", "jsonl", "parquet"])
def test_standard_input_is_a_file(tmp_path, monkeypatch, kind):
    path = write(tmp_path / "t.csv", [{"x": "1", "y": "2"}, {"x": "3", "y": "4"}])
    content = path.read_bytes()
    if kind == "gz":
        content = gzip.compress(content)
    elif kind == "jsonl":
        content = b'{"x": 1, "y": 2}\n{"x": 3, "y": 4}\n'
    elif kind == "parquet":
        table = pyarrow.table({"x": [1.0, 3.0], "y": [2.0, 4.0]})
        pyarrow.parquet.write_table(table, tmp_path / "t.parquet")
        content = (tmp_path / "t.parquet").read_bytes()
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(content)))
    found = read("-")
    np.testing.assert_array_equal(found.y, [2, 4])


def test_a_model_reads_new_files_as_it_was_told(polydescent, tmp_path):
    (tmp_path / "a.csv").write_text("1;2,5\n2;4,5\n3;weg\n4;8,5\n")
    (tmp_path / "b.csv").write_text("5;10,5\n6;weg\n")
    said = ["--delimiter", ";", "--decimal", ",", "--columns", "x,y", "--null", "weg"]
    asked = ["--x", "x", "--y", "y", "--degree", 1, "--missing", "omit", "--save", "m.json"]
    code, out, err = polydescent("fit", "a.csv", *asked, *said)
    assert (code, err) == (0, "")
    assert "0.5 + 2 x" in out
    code, out, _ = polydescent("update", "m.json", "b.csv")
    assert out.startswith("2 rows read, m.json now holds 4")
    code, out, _ = polydescent("predict", "m.json", "b.csv")
    assert (code, out.splitlines()[0]) == (0, "x,y")
    assert [float(line.split(",")[0]) for line in out.splitlines()[1:]] in ([5.0, 6.0], [])


def test_the_command_says_what_it_guessed(polydescent, tmp_path):
    (tmp_path / "a.dat").write_text("# x y\n1   2\n2   4\n3   6\n")
    code, _, err = polydescent("fit", "a.dat", "--x", "x", "--y", "y", "--degree", 1)
    assert (code, err) == (
        0,
        "polydescent: a.dat: read with comments after #, blanks between values, "
        "columns x, y, named in a comment\n",
    )
