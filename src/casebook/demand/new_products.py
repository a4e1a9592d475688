"""Products without a history: a prior from what the store sells beside them, and how fast their own sales replace it.

A forecast of a week is made four days before it, with what was sold until then. The unknown is a ratio: units of the
new product over those of an average product of its category in that store, once everybody knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import minimize
from scipy.special import digamma, gammaln
from sklearn.base import BaseEstimator
from sklearn.linear_model import PoissonRegressor

from casebook.contracts import FloatArray, as_costs, refuse, require_columns, require_length
from casebook.decisions.fractile import pinball_loss
from casebook.demand.hour_profile import learn_profile, share_seen
from casebook.demand.part_day import Posterior
from casebook.demand.world import BRANDS

WEEKS, LEAD, WINDOW = 13, 4, 28  # weeks after the launch; days from the origin to a week; days of a shelf's usual sales
MATURE, DAYS, FLOOR = 91, 7 * WEEKS, 0.02  # age of a known product; days of a launch; units a day that all shelves sell
CONTENT = ("price_ratio", "size", "income", "group_ratio", *BRANDS[1:])
Tables = Mapping[str, pd.DataFrame]


class Belief(NamedTuple):
    """A belief in rates or counts: gamma shape (infinite: known), mean, and the prior's weight in it, 1 to 0."""

    shape: npt.ArrayLike
    mean: npt.ArrayLike
    weight: npt.ArrayLike = 1.0


def fit_gamma(units: npt.ArrayLike, exposure: npt.ArrayLike) -> Belief:
    """Fit the distribution of rates from counts by their marginal likelihood (negative binomial): empirical Bayes.

    Given a rate, units are Poisson with mean rate times exposure, shapes (n,); an exposure of 0 is refused. At a gamma
    shape of 200, the largest, rates do not differ. (Robbins 1956, An empirical Bayes approach to statistics.)

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> found = fit_gamma(rng.poisson(rng.gamma(2, 1.5, 4000) * 5), np.full(4000, 5.0))
    >>> round(found.shape, 1), round(found.mean, 1)
    (2.0, 3.0)
    """
    count, at = np.atleast_1d(as_costs(np.asarray(units, float), "units")), np.asarray(exposure, dtype=float)
    require_length(at, len(count), "exposure")
    if not (at > 0).all():
        refuse("exposure", "above 0 in every row", f"{at.min():g}", "leave such rows out")
    start = float(np.log(max(count.sum() / at.sum(), 1e-6)))

    def loss(log: FloatArray) -> tuple[float, FloatArray]:
        a, m = np.exp(log)
        usual = m * at
        like = gammaln(count + a) - gammaln(a) - (a + count) * np.log1p(usual / a) + count * (log[1] - log[0])
        by_mean = count - (a + count) * usual / (a + usual)
        by_shape = a * (digamma(count + a) - digamma(a) - np.log1p(usual / a)) - by_mean
        return -float(like.sum()), -np.array([by_shape.sum(), by_mean.sum()])

    bounds = [(np.log(0.05), np.log(200)), (start - 3, start + 3)]
    best = minimize(loss, np.array([0.0, start]), jac=True, bounds=bounds, method="L-BFGS-B")
    return Belief(*(float(part) for part in np.exp(best.x)))


def posterior(shape: npt.ArrayLike, mean: npt.ArrayLike, units: npt.ArrayLike, exposure: npt.ArrayLike) -> Belief:
    """Return the belief in a rate after own counts; the four may be of any shapes that fit each other.

    Examples
    --------
    >>> posterior(2.0, 1.0, 12, 4.0)
    Belief(shape=array(14.), mean=array(2.33333333), weight=array(0.33333333))
    """
    a, m, k, e = (np.asarray(part, dtype=float) for part in (shape, mean, units, exposure))
    return Belief(np.asarray(a + k), np.asarray((a + k) / (a / m + e)), np.asarray(a / (a + m * e)))


def seen_of(tables: Tables, sales: pd.DataFrame) -> FloatArray:
    """Return for rows of sales which share of the day's demand had come before the shelf was empty, as recorded."""
    category = tables["products"].set_index("sku_id")["category"].loc[sales["sku_id"]].to_numpy()
    return share_seen(learn_profile(tables["hours"]), category, sales["stockout_hour"].to_numpy())


def shelf_at(tables: Tables, origin: int) -> pd.DataFrame:
    """Return the cells of known products as an origin sees them, with ``units``, ``days`` and what :func:`beside` adds.

    They are of the last 28 days, of which each counts as far as its shelf was not empty. Nothing later is read.
    """
    sales = tables["sales"]
    recent = sales[(sales["day"] > origin - WINDOW) & (sales["day"] <= origin)]
    by_cell = recent.assign(seen=seen_of(tables, recent)).groupby(["store_id", "sku_id"])
    cells = by_cell.agg(units=("sold", "sum"), days=("seen", "sum")).reset_index().query("days >= 1")
    launched = tables["products"].set_index("sku_id")["launched_on"]
    known = cells[launched.loc[cells["sku_id"]].to_numpy() <= origin - MATURE].reset_index(drop=True)
    return beside(known, known, tables)


def beside(cells: pd.DataFrame, shelf: pd.DataFrame, tables: Tables) -> pd.DataFrame:
    """Add to cells (ids, ``days``) what the cells of a shelf sell in the same store, their own sales left out.

    That is ``category``, ``shelf`` (units a day of the category's other products in the store), ``exposure`` (days
    times shelf), and :data:`CONTENT`: log price over the category's median, log size, log income, log of the group's
    sales over the shelf's, and the brand.
    """
    products, stores = tables["products"].set_index("sku_id"), tables["stores"].set_index("store_id")
    words = products[["category", "group_id"]].astype(str)
    usual = shelf[["store_id", "sku_id"]].assign(rate=shelf["units"] / shelf["days"], n=1.0).join(words, on="sku_id")
    out = cells.join(words, on="sku_id")
    own = out[["store_id", "sku_id"]].merge(usual[["store_id", "sku_id", "rate", "n"]], how="left").fillna(0.0)
    means: list[FloatArray] = []
    for name in ("category", "group_id"):
        total = usual.groupby(["store_id", name])[["rate", "n"]].sum()
        rest = out[["store_id", name]].join(total, on=["store_id", name])[["rate", "n"]].fillna(0.0).to_numpy()
        rest = rest - own[["rate", "n"]].to_numpy()
        other = means[0] if means else np.full(len(out), usual["rate"].mean())
        means.append(np.maximum(np.divide(rest[:, 0], rest[:, 1], out=other.copy(), where=rest[:, 1] > 0.5), FLOOR))
    product, store = products.loc[out["sku_id"]], stores.loc[out["store_id"]]
    middle = products.groupby(words["category"])["price_cents"].median().loc[out["category"]].to_numpy()
    out = out.assign(shelf=means[0], exposure=out["days"] * means[0])
    out = out.assign(price_ratio=np.log(product["price_cents"].to_numpy() / middle))
    out = out.assign(size=np.log(store["size_m2"].to_numpy() / 900), income=np.log(store["income"].to_numpy()))
    out = out.assign(group_ratio=np.log((means[1] + 0.1) / (means[0] + 0.1)))
    return out.assign(**{name: product["brand"].eq(name).to_numpy(float) for name in BRANDS[1:]})


class NewProductPrior(BaseEstimator):
    """What a new product's ratio may be: a gamma distribution for each category, its mean moved by content or not.

    Content moves it by a Poisson regression; a category of fewer than ``least`` rows gets the distribution of all.
    """

    def __init__(self, content: bool = False, least: int = 8) -> None:
        self.content, self.least = content, least

    def fit(self, rows: pd.DataFrame) -> Self:
        """Learn from cells whose sales are known: ``category``, ``units``, ``exposure``, and the content."""
        require_columns(rows, ["category", "units", "exposure", *CONTENT], "rows")
        units, exposure = rows["units"].to_numpy(float), rows["exposure"].to_numpy(float)
        self.model_ = None
        if self.content:
            X, rate = rows[list(CONTENT)].to_numpy(), units / exposure
            self.model_ = PoissonRegressor(alpha=0.01, max_iter=500).fit(X, rate, sample_weight=exposure)
            exposure = exposure * self.model_.predict(X)
        self.all_, category = fit_gamma(units, exposure), rows["category"].to_numpy()
        names, counts = np.unique(category, return_counts=True)
        enough = [str(name) for name in names[counts >= self.least]]
        self.by_category_ = {one: fit_gamma(units[category == one], exposure[category == one]) for one in enough}
        return self

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Return ``shape`` and ``mean`` of each row's ratio before any sale."""
        own = [self.by_category_.get(one, self.all_)[:2] for one in rows["category"]]
        found = pd.DataFrame(own, rows.index, ["shape", "mean"])
        moved = 1.0 if self.model_ is None else self.model_.predict(rows[list(CONTENT)].to_numpy())
        return found.assign(mean=found["mean"] * moved)


@dataclass(frozen=True, eq=False)
class Launches:
    """Launches in their first 13 weeks: ``cells`` as :func:`beside` gives them four days before, and what came.

    ``cells.usual``: an average cell's units a day; ``sold``, ``seen`` by cell and day; ``shelves`` by product.
    """

    cells: pd.DataFrame
    sold: FloatArray
    seen: FloatArray
    shelves: dict[int, pd.DataFrame]


def find_launches(tables: Tables) -> Launches:
    """Find launches whose 13 weeks are recorded, in stores that sold for four weeks before, or refuse.

    Only cells that are listed on the day of the launch and not dropped within the 13 weeks count.
    """
    sales = tables["sales"]
    cells = tables["cells"].merge(tables["products"][["sku_id", "launched_on"]], on="sku_id")
    start, first, last = cells["listed_on"], int(sales["day"].min()) + MATURE, int(sales["day"].max())
    old = tables["stores"].set_index("store_id")["opened_on"].loc[cells["store_id"]].to_numpy()
    new = (start == cells["launched_on"]) & (start > first) & (start + DAYS - 1 <= last)
    new &= ~(cells["delisted_on"] < start + DAYS) & (old <= start - WINDOW - LEAD)
    if not new.any():
        refuse("tables", "with a product launched 13 weeks before their end", "none", "take longer or larger tables")
    parts, shelves = [], {}
    for sku, made_on in sorted(set(zip(cells["sku_id"][new], start[new] - LEAD, strict=True))):
        shelf = shelves[int(sku)] = shelf_at(tables, int(made_on))
        rows = cells.loc[new & (cells["sku_id"] == sku), ["store_id", "sku_id", "listed_on"]].reset_index(drop=True)
        usual = shelf["units"].sum() / shelf["days"].sum()
        parts.append(beside(rows.assign(days=0), shelf, tables).assign(usual=usual))
    found = pd.concat(parts, ignore_index=True).sort_values(["listed_on", "sku_id", "store_id"], ignore_index=True)
    rows = sales[sales["sku_id"].isin(found["sku_id"].unique())]
    return Launches(found, by_day(found, rows, rows["sold"]), by_day(found, rows, seen_of(tables, rows)), shelves)


def by_day(cells: pd.DataFrame, sales: pd.DataFrame, values: npt.ArrayLike) -> FloatArray:
    """Return what stands row by row beside sales as a row a cell and a column a day from its listing, 91 in all."""
    named = cells[["store_id", "sku_id", "listed_on"]].assign(place=np.arange(len(cells)))
    rows = sales[["store_id", "sku_id", "day"]].assign(value=np.asarray(values, dtype=float))
    rows = rows[rows["sku_id"].isin(named["sku_id"].unique())].merge(named, on=["store_id", "sku_id"])
    rows, out = (
        rows.assign(age=rows["day"] - rows["listed_on"]).query(f"0 <= age < {DAYS}"),
        np.zeros((len(cells), DAYS)),
    )
    out[rows["place"], rows["age"]] = rows["value"]
    return out


def ramp_at(launches: Launches, day: int) -> FloatArray:
    """Return sales on each of 91 days over those of the last 28, of launches over by `day`; 1 without two of them."""
    over = (launches.cells["listed_on"] + DAYS <= day).to_numpy()
    if launches.cells.loc[over, "sku_id"].nunique() < 2:
        return np.ones(DAYS)
    units, expected = launches.sold[over].sum(axis=0), launches.cells["shelf"].to_numpy()[over] @ launches.seen[over]
    weekly = units.reshape(WEEKS, 7).sum(axis=1) / np.maximum(expected.reshape(WEEKS, 7).sum(axis=1), 1e-9)
    return np.repeat(weekly / max(float(weekly[-4:].mean()), 1e-9), 7)


def forecast_launches(launches: Launches, tau: float = 0.8) -> pd.DataFrame:
    """Forecast each week of each launch by every method, as known four days before that week.

    A row a cell, week and method: ``place`` (row of the cell), ``week``, ``method``, ``mean`` and ``quantile`` (units
    of the week), ``weight`` (of the prior), ``learned`` (whether a ramp was known). ``nothing``: own sales so far, 0
    without; ``global mean``, ``global ramp``: an average cell of any category, without and with the ramp; ``category``:
    the prior, never moved; ``shrunk``: gamma-Poisson; ``launches``: the same, its prior fitted to earlier launches
    only; ``content``: the prior's mean from a regression; ``product``: the prior first moved by the product's sales in
    all stores.
    """
    found = pd.concat([_of_product(launches, int(sku)) for sku in launches.cells["sku_id"].unique()], ignore_index=True)
    shape, mean = np.minimum(found["shape"].to_numpy(), 1e9), np.maximum(found["mean"].to_numpy(), 1e-12)
    return found.assign(quantile=Posterior(shape, shape / mean).rest_quantile(tau, 1.0)).drop(columns="shape")


def _earlier(launches: Launches, day: int) -> pd.DataFrame:
    over = (launches.cells["listed_on"] + DAYS <= day).to_numpy()
    rows = launches.cells[over].assign(units=launches.sold[over].sum(axis=1))
    return rows.assign(exposure=(launches.seen[over] @ ramp_at(launches, day)) * rows["shelf"]).query("exposure > 0")


def _of_product(launches: Launches, sku: int) -> pd.DataFrame:
    place = np.flatnonzero(launches.cells["sku_id"] == sku)
    cells, sold, seen = launches.cells.iloc[place].reset_index(drop=True), launches.sold[place], launches.seen[place]
    made_on, shelf = int(cells["listed_on"].iloc[0]) - LEAD, cells["shelf"].to_numpy()[:, None]
    ramp, earlier = ramp_at(launches, made_on), _earlier(launches, made_on)
    known = dict.fromkeys(("shrunk", "content", "launches"), launches.shelves[sku])
    known |= {"launches": earlier} if len(earlier) else {}
    priors = {name: NewProductPrior(name == "content").fit(rows).predict(cells) for name, rows in known.items()}
    units, days, exposure = (_until(part) for part in (sold, seen, seen * ramp * shelf))
    ahead = shelf * ramp.reshape(WEEKS, 7).sum(axis=1)
    beliefs = _beliefs(priors, units, exposure, ahead)
    usual = cells["usual"].to_numpy()[:, None]
    others = {
        "nothing": 7 * units / np.maximum(days, 1),
        "global mean": 7 * usual,
        "global ramp": ahead / shelf * usual,
    }
    beliefs |= {name: Belief(np.inf, mean, np.nan) for name, mean in others.items()}
    row, week = (axis.ravel() for axis in np.indices(units.shape))
    parts = []
    for name, one in beliefs.items():
        columns = {field: np.broadcast_to(value, units.shape).ravel() for field, value in one._asdict().items()}
        parts.append(pd.DataFrame({"place": place[row], "week": week, **columns}).assign(method=name))
    return pd.concat(parts).assign(learned=not (ramp == 1).all())


def _until(daily: FloatArray) -> FloatArray:
    total = np.pad(daily.cumsum(axis=1), ((0, 0), (1, 0)))
    return np.asarray(total[:, np.maximum(7 * np.arange(WEEKS) - LEAD + 1, 0)])


def _beliefs(
    priors: Mapping[str, pd.DataFrame], units: FloatArray, exposure: FloatArray, ahead: FloatArray
) -> dict[str, Belief]:
    start = {name: [one[column].to_numpy()[:, None] for column in ("shape", "mean")] for name, one in priors.items()}
    shape, mean = start["shrunk"]
    moved = posterior(shape, mean, units.sum(axis=0), exposure.sum(axis=0)).mean
    found = {name: posterior(own[0], own[1], units, exposure) for name, own in start.items()}
    found |= {"product": posterior(shape, moved, units, exposure), "category": posterior(shape, mean, 0, 0)}
    return {name: one._replace(mean=np.asarray(one.mean) * ahead) for name, one in found.items()}


def launch_table(launches: Launches, forecasts: pd.DataFrame, wanted: FloatArray, tau: float = 0.8) -> pd.DataFrame:
    """Return by ``method`` and ``week`` the errors of :func:`forecast_launches`, added up over launches.

    `wanted` is demand or sales from :func:`by_day`. Columns ``units``, ``error`` (absolute), ``wape``, ``bias`` (share
    of units), ``pinball`` (units a cell) and ``weight`` (of the prior).
    """
    came = wanted.reshape(len(wanted), WEEKS, 7).sum(axis=2)[forecasts["place"], forecasts["week"]]
    rows = forecasts.assign(units=came, error=np.abs(came - forecasts["mean"]), off=forecasts["mean"] - came)
    by = rows.assign(pinball=pinball_loss(came, rows["quantile"].to_numpy(), tau)).groupby(["method", "week"])
    table = by[["units", "error", "off"]].sum().join(by[["pinball", "weight"]].mean())
    return table.assign(wape=table["error"] / table["units"], bias=table["off"] / table["units"]).drop(columns="off")
