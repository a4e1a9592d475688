"""What chapter 4's prose says of two public tables: the numbers, written, and their keys where data are absent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from casebook.churn.real import FLOOR_MEASURED_EARLIER, PLACES
from casebook.churn.real_trial import EMAILS, NO_EMAIL
from casebook.churn.real_uplift import RESPONSE, RISK, RankedTrial, saturation
from casebook.experiments import SRM
from casebook.page import count, dollars, percent, probability
from casebook.uplift import uplift_by_bin

_LINEAR, _FOREST, _SHALLOW, _DEEP = FLOOR_MEASURED_EARLIER
_SHORT = dict(zip(EMAILS, ("men", "women"), strict=True))
#: Rankings in words.
RANKINGS = {
    "response": "the response ranking",
    "risk": "the risk ranking",
    "random": "the random order",
    "class_transformation": "the class transformation",
    "t": "the T-learner",
    "s": "the S-learner",
    "x": "the X-learner",
    "dr": "the DR-learner",
    "forest": "the uplift forest",
}

#: The keys of :func:`telco_texts`.
TELCO_KEYS = tuple(
    f"rl_{name}"
    for name in (
        "auc_linear", "auc_linear_earlier", "auc_shallow", "auc_shallow_earlier", "auc_deep", "auc_gain", "folds_above",
        "folds_deep", "folds", "leak_auc_first", "leak_auc_last", "leak_f1_first", "leak_f1_last", "leak_shared",
        "leak_rows", "keep_customers", "keep_overlap", "keep_more", "keep_low", "keep_high", "keep_verdict",
    )
)  # fmt: skip
#: The keys of :func:`hillstrom_texts`.
HILLSTROM_KEYS = (
    "rl_customers", "rl_srm_p", "rl_visit_none", "rl_s_least", "rl_s_most", "rl_s_times",
    *(
        f"rl_{email}_{name}"
        for email in _SHORT.values()
        for name in (
            "visit", "effect", "low", "high", "first", "gap", "gap_low", "gap_high", "gap_verdict", "risk", "risk_low",
            "risk_high", "ahead", "splits", "top", "top_low", "top_high", "said", "did",
        )
    ),
)  # fmt: skip


def telco_texts(floor: pd.DataFrame, leak: pd.DataFrame, keep: pd.DataFrame, rows: int) -> dict[str, str]:
    """Return what the chapter says of the telephone customers.

    Parameters
    ----------
    floor : pandas.DataFrame
        From :func:`casebook.churn.real.telco_floor`.
    leak : pandas.DataFrame
        From :func:`casebook.churn.real.telco_smote_like_leak`.
    keep : pandas.DataFrame
        From :func:`casebook.churn.real.who_to_keep`.
    rows : int
        Customers on whom the leak was shown.

    Returns
    -------
    dict of str to str
        One text for each of :data:`TELCO_KEYS`.

    Examples
    --------
    >>> TELCO_KEYS[:2]
    ('rl_auc_linear', 'rl_auc_linear_earlier')
    """
    linear, shallow, deep = (_row(floor, model) for model in (_LINEAR, _SHALLOW, _DEEP))
    first, last = (_row(leak, ("SMOTE", place)) for place in (PLACES[0], PLACES[-1]))
    by_bill = _row(keep, "p x bill")
    values = {
        "auc_linear": probability(linear["auc"], 3),
        "auc_linear_earlier": probability(linear["auc_earlier"], 3),
        "auc_shallow": probability(shallow["auc"], 3),
        "auc_shallow_earlier": probability(shallow["auc_earlier"], 3),
        "auc_deep": probability(deep["auc"], 3),
        "auc_gain": f"{shallow['auc'] - linear['auc']:+.4f}",
        "folds_above": count(shallow["folds_above"]),
        "folds_deep": count(deep["folds_above"]),
        "folds": count(shallow["folds"]),
        "leak_auc_first": probability(first["auc"]),
        "leak_auc_last": probability(last["auc"]),
        "leak_f1_first": probability(first["f1"]),
        "leak_f1_last": probability(last["f1"]),
        "leak_shared": percent(last["shared"]),
        "leak_rows": count(rows),
        "keep_customers": count(by_bill["customers"]),
        "keep_overlap": percent(by_bill["overlap"]),
        "keep_more": dollars(by_bill["more"]),
        "keep_low": dollars(by_bill["low"]),
        "keep_high": dollars(by_bill["high"]),
        "keep_verdict": verdict(by_bill["low"], by_bill["high"]),
    }
    return {f"rl_{name}": text for name, text in values.items()}


def _row(table: pd.DataFrame, at: Any) -> dict[str, Any]:
    return {str(column): value for column, value in table.loc[at].items()}


def verdict(low: float, high: float) -> str:
    """Return what an interval of a difference says.

    Examples
    --------
    >>> verdict(-1.0, 2.0), verdict(0.5, 2.0)
    ('which this table cannot tell from zero', 'which excludes zero')
    """
    return "which excludes zero" if low > 0 or high < 0 else "which this table cannot tell from zero"


def hillstrom_texts(
    ratio: SRM, arms: pd.DataFrame, ranked: Mapping[str, RankedTrial], splits: Mapping[str, pd.DataFrame]
) -> dict[str, str]:
    """Return what the chapter says of Hillstrom's trial.

    Parameters
    ----------
    ratio : SRM
        From :func:`casebook.churn.real_trial.sample_ratio`.
    arms : pandas.DataFrame
        From :func:`casebook.churn.real_trial.arms`.
    ranked : mapping of str to RankedTrial
        For each of the two e-mails, with the S-learner and the T-learner among its scores.
    splits : mapping of str to pandas.DataFrame
        For each e-mail, from :func:`casebook.churn.real_uplift.over_splits`, with the S-learner.

    Returns
    -------
    dict of str to str
        One text for each of :data:`HILLSTROM_KEYS`. Of either e-mail: ``gap`` is the S-learner's Qini less the response
        ranking's, ``ahead`` in how many splits it is the larger, ``top`` the uplift of the S-learner's top tenth,
        ``said`` and ``did`` the T-learner's predicted and realised uplift of its highest fifth less its lowest, the
        last three in points.

    Examples
    --------
    >>> HILLSTROM_KEYS[:2]
    ('rl_customers', 'rl_srm_p')
    """
    per_customer = ranked[EMAILS[1]].readings["s"].drop(("qini", "none"))
    least, most = float(per_customer.min()), float(per_customer.max())
    visits = {arm: _row(arms, ("visit", arm)) for arm in (NO_EMAIL, *EMAILS)}
    texts = {
        "rl_customers": count(sum(visit["customers"] for visit in visits.values())),
        "rl_srm_p": probability(ratio.p),
        "rl_visit_none": percent(visits[NO_EMAIL]["mean"], 2),
        "rl_s_least": f"{least:.4f}",
        "rl_s_most": f"{most:.4f}",
        "rl_s_times": f"{most / least:.0f}",
    }
    for arm, short in _SHORT.items():
        found = _email_texts(visits[arm], ranked[arm], _row(splits[arm], "s"))
        texts |= {f"rl_{short}_{name}": text for name, text in found.items()}
    return texts


def _email_texts(effect: dict[str, Any], trial: RankedTrial, splits: dict[str, Any]) -> dict[str, str]:
    learner, risk = (_row(trial.paired, ("qini", score)) for score in ("s", RISK))
    top = _row(saturation(trial, (0.1,)), ("s", 0.1))
    y, treated, score = (trial.held_out[name].to_numpy() for name in ("y", "treated", "t"))
    fifths = uplift_by_bin(y, treated, score, bins=5)
    said, did = (fifths[column].iloc[0] - fifths[column].iloc[-1] for column in ("predicted", "realised"))
    return {
        "visit": percent(effect["mean"], 2),
        "effect": f"{100 * effect['difference']:.1f}",
        "low": f"{100 * effect['low']:.1f}",
        "high": f"{100 * effect['high']:.1f}",
        "first": RANKINGS[str(trial.paired.loc["qini"]["qini"].idxmax())],
        "gap": f"{learner['difference']:+.4f}",
        "gap_low": f"{learner['difference_low']:+.4f}",
        "gap_high": f"{learner['difference_high']:+.4f}",
        "gap_verdict": verdict(learner["difference_low"], learner["difference_high"]),
        "risk": f"{risk['qini']:+.4f}",
        "risk_low": f"{risk['low']:+.4f}",
        "risk_high": f"{risk['high']:+.4f}",
        "ahead": count(splits["above_" + RESPONSE]),
        "splits": count(splits["splits"]),
        "top": f"{100 * top['uplift']:.1f}",
        "top_low": f"{100 * top['low']:.1f}",
        "top_high": f"{100 * top['high']:.1f}",
        "said": f"{100 * said:.1f}",
        "did": f"{100 * did:.1f}",
    }
