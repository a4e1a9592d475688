"""Start the scoring service: ``python -m casebook.fraud.serve --model FOLDER --log FILE [--redis URL] [--port N]``.

The state is in this process, and taken from the log at the start, unless ``--redis`` names a server.
"""

from __future__ import annotations

import argparse
import socket
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from casebook.contracts import refuse
from casebook.fraud.redis_store import RedisStore
from casebook.fraud.scorer import Scorer
from casebook.fraud.served_model import ServedModel
from casebook.fraud.service_log import DecisionLog
from casebook.fraud.service_rules import RuleBook
from casebook.fraud.state import FeatureState, MemoryStore
from casebook.fraud.world import FIRST_DAY
from casebook.jobs import guarded

if TYPE_CHECKING:
    from fastapi import FastAPI

LAST_PORT = 65_535


def world_clock() -> int:
    """Return the seconds since the world's first midnight, UTC.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> abs(world_clock() - (datetime.now(UTC) - datetime(2026, 3, 2, tzinfo=UTC)).total_seconds()) < 2
    True
    """
    return int(time.time() - FIRST_DAY.astype("datetime64[s]").astype(np.int64))


def main(argv: Sequence[str]) -> int:
    """Serve until the process is told to stop.

    Parameters
    ----------
    argv : sequence of str
        See ``--help``.

    Returns
    -------
    int
        0.

    Raises
    ------
    ContractError
        No model, a log that another service writes, a port that is taken, a Redis server that does not answer.
    """
    given = _parser().parse_args(argv)
    from casebook.fraud.service import create_app  # says it if the extra is not installed

    model = ServedModel.load(given.model)
    store = RedisStore(given.redis) if given.redis else MemoryStore()
    with _listening(given.host, given.port) as door, DecisionLog(given.log, sync=given.sync) as log:
        scorer = Scorer(FeatureState(store), model, RuleBook(), log, world_clock)
        print(f"Answering at http://{given.host}:{door.getsockname()[1]}", file=sys.stderr, flush=True)
        _run(create_app(scorer), door)
    return 0


def _run(app: FastAPI, door: socket.socket) -> None:
    import uvicorn

    uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False)).run(sockets=[door])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m casebook.fraud.serve", description="Score card events.")
    parser.add_argument("--model", required=True, help="folder that ServedModel.save wrote")
    parser.add_argument("--log", required=True, help="decision log; an older one is continued")
    parser.add_argument("--redis", help="address of a Redis server for the state; else it is in this process")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at")
    parser.add_argument("--port", type=int, default=8000, help="port to listen at; 0 for a free one")
    parser.add_argument("--sync", action="store_true", help="force each line of the log to the disk")
    return parser


def _listening(host: str, port: int) -> socket.socket:
    if not 0 <= port <= LAST_PORT:
        refuse("--port", f"from 0 to {LAST_PORT}", str(port), "take 8000, say")
    try:
        door = socket.create_server((host, port))
    except OSError as error:
        refuse("--port", "free", f"{port} ({error})", "stop what listens there or take another")
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # else head and body wait for each other: 40 ms
    return door


if __name__ == "__main__":
    sys.exit(guarded(main))
