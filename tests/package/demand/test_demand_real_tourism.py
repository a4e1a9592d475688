"""Australia's trips: the pipeline on drawn trips, the upper levels against the published table, and all of it."""

import numpy as np
import pandas as pd
import pytest

from casebook import datasets
from casebook.contracts import ContractError
from casebook.demand.hierarchy import is_coherent
from casebook.demand.real_tourism import (
    METHODS,
    PRINTED,
    PUBLISHED,
    SHOWN,
    accuracy,
    beside_published,
    forecast_tourism,
    help_and_harm,
    reconciled,
    smooth,
    tourism_nodes,
)

UPPER = ("total", "purpose", "state")


def trips(rng, quarters=40):
    places = [("ACT", "Canberra"), ("Victoria", "Ballarat"), ("Victoria", "Bendigo")]
    purposes = ("Business", "Holiday", "Other", "Visiting")
    rows = [(state, region, purpose) for state, region in places for purpose in purposes]
    frame = pd.DataFrame(rows, columns=["state", "region", "purpose"])
    frame = frame.loc[frame.index.repeat(quarters)].reset_index(drop=True)
    when = np.tile(np.arange(quarters), len(rows))
    level = np.repeat(rng.uniform(20, 200, len(rows)), quarters) * (1 + 0.2 * np.sin(np.pi * when / 2))
    frame["quarter"] = pd.period_range("1998Q1", periods=quarters, freq="Q").to_timestamp()[when]
    return frame.assign(trips=np.maximum(level + rng.normal(0, 10, len(frame)), 0))


def whole():
    path = datasets.fetch("tourism-australia")
    if path is None:
        pytest.skip("data absent")
    return datasets.prepare_tourism(path)


@pytest.fixture(scope="module")
def small():
    return forecast_tourism(trips(np.random.default_rng(0)))


def test_the_hierarchy_counts_its_nodes(small):
    levels = small.hierarchy.nodes.get_level_values("level").value_counts(sort=False)
    assert levels.to_dict() == {
        "total": 1, "purpose": 4, "state": 2, "region": 3, "state and purpose": 8, "bottom": 12,
    }  # fmt: skip
    for frame in (small.history, small.truth):
        assert is_coherent(small.hierarchy, frame)
    assert small.truth.shape[1] == 8 and small.history.shape[1] == 32
    assert list(small.base.columns) == list(small.truth.columns)
    assert not is_coherent(small.hierarchy, small.base)


def test_the_test_quarters_are_not_seen(small):
    frame = trips(np.random.default_rng(0))
    last = sorted(frame["quarter"].unique())[-8:]
    other = frame.assign(trips=frame["trips"].where(~frame["quarter"].isin(last), 1_000.0))
    np.testing.assert_array_equal(forecast_tourism(other).base, small.base)


def test_all_ways_but_the_base_add_up_and_the_scores_are_of_the_truth(small):
    ways = reconciled(small)
    assert {name: is_coherent(small.hierarchy, one) for name, one in ways.items()} == {
        name: name != "base" for name in ways
    }
    table = accuracy(small, ways)
    error = np.sqrt(np.square(ways["MinT ols"].iloc[0] - small.truth.iloc[0]).mean())
    assert table.loc[("total", "MinT ols"), "rmse"] == pytest.approx(error)
    assert help_and_harm(table).loc["total", "MinT ols"] == pytest.approx(
        1 - error / table.loc[("total", "base"), "rmse"]
    )
    assert help_and_harm(table).loc["bottom", "bottom-up"] == 0


def test_a_difference_is_explained_by_its_size(small):
    table = accuracy(small)
    for level, printed in PUBLISHED.items():
        for method, value in zip(METHODS, printed, strict=True):
            table.loc[(level, method), "rmse"] = value
    table.loc[("total", "base"), "rmse"] += 0.6 * PRINTED
    table.loc[("total", "MinT ols"), "rmse"] *= 1.004
    table.loc[("bottom", "MinT ols"), "rmse"] *= 1.006
    why = beside_published(table)["why"]
    assert why["total", "base"] == "rounding" and why["total", "MinT ols"] == "search"
    assert why["bottom", "MinT ols"] == "unexplained"


def test_upper_levels_are_the_published_ones():
    _, nodes = tourism_nodes(whole())
    assert nodes.shape == (425, 80)
    upper = nodes.loc[list(UPPER)]
    base, _ = smooth(upper.iloc[:, :72], 8)
    error = np.sqrt(np.square(base.to_numpy() - upper.iloc[:, 72:].to_numpy()).mean(axis=1))
    rmse = pd.Series(error, upper.index).groupby("level").mean()
    for level in UPPER:
        assert rmse[level] == pytest.approx(PUBLISHED[level][0], abs=PRINTED)


@pytest.mark.slow
def test_the_whole_table_is_the_published_one():
    forecasts = forecast_tourism(whole())
    table = accuracy(forecasts)
    found = beside_published(table)
    assert (found["why"] != "unexplained").all()
    gain = help_and_harm(table)
    assert gain.loc["total", "MinT shrink"] < 0 < gain.loc["bottom", "MinT shrink"]
    assert set(SHOWN) < set(table.index.get_level_values("level"))


def said(call):
    with pytest.raises(ContractError) as caught:
        call()
    return str(caught.value)


def test_refusals():
    frame = trips(np.random.default_rng(1), 20)
    assert said(lambda: forecast_tourism(frame)) == (
        "the quarters before the test must be 16 or more, got 12; pass a longer table."
    )
    assert said(lambda: tourism_nodes(frame.drop(index=3))) == (
        "the panel, leaf ACT / Canberra / Business, quarter 1998-10-01 00:00:00 must be a number, got a gap; "
        "fill in 0 where nothing was sold, or leave the leaf out."
    )
