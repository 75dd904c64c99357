"""What --trace prints: the six steps of one step, each with its formula and its numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from polydescent.descent.adaptive import Adagrad, Adam, AdamW, NAdam, RMSprop
from polydescent.descent.linear import GradientDescent, Momentum, Nesterov
from polydescent.descent.searching import BarzilaiBorwein, ConjugateGradient
from polydescent.polynomial.basis import POWER, design_matrix
from polydescent.regression.fit import Fit
from polydescent.report.density import blocks
from polydescent.report.derivation import weight_names
from polydescent.report.languages import in_language
from polydescent.report.trace import Trace
from polydescent.report.writing import columns, wrapped

_WIDTH = 79
_INDENT = " " * 12
_TIED = "\u00a0"  # a space at which no line breaks


Tell = Callable[[str], str]  # a sentence of ours in the reader's language


def traced(fit: Fit, step: int, language: str = "en") -> list[str]:
    """The six steps of the lesson at one step, as lines of at most 79 columns.

    language: "en" or "zh-CN".
    """
    tell = in_language(language)
    trace = Trace.of(fit, step)
    assert fit.history is not None
    names = _names(fit)
    title = tell("Step {step} of {steps}, by hand")
    squares = float(trace.residual @ trace.residual)
    loss = f"‖e‖² + rss = {_n(squares)} + {_n(trace.rss)} = {_n(trace.loss)}"
    steps = {
        "data": _data(trace, fit, tell),
        "weights": [_named(names, trace.weights)],
        "forward": _forward(trace, fit, names, tell),
        "loss": [loss],
        "backward": _backward(trace, names, tell),
        "update": _update(trace, names, tell),
    }
    lines = [title.format(step=f"{trace.step:,}", steps=f"{fit.history.steps:,}"), ""]
    for number, (name, said) in enumerate(steps.items(), 1):
        lines += _step(f"{number} {tell(name)}", said)
    return lines


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


def _data(trace: Trace, fit: Fit, tell: Tell) -> list[str]:
    k = len(trace.z)
    rows = [f"[ {'  '.join(f'{_n(v):>12}' for v in row)} ]" for row in trace.R]
    about = tell("{n} rows folded into {k}: Σ (ŷ − y)² = ‖R·w − z‖² + rss for every w")
    matrix = [f"R = {rows[0]}", *(f"    {row}" for row in rows[1:])] if k <= 4 else []
    return [
        about.format(n=f"{fit.n:,}", k=k),
        *matrix,
        f"z = {_list(trace.z)}",
        f"rss = {_n(trace.rss)}",
    ]


def _forward(trace: Trace, fit: Fit, names: list[str], tell: Tell) -> list[str]:
    lines = [f"ŷ = {_model(fit, names)}"]
    if fit.rows is not None:
        x, y = (float(column[0]) for column in next(blocks(fit.rows)))
        v = fit.summary.domain.to_unit(np.array([x])) if fit.curve.basis.on_unit else np.array([x])
        terms = design_matrix(fit.curve.basis, v, fit.degree)[0] * trace.weights
        at = float(terms.sum())
        row = tell("first row, x = {x}: ŷ = {sum} = {y}")
        lines.append(row.format(x=_n(x), sum=_sum(terms), y=_n(at)))
        off = tell("its residual: ŷ − y = {at} − {y} = {r}")
        lines.append(off.format(at=_n(at), y=_n(y, True), r=_n(at - y)))
    folded = tell("all rows, folded: e = R·w − z = {e}")
    return [*lines, folded.format(e=_list(trace.residual))]


def _model(fit: Fit, names: list[str]) -> str:
    if fit.curve.basis is POWER:
        powers = ["", " x", *(f" x^{k}" for k in range(2, fit.degree + 1))][: fit.degree + 1]
        return " + ".join(name + power for name, power in zip(names, powers, strict=True))
    symbol, domain = fit.curve.basis.symbol, fit.summary.domain
    terms = [name + (f" {symbol}{k}(u)" if k else "") for k, name in enumerate(names)]
    return f"{' + '.join(terms)}, u = (x − {_n(domain.mid, True)}) / {_n(domain.half_width)}"


def _backward(trace: Trace, names: list[str], tell: Tell) -> list[str]:
    heads = (("by hand", 16), ("by differences", 18), ("apart by", 12))
    table = [" " * 4 + "".join(_right(tell(head), width) for head, width in heads)]
    for name, g, q in zip(names, trace.gradient, trace.quotient, strict=True):
        table.append(f"{name:4}{g:16.9g}{q:18.9g}{abs(g - q):12.1e}")
    return [
        "g = ∂loss/∂w = 2·Σ (ŷ − y)·∂ŷ/∂w = 2·Rᵀ·e",
        tell("by differences: (loss(w + h) − loss(w − h)) / 2h"),
        *table,
    ]


def _update(trace: Trace, names: list[str], tell: Tell) -> list[str]:
    formula, of_weight = _UPDATES[type(trace.optimizer)]
    settings = ", ".join(
        f"{_LETTERS.get(k, k)} = {_setting(v)}" for k, v in vars(trace.optimizer).items()
    )
    lines = [tell(formula), settings]
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
    t, mean, size, lines = _means(trace, i, trace.gradient[i])
    (first, _), eps = vars(trace.optimizer)["betas"], vars(trace.optimizer)["eps"]
    mean = mean / (1 - first**t)
    return [
        *lines,
        f"t = {t}: m/(1−β₁ᵗ) = {_n(mean)}, √(s/(1−β₂ᵗ)) = {_n(size)}",
        _move(trace, i, f"{_n(mean, True)}/{_n(size + eps)}"),
    ]


def _adamw(trace: Trace, i: int) -> list[str]:
    settings = vars(trace.optimizer)
    shrunk = trace.weights[i] * (1 - settings["learning_rate"] * settings["weight_decay"])
    decay = f"{_n(settings['learning_rate'])}·{_n(settings['weight_decay'])}"
    first = f"w ← (1 − {decay})·{_n(trace.weights[i], True)} = {_n(shrunk)}"
    *lines, last = _adam(trace, i)
    along = last.partition("·")[2].rpartition(" = ")[0]
    return [first, *lines, _move(trace, i, along, shrunk)]


def _nadam(trace: Trace, i: int) -> list[str]:
    settings, (g, lines) = vars(trace.optimizer), _decayed(trace, i)
    t, m, size, means = _means(trace, i, g)
    product, (first, _) = trace.state_after[1], settings["betas"]
    now, ahead = (first * (1 - 0.96 ** (j * settings["momentum_decay"]) / 2) for j in (t, t + 1))
    own, past = (1 - now) / (1 - product), ahead / (1 - product * ahead)
    along = own * g + past * m
    return [
        *lines,
        *means,
        f"t = {t}: {_n(own)}·{_n(g, True)} + {_n(past)}·{_n(m, True)} = {_n(along)}, "
        f"√(s/(1−β₂ᵗ)) = {_n(size)}",
        _move(trace, i, f"{_n(along, True)}/{_n(size + settings['eps'])}"),
    ]


def _rmsprop(trace: Trace, i: int) -> list[str]:
    settings, (g, lines) = vars(trace.optimizer), _decayed(trace, i)
    (s, v), (s_after, v_after) = trace.state, trace.state_after
    alpha, size = settings["alpha"], np.sqrt(s_after[i]) + settings["eps"]
    lines.append(_mean("s", alpha, s[i], g, "²", s_after[i]))
    along = f"{_n(g, True)}/{_n(size)}"
    if settings["momentum"]:
        carried = f"{_n(settings['momentum'])}·{_n(v[i], True)}"
        lines.append(f"v ← {carried} + {along} = {_n(v_after[i])}")
        along = _n(v_after[i], True)
    return [*lines, _move(trace, i, along)]


def _adagrad(trace: Trace, i: int) -> list[str]:
    settings, (g, lines) = vars(trace.optimizer), _decayed(trace, i)
    (t, s), (_, after) = trace.state, trace.state_after
    size = np.sqrt(after[i]) + settings["eps"]
    lines.append(f"s ← {_n(s[i])} + {_n(g, True)}² = {_n(after[i])}")
    rate = settings["learning_rate"] / (1 + t * settings["lr_decay"])
    return [*lines, _move(trace, i, f"{_n(g, True)}/{_n(size)}", rate=rate)]


def _bb(trace: Trace, i: int) -> list[str]:
    before, gradient, _ = trace.state
    moved, change = trace.weights - before, trace.gradient - gradient
    rate, lines = float(trace.state_after[2][0]), []
    if not i and moved.any():
        found = f"{_n(float(moved @ moved))} / {_n(float(moved @ change), True)}"
        lines = [f"η = s·s / s·c = {found} = {_n(rate)}"]
    return [*lines, _move(trace, i, _n(trace.gradient[i], True), rate=rate)]


def _cg(trace: Trace, i: int) -> list[str]:
    (_, p, before), (hessian, p_after, square) = trace.state, trace.state_after
    share = float(square[0] / before[0]) if before[0] else 0.0
    down, bent = float(p_after @ trace.gradient), float(p_after @ hessian(p_after))
    rate = down / bent if bent else 0.0
    lines = []
    if not i:
        lines = [
            f"(g·g)/(g₀·g₀) = {_n(float(square[0]))} / {_n(float(before[0]))} = {_n(share)}",
            f"p·g / p·H·p = {_n(down)} / {_n(bent)} = {_n(rate)}",
        ]
    carried = f"{_n(trace.gradient[i])} + {_n(share)}·{_n(p[i], True)}"
    lines.append(f"p ← {carried} = {_n(p_after[i])}")
    return [*lines, _move(trace, i, _n(p_after[i], True), rate=rate)]


def _means(trace: Trace, i: int, g: float) -> tuple[int, float, float, list[str]]:
    """Steps made, m and √(s/(1−β₂ᵗ)) of Adam and NAdam, and how m and s came about."""
    (*_, m, s), (t, *_, m_after, s_after) = trace.state, trace.state_after
    first, second = vars(trace.optimizer)["betas"]
    lines = [
        _mean("m", first, m[i], g, "", m_after[i]),
        _mean("s", second, s[i], g, "²", s_after[i]),
    ]
    return t, m_after[i], float(np.sqrt(s_after[i] / (1 - second**t))), lines


def _mean(name: str, beta: float, before: float, g: float, power: str, after: float) -> str:
    kept = f"{beta}·{_n(before, True)}"
    return f"{name} ← {kept} + {1 - beta:.4g}·{_n(g, True)}{power} = {_n(after)}"


def _decayed(trace: Trace, i: int) -> tuple[float, list[str]]:
    """The gradient with what a weight decay adds, and the line that says so."""
    decay, g = vars(trace.optimizer)["weight_decay"], trace.gradient[i]
    if not decay:
        return float(g), []
    both = float(g + decay * trace.weights[i])
    return both, [f"g ← {_n(g)} + {_n(decay)}·{_n(trace.weights[i], True)} = {_n(both)}"]


def _velocity(trace: Trace, i: int) -> str:
    beta = vars(trace.optimizer)["momentum"]
    v, g = _n(trace.state[i], True), _n(trace.gradient[i], True)
    return f"v ← {_n(beta)}·{v} + {g} = {_n(trace.state_after[i])}"


def _move(
    trace: Trace, i: int, along: str, weight: float | None = None, rate: float | None = None
) -> str:
    weight = trace.weights[i] if weight is None else weight
    rate = trace.optimizer.learning_rate if rate is None else rate
    return f"w ← {_n(weight)} − {_n(rate)}·{along} = {_n(trace.after[i])}"


_LETTERS = {"learning_rate": "η", "momentum": "β", "betas": "(β₁, β₂)", "alpha": "α"}
_ADAM = "m ← β₁·m + (1−β₁)·g, s ← β₂·s + (1−β₂)·g², w ← w − η·(m/(1−β₁ᵗ)) / (√(s/(1−β₂ᵗ)) + eps)"
_UPDATES = {
    GradientDescent: ("w ← w − η·g", _gd),
    Momentum: ("v ← β·v + g, w ← w − η·v", _momentum),
    Nesterov: ("v ← β·v + g, w ← w − η·(g + β·v)", _nesterov),
    Adam: (_ADAM, _adam),
    AdamW: (f"w ← (1 − η·weight_decay)·w, {_ADAM}", _adamw),
    NAdam: (
        "m ← β₁·m + (1−β₁)·g, s ← β₂·s + (1−β₂)·g², w ← w − η·((1−μₜ)/(1−Mₜ)·g + "
        "μₜ₊₁/(1−Mₜ₊₁)·m) / (√(s/(1−β₂ᵗ)) + eps), μₜ = β₁·(1 − 0.96^(t·momentum_decay)/2), "
        "Mₜ = μ₁·…·μₜ",
        _nadam,
    ),
    RMSprop: ("s ← α·s + (1−α)·g², v ← β·v + g/(√s + eps), w ← w − η·v", _rmsprop),
    Adagrad: ("s ← s + g², w ← w − η/(1 + (t−1)·lr_decay)·g/(√s + eps)", _adagrad),
    BarzilaiBorwein: ("w ← w − η·g, with s the step before and c the change of g in it", _bb),
    ConjugateGradient: (
        "p ← g + (g·g)/(g₀·g₀)·p, w ← w − (p·g / p·H·p)·p, with g₀ the g of the step before",
        _cg,
    ),
}


# ── lines ────────────────────────────────────────────────────────────────────────────────────────


def _step(title: str, lines: list[str]) -> list[str]:
    first = title + " " * (len(_INDENT) - columns(title))
    width = _WIDTH - len(_INDENT)
    parts = [part for line in lines for part in wrapped(line, width, then="  ")]
    lines = [(_INDENT if i else first) + part for i, part in enumerate(parts)]
    return [*(line.replace(_TIED, " ") for line in lines), ""]


def _right(text: str, width: int) -> str:
    """At the right of so many columns."""
    return " " * (width - columns(text)) + text


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
