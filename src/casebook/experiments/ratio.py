"""Ratio metrics from a reader's columns: clicks per impression where users were randomised."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._columns import raw_column
from casebook.contracts import refuse, require_length, require_same_order
from casebook.experiments._inputs import as_arms, as_outcome
from casebook.experiments.effect import Effect
from casebook.experiments.lift import absolute_effect
from casebook.experiments.moments import Metric, arm_moments


def ratio_difference(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    treated: npt.ArrayLike,
    *,
    before: npt.ArrayLike | None = None,
    unit: npt.ArrayLike | None = None,
    level: float = 0.95,
) -> Effect:
    """Return the difference between the arms of sum(numerator) / sum(denominator), by the delta method.

    The units that were randomised are what varies; their rows are not independent. The plain mean over rows with
    ``difference(y, treated, cluster=unit)`` gives the same estimate and nearly the same standard error.

    Parameters
    ----------
    numerator, denominator : array_like, shape (n,)
        Sums of a unit or, with ``unit``, of parts of it. Denominators are 0 or more: units without any stay in.
    treated : array_like, shape (n,)
        The arm, 0 or 1.
    before : array_like, shape (n,) or (n, k), optional
        Measures from before the experiment, one value per unit, for CUPED. Take both the numerator's and the
        denominator's: the two together explain more than their ratio, and no unit has a ratio of 0 / 0.
    unit : array_like, shape (n,), optional
        What was randomised, if it has several rows.
    level : float
        Of the interval.

    Returns
    -------
    Effect
        ``treated_mean`` and ``control_mean`` are the arms' ratios, adjusted if ``before`` is given.

    Raises
    ------
    ContractError
        Missing values, a negative denominator, a unit in both arms, an arm of fewer than two units, covariates that
        vary in neither arm or repeat each other, several of them for one unit.

    References
    ----------
    Deng, Knoblich and Lu (2018), Applying the delta method in metric analytics, KDD, section 3.

    Examples
    --------
    >>> clicks, views = [3, 1, 0, 6, 2, 1, 0, 2], [10, 4, 1, 12, 11, 5, 1, 14]
    >>> print(ratio_difference(clicks, views, treated=[1, 1, 1, 1, 0, 0, 0, 0]))
    +0.2091 (95% interval -0.03204 to +0.4502, p = 0.071)
    """
    top = as_outcome(numerator, "numerator")
    arms = as_arms(treated, len(top), numerator, ("numerator", "treated"))
    columns = {"numerator": top, "denominator": as_outcome(denominator, "denominator"), "treated": arms}
    partners = {"denominator": denominator}
    if before is not None:
        columns |= before_columns(before)
    if unit is not None:
        columns["unit"], partners["unit"] = raw_column(unit, "unit"), unit
    for name, column in columns.items():
        require_length(column, len(top), name)
    for name, partner in partners.items():
        require_same_order(numerator, partner, f"numerator and {name}")
    metric = Metric("numerator", "denominator", tuple(name for name in columns if name.startswith("before")))
    sides = arm_moments(pd.DataFrame(columns), metric, "treated", unit=None if unit is None else "unit")
    return absolute_effect(sides[True], sides[False], level=level)


def before_columns(before: npt.ArrayLike) -> dict[str, npt.NDArray[np.float64]]:
    """Return one or several covariates as clean columns, named in the order in which they came."""
    if isinstance(before, pd.Series) or np.ndim(before) == 1:
        return {"before": as_outcome(before, "before", _FILL)}
    if np.ndim(before) != 2:
        refuse("before", "one column or a table", f"{np.ndim(before)} dimensions", "pass numbers of shape (n, k)")
    frame = before if isinstance(before, pd.DataFrame) else pd.DataFrame(np.asarray(before))
    if frame.shape[1] == 0:
        refuse("before", "one column or more", "none", "name a measure from before, or leave it out")
    return {f"before, column {name}": as_outcome(frame[name], f"before, column {name}", _FILL) for name in frame}


_FILL = "fill it in alike in both arms, with the mean for one"
