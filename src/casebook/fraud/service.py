"""The service's web part: three addresses in front of a scorer, and a client that needs no network."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from casebook.contracts import ContractError, refuse
from casebook.fraud.scorer import Scorer
from casebook.fraud.service_event import field_of
from casebook.fraud.service_state import StateError, said

try:
    import httpx
    from fastapi import FastAPI, Request
    from fastapi.responses import JSONResponse
except ModuleNotFoundError:  # the extra is optional
    refuse("the library fastapi", "installed", "none", "run pip install 'business-ml-casebook[serve]'")

LARGEST_BODY = 16_384  # bytes; an event has some 400
BAD, TOO_LARGE, UNAVAILABLE = 422, 413, 503


class TooLargeError(ValueError):
    """A body that is not read to its end."""


def create_app(scorer: Scorer) -> FastAPI:
    """Return the web application of a scorer.

    ``POST /score`` takes an event and answers a :class:`casebook.fraud.scorer.Decision`; ``POST /report`` takes
    ``event_id`` and ``reported_at`` of a fraud and answers ``{"event_id": ..., "counted": true or false}``; ``GET
    /health`` answers :meth:`casebook.fraud.scorer.Scorer.health`.

    What is refused changes nothing and is answered with ``{"detail": sentence, "field": name}``: 422 for a bad field,
    413 for a body above :data:`LARGEST_BODY`, 503 if the log cannot be written.

    Parameters
    ----------
    scorer : Scorer

    Returns
    -------
    fastapi.FastAPI

    Notes
    -----
    Events are answered one after another in the event loop's own thread: a scorer serves one at a time anyway, and
    none of its steps waits for long. More cores mean more processes, each with its own cards, log and store prefix.
    """
    app = FastAPI(title="Card fraud", version=scorer.model.version[:12])

    @app.post("/score")
    async def score(request: Request) -> JSONResponse:
        return JSONResponse(asdict(scorer.score(await _body(request))))

    @app.post("/report")
    async def report(request: Request) -> JSONResponse:
        told: Any = await _body(request)
        counted = scorer.report(told.get("event_id"), told.get("reported_at"))
        return JSONResponse({"event_id": told["event_id"], "counted": counted})

    @app.get("/health")
    async def health() -> JSONResponse:
        return JSONResponse(scorer.health())

    @app.exception_handler(ContractError)
    async def refused(_: Request, error: ContractError) -> JSONResponse:
        return _no(BAD, str(error), field_of(error))

    @app.exception_handler(TooLargeError)
    async def too_large(_: Request, error: TooLargeError) -> JSONResponse:
        return _no(TOO_LARGE, str(error), "body")

    @app.exception_handler(StateError)
    @app.exception_handler(OSError)
    async def unavailable(_: Request, error: Exception) -> JSONResponse:
        return _no(UNAVAILABLE, f"the log and the state must take this, got {said(error)}; send it again later.", "")

    return app


def _no(status: int, detail: str, field: str) -> JSONResponse:
    return JSONResponse({"detail": detail, "field": field}, status)


async def _body(request: Request) -> Mapping[str, Any]:
    """Read a JSON object, but no more than the largest body."""
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            must = f"at most {LARGEST_BODY} bytes"
            raise TooLargeError(f"body must be {must}, got more; send one event.")
    try:
        given = json.loads(raw)
    except (ValueError, RecursionError) as error:
        refuse("body", "JSON", type(error).__name__, "send one event as a JSON object")
    if not isinstance(given, dict):
        refuse("body", "a JSON object", type(given).__name__, "send one event")
    return given


class LocalClient:
    """A client of an application in this process: no port, no network, the same requests and answers.

    Parameters
    ----------
    app : FastAPI

    Examples
    --------
    >>> app = FastAPI()
    >>> @app.get("/health")
    ... def health() -> dict[str, str]:
    ...     return {"status": "ok"}
    >>> with LocalClient(app) as client:
    ...     answer = client.get("/health")
    >>> answer.status_code, answer.json()
    (200, {'status': 'ok'})
    """

    def __init__(self, app: FastAPI) -> None:
        transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
        self._client = httpx.AsyncClient(transport=transport, base_url="http://bank")
        self._loop = asyncio.new_event_loop()  # of its own, for a notebook's is busy while a cell runs
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def __enter__(self) -> LocalClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def get(self, path: str, **request: Any) -> httpx.Response:
        """Send a GET; ``request`` is what ``httpx.Client.request`` takes."""
        return self._wait(self._client.get(path, **request))

    def post(self, path: str, **request: Any) -> httpx.Response:
        """Send a POST, such as ``client.post("/score", json=event)``."""
        return self._wait(self._client.post(path, **request))

    def close(self) -> None:
        """Let go of the client and its thread."""
        self._wait(self._client.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()
