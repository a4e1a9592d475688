"""What the claims page of chapter 8 measures and no other page needs: played tests, and stars against money."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from casebook.contracts import refuse
from casebook.experiments._inputs import above_zero, as_outcome, one_number, upper_normal
from casebook.feed.dials import Programme
from casebook.feed.programme_wins import effects_of


def play_tests(
    y: npt.ArrayLike, effect: float, size: int, rng: np.random.Generator, *, tests: int = 1_000
) -> pd.DataFrame:
    """Draw tests of a known relative effect from untreated users and return how each of them reads.

    Both arms are drawn with replacement; what the treated do is multiplied by ``1 + effect``.

    Parameters
    ----------
    y : array_like, shape (n,)
        Outcome of users whom nobody treated, with a mean above 0.
    effect : float
        True relative effect, above -1.
    size : int
        Users in each arm, 2 or more.
    rng : numpy.random.Generator
    tests : int

    Returns
    -------
    pandas.DataFrame
        One row per test: ``estimate``, ``se`` (relative, by the delta method, as
        :func:`casebook.experiments.relative_effect`), ``star`` (the 95% interval leaves out 0), ``covers`` (it holds
        ``effect``).

    Raises
    ------
    ContractError
        A mean of 0 or less, an effect of -1 or less, a size below 2.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> told = play_tests(rng.gamma(1.0, size=2_000), 0.1, 500, rng, tests=400)
    >>> bool(0.9 < told["covers"].mean() < 0.98), bool(told["star"].mean() < 0.6)
    (True, True)
    """
    outcome, lift = as_outcome(y, "y"), one_number(effect, "effect")
    if not outcome.mean() > 0:
        refuse("y", "of a mean above 0", f"{outcome.mean():g}", "pass an outcome that can change by a share")
    if lift <= -1:
        refuse("effect", "above -1", f"{lift:g}", "divide percentages by 100")
    if size < 2:
        refuse("size", "2 or more", str(size), "pass the users in each arm")
    read = np.array([_moments(outcome, size, rng) for _ in range(2 * tests)]).reshape(tests, 2, 2)
    (mean_new, mean_old), (error_new, error_old) = read[:, :, 0].T, (read[:, :, 1] / read[:, :, 0]).T
    ratio = (1 + lift) * mean_new / mean_old
    se = ratio * np.hypot(error_new, error_old)
    reach = upper_normal(0.05, 2) * se
    return pd.DataFrame(
        {
            "estimate": ratio - 1,
            "se": se,
            "star": np.abs(ratio - 1) > reach,
            "covers": np.abs(ratio - 1 - lift) <= reach,
        }
    )


def _moments(outcome: npt.NDArray[np.float64], size: int, rng: np.random.Generator) -> tuple[float, float]:
    drawn = outcome[rng.integers(len(outcome), size=size)]
    return float(drawn.mean()), float(drawn.std(ddof=1) / np.sqrt(size))


def star_and_worth(programme: Programme, spread: float, users: float, cost: float) -> dict[str, float]:
    """Return how often a significant rise and a launch that pays are two things, over a programme's tests.

    Parameters
    ----------
    programme : Programme
        Of relative effects.
    spread : float
        Standard deviation of the metric over its mean.
    users : float
        In each of two arms.
    cost : float
        Relative effect from which a launch pays, 0 or more.

    Returns
    -------
    dict of str to float
        Shares of all tests: ``star`` (a significant rise at 5%), ``pays`` (the true effect is above the cost),
        ``star_only``, ``pays_only``.

    Raises
    ------
    ContractError
        No programme, a spread or users of 0 or less.

    Examples
    --------
    >>> told = star_and_worth(Programme(), spread=1.5, users=10_000, cost=0.004)
    >>> {name: round(share, 3) for name, share in told.items()}
    {'star': 0.034, 'pays': 0.107, 'star_only': 0.02, 'pays_only': 0.094}
    """
    effects, weight = effects_of(programme)
    se = above_zero(spread, "spread") * float(np.sqrt(2 / above_zero(users, "users")))
    star = weight * norm.sf(upper_normal(0.05, 2) - effects / se)
    pays = effects > one_number(cost, "cost")
    both = float(star[pays].sum())
    told = {"star": float(star.sum()), "pays": float(weight[pays].sum())}
    return told | {"star_only": told["star"] - both, "pays_only": told["pays"] - both}


def lost_by_bar(programme: Programme, cost: float, bar: float) -> float:
    """Return what launching from another bar than the cost loses, as a share of what could be gained.

    Effects are taken as known, so that the bar alone is at fault.

    Parameters
    ----------
    programme : Programme
    cost : float
        Relative effect from which a launch pays.
    bar : float
        Relative effect from which one launches.

    Returns
    -------
    float
        0 where the bar is the cost.

    Raises
    ------
    ContractError
        No programme, or one in which nothing can be gained.

    Examples
    --------
    >>> [round(lost_by_bar(Programme(), 0.004, bar), 2) for bar in (0.004, 0.02, 0.054)]
    [0.0, 0.45, 0.88]
    """
    effects, weight = effects_of(programme)
    worth = weight * (effects - one_number(cost, "cost"))
    best, got = float(worth[worth > 0].sum()), float(worth[effects > one_number(bar, "bar")].sum())
    if best <= 0:
        refuse("programme", "one in which a launch can pay", "none that does", "lower the cost or the idle share")
    return 1 - got / best
