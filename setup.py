"""Build the C kernels where there is a compiler; without one the package installs all the same.

Everything else about the package stands in pyproject.toml.
"""

from pathlib import Path

from cffi import FFI
from setuptools import setup

KERNELS = Path(__file__).resolve().parent / "src" / "polydescent" / "kernels"

# Sums may be reordered, which vectorizes them; NaN and infinity keep their meaning. -ffast-math is
# out: with common GCCs it flips the whole process to flush-to-zero when the library loads.
FAST = ["-O3", "-fassociative-math", "-fno-signed-zeros", "-fno-trapping-math", "-fno-math-errno"]
# Double-double lives on rounding errors: nothing reordered, nothing fused.
EXACT = ["-O3", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno"]


def extension(name: str, flags: list[str]) -> FFI:
    """The extension `polydescent.kernels._{name}`: {name}.c behind the declarations in {name}.h."""
    header, source = KERNELS / f"{name}.h", KERNELS / f"{name}.c"
    declarations = header.read_text(encoding="utf-8")
    ffi = FFI()
    ffi.cdef(declarations)
    ffi.set_source(
        f"polydescent.kernels._{name}",
        declarations + source.read_text(encoding="utf-8"),
        depends=[str(source), str(header)],
        extra_compile_args=flags,
        optional=True,
    )
    return ffi


def moments() -> FFI:
    return extension("moments", FAST)


def precise() -> FFI:
    return extension("precise", EXACT)


if __name__ != "__cffi__":  # cffi runs this file under that name to find the two functions
    setup(cffi_modules=["setup.py:moments", "setup.py:precise"])
