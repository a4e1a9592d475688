"""The planner of the past in a trial: what he knows of promotions, and that he orders as a twin of his rule does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.demand.past_planner import MEMORY, past_planner, promoted_days
from casebook.demand.simulate import simulate
from casebook.demand.trial import LEAD_IN, cut_trial
from casebook.demand.world import World

GUESS = np.array([0.8, 0.8, 0.85, 0.95, 1.2, 1.3, 1.1])


@pytest.fixture(scope="module")
def grocer():
    return simulate(World(), 3, 28, np.random.default_rng(4), days=140)


@pytest.fixture(scope="module")
def trial(grocer):
    return cut_trial(grocer, 70, LEAD_IN + 28)


def known(grocer):
    return grocer.tables["promotions"], grocer.tables["stores"]


def test_the_days_promoted_are_those_on_which_the_price_is_lower(grocer, trial):
    promoted = promoted_days(trial, *known(grocer))
    listed = grocer.tables["products"].set_index("sku_id")["price_cents"].loc[trial.keys["sku_id"]].to_numpy() / 100
    lower = trial.price < listed[:, None] - 0.005
    assert 0 < lower.mean() < 0.5
    np.testing.assert_array_equal(promoted[:, trial.first_day :], lower)
    none, stores = known(grocer)[0].iloc[:0], known(grocer)[1]
    assert not promoted_days(trial, none, stores).any()


@pytest.mark.parametrize("ahead", [0, 7, 3])
def test_he_orders_as_his_rule_says(grocer, trial, ahead):
    day, position = trial.first_day + ahead, np.arange(len(trial.supply))
    ordered = past_planner(trial, World(), *known(grocer)).order(day, position)
    promoted, supply = promoted_days(trial, *known(grocer)), trial.supply
    for cell in range(len(supply)):
        daily = supply.review_days[cell] == 1
        days = np.arange(day, day + (2 if daily else 10))
        factor = GUESS[days % 7].mean() * (1 + 0.6 * promoted[cell, days].mean())
        reach = supply.review_days[cell] + supply.lead_days[cell]
        level = max(World().stock_level * trial.sold[cell, -MEMORY:].mean() * reach * factor, 1)
        need = max(level - position[cell], 0) / supply.case_pack[cell]
        due = daily or day % 7 == 0
        assert ordered[cell] == (np.ceil(need - 1e-9) * supply.case_pack[cell] if due else 0)


def test_what_was_sold_in_four_weeks_is_all_that_he_remembers(grocer, trial):
    nothing = np.zeros(len(trial.supply))
    first = past_planner(trial, World(), *known(grocer)).order(70, nothing)
    sold = trial.sold.copy()
    sold[:, :-MEMORY] += 50
    np.testing.assert_array_equal(
        past_planner(replace(trial, sold=sold), World(), *known(grocer)).order(70, nothing), first
    )
    sold[:, -MEMORY] += 50
    assert (past_planner(replace(trial, sold=sold), World(), *known(grocer)).order(70, nothing) > first).any()


def test_a_table_without_regions_is_refused_in_one_sentence(grocer, trial):
    promotions, stores = known(grocer)
    with pytest.raises(ContractError, match="region"):
        promoted_days(trial, promotions.drop(columns="region"), stores)
    with pytest.raises(ContractError, match="region"):
        promoted_days(trial, promotions, pd.DataFrame({"store_id": stores["store_id"]}))
