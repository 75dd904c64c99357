"""Fit a cubic to a function by gradient descent: PyTorch tensors, both passes written by hand."""

import math

import torch

LOW, HIGH, POINTS = -math.pi, math.pi, 2000
STEPS, LEARNING_RATE, LOG_EVERY, SEED = 2000, 1e-6, 100, 0

# The same six steps; "cuda" instead of "cpu" is all that a GPU asks for.
torch.manual_seed(SEED)
device, dtype = "cpu", torch.float32
x = torch.linspace(LOW, HIGH, POINTS, device=device, dtype=dtype)
y = torch.sin(x)
a, b, c, d = torch.randn(4, device=device, dtype=dtype)

for t in range(STEPS):
    y_pred = a + b * x + c * x**2 + d * x**3

    loss = (y_pred - y).pow(2).sum().item()
    if LOG_EVERY and t % LOG_EVERY == LOG_EVERY - 1:
        print(t, loss)

    grad_y_pred = 2.0 * (y_pred - y)
    grad_a = grad_y_pred.sum()
    grad_b = (grad_y_pred * x).sum()
    grad_c = (grad_y_pred * x**2).sum()
    grad_d = (grad_y_pred * x**3).sum()

    a = a - LEARNING_RATE * grad_a
    b = b - LEARNING_RATE * grad_b
    c = c - LEARNING_RATE * grad_c
    d = d - LEARNING_RATE * grad_d

print(f"Result: y = {a.item()} + {b.item()} x + {c.item()} x^2 + {d.item()} x^3")
