"""Banks in which a seventh kind of fraud appears: what an isolation forest sees of it, and a model fitted to labels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.contracts import refuse
from casebook.fraud.compare import listed
from casebook.fraud.dials import ADVERSARY, BANK, CHANGES
from casebook.fraud.evaluate import recall_at_fpr
from casebook.fraud.model_base import Model
from casebook.fraud.models import AnomalyModel, BoostedModel
from casebook.fraud.plays_models import mixed_rows
from casebook.fraud.protocol import Evidence, Origin, training
from casebook.fraud.recorder import Recorded
from casebook.fraud.simulate import Run, simulate
from casebook.fraud.world import DAY, NOVEL, World
from casebook.worlds import Dial

CARDS, DAYS = 2_500, 90
NOVEL_DAY = 60
BEFORE = Origin(21, 52, NOVEL_DAY, DAYS - 1)
LATER = Origin(36, 67, 75, DAYS - 1)
"""Fits on the day on which the new kind begins, and fifteen days after; both are tested on the latter's days."""

FPR, LISTED = 0.01, 20
LEAST = 30
"""Frauds below which a world has no value."""

MATERIAL = 0.05  # recall from which on a lead counts
SEEING = ("forest", "before", "later")
Row = dict[str, float | bool]

_DIAL = {dial.name: replace(dial, null=None) for dial in (*BANK, *ADVERSARY, *CHANGES)}
DIALS: tuple[Dial, ...] = (
    replace(_DIAL["prevalence"], low=0.004, source="assumed: the top of the bank's, so that a small bank can count"),
    replace(_DIAL["novel_share"], low=0.2, source="assumed: a fifth to a half, so that a small bank can count it"),
    *(_DIAL[name] for name in ("delay_days", "speed", "sharing")),
    Dial("own", 0.95, 1.0, "share of events",
         "assumed: a join that mixes up the features of no event, or of one in twenty on the same day",
         "whether there is anything to see", null=0.0),
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Seen:
    """What each model says of the later days' events.

    Attributes
    ----------
    test : pandas.DataFrame
        ``fraud``, ``kind`` ("" for honest events), ``card_id``, ``day``.
    score : pandas.DataFrame
        Row by row as ``test``: ``forest`` (isolation forest, no label), ``before`` (boosted trees fitted on the day on
        which the new kind begins), ``later`` (the same fifteen days later).
    known_new : int
        Frauds of the new kind whose report the later fit had.
    """

    test: pd.DataFrame
    score: pd.DataFrame
    known_new: int


def see_novel(run: Run, features: pd.DataFrame, rng: np.random.Generator) -> Seen:
    """Fit the three, and score the days from ``LATER.test_first`` on.

    Parameters
    ----------
    run : Run
        Of 90 days or more, with the new kind from :data:`NOVEL_DAY` on.
    features : pandas.DataFrame
        Of every event, such as ``Recorded(...).features``.
    rng : numpy.random.Generator

    Returns
    -------
    Seen

    Raises
    ------
    ContractError
        A run that is too short, or features of other events.
    """
    if run.days <= LATER.test_last:
        refuse("run", f"of {DAYS} days or more", f"{run.days}", "play it longer")
    evidence = Evidence(features, run.tables, run.truth.events["fraud"].to_numpy())
    where = evidence.rows(LATER.test_first, LATER.test_last)
    kind = run.truth.events["kind"].astype(str).to_numpy()[where]
    fraud = evidence.fraud[where]
    test = pd.DataFrame({"fraud": fraud, "kind": np.where(fraud, kind, "")})
    test = test.assign(card_id=evidence.card[where], day=evidence.day[where])
    plans: dict[str, tuple[Model, Origin]] = {
        "forest": (AnomalyModel(), BEFORE),
        "before": (BoostedModel(), BEFORE),
        "later": (BoostedModel(), LATER),
    }
    score = {}
    for name, (model, plan) in plans.items():
        X, y, kept = training(evidence, plan, rng)
        score[name] = model.fit(X, y, kept).predict(features.iloc[where])
    return Seen(test, pd.DataFrame(score), _known_new(run))


def _known_new(run: Run) -> int:
    told = run.tables["reports"]
    in_time = told.loc[told["reported_at"] < LATER.test_first * DAY, "event_id"]
    truth = run.truth.events
    at = run.tables["events"]["at"].to_numpy()
    trained = at < (LATER.train_last + 1) * DAY
    return int((truth["kind"].astype(str) == NOVEL).to_numpy()[trained & truth["event_id"].isin(in_time)].sum())


def seen_table(seen: Seen, fpr: float = FPR, k: int = LISTED) -> pd.DataFrame:
    """Return how much of the new kind and of the six known ones each model finds.

    Parameters
    ----------
    seen : Seen
    fpr : float
        Share of honest events that may be stopped.
    k : int
        Cards on a day's list.

    Returns
    -------
    pandas.DataFrame
        Index ``forest``, ``before``, ``later``: ``known`` and ``new`` (recall, one cut for both), ``known_frauds`` and
        ``new_frauds`` (behind them), ``listed_known`` and ``listed_new`` (share of the daily list's cards that had
        such a fraud on that day).

    Examples
    --------
    >>> test = pd.DataFrame({"fraud": [True, True, False, False], "kind": ["ring", "wallet", "", ""]})
    >>> test = test.assign(card_id=[1, 2, 3, 4], day=0)
    >>> score = pd.DataFrame({"forest": [0.2, 0.9, 0.1, 0.3]})
    >>> seen_table(Seen(test, score, 0), fpr=0.0, k=1)[["known", "new", "listed_new"]]
            known  new  listed_new
    forest    0.0  1.0         1.0
    """
    test = seen.test
    rows: dict[str, dict[str, float]] = {}
    fraud, novel = test["fraud"].to_numpy(), (test["kind"] == NOVEL).to_numpy()
    for name in seen.score:
        score = seen.score[name].to_numpy()
        cards = listed(test["card_id"], test["day"], score, k)
        rows[str(name)] = {}
        for words, which in (("known", fraud & ~novel), ("new", novel)):
            kept = which | ~fraud
            found = recall_at_fpr(fraud[kept], score[kept], fpr) if which.any() else np.nan
            bad = test.loc[which, ["day", "card_id"]].drop_duplicates()
            share = len(bad.merge(cards, on=["day", "card_id"])) / len(cards)
            rows[str(name)] |= {words: found, f"{words}_frauds": int(which.sum()), f"listed_{words}": share}
    return pd.DataFrame.from_dict(rows, orient="index")


def play_novel(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Draw one bank in which nothing is stopped and a new kind begins on day 60, and look for it on days 75 to 89.

    Parameters
    ----------
    dials : dict
        ``prevalence``, ``novel_share``, ``delay_days``, ``speed``, ``sharing`` of :class:`casebook.fraud.world.World`,
        and ``own``, the share of events whose features are theirs; at 0 no feature says anything of its event.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``new_frauds``, ``known_frauds`` (of the test), ``known_new`` (frauds of the new kind whose report the later
        fit had); recall at 1% false positives ``new_forest``, ``new_before``, ``new_later``, ``known_forest``,
        ``known_before``, ``known_later``; ``listed_new_forest``, ``listed_new_before``, ``listed_new_later``. They are
        missing with fewer than ``LEAST`` frauds of either sort. The findings, by more than a twentieth of recall:

        ``forest_sees_more``, ``labels_see_more`` : of the new kind, the forest or the model fitted before it.
        ``labels_see_known`` : of the known kinds, the model fitted before.
        ``refit_sees_more`` : of the new kind, the refit one against the forest; ``refit_gains`` against before.
    """
    for_world, for_mix, for_fit = rng.spawn(3)
    recorder = Recorded()
    settings: dict[str, Any] = {name: value for name, value in dials.items() if name != "own"}
    run = simulate(World(**settings, novel_day=NOVEL_DAY), CARDS, DAYS, for_world, recorder)
    features = _mixed(recorder.features, run, dials["own"], for_mix)
    seen = see_novel(run, features, for_fit)
    table = seen_table(seen)
    new, known = (int(table[f"{words}_frauds"].iloc[0]) for words in ("new", "known"))
    row: Row = {"new_frauds": new, "known_frauds": known, "known_new": seen.known_new}
    enough = min(new, known) >= LEAST
    for words in ("new", "known", "listed_new"):
        row |= {f"{words}_{name}": float(table[words][name]) if enough else np.nan for name in SEEING}
    return row | _findings(row)


def _mixed(features: pd.DataFrame, run: Run, own: float, rng: np.random.Generator) -> pd.DataFrame:
    day: NDArray[np.int64] = run.tables["events"]["at"].to_numpy() // DAY
    return features.take(mixed_rows(day, own, rng)).set_axis(features.index)


def _findings(row: Row) -> Row:
    new = {name: row[f"new_{name}"] for name in SEEING}
    return {
        "forest_sees_more": bool(new["forest"] > new["before"] + MATERIAL),
        "labels_see_more": bool(new["before"] > new["forest"] + MATERIAL),
        "labels_see_known": bool(row["known_before"] > row["known_forest"] + MATERIAL),
        "refit_sees_more": bool(new["later"] > new["forest"] + MATERIAL),
        "refit_gains": bool(new["later"] > new["before"] + MATERIAL),
    }
