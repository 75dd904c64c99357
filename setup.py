"""Build the C kernels where there is a compiler; without one the package installs all the same.

Everything else about the package stands in pyproject.toml, but for what has to be computed: the tag
of the wheel, and the README as a page of its own.
"""

import re
import sysconfig
from pathlib import Path

from cffi import FFI
from setuptools import setup

ROOT = Path(__file__).resolve().parent
PACKAGE = ROOT / "src" / "polydescent"
PORTABLE = PACKAGE / "triangle" / "kernels" / "portable.h"

# Sums may be reordered, which vectorizes them; NaN and infinity keep their meaning. -ffast-math is
# out: with common GCCs it flips the whole process to flush-to-zero when the library loads.
FAST = ["-O3", "-fassociative-math", "-fno-signed-zeros", "-fno-trapping-math", "-fno-math-errno"]
# Double-double lives on rounding errors: nothing reordered, nothing fused.
EXACT = ["-O3", "-ffp-contract=off", "-fno-trapping-math", "-fno-math-errno"]


def extension(place: str, flags: list[str]) -> FFI:
    """The extension `polydescent.{room}._{name}`: {name}.c behind the declarations in {name}.h."""
    room, _, name = place.rpartition(".")
    folder = PACKAGE.joinpath(*room.split("."))
    header, source = folder / f"{name}.h", folder / f"{name}.c"
    declarations = header.read_text(encoding="utf-8")
    ffi = FFI()
    ffi.cdef(declarations)
    ffi.set_source(
        f"polydescent.{room}._{name}",
        declarations + source.read_text(encoding="utf-8"),
        depends=[str(source), str(header), str(PORTABLE)],
        include_dirs=[str(PORTABLE.parent)],
        extra_compile_args=flags,
        optional=True,
    )
    return ffi


def sums() -> FFI:
    return extension("triangle.kernels.sums", FAST)


def curves() -> FFI:
    return extension("triangle.kernels.curves", FAST)


def partition() -> FFI:
    return extension("many.partition", FAST)


def precise() -> FFI:
    return extension("least_squares.precise", EXACT)


def fused() -> FFI:
    return extension("descent.fused", FAST)


def page(readme: str) -> str:
    """The README for a package index, where no file lies beside it: without pictures and with the
    names of files in place of links to them; they are in the source distribution.
    """
    plain = re.sub(r"^!\[[^\]]*\]\((?!https?:)[^)]+\)\n+", "", readme, flags=re.MULTILINE)
    return re.sub(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)([^)]+)\)", r"\1 (`\2`)", plain)


# cffi builds against the stable ABI, so one wheel serves every CPython from 3.11 on; a
# free-threaded CPython has no stable ABI yet
STABLE = {} if sysconfig.get_config_var("Py_GIL_DISABLED") else {"py_limited_api": "cp311"}

if __name__ != "__cffi__":  # cffi runs this file under that name to find the functions
    setup(
        cffi_modules=[
            f"setup.py:{name}" for name in ("sums", "curves", "partition", "precise", "fused")
        ],
        options={"bdist_wheel": STABLE},
        long_description=page((ROOT / "README.md").read_text(encoding="utf-8")),
        long_description_content_type="text/markdown",
    )
