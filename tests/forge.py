"""Documents as somebody else may have left them: bytes spoiled by chance, values forged on purpose.

A forged model carries a right checksum. What is made of one is refused in one line, or means what
stands in it: written again it gives the same values, and its numbers are finite.
"""

import copy
import hashlib
import json
import math
import sys
import warnings

import numpy as np

import polydescent as pd
from polydescent.cli.predict import _curve
from polydescent.models import model as store
from polydescent.rows.calendar import UNITS

MODULE = "polydescent_forged"  # imported by nobody who reads a document
NASTY = [
    *(None, True, False, 0, 1, -1, 2.5, -0.0, 1e308, -1e308, 5e-324, 10**18, -(10**18), 10**30),
    *(10**400, math.nan, math.inf, -math.inf, "", "3", "1.5", "inf", "nan", "NaN", "x", "omit"),
    *("auto", "auto:300", "999", "float32", "cuda:0", "torch", "adam", "ns", "day", "DIVERGED"),
    *(MODULE, "os", "__class__", "../../x", "\x1b[31m", "\ud800", "a" * 5000, "1/0", "1/3"),
    *([], {}, [1, 2], [[1.0]], {"a": 1}, [None], ["1", "2"], [2.0, 1.0]),
]


def spoiled(data, generator):
    """The bytes with a few of them changed, cut out, put in, or moved."""
    data = bytearray(data)
    for _ in range(generator.integers(1, 4)):
        at, other = generator.integers(0, len(data), 2)
        length = int(generator.integers(1, 40))
        match generator.integers(6):
            case 0:
                data[at] ^= 1 << generator.integers(8)
            case 1:
                del data[at : at + length]
            case 2:
                data[at:at] = generator.bytes(length)
            case 3:
                data[at:at] = data[other : other + length]
            case 4:
                data[at] = int(generator.choice(list(b'0123456789.,-+e[]{}"\r\n\0')))
            case 5:
                del data[at:]
        if not data:
            break
    return bytes(data)


def _places(value, path=()):
    """Every place in a document, as paths of keys."""
    yield path
    if not isinstance(value, dict | list) or len(path) > 8:
        return
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
        yield from _places(inner, (*path, key))


def _at(document, path):
    for key in path:
        document = document[key]
    return document


def forged(document, generator):
    """A copy of the document with one place changed, or two."""
    document = copy.deepcopy(document)
    for _ in range(generator.choice([1, 1, 2])):
        places = [path for path in _places(document) if path]
        if not places:
            break
        # a level first, so that the many numbers of a triangle do not take all the blows
        level = generator.choice(sorted({len(path) for path in places}))
        level = [path for path in places if len(path) == level]
        path = level[generator.integers(len(level))]
        parent, key = _at(document, path[:-1]), path[-1]
        found = parent[key]
        match generator.integers(9):
            case 0:
                del parent[key]
            case 1 if isinstance(parent, dict):
                parent[str(NASTY[generator.integers(len(NASTY))])[:20]] = found
            case 1 | 2:
                parent[key] = copy.deepcopy(_at(document, places[generator.integers(len(places))]))
            case 3 | 7 | 8 if type(found) in (int, float) and abs(found) < 1e300:
                changes = (-found, found + 0.5, str(found), float(found), int(found), found * 1.01)
                parent[key] = changes[generator.integers(6)]
            case 4 if isinstance(parent, list) and len(parent) > 1:
                generator.shuffle(parent)
            case 5 if isinstance(parent, list):
                parent.append(copy.deepcopy(found))
            case _:
                parent[key] = copy.deepcopy(NASTY[generator.integers(len(NASTY))])
    return document


def sealed(form, body):
    """The bytes of a model or checkpoint with this content and a right checksum."""
    body = {"format": form, "schema": 1} | body
    compact = json.dumps(body, ensure_ascii=False)
    seal = hashlib.sha256(compact.encode("utf-8", "surrogatepass")).hexdigest()
    text = json.dumps(body | {"checksum": seal}, ensure_ascii=False, indent=1)
    return text.encode("utf-8", "surrogatepass")


def body_of(data):
    """The content of a model, without its seal."""
    content = json.loads(data)
    return {k: v for k, v in content.items() if k not in ("format", "schema", "checksum")}


# ── what happens to one ──────────────────────────────────────────────────────────────────────────


def verdict_of_model(path, body=None):
    """What becomes of a model file: "refused", "means what it says", or a fault.

    body: what stands in it.
    """
    return _verdict(lambda: _use_model(path, body))


def verdict_of_record(text):
    """The same of the JSON of a fit."""
    return _verdict(lambda: _use_record(text))


def _verdict(use):
    try:
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            fault = use()
    except pd.PolydescentError as refusal:
        fault = "bare traceback" if "\n" in str(refusal) else "refused"
    except Exception as error:
        fault = f"bare traceback: {type(error).__name__}: {error}"
    if MODULE in sys.modules:
        fault = "code run"
    return fault


def _use_model(path, body):
    model = store.load(path)
    again = json.loads(json.dumps(model.to_record()))
    if body is not None and not _same(again, body):
        return "wrong number"
    repr(model.summary)
    numbers = []
    if model.summary.n:
        both = model.summary + model.summary
        assert both.n == 2 * model.summary.n
        for fit in (model.summary.fit(), _curve(model, None), model.summary.lower(0).fit()):
            middle = fit.summary.domain.lo / 2 + fit.summary.domain.hi / 2
            numbers += [*fit.least_squares.powers, fit.curve(np.array([middle]))[0], fit.loss]
            str(fit)
    return "means what it says" if np.isfinite(numbers).all() else "wrong number"


def _use_record(text):
    fit = pd.Fit.from_json(text)
    if not _same(json.loads(fit.to_json()), json.loads(text)):
        return "wrong number"
    str(fit), fit.equation("python"), fit.advice, fit.aic
    middle = fit.summary.domain.lo / 2 + fit.summary.domain.hi / 2
    numbers = [fit.curve(np.array([middle]))[0], *np.ravel(fit.stderr), *np.ravel(fit.coef)]
    if fit.forecast is not None and fit.forecast.optimizer.name != "adam":
        fit.forecast.loss_at(3), fit.forecast.steps_to(0.01)
    whole = "nan" not in text and "inf" not in text and fit.degrees_of_freedom > 0
    return "means what it says" if np.isfinite(numbers).all() or not whole else "wrong number"


def _same(a, b):
    """Whether two documents hold the same values, a number of any type for the same number."""
    if isinstance(a, dict) and isinstance(b, dict):
        return all(key in a and _same(a[key], b[key]) for key in b)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(_same, a, b))
    if type(a) in (int, float) and type(b) in (int, float):
        return a == b
    return type(a) is type(b) and a == b


# ── documents to start from ──────────────────────────────────────────────────────────────────────


def models(folder):
    """Model files of every kind, as paths."""
    generator = np.random.default_rng(5)
    x = generator.uniform(-1, 2, 40)
    y = 1 + x - x**3 + 0.1 * generator.standard_normal(40)
    days = np.datetime64("2024-05-01T12") + np.arange(40)
    summaries = [
        pd.summarize(x, y, 3),
        pd.summarize(1e9 + x, 1e-9 * y, 5, weights=x**2),
        *(pd.summarize(days, y, 2, per=per) for per in ("day", next(iter(UNITS)))),
        pd.summarize(1_700_000_000_123_456_789 + np.arange(40), y, 2),
        pd.Summary.empty(2),
        pd.summarize([3.0, 3.5, 4.0], [1.0, 2.0, 2.0], 2),
    ]
    asked = {"x": "t", "y": "price * 2", "where": "t > 0", "missing": "omit"}
    curve = {"degree": "auto:2", "fix": None, "terms": None, "through": None}
    source = store.Remembered("/data/a.csv", 10, 5, "0" * 64, "1" * 64, 40)
    found = []
    for i, summary in enumerate(summaries):
        path = folder / f"model{i}.json"
        sources, passes = ((source,), ("0" * 32,)) if i % 2 else ((), ())
        curves = curve if i % 3 else {"degree": "2", "fix": "0=1", "through": None, "terms": None}
        store.save(store.Model(summary, asked if i % 2 else {}, curves, sources, passes), path)
        found.append(path)
    return found


def records():
    """Fits of every kind, as JSON."""
    generator = np.random.default_rng(6)
    x = generator.uniform(-1, 2, 30)
    y = 1 + x - x**3 + 0.1 * generator.standard_normal(30)
    days = np.datetime64("2024-05-01") + np.arange(30)
    fits = [
        pd.fit(x, y, 3),
        pd.fit(x, y, 2, weights=x**2, fix={0: 1.0}, through=(0.5, 1.2)),
        pd.fit(days, y, 2),
        pd.summarize(x, y, 4).fit(),
        pd.Fit.from_polyfit(np.polyfit(x, y, 1), x, y),
        pd.descend(x, y, 1, steps=5),
        pd.descend(x, y, 1, steps=5, optimizer=pd.Adam()),
        pd.descend(x, y, 1, steps=5, optimizer=pd.Nesterov(), basis="legendre", over="rows"),
        pd.descend(x, y, 1, steps=900, optimizer=pd.GradientDescent(9.0), allow_divergence=True),
    ]
    return [fit.to_json() for fit in fits]
