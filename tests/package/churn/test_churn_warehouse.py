"""The event tables: nothing before its time or after its end, and what they show of those who will leave."""

import numpy as np
import pandas as pd
import pytest

from casebook.churn.simulate import simulate
from casebook.churn.world import FIRST_DAY, INDUSTRIES, MONTHS, PLANS, ROLES, TODAY, World

WEEK = pd.Timedelta(days=7)
#: Table -> the column that dates what the subscriber did or was done to.
DATED = {
    "cancellations": "cancelled_on",
    "usage_weekly": "last_login_on",
    "tickets": "opened_on",
    "plan_changes": "changed_on",
    "failed_payments": "failed_on",
    "surveys": "sent_on",
    "emails": "sent_on",
    "pilot": "enrolled_on",
    "calls": "called_on",
    "feedback": "happened_on",
}
AFTER_LEAVING = ("calls", "feedback")  # see the test that is expected to fail
ERRORS = 4.0  # standard errors


@pytest.fixture(scope="module")
def company():
    return simulate(World(), 6_000, np.random.default_rng(4))


@pytest.fixture(scope="module")
def lives(company):
    frame = company.tables["customers"].merge(company.tables["cancellations"], how="left")
    return frame.set_index("subscriber_id")


@pytest.mark.parametrize(("name", "column"), DATED.items())
def test_nothing_happens_after_today_or_before_the_warehouse_or_the_signup(company, lives, name, column):
    table = company.tables[name]
    dates = table[column]
    assert dates.notna().all()
    assert dates.between(FIRST_DAY, TODAY, inclusive="left").all()
    assert (dates >= table["subscriber_id"].map(lives["signed_up_on"])).all()


@pytest.mark.parametrize("name", [name for name in DATED if name not in AFTER_LEAVING])
def test_nothing_happens_to_those_who_have_left(company, lives, name):
    assert_nothing_after_leaving(company, lives, name)


@pytest.mark.parametrize("name", AFTER_LEAVING)
def test_nobody_is_called_or_complains_after_leaving(company, lives, name):
    assert_nothing_after_leaving(company, lives, name)


def assert_nothing_after_leaving(company, lives, name):
    table = company.tables[name]
    left_on = table["subscriber_id"].map(lives["cancelled_on"])
    assert not (table[DATED[name]] > left_on).any()


def test_what_is_mended_is_mended_later_and_before_today(company):
    for name, start, end in (("tickets", "opened_on", "resolved_on"), ("failed_payments", "failed_on", "recovered_on")):
        table = company.tables[name]
        mended = table[table[end].notna()]
        assert (mended[end] > mended[start]).all()
        assert (mended[end] < TODAY).all()
        assert 0 < table[end].isna().mean() < 1


def test_every_card_that_ended_a_subscription_failed_before_and_was_not_recovered(company, lives):
    by_card = lives[lives["reason"] == "payment_failed"]
    failed = company.tables["failed_payments"]
    ended = failed[failed["recovered_on"].isna()].groupby("subscriber_id")["failed_on"].max()
    wait = by_card["cancelled_on"] - ended.reindex(by_card.index)
    assert wait.notna().all()
    assert wait.between(pd.Timedelta(0), pd.Timedelta(days=14)).all()
    last = pd.Timestamp(TODAY) - pd.Timedelta(days=31)  # later ones may still recover
    closed = failed[failed["recovered_on"].isna() & (failed["failed_on"] < last)]
    assert set(closed["subscriber_id"]) <= set(by_card.index)


def test_usage_has_one_row_a_week_on_mondays_and_none_without_logins(company):
    usage = company.tables["usage_weekly"]
    assert (usage["logins"] > 0).all()
    assert not usage.duplicated(["subscriber_id", "week"]).any()
    assert (usage["week"].dt.day_of_week == 0).all()
    assert usage["last_login_on"].between(usage["week"], usage["week"] + WEEK, inclusive="left").all()
    assert (usage["features_used"] >= 1).all()


def test_usage_falls_before_leaving(company, lives):
    """Of those who cancel: the last four whole weeks against the four that end eight weeks earlier."""
    gone = lives[(lives["reason"] == "cancelled") & (lives["signed_up_on"] < lives["cancelled_on"] - 20 * WEEK)]
    gone = gone[gone["cancelled_on"] > pd.Timestamp(FIRST_DAY) + 20 * WEEK]
    usage = company.tables["usage_weekly"]
    usage = usage[usage["subscriber_id"].isin(gone.index)]
    weeks_ago = (usage["subscriber_id"].map(gone["cancelled_on"]) - usage["week"]) // WEEK
    logins = [
        usage["logins"].where(weeks_ago.between(first, first + 3), 0).groupby(usage["subscriber_id"]).sum()
        for first in (1, 9)
    ]
    change = np.log((logins[0] + 1) / (logins[1] + 1))
    assert change.mean() < -ERRORS * change.std() / np.sqrt(len(change))


def test_those_who_stay_use_it_no_less(company, lives):
    stay = lives.index[lives["cancelled_on"].isna() & (lives["signed_up_on"] < FIRST_DAY)]
    usage = company.tables["usage_weekly"]
    year = usage[usage["subscriber_id"].isin(stay)].groupby(usage["week"].dt.year)["logins"].sum()
    assert year[2025] / year[2024] == pytest.approx(1.1, abs=0.12)  # the growth in season() is 0.104 a year


def test_the_tables_keep_their_words_and_keys(company, lives):
    tables = company.tables
    assert lives.index.is_unique
    assert set(lives["plan"]) == set(PLANS)
    assert set(lives["industry"]) == set(INDUSTRIES)
    assert set(lives["role"]) == set(ROLES)
    assert set(tables["calls"]["listed_by"]) == {"rep", "pilot", "off_list"}
    for name in DATED:
        assert tables[name]["subscriber_id"].isin(lives.index).all(), name
    assert lives.groupby("plan")["price"].nunique().eq(1).all()


def test_colleagues_share_their_company(lives):
    by_account = lives.groupby("account_id")[["employees", "industry"]].nunique()
    assert by_account.eq(1).all(axis=None)
    assert 1.5 < lives.groupby("account_id").size().mean() < 2.0  # geometric with 0.55


def test_no_company_is_in_both_arms_and_none_is_enrolled_twice(company):
    pilot = company.tables["pilot"]
    assert pilot.groupby("account_id")[["arm", "enrolled_on"]].nunique().eq(1).all(axis=None)
    assert not pilot["subscriber_id"].duplicated().any()
    assert pilot["enrolled_on"].nunique() == company.world.pilot_months


def test_each_arm_of_a_month_is_as_large_as_the_capacity(company):
    arms = company.tables["pilot"].groupby(["enrolled_on", "arm"]).size()
    capacity = round(company.world.capacity * 6_000)
    # companies are split by number: the sizes differ by the luck of some 280 companies, standard error 15
    assert arms.sub(capacity).abs().max() < ERRORS * 15
    assert arms.groupby(level=0).sum().sub(2 * capacity).between(0, 15).all()


def test_the_arms_are_alike_before_the_call(company, lives):
    pilot = company.tables["pilot"].set_index("subscriber_id")
    people = lives.loc[pilot.index]
    traits = pd.DataFrame(
        {
            "annual": people["term"] == "annual",
            "price": people["price"],
            "tenure": (pilot["enrolled_on"] - people["signed_up_on"]).dt.days,
            "size": np.log(people["employees"]),
            "p": company.truth.past.p[pilot.index - 1, months_of(pilot["enrolled_on"])],
        }
    ).astype(float)
    by_company = traits.groupby([pilot["account_id"], pilot["arm"]]).mean()
    call, control = (by_company.xs(arm, level="arm") for arm in ("call", "control"))
    error = np.sqrt(call.var() / len(call) + control.var() / len(control))
    assert ((call.mean() - control.mean()) / error).abs().max() < ERRORS


def test_the_pilots_calls_are_those_of_its_call_arm(company):
    pilot, calls = company.tables["pilot"], company.tables["calls"]
    assert set(calls.loc[calls["listed_by"] == "pilot", "subscriber_id"]) == set(
        pilot.loc[pilot["arm"] == "call", "subscriber_id"]
    )
    reached = calls["reached"].mean()
    assert reached == pytest.approx(company.world.reach, abs=ERRORS * 0.5 / np.sqrt(len(calls)))


def test_the_reps_call_those_who_are_at_risk_and_nobody_calls_in_the_last_two_months(company):
    calls = company.tables["calls"]
    month = months_of(calls["called_on"])
    assert month.max() < MONTHS - 2
    p = company.truth.past.p[calls["subscriber_id"] - 1, month]
    assert p[calls["listed_by"] == "rep"].mean() > 1.5 * p[calls["listed_by"] == "pilot"].mean()
    assert (month[calls["listed_by"] == "rep"] < MONTHS - 2 - company.world.pilot_months).all()


def months_of(dates):
    return (dates.to_numpy().astype("M8[M]") - FIRST_DAY.astype("M8[M]")).astype(int)


def test_a_call_that_reaches_a_sleeping_dog_brings_complaints(company):
    calls, feedback = company.tables["calls"], company.tables["feedback"]
    keys = feedback["subscriber_id"] * 100 + months_of(feedback["happened_on"])
    reached = calls[calls["reached"]]
    after = np.isin(reached["subscriber_id"] * 100 + months_of(reached["called_on"]), keys)
    base = len(feedback) / (6_000 * MONTHS)
    assert after.mean() > 3 * base


def test_the_truth_is_of_those_who_are_subscribed_today(company, lives):
    assert set(company.truth.subscriber_id) == set(lives.index[lives["cancelled_on"].isna()])
    assert len(company.truth.people) == len(company.truth.subscriber_id) == len(company.truth.carry)
    assert company.truth.past.p.shape == (len(lives), MONTHS)
