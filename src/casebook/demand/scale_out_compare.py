"""The cluster against one process: whether features and forecasts are the same, and how many rows a second are done."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import duckdb
import numpy as np
import pandas as pd
from scipy import stats

from casebook.contracts import refuse
from casebook.demand.evaluate import LEVEL, pinball
from casebook.demand.feature_spec import COLUMNS, IDS
from casebook.demand.features import build_from_parquet
from casebook.demand.models import BoostedQuantiles
from casebook.demand.scale_out import (
    Part,
    features_by_region,
    local_cluster,
    predict_by_parts,
    predict_file,
    read_parts,
)
from casebook.demand.scale_out_fit import fit_on_cluster

if TYPE_CHECKING:
    from distributed import Client

ONE = "one process"
#: Largest difference of a feature, and of the mean pinball loss as a share of the one process's, that agrees.
SAME_FEATURE, SAME_LOSS = 1e-9, 0.005


class Comparison(NamedTuple):
    """What was measured.

    Attributes
    ----------
    rates : DataFrame, by way and stage (start, features, fit, predict): ``rows``, ``seconds``, ``cpu_seconds`` (of all
        processes), ``rows_per_second``, ``rows_per_cpu_second``. A fit is of one seed; reading and writing count.
    agreement : DataFrame, by way and tau: ``features_differ`` (largest difference to the one process's), ``pinball``
        (mean over the seeds), ``change`` (to the one process's), ``spread`` (standard deviation over the seeds, over
        the mean), ``coverage`` (mean over the seeds), ``low`` and ``high`` (95% binomial interval of the one
        process's), ``agrees``
    """

    rates: pd.DataFrame
    agreement: pd.DataFrame


class _Way(Protocol):
    def cpu(self) -> float: ...
    def build(self, origins: Sequence[int]) -> list[Part]: ...
    def fit(self, model: BoostedQuantiles, until: int) -> BoostedQuantiles: ...
    def predict(self, model: BoostedQuantiles) -> list[Part]: ...


def compare(
    folder: str | Path,
    place: str | Path,
    origins: Sequence[int],
    until: int,
    model: BoostedQuantiles,
    workers: Sequence[int] = (1, 2),
    seeds: Sequence[int] = (0, 1, 2),
) -> Comparison:
    """Build features, fit and forecast in one process and on clusters of this machine, of one thread a process.

    Parameters
    ----------
    folder : str or Path
        The tables as Parquet.
    place : str or Path
        Folder for what is written.
    origins : sequence of int
    until : int
        Rows up to this target day are learnt from, later ones with a target are judged.
    model : BoostedQuantiles
        The settings.
    workers : sequence of int
        Sizes of the clusters.
    seeds : sequence of int
        Of the fits. Another seed may move the loss as much as a cluster does, so that means are compared.

    Returns
    -------
    Comparison

    Raises
    ------
    ContractError
        No later day with a target, no seed, and what the steps refuse.
    """
    if not seeds:
        refuse("seeds", "one or more numbers", "none", "take 0")
    job = _Job(origins, until, model, seeds)
    job.run(ONE, _OneProcess(folder, Path(place) / "one"))
    for number in workers:
        name = f"{number} worker{'' if number == 1 else 's'}"
        with ExitStack() as stack:
            begin, used = time.perf_counter(), time.process_time()
            client = stack.enter_context(local_cluster(number))
            way = _Cluster(client, folder, Path(place) / f"cluster_{number}")
            job.note(name, "start", 0, time.perf_counter() - begin, way.cpu() - used)
            job.run(name, way)
    return Comparison(job.rates(), job.agreement())


class _OneProcess:
    def __init__(self, folder: str | Path, place: Path) -> None:
        self.folder, self.place = folder, place
        self.features = Part("all", str(place / "features.parquet"), 0)

    def cpu(self) -> float:
        return time.process_time()

    def build(self, origins: Sequence[int]) -> list[Part]:
        rows = build_from_parquet(self.folder, self.features.file, origins, threads=1)
        return [self.features._replace(rows=rows)]

    def fit(self, model: BoostedQuantiles, until: int) -> BoostedQuantiles:
        query = "SELECT * FROM read_parquet(?) WHERE y IS NOT NULL AND day <= ?"
        with duckdb.connect(config={"threads": 1}) as con:
            rows = con.execute(query, [self.features.file, until]).df()
        return model.fit(rows, rows["y"])

    def predict(self, model: BoostedQuantiles) -> list[Part]:
        file = str(self.place / "forecasts.parquet")
        return [Part("all", file, predict_file(model, self.features.file, file, model.taus))]


class _Cluster:
    def __init__(self, client: Client, folder: str | Path, place: Path) -> None:
        self.client, self.folder, self.place = client, folder, place
        self.features: list[Part] = []
        client.run(_ready)

    def cpu(self) -> float:
        return time.process_time() + sum(self.client.run(time.process_time).values())

    def build(self, origins: Sequence[int]) -> list[Part]:
        self.features = features_by_region(self.client, self.folder, self.place / "features", origins)
        return self.features

    def fit(self, model: BoostedQuantiles, until: int) -> BoostedQuantiles:
        return fit_on_cluster(self.client, model, self.features, until)

    def predict(self, model: BoostedQuantiles) -> list[Part]:
        return predict_by_parts(self.client, model, self.features, self.place / "forecasts", model.taus)


def _ready() -> None:
    """Do nothing: a worker that gets it has imported this module, and with it all that a task needs."""


@dataclass
class _Job:
    origins: Sequence[int]
    until: int
    model: BoostedQuantiles
    seeds: Sequence[int]
    stages: list[tuple[Any, ...]] = field(default_factory=list)
    truth: pd.DataFrame = field(default_factory=pd.DataFrame)
    found: dict[str, tuple[float, pd.DataFrame]] = field(default_factory=dict)

    def note(self, name: str, stage: str, rows: int, seconds: float, cpu: float) -> None:
        self.stages.append((name, stage, rows, seconds, cpu))

    def run(self, name: str, way: _Way) -> None:
        """Do all stages in one way and keep what came of them; the first seed's are timed."""
        marks = [_mark(way)]
        features = way.build(self.origins)
        marks.append(_mark(way))
        fitted = way.fit(self._seeded(self.seeds[0]), self.until)
        marks.append(_mark(way))
        forecasts = way.predict(fitted)
        marks.append(_mark(way))
        built = read_parts(features)
        learnt = int((built["y"].notna() & (built["day"] <= self.until)).sum())
        for place, (stage, rows) in enumerate({"features": len(built), "fit": learnt, "predict": len(built)}.items()):
            seconds, cpu = (after - before for before, after in zip(marks[place], marks[place + 1], strict=True))
            self.note(name, stage, rows, seconds, cpu)
        if self.truth.empty:
            self.truth = built
        scores = [self._scores(seed, read_parts(forecasts)) for seed in self.seeds[:1]]
        for seed in self.seeds[1:]:
            forecasts = way.predict(way.fit(self._seeded(seed), self.until))
            scores.append(self._scores(seed, read_parts(forecasts)))
        self.found[name] = difference(self.truth, built), pd.concat(scores)

    def rates(self) -> pd.DataFrame:
        names = ["way", "stage", "rows", "seconds", "cpu_seconds"]
        table = pd.DataFrame(self.stages, columns=names).set_index(names[:2])
        for column, per in (("rows_per_second", "seconds"), ("rows_per_cpu_second", "cpu_seconds")):
            table[column] = (table["rows"] / table[per]).where(table["rows"] > 0)
        return table

    def agreement(self) -> pd.DataFrame:
        return pd.concat({name: self._against_one(*found) for name, found in self.found.items()}, names=["way"])

    def _against_one(self, differ: float, scores: pd.DataFrame) -> pd.DataFrame:
        one = self.found[ONE][1].groupby("tau").mean()
        by_tau = scores.groupby("tau")
        table = by_tau[["pinball", "coverage"]].mean()
        table.insert(0, "features_differ", differ)
        table.insert(2, "change", table["pinball"] / one["pinball"] - 1)
        table.insert(3, "spread", by_tau["pinball"].std() / table["pinball"])
        judged = int(self._judged().sum())
        hits = (one["coverage"] * judged).round().astype(int)
        ranges = [stats.binomtest(hit, judged).proportion_ci(LEVEL, "exact") for hit in hits]
        table["low"], table["high"] = ([getattr(one, side) for one in ranges] for side in ("low", "high"))
        near = (table["change"].abs() <= SAME_LOSS) & table["coverage"].between(table["low"], table["high"])
        return table.assign(agrees=near & (differ <= SAME_FEATURE))

    def _seeded(self, seed: int) -> BoostedQuantiles:
        return BoostedQuantiles(**{**self.model.get_params(), "seed": seed})

    def _judged(self) -> pd.Series:
        judged = (self.truth["day"] > self.until) & self.truth["y"].notna()
        if not judged.any():
            refuse("until", "a day before the last target", str(self.until), "take an earlier one")
        return judged

    def _scores(self, seed: int, forecasts: pd.DataFrame) -> pd.DataFrame:
        judged = self._judged()
        y, said = self.truth.loc[judged, "y"].to_numpy(), forecasts.loc[judged].drop(columns=list(IDS))
        said.columns = said.columns.astype(float)
        found = pinball(y, said).to_frame()
        return found.assign(seed=seed, coverage=(y[:, None] <= said[found.index].to_numpy()).mean(axis=0))


def _mark(way: _Way) -> tuple[float, float]:
    return time.perf_counter(), way.cpu()


def difference(one: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the largest difference of two frames, infinite where rows or missing values differ."""
    if one.shape != other.shape or not one[list(IDS)].equals(other[list(IDS)]):
        return float("inf")
    largest = 0.0
    for name in COLUMNS[len(IDS) :]:
        left, right = one[name].to_numpy(float), other[name].to_numpy(float)
        if (np.isnan(left) != np.isnan(right)).any():
            return float("inf")
        largest = max(largest, float(np.nanmax(np.abs(left - right), initial=0.0)))
    return largest
