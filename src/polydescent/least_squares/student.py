"""How far to go for a share of all samples: quantiles of Student's t, the tail of χ²."""

from __future__ import annotations

import math

from polydescent.checks import level as checked_level


def quantile(level: float, freedom: float) -> float:
    """t with P(|T| ≤ t) = level for Student's t, the normal distribution at infinite freedom."""
    level = checked_level(level)
    if not freedom >= 1:
        return math.nan
    from scipy import special  # a tenth of a second: only where a quantile is asked for

    if math.isinf(freedom):
        return float(special.ndtri((1 + level) / 2))
    return float(special.stdtrit(freedom, (1 + level) / 2))


def chi2_tail(chi2: float, freedom: int) -> float:
    """P(χ² ≥ chi2) with so many degrees of freedom; NaN without any."""
    if freedom < 1 or not chi2 >= 0:
        return math.nan
    from scipy import special

    return float(special.chdtrc(freedom, chi2))
