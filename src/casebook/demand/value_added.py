"""What overrides are worth: the error without them less the error with them, measured on what came."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_columns


def loss(y: npt.ArrayLike, forecast: npt.ArrayLike, tau: float | None = None) -> FloatArray:
    """Return absolute errors, or with `tau` pinball losses, by row.

    Examples
    --------
    >>> loss([3.0, 1.0], [1.0, 3.0]).tolist(), loss([3.0, 1.0], [1.0, 3.0], 0.75).tolist()
    ([2.0, 2.0], [1.5, 0.5])
    """
    if tau is not None and not 0 < tau < 1:
        refuse("tau", "in (0, 1)", f"{tau:g}", "divide percentages by 100")
    short = np.asarray(y, float) - np.asarray(forecast, float)
    return np.abs(short) if tau is None else np.maximum(tau * short, (tau - 1) * short)


def value_added(applied: pd.DataFrame, tau: float | None = None) -> pd.DataFrame:
    """Return each override's forecast value added: the error without it less the error with it.

    Parameters
    ----------
    applied : pandas.DataFrame
        One row a cell and day that was overridden: ``override_id``, ``author``, ``mean_before``, ``mean``, and ``y``,
        which came since. Rows with an empty override_id are left out.
    tau : float, optional
        Measure pinball loss at this level instead of the absolute error. The two can disagree in sign: an optimist
        who is wrong in units can be right at a high level.

    Returns
    -------
    pandas.DataFrame
        By ``override_id``: ``author``, ``rows``, ``units`` (what came), ``error_without``, ``error_with``,
        ``added`` (units; above 0 if it helped), ``upward`` (whether it raised the forecast).

    Raises
    ------
    ContractError
        No rows, a missing column.

    References
    ----------
    Gilliland (2010), The Business Forecasting Deal, chapter 4.

    Examples
    --------
    >>> rows = {"override_id": ["a", "a", "b"], "author": ["Ada", "Ada", "Bob"], "mean_before": [4.0, 4, 4]}
    >>> value_added(pd.DataFrame(rows | {"mean": [6.0, 6, 9], "y": [6, 7, 3]}))[["override_id", "added"]]
      override_id  added
    0           a    4.0
    1           b   -5.0
    """
    require_columns(applied, ["override_id", "author", "mean_before", "mean", "y"], "applied")
    used = applied[applied["override_id"] != ""]
    rows = used[["override_id", "author"]].assign(
        rows=1,
        units=used["y"].astype(float),
        error_without=loss(used["y"], used["mean_before"], tau),
        error_with=loss(used["y"], used["mean"], tau),
        moved=used["mean"] - used["mean_before"],
    )
    found = rows.groupby(["override_id", "author"], as_index=False).sum()
    added = found["error_without"] - found["error_with"]
    return found.assign(added=added, upward=found["moved"] > 0).drop(columns="moved")


def planner_summary(added: pd.DataFrame) -> pd.DataFrame:
    """Return what each author's overrides added, in all and by direction.

    Parameters
    ----------
    added : pandas.DataFrame
        From :func:`value_added`.

    Returns
    -------
    pandas.DataFrame
        By ``author``: ``overrides``, ``helped`` (share with a value above 0), ``added`` (units), ``error`` (standard
        error of that sum over overrides; missing with one), ``share`` (added over the error without),
        ``added_up`` and ``added_down`` (units, of those that raised and of the others).

    References
    ----------
    Fildes, Goodwin, Lawrence and Nikolopoulos (2009), International Journal of Forecasting 25: upward adjustments
    added the least.

    Examples
    --------
    >>> rows = {"override_id": ["a", "b"], "author": "Ada", "error_without": [9.0, 6], "added": [4.0, -1]}
    >>> planner_summary(pd.DataFrame(rows | {"upward": [False, True]})).round(2).to_dict("records")[0]["share"]
    0.2
    """
    require_columns(added, ["override_id", "author", "error_without", "added", "upward"], "added")
    rows = added.assign(
        helped=added["added"] > 0,
        added_up=added["added"].where(added["upward"], 0.0),
        added_down=added["added"].where(~added["upward"], 0.0),
    )
    by = rows.groupby("author")
    found = by[["added", "added_up", "added_down", "error_without"]].sum()
    found.insert(0, "overrides", by.size())
    found.insert(1, "helped", by["helped"].mean())
    found.insert(3, "error", by["added"].std() * np.sqrt(by.size()))
    found["share"] = found["added"] / found["error_without"]
    return found.drop(columns="error_without").reset_index()
