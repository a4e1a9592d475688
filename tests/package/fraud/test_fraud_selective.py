"""A bank that learns from what it let pass: its teachers row by row, its rounds recounted, a world without blocks."""

import re

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import average_precision_score

from casebook.contracts import ContractError
from casebook.exploration import label_weights, pass_through
from casebook.fraud import plays_selective
from casebook.fraud.evaluate import average_precision
from casebook.fraud.lessons import MONTH, Memory
from casebook.fraud.outcomes import BLOCK, DECLINED, PASSED, STOPPED, loss_if_passed
from casebook.fraud.plays_selective import DIALS, NEVER, play_selective
from casebook.fraud.relearn import allow_until
from casebook.fraud.selective import TEACHERS, Arm, Exploration, arms, run_arm
from casebook.fraud.selective_rounds import audit_blocks, by_round
from casebook.fraud.world import DAY, Friction, World
from casebook.worlds import draw_dials

ROUNDING = 1e-9
BUSY = World(prevalence=0.05, delay_days=1.0, costs=Friction(block=4.0))
#: Six events: an old one reported, a new one not; one blocked fraud and one blocked by mistake; one let pass by chance
#: and reported; one on a stopped card.
MEMORY = Memory(
    age=np.array([MONTH + 5, 3, 3, 3, 2, 1]),
    outcome=np.array([PASSED, PASSED, DECLINED, DECLINED, PASSED, STOPPED], np.int8),
    reported=np.array([True, False, False, False, True, False]),
    answer=np.full(6, -1, np.int8),
    chance=np.array([1.0, 1.0, 0.1, 0.0, 0.1, 1.0]),
    fraud=np.array([True, True, True, False, True, True]),
)


@pytest.fixture(scope="module")
def start():
    return allow_until(BUSY, 250, 30, 4, day=14)


@pytest.fixture(scope="module")
def explorer(start):
    return run_arm(start, Arm("weighted", Exploration(0.4, 150.0, 300.0), ("seen", "told")), every=8)


@pytest.mark.parametrize(
    ("teacher", "rows", "frauds", "weights"),
    [
        ("seen", [1, 4], [4], [1, 1]),
        ("weighted", [1, 4], [4], [1, 10]),
        ("kept", [0, 1, 4], [0, 4], [1, 1, 1]),
        ("told", [1, 2, 3, 4], [2, 4], [1, 1, 1, 1]),
        ("all", [0, 1, 2, 3, 4], [0, 2, 4], [1, 1, 1, 1, 1]),
    ],
)
def test_each_teacher_teaches_its_rows(teacher, rows, frauds, weights):
    lesson = TEACHERS[teacher](MEMORY)
    assert np.flatnonzero(lesson.rows).tolist() == rows
    assert np.flatnonzero(lesson.rows & lesson.y).tolist() == frauds
    np.testing.assert_allclose(lesson.weight[lesson.rows], weights)


def test_blocks_are_worth_their_cost_and_exploration_keeps_to_its_caps(start, explorer):
    run, scores = explorer.run, explorer.scores
    ids = scores["event_id"].to_numpy()
    events = run.tables["events"].iloc[ids]
    action = run.tables["decisions"]["action"].to_numpy()[ids]
    entry, channel = (events[name].cat.codes.to_numpy().astype(np.int8) for name in ("entry", "channel"))
    loss = loss_if_passed(BUSY.costs, events["amount_cents"].to_numpy(), entry, channel)
    earns = (events["channel"] != "app").to_numpy()
    false = BUSY.costs.block + BUSY.costs.reissue + BUSY.costs.margin * earns * events["amount_cents"].to_numpy() / 100
    p = scores["weighted"].to_numpy()
    would = p * loss > (1 - p) * false
    assert (would[action == BLOCK]).all() and would.sum() > 30
    explored = would & (action != BLOCK)
    assert explored.sum() > 5
    assert loss[explored].max() <= 150
    assert np.bincount(scores["day"].to_numpy()[explored], loss[explored]).max() <= 300
    chance = scores["chance"].to_numpy()
    assert set(chance[~would]) == {1.0} and set(chance[would]) == {0.0, 0.4}
    assert (chance[would & (loss > 150)] == 0).all()


def test_rounds_are_recounted_event_by_event(explorer):
    table, run = by_round(explorer), explorer.run
    outcome = run.tables["decisions"]["outcome"].to_numpy()
    fraud = run.truth.events["fraud"].to_numpy()
    loss = run.truth.events["loss_dollars"].to_numpy()
    scores = explorer.scores
    assert table["first_day"].tolist() == [14, 22]
    for row, low, high in zip(table.itertuples(), (14, 22), (22, 30), strict=True):
        part = scores[scores["day"].between(low, high - 1)]
        ids = part["event_id"].to_numpy()
        live, passed = outcome[ids] != "stopped", outcome[ids] == "passed"
        assert (row.events, row.attempts) == (live.sum(), (live & fraud[ids]).sum())
        for name in ("weighted", "seen", "told"):
            twin = average_precision_score(fraud[ids][live], part[name].to_numpy()[live])
            assert getattr(row, f"ap_{name}") == pytest.approx(twin, rel=ROUNDING)
        own, chance = part["weighted"].to_numpy(), part["chance"].to_numpy()
        assert row.passed_ap == pytest.approx(average_precision_score(fraud[ids][passed], own[passed]))
        twin = average_precision_score(fraud[ids][passed], own[passed], sample_weight=1 / chance[passed])
        assert row.passed_ap_weighted == pytest.approx(twin, rel=ROUNDING)
        by_chance = passed & (chance < 1)
        assert (row.explored, row.explored_frauds) == (by_chance.sum(), (by_chance & fraud[ids]).sum())
        assert row.explored_loss == pytest.approx(loss[ids][by_chance & fraud[ids]].sum())
        assert row.stopped_share == pytest.approx(1 - passed[fraud[ids]].mean())
        money = run.money[run.money["day"].between(low, high - 1)]
        assert (row.loss, row.friction) == pytest.approx((money["loss"].sum(), money["friction"].sum()))
    at = run.tables["events"]["at"].to_numpy() // DAY
    assert table["events"].sum() == ((at >= 14) & (outcome != "stopped")).sum()


def test_the_audit_of_the_blocks_is_the_share_of_frauds_among_the_explored(explorer):
    truth, found = audit_blocks(explorer)
    judged = explorer.judged()
    reachable = judged[judged["live"] & judged["chance"].between(0.01, 0.99)]
    assert truth == reachable["fraud"].mean()
    explored = reachable[reachable["passed"]]
    assert found.value == pytest.approx(explored["fraud"].mean())  # one share for all: the weights are equal
    assert found.n == len(reachable) and found.effective_n == pytest.approx(len(explored))


def test_what_passed_makes_a_good_ranking_look_bad_and_weights_mend_it():
    rng = np.random.default_rng(0)
    score = rng.beta(1, 6, 4_000)
    fraud = rng.random(4_000) < np.where(score > 0.4, score, 0.02)
    truth = average_precision(fraud, score)
    plain, weighted = [], []
    for _ in range(300):
        drawn = pass_through(score > 0.4, 0.2, rng=rng)
        seen = drawn.passed
        weight = label_weights(seen, drawn.chance)[seen]
        plain.append(average_precision(fraud[seen], score[seen]))
        weighted.append(average_precision(fraud[seen], score[seen], weight=weight))
    assert max(plain) < truth - 0.1
    assert abs(np.mean(weighted) - truth) < 0.02  # a ratio of sums: its bias is of the order of one over the explored
    assert stats.sem(weighted) < 0.005


def test_where_nothing_is_blocked_nothing_is_forgotten_and_nothing_explored(monkeypatch):
    monkeypatch.setattr(plays_selective, "CARDS", 80)
    monkeypatch.setattr(plays_selective, "DAYS", 64)
    dials = draw_dials(DIALS, 1, np.random.default_rng(2), null=True).iloc[0].to_dict()
    assert dials["block"] == NEVER
    row = play_selective({**dials, "prevalence": 0.05}, np.random.default_rng(3))
    assert row["attempts"] > 5 and row["cost_none"] > 0
    assert not any(value for value in row.values() if isinstance(value, bool)), row
    assert row["explored"] == row["blocked_frauds"] == row["price"] == row["unreached"] == 0
    assert row["ap_seen"] == row["ap_told"] == row["explored_weighted"]
    assert row["ap_kept"] == row["ap_all"]
    assert {row[f"saved_{name}"] for name in ("unweighted", "weighted", "kept", "told")} == {0.0}
    assert row["passed_ap"] == row["true_ap"] == row["explored_passed_ap"]


def test_arms_are_named_by_what_they_do_and_a_wrong_teacher_is_refused():
    compared = arms(Exploration(0.05, 100.0))
    assert [arm.exploration.share for arm in compared.values()] == [0, 0.05, 0.05, 0, 0]
    text = "Arm must be of the teachers seen, weighted, kept, told, all, got 'oracle'; name one of them."
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        Arm("seen", rivals=("oracle",))
