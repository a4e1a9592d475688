"""Failure modes of chapter 3 that need more than a cell."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.decisions import Costs, best_cut, decide, money
from casebook.screening.simulate import Desk


def hindsight(
    p: NDArray[np.float64], desk: Desk, costs: Costs, draws: int, cases: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Tune a cut on a few cases and judge it on them and on as many others.

    Parameters
    ----------
    p : numpy.ndarray of float, shape (n,)
        Calibrated probabilities of the desk's cases.
    desk : Desk
        The cases, n of them.
    costs : Costs
        The average costs, learnt on other cases.
    draws : int
        How often this is repeated, each time on other cases.
    cases : int
        Cases to tune on, and as many to judge on; twice as many must be there.
    rng : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    pandas.DataFrame
        A row a draw: what the tuned cut saves against the formula's, in dollars per hundred cases, ``apparent`` on
        the cases it was tuned on and ``honest`` on the others.
    """
    y = desk.cases["y"].to_numpy()
    rows = []
    for _ in range(draws):
        drawn = rng.choice(len(p), size=2 * cases, replace=False)
        seen, unseen = drawn[:cases], drawn[cases:]
        cut = best_cut(y[seen], p[seen], costs).threshold
        rows.append(
            {"apparent": _saved(y[seen], p[seen], cut, costs), "honest": _saved(y[unseen], p[unseen], cut, costs)}
        )
    return pd.DataFrame(rows)


def recalls(desk: Desk, acts: Mapping[str, NDArray[np.bool_]]) -> pd.DataFrame:
    """Count what each policy catches, by case and by dollar, and the good cases that it stops.

    Parameters
    ----------
    desk : Desk
        Labelled cases.
    acts : mapping of str to numpy.ndarray of bool, shape (n,)
        What each policy stops.

    Returns
    -------
    pandas.DataFrame
        A row a policy: ``by count``, ``by dollars`` (shares of the bad), ``good stopped`` (count).
    """
    bad, loss = desk.cases["y"].to_numpy() == 1, desk.cases["cost_fn"].to_numpy()
    rows = {
        name: {
            "by count": (act & bad).sum() / bad.sum(),
            "by dollars": loss[act & bad].sum() / loss[bad].sum(),
            "good stopped": (act & ~bad).sum(),
        }
        for name, act in acts.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index")


def _saved(y: NDArray[np.int64], p: NDArray[np.float64], cut: float, costs: Costs) -> float:
    return 100 * (money(y, decide(p, costs), costs) - money(y, p > cut, costs)) / len(p)
