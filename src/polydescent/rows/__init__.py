"""Anything that holds rows, as chunks of columns x, y and weights."""
