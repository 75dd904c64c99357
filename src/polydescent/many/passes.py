"""One pass over a source with keys, block by block into the summaries of its groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from polydescent.checks import one_of
from polydescent.errors import NoRows, NotFinite
from polydescent.many.grouped import GroupTally, grouped, in_order, merged
from polydescent.many.summaries import Summaries
from polydescent.regression.passes import State
from polydescent.rows.rows import Rows
from polydescent.rows.source import Source
from polydescent.triangle.kernels.threads import one_core

MISSING = ("raise", "omit", "mark")


def group_states(
    source: Source, degree: int, missing: str = "raise", state: State | None = None
) -> Iterator[State]:
    """The states of the pass, as `regression.passes.states`, their tally that of the groups.

    Raises NotFinite, with the key and the row within its part, where missing="raise", and what the
    source raises.
    """
    one_of("missing", missing, MISSING)
    state = State(GroupTally()) if state is None else state
    yield state
    for part in source.parts[len(state.done) :]:
        for rows, share in part.chunks(skip=state.taken):
            tally = state.tally
            if rows.n:
                assert rows.keys is not None
                try:
                    found = grouped(rows, degree, missing)
                except NotFinite as bad:
                    raise _located(bad, state.taken, part) from None
                tally = tally.plus(found, rows.keys.texts)
            state = State(tally, state.done, state.taken + rows.n, share)
            yield state
        state = State(state.tally, (*state.done, state.taken))
        yield state


def summaries_by_key(
    source: Source,
    degree: int,
    missing: str = "raise",
    watch: Callable[[State], None] | None = None,
) -> Summaries:
    """The summaries of all groups of a source, sorted by key: here, or on the workers that hold its
    rows.

    watch: called with each state; a remote source does not. Raises NoRows, and what `group_states`
    raises.
    """
    one_of("missing", missing, MISSING)
    if source.remote:
        of_rows = partial(_remote, degree=degree, missing=missing)
        found = source.fold(of_rows, _joined)
        return checked(None if found is None else in_order(found), source.label)
    tally = GroupTally()
    for state in group_states(source, degree, missing):
        tally = state.tally
        if watch is not None:
            watch(state)
    return checked(tally.total(), source.label)


def checked(summaries: Summaries | None, label: str) -> Summaries:
    """The summaries, if some row counts. Raises NoRows."""
    if summaries is None:
        raise NoRows(f"{label or 'the data'} has none")
    if not summaries.n.any():
        omitted = int(summaries.omitted.sum())
        without = f" without a missing value (of {omitted:,})" if omitted else ""
        raise NoRows(f"{label or 'the data'} has none{without} and with a weight above 0")
    return summaries


def _remote(rows: Rows, degree: int, missing: str) -> Summaries | None:
    if not rows.n:
        return None
    with one_core():  # the cluster runs as many tasks side by side as a worker has cores
        return grouped(rows, degree, missing)


def _joined(parts: list[Summaries | None]) -> Summaries | None:
    there = [part for part in parts if part is not None]
    return merged(there) if there else None


def _located(bad: NotFinite, before: int, part: Source) -> NotFinite:
    """The refusal with its row counted from the start of the part; of rows that were sorted, that
    of the group.
    """
    name = f"{bad.name} of {part.label}" if part.label else bad.name
    name += ", sorted by its keys," if part.sorts else ""
    return NotFinite(name, bad.count, before + bad.n, before + bad.first, bad.value, bad.key)
