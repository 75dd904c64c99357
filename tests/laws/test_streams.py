"""However rows are cut, ordered and spread over processes, their summary is that of one pass."""

import os
from typing import Any

import dask.array as da
import dask.config
import dask.dataframe as dd
import numpy as np
import pandas
import pytest
from dask.distributed import Client, LocalCluster, get_task_stream

import polydescent as pd
from polydescent.regression import passes
from polydescent.regression.passes import Tally
from polydescent.rows.source_of import source_of
from polydescent.triangle.kernels import threads

N = 60_000
ORDERS = {
    "sorted epoch seconds": lambda g: 1.7e9 + np.sort(g.uniform(0, 3e7, N)),
    "reversed": lambda g: np.linspace(5, -3, N),
    "log-normal": lambda g: g.lognormal(0, 2, N),
    "few integers": lambda g: np.sort(g.integers(0, 30, N)).astype(float),
    "constant chunks": lambda g: np.repeat(g.uniform(-1, 1, 60), N // 60),
}


def rows_of(order):
    generator = np.random.default_rng(3)
    x = ORDERS[order](generator)
    u = (x - x.mean()) / x.std()
    return x, np.sin(u) + 0.1 * generator.standard_normal(N), generator.uniform(0, 2, N)


def assert_same_curve(found, expected, tolerance=1e-11):
    assert found.n == expected.n
    assert found.domain == expected.domain
    x = np.linspace(expected.domain.lo, expected.domain.hi, 201)
    scale = np.abs(expected.fit()(x)).max()
    np.testing.assert_allclose(found.fit()(x), expected.fit()(x), atol=tolerance * scale)
    assert found.rss == pytest.approx(expected.rss, rel=1e-11)


# their annotations say text alone, their documentation more
_NONE: Any = None


def cut(column: Any, chunks: Any) -> Any:
    """A column as a Dask array of these chunks."""
    return da.from_array(column, chunks=chunks)


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("degree", [3, 8])
def test_an_iterable_of_chunks_is_its_rows(order, degree):
    x, y, w = rows_of(order)
    cuts = np.sort(np.random.default_rng(0).choice(N, 59, replace=False))
    parts = list(zip(*(np.split(column, cuts) for column in (x, y, w)), strict=True))
    np.random.default_rng(1).shuffle(parts := [tuple(part) for part in parts])
    found = pd.summarize(iter(parts), degree=degree)
    assert_same_curve(found, pd.summarize(x, y, degree, weights=w))


@pytest.mark.parametrize("count", [0, 1, 2, 3, 8, 21])
def test_a_tally_is_a_sum_with_few_merges(count):
    generator = np.random.default_rng(0)
    drawn = [generator.standard_normal((2, 50)) for _ in range(count)]
    parts = [pd.summarize(x, y, 2) for x, y in drawn]
    tally = Tally()
    for part in parts:
        tally = tally.plus(part)
    counts = [c for c, _ in tally.parts]
    assert sum(counts) == count
    assert len(counts) == bin(count).count("1")
    plain = sum(parts, start=pd.Summary.empty(2))
    np.testing.assert_allclose(tally.total(2).triangle.array, plain.triangle.array, atol=1e-12)


# ── Dask ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def cluster():
    """Two worker processes."""
    with (
        LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=_NONE
        ) as local,
        Client(local) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def columns():
    return rows_of("log-normal")


def collections(x, y, w):
    """(arguments, names) of every kind of Dask collection of the same rows."""
    arrays = [cut(column, chunks=7_000) for column in (x, y, w)]
    unknown = [column[arrays[0] > -1] for column in arrays]
    frame = dd.from_pandas(pandas.DataFrame({"x": x, "y": y, "w": w}), npartitions=7)
    empty_first = dd.concat([frame.partitions[[0]][frame.partitions[[0]].x < 0], frame])
    assert np.isnan(unknown[0].chunks[0]).all()
    return {
        "arrays": (arrays, {}),
        "unknown chunk sizes": (unknown, {}),
        "dataframe": ([frame], {"x": "x", "y": "y", "weights": "w"}),
        "empty partition": ([empty_first], {"x": "x", "y": "y", "weights": "w"}),
        "series": ([frame.x, frame.y, frame.w], {}),
    }


@pytest.mark.parametrize(
    "kind", ["arrays", "unknown chunk sizes", "dataframe", "empty partition", "series"]
)
def test_two_processes_give_the_answer_of_one_pass(kind, cluster, columns):
    x, y, w = columns
    (data, *rest), names = collections(x, y, w)[kind]
    named = names or {"weights": rest[1]}
    arguments = (data, rest[0]) if rest else (data,)
    expected = pd.summarize(x, y, 5, weights=w)
    assert_same_curve(pd.summarize(*arguments, degree=5, **named), expected, tolerance=1e-12)
    fitted = pd.fit(*arguments, degree=2, **named)
    np.testing.assert_allclose(fitted.coef, pd.fit(x, y, 2, weights=w).coef, rtol=1e-10)


def test_both_workers_work(cluster):
    blocks: Any = 20_000
    x = da.random.default_rng(0).uniform(-1, 1, 400_000, chunks=blocks)
    stream: Any
    with get_task_stream(cluster) as stream:
        assert pd.summarize(x, da.cos(x), degree=3).n == 400_000
    assert len({task["worker"] for task in stream.data}) == 2
    assert len(stream.data) <= 2 * 20 + 4  # two for every block, one for every eight merged


def test_the_graph_grows_with_the_blocks_and_no_block_is_cut(columns):
    x, y, _ = columns
    sizes = []

    def counted(rows):
        sizes.append(rows.n)
        return pd.Summary.of_rows(rows.x, rows.y, None, 2)

    def total(summaries):
        return sum(summaries, start=pd.Summary.empty(2))

    chunks = (1_000, 9_000, 30_000, 20_000)
    source = source_of(cut(x, chunks=(chunks,)), cut(y, chunks=(chunks,)))
    with dask.config.set(scheduler="synchronous"):
        source.fold(counted, total)
    assert sorted(sizes) == sorted(chunks)


def test_tasks_on_workers_take_one_core_each(monkeypatch, columns):
    """A cluster runs as many of them side by side as a worker has cores."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: range(7), raising=False)
    seen = []

    def spied(*given):
        seen.append(threads.cores())
        return summary_of_rows(*given)

    summary_of_rows = passes.summary_of_rows
    monkeypatch.setattr(passes, "summary_of_rows", spied)
    x, y, _ = columns
    with dask.config.set(scheduler="synchronous"):
        pd.summarize(cut(x, chunks=1000), cut(y, chunks=1000), degree=1)
    assert seen
    assert set(seen) == {1}
    assert threads.cores() == 7
    pd.summarize(iter([(x, y)]), degree=1)
    assert seen[-1] == 7


def test_missing_values_are_omitted_where_they_are(cluster, columns):
    x, y, _ = columns
    holes = np.where(np.arange(N) % 100 == 7, np.nan, y)
    arrays = [cut(column, chunks=7_000) for column in (x, holes)]
    found = pd.summarize(*arrays, degree=3, missing="omit")
    kept = np.isfinite(holes)
    assert_same_curve(found, pd.summarize(x[kept], y[kept], 3))
    assert found.omitted == N // 100


def test_a_refusal_on_a_worker_arrives_whole(cluster, columns):
    x, y, _ = columns
    y = y.copy()
    y[33_333] = np.inf
    arrays = [cut(column, chunks=7_000) for column in (x, y)]
    with pytest.raises(pd.PolydescentError, match="y has 1 NaN or infinite value"):
        pd.fit(*arrays)


def test_descent_over_the_rows_of_a_collection(columns):
    x, y, _ = columns
    arrays = [cut(column, chunks=7_000) for column in (np.log(x), y)]
    settings = {"degree": 2, "basis": "chebyshev", "start": "zeros", "steps": 50}
    runs = [pd.descend(*arrays, over=over, **settings) for over in ("rows", "summary")]
    np.testing.assert_allclose(runs[0].coef, runs[1].coef, rtol=1e-9)


def test_what_does_not_belong_together_is_refused(columns, subtests):
    x, y, _ = columns
    a, b = cut(x, chunks=7_000), cut(y, chunks=9_000)
    frame = dd.from_pandas(pandas.DataFrame({"x": x, "y": y}), npartitions=2)
    refused: list[tuple[tuple[Any, Any, dict[str, Any]], str]] = [
        ((a, b, {}), r"9,000, .*7,000, .*rechunk"),
        ((a, y, {}), "make both Dask arrays"),
        ((a, None, {}), "pass y beside it"),
        ((da.ones((4, 2)), da.ones((4, 2)), {}), r"found shape \(4, 2\)"),
        ((frame, None, {"x": "x", "y": "z"}), "no column 'z' in the Dask dataframe"),
        ((frame, None, {}), "needs the names of its columns"),
        ((frame, None, {"x": "x", "y": "y", "where": "x > 1"}), "where= selects rows of a file"),
    ]
    for (data, rest, names), said in refused:
        with subtests.test(said), pytest.raises(pd.PolydescentError, match=said):
            pd.fit(data, **({"y": rest} | names))
