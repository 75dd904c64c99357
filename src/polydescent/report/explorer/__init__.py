"""A fit as one offline HTML page that re-runs its training, drawn from some 80 numbers."""

import base64
import hashlib
import json
import re
import zlib
from importlib import resources
from typing import Any

import numpy as np

from polydescent.report.density import Density

__all__ = ["density", "packed", "page"]

SCRIPTS = (  # in the order they run: each uses only what stands above it
    "algebra.js",
    "triangle.js",
    "problem.js",
    "core.js",
    "forecast.js",
    "degrees.js",
    "surface.js",
    "numerals.js",
    "dates.js",
    "state.js",
    "tour.js",
    "python.js",
    "signs.js",
    "english.js",
    "chinese.js",
    "words.js",
    "dom.js",
    "chart.js",
    "picture.js",
    "plots.js",
    "race.js",
    "valley.js",
    "paces.js",
    "choices.js",
    "model.js",
    "actions.js",
    "cards.js",
    "controls.js",
    "view.js",
    "store.js",
    "player.js",
    "inputs.js",
    "pointing.js",
    "keys.js",
    "app.js",
)
UNPACK = "unpack.js"  # the one script in plain sight: it runs the others, deflated
STYLE = "style.css"
_COMMENTS = re.compile(r"^ *//.*\n|/\*\*(?:(?!\*/)[\s\S])*\*/ ?", re.MULTILINE)
LEVELS = 31  # shades: as many as an eye tells apart, few enough to compress well


def page(payload: dict[str, Any]) -> str:
    """The HTML text of the explorer: one file without network, eval or third-party code.

    Arguments
        payload: plain numbers, text and lists (NaN and infinity are refused), under these names:
            version: 1
            title, x_name, y_name: text; shown as text whatever it holds
            n: rows behind the triangle
            absolute_sigma: whether their weights are 1/σ² with σ known; may be left out
            weighted, counted: whether the rows have weights, counts; may be left out
            log_weights: Σ ln ω, 0 where left out
            domain: [lowest x, highest x]
            dates: {"origin", "per": milliseconds since 1970 of x = 0 and of one unit of x, "unit"}
                where x are dates; may be left out
            triangle: the upper triangle of [[R, z], [0, √rss]] in T_0(u) … T_D(u), row by row,
                length (D+2)(D+3)/2, with u = (x − middle) / half width of the domain
            folds: the same of the rows dealt into parts, [{"n", "triangle": packed doubles}], or
                None; may be left out
            held: what the weights must obey, {"equations", "values": of the Chebyshev weights,
                "fixed": [[power, coefficient]], "through": [[x, y]]}, or None; may be left out
            degree, basis ("power", "chebyshev", "legendre"), start, steps: the run shown first
            optimizer: {"name": "gd" | "momentum" | "nesterov" | "adam", "learning_rate",
                "momentum", "betas", "eps"}; what its name does not use may be left out
            density: what `density` returns, or None
            sample: [x values, y values] of rows to carry in the file, or None
            language: "en", "zh-CN" or None for the reader's own
            tour: False leaves out the guided tour; may be left out

    Returns
        HTML, about 150 KB with a density of any number of rows.

    Raises
        ValueError: a number is NaN or infinite, which JSON cannot say.
    """
    html = _text("shell.html")
    script, unpack, style = "\n".join(map(_text, SCRIPTS)), _text(UNPACK), _text(STYLE)
    policy = (
        f"default-src 'none'; script-src {_hash(unpack)} {_hash(script)}; "
        f"style-src {_hash(style)}; base-uri 'none'; form-action 'none'"
    )
    parts = {"policy": policy, STYLE: style, UNPACK: unpack, "script": _deflated(script.encode())}
    for name, text in parts.items():
        html = html.replace("{{" + name + "}}", text)
    # Last, so that nothing written by a user is ever looked at again; no "<" can close the element.
    return html.replace("{{payload}}", json.dumps(payload, allow_nan=False).replace("<", "\\u003c"))


def density(counted: Density) -> dict[str, Any]:
    """The density of the rows as the page draws it; no row can be told from it.

    Arguments
        counted: every row in a cell of the grid

    Returns
        columns, rows: cells across and up. x, y: [lowest, highest]. outside: rows above or below.
        levels: one byte a cell, highest y first, 0 where it is empty, else 1 … `deepest` by the
        logarithm of its count; deflated, in base64. strips: of each column `n`, its rows, and
        `mean`, that of their y as far as the cells tell, in 1/10000 of the height from below.
    """
    n = counted.counts.sum(axis=0)
    lines = np.arange(len(counted.counts)) + 0.5
    mean = lines @ counted.counts / np.maximum(n, 1) / len(lines)
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
        "strips": {"n": n.tolist(), "mean": np.rint(10_000 * mean).astype(int).tolist()},
        "levels": _deflated(levels.tobytes()),
    }


def packed(triangle: np.ndarray) -> str:
    """The upper triangle row by row as doubles, lowest byte first, in base64."""
    values = triangle[np.triu_indices(len(triangle))].astype("<f8")
    return base64.b64encode(values.tobytes()).decode()


def _deflated(data: bytes) -> str:
    return base64.b64encode(zlib.compress(data, 9)).decode()


def _hash(text: str) -> str:
    """What a policy calls this text."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _text(name: str) -> str:
    """A part of the page without its indentation and, of a script, its comments."""
    text = resources.files(__name__).joinpath(name).read_text(encoding="utf-8")
    if name.endswith(".js"):
        text = _COMMENTS.sub("", text)
    return "\n".join(line.lstrip(" ") for line in text.splitlines() if line.strip())
