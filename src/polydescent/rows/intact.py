"""Whether a file is, byte for byte, what was written, as far as it says so itself."""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from polydescent.errors import DamagedFile
from polydescent.rows.layout import LONGEST, opened

_BLOCK = 1 << 20
TOO_LONG = f"a line is longer than {LONGEST:,} bytes, so it holds no row of values"
_GLANCE = 1 << 12


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
    """What a compressed file's own checksums say is wrong with it, or "", as `damage_of_lines`."""
    long = False
    try:
        with opened(path) as file:
            while block := file.read(LONGEST):
                long = long or _is_one_line(block)
    except (EOFError, OSError, zlib.error) as why:
        return str(why)
    return TOO_LONG if long else ""


def damage_of_lines(path: Path) -> str:
    """What is wrong where a line is so long that a reader in parallel may leave it out unsaid.

    A line of twice that length covers one of the places that are looked at.
    """
    with open(path, "rb") as file:
        for place in range(0, os.fstat(file.fileno()).st_size, LONGEST):
            file.seek(place)
            start = file.read(_GLANCE)
            if _is_one_line(start, _GLANCE) and _is_one_line(start + file.read(LONGEST - _GLANCE)):
                return TOO_LONG
    return ""


def _is_one_line(block: bytes, size: int = LONGEST) -> bool:
    """Whether a whole block holds no end of a line."""
    return len(block) == size and b"\n" not in block and b"\r" not in block


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
