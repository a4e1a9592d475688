"""The update within a day: what has sold by noon says what the rest of the day will want.

The day's demand is Poisson with a rate that is drawn from a Gamma: its mean is the model's forecast, its spread the
model's dispersion. Demand comes by an hourly profile. If a share s of a usual day is over and n units were wanted, the
rate is again Gamma, and what is still to come is negative binomial.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import special, stats

from casebook.contracts import FloatArray, as_costs, refuse
from casebook.demand.clock import hour_shares
from casebook.demand.value_added import loss
from casebook.demand.world import CATEGORIES, CLOSES, OPENS

UPDATES = (8, 14, 20)  # every six hours, within the shop's day


@dataclass(frozen=True, eq=False)
class Posterior:
    """What is believed of a day's rate (units a day), one entry a cell: a Gamma.

    Parameters
    ----------
    shape, rate : numpy.ndarray of float, shape (n,)
        Mean ``shape / rate``, variance ``shape / rate ** 2``.
    """

    shape: FloatArray
    rate: FloatArray

    @property
    def mean(self) -> FloatArray:
        """Expected units of a whole day."""
        return self.shape / self.rate

    def rest_mean(self, share_left: npt.ArrayLike) -> FloatArray:
        """Return the expected units of the rest of the day."""
        return self.mean * np.asarray(share_left, dtype=float)

    def rest_quantile(self, tau: npt.ArrayLike, share_left: npt.ArrayLike) -> FloatArray:
        """Return quantiles of the units that the rest of the day will want: negative binomial."""
        left = np.broadcast_to(np.asarray(share_left, dtype=float), self.shape.shape)
        found = stats.nbinom.ppf(tau, self.shape, self.rate / (self.rate + left))
        return np.asarray(found, dtype=float)


def share_before(category: str, hour: float) -> float:
    """Return the share of a usual day's demand that comes before an hour.

    Parameters
    ----------
    category : str
    hour : float
        Of the day; half hours take half of theirs.

    Returns
    -------
    float
        0 at the opening and before, 1 at the close and after.

    Raises
    ------
    ContractError
        An unknown category.

    Examples
    --------
    >>> [round(share_before("bakery", hour), 2) for hour in (8, 14, 20, 22)]
    [0.0, 0.64, 0.93, 1.0]
    """
    names = list(CATEGORIES)
    if category not in names:
        refuse("category", "one of " + ", ".join(names), repr(category), "mend the name")
    ends = np.concatenate([[0.0], hour_shares()[names.index(category)].cumsum()])
    return float(np.interp(hour, np.arange(OPENS, CLOSES + 1), ends))


def update(
    mean: npt.ArrayLike,
    dispersion: npt.ArrayLike,
    share_seen: npt.ArrayLike,
    sold: npt.ArrayLike,
    censored: npt.ArrayLike = False,
) -> Posterior:
    """Return what is believed of the day's rate after a part of it.

    Parameters
    ----------
    mean : array_like, shape (n,)
        The model's units for the day, above 0.
    dispersion : float or array_like
        Above 0: the variance of a day's demand is mean + dispersion * mean^2.
    share_seen : float or array_like
        Share of a usual day during which every order could be served. If the hour is known in which the shelf ran
        empty, that is the share up to that moment: the n-th unit went then, and such a count is as good as any.
    sold : array_like, shape (n,)
        Units in that time.
    censored : bool or array_like
        True where the shelf was empty before the share was over and nobody knows since when: demand was `sold` or
        more. The posterior is then no Gamma; the one with its mean and variance is returned.

    Returns
    -------
    Posterior

    Raises
    ------
    ContractError
        A mean or dispersion that is not above 0, a share outside [0, 1], negative sales.

    References
    ----------
    Gelman et al. (2013), Bayesian Data Analysis, section 2.6.

    Examples
    --------
    >>> update(10.0, 0.25, 0.5, 10).mean.round(2).tolist(), update(10.0, 0.25, 0.5, 10, True).mean.round(2).tolist()
    ([15.56], [17.83])
    """
    prior_mean, spread = (
        np.atleast_1d(as_costs(part, name)) for part, name in ((mean, "mean"), (dispersion, "dispersion"))
    )
    for name, part in (("mean", prior_mean), ("dispersion", spread)):
        if (part <= 0).any():
            refuse(name, "above 0", f"{part.min():g}", "give the forecast, not a zero; nothing can be learnt from that")
    seen, units = np.atleast_1d(as_costs(share_seen, "share_seen")), np.atleast_1d(as_costs(sold, "sold"))
    if (seen > 1).any():
        refuse("share_seen", "in [0, 1]", f"{seen.max():g}", "give a share of the day")
    prior_mean, spread, seen, units, hidden = np.broadcast_arrays(prior_mean, spread, seen, units, np.asarray(censored))
    shape = 1 / spread
    rate = shape / prior_mean
    after = Posterior(shape + units, rate + seen)
    if not hidden.any():
        return after
    bound = _at_least(*(part[hidden] for part in (shape, rate, seen, units)))
    after.shape[hidden], after.rate[hidden] = bound.shape, bound.rate
    return after


def _at_least(shape: FloatArray, rate: FloatArray, seen: FloatArray, units: FloatArray) -> Posterior:
    """Return the Gamma with the moments of the rate given that demand was so many units or more.

    A Gamma density times the j-th power of the rate is again a Gamma with j more in its shape; so each moment is the
    prior's times a ratio of two negative binomial tails.
    """
    share = np.where(units > 0, seen / (rate + seen), 1.0)
    tails = [special.betainc(np.maximum(units, 1), shape + more, share) for more in range(3)]
    lost = tails[0] < 1e-280  # so far out, the count itself is the best guess of the bound
    base = np.where(lost, 1.0, tails[0])
    first = shape / rate * tails[1] / base
    second = shape * (shape + 1) / rate**2 * tails[2] / base
    variance = np.maximum(second - first**2, 1e-12)
    fitted = Posterior(first**2 / variance, first / variance)
    return Posterior(np.where(lost, shape + units, fitted.shape), np.where(lost, rate + seen, fitted.rate))


def gain_by_hour(
    category: str,
    mean: float,
    dispersion: float,
    rng: np.random.Generator,
    days: int = 4_000,
    tau: float = 0.833,
    profile_error: float = 0.2,
    hours: tuple[int, ...] = tuple(range(OPENS, CLOSES)),
) -> pd.DataFrame:
    """Return by hour how much better the rest of the day is foreseen with the day's sales than without.

    Parameters
    ----------
    category : str
    mean, dispersion : float
        As in :func:`update`; the model is right about both.
    rng : numpy.random.Generator
    days : int
        Simulated days, with shelves that are never empty.
    tau : float
        Level of the pinball loss.
    profile_error : float
        Standard deviation, in logs, by which each hour of each day departs from the profile, which the update takes as
        it is: rain at noon is not in it.
    hours : tuple of int
        At whose beginning the forecast is made.

    Returns
    -------
    pandas.DataFrame
        By ``hour``: ``share_left``, ``units_left`` (mean demand still to come), ``wape_before``, ``wape_after``
        (absolute error of the median over the units), ``pinball_before``, ``pinball_after`` (units a day) and ``gain``
        (share of the pinball loss that the update saves).

    Examples
    --------
    >>> gain_by_hour("produce", 12.0, 0.3, np.random.default_rng(0), hours=(8, 14))["gain"].round(2).to_dict()
    {8: 0.0, 14: 0.29}
    """
    names = list(CATEGORIES)
    share_before(category, OPENS)  # refuses an unknown one
    profile = hour_shares()[names.index(category)]
    rates = rng.gamma(1 / dispersion, dispersion * mean, days)
    tilted = profile * np.exp(profile_error * rng.standard_normal((days, len(profile))))
    counts = rng.poisson(rates[:, None] * tilted / tilted.sum(axis=1, keepdims=True))
    rows = {}
    for hour in hours:
        seen, left = share_before(category, hour), 1 - share_before(category, hour)
        sold, rest = counts[:, : hour - OPENS].sum(axis=1), counts[:, hour - OPENS :].sum(axis=1)
        before = update(np.full(days, mean), dispersion, 0.0, 0)
        after = update(np.full(days, mean), dispersion, seen, sold)
        scores = {"share_left": left, "units_left": float(rest.mean())}
        for name, belief in (("before", before), ("after", after)):
            scores[f"wape_{name}"] = float(loss(rest, belief.rest_quantile(0.5, left)).sum() / max(rest.sum(), 1))
            scores[f"pinball_{name}"] = float(loss(rest, belief.rest_quantile(tau, left), tau).mean())
        saved = scores["pinball_before"] - scores["pinball_after"]
        rows[hour] = scores | {"gain": saved / scores["pinball_before"] if scores["pinball_before"] > 0 else 0.0}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("hour")
