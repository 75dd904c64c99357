"""polydescent explain: the derivation of gradient descent for a degree."""

from __future__ import annotations

from polydescent.cli.declare import choice, command, whole
from polydescent.cli.options import LANGUAGE
from polydescent.cli.terminal import write


@command(
    degree=whole("Of the polynomial, 0 to 12.", 3),
    format=choice("How to write it.", ("text", "markdown", "latex"), "text"),
    language=LANGUAGE,
)
def explain(degree: int, format: str, language: str) -> None:
    """Derive it by hand: the model, the loss, each gradient, the Hessian, the rate's limit."""
    from polydescent.report.derivation import explain as written

    write(written(degree, format, language))
