"""What --trace prints: the six steps of one step, each with its formula and its numbers."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import Any

import numpy as np

from polydescent.descent.optimizers import Adam, GradientDescent, Momentum, Nesterov
from polydescent.polynomial.basis import POWER, design_matrix
from polydescent.regression.fit import Fit
from polydescent.report.density import blocks
from polydescent.report.derivation import weight_names
from polydescent.report.trace import Trace

_WIDTH = 79
_INDENT = " " * 12
_TIED = "\u00a0"  # a space at which no line breaks


def traced(fit: Fit, step: int) -> list[str]:
    """The six steps of the lesson at one step, as lines of at most 79 columns."""
    trace = Trace.of(fit, step)
    assert fit.history is not None
    names = _names(fit)
    lines = [f"Step {trace.step:,} of {fit.history.steps:,}, by hand", ""]
    lines += _step(1, "data", _data(trace, fit))
    lines += _step(2, "weights", [_named(names, trace.weights)])
    lines += _step(3, "forward", _forward(trace, fit, names))
    squares = float(trace.residual @ trace.residual)
    lines += _step(4, "loss", [f"‖e‖² + rss = {_n(squares)} + {_n(trace.rss)} = {_n(trace.loss)}"])
    lines += _step(5, "backward", _backward(trace, names))
    return lines + _step(6, "update", _update(trace, names))


def trace_facts(fit: Fit, step: int) -> dict[str, Any]:
    """The same as plain numbers, for JSON."""
    trace = Trace.of(fit, step)
    return {
        "step": trace.step,
        "R": trace.R.tolist(),
        "z": trace.z.tolist(),
        "rss": trace.rss,
        "weights": trace.weights.tolist(),
        "residual": trace.residual.tolist(),
        "loss": trace.loss,
        "gradient": trace.gradient.tolist(),
        "gradient_by_differences": trace.quotient.tolist(),
        "weights_after": trace.after.tolist(),
    }


# ── the six steps ────────────────────────────────────────────────────────────────────────────────


def _data(trace: Trace, fit: Fit) -> list[str]:
    k = len(trace.z)
    rows = [f"[ {'  '.join(f'{_n(v):>12}' for v in row)} ]" for row in trace.R]
    about = f"{fit.n:,} rows folded into {k}: Σ (ŷ − y)² = ‖R·w − z‖² + rss for every w"
    matrix = [f"R = {rows[0]}", *(f"    {row}" for row in rows[1:])] if k <= 4 else []
    return [about, *matrix, f"z = {_list(trace.z)}", f"rss = {_n(trace.rss)}"]


def _forward(trace: Trace, fit: Fit, names: list[str]) -> list[str]:
    lines = [f"ŷ = {_model(fit, names)}"]
    if fit.rows is not None:
        x, y = (float(column[0]) for column in next(blocks(fit.rows)))
        v = fit.summary.domain.to_unit(np.array([x])) if fit.curve.basis.on_unit else np.array([x])
        terms = design_matrix(fit.curve.basis, v, fit.degree)[0] * trace.weights
        at = float(terms.sum())
        lines.append(f"first row, x = {_n(x)}: ŷ = {_sum(terms)} = {_n(at)}")
        lines.append(f"its residual: ŷ − y = {_n(at)} − {_n(y, True)} = {_n(at - y)}")
    return [*lines, f"all rows, folded: e = R·w − z = {_list(trace.residual)}"]


def _model(fit: Fit, names: list[str]) -> str:
    if fit.curve.basis is POWER:
        powers = ["", " x", *(f" x^{k}" for k in range(2, fit.degree + 1))][: fit.degree + 1]
        return " + ".join(name + power for name, power in zip(names, powers, strict=True))
    symbol, domain = fit.curve.basis.symbol, fit.summary.domain
    terms = [name + (f" {symbol}{k}(u)" if k else "") for k, name in enumerate(names)]
    return f"{' + '.join(terms)}, u = (x − {_n(domain.mid, True)}) / {_n(domain.half_width)}"


def _backward(trace: Trace, names: list[str]) -> list[str]:
    table = [f"{'':4}{'by hand':>16}{'by differences':>18}{'apart by':>12}"]
    for name, g, q in zip(names, trace.gradient, trace.quotient, strict=True):
        table.append(f"{name:4}{g:16.9g}{q:18.9g}{abs(g - q):12.1e}")
    return [
        "g = ∂loss/∂w = 2·Σ (ŷ − y)·∂ŷ/∂w = 2·Rᵀ·e",
        "by differences: (loss(w + h) − loss(w − h)) / 2h",
        *table,
    ]


def _update(trace: Trace, names: list[str]) -> list[str]:
    formula, of_weight = _UPDATES[type(trace.optimizer)]
    settings = ", ".join(f"{_LETTERS[k]} = {_setting(v)}" for k, v in vars(trace.optimizer).items())
    lines = [formula, settings]
    for i, name in enumerate(names):
        lines += [f"{name}: {line}" for line in of_weight(trace, i)]
    return lines


# ── the update of weight i, by optimizer ─────────────────────────────────────────────────────────


def _gd(trace: Trace, i: int) -> list[str]:
    return [_move(trace, i, _n(trace.gradient[i], True))]


def _momentum(trace: Trace, i: int) -> list[str]:
    return [_velocity(trace, i), _move(trace, i, _n(trace.state_after[i], True))]


def _nesterov(trace: Trace, i: int) -> list[str]:
    beta, v = vars(trace.optimizer)["momentum"], trace.state_after
    ahead = trace.gradient[i] + beta * v[i]
    return [
        _velocity(trace, i),
        f"g + β·v = {_n(trace.gradient[i])} + {_n(beta)}·{_n(v[i], True)} = {_n(ahead)}",
        _move(trace, i, _n(ahead, True)),
    ]


def _adam(trace: Trace, i: int) -> list[str]:
    (_, m, s), (t, m_after, s_after) = trace.state, trace.state_after
    (first, second), eps = vars(trace.optimizer)["betas"], vars(trace.optimizer)["eps"]
    g = _n(trace.gradient[i], True)
    mean, size = m_after[i] / (1 - first**t), np.sqrt(s_after[i] / (1 - second**t))
    return [
        f"m ← {first}·{_n(m[i], True)} + {1 - first:.4g}·{g} = {_n(m_after[i])}",
        f"s ← {second}·{_n(s[i])} + {1 - second:.4g}·{g}² = {_n(s_after[i])}",
        f"t = {t}: m/(1−β₁ᵗ) = {_n(mean)}, √(s/(1−β₂ᵗ)) = {_n(size)}",
        _move(trace, i, f"{_n(mean, True)}/{_n(size + eps)}"),
    ]


def _velocity(trace: Trace, i: int) -> str:
    beta = vars(trace.optimizer)["momentum"]
    v, g = _n(trace.state[i], True), _n(trace.gradient[i], True)
    return f"v ← {_n(beta)}·{v} + {g} = {_n(trace.state_after[i])}"


def _move(trace: Trace, i: int, along: str) -> str:
    rate = _n(trace.optimizer.learning_rate)
    return f"w ← {_n(trace.weights[i])} − {rate}·{along} = {_n(trace.after[i])}"


_LETTERS = {"learning_rate": "η", "momentum": "β", "betas": "(β₁, β₂)", "eps": "eps"}
_UPDATES = {
    GradientDescent: ("w ← w − η·g", _gd),
    Momentum: ("v ← β·v + g, w ← w − η·v", _momentum),
    Nesterov: ("v ← β·v + g, w ← w − η·(g + β·v)", _nesterov),
    Adam: (
        "m ← β₁·m + (1−β₁)·g, s ← β₂·s + (1−β₂)·g², w ← w − η·(m/(1−β₁ᵗ)) / (√(s/(1−β₂ᵗ)) + eps)",
        _adam,
    ),
}


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


def _step(number: int, name: str, lines: list[str]) -> list[str]:
    first = f"{number} {name}".ljust(len(_INDENT))
    wrapped = [
        part
        for line in lines
        for part in textwrap.wrap(line, _WIDTH - len(_INDENT), subsequent_indent="  ")
    ]
    lines = [(_INDENT if i else first) + line for i, line in enumerate(wrapped)]
    return [*(line.replace(_TIED, " ") for line in lines), ""]


def _names(fit: Fit) -> list[str]:
    if fit.curve.basis is POWER:
        return weight_names(fit.degree)
    return [f"w{k}" for k in range(fit.degree + 1)]


def _named(names: list[str], values: np.ndarray) -> str:
    return ", ".join(f"{name}{_TIED}={_TIED}{_n(v)}" for name, v in zip(names, values, strict=True))


def _list(values: Iterable[float]) -> str:
    return f"({', '.join(_n(v) for v in values)})"


def _sum(terms: Iterable[float]) -> str:
    return " + ".join(_n(term, bool(i)) for i, term in enumerate(terms))


def _setting(value: Any) -> str:
    return _n(value) if isinstance(value, float) else str(value)


def _n(value: Any, inner: bool = False) -> str:
    """A number in eight digits; within a formula a negative one stands in parentheses."""
    text = f"{value:.8g}"
    return f"({text})" if inner and text.startswith("-") else text
