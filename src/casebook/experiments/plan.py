"""What was decided before a test: its metrics, margins, arms and levels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from scipy.stats import norm

from casebook._columns import kind_of
from casebook._schema_words import shown
from casebook.contracts import refuse
from casebook.experiments._inputs import above_zero, one_number, open_share
from casebook.experiments.belief import Belief
from casebook.experiments.quality import KINDS, Kind
from casebook.experiments.srm_size import as_shares

Way = Literal["up", "down"]


@dataclass(frozen=True)
class Margin:
    """A guardrail as it was planned.

    Parameters
    ----------
    metric : str
        Its column.
    margin : float
        The largest harm that is acceptable, above 0, in the metric's units per unit of randomisation.
    worse : {"up", "down"}
        Which way harm lies: "up" for complaints, "down" for revenue.
    """

    metric: str
    margin: float
    worse: Way = "up"

    def __post_init__(self) -> None:
        """Refuse a margin that bounds nothing."""
        above_zero(self.margin, f"the margin of {self.metric!r}")
        _require_way(self.worse, f"worse of {self.metric!r}")


@dataclass(frozen=True)
class Plan:
    """The plan of a test, written before it ran; :func:`casebook.experiments.report` holds its data against it.

    Parameters
    ----------
    primary : str
        The metric that decides.
    shares : mapping of str to float
        Planned share of every arm; they sum to 1.
    treated, control : str
        The two arms that are compared. Further arms count for the sample ratio only.
    mde : float
        Smallest change of the primary that the test was built to see, above 0, in its units.
    guardrails : tuple of Margin
        What must not suffer.
    better : {"up", "down"}
        Which way the primary is to move.
    pays_from : float
        Change of the primary from which launching pays, 0 or more: ``launch_value(...).threshold``.
    alpha : float
        Two-sided, of all looks together; each guardrail's interval has the same level.
    looks : int
        How many times the test is read. At more than one, alpha is split evenly (Bonferroni) unless there are bounds.
    critical : tuple of float
        The z that each look must pass, such as ``group_sequential(...).critical``; empty for the even split.
    srm_alpha : float
        Alarm level of the sample ratio.
    programme : Belief, optional
        Of the primary's effects, more being better; practical significance is then judged on the shrunk effect.
    kinds : mapping of str to {"number", "count", "share"}
        What metrics may hold; those left out are numbers.
    segments : tuple of str
        Columns, known before assignment, in which a sample ratio mismatch is looked for.
    unit, arm : str
        Columns of the unit's key and of its arm.
    cluster : str, optional
        Column of what was randomised whole.

    Raises
    ------
    ContractError
        An arm without a share, shares that do not sum to 1, numbers out of range, bounds that are not one per look.

    Examples
    --------
    >>> plan = Plan("clicks", {"new": 0.05, "old": 0.05, "rest": 0.90}, treated="new", control="old", mde=0.02, looks=2)
    >>> plan.level(look=1), plan.metrics
    (0.975, {'clicks': 'number'})
    """

    primary: str
    shares: Mapping[str, float]
    treated: str
    control: str
    mde: float
    guardrails: tuple[Margin, ...] = ()
    better: Way = "up"
    pays_from: float = 0.0
    alpha: float = 0.05
    looks: int = 1
    critical: tuple[float, ...] = ()
    srm_alpha: float = 0.01
    programme: Belief | None = None
    kinds: Mapping[str, Kind] = field(default_factory=dict)
    segments: tuple[str, ...] = ()
    unit: str = "user"
    arm: str = "arm"
    cluster: str | None = None

    def __post_init__(self) -> None:
        """Refuse a plan that no data can be held against."""
        self._check_arms()
        above_zero(self.mde, "mde")
        if one_number(self.pays_from, "pays_from") < 0:
            refuse(
                "pays_from", "0 or more", f"{self.pays_from:g}", "give the size of the change; better says which way"
            )
        _require_way(self.better, "better")
        open_share(self.alpha, "alpha")
        open_share(self.srm_alpha, "srm_alpha")
        if not isinstance(self.looks, int) or self.looks < 1:
            refuse("looks", "a whole number, 1 or more", shown(self.looks), "count the times the test will be read")
        if self.critical and len(self.critical) != self.looks:
            got = f"{len(self.critical)} for {self.looks}"
            refuse("critical", "one bound for each look", got, "pass group_sequential(looks).critical")
        self._check_names()
        if self.programme is not None and not isinstance(self.programme, Belief):
            refuse("programme", "a Belief", kind_of(self.programme), "fit one by fit_programme(...)")

    def _check_names(self) -> None:
        if isinstance(self.segments, str):
            refuse("segments", "a tuple of columns", repr(self.segments), f"write ({self.segments!r},)")
        for name, kind in self.kinds.items():
            if kind not in KINDS:
                refuse(f"the kind of {name!r}", "one of " + ", ".join(map(repr, KINDS)), repr(kind), "take 'number'")
            if name not in self.metrics:
                must = "one of " + ", ".join(map(repr, self.metrics))
                refuse("a key of kinds", must, repr(name), "name a metric of the plan")

    def _check_arms(self) -> None:
        as_shares(np.array(list(self.shares.values()), dtype=float), "shares")
        for role in ("treated", "control"):
            name = getattr(self, role)
            if name not in self.shares:
                refuse(role, "one of " + ", ".join(map(repr, self.shares)), repr(name), "name an arm that has a share")
        if self.treated == self.control:
            refuse("treated", "another arm than control", repr(self.treated), "name the two arms to compare")
        if isinstance(self.guardrails, Margin):
            refuse("guardrails", "a tuple of Margins", "one Margin", "write (Margin(...),), with the comma")
        for guardrail in self.guardrails:
            if not isinstance(guardrail, Margin):
                refuse("guardrails", "Margins", kind_of(guardrail), "write Margin('hides', 0.01, worse='up')")

    @property
    def metrics(self) -> dict[str, Kind]:
        """The columns that are read, with what they may hold."""
        names = dict.fromkeys([self.primary, *(one.metric for one in self.guardrails)])
        return {name: self.kinds.get(name, "number") for name in names}

    @property
    def sign(self) -> float:
        """1 if more of the primary is better, else -1."""
        return 1.0 if self.better == "up" else -1.0

    def level(self, look: int) -> float:
        """Return the confidence level of every interval at this look, counted from 1."""
        if not isinstance(look, int) or not 1 <= look <= self.looks:
            refuse("look", f"1 to the plan's {self.looks}", shown(look), "a look that was not planned needs a new plan")
        if self.critical:
            return float(1 - 2 * norm.sf(self.critical[look - 1]))
        return 1 - self.alpha / self.looks


def _require_way(way: object, what: str) -> None:
    if way not in ("up", "down"):
        refuse(what, "'up' or 'down'", repr(way), "say which way it lies")
