"""A drawn bank at the day on which its policies part: a past without blocks, a model of what it knows, its prices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.decisions import fit_platt, undo_undersampling
from casebook.fraud.branch import Past, play_until
from casebook.fraud.dials import draw_world
from casebook.fraud.in_force import COLUMNS, Score, fit_light, standing_for
from casebook.fraud.labelled import known_labels, sample_rows
from casebook.fraud.money import Ledger, play_policies
from casebook.fraud.policies import Choose, Distorted, Mended, Predicts, by_model
from casebook.fraud.prices import Asking, Prices
from casebook.fraud.recorder import Recorded
from casebook.fraud.stakes import see_stakes
from casebook.fraud.truth import HONEST
from casebook.fraud.world import CHANNELS, DAY, World

CARDS, DAYS, START = 2_000, 80, 50
WINDOW = 36  # days before the start to which the model is fitted
WATCHED = 12  # days before the start on which a curve is fitted, by a model of the days before them
LEAST = 30  # claims that a curve takes


@dataclass(frozen=True)
class Claims:
    """A fitted model behind the interface of all models: the probability that an event will be claimed to be fraud.

    Parameters
    ----------
    score : callable
        From an array of features to scores, fitted to a sample.
    kept : float
        Share of the unclaimed rows that was kept.
    rows, claims : int
        What it was fitted to.
    """

    score: Score
    kept: float
    rows: int
    claims: int

    def predict(self, features: pd.DataFrame) -> npt.NDArray[Any]:
        """Return probabilities, shape (n,)."""
        return undo_undersampling(np.clip(self.score(features.to_numpy()[:, COLUMNS]), 0, 1), self.kept)


@dataclass(frozen=True)
class Unclaimed:
    """A model whose probabilities of a claim are turned into those of a fraud.

    A claim comes of a fraud that is reported, or falls by chance on an honest online event; solved for the fraud.

    Parameters
    ----------
    model : Predicts
        Of claims.
    reported : float
        Share of frauds that are ever reported, as the bank believes.
    false_rate : float
        Share of honest online events that are claimed falsely, as it believes.

    References
    ----------
    Elkan and Noto (2008), Learning classifiers from only positive and unlabeled data, KDD; Natarajan, Dhillon,
    Ravikumar and Tewari (2013), Learning with noisy labels, NIPS.

    Examples
    --------
    >>> class Half:
    ...     def predict(self, features):
    ...         return np.full(len(features), 0.5)
    >>> online = pd.DataFrame({"channel": [CHANNELS.index("terminal"), CHANNELS.index("online")]})
    >>> Unclaimed(Half(), reported=0.8, false_rate=0.1).predict(online).round(3)
    array([0.625, 0.571])
    """

    model: Predicts
    reported: float
    false_rate: float

    def predict(self, features: pd.DataFrame) -> npt.NDArray[Any]:
        """Return probabilities, shape (n,)."""
        false = np.where(features["channel"].to_numpy() == CHANNELS.index("online"), self.false_rate, 0.0)
        return np.clip((self.model.predict(features) - false) / (self.reported - false), 0.0, 1.0)


@dataclass(frozen=True)
class Drawn:
    """A drawn bank at the day from which policies go on.

    Attributes
    ----------
    past : Past
    features : pandas.DataFrame
        Of all events of the past.
    claims : Claims
        The bank's model of claims.
    false_rate : float
        See :func:`false_rate`.
    prices : Prices
        With beliefs that are true over all kinds of fraud together.
    informed : Prices
        With pass shares by entry mode, from what is said of the kinds of the frauds that were reported.
    """

    past: Past
    features: pd.DataFrame
    claims: Claims
    false_rate: float
    prices: Prices
    informed: Prices

    @property
    def model(self) -> Unclaimed:
        """The bank's model of frauds."""
        return self.of_frauds(self.claims)

    def of_frauds(self, claims: Predicts) -> Unclaimed:
        """Return a model of claims as one of frauds, by what the bank believes of claims."""
        return Unclaimed(claims, self.past.world.reported, self.false_rate)


def draw_bank(
    dials: Mapping[str, float], rng: np.random.Generator, cards: int = CARDS, days: int = DAYS, start: int = START
) -> Drawn:
    """Draw a bank, let it allow all until the start, and fit its model to what it knows then.

    Parameters
    ----------
    dials : mapping of str to float
        Those that name a setting of :class:`casebook.fraud.world.World` take the place of what is drawn.
    rng : numpy.random.Generator
    cards, days, start : int

    Returns
    -------
    Drawn
    """
    own = {name: value for name, value in dials.items() if name in World.__dataclass_fields__}
    world = replace(draw_world(rng), **own)  # type: ignore[arg-type]
    recorder = Recorded()
    past = play_until(world, cards, days, np.random.default_rng(rng.integers(2**62)), recorder, day=start)
    claims = fit_claims(past, recorder.features, range(start - WINDOW, start), rng)
    stakes = see_stakes(past.tables, start * DAY, world.costs, reported=world.reported, false_claims=world.false_claims)
    prices = Prices(world.costs, Asking.of(world), stakes)
    informed = replace(prices, asking=prices.asking.learned(world, told_cases(past)))
    return Drawn(past, recorder.features, claims, false_rate(past), prices, informed)


def false_rate(past: Past) -> float:
    """Return the share of online events that will be claimed falsely, of a bank that knows which share of claims is.

    Claims that are still to come are added by their ages, as in :func:`fit_claims`.
    """
    now, first = past.day * DAY, (past.day - WINDOW) * DAY
    events = past.tables["events"]
    claims = past.tables["reports"]["event_id"].to_numpy()
    recent = claims[events["at"].to_numpy()[claims] >= first]
    expected = past.world.false_claims * standing_for(past.tables, now, recent).sum()
    online = (events["channel"] == "online").to_numpy() & (events["at"].to_numpy() >= first)
    return float(min(expected / max(online.sum(), 1), past.world.reported / 2))


def told_cases(past: Past) -> pd.DataFrame:
    """Return kind and entry mode of the claims, as the bank tells its scheme: a false one as card-not-present fraud."""
    rows = past.tables["reports"]["event_id"].to_numpy()
    kind = past.truth.events["kind"].iloc[rows].astype(str).replace(HONEST, "card_not_present").to_numpy()
    return pd.DataFrame({"kind": kind, "entry": past.tables["events"]["entry"].iloc[rows].to_numpy()})


def play_chosen(drawn: Drawn, chosen: Mapping[str, tuple[Predicts, Choose]]) -> Ledger:
    """Play ways of choosing, those that are equal once.

    Parameters
    ----------
    drawn : Drawn
    chosen : mapping of str to (Predicts, callable)

    Returns
    -------
    casebook.fraud.money.Ledger
        A row for every name.
    """
    first: dict[str, str] = {}
    for name, pair in chosen.items():
        first[name] = next((other for other in first if chosen[other] == pair), name)
    played = play_policies(drawn.past, {name: by_model(*chosen[name]) for name in dict.fromkeys(first.values())})
    names = {"nothing": "nothing", **first, "oracle": "oracle"}
    table, daily = played.table.loc[list(names.values())], played.daily[list(names.values())]
    return Ledger(table.set_axis(list(names)), daily.set_axis(list(names), axis=1), played.events)


def fit_claims(past: Past, features: pd.DataFrame, days: range, rng: np.random.Generator) -> Claims:
    """Fit a few trees to what is claimed by now of some days' events; a claim stands for those of its age to come.

    As :func:`casebook.fraud.in_force.fit_known`, which takes all days up to now.
    """
    now = past.day * DAY
    y = known_labels(past.tables, now, first_day=days[0], last_day=days[-1])
    sample = sample_rows(y, rng)
    ids, claimed = y.index.to_numpy()[sample.rows], (y.iloc[sample.rows] == 1).to_numpy(dtype=bool)
    weight = np.where(claimed, standing_for(past.tables, now, ids), 1.0)
    score = fit_light(features.to_numpy()[ids][:, COLUMNS], claimed, weight, rng)
    return Claims(score, sample.kept, len(ids), int(claimed.sum()))


def mend(drawn: Drawn, odds: float) -> Predicts:
    """Return the bank's model with its odds distorted, behind a curve fitted to later days than its model has seen.

    A model of the earlier days, distorted likewise, is held against the claims of the last ``WATCHED`` days; those
    still to come are added by repeating the known ones. With fewer than ``LEAST`` claims a Platt curve is noise, and
    the odds are moved by one factor: expected claims over promised ones.

    Parameters
    ----------
    drawn : Drawn
    odds : float
    """
    past, rng = drawn.past, np.random.default_rng(0)
    now, cut = past.day * DAY, past.day - WATCHED
    early = Distorted(fit_claims(past, drawn.features, range(past.day - WINDOW, cut), rng), odds)
    y = known_labels(past.tables, now, first_day=cut)
    claimed = (y == 1).to_numpy(dtype=bool)
    promised = early.predict(drawn.features.loc[y.index])
    stands = np.where(claimed, standing_for(past.tables, now, y.index.to_numpy()), 1.0)
    off = Distorted(drawn.claims, odds)
    if claimed.sum() < LEAST:
        return Distorted(off, float(max(stands[claimed].sum(), 1.0) / promised.sum()))
    times = np.floor(stands + rng.random(len(stands))).astype(np.int64)
    return Mended(off, fit_platt(np.repeat(claimed, times), np.repeat(promised, times)))
