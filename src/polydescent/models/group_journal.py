"""A pass into a model of groups that outlives its process: see `journal`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from polydescent.many.grouped import GroupTally, nothing, one_after_the_other, split
from polydescent.many.passes import checked, group_states
from polydescent.models import groups
from polydescent.models.groups import SUMMARIES, GroupModel, read, summaries_of, write
from polydescent.models.journal import Job, check_new
from polydescent.models.model import PASS
from polydescent.regression.passes import State
from polydescent.rows.rows import Rows
from polydescent.sealed.fingerprint import Remembered
from polydescent.sealed.schema import check, flag, record, series, whole

_FORMAT = "polydescent groups checkpoint"
_CHECKPOINT = record(
    {
        **SUMMARIES,
        "pass": PASS,
        "done": series(whole()),
        "taken": whole(),
        "texts": flag,
        "parts": series(whole()),
    }
)


@dataclass(frozen=True, eq=False)
class GroupJob(Job):
    """A `Job` whose source has keys: `target` is a model of groups.

    check: raises where the summaries of a new model must not be kept.
    """

    @property
    def asked(self) -> dict[str, Any]:
        return super().asked | {"by": list(self.columns.by)}

    def states(self, state: State | None, look: Callable[[Rows], None] | None) -> Iterator[State]:
        return group_states(self.source, self.degree, self.missing, state)

    def load(self) -> GroupModel:
        return groups.load(self.target)

    def held(self) -> GroupModel:
        if self.is_update:
            return groups.load(self.target)
        groups.check_replaceable(self.target)
        return GroupModel(nothing(self.degree))

    def committed(self, identity: str, state: State, sources: tuple[Remembered, ...]) -> GroupModel:
        found = checked(state.tally.total(), self.source.label)
        read_now = tuple(replace(s, rows=n) for s, n in zip(sources, state.done, strict=True))
        if self.is_update:

            def added(model: GroupModel) -> GroupModel:
                check_new(self, model, sources)
                return replace(
                    model,
                    summaries=model.plus(found),
                    sources=model.sources + read_now,
                    passes=(*model.passes, identity),
                )

            return groups.change(self.target, added)
        found = found.in_unit(self.per)
        if self.check is not None:
            self.check(found)
        asked = {key: text for key, text in self.asked.items() if key != "by"}
        by = self.columns.by
        model = GroupModel(found, by, asked, self.curve, read_now, (identity,))
        groups.save(model, self.target)
        return model

    def kept(self, path: Path, identity: str, state: State) -> None:
        tally = state.tally
        said = {"pass": identity, "done": list(state.done), "taken": state.taken}
        said |= {"texts": tally.texts, "parts": [len(part.n) for part in tally.parts]}
        if tally.parts:  # nothing is kept of nothing
            together = one_after_the_other(tally.parts)
            write(path, together, said, _FORMAT, _CHECKPOINT, distinct=False)

    def left(self, path: Path) -> tuple[str, State]:
        table, said = read(path, _FORMAT)
        found = _CHECKPOINT(said, "")
        together = summaries_of(table, found, distinct=False)
        lengths = found["parts"]
        check(sum(lengths) == table.num_rows, "parts", f"{table.num_rows:,} in all", sum(lengths))
        check(found["degree"] == self.degree, "degree", str(self.degree), found["degree"])
        tally = GroupTally(split(together, lengths), found["texts"])
        state = State(tally, found["done"], found["taken"])
        rows = int(together.n.sum() + together.omitted.sum())
        weighted = not {"weights", "sigma", "counts"}.isdisjoint(self.asked)
        all_there = rows == state.rows or (weighted and rows < state.rows)
        check(all_there, "parts", f"of {state.rows:,} rows", rows)
        parts = len(self.source.parts)
        check(len(state.done) <= parts, "done", f"at most {parts:,}", len(state.done))
        return found["pass"], state
