"""A twin of the feature query that reads the tables anew for every row; slow, and nothing of it is shared."""

import numpy as np
import pandas as pd

from casebook.demand.feature_spec import CODES, COLUMNS
from casebook.demand.origins import HORIZONS


def mean(values):
    return np.mean(values) if len(values) else np.nan


def code(word, text):
    return CODES[word].index(text) if text in CODES[word] else -1


class Twin:
    """Reads the tables row by row; each method tells some features of one (store, SKU, origin, horizon)."""

    def __init__(self, tables, target="sold"):
        self.tables, self.target = tables, target
        sales = tables["sales"]
        self.cell = {key: rows.set_index("day") for key, rows in sales.groupby(["store_id", "sku_id"])}
        self.none = sales.set_index("day").iloc[:0]
        self.calendar = tables["calendar"].set_index("day")
        self.stores = tables["stores"].set_index("store_id")
        self.products = tables["products"].set_index("sku_id")
        self.told = {}
        self.wide = sales.merge(tables["stores"][["store_id", "region"]]).merge(
            tables["products"][["sku_id", "category"]]
        )

    def frame(self, origins, horizons=HORIZONS):
        rows = []
        for store, sku, listed, ended in self.tables["cells"][
            ["store_id", "sku_id", "listed_on", "delisted_on"]
        ].to_numpy():
            shop, product = self.stores.loc[store], self.products.loc[sku]
            first = max(listed, shop["opened_on"], product["launched_on"])
            last = np.nanmin([ended, shop["closed_on"], 1e9])
            rows += [
                self.row(int(store), int(sku), int(origin), horizon, listed)
                for origin in origins
                for horizon in horizons
                if first <= origin + horizon < last
            ]
        return pd.DataFrame(rows)[list(COLUMNS)].sort_values(
            ["store_id", "sku_id", "origin", "horizon"], ignore_index=True
        )

    def row(self, store, sku, origin, horizon, listed):
        day, past = origin + horizon, self.cell.get((store, sku), self.none)
        y = past[self.target].get(day, np.nan)
        told = {"store_id": store, "sku_id": sku, "origin": origin, "horizon": horizon, "day": day, "y": y}
        told |= self.history(past.loc[past.index <= origin], origin, day)
        shop, product = self.stores.loc[store], self.products.loc[sku]
        told |= self.once(self.levels, store, product["category"], shop["region"], origin)
        told |= self.once(self.dates, day) | self.once(self.promoted, sku, shop["region"], origin, day)
        told |= self.once(self.weather, shop["region"], origin, day)
        return told | {
            "list_price_cents": product["price_cents"],
            "shelf_life_days": product["shelf_life_days"],
            "category_code": code("category", product["category"]),
            "brand_code": code("brand", product["brand"]),
            "region_code": code("region", shop["region"]),
            "size_m2": shop["size_m2"],
            "income": shop["income"],
            "days_since_listed": day - listed,
            "days_since_launched": day - product["launched_on"],
            "days_since_opened": day - shop["opened_on"],
        }

    def once(self, method, *about):
        key = (method.__name__, *about)
        if key not in self.told:
            self.told[key] = method(*about)
        return self.told[key]

    def history(self, past, origin, day):
        sold = past["sold"]
        same = max(one for one in range(origin - 6, origin + 1) if one % 7 == day % 7)
        windows = {width: sold[sold.index > origin - width] for width in (7, 28, 91)}
        year = sold[(sold.index >= origin + 4 - 364) & (sold.index <= origin + 10 - 364)]
        month, days_of_month = windows[28], past.index > origin - 28
        return {
            "last_same_weekday": sold.get(same, np.nan),
            **{f"lag_{lag}": sold.get(day - lag, np.nan) for lag in (14, 21, 28)},
            "same_weekday_mean_8": mean([sold[one] for one in range(same - 49, same + 1, 7) if one in sold.index]),
            **{f"mean_{width}": mean(window) for width, window in windows.items()},
            "std_28": month.std(),
            "zero_share_28": mean(month == 0),
            "stockout_share_28": mean(past.loc[days_of_month, "stocked_out"]),
            "days_since_sale": origin - sold[sold > 0].index.max(),
            "year_ago_mean_7": mean(year),
        }

    def levels(self, store, category, region, origin):
        wide = self.wide[(self.wide["day"] <= origin) & (self.wide["day"] > origin - 56)]
        late, shelf = wide["day"] > origin - 28, wide["category"] == category
        place = shelf & (wide["region"] == region)
        now, before = mean(wide.loc[place & late, "sold"]), mean(wide.loc[place & ~late, "sold"])
        return {
            "store_mean_28": mean(wide.loc[late & (wide["store_id"] == store), "sold"]),
            "category_store_mean_28": mean(wide.loc[late & shelf & (wide["store_id"] == store), "sold"]),
            "category_region_trend": now / before if before else np.nan,
        }

    def dates(self, day):
        holidays = self.calendar.index[self.calendar["holiday"] != "none"]
        paydays = self.calendar.index[self.calendar["payday"]]
        return {
            "weekday": day % 7,
            "week_of_year": (self.calendar.loc[day, "date"].day_of_year - 1) // 7 + 1,
            "holiday_code": code("holiday", self.calendar.loc[day, "holiday"]),
            "days_to_holiday": min([14, *(one - day for one in holidays if one >= day)]),
            "days_since_holiday": min([14, *(day - one for one in holidays if one <= day)]),
            "days_since_payday": min([14, *(day - one for one in paydays if one <= day)]),
        }

    def promoted(self, sku, region, origin, day):
        all_of = self.tables["promotions"]
        known = all_of[(all_of["sku_id"] == sku) & (all_of["region"] == region) & (all_of["announced_on"] <= origin)]
        begun = known[known["first_day"] <= day]
        running = begun[begun["last_day"] >= day]
        return {
            "planned_discount": 1 - (1 - running["discount"]).prod(),
            "planned_promotions": len(running),
            "planned_display": running["display"].any(),
            "days_since_promotion": min((day - min(last, day) for last in begun["last_day"]), default=np.nan),
        }

    def weather(self, region, origin, day):
        told, seen = self.tables["weather_forecasts"], self.tables["weather"]
        told = told[(told["region"] == region) & (told["made_on"] == origin) & (told["day"] == day)]["temperature_c"]
        near = [seen["day"].between(day - back - 7, day - back + 7) for back in (364, 728, 1092)]
        usual = mean(seen[(seen["region"] == region) & np.logical_or.reduce(near)]["temperature_c"])
        forecast = told.iloc[0] if len(told) else np.nan
        return {"temperature_forecast": forecast, "temperature_deviation": forecast - usual}
