"""Failure modes: exact numbers against many plays and brute force, repairs that tell the truth, null worlds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score

from casebook.churn.dunning import dunning, involuntary
from casebook.churn.evaluate import call_top, nobody, once, run, worth
from casebook.churn.expectation import stays
from casebook.churn.failures import (
    Rhythm,
    before_after,
    by_drop,
    drops,
    fatigue,
    features_in,
    list_precision,
    looks_like_price,
    neglect,
    never_seen,
    next_call,
    retrained,
    same_drop,
    tenure_hazard,
    true_hazard,
)
from casebook.churn.play import Luck, State
from casebook.churn.simulate import simulate
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.world import World
from casebook.contracts import ContractError

NULL = World(effect=0.0, dogs=0.0, fatigue=0.0)
SIGMAS = 4.0  # a Monte Carlo mean leaves so many standard errors once in 16,000 runs


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed or 0)


def fresh(truth, *seed):
    return replace(truth, luck=Luck.draw(len(truth.people), 12, rng(*seed)))


@pytest.fixture(scope="module")
def day():
    return draw_snapshot(World(), 6_000, rng(1))


@pytest.fixture(scope="module")
def listed(day):
    return call_top(day.worth.p, 300)


@pytest.fixture(scope="module")
def company():
    return simulate(World(), 6_000, rng(2))


@pytest.fixture(scope="module")
def null_day():
    return draw_snapshot(NULL, 5_000, rng(3))


def small_trees():
    return HistGradientBoostingClassifier(max_iter=20, max_leaf_nodes=8, early_stopping=False, random_state=0)


@pytest.fixture(scope="module")
def model(day):
    return small_trees().fit(day.features, rng(4).random(len(day)) < day.worth.p)


# neglect


def test_neglect_by_hand(day):
    score = day.worth.p + 0.1 * rng(5).random(len(day))
    told = neglect(day.truth, score, rng(6), harm=0.5, share=0.2).table
    named = call_top(score, round(0.2 * len(day)))
    p, failed = day.truth.months.p[:, 0].astype(float), day.truth.months.failed[:, 0]
    worse = 1 - (1 - np.minimum(p * (1 + 0.5 * named), 0.97)) * (1 - failed)
    weights = np.concatenate([worse, 1 - worse])
    auc = roc_auc_score(np.repeat([1, 0], len(day)), np.tile(score, 2), sample_weight=weights)
    expected = [worse.sum(), auc, worse[named].mean()]
    np.testing.assert_allclose(told.loc["riskiest neglected"], expected, rtol=1e-5)
    np.testing.assert_allclose(told.loc["equal attention", "leaving"], day.worth.p.sum(), rtol=1e-6)
    assert (told.loc["riskiest neglected"] > told.loc["equal attention"]).all()


def test_neglect_that_harms_nobody_shows_nothing(day):
    runs, covered = 150, 0
    for seed in range(runs):
        told = neglect(fresh(day.truth, 7, seed), day.worth.p, rng(8, seed), harm=0.0)
        covered += told.revealed.low <= 0 <= told.revealed.high
    assert told.table.loc["equal attention"].tolist() == told.table.loc["riskiest neglected"].tolist()
    low, high = binom.ppf([1e-4, 1 - 1e-4], runs, 0.95)
    assert low <= covered <= high


def test_the_holdout_reveals_what_neglect_did(day):
    runs = [neglect(fresh(day.truth, 9, seed), day.worth.p, rng(10, seed), harm=0.6) for seed in range(80)]
    found = [told.revealed.estimate for told in runs]
    true = np.diff(runs[0].table["precision"])[0]
    error = np.std(found) / np.sqrt(len(found))
    assert abs(np.mean(found) - true) < SIGMAS * error < true


# survivors


def test_late_entry_corrected_agrees_with_newcomers_and_truth(company):
    corrected, newcomers, truth = (
        tenure_hazard(company.tables, 6),
        tenure_hazard(company.tables, 6, newcomers=True),
        true_hazard(company, 6),
    )
    np.testing.assert_allclose(newcomers["naive"], newcomers["hazard"])
    assert newcomers["at_risk"].tolist() == truth["at_risk"].tolist()
    error = np.sqrt(truth["hazard"] / corrected["at_risk"])
    # The reps' calls keep a few of the young, so the tables lie a little below the truth without calls.
    assert (abs(corrected["hazard"] - truth["hazard"]) < SIGMAS * error + 0.05 * truth["hazard"]).all()
    assert (corrected["naive"] < 0.75 * corrected["hazard"]).all()


def test_never_seen_by_counting(company):
    value = worth(company.world, company.truth)
    told = never_seen(company, value, 90)
    people = company.tables["customers"].merge(company.tables["cancellations"], on="subscriber_id")
    people = people[people["signed_up_on"] >= "2024-01-01"]
    young = people["cancelled_on"] < people["signed_up_on"] + pd.Timedelta(days=90)
    assert told.loc["cancellations so far"].tolist() == [len(people), young.sum(), young.mean()]
    assert told.loc["monthly price lost so far", "unseen"] == people.loc[young, "price"].sum()
    assert told.loc["leavers next month", "all"] == pytest.approx(value.p.sum())
    everything = never_seen(company, value, 100_000)
    np.testing.assert_allclose(everything["share"], 1)


# causes


def test_same_drop_compares_like_with_like(day):
    told = same_drop(day, 0.8)
    assert told.loc["poor health", "p"] == pytest.approx(told.loc["price or competitor", "p"], rel=0.1)
    assert told.loc["price or competitor", "kept"] < told.loc["poor health", "kept"]
    pulled = drops(day, 0.8) & day.truth.months.pull[:, 0]
    row = told.loc["price or competitor"]
    assert row["n"] == pulled.sum()
    assert row["saves_per_100"] == pytest.approx(100 * day.worth.uplift[pulled].mean())
    assert row["usage_kept"] <= 0.8


def test_without_effect_causes_do_not_matter(null_day):
    told = same_drop(null_day, 0.9)
    np.testing.assert_array_equal(told["saves_per_100"], 0)
    np.testing.assert_allclose(told["per_call"], -NULL.call_cost)
    lists = by_drop(NULL, null_day, 100)
    assert lists[["saves_per_100", "claimed_per_100"]].to_numpy().sum() == 0


def test_price_signals_find_the_pulled(day):
    flagged = looks_like_price(day.features)
    before = day.truth.past.pull[:, -1]
    assert flagged[before].mean() > 0.8 > 0.2 > flagged[~before].mean()


def test_leaving_out_price_signals_lowers_the_claim_and_the_pulled(day):
    told = by_drop(World(), day, 250)
    assert told["calls"].tolist() == [250, 250]
    alone, left_out = told.loc["usage drop alone"], told.loc["price signals left out"]
    assert left_out["pulled"] < alone["pulled"]
    assert (told["saves_per_100"] < told["claimed_per_100"]).all()
    np.testing.assert_allclose(told["earned"], told["calls"] * told["per_call"])


# fatigue


def test_one_call_earns_what_the_exact_expectation_says(day, listed):
    told = fatigue(World(), day.truth, listed, rng(11), levels=(0.08,), copies=300).set_index("rhythm")
    exact = worth(World(), day.truth, horizon=12).gain[listed].sum()
    row = told.loc["once"]
    assert abs(row["earned"] - exact) < SIGMAS * row["earned_se"] < 0.5 * abs(exact) + 5_000
    assert row["calls"] == listed.sum()
    dog = day.truth.people.dog[listed]
    assert row["complaints"] == pytest.approx(0.65 * 0.006 * np.where(dog, 5, 1).sum(), rel=0.05)


def test_tiredness_hurts_the_monthly_rhythm_most(day, listed):
    told = fatigue(World(), day.truth, listed, rng(12), copies=20)
    saves = told.pivot(index="fatigue", columns="rhythm", values="saves")
    assert (np.diff(saves["every month"]) < 0).all()
    fall = saves.iloc[0] - saves.iloc[-1]
    assert fall["every month"] > fall["once a quarter"] >= 0 == fall["once"]


def test_in_the_null_world_calls_cost_and_nothing_else(null_day):
    told = fatigue(NULL, null_day.truth, null_day.worth.p > 0.1, rng(13), levels=(0.0,), copies=3)
    assert (told["saves"] == 0).all()
    np.testing.assert_allclose(told["earned"], -NULL.call_cost * told["calls"])


def test_next_call_by_hand(day, listed):
    told = next_call(World(), day.truth, listed)
    p, kept = day.truth.months.p[listed, 0], day.truth.months.kept[listed, 0]
    assert told["taken_off"].iloc[0] == pytest.approx(np.average(kept, weights=p), rel=1e-4)
    np.testing.assert_allclose(np.diff(told["taken_off"]), [-0.08, -0.08, -0.08, 0, 0], atol=1e-5)
    assert told["harmed"].is_monotonic_increasing


def test_a_rhythm_calls_in_its_months(day):
    act, rest = np.array([True, False]), np.zeros((2, 3), dtype=bool)
    rule = Rhythm(act, 3, 6)
    called = [rule(State(month, act, np.zeros(2, np.float32), rest)).tolist() for month in range(8)]
    assert [month for month, flags in enumerate(called) if flags == [True, False]] == [0, 3]


# feedback


def test_features_of_a_later_month_carry_the_time_on(day):
    assert features_in(World(), day, 0, rng()) is day.features
    later = features_in(World(), day, 2, rng(14))
    np.testing.assert_allclose(later["tenure_days"], day.features["tenure_days"] + 2 * 30.4)
    annual = day.truth.people.annual
    wait = (day.features["days_to_renewal"] - 2 * 30.4)[annual].round(6)
    np.testing.assert_allclose(later["days_to_renewal"][annual], wait.where(wait >= 0, wait + 12 * 30.4), atol=1e-6)


@pytest.mark.slow
def test_calls_hide_the_precision_that_the_holdout_shows(day, model):
    shares = {share: list_precision(World(dogs=0.0), day, model, rng(15), share, 250, 4) for share in (0, 0.5, 1)}
    np.testing.assert_allclose(shares[0]["naive"], shares[0]["holdout"])
    first = call_top(model.predict_proba(day.features)[:, 1], 250)
    assert shares[0]["naive"].iloc[0] == pytest.approx(day.worth.p[first].mean(), rel=1e-5)
    assert shares[1]["naive"].iloc[0] == pytest.approx((day.worth.p - day.worth.uplift)[first].mean(), rel=1e-5)
    assert shares[1]["holdout"].isna().all()
    assert (shares[1]["naive"] < shares[0]["naive"]).all()
    assert (shares[1]["called"] == 250).all() and (shares[0]["called"] == 0).all()


@pytest.mark.slow
def test_without_effect_nothing_is_hidden(null_day):
    model = small_trees().fit(null_day.features, rng(16).random(len(null_day)) < null_day.worth.p)
    none, everybody = (list_precision(NULL, null_day, model, rng(17), share, 200, 4)["naive"] for share in (0, 1))
    np.testing.assert_array_equal(none, everybody)
    later, listed = draw_snapshot(NULL, 3_000, rng(18)), null_day.worth.p > 0.1
    told = retrained(null_day, later, listed, small_trees(), rng(19))
    assert told.loc["nobody called"].tolist() == told.loc["calls not known"].tolist()


@pytest.mark.slow
def test_unknown_calls_make_the_movable_look_safer():
    world = World(effect=0.45, dogs=0.0)
    day, later = draw_snapshot(world, 6_000, rng(20)), draw_snapshot(world, 6_000, rng(21))
    told = retrained(day, later, call_top(day.worth.p, 600), small_trees(), rng(22), share=0.9)
    assert told.loc["calls not known", "movable"] < told.loc["nobody called", "movable"]
    assert told.loc["calls not known", "risky"] < told.loc["nobody called", "risky"]


# dunning


def test_involuntary_by_hand():
    gone = pd.DataFrame(
        {
            "subscriber_id": [1, 2, 3, 4],
            "cancelled_on": pd.to_datetime(["2025-12-03", "2025-12-20", "2025-11-30", "2024-12-31"]),
            "reason": ["cancelled", "payment_failed", "cancelled", "payment_failed"],
        }
    )
    people = pd.DataFrame({"subscriber_id": [1, 2, 3, 4], "price": [90.0, 180.0, 420.0, 90.0]})
    told = involuntary({"cancellations": gone, "customers": people}, months=12)
    assert told.loc["cancelled"].tolist() == pytest.approx([2 / 12, 510 / 12, 2 / 3])
    assert told.loc["payment_failed"].tolist() == pytest.approx([1 / 12, 180 / 12, 1 / 3])


@pytest.mark.slow
def test_dunning_against_many_plays(day, listed):
    leavers, lost = [], []
    spare = replace(day.truth.months, failed=day.truth.months.failed.copy())
    spare.failed[:, 0] = 0
    forgiven = replace(day.truth, months=spare)
    for seed in range(120):
        luck = Luck.draw(len(day), 36, rng(23, seed))
        truth, kind = replace(day.truth, luck=luck), replace(forgiven, luck=luck)
        hard, soft = (run(World(), one, nobody, 36) for one in (truth, kind))
        leavers.append((hard.by_card & (hard.left == 0)).sum())
        bills = np.minimum(soft.left, 36) - np.minimum(hard.left, 36)
        lost.append(0.8 * (bills * day.truth.people.price).sum())
    told = dunning(World(), day.truth, listed, recovery=(0.5,), costs=(1.0,)).iloc[0]
    survived = stays(World(), spare, day.truth.carry, 36).sum(axis=1)
    exact = (0.8 * day.truth.people.price * day.truth.months.failed[:, 0] * survived).sum()
    assert told["lost"] == pytest.approx(exact, rel=1e-5)
    for column, plays in (("leavers", leavers), ("lost", lost)):
        assert abs(told[column] - np.mean(plays)) < SIGMAS * np.std(plays) / np.sqrt(len(plays))
    assert told["month_earns"] == pytest.approx(told["lost"] / 2)
    assert told["team_earns"] == pytest.approx(day.worth.gain[listed].sum())


def test_dunning_scales_and_pays_back_sooner_where_more_is_recovered(day, listed):
    small = dunning(World(), day.truth, listed)
    large = dunning(World(), day.truth, listed, base=10 * len(day))
    np.testing.assert_allclose(large["recovered"], 10 * small["recovered"])
    assert (large["payback_days"] < small["payback_days"].fillna(np.inf)).all()
    dear = large.pivot(index="recovery", columns="cost", values="payback_days")
    assert (np.diff(dear, axis=0) < 0).all() and (np.diff(dear, axis=1) > 0).all()
    assert np.isnan(dunning(World(), day.truth, listed, costs=(1e12,))["payback_days"]).all()


# before and after


def test_before_after_is_the_mean_over_many_plays(day, listed):
    told = before_after(World(), day.truth, listed, rng(24), months=3)
    counts = np.zeros((2, 4))
    for seed in range(150):
        truth = fresh(day.truth, 25, seed)
        for row, rule in enumerate((nobody, once(listed, month=1))):
            played = run(World(), truth, rule, 3)
            counts[row] += [played.here(month)[listed].sum() for month in range(4)]
    rates = 1 - counts[:, 1:] / counts[:, :-1]
    error = np.sqrt(rates / counts[:, :-1])
    told_rates = told.months[["left_alone", "called"]].to_numpy().T
    assert (abs(rates - told_rates) < SIGMAS * error).all()
    assert told.months["called"].iloc[0] == told.months["left_alone"].iloc[0]
    assert told.claimed == told.fell_called > told.fell_alone > told.true


def test_churn_falls_although_nothing_was_done(null_day):
    runs, covered = 150, 0
    listed = call_top(null_day.worth.p, 400)
    for seed in range(runs):
        told = before_after(NULL, fresh(null_day.truth, 26, seed), listed, rng(27, seed))
        covered += told.measured.low <= 0 <= told.measured.high
    assert told.claimed > 0.2 and told.true == pytest.approx(0, abs=1e-12)
    low, high = binom.ppf([1e-4, 1 - 1e-4], runs, 0.95)
    assert low <= covered <= high


def test_refusals(day, listed, company, model):
    truth, n = day.truth, len(day)
    table = company.tables
    cases = [
        (
            lambda: neglect(truth, day.worth.p[:-1], rng()),
            f"score must be {n} rows long, one a subscriber, got {n - 1}; score everybody in the truth, in its order.",
        ),
        (
            lambda: neglect(truth, day.worth.p, rng(), harm=30),
            "harm must be between 0 and 3, got 30; give it as a share of the hazard, 0.3 for 30 percent.",
        ),
        (
            lambda: neglect(truth, day.worth.p, rng(), share=10),
            "share must be above 0 and below 1, got 10; pass 0.1 for the riskiest decile.",
        ),
        (
            lambda: fatigue(World(), truth, listed, rng(), levels=(-1.0,)),
            "levels must be 0 or more, at least one, got (-1.0,); pass values of World.fatigue.",
        ),
        (
            lambda: fatigue(World(), truth, listed, rng(), horizon=3),
            "horizon must be between 6 and 36 months, got 3; pass 12.",
        ),
        (lambda: fatigue(World(), truth, listed, rng(), copies=1), "copies must be 2 or more, got 1; pass 40."),
        (
            lambda: next_call(World(), truth, truth.months.p[:, 0] == 0),
            "listed must be 1 for somebody whose bill is due, got nobody's; list subscribers who can leave this month.",
        ),
        (
            lambda: by_drop(World(), day, 0),
            f"calls must be between 1 and {most_calls(day)}, those who can be listed, got 0; take fewer calls.",
        ),
        (lambda: never_seen(company, day.worth, 0), "days must be above 0, got 0; pass 90."),
        (
            lambda: tenure_hazard(table | {"customers": table["customers"].drop(columns="signed_up_on")}),
            "customers must be a table with a column 'signed_up_on', got 'subscriber_id', 'account_id', 'plan', "
            "'price', 'term', 'bill_day', 'employees', 'industry', ...; add 'signed_up_on' or rename one of yours.",
        ),
        (
            lambda: list_precision(World(), day, model, rng(), 50, 100),
            "share must be in [0, 1], got 50; pass 0.5 to call half of the list.",
        ),
        (
            lambda: list_precision(World(), day, model, rng(), 0.5, 0),
            "calls and months must be 1 or more, and up to 36 months, got 0 and 6; pass 800 and 6, say.",
        ),
        (
            lambda: retrained(day, day, np.zeros(n, dtype=bool), model, rng()),
            "listed must be 1 for somebody, got 0 in every row; put at least one subscriber on the list.",
        ),
        (
            lambda: dunning(World(), truth, listed, recovery=(20,)),
            "recovery must be above 0 and at most 1, got 20; give it as a share of the unrecovered failures.",
        ),
        (lambda: dunning(World(), truth, listed, costs=(0,)), "costs must be above 0, got 0; pass dollars."),
        (
            lambda: dunning(World(), truth, listed, base=0),
            "base must be 1 or more, got 0; pass the company's subscribers.",
        ),
        (lambda: before_after(World(), truth, listed, rng(), 1), "months must be between 2 and 36, got 1; pass 6."),
        (
            lambda: before_after(World(), replace_risk(truth), listed, rng()),
            "listed must be 1 for somebody who can leave, got a list without risk; list subscribers whose bill is due.",
        ),
    ]
    for call, text in cases:
        with pytest.raises(ContractError) as caught:
            call()
        assert str(caught.value) == text
    with pytest.raises(ContractError, match=r"^day must be at least 20 subscribers of either cause long, got \d+ and"):
        same_drop(day, 0.05)
    with pytest.raises(ContractError, match=r"^cancellations must be filled in since \d{4}-\d{2}-\d{2}, got no rows"):
        involuntary(table | {"cancellations": table["cancellations"].head(1)}, months=1)


def most_calls(day):
    seen = day.features["usage_vs_84d_ago"].notna() & (day.features["days_to_renewal"] == 0)
    return int((seen & ~looks_like_price(day.features)).sum())


def replace_risk(truth):
    months = replace(truth.months, p=0 * truth.months.p, failed=0 * truth.months.failed)
    return replace(truth, months=months)
