"""Whether a file is, byte for byte, what was written, as far as it says so itself."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from polydescent.errors import DamagedFile
from polydescent.sources.layout import LONGEST, opened

_BLOCK = 1 << 20
_TOO_LONG = f"its last line is longer than {LONGEST:,} bytes, so it holds no row of values"


@contextmanager
def verified(path: Path, check: Callable[[], str] | None) -> Iterator[None]:
    """Run a check beside the block, on a core that a decompressing reader leaves idle.

    check: returns what is wrong, or "". Raises DamagedFile at the end of the block.
    """
    if check is None:
        yield
        return
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(check)
        yield
        found = future.result()
    if found:
        raise DamagedFile(path, found)


def damage_of_stream(path: Path) -> str:
    """What a compressed file's own checksums say is wrong with it, or ""; a last line too long for
    the reader, which would leave it out, is wrong as well.
    """
    last = 0
    try:
        with opened(path) as file:
            while block := file.read(_BLOCK):
                last = _after_last_line(block, last)
    except (EOFError, OSError, zlib.error) as why:
        return str(why)
    return _TOO_LONG if last >= LONGEST else ""


def damage_of_end(path: Path) -> str:
    """The same of a file that is not compressed: only its end is looked at."""
    with open(path, "rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(size - LONGEST, 0))
        last = _after_last_line(file.read(LONGEST), 0)
    return _TOO_LONG if last >= LONGEST else ""


def _after_last_line(block: bytes, before: int) -> int:
    """Bytes after the last end of a line, with those of the blocks before where it has none."""
    end = max(block.rfind(b"\n"), block.rfind(b"\r"))
    return before + len(block) if end < 0 else len(block) - end - 1


def damage_of_array(path: Path) -> str:
    """What is wrong where a JSON array does not end, or ""."""
    last, first = b"", b""
    try:
        with opened(path) as file:
            while block := file.read(_BLOCK):
                first = first or block.lstrip()[:1]
                last = block.rstrip()[-1:] or last
                if first != b"[" and first:
                    break
    except (EOFError, OSError, zlib.error) as why:
        return str(why)
    return "its array is cut short" if first == b"[" and last != b"]" else ""
