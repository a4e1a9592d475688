"""The wholesaler's lines: what is left out, the week of six days, kinds of demand, forecasts that cannot look ahead."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import mean_pinball_loss

from casebook import datasets
from casebook.contracts import ContractError
from casebook.demand.real_retail import (
    CLASSES,
    METHODS,
    TAU,
    choose_products,
    compare,
    daily_panel,
    demand_classes,
    product_lines,
)
from casebook.demand.real_retail_models import (
    BASELINES,
    BOOSTED,
    ERRORS,
    FEATURES,
    LEAST_PAST,
    SMOOTHING,
    WEEK,
    baselines,
    boost,
    features,
    simple_model,
)

EXACT = 1e-9


def lines(**changed):
    columns = {
        "invoice": ["1", "2", "C3", "4", "5", "6"],
        "sku": ["85048", "79323P", "85048", "POST", "85048", "79323P"],
        "quantity": [6, 2, -6, 1, -3, 4],
        "at": pd.to_datetime([f"2010-01-{day} 10:00" for day in (10, 16, 17, 18, 19, 22)]),
        "price": [2.0, 3.0, 2.0, 18.0, 0.0, 3.0],
        "cancelled": [0, 0, 1, 0, 0, 0],
    }
    return pd.DataFrame(columns | changed)


def panel(rng, products=12, weeks=32):
    mean = rng.lognormal(0, 1.2, (products, 1))
    sizes = rng.poisson(mean, (products, weeks * WEEK)) * rng.integers(1, 6, (products, weeks * WEEK))
    days = pd.date_range("2010-01-10", periods=weeks * 7)
    return pd.DataFrame(sizes.astype(float), [f"{n:05d}" for n in range(products)], days[days.day_of_week != 5])


def test_lines_left_out_are_counted_by_the_first_reason():
    kept, counts = product_lines(lines())
    assert counts.to_dict() == {"cancelled": 1, "write-off": 1, "no product": 1, "no price": 0, "kept": 3}
    assert kept["invoice"].tolist() == ["1", "2", "6"]
    _, counts = product_lines(lines(price=[0.0, 3.0, 2.0, 18.0, 0.0, 3.0]))
    assert counts["no price"] == 1 and counts.sum() == 6


def test_a_week_has_six_days_and_saturdays_lines_count_for_sunday():
    table = daily_panel(product_lines(lines())[0])
    assert table.shape == (2, 2 * WEEK)
    assert not (table.columns.day_of_week == 5).any()
    assert table.loc["85048", pd.Timestamp("2010-01-10")] == 6
    assert table.loc["79323P", pd.Timestamp("2010-01-17")] == 2
    assert table.loc["79323P", pd.Timestamp("2010-01-22")] == 4
    assert table.to_numpy().sum() == 12
    later = pd.concat([lines(), lines().iloc[[0]].assign(at=pd.Timestamp("2010-01-25"))])
    assert daily_panel(product_lines(later)[0]).equals(table)  # the broken week is left out


@given(seed=st.integers(0, 5_000))
def test_classes_are_those_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(rng.poisson(rng.uniform(0.05, 3), (5, 40)) * rng.choice([1, 1, 1, 9], (5, 40)))
    found = demand_classes(table)
    for name, row in table.iterrows():
        sold = row.to_numpy()[np.argmax(row.to_numpy() > 0) :]
        if row.sum() == 0:
            assert name not in found.index
            continue
        adi, sizes = len(sold) / (sold > 0).sum(), sold[sold > 0]
        kind = CLASSES[2 * (adi >= 1.32) + (np.var(sizes) / np.mean(sizes) ** 2 >= 0.49)]
        assert found.loc[name, "adi"] == pytest.approx(adi)
        assert found.loc[name, "zero_share"] == pytest.approx((sold == 0).mean())
        assert found.loc[name, "kind"] == kind


def test_chosen_products_sell_before_the_origin():
    rng = np.random.default_rng(0)
    table = panel(rng, 20)
    origin = 30 * WEEK - 1
    table.iloc[0, : origin + 1] = 0
    table.iloc[1, origin + 1 - 8 * WEEK : origin + 1] = 0
    chosen = choose_products(table, origin, 10, rng)
    assert len(chosen) == 10 and not {"00000", "00001"} & set(chosen.index)
    changed = table.copy()
    changed.iloc[:, origin + 1 :] = 0
    one, other = (choose_products(each, origin, 8, np.random.default_rng(1)) for each in (table, changed))
    assert list(one.index) == list(other.index)


def test_simple_methods_are_their_textbook_recursions():
    rng = np.random.default_rng(2)
    history = panel(rng, 3, 26).to_numpy()
    point, quantile = baselines(history, "seasonal naive", 0.8)
    np.testing.assert_array_equal(point, history[:, -WEEK:])
    errors = (history[:, WEEK:] - history[:, :-WEEK])[:, -ERRORS:]
    expected = np.maximum(point + np.quantile(errors, 0.8, axis=1)[:, None], 0)
    np.testing.assert_allclose(quantile, expected, atol=EXACT)
    point, _ = baselines(history, "TSB", 0.8)
    for row, own in zip(history, point, strict=True):
        sold = (row > 0).astype(float)
        chance, size = sold[0], row[row > 0][0]
        for day in range(1, len(row)):
            chance += SMOOTHING * (sold[day] - chance)
        for quantity in row[row > 0][1:]:
            size += SMOOTHING * (quantity - size)
        np.testing.assert_allclose(own, chance * size, rtol=1e-4)  # the library works in 32 bits
    assert (baselines(history, "Croston SBA", 0.8)[0] > 0).all()


@given(seed=st.integers(0, 1_000))
def test_features_do_not_see_past_the_origin(seed):
    rng = np.random.default_rng(seed)
    units = panel(rng, 4, 20).to_numpy()
    origin = 15 * WEEK - 1
    shuffled = units.copy()
    shuffled[:, origin + 1 :] = rng.permuted(shuffled[:, origin + 1 :], axis=1) + 7
    pd.testing.assert_frame_equal(features(units, origin), features(shuffled, origin))
    assert list(features(units, origin).columns) == list(FEATURES)


def test_features_are_what_the_hand_finds():
    units = np.zeros((1, 90))
    units[0, :78] = np.tile([0.0, 1.0, 2.0, 3.0, 4.0, 5.0], 13)
    units[0, 77] = 0.0
    row = features(units, 77).iloc[1]
    level = 0.1 + units[0, 6:78].mean()
    assert row["horizon"] == 2 and row["weekday"] == 1 and row["days since sale"] == 1
    assert row["week ago"] == pytest.approx(1 / level) and row["two weeks ago"] == pytest.approx(1 / level)
    assert row["mean 6"] == pytest.approx(10 / 6 / level) and row["largest 24"] == pytest.approx(5 / level)
    assert row["zeros 24"] == pytest.approx(5 / 24)


def test_the_boosted_model_ignores_days_after_the_first_origin_when_it_learns():
    rng = np.random.default_rng(3)
    units = panel(rng, 10, 32).to_numpy()
    origins = [28 * WEEK - 1, 29 * WEEK - 1]
    point, quantile = boost(units, origins, 0.8)
    assert point.shape == (10, 2, WEEK) and (point >= 0).all() and (quantile >= 0).all()
    changed = units.copy()
    changed[:, origins[0] + 1 :] = 99.0
    again = boost(changed, origins, 0.8)
    np.testing.assert_allclose(again[0][:, 0], point[:, 0])
    np.testing.assert_allclose(again[1][:, 0], quantile[:, 0])


def test_the_boosted_quantile_covers_its_share_of_stationary_demand():
    rng = np.random.default_rng(4)
    units = rng.negative_binomial(2, 0.1, (60, 40 * WEEK)).astype(float)
    origins = [week * WEEK - 1 for week in (36, 37, 38, 39)]
    truth = np.stack([units[:, origin + 1 : origin + 1 + WEEK] for origin in origins], axis=1)
    _, quantile = boost(units, origins, 0.8)
    # Four standard errors of 1440 days, and 0.02 for a model fitted to nine thousand.
    assert abs((truth <= quantile).mean() - 0.8) < 4 * np.sqrt(0.8 * 0.2 / truth.size) + 0.02


def test_scores_are_recomputed_from_forecasts():
    rng = np.random.default_rng(5)
    table = panel(rng, 12, 32)
    origins = [week * WEEK - 1 for week in (28, 29)]
    found = compare(table, origins)
    assert list(found.table.index) == list(METHODS) and found.origins == origins
    units = table.to_numpy()
    truth = np.stack([units[:, origin + 1 : origin + 1 + WEEK] for origin in origins], axis=1)
    pairs = [baselines(units[:, : origin + 1], "TSB", TAU) for origin in origins]
    point, quantile = (np.stack([pair[part] for pair in pairs], axis=1) for part in (0, 1))
    row = found.table.loc["TSB"]
    assert row["wape"] == pytest.approx(np.abs(truth - point).sum() / truth.sum())
    assert row["pinball"] == pytest.approx(mean_pinball_loss(truth.ravel(), quantile.ravel(), alpha=TAU))
    assert row["coverage"] == pytest.approx((truth <= quantile).mean())
    assert row["excess"] == pytest.approx(row["pinball"] - found.table.loc[BOOSTED, "pinball"])
    assert found.table.loc["nothing", ["wape", "bias"]].tolist() == [1.0, -1.0]
    known = found.by_kind.xs("TSB", level="method")
    assert known["products"].sum() == 12
    weighed = (known["pinball"] * known["products"]).sum() / 12
    assert weighed == pytest.approx(row["pinball"])


def test_the_year_has_its_known_shape():
    path = datasets.fetch("online-retail-ii-2009-2010")
    if path is None:
        pytest.skip("data absent")
    kept, counts = product_lines(datasets.prepare_online_retail(path))
    assert counts["cancelled"] == 10_206 and counts.sum() == 525_461
    table = daily_panel(kept)
    assert table.shape[1] % WEEK == 0 and table.columns[-1] == pd.Timestamp("2010-12-03")
    kinds = demand_classes(table)["kind"].value_counts(normalize=True)
    assert kinds["lumpy"] > 0.5 and kinds["intermittent"] + kinds["lumpy"] > 0.8


def said(call):
    with pytest.raises(ContractError) as caught:
        call()
    return str(caught.value)


def test_refusals():
    table = panel(np.random.default_rng(6), 4, 30)
    assert said(lambda: product_lines(lines(sku=["POST"] * 6))) == (
        "the lines must be some that sell a product, got none; pass the original file."
    )
    assert said(lambda: daily_panel(product_lines(lines())[0].iloc[:1])) == (
        "the lines must be a week or more after 10 January 2010, got less; pass the whole year."
    )
    assert said(lambda: choose_products(table, 179, 9, np.random.default_rng(0))) == (
        "products must be at most 3, those that sell, got 9; draw fewer."
    )
    for origin in (LEAST_PAST - WEEK - 1, 30 * WEEK - 1, 28 * WEEK):
        assert said(lambda origin=origin: compare(table, [origin])) == (
            f"an origin must be a week's last day with 156 days before it and 6 after, got {origin}; take 6 k - 1."
        )
    many = pd.concat([table] * 40, ignore_index=True)
    assert said(lambda: compare(many, [28 * WEEK - 1])) == (
        "the panel must be at most 150 products, got 160; draw some with choose_products."
    )
    assert said(lambda: simple_model("prophet")) == (
        f"name must be one of {', '.join(BASELINES)}, got 'prophet'; pick one."
    )
