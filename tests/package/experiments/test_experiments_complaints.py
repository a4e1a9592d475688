"""What users of two public engines reported as wrong or missing; here each must hold. Numbers are their issues'.

gbstats: CUPED silently off or wrong for ratio metrics (3724, 3727), no health check of CUPED (4586). confidence: the
information ratio must be increasing (102), which correction is applied (110, 94), group-sequential n wrongly added up
so that the error rises (77), a negative variance (70).
"""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.experiments import (
    Metric,
    Moments,
    absolute_effect,
    arm_moments,
    cuped_gain,
    expected_n,
    group_sequential,
    metrics_table,
    ratio_difference,
)

# An error that is computed by integration, to four digits.
INTEGRATED = 1e-4


@pytest.fixture(scope="module")
def users():
    rng = np.random.default_rng(3724)
    taste = rng.gamma(3, 1 / 3, 4_000)
    views = 1 + rng.poisson(5 * taste)
    return pd.DataFrame(
        {
            "arm": rng.choice(["new", "old"], len(taste)),
            "clicks": rng.binomial(views, np.clip(0.2 * taste, 0, 1)),
            "views": views,
            "before": rng.poisson(4 * taste),
            "noise": rng.normal(size=len(taste)),
        }
    )


def effect_of(users, *before):
    arms = arm_moments(users, Metric("clicks", denominator="views", before=before), "arm")
    return arms, absolute_effect(arms["new"], arms["old"])


def test_a_ratio_is_adjusted_too_and_not_in_silence(users):
    arms, adjusted = effect_of(users, "before")
    _, plain = effect_of(users)
    cut = cuped_gain(arms["new"], arms["old"]).variance_cut
    assert cut > 0.1
    assert (adjusted.se / plain.se) ** 2 == pytest.approx(1 - cut, rel=0.01)


def test_a_useless_covariate_is_seen_by_what_it_cuts(users):
    arms, _ = effect_of(users, "noise")
    assert cuped_gain(arms["new"], arms["old"]).variance_cut < 0.01


def test_a_covariate_that_never_varies_is_refused_and_not_dropped(users):
    text = "before must be varying within the arms, got one value in each; take a measure that tells units apart."
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        effect_of(users.assign(same=1.0), "same")


def test_looks_in_any_other_order_get_a_sentence():
    text = (
        "looks, row 1 must be at least 0.1% above the row before, got 0.4 after 0.5; "
        "sort the looks and merge near ones."
    )
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        group_sequential([0.5, 0.4, 1.0], kind="spending-obf")


def test_every_correction_that_was_applied_is_named():
    table = metrics_table({"a": 0.001, "b": 0.02, "c": 0.04, "d": 0.5})
    assert table.loc["a", "rejected_by"] == "bonferroni, holm, benjamini_hochberg"
    assert table.loc["c", "rejected_by"] == "uncorrected only"
    assert {"bonferroni", "holm", "benjamini_hochberg"} <= set(table)


@pytest.mark.parametrize("kind", ["obrien-fleming", "pocock", "spending-obf", "spending-pocock"])
def test_units_of_a_look_are_those_of_the_plan_and_keep_alpha(kind):
    plan = group_sequential(4, kind=kind)
    units = np.asarray(plan.units(10_000), dtype=float)
    # Whole units, rounded up.
    assert units / units[-1] == pytest.approx([0.25, 0.5, 0.75, 1.0], abs=1 / 10_000)
    assert expected_n(units, plan.critical, 0).stop == pytest.approx(0.05, abs=INTEGRATED)
    # Who counts more units than there are at the first looks holds bars that are too low, and errs more.
    counted_twice = group_sequential([0.5, 0.7, 0.9, 1.0], kind=kind)
    assert expected_n(units, counted_twice.critical, 0).stop > 0.05 + 10 * INTEGRATED


@given(st.integers(0, 2**32), st.integers(4, 12), st.floats(1e-6, 1e6))
def test_no_variance_is_ever_negative(seed, n, scale):
    rng = np.random.default_rng(seed)
    clicks, views = scale * rng.poisson(1, 2 * n), 1.0 + rng.poisson(2, 2 * n)
    treated = np.arange(2 * n) < n
    assert ratio_difference(clicks, views, treated).se >= 0
    whole = Moments.of_total(2 * n, clicks.sum(), (clicks**2).sum())
    assert absolute_effect(whole, whole).se >= 0


def test_sums_that_no_table_has_are_refused():
    text = (
        "the sums of 'y' must be those of a table, got 25 of squares against a sum of 11; "
        "take all of them over the same units, for the variance is below 0."
    )
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        absolute_effect(Moments.of_total(4, 11, 25), Moments.of_total(4, 11, 25))
