"""Three messages: what they are worth against many plays, an unbiased rule value, and nothing where nothing works."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom

from casebook.churn.evaluate import call_top, worth
from casebook.churn.messages import (
    MESSAGES,
    Offers,
    by_segment,
    cannibalised,
    kept_by,
    message_worth,
    read_messages,
    run_messages,
)
from casebook.churn.messages_rule import best_single, rule_value, true_values
from casebook.churn.play import Luck
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.world import World
from casebook.contracts import ContractError
from casebook.experiments import cuped, difference

SIGMAS = 4.0  # a Monte Carlo mean leaves so many standard errors once in 16,000 runs
FREE = World(effect=0.0, dogs=0.0, call_cost=0.0)


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed or 0)


def fresh(truth, *seed):
    return replace(truth, luck=Luck.draw(len(truth.people), 6, rng(*seed)))


@pytest.fixture(scope="module")
def day():
    return draw_snapshot(World(), 6_000, rng(1))


@pytest.fixture(scope="module")
def listed(day):
    return call_top(day.worth.p, 400)


def test_help_is_the_usual_call(day):
    for horizon in (6, 36):
        got = message_worth(World(), day.truth, Offers(), horizon)["help"]
        np.testing.assert_allclose(got, worth(World(), day.truth, horizon).gain, atol=1e-8)


def test_effects_differ_by_cause_and_dogs_are_woken_by_all(day):
    pull, dog = day.truth.months.pull[:, 0], day.truth.people.dog
    kept = {message: kept_by(World(), day.truth, message, Offers()) for message in MESSAGES}
    for values in kept.values():
        assert (values[dog] == -1).all()
    assert kept["discount"][pull & ~dog] == pytest.approx(0.35)
    assert kept["discount"][~pull & ~dog] == pytest.approx(0.08)
    assert kept["check-in"][~pull & ~dog] == pytest.approx(0.12)
    assert kept["check-in"][pull & ~dog].max() < 0.02
    assert (kept_by(World(), day.truth, "nothing", Offers()) == 0).all()


def test_offers_that_do_nothing_are_worth_nothing():
    day = draw_snapshot(FREE, 2_000, rng(2))
    assert (message_worth(FREE, day.truth, Offers.null()).to_numpy() == 0).all()
    assert cannibalised(FREE, day.truth, day.worth.p > 0.1, Offers.null())["share"] == 0


def test_a_discount_that_saves_nobody_goes_to_stayers_alone():
    day = draw_snapshot(FREE, 2_000, rng(3))
    listed = day.worth.p > 0.1
    idle = cannibalised(FREE, day.truth, listed, replace(Offers.null(), off=0.1))
    assert idle["share"] == pytest.approx(1) and idle["saves"] == 0
    lost = message_worth(FREE, day.truth, replace(Offers.null(), off=0.1))["discount"][listed].sum()
    assert idle["cost"] == pytest.approx(-lost)
    busy = cannibalised(FREE, day.truth, listed, Offers())
    assert 0.5 < busy["share"] < 1 and busy["saves"] > 0


def test_the_segments_say_what_the_tables_show(day):
    rule = by_segment(day.features, "check-in")
    assert (rule[day.features["pricing_views_28d"] > 0] == "discount").all()
    quiet = (day.features["pricing_views_28d"] == 0) & (day.features["billing_tickets_30d"] == 0)
    asked = day.features["how_to_tickets_180d"] > 0
    assert (rule[quiet & asked] == "help").all() and (rule[quiet & ~asked] == "check-in").all()


@pytest.mark.slow
def test_arms_and_rule_are_unbiased_over_many_plays(day, listed):
    rule = by_segment(day.features)
    found, values = [], []
    for seed in range(120):
        trial = run_messages(World(), fresh(day.truth, 4, seed), listed, rng(5, seed), Offers())
        found.append(read_messages(trial).set_index(["message", "metric"])["estimate"])
        values.append(rule_value(trial, rule, "discount").effect.estimate)
    frame = pd.DataFrame(found)
    error = frame.std() / np.sqrt(len(frame))
    true = message_worth(World(), day.truth, Offers(), 6)[listed].mean()
    told = true_values(World(), day.truth, listed, rule, Offers(), 6)
    for message in MESSAGES:
        assert told[message] == pytest.approx(true[message])
        assert abs(frame[message, "dollars"].mean() - true[message]) < SIGMAS * error[message, "dollars"]
    error_of_rule = np.std(values) / np.sqrt(len(values))
    assert abs(np.mean(values) - (told["rule"] - told["discount"])) < SIGMAS * error_of_rule
    assert told["oracle"] >= max(told["rule"], 0)


@pytest.mark.slow
def test_where_nothing_works_the_intervals_cover_nought():
    day = draw_snapshot(FREE, 5_000, rng(6))
    listed, runs = call_top(day.worth.p, 600), 150
    covered, of_rule = np.zeros(6), 0
    for seed in range(runs):
        trial = run_messages(FREE, fresh(day.truth, 7, seed), listed, rng(8, seed), Offers.null())
        read = read_messages(trial)
        covered += ((read["low"] <= 0) & (read["high"] >= 0)).to_numpy()
        effect = rule_value(trial, by_segment(day.features), "help").effect
        of_rule += effect.low <= 0 <= effect.high
    low, high = binom.ppf([1e-4, 1 - 1e-4], runs, 0.95)
    assert ((covered >= low) & (covered <= high)).all()
    assert low <= of_rule <= high


def test_what_is_readable_follows_the_size_rule(day, listed):
    trial = run_messages(World(), day.truth, listed, rng(9), Offers())
    rule = by_segment(day.features)
    one, two = (rule_value(trial, rule, "help", change) for change in (5.0, 10.0))
    assert one.readable == pytest.approx(4 * two.readable, rel=0.01)
    mine = rule[trial["row"]]
    assert one.differs == pytest.approx((mine != "help").mean())
    gap = one.effect.treated_mean - one.effect.control_mean
    assert one.effect.estimate == pytest.approx(gap)
    two_arms = trial[(mine != "help") & ((trial["arm"] == mine) | (trial["arm"] == "help"))]
    adjusted = cuped(two_arms["dollars"], two_arms["price"], two_arms["arm"] != "help")
    twin = difference(adjusted, (two_arms["arm"] != "help").to_numpy()).estimate
    assert gap == pytest.approx(one.differs * twin)
    seen = (1.959964 + 0.841621) * one.effect.se * np.sqrt(len(trial) / one.readable)
    assert seen == pytest.approx(5.0, rel=0.15)  # arms of unlike size and companies of several cost a little


def test_the_trial_assigns_whole_companies_evenly(day, listed):
    trial = run_messages(World(), day.truth, listed, rng(10), Offers())
    assert trial.groupby("account_id")["arm"].nunique().max() == 1
    companies = trial.groupby("account_id")["arm"].first().value_counts()
    assert companies.max() - companies.min() <= 1
    assert not trial.loc[trial["arm"] == "nothing", "reached"].any()
    paid = trial.query("arm == 'nothing'")["dollars"] / (0.8 * trial.query("arm == 'nothing'")["price"])
    np.testing.assert_allclose(paid, np.round(paid), atol=1e-9)  # whole bills
    assert best_single(trial) in MESSAGES


def test_refusals(day, listed):
    trial = run_messages(World(), day.truth, listed, rng(11), Offers())
    rule = by_segment(day.features)
    few = np.zeros(len(day), dtype=bool)
    few[:3] = True
    cases = [
        (
            lambda: kept_by(World(), day.truth, "flowers", Offers()),
            "message must be one of 'help', 'discount', 'check-in', 'nothing', got 'flowers'; mend the name.",
        ),
        (
            lambda: by_segment(day.features, "call"),
            "otherwise must be one of 'help', 'discount', 'check-in', got 'call'; mend the name.",
        ),
        (
            lambda: rule_value(trial, np.full(len(day), "help"), "help"),
            "rule must be other than 'help' for somebody, got the same for all; compare rules that differ.",
        ),
        (
            lambda: rule_value(trial, np.full(len(day), "mail"), "help"),
            "rule, row 0 must be 'help', 'discount' or 'check-in', got 'mail'; give every listed subscriber a message.",
        ),
        (
            lambda: rule_value(trial, rule, "mail"),
            "single must be one of 'help', 'discount', 'check-in', got 'mail'; pass best_single(trial).",
        ),
        (
            lambda: read_messages(trial.query("arm != 'help'")),
            "trial, column 'arm' must be filled with all four arms, got none with 'help'; run every arm.",
        ),
        (
            lambda: message_worth(World(), day.truth, Offers(), 60),
            "months must be between 1 and 36, those that the truth holds, got 60; pass 6.",
        ),
    ]
    for call, text in cases:
        with pytest.raises(ContractError) as caught:
            call()
        assert str(caught.value) == text
    with pytest.raises(ContractError, match=r"^listed must be of at least eight companies, got [123]; list more"):
        run_messages(World(), day.truth, few, rng(), Offers())
