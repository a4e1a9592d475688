"""Chapter 3's replicated worlds: what is drawn, from which ranges, and when each finding counts as true."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from sklearn.metrics import roc_auc_score

from casebook.decisions import decide, estimate_base_rate, shift_prior
from casebook.screening import models
from casebook.screening.actions import called_gain, simulate_calls
from casebook.screening.evaluate import act_all_ways, bill, class_costs, shares
from casebook.screening.simulate import Desk, World, resample_to, shift_for, simulate
from casebook.studies import Study
from casebook.worlds import Dial

CASES = 60_000  # at the lowest base rate a quarter of them holds 150 bad ones
MATERIAL = 0.02  # a finding counts when it moves two percent of what the oracle could gain

BASE_RATE = Dial(
    "base_rate", 0.01, 0.3, "share",
    "from a tight fraud desk (near one percent) to a marketing list on which three in ten say yes",
    "how many bad cases a model sees", scale="log",
)  # fmt: skip
RATIO = Dial(
    "ratio", 0.1, 1_000, "false alarms per miss",
    "the source's table of six use cases: 1:10 (spam) to 1000:1 (disease)",
    "how far the threshold lies from one half", scale="log",
)  # fmt: skip
STRENGTH = Dial(
    "strength", 1.0, 3.0, "log-odds", "gives models an AUC of about 0.70 to 0.95", "how much a model knows"
)  # fmt: skip
BEND = Dial("bend", 0.0, 1.0, "weight", "assumed: from a straight world to half curved", "what a straight model misses")
NOISE = Dial("noise", 0.2, 0.8, "sd of a trait", "assumed", "how far features blur the truth")
SPREAD = Dial(
    "amount_spread", 0.0, 1.5, "sd of log amount",
    "assumed: from equal amounts to a spread in which one case in a hundred is thirty times the median",
    "whether one threshold can serve all cases",
)  # fmt: skip
FP_SCALES = Dial(
    "fp_scales", 0.0, 1.0, "share",
    "assumed: from a false alarm that costs the same on every case to one that costs a margin on the amount",
    "whether amounts matter to the threshold at all",
)  # fmt: skip
AMOUNT_RISK = Dial(
    "amount_risk", -0.3, 0.6, "correlation", "assumed: thieves like large amounts, testers of cards small ones",
    "what the average loss hides",
)  # fmt: skip
STRETCH = Dial(
    "stretch", 0.3, 3.0, "factor on log-odds",
    "assumed: from answers pulled towards one half to answers far too sure",
    "whether the formula may be used as it stands", scale="log",
)  # fmt: skip


def _world(dials: dict[str, float]) -> World:
    names = [field.name for field in fields(World)]
    return World(**{name: dials[name] for name in names if name in dials})


def play_thresholds(dials: dict[str, float], rng: np.random.Generator) -> dict[str, float | bool]:
    """Play one desk whose calibrated boosted model a vendor has stretched; return the shares captured.

    A quarter of the cases fits the model, a quarter calibrates it before the stretch (so that without a stretch
    there is nothing to mend), a quarter is the desk's own validation, the last is the test.

    Parameters
    ----------
    dials : dict
        Those of ``DESK``: settings of :class:`World`, and ``stretch``.
    rng : numpy.random.Generator
        Source of all randomness.

    Returns
    -------
    dict
        The share captured by each policy, the number of bad test cases, the gain of the cost threshold on the
        vendor's own p, and the findings ``costs_pay``, ``raw_costs_hurt``, ``calibration_pays``, ``amounts_pay``,
        ``tuning_loses`` (the cheapest cut on validation cases falls behind the formula on calibrated p).
    """
    fitting, vendor, validation, test = simulate(_world(dials), CASES, rng).split(1 / 4, 1 / 4, 1 / 4)
    score = models.calibrated(models.fit(models.boosted(1), fitting), vendor)
    score = models.stretched(score, dials["stretch"])
    got = shares(bill(test, act_all_ways(score, validation, test)))
    kept = {name: value for name, value in got.items() if name not in {"nothing", "oracle"}}
    return kept | {
        "bad_tests": float(test.cases["y"].sum()),
        "gain_of_costs": got["class"] - got["half"],
        "costs_pay": got["calibrated"] - got["half_calibrated"] > MATERIAL,
        "raw_costs_hurt": got["half"] - got["class"] > MATERIAL,
        "calibration_pays": got["calibrated"] - got["class"] > MATERIAL,
        "amounts_pay": got["case"] - got["calibrated"] > MATERIAL,
        "amounts_hurt": got["calibrated"] - got["case"] > MATERIAL,
        "tuning_loses": got["calibrated"] - got["tuned"] > MATERIAL,
        "tuning_wins": got["tuned"] - got["calibrated"] > MATERIAL,
    }


def play_weights(dials: dict[str, float], rng: np.random.Generator) -> dict[str, float | bool]:
    """Play one desk with a logistic model fitted three ways: plain, balanced weights, negatives thinned to balance.

    Every fit's probabilities are corrected and calibrated alike and cut at the costs, so what is left is ranking.

    Returns
    -------
    dict
        The share captured by each fit, the gain of weights and of thinning over the plain fit, the change of AUC,
        and the findings ``weights_move_money``, ``weights_move_ranking``, ``thinning_moves_money`` (either way, by
        more than ``MATERIAL``).
    """
    fitting, validation, test = simulate(_world(dials), CASES, rng).split(1 / 3, 1 / 3)
    rate = float(fitting.cases["y"].mean())
    fits = {
        "plain": models.fit(models.logistic(), fitting),
        "balanced": models.fit_balanced(fitting),
        "thinned": models.fit_thinned(fitting, rate / (1 - rate), rng),
    }
    got = {name: shares(bill(test, act_all_ways(score, validation, test)))["case"] for name, score in fits.items()}
    auc = {name: float(roc_auc_score(test.cases["y"], score(test.cases))) for name, score in fits.items()}
    weights, thinning = got["balanced"] - got["plain"], got["thinned"] - got["plain"]
    return got | {
        "gain_of_weights": weights,
        "gain_of_thinning": thinning,
        "auc_change_of_weights": auc["balanced"] - auc["plain"],
        "weights_move_money": abs(weights) > MATERIAL,
        "weights_move_ranking": abs(auc["balanced"] - auc["plain"]) > MATERIAL,
        "thinning_moves_money": abs(thinning) > MATERIAL,
    }


def play_shift(dials: dict[str, float], rng: np.random.Generator) -> dict[str, float | bool]:
    """Play one desk whose base rate moves after the model has been fitted, for one of two reasons.

    A share ``other_cases`` of the move (in log-odds) comes from other cases coming in (covariate shift: given what a
    case is, its risk stays), the rest from more or fewer bad ones of the same kind (label shift: all odds are off by a
    factor). The world is straight and the model calibrated, so that before the move nothing is wrong; ``noise`` says
    how much of a case's nature the features hide.

    Returns
    -------
    dict
        The share captured by the stale model, by the model corrected to the new base rate (known, and estimated
        without labels), and the findings ``correction_pays``, ``correction_hurts``, ``guess_hurts``.
    """
    world = replace(_world(dials), amount_spread=0.0, bend=0.0)
    fitting, validation = simulate(world, 2 * CASES // 3, rng).split(1 / 2)
    score, old = models.calibrated(models.fit(models.logistic(), fitting), validation), float(validation.p.mean())
    test = _moved(world, dials, rng)
    p, costs = score(test.cases), class_costs(validation)
    rates = {"known": float(test.p.mean()), "estimated": estimate_base_rate(p, old)}
    acts = {"nothing": p > 1, "stale": decide(p, costs), "oracle": decide(test.p, costs)}
    acts |= {name: decide(shift_prior(p, old, rate), costs) for name, rate in rates.items()}
    got = shares(bill(test, acts))
    return {name: got[name] for name in ("stale", "known", "estimated")} | {
        "new_rate": rates["known"],
        "estimated_rate": rates["estimated"],
        "gain_of_correction": got["known"] - got["stale"],
        "correction_pays": got["known"] - got["stale"] > MATERIAL,
        "correction_hurts": got["stale"] - got["known"] > MATERIAL,
        "guess_hurts": got["stale"] - got["estimated"] > MATERIAL,
    }


def _moved(world: World, dials: dict[str, float], rng: np.random.Generator) -> Desk:
    """Draw the cases that come after the move: first other cases, then more or fewer bad ones of the same kind."""
    odds = world.base_rate / (1 - world.base_rate) * np.array([dials["drift"] ** dials["other_cases"], dials["drift"]])
    by_others, in_all = odds / (1 + odds)
    pool = simulate(world, CASES, rng, trait_shift=shift_for(world, float(by_others), rng))
    return resample_to(pool, float(in_all), CASES // 3, rng)


def play_calls(dials: dict[str, float], rng: np.random.Generator) -> dict[str, float | bool]:
    """Play one call list in a world where acting changes the outcome; return what each ranking gains.

    Returns
    -------
    dict
        Share of the best list's gain captured by ranking on risk, on risk x value, on the share that a call keeps, and
        on uplift (risk x that share); and the findings ``risk_misleads``, ``risk_value_misleads`` (each leaves a tenth
        or more), ``uplift_beats_risk`` (by more than ``MATERIAL``), ``kept_beats_risk``.
    """
    accounts = simulate_calls(20_000, dials["alignment"], dials["save_rate"], dials["value_spread"], rng)
    capacity = int(dials["capacity"] * len(accounts))
    best = called_gain(accounts, "gain", capacity)
    got = {name: called_gain(accounts, name, capacity) / best for name in ("risk", "risk_value", "kept", "uplift")}
    return got | {
        "risk_misleads": got["risk"] < 0.9,
        "risk_value_misleads": got["risk_value"] < 0.9,
        "uplift_beats_risk": got["uplift"] - got["risk"] > MATERIAL,
        "kept_beats_risk": got["kept"] - got["risk"] > MATERIAL,
    }


DESK = (BASE_RATE, RATIO, STRENGTH, BEND, NOISE, SPREAD, AMOUNT_RISK, FP_SCALES, STRETCH)
DRIFT = Dial(
    "drift", 0.2, 5.0, "factor on odds", "assumed; the bank of chapter 3 saw more", "whether a correction is needed",
    scale="log", null=1.0,
)  # fmt: skip
OTHER_CASES = Dial(
    "other_cases", 0.0, 1.0, "share of the move", "assumed: nobody tells you why a rate moves",
    "whether the correction is right or wrong",
)  # fmt: skip
ALIGNMENT = Dial(
    "alignment", -0.8, 1.0, "correlation", "assumed: the riskiest are lost, or the easiest to keep",
    "whether the riskiest are the most persuadable", null=1.0,
)  # fmt: skip
SAVE_RATE = Dial("save_rate", 0.02, 0.3, "share of leavers", "assumed", "how much a call is worth")
VALUE_SPREAD = Dial(
    "value_spread", 0.0, 1.0, "sd of log value", "assumed: from equal accounts to a wide spread",
    "whether value matters as much as risk", null=0.0,
)  # fmt: skip
CAPACITY = Dial(
    "capacity", 0.02, 0.3, "share of the base", "6 percent is the source's own list of 6,000 in 100,000",
    "how selective a list must be",
)  # fmt: skip


def _with_null(dials: tuple[Dial, ...], **nulls: float) -> tuple[Dial, ...]:
    """Return the dials with their null values: what a study switches off, and nothing else."""
    return tuple(replace(dial, null=nulls.get(dial.name)) for dial in dials)


STUDIES = (
    Study(
        "03_thresholds", play_thresholds, _with_null(DESK, ratio=1.0, amount_spread=0.0),
        n=160, seed=3001, null_n=40, title="Thresholds from costs; null: both mistakes cost the same on every case",
    ),
    Study(
        "03_calibration", play_thresholds, _with_null(DESK, stretch=1.0),
        n=160, seed=3005, null_n=40, title="Calibration; null: nothing was stretched",
    ),
    Study(
        "03_amounts", play_thresholds, _with_null(DESK, amount_spread=0.0),
        n=160, seed=3006, null_n=40, title="Costs case by case; null: all amounts are equal",
    ),
    Study(
        "03_weights", play_weights, _with_null((BASE_RATE, RATIO, STRENGTH, BEND, NOISE), bend=0.0, noise=0.0),
        n=80, seed=3002, null_n=40, title="Class weights and thinning; null: the straight model is the true one",
    ),
    Study(
        "03_shift", play_shift, (BASE_RATE, RATIO, STRENGTH, replace(NOISE, low=0.0), DRIFT, OTHER_CASES),
        n=160, seed=3003, null_n=40, title="Correcting for a new base rate; null: it did not move",
    ),
    Study(
        "03_calls", play_calls, (ALIGNMENT, SAVE_RATE, VALUE_SPREAD, CAPACITY),
        n=120, seed=3004, null_n=40,
        title="Rankings where acting changes the outcome; null: the riskiest are the most persuadable, values equal",
    ),
)  # fmt: skip
