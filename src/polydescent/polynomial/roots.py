"""Where a polynomial is 0, by halving intervals in whole numbers: none is missed, none made up.

On an interval a polynomial lies between the least and the greatest of its control points (its
coefficients in Bernstein's basis), which follow to each half of the interval by averaging. So an
interval is done with when its control points say that the curve is not 0 in it; or that it runs
steadily through 0, once at most; or that it stays within `rounding` of 0, where nobody can tell how
many roots there are: a root of order 2 or more, at the place where its neighbors would meet.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import comb

from polydescent.polynomial.basis import CHEBYSHEV, Domain
from polydescent.polynomial.curve import exact_powers

_INSIDE = Domain(2.0**-41, 1 - 2.0**-41)  # where [−1, 1] lies in [0, 1]: roots at its ends count
_EDGE = 1 / (1 - Fraction(1, 2**40))  # |u| up to which a root is inside
_BITS = 96  # of a root's place in its interval, and of control points below `rounding`
_SLACK = 1 << 48  # far above what averaging rounds: no piece stays between within and beyond
_STEADY = 4  # a slope that varies by less is steady: Newton's method arrives


@dataclass(frozen=True)
class Zero:
    """A root u of a curve, exact but for 2⁻⁹⁶ of the interval it was looked for in.

    order: how many roots lie there, closer than rounding can tell apart. crosses: +1 where the
    curve goes from below 0 to above, −1 from above to below, 0 where it only touches 0.
    """

    u: Fraction
    order: int
    crosses: int


@dataclass(frozen=True)
class _Piece:
    """The curve on [start, start + width] of [0, 1] by its control points, with those of what
    rounding may add.
    """

    start: Fraction
    width: Fraction
    curve: list[int]
    rounding: list[int]

    @property
    def end(self) -> Fraction:
        return self.start + self.width

    def halves(self) -> tuple[_Piece, _Piece]:
        width = self.width / 2
        left, right = _halved(self.curve)
        flat = self.rounding.count(self.rounding[0]) == len(self.rounding)
        less, more = (self.rounding, self.rounding) if flat else _halved(self.rounding)
        return (
            _Piece(self.start, width, left, less),
            _Piece(self.start + width, width, right, more),
        )

    @property
    def is_beyond(self) -> bool:
        """Whether the curve is above what rounding may add in all of the piece, or below it."""
        pairs = list(zip(self.curve, self.rounding, strict=True))
        return all(c > r for c, r in pairs) or all(c < -r for c, r in pairs)

    @property
    def is_within(self) -> bool:
        """Whether rounding may make the curve 0 anywhere in the piece."""
        pairs = zip(self.curve, self.rounding, strict=True)
        return all(abs(c) <= r + _SLACK for c, r in pairs)


def real_zeros(
    weights: Sequence[float | Fraction],
    rounding: Fraction,
    everywhere: bool = False,
) -> list[Zero]:
    """The real roots of Σ weights[k]·T_k(u), ascending: in [−1, 1], or on all of the line.

    rounding: above 0, what each weight may be off by. A curve that is within it of 0 all over, or
    that it may send to infinity, has no root there.
    """
    if not any(weights):
        return []
    inside = exact_powers(CHEBYSHEV, _INSIDE, weights)
    doubt = [rounding * len(weights)] + [Fraction(0)] * (len(weights) - 1)
    mid, half = Fraction(_INSIDE.mid), Fraction(_INSIDE.half_width)
    found = [
        Zero((zero.u - mid) / half, zero.order, zero.crosses) for zero in _zeros(inside, doubt)
    ]
    if not everywhere:
        return found
    # beyond, u = ±_EDGE/v with v in (0, 1]: the coefficients the other way round
    unit = Domain(-1.0, 1.0)
    far = exact_powers(CHEBYSHEV, unit, weights)
    doubt = exact_powers(CHEBYSHEV, unit, [rounding] * len(weights))
    below = [c * (-1) ** j for j, c in enumerate(far)]
    sides = [(_outward(side), _outward(doubt)) for side in (below, far)]
    left, right = (_zeros(c, d, closed=False) for c, d in sides)
    return [
        *(Zero(-_EDGE / z.u, z.order, z.crosses) for z in left),
        *found,
        *(Zero(_EDGE / z.u, z.order, -z.crosses) for z in reversed(right)),
    ]


def _outward(powers: list[Fraction]) -> list[Fraction]:
    """Coefficients of v^d·f(_EDGE/v) for f with `powers`."""
    return [c * _EDGE**j for j, c in enumerate(powers)][::-1]


def _zeros(powers: list[Fraction], rounding: list[Fraction], closed: bool = True) -> list[Zero]:
    """The roots in [0, 1] of a curve, ascending; both by their coefficients of 1, v, v², …

    closed: with a root at 0 and those that rounding spreads over 0 or 1.
    """
    degree = len(powers) - 1
    unit = max(map(abs, rounding)) / (1 << (_BITS + 2 * degree))
    whole = _Piece(Fraction(0), Fraction(1), _control(powers, unit), _control(rounding, unit))
    found: list[Zero] = []
    for run in _runs(whole):
        flat = [piece for piece in run if piece.is_within]
        zeros = [_steady_zero(piece) for piece in run if not piece.is_within]
        if not flat:
            found += [zero for zero in zeros if zero.u or closed]
            continue
        start = min([flat[0].start, *(zero.u for zero in zeros)])
        end = max([flat[-1].end, *(zero.u for zero in zeros)])
        if end - start < 1 and (closed or (start > 0 and end < 1)):
            found += _cluster(whole, start, end)
    return [zero for i, zero in enumerate(found) if not i or zero.u != found[i - 1].u]


def _runs(whole: _Piece) -> Iterator[list[_Piece]]:
    """Neighboring pieces in which the curve is 0: steadily, or to rounding all over."""
    left, run = [whole], list[_Piece]()
    while left:
        piece = left.pop()
        if piece.is_within or (_is_steady(piece.curve) and _changes_sign(piece.curve)):
            run.append(piece)
        elif piece.is_beyond or _is_steady(piece.curve):
            if run:
                yield run
            run = []
        else:
            left += reversed(piece.halves())
    if run:
        yield run


def _steady_zero(piece: _Piece) -> Zero:
    place = piece.start + piece.width * _crossing(piece.curve)
    return Zero(place, 1, 1 if piece.curve[-1] > piece.curve[0] else -1)


def _cluster(whole: _Piece, start: Fraction, end: Fraction) -> list[Zero]:
    """The root that several make between start and end.

    Of order m where the m-th derivative is the first that is steady there, in the root of the one
    before: it moves no more than a simple root does when coefficients are rounded.
    """
    differences = _restricted(whole.curve, start, end)
    for order in range(1, len(whole.curve)):
        before, differences = differences, _differences(differences)
        if _keep_size(differences):
            place = start + (end - start) * _crossing(before)
            return [Zero(place, order, 0 if order % 2 == 0 else 1 if differences[0] > 0 else -1)]
    return []


# ── control points ──


def _control(powers: list[Fraction], unit: Fraction) -> list[int]:
    """Control points on [0, 1] in units: b[i] = Σ C(i, j)/C(d, j)·powers[j]."""
    degree = len(powers) - 1
    row = [round(c / comb(degree, j) / unit) for j, c in enumerate(powers)]  # b[0], Δb[0], Δ²b[0] …
    found = [row[0]]
    for _ in range(degree):
        row = [a + b for a, b in pairwise(row)]
        found.append(row[0])
    return found


def _halved(points: list[int]) -> tuple[list[int], list[int]]:
    """The control points of both halves (de Casteljau 1959)."""
    left, right = [points[0]], [points[-1]]
    while len(points) > 1:
        points = [(a + b) >> 1 for a, b in pairwise(points)]
        left.append(points[0])
        right.append(points[-1])
    return left, right[::-1]


def _restricted(points: list[int], start: Fraction, end: Fraction) -> list[int]:
    """The control points on [start, end], in units 2⁻⁹⁶ as large."""
    points = [p << _BITS for p in points]
    right = _split(points, end)[0]
    return _split(right, start / end)[1]


def _split(points: list[int], at: Fraction) -> tuple[list[int], list[int]]:
    left, right = [points[0]], [points[-1]]
    above, below = at.as_integer_ratio()
    while len(points) > 1:
        points = [a + (b - a) * above // below for a, b in pairwise(points)]
        left.append(points[0])
        right.append(points[-1])
    return left, right[::-1]


def _differences(points: list[int]) -> list[int]:
    return [b - a for a, b in pairwise(points)]


def _changes_sign(points: list[int]) -> bool:
    return min(points[0], points[-1]) <= 0 <= max(points[0], points[-1])


def _keep_size(points: list[int]) -> bool:
    """Whether all are of one sign and about one size."""
    least, greatest = min(points), max(points)
    if least < 0:
        least, greatest = -greatest, -least
    return 0 < greatest <= _STEADY * least


def _is_steady(points: list[int]) -> bool:
    """Whether the slope of the curve keeps its sign and about its size."""
    return len(points) > 1 and _keep_size(_differences(points))


def _crossing(points: list[int]) -> Fraction:
    """Where in [0, 1] a steady curve is 0, by Newton's method; the nearer end where it is not."""
    first, last = points[0], points[-1]
    if not _changes_sign(points):
        return Fraction(abs(last) < abs(first))
    rising = last > first
    degree, taylor = len(points) - 1, []
    for j in range(degree + 1):
        taylor.append(comb(degree, j) * points[0])
        points = _differences(points)
    low, high = 0, 1 << _BITS
    place = (abs(first) << _BITS) // (abs(first) + abs(last))
    while high - low > 1:
        value, slope = taylor[-1], 0
        for c in taylor[-2::-1]:
            slope = value + (slope * place >> _BITS)
            value = c + (value * place >> _BITS)
        if not value:
            break
        low, high = (low, place) if (value > 0) == rising else (place, high)
        following = place - (value << _BITS) // slope if slope else -1
        if following == place:
            break
        place = following if low < following < high else (low + high) // 2
    return Fraction(place, 1 << _BITS)
