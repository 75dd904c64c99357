"""Whether a file is, byte for byte, what was written, as far as it says so itself."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from polydescent.errors import DamagedFile
from polydescent.sources.layout import opened

_BLOCK = 1 << 20


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
    """What a compressed file's own checksums say is wrong with it, or ""."""
    try:
        with opened(path) as file:
            while file.read(_BLOCK):
                pass
    except (EOFError, OSError, zlib.error) as why:
        return str(why)
    return ""


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
