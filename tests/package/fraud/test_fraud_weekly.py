"""Calibration by week while labels come in: the delay is recovered, young weeks do not fall, the future is not read."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from casebook.contracts import ContractError
from casebook.fraud.reports import DELAY_SPREAD
from casebook.fraud.simulate import simulate
from casebook.fraud.weekly import (
    alert_rates,
    calibration_by_week,
    clustered_interval,
    known_share,
    maturity,
)
from casebook.fraud.world import DAY, World

NOW = 60 * DAY
LONGEST = 42


def share_by(days, median=7.0):
    """Return the world's own share of delays up to so many days, of those within six weeks."""
    grid = np.append(np.asarray(days, dtype=float), LONGEST)
    share = stats.norm.cdf(np.log(np.maximum(grid, 1e-9) / median) / DELAY_SPREAD)
    return share[:-1] / share[-1]


@pytest.fixture(scope="module")
def bank():
    """Play a bank without a policy, in which enough is reported to see the delay."""
    return simulate(World(prevalence=0.02, speed=0.0, false_claims=0.0), 1_200, 60, np.random.default_rng(5)).tables


@pytest.fixture(scope="module")
def steady():
    """Draw twelve weeks of equal risk, whose frauds are reported with the delay of the world."""
    rng = np.random.default_rng(11)
    n = 120_000
    at = np.sort(rng.integers(0, 84 * DAY, n))
    p = rng.beta(0.05, 2.0, n)
    scored = pd.DataFrame({"event_id": np.arange(n), "at": at, "card_id": np.arange(n), "p": p})
    scored = scored.assign(action=np.zeros(n, np.int8), outcome="passed")
    fraud = np.flatnonzero(rng.random(n) < p)
    delay = 7 * DAY * np.exp(DELAY_SPREAD * rng.standard_normal(len(fraud)))
    fraud, delay = fraud[delay <= LONGEST * DAY], delay[delay <= LONGEST * DAY]
    return scored, pd.DataFrame({"event_id": fraud, "reported_at": at[fraud] + delay.astype(np.int64)})


def test_the_maturity_curve_recovers_the_worlds_delays(bank):
    curve = maturity(bank, NOW).set_index("days")
    days = np.array([1, 3, 5, 7, 10, 14, 21, 28, 35])
    truth, found = share_by(days), curve.loc[days]
    assert ((found["low"] <= truth) & (truth <= found["high"])).sum() >= 8  # 95% each, and neighbours move together
    assert np.abs(found["known"] - truth).max() < 0.05
    assert (found["high"] - found["low"]).max() < 0.1


def test_the_plain_share_of_known_delays_is_too_high(bank):
    young = maturity(bank, 25 * DAY).set_index("days")
    assert (young.loc[3:20, "naive"] > young.loc[3:20, "known"]).all()
    full = share_by(np.arange(3, 21)) / share_by([24])
    assert (young.loc[3:20, "naive"] > full).sum() >= 15


def test_the_curves_interval_covers_in_nineteen_of_twenty_tables():
    rng, hits = np.random.default_rng(3), 0
    for _ in range(60):
        at = rng.integers(0, 60 * DAY, 400)
        when = at + (7 * DAY * np.exp(DELAY_SPREAD * rng.standard_normal(400))).astype(np.int64)
        tables = {
            "events": pd.DataFrame({"event_id": np.arange(400), "at": at}),
            "reports": pd.DataFrame({"event_id": np.arange(400), "reported_at": when}),
        }
        row = maturity(tables, NOW).set_index("days").loc[7]
        hits += row["low"] <= share_by([7])[0] <= row["high"]
    assert 52 <= hits <= 60  # 57 expected, less three standard errors


def test_a_young_week_is_corrected_and_does_not_read_as_a_fall(steady):
    scored, reports = steady
    now = 84 * DAY
    table = calibration_by_week(scored, reports, now, maturity({"events": scored, "reports": reports}, now))
    assert len(table) == 12 and table["note"].tolist()[:11] == [""] * 11
    assert ((table["low"] <= 1) & (table["high"] >= 1)).sum() >= 10
    last = table.iloc[-2]
    assert last["naive"] < 0.75 and 0.8 < last["ratio"] < 1.2
    assert table["naive"].iloc[-1] < 0.4 and 0.6 < table["ratio"].iloc[-1] < 1.5


def test_a_week_by_hand(steady):
    scored, reports = steady
    now = 40 * DAY + 1234
    curve = pd.DataFrame({"days": [0, 10, 42], "known": [0.0, 0.5, 1.0]})
    table = calibration_by_week(scored, reports, now, curve).set_index("week")
    told = dict(zip(reports["event_id"], reports["reported_at"], strict=True))
    due, promised, count = 0.0, 0.0, 0
    week = scored[(scored["at"] // (7 * DAY) == 4) & (scored["at"] < now)]
    for one in week.itertuples():
        age = (now - one.at) / DAY
        promised += one.p
        due += one.p * (age / 20 if age <= 10 else 0.5 + 0.5 * (min(age, 42) - 10) / 32)
        count += told.get(one.event_id, now) < now
    assert table.loc[4, "reported"] == count
    assert table.loc[4, "promised"] == pytest.approx(promised)
    assert table.loc[4, "ratio"] == pytest.approx(count / due)
    assert table.loc[4, "naive"] == pytest.approx(count / promised)


def test_only_what_passed_unasked_is_held_against_its_promise(steady):
    scored, reports = steady
    curve = maturity({"events": scored, "reports": reports}, 84 * DAY)
    asked = scored.assign(action=np.where(scored["event_id"] % 3 == 0, 1, 0))
    stopped = scored.assign(outcome=np.where(scored["event_id"] % 3 == 0, "stopped", "passed"))
    unscored = scored.assign(p=scored["p"].where(scored["event_id"] % 3 != 0))
    kept = scored[scored["event_id"] % 3 != 0]
    wanted = calibration_by_week(kept, reports, 84 * DAY, curve)
    for frame in (asked, stopped, unscored):
        pd.testing.assert_frame_equal(calibration_by_week(frame, reports, 84 * DAY, curve), wanted)


@pytest.mark.parametrize("day", [30, 55])
def test_nothing_after_now_is_read(steady, day):
    scored, reports = steady
    now, rng = day * DAY, np.random.default_rng(0)
    later, told = scored["at"] >= now, reports["reported_at"] >= now
    wild = scored.assign(
        p=np.where(later, rng.random(len(scored)), scored["p"]), action=np.where(later, 3, scored["action"])
    )
    moved = reports.assign(reported_at=np.where(told, now + rng.integers(0, DAY, len(reports)), reports["reported_at"]))
    fewer = moved[~told | (rng.random(len(moved)) < 0.5)]
    curves = [maturity({"events": one, "reports": two}, now) for one, two in ((scored, reports), (wild, fewer))]
    pd.testing.assert_frame_equal(*curves)
    tables = [calibration_by_week(scored, reports, now, curves[0]), calibration_by_week(wild, fewer, now, curves[0])]
    pd.testing.assert_frame_equal(*tables)
    pd.testing.assert_frame_equal(alert_rates(scored, now), alert_rates(wild, now))


def test_slow_reports_do_not_count(steady):
    scored, reports = steady
    curve = pd.DataFrame({"days": [0, 1], "known": [1.0, 1.0]})
    at = scored["at"].to_numpy()[reports["event_id"]]
    quick = reports[reports["reported_at"] - at <= 5 * DAY]
    tables = [calibration_by_week(scored, one, 84 * DAY, curve, longest_days=5) for one in (reports, quick)]
    pd.testing.assert_frame_equal(*tables)


def test_the_clustered_interval_covers():
    rng = np.random.default_rng(1)
    sizes = rng.integers(1, 6, (600, 200)) * (rng.random((600, 200)) < 0.05)
    count, square = sizes.sum(1).astype(float), (sizes**2).sum(1).astype(float)
    low, high = clustered_interval(count, square)
    assert 0.92 <= np.mean((low <= 30) & (high >= 30)) <= 0.99  # 200 * 0.05 * 3
    plain_low, plain_high = clustered_interval(count, count)
    assert np.mean((plain_low <= 30) & (plain_high >= 30)) < 0.85  # who forgets the clusters is too sure


def test_the_share_known_is_one_beyond_the_curve():
    curve = pd.DataFrame({"days": [0, 4], "known": [0.0, 1.0]})
    assert known_share(curve, [0, 1, 4, 100]).tolist() == [0.0, 0.25, 1.0, 1.0]


def test_alert_rates_add_up():
    rng = np.random.default_rng(0)
    scored = pd.DataFrame({"at": rng.integers(0, 5 * DAY, 900), "action": rng.integers(0, 4, 900)})
    table = alert_rates(scored, 4 * DAY)
    assert table["n"].sum() == (scored["at"] < 4 * DAY).sum()
    assert np.allclose(table.groupby("day")["share"].sum(), 1)
    blocks = ((scored["at"] // DAY == 2) & (scored["action"] == 3)).sum()
    assert table.query("day == 2 and tier == 'block'")["n"].item() == blocks


def test_refusals(steady):
    scored, reports = steady
    curve = pd.DataFrame({"days": [0, 4], "known": [0.0, 1.0]})
    with pytest.raises(ContractError, match=r"scored.*'p'"):
        calibration_by_week(scored.drop(columns="p"), reports, NOW, curve)
    message = "scored must be a table with scored events that passed unasked, got none before second 0; wait until"
    with pytest.raises(ContractError, match=message):
        calibration_by_week(scored, reports, 0, curve)
    with pytest.raises(ContractError, match="a table with a report before second 0, got none; ask later"):
        maturity({"events": scored, "reports": reports}, 0)
