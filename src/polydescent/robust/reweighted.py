"""Least squares again and again, each row weighed by its residual from the curve before.

The fixed point is the M-estimate: Σ ω·ψ(r/s)·v = 0 with s = 1.4826 · median |r| of the same curve.
A pass reads every row once. A sample of the rows is settled first, so that the passes start near
the end, and foretells the median of the next curve, so that a pass need only look at the residuals
about it; what the sample errs by, the pass before has seen. Near the end the steps are extrapolated
(Anderson's mixing), which halves the number of passes.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from polydescent.errors import RowsChanged, ScaleVanishes, TooFewTrusted
from polydescent.least_squares.constraints import NONE, Constraints
from polydescent.least_squares.solution import from_triangle
from polydescent.robust.losses import Loss, described
from polydescent.robust.passes import NO_BRACKET, Answer, Question, Reader, Sample, answer
from polydescent.robust.scale import PER_MEDIAN, median
from polydescent.rows.chunks import InMemory
from polydescent.triangle.triangle import Triangle

SAMPLE = 1 << 14  # rows that are settled first
TRIAL = 1 << 11  # rows that choose among starts
_BETTER = 0.99  # of the median residual of another start: less than that is worth a change
_PASSES = 200
_PATIENT = 100  # passes after which a scale that will not settle is held
_SETTLED = 1e-13  # of the scale: what the next pass may move the curve
_EPS = float(np.finfo(np.float64).eps)
_NEAR = 0.3  # of the scale: steps smaller than this are extrapolated
_DEEP = 5  # steps that an extrapolation looks back on
_SMALLEST = 1e-140
_CLOSE = 0.01  # of the scale: nearer than that, the sample no longer tells it better
_LOST = 1000.0  # widenings after which a bracket begins anew
_SURE = 8.0  # standard errors of a median that the first bracket reaches


@dataclass(frozen=True, eq=False)
class Settled:
    """Where the passes came to rest.

    Attributes
    ----------
    triangle
        Of the rows as they were weighed last, at the base's domain and n.
    curve
        Chebyshev weights, shape (k,): the least squares solution of the triangle.
    scale
        In units of y (of one row of weight 1).
    discounted
        Rows that count less than half.
    passes
        How often all rows were read.
    spread
        What the factor of the unweighted rows is multiplied by to give that of the covariance, in
        units of y; NaN where nothing is left to tell.
    """

    triangle: Triangle
    curve: np.ndarray
    scale: float
    discounted: int
    passes: int
    spread: float


def settle(
    reader: Reader,
    base: Triangle,
    loss: Loss,
    sample: Sample,
    start: np.ndarray,
    held: Constraints = NONE,
    origin: int = 0,
    known: float | None = None,
) -> Settled:
    """The curve that no further pass moves.

    base: of all rows with their own weights. start: Chebyshev weights on its domain. known: the
    scale, where it is. Raises ScaleVanishes where half of the rows lie on one curve, TooFewTrusted
    where too few are near it, RowsChanged where the rows change from pass to pass.
    """
    if not sample.is_all:
        start = _tried(sample, base, loss, start, held, origin, known)
    return _State(reader, base, loss, sample, held, origin, known).run(start)


def best_start(
    sample: Sample,
    base: Triangle,
    loss: Loss,
    starts: Iterable[np.ndarray],
    held: Constraints = NONE,
    origin: int = 0,
    known: float | None = None,
) -> np.ndarray:
    """Of the curves that the passes over a sample lead to, the one with the least median
    |residual|: of a loss with many minima, the one that most rows are near. Arguments as in
    `settle`.
    """
    best, least = None, math.inf
    for start in starts:
        try:
            curve = _tried(sample, base, loss, start, held, origin, known)
        except TooFewTrusted:
            continue
        middle = median(sample.distances(curve, base.domain), sample.rows.counts)
        if best is None or middle < _BETTER * least:
            best, least = curve, middle
    if best is None:
        raise TooFewTrusted(described(loss), base.degree, base.n)
    return best


def _tried(
    sample: Sample,
    base: Triangle,
    loss: Loss,
    start: np.ndarray,
    held: Constraints,
    origin: int,
    known: float | None,
) -> np.ndarray:
    """The curve that passes over a sample alone lead to."""
    few = Reader(InMemory(sample.rows), sample.rows.axis)
    part = Triangle(base.array, base.domain, sample.rows.counting)
    whole = Sample(sample.rows, True)
    return _State(few, part, loss, whole, held, origin, known, is_trial=True).run(start).curve


@dataclass(eq=False)
class _State:
    """The passes of one fit: what is fixed, and what they have learned."""

    reader: Reader
    base: Triangle
    loss: Loss
    sample: Sample
    held: Constraints
    origin: int
    known: float | None
    is_trial: bool = False  # of a sample: what cannot be told from it, all rows will say
    ratio: float = 1.0  # of the median of all rows to that of the sample
    sure: bool = False  # whether a pass has measured it
    last: tuple[np.ndarray, float, float] | None = None  # a curve, the middle |residuals| about it
    is_fast: bool = True
    passes: int = 0
    scales: list[float] = field(default_factory=list)

    def run(self, curve: np.ndarray) -> Settled:
        """Passes until one moves nothing."""
        mixing, scale, widening = _Mixing(), self._guess(curve), 1.0
        while True:
            if self.passes == _PATIENT and self.known is None:
                scale = self.known = float(np.median(self.scales[-_PATIENT // 2 :]))
                mixing = _Mixing()
            rounding = _EPS * self._size(curve)
            if self.known is None and scale <= 4 * rounding * PER_MEDIAN:
                return self._flat(curve, scale, max(64 * rounding, _SMALLEST))
            found = self._ask(curve, scale, self._bracket(curve, widening))
            exact = self._measured(found, curve, scale)
            if exact is None:  # the bracket missed the median: a wider one, on the same curve
                widening *= 16
                continue
            folded, widening = found.folded(), 1.0
            if folded is None:
                self.is_fast = False
                continue
            self.scales.append(exact)
            step, triangle = self._solved(folded, curve)
            moved, drift = float(np.abs(step).sum()), exact - scale
            least = _SETTLED * scale + 8 * _EPS * float(np.abs(curve).sum())
            if (moved <= least and abs(drift) <= 10 * least) or self.passes >= _PASSES:
                return self._settled(triangle, curve + step, scale, found)
            is_near = moved < _NEAR * scale and (abs(drift) < _CLOSE * scale or not self.sure)
            here = np.append(curve, scale)
            there = mixing.next(here, np.append(step, drift), is_near)
            curve = there[:-1]
            scale = self._guess(curve) if not (self.sure and is_near) else float(there[-1])

    def _guess(self, curve: np.ndarray) -> float:
        """The scale about a curve, as far as the sample tells."""
        if self.known is not None:
            return self.known
        distances = self.sample.distances(curve, self.base.domain)
        return PER_MEDIAN * self.ratio * median(distances, self.sample.rows.counts)

    def _bracket(self, curve: np.ndarray, widening: float) -> tuple[float, float]:
        """Where the median of |residual| about a curve lies."""
        if self.known is not None or self.sample.is_all:
            return NO_BRACKET
        first = second = self._guess(curve) / PER_MEDIAN
        reach = _SURE * 1.2 / math.sqrt(self.sample.rows.n) * first
        if self.last is not None and widening < _LOST:
            # of rows of equal weight, it moves no farther than the curve does anywhere
            before, *middle = self.last
            apart = float(np.abs(curve - before).sum()) + 4 * _EPS * float(np.abs(curve).sum())
            if apart < reach:
                (first, second), reach = middle, apart
        return max(first - widening * reach, 0.0), second + widening * reach

    def _measured(self, found: Answer, curve: np.ndarray, scale: float) -> float | None:
        """The exact scale about the curve; None where the bracket missed it."""
        if self.known is not None or self.sample.is_all:
            return scale
        middle = found.within.middle(self.base.n)
        if middle is None:
            return None
        exact = middle[0] / 2 + middle[1] / 2
        self.ratio *= PER_MEDIAN * exact / self._guess(curve)
        self.sure, self.last = True, (curve, *middle)
        return PER_MEDIAN * exact

    def _size(self, curve: np.ndarray) -> float:
        """Of a typical √ω·y and √ω·f(x): what residuals that are rounding are rounding of."""
        rows = self.sample.rows
        root = np.ones(rows.n) if rows.weights is None else np.sqrt(rows.weights)
        typical = float(np.median(root)) * float(np.abs(curve).max())
        return max(median(np.abs(rows.y) * root, rows.counts), typical)

    def _flat(self, curve: np.ndarray, scale: float, rounding: float) -> Settled:
        """The end where half of the rows lie on the curve: of all of them, least squares; else
        there is none.
        """
        if self.is_trial:
            return Settled(self.base, curve, scale, 0, self.passes, math.nan)
        off = int(self._ask(curve, rounding, NO_BRACKET).tallies[1])
        if off:
            raise ScaleVanishes(described(self.loss), self.base.n - off, self.base.n)
        solution = from_triangle(self.base, self.held, self.origin)
        freedom = self.base.n - solution.free
        spread = math.sqrt(solution.rss / freedom) if freedom > 0 else math.nan
        return Settled(self.base, solution.weights, scale, 0, self.passes, spread)

    def _ask(self, curve: np.ndarray, scale: float, bracket: tuple[float, float]) -> Answer:
        self.passes += 1
        question = Question(self.loss, curve, self.base.domain, scale, bracket, self.is_fast)
        found = self.reader.each(partial(answer, question=question))
        if found.n != self.base.n:
            raise RowsChanged(self.base.n, found.n)
        return found

    def _solved(self, folded: np.ndarray, curve: np.ndarray) -> tuple[np.ndarray, Triangle]:
        """The step from the curve to least squares, and the triangle of the weighed rows."""
        array = folded.copy()
        array[:-1, -1] += array[:-1, :-1] @ curve
        triangle = Triangle(array, self.base.domain, self.base.n, self.base.log_weights)
        if not triangle.has_full_rank:
            raise TooFewTrusted(described(self.loss), self.base.degree, self.base.n)
        if self.held:
            return from_triangle(triangle, self.held, self.origin).weights - curve, triangle
        return np.linalg.solve(folded[:-1, :-1], folded[:-1, -1]), triangle

    def _settled(
        self, triangle: Triangle, curve: np.ndarray, scale: float, found: Answer
    ) -> Settled:
        n, free = found.n, len(curve) - len(self.held)
        _, doubtful, pulls, slopes, squares, _ = found.tallies
        mean = slopes / n
        spread = math.nan
        if n > free and mean > 0:
            correction = 1 + free / n * (squares / n - mean**2) / mean**2
            spread = correction * scale * math.sqrt(pulls / (n - free)) / mean
        return Settled(triangle, curve, scale, int(doubtful), self.passes, spread)


class _Mixing:
    """Anderson's mixing: the combination of the last steps that would have been the shortest."""

    def __init__(self) -> None:
        self._curves: list[np.ndarray] = []
        self._steps: list[np.ndarray] = []

    def next(self, curve: np.ndarray, step: np.ndarray, is_near: bool) -> np.ndarray:
        """The curve to try after one that a pass moved by `step`."""
        longer = bool(self._steps) and np.abs(step).sum() > 2 * np.abs(self._steps[-1]).sum()
        if not is_near or longer:
            self._curves, self._steps = [], []
        self._curves = [*self._curves[-_DEEP:], curve]
        self._steps = [*self._steps[-_DEEP:], step]
        if not is_near or len(self._steps) < 2:
            return curve + step
        curves, steps = np.diff(self._curves, axis=0).T, np.diff(self._steps, axis=0).T
        share = np.linalg.lstsq(steps, step, rcond=1e-10)[0]
        return curve + step - (curves + steps) @ share
