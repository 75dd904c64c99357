"""Summaries that last: a file with every float exact, a checksum, and what was added to it."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import reduce
from pathlib import Path
from typing import Any

import numpy as np

from polydescent.arrays import KINDS, Kind
from polydescent.atomic import check_folder, contents, locked, replacing
from polydescent.basis import Domain
from polydescent.dates import UNITS, Axis
from polydescent.degrees import CRITERIA
from polydescent.errors import (
    AlreadyAdded,
    AskedDiffer,
    DamagedModel,
    Misfit,
    NoFile,
    NotAFile,
    NotAModel,
    NotKept,
    UnknownSchema,
)
from polydescent.fingerprint import Known, Remembered
from polydescent.schema import (
    Form,
    Maybe,
    array,
    check,
    choice,
    flag,
    matching,
    nullable,
    number,
    pair,
    plain,
    record,
    series,
    text,
    whole,
)
from polydescent.summary import Summary
from polydescent.triangle.triangle import HIGHEST, Triangle

FORMAT = "polydescent model"
SCHEMAS = (1,)  # those that are read; the last one is written
LARGEST = 1 << 26  # bytes of a file: the sources of 150,000 files
_REACH = 1.3e154  # its square is a float64
_FURTHEST = 2**63  # ticks since 1970 of a date

# What a command may have been asked, as typed: a new option that a model must keep goes in here.
ASKED: dict[str, Form] = {
    **dict.fromkeys(("x", "y", "weights", "sigma", "counts", "where", "format"), text),
    "missing": choice(("raise", "omit")),
}
# Which curve of the summary is meant, as typed.
CURVE: dict[str, Form] = {
    "degree": matching(r"\d{1,3}|auto(:\d{1,3})?", 'a degree as text, such as "3" or "auto"'),
    "fix": nullable(text),
    "terms": nullable(text),
    "through": nullable(series(text)),
    "criterion": choice(CRITERIA),
    "absolute_sigma": flag,
}


@dataclass(frozen=True, eq=False)
class Model:
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

    def check_new(self, sources: Iterable[Remembered], path: object) -> None:
        """Raise AlreadyAdded or SourceGrew where the model at `path`, or another of the sources,
        holds the rows of one.
        """
        known = Known()
        known.add(self.sources, path)
        known.take(sources)


# ── to and from plain values ─────────────────────────────────────────────────────────────────────


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """Plain lists and numbers; Python writes a float with the digits that give it back exactly."""
    domain = None if summary.domain.is_empty else [summary.domain.lo, summary.domain.hi]
    return {
        "triangle": summary.triangle.array.tolist(),
        "domain": domain,
        "n": summary.n,
        "omitted": summary.omitted,
        "kind": asdict(summary.kind),
        "x": summary.x_name,
        "y": summary.y_name,
        "axis": asdict(summary.axis),
        "log_weights": summary.triangle.log_weights,
    }


def summary_form(found: Any, where: str) -> Summary:
    """The inverse of `summary_to_json`. Raises Misfit."""
    values = _SUMMARY(found, where)
    triangle, n, axis = values["triangle"], values["n"], values["axis"]
    empty = values["domain"] is None
    domain = Domain(math.inf, -math.inf) if empty else Domain(*values["domain"])
    check(n > 0 or not triangle.any(), f"{where}.triangle", "0 everywhere, for n is 0", "more")
    check(n == 0 or not empty, f"{where}.domain", "[lo, hi], for n is not 0", None)
    if axis.is_dates and not empty:
        ends = [axis.place(x) for x in values["domain"]]
        check(not np.isnat(ends).any(), f"{where}.domain", "dates", list(values["domain"]))
    kind, omitted = values["kind"], values["omitted"]
    folded = Triangle(triangle, domain, n, values["log_weights"])
    return Summary(folded, kind, omitted, values["x"], values["y"], axis)


def kind_form(found: Any, where: str) -> Kind:
    """Names of a library, a dtype and a device, from closed sets: they decide what is imported."""
    kind = Kind(**_KIND(found, where))
    choice(KINDS[kind.library])(kind.dtype, f"{where}.dtype")
    if kind.library == "numpy":
        choice(("cpu",))(kind.device, f"{where}.device")
        check(hasattr(np, kind.dtype), f"{where}.dtype", "one of this machine", kind.dtype)
    elif kind.library == "torch":  # of the others it is not used
        _DEVICE(kind.device, f"{where}.device")
    return kind


def _triangle(found: Any, where: str) -> np.ndarray:
    """Upper triangular, with a diagonal that is not negative, all squares finite."""
    size = len(found) if type(found) is list else 0
    check(2 <= size <= HIGHEST + 2, where, f"a list of 2 to {HIGHEST + 2} rows", found)
    triangle = array((size, size), number(-_REACH, _REACH))(found, where)
    check(not np.tril(triangle, -1).any(), where, "0 below the diagonal", found)
    check(not (triangle.diagonal() < 0).any(), where, "0 or more on the diagonal", found)
    return triangle


def _domain(found: Any, where: str) -> tuple[float, float]:
    lo, hi = pair(number(), number())(found, where)
    check(lo <= hi, where, "[lo, hi] with lo at most hi", found)
    return lo, hi


def _axis(found: Any, where: str) -> Axis:
    axis = Axis(**_AXIS(found, where))
    here = not (axis.is_durations and axis.origin)
    check(here, f"{where}.origin", "0 where x is a duration", axis.origin)
    reach = _FURTHEST if axis.is_dates else 2**1023
    check(abs(axis.origin) < reach, f"{where}.origin", "in reach", axis.origin)
    return axis


def _source(found: Any, where: str) -> Remembered:
    return Remembered(**_REMEMBERED(found, where))


_AXIS = record(
    {
        "origin": whole(-(2**1023), 2**1023),
        "tick": choice(("", "s", "ms", "us", "ns")),
        "unit": choice(("", *UNITS)),
    }
)
_KIND = record({"library": choice(KINDS), "dtype": text, "device": text})
_SUMMARY = record(
    {
        "triangle": _triangle,
        "domain": nullable(_domain),
        "n": whole(),
        "omitted": whole(),
        "kind": kind_form,
        "x": text,
        "y": text,
        "axis": _axis,
        "log_weights": Maybe(number(), 0.0),
    }
)
_DEVICE = matching(r"(cpu|cuda|mps|xpu)(:\d{1,3})?", "a device, such as cpu or cuda:0")
_DIGEST = matching(r"[0-9a-f]{64}", "a hash of 64 hexadecimal digits")
_REMEMBERED = record(
    {
        "path": text,
        "size": whole(),
        "mtime_ns": whole(-(2**63)),
        "head": _DIGEST,
        "content": _DIGEST,
        "rows": whole(),
        "ctime_ns": Maybe(whole(-(2**63)), 0),
    }
)
PASS = matching(r"[0-9a-f]{32}", "an id of 32 hexadecimal digits")
_MODEL = record(
    {
        "summary": summary_form,
        "asked": record({key: Maybe(form, None) for key, form in ASKED.items()}),
        "curve": record({key: Maybe(form, ...) for key, form in CURVE.items()}),
        "sources": series(_source),
        "passes": series(PASS),
    }
)


def model_form(found: Any, where: str) -> Model:
    """The inverse of `model_to_json`. Raises Misfit."""
    values = _MODEL(found, where)
    asked = {key: value for key, value in values["asked"].items() if value is not None}
    curve = {key: value for key, value in values["curve"].items() if value is not ...}
    check(not asked or {"x", "y"} <= asked.keys(), "asked", "empty, or with x and y", list(asked))
    return Model(values["summary"], asked, curve, values["sources"], values["passes"])


def model_to_json(model: Model) -> dict[str, Any]:
    """Plain lists, numbers and text."""
    return {
        "summary": summary_to_json(model.summary),
        "asked": model.asked,
        "curve": model.curve,
        "sources": [s.facts() | {"path": _printable(s.path)} for s in model.sources],
        "passes": list(model.passes),
    }


def _printable(path: str) -> str:
    """The path as UTF-8 can say it: on Linux a name may hold any bytes."""
    return path.encode("utf-8", "backslashreplace").decode()


# ── to and from bytes ────────────────────────────────────────────────────────────────────────────


def render(form: str, content: dict[str, Any]) -> bytes:
    """JSON with the form, the schema, and a checksum of the rest.

    Raises ValueError where a number is not finite or a text cannot be written.
    """
    body = {"format": form, "schema": SCHEMAS[-1]} | content
    compact = json.dumps(body, ensure_ascii=False, allow_nan=False)
    whole_body = body | {"checksum": hashlib.sha256(compact.encode()).hexdigest()}
    return json.dumps(whole_body, ensure_ascii=False, allow_nan=False, indent=1).encode()


def parse(form: str, path: Path) -> dict[str, Any]:
    """What `render` was given. Raises NoFile, NotAFile, FileRefused, DamagedModel, UnknownSchema.

    Rendering it again must give the same bytes: then no bit of the file is other than it was. So a
    copy whose line ends or encoding a program changed is another file, and refused.
    """
    try:
        data = contents(path, LARGEST + 1)
    except NotAFile as found:
        if found.found == "a folder":
            raise NoFile(str(path)) from None
        raise
    if len(data) > LARGEST:
        raise DamagedModel(path, f"it has more than {LARGEST:,} bytes")
    try:
        content = plain(data.decode())
    except UnicodeDecodeError:
        raise DamagedModel(path, "it is no text in UTF-8") from None
    except Misfit as why:
        raise DamagedModel(path, why) from None
    if type(content) is not dict or content.pop("format", None) != form:
        raise DamagedModel(path, f"it is no {form}")
    schema = content.pop("schema", None)
    if type(schema) is int and schema > SCHEMAS[-1]:
        raise UnknownSchema(path, schema, SCHEMAS[-1])
    content.pop("checksum", None)
    if schema not in SCHEMAS or not _gives(form, content, data):
        crlf = b"\r\n" in data and _gives(form, content, data.replace(b"\r\n", b"\n"))
        why = "its line ends were changed to CRLF" if crlf else "some of it was changed"
        raise DamagedModel(path, f"its checksum does not match, {why}")
    return content


def _gives(form: str, content: dict[str, Any], data: bytes) -> bool:
    try:
        return render(form, content) == data
    except (ValueError, RecursionError):  # 1e999 is infinite; a half character is no UTF-8
        return False


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def load(path: str | os.PathLike[str]) -> Model:
    """The model in a file. Raises NoFile, NotAFile, FileRefused, DamagedModel, UnknownSchema."""
    path = Path(path)
    content = parse(FORMAT, path)
    try:
        return model_form(content, "")
    except Misfit as why:
        raise DamagedModel(path, why) from None


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write the model: all of it or nothing. Raises NotAModel, NotAFile where something else is
    there, NotKept, NoFolder, FileRefused.
    """
    path = Path(path)
    check_replaceable(path)
    with locked(path):
        check_replaceable(path)
        _write_model(model, path)


def change(path: Path, changed: Callable[[Model], Model]) -> Model:
    """Replace the model in a file by `changed` of it, while nobody else can, and return that.

    Raises what `load` and `save` raise.
    """
    with locked(path):
        model = changed(load(path))
        _write_model(model, path)
    return model


def merge(paths: Sequence[str], output: str, again: bool = False) -> Model:
    """Write the model of the rows of several models to `output`, which may be one of them, while
    nobody else can change any of them, and return it.

    again: also where two hold the same rows. Raises AskedDiffer, AlreadyAdded, SourceGrew,
    DegreesDiffer and what `load` and `save` raise.
    """
    check_replaceable(Path(output))
    for path in paths:
        load(path)  # what is no model is refused before anybody waits for a lock beside it
    with locked(output, *paths):
        check_replaceable(Path(output))
        models = [(path, load(path)) for path in paths]
        if not again:
            _check_apart(models)
        merged = reduce(_joined, models)[1]
        _write_model(merged, Path(output))
    return merged


def _check_apart(models: Sequence[tuple[str, Model]]) -> None:
    """Raise AlreadyAdded or SourceGrew where two of the models hold the same rows."""
    known = Known()
    for i, (path, model) in enumerate(models):
        for source in model.sources:
            known.check(source)
        known.add(model.sources, path)
        for earlier, other in models[:i]:
            if model.summary.n and _is_same(model.summary, other.summary):
                raise AlreadyAdded(path, earlier, model.summary.n, earlier)


def _is_same(a: Summary, b: Summary) -> bool:
    """Whether two summaries are of the same rows, as far as a triangle can tell."""
    alike = a.n == b.n and a.domain == b.domain
    return alike and np.array_equal(a.triangle.array, b.triangle.array)


def _joined(left: tuple[str, Model], right: tuple[str, Model]) -> tuple[str, Model]:
    """The path of `left` and the model of the rows of both. Raises AskedDiffer, DegreesDiffer."""
    (path, ours), (other, theirs) = left, right
    for role in ("x", "y", "weights", "sigma", "counts"):
        if ours.asked and theirs.asked and ours.asked.get(role) != theirs.asked.get(role):
            raise AskedDiffer(role, ours.asked.get(role), theirs.asked.get(role), other)
    held, known = (model.curve.get("absolute_sigma", False) for model in (ours, theirs))
    if ours.curve and theirs.curve and held != known:
        raise AskedDiffer("absolute_sigma", held, known, other)
    merged = replace(
        ours,
        summary=ours.summary + theirs.summary,
        asked=ours.asked or theirs.asked,
        sources=ours.sources + theirs.sources,
        passes=ours.passes + theirs.passes,
    )
    return path, merged


_SEAL = ("format", "schema", "checksum")


def _write_model(model: Model, path: Path) -> None:
    """Write what `load` will read: nothing else leaves this process."""
    try:
        data = render(FORMAT, model_to_json(model))
        content = plain(data.decode())
        model_form({key: content[key] for key in content if key not in _SEAL}, "")
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


def write(path: Path, data: bytes) -> None:
    """Replace the file at once: whoever reads it sees the old one or the new one, whole.

    Under `locked(path)`.
    """
    with replacing(path) as beside:
        beside.write_bytes(data)
