"""Every kernel gives the triangle that the reference gives, whatever the rows look like."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
import tracemalloc
import warnings
from functools import partial
from itertools import zip_longest

import numpy as np
import pytest

from polydescent.errors import NotFinite, SlowKernelsWarning, UnknownName
from polydescent.polynomial.basis import CHEBYSHEV, Domain, evaluate
from polydescent.triangle import kernels
from polydescent.triangle.kernels import blocks, native, reference, sums
from polydescent.triangle.triangle import Triangle

ABSENT = kernels.available()["native"]  # not built, or excluded by the environment
with_native = pytest.mark.skipif(bool(ABSENT), reason=ABSENT)
NATIVE = pytest.param("native", marks=with_native)
fast_kernels = pytest.mark.parametrize("kernel", [NATIVE, "blocks"])
all_kernels = pytest.mark.parametrize("kernel", [NATIVE, "blocks", "reference"])

N = 50_000  # enough for every kernel to take its way for many rows


# ── the rows ─────────────────────────────────────────────────────────────────────────────────────


def _curve_and_noise(x, rng):
    spread = np.std(x) or 1.0
    return np.sin(2 * (x - np.mean(x)) / spread) + 0.3 * rng.normal(size=len(x))


def _far_cluster(rng, n):
    """One row in two thousand lies far away: a sample of 512 most likely misses them all."""
    return np.where(rng.random(n) < 5e-4, 30.0, 0.0) + rng.random(n)


def _periodic(rng, n):
    return np.arange(n) % 1000 / 7.0


XS = {
    "uniform": lambda rng, n: rng.uniform(-1, 1, n),
    "normal": lambda rng, n: rng.normal(size=n),
    "heavy tails": lambda rng, n: rng.standard_t(4, size=n),
    "log-normal": lambda rng, n: np.exp(rng.normal(size=n)),
    "twelve decades": lambda rng, n: 10.0 ** rng.uniform(-6, 6, n),
    "epoch seconds, sorted": lambda rng, n: 1.7e9 + np.arange(n) * 1.0,
    "reversed": lambda rng, n: -np.arange(n) / 3.0,
    "few integers": lambda rng, n: rng.integers(0, 12, n) * 1.0,
    "huge offset": lambda rng, n: 1e12 + rng.uniform(0, 1, n),
    "periodic": _periodic,
    "far cluster": _far_cluster,
    "tiny": lambda rng, n: 1e-200 * rng.uniform(1, 2, n),
    "huge": lambda rng, n: 1e300 * rng.uniform(-1, 1, n),
    "constant": lambda rng, n: np.full(n, 2.5),
}
DETERMINED = [name for name in XS if name != "constant"]


def rows(name, n=N, seed=0):
    rng = np.random.default_rng(seed)
    x = XS[name](rng, n)
    unit = x / np.max(np.abs(x))
    return x, _curve_and_noise(unit, rng)


def assert_same_triangle(found, expected, tolerance=1e-13):
    """Equal domains, and equal products of the rows the triangles stand for, to `tolerance`."""
    (A, domain), (B, true_domain) = found, expected
    assert domain == true_domain
    assert A.shape == B.shape
    assert A.dtype == np.float64
    assert np.array_equal(A, np.triu(A))
    assert (np.diagonal(A) >= 0).all()
    scale = np.abs(B).max(axis=0)
    scale[scale == 0] = 1.0
    difference = (A / scale).T @ (A / scale) - (B / scale).T @ (B / scale)
    assert np.abs(difference).max() < tolerance


def curve(triangle, domain, x):
    w = np.linalg.solve(triangle[:-1, :-1], triangle[:-1, -1])
    return evaluate(CHEBYSHEV, w, domain.to_unit(x))


def one_shot(x, y, degree, domain):
    """(the best curve at x, its rss) by orthogonalizing three times, in long double."""
    u = (x.astype(np.longdouble) - domain.mid) / np.longdouble(domain.half_width)
    t = [np.ones_like(u), u]
    while len(t) <= degree:
        t.append(2 * u * t[-1] - t[-2])
    Q, rest = [], y.astype(np.longdouble)
    for column in t[: degree + 1]:
        for _ in range(3):
            for q in Q:
                column = column - (q @ column) * q
        Q.append(column / np.sqrt(column @ column))
    for _ in range(3):
        for q in Q:
            rest = rest - (q @ rest) * q
    return np.float64(y - rest), float(rest @ rest)


# ── one answer ───────────────────────────────────────────────────────────────────────────────────


@fast_kernels
@pytest.mark.parametrize("degree", [0, 1, 3, 8])
@pytest.mark.parametrize("name", XS)
def test_gives_the_triangle_of_the_reference(kernel, degree, name):
    x, y = rows(name)
    for n in (1, 2, 130, 5000, N):
        columns = x[:n], y[:n], None, degree
        assert_same_triangle(
            kernels.compress(*columns, kernel=kernel), reference.compress(*columns)
        )


@pytest.mark.parametrize("degree", range(12))
def test_every_degree_sums_alike(degree):
    """Low degrees have code of their own in C."""
    x, y = rows("uniform")
    w = np.linspace(0, 1, N)
    for weights in (None, w):
        assert_same_triangle(
            kernels.compress(x, y, weights, degree), reference.compress(x, y, weights, degree)
        )


@fast_kernels
@pytest.mark.parametrize("degree", [1, 3, 8])
@pytest.mark.parametrize("name", [name for name in DETERMINED if name != "far cluster"])
def test_curve_and_rss_are_those_of_a_fit_in_long_double(kernel, degree, name):
    x, y = rows(name)
    triangle, domain = kernels.compress(x, y, None, degree, kernel=kernel)
    best, rss = one_shot(x, y, degree, domain)
    assert np.abs(curve(triangle, domain, x) - best).max() < 1e-11
    assert triangle[-1, -1] ** 2 == pytest.approx(rss, rel=1e-12)


@all_kernels
@pytest.mark.parametrize(("degree", "n"), [(20, N), (40, 5000), (62, 1000)])
def test_high_degrees(kernel, degree, n):
    x, y = rows("uniform", n)
    triangle, domain = kernels.compress(x, y, None, degree, kernel=kernel)
    best, rss = one_shot(x, y, degree, domain)
    assert np.abs(curve(triangle, domain, x) - best).max() < 1e-11
    assert triangle[-1, -1] ** 2 == pytest.approx(rss, rel=1e-12)


@all_kernels
@pytest.mark.parametrize("n", [1000, N])
def test_noise_free_rows_keep_the_digits_of_rss(kernel, n):
    x = np.linspace(-np.pi, np.pi, n)
    y = 700 * np.sin(x)
    triangle, domain = kernels.compress(x, y, None, 13, kernel=kernel)
    _, rss = one_shot(x, y, 13, domain)
    assert rss < 1e-11 * (y @ y)
    assert triangle[-1, -1] ** 2 == pytest.approx(rss, rel=1e-5)


@all_kernels
@pytest.mark.parametrize("n", [1000, N])
def test_an_exact_polynomial_leaves_rounding_only(kernel, n):
    x = np.linspace(1e5, 1e5 + 9, n)
    triangle, domain = kernels.compress(x, 3 * x + 7, None, 3, kernel=kernel)
    assert np.abs(curve(triangle, domain, x) / (3 * x + 7) - 1).max() < 2e-15
    assert triangle[-1, -1] < 1e-15 * np.linalg.norm(triangle[:, -1])


@all_kernels
@pytest.mark.parametrize("n", [300, N])
def test_weights_count_rows(kernel, n):
    x, y = rows("normal", n)
    times = np.random.default_rng(1).integers(0, 4, n)
    found = kernels.compress(x, y, times * 1.0, 3, kernel=kernel)
    assert_same_triangle(found, reference.compress(x.repeat(times), y.repeat(times), None, 3))
    half = kernels.compress(x, y, times * 0.25, 3, kernel=kernel)
    assert_same_triangle((half[0] * 2, half[1]), found)


@all_kernels
@pytest.mark.parametrize("n", [300, N])
def test_a_weight_of_zero_silences_its_row(kernel, n):
    x, y = rows("normal", n)
    w = np.random.default_rng(1).uniform(1, 2, n)
    w[[0, 7, -1]] = 0.0
    kept = w > 0
    x[0], y[7], x[-1] = np.nan, np.inf, 1e300
    found = kernels.compress(x, y, w, 3, kernel=kernel)
    assert_same_triangle(found, reference.compress(x[kept], y[kept], w[kept], 3))
    triangle, domain = kernels.compress(x, y, w * 0, 3, kernel=kernel)
    assert not triangle.any()
    assert domain == Domain(np.inf, -np.inf)


@fast_kernels
@pytest.mark.parametrize("factor", [0.0, 1e-310, 1e-200, 1e200, 1e300])
def test_y_of_any_size(kernel, factor):
    x, y = rows("uniform")
    for n in (100, N):
        columns = x[:n], y[:n] * factor, None, 2
        assert_same_triangle(
            kernels.compress(*columns, kernel=kernel), reference.compress(*columns)
        )


# ── any memory ───────────────────────────────────────────────────────────────────────────────────


def _misaligned(values):
    record = np.zeros(len(values), dtype=[("skew", "i1"), ("value", values.dtype)])
    record["value"] = values
    return record["value"]


def _read_only(values):
    values = values.copy()
    values.flags.writeable = False
    return values


LAYOUTS = {
    "every other": lambda values: values.repeat(2)[::2],
    "backward": lambda values: values[::-1].copy()[::-1],
    "misaligned": _misaligned,
    "read-only": _read_only,
}


@all_kernels
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_memory_may_be_laid_out_anyhow(kernel, dtype, layout):
    x, y = (values.astype(dtype) for values in rows("normal"))
    w = np.linspace(0, 1, N, dtype=dtype)
    lay = LAYOUTS[layout]
    for n in (100, N):
        found = kernels.compress(lay(x[:n]), lay(y[:n]), lay(w[:n]), 3, kernel=kernel)
        assert_same_triangle(found, reference.compress(x[:n], y[:n], w[:n], 3))
    flat = kernels.compress(np.broadcast_to(x[:1], N), y, None, 1, kernel=kernel)
    assert_same_triangle(flat, reference.compress(np.full(N, x[0]), y, None, 1))


@pytest.mark.parametrize("dtype", ["float16", "float32", "longdouble"])
@pytest.mark.parametrize("n", [100, N])
def test_any_dtype_accumulates_in_float64(dtype, n):
    x, y = (values.astype(dtype) for values in rows("uniform", n))
    found = kernels.compress(x, y, None, 3)
    assert_same_triangle(
        found, reference.compress(x.astype("float64"), y.astype("float64"), None, 3)
    )


def test_a_million_float32_points_keep_their_slope():
    x = np.linspace(0, 1000, 10**6, dtype=np.float32)
    triangle, domain = kernels.compress(x, 3 * x + 7, None, 1)
    slope = np.linalg.solve(triangle[:-1, :-1], triangle[:-1, -1])[1] / domain.half_width
    assert slope == pytest.approx(3, rel=1e-8)


@pytest.mark.parametrize("library", ["torch", "array_api_strict"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("kernel", [None, "blocks", "reference"])
def test_libraries_agree(library, dtype, kernel):
    xp = pytest.importorskip(library)
    x, y = (values.astype(dtype) for values in rows("normal"))
    w = np.linspace(0, 1, N, dtype=dtype)
    there = [xp.asarray(a) for a in (x, y, w)]
    found = kernels.compress(there[0], there[1], there[2], 3, kernel=kernel)
    assert_same_triangle(found, reference.compress(x, y, w, 3))


# ── refusals ─────────────────────────────────────────────────────────────────────────────────────


@all_kernels
@pytest.mark.parametrize("column", ["x", "y", "weights"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("n", [1, 1000, N])
def test_names_the_value_that_is_no_number(kernel, column, value, n):
    x, y = rows("uniform", n)
    columns = {"x": x, "y": y, "weights": np.ones(n) if column == "weights" else None}
    columns[column][n - 1] = value
    with pytest.raises(NotFinite) as refusal:
        kernels.compress(x, y, columns["weights"], 3, kernel=kernel)
    found = refusal.value
    assert (found.name, found.count, found.n, found.first) == (column, 1, n, n - 1)
    assert np.array_equal(found.value, value, equal_nan=True)


def test_refuses_a_kernel_there_is_not():
    with pytest.raises(UnknownName, match="Did you mean 'blocks'"):
        kernels.compress(np.ones(3), np.ones(3), None, 1, kernel="block")
    for columns in (
        (np.ones(3, "float16"), np.ones(3), None, 1),
        (np.ones(3), np.ones(3), None, 63),
    ):
        with pytest.raises(UnknownName, match="There are: blocks, reference"):
            kernels.compress(*columns, kernel="native")
        kernels.compress(*columns)


# ── parts, threads, processes ────────────────────────────────────────────────────────────────────


@fast_kernels
@pytest.mark.parametrize("way", ["as chosen", "by sums"])
@pytest.mark.parametrize("degree", [3, 8])
@pytest.mark.parametrize(
    "name",
    ["epoch seconds, sorted", "log-normal", "twelve decades", "few integers", "constant chunks"],
)
def test_sixty_chunks_in_any_order_are_one_fit(monkeypatch, kernel, way, degree, name):
    if way == "by sums":
        monkeypatch.setattr(native, "FEW", 64)
        monkeypatch.setattr(blocks, "SMALL", 64)
    if name == "constant chunks":
        x = np.repeat(np.arange(60.0), 1000)
        y = _curve_and_noise(x, np.random.default_rng(2))
    else:
        x, y = rows(name, 60_000)
    for each_way in (slice(None), slice(None, None, -1)):
        chunks = list(zip(np.split(x[each_way], 60), np.split(y[each_way], 60), strict=True))
        np.random.default_rng(3).shuffle(chunks)
        parts = [
            Triangle(*kernels.compress(x_chunk, y_chunk, None, degree, kernel=kernel), len(x_chunk))
            for x_chunk, y_chunk in chunks
        ]
        while len(parts) > 1:  # by twos: at condition 1e5 a chain of 60 errs three times as much
            parts = [
                a + b
                for a, b in zip_longest(parts[::2], parts[1::2], fillvalue=Triangle.empty(degree))
            ]
        (whole,) = parts
        best, _ = one_shot(x, y, degree, whole.domain)
        found = curve(whole.array, whole.domain, x)
        assert np.abs(found - best).max() < 1e-11 * np.abs(y).max()


@with_native
@pytest.mark.parametrize("name", ["uniform", "far cluster"])
def test_the_number_of_threads_changes_no_digit(monkeypatch, name):
    x, y = rows(name, 700_001)
    results = []
    for cores in (1, 2, 5):
        monkeypatch.setattr(native, "cores", lambda cores=cores: cores)
        results.append(kernels.compress(x, y, None, 8, kernel="native")[0])
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def _compressed(n):
    return kernels.compress(*rows("uniform", n), None, 3)[0]


@pytest.mark.skipif("fork" not in multiprocessing.get_all_start_methods(), reason="no fork here")
def test_works_in_a_forked_process():
    here = _compressed(400_000)
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert np.array_equal(pool.apply(_compressed, (400_000,)), here)


@fast_kernels
def test_memory_is_one_block(kernel):
    x, y = rows("uniform", 2_000_000)
    tracemalloc.start()
    try:
        kernels.compress(x, y, None, 8, kernel=kernel)
        assert tracemalloc.get_traced_memory()[1] < 8e6
    finally:
        tracemalloc.stop()


def test_sums_over_many_rows_keep_their_digits():
    n = 3_000_001
    triangle, _ = kernels.compress(np.linspace(0, 1, n), np.full(n, 0.1), None, 1)
    assert triangle[0, 0] ** 2 == pytest.approx(n, rel=1e-15)
    assert triangle[0, 2] == pytest.approx(0.1 * np.sqrt(n), rel=1e-15)


# ── the pieces of the way ────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("name", ["uniform", "normal", "heavy tails", "reversed", "periodic"])
def test_sums_serve_ordinary_rows(name):
    """The laws above would hold with every chunk given to the reference: see that it is not so."""
    assert _by_sums(name) is not None


@pytest.mark.parametrize("reach", [12.0, 100.0])
@pytest.mark.parametrize("degree", [4, 6])
def test_sums_serve_a_burst_of_far_rows_that_the_sample_missed(degree, reach):
    """On the guessed domain it would drown the others: the sums are taken again on the true one."""
    x, y = rows("uniform")
    sampled = np.sort(np.append(np.arange(sums.SAMPLE) * sums.GOLDEN % 1.0 * N, N - 1))
    widest = int(np.diff(sampled).argmax())
    burst = slice(int(sampled[widest]) + 1, int(sampled[widest + 1]))
    x[burst] = np.random.default_rng(1).uniform(-reach, reach, N)[burst]
    found = sums.compress(x, y, None, degree, partial(blocks._sums, x, y, None))
    assert found is not None
    assert_same_triangle(found, reference.compress(x, y, None, degree), 3e-13)


@pytest.mark.parametrize("name", ["constant", "huge", "tiny"])
def test_sums_decline_what_would_cost_digits(name):
    assert _by_sums(name) is None


def _by_sums(name):
    x, y = rows(name)
    return sums.compress(x, y, None, 3, partial(blocks._sums, x, y, None))


@pytest.mark.parametrize("without", ["environment", "install"])
def test_without_native_blocks_serve(monkeypatch, without):
    if without == "environment":
        monkeypatch.setenv(kernels.ALLOWED, "blocks,reference")
    else:
        monkeypatch.setattr(native, "MISSING", "not built in this install")
    assert kernels.available()["native"]
    taken = []
    monkeypatch.setattr(blocks, "compress", lambda *columns: taken.append(columns))
    kernels.compress(np.ones(3), np.ones(3), None, 1)
    assert taken


@pytest.mark.parametrize(
    ("many", "missing", "allowed", "warned"),
    [
        (True, "not built in this install", None, True),
        (False, "not built in this install", None, False),
        (True, "not built in this install", "blocks,reference", False),  # asked for
        pytest.param(True, "", None, False, marks=NATIVE.marks),
    ],
)
def test_an_install_without_a_compiler_says_so_where_it_costs(
    monkeypatch, many, missing, allowed, warned
):
    monkeypatch.setattr(native, "MISSING", missing)
    monkeypatch.delenv(kernels.ALLOWED, raising=False)
    if allowed:
        monkeypatch.setenv(kernels.ALLOWED, allowed)
    column = np.linspace(0, 1, kernels._MANY - (not many))
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        kernels.compress(column, column, None, 1)
    assert [w.category for w in told] == [SlowKernelsWarning] * warned


@pytest.mark.parametrize("allowed", ["native,blocks,reference", "blocks,reference"])
def test_the_module_says_which_kernels_there_are(allowed):
    shown = subprocess.run(
        [sys.executable, "-m", "polydescent.triangle.kernels"],
        env={**os.environ, kernels.ALLOWED: allowed},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    absent = "native     absent" in shown
    assert absent == bool(native.MISSING or "native" not in allowed)
    assert "blocks     here" in shown
