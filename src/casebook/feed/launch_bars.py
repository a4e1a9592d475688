"""How large an estimate must be to be significant, and how large to be worth a launch; and what policies earned."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import brentq
from scipy.stats import norm

from casebook.contracts import refuse
from casebook.experiments import Belief, fit_programme, launch_value
from casebook.feed.dials import Programme

PAST_ARM = (10_000, 1_000_000)  # users in an arm of the programme's past tests, drawn on a log scale
_MOST = 0.5
_FEWEST = 10  # with fewer, a bootstrap draw may hold none


def past_tests(programme: Programme, spread: float, tests: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw a programme's past, winners and losers: a table of ``estimate`` and ``se``, both relative.

    Parameters
    ----------
    programme : Programme
    spread : float
        Standard deviation of the metric over its mean.
    tests : int
    rng : numpy.random.Generator

    Examples
    --------
    >>> past = past_tests(Programme(), 2.0, 300, np.random.default_rng(0))
    >>> past.shape, bool((past["se"] > 0.002).all())
    ((300, 2), True)
    """
    low, high = np.log(PAST_ARM)
    se = spread * np.sqrt(2 / np.exp(rng.uniform(low, high, tests)))
    return pd.DataFrame({"estimate": programme.draw(tests, rng) + se * rng.standard_normal(tests), "se": se})


def belief_of(past: pd.DataFrame) -> Belief | None:
    """Return what a programme's past says of its effects, or None if its estimates are no more than noise.

    Parameters
    ----------
    past : pandas.DataFrame
        ``estimate`` and ``se`` of all its tests, as :func:`past_tests` draws them.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> belief_of(past_tests(Programme(idle=0.5, scale=0.02), 2.0, 300, rng)).sd > 0.01
    True
    >>> belief_of(pd.DataFrame({"estimate": [0.01, -0.01, 0.0], "se": 0.02})) is None
    True
    """
    x, weight = past["estimate"].to_numpy(), past["se"].to_numpy() ** -2.0
    pooled = weight @ x / weight.sum()
    if weight**2 @ (x - pooled) ** 2 <= weight.sum():  # where fit_programme finds no spread to fit
        return None
    return fit_programme(x, past["se"], spike=True)


def bars(belief: Belief | None, spread: float, users: ArrayLike, cost: float, *, alpha: float = 0.05) -> pd.DataFrame:
    """Return from which estimate on a test is significant, and from which on a launch pays.

    Parameters
    ----------
    belief : Belief or None
        Of relative effects, before the test; None for a programme that has shown none.
    spread : float
        Standard deviation of the metric over its mean.
    users : array_like, shape (k,)
        In each of two arms.
    cost : float
        Of the launch from now on, as a share of the metric's worth.
    alpha : float
        Two-sided level.

    Returns
    -------
    pandas.DataFrame
        ``users``; ``star`` and ``value``, both relative effects. ``value`` is missing where no estimate below 50% pays
        and where nothing is believed.

    Examples
    --------
    >>> bars(Belief(0.0, 0.01, idle=0.7), 2.0, [10_000, 1_000_000], cost=0.002).round(4)
         users    star   value
    0    10000  0.0554  0.0543
    1  1000000  0.0055  0.0055
    """
    if cost <= 0:
        refuse("cost", "above 0", f"{cost:g}", "a launch that costs nothing pays from any rise on")
    count = np.asarray(users, dtype=float)
    errors: NDArray[np.float64] = spread * np.sqrt(2 / count)

    value = [np.nan if belief is None else _value_bar(belief, se, cost) for se in errors]
    return pd.DataFrame({"users": np.asarray(users), "star": norm.isf(alpha / 2) * errors, "value": value})


def _value_bar(belief: Belief, se: float, cost: float) -> float:
    def expected(estimate: float) -> float:
        return launch_value(belief.update(estimate, se), 1.0, to_pay=cost).expected

    return float(brentq(expected, 0, _MOST)) if expected(_MOST) > 0 else np.nan


def captured_shares(frame: pd.DataFrame, policies: tuple[str, ...], rng: np.random.Generator) -> pd.DataFrame:
    """Return what each policy earned over many tests as a share of what the oracle earned.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a test: ``oracle`` and ``worth_*`` of each policy, in one unit.
    policies : tuple of str
    rng : numpy.random.Generator
        For 2,000 bootstrap draws of whole tests, the same for all policies.

    Returns
    -------
    pandas.DataFrame
        One row a policy: ``captured`` with ``low`` and ``high`` (95%), ``over_value_low`` and ``over_value_high`` (of
        its share less that of "value", in pairs), ``launched``, ``lost`` (launches that cost more than they brought).

    Raises
    ------
    ContractError
        Fewer than ten tests in which the oracle earns anything.
    """
    earning = int((frame["oracle"] > 0).sum())
    if earning < _FEWEST:
        refuse("frame", f"with {_FEWEST} or more tests in which the oracle earns", str(earning), "draw more tests")
    draws = rng.integers(0, len(frame), (2_000, len(frame)))
    most = frame["oracle"].to_numpy()[draws].sum(axis=1)
    shares = {name: frame[f"worth_{name}"].to_numpy()[draws].sum(axis=1) / most for name in policies}
    rows = {}
    for name, share in shares.items():
        ends = np.quantile(share, [0.025, 0.975])
        apart = np.quantile(share - shares["value"], [0.025, 0.975])
        rows[name] = {
            "captured": frame[f"worth_{name}"].sum() / frame["oracle"].sum(),
            "low": ends[0],
            "high": ends[1],
            "over_value_low": apart[0],
            "over_value_high": apart[1],
            "launched": int(frame[f"launches_{name}"].sum()),
            "lost": int(frame[f"loses_{name}"].sum()),
        }
    return pd.DataFrame(rows).T
