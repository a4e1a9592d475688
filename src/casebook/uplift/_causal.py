"""The one door to causalml, which is optional, slow to import, and repaints the reader's figures."""

from __future__ import annotations

import importlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from casebook.contracts import refuse

_EXTRA = "business-ml-casebook[causal]"


def causal_class(module: str, name: str, kind: str) -> Any:
    """Return a class of causalml, imported on first use.

    Raises
    ------
    ContractError
        If causalml is not installed.
    """
    try:
        with _as_it_was():
            return getattr(importlib.import_module(module), name)
    except ModuleNotFoundError as missing:
        if (missing.name or "").split(".")[0] != "causalml":
            raise
    must = "a kind whose library is installed"
    refuse("kind", must, f"{kind!r} without causalml", f'run pip install "{_EXTRA}"')


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Undo what the import does beside importing: a plot style for all figures, and a log line on stderr."""
    import matplotlib

    # forestci logs that an optional package for citations is absent; the reader can do nothing with it.
    citations = logging.getLogger("duecredit")
    citations.addFilter(_not_absent)
    try:
        with matplotlib.rc_context():
            yield
    finally:
        citations.removeFilter(_not_absent)


def _not_absent(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith("Failed to import duecredit")
