"""Fit a + b·P3(c + d·x) to a function: a step of autograd of one's own, P3(v) = (5v³ − 3v)/2."""

import math

import torch

LOW, HIGH, POINTS = -math.pi, math.pi, 2000
STEPS, LEARNING_RATE, LOG_EVERY, SEED = 2000, 5e-6, 100, 0


class LegendreP3(torch.autograd.Function):
    """The third Legendre polynomial, with its derivative written by hand."""

    @staticmethod
    def forward(ctx, v):
        ctx.save_for_backward(v)
        return 0.5 * (5 * v**3 - 3 * v)

    @staticmethod
    def backward(ctx, grad):
        (v,) = ctx.saved_tensors
        return grad * 1.5 * (5 * v**2 - 1)


torch.manual_seed(SEED)
x = torch.linspace(LOW, HIGH, POINTS)
y = torch.sin(x)

# Not at random: from here this rate arrives; from a start far off it may not.
a = torch.tensor(0.0, requires_grad=True)
b = torch.tensor(-1.0, requires_grad=True)
c = torch.tensor(0.0, requires_grad=True)
d = torch.tensor(0.3, requires_grad=True)

for t in range(STEPS):
    y_pred = a + b * LegendreP3.apply(c + d * x)
    loss = (y_pred - y).pow(2).sum()
    if LOG_EVERY and t % LOG_EVERY == LOG_EVERY - 1:
        print(t, loss.item())

    loss.backward()

    with torch.no_grad():
        for weight in (a, b, c, d):
            weight -= LEARNING_RATE * weight.grad
            weight.grad = None

print(f"Result: y = {a.item()} + {b.item()} * P3({c.item()} + {d.item()} x)")
