"""Models of single series: each against the library or a closed form, point-in-time, rolled, and refusals."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from casebook.contracts import ContractError
from casebook.demand.croston import croston, tsb
from casebook.demand.nb_likelihood import dispersion_of, draw
from casebook.demand.series_models import MODELS, fit_series, forecast_series, sample_series

library = pytest.importorskip("statsforecast.models")

TAUS = (0.1, 0.3, 0.5, 5 / 7, 10 / 12, 0.95)
SAME = 1e-9  # the same arithmetic, another path to it
ORIGIN, HORIZON = 153, 10


@pytest.fixture(scope="module")
def sales() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    day = np.arange(ORIGIN + 15)
    week = 1 + 0.5 * np.sin(2 * np.pi * day / 7)
    levels = {"fast": 20.0, "mid": 3.0, "slow": 0.15}
    frames = [pd.DataFrame({"unique_id": k, "ds": day, "y": draw(v * week, 0.3, rng)}) for k, v in levels.items()]
    frames.append(pd.DataFrame({"unique_id": "none", "ds": day, "y": 0}))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def forecasts(sales: pd.DataFrame) -> pd.DataFrame:
    return forecast_series(sales, ORIGIN, HORIZON, TAUS)


def _y(sales: pd.DataFrame, name: str) -> np.ndarray:
    return sales.loc[(sales["unique_id"] == name) & (sales["ds"] <= ORIGIN), "y"].to_numpy(dtype=float)


def _of(forecasts: pd.DataFrame, name: str, model: str) -> pd.DataFrame:
    return forecasts[(forecasts["unique_id"] == name) & (forecasts["model"] == model)]


def test_shape_and_order(forecasts: pd.DataFrame) -> None:
    assert list(forecasts.columns) == ["unique_id", "ds", "model", "mean", *TAUS]
    assert len(forecasts) == 4 * len(MODELS) * HORIZON
    levels = forecasts[list(TAUS)].to_numpy()
    assert (np.diff(levels, axis=1) >= 0).all() and (levels >= 0).all()
    assert forecasts["ds"].tolist() == list(range(ORIGIN + 1, ORIGIN + HORIZON + 1)) * 4 * len(MODELS)
    assert (forecasts.loc[forecasts["unique_id"] == "none", ["mean", *TAUS]] == 0).to_numpy().all()


def test_seasonal_naive_is_last_week_and_a_normal_around_it(sales: pd.DataFrame, forecasts: pd.DataFrame) -> None:
    y, out = _y(sales, "fast"), _of(forecasts, "fast", "SeasonalNaive")
    mean = np.resize(y[-7:], HORIZON)
    assert np.array_equal(out["mean"], mean)
    sigma = np.sqrt(((y[7:] - y[:-7]) ** 2).sum() / (len(y) - 7))
    for tau in TAUS:
        spread = sigma * np.sqrt(1 + np.arange(HORIZON) // 7)
        assert out[tau].to_numpy() == pytest.approx(np.maximum(mean + stats.norm.ppf(tau) * spread, 0), rel=1e-6)


@pytest.mark.parametrize("name", ["fast", "slow"])
def test_auto_ets_is_the_librarys_with_normal_intervals_cut_at_nought(
    sales: pd.DataFrame, forecasts: pd.DataFrame, name: str
) -> None:
    out = _of(forecasts, name, "AutoETS")
    twin = library.AutoETS(season_length=7).forecast(y=_y(sales, name), h=HORIZON, level=[80, 90])
    assert out["mean"].to_numpy() == pytest.approx(twin["mean"], rel=SAME)
    assert out[0.5].to_numpy() == pytest.approx(twin["mean"], rel=SAME)
    assert out[0.1].to_numpy() == pytest.approx(np.maximum(twin["lo-80"], 0), rel=1e-6, abs=SAME)
    assert out[0.95].to_numpy() == pytest.approx(twin["hi-90"], rel=1e-6)


def test_slow_models_have_our_means_and_a_negative_binomial_around_them(
    sales: pd.DataFrame, forecasts: pd.DataFrame
) -> None:
    y = _y(sales, "fast")
    ours = {"CrostonSBA": croston(y, debias=True), "TSB": tsb(y)}
    for model, mean in ours.items():
        out = _of(forecasts, "fast", model)
        assert out["mean"].to_numpy() == pytest.approx(np.full(HORIZON, mean), rel=SAME)
        past = [croston(y[:t], debias=True) if model == "CrostonSBA" else tsb(y[:t]) for t in range(28, len(y))]
        size = 1 / dispersion_of(y[28:], past)
        for tau in TAUS:
            assert (out[tau] == stats.nbinom(size, size / (size + mean)).ppf(tau)).all()


def test_negative_binomial_quantiles_cover_what_they_say_on_slow_sellers() -> None:
    """On independent days the share at or below the quantile lies between tau and tau plus the mass on it."""
    rng = np.random.default_rng(2)
    y = draw(np.full((150, 310), 0.4), 1.0, rng)
    frame = pd.DataFrame({"unique_id": np.repeat(np.arange(150), 310), "ds": np.tile(np.arange(310), 150)})
    frame["y"] = y.ravel()
    out = forecast_series(frame, 299, 10, [0.5, 0.9], ["CrostonSBA"])
    actual, truth = y[:, 300:].ravel(), stats.nbinom(1, 1 / 1.4)
    for tau in (0.5, 0.9):
        best = truth.cdf(truth.ppf(tau))
        error = 3 * np.sqrt(best * (1 - best) / len(actual))
        assert (actual <= out[tau].to_numpy()).mean() == pytest.approx(
            best, abs=error + 0.02
        )  # 0.02: means are estimated


def test_the_future_is_not_seen(sales: pd.DataFrame, forecasts: pd.DataFrame) -> None:
    rng, other = np.random.default_rng(0), sales.copy()
    late = other["ds"] > ORIGIN
    other.loc[late, "y"] = rng.integers(0, 999, late.sum())
    pd.testing.assert_frame_equal(
        forecast_series(other.sample(frac=1, random_state=0), ORIGIN, HORIZON, TAUS), _sorted(forecasts)
    )


def _sorted(forecasts: pd.DataFrame) -> pd.DataFrame:
    return forecasts.sort_values("unique_id", kind="stable", ignore_index=True)


def test_dates_give_the_same_as_day_numbers(sales: pd.DataFrame, forecasts: pd.DataFrame) -> None:
    monday = pd.Timestamp("2023-01-02")
    dated = sales.assign(ds=monday + pd.to_timedelta(sales["ds"], unit="D"))
    out = forecast_series(dated, monday + pd.Timedelta(days=ORIGIN), HORIZON, TAUS)
    pd.testing.assert_frame_equal(out.drop(columns="ds"), forecasts.drop(columns="ds"))
    assert ((out["ds"] - monday).dt.days == forecasts["ds"]).all()


def test_rolling_keeps_weights_and_brings_states_up_to_date(sales: pd.DataFrame) -> None:
    fitted = fit_series(sales, ORIGIN - 14)
    rolled = fitted.forecast(sales, ORIGIN, HORIZON, TAUS)
    afresh = forecast_series(sales, ORIGIN, HORIZON, TAUS)
    others = rolled["model"] != "AutoETS"
    pd.testing.assert_frame_equal(rolled[others], afresh[others])
    y = _y(sales, "fast")
    twin = library.AutoETS(season_length=7).fit(y[:-14]).forward(y=y, h=HORIZON)["mean"]
    assert _of(rolled, "fast", "AutoETS")["mean"].to_numpy() == pytest.approx(twin, rel=SAME)


def test_history_is_cut(sales: pd.DataFrame) -> None:
    short = sales[sales["ds"] > ORIGIN - 70]
    one = forecast_series(sales, ORIGIN, 3, [0.9], history=70)
    pd.testing.assert_frame_equal(one, forecast_series(short, ORIGIN, 3, [0.9]))


def test_sample_is_random_of_those_with_a_history() -> None:
    day = np.arange(100)
    frames = [pd.DataFrame({"unique_id": i, "ds": day[(5 * i) % 90 :], "y": 1}) for i in range(40)]
    frame = pd.concat([*frames, pd.DataFrame({"unique_id": 99, "ds": day[:80], "y": 1})])
    sample = sample_series(frame, 99, np.random.default_rng(0), most=9, days=60)
    chosen = sample["unique_id"].unique()
    assert len(chosen) == 9 and 99 not in chosen and all((5 * i) % 90 <= 40 for i in chosen)
    assert sample.groupby("unique_id").size().to_dict() == {i: 100 - (5 * i) % 90 for i in chosen}
    everything = sample_series(frame, 99, np.random.default_rng(0), days=60)
    assert everything["unique_id"].nunique() == sum((5 * i) % 90 <= 40 for i in range(40))


def _frame(**changes: object) -> pd.DataFrame:
    return pd.DataFrame({"unique_id": "a", "ds": np.arange(20), "y": 1.0} | changes)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: forecast_series(_frame(), 19, 3, [0.5], ["ARIMA"]),
            "models must be some of SeasonalNaive, AutoETS, CrostonSBA, TSB, got 'ARIMA'; drop it.",
        ),
        (
            lambda: forecast_series(_frame(), 19, 3, [95], ["TSB"]),
            "taus must be strictly between 0 and 1, got 95; mend it.",
        ),
        (
            lambda: forecast_series(_frame(), 19, 0, [0.5], ["TSB"]),
            "horizon must be 1 or more, got 0; 10 reaches the end of the week that an order covers.",
        ),
        (
            lambda: forecast_series(_frame().drop(7), 19, 3, [0.5], ["TSB"]),
            "sales_long, series 'a' must be one row a day without a gap, got a gap or a day twice; "
            "put a row with y = 0, or drop the copy.",
        ),
        (
            lambda: forecast_series(_frame(), 25, 3, [0.5], ["TSB"]),
            "sales_long, series 'a' must be known on the origin, 25, got 19 as its last day; leave out what closed.",
        ),
        (
            lambda: forecast_series(_frame(), 9, 3, [0.5], ["TSB"]),
            "sales_long, series 'a' must be 14 days or more, got 10; "
            "leave new cells to a model that shares what it learns.",
        ),
        (
            lambda: forecast_series(_frame(y=[1.0] * 19 + [np.nan]), 19, 3, [0.5], ["TSB"]),
            "sales_long, series 'a' must be finite and 0 or more in y, got a missing or negative number; mend it.",
        ),
        (
            lambda: forecast_series(_frame(), -1, 3, [0.5], ["TSB"]),
            "sales_long must be with rows up to the origin, -1, got none; pass a later origin.",
        ),
        (
            lambda: fit_series(_frame(), 19, ["TSB"]).forecast(_frame(), 18, 3, [0.5]),
            "origin must be at or after the fit's, 19, got 18; fit at an earlier origin.",
        ),
        (
            lambda: fit_series(_frame(), 19).forecast(_frame(unique_id="b"), 19, 3, [0.5]),
            "sales_long must be of series that were fitted, got also 'b'; leave it out or fit again.",
        ),
        (
            lambda: sample_series(_frame(), 19, np.random.default_rng(0)),
            "sales_long must be with a series of 56 days up to the origin, got none; pass a later origin.",
        ),
    ],
)
def test_refusals(call, words: str) -> None:
    with pytest.raises(ContractError) as error:
        call()
    assert str(error.value) == words
