"""What the prose says of the public tables: every key that an absent table needs, each number from its own cell."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casebook.churn.real import FLOOR_MEASURED_EARLIER, PLACES
from casebook.churn.real_texts import (
    HILLSTROM_KEYS,
    RANKINGS,
    TELCO_KEYS,
    hillstrom_texts,
    telco_texts,
    verdict,
)
from casebook.churn.real_trial import EMAILS, NO_EMAIL
from casebook.churn.real_uplift import LEARNERS, RANDOM, READINGS, RESPONSE, RISK, RankedTrial
from casebook.experiments import srm


@pytest.fixture
def telco() -> dict[str, str]:
    floor = pd.DataFrame({"auc": [0.81, 0.82, 0.8234, 0.80]}, index=list(FLOOR_MEASURED_EARLIER))
    floor["auc_earlier"] = [earlier[0] for earlier in FLOOR_MEASURED_EARLIER.values()]
    floor["folds_above"], floor["folds"] = [0, 1, 4, 2], 5
    places = pd.MultiIndex.from_product([["copies", "SMOTE"], PLACES])
    leak = pd.DataFrame({"auc": np.arange(8) / 10, "f1": 0.05 + np.arange(8) / 10, "shared": np.arange(8) / 8}, places)
    keep = pd.DataFrame(
        {"customers": 700, "overlap": 0.7, "more": 2_500.0, "low": -100.0, "high": 5_000.0}, ["p", "p x bill", "bill"]
    )
    return telco_texts(floor, leak, keep, 3_000)


def test_the_telephone_customers_texts_come_from_their_own_cells(telco):
    assert set(telco) == set(TELCO_KEYS)
    assert telco["rl_auc_linear"] == "0.810" and telco["rl_auc_shallow"] == "0.823" and telco["rl_auc_deep"] == "0.800"
    assert telco["rl_auc_gain"] == "+0.0134"
    assert telco["rl_auc_linear_earlier"] == "0.845" and telco["rl_auc_shallow_earlier"] == "0.847"
    assert (telco["rl_folds_above"], telco["rl_folds_deep"], telco["rl_folds"]) == ("4", "2", "5")
    assert (telco["rl_leak_auc_first"], telco["rl_leak_auc_last"]) == ("0.40", "0.70")
    assert (telco["rl_leak_f1_first"], telco["rl_leak_f1_last"], telco["rl_leak_shared"]) == ("0.45", "0.75", "88%")
    assert (telco["rl_keep_more"], telco["rl_keep_low"], telco["rl_keep_high"]) == ("$2,500", "-$100", "$5,000")
    assert telco["rl_keep_verdict"] == "which this table cannot tell from zero"


def test_an_interval_excludes_zero_on_either_side():
    assert verdict(0.1, 0.2) == verdict(-0.2, -0.1) == "which excludes zero"
    assert verdict(0.0, 0.1) == verdict(-0.1, 0.1) == "which this table cannot tell from zero"


def ranked(arm: str, learner: float) -> RankedTrial:
    scores = [RESPONSE, RISK, RANDOM, "s"]
    n = 400
    treated = np.arange(n) % 2
    held_out = pd.DataFrame({"y": treated * (np.arange(n) < 40), "treated": treated})
    for score in [*scores, "t"]:
        held_out[score] = -np.arange(n)  # the first forty, all moved by the e-mail, are the top tenth
    paired = pd.DataFrame({"qini": [0.002, 0.001, 0.0, learner]}, pd.Index(scores, name="score"))
    paired["low"], paired["high"] = paired["qini"] - 0.001, paired["qini"] + 0.001
    paired["difference"] = paired["qini"] - 0.002
    paired["difference_low"], paired["difference_high"] = paired["difference"] - 5e-4, paired["difference"] + 5e-4
    readings = pd.DataFrame(
        {"s": [0.004, 0.008, 0.006, 0.06, 80.0]}, pd.MultiIndex.from_tuples(READINGS, names=["definition", "normalise"])
    )
    return RankedTrial(arm, "visit", held_out, pd.concat({"qini": paired}, names=["definition"]), readings)


@pytest.fixture
def hillstrom() -> dict[str, str]:
    arms = pd.DataFrame(
        {
            "customers": [100, 101, 102], "mean": [0.10, 0.18, 0.15], "difference": [np.nan, 0.08, 0.05],
            "low": [np.nan, 0.07, 0.04], "high": [np.nan, 0.09, 0.06],
        },
        pd.MultiIndex.from_product([["visit"], [NO_EMAIL, *EMAILS]], names=["outcome", "arm"]),
    )  # fmt: skip
    splits = {
        arm: pd.DataFrame({"above_response": [0, ahead], "splits": 3}, ["response", "s"])
        for arm, ahead in zip(EMAILS, (1, 3), strict=True)
    }
    trials = {arm: ranked(arm, learner) for arm, learner in zip(EMAILS, (0.0015, 0.004), strict=True)}
    return hillstrom_texts(srm([100, 101, 102], [1 / 3] * 3), arms, trials, splits)


def test_each_emails_texts_are_its_own(hillstrom):
    assert set(hillstrom) == set(HILLSTROM_KEYS)
    assert (hillstrom["rl_men_visit"], hillstrom["rl_women_visit"], hillstrom["rl_visit_none"]) == (
        "18.00%", "15.00%", "10.00%",
    )  # fmt: skip
    assert (hillstrom["rl_men_effect"], hillstrom["rl_women_low"], hillstrom["rl_women_high"]) == ("8.0", "4.0", "6.0")
    assert (hillstrom["rl_men_first"], hillstrom["rl_women_first"]) == ("the response ranking", "the S-learner")
    assert (hillstrom["rl_men_gap"], hillstrom["rl_women_gap"]) == ("-0.0005", "+0.0020")
    assert hillstrom["rl_men_gap_verdict"] == "which this table cannot tell from zero"
    assert hillstrom["rl_women_gap_verdict"] == "which excludes zero"
    assert (hillstrom["rl_men_ahead"], hillstrom["rl_women_ahead"], hillstrom["rl_men_splits"]) == ("1", "3", "3")
    assert hillstrom["rl_men_top"] == "100.0"
    assert (hillstrom["rl_men_said"], hillstrom["rl_men_did"]) == (
        "32000.0",
        "50.0",
    )  # half of the first fifth is moved
    assert hillstrom["rl_customers"] == "303"


def test_a_count_is_no_reading_of_the_spread(hillstrom):
    """Eighty customers more is not on the scale of the other readings."""
    assert (hillstrom["rl_s_least"], hillstrom["rl_s_most"], hillstrom["rl_s_times"]) == ("0.0040", "0.0600", "15")


def test_every_ranking_has_words():
    assert {*LEARNERS, RESPONSE, RISK, RANDOM} <= set(RANKINGS)


def test_keys_carry_the_parts_prefix_and_none_is_there_twice():
    keys = [*TELCO_KEYS, *HILLSTROM_KEYS]
    assert len(keys) == len(set(keys)) and all(key.startswith("rl_") for key in keys)
