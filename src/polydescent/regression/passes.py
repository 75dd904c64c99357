"""One pass over a source, chunk by chunk into a tally, from any state it was left in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from polydescent.checks import one_of
from polydescent.errors import NoRows, NotFinite
from polydescent.regression.matrices import moments_of
from polydescent.regression.summary import Summary
from polydescent.rows.rows import Rows, omit_missing
from polydescent.rows.source import Source
from polydescent.triangle.kernels.threads import one_core

MISSING = ("raise", "omit")


@dataclass(frozen=True, eq=False)
class Tally:
    """A running sum of summaries, added in pairs of like size as carries are in binary addition.

    After m parts a row has been through log₂ m merges instead of m, and the sum depends on nothing
    but the order of the parts.

    parts: (how many were added into it, their sum), the counts falling powers of 2.
    """

    parts: tuple[tuple[int, Summary], ...] = ()

    def plus(self, summary: Summary) -> Tally:
        """The tally with one more summary."""
        parts, count = list(self.parts), 1
        while parts and parts[-1][0] == count:
            summary = parts.pop()[1] + summary
            count *= 2
        return Tally((*parts, (count, summary)))

    def total(self, degree: int) -> Summary:
        """The sum of all, `Summary.empty(degree)` for none."""
        total = Summary.empty(degree)
        for _, summary in reversed(self.parts):
            total = summary + total
        return total


@dataclass(frozen=True, eq=False)
class State:
    """How far a pass has come. All that a pass knows, so one that was killed goes on from it.

    done: rows read of each finished part, with those omitted. taken: rows read of the part after
    them. tally: the summaries of all those rows, a `Tally` where all are of one curve. share: of
    that part, read; NaN if unknown.
    """

    tally: Any = field(default=Tally())
    done: tuple[int, ...] = ()
    taken: int = 0
    share: float = 0.0

    @property
    def rows(self) -> int:
        """Rows read so far, with those omitted."""
        return sum(self.done) + self.taken


def states(
    source: Source,
    degree: int,
    missing: str = "raise",
    state: State | None = None,
    look: Callable[[Rows], None] | None = None,
    moments: bool = False,
) -> Iterator[State]:
    """The states of the pass: the one to start from, and those after each chunk and each part.

    look: called with each chunk, without the rows omitted. Raises NotFinite, with the row within
    its part, where missing="raise", and what the source raises.
    """
    state = State() if state is None else state
    yield state
    for part in source.parts[len(state.done) :]:
        for rows, share in part.chunks(skip=state.taken):
            there, omitted = present(rows, missing)
            try:
                summary = summary_of_rows(there, degree, omitted, moments)
            except NotFinite as bad:
                raise _located(bad, state.taken, part.label) from None
            if look is not None:
                look(there)
            state = State(state.tally.plus(summary), state.done, state.taken + rows.n, share)
            yield state
        state = State(state.tally, (*state.done, state.taken))
        yield state


def present(rows: Rows, missing: str) -> tuple[Rows, int]:
    """The rows to use, and how many were omitted. Raises BadSetting for an unknown `missing`."""
    one_of("missing", missing, MISSING)
    return omit_missing(rows) if missing == "omit" else (rows, 0)


def summary_of_rows(rows: Rows, degree: int, omitted: int = 0, moments: bool = False) -> Summary:
    """The summary of one chunk, which may be empty, with the names of its columns; with what
    batches of its rows do, if asked.
    """
    if not rows.n:
        return replace(Summary.empty(degree), omitted=omitted)
    summary = Summary.of_rows(rows.x, rows.y, rows.weights, degree, rows.counts)
    held = moments_of(rows, summary.triangle) if moments else None
    names = {"x_name": rows.x_name, "y_name": rows.y_name}
    return replace(summary, omitted=omitted, **names, axis=rows.axis, moments=held)


def summary_of(
    source: Source,
    degree: int,
    missing: str = "raise",
    look: Callable[[Rows], None] | None = None,
    watch: Callable[[State], None] | None = None,
    moments: bool = False,
) -> Summary:
    """The summary of all rows of the source: here, or on the workers that hold them.

    look: as in `states`; watch: called with each of them; a remote source calls neither. Raises
    NoRows, and what `states` raises.
    """
    if source.remote:
        of_rows = partial(_remote_summary, degree=degree, missing=missing, moments=moments)
        return checked(source.fold(of_rows, _total), source.label)
    tally = Tally()
    for state in states(source, degree, missing, look=look, moments=moments):
        tally = state.tally
        if watch is not None:
            watch(state)
    return checked(tally.total(degree), source.label)


def _remote_summary(rows: Rows, degree: int, missing: str, moments: bool) -> Summary:
    there, omitted = present(rows, missing)
    with one_core():  # the cluster runs as many tasks side by side as a worker has cores
        return summary_of_rows(there, degree, omitted, moments)


def checked(summary: Summary, label: str) -> Summary:
    """The summary, if it holds a row. Raises NoRows."""
    if not summary.n:
        omitted = f" without a missing value (of {summary.omitted:,})" if summary.omitted else ""
        raise NoRows(f"{label or 'the data'} has none{omitted}")
    return summary


def _total(summaries: list[Summary]) -> Summary:
    tally = Tally()
    for summary in summaries:
        tally = tally.plus(summary)
    return tally.total(summaries[0].degree)


def _located(bad: NotFinite, before: int, label: str) -> NotFinite:
    """The refusal with its row counted from the start of the part."""
    if not before and not label:
        return bad
    name = f"{bad.name} of {label}" if label else bad.name
    return NotFinite(name, bad.count, before + bad.n, before + bad.first, bad.value)
