"""The model on disk and at one row: the same numbers as in a table, the same after a restart, and its refusals."""

import hashlib
import json
from types import SimpleNamespace

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.decisions import IsotonicCalibrator, PlattCalibrator, undo_undersampling
from casebook.fraud.feature_spec import FEATURES
from casebook.fraud.features import build
from casebook.fraud.served_model import MANIFEST, ServedModel

CUTS = (0.1, 0.3, 0.9)
ISOTONIC = IsotonicCalibrator(np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.1, 0.7]))


@pytest.fixture(scope="module")
def table(logs):
    return build(*logs(np.random.default_rng(5), 200))


def changed(model, **settings):
    kept = {"cuts": model.cuts, "keep_negatives": model.keep_negatives, "calibrator": model.calibrator}
    return ServedModel(model.name, model.text, **(kept | settings))


def test_one_row_gives_what_the_table_gives(toy_model, table):
    rows = [toy_model.p(row) for row in table.to_dict("records")]
    assert rows == toy_model.predict(table).tolist()
    booster = lgb.Booster(model_str=toy_model.text)
    np.testing.assert_array_equal(rows, booster.predict(table.to_numpy()))
    assert len(set(rows)) > 20


def test_the_prior_is_corrected_before_the_calibration(toy_model, table):
    raw = toy_model.predict(table)
    platt = PlattCalibrator(slope=0.8, intercept=-0.4)
    both = changed(toy_model, keep_negatives=0.05, calibrator=platt)
    np.testing.assert_allclose(both.predict(table), platt(undo_undersampling(raw, 0.05)), rtol=1e-12)
    np.testing.assert_allclose(both.p(table.iloc[3].to_dict()), both.predict(table)[3], rtol=1e-12)
    other_order = undo_undersampling(platt(raw), 0.05)
    assert np.abs(both.predict(table) - other_order).max() > 1e-3


def test_the_rooms_own_model_brings_its_columns_and_its_share(logs, table, tmp_path):
    columns = ["card_count_24h", "amount_cents", "entry"]
    X = build(*logs(np.random.default_rng(6), 1_000))[columns]
    data = lgb.Dataset(X.to_numpy(), X["amount_cents"] > 70_000, params={"verbosity": -1})
    booster = lgb.train({"objective": "binary", "verbosity": -1, "num_threads": 1}, data, 10)
    estimator = SimpleNamespace(booster_=booster, columns_=columns, keep_=0.1)
    model = ServedModel.of(estimator, "boosted", CUTS)
    wanted = undo_undersampling(booster.predict(table[columns].to_numpy()), 0.1)
    np.testing.assert_allclose(model.predict(table), wanted, rtol=1e-12)
    assert model.p(table.iloc[0].to_dict()) == model.predict(table)[0]
    model.save(tmp_path)
    assert ServedModel.load(tmp_path) == model


def test_features_may_come_in_any_order_with_others_among_them(toy_model, table):
    row = table.iloc[0].to_dict()
    mixed = {"something else": 7.0, **dict(reversed(row.items()))}
    assert toy_model.p(mixed) == toy_model.p(row)
    assert toy_model.predict(table[table.columns[::-1]]).tolist() == toy_model.predict(table).tolist()


def test_a_tier_begins_at_its_cut(toy_model):
    tiers = [toy_model.tier(p) for p in (0.0, 0.0999, 0.1, 0.2999, 0.3, 0.8999, 0.9, 1.0)]
    assert tiers == ["allow", "allow", "push", "push", "call", "call", "block", "block"]
    no_call = changed(toy_model, cuts=(0.1, 0.5, 0.5))
    assert {no_call.tier(p) for p in np.linspace(0, 1, 101)} == {"allow", "push", "block"}


def test_reasons_are_the_largest_shares_and_the_shares_sum_to_the_score(toy_model, table):
    row = table.iloc[int(np.argmax(toy_model.predict(table)))].to_dict()
    booster = lgb.Booster(model_str=toy_model.text)
    shares = booster.predict(np.array([list(row.values())]), pred_contrib=True)[0]
    p = toy_model.p(row)
    assert shares.sum() == pytest.approx(np.log(p / (1 - p)))
    first = list(FEATURES)[int(np.argmax(shares[:-1]))]
    reasons = toy_model.reasons(row)
    assert reasons[0] == f"model: {first} = {row[first]:g} ({shares[:-1].max():+.2f})"
    assert len(reasons) == 3 and len(toy_model.reasons(row, most=1)) == 1
    assert {reason.split(" ")[1] for reason in reasons} >= {"amount_cents", "new_merchant"}


def test_only_what_raises_the_score_is_a_reason(toy_model, table):
    row = table.iloc[int(np.argmin(toy_model.predict(table)))].to_dict()
    assert all("(+" in reason for reason in toy_model.reasons(row, most=50))


@pytest.mark.parametrize("calibrator", [None, PlattCalibrator(0.8, -0.4), ISOTONIC], ids=["none", "platt", "isotonic"])
def test_what_was_saved_comes_back(toy_model, table, tmp_path, calibrator):
    model = changed(toy_model, keep_negatives=0.05, calibrator=calibrator)
    manifest = model.save(tmp_path / "model")
    back = ServedModel.load(tmp_path / "model")
    assert (back.name, back.version, back.cuts) == (model.name, model.version, model.cuts)
    assert back.predict(table).tolist() == model.predict(table).tolist()
    file = manifest.parent / json.loads(manifest.read_text())["file"]
    assert hashlib.sha256(file.read_bytes()).hexdigest() == model.version


def test_another_model_has_another_version_and_the_old_file_stays(toy_model, tmp_path):
    toy_model.save(tmp_path)
    fewer = lgb.Booster(model_str=toy_model.text).model_to_string(num_iteration=5)
    newer = ServedModel("newer", fewer, CUTS)
    newer.save(tmp_path)
    assert newer.version != toy_model.version
    assert ServedModel.load(tmp_path).version == newer.version
    assert len(list(tmp_path.glob("model-*.txt"))) == 2


def test_a_reader_never_sees_half_a_model(toy_model, tmp_path, monkeypatch):
    toy_model.save(tmp_path)
    fewer = lgb.Booster(model_str=toy_model.text).model_to_string(num_iteration=5)
    monkeypatch.setattr("casebook.fraud.served_model.write_json", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        ServedModel("newer", fewer, CUTS).save(tmp_path)
    assert ServedModel.load(tmp_path).version == toy_model.version


@pytest.mark.parametrize("cuts", [(0.5, 0.4, 0.8), (0.0, 0.4, 0.8), (0.1, 0.4, 1.0), (0.1, 0.4), (0.1, np.nan, 0.8)])
def test_cuts_that_do_not_rise_are_refused(toy_model, cuts):
    with pytest.raises(ContractError, match="cuts must be three numbers that rise in"):
        changed(toy_model, cuts=cuts)


def test_other_bad_settings_are_refused(toy_model):
    with pytest.raises(ContractError) as refused:
        changed(toy_model, keep_negatives=0)
    assert str(refused.value) == "keep_negatives must be above 0 and at most 1, got 0; give the share kept."
    with pytest.raises(ContractError) as refused:
        ServedModel.of("a path", "toy", CUTS)
    assert str(refused.value) == (
        "model must be a fitted lightgbm.Booster, LGBMClassifier or BoostedModel, got str; "
        "fit one, or write a server for yours."
    )
    with pytest.raises(ContractError, match="text must be a model as LightGBM writes it, got 'pickle'"):
        ServedModel("toy", "pickle", CUTS)


def test_a_model_of_other_features_is_refused():
    X = pd.DataFrame({"amount_cents": np.arange(100.0), "label": np.arange(100.0)})
    fitted = lgb.LGBMClassifier(n_estimators=2, n_jobs=1, verbose=-1).fit(X, X["label"] > 50)
    with pytest.raises(ContractError) as refused:
        ServedModel.of(fitted, "toy", CUTS)
    assert str(refused.value) == (
        "the model's features must be among casebook.fraud.feature_spec.FEATURES, got 'label'; "
        "fit on a table with those columns."
    )
    with pytest.raises(ContractError) as refused:
        ServedModel.of(fitted, "toy", CUTS, features=("amount_cents",))
    assert str(refused.value) == "features must be of 2 names, got 1; name the columns it was fitted on."


def test_a_folder_without_a_sound_model_is_refused(toy_model, tmp_path):
    with pytest.raises(ContractError, match=r"--model must be a folder with a manifest.json, got .*; write it with"):
        ServedModel.load(tmp_path)
    manifest = toy_model.save(tmp_path)
    said = json.loads(manifest.read_text())
    file = tmp_path / said["file"]
    file.write_text(file.read_text().replace("leaf_value=", "leaf_value=9", 1))
    with pytest.raises(ContractError, match="must be the file that its manifest names, got another one"):
        ServedModel.load(tmp_path)
    file.unlink()
    with pytest.raises(ContractError, match="must be a manifest whose model's file lies beside it"):
        ServedModel.load(tmp_path)
    for broken in ("{", "[]", json.dumps(said | {"cuts": None}), json.dumps({"name": "toy"})):
        (tmp_path / MANIFEST).write_text(broken)
        with pytest.raises(ContractError):
            ServedModel.load(tmp_path)
