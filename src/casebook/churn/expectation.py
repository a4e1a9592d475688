"""What would happen on average: chances of staying along the hazards, with every coin flip integrated out."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from casebook.churn.evaluate import Dollars
from casebook.churn.latent import Flags, Floats, Months
from casebook.churn.play import called_hazard
from casebook.churn.simulate import Truth
from casebook.churn.world import World
from casebook.contracts import as_amounts, as_labels, refuse


def stays(world: World, months: Months, carry: Floats, horizon: int) -> Dollars:
    """Return the chance of having paid the bill of each month, shape (n, horizon).

    Parameters
    ----------
    world : World
    months : Months
        Hazards of at least ``horizon`` months.
    carry : numpy.ndarray of float, shape (n,)
        Share that calls take off the first month's hazard; it fades by ``World.persistence`` a month.
    horizon : int
        Months.

    Examples
    --------
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> day = draw_snapshot(World(), 1_000, np.random.default_rng(0))
    >>> alone = stays(World(), day.truth.months, day.truth.carry, 12)
    >>> bool(np.allclose(1 - alone[:, 0], day.worth.p))
    True
    """
    faded = carry[:, None] * np.float32(world.persistence) ** np.arange(horizon, dtype=np.float32)
    hazard = called_hazard(months.p[:, :horizon], faded)
    survival: Dollars = np.cumprod((1.0 - hazard) * (1.0 - months.failed[:, :horizon]), axis=1, dtype=np.float64)
    return survival


def saved_by(world: World, truth: Truth, kept: Floats, horizon: int) -> Dollars:
    """Return what one call today adds to the chance of being there after each month, shape (n, horizon).

    Parameters
    ----------
    world : World
    truth : Truth
    kept : numpy.ndarray of float, shape (n,)
        Share of the hazard that the call takes off if it reaches the subscriber.
    horizon : int
        Months.
    """
    called = np.asarray(truth.carry + kept, dtype=np.float32)
    after, alone = (stays(world, truth.months, carry, horizon) for carry in (called, truth.carry))
    return world.reach * (after - alone)


def flags(values: npt.ArrayLike, truth: Truth, what: str) -> Flags:
    """Return one flag per subscriber of the truth, some of them set, or refuse.

    Examples
    --------
    >>> from casebook.churn.snapshot import draw_snapshot
    >>> day = draw_snapshot(World(), 1_000, np.random.default_rng(0))
    >>> flags(day.worth.p > 0.1, day.truth, "listed").shape == (len(day),)
    True
    """
    array = as_labels(values, what)
    if len(array) != len(truth.people):
        mend = "pass one flag per subscriber, such as call_top(score, calls)"
        refuse(what, f"{len(truth.people)} rows long, one a subscriber", f"{len(array)}", mend)
    if not array.any():
        refuse(what, "1 for somebody", "0 in every row", "put at least one subscriber on the list")
    return array


def scores(values: npt.ArrayLike, truth: Truth, what: str = "score") -> NDArray[np.float64]:
    """Return one finite score per subscriber of the truth, higher for whom to call first, or refuse."""
    array = np.atleast_1d(as_amounts(values, what))
    if len(array) != len(truth.people):
        mend = "score everybody in the truth, in its order"
        refuse(what, f"{len(truth.people)} rows long, one a subscriber", f"{len(array)}", mend)
    return array


def soft_auc(p: Dollars, score: Dollars) -> float:
    """Return the AUC that a score will show on average if each subscriber leaves with chance ``p``.

    A leaver with weight ``p`` and a stayer with weight ``1 - p`` from every row, ties counted half.

    Examples
    --------
    >>> soft_auc(np.array([0.0, 0.0, 1.0]), np.array([0.1, 0.2, 0.3]))
    1.0
    >>> soft_auc(np.array([0.5, 0.5]), np.array([0.1, 0.2]))
    0.5
    """
    _, place = np.unique(score, return_inverse=True)
    leaving, staying = np.bincount(place, weights=p), np.bincount(place, weights=1 - p)
    below = np.cumsum(staying) - staying / 2
    return float(leaving @ below / (leaving.sum() * staying.sum()))
