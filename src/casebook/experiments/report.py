"""Read a test against its plan, in order: quality, sample ratio, guardrails, primary, practical significance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pandas as pd
from scipy.stats import t as student

from casebook._columns import kind_of
from casebook.contracts import ContractError, refuse, require_columns
from casebook.experiments.check import srm
from casebook.experiments.effect import Effect, difference
from casebook.experiments.plan import Plan
from casebook.experiments.quality import quality_faults
from casebook.experiments.srm_by import srm_by
from casebook.experiments.verdict import Reason, Report, broken, ratio_reason, read


def report(frame: pd.DataFrame, plan: Plan, *, look: int | None = None) -> Report:
    """Read the table of a test against its plan and say what to do.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per unit: its key, its arm, the plan's metrics and segments, its cluster if there are clusters.
    plan : Plan
        Written before the test ran.
    look : int, optional
        Which of the plan's looks this is, from 1; the last by default.

    Returns
    -------
    Report
        Faults of the table are reasons of the report, not errors.

    Raises
    ------
    ContractError
        No plan, or a look that was not planned.

    References
    ----------
    Kohavi, Tang and Xu (2020), Trustworthy Online Controlled Experiments, chapters 2, 3 and 21.

    Examples
    --------
    >>> from casebook.experiments import Margin, Plan
    >>> import numpy as np
    >>> rng, n = np.random.default_rng(0), 20_000
    >>> users = pd.DataFrame({"user": np.arange(n), "arm": rng.choice(["new", "old"], n)})
    >>> users["clicks"] = rng.poisson(np.where(users["arm"] == "new", 2.2, 2.0))
    >>> users["hides"] = rng.poisson(0.5, n)
    >>> plan = Plan(
    ...     "clicks",
    ...     {"new": 0.5, "old": 0.5},
    ...     treated="new",
    ...     control="old",
    ...     mde=0.1,
    ...     pays_from=0.05,
    ...     guardrails=(Margin("hides", 0.05, worse="up"),),
    ... )
    >>> print(report(users, plan))
    Launch: clicks moves by +0.1997 (95% interval +0.1595 to +0.24, p = 2.6e-22), which reaches the 0.05 from which it
    pays, and no guardrail suffers beyond its margin.
    - quality: 20000 rows without a gap, a repeated unit or an unplanned arm.
    - sample ratio: The arms' sizes agree with the plan (p = 0.81).
    - guardrail: hides moves by -0.008415 (95% interval -0.02797 to +0.01114, p = 0.4): harm beyond 0.05 is excluded.
    - primary: clicks moves by +0.1997 (95% interval +0.1595 to +0.24, p = 2.6e-22): better.
    - practical: The estimate reaches the 0.05 from which it pays.
    """
    level = _level(plan, look)
    faults = quality_faults(frame, list(plan.shares), plan.metrics, unit=plan.unit, arm=plan.arm)
    if faults:
        return broken([Reason("quality", "stop", fault) for fault in faults])
    quality = Reason("quality", "pass", f"{len(frame)} rows without a gap, a repeated unit or an unplanned arm.")
    try:
        ratio = _ratio_of(frame, plan)
        if ratio.outcome == "stop":
            return broken([quality, ratio])
        effects = _effects_of(frame, plan, level)
    except ContractError as error:
        # What only shows when the numbers are used: a cluster in two arms, a metric that never varies.
        return broken([Reason("quality", "stop", str(error))])
    return read([quality, ratio], effects, plan, look)


def report_effects(
    effects: Mapping[str, Effect], counts: Mapping[str, int], plan: Plan, *, look: int | None = None
) -> Report:
    """Read effects that were estimated elsewhere against a plan and say what to do.

    For ratio metrics, adjusted outcomes, or sums from a warehouse. Nothing is known of the table: check it there.

    Parameters
    ----------
    effects : mapping of str to Effect
        Treated less control, of the primary and of every guardrail. An interval of another level is computed anew
        from the standard error.
    counts : mapping of str to int
        Randomised units of every arm.
    plan, look
        As in :func:`report`.

    Returns
    -------
    Report

    Raises
    ------
    ContractError
        As :func:`report`, and for a metric or an arm that is missing.

    Examples
    --------
    >>> from casebook.experiments import Plan
    >>> plan = Plan("ctr", {"new": 0.5, "old": 0.5}, treated="new", control="old", mde=0.02, pays_from=0.01)
    >>> tiny = Effect(0.001, 0.00004, 0.00196, 0.00049, 0.04, 0.101, 0.1, 500_100, 499_900)
    >>> print(report_effects({"ctr": tiny}, {"new": 500_100, "old": 499_900}, plan).sentence)
    Do not launch: Even the better end of ctr's interval, +0.00196, falls short of the 0.01 from which it pays.
    """
    level = _level(plan, look)
    for name in plan.metrics:
        if not isinstance(effects.get(name), Effect):
            got = "none" if name not in effects else kind_of(effects[name])
            refuse(f"effects[{name!r}]", "an Effect", got, "estimate every metric of the plan")
    for name in plan.shares:
        if name not in counts:
            refuse("counts", f"a mapping with an arm {name!r}", ", ".join(map(repr, counts)), "count every arm")
    found = {name: _at_level(effects[name], level) for name in plan.metrics}
    ratio = ratio_reason(srm([counts[name] for name in plan.shares], list(plan.shares.values()), alpha=plan.srm_alpha))
    return broken([ratio]) if ratio.outcome == "stop" else read([ratio], found, plan, look)


def _level(plan: Plan, look: int | None) -> float:
    if not isinstance(plan, Plan):
        refuse("plan", "a Plan", kind_of(plan), "write Plan(primary, shares, treated, control, mde)")
    return plan.level(plan.looks if look is None else look)


def _ratio_of(frame: pd.DataFrame, plan: Plan) -> Reason:
    units = frame
    if plan.cluster is not None:
        require_columns(frame, [plan.cluster], "the test's table")
        units = frame.drop_duplicates([plan.cluster, plan.arm])
    if plan.segments:
        found = srm_by(units, plan.shares, plan.segments, arm=plan.arm, alpha=plan.srm_alpha)
        return Reason("sample ratio", "stop" if found.broken else "pass", found.sentence)
    counts = units[plan.arm].value_counts()
    return ratio_reason(srm([counts[name] for name in plan.shares], list(plan.shares.values()), alpha=plan.srm_alpha))


def _effects_of(frame: pd.DataFrame, plan: Plan, level: float) -> dict[str, Effect]:
    rows = frame[frame[plan.arm].isin([plan.treated, plan.control])]
    arms = (rows[plan.arm] == plan.treated).to_numpy()
    cluster = None if plan.cluster is None else rows[plan.cluster].to_numpy()
    found = {}
    for name in plan.metrics:
        try:
            found[name] = difference(rows[name].to_numpy(), arms, cluster=cluster, level=level)
        except ContractError as error:
            raise ContractError(str(error).replace("y must", f"column {name!r} must", 1)) from None
    return found


def _at_level(effect: Effect, level: float) -> Effect:
    if effect.level == level and effect.low < effect.high:
        return effect
    reach = float(student.isf((1 - level) / 2, effect.df)) * effect.se
    return replace(effect, low=effect.estimate - reach, high=effect.estimate + reach, level=level)
