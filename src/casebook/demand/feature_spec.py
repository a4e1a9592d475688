"""What the demand features are: names, windows and the codes of words.

Everything is known at the close of the origin. ``lag_7`` of the target day is not among them: it is known only for
horizons up to 7, and an order covers horizons up to 10. ``last_same_weekday`` is what stands in its place.
"""

from __future__ import annotations

from casebook.demand.world import BRANDS, CATEGORIES, HOLIDAYS, REGIONS

#: Words in the order of their codes; another word gets -1.
CODES: dict[str, tuple[str, ...]] = {
    "region": REGIONS,
    "category": tuple(CATEGORIES),
    "brand": BRANDS,
    "holiday": HOLIDAYS,
}
#: A holiday or a payday farther away than so many days makes no difference; also the value without any.
NEAR = 14
#: Days of a year whose weekdays agree with this year's.
YEAR = 364
#: Half the width, in days, of what counts as the same time of another year for the normal temperature.
SEASON = 7

#: What a row is of. ``horizon`` is a feature too.
IDS = ("store_id", "sku_id", "origin", "horizon", "day")

_PAST = {
    "last_same_weekday": "units sold on the latest day at or before the origin that has the target's weekday",
    "lag_14": "units sold 14 days before the target",
    "lag_21": "units sold 21 days before the target",
    "lag_28": "units sold 28 days before the target",
    "same_weekday_mean_8": "mean of the last 8 days of the target's weekday, the latest at or before the origin",
    "mean_7": "mean units a day over the 7 days that end at the origin",
    "mean_28": "mean units a day over the 28 days that end at the origin",
    "mean_91": "mean units a day over the 91 days that end at the origin",
    "std_28": "standard deviation (n - 1) of the units a day over the 28 days that end at the origin",
    "zero_share_28": "share of days without a sale among these 28",
    "stockout_share_28": "share of days with a recorded stock-out among these 28",
    "days_since_sale": "days from the last day with a sale to the origin",
    "year_ago_mean_7": "mean units a day over the seven days 364 days before those that the order covers",
}
_LEVELS = {
    "store_mean_28": "units per SKU and day in the store over the 28 days that end at the origin",
    "category_store_mean_28": "the same within the category: what a new SKU can be expected to sell there",
    "category_region_trend": "units per cell and day of the category in the region, last 28 days over the 28 before",
}
_CALENDAR = {
    "weekday": "of the target, 0 = Monday",
    "week_of_year": "of the target, 1 to 53, counted from January 1st",
    "holiday_code": "place in CODES['holiday'] of the target",
    "days_to_holiday": "days from the target to the next holiday, 0 on one, at most NEAR",
    "days_since_holiday": "days from the last holiday to the target, 0 on one, at most NEAR",
    "days_since_payday": "days from the last payday to the target, 0 on one, at most NEAR",
}
_PLANNED = {
    "planned_discount": "1 minus planned price over list price on the target, by promotions announced by the origin",
    "planned_promotions": "how many of these are stacked on the target",
    "planned_display": "1 if one of them has a display, else 0",
    "days_since_promotion": "days from the last day with an announced promotion to the target, 0 in one",
    "temperature_forecast": "degrees Celsius forecast at the origin for the target",
    "temperature_deviation": "that forecast minus the mean observed within 7 days of the date in years before",
}
_STATIC = {
    "list_price_cents": "price without promotions",
    "shelf_life_days": "of the SKU",
    "category_code": "place in CODES['category']",
    "brand_code": "place in CODES['brand']",
    "region_code": "place in CODES['region']",
    "size_m2": "of the store",
    "income": "of the store's neighbourhood, 1 = average",
    "days_since_listed": "days since the store lists the SKU, on the target",
    "days_since_launched": "days since the SKU is sold anywhere, on the target",
    "days_since_opened": "days since the store opened, on the target",
    "horizon": "days from the origin to the target",
}

#: Every feature -> what it says. The columns that :func:`casebook.demand.features.build` adds to :data:`IDS` and ``y``.
FEATURES: dict[str, str] = {**_PAST, **_LEVELS, **_CALENDAR, **_PLANNED, **_STATIC}

#: Columns of a feature table in their order.
COLUMNS: tuple[str, ...] = (*IDS, "y", *(name for name in FEATURES if name not in IDS))

#: Table -> the columns that the features read.
READ: dict[str, tuple[str, ...]] = {
    "stores": ("store_id", "region", "size_m2", "income", "opened_on", "closed_on"),
    "products": ("sku_id", "category", "brand", "price_cents", "shelf_life_days", "launched_on"),
    "cells": ("store_id", "sku_id", "listed_on", "delisted_on"),
    "calendar": ("day", "date", "holiday", "payday"),
    "weather": ("region", "day", "temperature_c"),
    "weather_forecasts": ("region", "made_on", "day", "temperature_c"),
    "promotions": ("promotion_id", "sku_id", "region", "first_day", "last_day", "announced_on", "discount", "display"),
    "sales": ("store_id", "sku_id", "day", "sold", "stocked_out"),
}
