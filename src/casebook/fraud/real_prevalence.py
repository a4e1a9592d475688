"""Why average precision falls sevenfold from a simulator to a bank, and why card precision seems not to.

The handbook prints both for simulated and for real transactions. Only its simulated data can be had, so the ROC is
ours and the real numbers are its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.evaluate import average_precision
from casebook.fraud.evaluate_queue import card_days
from casebook.fraud.real import Scored


@dataclass(frozen=True)
class Fall:
    """A model's printed numbers on simulated and on real transactions.

    Attributes
    ----------
    ap, ap_real : average precision.
    cp, cp_real : card precision at 100.
    """

    ap: float
    ap_real: float
    cp: float
    cp_real: float


#: Chapter 7 of the handbook, tuned models, means of four test weeks: simulated, then Worldline's e-commerce in Belgium.
PUBLISHED_FALL: Mapping[str, Fall] = {
    "logistic regression": Fall(ap=0.623, ap_real=0.054, cp=0.297, cp_real=0.211),
    "random forest": Fall(ap=0.678, ap_real=0.080, cp=0.299, cp_real=0.227),
    "boosting": Fall(ap=0.687, ap_real=0.095, cp=0.303, cp_real=0.235),
}

#: Of the real transactions: about 1,000 frauds among 400,000 a day (handbook, chapter 3, real-world data).
REAL_PREVALENCE = 0.0025

#: Cards with a fraud on a day of the real transactions: "slightly above 300" (the same page).
REAL_FRAUD_CARDS = 300


def prevalence_part(
    scored: Scored, prevalence: float = REAL_PREVALENCE, raw: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Say how much of the fall of average precision the rarer fraud explains, the ROC held fixed.

    The fall is a product: what fewer frauds do at the same ROC, times what a worse ROC does. ``share`` is the first
    one's logarithm over that of both. It is low where a simulator's ROC starts steeply: frauds that no honest event
    resembles are found before the first false alarm, and among those the mix does not matter. Read at another ROC it
    could be more, but no ROC loses more than the ratio of the odds of fraud (``most``): precision at a cut is
    odds * recall / (odds * recall + fpr), which falls by less than the odds do. So ``share_most`` bounds it.

    Parameters
    ----------
    scored : Scored
        As :func:`casebook.fraud.real.handbook_scores` returns it, with a model of :data:`PUBLISHED_FALL`.
    prevalence : float
        That of the real transactions.
    raw : pandas.DataFrame, optional
        All events of the test days, also of cards known by then: what the real share was counted on. The odds fall
        from these, as if known cards thinned out both sets alike. By default the scored ones.

    Returns
    -------
    pandas.DataFrame
        Index ``model``: ``prevalence`` of our test week, ``ap``, ``ap_at_real`` (ours, read at the real prevalence),
        ``by_prevalence`` (``ap / ap_at_real``), ``ap_published``, ``ap_real`` and ``fall`` (their ratio), ``share``,
        ``most``, ``share_most``.

    Raises
    ------
    ContractError
        No model in common, a prevalence outside (0, 1).
    """
    rows = {}
    y = scored.test["fraud"].to_numpy()
    share = float((scored.test if raw is None else raw)["fraud"].mean())
    most = share / (1 - share) * (1 - prevalence) / prevalence
    odds = y.mean() / (1 - y.mean()) / most
    for name, fall in _common(scored).items():
        p = scored.score[name].to_numpy()
        ours, moved = average_precision(y, p), average_precision(y, p, prevalence=odds / (1 + odds))
        rows[name] = {
            "prevalence": y.mean(),
            "ap": ours,
            "ap_at_real": moved,
            "by_prevalence": ours / moved,
            "ap_published": fall.ap,
            "ap_real": fall.ap_real,
            "fall": fall.ap / fall.ap_real,
            "share": np.log(ours / moved) / np.log(fall.ap / fall.ap_real),
            "most": most,
            "share_most": np.log(most) / np.log(fall.ap / fall.ap_real),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def queue_part(
    scored: Scored, k: int = 100, fraud_cards: float = REAL_FRAUD_CARDS, raw: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Put card precision beside what it could have been, and beside the share of fraudulent cards that it means.

    A list of ``k`` cards cannot hold more fraudulent cards than there are, nor find more than ``k`` of them. So the
    same card precision is a good list where few cards are fraudulent and a poor one where many are.

    Parameters
    ----------
    scored : Scored
        As in :func:`prevalence_part`.
    k : int
        Cards on the day's list; the printed numbers are for 100.
    fraud_cards : float
        Cards with a fraud on a day of the real transactions, known ones among them.
    raw : pandas.DataFrame, optional
        As in :func:`prevalence_part`: then ``found`` is of all cards with a fraud on the day, as it is for the real
        ones. By default of those that are left.

    Returns
    -------
    pandas.DataFrame
        Index ``model``. Simulated: ``cp`` (ours, found cards leave), ``ceiling`` (the best possible on the same days),
        ``fraud_cards`` (a day, those that are left), ``all_fraud_cards`` (with the known ones), ``found`` (share of
        them on the list). Printed for the real transactions: ``cp_real``, ``ceiling_real``, ``found_real``.
        ``cp_fall`` and ``found_fall``: ratios.

    Raises
    ------
    ContractError
        No model in common, k below 1.
    """
    rows, test = {}, scored.test
    for name, fall in _common(scored).items():
        days = card_days(test["card_id"], test["day"], scored.score[name], test["fraud"], k, drop_found=True)
        cp = float(days["precision"].mean())
        found = float(days["found"].sum() / days["fraud_cards"].sum()) if raw is None else cp * k / _fraud_cards(raw)
        found_real = min(1.0, fall.cp_real * k / fraud_cards)
        rows[name] = {
            "cp": cp,
            "ceiling": float(days["ceiling"].mean()),
            "fraud_cards": float(days["fraud_cards"].mean()),
            "all_fraud_cards": np.nan if raw is None else _fraud_cards(raw),
            "found": found,
            "cp_real": fall.cp_real,
            "ceiling_real": min(k, fraud_cards) / k,
            "found_real": found_real,
            "cp_fall": cp / fall.cp_real,
            "found_fall": found / found_real,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("model")


def _fraud_cards(raw: pd.DataFrame) -> float:
    """Return the cards with a fraud on a mean day."""
    return float(raw[raw["fraud"] == 1].groupby("day")["card_id"].nunique().mean())


def _common(scored: Scored) -> dict[str, Fall]:
    common = {name: fall for name, fall in PUBLISHED_FALL.items() if name in scored.score}
    if not common:
        got = ", ".join(map(str, scored.score.columns))
        refuse("scored", f"scores of one of {', '.join(PUBLISHED_FALL)}", got, "fit one of these")
    return common
