"""Arrays of any library of the standard: computed with where they live, given back there."""

from __future__ import annotations

import importlib
import pickle
import sys
import types
from typing import Any

import numpy as np
import pytest

import polydescent as pd
from polydescent import errors
from polydescent.arrays import KINDS, Kind, namespace

X = np.linspace(-1.0, 3.0, 40)
Y = 1 - X + 0.5 * X**2 + 0.1 * np.cos(9 * X)
W = 1 + X**2


class Frozen:
    """An array of a library whose type is made in another module than its functions, as JAX's:
    a value that is not written to.
    """

    __module__ = "jaxlib_stand_in._core"

    def __init__(self, values):
        self.values = np.asarray(values)

    def __array_namespace__(self, api_version=None):
        return sys.modules["dpnp"]

    shape = property(lambda self: self.values.shape)
    ndim = property(lambda self: self.values.ndim)
    dtype = property(lambda self: self.values.dtype)
    mT = property(lambda self: Frozen(self.values.mT))
    device = "cpu:0"

    def __getitem__(self, place):
        return Frozen(self.values[_bare(place)])

    @property
    def at(self):
        return _At(self.values)

    def __dlpack__(self, **settings):
        return self.values.__dlpack__(**settings)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()

    def __float__(self):
        return float(self.values)

    def __int__(self):
        return int(self.values)

    def __bool__(self):
        return bool(self.values)

    def __len__(self):
        return len(self.values)


class _At:
    def __init__(self, values, place=None):
        self._values, self._place = values, place

    def __getitem__(self, place):
        return _At(self._values, _bare(place))

    def set(self, values):
        changed = self._values.copy()
        changed[self._place] = _bare(values)
        return Frozen(changed)


def _bare(found: Any) -> Any:
    if isinstance(found, Frozen):
        return found.values
    if isinstance(found, list | tuple):
        return type(found)(map(_bare, found))
    return {k: _bare(v) for k, v in found.items()} if isinstance(found, dict) else found


def _operator(name):
    def operation(self, *others):
        return Frozen(getattr(self.values, name)(*map(_bare, others)))

    return operation


for symbol in ("add", "sub", "mul", "truediv", "pow", "matmul"):
    for way in ("", "r"):
        setattr(Frozen, f"__{way}{symbol}__", _operator(f"__{way}{symbol}__"))
for symbol in ("lt", "le", "gt", "ge", "eq", "ne", "neg", "invert", "and", "or", "abs"):
    setattr(Frozen, f"__{symbol}__", _operator(f"__{symbol}__"))


class _Library(types.ModuleType):
    """NumPy's functions, of such arrays."""

    def __array_namespace_info__(self):
        return np.__array_namespace_info__()

    def __getattr__(self, name):
        found = getattr(np, name)
        if not callable(found) or isinstance(found, type):
            return found

        def function(*given, **settings):
            settings.pop("device", None)
            result = found(*_bare(given), **_bare(settings))
            return Frozen(result) if isinstance(result, np.ndarray | np.generic) else result

        return function


@pytest.fixture
def library(monkeypatch):
    """The namespace of frozen arrays, found where its name says."""
    stand_in = _Library("dpnp")
    monkeypatch.setitem(sys.modules, "dpnp", stand_in)
    return stand_in


def assert_as_numpy(xp, tolerance):
    """Every answer is NumPy's, as an array of the library."""
    x, y, w = (xp.asarray(column) for column in (X, Y, W))
    kind = type(x)
    dtype = str(x.dtype)

    def assert_close(found, expected):
        assert isinstance(found, kind)
        assert str(found.dtype) == dtype
        np.testing.assert_allclose(np.from_dlpack(found), expected, tolerance, tolerance)

    expected = pd.fit(X, Y, 2, weights=W)
    fit = pd.fit(x, y, 2, weights=w)
    assert fit.summary.kind.library == xp.__name__
    assert_close(fit.coef, expected.coef)
    assert_close(fit.stderr, expected.stderr)
    assert_close(fit(x), expected(X))
    assert_close(fit.residuals, expected.residuals)
    assert_close(fit.prediction_band(x)[1], expected.prediction_band(X)[1])
    assert_close(pd.fit(x, y, 2, sigma=w).coef, pd.fit(X, Y, 2, sigma=W).coef)
    assert_close(pd.fit(x, y, 2, sigma=0.5).coef, pd.fit(X, Y, 2, sigma=0.5).coef)
    assert pickle.loads(pickle.dumps(fit.summary.kind)) == fit.summary.kind
    again = pd.Fit.from_json(fit.to_json())
    assert_close(again.coef, expected.coef)
    for over in ("rows", "summary"):
        settings = {"over": over, "steps": 500, "basis": "chebyshev", "start": "zeros"}
        assert_close(pd.descend(x, y, 2, **settings).coef, pd.descend(X, Y, 2, **settings).coef)
    many = np.resize(X, 20_000)
    fit = pd.fit(xp.asarray(many), xp.asarray(many**2), 1)
    assert_close(fit.coef, pd.fit(many, many**2, 1).coef)


@pytest.mark.filterwarnings("error")
def test_a_type_made_elsewhere_than_its_library(library):
    assert namespace(Frozen(X)) is library
    assert Kind.of(Frozen(X)) == Kind("dpnp", "float64", "cpu:0")
    assert_as_numpy(library, 1e-12)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_jax(dtype):
    jax = pytest.importorskip("jax")
    with jax.enable_x64(dtype == "float64"):
        assert_as_numpy(importlib.import_module("jax.numpy"), 1e-12 if dtype == "float64" else 1e-4)


def test_a_library_that_no_model_holds_is_refused_by_name():
    stranger = _Library("stranger.numpy")
    kind = type(
        "Stranger", (Frozen,), {"__array_namespace__": lambda self, api_version=None: stranger}
    )
    with pytest.raises(errors.UnknownName, match=r"array library 'stranger\.numpy'") as refused:
        pd.fit(kind(X), kind(Y), 1)
    assert all(name in str(refused.value) for name in KINDS)
