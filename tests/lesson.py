"""The lesson's own two loops, in our words: the baseline that the library is held against."""

from __future__ import annotations

from typing import Any

import numpy as np


def numpy_loop(
    x: np.ndarray, y: np.ndarray, start: np.ndarray, rate: float, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights a, b, c, d after `steps` steps and the loss before each, everything spelled out."""
    a, b, c, d = start
    losses = np.empty(steps)
    for t in range(steps):
        predicted = a + b * x + c * x**2 + d * x**3
        losses[t] = np.square(predicted - y).sum()
        slope = 2.0 * (predicted - y)
        a, b, c, d = (
            a - rate * slope.sum(),
            b - rate * (slope * x).sum(),
            c - rate * (slope * x**2).sum(),
            d - rate * (slope * x**3).sum(),
        )
    return np.array([a, b, c, d]), losses


def torch_loop(x: Any, y: Any, start: Any, rate: float, steps: int) -> tuple[Any, list[float]]:
    """The same on tensors, with the gradient from autograd."""
    import torch

    weights = start.clone().requires_grad_(True)
    losses = []
    for _ in range(steps):
        a, b, c, d = weights
        loss = (a + b * x + c * x**2 + d * x**3 - y).square().sum()
        losses.append(loss.item())
        (slope,) = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            weights -= rate * slope
    return weights.detach(), losses
