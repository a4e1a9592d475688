"""Croston, its corrected form and TSB against statsforecast; four kinds of series against a loop."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.demand.croston import ADI_CUT, CV2_CUT, KINDS, classify_series, croston, tsb

SAME = 1e-9  # two programs, one recursion: they differ in the order of a sum
SERIES = st.lists(st.one_of(st.just(0), st.just(0), st.integers(0, 40)), min_size=1, max_size=120)


@given(SERIES)
def test_croston_and_sba_are_statsforecasts(y: list[int]) -> None:
    models = pytest.importorskip("statsforecast.models")
    units = np.array(y, dtype=float)
    assert croston(y) == pytest.approx(models.CrostonClassic().forecast(y=units, h=1)["mean"][0], rel=SAME, abs=SAME)
    assert croston(y, debias=True) == pytest.approx(
        models.CrostonSBA().forecast(y=units, h=1)["mean"][0], rel=SAME, abs=SAME
    )


@given(SERIES, st.floats(0.01, 1), st.floats(0.01, 1))
def test_tsb_is_statsforecasts(y: list[int], alpha: float, beta: float) -> None:
    models = pytest.importorskip("statsforecast.models")
    library = models.TSB(alpha, beta).forecast(y=np.array(y, dtype=float), h=1)["mean"][0]
    assert tsb(y, alpha, beta) == pytest.approx(library, rel=SAME, abs=SAME)


def test_croston_is_biased_upwards_sba_less_and_tsb_not() -> None:
    """Syntetos and Boylan: about alpha / 2 * (1 - p) of the mean, for sales on independent days with chance p."""
    rng, p, alpha = np.random.default_rng(3), 0.2, 0.3
    series = (rng.random((4000, 200)) < p) * rng.integers(1, 6, (4000, 200))
    truth = p * 3
    mean = {
        "croston": np.mean([croston(y, alpha) for y in series]) / truth - 1,
        "sba": np.mean([croston(y, alpha, debias=True) for y in series]) / truth - 1,
        "tsb": np.mean([tsb(y, alpha, alpha) for y in series]) / truth - 1,
    }
    error = 0.04  # three standard errors of 4,000 series: one varies by 84% of the mean
    assert mean["croston"] == pytest.approx(alpha / (2 - alpha) * (1 - p), abs=error)
    assert abs(mean["sba"]) < mean["croston"] / 2
    assert abs(mean["tsb"]) < error


def test_only_tsb_forgets_what_died() -> None:
    alive = [0, 2, 0, 0, 4] * 20
    dead = alive + [0] * 100
    assert croston(dead) == croston(alive)
    assert tsb(dead) == pytest.approx(tsb(alive) * 0.9**100)


@given(st.lists(st.lists(st.integers(0, 9), min_size=1, max_size=30), min_size=1, max_size=6))
def test_classes_are_a_loops(many: list[list[int]]) -> None:
    frame = pd.concat([pd.DataFrame({"unique_id": i, "ds": np.arange(len(y)), "y": y}) for i, y in enumerate(many)])
    found = classify_series(frame, 1000).set_index("unique_id")
    for i, y in enumerate(many):
        sizes = [units for units in y if units > 0]
        row = found.loc[i]
        assert row["days"] == len(y)
        if not sizes:
            assert row["kind"] == "none" and np.isinf(row["adi"]) and np.isnan(row["cv2"])
            continue
        adi, cv2 = len(y) / len(sizes), (np.std(sizes) / np.mean(sizes)) ** 2
        assert row["adi"] == pytest.approx(adi) and row["cv2"] == pytest.approx(cv2, abs=1e-12)
        kind = {(0, 0): "smooth", (0, 1): "erratic", (1, 0): "intermittent", (1, 1): "lumpy"}
        assert row["kind"] == kind[int(adi >= ADI_CUT), int(cv2 >= CV2_CUT)]
    assert set(found["kind"].cat.categories) == set(KINDS)


def test_classes_do_not_see_past_the_origin_and_take_dates() -> None:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"unique_id": np.repeat(["a", "b"], 60), "ds": np.tile(np.arange(60), 2)})
    frame["y"] = rng.poisson(1, 120)
    known = classify_series(frame, 40)
    other = frame.copy()
    other.loc[other["ds"] > 40, "y"] = 99
    pd.testing.assert_frame_equal(known, classify_series(other, 40))
    dated = frame.assign(ds=pd.Timestamp("2023-01-02") + pd.to_timedelta(frame["ds"], unit="D"))
    pd.testing.assert_frame_equal(known, classify_series(dated, pd.Timestamp("2023-01-02") + pd.Timedelta(days=40)))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: croston([]), "y must be one row of units a day, got an array of shape (0,); pass one series."),
        (
            lambda: croston([1, -2]),
            "y, day 1 must be finite and 0 or more, got -2.0; mend or cut the series there.",
        ),
        (lambda: croston([1], 0), "alpha must be above 0 and at most 1, got 0; 0.1 is customary."),
        (lambda: tsb([1], 0.1, 2), "beta must be above 0 and at most 1, got 2; 0.1 is customary."),
        (
            lambda: classify_series(pd.DataFrame({"unique_id": ["a"], "ds": [5], "y": [1]}), 4),
            "origin must be on or after the first day of sales_long, got 4; pass a later origin.",
        ),
    ],
)
def test_refusals(call, words: str) -> None:
    with pytest.raises(ContractError) as error:
        call()
    assert str(error.value) == words
