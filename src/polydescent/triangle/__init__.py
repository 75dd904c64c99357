"""Rows folded into a triangle with the same loss for every weight, and the kernels that fold."""
