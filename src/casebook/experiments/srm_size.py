"""How many units a sample ratio mismatch needs to be seen."""

from __future__ import annotations

from math import ceil

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.stats import chi2, ncx2

from casebook.contracts import FloatArray, refuse, require_length
from casebook.experiments._inputs import above_zero, as_outcome, open_share, power_normal

_ROUNDING = 1e-9


def srm_n(
    observed_shares: npt.ArrayLike,
    planned_shares: npt.ArrayLike,
    alpha: float = 0.01,
    *,
    power: float | None = None,
) -> int:
    """Return from how many units on shares off by this much fall below alpha.

    The chi-square grows with the units: chi2 = n sum (observed - planned)^2 / planned. The same shares that prove
    nothing on a small test prove a broken one on a large test.

    Parameters
    ----------
    observed_shares : array_like, shape (arms,)
        Shares as they are seen, or as a fault would make them; 0 or more, they sum to 1.
    planned_shares : array_like, shape (arms,)
        Designed shares, above 0; they sum to 1.
    alpha : float
        The alarm level.
    power : float, optional
        Left out, the shares are taken as seen: from this n on, p < alpha. Given (0.5 or more, below 1), they are
        the true ones and the counts still vary by chance: from this n on the alarm goes off with this probability.

    Returns
    -------
    int
        Units in all arms together.

    Raises
    ------
    ContractError
        Shares that do not sum to 1, unequal lengths, shares that agree, an alpha or power that is none.

    References
    ----------
    Pearson (1900), Philosophical Magazine 50; Cohen (1988), Statistical Power Analysis, 2nd ed., chapter 7.

    Examples
    --------
    >>> seen, planned = [0.047, 0.052, 0.901], [0.05, 0.05, 0.90]
    >>> srm_n(seen, planned), srm_n(seen, planned, alpha=0.001)
    (35274, 52911)
    >>> srm_n(seen, planned, power=0.8)
    53161
    """
    gap = _gap(observed_shares, planned_shares)
    critical = _critical(alpha, planned_shares)
    if gap == 0:
        refuse("observed_shares", "other than planned_shares", "the same shares", "pass what the fault makes of them")
    if power is None:
        return ceil(critical / gap - _ROUNDING)
    power_normal(power)
    df = np.size(planned_shares) - 1

    def lacking(noncentral: float) -> float:
        return float(ncx2.sf(critical, df, noncentral)) - power

    most = critical + 10.0
    while lacking(most) < 0:
        most *= 2
    return ceil(float(brentq(lacking, 1e-9, most, xtol=1e-10)) / gap - _ROUNDING)


def srm_power(true_shares: npt.ArrayLike, planned_shares: npt.ArrayLike, n: float, alpha: float = 0.01) -> float:
    """Return the chance that a test for a sample ratio mismatch sees shares that are off by this much.

    Parameters
    ----------
    true_shares, planned_shares : array_like, shape (arms,)
        As in :func:`srm_n`.
    n : float
        Units in all arms together.
    alpha : float
        The alarm level.

    Returns
    -------
    float
        From the noncentral chi-square; alpha itself where the shares agree.

    Raises
    ------
    ContractError
        As :func:`srm_n`, and for an n of 0 or less.

    References
    ----------
    Cohen (1988), Statistical Power Analysis, 2nd ed., chapter 7.

    Examples
    --------
    >>> round(srm_power([0.047, 0.052, 0.901], [0.05, 0.05, 0.90], 53_161), 3)
    0.8
    """
    gap, units = _gap(true_shares, planned_shares), above_zero(n, "n")
    critical, df = _critical(alpha, planned_shares), np.size(planned_shares) - 1
    return float(ncx2.sf(critical, df, units * gap) if gap > 0 else chi2.sf(critical, df))


def as_shares(shares: npt.ArrayLike, what: str, *, empty_arms: bool = False) -> FloatArray:
    """Return two or more shares that sum to 1; only with ``empty_arms`` may one be 0."""
    part = as_outcome(shares, what, "pass the design's")
    if len(part) < 2:
        refuse(what, "one share for each of two or more arms", "one share", "name every arm")
    low = (part < 0) if empty_arms else (part <= 0)
    if low.any() or abs(part.sum() - 1) > _ROUNDING:
        must = f"{'0 or more' if empty_arms else 'above 0'} and 1 in sum"
        refuse(what, must, str(part.tolist()), "divide them by their sum")
    return part


def _gap(observed: npt.ArrayLike, planned: npt.ArrayLike) -> float:
    part = as_shares(planned, "planned_shares")
    seen = as_shares(observed, "observed_shares", empty_arms=True)
    require_length(seen, len(part), "observed_shares")
    return float(((seen - part) ** 2 / part).sum())


def _critical(alpha: float, planned: npt.ArrayLike) -> float:
    return float(chi2.isf(open_share(alpha, "alpha"), np.size(planned) - 1))
