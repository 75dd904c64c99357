"""The road there: the loop, the optimizers, and what the spectrum says about every step."""
