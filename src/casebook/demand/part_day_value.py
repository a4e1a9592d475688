"""What the update within a day can change: played with daily and with weekly orders, and with markdowns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special

from casebook.contracts import FloatArray, refuse
from casebook.demand.part_day import Posterior, share_before, update

WARM = 14  # days that do not count
TAUS = (0.3, 0.45, 0.6, 0.7, 0.8, 0.88, 0.95, 0.99)  # what is left over is sold tomorrow: no newsvendor's fractile fits
NOON = 14  # hour at which the update is made and orders leave


@dataclass(frozen=True)
class Fresh:
    """A shelf of fresh goods.

    Parameters
    ----------
    category : str
        Whose hourly profile it has.
    mean : float
        Units a day.
    dispersion : float
        Of a day's own luck: variance of its rate over the squared mean.
    drift, persistence : float
        Standard deviation, in logs, of the level's daily step, and the share of the level that is left a day later.
    shelf_life : int
        Days on which a delivered unit can be sold.
    price, cost, salvage : float
        Dollars a unit.
    markdown : float
        Share of the price at which a unit is sold that is marked down at noon of its last day.
    markdown_sells : float
        Probability that it then sells; it no longer serves those who would have paid the price.
    """

    category: str = "produce"
    mean: float = 12.0
    dispersion: float = 0.1
    drift: float = 0.15
    persistence: float = 0.8
    shelf_life: int = 7
    price: float = 3.0
    cost: float = 2.0
    salvage: float = 0.2
    markdown: float = 0.5
    markdown_sells: float = 0.6


@dataclass(frozen=True)
class Policy:
    """When orders leave, and which decisions use the update.

    Parameters
    ----------
    review_days : int
        Days between two orders; an order of noon is on the shelf at the next opening.
    order : bool
        Whether the order uses what sold before noon.
    markdown : {"none", "forecast", "update"}
        Whether units are marked down on their last day, and by what.
    """

    review_days: int = 1
    order: bool = False
    markdown: str = "none"


POLICIES: Mapping[str, Policy] = {
    "weekly": Policy(7),
    "weekly, order updated": Policy(7, order=True),
    "weekly, markdown by forecast": Policy(7, markdown="forecast"),
    "weekly, markdown by update": Policy(7, markdown="update"),
    "daily": Policy(1),
    "daily, order updated": Policy(1, order=True),
    "daily, markdown by forecast": Policy(1, markdown="forecast"),
    "daily, order and markdown updated": Policy(1, order=True, markdown="update"),
}


def update_value(
    fresh: Fresh,
    rng: np.random.Generator,
    cells: int = 500,
    days: int = 84,
    policies: Mapping[str, Policy] = POLICIES,
) -> pd.DataFrame:
    """Play the policies on the same demand, each at the quantile that is best for it on the other half of the shelves.

    Parameters
    ----------
    fresh : Fresh
    rng : numpy.random.Generator
    cells, days : int
        Shelves, of which every other one serves to choose the quantile, and days; the first two weeks do not count.
    policies : mapping of str to Policy

    Returns
    -------
    pandas.DataFrame
        By policy, per cell and day: ``profit`` (dollars: sales and salvage less what was bought), ``bought``,
        ``sold`` (at the full price), ``marked`` (units marked down), ``wasted``, ``short`` (units wanted and not
        there); ``used``, the share of the four updates a day that any decision reads; ``tau``, the quantile.

    Raises
    ------
    ContractError
        Too few days, prices in the wrong order.

    Examples
    --------
    >>> table = update_value(Fresh(), np.random.default_rng(0), cells=100, days=56)
    >>> table.loc[["weekly", "daily"], ["sold", "used"]].round(1)
            sold  used
    policy
    weekly  10.7   0.0
    daily   12.3   0.0
    """
    if days < WARM + 14:
        refuse("days", f"{WARM + 14} or more", str(days), "play longer; the first two weeks do not count")
    if not 0 <= fresh.salvage < fresh.cost < fresh.price:
        got = f"{fresh.salvage:g}, {fresh.cost:g}, {fresh.price:g}"
        refuse("salvage, cost and price", "rising from 0", got, "mend them")
    demand = _draw(fresh, cells, days, rng)
    luck = rng.random((days, cells))
    half = np.arange(cells) % 2 == 0
    tuned = np.tile(np.flatnonzero(half), len(TAUS))
    tried = np.repeat(TAUS, half.sum())
    rows = {}
    for name, policy in policies.items():
        profit = _play(fresh, policy, demand.of(tuned), luck[:, tuned], tried)["profit"]
        tau = TAUS[int(np.argmax(profit.reshape(len(TAUS), -1).mean(axis=1)))]
        judged = np.flatnonzero(~half)
        played = _play(fresh, policy, demand.of(judged), luck[:, judged], np.full(len(judged), tau))
        rows[name] = {what: float(units.mean()) for what, units in played.items()} | {"used": _used(policy), "tau": tau}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("policy")


def _used(policy: Policy) -> float:
    return (1.0 if policy.markdown == "update" else policy.order / policy.review_days) / 4


@dataclass(frozen=True, eq=False)
class _Demand:
    """Units before and after noon, and the model's mean of the day, made the night before: shape (days, cells)."""

    morning: FloatArray
    evening: FloatArray
    forecast: FloatArray

    def of(self, cells: npt.NDArray[np.intp]) -> _Demand:
        return _Demand(self.morning[:, cells], self.evening[:, cells], self.forecast[:, cells])


def _draw(fresh: Fresh, cells: int, days: int, rng: np.random.Generator) -> _Demand:
    """Draw levels that drift; the model knows yesterday's level and not today's step."""
    steps = fresh.drift * rng.standard_normal((days, cells))
    level, known = np.zeros((days, cells)), np.zeros((days, cells))
    for day in range(1, days):
        known[day] = fresh.persistence * level[day - 1]
        level[day] = known[day] + steps[day]
    rate = fresh.mean * np.exp(level) * rng.gamma(1 / fresh.dispersion, fresh.dispersion, (days, cells))
    seen = share_before(fresh.category, NOON)
    forecast = fresh.mean * np.exp(known + fresh.drift**2 / 2)
    return _Demand(rng.poisson(rate * seen).astype(float), rng.poisson(rate * (1 - seen)).astype(float), forecast)


def _play(fresh: Fresh, policy: Policy, demand: _Demand, luck: FloatArray, tau: FloatArray) -> dict[str, FloatArray]:
    """Return by cell what :func:`update_value` says, per day."""
    days, cells = demand.forecast.shape
    shelf = np.zeros((cells, fresh.shelf_life))  # by days left, the last day first
    coming = np.round(demand.forecast[0] * policy.review_days)
    total = {name: np.zeros(cells) for name in ("sold", "at_half", "marked", "wasted", "short", "bought")}
    for day in range(days):
        shelf[:, -1] += coming
        bought, opened = coming, shelf.sum(axis=1)
        sold = _take(shelf, demand.morning[day])
        orders = day % policy.review_days == 0
        marked, coming = np.zeros(cells), np.zeros(cells)
        if orders or policy.markdown != "none":
            prior, after = _beliefs(fresh, demand.forecast[day], demand.morning[day], opened)
            if policy.markdown != "none":
                marked = _mark(fresh, shelf, after if policy.markdown == "update" else prior)
            if orders:
                coming = _order(fresh, policy, shelf, prior, after if policy.order else prior, tau)
        at_half = np.floor(marked * fresh.markdown_sells + luck[day])
        sold = sold + _take(shelf, demand.evening[day])
        if day >= WARM:
            wasted, wanted = shelf[:, 0] + marked - at_half, demand.morning[day] + demand.evening[day]
            counts = (sold, at_half, marked, wasted, wanted - sold, bought)
            total = {name: total[name] + count for name, count in zip(total, counts, strict=True)}
        shelf[:, :-1], shelf[:, -1] = shelf[:, 1:].copy(), 0.0
    return _money(fresh, {name: units / (days - WARM) for name, units in total.items()})


def _money(fresh: Fresh, units: Mapping[str, FloatArray]) -> dict[str, FloatArray]:
    taken = fresh.price * (units["sold"] + fresh.markdown * units["at_half"]) + fresh.salvage * units["wasted"]
    return {"profit": taken - fresh.cost * units["bought"]} | {
        name: units[name] for name in ("bought", "sold", "marked", "wasted", "short")
    }


def _take(shelf: FloatArray, wanted: FloatArray) -> FloatArray:
    """Serve from what goes first; change the shelf and return what was sold."""
    left = np.maximum(np.cumsum(shelf, axis=1) - wanted[:, None], 0.0)
    after = np.minimum(shelf, left)
    sold = shelf.sum(axis=1) - after.sum(axis=1)
    shelf[:] = after
    return np.asarray(sold)


def _beliefs(fresh: Fresh, forecast: FloatArray, wanted: FloatArray, stock: FloatArray) -> tuple[Posterior, Posterior]:
    """Return the day's rate as the model has it, and as it is after the morning; an empty shelf hides the rest."""
    spread = (1 + fresh.dispersion) * np.exp(fresh.drift**2) - 1
    seen = share_before(fresh.category, NOON)
    out = wanted >= stock
    after = update(forecast, spread, seen, np.minimum(wanted, stock), out)
    return update(forecast, spread, 0.0, np.zeros(len(forecast))), after


def _mark(fresh: Fresh, shelf: FloatArray, belief: Posterior) -> FloatArray:
    """Mark down what of the last day's units is likelier to be left than to be sold, and take it off the shelf."""
    worth = fresh.markdown * fresh.markdown_sells + fresh.salvage / fresh.price * (1 - fresh.markdown_sells)
    tau = 1 - (worth - fresh.salvage / fresh.price) / (1 - fresh.salvage / fresh.price)
    some = shelf[:, 0] > 0
    marked = np.zeros(len(shelf))
    if some.any():
        part = Posterior(belief.shape[some], belief.rate[some])
        keep = part.rest_quantile(tau, 1 - share_before(fresh.category, NOON))
        marked[some] = np.maximum(shelf[some, 0] - keep, 0.0)
    shelf[:, 0] -= marked
    return marked


def _order(
    fresh: Fresh, policy: Policy, shelf: FloatArray, prior: Posterior, belief: Posterior, tau: FloatArray
) -> FloatArray:
    """Order up to a quantile of the days until the next delivery, above what is expected to be left tonight."""
    rest = belief.rest_mean(1 - share_before(fresh.category, NOON))
    keeps = np.maximum(shelf.sum(axis=1) - np.maximum(rest, shelf[:, 0]), 0.0)
    step = fresh.drift**2
    learnt = step / (step + fresh.dispersion)  # share of a surprise that is the level's and not the day's
    ahead = fresh.persistence ** np.arange(1, min(policy.review_days, fresh.shelf_life) + 1)
    surprise = np.log(belief.mean / prior.mean) * learnt
    usual = np.log(prior.mean / fresh.mean)
    days = fresh.mean * np.exp(ahead[:, None] * (usual + surprise))
    mean = days.sum(axis=0)
    variance = mean + fresh.dispersion * (days**2).sum(axis=0) + step * mean**2
    level = special.gammaincinv(mean**2 / variance, tau) * variance / mean
    return np.asarray(np.maximum(np.round(level - keeps), 0.0))
