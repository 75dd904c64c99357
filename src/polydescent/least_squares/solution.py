"""The exact least squares answer behind a Fit: from a triangle, better where all rows are there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np

from polydescent.arrays import number_or_stack, to_host
from polydescent.errors import Misfit, OneCurveOnly, PolydescentError
from polydescent.least_squares.constraints import NONE, Constraints, Restricted, restrict
from polydescent.least_squares.refine import Refined, refinable, refine
from polydescent.polynomial.basis import CHEBYSHEV, Domain
from polydescent.polynomial.curve import exact_powers, nearest_float
from polydescent.rows.rows import Rows
from polydescent.sealed import schema
from polydescent.triangle.triangle import Triangle
from polydescent.visible import shortened

_HALF = 26  # bits of a weight, and of a count, that are split off


@dataclass(frozen=True, eq=False)
class Solution:
    """The weights that no others beat, and how the data hold them, of one curve or of a stack.

    Attributes
    ----------
    weights : Chebyshev weights on `domain`, shape (…, k), with the leading dimensions … of a stack.
    domain : where x lies, lo and hi of shape (…).
    rss, tss : Σ ω·(y − f(x))², Σ ω·(y − ȳ)², in units of y², shape (…,).
    factor : shape (…, k, m), factor·factorᵀ is the covariance of the weights in units of the
        residual variance, for m free coefficients.
    constraints : what was held.
    origin : added to the x of the domain gives the user's.
    refined : of one curve, the same to 40 digits, where rows were at hand.
    restricted : of one curve, exact for the triangle, where something is held and they were not.
    """

    weights: np.ndarray
    domain: Domain
    rss: Any
    tss: Any
    factor: np.ndarray
    constraints: Constraints = NONE
    origin: int = 0
    refined: Refined | None = None
    restricted: Restricted | None = None

    def __repr__(self) -> str:
        degree = self.weights.shape[-1] - 1
        if self.shape:
            return f"<Solution of degree {degree} for a stack of {self.shape}>"
        held = f", held: {self.constraints}" if self.constraints else ""
        refined = ", refined" if self.refined is not None else ""
        text = shortened(f"loss {self.rss:.6g} of {self.tss:.6g}{held}", 200)
        return f"<Solution of degree {degree}, {text}{refined}>"

    def __getitem__(self, place: Any) -> Solution:
        """Some of a stack: an index, a slice or a mask over its leading dimensions."""
        return replace(
            self,
            weights=self.weights[place],
            domain=self.domain[place],
            rss=self.rss[place],
            tss=self.tss[place],
            factor=self.factor[place],
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading dimensions: () for one curve."""
        return self.weights.shape[:-1]

    @property
    def free(self) -> int:
        """How many coefficients were fitted."""
        return self.weights.shape[-1] - len(self.constraints)

    @cached_property
    def powers(self) -> np.ndarray:
        """Coefficients of 1, x, x², … in the user's x, shape (…, k); those held as asked."""
        if self.shape:
            return self._one_by_one("powers", self.weights)
        if self.refined is not None:
            powers = self.refined.powers(self.domain, self.origin)
        else:
            weights = self.weights if self.restricted is None else self.restricted.weights
            exact = exact_powers(CHEBYSHEV, self.domain, weights, self.origin)
            powers = np.array([nearest_float(c) for c in exact])
        for power, value in self.constraints.coefficients:
            powers[power] = value
        return powers

    @cached_property
    def factor_in_powers(self) -> np.ndarray:
        """`factor` for the coefficients of 1, x, x², …, shape (…, k, m); rows of 0 for those
        held.
        """
        if self.shape:
            return self._one_by_one("factor_in_powers", self.factor)
        known = self.refined or self.restricted
        return self.in_powers(self.factor.T if known is None else known.exact_factor)

    def in_powers(self, columns: Iterable[Any]) -> np.ndarray:
        """Of one curve: columns of a root of the covariance of the weights, each of shape (k,), for
        the coefficients of 1, x, x², …, shape (k, columns); rows of 0 for those held.
        """
        exact = [exact_powers(CHEBYSHEV, self.domain, c, self.origin) for c in columns]
        root = np.array([[nearest_float(v) for v in column] for column in exact])
        root = root.reshape(-1, len(self.weights)).T
        root[[power for power, _ in self.constraints.coefficients]] = 0.0
        return root

    def _one_by_one(self, name: str, like: np.ndarray) -> np.ndarray:
        """What each curve of the stack says, in the shape of `like`."""
        out = np.empty_like(like)
        for place in np.ndindex(self.shape):
            out[place] = getattr(self[place], name)
        return out

    # ── in a file ──

    def to_record(self) -> dict[str, Any]:
        """Of one curve: plain lists, numbers and text, without what its triangle tells."""
        return {
            "weights": self.weights.tolist(),
            "rss": self.rss,
            "tss": self.tss,
            "factor": self.factor.tolist(),
            "constraints": self.constraints.to_record(),
            "refined": None if self.refined is None else self.refined.to_record(),
        }

    @classmethod
    def from_record(cls, found: Any, where: str, triangle: Triangle, origin: int = 0) -> Self:
        """The inverse, for the triangle and the origin it was solved with. Raises Misfit."""
        k = triangle.degree + 1
        forms = {
            "weights": schema.array((k,)),
            "rss": schema.number(0.0),
            "tss": schema.number(0.0),
            "factor": schema.anything,
            "constraints": schema.anything,
            "refined": schema.anything,
        }
        values = schema.record(forms)(found, where)
        held = Constraints.from_record(values["constraints"], f"{where}.constraints", k - 1)
        factor = schema.array((k, k - len(held)))(values["factor"], f"{where}.factor")
        refined, restricted = values["refined"], None
        try:
            equations = held.equations(triangle.domain, triangle.degree, origin)
            if held and refined is None:
                restricted = restrict(triangle, equations)
        except PolydescentError as why:
            asked = "that its summary can obey"
            raise Misfit(f"{where}.constraints", asked, str(why)) from None
        if refined is not None:
            refined = Refined.from_record(refined, f"{where}.refined", k, equations)
            nearest = np.array([nearest_float(w) for w in refined.weights])
            same = np.array_equal(nearest, values["weights"])
            schema.check(same, f"{where}.weights", "the nearest to the refined", nearest.tolist())
        known = values | {"factor": factor, "constraints": held, "refined": refined}
        return cls(**known, domain=triangle.domain, origin=origin, restricted=restricted)


def solve(
    triangle: Triangle,
    rows: Rows | None = None,
    constraints: Constraints = NONE,
    origin: int = 0,
) -> Solution:
    """The least squares solution at the triangle's degree.

    rows: all rows of the triangle, to refine it with; None where they are not at hand, or are those
    of a stack. Raises TooFewRows, TooFewDistinct, TooFewFree, OutOfRange, OneCurveOnly.
    """
    if rows is not None and triangle.shape:
        raise OneCurveOnly("Refinement", triangle.shape)
    triangle.check_size()
    found = from_triangle(triangle, constraints, origin)
    if rows is None:
        return found
    x, y, omega = rows_that_count(rows)
    if not refinable(rows.n, triangle.degree, omega):
        return found
    if rows.weights is not None and rows.counts is not None:
        x, y, omega = _with_exact_products(rows)
    equations = ((), ()) if found.restricted is None else found.restricted.equations
    refined = refine(x, y, triangle.domain, found.weights, omega, equations)
    if refined is None:
        return found
    weights = np.array([nearest_float(w) for w in refined.weights])
    return replace(
        found,
        weights=weights,
        rss=refined.rss,
        tss=refined.tss,
        refined=refined,
        restricted=None,
    )


def from_triangle(triangle: Triangle, constraints: Constraints = NONE, origin: int = 0) -> Solution:
    """The same from the triangle alone. Raises as `solve`."""
    if not constraints:
        weights, factor = triangle.solve(), np.linalg.inv(triangle.R)
        rss, tss = number_or_stack(triangle.rss), number_or_stack(triangle.tss)
        return Solution(weights, triangle.domain, rss, tss, factor, origin=origin)
    if triangle.shape:
        raise OneCurveOnly("A constraint", triangle.shape)
    held = restrict(triangle, constraints.equations(triangle.domain, triangle.degree, origin))
    return Solution(
        np.array([nearest_float(w) for w in held.weights]),
        triangle.domain,
        held.rss,
        float(triangle.tss),
        held.factor,
        constraints,
        origin,
        restricted=held,
    )


def rows_that_count(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
    """x, y and weight times count on the host, without the rows of which that is 0."""
    x, y = to_host(rows.x), to_host(rows.y)
    if rows.omega is None:
        return x, y, None
    omega = to_host(rows.omega)
    if omega.all():
        return x, y, omega
    use = omega > 0
    return x[use], y[use], omega[use]


def _with_exact_products(rows: Rows) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The same with each row as up to four, whose weights add up to ω·c without rounding: products
    of 27 and 26 bits, as a repeated row would add up.
    """
    x, y, omega = (to_host(column) for column in (rows.x, rows.y, rows.weights))
    counts = to_host(rows.counts)
    high = (omega.view(np.int64) & ~((1 << _HALF) - 1)).view(np.float64)
    many = counts // 2.0**_HALF * 2.0**_HALF
    parts = [w * c for w in (high, omega - high) for c in (many, counts - many)]
    together = np.concatenate(parts)
    use = together > 0
    return np.tile(x, 4)[use], np.tile(y, 4)[use], together[use]
