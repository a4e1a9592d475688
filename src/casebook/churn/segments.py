"""How many a call saves in each segment of a small pilot: raw, pooled, shrunk in closed form, and by a Bayesian model.

With a dozen leavers a cell the raw differences are mostly luck, and the best-looking segment is the luckiest. Partial
pooling draws each segment towards the common effect by as much as the cells differ by more than luck.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.churn.segment_model import Posterior, arms
from casebook.churn.world import PLANS
from casebook.contracts import as_labels, require_columns, require_length

__all__ = ["KEYS", "root_mean_square", "segment_counts", "segment_names", "segment_table", "shrink_effects"]

Floats = npt.NDArray[np.float64]
KEYS = ("plan", "term", "price_signal", "how_to")


def segment_names(features: pd.DataFrame) -> pd.DataFrame:
    """Return the four keys of each subscriber's segment, from point-in-time features.

    Parameters
    ----------
    features : pandas.DataFrame
        With ``price``, ``is_annual``, ``pricing_views_28d`` and ``how_to_tickets_180d``.

    Returns
    -------
    pandas.DataFrame
        ``plan`` (by its price), ``term``, ``price_signal`` (looked at prices in the last four weeks) and ``how_to``
        (asked how something works in the last half year), as words, on the same index.

    Examples
    --------
    >>> one = {"price": [180.0], "is_annual": [0.0], "pricing_views_28d": [2.0], "how_to_tickets_180d": [0.0]}
    >>> segment_names(pd.DataFrame(one)).iloc[0].tolist()
    ['team', 'monthly', 'priced', 'quiet']
    """
    require_columns(features, ["price", "is_annual", "pricing_views_28d", "how_to_tickets_180d"], "features")
    plans = {price: plan for plan, (price, _) in PLANS.items()}
    keys = {
        "plan": features["price"].map(plans),
        "term": np.where(features["is_annual"] > 0, "annual", "monthly"),
        "price_signal": np.where(features["pricing_views_28d"] > 0, "priced", "not priced"),
        "how_to": np.where(features["how_to_tickets_180d"] > 0, "asked", "quiet"),
    }
    return pd.DataFrame(keys, index=features.index)


def segment_counts(
    segments: pd.DataFrame, called: npt.ArrayLike, left: npt.ArrayLike, uplift: npt.ArrayLike | None = None
) -> pd.DataFrame:
    """Return each segment's counts in both arms of a randomised pilot.

    Parameters
    ----------
    segments : pandas.DataFrame, shape (n, k)
        The keys of each row's segment, such as those of :func:`segment_names`.
    called, left : array_like of bool, shape (n,)
        Assigned to a call; left within the month.
    uplift : array_like of float, shape (n,), optional
        The truth, where it is known.

    Returns
    -------
    pandas.DataFrame
        Index the segment's keys joined by a comma, in the order of the keys; ``n_called``, ``left_called``,
        ``n_control``, ``left_control`` and, if given, ``truth``. Segments without both arms are left out.

    Examples
    --------
    >>> plans = pd.DataFrame({"plan": ["a", "a", "a", "b"]})
    >>> segment_counts(plans, [1, 1, 0, 1], [0, 1, 1, 0]).to_dict("index")
    {'a': {'n_called': 2, 'left_called': 1, 'n_control': 1, 'left_control': 1}}
    """
    treated, gone = as_labels(called, "called"), as_labels(left, "left")
    require_length(treated, len(segments), "called")
    require_length(gone, len(segments), "left")
    columns = {
        "n_called": treated,
        "left_called": treated & gone,
        "n_control": ~treated,
        "left_control": ~treated & gone,
    }
    frame = pd.DataFrame({name: flags.astype(int) for name, flags in columns.items()})
    frame.index = pd.Index(segments.astype(str).agg(", ".join, axis=1), name="segment")
    counts = frame.groupby(level=0).sum()
    if uplift is not None:
        counts["truth"] = pd.Series(np.asarray(uplift, dtype=float), index=frame.index).groupby(level=0).mean()
    return counts[(counts["n_called"] > 0) & (counts["n_control"] > 0)]


def shrink_effects(counts: pd.DataFrame) -> pd.DataFrame:
    """Return the share that a call saves in each segment: raw, pooled, and shrunk by empirical Bayes.

    The variance between segments is that of DerSimonian and Laird: what Cochran's Q exceeds its degrees of freedom
    by, not below zero. A segment's luck is judged from the leavers of both arms together, so that a lucky arm
    does not also look precise.

    Parameters
    ----------
    counts : pandas.DataFrame
        From :func:`segment_counts`.

    Returns
    -------
    pandas.DataFrame
        Index as ``counts``; ``n``, ``events`` (leavers), ``raw``, ``se``, ``pooled``, ``eb``, and ``truth`` if given.
        ``attrs["tau"]`` is the standard deviation between segments.

    Raises
    ------
    ContractError
        A column is missing, an arm is empty, or there are more leavers than rows.

    References
    ----------
    DerSimonian and Laird (1986), Controlled Clinical Trials 7(3); Morris (1983), JASA 78(381), for the shrinkage.

    Examples
    --------
    >>> cells = {"n_called": [100, 100], "left_called": [2, 4], "n_control": [100, 100], "left_control": [6, 4]}
    >>> shrink_effects(pd.DataFrame(cells))[["raw", "pooled", "eb"]].round(3).to_numpy().tolist()
    [[0.04, 0.02, 0.02], [0.0, 0.02, 0.02]]
    """
    n1, k1, n0, k0 = arms(counts)
    raw = k0 / n0 - k1 / n1
    rate = (k0 + k1 + 0.5) / (n0 + n1 + 1)
    variance = rate * (1 - rate) * (1 / n0 + 1 / n1)
    tau2 = _between(raw, variance)
    weight = 1 / (variance + tau2)
    centre = (weight @ raw) / weight.sum()
    table = pd.DataFrame({"n": n0 + n1, "events": k0 + k1, "raw": raw, "se": np.sqrt(variance)}, index=counts.index)
    table = table.astype({"n": int, "events": int})
    table["pooled"] = (raw / variance).sum() / (1 / variance).sum()
    table["eb"] = centre + tau2 / (tau2 + variance) * (raw - centre)
    if "truth" in counts:
        table["truth"] = counts["truth"]
    table.attrs["tau"] = float(np.sqrt(tau2))
    return table


def _between(raw: Floats, variance: Floats) -> float:
    weight = 1 / variance
    spread = weight @ (raw - (weight @ raw) / weight.sum()) ** 2
    room = weight.sum() - (weight @ weight) / weight.sum()
    return float(max(0.0, (spread - (len(raw) - 1)) / room)) if len(raw) > 1 else 0.0


def segment_table(counts: pd.DataFrame, posterior: Posterior | None = None) -> pd.DataFrame:
    """Return all estimates of each segment beside each other, the segments with most rows first.

    Parameters
    ----------
    counts : pandas.DataFrame
        From :func:`segment_counts`.
    posterior : Posterior, optional
        From :func:`casebook.churn.segment_model.partial_pooling`.

    Returns
    -------
    pandas.DataFrame
        The columns of :func:`shrink_effects` and, if given, those of ``posterior.table``.
    """
    table = shrink_effects(counts)
    tau = table.attrs["tau"]  # joins drop it
    if posterior is not None:
        table = table.join(posterior.table)
    table = table.sort_values("n", ascending=False, kind="stable")
    table.attrs["tau"] = tau
    return table


def root_mean_square(table: pd.DataFrame, weights: Sequence[float] | None = None) -> pd.Series:
    """Return each estimate's root mean squared error against ``truth``, over segments.

    Parameters
    ----------
    table : pandas.DataFrame
        From :func:`segment_table`, with ``truth``.
    weights : sequence of float, optional
        By default every segment counts alike.
    """
    require_columns(table, ["truth"], "table")
    estimates = [name for name in ("raw", "pooled", "eb", "posterior") if name in table]
    error = table[estimates].sub(table["truth"], axis=0) ** 2
    return pd.Series(np.sqrt(np.average(error, axis=0, weights=weights)), index=estimates)
