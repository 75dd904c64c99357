"""How each curve of many came out: one small whole number a curve, with names and a text."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum

import numpy as np

from polydescent.triangle.kernels.folded import LEFT_RANGE


class Status(IntEnum):
    """How one curve of many came out; of least squares the first six, of a descent any.

    A curve with another status than OK, CONVERGED, STEPS_EXHAUSTED or DIVERGED has no numbers: NaN.

    Attributes
    ----------
    OK
        Exact least squares.
    NO_ROWS
        No row counts.
    TOO_FEW_ROWS
        Fewer rows than coefficients.
    TOO_FEW_DISTINCT
        Rows enough, but too few different x.
    NOT_FINITE
        NaN or infinity among its values, and missing="mark".
    OUT_OF_RANGE
        Values whose squares or powers do not fit a double.
    CONVERGED
        A descent whose loss is within 1e-6 of the lowest, relative to it.
    STEPS_EXHAUSTED
        One whose loss is not, after all steps.
    DIVERGED
        One whose learning rate is above the largest stable one, or whose loss overflowed.
    """

    OK = 0
    NO_ROWS = 1
    TOO_FEW_ROWS = 2
    TOO_FEW_DISTINCT = 3
    NOT_FINITE = 4
    OUT_OF_RANGE = LEFT_RANGE
    CONVERGED = 6
    STEPS_EXHAUSTED = 7
    DIVERGED = 8

    @property
    def words(self) -> str:
        """The name as people write it: "too few rows"."""
        return self.name.lower().replace("_", " ")


FINE = (Status.OK, Status.CONVERGED)
WITHOUT_ANSWER = tuple(s for s in Status if Status.OK < s < Status.CONVERGED)


def counts(status: np.ndarray) -> dict[Status, int]:
    """How many curves have each status, those that occur, the most frequent first."""
    found = np.bincount(np.asarray(status).ravel(), minlength=len(Status))
    there = [Status(i) for i in np.argsort(-found, kind="stable") if found[i]]
    return {each: int(found[each]) for each in there}


def in_words(status: np.ndarray) -> str:
    """The counts as text: "980 ok, 12 too few rows, 8 no rows"."""
    return ", ".join(f"{number:,} {each.words}" for each, number in counts(status).items())


def first_of(status: np.ndarray, kinds: tuple[Status, ...]) -> Iterator[int]:
    """The places, in the flattened array, of the curves with one of these statuses."""
    return iter(np.flatnonzero(np.isin(np.asarray(status).ravel(), kinds)).tolist())
