"""How fraudsters move to the tactics that pay: replicator dynamics over tactics, one population a kind."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from casebook.fraud.world import ALL_KINDS, TACTICS

Weights = NDArray[np.float64]
AMOUNTS = np.array([1.9, 1.0, 0.35, 0.9, 0.7])  # times the kind's usual amount, in the order of TACTICS
GAPS = np.array([0.6, 1.0, 1.0, 4.0, 1.5])  # times the usual time between attempts
ABROAD = np.array([1.4, 1.0, 1.0, 1.0, 0.2])  # times the usual share abroad
ORDINARY = np.array([False, False, False, False, True])  # at the hours at which the holder pays
MUTATION = 0.02  # share of fraudsters who try any tactic, whatever it paid
MEMORY = 0.9  # of what a tactic paid, what counts a day later
LEAST = 5.0  # planned attempts that a tactic's mean leans on, at the mean of all tactics
MOST = 2.0  # largest step in standard units, so that one lucky day decides nothing


def replicate(weights: Weights, take: Weights, planned: Weights, speed: float) -> Weights:
    r"""Return the weights after one step: :math:`w_k \propto w_k e^{s z_k}`, mixed with a little mutation.

    Fitness is a tactic's take per planned attempt, drawn to the mean of all tactics where there were few attempts;
    :math:`z_k` is its distance from the weighted mean, in means. This is the replicator equation of Taylor and
    Jonker (1978) in discrete time. At speed 0 nothing moves. Tactics have no names here: swap two columns and the
    result is swapped.

    Parameters
    ----------
    weights : array, shape (kinds, tactics)
        Rows add up to 1.
    take, planned : array, shape (kinds, tactics)
        Dollars that passed, and attempts that were to be made; of late, or of one day.
    speed : float

    Examples
    --------
    >>> even, planned = np.full((1, 2), 0.5), np.full((1, 2), 100.0)
    >>> replicate(even, np.array([[9_000.0, 0.0]]), planned, 0.2).round(3)
    array([[0.592, 0.408]])
    """
    if speed == 0:
        return weights.copy()
    mean = take.sum(1, keepdims=True) / np.maximum(planned.sum(1, keepdims=True), 1e-12)
    fitness = (take + LEAST * mean) / (planned + LEAST)
    centre = (weights * fitness).sum(1, keepdims=True)
    step = np.clip((fitness - centre) / np.maximum(centre, 1e-12), -MOST, MOST)
    grown = weights * np.exp(speed * step)
    share = grown / grown.sum(1, keepdims=True)
    return (1 - MUTATION) * share + MUTATION / weights.shape[1]


@dataclass
class Adversary:
    """The weights of all kinds over tactics, and what each tactic has paid of late; arrays of shape (7, 5)."""

    speed: float
    weights: Weights
    take: Weights
    planned: Weights

    @classmethod
    def start(cls, speed: float) -> Adversary:
        """Return fraudsters who have tried nothing yet: all tactics weigh the same.

        Examples
        --------
        >>> Adversary.start(0.2).weights[0].tolist()
        [0.2, 0.2, 0.2, 0.2, 0.2]
        """
        shape = (len(ALL_KINDS), len(TACTICS))
        return cls(speed, np.full(shape, 1 / len(TACTICS)), np.zeros(shape), np.zeros(shape))

    def learn(self, take: Weights, planned: Weights) -> None:
        """Add a day's take and planned attempts, and move one step; a kind without attempts stays."""
        self.take = MEMORY * self.take + take
        self.planned = MEMORY * self.planned + planned
        moved = replicate(self.weights, self.take, self.planned, self.speed)
        self.weights = np.where(planned.sum(1, keepdims=True) > 0, moved, self.weights)
