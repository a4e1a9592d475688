"""Probabilities over actions: making them, drawing from them, and looking up what was drawn."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from casebook.contracts import FloatArray, refuse
from casebook.exploration._inputs import IntArray, as_actions, as_matrix, as_rng, require_share


def epsilon_greedy(best: npt.ArrayLike, actions: int, epsilon: float) -> FloatArray:
    """Return the probabilities of a policy that takes the best action, but with chance epsilon any at all.

    Parameters
    ----------
    best : array_like of int, shape (n,)
        The preferred action of each case, from 0 to ``actions - 1``.
    actions : int
        Number of actions k, 2 or more.
    epsilon : float
        In [0, 1]. The draw is over all actions, the best among them.

    Returns
    -------
    numpy.ndarray of float, shape (n, k)
        Each action has at least ``epsilon / k``.

    Raises
    ------
    ContractError
        An action that is none, fewer than two of them, epsilon outside [0, 1].

    References
    ----------
    Sutton and Barto (2018), Reinforcement Learning, section 2.2.

    Examples
    --------
    >>> epsilon_greedy([1, 0], actions=2, epsilon=0.5).tolist()
    [[0.25, 0.75], [0.75, 0.25]]
    """
    if actions < 2:
        refuse("actions", "2 or more", repr(actions), "count them all")
    require_share(epsilon, "epsilon")
    return with_floor(np.eye(actions)[as_actions(best, "best", actions)], epsilon / actions)


def with_floor(probabilities: npt.ArrayLike, floor: float) -> FloatArray:
    """Mix a policy with the even one, so that each action has at least a floor's probability.

    With k actions the result is ``floor + (1 - k * floor) * probabilities``. An importance weight on its log is then
    at most ``1 / floor``.

    Parameters
    ----------
    probabilities : array_like, shape (n, k)
        Rows that add up to 1.
    floor : float
        In [0, 1 / k].

    Returns
    -------
    numpy.ndarray of float, shape (n, k)

    Raises
    ------
    ContractError
        Probabilities that are none, or a floor outside [0, 1 / k].

    Examples
    --------
    >>> with_floor([[1.0, 0.0], [0.5, 0.5]], 0.1).tolist()
    [[0.9, 0.1], [0.5, 0.5]]
    """
    table = as_matrix(probabilities, "probabilities")
    require_share(floor, "floor", 1 / table.shape[1])
    return np.asarray(floor + (1 - table.shape[1] * floor) * table)


def draw_actions(probabilities: npt.ArrayLike, rng: np.random.Generator) -> tuple[IntArray, FloatArray]:
    """Draw an action a case, and return it with its propensity: both belong into the log.

    Parameters
    ----------
    probabilities : array_like, shape (n, k)
        Rows that add up to 1.
    rng : numpy.random.Generator

    Returns
    -------
    actions : numpy.ndarray of int, shape (n,)
        An action of probability 0 is never drawn.
    propensities : numpy.ndarray of float, shape (n,)

    Raises
    ------
    ContractError
        Probabilities that are none, no generator.

    Examples
    --------
    >>> actions, propensities = draw_actions([[0.1, 0.9], [1.0, 0.0]], np.random.default_rng(0))
    >>> actions.tolist(), propensities.tolist()
    ([1, 0], [0.9, 1.0])
    """
    table = as_matrix(probabilities, "probabilities")
    until = np.cumsum(table, axis=1)
    actions = (until / until[:, -1:] <= as_rng(rng).random((len(table), 1))).sum(axis=1).astype(np.int64)
    return actions, table[np.arange(len(table)), actions]


def propensity_of(probabilities: npt.ArrayLike, actions: npt.ArrayLike) -> FloatArray:
    """Return each row's probability of the action in it.

    Parameters
    ----------
    probabilities : array_like, shape (n, k)
        Those of the policy that acted give propensities; those of another policy give what :func:`ips` calls target.
    actions : array_like of int, shape (n,)
        From 0 to k - 1.

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Raises
    ------
    ContractError
        Probabilities that are none, an action that is none, unequal lengths.

    Examples
    --------
    >>> propensity_of([[0.1, 0.9], [0.7, 0.3]], [1, 1]).tolist()
    [0.9, 0.3]
    """
    table = as_matrix(probabilities, "probabilities")
    return np.asarray(table[np.arange(len(table)), as_actions(actions, "actions", table.shape[1], len(table))])


def unsupported_share(target: npt.ArrayLike, logged: npt.ArrayLike) -> float:
    """Return how much of what a policy would do the logging policy never does.

    No weight makes up for an action of probability 0: of this share of the target's actions the log says nothing, and
    :func:`casebook.exploration.ips` counts their reward as 0.

    Parameters
    ----------
    target, logged : array_like, shape (n, k)
        Probabilities of all actions under the policy to be valued and under the one that acted.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    ContractError
        Probabilities that are none, or of unequal shapes.

    References
    ----------
    Sachdeva, Su and Joachims (2020), Off-policy bandits with deficient support, KDD.

    Examples
    --------
    >>> unsupported_share(target=[[0.5, 0.5], [0.0, 1.0]], logged=[[1.0, 0.0], [0.9, 0.1]])
    0.25
    """
    wanted, had = as_matrix(target, "target"), as_matrix(logged, "logged")
    if wanted.shape != had.shape:
        got = f"shape {had.shape}"
        refuse("logged", f"of the target's shape {wanted.shape}", got, "give both policies the same cases and actions")
    return float(np.where(had == 0, wanted, 0.0).sum(axis=1).mean())
