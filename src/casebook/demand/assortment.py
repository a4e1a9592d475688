"""Stores, products, and which products are sold where."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.demand.world import BRANDS, CATEGORIES, DAYS, REGIONS, Category, in_words

GROUP = 4  # products that replace each other
NEW_PRODUCTS, NEW_STORES, CLOSED_STORES, UNLISTED = 0.12, 0.08, 0.05, 0.06
_BRAND_PRICE = np.array([0.8, 1.0, 1.4])


def draw_stores(count: int, rng: np.random.Generator, days: int = DAYS) -> pd.DataFrame:
    """Return the table of stores; a few open or close while we look.

    Raises
    ------
    ContractError
        If `count` is below 1.

    Examples
    --------
    >>> draw_stores(2, np.random.default_rng(0))["region"].tolist()
    ['north', 'east']
    """
    if count < 1:
        refuse("stores", "1 or more", str(count), "ask for at least one")
    ids = np.arange(count)
    later, ends = rng.random(count) < NEW_STORES, rng.random(count) < CLOSED_STORES
    opened = np.where(
        later, rng.integers(days // 3, max(days - 90, days // 3 + 1), count), -rng.integers(200, 3_000, count)
    )
    closed = np.where(ends & ~later, rng.integers(days // 2, days, count), np.nan)
    return pd.DataFrame(
        {
            "store_id": ids,
            "region": in_words(ids % len(REGIONS), REGIONS),
            "size_m2": np.exp(rng.normal(np.log(900), 0.4, count)).round(),
            "income": np.exp(rng.normal(0, 0.2, count)).round(2),
            "opened_on": opened,
            "closed_on": closed,
        }
    )


def draw_products(count: int, rng: np.random.Generator, days: int = DAYS) -> pd.DataFrame:
    """Return the table of products, in groups of four that replace each other, and their rate of sale.

    Returns
    -------
    pandas.DataFrame
        The columns of :data:`casebook.demand.tables.TABLES`, and ``level``: units a day in a store of average size,
        which the company does not know.

    Raises
    ------
    ContractError
        If `count` is below 1.
    """
    if count < 1:
        refuse("skus", "1 or more", str(count), "ask for at least one")
    ids, names = np.arange(count), list(CATEGORIES)
    code = (ids // GROUP) % len(names)
    kinds = [CATEGORIES[names[one]] for one in code]
    brand = rng.choice(len(BRANDS), count, p=[0.35, 0.45, 0.2])
    money = _prices(kinds, brand, rng)
    new = rng.random(count) < NEW_PRODUCTS
    launched = np.where(new, rng.integers(days // 4, max(days - 60, days // 4 + 1), count), -1_000)
    daily = np.array([kind.daily for kind in kinds])
    spread = rng.normal(0, 0.9, count) - 0.3 * (brand == 2)
    return pd.DataFrame(
        {
            "sku_id": ids,
            "category": in_words(code, names),
            "brand": in_words(brand, BRANDS),
            "group_id": ids // GROUP,
            **money,
            "shelf_life_days": [int(rng.choice(kind.shelf_life)) for kind in kinds],
            "case_pack": [int(rng.choice(kind.case_pack)) for kind in kinds],
            "review_days": np.where(daily, 1, 7),
            "lead_days": np.where(daily, 1, 3),
            "launched_on": launched,
            "level": np.array([kind.level for kind in kinds]) * np.exp(spread),
        }
    )


def _prices(
    kinds: Sequence[Category], brand: NDArray[np.int64], rng: np.random.Generator
) -> dict[str, NDArray[np.int64]]:
    count = len(kinds)
    price = np.array([kind.price for kind in kinds]) * _BRAND_PRICE[brand] * np.exp(rng.normal(0, 0.25, count))
    cents = np.maximum((price * 100).round(), 20).astype(np.int64)
    margin = np.clip([kind.margin for kind in kinds] + rng.normal(0, 0.06, count), 0.1, 0.7)
    cost = np.maximum((cents * (1 - margin)).round(), 1).astype(np.int64)
    salvage = np.array([kind.salvage for kind in kinds]) * rng.uniform(0.7, 1.0, count)
    return {"price_cents": cents, "cost_cents": cost, "salvage_cents": (cost * salvage).astype(np.int64)}


def draw_cells(
    stores: pd.DataFrame, products: pd.DataFrame, rng: np.random.Generator, share: float = 0.75, days: int = DAYS
) -> pd.DataFrame:
    """Return which product is sold in which store, from when to when; large stores list more.

    Parameters
    ----------
    share : float
        Of all pairs, the share that a store of average size lists.

    Raises
    ------
    ContractError
        A share outside (0, 1].
    """
    if not 0 < share <= 1:
        refuse("share", "in (0, 1]", f"{share:g}", "divide percentages by 100")
    store, sku = (axis.ravel() for axis in np.meshgrid(stores["store_id"], products["sku_id"], indexing="ij"))
    size = np.log(stores["size_m2"].to_numpy() / 900)[store]
    popular = np.log(products["level"].to_numpy())[sku] - np.log(products["level"]).mean()
    odds = np.log(share / (1 - share)) if share < 1 else np.inf
    listed = rng.random(len(store)) < 1 / (1 + np.exp(-(odds + 0.8 * size + 0.4 * popular)))
    store, sku = store[listed], sku[listed]
    first = np.maximum(stores["opened_on"].to_numpy()[store], products["launched_on"].to_numpy()[sku])
    last = stores["closed_on"].to_numpy()[store]
    dropped = rng.random(len(store)) < UNLISTED
    last = np.fmin(last, np.where(dropped, rng.integers(days // 3, days, len(store)), np.nan))
    cells = pd.DataFrame({"store_id": store, "sku_id": sku, "listed_on": first, "delisted_on": last})
    lives = ~(cells["delisted_on"] - cells["listed_on"].clip(lower=0) < 28) & (cells["listed_on"] < days)
    return cells[lives].reset_index(drop=True)
