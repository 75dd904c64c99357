"""Quantiles: what the linear program says, of any number of rows, with errors that hold."""

import math

import numpy as np
import pytest
from cases import backends
from scipy.optimize import linprog

from polydescent import fit
from polydescent.arrays import to_host
from polydescent.polynomial.basis import CHEBYSHEV, design_matrix
from polydescent.robust import linear_program, quantiles
from polydescent.robust.losses import Quantile
from polydescent.robust.passes import Reader, Sample
from polydescent.rows.axis import PLAIN
from polydescent.rows.chunks import InMemory, Stream
from polydescent.rows.rows import Rows
from polydescent.triangle.triangle import Triangle


def of_highs(X, y, cost, q):
    """The coefficients that scipy.optimize.linprog finds."""
    n, k = X.shape
    found = linprog(
        np.r_[np.zeros(k), cost * q, cost * (1 - q)],
        A_eq=np.c_[X, np.eye(n), -np.eye(n)],
        b_eq=y,
        bounds=[(None, None)] * k + [(0, None)] * (2 * n),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    return found.x[:k]


def tilted(X, y, cost, q, b):
    left = y - X @ b
    return float(cost @ np.where(left > 0, q * left, (q - 1) * left))


def heavy(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, n)
    return x, np.cos(3 * x) + 0.3 * rng.standard_t(2, n)


@pytest.mark.parametrize("q", [0.05, 0.5, 0.9])
@pytest.mark.parametrize("degree", [0, 1, 3, 6])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_curve_is_that_of_the_linear_program(q, degree, weighted):
    x, y = heavy(151, degree)  # odd, so that one curve is best
    weights = 10 ** np.random.default_rng(5).uniform(-2, 2, x.size) if weighted else None
    found = fit(x, y, degree, loss=Quantile(q), weights=weights)
    V = design_matrix(CHEBYSHEV, found.summary.domain.to_unit(x), degree)
    cost = np.ones(x.size) if weights is None else np.sqrt(weights)
    theirs = of_highs(V, y, cost, q)
    ours = found.least_squares.weights
    assert tilted(V, y, cost, q, ours) <= tilted(V, y, cost, q, theirs) * (1 + 1e-13)
    assert ours == pytest.approx(theirs, abs=1e-10)
    on = np.abs(y - found(x)) < 1e-12
    assert on.sum() == degree + 1
    below = cost[(y < found(x)) & ~on].sum() / cost.sum()
    assert below <= q + 1e-12


CASES = ["decades", "few values", "one value", "ties in x", "few rows"]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("q", [0.1, 0.5])
def test_no_other_curve_costs_less_where_several_cost_the_same(case, q):
    rng = np.random.default_rng(len(case))
    n = 6 if case == "few rows" else 200
    x, y = heavy(n, 2)
    cost = 10 ** rng.uniform(-3, 3, n) if case == "decades" else np.ones(n)
    if case == "few values":
        y = np.round(y)
    if case == "one value":
        y[rng.random(n) < 0.6] = 0.25
    if case == "ties in x":
        x = np.round(x, 1)
    X = design_matrix(CHEBYSHEV, x, 3)
    found = linear_program.solve(X, y, cost, q, np.zeros(4))
    lowest = tilted(X, y, cost, q, of_highs(X, y, cost, q))
    assert tilted(X, y, cost, q, found) <= lowest * (1 + 1e-12) + 1e-15


def test_half_of_all_y_in_one_value_are_met():
    x, y = heavy(200, 4)
    y[np.random.default_rng(1).random(200) < 0.6] = 0.25
    found = fit(x, y, 3, loss="median")
    assert found(x) == pytest.approx(np.full(200, 0.25), abs=1e-12)


@pytest.mark.parametrize("q", [0.5, 0.9])
@pytest.mark.parametrize("weighted", [False, True])
def test_chunks_and_a_sample_lead_to_the_same_curve(q, weighted):
    x, y = heavy(20_000, 3)
    weights = np.random.default_rng(2).uniform(0.1, 2, x.size) if weighted else None
    rows = Rows.of(x, y, weights)
    base = Triangle.fold(rows.x, rows.y, rows.weights, 3)
    whole = quantiles.settle(Reader(InMemory(rows), PLAIN), base, Quantile(q), Sample(rows, True))
    given = [c for c in (x, y, weights) if c is not None]
    chunks = [tuple(c[i : i + 3000] for c in given) for i in range(0, x.size, 3000)]
    few = Sample.of(rows, 800, base.n)
    found = quantiles.settle(Reader(Stream(chunks), PLAIN), base, Quantile(q), few)
    assert found.curve == pytest.approx(whole.curve, abs=1e-13)
    assert whole.passes == 1
    assert found.passes <= 8
    size = np.linalg.norm(whole.root, axis=1)
    assert np.linalg.norm(found.root, axis=1) == pytest.approx(size, rel=0.6)  # from the sample


@pytest.mark.parametrize("q", [0.5, 0.8])
def test_counts_are_rows_repeated(q):
    x, y = heavy(151, 6)
    counts = np.random.default_rng(3).integers(0, 4, x.size)
    once = fit(x, y, 3, loss=Quantile(q), counts=counts)
    many = fit(np.repeat(x, counts), np.repeat(y, counts), 3, loss=Quantile(q))
    assert once.loss == pytest.approx(many.loss, rel=1e-12)
    assert once.coef == pytest.approx(many.coef, abs=1e-10)
    assert once.stderr == pytest.approx(many.stderr, rel=1e-6)


@backends
def test_every_library_has_the_same_curve(backend):
    x, y = (to_host(backend.array(column)) for column in heavy(151, 1))
    found = fit(backend.array(x), backend.array(y), 3, loss="median")
    plain = fit(x, y, 3, loss="median")
    assert type(found.coef).__module__.startswith(backend.library)
    assert to_host(found.coef) == pytest.approx(plain.coef, abs=backend.tolerance * 10)


@pytest.mark.parametrize(
    ("a", "b", "c", "d"), [(1, 0, 1e30, 0), (1, 0, 1e-30, 0), (1e7, 1.6e9, 1, 9)]
)
def test_units_and_offsets_change_nothing_else(a, b, c, d):
    x, y = heavy(151, 1)
    plain, moved = fit(x, y, 3, loss="median"), fit(a * x + b, c * y + d, 3, loss="median")
    at = np.linspace(-0.9, 0.9, 7)
    assert (moved(a * at + b) - d) / c == pytest.approx(plain(at), abs=1e-7)
    assert moved.loss / c == pytest.approx(plain.loss, rel=1e-9)


@pytest.mark.parametrize("held", [{"fix": {0: 1.0}}, {"through": (0.5, 0.1)}, {"terms": [0, 2]}])
def test_what_is_held_stays_and_the_rest_costs_least(held):
    x, y = heavy(151, 1)
    found = fit(x, y, 3 if "terms" not in held else 2, loss=Quantile(0.7), **held)
    V = np.vander(x, found.degree + 1, increasing=True)
    if "fix" in held:
        V, y = V[:, 1:], y - 1.0
        ours = found.coef[1:]
    elif "terms" in held:
        V, ours = V[:, [0, 2]], found.coef[[0, 2]]
    else:
        V, y = V[:, 1:] - 0.5 ** np.arange(1, 4), y - 0.1
        ours = found.coef[1:]
    assert ours == pytest.approx(of_highs(V, y, np.ones(151), 0.7), abs=1e-9)


def test_the_loss_is_what_the_rows_cost_and_the_summary_has_it():
    x, y = heavy(400, 1)
    found = fit(x, y, 3, loss=Quantile(0.9))
    V = design_matrix(CHEBYSHEV, found.summary.domain.to_unit(x), 3)
    cost = tilted(V, y, np.ones(400), 0.9, found.least_squares.weights)
    assert found.loss == pytest.approx(cost, rel=1e-3)  # rows very near the curve cost squares
    assert found.excess == 0
    assert found.summary.fit().coef == pytest.approx(found.coef, rel=1e-9)
    assert math.isnan(found.r2)
    assert math.isnan(found.residual_sd)


def test_errors_of_the_median_hold_what_they_promise():
    rng = np.random.default_rng(6)
    x = np.linspace(-1, 1, 200)
    places, reps = np.array([-0.9, 0.0, 0.9]), 100
    for uneven in (False, True):
        hits = np.zeros(3)
        for _ in range(reps):
            y = rng.standard_normal(x.size) * (0.1 + x * x if uneven else 1.0)
            low, high = fit(x, y, 2, loss="median").confidence_band(places)
            hits += (low <= 0) & (high >= 0)
        assert np.all(hits / reps > 0.87)


def test_as_many_coefficients_as_rows_leave_nothing_to_tell():
    found = fit([0.0, 1.0, 2.0], [1.0, 0.0, 2.0], 2, loss="median")
    assert found(1.0) == pytest.approx(0.0, abs=1e-12)
    assert np.isnan(found.stderr).all()
    assert "unknown" in str(found)
