"""A/A tests by resampling: does the analysis alarm as seldom as it says when nothing differs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import binom, kstest
from scipy.stats import t as student

from casebook._columns import kind_of
from casebook.contracts import BoolArray, FloatArray, refuse, require_same_order
from casebook.experiments._inputs import as_groups, as_outcome, one_number, open_share

_BAND = 0.99
_CHUNK = 2_000_000  # numbers in memory at a time


@dataclass(frozen=True)
class AA:
    """What many A/A splits of one arm say of an analysis.

    Parameters
    ----------
    p : numpy.ndarray, shape (splits,)
        The p-value of each split.
    rate : float
        Share of them below alpha.
    low, high : float
        Band in which that share lies 99 times in 100 if the analysis is right (binomial).
    uniform_p : float
        Kolmogorov-Smirnov p-value of "the p-values are uniform".
    alpha : float
    """

    p: FloatArray
    rate: float
    low: float
    high: float
    uniform_p: float
    alpha: float

    @property
    def sound(self) -> bool:
        """Whether the analysis alarms neither more nor less often than it says."""
        return self.low <= self.rate <= self.high

    def __str__(self) -> str:
        """Return the finding in one sentence."""
        facts = f"{self.rate:.1%} of {len(self.p)} A/A splits have p < {self.alpha:g}"
        band = f"{self.low:.1%} to {self.high:.1%}"
        if self.sound:
            return f"{facts}, within {band}: the analysis keeps its level."
        why = "it takes dependent rows for independent" if self.rate > self.high else "it finds less than it could"
        return f"{facts}, outside {band}: do not trust its p-values, for {why}."


def aa_test(
    y: npt.ArrayLike,
    rng: np.random.Generator,
    *,
    cluster: npt.ArrayLike | None = None,
    aware: bool = True,
    analysis: Callable[[BoolArray], float] | None = None,
    share: float = 0.5,
    splits: int = 1_000,
    alpha: float = 0.05,
) -> AA:
    """Split one arm at random many times and count how often the analysis finds a difference.

    Nothing was done to anyone, so p < 0.05 must come in about 5% of the splits. It comes oftener where users are
    split but impressions are analysed, and this is the test that shows it on your own data.

    Parameters
    ----------
    y : array_like, shape (n,)
        Outcome of every row of one arm (the control, or data from before).
    rng : numpy.random.Generator
    cluster : array_like, shape (n,), optional
        What a real test would randomise whole, such as the user of each impression. Left out, each row.
    aware : bool
        Whether the analysis allows for the clusters, as :func:`casebook.experiments.difference` does with ``cluster``;
        if not, it takes rows for independent.
    analysis : callable, optional
        Another analysis: it is given the arm of each row (bool, shape (n,)) and returns a p-value.
    share : float
        Share of units or clusters in the first arm.
    splits : int
        How many, 100 or more.
    alpha : float

    Returns
    -------
    AA

    Raises
    ------
    ContractError
        Missing outcomes, fewer than 20 units or clusters, an outcome that does not vary, a share, alpha or number of
        splits that is none, an analysis that returns no p-value.

    References
    ----------
    Kohavi, Tang and Xu (2020), Trustworthy Online Controlled Experiments, chapter 19.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> user = np.repeat(np.arange(300), 10)
    >>> clicks = rng.poisson(rng.gamma(2.0, size=300)[user])
    >>> print(aa_test(clicks, rng, cluster=user))
    5.1% of 1000 A/A splits have p < 0.05, within 3.3% to 6.9%: the analysis keeps its level.
    >>> aa_test(clicks, rng, cluster=user, aware=False).sound
    False
    """
    outcome, limit = as_outcome(y, "y"), open_share(alpha, "alpha")
    _require_rng(rng)
    codes = _codes(cluster, outcome, y)
    count = one_number(splits, "splits")
    if count < 100 or count % 1:
        refuse("splits", "a whole number, 100 or more", f"{count:g}", "take 1000")
    if np.ptp(outcome) == 0:
        refuse("y", "varying", f"{outcome[0]:g} in every row", "pass an outcome that differs between units")
    units = int(codes.max()) + 1
    treated = _treated(units, share)
    if analysis is None:
        groups = _sums(outcome, codes)
        robust = cluster is not None and aware
        found = [_p_values(arms, groups, robust) for arms in _split(units, treated, int(count), rng)]
        p = np.concatenate(found)
    else:
        p = np.array([_one_p(analysis, a[codes]) for arms in _split(units, treated, int(count), rng) for a in arms])
    low, high = binom.interval(_BAND, len(p), limit)
    band = float(low) / len(p), float(high) / len(p)
    return AA(p, float((p < limit).mean()), *band, float(kstest(p, "uniform").pvalue), limit)


def _treated(units: int, share: float) -> int:
    treated = round(open_share(share, "share") * units)
    if units < 20 or not 2 <= treated <= units - 2:
        got, mend = f"{treated} of {units}", "pass more data or move share towards 0.5"
        refuse("y", "20 or more units or clusters, two of them in each arm", got, mend)
    return treated


def _require_rng(rng: object) -> None:
    if not isinstance(rng, np.random.Generator):
        refuse("rng", "a numpy Generator", kind_of(rng), "pass np.random.default_rng(seed)")


def _codes(cluster: npt.ArrayLike | None, outcome: FloatArray, y: npt.ArrayLike) -> npt.NDArray[np.intp]:
    if cluster is None:
        return np.arange(len(outcome))
    require_same_order(y, cluster, "y and cluster")
    return as_groups(cluster, len(outcome), "cluster")[0]


def _split(units: int, treated: int, splits: int, rng: np.random.Generator) -> Iterator[BoolArray]:
    """Yield random splits in chunks, shape (chunk, units), each with exactly ``treated`` of the units."""
    base = np.arange(units) < treated
    step = max(1, _CHUNK // units)
    for start in range(0, splits, step):
        yield rng.permuted(np.tile(base, (min(step, splits - start), 1)), axis=1)


def _one_p(analysis: Callable[[BoolArray], float], arms: BoolArray) -> float:
    p = one_number(analysis(arms), "what analysis returns")
    if not 0 <= p <= 1:
        refuse("what analysis returns", "a p-value in [0, 1]", f"{p:g}", "return the p-value alone")
    return p


def _sums(y: FloatArray, codes: npt.NDArray[np.intp]) -> FloatArray:
    """Return rows, sum and sum of squares of each unit, shape (units, 3); y is centred first, for precision."""
    centred = y - y.mean()
    return np.stack([np.bincount(codes), np.bincount(codes, centred), np.bincount(codes, centred**2)], axis=1)


def _p_values(arms: BoolArray, groups: FloatArray, robust: bool) -> FloatArray:
    """Return the p-value of each split, as ``difference`` does: CR1 by cluster if robust, else Welch by row."""
    sides = [_side(side, groups) for side in (arms, ~arms)]
    (n1, mean1, within1, sandwich1), (n0, mean0, within0, sandwich0) = sides
    if robust:
        n, count = n1 + n0, len(groups)
        variance = (sandwich1 + sandwich0) * count / (count - 1) * (n - 1) / (n - 2)
        df: FloatArray | float = count - 1.0
    else:
        part1, part0 = within1 / (n1 - 1) / n1, within0 / (n0 - 1) / n0
        variance = part1 + part0
        df = variance**2 / (part1**2 / (n1 - 1) + part0**2 / (n0 - 1))
    return np.asarray(2 * student.sf(np.abs(mean1 - mean0) / np.sqrt(variance), df))


def _side(arms: BoolArray, groups: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return rows, mean, sum of squares within, and the sandwich's share of one arm, each of shape (splits,)."""
    size, total, square = groups.T
    inside = arms.astype(float)
    n = inside @ size
    mean = inside @ total / n
    residual = inside @ total**2 - 2 * mean * (inside @ (total * size)) + mean**2 * (inside @ size**2)
    return n, mean, inside @ square - n * mean**2, residual / n**2
