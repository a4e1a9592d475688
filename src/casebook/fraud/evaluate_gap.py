"""Whether one score is better than another on the same events, with an interval over cards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from casebook.contracts import BoolArray, FloatArray, refuse
from casebook.fraud.evaluate import average_precision, labels_and_scores

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Gap:
    """A difference of two average precisions.

    Attributes
    ----------
    gap : that of the first score less that of the second.
    low, high : 95% interval over cards.
    """

    gap: float
    low: float
    high: float


def precision_gap(
    y: npt.ArrayLike,
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    card: npt.ArrayLike,
    rng: np.random.Generator,
    rounds: int = 300,
) -> Gap:
    """Return how much higher the first score's average precision is, by drawing whole cards anew.

    Frauds of one card come together, so events are no independent draws and cards are drawn instead. Both scores meet
    the same draws. The models stay as they were fitted: what another week of training would have changed is not in it.

    Parameters
    ----------
    y : array_like, shape (n,)
        1 for fraud, both classes present.
    first, second : array_like, shape (n,)
        Scores of the same events.
    card : array_like of int, shape (n,)
        The card of each event.
    rng : numpy.random.Generator
    rounds : int
        Draws, 20 or more.

    Returns
    -------
    Gap

    Raises
    ------
    ContractError
        As :func:`casebook.fraud.evaluate.average_precision`; rounds below 20.

    References
    ----------
    Efron and Tibshirani (1993), An Introduction to the Bootstrap, chapter 13 (percentile interval).

    Examples
    --------
    >>> y, score, card = [0, 1, 0, 1], [0.1, 0.9, 0.8, 0.7], [1, 2, 3, 4]
    >>> precision_gap(y, score, score, card, np.random.default_rng(0))
    Gap(gap=0.0, low=0.0, high=0.0)
    """
    if rounds < 20:
        refuse("rounds", "20 or more", repr(rounds), "draw a few hundred times")
    labels, one = labels_and_scores(y, first)
    _, other = labels_and_scores(y, second)
    _, number = np.unique(np.asarray(card), return_inverse=True)
    if number.shape != labels.shape:
        refuse("card", f"{len(labels)} rows long, as y is", f"shape {number.shape}", "take both from one table")
    gap = average_precision(labels, one) - average_precision(labels, other)
    areas = [_counted(labels, score, number) for score in (one, other)]
    drawn = _drawn_gaps(areas[0], areas[1], int(number.max()) + 1, rng, rounds)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return Gap(gap, float(low), float(high))


def _counted(labels: BoolArray, score: FloatArray, number: IntArray) -> Callable[[IntArray], float]:
    """Average precision as a function of how often each card was drawn: sorted once, one running sum a draw."""
    order = np.argsort(-score, kind="stable")
    frauds, cards = np.flatnonzero(labels[order]), number[order]
    behind = np.searchsorted(-score[order], -score[order][frauds], side="right") - 1  # the last of each fraud's ties
    found = np.searchsorted(frauds, behind, side="right") - 1  # and the last fraud among them

    def area(drawn: IntArray) -> float:
        times = drawn[cards]
        of_frauds = times[frauds]
        stopped = np.cumsum(times)[behind]
        precision = np.cumsum(of_frauds)[found] / np.maximum(stopped, 1)
        return float(np.average(precision, weights=of_frauds)) if of_frauds.any() else np.nan

    return area


def _drawn_gaps(
    first: Callable[[IntArray], float],
    second: Callable[[IntArray], float],
    cards: int,
    rng: np.random.Generator,
    rounds: int,
) -> list[float]:
    chances, gaps = np.full(cards, 1 / cards), list[float]()
    while len(gaps) < rounds:
        drawn = rng.multinomial(cards, chances)
        gap = first(drawn) - second(drawn)
        if not np.isnan(gap):  # where few cards have fraud, a draw may hold none: no precision then
            gaps.append(gap)
    return gaps
