"""The network over all cells: likelihood and step against twins, recovery, coverage, and no look ahead."""

from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from scipy import stats

pytest.importorskip("jax")
if find_spec("keras") is None:  # importing it here would settle on another backend
    pytest.skip("needs keras", allow_module_level=True)

from casebook.contracts import ContractError
from casebook.demand.nb_likelihood import draw
from casebook.demand.network import Network, fit, quantiles_of_paths
from casebook.demand.network_parts import BACK, CONTEXT, HORIZON, Windows, build, inputs, known, loss, parameters
from casebook.demand.panel import Panel, panel_of_arrays

FLOAT32 = 1e-4  # the network counts in single precision: relative error of sums of some thousand terms
CELLS, ORIGIN, WEEKS = 60, 300, 6
DISPERSION = 0.5
SHORT = {"epochs": 7, "windows": 4096}
LEARNT = 0.06  # relative error of a mean, and error of coverage, that so short a fit is allowed


def _stationary() -> tuple[np.ndarray, np.ndarray]:
    """Return units and their means: independent days, cells of three levels, Saturdays twice as strong."""
    days = np.arange(ORIGIN + 7 * WEEKS + HORIZON + 1)
    level = np.resize([1.0, 4.0, 12.0], CELLS)
    mean = level[:, None] * np.where(days % 7 == 5, 2.0, 1.0)
    return draw(mean, DISPERSION, np.random.default_rng(1)).astype(float), mean


def _panel(y: np.ndarray) -> Panel:
    weekday = np.arange(y.shape[1])[:, None] % 7 == np.arange(7)
    codes = np.column_stack([np.arange(len(y)) % 5, np.arange(len(y)) % 3])
    return panel_of_arrays(y, np.broadcast_to(weekday, (*y.shape, 7)), codes)


@pytest.fixture(scope="module")
def world() -> tuple[np.ndarray, np.ndarray, Panel]:
    y, mean = _stationary()
    return y, mean, _panel(y)


@pytest.fixture(scope="module")
def fitted(world: tuple[np.ndarray, np.ndarray, Panel]) -> Network:
    return fit(world[2], ORIGIN, **SHORT)


def test_loss_is_scipys_over_the_days_that_are_known() -> None:
    rng = np.random.default_rng(0)
    raw, scale = rng.normal(0, 1, (9, HORIZON, 2)), np.repeat(rng.uniform(1, 40, (9, 1)), HORIZON, axis=1)
    units, there = rng.integers(0, 60, scale.shape), rng.random(scale.shape) < 0.8
    mean, dispersion = parameters(raw, scale, np)
    assert mean == pytest.approx(scale * np.log1p(np.exp(raw[..., 0])) + 1e-3)
    each = stats.nbinom(1 / dispersion, 1 / (1 + dispersion * mean)).logpmf(units)
    target = np.stack([units, scale, there], axis=2).astype(np.float32)
    assert float(loss(target, raw.astype(np.float32))) == pytest.approx(-each[there].mean(), rel=FLOAT32)


def test_inputs_are_lags_of_one_and_seven_days() -> None:
    path = np.arange(12.0)[None, :].astype(np.float32)
    path[0, 8] = np.nan
    x = inputs(path, np.array([2.0]), np.full((1, 5, 1), 9.0, np.float32))
    assert x[0, :, 0].tolist() == [3.0, 3.5, 0.0, 4.5, 5.0]  # days 6 to 10, halved; day 8 is not known
    assert x[0, :, 1].tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]  # days 0 to 4
    assert x[0, :, 2].tolist() == [1, 1, 0, 1, 1] and x[0, :, 3].tolist() == [1] * 5
    assert (x[0, :, 4] == np.float32(np.log(2))).all() and (x[0, :, 5] == 9).all()


def test_scale_is_one_plus_the_mean_of_what_is_known(world: tuple[np.ndarray, np.ndarray, Panel]) -> None:
    y = world[0].copy()
    y[0, 50:60], y[1, :80] = np.nan, np.nan
    past, scale = known(_panel(y), np.array([0, 1, 2]), np.array([70, 70, 71]))
    assert past.shape == (3, BACK)
    assert scale == pytest.approx([1 + np.nanmean(y[0, 43:71]), 1.0, 1 + y[2, 44:72].mean()])


def test_day_by_day_is_the_same_network_as_all_days_at_once(world: tuple[np.ndarray, np.ndarray, Panel]) -> None:
    """Encoding the past and stepping through the true days gives what the fit's model says of the whole window."""
    y, _, panel = world
    rng, origin, rows = np.random.default_rng(0), 100, np.arange(CELLS)
    whole, encode, step = build(7, panel.sizes, seed=3)
    whole.set_weights([rng.normal(0, 0.3, variable.shape) for variable in whole.weights])
    x, _ = Windows.of(panel, np.array([origin])).batch(np.column_stack([0 * rows, rows]))
    expected = np.asarray(whole.predict_on_batch(x))
    past, scale = known(panel, rows, np.full(CELLS, origin))
    state = encode.predict_on_batch([inputs(past, scale, panel.covariates[:, origin + 1 - CONTEXT : origin + 1]), x[1]])
    for day in range(HORIZON):
        seen = y[:, origin + day - 6 : origin + day + 1].astype(np.float32)
        ahead = panel.covariates[:, origin + 1 + day : origin + 2 + day]
        raw, state = step.predict_on_batch([inputs(seen, scale, ahead), x[1], state])
        assert np.asarray(raw)[:, 0] == pytest.approx(expected[:, day], rel=FLOAT32, abs=FLOAT32)


def test_mean_and_dispersion_are_found_again(world: tuple[np.ndarray, np.ndarray, Panel], fitted: Network) -> None:
    _, mean, panel = world
    paths = fitted.sample_paths(panel, ORIGIN, 400, np.random.default_rng(0))
    truth = mean[:, ORIGIN + 1 : ORIGIN + 1 + HORIZON]
    for level in range(3):
        cells = paths[level::3]
        assert cells.mean() == pytest.approx(truth[level::3].mean(), rel=2 * LEARNT)
        saturday = truth[level] > truth[level].min()
        ratio = cells[:, :, saturday].mean() / cells[:, :, ~saturday].mean()
        assert ratio == pytest.approx(2, rel=3 * LEARNT)
    spread, middle = paths.var(axis=1), paths.mean(axis=1)
    dispersion = ((spread - middle) / middle**2)[2::3].mean()
    assert dispersion == pytest.approx(DISPERSION, abs=0.1)


@pytest.mark.parametrize("weekly", [False, True])
def test_quantiles_cover_what_they_say(
    world: tuple[np.ndarray, np.ndarray, Panel], fitted: Network, weekly: bool
) -> None:
    """On days after the fit; a count is spread evenly over its step, so that the share is tau if all is right."""
    y, _, panel = world
    rng, places = np.random.default_rng(5), []
    for origin in range(ORIGIN, ORIGIN + 7 * WEEKS, 7):
        paths = fitted.sample_paths(panel, origin, 200, rng)
        actual = y[:, origin + 1 : origin + 1 + HORIZON]
        if weekly:
            paths, actual = paths[:, :, 3:].sum(axis=2, keepdims=True), actual[:, 3:].sum(axis=1, keepdims=True)
        below, at = (paths < actual[:, None]).mean(axis=1), (paths == actual[:, None]).mean(axis=1)
        places.append(below + rng.random(at.shape) * at)
    place = np.concatenate(places).ravel()
    for tau in (0.1, 0.5, 5 / 7, 10 / 12, 0.95):
        binomial = 3 * np.sqrt(tau * (1 - tau) / len(place))
        assert (place <= tau).mean() == pytest.approx(tau, abs=binomial + LEARNT / 2)


def test_fit_and_paths_do_not_see_past_the_origin_and_repeat(
    world: tuple[np.ndarray, np.ndarray, Panel], fitted: Network
) -> None:
    y, _, panel = world
    other, rng = y.copy(), np.random.default_rng(0)
    other[:, ORIGIN + 1 :] = rng.permuted(other[:, ORIGIN + 1 :] + 50)
    again = fit(_panel(other), ORIGIN, **SHORT)
    pd.testing.assert_frame_equal(fitted.losses, again.losses)
    paths = fitted.sample_paths(panel, ORIGIN, 20, np.random.default_rng(1))
    assert np.array_equal(paths, again.sample_paths(_panel(other), ORIGIN, 20, np.random.default_rng(1)))


class _Recorder:
    """Stand in for a Keras model: note what comes in, answer with what is given."""

    def __init__(self, answer):
        self.answer, self.seen = answer, []

    def predict_on_batch(self, given):
        self.seen.append(given)
        return self.answer(len(given[0]))


def test_each_day_is_drawn_given_the_days_drawn_before(world: tuple[np.ndarray, np.ndarray, Panel]) -> None:
    y, _, panel = world
    draws, origin = 3, 120
    encode = _Recorder(lambda n: np.zeros((n, 2)))
    step = _Recorder(lambda n: (np.zeros((n, 1, 2), np.float32), np.zeros((n, 2))))
    network = Network(encode, step, 0, pd.DataFrame())
    paths = network.sample_paths(panel, origin, draws, np.random.default_rng(0))
    whole, _ = Windows.of(panel, np.array([origin])).batch(np.column_stack([np.zeros(CELLS, int), np.arange(CELLS)]))
    assert np.array_equal(encode.seen[0][0], whole[0][:, :CONTEXT])
    past = np.repeat(y[:, None, origin - 6 : origin + 1], draws, axis=1)
    run, scale = np.concatenate([past, paths], axis=2), 1 + y[:, origin + 1 - CONTEXT : origin + 1].mean(axis=1)
    for day in range(HORIZON):
        x = step.seen[day][0].reshape(CELLS, draws, -1)
        assert x[:, :, 0] == pytest.approx(run[:, :, 6 + day] / scale[:, None], rel=FLOAT32)
        assert x[:, :, 1] == pytest.approx(run[:, :, day] / scale[:, None], rel=FLOAT32)
        assert (x[:, :, 5:] == panel.covariates[:, None, origin + 1 + day]).all()


def test_late_promotions_are_not_seen(world: tuple[np.ndarray, np.ndarray, Panel], fitted: Network) -> None:
    """One covariate stands for a discount: announced before the origin it changes the paths, after it it does not."""
    panel = world[2]
    names = (*panel.names[:5], "discount", "display")
    covariates = panel.covariates.copy()
    covariates[:, :, 5:] = 0
    plan = {"row": [0], "first_day": [ORIGIN + 4], "last_day": [ORIGIN + 9], "discount": [0.5], "display": [True]}
    paths = {}
    for told in (ORIGIN - 3, ORIGIN, ORIGIN + 1):
        plans = pd.DataFrame(plan | {"announced_on": [told]})
        promoted = Panel(panel.cells, panel.y, covariates, names, panel.codes, panel.sizes, plans)
        paths[told] = fitted.sample_paths(promoted, ORIGIN, 50, np.random.default_rng(0))
    none = Panel(panel.cells, panel.y, covariates, names, panel.codes, panel.sizes)
    assert np.array_equal(paths[ORIGIN + 1], fitted.sample_paths(none, ORIGIN, 50, np.random.default_rng(0)))
    assert np.array_equal(paths[ORIGIN], paths[ORIGIN - 3])
    assert not np.array_equal(paths[ORIGIN][0], paths[ORIGIN + 1][0])


def test_predict_is_the_paths_in_a_table(world: tuple[np.ndarray, np.ndarray, Panel], fitted: Network) -> None:
    panel = world[2]
    out = fitted.predict(panel, ORIGIN, [0.5, 0.9], np.random.default_rng(7), draws=50, horizons=range(4, 11))
    paths = fitted.sample_paths(panel, ORIGIN, 50, np.random.default_rng(7))
    assert list(out.columns) == ["cell", "origin", "horizon", "day", "mean", 0.5, 0.9]
    row = out[(out["cell"] == 11) & (out["horizon"] == 6)].iloc[0]
    assert row["day"] == ORIGIN + 6 and row["mean"] == pytest.approx(paths[11, :, 5].mean())
    assert row[0.9] == np.sort(paths[11, :, 5])[44]  # the 45th of 50
    assert len(out) == CELLS * 7


def test_quantiles_of_paths_are_of_the_sum_and_not_the_sum() -> None:
    paths = draw(np.full((1, 4000, 7), 2.0), 1.0, np.random.default_rng(0))
    daily, week = quantiles_of_paths(paths, [0.95]), quantiles_of_paths(paths.sum(axis=2), [0.95])
    assert daily.shape == (1, 7, 1) and week.shape == (1, 1)
    truth = stats.nbinom(7, 1 / 3).ppf(0.95)  # seven of size 1 add up to size 7
    assert week[0, 0] == pytest.approx(truth, abs=1)
    assert daily.sum() > 1.5 * truth


def test_refusals(world: tuple[np.ndarray, np.ndarray, Panel], fitted: Network) -> None:
    panel, rng = world[2], np.random.default_rng(0)
    last = panel.y.shape[1] - 1
    empty = _panel(np.where(np.arange(last + 1) < ORIGIN - 90, world[0], np.nan))
    cases = {
        "epochs must be 1 or more, got 0; leave the default.": lambda: fit(panel, ORIGIN, epochs=0),
        "windows must be 1 or more, got 0; leave the default.": lambda: fit(panel, ORIGIN, windows=0),
        f"origin must be a day from 86 to {last}, got 50; the network needs a longer past.": lambda: fit(panel, 50),
        "y must be known before and within the last six weeks up to the origin, got not; pass a later origin.": (
            lambda: fit(empty, ORIGIN)
        ),
        f"origin must be at or after the fit's, {ORIGIN}, got 299; fit at an earlier origin.": (
            lambda: fitted.sample_paths(panel, 299, 1, rng)
        ),
        "draws must be 1 or more, got 0; 200 do.": lambda: fitted.sample_paths(panel, ORIGIN, 0, rng),
        f"origin must be a day from 0 to {last - HORIZON}, got {last}; give a calendar that reaches farther.": (
            lambda: fitted.sample_paths(panel, last, 1, rng)
        ),
        "horizons must be from 1 to 10, got 11; drop it.": (
            lambda: fitted.predict(panel, ORIGIN, [0.5], rng, horizons=[11])
        ),
        "taus must be strictly between 0 and 1, got 95; divide percentages by 100.": (
            lambda: quantiles_of_paths(np.ones((1, 2)), [95])
        ),
    }
    for words, call in cases.items():
        with pytest.raises(ContractError) as error:
            call()
        assert str(error.value) == words
