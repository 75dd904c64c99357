"""The command with --by: what it prints, keeps and refuses, as for one curve."""

import csv
import io
import json

import numpy as np
import pandas
import pyarrow.parquet
import pytest

import polydescent as pd
from polydescent.cli.groups import _between_commas


@pytest.fixture
def tables(tmp_path):
    """Two CSV files of readings of sensors at two sites."""
    generator = np.random.default_rng(4)
    n = 400
    site, sensor = generator.choice(["north", "south"], n), generator.integers(1, 4, n)
    t = generator.uniform(0, 10, n)
    v = sensor * t + (site == "north") + generator.normal(size=n) / 10
    table = pandas.DataFrame({"site": site, "sensor": sensor, "t": t, "v": v})
    table[:250].to_csv(tmp_path / "a.csv", index=False)
    table[250:].to_csv(tmp_path / "b.csv", index=False)
    return table


FIT = ("--x", "t", "--y", "v", "--degree", "1", "--quiet")
BY = ("--by", "site,sensor")


def test_fit_prints_how_the_curves_came_out(polydescent, tables):
    code, out, err = polydescent("fit", "a.csv", "b.csv", *FIT, *BY)
    assert (code, err) == (0, "")
    assert out.startswith("Fits of 6 curves, degree 1: 6 ok")
    assert "site, sensor" in out
    fits = pd.fit_many(tables, x="t", y="v", by=["site", "sensor"], degree=1)
    for i, line in enumerate(out.strip().splitlines()[-6:]):
        assert f"{fits.coef[i, 1]:.6g}" in line


def test_json_has_counts_and_the_first_curves(polydescent, tables):
    _, out, _ = polydescent("fit", "a.csv", *FIT, "--by", "sensor", "--json")
    found = json.loads(out)
    assert found["curves"] == 3
    assert found["status"] == {"ok": 3}
    assert found["rows"] == 250
    assert [row["sensor"] for row in found["first"]] == [1, 2, 3]
    assert found["first"][1]["c1"] == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("name", ["t.csv", "t.parquet"])
def test_out_writes_a_row_for_each_curve(polydescent, tables, tmp_path, name):
    code, _, _ = polydescent("fit", "a.csv", *FIT, *BY, "--out", name)
    assert code == 0
    read = pandas.read_csv if name.endswith("csv") else pandas.read_parquet
    found = read(tmp_path / name)
    fits = pd.fit_many(tables[:250], x="t", y="v", by=["site", "sensor"], degree=1)
    np.testing.assert_allclose(found["c1"], fits.coef[:, 1], rtol=1e-12)
    assert found["sensor"].tolist() == [1, 2, 3, 1, 2, 3]


def test_a_model_is_saved_updated_merged_and_asked(polydescent, tables, tmp_path):
    assert polydescent("fit", "a.csv", *FIT, *BY, "--save", "m.parquet")[0] == 0
    code, out, _ = polydescent("update", "m.parquet", "b.csv", "--quiet")
    assert (code, out) == (
        0,
        "150 rows read, m.parquet now holds 400 of 6 groups, 0 of them new\n",
    )
    code, _, err = polydescent("update", "m.parquet", "b.csv", "--quiet")
    assert code == 2
    assert "was added to 'm.parquet' before (150 rows)" in err
    fits = pd.fit_many(tables, x="t", y="v", by=["site", "sensor"], degree=1)
    np.testing.assert_allclose(pd.Fits.load("m.parquet").coef, fits.coef, rtol=1e-11)
    for name in "ab":
        polydescent("fit", f"{name}.csv", *FIT, *BY, "--save", f"{name}.parquet")
    code, out, _ = polydescent("merge", "a.parquet", "b.parquet", "-o", "ab.parquet")
    assert (code, out) == (0, "ab.parquet holds 400 rows of 6 groups of 2 models\n")
    np.testing.assert_allclose(pd.Fits.load("ab.parquet").coef, fits.coef, rtol=1e-11)
    code, _, err = polydescent("merge", "a.parquet", "ab.parquet", "-o", "x.parquet")
    assert code == 2
    assert not (tmp_path / "x.parquet").exists()


def test_predictions_of_a_model_of_groups(polydescent, tables):
    polydescent("fit", "a.csv", "b.csv", *FIT, *BY, "--save", "m.parquet")
    fits = pd.fit_many(tables, x="t", y="v", by=["site", "sensor"], degree=1)
    _, out, _ = polydescent("predict", "m.parquet", "--at", "1.5", "--key", "north,2")
    assert float(out) == pytest.approx(fits["north", 2](1.5), rel=1e-12)
    _, out, _ = polydescent("predict", "m.parquet", "--at", "1.5", "--at", "2")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert len(rows) == 12
    assert rows[0] == {"site": "north", "sensor": "1", "t": "1.5", "v": rows[0]["v"]}
    assert float(rows[7]["v"]) == pytest.approx(fits["north", 2](2.0), rel=1e-12)
    _, out, _ = polydescent("predict", "m.parquet", "a.csv", "b.csv")
    found = [float(row["v"]) for row in csv.DictReader(io.StringIO(out))]
    np.testing.assert_allclose(found, fits.predict(tables), rtol=1e-12)
    _, out, _ = polydescent(
        "predict", "m.parquet", "--at", "2", "--key", "south,3", "--band", "confidence"
    )
    low, high = fits["south", 3].confidence_band(2.0)
    assert [float(v) for v in out.split(",")][1:] == pytest.approx([low, high])
    _, out, _ = polydescent(
        "predict", "m.parquet", "--at", "2", "--degree", "0", "--key", "south,3"
    )
    mean = tables[(tables.site == "south") & (tables.sensor == 3)]["v"].mean()
    assert float(out) == pytest.approx(mean)


def test_one_key_is_shown_like_one_fit(polydescent, tables, tmp_path):
    code, out, _ = polydescent(
        "fit", "a.csv", *FIT, "--by", "sensor", "--key", "2", "--explore", "p.html"
    )
    assert code == 0
    assert out.startswith("Result: y = ")
    assert (tmp_path / "p.html").stat().st_size > 10_000


def test_plot_draws_the_worst_curves(polydescent, tables, tmp_path):
    pytest.importorskip("matplotlib")
    code, out, _ = polydescent("fit", "a.csv", *FIT, *BY, "--plot", "p.svg")
    assert code == 0
    assert out.endswith("Picture: p.svg\n")
    assert "<svg" in (tmp_path / "p.svg").read_text()


def test_expressions_are_keys_too(polydescent, tables):
    _, out, _ = polydescent("fit", "a.csv", *FIT, "--by", "left(site, 1), sensor % 2", "--json")
    found = json.loads(out)
    assert found["by"] == "left(site, 1), sensor % 2"
    assert found["curves"] == 4
    assert _between_commas("a, f(b, c), \"d,e\", 'g,h', [1,2]") == [
        *("a", "f(b, c)", '"d,e"', "'g,h'", "[1,2]")
    ]


def test_constraints_are_kept_with_the_model(polydescent, tables):
    polydescent(
        *("fit", "a.csv", "--x", "t", "--y", "v", "--quiet", "--by", "sensor", "--terms", "1"),
        *("--save", "m.parquet"),
    )
    assert (pd.Fits.load("m.parquet").coef[:, 0] == 0).all()
    _, out, _ = polydescent("predict", "m.parquet", "--at", "0", "--key", "1")
    assert float(out) == 0


REFUSED = {
    "json": (("--save", "m.json"), "a file that ends in .parquet where there is --by"),
    "a table of another kind": (("--out", "t.xlsx"), "--out must be a file that ends in .csv"),
    "a folder": (("--out", "none/t.csv"), "does not exist"),
    "a descent": (("--optimizer", "gd"), "--by solves for each key exactly"),
    "another library": (("--backend", "torch"), "--by solves for each key exactly"),
    "a page of all": (("--explore", "p.html"), "say which with --key"),
    "no such key": (("--key", "9"), "There is no group '9'. There are, of 3: 1; 2; 3"),
    "no such column": (("--by", "nowhere"), "no column 'nowhere'"),
    "a trace": (("--trace", "3"), "leave it out"),
}


@pytest.mark.parametrize(("options", "said"), REFUSED.values(), ids=REFUSED)
def test_refusals_leave_nothing_behind(polydescent, tables, tmp_path, options, said):
    before = sorted(tmp_path.iterdir())
    code, out, err = polydescent("fit", "a.csv", *FIT, "--by", "sensor", *options)
    assert (code, out) == (2, "")
    assert said in err
    assert sorted(tmp_path.iterdir()) == before


def test_what_needs_keys_is_refused_without(polydescent, tables):
    for name in ("--key", "--out"):
        code, _, err = polydescent("fit", "a.csv", *FIT, name, "x.csv")
        assert code == 2
        assert f"{name} is for a curve of each key" in err
    polydescent("fit", "a.csv", *FIT, "--save", "m.json")
    code, _, err = polydescent("predict", "m.json", "--at", "1", "--key", "2")
    assert code == 2
    assert "holds one curve and no keys" in err
    polydescent("fit", "a.csv", *FIT, "--by", "sensor", "--save", "m.parquet")
    code, _, err = polydescent("predict", "m.parquet", "--at", "1", "--band", "confidence")
    assert "say which with --key" in err
    code, _, err = polydescent("merge", "m.json", "m.parquet", "-o", "x.json")
    assert code == 2
    code, _, err = polydescent("merge", "m.parquet", "m.json", "-o", "x.parquet")
    assert code == 2
    pyarrow.parquet.write_table(pyarrow.table({"x": [1]}), "t.parquet")
    code, _, err = polydescent("update", "t.parquet", "a.csv")
    assert code == 2
    assert "is no whole model file" in err


def test_sql_of_a_model_from_elsewhere_is_not_run_unasked(polydescent, tables):
    polydescent("fit", "a.csv", *FIT, "--by", "md5(site)", "--save", "m.parquet")
    code, _, err = polydescent("update", "m.parquet", "b.csv")
    assert code == 2
    assert "The by of this model is the SQL 'md5(site)'" in err
    assert polydescent("update", "m.parquet", "b.csv", "--trust", "--quiet")[0] == 0
