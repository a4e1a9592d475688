"""A lift that fades or grows: by days since exposure, in week 2 only, and fitted by what halves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.sparse import csr_matrix
from scipy.stats import chi2

from casebook.contracts import refuse, require_columns
from casebook.experiments import Effect, Metric, arm_moments, relative_effect
from casebook.experiments._inputs import as_level

Floats = NDArray[np.float64]
SHORTEST, LONGEST = 0.5, 14.0  # days until half is gone: what lasts longer is not called passing
_GRID = 60  # half-lives tried
CLOCKS = ("days_since_exposure", "day")
_PER_SESSION = Metric("minutes", denominator="sessions")


@dataclass(frozen=True)
class Lifts:
    """Relative lifts of minutes per session by day, with what their errors have in common.

    Attributes
    ----------
    day : numpy.ndarray of int, shape (days,)
        Days since exposure or of the calendar, from 0.
    lift : numpy.ndarray of float, shape (days,)
    cov : numpy.ndarray of float, shape (days, days)
        The days' errors are correlated, since the same users come on several.
    """

    day: NDArray[np.int64]
    lift: Floats
    cov: Floats

    @property
    def se(self) -> Floats:
        """Standard error of each day's lift, shape (days,)."""
        return np.asarray(np.sqrt(np.diag(self.cov)))


@dataclass(frozen=True)
class Decay:
    """A lasting lift and one that passes: ``lasting + passing * 0.5 ** (day / half_life)``.

    Attributes
    ----------
    lasting, passing : float
        Relative lifts; ``passing`` is that of the first day, below zero where the effect grows.
    half_life : float
        Days.
    low, high : float
        Interval of ``lasting``, over all the half-lives that fit.
    """

    lasting: float
    passing: float
    half_life: float
    low: float
    high: float

    def at(self, day: NDArray[np.integer] | NDArray[np.floating]) -> Floats:
        """Return the fitted lift on these days."""
        return _curve(np.asarray(day, float), self.lasting, self.passing, self.half_life)


def lifts_by(daily: pd.DataFrame, clock: str = "days_since_exposure") -> Lifts:
    """Return each day's relative lift of minutes per session, new against control.

    Days since exposure count from each user's own first session in the test, in both arms, so that like is compared
    with like; on a day of the calendar, first days and tenth days are mixed. Per session and not per user, since the
    spread of how often users come is then out of it: check first that sessions did not move.

    Parameters
    ----------
    daily : pandas.DataFrame
        ``user_id``, ``arm`` ("new" or "control"), the clock's column, ``sessions``, ``minutes``: a row a user and day.
    clock : {"days_since_exposure", "day"}

    Returns
    -------
    Lifts
        By the delta method over users (Deng, Knoblich and Lu 2018, KDD).

    Raises
    ------
    ContractError
        If a column is missing, the clock is none, or an arm has no sessions on a day.

    Examples
    --------
    >>> rows = {"user_id": [1, 2, 3, 4], "arm": ["new", "new", "control", "control"], "day": [0, 0, 0, 0]}
    >>> daily = pd.DataFrame(rows | {"sessions": [1, 1, 1, 1], "minutes": [6.0, 5.0, 4.0, 6.0]})
    >>> lifts_by(daily, "day").lift.round(2).tolist()
    [0.1]
    """
    if clock not in CLOCKS:
        refuse("clock", " or ".join(map(repr, CLOCKS)), repr(clock), "choose one of the two")
    require_columns(daily, ["user_id", "arm", clock, "sessions", "minutes"], "daily")
    day = daily[clock].to_numpy(dtype=np.int64)
    sides = [_log_rates(daily[rows], day[rows], int(day.max()) + 1) for rows in _arms(daily)]
    ratio = np.exp(sides[0][0] - sides[1][0])
    return Lifts(np.arange(len(ratio)), ratio - 1, (sides[0][1] + sides[1][1]) * np.outer(ratio, ratio))


def _arms(daily: pd.DataFrame) -> list[NDArray[np.bool_]]:
    return [(daily["arm"] == name).to_numpy() for name in ("new", "control")]


def _log_rates(rows: pd.DataFrame, day: NDArray[np.int64], days: int) -> tuple[Floats, Floats]:
    """Return the log of minutes per session of each day, and their covariance over users."""
    sessions, minutes = (rows[name].to_numpy(float) for name in ("sessions", "minutes"))
    visits, seen = np.bincount(day, sessions, days), np.bincount(day, minutes, days)
    if not (visits > 0).all() or not (seen > 0).all():
        empty = int(np.argmin(np.minimum(visits, seen)))
        refuse(f"daily, day {empty}", "a day with minutes in both arms", "none", "leave the day out or wait for more")
    rate = seen / visits
    users, codes = np.unique(rows["user_id"].to_numpy(), return_inverse=True)
    pull = (minutes - rate[day] * sessions) / seen[day]
    by_user = csr_matrix((pull, (codes, day)), shape=(len(users), days))
    return np.log(rate), np.asarray((by_user.T @ by_user).todense())


def lift_from(daily: pd.DataFrame, first: int = 0, clock: str = "day", level: float = 0.95) -> Effect:
    """Return the relative lift of minutes per session from a day on; ``first=7`` is week 2 only.

    Raises
    ------
    ContractError
        If the clock is none, or as :func:`casebook.experiments.relative_effect`.
    """
    if clock not in CLOCKS:
        refuse("clock", " or ".join(map(repr, CLOCKS)), repr(clock), "choose one of the two")
    rows = daily if first <= 0 else daily[daily[clock] >= first]
    sums = rows.groupby(["user_id", "arm"], observed=True, sort=False)[["sessions", "minutes"]].sum().reset_index()
    sides = arm_moments(sums, _PER_SESSION, "arm", arms=("new", "control"))
    return relative_effect(sides["new"], sides["control"], level=level)


def fit_decay(lifts: Lifts, longest: float = LONGEST, level: float = 0.95) -> Decay:
    """Fit a lasting and a passing lift by generalised least squares.

    For each half-life the model is linear; the best one is found by a search along it (variable projection). The
    interval is the profile likelihood's: every lasting lift that some half-life up to ``longest`` makes likely enough.
    It is wide where the days cannot tell a slow decay from a lasting lift, which an interval at one half-life hides.

    Parameters
    ----------
    lifts : Lifts
        Of four days or more.
    longest : float
        The longest half-life, in days, that you are ready to call passing: an assumption that two weeks cannot test.
    level : float

    Returns
    -------
    Decay

    Raises
    ------
    ContractError
        If there are fewer than four days, the longest half-life is at most ``SHORTEST``, or the level is none.

    References
    ----------
    Golub and Pereyra (1973), The differentiation of pseudo-inverses and nonlinear least squares problems whose
    variables separate, SIAM Journal on Numerical Analysis 10. Venzon and Moolgavkar (1988), A method for computing
    profile-likelihood-based confidence intervals, Applied Statistics 37.

    Examples
    --------
    >>> day = np.arange(14)
    >>> fit = fit_decay(Lifts(day, 0.02 + 0.06 * 0.5 ** (day / 4), 1e-6 * np.eye(14)))
    >>> round(fit.lasting, 3), round(fit.passing, 3), round(fit.half_life, 1)
    (0.02, 0.06, 4.0)
    """
    if len(lifts.day) < 4:
        refuse("lifts", "those of four days or more", str(len(lifts.day)), "wait, for three numbers are fitted")
    if not longest > SHORTEST:
        refuse("longest", f"above {SHORTEST} days", str(longest), "give the half-life in days")
    allowed = float(chi2.ppf(as_level(level), 1))
    coarse = np.geomspace(SHORTEST, longest, _GRID)
    rough = _profile(lifts, coarse)
    best = int(rough[3].argmin())
    likely = np.append(np.flatnonzero(rough[3] <= rough[3, best] + allowed), best)
    first, last = coarse[max(likely.min() - 1, 0)], coarse[min(likely.max() + 1, _GRID - 1)]
    around = coarse[max(best - 1, 0)], coarse[min(best + 1, _GRID - 1)]
    half_life = float(
        minimize_scalar(lambda days: _profile(lifts, np.array([days]))[3, 0], bounds=around, method="bounded").x
    )
    tried = np.append(np.geomspace(first, last, 4 * _GRID), half_life)
    lasting, passing, variance, misfit = _profile(lifts, tried)
    room = misfit.min() + allowed - misfit
    inside = room >= 0
    reach = np.sqrt(variance[inside] * room[inside])
    low, high = float((lasting[inside] - reach).min()), float((lasting[inside] + reach).max())
    return Decay(float(lasting[-1]), float(passing[-1]), half_life, low, high)


def _curve(day: Floats, lasting: float, passing: float, half_life: float) -> Floats:
    return np.asarray(lasting + passing * 0.5 ** (day / half_life))


def _profile(lifts: Lifts, half_lives: Floats) -> Floats:
    """Return lasting, passing, the variance of lasting and the squared misfit, by half-life: shape (4, half_lives)."""
    white = np.linalg.inv(np.linalg.cholesky(lifts.cov))
    left = 0.5 ** (lifts.day / half_lives[:, None])
    X = white @ np.stack([np.ones_like(left), left], axis=2)
    y = white @ lifts.lift
    inverse = np.linalg.inv(X.transpose(0, 2, 1) @ X)
    beta = inverse @ (X.transpose(0, 2, 1) @ y)[:, :, None]
    misfit = ((y - (X @ beta)[:, :, 0]) ** 2).sum(axis=1)
    return np.stack([beta[:, 0, 0], beta[:, 1, 0], inverse[:, 0, 0], misfit])
