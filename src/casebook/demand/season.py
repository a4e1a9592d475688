"""The calendar and the weather: what everybody knows beforehand, and what is only forecast."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
from dateutil.easter import easter  # type: ignore[import-untyped]
from numpy.typing import NDArray

from casebook.demand.world import DAYS, HOLIDAYS, REGIONS, START, WEEK, in_words

AHEAD = 14  # days of the calendar beyond the last day of sales
REACH = 10  # days that a weather forecast reaches
ERROR_A_DAY = 0.45  # degrees that a forecast's error grows a day ahead; four at ten days, as public forecasts have
_PERSISTENCE, _SWING = 0.75, 4.0


def holidays_of(year: int) -> dict[date, str]:
    """Return the six holidays of a year.

    Examples
    --------
    >>> {str(day): name for day, name in holidays_of(2024).items()}["2024-03-31"]
    'easter'
    """
    labour = date(year, 9, 1) + timedelta(days=-date(year, 9, 1).weekday() % WEEK)
    thanks = date(year, 11, 1) + timedelta(days=(3 - date(year, 11, 1).weekday()) % WEEK + 3 * WEEK)
    return {
        easter(year): "easter",
        labour: "labour",
        date(year, 7, 4): "summer",
        thanks: "thanks",
        date(year, 12, 25): "christmas",
        date(year, 1, 1): "newyear",
    }


def make_calendar(days: int = DAYS) -> pd.DataFrame:
    """Return the calendar of `days` days and two weeks more, since a forecast looks ahead.

    Examples
    --------
    >>> calendar = make_calendar(364)
    >>> calendar.loc[calendar["holiday"] == "thanks", "date"].astype(str).tolist()
    ['2023-11-23']
    """
    dates = pd.Series(pd.date_range(START, periods=days + AHEAD, freq="D").astype("datetime64[ns]"))
    known = {day: name for year in dates.dt.year.unique() for day, name in holidays_of(int(year)).items()}
    words = [known.get(day, "none") for day in dates.dt.date]
    return pd.DataFrame(
        {
            "day": np.arange(len(dates)),
            "date": dates,
            "weekday": np.arange(len(dates)) % WEEK,
            "holiday": pd.Categorical(words, list(HOLIDAYS)),
            "payday": (dates.dt.day == 15) | dates.dt.is_month_end,
        }
    )


def usual_temperature(days: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the season's temperature (degrees Celsius), warmest in the last week of July."""
    result: NDArray[np.float64] = 14 - 11 * np.cos(2 * np.pi * (days - 22) / 365.25)
    return result


def make_weather(rng: np.random.Generator, days: int = DAYS) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the weather of each region, and the forecasts of it that were made each Sunday.

    Returns
    -------
    weather : columns region, day, temperature_c, rain_mm
    forecasts : columns region, made_on, day, temperature_c; the error grows with the days ahead
    """
    span = days + AHEAD
    shared = _persistent(rng, span)
    anomaly = np.array([0.8 * shared + 0.6 * _persistent(rng, span) for _ in REGIONS]) * _SWING
    temperature = usual_temperature(np.arange(span)) + anomaly
    rain = np.where(rng.random(temperature.shape) < 0.3, rng.exponential(6, temperature.shape), 0.0)
    region, day = (axis.ravel() for axis in np.indices((len(REGIONS), days)))
    words = in_words(region, REGIONS)
    seen = pd.DataFrame({"region": words, "day": day})
    seen["temperature_c"] = temperature[:, :days].ravel().round(1)
    seen["rain_mm"] = rain[:, :days].ravel().round(1)
    return seen, _forecasts(temperature, days, rng)


def _persistent(rng: np.random.Generator, days: int) -> NDArray[np.float64]:
    """Return an autoregressive series of variance 1."""
    noise = rng.normal(0, np.sqrt(1 - _PERSISTENCE**2), days)
    values = np.empty(days)
    values[0] = rng.normal()
    for day in range(1, days):
        values[day] = _PERSISTENCE * values[day - 1] + noise[day]
    return values


def _forecasts(temperature: NDArray[np.float64], days: int, rng: np.random.Generator) -> pd.DataFrame:
    made = np.arange(WEEK - 1, days, WEEK)
    region, week, ahead = (axis.ravel() for axis in np.indices((len(REGIONS), len(made), REACH)))
    day = made[week] + ahead + 1
    error = rng.normal(0, 1, len(day)) * ERROR_A_DAY * (ahead + 1)
    return pd.DataFrame(
        {
            "region": in_words(region, REGIONS),
            "made_on": made[week],
            "day": day,
            "temperature_c": (temperature[region, day] + error).round(1),
        }
    )
