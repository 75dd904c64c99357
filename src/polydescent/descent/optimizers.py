"""Every optimizer by its name, and the one that was asked for."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from polydescent.descent.adaptive import Adagrad, Adam, AdamW, NAdam, RMSprop
from polydescent.descent.contract import Optimizer
from polydescent.descent.linear import GradientDescent, Momentum, Nesterov
from polydescent.descent.searching import BarzilaiBorwein, ConjugateGradient
from polydescent.errors import BadSetting, SetTwice, UnknownName

OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.name: kind
    for kind in (
        GradientDescent,
        Momentum,
        Nesterov,
        Adam,
        AdamW,
        NAdam,
        RMSprop,
        Adagrad,
        BarzilaiBorwein,
        ConjugateGradient,
    )
}


def checked_optimizer(
    optimizer: object = None, learning_rate: float | None = None, momentum: float | None = None
) -> Optimizer:
    """The optimizer given, or the one of that name ("gd" unless named) with these settings.

    Raises UnknownName for anything else, BadCall for settings beside an optimizer that has its own,
    BadSetting.
    """
    given = {"learning_rate": learning_rate, "momentum": momentum}
    settings: dict[str, Any] = {name: v for name, v in given.items() if v is not None}
    if isinstance(optimizer, Optimizer):
        if settings:
            raise SetTwice(type(optimizer).__name__, optimizer.name, settings)
        return optimizer
    name = "gd" if optimizer is None else optimizer
    if not isinstance(name, str) or name not in OPTIMIZERS:
        raise UnknownName("optimizer", optimizer, [*OPTIMIZERS, "objects such as Momentum()"])
    kind: Any = OPTIMIZERS[name]
    for setting, value in settings.items():
        if setting not in {field.name for field in fields(kind)}:
            raise BadSetting(setting, value, f"left out: {name} has none")
    return kind(**settings)
