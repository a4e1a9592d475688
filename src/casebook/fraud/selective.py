"""Selective labels: what is blocked is never reported, so that a model which learns from reports forgets it.

An *arm* is a bank that blocks by its model's probability and by costs, and fits the model anew each month to what it
has seen: to what passed, to what passed with a share of the blocked let through at random, to all that it ever saw, or,
an oracle, to the truth about what it blocked as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from casebook.contracts import FloatArray, refuse
from casebook.exploration import label_weights, pass_through
from casebook.fraud.lessons import MONTH, Lesson, Memory, Teach
from casebook.fraud.morning import Morning
from casebook.fraud.outcomes import ALLOW, BLOCK
from casebook.fraud.prices import Asking, Prices
from casebook.fraud.relearn import Decision, Learned, Start, allow_until, learn
from casebook.fraud.stakes import Stakes
from casebook.fraud.tiers import ONE_CUT, least_cost
from casebook.fraud.world import World


@dataclass(frozen=True)
class Exploration:
    """Which share of the blocked passes at random, and what that may cost.

    Parameters
    ----------
    share : float
        In [0, 1].
    event_cap, daily_budget : float
        Dollars: the most that one event may lose, and all of a day's together, see
        :func:`casebook.exploration.pass_through`.
    """

    share: float = 0.0
    event_cap: float = np.inf
    daily_budget: float = np.inf


@dataclass(frozen=True)
class Arm:
    """A bank that learns from what it sees.

    Parameters
    ----------
    acts : str
        The teacher, of :data:`TEACHERS`, whose model decides.
    exploration : Exploration
    rivals : tuple of str
        Teachers whose models are fitted to the same log and scored beside it.

    Raises
    ------
    ContractError
        If a name is no teacher's.

    Examples
    --------
    >>> Arm("weighed")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Arm must be of the teachers seen, weighted, kept, told, all, got 'weighed'; name
    one of them.
    """

    acts: str = "seen"
    exploration: Exploration = field(default_factory=Exploration)
    rivals: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in (self.acts, *self.rivals):
            if name not in TEACHERS:
                refuse("Arm", f"of the teachers {', '.join(TEACHERS)}", repr(name), "name one of them")


def arms(exploration: Exploration) -> dict[str, Arm]:
    """Return the banks that are compared.

    Examples
    --------
    >>> {name: (arm.acts, arm.exploration.share) for name, arm in arms(Exploration(0.05)).items()}
    {'none': ('seen', 0.0), 'unweighted': ('seen', 0.05), 'weighted': ('weighted', 0.05), 'kept': ('kept', 0.0),
     'told': ('told', 0.0)}
    """
    return {
        "none": Arm("seen", rivals=("told", "kept", "all")),
        "unweighted": Arm("seen", exploration, rivals=("told", "weighted")),
        "weighted": Arm("weighted", exploration),
        "kept": Arm("kept"),
        "told": Arm("told"),
    }


def taught_seen(memory: Memory) -> Lesson:
    """Teach what passed in the last month, as reported by now; what was blocked is left out."""
    return taught_kept(memory).of_last_month(memory)


def taught_kept(memory: Memory) -> Lesson:
    """Teach the same of all the time there is: what was seen before the first block is not thrown away."""
    return Lesson(memory.passed, memory.reported, np.ones(len(memory.age)))


def taught_weighted(memory: Memory) -> Lesson:
    """Teach what passed in the last month, each event by one over the chance that it passed."""
    weight = label_weights(memory.passed, memory.chance)
    return Lesson(memory.passed, memory.reported, weight).of_last_month(memory)


def taught_all(memory: Memory) -> Lesson:
    """Teach what passed, as reported by now, and the truth about what was blocked: an oracle that keeps all.

    Where nothing was blocked it says the same as :func:`taught_kept`.
    """
    y = np.where(memory.passed, memory.reported, memory.truth())
    return Lesson(memory.live, y, np.ones(len(memory.age)))


def taught_told(memory: Memory) -> Lesson:
    """Teach the same of the last month: the oracle of :func:`taught_seen`."""
    return taught_all(memory).of_last_month(memory)


TEACHERS: dict[str, Teach] = {
    "seen": taught_seen,
    "weighted": taught_weighted,
    "kept": taught_kept,
    "told": taught_told,
    "all": taught_all,
}
"""Who says which events a model is fitted to, and with which labels."""
_ORACLES = {"told", "all"}


def prices_of(world: World) -> Prices:
    """Return what a bank expects of its actions that counts an event's own loss, and not the rest of the episode."""
    return Prices(world.costs, Asking.of(world), Stakes(sale=0.0, loss=0.0))


class Blocks:
    """Block where that is expected to cost less than to allow, but let a share of it pass.

    Parameters
    ----------
    prices : Prices
    exploration : Exploration
    rng : numpy.random.Generator
    """

    def __init__(self, prices: Prices, exploration: Exploration, rng: np.random.Generator) -> None:
        self._prices, self._exploration, self._rng = prices, exploration, rng

    def __call__(self, morning: Morning, p: FloatArray) -> Decision:
        """Return actions, and the chance with which each event was to pass."""
        rules = self._exploration
        _, if_fraud = self._prices.of(morning.events)
        drawn = pass_through(
            least_cost(p, morning.events, self._prices, ONE_CUT) == BLOCK,
            rules.share,
            rng=self._rng,
            at_stake=if_fraud[:, ALLOW],
            event_cap=rules.event_cap,
            daily_budget=rules.daily_budget,
        )
        return Decision(np.where(drawn.passed, ALLOW, BLOCK).astype(np.int8), drawn.chance)


def run_arm(start: Start, arm: Arm, every: int = MONTH) -> Learned:
    """Play a bank that learns from what it sees, on the same draws as any other arm.

    Parameters
    ----------
    start : Start
    arm : Arm
    every : int
        Days between fits.

    Returns
    -------
    Learned
        ``scores`` has a column for each of the arm's teachers.

    Raises
    ------
    ContractError
        A share, a cap or a number of days that is out of range.
    """
    blocks = Blocks(prices_of(start.past.world), arm.exploration, np.random.default_rng([start.seed, 2]))
    teachers = {name: TEACHERS[name] for name in (arm.acts, *arm.rivals)}
    return learn(start, blocks, teachers, every, sees_truth=bool(_ORACLES & set(teachers)))


def run_arms(
    world: World,
    compared: Mapping[str, Arm],
    seed: int,
    cards: int = 2_000,
    days: int = 120,
    first: int = MONTH,
    every: int = MONTH,
) -> dict[str, Learned]:
    """Play several banks that begin with one month in which all is allowed.

    Parameters
    ----------
    world : World
    compared : mapping of str to Arm
    seed, cards, days : int
    first : int
        The first day with a model.
    every : int
        Days between fits.

    Returns
    -------
    dict of str to Learned
    """
    start = allow_until(world, cards, days, seed, day=first)
    return {name: run_arm(start, arm, every) for name, arm in compared.items()}
