"""Ranking and calibration of fraud scores, each against scikit-learn or a count by hand, and groups with too few."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, roc_curve

from casebook.contracts import ContractError
from casebook.decisions import wilson_interval
from casebook.fraud.evaluate import average_precision, bands, cut_at_fpr, recall_at_fpr
from casebook.fraud.evaluate_gap import Gap, precision_gap
from casebook.fraud.evaluate_groups import TOO_FEW, by_group, by_kind

EXACT = 1e-12  # the same sums in another order
NEAR = 1e-6  # the share found by counting copies of rows is a fraction of a million
ROUNDS = 400  # of an interval
COVERED = 0.9  # of 60 intervals at 95% chance fewer than 54 hold the truth once in 25; the seed is one that is not


@pytest.fixture(scope="module")
def drawn() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Twelve thousand events, one in twenty fraud, in three groups, of which the last has hardly any."""
    rng = np.random.default_rng(4)
    y = rng.random(12_000) < 0.05
    p = np.clip(rng.beta(1, 12, 12_000) + 0.25 * y * rng.random(12_000), 0, 1).round(3)  # rounded, so that some tie
    return y, p, rng.choice(["app", "online", "terminal"], 12_000, p=[0.5, 0.47, 0.03])


rows = st.lists(
    st.tuples(st.booleans(), st.integers(0, 6).map(lambda x: x / 8), st.integers(0, 3)), min_size=2, max_size=40
)


def columns(drawn_rows):
    y, score, weight = map(np.array, zip(*drawn_rows, strict=True))
    assume((weight[y] > 0).any() and (weight[~y] > 0).any())
    return y, score, weight.astype(float)


@given(rows)
def test_average_precision_is_scikit_learns_with_ties_and_weights(drawn_rows):
    y, score, weight = columns(drawn_rows)
    twin = average_precision_score(y, score, sample_weight=weight)
    assert average_precision(y, score, weight=weight) == pytest.approx(twin, abs=EXACT)


@given(rows, st.floats(0.001, 0.9))
def test_another_prevalence_is_another_weight_of_honest_rows(drawn_rows, prevalence):
    y, score, _ = columns(drawn_rows)
    assume(y.any() and not y.all())
    weight = np.where(y, prevalence / y.sum(), (1 - prevalence) / (~y).sum())
    twin = average_precision_score(y, score, sample_weight=weight)
    assert average_precision(y, score, prevalence=prevalence) == pytest.approx(twin, abs=EXACT)


@given(rows)
def test_the_datas_own_prevalence_changes_nothing_and_rarer_fraud_never_helps(drawn_rows):
    y, score, _ = columns(drawn_rows)
    assume(y.any() and not y.all())
    ap = average_precision(y, score)
    assert average_precision(y, score, prevalence=y.mean()) == pytest.approx(ap, abs=EXACT)
    rarer = average_precision(y, score, prevalence=y.mean() / 3)
    odds = y.mean() / (1 - y.mean()) / (y.mean() / 3 / (1 - y.mean() / 3))
    assert ap / odds - EXACT <= rarer <= ap + EXACT


def test_a_score_that_knows_nothing_gets_the_prevalence():
    y = np.arange(1_000) < 3
    assert average_precision(y, np.zeros(1_000)) == pytest.approx(0.003, abs=EXACT)
    assert average_precision(y, np.zeros(1_000), prevalence=0.2) == pytest.approx(0.2, abs=EXACT)
    assert average_precision(y, y.astype(int), prevalence=1e-6) == 1


@given(rows, st.floats(0, 1))
def test_recall_at_a_rate_is_the_best_point_of_the_roc_within_it(drawn_rows, fpr):
    y, score, _ = columns(drawn_rows)
    assume(y.any() and not y.all())
    rates, recalls, _ = roc_curve(y, score, drop_intermediate=False)
    assert recall_at_fpr(y, score, fpr) == pytest.approx(recalls[rates <= fpr + NEAR].max(), abs=EXACT)
    cut = cut_at_fpr(y, score, fpr)
    assert np.mean(score[~y] > cut) <= fpr + NEAR
    assert recall_at_fpr(y, score, fpr) == np.mean(score[y] > cut)


def test_a_rate_that_floats_cannot_hold_allows_what_it_says():
    y, score = np.append(np.zeros(100), 1), np.append(np.arange(100), 70.5)
    assert 0.29 * 100 < 29
    assert cut_at_fpr(y, score, 0.29) == 70
    assert recall_at_fpr(y, score, 0.29) == 1
    assert recall_at_fpr(y, score, 0.28) == 0


def test_monotone_change_of_the_score_changes_no_rank_measure(drawn):
    y, p, group = drawn
    pd.testing.assert_frame_equal(by_group(y, p, group), by_group(y, 5 * np.log1p(p) - 3, group))


def test_bands_count_every_row_once(drawn):
    y, p, _ = drawn
    table = bands(y, p, edges=(0, 0.05, 0.2, 1))
    for row in table.itertuples():
        inside = (p >= row.p_from) & ((p < row.p_to) | (row.p_to == 1))
        assert (row.n, row.frauds) == (inside.sum(), y[inside].sum())
        assert row.promised == pytest.approx(p[inside].sum(), abs=1e-9)
        low, high = wilson_interval(np.array([y[inside].mean()]), np.array([float(row.n)]))
        assert (row.low, row.high) == (low[0], high[0])
        assert row.holds == (low[0] <= p[inside].mean() <= high[0])
    assert table["n"].sum() == len(y)


def test_bands_hold_for_labels_drawn_from_p_and_not_for_doubled_p():
    rng = np.random.default_rng(1)
    p = rng.beta(0.3, 30, 200_000)
    y = rng.random(200_000) < p
    assert bands(y, p)["holds"].mean() > 0.7  # seven bands at 95%
    doubled = bands(y, np.minimum(2 * p, 1))
    assert not doubled.loc[doubled["frauds"] > 100, "holds"].any()


def test_an_edge_belongs_to_the_band_above_and_one_to_the_last():
    assert bands([0, 1], [0.5, 1.0], edges=(0, 0.5, 1))["n"].tolist() == [2]


def test_groups_are_measured_by_themselves(drawn):
    y, p, group = drawn
    table = by_group(y, p, group)
    assert table.index.tolist() == ["all", "app", "online", "terminal"]
    app = group == "app"
    assert table.loc["app", "ap"] == average_precision(y[app], p[app])
    assert table.loc["app", "recall_at_0.01"] == recall_at_fpr(y[app], p[app], 0.01)
    assert table.loc["app", "lift"] == table.loc["app", "ap"] / y[app].mean()
    assert table.loc["all", ["n", "frauds"]].tolist() == table.iloc[1:][["n", "frauds"]].sum().tolist()


def test_too_few_frauds_say_so_and_show_no_measure(drawn):
    y, p, group = drawn
    row = by_group(y, p, group).loc["terminal"]
    assert 0 < row["frauds"] < 100
    assert row["note"] == TOO_FEW
    assert row[["ap", "lift", "auc", "recall_at_0.01", "recall_at_0.001"]].isna().all()
    assert by_group(y, p, group, least=int(row["frauds"])).loc["terminal", "note"] == ""
    assert by_group(y, p, group, least=int(row["frauds"]) + 1).loc["terminal", "note"] == TOO_FEW


def test_a_group_without_fraud_is_too_few_whatever_is_asked():
    table = by_group([0, 1, 0], [0.1, 0.2, 0.3], ["a", "b", "a"], least=0)
    assert table["note"].tolist() == ["", TOO_FEW, TOO_FEW]


def test_categories_that_no_row_has_get_no_row():
    group = pd.Categorical(["app", "app"], categories=["app", "online"])
    assert by_group([0, 1], [0.1, 0.2], group).index.tolist() == ["all", "app"]


def test_kinds_share_the_honest_rows_and_their_recalls_average_to_all(drawn):
    y, p, group = drawn
    table = by_kind(y, p, group, least=1)
    parts = table.iloc[1:]
    assert (parts["n"] - parts["frauds"] == (~y).sum()).all()
    assert parts["frauds"].sum() == table.loc["all", "frauds"] == y.sum()
    for measure in ("auc", "recall_at_0.01", "recall_at_0.001"):
        mean = np.average(parts[measure], weights=parts["frauds"])
        assert mean == pytest.approx(table.loc["all", measure], abs=EXACT)


def test_what_stands_as_kind_of_honest_rows_is_not_read(drawn):
    y, p, group = drawn
    blanked = np.where(y, group, "honest")
    pd.testing.assert_frame_equal(by_kind(y, p, group), by_kind(y, p, blanked))


def test_order_of_rows_does_not_matter_and_inputs_stay(drawn):
    y, p, group = drawn
    mixed = np.random.default_rng(0).permutation(len(y))
    kept = p.copy()
    pd.testing.assert_frame_equal(by_group(y, p, group), by_group(y[mixed], p[mixed], group[mixed]))
    pd.testing.assert_frame_equal(bands(y, p), bands(y[mixed], p[mixed]), rtol=EXACT)
    np.testing.assert_array_equal(p, kept)


@settings(max_examples=15)
@given(rows, st.integers(0, 1_000))
def test_gap_is_the_quantile_of_weighted_average_precisions(drawn_rows, seed):
    y, first, card = columns(drawn_rows)
    assume(y.any() and not y.all())
    second = first[::-1]
    got = precision_gap(y, first, second, card, np.random.default_rng(seed), rounds=20)
    rng, gaps = np.random.default_rng(seed), []
    cards, number = np.unique(card, return_inverse=True)
    while len(gaps) < 20:
        times = rng.multinomial(len(cards), np.full(len(cards), 1 / len(cards)))[number]
        copies = np.repeat(np.arange(len(y)), times)
        if y[copies].any():
            aps = [average_precision_score(y[copies], score[copies]) for score in (first, second)]
            gaps.append(aps[0] - aps[1])
    low, high = np.quantile(gaps, [0.025, 0.975])
    assert got.gap == pytest.approx(average_precision(y, first) - average_precision(y, second), abs=EXACT)
    assert (got.low, got.high) == (pytest.approx(low, abs=1e-9), pytest.approx(high, abs=1e-9))


def test_gap_of_a_better_score_is_above_zero_and_swaps_its_sign(drawn):
    y, p, _ = drawn
    card = np.arange(len(y)) // 3
    noisy = p + np.random.default_rng(2).normal(0, 0.1, len(p))
    gap = precision_gap(y, p, noisy, card, np.random.default_rng(3))
    back = precision_gap(y, noisy, p, card, np.random.default_rng(3))
    assert gap.low > 0
    assert back == Gap(-gap.gap, pytest.approx(-gap.high), pytest.approx(-gap.low))


@pytest.mark.slow
def test_intervals_hold_the_gap_of_a_large_sample():
    rng = np.random.default_rng(8)

    def world(cards):
        bad = rng.random(cards) < 0.1
        card = np.repeat(np.arange(cards), 5)
        y = bad[card] & (rng.random(5 * cards) < 0.5)
        return y, y + rng.normal(0, 0.7, len(y)), y + rng.normal(0, 0.8, len(y)), card

    y, one, other, _ = world(200_000)
    truth = average_precision(y, one) - average_precision(y, other)
    found = [precision_gap(*world(1_500), rng, rounds=ROUNDS) for _ in range(60)]
    assert np.mean([gap.low <= truth <= gap.high for gap in found]) >= COVERED


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: average_precision([0, 0], [0.1, 0.2]),
            "y must be labels of both classes, got only 0; take rows of both.",
        ),
        (
            lambda: average_precision([0, 1], [0.1, 0.2], prevalence=1),
            "prevalence must be above 0 and below 1, got 1; give it as a share, such as 0.001.",
        ),
        (
            lambda: average_precision([0, 1], [0.1, np.inf]),
            "score, row 1 must be a finite number, got inf; fill it in or drop the row.",
        ),
        (
            lambda: average_precision([0, 1], [0.1, 0.2], weight=[1, 0]),
            "weight must be above 0 in both classes, got a class without weight; give every row its count.",
        ),
        (
            lambda: average_precision([0, 1], [0.1, 0.2], weight=[1, -1]),
            "weight, row 1 must be 0 or more, got -1.0; drop the minus sign.",
        ),
        (
            lambda: recall_at_fpr([0, 1], [0.1, 0.2], 1.5),
            "fpr must be in [0, 1], got 1.5; give it as a share, such as 0.01.",
        ),
        (
            lambda: by_group([0, 1], [0.1, 0.2], ["a", "a"], fprs=[-1]),
            "fprs must be in [0, 1], got -1; give it as a share, such as 0.01.",
        ),
        (
            lambda: by_group([0, 1], [0.1, 0.2], ["a"]),
            "group must be 2 rows long, as y is, got 1 rows; take both from one table.",
        ),
        (
            lambda: by_kind([0, 1], [0.1, 0.2], ["a"]),
            "kind must be 2 rows long, as y is, got 1 rows; take both from one table.",
        ),
        (
            lambda: bands([0, 1], [0.1, 0.2], edges=(0, 0.5)),
            "edges must be rising from 0 to 1, got [0, 0.5]; start with 0, end with 1.",
        ),
        (
            lambda: bands([0, 1], [10, 20]),
            "p, row 0 must be in [0, 1], got 10.0; divide percentages by 100.",
        ),
        (
            lambda: precision_gap([0, 1], [0, 1], [0, 1], [1, 2], np.random.default_rng(0), rounds=2),
            "rounds must be 20 or more, got 2; draw a few hundred times.",
        ),
        (
            lambda: precision_gap([0, 1], [0, 1], [0, 1], [1], np.random.default_rng(0)),
            "card must be 2 rows long, as y is, got shape (1,); take both from one table.",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ContractError) as caught:
        call()
    assert str(caught.value) == message
