"""A model file gives back every bit, refuses what is not whole, and knows what was added."""

import json
import multiprocessing
import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import polydescent as pd
from polydescent.errors import (
    AlreadyAdded,
    DamagedModel,
    NoFile,
    NotAModel,
    SourceGrew,
    UnknownSchema,
)
from polydescent.atomic import locked
from polydescent.fingerprint import Remembered
from polydescent.store import Model, change, load, save


@pytest.fixture
def summary():
    x = np.geomspace(1e-300, 1e300, 50)
    return pd.summarize(np.log(x), np.sin(np.log(x)) / 3, degree=6)


@pytest.fixture
def path(tmp_path, summary):
    summary.save(tmp_path / "model.json")
    return tmp_path / "model.json"


def assert_equal(found, expected):
    np.testing.assert_array_equal(found.triangle, expected.triangle)
    for name in ("domain", "n", "kind", "omitted", "x_name", "y_name", "axis"):
        assert getattr(found, name) == getattr(expected, name), name


def test_every_bit_comes_back(path, summary):
    assert_equal(pd.Summary.load(path), summary)
    assert_equal(pickle.loads(pickle.dumps(summary)), summary)


def test_nothing_but_the_file_is_left(path):
    assert [file.name for file in path.parent.iterdir()] == ["model.json"]


def test_the_empty_summary_comes_back(tmp_path, summary):
    pd.Summary.empty(6).save(tmp_path / "empty.json")
    empty = pd.Summary.load(tmp_path / "empty.json")
    assert_equal(empty, pd.Summary.empty(6))
    assert_equal(empty + summary, summary)


def test_a_tensors_kind_comes_back(tmp_path):
    torch = pytest.importorskip("torch")
    x = torch.linspace(0, 1, 9, dtype=torch.float32)
    pd.summarize(x, x * x, 2).save(tmp_path / "m.json")
    assert pd.Summary.load(tmp_path / "m.json").fit().coef.dtype == torch.float32


def test_the_axis_comes_back(tmp_path):
    days = np.datetime64("2024-05-01") + np.arange(9)
    nanoseconds = 1_700_000_000_123_456_789 + np.arange(9)
    for x in (days, nanoseconds):
        summary = pd.summarize(x, np.arange(9.0), 2)
        summary.save(tmp_path / "m.json")
        assert_equal(pd.Summary.load(tmp_path / "m.json"), summary)
        assert not summary.axis.is_plain


def test_every_flipped_bit_is_noticed(path):
    whole = path.read_bytes()
    generator = np.random.default_rng(0)
    for place in generator.choice(len(whole) * 8, 400, replace=False):
        flipped = bytearray(whole)
        flipped[place // 8] ^= 1 << (place % 8)
        path.write_bytes(flipped)
        with pytest.raises((DamagedModel, UnknownSchema)):
            load(path)


def test_every_cut_is_noticed(path):
    whole = path.read_bytes()
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DamagedModel, match="Restore it from a copy"):
            load(path)


def test_a_later_schema_says_to_upgrade(path):
    content = json.loads(path.read_text()) | {"schema": 2}
    path.write_text(json.dumps(content))
    with pytest.raises(UnknownSchema, match="pip install --upgrade polydescent"):
        load(path)


def test_a_missing_model_and_a_folder(tmp_path):
    for name in ("none.json", "."):
        with pytest.raises(NoFile):
            load(tmp_path / name)


def test_other_files_are_not_overwritten(tmp_path, summary):
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(NotAModel, match="another name"):
        summary.save(tmp_path / "thesis.txt")
    assert (tmp_path / "thesis.txt").read_text() == "years of work"


def test_a_failed_write_leaves_the_old_model(path, summary, monkeypatch):
    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        (summary + summary).save(path)
    monkeypatch.undo()
    assert load(path).summary.n == summary.n
    assert [file.name for file in path.parent.iterdir()] == ["model.json"]


# ── what was added ───────────────────────────────────────────────────────────────────────────────


def remember(path, text):
    path.write_text(text)
    return Remembered.of_file(path)


def test_the_same_bytes_are_known_under_any_name(tmp_path, summary):
    model = Model(summary, sources=(remember(tmp_path / "a.csv", "x,y\n1,2\n"),))
    copy = remember(tmp_path / "b.csv", "x,y\n1,2\n")
    with pytest.raises(AlreadyAdded, match=r"b\.csv.*before as .*a\.csv.*--again"):
        model.check_new([copy], "model.json")


def test_a_grown_file_is_not_counted_twice(tmp_path, summary):
    model = Model(summary, sources=(remember(tmp_path / "a.csv", "x,y\n1,2\n"),))
    with pytest.raises(SourceGrew, match=r"8 bytes.*12"):
        model.check_new([remember(tmp_path / "a.csv", "x,y\n1,2\n3,4\n")], "model.json")


def test_models_of_a_file_that_is_gone_are_compared(tmp_path, summary):
    model = Model(summary, sources=(remember(tmp_path / "a.csv", "x,y\n1,2\n"),))
    later = remember(tmp_path / "a.csv", "x,y\n5,6\n")
    (tmp_path / "a.csv").unlink()
    model.check_new([later], "model.json")
    with pytest.raises(AlreadyAdded):
        model.check_new(model.sources, "model.json")


def test_new_rows_under_an_old_name_are_new(tmp_path, summary):
    model = Model(summary, sources=(remember(tmp_path / "today.csv", "x,y\n1,2\n"),))
    model.check_new([remember(tmp_path / "today.csv", "x,y\n5,6\n7,8\n")], "model.json")


@pytest.mark.parametrize("size", [10, 65_535, 65_537, 5_000_000])
def test_the_fingerprint_sees_the_head_the_tail_and_the_size(tmp_path, size):
    data = np.random.default_rng(0).bytes(size)
    (tmp_path / "a").write_bytes(data)
    known = Remembered.of_file(tmp_path / "a")
    for changed in (data[:-1], data + b"x", b"?" + data[1:], data[:-1] + b"?"):
        (tmp_path / "a").write_bytes(changed)
        assert Remembered.of_file(tmp_path / "a").content != known.content


# ── two at once ──────────────────────────────────────────────────────────────────────────────────


def _add_ones(path, times):
    one = pd.summarize([0.0, 1.0], [1.0, 2.0], degree=6)
    for _ in range(times):
        change(Path(path), lambda model: Model(model.summary + one))


def test_changes_of_four_processes_all_arrive(path, summary):
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_add_ones, args=(str(path), 25)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert load(path).summary.n == summary.n + 4 * 25 * 2
    assert [file.name for file in path.parent.iterdir()] == ["model.json"]


def test_the_lock_of_a_dead_process_is_free(path):
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_die_locked, args=(str(path),))
    process.start()
    process.join()
    assert process.exitcode == 9
    with locked(path):
        pass


def _die_locked(path):
    with locked(Path(path)):
        os._exit(9)


def test_saving_replaces_a_model(path, summary):
    save(Model(summary + summary), path)
    assert load(path).summary.n == 2 * summary.n
