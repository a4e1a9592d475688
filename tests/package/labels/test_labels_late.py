"""Delay curves and late entry against product-limits by hand, statsmodels and known truth."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.labels import delay_curve, hazard_by_age

START = pd.Timestamp("2025-01-01")
ROUNDING = 1e-12
seeds = st.integers(0, 10**6)


def dates(days):
    return START + pd.to_timedelta(days, unit="D")


def recorded_by(until, happened, delay):
    seen = happened + delay <= until
    return happened[seen], (happened + delay)[seen]


def product_limit_by_hand(happened, recorded, until, day):
    delay, age = recorded - happened, until - happened
    share = 1.0
    for u in sorted(set(delay.tolist())):
        if u > day:
            at_risk = sum(1 for x, a in zip(delay, age, strict=True) if x <= u <= a)
            share *= 1 - sum(1 for x in delay if x == u) / at_risk
    return share


@given(seeds)
def test_the_curve_is_the_product_limit_in_reversed_time(seed):
    rng = np.random.default_rng(seed)
    happened, recorded = recorded_by(
        40, np.append(0, rng.integers(0, 40, 60)), np.append(3, rng.geometric(0.1, 60) - 1)
    )
    table = delay_curve(dates(happened), dates(recorded), dates(40))
    twin = [product_limit_by_hand(happened, recorded, 40, day) for day in table["days"]]
    np.testing.assert_allclose(table["known"], twin, rtol=ROUNDING, atol=ROUNDING)
    naive = [np.mean(recorded - happened <= day) for day in table["days"]]
    np.testing.assert_allclose(table["naive"], naive, rtol=ROUNDING)
    assert table["known"].iloc[-1] == 1
    assert (table["known"].diff().dropna() >= 0).all()


def test_a_known_exponential_delay_is_recovered_and_the_naive_share_is_not():
    rng = np.random.default_rng(0)
    mean, until, longest = 20.0, 120.0, 60.0
    happened, recorded = recorded_by(until, rng.uniform(0, until, 20_000), rng.exponential(mean, 20_000))
    table = delay_curve(dates(happened), dates(recorded), dates(until), longest_days=longest).set_index("days")
    truth = (1 - np.exp(-table.index / mean)) / (1 - np.exp(-longest / mean))
    # Standard error of a share of some 10,000 events: about 0.005; the last events carry more.
    assert np.abs(table["known"] - truth)[:60].max() < 0.02
    assert (table["naive"] - truth)[10:30].min() > 0.03


def test_without_truncation_both_shares_are_one():
    delay = np.array([0, 1, 1, 4, 9])
    table = delay_curve(dates(np.zeros(5)), dates(delay), dates(500))
    np.testing.assert_allclose(table["known"], table["naive"], rtol=ROUNDING)
    assert table["known"].tolist()[:5] == pytest.approx([0.2, 0.6, 0.6, 0.6, 0.8])


def units(rng, n=80):
    entry = rng.integers(0, 12, n)
    return entry, entry + rng.integers(1, 15, n), rng.random(n) < 0.5


@given(seeds)
def test_whole_ages_give_the_risk_sets_counted_by_hand(seed):
    entry, leave, event = units(np.random.default_rng(seed))
    table = hazard_by_age(entry, leave, event)
    for row in table.itertuples():
        at_risk = sum(1 for a, b in zip(entry, leave, strict=True) if a <= row.age and b >= row.age + 1)
        from_birth = sum(1 for b in leave if b >= row.age + 1)
        events = sum(1 for b, e in zip(leave, event, strict=True) if e and b == row.age + 1)
        assert (row.at_risk, row.events) == (at_risk, events)
        assert row.hazard == pytest.approx(events / at_risk if at_risk else np.nan, nan_ok=True)
        assert row.naive == pytest.approx(events / from_birth)


def test_risk_sets_are_those_of_statsmodels_with_entry():
    duration = pytest.importorskip("statsmodels.duration.survfunc")
    entry, leave, event = units(np.random.default_rng(5), n=400)
    twin = duration.SurvfuncRight(leave, event.astype(int), entry=entry)
    table = hazard_by_age(entry, leave, event).set_index("age").loc[twin.surv_times - 1]
    np.testing.assert_allclose(table["at_risk"], twin.n_risk)
    np.testing.assert_allclose(table["events"], twin.n_events)


@given(seeds, st.floats(0.3, 5))
def test_parts_of_a_bin_add_up_to_the_time_observed(seed, width):
    rng = np.random.default_rng(seed)
    entry = rng.uniform(0, 10, 30)
    leave, event = entry + rng.uniform(0.1, 10, 30), rng.random(30) < 0.5
    table = hazard_by_age(entry, leave, event, width=width)
    assert table["at_risk"].sum() * width == pytest.approx((leave - entry).sum())
    assert table["events"].sum() == event.sum()


def test_a_falling_hazard_is_recovered_where_the_naive_one_hides_it():
    rng = np.random.default_rng(1)
    joined = rng.uniform(-60, 12, 60_000)  # month in which each joined; the table begins at 0 and ends at 12
    is_loyal = rng.random(60_000) < 0.5
    lifetime = rng.exponential(np.where(is_loyal, 50, 5))
    entry, leave = np.maximum(-joined, 0), np.minimum(lifetime, 12 - joined)
    seen = lifetime > entry
    entry, leave, event = entry[seen], leave[seen], (lifetime <= 12 - joined)[seen]
    table = hazard_by_age(entry, leave, event, width=1.0).set_index("age")
    age = np.arange(0, 40) + 0.5
    fast, slow = np.exp(-age / 5), np.exp(-age / 50)
    truth = (fast / 5 + slow / 50) / (fast + slow)
    # About 5,000 at risk at each age: one standard error is 0.002 at the hazards seen here.
    np.testing.assert_allclose(table["hazard"].loc[:39], truth, atol=0.012)
    assert table["naive"].loc[0] < 0.6 * truth[0]


@pytest.mark.parametrize(
    ("calling", "text"),
    [
        (
            lambda: delay_curve(["2025-01-02"], ["2025-01-01"], "2025-02-01"),
            "recorded, row 0 must be on or after 2025-01-02 (happened), got 2025-01-01; "
            "mend the clock or drop the row.",
        ),
        (
            lambda: delay_curve(["2025-01-02"], ["2025-03-01"], "2025-02-01"),
            "recorded, row 0 must be on or before 2025-02-01 (observed_until), got 2025-03-01; "
            "drop what was not known then, or move observed_until on.",
        ),
        (
            lambda: delay_curve(["2025-01-02"], ["2025-01-12"], "2025-02-01", longest_days=5),
            "longest_days must be at least 10, the shortest delay, got 5; take more.",
        ),
        (
            lambda: delay_curve([], [], "2025-02-01"),
            "happened must be at least one row long, got no rows; check the filter or the join that made it.",
        ),
        (
            lambda: delay_curve(["2025-01-02"], ["2025-01-02"] * 2, "2025-02-01"),
            "recorded must be 1 long, got 2 rows; take all arguments from one table.",
        ),
        (
            lambda: delay_curve([["2025-01-02"]], ["2025-01-02"], "2025-02-01"),
            "happened must be a column of dates, got shape (1, 1); pass one column.",
        ),
        (
            lambda: hazard_by_age([2.0], [2.0], [1]),
            "age_at_exit, row 0 must be above 2 (age_at_entry), got 2; drop units that were never under observation.",
        ),
        (
            lambda: hazard_by_age([-1.0], [2.0], [1]),
            "age_at_entry, row 0 must be a finite number, 0 or more, got -1.0; mend or drop the row.",
        ),
        (
            lambda: hazard_by_age([0], [2], [1], width=0),
            "width must be a number above 0, got 0; give it in the unit of the ages, such as 1.",
        ),
        (
            lambda: hazard_by_age([0], [200], [1], width=0.01),
            "width must be at least 0.02, a ten-thousandth of the oldest age, got 0.01; take wider bins.",
        ),
        (
            lambda: hazard_by_age([0], [2], [1, 0]),
            "event must be 1 long, got 2 rows; take all arguments from one table.",
        ),
        (
            lambda: hazard_by_age(["0"], [2], [1]),
            "age_at_entry must be numbers, got '0' in row 0; convert it with pd.to_numeric.",
        ),
    ],
)
def test_refusals(calling, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        calling()
