"""DuckDB's statistics of a Parquet file against those of the same table in memory."""

import re

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.experiments import Metric, Moments, absolute_effect, arm_moments, parquet_moments

duckdb = pytest.importorskip("duckdb")

# Sums of a few hundred floats in another order.
ORDER = 1e-12
METRICS = [
    "clicks",
    Metric("clicked", proportion=True),
    Metric("clicks", "views"),
    Metric("clicks", "*"),
    Metric("spend", before=("spend_before",)),
    Metric("spend", "views", before=("spend_before", "views_before")),
]


def says(text):
    return pytest.raises(ContractError, match=f"^{re.escape(text)}$")


def users(seed, n=300, rows=1):
    """Return ``rows`` rows of each of n users in three arms."""
    rng = np.random.default_rng(seed)
    before, spend_before = rng.poisson(4, n), rng.gamma(1, 10, n)
    arm = rng.choice(["old", "new", 'odd "arm"'], n)
    table = {"user": np.arange(n), "arm": arm, "views_before": before, "spend_before": spend_before}
    frame = pd.DataFrame(table).loc[np.repeat(np.arange(n), rows)].reset_index(drop=True)
    frame["views"] = rng.poisson(1 + frame["views_before"])
    frame["clicks"], frame["spend"] = rng.binomial(frame["views"], 0.3), rng.gamma(1, 1 + frame["spend_before"])
    frame["clicked"] = frame["clicks"] > 0
    return frame.sample(frac=1, random_state=seed)


def write(frame, folder):
    path = folder / "it's a file.parquet"
    frame.to_parquet(path)
    return path


def alike(left, right):
    assert list(left) == list(right)
    for arm, moments in left.items():
        assert (moments.n, moments.metric) == (right[arm].n, right[arm].metric)
        np.testing.assert_allclose(moments.sums, right[arm].sums, rtol=ORDER)
        np.testing.assert_allclose(moments.products, right[arm].products, rtol=ORDER)


@pytest.mark.parametrize("unit", [None, "user"])
def test_a_file_of_users_gives_what_the_table_gives(tmp_path, unit):
    frame = users(1)
    got = parquet_moments(write(frame, tmp_path), METRICS, "arm", unit=unit)
    assert list(got) == METRICS
    for metric, arms in got.items():
        alike(arms, arm_moments(frame, metric, "arm", unit=unit))


def test_rows_of_a_unit_are_summed_before_they_are_squared(tmp_path):
    frame = users(2, n=120, rows=4)
    wanted = [metric for metric in METRICS if metric != METRICS[1]]
    got = parquet_moments(write(frame, tmp_path), wanted, "arm", unit="user")
    for metric, arms in got.items():
        alike(arms, arm_moments(frame, metric, "arm", unit="user"))
        assert sum(moments.n for moments in arms.values()) == 120


def test_a_column_keeps_its_roles_apart(tmp_path):
    frame = users(3, n=60, rows=2)
    frame["balance"] = np.where(frame.index % 2, -3.0, 5.0)
    path = write(frame, tmp_path)
    got = parquet_moments(path, ["balance", Metric("clicks", "views"), Metric("views")], "arm", unit="user")
    alike(got["balance"], arm_moments(frame, "balance", "arm", unit="user"))
    assert got[Metric("views")]["old"].sums[0] == got[Metric("clicks", "views")]["old"].sums[1]


def test_a_connection_of_ones_own_stays_open(tmp_path):
    path = write(users(4), tmp_path)
    with duckdb.connect(config={"threads": 1}) as connection:
        first = parquet_moments(path, METRICS, "arm", connection=connection)
        assert first == parquet_moments(path, METRICS, "arm", connection=connection)
        effect = absolute_effect(first["clicks"]["new"], first["clicks"]["old"])
    assert isinstance(first["clicks"]["new"], Moments) and effect.se > 0


T = pd.DataFrame({"u": [1, 2, 3, 4], "arm": ["old", "old", "new", "new"], "y": [1.0, 2, 3, 5], "d": [1, 2, 1, 2]})
TWICE = pd.concat([T, T.assign(d=T["d"] + 1)])


@pytest.mark.parametrize(
    ("frame", "metrics", "how", "text"),
    [
        (T, [], {}, "metrics must be one or more, got none; name the columns to read."),
        (T, ["Y"], {}, "the file must be a table with a column 'Y', got 'u', 'arm', 'y', 'd'; rename 'y' to 'Y'."),
        (
            T,
            ["y"],
            {"unit": "user"},
            "the file must be a table with a column 'user', got 'u', 'arm', 'y', 'd'; "
            "add 'user' or rename one of yours.",
        ),
        (
            T[:0],
            ["y"],
            {},
            "the file must be a table with at least one row, got no rows; check the filter or the join that made it.",
        ),
        (
            T[:2],
            ["y"],
            {},
            "column 'arm' must be of two or more arms, got 'old' in every row; pass all arms in one table.",
        ),
        (
            T,
            ["y"],
            {"arms": ["old", "knew"]},
            "column 'arm' must be one of 'old', 'knew', got 'new'; mend its spelling or add it to arms.",
        ),
        (
            T.assign(arm=["a", None, "b", "b"]),
            ["y"],
            {},
            "column 'arm' must be filled in, got a missing value; find out how a unit got no arm.",
        ),
        (
            T.assign(u=[1, None, 2, 3]),
            ["y"],
            {"unit": "u"},
            "column 'u' must be filled in, got a missing value; give a unit that stands alone a label of its own.",
        ),
        (
            T.assign(u=[7, 8, 7, 9]),
            ["y"],
            {"unit": "u"},
            "unit 7 must be in one arm, got two; find out how it crossed over before you read any effect.",
        ),
        (
            T.assign(y=pd.array([1, None, 2, 3], dtype="Int64")),
            ["y"],
            {},
            "column 'y' must be a finite number in every row, got 1 missing; "
            "give every randomised unit one, for dropping some undoes the randomisation.",
        ),
        (
            T.assign(y=[1, np.inf, 2, 3]),
            ["y"],
            {},
            "the sums of 'y' must be finite, got a missing or infinite one; fill in its missing values.",
        ),
        (
            T.assign(y=list("abcd")),
            ["y"],
            {},
            "column 'y' must be numbers or bools, got VARCHAR; convert it before the file is written.",
        ),
        (
            T.assign(d=[1, 1, 1, -1]),
            [Metric("y", "d")],
            {},
            "column 'd' must be 0 or more, got -1.0; take a count as denominator.",
        ),
        (
            TWICE.assign(d=[1, 1, 1, -1, 5, 5, 5, 5]),
            [Metric("y", "d")],
            {"unit": "u"},
            "column 'd' must be 0 or more, got -1.0; take a count as denominator.",
        ),
        (
            TWICE,
            [Metric("y", before=("d",))],
            {"unit": "u"},
            "column 'd' must be one value per unit, got none or several in 2; "
            "fill it in and sum it over the unit first.",
        ),
    ],
)
def test_bad_files_are_refused_in_one_sentence(tmp_path, frame, metrics, how, text):
    path = write(frame, tmp_path)
    with says(text):
        parquet_moments(path, metrics, "arm", **how)
