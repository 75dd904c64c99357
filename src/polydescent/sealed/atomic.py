"""Files that are there whole or not at all, and locks that end with the process that holds them."""

from __future__ import annotations

import errno
import os
import re
import secrets
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from polydescent.errors import FileRefused, NoFile, NoFolder, NotAFile, PolydescentError

_NO_LINK = getattr(os, "O_NOFOLLOW", 0)  # Windows has neither
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)
_KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)


@contextmanager
def told(path: str | os.PathLike[str], doing: str) -> Iterator[None]:
    """What the system refuses in the block, as FileRefused: one line that says what to do.

    doing: "read", "write" or "lock".
    """
    try:
        yield
    except PolydescentError:
        raise
    except OSError as why:
        raise FileRefused(path, doing, why) from None


# ── before anything is done ──────────────────────────────────────────────────────────────────────


def check_folder(path: str | os.PathLike[str]) -> None:
    """Refuse a path that cannot be written to, before any work is done for it.

    Raises NoFolder, FileRefused.
    """
    with told(path, "write"):
        place = real(path)
        if place.is_dir():
            raise NoFolder(str(path), str(path), "has that name already")
        if not place.parent.is_dir():
            raise NoFolder(str(path), str(place.parent), "does not exist")
        if not os.access(place.parent, os.W_OK):
            raise NoFolder(str(path), str(place.parent), "is not writable")


def real(path: str | os.PathLike[str]) -> Path:
    """Where a path leads once every symbolic link on the way is followed. Raises OSError."""
    place = Path(os.path.realpath(path))
    if place.is_symlink():  # it leads in a circle
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    return place


def check_regular(path: str | os.PathLike[str], status: os.stat_result) -> None:
    """Raise NotAFile for a folder, a pipe, a socket or a device."""
    for is_kind, name in _KINDS:
        if is_kind(status.st_mode):
            raise NotAFile(path, name)


@contextmanager
def opened(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A regular file to read from; nothing else is waited for, as a pipe would be.

    Raises NotAFile, and as `open` does.
    """
    handle = os.open(path, os.O_RDONLY | _NO_WAIT | getattr(os, "O_BINARY", 0))
    try:
        check_regular(path, os.fstat(handle))
        with open(handle, "rb", closefd=False) as file:
            yield file
    finally:
        os.close(handle)


def contents(path: str | os.PathLike[str], most: int) -> bytes:
    """The first bytes of a regular file, at most so many. Raises NoFile, NotAFile, FileRefused."""
    with told(path, "read"):
        try:
            with opened(path) as file:
                return file.read(most)
        except FileNotFoundError:
            raise NoFile(str(path)) from None


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A new file beside `path`, with its suffix, to write to. If the block ends well, what was
    written takes the place of `path` in one move; if not, `path` is as it was.

    Under `locked(path)`: then what a writer left that was killed is seen to be nobody's, and is
    removed here. The name cannot be foreseen, so nobody can put a link there first. Mode and owner
    are those of the file replaced; a symbolic link stays one, and what it leads to is replaced;
    another name of the file (a hard link) keeps what was there before.

    Raises FileRefused, NotAFile.
    """
    with told(path, "write"):
        place = real(path)
        before = _replaceable(place)
        _sweep(place)
        beside = place.with_name(f".{place.stem}.{secrets.token_hex(8)}.new{place.suffix}")
        mode = 0o666 if before is None else 0o600  # not wider for a moment than it was
        os.close(os.open(beside, os.O_CREAT | os.O_EXCL | os.O_RDWR | _NO_LINK, mode))
        try:
            yield beside
            with open(beside, "rb+") as written:
                os.fsync(written.fileno())
            if before is not None:
                _like(before, beside)
            os.replace(beside, place)
        except BaseException:
            beside.unlink(missing_ok=True)
            raise
        _sync(place.parent)


def discard(path: Path) -> None:
    """Remove a file, if it is there, with what killed writers left beside it. Under its lock."""
    with told(path, "write"):
        place = real(path)
        place.unlink(missing_ok=True)
        _sweep(place)


def _replaceable(place: Path) -> os.stat_result | None:
    """The status of the file there, None if there is none. Raises NotAFile, OSError."""
    try:
        status = place.stat()
    except FileNotFoundError:
        return None
    check_regular(place, status)
    if not os.access(place, os.W_OK):  # the folder alone would let us
        raise PermissionError(errno.EACCES, "the file is read-only")
    return status


def _sweep(place: Path) -> None:
    """Remove what writers of this file left that were killed."""
    parts = map(re.escape, (place.stem, place.suffix))
    left = re.compile(r"\.{}\.[0-9a-f]{{16}}\.new{}".format(*parts))
    with os.scandir(place.parent) as entries:
        for entry in entries:
            if left.fullmatch(entry.name):
                with suppress(OSError):
                    os.unlink(entry.path)


def _like(before: os.stat_result, beside: Path) -> None:
    """Mode, owner and group of the file that is replaced, as far as the system lets us."""
    if hasattr(os, "chown"):
        with suppress(OSError):
            os.chown(beside, -1, before.st_gid)
        with suppress(OSError):
            os.chown(beside, before.st_uid, -1)
    os.chmod(beside, stat.S_IMODE(before.st_mode) & 0o777)


def _sync(folder: Path) -> None:
    """Make a renaming last through a loss of power, where one can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


# ── locks ────────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def locked(*paths: str | os.PathLike[str]) -> Iterator[None]:
    """Nobody else is in here for any of these paths. The system frees a lock when a process dies.

    All are taken in one order, so that two who want the same ones never wait for each other. Raises
    FileRefused.
    """
    places = set()
    for path in paths:
        with told(path, "lock"):
            places.add(real(path))
    held: dict[tuple[int, int], None] = {}
    with ExitStack() as stack:
        for place in sorted(places, key=lambda p: (str(p).casefold(), str(p))):
            stack.enter_context(_locked(place, held))
        yield


@contextmanager
def _locked(place: Path, held: dict[tuple[int, int], None]) -> Iterator[None]:
    lock = place.with_name(f".{place.name}.lock")
    with told(lock, "lock"):
        handle = _acquired(lock, held)
    try:
        yield
    finally:
        if handle is not None:
            with suppress(OSError):
                lock.unlink()
            os.close(handle)


def _acquired(lock: Path, held: dict[tuple[int, int], None]) -> int | None:
    """A handle on the lock file, ours alone; None where `held` has it under another name, as in a
    folder that takes A and a for one letter. It is added to `held`.
    """
    while True:
        handle = os.open(lock, os.O_CREAT | os.O_RDWR | _NO_LINK, 0o666)
        try:
            status = os.fstat(handle)
            identity = status.st_dev, status.st_ino
            if identity in held:
                os.close(handle)
                return None
            _wait_for(handle)
            with suppress(FileNotFoundError):
                if os.lstat(lock).st_ino == status.st_ino:
                    held[identity] = None
                    return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # the one before us removed this lock file: take the new one


def _wait_for(handle: int) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_LOCK, 1)  # type: ignore[attr-defined]
    else:
        fcntl.flock(handle, fcntl.LOCK_EX)
