"""The value of a rule and the uplift at a share, against regressions, tests and a world with both outcomes."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy.stats import ttest_ind

from casebook.uplift import Estimate, policy_value, uplift_at, uplift_curve

ROUNDING = 1e-9


def test_without_a_cost_it_is_a_weighted_regression_on_a_constant(toy):
    world = toy(0, 500)
    act, p = world.tau > 0.1, np.where(world.X["risk"] > 0, 0.7, 0.4)
    treated = np.random.default_rng(0).random(500) < p
    y = np.where(treated, world.y_if_treated, world.y_if_left)
    weights = (treated == act) / np.where(act, p, 1 - p)
    fit = sm.WLS(y.astype(float), np.ones(500), weights=weights).fit(cov_type="HC1")
    ours = policy_value(y, treated, act, propensity=p)
    assert (ours.value, ours.se) == pytest.approx((fit.params[0], fit.bse[0]), abs=ROUNDING)
    assert (ours.low, ours.high) == pytest.approx(tuple(fit.conf_int()[0]), abs=ROUNDING)
    assert (ours.n_treated, ours.n_control) == ((treated & act).sum(), (~treated & ~act).sum())
    group = np.arange(500) // 5
    covariance = {"groups": group, "use_correction": False}
    clustered = sm.WLS(y.astype(float), np.ones(500), weights=weights).fit(cov_type="cluster", cov_kwds=covariance)
    expected = clustered.bse[0] * np.sqrt(100 / 99)
    assert policy_value(y, treated, act, propensity=p, cluster=group).se == pytest.approx(expected, abs=ROUNDING)


def test_rules_that_treat_all_or_none_are_the_means_of_the_arms(toy):
    world = toy(1, 400)
    y, w = world.y, world.treated
    for act, rows in ((np.ones(400), w), (np.zeros(400), ~w)):
        ours = policy_value(y, w, act, cost=3, value=10)
        expected = 10 * y[rows].mean() - 3 * act[0]
        assert ours.value == pytest.approx(expected, abs=ROUNDING)
        own = 10 * y[rows].std() / np.sqrt(rows.sum()) * np.sqrt(400 / 399)
        assert ours.se == pytest.approx(own, abs=ROUNDING)


def test_intervals_cover_the_value_of_the_rule(toy):
    everyone = toy(2, 400_000)
    rule = everyone.X["lever"].to_numpy() > 0
    worth = 10 + 5 * everyone.X["risk"].to_numpy()
    truth = (worth * np.where(rule, everyone.y_if_treated, everyone.y_if_left) - 2 * rule).mean()
    covered = 0
    for seed in range(300):
        world = toy(1000 + seed, 400)
        act = world.X["lever"].to_numpy() > 0
        value = policy_value(world.y, world.treated, act, cost=2, value=10 + 5 * world.X["risk"].to_numpy())
        covered += int(value.low <= truth <= value.high)
    assert 0.92 <= covered / 300 <= 0.98  # 0.95 with a standard error of 0.013, and the truth's own luck


def test_the_best_rule_is_worth_more_than_all_or_none(toy):
    world = toy(3, 40_000)
    cost = 0.1
    rules = {"best": world.tau > cost, "all": np.ones(40_000), "none": np.zeros(40_000)}
    values = {name: policy_value(world.y, world.treated, act, cost=cost) for name, act in rules.items()}
    assert values["best"].low > max(values["all"].value, values["none"].value)


def test_uplift_at_a_share_is_a_welch_comparison_of_the_top(toy):
    world = toy(4, 1000)
    top = np.argsort(-world.tau)[:300]
    a, b = world.y[top][world.treated[top]], world.y[top][~world.treated[top]]
    ours, welch = uplift_at(world.y, world.treated, world.tau, 0.3), ttest_ind(a, b, equal_var=False)
    assert ours.value == pytest.approx(a.mean() - b.mean(), abs=ROUNDING)
    assert ours.se == pytest.approx(ours.value / welch.statistic, rel=1e-9)
    assert (ours.n_treated, ours.n_control) == (len(a), len(b))
    everyone = uplift_at(world.y, world.treated, world.tau, 1)
    end = uplift_curve(world.y, world.treated, world.tau, definition="gain")["gain"].iloc[-1]
    assert everyone.value == pytest.approx(end, abs=ROUNDING)


def test_a_cut_within_equal_scores_takes_each_of_them_in_part():
    y, treated = np.array([1, 1, 0, 1, 0, 0, 1, 0]), np.array([1, 1, 0, 0, 1, 0, 1, 0])
    score = np.array([9, 9, 9, 9, 5, 5, 5, 5.0])
    # Six of eight: the four at 9, and each at 5 by half.
    expected = (2 + 0.5) / 3 - (1 + 0) / 3
    assert uplift_at(y, treated, score, 0.75).value == pytest.approx(expected, abs=ROUNDING)
    back = slice(None, None, -1)
    assert uplift_at(y[back], treated[back], score[back], 0.75).value == pytest.approx(expected, abs=ROUNDING)


def test_a_share_that_is_a_whole_number_of_rows_reaches_no_further():
    score = np.arange(30.0)[::-1]
    y, treated = np.ones(30), np.arange(30) % 2 == 0
    share = (0.1 + 0.2) * 2 / 3 * 2  # 0.4 and a rounding error
    assert share * 30 > 12
    ours = uplift_at(y, treated, score, share)
    assert ours.n_treated + ours.n_control == 12


def test_an_estimate_prints_its_interval_and_counts():
    estimate = Estimate(0.125, 0.01, 0.1054, 0.1446, 1200, 300)
    assert str(estimate) == "0.125 [0.1054, 0.1446] (1,200 treated, 300 controls)"
    assert float(estimate) == 0.125


def test_a_wider_level_gives_a_wider_interval(toy):
    world = toy(5, 300)
    narrow, wide = (policy_value(world.y, world.treated, world.tau > 0, level=level) for level in (0.8, 0.99))
    assert wide.high > narrow.high > narrow.value > narrow.low > wide.low
