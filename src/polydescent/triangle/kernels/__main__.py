"""`python -m polydescent.triangle.kernels`: which kernels this install has, and why others lack."""

from polydescent.triangle.kernels import described

if __name__ == "__main__":
    print(described())
