"""The screening desk's simulator: its moments, its truth, and what it promises to show."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scipy.special import expit, logit
from sklearn.metrics import roc_auc_score

from casebook.contracts import ContractError, check_frame
from casebook.decisions import Costs, case_money, decide, expected_money, operating_point, shift_prior
from casebook.screening.evaluate import bill, case_costs, class_costs, shares
from casebook.screening.simulate import FEATURES, Desk, World, binormal_cases, resample_to, risk_index, simulate
from casebook.screening.tables import CASES, contract

N = 40_000
Z = 4.5  # standard errors: one sound test in a hundred thousand would fail
P_VALUE = 1e-5  # the same for a chi-square
SOLVER = 1e-9  # brentq stops within 2e-12 of the intercept; means of forty thousand add some rounding
ROUNDING = 1e-12  # a handful of operations in float64

worlds = st.builds(
    World,
    base_rate=st.floats(0.01, 0.3),
    ratio=st.floats(0.1, 1000),
    strength=st.floats(0.5, 3),
    bend=st.floats(0, 1),
    noise=st.floats(0, 1),
    amount_spread=st.floats(0, 1.5),
    amount_risk=st.floats(-0.9, 0.9),
    cost_fp=st.floats(0.1, 50),
)
seeds = st.integers(0, 2**32)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def losses(desk: Desk) -> np.ndarray:
    return desk.cases["cost_fn"].to_numpy()


@given(worlds, seeds)
def test_the_base_rate_is_the_worlds_and_labels_follow_p(world, seed):
    desk = simulate(world, 3_000, rng(seed))
    assert desk.p.mean() == pytest.approx(world.base_rate, abs=SOLVER)
    y = desk.cases["y"].to_numpy()
    # Bounded by Z plus half a case: at thirty bad ones a count is not yet normal.
    assert abs(y.sum() - desk.p.sum()) <= Z * np.sqrt((desk.p * (1 - desk.p)).sum()) + 0.5


def test_p_is_calibrated_in_every_tenth():
    n = 400_000  # enough to see a twentieth of the bad cases go missing
    desk = simulate(World(base_rate=0.05), n, rng(1))
    y, tenth = desk.cases["y"].to_numpy(), np.argsort(np.argsort(desk.p)) * 10 // n
    frame = pd.DataFrame({"gap": y - desk.p, "variance": desk.p * (1 - desk.p)}).groupby(tenth).sum()
    chi_square = float((frame["gap"] ** 2 / frame["variance"]).sum())
    assert P_VALUE < stats.chi2.sf(chi_square, df=10) < 1 - P_VALUE


def test_strength_is_the_standard_deviation_of_the_log_odds():
    desk = simulate(World(strength=1.7, bend=0.0), N, rng(2))
    assert logit(desk.p).std() == pytest.approx(1.7, abs=Z * 1.7 / np.sqrt(2 * N))


@pytest.mark.parametrize("bend", [0.0, 0.5, 1.0])
def test_the_risk_index_has_mean_zero_and_variance_one_at_every_bend(bend):
    risk = risk_index(rng(3).normal(size=(N, 3)), bend)
    assert abs(risk.mean()) < Z / np.sqrt(N)
    spread = np.sqrt(((risk - risk.mean()) ** 2).var() / N)
    assert abs(risk.var() - 1) < Z * spread


def test_the_same_seed_gives_the_same_table_and_another_seed_another():
    one, two, other = (simulate(World(), 500, rng(seed)) for seed in (7, 7, 8))
    pd.testing.assert_frame_equal(one.cases, two.cases)
    np.testing.assert_array_equal(one.p, two.p)
    assert not one.cases["velocity"].equals(other.cases["velocity"])


@pytest.mark.parametrize("spread", [0.5, 1.0, 1.5])
def test_the_mean_loss_is_the_ratio_times_a_false_alarm(spread):
    desk = simulate(World(ratio=80, cost_fp=2.5, amount_spread=spread), N, rng(4))
    error = np.sqrt((np.exp(spread**2) - 1) / N)  # of a log-normal's mean, relative
    assert losses(desk).mean() == pytest.approx(200, rel=Z * error)
    assert set(desk.cases["cost_fp"]) == {2.5}


@given(worlds, seeds)
def test_without_spread_all_amounts_are_equal(world, seed):
    desk = simulate(replace(world, amount_spread=0.0), 200, rng(seed))
    np.testing.assert_allclose(losses(desk), world.ratio * world.cost_fp, rtol=ROUNDING)


@pytest.mark.parametrize("correlation", [-0.7, -0.2, 0.0, 0.2, 0.7])
def test_amounts_lean_to_risk_as_the_dial_says(correlation):
    desk = simulate(World(amount_risk=correlation), N, rng(5))
    got = np.corrcoef(np.log(losses(desk)), logit(desk.p))[0, 1]
    assert got == pytest.approx(correlation, abs=Z / np.sqrt(N))


def test_one_feature_is_shown_twice_one_is_idle_and_noise_blurs():
    clear, blurred = (simulate(World(noise=noise), N, rng(6)).cases for noise in (0.0, 0.8))
    np.testing.assert_array_equal(clear["velocity"], clear["velocity_daily"])
    assert blurred["velocity"].corr(blurred["velocity_daily"]) == pytest.approx(1 / (1 + 0.8**2), abs=Z / np.sqrt(N))
    assert abs(clear["basket"].corr(clear["y"])) < Z / np.sqrt(N)


def test_other_cases_move_the_base_rate_but_not_p_given_the_traits():
    world = World(base_rate=0.05, noise=0.0, bend=0.7)
    before, after = simulate(world, N, rng(9)), simulate(world, N, rng(9), trait_shift=0.8)
    traits = ["device_age", "velocity", "distance"]  # without noise the features are the traits

    def risk(desk: Desk) -> np.ndarray:
        return risk_index(desk.cases[traits].to_numpy(), world.bend)

    intercept = logit(before.p) - world.strength * risk(before)
    assert np.ptp(intercept) < SOLVER
    np.testing.assert_allclose(after.p, expit(intercept[0] + world.strength * risk(after)), rtol=1e-7)
    np.testing.assert_allclose(after.cases["device_age"] - before.cases["device_age"], 0.8, rtol=SOLVER)
    assert 0.08 < after.p.mean() < 0.2  # from 0.05


@given(st.lists(st.floats(0.05, 0.3), min_size=1, max_size=3), st.integers(20, 300))
def test_a_split_keeps_every_case_once_and_in_order(parts, n):
    desk = simulate(World(base_rate=0.2), n, rng(1))
    desks = desk.split(*parts)
    assert len(desks) == len(parts) + 1
    pd.testing.assert_frame_equal(pd.concat([part.cases for part in desks], ignore_index=True), desk.cases)
    np.testing.assert_array_equal(np.concatenate([part.p for part in desks]), desk.p)
    assert all(list(part.cases.index) == list(range(len(part.p))) for part in desks)
    assert all(abs(len(part.p) - share * n) <= 1 for part, share in zip(desks, parts, strict=False))


def test_take_gives_the_rows_in_the_order_asked_for():
    desk = simulate(World(), 50, rng(2))
    taken = desk.take(np.array([9, 3, 9]))
    assert taken.cases["case_id"].tolist() == [9, 3, 9]
    assert taken.cases.index.tolist() == [0, 1, 2]
    np.testing.assert_array_equal(taken.p, desk.p[[9, 3, 9]])


@pytest.mark.parametrize("rate", [0.02, 0.3])
def test_resampling_moves_the_base_rate_and_leaves_each_class_as_it_was(rate):
    desk = simulate(World(base_rate=0.1), N, rng(3))
    kept = desk.cases.copy(deep=True)
    drawn = resample_to(desk, rate, N, rng(4))
    y = drawn.cases["y"].to_numpy()
    assert abs(y.mean() - rate) < Z * np.sqrt(rate * (1 - rate) / N)
    for label in (0, 1):
        new, old = drawn.cases[drawn.cases["y"] == label], desk.cases[desk.cases["y"] == label]
        for feature in (*FEATURES, "cost_fn"):
            assert stats.ks_2samp(new[feature], old[feature]).pvalue > P_VALUE, (label, feature)
    pd.testing.assert_frame_equal(desk.cases, kept)


def test_resampling_corrects_p_as_the_textbook_does_and_stays_calibrated():
    desk = simulate(World(base_rate=0.1), N, rng(5))
    drawn = resample_to(desk, 0.3, N, rng(6))
    source = drawn.cases["case_id"].to_numpy()
    np.testing.assert_allclose(drawn.p, shift_prior(desk.p[source], desk.p.mean(), 0.3), rtol=SOLVER)
    gap = drawn.cases["y"].to_numpy() - drawn.p
    # Twice: the classes drawn from are themselves a sample, so their p's are off by a sample's error too.
    assert abs(gap.sum()) < 2 * Z * np.sqrt((drawn.p * (1 - drawn.p)).sum())


def test_the_default_world_makes_the_naive_reader_err_twice():
    """The docstring's promise: 0.5 ignores the ratio, the average case's threshold ignores the spread."""
    for seed in range(5):
        desk = simulate(World(), 60_000, rng(seed))
        p, own = desk.p, case_costs(desk)
        acts = {"nothing": p > 1, "half": p > 0.5, "class": decide(p, class_costs(desk)), "oracle": decide(p, own)}
        got = shares(bill(desk, acts))
        assert 0.5 < got["class"] - got["half"] < 0.75, got  # 0.61 to 0.68 at these seeds
        assert 0.02 < got["oracle"] - got["class"] < 0.08, got  # 0.04 to 0.05


def test_without_a_ratio_and_without_spread_there_is_no_miss():
    desk = simulate(World(ratio=1.0, amount_spread=0.0, base_rate=0.2), N, rng(8))
    own = case_costs(desk)
    assert expected_money(desk.p, desk.p > 0.5, own) == expected_money(desk.p, decide(desk.p, own), own)


def test_the_average_loss_is_that_of_the_bad_cases_seen():
    cases = pd.DataFrame({"cost_fp": [1.0, 3.0, 2.0], "cost_fn": [10.0, 50.0, 90.0], "y": [1, 0, 1]})
    got = class_costs(Desk(cases, np.array([0.1, 0.2, 0.3])))
    assert (got.fp, got.fn) == (2.0, 50.0)


TABLE = pd.DataFrame(
    {"case_id": [1, 2, 3], "p": [0.004, 0.03, 0.4], "cost_fp": [2.0, 2.0, 2.0], "cost_fn": [50.0, 200.0, 900.0]}
)


def test_the_simulators_own_cases_keep_the_contract():
    desk = simulate(World(), 300, rng(1))
    checked = check_frame(desk.cases.assign(p=desk.p), CASES)
    assert len(checked) == 300
    assert isinstance(case_costs(Desk(checked, desk.p)), Costs)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (
            TABLE.assign(p=TABLE["p"] * 100),
            "the table, column 'p', row 1 must be between 0 and 1, got 3.0; mend or drop it.",
        ),
        (
            TABLE.assign(cost_fn=["50", "200", "n/a"]),
            "the table, column 'cost_fn' must be of type float64, got text; convert it with .astype(...) or "
            "pd.to_numeric.",
        ),
        (
            TABLE.assign(case_id=1),
            "the table, column 'case_id', row 0 must be unique, got 1 more than once; drop the duplicate rows or "
            "aggregate them.",
        ),
        (
            TABLE.drop(columns="cost_fp"),
            "the table must be a table with a column 'cost_fp', got 'case_id', 'p', 'cost_fn'; add 'cost_fp' or "
            "rename one of yours.",
        ),
        (
            TABLE.assign(cost_fp=-2.0),
            "the table, column 'cost_fp', row 0 must be at least 0, got -2.0; mend or drop it.",
        ),
        (
            TABLE.assign(y=[0, 1, 2]),
            "the table, column 'y', row 2 must be one of [0, 1], got 2; mend or drop it.",
        ),
        (
            TABLE.assign(p=[0.1, np.nan, 0.2]),
            "the table, column 'p', row 1 must be filled in, got a missing value; fill it in or drop the row.",
        ),
        (
            TABLE.head(0),
            "the table must be a table with at least one row, got no rows; check the filter or the join that made it.",
        ),
    ],
    ids=["percent", "text", "duplicate", "missing", "negative", "label", "nan", "empty"],
)  # fmt: skip
def test_each_wrong_table_gets_its_sentence(wrong, sentence):
    with pytest.raises(ContractError) as caught:
        check_frame(wrong, CASES)
    assert str(caught.value) == sentence


def test_a_right_table_passes_with_whole_dollars_and_columns_of_its_own():
    mine = TABLE.assign(cost_fp=2, note="mine")
    checked = check_frame(mine, CASES)
    assert checked["cost_fp"].dtype == float
    assert checked["note"].tolist() == ["mine"] * 3
    assert mine["cost_fp"].dtype != float


def test_the_printed_contract_names_every_column_once():
    assert [row[0] for row in contract()] == ["case_id", "p", "cost_fp", "cost_fn", "y (optional)"]
    assert [row[1] for row in contract()] == ["any", "number", "number", "number", "whole number"]
    assert [row[2] for row in contract()] == ["each once", "0 to 1", "0 or more", "0 or more", "0 or 1"]


def test_binormal_cases_have_the_auc_the_base_rate_and_calibrated_probabilities():
    y, p = binormal_cases(0.1, 0.85, N, rng(11))
    bad = int(y.sum())
    assert abs(y.mean() - 0.1) < Z * np.sqrt(0.1 * 0.9 / N)
    assert abs((y - p).sum()) < Z * np.sqrt((p * (1 - p)).sum())
    # Hanley and McNeil (1982): the AUC's variance is at most auc (1 - auc) / (the rarer class's count).
    assert roc_auc_score(y, p) == pytest.approx(0.85, abs=Z * np.sqrt(0.85 * 0.15 / bad))
    tenth = np.argsort(np.argsort(p)) * 10 // N
    sums = pd.DataFrame({"gap": y - p, "variance": p * (1 - p)}).groupby(tenth).sum()
    assert stats.chi2.sf(float((sums["gap"] ** 2 / sums["variance"]).sum()), df=10) > P_VALUE


def test_binormal_cases_cost_what_the_closed_form_says():
    y, p = binormal_cases(0.1, 0.85, N, rng(12))
    expected = operating_point(cost_fp=1, cost_fn=9, base_rate=0.1, auc=0.85)
    costs = Costs(fp=1.0, fn=9.0)
    paid = case_money(y, decide(p, costs), costs)
    assert 1000 * paid.mean() == pytest.approx(expected.cost_per_1000, abs=Z * 1000 * paid.std() / np.sqrt(N))
