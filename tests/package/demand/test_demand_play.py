"""Orders become stock and stock becomes sales: nothing is lost or made, nobody sees tomorrow, and by hand it agrees."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.decisions.fractile import newsvendor_cost
from casebook.demand.ledger import Costs, money_table
from casebook.demand.play import due_cells, fresh_newsvendor, play
from casebook.demand.policies import Level, Nothing
from casebook.demand.shelf import Supply

# Dollars are sums of a few thousand products of whole units and cents.
DOLLARS = 1e-6


def shop(cells=1, life=30, pack=1, review=7, lead=3, price=4.0, cost=2.5, salvage=0.5, group=None):
    one = np.ones(cells, np.int64)
    groups = np.arange(cells) if group is None else np.asarray(group)
    money = (one * float(price), one * float(cost), one * float(salvage))
    return Supply(groups, one * life, one * pack, one * review, one * lead, *money)


def rng():
    return np.random.default_rng(7)


class Wild:
    """Orders anything, and notes what it was shown."""

    def __init__(self, seed):
        self.rng, self.seen = np.random.default_rng(seed), []

    def order(self, day, position):
        self.seen.append((day, position.copy()))
        return self.rng.normal(5, 10, len(position))

    def watch(self, day, sold):
        self.seen.append((day, sold.copy()))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 25), st.booleans(), st.floats(0, 1))
def test_units_are_neither_lost_nor_made(seed, cells, days, daily, recapture):
    draw = np.random.default_rng(seed)
    supply = shop(cells, 30, 1, 1 if daily else 7, 1 if daily else 3, group=draw.integers(0, 2, cells))
    supply = replace(supply, shelf_life=draw.choice([1, 2, 5, 22, 365], cells), case_pack=draw.integers(1, 13, cells))
    wanted, stock = draw.poisson(3.0, (cells, days)), draw.integers(0, 20, cells)
    ledger = play(wanted, supply, Wild(seed), 7, stock, draw, recapture, lead_in=days // 2)
    part, course = ledger.cells, ledger.course
    start, gone = part["stock_start"] + part["delivered"], part["sold"] + part["waste"]
    assert (start == gone + part["stock_end"]).all()
    flow = course["delivered"] - course["sold"] - course["waste"]
    assert (stock[:, None] + flow.cumsum(axis=1) == course["stock"]).all()
    assert (course["own"] + course["moved"] + course["lost"] == wanted).all()
    assert course["moved"].sum() == course["instead"].sum()
    assert (course["ordered"] % supply.case_pack[:, None] == 0).all()
    for name, values in course.items():
        assert (values >= 0).all(), name


@pytest.mark.parametrize(("review", "lead"), [(7, 3), (1, 1), (7, 9)])
def test_orders_arrive_when_they_should(review, lead):
    course = play(np.full((1, 28), 2), shop(review=review, lead=lead), Level([40]), 0, np.array([9]), rng(), 0.0).course
    ordered, delivered = course["ordered"][0], course["delivered"][0]
    assert (delivered[lead:] == ordered[:-lead]).all() and delivered[:lead].sum() == 0
    assert all(day % review == 0 for day in np.flatnonzero(ordered))


def test_position_counts_what_is_on_its_way():
    """Nine days of lead: the Monday's order is under way on the next one, which orders nothing more."""
    wild = Wild(0)
    wild.order = lambda day, position: wild.seen.append((day, position.copy())) or 40 - position
    play(np.zeros((1, 14), int), shop(lead=9), wild, 0, np.array([0]), rng(), 0.0)
    assert [int(position[0]) for day, position in wild.seen if day in (0, 7)][::2] == [0, 40]


def test_mixed_cells_are_ordered_on_their_own_days():
    supply = replace(shop(2), review_days=np.array([1, 7]), lead_days=np.array([1, 3]))
    assert [due_cells(supply, day).tolist() for day in (0, 1, 7)] == [[True, True], [True, False], [True, True]]


def test_a_policy_sees_nothing_of_tomorrow():
    """Other customers from day 10 on: what it was shown and what it ordered until then is the same."""
    draw = np.random.default_rng(3)
    one = draw.poisson(4, (5, 21))
    other = np.concatenate([one[:, :10], draw.poisson(40, (5, 11))], axis=1)
    seen, orders = [], []
    for wanted in (one, other):
        wild = Wild(1)
        ledger = play(wanted, shop(5, review=1, lead=1, group=[0, 0, 1, 1, 1]), wild, 0, np.full(5, 4), rng(), 0.5)
        orders.append(ledger.course["ordered"][:, :11])
        seen.append([(day, tuple(values)) for day, values in wild.seen if day < 10])
    assert seen[0] == seen[1]
    assert (orders[0] == orders[1]).all()


def test_all_policies_meet_the_same_customers():
    """Who would take another product is drawn anyway: a full and an empty shelf leave the same draws behind."""
    wanted = np.random.default_rng(0).poisson(5, (4, 14))
    after = []
    for units in (0, 1_000):
        draws = rng()
        play(wanted, shop(4, review=1, lead=1), Level(np.full(4, units)), 0, np.zeros(4, int), draws, 0.3)
        after.append(draws.random())
    assert after[0] == after[1]


def test_recapture_is_the_share_that_takes_another():
    """One product has none, its substitute has plenty: 20,000 are unserved; five standard errors."""
    wanted = np.array([[100] * 200, [0] * 200])
    stock = np.array([0, 10**6])
    part = play(wanted, shop(2, life=365, group=[0, 0]), Nothing(), 0, stock, rng(), 0.3).cells
    assert abs(part["moved"][0] / 20_000 - 0.3) < 5 * np.sqrt(0.3 * 0.7 / 20_000)
    assert part["goodwill_cost"][0] == part["lost"][0] and part["goodwill_cost"][1] == 0  # a dollar each, not of moved
    assert part["lost"][0] + part["moved"][0] == 20_000 and part["instead"][1] == part["moved"][0]


def test_money_by_hand():
    """Three days: 4 of 6 sold, 2 thrown away; then nothing on the shelf and 3 lost; then nothing wanted."""
    supply = shop(life=1, review=1, lead=1)
    wanted = np.array([[4, 3, 0]])
    totals = play(wanted, supply, Nothing(), 0, np.array([6]), rng(), 0.0, Costs(1.25, 0.01)).totals
    assert totals["revenue"] == pytest.approx(16, abs=DOLLARS)
    assert totals["margin"] == pytest.approx(4 * 1.5, abs=DOLLARS)
    assert totals["waste_cost"] == pytest.approx(2 * 2.0, abs=DOLLARS)
    assert totals["goodwill_cost"] == pytest.approx(3 * 1.25, abs=DOLLARS)
    assert totals["holding_cost"] == 0
    assert totals["net"] == pytest.approx(6 - 4 - 3.75, abs=DOLLARS)
    assert totals["out_rate"] == pytest.approx(1 / 3) and totals["fill_rate"] == pytest.approx(4 / 7)
    assert totals["waste_share"] == pytest.approx(2 / 6)


def test_holding_is_paid_for_each_night():
    part = play(np.array([[1, 1, 1]]), shop(), Nothing(), 0, np.array([5]), rng(), 0.0, Costs(0, 0.01)).cells
    assert part["nights"][0] == 4 + 3 + 2
    assert part["holding_cost"][0] == pytest.approx(9 * 2.5 * 0.01, abs=DOLLARS)


def test_the_price_asked_is_what_is_paid():
    price = np.array([[4.0, 3.0, 2.0]])
    args = (np.array([[1, 1, 1]]), shop(), Nothing(), 0, np.array([5]), rng(), 0.0)
    assert play(*args, price=price).totals["revenue"] == pytest.approx(9, abs=DOLLARS)


def test_a_lead_in_does_not_count_but_is_played():
    args = (np.array([[2, 2, 2, 1]]), shop(), Nothing(), 0, np.array([7]), rng(), 0.0)
    part = play(*args, lead_in=3).cells
    assert part[["wanted", "sold", "lost", "stock_start", "stock_end", "days"]].loc[0].tolist() == [1, 1, 0, 1, 0, 1]


def test_daily_net_adds_up():
    wanted = np.random.default_rng(1).poisson(3, (6, 21))
    ledger = play(wanted, shop(6), Level(np.full(6, 30)), 0, np.full(6, 10), rng(), 0.2, lead_in=3)
    assert len(ledger.daily_net) == 18
    assert ledger.daily_net.sum() == pytest.approx(ledger.totals["net"], abs=DOLLARS)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(0, 12))
def test_one_day_alone_is_the_newsvendor(seed, order):
    """Of a life of one day, ordered anew each day: the ideal margin less the net is the newsvendor's cost."""
    wanted = np.random.default_rng(seed).poisson(5, (1, 30))
    supply, costs = shop(life=1, review=1, lead=1), Costs(goodwill=0.7, holding=0.0)
    part = play(wanted, supply, Level([order], forgets=True), 0, np.array([0]), rng(), 0.0, costs, lead_in=1).cells
    later = wanted[:, 1:]
    cost = newsvendor_cost(later, order, cost_under=1.5 + 0.7, cost_over=2.0)
    assert later.sum() * 1.5 - part["net"][0] == pytest.approx(np.sum(cost), abs=DOLLARS)


def test_one_week_alone_is_the_newsvendor_and_the_fresh_count():
    """Of a life of a week, ordered on Mondays whatever is there: week by week the same as the source's count."""
    wanted = np.random.default_rng(5).poisson(4, (3, 3 + 7 * 6))
    supply, costs = shop(3, life=7), Costs(goodwill=0.5, holding=0.0)
    part = play(wanted, supply, Level([20, 28, 40], forgets=True), 0, np.zeros(3, int), rng(), 0.0, costs, 3).cells
    count = fresh_newsvendor(wanted, supply, Level([20, 28, 40]), 0, 2.0, 2.0)
    assert count["periods"].tolist() == [6, 6, 6]
    assert (part["lost"] == count["short"]).all() and (part["waste"] == count["over"]).all()
    ideal = part["wanted"] * 1.5
    np.testing.assert_allclose(ideal - part["net"], count["cost"], atol=DOLLARS)


def test_the_fresh_count_takes_each_cell_by_its_calendar():
    supply = replace(shop(2), review_days=np.array([1, 7]), lead_days=np.array([1, 3]))
    wanted = np.arange(2 * 17).reshape(2, 17)
    count = fresh_newsvendor(wanted, supply, Level([0, 0]), 0, 1.0, 1.0)
    assert count["periods"].tolist() == [16, 2]
    assert count["wanted"].tolist() == [wanted[0, 1:].sum(), wanted[1, 3:].sum()]


def test_carry_over_is_what_the_fresh_count_does_not_see():
    """What keeps is sold next week: the same orders cost less than the count says."""
    wanted = np.random.default_rng(6).poisson(4, (20, 3 + 70))
    one = np.full(20, 30)
    kept = play(wanted, shop(20, life=365), Level(one + 12), 0, one, rng(), 0.0, Costs(0.5, 0.0), 3).totals
    count = fresh_newsvendor(wanted, shop(20), Level(one), 0, 2.0, 2.0)
    assert kept["wanted"] * 1.5 - kept["net"] < count["cost"].sum() / 2


def test_a_table_says_what_is_captured():
    wanted = np.random.default_rng(1).poisson(3, (6, 31))
    levels = {"nothing": 0, "last week": 20, "middle": 30, "oracle": 40}
    ledgers = {
        name: play(wanted, shop(6, life=365), Level(np.full(6, level)), 0, np.full(6, 9), rng(), 0.0, lead_in=3)
        for name, level in levels.items()
    }
    table = money_table(ledgers, weeks=4)
    assert table.loc[["nothing", "oracle"], "captured"].tolist() == [0, 1]
    assert table.loc[["last week", "oracle"], "captured_week"].tolist() == [0, 1]
    net = {name: ledger.totals["net"] for name, ledger in ledgers.items()}
    share = (net["middle"] - net["nothing"]) / (net["oracle"] - net["nothing"])
    assert table.loc["middle", "captured"] == pytest.approx(share)
    assert table.loc["middle", "net"] == pytest.approx(net["middle"] / 4)
    alone = money_table({"middle": ledgers["middle"]})
    assert np.isnan(alone.loc["middle", "captured"])


def with_policy(value):
    policy = Level([1.0])
    policy.order = lambda day, position: value
    return policy


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"wanted": np.full((1, 7), 1.5)},
            "wanted must be whole units, 0 or more, of shape (1, days), got float64 of shape (1, 7); give one row a "
            "cell of the supply.",
        ),
        ({"first_day": 3}, "first_day must be a Monday, a multiple of 7, got 3; start on an order day."),
        ({"stock": np.array([1, 2])}, "stock must be of shape (1,), got shape (2,); give one count a cell."),
        ({"recapture": 40.0}, "recapture must be a share in [0, 1], got 40; divide percentages by 100."),
        ({"lead_in": 7}, "lead_in must be 0 or more and below the 7 days played, got 7; play more days."),
        (
            {"policy": with_policy(np.array([np.nan]))},
            "the order of day 0 must be 1 finite numbers, got a missing or infinite one; return units for every cell.",
        ),
        (
            {"policy": with_policy(np.array([1.0, 2.0]))},
            "the order of day 0 must be 1 finite numbers, got shape (2,); return units for every cell.",
        ),
    ],
)
def test_what_cannot_be_played(change, text):
    good = {"wanted": np.ones((1, 7), int), "supply": shop(), "policy": Level([1.0]), "first_day": 0}
    good |= {"stock": np.array([1]), "rng": rng(), "recapture": 0.0}
    with pytest.raises(ContractError) as error:
        play(**(good | change))
    assert str(error.value) == text


@pytest.mark.parametrize(
    ("costs", "text"),
    [
        ({"goodwill": -1}, "Costs, goodwill must be 0 or more, got -1; give dollars, or a share of the cost a day."),
        (
            {"holding": np.inf},
            "Costs, holding must be 0 or more, got inf; give dollars, or a share of the cost a day.",
        ),
    ],
)
def test_costs_that_are_none(costs, text):
    with pytest.raises(ContractError) as error:
        Costs(**costs)
    assert str(error.value) == text
