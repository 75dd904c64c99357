"""How the rows of a fit were judged: by which loss, and by which formula its errors follow."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np

from polydescent.errors import BadSetting, Misfit, UnknownName
from polydescent.least_squares.sandwich import EQUAL, HAC, POWERS, Variance
from polydescent.robust.losses import KINDS, AnyLoss, Loss, Quantile, described
from polydescent.sealed import schema
from polydescent.sealed.document import exactly


@dataclass(frozen=True, eq=False)
class Judgment:
    """What a loss or a formula for uneven noise made of the rows, beside plain least squares.

    Attributes
    ----------
    mix
        Shape (m, j): factor·mix is a root of the covariance of the weights, in units of y, with the
        factor of the least squares solution.
    loss
        None for squares.
    variance
        "equal", a kind of HC, or HAC with its lags.
    scale
        Of the residuals, in units of y (of one row of weight 1); NaN for squares and quantiles.
    discounted
        Rows that count less than half; 0 for squares and quantiles.
    passes
        How often all rows were read after the first time.
    """

    mix: np.ndarray
    loss: AnyLoss | None = None
    variance: Variance = EQUAL
    scale: float = math.nan
    discounted: int = 0
    passes: int = 1

    @property
    def weighs(self) -> Loss | None:
        """The loss, where it weighs rows by their residuals."""
        return self.loss if isinstance(self.loss, Loss) else None

    @property
    def is_quantile(self) -> bool:
        """Whether the loss is a quantile's."""
        return isinstance(self.loss, Quantile)

    @property
    def word(self) -> str:
        """The loss with its settings, "squares" without one."""
        return "squares" if self.loss is None else described(self.loss)

    @property
    def formula(self) -> str:
        """How the standard errors follow, in the words of the field."""
        if isinstance(self.loss, Quantile):
            return (
                "q·(1 − q)·H⁻¹·VᵀV·H⁻¹, H = Σ density·v·vᵀ about the curve (Hendricks and "
                "Koenker, bandwidth of Bofinger)"
            )
        if self.loss is not None:
            return "κ²·s²·Σψ²/(n − k)/(mean ψ′)²·(VᵀV)⁻¹ (Huber's H1, V not weighed by the loss)"
        if isinstance(self.variance, HAC):
            return (
                f"B·M·B, M of residuals up to {self.variance.lags} rows apart with Bartlett's "
                "weights (HAC, Newey and West)"
            )
        return f"B·M·B, M = Σ r²·v·vᵀ{_CORRECTION[self.variance]} ({self.variance})"

    def __repr__(self) -> str:
        what = described(self.loss) if self.loss is not None else str(self.variance)
        return f"<Judgment by {what}, {self.passes} passes>"

    # ── in a file ──

    def to_record(self) -> dict[str, Any]:
        """Plain lists, numbers and text."""
        loss = None
        if self.loss is not None:
            loss = {"name": self.loss.name} | {
                f.name: getattr(self.loss, f.name) for f in fields(self.loss)
            }
        lags = self.variance.lags if isinstance(self.variance, HAC) else None
        return {
            "mix": exactly(self.mix),
            "loss": loss,
            "variance": self.variance if isinstance(self.variance, str) else "HAC",
            "lags": lags,
            "scale": exactly(self.scale),
            "discounted": self.discounted,
            "passes": self.passes,
        }

    @classmethod
    def from_record(cls, found: Any, where: str, free: int) -> Self:
        """The inverse, of a fit with so many free coefficients. Raises Misfit."""
        values = _RECORD(found, where)
        columns = len(values["mix"][0]) if values["mix"] and type(values["mix"][0]) is list else 0
        schema.check(0 < columns <= 302, f"{where}.mix", "a matrix", columns)
        mix = schema.array((free, columns), schema.extended)(values["mix"], f"{where}.mix")
        hac = values["variance"] == "HAC"
        lags = values.pop("lags")
        schema.check(hac == (lags is not None), f"{where}.lags", "there for HAC alone", lags)
        if hac:
            values["variance"] = HAC(lags)
        return cls(**values | {"mix": mix})


_CORRECTION = {"HC0": "", "HC1": "·n/(n − k)", "HC2": "/(1 − h)", "HC3": "/(1 − h)²"}


def _loss_form(found: Any, where: str) -> AnyLoss | None:
    if found is None:
        return None
    named = type(found) is dict and type(found.get("name")) is str and found["name"] in KINDS
    schema.check(named, f"{where}.name", " or ".join(KINDS), found)
    kind = KINDS[found["name"]]
    forms = {"name": schema.text} | {f.name: schema.number() for f in fields(kind)}
    values = schema.record(forms)(found, where)
    try:
        return kind(**{name: value for name, value in values.items() if name != "name"})
    except (BadSetting, UnknownName) as why:
        raise Misfit(where, f"settings of {found['name']}", str(why)) from None


_RECORD = schema.record(
    {
        "mix": schema.anything,
        "loss": _loss_form,
        "variance": schema.choice((EQUAL, *POWERS, "HAC")),
        "lags": schema.nullable(schema.whole(0)),
        "scale": schema.extended,
        "discounted": schema.whole(),
        "passes": schema.whole(),
    }
)
