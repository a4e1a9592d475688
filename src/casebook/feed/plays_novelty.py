"""One feed whose novelty fades: three readings of its test, and of a holdback, against half a year after a launch."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from casebook.feed.decay import Lifts, fit_decay, lift_from, lifts_by
from casebook.feed.plays_interference import LARGE, SMALL, USERS, Row, error_at, world_of
from casebook.feed.simulate import simulate
from casebook.feed.truth import Truth
from casebook.feed.world import WEEK, Design

FITS = 20  # tests of each size to which a decay is fitted
MATERIAL = 0.002  # a fifth of a percent of minutes: a typical small effect of a ranker
LATE = 180  # days after the launch
HOLDBACK = Design(days=30, new=0.95, control=0.05)
_HELD_BACK = 5_000  # users: expectations are taken, so that few are enough
READINGS = ("full", "week2")
SIZES = {"small": SMALL, "large": LARGE}
Floats = NDArray[np.float64]


def play_novelty(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Read one test in full, in week 2 only and by a fitted decay, and hold each against day 180 of a launch.

    What the first two aim at is expected from the truth, their standard errors are read from the tables. The decay is
    fitted to lifts by days since exposure, drawn about the truth with the tables' covariance, as many times as
    ``FITS``. "small" and "large" are tests with 5% of 200,000 and of 10 million users in an arm.

    Parameters
    ----------
    dials : dict
        ``effect``, ``novelty``, ``half_life``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``launch`` (relative effect on minutes on day 180), ``full`` and ``week2`` (what the two readings aim at),
        ``full_se`` and ``week2_se`` (10,000 users in an arm), ``users_week2`` (how many times as many users week 2
        needs), ``novelty_left`` (share of the novelty in the full reading that is in week 2 still), by size
        ``full_error_*``, ``week2_error_*``, ``decay_error_*`` (root mean squared) and ``decay_covers_*`` (share of
        the fits whose 95% interval holds the launch's effect); the findings:

        ``full_overstates``, ``week2_overstates`` : by more than a fifth of a percent of minutes.
        ``week2_closer_*`` : week 2's error is smaller than the full test's.
        ``decay_closest_*`` : the decay's error is smaller than both.
        ``launches_loser`` : the large full test is expected to be significantly above zero, the launch is below.
    """
    feed = simulate(world_of(dials), USERS, np.random.default_rng(rng.integers(2**62)), Design(new=0.5, control=0.5))
    daily, truth = feed.tables["daily"], feed.truth
    launch = truth.launch(LATE).relative
    aims = _aims(truth.by_day()["direct"].to_numpy())
    se = {"full": lift_from(daily).se, "week2": lift_from(daily, first=7).se}
    expected, seen = truth.by_age(14)["lift"].to_numpy(), lifts_by(daily)
    row: Row = {"launch": launch, **aims, **{f"{name}_se": se[name] for name in READINGS}}
    row["users_week2"] = (se["week2"] / se["full"]) ** 2
    over = aims["full"] - launch
    row["novelty_left"] = (aims["week2"] - launch) / over if abs(over) > 1e-9 else np.nan
    for size, users in SIZES.items():
        for name in READINGS:
            row[f"{name}_error_{size}"] = error_at(aims[name] - launch, se[name], users)
        row |= _fits(expected, seen.cov * (USERS / 2 / (0.05 * users)), launch, size, rng)
    return row | _findings(row)


def _aims(by_day: Floats) -> dict[str, float]:
    """Return the mean lift of the whole test and of its second week, each day by its visits."""
    weight = np.resize(WEEK, len(by_day))
    return {
        name: float(np.average(by_day[first:], weights=weight[first:])) for name, first in (("full", 0), ("week2", 7))
    }


def _fits(expected: Floats, cov: Floats, launch: float, size: str, rng: np.random.Generator) -> Row:
    day = np.arange(len(expected))
    drawn = rng.multivariate_normal(expected, cov, FITS, method="cholesky")
    found = [fit_decay(Lifts(day, lift, cov)) for lift in drawn]
    off = np.array([one.lasting - launch for one in found])
    return {
        f"decay_error_{size}": float(np.sqrt((off**2).mean())),
        f"decay_covers_{size}": float(np.mean([one.low <= launch <= one.high for one in found])),
    }


def _findings(row: Row) -> Row:
    launch = row["launch"]
    seen_above = row["full"] - 1.96 * row["full_se"] * np.sqrt(USERS / 2 / (0.05 * LARGE)) > 0
    found: Row = {f"{name}_overstates": bool(row[name] - launch > MATERIAL) for name in READINGS}
    for size in SIZES:
        full, week2, decay = (row[f"{name}_error_{size}"] for name in (*READINGS, "decay"))
        found[f"week2_closer_{size}"] = bool(week2 < full)
        found[f"decay_closest_{size}"] = bool(decay < min(full, week2))
    return found | {"launches_loser": bool(seen_above and launch < 0)}


def play_holdback(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Launch to 95%, hold 5% back, and hold what the two differ by against a launch's effect on day 180.

    All of it is expectation: no holdback reads better than this one, however many users are in it.

    Parameters
    ----------
    dials : dict
        ``effect``, ``novelty``, ``half_life``, ``primacy``, ``primacy_half_life``, ``creators``, ``response``,
        ``creator_half_life``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``launch`` (relative effect on minutes on day 180, against never having launched), ``test`` (two weeks at half
        and half), ``month`` (mean of a holdback's 30 days), ``last_week`` (its days 24 to 30), ``standing`` (the
        last week of a holdback of 180 days), and for each of the four ``*_miss`` (less ``launch``); the findings
        ``*_misses`` (by more than a fifth of a percent of minutes), ``last_week_nearer`` (than the test, by as much)
        and ``wrong_sign`` (of the holdback's last week).
    """
    world = world_of(dials)
    truth = simulate(world, _HELD_BACK, rng, HOLDBACK).truth
    direct = truth.by_day()["direct"].to_numpy()
    read = {
        "test": _aims(direct[:14])["full"],
        "month": float(direct.mean()),
        "last_week": float(direct[-7:].mean()),
        "standing": float(held_back(truth)[LATE - 6 :].mean()),
    }
    launch = truth.launch(LATE).relative
    row: Row = {"launch": launch, **read, **{f"{name}_miss": value - launch for name, value in read.items()}}
    row |= {f"{name}_misses": bool(abs(value - launch) > MATERIAL) for name, value in read.items()}
    nearer = abs(read["test"] - launch) - abs(read["last_week"] - launch)
    wrong = read["last_week"] * launch < 0 and abs(read["last_week"] - launch) > MATERIAL
    return row | {"last_week_nearer": bool(nearer > MATERIAL), "wrong_sign": bool(wrong)}


def held_back(truth: Truth, until: int = LATE) -> Floats:
    """Return what a holdback is expected to show on each day since the launch, shape (until + 1,).

    The new ranker's users against those held back, who get the creators' further posts as well; of users who came on
    the first day.
    """
    lift = truth.by_age(until + 1)["lift"].to_numpy()
    supplied = truth.lifts.supply["test_new"] * truth.lifts.grown(np.arange(until + 1))
    both = 1 + float(truth.people.use(truth.design.days) @ truth.lifts.steady["test_old"]) + supplied
    return np.asarray(lift / both)


def launch_and_holdback(truth: Truth, until: int = LATE, every: int = 6) -> dict[str, pd.Series]:
    """Return a launch's lift of the minutes of the week that ends on a day, and a holdback's, each indexed by day."""
    days = range(every, until + 1, every)
    shown = pd.Series(held_back(truth, until)).rolling(7).mean().dropna()
    return {"launch": pd.Series({day: truth.launch(day).relative for day in days}), "holdback": shown}
