"""One company and its models of risk: which wins, which metric picks it, and what each kind of feature is worth."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.metrics import average_precision_score, roc_auc_score
from sklearn.pipeline import make_pipeline

from casebook.churn.evaluate import call_top
from casebook.churn.expectation import soft_auc
from casebook.churn.models import precision_at
from casebook.churn.plays import MATERIAL, Row, boosted, straight, world_of
from casebook.churn.snapshot import Snapshot, draw_snapshot

VALIDATION, TEST = 15_000, 25_000
METRICS: dict[str, Callable[[Any, Any, float], float]] = {
    "auprc": lambda y, p, capacity: float(average_precision_score(y, p)),
    "auc": lambda y, p, capacity: float(roc_auc_score(y, p)),
    "precision": precision_at,
}

#: Category -> the snapshot's columns; the calendar stands apart from what else is static.
CATEGORIES: dict[str, tuple[str, ...]] = {
    "calendar": ("is_annual", "days_to_renewal"),
    "static": ("tenure_days", "price", "employees"),
    "recent": ("logins_7d", "logins_28d", "features_used", "pricing_views_28d"),
    "trajectory": ("logins_84d_ago", "usage_vs_84d_ago"),
    "support": ("tickets_30d", "how_to_tickets_180d", "billing_tickets_30d"),
    "billing": ("failed_payments_180d", "downgrades_90d"),
}


def drawn_leavers(day: Snapshot, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw who leaves in the month, nobody called, shape (n,)."""
    return (rng.random(len(day)) < day.worth.p).astype(int)


def candidates(seed: int) -> dict[str, Any]:
    """Return the five models that compete, unfitted."""
    balanced = straight(seed).set_params(logisticregression__class_weight="balanced")
    settings: dict[str, Any] = {"min_samples_leaf": 10, "max_samples": 0.3, "n_jobs": 1, "random_state": seed}
    return {
        "logistic": straight(seed),
        "logistic_balanced": balanced,
        "boosted": boosted(seed),
        "boosted_small": boosted(seed, n_estimators=60, num_leaves=4),
        "forest": make_pipeline(SimpleImputer(), RandomForestClassifier(80, **settings)),
    }


def play_models(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Fit five models on ``rows`` subscribers, pick one by each metric, and count the dollars of its list.

    Metrics are measured on validation subscribers' drawn labels; dollars on others, by the truth.

    Returns
    -------
    dict
        By model ``auprc_*``, ``auc_*``, ``precision_*`` (validation) and ``saved_*`` (share of the best list's dollars
        that the model's risk list earns), and the findings ``boosted_beats_logistic``, ``logistic_beats_boosted``,
        ``weights_move_ranking`` (AUC, by the truth) and ``auprc_misleads``, ``auc_misleads``, ``precision_misleads``
        (the model that this metric picks earns less than the best of the five). Each counts from ``MATERIAL`` on.
    """
    world = world_of(dials)
    fit, check, test = (draw_snapshot(world, n, rng) for n in (round(dials["rows"]), VALIDATION, TEST))
    left, seen = drawn_leavers(fit, rng), drawn_leavers(check, rng)
    calls = round(world.capacity * len(test))
    best = float(test.worth.gain[call_top(test.worth.gain, calls, least=0.0)].sum())
    row: Row = {}
    ranks: dict[str, float] = {}
    for name, model in candidates(1).items():
        fitted = model.fit(fit.features, left)
        p, later = (np.asarray(fitted.predict_proba(day.features)[:, 1]) for day in (check, test))
        row |= {f"{metric}_{name}": measure(seen, p, world.capacity) for metric, measure in METRICS.items()}
        row[f"saved_{name}"] = float(test.worth.gain[call_top(later, calls)].sum()) / best if best > 0 else np.nan
        ranks[name] = soft_auc(test.worth.p, later)
    return row | _model_findings(row, ranks)


def _model_findings(row: Row, ranks: dict[str, float]) -> Row:
    names = list(ranks)
    saved = {name: float(row[f"saved_{name}"]) for name in names}
    lead = saved["boosted"] - saved["logistic"]
    picked = {metric: max(names, key=lambda name: row[f"{metric}_{name}"]) for metric in METRICS}
    return {
        "boosted_beats_logistic": bool(lead > MATERIAL),
        "logistic_beats_boosted": bool(lead < -MATERIAL),
        "weights_move_ranking": bool(abs(ranks["logistic_balanced"] - ranks["logistic"]) > MATERIAL),
        **{f"{metric}_misleads": bool(max(saved.values()) - saved[name] > MATERIAL) for metric, name in picked.items()},
    }


def play_trajectory(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Leave out one category of features at a time, and measure by the truth what the ranking loses.

    Returns
    -------
    dict
        ``auc`` of all features; by category ``lost_*`` (AUC lost without it) and ``only_*`` (AUC of it alone);
        ``due_lost_*`` (lost among those whose bill is due); the findings ``trajectory_matters_most`` and
        ``trajectory_matters_most_due`` (no other category's loss is larger), ``trajectory_best_alone`` and
        ``trajectory_pays`` (more than half a point of AUC is lost without it).
    """
    world = world_of(dials)
    fit, test = draw_snapshot(world, 20_000, rng, months=1), draw_snapshot(world, 20_000, rng, months=1)
    left, p = drawn_leavers(fit, rng), test.worth.p
    due = (test.features["days_to_renewal"] == 0).to_numpy()

    def rank(columns: list[str]) -> tuple[float, float]:
        model = boosted(1, n_estimators=60).fit(fit.features[columns], left)
        score = np.asarray(model.predict_proba(test.features[columns]))[:, 1]
        return soft_auc(p, score), soft_auc(p[due], score[due])

    return _by_category(rank, test.features)


def _by_category(rank: Callable[[list[str]], tuple[float, float]], features: pd.DataFrame) -> Row:
    everything = list(features.columns)
    auc, auc_due = rank(everything)
    lost: dict[str, float] = {}
    lost_due: dict[str, float] = {}
    only: dict[str, float] = {}
    for name, columns in CATEGORIES.items():
        without, without_due = rank([column for column in everything if column not in columns])
        lost[name], lost_due[name], only[name] = auc - without, auc_due - without_due, rank(list(columns))[0]
    rest = [name for name in CATEGORIES if name != "trajectory"]
    return {
        "auc": auc,
        **{f"lost_{name}": value for name, value in lost.items()},
        **{f"due_lost_{name}": value for name, value in lost_due.items()},
        **{f"only_{name}": value for name, value in only.items()},
        "trajectory_matters_most": bool(lost["trajectory"] > max(lost[name] for name in rest)),
        "trajectory_matters_most_due": bool(lost_due["trajectory"] > max(lost_due[name] for name in rest)),
        "trajectory_best_alone": bool(only["trajectory"] > max(only[name] for name in rest)),
        "trajectory_pays": bool(lost["trajectory"] > 0.005),
    }
