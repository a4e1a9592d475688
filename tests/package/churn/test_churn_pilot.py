"""The pilot as a table: who is in it, what was known, what came of it, and what the truth says; its figures draw."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from casebook import style
from casebook.churn import figures_uplift, pilot
from casebook.churn.evaluate import Worth, call_top
from casebook.churn.features import COLUMNS, build, connect
from casebook.churn.simulate import simulate
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.world import World
from casebook.contracts import ContractError
from casebook.worlds import Dial

ROUNDING = 1e-9
SINGLE = 1e-6  # the play keeps hazards in single precision
WORLD = World(effect=0.45, dogs=0.0)  # strong, so that its direction shows in a small pilot


@pytest.fixture(scope="module")
def company():
    return simulate(WORLD, 3_000, np.random.default_rng(1))


@pytest.fixture(scope="module")
def warehouse(company):
    return connect(company.tables)


@pytest.fixture(scope="module")
def frame(company, warehouse):
    return pilot.pilot_frame(company.tables, warehouse)


def test_everybody_who_was_randomised_is_there_once(company, frame):
    table = company.tables["pilot"]
    assert len(frame) == len(table) and frame["subscriber_id"].is_unique
    arms = table.set_index("subscriber_id")["arm"].reindex(frame["subscriber_id"])
    assert (frame["treated"].to_numpy() == (arms == "call").to_numpy()).all()
    assert frame.groupby("account_id")["treated"].nunique().max() == 1
    assert frame[["treated", "reached", "stayed"]].dtypes.eq(bool).all()


def test_features_are_those_of_the_day_of_enrolment(frame, warehouse):
    for date, rows in frame.groupby("enrolled_on"):
        known = build(warehouse, date).loc[rows["subscriber_id"]]
        pd.testing.assert_frame_equal(
            rows[list(COLUMNS)].reset_index(drop=True), known.reset_index(drop=True), check_dtype=True
        )


def test_no_call_of_the_pilot_is_among_its_own_features(company, frame, warehouse):
    asof = frame["enrolled_on"].min()
    without = dict(company.tables)
    without["calls"] = company.tables["calls"].query("listed_by != 'pilot'")
    first = frame[frame["enrolled_on"] == asof]
    unseen = build(connect(without), asof).loc[first["subscriber_id"]]
    np.testing.assert_array_equal(first[["calls_90d", "reached_90d"]], unseen[["calls_90d", "reached_90d"]])


def test_only_the_called_are_reached_and_about_as_many_as_the_world_says(frame):
    assert not frame.loc[~frame["treated"], "reached"].any()
    rate = frame.loc[frame["treated"], "reached"].mean()
    assert abs(rate - WORLD.reach) < 4 * np.sqrt(0.25 / frame["treated"].sum())


def test_a_call_off_the_list_does_not_count_as_the_pilots(company, warehouse, frame):
    tables = dict(company.tables)
    control = frame.loc[~frame["treated"]].iloc[0]
    stray = {
        "subscriber_id": control["subscriber_id"],
        "called_on": control["enrolled_on"] + pd.Timedelta(days=1),
        "listed_by": "off_list",
        "reached": True,
    }
    tables["calls"] = pd.concat([tables["calls"], pd.DataFrame([stray])], ignore_index=True)
    again = pilot.pilot_frame(tables, warehouse)
    assert not again.loc[~again["treated"], "reached"].any()


def test_who_left_in_the_month_of_enrolment_did_not_stay(company, frame):
    gone = company.tables["cancellations"].set_index("subscriber_id")["cancelled_on"]
    left_on = frame["subscriber_id"].map(gone)
    same_month = left_on.dt.to_period("M") == frame["enrolled_on"].dt.to_period("M")
    assert (frame["stayed"] == ~same_month).all()
    assert 0 < (~frame["stayed"]).mean() < 0.2


def test_the_truth_is_within_reach_of_the_randomised_difference(company, frame):
    true = pilot.pilot_truth(company, frame)
    arms = [frame.loc[frame["treated"] == arm, "stayed"] for arm in (True, False)]
    gap = arms[0].mean() - arms[1].mean()
    error = np.sqrt(sum(arm.var() / len(arm) for arm in arms))
    assert abs(gap - true.mean()) < 4 * error
    assert true.min() > -WORLD.fatigue and true.mean() > 0


def test_the_truth_is_that_of_the_month_of_enrolment(company, frame):
    """Who has no bill in that month cannot leave in it, so a call changes nothing; whoever has one, it changes."""
    true = pilot.pilot_truth(company, frame)
    waits = (frame["is_annual"] == 1) & (frame["days_to_renewal"] > 31)
    assert waits.any() and np.abs(true[waits]).max() < SINGLE
    assert (np.abs(true[frame["is_annual"] == 0]) > SINGLE).mean() > 0.9


def test_without_an_effect_there_is_no_uplift():
    none = simulate(World(effect=0.0, dogs=0.0, fatigue=0.0), 400, np.random.default_rng(3))
    rows = pilot.pilot_frame(none.tables, connect(none.tables))
    assert np.abs(pilot.pilot_truth(none, rows)).max() < SINGLE


def test_an_empty_pilot_is_refused(company, warehouse):
    empty = company.tables | {"pilot": company.tables["pilot"].iloc[:0]}
    with pytest.raises(ContractError) as error:
        pilot.pilot_frame(empty, warehouse)
    assert str(error.value) == (
        "table 'pilot' must be a table with at least one row, got no rows; check the filter or the join that made it."
    )


def test_a_pilot_without_arms_is_refused(company, warehouse):
    without = company.tables | {"pilot": company.tables["pilot"].drop(columns="arm")}
    with pytest.raises(ContractError, match="arm"):
        pilot.pilot_frame(without, warehouse)


def test_a_pilot_stopped_early_is_its_first_months(frame):
    two = pilot.first_months(frame, 2)
    dates = sorted(frame["enrolled_on"].unique())
    assert sorted(two["enrolled_on"].unique()) == dates[:2]
    assert len(two) == frame["enrolled_on"].isin(dates[:2]).sum()
    assert len(pilot.first_months(frame, len(dates))) == len(frame)


def test_a_pilot_cannot_be_stopped_before_it_began_or_after_it_ended(frame):
    for months in (0, 6):
        with pytest.raises(ContractError) as error:
            pilot.first_months(frame, months)
        assert str(error.value) == (
            f"months must be between 1 and 5, the months of the pilot, got {months}; take fewer months."
        )


def test_months_stayed_counts_the_months_that_were_paid(company):
    asof = "2025-01-01"
    ids = build(connect(company.tables), asof).index
    paid = pilot.months_stayed(company.tables, ids, asof)
    gone = company.tables["cancellations"].set_index("subscriber_id")["cancelled_on"].reindex(ids)
    for months in (1, 6, 12):
        end = pd.Timestamp(asof) + pd.DateOffset(months=months)
        assert ((paid >= months) == ~(gone < end)).all()


def test_the_oracles_score_captures_everything_and_risk_its_own_share():
    day = draw_snapshot(World(), 8_000, np.random.default_rng(4))
    calls = 300
    scores = {"best": day.worth.gain, "risk": day.worth.p, "uplift": day.worth.uplift, "worst": -day.worth.gain}
    table = pilot.scores_against_truth(scores, day.worth, calls)
    assert table.loc["best", "captured"] == pytest.approx(1.0, abs=ROUNDING)
    assert table.loc["uplift", "correlation"] == pytest.approx(1.0, abs=ROUNDING)
    assert table.loc["worst", "captured"] < 0 < table.loc["risk", "captured"] < 1
    act = call_top(day.worth.p, calls)
    assert table.loc["risk", "earned"] == pytest.approx(day.worth.gain[act].sum())
    assert table.loc["risk", "saved"] == pytest.approx(day.worth.uplift[act].sum())


def test_a_score_of_another_length_is_refused():
    flat = np.ones(3)
    with pytest.raises(ContractError, match="score 'short'"):
        pilot.scores_against_truth({"short": np.ones(2)}, Worth(flat, flat, flat, flat, flat), 1)


def test_cutting_shares_off_changes_those_below_and_no_other():
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(50, len(pilot.SHARES))), columns=list(pilot.SHARES)).assign(won=True)
    cut = pilot.floored(frame)
    shares = list(pilot.SHARES)
    assert (cut[shares] >= -1).all(axis=None) and cut["won"].all()
    kept = (frame[shares] >= -1).to_numpy()
    assert (cut[shares].to_numpy() == frame[shares].to_numpy())[kept].all()
    np.testing.assert_allclose(cut["gain_of_uplift"], cut["uplift"] - cut["risk"], atol=ROUNDING)
    np.testing.assert_allclose(cut["gain_of_worth"], cut["uplift_value"] - cut["risk_value"], atol=ROUNDING)
    assert pilot.floored(frame, least=-100.0)[shares].equals(frame[shares])


DIALS = (
    Dial("plain", -2.0, 4.0, "1", "assumed", "m"),
    Dial("steep", 0.1, 10.0, "1", "assumed", "m", scale="log"),
)


def drawn(n, rng):
    plain, steep = rng.uniform(-2, 4, n), np.exp(rng.uniform(np.log(0.1), np.log(10), n))
    gain = 0.6 * (plain + 2) / 6 - 0.2 * np.log(steep / 0.1) / np.log(100) + 0.1 * rng.normal(size=n)
    return pd.DataFrame({"plain": plain, "steep": steep, "gain": gain})


def test_what_moves_is_a_regression_on_the_dials_own_scales():
    frame = drawn(80, np.random.default_rng(6))
    moves = pilot.what_moves(frame, DIALS, "gain")
    places = pd.DataFrame({"plain": (frame["plain"] + 2) / 6, "steep": np.log(frame["steep"] / 0.1) / np.log(100)})
    twin = sm.OLS(frame["gain"], sm.add_constant(places)).fit()
    np.testing.assert_allclose(moves["moves"], twin.params[moves.index], atol=ROUNDING)
    np.testing.assert_allclose(moves[["low", "high"]], twin.conf_int().loc[moves.index], atol=ROUNDING)
    assert moves.index.tolist() == ["steep", "plain"]


def test_what_moves_needs_more_worlds_than_dials():
    with pytest.raises(ContractError) as error:
        pilot.what_moves(drawn(3, np.random.default_rng(8)), DIALS, "gain")
    assert str(error.value) == "frame must be more than 3 worlds, got 3; play more worlds or name fewer dials."


@pytest.fixture
def look():
    style.use()
    yield
    plt.close("all")


def cells():
    grid = [(x, y, 0.1 * x - y, 3) for x in (1.0, 2.0) for y in (0.1, 0.2)]
    frame = pd.DataFrame(grid, columns=["months", "dogs", "mean", "n"])
    return frame.assign(n=[3, 0, 3, 3], mean=frame["mean"].where(frame.index != 1))


def words():
    return [text.get_text() for ax in plt.gcf().axes for text in ax.texts]


def test_a_flip_map_writes_gain_and_count_into_each_cell(look):
    figures_uplift.flip_heat(cells(), ("months", "months"), ("dogs", "dogs"), "It turns", "points")
    assert words() == ["+0\nn=3", "+10\nn=3", "none\nn=0", "+0\nn=3"]


def test_two_flip_maps_share_one_finding(look):
    pair = [(cells(), ("dogs", "dogs")), (cells(), ("dogs", "again"))]
    figures_uplift.flip_pair(pair, ("months", "months"), "It turns", "points")
    assert len(plt.gcf().axes) == 2 and plt.gcf().texts[0].get_text() == "It turns"


def test_dials_are_named_in_their_order(look):
    moves = pilot.what_moves(drawn(80, np.random.default_rng(6)), DIALS, "gain")
    figures_uplift.dial_dots(moves, "plain first", "points")
    assert [label.get_text() for label in plt.gca().get_yticklabels()] == ["steep", "plain"]


def test_the_title_of_the_promise_is_computed(look):
    tenths = pd.DataFrame({"promised": [0.1, -0.1], "true": [0.02, 0.01]}, index=[1, 2])
    figures_uplift.promise_lines(tenths)
    assert "5 times" in plt.gcf().texts[0].get_text()


def test_uplift_curves_and_the_reading_of_a_test_draw(look):
    curve = pd.DataFrame({"share": [0.0, 0.5, 1.0], "gain": [0.0, 0.01, 0.012]})
    figures_uplift.uplift_curves({"risk": curve, "T": curve}, 1_234)
    assert "1,234" in plt.gcf().texts[1].get_text()
    read = pd.DataFrame({"horizon": [30, 90], "estimate": [0.01, 0.02], "low": [0.0, 0.01], "high": [0.02, 0.03]})
    figures_uplift.effect_by_day(read, {30: 0.01, 90: 0.01})
    assert len(plt.gca().get_lines()) >= 2


def test_lists_are_drawn_in_the_tables_order(look):
    table = pd.DataFrame({"captured": [0.1, 0.3], "low": [-0.5, 0.0], "high": [0.4, 0.6]}, index=["risk", "uplift"])
    figures_uplift.list_dots(table, "uplift captures most", "worlds")
    assert [label.get_text() for label in plt.gca().get_yticklabels()] == ["risk", "uplift"]


def test_months_as_played_are_those_whose_calls_were_made_and_never_more_than_planned():
    drawn = pd.DataFrame(
        {"pilot_months": [6.0, 6.0, 0.0], "capacity": [0.04, 0.02, 0.04], "pilot_rows": [40_000.0, 24_000.0, 0.0]}
    )
    assert pilot.played_months(drawn)["pilot_months"].tolist() == pytest.approx([5.0, 6.0, 0.0])


def test_months_as_played_need_the_rows_of_the_pilot():
    with pytest.raises(ContractError, match="pilot_rows"):
        pilot.played_months(pd.DataFrame({"pilot_months": [1.0], "capacity": [0.04]}))
