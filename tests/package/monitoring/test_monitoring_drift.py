"""The stability index against its formula, its null distribution and its symmetries."""

import re

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.monitoring import ks, psi, psi_from_counts, psi_null, psi_table

ROUNDING = 1e-12
counts = st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), min_size=2, max_size=12).map(
    lambda pairs: np.array([*pairs, (1, 1)]).T
)
numbers = st.lists(st.integers(-50, 50).map(float), min_size=5, max_size=80)


@given(counts)
def test_it_is_not_negative_symmetric_and_0_on_itself(both):
    before, now = both
    assert psi_from_counts(before, now) >= 0
    assert psi_from_counts(before, now) == pytest.approx(psi_from_counts(now, before), rel=ROUNDING, abs=ROUNDING)
    assert psi_from_counts(before, before) == 0


@given(counts)
def test_full_cells_give_jeffreys_two_divergences(both):
    before, now = both + 1
    p, q = before / before.sum(), now / now.sum()
    twin = scipy.stats.entropy(p, q) + scipy.stats.entropy(q, p)
    assert psi_from_counts(before, now) == pytest.approx(twin, rel=1e-9, abs=ROUNDING)


@given(numbers, numbers)
def test_a_rising_transformation_of_both_changes_nothing(before, now):
    value = psi(before, now)
    assert value >= 0
    for rising in (np.cbrt, np.exp, lambda x: 3 * x - 7):
        assert psi(rising(np.array(before)), rising(np.array(now))) == value
    assert psi(before, before) == 0


def test_numbers_are_cut_at_the_references_quantiles():
    rng = np.random.default_rng(0)
    before, now = rng.normal(size=5000), rng.normal(0.3, 1.2, 3000)
    edges = np.quantile(before, np.arange(1, 10) / 10)
    cells = [np.histogram(x, [-np.inf, *edges, np.inf])[0] / len(x) for x in (before, now)]
    by_hand = ((cells[1] - cells[0]) * np.log(cells[1] / cells[0])).sum()
    assert psi(before, now) == pytest.approx(by_hand, rel=1e-2)  # an edge may fall on either side of one row


def test_an_edge_belongs_to_the_cell_below_it():
    assert psi([1, 2, 3, 4], [1, 2, 2, 2], bins=2) == pytest.approx(psi_from_counts([2, 2], [4, 0]), rel=ROUNDING)


def test_missing_values_and_new_categories_are_cells():
    before, now = [1.0] * 50 + [2.0] * 50, [1.0] * 40 + [2.0] * 40 + [np.nan] * 20
    expected = psi_from_counts([50, 50, 0], [40, 40, 20])
    assert psi(before, now) == pytest.approx(expected, rel=ROUNDING)
    assert expected == pytest.approx(-0.2 * np.log(0.8) + 0.195 * np.log(40), rel=ROUNDING)
    words = pd.Series(["a"] * 50 + ["b"] * 50, dtype="category")
    assert psi(words, ["a"] * 40 + ["b"] * 40 + ["c"] * 20) == pytest.approx(expected, rel=ROUNDING)
    assert psi(words, ["a"] * 40 + ["b"] * 40 + [None] * 20) == pytest.approx(expected, rel=ROUNDING)
    assert psi([True] * 50 + [False] * 50, [True] * 60 + [False] * 40) == psi_from_counts([50, 50], [60, 40])


@pytest.mark.parametrize(("n", "m"), [(2000, 500), (500, 2000)])
def test_the_threshold_is_crossed_at_its_rate_when_nothing_has_changed(n, m):
    rng = np.random.default_rng(3)
    values = [psi(rng.normal(size=n), rng.normal(size=m)) for _ in range(1500)]
    # Standard error of 5 % in 1,500 draws: 0.6 points; the chi-squared form is itself an approximation.
    assert np.mean(np.array(values) > psi_null(n, m, 10, 0.05)) == pytest.approx(0.05, abs=0.02)
    assert np.mean(values) == pytest.approx((1 / n + 1 / m) * 9, rel=0.06)


def test_the_custom_of_a_tenth_cries_wolf_on_few_rows_and_sleeps_on_many():
    rng = np.random.default_rng(4)
    few = [psi(rng.normal(size=10_000), rng.normal(size=60)) for _ in range(200)]
    assert np.mean(np.array(few) > 0.1) > 0.5
    shifted = psi(rng.normal(size=100_000), rng.normal(0.1, 1, 100_000))
    assert psi_null(100_000, 100_000, 10, 0.001) < shifted < 0.1


def test_the_table_agrees_with_the_function_and_alarms_where_it_should():
    rng = np.random.default_rng(5)
    before = pd.DataFrame({"same": rng.normal(size=2000), "plan": rng.choice(["a", "b"], 2000), "one": 1})
    now = pd.DataFrame({"same": rng.normal(size=900), "plan": rng.choice(["a", "b"], 900, p=[0.7, 0.3]), "one": 1})
    now.loc[:89, "same"] = np.nan
    table = psi_table(before, now, alpha=0.01).set_index("column")
    for name in before:
        assert table.loc[name, "psi"] == psi(before[name], now[name])
    assert table["cells"].tolist() == [11, 2, 1]
    assert table["alarm"].tolist() == [True, True, False]
    assert table.loc["same", ["missing_reference", "missing_current"]].tolist() == pytest.approx([0, 0.1])
    assert table.loc["plan", "threshold"] == psi_null(2000, 900, 2, 0.01)
    assert psi_table(before, now, ["plan"])["column"].tolist() == ["plan"]


@given(numbers, numbers)
def test_ks_is_the_largest_gap_by_hand(before, now):
    points = np.array(before + now)
    gap = max(abs(np.mean(np.array(before) <= x) - np.mean(np.array(now) <= x)) for x in points)
    found = ks([*before, np.nan], now)
    assert found.statistic == pytest.approx(gap, abs=ROUNDING)
    assert (found.n_reference, found.n_current) == (len(before), len(now))


def test_ks_rejects_at_its_rate():
    rng = np.random.default_rng(6)
    p_values = [ks(rng.normal(size=200), rng.normal(size=200)).p_value for _ in range(400)]
    assert np.mean(np.array(p_values) < 0.1) == pytest.approx(0.1, abs=0.05)


FRAME = pd.DataFrame({"a": [1.0, 2.0], "on": pd.to_datetime(["2025-01-01", "2025-01-02"])})


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: psi([1, 2], ["a", "b"]),
            "current must be numbers, as the reference is, got categories; give both sides one type.",
        ),
        (
            lambda: psi_table(FRAME, FRAME),
            "reference, column 'on' must be numbers or categories, got dates; "
            "turn them into days, or leave the column out.",
        ),
        (
            lambda: psi_table(FRAME, FRAME[["on"]], ["a"]),
            "current must be a table with a column 'a', got 'on'; add 'a' or rename one of yours.",
        ),
        (
            lambda: psi([f"u{i}" for i in range(101)], ["u0"]),
            "reference must be a column of at most 100 categories, got 101; "
            "leave out identifiers, or group the rare ones.",
        ),
        (lambda: psi([1, 2], [1, 2], bins=1), "bins must be 2 or more, got 1; ask for about ten."),
        (
            lambda: psi([], [1]),
            "reference must be at least one row long, got no rows; check the filter or the join that made it.",
        ),
        (lambda: psi_null(0, 5, 10), "n_reference must be 1 or more, got 0; give the number of rows."),
        (
            lambda: psi_null(5, 5, 10, alpha=5),
            "alpha must be above 0 and below 1, got 5; give it as a share, such as 0.05.",
        ),
        (
            lambda: psi_from_counts([1, 2], [1, -2]),
            "current_counts must be a row of counts, some of them above 0, got [1.0, -2.0]; "
            "count the rows of each cell.",
        ),
        (
            lambda: psi_from_counts([1, 2], [1]),
            "current_counts must be 2 long, got 1 cells; count both over the same cells.",
        ),
        (lambda: ks(["a"], [1]), "reference must be numbers, got 'a'; take psi for categories."),
        (lambda: ks([1], [np.nan]), "current must be numbers, got missing values only; take psi for categories."),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
