"""Polynomial regression by gradient descent, the same on NumPy arrays and PyTorch tensors.

Rooms from the ground up, each with its files in order. An import goes to a room further up this
list, or to a file further up in the same room, except inside the methods Fit.plot, Fit.explore and
print(fit), which ask report, and Summary.save and load, which ask models; within regression,
Summary.fit, descend and forecast ask problem and training; within many, Summaries.fit, descend and
forecast ask fits and descents, a sum of Summaries asks grouped, print(fits), Fits.plot and explore
ask report, and save and load ask models. docs/architecture.md says what lives where and why.

    visible
    errors
    checks
    memory
    sealed: schema atomic document fingerprint
    arrays
    double_double
    frames
    rows: calendar exact axis deviations arrow keys rows curves labelled source chunks locked
        expressions format layout intact duck text delimited json_lines tables files cluster
        function source_of
    polynomial: basis curve stack roots text
    triangle: kernels triangle
    least_squares: fixed_point precise stacks constraints refine solution sandwich shapes accuracy
        student estimate places uncertain folds degrees
    robust: losses scale passes reweighted linear_program quantiles judgment
    descent: motion contract linear adaptive searching optimizers settings moments noise forecast
        fused loop batches outcome
    regression: summary matrices passes folding progress evidence diagnostics forms inside fit
        problem judged training request verbs
    many: status held solving summaries partition grouped passes tables descents chunked fits verbs
    models: files model journal groups group_journal
    estimators: recurrence torch table scikit
    xarray
    report: density writing languages derivation text many_text trace steps panels many_panels
        static explorer page notebook
    lesson: programs program verdict
    cli: terminal wording declare typed options show approximate explain groups fit update merge
        predict commands door
"""

from importlib import import_module

from polydescent._version import __version__

TYPE_CHECKING = False  # typing takes longer to load than all else that an import loads

if TYPE_CHECKING:
    from polydescent import errors
    from polydescent.descent.adaptive import Adagrad, Adam, AdamW, NAdam, RMSprop
    from polydescent.descent.forecast import Forecast
    from polydescent.descent.linear import GradientDescent, Momentum, Nesterov
    from polydescent.descent.loop import History
    from polydescent.descent.outcome import Outcome
    from polydescent.descent.searching import BarzilaiBorwein, ConjugateGradient
    from polydescent.errors import (
        ConvergenceWarning,
        CurvesWithoutAnswer,
        OutsideDomainWarning,
        PolydescentError,
        RowsWithoutCurve,
        SlowKernelsWarning,
    )
    from polydescent.least_squares.degrees import Degrees
    from polydescent.least_squares.estimate import Estimate, Extremum, Root
    from polydescent.least_squares.sandwich import HAC
    from polydescent.least_squares.uncertain import UncertainCurve
    from polydescent.many.fits import Fits
    from polydescent.many.status import Status
    from polydescent.many.summaries import Summaries
    from polydescent.many.verbs import descend_many, fit_many, summarize_many
    from polydescent.polynomial.basis import Domain
    from polydescent.regression.diagnostics import Diagnostics
    from polydescent.regression.fit import Fit
    from polydescent.regression.summary import Summary
    from polydescent.regression.verbs import descend, fit, summarize
    from polydescent.report.notebook import Page
    from polydescent.robust import losses
    from polydescent.rows.format import FileFormat

__all__ = [
    "HAC",
    "Adagrad",
    "Adam",
    "AdamW",
    "BarzilaiBorwein",
    "ConjugateGradient",
    "ConvergenceWarning",
    "CurvesWithoutAnswer",
    "Degrees",
    "Diagnostics",
    "Domain",
    "Estimate",
    "Extremum",
    "FileFormat",
    "Fit",
    "Fits",
    "Forecast",
    "GradientDescent",
    "History",
    "Momentum",
    "NAdam",
    "Nesterov",
    "Outcome",
    "OutsideDomainWarning",
    "Page",
    "PolydescentError",
    "RMSprop",
    "Root",
    "RowsWithoutCurve",
    "SlowKernelsWarning",
    "Status",
    "Summaries",
    "Summary",
    "UncertainCurve",
    "__version__",
    "descend",
    "descend_many",
    "errors",
    "fit",
    "fit_many",
    "losses",
    "summarize",
    "summarize_many",
]

_MODULES = {"errors": "errors", "losses": "robust.losses"}
_HOMES = {
    "HAC": "least_squares.sandwich",
    "Adagrad": "descent.adaptive",
    "Adam": "descent.adaptive",
    "AdamW": "descent.adaptive",
    "BarzilaiBorwein": "descent.searching",
    "ConjugateGradient": "descent.searching",
    "ConvergenceWarning": "errors",
    "CurvesWithoutAnswer": "errors",
    "Degrees": "least_squares.degrees",
    "Diagnostics": "regression.diagnostics",
    "Domain": "polynomial.basis",
    "Estimate": "least_squares.estimate",
    "Extremum": "least_squares.estimate",
    "FileFormat": "rows.format",
    "Fit": "regression.fit",
    "Fits": "many.fits",
    "Forecast": "descent.forecast",
    "GradientDescent": "descent.linear",
    "History": "descent.loop",
    "Momentum": "descent.linear",
    "NAdam": "descent.adaptive",
    "Nesterov": "descent.linear",
    "Outcome": "descent.outcome",
    "OutsideDomainWarning": "errors",
    "Page": "report.notebook",
    "PolydescentError": "errors",
    "PolynomialLayer": "estimators.torch",  # not in __all__: `import *` needs no torch
    "PolynomialRegressor": "estimators.scikit",  # nor scikit-learn
    "RMSprop": "descent.adaptive",
    "Root": "least_squares.estimate",
    "RowsWithoutCurve": "errors",
    "SlowKernelsWarning": "errors",
    "Status": "many.status",
    "Summaries": "many.summaries",
    "SummaryLoss": "estimators.torch",
    "Summary": "regression.summary",
    "UncertainCurve": "least_squares.uncertain",
    "descend": "regression.verbs",
    "descend_many": "many.verbs",
    "fit": "regression.verbs",
    "fit_many": "many.verbs",
    "summarize": "regression.verbs",
    "summarize_many": "many.verbs",
}


def __getattr__(name: str):
    """A public name, loaded when it is first asked for: an import alone costs next to nothing."""
    if name in _MODULES:
        return import_module(f"polydescent.{_MODULES[name]}")
    if name not in _HOMES:
        raise AttributeError(f"module 'polydescent' has no attribute {name!r}")
    value = getattr(import_module(f"polydescent.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
