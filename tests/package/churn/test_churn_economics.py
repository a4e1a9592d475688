"""The opening's arithmetic: series added up, groups by coin flips, lists counted by hand; and the card's numbers."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib import pyplot as plt

from casebook import cards
from casebook.arithmetic import break_even_precision, lifetime_months, payback_months, yearly_from_monthly
from casebook.churn import figures
from casebook.churn.economics import GROUPS, four_groups, next_calls, paid_months, payback_with_churn, who_is_on
from casebook.churn.evaluate import Worth, call_top
from casebook.contracts import ContractError

ROUNDING = 1e-9
COINS = 200_000
FIVE_ERRORS = 5  # standard errors within which a count of coin flips must lie
churns = st.floats(0.001, 0.9)


def worth_of(p, uplift, gain=None):
    p, uplift = np.asarray(p, dtype=float), np.asarray(uplift, dtype=float)
    return Worth(p, uplift, p, p, p if gain is None else np.asarray(gain, dtype=float))


def refused(text, call, *arguments, **named):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call(*arguments, **named)


@given(churns, st.integers(1, 60))
def test_paid_months_are_the_bills_added_up(churn, horizon):
    by_hand = sum((1 - churn) ** month for month in range(horizon))
    assert paid_months(churn, horizon) == pytest.approx(by_hand, rel=ROUNDING)


def test_paid_months_without_a_horizon_are_the_lifetime():
    assert paid_months(0.04) == lifetime_months(0.04)
    assert paid_months(0.04, 10_000) == pytest.approx(paid_months(0.04), rel=ROUNDING)
    assert paid_months(1.0, 36) == 1.0


def test_paid_months_refuse_percentages_and_empty_horizons():
    refused("churn must be above 0 and at most 1, got 4; divide percentages by 100.", paid_months, 4)
    refused("churn must be above 0 and at most 1, got nan; divide percentages by 100.", paid_months, np.nan)
    refused("horizon must be 1 or more, got 0; count the month that has just been paid.", paid_months, 0.04, 0)


@given(st.floats(100, 3_000), st.floats(20, 500), st.floats(0, 0.2))
def test_payback_is_where_the_margin_of_those_who_stay_reaches_the_cost(cost, margin, churn):
    months = payback_with_churn(cost, margin, churn)
    if np.isinf(months):
        assert margin / churn <= cost * (1 + ROUNDING)
    elif churn > 0:
        survival = np.exp(months * np.log1p(-churn))
        assert survival == pytest.approx(1 - cost / margin * churn, abs=ROUNDING)
    if months > 1:  # within the first month its bill counts in full
        assert months >= payback_months(cost, margin) * (1 - ROUNDING)


def test_payback_without_churn_is_the_plain_one_and_bad_input_is_refused():
    assert payback_with_churn(1_500, 160, 0.0) == payback_months(1_500, 160)
    assert payback_with_churn(1_500, 75, 0.05) == np.inf
    refused("monthly_margin must be above 0, got 0; check its sign and unit.", payback_with_churn, 1_500, 0, 0.04)
    refused("acquisition_cost must be above 0, got -1; check its sign and unit.", payback_with_churn, -1, 160, 0.04)
    refused("churn must be at least 0 and below 1, got 4; divide percentages by 100.", payback_with_churn, 1, 1, 4)


def test_groups_are_what_one_coin_for_both_outcomes_counts():
    rng = np.random.default_rng(0)
    p, uplift = np.array([0.3, 0.1, 0.2, 0.0]), np.array([0.1, -0.2, 0.0, 0.0])
    coin = rng.random((COINS, len(p)))
    alone, called = coin < p, coin < p - uplift
    counted = [(~alone & ~called), (alone & called), (alone & ~called), (~alone & called)]
    expected = four_groups(worth_of(p, uplift))
    assert list(expected.index) == list(GROUPS)
    for name, flips in zip(GROUPS, counted, strict=True):
        error = FIVE_ERRORS * np.sqrt(len(p) / 4 / COINS)
        assert abs(flips.sum() / COINS - expected[name]) < error


def test_groups_add_up_to_the_list_and_differ_by_its_uplift():
    worth = worth_of([0.3, 0.1, 0.2], [0.1, -0.1, 0.05])
    on = [True, True, False]
    groups = four_groups(worth, on)
    assert groups.sum() == pytest.approx(2)
    assert groups["persuadable"] - groups["sleeping dog"] == pytest.approx(worth.uplift[:2].sum())
    refused("listed must be 3 long, got 1 rows; take all arguments from one table.", four_groups, worth, [True])


def test_a_further_call_is_the_next_in_rank():
    worth = worth_of([0.4, 0.3, 0.2, 0.1], [0.0] * 4, gain=[-5.0, 20.0, 10.0, 30.0])
    found = next_calls(worth, {"risk": worth.p, "best": worth.gain}, calls=1, more=2)
    assert found.to_dict() == {"risk": 15.0, "best": 15.0}
    assert next_calls(worth, {"risk": worth.p}, calls=0, more=1)["risk"] == -5.0
    refused(
        "calls and more must be calls of 0 or more, more of at least 1, together at most 4, got 3 and 2; "
        "there must be somebody left to call.",
        next_calls, worth, {"risk": worth.p}, 3, 2,
    )  # fmt: skip


def test_who_is_on_counts_risk_saves_and_overlap():
    worth = worth_of([0.5, 0.3, 0.0, 0.2], [0.05, 0.0, 0.0, 0.1])
    told = who_is_on(worth, {"A": [1, 1, 0, 0], "B": [0, 0, 1, 1], "C": [1, 0, 0, 1]}, beside="A")
    assert told["mean p"].to_dict() == pytest.approx({"A": 0.4, "B": 0.1, "C": 0.35})
    assert told["save rate"].to_dict() == pytest.approx({"A": 0.0625, "B": 0.5, "C": 0.15 / 0.7})
    assert told["also on A"].to_dict() == {"A": 1.0, "B": 0.0, "C": 0.5}
    assert np.isnan(who_is_on(worth, {"D": [0, 0, 1, 0]}, beside="D").loc["D", "save rate"])
    refused("beside must be one of 'A', got 'B'; name a list that is compared.", who_is_on, worth, {"A": [1] * 4}, "B")
    refused(
        "A must be 1 for somebody, got 0 in every row; put at least one subscriber on the list.",
        who_is_on, worth, {"A": [0] * 4}, "A",
    )  # fmt: skip


def test_the_figure_names_the_share_that_is_on_both_lists():
    rng = np.random.default_rng(1)
    p = rng.uniform(0.01, 0.5, 5_000)
    worth = worth_of(p, p * rng.uniform(-0.2, 0.6, 5_000))
    figures.risk_against_uplift(worth, 500, rng)
    fig = plt.gcf()
    both = (call_top(worth.p, 500) & call_top(worth.uplift, 500)).mean() * 5_000 / 500
    assert fig.texts[0].get_text().startswith(f"{both:.0%} of the riskiest")
    drawn = [len(dots.get_offsets()) for dots in fig.axes[0].collections]
    assert max(drawn) == figures.DOTS and sum(drawn[1:]) == 2 * 500 - round(both * 500)
    plt.close(fig)


def test_the_numbers_said_aloud_in_the_churn_card_follow_from_the_prompt():
    """Twenty people, ten calls, $200 a month at 80 percent margin, one leaver in ten kept: recomputed, not copied."""
    card = cards.load_card("01_churn")
    said = {number.what: number.value for number in card.numbers_to_remember}
    calls = 20 * 10 * 21
    assert said["Calls a month"] == f"20 x 10 x 21 = {calls:,}, {calls / 100_000:.1%} of the base; 6,000 takes 30 days"
    ceilings = "; ".join(f"{100_000 * churn / 6_000:.0%} at {churn:.0%}" for churn in (0.03, 0.05))
    assert said["Precision of a list of 6,000, at most"] == ceilings
    years = " to ".join(f"{100 * yearly_from_monthly(churn):.0f}" for churn in (0.03, 0.05))
    assert said["3 to 5 percent a month"] == f"{years} percent a year at a constant rate; less where the loyal remain"
    months = [payback_with_churn(1_500, 160, churn) for churn in (0.0, 0.04)]
    assert said["CAC of $1,500 at $160 of margin"] == f"back in {months[0]:.1f} months; {months[1]:.1f} at 4% churn"
    price = break_even_precision(10, 0.1 * 3_000)
    assert said["When a call pays"] == f"10 / (0.1 x 3,000) = {price:.3f}, not 10 / 2,000 = {10 / 2_000:.3f}"
    assert abs(card.cost_asymmetry.threshold - price) < 0.0005
    assert card.cost_asymmetry.ratio == pytest.approx((0.1 * 3_000 - 10) / 10)
