"""What batches of rows do to a descent: the mean and the spread of its errors, step by step.

With e = w − w*, a row of weight ω and residual r has the gradient g = 2n·ω·(v·e − r)·v, and a batch
of B rows drawn with replacement the mean ĝ of theirs. Its mean is H·e, and

    E[ĝĝᵀ] = H·M·H + (E[ggᵀ] − H·M·H)/B,  E[ggᵀ] = 4n·Σ ω²·(v·e − r)²·v·vᵀ

is linear in M = E[eeᵀ] and the mean of e. So w ← w − η·ĝ takes both one step further by a matrix:
M ← M − η·(H·M + M·H) + η²·E[ĝĝᵀ]. All of it in the eigenmodes of H.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from polydescent.arrays import quiet
from polydescent.descent.moments import Moments
from polydescent.sealed import schema
from polydescent.sealed.document import exactly

_ARRAYS = ("curvature", "quadratic", "linear", "constant")


@dataclass(frozen=True, eq=False)
class Noise:
    """The spread of batches in the m modes that move; symmetric matrices are vectors of
    q = m(m + 1)/2 numbers, those off the diagonal times √2.

    Attributes
    ----------
    batch : B, rows in a batch.
    curvature : λ, shape (m,).
    quadratic : what M adds to E[ggᵀ], shape (q, q).
    linear : what the mean of e adds, shape (q, m).
    constant : what the residuals add, shape (q,).
    """

    batch: int
    curvature: np.ndarray
    quadratic: np.ndarray
    linear: np.ndarray
    constant: np.ndarray

    @classmethod
    def of(cls, moments: Moments, R: np.ndarray, directions: np.ndarray, batch: int) -> Noise:
        """Of batches of rows whose moments are about the best curve.

        R: shape (k, k), of the triangle in Chebyshev coordinates. directions: shape (k, m), R times
        the modes that move, U·S: its columns' norms squared are half the curvatures.
        """
        curvature = 2 * (directions * directions).sum(axis=0)
        Q = np.linalg.solve(R, directions)  # features of the modes: v·Q
        n, m = moments.n, Q.shape[1]
        i, j = np.triu_indices(m)
        size = np.where(i == j, 1.0, math.sqrt(2.0))
        fourth = np.einsum("abcd,ai,bj,ck,dl->ijkl", moments.fourth, Q, Q, Q, Q, optimize=True)
        third = np.einsum("abc,ai,bj,ck->ijk", moments.third, Q, Q, Q, optimize=True)
        second = Q.T @ moments.second @ Q
        quadratic = 4 * n * fourth[i, j][:, i, j] * size * size[:, None]
        linear = -8 * n * third[i, j] * size[:, None]
        return cls(batch, curvature, quadratic, linear, 4 * n * second[i, j] * size)

    def to_record(self) -> dict[str, Any]:
        """Plain lists and numbers."""
        return {"batch": self.batch} | {name: exactly(getattr(self, name)) for name in _ARRAYS}

    @classmethod
    def from_record(cls, found: Any, where: str) -> Self:
        """The inverse. Raises Misfit."""
        curvature = schema.series(schema.number(0.0), 1)
        forms = {"batch": schema.whole(1), "curvature": curvature}
        values = schema.record(forms | dict.fromkeys(_ARRAYS[1:], schema.anything))(found, where)
        m = len(values["curvature"])
        q = m * (m + 1) // 2
        shapes = {"quadratic": (q, q), "linear": (q, m), "constant": (q,)}
        arrays = {
            name: schema.array(shape)(values[name], f"{where}.{name}")
            for name, shape in shapes.items()
        }
        return cls(values["batch"], np.array(values["curvature"]), **arrays)

    @cached_property
    def _places(self) -> tuple[np.ndarray, np.ndarray]:
        return np.triu_indices(len(self.curvature))

    @cached_property
    def _squares(self) -> np.ndarray:
        """S of η²·S·M: what a step adds to M in proportion to it, shape (q, q)."""
        i, j = self._places
        exact = np.diag(self.curvature[i] * self.curvature[j])
        return exact + (self.quadratic - exact) / self.batch

    @cached_property
    def _shrinks(self) -> np.ndarray:
        """λᵢ + λⱼ: what a step takes from M, over η, shape (q,)."""
        i, j = self._places
        return self.curvature[i] + self.curvature[j]

    @cached_property
    def limit(self) -> float:
        """The learning rate above which the spread grows without bound."""
        root = np.sqrt(self._shrinks)
        return 1 / float(np.linalg.eigvalsh(self._squares / root / root[:, None])[-1])

    def step(self, rate: float) -> np.ndarray:
        """The matrix that takes (M, e, 1) one step further, shape (q + m + 1, q + m + 1)."""
        q, m = len(self._shrinks), len(self.curvature)
        map_ = np.zeros((q + m + 1, q + m + 1))
        map_[:q, :q] = np.eye(q) - rate * np.diag(self._shrinks) + rate * rate * self._squares
        map_[:q, q:-1] = rate * rate * self.linear / self.batch
        map_[:q, -1] = rate * rate * self.constant / self.batch
        map_[q:-1, q:-1] = np.diag(1 - rate * self.curvature)
        map_[-1, -1] = 1.0
        return map_

    def excess(self, rate: float, error: np.ndarray, steps: np.ndarray) -> np.ndarray:
        """The expected excess loss after `steps`, of any shape, from the errors of the modes, shape
        (m,): by squaring the matrix of one step.
        """
        state = self._state(error)
        ends = np.unique(steps)
        states = np.repeat(state[:, None], len(ends), axis=1)
        power, left = self.step(rate), ends.copy()
        with quiet():
            while left.any():
                odd = left % 2 == 1
                states[:, odd] = power @ states[:, odd]
                left //= 2
                if left.any():
                    power = power @ power
        return self._losses(states)[np.searchsorted(ends, steps)]

    def path(self, rates: np.ndarray, error: np.ndarray) -> np.ndarray:
        """The expected excess loss before each step at these rates and after the last."""
        state = self._state(error)
        states = [state]
        with quiet():
            for rate in rates:
                state = self.step(rate) @ state
                states.append(state)
        return self._losses(np.array(states).T)

    def floor(self, rate: float) -> float:
        """The excess loss that is left after any number of steps; inf above the limit."""
        if not rate < self.limit:
            return math.inf
        settles = rate * np.diag(self._shrinks) - rate * rate * self._squares
        spread = np.linalg.solve(settles, rate * rate * self.constant / self.batch)
        return float(self._losses(spread[:, None])[0])

    def _state(self, error: np.ndarray) -> np.ndarray:
        i, j = self._places
        spread = error[i] * error[j] * np.where(i == j, 1.0, math.sqrt(2.0))
        return np.concatenate((spread, error, [1.0]))

    def _losses(self, states: np.ndarray) -> np.ndarray:
        """Σ λᵢ·Mᵢᵢ/2 of states side by side."""
        i, j = self._places
        with quiet():
            losses = self.curvature @ states[: len(i)][i == j] / 2
        return np.where(np.isfinite(losses), losses, math.inf)  # what overflowed grows for good
