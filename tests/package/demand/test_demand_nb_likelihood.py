"""The negative binomial by mean and dispersion: against scipy's, its limits, draws and moments."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from casebook.contracts import ContractError
from casebook.demand.nb_likelihood import dispersion_of, draw, log_likelihood, quantile

ROUNDING = 1e-8  # log gamma of large numbers cancels to about 1e-9
MEANS, DISPERSIONS = st.floats(0.01, 300), st.floats(0.01, 5)


def _scipy(mean: float, dispersion: float):
    return stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean))


@given(st.integers(0, 500), MEANS, DISPERSIONS)
def test_log_likelihood_is_scipys(y: int, mean: float, dispersion: float) -> None:
    expected = _scipy(mean, dispersion).logpmf(y)
    assert log_likelihood(y, mean, dispersion) == pytest.approx(expected, rel=ROUNDING, abs=ROUNDING)


@given(MEANS, DISPERSIONS)
def test_variance_is_mean_plus_dispersion_times_its_square(mean: float, dispersion: float) -> None:
    assert _scipy(mean, dispersion).var() == pytest.approx(mean + dispersion * mean**2)


@given(st.floats(0.01, 0.99), MEANS, DISPERSIONS)
def test_quantile_is_the_smallest_count_that_reaches_the_level(tau: float, mean: float, dispersion: float) -> None:
    counts = np.arange(20_000)
    cumulative = _scipy(mean, dispersion).cdf(counts)
    expected = counts[cumulative >= tau - 1e-12][:2]  # at a tie either neighbour is right to rounding
    assert quantile(tau, mean, dispersion) in expected


def test_without_dispersion_it_is_a_poisson_and_with_a_trace_nearly() -> None:
    taus = np.linspace(0.05, 0.95, 19)
    poisson = stats.poisson.ppf(taus, 7.3)
    assert np.array_equal(quantile(taus, 7.3, 0.0), poisson)
    assert np.array_equal(quantile(taus, 7.3, 1e-5), poisson)
    assert quantile([0.5, 0.99], 0.0, 1.0).tolist() == [0.0, 0.0]


def test_draws_have_the_distribution() -> None:
    rng = np.random.default_rng(4)
    drawn = draw(np.full(100_000, 3.0), 0.7, rng)
    counts = np.arange(12)
    expected = _scipy(3.0, 0.7).pmf(counts)
    share = (drawn[:, None] == counts).mean(axis=0)
    five_errors = 5 * np.sqrt(expected / len(drawn))
    assert (abs(share - expected) < five_errors).all()
    assert draw([0.0, 0.0], 0.7, rng).tolist() == [0, 0]


def test_dispersion_of_is_found_again_whatever_the_means() -> None:
    rng = np.random.default_rng(5)
    mean = rng.uniform(0.2, 30, 200_000)
    for dispersion in (0.1, 0.5, 2.0):
        assert dispersion_of(draw(mean, dispersion, rng), mean) == pytest.approx(dispersion, rel=0.03)
    assert dispersion_of(rng.poisson(mean), mean) == pytest.approx(0, abs=0.003)


def test_dispersion_of_leaves_missing_pairs_out_and_does_not_divide_by_nothing() -> None:
    assert dispersion_of([9, np.nan, 1], [3, 3, np.nan]) == dispersion_of([9], [3]) == (36 - 3) / 9
    assert dispersion_of([0, 0], [0, 0]) == 0
    assert dispersion_of([3, 3], [3, 3]) == 0  # fewer errors than a Poisson makes


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: quantile([0.5, 95], 1.0, 1.0), "taus must be strictly between 0 and 1, got 95.0; mend it."),
        (
            lambda: quantile(0.5, [1.0, -2.0], 1.0),
            "mean must be finite and 0 or more, got -2.0; mend the model that made it.",
        ),
        (
            lambda: draw(1.0, np.nan, np.random.default_rng(0)),
            "dispersion must be finite and 0 or more, got nan; mend the model that made it.",
        ),
    ],
)
def test_refusals(call, words: str) -> None:
    with pytest.raises(ContractError) as error:
        call()
    assert str(error.value) == words
