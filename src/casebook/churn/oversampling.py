"""Oversampling that remembers whom each row was made from, so that a leak between two parts can be counted."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import StandardScaler

from casebook.contracts import refuse

_NEIGHBOURS = 5


@dataclass(frozen=True, eq=False)
class Sample:
    """Rows, real or made.

    Attributes
    ----------
    X : numpy.ndarray of float, shape (n, m)
    y : numpy.ndarray of int, shape (n,)
        1 in the minority.
    parents : numpy.ndarray of int, shape (n, 2)
        The customers that a row was made from; twice the same for a real row or a copy.
    """

    X: NDArray[np.float64]
    y: NDArray[np.int64]
    parents: NDArray[np.int64]

    def take(self, rows: NDArray[np.int64]) -> Sample:
        """Return some of the rows."""
        return Sample(self.X[rows], self.y[rows], self.parents[rows])


def originals(X: NDArray[np.float64], y: NDArray[np.int64]) -> Sample:
    """Return real rows, each its own parent.

    Examples
    --------
    >>> originals(np.zeros((2, 1)), np.array([0, 1])).parents.tolist()
    [[0, 0], [1, 1]]
    """
    return Sample(X, y, np.repeat(np.arange(len(y)), 2).reshape(-1, 2))


def oversample(sample: Sample, rng: np.random.Generator, smote: bool) -> Sample:
    """Add rows of the minority until it is half.

    Parameters
    ----------
    sample : Sample
        With fewer rows of y = 1 than of y = 0.
    rng : numpy.random.Generator
    smote : bool
        False adds copies of rows drawn at random. True adds points drawn at random on the line from such a row to
        one of its five nearest neighbours in the minority, nearness on standardised columns; words coded as 0 and
        1 get values between them.

    Returns
    -------
    Sample
        The rows given, then the new ones.

    Raises
    ------
    ContractError
        If y = 1 is not the smaller class, or has fewer than six rows.

    References
    ----------
    Chawla, Bowyer, Hall and Kegelmeyer (2002), SMOTE, JAIR 16.

    Examples
    --------
    >>> y = np.array([0] * 9 + [1] * 6)
    >>> more = oversample(originals(np.arange(15.0)[:, None], y), np.random.default_rng(0), smote=True)
    >>> int((more.y == 0).sum()), int((more.y == 1).sum()), bool(more.X[15:].min() >= 9)
    (9, 9, True)
    """
    few = np.flatnonzero(sample.y == 1)
    missing = int((sample.y == 0).sum()) - len(few)
    if missing < 0 or len(few) <= _NEIGHBOURS:
        got = f"{len(few)} of {len(sample.y)}"
        refuse("y", f"1 in at least {_NEIGHBOURS + 1} rows and in at most half", got, "pass the smaller class as 1")
    one = rng.choice(few, missing)
    other = one
    if smote:
        near = _neighbours(sample.X[few])
        other = few[near[np.searchsorted(few, one), rng.integers(0, _NEIGHBOURS, missing)]]
    made = sample.X[one] + rng.random((missing, 1)) * (sample.X[other] - sample.X[one])
    parents = np.stack([sample.parents[one, 0], sample.parents[other, 0]], axis=1)
    return Sample(
        np.vstack([sample.X, made]),
        np.append(sample.y, np.ones(missing, dtype=sample.y.dtype)),
        np.vstack([sample.parents, parents]),
    )


def shared(train: Sample, test: Sample) -> float:
    """Return the share of the test part's minority with a parent in common with the training part's.

    Parameters
    ----------
    train, test : Sample
        Parts of one sample.

    Returns
    -------
    float
        0 where no customer helped to make rows of both parts.

    Examples
    --------
    >>> whole = originals(np.zeros((4, 1)), np.array([1, 1, 1, 0]))
    >>> shared(whole.take(np.array([0, 1])), whole.take(np.array([1, 2])))
    0.5
    """
    used = train.parents[train.y == 1]
    return float(np.isin(test.parents[test.y == 1], used).any(axis=1).mean())


def _neighbours(X: NDArray[np.float64]) -> NDArray[np.int64]:
    """Row numbers of each row's nearest others, shape (n, 5)."""
    scaled = StandardScaler().fit_transform(X)
    # Without a query each row is left out of its own neighbours, even where rows are equal.
    nearest: NDArray[np.int64] = NearestNeighbors(n_neighbors=_NEIGHBOURS).fit(scaled).kneighbors(return_distance=False)
    return nearest
