"""A fit in a notebook: a small picture beside its numbers, and the explorer in a frame."""

from __future__ import annotations

from dataclasses import dataclass, field
from html import escape
from os import PathLike
from pathlib import Path

import numpy as np

from polydescent.polynomial.basis import Domain
from polydescent.regression.fit import Fit
from polydescent.report.density import blocks
from polydescent.report.page import check_page, shown
from polydescent.sealed.atomic import locked, replacing
from polydescent.visible import visible

_WIDTH, _HEIGHT, _MARGIN = 360, 200, 20  # pixels
_DOTS = 400  # rows of a picture this small that can be told apart
_POINTS = 121  # of a curve
_ROOM = 0.05  # of the height, above and below


@dataclass(frozen=True)
class Page:
    """The explorer of a fit, shown by Jupyter, VS Code and marimo where a cell ends with it.

    The page runs in a frame of its own that reaches neither the notebook nor the network.

    Attributes
    ----------
    html
        The whole page, as `Fit.explore` writes it into a file.
    height
        Of the frame, in pixels.
    """

    html: str = field(repr=False)
    height: int = 900

    def save(self, path: str | PathLike[str]) -> None:
        """Write the page to a file.

        Parameters
        ----------
        path
            A file name ending in .html.

        Raises
        ------
        BadSetting, NoFolder
            For a path that cannot be written.
        """
        check_page(path)
        with locked(path), replacing(Path(path)) as beside:
            beside.write_text(self.html, encoding="utf-8")

    def _repr_html_(self) -> str:
        return (
            f'<iframe srcdoc="{escape(self.html)}" sandbox="allow-scripts" title="polydescent" '
            f'style="width:100%;height:{self.height}px;border:0"></iframe>'
        )


def headed(fit: Fit) -> str:
    """What stands above the numbers of a fit: its equation and a small picture."""
    equation = escape(visible(fit.equation("unicode", errors=True)))
    return f"<p>{equation}</p>{thumbnail(fit)}"


def thumbnail(fit: Fit) -> str:
    """The rows and the curve as a small SVG in the color of the words around it: no script, no
    style of its own, nothing for it to load.
    """
    domain = fit.summary.domain
    x = np.linspace(domain.lo, domain.hi, _POINTS)
    y = fit.curve(x)
    rows = _some_rows(fit)
    heights = rows[1] if rows[1].size else y
    heights = heights[np.isfinite(heights)]
    if not heights.size:
        return ""
    up = Domain(float(heights.min()), float(heights.max()))
    pad = _ROOM * (up.hi - up.lo) or abs(up.lo) / 2 or 1.0
    up = Domain(up.lo - pad, up.hi + pad)
    dots = "".join(
        f'<circle cx="{a:.1f}" cy="{b:.1f}" r="1.6"/>'
        for a, b in zip(*_placed(rows[0], rows[1], domain, up), strict=True)
    )
    across, down = _placed(x, y, domain, up)
    drawn = np.isfinite(down)
    line = " ".join(
        f"{a:.1f},{b:.1f}"
        for a, b in zip(across[drawn], np.clip(down[drawn], -999, 999), strict=True)
    )
    ends = [escape(shown(fit.axis.label(end))) for end in (domain.lo, domain.hi)]
    edge, foot = _WIDTH - _MARGIN, _HEIGHT - 4
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" height="{_HEIGHT}" role="img" '
        f'aria-label="The rows and the curve" font-size="12" fill="currentColor">'
        f'<g fill-opacity="0.45">{dots}</g>'
        f'<polyline points="{line}" fill="none" stroke="#D55E00" stroke-width="2.5"/>'
        f'<path d="M{_MARGIN} {_HEIGHT - _MARGIN}H{edge}" stroke="currentColor" '
        f'stroke-opacity="0.5"/>'
        f'<text x="{_MARGIN}" y="{foot}">{ends[0]}</text>'
        f'<text x="{edge}" y="{foot}" text-anchor="end">{ends[1]}</text></svg>'
    )


def _some_rows(fit: Fit) -> tuple[np.ndarray, np.ndarray]:
    """Some of the rows that count, evenly chosen, as (x, y); none of a bare summary."""
    if fit.rows is None:
        return np.empty(0), np.empty(0)
    stride = max(1, -(-fit.rows.n // _DOTS))
    x, y = zip(*blocks(fit.rows, stride=stride), strict=True)
    return np.concatenate(x), np.concatenate(y)


def _placed(
    x: np.ndarray, y: np.ndarray, across: Domain, up: Domain
) -> tuple[np.ndarray, np.ndarray]:
    """Where points stand in the picture, in pixels; those of one x in its middle."""
    share = np.full_like(x, 0.5) if across.is_point else (x - across.lo) / (across.hi - across.lo)
    with np.errstate(over="ignore", invalid="ignore"):
        height = (y - up.lo) / (up.hi - up.lo)
    room = _HEIGHT - 2 * _MARGIN
    return _MARGIN + share * (_WIDTH - 2 * _MARGIN), _MARGIN + (1 - height) * room
