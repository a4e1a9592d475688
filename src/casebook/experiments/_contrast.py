"""The arithmetic of one difference of means: its standard error and degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from casebook.contracts import BoolArray, FloatArray
from casebook.experiments._inputs import IntArray

# Standard errors below this share of the outcome's range are rounding, not spread.
_ROUNDING = 1e-12


@dataclass(frozen=True)
class Contrast:
    """A difference of means; ``se`` is 0 where neither arm varies."""

    estimate: float
    se: float
    df: float


def contrast(y: FloatArray, arms: BoolArray, codes: IntArray | None) -> Contrast:
    """Return mean(y[arms]) - mean(y[~arms]) with its standard error, arrays of shape (n,).

    Without clusters: Neyman's variance and Welch's degrees of freedom. With them: the sandwich CR1 of the
    regression of y on the arms, with clusters - 1 degrees of freedom. Each arm has two units or clusters.
    """
    sides = y[arms], y[~arms]
    estimate = float(sides[0].mean() - sides[1].mean())
    variance, df = _welch(*sides) if codes is None else _sandwich(y, arms, codes)
    se = float(np.sqrt(variance))
    return Contrast(estimate, se if se > _ROUNDING * np.ptp(y) else 0.0, df)


def _welch(treated: FloatArray, control: FloatArray) -> tuple[float, float]:
    parts = [side.var(ddof=1) / len(side) for side in (treated, control)]
    variance = float(sum(parts))
    if variance == 0:
        return 0.0, len(treated) + len(control) - 2.0
    shares = [part / variance for part in parts]
    return variance, 1.0 / float(shares[0] ** 2 / (len(treated) - 1) + shares[1] ** 2 / (len(control) - 1))


def _sandwich(y: FloatArray, arms: BoolArray, codes: IntArray) -> tuple[float, float]:
    n, count = len(y), len(np.unique(codes))
    size = np.where(arms, arms.sum(), (~arms).sum())
    residual = y - np.where(arms, y[arms].mean(), y[~arms].mean())
    meat = float((np.bincount(codes, weights=residual / size) ** 2).sum())
    return meat * count / (count - 1) * (n - 1) / (n - 2), count - 1.0
