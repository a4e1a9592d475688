"""Money in drawn grocers' worlds: which quantile earns most once orders become stock and stock becomes sales.

Each world has five stores and 28 products, a year of sales as they were recorded under the planner of the past, a cheap
forecast from the last eight weeks of them, and eight test weeks in which every policy meets the same customers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.decisions.fractile import critical_fractile
from casebook.demand.ledger import NOTHING, ORACLE, WEEK_AGO, Costs, Ledger, money_table
from casebook.demand.oracle import Oracle
from casebook.demand.past_planner import past_planner
from casebook.demand.planner import Planner
from casebook.demand.play import Fresh, Policy, fresh_newsvendor, play
from casebook.demand.policies import (
    P95,
    ForecastIsOrder,
    GlobalFractile,
    LastWeek,
    MeanForecast,
    Nothing,
    PerSkuFractile,
    SumOfDaily,
    unit_costs,
)
from casebook.demand.recent_moments import RecentMoments
from casebook.demand.shelf_life import ShelfLifeFractile
from casebook.demand.simulate import simulate
from casebook.demand.trial import LEAD_IN, Trial, cut_trial
from casebook.demand.world import WEEK, World
from casebook.worlds import Dial

STORES, SKUS, WEEKS, TEST_WEEKS = 5, 28, 62, 8
SOURCE = (10.0, 2.0)  # dollars a unit short and too many, as section 7 has them
OTHER_TAUS = (0.5, 0.7, 0.9, 0.97)  # beside 0.833 and 0.95: one quantile for all, chosen in hindsight
Row = dict[str, float | bool]

DIALS = (
    Dial("dispersion", 0.05, 2.0, "variance of baskets over their mean, less one",
         "assumed: near Poisson, to three times its variance", "how far the quantile is from the mean", scale="log"),
    Dial("stock_level", 0.9, 1.7, "multiples of expected sales",
         "assumed: a planner who orders less than he expects to sell, or much more",
         "how much of demand the recorded sales show"),
    Dial("goodwill", 0.0, 4.0, "dollars a unit lost", "assumed: none, to the price of an item",
         "whether a high quantile pays"),
    Dial("holding", 0.0003, 0.005, "share of a unit's cost a night",
         "assumed: a tenth a year for capital alone, to almost twice the cost a year for scarce shelves",
         "what a unit that keeps costs on the shelf", scale="log"),
    Dial("recapture", 0.0, 0.7, "share of the unserved",
         "none to most; 45% of shoppers took another item in the surveys of Corsten and Gruen (2003)",
         "what a stock-out costs", null=0.0),
    Dial("packs", 0.25, 2.0, "multiple of the case packs", "assumed: single units for many, to double cases",
         "whether the quantile matters beside the case", scale="log"),
    Dial("ahead", 0.0, 0.4, "share of units ordered ahead", "assumed: none, to weekly subscriptions for two in five",
         "whether there is anything to forecast", null=1.0),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Grocer:
    """A drawn world, cut to its test weeks.

    Attributes
    ----------
    trial : Trial
    costs : Costs
    recapture : float
    ahead : numpy.ndarray of int, shape (cells, past + days)
        Units known beforehand.
    world : World
    plans : tuple of pandas.DataFrame
        Promotions and stores.
    """

    trial: Trial
    costs: Costs
    recapture: float
    ahead: npt.NDArray[np.int64]
    world: World
    plans: tuple[pd.DataFrame, pd.DataFrame]

    def planner(self, informed: bool) -> Planner:
        """Return the planner of the past, who knows of all promotions or of none."""
        promotions, stores = self.plans
        return past_planner(self.trial, self.world, promotions if informed else promotions.iloc[:0], stores)

    def forecast(self) -> RecentMoments:
        """Return a new forecast, which knows the past and what is ordered ahead."""
        return RecentMoments(self.trial.first_day, self.trial.sold, self.ahead)

    def play(self, policy: Policy, seed: int) -> Ledger:
        """Play a new policy over the test weeks."""
        trial, rng = self.trial, np.random.default_rng(seed)
        return play(
            trial.wanted, trial.supply, policy, trial.first_day, trial.stock, rng, self.recapture, self.costs, LEAD_IN,
            trial.price,
        )  # fmt: skip

    def count(self, policy: Fresh, cost_under: npt.ArrayLike, cost_over: npt.ArrayLike) -> float:
        """Return the dollars that the source's count finds."""
        trial = self.trial
        table = fresh_newsvendor(trial.wanted, trial.supply, policy, trial.first_day, cost_under, cost_over)
        return float(table["cost"].sum())


def draw_grocer(dials: dict[str, float], rng: np.random.Generator) -> Grocer:
    """Draw a world and cut its test weeks out.

    Parameters
    ----------
    dials : dict
        All of :data:`DIALS`.
    rng : numpy.random.Generator

    Examples
    --------
    >>> middle = {dial.name: float(dial.at(0.5)) for dial in DIALS}
    >>> grocer = draw_grocer(middle, np.random.default_rng(0))
    >>> grocer.trial.wanted.shape[1] == 3 + 56
    True
    """
    world = World(dials["dispersion"], dials["stock_level"], recapture=dials["recapture"])
    history = simulate(world, STORES, SKUS, rng, days=WEEKS * WEEK)
    days = LEAD_IN + TEST_WEEKS * WEEK
    trial = cut_trial(history, (WEEKS * WEEK - days) // WEEK * WEEK, days)
    pack = np.maximum(np.rint(trial.supply.case_pack * dials["packs"]), 1).astype(np.int64)
    trial = replace(trial, supply=replace(trial.supply, case_pack=pack))
    ahead = rng.binomial(np.concatenate([trial.before, trial.wanted], axis=1), dials["ahead"])
    plans = (history.tables["promotions"], history.tables["stores"])
    return Grocer(trial, Costs(dials["goodwill"], dials["holding"]), world.recapture, ahead, world, plans)


def average_fractile(trial: Trial, costs: Costs) -> float:
    """Return the one fractile of all products' costs, averaged over the units they sold."""
    short, over = unit_costs(trial.supply, costs)
    units = trial.sold.sum(axis=1) + 1e-9
    return float(critical_fractile(np.average(short, weights=units), np.average(over, weights=units)))


def fresh_policies(grocer: Grocer) -> dict[str, Callable[[], Fresh]]:
    """Return how each policy is made that can be counted the source's way too; each is made anew for each play."""
    trial, costs, new = grocer.trial, grocer.costs, grocer.forecast
    supply = trial.supply
    return {
        WEEK_AGO: lambda: LastWeek(supply, trial.sold[:, -WEEK:]),
        "mean": lambda: MeanForecast(new(), supply),
        "global": lambda: GlobalFractile(new(), supply),
        "average": lambda: GlobalFractile(new(), supply, average_fractile(trial, costs)),
        "per sku": lambda: PerSkuFractile(new(), supply, costs),
        "shelf life": lambda: ShelfLifeFractile(new(), supply, costs),
        "p95": lambda: P95(new(), supply),
        "sum of daily": lambda: SumOfDaily(new(), supply),
    }


def play_grocer(grocer: Grocer, seed: int, taus: tuple[float, ...] = OTHER_TAUS) -> dict[str, Ledger]:
    """Play all policies of a grocer over the test weeks, beside ordering nothing and the oracle."""
    trial = grocer.trial
    made: dict[str, Callable[[], Policy]] = {NOTHING: Nothing, **fresh_policies(grocer)}
    made["planner"] = lambda: grocer.planner(informed=True)
    made["planner without promotions"] = lambda: grocer.planner(informed=False)
    made["forecast is order"] = lambda: ForecastIsOrder(grocer.forecast(), trial.supply)
    made[ORACLE] = lambda: Oracle(trial.wanted, trial.supply, trial.first_day, trial.stock, grocer.costs)
    ledgers = {name: grocer.play(make(), seed) for name, make in made.items()}
    single = {f"tau {tau:g}": GlobalFractile(grocer.forecast(), trial.supply, tau) for tau in taus}
    return ledgers | {name: grocer.play(policy, seed) for name, policy in single.items()}


def play_money(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Draw one grocer and play its policies.

    Parameters
    ----------
    dials : dict
        All of :data:`DIALS`. In the null world everything is ordered ahead and nobody takes another product: nothing
        is left to forecast, and all policies that go by the forecast order the same.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``net_*``, dollars a week; ``captured_*`` and ``gained_*``, shares of what the oracle has more than who orders
        nothing, and than who goes by last week's sales; of ``nothing``, ``last_week``, ``mean``, ``global`` (0.833),
        ``average`` (one fractile of the averaged costs), ``per_sku`` (each product's own), ``shelf_life``, ``p95``,
        ``sum_of_daily`` (at 0.833), ``forecast_is_order``, ``planner`` and ``planner_without_promotions`` (of the past,
        who orders up to the drawn level), ``tau_*`` and ``oracle``. ``out_rate`` of the past,
        ``best_tau`` (of one for all, in hindsight), ``extra_units`` (what the sum of daily quantiles has delivered more
        than the quantile of the sum, share), ``source_costs`` and ``own_costs`` (what following the source's count
        costs, share of what the oracle gains on last week; with its costs, and with the products' own). The findings:

        ``per_sku_beats_global``, ``per_sku_beats_average``, ``per_sku_beats_all`` (all single quantiles).
        ``life_beats_global``, ``life_beats_per_sku``, ``life_beats_all`` : with carry-over and shelf life in it.
        ``fractile_beats_mean``, ``p95_loses_to_fractile`` : the global one, 0.833.
        ``life_beats_planner``, ``life_beats_planner_without_promotions`` : its forecast knows none.
        ``mean_beats_last_week``, ``forecast_is_order_loses_to_last_week``.
        ``sum_of_daily_quantiles_overorders`` (over 1% more delivered), ``sum_of_daily_loses``.
        ``source_count_picks_same_policy``, ``own_count_picks_same_policy`` : the one that earns most of those counted.
        ``oracle_is_beaten``.
    """
    grocer = draw_grocer(dials, rng)
    ledgers = play_grocer(grocer, int(rng.integers(2**32)))
    table = money_table(ledgers, TEST_WEEKS)
    table["gained"] = table.pop("captured_week")
    row: Row = {"out_rate": float((grocer.trial.sold < grocer.trial.before).mean())}
    for column in ("net", "captured", "gained"):
        row |= {f"{column}_{_word(name)}": float(value) for name, value in table[column].items()}
    single = {10 / 12: "global", 0.95: "p95", **{tau: f"tau {tau:g}" for tau in OTHER_TAUS}}
    best = max(single, key=lambda tau: table["net"][single[tau]])
    units = {name: float(ledgers[name].cells["delivered"].sum()) for name in ("global", "sum of daily")}
    row |= {"best_tau": best, "extra_units": units["sum of daily"] / max(units["global"], 1) - 1}
    return row | _findings(table["net"], single[best], float(row["extra_units"])) | _counts(grocer, table["net"])


def _findings(net: pd.Series, best: str, extra: float) -> Row:
    def beats(policy: str, other: str) -> bool:
        return bool(net[policy] > net[other])

    return {
        "per_sku_beats_global": beats("per sku", "global"),
        "per_sku_beats_average": beats("per sku", "average"),
        "per_sku_beats_all": beats("per sku", best),
        "life_beats_global": beats("shelf life", "global"),
        "life_beats_per_sku": beats("shelf life", "per sku"),
        "life_beats_all": beats("shelf life", best),
        "life_beats_planner": beats("shelf life", "planner"),
        "life_beats_planner_without_promotions": beats("shelf life", "planner without promotions"),
        "fractile_beats_mean": beats("global", "mean"),
        "p95_loses_to_fractile": beats("global", "p95"),
        "mean_beats_last_week": beats("mean", WEEK_AGO),
        "forecast_is_order_loses_to_last_week": beats(WEEK_AGO, "forecast is order"),
        "sum_of_daily_quantiles_overorders": extra > 0.01,
        "sum_of_daily_loses": beats("global", "sum of daily"),
        "oracle_is_beaten": bool((net.drop(ORACLE) > net[ORACLE]).any()),
    }


def _counts(grocer: Grocer, net: pd.Series) -> Row:
    """Return whether the source's count picks the policy that earns most, and what it costs to follow it."""
    made = fresh_policies(grocer)
    room, most = net[ORACLE] - net[WEEK_AGO], net[list(made)].max()
    row: Row = {}
    prices: dict[str, tuple[npt.ArrayLike, npt.ArrayLike]] = {
        "source": SOURCE,
        "own": unit_costs(grocer.trial.supply, grocer.costs),
    }
    for name, (short, over) in prices.items():
        cost: dict[str, float] = {policy: grocer.count(make(), short, over) for policy, make in made.items()}
        lost = most - net[min(cost, key=lambda policy: cost[policy])]
        row[f"{name}_costs"] = float(lost / room) if room > 0 else float("nan")
        row[f"{name}_count_picks_same_policy"] = bool(lost <= 1e-9 * abs(most))
    return row


def _word(name: object) -> str:
    return str(name).replace(" ", "_")
