"""The planner of the past in a trial: what goes on if nothing is changed, and so what a new policy is held against."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casebook.contracts import BoolArray, require_columns
from casebook.demand.planner import Planner
from casebook.demand.trial import Trial
from casebook.demand.world import WEEK, World

MEMORY = 4 * WEEK  # days that he has before him


def promoted_days(trial: Trial, promotions: pd.DataFrame, stores: pd.DataFrame) -> BoolArray:
    """Return which days of each cell lie in a promotion.

    Parameters
    ----------
    trial : Trial
    promotions : pandas.DataFrame
        ``sku_id``, ``region``, ``first_day``, ``last_day``; no row, and he knows of none.
    stores : pandas.DataFrame
        ``store_id``, ``region``.

    Returns
    -------
    numpy.ndarray of bool, shape (cells, days)
        Days from 0 to the last one played.

    Raises
    ------
    ContractError
        A missing column.

    Examples
    --------
    >>> from casebook.demand.simulate import simulate
    >>> from casebook.demand.trial import LEAD_IN, cut_trial
    >>> grocer = simulate(World(), 2, 28, np.random.default_rng(0), days=126)
    >>> trial = cut_trial(grocer, 70, LEAD_IN + 28)
    >>> promoted_days(trial, grocer.tables["promotions"], grocer.tables["stores"]).shape[1]
    101
    """
    if len(promotions):
        require_columns(promotions, ["sku_id", "region", "first_day", "last_day"], "promotions")
    require_columns(stores, ["store_id", "region"], "stores")
    regions = stores.set_index("store_id")["region"].astype(str)
    cells = trial.keys.assign(region=regions.loc[trial.keys["store_id"]].to_numpy(), cell=np.arange(len(trial.keys)))
    spans = promotions.assign(region=promotions["region"].astype(str)).merge(cells, on=["sku_id", "region"])
    promoted = np.zeros((len(cells), trial.first_day + trial.wanted.shape[1]), bool)
    for cell, first, last in spans[["cell", "first_day", "last_day"]].itertuples(index=False):
        promoted[cell, max(first, 0) : last + 1] = True
    return promoted


def past_planner(trial: Trial, world: World, promotions: pd.DataFrame, stores: pd.DataFrame) -> Planner:
    """Return the planner who ordered until now, with the last four weeks before him.

    Parameters
    ----------
    trial : Trial
    world : World
        Of which he has the level that he orders up to.
    promotions, stores : pandas.DataFrame
        As in :func:`promoted_days`.

    Returns
    -------
    casebook.demand.planner.Planner
        A policy for :func:`casebook.demand.play.play`.

    Examples
    --------
    >>> from casebook.demand.simulate import simulate
    >>> from casebook.demand.trial import LEAD_IN, cut_trial
    >>> grocer = simulate(World(), 2, 28, np.random.default_rng(0), days=126)
    >>> trial = cut_trial(grocer, 70, LEAD_IN + 28)
    >>> planner = past_planner(trial, World(), grocer.tables["promotions"], grocer.tables["stores"])
    >>> bool((planner.order(70, np.zeros(len(trial.supply))) > 0).all())
    True
    """
    recent = trial.sold[:, -MEMORY:]
    planner = Planner(world, trial.supply, promoted_days(trial, promotions, stores), recent.mean(axis=1))
    for back in range(MEMORY):
        planner.watch(trial.first_day - MEMORY + back, recent[:, back])
    return planner
