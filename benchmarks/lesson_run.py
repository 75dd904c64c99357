"""The lesson's run: our loop, summary and forecast beside the lesson's own NumPy program."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from timing import Row, best, table

import polydescent as pd
from polydescent.descent.loop import walk
from polydescent.polynomial.basis import POWER

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from lesson import numpy_loop, torch_loop

RATE, STEPS, START = 1e-6, 2000, [0.3, -1.2, 0.5, 0.8]
PROGRAM = """
import math
import sys

import numpy as np

sys.path.insert(0, {tests!r})
from lesson import numpy_loop

x = np.linspace(-math.pi, math.pi, 2000)
w, losses = numpy_loop(x, np.sin(x), np.random.default_rng(0).standard_normal(4), 1e-6, 2000)
for t in range(99, 2000, 100):
    print(t, losses[t])
print("Result: y = %s + %s x + %s x^2 + %s x^3" % tuple(w))
"""


def contestants() -> list[Row]:
    """Everyone who takes the lesson's 2,000 steps, best of five runs each."""
    x = np.linspace(-np.pi, np.pi, 2000)
    y = np.sin(x)
    gd = pd.GradientDescent(RATE)

    def ours(over: str) -> pd.Fit:
        return pd.descend(x, y, optimizer=gd, start=START, steps=STEPS, over=over)

    def foresee() -> np.ndarray:
        forecast = pd.summarize(x, y, 3).forecast(optimizer=gd, start=START)
        steps = np.arange(STEPS + 1)
        return forecast.loss_at(steps), forecast.weights_at(steps)

    R, z, rss = pd.summarize(x, y, 3).triangle.least_squares(POWER)
    start_there = np.array(START)
    rows = [
        Row("the lesson's loop in NumPy", best(lambda: numpy_loop(x, y, START, RATE, STEPS))),
        Row("descend(over='rows')", best(lambda: ours("rows")), "≥ 5"),
        Row("descend(over='summary')", best(lambda: ours("summary"), repeat=50), "≥ 500"),
        Row(
            "its walk alone",
            best(lambda: walk(R, z, rss, start_there, gd, STEPS), repeat=50),
            "≥ 2,000",
        ),
        Row("forecast of the whole run", best(foresee, repeat=50), "≥ 500"),
    ]
    try:
        import torch
    except ImportError:
        return rows
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    start = torch.tensor(START, dtype=torch.float64)
    seconds = best(lambda: torch_loop(tx, ty, start, RATE, STEPS), repeat=2)
    return [*rows, Row("the lesson's loop with autograd (torch)", seconds)]


def agreement() -> str:
    """The largest relative difference from the lesson's loop, in the weights and in any loss."""
    x = np.linspace(-np.pi, np.pi, 2000)
    y = np.sin(x)
    weights, losses = numpy_loop(x, y, np.array(START), RATE, STEPS)
    lines = []
    for over in ("rows", "summary"):
        run = pd.descend(x, y, optimizer=pd.GradientDescent(RATE), start=START, over=over)
        in_weights = np.abs(run.coef - weights).max() / np.abs(weights).max()
        in_loss = np.abs(run.history.loss[:-1] / losses - 1).max()
        lines.append(f"- over {over}: weights {in_weights:.1e}, losses {in_loss:.1e} (≤ 1e-11)")
    return "\n".join(lines)


def processes() -> list[Row]:
    """The same as cold processes, interpreter start and imports included."""
    command = [str(Path(sys.executable).parent / "polydescent"), "approximate", "sin(x)"]
    floor = [sys.executable, "-c", "import numpy.random, click"]
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "program.py"
        program.write_text(PROGRAM.format(tests=str(Path(__file__).parent.parent / "tests")))
        return [
            Row("the lesson's NumPy program", _process([sys.executable, str(program)])),
            Row('polydescent approximate "sin(x)"', _process(command), "≥ 1.43"),
            Row("importing NumPy, its generators and click: no less is possible", _process(floor)),
        ]


def imports() -> list[Row]:
    """What an import costs beyond the bare interpreter."""
    bare = _process([sys.executable, "-c", "pass"])

    def row(statement: str, goal: str = "") -> Row:
        return Row(statement, _process([sys.executable, "-c", statement]) - bare, goal)

    return [
        row("import numpy"),
        row("import polydescent", "≥ 0.67"),
        row("from polydescent import fit, descend, summarize"),  # which loads NumPy and the rest
    ]


def _process(command: list[str]) -> float:
    return best(lambda: subprocess.run(command, check=True, capture_output=True), repeat=10)


def report() -> str:
    """The section of RESULTS.md."""
    return "\n\n".join(
        [
            "## The lesson: 2,000 points, 2,000 steps, NumPy float64",
            table(contestants()),
            "Largest relative difference from the lesson's loop:",
            agreement(),
            "As cold processes (a ratio of 1.43 is 0.7 of the time):",
            table(processes()),
            "Imports, less the bare interpreter (a ratio of 0.67 is 1.5 times the time):",
            table(imports()),
        ]
    )


if __name__ == "__main__":
    print(report())
