"""Hillstrom's trial on a miniature with a known effect, each number against a twin; and on the original."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chisquare, ttest_ind

from casebook import datasets
from casebook.churn import real_uplift
from casebook.churn.real_trial import EMAILS, NO_EMAIL, OUTCOMES, PUBLISHED_VISITS, arms, sample_ratio
from casebook.churn.real_uplift import READINGS, RankedTrial, hillstrom_uplift, over_splits, saturation
from casebook.contracts import ContractError, check_frame
from casebook.uplift import DEFINITIONS, qini

N = 3_000
WOMENS = "Womens E-Mail"
KINDS = ("class_transformation", "t")
SCORES = ["response", "risk", "random", *KINDS]
EXACT = 1e-9  # the same sums in another order
DRAWS = 20  # the bootstrap has its own tests
NULL_TRIALS = 10
STANDARD_ERRORS = 3  # five scores, nine degrees of freedom: one honest run in fifteen lies outside; the seeds are fixed


def trial(effect: float, seed: int = 0) -> pd.DataFrame:
    """A trial in which an e-mail moves those who bought women's merchandise, and men's buyers visit anyway."""
    rng = np.random.default_rng(seed)
    womens, arm = rng.integers(0, 2, N), rng.choice([NO_EMAIL, *EMAILS], N)
    visit = rng.random(N) < 0.1 + 0.3 * (1 - womens) + effect * womens * (arm == WOMENS)
    bought = visit & (rng.random(N) < 0.3)
    frame = pd.DataFrame(
        {
            "recency": rng.integers(1, 13, N),
            "history_segment": "1) $0 - $100",
            "history": rng.uniform(30, 100, N),
            "mens": 1 - womens,
            "womens": womens,
            "zip_code": rng.choice(["Rural", "Surburban", "Urban"], N),
            "newbie": rng.integers(0, 2, N),
            "channel": rng.choice(["Multichannel", "Phone", "Web"], N),
            "arm": arm,
            "visit": visit.astype(int),
            "conversion": bought.astype(int),
            "spend": bought * 50.0,
        }
    )
    return check_frame(frame, datasets.HILLSTROM)


@pytest.fixture(scope="module")
def customers() -> pd.DataFrame:
    return trial(effect=0.4)


@pytest.fixture(scope="module")
def ranked(customers) -> RankedTrial:
    kept = customers.copy(deep=True)
    found = hillstrom_uplift(customers, WOMENS, seed=0, kinds=KINDS, draws=DRAWS)
    pd.testing.assert_frame_equal(customers, kept)  # the table given is not changed
    return found


def halves(customers: pd.DataFrame) -> tuple[pd.Index, pd.Index]:
    """The rows of the women's e-mail or none that are fitted on and judged on, as seed 0 draws them."""
    rows = customers.index[customers["arm"].isin([WOMENS, NO_EMAIL])]
    fit, judge = np.array_split(np.random.default_rng(0).permutation(len(rows)), 2)
    return rows[fit], rows[judge]


def flipped(customers: pd.DataFrame, rows: pd.Index) -> RankedTrial:
    other = customers.copy()
    other.loc[rows, "visit"] = 1 - other.loc[rows, "visit"]
    return hillstrom_uplift(other, WOMENS, seed=0, kinds=KINDS, draws=2)


def test_the_arms_differ_as_welchs_test_says(customers):
    table = arms(customers)
    assert list(table.index) == [(outcome, arm) for outcome in OUTCOMES for arm in (NO_EMAIL, *EMAILS)]
    control = customers[customers["arm"] == NO_EMAIL]
    for outcome in OUTCOMES:
        assert table.loc[(outcome, NO_EMAIL), ["difference", "low", "high", "p"]].isna().all()
        for arm in EMAILS:
            treated, row = customers[customers["arm"] == arm], table.loc[(outcome, arm)]
            twin = ttest_ind(treated[outcome], control[outcome], equal_var=False)
            assert row["customers"] == len(treated)
            assert row["mean"] == pytest.approx(treated[outcome].mean(), rel=EXACT)
            assert row["difference"] == pytest.approx(treated[outcome].mean() - control[outcome].mean(), rel=EXACT)
            assert row["p"] == pytest.approx(twin.pvalue, rel=1e-6)
            assert [row["low"], row["high"]] == pytest.approx(list(twin.confidence_interval()), rel=1e-6)
    assert table["published"].dropna().tolist() == list(PUBLISHED_VISITS.values())


def test_the_ratio_is_a_chi_square_and_breaks_where_customers_are_lost(customers):
    counts = customers["arm"].value_counts()
    assert sample_ratio(customers).p == pytest.approx(chisquare(counts).pvalue, rel=EXACT)
    lost = customers[(customers["arm"] != WOMENS) | (customers["visit"] == 1)]
    assert sample_ratio(lost).broken
    assert sample_ratio(customers[customers["arm"] == NO_EMAIL]).broken


def test_half_of_two_arms_is_held_out(customers, ranked):
    fit, judge = halves(customers)
    assert list(ranked.held_out.columns) == ["y", "treated", *SCORES]
    assert not set(fit) & set(judge)
    np.testing.assert_array_equal(ranked.held_out["y"], customers.loc[judge, "visit"])
    np.testing.assert_array_equal(ranked.held_out["treated"], customers.loc[judge, "arm"] == WOMENS)


def test_held_out_outcomes_move_no_score(customers, ranked):
    other = flipped(customers, halves(customers)[1])
    assert (other.held_out["y"] == 1 - ranked.held_out["y"]).all()
    pd.testing.assert_frame_equal(other.held_out[SCORES], ranked.held_out[SCORES])


@pytest.mark.parametrize(("arm", "moved", "kept"), [(WOMENS, "response", "risk"), (NO_EMAIL, "risk", "response")])
def test_response_learns_from_the_treated_and_risk_from_the_controls(arm, moved, kept, customers, ranked):
    fit = halves(customers)[0]
    other = flipped(customers, fit[customers.loc[fit, "arm"] == arm]).held_out
    np.testing.assert_array_equal(other[kept], ranked.held_out[kept])
    assert np.corrcoef(other[moved], ranked.held_out[moved])[0, 1] < -0.9
    assert not np.array_equal(other["t"], ranked.held_out["t"])


def test_nothing_from_after_the_email_enters(customers, ranked):
    odd = customers.assign(conversion=1 - customers["conversion"], spend=9.0, history_segment="7) $1,000 +")
    other = hillstrom_uplift(odd, WOMENS, seed=0, kinds=KINDS, draws=2)
    pd.testing.assert_frame_equal(other.held_out, ranked.held_out)


def test_uplift_finds_whom_the_email_moves_and_risk_those_who_come_anyway(customers, ranked):
    womens = customers.loc[halves(customers)[1], "womens"].to_numpy() == 1
    scores = ranked.held_out
    assert scores.loc[womens, "t"].mean() > scores.loc[~womens, "t"].mean() + 0.25  # the effect is 0.4
    assert scores.loc[womens, "risk"].mean() < scores.loc[~womens, "risk"].mean()
    table = ranked.paired.loc["qini"]
    assert table.loc["t", "difference_low"] > 0
    assert table.loc["risk", "qini"] < 0


def test_without_an_effect_no_ranking_is_found():
    """Over ten null trials each mean Qini is within its own Monte Carlo error of nought."""
    found = [
        hillstrom_uplift(trial(0.0, seed), WOMENS, seed=seed, kinds=KINDS, draws=2).readings.loc[("qini", "per_unit")]
        for seed in range(NULL_TRIALS)
    ]
    values = pd.DataFrame(found)[SCORES].astype(float)
    errors = values.std() / np.sqrt(NULL_TRIALS)
    assert (values.mean().abs() < STANDARD_ERRORS * errors).all()


def test_every_reading_is_the_rooms_and_carries_its_formula(ranked):
    assert list(ranked.readings.index) == list(READINGS)
    y, treated = ranked.held_out["y"], ranked.held_out["treated"]
    for definition, normalise in READINGS:
        row = ranked.readings.loc[(definition, normalise)]
        for name in SCORES:
            twin = qini(y, treated, ranked.held_out[name], definition=definition, normalise=normalise)
            assert row[name] == pytest.approx(twin.value, rel=EXACT)
            assert row["formula"] == twin.formula
    per_unit, total = ranked.readings.loc[("qini", "per_unit"), "t"], ranked.readings.loc[("qini", "none"), "t"]
    assert total == pytest.approx(per_unit * len(y), rel=EXACT)


def test_the_paired_table_is_against_the_response_ranking(ranked):
    assert list(ranked.paired.index) == [(definition, score) for definition in DEFINITIONS for score in SCORES]
    for definition in DEFINITIONS:
        table = ranked.paired.loc[definition]
        read = ranked.readings.loc[(definition, "per_unit"), SCORES].astype(float)
        np.testing.assert_allclose(table["qini"], read, rtol=EXACT)
        np.testing.assert_allclose(table["difference"], read - read["response"], atol=EXACT)
        assert (table.loc["response", ["difference", "difference_low", "difference_high"]] == 0).all()


def test_over_splits_counts_what_single_splits_show(customers):
    table = over_splits(customers, WOMENS, seed=0, splits=3, kinds=("t",))
    single = pd.DataFrame(
        [
            hillstrom_uplift(customers, WOMENS, seed=seed, kinds=("t",), draws=2).readings.loc[("qini", "per_unit")]
            for seed in range(3)
        ]
    )
    for name in ("response", "risk", "random", "t"):
        values = single[name].astype(float)
        assert table.loc[name, "mean"] == pytest.approx(values.mean(), rel=EXACT)
        assert table.loc[name, "sd"] == pytest.approx(values.std(), rel=EXACT)
        assert table.loc[name, "above_random"] == (values > 0).sum()
        assert table.loc[name, "above_response"] == (values > single["response"].astype(float)).sum()
    assert (table["splits"] == 3).all()


def test_saturation_of_a_score_without_ties_is_a_sort(ranked):
    table = saturation(ranked, shares=(1.0, 0.5)).loc["random"]
    top = ranked.held_out.nlargest(len(ranked.held_out) // 2, "random")
    rates = top.groupby("treated")["y"].mean()
    assert list(table.index) == [0.5, 1.0]
    assert table.loc[0.5, "targeted"] == len(top)
    assert table.loc[0.5, "uplift"] == pytest.approx(rates[1] - rates[0], rel=EXACT)
    assert table.loc[0.5, "extra"] == pytest.approx((rates[1] - rates[0]) * len(top), rel=EXACT)


def test_saturation_ends_at_everybody_and_its_margins_add_up(ranked):
    table = saturation(ranked)
    means = ranked.held_out.groupby("treated")["y"].mean()
    for name in SCORES:
        part = table.loc[name]
        assert part.loc[1.0, "uplift"] == pytest.approx(means[1] - means[0], rel=EXACT)
        assert part.loc[1.0, "of_all"] == pytest.approx(1, rel=EXACT)
        steps = np.diff([0, *part.index]) * len(ranked.held_out)
        assert part["marginal"] @ steps == pytest.approx(part.loc[1.0, "extra"], rel=EXACT)
    assert table.loc[("t", 0.3), "of_all"] > table.loc[("risk", 0.3), "of_all"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"arm": NO_EMAIL}, "arm must be one of Mens E-Mail, Womens E-Mail, got 'No E-Mail'; name the e-mail."),
        ({"outcome": "spend"}, "outcome must be visit or conversion, got 'spend'; pick one."),
    ],
)
def test_another_arm_or_outcome_is_refused(given, message, customers):
    with pytest.raises(ContractError) as caught:
        hillstrom_uplift(customers, **({"arm": WOMENS} | given), seed=0)
    assert str(caught.value) == message


def test_one_split_is_no_repetition(customers):
    with pytest.raises(ContractError) as caught:
        over_splits(customers, WOMENS, seed=0, splits=1)
    assert str(caught.value) == "splits must be 2 or more, got 1; take 5."


@pytest.fixture(scope="module")
def original() -> pd.DataFrame:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CASEBOOK_OFFLINE", "1")
        path = datasets.fetch("hillstrom-email")
    if path is None:
        pytest.skip("data absent")
    return datasets.prepare_hillstrom(path)


def test_on_the_original_the_visits_are_the_published_ones(original):
    visits = arms(original).loc["visit"]
    np.testing.assert_array_equal(visits["mean"].round(4), visits["published"])
    assert not sample_ratio(original).broken


@pytest.mark.slow
def test_on_the_original_it_depends_on_the_email_who_wins(original):
    womens, mens = (over_splits(original, arm, seed=0, splits=2, kinds=("t",)) for arm in (WOMENS, EMAILS[0]))
    assert womens.loc["t", "above_response"] == 2
    assert mens.loc["t", "above_response"] == 0
    assert (womens.loc[["t", "response"], "above_random"] == 2).all()
    assert real_uplift.PUBLISHED_UPLIFT[EMAILS[0], 0.1] < arms(original).loc[("visit", EMAILS[0]), "difference"]
