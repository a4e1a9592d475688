"""From a probability to one of four actions: by fixed cuts, by cuts from costs at the mean loss, or event by event."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import as_probabilities, refuse
from casebook.decisions import Envelope, expected_cost_table, lower_envelope
from casebook.fraud.prices import Prices
from casebook.fraud.world import ACTIONS, Friction

ONE_CUT = ("allow", "block")
TWO_CUTS = ("allow", "push", "block")
WITHOUT_PUSH = ("allow", "call", "block")
ALWAYS = -1.0  # a cut that every probability is above
Actions = npt.NDArray[np.int8]


@dataclass(frozen=True)
class Tiers:
    """Fixed cuts of a probability; the action is the last whose cut is below it, and None never happens.

    Parameters
    ----------
    push, call, block : float, optional
        Rising.

    Raises
    ------
    ContractError
        If the cuts do not rise.

    Examples
    --------
    >>> Tiers(push=0.01, call=0.5, block=0.9)([0.01, 0.02, 0.6, 0.95]).tolist()
    [0, 1, 2, 3]
    >>> Tiers(push=0.5, block=0.1)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Tiers must be rising cuts, got push 0.5 and block 0.1; the higher the p, the
    harder the action.
    """

    push: float | None = None
    call: float | None = None
    block: float | None = None

    def __post_init__(self) -> None:
        cuts = self.cuts
        for low, high in pairwise(cuts):
            if not cuts[low] <= cuts[high]:
                got = f"{low} {cuts[low]:g} and {high} {cuts[high]:g}"
                refuse("Tiers", "rising cuts", got, "the higher the p, the harder the action")

    @property
    def cuts(self) -> dict[str, float]:
        """The cuts that are there, by action."""
        given = {name: getattr(self, name) for name in ACTIONS[1:]}
        return {name: float(cut) for name, cut in given.items() if cut is not None}

    @classmethod
    def of(cls, envelope: Envelope) -> Tiers:
        """Return the tiers of a lower envelope of ``ACTIONS``.

        Examples
        --------
        >>> costs = {"if_negative": [0, 2, 10], "if_positive": [100, 20, 1]}
        >>> Tiers.of(lower_envelope(pd.DataFrame(costs, index=["allow", "push", "block"])))
        Tiers(push=0.024390243902439025, call=None, block=0.2962962962962963)
        """
        begins = dict(zip(envelope.actions, [ALWAYS, *envelope.cuts.tolist()], strict=True))
        return cls(**{name: begins[name] for name in ACTIONS[1:] if name in begins})

    def __call__(self, p: npt.ArrayLike, events: pd.DataFrame | None = None) -> Actions:
        """Return a code into ``ACTIONS`` for each probability, shape (n,); ``events`` do not matter."""
        probabilities = as_probabilities(p)
        action = np.zeros(len(probabilities), np.int8)
        for name, cut in self.cuts.items():
            action[probabilities > cut] = ACTIONS.index(name)
        return action


SOURCE = Tiers(push=0.01, call=0.5, block=0.9)
JUNIOR = Tiers(block=0.5)


@dataclass(frozen=True)
class LeastCost:
    """Tiers whose cuts follow each event's amount and entry mode; see :func:`least_cost`.

    Parameters
    ----------
    prices : Prices
    among : sequence of str
        Actions that the bank has.
    """

    prices: Prices
    among: Sequence[str] = ACTIONS

    def __call__(self, p: npt.ArrayLike, events: pd.DataFrame) -> Actions:
        """Return a code into ``ACTIONS`` for each event, shape (n,)."""
        return least_cost(p, events, self.prices, self.among)


def mean_cuts(prices: Prices, among: Sequence[str] = ACTIONS) -> Envelope:
    """Return the cuts at the mean sale and the mean loss, and which actions are never the cheapest.

    Parameters
    ----------
    prices : Prices
    among : sequence of str
        Actions that the bank has, of ``ACTIONS``.

    Returns
    -------
    casebook.decisions.Envelope

    Raises
    ------
    ContractError
        An action that is none.

    Examples
    --------
    >>> from casebook.fraud.prices import Asking
    >>> from casebook.fraud.stakes import Stakes
    >>> prices = Prices(Friction(), Asking(), Stakes(sale=60.0, loss=170.0, rest=180.0))
    >>> found = mean_cuts(prices)
    >>> found.actions, found.cuts.round(4).tolist(), found.dominated
    (('allow', 'push', 'block'), [0.0009, 0.1218], ('call',))
    """
    return lower_envelope(prices.mean_table().loc[_names(among)])


def least_cost(p: npt.ArrayLike, events: pd.DataFrame, prices: Prices, among: Sequence[str] = ACTIONS) -> Actions:
    """Return the action with the least expected cost for each event, at its own amount and entry mode.

    Parameters
    ----------
    p : array_like, shape (n,)
        Calibrated probability of fraud.
    events : pandas.DataFrame, n rows
        ``amount_cents``, ``entry`` and ``channel``.
    prices : Prices
    among : sequence of str
        Actions that the bank has.

    Returns
    -------
    numpy.ndarray of int8, shape (n,)
        Codes into ``ACTIONS``; of equal costs the milder action.

    Raises
    ------
    ContractError
        Bad probabilities, another length, or an action that is none.
    """
    codes = np.array([ACTIONS.index(name) for name in _names(among)], np.int8)
    negative, positive = prices.of(events)
    costs = expected_cost_table(p, negative[:, codes], positive[:, codes])
    return codes[costs.argmin(axis=1)]


def fitting_friction(tiers: Tiers, prices: Prices) -> pd.DataFrame:
    """Return what each action would have to cost on an honest event for the cuts to be right at the mean loss.

    At a cut c two neighbours cost the same: the dearer one costs c / (1 - c) times what it saves on a fraud more.

    Parameters
    ----------
    tiers : Tiers
    prices : Prices
        Their friction does not matter for ``needed``; it stands beside it as ``own``.

    Returns
    -------
    pandas.DataFrame
        One row an action with a cut: ``cut``, ``saves`` (on a fraud, against the action before), ``needed`` and
        ``own``, dollars on an honest event at the mean sale.

    Raises
    ------
    ContractError
        If an action lets more pass than the milder one before it: no friction makes that cut right.

    Examples
    --------
    >>> from casebook.fraud.prices import Asking
    >>> from casebook.fraud.stakes import Stakes
    >>> prices = Prices(Friction(), Asking(), Stakes(sale=60.0, loss=170.0, rest=180.0))
    >>> fitting_friction(SOURCE, prices).round(2)
            cut  saves  needed    own
    push   0.01  236.8    2.39   0.20
    call   0.50   29.6   31.99   6.28
    block  0.90   83.6  784.39  15.90
    """
    own, costs = (dict(prices.mean_table()[name]) for name in ("if_negative", "if_positive"))
    before, needed = "allow", 0.0
    rows: dict[str, dict[str, float]] = {}
    for name, cut in tiers.cuts.items():
        saves = float(costs[before] - costs[name])
        if saves <= 0:
            refuse(f"tiers, {name}", f"an action that saves more than {before}", f"{saves:.2f} dollars", "drop one")
        needed += saves * cut / (1 - cut)
        rows[name] = {"cut": cut, "saves": saves, "needed": needed, "own": float(own[name])}
        before = name
    return pd.DataFrame.from_dict(rows, orient="index")


def costs_that_fit(tiers: Tiers, prices: Prices) -> Friction:
    """Return the bank's friction with push, call and block set so that the cuts are right at the mean loss.

    Raises
    ------
    ContractError
        As :func:`fitting_friction`, or if margin and new cards alone cost more than the cuts allow.
    """
    fitting = fitting_friction(tiers, prices)
    more = dict(fitting["needed"] - fitting["own"])
    return replace(prices.costs, **{name: getattr(prices.costs, name) + float(more[name]) for name in tiers.cuts})


def push_limit(prices: Prices, among: Sequence[str] = ACTIONS) -> float:
    """Return the share of pushes that a fraudster may pass before a push is the cheapest action at no probability.

    At the mean loss; 0 if it never is, even where nobody passes it.

    Examples
    --------
    >>> from casebook.fraud.prices import Asking
    >>> from casebook.fraud.stakes import Stakes
    >>> prices = Prices(Friction(), Asking(), Stakes(sale=60.0, loss=170.0, rest=180.0))
    >>> limit = push_limit(prices, TWO_CUTS)
    >>> at = lambda share: mean_cuts(replace(prices, asking=Asking(push_pass=share)), TWO_CUTS).dominated
    >>> round(limit, 3), at(limit - 0.01), at(limit + 0.01)
    (0.985, (), ('push',))
    """
    low, high = 0.0, 1.0
    for _ in range(40):  # halves the interval to below 1e-12
        middle = (low + high) / 2
        tried = replace(prices, asking=replace(prices.asking, push_pass=middle))
        low, high = (middle, high) if "push" in mean_cuts(tried, among).actions else (low, middle)
    return low


def _names(among: Sequence[str]) -> list[str]:
    if wrong := [name for name in among if name not in ACTIONS]:
        refuse("among", f"names out of {', '.join(ACTIONS)}", repr(wrong[0]), "drop it")
    return [name for name in ACTIONS if name in among]
