"""Drift and retraining: a changed company against the plain one, alarms against brute force, the null year."""

import numpy as np
import pandas as pd
import pytest

from casebook.churn import features
from casebook.churn.changed import CUSTOM, Change, draw_changed, fit_risk, judge, lose_usage
from casebook.churn.expectation import soft_auc
from casebook.churn.plays_watch import play_watch
from casebook.churn.simulate import simulate
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.studies_watch import WATCH
from casebook.churn.watch import detection, retraining_year, weekly_psi
from casebook.churn.world import World
from casebook.contracts import ContractError
from casebook.monitoring import ks, psi, psi_null

SIGMAS = 4.0  # a mean leaves so many standard errors once in 16,000 runs


def rng(*seed):
    return np.random.default_rng(seed or 0)


@pytest.fixture(scope="module")
def quiet():
    return draw_changed(World(), Change(), -1, 8_000, rng(1))


def off(mean, values):
    """Standard errors between a mean and the mean of values."""
    return abs(mean - values.mean()) / (values.std() / np.sqrt(len(values)))


@pytest.mark.parametrize("months_since", [-3, 0, 5, 11])
def test_without_a_change_it_is_the_law_of_a_snapshot(quiet, months_since):
    plain = draw_snapshot(World(), 8_000, rng(2), months=1)
    day = draw_changed(World(), Change(), months_since, 8_000, rng(3))
    assert off(plain.worth.p.mean(), day.worth.p) < SIGMAS * np.sqrt(2)
    for column in ("logins_28d", "usage_vs_84d_ago", "tenure_days", "days_to_renewal", "tickets_30d"):
        assert ks(plain.features[column], day.features[column]).p_value > 1e-4, column
    assert list(plain.features) == list(day.features)


def test_a_rival_lures_the_dearest_plan_and_no_feature_shows_it_at_once(quiet):
    day = draw_changed(World(), Change(rival=1.5), 0, 8_000, rng(1))
    dear = day.features["price"] == day.features["price"].max()
    cancel = day.truth.months.p[:, 0].astype(float)
    pairs = cancel[dear & (cancel > 0)].mean(), cancel[~dear & (cancel > 0)].mean()
    assert 2 < pairs[0] / pairs[1] < 4.5  # e^1.5 is 4.5, and odds are not chances
    for column in day.features:
        assert psi(quiet.features[column], day.features[column]) < psi_null(8_000, 7_000, 10, 1e-4)
    later = draw_changed(World(), Change(rival=1.5), 11, 8_000, rng(1))
    assert (later.features["price"] > 400).mean() < (quiet.features["price"] > 400).mean() - 0.02  # they have left


def test_more_pull_leaves_whoever_feels_none_as_they_were():
    world, change = World(spread=0.0, annual_share=0.0, failed_cards=0.0, dogs=0.0), Change(pull=4.0)
    before, after = (draw_changed(world, c, 9, 4_000, rng(1)) for c in (Change(), change))
    chances = []
    for day in (before, after):
        free, old = ~day.truth.months.pull[:, 0], day.features["tenure_days"] > 700
        chances.append(day.truth.months.p[free & old, 0].astype(float).mean())
    assert chances[0] == pytest.approx(chances[1], rel=1e-3)
    assert after.truth.months.pull.mean() > 2 * before.truth.months.pull.mean()


def test_pull_can_grow_where_most_are_on_annual_plans():
    day = draw_changed(World(annual_share=0.7), Change(pull=4.0), 6, 1_000, rng(1))
    assert 0 < day.worth.p.mean() < 0.1


def test_logins_are_lost_last_week_first_and_the_ratio_comes_back():
    old = pd.DataFrame({"logins_7d": 10.0, "logins_28d": 40.0, "logins_84d_ago": 40.0}, index=range(4_000))
    old.loc[0, "logins_84d_ago"] = np.nan
    old["usage_vs_84d_ago"] = (old["logins_28d"] + 1) / (old["logins_84d_ago"] + 1)
    before = old.copy()
    for weeks, shares in ((0, (1, 1, 1)), (0.5, (0.8, 0.95, 1)), (2, (0.6, 0.8, 1)), (14, (0.6, 0.6, 0.8))):
        seen = lose_usage(old, 0.4, weeks, rng(1))
        for column, share in zip(("logins_7d", "logins_28d", "logins_84d_ago"), shares, strict=True):
            assert seen[column].mean() / old[column].mean() == pytest.approx(share, abs=0.01)
    assert seen.isna().sum().tolist() == old.isna().sum().tolist() == [0, 0, 1, 1]
    end = lose_usage(old, 0.4, 40, rng(1))["usage_vs_84d_ago"]
    assert end.mean() == pytest.approx(1.0, abs=0.05)
    pd.testing.assert_frame_equal(old, before)


def test_more_months_than_are_played_are_refused():
    with pytest.raises(ContractError) as refusal:
        draw_changed(World(), Change(), 12, 500, rng())
    assert str(refusal.value) == "months_since must be below 12, got 12; a year is all that is played."


def test_the_judge_agrees_with_brute_force(quiet):
    model = fit_risk(quiet, rng(4))
    day = draw_changed(World(), Change(), -1, 3_000, rng(5))
    score, p = model.predict_proba(day.features)[:, 1], day.worth.p
    listed = np.argsort(-score, kind="stable")[: round(0.05 * len(p))]
    best = np.sort(p)[::-1][: len(listed)]
    found = judge(model, day, 0.05)
    assert found["precision"] == pytest.approx(p[listed].mean())
    assert found["found"] == pytest.approx(p[listed].sum() / best.sum())
    assert found["promised"] == pytest.approx(score.sum() / p.sum())
    assert found["auc"] == soft_auc(p, score)


def test_weekly_psi_agrees_with_psi_on_the_rows():
    company = simulate(World(), 600, rng(6))
    found = weekly_psi(features.connect(company.tables), "2025-02-03", weeks=3, alpha=0.01)
    usage = company.tables["usage_weekly"]
    reference = usage.loc[usage["week"].between("2025-01-06", "2025-02-02"), "logins"].astype(float)
    assert found["week"].astype(str).tolist() == ["2025-02-03", "2025-02-10", "2025-02-17"]
    for row in found.itertuples():
        logins = usage.loc[usage["week"] == row.week, "logins"]
        assert (row.rows, row.mean) == (len(logins), pytest.approx(logins.mean()))
        assert row.psi == pytest.approx(psi(reference, logins.astype(float)), rel=1e-9)
        assert row.alarm == (row.psi > row.threshold)
    with pytest.raises(ContractError) as refusal:
        weekly_psi(features.connect(company.tables), "2024-01-15")
    assert str(refusal.value) == (
        "start must be a date with four weeks of usage before it, and some after it, got 2 weeks before and 52 after "
        "it; pass another date."
    )


def test_christmas_rings_and_a_usual_week_does_not():
    company = simulate(World(), 3_000, rng(7))
    year = weekly_psi(features.connect(company.tables), "2024-12-23", weeks=53).set_index("week")
    assert year.loc[["2024-12-23", "2025-12-22"], "psi"].min() > CUSTOM > 2 * year["psi"].iloc[1:-1].max()


def test_detection_is_sooner_for_more_and_false_alarms_are_as_rare_as_promised():
    pool = draw_changed(World(), Change(), -1, 20_000, rng(8)).features
    table = detection(pool, (0.0, 0.02, 0.05, 0.2, 0.4), 2_000, rng(9), runs=20)
    found = table.pivot(index="lost", columns="alarm", values="found")
    days = table.pivot(index="lost", columns="alarm", values="days")
    assert found.loc[0.0, "PSI > 0.1"] == 0 and found.loc[0.0].max() < 0.8  # once a year is 0.4 in half of one
    assert found.loc[0.02, "CUSUM"] > found.loc[0.02, "PSI > chance"] + 0.2
    assert found.loc[0.4].min() == 1 and found.loc[0.2, "PSI > 0.1"] == 0
    assert (found.loc[0.05, "CUSUM"], found.loc[0.2, "PSI > chance"]) == (1, 1)
    assert days["CUSUM"].iloc[1:].is_monotonic_decreasing and days.loc[0.4].max() < 15


@pytest.mark.slow
def test_a_quiet_year_does_not_pay_and_a_rivals_year_does():
    quiet_year = retraining_year(World(), Change(rival=0.0), 3, 4_000, rng(10), months=7)
    year = retraining_year(World(), Change(rival=1.8), 3, 4_000, rng(10), months=7)
    before, after = year.iloc[:3], year.iloc[4:]
    pd.testing.assert_frame_equal(before, quiet_year.iloc[:3])
    assert year["never_auc"].iloc[0] == year["monthly_auc"].iloc[0]
    assert (after["monthly_auc"] - after["never_auc"]).mean() > 0.015
    assert abs((quiet_year["monthly_auc"] - quiet_year["never_auc"]).mean()) < 0.015
    assert after["never_promised"].mean() < 0.8 * before["never_promised"].mean()
    assert after["psi"].max() < CUSTOM


def test_the_null_world_of_the_study_has_no_finding():
    dials = {dial.name: (dial.low + dial.high) / 2 if dial.null is None else dial.null for dial in WATCH.dials}
    row = play_watch(dials | {"rows": 3_000.0}, rng(11))
    findings = [name for name, value in row.items() if isinstance(value, bool)]
    assert {name for name in findings if row[name]} <= {"psi_cries_wolf", "quiet_pays", "retraining_hurts"}
    for name in ("usage", "pull", "rival"):
        assert (row[f"{name}_promise"], row[f"{name}_gained"]) == (1.0, 0.0)
