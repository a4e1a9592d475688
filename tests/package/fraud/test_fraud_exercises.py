"""Chapter 5's exercises are proved, and its printed solutions are accepted."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import poisson

from casebook.exercises import grade, verify_exercise
from casebook.fraud import exercise_tables
from casebook.fraud.exercise_forms import put_back
from casebook.fraud.exercise_tables import AS_OF, DISPUTES, EPISODE, HUNT, HUNTED, KNOWN, MATURE
from casebook.fraud.exercises import EXERCISES
from casebook.fraud.labelled import known_labels
from casebook.fraud.world import DAY
from tools.paths import ROOT

CHAPTER = ROOT / "notebooks" / "05_fraud.py"
ASKED = re.compile(r'EXERCISES\["([\w-]+)"\]')
TABLES = {name: getattr(exercise_tables, name) for name in dir(exercise_tables) if name.isupper()}
in_chapter = pytest.mark.skipif(not CHAPTER.exists(), reason="the chapter is not there")


def cells() -> list[Any]:
    twins = pytest.importorskip("tools.twins", reason="needs jupytext", exc_type=ImportError)
    return list(twins.read_chapter(CHAPTER).cells)


def code_of(name: str) -> str:
    """Return the exercise cells above a check, solution included, from the check before it on."""
    since: list[str] = []
    for cell in cells():
        tags = cell.metadata.get("tags", [])
        if cell.cell_type != "code" or not {"exercise", "solution"} & set(tags):
            continue
        asked = ASKED.search(cell.source)
        if asked and asked.group(1) == name:
            return "\n".join(since)
        since = [] if asked else [*since, cell.source]
    raise AssertionError(f"the chapter does not ask {name!r}")


@pytest.mark.parametrize("name", EXERCISES)
def test_every_check_is_proved(name):
    assert EXERCISES[name].id == name
    verify_exercise(EXERCISES[name])


@in_chapter
def test_the_chapter_asks_every_exercise_once_in_order():
    asked = [found.group(1) for cell in cells() if (found := ASKED.search(cell.source))]
    assert len(EXERCISES) >= 6
    assert asked == list(EXERCISES)


@in_chapter
@pytest.mark.parametrize("name", EXERCISES)
def test_the_chapters_own_solution_is_accepted(name):
    namespace: dict[str, Any] = {"np": np, "pd": pd} | TABLES
    exec(code_of(name), namespace)
    assert grade(EXERCISES[name], namespace["answer"]) is None


@in_chapter
@pytest.mark.parametrize("name", EXERCISES)
def test_the_minutes_stand_in_the_chapter_as_in_the_exercise(name):
    number = list(EXERCISES).index(name) + 1
    texts = [cell.source for cell in cells() if cell.source.startswith(f"**{number}. ")]
    assert len(texts) == 1
    assert f"({EXERCISES[name].minutes} minutes)" in texts[0]


@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        (
            "05-false-alarms",
            (2_000 / 3_999_200, 0.28),
            "the frauds that you catch are calls too; take them off the 2,000",
        ),
        ("05-false-alarms", (0.00036, 0.4), "that takes all 800 for caught; 30% of them are never called about"),
        ("05-push-cut", 0.14 / 44.14, "the rest of the episode is missing: a denial stops the card"),
        ("05-push-cut", 0.5, "lost if honest / (lost if honest + saved if fraud)"),
        ("05-how-many", (500_000, 0.21), "that takes p for even between 0 and 1; its mean is 0.001"),
        ("05-how-many", (2_000, 0.3), "of the 300 blocked payments 210 are fraud, not all"),
        ("05-prior", 0.05, "the answer must be a function of p and kept, got float; pass its name, without brackets."),
        ("05-labels", KNOWN | {"e": 0}, "e was abandoned, so it was not charged either"),
        ("05-labels", KNOWN | {"h": 0}, "h has not happened yet on 1 April"),
        ("05-labels", KNOWN | {"b": 1}, "look at b again"),
        (
            "05-labels",
            KNOWN | {"z": 1},
            "the answer must be a label for each payment, a to h, got 'z'; index it by payment.",
        ),
        (
            "05-episode",
            240,
            "those are the rows above the cut; the card is stopped at 14:13, so what follows is spared too",
        ),
        ("05-leak", "days_to_payday", "it looks ahead, but in the calendar, which everybody knows"),
        ("05-explore", (0.05, 0.05), "the weight is one over the chance that the row was seen"),
        ("05-holdback", 8.15, "with 1.96 alone you find it one time in two; add 0.84 for the power"),
        ("05-holdback", "two weeks", "the answer must be one number, got str 'two weeks'; give the number itself."),
    ],
)
def test_each_known_slip_gets_its_own_words(name, wrong, message):
    assert grade(EXERCISES[name], wrong) == message


def test_a_wrong_function_is_told_its_value():
    assert grade(EXERCISES["05-prior"], lambda p, kept: np.sqrt(p)) == (
        "at p = 0.3 and kept = 0.05 yours is 0.5477 and not 0.02098"
    )


def test_a_function_that_fails_is_no_accident_of_the_check():
    assert grade(EXERCISES["05-prior"], lambda p: p).startswith("the answer must be function")


def test_the_prior_put_back_is_that_of_a_sample_that_was_drawn():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 3, 600_000)
    fraud = rng.random(len(group)) < np.array([0.001, 0.01, 0.1])[group]
    drawn = fraud | (rng.random(len(group)) < 0.05)
    for one in range(3):
        rows = group == one
        in_sample, in_bank = fraud[rows & drawn].mean(), fraud[rows].mean()
        assert put_back(in_sample, 0.05) == pytest.approx(in_bank, rel=0.1)


def test_the_labels_are_what_the_chapters_function_knows_once_the_young_are_out():
    rows = DISPUTES.sort_values("at").reset_index()
    seconds = {name: (rows[name] - pd.Timestamp("2026-03-02")).dt.total_seconds() for name in ("at", "reported_at")}
    told = rows["reported_at"].notna()
    tables = {
        "events": pd.DataFrame({"event_id": rows.index, "at": seconds["at"].astype(int)}),
        "decisions": pd.DataFrame({"event_id": rows.index, "outcome": rows["outcome"]}),
        "reports": pd.DataFrame({"event_id": rows.index[told], "reported_at": seconds["reported_at"][told]}),
    }
    at = int((AS_OF - pd.Timestamp("2026-03-02")).total_seconds())
    known = known_labels(tables, at)
    young = tables["events"]["at"][: len(known)] > at - MATURE.days * DAY
    known[(young & (known == 0)).fillna(False).to_numpy(bool)] = pd.NA
    mine = {rows["payment"][i]: None if pd.isna(y) else int(y) for i, y in known.items()}
    assert {name: mine.get(name) for name in KNOWN} == KNOWN


def test_every_feature_of_the_hunt_is_counted_as_its_name_says_and_one_from_the_future():
    honest, leaky = [], []
    for row in HUNT.itertuples():
        past = HUNT[HUNT["at"] < row.at]
        card, shop = past[past["card"] == row.card], past[past["merchant"] == row.merchant]
        mean = card["amount"].mean()
        rest = {
            "card_count_24h": (card["at"] >= row.at - pd.Timedelta(hours=24)).sum(),
            "amount_to_mean": row.amount / mean if len(card) else np.nan,
            "new_merchant": int(row.merchant not in set(card["merchant"])),
            "days_to_payday": 31 - row.at.day,
        }
        honest.append(rest | {"merchant_frauds": (shop["reported_at"] < row.at).sum()})
        leaky.append(rest | {"merchant_frauds": shop["reported_at"].notna().sum()})
    given = HUNT[list(HUNTED)].astype(float).reset_index(drop=True)
    pd.testing.assert_frame_equal(given, pd.DataFrame(leaky)[list(HUNTED)].astype(float))
    assert (given.fillna(-1) != pd.DataFrame(honest)[list(HUNTED)].astype(float).fillna(-1)).any().sum() == 1


def test_the_episode_is_stopped_once_and_some_fraud_lies_below_the_cut():
    after = EPISODE.loc[3:]
    assert (EPISODE.loc[:2, "p"] < 0.3).all() and after["p"].iloc[0] > 0.3
    assert after.loc[after["p"] < 0.3, "amount"].sum() == 650


def test_the_holdbacks_days_give_about_the_power_that_was_asked_for():
    days = EXERCISES["05-holdback"].right[0]
    low = poisson.ppf(0.025, 7.8 * days)  # the level of a discrete count lies below this
    assert poisson.cdf(low, 6 * days) == pytest.approx(0.8, abs=0.05)
