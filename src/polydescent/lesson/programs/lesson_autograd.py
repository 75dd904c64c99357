"""Fit a cubic to a function by gradient descent: the backward pass comes from autograd."""

import math

import torch

LOW, HIGH, POINTS = -math.pi, math.pi, 2000
STEPS, LEARNING_RATE, LOG_EVERY, SEED = 2000, 1e-6, 100, 0

torch.manual_seed(SEED)
x = torch.linspace(LOW, HIGH, POINTS)
y = torch.sin(x)

# requires_grad: what is computed from these is recorded.
a = torch.randn((), requires_grad=True)
b = torch.randn((), requires_grad=True)
c = torch.randn((), requires_grad=True)
d = torch.randn((), requires_grad=True)

for t in range(STEPS):
    y_pred = a + b * x + c * x**2 + d * x**3
    loss = (y_pred - y).pow(2).sum()
    if LOG_EVERY and t % LOG_EVERY == LOG_EVERY - 1:
        print(t, loss.item())

    # The record is walked backward, and leaves d(loss)/da in a.grad.
    loss.backward()

    with torch.no_grad():  # the update is no part of the record
        for weight in (a, b, c, d):
            weight -= LEARNING_RATE * weight.grad
            weight.grad = None

print(f"Result: y = {a.item()} + {b.item()} x + {c.item()} x^2 + {d.item()} x^3")
