"""A day's list of cards against a count by hand: the plain one and the handbook's, in which found cards leave."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.fraud.evaluate_queue import card_days, card_precision

EXACT = 1e-12  # the same mean in another order

events = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 3), st.integers(0, 4), st.booleans()), min_size=1, max_size=40
)


def by_hand(drawn, k, drop_found):
    """Day by day with plain lists; equal scores by card number."""
    found, shares = set(), []
    for day in sorted({row[1] for row in drawn}):
        cards: dict[int, list] = {}
        for card, when, score, y in drawn:
            if when == day and not (drop_found and card in found):
                best, bad = cards.get(card, (-1, False))
                cards[card] = (max(best, score), bad or y)
        listed = sorted(cards, key=lambda card: (-cards[card][0], card))[:k]
        hits = {card for card in listed if cards[card][1]}
        shares.append(len(hits) / k)
        found |= hits
    return sum(shares) / len(shares)


@given(events, st.integers(1, 4), st.booleans())
def test_card_precision_is_the_count_by_hand(drawn, k, drop_found):
    card, day, score, y = map(np.array, zip(*drawn, strict=True))
    got = card_precision(card, day, score, y, k, drop_found=drop_found)
    assert got == pytest.approx(by_hand(drawn, k, drop_found), abs=EXACT)


@given(events, st.integers(1, 4), st.booleans())
def test_no_list_beats_its_ceiling_and_a_perfect_score_reaches_it(drawn, k, drop_found):
    card, day, score, y = map(np.array, zip(*drawn, strict=True))
    table = card_days(card, day, score, y, k, drop_found=drop_found)
    assert (table["precision"] <= table["ceiling"]).all()
    assert (table["listed"] == np.minimum(k, table["cards"])).all()
    perfect = card_days(card, day, y.astype(int), y, k, drop_found=drop_found)
    assert (perfect["precision"] == perfect["ceiling"]).all()


@given(events, st.integers(1, 4), st.randoms(use_true_random=False))
def test_order_of_rows_does_not_matter(drawn, k, random):
    mixed = list(drawn)
    random.shuffle(mixed)
    one, other = (card_days(*map(np.array, zip(*table, strict=True)), k, drop_found=True) for table in (drawn, mixed))
    pd.testing.assert_frame_equal(one, other)


def test_a_random_list_gets_what_chance_says():
    rng = np.random.default_rng(0)
    card, day = np.tile(np.arange(400), 300), np.repeat(np.arange(300), 400)
    y = rng.random(len(card)) < 0.05
    table = card_days(card, day, rng.random(len(card)), y, k=100)
    error = np.sqrt(0.05 * 0.95 / 100 / 300)
    assert table["by_chance"].mean() == pytest.approx(y.mean(), abs=EXACT)
    assert abs(table["precision"].mean() - y.mean()) < 4 * error


def test_ties_at_the_end_of_the_list_are_told():
    table = card_days([1, 2, 3, 1, 2, 3], [0] * 3 + [1] * 3, [0.5, 0.5, 0.5, 0.9, 0.5, 0.1], [0, 0, 1, 0, 0, 0], k=2)
    assert table["tied"].tolist() == [3, 0]
    assert table["found"].tolist() == [0, 0]


def test_where_nothing_is_dropped_both_ways_agree_on_the_first_day():
    rng = np.random.default_rng(1)
    card, day = rng.integers(0, 50, 2_000), rng.integers(0, 4, 2_000)
    y, score = rng.random(2_000) < 0.1, rng.random(2_000)
    kept, dropped = (card_days(card, day, score, y, 20, drop_found=drop) for drop in (False, True))
    pd.testing.assert_series_equal(kept.iloc[0], dropped.iloc[0])
    assert (dropped["cards"].iloc[1:] < kept["cards"].iloc[1:]).all()


def test_a_day_whose_cards_have_all_been_found_is_an_empty_list():
    table = card_days([1, 1], [0, 1], [0.9, 0.9], [1, 1], k=1, drop_found=True)
    assert table.loc[1, ["cards", "listed", "precision", "ceiling", "by_chance"]].tolist() == [0] * 5


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: card_days([1], [0], [0.5], [1], k=0),
            "k must be 1 or more, got 0; give the cards that a team can look at in a day.",
        ),
        (
            lambda: card_days([1, 2], [0], [0.5, 0.1], [1, 0]),
            "day must be 2 rows long, as y is, got shape (1,); take both from one table.",
        ),
        (
            lambda: card_precision([1], [0], [np.nan], [1]),
            "score, row 0 must be a finite number, got nan; fill it in or drop the row.",
        ),
    ],
)
def test_refusals(call, message):
    with pytest.raises(ContractError) as caught:
        call()
    assert str(caught.value) == message
