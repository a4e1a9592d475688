"""The feature queries: everything that was known of each subscriber before ``$asof``, and nothing after it.

Each query stands alone on the tables and on the queries above it, so that one can be printed, run or translated.
Sums are of whole numbers: the same on one thread or on eight, in whatever order the rows lie.
"""

from __future__ import annotations

from casebook.churn.world import INDUSTRIES, PLANS, ROLES

#: The level that stands for all zeros, left out of the one-hot columns.
BASE_LEVELS = {"plan": "starter", "industry": "other", "role": "user"}
_LEVELS = {"plan": tuple(PLANS), "industry": INDUSTRIES, "role": ROLES}
#: Column -> (field of ``customers``, level).
ONE_HOT = {
    f"{field}_{level}": (field, level)
    for field, levels in _LEVELS.items()
    for level in levels
    if level != BASE_LEVELS[field]
}
_ONE_HOT_SQL = ",\n  ".join(
    f"CASE WHEN {field} = '{level}' THEN 1 ELSE 0 END AS {column}" for column, (field, level) in ONE_HOT.items()
)

_BASE = """
SELECT subscriber_id, account_id, signed_up_on, plan, price, term, bill_day, employees, industry, role,
  date_diff('day', signed_up_on, $asof) AS tenure_days
FROM customers
WHERE signed_up_on < $asof
  AND subscriber_id NOT IN (SELECT subscriber_id FROM cancellations WHERE cancelled_on <= $asof)
"""

_STATIC = f"""
SELECT subscriber_id,
  {_ONE_HOT_SQL},
  CASE WHEN term = 'annual' THEN 1 ELSE 0 END AS is_annual,
  date_diff('day', $asof, CASE
    WHEN term = 'annual' AND make_date(year($asof), month(signed_up_on), bill_day) > $asof
      THEN make_date(year($asof), month(signed_up_on), bill_day)
    WHEN term = 'annual' THEN make_date(year($asof) + 1, month(signed_up_on), bill_day)
    WHEN bill_day > day($asof) THEN make_date(year($asof), month($asof), bill_day)
    WHEN month($asof) = 12 THEN make_date(year($asof) + 1, 1, bill_day)
    ELSE make_date(year($asof), month($asof) + 1, bill_day)
  END) AS days_to_renewal
FROM base
"""

# A week is known when it is over. weeks_ago = 1 is the last week that ended before $asof or on it; 4 weeks are 28 days,
# 13 are called 90 and 26 are called 180. A week without use has no row: it adds 0 to every sum, the slope's included.
_USAGE = """
SELECT subscriber_id,
  SUM(CASE WHEN weeks_ago = 1 THEN logins ELSE 0 END) AS logins_7d,
  SUM(CASE WHEN weeks_ago <= 4 THEN logins ELSE 0 END) AS logins_28d,
  SUM(CASE WHEN weeks_ago BETWEEN 5 AND 8 THEN logins ELSE 0 END) AS logins_28d_before,
  SUM(CASE WHEN weeks_ago BETWEEN 13 AND 16 THEN logins ELSE 0 END) AS logins_84d_ago,
  SUM(CASE WHEN weeks_ago <= 13 THEN logins ELSE 0 END) AS logins_90d,
  SUM(CASE WHEN weeks_ago <= 26 THEN logins ELSE 0 END) AS logins_180d,
  SUM(CASE WHEN weeks_ago <= 52 THEN logins ELSE 0 END) AS logins_364d,
  SUM(CASE WHEN weeks_ago <= 4 THEN pages ELSE 0 END) AS pages_28d,
  MAX(CASE WHEN weeks_ago <= 4 THEN features_used ELSE 0 END) AS features_used_28d,
  SUM(CASE WHEN weeks_ago <= 4 THEN pricing_views ELSE 0 END) AS pricing_views_28d,
  SUM(CASE WHEN weeks_ago <= 12 THEN (13 - 2 * weeks_ago) * logins ELSE 0 END) AS slope_sum,
  MAX(last_login_on) AS last_login_on
FROM (
  SELECT subscriber_id, logins, pages, features_used, pricing_views, last_login_on,
    date_diff('day', week, $asof) // 7 AS weeks_ago
  FROM usage_weekly
  WHERE week <= $asof - INTERVAL 7 DAY AND week > $asof - INTERVAL 371 DAY
) AS weeks
GROUP BY subscriber_id
"""

_WAREHOUSE = """
SELECT date_diff('day', MIN(week), $asof) AS warehouse_days
FROM usage_weekly
WHERE week <= $asof - INTERVAL 7 DAY
"""

_TICKETS = """
SELECT subscriber_id,
  COUNT(CASE WHEN opened_on >= $asof - INTERVAL 30 DAY THEN 1 END) AS tickets_30d,
  MAX(CASE WHEN opened_on >= $asof - INTERVAL 90 DAY THEN severity END) AS worst_severity_90d,
  SUM(CASE WHEN opened_on >= $asof - INTERVAL 180 DAY AND resolved_on < $asof
    THEN date_diff('day', opened_on, resolved_on) END) AS resolving_days,
  COUNT(CASE WHEN opened_on >= $asof - INTERVAL 180 DAY AND resolved_on < $asof THEN 1 END) AS resolved,
  COUNT(CASE WHEN resolved_on IS NULL OR resolved_on >= $asof THEN 1 END) AS open_tickets,
  SUM(CASE WHEN opened_on >= $asof - INTERVAL 90 DAY THEN CAST(ROUND(100 * sentiment) AS BIGINT) END) AS sentiment_sum,
  COUNT(CASE WHEN opened_on >= $asof - INTERVAL 90 DAY THEN sentiment END) AS sentiment_count,
  COUNT(CASE WHEN opened_on >= $asof - INTERVAL 180 DAY AND topic = 'how_to' THEN 1 END) AS how_to_tickets_180d,
  COUNT(CASE WHEN opened_on >= $asof - INTERVAL 30 DAY AND topic = 'billing' THEN 1 END) AS billing_tickets_30d
FROM tickets
WHERE opened_on < $asof
GROUP BY subscriber_id
"""

_PAYMENTS = """
SELECT subscriber_id,
  COUNT(CASE WHEN failed_on >= $asof - INTERVAL 180 DAY THEN 1 END) AS failed_payments_180d,
  COUNT(CASE WHEN recovered_on IS NULL OR recovered_on >= $asof THEN 1 END) AS failed_open
FROM failed_payments
WHERE failed_on < $asof
GROUP BY subscriber_id
"""

_PLANS = """
SELECT subscriber_id,
  COUNT(CASE WHEN kind = 'downgrade' AND changed_on >= $asof - INTERVAL 90 DAY THEN 1 END) AS downgrades_90d,
  COUNT(CASE WHEN kind = 'upgrade' THEN 1 END) AS upgrades_180d
FROM plan_changes
WHERE changed_on < $asof AND changed_on >= $asof - INTERVAL 180 DAY
GROUP BY subscriber_id
"""

_SURVEYS = """
SELECT subscriber_id, score AS last_nps, CASE WHEN score IS NULL THEN 1 ELSE 0 END AS nps_missing
FROM (
  SELECT subscriber_id, score, row_number() OVER (PARTITION BY subscriber_id ORDER BY sent_on DESC) AS newest
  FROM surveys
  WHERE sent_on < $asof AND sent_on >= $asof - INTERVAL 180 DAY
) AS asked
WHERE newest = 1
"""

_EMAILS = """
SELECT subscriber_id,
  CAST(SUM(CAST(opened AS INTEGER)) AS DOUBLE) / NULLIF(COUNT(opened), 0) AS opened_90d,
  CASE WHEN COUNT(opened) = 0 THEN 1 ELSE 0 END AS opens_unknown
FROM emails
WHERE sent_on < $asof AND sent_on >= $asof - INTERVAL 90 DAY
GROUP BY subscriber_id
"""

_CALLS = """
SELECT subscriber_id, COUNT(*) AS calls_90d, COUNT(CASE WHEN reached THEN 1 END) AS reached_90d
FROM calls
WHERE called_on < $asof AND called_on >= $asof - INTERVAL 90 DAY
GROUP BY subscriber_id
"""

_COMPANIES = """
SELECT account_id, COUNT(*) AS members, SUM(COALESCE(logins_28d, 0)) AS company_logins_28d
FROM base LEFT JOIN usage USING (subscriber_id)
GROUP BY account_id
"""

_COMPANY_LEAVERS = """
SELECT account_id, COUNT(*) AS colleagues_left_90d
FROM cancellations JOIN customers USING (subscriber_id)
WHERE cancelled_on < $asof AND cancelled_on >= $asof - INTERVAL 90 DAY
GROUP BY account_id
"""

_RATIOS = """
SELECT subscriber_id,
  CASE WHEN tenure_days >= 84 THEN COALESCE(slope_sum, 0) / CAST(286 AS DOUBLE) END AS usage_slope,
  CASE WHEN tenure_days >= 112 THEN COALESCE(logins_84d_ago, 0) END AS logins_84d_ago,
  CASE WHEN tenure_days >= 112
    THEN (COALESCE(logins_28d, 0) + 1) / CAST(COALESCE(logins_84d_ago, 0) + 1 AS DOUBLE) END AS usage_vs_84d_ago,
  CASE WHEN tenure_days >= 56
    THEN 1 - (COALESCE(logins_28d, 0) + 1) / CAST(COALESCE(logins_28d_before, 0) + 1 AS DOUBLE) END AS logins_drop,
  date_diff('day', last_login_on, $asof) AS days_since_last_login,
  CASE WHEN LEAST(tenure_days, warehouse_days) >= 56
    THEN (COALESCE(logins_28d, 0) + 1) / (
      COALESCE(logins_364d, 0) * CAST(28 AS DOUBLE) / LEAST(364, tenure_days, warehouse_days) + 1) END
    AS usage_vs_own_year
FROM base LEFT JOIN usage USING (subscriber_id) CROSS JOIN warehouse
"""

#: Name -> SQL with the parameter ``$asof``. A query may read the tables and the queries above it.
QUERIES: dict[str, str] = {
    "base": _BASE.strip(),
    "static": _STATIC.strip(),
    "usage": _USAGE.strip(),
    "warehouse": _WAREHOUSE.strip(),
    "ratios": _RATIOS.strip(),
    "support": _TICKETS.strip(),
    "payments": _PAYMENTS.strip(),
    "plan_moves": _PLANS.strip(),
    "asked": _SURVEYS.strip(),
    "mailed": _EMAILS.strip(),
    "contact": _CALLS.strip(),
    "companies": _COMPANIES.strip(),
    "company_leavers": _COMPANY_LEAVERS.strip(),
}

#: Counts: a subscriber without a row has none of them.
COUNTS = (
    *("logins_7d", "logins_28d", "pages_28d", "features_used_28d", "pricing_views_28d", "logins_90d", "logins_180d"),
    *("tickets_30d", "open_tickets", "how_to_tickets_180d", "billing_tickets_30d"),
    *("failed_payments_180d", "failed_open", "downgrades_90d", "upgrades_180d"),
    *("calls_90d", "reached_90d", "colleagues_left_90d"),
)
#: What is missing where there is nothing to measure, and stays missing.
MEASURES = {
    "worst_severity_90d": "worst_severity_90d",
    "days_to_resolve_180d": "CAST(resolving_days AS DOUBLE) / NULLIF(resolved, 0)",
    "sentiment_90d": "sentiment_sum / CAST(100 AS DOUBLE) / NULLIF(sentiment_count, 0)",
    "last_nps": "last_nps",
    "nps_missing": "nps_missing",
    "opened_90d": "opened_90d",
    "opens_unknown": "opens_unknown",
    "colleagues": "members - 1",
    "colleagues_logins_28d": "(company_logins_28d - COALESCE(logins_28d, 0)) / CAST(NULLIF(members - 1, 0) AS DOUBLE)",
}
_BY_SUBSCRIBER = ("static", "usage", "ratios", "support", "payments", "plan_moves", "asked", "mailed", "contact")
_BY_COMPANY = ("companies", "company_leavers")


def with_queries(select: str, names: tuple[str, ...] = tuple(QUERIES)) -> str:
    """Return ``select`` with the named queries in front of it, as one statement.

    Examples
    --------
    >>> print(with_queries("SELECT COUNT(*) FROM warehouse", ("warehouse",)))
    WITH warehouse AS (
      SELECT date_diff('day', MIN(week), $asof) AS warehouse_days
      FROM usage_weekly
      WHERE week <= $asof - INTERVAL 7 DAY
    )
    SELECT COUNT(*) FROM warehouse
    """
    parts = (f"{name} AS (\n  {QUERIES[name].replace(chr(10), chr(10) + '  ')}\n)" for name in names)
    return f"WITH {', '.join(parts)}\n{select}"


def feature_query(columns: tuple[str, ...]) -> str:
    """Return the one statement that computes ``columns`` for everybody subscribed at ``$asof``."""
    picked = ",\n  ".join(_expression(column) for column in columns)
    joins = " ".join(f"LEFT JOIN {name} USING (subscriber_id)" for name in _BY_SUBSCRIBER)
    joins += "".join(f" LEFT JOIN {name} USING (account_id)" for name in _BY_COMPANY)
    return with_queries(f"SELECT subscriber_id, account_id,\n  {picked}\nFROM base {joins}\nORDER BY subscriber_id")


def _expression(column: str) -> str:
    if column in COUNTS:
        return f"COALESCE({column}, 0) AS {column}"
    if column in MEASURES:
        return f"{MEASURES[column]} AS {column}"
    if column == "logins_84d_ago":
        return "ratios.logins_84d_ago"
    return column
