"""Models of groups: the file says what it holds or is refused; each row is counted once."""

import json
import subprocess
import sys
from contextlib import suppress
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from killing import killed_everywhere

from polydescent.errors import (
    AlreadyAdded,
    ColumnsDiffer,
    DamagedModel,
    NoFile,
    NotAModel,
    PolydescentError,
    Stopped,
    UnknownSchema,
)
from polydescent.models import groups
from polydescent.models.group_journal import GroupJob
from polydescent.models.groups import GroupModel
from polydescent.models.journal import run
from polydescent.rows import duck, keys
from polydescent.rows.files import files

BLOCK = 1000


@pytest.fixture
def small_blocks(monkeypatch):
    """Rows are looked at and folded so many at once."""
    monkeypatch.setattr(duck, "BLOCK", BLOCK)
    monkeypatch.setattr(keys, "BLOCK", BLOCK)


def rows_of(n, of=5, seed=0):
    generator = np.random.default_rng(seed)
    k = generator.integers(0, of, n)
    x = generator.uniform(-1, 1, n) + 10 * k
    table = {"site": np.where(k % 2, "north", "south"), "k": k, "x": x, "y": np.sin(x)}
    return pyarrow.table(table)


@pytest.fixture
def folder(tmp_path, small_blocks):
    """Three Parquet files of several blocks, and a model of one of them."""
    for seed, (name, n) in enumerate((("old", 900), ("a", 2 * BLOCK + 10), ("b", BLOCK + 5))):
        pyarrow.parquet.write_table(rows_of(n, seed=seed), tmp_path / f"{name}.parquet")
    run(job(tmp_path, "old", is_update=False))
    return tmp_path


def job(folder, *names, target="m.parquet", by=("site", "k"), is_update=True, **settings):
    paths = [folder / f"{name}.parquet" for name in names]
    source = files(paths, "x", "y", by=by)
    return GroupJob(source, folder / target, 3, is_update=is_update, **settings)


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def assert_same(ours, theirs, rtol=1e-13):
    """Two summaries are of the same rows, up to rounding."""
    assert ours.keys.equals(theirs.keys)
    np.testing.assert_array_equal(ours.n, theirs.n)
    scale = np.abs(theirs.triangle.array).max()
    np.testing.assert_allclose(ours.triangle.array, theirs.triangle.array, 0, rtol * scale)
    assert ours.axis == theirs.axis


def test_a_model_holds_what_was_asked_and_read(folder):
    model = run(job(folder, "a", "b"))
    assert model.asked == {"x": "x", "y": "y", "missing": "raise"}
    assert model.by == ("site", "k")
    assert [s.rows for s in model.sources] == [900, 2 * BLOCK + 10, BLOCK + 5]
    assert model.summaries.n.sum() == 900 + 3 * BLOCK + 15
    whole = run(job(folder, "old", "a", "b", target="w.parquet", is_update=False))
    assert_same(model.summaries, whole.summaries)
    assert_same(groups.load(folder / "m.parquet").summaries, model.summaries)
    assert names(folder) == ["a.parquet", "b.parquet", "m.parquet", "old.parquet", "w.parquet"]


def test_other_programs_read_the_file(folder):
    table = pyarrow.parquet.read_table(folder / "m.parquet")
    assert table.column_names[:6] == ["site", "k", "n", "omitted", "x_min", "x_max"]
    assert sum(table["n"].to_pylist()) == 900
    first = np.array(table["triangle"][0].as_py())
    assert first[0] == pytest.approx(np.sqrt(table["n"][0].as_py()))  # R₀₀ is √n


def test_a_source_is_added_once(folder):
    run(job(folder, "a"))
    before = (folder / "m.parquet").read_bytes()
    for given in (("a",), ("b", "b")):
        with pytest.raises(AlreadyAdded):
            run(job(folder, *given))
    assert (folder / "m.parquet").read_bytes() == before
    assert run(job(folder, "a", again=True)).summaries.n.sum() == 900 + 2 * (2 * BLOCK + 10)


def test_stopping_leaves_a_checkpoint_and_the_rerun_the_same_bits(folder):
    undisturbed = run(job(folder, "a", "b")).summaries
    run(job(folder, "old", is_update=False))

    def stop(state):
        if state.rows == 2 * BLOCK:
            raise KeyboardInterrupt

    with pytest.raises(Stopped, match=f"{2 * BLOCK:,} rows, nothing is lost"):
        run(job(folder, "a", "b"), watch=stop)
    assert groups.load(folder / "m.parquet").summaries.n.sum() == 900
    seen = []
    resumed = run(job(folder, "a", "b"), watch=lambda state: seen.append(state.rows)).summaries
    assert seen[:2] == [2 * BLOCK, 2 * BLOCK + 10]
    np.testing.assert_array_equal(resumed.triangle.array, undisturbed.triangle.array)
    assert len(names(folder)) == 4


def test_sorted_rows_go_on_only_between_files(folder):
    for name in ("c", "d"):
        table = rows_of(3 * BLOCK, of=400, seed=ord(name))
        pyarrow.parquet.write_table(table, folder / f"{name}.parquet")
    wanted = run(job(folder, "c", "d", target="w.parquet", is_update=False)).summaries

    def stop(state):
        if state.rows == 4 * BLOCK:
            raise KeyboardInterrupt

    fresh = partial(job, folder, "c", "d", target="n.parquet", is_update=False)
    with pytest.raises(Stopped, match=f"{3 * BLOCK:,} rows"):
        run(fresh(), watch=stop)
    seen = []
    assert_same(run(fresh(), watch=lambda state: seen.append(state.rows)).summaries, wanted)
    assert seen[0] == 3 * BLOCK


def test_new_keys_of_another_type_meet_the_old_ones(folder):
    texts = rows_of(500, seed=9)
    texts = texts.set_column(1, "k", [str(k) for k in texts["k"].to_pylist()])
    pyarrow.parquet.write_table(texts, folder / "t.parquet")
    model = run(job(folder, "t"))
    assert model.summaries.keys.schema.field("k").type == pyarrow.string()
    assert len(model.summaries.n) == 5
    assert model.summaries.n.sum() == 1400


def test_a_refused_row_leaves_nothing_behind(folder):
    table = rows_of(2 * BLOCK)
    y = table["y"].to_numpy().copy()
    y[BLOCK + 7] = np.nan
    pyarrow.parquet.write_table(table.set_column(3, "y", [y]), folder / "nan.parquet")
    key = f"{table['site'][BLOCK + 7].as_py()}, {table['k'][BLOCK + 7].as_py()}"
    before = names(folder), (folder / "m.parquet").read_bytes()
    with pytest.raises(PolydescentError, match=f"row {BLOCK + 7:,} .* in the group '{key}'"):
        run(job(folder, "nan"), every=0)
    assert (names(folder), (folder / "m.parquet").read_bytes()) == before
    model = run(job(folder, "nan", target="o.parquet", is_update=False, missing="omit"))
    assert model.summaries.omitted.sum() == 1


def test_models_merge_by_key(folder):
    run(job(folder, "a", target="a2.parquet", is_update=False))
    merged = groups.merge(
        [str(folder / "m.parquet"), str(folder / "a2.parquet")], str(folder / "x.parquet")
    )
    whole = run(job(folder, "old", "a", target="w.parquet", is_update=False))
    assert_same(merged.summaries, whole.summaries)
    with pytest.raises(AlreadyAdded):
        groups.merge(
            [str(folder / "x.parquet"), str(folder / "a2.parquet")], str(folder / "y.parquet")
        )
    run(job(folder, "b", target="k.parquet", is_update=False, by=("k",)))
    with pytest.raises(ColumnsDiffer, match="by is 'site, k' here and 'k'"):
        groups.merge(
            [str(folder / "m.parquet"), str(folder / "k.parquet")], str(folder / "y.parquet")
        )


# ── what is no model ─────────────────────────────────────────────────────────────────────────────


def test_every_bit_of_a_value_is_sealed(folder):
    path = folder / "m.parquet"
    whole, model = path.read_bytes(), groups.load(path)
    generator = np.random.default_rng(0)
    refused = 0
    for place in generator.integers(0, len(whole), 150):
        bad = bytearray(whole)
        bad[place] ^= 1 << int(generator.integers(8))
        (folder / "bad.parquet").write_bytes(bad)
        try:
            found = groups.load(folder / "bad.parquet")
        except (DamagedModel, UnknownSchema):
            refused += 1
            continue
        assert_same(found.summaries, model.summaries, rtol=0)  # in statistics that nobody reads
        assert (found.by, found.sources, found.passes) == (model.by, model.sources, model.passes)
    assert refused > 75
    for length in (0, 3, 4, 100, len(whole) - 1):
        (folder / "bad.parquet").write_bytes(whole[:length])
        with pytest.raises(DamagedModel):
            groups.load(folder / "bad.parquet")


def forged(path, change=None, **said):
    """The file with its table or its JSON changed, and the right checksum."""
    stored = pyarrow.parquet.read_table(path)
    seal = json.loads(stored.schema.metadata[b"polydescent"])
    model = json.loads(seal["model"]) | said
    table = stored.replace_schema_metadata(None)
    table = table if change is None else change(table)
    seal["model"] = json.dumps(model)
    with suppress(pyarrow.ArrowException):  # of a column that no model has
        seal["checksum"] = groups.checksum(table, seal["model"])
    sealed = table.replace_schema_metadata({b"polydescent": json.dumps(seal).encode()})
    pyarrow.parquet.write_table(sealed, path)


def column(name, values):
    return lambda t: t.set_column(t.column_names.index(name), name, pyarrow.array(values))


FORGED = {
    "degree": ({"degree": 2}, "triangle must be 10 numbers"),
    "no degree": ({"degree": -1}, "degree must be a whole number"),
    "no axis": ({"axis": {}}, "axis must be an object with"),
    "other columns": ({"keys": [["k", "k"]]}, "columns must be k, n"),
    "no library": ({"kind": {"library": "os", "dtype": "x", "device": "cpu"}}, "kind.library"),
    "no pass": ({"passes": ["x"]}, "id of 32"),
    "more": ({"more": 1}, "alone, found"),
    "a negative n": (column("n", [-1] * 5), r"n\[0\] must be a count"),
    "a fault": (column("fault", np.full(5, 9, "int8")), r"fault\[0\] must be 0, 4 or 5"),
    "no numbers": (column("x_min", ["a"] * 5), "x_min must be double"),
    "a wrong end": (column("x_min", [1e9] * 5), r"x_min\[0\] must be finite, at most x_max"),
    "rows without n": (column("n", [0] * 5), r"triangle\[0\] must be 0 everywhere"),
    "missing": (column("n", pyarrow.array([None] * 5, "int64")), "a value in every row"),
    "a key twice": (column("k", [1] * 5), "keys must be 5 different ones"),
    "nested keys": (column("k", [[1]] * 5), "cast"),
}


@pytest.mark.parametrize(("change", "said"), FORGED.values(), ids=FORGED)
def test_a_forged_file_is_refused_with_what_was_found(folder, change, said):
    path = folder / "m.parquet"
    if callable(change):
        forged(path, change)
    else:
        forged(path, **change)
    with pytest.raises(DamagedModel, match=said):
        groups.load(path)


def test_a_later_schema_says_so(folder):
    path = folder / "m.parquet"
    table = pyarrow.parquet.read_table(path)
    seal = json.loads(table.schema.metadata[b"polydescent"]) | {"schema": 2}
    metadata = {b"polydescent": json.dumps(seal).encode()}
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), path)
    with pytest.raises(UnknownSchema, match="schema 2"):
        groups.load(path)


def test_what_is_no_model_is_neither_read_nor_replaced(folder):
    before = (folder / "old.parquet").read_bytes()
    with pytest.raises(DamagedModel, match="none of the metadata"):
        groups.load(folder / "old.parquet")
    with pytest.raises(NotAModel):
        groups.save(groups.load(folder / "m.parquet"), folder / "old.parquet")
    with pytest.raises(NotAModel):
        run(job(folder, "a", target="old.parquet", is_update=False))
    (folder / "text.parquet").write_text("x,y\n1,2\n")
    with pytest.raises(DamagedModel, match="no Parquet"):
        groups.load(folder / "text.parquet")
    with pytest.raises(NotAModel):
        groups.save(groups.load(folder / "m.parquet"), folder / "text.parquet")
    with pytest.raises(NoFile):
        groups.load(folder / "none.parquet")
    assert (folder / "old.parquet").read_bytes() == before


@pytest.mark.parametrize("name", ["n", "triangle", "key_n", "", "x_min", "späť"])
def test_a_key_may_be_called_like_a_column(folder, name):
    model = groups.load(folder / "m.parquet")
    renamed = model.summaries.keys.rename_columns([name, "k"])
    groups.save(
        GroupModel(type(model.summaries)(**vars(model.summaries) | {"keys": renamed})),
        folder / "named.parquet",
    )
    assert groups.load(folder / "named.parquet").summaries.keys.equals(renamed)


# ── killed ───────────────────────────────────────────────────────────────────────────────────────


def test_killed_at_every_write(folder):
    """One child process for every moment before or after a sync, a renaming or a removal."""
    outcome = subprocess.run(
        [sys.executable, __file__, str(folder)], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    found = json.loads(outcome.stdout)
    assert found["kills"] > 20
    assert found["bits"] == [found["undisturbed"]] * found["kills"]
    assert names(folder) == ["a.parquet", "b.parquet", "m.parquet", "old.parquet"]


def _bits(folder):
    model = groups.load(folder / "m.parquet")
    return [
        model.summaries.n.tolist(),
        len(model.sources),
        model.summaries.triangle.array.tobytes().hex(),
    ]


def _kill_everywhere(folder):
    duck.BLOCK = keys.BLOCK = BLOCK

    def work():
        with suppress(AlreadyAdded):  # killed after the last write: nothing is left to do
            run(job(folder, "b"), every=0)

    print(json.dumps(killed_everywhere(folder / "m.parquet", work, lambda: _bits(folder))))


if __name__ == "__main__":
    import duckdb  # noqa: F401  once here, not in every child
    import pandas  # noqa: F401  DuckDB imports it when it connects

    _kill_everywhere(Path(sys.argv[1]))
