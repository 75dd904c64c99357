"""Many curves folded at once are each what it would be alone, in every kernel."""

from itertools import pairwise

import numpy as np
import pytest

from polydescent.errors import OutOfRange
from polydescent.triangle.kernels import native_curves
from polydescent.triangle.kernels.curves import LONG, fold_rows, fold_runs
from polydescent.triangle.kernels.folded import LEFT_RANGE
from polydescent.triangle.triangle import Triangle, determines

KERNELS = ["blocks"] if native_curves.MISSING else ["blocks", "native"]
kernels = pytest.mark.parametrize("kernel", KERNELS)
CURVES, POINTS = 12, 31
DTYPES = ("float64", "float32", "float16", ">f8", ">f4")


def columns(weighted=False, seed=0, points=POINTS):
    """x, y, weights of curves with scales, offsets, gaps and troubles of their own."""
    rng = np.random.default_rng(seed)
    scale = 10.0 ** rng.uniform(-3, 3, (CURVES, 1))
    x = rng.uniform(-1, 1, (CURVES, points)) * scale + rng.uniform(-5, 5, (CURVES, 1)) * scale
    y = rng.normal(size=(CURVES, points)) + x / scale
    weights = 10.0 ** rng.uniform(-2, 2, (CURVES, points)) if weighted else None
    return x, y, weights


def troubled(x, y, weights):
    """The same with curves that have gaps, few rows, one x, none, or leave the range."""
    x[0, ::3], y[1, 4], y[2, 1:] = np.nan, np.inf, np.nan
    x[3], y[4], y[5] = 2.5, np.nan, y[5] * 1e200
    x[6], y[7] = x[6] * 1e-30, y[7] * 1e-30
    if weights is not None:
        weights[8, ::2], weights[9] = 0.0, 0.0
        x[8, 0], y[8, 2] = 1e9, np.nan
        weights[10] *= 1e-30
    return x, y, weights


def alone(x, y, weights, degree):
    """The triangle of one curve, without the rows that are missing; None where squares overflow."""
    use = np.isfinite(x) & np.isfinite(y)
    if weights is not None:
        use &= weights > 0
    if not use.any():
        return Triangle.empty(degree)
    omega = None if weights is None else weights[use]
    try:
        return Triangle.fold(x[use], y[use], omega, degree)
    except OutOfRange:
        return None


def assert_curve(folded, i, wanted, tolerance):
    if wanted is None:
        assert folded.fault[i] == LEFT_RANGE
        assert np.isnan(folded.array[i]).all()
        return
    assert folded.fault[i] == 0
    assert folded.n[i] == wanted.n
    assert (folded.lo[i], folded.hi[i]) == (wanted.domain.lo, wanted.domain.hi)
    assert folded.log_weights[i] == pytest.approx(wanted.log_weights, rel=1e-13, abs=1e-11)
    square = wanted.array.T @ wanted.array  # what equal triangles have in common, also of low rank
    size = np.sqrt(np.diagonal(square))
    np.testing.assert_allclose(
        folded.array[i].T @ folded.array[i], square, atol=tolerance * np.outer(size, size).max()
    )
    if determines(wanted.R):
        size = np.abs(wanted.array).max(axis=0)
        np.testing.assert_allclose(
            folded.array[i] / np.where(size, size, 1),
            wanted.array / np.where(size, size, 1),
            atol=tolerance,
        )
    if folded.sound[i]:
        weights = np.linalg.solve(wanted.R, wanted.z)
        np.testing.assert_allclose(
            folded.weights[i], weights, atol=10 * tolerance * np.abs(weights).max()
        )


@kernels
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("degree", [0, 1, 3, 8, 11, 14])
def test_each_curve_is_what_it_would_be_alone(kernel, weighted, degree):
    x, y, weights = troubled(*columns(weighted))
    folded = fold_rows(x, y, weights, degree, kernel)
    for i in range(CURVES):
        own = None if weights is None else weights[i]
        wanted = alone(x[i], y[i], own, degree)
        assert_curve(folded, i, wanted, 1e-12 if degree < 9 else 1e-10)
    finite = np.isfinite(x) & np.isfinite(y)
    assert list(folded.omitted) == list((~finite).sum(axis=1))


@kernels
def test_no_trouble_of_a_curve_changes_another(kernel):
    x, y, weights = columns(weighted=True)
    clean = fold_rows(x, y, weights, 3, kernel)
    folded = fold_rows(*troubled(x.copy(), y.copy(), weights.copy()), 3, kernel)
    assert np.array_equal(folded.array[11], clean.array[11])
    assert np.array_equal(folded.weights[11], clean.weights[11])


@kernels
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
def test_runs_are_rows(kernel, weighted):
    """Ragged ones, of every length from none on, whatever lies beside them."""
    rng = np.random.default_rng(1)
    lengths = np.r_[0, 1, 2, rng.integers(0, 60, 40), 0, 700, 1]
    offsets = np.r_[0, np.cumsum(lengths)]
    x, y = rng.normal(size=(2, offsets[-1])) + 3
    weights = rng.uniform(0.5, 2, offsets[-1]) if weighted else None
    y[::17] = np.nan
    folded = fold_runs(x, y, weights, offsets, 3, kernel)
    for i, (first, last) in enumerate(pairwise(offsets)):
        own = None if weights is None else weights[first:last]
        assert_curve(folded, i, alone(x[first:last], y[first:last], own, 3), 1e-12)


@kernels
def test_long_runs_among_short_ones(kernel):
    rng = np.random.default_rng(2)
    offsets = np.cumsum([0, 40, LONG, 5, 0, LONG + 3, 9])
    x, y = rng.normal(size=(2, offsets[-1]))
    y[50] = np.nan
    folded = fold_runs(x, y, None, offsets, 2, kernel)
    for i, (first, last) in enumerate(pairwise(offsets)):
        assert_curve(folded, i, alone(x[first:last], y[first:last], None, 2), 1e-12)
    rows = fold_rows(x[None, : 2 * LONG], y[None, : 2 * LONG], None, 2, kernel)
    assert_curve(rows, 0, alone(x[: 2 * LONG], y[: 2 * LONG], None, 2), 1e-12)


def folded_at(columns, kernel):
    x, y, weights = columns
    return fold_rows(x, y, weights, 3, kernel)


@kernels
@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_and_layout(kernel, dtype):
    x, y, weights = (c.astype(dtype) for c in columns(weighted=True))
    doubles = [c.astype(np.float64) for c in (x, y, weights)]
    wanted = folded_at(doubles, kernel).array
    assert np.array_equal(fold_rows(x, y, weights, 3, kernel).array, wanted)
    strided = [np.repeat(c, 2, axis=1)[:, ::2] for c in (x, y, weights)]
    assert np.array_equal(folded_at(strided, kernel).array, wanted)
    turned = [np.asfortranarray(c) for c in (x, y, weights)]
    for column in turned:
        column.flags.writeable = False
    np.testing.assert_allclose(folded_at(turned, kernel).array, wanted, rtol=1e-9, atol=1e-9)
    backwards = [c[:, ::-1] for c in (x, y, weights)]
    np.testing.assert_allclose(folded_at(backwards, kernel).array, wanted, rtol=1e-9, atol=1e-9)


@kernels
def test_a_shared_x_or_weight_serves_all(kernel):
    x, y, weights = columns(weighted=True)
    own = fold_rows(np.tile(x[0], (CURVES, 1)), y, np.tile(weights[0], (CURVES, 1)), 3, kernel)
    shared = fold_rows(x[0], y, weights[0], 3, kernel)
    np.testing.assert_allclose(shared.array, own.array, rtol=1e-12, atol=1e-12)
    plain = fold_rows(x[0], y, None, 3, kernel)
    own = fold_rows(np.tile(x[0], (CURVES, 1)), y, None, 3, kernel)
    np.testing.assert_allclose(plain.array, own.array, rtol=1e-12, atol=1e-12)
    y[3, 3] = np.nan
    assert_curve(fold_rows(x[0], y, None, 3, kernel), 3, alone(x[0], y[3], None, 3), 1e-12)


@kernels
@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (0, 0), (1, 1)])
def test_none_at_all(kernel, shape):
    folded = fold_rows(np.zeros(shape), np.zeros(shape), None, 2, kernel)
    assert folded.array.shape == (shape[0], 4, 4)
    assert list(folded.n) == [shape[1]] * shape[0]
    assert np.isfinite(folded.array).all()


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
def test_other_libraries(library):
    xp = pytest.importorskip(library)
    x, y, weights = troubled(*columns(weighted=True))
    columns_there = [xp.asarray(c) for c in (x, y, weights)]
    folded = folded_at(columns_there, None)
    for i in range(CURVES):
        assert_curve(folded, i, alone(x[i], y[i], weights[i], 3), 1e-12)
