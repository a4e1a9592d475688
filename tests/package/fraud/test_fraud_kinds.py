"""A run's attempts by kind, held against the truth counted another way."""

import numpy as np
import pytest

from casebook.fraud.kinds import kinds_table
from casebook.fraud.rules import Rules
from casebook.fraud.simulate import simulate
from casebook.fraud.world import KINDS, World, null_world


@pytest.fixture(scope="module")
def run():
    return simulate(World(prevalence=0.02), 600, 40, np.random.default_rng(3))


def test_counts_are_those_of_the_money_and_of_the_episodes(run):
    table = kinds_table(run)
    assert table.loc["all", "attempts"] == run.money["attempts"].sum()
    assert table.loc["all", "passed"] == run.money["passed"].sum()
    arrived = run.truth.episodes.query("arrived > 0").groupby("kind", observed=True)["arrived"].agg(["sum", "size"])
    for kind in KINDS:
        assert table.loc[kind, "attempts"] == arrived.loc[kind, "sum"]
        assert table.loc[kind, "episodes"] == arrived.loc[kind, "size"]


def test_losses_add_up_to_those_of_the_money_when_all_passes(run):
    table = kinds_table(run)
    assert table.loc["all", "loss"] * table.loc["all", "attempts"] == pytest.approx(run.money["loss"].sum())


@pytest.mark.parametrize("policy", [None, Rules()])
def test_known_is_the_share_of_true_reports_among_what_passed(policy):
    run = simulate(World(prevalence=0.02), 600, 40, np.random.default_rng(3), policy)
    fraud = run.truth.events.set_index("event_id")["fraud"]
    true_reports = fraud[run.tables["reports"]["event_id"]].sum()
    row = kinds_table(run).loc["all"]
    assert (row["passed"] < row["attempts"]) == (policy is not None)
    assert row["known"] == pytest.approx(true_reports / run.money["passed"].sum())


def test_a_kind_that_never_came_has_no_row_and_one_that_never_passed_no_share():
    blocked = simulate(
        null_world(World(prevalence=0.02)), 600, 40, np.random.default_rng(3), lambda m: np.full(len(m.events), 3)
    )
    table = kinds_table(blocked)
    assert "ring" not in table.index
    assert table["known"].isna().all()
