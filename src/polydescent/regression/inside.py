"""Whether x lies where the data are: polynomials run away elsewhere."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from polydescent.arrays import is_array, namespace, to_host
from polydescent.errors import (
    OutsideDomain,
    OutsideDomainWarning,
)
from polydescent.polynomial.basis import Domain
from polydescent.rows.axis import Axis


def check_inside(x: Any, domain: Domain, axis: Axis, outside: str) -> None:
    """Raise OutsideDomain, or warn, where some x lie outside the domain."""
    values = axis.numbers(x)
    if not is_array(values) or isinstance(values, np.generic | np.ndarray):
        values = np.atleast_1d(np.asarray(values, dtype=np.float64))
    lo, hi = domain.edges
    beyond = (values < lo) | (values > hi)
    if not namespace(values).any(beyond):
        return
    values, beyond = to_host(values), to_host(beyond) > 0
    far = values[beyond]
    ends = (float(far.min()), float(far.max()), domain.lo, domain.hi)
    found = OutsideDomain(far.size, values.size, *map(axis.label, ends))
    if outside == "raise":
        raise found
    warnings.warn(str(found), OutsideDomainWarning, stacklevel=3)
