"""An optimizer with its settings as a record, and back."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from polydescent.descent.optimizers import OPTIMIZERS, Optimizer
from polydescent.errors import BadSetting, Misfit
from polydescent.sealed import schema
from polydescent.sealed.document import exactly

_FORMS = {  # of every setting that an optimizer has
    "learning_rate": schema.nullable(schema.number(0.0)),
    "momentum": schema.nullable(schema.number(0.0, 1.0)),
    "betas": schema.pair(schema.number(0.0, 1.0), schema.number(0.0, 1.0)),
    "eps": schema.number(0.0),
    "alpha": schema.number(0.0, 1.0),
    "weight_decay": schema.number(0.0),
    "momentum_decay": schema.number(0.0),
    "lr_decay": schema.number(0.0),
    "initial_accumulator_value": schema.number(0.0),
}


def to_record(optimizer: Optimizer) -> dict[str, Any]:
    """Its name and settings."""
    return {"name": optimizer.name} | {name: exactly(v) for name, v in vars(optimizer).items()}


def from_record(found: Any, where: str) -> Optimizer:
    """The optimizer of that name, with the settings it has. Raises Misfit."""
    named = type(found) is dict and "name" in found
    schema.check(named, where, "an object with a name", found)
    name = schema.choice(OPTIMIZERS)(found["name"], f"{where}.name")
    kind: Any = OPTIMIZERS[name]
    forms = {"name": schema.text} | {f.name: _FORMS[f.name] for f in fields(kind)}
    settings = schema.record(forms)(found, where)
    try:
        return kind(**{key: value for key, value in settings.items() if key != "name"})
    except BadSetting as why:
        raise Misfit(where, f"settings of {name}", str(why)) from None
