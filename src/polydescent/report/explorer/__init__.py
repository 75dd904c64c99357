"""A fit as one offline HTML page that re-runs its training, drawn from some 80 numbers."""

import base64
import hashlib
import json
import zlib
from importlib import resources
from typing import Any

import numpy as np

from polydescent.report.density import Density

__all__ = ["density", "page"]

SCRIPTS = (
    "triangle.js",
    "core.js",
    "settings.js",
    "numerals.js",
    "words.js",
    "dom.js",
    "chart.js",
    "picture.js",
    "plots.js",
    "cards.js",
    "controls.js",
    "view.js",
    "model.js",
    "app.js",
)
STYLE = "style.css"
LEVELS = 31  # shades: as many as an eye tells apart, few enough to compress well


def page(payload: dict[str, Any]) -> str:
    """The HTML text of the explorer: one file without network, eval or third-party code.

    Arguments
        payload: plain numbers, text and lists (NaN and infinity are refused), under these names:
            version: 1
            title, x_name, y_name: text; shown as text whatever it holds
            n: rows behind the triangle
            absolute_sigma: whether their weights are 1/σ² with σ known; may be left out
            domain: [lowest x, highest x]
            triangle: the upper triangle of [[R, z], [0, √rss]] in T_0(u) … T_D(u), row by row,
                length (D+2)(D+3)/2, with u = (x − middle) / half width of the domain
            degree, basis ("power", "chebyshev", "legendre"), start, steps: the run shown first
            optimizer: {"name": "gd" | "momentum" | "nesterov" | "adam", "learning_rate",
                "momentum", "betas", "eps"}; what its name does not use may be left out
            density: what `density` returns, or None
            sample: [x values, y values] of rows to carry in the file, or None
            language: "en", "zh-CN" or None for the reader's own

    Returns
        HTML, about 115 KB with a density of any number of rows.

    Raises
        ValueError: a number is NaN or infinite, which JSON cannot say.
    """
    html = _text("shell.html")
    hashes = {}
    for name in (*SCRIPTS, STYLE):
        text = _text(name)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        hashes[name] = f"'sha256-{digest}'"
        html = html.replace("{{" + name + "}}", text)
    policy = (
        f"default-src 'none'; script-src {' '.join(hashes[name] for name in SCRIPTS)}; "
        f"style-src {hashes[STYLE]}; base-uri 'none'; form-action 'none'"
    )
    html = html.replace("{{policy}}", policy)
    # Last, so that nothing written by a user is ever looked at again; no "<" can close the element.
    return html.replace("{{payload}}", json.dumps(payload, allow_nan=False).replace("<", "\\u003c"))


def density(counted: Density) -> dict[str, Any]:
    """The density of the rows as the page draws it; no row can be told from it.

    Arguments
        counted: every row in a cell of the grid

    Returns
        columns, rows: cells across and up. x, y: [lowest, highest]. outside: rows above or below.
        levels: one byte a cell, highest y first, 0 where it is empty, else 1 … `deepest` by the
        logarithm of its count; deflated, in base64.
    """
    counts = counted.counts[::-1]
    shade = np.rint(LEVELS * np.log1p(counts) / np.log1p(max(counts.max(), 1)))
    levels = np.where(counts > 0, np.maximum(shade, 1), 0).astype(np.uint8)
    rows, columns = counts.shape
    return {
        "columns": columns,
        "rows": rows,
        "x": [counted.x.lo, counted.x.hi],
        "y": [counted.y.lo, counted.y.hi],
        "outside": counted.outside,
        "deepest": LEVELS,
        "levels": base64.b64encode(zlib.compress(levels.tobytes(), 9)).decode(),
    }


def _text(name: str) -> str:
    """A part of the page without its indentation, which would be a tenth of the file."""
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    return "\n".join(line.lstrip(" ") for line in text.splitlines())
