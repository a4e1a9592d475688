"""When a sequence of z-statistics first leaves its bounds: the recursion of Armitage, McPherson and Rowe (1969)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import ceil, sqrt

import numpy as np
from scipy.special import ndtr, roots_legendre

from casebook.contracts import FloatArray

# A normal variable farther than this from its mean has probability 1e-17.
_REACH = 8.5
# Nodes for a smooth density, and per standard deviation of the narrowest step on top.
_NODES, _PER_STEP = 40, 2.0


@dataclass(frozen=True)
class Going:
    """Those that have not left yet: probability ``mass`` at the z-statistics ``z``, both of shape (nodes,)."""

    time: float
    z: FloatArray
    mass: FloatArray


def everyone() -> Going:
    """Return the state before the first look."""
    return Going(0.0, np.zeros(1), np.ones(1))


def leaving(going: Going, time: float, low: float, high: float, drift: float = 0.0) -> tuple[float, float]:
    """Return the probability of being below ``low`` and above ``high`` at a look, having left at none before.

    Time is information, drift the expected z-statistic at time 1: z is normal with mean drift sqrt(time) and
    variance 1, and two looks correlate with the root of their times' ratio.
    """
    centre, spread = _onward(going, time, drift)
    below, above = ndtr((low - centre) / spread), ndtr((centre - high) / spread)
    return float(going.mass @ below), float(going.mass @ above)


def staying(going: Going, time: float, low: float, high: float, upcoming: float, drift: float = 0.0) -> Going:
    """Return the state after a look; ``upcoming``, the next look's time, sets how fine the nodes must be."""
    centre, spread = _onward(going, time, drift)
    mean = drift * sqrt(time)
    left, right = np.clip([mean - _REACH, mean + _REACH], low, high)
    step = sqrt(1 - time / upcoming) if upcoming > time else 1.0
    node, weight = _quadrature(_NODES + ceil(_PER_STEP * (right - left) / step))
    z = left + (right - left) * (node + 1) / 2
    density = np.exp(-(((z[:, None] - centre) / spread) ** 2) / 2) @ going.mass / (spread * sqrt(2 * np.pi))
    return Going(time, z, density * weight * (right - left) / 2)


def first_crossings(times: FloatArray, low: FloatArray, high: FloatArray, drift: float = 0.0) -> FloatArray:
    """Return the probabilities of leaving first at each look, shape (looks, 2): below, above."""
    going, left = everyone(), []
    bounds = list(zip(times.tolist(), low.tolist(), high.tolist(), [*times[1:].tolist(), 0.0], strict=True))
    for time, under, over, upcoming in bounds:
        left.append(leaving(going, time, under, over, drift))
        going = staying(going, time, under, over, upcoming, drift)
    return np.array(left)


def _onward(going: Going, time: float, drift: float) -> tuple[FloatArray, float]:
    """Mean and standard deviation of z at ``time``, given each z so far."""
    root = sqrt(going.time / time)
    centre = drift * sqrt(time) + root * (going.z - drift * sqrt(going.time))
    return centre, sqrt(1 - going.time / time)


@lru_cache(maxsize=256)
def _quadrature(nodes: int) -> tuple[FloatArray, FloatArray]:
    return roots_legendre(nodes)
