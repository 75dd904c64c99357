"""Every argument of everything public stands in its docstring, by name."""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import polydescent
import polydescent.estimators
import polydescent.xarray

SECTION = re.compile(r"^(\w+)\n-{3,}\n", re.M)


def members(kind: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The methods of a class that are our own and public, and what calling an instance does."""
    for name in dir(kind):
        found = inspect.getattr_static(kind, name)
        found = getattr(found, "__func__", found)
        public = name == "__call__" or not name.startswith("_")
        if inspect.isfunction(found) and public and found.__module__.startswith("polydescent"):
            yield f"{kind.__name__}.{name}", found


def callables() -> Iterator[tuple[str, Any]]:
    homes = (polydescent, polydescent.estimators, polydescent.xarray)
    for value in (getattr(home, name) for home in homes for name in home.__all__):
        if inspect.isfunction(value):
            yield value.__name__, value
        elif inspect.isclass(value):
            yield value.__name__, value
            yield from members(value)


PUBLIC = dict(callables())


def parameters(value: Any) -> set[str]:
    if not inspect.isclass(value):
        return {name for name in inspect.signature(value).parameters if name not in ("self", "cls")}
    if dataclasses.is_dataclass(value):
        return {field.name for field in dataclasses.fields(value) if field.init}
    made = vars(value).get("__init__")
    return parameters(made) if made else set()


def described(value: Any) -> set[str]:
    """The names in the sections on arguments; of a class also those of its bases' fields."""
    found: set[str] = set()
    for each in value.__mro__ if inspect.isclass(value) else (value,):
        parts = SECTION.split(inspect.getdoc(each) or "")
        for title, body in zip(parts[1::2], parts[2::2], strict=True):
            if title == "Parameters" or (title == "Attributes" and inspect.isclass(value)):
                heads = re.findall(r"^\S.*$", body, re.M)
                found |= {name.strip(" *") for head in heads for name in head.split(",")}
    return found


def test_there_is_something_public():
    assert {"fit", "Fit.equation", "Forecast.steps_to", "UncertainCurve.__call__"} <= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_argument_is_described(name: str):
    value = PUBLIC[name]
    assert inspect.getdoc(value)
    assert parameters(value) - described(value) == set()


@pytest.mark.parametrize("name", PUBLIC)
def test_no_argument_is_described_that_is_not_there(name: str):
    value = PUBLIC[name]
    if not inspect.isclass(value):
        assert described(value) - parameters(value) == set()
