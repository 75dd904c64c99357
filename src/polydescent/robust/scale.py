"""The scale of residuals: 1.4826 · median |residual|, exact without a sort of all of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

NORMAL = 0.6744897501960817  # the median of |normal|, in standard deviations
PER_MEDIAN = 1 / NORMAL  # 1.4826


@dataclass(frozen=True, eq=False)
class Within:
    """What is known of the |residuals| about their median: those within a bracket, and how many
    are below it.

    Attributes
    ----------
    below
        How many are less than the bracket, each as often as its row counts.
    values, often
        Those within it, and how often each counts, shape (m,); often None for once.
    """

    below: float
    values: np.ndarray
    often: np.ndarray | None = None

    def middle(self, n: float) -> tuple[float, float] | None:
        """The middle two of all n, the same twice where n is odd; None where the bracket missed
        one of them.
        """
        first = self._ranked((n - 1) // 2)
        second = first if n % 2 else self._ranked(n // 2)
        return None if first is None or second is None else (first, second)

    def _ranked(self, rank: float) -> float | None:
        """The one with so many before it in ascending order."""
        place = int(rank - self.below)
        if place < 0 or not len(self.values):
            return None
        if self.often is None:
            if place >= len(self.values):
                return None
            return float(np.partition(self.values, place)[place])
        order = np.argsort(self.values)
        found = int(np.searchsorted(np.cumsum(self.often[order]), place, side="right"))
        return float(self.values[order[found]]) if found < len(order) else None


def median(values: np.ndarray, often: np.ndarray | None = None) -> float:
    """The median of values, each as often as it counts; NaN of none."""
    if often is None:
        return float(np.median(values)) if len(values) else float("nan")
    found = Within(0, values, often).middle(float(often.sum()))
    return float("nan") if found is None else found[0] / 2 + found[1] / 2
