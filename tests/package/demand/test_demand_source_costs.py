"""The source's costs held against each other: by exact fractions, by rounding as one would by hand, and by money."""

import re
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from casebook.contracts import ContractError
from casebook.decisions.fractile import money_of_orders
from casebook.demand.source_costs import (
    SOURCE,
    Statement,
    belief_table,
    fit_matrix,
    statements_table,
    trust_implied,
    trust_ratio,
)

# A handful of divisions in double precision.
ROUNDING = 1e-9
dollars = st.integers(1, 60)


def test_the_fractiles_of_the_source_are_exact_fractions():
    table = statements_table()
    expected = {
        "costs": Fraction(10, 12), "raw": Fraction(5, 6), "trust": Fraction(2, 3), "metric": Fraction(5, 7),
        "P95": Fraction(95, 100), "tau": Fraction(83, 100), "sum": Fraction(5, 7), "83rd": Fraction(83, 100),
    }  # fmt: skip
    assert table.index.tolist() == list(expected)
    for key, fractile in expected.items():
        assert table.loc[key, "fractile"] == pytest.approx(float(fractile), rel=ROUNDING), key
        assert table.loc[key, "ratio"] == pytest.approx(float(fractile / (1 - fractile)), rel=ROUNDING), key
        assert table.loc[key, "cost_under_at"] == pytest.approx(2 * float(fractile / (1 - fractile)), rel=ROUNDING), key


def test_what_fits_ten_and_two_and_what_fits_five_and_two():
    ten, five = (statements_table(against=key)["verdict"].to_dict() for key in ("costs", "metric"))
    assert {key for key, verdict in ten.items() if verdict == "fits"} == {"costs", "raw", "tau", "83rd"}
    assert {key for key, verdict in five.items() if verdict == "fits"} == {"metric", "sum"}
    assert ten["P95"] == five["P95"] == "too high"
    assert ten["trust"] == five["trust"] == "wrong direction"


def rounds_to(value, stated, unit):
    """Return whether a value, rounded half up by decimals, shows as stated."""
    return Decimal(value).quantize(Decimal(unit), ROUND_HALF_UP) == Decimal(stated).quantize(Decimal(unit))


@given(dollars, dollars, st.integers(1, 98))
def test_costs_fit_a_quantile_if_they_round_to_it(under, over, hundredths):
    exact = Decimal(under) / Decimal(under + over)
    fits = Statement("costs", costs=(under, over)).fits(Statement("tau", tau=hundredths / 100, unit=0.01))
    assert fits == rounds_to(exact, Decimal(hundredths) / 100, "0.01")


@given(dollars, dollars, st.integers(1, 30))
def test_costs_fit_a_ratio_if_they_round_to_it(under, over, stated):
    fits = Statement("ratio", ratio=stated, unit=1).fits(Statement("costs", costs=(under, over)))
    assert fits == rounds_to(Decimal(under) / Decimal(over), stated, "1")


def test_a_half_is_rounded_up():
    """2.5 shows as 3, not as 2, and 0.125 as 0.13; floats put 0.125 a hair off the range's end."""
    five, eighth = Statement("$5 and $2", costs=(5, 2)), Statement("$1 and $7", costs=(1, 7))
    assert [five.fits(Statement("ratio", ratio=ratio, unit=1)) for ratio in (2, 3)] == [False, True]
    assert [eighth.fits(Statement("tau", tau=tau, unit=0.01)) for tau in (0.12, 0.13)] == [False, True]


def test_the_matrix_is_symmetric_and_every_statement_fits_itself():
    matrix = fit_matrix().to_numpy()
    assert (matrix == matrix.T).all() and matrix.diagonal().all()
    assert list(fit_matrix().index) == list(SOURCE)


def test_a_verdict_moves_when_its_figure_does():
    right = {"costs": SOURCE["costs"], "trust": Statement("8:1 if you weight trust", ratio=8, unit=1, raises=True)}
    assert statements_table(right)["verdict"].tolist() == ["fits", "too high"]
    mended = SOURCE | {"metric": Statement("$10 and $2", costs=(10, 2)), "P95": Statement("P83", tau=0.83, unit=0.01)}
    verdicts = statements_table(mended)["verdict"]
    assert verdicts["metric"] == verdicts["P95"] == "fits"
    assert statements_table(SOURCE | {"costs": Statement("19:1", ratio=19, unit=1)})["verdict"]["P95"] == "fits"


@given(dollars, dollars, st.lists(st.integers(0, 100), min_size=2, max_size=6, unique=True))
def test_trust_only_raises_the_ratio(under, over, added):
    table = trust_ratio(under, over, sorted(added))
    assert (np.diff(table["ratio"]) > 0).all() and (np.diff(table["fractile"]) > 0).all()
    assert (table["ratio"] >= under / over - ROUNDING).all()


@given(dollars, dollars, st.integers(1, 40))
def test_implied_trust_gives_the_ratio_back(under, over, ratio):
    trust = trust_implied(ratio, under, over)
    assert (trust < 0) == (ratio * over < under)
    if trust >= 0:
        assert trust_ratio(under, over, [trust])["ratio"].iloc[0] == pytest.approx(ratio, rel=ROUNDING)


@pytest.mark.parametrize("demand", [stats.poisson(3), stats.nbinom(0.5, 0.05)])
def test_to_believe_what_is_true_costs_nothing_and_all_else_is_the_money_of_the_wrong_order(demand):
    table = belief_table(demand)
    values = table.to_numpy()
    assert (values >= -ROUNDING).all() and np.abs(values.diagonal()).max() < ROUNDING
    tau = {key: one.fractile for key, one in SOURCE.items()}
    for believed, true in (("P95", "costs"), ("metric", "costs"), ("trust", "P95")):
        orders = {"wrong": demand.ppf(tau[believed]), "right": demand.ppf(tau[true])}
        cost = money_of_orders(demand, orders, tau[true], 1 - tau[true])["cost"]
        assert table.loc[believed, true] == pytest.approx(cost["wrong"] / cost["right"] - 1, abs=1e-8)


def test_samples_will_do_as_a_distribution():
    assert belief_table(np.arange(100)).loc["P95", "costs"] > 0


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (
            lambda: Statement("nothing"),
            "Statement must be one of costs, ratio and tau, got none; split what says several.",
        ),
        (
            lambda: Statement("both", ratio=5, tau=0.83),
            "Statement must be one of costs, ratio and tau, got ratio and tau; split what says several.",
        ),
        (
            lambda: statements_table({"a": SOURCE["tau"]}, against="b"),
            "against must be one of a, got 'b'; name a statement.",
        ),
        (lambda: trust_ratio(10, 2, [-6]), "trust must be numbers of 0 or more, got -6; check its sign."),
    ],
)
def test_bad_input_is_refused_in_one_sentence(make, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        make()
