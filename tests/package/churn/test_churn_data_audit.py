import numpy as np
import pandas as pd
import pytest

from casebook.churn import leaks
from casebook.churn.data_audit import (
    BILLS,
    SOURCE_FEATURES,
    bill_group,
    downgrade_split,
    feature_table,
    inventory,
    leak_prices,
    some_companies,
    subscribed,
    with_due,
)
from casebook.churn.features import CATEGORIES, cohorts, connect, label
from casebook.churn.simulate import simulate
from casebook.churn.tables import TABLES
from casebook.churn.world import World
from casebook.contracts import ContractError

AT = "2025-11-15"


@pytest.fixture(scope="module")
def company():
    return simulate(World(), 3_000, np.random.default_rng(41))


@pytest.fixture(scope="module")
def frame(company):
    return cohorts(connect(company.tables), [AT])


def test_the_inventory_names_a_key_that_is_one(company):
    held = inventory(company.tables)
    assert list(held.index) == list(TABLES)
    for name in ("customers", "usage_weekly", "failed_payments", "surveys", "emails", "calls", "pilot"):
        key = held.loc[name, "one row per"].split(", ")
        assert not company.tables[name].duplicated(key).any()
    assert held.loc["cancellations", "dated by"] == "cancelled_on"
    assert held.loc["cancellations", "missing"] == ""
    share = company.tables["surveys"]["score"].isna().mean()
    assert held.loc["surveys", "missing"] == f"score {share:.1%}"


def test_cases_are_those_whom_the_label_is_asked_for(company):
    connection = connect(company.tables)
    cases = subscribed(connection, ["2025-06-01", AT])
    for date, part in cases.groupby("asof"):
        assert part["subscriber_id"].tolist() == label(connection, date).index.tolist()
    assert not cases.duplicated(["subscriber_id", "asof"]).any()


def test_colleagues_are_drawn_together_in_every_table(company):
    kept = some_companies(company.tables, 0.3, np.random.default_rng(1))
    customers = company.tables["customers"]
    ids = set(kept["customers"]["subscriber_id"])
    companies = set(kept["customers"]["account_id"])
    assert ids == set(customers.loc[customers["account_id"].isin(companies), "subscriber_id"])
    for name, table in kept.items():
        assert len(table) == company.tables[name]["subscriber_id"].isin(ids).sum()
    assert 0.2 < len(companies) / customers["account_id"].nunique() < 0.4
    assert len(some_companies(company.tables, 1, np.random.default_rng(1))["emails"]) == len(company.tables["emails"])


@pytest.mark.parametrize("share", [0, 1.5, float("nan")])
def test_a_share_out_of_range_is_refused(company, share):
    with pytest.raises(ContractError) as error:
        some_companies(company.tables, share, np.random.default_rng(0))
    said = f"share must be above 0 and at most 1, got {share:g}; give a share of the companies, such as 0.2."
    assert str(error.value) == said


def test_whoever_renews_later_cannot_leave_and_the_rest_are_due(frame):
    groups = bill_group(frame)
    assert list(groups.cat.categories) == list(BILLS)
    left = frame["y"].groupby(groups, observed=True).mean()
    assert left[BILLS[2]] == 0 < left[BILLS[0]] < left[BILLS[1]]
    known = with_due(frame)
    assert ((known["due"] == 0) == (groups == BILLS[2])).all()
    assert ((known["due_annual"] == 1) == (groups == BILLS[1])).all()
    assert "due" not in frame


def test_a_leak_is_priced_against_the_honest_row():
    columns = ["auprc_offline", "auprc_deployed", "precision_offline", "precision_deployed"]
    table = pd.DataFrame([[0.2, 0.18, 0.25, 0.24], [0.5, 0.1, 0.4, 0.1]], index=["honest", "leak"], columns=columns)
    prices = leak_prices(table, calls=50)
    assert prices.loc["honest", ["false_gain", "price"]].tolist() == [0, 0]
    assert prices.loc["leak", ["promised", "delivered"]].tolist() == [0.5, 0.1]
    assert np.allclose(prices.loc["leak", ["false_gain", "price"]].astype(float), [0.3, 0.08])
    assert prices["leavers_promised"].tolist() == [12, 20] and prices["leavers"].tolist() == [12, 5]


def test_downgrades_are_counted_on_their_side_of_the_date(frame, company):
    split = downgrade_split(frame, company.tables)
    chosen = frame[frame["by_card"] == 0]
    leavers = chosen[chosen["y"] == 1]
    changes = company.tables["plan_changes"]
    at = pd.Timestamp(AT)
    after = [
        ((changes["subscriber_id"] == one) & (changes["kind"] == "downgrade")
         & (changes["changed_on"] >= at) & (changes["changed_on"] <= at + pd.Timedelta(days=30))).any()
        for one in leavers["subscriber_id"]
    ]  # fmt: skip
    assert np.isclose(split.loc["left", "after"], np.mean(after))
    assert np.isclose(split.loc["left", "before"], (leavers["downgrades_90d"] > 0).mean())
    assert split.loc["left", "after"] > 10 * split.loc["stayed", "after"]


def test_every_category_stands_beside_the_sources_words():
    assert set(SOURCE_FEATURES) == set(CATEGORIES)
    table = feature_table()
    assert table.loc["billing", "here"].split(", ") == list(CATEGORIES["billing"])


def test_a_sample_of_companies_is_enough_for_the_scramble(company):
    rng = np.random.default_rng(3)
    part = some_companies(company.tables, 0.4, rng)
    assert leaks.detect(part, "2025-09-01", None, rng) == []
    assert leaks.detect(part, "2025-09-01", leaks.TIMELINE, rng) == ["logins_90d"]
