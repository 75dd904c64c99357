"""Forecast: the spectrum of the loss, and what it says about every step before the first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Self

import numpy as np

from polydescent.arrays import distinct, matvec, number_or_stack, sum_squares
from polydescent.checks import number, whole
from polydescent.descent import settings
from polydescent.descent.contract import Optimizer, change_settings
from polydescent.descent.linear import GradientDescent
from polydescent.descent.noise import Noise
from polydescent.errors import BadSetting, NoClosedForm
from polydescent.sealed import schema
from polydescent.sealed.document import exactly
from polydescent.visible import html_table

_HOPELESS = 1e13  # condition numbers above it leave gradient descent fewer than three digits
_FURTHEST = 2**62
_MOST_STEPS = 2**63 - 1  # an int64
_RUN = 512  # steps followed one by one
_PARTS = 64  # of a stretch, each of which may be ruled out
_MOST_RUNS = 1024  # at once: a matrix of 4 MB
_PATIENCE = 2**26  # steps followed, about a second, before the rest is sampled
_SLACK = 1e-9  # relative, on a bound: a step in doubt is looked at
_ROUNDING = 1e-12  # of 512 steps followed one by one


@dataclass(frozen=True, eq=False)
class Forecast:
    """A descent seen from above: each eigenmode of the Hessian moves alone and its path has a
    closed form.

    With R = U·S·Wᵀ, mode i has curvature λᵢ = 2sᵢ² and holds the excess loss (uᵢ·(R·w₀ − z))² at
    the start. Modes whose curvature is lost in rounding, as of raw timestamps in powers of x, never
    move: what they hold stays in the excess, and `held` says how much it is.

    A stack of curves has leading dimensions, written …, in every field and every result: numbers of
    one curve are then arrays of shape (…,), and results at an array of steps put its axes first.

    Attributes
    ----------
    optimizer
        With every open setting chosen.
    curvature
        Shape (…, k), descending, in units of y² per unit of weight².
    directions
        Shape (…, k, k), column i is mode i in the descent's coordinates, of length 1.
    amplitude
        Shape (…, k), the square root of each mode's excess at the start, signed, in units of y.
    start
        Shape (…, k), the weights before the first step.
    rss
        Shape (…,), the lowest loss of the summary, in units of y².
    scale
        Shape (steps,), what a schedule multiplies the learning rate with at each step; None for 1.
    ridge
        What the squares of the weights but the first cost, in units of the loss; 0 for nothing.
    batch
        Rows of each step, 0 for all of them.
    noise
        What drawing those rows does; None where nothing is drawn, or the optimizer is not
        GradientDescent.

    Examples
    --------
    >>> from polydescent import summarize
    >>> seen = summarize([0, 1, 2, 3], [1, 3, 5, 8], degree=1).forecast(start="zeros")
    >>> seen.is_stable, seen.steps_to(0.01)
    (True, 37)
    """

    optimizer: Optimizer
    curvature: np.ndarray
    directions: np.ndarray
    amplitude: np.ndarray
    start: np.ndarray
    rss: Any
    scale: np.ndarray | None = None
    ridge: float = 0.0
    batch: int = 0
    noise: Noise | None = None

    @classmethod
    def of(
        cls, R: np.ndarray, z: np.ndarray, rss: Any, optimizer: Optimizer, start: np.ndarray
    ) -> Forecast:
        """The forecast of `optimizer` on the loss ‖R·w − z‖² + rss from the weights `start`.

        Parameters
        ----------
        R
            Shape (…, k, k).
        z
            Shape (…, k), in units of y.
        rss
            Shape (…,), what no weights change, in units of y².
        optimizer
            What steps; settings left open become the fastest.
        start
            Shape (…, k), weights.
        """
        U, s, Wt = np.linalg.svd(R)
        s = np.where(s > np.finfo(float).eps * s.shape[-1] * s[..., :1], s, 0.0)
        curvature = 2 * s * s
        with np.errstate(over="ignore", invalid="ignore"):  # a start of 1e308 is far from all
            amplitude = matvec(U.mT, matvec(R, start) - z)
        if optimizer.is_open:
            optimizer = optimizer.fastest(*_extremes(curvature))
        return cls(optimizer, curvature, Wt.mT, amplitude, start, rss)

    def __getitem__(self, place: Any) -> Forecast:
        """Some of a stack: an index, a slice or a mask over its leading dimensions."""

        def some(setting: np.ndarray) -> Any:
            chosen = self._broad(setting)[place]
            return chosen if chosen.ndim > 1 else float(chosen[0])

        return Forecast(
            change_settings(self.optimizer, some),
            self.curvature[place],
            self.directions[place],
            self.amplitude[place],
            self.start[place],
            self.rss[place],
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading dimensions: () for one curve."""
        return self.curvature.shape[:-1]

    def __repr__(self) -> str:
        if self.shape:
            return f"<Forecast of {self.optimizer.name} for a stack of {self.shape}>"
        return f"<Forecast of {', '.join(f'{name} {value}' for name, value in self._facts())}>"

    def _repr_html_(self) -> str:
        """The same as a table."""
        return repr(self) if self.shape else html_table("Forecast", self._facts())

    def _facts(self) -> list[tuple[str, str]]:
        """What one line says of one curve."""
        rate = self.optimizer.learning_rate
        return [
            ("optimizer", self.optimizer.name),
            ("learning rate", "at every step its own" if rate is None else f"{rate:.6g}"),
            ("largest stable rate", f"{self.largest_stable_rate:.6g}"),
            ("condition number", f"{self.condition:.4g}"),
            ("loss at the start", f"{self._at_start:.6g}"),
            ("lowest loss", f"{self.lowest_loss:.6g}"),
        ]

    @property
    def _at_start(self) -> float:
        """Also where later steps have no closed form."""
        with np.errstate(over="ignore"):
            return float(sum_squares(self.amplitude)) + self.lowest_loss

    def to_record(self) -> dict[str, Any]:
        """Of one curve: plain lists and numbers."""
        return {
            "optimizer": settings.to_record(self.optimizer),
            "curvature": exactly(self.curvature),
            "directions": exactly(self.directions),
            "amplitude": exactly(self.amplitude),
            "start": exactly(self.start),
            "rss": self.rss,
            **({} if self.scale is None else {"scale": exactly(self.scale)}),
            **({"ridge": self.ridge} if self.ridge else {}),
            **({"batch": self.batch} if self.batch else {}),
            **({} if self.noise is None else {"noise": self.noise.to_record()}),
        }

    @classmethod
    def from_record(cls, found: Any, where: str, k: int) -> Self:
        """The inverse, of k weights. Raises Misfit.

        Parameters
        ----------
        found
            What stands in a document.
        where
            The place there, for the refusal.
        k
            How many weights there are.
        """
        forms = {
            "optimizer": settings.from_record,
            "curvature": schema.array((k,), _curvature_form),
            "directions": schema.array((k, k)),
            "amplitude": schema.array((k,), schema.extended),
            "start": schema.array((k,)),
            "rss": schema.number(0.0),
            "scale": schema.Maybe(schema.series(schema.number(0.0)), None),
            "ridge": schema.Maybe(schema.number(0.0), 0.0),
            "batch": schema.Maybe(schema.whole(0), 0),
            "noise": schema.Maybe(Noise.from_record, None),
        }
        values = schema.record(forms)(found, where)
        if values["scale"] is not None:
            values["scale"] = np.array(values["scale"])
        curvature = values["curvature"]
        falling = bool((curvature[1:] <= curvature[:-1]).all()) and curvature[0] > 0
        wanted = "falling from above 0"
        schema.check(falling, f"{where}.curvature", wanted, curvature.tolist())
        return cls(**values)

    # ── before the first step ──

    @property
    def moving(self) -> np.ndarray:
        """Which modes have curvature, shape (…, k)."""
        return self.curvature > 0

    @property
    def condition(self) -> Any:
        """λ_max / λ_min; inf where some mode has no curvature left above rounding."""
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = self.curvature[..., 0] / self.curvature[..., -1]
        return number_or_stack(np.where(self.moving.all(axis=-1), ratio, math.inf))

    @property
    def largest_stable_rate(self) -> Any:
        """The learning rate above which this optimizer (at its momentum) diverges; inf where none
        makes it, as of Adam.
        """
        if self.noise is not None:
            return self.noise.limit
        with np.errstate(divide="ignore"):
            return self._of_curves(self.optimizer.limit(self.curvature[..., :1]))

    @property
    def best(self) -> Optimizer:
        """This optimizer with the settings that shrink the slowest mode most per step."""
        return type(self.optimizer)().fastest(*_extremes(self.curvature))

    @property
    def best_rate(self) -> Any:
        """The learning rate of `best`, in units of weight² per y²; NaN of one that takes none. Of
        batches half of the largest stable one.
        """
        if self.noise is not None:
            return self.noise.limit / 2
        rate = self.best.learning_rate
        return self._of_curves(math.nan if rate is None else rate)

    @property
    def lowest_loss(self) -> Any:
        """The loss that no weights beat, in units of y²."""
        return self.rss

    @property
    def held(self) -> Any:
        """The excess loss in modes that never move, which no number of steps takes away, in units
        of y².
        """
        return number_or_stack(sum_squares(np.where(self.moving, 0.0, self.amplitude)))

    @cached_property
    def is_stable(self) -> Any:
        """Whether the learning rate is below the limit."""
        rate = self.optimizer.learning_rate
        rate = 0.0 if rate is None else rate  # one that is chosen at every step is
        rate = rate if self.scale is None else rate * self.scale.max()
        return self._of_curves(rate) <= self.largest_stable_rate

    @property
    def is_hopeless(self) -> Any:
        """Whether the coordinates are so badly scaled that no number of steps arrives."""
        return self.condition > _HOPELESS

    # ── any step ──

    def excess_at(self, step: int | np.ndarray) -> Any:
        """The loss above the lowest before update `step`, in units of y².

        Σ (decayᵢ(step)·amplitudeᵢ)² over the modes that move, and `held`.

        Parameters
        ----------
        step
            A whole number from 0, or an array of them.

        Returns
        -------
        float or array
            One number, or one for each of an array of steps, shape (*steps, …).

        Raises
        ------
        BadSetting
            For a step that is none.
        NoClosedForm
            For an optimizer whose steps depend on the whole path.
        """
        if self.batch:
            raise NoClosedForm(f"{type(self.optimizer).__name__} on batches", "forecast of a loss")
        steps, some = _checked_steps(step), self._some
        with np.errstate(over="ignore", invalid="ignore"):
            left = self.left(steps)[some] * self.amplitude[some]
            excess = np.where(self.moving[some], left * left, 0.0).sum(axis=-1) + self.held
        return number_or_stack(excess)

    def loss_at(self, step: int | np.ndarray) -> Any:
        """The loss before update `step`, in units of y², as history.loss[step] would hold it.

        Parameters
        ----------
        step
            A whole number from 0, or an array of them; up to 10⁹ no digits are lost to the many
            steps.

        Returns
        -------
        float or array
            One number, or shape (*steps, …).

        Raises
        ------
        BadSetting, NoClosedForm
            As `excess_at`.
        """
        return self.excess_at(step) + self.lowest_loss

    def weights_at(self, step: int | np.ndarray) -> np.ndarray:
        """Weights before update `step`, in the descent's coordinates.

        Parameters
        ----------
        step
            A whole number from 0, or an array of them.

        Returns
        -------
        array
            Shape (*steps, …, k), in units of y per unit of the basis.

        Raises
        ------
        BadSetting, NoClosedForm
            As `excess_at`.
        """
        steps, some = _checked_steps(step), self._some
        travelled = self.left(steps.ravel())[some] - 1
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            reach = self.amplitude[some] / np.sqrt(self.curvature[some] / 2)
            moved = np.where(self.moving[some], travelled * reach, 0.0)
            # the steps beside the modes: one product of matrices for each curve
            moved = np.moveaxis(moved, 0, -2) @ self.directions[..., some[-1]].mT
            weights = self.start + np.moveaxis(moved, -2, 0)
        return weights.reshape(*steps.shape, *self.start.shape)

    def expected_excess_at(self, step: int | np.ndarray) -> Any:
        """The mean of the loss above the lowest before update `step` over all draws of the batches,
        in units of y²; of a descent over all rows what `excess_at` says.

        It is exact for rows drawn with replacement; shuffled ones end lower, the more so the lower
        the rate.

        Parameters
        ----------
        step
            A whole number from 0, or an array of them.

        Returns
        -------
        float or array
            One number, or one for each of an array of steps.

        Raises
        ------
        NoClosedForm
            For batches under another optimizer than GradientDescent.
        """
        if not self.batch:
            return self.excess_at(step)
        noise, steps = self._known_noise(), _checked_steps(step)
        error = self.amplitude[self.moving] / np.sqrt(self.curvature[self.moving] / 2)
        rate = float(self.optimizer.learning_rate)
        if self.scale is None:
            found = noise.excess(rate, error, steps)
        else:
            self._check_scheduled(steps)
            found = noise.path(rate * self.scale[: int(steps.max(initial=0))], error)[steps]
        return number_or_stack(found + self.held)

    @property
    def noise_floor(self) -> float:
        """The mean loss above the lowest that is left after any number of steps, because the rows
        of each are drawn, in units of y²; 0 over all rows, inf above the largest stable rate.

        Raises NoClosedForm as `expected_excess_at`.
        """
        if not self.batch:
            return 0.0
        return self._known_noise().floor(float(self.optimizer.learning_rate))

    def _known_noise(self) -> Noise:
        if self.noise is None:
            raise NoClosedForm(f"{type(self.optimizer).__name__} on batches", "forecast of a mean")
        return self.noise

    def left(self, steps: np.ndarray) -> np.ndarray:
        """The share of each mode's initial error left after `steps`, of its mean under batches,
        shape (*steps, …, k).

        Parameters
        ----------
        steps
            Whole numbers from 0, up to the end of a schedule.

        Raises
        ------
        BadSetting, NoClosedForm
            As `excess_at`.
        """
        if self.scale is None:
            return self.optimizer.decay(self.curvature, steps)
        if type(self.optimizer) is not GradientDescent:
            name = f"{type(self.optimizer).__name__} with a schedule"
            raise NoClosedForm(name, "forecast of the loss")
        self._check_scheduled(steps)
        return self._products[steps]

    @cached_property
    def _products(self) -> np.ndarray:
        """Π (1 − ηₜ·λ) over the steps of a schedule, shape (steps + 1, k)."""
        assert self.scale is not None
        factors = 1 - np.multiply.outer(self.optimizer.learning_rate * self.scale, self.curvature)
        return np.cumprod(np.concatenate((np.ones((1, self.curvature.shape[-1])), factors)), axis=0)

    def _check_scheduled(self, steps: np.ndarray) -> None:
        most = 0 if self.scale is None else len(self.scale)
        if steps.max(initial=0) > most:
            wanted = f"at most {most:,}, where the schedule ends"
            raise BadSetting("step", int(steps.max()), wanted)

    @property
    def has_closed_form(self) -> bool:
        """Whether `loss_at` knows every loss: over all rows, of an optimizer that is linear."""
        scheduled = self.scale is not None and type(self.optimizer) is not GradientDescent
        return self.optimizer.has_closed_form and not self.batch and not scheduled

    @property
    def is_plain(self) -> bool:
        """Whether each step is the optimizer's own, over all rows and without a penalty."""
        return self.scale is None and not self.ridge and not self.batch

    @property
    def _some(self) -> tuple[Any, slice]:
        """The modes that move in some curve: the first ones."""
        return ..., slice(int(self.moving.sum(axis=-1).max(initial=0)))

    def _broad(self, setting: Any) -> np.ndarray:
        """A setting of all curves, or of each, as one of each, shape (…, 1)."""
        return np.broadcast_to(setting, (*self.shape, 1))

    def _of_curves(self, setting: Any) -> Any:
        """A setting as one number for each curve, shape (…,)."""
        if not self.shape:
            return float(setting if np.ndim(setting) == 0 else setting[0])
        return number_or_stack(self._broad(setting)[..., 0])

    def steps_to(self, excess: float) -> Any:
        """The first step at which the loss is within `excess` (relative) of the lowest; inf for
        never: the learning rate is too large, the lowest loss is 0, or `held` is more than that.

        It is the first also where the loss ripples, as it does under momentum: whole stretches are
        ruled out by what every mode keeps at least, the others looked at step by step. After 2²⁶
        (67 million) of those, which takes momentum within some 1e-6 of 1, the rest is sampled at
        512 places an octave.

        Parameters
        ----------
        excess
            Loss above the lowest over the lowest, > 0: 0.01 is 1 %.

        Returns
        -------
        int, inf or array
            Updates to make; shape (…,) of a stack.

        Raises
        ------
        BadSetting
            For an excess that is not above 0.
        NoClosedForm
            For an optimizer whose steps depend on the whole path.
        """
        wanted = "above 0, relative to the lowest loss (0.01 is 1 %)"
        if not number("excess", excess, wanted) > 0:
            raise BadSetting("excess", excess, wanted)
        if self.shape:
            each = [self[place].steps_to(excess) for place in np.ndindex(self.shape)]
            return np.array(each, dtype=float).reshape(self.shape)
        target = excess * self.lowest_loss
        if self.excess_at(0) <= target:
            return 0
        if not target > self.held or not self.is_stable or not np.isfinite(self.amplitude).all():
            return math.inf
        if self.scale is not None:
            reached = np.flatnonzero(self.excess_at(np.arange(len(self.scale) + 1)) <= target)
            return int(reached[0]) if reached.size else math.inf
        begin = np.arange(1, _RUN + 1)
        reached = np.flatnonzero(self.excess_at(begin) <= target)
        if reached.size:
            return int(begin[reached[0]])
        looked = _RUN
        for runs in _batches(self._doubtful(_RUN + 1, target)):
            found = self._followed(runs, target)
            if found is not None:
                return found
            looked += _RUN * len(runs)
            if looked > _PATIENCE:
                return self._sampled(int(runs[-1]) + 1, target)
        return math.inf

    def _doubtful(self, first: int, target: float) -> Iterator[int]:
        """In order, the first steps of stretches of up to `_RUN` steps that may reach the target,
        in octaves from `first`.
        """
        motion = self.optimizer.motion(self.curvature[self.moving])
        amplitude, above = self.amplitude[self.moving], (target - self.held) * (1 + _SLACK)

        def within(start: int, end: int) -> Iterator[int]:
            stride = _RUN
            while stride * _PARTS < end - start:
                stride *= _PARTS
            begins = np.arange(start, end, stride)
            ends = np.minimum(begins + stride, end)
            with np.errstate(over="ignore", invalid="ignore"):
                least = motion.least(begins, ends - 1) * amplitude
                lost = (least * least).sum(axis=-1) > above
            for begin, stop in zip(begins[~lost].tolist(), ends[~lost].tolist(), strict=True):
                if stride == _RUN:
                    yield begin
                else:
                    yield from within(begin, stop)

        while first < _FURTHEST:
            yield from within(first, 2 * first)
            first *= 2

    def _followed(self, runs: np.ndarray, target: float) -> int | None:
        """The first step at or below the target within `_RUN` steps from one of the runs.

        All are followed at once by what two successive errors become, 50 times as fast as by
        powers; only what comes near the target is looked at again.
        """
        moving = self.moving
        courses = self._courses
        with np.errstate(over="ignore", invalid="ignore"):
            pairs = [
                self.optimizer.decay(self.curvature[moving], runs + i) * self.amplitude[moving]
                for i in (0, 1)
            ]
            excess = np.zeros((_RUN, len(runs)))
            for mode in range(int(moving.sum())):
                this, after = (pair[:, mode] for pair in pairs)
                left = np.outer(courses[0][:, mode], this) + np.outer(courses[1][:, mode], after)
                excess += left * left
            rounding = sum(
                np.abs(pair) @ np.abs(course).max(axis=0)
                for pair, course in zip(pairs, courses, strict=True)
            )
            near = (math.sqrt(target - self.held) * (1 + _SLACK) + _ROUNDING * rounding) ** 2
        after, run = np.nonzero(~(excess > near))
        steps = distinct(runs[run] + after)
        reached = np.flatnonzero(self.excess_at(steps) <= target)
        return int(steps[reached[0]]) if reached.size else None

    @cached_property
    def _courses(self) -> tuple[np.ndarray, np.ndarray]:
        """What two successive errors become in each of `_RUN` steps, shapes (_RUN, modes)."""
        return self.optimizer.motion(self.curvature[self.moving]).course(_RUN)

    def _sampled(self, first: int, target: float) -> float:
        """A step at or below the target, the first of its neighborhood, by 512 places an octave."""
        while first < _FURTHEST:
            octave = distinct(np.linspace(first, 2 * first, 513).astype(np.int64))
            reached = np.flatnonzero(self.excess_at(octave) <= target)
            if reached.size:
                i = int(reached[0])
                return self._bisect(int(octave[i - 1]) if i else first - 1, int(octave[i]), target)
            first *= 2
        return math.inf

    def _bisect(self, above: int, reached: int, target: float) -> int:
        """The first step at or below the target, between one above it and one that reached it."""
        while reached - above > 1:
            middle = (above + reached) // 2
            if self.excess_at(middle) <= target:
                reached = middle
            else:
                above = middle
        return reached


def _curvature_form(found: Any, where: str) -> float:
    value = schema.extended(found, where)
    schema.check(value >= 0, where, "0 or more", found)
    return value


def _extremes(curvature: np.ndarray) -> tuple[Any, Any]:
    """The least and the largest curvature of what moves, numbers of one curve, shape (…, 1) of a
    stack; 1 of a curve in which nothing moves: any rate will do.
    """
    moving = curvature > 0
    largest = np.where(moving[..., :1], curvature[..., :1], 1.0)
    smallest = np.where(moving, curvature, largest).min(axis=-1, keepdims=True)
    one = curvature.ndim == 1
    return (float(smallest[0]), float(largest[0])) if one else (smallest, largest)


def _batches(steps: Iterator[int]) -> Iterator[np.ndarray]:
    """The steps as arrays of 1, 2, 4 … up to 1,024 of them: most searches end early."""
    size = 1
    while batch := list(islice(steps, size)):
        yield np.array(batch)
        size = min(2 * size, _MOST_RUNS)


def _checked_steps(step: int | np.ndarray) -> np.ndarray:
    wanted = "a whole number from 0, or an array of them"
    steps = np.asarray(step if np.ndim(step) else whole("step", step, 0, _MOST_STEPS, wanted))
    if steps.dtype.kind not in "iu" or (steps.size and steps.min() < 0):
        raise BadSetting("step", step, wanted)
    return steps.astype(np.int64, copy=False)
