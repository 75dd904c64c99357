"""Families of polynomials, curves in them, and curves as text."""
