"""A reader's own payments: what is known of them at a day, whether p holds, and what their costs make of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.decisions import Envelope
from casebook.fraud.evaluate import bands
from casebook.fraud.labelled import known_labels
from casebook.fraud.own_table_checks import check_payments
from casebook.fraud.policies import choices
from casebook.fraud.prices import Asking, Prices
from casebook.fraud.stakes import MATURE_DAYS, Stakes, see_stakes
from casebook.fraud.tables import ENTRY_CHANNEL, WORDS, Tables
from casebook.fraud.tiers import mean_cuts
from casebook.fraud.world import ACTIONS, DAY, Friction

FEW = 100  # known frauds below which policies are not told apart
WAYS = ("junior", "source", "one cut", "two cuts", "three cuts", "per amount")
SHORT = ("fraud", "honest", "blocked", "too young")


@dataclass(frozen=True)
class Reading:
    """What a table of payments says at a day.

    Attributes
    ----------
    labels : pandas.Series of Int8
        1, 0 or missing, in the reader's order of rows, indexed by ``payment_id``; payments of later are not there.
    known : pandas.DataFrame
        Rows ``fraud``, ``honest``, ``blocked``, ``too young``: ``payments`` and ``dollars``.
    calibration : pandas.DataFrame
        As :func:`casebook.fraud.evaluate.bands`, on the labelled rows that are old enough: of the younger ones frauds
        alone have a label, which would make every band look worse.
    prices : Prices
        The reader's costs, with stakes from the reader's own reports.
    envelope : casebook.decisions.Envelope
        Cuts at the mean loss.
    money : pandas.DataFrame
        One row a policy of :func:`casebook.fraud.policies.choices` and ``nothing``: on the same rows ``loss`` (what
        frauds cost that the policy lets pass), ``friction`` (what it costs on honest rows), ``net``, dollars; and the
        number of rows under each action.
    """

    labels: pd.Series
    known: pd.DataFrame
    calibration: pd.DataFrame
    prices: Prices
    envelope: Envelope
    money: pd.DataFrame

    @property
    def stakes(self) -> Stakes:
        """What a fraud costs and what follows it, by the reader's own reports."""
        return self.prices.stakes

    @property
    def factor(self) -> float:
        """Known frauds for each fraud that p promised on the labelled rows."""
        return float(self.calibration["frauds"].sum() / self.calibration["promised"].sum())

    @property
    def warning(self) -> str:
        """What the money table leaves out, and whether it may rank policies at all."""
        frauds = int(self.calibration["frauds"].sum())
        blocked, young = (self.known.loc[name] for name in ("blocked", "too young"))
        few = f"Only {frauds} known frauds: too few to rank policies. " if frauds < FEW else ""
        return (
            f"{few}Not in this table: {blocked['payments']:,.0f} blocked payments, ${blocked['dollars']:,.0f}, of "
            f"which nobody knows how many were fraud; {young['payments']:,.0f} too young to be called honest; and what "
            f"follows a fraud on its card, ${self.stakes.mean_rest:,.0f} on average, which a policy that stops the "
            "card spares. Nor does a row know of fraudsters who turn to what still passes. Which of these weighs more "
            "no row can say: hold cards back, or play it."
        )


def tables_of(payments: pd.DataFrame) -> tuple[Tables, pd.Timestamp]:
    """Return checked payments as the room's tables, sorted by time, and the midnight from which their seconds count.

    Parameters
    ----------
    payments : pandas.DataFrame
        From :func:`casebook.fraud.own_table_checks.check_payments`.

    Returns
    -------
    tuple of dict of str to pandas.DataFrame, and pandas.Timestamp
        ``events``, ``decisions`` and ``reports``; ``event_id`` is the row's place in the order of time.

    Examples
    --------
    >>> tables, midnight = tables_of(check_payments(example_payments(50, np.random.default_rng(0))))
    >>> sorted(tables), midnight.hour
    (['decisions', 'events', 'reports'], 0)
    """
    rows = payments.sort_values("at", kind="stable", ignore_index=True)
    midnight = rows["at"].iloc[0].normalize()
    seconds = {name: (rows[name] - midnight).dt.total_seconds() for name in ("at", "reported_at")}
    channel = rows["entry"].map(ENTRY_CHANNEL)
    ids = np.arange(len(rows))
    events = pd.DataFrame(
        {
            "event_id": ids,
            "at": seconds["at"].astype("int64"),
            "card_id": pd.factorize(rows["card_id"])[0],
            "amount_cents": (100 * rows["amount"]).round().astype("int64"),
            "entry": pd.Categorical(rows["entry"], categories=list(WORDS["entry"])),
            "channel": pd.Categorical(channel, categories=list(WORDS["channel"])),
            "p": rows["p"],
            "payment_id": rows["payment_id"],
        }
    )
    outcome = np.where(rows["blocked"], "declined", "passed")
    told = rows["reported_at"].notna().to_numpy()
    reports = {"event_id": ids[told], "reported_at": seconds["reported_at"][told].astype("int64").to_numpy()}
    decisions = pd.DataFrame({"event_id": ids, "outcome": outcome})
    return {"events": events, "decisions": decisions, "reports": pd.DataFrame(reports)}, midnight


def read_payments(
    frame: pd.DataFrame,
    at: str | pd.Timestamp,
    costs: Friction,
    asking: Asking,
    *,
    reported: float = 1.0,
    mature_days: int = MATURE_DAYS,
) -> Reading:
    """Read a reader's own payments as of a day, with the reader's own costs.

    A payment counts as fraud if it was disputed by then, and as honest if it was charged, nobody has disputed it and
    it is at least ``mature_days`` old; what was blocked or is younger has no label.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :data:`casebook.fraud.own_table_checks.PAYMENTS`.
    at : str or pandas.Timestamp
        Later payments and reports are not read.
    costs : Friction
    asking : Asking
        What the reader believes of pushes and calls.
    reported : float
        Share of frauds that is ever reported, as the reader believes.
    mature_days : int
        At least 1.

    Returns
    -------
    Reading

    Raises
    ------
    ContractError
        A table that breaks the contract, a day that is none or lies before every payment, no dispute that is old
        enough, or no honest row.

    Examples
    --------
    >>> mine = example_payments(4_000, np.random.default_rng(0))
    >>> reading = read_payments(mine, "2026-05-01", Friction(), Asking())
    >>> int(reading.known["payments"].sum()) == len(reading.labels)
    True
    """
    payments = check_payments(frame)
    tables, midnight = tables_of(payments)
    second = int((_day(at) - midnight).total_seconds())
    if second <= 0:
        refuse("at", f"after the first payment ({payments['at'].min()})", str(at), "ask as of a later day")
    y = _labels(tables, second, mature_days)
    events = tables["events"].iloc[: len(y)]
    prices = Prices(costs, asking, see_stakes(tables, second, costs, reported=reported, mature_days=mature_days))
    labelled = y.notna().to_numpy() & (events["at"].to_numpy() <= second - mature_days * DAY)
    rows, fraud = events[labelled], y[labelled].to_numpy(dtype=bool)
    if fraud.all():
        refuse("at", f"a day by which some honest payment is {mature_days} days old", str(at), "ask later")
    return Reading(
        labels=_in_order(y, events["payment_id"], payments["payment_id"]),
        known=_counts(events, y, tables["decisions"]["outcome"].iloc[: len(y)]),
        calibration=bands(fraud, rows["p"].to_numpy()),
        prices=prices,
        envelope=mean_cuts(prices),
        money=_money(rows, fraud, prices),
    )


def _day(at: str | pd.Timestamp) -> pd.Timestamp:
    try:
        day = pd.Timestamp(at)
    except (TypeError, ValueError):
        refuse("at", "a date", repr(at), "write it as '2026-05-01'")
    if pd.isna(day) or day.tzinfo is not None:
        refuse("at", "a date without a time zone", repr(at), "write it as '2026-05-01', in the zone of your table")
    return day


def _labels(tables: Tables, second: int, mature_days: int) -> pd.Series:
    if mature_days < 1:
        refuse("mature_days", "1 or more", str(mature_days), "count the days after which silence speaks")
    y = known_labels(tables, second)
    young = tables["events"]["at"].to_numpy()[: len(y)] > second - mature_days * DAY
    y[young & (y == 0).fillna(False).to_numpy(dtype=bool)] = pd.NA
    return y


def _in_order(y: pd.Series, ids: pd.Series, wanted: pd.Series) -> pd.Series:
    """Return labels by the reader's key, in the reader's order of rows."""
    named = pd.Series(y.array, ids.to_numpy(), name="y").rename_axis("payment_id")
    return named.loc[wanted[wanted.isin(named.index)].to_numpy()]


def _counts(events: pd.DataFrame, y: pd.Series, outcome: pd.Series) -> pd.DataFrame:
    passed = (outcome == "passed").to_numpy()
    is_fraud, is_honest = ((y == value).fillna(False).to_numpy(dtype=bool) for value in (1, 0))
    parts = dict(zip(SHORT, (is_fraud, is_honest, ~passed, passed & y.isna().to_numpy()), strict=True))
    dollars = events["amount_cents"].to_numpy() / 100
    rows = {name: {"payments": int(part.sum()), "dollars": float(dollars[part].sum())} for name, part in parts.items()}
    return pd.DataFrame.from_dict(rows, orient="index")


def _money(rows: pd.DataFrame, fraud: np.ndarray, prices: Prices) -> pd.DataFrame:
    """Price every policy on labelled rows; the rest of an episode is in the cuts and not in the bill."""
    ways, p = choices(prices), rows["p"].to_numpy()
    negative, positive = replace(prices, stakes=replace(prices.stakes, rest=0.0)).of(rows)
    actions = {"nothing": np.zeros(len(rows), np.int8)} | {name: ways[name](p, rows) for name in WAYS}
    table = {}
    for name, action in actions.items():
        each = np.where(fraud, positive[np.arange(len(p)), action], negative[np.arange(len(p)), action])
        count = dict(zip(ACTIONS, np.bincount(action, minlength=len(ACTIONS)).tolist(), strict=True))
        loss, friction = float(each[fraud].sum()), float(each[~fraud].sum())
        table[name] = {"loss": loss, "friction": friction, "net": loss + friction, **count}
    return pd.DataFrame.from_dict(table, orient="index")


def example_payments(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw a small table in the shape of :data:`casebook.fraud.own_table_checks.PAYMENTS`, with a calibrated p.

    Parameters
    ----------
    n : int
        Payments in March and April 2026, one in twenty of them fraud before the blocks.
    rng : numpy.random.Generator

    Returns
    -------
    pandas.DataFrame

    Examples
    --------
    >>> example_payments(10, np.random.default_rng(0)).shape
    (10, 8)
    """
    at = pd.Timestamp("2026-03-01") + pd.to_timedelta(np.sort(rng.integers(0, 60 * DAY, n)), unit="s")
    p = rng.beta(0.1, 1.9, n)
    fraud, blocked = rng.random(n) < p, p > 0.8
    delay = pd.to_timedelta(rng.lognormal(2.0, 0.8, n), unit="D").floor("s")
    told = pd.Series(at + delay).where(fraud & ~blocked)
    words = rng.choice(list(WORDS["entry"]), n)
    frame = {"payment_id": np.arange(n), "at": at, "card_id": rng.integers(0, max(n // 10, 1), n), "entry": words}
    frame |= {"amount": rng.lognormal(3.6, 1.0, n).round(2), "p": p, "blocked": blocked, "reported_at": told}
    return pd.DataFrame(frame)
