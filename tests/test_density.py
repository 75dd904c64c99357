"""A density counts every row once and hides none but the far tail, which it counts too."""

import numpy as np
import pytest

from polydescent.polynomial.basis import Domain
from polydescent.report.density import Density, blocks
from polydescent.rows.rows import Rows


def cloud(n=5000, seed=0):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-2, 5, n)
    return x, np.sin(x) + 0.3 * rng.standard_normal(n)


@pytest.mark.parametrize("n", [1, 2, 1000, 300_000])
def test_every_row_is_counted_once(n):
    density = Density.of(Rows.of(*cloud(n)))
    assert density.counts.shape == (100, 160)
    assert density.counts.sum() + density.outside == n


def test_cells_are_those_of_a_histogram():
    x, y = cloud()
    density = Density.of(Rows.of(x, y), columns=7, lines=5)
    across, up = density.edges
    wanted, _, _ = np.histogram2d(y, x, bins=(up, across))
    np.testing.assert_array_equal(density.counts, wanted)
    assert density.x == Domain(x.min(), x.max())


def test_an_outlier_does_not_flatten_the_rest():
    x, y = cloud()
    y[:3] = 1e9, -1e9, 1e300
    density = Density.of(Rows.of(x, y))
    assert density.outside == 3
    assert density.y.hi - density.y.lo < 20


@pytest.mark.parametrize("value", [0.0, 7.0, -3e9])
def test_one_point_has_room_around_it(value):
    density = Density.of(Rows.of([value], [value]))
    assert density.x.lo < value < density.x.hi
    assert density.counts.sum() == 1


def test_rows_that_do_not_count_are_not_seen():
    x, y = cloud(100)
    weights = np.ones(100)
    weights[:40], y[:40] = 0, np.nan
    seen = np.concatenate([y for _, y in blocks(Rows.of(x, y, weights))])
    np.testing.assert_array_equal(seen, y[40:])
    assert Density.of(Rows.of(x, y, weights)).counts.sum() == 60


def test_less_a_curve_it_counts_residuals():
    x, y = cloud()
    density = Density.of(Rows.of(x, y), np.sin)
    plain = Density.of(Rows.of(x, y - np.sin(x)))
    np.testing.assert_array_equal(density.counts, plain.counts)


def test_means_of_slices():
    x = np.repeat(np.arange(40.0) + 0.5, 50)
    x[0], x[-1] = 0, 40
    density = Density.of(Rows.of(x, np.floor(x)), lines=400)
    middles, means = density.means(40, least=10)
    np.testing.assert_allclose(middles, np.arange(40) + 0.5)
    np.testing.assert_allclose(means[:-1], np.arange(39), atol=0.06)
    assert np.isnan(density.means(40, least=51)[1]).any()


def test_a_slice_without_rows_has_no_mean():
    x = np.array([0.0, 1, 9, 10])
    _, means = Density.of(Rows.of(x, x), columns=10, lines=10).means(10, least=1)
    assert np.isnan(means[2:8]).all()
    assert np.isfinite(means[[0, 1, 9]]).all()


def test_tensors_are_counted_where_arrays_are():
    torch = pytest.importorskip("torch")
    x, y = (torch.asarray(column, dtype=torch.float32) for column in cloud())
    density = Density.of(Rows.of(x, y))
    np.testing.assert_array_equal(density.counts, Density.of(Rows.of(x.numpy(), y.numpy())).counts)
