"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from polydescent.errors import NoFolder


def check_folder(path: str | Path) -> None:
    """Refuse a path that cannot be written to, before any work is done for it. Raises NoFolder."""
    folder = Path(path).parent
    if Path(path).is_dir():
        raise NoFolder(str(path), str(path), "has that name already")
    if not folder.is_dir():
        raise NoFolder(str(path), str(folder), "does not exist")
    if not os.access(folder, os.W_OK):
        raise NoFolder(str(path), str(folder), "is not writable")


@contextmanager
def replacing(path: str | Path, tag: str | None = None) -> Iterator[Path]:
    """A path beside `path`, with its suffix, to write to. If the block ends well, what was written
    takes the place of `path` in one move; if not, `path` is as it was.

    tag: part of that name, the process id if left out. Under a lock one tag serves all: a writer
    that is killed then leaves a file that the next one replaces.
    """
    path = Path(path)
    beside = path.with_name(f".{path.stem}.{tag or os.getpid()}{path.suffix}")
    try:
        yield beside
        with open(beside, "rb") as written:
            os.fsync(written.fileno())
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)
