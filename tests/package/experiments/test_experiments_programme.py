"""Beliefs against quadrature and drawn programmes; risks against published tables."""

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import norm

from casebook.contracts import ContractError
from casebook.experiments import (
    Belief,
    chance_of_replication,
    exaggeration,
    false_positive_risk,
    fit_programme,
    winners,
)

DRAWS = 400_000
# Four standard errors of a share over the draws, at the least favourable share.
SHARE = 4 * np.sqrt(0.25 / DRAWS)
QUADRATURE = 1e-7

beliefs = st.builds(Belief, st.floats(-1, 1), st.floats(0.2, 2), st.sampled_from([0.0, 0.3, 0.9]))


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def drawn(belief, rng, n=DRAWS):
    return np.where(rng.random(n) < belief.idle, 0.0, rng.normal(belief.mean, belief.sd, n))


@pytest.mark.parametrize(
    ("success_rate", "risk"), [(1 / 3, 0.059), (0.2, 0.111), (0.15, 0.150), (0.10, 0.220), (0.08, 0.264)]
)
def test_false_positive_risk_is_the_table_of_kohavi_deng_and_vermeer(success_rate, risk):
    assert false_positive_risk(0.05, 0.8, success_rate) == pytest.approx(risk, abs=0.0005)


def test_false_positive_risk_counts_wins():
    rng = np.random.default_rng(0)
    helps = rng.random(DRAWS) < 0.1
    win = np.where(helps, rng.random(DRAWS) < 0.3, rng.normal(size=DRAWS) > norm.isf(0.025))
    # Some 15,000 wins: four standard errors of their share.
    assert false_positive_risk(0.05, 0.3, 0.1) == pytest.approx(1 - helps[win].mean(), abs=4 * np.sqrt(0.25 / 15_000))
    assert false_positive_risk(0.05, 0.3, 0.1, sides=1) > false_positive_risk(0.05, 0.3, 0.1)


@given(st.floats(0.01, 0.98), st.floats(0.01, 0.98))
def test_more_power_and_more_success_make_wins_safer(power, rate):
    risk = false_positive_risk(0.05, power, rate)
    assert false_positive_risk(0.05, power + 0.01, rate) < risk
    assert false_positive_risk(0.05, power, rate + 0.01) < risk
    assert false_positive_risk(0.01, power, rate) < risk


@pytest.mark.parametrize(("p", "chance"), [(0.05, 0.50), (0.01, 0.73), (0.005, 0.80), (0.001, 0.91)])
def test_replication_is_goodman_s_table(p, chance):
    assert chance_of_replication(p) == pytest.approx(chance, abs=0.005)


def test_the_source_s_two_launches_would_be_repeated_half_the_time():
    assert chance_of_replication(0.04) == pytest.approx(norm.cdf(norm.isf(0.02) - norm.isf(0.025)))
    assert 0.5 < chance_of_replication(0.04, flat=True) < chance_of_replication(0.04) < 0.55


def test_replication_under_a_flat_prior_is_the_limit_of_a_wide_belief():
    z = norm.isf(0.02 / 2)
    for size in (1.0, 4.0):
        wide = Belief(0.0, 1e6).replication(z, 1.0, size=size)
        assert chance_of_replication(0.02, flat=True, size=size) == pytest.approx(wide, abs=1e-6)


@pytest.mark.parametrize("belief", [Belief(0.1, 0.5), Belief(0.1, 0.5, idle=0.8)])
@pytest.mark.parametrize("estimate", [0.9, -0.9])
def test_replication_under_a_programme_is_that_of_drawn_repeats(belief, estimate):
    rng, se, size = np.random.default_rng(1), 0.4, 2.0
    truth = drawn(belief.update(estimate, se), rng)
    repeat = rng.normal(truth, se / np.sqrt(size))
    again = np.mean(np.sign(estimate) * repeat > norm.isf(0.025) * se / np.sqrt(size))
    assert belief.replication(estimate, se, size=size) == pytest.approx(again, abs=SHARE)


@pytest.mark.parametrize(
    ("effect", "se", "power", "type_s", "type_m"),
    # Printed by the authors' R function, whose type M is simulated in 10,000 draws.
    [(0.1, 3.28, 0.0501, 0.464, 76.8), (2.0, 8.1, 0.0570, 0.240, 9.6)],
)
def test_exaggeration_is_that_of_gelman_and_carlin(effect, se, power, type_s, type_m):
    got = exaggeration(effect, se)
    assert got.power == pytest.approx(power, abs=0.0003)
    assert got.type_s == pytest.approx(type_s, abs=0.005)
    assert got.type_m == pytest.approx(type_m, rel=0.04)


@settings(max_examples=30)
@given(st.floats(0.05, 6), st.floats(0.1, 10))
def test_exaggeration_is_the_integral_over_both_tails(size, se):
    got, cut = exaggeration(size * se, se), norm.isf(0.025)

    def tails(what):
        return quad(what, cut, size + 12)[0] + quad(what, -size - 12, -cut)[0]

    power = tails(lambda z: norm.pdf(z - size))
    assert got.power == pytest.approx(power, rel=QUADRATURE)
    assert got.type_m == pytest.approx(tails(lambda z: abs(z) * norm.pdf(z - size)) / power / size, rel=1e-6)
    assert exaggeration(-size * se, se) == got


def test_power_cures_exaggeration():
    weak, strong = exaggeration(1.0, 1.0), exaggeration(1.0, 0.2)
    assert weak.type_m > 2 and weak.type_s > strong.type_s
    assert strong.type_m == pytest.approx(1, abs=0.01)


@given(beliefs, st.floats(-2, 2), st.floats(0.2, 2))
def test_updating_is_bayes_on_a_grid(belief, estimate, se):
    x = np.linspace(-20, 20, 100_001)
    slab = (1 - belief.idle) * norm.pdf(x, belief.mean, belief.sd) * norm.pdf(estimate, x, se) * (x[1] - x[0])
    idle = belief.idle * norm.pdf(estimate, 0, se)
    total = slab.sum() + idle
    got = belief.update(estimate, se)
    assert got.idle == pytest.approx(idle / total, abs=1e-6)
    assert got.expected == pytest.approx(slab @ x / total, abs=1e-6)
    assert got.excess(0.3) == pytest.approx(slab @ np.maximum(x - 0.3, 0) / total, abs=1e-6)
    assert got.excess(-0.3) == pytest.approx((slab @ np.maximum(x + 0.3, 0) + 0.3 * idle) / total, abs=1e-6)
    # A step cannot be integrated better than one grid cell.
    assert got.above(0.3) == pytest.approx(slab[x > 0.3].sum() / total, abs=1e-3)
    assert got.above(-0.3) == pytest.approx((slab[x > -0.3].sum() + idle) / total, abs=1e-3)
    assert float(belief.expected_after(np.array([estimate]), se)[0]) == pytest.approx(got.expected)


@given(beliefs, st.floats(-2, 2), st.floats(-2, 2), st.floats(0.2, 2), st.floats(0.2, 2))
def test_two_estimates_may_come_in_any_order_or_pooled(belief, first, second, se1, se2):
    there = belief.update(first, se1).update(second, se2)
    back = belief.update(second, se2).update(first, se1)
    weight = se2**2 / (se1**2 + se2**2)
    pooled = belief.update(weight * first + (1 - weight) * second, se1 * se2 / np.hypot(se1, se2))
    for other in (back, pooled):
        assert (there.mean, there.sd, there.idle) == pytest.approx(
            (other.mean, other.sd, other.idle), rel=1e-6, abs=1e-9
        )


@given(beliefs, st.floats(0.1, 3))
def test_what_is_expected_now_is_what_is_expected_on_average_later(belief, se):
    x, weight = belief.estimates(se)
    assert weight.sum() == pytest.approx(1, abs=QUADRATURE)
    assert weight @ belief.expected_after(x, se) == pytest.approx(belief.expected, abs=QUADRATURE)
    assert weight @ belief.idle_after(x, se) == pytest.approx(belief.idle, abs=QUADRATURE)


@pytest.mark.parametrize("belief", [Belief(-0.1, 1.0), Belief(0.05, 0.6, idle=0.85)])
def test_winners_are_those_of_a_drawn_programme(belief):
    rng, se = np.random.default_rng(2), 0.3
    truth = drawn(belief, rng)
    estimate = rng.normal(truth, se)
    won = estimate > norm.isf(0.025) * se
    got = winners(belief, se)
    count = won.sum()
    assert got.win_rate == pytest.approx(won.mean(), abs=SHARE)
    assert got.false == pytest.approx((truth[won] <= 0).mean(), abs=4 * np.sqrt(0.25 / count))
    assert got.estimate == pytest.approx(estimate[won].mean(), abs=4 * estimate[won].std() / np.sqrt(count))
    assert got.truth == pytest.approx(truth[won].mean(), abs=4 * truth[won].std() / np.sqrt(count))
    assert got.exaggeration > 1


def test_a_programme_of_idle_changes_has_false_winners_only():
    got = winners(Belief(0.0, 1e-6, idle=0.999), se=1.0)
    assert got.win_rate == pytest.approx(0.025, rel=1e-4)
    assert got.false > 0.999


def test_winners_under_a_point_success_is_the_false_positive_risk():
    # A slab that hardly varies is one size of success, met with power 0.8.
    size = norm.isf(0.025) + norm.ppf(0.8)
    got = winners(Belief(size, 1e-4, idle=0.9), se=1.0)
    assert got.false == pytest.approx(false_positive_risk(0.05, 0.8, 0.1), abs=1e-4)


def test_equal_errors_give_the_textbook_fit():
    x = np.random.default_rng(3).normal(0.2, 1.5, 60)
    got = fit_programme(x, np.full(60, 0.8))
    assert got.mean == pytest.approx(x.mean(), abs=1e-4)
    assert got.sd == pytest.approx(np.sqrt(x.var() - 0.8**2), rel=1e-4)
    assert got.idle == 0


def test_the_fit_is_the_best_on_a_grid():
    rng = np.random.default_rng(4)
    ses = rng.uniform(0.3, 1.2, 150)
    x = rng.normal(drawn(Belief(0.2, 1.5, 0.6), rng, 150), ses)
    for spike, idles in ((False, [0.0]), (True, np.linspace(0.05, 0.95, 10))):
        got = fit_programme(x, ses, spike=spike)

        def likelihood(mean, sd, idle):
            slab = (1 - idle) * norm.pdf(x, mean, np.hypot(sd, ses))
            return np.log(slab + idle * norm.pdf(x, 0, ses)).sum()

        best = max(
            likelihood(mean, sd, idle)
            for mean in np.linspace(-1, 1, 11)
            for sd in np.linspace(0.2, 3, 15)
            for idle in idles
        )
        assert likelihood(got.mean, got.sd, got.idle) >= best


@pytest.mark.slow
def test_programmes_are_recovered():
    truth = Belief(0.003, 0.012, 0.7)
    fits = []
    for seed in range(12):
        rng = np.random.default_rng(seed)
        ses = rng.uniform(0.002, 0.006, 1_500)
        fits.append(fit_programme(rng.normal(drawn(truth, rng, 1_500), ses), ses, spike=True))
    for name in ("mean", "sd", "idle"):
        values = np.array([getattr(fit, name) for fit in fits])
        assert values.mean() == pytest.approx(getattr(truth, name), abs=4 * values.std() / np.sqrt(12))
        assert values.std() < 0.4 * getattr(truth, name)


@pytest.mark.slow
@settings(max_examples=20)
@given(st.integers(0, 50), st.sampled_from([1e-6, 1.0, 1e6]))
def test_units_and_order_and_sign_do_not_matter_to_the_fit(seed, scale):
    rng = np.random.default_rng(seed)
    ses = rng.uniform(0.5, 1, 40)
    x = rng.normal(rng.normal(0.5, 2, 40), ses)
    plain, other = fit_programme(x, ses), fit_programme(-scale * x[::-1], scale * ses[::-1])
    assert (other.mean / scale, other.sd / scale) == pytest.approx((-plain.mean, plain.sd), rel=1e-3, abs=1e-4)


def test_the_shrunk_effect_of_winners_is_right_where_the_estimate_is_not():
    rng, programme, se = np.random.default_rng(5), Belief(0.0, 1.0, idle=0.8), 0.5
    truth = drawn(programme, rng, 100_000)
    estimate = rng.normal(truth, se)
    won = estimate > norm.isf(0.025) * se
    shrunk = programme.expected_after(estimate[won], se)
    error = 4 * (truth[won] - shrunk).std() / np.sqrt(won.sum())
    assert shrunk.mean() == pytest.approx(truth[won].mean(), abs=error)
    assert estimate[won].mean() > truth[won].mean() + error


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: Belief(0.0, 0.0), "sd must be above 0, got 0.0; pass what the plan has of it."),
        (lambda: Belief(0.0, 1.0, 1.0), "idle must be in [0, 1), got 1; pass the share of changes that do nothing."),
        (
            lambda: false_positive_risk(0.05, 0.8, 20),
            "success_rate must be above 0 and below 1, got 20; divide percentages by 100.",
        ),
        (
            lambda: exaggeration(0, 1),
            "effect must be other than 0, got 0; suppose an effect, for a nil one cannot be exaggerated by a factor.",
        ),
        (lambda: chance_of_replication(1), "p must be above 0 and below 1, got 1; pass a share."),
        (lambda: winners(0.1, 1.0), "programme must be a Belief, got float; fit one by fit_programme(...)."),
        (
            lambda: fit_programme([1, 2], [1, 1]),
            "estimates must be of three or more tests, got 2; collect more of the programme's tests.",
        ),
        (lambda: fit_programme([1, 2, 3], [1, 0, 1]), "ses, row 1 must be above 0, got 0; pass standard errors."),
        (
            lambda: fit_programme([0.1, -0.1, 0.0, 0.05], [1.0] * 4),
            "estimates must be more varied than their errors explain, got a spread of 0.074 typical errors; "
            "add tests, or take every effect to be alike.",
        ),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
