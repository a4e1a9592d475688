"""Letting a small random share of what would be blocked pass, at a price that is capped, and weighing its labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casebook.contracts import (
    BoolArray,
    FloatArray,
    as_costs,
    as_labels,
    as_probabilities,
    refuse,
    require_length,
    require_same_order,
)
from casebook.experiments import assign_by_hash
from casebook.exploration._inputs import as_rng, require_share


@dataclass(frozen=True, eq=False)
class PassThrough:
    """What passes, and with which chance; arrays of shape (n,).

    Attributes
    ----------
    passed : numpy.ndarray of bool
        The action: True lets the case pass, False blocks it.
    explored : numpy.ndarray of bool
        Cases that pass only by the draw.
    chance : numpy.ndarray of float
        Chance that the case passes, given all that was decided before it: 1 where it would not be blocked, the share
        where it would, 0 where a cap forbids it. Its label is seen with this chance, see :func:`label_weights`.
    """

    passed: BoolArray
    explored: BoolArray
    chance: FloatArray

    @property
    def propensities(self) -> FloatArray:
        """Chance of the action that was taken, for the log: ``chance`` where the case passes, else 1 less it."""
        return np.where(self.passed, self.chance, 1 - self.chance)


def pass_through(
    blocked: npt.ArrayLike,
    share: float,
    *,
    rng: np.random.Generator | None = None,
    ids: npt.ArrayLike | None = None,
    salt: str = "pass-through",
    at_stake: npt.ArrayLike | None = None,
    event_cap: float = np.inf,
    daily_budget: float = np.inf,
    day: npt.ArrayLike | None = None,
    spent: float = 0.0,
) -> PassThrough:
    """Let a random share of what would be blocked pass, so that its label is seen.

    What is above the event's cap never passes. Of a day's budget each case that passes takes its whole stake, as if
    all of them went wrong, and a case that would overdraw it is blocked; so neither cap can be broken. Both have their
    price: of what has a chance of 0 nothing is ever learned, whatever the weights. A budget that is gone by noon
    leaves the evenings out, so choose the share by :func:`affordable_share`.

    Parameters
    ----------
    blocked : array_like of bool, shape (n,)
        Whether the policy would block the case; in the order of time.
    share : float
        Share that passes, in [0, 1].
    rng : numpy.random.Generator, optional
        Draws anew on each call. Give this or ``ids``.
    ids : array_like of int or str, shape (n,), optional
        Draws by a hash: the same case gets the same answer on any machine, as often as it comes.
    salt : str
        Another salt draws another share of the ids.
    at_stake : array_like, shape (n,), optional
        What the case costs if it passes and should not have, in money, 0 or more. Needed for a cap or a budget.
    event_cap, daily_budget : float
        Money; by default there is none.
    day : array_like, shape (n,), optional
        The budget is that of each of its values; by default all rows are of one day.
    spent : float
        What this day's budget has lost before the first row, for those who decide one case at a time.

    Returns
    -------
    PassThrough

    Raises
    ------
    ContractError
        Both or none of ``rng`` and ``ids``; a share outside [0, 1]; a negative stake, cap or budget; a cap or budget
        without stakes; ``spent`` together with ``day``; unequal lengths.

    References
    ----------
    Kilbertus, Gomez Rodriguez, Schoelkopf, Muandet and Valera (2020), Fair decisions despite imperfect predictions,
    AISTATS, on policies that must act at random to learn.

    Examples
    --------
    >>> draw = pass_through([True, False, True], 0.5, ids=["c", "b", "h"], at_stake=[80, 10, 900], event_cap=500)
    >>> draw.passed.tolist(), draw.chance.tolist(), draw.propensities.tolist()
    ([True, True, False], [0.5, 1.0, 0.0], [0.5, 1.0, 1.0])
    """
    would = as_labels(blocked, "blocked")
    require_share(share, "share")
    stakes = _stakes(at_stake, len(would), event_cap, daily_budget, spent)
    require_same_order(blocked, at_stake, "blocked and at_stake")
    allowed = would & (stakes <= event_cap)
    lucky = _coins(allowed, share, rng, ids, salt)
    if np.isfinite(daily_budget):
        left = _left(lucky, stakes, daily_budget - spent, _days(day, len(would), spent))
        allowed &= stakes <= left
        lucky &= allowed
    chance = np.where(would, np.where(allowed, share, 0.0), 1.0)
    return PassThrough(~would | lucky, lucky, chance)


def affordable_share(
    at_stake: npt.ArrayLike, daily_budget: float, *, days: float = 1, event_cap: float = np.inf
) -> float:
    """Return the share at which :func:`pass_through` would spend the budget on average.

    Half of the days would want more, so half of it rarely meets the budget.

    Parameters
    ----------
    at_stake : array_like, shape (n,)
        Stakes of what was blocked of late, money.
    daily_budget : float
        Above 0.
    days : float
        Days over which these were blocked.
    event_cap : float
        As in :func:`pass_through`.

    Returns
    -------
    float
        In (0, 1].

    Raises
    ------
    ContractError
        A negative stake, a budget or number of days that is not above 0.

    Examples
    --------
    >>> affordable_share([400, 600, 9_000], daily_budget=50, days=2, event_cap=1_000)
    0.1
    """
    stakes = np.atleast_1d(as_costs(at_stake, "at_stake"))
    for what, number in (("daily_budget", daily_budget), ("days", days), ("event_cap", event_cap)):
        if not number > 0:
            refuse(what, "above 0", repr(number), "give money and days as positive numbers")
    daily = stakes[stakes <= event_cap].sum() / days
    return 1.0 if daily <= daily_budget else float(daily_budget / daily)


def label_weights(passed: npt.ArrayLike, chance: npt.ArrayLike, *, clip: float = np.inf) -> FloatArray:
    """Return weights with which the cases whose labels are seen stand for all that could have been seen.

    A case that passed with chance c weighs 1 / c, one that did not weighs 0, so that any total over the seen cases is
    unbiased for the total over all with a chance above 0. If the chance hangs on the features alone, a model that can
    bend as it likes needs no weights to get p(y | x) right: they pay where the model is too simple, or where a mean,
    a precision or a loss is to be estimated; and they cost variance, see
    :func:`casebook.exploration.effective_sample_size`.

    Parameters
    ----------
    passed : array_like of bool, shape (n,)
    chance : array_like, shape (n,)
        As :class:`PassThrough` has it.
    clip : float
        Largest weight, 1 or more; below 1 / share it understates what was explored.

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Raises
    ------
    ContractError
        A case that passed with chance 0, bad numbers, unequal lengths, clip below 1.

    References
    ----------
    Horvitz and Thompson (1952), A generalization of sampling without replacement from a finite universe, JASA 47;
    Shimodaira (2000), Improving predictive inference under covariate shift, Journal of Statistical Planning and
    Inference 90, on when weights pay.

    Examples
    --------
    >>> label_weights([True, True, False], [1.0, 0.02, 0.02]).tolist()
    [1.0, 50.0, 0.0]
    """
    seen, likely = as_labels(passed, "passed"), as_probabilities(chance, "chance")
    require_length(likely, len(seen), "chance")
    require_same_order(passed, chance, "passed and chance")
    if not clip >= 1:
        refuse("clip", "1 or more", repr(clip), "leave it out to weigh without bias")
    wrong = seen & (likely == 0)
    if wrong.any():
        what = f"chance, row {int(np.argmax(wrong))}"
        refuse(what, "above 0 where the case passed", "0.0", "log the chance as it was drawn")
    return np.minimum(np.divide(1.0, likely, out=np.zeros(len(seen)), where=seen), clip)


def _stakes(at_stake: npt.ArrayLike | None, n: int, event_cap: float, daily_budget: float, spent: float) -> FloatArray:
    for what, money in (("event_cap", event_cap), ("daily_budget", daily_budget), ("spent", spent)):
        if not money >= 0:
            refuse(what, "0 or more", repr(money), "state money as a positive number")
    if at_stake is None:
        if np.isfinite(event_cap) or np.isfinite(daily_budget):
            refuse("at_stake", "given where a cap is", "nothing", "pass what each case costs if it goes wrong")
        return np.zeros(n)
    return np.broadcast_to(as_costs(at_stake, "at_stake", n), n).astype(float)


def _coins(
    allowed: BoolArray, share: float, rng: np.random.Generator | None, ids: npt.ArrayLike | None, salt: str
) -> BoolArray:
    """Return which of the allowed rows the draw lets pass."""
    if (rng is None) == (ids is None):
        got = "none" if ids is None else "both"
        refuse("rng and ids", "given one without the other", got, "draw by a generator, or by a hash of ids")
    if rng is not None:
        return allowed & (as_rng(rng).random(len(allowed)) < share)
    names = np.asarray(ids)
    require_length(names, len(allowed), "ids")
    if not 0 < share < 1 or not allowed.any():
        return allowed & (share == 1)
    lucky = np.zeros(len(allowed), bool)
    lucky[allowed] = assign_by_hash(names[allowed], salt, share)
    return lucky


def _days(day: npt.ArrayLike | None, n: int, spent: float) -> npt.NDArray[np.intp]:
    if day is None:
        return np.zeros(n, np.intp)
    if spent > 0:
        refuse("spent", "0 where days are given", repr(spent), "pass the rows of one day")
    _, code = np.unique(np.asarray(day), return_inverse=True)
    require_length(code, n, "day")
    return code


def _left(lucky: BoolArray, stakes: FloatArray, budget: float, day: npt.NDArray[np.intp]) -> FloatArray:
    """Return what is left of its day's budget as each row comes; rows that would overdraw it do not pass."""
    left = np.full(len(stakes), budget)
    for one in np.flatnonzero(lucky):
        if stakes[one] <= left[one]:
            later = one + 1 + np.flatnonzero(day[one + 1 :] == day[one])
            left[later] -= stakes[one]
    return left
