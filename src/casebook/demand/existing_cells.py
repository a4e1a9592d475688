"""Which cells exist at all: of all pairs of product and store few are listed, and of those few sell on a given day."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import require_columns
from casebook.decisions._numbers import as_numbers


def quiet_share(means_a_day: npt.ArrayLike, days: int = 7, dispersion: float = 0.0) -> float:
    """Return the share of cells that are expected to sell nothing in so many days.

    Parameters
    ----------
    means_a_day : array_like, shape (cells,)
        Expected units a day.
    days : int
    dispersion : float
        A day's variance is mean + dispersion * mean^2, days independent; 0 is Poisson.

    Examples
    --------
    >>> round(quiet_share([0.05, 0.05, 2.0]), 3)
    0.47
    """
    means, dispersion = as_numbers(means_a_day, "means_a_day", 0), float(as_numbers(dispersion, "dispersion", 0))
    if dispersion == 0:
        return float(np.exp(-means * days).mean())
    return float(((1 + dispersion * means) ** (-days / dispersion)).mean())


def cells_that_exist(tables: Mapping[str, pd.DataFrame], last_days: int = 28) -> pd.DataFrame:
    """Return how few of all pairs of product and store are there, and how few of those sell, on the last day of sales.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``stores``, ``products``, ``cells`` and ``sales``.
    last_days : int
        Days up to the last that count as now.

    Returns
    -------
    pandas.DataFrame
        By group: ``cells``, ``share_of_all``, ``share_of_previous``; the last row is a mean over days.

    Raises
    ------
    ContractError
        No sales, or a missing column.

    Examples
    --------
    >>> sales = pd.DataFrame({"store_id": [1, 1], "sku_id": [5, 6], "day": [27, 27], "sold": [3, 0]})
    >>> cells = pd.DataFrame({"store_id": [1, 1], "sku_id": [5, 6]})
    >>> tables = {"stores": pd.DataFrame({"store_id": [1, 2]}), "products": pd.DataFrame({"sku_id": [5, 6, 7]})}
    >>> cells_that_exist(tables | {"cells": cells, "sales": sales})["cells"].round(2).to_dict()
    {'every product in every store': 6.0, 'listed at some time': 2.0, 'on the shelf now': 2.0,
     'sold in the last 28 days': 1.0, 'sold on a mean day of these': 0.04}
    """
    sales, key = tables["sales"], ["store_id", "sku_id"]
    require_columns(sales, [*key, "day", "sold"], "sales")
    last = sales["day"].max()
    recent = sales[sales["day"] > last - last_days]
    sold = recent[recent["sold"] > 0]
    counts = {
        "every product in every store": len(tables["stores"]) * len(tables["products"]),
        "listed at some time": len(tables["cells"].drop_duplicates(key)),
        "on the shelf now": int((sales["day"] == last).sum()),
        f"sold in the last {last_days} days": len(sold.drop_duplicates(key)),
        "sold on a mean day of these": len(sold) / last_days,
    }
    table = pd.DataFrame({"cells": pd.Series(counts, dtype=float)}).rename_axis("group")
    shares = {"share_of_all": table["cells"] / table["cells"].iloc[0]}
    return table.assign(**shares, share_of_previous=table["cells"] / table["cells"].shift())
