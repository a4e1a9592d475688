"""One world of each of chapter 4's studies: what is drawn, what is done in it, and when a finding counts as true."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from casebook.churn.evaluate import call_top, money_table, once, run
from casebook.churn.play import STAYS, nobody
from casebook.churn.policies import SEEN_MONTHS, SOURCE_CUT, fit_stay, lists
from casebook.churn.snapshot import Snapshot, draw_snapshot
from casebook.churn.world import World
from casebook.uplift import fit_uplift

BASE = 100_000  # subscribers; pilots are counted in months of its call capacity
HISTORY, TEST = 40_000, 40_000  # rows that fit risk and value, and rows on which lists are compared
MATERIAL = 0.02  # a finding counts when it moves two percent of what the oracle could gain
Row = dict[str, float | bool]


def world_of(dials: dict[str, float]) -> World:
    """Return the world with these dials; what is no setting of a world is left for the play."""
    names = [field.name for field in fields(World)]
    return World(**{name: dials[name] for name in names if name in dials})


def straight(seed: int) -> Pipeline:
    """Return the logistic model that learns uplift here, one for each arm."""
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(C=0.3, max_iter=500, random_state=seed))


def boosted(seed: int) -> LGBMClassifier:
    """Return the boosted model of risk."""
    settings = {"n_estimators": 120, "num_leaves": 15, "learning_rate": 0.05, "min_child_samples": 50}
    return LGBMClassifier(random_state=seed, n_jobs=1, deterministic=True, force_row_wise=True, verbose=-1, **settings)


def run_pilot(world: World, day: Snapshot, rng: np.random.Generator) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Call a random half of the companies once; return who was assigned and who was still there a month later."""
    companies = rng.random(int(day.truth.people.account.max()) + 1) < 0.5
    treated = companies[day.truth.people.account]
    return treated, run(world, day.truth, once(treated), 1).left == STAYS


def learn(world: World, rng: np.random.Generator) -> tuple[LGBMClassifier, object]:
    """Fit risk and the months that a save is worth on subscribers whom nobody called."""
    history = draw_snapshot(world, HISTORY, rng, months=SEEN_MONTHS)
    stayed = np.minimum(run(world, history.truth, nobody, SEEN_MONTHS).left, SEEN_MONTHS)
    return boosted(1).fit(history.features, (stayed == 0).astype(int)), fit_stay(history.features, stayed, 1)
