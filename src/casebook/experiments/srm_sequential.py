"""A test for a sample ratio mismatch that may be looked at every day."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import gammaln

from casebook._schema_words import shown
from casebook.contracts import FloatArray, refuse
from casebook.experiments._inputs import above_zero, open_share
from casebook.experiments.srm_size import as_shares

# The authors' own default: it looks for shares that are off by about a fifth of a point where 5% were planned.
_CONCENTRATION = 10_000.0


def srm_sequential(
    counts: npt.ArrayLike, shares: npt.ArrayLike, *, alpha: float = 0.01, concentration: float = _CONCENTRATION
) -> pd.DataFrame:
    """Test for a sample ratio mismatch after every look, at one alpha for all looks together.

    The e-value is the probability of all counts so far if the true shares are drawn from a Dirichlet distribution
    around the planned ones, over their probability under the planned ones. If assignment is sound it ever reaches
    1 / alpha with probability at most alpha (Ville), however often one looks and whenever one stops.

    Parameters
    ----------
    counts : array_like, shape (looks, arms)
        New units of each look, such as those first seen on each day; not running totals.
    shares : array_like, shape (arms,)
        Designed shares, above 0; they sum to 1.
    alpha : float
        Chance of a false alarm at any look.
    concentration : float
        Units that the Dirichlet is worth: larger finds smaller mismatches, later.

    Returns
    -------
    pandas.DataFrame
        One row per look: ``units`` (so far), ``log_e`` (natural logarithm of the e-value), ``p`` (always valid:
        the smallest 1 / e so far, at most 1), ``broken`` (p < alpha).

    Raises
    ------
    ContractError
        Counts that are not whole or not a table of looks by arms, shares that do not sum to 1, an alpha or a
        concentration that is none.

    References
    ----------
    Lindon and Malek (2020), Anytime-valid inference for multinomial count data (NeurIPS 2022).

    Examples
    --------
    >>> daily = [[2_480, 2_510, 45_010], [2_350, 2_600, 45_050], [2_350, 2_600, 45_050]]
    >>> srm_sequential(daily, [0.05, 0.05, 0.90]).round(4)
        units   log_e       p  broken
    0   50000 -1.7061  1.0000   False
    1  100000  1.3730  0.2534   False
    2  150000  6.4957  0.0015    True
    """
    part = as_shares(shares, "shares")
    new = _as_looks(counts, len(part))
    limit, weight = open_share(alpha, "alpha"), above_zero(concentration, "concentration")
    seen = np.cumsum(new, axis=0)
    log_e = log_e_value(seen, part, weight)
    p = np.minimum.accumulate(np.exp(-np.maximum(log_e, 0.0)))
    units = seen.sum(axis=1).astype(int)
    return pd.DataFrame({"units": units, "log_e": log_e, "p": p, "broken": p < limit})


def log_e_value(counts: FloatArray, shares: FloatArray, concentration: float = _CONCENTRATION) -> FloatArray:
    """Return the log e-value of running totals, shape (..., arms), against planned shares, shape (arms,)."""
    prior, units = concentration * shares, counts.sum(axis=-1)
    mixed = gammaln(concentration) - gammaln(concentration + units)
    mixed = mixed + (gammaln(prior + counts) - gammaln(prior)).sum(axis=-1)
    return np.asarray(mixed - (counts * np.log(shares)).sum(axis=-1))


def _as_looks(counts: npt.ArrayLike, arms: int) -> FloatArray:
    array = np.asarray(counts)
    mend = "pass one row per look and one column per arm"
    if array.ndim != 2 or array.shape[1] != arms or len(array) == 0:
        refuse("counts", f"a table of looks by {arms} arms", f"shape {array.shape}", mend)
    if array.dtype.kind not in "iuf":
        refuse("counts", "whole numbers", shown(array.flat[0]), mend)
    values = array.astype(float)
    wrong = ~(np.isfinite(values) & (values >= 0) & (values == np.floor(values)))
    if wrong.any():
        row = int(np.argmax(wrong.any(axis=1)))
        got = shown(values[row][wrong[row]][0])
        refuse(f"counts, row {row}", "whole numbers, 0 or more", got, "count the new units of each look")
    return values
