"""How far a long pass or descent has come, on one line of a terminal."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable
from typing import Self, TextIO

from polydescent.regression.passes import State
from polydescent.rows.source import Source

_PATIENCE = 1.0  # seconds without a word
_PAUSE = 0.2  # seconds between two looks at the clock worth showing


class _Line:
    """One line that is written over; used as a context it clears itself at the end.

    Says nothing in the first second, nor where `stream` (standard error) is no terminal.
    """

    def __init__(self, quiet: bool, stream: TextIO | None):
        self._stream = sys.stderr if stream is None else stream
        self._speaks = not quiet and self._stream is not None and self._stream.isatty()
        self._began = self._said = time.monotonic()
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()

    def _due(self) -> float:
        """Seconds since the start where it is time to say something, else 0."""
        now = time.monotonic()
        if now - self._began < _PATIENCE or now - self._said < _PAUSE:
            return 0.0
        self._said = now
        return now - self._began

    def _say(self, line: str) -> None:
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._width = len(line)


class Progress(_Line):
    """Call it with each state of a pass: rows, speed, share, time left."""

    def __init__(self, source: Source, quiet: bool = False, stream: TextIO | None = None):
        super().__init__(quiet, stream)
        self._sizes = [part.size for part in source.parts] if self._speaks else []
        self._before: tuple[int, float] | None = None

    def __call__(self, state: State) -> None:
        if not self._speaks:
            return
        if self._before is None:  # of a pass that goes on, only what is new tells its speed
            self._before = state.rows, self.share(state)
        if seconds := self._due():
            self._say(self.line(state, seconds))

    def share(self, state: State) -> float:
        """Of all bytes, read; NaN where a part does not say."""
        done = len(state.done)
        read = sum(self._sizes[:done])
        if done < len(self._sizes) and state.taken:
            read += self._sizes[done] * state.share
        return read / sum(self._sizes)

    def line(self, state: State, seconds: float) -> str:
        """The line, `seconds` after the start."""
        rows, share = self._before or (0, 0.0)
        speed = (state.rows - rows) / seconds
        said = [f"{state.rows:,} rows", f"{_short(speed)} rows/s"]
        now = self.share(state)
        if math.isfinite(now) and now > share:
            left = seconds * (1 - now) / (now - share)
            said += [f"{now:.0%}", f"{_duration(left)} left"]
        return " · ".join(said)


class Stepping(_Line):
    """Call it with each step of a descent and its loss: steps, excess over `lowest`, time left."""

    def __init__(
        self, steps: int, lowest: float, quiet: bool = False, stream: TextIO | None = None
    ):
        super().__init__(quiet, stream)
        self._steps, self._lowest = steps, lowest

    @property
    def watch(self) -> Callable[[int, float], None] | None:
        """What to call at each step, None where nothing would be said."""
        return self if self._speaks else None

    def __call__(self, step: int, loss: float) -> None:
        if seconds := self._due():
            self._say(self.line(step, loss, seconds))

    def line(self, step: int, loss: float, seconds: float) -> str:
        """The line before update `step`, `seconds` after the start."""
        said = [f"step {step:,} of {self._steps:,}", f"loss {loss:.6g}"]
        if self._lowest:
            said.append(f"{100 * max(loss / self._lowest - 1, 0.0):.3g} % above the lowest")
        if step:
            said.append(f"{_duration(seconds * (self._steps - step) / step)} left")
        return " · ".join(said)


def _short(number: float) -> str:
    for limit, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if number >= limit:
            return f"{number / limit:.3g}{unit}"
    return f"{number:.3g}"


def _duration(seconds: float) -> str:
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"
