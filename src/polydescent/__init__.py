"""Polynomial regression by gradient descent, the same on NumPy arrays and PyTorch tensors.

A file imports only from files above it in this list; Summary.fit, Summary.descend, Fit.plot,
Fit.explore and print(fit) reach down inside the method.

    visible       text from anywhere, fit to be shown
    errors        everything we refuse
    schema        what a document from elsewhere may hold
    memory        what can be held
    atomic        files that are there whole or not at all
    fingerprint   which files hold the same rows
    arrays        the only file that knows NumPy from PyTorch
    frames        pandas Series and DataFrames, where they are wanted
    dates         dates and large whole numbers as x
    double_double  32 digits from pairs of float64, 48 from triples
    fixed_point   small linear systems in long integers
    basis         families of polynomials as recurrences
    polynomial    a curve in some basis on some domain
    roots         where a polynomial is 0
    kernels       compress one chunk of rows
    triangle      rows as a triangle, of one curve or a stack
    summary       the whole data set as one small triangle
    constraints   what is known about the curve beforehand
    refine        least squares as if computed exactly
    motion        modes of a loss under momentum, in closed form
    optimizers    GradientDescent, Momentum, Nesterov, Adam
    convergence   the spectrum and what it says about every step to come
    descent       forward, backward, the loop
    sources       anything as chunks of columns x, y, weights
    density       rows as counts on a grid
    passes        one pass over a source, from any state it was left in
    progress      how far a pass has come, on a terminal
    solution      the exact answer behind a fit, refined where rows are at hand
    accuracy      how many digits the rows can carry
    statistics    what the data leave uncertain about a curve
    degrees       which degree: criteria and leave-one-out
    store         a model in a file
    journal       a pass over files into a model that outlives its process
    record        a Fit as JSON and back
    equation      a polynomial as text
    advice        an outcome in words
    inference     what a fit says about its uncertainty
    arguments     what the arguments of fit and descend mean
    result        Fit: the result
    verbs         fit, descend, summarize
    writing       prose and formulas as text, Markdown or LaTeX
    explain       the derivation for a degree
    trace         one step of a descent taken apart
    report        a Fit for human eyes
    cli           the polydescent command
"""

from importlib import import_module

from polydescent._version import __version__

TYPE_CHECKING = False  # typing takes longer to load than all else that an import loads

if TYPE_CHECKING:
    from polydescent import errors
    from polydescent.convergence import Forecast
    from polydescent.descent import History, Outcome
    from polydescent.errors import ConvergenceWarning, PolydescentError
    from polydescent.optimizers import Adam, GradientDescent, Momentum, Nesterov
    from polydescent.result import Fit
    from polydescent.sources.format import FileFormat
    from polydescent.summary import Summary
    from polydescent.verbs import descend, fit, summarize

__all__ = [
    "Adam",
    "ConvergenceWarning",
    "FileFormat",
    "Fit",
    "Forecast",
    "GradientDescent",
    "History",
    "Momentum",
    "Nesterov",
    "Outcome",
    "PolydescentError",
    "Summary",
    "__version__",
    "descend",
    "errors",
    "fit",
    "summarize",
]

_HOMES = {
    "Adam": "optimizers",
    "ConvergenceWarning": "errors",
    "FileFormat": "sources.format",
    "Fit": "result",
    "Forecast": "convergence",
    "GradientDescent": "optimizers",
    "History": "descent",
    "Momentum": "optimizers",
    "Nesterov": "optimizers",
    "Outcome": "descent",
    "PolydescentError": "errors",
    "Summary": "summary",
    "descend": "verbs",
    "fit": "verbs",
    "summarize": "verbs",
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
