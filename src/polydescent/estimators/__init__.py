"""Estimators in the idioms of other tools, each loaded with its tool when first asked for."""

from importlib import import_module

TYPE_CHECKING = False

if TYPE_CHECKING:
    from polydescent.estimators.scikit import (
        ChebyshevFeatures,
        PolynomialRegressor,
        PolynomialRegressorCV,
    )
    from polydescent.estimators.torch import PolynomialLayer, SummaryLoss

__all__ = [
    "ChebyshevFeatures",
    "PolynomialLayer",
    "PolynomialRegressor",
    "PolynomialRegressorCV",
    "SummaryLoss",
]

_HOMES = {
    "ChebyshevFeatures": "scikit",
    "PolynomialLayer": "torch",
    "PolynomialRegressor": "scikit",
    "PolynomialRegressorCV": "scikit",
    "SummaryLoss": "torch",
}


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module 'polydescent.estimators' has no attribute {name!r}")
    value = getattr(import_module(f"polydescent.estimators.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
