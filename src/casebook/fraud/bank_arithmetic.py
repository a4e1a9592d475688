"""The sums to do before any model: what so many events a day are in seconds, people, alarms, calls and dollars.

Every function takes numbers with their units in the names, so that a page can ask it with the source's numbers, with
published ones, or with your bank's. Rates of a score are in :mod:`casebook.arithmetic`.
"""

from __future__ import annotations

import numpy as np

from casebook.arithmetic import per_second, precision_at
from casebook.contracts import refuse

HOURS_A_DAY, SECONDS_AN_HOUR, MINUTES_AN_HOUR, DAYS_A_YEAR = 24, 3_600, 60, 365


def _positive(value: float, what: str) -> float:
    if not (np.isfinite(value) and value > 0):
        refuse(what, "above 0", f"{value:g}", "check its sign and unit")
    return value


def _share(value: float, what: str) -> float:
    if not 0 <= value <= 1:
        refuse(what, "in [0, 1]", f"{value:g}", "divide percentages by 100")
    return value


def peak_per_second(events_a_day: float, peak_factor: float) -> float:
    """Return events a second in the busiest hour, which has ``peak_factor`` times the events of a mean hour.

    Examples
    --------
    >>> round(per_second(50_000_000)), round(peak_per_second(50_000_000, peak_factor=2.5))
    (579, 1447)
    """
    return per_second(_positive(events_a_day, "events_a_day")) * _positive(peak_factor, "peak_factor")


def busiest_hour(seconds: np.ndarray) -> float:
    """Return the peak factor of times: events of the busiest hour of the day over those of a mean hour.

    Parameters
    ----------
    seconds : array, shape (n,)
        Since a midnight; all days are laid on one another, so that the factor of a single day may be higher.

    Examples
    --------
    >>> busiest_hour(np.array([0, 10, 3_600, 7_200 + 86_400]))
    12.0
    """
    times = np.asarray(seconds)
    if times.ndim != 1 or len(times) == 0:
        refuse("seconds", "a column of at least one time", f"shape {times.shape}", "pass the column of times")
    hours = np.bincount(times // SECONDS_AN_HOUR % HOURS_A_DAY, minlength=HOURS_A_DAY)
    return float(hours.max() / hours.mean())


def events_per_holder(events_a_day: float, holders: float) -> float:
    """Return events a day for each holder.

    Examples
    --------
    >>> events_per_holder(50_000_000, 10_000_000)
    5.0
    """
    return _positive(events_a_day, "events_a_day") / _positive(holders, "holders")


def frauds_a_day(events_a_day: float, prevalence: float) -> float:
    """Return how many events of a day are frauds.

    Examples
    --------
    >>> frauds_a_day(50_000_000, 0.001)
    50000.0
    """
    return _positive(events_a_day, "events_a_day") * _share(prevalence, "prevalence")


def years_between_frauds(events_a_day: float, holders: float, prevalence: float) -> float:
    """Return how many years pass on average between two frauds on one holder; below 1: he has several a year.

    Examples
    --------
    >>> round(1 / years_between_frauds(50_000_000, 10_000_000, 0.001), 2)  # frauds a holder has in a year
    1.83
    >>> round(1 / years_between_frauds(50_000_000, 10_000_000, 0.01), 1)
    18.2
    """
    per_year = frauds_a_day(events_a_day, prevalence) * DAYS_A_YEAR / _positive(holders, "holders")
    return 1 / _positive(per_year, "frauds a year")


def false_alarms_a_day(events_a_day: float, prevalence: float, fpr: float) -> float:
    """Return honest events of a day that are stopped.

    Examples
    --------
    >>> false_alarms_a_day(50_000_000, prevalence=0.001, fpr=0.01)
    499500.0
    """
    honest = _positive(events_a_day, "events_a_day") - frauds_a_day(events_a_day, prevalence)
    return honest * _share(fpr, "fpr")


def best_precision(prevalence: float, fpr: float) -> float:
    """Return the precision that no model at this FPR can beat: that of one which finds every fraud.

    Examples
    --------
    >>> round(best_precision(prevalence=0.001, fpr=0.01), 3), round(best_precision(prevalence=0.01, fpr=0.01), 3)
    (0.091, 0.503)
    """
    return precision_at(prevalence, 1.0, fpr)


def days_between_stops(events_a_day: float, holders: float, fpr: float) -> float:
    """Return how many days pass between two false alarms for one holder, if they fall on all alike.

    Examples
    --------
    >>> days_between_stops(50_000_000, 10_000_000, fpr=0.01)
    20.0
    """
    return 1 / (events_per_holder(events_a_day, holders) * _positive(_share(fpr, "fpr"), "fpr"))


def calls_capacity(agents: float, hours: float, minutes_per_call: float, busy: float = 0.8) -> float:
    """Return calls a day that a call centre takes.

    Parameters
    ----------
    agents, hours : float
        Agents, and hours that each works a day.
    minutes_per_call : float
        With the notes afterwards.
    busy : float
        Share of the time on calls; near 1 the queue explodes.

    Examples
    --------
    >>> calls_capacity(agents=500, hours=7.5, minutes_per_call=6)
    30000.0
    """
    minutes = _positive(agents, "agents") * _positive(hours, "hours") * MINUTES_AN_HOUR
    return minutes * _share(busy, "busy") / _positive(minutes_per_call, "minutes_per_call")


def agents_needed(calls_a_day: float, hours: float, minutes_per_call: float, busy: float = 0.8) -> float:
    """Return agents that so many calls a day take.

    Examples
    --------
    >>> round(agents_needed(499_500, hours=7.5, minutes_per_call=6))
    8325
    """
    return calls_a_day / calls_capacity(1, hours, minutes_per_call, busy)


def admissible_fpr(events_a_day: float, prevalence: float, capacity: float, calls_per_alarm: float) -> float:
    """Return the highest FPR whose false alarms fill a call centre, with nothing left for frauds.

    Parameters
    ----------
    events_a_day, prevalence : float
    capacity : float
        Calls a day.
    calls_per_alarm : float
        Share of stopped holders who call.

    Returns
    -------
    float
        At most 1.

    Examples
    --------
    >>> round(admissible_fpr(50_000_000, 0.001, capacity=30_000, calls_per_alarm=0.5), 5)
    0.0012
    """
    a_day = false_alarms_a_day(events_a_day, prevalence, 1.0) * _positive(_share(calls_per_alarm, "share"), "share")
    return min(_positive(capacity, "capacity") / a_day, 1.0)


def friction_budget(capacity: float, calls_per_alarm: float, dollars_per_alarm: float) -> float:
    """Return dollars of friction a day that a call centre of some capacity allows.

    Examples
    --------
    >>> friction_budget(capacity=30_000, calls_per_alarm=0.5, dollars_per_alarm=16.0)
    960000.0
    """
    alarms = _positive(capacity, "capacity") / _positive(_share(calls_per_alarm, "share"), "share")
    return alarms * _positive(dollars_per_alarm, "dollars_per_alarm")
