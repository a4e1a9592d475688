"""No-launch rules over several guardrails against drawn tests, scipy's multivariate normal and ``non_inferior``."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import multivariate_normal, norm

from casebook.contracts import ContractError
from casebook.experiments import Effect, non_inferior, veto_chance, veto_rules
from casebook.experiments.vetoes import RULES

DRAWS = 100_000
BAND = 4 * np.sqrt(0.25 / DRAWS)
SES, MARGINS, HARMS = np.array([0.4, 0.5, 0.3]), np.array([1.0, 0.8, 0.7]), np.array([1.2, 0.0, -0.2])
RHO = np.array([[1.0, 0.6, 0.3], [0.6, 1.0, 0.2], [0.3, 0.2, 1.0]])


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def stops(estimate, se, margin):
    """Which rules stop the launch, in the order of RULES, by ``non_inferior``."""
    reach = norm.isf(0.025) * se
    effect = Effect(estimate, estimate - reach, estimate + reach, se, 0.5, 0, 0, 9, 9)
    verdict = non_inferior(effect, margin, "up").verdict
    return estimate > margin, effect.low > 0, verdict == "broken", verdict != "holds"


def test_the_closed_form_counts_what_non_inferior_says_of_drawn_tests():
    draws = 1_500
    seen = np.random.default_rng(0).normal(HARMS, SES, (draws, 3))
    vetoed = np.array([[stops(*one) for one in zip(row, SES, MARGINS, strict=True)] for row in seen])
    band = 4 * np.sqrt(0.25 / draws)
    for k, rule in enumerate(RULES):
        got = veto_chance(SES, MARGINS, HARMS, rule=rule)
        assert got.any == pytest.approx(vetoed[:, :, k].any(axis=1).mean(), abs=band)
        np.testing.assert_allclose(got.each, vetoed[:, :, k].mean(axis=0), atol=band)


@pytest.mark.parametrize("rule", RULES)
def test_correlated_guardrails_are_those_of_the_multivariate_normal(rule):
    got = veto_chance(SES, MARGINS, HARMS, rule=rule, correlation=RHO, rng=np.random.default_rng(1))
    reach = norm.isf(0.025) * SES
    cut = {"estimate": MARGINS, "significant": reach, "broken": MARGINS + reach, "not held": MARGINS - reach}[rule]
    passed = multivariate_normal.cdf(cut, mean=HARMS, cov=RHO * np.outer(SES, SES))
    assert got.any == pytest.approx(1 - passed, abs=BAND)
    assert got.each == veto_chance(SES, MARGINS, HARMS, rule=rule).each


def test_no_correlation_is_independence_and_a_full_one_is_a_single_guardrail():
    rng = np.random.default_rng(2)
    free = veto_chance(SES, MARGINS, HARMS, correlation=np.eye(3), rng=rng).any
    assert free == pytest.approx(veto_chance(SES, MARGINS, HARMS).any, abs=BAND)
    same = veto_chance([0.5] * 3, [1.0] * 3, 0.6, correlation=np.ones((3, 3)), rng=rng).any
    assert same == pytest.approx(veto_chance([0.5], [1.0], 0.6).any, abs=BAND)


def test_significance_without_a_margin_vetoes_the_harmless_as_often_as_there_are_guardrails():
    for k in (1, 5, 10):
        got = veto_chance(np.ones(k), np.full(k, 9.0), rule="significant").any
        assert got == pytest.approx(1 - 0.975**k)


def test_a_harm_of_just_the_margin_passes_non_inferiority_with_half_of_alpha():
    for level in (0.9, 0.95):
        held = veto_chance([0.3], [1.0], 1.0, rule="not held", level=level).any
        shown = veto_chance([0.3], [1.0], 1.0, rule="broken", level=level).any
        assert 1 - held == pytest.approx((1 - level) / 2)
        assert shown == pytest.approx((1 - level) / 2)


@given(st.lists(st.tuples(st.floats(0.1, 2), st.floats(0.1, 3), st.floats(-2, 3)), min_size=1, max_size=6))
def test_more_guardrails_more_harm_and_stricter_rules_veto_more(rows):
    ses, margins, harms = map(np.array, zip(*rows, strict=True))
    for rule in RULES:
        got = veto_chance(ses, margins, harms, rule=rule)
        assert veto_chance(ses[:-1], margins[:-1], harms[:-1], rule=rule).any <= got.any if len(ses) > 1 else True
        assert veto_chance(ses, margins, harms + 0.1, rule=rule).any >= got.any
        assert got.any <= sum(got.each) + 1e-12
        assert got.any == pytest.approx(veto_chance(7 * ses, 7 * margins, 7 * harms, rule=rule).any, abs=1e-9)
    chances = [veto_chance(ses, margins, harms, rule=rule).any for rule in ("not held", "estimate", "broken")]
    assert chances == sorted(chances, reverse=True)


def test_the_table_holds_the_two_errors_of_each_rule():
    got = veto_rules(SES, MARGINS, [1.5, 0, 0])
    assert got["stops_if"].to_dict() == RULES
    for rule in RULES:
        assert got.loc[rule, "false_veto"] == veto_chance(SES, MARGINS, rule=rule).any
        assert got.loc[rule, "missed"] == 1 - veto_chance(SES, MARGINS, [1.5, 0, 0], rule=rule).any
    # What seldom vetoes the harmless oftener lets the harm pass.
    ranked = got.sort_values("false_veto")["missed"].tolist()
    assert ranked == sorted(ranked, reverse=True)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: veto_chance([1, 0], [1, 1]), "ses, row 1 must be above 0, got 0; pass one for each guardrail."),
        (lambda: veto_chance([1], [-1]), "margins, row 0 must be above 0, got -1; pass one for each guardrail."),
        (lambda: veto_chance([1], [1, 2]), "margins must be 1 long, got 2 rows; take all arguments from one table."),
        (
            lambda: veto_chance([1], [1], rule="p"),
            "rule must be one of 'estimate', 'significant', 'broken', 'not held', got 'p'; "
            "take 'not held' for non-inferiority.",
        ),
        (
            lambda: veto_chance([1, 1], [1, 1], correlation=np.eye(2)),
            "rng must be a numpy Generator where guardrails are correlated, got NoneType; "
            "pass np.random.default_rng(seed).",
        ),
        (
            lambda: veto_chance([1, 1], [1, 1], correlation=np.eye(3), rng=np.random.default_rng(0)),
            "correlation must be a correlation matrix of 2 guardrails, got shape (3, 3); "
            "take np.corrcoef of their estimates.",
        ),
        (
            lambda: veto_chance([1, 1], [1, 1], correlation=[[1, 2], [2, 1]], rng=np.random.default_rng(0)),
            "correlation must be a correlation matrix of 2 guardrails, got another matrix; "
            "take np.corrcoef of their estimates.",
        ),
        (
            lambda: veto_rules([1], [1], [0]),
            "harms must be above 0 in a guardrail or more, got [0.0]; state the harm that must be seen.",
        ),
    ],
)
def test_refusals(call, text):
    with says(text):
        call()
