"""Polynomial regression by gradient descent, the same on NumPy arrays and PyTorch tensors.

Rooms from the ground up, each with its files in order. An import goes to a room further up this
list, or to a file further up in the same room, except inside the methods Fit.plot, Fit.explore and
print(fit), which ask report, and Summary.save and load, which ask models; within regression,
Summary.fit, descend and forecast ask problem and training. docs/architecture.md says what lives
where and why.

    visible
    errors
    checks
    memory
    sealed: schema atomic document fingerprint
    arrays
    double_double
    frames
    rows: calendar exact axis deviations rows source chunks arrow locked expressions format layout
        intact duck text delimited json_lines tables files cluster function source_of
    polynomial: basis curve roots text
    triangle: kernels triangle
    least_squares: fixed_point precise constraints refine solution shapes accuracy student
        estimate places uncertain degrees
    descent: motion optimizers settings forecast loop outcome
    regression: summary passes progress evidence diagnostics forms inside fit problem training
        request verbs
    models: model journal
    report: density writing derivation text trace steps panels static explorer page
    lesson: programs program verdict
    cli: terminal wording declare typed options show approximate explain fit update merge predict
        commands door
"""

from importlib import import_module

from polydescent._version import __version__

TYPE_CHECKING = False  # typing takes longer to load than all else that an import loads

if TYPE_CHECKING:
    from polydescent import errors
    from polydescent.descent.forecast import Forecast
    from polydescent.descent.loop import History
    from polydescent.descent.optimizers import Adam, GradientDescent, Momentum, Nesterov
    from polydescent.descent.outcome import Outcome
    from polydescent.errors import (
        ConvergenceWarning,
        OutsideDomainWarning,
        PolydescentError,
        SlowKernelsWarning,
    )
    from polydescent.least_squares.degrees import Degrees
    from polydescent.least_squares.estimate import Estimate, Extremum, Root
    from polydescent.least_squares.uncertain import UncertainCurve
    from polydescent.polynomial.basis import Domain
    from polydescent.regression.diagnostics import Diagnostics
    from polydescent.regression.fit import Fit
    from polydescent.regression.summary import Summary
    from polydescent.regression.verbs import descend, fit, summarize
    from polydescent.rows.format import FileFormat

__all__ = [
    "Adam",
    "ConvergenceWarning",
    "Degrees",
    "Diagnostics",
    "Domain",
    "Estimate",
    "Extremum",
    "FileFormat",
    "Fit",
    "Forecast",
    "GradientDescent",
    "History",
    "Momentum",
    "Nesterov",
    "Outcome",
    "OutsideDomainWarning",
    "PolydescentError",
    "Root",
    "SlowKernelsWarning",
    "Summary",
    "UncertainCurve",
    "__version__",
    "descend",
    "errors",
    "fit",
    "summarize",
]

_HOMES = {
    "Adam": "descent.optimizers",
    "ConvergenceWarning": "errors",
    "Degrees": "least_squares.degrees",
    "Diagnostics": "regression.diagnostics",
    "Domain": "polynomial.basis",
    "Estimate": "least_squares.estimate",
    "Extremum": "least_squares.estimate",
    "FileFormat": "rows.format",
    "Fit": "regression.fit",
    "Forecast": "descent.forecast",
    "GradientDescent": "descent.optimizers",
    "History": "descent.loop",
    "Momentum": "descent.optimizers",
    "Nesterov": "descent.optimizers",
    "Outcome": "descent.outcome",
    "OutsideDomainWarning": "errors",
    "PolydescentError": "errors",
    "Root": "least_squares.estimate",
    "SlowKernelsWarning": "errors",
    "Summary": "regression.summary",
    "UncertainCurve": "least_squares.uncertain",
    "descend": "regression.verbs",
    "fit": "regression.verbs",
    "summarize": "regression.verbs",
}


def __getattr__(name: str):
    """A public name, loaded when it is first asked for: an import alone costs next to nothing."""
    if name == "errors":
        return import_module("polydescent.errors")
    if name not in _HOMES:
        raise AttributeError(f"module 'polydescent' has no attribute {name!r}")
    value = getattr(import_module(f"polydescent.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
