"""The exact answer, and what the data leave uncertain about it."""
