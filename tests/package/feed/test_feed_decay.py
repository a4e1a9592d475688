"""Lifts by day and the fitted decay: known curves, an independent twin, coverage, one sentence for bad input."""

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import curve_fit, minimize

from casebook.contracts import ContractError
from casebook.experiments import ratio_difference
from casebook.feed.decay import Lifts, fit_decay, lift_from, lifts_by
from casebook.feed.simulate import simulate
from casebook.feed.world import Design, World

DAY = np.arange(14)
COV = 0.008**2 * (0.8 * np.eye(14) + 0.2)


@pytest.fixture(scope="module")
def daily():
    return simulate(World(), 4_000, np.random.default_rng(3), Design(new=0.5, control=0.5)).tables["daily"]


def test_a_days_lift_and_error_are_the_ratio_metrics_own(daily):
    found = lifts_by(daily, "day")
    rows = daily[daily["day"] == 5]
    twin = ratio_difference(rows["minutes"], rows["sessions"], rows["arm"] == "new")
    assert found.lift[5] == pytest.approx(twin.estimate / twin.control_mean, rel=1e-9)
    treated, control = rows[rows["arm"] == "new"], rows[rows["arm"] == "control"]
    parts = []
    for arm in (treated, control):
        rate = arm["minutes"].sum() / arm["sessions"].sum()
        pull = (arm["minutes"] - rate * arm["sessions"]) / arm["minutes"].sum()
        parts.append((pull**2).sum())
    assert found.se[5] == pytest.approx((1 + found.lift[5]) * np.sqrt(sum(parts)), rel=1e-9)


def test_the_covariance_is_a_jackknife_over_users(daily):
    few = daily[daily["user_id"] < 400]
    found = lifts_by(few, "day")
    users = np.random.default_rng(0).permutation(few["user_id"].unique())
    groups = np.array_split(users, 60)
    left = np.array([lifts_by(few[~few["user_id"].isin(group)], "day").lift for group in groups])
    jackknife = (len(groups) - 1) * np.cov(left.T, ddof=0)
    assert np.trace(jackknife) == pytest.approx(np.trace(found.cov), rel=0.25)
    off = ~np.eye(14, dtype=bool)
    assert jackknife[off].mean() == pytest.approx(found.cov[off].mean(), abs=0.15 * np.diag(found.cov).mean())


def test_order_of_rows_is_irrelevant_and_swapping_the_arms_inverts_the_ratio(daily):
    found = lifts_by(daily)
    mixed = lifts_by(daily.sample(frac=1, random_state=1))
    np.testing.assert_allclose(mixed.lift, found.lift)
    np.testing.assert_allclose(mixed.cov, found.cov, atol=1e-15)
    swapped = lifts_by(daily.assign(arm=daily["arm"].map({"new": "control", "control": "new"})))
    np.testing.assert_allclose((1 + swapped.lift) * (1 + found.lift), 1)


def test_the_whole_test_and_its_second_week(daily):
    late = daily[daily["day"] >= 7]
    sums = late.groupby("arm")[["minutes", "sessions"]].sum()
    rate = sums["minutes"] / sums["sessions"]
    assert lift_from(daily, 7).estimate == pytest.approx(rate["new"] / rate["control"] - 1)
    assert lift_from(daily).se < lift_from(daily, 7).se < 2**0.5 * lift_from(daily).se


@pytest.mark.parametrize(
    ("lasting", "passing", "half_life"), [(0.02, 0.06, 4.0), (0.03, -0.04, 6.0), (-0.01, 0.05, 1.5)]
)
def test_an_exact_curve_comes_back(lasting, passing, half_life):
    fit = fit_decay(Lifts(DAY, lasting + passing * 0.5 ** (DAY / half_life), 1e-8 * np.eye(14)))
    assert (fit.lasting, fit.passing, fit.half_life) == pytest.approx((lasting, passing, half_life), rel=1e-4)
    assert fit.low < lasting < fit.high
    np.testing.assert_allclose(fit.at(DAY), lasting + passing * 0.5 ** (DAY / half_life), atol=1e-6)


@pytest.mark.parametrize("seed", range(4))
def test_the_point_is_the_one_of_curve_fit(seed):
    lift = (
        0.02 + 0.06 * 0.5 ** (DAY / 3) + np.linalg.cholesky(COV / 9) @ np.random.default_rng(seed).standard_normal(14)
    )
    fit = fit_decay(Lifts(DAY, lift, COV / 9))
    found, _ = curve_fit(
        lambda day, lasting, passing, half_life: lasting + passing * 0.5 ** (day / half_life),
        DAY, lift, p0=(0.02, 0.06, 3.0), sigma=COV / 9, bounds=([-1, -1, 0.5], [1, 1, 14]),
    )  # fmt: skip
    np.testing.assert_allclose((fit.lasting, fit.passing, fit.half_life), found, rtol=2e-3, atol=2e-5)


def test_the_interval_ends_where_a_direct_search_of_the_profile_does():
    lift = 0.02 + 0.06 * 0.5 ** (DAY / 3) + np.linalg.cholesky(COV) @ np.random.default_rng(2).standard_normal(14)
    fit, weight = fit_decay(Lifts(DAY, lift, COV)), np.linalg.inv(COV)

    def misfit(lasting):
        def off(rest):
            gap = lift - lasting - rest[0] * 0.5 ** (DAY / rest[1])
            return gap @ weight @ gap

        return min(
            minimize(off, (0.05, start), bounds=[(-1, 1), (0.5, 14)], method="L-BFGS-B").fun for start in (1, 4, 12)
        )

    for end in (fit.low, fit.high):
        assert misfit(end) - misfit(fit.lasting) == pytest.approx(3.84, abs=0.15)


def test_a_longer_half_life_allowed_widens_the_interval():
    lift = 0.02 + 0.06 * 0.5 ** (DAY / 8)
    widths = [fit.high - fit.low for fit in (fit_decay(Lifts(DAY, lift, COV), longest=days) for days in (7, 14, 40))]
    assert widths == sorted(widths) and widths[0] < widths[-1]


@pytest.mark.slow
@pytest.mark.parametrize(("passing", "half_life"), [(0.06, 4.0)])
def test_the_interval_covers_as_often_as_it_says(passing, half_life):
    rng, root, true = np.random.default_rng(5), np.linalg.cholesky(COV), 0.02
    drawn = true + passing * 0.5 ** (DAY / half_life) + rng.standard_normal((2_000, 14)) @ root.T
    covered = np.mean([fit.low <= true <= fit.high for fit in (fit_decay(Lifts(DAY, lift, COV)) for lift in drawn)])
    assert 0.935 < covered < 0.985  # three binomial errors below 95%; the bound on half-lives makes it cover more


BAD = {
    "clock": (
        lambda daily: lifts_by(daily, "week"),
        "clock must be 'days_since_exposure' or 'day', got 'week'; choose one of the two.",
    ),
    "a day without minutes in an arm": (
        lambda daily: lifts_by(daily[(daily["arm"] == "new") | (daily["day"] != 3)], "day"),
        "daily, day 3 must be a day with minutes in both arms, got none; leave the day out or wait for more.",
    ),
    "few days": (
        lambda daily: fit_decay(Lifts(DAY[:3], np.zeros(3), np.eye(3))),
        "lifts must be those of four days or more, got 3; wait, for three numbers are fitted.",
    ),
    "half-life": (
        lambda daily: fit_decay(Lifts(DAY, np.zeros(14), COV), longest=0.1),
        "longest must be above 0.5 days, got 0.1; give the half-life in days.",
    ),
    "clock of a part": (
        lambda daily: lift_from(daily, 7, "week"),
        "clock must be 'days_since_exposure' or 'day', got 'week'; choose one of the two.",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_gets_one_sentence(case, daily):
    call, message = BAD[case]
    with pytest.raises(ContractError) as refused:
        call(daily)
    assert str(refused.value) == message


def test_a_missing_column_is_named(daily):
    with pytest.raises(ContractError, match="minutes"):
        lifts_by(pd.DataFrame(daily).drop(columns="minutes"))
