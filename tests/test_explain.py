"""The derivation is true for every degree, in every way of writing it."""

import re

import numpy as np
import pytest

import polydescent as pd
from polydescent.descent.loop import backward, forward
from polydescent.errors import BadSetting, UnknownName
from polydescent.report.derivation import LARGEST, SYMBOLS, explain, sections, weight_names
from polydescent.report.writing import STYLES, Math

DEGREES = range(LARGEST + 1)
PLAIN = str.maketrans("₀₁₂₃₄₅₆₇₈₉⁰¹²³⁴⁵⁶⁷⁸⁹", "01234567890123456789")


def problem(degree):
    rng = np.random.default_rng(degree)
    x, y = rng.uniform(-1.5, 1.5, 30), rng.standard_normal(30)
    w = rng.standard_normal(degree + 1)
    return x, y, w, x[:, None] ** np.arange(degree + 1)


def power(text):
    """The k of xᵢᵏ as it is printed."""
    if text == "1":
        return 0
    return int(text.removeprefix("xᵢ").translate(PLAIN) or 1)


@pytest.mark.parametrize("degree", DEGREES)
def test_the_gradients_printed_are_those_of_the_descent(degree):
    x, y, w, V = problem(degree)
    residual = forward(V, y, w)
    found = re.findall(r"∂ŷᵢ/∂(\S+) = (\S+) +⇒ +∂L/∂(\S+) = Σᵢ 2 rᵢ · (\S+)", explain(degree))
    assert [weight.translate(PLAIN) for weight, *_ in found] == weight_names(degree)
    assert all(above == below and of == to for above, of, below, to in found)
    printed = [np.sum(2 * residual * x ** power(factor)) for *_, factor in found]
    np.testing.assert_allclose(printed, backward(V, residual), rtol=1e-12)


@pytest.mark.parametrize("degree", DEGREES)
def test_the_hessian_printed_is_that_of_the_loss(degree):
    x, y, w, V = problem(degree)
    rows = re.findall(r"\[ (S[S₀-₉ ]+) \]", explain(degree))
    sums = [[int(s[1:].translate(PLAIN)) for s in row.split()] for row in rows]
    printed = 2 * np.array([[np.sum(x**m) for m in row] for row in sums])
    np.testing.assert_allclose(printed, 2 * V.T @ V, rtol=1e-12)

    def gradient(weights):
        return backward(V, forward(V, y, weights))

    differences = [gradient(w + e) - gradient(w) for e in np.eye(degree + 1)]
    np.testing.assert_allclose(printed, differences, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("degree", DEGREES)
def test_the_numbers_are_those_of_the_lesson(degree):
    x = np.linspace(-np.pi, np.pi, 2000)
    forecast = pd.summarize(x, np.sin(x), degree).forecast()
    found = re.search(r"λₘₐₓ = (\S+),   2/λₘₐₓ = (\S+),   κ = (\S+)", explain(degree))
    assert found
    largest, limit, condition = map(float, found.groups())
    assert largest == pytest.approx(forecast.curvature[0], rel=1e-3)
    assert limit == pytest.approx(forecast.largest_stable_rate, rel=1e-3)
    assert condition == pytest.approx(forecast.condition, rel=1e-3)


def test_the_model_is_named_as_in_the_lesson():
    assert "ŷ = a + b x + c x² + d x³" in explain(3)
    assert "2/λₘₐₓ = 3.558e-06" in explain(3)
    assert "ŷ = w₀ + w₁ x + w₂ x² + w₃ x³ + w₄ x⁴" in explain(4)


@pytest.mark.parametrize("degree", DEGREES)
def test_text_fits_eighty_columns(degree):
    assert max(map(len, explain(degree).splitlines())) <= 79


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("degree", DEGREES)
def test_no_placeholder_is_left(style, degree):
    text = explain(degree, style)
    assert not any(f" {{{name}}}" in text for name in SYMBOLS)
    for section in sections(degree):
        assert section.title in text


@pytest.mark.parametrize("style", ["markdown", "latex"])
@pytest.mark.parametrize("degree", DEGREES)
def test_latex_is_balanced(style, degree):
    text = explain(degree, style)
    depth = 0
    for brace in re.findall(r"(?<!\\)[{}]", text):
        depth += 1 if brace == "{" else -1
        assert depth >= 0
    assert depth == 0
    assert len(re.findall(r"\\left\b", text)) == len(re.findall(r"\\right\b", text))
    assert text.count("$") % 2 == 0
    assert text.count("\\[") == text.count("\\]")
    opened = []
    for what, environment in re.findall(r"\\(begin|end)\{(\w+)\}", text):
        opened.append(environment) if what == "begin" else None
        assert what == "begin" or opened.pop() == environment
    assert not opened
    if style == "latex":
        assert text.isascii()
        assert not re.search(
            r"(?<!\\)[%#_&](?![^$]*\$)", re.sub(r"\\\[.*?\\\]", "", text, flags=re.S)
        )


@pytest.mark.parametrize("degree", [0, 1, 3, 12])
def test_formulas_are_understood_by_a_parser(degree):
    mathtext = pytest.importorskip("matplotlib.mathtext")
    parser = mathtext.MathTextParser("path")
    formulas = [p.latex for s in sections(degree) for p in s.parts if isinstance(p, Math)]
    for latex in [*formulas, *(symbol.latex for symbol in SYMBOLS.values())]:
        latex = re.sub(r"\\(begin|end)\{(aligned|array)\}(\{c+\})?", "", latex)
        latex = re.sub(r"\\text\{.*?\}", "", latex).replace(r"\iff", r"\Leftrightarrow")
        latex = latex.replace(r"\left(", "").replace(r"\right)", "").replace(r"\mathsf T", "T")
        for part in re.split(r"\\\\|&", latex):
            if part.strip(" ,"):
                parser.parse(f"${part}$")


@pytest.mark.parametrize("degree", [-1, 13, 2.5, True, "3", None])
def test_degrees_that_are_not_explained(degree):
    with pytest.raises(BadSetting, match="whole number from 0 to 12"):
        explain(degree)


def test_an_unknown_way_of_writing():
    with pytest.raises(UnknownName, match="There are: text, markdown, latex"):
        explain(3, "html")
