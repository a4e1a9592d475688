"""What a day would have sold had the shelf not run empty, from the hour in which it did."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import optimize, special

from casebook.contracts import FloatArray, as_costs, refuse, require_columns, require_length
from casebook.demand.world import NEVER_OUT

PRIOR = 2.0  # units: a day's own sales up to the stock-out weigh as much as the cell's mean once two were expected
PRIOR_RANGE = (0.05, 500.0)  # above, days hardly differ
STEPS = 100  # of the EM; each shrinks the error by the share of demand that was not seen
TOLERANCE = 1e-8  # relative step of a cell's mean at which the EM stops


def learn_profile(hours: pd.DataFrame, pooled: float = 0.0) -> pd.DataFrame:
    """Return the share of a day's demand that came before each hour begins, by category.

    Parameters
    ----------
    hours : pandas.DataFrame
        ``category``, ``hour`` (0 to 23), ``orders``: units ordered in that hour on days on which nothing of the
        category ran out. Days with a stock-out would make the evening look quieter than it is.
    pooled : float
        Orders of the profile over all categories that are added to each category; a category that is seldom bought
        has a ragged profile without them.

    Returns
    -------
    pandas.DataFrame
        One row a category, columns 0 to 24: 0.0 at the opening and before, 1.0 at the close and after.

    Raises
    ------
    ContractError
        A missing column, an hour that is none, a negative count, or a category without orders.

    Examples
    --------
    >>> hours = pd.DataFrame({"category": "dairy", "hour": [8, 9, 10, 11], "orders": [10, 30, 40, 20]})
    >>> learn_profile(hours).loc["dairy", 7:13].tolist()
    [0.0, 0.0, 0.1, 0.4, 0.8, 1.0, 1.0]
    """
    require_columns(hours, ["category", "hour", "orders"], "hours")
    pooled, orders = float(as_costs(pooled, "pooled")), as_costs(hours["orders"], "orders")
    hour = hours["hour"].to_numpy()
    wrong = (hour < 0) | (hour >= NEVER_OUT) | (hour != np.floor(hour))
    if wrong.any():
        row = int(np.argmax(wrong))
        refuse(f"hours, row {row}, hour", "a whole hour from 0 to 23", f"{hour[row]:g}", "give the hour of the day")
    names = pd.Index(sorted(hours["category"].astype(str).unique()), name="category")
    counts = np.zeros((len(names), NEVER_OUT))
    np.add.at(counts, (names.get_indexer(hours["category"].astype(str)), hour.astype(int)), orders)
    empty = counts.sum(axis=1) == 0
    if empty.any():
        name = names[int(np.argmax(empty))]
        refuse(f"hours of category {name!r}", "at least one order", "none", "take more days, or leave it out")
    counts += pooled * counts.sum(axis=0) / counts.sum()
    before = np.column_stack([np.zeros(len(names)), np.cumsum(counts, axis=1)])
    return pd.DataFrame(before / before[:, -1:], index=names, columns=pd.RangeIndex(NEVER_OUT + 1, name="hour"))


def share_seen(profile: pd.DataFrame, category: npt.ArrayLike, stockout_hour: npt.ArrayLike) -> FloatArray:
    """Return which share of its demand a day had seen when its shelf ran empty, 1.0 where it did not.

    The record says in which hour, not at which minute: the middle of the hour is taken.

    Parameters
    ----------
    profile : pandas.DataFrame
        As :func:`learn_profile` returns it.
    category : array_like of str, shape (n,)
    stockout_hour : array_like of int, shape (n,)
        0 to 23, or 24 for a day without a stock-out.

    Returns
    -------
    numpy.ndarray of float, shape (n,)

    Raises
    ------
    ContractError
        A category that the profile does not know, or an hour that is none.

    Examples
    --------
    >>> hours = pd.DataFrame({"category": "dairy", "hour": [8, 9, 10, 11], "orders": [10, 30, 40, 20]})
    >>> share_seen(learn_profile(hours), ["dairy"] * 3, [9, 11, 24]).tolist()
    [0.25, 0.9, 1.0]
    """
    hour = np.asarray(stockout_hour).astype(int)
    wrong = (hour < 0) | (hour > NEVER_OUT)
    if wrong.any():
        row = int(np.argmax(wrong))
        refuse(f"stockout_hour, row {row}", "an hour, or 24 for never", str(hour[row]), "mend the record")
    row_of = _rows_of(profile, pd.Series(category), len(hour))
    before = profile.to_numpy(float)
    middle = (before[row_of, hour] + before[row_of, np.minimum(hour + 1, NEVER_OUT)]) / 2
    return np.where(hour == NEVER_OUT, 1.0, middle)


def _rows_of(profile: pd.DataFrame, category: pd.Series, n: int) -> npt.NDArray[np.int64]:
    require_length(category.to_numpy(), n, "category")
    codes = category.astype("category")
    rows = profile.index.get_indexer(codes.cat.categories.astype(str))
    row_of = np.where(codes.cat.codes < 0, -1, rows[codes.cat.codes])
    if (row_of < 0).any():
        at = int(np.argmax(row_of < 0))
        known = ", ".join(map(str, profile.index))
        refuse(f"category, row {at}", f"one of {known}", repr(category.iloc[at]), "learn its profile first")
    return row_of


def demand_from_hours(
    sold: npt.ArrayLike, seen: npt.ArrayLike, mean: npt.ArrayLike, prior: float = PRIOR
) -> FloatArray:
    """Return a day's expected demand, given what was sold until its shelf ran empty.

    ``sold / seen`` explodes where the shelf ran empty soon after the opening. If the rates of a cell's days have a
    gamma distribution of shape `prior` round its mean, and customers come as a Poisson process, then the day's rate
    given its sales is ``(sold + prior) / (seen + prior / mean)``, and the rest of the day brings ``1 - seen`` of it.
    At the opening (``seen = 0``) that is the cell's mean; on a whole day it is what was sold.

    A stock-out is the sale of the last unit, whether or not somebody asked for one more. A flag that is set only if
    somebody did chooses days of high demand, and the estimate is too low on them.

    Parameters
    ----------
    sold : array_like, shape (n,)
        Units.
    seen : array_like, shape (n,)
        Share of the day's demand that had come by then, as :func:`share_seen` gives it.
    mean : float or array_like, shape (n,)
        Units a day that the cell would sell with full shelves, such as :func:`cell_means`.
    prior : float
        Shape of the gamma distribution, in units; 0 trusts ``sold / seen`` alone. For negative binomial days it is
        one over their dispersion.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Units, never fewer than were sold.

    Raises
    ------
    ContractError
        A share outside [0, 1], something negative, or ``prior=0`` with a share of 0.

    References
    ----------
    Lau and Lau (1996), Estimating the demand distributions of single-period items having frequent stockouts,
    European Journal of Operational Research 92 (hourly profiles); the shrinkage is the Gamma-Poisson posterior.

    Examples
    --------
    >>> demand_from_hours([6, 6, 0, 1], [1, 0.5, 0, 0.05], mean=8).round(2).tolist()
    [6.0, 11.33, 8.0, 10.5]
    >>> demand_from_hours([6, 1], [0.5, 0.05], mean=8, prior=0).round(2).tolist()
    [12.0, 20.0]
    """
    units, share = np.asarray(as_costs(sold, "sold")), np.asarray(as_costs(seen, "seen"))
    mean, prior = np.asarray(as_costs(mean, "mean")), float(as_costs(prior, "prior"))
    if (share > 1).any():
        row = int(np.argmax(share > 1))
        refuse(f"seen, row {row}", "a share in [0, 1]", f"{np.atleast_1d(share)[row]:g}", "divide percentages by 100")
    if prior == 0 and (share == 0).any():
        refuse("prior", "above 0 where nothing of a day was seen", "0", "give a small one, such as 0.5")
    return units + (1 - share) * _rate(units, share, mean, prior)


def _rate(units: FloatArray, share: FloatArray, mean: FloatArray, prior: float) -> FloatArray:
    """Posterior mean of a day's rate, written so that a mean of 0 gives 0."""
    if prior == 0:
        return units / share
    return mean * (units + prior) / (share * mean + prior)


def cell_means(sold: npt.ArrayLike, seen: npt.ArrayLike, cell: npt.ArrayLike, prior: float = PRIOR) -> FloatArray:
    """Return for each row the mean demand of its cell, all days counted, by expectation and maximisation.

    The mean of the days without a stock-out is too low, since days of low demand have no stock-outs. Here each
    stocked-out day counts with its expected demand under the mean, and the mean is that of all days, until both agree:
    the maximum-likelihood mean of negative binomial days with dispersion ``1 / prior``.

    Parameters
    ----------
    sold, seen, prior
        As in :func:`demand_from_hours`.
    cell : array_like, shape (n,)
        Rows with the same label are one cell.

    Returns
    -------
    numpy.ndarray of float, shape (n,)
        Units a day. A cell of which no hour was ever seen gets 0: nothing is known of it.

    Raises
    ------
    ContractError
        As :func:`demand_from_hours`.

    References
    ----------
    Dempster, Laird and Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm.

    Examples
    --------
    >>> cell_means([4, 6, 5], [1, 1, 0.5], ["a", "a", "a"]).round(2).tolist()
    [6.44, 6.44, 6.44]
    """
    units, share = np.asarray(as_costs(sold, "sold")), np.asarray(as_costs(seen, "seen"))
    codes, names = pd.factorize(np.asarray(cell))
    require_length(codes, len(units), "cell")
    days, whole = np.bincount(codes), share == 1
    fixed = np.bincount(codes[whole], units[whole], len(names))
    cut, cut_units, cut_share = codes[~whole], units[~whole], share[~whole]
    looked = np.bincount(codes, share, len(names))
    mean = np.bincount(codes, units, len(names)) / np.where(looked > 0, looked, 1)
    for _ in range(STEPS):
        expected = demand_from_hours(cut_units, cut_share, mean[cut], prior) if len(cut) else cut_units
        new = (fixed + np.bincount(cut, expected, len(names))) / days
        done = np.abs(new - mean) <= TOLERANCE * (1 + mean)
        mean = new
        if done.all():
            break
    return mean[codes]


def learn_prior(sold: npt.ArrayLike, seen: npt.ArrayLike, cell: npt.ArrayLike) -> float:
    """Return the prior under which the sales up to the stock-outs are likeliest, for cells alike.

    How far a day's own morning is to be believed depends on how much days of a cell differ; a wrong guess of it biases
    :func:`cell_means` where many days are cut off early.

    Parameters
    ----------
    sold, seen, cell
        As in :func:`cell_means`.

    Returns
    -------
    float
        Units, within :data:`PRIOR_RANGE`.

    Raises
    ------
    ContractError
        As :func:`demand_from_hours`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> sold = rng.poisson(rng.gamma(4, 10 / 4, 20_000))
    >>> round(learn_prior(sold, np.ones(20_000), np.zeros(20_000)), 1)
    4.0
    """
    units, share = np.asarray(as_costs(sold, "sold")), np.asarray(as_costs(seen, "seen"))

    def loss(log_prior: float) -> float:
        prior = float(np.exp(log_prior))
        mean = np.maximum(cell_means(units, share, cell, prior), 1e-12)
        values = special.gammaln(units + prior) - special.gammaln(prior) + prior * np.log(prior / mean)
        return -float((values - (units + prior) * np.log(share + prior / mean)).sum())

    found = optimize.minimize_scalar(loss, bounds=tuple(np.log(PRIOR_RANGE)), method="bounded", options={"xatol": 0.01})
    return float(np.exp(found.x))
