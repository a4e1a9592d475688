"""What hangs on a decision beside the event itself, as a bank reads it from its own past and never from the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.outcomes import loss_if_passed
from casebook.fraud.world import CHANNELS, DAY, ENTRIES, REISSUE_DAYS, Friction

MATURE_DAYS = 14
GAP_DAYS = 30  # reports on one card belong to one episode unless so many days lie between two events
SHRINK = 20.0  # reports of an entry mode that its own mean needs to weigh as much as that of all
Dollars = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Stakes:
    """Means of a bank's past, in dollars.

    Parameters
    ----------
    sale : float
        Amount of an event on which the bank earns a margin, averaged over all events: a transfer counts as 0.
    loss, rest : float or tuple of float, one for each of ``ENTRIES``
        What a fraud by this entry mode cost when it passed, and what later frauds on the same card cost after it unless
        the card is stopped. One number stands for all entry modes.
    lost_sales : float
        Sales that a holder whose card was stopped does not make until the new one comes.
    frauds : int
        Reports on which ``loss`` and ``rest`` rest.
    shares : tuple of float, one for each of ``ENTRIES``
        Of the entry modes among them.

    Raises
    ------
    ContractError
        A figure below 0 or not finite, or not one for each entry mode.

    Examples
    --------
    >>> Stakes(sale=60.0, loss=170.0, rest=50.0).mean_rest
    50.0
    >>> Stakes(sale=-60.0, loss=170.0)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Stakes, sale must be 0 or more, got -60.0; state losses as positive dollars.
    """

    sale: float
    loss: float | tuple[float, ...]
    rest: float | tuple[float, ...] = 0.0
    lost_sales: float = 0.0
    frauds: int = 0
    shares: tuple[float, ...] = (1 / len(ENTRIES),) * len(ENTRIES)

    def __post_init__(self) -> None:
        for name in ("sale", "loss", "rest", "lost_sales", "shares"):
            value = np.atleast_1d(getattr(self, name))
            if not (np.isfinite(value).all() and (value >= 0).all()):
                got = str(getattr(self, name))
                refuse(f"Stakes, {name}", "0 or more", got, "state losses as positive dollars")
            if name in ("loss", "rest", "shares") and len(value) not in (1, len(ENTRIES)):
                refuse(f"Stakes, {name}", f"{len(ENTRIES)} figures", str(len(value)), "give one for each of ENTRIES")

    def by_entry(self, name: str) -> Dollars:
        """Return ``loss`` or ``rest`` for each of ``ENTRIES``, shape (7,)."""
        return np.broadcast_to(np.asarray(getattr(self, name), float), (len(ENTRIES),))

    @property
    def mean_loss(self) -> float:
        """``loss`` over the mix of entry modes in the reported frauds."""
        return float(np.average(self.by_entry("loss"), weights=self.shares))

    @property
    def mean_rest(self) -> float:
        """``rest`` over the same mix."""
        return float(np.average(self.by_entry("rest"), weights=self.shares))


def see_stakes(
    tables: Mapping[str, pd.DataFrame],
    at: int,
    costs: Friction,
    *,
    reported: float = 1.0,
    false_claims: float = 0.0,
    mature_days: int = MATURE_DAYS,
) -> Stakes:
    """Return the stakes as a bank sees them at a second.

    The rest of an episode is what later *reported* frauds on the same card cost, for frauds old enough that most
    reports have come, divided by the share of frauds that is ever reported. It is what was left under the policy then
    in force: a bank that stops more has less at stake, and one whose reports are slow sees too little of it.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``events`` and ``reports``, such as :attr:`casebook.fraud.branch.Past.tables`.
    at : int
        Seconds since the world's first midnight; later events and reports are not read.
    costs : Friction
        For the fee of a passed fraud.
    reported : float
        Share of frauds that are ever reported, as the bank believes.
    false_claims : float
        Share of the reports that are false claims, as the bank believes. They look like honest online sales, of which
        so many are taken out of the means.
    mature_days : int
        Younger frauds are left out.

    Returns
    -------
    Stakes

    Raises
    ------
    ContractError
        A share outside (0, 1], or no report of a fraud that is old enough.

    Examples
    --------
    >>> from casebook.fraud.branch import play_until
    >>> from casebook.fraud.world import World
    >>> past = play_until(World(prevalence=0.02), 500, 41, np.random.default_rng(0), day=40)
    >>> seen = see_stakes(past.tables, 40 * DAY, Friction())
    >>> seen.frauds > 50, seen.mean_rest > 0
    (True, True)
    """
    if not 0 < reported <= 1:
        refuse("reported", "above 0 and at most 1", f"{reported:g}", "give the share that is ever reported")
    if not 0 <= false_claims < 1:
        refuse("false_claims", "0 or more and below 1", f"{false_claims:g}", "give the share of the reports")
    events, reports = tables["events"], tables["reports"]
    events = events.iloc[: int(np.searchsorted(events["at"].to_numpy(), at))]
    rows = np.unique(reports["event_id"].to_numpy()[reports["reported_at"].to_numpy() < at])
    told = events.iloc[rows[rows < len(events)]]
    told = told.assign(loss=_losses(told, costs)).sort_values(["card_id", "at"], kind="stable")
    told = told.assign(rest=_later(told) / reported)
    old = told[told["at"] < at - mature_days * DAY]
    if old.empty:
        refuse("reports", f"of a fraud more than {mature_days} days old", "none", "ask later or lower mature_days")
    false = false_claims * len(old) * _online(events)
    count = np.maximum(_sums(old) - false, 0.0)
    usual = _sums(events.assign(loss=_losses(events, costs)), "loss") / np.maximum(_sums(events), 1)
    loss = _drawn(np.maximum(_sums(old, "loss") - false * usual, 0.0), count)
    rest = _drawn(_sums(old, "rest"), count)  # nothing follows a false claim
    sale, lost = _sales(events)
    return Stakes(sale, loss, rest, lost, len(old), tuple((count / count.sum()).tolist()))


def _sums(events: pd.DataFrame, name: str | None = None) -> Dollars:
    """Return the rows of each entry mode, or the sums of a column over them, shape (7,)."""
    entry = events["entry"].cat.codes.to_numpy()
    return np.bincount(entry, None if name is None else events[name], len(ENTRIES)).astype(float)


def _online(events: pd.DataFrame) -> Dollars:
    """Return the shares of the entry modes among online events, shape (7,)."""
    online = events[events["channel"].cat.codes == CHANNELS.index("online")]
    return _sums(online) / max(len(online), 1)


def _drawn(total: Dollars, count: Dollars) -> tuple[float, ...]:
    """Return means by entry mode, drawn to that of all where there are few cases; the mean of all stays as it is."""
    mean = total.sum() / count.sum()
    drawn = (total + SHRINK * mean) / (count + SHRINK)
    return tuple((drawn * (total.sum() / max(float(drawn @ count), 1e-12))).tolist())


def _losses(events: pd.DataFrame, costs: Friction) -> Dollars:
    entry, channel = (events[name].cat.codes.to_numpy().astype(np.int8) for name in ("entry", "channel"))
    return loss_if_passed(costs, events["amount_cents"].to_numpy(), entry, channel)


def _later(told: pd.DataFrame) -> npt.NDArray[Any]:
    """Return the losses after each row in its episode; rows are sorted by card and time."""
    begins = (told["card_id"].diff() != 0) | (told["at"].diff() > GAP_DAYS * DAY)
    loss = told["loss"].groupby(begins.cumsum().to_numpy())
    return np.asarray(loss.transform("sum") - loss.cumsum(), dtype=np.float64)


def _sales(events: pd.DataFrame) -> tuple[float, float]:
    """Return the mean sale of an event, and the sales of a mean card from midday of one day until its new card."""
    transfer = events["channel"].cat.codes.to_numpy() == CHANNELS.index("app")
    dollars = np.where(transfer, 0, events["amount_cents"].to_numpy()) / 100
    seconds = events["at"].to_numpy()
    days = max((int(seconds[-1]) - int(seconds[0])) / DAY, 1.0)
    a_day = dollars.sum() / days / events["card_id"].nunique()
    return float(dollars.mean()), float(a_day * (REISSUE_DAYS + 0.5))
