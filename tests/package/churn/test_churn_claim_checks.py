"""The measures of chapter 4's claims page: lists counted by hand, areas as scikit-learn has them, signals planted."""

import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from casebook.churn import claim_checks as checks
from casebook.churn.models import boosted, logistic
from casebook.churn.snapshot import draw_snapshot
from casebook.churn.world import World
from casebook.contracts import ContractError

EQUAL = 1e-12  # float64 sums over a few thousand rows
AUC_LUCK = 0.05  # five standard errors of an AUC of 5,000 rows, a fifth of them positive
CAPACITY = 0.042


@pytest.fixture(scope="module")
def day():
    return draw_snapshot(World(), 6_000, np.random.default_rng(1))


def refused(text, call, *arguments, **named):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call(*arguments, **named)


def by_hand(score, calls):
    return set(np.argsort(-score, kind="stable")[:calls].tolist())


def test_list_facts_are_those_of_lists_made_by_hand(day):
    worth, calls = day.worth, round(CAPACITY * len(day))
    risk, uplift = by_hand(worth.p, calls), by_hand(worth.uplift, calls)
    told = checks.list_facts(day, CAPACITY)
    assert told["shared"] == pytest.approx(len(risk & uplift) / calls, abs=EQUAL)
    assert told["riskiest"] == pytest.approx(len(by_hand(worth.p, round(len(day) / 10)) & uplift) / calls, abs=EQUAL)
    gained = sum(worth.gain[list(uplift)]) - sum(worth.gain[list(risk)])
    best = sum(worth.gain[list(by_hand(worth.gain, calls))])
    assert told["gained"] == pytest.approx(gained / best, rel=1e-9)
    assert told["movable"] == pytest.approx(np.maximum(worth.uplift, 0).sum() / worth.p.sum(), rel=1e-9)


def test_where_a_call_keeps_the_same_share_everywhere_both_lists_are_nearly_one():
    alike = World(differing=0.0, dogs=0.0, pull=0.0, failed_cards=0.0)
    told = checks.list_facts(draw_snapshot(alike, 6_000, np.random.default_rng(2)), CAPACITY)
    assert told["shared"] == 1.0
    assert told["gained"] == 0.0
    assert told["rate_uplift"] == pytest.approx(alike.reach * alike.effect, rel=1e-5)


def test_list_facts_refuse_percentages_and_calls_that_never_pay(day):
    refused(
        "capacity must be above 0 and below 1, got 4.2; divide the calls by the subscribers.",
        checks.list_facts, day, 4.2,
    )  # fmt: skip
    useless = replace(day, worth=replace(day.worth, gain=np.full(len(day), -10.0)))
    refused(
        "day must be one on which some call pays, got none that does; raise the effect or the prices.",
        checks.list_facts, useless, CAPACITY,
    )  # fmt: skip


def test_soft_average_precision_of_labels_is_scikit_learns():
    rng = np.random.default_rng(3)
    labels, score = (rng.random(2_000) < 0.1).astype(float), rng.random(2_000).round(2)
    assert checks.soft_auprc(labels, score) == pytest.approx(average_precision_score(labels, score), abs=EQUAL)


def test_soft_average_precision_is_what_weighted_rows_give(day):
    p, score = day.worth.p, day.features["logins_28d"].to_numpy() / 1_000
    twice = average_precision_score(
        np.repeat([1, 0], len(p)), np.tile(score, 2), sample_weight=np.concatenate([p, 1 - p])
    )
    assert checks.soft_auprc(p, score) == pytest.approx(twice, rel=1e-9)


def test_soft_average_precision_refuses_unequal_lengths():
    with pytest.raises(ContractError, match=r"^score"):
        checks.soft_auprc([0.1, 0.2], [0.1])


def test_model_scores_leave_the_models_unfitted_and_meet_the_same_leavers(day):
    model = boosted(1)
    told = checks.model_scores({"one": model, "two": boosted(1)}, day, day, np.random.default_rng(4))
    assert not hasattr(model, "classes_")
    np.testing.assert_array_equal(told["one"], told["two"])
    assert told["one"].shape == (len(day),)


def test_more_rows_help_the_trees_and_a_model_has_nothing_over_itself():
    rng = np.random.default_rng(5)
    pair = (logistic(), boosted(1))
    found = checks.gain_by_rows(World(), pair, [600, 12_000], rng, tested=6_000)
    assert found.index.tolist() == [600, 12_000]
    assert found.iloc[0] < found.iloc[1]
    assert checks.gain_by_rows(World(), (boosted(1), boosted(1)), [2_000], rng, tested=2_000).tolist() == [0.0]


def test_crossed_labels_hang_on_the_product_alone():
    X, y = checks.crossed(20_000, np.random.default_rng(6))
    first, second = X[:15_000], X[15_000:]
    plain = LogisticRegression().fit(first, y[:15_000]).predict_proba(second)[:, 1]
    assert abs(roc_auc_score(y[15_000:], plain) - 0.5) < AUC_LUCK
    assert roc_auc_score(y[15_000:], second["a"] * second["b"]) > 0.5 + 2 * AUC_LUCK


def test_lift_counts_rates_and_refuses_an_empty_side():
    assert checks.lift([1, 1, 1, 1, 0, 0], [1, 1, 1, 0, 1, 0]) == pytest.approx(1.5)
    words = (
        "flag must be set for some, and unset for some who left, got one side empty; take another flag or more rows."
    )
    refused(words, checks.lift, [0, 0], [0, 1])
    refused(words, checks.lift, [1, 0], [1, 0])


def test_choose_by_takes_the_highest_of_each_metric():
    worlds = pd.DataFrame(
        {
            **{"auprc_a": [0.3, 0.1, 0.2], "auprc_b": [0.1, 0.2, 0.1]},
            **{"auc_a": [0.6, 0.7, 0.7], "auc_b": [0.8, 0.9, 0.6]},
            **{"saved_a": [0.5, 0.1, 0.4], "saved_b": [0.2, 0.3, 0.1]},
        }
    )  # fmt: skip
    told = checks.choose_by(worlds, ("auprc", "auc"))
    assert told.mean == pytest.approx(np.mean([0.5 - 0.2, 0.3 - 0.3, 0.4 - 0.4]))
    assert told.n == 3
    assert checks.choose_by(worlds, ("auc", "auc")).mean == 0.0


def test_choose_by_refuses_frames_without_money_or_metric():
    with pytest.raises(ContractError, match=r"^frame must be a table with a column 'saved_<model>' a model, got none"):
        checks.choose_by(pd.DataFrame({"auc_a": [0.5]}), ("auc", "auc"))
    with pytest.raises(ContractError, match=r"auprc_a"):
        checks.choose_by(pd.DataFrame({"auc_a": [0.5, 0.5], "saved_a": [1.0, 1.0]}), ("auprc", "auc"))
