"""Overrides: a person's change of a forecast, with a reason, an author and an end, held against what came.

The book is a file of JSON lines that is only ever appended to: added, withdrawn, applied.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.jobs import digest_of

Tables = Mapping[str, pd.DataFrame]
KINDS = ("multiply", "set")
SCOPE = ("store_id", "region", "sku_id", "category")
_HOMES = {"store_id": "stores", "region": "stores", "sku_id": "products", "category": "products"}
_WORDS = {"store_id": "store", "region": "region", "sku_id": "product", "category": "category"}


@dataclass(frozen=True)
class Override:
    """One change of a forecast.

    Parameters
    ----------
    first_day, last_day : int
        Days of demand that it is about, both included.
    kind : {"multiply", "set"}
        Multiply the mean by `value`, or set it to `value` units a day in each cell.
    value : float
        0 or more.
    reason, author : str
    created_on, expires_on : int
        First and last day on which an order may use it; who still believes in it then adds a new one.
    store_id, region : optional
        One of the two, or neither for all stores.
    sku_id, category : optional
        One of the two, or neither for all products.

    Examples
    --------
    >>> fair = Override(700, 706, "multiply", 1.5, "street fair", "Ada", 690, 706, store_id=3)
    >>> fair.scope, fair.override_id
    ('store 3', 'e8de3b919618')
    """

    first_day: int
    last_day: int
    kind: str
    value: float
    reason: str
    author: str
    created_on: int
    expires_on: int
    store_id: int | None = None
    region: str | None = None
    sku_id: int | None = None
    category: str | None = None

    @property
    def override_id(self) -> str:
        """The same content has the same id, so that adding it again after a crash adds nothing."""
        return digest_of(asdict(self))[:12]

    @property
    def scope(self) -> str:
        """Which cells it changes, in words."""
        named = [f"{_WORDS[name]} {getattr(self, name)}" for name in SCOPE if getattr(self, name) is not None]
        return ", ".join(named) or "nothing named"

    @property
    def rank(self) -> tuple[int, int, str]:
        """What decides between two on one cell and day: the narrower scope, then the younger."""
        narrow = sum({"store_id": 2, "sku_id": 2}.get(n, 1) for n in SCOPE if getattr(self, n) is not None)
        return narrow, self.created_on, self.override_id


def check_override(override: Override, tables: Tables, at: int, others: Sequence[Override] = ()) -> None:
    """Refuse an override that cannot be meant.

    Parameters
    ----------
    override : Override
    tables : mapping of str to pandas.DataFrame
        ``stores`` and ``products``.
    at : int
        Today.
    others : sequence of Override
        Those of the book.

    Raises
    ------
    ContractError
        No or two scopes of a side, an unknown store, region, product or category, a store that is closed, a kind
        that does not exist, a negative value, no reason or author, an end before the start, an expiry that has
        passed, or an overlap with another of the same scope.

    Examples
    --------
    >>> check_override(Override(9, 7, "set", 2.0, "fair", "Ada", 1, 20, store_id=3), {}, 1)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: the override of store 3, last_day must be its first day 9 or later, got 7; swap
    the two days.
    """
    what = f"the override of {override.scope}"
    for name in ("reason", "author"):
        if not str(getattr(override, name) or "").strip():
            refuse(f"{what}, {name}", "a few words", "nothing", f"say the {name}; nobody can judge it otherwise")
    if override.kind not in KINDS:
        refuse(f"{what}, kind", "'multiply' or 'set'", repr(override.kind), "choose one of the two")
    if not (np.isfinite(override.value) and override.value >= 0):
        mend = "use a factor below 1 for less, or 'set' with the units a day"
        refuse(f"{what}, value", "a finite number, 0 or more", f"{override.value:g}", mend)
    if override.last_day < override.first_day:
        must = f"its first day {override.first_day} or later"
        refuse(f"{what}, last_day", must, str(override.last_day), "swap the two days")
    if override.expires_on < at:
        got = f"day {override.expires_on}, and today is {at}"
        refuse(f"{what}, expires_on", "today or later", got, "add a new one if its reason still holds")
    _check_scope(override, tables, what)
    _check_open(override, tables["stores"], what)
    for other in others:
        same = all(getattr(other, name) == getattr(override, name) for name in SCOPE)
        overlap = other.first_day <= override.last_day and override.first_day <= other.last_day
        if same and overlap and other.expires_on >= at and other != override:
            got = f"{other.override_id} of {other.author} on days {other.first_day} to {other.last_day}"
            refuse(
                what, f"the only one on days {override.first_day} to {override.last_day}", got, "withdraw that first"
            )


def apply_overrides(forecast: pd.DataFrame, overrides: Sequence[Override], tables: Tables, at: int) -> pd.DataFrame:
    """Change a daily forecast by the overrides that are in force.

    Parameters
    ----------
    forecast : pandas.DataFrame
        ``store_id``, ``sku_id``, ``day``, ``mean`` and ``sd`` (units a day).
    overrides : sequence of Override
        In any order; on one cell and day the narrower scope wins, then the younger one, and only one counts.
    tables : mapping of str to pandas.DataFrame
        ``stores`` and ``products``.
    at : int
        Day of the order: those created after it or expired before it change nothing.

    Returns
    -------
    pandas.DataFrame
        The same rows with ``mean`` and ``sd`` changed (the spread keeps its ratio to the mean; a mean set from 0
        gets a Poisson spread), ``mean_before`` and ``override_id`` (empty where there was none).
    """
    region = tables["stores"].set_index("store_id")["region"].astype(str)
    category = tables["products"].set_index("sku_id")["category"].astype(str)
    labels: dict[str, np.ndarray] = {name: forecast[name].to_numpy() for name in ("store_id", "sku_id", "day")}
    labels["region"] = forecast["store_id"].map(region).to_numpy()
    labels["category"] = forecast["sku_id"].map(category).to_numpy()
    before = forecast["mean"].to_numpy(float)
    mean, sd, used = before.copy(), forecast["sd"].to_numpy(float).copy(), np.full(len(forecast), "", dtype=object)
    in_force = [one for one in overrides if one.created_on <= at <= one.expires_on]
    for one in sorted(in_force, key=lambda one: one.rank):
        hit = (labels["day"] >= one.first_day) & (labels["day"] <= one.last_day)
        for name in SCOPE:
            if getattr(one, name) is not None:
                hit &= labels[name] == getattr(one, name)
        mean[hit] = before[hit] * one.value if one.kind == "multiply" else one.value
        used[hit] = one.override_id
    ratio = np.divide(mean, before, out=np.ones_like(mean), where=before > 0)
    sd = np.where(before > 0, sd * ratio, np.where(used != "", np.sqrt(mean), sd))
    return forecast.assign(mean=mean, sd=sd, mean_before=before, override_id=used)


class OverrideBook:
    """The overrides of a company, in a file of JSON lines.

    Parameters
    ----------
    path : str or path
        Made at the first entry; its folder must exist.
    now : callable, optional
        The clock of the lines; by default the time in UTC.
    """

    def __init__(self, path: str | os.PathLike[str], now: Callable[[], datetime] | None = None) -> None:
        self.path, self._now = Path(path), now or (lambda: datetime.now(UTC))

    def add(self, override: Override, tables: Tables, at: int) -> str:
        """Check an override (:func:`check_override`), write it down and return its id; again: write nothing."""
        if override in self.active():
            return override.override_id
        check_override(override, tables, at, self.active())
        self._append("added", override.override_id, override.author, at, after=asdict(override))
        return override.override_id

    def withdraw(self, override_id: str, author: str, reason: str, at: int) -> None:
        """End an override before its time; the lines about it stay.

        Raises
        ------
        ContractError
            No such override is active; no reason.
        """
        found = {one.override_id: one for one in self.active()}
        if override_id not in found:
            got = "active are " + ", ".join(sorted(found)) if found else "none is active"
            refuse(f"override {override_id!r}", "an active one of the book", got, "name one of those")
        if not reason.strip():
            refuse("the reason of a withdrawal", "a few words", "nothing", "say why")
        before = asdict(found[override_id])
        self._append("withdrawn", override_id, author, at, before=before, reason=reason)

    def active(self) -> list[Override]:
        """Those added and not withdrawn, oldest first; whether they have expired is a question of the day."""
        there: dict[str, Override] = {}
        for line in self.lines():
            if line["event"] == "added":
                there[line["override_id"]] = Override(**line["after"])
            elif line["event"] == "withdrawn":
                there.pop(line["override_id"], None)
        return list(there.values())

    def record_applied(self, changes: Sequence[Mapping[str, Any]], origin: int) -> int:
        """Write down what a weekly run changed, once per override and origin however often it is called.

        Parameters
        ----------
        changes : sequence of mappings
            With ``override_id``, ``author``, ``units_before`` and ``units_after``.
        origin : int

        Returns
        -------
        int
            Number of new lines.
        """
        done = {(line["override_id"], line["at"]) for line in self.lines() if line["event"] == "applied"}
        new = [one for one in changes if (one["override_id"], origin) not in done]
        for one in new:
            before, after = float(one["units_before"]), float(one["units_after"])
            self._append("applied", one["override_id"], one["author"], origin, before=before, after=after)
        return len(new)

    def lines(self) -> list[dict[str, Any]]:
        """Every whole line, oldest first; one that a crash cut short was never acknowledged and is passed over."""
        if not self.path.exists():
            return []
        found = []
        for text in self.path.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                found.append(json.loads(text))
            except ValueError:
                continue
        return found

    def _append(self, event: str, override_id: str, who: str, at: int, **what: Any) -> None:
        """Append one line in one write, below a line that was cut short."""
        when = self._now().isoformat(timespec="seconds")
        line = {"event": event, "override_id": override_id, "who": who, "when": when, "at": at, **what}
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n") and self.path.stat().st_size > 0
        raw = ("\n" if torn else "") + json.dumps(line, sort_keys=True, allow_nan=False) + "\n"
        handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
        try:
            os.write(handle, raw.encode())
            os.fsync(handle)
        finally:
            os.close(handle)


def _check_scope(override: Override, tables: Tables, what: str) -> None:
    named = [name for name in SCOPE if getattr(override, name) is not None]
    if not named:
        refuse(what, "of a store, region, product or category", "none of them", "say which cells are meant")
    for pair in (SCOPE[:2], SCOPE[2:]):
        if set(pair) <= set(named):
            refuse(what, f"of a {_WORDS[pair[0]]} or a {_WORDS[pair[1]]}", "both", "drop the wider one")
    for name in named:
        if getattr(override, name) not in set(tables[_HOMES[name]][name].tolist()):
            home = f"table '{_HOMES[name]}'"
            refuse(f"{what}, {name}", f"one of {home}", "an unknown one", f"look it up in {home}")


def _check_open(override: Override, stores: pd.DataFrame, what: str) -> None:
    if override.store_id is None:
        return
    store = stores[stores["store_id"] == override.store_id].iloc[0]
    must = f"of a store that is open on days {override.first_day} to {override.last_day}"
    if store["closed_on"] <= override.last_day:
        refuse(what, must, f"one closed from day {store['closed_on']:.0f} on", "end it before that day or drop it")
    if store["opened_on"] > override.first_day:
        refuse(what, must, f"one that opens on day {store['opened_on']}", "let it start on that day")
