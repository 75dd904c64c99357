"""Losses, quantiles and uneven noise at 10⁶ rows against statsmodels, by CPU time on one core."""

from __future__ import annotations

import os
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from timing import Row, table

import polydescent as pd
from polydescent import losses
from polydescent.triangle.kernels.threads import one_core

N = 1_000_000


def rows() -> tuple[np.ndarray, np.ndarray]:
    """A wave with noise that grows, and 5 % of the rows far off."""
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, N)
    y = np.cos(3 * x) + 0.1 * (1 + x * x) * rng.standard_normal(N)
    far = rng.random(N) < 0.05
    return x, np.where(far, y + 5 * rng.standard_normal(N), y)


def cpu(run: Callable[[], Any], repeat: int) -> float:
    """The least CPU time of a few runs, in seconds."""
    found = []
    for _ in range(repeat):
        begun = time.process_time()
        run()
        found.append(time.process_time() - begun)
    return min(found)


def report() -> str:
    """A table for each kind, statsmodels first."""
    import statsmodels.api as sm

    x, y = rows()
    V = np.polynomial.chebyshev.chebvander(x, 3)
    norms = {
        "huber": sm.robust.norms.HuberT(),
        "tukey": sm.robust.norms.TukeyBiweight(),
        "cauchy": sm.robust.norms.StudentT(c=2.385, df=1),
    }
    parts = [f"## Rows that misbehave\n\n{N:,} rows, degree 3, CPU time on one core."]
    with one_core(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for word, norm in norms.items():
            theirs = cpu(lambda norm=norm: sm.RLM(y, V, M=norm).fit().bse, 1)
            ours = cpu(lambda word=word: pd.fit(x, y, 3, loss=word).stderr, 3)
            os.environ["POLYDESCENT_KERNELS"] = "blocks,reference"
            plain = cpu(lambda word=word: pd.fit(x, y, 3, loss=word).stderr, 2)
            del os.environ["POLYDESCENT_KERNELS"]
            found = [Row(f"RLM, {word}", theirs), Row(f'loss="{word}"', ours, "30")]
            parts.append(table([*found, Row("the same without C", plain, "10")]))
        for q in (0.5, 0.9):
            theirs = cpu(lambda q=q: sm.QuantReg(y, V).fit(q=q).bse, 1)
            ours = cpu(lambda q=q: pd.fit(x, y, 3, loss=losses.Quantile(q)).stderr, 2)
            parts.append(table([Row(f"QuantReg, {q}", theirs), Row(f"Quantile({q})", ours, "4")]))
        theirs = cpu(lambda: sm.OLS(y, V).fit(cov_type="HC3").bse, 2)
        ours = cpu(lambda: pd.fit(x, y, 3, variance="HC3").stderr, 3)
        plain = cpu(lambda: pd.fit(x, y, 3).stderr, 3)
        found = [Row("OLS, HC3", theirs), Row('variance="HC3", coefficients refined', ours)]
        parts.append(table([*found, Row("errors alone", ours - plain, "4")]))
    return "\n\n".join(parts)


if __name__ == "__main__":
    print(report())
