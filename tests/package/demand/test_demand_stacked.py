"""Levels never seen: trees stop at the largest cut, the line goes on, the cap holds it; the fit equals a twin."""

import numpy as np
import pandas as pd
import pytest
from sklearn.linear_model import PoissonRegressor

from casebook.contracts import ContractError
from casebook.demand import stacked
from casebook.demand.features import build
from casebook.demand.plays_failures import _cells
from casebook.demand.simulate import simulate
from casebook.demand.world import World

SOLVER = 2e-3  # relative; ours has a touch of ridge, the twin none
SAMPLE = 0.15  # of an elasticity of 2: a few thousand promoted days of some units each
SETTING = {"elasticity": 2.0, "bend": 0.0, "promo_share": 0.15, "dispersion": 0.3}


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    return _cells(SETTING, False, rng), _cells(SETTING, True, rng)


@pytest.fixture(scope="module")
def fitted(rows):
    train = rows[0]
    X = train[list(stacked.READ)]
    return {way: stacked.PromotionModel(way, trees=60).fit(X, train["y"]) for way in stacked.WAYS}


def test_the_lift_is_a_poisson_regression_with_an_offset(rows):
    train = rows[0]
    found = stacked.fit_lift(train["y"], train["usual"], train["depth"], train["shown"], train["group"])
    group = np.eye(7)[train["group"]]
    X = np.hstack([group, group * train["depth"].to_numpy()[:, None], train[["shown"]].to_numpy()])
    usual = train["usual"].to_numpy()
    twin = PoissonRegressor(alpha=0, fit_intercept=False, tol=1e-9, max_iter=10_000)
    twin.fit(X, train["y"] / usual, sample_weight=usual)  # rate with exposure as weight: the same likelihood
    np.testing.assert_allclose(-found.elasticity, twin.coef_[7:14], rtol=SOLVER, atol=SOLVER)
    assert found.display == pytest.approx(twin.coef_[-1], abs=SOLVER)
    true = 2.0 * (0.75 + 0.5 * np.arange(7) / 6)
    np.testing.assert_allclose(-found.elasticity, true, atol=2 * SAMPLE)
    assert -found.elasticity.mean() == pytest.approx(2.0, abs=SAMPLE)


def test_trees_answer_a_larger_cut_as_the_largest_one_seen(rows, fitted):
    seen = rows[0]["depth"].max()
    depths = [0.5 * seen, seen, 1.5 * seen, 2 * seen]
    answer = {way: stacked.response(model, rows[0].query("depth > 0"), depths) for way, model in fitted.items()}
    assert answer["trees"].iloc[1] == answer["trees"].iloc[2] == answer["trees"].iloc[3]
    assert answer["trees"].iloc[0] != answer["trees"].iloc[1]
    for way in ("linear", "cascade"):
        log = np.log(answer[way].to_numpy())
        assert log[3] - log[1] == pytest.approx(2 * (log[1] - log[0]), rel=1e-6)  # a straight line in logs
    assert answer["capped"].iloc[1] < answer["capped"].iloc[2] == answer["capped"].iloc[3]
    np.testing.assert_allclose(answer["trees"].index, 1 - np.exp(-np.array(depths)))


def test_a_cap_of_one_ends_at_the_largest_cut_seen(rows):
    X, y = rows[0][list(stacked.READ)], rows[0]["y"]
    capped = stacked.PromotionModel("capped", cap=1.0, trees=20).fit(X, y)
    free = stacked.PromotionModel("cascade", trees=20).fit(X, y)
    np.testing.assert_allclose(capped.predict(X), free.predict(X))
    deeper = X.assign(depth=2 * X["depth"].max())
    edge = X.assign(depth=X["depth"].max())
    np.testing.assert_allclose(capped.predict(deeper), capped.predict(edge))


def test_on_a_straight_line_trees_fall_short_and_the_cascade_does_not(rows):
    train, test = rows
    kind = np.where(test["stacked"] > 1, "stacked", "other")
    ratio = stacked.never_seen(train, test, kind)["ratio"].xs("stacked", level="kind")
    assert ratio["trees"] < 0.9
    assert abs(ratio["cascade"] - 1) < 0.1 and ratio["capped"] < ratio["cascade"]


def test_rows_of_a_grocer():
    history = simulate(World(stacked_from=100, promo_share=0.3), 4, 12, np.random.default_rng(0), days=196)
    features = build(history.tables, [125, 132])
    rows = stacked.promotion_rows(features, history.tables, history.truth)
    assert len(rows) == features["y"].notna().sum()
    key = ["store_id", "sku_id", "day"]
    beside = rows.merge(history.tables["sales"][[*key, "sold", "price_cents"]], on=key)
    assert (beside["y"] == beside["sold"]).all()
    listed = history.tables["products"].set_index("sku_id")["price_cents"].loc[beside["sku_id"]].to_numpy()
    paid = -np.log(beside["price_cents"] / listed)
    assert (paid - beside["depth"] > -0.02).all()  # late promotions are not planned yet; prices are whole cents
    assert np.isclose(paid, beside["depth"], atol=0.02).mean() > 0.9
    assert rows["stacked"].max() >= 2
    eve = int(history.tables["calendar"].query("holiday == 'easter'")["day"].iloc[0]) - 1
    holiday = stacked.promotion_rows(build(history.tables, [eve - eve % 7 - 1]), history.tables, history.truth,
                                     {"easter": 2.0})  # fmt: skip
    assert not holiday["shown"].any() and (holiday.loc[holiday["day"] == eve, "depth"] == 2.0).all()
    assert (holiday["day"] == eve).any()


def test_holidays_never_reach_over_themselves():
    calendar = pd.DataFrame({"day": np.arange(10), "holiday": ["none"] * 5 + ["easter"] + ["none"] * 3 + ["summer"]})
    pull = stacked.holiday_depth(calendar, {"easter": 1.0, "summer": 0.5})
    np.testing.assert_allclose(pull, [0.2, 0.4, 0.6, 0.8, 1.0, 0.2, 0.3, 0.4, 0.5, 0.0])
    assert not stacked.holiday_depth(calendar, {"thanks": 1.0}).any()


def test_refusals(rows):
    X, y = rows[0][list(stacked.READ)], rows[0]["y"]
    cases = [
        (stacked.PromotionModel("forest"), X,
         "way must be one of 'trees', 'linear', 'cascade', 'capped', got 'forest'; correct the word."),
        (stacked.PromotionModel("capped", cap=0.5), X,
         "cap must be 1 or more, got 0.5; 1 ends at the largest discount seen."),
        (stacked.PromotionModel(), X.assign(depth=0.0),
         "depth must be above 0 in some rows, got 0 in all; fit to days with promotions."),
        (stacked.PromotionModel(), X.assign(mean=1.0),
         "X must be without the answer, got a column 'mean'; take X[list(READ)]."),
    ]  # fmt: skip
    for model, frame, message in cases:
        with pytest.raises(ContractError) as e:
            model.fit(frame, y)
        assert str(e.value) == message
