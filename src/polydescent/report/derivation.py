"""The derivation behind gradient descent on a polynomial, written out for the degree asked."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from polydescent.checks import DEGREES, whole
from polydescent.errors import UnknownName
from polydescent.regression.verbs import summarize
from polydescent.report.languages import in_language
from polydescent.report.writing import STYLES, Math, Section, translated, write

LARGEST = DEGREES["explained"]
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


SYMBOLS = {
    "eta": Math("η", r"\eta"),
    "H": Math("H", "H"),
    "L": Math("L", "L"),
    "n": Math("n", "n"),
    "R": Math("R", "R"),
    "r": Math("rᵢ", "r_i"),
    "S": Math("Sₘ", "S_m"),
    "V": Math("V", "V"),
    "w": Math("w", "w"),
    "best": Math("w*", "w^*"),
    "error": Math("e = w − w*", "e = w - w^*"),
    "rows": Math("(xᵢ, yᵢ)", "(x_i, y_i)"),
    "kappa": Math("κ = λₘₐₓ / λₘᵢₙ", r"\kappa = \lambda_{\max} / \lambda_{\min}"),
    "lambda": Math("λⱼ", r"\lambda_j"),
    "largest": Math("λₘₐₓ", r"\lambda_{\max}"),
    "minus_one": Math("−1", "-1"),
    "period": Math("[−π, π]", r"[-\pi, \pi]"),
    "contraction": Math("(κ − 1)/(κ + 1)", r"(\kappa - 1)/(\kappa + 1)"),
    "factor": Math("1 − η·λⱼ", r"1 - \eta \lambda_j"),
}


def weight_names(degree: int) -> list[str]:
    """a, b, c, d, as the lesson calls the weights of a cubic, or w0, w1, … where there are more."""
    return list("abcd"[: degree + 1]) if degree <= 3 else [f"w{k}" for k in range(degree + 1)]


def explain(degree: int, style: str = "text", language: str = "en") -> str:
    """The derivation for polynomials of `degree` as "text" (79 columns), "markdown" or "latex", in
    English ("en") or Chinese ("zh-CN").

    Raises BadSetting for a degree that is not a whole number from 0 to 12, UnknownName for a style
    or a language.
    """
    if not isinstance(style, str) or style not in STYLES:
        raise UnknownName("format", style, STYLES)
    say = in_language(language)
    wanted = f"a whole number from 0 to {LARGEST} to be explained"
    degree = whole("degree", degree, 0, LARGEST, wanted)
    counts = {"degree": degree, "k": degree + 1}
    symbols = SYMBOLS | {name: Math(str(count), str(count)) for name, count in counts.items()}
    return write([translated(section, say) for section in sections(degree)], symbols, style)


def sections(degree: int) -> list[Section]:
    """What there is to say about `degree`, in order, for any way of writing it."""
    return [
        _model(degree),
        _loss(),
        _gradient(degree),
        _hessian(degree),
        _step(),
        _limit(degree),
        _triangle(degree),
    ]


# ── what it says ─────────────────────────────────────────────────────────────────────────────────


def _model(degree: int) -> Section:
    weights = _weights(degree)
    terms = [_product(w, _power(k, "x")) for k, w in enumerate(weights)]
    model = Math(" + ".join(t.text for t in terms), " + ".join(t.latex for t in terms))
    listed = Math(", ".join(w.text for w in weights), ", ".join(w.latex for w in weights))
    learned = "The weights are what is learned:" if degree else "The weight is what is learned:"
    return Section(
        "The model",
        (
            Math(f"ŷ = {model.text}", rf"\hat y = {model.latex}"),
            learned,
            listed,
            "The model may curve in x, but it is linear in the weights. Everything below follows "
            "from that.",
        ),
    )


def _loss() -> Section:
    return Section(
        "The loss",
        (
            "There are {n} rows {rows}. Each leaves a residual {r}, and the loss is the sum of "
            "their squares: the sum, not the mean, so learning rates are about the sum.",
            Math("rᵢ = ŷᵢ − yᵢ", r"r_i = \hat y_i - y_i"),
            Math("L = Σᵢ rᵢ²", r"L = \sum_i r_i^2"),
        ),
    )


def _gradient(degree: int) -> Section:
    lines = [_chain(w, k, degree) for k, w in enumerate(_weights(degree))]
    return Section(
        "The gradient, by the chain rule",
        (
            "A weight moves the prediction, the prediction moves the residual, the residual moves "
            "the loss:",
            Math(
                "∂L/∂w = Σᵢ (∂L/∂rᵢ)·(∂rᵢ/∂ŷᵢ)·(∂ŷᵢ/∂w) = Σᵢ 2 rᵢ · 1 · ∂ŷᵢ/∂w",
                r"\frac{\partial L}{\partial w} = \sum_i \frac{\partial L}{\partial r_i} \cdot "
                r"\frac{\partial r_i}{\partial \hat y_i} \cdot \frac{\partial \hat y_i}{\partial w}"
                r" = \sum_i 2 r_i \cdot 1 \cdot \frac{\partial \hat y_i}{\partial w}",
            ),
            "The prediction is linear in each weight: its derivative is what that multiplies.",
            _lines(lines),
            "With one row of {V} for each row of data, holding the powers of its x, all of it is",
            Math("∇L = 2·Vᵀ·(V·w − y)", r"\nabla L = 2 V^{\mathsf T} (V w - y)"),
        ),
    )


def _chain(weight: Math, k: int, degree: int) -> Math:
    """∂L/∂w = Σᵢ 2 rᵢ · xᵢᵏ, after its last factor; all lines up to `degree` align."""
    text, latex = _power(k, "xᵢ"), _power(k, "x_i")
    factor, factor_latex = text.text or "1", latex.latex or "1"
    over = rf"\partial {weight.latex}"
    width = len(_power(degree, "xᵢ").text or "1")
    return Math(
        f"∂ŷᵢ/∂{weight.text} = {factor:<{width}}   ⇒   ∂L/∂{weight.text} = Σᵢ 2 rᵢ · {factor}",
        rf"\frac{{\partial \hat y_i}}{{{over}}} &= {factor_latex} & "
        rf"\frac{{\partial L}}{{{over}}} &= \sum_i 2 r_i \cdot {factor_latex}",
    )


def _hessian(degree: int) -> Section:
    orders = [[j + k for k in range(degree + 1)] for j in range(degree + 1)]
    cells = [[f"S{_sub(m)}" for m in row] for row in orders]
    width = max(len(cell) for row in cells for cell in row)
    rows = [" ".join(f"{cell:<{width}}" for cell in row).rstrip() for row in cells]
    text = "\n".join(
        ("H = 2 · " if j == 0 else "        ") + f"[ {r} ]" for j, r in enumerate(rows)
    )
    latex = r" \\ ".join(" & ".join(f"S_{{{m}}}" for m in row) for row in orders)
    columns = "c" * (degree + 1)
    return Section(
        "The Hessian",
        (
            "Differentiating once more, each residual again gives the power its weight multiplies. "
            "With the power sums {S},",
            Math("Sₘ = Σᵢ xᵢᵐ,   S₀ = n", r"S_m = \sum_i x_i^m, \quad S_0 = n"),
            Math("∂²L/∂wⱼ∂wₖ = 2 Σᵢ xᵢʲ·xᵢᵏ = 2 Sⱼ₊ₖ",
                 r"\frac{\partial^2 L}{\partial w_j \partial w_k} = 2 \sum_i x_i^j x_i^k"
                 r" = 2 S_{j+k}"),
            Math(text, rf"H = 2 \left( \begin{{array}}{{{columns}}} {latex} \end{{array}} \right)"),
            "No weight and no y occurs in {H}: the loss is a bowl of one curvature everywhere, "
            "with one lowest point if there are at least {k} different x.",
        ),
    )  # fmt: skip


def _step() -> Section:
    return Section(
        "One step",
        (
            "Against the gradient, {eta} times its length:",
            Math("w ← w − η·∇L", r"w \leftarrow w - \eta \nabla L"),
            "At the lowest point {best} the gradient is zero, and it grows in proportion to the "
            "error {error}. So a step multiplies the error by a matrix that never changes:",
            Math("∇L = H·e", r"\nabla L = H e"),
            Math("e ← (I − η·H)·e", r"e \leftarrow (I - \eta H) e"),
            "Along each eigenvector of {H}, of curvature {lambda}, the error is multiplied by a "
            "number of its own, {factor}, at every step.",
        ),
    )


def _limit(degree: int) -> Section:
    x = np.linspace(-np.pi, np.pi, 2000)
    forecast = summarize(x, np.sin(x), degree).forecast()
    largest, limit = forecast.curvature[0], forecast.largest_stable_rate
    numbers = (("λₘₐₓ", r"\lambda_{\max}", largest), ("2/λₘₐₓ", r"2/\lambda_{\max}", limit),
               ("κ", r"\kappa", forecast.condition))  # fmt: skip
    return Section(
        "Why the learning rate has a limit",
        (
            "The error shrinks in every direction only if each of these numbers lies between "
            "{minus_one} and 1. The steepest direction decides:",
            Math(
                "|1 − η·λⱼ| < 1 ∀ j   ⇔   0 < η < 2/λₘₐₓ",
                r"|1 - \eta \lambda_j| < 1 \;\forall\, j \iff 0 < \eta < 2 / \lambda_{\max}",
            ),
            "Above it the error along the steepest direction changes sign and grows at every step. "
            "Below it the flattest direction is the slowest. Both shrink alike, and the whole "
            "fastest, at",
            Math("η = 2/(λₘₐₓ + λₘᵢₙ)", r"\eta = \frac{2}{\lambda_{\max} + \lambda_{\min}}"),
            "by a factor of {contraction} a step, where {kappa} is the condition number. For the "
            "2,000 points of the lesson, equally spaced on {period}, at degree {degree}:",
            Math(
                ",   ".join(f"{text} = {value:.4g}" for text, _, value in numbers),
                r", \quad ".join(f"{latex} = {_number(value)}" for _, latex, value in numbers),
            ),
        ),
    )


def _triangle(degree: int) -> Section:
    return Section(
        "The same from a triangle",
        (
            "An orthogonal change of the rows changes no sum of squares. It turns the {n} rows of "
            "{V} into the {k} of a triangle {R}:",
            Math("‖V·w − y‖² = ‖R·w − z‖² + rss", r"\|V w - y\|^2 = \|R w - z\|^2 + \text{rss}"),
            "for every {w}, so gradient and Hessian are the same too, and a step over a billion "
            "rows costs no more than one over {k}:",
            Math("∇L = 2·Rᵀ·(R·w − z)", r"\nabla L = 2 R^{\mathsf T} (R w - z)"),
            Math("H = 2·RᵀR", r"H = 2 R^{\mathsf T} R"),
        ),
    )


# ── its pieces ───────────────────────────────────────────────────────────────────────────────────


def _weights(degree: int) -> list[Math]:
    return [
        Math(name[0] + name[1:].translate(_SUBSCRIPTS), name if len(name) == 1 else f"w_{{{k}}}")
        for k, name in enumerate(weight_names(degree))
    ]


def _power(k: int, x: str) -> Math:
    """x to the power k, empty for 0."""
    if k < 2:
        return Math(x * k, x * k)
    return Math(x + str(k).translate(_SUPERSCRIPTS), f"{x}^{{{k}}}")


def _product(left: Math, right: Math) -> Math:
    return Math(f"{left.text} {right.text}".strip(), f"{left.latex} {right.latex}".strip())


def _lines(formulas: Iterable[Math]) -> Math:
    formulas = list(formulas)
    latex = r" \\ ".join(f.latex for f in formulas)
    text = "\n".join(f.text for f in formulas)
    return Math(text, rf"\begin{{aligned}} {latex} \end{{aligned}}")


def _sub(m: int) -> str:
    return str(m).translate(_SUBSCRIPTS)


def _number(value: float) -> str:
    """`value` in LaTeX, four digits."""
    mantissa, _, exponent = f"{value:.4g}".partition("e")
    return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if exponent else mantissa
