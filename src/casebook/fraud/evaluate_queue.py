"""What a team sees that can look at ``k`` cards a day: how many of them are right, and how many could have been."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.evaluate import labels_and_scores


def card_days(
    card: npt.ArrayLike,
    day: npt.ArrayLike,
    score: npt.ArrayLike,
    y: npt.ArrayLike,
    k: int = 100,
    *,
    drop_found: bool = False,
) -> pd.DataFrame:
    """Return each day's list of the ``k`` most suspicious cards and what was on it.

    A card's score is its highest of the day, and it is fraudulent if one of its events of the day is. Equal scores
    at the end of the list are taken by card number, which says nothing of fraud: ``tied`` counts how many competed.

    Parameters
    ----------
    card, day : array_like of int, shape (n,)
        The card and the day of each event.
    score : array_like, shape (n,)
        The higher the more suspicious.
    y : array_like, shape (n,)
        1 for fraud.
    k : int
        Cards that the team can look at in a day, 1 or more.
    drop_found : bool
        Whether a card that was found fraudulent leaves the later days, as where it is stopped and issued anew.

    Returns
    -------
    pandas.DataFrame
        Index ``day``: ``cards`` (with an event), ``fraud_cards``, ``listed``, ``found``, ``precision`` (found / k: an
        empty seat is a miss), ``ceiling`` (the best that any score could do), ``by_chance`` (of a random list),
        ``tied``.

    Raises
    ------
    ContractError
        Bad labels, a score that is not finite, unequal lengths, k below 1.

    References
    ----------
    Le Borgne, Siblini, Lebichot and Bontempi (2022), Reproducible Machine Learning for Credit Card Fraud Detection,
    chapter 4, whose card precision has ``drop_found=True``.

    Examples
    --------
    >>> card, day = [1, 1, 2, 3, 1, 2], [0, 0, 0, 0, 1, 1]
    >>> table = card_days(card, day, [0.1, 0.9, 0.5, 0.2, 0.8, 0.1], [0, 1, 0, 1, 1, 0], k=1)
    >>> table[["cards", "fraud_cards", "found", "precision", "ceiling"]]
         cards  fraud_cards  found  precision  ceiling
    day
    0        3            2      1        1.0      1.0
    1        2            1      1        1.0      1.0
    """
    if k < 1:
        refuse("k", "1 or more", repr(k), "give the cards that a team can look at in a day")
    labels, scores = labels_and_scores(y, score)
    columns = {"card": np.asarray(card), "day": np.asarray(day)}
    for name, column in columns.items():
        if column.shape != labels.shape:
            refuse(name, f"{len(labels)} rows long, as y is", f"shape {column.shape}", "take both from one table")
    events = pd.DataFrame({**columns, "score": scores, "y": labels})
    daily = events.groupby(["day", "card"], sort=True)[["score", "y"]].max().reset_index()
    rows: dict[object, dict[str, float]] = {}
    found: set[object] = set()
    for when, cards in daily.groupby("day"):
        left = cards[~cards["card"].isin(found)] if drop_found else cards
        rows[when], hits = _list(left, k)
        found.update(hits.tolist())
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("day")


def card_precision(
    card: npt.ArrayLike,
    day: npt.ArrayLike,
    score: npt.ArrayLike,
    y: npt.ArrayLike,
    k: int = 100,
    *,
    drop_found: bool = False,
) -> float:
    """Return the mean over days of the share of fraudulent cards among the ``k`` most suspicious.

    Parameters
    ----------
    card, day, score, y, k, drop_found
        As in :func:`card_days`, whose column ``precision`` is averaged. Read its ``ceiling`` too: with 30 fraudulent
        cards a day no score gets more than 0.3 of 100.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ContractError
        As :func:`card_days`.

    Examples
    --------
    >>> card, day, score, y = [1, 2, 3, 1, 2], [0, 0, 0, 1, 1], [0.9, 0.5, 0.2, 0.8, 0.1], [1, 0, 1, 1, 0]
    >>> card_precision(card, day, score, y, k=2)
    0.5
    >>> card_precision(card, day, score, y, k=2, drop_found=True)
    0.25
    """
    return float(card_days(card, day, score, y, k, drop_found=drop_found)["precision"].mean())


def _list(cards: pd.DataFrame, k: int) -> tuple[dict[str, float], npt.NDArray[np.generic]]:
    """The day's row, and the fraudulent cards that were on its list; cards come in the order of their numbers."""
    score, fraud = cards["score"].to_numpy(dtype=float), cards["y"].to_numpy(dtype=bool)
    listed = np.argsort(-score, kind="stable")[:k]
    last = score[listed[-1]] if len(listed) else np.nan
    competing = int((score == last).sum())
    contested = competing > int((score[listed] == last).sum())
    hits = cards["card"].to_numpy()[listed[fraud[listed]]]
    row = {
        "cards": len(score),
        "fraud_cards": int(fraud.sum()),
        "listed": len(listed),
        "found": len(hits),
        "precision": len(hits) / k,
        "ceiling": min(k, int(fraud.sum())) / k,
        "by_chance": len(listed) / k * float(fraud.mean()) if len(fraud) else 0.0,
        "tied": competing if contested else 0,
    }
    return row, hits
