"""v0 against its formula by brute force, last year's season included; its quantiles, and that it sees no future."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.models import SeasonalNaive
from casebook.demand.seasonal_naive import ScaledResiduals
from tests.package.demand.frames import frame

SAME = 1e-9  # the same sums in another order
FLOAT32 = 2e-6  # LightGBM keeps targets and gradients in four bytes


def test_v0_is_last_week_and_its_ratio():
    X = frame(0)
    plain = SeasonalNaive(adjust=None).fit(X, X["y"])
    np.testing.assert_array_equal(plain.point(X), X["last_same_weekday"])
    ratio = SeasonalNaive(adjust=("mean_28", "last_same_weekday"), prior=2.0, most=1.5).fit(X, X["y"])
    share = ((X["mean_28"] + 2) / (X["last_same_weekday"] + 2)).clip(1 / 1.5, 1.5)
    np.testing.assert_allclose(ratio.point(X), X["last_same_weekday"] * share, rtol=FLOAT32)


def test_v0_reads_last_years_season_by_brute_force():
    past, now = frame(0, weeks=12), frame(1, weeks=3, start=364 + 21)
    past["y"] += 4 * (past["day"] > 45) * (past["category_code"] == 1)  # a season that begins in one category
    model = SeasonalNaive(prior=1.0, most=3.0).fit(past, past["y"])
    for _, row in now.sample(10, random_state=0).iterrows():
        of = past[past["category_code"] == row["category_code"]]
        covered, base = (
            of[of["day"].between(row["origin"] - 364 + low, row["origin"] - 364 + high)]
            for low, high in ((4, 10), (-6, 0))
        )
        assert covered["day"].nunique() == base["day"].nunique() == 7
        want = row["last_same_weekday"] * (covered["y"].mean() + 1) / (base["y"].mean() + 1)
        assert model.point(now.loc[[row.name]])[0] == pytest.approx(want, rel=1e-6)
    assert not np.allclose(model.point(now), now["last_same_weekday"])


def test_v0_without_last_year_or_last_week():
    X = frame(0)
    model = SeasonalNaive().fit(X, X["y"])
    np.testing.assert_array_equal(model.point(X), X["last_same_weekday"])  # no year before: the ratio is 1
    new = X.iloc[:2].assign(last_same_weekday=np.nan)
    np.testing.assert_allclose(model.point(new), X["y"].mean())


def test_v0s_season_reads_no_day_after_the_origin():
    X = pd.concat([frame(0, weeks=60)], ignore_index=True)
    asked = X[X["origin"] == 6 + 7 * 55]
    at = int(asked["origin"].iloc[0])
    future = X["day"].to_numpy() > at
    shuffled = np.where(future, np.random.default_rng(0).permutation(X["y"]), X["y"])
    one, two = SeasonalNaive().fit(X, X["y"]), SeasonalNaive().fit(X, shuffled)
    np.testing.assert_array_equal(one.point(asked), two.point(asked))
    assert not np.allclose(one.point(asked), asked["last_same_weekday"])


def test_v0s_quantiles_cover_what_they_are_taken_from():
    X = frame(0, weeks=40)
    model = SeasonalNaive(adjust=None, bands=4).fit(X, X["y"])
    taus = [0.1, 0.5, 10 / 12, 0.95]
    found = model.predict(X, taus)
    assert (np.diff(found.to_numpy(), axis=1) >= 0).all()
    for tau in taus:
        assert np.mean(X["y"] < found[tau]) - 0.01 <= tau <= np.mean(X["y"] <= found[tau]) + 0.01


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 9_999), st.integers(1, 6), st.floats(0, 1))
def test_scaled_errors_are_a_quantile_band_by_band(seed, bands, tau):
    rng = np.random.default_rng(seed)
    point, y = rng.gamma(1, 5, 200).round(1), rng.poisson(5, 200).astype(float)
    kept = ScaledResiduals(bands).fit(point, y)
    at = rng.gamma(1, 5, 5).round(1)
    band, of = np.searchsorted(kept.edges_, point, side="right"), np.searchsorted(kept.edges_, at, side="right")
    for value, place, got in zip(at, of, kept.quantiles(at, [tau])[:, 0], strict=True):
        errors = ((y - point) / np.sqrt(1 + point))[band == place]
        assert got == pytest.approx(max(value + np.quantile(errors, tau) * np.sqrt(1 + value), 0), abs=SAME)


X0 = frame(0, weeks=3)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: SeasonalNaive(most=0.5).fit(X0, X0["y"]),
            "most must be 1 or more, got 0.5; 3 lets a forecast triple.",
        ),
        (
            lambda: SeasonalNaive(adjust="month").fit(X0, X0["y"]),
            "adjust must be 'year', two columns or None, got 'month'; correct it.",
        ),
        (
            lambda: SeasonalNaive(bands=0).fit(X0, X0["y"]),
            "bands must be 1 or more, got 0; 10 is a start.",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, text):
    with pytest.raises(ContractError) as refused:
        call()
    assert str(refused.value) == text


def test_a_missing_lag_is_named():
    with pytest.raises(ContractError) as refused:
        SeasonalNaive("lag", adjust=None).fit(X0[["horizon", "day"]], X0["y"])
    assert str(refused.value) == (
        "X must be a table with a column 'lag', got 'horizon', 'day'; add 'lag' or rename one of yours."
    )
