"""The buyer's promotions: which product, where, in which week, known since when, and what they do to demand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.demand.world import CATEGORIES, REGIONS, WEEK, World, in_words

Array = NDArray[np.float32]
STACKED = 0.25  # share of promotions that get a second one on top, once that is allowed
HALO, CANNIBAL, DIP = 0.04, 0.35, 0.30  # shares of a promotion's log lift, see `promotion_effects`
DIP_DAYS = 14
_THURSDAY = 3


def plan_promotions(
    world: World, products: pd.DataFrame, expected: Array, rng: np.random.Generator, days: int
) -> pd.DataFrame:
    """Draw the promotions: a week each, Thursday to Wednesday, where the buyer expects much.

    Parameters
    ----------
    expected : numpy.ndarray, shape (products, weeks)
        Log of what a product is expected to sell in each week from Thursday 3 on, without promotions.

    Returns
    -------
    pandas.DataFrame
        As contracted in :data:`casebook.demand.tables.TABLES`. With ``placement`` 1 they stand in the best weeks.
    """
    weeks = expected.shape[1]
    shape = (len(products), len(REGIONS), weeks)
    spread = max(float(expected.std()), 1e-6)
    wish = world.placement * (expected / spread)[:, None, :] + (1 - world.placement) * rng.normal(size=shape)
    wish = wish + 1e-3 * rng.normal(size=shape)  # ties
    count = rng.binomial(weeks, world.promo_share, shape[:2])
    rank = (-wish).argsort(axis=2).argsort(axis=2)
    sku, region, week = np.nonzero(rank < count[:, :, None])
    first = _THURSDAY + WEEK * week
    launched = products["launched_on"].to_numpy()[sku]
    lives = (first > launched + 28) & (first + WEEK <= days)
    sku, region, first = sku[lives], region[lives], first[lives]
    twice = np.flatnonzero((first >= world.stacked_from) & (rng.random(len(first)) < STACKED))
    sku, region, first = (np.concatenate([one, one[twice]]) for one in (sku, region, first))
    late = rng.random(len(first)) < world.late_promos
    notice = np.where(late, rng.integers(1, 4, len(first)), rng.integers(14, 36, len(first)))
    return pd.DataFrame(
        {
            "promotion_id": np.arange(len(first)),
            "sku_id": sku,
            "region": in_words(region, REGIONS),
            "first_day": first,
            "last_day": first + WEEK - 1,
            "announced_on": first - notice,
            "discount": rng.choice([0.1, 0.15, 0.2, 0.25, 0.33], len(first)),
            "display": rng.random(len(first)) < 0.4,
        }
    )


@dataclass(frozen=True, eq=False)
class PromoEffects:
    """What promotions do, by product, region and day.

    Attributes
    ----------
    price_share : price asked as a share of the list price, shape (products, regions, days)
    log_effect : change of log demand by all promotions, of the same shape
    active : promotions that run, of the same shape
    """

    price_share: Array
    log_effect: Array
    active: NDArray[np.int8]


def promotion_effects(world: World, products: pd.DataFrame, promotions: pd.DataFrame, days: int) -> PromoEffects:
    """Return prices and log effects: own lift, halo on the category, loss of the group, and the dip after.

    The own lift is elasticity times log price plus ``promo_lift`` for a display. Products of the same group lose a
    third of it divided among them, the rest of the category gains a twenty-fifth, and in the two weeks after the
    product itself loses up to three tenths, since people have it at home (not where it does not keep).
    """
    shape = (len(products), len(REGIONS), days)
    log_price, shown = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    active = np.zeros(shape, np.int8)
    region = promotions["region"].cat.codes.to_numpy()
    columns = zip(promotions["sku_id"], region, promotions["first_day"], promotions["last_day"],
                  np.log1p(-promotions["discount"]), promotions["display"], strict=True)  # fmt: skip
    for sku, where, first, last, off, display in columns:
        span = (sku, where, slice(first, last + 1))
        log_price[span] += off
        active[span] += 1
        shown[span] = np.maximum(shown[span], world.promo_lift if display else 0.0)
    kinds = [CATEGORIES[name] for name in products["category"]]
    elasticity = np.array([kind.elasticity for kind in kinds], np.float32)
    lift = elasticity[:, None, None] * log_price + shown
    effect = lift + _on_others(lift, products) - _dip(lift, products)
    return PromoEffects(np.exp(log_price), effect, active)


def _on_others(lift: Array, products: pd.DataFrame) -> Array:
    group, category = products["group_id"].to_numpy(), products["category"].cat.codes.to_numpy()
    by_group = np.zeros((group.max() + 1, *lift.shape[1:]), np.float32)
    by_category = np.zeros((category.max() + 1, *lift.shape[1:]), np.float32)
    np.add.at(by_group, group, lift)
    np.add.at(by_category, category, lift)
    rivals = np.maximum(np.bincount(group)[group] - 1, 1).astype(np.float32)
    in_group = by_group[group] - lift
    halo = HALO * (by_category[category] - by_group[group])
    result: Array = np.clip(halo, 0, 0.3) - CANNIBAL * in_group / rivals[:, None, None]
    return result


def _dip(lift: Array, products: pd.DataFrame) -> Array:
    """Return the log loss after a promotion: most on the first day after, none after two weeks or on a running one."""
    keeps = (products["shelf_life_days"].to_numpy() > DIP_DAYS).astype(np.float32)[:, None, None]
    dip = np.zeros_like(lift)
    memory = np.zeros(lift.shape[:2], np.float32)
    for day in range(lift.shape[2]):
        dip[:, :, day] = np.where(lift[:, :, day] > 0, 0.0, memory)
        memory = np.maximum(memory * (1 - 1 / DIP_DAYS), DIP * lift[:, :, day])
    return keeps * dip
