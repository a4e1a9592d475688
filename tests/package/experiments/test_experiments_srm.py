"""Sample ratio mismatches: from how many units, and day after day; against scipy and enumeration."""

import re
from itertools import product
from math import comb, exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, multinomial

from casebook.contracts import ContractError
from casebook.experiments import srm, srm_n, srm_power, srm_sequential
from casebook.experiments.srm_sequential import log_e_value

ROUNDING = 1e-9
# log gamma at ten million is good to some 1e-8.
LOG_GAMMA = 1e-7
SEEN, PLANNED = [0.047, 0.052, 0.901], [0.05, 0.05, 0.90]


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def band(share, draws):
    """Four standard errors of a share."""
    return 4 * np.sqrt(share * (1 - share) / draws)


@pytest.mark.parametrize(("alpha", "n"), [(0.05, 22_947), (0.01, 35_274), (0.001, 52_911)])
def test_the_source_s_split_is_seen_from_some_ten_thousands_of_users_on(alpha, n):
    assert srm_n(SEEN, PLANNED, alpha) == n
    below, above = (chisquare(np.multiply(m, SEEN), np.multiply(m, PLANNED)).pvalue for m in (n - 1, n))
    assert above < alpha <= below


def test_whole_users_cross_the_level_where_the_formula_says():
    broken = [m for m in range(1_000, 101_000, 1_000) if srm(np.rint(np.multiply(m, SEEN)), PLANNED).broken]
    assert broken == list(range(36_000, 101_000, 1_000))


def test_the_split_of_the_book_needs_fewer_units_than_it_had():
    total = 821_588 + 815_482
    seen = np.array([821_588, 815_482]) / total
    assert srm_n(seen, [0.5, 0.5], alpha=1.85e-6) < total < srm_n(seen, [0.5, 0.5], alpha=1.75e-6)


@given(st.lists(st.floats(0.1, 1), min_size=2, max_size=4), st.floats(0.02, 0.2), st.sampled_from([0.05, 0.01, 0.001]))
def test_less_alpha_more_power_and_smaller_gaps_need_more_units(weights, gap, alpha):
    planned = np.array(weights) / np.sum(weights)
    moved = planned + gap * planned.min() * np.array([1, -1] + [0] * (len(planned) - 2))
    n = srm_n(moved, planned, alpha)
    assert srm_n(moved, planned, alpha / 10) > n
    assert srm_n((moved + planned) / 2, planned, alpha) == pytest.approx(4 * n, abs=4)
    assert srm_n(moved, planned, alpha, power=0.9) > srm_n(moved, planned, alpha, power=0.6)
    assert srm_n(moved[::-1], planned[::-1], alpha) == pytest.approx(n, abs=1)


def test_power_is_that_of_drawn_counts():
    draws = 20_000
    for n in (20_000, 53_161):
        counts = np.random.default_rng(n).multinomial(n, SEEN, draws)
        expected = n * np.array(PLANNED)
        alarms = (((counts - expected) ** 2 / expected).sum(axis=1) > 9.21034).mean()
        assert srm_power(SEEN, PLANNED, n) == pytest.approx(alarms, abs=band(alarms, draws))


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_size_and_power_are_one_formula_read_two_ways(power):
    n = srm_n(SEEN, PLANNED, power=power)
    assert srm_power(SEEN, PLANNED, n - 1) < power <= srm_power(SEEN, PLANNED, n)


def test_power_without_a_mismatch_is_alpha():
    assert srm_power(PLANNED, PLANNED, 1_000, alpha=0.03) == pytest.approx(0.03)


@pytest.mark.parametrize("shares", [[0.5, 0.5], [0.2, 0.3, 0.5]])
def test_the_e_value_is_a_fair_bet_if_assignment_is_sound(shares):
    n, part = 12, np.array(shares)
    cells = np.array([c for c in product(range(n + 1), repeat=len(shares)) if sum(c) == n], dtype=float)
    chance = multinomial.pmf(cells, n, part)
    for concentration in (1.0, 30.0):
        assert chance @ np.exp(log_e_value(cells, part, concentration)) == pytest.approx(1, abs=ROUNDING)


def test_the_e_value_is_the_product_of_predictions_unit_by_unit():
    part, concentration = np.array([0.05, 0.05, 0.9]), 40.0
    arms = np.random.default_rng(1).choice(3, 200, p=[0.2, 0.1, 0.7])
    seen, log_e = concentration * part, 0.0
    for arm in arms:
        log_e += np.log(seen[arm] / seen.sum() / part[arm])
        seen = seen + np.eye(3)[arm]
    got = log_e_value(np.bincount(arms, minlength=3).astype(float), part, concentration)
    assert float(got) == pytest.approx(log_e, abs=LOG_GAMMA)


def test_one_coin_by_hand():
    # A uniform prior on a coin's bias gives each count of k heads in n the probability 1 / (n + 1).
    got = srm_sequential([[3, 0]], [0.5, 0.5], concentration=2)
    assert exp(got.loc[0, "log_e"]) == pytest.approx((1 / 4) / (comb(3, 3) / 2**3))
    assert got.loc[0, "p"] == pytest.approx(1 / 2)


def test_daily_looks_alarm_no_oftener_than_alpha_while_the_fixed_test_does():
    draws, days, alpha, part = 2_000, 60, 0.05, np.array(PLANNED)
    seen = np.random.default_rng(2).multinomial(2_000, part, (draws, days)).cumsum(axis=1).astype(float)
    always = (log_e_value(seen, part, 1_000.0) >= np.log(1 / alpha)).any(axis=1).mean()
    expected = seen.sum(axis=2, keepdims=True) * part
    fixed = (((seen - expected) ** 2 / expected).sum(axis=2) > 5.99146).any(axis=1).mean()
    assert 0 < always <= alpha + band(alpha, draws)
    assert fixed > 3 * alpha


def test_daily_looks_find_the_source_s_split_within_days():
    daily = np.random.default_rng(3).multinomial(20_000, SEEN, 14)
    got = srm_sequential(daily, PLANNED)
    assert got["broken"].iloc[-1]
    assert got["units"].tolist() == list(range(20_000, 300_000, 20_000))
    assert got["p"].is_monotonic_decreasing
    assert (got["broken"] == (got["p"] < 0.01)).all()


def test_an_alarm_stays_when_later_days_mend_the_ratio():
    got = srm_sequential([[700, 300], [300, 700]], [0.5, 0.5], concentration=100)
    assert got["log_e"].iloc[1] < 0
    assert got["broken"].tolist() == [True, True]


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: srm_n(PLANNED, PLANNED),
            "observed_shares must be other than planned_shares, got the same shares; "
            "pass what the fault makes of them.",
        ),
        (
            lambda: srm_n([47, 52, 901], PLANNED),
            "observed_shares must be 0 or more and 1 in sum, got [47.0, 52.0, 901.0]; divide them by their sum.",
        ),
        (
            lambda: srm_n([0.5, 0.5], [0.0, 1.0]),
            "planned_shares must be above 0 and 1 in sum, got [0.0, 1.0]; divide them by their sum.",
        ),
        (
            lambda: srm_n([0.5, 0.5], PLANNED),
            "observed_shares must be 3 long, got 2 rows; take all arguments from one table.",
        ),
        (
            lambda: srm_n([1.0], [1.0]),
            "planned_shares must be one share for each of two or more arms, got one share; name every arm.",
        ),
        (
            lambda: srm_n(SEEN, PLANNED, power=0.2),
            "power must be at least 0.5 and below 1, got 0.2; ask for 0.8 or 0.9.",
        ),
        (lambda: srm_n(SEEN, PLANNED, 5), "alpha must be above 0 and below 1, got 5; divide percentages by 100."),
        (lambda: srm_power(SEEN, PLANNED, 0), "n must be above 0, got 0; pass what the plan has of it."),
        (
            lambda: srm_sequential([10, 20], [0.5, 0.5]),
            "counts must be a table of looks by 2 arms, got shape (2,); pass one row per look and one column per arm.",
        ),
        (
            lambda: srm_sequential([["a", "b"]], [0.5, 0.5]),
            "counts must be whole numbers, got 'a'; pass one row per look and one column per arm.",
        ),
        (
            lambda: srm_sequential([[1, 2], [3, -1]], [0.5, 0.5]),
            "counts, row 1 must be whole numbers, 0 or more, got -1.0; count the new units of each look.",
        ),
        (
            lambda: srm_sequential([[1, 2]], [0.5, 0.5], concentration=0),
            "concentration must be above 0, got 0; pass what the plan has of it.",
        ),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
