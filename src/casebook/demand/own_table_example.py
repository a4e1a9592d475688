"""A small example in the shape of a reader's tables, whose true demand is known."""

from __future__ import annotations

import numpy as np
import pandas as pd

STORES, SKUS = ("harbour", "station", "mill"), ("A1", "A2", "A3", "A4", "A5")
RATES = np.array([0.4, 1.5, 3.0, 6.0, 12.0])  # units a day of the five products
FIRST = pd.Timestamp("2025-01-06")


def example_products(rng: np.random.Generator) -> pd.DataFrame:
    """Draw a small table of products.

    Parameters
    ----------
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> example_products(np.random.default_rng(0)).columns.tolist()
    ['sku_id', 'price', 'cost', 'salvage', 'goodwill', 'case_pack']
    """
    price = rng.uniform(1, 9, len(SKUS)).round(2)
    cost = (price * rng.uniform(0.5, 0.8, len(SKUS))).round(2)
    salvage = (cost * rng.uniform(0, 0.9, len(SKUS))).round(2)
    columns = {"sku_id": list(SKUS), "price": price, "cost": cost, "salvage": salvage}
    return pd.DataFrame(columns).assign(goodwill=1.0, case_pack=rng.choice([4, 6, 12], len(SKUS)))


def example_sales(days: int, rng: np.random.Generator, stock: float = 1.5) -> pd.DataFrame:
    """Draw daily sales of three stores and five products, cut off by a shelf that is filled anew each morning.

    Parameters
    ----------
    days : int
        From Monday, 6 January 2025.
    rng : numpy.random.Generator
    stock : float
        Units on the shelf in the morning over mean demand, rounded up.

    Returns
    -------
    pandas.DataFrame
        With a column ``wanted``, which no reader has.

    Examples
    --------
    >>> example_sales(7, np.random.default_rng(0)).shape
    (105, 7)
    """
    store, sku, day = (axis.ravel() for axis in np.indices((len(STORES), len(SKUS), days)))
    mean = RATES[sku] * (0.8 + 0.2 * store) * np.where(day % 7 >= 5, 1.5, 1.0)
    wanted = rng.negative_binomial(3, 3 / (3 + mean))
    shelf = np.ceil(stock * mean).astype(int)
    sold = np.minimum(wanted, shelf)
    columns = {"store_id": np.array(STORES)[store], "sku_id": np.array(SKUS)[sku]}
    columns |= {"date": FIRST + pd.to_timedelta(day, unit="D"), "sold": sold}
    return pd.DataFrame(columns).assign(stocked_out=sold == shelf, stock_close=shelf - sold, wanted=wanted)
