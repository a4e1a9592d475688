"""Four leaks that a demand table collects when nobody asks what was known at the origin, planted on purpose.

Each column says something about days after the origin. Offline a model learns from it; on the Sunday of an order it is
not there.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse, require_columns
from casebook.demand.feature_spec import READ

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

#: Leak -> its columns and what each says. The origin's features beside them are those of the same name.
LEAKS: dict[str, dict[str, str]] = {
    "lag": {"leaked_lag_7": "units sold 7 days before the target, which for horizons 8 to 10 is after the origin"},
    "rolling": {
        "leaked_mean_7": "mean units a day over the 7 days that end the day before the target",
        "leaked_mean_28": "mean units a day over the 28 days that end the day before the target",
        "leaked_std_28": "standard deviation (n - 1) of the units a day over these 28",
    },
    "weather": {"leaked_temperature": "degrees Celsius observed on the target, in place of the forecast"},
    "promotions": {
        "leaked_discount": "1 minus price over list price on the target, by all promotions that ran",
        "leaked_promotions": "how many promotions ran on the target, announced by the origin or not",
        "leaked_display": "1 if one of them had a display, else 0",
    },
}
#: Leak -> the features that it stands in place of.
IN_PLACE_OF: dict[str, tuple[str, ...]] = {
    "lag": ("last_same_weekday",),
    "rolling": ("mean_7", "mean_28", "std_28"),
    "weather": ("temperature_forecast",),
    "promotions": ("planned_discount", "planned_promotions", "planned_display"),
}
_KEYS = ("store_id", "sku_id", "day")
_ROLLING = {7: ("mean",), 28: ("mean", "std")}


def add_leaks(
    features: pd.DataFrame, tables: Mapping[str, pd.DataFrame], leaks: tuple[str, ...] = tuple(LEAKS)
) -> pd.DataFrame:
    """Return a feature table with leaked columns at its end.

    Parameters
    ----------
    features : pandas.DataFrame, n rows
        What :func:`casebook.demand.features.build` gives; not changed.
    tables : mapping of str to pandas.DataFrame
        The tables that it was built from.
    leaks : tuple of str
        Which of :data:`LEAKS`.

    Returns
    -------
    pandas.DataFrame
        The rows and columns of ``features``, then those of the leaks, of four bytes each; missing where nothing was
        recorded.

    Raises
    ------
    ContractError
        A leak that is not offered, a missing table or column, a row of a store or SKU that the tables do not know.

    Examples
    --------
    >>> sales = pd.DataFrame({"store_id": 1, "sku_id": 5, "day": range(14), "sold": range(14), "stocked_out": False})
    >>> features = pd.DataFrame({"store_id": 1, "sku_id": 5, "origin": 6, "horizon": [7, 8], "day": [13, 14]})
    >>> add_leaks(features, {"sales": sales}, ("lag",))["leaked_lag_7"].tolist()  # 7 is of the day after the origin
    [6.0, 7.0]
    """
    wrong = next((leak for leak in leaks if leak not in LEAKS), None)
    if wrong is not None:
        refuse("leaks", f"some of {', '.join(map(repr, LEAKS))}", repr(wrong), "take some of these")
    require_columns(features, [*_KEYS], "features")
    makers = {"lag": _lag, "rolling": _rolling, "weather": _weather, "promotions": _promotions}
    found = features.copy()
    for leak in leaks:
        for name, values in makers[leak](features, tables).items():
            found[name] = values.astype(np.float32)
    return found


def swap_leaks(features: pd.DataFrame, leaks: tuple[str, ...] = tuple(LEAKS)) -> pd.DataFrame:
    """Return a table that :func:`add_leaks` gave without the honest features that its leaks stand in place of.

    Parameters
    ----------
    features : pandas.DataFrame
    leaks : tuple of str

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> swap_leaks(pd.DataFrame({"mean_91": [2.0], "last_same_weekday": [3.0], "leaked_lag_7": [4.0]}), ("lag",))
       mean_91  leaked_lag_7
    0      2.0           4.0
    """
    return features.drop(columns=[name for leak in leaks for name in IN_PLACE_OF[leak] if name in features.columns])


def _table(tables: Mapping[str, pd.DataFrame], name: str) -> pd.DataFrame:
    if name not in tables:
        refuse("tables", f"a mapping with a table {name!r}", ", ".join(map(repr, tables)), f"add {name!r}")
    if len(tables[name]):
        require_columns(tables[name], READ[name], f"table {name!r}")
    return tables[name]


def _lag(features: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> dict[str, Floats]:
    sold, cell, day = _matrix(features, tables)
    return {"leaked_lag_7": sold[cell, day - 7]}


def _rolling(features: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> dict[str, Floats]:
    sold, cell, day = _matrix(features, tables)
    here = np.isfinite(sold)
    units = np.where(here, sold, 0.0)
    sums = [_before(values) for values in (here.astype(float), units, units**2)]
    found: dict[str, Floats] = {}
    for width, names in _ROLLING.items():
        count, total, squares = (one[cell, day] - one[cell, day - width] for one in sums)
        with np.errstate(invalid="ignore", divide="ignore"):  # a window without a row is missing
            values = {"mean": total / count, "std": np.sqrt((squares - total**2 / count) / (count - 1))}
        found |= {f"leaked_{name}_{width}": np.where(count > (name == "std"), values[name], np.nan) for name in names}
    return found


def _before(values: Floats) -> Floats:
    """Return sums over the days before each, of shape (cells, days)."""
    sums = np.zeros_like(values)
    np.cumsum(values[:, :-1], axis=1, out=sums[:, 1:])
    return sums


def _matrix(features: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> tuple[Floats, Ints, Ints]:
    """Return units sold of shape (cells, days), missing where there is no row, and each feature row's place in it."""
    sales, margin = _table(tables, "sales"), max(_ROLLING)
    places = pd.MultiIndex.from_frame(pd.concat([sales[["store_id", "sku_id"]], features[["store_id", "sku_id"]]]))
    codes, cells = places.factorize()
    first = min(sales["day"].min(), features["day"].min()) - margin
    days = max(sales["day"].max(), features["day"].max()) - first + 1
    sold = np.full((len(cells), days), np.nan)
    sold[codes[: len(sales)], sales["day"].to_numpy() - first] = sales["sold"]
    return sold, codes[len(sales) :], features["day"].to_numpy() - first


def _regions(features: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> pd.Series:
    stores = _table(tables, "stores").set_index("store_id")["region"].astype(str)
    unknown = features.loc[~features["store_id"].isin(stores.index), "store_id"]
    if len(unknown):
        refuse("features, column 'store_id'", "of a store in table 'stores'", str(unknown.iloc[0]), "add the store")
    return features["store_id"].map(stores)


def _weather(features: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> dict[str, Floats]:
    seen = _table(tables, "weather").assign(region=lambda frame: frame["region"].astype(str))
    asked = pd.DataFrame({"region": _regions(features, tables).to_numpy(), "day": features["day"].to_numpy()})
    joined = asked.merge(seen[["region", "day", "temperature_c"]], how="left", on=["region", "day"])
    return {"leaked_temperature": joined["temperature_c"].to_numpy(float)}


def _promotions(features: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> dict[str, Floats]:
    ran = _table(tables, "promotions").astype({"region": str, "display": int}).reset_index(drop=True)
    length = (ran["last_day"] - ran["first_day"] + 1).to_numpy()
    daily = ran.loc[ran.index.repeat(length), ["sku_id", "region", "first_day", "display", "discount"]]
    daily["day"] = daily["first_day"] + daily.groupby(level=0).cumcount()
    daily["log_price"] = np.log1p(-daily["discount"].astype(float))
    keys = ["sku_id", "region", "day"]
    folded = daily.groupby(keys, as_index=False).agg(
        log_price=("log_price", "sum"), promotions=("discount", "size"), display=("display", "max")
    )
    asked = features[["sku_id", "day"]].assign(region=_regions(features, tables))
    joined = asked.merge(folded, how="left", on=keys)
    return {
        "leaked_discount": 1 - np.exp(joined["log_price"].fillna(0.0).to_numpy(float)),
        "leaked_promotions": joined["promotions"].fillna(0.0).to_numpy(float),
        "leaked_display": joined["display"].fillna(0.0).to_numpy(float),
    }
