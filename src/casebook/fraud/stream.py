"""Events and attempts on their way: arrays of one length, before they become rows of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int32]
Codes = NDArray[np.int8]
Ids = NDArray[np.int64]
Floats = NDArray[np.float32]
ID_END = 2**40  # devices, networks and addresses of everybody are drawn from one range, so that an id tells nothing


def fresh_ids(shape: int | tuple[int, ...], rng: np.random.Generator) -> Ids:
    """Draw ids that nobody has yet; two of a hundred thousand are equal with a chance of one in two hundred.

    Examples
    --------
    >>> fresh_ids(2, np.random.default_rng(0)) < ID_END
    array([ True,  True])
    """
    return rng.integers(ID_END, size=shape, dtype=np.int64)


@dataclass
class Stream:
    """Events of n rows, each field an array of shape (n,).

    Attributes
    ----------
    at : seconds since the first midnight.
    card, merchant, terminal : keys; terminal is -1 unless the channel is one.
    channel, entry : codes into ``CHANNELS`` and ``ENTRIES``.
    cents : amount.
    device, ip, address : what the issuer sees of them, or -1.
    luck : uniform draw that decides what comes of a push or a call; attached here, so that policies are compared on
        the same draws.
    claim : uniform draw that decides whether the event is ever reported.
    """

    at: Ids
    card: Ints
    merchant: Ints
    terminal: Ints
    channel: Codes
    entry: Codes
    cents: Ints
    device: Ids
    ip: Ids
    address: Ids
    luck: Floats
    claim: Floats

    def __len__(self) -> int:
        return len(self.at)

    def take(self, rows: NDArray[Any] | slice) -> Self:
        """Return some rows, by number, by mask or by slice."""
        return type(self)(*(getattr(self, part.name)[rows] for part in fields(self)))

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """Return the rows of several, one after the other; at least one part must be there."""
        return cls(*(np.concatenate([getattr(part, one.name) for part in parts]) for one in fields(cls)))


@dataclass
class Attempts(Stream):
    """Attempts of fraudsters: a stream with what only the truth knows.

    Attributes
    ----------
    kind, tactic : codes into ``ALL_KINDS`` and ``TACTICS``.
    episode : number of the episode.
    thread : number of the card's part in the episode; what a holder notices ends the thread.
    notice : seconds from the thread's first passed attempt until it is noticed.
    """

    kind: Codes
    tactic: Codes
    episode: Ids
    thread: Ids
    notice: Ids
