"""From readings to a verdict, with limits that quiet banks set and a stated rate of false alarms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd

from casebook.contracts import refuse, require_columns
from casebook.fraud.diagnose import FRAUD_READINGS, HONEST_READINGS, READINGS, Diagnosis

VERDICTS = ("nothing", "novel attack", "decay", "both")
CAUSES = ("none", "novel attack", "decay", "both")
ALPHA = 0.1
"""Chance that a quiet bank is told anything: half for each of the two questions."""
_USUAL = 0.9  # quantile of a quiet bank's readings that makes readings of different kinds comparable


@dataclass(frozen=True)
class Limits:
    """What quiet banks read.

    Attributes
    ----------
    usual : mapping of str to float
        For each of ``READINGS`` the value that nine in ten quiet banks stay below.
    frauds, honest : float
        Limits of the largest reading of each question, in usual values.
    worlds : int
        Quiet banks that they come from.
    alpha : float
        Chance of a false alarm by either question that they were set for; at most the sum of both.
    """

    usual: Mapping[str, float]
    frauds: float
    honest: float
    worlds: int
    alpha: float


def fit_limits(quiet: pd.DataFrame, alpha: float = ALPHA) -> Limits:
    """Set the limits from banks in which nothing changed.

    A question's limit is the k-th largest of n quiet banks, k = alpha / 2 (n + 1) rounded down: a further quiet bank
    lies above it with probability k / (n + 1), whatever the distribution.

    Parameters
    ----------
    quiet : pandas.DataFrame
        One row a bank, with :data:`casebook.fraud.diagnose.READINGS`.
    alpha : float
        In (0, 1).

    Returns
    -------
    Limits

    Raises
    ------
    ContractError
        A missing column, or too few banks for such an alpha.

    References
    ----------
    Vovk, Gammerman and Shafer (2005), Algorithmic learning in a random world (conformal prediction).

    Examples
    --------
    >>> quiet = pd.DataFrame({name: np.arange(1.0, 40.0) for name in READINGS})
    >>> limits = fit_limits(quiet)
    >>> round(limits.frauds, 3), limits.usual["cells"]
    (1.08, 35.2)
    """
    require_columns(quiet, list(READINGS), "quiet")
    n = len(quiet)
    k = int(np.floor(alpha / 2 * (n + 1) + 1e-9))
    if not 0 < alpha < 1 or k < 1:
        needed = int(np.ceil(2 / alpha)) - 1 if 0 < alpha < 1 else 1
        refuse("quiet", f"{needed} banks or more for alpha = {alpha:g}", str(n), "play more quiet banks")
    usual = {name: max(float(quiet[name].quantile(_USUAL)), 1e-6) for name in READINGS}
    limit = {
        question: float(np.sort(_largest(quiet, usual, names))[-k])
        for question, names in (("frauds", FRAUD_READINGS), ("honest", HONEST_READINGS))
    }
    return Limits(usual, limit["frauds"], limit["honest"], n, alpha)


def questions(readings: pd.DataFrame, limits: Limits) -> pd.DataFrame:
    """Return whether each bank's frauds, and its honest traffic, are beyond the limits: ``frauds`` and ``honest``."""
    require_columns(readings, list(READINGS), "readings")
    frauds = _largest(readings, limits.usual, FRAUD_READINGS) > limits.frauds
    honest = _largest(readings, limits.usual, HONEST_READINGS) > limits.honest
    return pd.DataFrame({"frauds": frauds, "honest": honest}, index=readings.index)


def verdicts(readings: pd.DataFrame, limits: Limits) -> pd.Series:
    """Return the verdict on each bank, one of :data:`VERDICTS`.

    Examples
    --------
    >>> limits = Limits(dict.fromkeys(READINGS, 1.0), frauds=2.0, honest=3.0, worlds=39, alpha=0.1)
    >>> quiet = dict.fromkeys(READINGS, 1.0)
    >>> verdicts(pd.DataFrame([quiet, quiet | {"cells": 2.1}, quiet | {"scores": 4.0}]), limits).tolist()
    ['nothing', 'novel attack', 'decay']
    """
    yes = questions(readings, limits)
    code = yes["frauds"].astype(int) + 2 * yes["honest"].astype(int)
    return code.map(dict(enumerate(VERDICTS))).rename("verdict")


@dataclass(frozen=True)
class Verdict:
    """A verdict with what it rests on.

    Attributes
    ----------
    verdict : {"nothing", "novel attack", "decay", "both"}
    evidence : pandas.DataFrame
        One row a reading: ``question``, ``reading``, ``value``, ``usual`` (of nine in ten quiet banks), ``times``
        (value / usual), ``limit`` (of times), ``beyond``.
    sentence : str
        What to say to those who must act.
    """

    verdict: str
    evidence: pd.DataFrame
    sentence: str


def conclude(found: Diagnosis, limits: Limits) -> Verdict:
    """Return the verdict on one bank, with the evidence and the sentence to say.

    Parameters
    ----------
    found : Diagnosis
    limits : Limits

    Returns
    -------
    Verdict

    Examples
    --------
    >>> limits = Limits(dict.fromkeys(READINGS, 2.0), frauds=1.5, honest=1.5, worlds=39, alpha=0.1)
    >>> found = Diagnosis(9.0, 1.0, 1.0, 1.0, 1.0, 1.0, "entry=wallet", in_cell=12, missed=30, earlier=400)
    >>> conclude(found, limits).sentence
    'A new attack: 12 of 30 missed frauds are entry=wallet, where hardly any of 400 earlier ones were, and the honest \
traffic is as usual. Send these cases to review and write a rule for them today; a refit waits for their reports.'
    """
    row = pd.DataFrame([asdict(found)])
    verdict = str(verdicts(row, limits).iloc[0])
    evidence = pd.DataFrame(
        [
            {"question": question, "reading": name, "value": value, "usual": limits.usual[name]}
            | {"times": value / limits.usual[name], "limit": limit, "beyond": value / limits.usual[name] > limit}
            for question, names, limit in (
                ("frauds", FRAUD_READINGS, limits.frauds),
                ("honest", HONEST_READINGS, limits.honest),
            )
            for name in names
            for value in [float(row[name].iloc[0])]
        ]
    )
    return Verdict(verdict, evidence, _sentence(verdict, found, evidence))


def confusion(cause: Sequence[Any] | pd.Series, verdict: Sequence[Any] | pd.Series) -> pd.DataFrame:
    """Return how many banks of each cause got which verdict: rows :data:`CAUSES`, columns :data:`VERDICTS`.

    Examples
    --------
    >>> confusion(["none", "decay", "decay"], ["nothing", "decay", "both"]).loc["decay"].tolist()
    [0, 0, 1, 1]
    """
    pairs = pd.DataFrame({"cause": list(cause), "verdict": list(verdict)})
    strange = ~pairs["cause"].isin(CAUSES) | ~pairs["verdict"].isin(VERDICTS)
    if strange.any():
        row = int(np.argmax(strange))
        must = f"a cause of {', '.join(CAUSES)} and a verdict of {', '.join(VERDICTS)}"
        refuse(f"row {row}", must, f"{pairs['cause'][row]!r} and {pairs['verdict'][row]!r}", "use these words")
    table = pd.crosstab(pairs["cause"], pairs["verdict"])
    return table.reindex(index=list(CAUSES), columns=list(VERDICTS), fill_value=0)


def _largest(readings: pd.DataFrame, usual: Mapping[str, float], names: Sequence[str]) -> np.ndarray:
    return np.max([readings[name].to_numpy(dtype=float) / usual[name] for name in names], axis=0)


def _sentence(verdict: str, found: Diagnosis, evidence: pd.DataFrame) -> str:
    attack = (
        f"{found.in_cell} of {found.missed} missed frauds are {found.cell}, where hardly any of {found.earlier} "
        "earlier ones were"
        if found.cell
        else f"the {found.missed} missed frauds lie far from the {found.earlier} earlier ones"
    )
    ours = evidence[evidence["question"] == "honest"]
    top = ours.iloc[int(ours["times"].to_numpy().argmax())]
    named = f"{top['reading']} ({found.column})" if top["reading"] == "traffic" else str(top["reading"])
    moved = f"{named} reads {top['times']:.1f} times what nine in ten quiet banks read"
    return {
        "nothing": f"Nothing to act on: {moved}, and {found.missed} missed frauds lie where earlier ones lay.",
        "novel attack": f"A new attack: {attack}, and the honest traffic is as usual. Send these cases to review and "
        "write a rule for them today; a refit waits for their reports.",
        "decay": f"Decay: {moved}, and the missed frauds lie where earlier ones lay. Refit on recent weeks and set the "
        "cuts anew.",
        "both": f"Both: {attack}; and {moved}. Write the rule first, then refit.",
    }[verdict]
