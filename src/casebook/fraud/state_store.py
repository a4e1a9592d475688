"""Where the feature state lives: the interface of a store, and one in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Store(Protocol):
    """Where the state lives: bytes under string keys. Each call is one trip, and ``put`` is all or nothing."""

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of the keys, None where there is none."""

    def put(self, values: Mapping[str, bytes]) -> None:
        """Set all the keys at once."""


class MemoryStore:
    """A store in this process.

    Examples
    --------
    >>> store = MemoryStore()
    >>> store.put({"a": b"1"})
    >>> store.get(["a", "b"])
    [b'1', None]
    """

    def __init__(self) -> None:
        self.values: dict[str, bytes] = {}

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of the keys, None where there is none."""
        return [self.values.get(key) for key in keys]

    def put(self, values: Mapping[str, bytes]) -> None:
        """Set all the keys at once."""
        self.values.update(values)
