"""The leakage test on one honest builder and four leaky ones."""

import re

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.labels import as_of, leaking_columns, shuffle_future, window

AT = pd.Timestamp("2025-03-01")
TIMES = {"visits": "on"}


def tables(seed=0, n=300):
    rng = np.random.default_rng(seed)
    on = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.integers(0, 120, n), unit="D")
    visits = pd.DataFrame({"unit_id": rng.integers(0, 20, n), "on": on, "amount": rng.exponential(9, n)})
    return {"visits": visits, "units": pd.DataFrame({"unit_id": range(20), "plan": ["basic", "pro"] * 10})}


def honest(tables, at):
    cases = tables["units"].assign(at=at).set_index("unit_id", drop=False)
    names = {"key": "unit_id", "at": "at", "happened": "on"}
    counts = window(cases, tables["visits"], **names, days=30)
    amount = window(cases, tables["visits"], **names, days=30, column="amount", how="sum")
    last = as_of(cases, tables["visits"], **names, columns=["amount"])["amount"]
    return pd.DataFrame({"counts": counts, "amount": amount, "last": last, "plan": cases["plan"]})


def forgets_the_cut(tables, at):
    sums = tables["visits"].groupby("unit_id")["amount"].sum()
    return honest(tables, at).assign(total=sums)


def scales_by_all_time(tables, at):
    features = honest(tables, at)
    return features.assign(scaled=features["amount"] / tables["visits"]["amount"].mean())


def one_day_too_late(tables, at):
    return honest(tables, at).assign(next=honest(tables, at + pd.Timedelta(days=1))["counts"])


def knows_who_comes_back(tables, at):
    later = tables["visits"].loc[tables["visits"]["on"] >= at, "unit_id"].head(6).unique()
    return honest(tables, at).loc[later]


def found(build, seed=0):
    return leaking_columns(build, tables(), AT, times=TIMES, rng=np.random.default_rng(seed))


@pytest.mark.parametrize("seed", range(5))
def test_an_honest_builder_leaks_nothing(seed):
    assert found(honest, seed) == []


@pytest.mark.parametrize(
    ("build", "columns"),
    [
        (forgets_the_cut, ["total"]),
        (scales_by_all_time, ["scaled"]),
        (one_day_too_late, ["next"]),
        (knows_who_comes_back, ["(rows)"]),
    ],
)
def test_a_leaky_builder_is_caught_at_its_column(build, columns):
    assert found(build) == columns


def test_a_column_that_the_future_makes_is_named():
    def dummies(tables, at):
        last = tables["visits"]["on"].max().day
        return honest(tables, at).assign(**{f"day_{last}": 1})

    changed = found(dummies)
    assert len(changed) == 2
    assert all(name.startswith("day_") for name in changed)


def test_permuting_moves_values_among_future_rows_only_and_leaves_the_input():
    original = tables()
    before = original["visits"].copy()
    changed = shuffle_future(original, AT, times=TIMES, rng=np.random.default_rng(1))["visits"]
    pd.testing.assert_frame_equal(original["visits"], before)
    past = before["on"] < AT
    pd.testing.assert_frame_equal(changed[past], before[past])
    assert changed["on"].equals(before["on"])
    assert not changed["unit_id"].equals(before["unit_id"])
    for column in ("unit_id", "amount"):
        assert sorted(changed[column]) == sorted(before[column])
    assert changed.dtypes.equals(before.dtypes)


def test_dropping_keeps_exactly_the_past():
    changed = shuffle_future(tables(), AT, times=TIMES, rng=np.random.default_rng(1), how="drop")
    pd.testing.assert_frame_equal(changed["visits"], tables()["visits"].query("on < @AT"))
    pd.testing.assert_frame_equal(changed["units"], tables()["units"])


def careless(tables, at):
    careless.calls += 1
    return honest(tables, at).assign(noise=careless.calls)


careless.calls = 0


def leaking(build=honest, at=AT, times=TIMES):
    return lambda: leaking_columns(build, tables(), at, times=times, rng=np.random.default_rng(0))


@pytest.mark.parametrize(
    ("calling", "text"),
    [
        (
            leaking(build=careless),
            "build must be the same on the same tables, got another 'noise' on a second call; "
            "give its random generator a fixed seed.",
        ),
        (
            leaking(at="2026-01-01"),
            "tables must be tables with rows at or after 2026-01-01 (at), got none; "
            "take an earlier time, or no leak can show.",
        ),
        (
            leaking(build=lambda tables, at: 3),
            "what build returns must be a pandas DataFrame, got int; return the feature table.",
        ),
        (
            leaking(build=lambda tables, at: tables["visits"].set_index("unit_id").sort_index()),
            "what build returns must be indexed by unit, one row each, got 0 twice; set the unit as its index.",
        ),
        (
            leaking(times={"visit": "on"}),
            "times['visit'] must be of a table in tables, got tables ['visits', 'units']; mend the name.",
        ),
        (
            leaking(times={"visits": "On"}),
            "visits must be a table with a column 'On', got 'unit_id', 'on', 'amount'; rename 'on' to 'On'.",
        ),
        (
            lambda: shuffle_future(tables(), AT, times=TIMES, rng=np.random.default_rng(0), how="mix"),
            "how must be one of 'permute', 'drop', got 'mix'; take one of these.",
        ),
    ],
)
def test_refusals(calling, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        calling()
