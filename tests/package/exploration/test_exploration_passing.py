"""What passes by chance: caps that hold, chances that are true, and labels whose weighted totals are unbiased."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from casebook.contracts import ContractError
from casebook.experiments import assign_by_hash
from casebook.exploration import affordable_share, label_weights, pass_through

cases = st.lists(
    st.tuples(st.booleans(), st.integers(0, 60), st.integers(0, 2)), min_size=1, max_size=30
)  # blocked, stake, day
shares = st.sampled_from([0.0, 0.01, 0.3, 0.8, 1.0])


@given(cases, shares, st.integers(0, 99), st.integers(0, 50), st.integers(0, 120))
def test_no_cap_is_ever_broken_and_what_is_not_blocked_always_passes(drawn, share, seed, cap, budget):
    blocked, stake, day = (np.array(column) for column in zip(*drawn, strict=True))
    found = pass_through(
        blocked, share, rng=np.random.default_rng(seed), at_stake=stake, event_cap=cap, daily_budget=budget, day=day
    )
    assert (found.passed == ~blocked | found.explored).all()
    assert not (found.explored & ~blocked).any()
    assert (stake[found.explored] <= cap).all()
    for one in range(3):
        assert stake[found.explored & (day == one)].sum() <= budget
    assert set(np.unique(found.chance[~blocked])) <= {1.0}
    assert set(np.unique(found.chance[blocked])) <= {0.0, share}
    assert (found.chance[found.passed] > 0).all()
    assert (found.propensities > 0).all()
    np.testing.assert_allclose(found.propensities, np.where(found.passed, found.chance, 1 - found.chance))


@given(cases, st.integers(0, 99), st.integers(1, 120))
def test_the_budget_is_the_loop_over_the_day(drawn, seed, budget):
    blocked, stake, day = (np.array(column) for column in zip(*drawn, strict=True))
    found = pass_through(
        blocked, 0.5, rng=np.random.default_rng(seed), at_stake=stake, event_cap=50, daily_budget=budget, day=day
    )
    coins, left = np.random.default_rng(seed).random(len(blocked)), dict.fromkeys(range(3), budget)
    for row in range(len(blocked)):
        may = stake[row] <= min(50, left[day[row]])
        assert found.chance[row] == (1 if not blocked[row] else 0.5 * may)
        explored = bool(blocked[row] and may and coins[row] < 0.5)
        assert found.explored[row] == explored
        left[day[row]] -= stake[row] * explored


@given(cases, st.integers(1, 120))
def test_one_case_at_a_time_gives_what_all_at_once_do(drawn, budget):
    blocked, stake, _ = (np.array(column) for column in zip(*drawn, strict=True))
    ids = np.arange(len(blocked)) + 500
    at_once = pass_through(blocked, 0.4, ids=ids, at_stake=stake, event_cap=50, daily_budget=budget)
    spent = 0.0
    for row in range(len(blocked)):
        one = pass_through(
            blocked[[row]], 0.4, ids=ids[[row]], at_stake=stake[[row]], event_cap=50, daily_budget=budget, spent=spent
        )
        assert (one.passed[0], one.chance[0]) == (at_once.passed[row], at_once.chance[row])
        spent += stake[row] * one.explored[0]


def test_a_hash_knows_no_order_and_a_larger_share_passes_all_that_a_smaller_does():
    ids, blocked = np.arange(4_000), np.ones(4_000, bool)
    found = pass_through(blocked, 0.05, ids=ids)
    back = pass_through(blocked, 0.05, ids=ids[::-1])
    np.testing.assert_array_equal(found.passed, back.passed[::-1])
    np.testing.assert_array_equal(found.passed, assign_by_hash(ids, "pass-through", 0.05))
    assert (pass_through(blocked, 0.2, ids=ids).passed >= found.passed).all()
    other = pass_through(blocked, 0.05, ids=ids, salt="another").passed
    assert (found.passed & other).sum() < 30  # ten are expected to pass both
    assert stats.binomtest(int(found.passed.sum()), 4_000, 0.05).pvalue > 0.001
    by_name = pass_through(blocked, 0.05, ids=[str(one) for one in ids])
    np.testing.assert_array_equal(by_name.passed, found.passed)


def test_readers_own_series_do():
    table = pd.DataFrame({"block": [1, 0, 1], "dollars": [20.0, 30.0, 900.0], "id": ["a", "b", "c"]}, index=[7, 8, 9])
    found = pass_through(table["block"], 1.0, ids=table["id"], at_stake=table["dollars"], event_cap=100)
    assert found.passed.tolist() == [True, True, False]


@pytest.mark.parametrize(
    "caps", [{}, {"event_cap": 60.0}, {"daily_budget": 150.0}, {"event_cap": 60.0, "daily_budget": 90.0}]
)
def test_weighted_totals_are_unbiased_for_all_that_could_have_passed(caps):
    rng = np.random.default_rng(5)
    blocked, stake = rng.random(200) < 0.4, rng.gamma(1.0, 40.0, 200)
    label, day = rng.random(200) < 0.6, np.repeat([0, 1], 100)
    gaps, fair = [], []
    for _ in range(2_000):
        found = pass_through(blocked, 0.15, rng=rng, at_stake=stake, day=day, **caps)
        weights = label_weights(found.passed, found.chance)
        gaps.append(weights @ label - (label & (found.chance > 0)).sum())
        fair.append(weights @ label - label.sum())
    assert abs(np.mean(gaps)) < 4 * stats.sem(gaps)
    assert stats.sem(gaps) < 1
    missed = np.mean(fair) < -4 * stats.sem(fair)
    assert missed == bool(caps)  # a cap leaves out what no weight brings back


def test_the_affordable_share_spends_the_budget_on_average():
    rng = np.random.default_rng(6)
    stake = rng.gamma(1.0, 50.0, 3_000)
    share = affordable_share(stake, 120.0, days=10, event_cap=200.0)
    spent = [
        stake[pass_through(np.ones(3_000, bool), share, rng=rng, at_stake=stake, event_cap=200.0).explored].sum() / 10
        for _ in range(400)
    ]
    assert abs(np.mean(spent) - 120) < 4 * stats.sem(spent)
    assert affordable_share(stake, 1e9) == 1
    assert affordable_share([500.0], 10, event_cap=100) == 1


@given(st.lists(st.tuples(st.booleans(), st.floats(0.01, 1)), min_size=1, max_size=20), st.floats(1, 200))
def test_labels_weigh_one_over_their_chance_up_to_the_clip(drawn, clip):
    passed, chance = zip(*drawn, strict=True)
    expected = [min(1 / c, clip) if p else 0.0 for p, c in drawn]
    np.testing.assert_allclose(label_weights(passed, chance, clip=clip), expected)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: pass_through([True], 0.1),
            "rng and ids must be given one without the other, got none; draw by a generator, or by a hash of ids.",
        ),
        (
            lambda: pass_through([True], 0.1, rng=np.random.default_rng(0), ids=[1]),
            "rng and ids must be given one without the other, got both; draw by a generator, or by a hash of ids.",
        ),
        (
            lambda: pass_through([True], 1.5, ids=[1]),
            "share must be in [0, 1], got 1.5; give it as a share, such as 0.01.",
        ),
        (
            lambda: pass_through([0.3], 0.5, ids=[1]),
            "blocked, row 0 must be 0 or 1, got 0.3; put 1 where the event happened and 0 elsewhere.",
        ),
        (
            lambda: pass_through([True], 0.5, ids=[1], daily_budget=10),
            "at_stake must be given where a cap is, got nothing; pass what each case costs if it goes wrong.",
        ),
        (
            lambda: pass_through([True], 0.5, ids=[1], at_stake=[-5.0]),
            "at_stake, row 0 must be 0 or more, got -5.0; drop the minus sign.",
        ),
        (
            lambda: pass_through([True], 0.5, ids=[1], at_stake=[5.0], event_cap=-1),
            "event_cap must be 0 or more, got -1; state money as a positive number.",
        ),
        (
            lambda: pass_through([True], 0.5, ids=[1, 2]),
            "ids must be 1 long, got 2 rows; take all arguments from one table.",
        ),
        (
            lambda: pass_through([True], 0.5, ids=[1], at_stake=[5.0], daily_budget=9, day=[0], spent=3),
            "spent must be 0 where days are given, got 3; pass the rows of one day.",
        ),
        (
            lambda: pass_through([True], 0.5, rng=0),
            "rng must be a numpy Generator, got int; pass np.random.default_rng(seed).",
        ),
        (
            lambda: affordable_share([5.0], 0),
            "daily_budget must be above 0, got 0; give money and days as positive numbers.",
        ),
        (
            lambda: label_weights([True], [0.0]),
            "chance, row 0 must be above 0 where the case passed, got 0.0; log the chance as it was drawn.",
        ),
        (lambda: label_weights([True], [0.5], clip=0.5), "clip must be 1 or more, got 0.5; leave it out to weigh "
         "without bias."),
    ],
)  # fmt: skip
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
