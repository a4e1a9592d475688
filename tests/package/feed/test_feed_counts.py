"""Alarms of the sample ratio, and what lost units do to a reading: each against a twin by brute force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom

from casebook.contracts import ContractError
from casebook.experiments import adjust_p, srm, srm_n, srm_power, srm_sequential
from casebook.feed.lost_units import heavy_users_crash, loss_by_crash, loss_readings
from casebook.feed.simulate import simulate
from casebook.feed.srm_alarms import srm_alarms
from casebook.feed.world import PLATFORMS, World

PLAN, SEEN = np.array([0.05, 0.05, 0.90]), np.array([0.047, 0.052, 0.901])
UNITS = np.full((14, 2), 2_000)


def test_the_rules_agree_with_the_public_tests_one_by_one():
    days, tests = 4, 30
    units = np.arange(1_200, 1_200 + 2 * days).reshape(days, 2)
    got = srm_alarms(units, PLAN, SEEN, np.random.default_rng(3), tests=tests, alpha=0.05)
    rng = np.random.default_rng(3)
    drawn = np.stack([rng.multinomial(day, [SEEN, SEEN], size=(tests, 2)) for day in units], axis=1)
    hits = dict.fromkeys(got.index, 0)
    for new in drawn:
        seen = new.cumsum(axis=0)
        whole = [srm(day.sum(axis=0), PLAN).p for day in seen]
        parts = [srm(part, PLAN).p for day in seen for part in day]
        hits["once, at the end"] += whole[-1] < 0.05
        hits["every day"] += min(whole) < 0.05
        hits["every day and segment"] += min(whole + parts) < 0.05
        hits["every day and segment, Holm"] += (adjust_p(whole + parts, "holm") < 0.05).any()
        one = srm_sequential(new.sum(axis=1), PLAN)["p"].iloc[-1]
        each = [srm_sequential(new[:, k], PLAN)["p"].iloc[-1] for k in range(2)]
        hits["every day, always valid"] += one < 0.05
        hits["every day and segment, always valid, Holm"] += (adjust_p([one, *each], "holm") < 0.05).any()
    assert got["alarm"].to_dict() == {rule: count / tests for rule, count in hits.items()}
    assert 0 < hits["every day and segment, Holm"] < hits["every day and segment"] < tests


def test_sound_tests_keep_each_rules_level():
    got = srm_alarms(UNITS, PLAN, PLAN, np.random.default_rng(4), tests=2_000)["alarm"]
    low, high = binom.interval(0.999, 2_000, 0.01)
    assert low / 2_000 <= got["once, at the end"] <= high / 2_000
    assert got["every day"] > 0.015
    assert got["every day and segment"] > got["every day"]
    kept = ["every day and segment, Holm", "every day, always valid", "every day and segment, always valid, Holm"]
    assert (got[kept] <= high / 2_000).all()


def test_a_mismatch_is_found_as_often_as_the_power_says():
    got = srm_alarms(UNITS, PLAN, SEEN, np.random.default_rng(5), tests=2_000)
    assert got.loc["once, at the end", "alarm"] == pytest.approx(srm_power(SEEN, PLAN, UNITS.sum()), abs=0.04)
    rare = srm_alarms(UNITS, PLAN, PLAN, np.random.default_rng(5))
    assert rare["day"].isna().all()
    gross = srm_alarms(UNITS, PLAN, [0.02, 0.05, 0.93], np.random.default_rng(5), tests=100)
    assert (gross["alarm"] == 1).all()
    assert gross["day"].to_dict() == {rule: 14.0 if rule == "once, at the end" else 1.0 for rule in gross.index}


@pytest.mark.parametrize(
    ("units", "true", "words"),
    [
        ([[0.5, 1.0]], PLAN, "units must be a table of whole numbers, days by segments"),
        ([5, 6], PLAN, "units must be a table of whole numbers"),
        ([[-1, 5]], PLAN, "units must be a table of whole numbers"),
        (UNITS, [0.5, 0.5, 0.5], "true must be 0 or more and 1 in sum"),
    ],
)
def test_alarms_refuse(units, true, words):
    with pytest.raises(ContractError, match=words):
        srm_alarms(units, PLAN, true, np.random.default_rng(0))


@pytest.fixture(scope="module")
def truth():
    return simulate(World(crash=0.4, bots=0.01), 4_000, np.random.default_rng(6)).truth


def test_readings_are_the_means_over_many_lots(truth):
    rng, person = np.random.default_rng(7), ~truth.people.bot
    old, new = truth.potential("test_old")[person], truth.potential("test_new")[person]
    crash, phone = truth.arms.crash[person], truth.people.platform[person]
    logged, weighted, zeros = [], [], []
    share = np.bincount(phone) / len(phone)
    for _ in range(600):
        kept = rng.random(len(new)) >= crash
        logged.append(new[kept].mean())
        weighted.append(sum(share[k] * new[kept & (phone == k)].mean() for k in range(len(share))))
        zeros.append((new * kept).mean())
    got = loss_readings(truth)
    for name, means in (("as logged", logged), ("weighted by phone", weighted), ("launched as tested", zeros)):
        error = 5 * np.std(means) / len(means) ** 0.5 / old.mean()
        assert got[name] == pytest.approx(np.mean(means) / old.mean() - 1, abs=error + 1e-4)
    assert got["ranker"] == pytest.approx(truth.direct().relative)


def test_without_a_crash_every_reading_is_right(truth):
    got = loss_readings(truth, np.zeros(len(truth.people)))
    np.testing.assert_allclose(got, truth.direct().relative, atol=1e-9)


def test_a_launch_with_the_crash_left_in_is_the_truths_own(truth):
    assert loss_readings(truth)["launched as tested"] == pytest.approx(
        truth.launch(13, mended=False).relative, abs=2e-3
    )


def test_who_crashes_decides_the_sign_of_the_error(truth):
    turned = heavy_users_crash(truth)
    slow = truth.people.platform == PLATFORMS.index("slow_phone")
    assert turned.sum() == pytest.approx(truth.arms.crash.sum())
    assert (turned[~slow] == 0).all()
    assert np.corrcoef(np.log(truth.people.visits[slow]), turned[slow])[0, 1] > 0.9
    light, heavy = loss_readings(truth), loss_readings(truth, turned)
    assert light["weighted by phone"] > light["ranker"] > heavy["weighted by phone"]
    assert light["launched as tested"] > heavy["launched as tested"]


def test_a_row_of_the_crashes_is_that_crashs_own_reading(truth):
    got = loss_by_crash(truth, [0.1, 0.4, 0.8])
    own, left = loss_readings(truth), PLAN * [1 - truth.arms.crash.mean(), 1, 1]
    assert got.loc[1, ["as logged", "launched as tested"]].to_dict() == pytest.approx(
        own[["as logged", "launched as tested"]].to_dict()
    )
    assert got.loc[1, "new_share"] == pytest.approx(left[0] / left.sum())
    assert got.loc[1, "users"] == srm_n(left / left.sum(), PLAN, power=0.8)
    assert got["users"].is_monotonic_decreasing
    assert got["launched as tested"].is_monotonic_decreasing
    nothing = replace(truth, world=replace(truth.world, crash=0.0))
    assert loss_by_crash(nothing, [0.4])["users"].iloc[0] == got.loc[1, "users"]


@pytest.mark.parametrize("crash", [[0.1], np.full(4_000, 1.5), np.full(4_000, np.nan)])
def test_readings_refuse(truth, crash):
    with pytest.raises(ContractError, match=r"crash must be a chance in \[0, 1\] for each account"):
        loss_readings(truth, crash)
