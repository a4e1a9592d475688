"""Calibration and precision by period against counting each period by itself."""

import re

import numpy as np
import pandas as pd
import pytest

from casebook.contracts import ContractError
from casebook.decisions import reliability
from casebook.monitoring import calibration_over_time, precision_over_time

ROUNDING = 1e-12


def drawn(n=600):
    rng = np.random.default_rng(0)
    p = rng.beta(1, 4, n)
    y = pd.Series(rng.random(n) < p).astype("Int8")
    period = pd.Series(pd.period_range("2025-01", periods=4, freq="M")[rng.integers(0, 4, n)])
    y = y.mask((period == period.max()) | (rng.random(n) < 0.1))
    return p, y, period


def test_calibration_is_the_one_bin_reliability_of_each_period():
    p, y, period = drawn()
    table = calibration_over_time(p, y, period).set_index("period")
    for month in sorted(period.unique())[:-1]:
        mine = ((period == month) & y.notna()).to_numpy()
        [twin] = reliability(y[mine].astype(int), p[mine], n_bins=1).itertuples()
        row = table.loc[month]
        found = row[["n", "mean_p", "rate", "low", "high"]].astype(float)
        np.testing.assert_allclose(found, [twin.n, twin.mean_p, twin.observed, twin.low, twin.high], rtol=ROUNDING)
        assert row["ratio"] == pytest.approx(twin.observed / twin.mean_p, rel=ROUNDING)
        assert row["unknown"] == ((period == month) & y.isna()).sum()


def test_a_period_without_labels_has_no_rate_and_not_a_rate_of_0():
    p, y, period = drawn()
    last = calibration_over_time(p, y, period).iloc[-1]
    assert (last["n"], last["events"], last["unknown"]) == (0, 0, (period == period.max()).sum())
    assert last[["mean_p", "rate", "ratio", "low", "high"]].isna().all()


def test_precision_counts_what_is_known_and_bounds_what_is_not():
    p, y, period = drawn()
    listed = p > 0.3
    table = precision_over_time(listed, y, period).set_index("period")
    for month in sorted(period.unique()):
        mine = y[(period == month).to_numpy() & listed]
        row = table.loc[month]
        counted = [len(mine), mine.notna().sum(), mine.isna().sum(), mine.sum()]
        assert row[["listed", "known", "unknown", "hits"]].tolist() == counted
        if mine.notna().any():
            assert row["precision"] == pytest.approx(mine.mean(), rel=ROUNDING)
            assert row["low"] < row["precision"] < row["high"]
        else:
            assert np.isnan(row["precision"])
        assert row["at_least"] == pytest.approx(mine.fillna(0).mean(), rel=ROUNDING)
        assert row["at_most"] == pytest.approx(mine.fillna(1).mean(), rel=ROUNDING)


def test_what_the_labels_turn_out_to_be_lies_between_the_bounds():
    rng = np.random.default_rng(1)
    y = (rng.random(300) < 0.4).astype(float)
    seen = np.where(rng.random(300) < np.where(y == 1, 0.9, 0.5), y, np.nan)  # 1s become known sooner
    period = np.repeat([1, 2, 3], 100)
    now, later = (precision_over_time(np.ones(300), labels, period) for labels in (seen, y))
    assert (now["at_least"] <= later["precision"]).all()
    assert (later["precision"] <= now["at_most"]).all()
    assert (now["precision"] > later["precision"]).all()


def test_the_order_of_rows_does_not_matter():
    p, y, period = drawn()
    order = np.random.default_rng(2).permutation(len(p))
    moved = calibration_over_time(p[order], y.iloc[order], period.iloc[order])
    pd.testing.assert_frame_equal(moved, calibration_over_time(p, y, period))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (
            lambda: calibration_over_time([0.1, 0.2], pd.Series([None, 2], dtype="Int8"), [1, 1]),
            "y, row 1 must be 0 or 1, got 2; put 1 where the event happened and 0 elsewhere.",
        ),
        (
            lambda: calibration_over_time([0.1, 0.2], [0], [1, 1]),
            "y must be 2 long, got 1 rows; take all arguments from one table.",
        ),
        (
            lambda: calibration_over_time([0.1, 0.2], [0, 1], [1]),
            "period must be 2 long, got 1 rows; take all arguments from one table.",
        ),
        (
            lambda: calibration_over_time([0.1, 20], [0, 1], [1, 1]),
            "p, row 1 must be in [0, 1], got 20.0; divide percentages by 100.",
        ),
        (
            lambda: precision_over_time([1, 0], [0, 1], [1, None]),
            "period, row 1 must be a period, got a missing value; fill it in or drop the row.",
        ),
        (
            lambda: precision_over_time([0.3, 0.9], [0, 1], [1, 1]),
            "listed, row 0 must be 0 or 1, got 0.3; put 1 where the event happened and 0 elsewhere.",
        ),
    ],
)
def test_refusals(call, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        call()
