"""Chapter 4 on Hillstrom's e-mail trial: whom a message moves, read with every ranking and every Qini."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import NDArray

from casebook.churn.real_trial import EMAILS, NO_EMAIL, OUTCOMES
from casebook.contracts import check_frame, refuse
from casebook.dataset_tables import HILLSTROM
from casebook.experiments import difference
from casebook.uplift import DEFINITIONS, fit_uplift, paired_qini, qini, uplift_at

#: Learners of :func:`casebook.uplift.fit_uplift` that are compared; ``forest`` can be added for three seconds.
LEARNERS = ("class_transformation", "t", "s", "x", "dr")
#: Rankings that ask who visits, not who is moved, and one that asks nothing.
RESPONSE, RISK, RANDOM = "response", "risk", "random"

#: Curve and normalisation of each way to read one ranking.
READINGS = (("qini", "per_unit"), ("gain", "per_unit"), ("ips", "per_unit"), ("qini", "perfect"), ("qini", "none"))

#: Uplift of visits among the top share in scikit-uplift's notebooks (commit 0038e65; a tenth: EDA_Hillstrom, class
#: transformation; three tenths: pipeline_usage, boosting of depth 2), on splits and with models that are not ours.
PUBLISHED_UPLIFT: Mapping[tuple[str, float], float] = {
    ("Mens E-Mail", 0.1): 0.0654,
    ("Womens E-Mail", 0.1): 0.0314,
    ("Womens E-Mail", 0.3): 0.0661,
}

_BEFORE = ("recency", "history", "mens", "womens", "newbie", "zip_code", "channel")


@dataclass(frozen=True, eq=False)
class RankedTrial:
    """One e-mail against none: scores that saw one half of the customers, judged on the other.

    Attributes
    ----------
    arm, outcome : str
    held_out : pandas.DataFrame
        The other half: ``y``, ``treated`` (0/1), and a column per score.
    paired : pandas.DataFrame
        Index ``definition`` and ``score``: Qini per customer with its bootstrap interval, and the difference to the
        response ranking with its own, from the same draws. They hold for the scores as fitted: another half to fit
        on is not in them, see :func:`over_splits`.
    readings : pandas.DataFrame
        Index ``definition`` and ``normalise`` (:data:`READINGS`), a column per score, and ``formula``.
    """

    arm: str
    outcome: str
    held_out: pd.DataFrame
    paired: pd.DataFrame
    readings: pd.DataFrame


def hillstrom_uplift(
    frame: pd.DataFrame,
    arm: str,
    outcome: str = "visit",
    *,
    seed: int,
    kinds: Sequence[str] = LEARNERS,
    draws: int = 200,
) -> RankedTrial:
    """Fit all rankings on half of the customers and read them on the other half, in every way.

    All learn with the same base, a small LightGBM. ``response`` is p(y) fitted on the treated, ``risk`` p(y) fitted on
    the controls, ``random`` a draw.

    Parameters
    ----------
    frame : pandas.DataFrame
        As :func:`casebook.datasets.prepare_hillstrom` returns it.
    arm : str
        One of :data:`EMAILS`.
    outcome : {"visit", "conversion"}
    seed : int
        Of the halves, the learners and the bootstrap.
    kinds : sequence of str
        Learners of :func:`casebook.uplift.fit_uplift`.
    draws : int
        Of the bootstrap.

    Returns
    -------
    RankedTrial

    Raises
    ------
    ContractError
        If the frame breaks ``HILLSTROM``, for another arm or outcome, or an unknown kind.

    Examples
    --------
    >>> hillstrom_uplift(pd.DataFrame(), "No E-Mail", seed=1)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: arm must be one of Mens E-Mail, Womens E-Mail, got 'No E-Mail'; name the e-mail.
    """
    held_out = _held_out(frame, arm, outcome, seed, kinds)
    y, treated, scores = _columns(held_out)
    tables = {
        definition: paired_qini(
            y,
            treated,
            scores,
            rng=np.random.default_rng(seed),
            draws=draws,
            definition=definition,
            reference=RESPONSE,
        )
        for definition in DEFINITIONS
    }
    paired = pd.concat(tables, names=["definition"])
    return RankedTrial(arm, outcome, held_out, paired, _readings(held_out))


def over_splits(
    frame: pd.DataFrame,
    arm: str,
    outcome: str = "visit",
    *,
    seed: int,
    splits: int = 5,
    kinds: Sequence[str] = ("t", "s"),
) -> pd.DataFrame:
    """Repeat fit and reading on fresh halves, to see whether the order of the rankings outlives its split.

    Parameters
    ----------
    frame, arm, outcome, kinds
        As in :func:`hillstrom_uplift`.
    seed : int
        Of the first split; the others count up from it.
    splits : int
        How often the customers are halved. The halves overlap, so the counts are no independent trials.

    Returns
    -------
    pandas.DataFrame
        Index ``score``: Qini per customer, ``mean`` and ``sd`` over splits; ``above_random`` and ``above_response``,
        in how many splits, of ``splits``.

    Raises
    ------
    ContractError
        As :func:`hillstrom_uplift`; fewer than two splits.

    Examples
    --------
    >>> over_splits(pd.DataFrame(), "Mens E-Mail", seed=1, splits=1)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: splits must be 2 or more, got 1; take 5.
    """
    if splits < 2:
        refuse("splits", "2 or more", repr(splits), "take 5")
    found = []
    for split in range(seed, seed + splits):
        y, treated, scores = _columns(_held_out(frame, arm, outcome, split, kinds))
        found.append({name: qini(y, treated, score).value for name, score in scores.items()})
    values = pd.DataFrame(found)
    columns = {
        "mean": values.mean(),
        "sd": values.std(),
        "above_random": (values > 0).sum(),
        "above_response": values.gt(values[RESPONSE], axis=0).sum(),
    }
    return pd.DataFrame(columns).assign(splits=splits).rename_axis("score")


def saturation(ranked: RankedTrial, shares: Sequence[float] = (0.1, 0.3, 1.0)) -> pd.DataFrame:
    """Return what mailing the top share of each ranking adds, from a tenth of the customers to all.

    Parameters
    ----------
    ranked : RankedTrial
    shares : sequence of float
        Each in (0, 1].

    Returns
    -------
    pandas.DataFrame
        Index ``score`` and ``share``: ``targeted`` (customers of the held-out half, both arms), ``uplift`` among them
        with ``low`` and ``high`` (95%), ``extra`` (outcomes that mailing them all would add), ``of_all`` (as a share
        of what mailing everybody adds), ``marginal``: uplift among those whom this share adds to the one before.
        Shares rise.

    Raises
    ------
    ContractError
        A share outside (0, 1], or too small for two rows of each arm.

    Examples
    --------
    >>> PUBLISHED_UPLIFT["Womens E-Mail", 0.3]
    0.0661
    """
    y, treated, scores = _columns(ranked.held_out)
    everybody = difference(y, treated).estimate * len(y)
    steps = sorted(set(shares))
    rows = {}
    for name, score in scores.items():
        before = extra_before = 0.0
        for share in steps:
            found, targeted = uplift_at(y, treated, score, share), share * len(y)
            extra = found.value * targeted
            rows[name, share] = {
                "targeted": round(targeted),
                "uplift": found.value,
                "low": found.low,
                "high": found.high,
                "extra": extra,
                "of_all": extra / everybody,
                "marginal": (extra - extra_before) / (targeted - before),
            }
            before, extra_before = targeted, extra
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["score", "share"])


def _held_out(frame: pd.DataFrame, arm: str, outcome: str, seed: int, kinds: Sequence[str]) -> pd.DataFrame:
    if arm not in EMAILS:
        refuse("arm", f"one of {', '.join(EMAILS)}", repr(arm), "name the e-mail")
    if outcome not in OUTCOMES[:2]:
        refuse("outcome", "visit or conversion", repr(outcome), "pick one")
    table = check_frame(frame, HILLSTROM)
    table = table[table["arm"].isin([arm, NO_EMAIL])].reset_index(drop=True)
    features = pd.get_dummies(table[list(_BEFORE)], dtype=float).astype(float)
    y, treated = table[outcome].to_numpy(), (table["arm"] == arm).to_numpy()
    rng = np.random.default_rng(seed)
    fit, judge = np.array_split(rng.permutation(len(table)), 2)
    columns: dict[str, NDArray[Any]] = {"y": y[judge], "treated": treated[judge].astype(int)}
    X, asked = features.iloc[fit], features.iloc[judge]
    for name, rows in ((RESPONSE, treated[fit]), (RISK, ~treated[fit])):
        columns[name] = _base(seed).fit(X[rows], y[fit][rows]).predict_proba(asked)[:, 1]
    columns[RANDOM] = rng.random(len(judge))
    for kind in kinds:
        base = None if kind == "forest" else _base(seed)
        columns[kind] = fit_uplift(kind, X, y[fit], treated[fit], seed=seed, base=base)(asked)
    return pd.DataFrame(columns)


def _base(seed: int) -> Any:
    """The one model of an outcome that all rankings learn with; one thread, so that sums add up in one order."""
    return LGBMClassifier(
        n_estimators=100,
        num_leaves=15,
        learning_rate=0.05,
        min_child_samples=50,
        n_jobs=1,
        deterministic=True,
        force_row_wise=True,
        verbose=-1,
        random_state=seed,
    )


def _columns(
    held_out: pd.DataFrame,
) -> tuple[NDArray[np.int64], NDArray[np.int64], dict[str, NDArray[np.float64]]]:
    scores = {str(name): held_out[name].to_numpy() for name in held_out.columns[2:]}
    return held_out["y"].to_numpy(), held_out["treated"].to_numpy(), scores


def _readings(held_out: pd.DataFrame) -> pd.DataFrame:
    y, treated, scores = _columns(held_out)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for definition, normalise in READINGS:
        found = {
            name: qini(y, treated, score, definition=definition, normalise=normalise) for name, score in scores.items()
        }
        formula = next(iter(found.values())).formula
        rows[definition, normalise] = {name: one.value for name, one in found.items()} | {"formula": formula}
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis(["definition", "normalise"])
