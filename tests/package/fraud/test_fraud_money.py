"""The money table adds up, by a second way of counting, and its policies are paired."""

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.fraud.branch import play_until
from casebook.fraud.money import FRICTION, bill, frontier, play_policies
from casebook.fraud.policies import by_model
from casebook.fraud.rules import Rules
from casebook.fraud.simulate import simulate
from casebook.fraud.tiers import SOURCE, Tiers
from casebook.fraud.world import ACTIONS, CHANNELS, World

WORLD = World(prevalence=0.02)
CARDS, DAYS, START = 400, 18, 12


class Amount:
    """A model that knows large amounts alone."""

    def predict(self, features):
        return np.minimum(features["amount_cents"].to_numpy() / 60_000, 1)


@pytest.fixture(scope="module")
def past():
    return play_until(WORLD, CARDS, DAYS, np.random.default_rng(0), day=START)


@pytest.fixture(scope="module")
def ledger(past):
    return play_policies(past, {"source": by_model(Amount(), SOURCE)}, {"rules": Rules()})


def test_the_table_adds_up(ledger):
    table = ledger.table
    assert table.index.tolist() == ["nothing", "rules", "source", "oracle"]
    np.testing.assert_allclose(table["net"], table["loss"] + table["friction"])
    np.testing.assert_allclose(table["friction"], table[list(FRICTION)].sum(axis=1))
    np.testing.assert_allclose(table["net"] * ledger.events / 1e6, ledger.daily.sum())
    asked = table["friction"] > 0
    np.testing.assert_allclose(table["ratio"][asked], (table["blocked_dollars"] / table["friction"])[asked])
    assert np.isnan(table.loc["nothing", "ratio"])
    room = table.loc["nothing", "net"] - table.loc["oracle", "net"]
    np.testing.assert_allclose(table["captured"], (table.loc["nothing", "net"] - table["net"]) / room, atol=1e-12)


def test_nothing_and_the_oracle_are_the_two_ends(ledger):
    table = ledger.table
    assert table.loc["nothing", ["friction", "fpr", "pushes", "complaints", "captured"]].abs().sum() == 0
    assert table.loc["oracle", ["loss", "push", "call", "block", "stopped_holders", "passed"]].abs().sum() == 0
    assert table.loc["nothing", "passed"] == table.loc["nothing", "attempts"] > 50
    assert ledger.daily.index.tolist() == list(range(START, DAYS))


def test_counts_are_those_of_the_log(past, ledger):
    """An independent count, event by event in plain Python, of the branch played once more."""
    run = past.go_on(past.featured(by_model(Amount(), SOURCE)))
    events, decided, truth = run.tables["events"], run.tables["decisions"], run.truth.events
    pushes = calls = complaints = stops = alarms = honest = 0
    blocked = 0.0
    for i in range(len(past.tables["events"]), len(events)):
        action, outcome = ACTIONS[decided["action"].iloc[i]], decided["outcome"].iloc[i]
        fraud = bool(truth["fraud"].iloc[i])
        honest += not fraud
        if outcome != "passed" and fraud:
            blocked += events["amount_cents"].iloc[i] / 100
        if outcome == "stopped":
            continue
        pushes, calls = pushes + (action == "push"), calls + (action == "call")
        alarms += not fraud and action != "allow"
        complaints += not fraud and action == "block"
        stops += not fraud and outcome == "declined"
    row, days = ledger.table.loc["source"], DAYS - START
    found = row[["pushes", "calls", "complaints", "stopped_holders"]] * days
    assert found.round(6).tolist() == [pushes, calls, complaints, stops]
    assert row["fpr"] == pytest.approx(alarms / honest)
    assert row["blocked_dollars"] * ledger.events / 1e6 == pytest.approx(blocked)
    assert ledger.events == honest


def test_the_loss_of_nothing_is_that_of_all_attempts(past, ledger):
    truth = past.go_on(None).truth.events.iloc[len(past.tables["events"]) :]
    lost = truth.loc[truth["fraud"], "loss_dollars"].sum()
    assert ledger.table.loc["nothing", "loss"] * ledger.events / 1e6 == pytest.approx(lost)


def test_friction_of_stopped_cards_is_the_margin_of_honest_sales(past):
    run = past.go_on(past.featured(by_model(Amount(), Tiers(block=0.5))))
    rows = slice(len(past.tables["events"]), None)
    events = run.tables["events"].iloc[rows]
    honest = ~run.truth.events["fraud"].iloc[rows].to_numpy()
    stopped = (run.tables["decisions"]["outcome"].iloc[rows] == "stopped").to_numpy()
    sale = (events["channel"].cat.codes != CHANNELS.index("app")).to_numpy()
    lost = events["amount_cents"].to_numpy()[honest & stopped & sale].sum() / 100 * WORLD.costs.margin
    assert bill(run, START)["stopped"] == pytest.approx(lost) and lost > 0


def test_a_policy_costs_what_it_costs_in_a_whole_run(past):
    """Rules that were in force from the first day: the last days of a whole run are those of a branch."""
    whole = simulate(WORLD, CARDS, DAYS, np.random.default_rng(0), Rules())
    branch = play_until(WORLD, CARDS, DAYS, np.random.default_rng(0), Rules(), day=START)
    assert bill(whole, START) == pytest.approx(bill(branch.go_on(Rules()), START))


def test_the_paired_interval_is_that_of_daily_differences(ledger):
    found = ledger.against("oracle", "nothing")
    gap = ledger.daily["nothing"] - ledger.daily["oracle"]
    assert found.mean == pytest.approx(gap.mean()) and found.n == DAYS - START
    assert found.low > 0


@pytest.mark.parametrize("name", ["nothing", "oracle", "rules"])
def test_a_name_may_stand_once(past, name):
    with pytest.raises(ContractError, match=f"unlike the two that are always played, got '{name}'"):
        play_policies(past, {name: by_model(Amount(), SOURCE)}, {"rules": Rules()})


def test_a_frontier_of_cuts_shows_what_the_ratio_hides(past):
    cuts = [0.9, 0.05, 0.4]
    table = frontier(past, Amount(), cuts)
    assert table["cut"].tolist() == sorted(cuts, reverse=True)
    assert table["friction"].is_monotonic_increasing and table["blocked_dollars"].is_monotonic_increasing
    one = play_policies(past, {"cut": by_model(Amount(), Tiers(block=0.4))}).table
    row = table.set_index("cut").loc[0.4]
    assert row["saved"] == pytest.approx(one.loc["nothing", "net"] - one.loc["cut", "net"])
    assert row["ratio"] == pytest.approx(one.loc["cut", "ratio"])
    pd.testing.assert_series_equal(row[["fpr"]], one.loc["cut", ["fpr"]], check_names=False)
