"""What a rule for stopping costs: how often it stops, after how many units, and at most how many."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casebook.contracts import FloatArray, refuse
from casebook.experiments._crossing import first_crossings
from casebook.experiments._inputs import as_outcome, one_number
from casebook.experiments._looks import LEAST_GROWTH, as_critical, expected_time, limits, require_rising


@dataclass(frozen=True)
class Stopping:
    """How a test with several looks ends.

    Parameters
    ----------
    stop : float
        Probability of crossing a bound at any look: type I error under no effect, power under one.
    wrong : float
        Probability of crossing on the side away from the effect; half of ``stop`` where there is none.
    expected_n : float
        Mean units at the end.
    max_n : float
        Units at the last look.
    by_look : tuple of float
        Probability of crossing first at each look.
    """

    stop: float
    wrong: float
    expected_n: float
    max_n: float
    by_look: tuple[float, ...]


def expected_n(n: npt.ArrayLike, critical: npt.ArrayLike, effect: float) -> Stopping:
    """Return how a two-sided test ends that stops once abs(z) reaches a bound, by integration.

    Every rule has this form: a fixed test has one look, a group-sequential one ``design.units(...)`` and
    ``design.critical``, an always-valid interval ``always_valid_critical(n)``.

    Parameters
    ----------
    n : array_like, shape (looks,)
        Units at each look, each at least 0.1% above the one before.
    critical : array_like, shape (looks,)
        z-statistic that stops there.
    effect : float
        Expected z-statistic per root of a unit, effect / (se sqrt(n)): in two equal arms half the effect over
        the outcome's standard deviation. A fixed test of n units has power 0.8 at 2.8 / sqrt(n).

    Returns
    -------
    Stopping

    Raises
    ------
    ContractError
        Units that do not rise, bounds not above 0 or of another number, an effect that is no number.

    Examples
    --------
    >>> from casebook.experiments import always_valid_critical, group_sequential
    >>> effect, days = 2.8 / 10_000**0.5, np.arange(1, 15) * 10_000 / 14
    >>> design = group_sequential(5)
    >>> for n, critical in [
    ...     ([10_000], [1.96]),
    ...     (design.units(10_000), design.critical),
    ...     (days, always_valid_critical(days)),
    ... ]:
    ...     got = expected_n(n, critical, effect)
    ...     print(f"power {got.stop:.2f}, {got.expected_n:,.0f} of {got.max_n:,.0f} units")
    power 0.80, 10,000 of 10,000 units
    power 0.80, 8,179 of 10,285 units
    power 0.48, 8,132 of 10,000 units
    """
    units, bounds, mean = _read(n, critical, effect)
    drift = mean * float(np.sqrt(units[-1]))
    left = first_crossings(units / units[-1], *limits(bounds, 2), drift)
    return _summary(units, left, drift)


def simulate_looks(
    rng: np.random.Generator, n: npt.ArrayLike, critical: npt.ArrayLike, effect: float, *, runs: int = 10_000
) -> Stopping:
    """Return the same as :func:`expected_n` from drawn tests, for looks as near to each other as one likes.

    Parameters
    ----------
    rng : numpy.random.Generator
    n, critical, effect
        As in :func:`expected_n`, but n need only rise.
    runs : int
        Tests drawn; memory grows with runs times looks.

    Returns
    -------
    Stopping

    Raises
    ------
    ContractError
        As :func:`expected_n`, and for runs below 1.

    Examples
    --------
    >>> n = np.arange(100, 10_001, 100)
    >>> got = simulate_looks(np.random.default_rng(8), n, np.full(100, 1.96), effect=0, runs=2000)
    >>> 0.33 < got.stop < 0.42
    True
    """
    units, bounds, mean = _read(n, critical, effect, 0.0)
    if isinstance(runs, bool) or not isinstance(runs, int | np.integer) or runs < 1:
        refuse("runs", "a whole number of 1 or more", repr(runs), "draw some thousands")
    fresh = np.diff(units, prepend=0.0)
    total = np.cumsum(rng.normal(size=(runs, len(units))) * np.sqrt(fresh) + mean * fresh, axis=1)
    z = total / np.sqrt(units)
    crossed = np.abs(z) >= bounds
    first = np.where(crossed.any(axis=1), crossed.argmax(axis=1), len(units))
    above = z[np.arange(runs), np.minimum(first, len(units) - 1)] > 0
    counts = [np.bincount(first[side], minlength=len(units) + 1)[:-1] for side in (~above, above)]
    return _summary(units, np.column_stack(counts) / runs, mean)


def _read(
    n: npt.ArrayLike, critical: npt.ArrayLike, effect: float, least_growth: float = LEAST_GROWTH
) -> tuple[FloatArray, FloatArray, float]:
    units = as_outcome(n, "n", "name the units at each look")
    require_rising(units, "n", least_growth)
    return units, as_critical(critical, len(units)), one_number(effect, "effect")


def _summary(units: FloatArray, left: FloatArray, effect: float) -> Stopping:
    """Gather the probabilities of leaving below and above, shape (looks, 2)."""
    below, above = left.sum(axis=0).tolist()
    wrong = below if effect > 0 else above if effect < 0 else (below + above) / 2
    by_look = tuple(left.sum(axis=1).tolist())
    return Stopping(below + above, wrong, expected_time(units, left), float(units[-1]), by_look)
