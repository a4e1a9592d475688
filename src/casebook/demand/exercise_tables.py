"""The small tables of chapter 7's exercises: weeks of demand, two days of forecasts, features, hours, overrides."""

from __future__ import annotations

import pandas as pd

#: Forty weeks of one product: in how many of them so many units were wanted.
WEEKS = pd.Series(
    [2, 3, 5, 7, 8, 7, 4, 2, 1, 1], pd.RangeIndex(12, 22, name="units wanted"), name="weeks"
)  # fmt: skip

#: Five days of bread: what was wanted, and three forecasts of it.
BREAD = pd.DataFrame(
    {"wanted": [4, 9, 6, 12, 5], "low": [4, 6, 5, 7, 5], "middle": [6, 7, 7, 8, 6], "high": [9, 10, 9, 11, 9]},
    index=pd.Index(["Mon", "Tue", "Wed", "Thu", "Fri"], name="day"),
)

#: Features of a day that lies four to seventeen days after the forecast is made, and what each reads.
READS = pd.Series(
    {
        "lag_7": "units sold 7 days before the day",
        "lag_14": "units sold 14 days before the day",
        "lag_21": "units sold 21 days before the day",
        "last_weekday": "units sold on the last day up to the forecast with the day's weekday",
        "mean_28": "mean units over the 28 days that end with the forecast's day",
        "mean_7": "mean units over the 7 days that end on the day before the day",
        "holiday": "whether the day is a holiday",
        "rain": "millimetres of rain on the day, as measured",
        "promoted": "whether the day lies in a promotion that was announced by the forecast's day",
    },
    name="reads",
).rename_axis("feature")
LEGAL = ("lag_21", "last_weekday", "mean_28", "holiday", "promoted")

#: Orders of a shelf by the hour in which they came, on days on which nothing of it ran out.
HOURS = pd.Series(
    [20, 30, 50, 40, 30, 20, 20, 30, 50, 70, 60, 40, 30, 10], pd.RangeIndex(8, 22, name="hour"), name="orders"
)

#: Days of cells with the forecast as it was, as it was used, and what was wanted then.
OVERRIDES = pd.DataFrame(
    {
        "author": ["Ada", "Ada", "Bob", "Bob", "Bob", "Bob", "Bob"],
        "before": [20.0, 16.0, 10.0, 12.0, 8.0, 15.0, 11.0],
        "after": [26.0, 12.0, 15.0, 18.0, 12.0, 20.0, 16.0],
        "wanted": [24, 13, 11, 20, 8, 18, 12],
    },
    index=pd.RangeIndex(1, 8, name="row"),
)

#: How often a slow seller is asked for so many times a day.
SLOW = pd.Series([0.75, 0.15, 0.10], pd.RangeIndex(3, name="units"), name="share of days")
