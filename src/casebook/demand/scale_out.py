"""The features and forecasts of many stores on a Dask cluster: one task a region, files in, files out.

A region is the smallest part whose features can be built alone: ``category_region_trend`` reads all of its stores.
Weeks can be built alone too. Every task runs the query of :func:`casebook.demand.features.build_from_parquet`.

The functions take any ``distributed.Client``. :func:`local_cluster` starts one on this machine; for a cluster that
runs elsewhere write ``Client("tcp://scheduler:8786")``. Its workers must import this package in the same versions and
see the folders under the same paths; data travel as files, and only names and counts by the scheduler.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.demand.feature_spec import IDS, READ
from casebook.demand.features import build_from_parquet
from casebook.demand.models import Model
from casebook.demand.origins import HORIZONS, as_origins

if TYPE_CHECKING:
    from distributed import Client, Future

OF_REGION = ("stores", "weather", "weather_forecasts", "promotions")  # tables with a column ``region``
OF_STORE = ("cells", "sales")
ROWS_AT_ONCE = 200_000  # forecast and written at a time


class Part(NamedTuple):
    """A file of rows.

    Attributes
    ----------
    region : str
    file : str
        Its path, as the workers see it.
    rows : int
    """

    region: str
    file: str
    rows: int


@contextmanager
def local_cluster(workers: int = 2) -> Iterator[Client]:
    """Start processes of one thread each on this machine, yield their client, and stop them at the end.

    The workers are fresh processes: in a script, call it below ``if __name__ == "__main__":``. What they print is
    dropped; errors are raised here.

    Parameters
    ----------
    workers : int

    Yields
    ------
    distributed.Client

    Raises
    ------
    ContractError
        Fewer than one worker.

    Examples
    --------
    >>> with local_cluster(1) as client:
    ...     client.submit(sum, [4, 10]).result()
    14
    """
    from distributed import Client, LocalCluster

    if workers < 1:
        refuse("workers", "1 or more", str(workers), "take as many as there are cores")
    # port 0 is any free one, where 8787 may be taken; no warnings, since a worker that is slow to stop is no news
    settings = {"threads_per_worker": 1, "processes": True, "dashboard_address": ":0", "silence_logs": logging.ERROR}
    with LocalCluster(n_workers=workers, **settings) as cluster, Client(cluster) as client:
        client.run(_mute)
        yield client


def regions_of(folder: str | Path) -> list[str]:
    """Return the regions of the stores in a folder of Parquet tables, sorted.

    Raises
    ------
    ContractError
        A folder without stores.
    """
    with duckdb.connect() as con:
        rows = con.execute(f"SELECT DISTINCT region FROM {_scan(folder, 'stores')}").fetchall()
    if not rows:
        refuse("stores", "a table with rows", "none", "name the folder of the tables")
    return sorted(str(row[0]) for row in rows)


def cut_region(folder: str | Path, place: str | Path, region: str, target: str = "sold") -> None:
    """Write what the features of one region read: its stores, cells, sales, weather and promotions, and the rest whole.

    Parameters
    ----------
    folder : str or Path
        As in :func:`casebook.demand.features.build_from_parquet`.
    place : str or Path
        A folder that exists; gets one file a table.
    region : str
    target : str
        A column of ``sales`` that is kept beside those of :data:`casebook.demand.feature_spec.READ`.

    Raises
    ------
    ContractError
        A region without stores, or a table without a file.
    """
    with duckdb.connect(config={"threads": 1}) as con:
        found = con.execute(f"SELECT store_id FROM {_scan(folder, 'stores')} WHERE region = ?", [region]).fetchall()
        if not found:
            known = ", ".join(map(repr, regions_of(folder)))
            refuse("region", f"one that has stores, among {known}", repr(region), "correct the name")
        where = dict.fromkeys(OF_REGION, f"WHERE region = '{_quoted(region)}'")
        where |= dict.fromkeys(OF_STORE, f"WHERE store_id IN ({', '.join(str(row[0]) for row in found)})")
        for name, columns in READ.items():
            kept = ", ".join(dict.fromkeys([*columns, target] if name == "sales" else columns))
            query = f"SELECT {kept} FROM {_scan(folder, name)} {where.get(name, '')}"
            con.execute(f"COPY ({query}) TO '{_quoted(Path(place) / f'{name}.parquet')}' (FORMAT parquet)")


def features_by_region(
    client: Client,
    folder: str | Path,
    out: str | Path,
    origins: Iterable[int],
    horizons: Iterable[int] = HORIZONS,
    target: str = "sold",
    blocks: int = 1,
    threads: int = 1,
    memory_limit: str = "2GB",
) -> list[Part]:
    """Build the features on the workers, a file for each region and block of origins.

    Parameters
    ----------
    client : distributed.Client
    folder : str or Path
        The tables as Parquet, where every worker sees them.
    out : str or Path
        Folder of the features, where every worker sees it; what it held is removed.
    origins, horizons, target
        As in :func:`casebook.demand.features.build`.
    blocks : int
        Blocks of origins, to have more tasks than regions. Each reads the past of its region again.
    threads, memory_limit : int, str
        What DuckDB may use in one task.

    Returns
    -------
    list of Part
        By region, then by block. Together the rows of one process, bit by bit, in another order.

    Raises
    ------
    ContractError
        What :func:`casebook.demand.features.build` refuses, or more blocks than origins.
    """
    days, ahead = as_origins(origins), tuple(horizons)
    if not 1 <= blocks <= len(days):
        refuse("blocks", f"1 to the number of origins, {len(days)}", str(blocks), "take fewer")
    out = _emptied(out)
    jobs = [
        (region, str(out / f"{region}-{block:03}.parquet"), some.tolist())
        for region in regions_of(folder)
        for block, some in enumerate(np.array_split(days, blocks))
    ]
    settings = {"horizons": ahead, "target": target, "threads": threads, "memory_limit": memory_limit}
    waiting = [client.submit(_features_of, str(folder), *job, settings, pure=False) for job in jobs]
    return [Part(*job[:2], rows) for job, rows in zip(jobs, _results(client, waiting), strict=True)]


def predict_by_parts(
    client: Client, model: Model, parts: Sequence[Part], out: str | Path, taus: Sequence[float]
) -> list[Part]:
    """Forecast every file of features on the workers into a file of its own.

    Parameters
    ----------
    client : distributed.Client
    model
        Fitted; a copy goes to each worker.
    parts : sequence of Part
        Of :func:`features_by_region`.
    out : str or Path
        Folder of the forecasts, where every worker sees it; what it held is removed.
    taus : sequence of float

    Returns
    -------
    list of Part
        Files of the ids and a column for each tau, named by it, row by row as the features.

    Raises
    ------
    ContractError
        What the model refuses.
    """
    copies, out = client.scatter(model, broadcast=True, hash=False), _emptied(out)
    files = [str(out / Path(part.file).name) for part in parts]
    pairs = zip(parts, files, strict=True)
    waiting = [client.submit(predict_file, copies, part.file, file, list(taus), pure=False) for part, file in pairs]
    rows = _results(client, waiting)
    return [part._replace(file=file, rows=row) for part, file, row in zip(parts, files, rows, strict=True)]


def predict_file(model: Model, file: str | Path, out: str | Path, taus: Sequence[float]) -> int:
    """Forecast one file of features into another, some rows at a time; return their number.

    Parameters
    ----------
    model
        Fitted.
    file, out : str or Path
    taus : sequence of float
    """
    import pyarrow as pa  # type: ignore[import-untyped]
    import pyarrow.parquet as pq  # type: ignore[import-untyped]

    fields = [*((name, pa.int64()) for name in IDS), *((str(tau), pa.float64()) for tau in taus)]
    rows, unfinished = 0, f"{out}.part"
    with pq.ParquetFile(file) as source, pq.ParquetWriter(unfinished, pa.schema(fields)) as written:
        for batch in source.iter_batches(ROWS_AT_ONCE):
            X = batch.to_pandas()
            forecast = X[list(IDS)].assign(**model.predict(X, taus).rename(columns=str))
            written.write_table(pa.Table.from_pandas(forecast, pa.schema(fields), preserve_index=False))
            rows += len(X)
    Path(unfinished).replace(out)
    return rows


def read_parts(parts: Sequence[Part], columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return the rows of all parts as one frame, ordered by store, SKU, origin and horizon.

    Parameters
    ----------
    parts : sequence of Part
    columns : sequence of str, optional
        Those wanted beside the ids; by default all.
    """
    wanted = None if columns is None else list(dict.fromkeys([*IDS, *columns]))
    frames = [pd.read_parquet(part.file, columns=wanted) for part in parts]
    return pd.concat(frames, ignore_index=True).sort_values(list(IDS[:4]), ignore_index=True)


def _mute() -> None:
    """Drop what a worker prints: LightGBM tells there, whatever its verbosity, which ports it binds."""
    with open(os.devnull, "w") as nowhere:
        os.dup2(nowhere.fileno(), 1)


def _features_of(folder: str, region: str, out: str, origins: list[int], settings: Mapping[str, Any]) -> int:
    with TemporaryDirectory() as place:
        cut_region(folder, place, region, str(settings["target"]))
        return build_from_parquet(place, out, origins, **settings)


def _results(client: Client, waiting: Sequence[Future]) -> list[int]:
    try:
        rows: list[int] = client.gather(list(waiting))
        return rows
    finally:
        client.cancel(list(waiting))  # one that failed must not leave the others at work


def _emptied(out: str | Path) -> Path:
    shutil.rmtree(out, ignore_errors=True)
    Path(out).mkdir(parents=True)
    return Path(out)


def _scan(folder: str | Path, name: str) -> str:
    single = Path(folder) / f"{name}.parquet"
    path = single if single.exists() else Path(folder) / name / "*.parquet"
    if not (single.exists() or any(path.parent.glob("*.parquet"))):
        mend = f"write it as {name}.parquet or {name}/*.parquet"
        refuse(f"folder {Path(folder).name!r}", f"a folder with the table {name!r}", "no such file", mend)
    return f"read_parquet('{_quoted(path)}')"


def _quoted(text: object) -> str:
    return str(text).replace("'", "''")
