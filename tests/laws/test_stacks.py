"""What is done to a stack of curves is what is done to each of them, one by one."""

import numpy as np
import pytest

from polydescent.errors import TooFewDistinct, TooFewRows
from polydescent.polynomial.basis import CHEBYSHEV, LEGENDRE, POWER, Domain, change_of_basis
from polydescent.triangle.triangle import Triangle

CURVES, N, DEGREE = 5, 40, 4
BASES = (POWER, CHEBYSHEV, LEGENDRE)
LIBRARIES = ("numpy", "torch")


def columns(library="numpy", weighted=False, seed=0):
    """x, y and weights of 5 curves, each with a scale, an offset and weights of its own."""
    rng = np.random.default_rng(seed)
    scale, offset = np.array([1.0, 10.0, 1e3, 1e-3, 1.0]), np.array([0.0, 5.0, 2000.0, 0.0, 3.0])
    x = rng.normal(size=(CURVES, N)) * scale[:, None] + offset[:, None]
    y = rng.normal(size=(CURVES, N))
    weights = 10.0 ** rng.uniform(-2, 2, (CURVES, N)) if weighted else None
    if library == "torch":
        torch = pytest.importorskip("torch")
        x, y = torch.asarray(x), torch.asarray(y)
        weights = weights if weights is None else torch.asarray(weights)
    return x, y, weights


def one_by_one(triangle, what):
    return np.stack([np.asarray(what(triangle[i])) for i in range(CURVES)])


@pytest.fixture(params=[False, True], ids=["plain", "weighted"])
def triangle(request):
    return Triangle.fold(*columns(weighted=request.param), DEGREE)


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("weighted", [False, True])
def test_folding(library, weighted):
    x, y, weights = columns(library, weighted)
    stack = Triangle.fold(x, y, weights, DEGREE)
    assert stack.shape == (CURVES,)
    assert stack.degree == DEGREE
    for i in range(CURVES):
        alone = Triangle.fold(x[i], y[i], None if weights is None else weights[i], DEGREE)
        assert np.array_equal(stack[i].array, alone.array)
        assert (stack.domain.lo[i], stack.domain.hi[i]) == (alone.domain.lo, alone.domain.hi)
        assert stack.n[i] == alone.n


def test_a_shared_x_serves_every_curve():
    x, y, weights = columns(weighted=True)
    shared = Triangle.fold(x[0], y, weights[0], DEGREE)
    own = Triangle.fold(np.tile(x[0], (CURVES, 1)), y, np.tile(weights[0], (CURVES, 1)), DEGREE)
    assert np.array_equal(shared.array, own.array)


def test_adding(triangle):
    x, y, _ = columns(seed=1)
    other = Triangle.fold(3 * x + 1, y, None, DEGREE)
    total = triangle + other
    for i in range(CURVES):
        alone = triangle[i] + other[i]
        np.testing.assert_allclose(total[i].array, alone.array, rtol=1e-13, atol=1e-13)
        assert total[i].domain == alone.domain
        assert total[i].n == alone.n


def test_adding_stacks_in_which_some_hold_no_rows(triangle):
    nothing = Triangle.empty(DEGREE)
    gaps = Triangle.stacked([nothing, triangle[1], nothing, triangle[3], nothing])
    for total in (gaps + triangle, triangle + gaps):
        for i in (0, 2, 4):
            assert np.array_equal(total[i].array, triangle[i].array)
            assert total[i].domain == triangle[i].domain
        assert np.isfinite(total.array).all()
    none = Triangle.stacked([nothing] * CURVES)
    assert np.array_equal((none + triangle).array, triangle.array)
    assert (none + none).n.sum() == 0


@pytest.mark.parametrize(
    "what",
    [
        lambda t: t.solve(),
        lambda t: t.rss,
        lambda t: t.tss,
        lambda t: t.square,
        lambda t: t.has_full_rank,
        lambda t: t.lower(2).array,
        lambda t: t.lower(0).solve(),
        *(lambda t, b=basis: t.least_squares(b)[0] for basis in BASES),
    ],
    ids=["solve", "rss", "tss", "square", "rank", "lower", "lowest", *(b.name for b in BASES)],
)
def test_what_a_triangle_says(triangle, what):
    scale = np.abs(one_by_one(triangle, what)).max() or 1.0
    np.testing.assert_allclose(
        what(triangle), one_by_one(triangle, what), rtol=1e-12, atol=1e-15 * scale
    )


def test_rebasing(triangle):
    wider = Domain(triangle.domain.lo - 1.0, triangle.domain.hi * 2 + 1)
    for i in range(CURVES):
        alone = triangle[i].rebased(Domain(wider.lo[i], wider.hi[i]))
        np.testing.assert_allclose(triangle.rebased(wider)[i].array, alone.array, rtol=1e-12)


@pytest.mark.parametrize("source", BASES, ids=lambda basis: basis.name)
@pytest.mark.parametrize("target", BASES, ids=lambda basis: basis.name)
def test_changing_the_basis(target, source):
    scale, shift = np.linspace(0.5, 1, 6).reshape(2, 3), np.linspace(-1, 1, 6).reshape(2, 3)
    C = change_of_basis(target, source, 6, scale, shift)
    assert C.shape == (2, 3, 7, 7)
    for i in np.ndindex(2, 3):
        alone = change_of_basis(target, source, 6, scale[i], shift[i])
        np.testing.assert_allclose(C[i], alone, rtol=1e-15, atol=1e-15)


def test_one_curve_without_an_answer_is_named():
    x, y, _ = columns()
    x[2] = x[2] > 2000  # two values
    with pytest.raises(TooFewDistinct):
        Triangle.fold(x, y, None, DEGREE).solve()
    with pytest.raises(TooFewRows):
        Triangle.fold(x[:, :3], y[:, :3], None, DEGREE).solve()
