"""The weekly job: read what has come, forecast, let people override, write the orders, once.

An origin's output is a folder named by the date of that Sunday: ``received.parquet`` (how far each store's data have
come), ``features.parquet``, ``forecast.parquet`` and ``overridden.parquet`` (a row a cell and day), ``orders.parquet``,
``report.json`` and ``timing.json``. All of it is there or none of it. Only ``timing.json`` says anything of the run.
"""

from __future__ import annotations

import json
import pickle
import platform
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from functools import cache, cached_property
from importlib.metadata import version
from pathlib import Path
from typing import Any

import joblib  # type: ignore[import-untyped]
import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.demand.fallbacks import CELL, FALLBACKS, MODEL, as_known, received
from casebook.demand.order_up_to import WEEKLY
from casebook.demand.origins import as_origins
from casebook.demand.overrides import Override, OverrideBook, apply_overrides
from casebook.demand.tables import TABLES, check_tables
from casebook.demand.week_forecast import Settings, week_features, week_forecast
from casebook.demand.week_orders import sku_taus, week_orders
from casebook.demand.world import START
from casebook.jobs import JobResult, Step, check_output, digest_of, run_job, write_json
from casebook.studies.hashing import code_hash

Done = Mapping[str, Path]
Build = Callable[..., pd.DataFrame]
READ = tuple(name for name in TABLES if name != "hours")
ORDER_AGES = (7, 14, 21)  # days after which an order is too old to be repeated


def date_of(day: int) -> date:
    """Return the date of a day.

    Examples
    --------
    >>> date_of(6).isoformat()
    '2023-01-08'
    """
    return date.fromisoformat(START) + timedelta(days=int(day))


def weekly_job(
    data: str | Path,
    folder: str | Path,
    origin: int,
    *,
    model: Any = None,
    overrides: str | Path | None = None,
    settings: Settings | None = None,
    build_features: Build | None = None,
    replace: bool = False,
    clock: Callable[[], float] = time.perf_counter,
) -> JobResult:
    """Write the orders of the Monday after an origin; a second run with the same inputs changes nothing.

    Parameters
    ----------
    data : str or path
        Folder with ``<table>.parquet`` for each table of the contract; rows after the origin are not looked at.
    folder : str or path
        The job's folder; the output is ``folder/<date of the origin>/``.
    origin : int
        A Sunday.
    model : path or object, optional
        With ``predict(X, taus)``: a file of joblib's (load only what you wrote yourself: it runs code), or the object,
        known by its joblib hash. Without a model, every cell gets a fallback.
    overrides : str or path, optional
        File of an :class:`OverrideBook`; what the run changed is written down there too, once.
    settings : Settings, optional
    build_features : callable, optional
        ``build_features(tables, origins, horizons)``; by default :func:`casebook.demand.features.build`.
    replace : bool
        As in :func:`casebook.jobs.run_job`.
    clock : callable
        Seconds, for ``timing.json``.

    Returns
    -------
    JobResult

    Raises
    ------
    ContractError
        An origin that is no Sunday, a table that is missing or breaks its contract, a share of late stores above the
        bound, or as :func:`casebook.jobs.run_job`.
    """
    as_origins([origin])
    week = _Week(Path(data), Path(folder), int(origin), settings or Settings(), model, overrides, build_features, clock)
    result = run_job(folder, date_of(origin), week.steps(), inputs=week.inputs(), gates=[week.check], replace=replace)
    if overrides is not None:
        changes = json.loads((result.path / "report.json").read_text(encoding="utf-8"))["overrides"]
        OverrideBook(overrides).record_applied(changes, int(origin))
    return result


@dataclass(frozen=True)
class _Week:
    """One week's run; tables are read once a process, files once a step."""

    data: Path
    folder: Path
    origin: int
    settings: Settings
    model: Any
    book: str | Path | None
    build_features: Build | None
    clock: Callable[[], float]

    @property
    def days(self) -> list[int]:
        return [self.origin + ahead for ahead in WEEKLY.covered]

    @cached_property
    def seconds(self) -> dict[str, float]:
        return {}

    @cached_property
    def tables(self) -> dict[str, pd.DataFrame]:
        tables = {name: pd.read_parquet(self.data / f"{name}.parquet") for name in READ}
        return check_tables(as_known(tables, self.origin))

    @cached_property
    def overrides(self) -> list[Override]:
        """Those that can change this week: an entry about another one is no change of inputs."""
        known = OverrideBook(self.book).active() if self.book is not None else []
        in_force = [one for one in known if one.created_on <= self.origin + 1 <= one.expires_on]
        return [one for one in in_force if one.first_day <= self.days[-1] and self.days[0] <= one.last_day]

    @cached_property
    def last_orders(self) -> Path | None:
        for age in ORDER_AGES:
            place = self.folder / str(date_of(self.origin - age))
            if place.is_dir():
                check_output(place)
                return place / "orders.parquet"
        return None

    @cached_property
    def predictor(self) -> Any:
        return joblib.load(self.model) if isinstance(self.model, str | Path) else self.model

    def inputs(self) -> dict[str, str | Path]:
        ids = sorted(one.override_id for one in self.overrides)
        return {
            **{name: self.data / f"{name}.parquet" for name in READ},
            "code": _code(),
            "settings": digest_of(asdict(self.settings)),
            "model": Path(self.model) if isinstance(self.model, str | Path) else _hash(self.model),
            "overrides": digest_of(ids),
            "last_orders": self.last_orders or "none",
        }

    def check(self) -> None:
        """Refuse tables that break their contract, and a load that is late as a whole."""
        stores = received(self.tables, self.origin, self.settings.complete)
        late = int((stores["late_days"] > 0).sum())
        if late > self.settings.max_late_share * len(stores):
            must = f"complete up to day {self.origin} for all but {self.settings.max_late_share:.0%} of the stores"
            got = f"{late} of {len(stores)} that are late"
            refuse("table 'sales'", must, got, "wait for the load or pass an earlier --origin")

    def steps(self) -> list[Step]:
        made: dict[str, tuple[Callable[[Done], Any], str]] = {
            "read": (lambda done: received(self.tables, self.origin, self.settings.complete), "received.parquet"),
            "features": (self._features, "features.parquet"),
            "forecast": (self._forecast, "forecast.parquet"),
            "overrides": (self._overridden, "overridden.parquet"),
            "orders": (self._orders, "orders.parquet"),
            "report": (self._report, "report.json"),
            "timing": (lambda done: {"seconds": self.seconds}, "timing.json"),
        }
        return [Step(name, self._timed(name, make), file) for name, (make, file) in made.items()]

    def _timed(self, name: str, make: Callable[[Done], Any]) -> Callable[[Path, Done], None]:
        def step(path: Path, done: Done) -> None:
            began = self.clock()
            made = make(done)
            if isinstance(made, pd.DataFrame):
                made.to_parquet(path, index=False)
            else:
                write_json(path, made)
            self.seconds[name] = round(self.clock() - began, 3)

        return step

    def _features(self, done: Done) -> pd.DataFrame:
        if self.model is None:
            return pd.DataFrame({name: np.array([], "int64") for name in (*CELL, "origin", "horizon")})
        return week_features(self.build_features or _builder(), self.tables, self.origin)

    def _forecast(self, done: Done) -> pd.DataFrame:
        stores, X = pd.read_parquet(done["read"]), pd.read_parquet(done["features"])
        before = None if self.last_orders is None else pd.read_parquet(self.last_orders)
        return week_forecast(self.tables, stores, X, self.predictor, before, self.origin, self.settings)

    def _overridden(self, done: Done) -> pd.DataFrame:
        return apply_overrides(pd.read_parquet(done["forecast"]), self.overrides, self.tables, self.origin + 1)

    def _orders(self, done: Done) -> pd.DataFrame:
        products = self.tables["products"]
        taus = sku_taus(products)
        if self.settings.tau is not None:
            taus[:] = self.settings.tau
        case_pack = products.set_index("sku_id")["case_pack"]
        return week_orders(pd.read_parquet(done["overrides"]), taus, case_pack, self.settings.correlation)

    def _report(self, done: Done) -> dict[str, Any]:
        stores, days, orders = (pd.read_parquet(done[name]) for name in ("read", "overrides", "orders"))
        late = stores[stores["late_days"] > 0]
        source = days.drop_duplicates(CELL)["source"].value_counts()
        return {
            "origin": self.origin,
            "date": str(date_of(self.origin)),
            "covers": [str(date_of(self.days[0])), str(date_of(self.days[-1]))],
            "rows": {"sales": len(self.tables["sales"]), "stores": len(stores), "orders": len(orders)},
            "units": int(orders["order_units"].sum()),
            "model": int(source.get(MODEL, 0)),
            "fallbacks": {name: int(source.get(name, 0)) for name in FALLBACKS},
            "late_stores": {str(store): int(n) for store, n in zip(late["store_id"], late["late_days"], strict=True)},
            "overrides": [_change(one, days) for one in self.overrides],
            "versions": _versions(),
        }


def _change(override: Override, days: pd.DataFrame) -> dict[str, Any]:
    hit = days[days["override_id"] == override.override_id]
    return {
        "override_id": override.override_id,
        "author": override.author,
        "scope": override.scope,
        "cells": len(hit.drop_duplicates(CELL)),
        "units_before": round(float(hit["mean_before"].sum()), 3),
        "units_after": round(float(hit["mean"].sum()), 3),
    }


def _builder() -> Build:
    from casebook.demand.features import build  # DuckDB, which a reader with a builder of his own need not have

    return build


def _hash(model: Any) -> str:
    if model is None:
        return "none"
    try:
        return str(joblib.hash(model))
    except (pickle.PicklingError, AttributeError, TypeError):
        got = f"a {type(model).__name__}, which cannot be pickled"
        refuse(
            "model",
            "None, a file of joblib's or an object that is known by its bytes",
            got,
            "move its class to a module",
        )


@cache
def _code() -> str:
    return code_hash("casebook.demand.operate")


@cache
def _versions() -> dict[str, str]:
    names = ("business-ml-casebook", "numpy", "pandas", "pyarrow", "scipy")
    return {"python": platform.python_version(), **{name: version(name) for name in names}}
