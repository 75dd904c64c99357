"""Pieces of one piece of work, shared out over the cores of this process."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ALONE: ContextVar[bool] = ContextVar("_ALONE", default=False)


@contextmanager
def one_core() -> Iterator[None]:
    """Work on one core within this block: for tasks of which others run beside."""
    token = _ALONE.set(True)
    try:
        yield
    finally:
        _ALONE.reset(token)


def cores() -> int:
    """The processors this process may use, 1 within `one_core`."""
    if _ALONE.get():
        return 1
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_out(work: Callable[[Iterator[int]], None], pieces: int, workers: int) -> None:
    """Call `work` in up to `workers` threads, each with an iterator over the pieces it takes.

    Together they take 0 … pieces − 1, each once. The threads live as long as the call, so a fork
    finds none. Raises what the work of any thread raises, once all have ended.
    """
    counter = itertools.count()  # next() on it is atomic
    failed: list[BaseException] = []

    def taken() -> Iterator[int]:
        while not failed and (piece := next(counter)) < pieces:
            yield piece

    def run() -> None:
        try:
            work(taken())
        except BaseException as why:
            failed.append(why)

    helpers = [threading.Thread(target=run) for _ in range(min(workers, pieces) - 1)]
    for helper in helpers:
        helper.start()
    try:
        work(taken())
    except BaseException as why:  # Ctrl-C too: the helpers stop at their next piece
        failed.append(why)
    finally:
        for helper in helpers:
            helper.join()
    if failed:
        raise failed[0]
