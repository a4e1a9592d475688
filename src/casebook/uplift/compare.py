"""Scores against each other on the same trial: paired intervals, and predicted against realised uplift."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.uplift._ranked import area_over_random, gains, rank
from casebook.uplift._trial import IntArray, Trial, as_clusters, as_level, as_score, as_trial
from casebook.uplift.curves import QiniValue, require_definition


def paired_qini(
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    scores: Mapping[str, npt.ArrayLike],
    *,
    rng: np.random.Generator,
    draws: int = 200,
    cluster: npt.ArrayLike | None = None,
    definition: str = "qini",
    propensity: npt.ArrayLike = 0.5,
    reference: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Return each score's Qini and its difference to a reference, with bootstrap intervals from the same draws.

    Two scores share the trial's luck, so their difference is known far better than either value: compare the
    intervals of ``difference``, not the overlap of the intervals of ``qini``. Rows (or whole clusters) are drawn
    with replacement; each score is sorted once and a draw only reweights it, so a draw costs O(n).

    Parameters
    ----------
    y, treated, definition, propensity
        As in :func:`uplift_curve`.
    scores : mapping of str to array_like, shape (n,)
        One score per name, made without these rows' outcomes.
    rng : numpy.random.Generator
    draws : int
        Bootstrap draws, at least 2.
    cluster : array_like, shape (n,), optional
        The unit that was randomised, if it has several rows; draws then take whole units.
    reference : str, optional
        The name that the differences are against; the first if left out.
    level : float
        Coverage of the percentile intervals.

    Returns
    -------
    pandas.DataFrame
        Index ``score``, in the order given: ``qini`` (per unit of the population), ``low``, ``high``,
        ``difference``, ``difference_low``, ``difference_high``. ``attrs["formula"]`` holds the formula.

    Raises
    ------
    ContractError
        As :func:`qini`; no score, an unknown reference, too few draws, fewer than two clusters.

    References
    ----------
    Efron and Tibshirani (1993), An introduction to the bootstrap, chapters 8 and 13.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> x, treated = rng.random(4000), rng.random(4000) < 0.5
    >>> y = rng.random(4000) < 0.3 + 0.3 * treated * (x > 0.5)
    >>> scores = {"random": rng.random(4000), "x": x}
    >>> paired_qini(y, treated, scores, rng=rng).round(3)
             qini    low   high  difference  difference_low  difference_high
    score
    random  0.001 -0.003  0.005       0.000           0.000            0.000
    x       0.017  0.012  0.021       0.016           0.009            0.021
    """
    trial = as_trial(y, treated, propensity)
    require_definition(definition, trial)
    names = _names(scores)
    if reference is not None and reference not in names:
        refuse("reference", f"one of {', '.join(map(repr, names))}", repr(reference), "name one of the scores")
    if draws < 2:
        refuse("draws", "2 or more", repr(draws), "take 200")
    tails = (1 - as_level(level)) / 2
    ranked = [rank(trial, as_score(score, trial, f"score {name!r}")) for name, score in scores.items()]
    weightings = [None, *_weights(trial, as_clusters(cluster, trial.n), draws, rng)]
    areas = np.array([[area_over_random(*gains(definition, r.cumulated(w))) for r in ranked] for w in weightings])
    table = _with_intervals(areas, names, names.index(reference or names[0]), tails)
    table.attrs["formula"] = QiniValue(0.0, definition, "per_unit", trial.n).formula
    return table


def uplift_by_bin(y: npt.ArrayLike, treated: npt.ArrayLike, score: npt.ArrayLike, bins: int = 10) -> pd.DataFrame:
    """Return predicted against realised uplift in groups of equal size, from the highest score down.

    A score can rank well and still be wrong about how much: this table shows it, and its standard errors show
    how much of the gap is noise.

    Parameters
    ----------
    y, treated
        As in :func:`uplift_curve`.
    score : array_like, shape (n,)
        Predicted uplift, in units of y.
    bins : int
        Groups wanted; equal scores stay together, so there can be fewer.

    Returns
    -------
    pandas.DataFrame
        Index ``bin`` (1 is the highest): ``n``, ``predicted`` (mean score), ``realised`` (treated mean less
        control mean), ``se`` (unequal variances; missing where an arm has fewer than two rows), ``n_treated``,
        ``n_control``, ``events_treated``, ``events_control`` (sums of y).

    Raises
    ------
    ContractError
        As :func:`qini`; bins below 1.

    Examples
    --------
    >>> table = uplift_by_bin([1, 0, 1, 0, 1, 0, 0, 1], [1, 1, 0, 0] * 2, [0.5] * 4 + [0.1] * 4, bins=2)
    >>> table[["n", "predicted", "realised", "n_treated", "events_treated"]]
         n  predicted  realised  n_treated  events_treated
    bin
    1    4        0.5       0.0          2             1.0
    2    4        0.1       0.0          2             1.0
    """
    trial = as_trial(y, treated)
    ranking = as_score(score, trial)
    if bins < 1:
        refuse("bins", "1 or more", repr(bins), "take 10")
    edges = np.unique(np.quantile(ranking, np.arange(1, bins) / bins, method="lower"))
    rising = np.searchsorted(edges, ranking, side="left")
    _, group = np.unique(-rising, return_inverse=True)
    groups = int(group.max()) + 1

    def totals(values: npt.ArrayLike) -> FloatArray:
        return np.bincount(group, np.asarray(values, dtype=float), groups).astype(float)

    treated_mean, treated_variance, n_t, y_t = _moments(totals, trial.treated, trial.y)
    control_mean, control_variance, n_c, y_c = _moments(totals, ~trial.treated, trial.y)
    n = np.bincount(group)
    columns = {"n": n, "predicted": totals(ranking) / n, "realised": treated_mean - control_mean}
    columns |= {"se": np.sqrt(treated_variance + control_variance)}
    columns |= {
        "n_treated": n_t.astype(int),
        "n_control": n_c.astype(int),
        "events_treated": y_t,
        "events_control": y_c,
    }
    return pd.DataFrame(columns, index=pd.RangeIndex(1, groups + 1, name="bin"))


def _names(scores: Mapping[str, npt.ArrayLike]) -> list[str]:
    if not isinstance(scores, Mapping) or not scores:
        got = "none" if isinstance(scores, Mapping) else type(scores).__name__
        refuse("scores", "a mapping of name to score with at least one", got, 'pass {"name": score}')
    return list(scores)


def _weights(trial: Trial, cluster: IntArray | None, draws: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """How often each row is drawn, one draw at a time; draws that lose an arm are drawn again."""
    units = trial.n if cluster is None else int(cluster.max()) + 1
    made = 0
    while made < draws:
        counts = np.bincount(rng.integers(0, units, units), minlength=units).astype(float)
        weights = counts if cluster is None else counts[cluster]
        if weights @ trial.treated > 0 and weights @ ~trial.treated > 0:
            made += 1
            yield weights


def _with_intervals(areas: FloatArray, names: list[str], against: int, tails: float) -> pd.DataFrame:
    """Turn areas of shape (1 + draws, scores), the first row on the trial itself, into the table."""
    differences = areas - areas[:, [against]]
    low, high = np.quantile(areas[1:], [tails, 1 - tails], axis=0)
    gap_low, gap_high = np.quantile(differences[1:], [tails, 1 - tails], axis=0)
    columns = {"qini": areas[0], "low": low, "high": high, "difference": differences[0]}
    columns |= {"difference_low": gap_low, "difference_high": gap_high}
    return pd.DataFrame(columns, index=pd.Index(names, name="score"))


def _moments(
    totals: Callable[[npt.ArrayLike], FloatArray], arm: BoolArray, y: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Per group: the arm's mean of y, the variance of that mean, its rows and its sum of y."""
    count, total = totals(arm), totals(arm * y)
    missing = np.full(len(count), np.nan)
    mean = np.divide(total, count, out=missing.copy(), where=count > 0)
    spread = np.maximum(totals(arm * y**2) - count * np.nan_to_num(mean) ** 2, 0)
    variance = np.divide(spread, (count - 1) * count, out=missing, where=count > 1)
    return mean, variance, count, total
