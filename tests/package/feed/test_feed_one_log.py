"""Two learning rankers: each alone is its own world, logs are shared or not, and the sign of a test turns with them."""

import numpy as np
import pytest

from casebook.contracts import ContractError
from casebook.feed.one_log import PRIOR, clicks_of_rankers


def play(share, log="shared", seed=1, **how):
    return clicks_of_rankers(share, log, np.random.default_rng(seed), **{"markets": 30, "visits": 300, **how})


@pytest.mark.parametrize(("share", "who"), [(0.0, 0), (1.0, 1)])
def test_alone_a_ranker_serves_all_and_the_log_is_its_own(share, who):
    shared, diverted = play(share), play(share, "diverted")
    assert np.isnan(shared[:, 1 - who]).all() and np.isfinite(shared[:, who]).all()
    np.testing.assert_array_equal(shared, diverted)


def test_learning_beats_showing_at_random():
    assert play(0.0)[:, 0].mean() > 1.3 * PRIOR[0] / sum(PRIOR)
    assert play(1.0, visits=2_000)[:, 1].mean() > 1.3 * PRIOR[0] / sum(PRIOR)


def test_with_one_item_there_is_nothing_to_learn():
    only = play(0.5, items=1)
    np.testing.assert_allclose(only[:, 0], only[:, 1])


@pytest.mark.slow
def test_the_shared_log_turns_the_sign_and_a_diverted_half_turns_it_back():
    how = {"markets": 150, "visits": 4_000}
    assert np.mean(play(1.0, **how)[:, 1]) > 1.05 * np.mean(play(0.0, **how)[:, 0])
    shared, diverted, small = play(0.5, **how), play(0.5, "diverted", **how), play(0.05, "diverted", **how)
    gaps = [(played[:, 1] - played[:, 0]) for played in (shared, diverted, small)]
    z = [gap.mean() / (gap.std(ddof=1) / np.sqrt(len(gap))) for gap in gaps]
    assert z[0] < -4 and z[1] > 2 and z[2] < -4


def test_bad_input_gets_one_sentence():
    with pytest.raises(ContractError) as refused:
        play(5.0)
    assert str(refused.value) == "share_new must be in [0, 1], got 5.0; divide percentages by 100."
    with pytest.raises(ContractError) as refused:
        play(0.5, "both")
    assert str(refused.value) == "log must be 'shared' or 'diverted', got 'both'; choose one of the two."
