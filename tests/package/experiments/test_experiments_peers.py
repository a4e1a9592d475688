"""The room against two public engines on one table: their numbers are in peers/, with the script that made them.

Agreement is to rounding wherever both define a number alike. Where they do not, the comment says how they differ, and
the test asserts the relation that follows, or the direction.
"""

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student

from casebook.experiments import (
    Metric,
    absolute_effect,
    always_valid,
    arm_moments,
    cuped_gain,
    difference,
    group_sequential,
    ratio_difference,
    relative_effect,
    sample_size,
    sample_size_mean,
    srm,
)
from casebook.experiments._looks import spending_bounds

HERE = Path(__file__).parent / "peers"
# Sums of 20,000 floats in two orders, and what a variance from raw sums loses.
EXACT = 1e-9
# The engines take 1 - cdf, which has lost the digits below this.
TAIL = 1e-12

PEERS = json.loads((HERE / "peers.json").read_text(encoding="utf-8"))
GB, CONFIDENCE = PEERS["engines"]["gbstats"], PEERS["engines"]["spotify-confidence"]
METRICS = {
    "mean": Metric("minutes"),
    "proportion": Metric("converted", proportion=True),
    "ratio": Metric("clicks", "impressions"),
    "cuped": Metric("minutes", before=("minutes_before",)),
}
EFFECTS = {"absolute": absolute_effect, "relative": relative_effect}
NUMBERS = ("estimate", "low", "high", "se")


@pytest.fixture(scope="module")
def maker():
    spec = importlib.util.spec_from_file_location("make_peers", HERE / "make_peers.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def table(maker):
    return maker.peer_table()


@pytest.fixture(scope="module")
def moments(table):
    found = {name: arm_moments(table, metric, "arm") for name, metric in METRICS.items()}
    return {name: (arms["new"], arms["control"]) for name, arms in found.items()}


def agree(ours, theirs, numbers=NUMBERS, rel=EXACT):
    assert [getattr(ours, name) for name in numbers] == pytest.approx([theirs[name] for name in numbers], rel=rel)
    assert ours.p == pytest.approx(theirs["p"], rel=rel, abs=TAIL)


def test_the_engines_read_the_table_that_is_drawn_here(maker, table):
    # If the feed draws otherwise by now, run peers/make_peers.py again.
    assert (PEERS["seed"], PEERS["users"]) == (maker.SEED, maker.USERS)
    drawn = maker.sums(table)
    assert list(drawn) == list(PEERS["sums"])
    assert all(drawn[arm] == pytest.approx(PEERS["sums"][arm], rel=1e-12) for arm in drawn)
    assert (GB["version"], CONFIDENCE["version"]) == ("0.8.0", "4.1.0")


@pytest.mark.parametrize("kind", EFFECTS)
@pytest.mark.parametrize("name", ["mean", "proportion", "ratio"])
def test_gbstats_gives_the_same_effect_interval_and_p(moments, name, kind):
    # Welch's t and the delta method on both sides, for the ratio of two sums and for the relative lift.
    agree(EFFECTS[kind](*moments[name]), GB[name][kind])


def test_rows_give_what_the_engines_make_of_sums(table):
    treated = table["arm"] == "new"
    agree(difference(table["minutes"], treated), GB["mean"]["absolute"])
    agree(ratio_difference(table["clicks"], table["impressions"], treated), GB["ratio"]["absolute"])


@pytest.mark.parametrize("name", ["mean", "proportion"])
def test_confidence_gives_the_same_difference_by_t(moments, name):
    agree(absolute_effect(*moments[name]), CONFIDENCE[name]["t"]["absolute"])


@pytest.mark.parametrize("name", ["mean", "proportion"])
def test_confidence_by_z_is_narrower_by_the_quantiles_alone(moments, name):
    ours, theirs = absolute_effect(*moments[name]), CONFIDENCE[name]["z"]["absolute"]
    assert (ours.estimate, ours.se) == pytest.approx((theirs["estimate"], theirs["se"]), rel=EXACT)
    # The normal in the place of t with some 17,000 degrees of freedom: narrower, and p smaller.
    reach = norm.isf(0.025) * ours.se
    assert (theirs["low"], theirs["high"]) == pytest.approx((ours.estimate - reach, ours.estimate + reach), rel=EXACT)
    assert ours.low < theirs["low"] and theirs["high"] < ours.high
    assert theirs["p"] == pytest.approx(2 * norm.sf(ours.estimate / ours.se), rel=EXACT, abs=TAIL)
    assert theirs["p"] < ours.p
    assert reach == pytest.approx((ours.high - ours.low) / 2, rel=5e-4)


@pytest.mark.parametrize("method", ["t", "z"])
@pytest.mark.parametrize("name", ["mean", "proportion"])
def test_confidence_takes_the_control_of_a_lift_for_known(moments, name, method):
    # It divides the difference's interval by the control's mean. The delta method adds the control's own noise,
    # (1 + lift)^2 times in the place of once: wider, for the lift is above 0.
    plain, ours = absolute_effect(*moments[name]), relative_effect(*moments[name])
    theirs, base = CONFIDENCE[name][method], plain.control_mean
    for end in ("estimate", "low", "high"):
        assert theirs["relative"][end] * base == pytest.approx(theirs["absolute"][end], rel=EXACT)
    assert ours.estimate > 0
    lift = theirs["relative"]
    assert ours.low < lift["low"] and lift["high"] < ours.high and lift["p"] < ours.p
    # Its p is the difference's, as Fieller's is.
    assert lift["p"] == pytest.approx(theirs["absolute"]["p"], rel=EXACT)
    fieller = relative_effect(*moments[name], method="fieller").p
    assert fieller == pytest.approx(CONFIDENCE[name]["t"]["relative"]["p"], rel=EXACT, abs=TAIL)


def test_confidence_has_no_delta_method_and_so_takes_impressions_for_independent(table, moments):
    # Its numerator over denominator is a mean over rows. The estimate is the ratio's, the error that of a binomial.
    ours, theirs = absolute_effect(*moments["ratio"]), CONFIDENCE["impressions as if independent"]
    sums = table.groupby("arm")[["clicks", "impressions"]].sum()
    rate, n = sums["clicks"] / sums["impressions"], sums["impressions"]
    se = np.sqrt((rate * (1 - rate) / n).sum())
    ends = ours.estimate - norm.isf(0.025) * se, ours.estimate + norm.isf(0.025) * se
    assert [theirs[name] for name in NUMBERS] == pytest.approx([ours.estimate, *ends, se], rel=EXACT)
    assert theirs["p"] == pytest.approx(2 * norm.sf(ours.estimate / se), abs=TAIL)
    assert theirs["se"] < ours.se / 2
    assert theirs["p"] < 0.05 < ours.p


def joint_theta(table):
    """Return the coefficient over both arms as one group, which both engines take."""
    cov = np.cov(table["minutes"], table["minutes_before"])
    return cov[0, 1] / cov[1, 1]


def gap(table, column):
    means = table.groupby("arm")[column].mean()
    return means["new"] - means["control"]


def test_cuped_differs_from_the_engines_by_their_theta_alone(table, moments):
    # Theirs is the slope over both arms as one group, ours within the arms: an effect, or a gap that chance left
    # between the arms before, enters theirs. The estimates differ by the two slopes' difference times that gap.
    ours, theirs = absolute_effect(*moments["cuped"]), GB["cuped"]["absolute"]
    theta, within = joint_theta(table), cuped_gain(*moments["cuped"]).theta[0]
    assert theirs["theta"] == pytest.approx(theta, rel=EXACT)
    agree(difference(table["minutes"] - theta * table["minutes_before"], table["arm"] == "new"), theirs)
    before = gap(table, "minutes_before")
    assert ours.estimate - theirs["estimate"] == pytest.approx((theta - within) * before, rel=1e-6)
    assert theta != within
    # A thousandth of an error here, for both slopes are within 1 in 1,000 of each other.
    assert abs(ours.estimate - theirs["estimate"]) < 1e-3 * ours.se
    assert within == pytest.approx(theta, rel=1e-3)
    # The variance is least near either slope, so it moves by the square of their distance.
    assert ours.se == pytest.approx(theirs["se"], rel=1e-4)
    assert theirs["se"] < absolute_effect(*moments["mean"]).se


def test_cuped_of_confidence_is_that_of_gbstats_by_z(moments):
    gb, theirs = GB["cuped"]["absolute"], CONFIDENCE["cuped"]["absolute"]
    assert gb["estimate"] == pytest.approx(theirs["estimate"], rel=EXACT)
    reach = norm.isf(0.025) * theirs["se"]
    ends = theirs["estimate"] - reach, theirs["estimate"] + reach
    assert (theirs["low"], theirs["high"]) == pytest.approx(ends, rel=EXACT)
    assert theirs["p"] == pytest.approx(2 * norm.sf(theirs["estimate"] / theirs["se"]), rel=EXACT, abs=TAIL)
    # It divides part of the variance by n, part by n - 1, which 8,000 users in an arm make 1 in 10,000.
    assert theirs["se"] == pytest.approx(gb["se"], rel=1e-4)
    assert theirs["se"] == pytest.approx(absolute_effect(*moments["cuped"]).se, rel=1e-4)


def lift_of_gbstats(table):
    """Return its lift and error: adjusted difference and variances over means as they were, arms independent."""
    adjusted = table.assign(y=table["minutes"] - joint_theta(table) * table["minutes_before"]).groupby("arm")
    means, noise = adjusted["minutes"].mean(), adjusted["y"].var() / adjusted["y"].count()
    base, top = means["control"], means["new"]
    return gap(adjusted.obj, "y") / base, np.sqrt(noise["new"] / base**2 + noise["control"] * top**2 / base**4)


def test_the_adjusted_lift_of_gbstats_stands_on_the_control_as_it_was(table, moments):
    # We divide by the adjusted mean. The control used the feed more before, hence its adjusted mean is the lower and
    # our lift the larger. We also count that both arms move with one covariate, which here is worth 0.2% of the error.
    ours, theirs = relative_effect(*moments["cuped"]), GB["cuped"]["relative"]
    lift, se = lift_of_gbstats(table)
    assert (theirs["estimate"], theirs["se"]) == pytest.approx((lift, se), rel=EXACT)
    df = difference(table["minutes"] - joint_theta(table) * table["minutes_before"], table["arm"] == "new").df
    reach = student.isf(0.025, df) * se
    assert (theirs["low"], theirs["high"]) == pytest.approx((lift - reach, lift + reach), rel=EXACT)
    assert theirs["p"] == pytest.approx(2 * student.sf(lift / se, df), rel=1e-7, abs=TAIL)
    treated, control = moments["cuped"]
    assert control.means[1] > treated.means[1] and ours.control_mean < absolute_effect(*moments["mean"]).control_mean
    assert theirs["estimate"] < ours.estimate < 1.01 * theirs["estimate"]
    assert ours.se == pytest.approx(theirs["se"], rel=3e-3)


def test_the_adjusted_lift_of_confidence_stands_on_the_adjusted_control_as_ours_does(moments):
    # It takes that control for known, as above, and differs from ours by its theta, to 1 in 1,000.
    ours, theirs = relative_effect(*moments["cuped"]), CONFIDENCE["cuped"]["relative"]
    plain = CONFIDENCE["cuped"]["absolute"]
    assert ours.estimate == pytest.approx(theirs["estimate"], rel=1e-3)
    base = plain["estimate"] / theirs["estimate"]
    assert base == pytest.approx(ours.control_mean, rel=1e-4)
    assert [theirs["low"] * base, theirs["high"] * base] == pytest.approx([plain["low"], plain["high"]], rel=EXACT)
    assert ours.low < theirs["low"] and theirs["high"] < ours.high
    assert theirs["p"] == pytest.approx(plain["p"], rel=EXACT)


@pytest.mark.parametrize("tuning", GB["sequential"])
def test_the_always_valid_interval_is_that_of_gbstats(moments, tuning):
    effect = absolute_effect(*moments["mean"])
    agree(always_valid(effect, tuning=float(tuning)), GB["sequential"][tuning])


def test_the_sample_ratio_test_is_that_of_both(maker, table):
    counts = table["arm"].value_counts()[list(maker.SHARES)].tolist()
    ours = {
        "table": srm(counts, list(maker.SHARES.values())).p,
        "three arms": srm([4_700, 5_200, 90_100], [0.05, 0.05, 0.9]).p,
    }
    for engine in (GB, CONFIDENCE):
        assert ours == pytest.approx(engine["srm"], rel=EXACT, abs=TAIL)


@pytest.mark.parametrize("sides", [1, 2])
def test_bounds_that_spend_as_confidence_does_are_its_bounds(sides):
    # It spends alpha t^2. Its search ends within 1e-7 of the error, some 3e-5 in z so far out, on a grid that sums up
    # to as much again; ours ends within 1e-10 in z.
    looks = CONFIDENCE["looks"][f"{sides} sides"]
    times = np.array(looks["shares"])
    ours = spending_bounds(times, 0.05 / sides * times**2, sides)
    assert ours == pytest.approx(looks["critical"], abs=2e-4)


def test_its_spending_lies_between_the_two_that_are_offered_here():
    # Later than Pocock's, sooner than O'Brien-Fleming's: asked of the first look, and the other way of the last.
    looks = CONFIDENCE["looks"]["2 sides"]
    early, late = (group_sequential(looks["shares"], kind=f"spending-{kind}").critical for kind in ("pocock", "obf"))
    assert early[0] < looks["critical"][0] < late[0]
    assert late[-1] < looks["critical"][-1] < early[-1]


WEIGHTS = {"equal": 0.5, "unequal": 0.4}
# Each engine rounds its arms up, confidence the treated arm first and then 2.5 times that.
WHOLE = 4
RATES = ((0.10, 0.01), (0.05, 0.005), (0.20, -0.02))
MEANS = ((40.0, 2.0), (3.0, -0.25))


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("arms", WEIGHTS)
def test_sample_sizes_for_means_are_those_of_confidence(arms, sides):
    ours = [sample_size_mean(sd, change, allocation=WEIGHTS[arms], sides=sides).total for sd, change in MEANS]
    assert ours == pytest.approx(CONFIDENCE["sample size"][f"{sides} sides"][arms]["means"], abs=WHOLE)


@pytest.mark.parametrize("sides", [1, 2])
@pytest.mark.parametrize("arms", WEIGHTS)
@pytest.mark.parametrize("case", range(len(RATES)))
def test_sample_sizes_for_rates_differ_by_the_variance_under_no_effect(case, arms, sides):
    # Ours pools it, theirs does not. Equal arms: pooled is the larger, by a hair. Fewer treated: theirs gives more
    # weight to the treated arm's variance, which is the larger after a rise and the smaller after a fall.
    rate, change = RATES[case]
    change = abs(change) if sides == 2 else change  # two-sided, the engine plans for a rise
    theirs, share = CONFIDENCE["sample size"][f"{sides} sides"][arms]["rates"][case], WEIGHTS[arms]
    quantiles = norm.isf(0.05 / sides) + norm.isf(0.2)
    variance = (rate + change) * (1 - rate - change) / share + rate * (1 - rate) / (1 - share)
    assert theirs == pytest.approx((quantiles / change) ** 2 * variance, abs=WHOLE)
    ours = sample_size(rate, change, allocation=share, sides=sides).total
    assert (ours > theirs) if arms == "equal" or change < 0 else (ours < theirs - WHOLE)
    assert ours == pytest.approx(theirs, rel=1e-3 if arms == "equal" else 0.02)
