"""What a kernel hands back of many curves: their triangles, domains and counts, side by side."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

LEFT_RANGE = 5  # the fault of a curve whose squares or domain are no doubles


class Folded(NamedTuple):
    """m curves of degree k − 1, all on the host.

    array: (m, k + 1, k + 1), the triangles [[R, z], [0, √rss]], diagonal ≥ 0; NaN at a fault.
    lo, hi: (m,), the domains, (inf, −inf) without rows. n: (m,), how many rows count. omitted:
    (m,), rows with NaN or infinity. log_weights: (m,), Σ ln ω. fault: (m,) int8, 0 or LEFT_RANGE.
    sound: (m,), whether the sums of squares kept their digits, so that the rows determine the
    curve and weights, (m, k), are its Chebyshev weights; elsewhere the triangle has to be asked.
    """

    array: np.ndarray
    lo: np.ndarray
    hi: np.ndarray
    n: np.ndarray
    log_weights: np.ndarray
    omitted: np.ndarray
    fault: np.ndarray
    weights: np.ndarray
    sound: np.ndarray

    @classmethod
    def blank(cls, m: int, degree: int) -> Folded:
        """Room for m curves, without rows as yet."""
        k = degree + 1
        return cls(
            np.zeros((m, k + 1, k + 1)),
            np.full(m, np.inf),
            np.full(m, -np.inf),
            np.zeros(m, dtype=np.int64),
            np.zeros(m),
            np.zeros(m, dtype=np.int64),
            np.zeros(m, dtype=np.int8),
            np.zeros((m, k)),
            np.zeros(m, dtype=bool),
        )

    def put(self, place: Any, others: Folded) -> None:
        """Write others into the places."""
        for mine, theirs in zip(self, others, strict=True):
            mine[place] = theirs


def joined(parts: Sequence[Folded], degree: int) -> Folded:
    """The curves of all parts, one after the other."""
    if not parts:
        return Folded.blank(0, degree)
    if len(parts) == 1:
        return parts[0]
    return Folded(*(np.concatenate(column) for column in zip(*parts, strict=True)))
