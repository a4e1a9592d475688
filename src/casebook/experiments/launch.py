"""Does a launch pay: its expected value under what is believed, the cost of being wrong, the worth of knowing more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casebook._columns import kind_of
from casebook.contracts import as_costs, refuse
from casebook.experiments._inputs import above_zero
from casebook.experiments.belief import Belief


@dataclass(frozen=True)
class LaunchValue:
    """What a launch is worth, in the currency of ``worth``.

    Parameters
    ----------
    expected : float
        Value of launching now less the cost still to pay; not launching is 0.
    chance_of_loss : float
        Probability that a launch brings less than it costs.
    cost_of_error : float
        Expected loss through launching where one should not; counted over all cases, so that the value with perfect
        information is ``expected`` + ``cost_of_error``.
    perfect_information : float
        What knowing the true effect before deciding would be worth at most.
    threshold : float
        Effect from which launching pays.
    threshold_with_sunk : float
        The same if what is spent already were counted, which it should not be.
    """

    expected: float
    chance_of_loss: float
    cost_of_error: float
    perfect_information: float
    threshold: float
    threshold_with_sunk: float

    @property
    def launch(self) -> bool:
        """Whether launching now is worth more than not launching."""
        return self.expected > 0


def launch_value(belief: Belief, worth: float, *, to_pay: float = 0.0, spent: float = 0.0) -> LaunchValue:
    """Return what a launch is worth under a belief about its effect.

    Value = worth x effect - to_pay. One launches if its expectation is above 0, significant or not: the interval
    matters through the cost of being wrong, not through its lower end alone.

    Parameters
    ----------
    belief : Belief
        Of the true effect: ``programme.update(estimate, se)``. More must be better: turn the sign of a cost.
    worth : float
        Value of one unit of the effect, above 0: units reached x value of each x how long the launch lasts.
    to_pay : float
        Costs that a launch brings from now on (engineering, servers, support), 0 or more.
    spent : float
        What the change has cost already, 0 or more. It does not enter the decision.

    Returns
    -------
    LaunchValue

    Raises
    ------
    ContractError
        No belief, a worth of 0 or less, negative costs.

    References
    ----------
    Raiffa and Schlaifer (1961), Applied Statistical Decision Theory; Feit and Berman (2019), Test and roll, Marketing
    Science 38(6).

    Examples
    --------
    >>> after = Belief(0.0, 0.02, idle=0.7).update(estimate=0.010, se=0.005)
    >>> got = launch_value(after, worth=2_000_000, to_pay=4_000, spent=30_000)
    >>> round(got.expected), round(got.chance_of_loss, 2), round(got.perfect_information)
    (3638, 0.62, 2485)
    >>> got.threshold, got.threshold_with_sunk, got.launch
    (0.002, 0.017, True)
    """
    _require_belief(belief)
    each, cost = above_zero(worth, "worth"), _cost(to_pay, "to_pay")
    threshold = cost / each
    expected = each * belief.expected - cost
    # With perfect information one launches above the threshold only.
    gain = each * belief.excess(threshold)
    loss = 1 - belief.above(threshold) - belief.idle * (threshold == 0)
    sunk = (cost + _cost(spent, "spent")) / each
    return LaunchValue(expected, max(loss, 0.0), gain - expected, gain - max(expected, 0.0), threshold, sunk)


@dataclass(frozen=True)
class MoreData:
    """What running a test longer is worth before deciding.

    Parameters
    ----------
    information : float
        Expected gain of the better decision, 0 or more.
    delay : float
        Expected value lost by launching later.
    changes_mind : float
        Probability that the decision comes out otherwise than it would now.
    """

    information: float
    delay: float
    changes_mind: float

    @property
    def net(self) -> float:
        """Gain of the better decision less the delay's cost."""
        return self.information - self.delay

    @property
    def run_on(self) -> bool:
        """Whether to run longer rather than to decide now."""
        return self.net > 0


def value_of_more(
    belief: Belief, worth: float, more_se: float, *, to_pay: float = 0.0, lost_share: float = 0.0
) -> MoreData:
    """Return what more data is worth: the expected value of sample information, less what the delay costs.

    More data is worth something only if it can change the decision.

    Parameters
    ----------
    belief, worth, to_pay
        As in :func:`launch_value`.
    more_se : float
        Standard error of the estimate from the additional data alone.
    lost_share : float
        Share of the launch's worth that passes by meanwhile (two weeks of a year: 0.04), in [0, 1).

    Returns
    -------
    MoreData

    Raises
    ------
    ContractError
        As :func:`launch_value`, and for a standard error of 0 or less or a share outside [0, 1).

    References
    ----------
    Raiffa and Schlaifer (1961), Applied Statistical Decision Theory, section 4.5.

    Examples
    --------
    >>> after = Belief(0.0, 0.02, idle=0.7).update(estimate=0.010, se=0.005)
    >>> got = value_of_more(after, worth=2_000_000, more_se=0.005, to_pay=4_000, lost_share=0.04)
    >>> round(got.information), round(got.delay), got.run_on
    (1374, 275, True)
    """
    _require_belief(belief)
    each, cost, error = above_zero(worth, "worth"), _cost(to_pay, "to_pay"), above_zero(more_se, "more_se")
    lost = _cost(lost_share, "lost_share")
    if lost >= 1:
        refuse("lost_share", "in [0, 1)", f"{lost:g}", "divide percentages by 100")
    x, weight = belief.estimates(error)
    then = each * belief.expected_after(x, error) - cost
    now = each * belief.expected - cost
    best = float(weight @ np.maximum(then, 0.0))
    later = each * (1 - lost) * belief.expected_after(x, error) - cost
    delayed = float(weight @ np.maximum(later, 0.0))
    turned = float(weight @ ((then > 0) != (now > 0)))
    return MoreData(max(best - max(now, 0.0), 0.0), max(best - delayed, 0.0), turned)


def _require_belief(belief: object) -> None:
    if not isinstance(belief, Belief):
        refuse("belief", "a Belief", kind_of(belief), "pass programme.update(estimate, se)")


def _cost(value: float, what: str) -> float:
    cost = as_costs(value, what)
    if not isinstance(cost, float):
        refuse(what, "one number", "an array", "pass the total")
    return cost
