"""The part of the feature query that looks ahead: what was announced or forecast at the origin of its target days."""

from __future__ import annotations

from casebook.demand.feature_spec import CODES, NEAR, SEASON, YEAR
from casebook.demand.origins import FARTHEST


def _code(word: str, expression: str) -> str:
    cases = " ".join(f"WHEN '{text}' THEN {place}" for place, text in enumerate(CODES[word]))
    return f"CASE {expression} {cases} ELSE -1 END AS {word}_code"


STATIC = f"""kinds AS (
  SELECT sku_id, CAST(category AS VARCHAR) AS category, {_code("category", "CAST(category AS VARCHAR)")},
    {_code("brand", "CAST(brand AS VARCHAR)")},
    price_cents AS list_price_cents, shelf_life_days, launched_on
  FROM products
),
places AS (
  SELECT store_id, CAST(region AS VARCHAR) AS region, {_code("region", "CAST(region AS VARCHAR)")},
    size_m2, income, opened_on, closed_on
  FROM stores
)"""

_NO_HOLIDAY = "CAST(holiday AS VARCHAR) <> 'none'"
TARGETS = f"""asked AS (
  SELECT region, origin, horizon, origin + horizon AS day
  FROM origins CROSS JOIN horizons CROSS JOIN (SELECT DISTINCT region FROM places) AS regions
),
dates AS (
  SELECT day, day % 7 AS weekday, (DAYOFYEAR(date) - 1) // 7 + 1 AS week_of_year,
    {_code("holiday", "CAST(holiday AS VARCHAR)")},
    MIN(CASE WHEN {_NO_HOLIDAY} THEN day END)
      OVER (ORDER BY day ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) - day AS to_holiday,
    day - MAX(CASE WHEN {_NO_HOLIDAY} THEN day END)
      OVER (ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS since_holiday,
    day - MAX(CASE WHEN payday THEN day END)
      OVER (ORDER BY day ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS since_payday
  FROM calendar
),
normals AS (
  SELECT asked.region, asked.origin, asked.horizon,
    SUM(CAST(ROUND(100 * weather.temperature_c) AS BIGINT)) / 100.0 / COUNT(*) AS usual_c
  FROM asked
  JOIN weather ON CAST(weather.region AS VARCHAR) = asked.region
    AND weather.day <= asked.day - {YEAR - SEASON} AND (asked.day - weather.day + {SEASON}) % {YEAR} <= {2 * SEASON}
  WHERE weather.temperature_c IS NOT NULL
  GROUP BY asked.region, asked.origin, asked.horizon
),
targets AS (
  SELECT asked.region, asked.origin, asked.horizon, asked.day, weekday, week_of_year, holiday_code,
    LEAST(COALESCE(to_holiday, {NEAR}), {NEAR}) AS days_to_holiday,
    LEAST(COALESCE(since_holiday, {NEAR}), {NEAR}) AS days_since_holiday,
    LEAST(COALESCE(since_payday, {NEAR}), {NEAR}) AS days_since_payday,
    temperature_c AS temperature_forecast, temperature_c - usual_c AS temperature_deviation
  FROM asked
  JOIN dates ON dates.day = asked.day
  LEFT JOIN weather_forecasts AS forecast ON CAST(forecast.region AS VARCHAR) = asked.region
    AND forecast.made_on = asked.origin AND forecast.day = asked.day
  LEFT JOIN normals ON normals.region = asked.region AND normals.origin = asked.origin
    AND normals.horizon = asked.horizon
)"""

# What is announced at the origin, of the days up to it and of the days after it.
PROMOTIONS = f"""announced AS (
  SELECT sku_id, CAST(region AS VARCHAR) AS region, origin, first_day, last_day, display,
    CAST(ROUND(1e9 * LN(1 - discount)) AS BIGINT) AS log_price
  FROM promotions
  JOIN origins ON announced_on <= origin AND first_day <= origin + {FARTHEST}
),
promoted AS (
  SELECT sku_id, region, origin, MAX(LEAST(last_day, origin)) AS promoted_on
  FROM announced
  WHERE first_day <= origin
  GROUP BY sku_id, region, origin
),
planned AS (
  SELECT sku_id, region, origin, horizon,
    COUNT(CASE WHEN last_day >= origin + horizon THEN 1 END) AS promotions,
    CAST(SUM(CASE WHEN last_day >= origin + horizon THEN log_price ELSE 0 END) AS BIGINT) / 1e9 AS log_price,
    MAX(CASE WHEN last_day >= origin + horizon AND display THEN 1 ELSE 0 END) AS display,
    MAX(LEAST(last_day, origin + horizon)) AS promoted_by
  FROM announced
  JOIN horizons ON first_day <= origin + horizon AND last_day > origin
  GROUP BY sku_id, region, origin, horizon
)"""
