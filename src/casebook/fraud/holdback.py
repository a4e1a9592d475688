"""Some cards stay on the old model: the policy, what the bank reads of both groups, and what the others cost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import BoolArray, refuse
from casebook.experiments import assign, srm_sequential
from casebook.fraud.feature_spec import FEATURES, KEYS, RISK_KEYS, RISK_WINDOWS, WINDOWS
from casebook.fraud.in_force import CUT_DAYS, Fit, Fitted, Schedule, fit_known, fit_light
from casebook.fraud.morning import Morning
from casebook.fraud.outcomes import ALLOW
from casebook.fraud.recorder import Recorded
from casebook.fraud.simulate import Run
from casebook.fraud.world import DAY

SIGNALS = ("reports", "denials", "alerts")
ALPHA = 0.01  # chance that a sound release is ever called a regression by one signal
RISE = 0.3  # share by which a regression worth finding moves a signal; it tunes the test, and not its error
_NAMES = list(FEATURES)


@dataclass(frozen=True)
class Fault:
    """A regression at serving: the model was fitted to whole features and is served broken ones.

    Parameters
    ----------
    name : str
    columns : tuple of str
        Features that break.
    how : {"zero", "shuffle"}
        Filled with 0, as a store that is down may answer; or in the rows of another event of the day, as after a
        join on the wrong key.
    """

    name: str
    columns: tuple[str, ...]
    how: Literal["zero", "shuffle"]

    def serve(self, values: npt.NDArray[Any], rng: np.random.Generator) -> npt.NDArray[Any]:
        """Return features as they are served, shape (n, len(FEATURES)); the input is not changed.

        Examples
        --------
        >>> values = np.ones((2, len(FEATURES)))
        >>> Fault("amount", ("amount_cents",), "zero").serve(values, np.random.default_rng(0)).sum() - values.sum()
        np.float64(-2.0)
        """
        places = [_NAMES.index(name) for name in self.columns]
        broken = values.copy()
        order = rng.permutation(len(values))
        broken[:, places] = 0 if self.how == "zero" else values[order][:, places]
        return broken


_COUNTS = tuple(f"{key}_{what}_{window}" for key in KEYS for what in ("count", "cents") for window in WINDOWS)
FAULTS = (
    Fault("risk store down", tuple(f"{key}_risk_{window}" for key in RISK_KEYS for window in RISK_WINDOWS), "zero"),
    Fault("velocity store down", _COUNTS, "zero"),
    Fault("card's mean lost", ("amount_to_mean", "card_mean_cents"), "zero"),
    Fault("categories shuffled", ("category",), "shuffle"),
    Fault("entries shuffled", ("entry", "channel"), "shuffle"),
)
"""Regressions from which worlds draw; which of them hurt is for the worlds to say."""


@dataclass(frozen=True)
class Release:
    """A new model's release with a holdback.

    Parameters
    ----------
    share : float
        Share of the cards that stay on the old model, in (0, 1).
    fitted, day : int
        Days of the old model's fit and of the release, on which the new one is fitted.
    fault : Fault, optional
        What is broken when the new model is served.
    same : bool
        Release the old model again: then the groups differ by luck alone.
    push, block : float
        Of both models, as in :class:`casebook.fraud.in_force.Schedule`.

    Raises
    ------
    ContractError
        A share outside (0, 1), or a release before the fit.

    Examples
    --------
    >>> Release(share=1.0)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Release, share must be above 0 and below 1, got 1; one in a hundred is usual.
    """

    share: float
    fitted: int = 28
    day: int = 49
    fault: Fault | None = None
    same: bool = False
    push: float = 0.01
    block: float = 0.001

    def __post_init__(self) -> None:
        if not 0 < self.share < 1:
            refuse("Release, share", "above 0 and below 1", f"{self.share:g}", "one in a hundred is usual")
        if not 1 <= self.fitted <= self.day:
            got = f"fitted {self.fitted} and day {self.day}"
            refuse("Release", "fitted on a day from 1 on and released then or later", got, "mend the days")


class HeldBack:
    """A policy that releases a new model to all cards but the holdback; one for each run.

    Parameters
    ----------
    release : Release
    cards : int
        Cards of the world; which of them are held back is drawn by :func:`casebook.experiments.assign`.
    rng : numpy.random.Generator
    fit : callable, optional

    Attributes
    ----------
    held : array of bool, shape (cards,)

    Examples
    --------
    >>> from casebook.fraud.simulate import simulate
    >>> from casebook.fraud.world import World
    >>> policy = HeldBack(Release(0.5, fitted=15, day=20), 400, np.random.default_rng(1))
    >>> run = simulate(World(prevalence=0.02), 400, 25, np.random.default_rng(0), policy)
    >>> int(policy.held.sum()), sorted(policy.models)
    (200, ['new', 'old'])
    """

    def __init__(self, release: Release, cards: int, rng: np.random.Generator, fit: Fit = fit_light) -> None:
        for_cards, self._for_fits, self._for_faults = rng.spawn(3)
        self.release, self._fit = release, fit
        self.held: BoolArray = assign(np.arange(cards), for_cards, release.share).to_numpy()
        self.models: dict[str, Fitted] = {}
        self._recorder = Recorded(self._decide)

    def __call__(self, morning: Morning) -> npt.NDArray[Any]:
        """Return an action for each event of the day."""
        return self._recorder(morning)

    def _decide(self, morning: Morning, features: pd.DataFrame) -> npt.NDArray[np.int8]:
        release = self.release
        if morning.day == release.fitted:
            self.models["old"] = self._fitted(morning)
        if morning.day == release.day:
            self.models["new"] = self.models["old"] if release.same else self._fitted(morning)
        if not self.models:
            return np.zeros(len(features), np.int8)
        values = features.to_numpy()
        old = self.models["old"].actions(self.models["old"].score(values))
        if "new" not in self.models:
            return old
        served = release.fault.serve(values, self._for_faults) if release.fault else values
        new = self.models["new"].actions(self.models["new"].score(served))
        return np.where(self.held[morning.events["card_id"].to_numpy()], old, new).astype(np.int8)

    def _fitted(self, morning: Morning) -> Fitted:
        window, push, block = max(self.release.fitted, CUT_DAYS), self.release.push, self.release.block
        schedule = Schedule(start=morning.day, window=window, push=push, block=block)
        return fit_known(morning, self._recorder.features, schedule, self._for_fits, self._fit)


def first_days(run: Run, release_day: int, signal: str) -> pd.Series:
    """Return the day on which the bank first knows of a signal on a card since the release.

    A card counts once, so that an episode of ten frauds on it is one. Only events since the release count: what is
    reported of earlier ones is the old model's in both groups.

    Parameters
    ----------
    run : Run
        Its tables are read, and nothing of the truth.
    release_day : int
    signal : {"reports", "denials", "alerts"}

    Returns
    -------
    pandas.Series of int
        Days since the release, 0 on its own; index the cards that gave one.

    Raises
    ------
    ContractError
        Another signal, or a release after the run's end.
    """
    if signal not in SIGNALS:
        refuse("signal", f"one of {', '.join(SIGNALS)}", repr(signal), "name one of them")
    if not 0 <= release_day < run.days:
        refuse("release_day", f"in 0 to {run.days - 1}", str(release_day), "pass a day of the run")
    events = run.tables["events"]
    ids, when = _signals(run, signal)
    since = when // DAY - release_day
    late = (events["at"].to_numpy()[ids] >= release_day * DAY) & (since < run.days - release_day)
    seen = pd.DataFrame({"card_id": events["card_id"].to_numpy()[ids[late]], "day": since[late]})
    return seen.groupby("card_id")["day"].min()


def by_group(first: pd.Series, held: BoolArray, days: int) -> pd.DataFrame:
    """Return how many cards of each group gave their first signal on each day.

    Parameters
    ----------
    first : pandas.Series
        From :func:`first_days`.
    held : array of bool, shape (cards,)
    days : int

    Returns
    -------
    pandas.DataFrame
        Index ``day`` from 0, the release's; columns ``held`` and ``released``.

    Examples
    --------
    >>> by_group(pd.Series([0, 2, 2], index=[1, 0, 3]), np.array([True, False, False, True]), 3).values.tolist()
    [[0, 1], [0, 0], [2, 0]]
    """
    group, day = held[first.index.to_numpy()], first.to_numpy()
    counts = {name: np.bincount(day[side], minlength=days) for name, side in (("held", group), ("released", ~group))}
    return pd.DataFrame(counts, index=pd.RangeIndex(days, name="day"))


def _signals(run: Run, signal: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the events' ids and the seconds at which the bank knows of the signal."""
    if signal == "reports":
        table = run.tables["reports"]
        return table["event_id"].to_numpy(), table["reported_at"].to_numpy()
    if signal == "denials":
        table = run.tables["answers"]
        table = table[(table["answer"] == "deny").to_numpy()]
        return table["event_id"].to_numpy(), table["at"].to_numpy()
    met = np.flatnonzero(run.tables["decisions"]["action"].to_numpy() != ALLOW)
    return met, run.tables["events"]["at"].to_numpy()[met]


def concentration(share: float, rise: float = RISE) -> float:
    """Return what the sequential test's Dirichlet is worth to look for a signal that moved by a share ``rise``.

    The held group's share of the signals then has a prior spread of ``rise`` times itself.

    Examples
    --------
    >>> round(concentration(0.05, 0.5)), round(concentration(0.01, 0.5))
    (76, 396)
    """
    return (1 - share) / (share * rise**2)


def alarm_day(counts: pd.DataFrame, share: float, alpha: float = ALPHA, rise: float = RISE) -> float:
    """Return the day, 1 the first after the release, on whose end the groups are known to differ; NaN if never.

    If the models are equal, each card with a signal is a held one with the chance ``share``, whenever and however
    often one looks: the test of a sample ratio, :func:`casebook.experiments.srm_sequential`, read as a test of the
    models. It is always valid for any counts, however few, so that even a card or two may be looked at daily.

    Parameters
    ----------
    counts : pandas.DataFrame
        From :func:`by_group`.
    share : float
        Of the cards held back.
    alpha : float
        Chance that it ever alarms while the models are equal.
    rise : float
        As in :func:`concentration`.

    Returns
    -------
    float

    Examples
    --------
    >>> counts = pd.DataFrame({"held": [3, 2, 3], "released": [120, 260, 280]})
    >>> alarm_day(counts, share=0.05)
    3.0
    """
    looks = counts[["held", "released"]].to_numpy()
    read = srm_sequential(looks, [share, 1 - share], alpha=alpha, concentration=concentration(share, rise))
    broken = read["broken"].to_numpy()
    return float(np.argmax(broken) + 1) if broken.any() else np.nan
