"""Chapter 4 on Hillstrom's e-mail trial: was it sound, and what did each e-mail do."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from casebook.contracts import check_frame
from casebook.dataset_tables import HILLSTROM
from casebook.experiments import SRM, difference, srm

NO_EMAIL = "No E-Mail"
EMAILS = ("Mens E-Mail", "Womens E-Mail")
OUTCOMES = ("visit", "conversion", "spend")

#: Visit rates in the notebook EDA_Hillstrom of scikit-uplift (commit 0038e65).
PUBLISHED_VISITS: Mapping[str, float] = {NO_EMAIL: 0.1062, "Mens E-Mail": 0.1828, "Womens E-Mail": 0.1514}


def sample_ratio(frame: pd.DataFrame) -> SRM:
    """Test whether the three arms are a third each.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_hillstrom` returns it.

    Returns
    -------
    SRM

    Raises
    ------
    ContractError
        If the frame breaks ``HILLSTROM``.

    Examples
    --------
    What it does with the trial's counts:

    >>> round(srm([21_306, 21_307, 21_387], [1 / 3] * 3).p, 2)
    0.9
    """
    counts = check_frame(frame, HILLSTROM)["arm"].value_counts()
    arms = (NO_EMAIL, *EMAILS)
    return srm([int(counts.get(arm, 0)) for arm in arms], [1 / len(arms)] * len(arms))


def arms(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what each arm did, and by how much either e-mail moved it.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_hillstrom` returns it.

    Returns
    -------
    pandas.DataFrame
        Index ``outcome`` (:data:`OUTCOMES`) and ``arm``: ``customers``, ``mean`` (a share, or dollars of spend),
        ``published`` (visits only), ``difference`` to no e-mail, ``low`` and ``high`` (95%), ``p``.

    Raises
    ------
    ContractError
        If the frame breaks ``HILLSTROM``.

    Examples
    --------
    >>> PUBLISHED_VISITS["Mens E-Mail"]
    0.1828
    """
    table = check_frame(frame, HILLSTROM)
    rows = {(outcome, arm): _arm(table, outcome, arm) for outcome in OUTCOMES for arm in (NO_EMAIL, *EMAILS)}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["outcome", "arm"])


def _arm(table: pd.DataFrame, outcome: str, arm: str) -> dict[str, float]:
    here = table["arm"] == arm
    published = PUBLISHED_VISITS[arm] if outcome == "visit" else np.nan
    facts = {"customers": int(here.sum()), "mean": float(table.loc[here, outcome].mean()), "published": published}
    if arm == NO_EMAIL:
        return facts | dict.fromkeys(("difference", "low", "high", "p"), np.nan)
    two = table[here | (table["arm"] == NO_EMAIL)]
    effect = difference(two[outcome].to_numpy(), (two["arm"] == arm).to_numpy())
    return facts | {"difference": effect.estimate, "low": effect.low, "high": effect.high, "p": effect.p}
