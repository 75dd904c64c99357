"""`python -m polydescent.kernels`: which kernels this install has, and why another is absent."""

from polydescent import kernels
from polydescent.kernels.threads import cores


def main() -> None:
    for name, absent in kernels.available().items():
        what = (kernels.KERNELS[name].__doc__ or "").partition("\n")[0]
        print(f"{name:<10} {f'absent: {absent}' if absent else f'here: {what}'}")
    print(f"{'threads':<10} {cores()}")


if __name__ == "__main__":
    main()
