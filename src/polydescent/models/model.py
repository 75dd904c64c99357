"""Summaries that last: a file with every float exact, a checksum, and what was added to it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any, Self

import numpy as np

from polydescent.errors import (
    ColumnsDiffer,
    DamagedModel,
    Misfit,
    NoFile,
    NotAModel,
    NotKept,
)
from polydescent.least_squares.degrees import CRITERIA
from polydescent.models.files import ModelFiles, Sourced
from polydescent.regression.summary import Summary
from polydescent.sealed import schema
from polydescent.sealed.atomic import check_folder, contents
from polydescent.sealed.document import LARGEST, content_of, parse, render, write
from polydescent.sealed.fingerprint import Remembered

FORMAT = "polydescent model"

# What a command may have been asked, as typed: a new option that a model must keep goes in here.
ASKED: dict[str, schema.Form] = {
    **dict.fromkeys(("x", "y", "weights", "sigma", "counts", "where", "format"), schema.text),
    "missing": schema.choice(("raise", "omit")),
}
# Which curve of the summary is meant, as typed.
CURVE: dict[str, schema.Form] = {
    "degree": schema.matching(
        r"\d{1,3}|auto(:\d{1,3})?", 'a degree as text, such as "3" or "auto"'
    ),
    "fix": schema.nullable(schema.text),
    "terms": schema.nullable(schema.text),
    "through": schema.nullable(schema.series(schema.text)),
    "criterion": schema.choice(CRITERIA),
    "absolute_sigma": schema.flag,
}


@dataclass(frozen=True, eq=False)
class Model(Sourced):
    """A summary, what was asked of its sources, and the sources.

    asked: x, y, weights, sigma, counts, where, missing as typed, format as text. curve: degree,
    fix, terms, through and criterion as typed, and whether sigma is absolute: what curve of the
    summary is meant. passes: the ids of the passes that are in it.
    """

    summary: Summary
    asked: dict[str, str] = field(default_factory=dict)
    curve: dict[str, Any] = field(default_factory=dict)
    sources: tuple[Remembered, ...] = ()
    passes: tuple[str, ...] = ()

    def to_record(self) -> dict[str, Any]:
        """Plain lists, numbers and text."""
        return {
            "summary": self.summary.to_record(),
            "asked": self.asked,
            "curve": self.curve,
            "sources": [source.to_record() for source in self.sources],
            "passes": list(self.passes),
        }

    @classmethod
    def from_record(cls, found: Any, where: str = "") -> Self:
        """The inverse. Raises Misfit."""
        values = _RECORD(found, where)
        asked, curve = typed(values)
        named = not asked or {"x", "y"} <= asked.keys()
        schema.check(named, "asked", "empty, or with x and y", list(asked))
        return cls(**values | {"asked": asked, "curve": curve})


def typed(values: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, Any]]:
    """(asked, curve) of a record that was read, without what nobody typed."""
    asked = {key: value for key, value in values["asked"].items() if value is not None}
    return asked, {key: value for key, value in values["curve"].items() if value is not ...}


PASS = schema.matching(r"[0-9a-f]{32}", "an id of 32 hexadecimal digits")
_RECORD = schema.record(
    {
        "summary": Summary.from_record,
        "asked": schema.record({key: schema.Maybe(form, None) for key, form in ASKED.items()}),
        "curve": schema.record({key: schema.Maybe(form, ...) for key, form in CURVE.items()}),
        "sources": schema.series(Remembered.from_record),
        "passes": schema.series(PASS),
    }
)


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def load(path: str | os.PathLike[str]) -> Model:
    """The model in a file. Raises NoFile, NotAFile, FileRefused, DamagedModel, UnknownSchema."""
    path = Path(path)
    content = parse(FORMAT, path)
    try:
        return Model.from_record(content)
    except Misfit as why:
        raise DamagedModel(path, why) from None


def merge(paths: Sequence[str], output: str, again: bool = False) -> Model:
    """Write the model of the rows of several models to `output`: see `ModelFiles.merge`.

    again: also where two hold the same rows. Raises ColumnsDiffer and DegreesDiffer besides.
    """
    return FILES.merge(paths, output, _all_joined, None if again else _is_same)


def _is_same(first: Model, second: Model) -> int:
    """How many rows two models hold if they are the same, as far as a triangle can tell, else 0."""
    a, b = first.summary, second.summary
    alike = a.n == b.n and a.domain == b.domain
    return a.n if alike and np.array_equal(a.triangle.array, b.triangle.array) else 0


def _all_joined(models: Sequence[tuple[str, Model]]) -> Model:
    return reduce(_joined, models)[1]


def _joined(left: tuple[str, Model], right: tuple[str, Model]) -> tuple[str, Model]:
    """The path of `left` and the model of the rows of both. Raises ColumnsDiffer, DegreesDiffer."""
    (path, ours), (other, theirs) = left, right
    check_asked(ours, theirs, other)
    merged = replace(
        ours,
        summary=ours.summary + theirs.summary,
        asked=ours.asked or theirs.asked,
        sources=ours.sources + theirs.sources,
        passes=ours.passes + theirs.passes,
    )
    return path, merged


def check_asked(ours: Any, theirs: Any, other: str) -> None:
    """Raise ColumnsDiffer where two models, the second at the path `other`, ask for different
    things.
    """
    for role in ("x", "y", "weights", "sigma", "counts"):
        if ours.asked and theirs.asked and ours.asked.get(role) != theirs.asked.get(role):
            raise ColumnsDiffer(role, ours.asked.get(role), theirs.asked.get(role), other)
    held, known = (model.curve.get("absolute_sigma", False) for model in (ours, theirs))
    if ours.curve and theirs.curve and held != known:
        raise ColumnsDiffer("absolute_sigma", held, known, other)


def _write_model(model: Model, path: Path) -> None:
    """Write what `load` will read: nothing else leaves this process."""
    try:
        data = render(FORMAT, model.to_record())
        Model.from_record(content_of(data))
    except (Misfit, ValueError) as why:
        raise NotKept(path, why) from None
    if len(data) > LARGEST:
        raise NotKept(path, f"it would have {len(data):,} bytes, more than {LARGEST:,}")
    write(path, data)


def check_replaceable(path: Path) -> None:
    """Raise NotAModel where the path holds something that was never a model, NotAFile where it is
    no file, NoFolder where nothing can be written. Reads a few bytes.
    """
    check_folder(path)
    begins = b'{\n "format": "' + FORMAT.encode() + b'"'
    try:
        if contents(path, len(begins)) != begins:
            raise NotAModel(path)
    except NoFile:
        pass


FILES = ModelFiles(load, _write_model, check_replaceable)
save, change = FILES.save, FILES.change
