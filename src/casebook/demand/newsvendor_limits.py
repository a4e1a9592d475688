"""Where the newsvendor's answer ends: carry-over, shelf life and case packs, each switched on alone on the same demand.

The newsvendor orders once, and what is left is worth its salvage. Here he orders each Monday for the week from Thursday
on, for years, and one thing at a time is changed: what is left may be sold next week, or for three weeks, or goes on
for ever; or units come by the case.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from casebook.contracts import refuse
from casebook.decisions.fractile import critical_fractile
from casebook.demand.ledger import Costs
from casebook.demand.play import play
from casebook.demand.policies import Level
from casebook.demand.shelf import Supply
from casebook.demand.world import WEEK

Whole = npt.NDArray[np.int64]
LEAD, WARM_UP = 3, 5 * WEEK + 3  # days from the order to the delivery; days that do not count
TAUS = (0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995, 0.998)


@dataclass(frozen=True)
class Product:
    """One product and how it sells.

    Parameters
    ----------
    price, cost, salvage : float
        Dollars a unit.
    daily : float
        Mean units a day.
    dispersion : float
        A day's variance is mean + dispersion * mean^2, above 0.

    Raises
    ------
    ContractError
        Prices in another order than salvage < cost < price, or a mean or dispersion of 0 or less.
    """

    price: float = 4.0
    cost: float = 2.8
    salvage: float = 0.4
    daily: float = 2.0
    dispersion: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.salvage < self.cost < self.price:
            got = f"{self.salvage:g}, {self.cost:g} and {self.price:g}"
            refuse("salvage, cost and price", "rising, from 0 on", got, "check which is which")
        for name in ("daily", "dispersion"):
            if not getattr(self, name) > 0:
                refuse(f"Product, {name}", "above 0", f"{getattr(self, name):g}", "give units, or a small dispersion")

    def demand(self, days: int) -> stats.rv_discrete:
        """Return the distribution of the sum of so many independent days."""
        return stats.nbinom(days / self.dispersion, 1 / (1 + self.dispersion * self.daily))

    def fractile(self, costs: Costs) -> float:
        """Return the newsvendor's fractile for a week."""
        waits = costs.holding * self.cost * WEEK
        return float(critical_fractile(self.price - self.cost + costs.goodwill, self.cost - self.salvage + waits))


@dataclass(frozen=True)
class Setting:
    """What is switched on.

    Parameters
    ----------
    shelf_life : int
        Days; seven is the newsvendor's, since all that is left goes when the next delivery comes.
    case_pack : int
    """

    shelf_life: int = WEEK
    case_pack: int = 1

    @property
    def carries(self) -> bool:
        """Whether what is left can be sold after the next delivery."""
        return self.shelf_life > WEEK


SETTINGS: Mapping[str, Setting] = {
    "newsvendor": Setting(),
    "case pack": Setting(case_pack=12),
    "two weeks' life": Setting(shelf_life=14),
    "three weeks' life": Setting(shelf_life=21),
    "keeps": Setting(shelf_life=365),
    "three weeks' life, case pack": Setting(shelf_life=21, case_pack=12),
}


def play_setting(
    setting: Setting, product: Product, taus: Sequence[float], wanted: Whole, costs: Costs
) -> pd.DataFrame:  # fmt: skip
    """Order at one quantile for all weeks: that of the week alone, or of lead time and week less what is there.

    Parameters
    ----------
    setting : Setting
        Only where it carries over does the stock on the Monday say anything about Thursday.
    product : Product
    taus : sequence of float
        Each is played on the same demand.
    wanted : numpy.ndarray of int, shape (cells, days)
        Cells are draws of one and the same product; day 0 is a Monday.
    costs : Costs

    Returns
    -------
    pandas.DataFrame
        By tau: sums of :attr:`casebook.demand.ledger.Ledger.cells` without the first five weeks.
    """
    rows = np.tile(wanted, (len(taus), 1))
    one, dollar = np.ones(len(rows), np.int64), np.ones(len(rows))
    life, pack = one * setting.shelf_life, one * setting.case_pack
    money = [dollar * product.price, dollar * product.cost, dollar * product.salvage]
    shop = Supply(np.arange(len(rows)), life, pack, one * WEEK, one * LEAD, *money)
    levels = product.demand(WEEK + LEAD * setting.carries).ppf(taus)
    policy = Level(np.repeat(levels, len(wanted)), forgets=not setting.carries)
    ledger = play(rows, shop, policy, 0, one * 0, np.random.default_rng(0), 0.0, costs, WARM_UP)
    return ledger.cells.groupby(np.repeat(taus, len(wanted))).sum()


def limits_table(
    product: Product,
    costs: Costs,
    rng: np.random.Generator,
    settings: Mapping[str, Setting] = SETTINGS,
    taus: Sequence[float] = TAUS,
    cells: int = 80,
    weeks: int = 26,
) -> pd.DataFrame:
    """Return, by what is switched on, which quantile would have been best and what the newsvendor's costs.

    Parameters
    ----------
    product : Product
        Its demand is known: days are independent draws of it.
    costs : Costs
    rng : numpy.random.Generator
        Draws one demand for all settings.
    settings : mapping of str to Setting
    taus : sequence of float
        Tried beside the newsvendor's own.
    cells, weeks : int
        Draws, and weeks that count.

    Returns
    -------
    pandas.DataFrame
        By setting: ``fractile`` (the newsvendor's, which knows of none of it), ``best_tau`` (of those tried, the one
        that costs least), and dollars a product and week against serving all at no cost: ``cost_at_fractile``,
        ``cost_at_best``, ``lost`` (their difference, as a share of the second); ``fill_rate`` and ``waste_share`` at
        the best.

    Examples
    --------
    >>> two = {"newsvendor": Setting(), "keeps": Setting(shelf_life=365)}
    >>> table = limits_table(Product(), Costs(), np.random.default_rng(0), two, taus=[0.5, 0.8, 0.99], cells=40)
    >>> table[["fractile", "best_tau", "fill_rate"]].round(2)
                fractile  best_tau  fill_rate
    setting
    newsvendor      0.48      0.48       0.81
    keeps           0.48      0.99       1.00
    """
    wanted = product.demand(1).rvs((cells, WARM_UP + weeks * WEEK), random_state=rng)
    fractile = product.fractile(costs)
    rows = {}
    for name, setting in settings.items():
        played = play_setting(setting, product, sorted({fractile, *taus}), wanted, costs)
        cost = (played["wanted"] * (product.price - product.cost) - played["net"]) / cells / weeks
        at = int(cost.to_numpy().argmin())
        best, sums = cost.index[at], played.iloc[at]
        rows[name] = {
            "fractile": fractile,
            "best_tau": best,
            "cost_at_fractile": cost[fractile],
            "cost_at_best": cost.iloc[at],
            "lost": cost[fractile] / cost.iloc[at] - 1,
            "fill_rate": sums["own"] / sums["wanted"],
            "waste_share": sums["waste"] / (sums["waste"] + sums["sold"]),
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("setting")
