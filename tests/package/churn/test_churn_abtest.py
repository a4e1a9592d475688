"""The A/B test of the list: exact expectations against many plays, intervals that cover, and what its size can see."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, norm

from casebook.churn import abtest
from casebook.churn.abtest import FEEDBACK, base_rate_in_list, day_left, read_test, run_test, saved_or_postponed
from casebook.churn.abtest_plan import likeness, list_power, nps_guardrail
from casebook.churn.evaluate import call_top, nobody, once, run, worth
from casebook.churn.expectation import soft_auc, stays
from casebook.churn.play import STAYS, Luck
from casebook.churn.simulate import simulate
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.world import World
from casebook.contracts import ContractError
from casebook.experiments import intraclass_correlation

NULL = World(effect=0.0, dogs=0.0)
FLOAT32 = 1e-4  # hazards are float32
SIGMAS = 4.0  # a Monte Carlo mean leaves so many standard errors once in 16,000 runs


def rng(*seed: int) -> np.random.Generator:
    return np.random.default_rng(seed or 0)


@pytest.fixture(scope="module")
def day():
    return draw_snapshot(World(), 6_000, rng(1))


@pytest.fixture(scope="module")
def listed(day):
    return call_top(day.worth.p, 400)


def fresh(truth, *seed):
    return replace(truth, luck=Luck.draw(len(truth.people), 12, rng(*seed)))


def test_stays_agrees_with_worth(day):
    with_call = worth(World(), day.truth, horizon=36)
    alone = stays(World(), day.truth.months, day.truth.carry, 36)
    np.testing.assert_allclose(1 - alone[:, 0], with_call.p, atol=1e-12)
    np.testing.assert_allclose(0.8 * day.truth.people.price * alone.sum(axis=1), with_call.value)


def test_saves_by_horizon_are_the_mean_over_many_plays(day, listed):
    told = saved_or_postponed(World(), day.truth, listed, (1, 3, 6, 12)).set_index("months")["saves"]
    saves = []
    for seed in range(150):
        truth = fresh(day.truth, 5, seed)
        called, alone = (run(World(), truth, rule, 12) for rule in (once(listed), nobody))
        saves.append([called.here(month).sum() - alone.here(month).sum() for month in told.index])
    mean, error = np.mean(saves, axis=0), np.std(saves, axis=0) / np.sqrt(len(saves))
    assert (abs(mean - told) < SIGMAS * error).all()
    assert (error < 0.4).all()


def test_saves_fade_as_persistence_says(day, listed):
    shares = [
        saved_or_postponed(World(persistence=left), day.truth, listed)["of_first"].to_numpy() for left in (0, 0.6, 1)
    ]
    assert (np.diff(shares, axis=0)[:, 1:] > 0).all()  # every later horizon rises with persistence
    assert shares[0][1] < 1
    null = draw_snapshot(NULL, 2_000, rng(2))
    np.testing.assert_array_equal(saved_or_postponed(NULL, null.truth, null.worth.p > 0.1)["saves"], 0)


def test_a_test_whose_treatment_does_nothing_covers_nought_at_its_level():
    day = draw_snapshot(NULL, 5_000, rng(3))
    listed = call_top(day.worth.p, 600)
    runs, covered = 200, np.zeros(3)
    for seed in range(runs):
        read = read_test(run_test(NULL, fresh(day.truth, 6, seed), listed, rng(7, seed)), margins={})
        covered += (read["low"] <= 0).to_numpy()[:3] & (read["high"] >= 0).to_numpy()[:3]
    low, high = binom.ppf([1e-4, 1 - 1e-4], runs, 0.95)
    assert ((covered >= low) & (covered <= high)).all()


def test_the_test_estimates_the_true_uplift_of_the_list():
    world = World(effect=0.45, dogs=0.0)
    day = draw_snapshot(world, 5_000, rng(4))
    listed = call_top(day.worth.p, 600)
    found = [
        read_test(run_test(world, fresh(day.truth, 8, seed), listed, rng(9, seed)), margins={})["estimate"].to_numpy()
        for seed in range(120)
    ]
    mean, error = np.mean(found, axis=0), np.std(found, axis=0) / np.sqrt(len(found))
    true = saved_or_postponed(world, day.truth, listed, (1, 3, 6))["saves"] / 600
    assert (abs(mean[:3] - true) < SIGMAS * error[:3]).all()
    assert abs(mean[3] - true[0] / world.reach) < SIGMAS * error[3]
    assert true[0] > 5 * error[0]  # the check has the power to notice a wrong effect


def test_the_frame_says_who_was_called_and_when_they_left(day, listed):
    test = run_test(World(), day.truth, listed, rng(10), share=0.3)
    frame = test.frame
    assert frame["subscriber_id"].tolist() == day.truth.subscriber_id[listed].tolist()
    assert frame.groupby("account_id")["treated"].nunique().max() == 1
    assert not frame.loc[~frame["treated"], "reached"].any()
    assert frame["treated"].mean() == pytest.approx(0.3, abs=0.05)
    assert frame["day_left"].max() < test.days == 181
    alone = run(World(), day.truth, nobody, 6)
    control = ~frame["treated"].to_numpy()
    gone = frame["day_left"].notna().to_numpy()[control]
    np.testing.assert_array_equal(gone, alone.left[listed][control] != STAYS)


def test_days_fall_in_the_month_of_leaving(day):
    played = run(World(), day.truth, nobody, 6)
    days = day_left(day.truth, played)
    starts = np.cumsum([0, 31, 28, 31, 30, 31, 30])
    gone = played.left != STAYS
    np.testing.assert_array_equal(np.searchsorted(starts, days[gone], side="right") - 1, played.left[gone])
    by_bill = gone & ~played.by_card
    np.testing.assert_array_equal(days[by_bill], starts[played.left[by_bill]] + day.truth.people.day[by_bill] - 1)
    assert np.isnan(days[~gone]).all()


def test_complaints_follow_the_law_of_the_warehouse():
    company = simulate(World(), 6_000, rng(11))
    calls = company.tables["calls"].query("reached")
    month = calls["called_on"].dt.to_period("M")
    for kind, (rare, after) in FEEDBACK.items():
        told = company.tables["feedback"]
        told = told[told["kind"] == kind]
        pairs = set(zip(told["subscriber_id"], told["happened_on"].dt.to_period("M"), strict=True))
        happened = np.array([pair in pairs for pair in zip(calls["subscriber_id"], month, strict=True)])
        least, most = rare + after, rare + abtest.DOG_TIMES * after
        rate, error = happened.mean(), np.sqrt(most / len(calls))
        assert least - SIGMAS * error < rate < most + SIGMAS * error
        assert rate > rare + SIGMAS * np.sqrt(rare / len(calls)) / 2


def test_complaint_rate_of_the_test_is_its_law(day):
    everybody = np.ones(len(day), dtype=bool)
    test = run_test(World(), day.truth, everybody, rng(12), share=0.9)
    reached, dog = test.frame["reached"], day.truth.people.dog
    for kind, (rare, after) in FEEDBACK.items():
        expected = (rare + after * reached * np.where(dog, 5, 1)).sum()
        assert abs(test.frame[kind].sum() - expected) < SIGMAS * np.sqrt(expected)


def test_guardrails_have_verdicts_and_none_without_a_complaint(day, listed):
    test = run_test(World(), day.truth, listed, rng(13))
    quiet = replace(test, frame=test.frame.assign(complaint=False, unsubscribe=test.frame["treated"]))
    quiet.frame.loc[quiet.frame.index[:2], "unsubscribe"] = False
    read = read_test(quiet)
    assert read.loc["complaint", ["estimate", "verdict"]].tolist() == [0.0, "not known"]
    assert read.loc["unsubscribe", "verdict"] == "broken"
    assert read.loc["retention", "verdict"].isna().all()


def test_base_rate_in_list_by_hand(day):
    listed = np.zeros(len(day), dtype=bool)
    listed[[0, 5, 9]] = True
    got = base_rate_in_list(day.worth, listed)
    assert got.inside == pytest.approx(day.worth.p[[0, 5, 9]].sum() / 3)
    assert got.base * got.times == pytest.approx(got.inside)
    assert got.caught == pytest.approx(3 * got.inside / (len(day) * got.base))
    assert base_rate_in_list(day.worth, np.ones(len(day))).times == pytest.approx(1)


def test_list_power_against_the_textbook_formula(day, listed):
    table = list_power(day.worth, listed, day.truth.people.account)
    assert table["arm"].tolist() == [3_000] * 3 + [6_000] * 3
    assert table["inflation"].iloc[2] >= 1
    z = norm.isf(0.025) + norm.isf(0.2)
    plain = z * np.sqrt(2 * table["base_rate"] * (1 - table["base_rate"]) * table["inflation"] / table["arm"])
    np.testing.assert_allclose(table["mde"], plain, rtol=0.1)  # the formula takes both variances at the base rate
    assert (table["mde"].to_numpy()[1] > table["mde"].to_numpy()[0]) and table["mde"].iloc[4] < table["mde"].iloc[1]
    null = draw_snapshot(NULL, 2_000, rng(14))
    assert (list_power(null.worth, null.worth.p > 0.1, null.truth.people.account)["power"] == 0.025).all()


def test_likeness_is_what_simulated_leaving_shows():
    draws = rng(15)
    account = np.repeat(np.arange(30_000), 2)
    p = np.repeat(draws.beta(2, 8, 30_000), 2)
    got = intraclass_correlation(draws.random(len(p)) < p, account)
    assert likeness(p, account) == pytest.approx(1 / 11, abs=0.004)  # of a beta(2, 8): 1 / (2 + 8 + 1)
    assert got == pytest.approx(1 / 11, abs=SIGMAS / np.sqrt(30_000))
    assert likeness(p[::2], account[::2]) == 0.0


def test_nps_guardrail_by_hand():
    scores = pd.DataFrame({"score": [10, 9, 9, 8, 7, 6, 0, np.nan, np.nan, np.nan]})
    got = nps_guardrail(scores, arm=1_000).iloc[0]
    points = np.array([100, 100, 100, 0, 0, -100, -100])
    assert got["nps"] == pytest.approx(points.mean())
    assert got["answers"] == pytest.approx(700)
    assert got["mde"] == pytest.approx(
        (norm.isf(0.025) + norm.isf(0.2)) * points.std(ddof=1) * np.sqrt(2 / 700), rel=1e-9
    )
    assert got["if_all_answer"] == pytest.approx(got["mde"] * np.sqrt(0.7))


def test_soft_auc_is_the_weighted_auc_of_sklearn():
    from sklearn.metrics import roc_auc_score

    draws = rng(16)
    p, score = draws.random(300), draws.integers(0, 20, 300) / 20
    twin = roc_auc_score(np.repeat([1, 0], 300), np.tile(score, 2), sample_weight=np.concatenate([p, 1 - p]))
    assert soft_auc(p, score) == pytest.approx(twin)


def test_refusals(day, listed):
    truth, n = day.truth, len(day)
    cases = [
        (
            lambda: run_test(World(), truth, listed[:-1], rng()),
            f"listed must be {n} rows long, one a subscriber, got {n - 1}; "
            "pass one flag per subscriber, such as call_top(score, calls).",
        ),
        (
            lambda: saved_or_postponed(World(), truth, 0 * listed),
            "act must be 1 for somebody, got 0 in every row; put at least one subscriber on the list.",
        ),
        (
            lambda: run_test(World(), truth, listed, rng(), months=40),
            "months must be between 1 and 36, the months that the truth holds, got 40; take fewer months.",
        ),
        (
            lambda: saved_or_postponed(World(), truth, listed, (0, 1)),
            "horizons must be whole months from 1 to 36, got (0, 1); ask for months that the truth holds.",
        ),
        (
            lambda: read_test(run_test(World(), truth, listed, rng(), months=1), (30, 90)),
            "horizons must be up to 31 days, the length of the test, got (30, 90); "
            "ask for shorter horizons or play the test for more months.",
        ),
        (
            lambda: read_test(run_test(World(), truth, listed, rng()), margins={"anger": 0.1}),
            "margins must be keyed by 'complaint' or 'unsubscribe', got 'anger'; rename the guardrail.",
        ),
        (
            lambda: base_rate_in_list(day.worth, np.zeros(n)),
            "listed must be 1 for somebody, got 0 in every row; put at least one subscriber on the list.",
        ),
        (
            lambda: nps_guardrail(pd.DataFrame({"score": [26.0, 40.0]})),
            "surveys, column 'score' must be between 0 and 10, got 26 to 40; pass the 0-10 answers, not the NPS.",
        ),
        (
            lambda: nps_guardrail(pd.DataFrame({"score": [np.nan, 9.0]})),
            "surveys, column 'score' must be answered by two or more, got 1 answers; pass more surveys.",
        ),
        (
            lambda: nps_guardrail(pd.DataFrame({"score": [8.0, 9.0]}), arm=1),
            "arm must be large enough for two answers, got 1; ask more subscribers.",
        ),
    ]
    for call, text in cases:
        with pytest.raises(ContractError) as caught:
            call()
        assert str(caught.value) == text
