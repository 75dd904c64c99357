"""PolynomialLayer and SummaryLoss: a polynomial as a torch module, and the loss of all its rows."""

from __future__ import annotations

import math
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor, nn

from polydescent.arrays import to_host
from polydescent.checks import whole
from polydescent.errors import BadCall, BadSetting
from polydescent.estimators.recurrence import Evaluate, evaluate
from polydescent.polynomial.basis import (
    BASES,
    CHEBYSHEV,
    Basis,
    Domain,
    basis_named,
    change_of_basis,
)
from polydescent.polynomial.curve import Polynomial
from polydescent.regression.fit import Fit
from polydescent.regression.summary import Summary
from polydescent.triangle.triangle import checked_degree


class PolynomialLayer(nn.Module):
    """A polynomial with trainable weights: Σ weight[k]·p[k](v), v = x or x mapped to [−1, 1].

    Forward and backward are written by hand: each point is read once, block by block, and nothing
    but x and the weights is kept for the backward pass. It can be differentiated any number of
    times, forward and backward, in x too, and takes part in torch.func, torch.compile and
    torch.export.

    Parameters
    ----------
    degree
        Of the polynomial, a whole number from 0; default 3.
    basis
        "power" (weights are a, b, c, d of x, the coefficients; default), "chebyshev" or "legendre"
        (on x mapped from the domain to [−1, 1]).
    domain
        (lo, hi) of x, in its units, which is mapped to [−1, 1]; of no effect on powers. Default
        (−1, 1).
    features
        How many polynomials of x: the output then has one more dimension. None (default) for one,
        with an output of the shape of x.
    device, dtype
        Of the weights, as of every torch module; those of torch unless given.

    Attributes
    ----------
    weight
        The trainable weights, shape (degree + 1,), or (features, degree + 1).

    Raises
    ------
    BadDegree, BadSetting, UnknownName
        For an argument outside its range.

    Examples
    --------
    >>> import torch
    >>> from polydescent.estimators import PolynomialLayer
    >>> layer = PolynomialLayer(degree=2, dtype=torch.float64)
    >>> _ = layer.load_state_dict({"weight": torch.tensor([1.0, 2.0, 3.0])}, strict=False)
    >>> layer(torch.tensor([0.0, 1.0, 2.0])).tolist()
    [1.0, 6.0, 17.0]
    """

    def __init__(
        self,
        degree: int = 3,
        basis: str | Basis = "power",
        domain: tuple[float, float] = (-1.0, 1.0),
        features: int | None = None,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        self.degree = checked_degree(degree)
        self.basis = basis_named(basis).name
        self.domain = _checked_domain(domain)
        self.features = None if features is None else whole("features", features, 1)
        many = () if self.features is None else (self.features,)
        self.weight = nn.Parameter(
            torch.empty((*many, self.degree + 1), device=device, dtype=dtype)
        )
        self.reset_parameters()

    @classmethod
    def of(cls, fit: Fit, basis: str | Basis = "chebyshev", **kind: Any) -> Self:
        """The layer that begins with the curve of a fit.

        Parameters
        ----------
        fit
            Its curve and its domain; x in its units, of dates since the origin of `fit.axis`.
        basis
            As of the layer; default "chebyshev".
        **kind
            device and dtype; unless given, those of the tensors that were fitted, float64 on the
            CPU of other rows.

        Raises
        ------
        BadSetting
            For what is no Fit.
        """
        if not isinstance(fit, Fit):
            raise BadSetting("fit", fit, "a Fit: fit(…) or descend(…)")
        usual: dict[str, Any] = {"dtype": torch.float64}
        of = fit.summary.kind
        if of.library == "torch":
            usual = {"dtype": getattr(torch, of.dtype), "device": of.device}
        layer = cls(fit.degree, basis, _ends(fit.summary.domain), **(usual | kind))
        if layer.basis == "power":
            weights = to_host(fit.coef)
        else:
            to = change_of_basis(CHEBYSHEV, BASES[layer.basis], fit.degree)
            weights = to @ fit.curve.in_chebyshev()
        with torch.no_grad():
            layer.weight.copy_(torch.from_numpy(np.array(weights)))
        return layer

    def reset_parameters(self) -> None:
        """Draw standard normal weights from torch's own generator."""
        nn.init.normal_(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        """The polynomial at x.

        Parameters
        ----------
        x
            Any shape; it is mapped in its own dtype, before it becomes that of the weights.

        Returns
        -------
        Tensor
            Of the shape of x, and (…, features) if there are features, in the dtype of the weights.
        """
        v = x if self.basis == "power" else (x - self.domain.mid) / self.domain.half_width
        v = v.to(self.weight.dtype).reshape(-1)
        if torch.compiler.is_compiling():
            y = evaluate(v, self.weight, self.basis)
        else:
            y: Any = Evaluate.apply(v, self.weight, self.basis)
        return y.reshape((*x.shape, *self.weight.shape[:-1]))

    @property
    def coef(self) -> Tensor:
        """The coefficients of 1, x, x², …, of the shape of `weight`, detached: each the number
        nearest to exact.
        """
        weights = self.weight.detach().cpu().double().numpy()
        rows = weights.reshape(-1, self.degree + 1)
        powers = [Polynomial(BASES[self.basis], self.domain, row).powers() for row in rows]
        there = torch.from_numpy(np.array(powers).reshape(weights.shape))
        return there.to(device=self.weight.device, dtype=self.weight.dtype)

    def extra_repr(self) -> str:
        """What stands between the parentheses of its repr."""
        domain = "" if self.basis == "power" else f", domain={_ends(self.domain)}"
        features = "" if self.features is None else f", features={self.features}"
        return f"degree={self.degree}, basis={self.basis!r}{domain}{features}"


class SummaryLoss(nn.Module):
    """The sum of squared residuals of all rows, from their summary: ‖R·w − z‖² + rss.

    It costs the same whatever the number of rows, so any torch optimizer, LBFGS too, trains on all
    of them in the time of a few.

    Parameters
    ----------
    summary
        Of the rows: `polydescent.summarize`.
    basis
        What the weights belong to: "power" (default), "chebyshev" or "legendre" on the domain of
        the summary.
    degree
        Up to the summary's, which it is where left out (None).
    device, dtype
        Of the sums; float64 on the CPU unless given.

    Raises
    ------
    BadDegree, UnknownName, OutOfRange
        Where powers of x leave the range of float64: use another basis.

    Examples
    --------
    >>> import torch
    >>> from polydescent import summarize
    >>> from polydescent.estimators import SummaryLoss
    >>> loss = SummaryLoss(summarize([0, 1, 2, 3], [1, 3, 5, 8], degree=1))
    >>> round(float(loss(torch.tensor([1.0, 2.0]))), 6)
    1.0
    """

    R: Tensor
    z: Tensor
    rss: Tensor

    def __init__(
        self,
        summary: Summary,
        basis: str | Basis = "power",
        degree: int | None = None,
        *,
        device: Any = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        super().__init__()
        if not isinstance(summary, Summary):
            raise BadSetting("summary", summary, "a Summary: summarize(…)")
        triangle = summary.triangle if degree is None else summary.triangle.lower(degree)
        self.basis, self.degree = basis_named(basis).name, triangle.degree
        self.domain = summary.domain
        kind = {"device": device, "dtype": dtype or torch.float64}
        parts = triangle.least_squares(BASES[self.basis])
        for name, part in zip(("R", "z", "rss"), parts, strict=True):
            self.register_buffer(name, torch.as_tensor(np.array(part), **kind))
        self.n = summary.n

    def forward(self, weights: Tensor | PolynomialLayer) -> Tensor:
        """The loss of these weights, in the dtype of the sums.

        Parameters
        ----------
        weights
            Shape (…, degree + 1), of any floating dtype; or a PolynomialLayer of the same degree,
            basis and domain, whose weights are meant.

        Returns
        -------
        Tensor
            Shape (…,), in units of y².

        Raises
        ------
        BadCall
            For a layer in other coordinates, or another number of weights.
        """
        if isinstance(weights, PolynomialLayer):
            self._check(weights)
            weights = weights.weight
        if not weights.dim() or weights.shape[-1] != self.degree + 1:
            asked = f"{self.degree + 1} weights, of degree {self.degree}"
            raise BadCall(f"This loss is of {asked}: found a shape of {tuple(weights.shape)}.")
        weights = weights.to(self.R.dtype)
        if weights.dim() == 1:
            residual = torch.addmv(self.z, self.R, weights, beta=-1)
            return torch.dot(residual, residual) + self.rss
        residual = weights @ self.R.mT - self.z
        return residual.square().sum(dim=-1) + self.rss

    def _check(self, layer: PolynomialLayer) -> None:
        """Raise BadCall for a layer whose weights mean something else."""
        mine = self.degree, self.basis, self.basis != "power" and _ends(self.domain)
        theirs = layer.degree, layer.basis, layer.basis != "power" and _ends(layer.domain)
        if mine != theirs:
            of = f"degree={mine[0]}, basis={mine[1]!r}, domain={_ends(self.domain)}"
            raise BadCall(f"{layer} is in other coordinates than this loss: make it with {of}.")

    def extra_repr(self) -> str:
        """What stands between the parentheses of its repr."""
        return f"of {self.n:,} rows, degree={self.degree}, basis={self.basis!r}"


def _ends(domain: Domain) -> tuple[float, float]:
    return float(domain.lo), float(domain.hi)


def _checked_domain(domain: Any) -> Domain:
    """The interval (lo, hi). Raises BadSetting."""
    wanted = "(lo, hi), two finite numbers, the first below the second"
    if isinstance(domain, Domain):
        domain = _ends(domain)
    try:
        lo, hi = map(float, domain)
    except (TypeError, ValueError):
        raise BadSetting("domain", domain, wanted) from None
    if not -math.inf < lo < hi < math.inf:
        raise BadSetting("domain", domain, wanted)
    return Domain(lo, hi)
