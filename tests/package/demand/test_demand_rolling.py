"""Rolling origins: what each fit may know, that no future reaches a forecast, and that refits change the fit."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator

from casebook.contracts import ContractError
from casebook.demand.conformal import Mended
from casebook.demand.models import BoostedMean, BoostedQuantiles, SeasonalNaive
from casebook.demand.rolling import last_origins, roll, seconds_of
from casebook.demand.target_encoding import TimeEncoded
from tests.package.demand.frames import frame

QUICK = {"trees": 15, "leaves": 7, "least": 20}
TAUS = [0.5, 0.9]
MODELS = {
    "v0": SeasonalNaive(),
    "v1": BoostedQuantiles(TAUS, **QUICK),
    "mean": BoostedMean(**QUICK),
    "encoded": TimeEncoded(BoostedQuantiles(TAUS, ids="none", **QUICK)),
    "mended": Mended(BoostedQuantiles(TAUS, **QUICK), days=21, least=20),
}


class Spy(BaseEstimator):
    """Remembers what it was shown."""

    def fit(self, X, y):
        self.X_, self.y_ = X, y
        return self

    def predict(self, X, taus):
        return pd.DataFrame({tau: np.full(len(X), tau * self.y_.mean()) for tau in taus}, index=X.index)


def test_a_fit_sees_days_up_to_its_origin_and_no_answers_in_its_columns():
    X = frame()
    origins = last_origins(X, 8)
    rolled = roll(Spy(), X, origins, TAUS)
    seen = rolled.model.X_
    assert "y" not in seen and seen["day"].max() == origins[0]
    assert len(seen) == (X["day"] <= origins[0]).sum()
    np.testing.assert_array_equal(rolled.model.y_, X["y"][seen.index])
    late = X[X["origin"] == origins[0] - 7]
    assert (late["day"] > origins[0]).any() and not seen.index.isin(late.index[late["day"] > origins[0]]).any()


def test_forecasts_stand_where_their_rows_do():
    X = frame().set_index(np.arange(3_360) * 2)
    origins = last_origins(X, 8)
    rolled = roll(Spy(), X, origins, TAUS)
    assert X["origin"].to_numpy()[rolled.rows].tolist() == X["origin"][X["origin"].isin(origins)].tolist()
    assert (rolled.forecasts.index == X.index[rolled.rows]).all() and list(rolled.forecasts) == TAUS
    assert rolled.seconds.index.tolist() == origins and rolled.seconds["rows"].sum() == len(rolled.rows)


@pytest.mark.parametrize(("every", "fits"), [(0, [0] * 8), (1, list(range(8))), (3, [0, 0, 0, 3, 3, 3, 6, 6])])
def test_fits_are_renewed_as_asked(every, fits):
    X = frame()
    origins = last_origins(X, 8)
    rolled = roll(Spy(), X, origins, TAUS, refit_every=every)
    assert rolled.seconds["fitted_at"].tolist() == [origins[step] for step in fits]
    for step, at in enumerate(origins):
        rows = X["origin"].to_numpy()[rolled.rows] == at
        known = X[X["day"] <= origins[fits[step]]]
        assert rolled.forecasts[0.5].to_numpy()[rows] == pytest.approx(0.5 * known["y"].mean())
        assert rolled.seconds["fit_rows"][at] == len(known)
    renewed = (rolled.seconds["fit_seconds"] > 0).tolist()
    assert renewed == [step == at for step, at in enumerate(fits)]
    assert seconds_of(rolled)["fit_seconds"] == pytest.approx(rolled.seconds["fit_seconds"].sum())


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("every", [0, 1])
def test_no_future_reaches_a_forecast(name, every):
    """All answers of days after the first test origin are shuffled and moved: its forecasts stay to the last bit."""
    X = frame()
    first, second, *_ = origins = last_origins(X, 2)
    rng = np.random.default_rng(0)
    for at in origins:
        torn = X.assign(y=np.where(X["day"] > at, 100 + rng.permutation(X["y"]), X["y"]))
        one, two = (roll(MODELS[name], part, origins, TAUS, refit_every=every) for part in (X, torn))
        rows = X["origin"].to_numpy()[one.rows] <= at
        pd.testing.assert_frame_equal(one.forecasts[rows], two.forecasts[rows])
    if every == 1 and name != "v0":
        torn = X.assign(y=np.where(X["day"] > first, 100 + X["y"], X["y"]))
        later = roll(MODELS[name], torn, origins, TAUS, refit_every=1)
        rows = X["origin"].to_numpy()[later.rows] == second
        assert not later.forecasts[rows].equals(one.forecasts[rows])  # and what was known does reach it


def test_unknown_answers_are_forecast_and_not_fitted_to():
    X = frame()
    origins = last_origins(X, 2)
    X.loc[X["day"] > origins[0], "y"] = np.nan
    X.loc[X.index[:5], "y"] = np.nan
    rolled = roll(Spy(), X, origins, TAUS, refit_every=1)
    assert rolled.forecasts.notna().all(axis=None) and np.isfinite(rolled.model.y_).all()


def test_the_model_passed_stays_unfitted():
    model = BoostedQuantiles(TAUS, **QUICK)
    roll(model, frame(), last_origins(frame(), 1), TAUS)
    assert not hasattr(model, "boosters_")


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda X: roll(Spy(), X, [139], TAUS, -1),
            "refit_every must be 0 or more, got -1; 0 fits once, 1 at each origin.",
        ),
        (
            lambda X: roll(Spy(), X, [146], TAUS),
            "origins must be origins of the frame, got 146; build its features.",
        ),
        (
            lambda X: roll(Spy(), X, [6], TAUS),
            "frame must be a table with rows whose day is at most 6, got none; build the features of earlier origins.",
        ),
        (lambda X: last_origins(X, 20), "weeks must be from 1 to 19, got 20; ask for fewer, or build more."),
        (
            lambda X: roll(Spy(), X[["origin", "y"]], [139], TAUS),
            "frame must be a table with a column 'day', got 'origin', 'y'; add 'day' or rename one of yours.",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, text):
    with pytest.raises(ContractError) as refused:
        call(frame())
    assert str(refused.value) == text
