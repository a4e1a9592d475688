"""A reader's own sales: what the shelf cut off, each product's fractile, two forecasts compared, and cases to order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse
from casebook.decisions.fractile import critical_fractile, pinball_loss
from casebook.demand.case_packs import packs
from casebook.demand.conformal import LEAST, Mended
from casebook.demand.evaluate import money
from casebook.demand.features import build
from casebook.demand.grids import by_cell_and_day
from casebook.demand.models import BoostedQuantiles, SeasonalNaive
from casebook.demand.order_up_to import WEEKLY
from casebook.demand.own_table_checks import check_own
from casebook.demand.own_table_contract import CELL, Own
from casebook.demand.own_table_rooms import Room, room_of
from casebook.demand.path_forecasts import QuantileGrid
from casebook.demand.quantile_fix import at_fractile
from casebook.demand.rolling import Rolled, roll
from casebook.demand.unconstrain import unconstrain

GRID = (0.1, 0.3, 0.5, 0.7, 0.8, 0.9, 0.97)
"""Levels that are forecast; a product's own fractile is read off between them, and beyond the last is the last."""
WEEK, MEND_DAYS = 7, 28  # coverage is mended on so many last days, where they are rows enough
LEAST_WEEKS = 20  # before the first test week: features look back thirteen, and the mend keeps four


@dataclass(frozen=True, eq=False)
class Reading:
    """What a reader's tables say.

    Attributes
    ----------
    at : pandas.Timestamp
        The Sunday as of which the order is made.
    stockouts : float
        Share of days on which the shelf ran empty; missing without a flag.
    ways : pandas.DataFrame
        Rows ``as is``, ``drop``, ``tobit`` (only the first without a flag): ``units`` a day and cell, and ``off``,
        the share by which that differs from censored counts, the best guess that a flag alone allows.
    fractiles : pandas.DataFrame
        By product: ``short``, ``over`` (dollars a unit), ``fractile``.
    scores : pandas.DataFrame
        By model, over the test weeks: ``pinball`` at each product's own fractile (units a day), ``coverage``,
        ``asked`` (the mean fractile), ``money`` (dollars a week if each week's order stood alone).
    best : str
        The model with less money.
    orders : pandas.DataFrame
        By store and product that is still sold: ``fractile`` (as used, within :data:`GRID`), ``level`` (units that ten
        days must have), ``stock``, ``cases``, ``units``, and whether an override ``changed`` it.
    weeks : int
        Test weeks.
    has_stock : bool
        Whether the tables say what is on the shelves.
    """

    at: pd.Timestamp
    stockouts: float
    ways: pd.DataFrame
    fractiles: pd.DataFrame
    scores: pd.DataFrame
    best: str
    orders: pd.DataFrame
    weeks: int
    has_stock: bool

    @property
    def warning(self) -> str:
        """What the numbers do not know."""
        flag = "Without a stock-out flag sales stand for demand. " if np.isnan(self.stockouts) else ""
        stock = "" if self.has_stock else "No stock was given, so the order is as if all shelves were empty. "
        return (
            f"{flag}{stock}{self.weeks} weeks tell two models apart only if they differ much. Days on which the shelf "
            "ran empty count with an estimate of demand, weather and holidays are not read, and no week's leftover is "
            "carried into the next: play the orders, or try them in some stores, before you believe the money."
        )


def read_sales(
    sales: pd.DataFrame,
    products: pd.DataFrame,
    promotions: pd.DataFrame | None = None,
    overrides: pd.DataFrame | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    at: str | pd.Timestamp | None = None,
    weeks: int = 6,
    correlation: float = 0.1,
    trees: int = 60,
    seed: int = 0,
) -> Reading:
    """Read a reader's own sales as of a Sunday, and order for the week from the Thursday after.

    Where there is a flag, a day on which the shelf ran empty counts with its expected demand by censored counts. They
    are fitted once to all days up to ``at``, test weeks included, and both models are judged by them.

    Parameters
    ----------
    sales, products, promotions, overrides : pandas.DataFrame
        As :data:`casebook.demand.own_table_contract.CONTRACTS`.
    columns : mapping of str to str, optional
        Name in the contract -> name in your tables.
    at : str or pandas.Timestamp, optional
        A Sunday; later rows are not read. By default the last one of the table.
    weeks : int
        Test weeks, the last of which are known in full; 2 or more.
    correlation : float
        Between the errors of two days of a week, for the quantile of several days.
    trees : int
        Trees a quantile.
    seed : int

    Returns
    -------
    Reading

    Raises
    ------
    ContractError
        Tables that break the contract, a day that is no Sunday of the table, too few weeks.

    Examples
    --------
    >>> from casebook.demand.own_table_example import example_sales, example_products
    >>> rng = np.random.default_rng(0)
    >>> reading = read_sales(example_sales(210, rng), example_products(rng), weeks=2, trees=10)
    >>> reading.orders.columns.tolist()
    ['fractile', 'level', 'stock', 'cases', 'units', 'changed']
    """
    own = check_own(sales, products, promotions, overrides, columns)
    room = room_of(own, at)
    _require_weeks(room, weeks)
    wanted, ways = _demand(room)
    frame = _features(room, wanted)
    fractiles = _fractiles(own.products)
    costs = room.by_sku(fractiles).assign(tau=lambda one: one["fractile"].clip(GRID[0], GRID[-1]))
    rolled = _rolled(frame, room.origin, weeks, trees, seed)
    scores = {name: _score(frame, one, room.origin, costs, correlation) for name, one in rolled.items()}
    table = pd.DataFrame(scores).T.rename_axis("model")
    best = str(table["money"].idxmin())
    return Reading(
        at=room.date(room.origin),
        stockouts=float(room.sales["stocked_out"].mean()) if room.flagged else float("nan"),
        ways=ways,
        fractiles=fractiles,
        scores=table,
        best=best,
        orders=_orders(room, own, frame, rolled[best], costs["tau"], correlation),
        weeks=weeks,
        has_stock="stock_close" in own.sales,
    )


def _require_weeks(room: Room, weeks: int) -> None:
    if weeks < 2:
        refuse("weeks", "2 or more", str(weeks), "one week says nothing of the next")
    least = LEAST_WEEKS + weeks
    if room.weeks < least:
        got = f"{room.weeks} up to {room.date(room.origin):%Y-%m-%d}"
        refuse("table 'sales'", f"of {least} whole weeks or more", got, "bring more, or test on fewer with weeks=")


def _rolled(frame: pd.DataFrame, origin: int, weeks: int, trees: int, seed: int) -> dict[str, Rolled]:
    """Return each model's forecasts of the test weeks from one fit, and of the days to order for from a later one."""
    boosted = BoostedQuantiles(GRID, trees=trees, seed=seed)
    enough = len(frame[CELL].drop_duplicates()) * MEND_DAYS >= LEAST
    models = {
        "seasonal naive": SeasonalNaive(adjust=None),
        "boosted quantiles": Mended(boosted, days=MEND_DAYS, group=None) if enough else boosted,
    }
    at = [origin - WEEK * back for back in range(weeks + 1, -1, -1)]
    return {name: roll(model, frame, at, GRID, refit_every=weeks) for name, model in models.items()}


def _fractiles(products: pd.DataFrame) -> pd.DataFrame:
    rows = products.set_index("sku_id")
    short, over = rows["price"] - rows["cost"] + rows.get("goodwill", 0.0), rows["cost"] - rows["salvage"]
    table = pd.DataFrame({"short": short, "over": over})
    return table.assign(fractile=np.asarray(critical_fractile(short.to_numpy(), over.to_numpy())))


def _demand(room: Room) -> tuple[FloatArray, pd.DataFrame]:
    """Return an estimate of demand row by row, and what three ways say of its mean."""
    names = ("as is", "drop", "tobit") if room.flagged and room.sales["stocked_out"].any() else ("as is",)
    told = {way: unconstrain(room.sales, way, products=room.tables["products"]) for way in names}
    cell = room.sales.groupby(CELL, sort=False).ngroup()
    filled = {way: one.fillna(one.groupby(cell).transform("mean")) for way, one in told.items()}
    units = pd.Series({way: float(one.mean()) for way, one in filled.items()}, name="units")
    ways = units.to_frame().assign(off=units / units.iloc[-1] - 1).rename_axis("way")
    return told[names[-1]].to_numpy(), ways


def _features(room: Room, wanted: FloatArray) -> pd.DataFrame:
    origins = np.arange(WEEK * 4 - 1, room.origin + 1, WEEK)  # a month of past at least
    return build({**room.tables, "sales": room.sales.assign(wanted=wanted)}, origins, target="wanted")


def _score(frame: pd.DataFrame, rolled: Rolled, now: int, costs: pd.DataFrame, correlation: float) -> dict[str, float]:
    """Return the measures of one model over whole test weeks of cells that were on sale all week."""
    X, told = frame.iloc[rolled.rows], rolled.forecasts
    known = X.groupby([*CELL, "origin"])["y"].transform("count")
    use = ((X["origin"] < now - WEEK) & (known == WEEK)).to_numpy()
    X, told = X[use], told[use]
    y, level = X["y"].to_numpy(), costs["tau"].to_numpy()[X["sku_id"]]
    q = at_fractile(told, level)
    weeks = [_week_money(part, told.loc[part.index], costs, correlation) for _, part in X.groupby("origin")]
    return {
        "pinball": float(np.mean(pinball_loss(y, q, level))),
        "coverage": float((y <= q).mean()),
        "asked": float(level.mean()),
        "money": float(np.mean(weeks)),
    }


def _week_money(rows: pd.DataFrame, told: pd.DataFrame, costs: pd.DataFrame, correlation: float) -> float:
    """Return what one week's orders lose, each the quantile of its seven days, and none with a past or a future."""
    cells, first = rows[CELL].drop_duplicates(), int(rows["day"].min())
    cost = costs.loc[cells["sku_id"]]
    grid = QuantileGrid(first, by_cell_and_day(told, rows, cells, first, WEEK), GRID, correlation)
    order = grid.quantile(first, WEEK, cost["tau"].to_numpy())
    came = rows.groupby(CELL, sort=False)["y"].sum().to_numpy()
    return money(came, order, cost["short"].to_numpy(), cost["over"].to_numpy())


def _orders(
    room: Room, own: Own, frame: pd.DataFrame, rolled: Rolled, tau: pd.Series, correlation: float
) -> pd.DataFrame:
    """Return the order of each cell that is still sold: up to the quantile of ten days, less what is there."""
    cells, first, reach = room.stock.index.to_frame(index=False), room.origin + 1, len(WEEKLY.protected)
    X = frame.iloc[rolled.rows]
    bridge = (X["origin"] == room.origin - WEEK) & (X["day"] > room.origin)
    use = (bridge | (X["origin"] == room.origin)).to_numpy()
    grid = by_cell_and_day(rolled.forecasts[use], X[use], cells, first, reach)
    factor = _factors(room, own.overrides, cells["store_id"].to_numpy(), first + np.arange(reach))
    level = tau.loc[cells["sku_id"]].to_numpy()
    units = QuantileGrid(first, grid * factor[:, :, None], GRID, correlation).quantile(first, reach, level)
    size = own.products["case_pack"].to_numpy(np.int64)[cells["sku_id"]]
    stock = room.stock.to_numpy()
    cases = packs(units, size, stock=stock)
    keys = [room.stores[cells["store_id"]], room.skus[cells["sku_id"]]]
    columns = {"fractile": level, "level": units, "stock": stock, "cases": cases, "units": cases * size}
    changed = (factor != 1).any(axis=1)
    return pd.DataFrame(columns | {"changed": changed}, index=pd.MultiIndex.from_arrays(keys, names=CELL))


def _factors(
    room: Room, overrides: pd.DataFrame, store: npt.NDArray[np.int64], days: npt.NDArray[np.int64]
) -> FloatArray:
    """Return what the overrides multiply each cell and day by; where several meet, their product."""
    factor = np.ones((len(store), len(days)))
    if not len(overrides):
        return factor
    first, last = ((overrides[name] - room.monday).dt.days.to_numpy() for name in ("first_day", "last_day"))
    where = room.stores.get_indexer(pd.Index(overrides["store_id"]))
    for place, value in enumerate(overrides["factor"].to_numpy()):
        inside = (days >= first[place]) & (days <= last[place])
        factor[np.ix_(store == where[place], inside)] *= value
    return factor
