"""Dials, replication, summaries and flip maps against closed forms and libraries."""

from __future__ import annotations

import re
from dataclasses import FrozenInstanceError

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from casebook.contracts import ContractError
from casebook.worlds import (
    Dial,
    captured,
    draw_dials,
    flip_map,
    flip_map_of,
    paired_interval,
    plan,
    recompute,
    replicate,
    share_holding,
)
from casebook.worlds.replication import records

EXACT = 1e-12  # the same sums in float64, in another order
LIFT = Dial("lift", 0.5, 2.0, "dollars", "assumed", "treating pays", null=0.0)
COST = Dial("cost", 0.01, 100.0, "dollars", "assumed", "treating pays", scale="log")
DIALS = (LIFT, COST)


def treat(dials: dict[str, float], rng: np.random.Generator) -> dict[str, float | bool]:
    return {"gain": dials["lift"] + 0.1 * rng.normal(), "pays": dials["lift"] > 0, "cases": 7}


def refused(text: str) -> str:
    return f"^{re.escape(text)}$"


@pytest.mark.parametrize("dial", DIALS)
def test_draws_are_uniform_on_the_dials_own_scale(dial: Dial) -> None:
    drawn = draw_dials(DIALS, 4000, np.random.default_rng(1))[dial.name].to_numpy()
    assert drawn.min() >= dial.low
    assert drawn.max() <= dial.high
    warp = np.log if dial.scale == "log" else np.asarray
    low, high = float(warp(dial.low)), float(warp(dial.high))
    assert stats.kstest(warp(drawn), stats.uniform(low, high - low).cdf).pvalue > 0.01
    if dial.scale == "log":
        assert stats.kstest(drawn, stats.uniform(dial.low, dial.high - dial.low).cdf).pvalue < 1e-6


def test_null_sets_only_the_dials_with_a_null_value() -> None:
    drawn, null = (draw_dials(DIALS, 50, np.random.default_rng(1), null=flag) for flag in (False, True))
    assert null["lift"].eq(0.0).all()
    assert drawn["lift"].gt(0.0).all()
    pd.testing.assert_series_equal(null["cost"], drawn["cost"])


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.integers(0, 2**32))
def test_draws_stay_in_range(low: float, width: float, seed: int) -> None:
    dial = Dial("x", low, low + width, "1", "assumed", "m")
    drawn = draw_dials([dial], 20, np.random.default_rng(seed))["x"]
    assert drawn.between(dial.low, dial.high).all()


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"high": 0.5}, "dial 'x' must be a finite range with low < high, got 0.5 to 0.5; mend its ends."),
        (
            {"low": 0.0, "scale": "log"},
            "dial 'x' must be positive on a log scale, got low = 0.0; raise low or use scale='linear'.",
        ),
        (
            {"scale": "cubic"},
            "dial 'x' must be on scale 'linear' or 'log', got 'cubic'; choose one of the two.",
        ),
        (
            {"null": np.inf},
            "dial 'x' must be finite in the null world, got inf; give a number or None.",
        ),
        (
            {"source": " "},
            "dial 'x', source must be a sentence, got nothing; say where it comes from and what it decides.",
        ),
    ],
)
def test_dial_refuses(change: dict[str, object], text: str) -> None:
    good = {"name": "x", "low": 0.5, "high": 1.0, "unit": "1", "source": "assumed", "moral": "m"}
    with pytest.raises(ContractError, match=refused(text)):
        Dial(**{**good, **change})  # type: ignore[arg-type]


def test_drawing_refuses() -> None:
    rng = np.random.default_rng(1)
    text = "dials must be named once each and never 'seed', got 'lift'; rename them."
    with pytest.raises(ContractError, match=refused(text)):
        draw_dials([LIFT, LIFT], 1, rng)
    with pytest.raises(ContractError, match=refused("n must be zero or more worlds, got -1; ask for a count.")):
        draw_dials(DIALS, -1, rng)
    text = "dials must be at least one with a null value, got none; give null= to the dial that carries the effect."
    with pytest.raises(ContractError, match=refused(text)):
        draw_dials([COST], 1, rng, null=True)


def test_same_seed_same_table_and_another_seed_another() -> None:
    first = replicate(treat, DIALS, 6, seed=3)
    pd.testing.assert_frame_equal(first, replicate(treat, DIALS, 6, seed=3))
    other = replicate(treat, DIALS, 6, seed=4)
    assert set(first["seed"]).isdisjoint(other["seed"])
    assert set(first["gain"]).isdisjoint(other["gain"])


def test_table_has_index_world_and_typed_columns() -> None:
    frame = replicate(treat, DIALS, 3, seed=3)
    assert frame.index.name == "world"
    assert frame.index.tolist() == [0, 1, 2]
    assert frame.dtypes.astype(str).to_dict() == {
        "lift": "float64",
        "cost": "float64",
        "seed": "int64",
        "gain": "float64",
        "pays": "bool",
        "cases": "float64",
    }


@pytest.mark.parametrize("null", [False, True])
def test_each_row_can_be_recomputed_alone(null: bool) -> None:
    frame = replicate(treat, DIALS, 8, seed=3, null=null)
    for world in (7, 0, 4):
        alone = recompute(treat, records(frame)[world])
        assert alone == {"gain": frame.loc[world, "gain"], "pays": not null, "cases": 7.0}
        assert recompute(treat, frame.iloc[world]) == alone


def test_first_rows_do_not_depend_on_how_many_follow() -> None:
    pd.testing.assert_frame_equal(replicate(treat, DIALS, 9, seed=3).head(4), replicate(treat, DIALS, 4, seed=3))


def test_null_worlds_share_the_seeds() -> None:
    drawn, null = plan(DIALS, 5, 3), plan(DIALS, 5, 3, null=True)
    pd.testing.assert_frame_equal(drawn[["cost", "seed"]], null[["cost", "seed"]])
    assert drawn["seed"].is_unique


def test_replicate_refuses_clashing_and_changing_names() -> None:
    text = "world 0, value 'cost' must be named unlike dials and 'seed', got the same name; rename it."
    with pytest.raises(ContractError, match=refused(text)):
        replicate(lambda dials, rng: {"cost": 1.0}, DIALS, 2, seed=1)
    names = iter("ab")
    text = "world 1 must be a dict with the names of world 0, got ['b']; return the same names."
    with pytest.raises(ContractError, match=refused(text)):
        replicate(lambda dials, rng: {next(names): 1.0}, DIALS, 2, seed=1)
    text = "row must be one of replicate's, with a column 'seed', got ['lift']; pass frame.loc[world]."
    with pytest.raises(ContractError, match=refused(text)):
        recompute(treat, {"lift": 1.0})


def test_captured_special_cases() -> None:
    nothing, oracle = np.array([10.0, -5.0, 1e9]), np.array([20.0, 5.0, 2e9])
    np.testing.assert_allclose(captured(oracle, nothing, oracle), 1.0, rtol=EXACT)
    np.testing.assert_allclose(captured(nothing, nothing, oracle), 0.0, atol=EXACT)
    np.testing.assert_allclose(captured(2 * nothing - oracle, nothing, oracle), -1.0, rtol=EXACT)
    np.testing.assert_allclose(captured(-15.0, -20.0, -10.0), 0.5, rtol=EXACT)
    np.testing.assert_allclose(captured(15.0, 20.0, 10.0), 0.5, rtol=EXACT)  # costs
    np.testing.assert_array_equal(
        captured([1.0, 0.0, 1e9, 1e-9], [0.0, 0.0, 1e9, 0.0], [0.0, 0.0, 1e9 + 0.5, 2e-9]),
        [np.nan, np.nan, np.nan, 0.5],
    )


@settings(deadline=None)  # the first call of the exact test imports more of scipy
@given(st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_share_agrees_with_statsmodels(counts: tuple[int, int]) -> None:
    holds, n = counts
    share = share_holding(np.arange(n) < holds, level=0.9)
    twin = proportion_confint(holds, n, alpha=0.1, method="wilson")
    np.testing.assert_allclose((share.low, share.high), twin, rtol=1e-9, atol=EXACT)
    assert (share.holds, share.n, share.share, str(share)) == (holds, n, holds / n, f"{holds} of {n}")


def test_share_is_frozen_and_refuses() -> None:
    with pytest.raises(FrozenInstanceError):
        share_holding([True]).n = 2  # type: ignore[misc]
    text = "flags must be a column of at least one flag, got shape (0,); pass one flag a world."
    with pytest.raises(ContractError, match=refused(text)):
        share_holding([])
    text = "flags must be true or false in every world, got nan; decide what a world without a value counts as."
    with pytest.raises(ContractError, match=refused(text)):
        share_holding([1.0, np.nan])
    text = "level must be a confidence level between 0 and 1, got 95; write 95 % as 0.95."
    with pytest.raises(ContractError, match=refused(text)):
        share_holding([True], level=95)


@given(st.integers(2, 40), st.integers(0, 2**32), st.sampled_from([0.5, 0.9, 0.95]))
def test_paired_interval_agrees_with_scipy(n: int, seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    common = rng.normal(0, 100, n)
    a, b = common + rng.normal(1, 1, n), common + rng.normal(0, 1, n)
    ours, twin = paired_interval(a, b, level), stats.ttest_rel(a, b).confidence_interval(level)
    np.testing.assert_allclose((ours.low, ours.high), (twin.low, twin.high), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(ours.mean, a.mean() - b.mean(), rtol=1e-8, atol=1e-10)
    assert ours.n == n


def test_paired_interval_refuses() -> None:
    text = (
        "a and b must be two columns of one length, at least two worlds, got shapes (1,) and (1,); "
        "pass one value a world for each policy."
    )
    with pytest.raises(ContractError, match=refused(text)):
        paired_interval([1.0], [2.0])
    text = "a and b, row 1 must be finite, got nan and 1.0; drop the world from both and say so."
    with pytest.raises(ContractError, match=refused(text)):
        paired_interval([1.0, np.nan], [1.0, 1.0])


def slope(dials: dict[str, float], rng: np.random.Generator) -> dict[str, float | bool]:
    return {"gain": dials["lift"] - 1.0 + 0 * rng.normal(), "wins": dials["cost"] > 1.0, "none": np.nan}


def test_flip_map_on_a_known_function() -> None:
    cells = flip_map(slope, DIALS, "lift", "cost", 3, 2, 4, seed=1, value="gain")
    np.testing.assert_allclose(cells["lift"], [0.75, 0.75, 1.25, 1.25, 1.75, 1.75], rtol=EXACT)
    np.testing.assert_allclose(cells["cost"], [0.1, 10.0] * 3, rtol=1e-9)  # log centres
    np.testing.assert_allclose(cells["mean"], cells["lift"] - 1.0, rtol=EXACT)
    assert cells["share_positive"].tolist() == [0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    assert cells["n"].tolist() == [4] * 6
    wins = flip_map(slope, DIALS, "lift", "cost", 1, 2, 4, seed=1, value="wins")
    assert wins["mean"].tolist() == [0.0, 1.0]
    absent = flip_map(slope, DIALS, "lift", "cost", 1, 1, 4, seed=1, value="none")
    assert absent["n"].tolist() == [0]
    assert absent["share_positive"].isna().all()


def test_flip_map_draws_the_other_dials_alike_in_every_cell() -> None:
    other = Dial("other", 0.0, 1.0, "1", "assumed", "m")
    cells = flip_map(
        lambda dials, rng: {"v": dials["other"] + rng.normal()},
        (*DIALS, other),
        "lift",
        "cost",
        2,
        2,
        5,
        1,
        "v",
    )
    assert cells["mean"].nunique() == 1


def test_flip_map_of_played_worlds_agrees_with_the_grid() -> None:
    frame = replicate(slope, DIALS, 400, seed=2)
    cells = flip_map_of(frame, DIALS, "lift", "cost", 4, 2, "gain")
    assert int(cells["n"].sum()) == 400
    half_width = (LIFT.high - LIFT.low) / 4 / 2
    assert (cells["mean"] - (cells["lift"] - 1.0)).abs().max() < half_width
    wins = flip_map_of(frame, DIALS, "lift", "cost", 1, 2, "wins")
    assert wins["share_positive"].tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"x": "z"}, "x and y must be names of dials, out of ['cost', 'lift'], got 'z'; name one of them."),
        (
            {"x": "cost"},
            "x and y must be two dials, got 'cost' twice; name another, or set ny=1 beside another dial.",
        ),
        ({"nx": 0}, "nx must be at least 1, got 0; ask for one or more."),
        (
            {"value": "z"},
            "value must be one of the world's ['cases', 'gain', 'pays'], got 'z'; name one of them.",
        ),
    ],
)
def test_flip_map_refuses(change: dict[str, object], text: str) -> None:
    good = {"x": "lift", "y": "cost", "nx": 1, "ny": 1, "worlds_per_cell": 1, "seed": 1, "value": "gain"}
    with pytest.raises(ContractError, match=refused(text)):
        flip_map(treat, DIALS, **{**good, **change})  # type: ignore[arg-type]
