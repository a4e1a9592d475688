"""What a grocer's world is made of: the dials, the categories, the calendar's holidays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse

WEEK, YEAR = 7, 364  # a year of whole weeks, so that a weekday stays a weekday
DAYS = 3 * YEAR
OPENS, CLOSES = 8, 22
NEVER_OUT = 24  # hour of a stock-out on a day without one
START = "2023-01-02"  # day 0, a Monday
REGIONS = ("north", "east", "south", "west")
BRANDS = ("own", "national", "premium")
HOLIDAYS = ("none", "easter", "labour", "summer", "thanks", "christmas", "newyear")


@dataclass(frozen=True)
class Category:
    """What the products of a category share.

    Parameters
    ----------
    level : float
        Median units a day in a store of average size.
    price, margin, salvage : float
        Median price in dollars; margin as a share of it; what is left of the cost when a unit is not sold, as a share.
    shelf_life, case_pack : tuple of int
        Allowed values: days on the shelf, units in a case.
    daily : bool
        Ordered each day (the lead time is one day), or once a week.
    heat : float
        Change of log demand for ten degrees above the season's temperature.
    elasticity : float
        Of demand to price, negative.
    peak : float
        Week of the year at which demand is highest, with `season` its amplitude in logs.
    weekend : float
        Log demand on a Saturday above that of a Tuesday.
    festive : float
        Log demand on the days before a holiday above the usual.
    bulk : float
        Share of baskets that take several units.
    """

    level: float
    price: float
    margin: float
    salvage: float
    shelf_life: tuple[int, ...]
    case_pack: tuple[int, ...]
    daily: bool
    heat: float
    elasticity: float
    peak: float
    season: float
    weekend: float
    festive: float
    bulk: float


CATEGORIES: Mapping[str, Category] = {
    "produce": Category(6.0, 3.0, 0.35, 0.1, (3, 4, 5), (6, 8, 12), True, 0.10, -1.6, 27, 0.20, 0.35, 0.30, 0.10),
    "bakery": Category(5.0, 3.5, 0.50, 0.0, (2, 3), (4, 6), True, -0.03, -1.2, 50, 0.08, 0.45, 0.45, 0.05),
    "dairy": Category(4.0, 4.0, 0.28, 0.1, (10, 14, 21), (6, 12), False, 0.02, -1.4, 5, 0.06, 0.25, 0.20, 0.12),
    "drinks": Category(3.0, 2.5, 0.30, 0.9, (180, 365), (6, 12, 24), False, 0.28, -2.2, 29, 0.30, 0.40, 0.50, 0.25),
    "frozen": Category(1.5, 6.0, 0.32, 0.7, (120, 240), (6, 8), False, 0.12, -1.8, 28, 0.18, 0.30, 0.15, 0.10),
    "pantry": Category(1.0, 4.0, 0.33, 0.9, (240, 365), (6, 12), False, -0.02, -1.7, 48, 0.10, 0.20, 0.35, 0.18),
    "household": Category(0.4, 8.0, 0.40, 0.9, (365,), (4, 6, 12), False, 0.0, -1.5, 14, 0.05, 0.20, 0.05, 0.10),
}


@dataclass(frozen=True)
class World:
    """The dials of a grocer's world; a null world has neither censoring nor promotions.

    Parameters
    ----------
    dispersion : float
        Variance of baskets a day over their mean, less one (0 is Poisson).
    stock_level : float
        What the planner orders up to, in multiples of what he expects to sell before the next delivery.
    record_error : float
        Share of (store, product) records that are wrong at a time: the system believes in stock that is not there.
    recapture : float
        Share of unserved baskets that take another product of the same group if there is one.
    placement : float
        0: promotions stand in random weeks; 1: in the weeks in which most was to be expected.
    promo_share : float
        Share of (product, region) weeks with a promotion.
    promo_lift : float
        Log lift of a promotion that is displayed, beside what its price does.
    late_promos : float
        Share of promotions that are announced after the forecast's origin.
    shock_day, shock_days, shock_size : int, int, float
        First day, length and log size of the one shock (pantry and household up, produce down by half as much).
    stacked_from : int
        Day from which two promotions may overlap on one product.
    censored : bool
        False: the shelf is never empty.

    Raises
    ------
    ContractError
        A share outside [0, 1] or a negative number.

    Examples
    --------
    >>> World().censored, World.null().censored, World.null().promo_share
    (True, False, 0.0)
    """

    dispersion: float = 0.6
    stock_level: float = 1.25
    record_error: float = 0.04
    recapture: float = 0.4
    placement: float = 0.6
    promo_share: float = 0.10
    promo_lift: float = 0.35
    late_promos: float = 0.15
    drift: float = 0.12
    shock_day: int = 560
    shock_days: int = 28
    shock_size: float = 0.9
    stacked_from: int = 980
    censored: bool = True

    def __post_init__(self) -> None:
        for name in ("record_error", "recapture", "placement", "promo_share", "late_promos"):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                refuse(name, "a share in [0, 1]", f"{value:g}", "divide percentages by 100")
        for field in fields(self):
            value = getattr(self, field.name)
            if not np.isfinite(value) or (field.name != "shock_size" and value < 0):
                refuse(field.name, "0 or more", f"{value:g}", "give a finite number")

    @classmethod
    def null(cls, **dials: Any) -> World:
        """Return the world in which neither stock nor promotions distort what is seen."""
        return replace(cls(**dials), censored=False, promo_share=0.0)


def in_words(codes: NDArray[np.int64], words: Iterable[str]) -> pd.Categorical[Any]:
    """Return codes as a column of words, with all the words as its categories.

    Examples
    --------
    >>> in_words(np.array([1, 0]), REGIONS).tolist()
    ['east', 'north']
    """
    return pd.Categorical.from_codes(np.asarray(codes), dtype=pd.CategoricalDtype(list(words)))
