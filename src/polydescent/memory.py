"""How much memory a request needs, compared with what there is before any of it is asked for."""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache

from polydescent.errors import TooLarge

_ADDRESSES = 2**47  # bytes that a process can address
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")


@cache
def there_is() -> int:
    """Bytes that this process may hold: of the machine, or of the container around it."""
    sizes = [_ADDRESSES]
    with suppress(AttributeError, ValueError, OSError):  # not on every system
        sizes.append(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"))
    for path in _LIMITS:
        try:
            with open(path, encoding="ascii") as file:
                sizes.append(int(file.read()))
        except (OSError, ValueError):  # no such file, or "max"
            continue
    return min(size for size in sizes if size > 0)


def check_memory(what: str, needed: int, advice: str) -> None:
    """Refuse what cannot be held. what: the request, in words; needed: bytes. Raises TooLarge."""
    if needed > there_is():
        raise TooLarge(what, needed, there_is(), advice)
