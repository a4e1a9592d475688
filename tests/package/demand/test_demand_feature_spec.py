"""Origins, horizons, splits by time and legal lags against their definitions; the features against the words."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand import feature_spec
from casebook.demand.feature_spec import CODES, COLUMNS, FEATURES, IDS, READ
from casebook.demand.origins import HORIZONS, as_horizons, as_origins, legal_lags, split, weekly_origins
from casebook.demand.tables import TABLES, WORDS


def test_features_have_a_name_a_sentence_and_no_lag_that_an_order_cannot_have():
    assert len(FEATURES) == 39 and all(FEATURES.values())
    assert set(FEATURES) - set(COLUMNS) == set() and len(COLUMNS) == len(set(COLUMNS))
    assert COLUMNS[: len(IDS) + 1] == (*IDS, "y") and "lag_7" not in FEATURES
    assert max(HORIZONS) <= min(int(name[4:]) for name in FEATURES if name.startswith("lag_"))


def test_words_and_columns_are_those_of_the_tables():
    assert {name: tuple(words) for name, words in WORDS.items()} == CODES
    for name, columns in READ.items():
        assert set(columns) <= set(TABLES[name].columns), name
    assert feature_spec.YEAR % 7 == 0


@given(first=st.integers(-50, 500), length=st.integers(6, 400))
def test_weekly_origins_are_all_sundays_between(first, length):
    days = np.arange(first, first + length + 1)
    found = weekly_origins(first, first + length)
    np.testing.assert_array_equal(found, days[days % 7 == 6])
    targets = (found[:, None] + np.array(HORIZONS)).ravel()
    np.testing.assert_array_equal(targets, np.arange(targets[0], targets[0] + len(targets)))  # each day once


@given(count=st.integers(12, 60), test=st.integers(1, 4), calibrate=st.integers(0, 3), last=st.integers(1, 14))
def test_split_uses_no_outcome_before_it_is_known_and_wastes_no_more_than_that(count, test, calibrate, last):
    origins = weekly_origins(0, 7 * count)
    parts = split(origins[::-1], test, calibrate, range(1, last + 1))
    assert len(parts.test) == test and len(parts.calibrate) == calibrate
    np.testing.assert_array_equal(parts.test, origins[-test:])
    later = [group for group in (parts.fit, parts.calibrate, parts.test) if len(group)]
    for before, after in pairwise(later):
        assert before[-1] + last <= after[0] < before[-1] + 7 + last
    assert parts.fit[0] == origins[0] and (np.diff(parts.fit) == 7).all()


def test_legal_lags_are_those_of_days_up_to_the_origin():
    told = legal_lags()
    origin = 6
    for horizon in HORIZONS:
        for lag in (7, 14, 28):
            known = origin + horizon - lag <= origin
            assert told.loc[horizon, f"lag_{lag}"] == ("legal" if known else "leak")
    assert (told == "leak").sum().tolist() == [3, 0, 0]
    pd.testing.assert_index_equal(legal_lags([1, 14], [1]).index, pd.Index([1, 14], name="horizon"))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: as_origins([]), "origins must be at least one day, got none; take weekly_origins(first, last)."),
        (lambda: as_origins([6.0]), "origins must be whole numbers, got float64; take weekly_origins(first, last)."),
        (lambda: as_origins([6, 8]),
         "origins must be Sundays (day % 7 == 6), got 8; take weekly_origins(first, last)."),
        (lambda: as_origins([6, 6]), "origins must be without a copy, got 1 that stand twice; drop the copies."),
        (lambda: as_horizons([0]), "horizons must be from 1 to 14, got 0; range(4, 11) is what an order covers."),
        (lambda: as_horizons([15]), "horizons must be from 1 to 14, got 15; range(4, 11) is what an order covers."),
        (lambda: weekly_origins(0, 5),
         "first and last must be days with a Sunday between them, got 0 and 5; take a whole week or more."),
        (lambda: split([6, 13], 0),
         "test and calibrate must be at least 1 and at least 0, got test=0, calibrate=0; 8 test origins are a start."),
        (lambda: split([6, 13], 1),
         "origins must be enough for a fit before the test, got 2 origins; pass more origins, or test on fewer."),
        (lambda: legal_lags([99]), "horizons must be from 1 to 14, got 99; range(4, 11) is what an order covers."),
    ],
)  # fmt: skip
def test_what_is_none_is_refused(call, message):
    with pytest.raises(ContractError) as refused:
        call()
    assert str(refused.value) == message
