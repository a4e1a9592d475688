"""More than two actions: which one costs least at each probability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, as_amounts, as_probabilities, refuse, require_columns


@dataclass(frozen=True, eq=False)
class Envelope:
    """Which action is the cheapest between which cut points.

    Parameters
    ----------
    cuts : numpy.ndarray of float, shape (k - 1,)
        Rising probabilities at which the cheapest action changes.
    actions : tuple of str, length k
        Actions by rising p: ``actions[i]`` up to and including ``cuts[i]``, the next above it.
    dominated : tuple of str
        Actions that are the only cheapest one at no probability.
    """

    cuts: FloatArray
    actions: tuple[str, ...]
    dominated: tuple[str, ...]

    def action_at(self, p: npt.ArrayLike) -> npt.NDArray[Any]:
        """Return the cheapest action at each p, shape (n,), by looking up the cuts."""
        return np.array(self.actions, dtype=object)[np.searchsorted(self.cuts, as_probabilities(p), side="left")]


def expected_cost_table(p: npt.ArrayLike, if_negative: npt.ArrayLike, if_positive: npt.ArrayLike) -> FloatArray:
    """Return the expected cost of each action on each case.

    Parameters
    ----------
    p : array_like, shape (n,)
        Calibrated probability that the case is positive.
    if_negative, if_positive : array_like, shape (k,) or (n, k)
        Money that each of k actions costs in either case; per case if there are n rows. May be negative.

    Returns
    -------
    numpy.ndarray of float, shape (n, k)
        ``table.argmin(axis=1)`` is the cheapest action of each case.

    Raises
    ------
    ContractError
        Bad probabilities, or costs of another shape.

    Examples
    --------
    >>> expected_cost_table([0.1, 0.5], [0, 5], [[100, 1], [20, 1]]).tolist()
    [[10.0, 4.6], [10.0, 3.0]]
    """
    probabilities = as_probabilities(p)
    negative = _cost_rows(if_negative, "if_negative", len(probabilities))
    positive = _cost_rows(if_positive, "if_positive", len(probabilities))
    if negative.shape[1] != positive.shape[1]:
        got = f"{positive.shape[1]} columns"
        refuse("if_positive", f"{negative.shape[1]} columns wide", got, "give both costs of every action")
    chance = probabilities[:, None]
    return chance * positive + (1 - chance) * negative


def least_cost_action(p: npt.ArrayLike, actions: pd.DataFrame) -> npt.NDArray[Any]:
    """Return the name of the action with the least expected cost for each case.

    Where two cost the same, the one that is cheaper on a negative is taken (the milder one, as a rule).

    Parameters
    ----------
    p : array_like, shape (n,)
        Calibrated probability that the case is positive.
    actions : pandas.DataFrame
        Indexed by action; columns ``if_negative`` and ``if_positive``, money per case.

    Returns
    -------
    numpy.ndarray of object, shape (n,)

    Raises
    ------
    ContractError
        A missing column, a repeated action, a cost that is no number.

    Examples
    --------
    >>> costs = {"if_negative": [0, 2, 10], "if_positive": [100, 20, 1]}
    >>> tiers = pd.DataFrame(costs, index=["pass", "check", "block"])
    >>> least_cost_action([0.01, 0.1, 0.5], tiers).tolist()
    ['pass', 'check', 'block']
    """
    ordered = _ordered(actions)
    table = expected_cost_table(p, ordered["if_negative"].to_numpy(), ordered["if_positive"].to_numpy())
    return ordered.index.to_numpy(dtype=object)[table.argmin(axis=1)]


def lower_envelope(actions: pd.DataFrame) -> Envelope:
    """Return the cut points between actions, and the actions that are never the cheapest.

    Each action's expected cost is a straight line in p; the cheapest ones form the lower envelope of the
    lines.

    Parameters
    ----------
    actions : pandas.DataFrame
        As in :func:`least_cost_action`.

    Returns
    -------
    Envelope

    Raises
    ------
    ContractError
        As :func:`least_cost_action`.

    Examples
    --------
    >>> costs = {"if_negative": [0, 2, 10], "if_positive": [100, 20, 1]}
    >>> tiers = pd.DataFrame(costs, index=["pass", "check", "block"])
    >>> lower_envelope(tiers)
    Envelope(cuts=array([0.02439024, 0.2962963 ]), actions=('pass', 'check', 'block'), dominated=())
    """
    ordered = _ordered(actions)
    negative, positive = ordered["if_negative"].to_numpy(), ordered["if_positive"].to_numpy()
    kept, cuts = [0], []
    while (step := _next_crossing(kept[-1], negative, positive)) is not None:
        kept.append(step[0])
        cuts.append(step[1])
    names = [str(name) for name in ordered.index]
    dominated = tuple(str(name) for name in actions.index if str(name) not in {names[i] for i in kept})
    return Envelope(np.array(cuts, dtype=float), tuple(names[i] for i in kept), dominated)


def _next_crossing(current: int, negative: FloatArray, positive: FloatArray) -> tuple[int, float] | None:
    """Return the action that undercuts the current one first as p rises, and where; None if none does."""
    dearer_left = negative - negative[current]
    cheaper_right = positive[current] - positive
    rivals = np.flatnonzero((cheaper_right > 0) & (dearer_left > 0))
    if rivals.size == 0:
        return None
    crossing = dearer_left[rivals] / (dearer_left[rivals] + cheaper_right[rivals])
    first = np.lexsort((positive[rivals], crossing))[0]
    return int(rivals[first]), float(crossing[first])


def _ordered(actions: pd.DataFrame) -> pd.DataFrame:
    """Check the table; put the action that is cheapest on negatives first, so that ties fall to it."""
    require_columns(actions, ["if_negative", "if_positive"], "actions")
    if actions.index.has_duplicates:
        name = str(actions.index[actions.index.duplicated()][0])
        refuse("actions", "indexed by unique names", f"{name!r} twice", "drop or rename one of the two")
    columns = {name: as_amounts(actions[name], f"column {name!r}") for name in ("if_negative", "if_positive")}
    table = pd.DataFrame(columns, index=actions.index.astype(str))
    return table.sort_values(["if_negative", "if_positive"], kind="stable")


def _cost_rows(values: npt.ArrayLike, what: str, n: int) -> FloatArray:
    array = np.asarray(values)
    if array.dtype.kind not in "iuf" or array.ndim not in (1, 2):
        got = f"{array.dtype} of shape {array.shape}"
        refuse(what, "numbers of shape (k,) or (n, k)", got, "give one column per action")
    if not np.isfinite(array).all():
        refuse(what, "finite", "a missing or infinite cost", "fill it in or drop the row")
    if array.ndim == 2 and len(array) != n:
        refuse(what, f"{n} rows long", f"{len(array)} rows", "give one row per case")
    return np.atleast_2d(array.astype(float))
