"""What a reader's own trial is refused for: no generator, calls that somebody chose, an arm without leavers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casebook.churn.own_table import read_trial, shop_mails
from casebook.churn.own_table_checks import require_lot
from casebook.contracts import ContractError


def refused(table: pd.DataFrame, rng: object = None, cluster: str | None = None) -> str:
    with pytest.raises(ContractError) as caught:
        read_trial(table, np.random.default_rng(0) if rng is None else rng, cluster=cluster, draws=2)  # type: ignore[arg-type]
    return str(caught.value)


@pytest.fixture
def table() -> pd.DataFrame:
    return shop_mails(2_000, np.random.default_rng(11))


@pytest.mark.parametrize(
    ("rng", "sentence"),
    [
        (4, "rng must be a numpy Generator, got int; pass np.random.default_rng(4)."),
        ("x", "rng must be a numpy Generator, got str; pass np.random.default_rng(seed)."),
        (
            np.random.RandomState(0),
            "rng must be a numpy Generator, got RandomState; pass np.random.default_rng(seed).",
        ),
    ],
)
def test_a_seed_is_no_generator(table, rng, sentence):
    assert refused(table, rng) == sentence


def test_calls_chosen_by_risk_are_refused_with_the_mean_risk_of_each_arm(table):
    p = np.where(np.arange(2_000) % 2, 0.08, 0.22) + np.tile([0.0, 0.0, 0.02, 0.04], 500)
    chosen = table.assign(p=p, treated=(p > 0.15).astype(int), y=np.arange(2_000) // 2 % 2)
    assert refused(chosen) == (
        "column 'treated' must be drawn by lot, got arms whose mean p is 0.1 and 0.23; read_trial cannot judge calls "
        "that somebody chose."
    )


def test_arms_of_one_risk_each_are_refused_although_nothing_varies_within_them(table):
    chosen = table.assign(p=np.where(table["treated"] == 1, 0.24, 0.09))
    assert refused(chosen) == (
        "column 'treated' must be drawn by lot, got arms whose mean p is 0.09 and 0.24; read_trial cannot judge calls "
        "that somebody chose."
    )


def test_a_table_of_one_risk_is_a_trial_like_any_other(table):
    table.loc[table.index[table["treated"] == 1][:3], "treated"] = 0  # a mean of 997 equal numbers is not one of 1,003
    assert read_trial(table.assign(p=0.2), np.random.default_rng(0), draws=2).effect.treated_n == 997


def test_companies_drawn_whole_may_differ_by_what_a_draw_of_companies_makes_them_differ():
    # 20 companies whose subscribers are alike: their arms differ by more than a draw of subscribers would make them.
    rng = np.random.default_rng(12)
    company = np.repeat(np.arange(20), 200)
    p = np.clip(rng.normal(0.3, 0.1, 20)[company] + rng.normal(0, 0.01, 4_000), 0, 1)
    rows = {"customer_id": np.arange(4_000), "company": company, "p": p, "value": 900.0, "treated": company % 2}
    table = pd.DataFrame(rows | {"y": (rng.random(4_000) < p).astype(int)})
    assert refused(table).startswith("column 'treated' must be drawn by lot, got arms whose mean p is ")
    assert read_trial(table, rng, cluster="company", draws=2).effect.clusters == 20


def test_a_lot_is_never_taken_for_a_choice():
    rng = np.random.default_rng(13)
    p = shop_mails(400, rng)["p"].to_numpy()
    for _ in range(1_000):
        require_lot(p, rng.permutation(np.arange(400) % 2), None)


@pytest.mark.parametrize(("gone", "got"), [((0, 1), "none"), ((1,), "none where treated is 1")])
def test_an_arm_without_leavers_is_told_to_wait(table, gone, got):
    none = table.assign(y=table["y"].where(~table["treated"].isin(gone), 0))
    assert refused(none) == f"column 'y' must be 1 for some in both arms, got {got}; wait until some have left."


@pytest.mark.parametrize("column", ["p", "history"])
def test_a_doubled_column_is_refused(table, column):
    assert refused(pd.concat([table, table[[column]]], axis=1)) == (
        f"table 'candidates', column {column!r} must be there once, got it 2 times; drop all but one."
    )
