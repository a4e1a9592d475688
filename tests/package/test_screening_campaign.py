"""The bank's campaign on a miniature: nothing from after the call or from the last fifth, every dollar counted."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit

from casebook.contracts import check_frame
from casebook.datasets import BANK_MARKETING
from casebook.decisions import money
from casebook.screening import campaign
from casebook.screening.campaign import BEFORE_THE_CALL, Campaign, bank_campaign

N, TESTED = 2_000, 400
CALL, DEPOSIT = 5.0, 50.0
RULES = ["half", "stale", "corrected", "tuned", "everyone"]
ROUNDING = 1e-9  # sums of a few hundred dollars in float64
AFTERWARDS = ("duration", "emp_var_rate", "cons_price_idx", "cons_conf_idx", "euribor3m", "nr_employed")


@pytest.fixture(scope="module")
def calls() -> pd.DataFrame:
    """Two thousand calls in which age, job and an earlier success decide, and in which the rate rises with time."""
    rng = np.random.default_rng(0)
    age, earlier = rng.integers(18, 90, N), rng.random(N) < 0.1
    time = np.arange(N) / N
    y = rng.random(N) < expit(-4.2 + 0.03 * (age - 40) + 2 * earlier + 3 * time)
    frame = pd.DataFrame(
        {
            "row": np.arange(N),
            "age": age,
            "job": rng.choice(["retired", "student", "services"], N),
            "marital": rng.choice(["single", "married"], N),
            "education": "high.school",
            "default": "no",
            "housing": rng.choice(["yes", "no"], N),
            "loan": "no",
            "contact": "cellular",
            "month": "may",
            "day_of_week": "mon",
            "duration": np.where(y, 600, 100) + rng.integers(0, 60, N),
            "campaign": rng.integers(1, 5, N),
            "pdays": np.where(earlier, 6, 999),
            "previous": earlier.astype(int),
            "poutcome": np.where(earlier, "success", "nonexistent"),
            "emp_var_rate": 1.1 - time,
            "cons_price_idx": 93.9,
            "cons_conf_idx": -36.4,
            "euribor3m": 4.8 - 4 * time,
            "nr_employed": 5191.0,
            "subscribed": y.astype(int),
        }
    )
    return check_frame(frame, BANK_MARKETING)


def run(calls: pd.DataFrame) -> tuple[Campaign, dict[str, np.ndarray]]:
    """Run the campaign; return it together with what each rule did on the last fifth."""
    seen = []

    def spy(y, act, costs):
        seen.append(np.asarray(act))
        return money(y, act, costs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(campaign, "money", spy)
        result = bank_campaign(calls, CALL, DEPOSIT)
    return result, dict(zip(result.profits, seen[-len(result.profits) :], strict=True))


@pytest.fixture(scope="module")
def played(calls: pd.DataFrame) -> tuple[Campaign, dict[str, np.ndarray]]:
    kept = calls.copy(deep=True)
    result = run(calls)
    pd.testing.assert_frame_equal(calls, kept)  # the table given is not changed
    return result


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> dict[str, bool]:
    return {name: np.array_equal(act, other[name]) for name, act in one.items()}


def last(calls: pd.DataFrame) -> slice:
    return slice(len(calls) - TESTED, None)


def test_the_profit_of_each_rule_is_an_independent_loops(calls, played):
    result, acts = played
    assert list(result.profits) == RULES
    assert (result.rows, result.tested) == (N, TESTED)
    y = calls["subscribed"].to_numpy()[last(calls)]
    for name, act in acts.items():
        earned = sum((DEPOSIT * bought - CALL) for bought, called in zip(y, act, strict=True) if called)
        assert result.profits[name] == pytest.approx(earned, abs=ROUNDING)
    assert len({tuple(act) for act in acts.values()}) >= 4  # the rules are not one rule


def test_the_stale_rule_calls_above_the_price_and_the_correction_calls_more_where_the_rate_rose(calls, played):
    _, acts = played
    model = campaign.model(calls[list(BEFORE_THE_CALL)])
    cut = int(0.6 * N)
    model.fit(calls[list(BEFORE_THE_CALL)][:cut], calls["subscribed"][:cut])
    p = model.predict_proba(calls[list(BEFORE_THE_CALL)][last(calls)])[:, 1]
    np.testing.assert_array_equal(acts["stale"], p > CALL / DEPOSIT)
    np.testing.assert_array_equal(acts["half"], p > 0.5)
    assert acts["everyone"].all()
    assert (acts["corrected"] >= acts["stale"]).all()
    assert acts["corrected"].sum() > acts["stale"].sum()


def test_labels_of_the_last_fifth_change_no_decision(calls, played):
    shuffled = calls.copy()
    place = calls.columns.get_loc("subscribed")
    shuffled.iloc[last(calls), place] = np.random.default_rng(1).permutation(calls["subscribed"][last(calls)])
    (before, acts), (after, same_acts) = played, run(shuffled)
    assert all(same(acts, same_acts).values())
    assert before.profits["stale"] != after.profits["stale"]


def test_labels_between_move_the_tuned_and_the_corrected_rule_only(calls, played):
    flipped = calls.copy()
    flipped.iloc[int(0.6 * N) : int(0.8 * N), calls.columns.get_loc("subscribed")] ^= 1
    agree = same(played[1], run(flipped)[1])
    assert agree == {"half": True, "stale": True, "corrected": False, "tuned": False, "everyone": True}


def test_nothing_from_after_the_call_enters(calls, played):
    assert not set(BEFORE_THE_CALL) & {*AFTERWARDS, "month", "day_of_week", "row", "subscribed"}
    odd = calls.assign(**{name: np.random.default_rng(2).permutation(calls[name]) * 7 for name in AFTERWARDS})
    (before, acts), (after, others) = played, run(odd.assign(month="dec", day_of_week="fri"))
    assert all(same(acts, others).values())
    assert before.profits == after.profits
    assert (before.auc["random"], before.auc["time"]) == (after.auc["random"], after.auc["time"])


def test_later_calls_change_nothing_earlier(calls, played):
    """The last tenth becomes other people: what was decided in the tenth before it stands."""
    moved = calls.copy()
    moved.iloc[-200:, calls.columns.get_loc("age")] = 95
    one, other = played[1], run(moved)[1]
    for name in RULES:
        np.testing.assert_array_equal(one[name][:200], other[name][:200], err_msg=name)
    assert not np.array_equal(one["stale"][200:], other["stale"][200:])


def test_the_leak_reads_as_the_best_model_and_is_not_in_the_decision(played):
    result, _ = played
    assert result.auc["leak"] > 0.99  # duration was made from the label
    assert 0.55 < result.auc["time"] < 0.9
    assert 0.55 < result.auc["random"] < 0.9


def test_rates_and_tenths_are_those_of_the_record(calls, played):
    result, _ = played
    y = calls["subscribed"].to_numpy()
    assert result.rates == {"early": y[: N // 2].mean(), "late": y[-200:].mean()}
    assert result.tenths["tenth"].tolist() == list(range(1, 11))
    np.testing.assert_allclose(result.tenths["observed"], y.reshape(10, 200).mean(axis=1))
    fitted = result.tenths["predicted"]
    # an intercept matches the mean of what it was fitted on
    assert fitted[:6].mean() == pytest.approx(y[:1200].mean(), rel=1e-3)
    assert fitted.iloc[-1] < result.rates["late"]  # and misses the rise


def test_the_texts_are_the_numbers(played):
    result, _ = played
    texts = result.texts()
    assert set(texts) == set(campaign.CITED)
    assert list(campaign.RULES) == RULES
    assert texts["bank_best"] == campaign.RULES[max(result.profits, key=result.profits.get)]
    assert (texts["bank_rows"], texts["bank_time"]) == ("2,000", "400")
    assert texts["bank_late"] == f"{100 * result.rates['late']:.1f}%"
