"""Which files hold the same rows: a file is known by what stands in it, under whatever name."""

from __future__ import annotations

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Self

from polydescent.errors import AlreadyAdded, SourceGrew
from polydescent.sealed import schema
from polydescent.sealed.atomic import opened, told

_SAMPLED = 1 << 16  # bytes in each of the places of a file that its fingerprint reads
_PLACES = 16
_Held = tuple["Remembered", object]  # and the path of the model that holds it, or None
_TITLED = (".csv", ".tsv", ".txt")  # files that may begin with a line of names


@dataclass(frozen=True)
class Remembered:
    """A source that was added: a file as it was then, or SQL by its text.

    head: hash of as many of its first bytes as the largest power of two that fits, up to 64 KiB.
    content: hash of the size, the first 64 KiB and 16 places over the whole file: a terabyte is
    recognized in milliseconds, and a change between the places of a file above 1 MiB is not seen.
    mtime_ns, ctime_ns: when its bytes, and when anything about it, last changed. rows: with those
    omitted, None before they are read. place: where its bytes are now, if not under its path.
    """

    path: str
    size: int
    mtime_ns: int
    head: str
    content: str
    rows: int | None = None
    ctime_ns: int = 0
    place: str = field(default="", compare=False)

    @classmethod
    def of_file(cls, path: Path, name: str = "") -> Self:
        """The file as it is now. name: what it is remembered as, if not by its path.

        Raises NotAFile, FileRefused.
        """
        with told(path, "read"), opened(path) as file:
            status = os.fstat(file.fileno())
            first = file.read(_SAMPLED)
            content = _content(file, first, status.st_size)
        return cls(
            name or str(path.resolve()),
            status.st_size,
            status.st_mtime_ns,
            _stems(first)[-1],
            content,
            0 if _has_no_row(path, first, status.st_size) else None,
            status.st_ctime_ns,
            str(path) if name else "",
        )

    @classmethod
    def of_text(cls, text: str) -> Self:
        """SQL, known by its text."""
        digest = _hash(text.encode("utf-8", "backslashreplace"))
        return cls(text, len(text), 0, digest, digest)

    @property
    def is_file(self) -> bool:
        return self.head != self.content

    def to_record(self) -> dict[str, Any]:
        """What is kept of it; the path as UTF-8 can say it: on Linux a name may hold any bytes."""
        facts = {name: value for name, value in asdict(self).items() if name != "place"}
        return facts | {"path": self.path.encode("utf-8", "backslashreplace").decode()}

    @classmethod
    def from_record(cls, found: Any, where: str) -> Self:
        """The inverse. Raises Misfit."""
        return cls(**_RECORD(found, where))

    def first(self) -> bytes:
        """The first 64 KiB of what is under its path now; none where that is no file."""
        try:
            with self._opened() as file:
                return file.read(_SAMPLED)
        except (OSError, ValueError):
            return b""

    def begins(self, other: Remembered) -> bool:
        """Whether the other file, as it is now, begins with all bytes of this one."""
        try:
            with other._opened() as file:
                if os.fstat(file.fileno()).st_size < self.size:
                    return False
                first = file.read(min(self.size, _SAMPLED))
                return _content(file, first, self.size) == self.content
        except (OSError, ValueError):  # models are merged long after files were read
            return False

    def _opened(self) -> AbstractContextManager[BinaryIO]:
        """The file to read; a name such as "standard input" is none, whatever stands there now."""
        place = self.place or self.path
        if not os.path.isabs(place):
            raise FileNotFoundError(place)
        return opened(place)


_DIGEST = schema.matching(r"[0-9a-f]{64}", "a hash of 64 hexadecimal digits")
_RECORD = schema.record(
    {
        "path": schema.text,
        "size": schema.whole(),
        "mtime_ns": schema.whole(-(2**63)),
        "head": _DIGEST,
        "content": _DIGEST,
        "rows": schema.whole(),
        "ctime_ns": schema.whole(-(2**63)),
    }
)


@dataclass
class Known:
    """Sources whose rows are counted, to be asked whether another one holds the same rows.

    The same rows: the same bytes under any name, all bytes of a known file and more after them (it
    grew), or the first bytes of a known file that is still there (an older copy of it). SQL is the
    same where its text is. A file without rows is never the same.
    """

    _by_content: dict[str, _Held] = field(default_factory=dict)
    _by_head: dict[str, list[_Held]] = field(default_factory=lambda: defaultdict(list))
    _by_stem: dict[str, list[_Held]] = field(default_factory=lambda: defaultdict(list))
    _unread: list[_Held] = field(default_factory=list)

    def add(self, sources: Iterable[Remembered], model: object = None) -> None:
        """Count them among the known. model: the path of the model that holds them."""
        for source in sources:
            if source.rows == 0:
                continue
            held = source, model
            self._by_content[source.content] = held
            if source.is_file:
                self._by_head[source.head].append(held)
                self._unread.append(held)

    def check(self, source: Remembered) -> None:
        """Raise AlreadyAdded or SourceGrew where the rows of the source are among the known."""
        if source.rows == 0:
            return
        if source.content in self._by_content:
            known, model = self._by_content[source.content]
            raise AlreadyAdded(source.path, known.path, known.rows, model)
        if source.is_file:
            self._check_beginnings(source)

    def _check_beginnings(self, source: Remembered) -> None:
        for stem in _stems(source.first()):
            for known, model in self._by_head.get(stem, ()):
                if known.size < source.size and known.begins(source):
                    raise SourceGrew(source.path, known.path, known.size, source.size, model)
        while self._unread:  # once for each: 64 KiB of the file that is there now
            held = self._unread.pop()
            for stem in _stems(held[0].first()):
                self._by_stem[stem].append(held)
        for known, model in self._by_stem.get(source.head, ()):
            if known.size > source.size and source.begins(known):
                raise AlreadyAdded(source.path, known.path, known.rows, model, part=True)

    def take(self, sources: Iterable[Remembered]) -> None:
        """Check sources that are given together, the smaller ones first, so that one that grew is
        seen beside its older copy; then count them among the known.
        """
        for source in sorted(sources, key=lambda source: source.size):
            self.check(source)
            self.add([source])


def _content(file: BinaryIO, first: bytes, size: int) -> str:
    """The hash of the size, the first 64 KiB and the places of so many first bytes of a file."""
    whole = hashlib.sha256(str(size).encode())
    whole.update(first)
    if size > _SAMPLED:
        for place in range(1, _PLACES + 1):
            file.seek((size - _SAMPLED) * place // _PLACES)
            whole.update(file.read(_SAMPLED))
    return whole.hexdigest()


def _stems(first: bytes) -> list[str]:
    """Hashes of the first 1, 2, 4, … bytes; of none, where there is none."""
    return [_hash(first[: 1 << j]) for j in range(len(first).bit_length())] or [_hash(b"")]


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _has_no_row(path: Path, first: bytes, size: int) -> bool:
    """Whether nothing is in the file or, in a table as text, one line without a number."""
    if not size:
        return True
    if path.suffix.lower() not in _TITLED or size > _SAMPLED or b"\n" in first.strip():
        return False
    fields = first.decode("utf-8", "replace").replace(";", ",").replace("\t", ",").split(",")
    return not any(_is_number(field) for field in fields)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
