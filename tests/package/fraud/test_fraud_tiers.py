"""Expected costs against a replay of what actions do, cuts against a search over p, and what is refused."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.fraud.outcomes import STOPPED, friction, loss_if_passed, play
from casebook.fraud.prices import Asking, Prices
from casebook.fraud.stakes import Stakes, see_stakes
from casebook.fraud.tiers import (
    JUNIOR,
    ONE_CUT,
    SOURCE,
    TWO_CUTS,
    WITHOUT_PUSH,
    LeastCost,
    Tiers,
    costs_that_fit,
    fitting_friction,
    least_cost,
    mean_cuts,
    push_limit,
)
from casebook.fraud.world import ACTIONS, ALL_KINDS, CHANNELS, DAY, ENTRIES, Friction, World

COSTS = Friction(push=0.3, call=4.0, block=9.0, margin=0.02, fee=11.0, reissue=6.0)
STAKES = Stakes(sale=60.0, loss=170.0, rest=180.0)
PRICES = Prices(Friction(), Asking(), STAKES)
N = 200_000

share = st.floats(0, 1)
dollars = st.floats(0.01, 500)


def events_of(cents, entry):
    channel = np.array([0, 0, 0, 0, 1, 1, 2])[entry]
    return pd.DataFrame(
        {
            "amount_cents": np.asarray(cents),
            "entry": pd.Categorical.from_codes(entry, list(ENTRIES)),
            "channel": pd.Categorical.from_codes(channel, list(CHANNELS)),
        }
    )


@pytest.mark.parametrize("action", range(4))
@pytest.mark.parametrize("kind", ["honest", "card_testing", "account_takeover"])
def test_expected_costs_are_the_means_of_what_is_played(action, kind):
    """Each event is on a card of its own, so that nothing but the event itself is counted: no rest, no lost sales."""
    rng = np.random.default_rng(action)
    world = World(push_slip=0.05, call_slip=0.03, push_confirm=0.6, call_confirm=0.4, costs=COSTS)
    cents, entry = rng.integers(100, 60_000, N), rng.integers(0, len(ENTRIES), N).astype(np.int8)
    events = events_of(cents, entry)
    code = -1 if kind == "honest" else ALL_KINDS.index(kind)
    who, actions = np.full(N, code, np.int8), np.full(N, action, np.int8)
    played = play(world, actions, np.arange(N), who, rng.random(N, np.float32), np.zeros(N, bool))
    channel = events["channel"].cat.codes.to_numpy()
    paid = friction(COSTS, played, cents, channel, who < 0)
    lost = np.where((who >= 0) & (played.outcome == 0), loss_if_passed(COSTS, cents, entry, channel), 0.0)
    told = Asking.of(world) if kind == "honest" else _asking_of(world, code)
    negative, positive = Prices(COSTS, told, Stakes(sale=0.0, loss=0.0)).of(events)
    gap = paid + lost - (negative if kind == "honest" else positive)[:, action]
    assert abs(gap.mean()) <= 4 * gap.std() / np.sqrt(N) + 1e-9


@pytest.mark.parametrize("action", range(4))
def test_the_rest_is_what_a_fraud_costs_unless_it_stops_the_card(action):
    """Two attempts on each card, the second allowed: what it costs is the rest of the first."""
    rng = np.random.default_rng(7)
    world, cards = World(costs=COSTS), 60_000
    card = np.repeat(np.arange(cards), 2)
    actions = np.tile(np.array([action, 0], np.int8), cards)
    played = play(world, actions, card, np.zeros(2 * cards, np.int8), rng.random(2 * cards, np.float32), card < 0)
    first, second = played.outcome[::2] == 0, played.outcome[1::2] != STOPPED
    cost = 100.0 * first + 40.0 * second
    asking = _asking_of(world, 0)
    expected = Prices(COSTS, asking, Stakes(sale=0.0, loss=0.0, rest=40.0)).table(0.0, loss=100.0, entry="typed")
    gap = cost - expected["if_positive"].iloc[action]
    assert abs(gap.mean()) <= 4 * gap.std() / np.sqrt(cards) + 1e-9


def _asking_of(world, kind):
    from casebook.fraud.outcomes import pass_shares

    passed = {way: float(pass_shares(getattr(world, way))[kind]) for way in ("push_pass", "call_pass")}
    return replace(Asking.of(world), **passed)


def test_an_honest_holder_who_is_stopped_costs_the_sales_until_his_new_card():
    more = replace(STAKES, lost_sales=250.0)
    before, after = PRICES.mean_table(), replace(PRICES, stakes=more).mean_table()
    added = after - before
    assert added["if_negative"].tolist() == pytest.approx([0.0, 0.004 * 3.75, 0.002 * 3.75, 3.75])
    assert added["if_positive"].tolist() == pytest.approx([0.0, 0.8 * 0.7 * 3.75, 0.9 * 0.7 * 3.75, 3.75])


@settings(max_examples=60, deadline=None)
@given(
    st.tuples(dollars, dollars, dollars), share, share, st.floats(0, 500), st.floats(0, 500),
    st.sampled_from([ACTIONS, ONE_CUT, TWO_CUTS, WITHOUT_PUSH]),
)  # fmt: skip
def test_cuts_are_those_of_a_search_over_p(friction_of, push_pass, call_pass, loss, rest, among):
    costs = Friction(**dict(zip(("push", "call", "block"), friction_of, strict=True)))
    prices = Prices(costs, Asking(push_pass=push_pass, call_pass=call_pass), Stakes(60.0, loss, rest))
    table = prices.mean_table().loc[list(among)]
    grid = np.linspace(0, 1, 801)
    cost = np.outer(1 - grid, table["if_negative"]) + np.outer(grid, table["if_positive"])
    chosen = Tiers.of(mean_cuts(prices, among))(grid)
    paid = cost[np.arange(len(grid)), [list(among).index(ACTIONS[code]) for code in chosen]]
    np.testing.assert_allclose(paid, cost.min(axis=1), rtol=1e-9, atol=1e-9)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 2_000_000), st.sampled_from(range(7)), share, st.sampled_from([ACTIONS, TWO_CUTS]))
def test_least_cost_of_one_event_is_its_own_envelope(cents, entry, p, among):
    prices = Prices(COSTS, Asking(), Stakes(60.0, 100.0, tuple(range(10, 80, 10)), 200.0))
    events = events_of([cents], np.array([entry], np.int8))
    negative, positive = prices.of(events)
    costs = {name: (1 - p) * negative[0, i] + p * positive[0, i] for i, name in enumerate(ACTIONS) if name in among}
    chosen = ACTIONS[least_cost([p], events, prices, among)[0]]
    assert costs[chosen] == pytest.approx(min(costs.values()), abs=1e-9)
    sale = 0.0 if entry == 6 else cents / 100
    loss = float(
        loss_if_passed(COSTS, np.array([cents]), *(events[c].cat.codes.to_numpy() for c in ("entry", "channel")))[0]
    )
    one = prices.table(sale, loss, entry=ENTRIES[entry])
    np.testing.assert_allclose(one.to_numpy(), np.column_stack([negative[0], positive[0]]))


def test_the_larger_the_amount_the_sooner_the_action():
    events = events_of([500, 5_000, 50_000, 500_000], np.zeros(4, np.int8))
    prices = replace(PRICES, stakes=replace(STAKES, rest=0.0))
    grid = np.linspace(0, 1, 2_001)
    begins = [
        grid[np.argmax(least_cost(grid, events.iloc[[row] * len(grid)], prices, ONE_CUT) > 0)] for row in range(4)
    ]
    assert begins == sorted(begins, reverse=True) and begins[0] > 2 * begins[-1]


def test_a_call_that_is_never_cheapest_is_named():
    assert mean_cuts(PRICES).dominated == ("call",)
    assert Tiers.of(mean_cuts(PRICES)) == Tiers.of(mean_cuts(PRICES, TWO_CUTS))
    cheap = replace(PRICES, costs=Friction(call=0.0, margin=0.0))
    assert "push" in mean_cuts(cheap).dominated


def test_where_all_actions_cost_the_same_only_the_block_is_left():
    """The null world of more than one cut: nothing is milder than a block, and nothing stops as much."""
    flat = replace(PRICES, costs=Friction(push=9, call=9, block=9, margin=0, reissue=0))
    assert mean_cuts(flat).actions == ("allow", "block")
    assert mean_cuts(flat).dominated == ("push", "call")
    free = replace(PRICES, costs=Friction(push=0, call=0, block=0, margin=0, reissue=0))
    assert Tiers.of(mean_cuts(free))([0.0, 0.5]).tolist() == [3, 3]


def test_where_every_push_is_passed_the_push_is_worth_nothing():
    blind = replace(PRICES, asking=replace(PRICES.asking, push_pass=1.0))
    assert mean_cuts(blind).actions == mean_cuts(blind, WITHOUT_PUSH).actions
    assert mean_cuts(blind, TWO_CUTS).actions == ("allow", "block")


def test_the_push_limit_parts_worth_from_worthless():
    for costs in (Friction(), Friction(push=2, block=4), Friction(push=30)):
        prices = replace(PRICES, costs=costs)
        limit = push_limit(prices, TWO_CUTS)
        for passed, there in ((limit - 1e-6, True), (limit + 1e-6, False)):
            if 0 <= passed <= 1:
                tried = replace(prices, asking=replace(prices.asking, push_pass=passed))
                assert ("push" in mean_cuts(tried, TWO_CUTS).actions) == there
    assert push_limit(replace(PRICES, costs=Friction(push=30)), TWO_CUTS) == pytest.approx(0, abs=1e-9)


def test_the_sources_cuts_are_right_for_the_bank_whose_costs_fit_them():
    fits = replace(PRICES, costs=costs_that_fit(SOURCE, PRICES))
    found = mean_cuts(fits)
    assert found.actions == ACTIONS
    np.testing.assert_allclose(found.cuts, [0.01, 0.5, 0.9])
    fitting = fitting_friction(SOURCE, fits)
    np.testing.assert_allclose(fitting["needed"], fitting["own"])


def test_no_friction_fits_a_cut_to_an_action_that_saves_less():
    worse = replace(PRICES, asking=Asking(push_pass=0.1, call_pass=0.4))
    with pytest.raises(ContractError, match=r"tiers, call must be an action that saves more than push"):
        fitting_friction(SOURCE, worse)


def test_pass_shares_by_entry_mode_move_that_mode_alone():
    asking = Asking(push_pass=dict.fromkeys(ENTRIES, 0.2) | {"app": 0.9})
    events = events_of(np.full(7, 20_000), np.arange(7, dtype=np.int8))
    one, other = (replace(PRICES, asking=each).of(events)[1] for each in (Asking(push_pass=0.2), asking))
    np.testing.assert_allclose(one[:6], other[:6])
    assert other[6, 1] > one[6, 1]


def test_beliefs_learned_from_cases_are_drawn_to_the_one_number_for_all():
    world = World()
    cases = pd.DataFrame({"kind": ["account_takeover"] * 20 + ["card_testing"], "entry": ["app"] * 20 + ["typed"]})
    told = Asking.of(world)
    learned = told.learned(world, cases)
    takeover = 18 * 0.08 / (0.92 + 18 * 0.08)
    assert learned.push_pass["app"] == pytest.approx((takeover + told.push_pass) / 2)
    assert learned.push_pass["chip"] == pytest.approx(told.push_pass)
    assert learned.push_pass["typed"] == pytest.approx((0.08 + 20 * told.push_pass) / 21)
    with pytest.raises(ContractError, match="cases must be kinds and entry modes of the world"):
        told.learned(world, cases.assign(kind="honest"))


def told_tables(rows, days=60):
    """Return tables of events of (card, day, dollars, reported on day or None), all typed online."""
    frame = pd.DataFrame(rows, columns=["card_id", "day", "dollars", "told"]).sort_values("day", ignore_index=True)
    events = events_of((frame["dollars"] * 100).astype(int), np.full(len(frame), 4, np.int8))
    events = events.assign(
        event_id=np.arange(len(frame)), at=(frame["day"] * DAY).astype(int), card_id=frame["card_id"]
    )
    told = frame[frame["told"].notna()]
    return {
        "events": events,
        "reports": pd.DataFrame({"event_id": told.index, "reported_at": (told["told"] * DAY).astype(int)}),
    }


def test_the_rest_of_an_episode_is_what_was_reported_later_on_its_card():
    rows = [(1, 1, 100, 5), (1, 2, 200, 5), (1, 3, 400, 5), (2, 1, 1_000, 9), (1, 50, 70, 51), (3, 4, 30, None)]
    seen = see_stakes(told_tables(rows), 60 * DAY, Friction(fee=0.0))
    assert seen.frauds == 4
    assert seen.mean_loss == pytest.approx(0.1 * (100 + 200 + 400 + 1_000) / 4)  # of typed sales a tenth is its own
    assert seen.mean_rest == pytest.approx(0.1 * (600 + 400 + 0 + 0) / 4)
    half = see_stakes(told_tables(rows), 60 * DAY, Friction(fee=0.0), reported=0.5)
    assert half.mean_rest == pytest.approx(2 * seen.mean_rest)


def test_stakes_do_not_know_the_future():
    rows = [(1, 1, 100, 5), (1, 2, 200, 5), (2, 3, 50, 30), (3, 25, 900, 26)]
    now = 20 * DAY
    known = see_stakes(told_tables(rows), now, Friction(), mature_days=7)
    later = see_stakes(told_tables([*rows[:3], (3, 22, 5_000, 23), (1, 24, 5_000, 40)]), now, Friction(), mature_days=7)
    assert known == later and known.frauds == 2


def test_what_was_never_reported_gives_no_stakes():
    with pytest.raises(ContractError, match="reports must be of a fraud more than 14 days old, got none"):
        see_stakes(told_tables([(1, 1, 100, None)]), 60 * DAY, Friction())
    with pytest.raises(ContractError, match=r"reported must be above 0 and at most 1, got 85"):
        see_stakes(told_tables([(1, 1, 100, 2)]), 60 * DAY, Friction(), reported=85)


def test_lost_sales_are_those_of_three_days_and_a_half():
    rows = [(card, day, 10, 1 if day == 0 else None) for card in range(4) for day in range(21)]
    seen = see_stakes(told_tables(rows), 60 * DAY, Friction())
    assert seen.sale == 10.0
    assert seen.lost_sales == pytest.approx(3.5 * 10 * 21 / 20)


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: Stakes(60.0, -1.0), r"Stakes, loss must be 0 or more, got -1\.0; state losses as positive dollars\."),
        (lambda: Stakes(60.0, 1.0, (1.0, 2.0)), "Stakes, rest must be 7 figures, got 2; give one for each of ENTRIES"),
        (lambda: Asking(push_pass=float("nan")), r"Asking, push_pass must be in \[0, 1\], got nan"),
        (lambda: Asking(call_pass={"chip": 0.1}), "Asking, call_pass must be a share for 'contactless', got none"),
        (lambda: Tiers(push=0.5, block=0.4), "Tiers must be rising cuts, got push 0.5 and block 0.4"),
        (lambda: mean_cuts(PRICES, ("allow", "ask")), "among must be names out of allow, push, call, block, got 'ask'"),
        (lambda: JUNIOR([1.2]), "must be"),
    ],
)
def test_bad_input_is_refused(make, text):
    with pytest.raises(ContractError, match=text):
        make()


def test_fixed_tiers_act_above_their_cuts_and_not_at_them():
    assert SOURCE([0, 0.01, 0.0100001, 0.5, 0.51, 0.9, 0.91, 1]).tolist() == [0, 0, 1, 1, 2, 2, 3, 3]
    assert JUNIOR([0.5, 0.51]).tolist() == [0, 3]
    assert Tiers()([1.0]).tolist() == [0]
    assert LeastCost(PRICES, ONE_CUT)([1.0, 0.0], events_of([10_000] * 2, np.zeros(2, np.int8))).tolist() == [3, 0]
