"""A fit as one offline HTML page that re-runs its training, drawn from some 80 numbers."""

import base64
import hashlib
import json
import zlib
from importlib import resources
from typing import Any

import numpy as np

__all__ = ["density", "grid", "page"]

SCRIPTS = ("core.js", "settings.js", "words.js", "chart.js", "view.js", "app.js")
STYLE = "style.css"
LEVELS = 31  # shades of a density: as many as an eye tells apart, few enough to compress well
CHUNK = 1 << 20  # rows binned at a time: a few megabytes beside data of any size
TAIL = 1e-3  # rows this far out in y are counted, not drawn: one outlier must not flatten the picture


def page(payload: dict[str, Any]) -> str:
    """The HTML text of the explorer: one file without network, eval or third-party code.

    Arguments
        payload: plain numbers, text and lists (NaN and infinity are refused), under these names:
            version: 1
            title, x_name, y_name: text; shown as text whatever it holds
            n: rows behind the triangle
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
        HTML, about 110 KB plus up to 6 KB for a density.

    Raises
        ValueError: a number is NaN or infinite, which JSON cannot say.
    """
    html = _text("shell.html")
    hashes = {}
    for name in (*SCRIPTS, STYLE):
        text = _text(name)
        hashes[name] = "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"
        html = html.replace("{{" + name + "}}", text)
    policy = (
        f"default-src 'none'; script-src {' '.join(hashes[name] for name in SCRIPTS)}; "
        f"style-src {hashes[STYLE]}; base-uri 'none'; form-action 'none'"
    )
    html = html.replace("{{policy}}", policy)
    # Last, so that nothing written by a user is ever looked at again; no "<" can close the element.
    return html.replace("{{payload}}", json.dumps(payload, allow_nan=False).replace("<", "\\u003c"))


def density(x: Any, y: Any, columns: int = 160, rows: int = 100) -> dict[str, Any]:
    """A picture of all rows that gives none of them away: how many fall in each cell of a grid.

    Arguments
        x, y: shape (n,), finite
        columns, rows: cells across and up

    Returns
        What `grid` returns.
    """
    x, y = np.ravel(np.asarray(x)), np.ravel(np.asarray(y))
    across, up = _range(x), _range(y, TAIL)
    counts = np.zeros(rows * columns, dtype=np.int64)
    for start in range(0, len(x), CHUNK):
        column = _cell(x[start : start + CHUNK], across, columns)
        row = _cell(y[start : start + CHUNK], up, rows)
        inside = (row >= 0) & (row < rows)
        cell = (rows - 1 - row[inside]) * columns + column[inside]
        counts += np.bincount(cell, minlength=rows * columns)
    return grid(counts.reshape(rows, columns), across, up, outside=len(x) - int(counts.sum()))


def grid(counts: np.ndarray, x: list[float], y: list[float], outside: int = 0) -> dict[str, Any]:
    """Counts per cell, however they were collected, as the page wants them.

    Arguments
        counts: shape (rows, columns), highest y first
        x, y: [lowest, highest] of the picture
        outside: rows above or below it

    Returns
        columns, rows, x, y, outside; levels: one byte a cell, 0 where it is empty, else 1 … 31 by the
        logarithm of its count, deflated, in base64; deepest: 31.
    """
    most = max(int(counts.max()), 1)
    levels = np.ceil(LEVELS * np.log1p(counts) / np.log1p(most)).astype(np.uint8)
    rows, columns = counts.shape
    return {
        "columns": columns,
        "rows": rows,
        "x": x,
        "y": y,
        "outside": outside,
        "deepest": LEVELS,
        "levels": base64.b64encode(zlib.compress(levels.tobytes(), 9)).decode(),
    }


def _range(values: np.ndarray, tail: float = 0.0) -> list[float]:
    """Lowest and highest value, without a tail that would stretch the range more than threefold."""
    low, high = float(values.min()), float(values.max())
    if tail:
        some = values[:: max(1, len(values) // 100_000)]
        inner_low, inner_high = (float(q) for q in np.quantile(some, [tail, 1 - tail]))
        reach = inner_high - inner_low
        low, high = max(low, inner_low - reach), min(high, inner_high + reach)
    if low == high:
        pad = abs(low) / 2 or 1.0
        return [low - pad, high + pad]
    return [low, high]


def _cell(values: np.ndarray, limits: list[float], cells: int) -> np.ndarray:
    """The cell of every value; the upper end belongs to the last one, what lies outside is −1 or `cells`."""
    low, high = limits
    place = np.floor((values - low) * (cells / (high - low)))
    place = np.where(values == high, cells - 1, place)
    return np.clip(place, -1, cells).astype(np.int64)


def _text(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")
