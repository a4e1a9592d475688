"""Fit the quantile models on a Dask cluster: every worker holds some of the rows, and all grow the same trees.

LightGBM's data-parallel learner adds up the workers' histograms, so that splits are those of all rows. Three things
it does on a worker's rows alone: each worker finds the bins of its share of the columns; the starting value is the
mean of the workers' quantiles; and a leaf's value is the mean of the quantiles that the workers find in it. All are
right only if each worker holds a sample of all rows. Files by region are none, hence rows are dealt out at random.
"""

from __future__ import annotations

import io
import operator
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

import duckdb
import lightgbm
import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import FloatArray, refuse
from casebook.demand.model_inputs import Inputs
from casebook.demand.models import BoostedQuantiles
from casebook.demand.quantile_fix import checked_taus
from casebook.demand.scale_out import Part

if TYPE_CHECKING:
    from distributed import Client, Future

#: How rows come to the workers: each row anywhere, or each file to one worker.
DEALS = ("rows", "files")
_KEYS = "store_id, sku_id, origin, horizon"


def fit_on_cluster(
    client: Client, model: BoostedQuantiles, parts: Sequence[Part], until: int | None = None, deal: str = "rows"
) -> BoostedQuantiles:
    """Fit a model's quantiles on the workers of a cluster.

    Parameters
    ----------
    client : distributed.Client
        Its workers must reach each other by TCP on ports that they choose.
    model : BoostedQuantiles
        Its settings are used, but not its ``threads``: each worker uses as many as it has. It is not changed.
    parts : sequence of Part
        Of :func:`casebook.demand.scale_out.features_by_region`; rows without ``y`` are left out.
    until : int, optional
        The last target day to learn from.
    deal : {"rows", "files"}
        "files" leaves each file to one worker; it is there to show what that costs.

    Returns
    -------
    BoostedQuantiles
        Fitted; it predicts in any process, without a cluster. Two fits of one seed differ a little: which worker
        counts as the first is left to chance, and with it whose rows give which column its bins.

    Raises
    ------
    ContractError
        No rows to learn from, fewer rows or files than workers, an unknown deal, or taus that are none.

    References
    ----------
    Ke et al. (2017), LightGBM: a highly efficient gradient boosting decision tree, NIPS; Meng et al. (2016), A
    communication-efficient parallel algorithm for decision tree, NIPS, for the ways to grow a tree on many machines.
    """
    if deal not in DEALS:
        refuse("deal", f"one of {', '.join(map(repr, DEALS))}", repr(deal), "correct the word")
    levels = checked_taus(model.taus, "taus")
    workers = sorted(client.ncores())
    fitted = BoostedQuantiles(**model.get_params())
    fitted.inputs_ = inputs_of(client, parts, model, until)
    jobs = _jobs([part.file for part in parts], len(workers), deal)
    dealt = [
        client.submit(read_slice, some, fitted.inputs_, until, number, of, workers=[worker], pure=False)
        for (some, number, of), worker in zip(jobs, workers, strict=True)
    ]
    X, y = _arrays(client, dealt, workers, len(fitted.inputs_.columns))
    boosters = [_boosted(client, model, tau, X, y, fitted.inputs_.categorical_positions) for tau in levels]
    fitted.boosters_ = pd.Series(boosters, index=levels)
    return fitted


def inputs_of(
    client: Client, parts: Sequence[Part], model: BoostedQuantiles, until: int | None = None
) -> Inputs:  # fmt: skip
    """Return columns and words of all parts: each worker reads the words of its files, and the union is sorted.

    Parameters
    ----------
    client, parts, model, until
        As in :func:`fit_on_cluster`.

    Returns
    -------
    Inputs
        Equal to what :meth:`casebook.demand.model_inputs.Inputs.of` learns from all rows at once.
    """
    with duckdb.connect() as con:
        one = con.execute(f"SELECT * FROM read_parquet('{parts[0].file}') LIMIT 1").df()
    found = Inputs.of(one, model.ids, model.without)
    columns, words = found.columns, list(found.words)
    waiting = [client.submit(_words, part.file, words, until, pure=False) for part in parts]
    each: list[dict[str, npt.NDArray[Any]]] = client.gather(waiting)
    union = {name: pd.Index(np.unique(np.concatenate([of[name] for of in each]))) for name in words}
    return Inputs(columns, union)


def settings_of(model: BoostedQuantiles) -> dict[str, Any]:
    """Return a model's settings in the words of LightGBM's scikit-learn interface, without tau.

    Examples
    --------
    >>> settings = settings_of(BoostedQuantiles(trees=40, leaves=7))
    >>> settings["n_estimators"], settings["num_leaves"], settings["tree_learner"]
    (40, 7, 'data')
    """
    return {
        **{"n_estimators": model.trees, "num_leaves": model.leaves, "learning_rate": model.rate},
        **{"min_child_samples": model.least, "colsample_bytree": 0.8, "subsample": 0.8, "subsample_freq": 1},
        **{"max_bin": 127, "random_state": model.seed, "deterministic": True, "force_row_wise": True},
        **{"tree_learner": "data", "verbosity": -1, "objective": "quantile"},
    }


def read_slice(
    files: Sequence[str], inputs: Inputs, until: int | None, number: int, of: int
) -> tuple[npt.NDArray[np.float32], FloatArray]:
    """Read a random share of the rows with a target: the same rows for the same files, whoever reads them.

    Parameters
    ----------
    files : sequence of str
        Of features.
    inputs : Inputs
    until : int, optional
        The last target day.
    number, of : int
        The share ``number``, counted from 0, of so many that together hold each row once.

    Returns
    -------
    X : numpy.ndarray of float32, shape (n, k)
    y : numpy.ndarray of float, shape (n,)
    """
    columns = ", ".join(dict.fromkeys(["y", *inputs.columns]))
    share = f"AND hash({_KEYS}) % {of} = {number}" if of > 1 else ""
    with duckdb.connect(config={"threads": 1}) as con:
        query = f"SELECT {columns} FROM read_parquet(?) WHERE {_known(until)} {share}"
        frame = con.execute(query, [list(files)]).df()
    if frame.empty:
        refuse(
            "parts", "files with rows to learn from for every worker", "none for one", "take later days or more rows"
        )
    return inputs.matrix(frame), frame["y"].to_numpy()


def _known(until: int | None) -> str:
    return "y IS NOT NULL" if until is None else f"y IS NOT NULL AND day <= {int(until)}"


def _words(file: str, names: Sequence[str], until: int | None) -> dict[str, npt.NDArray[Any]]:
    with duckdb.connect(config={"threads": 1}) as con:
        rows = f"FROM read_parquet('{file}') WHERE {_known(until)}"
        each = {name: f"SELECT DISTINCT {name} {rows} AND {name} IS NOT NULL" for name in names}
        return {name: np.asarray(con.execute(query).fetchnumpy()[name]) for name, query in each.items()}


def _jobs(files: Sequence[str], many: int, deal: str) -> list[tuple[Sequence[str], int, int]]:
    """Return, for each worker, the files that it reads and which share of their rows, out of how many."""
    if deal == "rows":
        return [(files, place, many) for place in range(many)]
    if len(files) < many:
        mend = "deal rows, or build more blocks"
        refuse("parts", f"at least as many files as workers, {many}", str(len(files)), mend)
    return [(files[place::many], 0, 1) for place in range(many)]


def _arrays(client: Client, dealt: Sequence[Future], workers: Sequence[str], columns: int) -> tuple[Any, Any]:
    """Return the workers' rows as two arrays of Dask; each worker keeps its own."""
    import dask.array as da

    whole = []
    for place, kind in enumerate((np.float32, float)):
        halves = [
            client.submit(operator.itemgetter(place), one, workers=[worker])
            for one, worker in zip(dealt, workers, strict=True)
        ]
        rows = client.gather(client.map(len, halves))
        shapes = [(n, columns) if place == 0 else (n,) for n in rows]
        blocks = [da.from_delayed(half, shape, dtype=kind) for half, shape in zip(halves, shapes, strict=True)]
        whole.append(da.concatenate(blocks))
    return whole[0], whole[1]


def _boosted(
    client: Client, model: BoostedQuantiles, tau: float, X: Any, y: Any, words: Sequence[int]
) -> lightgbm.Booster:
    from lightgbm.dask import DaskLGBMRegressor

    regressor = DaskLGBMRegressor(client=client, alpha=tau, **settings_of(model))
    with warnings.catch_warnings():
        # n_jobs is a parameter of every scikit-learn wrapper, given or not; here the workers' threads decide
        warnings.filterwarnings("ignore", "Parameter n_jobs will be ignored", UserWarning)
        with redirect_stdout(io.StringIO()):  # it tells that it looks for ports
            regressor.fit(X, y, categorical_feature=list(words))
    return regressor.to_local().booster_
