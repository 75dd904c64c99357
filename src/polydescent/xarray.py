"""The accessor `polydescent` of xarray: curves along a dimension, chunked or not, as a Dataset."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, replace
from functools import reduce
from itertools import accumulate, pairwise
from operator import add
from typing import Any

import numpy as np

from polydescent.errors import BadSetting, MissingExtra, NotNumbers
from polydescent.many.held import KnownOfEach, problem_of
from polydescent.many.status import Status
from polydescent.many.summaries import Summaries
from polydescent.many.verbs import summarize_many
from polydescent.polynomial.basis import CHEBYSHEV
from polydescent.regression.problem import Problem
from polydescent.regression.verbs import summarize
from polydescent.rows.axis import Axis
from polydescent.rows.deviations import weights_of_deviations

try:
    import xarray
except ImportError:
    raise MissingExtra("xarray", "xarray", "The accessor of DataArrays") from None

__all__ = ["ArrayAccessor", "DatasetAccessor"]

_PREFIX = "polyfit_"
_DIMENSIONS = {  # of each variable beside those of the curves, in the order in which they are kept
    "coefficients": ("degree",),
    "stderr": ("degree",),
    "covariance": ("cov_i", "cov_j"),
    "residuals": (),
    "domain": ("bounds",),
    "weights": ("chebyshev",),
    "r2": (),
    "n": (),
    "status": (),
}
_STATUSES = [s for s in Status if s < Status.CONVERGED]


# ── what users call ──────────────────────────────────────────────────────────────────────────────


@xarray.register_dataarray_accessor("polydescent")
class ArrayAccessor:
    """`array.polydescent`, once polydescent.xarray has been imported.

    Parameters
    ----------
    array
        A DataArray: xarray makes the accessor of it.
    """

    def __init__(self, array: xarray.DataArray):
        self._array = array

    def fit(
        self,
        dim: Hashable,
        degree: int | str = 3,
        *,
        use_coordinate: bool | Hashable = True,
        weights: Any = None,
        sigma: Any = None,
        absolute_sigma: bool = False,
        missing: str = "omit",
        fix: Any = None,
        terms: Any = None,
        through: Any = None,
        criterion: str = "aicc",
        per: str | None = None,
    ) -> xarray.Dataset:
        """Exact least squares of every curve along a dimension, under the names that
        `DataArray.polyfit` uses.

        Dask arrays stay lazy, and may have any chunks, along the dimension too: each chunk becomes
        one triangle per curve, and triangles add up.

        Parameters
        ----------
        dim
            The dimension along which the points of a curve lie.
        degree
            A number, default 3. "auto" for the best of each curve up to 10, "auto:5" up to 5.
        use_coordinate
            True (default), the coordinate of the dimension is x (0, 1, 2, … where it has none);
            the name of another one of it, or False for 0, 1, 2, ….
        weights
            Of the squares, ≥ 0, a DataArray of any of the dimensions, or an array along dim;
            default 1. The w of xarray's polyfit are their roots.
        sigma
            Instead of weights, standard deviations in units of the array, likewise, or one number.
        absolute_sigma
            Whether sigma is known in units of the array, so that the residuals do not scale the
            covariance; default False.
        missing
            What to do with NaN and infinity: "omit" (default) leaves the points out, curve by
            curve; "mark" gives such a curve no answer; "raise" refuses, of dask arrays once they
            are computed.
        fix, terms, through
            What is known of the curves, as in `polydescent.fit_many`. Nothing unless given.
        criterion
            By what degree="auto" chooses: "aicc" (default), "aic" or "bic".
        per
            The unit of x that are dates or durations, default "day": coefficients are per it.

        Returns
        -------
        xarray.Dataset
            polyfit_coefficients (degree, …), highest first; of dates, in units of `per` since the
            "origin" in its attributes. polyfit_stderr (degree, …), their standard errors, and
            polyfit_covariance (cov_i, cov_j, …). polyfit_residuals (…), the sum of their (weighted)
            squares. polyfit_domain (bounds, …), from the lowest x to the highest. polyfit_weights
            (chebyshev, …), the same curves in Chebyshev polynomials on the domain, for
            `Dataset.polydescent.predict`. polyfit_r2 (…). polyfit_n (…), points used.
            polyfit_status (…), why a curve has no answer: those have NaN.

        Raises
        ------
        PolydescentError
            As `polydescent.fit_many`.
        ValueError
            For a dimension or coordinate that is not there.
        """
        array = self._array
        problem, known = _problem(degree, fix, terms, through, criterion, absolute_sigma)
        axis, x = _places(array, dim, use_coordinate, per)
        y = array.transpose(..., dim)
        omega = _omega(y, dim, weights, sigma)
        asked = _Asked(axis, problem, known, missing)
        found = (_lazily if y.chunks is not None else _at_once)(asked, x, y, omega)
        return _dataset(array, dim, axis, found)


@xarray.register_dataset_accessor("polydescent")
class DatasetAccessor:
    """`dataset.polydescent`, once polydescent.xarray has been imported.

    Parameters
    ----------
    dataset
        A Dataset: xarray makes the accessor of it.
    """

    def __init__(self, dataset: xarray.Dataset):
        self._dataset = dataset

    def fit(self, dim: Hashable, degree: int | str = 3, **settings: Any) -> xarray.Dataset:
        """The same of every variable that has the dimension, each under its own name and an
        underscore: temperature_polyfit_coefficients.

        Parameters
        ----------
        dim
            The dimension along which the points of a curve lie.
        degree
            As of a DataArray, default 3.
        **settings
            As of a DataArray: use_coordinate, weights, sigma, absolute_sigma, missing, fix, terms,
            through, criterion, per.

        Raises
        ------
        PolydescentError
            As of a DataArray.
        """
        fits = [
            array.polydescent.fit(dim, degree, **settings).rename(
                {f"{_PREFIX}{part}": f"{name}_{_PREFIX}{part}" for part in _DIMENSIONS}
            )
            for name, array in self._dataset.data_vars.items()
            if dim in array.dims
        ]
        if not fits:
            raise ValueError(f"No variable has the dimension {dim!r}: {list(self._dataset.sizes)}.")
        return xarray.Dataset({name: v for fit in fits for name, v in fit.data_vars.items()})

    def predict(self, x: Any, name: str | None = None) -> xarray.DataArray:
        """The curves that a fit of a DataArray or a Dataset found, at x.

        Computed on the domain, so that years and dates keep their digits; `xarray.polyval` of the
        coefficients is the same where x is near 0. Outside the domain without a word.

        Parameters
        ----------
        x
            Where, in the units of the data's x (dates where those were dates): a DataArray, an
            array of shape (m,), or a number.
        name
            Of the variable, where a Dataset was fitted; left out, that of a DataArray.
        """
        prefix = _PREFIX if name is None else f"{name}_{_PREFIX}"
        if f"{prefix}weights" not in self._dataset:
            wanted = "the result of polydescent.fit, and name= a variable that it was fitted to"
            raise BadSetting("name", name, wanted)
        domain = self._dataset[f"{prefix}domain"]
        x = x if isinstance(x, xarray.DataArray) else xarray.DataArray(x, dims=["x"] * np.ndim(x))
        found = _evaluated(self._dataset[f"{prefix}weights"], _in_unit(x, domain))
        return found.rename(name or "polyfit")


# ── what was asked ───────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, eq=False)
class _Asked:
    """Which curves, on which axis, and what to do with points that are missing."""

    axis: Axis
    problem: Problem
    known: KnownOfEach
    missing: str

    def summarize(self, x: np.ndarray, y: np.ndarray, omega: np.ndarray | None) -> Summaries:
        """Those of some points of some curves, x on the axis."""
        degree = self.problem.degree
        return summarize_many(x, y, degree, weights=omega, missing=self.missing)

    def answer(self, summaries: Summaries) -> dict[str, np.ndarray]:
        """The variables, those of the curves first, highest powers first."""
        fits = replace(summaries, axis=self.axis).fit(
            self.problem.degree if self.problem.auto is None else f"auto:{self.problem.degree}",
            absolute_sigma=self.problem.absolute_sigma,
            criterion="aicc" if self.problem.auto is None else self.problem.auto.criterion,
            **vars(self.known),
        )
        domain = fits.domain
        return {
            "coefficients": fits.coef[..., ::-1],
            "stderr": fits.stderr[..., ::-1],
            "covariance": fits.covariance[..., ::-1, ::-1],
            "residuals": fits.loss,
            "domain": np.stack((domain.lo, domain.hi), axis=-1),
            "weights": fits.weights,
            "r2": fits.r2,
            "n": fits.n,
            "status": fits.status.astype(np.int8),
        }


def _problem(
    degree: Any, fix: Any, terms: Any, through: Any, criterion: str, absolute_sigma: bool
) -> tuple[Problem, KnownOfEach]:
    known = KnownOfEach(fix, terms, through)
    asked = problem_of(degree, known, criterion=criterion, absolute_sigma=absolute_sigma)
    return asked, known


def _places(
    array: xarray.DataArray, dim: Hashable, use_coordinate: bool | Hashable, per: str | None
) -> tuple[Axis, np.ndarray]:
    """One axis for all chunks, and x on it. Raises ValueError for what is not there."""
    if dim not in array.dims:
        raise ValueError(f"There is no dimension {dim!r}, but {', '.join(map(str, array.dims))}.")
    name = dim if use_coordinate is True else use_coordinate
    if name is False or (name == dim and dim not in array.coords):
        x = np.arange(array.sizes[dim], dtype=np.float64)
    elif name not in array.coords or array.coords[name].dims != (dim,):
        raise ValueError(f"There is no coordinate {name!r} along {dim!r} alone.")
    else:
        x = array.coords[name].values
    there = x[~np.isnat(x)] if x.dtype.kind in "mM" else x[x == x]  # NaN is not itself
    ends = [there.min(), there.max()] if there.size else [0.0, 0.0]
    axis = summarize(np.array(ends), [0.0, 0.0], degree=0, per=per).axis
    return axis, np.asarray(axis.numbers(x), dtype=np.float64)


def _omega(y: xarray.DataArray, dim: Hashable, weights: Any, sigma: Any) -> xarray.DataArray | None:
    """The weights with the dimensions of y in their order, or along dim alone."""
    if weights is not None and sigma is not None:
        raise BadSetting("sigma", "both", "left out where weights= is given")
    given = weights if sigma is None else sigma
    if given is None:
        return None
    if not isinstance(given, xarray.DataArray):
        given = xarray.DataArray(given, dims=[dim] * np.ndim(given))
    if sigma is not None:
        given = xarray.apply_ufunc(_inverse_squares, given, dask="parallelized")
    like = y[dim] if set(given.dims) <= {dim} else y
    given, like = xarray.align(given, like, join="exact")
    given = given.broadcast_like(like).transpose(*like.dims)
    if like.ndim == 1:
        return given
    return given if y.chunks is None else given.chunk(dict(zip(y.dims, y.chunks, strict=True)))


def _inverse_squares(sigma: Any) -> np.ndarray:
    sigma = np.asarray(sigma, dtype=np.float64)
    return weights_of_deviations(sigma.reshape(-1)).reshape(sigma.shape)


# ── answers ──────────────────────────────────────────────────────────────────────────────────────


def _at_once(
    asked: _Asked, x: np.ndarray, y: xarray.DataArray, omega: xarray.DataArray | None
) -> dict[str, Any]:
    return asked.answer(
        asked.summarize(x, y.values, None if omega is None else np.asarray(omega.values))
    )


def _lazily(
    asked: _Asked, x: np.ndarray, y: xarray.DataArray, omega: xarray.DataArray | None
) -> dict[str, Any]:
    """The same as dask arrays, with the chunks of the curves as they are."""
    import dask.array
    from dask.delayed import delayed

    summarize, total, answer = map(delayed, (asked.summarize, _total, asked.answer))
    blocks = y.data.to_delayed()
    shared = omega is None or omega.ndim == 1
    flat = None if omega is None or not shared else np.asarray(omega.values)
    beside = None if shared else omega.data.to_delayed()  # type: ignore[union-attr]
    spans = [slice(*ends) for ends in pairwise(accumulate(y.chunks[-1], initial=0))]  # type: ignore[index]
    made = np.empty(blocks.shape[:-1], dtype=object)
    for place in np.ndindex(made.shape):
        parts = [
            summarize(
                x[span],
                blocks[(*place, i)],
                beside[(*place, i)] if beside is not None else flat if flat is None else flat[span],
            )
            for i, span in enumerate(spans)
        ]
        made[place] = answer(total(parts))
    k = asked.problem.degree + 1
    sizes = {"degree": k, "cov_i": k, "cov_j": k, "bounds": 2, "chebyshev": k}
    kinds = {"domain": f"M8[{asked.axis.tick}]" if asked.axis.is_dates else float}
    kinds |= {"n": np.int64, "status": np.int8}

    def variable(name: str) -> Any:
        more = tuple(sizes[d] for d in _DIMENSIONS[name])

        def block(place: tuple[int, ...]) -> Any:
            shape = tuple(c[i] for c, i in zip(y.chunks, place, strict=False))  # type: ignore[arg-type]
            kind = kinds.get(name, float)
            return dask.array.from_delayed(made[place][name], (*shape, *more), dtype=kind)

        return _joined(block, made.shape, dask.array.concatenate)

    return {name: variable(name) for name in _DIMENSIONS}


def _joined(block: Callable[..., Any], shape: tuple[int, ...], concatenate: Any) -> Any:
    """Blocks at every place of a grid as one array."""

    def at(place: tuple[int, ...]) -> Any:
        level = len(place)
        if level == len(shape):
            return block(place)
        return concatenate([at((*place, i)) for i in range(shape[level])], axis=level)

    return at(())


def _total(parts: list[Summaries]) -> Summaries:
    """The sum of all, in pairs: after m parts a point has been through log₂ m sums."""
    while len(parts) > 1:
        parts = [reduce(add, parts[i : i + 2]) for i in range(0, len(parts), 2)]
    return parts[0]


def _dataset(
    array: xarray.DataArray, dim: Hashable, axis: Axis, found: dict[str, Any]
) -> xarray.Dataset:
    """The variables with their dimensions, attributes and the coordinates of the curves."""
    others = [d for d in array.dims if d != dim]
    spoken: dict[str, Any] = {"origin": str(axis)} if axis.is_dates else {}
    if axis.unit:
        spoken["per"] = axis.unit
    attributes = {
        "coefficients": spoken,
        "stderr": spoken,
        "covariance": spoken,
        "domain": {"per": axis.unit} if axis.is_durations else {},
        "status": {
            "flag_values": np.array(_STATUSES, dtype=np.int8),
            "flag_meanings": " ".join(s.name.lower() for s in _STATUSES),
        },
    }
    variables = {}
    for name, more in _DIMENSIONS.items():
        data = (*others, *more), found[name], attributes.get(name, {})
        variables[_PREFIX + name] = xarray.Variable(*data).transpose(*more, ...)
    k = variables[f"{_PREFIX}coefficients"].shape[0]
    coords = {n: c for n, c in array.coords.items() if dim not in c.dims}
    coords |= {"degree": np.arange(k)[::-1], "chebyshev": np.arange(k), "bounds": ["lo", "hi"]}
    return xarray.Dataset(variables, coords)


# ── curves ───────────────────────────────────────────────────────────────────────────────────────


def _in_unit(x: xarray.DataArray, domain: xarray.DataArray) -> xarray.DataArray:
    """x mapped from its domain to [−1, 1]; 0 where that is a point."""
    holds = {"M": "dates", "m": "durations"}.get(x.dtype.kind, "numbers")
    if holds == "durations" and "per" in domain.attrs:
        x = x.copy(data=Axis(unit=domain.attrs["per"]).numbers(x.values))
    elif (wanted := "dates" if domain.dtype.kind == "M" else "numbers") != holds:
        raise NotNumbers("x", holds, f"These curves are over {wanted}: pass those.")
    elif x.dtype.kind not in "Mfiub":
        raise NotNumbers("x", f"dtype {x.dtype}")
    lo, hi = (domain.sel(bounds=end, drop=True) for end in ("lo", "hi"))
    width = hi - lo
    nothing, one = width.dtype.type(0), width.dtype.type(1)
    if width.dtype.kind == "m":
        unit = np.datetime_data(width.dtype)[0]
        nothing, one = np.timedelta64(0, unit), np.timedelta64(1, unit)
    u = 2 * ((x - lo) / xarray.where(width == nothing, one, width)) - 1
    return xarray.where(width == nothing, 0.0, u)


def _evaluated(weights: xarray.DataArray, u: xarray.DataArray) -> xarray.DataArray:
    """Σ weights[k]·T[k](u), by Clenshaw's recurrence from the top."""
    above: Any = xarray.zeros_like(u, dtype=float)
    above_that = above
    for k in range(weights.sizes["chebyshev"] - 1, -1, -1):
        a, _ = CHEBYSHEV.recurrence(k)
        _, c = CHEBYSHEV.recurrence(k + 1)
        weight = weights.isel(chebyshev=k, drop=True)
        above, above_that = a * u * above - c * above_that + weight, above
    return above
