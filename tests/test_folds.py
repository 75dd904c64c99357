"""Folds: whatever splits the rows, the triangles of the parts tell what it leaves."""

import numpy as np
import pytest

import polydescent as pd
from polydescent import errors
from polydescent.least_squares.folds import (
    MOST_PARTS,
    Dealt,
    Splits,
    cross_validation,
    dealt_out,
    held_out,
    left_by_folds,
)
from polydescent.rows.rows import Rows
from polydescent.triangle.triangle import Triangle


def columns(n=60, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 5, n)
    y = np.sin(x) + rng.normal(0, 0.3, n)
    return x, y, rng.uniform(0.1, 10, n), rng.integers(0, 4, n).astype(float)


# ── dealing ──


@pytest.mark.parametrize("folds", [2, 5, 7, 64])
@pytest.mark.parametrize("done", [0, 3, 1000])
def test_as_many_rows_in_a_row_as_there_are_folds_get_one_each(folds, done):
    start = done * folds
    dealt = Dealt(folds, start).fold_of(20 * folds).reshape(20, folds)
    assert (np.sort(dealt, axis=1) == np.arange(folds)).all()
    assert len({tuple(row) for row in dealt.tolist()}) > 1


@pytest.mark.parametrize("folds", [2, 5, 7])
def test_where_a_chunk_ends_makes_no_difference(folds):
    whole, found = Dealt(folds).fold_of(100), []
    for start, end in ((0, 1), (1, 33), (33, 34), (34, 34), (34, 100)):
        found.extend(Dealt(folds, start).fold_of(end - start))
    assert found == whole.tolist()


@pytest.mark.parametrize("folds", [2, 5, 7])
def test_counts_are_dealt_as_repetitions_are(folds):
    counts = columns()[3] * 3
    row = np.repeat(np.arange(len(counts)), counts.astype(int))
    fold = Dealt(folds, 11).fold_of(len(row))
    wanted = np.zeros((len(counts), folds))
    np.add.at(wanted, (row, fold), 1)
    assert (Dealt(folds, 11).shares_of(counts) == wanted).all()


def test_counts_too_large_to_deal_are_refused():
    rows = Rows.of([0.0, 1.0], [1.0, 2.0], counts=[2.0**51, 2.0**51])
    with pytest.raises(errors.BadSetting, match="too many to deal"):
        cross_validation(0, rows, 2)


@pytest.mark.parametrize("kind", ["plain", "weights", "counts", "both"])
def test_the_parts_are_the_rows(kind):
    x, y, w, c = columns()
    w[7] = 0
    weights, counts = (w if kind in ("weights", "both") else None), None
    if kind in ("counts", "both"):
        counts = c
    rows = Rows.of(x, y, weights, counts=counts)
    parts, after = dealt_out(rows, 4, Dealt(5))
    whole = Triangle.fold(x, y, weights, 4, counts)
    total = sum(parts[1:], parts[0])
    assert total.n == whole.n == after.done
    np.testing.assert_allclose(total.array, whole.array, atol=1e-12 * np.abs(whole.array).max())
    assert total.log_weights == pytest.approx(whole.log_weights, rel=1e-12, abs=1e-12)


# ── what is left ──


def scores(x, y, train, test, degree):
    """Σ r² under numpy's own least squares, for each degree; a row counts as often as named."""
    found = []
    for d in range(degree + 1):
        curve = np.polynomial.Polynomial.fit(x[train], y[train], d)
        found.append(np.sum((y[test] - curve(x[test])) ** 2))
    return found


def some_splits(n):
    rng = np.random.default_rng(1)
    order = rng.permutation(n)
    thirds = np.array_split(order, 3)
    masks = [np.isin(np.arange(n), part) for part in thirds]
    return {
        "thirds": [(np.setdiff1d(order, part), part) for part in thirds],
        "masks": [(~mask, mask) for mask in masks],
        "forward": [(np.arange(k), np.arange(k, k + 15)) for k in (15, 30, 45)],
        "a gap": [(np.arange(20), np.arange(40, 60)), (np.arange(40, 60), np.arange(20))],
        "drawn with repeats": [(rng.integers(0, n, n), np.arange(0, n, 2)) for _ in range(3)],
        "from the end": [(np.arange(30), np.arange(-30, 0))],
        "judged by its own": [(order, order)],
    }


@pytest.mark.parametrize("name", some_splits(60))
def test_any_split_leaves_what_fits_of_its_rows_leave(name):
    x, y, _, _ = columns()
    pairs = some_splits(60)[name]
    splits = Splits.of(pairs, 60)
    domain = Triangle.fold(x, y, None, 4).domain
    parts = [
        Triangle.fold(x[splits.part == p], y[splits.part == p], None, 4).rebased(domain).array
        for p in range(splits.parts)
    ]
    left = held_out(np.stack(parts), splits, range(1, 6))
    assert left.shape == (len(pairs), 5, 1)
    wanted = [scores(x, y, train, test, 4) for train, test in pairs]
    np.testing.assert_allclose(left[:, :, 0], wanted, rtol=1e-9)


def test_left_and_right_sums_are_sums():
    x, y, _, _ = columns()
    parts = np.stack(
        [Triangle.fold(x[i::6], y[i::6], None, 3).rebased(pd.Domain(-2, 5)).array for i in range(6)]
    )
    once = Splits.each_once(6)
    assert once.leaves_each_out_once
    turned = Splits(None, once.train[::-1], once.test[::-1])
    assert not turned.leaves_each_out_once
    np.testing.assert_allclose(
        held_out(parts, once, range(1, 5)),
        held_out(parts, turned, range(1, 5))[::-1],
        rtol=1e-10,
    )


def test_a_degree_that_the_others_do_not_hold_is_nan():
    x = np.array([0.0, 0, 0, 1, 1, 2])
    y = np.array([1.0, 2, 3, 4, 5, 7])
    parts = [Triangle.fold(x[i : i + 3], y[i : i + 3], None, 2) for i in (0, 3)]
    left = left_by_folds(parts)
    assert np.isfinite(left[0])
    assert np.isnan(left[1:]).all()


def test_more_parts_than_a_thousand_are_refused():
    n = MOST_PARTS + 1
    each = [(np.delete(np.arange(n), i), [i]) for i in range(n)]
    with pytest.raises(errors.TooManyParts, match=r"degrees\(\)\.loo"):
        Splits.of(each, n)
    x = np.linspace(-1, 1, n)
    with pytest.raises(errors.TooManyParts, match=r"degrees\(\)\.loo"):
        pd.fit(x, x, "auto", folds=n)


@pytest.mark.parametrize("scale", [1e-30, 1.0, 1e30])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_scores_scale_with_y_and_do_not_know_where_x_is(scale, offset):
    x, y, w, _ = columns()
    wanted = pd.fit(x, y, 4, weights=w).degrees(folds=4).cv
    found = pd.fit(offset + x, scale * y, 4, weights=w).degrees(folds=4).cv
    np.testing.assert_allclose(found / scale, wanted, rtol=1e-9 if not offset else 1e-5)


# ── in fit ──


def kept(fitted):
    """What the folds that chose its degree left."""
    assert fitted.held_out is not None
    return fitted.held_out


def chunks(*c, sizes=(1, 40, 3, 16)):
    ends = np.cumsum(sizes)
    return [tuple(a[e - s : e] for a in c) for s, e in zip(sizes, ends, strict=True)]


def test_a_stream_is_dealt_as_rows_in_memory_are():
    x, y, w, _ = columns()
    here = pd.fit(x, y, "auto:5", weights=w, folds=4)
    there = pd.fit(iter(chunks(x, y, w)), degree="auto:5", folds=4)
    assert here.degree == there.degree
    np.testing.assert_allclose(kept(there), kept(here), rtol=1e-12)
    assert there.choice == here.choice
    table = there.degrees()
    np.testing.assert_allclose(table.cv, kept(here)[: here.degree + 1], rtol=1e-12)


def test_folds_alone_mean_cross_validation():
    x, y, _, _ = columns()
    named = pd.fit(x, y, "auto:5", criterion="cv", folds=3)
    alone = pd.fit(x, y, "auto:5", folds=3)
    assert named.degree == alone.degree
    assert alone.degrees().criterion == "cv"
    np.testing.assert_array_equal(alone.degrees().cv, named.degrees().cv)
    table = pd.fit(x, y, 5).degrees(folds=3)
    np.testing.assert_array_equal(table.cv, named.degrees(5).cv)
    assert table.criterion == "cv"


def in_files(tmp_path, parts):
    for i, part in enumerate(parts):
        np.savetxt(tmp_path / f"{i}.csv", np.c_[part], delimiter=",", header="x,y", comments="")
    return str(tmp_path / "*.csv")


def test_files_are_folds(tmp_path):
    x, y, _, _ = columns()
    parts = [(x[k], y[k]) for k in np.array_split(np.arange(60), 4)]
    glob = in_files(tmp_path, [np.column_stack(part) for part in parts])
    fitted = pd.fit(glob, x="x", y="y", degree="auto:4", folds="files")
    wanted = np.zeros(5)
    for i, (out_x, out_y) in enumerate(parts):
        rest = [part for j, part in enumerate(parts) if j != i]
        one, other = (np.concatenate(c) for c in zip(*rest, strict=True))
        for d in range(5):
            curve = np.polynomial.Polynomial.fit(one, other, d)
            wanted[d] += np.sum((out_y - curve(out_x)) ** 2)
    np.testing.assert_allclose(kept(fitted), np.sqrt(wanted / 60), rtol=1e-9)
    assert fitted.degree == int(np.argmin(wanted))
    assert fitted.degrees(4).pick == fitted.degree
    back = pd.Fit.from_json(fitted.to_json())
    assert back.choice == fitted.choice


def test_files_as_folds_need_files(tmp_path):
    x, y, _, _ = columns()
    one = in_files(tmp_path, [np.column_stack((x, y))])
    for bad in (
        lambda: pd.fit(one, x="x", y="y", degree="auto", folds="files"),
        lambda: pd.fit(x, y, "auto", folds="files"),
        lambda: pd.fit(x, y, 3).degrees(folds="files"),
        lambda: pd.fit(iter(chunks(x, y)), degree="auto", folds="files"),
    ):
        with pytest.raises(errors.NeedsFiles, match="needs several"):
            bad()


def test_dates_in_chunks_of_their_own_origin():
    x = np.arange(60)
    days = np.datetime64("2000-01-01") + x * np.timedelta64(37, "D")
    y = 1e-6 * (x - 20.0) ** 3 + columns()[1]
    here = pd.fit(days, y, "auto:5", folds=4)
    there = pd.fit(iter(chunks(days, y)), degree="auto:5", folds=4)
    np.testing.assert_allclose(kept(there), kept(here), rtol=1e-10)


# ── on the command line ──


def test_the_command_leaves_files_out(polydescent, tmp_path):
    x, y, _, _ = columns()
    parts = [np.column_stack((x[k], y[k])) for k in np.array_split(np.arange(60), 4)]
    glob = in_files(tmp_path, parts)
    asked = ("fit", glob, "--x", "x", "--y", "y", "--degree", "auto:4")
    code, out, _ = polydescent(*asked, "--folds", "files")
    wanted = pd.fit(glob, x="x", y="y", degree="auto:4", folds="files").degrees(4)
    assert code == 0
    assert str(wanted) in out
    code, out, _ = polydescent(*asked, "--folds", 3)
    assert code == 0
    assert str(pd.fit(glob, x="x", y="y", degree="auto:4", folds=3).degrees(4)) in out
    one = ("fit", str(tmp_path / "0.csv"), "--x", "x", "--y", "y", "--degree", "auto:4")
    for options, said in (
        ((*one, "--folds", "files"), "needs several"),
        ((*asked, "--folds", "rows"), 'or "files"'),
        ((*asked, "--folds", 5, "--criterion", "bic"), "with --criterion cv"),
        ((*asked, "--folds", "files", "--save", "m.json"), "--criterion cv leaves rows out"),
        ((*asked, "--folds", 5, "--degree", 3), "--degree auto"),
    ):
        code, _, err = polydescent(*options)
        assert code == 2
        assert said in err
