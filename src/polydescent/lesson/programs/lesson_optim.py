"""Fit a cubic to a function: the update comes from an optimizer, RMSprop."""

import math

import torch

LOW, HIGH, POINTS = -math.pi, math.pi, 2000
STEPS, LEARNING_RATE, LOG_EVERY, SEED = 2000, 1e-3, 100, 0

torch.manual_seed(SEED)
x = torch.linspace(LOW, HIGH, POINTS)
y = torch.sin(x)
powers = x.unsqueeze(-1).pow(torch.tensor([1, 2, 3]))

model = torch.nn.Sequential(torch.nn.Linear(3, 1), torch.nn.Flatten(0, 1))
loss_of = torch.nn.MSELoss(reduction="sum")

# It divides each step by the size that the gradient lately had, weight by weight.
optimizer = torch.optim.RMSprop(model.parameters(), lr=LEARNING_RATE)

for t in range(STEPS):
    loss = loss_of(model(powers), y)
    if LOG_EVERY and t % LOG_EVERY == LOG_EVERY - 1:
        print(t, loss.item())

    optimizer.zero_grad()
    loss.backward()
    optimizer.step()

linear = model[0]
a = linear.bias.item()
b, c, d = linear.weight[0].tolist()
print(f"Result: y = {a} + {b} x + {c} x^2 + {d} x^3")
