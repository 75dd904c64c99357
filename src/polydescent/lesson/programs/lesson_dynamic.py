"""Fit a polynomial of degree 3, 4 or 5, another one at each step: e serves x⁴ and x⁵ alike."""

import math
import random

import torch

LOW, HIGH, POINTS = -math.pi, math.pi, 2000
STEPS, LEARNING_RATE, LOG_EVERY, SEED = 30000, 1e-8, 2000, 0


class Dynamic(torch.nn.Module):
    """a + b·x + c·x² + d·x³, and now and then + e·x⁴, or + e·x⁴ + e·x⁵."""

    def __init__(self):
        super().__init__()
        self.a = torch.nn.Parameter(torch.randn(()))
        self.b = torch.nn.Parameter(torch.randn(()))
        self.c = torch.nn.Parameter(torch.randn(()))
        self.d = torch.nn.Parameter(torch.randn(()))
        self.e = torch.nn.Parameter(torch.randn(()))

    def forward(self, x):
        y = self.a + self.b * x + self.c * x**2 + self.d * x**3
        for power in range(4, random.randint(4, 6)):  # plain Python decides what is recorded
            y = y + self.e * x**power
        return y


torch.manual_seed(SEED)
random.seed(SEED)
x = torch.linspace(LOW, HIGH, POINTS)
y = torch.sin(x)

model = Dynamic()
loss_of = torch.nn.MSELoss(reduction="sum")
optimizer = torch.optim.SGD(model.parameters(), lr=LEARNING_RATE, momentum=0.9)

for t in range(STEPS):
    loss = loss_of(model(x), y)
    if LOG_EVERY and t % LOG_EVERY == LOG_EVERY - 1:
        print(t, loss.item())

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

a, b, c, d, e = (weight.item() for weight in model.parameters())
print(f"Result: y = {a} + {b} x + {c} x^2 + {d} x^3 + {e} x^4 ? + {e} x^5 ?")
