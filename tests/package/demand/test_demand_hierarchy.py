"""The summing matrix against a library and a group-by, the leaf panel's refusals, and the measure of incoherence."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.hierarchy import aggregate, gaps, hierarchy_of, incoherence, is_coherent, leaf_panel

SUMS = 1e-9  # sums in another order
LEVELS = {
    "total": [],
    "region": ["region"],
    "category": ["category"],
    "region and category": ["region", "category"],
    "leaf": ["store_id", "sku_id"],
}


def leaves(rng, stores=4, skus=5):
    region = rng.choice(["north", "south"], stores)
    category = rng.choice(["bakery", "dairy", "frozen"], skus)
    pairs = pd.MultiIndex.from_product([range(stores), range(skus)], names=["store_id", "sku_id"]).to_frame(index=False)
    pairs = pairs.assign(region=region[pairs["store_id"]], category=category[pairs["sku_id"]])
    return pairs.sample(frac=1, random_state=int(rng.integers(1 << 30)), ignore_index=True)


def long_sales(rng, cells, days=6):
    table = cells.loc[cells.index.repeat(days)].assign(day=np.tile(np.arange(days), len(cells)))
    return table.assign(sold=rng.poisson(3, len(table)))


@given(seed=st.integers(0, 10_000))
def test_every_node_is_the_group_by_of_its_columns(seed):
    rng = np.random.default_rng(seed)
    cells = leaves(rng)
    shop, sales = hierarchy_of(cells, LEVELS), long_sales(rng, cells)
    nodes = aggregate(shop, leaf_panel(shop, sales))
    assert is_coherent(shop, nodes)
    for level, columns in LEVELS.items():
        if not columns:
            np.testing.assert_allclose(nodes.loc[level].to_numpy()[0], sales.groupby("day")["sold"].sum())
            continue
        expected = sales.groupby([*columns, "day"])["sold"].sum().unstack("day")
        names = [" / ".join(map(str, np.atleast_1d(key))) for key in expected.index]
        named = dict(zip(names, expected.to_numpy(), strict=True))
        assert len(named) == len(nodes.loc[level])
        for node, row in nodes.loc[level].iterrows():
            np.testing.assert_allclose(row, named[node], atol=SUMS)


def test_the_summing_matrix_is_hierarchicalforecasts():
    from hierarchicalforecast.utils import aggregate as theirs

    rng = np.random.default_rng(3)
    cells = leaves(rng).astype({"store_id": str, "sku_id": str}).assign(country="all")
    sales = long_sales(rng, cells).rename(columns={"day": "ds", "sold": "y"})
    above = list(LEVELS.values())[:-1]
    spec = [*(["country", *columns] for columns in above), ["country", "region", "category", "store_id", "sku_id"]]
    _, summing, tags = theirs(sales, spec)
    summing = summing.set_index("unique_id")
    shop = hierarchy_of(cells, LEVELS)
    order = ["/".join(row) for row in cells[spec[-1]].itertuples(index=False)]
    assert (summing.loc[order, order].to_numpy() == shop.summing[shop.bottom]).all()
    for level, columns in zip(shop.levels, spec[:-1], strict=False):
        names = [
            "all" if name == "all" else "all/" + name.replace(" / ", "/") for _, name in shop.nodes[shop.at(level)]
        ]
        assert sorted(tags["/".join(columns)]) == sorted(names)
        assert (summing.loc[names, order].to_numpy() == shop.summing[shop.at(level)]).all()


def test_leaves_come_last_in_the_order_of_the_frame():
    rng = np.random.default_rng(0)
    cells = leaves(rng)
    shop = hierarchy_of(cells, LEVELS)
    assert shop.levels == list(LEVELS)
    assert (shop.summing[shop.bottom] == np.eye(len(cells))).all()
    expected = [f"{row.store_id} / {row.sku_id}" for row in cells.itertuples()]
    assert list(shop.nodes[shop.bottom].get_level_values("node")) == expected


def test_an_unused_category_makes_no_node():
    cells = pd.DataFrame({"sku_id": [1, 2], "category": pd.Categorical(["dairy", "dairy"], ["bakery", "dairy"])})
    shop = hierarchy_of(cells, {"total": [], "category": ["category"], "sku": ["sku_id"]})
    assert shop.nodes.tolist() == [("total", "all"), ("category", "dairy"), ("sku", "1"), ("sku", "2")]


def test_gaps_and_incoherence_are_what_the_hand_finds():
    shop = hierarchy_of(pd.DataFrame({"store_id": [1, 2]}), {"total": [], "store": ["store_id"]})
    base = pd.DataFrame([[10.0, 6.0], [4.0, 4.0], [4.0, 4.0]], shop.nodes)
    assert gaps(shop, base).to_numpy().tolist() == [[2, -2], [0, 0], [0, 0]]
    found = incoherence(shop, base)
    assert found.loc["total"].tolist() == [2, 2, 2 / 8]
    assert not is_coherent(shop, base)


def test_coherence_is_measured_against_the_size_of_the_forecast():
    shop = hierarchy_of(pd.DataFrame({"store_id": [1, 2]}), {"total": [], "store": ["store_id"]})
    big = pd.DataFrame({"monday": [2e6 + 1, 1e6, 1e6]}, shop.nodes)
    assert is_coherent(shop, big)
    assert not is_coherent(shop, big, tolerance=1e-7)
    assert not is_coherent(shop, pd.DataFrame({"monday": [2e-5, 0, 0]}, shop.nodes))


CELLS = pd.DataFrame({"store_id": [1, 2], "region": ["north", "south"]})
SHOP = hierarchy_of(CELLS, {"total": [], "store": ["store_id"]})
SALES = pd.DataFrame({"store_id": [1, 2, 1, 2], "day": [0, 0, 1, 1], "sold": [1, 2, 3, 4]})


def said(call):
    with pytest.raises(ContractError) as caught:
        call()
    return str(caught.value)


def test_refusals_of_a_hierarchy():
    assert said(lambda: hierarchy_of(CELLS, {})) == "levels must be at least one, got none; name the leaves' level."
    assert said(lambda: hierarchy_of(CELLS, {"sku": ["sku_id"]})) == (
        "leaves must be a table with a column 'sku_id', got 'store_id', 'region'; add 'sku_id' or rename one of yours."
    )
    twice = pd.concat([CELLS, CELLS])
    assert said(lambda: hierarchy_of(twice, {"total": [], "store": ["store_id"]})) == (
        "level 'store', the last must be different for every leaf, got two leaves with equal store_id; add a column."
    )
    assert said(lambda: hierarchy_of(CELLS.iloc[:1], {"total": []})) == (
        "level 'total', the last must be made of columns that name a leaf, got no column; add the leaves' level."
    )
    hole = CELLS.assign(region=["north", None])
    assert said(lambda: hierarchy_of(hole, {"region": ["region"], "store": ["store_id"]})) == (
        "leaves, column 'region', row 1 must be a value, got a missing one; fill it in or drop the leaf."
    )
    assert said(lambda: SHOP.at("region")) == "level must be one of total, store, got 'region'; pick one."


def test_refusals_of_a_panel():
    twice = pd.concat([SALES, SALES.iloc[[2]]])
    assert said(lambda: leaf_panel(SHOP, twice)) == (
        "the panel, leaf 1, day 1 must be one row, got two; add them up or drop one."
    )
    assert said(lambda: leaf_panel(SHOP, SALES.iloc[:3])) == (
        "the panel, leaf 2, day 1 must be a number, got a gap; fill in 0 where nothing was sold, or leave the leaf out."
    )
    assert said(lambda: aggregate(SHOP, pd.DataFrame([[1]]))) == (
        "panel must be 2 rows long, one a leaf, got 1; use leaf_panel."
    )


def test_refusals_of_forecasts():
    nodes = aggregate(SHOP, leaf_panel(SHOP, SALES))
    assert said(lambda: gaps(SHOP, nodes.iloc[1:])) == (
        "forecasts must be a table of 3 rows, one a node, got 2 rows; forecast every node."
    )
    assert said(lambda: gaps(SHOP, nodes.iloc[::-1])) == (
        "forecasts must be indexed by the hierarchy's nodes, in their order, got another index; use reindex."
    )
    assert said(lambda: gaps(SHOP, nodes.mask(nodes == 3))) == (
        "forecasts, total all, column 0 must be a finite number, got nan; forecast it anew."
    )


def test_other_leaves_of_the_panel_are_left_out():
    more = pd.concat([SALES, SALES.assign(store_id=9)])
    assert leaf_panel(SHOP, more).equals(leaf_panel(SHOP, SALES))
