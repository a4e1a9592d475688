"""Banks that release a broken model beside a holdback: days until it shows, here and at the bank of the prompt."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from casebook.contracts import BoolArray, FloatArray
from casebook.fraud.holdback import FAULTS, SIGNALS, HeldBack, Release, alarm_day, by_group, first_days
from casebook.fraud.holdback_mean import burden_of, expected_mean_day, known_reports, mean_alarm_day
from casebook.fraud.holdback_scale import (
    EVENTS_A_DAY,
    PREVALENCE,
    Rates,
    expected_day,
    exposure,
    holdback_cost,
    prices,
)
from casebook.fraud.simulate import Run, simulate
from casebook.fraud.weekly import maturity
from casebook.fraud.world import DAY, World

CARDS, DAYS = 3_000, 91
RELEASE = Release(share=0.5)
SHARES = (0.01, 0.05, 0.5)
BANK = World(prevalence=0.008)
SPLITS = 100  # holdbacks that are drawn anew in the bank that releases its old model again
_SINCE = DAYS - RELEASE.day
SOUND = float(len(FAULTS))  # the dial of a world in which nothing breaks
READ = (*SIGNALS, "frauds")
Row = dict[str, float | bool]


def play_holdback(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Play one bank five times: the old model again, a sound new one, and a broken one beside three holdbacks.

    Parameters
    ----------
    dials : dict
        ``fault`` (0 to 5, cut to a place in ``FAULTS``; at ``SOUND`` nothing breaks), ``speed``,
        ``delay_days``, ``reported``.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        For each of :data:`READ`, which is the cards with a first signal of each kind and ``frauds`` (reports per card):
        ``days_..._1``, ``_5``, ``_50`` (until the broken release shows with so many percent held back; missing if not
        within six weeks), ``sound_..._50`` (the same for the sound one, which differs from the old one for good
        reasons), ``false_..._1``, ``_5``, ``_50`` (share of drawn holdbacks that alarm while both groups have the old
        model); ``rise_...`` (what the broken release does to it, as a share), ``z_...`` (the same over its standard
        error, card by card; below 2 the bank's days are luck), ``formula_..._50`` (day by the formula in this bank),
        ``bank_..._1``, ``_5`` (day by the formula at the bank of the prompt, missing if not within a year).
        ``held_reports_1``, ``_5``: cards behind it that reported. ``cost_1``, ``cost_5``: what the holdback costs that
        bank, dollars a day, beside the sound release; ``cost_error_5`` (its standard error); ``harm`` (dollars a day
        that the broken release costs it if nobody held back notices), ``harm_error``. The findings:

        ``shows_1``, ``shows_5``, ``shows_50`` : reports or frauds per card alarm within six weeks.
    """
    world = replace(BANK, speed=dials["speed"], delay_days=dials["delay_days"], reported=dials["reported"])
    fault = FAULTS[int(dials["fault"])] if dials["fault"] < SOUND else None
    seeds = [int(seed) for seed in rng.integers(2**62, size=2)]
    again, _ = _play(world, replace(RELEASE, same=True), seeds)
    row = _false_alarms(again, rng)
    sound, held = _play(world, RELEASE, seeds)
    broken, _ = _play(world, replace(RELEASE, fault=fault), seeds)
    row |= {f"days_{name}_50": day for name, day in _alarm_days(broken, held, RELEASE.share).items()}
    row |= {f"sound_{name}_50": day for name, day in _alarm_days(sound, held, RELEASE.share).items()}
    for share in SHARES[:2]:
        run, few = _play(world, replace(RELEASE, share=share, fault=fault), seeds)
        row |= {f"days_{name}_{100 * share:g}": day for name, day in _alarm_days(run, few, share).items()}
        counts = by_group(first_days(run, RELEASE.day, "reports"), few, _SINCE)
        row[f"held_reports_{100 * share:g}"] = float(counts["held"].sum())
        if share == SHARES[0]:
            row |= _by_formula(again, run, few)
    return row | _money(sound, broken, held) | _shows(row)


def _shows(row: Row) -> Row:
    days = {percent: [row[f"days_{name}_{percent}"] for name in ("reports", "frauds")] for percent in (1, 5, 50)}
    return {f"shows_{percent}": bool(np.isfinite(found).any()) for percent, found in days.items()}


def _play(world: World, release: Release, seeds: list[int]) -> tuple[Run, BoolArray]:
    policy = HeldBack(release, CARDS, np.random.default_rng(seeds[1]))
    return simulate(world, CARDS, DAYS, np.random.default_rng(seeds[0]), policy), policy.held


def _alarm_days(run: Run, held: BoolArray, share: float) -> dict[str, float]:
    days = {
        signal: alarm_day(by_group(first_days(run, RELEASE.day, signal), held, _SINCE), share) for signal in SIGNALS
    }
    return days | {"frauds": mean_alarm_day(known_reports(run, RELEASE.day), held, _SINCE)}


def _false_alarms(again: Run, rng: np.random.Generator) -> Row:
    first = {signal: first_days(again, RELEASE.day, signal) for signal in SIGNALS}
    known = known_reports(again, RELEASE.day)
    row: Row = {}
    for share in SHARES:
        rang = dict.fromkeys(READ, 0)
        for _ in range(SPLITS):
            held = np.zeros(CARDS, bool)
            held[rng.choice(CARDS, round(share * CARDS), replace=False)] = True
            for signal in SIGNALS:
                rang[signal] += np.isfinite(alarm_day(by_group(first[signal], held, _SINCE), share))
            rang["frauds"] += np.isfinite(mean_alarm_day(known, held, _SINCE))
        row |= {f"false_{name}_{100 * share:g}": count / SPLITS for name, count in rang.items()}
    return row


def _by_formula(again: Run, broken: Run, few: BoolArray) -> Row:
    """Return what the fault does to each signal, and the days that the formulas make of it here and at the large bank.

    The cards that are released beside the smallest holdback are held against themselves in the bank that released
    its old model again: the same holders, the same plans of fraudsters.
    """
    cards = ~few
    reports = maturity(broken.tables, DAYS * DAY)
    bank = EVENTS_A_DAY / (len(broken.tables["events"]) / (CARDS * DAYS))
    row: Row = {}
    for signal in SIGNALS:
        curve: pd.DataFrame | None = reports if signal == "reports" else None
        gave = [np.isin(np.flatnonzero(cards), first_days(run, RELEASE.day, signal).index) for run in (again, broken)]
        known = float(exposure(curve, _SINCE)[-1])
        rates = Rates(*(float(one.mean()) / known for one in gave))
        there = rates if signal == "alerts" else rates.times(PREVALENCE / BANK.prevalence)
        row |= _moved(signal, *(one.astype(float) for one in gave)) | {
            f"formula_{signal}_50": expected_day(rates, RELEASE.share, CARDS, curve, longest=_SINCE),
            f"bank_{signal}_1": expected_day(there, 0.01, bank, curve),
            f"bank_{signal}_5": expected_day(there, 0.05, bank, curve),
        }
    return row | _frauds_by_formula(again, broken, cards, reports, bank)


def _frauds_by_formula(again: Run, broken: Run, cards: BoolArray, curve: pd.DataFrame, bank: float) -> Row:
    both = [known_reports(run, RELEASE.day) for run in (again, broken)]
    counts = [np.bincount(known["card_id"], minlength=CARDS)[cards].astype(float) for known in both]
    was, now = (burden_of(known, cards, _SINCE, curve) for known in both)
    old, new = (one.times(PREVALENCE / BANK.prevalence) for one in (was, now))
    return _moved("frauds", *counts) | {
        "formula_frauds_50": expected_mean_day(was, now, RELEASE.share, CARDS, curve, longest=_SINCE),
        "bank_frauds_1": expected_mean_day(old, new, 0.01, bank, curve),
        "bank_frauds_5": expected_mean_day(old, new, 0.05, bank, curve),
    }


def _moved(name: str, old: FloatArray, new: FloatArray) -> Row:
    """Return the rise from one column of cards to another, and the paired difference over its standard error."""
    change = new - old
    rise = float(change.sum() / old.sum()) if old.any() else np.nan
    return {f"rise_{name}": rise, f"z_{name}": float(change.sum() / np.sqrt(max((change**2).sum(), 1.0)))}


def _money(sound: Run, broken: Run, held: BoolArray) -> Row:
    factor = PREVALENCE / BANK.prevalence
    good, bad = (prices(run, held, RELEASE.day) for run in (sound, broken))
    errors = [factor * EVENTS_A_DAY * np.hypot(price["held"].error, price["released"].error) for price in (good, bad)]
    return {
        "cost_1": holdback_cost(good, 0.01, factor),
        "cost_5": holdback_cost(good, 0.05, factor),
        "cost_error_5": float(0.05 * errors[0]),
        "harm": -holdback_cost(bad, 1.0, factor),
        "harm_error": float(errors[1]),
    }
