"""What is known of many curves beforehand: held for all alike, or for each its own values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from polydescent.arrays import is_array, to_host
from polydescent.errors import BadSetting
from polydescent.least_squares.constraints import Constraints, Known
from polydescent.least_squares.stacks import back_substituted, inverse
from polydescent.polynomial.basis import CHEBYSHEV, Domain, design_matrix
from polydescent.polynomial.stack import powers_matrix
from polydescent.regression.problem import Problem
from polydescent.rows.axis import Axis
from polydescent.triangle.triangle import Triangle, determines

_CLEAR = 1e-6  # pivots above it lose few enough digits; exact equations for others


@dataclass(frozen=True, eq=False)
class KnownOfEach:
    """fix=, terms= and through= of many curves: numbers for all, or arrays of shape (…)."""

    fix: Any = None
    terms: Any = None
    through: Any = None

    def __bool__(self) -> bool:
        return not (self.fix is None and self.terms is None and self.through is None)

    @property
    def is_shared(self) -> bool:
        """Whether all curves hold the same."""
        values = [*self._fixed().values(), *(v for pair in self._pairs() for v in pair)]
        return not any(_is_stack(value) for value in values)

    def at(self, place: Any) -> Known:
        """What is known of one curve."""
        fix = self.fix
        if isinstance(fix, Mapping):
            fix = {power: _one(value, place) for power, value in fix.items()}
        through = self.through
        if through is not None and not self.is_shared:
            through = [tuple(_one(v, place) for v in pair) for pair in self._pairs()]
        return Known(fix, self.terms, through)

    def some(self, place: Any) -> KnownOfEach:
        """What is known of some of them, by position."""
        if self.is_shared:
            return self

        def chosen(value: Any) -> Any:
            return value[place] if _is_stack(value) else value

        fix = {power: chosen(value) for power, value in self._fixed().items()} or None
        through = [tuple(map(chosen, pair)) for pair in self._pairs()] or None
        return KnownOfEach(fix, self.terms, through)

    def first(self) -> Known:
        """What is known of the first of them."""
        return self.at(None)

    def check(self, shape: tuple[int, ...]) -> None:
        """Raise BadSetting for values of another shape than the curves, or that are not finite."""
        named = [("fix", v) for v in self._fixed().values()]
        named += [("through", v) for pair in self._pairs() for v in pair]
        for name, value in named:
            if not _is_stack(value):
                continue
            host = np.asarray(value) if not is_array(value) else value
            if tuple(host.shape) != shape:
                wanted = f"numbers, or arrays of the shape of the curves, {shape}"
                raise BadSetting(name, f"shape {tuple(host.shape)}", wanted)
            kind = getattr(host.dtype, "kind", "f")
            if kind in "mM" or not np.isfinite(to_host(host)).all():
                raise BadSetting(name, value, "finite numbers where they differ between curves")

    def _fixed(self) -> Mapping[Any, Any]:
        return self.fix if isinstance(self.fix, Mapping) else {}

    def _pairs(self) -> list[tuple[Any, Any]]:
        """The points, as the user has them; none where that is no list of points."""
        try:
            flat = [] if self.through is None else list(self.through)
            single = len(flat) == 2 and not any(isinstance(v, list | tuple) for v in flat)
            return [tuple(p) for p in ([flat] if single else flat) if len(tuple(p)) == 2]  # type: ignore[misc]
        except TypeError:
            return []

    def values(self, held: Constraints, shape: tuple[int, ...]) -> np.ndarray:
        """What the equations of each curve are equal to, shape (…, equations): the coefficients
        held, then the points.
        """
        fixed = [self._fixed().get(power, value) for power, value in held.fixed]
        pairs = self._pairs()
        y = [pair[1] for pair in pairs]
        found = [np.broadcast_to(_host(v), shape) for v in (*fixed, *y)]
        return np.stack(found, axis=-1) if found else np.zeros((*shape, 0))

    def places(self, held: Constraints, shape: tuple[int, ...], axis: Axis) -> np.ndarray:
        """Where the points lie, as x of the domains, shape (…, points)."""
        pairs = self._pairs()
        if not pairs:
            return np.zeros((*shape, 0))
        own = [
            _host(pair[0]) - float(axis.power_origin) if _is_stack(pair[0]) else np.asarray(x)
            for pair, x in zip(pairs, _shared_places(held, axis), strict=True)
        ]
        return np.stack([np.broadcast_to(x, shape) for x in own], axis=-1)


NOTHING = KnownOfEach()


def _shared_places(held: Constraints, axis: Axis) -> list[float]:
    """The x of points that all share, on the axis: whole origins are subtracted exactly."""
    return [float(x - axis.power_origin) for x, _ in held.through]


def _is_stack(value: Any) -> bool:
    return bool(np.ndim(value)) if not is_array(value) else len(value.shape) > 0


def _host(value: Any) -> np.ndarray:
    return to_host(value) if is_array(value) else np.asarray(value, dtype=np.float64)


def _one(value: Any, place: Any) -> Any:
    if not _is_stack(value):
        return value
    host = _host(value)
    return float(host.ravel()[0]) if place is None else float(host[place])


def problem_of(
    degree: Any, known: KnownOfEach, largest: int | None = None, **others: Any
) -> Problem:
    """Which curves are wanted, of all of them: see `Problem.parse`."""
    try:
        first = known.first()
    except (TypeError, ValueError, IndexError):
        first = Known(known.fix, known.terms, known.through)
    return Problem.parse(degree, largest, **vars(first), **others)


@dataclass(frozen=True, eq=False)
class RestrictedEach:
    """Least squares of each curve among the weights that obey its equations.

    weights: (…, k). factor: (…, k, f), of f free directions. rss: (…,). full: (…,), whether its
    rows determine the free ones.
    """

    weights: np.ndarray
    factor: np.ndarray
    rss: np.ndarray
    full: np.ndarray


def restrict_each(
    triangle: Triangle, held: Constraints, places: np.ndarray, values: np.ndarray, origin: int
) -> RestrictedEach:
    """The best weights of each curve of a stack of shape (m,) with B·w = b.

    held: of all, which powers are fixed and how many points there are. places: (m, points), where
    they lie. values: (m, equations), what the fixed coefficients and the points are.
    """
    k, fixed = triangle.degree + 1, [power for power, _ in held.fixed]
    B, b, clear = _equations(triangle.domain, k - 1, fixed, places, values, origin)
    B, b, pivots, clear = _solved(B, b, clear)
    for i in np.flatnonzero(~clear & (triangle.n > 0)):
        own = Constraints(
            tuple(zip(fixed, values[i].tolist(), strict=False)),
            tuple(
                (x + origin, y)
                for x, y in zip(places[i].tolist(), values[i, len(fixed) :].tolist(), strict=True)
            ),
        )
        domain = Domain(float(triangle.domain.lo[i]), float(triangle.domain.hi[i]))
        rows, right = own.equations(domain, k - 1, origin)
        B[i] = [[float(v) for v in row] for row in rows]
        b[i] = [float(v) for v in right]
        pivots[i] = [next(j for j, v in enumerate(row) if v == 1) for row in rows]
    return _least_squares(triangle, B, b, pivots)


def _equations(
    domain: Domain,
    degree: int,
    fixed: list[int],
    places: np.ndarray,
    values: np.ndarray,
    origin: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(B, b) for Chebyshev weights, each row scaled to a largest entry of 1, and which are fine."""
    with np.errstate(all="ignore"):
        mid, half = domain.mid, domain.half_width
        rows = [powers_matrix(domain, degree, origin)[:, power, :] for power in fixed]
        for p in range(places.shape[-1]):
            rows.append(design_matrix(CHEBYSHEV, (places[:, p] - mid) / half, degree))
        B = np.stack(rows, axis=1)
        largest = np.abs(B).max(axis=-1, keepdims=True)
        B, b = B / largest, values / largest[..., 0]
        fine = np.isfinite(B).all(axis=(-1, -2)) & np.isfinite(b).all(axis=-1)
    B[~fine], b[~fine] = 0.0, 0.0
    return B, b, fine


def _solved(
    B: np.ndarray, b: np.ndarray, fine: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Gauss and Jordan's elimination with complete pivoting, of all curves at once: (B, b, pivots),
    with B[i, pivots[i]] the identity, and which had clear pivots.
    """
    m, count, k = B.shape
    A = np.concatenate([B, b[..., None]], axis=-1)
    pivots = np.zeros((m, count), dtype=np.int64)
    each = np.arange(m)
    for step in range(count):
        size = np.abs(A[:, step:, :k]).reshape(m, -1)
        best = size.argmax(axis=-1)
        row, column = step + best // k, best % k
        fine = fine & (size[each, best] > _CLEAR)
        A[each, step], A[each, row] = A[each, row].copy(), A[each, step].copy()
        pivots[:, step] = column
        pivot = np.where(fine, A[each, step, column], 1.0)
        A[:, step] = A[:, step] / pivot[:, None]
        factors = A[each, :, column].copy()
        factors[:, step] = 0.0
        A = A - factors[..., None] * A[:, step, None, :]
    return A[..., :k].copy(), A[..., k].copy(), pivots, fine


def _least_squares(
    triangle: Triangle, B: np.ndarray, b: np.ndarray, pivots: np.ndarray
) -> RestrictedEach:
    """With w = w₀ + N·v, the v that minimize ‖R·N·v − (z − R·w₀)‖."""
    m, count, k = B.shape
    is_free = np.ones((m, k), dtype=bool)
    np.put_along_axis(is_free, pivots, False, axis=-1)
    free = np.argsort(~is_free, axis=-1, kind="stable")[:, : k - count]
    start = np.zeros((m, k))
    np.put_along_axis(start, pivots, b, axis=-1)
    N = np.zeros((m, k, k - count))
    each = np.arange(m)[:, None]
    N[each, free, np.arange(k - count)] = 1.0
    coupled = -np.take_along_axis(B, free[:, None, :], axis=-1)  # (m, count, k − count)
    for i in range(count):
        N[each[:, 0], pivots[:, i]] = coupled[:, i]
    R, z = triangle.R, triangle.z
    left = z - (R @ start[..., None])[..., 0]
    both = np.concatenate([R @ N, left[..., None]], axis=-1)
    found: Any = np.linalg.qr(both, mode="r")
    f = k - count
    upper, right = found[:, :f, :f], found[:, :f, f]
    full = determines(upper) if f else np.ones(m, dtype=bool)
    with np.errstate(all="ignore"):
        v = back_substituted(upper, right)
        weights = start + (N @ v[..., None])[..., 0]
        factor = N @ inverse(upper)
    return RestrictedEach(weights, factor, triangle.rss + found[:, f, f] ** 2, full)
