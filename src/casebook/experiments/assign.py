"""Who is treated: once by a random draw, or for ever by a hash of the id."""

from __future__ import annotations

from collections.abc import Hashable
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook._columns import kind_of, raw_column
from casebook._schema_words import shown
from casebook.contracts import BoolArray, refuse, require_same_order
from casebook.experiments._inputs import IntArray, as_groups, open_share

_BUCKETS = 2**64
_ROUNDING = 1e-9


def assign(
    units: npt.ArrayLike,
    rng: np.random.Generator,
    share: float = 0.5,
    cluster: npt.ArrayLike | None = None,
    stratum: npt.ArrayLike | None = None,
) -> pd.Series:
    """Draw which units are treated, whole clusters together, evenly within strata.

    Every cluster is treated with probability exactly ``share``. In each stratum and in all, the treated
    clusters number share times the clusters, to within one (systematic rounding over strata in random order).
    Clusters are counted, not members: let size be a stratum if some clusters are large. The draw does
    not depend on the order of the rows.

    Parameters
    ----------
    units : array_like, shape (n,)
        One distinct id per row.
    rng : numpy.random.Generator
    share : float
        Share to treat, in (0, 1).
    cluster : array_like, shape (n,), optional
        What is randomised whole, such as a company account; by default each unit is its own cluster.
    stratum : array_like, shape (n,), optional
        Groups within which the share is kept; a cluster lies in one stratum.

    Returns
    -------
    pandas.Series of bool, shape (n,)
        Named "treated", True = treated; with the index of ``units`` if that is a Series, so that it can be
        put into its table as a column.

    Raises
    ------
    ContractError
        An id twice, missing values, unequal lengths, a share outside (0, 1) or too extreme for the
        number of clusters, a cluster in two strata.

    References
    ----------
    Cox (1987), A constructive procedure for unbiased controlled rounding, JASA 82(398).

    Examples
    --------
    >>> users = pd.DataFrame({"user": [1, 2, 3, 4], "account": ["a", "a", "b", "b"]})
    >>> assign(users["user"], np.random.default_rng(0), cluster=users["account"]).tolist()
    [True, True, False, False]
    """
    if not isinstance(rng, np.random.Generator):
        refuse("rng", "a numpy Generator", kind_of(rng), "pass np.random.default_rng(seed)")
    part = open_share(share, "share")
    ids = raw_column(units, "units")
    codes, labels = as_groups(ids, len(ids), "units")
    _require_distinct(ids, len(labels))
    require_same_order(units, cluster, "units and cluster")
    require_same_order(units, stratum, "units and stratum")
    if cluster is not None:
        codes, labels = as_groups(cluster, len(ids), "cluster")
    if min(part, 1 - part) * len(labels) < 1:
        got, mend = f"{part:g} of {len(labels)}", "add units or move share towards 0.5"
        refuse("share", "large enough to give each arm one unit or cluster", got, mend)
    strata = _stratum_of_cluster(stratum, codes, labels)
    index = units.index if isinstance(units, pd.Series) else None
    return pd.Series(_draw(strata, part, rng)[codes], index=index, name="treated")


def assign_by_hash(ids: npt.ArrayLike, salt: str, share: float = 0.5) -> BoolArray:
    """Return the arm of each id for ever: the same id and salt give the same arm on any day and machine.

    A hash of salt and id (BLAKE2b) gives each id a place in [0, 1); those below ``share`` are treated. So a
    larger share treats all that a smaller one does, and another salt draws independently. For a standing
    hold-out, pass one salt and keep it; to keep clusters whole, pass the cluster's id of each row.

    Parameters
    ----------
    ids : array_like, shape (n,)
        Text or whole numbers; 7 and "7" are one id, "007" is another.
    salt : str
        The experiment's name.
    share : float
        Share to treat, in (0, 1).

    Returns
    -------
    numpy.ndarray of bool, shape (n,)
        True = treated.

    Raises
    ------
    ContractError
        Missing or fractional ids, an empty salt, a share outside (0, 1).

    References
    ----------
    Kohavi, Tang and Xu (2020), Trustworthy Online Controlled Experiments, chapter 4; RFC 7693 for BLAKE2.

    Examples
    --------
    >>> assign_by_hash(["u1", "u2", "u3", "u4"], salt="outreach-2024")
    array([ True, False, False, False])
    """
    if not isinstance(salt, str) or not salt:
        refuse("salt", "text that is not empty", repr(salt), "name the experiment")
    part = open_share(share, "share")
    key = blake2b(salt.encode()).digest()
    return _places(_as_texts(ids), key) < part * _BUCKETS


def _places(texts: list[str], key: bytes) -> npt.NDArray[np.uint64]:
    digests = (blake2b(text.encode(), digest_size=8, key=key).digest() for text in texts)
    return np.array([int.from_bytes(digest, "big") for digest in digests], dtype=np.uint64)


def _as_texts(ids: npt.ArrayLike) -> list[str]:
    raw = raw_column(ids, "ids")
    missing = pd.isna(raw)
    if missing.any():
        refuse(f"ids, row {int(np.argmax(missing))}", "filled in", "a missing value", "give every unit an id")
    for row, value in enumerate(raw.tolist()):
        if not isinstance(value, str | int) or isinstance(value, bool):
            # A join with gaps turns 7 into 7.0, whose text, and so whose arm, is another.
            refuse(f"ids, row {row}", "text or a whole number", shown(value), "convert it with .astype('int64') or str")
    return [str(value) for value in raw.tolist()]


def _require_distinct(ids: npt.NDArray[Any], distinct: int) -> None:
    if distinct < len(ids):
        row = int(np.argmax(pd.Series(ids).duplicated()))
        mend = "keep one row per unit, or pass what repeats as cluster="
        refuse(f"units, row {row}", "unique", f"{shown(ids[row])} again", mend)


def _stratum_of_cluster(stratum: npt.ArrayLike | None, codes: IntArray, labels: list[Hashable]) -> IntArray:
    """Return the stratum's code of each cluster, shape (clusters,)."""
    of_cluster = np.zeros(len(labels), dtype=np.intp)
    if stratum is None:
        return of_cluster
    strata, _ = as_groups(stratum, len(codes), "stratum")
    of_cluster[codes] = strata
    split = of_cluster[codes] != strata
    if split.any():
        where = f"the stratum of cluster {shown(labels[codes[int(np.argmax(split))]])}"
        refuse(where, "one for all its rows", "two", "stratify by what whole clusters share")
    return of_cluster


def _draw(strata: IntArray, share: float, rng: np.random.Generator) -> BoolArray:
    """Return which clusters are treated: systematic rounding of share times size, strata in random order."""
    shuffled = rng.permutation(len(strata))
    place = rng.permutation(int(strata.max()) + 1)
    order = shuffled[np.argsort(place[strata[shuffled]], kind="stable")]
    quota = np.floor(np.cumsum(np.full(len(strata), share)) + rng.random() + _ROUNDING)
    sizes = np.bincount(place[strata])
    ends = np.cumsum(sizes)
    treated_by = quota[ends - 1]
    take = np.diff(treated_by, prepend=0)
    rank = np.arange(len(strata)) - np.repeat(ends - sizes, sizes)
    treated = np.zeros(len(strata), dtype=bool)
    treated[order] = rank < np.repeat(take, sizes)
    return treated
