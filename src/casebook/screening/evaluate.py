"""What each policy does on the same cases, and the money that follows, counted case by case.

The junior answer stops above one half; the source's above the cut that would have been cheapest on labelled cases; the
formula's above the threshold of the average cost ratio; the senior's gives each case its own costs and calibrates p
first; the oracle knows the true p.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.decisions import Costs, best_cut, decide, expected_cost_table, expected_money, fit_platt, money
from casebook.screening.models import Scorer
from casebook.screening.simulate import Desk
from casebook.worlds import captured

Acts = NDArray[np.bool_]
FLOOR = -1.0

POLICIES = {
    "nothing": "let all through",
    "everything": "stop all",
    "half": "junior: 0.5",
    "half_calibrated": "0.5, calibrated p",
    "tuned": "source: cheapest cut",
    "class": "formula, p as delivered",
    "calibrated": "formula, calibrated p",
    "case": "senior: own costs",
    "oracle": "oracle",
}


def case_costs(desk: Desk) -> Costs:
    """Return the costs of every case of a desk, arrays of shape (n,), dollars."""
    return Costs(fp=desk.cases["cost_fp"].to_numpy(), fn=desk.cases["cost_fn"].to_numpy())


def class_costs(desk: Desk) -> Costs:
    """Return one pair of costs for all cases: the mean false alarm, and the mean loss of the bad cases seen.

    This is what "a fraud costs us a hundred false alarms" means when it is measured: on labelled cases.
    """
    bad = desk.cases["y"].to_numpy() == 1
    return Costs(fp=float(desk.cases["cost_fp"].mean()), fn=float(desk.cases.loc[bad, "cost_fn"].mean()))


def act_all_ways(score: Scorer, validation: Desk, test: Desk) -> dict[str, Acts]:
    """Return what each policy of ``POLICIES`` does on the test cases.

    The cost ratio, the cheapest cut and the calibration are learnt on ``validation``; nothing is learnt on ``test``.

    Parameters
    ----------
    score : callable
        The fitted model, from cases to probabilities.
    validation, test : Desk
        Cases that the model has not seen.

    Returns
    -------
    dict of str to numpy.ndarray of bool, shape (n,)
        True where the policy stops the case.
    """
    p, average = score(test.cases), class_costs(validation)
    calibrate = fit_platt(validation.cases["y"].to_numpy(), score(validation.cases))
    mended = calibrate(p)
    none = np.zeros(len(p), dtype=bool)
    return {
        "nothing": none,
        "everything": ~none,
        "half": p > 0.5,
        "half_calibrated": mended > 0.5,
        "tuned": p > best_cut(validation.cases["y"].to_numpy(), score(validation.cases), average).threshold,
        "class": decide(p, average),
        "calibrated": decide(mended, average),
        "case": decide(mended, case_costs(test)),
        "oracle": decide(test.p, case_costs(test)),
    }


def bill(test: Desk, acts: Mapping[str, Acts]) -> dict[str, float]:
    """Return the dollars that each policy costs on the test cases, on average over the luck of the labels.

    Every case counts at its own cost and its true probability: ``(1 - p) cost_fp`` if it is stopped, ``p cost_fn``
    if it is let through. The policies never see that p; only the oracle does, which is why none can beat it.
    """
    return {name: expected_money(test.p, act, case_costs(test)) for name, act in acts.items()}


def shares(dollars: Mapping[str, float]) -> dict[str, float]:
    """Return the share of (oracle less do nothing) that each policy captures, cut off at ``FLOOR``.

    Where the oracle can gain next to nothing, a bad policy loses hundreds of times that, and one such world would
    drown the mean of all others. A policy that loses as much as the oracle gains is bad enough: it counts as -1.
    """
    share = {name: float(captured(cost, dollars["nothing"], dollars["oracle"])) for name, cost in dollars.items()}
    return {name: max(value, FLOOR) for name, value in share.items()}


def money_table(test: Desk, acts: Mapping[str, Acts]) -> pd.DataFrame:
    """Return a row per policy: what it did on these labelled cases, and what it costs.

    Returns
    -------
    pandas.DataFrame
        Index: the policy in words. Columns ``stopped``, ``good stopped``, ``bad missed`` (counts), ``paid``
        (dollars on these very labels), ``expected`` (dollars over the luck of the labels, see :func:`bill`),
        ``captured`` (share of oracle less do nothing, of the expected dollars).
    """
    y, costs, expected = test.cases["y"].to_numpy() == 1, case_costs(test), bill(test, acts)
    captured_share = shares(expected)
    rows = {
        POLICIES.get(name, name): {
            "stopped": int(act.sum()),
            "good stopped": int((act & ~y).sum()),
            "bad missed": int((~act & y).sum()),
            "paid": money(y, act, costs),
            "expected": expected[name],
            "captured": captured_share[name],
        }
        for name, act in acts.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def tiered_bill(test: Desk, p: NDArray[np.float64], code: float, stopped: float) -> pd.Series:
    """Return the bill of passing, asking for a code or stopping, each case by its own costs.

    Parameters
    ----------
    test : Desk
        The cases.
    p : numpy.ndarray of float, shape (n,)
        Probabilities that the rule goes by; the bill goes by the true ones.
    code : float
        What asking costs on a good case, dollars.
    stopped : float
        Share of bad cases that the code stops.

    Returns
    -------
    pandas.Series
        ``expected`` dollars, and the shares of all cases ``asked`` and ``refused``.
    """
    costs = case_costs(test)
    loss = np.broadcast_to(costs.fn, len(p))
    if_bad = np.column_stack([loss, (1 - stopped) * loss, np.zeros(len(p))])
    if_good = np.column_stack([np.zeros(len(p)), np.full(len(p), code), np.broadcast_to(costs.fp, len(p))])
    action = expected_cost_table(p, if_good, if_bad).argmin(axis=1)
    paid = expected_cost_table(test.p, if_good, if_bad)[np.arange(len(p)), action].sum()
    return pd.Series({"expected": paid, "asked": (action == 1).mean(), "refused": (action == 2).mean()})
