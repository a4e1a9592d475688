"""Policies for a world: a model's probabilities, an action for each of them, and perhaps the rules in force."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import as_probabilities, labels_and_probabilities, refuse
from casebook.decisions import PlattCalibrator
from casebook.fraud.day_features import Decide
from casebook.fraud.evaluate import cut_at_fpr
from casebook.fraud.morning import Morning, Policy
from casebook.fraud.outcomes import BLOCK
from casebook.fraud.prices import Prices
from casebook.fraud.tiers import JUNIOR, ONE_CUT, SOURCE, TWO_CUTS, WITHOUT_PUSH, LeastCost, Tiers, mean_cuts

Probabilities = npt.NDArray[np.float64]
Choose = Callable[[Probabilities, pd.DataFrame], npt.NDArray[np.int8]]


class Predicts(Protocol):
    """Whatever gives a probability of fraud for each row of features."""

    def predict(self, features: pd.DataFrame) -> npt.NDArray[Any]:
        """Return probabilities, shape (n,)."""
        ...


def by_model(model: Predicts, choose: Choose, rules: Policy | None = None) -> Decide:
    """Return a function for :func:`casebook.fraud.day_features.with_features` that acts on a model's probabilities.

    Parameters
    ----------
    model : Predicts
        Such as those of :mod:`casebook.fraud.models`.
    choose : callable
        From probabilities, shape (n,), and the day's events to codes into ``ACTIONS``, such as
        :class:`casebook.fraud.tiers.Tiers` and :class:`casebook.fraud.tiers.LeastCost`.
    rules : callable, optional
        A policy beside it; of the two actions the one with more friction counts.

    Examples
    --------
    >>> from casebook.fraud.branch import play_until
    >>> from casebook.fraud.world import World
    >>> class Amount:
    ...     def predict(self, features):
    ...         return np.minimum(features["amount_cents"].to_numpy() / 1e5, 1)
    >>> past = play_until(World(prevalence=0.01), 300, 12, np.random.default_rng(0), day=8)
    >>> run = past.go_on(past.featured(by_model(Amount(), JUNIOR)))
    >>> bool(run.money["blocked_dollars"].sum() > 0)
    True
    """

    def decide(morning: Morning, features: pd.DataFrame) -> npt.NDArray[Any]:
        action = choose(model.predict(features), morning.events)
        return action if rules is None else np.maximum(action, rules(morning))

    return decide


def oracle(morning: Morning) -> npt.NDArray[np.int8]:
    """Block every attempt and nothing else; for a branch with ``sees_truth=True``.

    Examples
    --------
    >>> from casebook.fraud.branch import play_until
    >>> from casebook.fraud.world import World
    >>> past = play_until(World(prevalence=0.01), 300, 12, np.random.default_rng(0), day=8)
    >>> float(past.go_on(oracle, sees_truth=True).money["loss"].sum())
    0.0
    """
    if morning.fraud is None:
        refuse("oracle", "in force where sees_truth=True", "a morning without the truth", "pass it to go_on")
    return np.where(morning.fraud, BLOCK, 0).astype(np.int8)


def choices(prices: Prices) -> dict[str, Choose]:
    """Return the ways of choosing that the chapter compares, by name.

    ``junior`` blocks above one half; ``source`` cuts at 0.01, 0.5 and 0.9; ``one cut``, ``two cuts``, ``three cuts``
    and ``without push`` have the cuts that the bank's prices give at the mean loss, with the actions they name;
    ``push only`` has no block; ``per amount`` has all four actions at each event's own amount.

    Examples
    --------
    >>> from casebook.fraud.prices import Asking
    >>> from casebook.fraud.stakes import Stakes
    >>> from casebook.fraud.world import Friction
    >>> prices = Prices(Friction(), Asking(), Stakes(sale=60.0, loss=170.0, rest=180.0))
    >>> round(choices(prices)["one cut"].block, 3)
    0.043
    """
    means = {"one cut": ONE_CUT, "two cuts": TWO_CUTS, "without push": WITHOUT_PUSH, "push only": ("allow", "push")}
    return {
        "junior": JUNIOR,
        "source": SOURCE,
        **{name: Tiers.of(mean_cuts(prices, among)) for name, among in means.items()},
        "three cuts": Tiers.of(mean_cuts(prices)),
        "per amount": LeastCost(prices),
    }


def cut_for_fpr(y: npt.ArrayLike, p: npt.ArrayLike, fpr: float = 0.01) -> Tiers:
    """Return the one cut that spends the guardrail: it blocks as many honest past events as it allows.

    Parameters
    ----------
    y, p, fpr
        As in :func:`casebook.fraud.evaluate.cut_at_fpr`.

    Examples
    --------
    >>> p = np.linspace(0, 1, 1_000)
    >>> cut = cut_for_fpr(p == 1, p, fpr=0.01)
    >>> int((cut(p) > 0).sum())  # nine honest events and the fraud
    10
    """
    return Tiers(block=cut_at_fpr(y, p, fpr))


def cut_for_ratio(
    y: npt.ArrayLike, p: npt.ArrayLike, dollars: npt.ArrayLike, friction: npt.ArrayLike, least: int = 1
) -> Tiers:
    """Return the one cut with the most dollars of fraud blocked per dollar of friction on past events.

    Parameters
    ----------
    y, p : array_like, shape (n,)
        Labels, and probabilities by which to block.
    dollars, friction : array_like, shape (n,)
        Amount of each event, and what its block costs if it is honest.
    least : int
        Frauds that the cut must block.

    Returns
    -------
    Tiers
        Of equal ratios, such as those of cuts without an honest event above them, the one that blocks least.

    Examples
    --------
    >>> cut_for_ratio([1, 0, 1, 0], [0.9, 0.8, 0.7, 0.1], [100, 50, 500, 20], [10, 10, 10, 10]).block
    0.8
    >>> cut_for_ratio([1, 0, 1, 0], [0.9, 0.5, 0.7, 0.1], [100, 50, 500, 20], [10, 10, 10, 10], least=2).block
    0.5
    """
    labels, probabilities = labels_and_probabilities(y, p)
    if not 1 <= least <= labels.sum():
        got = f"{least} of {int(labels.sum())}"
        refuse("least", "from 1 to the number of frauds", got, "take more past events")
    order = np.argsort(-probabilities, kind="stable")
    blocked = np.cumsum(np.where(labels, dollars, 0.0)[order])
    paid = np.cumsum(np.where(labels, 0.0, friction)[order])
    found = np.cumsum(labels[order])
    below = np.append(probabilities[order][1:], 0.0)
    whole = (below < probabilities[order]) & (found >= least)  # equal p fall on one side together
    ratio = np.divide(blocked, paid, out=np.full(len(paid), np.inf), where=paid > 0)
    return Tiers(block=float(below[np.argmax(np.where(whole, ratio, -np.inf))]))


@dataclass(frozen=True)
class Distorted:
    """A model whose odds are off by a factor, such as one fitted to a sample and never corrected for it.

    Parameters
    ----------
    model : Predicts
        Such as those of :mod:`casebook.fraud.models`.
    odds : float
        1 / keep for a model that was fitted with a share ``keep`` of the honest events.

    Examples
    --------
    >>> class Coin:
    ...     def predict(self, features):
    ...         return np.full(len(features), 0.5)
    >>> Distorted(Coin(), 20).predict(pd.DataFrame(index=[0])).round(3)
    array([0.952])
    """

    model: Predicts
    odds: float

    def __post_init__(self) -> None:
        if not (np.isfinite(self.odds) and self.odds > 0):
            refuse("Distorted, odds", "above 0", str(self.odds), "give the factor of the odds")

    def predict(self, features: pd.DataFrame) -> Probabilities:
        """Return probabilities, shape (n,)."""
        p = as_probabilities(self.model.predict(features))
        return np.asarray(self.odds * p / (self.odds * p + 1 - p))


@dataclass(frozen=True)
class Mended:
    """A model behind a calibration curve, such as :func:`casebook.decisions.fit_platt` of cases it has not seen.

    Parameters
    ----------
    model : Predicts
        Such as those of :mod:`casebook.fraud.models`.
    curve : PlattCalibrator
    """

    model: Predicts
    curve: PlattCalibrator | Callable[[Probabilities], Probabilities]

    def predict(self, features: pd.DataFrame) -> Probabilities:
        """Return probabilities, shape (n,)."""
        return np.asarray(self.curve(as_probabilities(self.model.predict(features))))


def decides(model: Predicts, chosen: Mapping[str, Choose], rules: Policy | None = None) -> dict[str, Decide]:
    """Return :func:`by_model` of each way of choosing, by its name."""
    return {name: by_model(model, choose, rules) for name, choose in chosen.items()}
