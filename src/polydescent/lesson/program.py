"""A program of the lesson: its text with the settings that were asked for, and a run of it."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from polydescent.arrays import Kind
from polydescent.checks import one_of, whole
from polydescent.errors import BadSetting
from polydescent.rows.function import number, source_text

# In the order of the lesson, each with the library that its sums are in.
PROGRAMS = {
    "numpy": "np",
    "tensor": "torch",
    "autograd": "torch",
    "function": "torch",
    "nn": "torch",
    "optim": "torch",
    "module": "torch",
    "dynamic": "torch",
}
_INTERVAL = re.compile(r"^LOW, HIGH, POINTS = (.*)$", re.MULTILINE)
_WALK = re.compile(r"^STEPS, LEARNING_RATE, LOG_EVERY, SEED = (.*)$", re.MULTILINE)
_TARGET = re.compile(r"^y = (?:np|torch)\.sin\(x\)$", re.MULTILINE)


@dataclass(frozen=True)
class Program:
    """A program of the lesson, complete: what it prints depends on its text alone.

    steps, learning_rate: what its text says.
    """

    name: str
    text: str
    steps: int
    learning_rate: float

    @classmethod
    def written(
        cls,
        name: str,
        function: str = "sin(x)",
        interval: Sequence[str] = ("-pi", "pi"),
        points: int = 2000,
        steps: int | None = None,
        learning_rate: float | None = None,
        log_every: int | None = None,
        seed: int = 0,
    ) -> Program:
        """The program of this name with other settings; None for its own.

        function, interval: expressions, as `polydescent approximate` takes them. Raises
        BadSetting, BadExpression.
        """
        library = PROGRAMS[one_of("program", name, PROGRAMS)]
        text = files("polydescent.lesson").joinpath("programs", f"lesson_{name}.py").read_text()
        own = _settings(text)
        rate = own["LEARNING_RATE"] if learning_rate is None else learning_rate
        if not 0 < rate < float("inf"):
            raise BadSetting("learning_rate", rate, "above 0")
        walk = (
            whole("steps", own["STEPS"] if steps is None else steps, 1),
            rate,
            whole("log_every", own["LOG_EVERY"] if log_every is None else log_every),
            whole("seed", seed),
        )
        if len(interval) != 2 or not number(interval[0]) < number(interval[1]):
            wanted = "two numbers with a comma between, the first smaller, as -pi,pi"
            raise BadSetting("interval", ",".join(interval), wanted)
        ends = ", ".join(source_text(end, "math") for end in interval)
        counted = whole("points", points, 2)
        for pattern, line in (
            (_INTERVAL, f"LOW, HIGH, POINTS = {ends}, {counted}"),
            (_WALK, f"STEPS, LEARNING_RATE, LOG_EVERY, SEED = {', '.join(map(repr, walk))}"),
            (_TARGET, f"y = {source_text(function, library)}"),
        ):
            text = pattern.sub(lambda _, line=line: line, text)
        if "math." not in text:
            text = text.replace("import math\n\n", "")
        return cls(name, text, walk[0], rate)

    def run(self, printed: Any = None) -> dict[str, Any]:
        """Run it in this process and return its variables. printed: a stream for what it prints,
        standard output where None. Raises MissingExtra.
        """
        if PROGRAMS[self.name] == "torch":
            Kind.choose("torch")
        variables: dict[str, Any] = {"__name__": "__main__"}
        code = compile(self.text, f"lesson_{self.name}.py", "exec")
        with (
            contextlib.redirect_stdout(printed) if printed is not None else contextlib.nullcontext()
        ):
            exec(code, variables)
        return variables

    def logged(self) -> tuple[dict[str, Any], list[tuple[int, float]]]:
        """(its variables, the step and loss of each line of its log), nothing printed."""
        printed = io.StringIO()
        variables = self.run(printed)
        lines = [line.split() for line in printed.getvalue().splitlines()]
        return variables, [(int(t), float(loss)) for t, loss in lines[:-1]]


def _settings(text: str) -> dict[str, Any]:
    """The settings in the text of a program, by name."""
    found = _WALK.search(text)
    assert found is not None
    steps, rate, every, seed = found[1].split(", ")
    return {
        "STEPS": int(steps),
        "LEARNING_RATE": float(rate),
        "LOG_EVERY": int(every),
        "SEED": int(seed),
    }
