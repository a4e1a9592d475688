"""A score's order, kept, so that the curve of any reweighting of the rows costs no further sort."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casebook.contracts import FloatArray
from casebook.uplift._trial import IntArray, Trial


@dataclass(frozen=True)
class Ranked:
    """Rows from the highest score down.

    Attributes
    ----------
    order : numpy.ndarray of int, shape (n,)
        Row numbers by falling score.
    last : numpy.ndarray of int, shape (b,)
        Where in that order each block of equal scores ends: a cut within a block would depend on row order.
    columns : numpy.ndarray, shape (5, n)
        In that order: treated, control, y of the treated, y of the controls, and each row's unbiased estimate
        of its effect, y/p if treated and -y/(1-p) if not.
    """

    order: IntArray
    last: IntArray
    columns: FloatArray

    def cumulated(self, weights: FloatArray | None = None) -> FloatArray:
        """Sums of the columns from the top to each block's end, shape (5, b + 1), the first of them zero."""
        columns = self.columns if weights is None else self.columns * weights[self.order]
        sums = np.zeros((len(columns), len(self.last) + 1))
        sums[:, 1:] = np.cumsum(columns, axis=1)[:, self.last]
        return sums


def rank(trial: Trial, score: FloatArray) -> Ranked:
    """Sort a trial by a score, once."""
    order = np.argsort(-score, kind="stable")
    falling = score[order]
    last = np.append(np.flatnonzero(falling[1:] != falling[:-1]), len(score) - 1)
    treated = trial.treated.astype(float)
    effect = trial.y * (treated - trial.propensity) / (trial.propensity * (1 - np.asarray(trial.propensity)))
    columns = np.stack([treated, 1 - treated, treated * trial.y, (1 - treated) * trial.y, effect])
    return Ranked(order, last, columns[:, order])


def gains(definition: str, sums: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the share targeted and the gain per unit of the whole population at every cut.

    Where an arm has nobody above the cut, its rate counts as 0.
    """
    n_t, n_c, y_t, y_c, effect = sums
    reached = n_t + n_c
    n = reached[-1]
    if definition == "ips":
        return reached / n, effect / n
    rate_c = _rate(y_c, n_c)
    if definition == "qini":
        return reached / n, (y_t - rate_c * n_t) / n
    return reached / n, (_rate(y_t, n_t) - rate_c) * reached / n


def area_over_random(share: FloatArray, gain: FloatArray) -> float:
    """Trapezoid area between a curve from (0, 0) to (1, end) and the straight line to its end."""
    heights = gain[1:] + gain[:-1]
    return float(np.diff(share) @ heights / 2 - gain[-1] / 2)


def _rate(total: FloatArray, count: FloatArray) -> FloatArray:
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)
