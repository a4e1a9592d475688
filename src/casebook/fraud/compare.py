"""Every model on the same test days: how it ranks, whether its probabilities hold, and what it takes to run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import clone

from casebook.contracts import BoolArray, FloatArray, refuse, require_columns
from casebook.decisions import calibration_error
from casebook.fraud.evaluate import bands
from casebook.fraud.evaluate_gap import precision_gap
from casebook.fraud.evaluate_groups import LEAST, TOO_FEW, by_group, by_kind
from casebook.fraud.model_base import Model

TEST_COLUMNS = ("fraud", "kind", "channel", "card_id", "day")


@dataclass(frozen=True, eq=False)
class Scores:
    """What models say of the test events.

    Attributes
    ----------
    score : one column a model, indexed as the test's features.
    cost : index ``model``: ``fit_seconds``, ``seconds_per_million`` (events scored), ``is_probability``.
    fitted : model -> the fitted one.
    """

    score: pd.DataFrame
    cost: pd.DataFrame
    fitted: dict[str, Model]


def score_all(
    models: Mapping[str, Model], X: pd.DataFrame, y: npt.ArrayLike, X_test: pd.DataFrame, keep: float = 1.0
) -> Scores:
    """Fit models to the same rows and score the same events.

    Parameters
    ----------
    models : mapping of str to a model
        They are cloned; the ones you pass stay unfitted.
    X : pandas.DataFrame, shape (n, k)
        Rows in the order of time.
    y : array_like, shape (n,)
        1 for a fraud that was known by the fit.
    X_test : pandas.DataFrame, shape (m, k)
    keep : float
        Share of the rows without fraud that are in X.

    Returns
    -------
    Scores

    Raises
    ------
    ContractError
        No model, or as the models' own ``fit`` and ``predict``.

    Examples
    --------
    >>> from casebook.fraud.models import LogisticModel
    >>> X = pd.DataFrame({"amount_cents": [100.0, 90_000, 120, 80, 70_000, 300]})
    >>> scores = score_all({"logistic": LogisticModel()}, X, [0, 1, 0, 0, 1, 0], X.iloc[:2])
    >>> scores.score.round(2)
       logistic
    0      0.13
    1      0.71
    """
    if not models:
        refuse("models", "at least one", "none", "pass a name and a model for each")
    score, cost, fitted = {}, {}, {}
    for name, model in models.items():
        learner = clone(model)
        fit_seconds, fitted[name] = timed(learner.fit, X, y, keep)
        seconds, score[name] = timed(learner.predict, X_test)
        cost[name] = {
            "fit_seconds": fit_seconds,
            "seconds_per_million": seconds / len(X_test) * 1e6,
            "is_probability": learner.is_probability,
        }
    table = pd.DataFrame.from_dict(cost, orient="index").rename_axis("model")
    return Scores(pd.DataFrame(score, index=X_test.index), table, fitted)


def comparison(scores: Scores, test: pd.DataFrame, k: int = 100, least: int = LEAST) -> pd.DataFrame:
    """Measure every model overall, in each channel, and on each kind of fraud.

    A kind is held against all honest events, and its card precision is the share of the one daily list that is of
    that kind, so that the kinds' add up to that of "all" where no card has two in a day; a channel has a list of its
    own. ``promised`` is of all rows of the group: beside a kind it would say nothing and is left out.

    Parameters
    ----------
    scores : Scores
    test : pandas.DataFrame
        Row by row as ``scores.score``: ``fraud``, ``kind``, ``channel``, ``card_id``, ``day``.
    k : int
        Cards that a team can look at in a day.
    least : int
        Frauds below which a row reads "too few".

    Returns
    -------
    pandas.DataFrame
        Index ``model``, ``by`` ("all", "channel", "kind"), ``group``. Columns of
        :func:`casebook.fraud.evaluate_groups.by_group` (``n``, ``frauds``, ``prevalence``, ``ap``, ``lift``, ``auc``,
        ``recall_at_0.01``, ``recall_at_0.001``, ``note``), ``card_precision`` and its ``ceiling``; of probabilities
        ``promised`` (frauds) and, where there are enough, ``calibration_error`` and ``bands_hold`` (such as "5 of 7",
        see :func:`casebook.fraud.evaluate.bands`); ``fit_seconds`` and ``seconds_per_million``.

    Raises
    ------
    ContractError
        A missing column, unequal lengths, labels or scores that are none.
    """
    require_columns(test, list(TEST_COLUMNS), "test")
    if len(test) != len(scores.score):
        refuse("test", f"{len(scores.score)} rows long, as the scores are", f"{len(test)} rows", "take the same events")
    parts, words = [], test[list(TEST_COLUMNS)].astype({"kind": "category", "channel": "category"})
    for name in scores.score:
        order = np.argsort(-scores.score[name].to_numpy(), kind="stable")  # sorted once, it is sorted fast ever after
        events = words.take(order).reset_index(drop=True)
        events["score"] = scores.score[name].to_numpy()[order]
        is_probability = bool(scores.cost["is_probability"][str(name)])
        parts.append(_of_model(str(name), events, is_probability, k, least))
    table = pd.concat(parts).set_index(["model", "by", "group"])
    return table.join(scores.cost[["fit_seconds", "seconds_per_million"]], on="model")


def gaps(scores: Scores, test: pd.DataFrame, against: str, rng: np.random.Generator, rounds: int = 200) -> pd.DataFrame:
    """Return how much less average precision each model has than one of them, with a 95% interval over cards.

    Parameters
    ----------
    scores, test
        As in :func:`comparison`.
    against : str
        The model that the others are held against.
    rng : numpy.random.Generator
    rounds : int

    Returns
    -------
    pandas.DataFrame
        Index ``model``: ``gap`` (of ``against`` less that of the model), ``low``, ``high``.

    Raises
    ------
    ContractError
        A model that is not there, or as :func:`casebook.fraud.evaluate_gap.precision_gap`.
    """
    if against not in scores.score:
        refuse("against", f"one of {', '.join(map(repr, scores.score))}", repr(against), "correct the name")
    best, rows = scores.score[against].to_numpy(), {}
    for name in scores.score:
        if name != against:
            other = scores.score[name].to_numpy()
            found = precision_gap(test["fraud"].to_numpy(), best, other, test["card_id"].to_numpy(), rng, rounds)
            rows[str(name)] = {"gap": found.gap, "low": found.low, "high": found.high}
    return pd.DataFrame.from_dict(rows, orient="index", columns=["gap", "low", "high"]).rename_axis("model")


def listed(card: npt.ArrayLike, day: npt.ArrayLike, score: npt.ArrayLike, k: int) -> pd.DataFrame:
    """Return the ``k`` most suspicious cards of each day, equal scores by card number.

    The list of :func:`casebook.fraud.evaluate_queue.card_days`, by one sort and without a table of all cards.

    Returns
    -------
    pandas.DataFrame
        ``day``, ``card_id``; at most k rows a day.

    Examples
    --------
    >>> listed([1, 1, 2, 3], [0, 0, 0, 0], [0.1, 0.9, 0.5, 0.2], k=2)["card_id"].tolist()
    [1, 2]
    """
    rows = pd.DataFrame({"day": np.asarray(day), "card_id": np.asarray(card)})
    order = np.lexsort((rows["card_id"], -np.asarray(score, dtype=float), rows["day"]))
    first = rows.take(order).drop_duplicates()
    return first[first.groupby("day").cumcount() < k].reset_index(drop=True)


def _of_model(name: str, events: pd.DataFrame, is_probability: bool, k: int, least: int) -> pd.DataFrame:
    fraud, score = events["fraud"].to_numpy(dtype=bool), events["score"].to_numpy()
    channels = by_group(fraud, score, events["channel"], least=least).assign(by="channel")
    kinds = by_kind(fraud, score, events["kind"], least=least).iloc[1:].assign(by="kind")
    channels.loc["all", "by"] = "all"
    table = pd.concat([channels, kinds]).rename_axis("group").reset_index()
    cards = listed(events["card_id"], events["day"], score, k)
    extra = [*_channel_extras(events, cards, is_probability, k, least), *_kind_extras(events, cards, k)]
    return pd.concat([table, pd.DataFrame(extra)], axis=1).assign(model=name)


def _channel_extras(
    events: pd.DataFrame, cards: pd.DataFrame, is_probability: bool, k: int, least: int
) -> Iterator[dict[str, Any]]:
    """Queue and calibration of all events, then of each channel, in the order of ``by_group``."""
    groups = [events, *(part for _, part in events.groupby("channel", observed=True))]
    for part in groups:
        fraud, score = part["fraud"].to_numpy(dtype=bool), part["score"].to_numpy()
        own = cards if part is events else listed(part["card_id"], part["day"], score, k)
        yield _queue(part[fraud], own, part["day"].nunique(), k) | (
            _calibration(fraud, score, least) if is_probability else {}
        )


def _kind_extras(events: pd.DataFrame, cards: pd.DataFrame, k: int) -> Iterator[dict[str, Any]]:
    """Queue of each kind, in the order of ``by_kind``."""
    frauds = events[events["fraud"].to_numpy(dtype=bool)]
    days = events["day"].nunique()
    for kind in sorted(frauds["kind"].astype(object).unique(), key=str):
        yield _queue(frauds[(frauds["kind"] == kind).to_numpy()], cards, days, k)


def _queue(frauds: pd.DataFrame, cards: pd.DataFrame, days: int, k: int) -> dict[str, Any]:
    bad = frauds[["day", "card_id"]].drop_duplicates()
    found = len(bad.merge(cards, on=["day", "card_id"]))
    most = int(bad.groupby("day").size().clip(upper=k).sum())
    return {"card_precision": found / (k * days), "ceiling": most / (k * days)}


def _calibration(fraud: BoolArray, p: FloatArray, least: int) -> dict[str, Any]:
    row: dict[str, Any] = {"promised": float(p.sum())}
    if fraud.sum() < least:
        return row | {"bands_hold": TOO_FEW}
    holds = bands(fraud, p)["holds"]
    return row | {"calibration_error": calibration_error(fraud, p), "bands_hold": f"{int(holds.sum())} of {len(holds)}"}


def timed(work: Callable[..., Any], *what: Any) -> tuple[float, Any]:
    """Return the seconds that a call takes, and what it returns."""
    begin = time.perf_counter()
    result = work(*what)
    return time.perf_counter() - begin, result
