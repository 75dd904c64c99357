"""A pass that is stopped or killed anywhere, run again, counts each row once, to the same bits."""

import json
import os
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
from killing import killed_everywhere

import polydescent as pd
from polydescent.errors import AlreadyAdded, OnlyFiles, SourceChanged, Stopped
from polydescent.models import model as store
from polydescent.models.journal import Job, run
from polydescent.rows.arrow import CHUNK
from polydescent.rows.files import files
from polydescent.rows.source_of import source_of


@pytest.fixture
def folder(tmp_path):
    """Two Parquet files of several chunks and a model of another file."""
    generator = np.random.default_rng(0)
    for name, n in (("old", 1000), ("a", 2 * CHUNK + 10), ("b", CHUNK + 5)):
        x = generator.uniform(-1, 1, n)
        table = pyarrow.table({"x": x, "y": np.sin(3 * x)})
        pyarrow.parquet.write_table(table, tmp_path / f"{name}.parquet", row_group_size=50_000)
    run(Job(files(tmp_path / "old.parquet", "x", "y"), tmp_path / "m.json", 4))
    return tmp_path


def update(folder, *names, **settings):
    paths = [folder / f"{name}.parquet" for name in names]
    return Job(files(paths, "x", "y"), folder / "m.json", 4, is_update=True, **settings)


def names(folder):
    return sorted(file.name for file in folder.iterdir())


def test_a_model_holds_what_was_asked_and_read(folder):
    model = run(update(folder, "a", "b"))
    assert model.asked == {"x": "x", "y": "y", "missing": "raise"}
    assert [Path(s.path).stem for s in model.sources] == ["old", "a", "b"]
    assert [s.rows for s in model.sources] == [1000, 2 * CHUNK + 10, CHUNK + 5]
    assert model.summary.n == 1000 + 3 * CHUNK + 15
    whole = pd.summarize([folder / f"{n}.parquet" for n in ("old", "a", "b")], x="x", y="y")
    np.testing.assert_allclose(model.summary.fit().coef, whole.fit(4).coef, rtol=1e-10, atol=1e-12)
    assert names(folder) == ["a.parquet", "b.parquet", "m.json", "old.parquet"]


def test_a_source_is_added_once(folder):
    run(update(folder, "a"))
    before = (folder / "m.json").read_bytes()
    with pytest.raises(AlreadyAdded):
        run(update(folder, "a"))
    with pytest.raises(AlreadyAdded):
        run(update(folder, "b", "b"))
    assert (folder / "m.json").read_bytes() == before
    assert run(update(folder, "a", again=True)).summary.n == 1000 + 2 * (2 * CHUNK + 10)


def test_stopping_leaves_a_checkpoint_and_the_rerun_the_same_bits(folder):
    undisturbed = run(update(folder, "a", "b")).summary
    run(Job(files(folder / "old.parquet", "x", "y"), folder / "m.json", 4))

    def stop(state):
        if state.rows == 2 * CHUNK:
            raise KeyboardInterrupt

    with pytest.raises(Stopped, match=rf"{2 * CHUNK:,} rows, nothing is lost: the same command"):
        run(update(folder, "a", "b"), watch=stop)
    assert store.load(folder / "m.json").summary.n == 1000
    assert len(names(folder)) == 5
    seen = []
    resumed = run(update(folder, "a", "b"), watch=lambda state: seen.append(state.rows)).summary
    assert seen[:2] == [2 * CHUNK, 2 * CHUNK + 10]
    np.testing.assert_array_equal(resumed.triangle.array, undisturbed.triangle.array)
    assert resumed.n == undisturbed.n
    assert names(folder) == ["a.parquet", "b.parquet", "m.json", "old.parquet"]


def test_sql_goes_on_only_between_parts(folder):
    select = f"SELECT x, y FROM '{folder}/a.parquet'"
    source = files([folder / "b.parquet", select], "x", "y")
    job = Job(source, folder / "m.json", 4, is_update=True)

    def stop(state):
        if state.rows == 2 * CHUNK + 5:
            raise KeyboardInterrupt

    with pytest.raises(Stopped, match=f"{CHUNK + 5:,} rows"):
        run(job, watch=stop)
    assert run(job).summary.n == 1000 + 3 * CHUNK + 15


def test_a_file_that_changes_while_it_is_read_is_refused(folder):
    before = (folder / "m.json").read_bytes()

    def write(state):
        os.utime(folder / "a.parquet", ns=(0, state.rows))

    with pytest.raises(SourceChanged):
        run(update(folder, "a"), watch=write)
    assert (folder / "m.json").read_bytes() == before
    assert len(names(folder)) == 4


def test_a_file_changed_in_place_with_its_time_put_back_is_refused(folder):
    path = folder / "a.parquet"
    status, whole = path.stat(), path.read_bytes()

    def write(state):
        path.write_bytes(whole)
        os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))

    with pytest.raises(SourceChanged):
        run(update(folder, "a"), watch=write)


@pytest.mark.parametrize("tally", [[], [[3, None]], [[1, "other degree"]], [[1, "more rows"]], "x"])
def test_a_checkpoint_that_no_pass_left_is_not_gone_on_from(folder, tally):
    job = update(folder, "b")
    whole = pd.summarize([0.0, 1.0, 2.0], [1.0, 2.0, 3.0], 4).to_record()
    if tally and tally != "x":
        tally = [[count, whole if part else part] for count, part in tally]
    content = {"pass": "0" * 32, "done": [], "taken": 2, "tally": tally}
    path = job.checkpoint(job.remembered())
    path.write_bytes(store.render("polydescent checkpoint", content))
    seen = []
    assert run(job, watch=lambda state: seen.append(state.rows)).summary.n == 1000 + CHUNK + 5
    assert seen[0] == 0


def test_a_model_reached_by_a_link_is_updated_where_it_lies(folder):
    (folder / "far").mkdir()
    (folder / "far" / "l.json").symlink_to("../m.json")
    job = Job(files(folder / "b.parquet", "x", "y"), folder / "far" / "l.json", 4, is_update=True)
    assert run(job).summary.n == 1000 + CHUNK + 5
    assert os.listdir(folder / "far") == ["l.json"]
    assert store.load(folder / "m.json").summary.n == 1000 + CHUNK + 5
    with pytest.raises(AlreadyAdded):
        run(update(folder, "b"))


def test_a_refused_row_leaves_nothing_behind(folder):
    pyarrow.parquet.write_table(
        pyarrow.table({"x": np.zeros(2 * CHUNK), "y": np.r_[np.zeros(2 * CHUNK - 1), np.nan]}),
        folder / "nan.parquet",
    )
    before = names(folder), (folder / "m.json").read_bytes()
    with pytest.raises(pd.PolydescentError, match=f"row {2 * CHUNK - 1:,}"):
        run(update(folder, "nan"), every=0)
    assert (names(folder), (folder / "m.json").read_bytes()) == before


def test_a_model_is_not_made_of_rows_that_do_not_determine_it(folder):
    (folder / "few.csv").write_text("x,y\n1,2\n1,3\n")
    with pytest.raises(pd.PolydescentError, match="at least"):
        run(
            Job(
                files(folder / "few.csv", "x", "y"),
                folder / "n.json",
                1,
                check=lambda s: s.triangle.solve(),
            )
        )
    assert not (folder / "n.json").exists()


def test_arrays_cannot_be_remembered(folder):
    with pytest.raises(OnlyFiles, match="save"):
        run(Job(source_of([1.0], [2.0]), folder / "n.json", 0))


def test_killed_at_every_write(folder):
    """One child process for every moment before or after a sync, a renaming or a removal."""
    outcome = subprocess.run(
        [sys.executable, __file__, str(folder)], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    found = json.loads(outcome.stdout)
    assert found["kills"] > 20
    assert found["bits"] == [found["undisturbed"]] * found["kills"]
    assert names(folder) == ["a.parquet", "b.parquet", "m.json", "old.parquet"]


# ── the process that forks and kills ─────────────────────────────────────────────────────────────


def _bits(folder):
    model = store.load(folder / "m.json")
    return [model.summary.n, len(model.sources), model.summary.triangle.array.tobytes().hex()]


def _kill_everywhere(folder):
    def work():
        with suppress(AlreadyAdded):  # killed after the last write: nothing is left to do
            run(update(folder, "b"), every=0)

    print(json.dumps(killed_everywhere(folder / "m.json", work, lambda: _bits(folder))))


if __name__ == "__main__":
    import duckdb  # noqa: F401  once here, not in every child
    import pandas  # noqa: F401  DuckDB imports it when it connects

    _kill_everywhere(Path(sys.argv[1]))
