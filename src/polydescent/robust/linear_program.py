"""The least tilted absolute values, exactly: an interior point method, and a corner at its end.

    minimize Σ c·ρ(y − X·b) − pull·b,   ρ(r) = q·r above 0, (q − 1)·r below

Its dual is  maximize y·a  where  Xᵀa = (1 − q)·Xᵀc − pull,  0 ≤ a ≤ c: a row above the curve has
a = c, one below it a = 0, and the k rows on it lie between. Every step of Frisch and Newton's
method (Portnoy and Koenker 1997, with Mehrotra's predictor and corrector) is one weighted fold of X
and a k × k solve. Its limit is a curve through k rows; those are found and met exactly, and where a
corner beside it costs less, exchanged one by one as Barrodale and Roberts do.
"""

from __future__ import annotations

from typing import Any

import numpy as np

_STEPS = 80  # some 10 to 20 are made
_BACK = 0.9995  # of the way to the next bound
_GAP = 1e-12  # of the loss
_EXCHANGES = 500
_SLACK = 1e-9  # of a cost: what rounding puts a dual outside its bounds


def solve(X: np.ndarray, y: np.ndarray, cost: np.ndarray, q: float, pull: np.ndarray) -> np.ndarray:
    """The b that costs least, shape (k,).

    X: shape (n, k), of full rank. y: shape (n,). cost: c > 0, shape (n,). pull: shape (k,).
    """
    unit = float(cost @ np.abs(y) / cost.sum()) or 1.0
    y, largest = y / unit, float(cost.max())
    cost, pull = cost / largest, pull / largest
    target = (1 - q) * (cost @ X) - pull
    b, a = _interior(X, y, cost, q, target)
    found = _corner(X, y, cost, a, target)
    return unit * (b if found is None else found)


def _interior(
    X: np.ndarray, y: np.ndarray, cost: np.ndarray, q: float, target: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """(b, a) with a gap between the loss and its dual of _GAP of the loss, or as near as float64
    comes to it.
    """
    b = np.linalg.solve((X.T * cost) @ X, X.T @ (cost * y))
    left = y - X @ b
    size = float(cost @ np.abs(left) / cost.sum()) or 1.0
    # above − below = y − X·b, which every step keeps
    above, below = np.maximum(left, 0) + size, np.maximum(-left, 0) + size
    a, room = (1 - q) * cost, q * cost
    for _ in range(_STEPS):
        gap = float(a @ below + room @ above)
        loss = float(cost @ (np.maximum(left, 0) * q + np.maximum(-left, 0) * (1 - q)))
        if gap <= _GAP * max(loss, 1e-12 * float(cost.sum())):
            break
        weight = 1 / (below / a + above / room)
        gram, missing = (X.T * weight) @ X, target - a @ X
        aims = -a * below, -room * above  # the predictor aims at no gap at all
        for is_last in (False, True):
            aim = aims[0] / a - aims[1] / room
            try:
                move = np.linalg.solve(gram, X.T @ (weight * aim) - missing)
            except np.linalg.LinAlgError:  # so near the corner that float64 ends
                return b, a
            da = weight * (aim - X @ move)
            d_below, d_above = (aims[0] - below * da) / a, (aims[1] + above * da) / room
            far = min(_reach(a, da), _reach(room, -da))
            wide = min(_reach(below, d_below), _reach(above, d_above))
            if is_last:
                break
            below_there, above_there = below + wide * d_below, above + wide * d_above
            there = float((a + far * da) @ below_there + (room - far * da) @ above_there)
            mu = gap / (2 * len(y)) * (there / gap) ** 3
            aims = mu - a * below - da * d_below, mu - room * above + da * d_above
        far, wide = min(_BACK * far, 1.0), min(_BACK * wide, 1.0)
        if not np.isfinite(move).all() or max(far, wide) < 1e-12:
            break
        a, room = a + far * da, room - far * da
        below, above, b = below + wide * d_below, above + wide * d_above, b + wide * move
        left = y - X @ b
    return b, a


def _reach(values: np.ndarray, change: np.ndarray) -> float:
    """How much of a change keeps all values at 0 or more, at most 1/_BACK."""
    return 1 / max(float((-change / values).max()), _BACK)


def _corner(
    X: np.ndarray, y: np.ndarray, cost: np.ndarray, a: np.ndarray, target: np.ndarray
) -> np.ndarray | None:
    """The best curve through k of the rows, found from duals near the best; None where rounding
    keeps going round in circles.
    """
    from scipy.linalg import qr  # a tenth of a second: only where a quantile is asked for

    n, k = X.shape
    inside = np.minimum(a, cost - a) / cost
    few = np.argsort(-inside)[: min(n, 4 * k + 4)]
    # the rows that lie most between the bounds, and tell the terms apart
    weighed: Any = (X[few] * np.maximum(inside[few], 1e-12)[:, None]).T
    factors: Any = qr(weighed, mode="r", pivoting=True)
    order = factors[1]
    rows = few[order[:k]]
    upper = a > cost / 2  # where a row lies on the curve without being one of the k
    for _ in range(_EXCHANGES):
        try:
            inverse = np.linalg.inv(X[rows])
        except np.linalg.LinAlgError:
            return None
        b = inverse @ y[rows]
        left = y - X @ b
        fine = 8 * np.finfo(float).eps * (np.abs(y) + np.abs(X) @ np.abs(b))
        upper = np.where(np.abs(left) > fine, left > 0, upper)
        others = upper.copy()
        others[rows] = False
        dual = (target - cost[others] @ X[others]) @ inverse
        over, under = dual - cost[rows] * (1 + _SLACK), -dual - cost[rows] * _SLACK
        worst = int(np.maximum(over, under).argmax())
        if max(over[worst], under[worst]) <= 0:
            return b
        rises = over[worst] > under[worst]
        # the residual of this row alone grows, up or down: the others of the k stay at 0
        direction = -inverse[:, worst] if rises else inverse[:, worst]
        slope = -max(over[worst], under[worst])
        along = X @ direction
        others = np.ones(n, dtype=bool)
        others[rows] = False
        meets = others & np.where(upper, along > 0, along < 0)
        if not meets.any():
            return None
        places = np.flatnonzero(meets)
        when = np.where(np.abs(left[places]) > fine[places], left[places] / along[places], 0.0)
        by_time = np.argsort(when)
        slopes = slope + np.cumsum(cost[places[by_time]] * np.abs(along[places[by_time]]))
        stop = int(np.searchsorted(slopes, 0.0))
        if stop >= len(places):
            return None
        passed = places[by_time[:stop]]
        upper[passed] = ~upper[passed]
        upper[rows[worst]] = rises
        rows[worst] = places[by_time[stop]]
    return None
