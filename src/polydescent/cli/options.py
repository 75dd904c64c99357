"""Options that several commands share, and what the words typed for them mean."""

from __future__ import annotations

import math
from dataclasses import replace
from enum import StrEnum
from typing import Annotated, Any

import typer

from polydescent.descent.optimizers import (
    OPTIMIZERS,
    Adam,
    GradientDescent,
    Optimizer,
    checked_optimizer,
)
from polydescent.errors import BadSetting
from polydescent.visible import visible

_FASTEST = ("auto", "fastest")
# the names of OPTIMIZERS, written out for those who check types
OptimizerName = StrEnum("OptimizerName", ["gd", "momentum", "nesterov", "adam", "exact"])
BasisName = StrEnum("BasisName", ["power", "chebyshev", "legendre"])
Over = StrEnum("Over", ["rows", "summary"])
Missing = StrEnum("Missing", ["raise", "omit"])

BasisOption = Annotated[
    BasisName | None,
    typer.Option(help="Coordinates of the descent.", show_default=False),
]
OptimizerOption = Annotated[
    OptimizerName | None,
    typer.Option(help="How to step; exact solves instead.", show_default=False),
]
RateOption = Annotated[
    str | None,
    typer.Option(
        metavar="auto|fastest|NUMBER",
        help="Step size; auto or fastest: the fastest stable one.",
        show_default=False,
    ),
]
MomentumOption = Annotated[
    float | None,
    typer.Option(help="β of momentum and nesterov.  [default: the fastest]", show_default=False),
]
StartOption = Annotated[
    str, typer.Option(metavar="random|zeros|NUMBERS", help="Starting weights, as 0.1,0.2,0.3,0.4.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Of the random start and of the noise.")]
StepsOption = Annotated[int, typer.Option(help="Updates to make.")]
LogOption = Annotated[
    int, typer.Option(min=0, help="Print the loss every so many steps, 0: never.")
]
OverOption = Annotated[Over, typer.Option(help="Walk over all rows, or over their triangle.")]
DivergeOption = Annotated[
    bool, typer.Option("--allow-divergence", help="Walk even above the largest stable rate.")
]
BackendOption = Annotated[str, typer.Option(help="numpy or torch.")]
DeviceOption = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:0, mps.")]
DtypeOption = Annotated[str | None, typer.Option(help="float32 or float64.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object instead.")]
PlotOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Draw the run to a .png, .svg or .pdf.")
]
ExploreOption = Annotated[
    str | None, typer.Option(metavar="FILE", help="Write a page that re-runs the training, .html.")
]
TraceOption = Annotated[
    int | None,
    typer.Option(metavar="STEP", help="Show every number of this step.", show_default=False),
]
MissingOption = Annotated[
    Missing, typer.Option(help="Rows with NaN or infinity: refuse them, or leave them out.")
]
StyleOption = Annotated[
    str | None,
    typer.Option(
        metavar="STYLE",
        help="Equation as unicode, latex, python, c, sql or javascript too.",
        show_default=False,
    ),
]
AgainOption = Annotated[
    bool, typer.Option("--again", help="Count files whose rows were counted before, too.")
]
TrustOption = Annotated[
    bool, typer.Option("--trust", help="Run the model's SQL, whatever functions it calls.")
]
NullOption = Annotated[
    list[str] | None,
    typer.Option(metavar="TEXT", help="Means a missing number too, as -9999; may come again."),
]
DelimiterOption = Annotated[
    str | None, typer.Option(metavar="CHARACTER|tab|blanks", help="Between the values of a row.")
]
DecimalOption = Annotated[str | None, typer.Option(metavar=".|,", help="The decimal mark.")]
CommentOption = Annotated[
    str | None, typer.Option(metavar="CHARACTER", help="Ends what counts in a line.")
]
ColumnsOption = Annotated[
    str | None, typer.Option(metavar="A,B,…", help="Names of the columns of a text file.")
]
HiveOption = Annotated[
    bool, typer.Option("--hive", help="Folders named key=value are columns of their files.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="Show no progress.")]


def optimizer_of(name: str, rate: str | None, momentum: float | None) -> Optimizer:
    """The optimizer for a name, a rate ("auto", "fastest", a number, or None for the fastest; of
    Adam for its own) and a momentum. Raises BadSetting.
    """
    if momentum is not None and OPTIMIZERS[name] in (GradientDescent, Adam):
        raise BadSetting("--momentum", momentum, f"left out: {name} has none")
    if rate in _FASTEST and OPTIMIZERS[name] is Adam:
        raise BadSetting("--learning-rate", rate, "a number: no rate is the fastest of Adam")
    return checked_optimizer(name, None if rate is None else _rate(rate), momentum)


def _rate(text: str) -> float | None:
    """None for the fastest. Raises BadSetting."""
    if text in _FASTEST:
        return None
    try:
        rate = float(text)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise BadSetting("--learning-rate", text, "auto, fastest or a number above 0")
    return rate


def start_of(text: str) -> str | list[float]:
    """ "random" and "zeros" as they are, else the numbers between commas."""
    return text if text in ("random", "zeros") else numbers("start", text)


def format_of(
    null: list[str] | None,
    delimiter: str | None,
    decimal: str | None,
    comment: str | None,
    columns: str | None,
    hive: bool,
    remembered: str = "",
) -> Any:
    """How text files are written: what was typed, before what a model remembers."""
    from polydescent.rows.format import FileFormat

    typed = {
        "null": tuple(null or ()),
        "delimiter": delimiter,
        "decimal": decimal,
        "comment": comment,
        "columns": columns,
        "hive": hive,
    }
    said = {name: value for name, value in typed.items() if value or value == ""}
    return replace(FileFormat.from_json(remembered), **said)


def say_guesses(source: Any) -> None:
    """Print what was guessed about the text files of a source, where it is not the ordinary."""
    from polydescent.rows.files import told

    for line in told(source):
        typer.echo(f"polydescent: {visible(line)}", err=True)


def curve_of(
    degree: str,
    fix: str | None,
    terms: str | None,
    through: list[str] | None,
    criterion: str | None = None,
    folds: int | None = None,
    absolute_sigma: bool = False,
) -> dict[str, Any]:
    """What was typed about the curve, as `Problem.parse` takes it. Raises BadSetting."""
    return {
        "degree": _whole(degree),
        "fix": None if fix is None else _pairs(fix),
        "terms": None if terms is None else _powers(terms),
        "through": [_point(point) for point in through] if through else None,
        "criterion": criterion or "aicc",
        "folds": 5 if folds is None else folds,
        "absolute_sigma": absolute_sigma,
    }


def _point(text: str) -> list[Any]:
    """The parts of "X,Y": X a number or a date, Y a number. Raises BadSetting."""
    from polydescent.rows.axis import place_in

    place, *others = text.split(",")
    try:
        return [place_in(place.strip()), *map(float, others)]
    except ValueError:
        wanted = "X,Y with X a number or a date and Y a number, such as 0,1 or 2024-05-01,1"
        raise BadSetting("--through", text, wanted) from None


def _whole(text: str) -> int | str:
    """A whole number as one; any other text as it is, so also one of thousands of digits."""
    try:
        return int(text) if text.isdecimal() else text
    except ValueError:
        return text


def _powers(text: str) -> list[int]:
    """[1, 3] for "1,3". Raises BadSetting."""
    powers = [_whole(part.strip()) for part in text.split(",")]
    if any(isinstance(power, str) for power in powers):
        raise BadSetting("--terms", text, "the powers of x to use, such as 1,3")
    return [int(power) for power in powers]


def _pairs(text: str) -> dict[int, float]:
    """{0: 0.0, 2: 1.5} for "0=0,2=1.5". Raises BadSetting."""
    try:
        parts = [part.split("=") for part in text.split(",")]
        return {int(power): float(value) for power, value in parts}
    except ValueError:
        raise BadSetting("--fix", text, "powers and values, such as 0=0 or 0=0,2=1.5") from None


def numbers(option: str, text: str | None) -> list[float]:
    """The numbers between the commas of an option's value. Raises BadSetting."""
    try:
        return [float(part) for part in (text or "").split(",")]
    except ValueError:
        raise BadSetting(f"--{option}", text, "a number, or numbers between commas") from None
