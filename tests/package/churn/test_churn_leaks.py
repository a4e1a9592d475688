import numpy as np
import pandas as pd
import pytest

from casebook.churn.features import build, connect, label
from casebook.churn.leaks import (
    DOWNGRADES,
    LEAKS,
    RANDOM,
    RECORD,
    TIMELINE,
    detect,
    leak_table,
    leaky_build,
    leaky_column,
)
from casebook.churn.simulate import simulate
from casebook.churn.world import World
from casebook.contracts import ContractError

ASOF = "2025-09-01"


@pytest.fixture(scope="module")
def company():
    return simulate(World(), 6_000, np.random.default_rng(21))


@pytest.fixture(scope="module")
def connection(company):
    return connect(company.tables)


@pytest.mark.parametrize(
    ("leak", "named"),
    [(None, []), (DOWNGRADES, ["downgrades_90d"]), (TIMELINE, ["logins_90d"]), (RECORD, ["logins_90d"])],
)
def test_the_detector_names_each_leak_and_clears_the_honest_builder(company, leak, named):
    assert detect(company.tables, ASOF, leak, np.random.default_rng(0)) == named


def test_late_downgrades_are_those_of_the_window_too(company, connection):
    moves = company.tables["plan_changes"].query("kind == 'downgrade'")
    begin, end = pd.Timestamp(ASOF) - pd.Timedelta(days=90), pd.Timestamp(ASOF) + pd.Timedelta(days=30)
    inside = moves[(moves["changed_on"] >= begin) & (moves["changed_on"] < end)]
    got = leaky_column(connection, ASOF, DOWNGRADES)
    expected = inside.groupby("subscriber_id").size().reindex(got.index, fill_value=0)
    np.testing.assert_array_equal(got, expected)
    honest = build(connection, ASOF)["downgrades_90d"]
    gone = label(connection, ASOF) == 1
    assert (got >= honest).all() and (got - honest)[gone].mean() > 10 * (got - honest)[~gone].mean()


def test_the_last_quarter_of_each_record_ends_when_the_subscriber_does(company, connection):
    known = pd.Timestamp(ASOF) + pd.Timedelta(days=31)
    got = leaky_column(connection, ASOF, RECORD)
    left = company.tables["cancellations"].set_index("subscriber_id")["cancelled_on"]
    weeks = dict(list(company.tables["usage_weekly"].groupby("subscriber_id")))
    for one in got.index[::200]:
        end = min(left.get(one, known), known)
        mine = weeks[one]
        whole = mine["week"] + pd.Timedelta(days=7) <= known
        assert got[one] == mine.loc[whole & (mine["week"] > end - pd.Timedelta(days=98)), "logins"].sum()


@pytest.mark.parametrize("leak", [DOWNGRADES, TIMELINE])
def test_on_the_night_of_deployment_a_leak_finds_nothing_of_the_future(connection, leak):
    honest = build(connection, ASOF)
    deployed = leaky_build(connection, ASOF, leak, known=ASOF)
    pd.testing.assert_frame_equal(deployed, honest, check_exact=True)
    column = LEAKS[leak][0]
    assert (leaky_build(connection, ASOF, leak)[column] != honest[column]).any()


@pytest.mark.slow
def test_a_leak_shines_offline_and_fails_when_deployed(connection):
    weekly = pd.date_range("2025-08-18", "2025-10-20", freq="14D")
    table = leak_table(connection, weekly, "2025-11-30")
    assert table.index.tolist() == ["honest", DOWNGRADES, TIMELINE, RECORD, RANDOM]
    honest = table.loc["honest"]
    assert honest["auc_offline"] == honest["auc_deployed"] and honest["auprc_offline"] > 0.1
    for leak in (DOWNGRADES, TIMELINE, RANDOM):
        row = table.loc[leak]
        assert row["auprc_offline"] > honest["auprc_offline"] + 0.03, leak
        assert row["auprc_offline"] > row["auprc_deployed"] + 0.05, leak
        assert row["precision_deployed"] < row["precision_offline"], leak
    assert table.loc[TIMELINE, "auprc_deployed"] < honest["auprc_deployed"]


def test_a_leak_that_is_no_query_is_refused(connection):
    for leak in (RANDOM, "typo"):
        with pytest.raises(ContractError) as error:
            leaky_column(connection, ASOF, leak)
        assert str(error.value) == (
            f"leak must be one of '{DOWNGRADES}', '{TIMELINE}', '{RECORD}', got '{leak}'; "
            "take one whose fault is a query."
        )
