"""Fit a cubic to a function by gradient descent: NumPy, both passes written by hand."""

import math

import numpy as np

LOW, HIGH, POINTS = -math.pi, math.pi, 2000
STEPS, LEARNING_RATE, LOG_EVERY, SEED = 2000, 1e-6, 100, 0

# 1. The data: equally spaced x, and the y that the curve should have there.
x = np.linspace(LOW, HIGH, POINTS)
y = np.sin(x)

# 2. Four weights, drawn at random.
a, b, c, d = np.random.default_rng(SEED).standard_normal(4)

for t in range(STEPS):
    # 3. Forward: what the curve is at x.
    y_pred = a + b * x + c * x**2 + d * x**3

    # 4. The loss: the sum of the squared residuals.
    loss = np.square(y_pred - y).sum()
    if LOG_EVERY and t % LOG_EVERY == LOG_EVERY - 1:
        print(t, loss)

    # 5. Backward: the derivative of the loss by each weight, by the chain rule.
    grad_y_pred = 2.0 * (y_pred - y)
    grad_a = grad_y_pred.sum()
    grad_b = (grad_y_pred * x).sum()
    grad_c = (grad_y_pred * x**2).sum()
    grad_d = (grad_y_pred * x**3).sum()

    # 6. Update: a small step downhill.
    a -= LEARNING_RATE * grad_a
    b -= LEARNING_RATE * grad_b
    c -= LEARNING_RATE * grad_c
    d -= LEARNING_RATE * grad_d

print(f"Result: y = {a} + {b} x + {c} x^2 + {d} x^3")
