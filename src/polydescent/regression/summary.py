"""Summary: a triangle, with what it takes to speak of it in the user's words."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

import numpy as np

from polydescent.arrays import Array, Kind
from polydescent.errors import BadSetting, DegreesDiffer
from polydescent.polynomial.basis import Domain
from polydescent.rows.axis import PLAIN, Axis, check_unit
from polydescent.triangle.triangle import Triangle
from polydescent.visible import html_table

if TYPE_CHECKING:
    from polydescent.descent.forecast import Forecast
    from polydescent.regression.verbs import Fit


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
    triangle : the mathematics: see `Triangle`.
    kind : where the arrays live that a fit gives back.
    omitted : rows left out because a value was missing; they are not among the n.
    x_name, y_name : for human eyes.
    axis : how dates and large whole numbers became x; parts on different ones are moved to the
        first's when they are added.
    """

    triangle: Triangle
    kind: Kind = field(default=Kind())
    omitted: int = 0
    x_name: str = "x"
    y_name: str = "y"
    axis: Axis = field(default=PLAIN)

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
        """The summary of rows already checked by `arrays.columns`; each stands for its count."""
        return cls(Triangle.fold(x, y, weights, degree, counts), Kind.of(x, y))

    @classmethod
    def empty(cls, degree: int = 8) -> Summary:
        """The summary of no rows: adding it changes nothing."""
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
        triangle = self.moved(axis).triangle + other.moved(axis).triangle
        kind = self.kind.joint(other.kind)
        return replace(self, triangle=triangle, axis=axis, kind=kind, omitted=omitted)

    def __radd__(self, nothing: object) -> Summary:
        """Itself added to 0, where `sum` begins."""
        return self if type(nothing) is int and nothing == 0 else NotImplemented

    def moved(self, axis: Axis) -> Summary:
        """The same rows on another axis: a triangle knows x only by its place in the domain."""
        if axis == self.axis or self.domain.is_empty:
            return replace(self, axis=axis)
        ends = (float(self.axis.moved(x, axis)) for x in (self.domain.lo, self.domain.hi))
        return replace(self, triangle=replace(self.triangle, domain=Domain(*ends)), axis=axis)

    def settled(self, per: str | None) -> Summary:
        """The same rows on the axis that people read: dates in `per` (days) since a round origin,
        durations in `per`.

        Raises BadSetting where x holds numbers, which have no unit.
        """
        check_unit(per)
        if self.domain.is_empty:
            return self
        if self.axis.is_durations:
            return self.moved(Axis(unit=per or "day"))
        if self.axis.is_dates:
            ends = self.domain.lo, self.domain.hi
            return self.moved(self.axis.settled(*ends, per or "day"))
        if per is not None:
            wanted = "left out where x holds numbers: only dates and durations have a unit"
            raise BadSetting("per", per, wanted)
        return self

    def lower(self, degree: int) -> Summary:
        """The summary at a lower degree. Raises BadDegree."""
        return replace(self, triangle=self.triangle.lower(degree))

    # ── what it holds ──

    @property
    def degree(self) -> int:
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
        """Write it to a file: JSON, every float exact, with a checksum; all of it or nothing."""
        from polydescent.models.model import Model, save

        save(Model(self), path)

    @classmethod
    def load(cls, path: str | PathLike[str]) -> Summary:
        """Read what `save` or `polydescent fit --save` wrote.

        Raises NoFile, DamagedModel, UnknownSchema.
        """
        from polydescent.models.model import load

        return load(path).summary

    # ── what to do with it (the two places where an import goes up the ladder) ──

    def fit(
        self,
        degree: int | str | None = None,
        *,
        absolute_sigma: bool = False,
        fix: Any = None,
        terms: Any = None,
        through: Any = None,
        criterion: str = "aicc",
    ) -> Fit:
        """Exact least squares from this summary.

        Raises as `polydescent.fit`, whose arguments these are.

        Parameters
        ----------
        degree
            Up to the summary's, which it is where left out; "auto", or "auto:5", for the best up to
            10, or 5.
        absolute_sigma
            Whether the weights are 1/σ² with σ known in units of y.
        fix, terms, through
            What is known of the curve.
        criterion
            By what degree="auto" chooses: "aicc", "aic" or "bic". "loo" and "cv" need the rows.
        """
        from polydescent.regression.verbs import fit_summary

        return fit_summary(
            self,
            degree,
            absolute_sigma=absolute_sigma,
            fix=fix,
            terms=terms,
            through=through,
            criterion=criterion,
        )

    def descend(self, degree: int | None = None, **settings: Any) -> Fit:
        """Gradient descent on this summary. See `polydescent.descend` for the settings,
        absolute_sigma among them.
        """
        from polydescent.regression.verbs import descend_summary

        return descend_summary(self if degree is None else self.lower(degree), **settings)

    def forecast(self, degree: int | None = None, **settings: Any) -> Forecast:
        """What `descend` with the same settings will do, without doing it."""
        from polydescent.regression.verbs import forecast_summary

        return forecast_summary(self if degree is None else self.lower(degree), **settings)

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
