"""The options of the command, each declared once, in groups that several subcommands share.

To add one, write one line in the group it belongs to: the field's name is its flag, and every
command with that group has it, in its --help, in docs/reference and for `wording` too. Read it
where the group's words are turned into settings: the method below the fields, or the command that
has the group as one argument. An option of one command alone is a line in a group of that
command's file, or of its `command(…)`. See `declare` for the kinds of options there are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from polydescent.cli.declare import Options, choice, flag, number, text, texts, whole
from polydescent.cli.terminal import remark
from polydescent.cli.typed import intervals, loss, numbers, pairs, point, powers, variance
from polydescent.cli.typed import whole as whole_number
from polydescent.errors import BadSetting

if TYPE_CHECKING:
    from polydescent.arrays import Kind
    from polydescent.descent.optimizers import Optimizer
    from polydescent.regression import training
    from polydescent.rows.format import FileFormat

# the names of OPTIMIZERS, BASES, DRAWS and LANGUAGES, which would load what --help does not need
OPTIMIZERS = (
    *("gd", "momentum", "nesterov", "adam", "adamw", "nadam", "rmsprop", "adagrad", "bb", "cg"),
    "exact",
)
BASES = ("power", "chebyshev", "legendre")
DRAWS = ("replacement", "shuffle")
LANGUAGES = ("en", "zh-CN")
_FASTEST = ("auto", "fastest")

LANGUAGE = choice("Of what is explained.", LANGUAGES, "en")
QUIET = flag("Show no progress.")
AGAIN = flag("Count files whose rows were counted before, too.")
TRUST = flag("Run the model's SQL, whatever functions it calls.")


class Columns(Options):
    """Rows and columns."""

    x: str = text("Column, or SQL expression of columns.", required=True)
    y: str = text("Column, or SQL expression of columns.", required=True)
    weights: str | None = text("Column, or SQL: of the squares.")
    sigma: str | None = text("Column, or SQL: standard deviation.")
    absolute_sigma: bool = flag("Sigma is known in units of y.")
    counts: str | None = text("Column, or SQL: how often each row was seen.")
    where: str | None = text("SQL expression: which rows to use.")
    missing: str = choice(
        "Rows with NaN or infinity: refuse them, or leave them out.", ("raise", "omit"), "raise"
    )
    per: str | None = text("Unit of x where it holds dates: second, day, year, …")

    def asked(self) -> dict[str, Any]:
        """Keywords of `Request.parse`; absolute_sigma is of the curve there."""
        return {name: value for name, value in vars(self).items() if name != "absolute_sigma"}


class TextFiles(Options):
    """Text files."""

    null: tuple[str, ...] = texts("Means a missing number too, as -9999; may come again.", "TEXT")
    delimiter: str | None = text("Between the values of a row.", "CHARACTER|tab|blanks")
    decimal: str | None = text("The decimal mark.", ".|,")
    comment: str | None = text("Ends what counts in a line.", "CHARACTER")
    columns: str | None = text("Names of the columns of a text file.", "A,B,…")
    hive: bool = flag("Folders named key=value are columns of their files.")

    def format(self, remembered: str = "") -> FileFormat:
        """What was typed, before what a model remembers."""
        from dataclasses import replace

        from polydescent.rows.format import FileFormat

        said = {name: value for name, value in vars(self).items() if value or value == ""}
        return replace(FileFormat.from_json(remembered), **said)


class Curve(Options):
    """The curve."""

    degree: str = text("Of the polynomial; auto: the best.", "NUMBER|auto[:MAX]", "3")
    criterion: str | None = text("Of --degree auto.  [default: aicc]", "aicc|aic|bic|loo|cv")
    folds: str | None = text(
        "Choose by cross-validation: parts to leave out one at a time.", "NUMBER|files"
    )
    fix: str | None = text("Coefficients to hold.", "0=0,2=1.5")
    terms: str | None = text("The powers to use, all others are 0.", "1,3")
    through: tuple[str, ...] = texts("A point the curve must meet.", "X,Y")
    shape: str | None = text(
        "increasing, decreasing, convex, concave or positive, or several.", "WORD,…"
    )
    bounds: str | None = text("Of coefficients: power=low:high, either may be left out.", "1=0:,…")

    def asked(self, absolute_sigma: bool = False) -> dict[str, Any]:
        """Keywords of `Problem.parse`. Raises BadSetting."""
        return {
            "degree": whole_number(self.degree),
            "fix": None if self.fix is None else pairs(self.fix),
            "terms": None if self.terms is None else powers(self.terms),
            "through": [point(each) for each in self.through] if self.through else None,
            "shape": None if self.shape is None else self.shape.split(","),
            "bounds": None if self.bounds is None else intervals(self.bounds),
            "criterion": self.criterion,
            "folds": None if self.folds is None else whole_number(self.folds),
            "absolute_sigma": absolute_sigma,
        }

    def kept(self, absolute_sigma: bool = False) -> dict[str, Any]:
        """What was typed, as a model keeps it."""
        typed: dict[str, Any] = {"degree": self.degree, "fix": self.fix, "terms": self.terms}
        typed["through"] = list(self.through) or None
        others = {"shape": self.shape, "bounds": self.bounds}
        typed |= {name: value for name, value in others.items() if value is not None}
        if self.criterion is not None:
            typed["criterion"] = self.criterion
        return typed | {"absolute_sigma": True} if absolute_sigma else typed


class Judging(Options):
    """Rows that misbehave."""

    loss: str = text(
        "Of the residuals.",
        "squares|huber[:C]|tukey[:C]|cauchy[:C]|median|quantile:Q",
        default="squares",
    )
    variance: str = text(
        "Of the noise, for the errors: equal, uneven, or going on in the next row.",
        "equal|HC0|HC1|HC2|HC3|HAC[:LAGS]",
        default="equal",
    )

    def asked(self) -> dict[str, Any]:
        """Keywords of `Problem.parse`. Raises UnknownName, BadSetting."""
        return {"loss": loss(self.loss), "variance": variance(self.variance)}

    @property
    def is_given(self) -> bool:
        """Whether anything but the ordinary was typed."""
        return (self.loss, self.variance) != ("squares", "equal")


class Descent(Options):
    """Descent."""

    basis: str | None = choice("Coordinates of the descent.", BASES)
    optimizer: str | None = choice("How to step; exact solves instead.", OPTIMIZERS, shape="NAME")
    learning_rate: str | None = text(
        "Step size; auto or fastest: the fastest stable one.", "auto|fastest|NUMBER"
    )
    momentum: float | None = number("β of momentum, nesterov, rmsprop.  [default: the fastest]")
    start: str = text(
        "Starting weights, as 0.1,0.2,0.3,0.4.", "random|zeros|NUMBERS", default="random"
    )
    seed: int = whole("Of the random start and of the noise.", 0, least=0)
    steps: int = whole("Updates to make.", 2000)
    log_every: int = whole("Print the loss every so many steps, 0: never.", 100, least=0)
    over: str = choice(
        "Walk over all rows, or over their triangle.", ("rows", "summary"), "summary"
    )
    batch: int | None = whole("Rows drawn for each step, with --over rows.", least=1)
    draw: str = choice("How the rows of a --batch are drawn.", DRAWS, "replacement")
    ridge: float = number("Penalty on the squares of the weights but the constant.", 0.0)
    allow_divergence: bool = flag("Walk even above the largest stable rate.")

    @property
    def is_exact(self) -> bool:
        return self.optimizer == "exact"

    def leaves_rate_to(self, optimizer: str, basis: str) -> bool:
        """Whether it walks with this optimizer, unless another was typed, in this basis, and no
        rate was typed.
        """
        chosen = (self.optimizer or optimizer, self.basis or basis, self.learning_rate)
        return chosen == (optimizer, basis, None)

    def asked(self, basis: str, quiet: bool) -> training.Descent:
        """The descent that was typed; basis: where none was.

        Raises BadSetting, TooLarge.
        """
        from polydescent.regression import training

        start = self.start if self.start in ("random", "zeros") else numbers("start", self.start)
        return training.Descent.parse(
            basis=self.basis or basis,
            optimizer=self._optimizer(),
            start=start,
            seed=self.seed,
            steps=self.steps,
            allow_divergence=self.allow_divergence,
            progress=not quiet,
            over=self.over,
            batch=self.batch,
            draw=self.draw,
            ridge=self.ridge,
        )

    def _optimizer(self) -> Optimizer:
        """The optimizer for a name, a rate ("auto", "fastest", a number, or None for the fastest;
        of Adam for its own) and a momentum. Raises BadSetting.
        """
        from polydescent.descent import optimizers

        name, rate = self.optimizer or "gd", self.learning_rate
        kind: Any = optimizers.OPTIMIZERS[name]
        if self.momentum is not None and not hasattr(kind, "momentum"):
            raise BadSetting("--momentum", self.momentum, f"left out: {name} has none")
        if rate in _FASTEST and "learning_rate" not in kind.left_open:
            wanted = f"a number: no rate is the fastest of {kind.__name__}"
            raise BadSetting("--learning-rate", rate, wanted)
        return optimizers.checked_optimizer(
            name, None if rate is None else _rate(rate), self.momentum
        )


def _rate(typed: str) -> float | None:
    """None for the fastest. Raises BadSetting."""
    if typed in _FASTEST:
        return None
    try:
        rate = float(typed)
    except ValueError:
        rate = math.nan
    if not 0 < rate < math.inf:
        raise BadSetting("--learning-rate", typed, "auto, fastest or a number above 0")
    return rate


class Place(Options):
    """Where arrays live."""

    backend: str = text("numpy or torch.", default="numpy")
    device: str | None = text("cpu, cuda, cuda:0, mps.")
    dtype: str | None = text("float32 or float64.")

    def kind(self) -> Kind:
        """That kind of arrays. Raises UnknownName, MissingExtra."""
        from polydescent.arrays import Kind

        return Kind.choose(self.backend, self.device, self.dtype)


class Output(Options):
    """Output."""

    level: float = number("Of the confidence intervals.", 0.95)
    style: str | None = text(
        "Equation as unicode, latex, python, c, sql or javascript too.", "STYLE"
    )
    plot: str | None = text("Draw the run to a .png, .svg or .pdf.", "FILE")
    explore: str | None = text("Write a page that re-runs the training, .html.", "FILE")
    diagnose: bool = flag("Ask what a careful statistician would; keeps the rows in memory.")
    trace: int | None = whole("Show every number of this step.", shape="STEP")
    language: str = choice("Of --trace.", LANGUAGES, "en")
    json: bool = flag("Print one JSON object instead.")
    quiet: bool = QUIET


def say_guesses(source: Any) -> None:
    """Print what was guessed about the text files of a source, where it is not the ordinary."""
    from polydescent.rows.files import told

    for line in told(source):
        remark(line)
