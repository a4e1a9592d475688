"""Stores that open or close: a ramp learned from past openings, and orders for days on which nobody will be there.

A model of lags takes a growing store for a small one. One that is told nothing of a closing orders for the days after
it; what is left on the shelf that day is waste, or is sold for its salvage.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_columns
from casebook.demand.features import build
from casebook.demand.models import BoostedMean
from casebook.demand.overrides import Override

WEEKS = 26  # of an opening that are followed
MATURE = 182  # days from which on a store counts as known
RECENT = 4  # weeks that a trend is read from
Tables = Mapping[str, pd.DataFrame]


class StoreWeeks(NamedTuple):
    """Units by store and order week (Thursday to Wednesday).

    Attributes
    ----------
    store_id : numpy.ndarray of int, shape (n,)
    units : numpy.ndarray, shape (n, weeks)
        Week 0 begins on day 3; missing unless the store was open on all seven days.
    age : numpy.ndarray, shape (n, weeks)
        Days from the opening to the week's first day.
    """

    store_id: npt.NDArray[np.int64]
    units: FloatArray
    age: FloatArray

    def relative(self) -> FloatArray:
        """Return units over :meth:`chain`: seasons and holidays cancel."""
        return np.asarray(self.units / self.chain())

    def chain(self) -> FloatArray:
        """Return the mean units of mature stores, shape (weeks,)."""
        return np.asarray(np.nanmean(np.where(self.age >= MATURE, self.units, np.nan), axis=0))

    def openings(self) -> list[tuple[int, int, int]]:
        """Return row, first whole week and week after the last of each store that opened after the first day."""
        found = []
        for row in np.flatnonzero(self.age[:, 0] < 0):
            weeks = np.flatnonzero(np.isfinite(self.units[row]))
            if len(weeks):
                found.append((int(row), int(weeks[0]), int(weeks[-1]) + 1))
        return found


def store_weeks(tables: Tables, units: npt.ArrayLike) -> StoreWeeks:
    """Add units up by store and order week.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``sales``, ``stores``.
    units : array_like
        Row by row as sales: ``sold``, or the demand.
    """
    sales, stores = tables["sales"], tables["stores"]
    week, place = (sales["day"].to_numpy() - 3) // 7, pd.Index(stores["store_id"]).get_indexer(sales["store_id"])
    count = (int(sales["day"].max()) - 9) // 7 + 1
    inside = (week >= 0) & (week < count)
    total = np.zeros((len(stores), count))
    np.add.at(total, (place[inside], week[inside]), np.asarray(units, dtype=float)[inside])
    first = 3 + 7 * np.arange(count)
    opened, closed = (stores[name].to_numpy(float)[:, None] for name in ("opened_on", "closed_on"))
    whole = (first >= opened) & ~(first + 6 >= closed)
    return StoreWeeks(stores["store_id"].to_numpy(np.int64), np.where(whole, total, np.nan), first - opened)


def ramp_of_openings(weeks: StoreWeeks, before: int | None = None) -> FloatArray:
    """Return how much of its later level a store had in each week since it opened, of openings that are known.

    Parameters
    ----------
    weeks : StoreWeeks
    before : int, optional
        Week up to which (not included) is read; by default all.

    Returns
    -------
    numpy.ndarray of float, shape (26,)
        Pooled over the openings whose 26 weeks were over: relative units over the mean of their last eight weeks; 1
        throughout if there are none.
    """
    last = weeks.units.shape[1] if before is None else before
    level = weeks.relative()
    found = [
        level[row, start : start + WEEKS] for row, start, end in weeks.openings() if start + WEEKS <= min(end, last)
    ]
    if not found:
        return np.ones(WEEKS)
    total = np.sum(found, axis=0)
    return np.asarray(total / total[-8:].mean())


def forecast_openings(weeks: StoreWeeks, ramp: FloatArray | None = None) -> pd.DataFrame:
    """Forecast each week of each opening from the weeks that were over at its origin, by three rules.

    The order is placed in the week before, which is not over then: the last known one is two before the target. The
    mature stores' units of that week scale all three.

    Parameters
    ----------
    weeks : StoreWeeks
    ramp : numpy.ndarray, shape (26,), optional
        Known from elsewhere; by default from the openings over by then.

    Returns
    -------
    pandas.DataFrame
        A row an opening and week from its third on: ``store_id``, ``week``, ``age`` (weeks), ``came``, ``last`` (the
        last known week), ``mean`` (of up to four), ``ramp`` (these over the ramp's at their age, times the ramp's at
        the target's), ``learned`` (whether a ramp was known).

    Raises
    ------
    ContractError
        If no store opens.
    """
    level, chain, rows = weeks.relative(), weeks.chain(), []
    for row, start, end in weeks.openings():
        for week in range(start + 2, min(end, start + WEEKS)):
            known = np.arange(max(start, week - 1 - RECENT), week - 1)
            shape = ramp_of_openings(weeks, week - 1) if ramp is None else ramp
            own, usual, age = level[row, known], chain[week - 2], week - start
            trend = own.sum() / max(float(shape[known - start].sum()), 1e-9) * shape[age]
            rows.append({"store_id": weeks.store_id[row], "week": week, "age": age, "came": weeks.units[row, week],
                         "last": own[-1] * usual, "mean": own.mean() * usual, "ramp": trend * usual,
                         "learned": not (shape == 1).all()})  # fmt: skip
    if not rows:
        refuse("tables", "with a store that opens after their first day", "none", "take more stores or more years")
    return pd.DataFrame(rows)


def model_weeks(
    tables: Tables, target: npt.ArrayLike, store: int, train: Sequence[int], test: Sequence[int], without: Sequence[str]
) -> pd.DataFrame:
    """Return what a model of all stores (LightGBM, Poisson) says of one store's order weeks.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
    target : array_like
        Row by row as sales, held against the forecast.
    store : int
    train, test : sequence of int
        Origins.
    without : sequence of str
        Features that it is not given, such as ``days_since_opened``.

    Returns
    -------
    pandas.DataFrame
        ``week`` (as :class:`StoreWeeks` counts them), ``came``, ``said``.
    """
    rows = build(tables, train)
    rows = rows[rows["y"].notna()]
    model = BoostedMean(trees=100, ids="none", without=without).fit(rows, rows["y"])
    asked = build(tables, test)
    asked = asked[asked["store_id"] == store]
    keys = ["store_id", "sku_id", "day"]
    came = tables["sales"][keys].assign(came=np.asarray(target, dtype=float))
    out = asked[[*keys, "origin"]].assign(said=model.mean(asked).to_numpy()).merge(came, on=keys)
    return out.assign(week=(out["origin"] + 1) // 7).groupby("week")[["came", "said"]].sum().reset_index()


def opening_errors(forecasts: pd.DataFrame, band: int = 4) -> pd.DataFrame:
    """Return bias and WAPE by rule and weeks since the opening.

    Parameters
    ----------
    forecasts : pandas.DataFrame
        ``age``, ``came``, and a column a rule, of which ``last``, ``mean``, ``ramp`` and further ones count.
    band : int
        Weeks that are put together.

    Returns
    -------
    pandas.DataFrame
        Index ``rule``, ``from_week``; ``bias`` and ``wape``.

    Examples
    --------
    >>> weeks = pd.DataFrame({"age": [2, 3], "came": [50.0, 50.0], "mean": [30.0, 40.0]})
    >>> opening_errors(weeks).round(2).reset_index().to_dict("records")
    [{'rule': 'mean', 'from_week': 0, 'bias': -0.3, 'wape': 0.3}]
    """
    require_columns(forecasts, ["age", "came"], "forecasts")
    rules = [name for name in forecasts if name not in ("store_id", "week", "age", "came", "learned")]
    rows = forecasts.melt(["age", "came"], rules, var_name="rule", value_name="said")
    rows = rows.assign(from_week=rows["age"] // band * band, off=rows["said"] - rows["came"])
    sums = rows.assign(error=rows["off"].abs()).groupby(["rule", "from_week"])[["came", "off", "error"]].sum()
    return pd.DataFrame({"bias": sums["off"] / sums["came"], "wape": sums["error"] / sums["came"]})


def closing_overrides(stores: pd.DataFrame, told: int = 28, author: str = "operations") -> list[Override]:
    """Return an override to 0 for each closing store, from the day on which it is closed, written `told` days before.

    They are for forecasts of a system whose table of stores does not have the closing yet
    (:func:`casebook.demand.overrides.check_override` refuses overrides of stores that it knows to be closed).

    Examples
    --------
    >>> stores = pd.DataFrame({"store_id": [3, 4], "closed_on": [700.0, np.nan]})
    >>> [(one.scope, one.first_day, one.value, one.created_on) for one in closing_overrides(stores)]
    [('store 3', 700, 0.0, 672)]
    """
    closing = stores[stores["closed_on"].notna()]
    return [
        Override(int(day), int(day) + 90, "set", 0.0, "the store closes", author, int(day) - told, int(day) + 90,
                 store_id=int(store))
        for store, day in zip(closing["store_id"], closing["closed_on"], strict=True)
    ]  # fmt: skip


def closing_orders(tables: Tables, stock: float = 1.25) -> pd.DataFrame:
    """Return what is ordered for days on which a store is closed, and what stands on its shelf when it closes.

    Each Monday `stock` times the mean sales of the 28 days before are ordered for the seven days from Thursday on.

    Returns
    -------
    pandas.DataFrame
        A row a closing store: ``closed_on``, ``week_units`` (sold in its last week, by the mean of 28 days),
        ``days_over`` (days after the closing in orders placed before it), ``blind_units`` and ``blind_dollars``
        (ordered for these days, and their cost less salvage: what an override to 0 saves), ``orders_after`` (Mondays
        after the closing with an order, if nobody says a word until the 28 days are empty), ``forgotten_dollars``
        (lost by all of them), ``left_units`` and ``left_dollars`` (on the shelf at the last close as recorded, under
        the orders of the past), ``weekly_share`` (of left_dollars, products ordered weekly).
    """
    sales, stores, product = tables["sales"], tables["stores"], tables["products"].set_index("sku_id")
    loss, rows = (product["cost_cents"] - product["salvage_cents"]) / 100, []
    for store, day in stores.loc[stores["closed_on"].notna(), ["store_id", "closed_on"]].to_numpy(int).tolist():
        own = sales[(sales["store_id"] == store) & (sales["day"] < day)]
        if own.empty:
            continue
        recent = stock * own[own["day"] >= day - 28].groupby("sku_id")["sold"].sum() / 28
        money = float((recent * loss.loc[recent.index]).sum())
        origin = day - 2 - (day - 8) % 7  # the last Sunday whose Monday is before the closing
        over = origin + 11 - day
        shares = [max(day - 1 - later + 28, 0) / 28 for later in range(origin + 7, day + 28, 7)]
        shelf = own[own["day"] == own["day"].max()]
        left = shelf["stock_close"].to_numpy() * loss.loc[shelf["sku_id"]].to_numpy()
        weekly = product["review_days"].loc[shelf["sku_id"]].to_numpy() > 1
        rows.append({"store_id": store, "closed_on": day, "week_units": float(recent.sum()) * 7 / stock,
                     "days_over": over, "blind_units": float(recent.sum()) * over, "blind_dollars": money * over,
                     "orders_after": sum(share > 0 for share in shares),
                     "forgotten_dollars": money * (over + 7 * sum(shares)),
                     "left_units": int(shelf["stock_close"].sum()), "left_dollars": float(left.sum()),
                     "weekly_share": float(left[weekly].sum() / max(left.sum(), 1e-9))})  # fmt: skip
    return pd.DataFrame(rows)
