"""The update within a day against integrals, and what it changes against a shelf that is played unit by unit."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from casebook.contracts import ContractError
from casebook.demand import part_day_value
from casebook.demand.part_day import Posterior, gain_by_hour, share_before, update
from casebook.demand.part_day_value import Fresh, Policy, update_value

INTEGRAL = 1e-6  # relative; what quad promises, with room
SAME = 1e-9  # the same formula in another order
CASES = [(10.0, 0.25, 0.4, 9), (3.0, 1.5, 0.7, 0), (40.0, 0.05, 0.2, 12), (0.5, 0.8, 0.9, 3)]


def moments(mean, dispersion, likelihood):
    """Mean and variance of the rate under prior times likelihood, by integration."""
    prior = stats.gamma(1 / dispersion, scale=dispersion * mean)
    top = max(prior.ppf(1 - 1e-13), 60 + 8 * mean)
    parts = [
        integrate.quad(
            lambda rate, power=power: rate**power * prior.pdf(rate) * likelihood(rate), 0, top, limit=400, epsabs=0,
            epsrel=1e-10, points=[mean, 2 * mean],
        )[0]
        for power in range(3)
    ]  # fmt: skip
    first = parts[1] / parts[0]
    return first, parts[2] / parts[0] - first**2


@pytest.mark.parametrize(("mean", "dispersion", "seen", "sold"), CASES)
def test_the_posterior_is_that_of_brute_force(mean, dispersion, seen, sold):
    found = update(mean, dispersion, seen, sold)
    expected = moments(mean, dispersion, lambda rate: stats.poisson.pmf(sold, rate * seen))
    assert found.mean[0] == pytest.approx(expected[0], rel=INTEGRAL)
    assert (found.shape / found.rate**2)[0] == pytest.approx(expected[1], rel=INTEGRAL)


@pytest.mark.parametrize(("mean", "dispersion", "seen", "sold"), CASES)
def test_an_empty_shelf_bounds_demand_from_below(mean, dispersion, seen, sold):
    found = update(mean, dispersion, seen, sold, censored=True)
    expected = moments(mean, dispersion, lambda rate: stats.poisson.sf(sold - 1, rate * seen))
    assert found.mean[0] == pytest.approx(expected[0], rel=INTEGRAL)
    assert (found.shape / found.rate**2)[0] == pytest.approx(expected[1], rel=INTEGRAL)


def test_the_moment_of_the_last_unit_is_as_good_as_a_count():
    mean, dispersion, sold, moment = 10.0, 0.25, 7, 0.35
    found = update(mean, dispersion, moment, sold)
    expected = moments(mean, dispersion, lambda rate: stats.gamma.pdf(moment, sold, scale=1 / rate) if rate else 0.0)
    assert found.mean[0] == pytest.approx(expected[0], rel=INTEGRAL)


@pytest.mark.parametrize("tau", [0.1, 0.5, 0.833, 0.99])
def test_quantiles_of_the_rest_are_those_of_the_mixture(tau):
    found = update(10.0, 0.25, 0.4, 9)
    rate = stats.gamma(found.shape[0], scale=1 / found.rate[0])
    chances = [
        integrate.quad(lambda lam, k=k: rate.pdf(lam) * stats.poisson.pmf(k, lam * 0.6), 0, rate.ppf(1 - 1e-13))[0]
        for k in range(60)
    ]
    assert found.rest_quantile(tau, 0.6)[0] == np.searchsorted(np.cumsum(chances), tau)
    assert found.rest_mean(0.6)[0] == pytest.approx(np.dot(np.arange(60), chances), rel=INTEGRAL)


@given(
    st.floats(0.1, 80), st.floats(0.01, 3), st.floats(0, 0.5), st.floats(0, 0.5), st.integers(0, 60), st.integers(0, 60)
)
def test_two_updates_are_one(mean, dispersion, first, second, sold, more):
    half = update(mean, dispersion, first, sold)
    step = update(half.mean, 1 / half.shape, second, more)
    whole = update(mean, dispersion, first + second, sold + more)
    np.testing.assert_allclose([step.shape, step.rate], [whole.shape, whole.rate], rtol=SAME)


@given(st.floats(0.1, 80), st.floats(0.01, 3), st.floats(0.01, 1), st.integers(0, 120))
def test_the_posterior_lies_between_forecast_and_pace_and_a_bound_never_lowers_it(mean, dispersion, seen, sold):
    found = update(mean, dispersion, seen, sold).mean[0]
    pace = sold / seen
    assert min(mean, pace) * (1 - SAME) <= found <= max(mean, pace) * (1 + SAME)
    hidden = update(mean, dispersion, seen, sold, censored=True).mean[0]
    assert hidden >= max(mean, found) * (1 - 1e-6)


def test_nothing_seen_is_nothing_learnt():
    found = update([4.0, 9.0], 0.5, 0.0, 0, censored=[True, False])
    np.testing.assert_allclose(found.mean, [4.0, 9.0], rtol=SAME)
    np.testing.assert_allclose(found.shape, 2.0, rtol=1e-6)


def test_rows_mix_counts_and_bounds():
    mixed = update([10.0, 10.0], 0.25, 0.5, 10, censored=[False, True])
    apart = [update(10.0, 0.25, 0.5, 10, flag) for flag in (False, True)]
    np.testing.assert_array_equal(mixed.mean, np.concatenate([one.mean for one in apart]))


def test_shares_of_the_day_rise_from_opening_to_close():
    shares = [share_before("dairy", hour) for hour in np.arange(6, 24, 0.5)]
    assert shares[0] == 0 and shares[-1] == 1 and np.all(np.diff(shares) >= 0)
    assert share_before("dairy", 9.5) == pytest.approx((share_before("dairy", 9) + share_before("dairy", 10)) / 2)


def test_the_true_quantile_covers_what_it_says():
    rng = np.random.default_rng(0)
    n, tau, seen = 20_000, 0.833, 0.5
    rates = rng.gamma(4, 3.0, n)
    sold, rest = rng.poisson(rates * seen), rng.poisson(rates * (1 - seen))
    belief = update(np.full(n, 12.0), 0.25, seen, sold)
    level = belief.rest_quantile(tau, 1 - seen)
    # of whole units: at the level at least tau, one below it less
    low, high = stats.binom.interval(0.999, n, tau)
    assert (rest <= level).sum() >= low
    assert (rest <= level - 1).sum() <= high


def test_the_gain_is_nothing_at_the_opening_and_nothing_without_surprise():
    hours = (8, 11, 14, 17)
    gains = gain_by_hour("produce", 12.0, 0.4, np.random.default_rng(0), hours=hours)["gain"]
    assert gains[8] == 0
    assert (gains[[11, 14, 17]] > 0.15).all()
    none = gain_by_hour("produce", 12.0, 1e-4, np.random.default_rng(0), hours=hours)["gain"]
    assert none.abs().max() < 0.01


def test_the_gain_is_what_sampled_losses_say():
    table = gain_by_hour("dairy", 6.0, 0.5, np.random.default_rng(1), days=500, profile_error=0.0, hours=(14,))
    seen = share_before("dairy", 14)
    assert table.loc[14, "share_left"] == 1 - seen
    assert table.loc[14, "pinball_after"] < table.loc[14, "pinball_before"]
    assert table.loc[14, "gain"] == pytest.approx(1 - table.loc[14, "pinball_after"] / table.loc[14, "pinball_before"])


class Shelf:
    """One shelf, a list of the days that each unit has left."""

    def __init__(self):
        self.units = []

    def take(self, wanted):
        served = min(int(wanted), len(self.units))
        self.units = sorted(self.units)[served:]
        return served

    def night(self):
        gone = sum(left == 1 for left in self.units)
        self.units = [left - 1 for left in self.units if left > 1]
        return gone


def by_hand(fresh, policy, demand, luck, tau, cell):
    """The same shelf, unit by unit; orders and markdowns by the formulas, one number at a time."""
    shelf, seen = Shelf(), share_before(fresh.category, 14)
    coming = round(demand.forecast[0, cell] * policy.review_days)
    total = dict.fromkeys(("bought", "sold", "marked", "half", "wasted", "short"), 0)
    spread = (1 + fresh.dispersion) * np.exp(fresh.drift**2) - 1
    days = len(demand.forecast)
    for day in range(days):
        counts = {"bought": coming}
        shelf.units += [fresh.shelf_life] * int(coming)
        opened, coming = len(shelf.units), 0
        morning, evening = int(demand.morning[day, cell]), int(demand.evening[day, cell])
        counts["sold"] = shelf.take(morning)
        forecast = demand.forecast[day, cell]
        prior = update(forecast, spread, 0.0, 0)
        after = update(forecast, spread, seen, min(morning, opened), morning >= opened)
        counts["marked"] = 0
        if policy.markdown != "none":
            belief = after if policy.markdown == "update" else prior
            full, back = (
                fresh.price - fresh.salvage,
                fresh.markdown_sells * (fresh.markdown * fresh.price - fresh.salvage),
            )
            keep = int(belief.rest_quantile(1 - back / full, 1 - seen)[0])
            ending = sum(left == 1 for left in shelf.units)
            counts["marked"] = max(ending - keep, 0)
            shelf.units = sorted(shelf.units)[counts["marked"] :]
        counts["half"] = int(np.floor(counts["marked"] * fresh.markdown_sells + luck[day, cell]))
        if day % policy.review_days == 0:
            belief = after if policy.order else prior
            ending = sum(left == 1 for left in shelf.units)
            keeps = max(len(shelf.units) - max(belief.mean[0] * (1 - seen), ending), 0)
            step = fresh.drift**2
            learnt = np.log(belief.mean[0] / prior.mean[0]) * step / (step + fresh.dispersion)
            ahead = [
                fresh.mean * np.exp(fresh.persistence**k * (np.log(prior.mean[0] / fresh.mean) + learnt))
                for k in range(1, min(policy.review_days, fresh.shelf_life) + 1)
            ]
            mean = sum(ahead)
            variance = mean + fresh.dispersion * sum(one**2 for one in ahead) + step * mean**2
            coming = max(round(stats.gamma.ppf(tau, mean**2 / variance, scale=variance / mean) - keeps), 0)
        counts["sold"] += shelf.take(evening)
        counts["short"] = morning + evening - counts["sold"]
        counts["wasted"] = shelf.night() + counts["marked"] - counts["half"]
        if day >= part_day_value.WARM:
            total = {name: total[name] + counts[name] for name in total}
    money = fresh.price * (total["sold"] + fresh.markdown * total["half"]) + fresh.salvage * total["wasted"]
    return {name: total[name] / (days - 14) for name in ("bought", "sold", "marked", "wasted", "short")} | {
        "profit": (money - fresh.cost * total["bought"]) / (days - 14)
    }


@pytest.mark.parametrize(
    "policy", [Policy(7), Policy(1), Policy(1, order=True), Policy(7, True, "update"), Policy(1, False, "forecast")]
)
def test_shelves_are_played_as_by_hand(policy):
    fresh = Fresh(shelf_life=3, dispersion=0.4, mean=5.0)
    demand = part_day_value._draw(fresh, 4, 35, np.random.default_rng(7))
    luck = np.random.default_rng(8).random((35, 4))
    played = part_day_value._play(fresh, policy, demand, luck, np.full(4, 0.8))
    for cell in range(4):
        expected = by_hand(fresh, policy, demand, luck, 0.8, cell)
        for name, value in expected.items():
            assert played[name][cell] == pytest.approx(value, abs=SAME), name


def test_weekly_orders_can_use_one_update_in_twenty_eight():
    policies = {"weekly": Policy(7), "weekly, order updated": Policy(7, order=True), "daily": Policy(1, order=True)}
    table = update_value(Fresh(), np.random.default_rng(0), cells=60, days=35, policies=policies)
    assert table["used"].tolist() == [0, 1 / 28, 1 / 4]


def test_where_days_hold_no_surprise_the_update_changes_nothing():
    fresh = Fresh(dispersion=1e-6, drift=1e-6, shelf_life=3)
    table = update_value(fresh, np.random.default_rng(0), cells=60, days=42)
    for with_it, without in (
        ("weekly, order updated", "weekly"),
        ("weekly, markdown by update", "weekly, markdown by forecast"),
        ("daily, order updated", "daily"),
    ):
        assert table.loc[with_it, "profit"] == pytest.approx(table.loc[without, "profit"], abs=0.01)


def test_refusals():
    for call, sentence in (
        (
            lambda: update(0.0, 0.5, 0.5, 1),
            "mean must be above 0, got 0; give the forecast, not a zero; nothing can be learnt from that.",
        ),
        (
            lambda: update(1.0, 0.0, 0.5, 1),
            "dispersion must be above 0, got 0; give the forecast, not a zero; nothing can be learnt from that.",
        ),
        (lambda: update(1.0, 0.5, 50, 1), "share_seen must be in [0, 1], got 50; give a share of the day."),
        (lambda: update(1.0, 0.5, 0.5, [-1]), "sold, row 0 must be 0 or more, got -1.0; drop the minus sign."),
        (
            lambda: share_before("cheese", 9),
            "category must be one of produce, bakery, dairy, drinks, frozen, pantry, household, got 'cheese'; mend the "
            "name.",
        ),
        (
            lambda: update_value(Fresh(), np.random.default_rng(0), days=20),
            "days must be 28 or more, got 20; play longer; the first two weeks do not count.",
        ),
        (
            lambda: update_value(Fresh(cost=4.0), np.random.default_rng(0)),
            "salvage, cost and price must be rising from 0, got 0.2, 4, 3; mend them.",
        ),
    ):
        with pytest.raises(ContractError) as refusal:
            call()
        assert str(refusal.value) == sentence
    assert isinstance(update(1.0, 0.5, 0.5, 1), Posterior)
