"""What the claims page of chapter 7 measures of the weekly job: days covered, promotions known, rows and machines."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray, refuse, require_columns
from casebook.demand.order_up_to import WEEKLY, Calendar

MOST_ROWS = 2**31 - 1
"""Rows that LightGBM can count: its ``data_size_t`` is a signed integer of 32 bits."""


def orders_of_day(first_origin: int, weeks: int, calendar: Calendar = WEEKLY) -> pd.Series:
    """Return how many weekly orders cover each day, between the first and the last day that one of them covers.

    Examples
    --------
    >>> orders_of_day(6, 3).value_counts().to_dict()
    {1: 21}
    """
    days = np.add.outer(first_origin + 7 * np.arange(weeks), np.array(calendar.covered)).ravel()
    every = range(int(days.min()), int(days.max()) + 1)
    return pd.Series(days).value_counts().reindex(every, fill_value=0).rename("orders").rename_axis("day")


def known_share(
    promotions: pd.DataFrame, origins: Sequence[int], horizons: Sequence[int] = WEEKLY.covered
) -> pd.DataFrame:
    """Return how many of the promotions that run on the days covered by an order were known when it was forecast.

    Parameters
    ----------
    promotions : pandas.DataFrame
        ``first_day``, ``last_day``, ``announced_on``.
    origins : sequence of int
        Days at whose close forecasts are made.
    horizons : sequence of int
        Days after them that are covered.

    Returns
    -------
    pandas.DataFrame
        Index ``horizon``: ``ran`` (promotions and origins) and ``known``, the share of them.

    Examples
    --------
    >>> one = pd.DataFrame({"first_day": [10, 12], "last_day": [16, 16], "announced_on": [0, 8]})
    >>> known_share(one, [6])["known"].tolist()
    [1.0, 1.0, 0.5, 0.5, 0.5, 0.5, 0.5]
    """
    require_columns(promotions, ["first_day", "last_day", "announced_on"], "promotions")
    first, last, told = (promotions[name].to_numpy() for name in ("first_day", "last_day", "announced_on"))
    rows = {}
    for horizon in horizons:
        ran, known = 0, 0
        for origin in origins:
            runs = (first <= origin + horizon) & (last >= origin + horizon)
            ran, known = ran + int(runs.sum()), known + int((runs & (told <= origin)).sum())
        rows[horizon] = {"ran": ran, "known": known / ran if ran else float("nan")}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("horizon").astype({"ran": int})


@dataclass(frozen=True)
class Night:
    """The time and the machines of a weekly batch.

    Parameters
    ----------
    hours : float
    cores : int
        Of one machine.
    """

    hours: float = 6.0
    cores: int = 16

    def machines(self, series: float, seconds: float) -> float:
        """Return the machines that fit a model to each series within the night, at so many core seconds a series.

        Raises
        ------
        ContractError
            Seconds of 0 or less.

        Examples
        --------
        >>> round(Night().machines(1e9, 0.07))
        203
        """
        if not seconds > 0:
            refuse("seconds", "above 0", f"{seconds:g}", "measure one fit")
        return series * seconds / 3_600 / self.hours / self.cores


def seconds_each(series: Sequence[FloatArray], season: int = 7) -> float:
    """Return the core seconds that AutoETS of statsforecast takes for one of these series, the first one left out.

    Raises
    ------
    ContractError
        Fewer than two series.
    """
    if len(series) < 2:
        refuse("series", "two or more", str(len(series)), "the first is left out, as it may compile")
    model = import_module("statsforecast.models").AutoETS
    model(season_length=season).fit(np.asarray(series[0], float))
    begin = time.process_time()
    for one in series[1:]:
        model(season_length=season).fit(np.asarray(one, float))
    return (time.process_time() - begin) / (len(series) - 1)
