"""Promotion lift as a causal question: promoted weeks against others, adjusted, and the truth; gross, and net.

A promotion takes units from its substitutes, gives some to its neighbours and borrows some from its own next weeks.
Gross lift counts the promoted days only, net lift all rows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, as_costs, refuse, require_columns, require_length
from casebook.demand.world import REGIONS

AFTER = 14  # days after a promotion in which people have it at home
STATES = ("own", "rivals", "others", "after")
#: Method -> the factors of its model beside the cell; the naive one has none.
METHODS: Mapping[str, tuple[str, ...]] = {
    "season": ("category_day", "own"),
    "regions": ("sku_day", "own"),
    "spillovers": ("category_day", *STATES),
}


@dataclass(frozen=True, eq=False)
class Fitted:
    """A multiplicative model of units.

    Attributes
    ----------
    levels : dict of str to numpy.ndarray
        Factor -> a multiplier per level; level 0 of every factor but the first is 1.
    mean : numpy.ndarray of float, shape (n,)
        Fitted units.
    rounds : int
        Until it stood still.
    """

    levels: dict[str, FloatArray]
    mean: FloatArray
    rounds: int


def promotion_states(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return what promotions run for each row of sales, and beside it.

    Parameters
    ----------
    tables : mapping of str to pandas.DataFrame
        ``sales``, ``products`` (rows numbered by sku_id), ``stores``, ``promotions``.

    Returns
    -------
    pandas.DataFrame
        Row by row as sales: ``own`` (1 if it is promoted), ``rivals`` (promoted products of its group but itself, in
        the region), ``others`` (promoted products of its category outside the group, in the region, at most 5),
        ``after`` (1 or 2: first or second week after its promotion; 0 else), and codes ``cell``, ``category_day``,
        ``sku_day``.

    Raises
    ------
    ContractError
        A missing column, or products that are not numbered from 0.
    """
    sales, products, plan = tables["sales"], tables["products"], tables["promotions"]
    require_columns(sales, ["store_id", "sku_id", "day"], "table 'sales'")
    if (products["sku_id"].to_numpy() != np.arange(len(products))).any():
        refuse("products, sku_id", "numbered from 0 in the order of rows", "other numbers", "recode them")
    sku, day = sales["sku_id"].to_numpy(), sales["day"].to_numpy()
    place = pd.Series(_region_codes(tables["stores"]["region"]), index=tables["stores"]["store_id"])
    region = place.loc[sales["store_id"]].to_numpy()
    days = int(day.max()) + 1
    active = _active(plan, len(products), days)
    group, (category, _) = products["group_id"].to_numpy(), pd.factorize(products["category"], sort=True)
    in_group, in_category = (_summed(active, code) for code in (group, category))
    at = (sku, region, day)
    own = active[at].astype(np.int64)
    of_group = in_group[(group[sku], region, day)]
    return pd.DataFrame(
        {
            "own": own,
            "rivals": of_group - own,
            "others": np.minimum(in_category[(category[sku], region, day)] - of_group, 5),
            "after": _weeks_after(active)[at],
            "cell": pd.factorize(sales["store_id"].to_numpy() * len(products) + sku)[0],
            "category_day": category[sku] * days + day,
            "sku_day": sku * days + day,
        }
    )


def _region_codes(region: pd.Series) -> npt.NDArray[np.int64]:
    return np.asarray(pd.Categorical(region.astype(str), list(REGIONS)).codes, dtype=np.int64)


def _active(plan: pd.DataFrame, skus: int, days: int) -> npt.NDArray[np.bool_]:
    count = np.zeros((skus, len(REGIONS), days + 1), np.int64)
    sku, region = plan["sku_id"].to_numpy(), _region_codes(plan["region"])
    first, after = (np.clip(plan[name].to_numpy(), 0, days) for name in ("first_day", "last_day"))
    np.add.at(count, (sku, region, first), 1)
    np.add.at(count, (sku, region, np.minimum(after + 1, days)), -1)
    return np.asarray(count.cumsum(axis=2)[:, :, :days] > 0)


def _summed(active: npt.NDArray[np.bool_], code: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    total = np.zeros((int(code.max()) + 1, *active.shape[1:]), np.int64)
    np.add.at(total, code, active)
    return total


def _weeks_after(active: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    day = np.arange(active.shape[2])
    last = np.maximum.accumulate(np.where(active, day, -10 * AFTER), axis=2)
    since = day - last
    return np.asarray(np.where((since > 0) & (since <= AFTER), (since - 1) // 7 + 1, 0), dtype=np.int64)


def fit_factors(
    y: npt.ArrayLike, factors: Mapping[str, npt.ArrayLike], tolerance: float = 1e-5, most: int = 500
) -> Fitted:
    """Fit units as a product of factors by Poisson maximum likelihood, scaling one factor at a time.

    Iterative proportional fitting solves the same equations as a Poisson regression on the factors' dummies, however
    many levels they have: of each level the fitted units add up to the observed ones. So the multiplier of a promoted
    level is observed units over what was to be expected, added up over its rows.

    Parameters
    ----------
    y : array_like, shape (n,)
        Units, 0 or more.
    factors : mapping of str to array_like of int, shape (n,)
        Codes from 0 on.
    tolerance : float
        Largest relative change of a multiplier in the last round.
    most : int
        Rounds after which to give up.

    Raises
    ------
    ContractError
        No factors, codes of another length or below 0, or no convergence.

    References
    ----------
    Deming and Stephan (1940), Annals of Mathematical Statistics 11; Santos Silva and Tenreyro (2006), The log of
    gravity, Review of Economics and Statistics 88.

    Examples
    --------
    >>> fitted = fit_factors([2, 6, 4, 12], {"cell": [0, 0, 1, 1], "own": [0, 1, 0, 1]})
    >>> fitted.levels["own"].round(3).tolist()
    [1.0, 3.0]
    """
    units = np.atleast_1d(as_costs(np.asarray(y, dtype=float), "y"))
    if not factors:
        refuse("factors", "at least one", "none", "name the cells at least")
    codes = {name: _checked_codes(code, len(units), name) for name, code in factors.items()}
    sums = {name: np.bincount(code, units) for name, code in codes.items()}
    levels = {name: np.ones(len(total)) for name, total in sums.items()}
    mean = np.ones(len(units))
    for done in range(1, most + 1):
        moved = 0.0
        for name, code in codes.items():
            fitted = np.bincount(code, mean, minlength=len(sums[name]))
            scale = np.divide(sums[name], fitted, out=np.ones_like(fitted), where=fitted > 0)
            levels[name], mean = levels[name] * scale, mean * scale[code]
            moved = max(moved, float(np.abs(scale[scale > 0] - 1).max(initial=0.0)))
        if moved < tolerance:
            return Fitted(_from_first(levels), mean, done)
    refuse("factors", f"told apart within {most} rounds", f"a change of {moved:.1g}", "raise most or drop a factor")


def _checked_codes(code: npt.ArrayLike, rows: int, name: str) -> npt.NDArray[np.int64]:
    found = np.asarray(code)
    require_length(found, rows, f"factor {name!r}")
    if found.dtype.kind not in "iu" or found.min() < 0:
        refuse(f"factor {name!r}", "codes from 0 on", str(found.min()), "take pandas.factorize")
    return found.astype(np.int64)


def _from_first(levels: dict[str, FloatArray]) -> dict[str, FloatArray]:
    first, *rest = levels
    found = dict(levels)
    for name in rest:
        start = levels[name][0] if levels[name][0] > 0 else 1.0
        found[name], found[first] = levels[name] / start, found[first] * start
    return found


def naive_lift(y: npt.ArrayLike, promoted: npt.ArrayLike, cell: npt.ArrayLike) -> float:
    """Return units on promoted days over those that the same cells sell on other days, less 1.

    Cells without one of the two kinds of days do not count.

    Examples
    --------
    >>> naive_lift([2, 4, 9, 7], [0, 0, 1, 0], [0, 0, 0, 1])
    2.0
    """
    units, on, code = np.asarray(y, dtype=float), np.asarray(promoted, dtype=bool), np.asarray(cell)
    cells = int(code.max()) + 1
    usual, usual_days = (np.bincount(code[~on], w, cells) for w in (units[~on], None))
    seen, days = (np.bincount(code[on], w, cells) for w in (units[on], None))
    both = (usual_days > 0) & (days > 0)
    expected = float((usual[both] / usual_days[both] * days[both]).sum())
    return float(seen[both].sum()) / expected - 1 if expected > 0 else float("nan")


def estimated_lifts(y: npt.ArrayLike, states: pd.DataFrame, methods: Iterable[str] = tuple(METHODS)) -> pd.DataFrame:
    """Return lifts by every method.

    Parameters
    ----------
    y : array_like, shape (n,)
        Units: ``sales["sold"]``, or in a lab the demand.
    states : pandas.DataFrame
        From :func:`promotion_states`; to leave stock-out days out, drop them in both.
    methods : iterable of str
        Of :data:`METHODS`.

    Returns
    -------
    pandas.DataFrame
        Index ``naive`` (promoted days against the cell's other days), ``season`` (the same, held against the category's
        other cells on that day), ``regions`` (against the same product in regions without the promotion on that day:
        difference in differences), ``spillovers`` (as season, with factors for rivals, others and the weeks after).
        Columns ``gross`` (units on promoted days over expected, less 1), ``net`` (all units that promotions add or
        take, over what was expected on promoted days; missing where the method cannot tell), ``rounds``.
    """
    units = np.asarray(y, dtype=float)
    own = states["own"].to_numpy() > 0
    rows = {"naive": {"gross": naive_lift(units, own, states["cell"]), "net": np.nan, "rounds": 0}}
    for method in methods:
        names = METHODS[method]
        fitted = fit_factors(units, {name: states[name].to_numpy() for name in ("cell", *names)})
        gross = fitted.levels["own"][1] - 1 if own.any() else np.nan
        rows[method] = {"gross": float(gross), "net": np.nan, "rounds": fitted.rounds}
        if "after" in names and own.any():
            effect = np.prod([fitted.levels[name][states[name].to_numpy()] for name in STATES], axis=0)
            base = np.divide(fitted.mean, effect, out=np.zeros_like(effect), where=effect > 0)
            rows[method]["net"] = float((fitted.mean - base).sum() / base[own].sum())
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")


def true_lift(truth: pd.DataFrame, states: pd.DataFrame) -> dict[str, float]:
    """Return what promotions do by the simulator's own expectations.

    Parameters
    ----------
    truth : pandas.DataFrame
        ``mean`` and ``base``, row by row as `states`.
    states : pandas.DataFrame
        From :func:`promotion_states`.

    Returns
    -------
    dict
        ``gross`` and ``net`` as in :func:`estimated_lifts`, and the parts of their difference, each over what was
        expected on promoted days: ``after`` (rows in the two weeks after), ``rivals`` (other rows beside a promoted
        product of the group), ``others`` (the rest).

    Examples
    --------
    >>> truth = pd.DataFrame({"mean": [6.0, 3.0, 3.5], "base": [4.0, 4.0, 4.0]})
    >>> states = pd.DataFrame({"own": [1, 0, 0], "after": [0, 1, 0], "rivals": [0, 0, 1]})
    >>> true_lift(truth, states)
    {'gross': 0.5, 'net': 0.125, 'after': -0.25, 'rivals': -0.125, 'others': 0.0}
    """
    require_columns(truth, ["mean", "base"], "truth")
    gain = truth["mean"].to_numpy(float) - truth["base"].to_numpy(float)
    own, after, rivals = (states[name].to_numpy() > 0 for name in ("own", "after", "rivals"))
    base = float(truth["base"].to_numpy(float)[own].sum())
    if not base:
        refuse("states, own", "1 in some rows that sell", "none", "take a world with promotions")
    where = {"gross": own, "net": np.ones(len(own), bool), "after": ~own & after, "rivals": ~own & ~after & rivals}
    where["others"] = ~own & ~after & ~rivals
    return {name: float(gain[rows].sum()) / base for name, rows in where.items()}


def margin_of_promotions(tables: Mapping[str, pd.DataFrame], truth: pd.DataFrame) -> dict[str, float]:
    """Return the margin (dollars) that all demand would bring, served in full, with the promotions and without any.

    Returns
    -------
    dict
        ``with``, ``without``, ``gained`` (the difference), ``units_gained``.
    """
    sales = tables["sales"]
    product = tables["products"].set_index("sku_id").loc[sales["sku_id"]]
    cost, listed = (product[f"{name}_cents"].to_numpy() / 100 for name in ("cost", "price"))
    mean, base = truth["mean"].to_numpy(float), truth["base"].to_numpy(float)
    kept = float((mean * (sales["price_cents"].to_numpy() / 100 - cost)).sum())
    usual = float((base * (listed - cost)).sum())
    units = float(mean.sum() - base.sum())
    return {"with": kept, "without": usual, "gained": kept - usual, "units_gained": units}
