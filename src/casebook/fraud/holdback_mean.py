"""Reported frauds per card of two groups, read daily: a broken model lengthens episodes more than it adds victims.

Counting the cards that report (:mod:`casebook.fraud.holdback`) is exact, but a card that is robbed six times in place
of twice counts once in either group. Here each report counts, at the price of an approximation.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.experiments import always_valid
from casebook.experiments.sequential import always_valid_critical
from casebook.fraud.holdback import ALPHA
from casebook.fraud.holdback_scale import LONGEST, exposure
from casebook.fraud.simulate import Run
from casebook.fraud.world import DAY

LEAST = 20  # reporting cards in the smaller group from which on the normal approximation is trusted
DECIDE = 200  # held cards with a report at which a decision is expected; it tunes the test, and not its error


def known_reports(run: Run, release_day: int) -> pd.DataFrame:
    """Return every report of an event since the release: its card, and the day since then on which it came.

    Parameters
    ----------
    run : Run
        Its tables are read, and nothing of the truth.
    release_day : int

    Returns
    -------
    pandas.DataFrame
        ``card_id`` and ``day``.

    Raises
    ------
    ContractError
        A release after the run's end.
    """
    if not 0 <= release_day < run.days:
        refuse("release_day", f"in 0 to {run.days - 1}", str(release_day), "pass a day of the run")
    events, reports = run.tables["events"], run.tables["reports"]
    ids, when = (reports[name].to_numpy() for name in ("event_id", "reported_at"))
    kept = (events["at"].to_numpy()[ids] >= release_day * DAY) & (when < run.days * DAY)
    return pd.DataFrame(
        {"card_id": events["card_id"].to_numpy()[ids[kept]], "day": when[kept] // DAY - release_day}
    ).reset_index(drop=True)


def tuning(share: float) -> float:
    """Return the reporting cards, of both groups, at which the test is tightest.

    Examples
    --------
    >>> tuning(0.05)
    4000.0
    """
    return DECIDE / min(share, 1 - share)


def mean_alarm_day(known: pd.DataFrame, held: BoolArray, days: int, alpha: float = ALPHA) -> float:
    """Return the day, 1 the first after the release, on whose end reports per card are known to differ; NaN if never.

    The groups' means with their errors over cards, in the normal-mixture confidence sequence of
    :func:`casebook.experiments.always_valid`; its clock is the number of cards that have reported. Looks begin when
    twenty cards of the smaller group have.

    Parameters
    ----------
    known : pandas.DataFrame
        From :func:`known_reports`.
    held : array of bool, shape (cards,)
    days : int
    alpha : float
        Chance that it ever alarms while the models are equal, about.

    Returns
    -------
    float

    Examples
    --------
    >>> card = np.repeat(np.arange(120), 2)
    >>> known = pd.DataFrame({"card_id": card, "day": card // 40})
    >>> held = np.arange(200) % 2 == 0
    >>> mean_alarm_day(known, held, 3), mean_alarm_day(known[known["card_id"] % 4 != 0], held, 3)
    (nan, 3.0)
    """
    counts = np.zeros(len(held))
    place = tuning(float(held.mean()))
    for day in range(days):
        new = known["card_id"].to_numpy()[known["day"].to_numpy() == day]
        np.add.at(counts, new, 1)
        groups = counts[held], counts[~held]
        if min(int((group > 0).sum()) for group in groups) < LEAST:
            continue
        error = np.sqrt(sum(group.var(ddof=1) / len(group) for group in groups))
        rise = float(groups[1].mean() - groups[0].mean())
        if always_valid(rise, error, int((counts > 0).sum()), tuning=place, level=1 - alpha).p < alpha:
            return float(day + 1)
    return np.nan


@dataclass(frozen=True)
class Burden:
    """What a group's cards report, per card and day of :func:`casebook.fraud.holdback_scale.exposure`.

    Attributes
    ----------
    mean : float
        Reports.
    square : float
        Squares of a card's reports.
    cards : float
        Cards that report at all.
    """

    mean: float
    square: float
    cards: float

    def times(self, factor: float) -> Burden:
        """Return what they report where episodes are so many times as frequent."""
        return Burden(self.mean * factor, self.square * factor, self.cards * factor)


def burden_of(known: pd.DataFrame, group: BoolArray, days: int, curve: pd.DataFrame | None) -> Burden:
    """Return what a run's reports say of a group of cards.

    Parameters
    ----------
    known : pandas.DataFrame
        From :func:`known_reports`.
    group : array of bool, shape (cards,)
    days : int
        Days since the release.
    curve : pandas.DataFrame, optional
        As in :func:`casebook.fraud.holdback_scale.exposure`.

    Examples
    --------
    >>> known = pd.DataFrame({"card_id": [0, 0, 1, 5], "day": [0, 1, 1, 0]})
    >>> burden_of(known, np.arange(10) < 5, 2, None)
    Burden(mean=0.3, square=0.5, cards=0.2)
    """
    counts = np.bincount(known["card_id"].to_numpy(), minlength=len(group))[group].astype(float)
    whole = len(counts) * float(exposure(curve, days)[-1])
    sums = (counts.sum(), (counts**2).sum(), (counts > 0).sum())
    return Burden(*(round(float(each) / whole, 15) for each in sums))


def expected_mean_day(
    old: Burden,
    new: Burden,
    share: float,
    cards: float,
    curve: pd.DataFrame | None = None,
    alpha: float = ALPHA,
    longest: int = LONGEST,
) -> float:
    r"""Return the day on which :func:`mean_alarm_day` is expected to alarm; NaN if not within ``longest``.

    Reports come as a compound Poisson process, so that at the end of day t
    :math:`z(t) = (m_1 - m_0) \sqrt{G(t)} / \sqrt{s_0 / (hC) + s_1 / ((1 - h)C)}`, with means m and squares s per card
    and day, C cards, h of them held, G(t) the known days. The formula is the first day on which z reaches the
    confidence sequence's bound at the cards that are expected to have reported. In large banks it is nearly
    :math:`G(t) = z^2 s_0 / (h C (m_1 - m_0)^2)`: days fall with the holdback and the bank alike, until the delay of
    the labels, which is in G, is all that is left.

    Parameters
    ----------
    old, new : Burden
    share : float
    cards : float
    curve : pandas.DataFrame, optional
    alpha : float
    longest : int

    Returns
    -------
    float

    Examples
    --------
    >>> old, new = Burden(1e-4, 2e-4, 5e-5), Burden(1.3e-4, 3e-4, 5.5e-5)
    >>> [expected_mean_day(old, new, 0.01, cards) for cards in (1e6, 1e7, 1e8)]
    [289.0, 29.0, 3.0]
    """
    grown = exposure(curve, longest)
    size = np.array([share, 1 - share]) * cards
    reporting = np.array([old.cards, new.cards]) * size * grown[:, None]
    error: FloatArray = np.sqrt((np.array([old.square, new.square]) / size).sum() / np.maximum(grown, 1e-12))
    z: npt.NDArray[np.float64] = np.abs(new.mean - old.mean) / error
    bound = always_valid_critical(np.maximum(reporting.sum(axis=1), 1e-9), tuning=tuning(share), alpha=alpha)
    above = (z >= bound) & (reporting.min(axis=1) >= LEAST)
    return float(np.argmax(above) + 1) if above.any() else np.nan
