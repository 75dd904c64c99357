"""The walk in C (fused.c) where it serves: plain, momentum, Nesterov and Adam in float64."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from polydescent.descent.adaptive import Adam
from polydescent.descent.contract import Optimizer
from polydescent.descent.linear import GradientDescent, Momentum, Nesterov

try:
    from polydescent.descent._fused import ffi, lib  # pyright: ignore[reportMissingImports]
except ImportError as why:
    MISSING = f"not built in this install ({why})"
else:
    MISSING = ""

MOST = 64  # rows and weights of a loss
_WORK = 1 << 23  # products between two looks at the keyboard, some milliseconds
_FEW = 1 << 8  # steps between two looks at what is told of each
_KINDS = (GradientDescent, Momentum, Nesterov, Adam)


def serves(A: Any, b: Any, start: Any, optimizer: Optimizer) -> bool:
    """Whether such a walk is taken: of one of `_KINDS`, small float64 losses on the host."""
    if MISSING or "native" not in os.environ.get("POLYDESCENT_KERNELS", "native"):
        return False
    if type(optimizer) not in _KINDS or max(A.shape[-2:]) > MOST:
        return False
    return all(type(v) is np.ndarray and v.dtype == np.float64 for v in (A, b, start))


def walk(
    A: np.ndarray,
    b: np.ndarray,
    start: np.ndarray,
    optimizer: Any,
    steps: int,
    spacing: int,
    scale: np.ndarray | None = None,
    tell: Callable[[int, np.ndarray], int | None] | None = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """(loss without `rest`, shape (steps + 1, …); weights at every `spacing`th step, with room for
    one more; the last weights, shape (…, k); the step at which the walk ended).

    scale: of the learning rate at each step, shape (steps,). tell: called with the first of some
    steps and their losses, shape (some, …); returns which of them is the last, None for none.
    """
    (*shape, k), rows = start.shape, A.shape[-2]
    curves = start.size // k
    A, next_A = _side_by_side(A, shape, rows, k)
    b, next_b = _side_by_side(b, shape, rows)
    settings = _settings(optimizer, shape)
    state = np.zeros((3, *start.shape))
    state[0] = start
    loss = np.empty((steps + 1, *shape))
    kept = np.empty((steps // spacing + 2, *start.shape))
    (first, second), eps = getattr(optimizer, "betas", (0.0, 0.0)), getattr(optimizer, "eps", 0.0)
    at = [_pointer(v) for v in (A, b, settings, scale, state, loss, kept)]
    into = (curves, spacing, rows, k, *at[:2], next_A, next_b, type(optimizer) is Adam)
    course = ffi.new("walk *", (*into, first, second, eps, *at[2:]))
    many = max(_WORK // max(2 * curves * rows * k, 1), 1)
    many = many if tell is None else min(many, _FEW)
    t = 0
    while True:
        end = min(t + many, steps)
        before = state.copy() if tell is not None else None
        lib.walk_on(course, t, end)
        last = None if tell is None else tell(t, loss[t : end + (end == steps)])
        if last is not None and t + last < end:  # back to where it should have stopped
            end, state[...] = t + last, before
            lib.walk_on(course, t, end)
        t = end
        if t == steps or last is not None:
            return loss, kept, state[0], t


def _side_by_side(values: np.ndarray, shape: Any, *own: int) -> tuple[np.ndarray, int]:
    """The values of each curve after those of the one before, and how far apart: 0 of shared."""
    if values.ndim == len(own):
        return np.ascontiguousarray(values), 0
    return np.ascontiguousarray(np.broadcast_to(values, (*shape, *own))), math.prod(own)


def _settings(optimizer: Any, shape: Any) -> np.ndarray:
    """η, β, and how much of the gradient and of the velocity a step takes, shape (4, …, 1)."""
    beta = getattr(optimizer, "momentum", 0.0)
    looks_ahead = type(optimizer) is Nesterov
    settings = np.empty((4, *shape, 1))
    settings[0], settings[1] = optimizer.learning_rate, beta
    settings[2], settings[3] = looks_ahead, beta if looks_ahead else 1.0
    return settings


def _pointer(values: np.ndarray | None) -> Any:
    """What C reads and writes them by; the array must outlive it."""
    return ffi.NULL if values is None else ffi.from_buffer("double[]", values)
