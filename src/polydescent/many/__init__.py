"""Many curves at once: summaries and fits with leading dimensions, a status for each curve."""
