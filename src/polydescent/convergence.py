"""Forecast: the spectrum of the loss, and what it says about every step before the first."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from polydescent.errors import BadSetting
from polydescent.optimizers import Optimizer

_HOPELESS = 1e13  # condition numbers above it leave gradient descent fewer than three digits
_FURTHEST = 2**62


@dataclass(frozen=True, eq=False)
class Forecast:
    """A descent seen from above: each eigenmode of the Hessian moves alone and its path has a
    closed form.

    With R = U·S·Wᵀ, mode i has curvature λᵢ = 2sᵢ² and holds the excess loss (uᵢ·(R·w₀ − z))² at
    the start. Modes without curvature (rank-deficient data) never move; the lowest loss counts what
    they hold.

    optimizer: with every open setting chosen. curvature: shape (k,), descending, in units of y² per
    unit of weight². directions: shape (k, k), column i is mode i in the descent's coordinates.
    amplitude: shape (k,), the square root of each mode's excess at the start, signed. start: shape
    (k,). rss: the lowest loss of the summary.
    """

    optimizer: Optimizer
    curvature: np.ndarray
    directions: np.ndarray
    amplitude: np.ndarray
    start: np.ndarray
    rss: float

    @classmethod
    def of(
        cls, R: np.ndarray, z: np.ndarray, rss: float, optimizer: Optimizer, start: np.ndarray
    ) -> Forecast:
        """The forecast of `optimizer` on the loss ‖R·w − z‖² + rss from the weights `start`."""
        U, s, Wt = np.linalg.svd(R)
        s = np.where(s > np.finfo(float).eps * len(s) * s[0], s, 0.0)
        curvature = 2 * s * s
        moving = curvature[curvature > 0]
        if moving.size:
            optimizer = optimizer.fastest(float(moving[-1]), float(moving[0]))
        with np.errstate(over="ignore", invalid="ignore"):  # a start of 1e308 is far from all
            amplitude = U.T @ (R @ start - z)
        return cls(optimizer, curvature, Wt.T, amplitude, start, rss)

    # ── before the first step ──

    @property
    def moving(self) -> np.ndarray:
        """Which modes have curvature, shape (k,)."""
        return self.curvature > 0

    @property
    def condition(self) -> float:
        """λ_max / λ_min; inf where some mode has no curvature left above rounding."""
        return float(self.curvature[0] / self.curvature[-1]) if self.moving.all() else math.inf

    @property
    def largest_stable_rate(self) -> float:
        """The learning rate above which this optimizer (at its momentum) diverges; inf for Adam."""
        largest = float(self.curvature[0])
        return self.optimizer.limit(largest) if largest else math.inf

    @property
    def best(self) -> Optimizer:
        """This optimizer with the settings that shrink the slowest mode most per step."""
        moving = self.curvature[self.moving]
        if not moving.size:
            return self.optimizer
        return type(self.optimizer)().fastest(float(moving[-1]), float(moving[0]))

    @property
    def best_rate(self) -> float:
        """The learning rate of `best`."""
        return self.best.learning_rate or math.nan

    @property
    def lowest_loss(self) -> float:
        """The loss that no weights beat."""
        still = self.amplitude[~self.moving]
        return self.rss + float(still @ still)

    @property
    def is_stable(self) -> bool:
        """Whether the learning rate is below the limit."""
        rate = self.optimizer.learning_rate
        return rate is None or rate <= self.largest_stable_rate

    @property
    def is_hopeless(self) -> bool:
        """Whether the coordinates are so badly scaled that no number of steps arrives."""
        return self.condition > _HOPELESS

    # ── any step ──

    def excess_at(self, step: int | np.ndarray) -> float | np.ndarray:
        """Loss above the lowest before update `step`: one number, or one for each of an array of
        steps.
        """
        steps = _checked_steps(step)
        moving = self.moving
        with np.errstate(over="ignore", invalid="ignore"):
            held = self.optimizer.decay(self.curvature[moving], steps) * self.amplitude[moving]
            excess = (held * held).sum(axis=-1)
        return excess if steps.ndim else float(excess)

    def loss_at(self, step: int | np.ndarray) -> float | np.ndarray:
        """The loss before update `step`, as history.loss[step] would hold it, for steps to 10⁹."""
        return self.excess_at(step) + self.lowest_loss

    def weights_at(self, step: int | np.ndarray) -> np.ndarray:
        """Weights before update `step`, in the descent's coordinates, shape (k,) or (steps, k)."""
        steps = _checked_steps(step)
        moving = self.moving
        travelled = self.optimizer.decay(self.curvature[moving], steps) - 1
        reach = self.amplitude[moving] / np.sqrt(self.curvature[moving] / 2)
        with np.errstate(over="ignore", invalid="ignore"):
            return self.start + (travelled * reach) @ self.directions[:, moving].T

    def steps_to(self, excess: float) -> float:
        """The first step at which the loss is within `excess` (relative) of the lowest; inf for
        never.

        Exact for gradient descent and, with momentum, whose loss may ripple, exact for the first
        1,024 steps; beyond them each octave is sampled at 512 places.
        """
        if not excess > 0:
            raise BadSetting("excess", excess, "above 0, relative to the lowest loss (0.01 is 1 %)")
        target = excess * self.lowest_loss
        if self.excess_at(0) <= target:
            return 0
        if not target or not self.is_stable:
            return math.inf
        first = 1
        while first < _FURTHEST:
            octave = np.unique(np.linspace(first, 2 * first, 513).astype(np.int64))
            reached = np.flatnonzero(self.excess_at(octave) <= target)
            if reached.size:
                i = int(reached[0])
                return self._bisect(int(octave[i - 1]) if i else first - 1, int(octave[i]), target)
            first *= 2
        return math.inf

    def _bisect(self, above: int, reached: int, target: float) -> int:
        """The first step at or below the target, between one above it and one that reached it."""
        while reached - above > 1:
            middle = (above + reached) // 2
            if self.excess_at(middle) <= target:
                reached = middle
            else:
                above = middle
        return reached


def _checked_steps(step: int | np.ndarray) -> np.ndarray:
    steps = np.asarray(step)
    if steps.dtype.kind not in "iu" or (steps.size and steps.min() < 0):
        raise BadSetting("step", step, "a whole number from 0, or an array of them")
    return steps.astype(np.int64, copy=False)
