"""Uplift curves: three definitions against answers by hand, naive loops, all cut points, and causalml."""

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from casebook.uplift import DEFINITIONS, QiniValue, auuc, qini, uplift_curve
from casebook.uplift._causal import causal_class
from casebook.uplift._ranked import area_over_random, gains, rank
from casebook.uplift._trial import Trial

ROUNDING = 1e-9  # float sums of at most some thousand numbers of size 1, in another order

trials = st.lists(st.tuples(st.integers(0, 1), st.booleans(), st.integers(0, 5)), min_size=2, max_size=30).filter(
    lambda rows: 0 < sum(arm for _, arm, _ in rows) < len(rows)
)
definitions = st.sampled_from(sorted(DEFINITIONS))


def columns(rows):
    y, treated, score = zip(*rows, strict=True)
    return np.array(y), np.array(treated), np.array(score, dtype=float)


def naive_gain(y, treated, score, cut, definition, p=0.5):
    """One cut, row by row, as the formulas stand."""
    n_t = n_c = y_t = y_c = ips = 0
    for outcome, arm, value in zip(y, treated, score, strict=True):
        if value < cut:
            continue
        if arm:
            n_t, y_t, ips = n_t + 1, y_t + outcome, ips + outcome / p
        else:
            n_c, y_c, ips = n_c + 1, y_c + outcome, ips - outcome / (1 - p)
    rate_t, rate_c = (y_t / n_t if n_t else 0), (y_c / n_c if n_c else 0)
    k, n = n_t + n_c, len(y)
    return k / n, {"qini": (y_t - rate_c * n_t) / n, "gain": (rate_t - rate_c) * k / n, "ips": ips / n}[definition]


@given(trials, definitions)
def test_every_point_of_a_curve_is_the_formula_counted_row_by_row(rows, definition):
    y, treated, score = columns(rows)
    curve = uplift_curve(y, treated, score, definition=definition)
    cuts = sorted(set(score), reverse=True)
    expected = [(0, 0), *(naive_gain(y, treated, score, cut, definition) for cut in cuts)]
    np.testing.assert_allclose(curve[["share", "gain"]], expected, atol=ROUNDING)
    assert curve["score"].tolist() == [np.inf, *cuts]
    assert (curve["n_treated"].iloc[-1], curve["n_control"].iloc[-1]) == (treated.sum(), (~treated).sum())


@given(trials, definitions)
def test_the_area_is_the_sum_of_its_trapezoids(rows, definition):
    y, treated, score = columns(rows)
    points = [(0, 0)]
    points += [naive_gain(y, treated, score, cut, definition) for cut in sorted(set(score), reverse=True)]
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(points)) - points[-1][1] / 2
    assert qini(y, treated, score, definition=definition).value == pytest.approx(area, abs=ROUNDING)
    whole = qini(y, treated, score, definition=definition, normalise="none").value
    assert whole == pytest.approx(area * len(y), abs=ROUNDING * len(y))


def scikit_uplift_qini_auc(y, score, treated):
    """The formulas of scikit-uplift 0.5 (qini_curve, perfect_qini_curve, qini_auc_score), in counts, by loops."""

    def curve(by):
        xs, ys = [0], [0.0]
        for cut in sorted(set(by), reverse=True):
            top = [(o, w) for o, w, s in zip(y, treated, by, strict=True) if s >= cut]
            trt, ctrl = sum(w for _, w in top), sum(not w for _, w in top)
            y_trt, y_ctrl = sum(o for o, w in top if w), sum(o for o, w in top if not w)
            xs.append(len(top))
            ys.append(y_trt - (y_ctrl * trt / ctrl if ctrl else 0))
        return np.array(xs), np.array(ys)

    x_actual, y_actual = curve(score)
    x_perfect, y_perfect = curve([o * w - o * (1 - w) for o, w in zip(y, treated.astype(int), strict=True)])
    baseline = np.trapezoid([0, y_perfect[-1]], [0, x_perfect[-1]])
    return (np.trapezoid(y_actual, x_actual) - baseline) / (np.trapezoid(y_perfect, x_perfect) - baseline)


@given(trials.filter(lambda rows: any(y for y, _, _ in rows)))
def test_normalised_by_perfect_it_is_scikit_uplifts_qini(rows):
    y, treated, score = columns(rows)
    ours = qini(y, treated, score, normalise="perfect").value
    assert ours == pytest.approx(scikit_uplift_qini_auc(y, score, treated), abs=ROUNDING)


@pytest.mark.filterwarnings("ignore:The set_(bad|over|under) function will be deprecated:PendingDeprecationWarning")
def test_causalmls_two_scores_follow_from_ours():
    rng = np.random.default_rng(3)
    n = 3000
    treated, score = rng.random(n) < 0.5, rng.permutation(n) / n
    y = (rng.random(n) < 0.3 + 0.2 * treated * score).astype(int)
    best = np.argsort(-score)[:2]
    treated[best], y[best] = [True, False], 0  # causalml divides 0 by 0 until it has met both arms
    frame = pd.DataFrame({"y": y, "w": treated.astype(int), "model": score})
    qini_score = causal_class("causalml.metrics", "qini_score", "twin")
    auuc_score = causal_class("causalml.metrics", "auuc_score", "twin")
    # It averages n + 1 heights where a trapezoid rule has n steps, in outcomes.
    theirs = float(qini_score(frame, normalize=False)["model"]) * (n + 1) / n
    assert qini(y, treated, score, normalise="none").value == pytest.approx(theirs, rel=1e-9)
    # Its AUUC is the whole area below the curve, and counts half of the effect of treating everyone.
    end = uplift_curve(y, treated, score, definition="gain")["gain"].iloc[-1]
    below = (float(auuc_score(frame, normalize=False)["model"]) * (n + 1) - end * n / 2) / n**2
    assert auuc(y, treated, score).value == pytest.approx(below - end / 2, rel=1e-9)


def test_four_cells_by_hand():
    # Ten rows a cell. High score: treated 6 of 10, controls 2 of 10. Low score: 3 of 10 and 3 of 10.
    cells = [(1, 6, 1), (0, 2, 1), (1, 3, 0), (0, 3, 0)]
    y = np.concatenate([np.repeat([1, 0], [events, 10 - events]) for _, events, _ in cells])
    treated, score = np.repeat([c[0] for c in cells], 10), np.repeat([c[2] for c in cells], 10)
    by_hand = {"qini": [0, 4 / 40, 4 / 40], "gain": [0, 0.4 * 0.5, 0.2], "ips": [0, 8 / 40, 8 / 40]}
    areas = {"qini": 0.025, "gain": 0.05, "ips": 0.05}
    for definition, expected in by_hand.items():
        curve = uplift_curve(y, treated, score, definition=definition)
        np.testing.assert_allclose(curve["gain"], expected, atol=ROUNDING)
        np.testing.assert_allclose(curve["random"], np.array([0, 0.5, 1]) * expected[-1], atol=ROUNDING)
        assert qini(y, treated, score, definition=definition).value == pytest.approx(areas[definition])
    assert qini(y, treated, score, normalise="none").value == pytest.approx(1.0)
    # Perfect: 9 treated events, 26 rows without an event, 5 control events. Area: 9 at once for 9 rows, then
    # flat, then down to 4 over the last 5 rows; less half of 4 * 40.
    perfect = 9 * 9 / 2 + 26 * 9 + 5 * (9 + 4) / 2 - 4 * 40 / 2
    assert qini(y, treated, score, normalise="perfect").value == pytest.approx(40 * 1.0 / perfect)


@given(trials, definitions, st.randoms(use_true_random=False))
def test_row_order_and_the_scale_of_the_score_do_not_matter(rows, definition, random):
    shuffled = random.sample(rows, len(rows))
    (y, treated, score), (y2, treated2, score2) = columns(rows), columns(shuffled)
    one, two = (
        uplift_curve(y, treated, score, definition=definition),
        uplift_curve(y2, treated2, np.exp(score2), definition=definition),
    )
    np.testing.assert_allclose(one.drop(columns="score"), two.drop(columns="score"), atol=ROUNDING)


@given(trials, definitions)
def test_one_score_for_all_gains_nothing_over_random(rows, definition):
    y, treated, _ = columns(rows)
    assert qini(y, treated, np.ones(len(y)), definition=definition).value == pytest.approx(0, abs=ROUNDING)


@given(trials)
def test_turning_a_score_round_turns_its_ips_area_round(rows):
    y, treated, score = columns(rows)
    area, turned = (qini(y, treated, by, definition="ips").value for by in (score, -score))
    assert turned == pytest.approx(-area, abs=ROUNDING)


@given(trials.filter(lambda rows: any(y for y, _, _ in rows)))
def test_the_perfect_score_is_worth_one(rows):
    y, treated, _ = columns(rows)
    assert qini(y, treated, np.where(treated, y, -y), normalise="perfect").value == pytest.approx(1)


def test_perfect_is_no_maximum_in_a_handful_of_rows_but_is_one_in_hundreds(toy):
    assert qini([0, 1, 1], [1, 0, 0], [0, 1, 1], normalise="perfect").value == pytest.approx(2)
    world, rng = toy(8, 500), np.random.default_rng(0)
    perfect = np.where(world.treated, world.y, -world.y)
    rivals = [perfect + rng.normal(0, spread, 500) for spread in np.linspace(0.1, 3, 100)]
    assert max(qini(world.y, world.treated, rival, normalise="perfect").value for rival in rivals) <= 1


@pytest.mark.parametrize("propensity", [0.5, 0.2, np.array([0.2, 0.5, 0.7, 0.4, 0.5, 0.9])])
def test_ips_is_unbiased_over_all_assignments(propensity):
    helped, left = np.array([1, 1, 0, 3, 0, 1.0]), np.array([0, 1, 1, 1, 0, 0.5])
    score = np.array([5, 4, 4, 3, 2, 1.0])
    chance = np.broadcast_to(propensity, 6)
    mean = np.zeros(6)
    for arms in itertools.product([False, True], repeat=6):
        treated = np.array(arms)
        trial = Trial(np.where(treated, helped, left), treated, propensity)
        mean += np.prod(np.where(treated, chance, 1 - chance)) * gains("ips", rank(trial, score).cumulated())[1]
    truth = [0, 1, 1 + 0 - 1, 2, 2, 2.5]
    np.testing.assert_allclose(mean, np.array(truth) / 6, atol=ROUNDING)


@given(trials, definitions, st.data())
def test_weights_are_repeated_rows(rows, definition, data):
    y, treated, score = columns(rows)
    times = np.array(data.draw(st.lists(st.integers(0, 3), min_size=len(y), max_size=len(y))))
    if not (times[treated].sum() and times[~treated].sum()):
        times[:] = 2
    ranked = rank(Trial(y.astype(float), treated), score)
    weighted = area_over_random(*gains(definition, ranked.cumulated(times.astype(float))))
    repeated = qini(*(np.repeat(c, times) for c in (y, treated, score)), definition=definition).value
    assert weighted == pytest.approx(repeated, abs=ROUNDING)


def test_definitions_on_one_trial_differ_by_more_than_tenfold(toy):
    world = toy(0, 4000)
    values = [
        qini(world.y, world.treated, world.tau).value,
        auuc(world.y, world.treated, world.tau).value,
        qini(world.y, world.treated, world.tau, normalise="perfect").value,
        qini(world.y, world.treated, world.tau, normalise="none").value,
    ]
    assert min(values) > 0
    assert values[2] / values[0] > 5
    assert values[3] / values[0] == pytest.approx(4000)
    assert values[1] / values[0] == pytest.approx(2, rel=0.15)  # half of the rows are treated, give or take luck


def test_the_curve_of_the_true_effect_is_near_the_truth(toy):
    world = toy(1, 100_000)
    order = np.argsort(-world.tau)
    truth = np.cumsum((world.y_if_treated - world.y_if_left)[order]) / len(order)
    for definition in ("gain", "ips"):
        curve = uplift_curve(world.y, world.treated, world.tau, definition=definition)
        # Five standard errors of the mean of 2 y (2 w - 1), at most 2 / sqrt(n).
        assert np.abs(curve["gain"].to_numpy()[1:] - truth).max() < 5 * 2 / np.sqrt(len(order))


def test_a_value_prints_its_formula_and_is_a_number():
    value = QiniValue(0.5, "ips", "none", 12_000)
    formula = "V(k) = (1/n) sum over the top k of [w y / p - (1 - w) y / (1 - p)]"
    assert str(value) == f"0.5 = n * area between V and its random line, {formula}, n = 12,000"
    assert float(value) == 0.5
    documented = " ".join(uplift_curve.__doc__.split())
    assert [formula for formula in DEFINITIONS.values() if formula not in documented] == []


def test_inputs_are_left_as_they_were_and_bools_and_series_are_taken():
    y, treated, score = np.array([1, 0, 1, 0]), np.array([1, 0, 0, 1]), np.array([1.0, 2, 3, 4])
    before = [y.copy(), treated.copy(), score.copy()]
    plain = qini(y, treated, score)
    for array, copy in zip((y, treated, score), before, strict=True):
        np.testing.assert_array_equal(array, copy)
    assert qini(pd.Series(y == 1, dtype="boolean"), treated == 1, pd.Series(score)) == plain
