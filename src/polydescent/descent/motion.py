"""Modes of a loss under momentum: damped oscillators, in closed form and step by step.

Every eigenmode moves alone. With q = ηλ, s = 1 − β + pull and an error e[0] at the start,

    e[1] = (1 − pull)·e[0],    e[t+1] = (2 − s)·e[t] − (1 − s + q)·e[t−1]

where pull is q for heavy ball, (1 + β)·q for Nesterov and, with β = 0, q for plain descent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

_SURE = 8 * np.finfo(float).eps  # of an angle in half turns: zeros this near an end count


@dataclass(frozen=True, eq=False)
class Motion:
    """The paths of some modes by their roots r of r² − (2 − s)·r + 1 − s + q.

    The roots are found as 1 − δ, since slow modes have δ near 0; near a double root (critical
    damping, the fastest setting) their ratio is used. Without momentum one root is 1 − q, the other
    0. q, pull: shape (…, modes) for a stack …; beta: a number, or shape (…, 1).
    """

    q: np.ndarray
    pull: np.ndarray
    beta: Any

    def left(self, steps: np.ndarray) -> np.ndarray:
        """The share of each mode's initial error left after `steps`, shape (*steps, …, modes)."""
        t = self._beside(steps)
        if not np.any(self.beta):
            return _power_of_rest(self.q, t)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            creeping = _power_of_rest(self._slow, t) * self._share(t)
            swinging = np.exp(t * np.log(self._squared) / 2) * self._swing(t)
        swinging = np.where((self._mean < 0) & (t % 2 == 1), -swinging, swinging)
        begun = np.where(t == 0, 1.0, 1 - self.pull)
        return np.where(t <= 1, begun, np.where(self._creeps, creeping, swinging))

    def least(self, first: np.ndarray, last: np.ndarray) -> np.ndarray:
        """Bounds below |left| in all steps from `first` to `last`, shape (intervals, …, modes),
        of modes that do not grow.

        A mode is the larger root to the power t, times a factor that for two real roots of one sign
        runs one way, for roots of two signs alternates about a constant, and for complex ones is a
        cosine: of all three the least over an interval is known from its ends.
        """
        a, b = self._beside(first), self._beside(last)
        if not np.any(self.beta):
            return np.abs(_power_of_rest(self.q, b))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            begin, end = self._share(a), self._share(b)
            creeping = np.where(begin * end > 0, np.minimum(np.abs(begin), np.abs(end)), 0.0)
            most = np.abs(_power_of_rest(self._gap, a))
            lean = self._sign * self._lean / self._apart
            alternating = np.maximum(np.abs(0.5 + lean) - np.abs(0.5 - lean) * most, 0.0)
            creeping = np.where(self._gap < 1, creeping, alternating)
            creeping = np.where(self._slow == 1, 0.0, creeping)
            swinging = np.minimum(np.abs(self._swing(a)), np.abs(self._swing(b)))
            swinging = np.where(self._turns(a, -1) < self._turns(b, 1), 0.0, swinging)
            swinging = swinging * np.exp(b * np.log(self._squared) / 2)
            return np.where(
                self._creeps, np.abs(_power_of_rest(self._slow, b)) * creeping, swinging
            )

    def course(self, steps: int) -> tuple[np.ndarray, np.ndarray]:
        """(from_this, from_next), each of shape (steps, …, modes): an error e[t] followed by e[t+1]
        becomes from_this[j]·e[t] + from_next[j]·e[t+1] after j steps.
        """
        out = np.zeros((2, max(steps, 2), *self.q.shape))
        out[0, 0] = out[1, 1] = 1.0
        for j in range(2, steps):
            out[:, j] = (2 - self._s) * out[:, j - 1] - (1 - self._s + self.q) * out[:, j - 2]
        return out[0, :steps], out[1, :steps]

    def _beside(self, steps: np.ndarray) -> np.ndarray:
        """Steps that broadcast against the modes, their own axes first."""
        return steps.reshape(*steps.shape, *(1 for _ in self.q.shape))

    # ── the roots ──

    @cached_property
    def _s(self) -> np.ndarray:
        return 1 - self.beta + self.pull

    @cached_property
    def _lean(self) -> np.ndarray:
        """First entry of the map of (error, velocity) minus the mean of the roots."""
        return (1 - self.beta - self.pull) / 2

    @cached_property
    def _spread(self) -> np.ndarray:
        """Squared distance of the roots."""
        return self._s * self._s - 4 * self.q

    @cached_property
    def _creeps(self) -> np.ndarray:
        return self._spread >= 0

    # ── two real roots ──

    @cached_property
    def _apart(self) -> np.ndarray:
        return np.sqrt(np.maximum(self._spread, 0.0))

    @cached_property
    def _sign(self) -> np.ndarray:
        return np.where(self._s <= 2, 1.0, -1.0)

    @cached_property
    def _slow(self) -> np.ndarray:
        """1 − the root that is larger in size."""
        far = (self._s + self._apart) / 2
        with np.errstate(divide="ignore", invalid="ignore"):
            near = np.where(far > 0, self.q / far, 0.0)  # δ₁·δ₂ = q: no cancellation
        return np.where(self._s <= 2, near, far)

    @cached_property
    def _gap(self) -> np.ndarray:
        """The other root is (1 − slow)·(1 − gap); where both are 0, nothing is left and any gap
        will do.
        """
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratio = np.clip(self._sign * self._apart / (1 - self._slow), 0.0, 2.0)
        return np.where(self._slow == 1, 1.0, ratio)

    def _share(self, t: np.ndarray) -> np.ndarray:
        """What is left after t steps, over the larger root to the power t."""
        left = _power_of_rest(self._gap, t)
        gone = np.where(
            self._gap < 0.5, -np.expm1(t * np.log1p(-np.minimum(self._gap, 0.5))), 1 - left
        )
        per_apart = np.where(self._apart > 0, gone / self._apart, t / np.abs(1 - self._slow))
        share = (1 + left) / 2 + self._sign * self._lean * per_apart
        return np.where(self._slow == 1, 0.0, share)

    # ── two complex roots ──

    @cached_property
    def _squared(self) -> np.ndarray:
        """The size of the roots, squared."""
        return np.maximum(1 - self._s + self.q, 0.0)

    @cached_property
    def _mean(self) -> np.ndarray:
        return 1 - self._s / 2

    @cached_property
    def _angle(self) -> np.ndarray:
        """Of the roots, or of their negatives: near 0, not near π, where sin loses its digits."""
        return np.arctan2(self._height, np.abs(self._mean))

    @cached_property
    def _height(self) -> np.ndarray:
        return np.sqrt(np.maximum(-self._spread, 0.0)) / 2

    @cached_property
    def _tilt(self) -> np.ndarray:
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            return np.where(self._mean < 0, -self._lean, self._lean) / self._height

    def _swing(self, t: np.ndarray) -> np.ndarray:
        """What is left after t steps, over the size of the roots to the power t, but for a sign."""
        return np.cos(t * self._angle) + self._tilt * np.sin(t * self._angle)

    def _turns(self, t: np.ndarray, side: int) -> np.ndarray:
        """How often `_swing` was 0 up to t, counted from anywhere, as many as rounding allows on
        that side.
        """
        half_turns = (t * self._angle - np.arctan(self._tilt)) / np.pi + 0.5
        slack = _SURE * (1 + t * self._angle)
        return np.floor(half_turns + side * slack)


def _power_of_rest(delta: np.ndarray, t: np.ndarray) -> np.ndarray:
    """(1 − δ)^t, through log1p so that a mode that hardly moves in 10⁹ steps keeps its digits."""
    with np.errstate(divide="ignore"):
        log = np.where(delta < 1, np.log1p(-np.minimum(delta, 1.0)), np.log(np.abs(1 - delta)))
    with np.errstate(over="ignore", invalid="ignore"):
        size = np.where(t == 0, 1.0, np.exp(t * log))
    return np.where((delta > 1) & (t % 2 == 1), -size, size)
