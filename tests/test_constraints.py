"""Constraints are obeyed exactly, by rows that are refined and by triangles alike."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from exact import least_squares, root

import polydescent as pd
from polydescent import errors
from polydescent.least_squares.constraints import Constraints, constraints_of
from polydescent.polynomial.basis import CHEBYSHEV
from polydescent.polynomial.curve import exact_powers

TERMS = [
    (-1.0, 1.0, [0, 4]),
    (2000.0, 2020.0, [0, 6]),
    (2000.0, 2020.0, [0, 7]),
    (2000.0, 2020.0, [1, 2, 6]),
    (4.999, 5.001, [0, 5]),
    (4.999, 5.001, [3, 7]),
    (1.6e9, 1.61e9, [0, 4]),
    (1e-30, 2e-30, [0, 2]),
    (-7e30, 2e30, [1, 3]),
]


def rows(lo, hi, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(lo, hi, 40)
    return x, 3 + (x / hi) ** 2 + rng.normal(size=40)


def from_triangle(x, y, constraints, degree, weights=None):
    known = {"fix": dict(constraints.fixed), "through": constraints.through or None}
    return pd.Summary.of_rows(x, y, weights, degree).fit(**known)


@pytest.mark.parametrize(("lo", "hi", "terms"), TERMS)
def test_terms_off_center_keep_their_digits_without_the_rows(lo, hi, terms):
    x, y = rows(lo, hi, 1)
    constraints, degree = constraints_of(0, terms=terms)
    exact = least_squares(x, y, degree, None, terms)
    found = from_triangle(x, y, constraints, degree)
    assert not found.is_refined
    # as far as the rows' rounding, 1e-16 of y, moves them: a coefficient is known to its error
    errors_of_one = [root(exact.inverse[i][i]) for i in range(len(terms))]
    size = np.abs(y).max()
    for i, term in enumerate(terms):
        allowed = 1e-14 * max(abs(float(exact.coef[i])), size * errors_of_one[i])
        assert abs(found.coef[term] - float(exact.coef[i])) <= allowed
    assert set(np.flatnonzero(found.coef)) <= set(terms)
    assert found.loss == pytest.approx(float(exact.rss), rel=1e-12)
    variance = float(exact.rss) / (40 - len(terms))
    expected = np.sqrt(variance) * np.array(errors_of_one)
    np.testing.assert_allclose(found.stderr[terms], expected, rtol=1e-12)
    again = pd.Fit.from_json(found.to_json())
    assert again.coef.tolist() == found.coef.tolist()
    assert again.stderr.tolist() == found.stderr.tolist()


@pytest.mark.parametrize(("lo", "hi", "terms"), TERMS)
def test_terms_off_center_are_rounded_once_with_the_rows(lo, hi, terms):
    x, y = rows(lo, hi, 2)
    exact = least_squares(x, y, terms[-1], None, terms)
    found = pd.fit(x, y, terms=terms)
    assert found.coef[terms].tolist() == [float(c) for c in exact.coef]
    assert found.loss == float(exact.rss)


def test_points_far_from_the_rows_and_near_each_other():
    rng = np.random.default_rng(3)
    x, y = rng.uniform(2000, 2020, 60), rng.normal(size=60)
    points = [(0, 5.0), (2010, 1.0), (2010 + 1e-9, 1.0)]
    given = {"fix": {4: 1e-9}, "through": points}
    held, _ = constraints_of(4, **given)
    refined, bare = pd.fit(x, y, 4, **given), from_triangle(x, y, held, 4)
    np.testing.assert_allclose(bare.coef, refined.coef, rtol=1e-11)
    assert bare.loss == pytest.approx(refined.loss, rel=1e-11)
    for found in (refined, bare):
        assert found.coef[0] == pytest.approx(5, rel=1e-15)
        assert found.coef[4] == 1e-9
        # a polynomial through two points at one height so near each other is level there
        assert found.derivative()(2010.0) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("at", [2**53 + 1, 10**17 + 3, -(10**17) - 3, np.int64(10**17 + 3)])
def test_points_at_whole_numbers_that_float64_does_not_hold(at):
    rng = np.random.default_rng(5)
    x, y = at + np.arange(-20, 30), rng.normal(size=50)
    for points in ((at, 7.0), [(at, 7.0), (at + 1, -7.0)]):
        found = pd.fit(x, y, 4, through=points)
        again = pd.Fit.from_json(found.to_json())
        bare = pd.summarize(x, y, 4).fit(through=points)
        for curve in (found, again, bare):
            assert curve(at) == pytest.approx(7, rel=1e-12)
            if np.ndim(points) == 2:
                assert curve(at + 1) == pytest.approx(-7, rel=1e-12)


REPEATED = [
    {"degree": 2, "fix": {0: 1.0}, "through": [(0, 5.0)]},  # contradicts
    {"degree": 2, "fix": {0: 1.0}, "through": [(0, 1.0)]},  # repeats
    {"terms": [0, 2, 4], "through": [(0.1, 1.0), (-0.1, 1.0)]},  # an even curve
    {"terms": [1, 3, 5], "through": [(0.1, 1.0), (-0.1, 1.0)]},
    {"terms": [1, 2], "through": (0.0, 1.0)},
]


@pytest.mark.parametrize("shift", [0.0, 5.0, 2e9])
@pytest.mark.parametrize("given", REPEATED)
def test_what_contradicts_or_repeats_is_refused_wherever_x_lies(given, shift):
    x = shift + np.linspace(0, 1, 30)
    with pytest.raises(errors.TooFewFree, match="contradict or repeat"):
        pd.fit(x, np.sin(x), **given)


def test_nearly_repeated_is_not_repeated():
    x = np.linspace(0, 1, 30)
    found = pd.fit(x, x**4, terms=[0, 2, 4], through=[(0.1, 1.0), (-np.nextafter(0.1, 1), 1.0)])
    assert found(0.1) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize(
    ("x", "terms"),
    [([1.0, 1.0, 1.0], [0, 1]), ([1.0, -1.0, 1.0], [2, 4]), ([0.0, 0.0], [1])],
)
def test_rows_that_do_not_tell_the_free_terms_apart_are_refused(x, terms):
    with pytest.raises(errors.TooFewDistinct):
        pd.fit(x, np.arange(len(x)), terms=terms, degree=terms[-1])


def test_few_places_are_enough_for_few_free_terms():
    assert pd.fit([2.0, 2.0], [3.0, 5.0], terms=[3]).coef[3] == 0.5
    assert pd.fit([0.0, 0.0, 1.0], [1.0, 2.0, 3.0], terms=[0, 5]).coef[[0, 5]].tolist() == [
        1.5,
        1.5,
    ]


def test_equations_hold_what_was_asked_of_every_curve_that_obeys_them():
    """Fractions on both sides: any w with B·w = b has the held coefficients."""
    held = Constraints(((0, 2.0), (3, -1.0)), ((7.0, 4.0),))
    domain = pd.Summary.of_rows(np.array([5.0, 9.0]), np.zeros(2), None, 4).domain
    B, b = held.equations(domain, 4)
    assert max(abs(a) for row in B for a in row) < 1e6
    own = [
        [j for j in range(5) if [line[j] for line in B] == [i == k for k in range(3)]]
        for i in range(3)
    ]
    assert all(own)
    weights = [Fraction(0)] * 5
    for i, (column, *_) in enumerate(own):
        weights[column] = b[i]
    powers = exact_powers(CHEBYSHEV, domain, weights)
    assert float(powers[0]) == 2.0
    assert float(powers[3]) == -1.0
    assert float(sum(c * 7**j for j, c in enumerate(powers))) == 4.0


def test_constraints_end_where_their_rationals_fill_the_memory():
    """At degree 150 a gigabyte of them: refused before any is computed."""
    x = np.linspace(-1, 1, 300)
    several: list[dict[str, Any]] = [{"fix": {0: 1.0}}, {"through": (0.5, 1.0)}]
    for asked in several:
        with pytest.raises(errors.BadSetting, match="at most 100 with fix="):
            pd.fit(x, np.cos(x), 101, **asked)
