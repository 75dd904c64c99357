"""A model file gives back every bit, refuses what is not whole, and knows what was added."""

import errno
import json
import math
import multiprocessing
import os
import pickle
import re
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from forge import (
    body_of,
    forged,
    models,
    records,
    sealed,
    spoiled,
    verdict_of_model,
    verdict_of_record,
)

import polydescent as pd
from polydescent.arrays import Kind
from polydescent.cli.show import facts
from polydescent.errors import (
    AlreadyAdded,
    BadRecord,
    DamagedModel,
    FileRefused,
    NoFile,
    NotAFile,
    NotAModel,
    NotKept,
    SourceGrew,
    UnknownName,
    UnknownSchema,
)
from polydescent.models.model import FORMAT, Model, change, load, merge, save
from polydescent.report.text import statistics
from polydescent.sealed.atomic import locked
from polydescent.sealed.document import LARGEST, SCHEMAS, exactly, reported
from polydescent.sealed.fingerprint import Remembered


@pytest.fixture
def summary():
    x = np.geomspace(1e-300, 1e300, 50)
    return pd.summarize(np.log(x), np.sin(np.log(x)) / 3, degree=6)


@pytest.fixture
def path(tmp_path, summary):
    summary.save(tmp_path / "model.json")
    return tmp_path / "model.json"


def assert_equal(found, expected):
    np.testing.assert_array_equal(found.triangle.array, expected.triangle.array)
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
    content = json.loads(path.read_text()) | {"schema": SCHEMAS[-1] + 1}
    path.write_text(json.dumps(content))
    with pytest.raises(UnknownSchema, match="pip install --upgrade polydescent"):
        load(path)


def test_a_missing_model_and_a_folder(tmp_path):
    for name in ("none.json", "."):
        with pytest.raises(NoFile):
            load(tmp_path / name)


@pytest.mark.parametrize("schema", [0, -1, True, 1.0, "1", None, 10**4000])
def test_the_schemas_are_a_closed_set(path, schema):
    path.write_bytes(sealed(FORMAT, body_of(path.read_bytes()) | {"schema": schema}))
    with pytest.raises((DamagedModel, UnknownSchema)) as refusal:
        load(path)
    assert len(str(refusal.value)) < 400


def test_a_copy_with_other_line_ends_is_another_file(path):
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    with pytest.raises(DamagedModel, match="CRLF"):
        load(path)


@pytest.mark.parametrize("text", ["[" * 10**6, '{"a":' * 10**5, "1" * 5000, "NaN", "[]", "1", '""'])
def test_json_that_is_deep_or_no_object(tmp_path, text):
    (tmp_path / "m.json").write_text(text)
    with pytest.raises(DamagedModel):
        load(tmp_path / "m.json")
    with pytest.raises(BadRecord):
        pd.Fit.from_json(text)


def test_more_than_a_model_holds_is_not_read(tmp_path):
    with open(tmp_path / "m.json", "wb") as file:
        file.truncate(LARGEST + 1)
    with pytest.raises(DamagedModel, match=f"{LARGEST:,}"):
        load(tmp_path / "m.json")
    (tmp_path / "m.json").write_text("[" + "[]," * 2_000_001 + "[]]")
    with pytest.raises(DamagedModel, match="lists and objects"):
        load(tmp_path / "m.json")


# ── what others wrote ────────────────────────────────────────────────────────────────────────────

WRONG = {  # what a forged model says, and the place that the refusal names
    "summary.kind.library": ["os", "polydescent_forged", "builtins", "", None, ["numpy"]],
    "summary.kind.dtype": ["int64", "complex128", "load", "bfloat16", 8],
    "summary.kind.device": ["cuda:0", "", "../", None],
    "summary.axis.tick": ["fortnight", 5, None, "D"],
    "summary.axis.unit": ["fortnight", "Day", None],
    "summary.axis.origin": [1.5, "1", None, True, 2**1023],
    "summary.triangle.domain": [[2.0, 1.0], [1.0], None, ["0", "1"], [0.0, math.inf], [0, 10**400]],
    "summary.triangle.n": [2.5, -1, "50", True, 2**64, math.nan],
    "summary.omitted": [-1, 0.5, None],
    "summary.triangle.array": [
        [],
        [[1.0]],
        [[1.0, 2.0], [0.5, 1.0]],
        [[-1.0, 0.0], [0.0, 1.0]],
        "x",
    ],
    "summary.triangle.array[0][0]": ["1.5", None, True, math.nan, math.inf, 1e200, 10**400, [1.0]],
    "summary.x_name": [3, None, [], "\ud800"],
    "asked": [None, [], {"x": "t"}, {"where": "true"}, {"x": 1, "y": "y"}, {"__class__": "y"}],
    "curve": [{"degree": 3}, {"degree": "1e9"}, {"fix": {}}, {"through": "0,1"}, {"more": "x"}],
    "sources": [{}, [3], [{"path": "a"}], "a"],
    "passes": [[1], ["x"], [None], {}],
    "more": [1],
}


@pytest.mark.parametrize("place", WRONG)
def test_what_no_model_holds_is_refused_with_its_place(path, place):
    for wrong in WRONG[place]:
        body = body_of(path.read_bytes())
        *parents, last = (int(k) if k.isdecimal() else k for k in re.findall(r"\w+", place))
        parent = body
        for key in parents:
            parent = parent[key]
        parent[last] = wrong
        path.with_name("forged.json").write_bytes(sealed(FORMAT, body))
        with pytest.raises(DamagedModel) as refusal:
            load(path.with_name("forged.json"))
        why = refusal.value.why
        assert "\n" not in str(refusal.value)
        assert "polydescent_forged" not in sys.modules
        if place != "more" and why.partition(" ")[0] not in ("it", "its"):  # no JSON, no UTF-8
            assert place.partition("[")[0] in why, wrong


def test_a_library_that_is_not_known_is_never_imported():
    for library in ("os", "polydescent_forged", "torch.hub"):
        with pytest.raises(UnknownName, match="array library"):
            Kind(library).put([1.0])
    assert "polydescent_forged" not in sys.modules


def test_settings_of_other_versions_are_kept(path):
    body = body_of(path.read_bytes())
    body["asked"] = {"x": "t", "y": "v", "sigma": "s", "format": "{}", "missing": "omit"}
    body["curve"] = {"degree": "auto:5", "absolute_sigma": True, "through": ["0,1"]}
    path.write_bytes(sealed(FORMAT, body))
    model = load(path)
    assert model.asked == body["asked"]
    assert model.curve == body["curve"] | {"through": ("0,1",)}


def test_chance_and_forgery_end_in_a_refusal_or_in_what_is_written(tmp_path, subtests):
    generator = np.random.default_rng(0)
    whole = [path.read_bytes() for path in models(tmp_path)]
    path = tmp_path / "m.json"
    good = {"refused", "means what it says"}
    for i in range(150):
        data = whole[i % len(whole)]
        with subtests.test("spoiled", i=i):
            path.write_bytes(spoiled(data, generator))
            changed = path.read_bytes() != data
            assert verdict_of_model(path) == "refused" or not changed
        with subtests.test("forged", i=i):
            body = forged(body_of(data), generator)
            path.write_bytes(sealed(FORMAT, body))
            assert verdict_of_model(path, body) in good
    texts = records()
    for i in range(150):
        text = json.dumps(forged(json.loads(texts[i % len(texts)]), generator))
        with subtests.test("record", i=i):
            assert verdict_of_record(text) in good


def test_models_and_records_as_written_mean_what_they_say(tmp_path):
    for path in models(tmp_path):
        assert verdict_of_model(path, body_of(path.read_bytes())) == "means what it says"
    for text in records():
        assert verdict_of_record(text) == "means what it says"


@pytest.mark.parametrize(
    "change",
    [
        {"triangle": {"array": np.full((5, 5), np.nan)}},
        {"triangle": {"n": 2.5}},
        {"x_name": "\ud800"},
        {"kind": Kind("jax", "float64")},
    ],
)
def test_what_would_not_be_read_again_is_not_written(path, summary, change):
    before = path.read_bytes()
    if "triangle" in change:
        change = {"triangle": replace(summary.triangle, **change["triangle"])}
    with pytest.raises(NotKept, match="would not be read again"):
        replace(summary, **change).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["model.json"]


# ── what stands in the way ───────────────────────────────────────────────────────────────────────


def test_other_files_are_not_overwritten(tmp_path, summary):
    for text in ("years of work", "notes on the polydescent model", ""):
        (tmp_path / "thesis.txt").write_text(text)
        with pytest.raises(NotAModel, match="another name"):
            summary.save(tmp_path / "thesis.txt")
        assert (tmp_path / "thesis.txt").read_text() == text


def test_a_head_is_read_of_what_would_be_replaced(tmp_path, summary):
    with open(tmp_path / "film.bin", "wb") as file:
        file.truncate(1 << 40)  # a terabyte, all hole
    with pytest.raises(NotAModel):
        summary.save(tmp_path / "film.bin")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_and_a_device_are_neither_read_nor_replaced(tmp_path, summary):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/null"), Path("/dev/zero")):
        with pytest.raises((NotAFile, pd.errors.NoFolder)):
            summary.save(path)
        with pytest.raises(NotAFile, match=r"pipe|device"):
            load(path)
    assert (tmp_path / "pipe").is_fifo()


def test_a_failed_write_leaves_the_old_model(path, summary, monkeypatch):
    def full(handle):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FileRefused, match=r"No space left.*another disk") as refusal:
        (summary + summary).save(path)
    assert (refusal.value.errno, refusal.value.path) == (errno.ENOSPC, str(path))
    monkeypatch.undo()
    assert load(path).summary.n == summary.n
    assert [file.name for file in path.parent.iterdir()] == ["model.json"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EIO, errno.EDQUOT, 9999])
def test_every_refusal_of_the_system_is_one_line(path, summary, monkeypatch, number):
    for call in ("open", "replace", "scandir"):

        def refuse(*arguments, **named):
            raise OSError(number, "no")

        monkeypatch.setattr(os, call, refuse)
        with pytest.raises(FileRefused) as refusal:
            summary.save(path)
        monkeypatch.undo()
        assert "\n" not in str(refusal.value)
        assert refusal.value.code == number
        assert load(path).summary.n == summary.n


# ── what was added ───────────────────────────────────────────────────────────────────────────────


def remember(path, text):
    path.write_text(text)
    return Remembered.of_file(path)


def test_the_same_bytes_are_known_under_any_name(tmp_path, summary):
    model = Model(summary, sources=(remember(tmp_path / "a.csv", "x,y\n1,2\n"),))
    copy = remember(tmp_path / "b.csv", "x,y\n1,2\n")
    with pytest.raises(AlreadyAdded, match=r"b\.csv.*before as .*a\.csv.*again=True"):
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


@pytest.mark.parametrize("rows", [1, 30, 5000, 400_000])
def test_a_file_that_grew_is_known_under_any_name(tmp_path, summary, rows):
    old = "x,y\n" + "".join(f"{i},{i * i % 97}\n" for i in range(rows))
    model = Model(summary, sources=(remember(tmp_path / "a.csv", old),))
    (tmp_path / "a.csv").unlink()
    grown = remember(tmp_path / "b.csv", old + "1,2\n")
    with pytest.raises(SourceGrew, match=r"b\.csv.*a\.csv") as refusal:
        model.check_new([grown], "model.json")
    assert (refusal.value.before, refusal.value.now) == (len(old), len(old) + 4)
    changed = remember(tmp_path / "c.csv", old[:-3] + "?" + old[-2:] + "1,2\n")
    model.check_new([changed], "model.json")


@pytest.mark.parametrize("rows", [1, 30, 400_000])
def test_an_older_copy_of_a_file_is_known(tmp_path, summary, rows):
    text = "x,y\n" + "".join(f"{i},{i * i % 97}\n" for i in range(rows))
    model = Model(summary, sources=(remember(tmp_path / "now.csv", text + "5,6\n"),))
    with pytest.raises(AlreadyAdded, match=r"part of .*now\.csv"):
        model.check_new([remember(tmp_path / "before.csv", text)], "model.json")


def test_sources_given_together_are_told_apart(tmp_path, summary):
    days = [remember(tmp_path / f"{i}.csv", f"x,y\n{i},2\n") for i in range(5)]
    empty = [remember(tmp_path / f"none{i}.csv", "x,y\n") for i in range(3)]
    Model(summary).check_new([*days, *empty], "model.json")  # nothing counts twice of no rows
    for more, kind in (
        (days[2], AlreadyAdded),
        (remember(tmp_path / "g.csv", "x,y\n3,2\n4,1\n"), SourceGrew),
    ):
        for given in ([*days, more], [more, *days]):
            with pytest.raises(kind):
                Model(summary).check_new(given, "model.json")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems want names in Unicode")
def test_a_name_of_any_bytes_is_remembered(tmp_path, summary):
    path = tmp_path / os.fsdecode(b"\xff.csv")
    source = replace(remember(path, "x,y\n1,2\n"), rows=1)
    save(Model(summary, sources=(source,)), tmp_path / "m.json")
    with pytest.raises(AlreadyAdded):
        load(tmp_path / "m.json").check_new([source], "m.json")


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


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_what_a_model_calls_a_source_is_not_waited_for(tmp_path, summary):
    """A pipe, a device, a path that is none: no file of that name has rows to compare."""
    os.mkfifo(tmp_path / "pipe")
    data = b"x,y\n" + b"1,2\n" * 40
    (tmp_path / "part.csv").write_bytes(data[:64])
    (tmp_path / "whole.csv").write_bytes(data)
    part, whole = (Remembered.of_file(tmp_path / name) for name in ("part.csv", "whole.csv"))
    for path in (str(tmp_path / "pipe"), "/dev/tty", str(tmp_path), "standard input", "a\0b"):
        Model(summary, sources=(replace(whole, path=path),)).check_new([part], "model.json")
    os.unlink(tmp_path / "part.csv")
    os.mkfifo(tmp_path / "part.csv")  # after its fingerprint was taken
    Model(summary, sources=(part,)).check_new([replace(whole, path=part.path)], "model.json")


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


# ── merging ──────────────────────────────────────────────────────────────────────────────────────


def _merge_into(path, other, times):
    for _ in range(times):
        merge([path, other], path, again=True)


def test_a_merge_onto_one_of_its_models_loses_no_change(path, summary):
    one = path.with_name("one.json")
    pd.summarize([0.0, 1.0], [1.0, 2.0], degree=6).save(one)
    context = multiprocessing.get_context("spawn")
    work = [(_merge_into, (str(path), str(one), 20)), (_add_ones, (str(path), 20))] * 2
    processes = [context.Process(target=target, args=args) for target, args in work]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert load(path).summary.n == summary.n + 4 * 20 * 2
    assert sorted(file.name for file in path.parent.iterdir()) == ["model.json", "one.json"]


def _swap(paths, times):
    for _ in range(times):
        merge(paths, paths[0], again=True)


def test_merges_in_opposite_order_do_not_wait_for_each_other(tmp_path):
    paths = [str(tmp_path / f"{name}.json") for name in "ab"]
    for path in paths:
        pd.summarize([0.0, 1.0], [1.0, 2.0], degree=1).save(path)
    context = multiprocessing.get_context("spawn")
    both = [context.Process(target=_swap, args=(p, 15)) for p in (paths, paths[::-1])]
    for process in both:
        process.start()
    for process in both:
        process.join(60)
        assert process.exitcode == 0


def test_the_same_model_twice_is_refused(path, summary):
    copy = path.with_name("copy.json")
    copy.write_bytes(path.read_bytes())
    for other in (path, copy):
        with pytest.raises(AlreadyAdded):
            merge([str(path), str(other)], str(path))
    assert load(path).summary.n == summary.n
    assert merge([str(path), str(copy)], str(path), again=True).summary.n == 2 * summary.n


BESIDE_NUMBERS = [math.nan, math.inf, -math.inf]
HELD = {
    "a number": lambda v: v,
    "of NumPy": np.float64,
    "float32": np.float32,
    "an array": lambda v: np.array([[1.5, v]]),
    "a list": lambda v: [1, [v, "text"]],
    "a tuple": lambda v: (v, True),
    "a dict": lambda v: {"a": {"b": [v]}, "c": None},
}


@pytest.mark.parametrize("hold", HELD.values(), ids=HELD)
def test_what_json_has_no_number_for_is_text_in_records_and_null_in_reports(hold):
    for value in BESIDE_NUMBERS:
        record = json.dumps(exactly(hold(value)), allow_nan=False)
        assert f'"{value}"' in record
        assert float(str(value)) == value or math.isnan(value)
        report = json.dumps(reported(hold(value)), allow_nan=False)
        assert report == record.replace(f'"{value}"', "null")
    assert exactly(hold(0.1)) == reported(hold(0.1))


def test_every_report_and_every_record_follow_its_rule():
    x = np.arange(4.0)
    fit = pd.fit(x, x**2, 3)  # as many coefficients as rows: no standard errors
    table: dict[str, Any] = fit.degrees().to_dict()
    json.dumps(table, allow_nan=False)
    assert table["residual_sd"][-1] is None
    assert type(table["pick"]) is int
    found = statistics(fit)
    json.dumps(found, allow_nan=False)
    assert found["residual_sd"] is None
    settings = {"optimizer": pd.GradientDescent(1e9), "allow_divergence": True, "steps": 400}
    run = pd.descend(x, x**2, 1, **settings)
    assert '"nan"' in run.to_json() or '"inf"' in run.to_json()
    assert pd.Fit.from_json(run.to_json()).to_json() == run.to_json()
    json.dumps(facts(run), allow_nan=False)
    assert facts(run)["loss"] is None
