"""The newsvendor's answer is right in his own world, and which way each limit moves it."""

import numpy as np
import pytest

from casebook.contracts import ContractError
from casebook.decisions.fractile import money_of_orders
from casebook.demand.ledger import Costs
from casebook.demand.newsvendor_limits import SETTINGS, WARM_UP, Product, Setting, limits_table, play_setting

# Mean cost of 80 cells over 26 weeks: its standard error is about 1.5% of it.
SAMPLED = 0.06
CELLS, WEEKS = 80, 26


@pytest.fixture(scope="module")
def table():
    return limits_table(Product(), Costs(), np.random.default_rng(0))


def test_in_his_own_world_the_newsvendor_is_right():
    """His cost at each quantile is that of the closed form, so its lowest point is too."""
    product, costs = Product(), Costs(goodwill=1.0, holding=0.0)
    wanted = product.demand(1).rvs((CELLS, WARM_UP + 7 * WEEKS), random_state=np.random.default_rng(1))
    taus = [0.3, 0.5, 0.8]
    played = play_setting(Setting(), product, taus, wanted, costs)
    found = (played["wanted"] * 1.2 - played["net"]) / CELLS / WEEKS
    week = product.demand(7)
    orders = {str(tau): float(week.ppf(tau)) for tau in taus}
    expected = money_of_orders(week, orders, 1.2 + 1.0, 2.8 - 0.4)["cost"]
    np.testing.assert_allclose(found, expected, rtol=SAMPLED)


def test_the_sum_of_days_is_what_is_said():
    days = Product(daily=3.0, dispersion=0.4).demand(7)
    assert days.mean() == pytest.approx(21) and days.var() == pytest.approx(7 * (3 + 0.4 * 9))


def test_each_limit_moves_the_answer_its_way(table):
    best = table["best_tau"]
    assert abs(best["newsvendor"] - table.loc["newsvendor", "fractile"]) < 0.1
    assert best["newsvendor"] < best["two weeks' life"] <= best["three weeks' life"] <= best["keeps"]
    assert best["three weeks' life, case pack"] <= best["three weeks' life"]
    assert (table["lost"] >= 0).all() and table.loc["newsvendor", "lost"] < SAMPLED
    assert list(table.index) == list(SETTINGS)


def test_what_keeps_longer_costs_less(table):
    cost = table.loc[["newsvendor", "two weeks' life", "three weeks' life", "keeps"], "cost_at_best"]
    assert (np.diff(cost) < 0).all()
    assert table.loc["keeps", "waste_share"] == 0


def test_units_are_played_by_the_case():
    wanted = np.full((3, WARM_UP + 28), 2)
    played = play_setting(Setting(case_pack=12), Product(), [0.5], wanted, Costs())
    assert (played["delivered"] % 12 == 0).all() and (played["delivered"] > 0).all()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"salvage": 3.0},
            "salvage, cost and price must be rising, from 0 on, got 3, 2.8 and 4; check which is which.",
        ),
        ({"daily": 0.0}, "Product, daily must be above 0, got 0; give units, or a small dispersion."),
        ({"dispersion": -1.0}, "Product, dispersion must be above 0, got -1; give units, or a small dispersion."),
    ],
)
def test_products_that_are_none(change, text):
    with pytest.raises(ContractError) as error:
        Product(**change)
    assert str(error.value) == text
