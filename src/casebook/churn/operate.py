"""The nightly job of chapter 4: read the warehouse, score everybody, write the list and its control group, once.

A night's output is a folder named by its date: ``features.parquet`` (what the model saw), ``model.json`` (the model
itself), ``scores.parquet``, ``calls.csv``, ``holdout.csv`` and ``report.json``. All of it is there or none of it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date
from functools import cache
from pathlib import Path

import pandas as pd

from casebook.churn.artefact import check_history, load_artefact, train_artefact
from casebook.churn.call_list import Settings, pick, score_base, with_reasons
from casebook.churn.features import build
from casebook.churn.warehouse_file import check_day, check_rows, check_schema, known_before, open_warehouse
from casebook.jobs import JobResult, Output, Step, digest_of, latest_output, run_job, write_csv, write_json
from casebook.studies.hashing import code_hash

MODEL_AGE = 35  # days after which a model that is retrained monthly is too old
LIST_AGE = 3  # days for which an older list may stand in for tonight's

Done = Mapping[str, Path]


def check_warehouse(path: str | Path, at: date, to_train: bool = False) -> None:
    """Refuse a warehouse that cannot be scored for ``at``: its schema, its day, then all of its rows.

    Parameters
    ----------
    path : str or path
    at : datetime.date
    to_train : bool
        Whether there must be history enough for a model.

    Raises
    ------
    ContractError
        At the first failure, in one sentence.
    """
    with open_warehouse(path) as connection:
        check_schema(connection)
        check_day(connection, at)
        if to_train:
            check_history(connection, at)
        check_rows(connection)


def train_job(
    warehouse: str | Path, folder: str | Path, at: date, *, seed: int = 0, replace: bool = False
) -> JobResult:
    """Write ``folder/<at>/model.json``, fitted on what was known before ``at``.

    Parameters
    ----------
    warehouse : str or path
        From :func:`casebook.churn.warehouse_file.save_warehouse`.
    folder : str or path
        The folder of models.
    at : datetime.date
    seed : int
    replace : bool
        As in :func:`casebook.jobs.run_job`.

    Returns
    -------
    JobResult

    Raises
    ------
    ContractError
        As :func:`check_warehouse`, :func:`casebook.churn.artefact.train_artefact` and :func:`casebook.jobs.run_job`.
    """
    path = Path(warehouse)
    inputs: dict[str, str | Path] = {"warehouse": path, "settings": digest_of({"seed": seed}), "code": _code()}
    steps = [Step("model", _training(path, at, seed), "model.json")]
    return run_job(folder, at, steps, inputs=inputs, gates=[lambda: check_warehouse(path, at, True)], replace=replace)


def score_job(
    warehouse: str | Path,
    folder: str | Path,
    at: date,
    *,
    settings: Settings | None = None,
    models: str | Path | None = None,
    replace: bool = False,
) -> JobResult:
    """Write tonight's output, ``folder/<at>/``; a second run with the same inputs changes nothing.

    Parameters
    ----------
    warehouse : str or path
        From :func:`casebook.churn.warehouse_file.save_warehouse`.
    folder : str or path
        The job's folder.
    at : datetime.date
        The day whose list it is; nothing from that day on is looked at.
    settings : Settings, optional
    models : str or path, optional
        The folder of :func:`train_job`; its newest model of the last 35 days is taken. By default one is trained.
    replace : bool
        As in :func:`casebook.jobs.run_job`.

    Returns
    -------
    JobResult

    Raises
    ------
    ContractError
        As :func:`train_job`; no model that is young enough, or one that was changed after it was written.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     score_job("none.duckdb", folder, date(2026, 1, 1))
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: input 'warehouse' must be a file, got nothing at 'none.duckdb'; wait for the
    load or mend the path.
    """
    path, chosen = Path(warehouse), settings or Settings()
    chosen.calls(1)  # refuses before anything is read
    inputs: dict[str, str | Path] = {"warehouse": path, "settings": digest_of(asdict(chosen)), "code": _code()}
    make = _training(path, at, chosen.seed)
    if models is not None:
        source = latest_output(models, at, MODEL_AGE).path / "model.json"
        inputs["model"] = source
        make = _copying(source)
    steps = [
        Step("features", lambda out, done: _features(path, at).to_parquet(out), "features.parquet"),
        Step("model", make, "model.json"),
        Step("scores", lambda out, done: _scores(path, at, chosen, done).to_parquet(out), "scores.parquet"),
        Step("calls", lambda out, done: _calls(out, chosen, done), "calls.csv"),
        Step("holdout", lambda out, done: _holdout(out, chosen, done), "holdout.csv"),
        Step("report", lambda out, done: write_json(out, _report(path, at, chosen, done)), "report.json"),
    ]
    return run_job(
        folder, at, steps, inputs=inputs, gates=[lambda: check_warehouse(path, at, models is None)], replace=replace
    )


def list_for(folder: str | Path, at: date, max_age_days: int = LIST_AGE) -> tuple[pd.DataFrame, Output]:
    """Return the list to work today: tonight's, or the newest one of the last days, marked with its age.

    Parameters
    ----------
    folder : str or path
        The folder of :func:`score_job`.
    at : datetime.date
    max_age_days : int
        A list older than that is refused: its people have been called, or have left.

    Returns
    -------
    tuple of pandas.DataFrame and Output
        The list; ``output.note`` says how old it is.

    Raises
    ------
    ContractError
    """
    output = latest_output(folder, at, max_age_days)
    return pd.read_csv(output.path / "calls.csv"), output


@cache
def _code() -> str:
    return code_hash("casebook.churn.operate")


def _training(warehouse: Path, at: date, seed: int) -> Callable[[Path, Done], None]:
    def step(out: Path, done: Done) -> None:
        with open_warehouse(warehouse) as connection:
            train_artefact(connection, at, seed).save(out)

    return step


def _copying(source: Path) -> Callable[[Path, Done], None]:
    def step(out: Path, done: Done) -> None:
        load_artefact(source)
        shutil.copyfile(source, out)

    return step


def _features(warehouse: Path, at: date) -> pd.DataFrame:
    with open_warehouse(warehouse) as connection:
        return build(connection, str(at))


def _scores(warehouse: Path, at: date, settings: Settings, done: Done) -> pd.DataFrame:
    features = pd.read_parquet(done["features"])
    p = load_artefact(done["model"]).predict(features)
    with open_warehouse(warehouse) as connection:
        return score_base(connection, features, p, at, settings)


def _picked(settings: Settings, done: Done) -> tuple[pd.DataFrame, pd.DataFrame]:
    scored = pd.read_parquet(done["scores"])
    return pick(scored, settings.calls(len(scored)))


def _calls(out: Path, settings: Settings, done: Done) -> None:
    listed, _ = _picked(settings, done)
    frame = with_reasons(listed, pd.read_parquet(done["features"]), load_artefact(done["model"]))
    write_csv(out, list(frame.columns), frame.itertuples(index=False))


def _holdout(out: Path, settings: Settings, done: Done) -> None:
    _, control = _picked(settings, done)
    frame = control[["subscriber_id", "account_id", "p", "at_risk"]]
    write_csv(out, list(frame.columns), frame.itertuples(index=False))


def _report(warehouse: Path, at: date, settings: Settings, done: Done) -> dict[str, object]:
    scored = pd.read_parquet(done["scores"])
    listed, control = _picked(settings, done)
    card = json.loads(done["model"].read_text(encoding="utf-8"))
    with open_warehouse(warehouse) as connection:
        loaded = known_before(connection)
    excluded = scored.loc[scored["excluded"] != "", "excluded"].value_counts()
    return {
        "date": str(at),
        "warehouse_known_before": str(loaded),
        "scored": len(scored),
        "expected_leavers": round(float(scored["p"].sum()), 1),
        "excluded": {str(why): int(n) for why, n in excluded.items()},
        "listed": len(listed),
        "held_out": len(control),
        "mean_p_listed": round(float(listed["p"].mean()), 4) if len(listed) else None,
        "dollars_at_risk_listed": round(float(listed["at_risk"].sum()), 2),
        "model_trained_for": card["trained_for"],
        "model_age_days": (at - date.fromisoformat(card["trained_for"])).days,
        "model_auc": round(float(card["auc"]), 4),
    }
