"""The only file that knows NumPy from PyTorch: kinds of arrays, and the gaps of the standard."""

from __future__ import annotations

import importlib
import sys
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from polydescent.errors import (
    LengthMismatch,
    MissingExtra,
    MixedKinds,
    NoDevice,
    NoRows,
    NotNumbers,
    OutOfRange,
    UnknownName,
    WrongShape,
)
from polydescent.sealed import schema


def counted(weights: Array | None, counts: Array | None, omega: Array) -> int:
    """How many rows count: those whose ω·c is not 0, each as often as its count says."""
    xp = namespace(omega)
    if counts is None:
        return int(xp.count_nonzero(omega))
    if weights is not None:
        counts = xp.where(omega == 0, xp.zeros_like(omega), in_double(counts))
    return int(xp.sum(in_double(counts)))


Array = Any  # any array of the standard: numpy.ndarray, torch.Tensor, …
LIBRARIES = ("numpy", "torch")
# the libraries that numbers are put into, with their dtypes: a kind may come from a file, and what
# is not in here is not imported
KINDS = {
    "numpy": ("float64", "float32", "float16", "longdouble", "float128", "float96"),
    "torch": ("float64", "float32", "float16", "bfloat16"),
    "cupy": ("float64", "float32", "float16"),
    "jax.numpy": ("float64", "float32", "float16", "bfloat16"),
    "dpnp": ("float64", "float32", "float16"),
    "array_api_strict": ("float64", "float32"),
}


@dataclass(frozen=True)
class Kind:
    """Where numbers live: library, dtype and device by name, so that a result can be given back
    there.

    Plain strings, because a kind travels to workers and into files.
    """

    library: str = "numpy"
    dtype: str = "float64"
    device: str = "cpu"

    @classmethod
    def of(cls, *arrays: Array) -> Kind:
        """The one kind that all `arrays` share, with the wider of their dtypes.

        Raises MixedKinds, UnknownName for a library whose arrays could not be given back.
        """
        xp = namespace(*arrays)
        if xp is np:
            dtype = arrays[0].dtype
            for other in arrays[1:]:
                if other.dtype != dtype:
                    dtype = np.result_type(dtype, other.dtype)
            return _NUMPY.get(dtype.name) or cls("numpy", dtype.name)
        devices = list(dict.fromkeys(_device_name(a) for a in arrays))
        if len(devices) > 1:
            raise MixedKinds(devices)
        dtype = xp.result_type(*arrays)
        return cls(_library(xp), str(dtype).rpartition(".")[2], devices[0])

    @classmethod
    def choose(cls, library: str, device: str | None = None, dtype: str | None = None) -> Kind:
        """A kind from names a user typed, checked against what is here.

        Raises UnknownName for a library or dtype, NoDevice for a device that is not there.
        """
        if library not in LIBRARIES:
            raise UnknownName("backend", library, LIBRARIES)
        if dtype not in (None, "float32", "float64"):
            raise UnknownName("dtype", dtype, ("float32", "float64"))
        there_are = devices(library)
        wanted = device or "cpu"
        if wanted not in there_are:
            raise NoDevice(wanted, there_are, library)
        if wanted.startswith("mps") and dtype == "float64":
            raise NotNumbers("--dtype", "float64 on mps", "That device has float32 only.")
        return cls(library, dtype or ("float32" if wanted.startswith("mps") else "float64"), wanted)

    @property
    def namespace(self) -> Any:
        """The array namespace of the library. Raises UnknownName, MissingExtra."""
        if self.library == "numpy":
            return np
        if self.library == "torch":
            _torch()
            return importlib.import_module("array_api_compat.torch")
        if self.library not in KINDS:
            raise UnknownName("array library", self.library, KINDS)
        return importlib.import_module(self.library)

    def put(self, values: Any) -> Array:
        """`values` (host numbers) as an array of this kind."""
        host = np.asarray(values, dtype=np.float64)
        if self.library == "numpy":
            return host.astype(self.dtype, copy=False)
        xp = self.namespace
        dtype = getattr(xp, self.dtype)
        if self.library == "torch":
            if self.device != "cpu" and self.device not in (there_are := devices("torch")):
                raise NoDevice(self.device, there_are, "torch")  # a model of another machine
            return xp.asarray(host, dtype=dtype, device=self.device)
        return xp.asarray(host, dtype=dtype)

    def joint(self, other: Kind) -> Kind:
        """The kind for results about rows of both, the same in either order: the wider dtype, and
        where libraries or devices differ NumPy or the CPU.
        """
        if self == other:
            return self
        dtype = max(self.dtype, other.dtype, key=lambda name: (_WIDTHS.get(name, 64), name))
        if self.library != other.library:
            return Kind("numpy", dtype)
        return Kind(self.library, dtype, self.device if self.device == other.device else "cpu")

    def to_record(self) -> dict[str, Any]:
        """Its names."""
        return asdict(self)

    @classmethod
    def from_record(cls, found: Any, where: str) -> Self:
        """The inverse, of names from closed sets: they decide what is imported. Raises Misfit."""
        kind = cls(**_RECORD(found, where))
        schema.choice(KINDS[kind.library])(kind.dtype, f"{where}.dtype")
        if kind.library == "numpy":
            schema.choice(("cpu",))(kind.device, f"{where}.device")
            schema.check(
                hasattr(np, kind.dtype), f"{where}.dtype", "one of this machine", kind.dtype
            )
        elif kind.library == "torch":  # of the others it is not used
            _DEVICE(kind.device, f"{where}.device")
        return kind

    def __str__(self) -> str:
        return f"{self.library} {self.dtype} on {self.device}"


_RECORD = schema.record(
    {"library": schema.choice(KINDS), "dtype": schema.text, "device": schema.text}
)
_DEVICE = schema.matching(r"(cpu|cuda|mps|xpu)(:\d{1,3})?", "a device, such as cpu or cuda:0")
_NUMPY = {"float64": Kind(), "float32": Kind("numpy", "float32")}  # built once: the common answers
_WIDTHS = {"float16": 16, "bfloat16": 16, "float32": 32, "float64": 64, "longdouble": 128}
_EXACT = 2**53  # whole numbers beyond it are not all float64


def namespace(*arrays: Array) -> Any:
    """The array namespace that `arrays` share. NumPy 2 follows the standard itself."""
    if all(type(a) is np.ndarray for a in arrays):
        return np
    kinds = list(dict.fromkeys(type(a).__module__.partition(".")[0] for a in arrays))
    if len(kinds) > 1:
        raise MixedKinds(kinds)
    from array_api_compat import array_namespace  # costs 70 ms: only where something else comes in

    return array_namespace(*arrays)


def is_array(values: object) -> bool:
    """True for an array or tensor of any library in the standard; NumPy's scalars are numbers."""
    if isinstance(values, np.ndarray | np.generic):
        return isinstance(values, np.ndarray)
    torch = sys.modules.get("torch")
    return (torch is not None and isinstance(values, torch.Tensor)) or hasattr(
        values, "__array_namespace__"
    )


def is_iterator(values: object) -> bool:
    """True for values that can be read only once."""
    sized = hasattr(values, "__len__") or is_array(values)
    return hasattr(values, "__iter__") and not sized


def columns(**named: Any) -> list[Array]:
    """The named columns as one-dimensional real floating arrays of one kind and one length.

    Arrays and tensors stay in their library and on their device; lists, tuples, Series and numbers
    become NumPy. Whole numbers and booleans become float64.

    Raises NotNumbers, WrongShape, LengthMismatch, MixedKinds, NoRows.
    """
    arrays = [_column(name, values) for name, values in named.items()]
    lengths = {name: a.shape[0] for name, a in zip(named, arrays, strict=True)}
    if len(set(lengths.values())) > 1:
        raise LengthMismatch(lengths)
    if arrays[0].shape[0] == 0:
        raise NoRows()
    namespace(*arrays)
    return arrays


def _column(name: str, values: Any) -> Array:
    array = real_array(name, values)
    if len(array.shape) != 1:
        raise WrongShape(name, tuple(array.shape))
    return array


def real_array(name: str, values: Any) -> Array:
    """Values of any shape as a real floating array: see `columns`. Raises NotNumbers."""
    if not is_array(values):
        values = _from_python(name, values)
    elif isinstance(values, np.ndarray) and values.dtype == object:
        values = _from_objects(name, values)
    elif type(values) is not np.ndarray and isinstance(values, np.ndarray):
        values = _from_subclass(values)
    return _real(name, values)


def _from_subclass(values: np.ndarray) -> np.ndarray:
    """A plain array from numpy.matrix and the like; masked values become NaN."""
    if isinstance(values, np.ma.MaskedArray):
        return np.ma.filled(values.astype(np.float64), np.nan)
    return np.asarray(values)


def _from_python(name: str, values: Any) -> np.ndarray:
    """A NumPy array from a list, tuple, Series, range or number-like thing."""
    if isinstance(values, str | bytes | dict | set) or values is None:
        raise NotNumbers(name, f"{type(values).__name__} {values!r:.40}")
    if is_iterator(values):
        values = list(values)
    try:
        array = _as_array(values)
    except ValueError as ragged:
        raise NotNumbers(name, "rows of unequal length", "Pass one flat column.") from ragged
    return _from_objects(name, array) if array.dtype == object else array


def _from_objects(name: str, array: np.ndarray) -> np.ndarray:
    """float64 of the same shape, each value rounded once: Decimal, Fraction, whole numbers of any
    size and nullable columns are numbers too; a missing one becomes NaN.
    """
    try:
        numbers = [np.nan if is_missing(v) else float(v) for v in array.ravel()]
    except (TypeError, ValueError) as why:
        raise NotNumbers(name, f"objects ({why})") from None
    except OverflowError:
        raise OutOfRange(f"Some {name}", f"Divide {name} by a constant first.") from None
    return np.array(numbers, dtype=np.float64).reshape(array.shape)


def is_missing(value: object) -> bool:
    """Whether an object stands for a value that is not there; NaN is a number."""
    return value is None or type(value).__name__ in ("NAType", "NaTType")


def held_exactly(values: Any) -> Any:
    """A container of numbers as a NumPy array in which none is rounded: Python's own numbers where
    no dtype holds them all. Arrays, and what is no container of numbers, come back as they are.
    """
    if is_array(values) or isinstance(values, str | bytes | dict | set) or values is None:
        return values
    if is_iterator(values):
        values = list(values)
    try:
        array = _as_array(values)
    except ValueError:  # ragged: `columns` says so
        return values
    if array.dtype.kind != "f" or array.ndim != 1 or _holds_floats(values):
        return array
    with np.errstate(invalid="ignore"):
        small = not (np.abs(array) >= _EXACT).any()
    return array if small else _as_objects(values)


def _as_array(values: Any) -> np.ndarray:
    """A container as NumPy has it, Python's own numbers where NumPy has no dtype for them."""
    wide = str(getattr(values, "dtype", "")).lower().endswith("int128")
    return _as_objects(values) if wide else np.asarray(values)


def _as_objects(values: Any) -> np.ndarray:
    objects = np.empty(len(values), dtype=object)
    objects[:] = _listed(values)
    return objects


def _holds_floats(values: Any) -> bool:
    """Whether a container says that its numbers are floating, so that no whole ones are in it."""
    if isinstance(values, list | tuple):
        return all(issubclass(kind, float | np.floating) for kind in set(map(type, values)))
    kind = str(getattr(values, "dtype", getattr(values, "type", ""))).lower()
    return kind.startswith(("float", "double", "halffloat"))


def _listed(values: Any) -> list[Any]:
    """The values of a container as Python has them: by its own method, which rounds nothing."""
    for method in ("to_pylist", "to_list", "tolist"):
        if hasattr(values, method):
            return getattr(values, method)()
    return list(values)


def _real(name: str, array: Array) -> Array:
    """`array` with a real floating dtype."""
    if type(array) is np.ndarray:
        kind = array.dtype.kind
        if kind == "f":
            return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))
        if kind in "iub":
            return array.astype(np.float64)
        found = {"c": "complex numbers", "U": "text", "S": "text", "T": "text"}.get(
            kind, f"dtype {array.dtype}"
        )
        first = f" (first value {array.flat[0]!r:.40})" if array.size else ""
        raise NotNumbers(name, found + first)
    xp = namespace(array)
    array = array.detach() if hasattr(array, "detach") else array
    if xp.isdtype(array.dtype, "real floating"):
        return array
    if xp.isdtype(array.dtype, "complex floating"):
        raise NotNumbers(name, "complex numbers")
    return xp.astype(array, xp.float64 if _has_double(array) else xp.float32)


def weights_of_counted(weights: Array | None, counts: Array | None) -> Array | None:
    """ω·c, the weight of a row that stands for c rows of weight ω, in float64; 0 where c is 0,
    whatever ω is. None for 1.
    """
    if weights is None or counts is None:
        return counts if weights is None else weights
    weights, counts = in_double(weights), in_double(counts)
    xp = namespace(weights, counts)
    return xp.where(counts == 0, xp.zeros_like(weights), weights) * counts


def to_host(array: Array) -> np.ndarray:
    """`array` as float64 NumPy on the host."""
    if isinstance(array, np.ndarray):
        return array.astype(np.float64, copy=False)
    if hasattr(array, "detach"):  # torch: mps has no float64, so move first
        return array.detach().cpu().double().numpy()
    if is_array(array):
        return np.from_dlpack(array).astype(np.float64)
    return np.asarray(array, dtype=np.float64)


def in_double(array: Array) -> Array:
    """`array` in float64 where it lives; on the host where its device has none."""
    if type(array) is np.ndarray:
        return array.astype(np.float64, copy=False)
    if not _has_double(array):
        array = array.cpu() if hasattr(array, "cpu") else to_host(array)
    xp = namespace(array)
    return xp.astype(array, xp.float64, copy=False)


def beside(array: Array, values: Array) -> Array:
    """`values` from `in_double` where `array` lives: in float32 where that is the widest there."""
    if _has_double(array):
        return values
    xp = namespace(array)
    return xp.asarray(values, dtype=xp.float32, device=array.device)


def matvec(A: Array, w: Array) -> Array:
    """A·w over the last axes: shapes (…, m, k) and (…, k) give (…, m)."""
    if type(A) is np.ndarray and w.ndim == 1:
        return A.dot(w)  # at k = 4 a third of the time of `@`, which looks for broadcasting first
    return (A @ w[..., None])[..., 0]


def sum_squares(r: Array) -> Array:
    """Σ r² over the last axis."""
    if type(r) is np.ndarray and r.ndim == 1:
        return r.dot(r)  # as in matvec
    return namespace(r).sum(r * r, axis=-1)


def is_all(mask: Array) -> bool:
    """Whether every entry is true; at once where there is only one."""
    return bool(mask if np.ndim(mask) == 0 else namespace(mask).all(mask))


def is_any(mask: Any) -> bool:
    """Whether some entry is true; at once where there is only one."""
    return bool(mask.any() if np.ndim(mask) else mask)


def number_or_stack(values: Any) -> Any:
    """What belongs to one curve as a float, what belongs to a stack as the array it is."""
    return values if np.ndim(values) else float(values)


def quiet() -> np.errstate:
    """A context in which overflow is a value (inf), not a warning: a diverging run is meant to show
    it.
    """
    return np.errstate(over="ignore", invalid="ignore")


def devices(library: str) -> list[str]:
    """The names of the devices that `library` has on this machine."""
    if library == "numpy":
        return ["cpu"]
    torch = _torch()
    found = ["cpu"]
    if torch.cuda.is_available():
        found += ["cuda", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
    if torch.backends.mps.is_available():
        found += ["mps"]
    return found


def _torch() -> Any:
    try:
        return importlib.import_module("torch")
    except ImportError:
        raise MissingExtra("PyTorch", "torch", "The torch backend") from None


def _library(xp: Any) -> str:
    """The name of an array namespace, by which it is found again. Raises UnknownName.

    It is not where the type of its arrays is made: that of jax.numpy is in jaxlib.
    """
    name = xp.__name__.removeprefix("array_api_compat.")
    if name not in KINDS:
        raise UnknownName("array library", name, KINDS)
    return name


def on_rows(array: Array) -> Array:
    """`array` where float64 sums over it can be taken in place: on the host for JAX, whose arrays
    cannot be written to and, unless asked otherwise, have no float64.
    """
    return to_host(array) if _is_frozen(array) else array


def written(array: Array, place: Any, values: Any) -> Array:
    """`array` with `values` at a place: the same array, or a new one where none can be changed."""
    if _is_frozen(array):
        return array.at[place].set(values)
    array[place] = values
    return array


def _has_double(array: Array) -> bool:
    """Whether float64 is there where the array lives: mps has none, JAX only if it was asked to."""
    if _is_frozen(array):
        xp = namespace(array)
        return "float64" in xp.__array_namespace_info__().dtypes(kind="real floating")
    return not _device_name(array).startswith("mps")


def _is_frozen(array: Array) -> bool:
    """Whether an array cannot be changed: JAX's are values, with `at` to make others of them."""
    return hasattr(array, "at")


def _device_name(array: Array) -> str:
    return str(getattr(array, "device", "cpu")).lower()


def qr_triangle(A: Array) -> Any:
    """R of A = Q·R, without forming Q where the library can."""
    xp = namespace(A)
    if xp is np:
        return np.linalg.qr(A, mode="r")
    if xp.__name__ == "array_api_compat.torch":
        return xp.linalg.qr(A, mode="r")[1]
    return xp.linalg.qr(A).R


def first_bad(values: Array) -> tuple[int, int, int, float] | None:
    """(count, n, first index, first value) of the values that are NaN or infinite, or None."""
    xp = namespace(values)
    bad = ~xp.isfinite(values)
    count = int(xp.count_nonzero(bad))
    if not count:
        return None
    first = int(xp.argmax(xp.astype(bad, xp.int8)))
    return count, values.shape[0], first, float(values[first])


def distinct(values: np.ndarray) -> np.ndarray:
    """Whole numbers in order, each once: as np.unique does, which loads numpy.ma, in 15 ms."""
    values = np.sort(values)
    return values[np.append(True, values[1:] != values[:-1])] if values.size else values


def count_distinct(values: Array) -> int:
    """How many different values there are."""
    return int(np.unique(to_host(values)).size)


def host_view(array: Array) -> np.ndarray | None:
    """`array` as NumPy over the same memory; None where it lives elsewhere or has another dtype."""
    if type(array) is np.ndarray:
        return array
    try:
        return np.from_dlpack(array)
    except (AttributeError, BufferError, RuntimeError, TypeError):
        return None


def into(out: Array, operation: str, a: Array, b: Array) -> None:
    """out ← operation(a, b), elementwise; in NumPy without a temporary: the standard has no out."""
    xp = namespace(out)
    if xp is np:
        getattr(np, operation)(a, b, out=out)
    else:
        out[...] = getattr(xp, operation)(a, b)
