"""Summaries: a stack of triangles, with what it takes to speak of them in the user's words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from polydescent.arrays import Kind
from polydescent.errors import BadCall, BadSetting, DegreesDiffer
from polydescent.many.held import KnownOfEach, problem_of
from polydescent.many.solving import refusal, solve_each
from polydescent.many.status import in_words
from polydescent.polynomial.basis import Domain
from polydescent.regression.summary import Summary
from polydescent.rows.axis import PLAIN, Axis
from polydescent.rows.calendar import check_unit
from polydescent.rows.keys import find, is_selection, selected
from polydescent.rows.labelled import Labels
from polydescent.triangle.kernels.curves import fold_runs
from polydescent.triangle.kernels.folded import Folded
from polydescent.triangle.triangle import Triangle

if TYPE_CHECKING:
    from polydescent.descent.forecast import Forecast
    from polydescent.many.fits import Fits


@dataclass(frozen=True, eq=False)
class Summaries:
    """Many curves, each folded into a triangle on its own domain.

    What a `Summary` says of one curve, of each: leading dimensions, written …, are the curves.

    Laws, all up to rounding, curve by curve: those of `Summary`; and no curve's trouble changes
    another.

    Attributes
    ----------
    triangle
        The mathematics of all curves, of shape (…).
    kind
        Where the arrays live that a fit gives back: library, dtype, device.
    omitted
        Rows left out because a value was missing, shape (…,).
    fault
        The `Status` of curves that went wrong while they were folded, 0 elsewhere, shape (…,).
    x_name, y_name
        For human eyes; "x" and "y" unless columns were named.
    axis
        How dates and large whole numbers became x: one for all curves.
    keys
        A table with a row for each curve, or None where curves go by position.
    labels
        Dimensions and coordinates of the curves, where they came from xarray.
    known
        Weights, shape (…, k), and where they are those of least squares, shape (…,): what the
        kernel that folded the curves found on the way. None where nothing is.
    """

    triangle: Triangle
    kind: Kind
    omitted: np.ndarray
    fault: np.ndarray
    x_name: str = "x"
    y_name: str = "y"
    axis: Axis = field(default=PLAIN)
    keys: Any = None
    labels: Labels | None = None
    known: tuple[np.ndarray, np.ndarray] | None = field(default=None, repr=False)

    @classmethod
    def of_folded(
        cls, folded: Folded, shape: tuple[int, ...] | None = None, kind: Kind | None = None
    ) -> Summaries:
        """Those that a kernel folded.

        Parameters
        ----------
        folded
            m curves.
        shape
            The leading dimensions, m in all; (m,) where left out.
        kind
            Where results go; NumPy where left out.
        """
        shape = folded.n.shape if shape is None else shape
        array, lo, hi, n, logs, omitted, fault, weights, sound = (
            column.reshape(shape + column.shape[1:]) for column in folded
        )
        triangle = Triangle(array, Domain(lo, hi), n, logs)
        return cls(triangle, kind or Kind(), omitted, fault, known=(weights, sound))

    @classmethod
    def of_runs(
        cls,
        x: np.ndarray,
        y: np.ndarray,
        weights: np.ndarray | None,
        offsets: np.ndarray,
        degree: int,
    ) -> Summaries:
        """Those of runs of rows: curve i is made of the rows offsets[i] … offsets[i + 1] − 1.

        Parameters
        ----------
        x, y
            Shape (rows,) each, on the host.
        weights
            Of the squares, shape (rows,), ≥ 0; None for 1.
        offsets
            Shape (m + 1,), whole numbers that do not fall, from 0 to rows.
        degree
            The highest that can be fitted from them.
        """
        return cls.of_folded(fold_runs(x, y, weights, offsets, degree), kind=Kind.of(x, y))

    def __getitem__(self, place: Any) -> Summaries | Summary:
        """One of them, as a Summary, or some, as Summaries, by position; where they have keys, one
        is `summaries[key]`.
        """
        if self.keys is not None and not is_selection(place):
            return self.at(find(self.keys, place))
        triangle = self.triangle[place]
        if not triangle.shape:
            return self.at(place)
        known = self.known
        return replace(
            self,
            triangle=triangle,
            omitted=self.omitted[place],
            fault=self.fault[place],
            keys=None if self.keys is None else selected(self.keys, place),
            labels=None,
            known=None if known is None else (known[0][place], known[1][place]),
        )

    def at(self, place: Any) -> Summary:
        """The summary of one curve.

        Parameters
        ----------
        place
            Its position, an index or a tuple of them.
        """
        one = self.triangle[place]
        domain = Domain(float(one.domain.lo), float(one.domain.hi))
        triangle = Triangle(one.array, domain, int(one.n), float(one.log_weights))
        omitted = int(self.omitted[place])
        return Summary(triangle, self.kind, omitted, self.x_name, self.y_name, self.axis)

    def __add__(self, other: Summaries) -> Summaries:
        """Those of the rows of both, curve by curve, by position; by key where they have keys, and
        keys of either side stay. Raises DegreesDiffer, BadKeys, BadCall for dates and numbers.
        """
        if not isinstance(other, Summaries):
            return NotImplemented
        if self.keys is not None and other.keys is not None:
            from polydescent.many.grouped import added

            return added(self, other)
        if self.keys is not None or other.keys is not None:
            raise BadCall(
                "Only one side has keys: summaries add up by key or by position. Make both with "
                "by=, or neither."
            )
        if self.degree != other.degree:
            raise DegreesDiffer(self.degree, other.degree)
        axis = self.axis.joint(other.axis)
        mine, theirs = self.on(axis), other.on(axis)
        return replace(
            mine,
            triangle=mine.triangle + theirs.triangle,
            kind=self.kind.joint(other.kind),
            omitted=self.omitted + other.omitted,
            fault=np.maximum(self.fault, other.fault),
            axis=axis,
            known=None,
        )

    def on(self, axis: Axis) -> Summaries:
        """The same rows on another axis.

        Parameters
        ----------
        axis
            The origin and unit of x to speak in.
        """
        if axis == self.axis:
            return self
        domain = self.triangle.domain
        lo, hi = (np.asarray(self.axis.on(end, axis)) for end in (domain.lo, domain.hi))
        moved = replace(self.triangle, domain=Domain(lo, hi))
        return replace(self, triangle=moved, axis=axis)

    def in_unit(self, per: str | None) -> Summaries:
        """The same rows on the axis that people read: see `Summary.in_unit`.

        Parameters
        ----------
        per
            "second", "minute", "hour", "day", "week" or "year"; None for days, and where x holds
            numbers.

        Raises
        ------
        BadSetting
            Where x holds numbers, which have no unit, or for another word.
        """
        check_unit(per)
        used = self.triangle.n > 0
        if self.axis.is_durations:
            return self.on(Axis(unit=per or "day"))
        if self.axis.is_dates:
            if not used.any():
                return self
            domain = self.triangle.domain
            ends = float(domain.lo[used].min()), float(domain.hi[used].max())
            return self.on(self.axis.in_unit(*ends, per or "day"))
        if per is not None:
            wanted = "left out where x holds numbers: only dates and durations have a unit"
            raise BadSetting("per", per, wanted)
        return self

    def fit(
        self,
        degree: int | str | None = None,
        *,
        absolute_sigma: bool = False,
        fix: Any = None,
        terms: Any = None,
        through: Any = None,
        criterion: str = "aicc",
    ) -> Fits:
        """Exact least squares of every curve.

        Parameters
        ----------
        degree
            Up to that of the summaries, which it is where left out; "auto", or "auto:5", for the
            best of each curve.
        absolute_sigma
            Whether the weights are 1/σ² with σ known in units of y; default False.
        fix, terms, through
            What is known of the curves, as in `polydescent.fit_many`. Nothing unless given.
        criterion
            By what degree="auto" chooses: "aicc" (default), "aic" or "bic".

        Raises
        ------
        PolydescentError
            BadDegree, BadSetting, BadCall, TooFewFree, NeedsRows.
        """
        from polydescent.many.fits import fits_of

        known = KnownOfEach(fix, terms, through)
        problem = problem_of(
            self.degree if degree is None else degree,
            known,
            self.degree,
            criterion=criterion,
            absolute_sigma=absolute_sigma,
        )
        return fits_of(self, problem, known=known)

    def descend(
        self, degree: int | None = None, *, absolute_sigma: bool = False, **settings: Any
    ) -> Fits:
        """Gradient descent on the loss of every curve.

        Parameters
        ----------
        degree
            Up to that of the summaries, which it is where left out.
        absolute_sigma
            Whether the weights are 1/σ² with σ known in units of y; default False.
        **settings
            basis, optimizer, learning_rate, momentum, start, seed, steps, tolerance,
            allow_divergence and method, as in `polydescent.descend_many`.

        Raises
        ------
        PolydescentError
            BadDegree, and as `polydescent.descend_many`, RateTooLarge first.
        """
        from polydescent.many.descents import descended, parsed
        from polydescent.many.fits import Fits

        known = self.degree if degree is None else degree
        problem = problem_of(known, KnownOfEach(), self.degree, absolute_sigma=absolute_sigma)
        problem.check_plain()
        wanted = self.lower(problem.degree)
        answers, run = descended(wanted, *parsed(self.shape, **settings))
        return Fits(wanted, answers, problem, run=run)

    def forecast(self, degree: int | None = None, **settings: Any) -> Forecast:
        """What `descend` with the same settings will do, without doing it, with leading dimensions.

        Curves that cannot descend stand still in it; their status says why.

        Parameters
        ----------
        degree
            Up to that of the summaries, which it is where left out.
        **settings
            basis, optimizer, learning_rate, momentum, start and seed, as in
            `polydescent.descend_many`.

        Raises
        ------
        PolydescentError
            BadDegree, UnknownName, BadSetting.
        """
        from polydescent.many.descents import foretold, parsed

        wanted = self if degree is None else self.lower(degree)
        return foretold(wanted, parsed(self.shape, **settings)[0])[0]

    def lower(self, degree: int) -> Summaries:
        """Those at a lower degree.

        Parameters
        ----------
        degree
            From 0 to that of these summaries.

        Raises
        ------
        BadDegree
            For another.
        """
        if degree == self.degree:
            return self
        return replace(self, triangle=self.triangle.lower(degree), known=None)

    def save(self, path: str | PathLike[str]) -> None:
        """Write them to a Parquet file, a row for each curve, all of it or nothing.

        Parameters
        ----------
        path
            The file, replaced where it is such a file.

        Raises
        ------
        NotAModel, NotKept, NoFolder, FileRefused
            Where something else is there; where they could not be read back or written.
        """
        from polydescent.models.groups import save_summaries

        save_summaries(self, path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Summaries:
        """Read what `save` or `polydescent fit --by … --save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        NoFile, DamagedModel, UnknownSchema
            Where there is none, or none that can be believed.
        """
        from polydescent.models.groups import load

        return load(path).summaries

    @property
    def degree(self) -> int:
        """The highest degree that can be fitted from them."""
        return self.triangle.degree

    @property
    def shape(self) -> tuple[int, ...]:
        """The leading dimensions."""
        return self.triangle.shape

    @property
    def n(self) -> np.ndarray:
        """How many rows of each curve count, shape (…,)."""
        return self.triangle.n

    @cached_property
    def solved(self) -> tuple[np.ndarray, np.ndarray]:
        """Weights of least squares at this degree, shape (…, k), and statuses, shape (…,)."""
        return solve_each(self.triangle, self.fault, self.known)

    @property
    def status(self) -> np.ndarray:
        """How each curve comes out at this degree, shape (…,): see `Status`."""
        return self.solved[1]

    def check_fault(self, place: Any) -> None:
        """Raise what `fit` would raise of a curve that went wrong while it was folded.

        Parameters
        ----------
        place
            Its position.
        """
        why = refusal(self.triangle[place], int(self.fault[place]), int(self.omitted[place]))
        if why is not None:
            raise why

    def explain(self, place: Any) -> str:
        """Why a curve has no answer, in the words of what `fit` would raise; "" where it has one.

        Parameters
        ----------
        place
            Its position; its key where they have keys.
        """
        if self.keys is not None:
            place = find(self.keys, place)
        why = refusal(self.triangle[place], int(self.status[place]), int(self.omitted[place]))
        return "" if why is None else str(why)

    def __repr__(self) -> str:
        count = int(np.prod(self.shape))
        return f"<Summaries of {count:,} curves, degree {self.degree}: {in_words(self.status)}>"
