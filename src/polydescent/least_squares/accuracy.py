"""How many digits of the curve its rows can carry, and what to say where they are few."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from polydescent.arrays import Array, namespace, quiet, to_host
from polydescent.least_squares.solution import Solution
from polydescent.polynomial.basis import CHEBYSHEV, Domain, design_matrix
from polydescent.rows.axis import Axis
from polydescent.rows.rows import Rows
from polydescent.triangle.triangle import Triangle

_EPS = float(np.finfo(np.float64).eps)
_ALL = -math.log10(_EPS / 2)  # 15.95: what a float64 has
_ENOUGH = 10.0  # digits below which a fit says how many it has
_WILD = 10.0  # times the scatter of y: standard errors of the curve above it are no noise but waves
_SPECK = 1e-3  # of the domain: where the other x all lie, one at its end stands alone
_GLANCE = 64  # rows looked at before all are
_CROWD = 8  # rows at least that make others of it


# ── rounding ──


@dataclass(frozen=True)
class Accuracy:
    """How far a computed curve is from the exact least squares one, estimated.

    error: in units of y, the largest on the domain. digits: correct significant ones of the curve
    where it is largest, 0 to 15.95. noise: the largest standard error of the curve on the domain
    for a residual standard deviation of 1; place: the x where that is, of the domain.
    """

    error: float
    digits: float
    noise: float
    place: float


def accuracy(solution: Solution, triangle: Triangle, weights: np.ndarray | None = None) -> Accuracy:
    """The estimate for a solution of this summary; weights: of a curve beside it, whose distance
    from it is known and adds to the error.

    A refined solution is rounded once. Any other carries two kinds of rounding, as if y had noise:
    that of the triangle's entries, ε·(|R|·|w| + |z|), and that of the rows it is made of, about 4ε
    of a typical V·w and y in each. With S the curve's response to each row of the triangle, N and M
    the lengths of its responses to noise in y, T(u)ᵀ·R⁻¹, and to residuals that rounding in V
    turns, T(u)ᵀ·(VᵀWV)⁻¹, the largest on the domain of

        error ≈ ε·(Σ|w|/2 + |S|·(|R|·|w| + |z|) + 4·(N·(Σ ‖R[:, j]‖·|w[j]| + ‖y‖) + M·‖R‖·√rss)/√n)

    It is an estimate of the size, rather too large than too small: half of all errors are 1/10 of
    it or less, one in a hundred exceeds it.
    """
    u = np.zeros(1) if solution.domain.is_point else _places(len(solution.weights))
    V = design_matrix(CHEBYSHEV, u, len(solution.weights) - 1)
    factor = V @ solution.factor
    spread = np.linalg.norm(factor, axis=1)
    worst = int(spread.argmax())
    noise = float(spread[worst])
    size = float(np.abs(V @ solution.weights).max())
    w = np.abs(solution.weights)
    error = _EPS / 2 * float(w.sum())
    if solution.refined is None:
        R, z = triangle.R, triangle.z
        response = factor @ (solution.factor.T @ R.T) if solution.constraints else factor
        entries = np.abs(response) @ (np.abs(R) @ w + np.abs(z))
        lengths = np.linalg.norm(R, axis=0)
        rows = noise * (lengths @ w + np.linalg.norm(triangle.array[:, -1]))
        turned = np.linalg.norm(factor @ solution.factor.T, axis=1).max()
        rows += turned * np.linalg.norm(lengths) * math.sqrt(solution.rss)
        error += _EPS * float(entries.max() + 4 * rows / math.sqrt(triangle.n))
    if weights is not None:
        size = float(np.abs(V @ weights).max())
        error += float(np.abs(V @ (weights - solution.weights)).max())
    if size < math.inf:
        # of each: their ratio may be below float64
        known = math.log10(size) - math.log10(error) if size and error else _ALL
        digits = min(max(known, 0.0), _ALL)
    else:  # of a descent that diverged
        digits = 0.0
    return Accuracy(
        error, digits, noise, solution.domain.mid + solution.domain.half_width * u[worst]
    )


def _places(k: int) -> np.ndarray:
    """Places in [−1, 1] that miss no wave of k polynomials: dense at the ends, as theirs are."""
    return np.cos(np.linspace(np.pi, 0, 8 * k + 1))


# ── an x far from all others ──


@dataclass(frozen=True)
class Alone:
    """An x at one end of the domain with nothing near it: perhaps a fill value.

    x, first, last: as the user has x, the one and the ends of the others. count, others: rows.
    """

    x: str
    count: int
    others: int
    first: str
    last: str

    def __str__(self) -> str:
        rows = f" (in {self.count:,} rows)" if self.count > 1 else ""
        return (
            f"x = {self.x}{rows} stands alone: the other {self.others:,} lie from {self.first} to "
            f"{self.last}. If it is a fill value, leave it out: where= in files, a mask of arrays, "
            'or NaN with missing="omit".'
        )


def stands_alone(rows: Rows, domain: Domain, axis: Axis) -> Alone | None:
    """The x at one end of the domain, if all others lie within 1/1,000 of it at the other end."""
    with quiet():  # the width of a domain may be infinite
        return _alone(rows, domain, axis)


def _alone(rows: Rows, domain: Domain, axis: Axis) -> Alone | None:
    xp, x = namespace(rows.x), rows.x
    lo, hi = domain.lo, domain.hi
    near = _SPECK * (hi / 2 - lo / 2) * 2
    for end, other in ((hi, lo), (lo, hi)):
        if not _few_between(x[:_GLANCE], end, other, near):
            continue
        counts = True if rows.weights is None else rows.weights != 0
        crowd = (abs(x - other) <= near) & counts
        single = int(xp.count_nonzero((x == end) & counts))
        others = int(xp.count_nonzero(crowd))
        if single and _CROWD <= others == rows.counting - single and single < others:
            values = to_host(x[crowd])
            ends = axis.label(float(values.min())), axis.label(float(values.max()))
            return Alone(axis.label(end), single, others, *ends)
    return None


def _few_between(x: Array, end: float, other: float, near: float) -> bool:
    """Whether no x lies between the ends: most domains need no second look."""
    return not bool(namespace(x).any((abs(x - other) > near) & (x != end)))


# ── in words ──


def cautions(
    found: Accuracy,
    solution: Solution,
    triangle: Triangle,
    axis: Axis,
    rows: Rows | None,
    is_exact: bool,
) -> list[str]:
    """What someone who sees only the equation should know, a sentence or two each, with numbers.

    is_exact: `found` is of least squares; how far a descent still is, its outcome says.
    """
    said = []
    if rows is not None and (alone := stands_alone(rows, triangle.domain, axis)):
        said.append(str(alone))
    if is_exact and solution.refined is None and found.digits < _ENOUGH:
        said.append(
            f"About {found.digits:.0f} digits of this curve are right, its error is some "
            f"{found.error:.1g} in units of y: the x tell its terms apart poorly (condition number "
            f"{np.linalg.cond(triangle.R):.1g}). Use a lower degree, data at more places, or fit "
            "all rows at once from memory, which is refined."
        )
    wild = found.noise * float(triangle.R[0, 0]) / math.sqrt(triangle.n)
    if wild > _WILD:
        said.append(
            f"The rows hardly hold this curve near x = {axis.label(found.place)}: its "
            f"standard error there is {wild:.2g} times the scatter of y. Use a lower degree, or "
            "data there."
        )
    return said
