"""The snapshot against the warehouse: the same law in means, of features and of what a call is worth."""

import numpy as np
import pandas as pd
import pytest

from casebook.churn.evaluate import worth
from casebook.churn.features import build, connect
from casebook.churn.simulate import simulate
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.warehouse import season
from casebook.churn.world import World

ASOF = np.datetime64("2024-07-01")  # half a year of events, and eighteen months of selection against twelve
SELECTION = 0.10  # six more months of selection
ERRORS = 5.0  # standard errors, for 12 features
QUIET = World(capacity=0.0, pilot_months=0)  # a snapshot's subscribers have not been called
SHARED = (
    *("logins_7d", "logins_28d", "logins_84d_ago", "usage_vs_84d_ago", "pricing_views_28d", "tenure_days", "price"),
    *("is_annual", "employees", "tickets_30d", "how_to_tickets_180d", "billing_tickets_30d", "downgrades_90d"),
)


@pytest.fixture(scope="module")
def company():
    return simulate(QUIET, 10_000, np.random.default_rng(1))


@pytest.fixture(scope="module")
def snapshot():
    return draw_snapshot(QUIET, 20_000, np.random.default_rng(2))


@pytest.fixture(scope="module")
def warehouse(company):
    return build(connect(company.tables), pd.Timestamp(ASOF))


def season_of(column):
    ago = {"logins_7d": 7, "logins_28d": 17, "logins_84d_ago": 101}.get(column)
    return 1.0 if ago is None else float(np.exp(season(ASOF - np.timedelta64(ago, "D"))))


@pytest.mark.parametrize("column", SHARED)
def test_the_means_of_shared_features_agree(snapshot, warehouse, column):
    here, there = snapshot.features[column].dropna(), warehouse[column].dropna() / season_of(column)
    error = np.sqrt(here.var() / len(here) + there.var() / len(there))
    assert here.mean() == pytest.approx(there.mean(), abs=SELECTION * there.mean() + ERRORS * error)


@pytest.mark.parametrize("column", ["logins_28d", "tickets_30d", "how_to_tickets_180d", "price"])
def test_the_spread_of_shared_features_agrees(snapshot, warehouse, column):
    here, there = snapshot.features[column], warehouse[column] / season_of(column)
    # usage is heavy-tailed: its standard deviation over 10,000 rows moves by some 5 percent
    assert here.std() == pytest.approx(there.std(), rel=0.15)


def test_a_feature_tells_as_much_of_the_other_features(snapshot, warehouse):
    pairs = (("logins_28d", "logins_7d"), ("logins_28d", "logins_84d_ago"), ("tickets_30d", "how_to_tickets_180d"))
    for one, other in pairs:
        here = snapshot.features[[one, other]].corr("spearman").iloc[0, 1]
        there = warehouse[[one, other]].corr("spearman").iloc[0, 1]
        assert here == pytest.approx(there, abs=0.08), one


def test_risk_and_effect_have_the_same_mean(company, snapshot):
    told = worth(QUIET, company.truth)
    for name in ("p", "uplift", "value"):
        here, there = getattr(snapshot.worth, name), getattr(told, name)
        error = np.sqrt(here.var() / len(here) + there.var() / len(there))
        # the company has been selected for 36 months, the snapshot for 12
        assert here.mean() == pytest.approx(there.mean(), abs=2 * SELECTION * abs(there.mean()) + ERRORS * error), name


def test_nobody_in_a_snapshot_has_been_called_or_has_left(snapshot):
    assert (snapshot.truth.carry == 0).all()
    assert len(snapshot) == len(snapshot.truth.people) == len(snapshot.worth.p)
    assert len(snapshot) == pytest.approx(20_000, rel=0.1)


def test_who_is_not_due_cannot_leave_and_the_feature_says_so(snapshot):
    wait = snapshot.features["days_to_renewal"].to_numpy()
    assert (wait[snapshot.features["is_annual"] == 0] < 31).all()
    late = wait > 60
    np.testing.assert_array_equal(snapshot.worth.p[late], 0.0)
    annual_due = (wait < 28) & (snapshot.features["is_annual"] == 1).to_numpy()
    assert (snapshot.worth.p[annual_due] > 0).any()


def test_the_same_seed_gives_the_same_snapshot():
    first, again, other = (draw_snapshot(World(), 500, np.random.default_rng(seed)) for seed in (3, 3, 4))
    pd.testing.assert_frame_equal(first.features, again.features)
    np.testing.assert_array_equal(first.worth.gain, again.worth.gain)
    assert not first.features.equals(other.features)


def test_a_shorter_look_ahead_leaves_the_first_month_as_it_is():
    short, long = (draw_snapshot(World(), 500, np.random.default_rng(5), months=months) for months in (1, 36))
    assert short.truth.months.p.shape[1] == 1
    np.testing.assert_array_equal(short.worth.p, long.worth.p)
    assert (short.worth.value <= long.worth.value).all()
