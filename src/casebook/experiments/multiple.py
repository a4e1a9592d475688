"""Several metrics at once: corrected p-values, and what the correction costs."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.stats import norm

from casebook._columns import kind_of
from casebook.contracts import FloatArray, as_probabilities, refuse
from casebook.experiments._inputs import one_number, open_share, power_normal, upper_normal
from casebook.experiments.effect import Effect

Method = Literal["none", "bonferroni", "holm", "benjamini_hochberg"]

METHODS: tuple[Method, ...] = ("none", "bonferroni", "holm", "benjamini_hochberg")


def adjust_p(p: npt.ArrayLike, method: Method = "holm") -> FloatArray:
    """Return p-values corrected for being many: compare them with alpha as if each were alone.

    Bonferroni and Holm keep the chance of any false alarm at alpha, however the metrics hang together; Holm never
    rejects less. Benjamini and Hochberg keep the expected share of false ones among the alarms at alpha, for
    independent or positively dependent metrics.

    Parameters
    ----------
    p : array_like, shape (m,)
        One p-value per metric.
    method : {"none", "bonferroni", "holm", "benjamini_hochberg"}

    Returns
    -------
    numpy.ndarray of float, shape (m,)
        In the order of ``p``.

    Raises
    ------
    ContractError
        No p-values, one outside [0, 1], an unknown method.

    References
    ----------
    Dunn (1961), JASA 56; Holm (1979), Scandinavian Journal of Statistics 6; Benjamini and Hochberg (1995), JRSS B 57.

    Examples
    --------
    >>> p = [0.01, 0.04, 0.03]
    >>> adjust_p(p, "bonferroni"), adjust_p(p, "holm"), adjust_p(p, "benjamini_hochberg")
    (array([0.03, 0.12, 0.09]), array([0.03, 0.06, 0.06]), array([0.03, 0.04, 0.04]))
    """
    if method not in METHODS:
        refuse("method", "one of " + ", ".join(map(repr, METHODS)), repr(method), "take 'holm' for a decision")
    return adjust_rows(as_probabilities(p), method)


def adjust_rows(p: FloatArray, method: Method) -> FloatArray:
    """Return the corrected p-values of each family, shape (..., m), families along the last axis."""
    m = p.shape[-1]
    if method == "none":
        return p
    if method == "bonferroni":
        return np.minimum(m * p, 1.0)
    order = np.argsort(p, axis=-1)
    ranked = np.take_along_axis(p, order, axis=-1)
    if method == "holm":
        ranked = np.maximum.accumulate(ranked * np.arange(m, 0, -1), axis=-1)
    else:
        ranked = ranked * m / np.arange(1, m + 1)
        ranked = np.minimum.accumulate(ranked[..., ::-1], axis=-1)[..., ::-1]
    adjusted = np.empty_like(p)
    np.put_along_axis(adjusted, order, np.minimum(ranked, 1.0), axis=-1)
    return adjusted


def metrics_table(metrics: Mapping[str, float | Effect], alpha: float = 0.05) -> pd.DataFrame:
    """Return one row per metric with its p-value under each correction and which of them reject.

    Parameters
    ----------
    metrics : mapping of str to float or Effect
        The p-value of each metric, or its effect.
    alpha : float
        Level of each rule.

    Returns
    -------
    pandas.DataFrame
        Smallest p first: ``estimate``, ``low``, ``high`` (only if all are effects, their intervals uncorrected), then
        ``p``, ``bonferroni``, ``holm``, ``benjamini_hochberg`` (corrected p-values), ``rejected_by`` (names,
        strictest first).

    Raises
    ------
    ContractError
        No metrics, a p-value outside [0, 1], an alpha that is none.

    Examples
    --------
    >>> table = metrics_table({"sessions": 0.012, "likes": 0.2, "hides": 0.04, "shares": 0.013})
    >>> table[["p", "holm", "rejected_by"]].round(3)
                  p   holm                           rejected_by
    sessions  0.012  0.048  bonferroni, holm, benjamini_hochberg
    shares    0.013  0.048              holm, benjamini_hochberg
    hides     0.040  0.080                      uncorrected only
    likes     0.200  0.200                                     -
    """
    if not isinstance(metrics, Mapping) or not metrics:
        got = "an empty one" if isinstance(metrics, Mapping) else kind_of(metrics)
        refuse("metrics", "a mapping from metric to p-value or Effect", got, "pass {'clicks': 0.03}")
    limit, effects = open_share(alpha, "alpha"), list(metrics.values())
    p = [value.p if isinstance(value, Effect) else value for value in effects]
    table = pd.DataFrame({"p": as_probabilities(p)}, index=list(metrics))
    for method in METHODS[1:]:
        table[method] = adjust_p(p, method)
    table["rejected_by"] = [_rejecting(row, limit) for row in table.to_dict("records")]
    if all(isinstance(value, Effect) for value in effects):
        for place, name in enumerate(("estimate", "low", "high")):
            table.insert(place, name, [getattr(value, name) for value in effects])
    return table.sort_values("p", kind="stable")


def correction_cost(metrics: int, *, power: float = 0.8, alpha: float = 0.05, sides: int = 2) -> dict[str, float]:
    """Return what Bonferroni's correction costs a metric that was planned as if it were alone.

    Parameters
    ----------
    metrics : int
        How many are tested.
    power : float
        Planned for one metric at alpha, from 0.5 to below 1.
    alpha, sides
        As in :func:`casebook.experiments.sample_size`.

    Returns
    -------
    dict of str to float
        ``false_alarm`` (of any metric, uncorrected, if they are independent and nothing changed), ``corrected_alpha``,
        ``power_left`` on the same units, ``size_factor`` (units needed to have the planned power back, as a multiple).

    Raises
    ------
    ContractError
        Metrics that are no whole number, a power, alpha or number of sides that is none.

    References
    ----------
    Dunn (1961), Multiple comparisons among means, JASA 56.

    Examples
    --------
    >>> {name: round(value, 4) for name, value in correction_cost(20).items()}
    {'false_alarm': 0.6415, 'corrected_alpha': 0.0025, 'power_left': 0.4123, 'size_factor': 1.9032}
    """
    m = _whole(metrics, "metrics")
    alone, corrected, reach = upper_normal(alpha, sides), upper_normal(alpha / m, sides), power_normal(power)
    return {
        "false_alarm": 1 - (1 - alpha) ** m,
        "corrected_alpha": alpha / m,
        "power_left": float(norm.cdf(alone + reach - corrected)),
        "size_factor": ((corrected + reach) / (alone + reach)) ** 2,
    }


def correction_rates(
    metrics: int,
    moved: int,
    rng: np.random.Generator,
    *,
    power: float = 0.8,
    alpha: float = 0.05,
    correlation: float = 0.0,
    draws: int = 20_000,
) -> pd.DataFrame:
    """Return how often each correction errs, by simulating tests of many metrics of which some moved.

    Parameters
    ----------
    metrics, moved : int
        How many are tested, and how many of them the treatment moves (0 to ``metrics``).
    rng : numpy.random.Generator
    power : float
        Of each moved metric alone at alpha, two-sided, from 0.5 to below 1.
    alpha : float
        Level of each rule.
    correlation : float
        Between any two metrics' estimates, in [0, 1).
    draws : int
        Simulated tests.

    Returns
    -------
    pandas.DataFrame
        One row per method: ``any_false`` (chance of one false alarm or more), ``false_share`` (expected share of false
        ones among the alarms, 0 where there is none), ``found`` (share of the moved metrics that are found; missing
        if none moved).

    Raises
    ------
    ContractError
        Counts that are none, more moved than tested, a power, alpha or correlation that is none.

    Examples
    --------
    >>> correction_rates(20, 5, np.random.default_rng(0)).round(2)
                        any_false  false_share  found
    none                     0.54         0.14   0.80
    bonferroni               0.04         0.01   0.41
    holm                     0.04         0.02   0.42
    benjamini_hochberg       0.14         0.04   0.56
    """
    m, count = _whole(metrics, "metrics"), _whole(draws, "draws")
    real = 0 if moved == 0 else _whole(moved, "moved")
    if real > m:
        refuse("moved", f"at most the {m} metrics", str(real), "count them among the metrics")
    shared = one_number(correlation, "correlation")
    if not 0 <= shared < 1:
        refuse("correlation", "in [0, 1)", f"{shared:g}", "pass that of two metrics' estimates")
    shift = upper_normal(alpha, 2) + power_normal(power)
    noise = np.sqrt(1 - shared) * rng.standard_normal((count, m))
    noise += np.sqrt(shared) * rng.standard_normal((count, 1))
    noise[:, :real] += shift
    p = 2 * norm.sf(np.abs(noise))
    return pd.DataFrame({method: _rates(adjust_rows(p, method) < alpha, real) for method in METHODS}).T


def _rates(alarm: npt.NDArray[np.bool_], real: int) -> dict[str, float]:
    false = alarm[:, real:].sum(axis=1)
    return {
        "any_false": float((false > 0).mean()),
        "false_share": float((false / np.maximum(alarm.sum(axis=1), 1)).mean()),
        "found": float(alarm[:, :real].mean()) if real else float("nan"),
    }


def _rejecting(row: Mapping[Hashable, float], alpha: float) -> str:
    strict = [method for method in METHODS[1:] if row[method] < alpha]
    return ", ".join(strict) or ("uncorrected only" if row["p"] < alpha else "-")


def _whole(value: object, what: str) -> int:
    number = one_number(value, what)
    if number < 1 or number % 1:
        refuse(what, "a whole number, 1 or more", f"{number:g}", "count them")
    return int(number)
