"""polydescent explain: the derivation of gradient descent for a degree."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from polydescent.cli.terminal import write

Format = StrEnum("Format", ["text", "markdown", "latex"])


def explain(
    degree: Annotated[int, typer.Option(help="Of the polynomial, 0 to 12.")] = 3,
    format: Annotated[Format, typer.Option(help="How to write it.")] = Format.text,
) -> None:
    """Derive it by hand: the model, the loss, each gradient, the Hessian, the rate's limit."""
    from polydescent.report.derivation import explain as written

    write(written(degree, format))
