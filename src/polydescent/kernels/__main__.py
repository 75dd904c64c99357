"""`python -m polydescent.kernels`: which kernels this install has, and why another is absent."""

from polydescent.kernels import described

if __name__ == "__main__":
    print(described())
