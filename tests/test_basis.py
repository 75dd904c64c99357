"""Families: recurrences against NumPy's own polynomials, and changes between all pairs."""

import numpy as np
import pytest
from cases import BASES, backends
from numpy.polynomial import chebyshev, legendre, polynomial

from polydescent.arrays import to_host
from polydescent.errors import UnknownName
from polydescent.polynomial.basis import BASES as FAMILIES
from polydescent.polynomial.basis import (
    CHEBYSHEV,
    POWER,
    Domain,
    basis_named,
    change_of_basis,
    design_matrix,
    evaluate,
)
from polydescent.polynomial.curve import Polynomial

VANDER = {
    "power": polynomial.polyvander,
    "chebyshev": chebyshev.chebvander,
    "legendre": legendre.legvander,
}
U = np.linspace(-1, 1, 41)


def test_there_are_three_families():
    assert tuple(FAMILIES) == BASES
    assert basis_named("legendre") is FAMILIES["legendre"]
    assert basis_named(POWER) is POWER
    with pytest.raises(UnknownName, match="There are: power, chebyshev, legendre"):
        basis_named("bernstein")


@backends
@pytest.mark.parametrize("name", BASES)
@pytest.mark.parametrize("degree", [0, 1, 2, 12])
def test_design_matrix_and_evaluation_equal_numpys(backend, name, degree):
    u = backend.array(U)
    tolerance = 1e-13 if backend.dtype == "float64" else 1e-4
    wanted = VANDER[name](to_host(u), degree)
    V = design_matrix(basis_named(name), u, degree)
    assert V.shape == (len(U), degree + 1)
    np.testing.assert_allclose(to_host(V), wanted, atol=tolerance)
    weights = np.random.default_rng(degree).standard_normal(degree + 1)
    values = evaluate(basis_named(name), weights, u)
    assert type(values) is type(u)
    assert values.dtype == u.dtype
    np.testing.assert_allclose(to_host(values), wanted @ weights, atol=10 * tolerance)


@pytest.mark.parametrize("target", BASES)
@pytest.mark.parametrize("source", BASES)
def test_change_of_basis_and_back(target, source):
    target, source = basis_named(target), basis_named(source)
    scale, shift = 0.4, -0.3
    C = change_of_basis(target, source, 8, scale, shift)
    V = design_matrix(target, scale * U + shift, 8)
    np.testing.assert_allclose(design_matrix(source, U, 8) @ C, V, atol=1e-13)
    assert np.array_equal(C, np.triu(C))
    back = change_of_basis(source, target, 8, 1 / scale, -shift / scale)
    np.testing.assert_allclose(C @ back, np.eye(9), atol=1e-9)


@pytest.mark.parametrize(
    ("lo", "hi"), [(-1, 1), (0, 1e9), (1.6e9, 1.6e9 + 1), (-1e308, 1e308), (5e-324, 1e-300)]
)
def test_a_domain_maps_to_the_unit_interval(lo, hi):
    domain = Domain(lo, hi)
    np.testing.assert_allclose(domain.to_unit(np.array([lo, hi])), [-1, 1], rtol=1e-15)
    assert (domain | Domain(np.inf, -np.inf)) == domain
    assert Domain(np.inf, -np.inf).is_empty


def test_a_point_maps_to_zero():
    assert Domain(3.0, 3.0).to_unit(np.array([3.0])) == [0.0]


@pytest.mark.parametrize("lo", [0.0, -3.0, 1e3, 1.6e9])
@pytest.mark.parametrize("degree", [0, 1, 3, 10])
def test_powers_are_the_nearest_floats(lo, degree):
    """Against the same expansion in 200 decimal digits."""
    from mpmath import mp, mpf

    mp.dps = 200
    domain = Domain(lo, lo + 7.0)
    weights = np.random.default_rng(degree).standard_normal(degree + 1)
    found = Polynomial(CHEBYSHEV, domain, weights).powers()
    mid, half = mpf(domain.mid), mpf(domain.half_width)
    previous, current = [mpf(0)], [mpf(1)]
    total = [mpf(0)] * (degree + 1)
    for k in range(degree + 1):
        for j, c in enumerate(current):
            total[j] += mpf(float(weights[k])) * c
        times_u = [mpf(0)] * (len(current) + 1)
        for j, c in enumerate(current):
            times_u[j] -= c * mid / half
            times_u[j + 1] += c / half
        following = [(2 if k else 1) * c for c in times_u]
        for j, c in enumerate(previous):
            following[j] -= c if k else 0
        previous, current = current, following
    assert list(found) == [float(c) for c in total]


def test_a_curve_keeps_its_values_in_chebyshev():
    x = np.linspace(2, 5, 50)
    for basis in FAMILIES.values():
        curve = Polynomial(basis, Domain(2.0, 5.0), np.array([0.3, -1.0, 0.5, 0.25]))
        same = Polynomial(CHEBYSHEV, curve.domain, curve.in_chebyshev())
        np.testing.assert_allclose(same(x), curve(x), rtol=1e-13)
