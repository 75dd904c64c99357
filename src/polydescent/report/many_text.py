"""Fits in words: how many came out how, and how good they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from polydescent.many.status import Status, in_words
from polydescent.rows.keys import texts
from polydescent.visible import html_table

if TYPE_CHECKING:
    from polydescent.many.fits import Fits

_FIRST = 6  # curves shown one by one
_QUANTILES = (0.0, 0.05, 0.5, 0.95, 1.0)


def headline(fits: Fits) -> str:
    """One line: how many, of which degree, how they came out."""
    shape = f" of shape {fits.shape}" if len(fits.shape) > 1 else ""
    count = int(np.prod(fits.shape))
    return f"Fits of {count:,} curves{shape}, degree {fits.degree}: {in_words(fits.status)}"


def describe(fits: Fits) -> str:
    """Several lines for `print(fits)`: what there is, how good, the first curves."""
    lines = [headline(fits), *(f"{name}: {text}" for name, text in notes(fits))]
    head, rows = first_curves(fits)
    if rows:
        cells = [head, *rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(head))]
        lines += [
            "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
            for row in cells
        ]
    return "\n".join(lines)


def notes(fits: Fits) -> list[tuple[str, str]]:
    """(name, text) of how many rows, where, and how well they fit."""
    n = fits.summaries.n
    if not n.size:
        return []
    counts = f"{n.min():,}" if n.min() == n.max() else f"{n.min():,} to {n.max():,}"
    omitted = int(fits.summaries.omitted.sum())
    found = [("rows", f"{counts} a curve" + (f", {omitted:,} omitted" if omitted else ""))]
    domain, used = fits.summaries.triangle.domain, n > 0
    if used.any():
        ends = float(domain.lo[used].min()), float(domain.hi[used].max())
        found.append(("x", f"from {fits.axis.label(ends[0])} to {fits.axis.label(ends[1])}"))
    for name, values in (("R²", fits._r2), ("residual sd", fits._residual_sd)):
        known = values[np.isfinite(values)]
        if known.size:
            low, _, middle, _, high = np.quantile(known, _QUANTILES)
            spread = f"{low:.6g} to {high:.6g}, half are below {middle:.6g}"
            found.append((name, spread if low < high else f"{low:.6g}"))
    return found


def first_curves(fits: Fits) -> tuple[list[str], list[list[str]]]:
    """(head, rows) of a table of the first curves: key or place, rows, coefficients, R², status."""
    x = "t" if fits.axis.is_dates else "x"
    names = ["1", x, *(f"{x}^{power}" for power in range(2, fits.degree + 1))][: fits.degree + 1]
    head = ["curve", "rows", *names, "R²", "status"]
    places = list(np.ndindex(fits.shape))[:_FIRST] if np.prod(fits.shape) <= 1e4 else None
    if places is None:
        flat = np.unravel_index(np.arange(_FIRST), fits.shape)
        places = list(zip(*(axis.tolist() for axis in flat), strict=True))
    rows = []
    for place in places:
        one: Any = fits._some(tuple(slice(i, i + 1) for i in place))
        rows.append(
            [
                label(fits, place),
                f"{int(one.summaries.n.ravel()[0]):,}",
                *(f"{c:.6g}" for c in one._powers.ravel()),
                f"{one._r2.ravel()[0]:.6g}",
                Status(int(one.status.ravel()[0])).words,
            ]
        )
    return head, rows


def label(fits: Fits, place: tuple[int, ...]) -> str:
    """What the user calls a curve: its key, or its place."""
    if fits.keys is not None:
        return texts(fits.keys, [place[0]])[0]
    return ", ".join(map(str, place))


def table(fits: Fits) -> str:
    """The same for a notebook."""
    head, rows = first_curves(fits)
    return html_table(
        ". ".join([headline(fits), *(f"{a}: {b}" for a, b in notes(fits))]), rows, head
    )
