"""Reading an effect: against a margin, and day by day."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._columns import kind_of, number_column
from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse, require_length, require_same_order
from casebook.experiments._inputs import (
    above_zero,
    as_arms,
    as_clusters,
    as_level,
    as_outcome,
    require_two_each,
)
from casebook.experiments.effect import Effect, effect_of

Verdict = Literal["holds", "broken", "not known"]


@dataclass(frozen=True)
class Guardrail:
    """What an interval says of a guardrail.

    Parameters
    ----------
    verdict : {"holds", "broken", "not known"}
        The whole interval on the harmless side of the margin, the whole of it beyond, or neither.
    estimate, low, high : float
        Of the effect.
    margin : float
        The largest harm that is acceptable, above 0, in the outcome's units.
    worse : {"up", "down"}
        Which way harm lies.
    """

    verdict: Verdict
    estimate: float
    low: float
    high: float
    margin: float
    worse: Literal["up", "down"]


def non_inferior(effect: Effect, margin: float, worse: Literal["up", "down"] = "up") -> Guardrail:
    """Return whether harm beyond a margin is excluded, shown, or neither.

    "No significant harm" is not enough: a small experiment never finds any. An effect's 0.95 interval tests
    each side at 0.025; estimate it at level 0.90 for a one-sided test at 0.05.

    Parameters
    ----------
    effect : Effect
        Of treatment on the guardrail's outcome.
    margin : float
        The largest harm that is acceptable, above 0, fixed before the data.
    worse : {"up", "down"}
        "up" for complaints, "down" for revenue.

    Returns
    -------
    Guardrail

    Raises
    ------
    ContractError
        No effect, a margin of 0 or less, another word for worse.

    References
    ----------
    Piaggio et al. (2012), Reporting of noninferiority and equivalence randomized trials, JAMA 308(24).

    Examples
    --------
    >>> from casebook.experiments import difference
    >>> complaints = difference([0, 1] * 50 + [0, 0, 0, 1] * 25, [1] * 100 + [0] * 100)
    >>> non_inferior(complaints, margin=0.5).verdict, non_inferior(complaints, margin=0.3).verdict
    ('holds', 'not known')
    """
    if not isinstance(effect, Effect):
        refuse("effect", "an Effect", kind_of(effect), "pass what difference(...) returns")
    limit = above_zero(margin, "margin")
    if worse not in ("up", "down"):
        refuse("worse", "'up' or 'down'", repr(worse), "say which way harm lies")
    least, most = (effect.low, effect.high) if worse == "up" else (-effect.high, -effect.low)
    verdict: Verdict = "not known"
    if most < limit:
        verdict = "holds"
    elif least > limit:
        verdict = "broken"
    return Guardrail(verdict, effect.estimate, effect.low, effect.high, limit, worse)


def by_horizon(
    day: npt.ArrayLike,
    treated: npt.ArrayLike,
    horizons: npt.ArrayLike,
    *,
    cluster: npt.ArrayLike | None = None,
    follow_up: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return the effect on "it has not happened by day h" at each horizon.

    A treatment may only postpone what it seems to prevent: the effect then fades at the later horizons. The
    rows are not independent and their intervals are not adjusted for being many: name one horizon first.

    Parameters
    ----------
    day : array_like, shape (n,)
        Days from assignment to the event, 0 or more; missing if it has not happened.
    treated : array_like, shape (n,)
        The arm, 0 or 1.
    horizons : array_like, shape (h,)
        Days, 0 or more.
    cluster, level
        As in :func:`casebook.experiments.difference`.
    follow_up : array_like, shape (n,), optional
        Days from each unit's assignment to the end of the data, not cut short by the event. Left out,
        every unit is taken to have been watched up to the longest horizon.

    Returns
    -------
    pandas.DataFrame
        One row per horizon: ``horizon`` and the fields of :class:`casebook.experiments.Effect`; se, low, high and p
        are missing where nothing has happened yet in either arm.

    Raises
    ------
    ContractError
        As :func:`casebook.experiments.difference`, for a negative day, a day after the end of follow-up, and for
        units that were watched for less than the longest horizon.

    Examples
    --------
    >>> left = [5, 40, np.nan, np.nan, 8, 9, 50, np.nan]
    >>> by_horizon(left, [1, 1, 1, 1, 0, 0, 0, 0], [7, 30, 60])[["horizon", "treated_mean", "control_mean", "estimate"]]
       horizon  treated_mean  control_mean  estimate
    0      7.0          0.75          1.00     -0.25
    1     30.0          0.75          0.50      0.25
    2     60.0          0.50          0.25      0.25
    """
    event = _as_days(day)
    arms = as_arms(treated, len(event), day, ("day", "treated"))
    codes = as_clusters(cluster, arms, day)
    require_two_each(arms, codes)
    wanted = as_outcome(horizons, "horizons", "name the days to look at")
    if wanted.min() < 0:
        refuse("horizons", "0 or more days", shown(wanted.min()), "count days from assignment")
    if follow_up is not None:
        _require_watched(follow_up, event, day, float(wanted.max()))
    share = as_level(level)
    rows = [{"horizon": h, **asdict(effect_of(_not_by(event, h), arms, codes, share))} for h in wanted.tolist()]
    return pd.DataFrame(rows)


def _not_by(event: FloatArray, horizon: float) -> FloatArray:
    return (~(event <= horizon)).astype(np.float64)


def _as_days(day: npt.ArrayLike) -> FloatArray:
    event = number_column(day, "day", "numbers of days", "subtract the assignment's date and take .dt.days")
    wrong = (event < 0) | np.isinf(event)
    if wrong.any():
        row = int(np.argmax(wrong))
        mend = "leave it missing if it never happened, and drop units that had it before assignment"
        refuse(f"day, row {row}", "0 or more and finite", shown(event[row]), mend)
    return event


def _require_watched(follow_up: npt.ArrayLike, event: FloatArray, day: npt.ArrayLike, longest: float) -> None:
    watched = as_outcome(follow_up, "follow_up", "subtract the assignment's date from the data's last day")
    require_length(watched, len(event), "follow_up")
    require_same_order(day, follow_up, "day and follow_up")
    if (watched < longest).any():
        row = int(np.argmin(watched))
        mend = f"ask for horizons up to {watched[row]:g} or drop the units that were assigned last"
        refuse(f"follow_up, row {row}", f"at least the longest horizon of {longest:g} days", f"{watched[row]:g}", mend)
    late = event > watched
    if late.any():
        row = int(np.argmax(late))
        got = f"{event[row]:g} after {watched[row]:g}"
        refuse(f"day, row {row}", "within follow_up", got, "take both from one extract of the data")
