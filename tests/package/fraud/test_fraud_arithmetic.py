"""The chapter's sums, against hand calculations and against each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.contracts import ContractError
from casebook.fraud import bank_arithmetic as sums

EVENTS, HOLDERS = 50_000_000, 10_000_000
share = st.floats(1e-5, 0.5)


def test_the_sources_numbers():
    assert round(sums.peak_per_second(EVENTS, 1)) == 579
    assert sums.events_per_holder(EVENTS, HOLDERS) == 5
    assert sums.frauds_a_day(EVENTS, 0.001) == 50_000
    assert sums.false_alarms_a_day(EVENTS, 0.001, 0.01) == 499_500
    assert sums.best_precision(0.001, 0.01) == pytest.approx(0.001 / (0.001 + 0.999 * 0.01))
    assert 1 / sums.years_between_frauds(EVENTS, HOLDERS, 0.001) == pytest.approx(1.825)
    assert sums.days_between_stops(EVENTS, HOLDERS, 0.01) == 20


@given(share, share)
def test_no_precision_is_above_the_bound(prevalence, fpr):
    bound = sums.best_precision(prevalence, fpr)
    hits, alarms = sums.frauds_a_day(EVENTS, prevalence), sums.false_alarms_a_day(EVENTS, prevalence, fpr)
    assert bound == pytest.approx(hits / (hits + alarms))
    for recall in (0.9, 0.3):
        assert recall * hits / (recall * hits + alarms) <= bound


@given(share, st.floats(10, 1e6), st.floats(0.01, 1))
def test_an_admissible_fpr_fills_the_call_centre(prevalence, capacity, calls_per_alarm):
    fpr = sums.admissible_fpr(EVENTS, prevalence, capacity, calls_per_alarm)
    calls = sums.false_alarms_a_day(EVENTS, prevalence, fpr) * calls_per_alarm
    assert calls == pytest.approx(capacity) if fpr < 1 else calls <= capacity


def test_the_budget_is_its_alarms_at_their_price():
    capacity = sums.calls_capacity(agents=500, hours=7.5, minutes_per_call=6, busy=0.8)
    assert capacity == 500 * 7.5 * 60 * 0.8 / 6
    assert sums.agents_needed(capacity, 7.5, 6, 0.8) == pytest.approx(500)
    fpr = sums.admissible_fpr(EVENTS, 0.001, capacity, 0.5)
    alarms = sums.false_alarms_a_day(EVENTS, 0.001, fpr)
    assert sums.friction_budget(capacity, 0.5, 16) == pytest.approx(16 * alarms)


def test_the_busiest_hour_of_times():
    rng = np.random.default_rng(0)
    flat = rng.integers(0, 7 * 86_400, 500_000)
    assert sums.busiest_hour(flat) == pytest.approx(1, abs=0.03)
    noon = np.concatenate([flat, np.full(500_000, 12 * 3_600)])
    assert sums.busiest_hour(noon) == pytest.approx(12.5, abs=0.1)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: sums.peak_per_second(-1, 2), "events_a_day must be above 0, got -1; check its sign and unit"),
        (lambda: sums.frauds_a_day(EVENTS, 1.5), r"prevalence must be in \[0, 1\], got 1.5; divide percentages by 100"),
        (lambda: sums.best_precision(0.001, 1), "fpr"),
        (lambda: sums.calls_capacity(0, 8, 6), "agents must be above 0"),
        (lambda: sums.calls_capacity(1, 8, 6, busy=80), r"busy must be in \[0, 1\], got 80"),
        (lambda: sums.busiest_hour(np.zeros(0, int)), "seconds must be a column of at least one time"),
        (lambda: sums.events_per_holder(EVENTS, float("nan")), "holders must be above 0, got nan"),
    ],
)
def test_bad_numbers_are_refused(call, text):
    if text == "fpr":
        assert 0 < call() < 1  # a rate of 1 is a rate
        return
    with pytest.raises(ContractError, match=text):
        call()
