"""A function typed by a user, sampled on an interval: parsed against a whitelist, never eval."""

from __future__ import annotations

import ast
import math
import operator
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from polydescent.checks import number as checked_number
from polydescent.checks import whole
from polydescent.errors import BadExpression, BadSetting, amount
from polydescent.memory import check_memory

_NAMES = """
sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arccosh arctanh
exp expm1 log log1p log2 log10 sqrt cbrt abs sign floor ceil
"""
_FUNCTIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    name: getattr(np, name) for name in _NAMES.split()
} | {"asin": np.arcsin, "acos": np.arccos, "atan": np.arctan, "ln": np.log}
_CONSTANTS = {"pi": math.pi, "e": math.e}
_OPERATORS: dict[type[ast.AST], Callable[..., Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_LONGEST = 1000
_BYTES_A_POINT = 40  # x, y, and what computing them holds beside them
ALLOWED = "numbers, x, pi, e, + - * / **, parentheses and the functions " + ", ".join(
    sorted(_FUNCTIONS)
)


def sample(
    text: str, interval: tuple[float, float], points: int, noise: float = 0.0, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """(x, y): `points` equally spaced x on the closed interval and y = text(x) + noise·N(0, 1).

    Raises BadExpression for anything outside the whitelist and where y is NaN or infinite,
    BadSetting for an empty interval, fewer than 2 points or a negative noise, TooLarge for more
    points than memory holds.
    """
    lo, hi = interval
    if not lo < hi or not math.isfinite(hi - lo):
        raise BadSetting("interval", f"{lo:.6g},{hi:.6g}", "two finite numbers, the first smaller")
    points, seed = whole("points", points, 2, wanted="2 or more"), whole("seed", seed)
    check_memory(
        f"Sampling at {amount(points)} points",
        _BYTES_A_POINT * points,
        "Take fewer: points= of some thousands determine the same polynomial.",
    )
    wanted = "a standard deviation of 0 or more, in units of y"
    if not 0 <= checked_number("noise", noise, wanted) < math.inf:
        raise BadSetting("noise", noise, wanted)
    x = np.linspace(lo, hi, points)
    y = evaluate_text(text, x)
    bad = np.flatnonzero(~np.isfinite(y))
    if bad.size:
        why = f"it is {y[bad[0]]} at x = {x[bad[0]]:.6g} ({bad.size:,} of {points:,} points)"
        raise BadExpression(text, why, "functions that are finite on the whole interval")
    if noise:
        with np.errstate(over="ignore"):
            y = y + noise * np.random.default_rng(seed).standard_normal(points)
        if not np.isfinite(y).all():
            raise BadSetting("noise", noise, "so small that y with it fits double precision")
    return x, y


def number(text: str) -> float:
    """A number typed as an expression, such as -pi or 2*pi. Raises BadExpression."""
    tree = _parse(text)
    if _has_x(tree):
        raise BadExpression(text, "a number cannot depend on x", ALLOWED)
    return float(evaluate_text(text, np.zeros(1))[0])


def interval_of(text: str) -> tuple[float, float]:
    """The two numbers of an interval typed as "-pi,pi". Raises BadSetting, BadExpression."""
    ends = text.split(",")
    if len(ends) != 2:
        raise BadSetting("interval", text, "two numbers with a comma between, as -pi,pi")
    return number(ends[0]), number(ends[1])


def evaluate_text(text: str, x: np.ndarray) -> np.ndarray:
    """The value of the expression at each x, shape of x. Raises BadExpression."""
    tree = _parse(text)
    try:
        with np.errstate(all="ignore"):
            return np.broadcast_to(_value(tree, x, text), x.shape) * 1.0
    except RecursionError:
        raise BadExpression(text[:40] + "…", "it is nested too deeply", ALLOWED) from None


def source_text(text: str, library: str) -> str:
    """The expression as Python code with the functions of a library: "np", "torch" or "math".

    What does not depend on x becomes a number, but for pi. Raises BadExpression.
    """
    evaluate_text(text, np.zeros(1))  # refuses what is outside the whitelist
    tree = _parse(text)
    spelled = ast.unparse(_Spelled(library, text).visit(tree))
    return spelled if library == "math" or _has_x(tree) else f"{spelled} + 0 * x"


class _Spelled(ast.NodeTransformer):
    """The names of an expression as a library spells them."""

    def __init__(self, library: str, text: str):
        self.library, self.text = library, text

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return node if node.id == "x" else ast.Name(f"math.{node.id}")

    def visit_Call(self, node: ast.Call) -> ast.expr:
        if not _has_x(node):
            return ast.Constant(float(_value(node, np.zeros(1), self.text)))
        assert isinstance(node.func, ast.Name)
        name = {"ln": "log"}.get(node.func.id, node.func.id)
        if self.library == "torch" and name == "cbrt":
            raise BadExpression(self.text, "PyTorch has no cbrt", "sign(x) * abs(x)**(1/3)")
        return ast.Call(ast.Name(f"{self.library}.{name}"), [self.visit(node.args[0])], [])


def _has_x(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Name) and node.id == "x" for node in ast.walk(tree))


def _parse(text: str) -> ast.expr:
    if len(text) > _LONGEST:
        why = f"it is {len(text):,} characters long, the most is {_LONGEST:,}"
        raise BadExpression(text[:40] + "…", why, ALLOWED)
    try:
        with warnings.catch_warnings(action="ignore"):  # Python's own style is no matter here
            return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError) as why:
        reason = why.msg if isinstance(why, SyntaxError) else str(why) or "it is nested too deeply"
        raise BadExpression(text, reason, ALLOWED) from None


def _value(node: ast.expr, x: np.ndarray, text: str) -> np.ndarray:
    """The value of one node: the whitelist is the list of its branches."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            try:
                return np.asarray(
                    float(number)
                )  # floats: 9**9**9 overflows at once instead of hanging
            except OverflowError:
                raise BadExpression(text, "a number is too large", ALLOWED) from None
        case ast.Name(id="x"):
            return x
        case ast.Name(id=name) if name in _CONSTANTS:
            return np.asarray(_CONSTANTS[name])
        case ast.BinOp(left=left, op=op, right=right) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(left, x, text), _value(right, x, text))
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _OPERATORS:
            return _OPERATORS[type(op)](_value(operand, x, text))
        case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in _FUNCTIONS:
            return _FUNCTIONS[name](_value(argument, x, text))
    raise BadExpression(text, _why_not(node), ALLOWED)


def _why_not(node: ast.expr) -> str:
    match node:
        case ast.BinOp(op=ast.BitXor()):
            return "^ is no power here, write **"
        case ast.Name(id=name):
            return f"{name!r} is not a known name"
        case ast.Call(func=ast.Name(id=name)) if name in _FUNCTIONS:
            return f"{name} takes one argument"
        case ast.Call(func=ast.Name(id=name)):
            return f"{name!r} is not a known function"
    return f"{ast.unparse(node)!r} is not allowed"
