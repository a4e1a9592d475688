"""The feature state in Redis: the same small interface, in a server that outlives this process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casebook.contracts import refuse

PREFIX = "casebook:fraud:"
TIMEOUT = 0.25  # seconds; after that the rules answer alone

try:
    import redis
    from redis.backoff import NoBackoff
    from redis.retry import Retry
except ModuleNotFoundError:  # the extra is optional
    redis = None  # type: ignore[assignment]


class RedisStore:
    """A store of :class:`casebook.fraud.state_store.Store` in a Redis server.

    ``get`` is one MGET and ``put`` one MSET, which Redis carries out whole or not at all. Several services may read
    one prefix, but one alone may write it: between a service's ``get`` and its ``put`` nothing is locked.

    Parameters
    ----------
    url : str
        ``redis://host:port/0`` or ``unix:///path/to/socket``.
    prefix : str
        Of every key, so that others may use the same server.
    timeout : float
        Seconds for a connection or an answer.

    Raises
    ------
    ContractError
        No redis library, an address that is none, or no server that answers there.

    Notes
    -----
    Once it is open, a server that fails raises ``OSError`` (``ConnectionError`` or ``TimeoutError``) from either
    call. Redis keeps what it is told to keep (appendonly, snapshots); what it lost, a restarted service takes again
    from its decision log.

    Examples
    --------
    >>> RedisStore("redis://127.0.0.1:1/0")
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: --redis must be the address of a Redis server that answers, got
    'redis://127.0.0.1:1/0' (ConnectionError); start redis-server or mend the address.
    """

    def __init__(self, url: str, prefix: str = PREFIX, timeout: float = TIMEOUT) -> None:
        if redis is None:
            mend = "run pip install 'business-ml-casebook[redis]'"
            refuse("the library redis", "installed", "none", mend)
        self.prefix = prefix
        try:
            self._redis = redis.Redis.from_url(url, socket_timeout=timeout, retry=Retry(NoBackoff(), 0))
            self._redis.ping()
        except (redis.RedisError, ValueError, OSError) as error:
            must = "the address of a Redis server that answers"
            got = f"{_without_password(url)!r} ({type(error).__name__})"
            refuse("--redis", must, got, "start redis-server or mend the address")

    def get(self, keys: Sequence[str]) -> list[bytes | None]:
        """Return the values of the keys, None where there is none."""
        if not keys:
            return []
        found: Any = _asked(lambda: self._redis.mget([self.prefix + key for key in keys]))
        return list(found)

    def put(self, values: Mapping[str, bytes]) -> None:
        """Set all the keys at once."""
        if values:
            _asked(lambda: self._redis.mset({self.prefix + key: value for key, value in values.items()}))

    def close(self) -> None:
        """Let go of the connection."""
        self._redis.close()


def _asked(call: Any) -> Any:
    """Return what the server says; its errors become those of Python, so that no caller needs the library."""
    try:
        return call()
    except redis.TimeoutError as error:
        raise TimeoutError(f"Redis did not answer in time ({error})") from error
    except redis.RedisError as error:
        raise ConnectionError(f"Redis failed ({error})") from error


def _without_password(url: str) -> str:
    head, at, tail = url.rpartition("@")
    return f"{head.partition('://')[0]}://...@{tail}" if at else url
