"""Reliability, calibrators and base rates against scikit-learn, statsmodels, scipy and closed forms."""

import re

import numpy as np
import pytest
import scipy.optimize
from hypothesis import given
from hypothesis import strategies as st
from sklearn.calibration import calibration_curve

from casebook.contracts import ContractError
from casebook.decisions import (
    calibration_error,
    estimate_base_rate,
    fit_isotonic,
    fit_platt,
    reliability,
    shift_prior,
    undo_undersampling,
    wilson_interval,
)

rates = st.floats(0.01, 0.99)
inner = st.lists(st.floats(0.001, 0.999), min_size=1, max_size=20)
ROUNDING = 1e-9
# L-BFGS stops on its gradient; the coefficients agree to about five digits.
OPTIMISER = 1e-4


def drawn(n=3000, seed=0):
    rng = np.random.default_rng(seed)
    p = rng.beta(1, 3, n)
    return (rng.random(n) < p), p


def test_reliability_is_scikit_learns_quantile_curve():
    y, p = drawn()
    table = reliability(y, p, n_bins=10)
    observed, predicted = calibration_curve(y, p, n_bins=10, strategy="quantile")
    np.testing.assert_allclose(table["observed"], observed, rtol=ROUNDING)
    np.testing.assert_allclose(table["mean_p"], predicted, rtol=ROUNDING)
    assert table["n"].sum() == len(y)
    assert table["n"].max() - table["n"].min() <= 1


def test_bins_do_not_overlap_and_ties_stay_together():
    y, p = drawn()
    table = reliability(y, p.round(1), n_bins=10)
    assert (table["bin_low"].to_numpy()[1:] > table["bin_high"].to_numpy()[:-1]).all()
    assert reliability([0, 1, 1], [0.4, 0.4, 0.4], n_bins=5)["n"].tolist() == [3]


def test_wilsons_interval_is_that_of_statsmodels():
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    k, n = np.array([0.0, 3, 10, 50]), np.array([10.0, 10, 10, 1000])
    low, high = wilson_interval(k / n, n)
    expected = proportion.proportion_confint(k, n, method="wilson")
    np.testing.assert_allclose(low, expected[0], atol=ROUNDING)
    np.testing.assert_allclose(high, expected[1], rtol=ROUNDING)


def test_calibration_error_is_its_sum_and_sees_a_shift():
    y, p = drawn()
    table = reliability(y, p, 10)
    by_hand = (table["n"] / len(y) * (table["observed"] - table["mean_p"]).abs()).sum()
    assert calibration_error(y, p, 10) == pytest.approx(by_hand, rel=ROUNDING)
    assert calibration_error([0, 0, 1, 1], [0, 0, 1, 1], 2) == 0
    # Three cases in a bin 0.2 off, one case in a bin 0.6 off.
    assert calibration_error([0, 0, 0, 0], [0.2, 0.2, 0.2, 0.6], 2) == pytest.approx(0.3, rel=ROUNDING)
    assert calibration_error(y, shift_prior(p, 0.25, 0.6)) > 5 * calibration_error(y, p)


@given(st.permutations(range(40)))
def test_the_order_of_rows_does_not_move_a_bin(order):
    y, p = drawn(40)
    p = p.round(1)
    moved = reliability(y[list(order)], p[list(order)], 4)
    np.testing.assert_allclose(moved.to_numpy(), reliability(y, p, 4).to_numpy(), rtol=ROUNDING, atol=1e-12)


def test_platt_is_the_unpenalised_logistic_regression_of_statsmodels():
    api = pytest.importorskip("statsmodels.api")
    y, p = drawn()
    warped = 1 / (1 + np.exp(-(1.0 + 2.0 * np.log(p / (1 - p)))))
    log_odds = np.log(warped / (1 - warped))
    keep = np.abs(log_odds) < 13  # inside of the clip
    fitted = fit_platt(y[keep], warped[keep])
    twin = api.Logit(y[keep].astype(float), api.add_constant(log_odds[keep])).fit(disp=0)
    assert (fitted.intercept, fitted.slope) == pytest.approx(tuple(twin.params), abs=OPTIMISER)
    # Undoing "1 + 2 x" is "-0.5 + 0.5 x".
    assert (fitted.intercept, fitted.slope) == pytest.approx((-0.5, 0.5), abs=0.1)
    assert fitted(warped).mean() == pytest.approx(y.mean(), abs=1e-3)


def test_platt_keeps_calibrated_probabilities_and_the_ends():
    y, p = drawn(50_000)
    fitted = fit_platt(y, p)
    assert (fitted.intercept, fitted.slope) == pytest.approx((0, 1), abs=0.05)
    ends = fitted([0.0, 1.0])
    assert 0 <= ends[0] < 1e-4
    assert 1 - 1e-4 < ends[1] <= 1


def test_isotonic_is_scipys_regression_in_order_of_p():
    y, p = drawn(400)
    order = np.argsort(p)
    twin = scipy.optimize.isotonic_regression(y[order].astype(float)).x
    np.testing.assert_allclose(fit_isotonic(y, p)(p[order]), twin, atol=ROUNDING)


@pytest.mark.parametrize("fit", [fit_platt, fit_isotonic])
def test_calibrators_never_turn_the_order_round_and_cut_the_error(fit):
    y, p = drawn(8000)
    warped = p**2
    calibrate = fit(y[:4000], warped[:4000])
    assert (np.diff(calibrate(np.linspace(0, 1, 200))) >= 0).all()
    after = calibration_error(y[4000:], calibrate(warped[4000:]))
    assert after < 0.5 * calibration_error(y[4000:], warped[4000:])


@given(inner, rates, rates)
def test_there_and_back_is_the_identity(p, old, new):
    np.testing.assert_allclose(shift_prior(shift_prior(p, old, new), new, old), p, rtol=1e-7)


@given(inner, rates, rates)
def test_a_shift_keeps_the_order_and_moves_with_the_base_rate(p, old, new):
    p = np.sort(p)
    shifted = shift_prior(p, old, new)
    assert (np.diff(shifted) >= 0).all()
    assert (np.sign(np.round(shifted - p, 12)) * np.sign(new - old) >= 0).all()
    np.testing.assert_allclose(shift_prior([old], old, new), [new], rtol=ROUNDING)


@given(inner, rates, st.floats(0.01, 1))
def test_undoing_undersampling_is_a_shift_of_the_base_rate(p, true_rate, keep):
    sampled_rate = true_rate / (true_rate + keep * (1 - true_rate))
    np.testing.assert_allclose(undo_undersampling(p, keep), shift_prior(p, sampled_rate, true_rate), rtol=1e-7)
    closed_form = keep * np.array(p) / (keep * np.array(p) - np.array(p) + 1)  # Dal Pozzolo et al. (2015), eq. 4
    np.testing.assert_allclose(undo_undersampling(p, keep), closed_form, rtol=1e-7)


def test_undersampled_counts_give_back_the_full_rate():
    # 10 positives and 990 negatives of one kind; a tenth of the negatives is kept.
    np.testing.assert_allclose(undo_undersampling([10 / (10 + 99)], 0.1), [0.01], rtol=ROUNDING)


def test_em_finds_the_maximum_of_the_likelihood():
    rng = np.random.default_rng(4)
    y = rng.random(20_000) < 0.3
    score = rng.normal(1.5 * y, 1)
    at_half = 1 / (1 + np.exp(-(1.5 * score - 1.125)))
    rate = estimate_base_rate(at_half, base_rate_old=0.5)
    likelihood = scipy.optimize.minimize_scalar(
        lambda r: -np.log(r * at_half + (1 - r) * (1 - at_half)).sum(), bounds=(0.01, 0.99), method="bounded"
    )
    assert rate == pytest.approx(likelihood.x, abs=1e-4)
    # Standard error of the rate with 20,000 such cases: about 0.005.
    assert rate == pytest.approx(0.3, abs=0.02)


def test_em_stays_where_the_base_rate_has_not_moved():
    y, p = drawn(50_000)
    assert estimate_base_rate(p, y.mean()) == pytest.approx(y.mean(), abs=0.01)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: shift_prior([0.5], 0, 0.1),
            "base_rate_old must be above 0 and below 1, got 0; give it as a share, such as 0.02.",
        ),
        (
            lambda: shift_prior([0.5], 0.5, 2),
            "base_rate_new must be above 0 and below 1, got 2; give it as a share, such as 0.02.",
        ),
        (
            lambda: undo_undersampling([0.5], 10),
            "keep_negatives must be above 0 and at most 1, got 10; give the share kept.",
        ),
        (lambda: fit_platt([1, 1], [0.2, 0.3]), "y must be labels of both classes, got only 1; take cases of both."),
        (lambda: fit_isotonic([0, 0], [0.2, 0.3]), "y must be labels of both classes, got only 0; take cases of both."),
        (lambda: reliability([0, 1], [0.2, 0.3], 0), "n_bins must be 1 or more, got 0; ask for about ten."),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
