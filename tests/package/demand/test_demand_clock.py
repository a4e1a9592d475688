"""The hour in which a shelf runs empty has the distribution of the last unit's order."""

import numpy as np
from scipy import stats

from casebook.demand.clock import HOURS, draw_stockout_hour, hour_shares, hours_table
from casebook.demand.world import CATEGORIES, NEVER_OUT, OPENS

DRAWS = 20_000
ALPHA = 1e-4  # chance that a right sampler fails


def by_hand(stock, wanted, category, rng):
    """Draw every order's hour, and take that of the stock's last unit."""
    hours = rng.choice(HOURS, (DRAWS, wanted), p=hour_shares()[category])
    hours.sort(axis=1)
    return hours[:, stock - 1]


def test_the_hour_is_that_of_the_last_unit():
    stock, wanted, category = 3, 7, 0
    rng = np.random.default_rng(1)
    ours = draw_stockout_hour(np.full(DRAWS, stock), np.full(DRAWS, wanted), np.full(DRAWS, category), rng)
    theirs = by_hand(stock, wanted, category, rng)
    table = np.array([np.bincount(one - OPENS, minlength=len(HOURS)) for one in (ours, theirs)])
    assert stats.chi2_contingency(table[:, table.sum(axis=0) > 0]).pvalue > ALPHA
    wrong = by_hand(stock + 2, wanted, category, rng)
    table[1] = np.bincount(wrong - OPENS, minlength=len(HOURS))
    assert stats.chi2_contingency(table[:, table.sum(axis=0) > 0]).pvalue < ALPHA


def test_an_empty_shelf_is_out_at_the_opening_and_a_full_one_never():
    drawn = draw_stockout_hour(np.array([0, 5, 5]), np.array([1, 5, 0]), np.zeros(3, int), np.random.default_rng(0))
    assert drawn.tolist() == [OPENS, NEVER_OUT, NEVER_OUT]


def test_the_table_of_hours_counts_all_units_in_their_shares():
    units = np.full(len(CATEGORIES), 100_000)
    table = hours_table(units, np.random.default_rng(0))
    counts = table["orders"].to_numpy().reshape(len(CATEGORIES), -1)
    assert counts.sum(axis=1).tolist() == units.tolist()
    for row, shares in zip(counts, hour_shares(), strict=True):
        assert stats.chisquare(row, shares * row.sum()).pvalue > ALPHA
