"""What the claims page of chapter 5 measures and no other page needs: cuts, shares of a gain, days, devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm
from sklearn.base import clone

from casebook.claims import Bounds
from casebook.contracts import BoolArray, FloatArray, refuse, require_columns
from casebook.fraud.dials import draw_world
from casebook.fraud.evaluate import average_precision
from casebook.fraud.evaluate_gap import Gap, precision_gap
from casebook.fraud.feature_spec import FEATURES
from casebook.fraud.holdback_scale import EVENTS_A_DAY, LONGEST, PREVALENCE, Rates, expected_day
from casebook.fraud.model_base import Model
from casebook.fraud.prices import Asking, Prices
from casebook.fraud.stakes import Stakes
from casebook.fraud.tiers import mean_cuts
from casebook.fraud.world import ACTIONS, DAY

GROUPS = {
    "velocity": tuple(name for name in FEATURES if "_count_" in name or "_cents_" in name),
    "geography": ("country_home", "new_country", "travel_kmh"),
    "device": tuple(name for name in FEATURES if "device" in name),
}
"""The three sorts of features that the source names, by ours; a velocity of a device is in two of them."""

POWER = 0.8


def ap_lost(
    model: Model,
    fitted_to: tuple[pd.DataFrame, npt.NDArray[np.int8], float],
    X_test: pd.DataFrame,
    fraud: BoolArray,
    card: npt.NDArray[np.int64],
    rng: np.random.Generator,
    groups: Mapping[str, Sequence[str]] | None = None,
    rounds: int = 60,
) -> tuple[float, dict[str, Gap]]:
    """Return a model's average precision, and what it loses when it is fitted without a group of features.

    Parameters
    ----------
    model : Model
        It is cloned.
    fitted_to : tuple
        As :func:`casebook.fraud.protocol.training` returns it.
    X_test : pandas.DataFrame, shape (m, k)
    fraud : array of bool, shape (m,)
    card : array of int, shape (m,)
    rng : numpy.random.Generator
    groups : mapping, optional
        Names of columns; by default :data:`GROUPS`.
    rounds : int
        Draws of the intervals over cards.

    Raises
    ------
    ContractError
        A column that is not there.
    """
    X, y, kept = fitted_to

    def score(columns: Sequence[str]) -> FloatArray:
        require_columns(X, list(columns), "X")
        fitted = clone(model).fit(X.drop(columns=list(columns)), y, kept)
        return np.asarray(fitted.predict(X_test.drop(columns=list(columns))))

    whole, named = score(()), GROUPS if groups is None else groups
    lost = {name: precision_gap(fraud, whole, score(columns), card, rng, rounds) for name, columns in named.items()}
    return average_precision(fraud, whole), lost


def drawn_costs(stakes: Stakes, n: int, rng: np.random.Generator, p: float = 0.3) -> pd.DataFrame:
    """Draw banks with the same stakes and their own costs and answers, and say what they would do.

    Parameters
    ----------
    stakes : Stakes
        What frauds cost.
    n : int
        Banks, 1 or more.
    rng : numpy.random.Generator
    p : float
        Probability of fraud at which the actions are compared.

    Returns
    -------
    pandas.DataFrame
        One row a bank: ``push``, ``call``, ``block`` (where each action begins, missing where it is never the
        cheapest), and ``cost_allow`` to ``cost_block`` (dollars expected at p).

    Raises
    ------
    ContractError
        No bank, or no probability.

    Examples
    --------
    >>> banks = drawn_costs(Stakes(sale=60.0, loss=170.0, rest=180.0), 5, np.random.default_rng(0))
    >>> bool((banks["push"] < banks["block"]).all()), len(banks)
    (True, 5)
    """
    if n < 1:
        refuse("n", "1 or more", str(n), "draw a few hundred")
    if not 0 <= p <= 1:
        refuse("p", "in [0, 1]", f"{p:g}", "divide percentages by 100")
    rows = []
    for _ in range(n):
        world = draw_world(rng)
        prices = Prices(world.costs, Asking.of(world), stakes)
        table, envelope = prices.mean_table(), mean_cuts(prices)
        cost = (1 - p) * table["if_negative"] + p * table["if_positive"]
        cuts = dict(zip(envelope.actions[1:], envelope.cuts.tolist(), strict=True))
        rows.append(cuts | {f"cost_{name}": float(cost[name]) for name in ACTIONS})
    return pd.DataFrame(rows).reindex(columns=[*ACTIONS[1:], *(f"cost_{name}" for name in ACTIONS)])


def middle(values: npt.ArrayLike, share: float = 0.9) -> Bounds:
    """Return the range that holds the middle share of the values that are there.

    Raises
    ------
    ContractError
        No value.

    Examples
    --------
    >>> [round(end, 2) for end in middle(np.arange(101.0))]
    [5.0, 95.0]
    """
    there = np.asarray(values, float)
    there = there[np.isfinite(there)]
    if len(there) == 0:
        refuse("values", "at least one number", "none", "draw more")
    low, high = np.quantile(there, [(1 - share) / 2, (1 + share) / 2])
    return Bounds(float(low), float(high))


def median_bounds(values: npt.ArrayLike, rng: np.random.Generator, rounds: int = 2_000) -> Bounds:
    """Return the 95% interval of a median, by drawing the values again (Efron 1979).

    Examples
    --------
    >>> bounds = median_bounds(np.arange(25.0), np.random.default_rng(0))
    >>> bounds.low < 12 < bounds.high
    True
    """
    there = np.asarray(values, float)
    drawn = np.median(rng.choice(there, (rounds, len(there))), axis=1)
    return middle(drawn, 0.95)


def rank_bounds(x: npt.ArrayLike, y: npt.ArrayLike, rng: np.random.Generator, rounds: int = 1_000) -> Bounds:
    """Return the 95% interval of the rank correlation of two columns, by drawing the rows again.

    Examples
    --------
    >>> bounds = rank_bounds(np.arange(30), np.arange(30) ** 2, np.random.default_rng(0), 100)
    >>> [round(end, 6) for end in bounds]
    [1.0, 1.0]
    """
    table = pd.DataFrame({"x": np.asarray(x, float), "y": np.asarray(y, float)}).dropna()
    drawn = (table.iloc[rng.integers(len(table), size=len(table))] for _ in range(rounds))
    return middle([float(one["x"].corr(one["y"], method="spearman")) for one in drawn], 0.95)


def tier_shares(worlds: pd.DataFrame) -> pd.DataFrame:
    """Return what each further action adds, as a share of what three cuts save against doing nothing.

    Parameters
    ----------
    worlds : pandas.DataFrame
        Drawn worlds of the study ``05_tiers``.

    Returns
    -------
    pandas.DataFrame
        One row a world in which three cuts save something: ``push`` (what is lost without it, where a bank calls in
        its place), ``third`` (a push beside the block) and ``fourth`` (a call beside both).

    Examples
    --------
    >>> net = {"net_nothing": [100.0], "net_one_cut": [60.0], "net_two_cuts": [52.0], "net_three_cuts": [50.0]}
    >>> tier_shares(pd.DataFrame(net | {"net_without_push": [55.0]})).round(2).iloc[0].tolist()
    [0.1, 0.16, 0.04]
    """
    net = {name: worlds[f"net_{name}"] for name in ("nothing", "one_cut", "two_cuts", "three_cuts", "without_push")}
    gain = net["nothing"] - net["three_cuts"]
    parts = pd.DataFrame(
        {
            "push": (net["without_push"] - net["three_cuts"]) / gain,
            "third": (net["one_cut"] - net["two_cuts"]) / gain,
            "fourth": (net["two_cuts"] - net["three_cuts"]) / gain,
        }
    )
    return parts[gain > 0]


def days_until_seen(
    recall: float, loss: float, share: float, cards: float, curve: pd.DataFrame | None, episode: float = 1.0
) -> float:
    """Return the days until a loss of recall shows in a holdback, at the bank of the prompt.

    Every attempt that is missed is reported, on a card of its own if ``episode`` is 1; with more attempts a card there
    are fewer cards that report. Days beyond a year count as a year.

    Parameters
    ----------
    recall, loss : float
        Recall of the old model, and how much less the new one has.
    share : float
        Of the cards that are held back.
    cards : float
    curve : pandas.DataFrame or None
        Maturity of reports; None: they come at once.
    episode : float
        Missed attempts per reporting card.

    Examples
    --------
    >>> days_until_seen(0.7, 0.02, 0.01, 1e7, None) > days_until_seen(0.7, 0.1, 0.01, 1e7, None)
    True
    """
    if not 0 < loss <= recall <= 1:
        refuse("loss", f"above 0 and at most the recall of {recall:g}", f"{loss:g}", "give both as shares")
    missed = EVENTS_A_DAY * PREVALENCE / cards / episode
    rates = Rates(missed * (1 - recall), missed * (1 - recall + loss))
    day = expected_day(rates, share, cards, curve)
    return float(LONGEST) if np.isnan(day) else day


def visible_rise(expected: float, level: float = 0.95, power: float = POWER) -> float:
    """Return the smallest rise of a Poisson count, as a share, that shows against as long a time before.

    Roots of counts have a standard deviation of one half, whatever the count (Anscombe 1948).

    Examples
    --------
    >>> round(visible_rise(1_600), 3)
    0.102
    """
    if not expected > 0:
        refuse("expected", "above 0", f"{expected:g}", "count over a longer time")
    away = (norm.ppf((1 + level) / 2) + norm.ppf(power)) * np.sqrt(0.5)
    return float((1 + away / np.sqrt(expected)) ** 2 - 1)


def clusters_with_fraud(
    events: pd.DataFrame, fraud: BoolArray, days: tuple[int, int], least: int = 3
) -> tuple[int, float]:
    """Return how many devices so many cards share, and on how many of them there was a fraud.

    Parameters
    ----------
    events : pandas.DataFrame, n rows
        ``at``, ``card_id``, ``device_id`` (negative where none is seen).
    fraud : array of bool, shape (n,)
    days : tuple of int
        First and last day of the window.
    least : int
        Cards on a device from which on it is a cluster.

    Returns
    -------
    tuple of int and float
        The share is missing without a cluster.

    Examples
    --------
    >>> events = pd.DataFrame({"at": [0] * 7, "card_id": [1, 2, 3, 4, 5, 6, 1], "device_id": [9, 9, 9, 8, 8, 8, -1]})
    >>> clusters_with_fraud(events, np.array([True] + [False] * 6), (0, 0))
    (2, 0.5)
    """
    day = events["at"].to_numpy() // DAY
    kept = (day >= days[0]) & (day <= days[1]) & (events["device_id"].to_numpy() >= 0)
    seen = events.loc[kept, ["card_id", "device_id"]].assign(fraud=fraud[kept])
    by_device = seen.groupby("device_id").agg(cards=("card_id", "nunique"), fraud=("fraud", "any"))
    large = by_device[by_device["cards"] >= least]
    return len(large), float(large["fraud"].mean()) if len(large) else float("nan")


def known_after(delay_days: float, days: float, reported: float) -> float:
    """Return the share of frauds that is reported within so many days, for a log-normal delay of the world's spread.

    Examples
    --------
    >>> round(known_after(7.0, 7.0, 0.85), 3), round(known_after(7.0, 42.0, 1.0), 2)
    (0.425, 0.95)
    """
    spread = np.log(6) / norm.ppf(0.95)
    return float(reported * norm.cdf(np.log(days / delay_days) / spread))
