"""Polynomials of tensors by recurrence: two autograd functions, each the derivative of the other.

`Evaluate` is Σ w[k]·p[k](v) at every v, `Sums` is Σ g·p[k](v) over all of them. The gradient of the
one in w is the other, and their gradients in v are evaluations of the derivative, a polynomial with
other weights. Nothing but v and w, or v and g, is kept for the backward pass.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from polydescent.polynomial.basis import BASES

_BLOCK = 1 << 16  # points at once on a CPU: a column is 512 kB in float64
_DERIVATIVES = {
    "power": np.polynomial.polynomial.polyder,
    "chebyshev": np.polynomial.chebyshev.chebder,
    "legendre": np.polynomial.legendre.legder,
}


class Evaluate(torch.autograd.Function):
    """(v, w) ↦ Σ w[…, k]·p[k](v): shapes (points,) and (…, k) give (points, …), where … is
    nothing or the features.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(v: Tensor, w: Tensor, basis: str) -> Tensor:  # type: ignore[override]
        if not _is_plain(v, w):
            return evaluate(v, w, basis)
        out = v.new_empty((v.shape[0], *w.shape[:-1]))
        for start in range(0, v.shape[0], _BLOCK):
            size = min(_BLOCK, v.shape[0] - start)
            _evaluate_into(out.narrow(0, start, size), v.narrow(0, start, size), w, basis)
        return out

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        v, w, ctx.basis = inputs
        ctx.save_for_backward(v, w)
        ctx.save_for_forward(v, w)

    @staticmethod
    def backward(ctx: Any, g: Tensor) -> Any:  # type: ignore[override]
        v, w = ctx.saved_tensors
        of_v = of_w = None
        if ctx.needs_input_grad[0]:
            of_v = _slope(v, w, g, ctx.basis)
        if ctx.needs_input_grad[1]:
            of_w = Sums.apply(v, g, w.shape[-1], ctx.basis)
        return of_v, of_w, None

    @staticmethod
    def jvp(ctx: Any, of_v: Tensor | None, of_w: Tensor | None, _: Any) -> Any:  # type: ignore[override]
        v, w = ctx.saved_tensors
        moved: Any = 0.0
        if of_v is not None:
            slope: Any = Evaluate.apply(v, _derived(w, ctx.basis), ctx.basis)
            moved = slope * _beside(of_v, slope)
        if of_w is not None:
            moved = moved + Evaluate.apply(v, of_w, ctx.basis)
        return moved


class Sums(torch.autograd.Function):
    """(v, g) ↦ Σ g·p[k](v) over the points, for each k below `terms`: shapes (points,) and
    (points, …) give (…, terms).
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(v: Tensor, g: Tensor, terms: int, basis: str) -> Tensor:  # type: ignore[override]
        points = v.shape[0]
        plain = _is_plain(v, g)
        block, of = (_BLOCK, _sums_in_place) if plain else (max(points, 1), _sums)
        sums = [
            of(v.narrow(0, i, some), g.narrow(0, i, some), terms, basis)
            for i in range(0, max(points, 1), block)
            for some in [min(block, points - i)]
        ]
        return sums[0] if len(sums) == 1 else torch.stack(sums).sum(dim=0)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        v, g, ctx.terms, ctx.basis = inputs
        ctx.save_for_backward(v, g)
        ctx.save_for_forward(v, g)

    @staticmethod
    def backward(ctx: Any, h: Tensor) -> Any:  # type: ignore[override]
        v, g = ctx.saved_tensors
        of_v = of_g = None
        if ctx.needs_input_grad[0]:
            of_v = _slope(v, h, g, ctx.basis)
        if ctx.needs_input_grad[1]:
            of_g = Evaluate.apply(v, h, ctx.basis)
        return of_v, of_g, None, None

    @staticmethod
    def jvp(ctx: Any, of_v: Tensor | None, of_g: Tensor | None, *_: Any) -> Any:  # type: ignore[override]
        v, g = ctx.saved_tensors
        moved: Any = 0.0
        if of_v is not None:
            sums: Any = Sums.apply(v, g * _beside(of_v, g), max(ctx.terms - 1, 1), ctx.basis)
            moved = sums @ _derivative(ctx.basis, ctx.terms, sums)
        if of_g is not None:
            moved = moved + Sums.apply(v, of_g, ctx.terms, ctx.basis)
        return moved


def evaluate(v: Tensor, w: Tensor, basis: str) -> Tensor:
    """What `Evaluate` gives, in operations that every transformation and compiler knows."""
    a, c = _steps(basis, w.shape[-1])
    v = _beside(v, w.select(-1, 0).unsqueeze(0))
    above: Any = w.select(-1, -1) + torch.zeros_like(v)
    above_that: Any = 0.0
    for k in range(w.shape[-1] - 2, -1, -1):
        base = w.select(-1, k) - c[k + 1] * above_that
        above, above_that = base + a[k] * v * above, above
    return above


def _evaluate_into(out: Tensor, v: Tensor, w: Tensor, basis: str) -> None:
    """The same, written into `out`, with one more column of memory."""
    a, c = _steps(basis, w.shape[-1])
    v, above, above_that = _beside(v, out), out, torch.empty_like(out)
    if w.shape[-1] % 2 == 0:  # so that the last of them is written to `out`
        above, above_that = above_that, above
    above.copy_(w[..., -1].expand_as(out))
    for k in range(w.shape[-1] - 2, -1, -1):
        if c[k + 1] and k + 2 < w.shape[-1]:
            torch.sub(w[..., k], above_that, alpha=c[k + 1], out=above_that)
            above_that.addcmul_(above, v, value=a[k])
        else:
            torch.addcmul(w[..., k], above, v, value=a[k], out=above_that)
        above, above_that = above_that, above


def _sums(v: Tensor, g: Tensor, terms: int, basis: str) -> Tensor:
    """What `Sums` gives: g·p[k](v) obeys the recurrence of p."""
    a, c = _steps(basis, terms)
    v, here, before, sums = _beside(v, g), g, g, [g.sum(dim=0)]
    for k in range(terms - 1):
        following = here * v if a[k] == 1 else here * (a[k] * v)
        if c[k]:
            following = following - c[k] * before
        here, before = following, here
        sums.append(here.sum(dim=0))
    return torch.stack(sums, dim=-1)


def _sums_in_place(v: Tensor, g: Tensor, terms: int, basis: str) -> Tensor:
    """The same with two columns of memory."""
    a, c = _steps(basis, terms)
    v, here, before = _beside(v, g), g, g
    sums = torch.empty((*g.shape[1:], terms), dtype=g.dtype)
    torch.sum(g, dim=0, out=sums[..., 0])
    for k in range(terms - 1):
        if not c[k]:
            following = here * v if here is g else here.mul_(v)
        elif before is g:
            following = torch.addcmul(-c[k] * g, here, v, value=a[k])
        else:
            following = before.mul_(-c[k]).addcmul_(here, v, value=a[k])
        before, here = here, following
        torch.sum(here, dim=0, out=sums[..., k + 1])
    return sums


def _slope(v: Tensor, w: Tensor, g: Tensor, basis: str) -> Tensor:
    """g times the derivative of the polynomial of these weights, summed over features."""
    slope: Any = g * Evaluate.apply(v, _derived(w, basis), basis)
    return slope.sum(dim=-1) if slope.dim() > 1 else slope


def _derived(w: Tensor, basis: str) -> Tensor:
    """The weights of the derivative, shape (…, max(k − 1, 1))."""
    return w @ _derivative(basis, w.shape[-1], w).mT


def _derivative(basis: str, terms: int, like: Tensor) -> Tensor:
    """The derivatives of p below `terms` in those below it, shape (max(terms − 1, 1), terms)."""
    return torch.as_tensor(_derivatives(basis, terms), dtype=like.dtype, device=like.device)


@cache
def _derivatives(basis: str, terms: int) -> np.ndarray:
    return _DERIVATIVES[basis](np.eye(terms)).reshape(max(terms - 1, 1), terms)


@cache
def _steps(basis: str, terms: int) -> tuple[list[float], list[float]]:
    """The a and c of p[k+1](v) = a·v·p[k](v) − c·p[k−1](v), with no p before the first."""
    a, c = zip(*(BASES[basis].recurrence(k) for k in range(terms + 1)), strict=True)
    return list(map(float, a)), [0.0, *map(float, c[1:])]


def _beside(v: Tensor, like: Tensor) -> Tensor:
    """v, shape (points,), as something that broadcasts against (points, …)."""
    return v.reshape(v.shape[0], *(1 for _ in range(like.dim() - 1)))


def _is_plain(*tensors: Tensor) -> bool:
    """Whether these are numbers on a CPU, and no stand-ins of a transformation, which have no
    memory to write to.
    """
    try:
        return all(t.device.type == "cpu" and t.data_ptr() is not None for t in tensors)
    except RuntimeError:
        return False
