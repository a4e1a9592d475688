"""What targeting by a score gains, for every share of the population: three definitions, each with its formula."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse
from casebook.uplift._ranked import area_over_random, gains, rank
from casebook.uplift._trial import Trial, as_score, as_trial, one_of, require_binary

DEFINITIONS: Mapping[str, str] = {
    "qini": "V(k) = [Y_t(k) - Y_c(k) n_t(k) / n_c(k)] / n",
    "gain": "V(k) = [Y_t(k) / n_t(k) - Y_c(k) / n_c(k)] k / n",
    "ips": "V(k) = (1/n) sum over the top k of [w y / p - (1 - w) y / (1 - p)]",
}
"""Name and formula of each curve."""

NORMALISATIONS: Mapping[str, str] = {
    "none": "n * area between V and its random line",
    "per_unit": "area between V and its random line",
    "perfect": "area between V and its random line / the same area of the perfect score",
}
"""Name and formula of each way to turn a curve into one number."""


@dataclass(frozen=True)
class QiniValue:
    """An area over random targeting that carries the formula it was computed by.

    Attributes
    ----------
    value : float
    definition : str
        A key of ``DEFINITIONS``.
    normalise : str
        A key of ``NORMALISATIONS``.
    n : int
        Rows.

    Examples
    --------
    >>> print(QiniValue(0.0125, "qini", "per_unit", 400))
    0.0125 = area between V and its random line, V(k) = [Y_t(k) - Y_c(k) n_t(k) / n_c(k)] / n, n = 400
    """

    value: float
    definition: str
    normalise: str
    n: int

    @property
    def formula(self) -> str:
        """What was computed, in symbols."""
        return f"{NORMALISATIONS[self.normalise]}, {DEFINITIONS[self.definition]}"

    def __float__(self) -> float:
        return self.value

    def __str__(self) -> str:
        return f"{self.value:.4g} = {self.formula}, n = {self.n:,}"


def uplift_curve(
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    definition: str = "qini",
    propensity: npt.ArrayLike = 0.5,
) -> pd.DataFrame:
    """Return the gain per unit of the whole population for every share that a score can target.

    With k the number targeted from the top, n_t(k) treated and n_c(k) controls among them, and Y_t(k), Y_c(k)
    their outcomes summed, the three definitions are::

        qini  V(k) = [Y_t(k) - Y_c(k) n_t(k) / n_c(k)] / n
        gain  V(k) = [Y_t(k) / n_t(k) - Y_c(k) / n_c(k)] k / n
        ips   V(k) = (1/n) sum over the top k of [w y / p - (1 - w) y / (1 - p)]

    ``qini`` (Radcliffe 2007) counts the outcomes that the trial's own treated gained, so with half of the rows
    treated it ends at half of the average effect; ``gain`` (Gutierrez and Gerardy 2017) is what treating all of
    the top k would gain and ends at the average effect; ``ips`` estimates the same as ``gain``, is unbiased at
    every fixed cut with the known propensity p, and is noisier where y is far from 0. An arm with nobody above
    the cut counts with rate 0.

    Parameters
    ----------
    y : array_like, shape (n,)
        Outcome, 0/1 or a number, larger is better for you.
    treated : array_like, shape (n,)
        1 where the row was treated, by a coin.
    score : array_like, shape (n,)
        Higher is treated first. Equal scores form one straight segment, so row order cannot matter.
    definition : {"qini", "gain", "ips"}
    propensity : float or array_like, shape (n,)
        Known probability of treatment. Only ``ips`` can follow one that differs by row.

    Returns
    -------
    pandas.DataFrame
        From nobody to everybody, a row per distinct score: ``share`` targeted, ``score`` of the last one
        targeted, ``gain``, ``random`` (the straight line), ``n_treated``, ``n_control``.

    Raises
    ------
    ContractError
        As :func:`qini`.

    References
    ----------
    Radcliffe (2007), Using control groups to target on predicted lift, Direct Marketing Analytics Journal.
    Gutierrez and Gerardy (2017), Causal inference and uplift modelling, PMLR 67.

    Examples
    --------
    >>> curve = uplift_curve([1, 0, 0, 1], [1, 0, 1, 0], [0.9, 0.9, 0.1, 0.1])
    >>> curve[["share", "gain", "random", "n_treated", "n_control"]]
       share  gain  random  n_treated  n_control
    0    0.0  0.00     0.0          0          0
    1    0.5  0.25     0.0          1          1
    2    1.0  0.00     0.0          2          2
    """
    trial, ranking = checked(y, treated, score, definition, propensity)
    ranked = rank(trial, ranking)
    sums = ranked.cumulated()
    share, gain = gains(definition, sums)
    cuts = np.append(np.inf, ranking[ranked.order][ranked.last])
    counts = {"n_treated": sums[0].astype(int), "n_control": sums[1].astype(int)}
    return pd.DataFrame({"share": share, "score": cuts, "gain": gain, "random": share * gain[-1], **counts})


def qini(
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    definition: str = "qini",
    normalise: str = "per_unit",
    propensity: npt.ArrayLike = 0.5,
) -> QiniValue:
    """Return the area between an uplift curve and the straight line of random targeting, with its formula.

    Values published for the same data differ 25-fold, and no model is to blame: some count outcomes of the
    treated (``qini``) and some of everyone targeted (``gain``: twice as many where half are treated), some
    leave the sum in outcomes (``none``), some divide by n (``per_unit``), some by a curve that no model can
    reach (``perfect``). So the value carries its formula: print it, do not quote the bare number.

    Parameters
    ----------
    y, treated, score, definition, propensity
        As in :func:`uplift_curve`.
    normalise : {"none", "per_unit", "perfect"}
        ``none`` is in units of y for all n rows; ``per_unit`` in units of y per row; ``perfect`` is a share of
        the area of the score that ranks treated with y = 1 first and controls with y = 1 last, and is defined
        for a 0/1 outcome and the ``qini`` curve only. That score is scikit-uplift's; in a handful of rows
        another can have a larger area, so 1 is no bound there.

    Returns
    -------
    QiniValue
        0 for random targeting on average, negative for a score that is worse.

    Raises
    ------
    ContractError
        y or score missing or infinite; treated not 0/1, or one arm only; lengths that differ; a propensity
        not strictly between 0 and 1, or one that differs by row under ``qini`` or ``gain``; an unknown
        definition or normalisation; ``perfect`` for another curve, for y that is not 0/1, or for y all 0.

    Examples
    --------
    >>> y, treated, score = [1, 0, 0, 1], [1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1]
    >>> print(qini(y, treated, score))
    0.1875 = area between V and its random line, V(k) = [Y_t(k) - Y_c(k) n_t(k) / n_c(k)] / n, n = 4
    >>> qini(y, treated, score, normalise="perfect").value
    1.0
    """
    one_of(normalise, list(NORMALISATIONS), "normalise")
    trial, ranking = checked(y, treated, score, definition, propensity)
    area = _area(trial, ranking, definition)
    if normalise == "none":
        area *= trial.n
    if normalise == "perfect":
        area /= _perfect_area(trial, definition)
    return QiniValue(area, definition, normalise, trial.n)


def auuc(
    y: npt.ArrayLike,
    treated: npt.ArrayLike,
    score: npt.ArrayLike,
    *,
    definition: str = "gain",
    propensity: npt.ArrayLike = 0.5,
) -> QiniValue:
    """Return the area between the curve of cumulative uplift and random targeting, per unit of the population.

    The same as :func:`qini` with ``definition="gain"`` and ``normalise="per_unit"``. Libraries that call the
    whole area below the curve AUUC add half of the average effect, so that a useless score looks useful
    wherever the treatment works.

    Parameters
    ----------
    y, treated, score, definition, propensity
        As in :func:`uplift_curve`.

    Returns
    -------
    QiniValue

    Raises
    ------
    ContractError
        As :func:`qini`.

    Examples
    --------
    >>> auuc([1, 0, 0, 1], [1, 0, 1, 0], [0.9, 0.8, 0.2, 0.1]).value
    0.28125
    """
    return qini(y, treated, score, definition=definition, propensity=propensity)


def checked(
    y: npt.ArrayLike, treated: npt.ArrayLike, score: npt.ArrayLike, definition: str, propensity: npt.ArrayLike
) -> tuple[Trial, FloatArray]:
    """Return a clean trial and score for one of the definitions."""
    trial = as_trial(y, treated, propensity)
    require_definition(definition, trial)
    return trial, as_score(score, trial)


def require_definition(definition: str, trial: Trial) -> None:
    """Refuse an unknown curve, and one that cannot follow a propensity that differs by row."""
    one_of(definition, list(DEFINITIONS), "definition")
    if definition != "ips" and np.ptp(np.atleast_1d(trial.propensity)) > 0:
        got = f"{definition!r} with a propensity that differs by row"
        refuse("definition", "'ips' where the propensity differs by row", got, "pass definition='ips'")


def _area(trial: Trial, score: FloatArray, definition: str) -> float:
    return area_over_random(*gains(definition, rank(trial, score).cumulated()))


def _perfect_area(trial: Trial, definition: str) -> float:
    if definition != "qini":
        refuse("normalise", f"'none' or 'per_unit' for {definition!r}", "'perfect'", "pass definition='qini'")
    require_binary(trial, "normalise='perfect'")
    if not trial.y.any():
        refuse("y", "1 somewhere for normalise='perfect'", "only 0", "pass normalise='per_unit'")
    return _area(trial, np.where(trial.treated, trial.y, -trial.y), definition)
