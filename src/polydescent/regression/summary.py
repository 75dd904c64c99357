"""Summary: a triangle, with what it takes to speak of it in the user's words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from polydescent.arrays import Array, Kind
from polydescent.descent.moments import Moments
from polydescent.errors import BadCall, BadSetting, DegreesDiffer
from polydescent.polynomial.basis import Domain
from polydescent.rows.axis import PLAIN, Axis
from polydescent.rows.calendar import check_unit
from polydescent.sealed import schema
from polydescent.triangle.triangle import Triangle
from polydescent.visible import html_table

if TYPE_CHECKING:
    from polydescent.descent.forecast import Forecast
    from polydescent.regression.fit import Fit


@dataclass(frozen=True, eq=False)
class Summary:
    """n rows (x, y) folded into a triangle [[R, z], [0, √rss]] with ‖V w − y‖² = ‖R w − z‖² + rss
    for all w, and what it takes to speak of them in the user's words.

    V holds the Chebyshev polynomials T₀ … T_degree of u = x mapped from the domain to [−1, 1].

    Laws, all up to rounding: a + b = b + a; (a + b) + c = a + (b + c); a + Summary.empty(d) = a;
    the sum of the summaries of parts is the summary of the whole; `lower(d)` is the summary at
    degree d; `sum(summaries)` adds them all.

    Attributes
    ----------
    triangle
        The mathematics, R and z and rss: see `Triangle`.
    kind
        Where the arrays live that a fit gives back: library, dtype, device.
    omitted
        Rows left out because a value was missing; they are not among the n.
    x_name, y_name
        For human eyes; "x" and "y" unless columns were named.
    axis
        How dates and large whole numbers became x; parts on different ones are moved to the first's
        when they are added.
    moments
        What batches of the rows do to a descent, where that was asked for: see `Moments`. None
        (default) otherwise, and of a sum in which a part lacks them.

    Examples
    --------
    >>> from polydescent import summarize
    >>> whole = summarize([0, 1], [1, 3], degree=1) + summarize([2, 3], [5, 7], degree=1)
    >>> whole
    <Summary of 4 rows, degree 1, x in [0, 3]>
    """

    triangle: Triangle
    kind: Kind = field(default=Kind())
    omitted: int = 0
    x_name: str = "x"
    y_name: str = "y"
    axis: Axis = field(default=PLAIN)
    moments: Moments | None = None

    # ── making one ──

    @classmethod
    def of_rows(
        cls,
        x: Array,
        y: Array,
        weights: Array | None = None,
        degree: int = 8,
        counts: Array | None = None,
    ) -> Summary:
        """The summary of rows already checked and brought to one kind: `summarize` does that.

        Parameters
        ----------
        x, y
            Shape (n,) each, finite.
        weights
            Of the squares, shape (n,), ≥ 0; default 1.
        degree
            The highest that can be fitted from it; default 8.
        counts
            How often each row was seen, shape (n,), whole numbers ≥ 0; default 1.
        """
        return cls(Triangle.fold(x, y, weights, degree, counts), Kind.of(x, y))

    @classmethod
    def empty(cls, degree: int = 8) -> Summary:
        """The summary of no rows: adding it changes nothing.

        Parameters
        ----------
        degree
            Of the summaries it will be added to; default 8.
        """
        return cls(Triangle.empty(degree))

    def __add__(self, other: Summary) -> Summary:
        """The summary of the rows of both. Raises DegreesDiffer, BadCall for dates and numbers."""
        if not isinstance(other, Summary):
            return NotImplemented
        if self.degree != other.degree:
            raise DegreesDiffer(self.degree, other.degree)
        omitted = self.omitted + other.omitted
        if not other.n or not self.n:
            return replace(self if self.n else other, omitted=omitted)
        axis = self.axis.joint(other.axis)
        ours, theirs = self.on(axis), other.on(axis)
        known = ours.moments is not None and theirs.moments is not None
        return replace(
            self,
            triangle=ours.triangle + theirs.triangle,
            axis=axis,
            kind=self.kind.joint(other.kind),
            omitted=omitted,
            moments=ours.moments + theirs.moments if known else None,  # type: ignore[operator]
        )

    def __radd__(self, nothing: object) -> Summary:
        """Itself added to 0, where `sum` begins."""
        return self if type(nothing) is int and nothing == 0 else NotImplemented

    def on(self, axis: Axis) -> Summary:
        """The same rows on another axis: a triangle knows x only by its place in the domain.

        Parameters
        ----------
        axis
            The origin and unit of x to speak in.
        """
        if axis == self.axis or self.domain.is_empty:
            return replace(self, axis=axis)
        ends = (float(self.axis.on(x, axis)) for x in (self.domain.lo, self.domain.hi))
        domain = Domain(*ends)
        moments = None if self.moments is None else replace(self.moments, domain=domain)
        triangle = replace(self.triangle, domain=domain)
        return replace(self, triangle=triangle, axis=axis, moments=moments)

    def in_unit(self, per: str | None) -> Summary:
        """The same rows on the axis that people read: dates in `per` since a round origin,
        durations in `per`.

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
        if self.domain.is_empty:
            return self
        if self.axis.is_durations:
            return self.on(Axis(unit=per or "day"))
        if self.axis.is_dates:
            ends = self.domain.lo, self.domain.hi
            return self.on(self.axis.in_unit(*ends, per or "day"))
        if per is not None:
            wanted = "left out where x holds numbers: only dates and durations have a unit"
            raise BadSetting("per", per, wanted)
        return self

    def lower(self, degree: int) -> Summary:
        """The summary at a lower degree: the leading corner of R, with rss grown by what was cut
        off z.

        Parameters
        ----------
        degree
            From 0 to that of this summary.

        Raises
        ------
        BadDegree
            For another.
        """
        moments = None if self.moments is None else self.moments.lower(degree)
        return replace(self, triangle=self.triangle.lower(degree), moments=moments)

    # ── what it holds ──

    @property
    def degree(self) -> int:
        """The highest degree that can be fitted from it."""
        return self.triangle.degree

    @property
    def n(self) -> int:
        """How many rows count."""
        return self.triangle.n

    @property
    def domain(self) -> Domain:
        """The interval of x, in units since the origin of the axis."""
        return self.triangle.domain

    @property
    def R(self) -> np.ndarray:
        """Shape (degree + 1, degree + 1), upper triangular, RᵀR = VᵀV."""
        return self.triangle.R

    @property
    def z(self) -> np.ndarray:
        """Shape (degree + 1,), Qᵀy, in units of y."""
        return self.triangle.z

    @property
    def rss(self) -> float:
        """The lowest sum of squared residuals any polynomial of this degree reaches, in units of
        y².
        """
        return float(self.triangle.rss)

    @property
    def tss(self) -> float:
        """Σ (y − mean y)², in units of y²: what the constant leaves."""
        return float(self.triangle.tss)

    # ── keeping it ──

    def save(self, path: str | PathLike[str]) -> None:
        """Write it to a file: JSON, every float exact, with a checksum; all of it or nothing.

        Parameters
        ----------
        path
            The file, replaced where it exists.

        Raises
        ------
        NotKept
            Where it could not be read back, or is too large.
        NoFolder, FileRefused
            Where nothing can be written.
        """
        from polydescent.models.model import Model, save

        save(Model(self), path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Summary:
        """Read what `save` or `polydescent fit --save` wrote.

        Parameters
        ----------
        path
            The file.

        Raises
        ------
        NoFile, DamagedModel, UnknownSchema
            Where there is none, or none that can be believed.
        """
        from polydescent.models.model import load

        return load(path).summary

    def to_record(self) -> dict[str, Any]:
        """Plain lists, numbers and text; `from_record` gives every bit back."""
        return {
            "triangle": self.triangle.to_record(),
            "kind": self.kind.to_record(),
            "omitted": self.omitted,
            "x_name": self.x_name,
            "y_name": self.y_name,
            "axis": self.axis.to_record(),
            **({} if self.moments is None else {"moments": self.moments.to_record()}),
        }

    @classmethod
    def from_record(cls, found: Any, where: str) -> Self:
        """The inverse of `to_record`. Raises Misfit.

        Parameters
        ----------
        found
            What stands in a document.
        where
            The place there, for the refusal.
        """
        values = _RECORD(found, where)
        moments, triangle = values.pop("moments"), values["triangle"]
        if moments is not None:
            place = f"{where}.moments"
            moments = Moments.from_record(moments, place, triangle.degree, triangle.domain)
        made = cls(**values, moments=moments)
        ends = (made.domain.lo, made.domain.hi)
        if made.axis.is_dates and not made.domain.is_empty:
            dated = not np.isnat([made.axis.place(x) for x in ends]).any()
            schema.check(dated, f"{where}.triangle.domain", "dates", list(ends))
        return made

    # ── what to do with it (the two places where an import goes up the ladder) ──

    def fit(
        self,
        degree: int | str | None = None,
        *,
        absolute_sigma: bool = False,
        fix: Any = None,
        terms: Any = None,
        through: Any = None,
        shape: Any = None,
        bounds: Any = None,
        criterion: str | None = None,
        loss: Any = "squares",
        variance: Any = "equal",
    ) -> Fit:
        """Exact least squares from this summary: the w that minimizes ‖R w − z‖².

        Parameters
        ----------
        degree
            Up to the summary's, which it is where left out; "auto", or "auto:5", for the best up to
            10, or 5.
        absolute_sigma
            Whether the weights are 1/σ² with σ known in units of y; default False.
        fix, terms, through
            What is known of the curve, as in `polydescent.fit`: coefficients held, powers used,
            points met. Nothing unless given.
        shape, bounds
            What the curve and its coefficients must keep to, as in `polydescent.fit`. Nothing
            unless given.
        criterion
            By what degree="auto" chooses: "aicc" (default), "aic" or "bic". "loo" and "cv" need the
            rows.
        loss, variance
            "squares" and "equal": all others need the rows, and are refused here.

        Raises
        ------
        PolydescentError
            BadDegree, NoRows, TooFewRows, TooFewDistinct, TooFewFree, NeedsRows, BadCall,
            BadSetting, NoSuchCurve.
        """
        from polydescent.regression.problem import Problem

        wanted = self.degree if degree is None else degree
        curve = {"fix": fix, "terms": terms, "through": through, "criterion": criterion}
        curve |= {"shape": shape, "bounds": bounds}
        known = absolute_sigma
        curve |= {"loss": loss, "variance": variance}
        problem = Problem.parse(wanted, self.degree, absolute_sigma=known, **curve)
        if problem.reads_again:
            raise BadCall(
                "loss= and variance= look at every row again, and a summary holds none: fit the "
                "rows themselves, fit(…, loss=, variance=)."
            )
        return problem.solve(self)

    def descend(
        self, degree: int | None = None, *, absolute_sigma: bool = False, **settings: Any
    ) -> Fit:
        """Gradient descent on ‖R w − z‖² + rss, the loss of all rows, in float64 on the host.

        Parameters
        ----------
        degree
            Up to the summary's, which it is where left out.
        absolute_sigma
            Whether the weights are 1/σ² with σ known in units of y; default False.
        **settings
            basis, optimizer, learning_rate, momentum, start, seed, steps, tolerance,
            allow_divergence, progress, schedule, validation and ridge, as in `polydescent.descend`.

        Raises
        ------
        PolydescentError
            BadDegree, and as `polydescent.descend`, RateTooLarge first.
        """
        from polydescent.regression.problem import Problem
        from polydescent.regression.training import Descent

        summary, known = self if degree is None else self.lower(degree), absolute_sigma
        problem = Problem.parse(summary.degree, absolute_sigma=known)
        return Descent.parse(**settings).run(summary, absolute_sigma=problem.absolute_sigma)

    def forecast(self, degree: int | None = None, **settings: Any) -> Forecast:
        """What `descend` with the same settings will do, without doing it.

        Parameters
        ----------
        degree
            Up to the summary's, which it is where left out.
        **settings
            basis, optimizer, learning_rate, momentum, start, seed, ridge, and schedule with its
            steps, as in `polydescent.descend`; batch, where the summary holds moments.

        Raises
        ------
        PolydescentError
            BadDegree, TooFewDistinct, UnknownName, BadSetting.
        """
        from polydescent.regression.training import Descent

        return Descent.parse(**settings).forecast(self if degree is None else self.lower(degree))

    def _repr_html_(self) -> str:
        """What it holds, for a notebook."""
        ends = map(self.axis.label, (self.domain.lo, self.domain.hi))
        facts = [
            ("rows", f"{self.n:,}"),
            ("omitted", f"{self.omitted:,}"),
            ("degree", self.degree),
            ("x", self.x_name),
            ("y", self.y_name),
            ("x from, to", ", ".join(ends) if self.n else "none"),
            ("numbers", self.kind),
        ]
        return html_table("Summary", facts)

    def __repr__(self) -> str:
        ends = self.axis.label(self.domain.lo), self.axis.label(self.domain.hi)
        where = "" if not self.n else f", x in [{ends[0]}, {ends[1]}]"
        return f"<Summary of {self.n:,} rows, degree {self.degree}{where}>"


_RECORD = schema.record(
    {
        "triangle": Triangle.from_record,
        "kind": Kind.from_record,
        "omitted": schema.whole(),
        "x_name": schema.text,
        "y_name": schema.text,
        "axis": Axis.from_record,
        "moments": schema.Maybe(schema.anything, None),
    }
)
