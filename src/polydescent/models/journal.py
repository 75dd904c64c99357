"""A pass that outlives its process: files into a model, each row counted once however it ends."""

from __future__ import annotations

import hashlib
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

from polydescent.errors import (
    DamagedModel,
    Misfit,
    NoFile,
    OnlyFiles,
    PolydescentError,
    SourceChanged,
    Stopped,
    UnknownSchema,
)
from polydescent.models.model import PASS, Model, change, check_replaceable, load, save
from polydescent.regression.passes import State, Tally, checked, states
from polydescent.regression.request import Request
from polydescent.regression.summary import Summary
from polydescent.rows.duck import Columns, Query
from polydescent.rows.files import remembered
from polydescent.rows.rows import Rows
from polydescent.rows.source import Source
from polydescent.sealed.atomic import discard, locked, real, told
from polydescent.sealed.document import parse, render, write
from polydescent.sealed.fingerprint import Remembered
from polydescent.sealed.schema import check, pair, record, series, whole

_FORMAT = "polydescent checkpoint"
EVERY = 1.0  # seconds between checkpoints: what a kill costs at most
_SHARE = 20  # and more where writing one takes longer than this share of them


@dataclass(frozen=True, eq=False)
class Job:
    """What a pass is asked to do. The same job run again goes on where the first run ended.

    source: files and SQL. is_update: add to the model at `target`, else make it. again: add files
    that it holds. curve: as in Model. check: raises where the summary of a new model must not be
    kept. per: the unit of dates in a new model; an update keeps the model's.
    """

    source: Source
    target: Path
    degree: int
    missing: str = "raise"
    is_update: bool = False
    again: bool = False
    curve: dict[str, Any] = field(default_factory=dict)
    check: Callable[[Any], object] | None = None
    per: str | None = None

    @property
    def asked(self) -> dict[str, str]:
        """The columns, the rows and the policy, as typed: part of the model."""
        return self.columns.remembered | {"missing": self.missing}

    @property
    def columns(self) -> Columns:
        """What is asked of every part of the source. Raises OnlyFiles."""
        first = self.source.parts[0]
        if not isinstance(first, Query):
            raise OnlyFiles(first.label)
        return first.asked

    def remembered(self) -> tuple[Remembered, ...]:
        """The sources as they are now."""
        return tuple(map(remembered, self.source.parts))

    def checkpoint(self, sources: tuple[Remembered, ...]) -> Path:
        """Where the state is kept: a name for this job on these very files."""
        facts = [source.to_record() for source in sources], self.asked, self.degree, self.is_update
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        with told(self.target, "write"):
            place = real(self.target)
        return place.with_name(f"{place.name}.{digest[:8]}.part")

    # ── what a job on one curve has of its own ──

    def states(self, state: State | None, look: Callable[[Rows], None] | None) -> Iterator[State]:
        """The states of the pass, from one on."""
        return states(self.source, self.degree, self.missing, state, look)

    def load(self) -> Any:
        """The model at the target. Raises as `models.model.load`."""
        return load(self.target)

    def held(self) -> Any:
        """The model to add to; an empty one where it is to be made. Raises as `load`, NotAModel,
        NoFolder.
        """
        if self.is_update:
            return load(self.target)
        check_replaceable(self.target)
        return Model(Summary.empty(self.degree))

    def committed(self, identity: str, state: State, sources: tuple[Remembered, ...]) -> Any:
        """The model with the rows of the pass, written."""
        return _committed(self, identity, state, sources)

    def kept(self, path: Path, identity: str, state: State) -> None:
        """Write the state to a checkpoint."""
        _write(path, identity, state)

    def left(self, path: Path) -> tuple[str, State]:
        """(pass, state) of a checkpoint. Raises NoFile, DamagedModel, UnknownSchema, Misfit."""
        found = _CHECKPOINT(parse(_FORMAT, path), "")
        state = State(Tally(found["tally"]), found["done"], found["taken"])
        _check_state(state, self)
        return found["pass"], state


def run(
    job: Job,
    watch: Callable[[State], None] | None = None,
    look: Callable[[Rows], None] | None = None,
    every: float = EVERY,
) -> Any:
    """Do the job and return the model that is then in the file.

    watch: called with each state. look: with each chunk. Raises AlreadyAdded, SourceGrew and
    NotAModel before the first row, SourceChanged after the last, Stopped on Ctrl-C, and what
    reading raises; the model is then as it was.
    """
    job.held()  # refuses a wrong target before anything is written beside it
    sources = job.remembered()
    path = job.checkpoint(sources)
    with locked(path):
        identity, state = _resumed(path, job)
        if identity in _passes(job):  # killed between writing the model and tidying up
            discard(path)
            return job.load()
        try:
            check_new(job, job.held(), sources)
            state = _walk(job, identity, state, path, watch, look, every)
            _check_unchanged(job, sources)
            model = job.committed(identity, state, sources)
        except PolydescentError as refusal:
            if not isinstance(refusal, Stopped):
                discard(path)
            raise
        discard(path)
    return model


def kept_in(
    path: str, curve: dict[str, Any], again: bool = False
) -> Callable[[Request, Callable[[Rows], None], Callable[[State], None] | None], Summary]:
    """How `Request.read` makes the summary where a model of it is kept. curve: as in Model."""

    def summarized(
        request: Request, look: Callable[[Rows], None], watch: Callable[[State], None] | None
    ) -> Summary:
        job = Job(
            request.source,
            Path(path),
            request.problem.degree,
            request.missing,
            curve=curve,
            check=request.problem.solve,
            per=request.per,
            again=again,
        )
        return run(job, watch, look).summary

    return summarized


def _walk(
    job: Job,
    identity: str,
    state: State | None,
    path: Path,
    watch: Callable[[State], None] | None,
    look: Callable[[Rows], None] | None,
    every: float,
) -> State:
    """The last state of the pass, kept at `path` now and then, on Ctrl-C and at the end."""
    last = safe = state
    written, took = time.monotonic(), 0.0
    try:
        for last in job.states(state, look):
            if not last.taken or job.source.parts[len(last.done)].repeatable:
                safe = last
            if watch is not None:
                watch(last)
            due = (now := time.monotonic()) - written > max(every, _SHARE * took)
            if due and safe is not None:
                job.kept(path, identity, safe)
                written = time.monotonic()
                took = written - now
    except KeyboardInterrupt:
        if safe is None:
            raise
        job.kept(path, identity, safe)
        raise Stopped(safe.rows, path) from None
    assert last is not None
    assert safe is not None
    job.kept(path, identity, last)
    return last


def _committed(job: Job, identity: str, state: State, sources: tuple[Remembered, ...]) -> Model:
    """The model with the rows of the pass, written."""
    summary = checked(state.tally.total(job.degree), job.source.label)
    read = tuple(replace(s, rows=n) for s, n in zip(sources, state.done, strict=True))
    if job.is_update:

        def added(model: Model) -> Model:
            check_new(job, model, sources)  # once more: another update may have been faster
            return replace(
                model,
                summary=model.summary + summary,
                sources=model.sources + read,
                passes=(*model.passes, identity),
            )

        return change(job.target, added)
    summary = summary.in_unit(job.per)
    if job.check is not None:
        job.check(summary)
    model = Model(summary, job.asked, job.curve, read, (identity,))
    save(model, job.target)
    return model


def check_new(job: Job, model: Any, sources: tuple[Remembered, ...]) -> None:
    """Raise AlreadyAdded or SourceGrew for a source that the model holds or that comes twice."""
    if not job.again:
        model.check_new(sources, job.target)


def _check_unchanged(job: Job, sources: tuple[Remembered, ...]) -> None:
    for before, now in zip(sources, job.remembered(), strict=True):
        if before != now:
            raise SourceChanged(before.path)


def _passes(job: Job) -> tuple[str, ...]:
    try:
        return job.load().passes
    except (NoFile, DamagedModel):
        return ()  # nothing there yet, or something that is refused where it matters


# ── the checkpoint ───────────────────────────────────────────────────────────────────────────────


_CHECKPOINT = record(
    {
        "pass": PASS,
        "done": series(whole()),
        "taken": whole(),
        "tally": series(pair(whole(1), Summary.from_record)),
    }
)


def _resumed(path: Path, job: Job) -> tuple[str, State | None]:
    """The pass that was left at `path`, or a new one where there is none that can be trusted."""
    try:
        return job.left(path)
    except (NoFile, DamagedModel, UnknownSchema, Misfit):
        return uuid.uuid4().hex, None


def _check_state(state: State, job: Job) -> None:
    """Raise Misfit where the numbers of a state do not fit each other, or the job."""
    counts = [count for count, _ in state.tally.parts]
    falling = all(a > b for a, b in pairwise(counts)) and all(c & (c - 1) == 0 for c in counts)
    check(falling, "tally", "counts that are falling powers of 2", counts)
    degrees = {part.degree for _, part in state.tally.parts}
    check(degrees <= {job.degree}, "tally", f"of degree {job.degree}", degrees)
    rows = sum(part.n + part.omitted for _, part in state.tally.parts)
    weighted = not {"weights", "sigma", "counts"}.isdisjoint(job.asked)
    all_there = rows == state.rows or (weighted and rows < state.rows)  # of weight 0: not counted
    check(all_there, "tally", f"of {state.rows:,} rows", rows)
    check(len(state.done) <= len(job.source.parts), "done", "of files there are", len(state.done))


def _write(path: Path, identity: str, state: State) -> None:
    tally = [[count, part.to_record()] for count, part in state.tally.parts]
    content: dict[str, Any] = {"pass": identity, "done": state.done, "taken": state.taken}
    write(path, render(_FORMAT, content | {"tally": tally}))
