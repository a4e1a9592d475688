"""Segments of a thin pilot: shrinkage against statsmodels and by hand, the model against the truth."""

import re

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from statsmodels.stats.meta_analysis import combine_effects

from casebook.churn.plays import draw_pilot
from casebook.churn.segment_model import partial_pooling, require_met
from casebook.churn.segments import (
    KEYS,
    root_mean_square,
    segment_counts,
    segment_names,
    segment_table,
    shrink_effects,
)
from casebook.churn.world import World
from casebook.contracts import ContractError

ROUNDING = 1e-9
cells = st.lists(st.tuples(*[st.integers(1, 400), st.floats(0, 1)] * 2), min_size=2, max_size=24)


def counts_of(rows):
    frame = pd.DataFrame(rows, columns=["n_called", "called", "n_control", "control"])
    frame["left_called"] = (frame["n_called"] * frame.pop("called")).round().astype(int)
    frame["left_control"] = (frame["n_control"] * frame.pop("control")).round().astype(int)
    return frame


def drawn(rng, cells=16, n=150, tau=0.5, mu=-0.3):
    """Counts whose effects in log-odds are normal over segments, with the truth."""
    base, effect = rng.normal(-2.0, 0.4, cells), rng.normal(mu, tau, cells)
    alone, called = 1 / (1 + np.exp(-base)), 1 / (1 + np.exp(-base - effect))
    frame = pd.DataFrame({"n_called": n, "n_control": n, "left_called": rng.binomial(n, called)})
    return frame.assign(left_control=rng.binomial(n, alone), truth=alone - called)


def test_counts_add_up_and_segments_are_named_by_their_features():
    world, rng = World(), np.random.default_rng(1)
    pilot = draw_pilot(world, 4_000, rng)
    names = segment_names(pilot.features)
    counts = segment_counts(names, pilot.treated, ~pilot.stayed, pilot.uplift)
    assert list(names.columns) == list(KEYS)
    assert len(counts) == 24
    assert counts[["n_called", "n_control"]].to_numpy().sum() == len(pilot)
    assert counts[["left_called", "left_control"]].to_numpy().sum() == (~pilot.stayed).sum()
    rows = (names == ["team", "annual", "priced", "asked"]).all(axis=1).to_numpy()
    assert counts.loc["team, annual, priced, asked", "n_called"] == pilot.treated[rows].sum()
    assert counts.loc["team, annual, priced, asked", "truth"] == pytest.approx(pilot.uplift[rows].mean())
    assert (pilot.features.loc[rows, ["price", "is_annual"]] == [180.0, 1.0]).all(axis=None)


def test_the_shrinkage_is_dersimonian_and_lairds():
    counts = drawn(np.random.default_rng(2), tau=0.9)
    got = shrink_effects(counts)
    twin = combine_effects(got["raw"].to_numpy(), got["se"].to_numpy() ** 2, method_re="dl")
    tau2 = twin.tau2
    assert got.attrs["tau"] > 0
    assert got.attrs["tau"] == pytest.approx(np.sqrt(tau2), rel=1e-6)
    assert got["pooled"].iloc[0] == pytest.approx(twin.mean_effect_fe, abs=ROUNDING)
    share = tau2 / (tau2 + got["se"] ** 2)
    by_hand = twin.mean_effect_re + share * (got["raw"] - twin.mean_effect_re)
    np.testing.assert_allclose(got["eb"], by_hand, atol=ROUNDING)


@given(cells)
def test_a_shrunk_effect_lies_between_the_raw_one_and_the_centre(rows):
    got = shrink_effects(counts_of(rows))
    low, high = got["raw"].min() - ROUNDING, got["raw"].max() + ROUNDING
    assert got["eb"].between(low, high).all()
    assert got["pooled"].between(low, high).all()
    assert np.ptp(got["eb"]) <= np.ptp(got["raw"]) + ROUNDING
    if got.attrs["tau"] == 0:
        np.testing.assert_allclose(got["eb"], got["pooled"], atol=ROUNDING)


def test_equal_segments_pool_completely_and_large_ones_not_at_all():
    same = pd.DataFrame(
        {"n_called": [100] * 4, "left_called": [5] * 4, "n_control": [100] * 4, "left_control": [9] * 4}
    )
    np.testing.assert_allclose(shrink_effects(same)["eb"], 0.04, atol=ROUNDING)
    large = pd.DataFrame({"n_called": [10**7] * 2, "left_called": [10**6, 2 * 10**6], "n_control": [10**7] * 2})
    got = shrink_effects(large.assign(left_control=3 * 10**6))
    np.testing.assert_allclose(got["eb"], got["raw"], atol=1e-5)
    np.testing.assert_allclose(got["raw"], [0.2, 0.1])


@pytest.mark.slow
@pytest.mark.parametrize("effect", [0.0, 0.22, 0.4])
def test_in_a_thin_pilot_shrinking_misses_by_less_than_raw_differences(effect):
    """Over ten pilots of some 4,000 subscribers in 24 segments."""
    world, errors = World(effect=effect), []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        pilot = draw_pilot(world, 4_000, rng)
        counts = segment_counts(segment_names(pilot.features), pilot.treated, ~pilot.stayed, pilot.uplift)
        errors.append(root_mean_square(segment_table(counts)))
    errors = pd.DataFrame(errors)
    assert (errors["eb"] < errors["raw"]).all()
    assert errors["eb"].mean() < 0.5 * errors["raw"].mean()


def test_where_segments_truly_differ_shrinking_beats_pooling_and_raw():
    errors = pd.DataFrame(
        [root_mean_square(segment_table(drawn(np.random.default_rng(seed), n=100, tau=0.4))) for seed in range(30)]
    )
    assert (errors["eb"] < errors["raw"]).sum() >= 20  # 25 of these 30
    assert (errors["eb"] < errors["pooled"]).sum() >= 20  # 26
    assert errors["eb"].mean() < errors["pooled"].mean() < errors["raw"].mean()


@pytest.mark.slow
def test_the_model_recovers_what_was_drawn_and_agrees_with_its_cheap_twin():
    counts = drawn(np.random.default_rng(5), cells=12, n=100, tau=0.3)
    posterior = partial_pooling(counts, seed=1)
    table = segment_table(counts, posterior)
    inside = table["truth"].between(table["low"], table["high"])
    error = root_mean_square(table)
    assert posterior.r_hat < 1.02
    assert posterior.ess > 200
    assert inside.sum() >= 8  # of 12 at 90 percent: fewer have a chance below 0.005
    assert error["posterior"] < error["raw"]
    assert np.corrcoef(table["posterior"], table["eb"])[0, 1] > 0.8
    assert table["posterior"].between(table["low"], table["high"]).all()
    assert 0.1 < posterior.tau < 0.7
    assert posterior.overall == pytest.approx(np.average(table["truth"], weights=table["n"]), abs=0.03)
    assert table["n"].is_monotonic_decreasing
    assert table.attrs["tau"] == shrink_effects(counts).attrs["tau"]


@pytest.mark.parametrize("measured", [(1.02, 400, 0), (1.0, 200, 0), (1.0, 400, 29), (np.nan, 400, 0)])
def test_chains_that_have_not_met_are_refused(measured):
    require_met(1.019, 201, 28, 2_800)
    with pytest.raises(RuntimeError, match=r"^the chains have not met: r_hat "):
        require_met(*measured, 2_800)


def test_errors_are_weighted_as_asked():
    table = pd.DataFrame({"raw": [0.1, 0.0], "pooled": [0.0, 0.0], "eb": [0.0, 0.1], "truth": [0.0, 0.0]})
    assert root_mean_square(table, [3, 1]).round(4).to_dict() == {"raw": 0.0866, "pooled": 0.0, "eb": 0.05}


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            {"left_called": [3, 1]},
            "counts, row 0 must be 0 to n_called leavers of at least one row, got 3 of 2; "
            "drop the empty segment or mend the count.",
        ),
        (
            {"n_control": [5, 0], "left_control": [1, 0]},
            "counts, row 1 must be 0 to n_control leavers of at least one row, got 0 of 0; "
            "drop the empty segment or mend the count.",
        ),
    ],
)
def test_counts_that_cannot_be_are_refused(change, text):
    counts = pd.DataFrame({"n_called": [2, 2], "left_called": [1, 1], "n_control": [2, 2], "left_control": [1, 1]})
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        shrink_effects(counts.assign(**change))
