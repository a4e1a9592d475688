"""Five ways from sales to demand behind one call, and their bias against the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import as_labels, refuse, require_columns, require_length
from casebook.demand.app_signals import ShareSeen, demand_from_app, learn_share_seen, received_units
from casebook.demand.hour_profile import cell_means, demand_from_hours, learn_prior, share_seen
from casebook.demand.tobit import fit_counts
from casebook.demand.world import YEAR

WAYS = ("as is", "drop", "hours", "tobit", "app")
SPEEDS = {"slow": 0.0, "medium": 1.0, "fast": 5.0}  # units sold a day from which a cell is called so
CELL = ["store_id", "sku_id"]
_MONTH = 28  # days; a year of 364 has 13


def unconstrain(
    sales: pd.DataFrame,
    way: str,
    *,
    products: pd.DataFrame | None = None,
    profile: pd.DataFrame | None = None,
    covariates: pd.DataFrame | None = None,
    share: float | ShareSeen | None = None,
    prior: float | None = None,
) -> pd.Series:
    """Return an estimate of demand for each row of sales.

    ==========  ========================================  ==================================================
    way         what it does                              what it believes
    ==========  ========================================  ==================================================
    ``as is``   demand is what was sold                   that nothing was missing
    ``drop``    missing on days with a stock-out          the flag, and that days without one are like others
    ``hours``   scales up by the hour of the stock-out    the flag, the hour, the profile
    ``tobit``   E[D | D >= sold] on stock-out days        the flag, a negative binomial, the covariates
    ``app``     adds failed adds over the share that try  the app's log, not the flag
    ==========  ========================================  ==================================================

    Parameters
    ----------
    sales : pandas.DataFrame
        ``store_id, sku_id, day, sold, price_cents, stocked_out, stockout_hour``; for ``app`` also ``stock_open,
        searches, failed_adds, substitutions``.
    way : str
        One of :data:`WAYS`.
    products : pandas.DataFrame, optional
        ``sku_id, category, group_id``. ``hours`` and ``tobit`` need it: the profile is that of a category, the
        dispersion that of a category and a :func:`speed`. With it, ``app`` takes off what was sold in another
        product's place.
    profile : pandas.DataFrame, optional
        For ``hours``, as :func:`casebook.demand.hour_profile.learn_profile` returns it.
    covariates : pandas.DataFrame, optional
        For ``tobit``; by default :func:`usual_covariates`.
    share : float or ShareSeen, optional
        For ``app``; learnt by default.
    prior : float, optional
        For ``hours``: shape of the days' rates, in units; by default learnt for each category and :func:`speed`.

    Returns
    -------
    pandas.Series of float
        Units, named by the way, index as `sales`.

    Raises
    ------
    ContractError
        A way that is none, a missing column, or a table that the way needs.

    Examples
    --------
    >>> sales = pd.DataFrame({"store_id": 0, "sku_id": 0, "day": [0, 1, 2], "sold": [4, 6, 5], "price_cents": 300,
    ...                       "stocked_out": [False, False, True], "stockout_hour": [24, 24, 10]})
    >>> unconstrain(sales, "as is").tolist(), unconstrain(sales, "drop").tolist()
    ([4.0, 6.0, 5.0], [4.0, 6.0, nan])
    >>> from casebook.demand.hour_profile import learn_profile
    >>> products = pd.DataFrame({"sku_id": [0], "category": ["dairy"], "group_id": [0]})
    >>> hours = pd.DataFrame({"category": "dairy", "hour": [8, 9, 10, 11], "orders": [10, 30, 40, 20]})
    >>> unconstrain(sales, "hours", products=products, profile=learn_profile(hours), prior=2).round(2).tolist()
    [4.0, 6.0, 8.0]
    """
    if way not in WAYS:
        refuse("way", "one of " + ", ".join(WAYS), repr(way), "choose one of these")
    require_columns(sales, [*CELL, "day", "sold", "price_cents", "stocked_out", "stockout_hour"], "sales")
    calls: dict[str, Callable[[], npt.ArrayLike]] = {
        "as is": lambda: sales["sold"].to_numpy(float),
        "drop": lambda: sales["sold"].astype(float).mask(sales["stocked_out"]).to_numpy(),
        "hours": lambda: _by_hours(sales, _needed(products, "products", way), _needed(profile, "profile", way), prior),
        "tobit": lambda: _by_tobit(sales, _needed(products, "products", way), covariates),
        "app": lambda: _by_app(sales, products, share),
    }
    return pd.Series(np.asarray(calls[way]()), sales.index, name=way)


def _needed(table: pd.DataFrame | None, name: str, way: str) -> pd.DataFrame:
    if table is None:
        refuse(name, f"given for the way {way!r}", "None", f"pass it as {name}=")
    return table


def _category(sales: pd.DataFrame, products: pd.DataFrame) -> npt.NDArray[np.str_]:
    require_columns(products, ["sku_id", "category"], "products")
    names = sales["sku_id"].map(products.set_index("sku_id")["category"].astype(str))
    if names.isna().any():
        sku = sales["sku_id"].to_numpy()[int(np.argmax(names.isna()))]
        refuse("sales, sku_id", "a product of 'products'", str(sku), "add it, or leave its sales out")
    return names.to_numpy(str)


def _cells(sales: pd.DataFrame) -> npt.NDArray[np.int64]:
    return np.asarray(sales.groupby(CELL, sort=False).ngroup())


def _alike(sales: pd.DataFrame, products: pd.DataFrame) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the rows of each category and speed: their days vary alike, and share a prior or a dispersion."""
    code = pd.factorize(pd.MultiIndex.from_arrays([_category(sales, products), speed(sales)]))[0]
    order = np.argsort(code, kind="stable")
    yield from np.split(order, np.cumsum(np.bincount(code))[:-1])


def _by_hours(sales: pd.DataFrame, products: pd.DataFrame, profile: pd.DataFrame, prior: float | None) -> npt.ArrayLike:
    seen = share_seen(profile, _category(sales, products), sales["stockout_hour"])
    seen = np.where(sales["stocked_out"], seen, 1.0)
    sold, cells, expected = sales["sold"].to_numpy(float), _cells(sales), np.empty(len(sales))
    for rows in _alike(sales, products):
        part = sold[rows], seen[rows]
        shape = learn_prior(*part, cells[rows]) if prior is None else prior
        expected[rows] = demand_from_hours(*part, cell_means(*part, cells[rows], shape), shape)
    return expected


def _by_tobit(sales: pd.DataFrame, products: pd.DataFrame, covariates: pd.DataFrame | None) -> npt.ArrayLike:
    x = usual_covariates(sales) if covariates is None else covariates
    require_length(x.to_numpy(), len(sales), "covariates")
    sold, out = sales["sold"].to_numpy(float), sales["stocked_out"].to_numpy(bool)
    cells, expected = _cells(sales), np.empty(len(sales))
    for rows in _alike(sales, products):
        part = x.iloc[rows]
        part = part.loc[:, np.ptp(part.to_numpy(float), axis=0) > 0]
        expected[rows] = fit_counts(sold[rows], out[rows], cells[rows], part).expected
    return expected


def _by_app(sales: pd.DataFrame, products: pd.DataFrame | None, share: float | ShareSeen | None) -> npt.ArrayLike:
    received = None if products is None else received_units(sales, products)
    return demand_from_app(sales, learn_share_seen(sales, received) if share is None else share, received)


def usual_covariates(sales: pd.DataFrame) -> pd.DataFrame:
    """Return what moves the demand of a cell and stands in every table of sales: weekday, price, time of the year.

    Parameters
    ----------
    sales : pandas.DataFrame
        ``store_id, sku_id, day, price_cents``.

    Returns
    -------
    pandas.DataFrame of float, shape (n, at most 20)
        ``weekday_1`` .. ``weekday_6`` (Monday is none), ``log_price`` against the cell's median price, ``reduced``
        (1 below it), ``month_1`` .. ``month_12`` (of 28 days). Columns with one value only are left out.

    Raises
    ------
    ContractError
        A missing column.

    Examples
    --------
    >>> sales = pd.DataFrame({"store_id": 0, "sku_id": 0, "day": [0, 1, 2], "price_cents": [300, 300, 200]})
    >>> usual_covariates(sales).round(2).to_dict("list")  # doctest: +NORMALIZE_WHITESPACE
    {'weekday_1': [0.0, 1.0, 0.0], 'weekday_2': [0.0, 0.0, 1.0], 'log_price': [0.0, 0.0, -0.41],
    'reduced': [0.0, 0.0, 1.0]}
    """
    require_columns(sales, [*CELL, "day", "price_cents"], "sales")
    day = sales["day"].to_numpy()
    usual = sales.groupby(CELL)["price_cents"].transform("median")
    made = {f"weekday_{k}": day % 7 == k for k in range(1, 7)}
    made |= {"log_price": np.log(sales["price_cents"] / usual), "reduced": sales["price_cents"] < usual}
    made |= {f"month_{k}": day % YEAR // _MONTH == k for k in range(1, YEAR // _MONTH)}
    table = pd.DataFrame({name: np.asarray(values, float) for name, values in made.items()}, index=sales.index)
    return table.loc[:, np.ptp(table.to_numpy(), axis=0) > 0]


def speed(sales: pd.DataFrame) -> pd.Series:
    """Return for each row whether its cell sells slowly, at a medium rate or fast, by :data:`SPEEDS`.

    Parameters
    ----------
    sales : pandas.DataFrame
        ``store_id, sku_id, sold``.

    Returns
    -------
    pandas.Series of category
        Index as `sales`, named ``speed``. It goes by sales, which is all that the company has.

    Examples
    --------
    >>> speed(pd.DataFrame({"store_id": 0, "sku_id": [0, 0, 1], "sold": [0, 1, 7]})).tolist()
    ['slow', 'slow', 'fast']
    """
    require_columns(sales, [*CELL, "sold"], "sales")
    mean = sales.groupby(CELL)["sold"].transform("mean")
    return pd.cut(mean, [*SPEEDS.values(), np.inf], right=False, labels=list(SPEEDS)).rename("speed")


def bias(
    estimate: pd.Series,
    truth: pd.DataFrame,
    cell: npt.ArrayLike,
    by: Sequence[str] | pd.Series | None = None,
) -> pd.DataFrame:
    """Hold an estimate of demand against the true one.

    Where the estimate is missing, its cell's mean over the other days stands in: what somebody who fits a model to
    those days believes of the rest. Whether a day was stocked out is asked of the truth, so the flags may be wrong.
    Days on which somebody was turned away are chosen by their demand: an estimate that is right on average over all
    days on which the shelf ran empty, the last customer served or not, is too low on them, most so for slow sellers.

    Parameters
    ----------
    estimate : pandas.Series of float, shape (n,)
        As :func:`unconstrain` returns it.
    truth : pandas.DataFrame, shape (n, at least 2)
        ``demand`` and ``stocked_out``, row by row as the estimate.
    cell : array_like, shape (n,)
        Rows with the same label are one cell; read only where estimates are missing.
    by : array_like of str, shape (n,), optional
        Labels, such as the category or :func:`speed`.

    Returns
    -------
    pandas.DataFrame
        Row ``all`` and one for each label: ``days``, ``stockout_days``, ``bias`` (estimated over true demand, less 1),
        ``bias_stockout`` (the same over days with a stock-out), ``error`` (absolute error over true demand). Days of
        cells without any estimate are left out.

    Raises
    ------
    ContractError
        Tables of other lengths, a missing column, or no demand at all.

    Examples
    --------
    >>> truth = pd.DataFrame({"demand": [4, 6, 10], "stocked_out": [False, False, True]})
    >>> bias(pd.Series([4.0, 6.0, 5.0]), truth, ["a"] * 3).round(3).loc["all"].tolist()
    [3.0, 1.0, -0.25, -0.5, 0.25]
    """
    require_columns(truth, ["demand", "stocked_out"], "truth")
    require_length(truth["demand"].to_numpy(), len(estimate), "truth")
    values = pd.Series(estimate.to_numpy(float))
    if values.isna().any():
        values = values.fillna(values.groupby(pd.factorize(np.asarray(cell))[0]).transform("mean"))
    labels = None if by is None else np.asarray(by).astype(str)
    kept = values.notna().to_numpy()
    table = pd.DataFrame({
        "estimate": values[kept].to_numpy(), "demand": truth["demand"].to_numpy(float)[kept],
        "out": as_labels(truth["stocked_out"].to_numpy(), "stocked_out")[kept],
    })  # fmt: skip
    groups = {"all": _bias_of(table)}
    if labels is not None:
        require_length(labels, len(kept), "by")
        groups |= {str(name): _bias_of(part) for name, part in table.groupby(labels[kept])}
    return pd.DataFrame.from_dict(groups, orient="index")


def _bias_of(table: pd.DataFrame) -> dict[str, float]:
    out = table[table["out"]]
    return {
        "days": len(table),
        "stockout_days": len(out),
        "bias": _share(table["estimate"].sum() - table["demand"].sum(), table["demand"].sum()),
        "bias_stockout": _share(out["estimate"].sum() - out["demand"].sum(), out["demand"].sum()),
        "error": _share((table["estimate"] - table["demand"]).abs().sum(), table["demand"].sum()),
    }


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole > 0 else float("nan")
