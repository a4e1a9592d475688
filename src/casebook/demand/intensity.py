"""What is wanted on average: log demand of every (store, product) on every day, with and without promotions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.demand.promo_plan import PromoEffects
from casebook.demand.season import usual_temperature
from casebook.demand.world import CATEGORIES, HOLIDAYS, REGIONS, WEEK, World

Array = NDArray[np.float32]
_WEEKDAY_SHAPE = np.array([-0.35, -0.4, -0.3, -0.1, 0.4, 0.6, 0.3], np.float32) / 1.0
_ON_HOLIDAY = -0.6
_HOLIDAY_STRENGTH = {"none": 0.0, "easter": 0.8, "labour": 0.5, "summer": 0.8, "thanks": 1.3, "christmas": 1.6,
                     "newyear": 0.7}  # fmt: skip
_BEFORE = np.array([1.0, 0.8, 0.5, 0.3, 0.15], np.float32)  # by days before the holiday
_PAYDAY, _PAYDAY_DAYS = 0.08, 3
_RAMP_PRODUCT, _RAMP_STORE = 56, 120
_SEASONAL, _OFF = 0.08, -3.0  # share of products that are sold half the year, and log demand in the other half
_SHIFT_DAYS, _SHIFT = 500, 0.35  # mean days between two level shifts of a cell, and their log size


@dataclass(frozen=True, eq=False)
class Common:
    """What all stores share.

    Attributes
    ----------
    by_category : log demand by category, region and day
    by_product : log demand by product and day (level, seasonal products, launch)
    weekday : log demand by category and day
    """

    by_category: Array
    by_product: Array
    weekday: Array


def common_terms(
    world: World, products: pd.DataFrame, calendar: pd.DataFrame, weather: pd.DataFrame, rng: np.random.Generator
) -> Common:
    """Return season, holidays, paydays, weather, the shock, and the products' levels, for all days of the weather."""
    day = np.arange(int(weather["day"].max()) + 1)
    kinds = list(CATEGORIES.values())
    anomaly = weather["temperature_c"].to_numpy().reshape(len(REGIONS), -1) - usual_temperature(day)
    base = np.array([kind.season * np.cos(2 * np.pi * (day / WEEK - kind.peak) / 52.18) for kind in kinds])
    festive = holiday_pull(calendar)[: len(day)]
    closed = (calendar["holiday"].to_numpy()[: len(day)] != "none") * _ON_HOLIDAY
    payday = _after(calendar["payday"].to_numpy()[: len(day)]) * _PAYDAY
    pull = np.array([kind.festive for kind in kinds])[:, None] * festive + closed + payday
    heat = np.array([kind.heat for kind in kinds])[:, None, None] * anomaly / 10
    total = (base + pull + _shock(world, day))[:, None, :] + heat
    weekend = np.array([kind.weekend for kind in kinds])[:, None]
    weekday = (weekend * _WEEKDAY_SHAPE[day % WEEK]).astype(np.float32)
    return Common(total.astype(np.float32), _product_terms(products, day, rng), weekday)


def holiday_pull(calendar: pd.DataFrame) -> Array:
    """Return how strongly a holiday pulls on each day: most on the day before, a little five days before."""
    strength = np.array([_HOLIDAY_STRENGTH[name] for name in HOLIDAYS])[calendar["holiday"].cat.codes]
    pull = np.zeros(len(calendar), np.float32)
    for ahead, part in enumerate(_BEFORE, start=1):
        pull[:-ahead] = np.maximum(pull[:-ahead], part * strength[ahead:])
    return pull


def _after(payday: NDArray[np.bool_]) -> Array:
    felt = np.zeros(len(payday), np.float32)
    for later in range(_PAYDAY_DAYS):
        felt[later:] = np.maximum(felt[later:], payday[: len(payday) - later])
    return felt


def _shock(world: World, day: NDArray[np.int64]) -> Array:
    """Return the shock by category and day: it starts at once and fades."""
    since = day - world.shock_day
    shape = np.where((since >= 0) & (since < world.shock_days), 1 - since / max(world.shock_days, 1) / 2, 0.0)
    up = {"pantry": 1.0, "household": 1.0, "frozen": 0.6, "produce": -0.5, "bakery": -0.5}
    return np.array([up.get(name, 0.0) * world.shock_size * shape for name in CATEGORIES], np.float32)


def _product_terms(products: pd.DataFrame, day: NDArray[np.int64], rng: np.random.Generator) -> Array:
    count = len(products)
    level = np.log(products["level"].to_numpy())[:, None]
    trend = rng.normal(0, 0.12, (count, 1)) * day / 365
    seasonal = rng.random((count, 1)) < _SEASONAL
    start = rng.uniform(0, 52, (count, 1))
    off = ((day / WEEK - start) % 52) >= 26
    age = day - products["launched_on"].to_numpy()[:, None]
    result: Array = (level + trend + _OFF * (seasonal & off) + _ramp(age, _RAMP_PRODUCT)).astype(np.float32)
    return result


def _ramp(age: NDArray[np.int64], days: int) -> NDArray[np.float64]:
    """Return log growth up to full demand: a fifth on the first day."""
    result: NDArray[np.float64] = np.log(0.2 + 0.8 * np.clip(age / days, 0, 1))
    return result


def cell_terms(
    world: World, cells: pd.DataFrame, stores: pd.DataFrame, products: pd.DataFrame, days: int,
    rng: np.random.Generator,
) -> Array:  # fmt: skip
    """Return what a (store, product) has for itself, shape (cells, days).

    Its size and taste, level shifts at random days, the store's opening, and a slow unseen movement of each category
    in each store.
    """
    store, sku = cells["store_id"].to_numpy(), cells["sku_id"].to_numpy()
    code = products["category"].cat.codes.to_numpy()[sku]
    place, local = np.unique(store, return_inverse=True)
    size = np.log(stores["size_m2"].to_numpy()[store] / 900)
    brand = products["brand"].cat.codes.to_numpy()[sku] - 1
    taste = rng.normal(0, 0.3, (len(place), len(CATEGORIES)))[local, code] + rng.normal(0, 0.45, len(cells))
    fixed = 0.8 * size + taste + 0.5 * brand * np.log(stores["income"].to_numpy()[store])
    terms = np.repeat(fixed[:, None].astype(np.float32), days, axis=1)
    terms += _slow_moves(world, len(place), days, rng)[local, code]
    jumps = np.where(rng.random((len(cells), days)) < 1 / _SHIFT_DAYS, rng.normal(0, _SHIFT, (len(cells), days)), 0.0)
    terms += jumps.cumsum(axis=1, dtype=np.float32)
    age = np.arange(days) - stores["opened_on"].to_numpy()[store][:, None]
    terms += _ramp(age, _RAMP_STORE).astype(np.float32)
    return terms


def _slow_moves(world: World, stores: int, days: int, rng: np.random.Generator) -> Array:
    """Return weekly autoregressive movements by store, category and day, with a standard deviation of ``drift``."""
    weeks, keep = days // WEEK + 1, 0.8
    steps = rng.normal(0, np.sqrt(1 - keep**2), (stores, len(CATEGORIES), weeks))
    steps[:, :, 0] = rng.normal(0, 1, steps.shape[:2])
    for week in range(1, weeks):
        steps[:, :, week] += keep * steps[:, :, week - 1]
    return (world.drift * np.repeat(steps, WEEK, axis=2)[:, :, :days]).astype(np.float32)


def means(
    common: Common, promos: PromoEffects, own: Array, cells: pd.DataFrame, stores: pd.DataFrame, products: pd.DataFrame
) -> tuple[Array, Array]:
    """Return mean demand with promotions, and without any, each of shape (cells, days), in units a day."""
    sku = cells["sku_id"].to_numpy()
    code = products["category"].cat.codes.to_numpy()[sku]
    region = stores["region"].cat.codes.to_numpy()[cells["store_id"].to_numpy()]
    log_base = own + common.by_product[sku] + common.by_category[code, region] + common.weekday[code]
    base = np.exp(log_base)
    return base * np.exp(promos.log_effect[sku, region]), base


def draw_counts(world: World, mean: Array, bulk: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int32]:
    """Draw units wanted: baskets from a gamma mixture of Poissons, of which a share takes three units or more.

    Parameters
    ----------
    mean : numpy.ndarray, shape (cells, days)
        Mean units a day.
    bulk : numpy.ndarray, shape (cells,)
        Share of baskets that take several: three and a geometric number with mean one more.

    Returns
    -------
    numpy.ndarray of int32, shape (cells, days)
        Its mean is `mean`; the variance is above it by bulk and by ``dispersion``.
    """
    share = bulk[:, None].astype(np.float32)
    baskets_mean = mean / (1 + 3 * share)
    if world.dispersion > 0:
        shape = baskets_mean / world.dispersion
        baskets_mean = rng.standard_gamma(np.maximum(shape, 1e-6), dtype=np.float32) * np.float32(world.dispersion)
    baskets = rng.poisson(baskets_mean).astype(np.int32)
    units = baskets
    some = np.nonzero((baskets > 0) & (share > 0))
    large = rng.binomial(baskets[some], bulk[some[0]])
    big = large > 0
    extra = 2 * large[big] + rng.negative_binomial(large[big], 0.5)
    units[some[0][big], some[1][big]] += extra.astype(np.int32)
    return units
