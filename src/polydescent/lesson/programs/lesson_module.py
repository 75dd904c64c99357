"""Fit a cubic to a function by gradient descent: a module of one's own, with SGD."""

import math

import torch

LOW, HIGH, POINTS = -math.pi, math.pi, 2000
STEPS, LEARNING_RATE, LOG_EVERY, SEED = 2000, 1e-6, 100, 0


class Cubic(torch.nn.Module):
    """a + b·x + c·x² + d·x³ with four weights."""

    def __init__(self):
        super().__init__()
        self.a = torch.nn.Parameter(torch.randn(()))
        self.b = torch.nn.Parameter(torch.randn(()))
        self.c = torch.nn.Parameter(torch.randn(()))
        self.d = torch.nn.Parameter(torch.randn(()))

    def forward(self, x):
        return self.a + self.b * x + self.c * x**2 + self.d * x**3


torch.manual_seed(SEED)
x = torch.linspace(LOW, HIGH, POINTS)
y = torch.sin(x)

model = Cubic()
loss_of = torch.nn.MSELoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE)

for t in range(STEPS):
    loss = loss_of(model(x), y)
    if LOG_EVERY and t % LOG_EVERY == LOG_EVERY - 1:
        print(t, loss.item())

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

a, b, c, d = (weight.item() for weight in (model.a, model.b, model.c, model.d))
print(f"Result: y = {a} + {b} x + {c} x^2 + {d} x^3")
