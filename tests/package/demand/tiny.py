"""Small random tables that obey the contract, made by hand: 3 stores, 6 SKUs, gaps, openings, late promotions."""

import numpy as np
import pandas as pd

REGIONS, HOLIDAYS = ("north", "east", "south", "west"), ("none", "christmas", "easter")


def tiny(rng, days=560, stores=3, skus=6, ahead=14):
    """Return a dict of tables; sales end with day ``days - 1``, the calendar ``ahead`` days later."""
    store, sku = np.arange(stores) + 10, np.arange(skus) + 100
    every = np.arange(days + ahead)
    tables = {
        "stores": pd.DataFrame(
            {
                "store_id": store,
                "region": pd.Categorical([REGIONS[row % 2] for row in range(stores)], list(REGIONS)),
                "size_m2": rng.uniform(300, 900, stores),
                "income": rng.uniform(0.7, 1.3, stores),
                "opened_on": np.where(store == store[-1], days - 100, -400),
                "closed_on": np.where(store == 11, float(days - 5), np.nan),
            }
        ),
        "products": pd.DataFrame(
            {
                "sku_id": sku,
                "category": pd.Categorical.from_codes(np.arange(skus) // 3 % 2, ["produce", "frozen"]),
                "brand": rng.choice(["own", "national", "premium"], skus),
                "group_id": np.arange(skus) // 2,
                "price_cents": rng.integers(80, 900, skus),
                "cost_cents": rng.integers(40, 70, skus),
                "salvage_cents": rng.integers(0, 20, skus),
                "shelf_life_days": rng.integers(2, 300, skus),
                "case_pack": rng.choice([6, 12], skus),
                "review_days": np.where(np.arange(skus) < 3, 1, 7),
                "lead_days": np.where(np.arange(skus) < 3, 1, 3),
                "launched_on": np.where(np.arange(skus) == 4, days - 40, -200),
            }
        ),
        "calendar": pd.DataFrame(
            {
                "day": every,
                "date": pd.Timestamp("2023-01-02") + pd.to_timedelta(every, unit="D"),
                "weekday": every % 7,
                "holiday": pd.Categorical.from_codes((every % 364 == 357) + 2 * (every % 97 == 50), HOLIDAYS),
                "payday": every % 30 == 14,
            }
        ),
    }  # fmt: skip
    tables |= weather(rng, days)
    tables["cells"] = cells(rng, tables["stores"], tables["products"], days)
    tables["promotions"] = promotions(rng, sku, days)
    tables["sales"] = sales(rng, tables, days)
    return tables


def weather(rng, days):
    """Return observed weather and its forecasts of each Sunday."""
    seen = pd.MultiIndex.from_product([REGIONS[:2], np.arange(days)], names=["region", "day"]).to_frame(index=False)
    seen["temperature_c"] = rng.normal(12, 6, len(seen)).round(1)
    seen["rain_mm"] = rng.exponential(2, len(seen)).round(1)
    told = [
        (region, made, made + ahead) for region in REGIONS[:2] for made in range(6, days, 7) for ahead in range(1, 11)
    ]
    forecasts = pd.DataFrame(told, columns=["region", "made_on", "day"])
    forecasts["temperature_c"] = rng.normal(12, 6, len(forecasts)).round(1)
    for frame in (seen, forecasts):
        frame["region"] = pd.Categorical(frame["region"], list(REGIONS))
    return {"weather": seen, "weather_forecasts": forecasts}


def cells(rng, stores, products, days):
    """Return most pairs; some are listed late, some are delisted."""
    pairs = stores[["store_id", "opened_on"]].merge(products[["sku_id", "launched_on"]], how="cross")
    pairs = pairs[np.arange(len(pairs)) != 2]
    listed = pairs[["opened_on", "launched_on"]].max(axis=1).to_numpy()
    late, ended = rng.random(len(pairs)) < 0.2, rng.random(len(pairs)) < 0.2
    return pd.DataFrame(
        {
            "store_id": pairs["store_id"].to_numpy(),
            "sku_id": pairs["sku_id"].to_numpy(),
            "listed_on": np.where(late, np.maximum(listed, rng.integers(days // 2, days, len(pairs))), listed),
            "delisted_on": np.where(ended, rng.integers(days - 60, days, len(pairs)).astype(float), np.nan),
        }
    )


def promotions(rng, sku, days, count=90):
    """Return promotions that overlap, some announced after the origin of their week."""
    first = rng.integers(0, days + 10, count)
    return pd.DataFrame(
        {
            "promotion_id": np.arange(count),
            "sku_id": rng.choice(sku, count),
            "region": pd.Categorical(rng.choice(REGIONS[:2], count), list(REGIONS)),
            "first_day": first,
            "last_day": first + rng.integers(0, 14, count),
            "announced_on": first - rng.choice([1, 2, 3, 8, 20], count),
            "discount": rng.choice([0.1, 0.15, 0.25, 0.33], count),
            "display": rng.random(count) < 0.4,
        }
    )


def sales(rng, tables, days):
    """Return a row for each day on which a cell is on sale."""
    cell = (
        tables["cells"]
        .merge(tables["stores"][["store_id", "closed_on"]])
        .merge(tables["products"][["sku_id", "price_cents"]])
    )
    rows = cell.merge(pd.DataFrame({"day": np.arange(days)}), how="cross")
    ended = (rows["day"] >= rows["delisted_on"]) | (rows["day"] >= rows["closed_on"])
    rows = rows[(rows["day"] >= rows["listed_on"]) & ~ended].reset_index(drop=True)
    level = np.where(rows["sku_id"] % 3 == 0, 0.2, 4.0)
    sold = rng.poisson(level * (1 + 0.4 * (rows["day"] % 7 > 4)))
    out = rng.random(len(rows)) < 0.08
    frame = {
        "store_id": rows["store_id"],
        "sku_id": rows["sku_id"],
        "day": rows["day"],
        "sold": sold.astype(np.int64),
        "price_cents": rows["price_cents"],
        "stock_open": sold + np.where(out, 0, 5),
        "stock_close": np.where(out, 0, 5),
        "stocked_out": out,
        "stockout_hour": np.where(out, 18, 24).astype(np.int8),
    }
    empty = dict.fromkeys(("searches", "failed_adds", "substitutions"), 0)
    return pd.DataFrame({**frame, **empty}).sort_values(["store_id", "sku_id", "day"], ignore_index=True)
