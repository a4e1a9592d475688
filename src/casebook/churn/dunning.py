"""The leavers who never decided to leave: failed cards, what better retries bring back, and what a call team earns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from casebook.churn.evaluate import Dollars, worth
from casebook.churn.expectation import flags, stays
from casebook.churn.latent import Flags
from casebook.churn.simulate import Truth
from casebook.churn.world import TODAY, World
from casebook.contracts import refuse, require_columns

DAYS_A_MONTH = 30.4
WEEK_OF_WORK = (5_000.0, 20_000.0)  # dollars an engineer-week, once


def involuntary(tables: dict[str, pd.DataFrame], months: int = 12) -> pd.DataFrame:
    """Return who left a month and why, from the billing system's own reasons.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``cancellations`` and ``customers``.
    months : int
        Last months to count.

    Returns
    -------
    pandas.DataFrame
        One row a reason: ``leavers`` and ``price`` (dollars a month of subscriptions lost), both per month, and
        ``share`` of leavers.

    Raises
    ------
    ContractError
        A missing column, or nobody who left in these months.
    """
    require_columns(tables["cancellations"], ["subscriber_id", "cancelled_on", "reason"], "cancellations")
    require_columns(tables["customers"], ["subscriber_id", "price"], "customers")
    since = (TODAY.astype("M8[M]") - months).astype("M8[D]")
    gone = tables["cancellations"]
    gone = gone[gone["cancelled_on"] >= since]
    if gone.empty:
        refuse("cancellations", f"filled in since {since}", "no rows", "count more months")
    gone = gone.join(tables["customers"].set_index("subscriber_id")["price"], on="subscriber_id")
    table = gone.groupby("reason")["price"].agg(leavers="count", price="sum") / months
    return table.assign(share=table["leavers"] / table["leavers"].sum())


def dunning(
    world: World,
    truth: Truth,
    called: Flags,
    recovery: Sequence[float] = (0.2, 0.4, 0.6),
    costs: Sequence[float] = WEEK_OF_WORK,
    base: int | None = None,
) -> pd.DataFrame:
    """Return what better retries of failed cards bring back, beside what the call team's month earns.

    Coin flips are integrated out. A recovered subscriber goes on along their own hazards; the same share of later
    failures is recovered too. Payback counts cash: margin that has come in, not value still to come; newcomers after
    today do not count, which makes it slower.

    Parameters
    ----------
    world : World
    truth : Truth
    called : numpy.ndarray of bool, shape (n,)
        This month's list of the call team.
    recovery : sequence of float
        Share of the failures that now end a subscription and then would not; each in (0, 1].
    costs : sequence of float
        Dollars spent once, above 0.
    base : int, optional
        Subscribers of the company to which the figures are scaled; by default those of the truth.

    Returns
    -------
    pandas.DataFrame
        One row a share and cost: ``recovery``, ``cost``, ``leavers`` (a month, by card), ``recovered`` (a month),
        ``lost`` (dollars of margin to come that a month's failures take), ``month_earns`` (of which one month's
        recoveries bring back), ``team_earns`` (one month's calls, their cost off), ``payback_days`` (missing if not
        within the truth's months).

    Raises
    ------
    ContractError
        Nobody called, a share or a cost outside its range, a base below 1.

    Examples
    --------
    >>> from casebook.churn.evaluate import call_top
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> day = draw_snapshot(World(), 2_000, np.random.default_rng(0))
    >>> told = dunning(World(), day.truth, call_top(day.worth.gain, 80), base=100_000)
    >>> bool((told["payback_days"].dropna() > 0).all()), len(told)
    (True, 6)
    """
    rows = flags(called, truth, "called")
    _require_plan(recovery, costs, base)
    scale = 1.0 if base is None else base / len(rows)
    now = worth(world, truth)
    failed, first = _by_card(world, truth)
    lost = float((failed * now.value / first).sum())
    team = float(now.gain[rows].sum())
    table = []
    for share in recovery:
        cash = scale * _cash(world, truth, share)
        for cost in costs:
            counted = {"leavers": failed.sum(), "recovered": share * failed.sum(), "lost": lost}
            counted |= {"month_earns": share * lost, "team_earns": team}
            row = {name: scale * float(value) for name, value in counted.items()}
            table.append({"recovery": share, "cost": cost} | row | {"payback_days": _payback(cash, cost)})
    return pd.DataFrame(table)


def _by_card(world: World, truth: Truth) -> tuple[Dollars, Dollars]:
    """Chance of leaving by card this month, and of paying its bill, each of shape (n,)."""
    pays = stays(world, truth.months, truth.carry, 1)[:, 0]
    wants = pays / (1.0 - truth.months.failed[:, 0])  # does not cancel
    return np.asarray(wants * truth.months.failed[:, 0], dtype=float), pays


def _cash(world: World, truth: Truth, share: float) -> Dollars:
    """Margin that has come in by the end of each month because of the recoveries, shape (months,)."""
    better = replace(truth.months, failed=truth.months.failed * np.float32(1 - share))
    horizon = truth.months.p.shape[1]
    more = stays(world, better, truth.carry, horizon) - stays(world, truth.months, truth.carry, horizon)
    return np.cumsum(world.margin * truth.people.price @ more)


def _payback(cash: Dollars, cost: float) -> float:
    """Days until the cash covers the cost, straight lines within months; missing if it does not."""
    if cash[-1] < cost:
        return float("nan")
    return DAYS_A_MONTH * float(np.interp(cost, np.concatenate([[0.0], cash]), np.arange(len(cash) + 1)))


def _require_plan(recovery: Sequence[float], costs: Sequence[float], base: int | None) -> None:
    for share in recovery:
        if not 0 < share <= 1:
            refuse("recovery", "above 0 and at most 1", repr(share), "give it as a share of the unrecovered failures")
    for cost in costs:
        if cost <= 0:
            refuse("costs", "above 0", repr(cost), "pass dollars")
    if base is not None and base < 1:
        refuse("base", "1 or more", repr(base), "pass the company's subscribers")
