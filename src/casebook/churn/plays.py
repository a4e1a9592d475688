"""One company in which lists meet: pilots of every size, what they teach, and what each list earns."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import pandas as pd
from lightgbm import LGBMClassifier
from numpy.typing import NDArray
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from casebook.churn.evaluate import call_top, money_table, once, run
from casebook.churn.play import STAYS, nobody
from casebook.churn.policies import SEEN_MONTHS, fit_stay, lists
from casebook.churn.snapshot import Snapshot, draw_snapshot
from casebook.churn.world import World
from casebook.experiments import difference
from casebook.uplift import fit_uplift

BASE = 100_000  # subscribers; pilots are counted in months of its call capacity
HISTORY, TEST = 40_000, 40_000  # rows that fit risk and value, and rows on which lists are compared
LEAST_PILOT = 1_000  # rows below which nobody would fit uplift
ASSUMED_SAVE_RATE = 0.1  # of the leavers, where no pilot says otherwise: the list is then the list by risk
MATERIAL = 0.02  # a finding counts when it moves two percent of what the oracle could gain
Floats = NDArray[np.float64]
Row = dict[str, float | bool]


def world_of(dials: dict[str, float]) -> World:
    """Return the world with these dials; what is no setting of a world is left for the play."""
    settings: dict[str, Any] = {field.name: dials[field.name] for field in fields(World) if field.name in dials}
    return World(**settings)


def straight(seed: int) -> Pipeline:
    """Return the logistic model that learns uplift here, one for each arm."""
    return make_pipeline(SimpleImputer(), StandardScaler(), LogisticRegression(C=0.3, max_iter=500, random_state=seed))


def boosted(seed: int, **settings: Any) -> LGBMClassifier:
    """Return the boosted model of risk."""
    usual: dict[str, Any] = {"n_estimators": 120, "num_leaves": 15, "learning_rate": 0.05, "min_child_samples": 50}
    same: dict[str, Any] = {"n_jobs": 1, "deterministic": True, "force_row_wise": True, "verbose": -1}
    return LGBMClassifier(random_state=seed, **usual | same | settings)


@dataclass(frozen=True)
class Pilot:
    """A randomised pilot, one row a subscriber: features, arm, outcome, and what only the simulator knows.

    Attributes
    ----------
    features : pandas.DataFrame, shape (n, k)
    account : company of each row, by which the lot was drawn.
    treated : assigned a call.
    stayed : still there a month later.
    uplift : what a call adds to the chance of staying.
    """

    features: pd.DataFrame
    account: NDArray[np.int64]
    treated: NDArray[np.bool_]
    stayed: NDArray[np.bool_]
    uplift: Floats

    def __len__(self) -> int:
        return len(self.features)

    def take(self, rows: NDArray[np.bool_]) -> Pilot:
        """Return these rows."""
        return Pilot(**{name: values[rows] for name, values in vars(self).items()})


def pilot_rows(world: World, months: float, among: float = 1.0) -> int:
    """Return the rows of a pilot of some months of call capacity: as many held back as called.

    A share ``among`` of the base can be drawn, and over a pilot no more than two bases pass by.
    """
    return round(min(2 * months * world.capacity, 2 * among) * BASE)


def draw_pilot(world: World, rows: int, rng: np.random.Generator) -> Pilot:
    """Draw subscribers of one day, and assign calls to a random half of their companies."""
    day = draw_snapshot(world, rows, rng, months=1)
    account = day.truth.people.account
    companies = rng.random(int(account.max()) + 1) < 0.5
    treated = companies[account]
    stayed = run(world, day.truth, once(treated), 1).left == STAYS
    return Pilot(day.features, account, treated, stayed, day.worth.uplift)


@dataclass(frozen=True)
class Learnt:
    """What a company predicts for the subscribers of a day, each of shape (n,).

    Attributes
    ----------
    p : chance of leaving in 30 days.
    saved : dollars of margin from somebody who is kept.
    uplift : gain in retention from being called.
    response : chance of leaving although called.
    rows : rows of the pilot; 0 where none was fitted.
    """

    p: Floats
    saved: Floats
    uplift: Floats
    response: Floats
    rows: int


def with_risk(X: pd.DataFrame, p: Floats) -> pd.DataFrame:
    """Return the features with the log-odds of leaving beside them: what history knows, the pilot need not learn."""
    inside = np.clip(p, 1e-4, 1 - 1e-4)
    return X.assign(log_odds=np.log(inside / (1 - inside)))


def learn(world: World, months: float, among: float, day: Snapshot, rng: np.random.Generator) -> Learnt:
    """Fit risk and value on subscribers whom nobody called, uplift on a pilot, and predict for a day.

    The pilot draws from the riskiest share ``among`` of the base; below that risk nobody is put on a list by uplift.
    Without a pilot of at least ``LEAST_PILOT`` rows the company assumes that a call keeps the same share of all.
    """
    history = draw_snapshot(world, HISTORY, rng, months=SEEN_MONTHS)
    stayed = np.minimum(run(world, history.truth, nobody, SEEN_MONTHS).left, SEEN_MONTHS)
    risk = boosted(1).fit(history.features, (stayed == 0).astype(int))
    p = np.asarray(risk.predict_proba(day.features), dtype=float)[:, 1]
    saved = world.margin * day.truth.people.price * fit_stay(history.features, stayed, 1)(day.features)
    rows = pilot_rows(world, months, among)
    if rows < LEAST_PILOT:
        return Learnt(p, saved, ASSUMED_SAVE_RATE * world.reach * p, p, 0)
    pool = draw_pilot(world, round(rows / among), rng)
    chance = np.asarray(risk.predict_proba(pool.features), dtype=float)[:, 1]
    least = np.quantile(chance, 1 - among) if among < 1 else 0.0
    pilot, X = pool.take(chance >= least), with_risk(pool.features, chance)[chance >= least]
    today, fit = with_risk(day.features, p), straight(1)
    uplift = fit_uplift("t", X, pilot.stayed.astype(int), pilot.treated, seed=1, base=fit)(today)
    left = straight(1).fit(X[pilot.treated], ~pilot.stayed[pilot.treated])
    response = np.asarray(left.predict_proba(today)[:, 1], dtype=float)
    return Learnt(p, saved, np.where(p >= least, uplift, -1.0), response, len(pilot))


def play_lists(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Play one company: learn from history and pilot, make every list of a month, and count its dollars.

    Returns
    -------
    dict
        The share of the best list's dollars captured by ``everybody``, ``source`` (p > 0.005, capacity ignored),
        ``risk``, ``risk_value``, ``uplift``, ``uplift_value``, ``response``; ``pilot_rows``; ``save_rate`` (share of
        the risk list's leavers that a call keeps); ``gain_of_uplift`` over risk, ``gain_of_worth`` over risk x value;
        and the findings. Shares are nan, and findings false, where no call pays.
    """
    world = world_of(dials)
    day = draw_snapshot(world, TEST, rng)
    known = learn(world, dials["pilot_months"], dials["pilot_among"], day, rng)
    calls = round(world.capacity * len(day))
    acts = lists(known.p, known.uplift, known.saved, calls, world.call_cost)
    acts["response"] = call_top(known.response, calls)
    earned = money_table(day.worth, acts, calls)["earned"]
    got = _shares(earned)
    risky = acts["top by risk"]
    rate = float(day.worth.uplift[risky].sum() / day.worth.p[risky].sum())
    return got | {"pilot_rows": float(known.rows), "save_rate": rate} | _findings(got, earned)


def _shares(earned: pd.Series) -> dict[str, float]:
    names = {
        "everybody": "everybody", "source": "p > 0.005", "risk": "top by risk", "risk_value": "top by risk x value",
        "uplift": "top by uplift", "uplift_value": "top by uplift x value", "response": "response",
    }  # fmt: skip
    best = float(earned["oracle"])
    return {short: float(earned[name]) / best if best > 0 else np.nan for short, name in names.items()}


def _findings(got: dict[str, float], earned: pd.Series) -> Row:
    uplift, worth = got["uplift"] - got["risk"], got["uplift_value"] - got["risk_value"]
    return {
        "gain_of_uplift": uplift,
        "gain_of_worth": worth,
        "uplift_beats_risk": bool(uplift > MATERIAL),
        "risk_beats_uplift": bool(uplift < -MATERIAL),
        "worth_beats_risk_value": bool(worth > MATERIAL),
        "risk_value_beats_worth": bool(worth < -MATERIAL),
        "value_pays": bool(got["risk_value"] - got["risk"] > MATERIAL),
        "everybody_loses": bool(earned["everybody"] < 0),
        "source_loses": bool(earned["p > 0.005"] < 0),
    }


def play_pilot(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Run one pilot and read it by intention to treat, companies as clusters.

    Returns
    -------
    dict
        ``itt`` with ``itt_low`` and ``itt_high``, ``true_itt`` (mean over the pilot's rows), ``pilot_rows``, and the
        findings ``pilot_shows_effect`` (the interval lies above zero) and ``covers``.
    """
    world = world_of(dials)
    pilot = draw_pilot(world, max(pilot_rows(world, dials["pilot_months"]), LEAST_PILOT), rng)
    read = difference(pilot.stayed, pilot.treated, cluster=pilot.account)
    true = float(pilot.uplift.mean())
    return {
        "itt": read.estimate,
        "itt_low": read.low,
        "itt_high": read.high,
        "true_itt": true,
        "pilot_rows": float(len(pilot)),
        "pilot_shows_effect": bool(read.low > 0),
        "covers": bool(read.low <= true <= read.high),
    }
