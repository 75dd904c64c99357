"""A Fit for human eyes: in words, in pictures, as a page."""
