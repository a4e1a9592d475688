"""What the four outcomes cost, the threshold that follows, and the money of a decision."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import (
    BoolArray,
    FloatArray,
    as_amounts,
    as_costs,
    as_labels,
    as_probabilities,
    refuse,
    require_columns,
    require_length,
    require_same_order,
)

Amount = float | FloatArray


@dataclass(frozen=True, eq=False)
class Costs:
    """The cost of each outcome of acting or not acting on a case, in money.

    Each is one number, or one per case. A negative ``tp`` or ``tn`` is a benefit.

    Parameters
    ----------
    fp : float or array_like, shape (n,)
        Acting on a negative (a good order blocked).
    fn : float or array_like, shape (n,)
        Leaving a positive alone (a fraud let through).
    tp : float or array_like, shape (n,), default 0
        Acting on a positive.
    tn : float or array_like, shape (n,), default 0
        Leaving a negative alone.

    Raises
    ------
    ContractError
        A negative ``fp`` or ``fn``, unequal lengths, or costs that are not reasonable: a mistake must cost
        more than the right decision on the same case, ``fp > tn`` and ``fn > tp``.

    References
    ----------
    Elkan (2001), The foundations of cost-sensitive learning, IJCAI.

    Examples
    --------
    >>> Costs(fp=5, fn=95).threshold
    0.05
    >>> Costs(fp=5, fn=[95, 5]).threshold
    array([0.05, 0.5 ])
    """

    fp: Amount
    fn: Amount
    tp: Amount = 0.0
    tn: Amount = 0.0

    def __post_init__(self) -> None:
        parts = {
            "fp": as_costs(self.fp, "cost_fp"),
            "fn": as_costs(self.fn, "cost_fn"),
            "tp": as_amounts(self.tp, "cost_tp"),
            "tn": as_amounts(self.tn, "cost_tn"),
        }
        for name, part in parts.items():
            object.__setattr__(self, name, part)
        n = self.n
        for name, part in parts.items():
            if n is not None and not isinstance(part, float):
                require_length(part, n, f"cost_{name}")
                part.setflags(write=False)
        _require_dearer(parts["fp"], parts["tn"], "cost_fp", "cost_tn")
        _require_dearer(parts["fn"], parts["tp"], "cost_fn", "cost_tp")

    @classmethod
    def from_ratio(cls, fn_per_fp: float) -> Costs:
        """Return costs in units of one false positive.

        Parameters
        ----------
        fn_per_fp : float
            How many false positives one false negative is worth.

        Examples
        --------
        >>> Costs.from_ratio(19).threshold
        0.05
        """
        return cls(fp=1.0, fn=as_costs(fn_per_fp, "fn_per_fp"))

    @property
    def n(self) -> int | None:
        """Number of cases if any cost varies by case, else None."""
        return next((len(part) for part in self._parts() if not isinstance(part, float)), None)

    @property
    def threshold(self) -> Amount:
        """Probability above which acting is the cheaper: (fp - tn) / ((fp - tn) + (fn - tp))."""
        needless, missed = self.fp - self.tn, self.fn - self.tp
        return needless / (needless + missed)

    def _parts(self) -> tuple[Amount, Amount, Amount, Amount]:
        return self.fp, self.fn, self.tp, self.tn


def threshold(
    cost_fp: npt.ArrayLike, cost_fn: npt.ArrayLike, cost_tp: npt.ArrayLike = 0.0, cost_tn: npt.ArrayLike = 0.0
) -> Amount:
    """Return the probability above which acting costs less than not acting.

    Arguments and refusals are those of :class:`Costs`.

    Returns
    -------
    float or numpy.ndarray of float, shape (n,)
        In (0, 1); with right decisions free it is cost_fp / (cost_fp + cost_fn).

    Examples
    --------
    >>> threshold(5, 95)
    0.05
    """
    return Costs(cost_fp, cost_fn, cost_tp, cost_tn).threshold  # type: ignore[arg-type]


def decide(p: npt.ArrayLike, costs: Costs) -> BoolArray:
    """Return whether to act on each case: where p lies above the threshold.

    Where p equals the threshold both choices cost the same in expectation; the case is left alone.

    Parameters
    ----------
    p : array_like, shape (n,)
        Calibrated probability that the case is positive.
    costs : Costs
        With costs per case, each case has its own threshold.

    Returns
    -------
    numpy.ndarray of bool, shape (n,)

    Raises
    ------
    ContractError
        Probabilities that are none, or costs of another length.

    Examples
    --------
    >>> decide([0.04, 0.05, 0.06], Costs(fp=5, fn=95))
    array([False, False,  True])
    """
    probabilities = as_probabilities(p)
    require_rows(costs, len(probabilities))
    return np.asarray(probabilities > costs.threshold)


def case_money(y: npt.ArrayLike, act: npt.ArrayLike, costs: Costs) -> FloatArray:
    """Return what each case cost, in money, shape (n,).

    Examples
    --------
    >>> case_money([0, 0, 1, 1], [0, 1, 0, 1], Costs(fp=5, fn=95, tp=1))
    array([ 0.,  5., 95.,  1.])
    """
    labels, acted = as_labels(y), as_labels(act, "act")
    require_length(acted, len(labels), "act")
    require_same_order(y, act, "y and act")
    require_rows(costs, len(labels))
    acted_cost = np.where(labels, costs.tp, costs.fp)
    left_cost = np.where(labels, costs.fn, costs.tn)
    return np.where(acted, acted_cost, left_cost).astype(float)


def money(y: npt.ArrayLike, act: npt.ArrayLike, costs: Costs) -> float:
    """Return the total cost of decisions, once the labels are known.

    Parameters
    ----------
    y : array_like, shape (n,)
        Labels, 0 or 1.
    act : array_like, shape (n,)
        Decisions, True = act.
    costs : Costs

    Returns
    -------
    float
        Money; less is better, negative is a net benefit.

    Raises
    ------
    ContractError
        Bad labels or decisions, unequal lengths.

    Examples
    --------
    >>> money([0, 0, 1, 1], [0, 1, 0, 1], Costs(fp=5, fn=95))
    100.0
    """
    return float(case_money(y, act, costs).sum())


def expected_money(p: npt.ArrayLike, act: npt.ArrayLike, costs: Costs) -> float:
    """Return the total cost of decisions that the probabilities lead one to expect.

    Arguments are those of :func:`money`, with calibrated probabilities in place of labels.

    Returns
    -------
    float
        Money.

    Examples
    --------
    >>> expected_money([0.5, 0.5], [True, False], Costs(fp=5, fn=95))
    50.0
    """
    probabilities, acted = as_probabilities(p), as_labels(act, "act")
    require_length(acted, len(probabilities), "act")
    require_same_order(p, act, "p and act")
    require_rows(costs, len(probabilities))
    return float(_expected_by_case(probabilities, acted, costs).sum())


def decide_frame(
    frame: pd.DataFrame, p: str = "p", cost_fp: str | float = "cost_fp", cost_fn: str | float = "cost_fn"
) -> pd.DataFrame:
    """Return the reader's table with a decision for each row.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per case; it is not changed.
    p : str
        Column of calibrated probabilities.
    cost_fp, cost_fn : str or float
        A column of money per case, or one number for all rows.

    Returns
    -------
    pandas.DataFrame
        A copy with ``threshold``, ``act`` and ``expected_cost`` (money); such columns of its own are
        replaced.

    Raises
    ------
    ContractError
        A missing column, no rows, bad probabilities or costs.

    Examples
    --------
    >>> orders = pd.DataFrame({"p": [0.02, 0.2], "cost_fp": [5, 5], "cost_fn": [95, 95]})
    >>> decide_frame(orders)[["threshold", "act", "expected_cost"]]
       threshold    act  expected_cost
    0       0.05  False            1.9
    1       0.05   True            4.0
    """
    names = [p, *(name for name in (cost_fp, cost_fn) if isinstance(name, str))]
    require_columns(frame, names, "frame")
    probabilities = as_probabilities(frame[p], f"column {p!r}")
    amounts = [
        as_costs(frame[cost], f"column {cost!r}") if isinstance(cost, str) else as_costs(cost, name)
        for cost, name in ((cost_fp, "cost_fp"), (cost_fn, "cost_fn"))
    ]
    costs = Costs(*amounts)
    act = decide(probabilities, costs)
    expected = _expected_by_case(probabilities, act, costs)
    return frame.assign(threshold=costs.threshold, act=act, expected_cost=expected)


def require_rows(costs: Costs, n: int) -> None:
    """Refuse costs per case that are not n long."""
    if costs.n is not None and costs.n != n:
        refuse("costs", f"one number or {n} long", f"{costs.n} rows", "take all arguments from one table")


def _expected_by_case(p: FloatArray, act: BoolArray, costs: Costs) -> FloatArray:
    acted_cost = p * costs.tp + (1 - p) * costs.fp
    left_cost = p * costs.fn + (1 - p) * costs.tn
    return np.where(act, acted_cost, left_cost)


def _require_dearer(mistake: Amount, right: Amount, mistake_name: str, right_name: str) -> None:
    wrong = np.atleast_1d(np.asarray(mistake <= right))
    if wrong.any():
        row = int(np.argmax(wrong))
        pair = [np.broadcast_to(part, wrong.shape)[row] for part in (mistake, right)]
        where = f"{mistake_name}, row {row}" if wrong.size > 1 else mistake_name
        got = f"{pair[0]:g} against {pair[1]:g}"
        refuse(where, f"above {right_name}", got, "make the mistake dearer than the right decision")
