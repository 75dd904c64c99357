"""The torch layer and the loss of a summary, beside what people write: CPU time of one thread."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from timing import Row, table

import polydescent as pd
from polydescent.estimators import PolynomialLayer, SummaryLoss

POINTS = 10**6


def cpu(run: Callable[[], Any], repeat: int = 9) -> float:
    """The least CPU time of `repeat` runs, in seconds: other work on the machine counts less."""
    shortest = float("inf")
    for _ in range(repeat):
        begun = time.process_time()
        run()
        shortest = min(shortest, time.process_time() - begun)
    return shortest


def kept(run: Callable[[], Any], x: torch.Tensor) -> float:
    """Megabytes that autograd keeps for the backward pass, x included once."""
    seen = {}
    hooks = torch.autograd.graph.saved_tensors_hooks(
        lambda t: seen.setdefault(t.data_ptr(), t), lambda t: t
    )
    with hooks:
        run()
    return sum(t.untyped_storage().nbytes() for t in seen.values()) / 1e6


def passes(dtype: torch.dtype) -> tuple[list[Row], str]:
    """Forward and backward over POINTS points; and what each keeps in between."""
    x = torch.linspace(-1, 1, POINTS, dtype=dtype)
    a, b, c, d = (torch.randn((), dtype=dtype, requires_grad=True) for _ in range(4))
    linear, powers = torch.nn.Linear(3, 1).to(dtype), torch.tensor([1, 2, 3])
    layers = {name: PolynomialLayer(3, name, dtype=dtype) for name in ("power", "chebyshev")}
    forwards = {
        "x powers into Linear(3, 1)": lambda: linear(x.unsqueeze(-1).pow(powers)),
        "a + b·x + c·x² + d·x³": lambda: a + b * x + c * x**2 + d * x**3,
        "layer, power": lambda: layers["power"](x),
        "layer, chebyshev": lambda: layers["chebyshev"](x),
    }
    goal = 1.2 if dtype == torch.float32 else 2
    goals = {"layer, power": f"≥ 4, ≥ {goal}× the line above"}
    rows = [
        Row(name, cpu(lambda forward=forward: forward().sum().backward()), goals.get(name, ""))
        for name, forward in forwards.items()
    ]
    memory = ", ".join(f"{name} {kept(forward, x):.0f}" for name, forward in forwards.items())
    return rows, f"Megabytes kept for the backward pass: {memory} (goal: a third)."


def full_loss() -> list[Row]:
    """The loss of all rows and its gradient."""
    x = np.linspace(-1, 1, POINTS)
    y = np.sin(3 * x)
    tx, ty = torch.from_numpy(x), torch.from_numpy(y)
    w = [torch.randn((), dtype=torch.float64, requires_grad=True) for _ in range(4)]
    loss = SummaryLoss(pd.summarize(x, y, 3))
    weights = torch.zeros(4, dtype=torch.float64, requires_grad=True)

    def naive() -> None:
        (w[0] + w[1] * tx + w[2] * tx**2 + w[3] * tx**3 - ty).pow(2).sum().backward()

    def ours() -> None:
        for _ in range(100):
            loss(weights).backward()

    return [
        Row("loss and gradient, naive", cpu(naive)),
        Row("SummaryLoss", cpu(ours) / 100, "≤ 0.1 ms"),
    ]


def report() -> str:
    """The section of RESULTS.md."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    parts = [f"## Torch: {POINTS:,} points, CPU time of one thread, PyTorch {torch.__version__}"]
    for dtype in (torch.float32, torch.float64):
        rows, memory = passes(dtype)
        parts += [f"Forward and backward, {dtype}:".replace("torch.", ""), table(rows), memory]
    parts += ["All rows, float64:", table(full_loss())]
    torch.set_num_threads(threads)
    return "\n\n".join(parts)


if __name__ == "__main__":
    print(report())
