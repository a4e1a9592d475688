import duckdb
import numpy as np
import pandas as pd
import pytest

from casebook.churn.feature_sql import ONE_HOT, feature_query
from casebook.churn.features import CATEGORIES, COLUMNS, QUERIES, READ, TOP30, build, cohorts, connect, label
from casebook.churn.leaks import TIMES
from casebook.churn.simulate import simulate
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.world import TODAY, World
from casebook.contracts import ContractError
from casebook.labels import leaking_columns, outcome, shuffle_future

MONDAY, WEDNESDAY = "2025-09-01", "2025-10-15"
# Two routes divide the same whole numbers, in another order.
ROUNDING = 1e-12


@pytest.fixture(scope="module")
def company():
    return simulate(World(), 4_000, np.random.default_rng(11))


@pytest.fixture(scope="module")
def connection(company):
    return connect(company.tables)


def same(left, right):
    pd.testing.assert_frame_equal(left, right, check_exact=True)


def known_on(tables, asof):
    """What the warehouse itself could hold on the morning of ``asof``: no row, week or second date that is later."""
    at = pd.Timestamp(asof)
    known = {name: tables[name].copy() for name in READ}
    for name, column in TIMES.items():
        known[name] = known[name][known[name][column] < at]
    known["usage_weekly"] = known["usage_weekly"][known["usage_weekly"]["week"] + pd.Timedelta(days=7) <= at]
    known["customers"] = known["customers"][known["customers"]["signed_up_on"] < at]
    known["cancellations"] = known["cancellations"][known["cancellations"]["cancelled_on"] <= at]
    for name, column in (("tickets", "resolved_on"), ("failed_payments", "recovered_on")):
        known[name][column] = known[name][column].where(known[name][column] < at)
    return known


@pytest.mark.parametrize("asof", [MONDAY, WEDNESDAY])
def test_the_future_dropped_changes_no_byte(company, connection, asof):
    same(build(connection, asof), build(connect(known_on(company.tables, asof)), asof))


@pytest.mark.parametrize("asof", [MONDAY, WEDNESDAY])
def test_the_future_shuffled_changes_no_byte(company, connection, asof):
    tables = {name: company.tables[name] for name in READ}
    other = shuffle_future(tables, asof, times=TIMES, rng=np.random.default_rng(3))
    same(build(connection, asof), build(connect(other), asof))
    assert any(not other[name].equals(tables[name]) for name in TIMES)


def test_a_feature_that_looks_ahead_is_caught(company):
    def ahead(tables, at):
        return build(connect(tables), at + pd.Timedelta(days=7))[["logins_7d"]]

    tables = {name: company.tables[name] for name in READ}
    found = leaking_columns(ahead, tables, MONDAY, times=TIMES, rng=np.random.default_rng(0))
    assert "logins_7d" in found


def test_two_threads_and_shuffled_rows_change_no_byte(company, connection):
    rng = np.random.default_rng(5)
    shuffled = {name: company.tables[name].sample(frac=1, random_state=rng) for name in READ}
    for date in (MONDAY, WEDNESDAY):
        expected = build(connection, date)
        same(expected, build(connect(company.tables, threads=2), date))
        same(expected, build(connect(shuffled, threads=2), date))


def test_today_lists_exactly_those_the_truth_knows(company, connection):
    features = build(connection, "2026-01-01")
    np.testing.assert_array_equal(features.index, company.truth.subscriber_id)
    np.testing.assert_array_equal(features["price"], company.truth.people.price)


def brute(tables, asof):
    """Fifteen features in plain pandas and Python, one subscriber at a time."""
    at, day = pd.Timestamp(asof), pd.Timedelta(days=1)
    left = tables["cancellations"].set_index("subscriber_id")["cancelled_on"]
    customers = tables["customers"].set_index("subscriber_id")
    here = [
        one
        for one, signed in customers["signed_up_on"].items()
        if signed < at and not (one in left.index and left[one] <= at)
    ]
    groups = {name: dict(list(tables[name].groupby("subscriber_id"))) for name in READ[2:]}
    empty = {name: tables[name].iloc[:0] for name in READ[2:]}
    rows = {}
    for one in here:
        mine = {name: groups[name].get(one, empty[name]) for name in groups}
        week = mine["usage_weekly"][mine["usage_weekly"]["week"] + 7 * day <= at]
        by_age = np.zeros(60)
        for start, logins in zip(week["week"], week["logins"], strict=True):
            age = (at - start).days // 7
            if age < 60:
                by_age[age] += logins
        tickets = mine["tickets"][mine["tickets"]["opened_on"] < at]
        recent = tickets[tickets["opened_on"] >= at - 90 * day]
        half_year = tickets[tickets["opened_on"] >= at - 180 * day]
        resolved = half_year[half_year["resolved_on"] < at]
        took = (resolved["resolved_on"] - resolved["opened_on"]).dt.days
        failed = mine["failed_payments"][mine["failed_payments"]["failed_on"] < at]
        mails = mine["emails"][(mine["emails"]["sent_on"] < at) & (mine["emails"]["sent_on"] >= at - 90 * day)]
        asked = mine["surveys"][(mine["surveys"]["sent_on"] < at) & (mine["surveys"]["sent_on"] >= at - 180 * day)]
        tenure = (at - customers["signed_up_on"][one]).days
        colleagues = (
            [other for other in here if other != one and customers["account_id"][other] == customers["account_id"][one]]
            if one % 20 == 0
            else None
        )
        line = np.polyfit(np.arange(12), by_age[12:0:-1], 1)[0]
        rows[one] = {
            "tenure_days": tenure,
            "logins_7d": by_age[1],
            "logins_28d": by_age[1:5].sum(),
            "logins_90d": by_age[1:14].sum(),
            "logins_180d": by_age[1:27].sum(),
            "usage_slope": line if tenure >= 84 else np.nan,
            "usage_vs_84d_ago": (by_age[1:5].sum() + 1) / (by_age[13:17].sum() + 1) if tenure >= 112 else np.nan,
            "logins_drop": 1 - (by_age[1:5].sum() + 1) / (by_age[5:9].sum() + 1) if tenure >= 56 else np.nan,
            "worst_severity_90d": recent["severity"].max() if len(recent) else np.nan,
            "sentiment_90d": recent["sentiment"].mean(),
            "days_to_resolve_180d": took.mean(),
            "open_tickets": (~(tickets["resolved_on"] < at)).sum(),
            "failed_payments_180d": (failed["failed_on"] >= at - 180 * day).sum(),
            "failed_open": (~(failed["recovered_on"] < at)).sum(),
            "last_nps": asked.sort_values("sent_on")["score"].iloc[-1] if len(asked) else np.nan,
            "opened_90d": mails["opened"].astype(float).mean(),
            "colleagues": np.nan if colleagues is None else len(colleagues),
        }
    return pd.DataFrame.from_dict(rows, orient="index").astype(float)


@pytest.mark.parametrize("asof", [MONDAY, WEDNESDAY])
def test_sql_agrees_with_pandas_one_subscriber_at_a_time(company, connection, asof):
    ids = company.tables["customers"]["subscriber_id"].to_numpy()
    accounts = company.tables["customers"].set_index("subscriber_id")["account_id"]
    some = accounts.index[accounts % 9 == 0]  # whole companies
    few = {name: table[table["subscriber_id"].isin(some)] for name, table in company.tables.items() if name in READ}
    expected, got = brute(few, asof), build(connect(few), asof)
    assert len(expected) > 300 and len(ids) > len(some)
    np.testing.assert_array_equal(got.index, expected.index)
    counted = expected["colleagues"].notna()
    assert counted.sum() > 10
    np.testing.assert_array_equal(got.loc[counted, "colleagues"], expected.loc[counted, "colleagues"])
    for column in expected.columns.drop("colleagues"):
        slack = 1e-9 if column in ("usage_slope", "sentiment_90d", "opened_90d") else ROUNDING
        np.testing.assert_allclose(got[column], expected[column], rtol=slack, atol=slack, err_msg=column)


def test_the_next_bill_is_the_first_one_after_the_date(company, connection):
    at = pd.Timestamp(WEDNESDAY)
    customers = company.tables["customers"].set_index("subscriber_id").loc[build(connection, at).index]
    waits = []
    for signed, term in zip(customers["signed_up_on"], customers["term"], strict=True):
        step, bill = pd.DateOffset(months=12 if term == "annual" else 1), 0
        while signed + bill * step <= at:
            bill += 1
        waits.append((signed + bill * step - at).days)
    np.testing.assert_array_equal(build(connection, at)["days_to_renewal"], waits)


def tiny(**more):
    """One company of two, one of them new; other tables are empty unless given."""
    customers = pd.DataFrame(
        {
            "subscriber_id": [1, 2],
            "account_id": [5, 5],
            "signed_up_on": pd.to_datetime(["2024-03-10", "2025-05-30"]),
            "plan": ["team", "starter"],
            "price": [180.0, 90.0],
            "term": ["annual", "monthly"],
            "bill_day": [10, 30],
            "employees": [40, 40],
            "industry": ["health", "health"],
            "role": ["admin", "user"],
        }
    )
    usage = {"week": pd.to_datetime(["2025-05-12", "2025-05-19", "2025-05-26"])}
    usage["last_login_on"] = usage["week"] + pd.Timedelta(days=2)
    usage |= {"subscriber_id": [1, 1, 1], "logins": [3, 4, 5], "pages": [9, 9, 9]}
    usage |= {"features_used": [2, 6, 3], "pricing_views": [0, 1, 0]}
    dates = pd.to_datetime([])
    empty = {
        "cancellations": {"cancelled_on": dates, "reason": []},
        "tickets": {"opened_on": dates, "topic": [], "severity": [], "resolved_on": dates, "sentiment": []},
        "plan_changes": {"changed_on": dates, "kind": []},
        "failed_payments": {"failed_on": dates, "recovered_on": dates},
        "surveys": {"sent_on": dates, "score": []},
        "emails": {"sent_on": dates, "opened": []},
        "calls": {"called_on": dates, "listed_by": [], "reached": []},
    }
    tables = {name: pd.DataFrame({"subscriber_id": []} | columns) for name, columns in empty.items()}
    return {"customers": customers, "usage_weekly": pd.DataFrame(usage)} | tables | more


def test_three_weeks_by_hand():
    one = build(connect(tiny()), "2025-06-01").loc[1]  # a Sunday: the week of 26 May is not over
    assert one[["logins_7d", "logins_28d", "features_used_28d", "pricing_views_28d"]].tolist() == [4, 7, 6, 1]
    assert one["days_since_last_login"] == 11
    assert one["days_to_renewal"] == 282  # 10 March 2026
    assert build(connect(tiny()), "2025-06-02").loc[1, "logins_28d"] == 12


def test_a_fresh_signup_without_usage_has_no_counts_and_no_trend():
    fresh = build(connect(tiny()), "2025-06-01").loc[2]
    assert fresh[["tenure_days", "logins_28d", "tickets_30d", "colleagues"]].tolist() == [2, 0, 0, 1]
    assert fresh["colleagues_logins_28d"] == 7
    unknown = ["usage_slope", "usage_vs_84d_ago", "logins_drop", "days_since_last_login", "usage_vs_own_year"]
    unknown += ["worst_severity_90d", "days_to_resolve_180d", "sentiment_90d", "last_nps", "nps_missing", "opened_90d"]
    assert fresh[unknown].isna().all()


@pytest.mark.parametrize(("left", "listed"), [("2025-05-31", [2]), ("2025-06-01", [2]), ("2025-06-02", [1, 2])])
def test_who_left_the_day_before_or_on_the_day_is_absent(left, listed):
    gone = pd.DataFrame({"subscriber_id": [1], "cancelled_on": pd.to_datetime([left]), "reason": ["cancelled"]})
    connection = connect(tiny(cancellations=gone))
    assert build(connection, "2025-06-01").index.tolist() == listed
    assert label(connection, "2025-06-01").reindex([1]).tolist() == (
        [1.0] if 1 in listed else [pytest.approx(np.nan, nan_ok=True)]
    )


def test_who_signs_up_on_the_day_is_not_scored():
    assert build(connect(tiny()), "2025-05-30").index.tolist() == [1]


@pytest.mark.parametrize(("scores", "last", "missing"), [([9, np.nan], np.nan, 1), ([np.nan, 4], 4, 0), ([9, 6], 6, 0)])
def test_an_unanswered_question_stays_missing_and_says_so(scores, last, missing):
    asked = {"subscriber_id": [1, 1], "sent_on": pd.to_datetime(["2025-02-15", "2025-05-15"]), "score": scores}
    one = build(connect(tiny(surveys=pd.DataFrame(asked))), "2025-06-01").loc[1]
    np.testing.assert_array_equal(one[["last_nps", "nps_missing"]], [last, missing])


def test_hidden_opens_stay_missing_and_say_so():
    mails = {"subscriber_id": [1, 2], "sent_on": pd.to_datetime(["2025-05-10", "2025-05-31"]), "opened": [np.nan, 1.0]}
    features = build(connect(tiny(emails=pd.DataFrame(mails))), "2025-06-01")
    np.testing.assert_array_equal(features["opened_90d"], [np.nan, 1.0])
    np.testing.assert_array_equal(features["opens_unknown"], [1, 0])


def test_labels_agree_with_the_shared_room(company, connection):
    for asof in (MONDAY, WEDNESDAY):
        got = label(connection, asof)
        cases = pd.DataFrame({"subscriber_id": got.index, "at": pd.Timestamp(asof)})
        names = {"key": "subscriber_id", "at": "at", "happened": "cancelled_on"}
        leavers = company.tables["cancellations"]
        expected = outcome(cases, leavers, **names, horizon_days=30, observed_until="2025-12-31")
        np.testing.assert_array_equal(got, expected.astype(float))
        assert 0.01 < got.mean() < 0.08


@pytest.mark.parametrize(("asof", "known"), [("2025-12-01", True), ("2025-12-02", False), ("2026-01-01", False)])
def test_a_label_waits_for_its_window(connection, asof, known):
    assert label(connection, asof).notna().all() == known
    assert label(connection, asof).isna().all() != known


def test_cohorts_stack_and_say_which_leavers_a_card_ended(company, connection):
    frame = cohorts(connection, [MONDAY, "2026-01-01"])
    assert frame.columns.tolist() == ["asof", "subscriber_id", "account_id", *COLUMNS, "y", "by_card"]
    closed = frame[frame["asof"] == MONDAY].set_index("subscriber_id")
    same(closed[list(COLUMNS)], build(connection, MONDAY))
    cards = company.tables["cancellations"].query("reason == 'payment_failed'")["subscriber_id"]
    assert closed.index[closed["by_card"] == 1].isin(cards).all() and closed["by_card"].sum() > 0
    assert (closed["y"] >= closed["by_card"]).all()
    assert frame.loc[frame["asof"] == pd.Timestamp(TODAY), ["y", "by_card"]].isna().all(axis=None)


def test_categories_cover_every_column_once():
    assert len(set(COLUMNS)) == len(COLUMNS) == 48
    assert len(set(TOP30)) == 30 and set(TOP30) < set(COLUMNS)
    assert set(ONE_HOT) < set(CATEGORIES["static"])


def test_features_are_floats_of_subscribers_in_order(connection):
    features = build(connection, MONDAY)
    assert (
        all(np.issubdtype(kind, np.floating) for kind in features.dtypes)
        and features.index.is_monotonic_increasing
        and features.index.is_unique
    )
    assert features.drop(columns=["usage_slope", "logins_drop", "sentiment_90d"]).min().min() >= 0


def test_the_fast_snapshot_means_the_same_by_the_same_names(connection):
    snapshot = draw_snapshot(World(), 4_000, np.random.default_rng(1)).features
    features = build(connection, "2025-12-01")
    for column in (
        "logins_28d",
        "logins_7d",
        "usage_vs_84d_ago",
        "tenure_days",
        "price",
        "tickets_30d",
        "how_to_tickets_180d",
    ):
        assert 0.6 < features[column].mean() / snapshot[column].mean() < 1.6, column


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_goes_to_a_warehouse(name):
    sqlglot = pytest.importorskip("sqlglot")
    text = sqlglot.transpile(QUERIES[name], read="duckdb", write="bigquery")[0]
    assert "date_diff('day'" not in text and "$" not in text and "//" not in text


def test_the_whole_query_is_one_statement(company):
    with duckdb.connect() as bare:
        for name in READ:
            bare.register(name, company.tables[name])
        frame = bare.execute(
            feature_query(("price", "logins_28d")), {"asof": pd.Timestamp(MONDAY).to_pydatetime()}
        ).df()
    assert frame.columns.tolist() == ["subscriber_id", "account_id", "price", "logins_28d"]


@pytest.mark.parametrize(
    ("work", "text"),
    [
        (
            lambda it: build(it, "soon"),
            "asof must be a date, got 'soon'; write it as '2025-06-01'.",
        ),
        (
            lambda it: build(it, "2001-01-01"),
            "asof must be a date on which somebody is subscribed, got 2001-01-01; pick a date inside the tables.",
        ),
        (
            lambda it: label(it, MONDAY, 0),
            "horizon_days must be 1 or more, got 0; give the length of the window in days.",
        ),
        (
            lambda it: label(it, MONDAY, today="2026-01-01 08:00"),
            "today must be a date, got '2026-01-01 08:00'; write it as '2025-06-01'.",
        ),
        (
            lambda it: cohorts(it, []),
            "dates must be at least one date, got none; pass a list such as ['2025-06-01'].",
        ),
        (
            lambda it: connect({"customers": tiny()["customers"]}),
            "tables must be a mapping with a table 'cancellations', got 'customers'; add 'cancellations'.",
        ),
        (
            lambda it: connect(tiny(usage_weekly=tiny()["usage_weekly"].rename(columns={"logins": "Logins"}))),
            "table 'usage_weekly' must be a table with a column 'logins', got 'week', 'last_login_on', "
            "'subscriber_id', 'Logins', 'pages', 'features_used', 'pricing_views'; rename 'Logins' to 'logins'.",
        ),
    ],
)
def test_refusals(connection, work, text):
    with pytest.raises(ContractError) as error:
        work(connection)
    assert str(error.value) == text
