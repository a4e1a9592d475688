"""Holdbacks: equal models never differ, false alarms keep their rate, the formula agrees with draws, costs add up."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import integrate, stats

from casebook.contracts import ContractError
from casebook.fraud import plays_holdback
from casebook.fraud.feature_spec import FEATURES
from casebook.fraud.holdback import (
    FAULTS,
    SIGNALS,
    Fault,
    HeldBack,
    Release,
    alarm_day,
    by_group,
    concentration,
    first_days,
)
from casebook.fraud.holdback_mean import Burden, burden_of, expected_mean_day, known_reports, mean_alarm_day
from casebook.fraud.holdback_scale import (
    Price,
    Rates,
    drawn_days,
    expected_day,
    exposure,
    holdback_cost,
    prices,
    rates_of,
)
from casebook.fraud.simulate import simulate
from casebook.fraud.world import DAY, World

WORLD, CARDS, DAYS, NEW = World(prevalence=0.03, delay_days=2.0), 400, 30, 20
RELEASE = Release(0.5, fitted=15, day=NEW, push=0.06, block=0.02)
CURVE = pd.DataFrame({"days": [0, 10, 40], "known": [0.0, 0.6, 1.0]})


def run(**changes):
    policy = HeldBack(replace(RELEASE, **changes), CARDS, np.random.default_rng(1))
    return simulate(WORLD, CARDS, DAYS, np.random.default_rng(0), policy), policy


@pytest.fixture(scope="module")
def sound():
    """Release a sound model to half of the cards."""
    return run()


@pytest.fixture(scope="module")
def broken():
    """Release one whose features are all zero when it is served."""
    return run(fault=Fault("all", tuple(FEATURES), "zero"))


def test_the_same_model_makes_no_difference_to_anybody():
    decided = [run(same=True, share=share)[0].tables["decisions"] for share in (0.5, 0.1)]
    pd.testing.assert_frame_equal(*decided)


def test_only_the_released_cards_meet_the_fault(sound, broken):
    cards = sound[0].tables["events"]
    day = cards["at"] // DAY == NEW  # on the first day both banks are still the same
    held = sound[1].held[cards["card_id"].to_numpy()]
    actions = [played.tables["decisions"]["action"].to_numpy()[: len(cards)][day] for played, _ in (sound, broken)]
    assert (actions[0][held[day]] == actions[1][held[day]]).all()
    assert actions[0][~held[day]].any() and not actions[1][~held[day]].any()  # nothing looks suspicious any more
    before = (cards["at"] < NEW * DAY).to_numpy()
    assert (
        sound[0].tables["decisions"]["action"].to_numpy()[before]
        == broken[0].tables["decisions"]["action"].to_numpy()[: before.size][before]
    ).all()


def test_a_fault_breaks_its_columns_alone():
    rng = np.random.default_rng(0)
    values = rng.random((50, len(FEATURES))) + 1
    for fault in FAULTS:
        served = fault.serve(values, rng)
        hit = np.isin(list(FEATURES), fault.columns)
        assert hit.sum() == len(fault.columns) and np.array_equal(served[:, ~hit], values[:, ~hit])
        if fault.how == "zero":
            assert not served[:, hit].any()
        else:
            assert np.array_equal(np.sort(served[:, hit], axis=0), np.sort(values[:, hit], axis=0))
            assert not np.array_equal(served[:, hit], values[:, hit])
    assert (values >= 1).all()


@pytest.mark.parametrize("signal", SIGNALS)
def test_first_signals_by_hand(broken, signal):
    played, policy = broken
    events, found = played.tables["events"], {}
    if signal == "reports":
        told = zip(played.tables["reports"]["event_id"], played.tables["reports"]["reported_at"], strict=True)
    elif signal == "denials":
        answers = played.tables["answers"]
        told = [(one.event_id, one.at) for one in answers.itertuples() if one.answer == "deny"]
    else:
        decided = played.tables["decisions"]
        told = [(one, events["at"][one]) for one in decided["event_id"][decided["action"] > 0]]
    for event, when in told:
        if events["at"][event] >= NEW * DAY and when < DAYS * DAY:
            card = events["card_id"][event]
            found[card] = min(found.get(card, 99), when // DAY - NEW)
    first = first_days(played, NEW, signal)
    assert first.to_dict() == found and len(found) > 5
    counts = by_group(first, policy.held, DAYS - NEW)
    assert counts["held"].sum() == sum(policy.held[card] for card in found)
    assert counts.to_numpy().sum() == len(found)


def test_what_the_bank_hears_later_is_not_read(broken):
    played, _ = broken
    late = pd.DataFrame({"event_id": played.tables["events"]["event_id"].iloc[-9:], "reported_at": DAYS * DAY})
    heard = {**played.tables, "reports": pd.concat([played.tables["reports"], late])}
    other = replace(played, tables=heard)
    pd.testing.assert_series_equal(first_days(other, NEW, "reports"), first_days(played, NEW, "reports"))


@pytest.mark.parametrize("share", [0.01, 0.05, 0.5])
def test_equal_models_alarm_no_more_often_than_stated(share):
    rng, alpha, banks = np.random.default_rng(7), 0.05, 300
    rang = 0
    for _ in range(banks):
        total = rng.poisson(40, 45)
        held = rng.binomial(total, share)
        rang += np.isfinite(alarm_day(pd.DataFrame({"held": held, "released": total - held}), share, alpha))
    assert rang <= stats.binom.ppf(0.999, banks, alpha)  # it looks forty-five times


def test_an_alarm_by_hand():
    counts = pd.DataFrame({"held": [6, 5, 6], "released": [2, 1, 0]})
    weight = concentration(0.5, 0.5)
    log_e = []
    for looks in (1, 2, 3):
        a, b = counts.iloc[:looks].sum()
        mixed = integrate.quad(
            lambda q, a=a, b=b: q**a * (1 - q) ** b * stats.beta.pdf(q, weight / 2, weight / 2), 0, 1
        )
        log_e.append(np.log(mixed[0]) - (a + b) * np.log(0.5))
    wanted = [looks for looks, value in enumerate(log_e, 1) if value > np.log(1 / 0.2)]
    assert alarm_day(counts, 0.5, alpha=0.2, rise=0.5) == wanted[0]
    assert np.isnan(alarm_day(counts.iloc[:1], 0.5, alpha=0.01, rise=0.5))


def test_exposure_is_the_integral_of_the_curve():
    for days in (1, 7, 30):
        area, _ = integrate.quad(lambda u: np.interp(u, CURVE["days"], CURVE["known"]), 0, days)
        assert exposure(CURVE, 40)[days - 1] == pytest.approx(area, rel=1e-3)


def test_rates_come_back_from_their_own_counts():
    rates = Rates(2e-4, 5e-4)
    held = np.arange(1_000_000) < 300_000
    grown = exposure(CURVE, 40)
    counts = {"held": np.diff(3e5 * 2e-4 * grown, prepend=0), "released": np.diff(7e5 * 5e-4 * grown, prepend=0)}
    got = rates_of(pd.DataFrame(counts), held, CURVE)
    assert (got.old, got.new) == pytest.approx((rates.old, rates.new))


@pytest.mark.parametrize(
    ("rates", "share", "cards", "curve"),
    [
        (Rates(1e-4, 1.4e-4), 0.01, 4e6, None),
        (Rates(1e-4, 1.4e-4), 0.05, 4e6, CURVE),
        (Rates(2e-3, 4e-3), 0.5, 4_000, CURVE),
        (Rates(1e-3, 5e-4), 0.1, 1e5, None),
    ],
)
def test_the_formula_is_the_middle_of_the_draws(rates, share, cards, curve):
    named = expected_day(rates, share, cards, curve, longest=60)
    days = drawn_days(rates, share, cards, np.random.default_rng(0), 60, curve, longest=60)
    assert np.isfinite(days).mean() > 0.5
    assert np.median(np.nan_to_num(days, nan=60)) == pytest.approx(named, rel=0.25, abs=1)


def test_equal_rates_are_never_expected_to_alarm_and_a_larger_holdback_shows_sooner():
    assert np.isnan(expected_day(Rates(1e-3, 1e-3), 0.05, 1e7))
    days = [expected_day(Rates(1e-4, 1.3e-4), share, 1e6, CURVE) for share in (0.01, 0.05, 0.2)]
    assert days == sorted(days, reverse=True) and len(set(days)) == 3


def compound(rng, cards, days, rate, size, held):
    """Draw reports a day and card in clusters: rates of the held and the released, mean sizes of the same."""
    parts = []
    for group, own, mean in zip((held, ~held), rate, size, strict=True):
        card = np.flatnonzero(group)
        hit = rng.random((len(card), days)) < own
        where, day = np.nonzero(hit)
        many = rng.geometric(1 / mean, len(where))
        parts.append(pd.DataFrame({"card_id": np.repeat(card[where], many), "day": np.repeat(day, many)}))
    return pd.concat(parts, ignore_index=True)


def test_equal_burdens_alarm_no_more_often_than_stated():
    rng, rang, banks = np.random.default_rng(3), 0, 60
    for _ in range(banks):
        held = rng.random(1_500) < 0.2
        known = compound(rng, 1_500, 30, (0.01, 0.01), (2.5, 2.5), held)
        rang += np.isfinite(mean_alarm_day(known, held, 30, alpha=0.05))
    assert rang <= stats.binom.ppf(0.999, banks, 0.05)


def test_longer_episodes_show_in_reports_and_not_in_cards():
    rng = np.random.default_rng(4)
    held = rng.random(6_000) < 0.3
    known = compound(rng, 6_000, 30, (0.01, 0.01), (1.5, 3.0), held)
    first = known.groupby("card_id")["day"].min()
    assert np.isfinite(mean_alarm_day(known, held, 30))
    assert np.isnan(alarm_day(by_group(first, held, 30), float(held.mean())))


def test_the_mean_formula_is_the_middle_of_drawn_banks():
    rng, days = np.random.default_rng(5), []
    held = np.arange(4_000) % 5 == 0
    for _ in range(15):
        days.append(mean_alarm_day(compound(rng, 4_000, 60, (0.004, 0.004), (1.5, 2.8), held), held, 60))
    burdens = [
        Burden(0.004 * mean, 0.004 * (2 - 1 / mean) * mean**2, 0.004)  # second moment of a geometric size
        for mean in (1.5, 2.8)
    ]
    named = expected_mean_day(*burdens, 0.2, 4_000, longest=60)
    assert np.median(np.nan_to_num(days, nan=60)) == pytest.approx(named, rel=0.35)


def test_nothing_is_expected_before_the_first_report_can_come():
    late = pd.DataFrame({"days": [0, 3, 5], "known": [0.0, 0.0, 1.0]})
    burdens = Burden(1e-2, 2e-2, 5e-3), Burden(5e-2, 1e-1, 6e-3)
    assert expected_mean_day(*burdens, 0.5, 1e7, late, longest=9) == 4.0
    assert expected_day(Rates(1e-3, 5e-3), 0.5, 1e8, late, longest=9) == 4.0


def test_a_burden_comes_back_from_its_reports(broken):
    played, policy = broken
    known = known_reports(played, NEW)
    counts = np.bincount(known["card_id"], minlength=CARDS)[policy.held]
    got = burden_of(known, policy.held, DAYS - NEW, None)
    whole = policy.held.sum() * (DAYS - NEW)
    assert (got.mean, got.square) == pytest.approx((counts.sum() / whole, (counts**2).sum() / whole))
    assert got.times(2).cards == pytest.approx(2 * (counts > 0).sum() / whole)
    assert set(known["card_id"]) == set(first_days(played, NEW, "reports").index)


def test_prices_by_hand(sound):
    played, policy = sound
    events, truth = played.tables["events"], played.truth.events
    passed = played.tables["decisions"]["outcome"] == "passed"
    loss, count, by_card = 0.0, 0, {}
    for row in np.flatnonzero(events["at"] >= NEW * DAY):
        card = events["card_id"][row]
        if policy.held[card]:
            own = truth["loss_dollars"][row] if truth["fraud"][row] and passed[row] else 0.0
            loss, count = loss + own, count + 1
            by_card.setdefault(card, []).append(own + truth["friction_dollars"][row])
    price = prices(played, policy.held, NEW)["held"]
    assert (price.events, price.loss) == (count, pytest.approx(loss / count))
    mean = sum(map(sum, by_card.values())) / count
    square = sum((sum(own) - mean * len(own)) ** 2 for own in by_card.values())
    assert price.error == pytest.approx(np.sqrt(square) / count)
    assert price.loss + price.friction == pytest.approx(mean)


def test_the_cost_is_the_old_models_extra_on_its_share():
    price = {"held": Price(0.5, 0.2, 0, 1), "released": Price(0.3, 0.25, 0, 1)}
    assert holdback_cost(price, 0.02, factor=0.5, events_a_day=1_000) == pytest.approx(20 * (0.5 * 0.2 - 0.05))


def test_a_bank_is_played_with_all_its_signals(monkeypatch):
    small = {"CARDS": 400, "DAYS": DAYS, "RELEASE": RELEASE, "SPLITS": 5, "BANK": WORLD}
    for name, value in (small | {"_SINCE": DAYS - NEW}).items():
        monkeypatch.setattr(plays_holdback, name, value)
    dials = {"fault": 0.5, "speed": 0.0, "delay_days": 2.0, "reported": 0.9}
    row = plays_holdback.play_holdback(dials, np.random.default_rng(0))
    assert {f"days_{signal}_{share}" for signal in plays_holdback.READ for share in (1, 5, 50)} <= set(row)
    for share in (1, 5, 50):
        rang = [np.isfinite(row[f"days_{signal}_{share}"]) for signal in ("reports", "frauds")]
        assert row[f"shows_{share}"] == any(rang)
    assert all(0 <= row[f"false_{signal}_50"] <= 1 for signal in SIGNALS)
    assert row["cost_5"] == pytest.approx(5 * row["cost_1"])


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda played: first_days(played, NEW, "scores"),
            "one of reports, denials, alerts, got 'scores'",
        ),
        (
            lambda played: first_days(played, DAYS, "alerts"),
            "release_day must be in 0 to 29, got 30; pass a",
        ),
        (lambda played: Release(0.0), "Release, share must be above 0 and below 1, got 0; one in a hundred"),
        (
            lambda played: Release(0.1, fitted=30, day=20),
            "fitted on a day from 1 on and released then or",
        ),
        (
            lambda played: drawn_days(Rates(1, 1), 0.5, 9, np.random.default_rng(0), runs=0),
            "runs must be 1 or more, got 0; draw a hundred",
        ),
    ],
)
def test_refusals(sound, call, message):
    with pytest.raises(ContractError, match=message):
        call(sound[0])
