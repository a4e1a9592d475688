"""The nightly job: what it writes against the same by hand, what it refuses, and that a second run changes nothing."""

import json
import subprocess
import sys
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from casebook.churn import features
from casebook.churn.__main__ import main
from casebook.churn.artefact import load_artefact, train_artefact, training_dates
from casebook.churn.call_list import CALLED, COMPLAINED, FAILING, UNSUBSCRIBED, Settings, pick, score_base
from casebook.churn.explain import explain
from casebook.churn.models import boosted
from casebook.churn.operate import list_for, score_job, train_job
from casebook.churn.simulate import simulate
from casebook.churn.warehouse_file import open_warehouse, save_warehouse
from casebook.churn.world import World
from casebook.contracts import ContractError
from casebook.experiments import assign_by_hash
from casebook.jobs import check_output, read_audit

DAY = date(2026, 1, 1)
AUTUMN = date(2025, 11, 5)  # the last calls are not yet ninety days old


@pytest.fixture(scope="module")
def tables():
    return simulate(World(), 1_500, np.random.default_rng(3)).tables


@pytest.fixture(scope="module")
def place(tables, tmp_path_factory):
    """A folder with a warehouse, a model and a night's output."""
    folder = tmp_path_factory.mktemp("job")
    save_warehouse(tables, folder / "week.duckdb")
    train_job(folder / "week.duckdb", folder / "models", DAY)
    score_job(folder / "week.duckdb", folder / "lists", DAY, models=folder / "models")
    return folder


def score(place, folder, at=DAY, **options):
    return score_job(place / "week.duckdb", folder, at, models=place / "models", **options)


def tree(folder):
    """Everything under a folder but the audit, which also counts refusals."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in sorted(Path(folder).rglob("*"))
        if path.name != "audit.jsonl"
    }


def test_the_output_is_what_the_same_steps_give_by_hand(tables, place):
    out = place / "lists" / "2026-01-01"
    X = features.build(features.connect(tables), "2026-01-01")
    pd.testing.assert_frame_equal(pd.read_parquet(out / "features.parquet"), X)
    scored = pd.read_parquet(out / "scores.parquet").set_index("subscriber_id").loc[X.index]
    model = load_artefact(place / "models" / "2026-01-01" / "model.json")
    np.testing.assert_array_equal(scored["p"], model.predict(X))
    np.testing.assert_allclose(scored["at_risk"], scored["p"] * X["price"])
    account = tables["customers"].set_index("subscriber_id")["account_id"].loc[X.index]
    np.testing.assert_array_equal(scored["held_out"], assign_by_hash(account, "standing hold-out", 0.1))
    free = scored[(scored["excluded"] == "") & ~scored["held_out"]]
    listed = pd.read_csv(out / "calls.csv")
    assert listed["subscriber_id"].tolist() == free["at_risk"].nlargest(3).index.tolist()  # 0.2% of 1,500
    control = pd.read_csv(out / "holdout.csv")["subscriber_id"]
    assert all(scored.loc[control, "held_out"]) and all(scored.loc[control, "at_risk"] > listed["at_risk"].min() - 0.01)
    report = json.loads((out / "report.json").read_text())
    assert (report["scored"], report["listed"], report["held_out"]) == (len(X), 3, len(control))
    assert report["expected_leavers"] == pytest.approx(scored["p"].sum(), abs=0.06)


def test_reasons_are_those_of_explain(tables, place):
    model = load_artefact(place / "models" / "2026-01-01" / "model.json")
    with open_warehouse(place / "week.duckdb") as connection:
        again = train_artefact(connection, DAY)
        X = features.build(connection, "2026-01-01").head(20)
        cohort = features.cohorts(connection, [str(day) for day in training_dates(DAY)])
    assert again.card == model.card
    assert again.booster.model_to_string() == model.booster.model_to_string()
    called = cohort["subscriber_id"].isin(tables["calls"].query("called_on > '2025-09-01'")["subscriber_id"])
    assert 0 < model.card["called_left_out"] <= called.sum() < len(cohort)
    assert model.card["rows"] + model.card["called_left_out"] == len(cohort)
    fitted = boosted().fit(cohort[list(features.COLUMNS)], cohort["y"].astype(int))
    model.booster.model_from_string(fitted.booster_.model_to_string())
    pd.testing.assert_frame_equal(model.contributions(X), explain(fitted, X))
    text = pd.read_csv(place / "lists" / "2026-01-01" / "calls.csv")["reasons"]
    assert text.str.count(r"\(").between(1, 3).all()


def test_who_was_called_complained_unsubscribed_or_has_a_failing_card_is_passed_over(tables, place):
    lists = place / "autumn"
    train_job(place / "week.duckdb", place / "models", AUTUMN)
    score(place, lists, AUTUMN, settings=Settings(capacity=200))
    scored = pd.read_parquet(lists / "2025-11-05" / "scores.parquet").set_index("subscriber_id")
    calls, said, paid = tables["calls"], tables["feedback"], tables["failed_payments"]
    recent = calls[(calls["called_on"] >= "2025-08-07") & (calls["called_on"] < "2025-11-05")]
    left = said[(said["kind"] == "unsubscribe") & (said["happened_on"] < "2025-11-05")]
    angry = said[(said["kind"] == "complaint") & said["happened_on"].between("2025-05-09", "2025-11-04")]
    open_ = paid[(paid["failed_on"] < "2025-11-05") & ~(paid["recovered_on"] < "2025-11-05")]
    expected = pd.Series("", index=scored.index)
    for rows, why in ((recent, CALLED), (open_, FAILING), (angry, COMPLAINED), (left, UNSUBSCRIBED)):
        expected[expected.index.isin(rows["subscriber_id"])] = why
    assert (scored["excluded"] == expected).all()
    assert {"", CALLED, COMPLAINED, UNSUBSCRIBED} <= set(expected)
    listed = pd.read_csv(lists / "2025-11-05" / "calls.csv")["subscriber_id"]
    control = pd.read_csv(lists / "2025-11-05" / "holdout.csv")["subscriber_id"]
    assert len(listed) == 200
    assert (expected[pd.concat([listed, control])] == "").all()
    assert not scored.loc[listed, "held_out"].any() and 5 < len(control) < 50
    assert not set(scored.loc[listed, "account_id"]) & set(scored.loc[control, "account_id"])


@pytest.mark.slow
def test_the_past_is_scored_without_a_look_at_what_came_later(tables, place, tmp_path):
    at = pd.Timestamp(AUTUMN)
    days = {
        **{"cancellations": "cancelled_on", "tickets": "opened_on", "plan_changes": "changed_on"},
        **{"failed_payments": "failed_on", "surveys": "sent_on", "emails": "sent_on", "calls": "called_on"},
        **{"pilot": "enrolled_on", "feedback": "happened_on", "usage_weekly": "week"},
    }
    then = {name: frame[frame[days[name]] < at] if name in days else frame for name, frame in tables.items()}
    then["usage_weekly"] = then["usage_weekly"][then["usage_weekly"]["week"] < "2025-11-03"]
    for name, column in (("tickets", "resolved_on"), ("failed_payments", "recovered_on")):
        then[name] = then[name].assign(**{column: then[name][column].where(then[name][column] < at)})
    save_warehouse(then, tmp_path / "then.duckdb", "2025-11-05")
    outputs = []
    for path in (tmp_path / "then.duckdb", place / "week.duckdb"):
        result = score_job(path, tmp_path / path.stem, AUTUMN)
        outputs.append({name: (result.path / name).read_bytes() for name in ("calls.csv", "holdout.csv")})
    assert outputs[0] == outputs[1]


def test_a_second_run_changes_nothing_and_other_inputs_need_replace(place, tmp_path):
    first = score(place, tmp_path)
    before = tree(tmp_path)
    assert first.ran == ("features", "model", "scores", "calls", "holdout", "report")
    assert score(place, tmp_path).status == "already done"
    assert tree(tmp_path) == before
    with pytest.raises(ContractError) as refusal:
        score(place, tmp_path, settings=Settings(capacity=9))
    assert str(refusal.value) == (
        "the inputs of '2026-01-01' must be those of its finished run, got a change in 'settings'; pass --replace to "
        "swap the output (the old one is kept)."
    )
    assert tree(tmp_path) == before
    assert score(place, tmp_path, settings=Settings(capacity=9), replace=True).status == "replaced"
    assert len(pd.read_csv(tmp_path / "2026-01-01" / "calls.csv")) == 9
    check_output(tmp_path / ".replaced-2026-01-01-1")
    assert [line["status"] for line in read_audit(tmp_path)] == ["done", "already done", "refused", "replaced"]


def test_yesterdays_list_stands_in_with_its_age_and_an_older_one_is_refused(place, capsys):
    lists = place / "lists"
    listed, output = list_for(lists, date(2026, 1, 3))
    assert output.note == "Output of 2026-01-01, 2 days old, in place of 2026-01-03."
    assert main(["show", "--folder", str(lists), "--date", "2026-01-03"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == output.note and len(shown) == 2 + len(listed)
    assert main(["show", "--folder", str(lists), "--date", "2026-01-09"]) == 2
    assert capsys.readouterr() == (
        "",
        "the finished output for 2026-01-09 must be at most 3 days old, got 2026-01-01 as the newest, 8 days old; mend "
        "and run the job, or raise max_age_days.\n",
    )


def test_the_kill_switch_and_an_old_model_stop_the_night(place, tmp_path, capsys):
    (tmp_path / "STOP").write_text("prices are wrong since Monday")
    with pytest.raises(ContractError) as refusal:
        score(place, tmp_path)
    assert str(refusal.value) == (
        "kill switch 'STOP' must be absent, got one that says 'prices are wrong since Monday'; remove the file once "
        "that is mended."
    )
    assert list(tree(tmp_path)) == ["STOP"]
    with pytest.raises(ContractError) as refusal:
        score(place, tmp_path, date(2025, 10, 1))
    assert str(refusal.value).startswith("the finished output for 2025-10-01 must be at most 35 days old, got none at")
    assert list(tree(tmp_path)) == ["STOP"]


def test_the_list_takes_held_out_names_no_place(place):
    scored = pd.read_parquet(place / "lists" / "2026-01-01" / "scores.parquet")
    for calls in (1, 40, 5_000):
        listed, control = pick(scored, calls)
        allowed = scored[scored["place"] > 0]
        assert len(listed) == min(calls, (~allowed["held_out"]).sum())
        last = listed["place"].max()
        assert len(listed) + len(control) == last
    none, control = pick(scored[scored["held_out"]], 4)
    assert len(none) == len(control) == 0


def test_equal_dollars_go_by_the_id_in_any_order_of_rows(tables, place):
    with open_warehouse(place / "week.duckdb") as connection:
        X = features.build(connection, "2026-01-01").assign(price=100.0)
        p = np.round(np.random.default_rng(1).random(len(X)), 1)
        scored = score_base(connection, X, p, DAY, Settings())
        order = np.random.default_rng(2).permutation(len(X))
        shuffled = score_base(connection, X.iloc[order], p[order], DAY, Settings())
    pd.testing.assert_frame_equal(scored, shuffled)
    ties = scored[scored["place"] > 0].groupby("at_risk")["subscriber_id"]
    assert all(group.is_monotonic_increasing for _, group in ties)


def test_training_dates_are_closed_before_the_day():
    assert training_dates(date(2026, 1, 31), 1) == [date(2025, 12, 1)]
    assert training_dates(date(2026, 1, 31), 2)[0] == date(2025, 11, 1)
    assert training_dates(date(2026, 2, 1), 1) == [date(2026, 1, 1)]  # 30 days on is 31 January


@pytest.mark.slow
def test_the_command_runs_as_a_process(place, tmp_path):
    words = ["score", "--date", "2026-01-01", "--warehouse", str(place / "week.duckdb"), "--folder", str(tmp_path)]
    for said in ("written", "unchanged"):
        ran = subprocess.run(
            [sys.executable, "-m", "casebook.churn", *words, "--models", str(place / "models")],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.startswith(f"2026-01-01: {said}, 1,") and ran.stdout.endswith(" held out\n")
    late = [*words[:1], "--date", "2026-02-01", *words[3:]]
    ran = subprocess.run([sys.executable, "-m", "casebook.churn", *late], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stdout) == (2, "")
    assert ran.stderr == (
        "table 'usage_weekly' must be loaded up to 2026-01-19, got 2025-12-22; wait for the load or pass an earlier "
        "--date.\n"
    )
