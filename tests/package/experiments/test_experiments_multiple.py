"""Corrections held against statsmodels and scipy, their rates against closed forms."""

import re
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower

from casebook.contracts import ContractError
from casebook.experiments import adjust_p, correction_cost, correction_rates, difference, metrics_table
from casebook.experiments.multiple import METHODS, adjust_rows

ROUNDING = 1e-12
THEIRS = {"bonferroni": "bonferroni", "holm": "holm", "benjamini_hochberg": "fdr_bh"}
families = st.lists(st.floats(0, 1), min_size=1, max_size=12)


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


@pytest.mark.parametrize("p", [[0.03], [0.01, 0.04, 0.03, 0.04], [0.0, 1.0, 0.2, 0.2, 0.011]])
def test_corrected_p_values_are_those_of_statsmodels(p):
    for method, name in THEIRS.items():
        np.testing.assert_allclose(adjust_p(p, method), multipletests(p, method=name)[1], atol=ROUNDING)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_bonferroni_over_every_family_a_metric_may_be_in(p):
    # Closed testing (Marcus, Peritz and Gabriel 1976).
    for k, got in enumerate(adjust_p(p, "holm")):
        rest = [q for j, q in enumerate(p) if j != k]
        families = [(p[k], *some) for size in range(len(p)) for some in combinations(rest, size)]
        assert got == pytest.approx(max(min(len(family) * min(family), 1) for family in families), abs=ROUNDING)


@given(families)
def test_benjamini_and_hochberg_are_those_of_scipy(p):
    np.testing.assert_allclose(adjust_p(p, "benjamini_hochberg"), false_discovery_control(p), atol=ROUNDING)


@given(families, st.randoms(use_true_random=False))
def test_order_does_not_matter_and_stricter_is_larger(p, random):
    order = random.sample(range(len(p)), len(p))
    for method in METHODS:
        np.testing.assert_array_equal(adjust_p(np.array(p)[order], method), adjust_p(p, method)[order])
    none, bonferroni, holm, bh = (adjust_p(p, method) for method in METHODS)
    assert (none <= bh + ROUNDING).all() and (bh <= holm + ROUNDING).all() and (holm <= bonferroni).all()


def test_families_are_corrected_row_by_row():
    p = np.random.default_rng(0).random((50, 7))
    for method in METHODS:
        np.testing.assert_array_equal(adjust_rows(p, method), [adjust_p(row, method) for row in p])


def test_the_table_sorts_by_p_and_names_who_rejects():
    got = metrics_table({"a": 0.2, "b": 0.012, "c": 0.04, "d": 0.013})
    assert got.index.tolist() == ["b", "d", "c", "a"]
    assert got.columns.tolist() == ["p", "bonferroni", "holm", "benjamini_hochberg", "rejected_by"]
    assert got["rejected_by"].tolist() == [
        "bonferroni, holm, benjamini_hochberg",
        "holm, benjamini_hochberg",
        "uncorrected only",
        "-",
    ]


def test_effects_bring_their_intervals():
    rng = np.random.default_rng(1)
    effects = {name: difference(rng.normal(size=60), np.arange(60) % 2) for name in "xyz"}
    got = metrics_table(effects)
    assert got.columns.tolist()[:4] == ["estimate", "low", "high", "p"]
    for name, effect in effects.items():
        assert got.loc[name, ["estimate", "low", "high", "p"]].tolist() == [
            effect.estimate,
            effect.low,
            effect.high,
            effect.p,
        ]
    assert "estimate" not in metrics_table(effects | {"w": 0.5})


@pytest.mark.parametrize("metrics", [1, 5, 20])
def test_the_cost_of_bonferroni_is_that_of_statsmodels_power(metrics):
    got = correction_cost(metrics)
    solve = NormalIndPower().solve_power
    n = solve(0.1, power=0.8, alpha=0.05, alternative="two-sided")
    corrected = solve(0.1, power=0.8, alpha=0.05 / metrics, alternative="two-sided")
    assert got["size_factor"] == pytest.approx(corrected / n, rel=1e-4)
    left = NormalIndPower().power(0.1, n, 0.05 / metrics, alternative="two-sided")
    assert got["power_left"] == pytest.approx(left, abs=1e-4)
    assert got["false_alarm"] == pytest.approx(1 - 0.95**metrics)


def test_one_metric_costs_nothing():
    got = correction_cost(1)
    assert (got["power_left"], got["size_factor"]) == (pytest.approx(0.8), pytest.approx(1))


DRAWS = 20_000
BAND = 4 * np.sqrt(0.25 / DRAWS)


def test_twenty_idle_metrics_alarm_as_theory_says():
    got = correction_rates(20, 0, np.random.default_rng(2))
    assert got.loc["none", "any_false"] == pytest.approx(1 - 0.95**20, abs=BAND)
    assert got.loc["bonferroni", "any_false"] == pytest.approx(1 - (1 - 0.05 / 20) ** 20, abs=BAND)
    # Where nothing moved, every alarm is false and the two rates are one.
    assert (got["false_share"] == got["any_false"]).all()
    assert got.loc["benjamini_hochberg", "any_false"] == pytest.approx(0.05, abs=BAND)
    assert got["found"].isna().all()


@pytest.mark.parametrize("correlation", [0.0, 0.6])
def test_each_rule_keeps_what_it_promises_and_power_pays(correlation):
    got = correction_rates(20, 5, np.random.default_rng(3), correlation=correlation)
    assert (got.loc[["bonferroni", "holm"], "any_false"] <= 0.05 + BAND).all()
    assert got.loc["benjamini_hochberg", "false_share"] <= 0.05 * 15 / 20 + BAND
    assert got.loc["none", "found"] == pytest.approx(0.8, abs=BAND)
    assert got.loc["bonferroni", "found"] == pytest.approx(correction_cost(20)["power_left"], abs=BAND)
    assert got.loc["none", "found"] > got.loc["benjamini_hochberg", "found"] > got.loc["holm", "found"]


def test_one_seed_gives_one_table():
    there, back = (correction_rates(5, 2, np.random.default_rng(4), draws=50) for _ in range(2))
    assert there.equals(back)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: adjust_p([0.1], "sidak"),
            "method must be one of 'none', 'bonferroni', 'holm', 'benjamini_hochberg', got 'sidak'; "
            "take 'holm' for a decision.",
        ),
        (
            lambda: adjust_p([0.1, 5]),
            "p, row 1 must be in [0, 1], got 5.0; divide percentages by 100.",
        ),
        (
            lambda: metrics_table({}),
            "metrics must be a mapping from metric to p-value or Effect, got an empty one; pass {'clicks': 0.03}.",
        ),
        (
            lambda: metrics_table([0.1]),
            "metrics must be a mapping from metric to p-value or Effect, got list; pass {'clicks': 0.03}.",
        ),
        (lambda: correction_cost(0), "metrics must be a whole number, 1 or more, got 0; count them."),
        (
            lambda: correction_rates(3, 4, np.random.default_rng(0)),
            "moved must be at most the 3 metrics, got 4; count them among the metrics.",
        ),
        (
            lambda: correction_rates(3, 1, np.random.default_rng(0), correlation=1),
            "correlation must be in [0, 1), got 1; pass that of two metrics' estimates.",
        ),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
