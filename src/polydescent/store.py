"""Summaries that last: a file with every float exact, a checksum, and what was added to it."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from polydescent.arrays import Kind
from polydescent.atomic import check_folder, replacing
from polydescent.basis import Domain
from polydescent.dates import Axis
from polydescent.errors import (
    AlreadyAdded,
    DamagedModel,
    NoFile,
    NotAModel,
    SourceGrew,
    UnknownSchema,
)
from polydescent.summary import Summary

SCHEMA = 1
FORMAT = "polydescent model"
_SAMPLED = 1 << 16  # bytes in each of the places of a file that its fingerprint reads
_PLACES = 16


# ── what a model remembers ───────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Remembered:
    """A source that was added: a file as it was then, or SQL by its text.

    head, content: hashes of the first 64 KiB, and of the size and 16 places over the whole file, so
    that a terabyte is recognized in a millisecond. rows: with those omitted.
    """

    path: str
    size: int
    mtime_ns: int
    head: str
    content: str
    rows: int = 0

    @classmethod
    def of_file(cls, path: Path) -> Remembered:
        """The file as it is now."""
        stat = path.stat()
        whole = hashlib.sha256(str(stat.st_size).encode())
        with open(path, "rb") as file:
            first = file.read(_SAMPLED)
            whole.update(first)
            for place in range(1, _PLACES + 1):
                file.seek(max((stat.st_size - _SAMPLED) * place // _PLACES, 0))
                whole.update(file.read(_SAMPLED))
        head = hashlib.sha256(first).hexdigest()
        absolute = str(path.resolve())
        return cls(absolute, stat.st_size, stat.st_mtime_ns, head, whole.hexdigest())

    @property
    def still_begins(self) -> bool:
        """Whether the file that is there now begins as this one did; it may have grown."""
        try:
            with open(self.path, "rb") as file:
                head = file.read(min(self.size, _SAMPLED))
        except OSError:  # gone: two models are merged long after their files were read
            return False
        return hashlib.sha256(head).hexdigest() == self.head

    @classmethod
    def of_text(cls, text: str) -> Remembered:
        """SQL, known by its text."""
        digest = hashlib.sha256(text.encode()).hexdigest()
        return cls(text, len(text), 0, digest, digest)


@dataclass(frozen=True, eq=False)
class Model:
    """A summary, what was asked of its sources, and the sources.

    asked: x, y, weights, counts, where, missing as typed. curve: degree, fix, terms, through and
    criterion as typed, and whether sigma is absolute: what curve of the summary is meant. passes:
    the ids of the passes that are in it.
    """

    summary: Summary
    asked: dict[str, str] = field(default_factory=dict)
    curve: dict[str, Any] = field(default_factory=dict)
    sources: tuple[Remembered, ...] = ()
    passes: tuple[str, ...] = ()

    def check_new(self, source: Remembered, path: object) -> None:
        """Raise AlreadyAdded or SourceGrew where the model at `path` holds rows of the source."""
        for known in self.sources:
            if known.content == source.content:
                raise AlreadyAdded(source.path, path, known.rows, known.path)
            same_name = known.path == source.path
            if same_name and (known.head == source.head or known.still_begins):
                raise SourceGrew(source.path, path, known.size, source.size)


# ── to and from text ─────────────────────────────────────────────────────────────────────────────


def summary_to_json(summary: Summary) -> dict[str, Any]:
    """Plain lists and numbers; Python writes a float with the digits that give it back exactly."""
    domain = None if summary.domain.is_empty else [summary.domain.lo, summary.domain.hi]
    return {
        "triangle": summary.triangle.tolist(),
        "domain": domain,
        "n": summary.n,
        "omitted": summary.omitted,
        "kind": asdict(summary.kind),
        "x": summary.x_name,
        "y": summary.y_name,
        "axis": asdict(summary.axis),
        "log_weights": summary.log_weights,
    }


def summary_from_json(found: dict[str, Any]) -> Summary:
    """The inverse of `summary_to_json`."""
    return Summary(
        np.array(found["triangle"], dtype=np.float64),
        Domain(*map(float, found["domain"] or (np.inf, -np.inf))),
        int(found["n"]),
        Kind(**found["kind"]),
        int(found["omitted"]),
        found["x"],
        found["y"],
        Axis(**found.get("axis", {})),  # models of before there were any hold numbers
        float(found.get("log_weights", 0.0)),
    )


def render(form: str, content: dict[str, Any]) -> str:
    """JSON with the form, the schema, and a checksum of the rest."""
    body = {"format": form, "schema": SCHEMA} | content
    text = json.dumps(body, ensure_ascii=False, allow_nan=False)
    return json.dumps(
        body | {"checksum": hashlib.sha256(text.encode()).hexdigest()},
        ensure_ascii=False,
        allow_nan=False,
        indent=1,
    )


def parse(form: str, path: Path) -> dict[str, Any]:
    """What `render` was given. Raises NoFile, DamagedModel, UnknownSchema.

    Rendering it again must give the same bytes: then no bit of the file is other than it was.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, IsADirectoryError):
        raise NoFile(str(path)) from None
    except UnicodeDecodeError:
        raise DamagedModel(path, "it is no text") from None
    try:
        content = json.loads(text)
        schema = content.get("schema")
    except (ValueError, AttributeError):
        raise DamagedModel(path, "it is cut off, or no JSON") from None
    if content.pop("format", None) != form:
        raise DamagedModel(path, f"it is no {form}")
    if isinstance(schema, int) and schema > SCHEMA:
        raise UnknownSchema(path, schema, SCHEMA)
    rest = {key: value for key, value in content.items() if key not in ("schema", "checksum")}
    if render(form, rest) != text:
        raise DamagedModel(path, "its checksum does not match, some of it was changed")
    return rest


# ── files ────────────────────────────────────────────────────────────────────────────────────────


def load(path: str | os.PathLike[str]) -> Model:
    """The model in a file. Raises NoFile, DamagedModel, UnknownSchema."""
    path = Path(path)
    found = parse(FORMAT, path)
    return Model(
        summary_from_json(found["summary"]),
        found["asked"],
        found["curve"],
        tuple(Remembered(**source) for source in found["sources"]),
        tuple(found["passes"]),
    )


def save(model: Model, path: str | os.PathLike[str]) -> None:
    """Write the model: all of it or nothing. Raises NotAModel where something else is there."""
    path = Path(path)
    check_replaceable(path)
    with locked(path):
        _write_model(model, path)


def change(path: Path, changed: Callable[[Model], Model]) -> Model:
    """Replace the model in a file by `changed` of it, while nobody else can, and return that.

    Raises what `load` raises.
    """
    with locked(path):
        model = changed(load(path))
        _write_model(model, path)
    return model


def _write_model(model: Model, path: Path) -> None:
    content = {
        "summary": summary_to_json(model.summary),
        "asked": model.asked,
        "curve": model.curve,
        "sources": [asdict(source) for source in model.sources],
        "passes": list(model.passes),
    }
    write(path, render(FORMAT, content))


def check_replaceable(path: Path) -> None:
    """Raise NotAModel where the path holds something that was never a model, NoFolder where nothing
    can be written.
    """
    check_folder(path)
    if path.exists() and FORMAT.encode() not in path.read_bytes()[:64]:
        raise NotAModel(path)


def write(path: Path, text: str) -> None:
    """Replace the file at once: whoever reads it sees the old one or the new one, whole.

    Under `locked(path)`.
    """
    with replacing(path, tag="new") as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")
    with suppress(OSError):  # make the renaming last through a loss of power, where one can
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Nobody else is in here for the same path. The system frees the lock when a process dies."""
    lock = path.with_name(f".{path.name}.lock")
    while True:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR)
        _wait_for(handle)
        with suppress(FileNotFoundError):
            if os.stat(lock).st_ino == os.fstat(handle).st_ino:
                break
        os.close(handle)  # the one before us removed this lock file: take the new one
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()
        os.close(handle)


def _wait_for(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX)
