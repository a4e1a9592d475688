"""Features, fit and forecasts on two worker processes, against the same in one."""

import re
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.demand.evaluate import coverage, pinball
from casebook.demand.feature_spec import IDS, READ
from casebook.demand.features import build_from_parquet
from casebook.demand.model_inputs import Inputs
from casebook.demand.models import BoostedQuantiles
from casebook.demand.origins import weekly_origins
from casebook.demand.simulate import write_parquet
from casebook.demand.world import World
from tests.package.demand.frames import frame

pytest.importorskip("distributed")

from casebook.demand import scale_out_compare
from casebook.demand.scale_out import (
    Part,
    cut_region,
    features_by_region,
    local_cluster,
    predict_by_parts,
    read_parts,
    regions_of,
)
from casebook.demand.scale_out_compare import ONE, SAME_LOSS, compare, difference
from casebook.demand.scale_out_fit import fit_on_cluster, inputs_of, read_slice, settings_of

DAYS = 182
ORIGINS = weekly_origins(DAYS - 60, DAYS - 11)
UNTIL = DAYS - 30
TAUS = (0.5, 0.83)
KEYS = list(IDS[:4])
NETWORK = {"tree_learner", "num_machines", "local_listen_port", "machines", "num_threads"}


@pytest.fixture(scope="module")
def client():
    with local_cluster(2) as found:
        yield found


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    folder = tmp_path_factory.mktemp("grocer") / "tables"
    write_parquet(World(), folder, 10, 14, np.random.default_rng(0), days=DAYS)
    return folder


@pytest.fixture(scope="module")
def one(tables, tmp_path_factory):
    file = tmp_path_factory.mktemp("one") / "features.parquet"
    build_from_parquet(tables, file, ORIGINS, threads=1)
    return pd.read_parquet(file)


@pytest.fixture(scope="module")
def parts(client, tables, tmp_path_factory):
    return features_by_region(client, tables, tmp_path_factory.mktemp("features"), ORIGINS)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """Rows whose target is no count, lest its coverage jump at whole numbers, in three files, and those to judge."""
    X, later = (amounts(seed, weeks, start) for seed, weeks, start in ((0, 60, 0), (1, 30, 420)))
    return written([X[X["sku_id"] % 3 == at] for at in range(3)], tmp_path_factory.mktemp("plain")), X, later


def amounts(seed, weeks, start):
    X = frame(seed, weeks, stores=4, skus=12, start=start)
    return X.assign(y=X["mean_28"].clip(1) * np.random.default_rng(seed).gamma(4, 0.25, len(X)))


def written(frames, folder):
    parts = []
    for place, rows in enumerate(frames):
        file = folder / f"{place}.parquet"
        rows.to_parquet(file, index=False)
        parts.append(Part(str(place), str(file), len(rows)))
    return parts


def refused(task):
    with pytest.raises(ContractError) as caught:
        task()
    return str(caught.value)


def test_features_by_region_are_those_of_one_process_bit_by_bit(parts, one, tables):
    assert [part.region for part in parts] == regions_of(tables) and len(parts) > 2
    assert sum(part.rows for part in parts) == len(one) > 1_000
    pd.testing.assert_frame_equal(read_parts(parts), one, check_exact=True)
    assert one["category_region_trend"].nunique() > 50  # the feature that needs a region whole


def test_a_region_cut_short_of_a_store_has_another_trend(one, tables, tmp_path):
    cut_region(tables, tmp_path, region := regions_of(tables)[0])
    stores = pd.read_parquet(tmp_path / "stores.parquet")
    assert set(stores["region"]) == {region} and len(stores) > 1
    stores.iloc[1:].to_parquet(tmp_path / "stores.parquet", index=False)
    build_from_parquet(tmp_path, tmp_path / "out.parquet", ORIGINS)
    found = pd.read_parquet(tmp_path / "out.parquet").set_index(KEYS)
    whole = one.set_index(KEYS).loc[found.index]
    moved = [name for name in found if not found[name].equals(whole[name])]
    assert moved == ["category_region_trend"]


def test_blocks_of_weeks_and_a_client_of_an_address_change_nothing(client, tables, one, tmp_path):
    from distributed import Client

    with Client(client.scheduler.address) as by_address:
        parts = features_by_region(by_address, tables, tmp_path / "blocks", ORIGINS, blocks=2)
    assert len(parts) == 2 * len(regions_of(tables))
    assert len({part.file for part in parts}) == len(parts)
    pd.testing.assert_frame_equal(read_parts(parts), one, check_exact=True)


def test_forecasts_by_parts_are_those_of_the_model(client, parts, one, tmp_path):
    learnt = one[one["y"].notna()]
    model = BoostedQuantiles(TAUS, trees=5).fit(learnt, learnt["y"])
    said = predict_by_parts(client, model, parts, tmp_path / "forecasts", TAUS)
    assert [(part.region, part.rows) for part in said] == [(part.region, part.rows) for part in parts]
    expected = one[list(IDS)].join(model.predict(one, TAUS).rename(columns=str))
    pd.testing.assert_frame_equal(read_parts(said), expected, check_exact=True)


def test_words_of_all_parts_are_those_of_all_rows(client, parts, one):
    for until in (None, UNTIL):
        learnt = one[one["y"].notna() & (one["day"] <= (until or DAYS))]
        found, expected = inputs_of(client, parts, BoostedQuantiles(), until), Inputs.of(learnt)
        assert found.columns == expected.columns and list(found.words) == list(expected.words)
        assert {"store_id", "sku_id", "region_code"} <= set(found.words)
        for name, words in expected.words.items():
            pd.testing.assert_index_equal(found.words[name], words)


def test_the_shares_hold_every_row_once(parts, one):
    learnt = one[one["y"].notna() & (one["day"] <= UNTIL)]
    inputs, files = Inputs.of(learnt), [part.file for part in parts]
    shares = [read_slice(files, inputs, UNTIL, number, 3) for number in range(3)]
    assert all(0.3 < len(y) / len(learnt) < 0.37 for _, y in shares)
    whole = pd.DataFrame(inputs.matrix(learnt)).assign(y=learnt["y"].to_numpy())
    together = pd.concat([pd.DataFrame(X).assign(y=y) for X, y in shares])
    order = list(together)
    pd.testing.assert_frame_equal(
        together.sort_values(order, ignore_index=True), whole.sort_values(order, ignore_index=True)
    )


def settings_told(booster):
    rows = re.findall(r"^\[(\w+): (.*)\]$", booster.model_to_string(), re.M)
    return {name: value for name, value in rows if name not in NETWORK}


def test_the_fit_on_two_workers_agrees_with_one_process(client, plain):
    parts, X, later = plain
    model = BoostedQuantiles(TAUS, trees=60, leaves=15, least=100, seed=3)
    found, alone = fit_on_cluster(client, model, parts), BoostedQuantiles(**model.get_params()).fit(X, X["y"])
    assert "[num_machines: 2]" in found.boosters_.iloc[0].model_to_string()
    for tau in TAUS:
        assert settings_told(found.boosters_[tau]) == settings_told(alone.boosters_[tau])
    told, own = found.predict(later), alone.predict(later)
    losses = pinball(later["y"].to_numpy(), told) / pinball(later["y"].to_numpy(), own)
    assert (losses - 1).abs().max() < SAME_LOSS
    for tau in TAUS:
        at = coverage(later["y"].to_numpy(), own[tau].to_numpy(), tau)
        assert at.low <= (later["y"] <= told[tau]).mean() <= at.high
    assert not hasattr(model, "boosters_")


def test_rows_dealt_by_file_give_the_mean_of_quantiles_and_dealt_at_random_the_quantile(client, tmp_path):
    rng = np.random.default_rng(0)
    low = frame(0, weeks=40).assign(y=lambda X: rng.uniform(0, 1, len(X)))
    high = frame(1, weeks=40).assign(y=lambda X: rng.uniform(10, 11, len(X)))
    parts = written([low, high], tmp_path)
    model = BoostedQuantiles([0.9], trees=60, leaves=2, ids="none", rate=0.2)
    both = pd.concat([low, high])
    said = {deal: fit_on_cluster(client, model, parts, deal=deal).predict(both)[0.9] for deal in ("rows", "files")}
    assert said["rows"].mean() == pytest.approx(np.quantile(both["y"], 0.9), abs=0.1)
    quantiles = [np.quantile(rows["y"], 0.9) for rows in (low, high)]
    assert said["files"].mean() == pytest.approx(np.mean(quantiles), abs=0.1)


def test_days_after_until_are_not_learnt(client, plain):
    parts, X, _ = plain
    last = int(X["day"].max()) - 100
    files = [pd.read_parquet(part.file) for part in parts]
    known = [rows.assign(y=rows["y"].where(rows["day"] <= last, 1e6)) for rows in files]
    folder = Path(parts[0].file).parent / "later"
    folder.mkdir()
    model = BoostedQuantiles([0.5], trees=5)
    assert fit_on_cluster(client, model, written(known, folder), last).predict(X).max().max() < 1e3


def test_the_comparison_names_every_way_and_stage(client, tables, tmp_path, monkeypatch):
    monkeypatch.setattr(scale_out_compare, "local_cluster", lambda workers: nullcontext(client))  # saves a start
    model = BoostedQuantiles([0.5, 0.83], trees=5)
    rates, agreement = compare(tables, tmp_path, ORIGINS, UNTIL, model, workers=[2], seeds=[0, 1])
    steps = ["features", "fit", "predict"]
    assert rates.index.to_list() == [(ONE, step) for step in steps] + [
        ("2 workers", step) for step in ["start", *steps]
    ]
    assert (rates[["seconds", "cpu_seconds"]] > 0).all(axis=None)
    timed = rates.drop(index=("2 workers", "start"))
    assert timed["rows_per_second"].to_numpy() == pytest.approx((timed["rows"] / timed["seconds"]).to_numpy())
    assert timed["rows"].to_list()[:3] == timed["rows"].to_list()[3:]
    assert agreement.index.to_list() == [(way, tau) for way in (ONE, "2 workers") for tau in (0.5, 0.83)]
    assert (agreement["features_differ"] == 0).all()
    alone, other = agreement.loc[ONE], agreement.loc["2 workers"]
    assert (alone["change"] == 0).all() and alone["agrees"].all()
    assert other["change"].to_numpy() == pytest.approx((other["pinball"] / alone["pinball"] - 1).to_numpy())
    near = other["coverage"].between(other["low"], other["high"]) & (other["change"].abs() <= SAME_LOSS)
    assert (other["agrees"] == near).all()


def test_the_difference_of_features_is_the_largest_and_infinite_where_rows_or_gaps_differ(one):
    moved = one.copy()
    moved.loc[7, "income"] += 0.25
    assert difference(one, one) == 0
    assert difference(one, moved) == pytest.approx(0.25)
    gap = one.copy()
    gap.loc[7, "income"] = np.nan
    assert difference(one, gap) == difference(one, one.iloc[1:]) == float("inf")


def test_what_a_worker_refuses_is_said_here(client, tables, tmp_path):
    said = refused(lambda: features_by_region(client, tables, tmp_path / "out", [DAYS + 6]))
    assert said == (
        f"calendar must be a table up to the last target, day {DAYS + 16}, got day {DAYS + 13}; add the days."
    )


def test_refusals(client, parts, tables, tmp_path):
    assert refused(lambda: local_cluster(0).__enter__()) == (
        "workers must be 1 or more, got 0; take as many as there are cores."
    )
    (tmp_path / "empty").mkdir()
    assert refused(lambda: regions_of(tmp_path / "empty")) == (
        "folder 'empty' must be a folder with the table 'stores', got no such file; "
        "write it as stores.parquet or stores/*.parquet."
    )
    known = ", ".join(map(repr, regions_of(tables)))
    assert refused(lambda: cut_region(tables, tmp_path, "moon")) == (
        f"region must be one that has stores, among {known}, got 'moon'; correct the name."
    )
    blocks = len(ORIGINS) + 1
    assert refused(lambda: features_by_region(client, tables, tmp_path / "out", ORIGINS, blocks=blocks)) == (
        f"blocks must be 1 to the number of origins, {len(ORIGINS)}, got {blocks}; take fewer."
    )
    model = BoostedQuantiles([0.5], trees=2)
    assert refused(lambda: fit_on_cluster(client, model, parts, deal="cards")) == (
        "deal must be one of 'rows', 'files', got 'cards'; correct the word."
    )
    assert refused(lambda: fit_on_cluster(client, model, parts[:1], deal="files")) == (
        "parts must be at least as many files as workers, 2, got 1; deal rows, or build more blocks."
    )
    assert refused(lambda: fit_on_cluster(client, model, parts, until=3)) == (
        "parts must be files with rows to learn from for every worker, got none for one; take later days or more rows."
    )
    assert refused(lambda: compare(tables, tmp_path, ORIGINS, UNTIL, model, seeds=[])) == (
        "seeds must be one or more numbers, got none; take 0."
    )


def test_an_unfinished_forecast_leaves_no_file_of_its_name(client, parts, one, tmp_path):
    learnt = one[one["y"].notna()].drop(columns="income")
    model = BoostedQuantiles([0.5], trees=2).fit(one[one["y"].notna()].assign(extra=1.0), learnt["y"])
    said = refused(lambda: predict_by_parts(client, model, parts, tmp_path / "out", [0.5]))
    assert "extra" in said
    assert list((tmp_path / "out").glob("*.parquet")) == []


def test_the_settings_are_those_of_the_model():
    told = settings_of(BoostedQuantiles(trees=7, leaves=5, rate=0.3, least=9, seed=4))
    assert {told[name] for name in ("n_estimators", "num_leaves", "min_child_samples", "random_state")} == {7, 5, 9, 4}
    assert set(READ) >= {"sales", "stores"}
