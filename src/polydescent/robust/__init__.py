"""Rows that misbehave: losses that outliers do not pull, their scale, and quantiles."""
