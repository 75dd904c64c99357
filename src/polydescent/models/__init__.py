"""Summaries that last, and passes that outlive their process."""
