"""Sales as a panel of cells by days, with covariates as they were known: what a network over all cells reads.

A discount of the future counts only if it was announced by the origin, so the covariates ahead depend on the origin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse, require_columns

Array = npt.NDArray[np.float32]
CALENDAR = (
    *(f"weekday_{day}" for day in range(7)),
    "holiday",
    "before_holiday",
    "after_payday",
    "year_sin",
    "year_cos",
)
PROMOTED = ("discount", "display")
_YEAR, _NEAR = 365.25, 7  # days of a year; days over which a holiday or a payday is felt
_CODED = ("store_id", "category")
_READ = {
    "stores": ("store_id", "region"),
    "products": ("sku_id", "category"),
    "calendar": ("day", "weekday", "holiday", "payday"),
    "promotions": ("sku_id", "region", "first_day", "last_day", "announced_on", "discount", "display"),
    "sales": ("store_id", "sku_id", "day"),
}


@dataclass(frozen=True, eq=False)
class Panel:
    """Units and covariates of all cells, day by day; column 0 is day 0.

    Attributes
    ----------
    cells : pandas.DataFrame
        store_id and sku_id (or any name) of each row.
    y : array of float32, shape (cells, days)
        Units; NaN where the cell was not listed, or the day is not known.
    covariates : array of float32, shape (cells, days, k)
        As they turned out, which is as they were known on the day itself.
    names : tuple of str, length k
    codes : array of int32, shape (cells, s)
        Static words of a cell as numbers from 0.
    sizes : tuple of int, length s
        How many values each code has.
    plans : pandas.DataFrame or None
        One row per promotion and cell: row, first_day, last_day, announced_on, discount, display. None: all covariates
        are known ahead.
    """

    cells: pd.DataFrame
    y: Array
    covariates: Array
    names: tuple[str, ...]
    codes: npt.NDArray[np.int32]
    sizes: tuple[int, ...]
    plans: pd.DataFrame | None = None

    @property
    def revised(self) -> list[int]:
        """Columns of ``covariates`` that may turn out otherwise than was known at an origin."""
        return [] if self.plans is None else [self.names.index(name) for name in PROMOTED]

    def known_ahead(self, origin: int, horizons: int) -> Array:
        """Return the covariates of days origin + 1 to origin + horizons, as known at the close of the origin.

        Parameters
        ----------
        origin, horizons : int

        Returns
        -------
        array of float32, shape (cells, horizons, k)

        Raises
        ------
        ContractError
            An origin whose horizons leave the panel.
        """
        days = self.y.shape[1]
        if not 0 <= origin < days - horizons:
            refuse(
                "origin", f"a day from 0 to {days - horizons - 1}", f"{origin}", "give a calendar that reaches farther"
            )
        ahead = self.covariates[:, origin + 1 : origin + 1 + horizons].copy()
        if self.plans is not None:
            known = self.plans[self.plans["announced_on"] <= origin]
            ahead[:, :, self.revised] = _spread(known, len(self.y), origin + 1, horizons)
        return ahead


def panel_of_arrays(
    y: npt.ArrayLike, covariates: npt.ArrayLike | None = None, codes: npt.ArrayLike | None = None
) -> Panel:
    """Return a panel of plain arrays; all covariates count as known ahead.

    Parameters
    ----------
    y : array_like, shape (cells, days)
        Units, 0 or more; NaN where not known.
    covariates : array_like, shape (cells, days, k), optional
    codes : array_like of int, shape (cells, s), optional
        From 0; by default one code, 0 for all.

    Returns
    -------
    Panel

    Raises
    ------
    ContractError
        Shapes that do not fit, a negative or infinite number in y, a missing covariate.

    Examples
    --------
    >>> panel = panel_of_arrays([[1, 0, 2], [4, 4, 5]])
    >>> panel.y.shape, panel.covariates.shape, panel.sizes
    ((2, 3), (2, 3, 0), (1,))
    """
    units = np.asarray(y, dtype=np.float32)
    if units.ndim != 2 or units.size == 0:
        refuse("y", "an array of cells by days", f"shape {units.shape}", "put one series a row")
    if np.isinf(units).any() or (units < 0).any():
        refuse("y", "0 or more, or NaN where it is not known", "another number", "mend it")
    known = np.zeros((*units.shape, 0)) if covariates is None else np.asarray(covariates)
    if known.ndim != 3 or known.shape[:2] != units.shape:
        refuse("covariates", f"of shape {units.shape} and k", f"shape {known.shape}", "put k numbers a cell and day")
    if not np.isfinite(known).all():
        refuse("covariates", "finite", "a missing number", "fill it with what would have been assumed on the day")
    fixed = np.zeros((len(units), 1), np.int32) if codes is None else np.asarray(codes, np.int32)
    if fixed.ndim != 2 or len(fixed) != len(units):
        refuse("codes", f"of shape {len(units)} and s", f"shape {fixed.shape}", "put s codes a cell")
    names = tuple(f"x{place}" for place in range(known.shape[2]))
    sizes = tuple(int(column.max()) + 1 for column in fixed.T)
    cells = pd.DataFrame({"cell": np.arange(len(units))})
    return Panel(cells, units, known.astype(np.float32), names, fixed, sizes)


def build_panel(tables: Mapping[str, pd.DataFrame], target: str = "sold", mask: str | None = None) -> Panel:
    """Put the company's tables into a panel.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        stores, products, calendar, promotions and sales, as contracted in :mod:`casebook.demand.tables`.
    target : str
        Column of sales: units sold, or an estimate of demand that you added.
    mask : str, optional
        A bool column of sales; where it is True, y is set to NaN. ``"stocked_out"`` leaves out days cut off by stock:
        that also leaves out days of high demand.

    Returns
    -------
    Panel
        Rows by store_id, sku_id; days as far as the calendar goes. Discounts of stacked promotions multiply.

    Raises
    ------
    ContractError
        A missing table or column, a calendar with a gap, sales of an unknown store or product or outside the calendar.

    Examples
    --------
    >>> day = pd.DataFrame({"day": range(3), "weekday": range(3), "holiday": "none", "payday": False})
    >>> promotion = {"sku_id": [5], "region": ["east"], "first_day": [1], "last_day": [1], "announced_on": [1]}
    >>> tables = {
    ...     "stores": pd.DataFrame({"store_id": [1], "region": ["east"]}),
    ...     "products": pd.DataFrame({"sku_id": [5], "category": ["dairy"]}),
    ...     "calendar": day,
    ...     "promotions": pd.DataFrame(promotion | {"discount": [0.2], "display": [True]}),
    ...     "sales": pd.DataFrame({"store_id": 1, "sku_id": 5, "day": [0, 1], "sold": [3, 8]}),
    ... }
    >>> panel = build_panel(tables)
    >>> panel.y.tolist(), panel.covariates[0, :, -2].round(2).tolist()
    ([[3.0, 8.0, nan]], [0.0, 0.20000000298023224, 0.0])
    >>> panel.known_ahead(0, 1)[0, 0, -2]
    np.float32(0.0)
    """
    calendar = _checked(tables, target, mask)
    cells, y = _units(tables["sales"], target, mask, len(calendar))
    about = cells.merge(tables["stores"][["store_id", "region"]], "left", "store_id")
    about = about.merge(tables["products"][["sku_id", "category"]], "left", "sku_id").astype(
        {"region": object, "category": object}
    )
    if about.isna().to_numpy().any():
        refuse("sales", "of stores and products in their tables", "another one", "add it to stores or products")
    plans = _plans(about, tables["promotions"])
    shared = np.broadcast_to(calendar_covariates(calendar), (len(cells), len(calendar), len(CALENDAR)))
    covariates = np.concatenate([shared, _spread(plans, len(cells), 0, len(calendar))], axis=2)
    coded = [pd.factorize(about[name], sort=True) for name in _CODED]
    codes = np.stack([code for code, _ in coded], axis=1).astype(np.int32)
    return Panel(cells, y, covariates, (*CALENDAR, *PROMOTED), codes, tuple(len(words) for _, words in coded), plans)


def calendar_covariates(calendar: pd.DataFrame) -> Array:
    """Return what the calendar says of each day, columns as CALENDAR; known years ahead.

    Parameters
    ----------
    calendar : pandas.DataFrame
        weekday, holiday ("none" on other days) and payday, one row a day in their order.

    Returns
    -------
    array of float32, shape (days, 12)
        Flags of the weekday and of a holiday; nearness to the next holiday and to the last payday, falling from 1 on
        the day to 0 in a week; the year as sine and cosine.

    Examples
    --------
    >>> day = pd.DataFrame({"weekday": [5, 6], "holiday": ["none", "easter"], "payday": [True, False]})
    >>> calendar_covariates(day)[:, 7:10].round(2).tolist()
    [[0.0, 0.8600000143051147, 1.0], [1.0, 1.0, 0.8600000143051147]]
    """
    days = np.arange(len(calendar))
    weekday = calendar["weekday"].to_numpy()[:, None] == np.arange(7)
    holiday, payday = (calendar["holiday"] != "none").to_numpy(), calendar["payday"].to_numpy(dtype=bool)
    before, after = _nearness(holiday[::-1])[::-1], _nearness(payday)
    angle = 2 * np.pi * days / _YEAR
    return np.column_stack([weekday, holiday, before, after, np.sin(angle), np.cos(angle)]).astype(np.float32)


def _nearness(flag: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    days = np.arange(len(flag))
    last = np.maximum.accumulate(np.where(flag, days, -_NEAR * 2))
    return np.asarray(np.maximum(0.0, 1 - np.minimum(days - last, _NEAR) / _NEAR))


def _checked(tables: Mapping[str, pd.DataFrame], target: str, mask: str | None) -> pd.DataFrame:
    """Return the calendar by day, or refuse a table that is not what the panel needs."""
    for name, needed in {**_READ, "sales": (*_READ["sales"], target, *([] if mask is None else [mask]))}.items():
        if name not in tables:
            refuse("tables", f"with {', '.join(_READ)}", f"no {name}", "add it")
        if name != "promotions" or len(tables[name]):  # there may be none
            require_columns(tables[name], needed, name)
    calendar = tables["calendar"].sort_values("day")
    if (calendar["day"].to_numpy() != np.arange(len(calendar))).any():
        refuse("calendar", "every day from 0 on, once", "a gap or a day twice", "put the missing day in")
    day = tables["sales"]["day"]
    outside = day[(day < 0) | (day >= len(calendar))]
    if len(outside):
        must = f"in the calendar, 0 to {len(calendar) - 1}"
        refuse("sales, column 'day'", must, f"{outside.iloc[0]}", "extend the calendar")
    return calendar


def _units(sales: pd.DataFrame, target: str, mask: str | None, days: int) -> tuple[pd.DataFrame, Array]:
    groups, day = sales.groupby(["store_id", "sku_id"], sort=True), sales["day"].to_numpy()
    row, cells = groups.ngroup().to_numpy(), groups.size().index.to_frame(index=False)
    y = np.full((len(cells), days), np.nan, np.float32)
    y[row, day] = sales[target].to_numpy(dtype=np.float32)
    if mask is not None:
        hidden = sales[mask].to_numpy(dtype=bool)
        y[row[hidden], day[hidden]] = np.nan
    return cells, y


def _plans(about: pd.DataFrame, promotions: pd.DataFrame) -> pd.DataFrame:
    rows = about[["sku_id", "region"]].assign(row=np.arange(len(about)))
    kinds = dict.fromkeys(_READ["promotions"], "int64") | {"region": object, "discount": float, "display": bool}
    plans: Any = promotions.reindex(columns=list(kinds)).astype(kinds)  # also where there is none
    return plans.merge(rows, "inner", ["sku_id", "region"]).drop(columns=["sku_id", "region"])


def _spread(plans: pd.DataFrame, cells: int, first: int, days: int) -> Array:
    """Return discount and display by cell and day, shape (cells, days, 2), of ``days`` days from ``first`` on."""
    start = np.maximum(plans["first_day"].to_numpy(), first) - first
    length = np.clip(np.minimum(plans["last_day"].to_numpy() + 1 - first, days) - start, 0, None)
    row = np.repeat(plans["row"].to_numpy(), length)
    day = np.repeat(start - (np.cumsum(length) - length), length) + np.arange(length.sum())
    log_price, display = np.zeros((cells, days)), np.zeros((cells, days))
    np.add.at(log_price, (row, day), np.repeat(np.log1p(-plans["discount"].to_numpy(dtype=float)), length))
    np.maximum.at(display, (row, day), np.repeat(plans["display"].to_numpy(dtype=float), length))
    return np.stack([1 - np.exp(log_price), display], axis=2).astype(np.float32)
