"""The features as one DuckDB query: offline, over a whole log.

Time is in whole seconds and money in whole cents, so that a window has sharp edges and a sum has no rounding. Each
frame ends ``1 PRECEDING``, which is the second before: what shares the row's second is not known yet.
"""

from __future__ import annotations

from casebook.fraud.feature_spec import (
    FEATURES,
    HOUR,
    KEYS,
    RISK_KEYS,
    RISK_WINDOWS,
    SINCE_CAP,
    SPEED_CAP,
    WINDOWS,
    Spec,
)
from casebook.fraud.world import CHANNELS, DAY, ENTRIES

#: ``place`` numbers the log by (t, event_id). An id that is not seen becomes one of its own, shared with no event.
_BASE = """
base AS (
  SELECT event_id, events."at" AS t, card_id, merchant_id, amount_cents, device_id < 0 AS hidden,
    CASE WHEN isfinite(y_km) THEN x_km END AS x_km, y_km,
    CASE WHEN device_id < 0 THEN -1 - event_id ELSE device_id END AS device_id,
    CASE WHEN terminal_id < 0 THEN -1 - event_id ELSE terminal_id END AS terminal_id,
    channel::VARCHAR AS channel, entry::VARCHAR AS entry, country::VARCHAR AS country, category::VARCHAR AS category,
    row_number() OVER (ORDER BY events."at", event_id) AS place
  FROM events
),
asked AS (SELECT * FROM base WHERE t >= $since),
told AS (
  SELECT reports.reported_at AS t, merchant_id, terminal_id FROM reports JOIN base USING (event_id)
)"""

_PAST = """
  COUNT(*) OVER past AS card_count,
  COALESCE(SUM(amount_cents) OVER past, 0)::BIGINT AS card_cents,
  COALESCE(MAX(amount_cents) OVER past, 0) AS card_max_cents,
  t - MAX(t) OVER past AS since,
  MAX(CASE WHEN isfinite(x_km) THEN place END) OVER past AS last_place,
  MIN(t) OVER (PARTITION BY card_id, merchant_id) >= t AS new_merchant,
  MIN(t) OVER (PARTITION BY card_id, country) >= t AS new_country,
  NOT hidden AND MIN(t) OVER (PARTITION BY card_id, device_id) >= t AS new_device"""

_SPEED = f"""LEAST(
    SQRT(
      (asked.x_km - earlier.x_km) * (asked.x_km - earlier.x_km)
      + (asked.y_km - earlier.y_km) * (asked.y_km - earlier.y_km)
    ) / ((asked.t - earlier.t) / {HOUR}.0),
    {SPEED_CAP}
  )"""


def _frames(column: str, windows: dict[str, int]) -> str:
    return ",\n  ".join(
        f"w{name} AS (PARTITION BY {column} ORDER BY t RANGE BETWEEN {seconds} PRECEDING AND 1 PRECEDING)"
        for name, seconds in windows.items()
    )


def _velocity(key: str) -> str:
    return ",\n  ".join(
        f"COALESCE(SUM(happened) OVER w{name}, 0)::BIGINT AS {key}_count_{name},\n"
        f"  COALESCE(SUM(amount_cents) OVER w{name}, 0)::BIGINT AS {key}_cents_{name}"
        for name in WINDOWS
    )


def _risk(key: str) -> str:
    return ",\n  ".join(
        f"(COALESCE(SUM(1 - happened) OVER w{name}, 0)::BIGINT + $prior * $prior_rate)"
        f" / (COALESCE(SUM(happened) OVER w{name}, 0)::BIGINT + $prior) AS {key}_risk_{name}"
        for name in RISK_WINDOWS
    )


def _cards() -> str:
    return f"""
cards AS (
  SELECT event_id, t,
  {_velocity("card")},{_PAST}
  FROM (SELECT *, 1 AS happened FROM base WHERE card_id IN (SELECT card_id FROM asked))
  WINDOW {_frames("card_id", WINDOWS)},
  past AS (PARTITION BY card_id ORDER BY t RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
)"""


def _shared(key: str) -> str:
    """Write the windows of a key that many cards share; reports stand in the log as rows that did not happen."""
    column = (KEYS | RISK_KEYS)[key]
    windows = (WINDOWS if key in KEYS else {}) | (RISK_WINDOWS if key in RISK_KEYS else {})
    picked = ",\n  ".join([_velocity(key)] * (key in KEYS) + [_risk(key)] * (key in RISK_KEYS))
    recent = f"t >= $since - {max(windows.values())} AND {column} IN (SELECT {column} FROM asked)"
    reported = f"""
    UNION ALL SELECT -1, t, {column}, 0, 0 FROM told WHERE {recent}""" * (key in RISK_KEYS)
    return f"""
{key}s AS (
  SELECT event_id, t, happened,
  {picked}
  FROM (
    SELECT event_id, t, {column}, amount_cents, 1 AS happened FROM base WHERE {recent}{reported}
  )
  WINDOW {_frames(column, windows)}
)"""


def _code(column: str, words: tuple[str, ...]) -> str:
    quoted = [word.replace("'", "''") for word in words]
    cases = " ".join(f"WHEN '{word}' THEN {code}" for code, word in enumerate(quoted))
    return f"CASE asked.{column} {cases} ELSE -1 END AS {column}"


def _columns(spec: Spec) -> str:
    own = {
        "hour": f"asked.t % {DAY} // {HOUR} AS hour",
        "weekday": f"asked.t // {DAY} % 7 AS weekday",
        "channel": _code("channel", CHANNELS),
        "entry": _code("entry", ENTRIES),
        "country_home": "asked.country = $home AS country_home",
        "category": _code("category", spec.categories),
        "amount_cents": "asked.amount_cents",
        "card_mean_cents": "CASE card_count WHEN 0 THEN 0 ELSE card_cents / card_count END AS card_mean_cents",
        "amount_to_mean": "CASE card_count WHEN 0 THEN 1 ELSE asked.amount_cents / (card_cents / card_count) END"
        " AS amount_to_mean",
        "card_since": f"COALESCE(LEAST(since, {SINCE_CAP}), {SINCE_CAP}) AS card_since",
        "travel_kmh": f"CASE WHEN isfinite(asked.x_km) AND last_place > 0 THEN {_SPEED} ELSE 0 END AS travel_kmh",
    }
    return ",\n  ".join(own.get(name, name) for name in FEATURES)


def feature_query(spec: Spec) -> str:
    """Write the query of all features.

    It reads the tables ``events`` and ``reports`` and the parameters ``$since``, ``$home``, ``$prior`` and
    ``$prior_rate``, and gives one row an event of ``$since`` and later, in (at, event_id) order. Of the log before
    ``$since`` it keeps what can matter: the asked cards' whole past, 28 days of the asked merchants and terminals.

    Parameters
    ----------
    spec : Spec
        Its categories are written into the text; its numbers are parameters.

    Returns
    -------
    str

    Examples
    --------
    >>> query = feature_query(Spec())
    >>> "w10m AS (PARTITION BY card_id ORDER BY t RANGE BETWEEN 600 PRECEDING AND 1 PRECEDING)" in query
    True
    """
    tables = ",".join([_BASE, _cards(), _shared("merchant"), _shared("device"), _shared("terminal")])
    joins = "\n".join(
        f"JOIN (SELECT * EXCLUDE (t, happened) FROM {key}s WHERE happened = 1 AND t >= $since) USING (event_id)"
        for key in ("merchant", "device", "terminal")
    )
    return f"""WITH {tables}
SELECT event_id,
  {_columns(spec)}
FROM asked
JOIN (SELECT * EXCLUDE (t) FROM cards WHERE t >= $since) USING (event_id)
{joins}
LEFT JOIN (SELECT place, t, x_km, y_km FROM base) AS earlier ON earlier.place = last_place
ORDER BY asked.place"""
