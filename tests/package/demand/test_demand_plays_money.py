"""Drawn grocers: what is drawn, that policies are made anew, and that null worlds show no finding."""

import numpy as np
import pytest

from casebook.demand import plays_money
from casebook.demand.ledger import NOTHING, ORACLE
from casebook.demand.plays_money import DIALS, average_fractile, draw_grocer, fresh_policies, play_grocer, play_money
from casebook.demand.policies import unit_costs
from casebook.worlds import draw_dials

MIDDLE = {dial.name: float(dial.at(0.5)) for dial in DIALS}
BY_FORECAST = ("mean", "global", "average", "per_sku", "shelf_life", "p95", "sum_of_daily")


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in {"STORES": 2, "WEEKS": 24, "TEST_WEEKS": 4}.items():
        monkeypatch.setattr(plays_money, name, value)


@pytest.fixture(scope="module")
def row():
    return play_money(MIDDLE, np.random.default_rng(0))


def test_dials_take_their_places():
    one, other = (draw_grocer(MIDDLE | {"packs": packs}, np.random.default_rng(1)) for packs in (0.01, 2.0))
    assert (one.trial.supply.case_pack == 1).all() and (other.trial.supply.case_pack >= 8).all()
    assert (one.trial.wanted == other.trial.wanted).all()
    assert (one.costs.goodwill, one.costs.holding, one.recapture) == (
        MIDDLE["goodwill"],
        MIDDLE["holding"],
        MIDDLE["recapture"],
    )
    wanted = np.concatenate([one.trial.before, one.trial.wanted], axis=1)
    assert (one.ahead <= wanted).all()
    assert one.ahead.sum() / wanted.sum() == pytest.approx(MIDDLE["ahead"], rel=0.05)


def test_every_dial_is_used(monkeypatch):
    """Another value of any one dial makes another row."""
    monkeypatch.setattr(plays_money, "fresh_policies", lambda grocer: only(fresh_policies(grocer), "last week", "p95"))
    monkeypatch.setattr(plays_money, "_findings", lambda *_: {})
    monkeypatch.setattr(plays_money, "_counts", lambda *_: {})
    monkeypatch.setattr(plays_money, "play_grocer", cheap)

    def net(dials):
        return [value for name, value in play_money(dials, np.random.default_rng(3)).items() if name.startswith("net")]

    base = net(MIDDLE)
    for dial in DIALS:
        assert net(MIDDLE | {dial.name: float(dial.at(0.8))}) != base, dial.name


def only(made, *names):
    return {name: made[name] for name in names}


def cheap(grocer, seed):
    p95 = grocer.play(fresh_policies(grocer)["p95"](), seed)
    others = ("global", "sum of daily", "tau 0.5", "tau 0.7", "tau 0.9", "tau 0.97", NOTHING, ORACLE, "last week")
    return {name: p95 for name in (*others, "p95")}


def test_the_average_fractile_is_of_the_averaged_costs():
    grocer = draw_grocer(MIDDLE, np.random.default_rng(1))
    short, over = unit_costs(grocer.trial.supply, grocer.costs)
    units = grocer.trial.sold.sum(axis=1)
    assert average_fractile(grocer.trial, grocer.costs) == pytest.approx(
        (short * units).sum() / ((short + over) * units).sum()
    )


def test_the_planner_orders_by_the_drawn_level_and_by_promotions_if_he_knows_them():
    made = {level: draw_grocer(MIDDLE | {"stock_level": level}, np.random.default_rng(1)) for level in (0.9, 1.7)}
    units = {
        (level, informed): grocer.play(grocer.planner(informed), 5).cells["delivered"].sum()
        for level, grocer in made.items()
        for informed in (True, False)
    }
    assert units[1.7, True] > 1.2 * units[0.9, True]
    assert units[1.7, True] > units[1.7, False] and units[0.9, True] > units[0.9, False]


def test_a_play_can_be_repeated():
    """Policies are made anew: the second play of the same grocer is the first."""
    grocer = draw_grocer(MIDDLE, np.random.default_rng(1))
    one, two = (play_grocer(grocer, 5, taus=()) for _ in range(2))
    for name in one:
        assert one[name].cells.equals(two[name].cells), name


def test_a_row_says_what_it_found(row):
    assert row["captured_oracle"] == 1 and row["captured_nothing"] == 0 and row["gained_last_week"] == 0
    assert row["per_sku_beats_global"] == (row["net_per_sku"] > row["net_global"])
    assert row["p95_loses_to_fractile"] == (row["net_p95"] < row["net_global"])
    assert row["sum_of_daily_quantiles_overorders"] == (row["extra_units"] > 0.01)
    assert row["source_count_picks_same_policy"] == (row["source_costs"] <= 1e-9)
    assert not row["oracle_is_beaten"]
    numbers = [value for value in row.values() if not isinstance(value, bool)]
    assert np.isfinite(numbers).all()


@pytest.mark.parametrize("seed", [0, 1])
def test_null_worlds_show_no_finding(seed):
    """Where all is ordered ahead, all who go by the forecast order the same, to the cent."""
    dials = draw_dials(DIALS, 1, np.random.default_rng(seed), null=True).iloc[0].to_dict()
    assert dials["ahead"] == 1 and dials["recapture"] == 0
    row = play_money(dials, np.random.default_rng(seed))
    assert len({row[f"net_{name}"] for name in BY_FORECAST}) == 1
    findings = ("per_sku_beats_global", "per_sku_beats_average", "per_sku_beats_all", "life_beats_global",
                "life_beats_per_sku", "life_beats_all", "fractile_beats_mean", "p95_loses_to_fractile",
                "sum_of_daily_quantiles_overorders", "sum_of_daily_loses", "oracle_is_beaten")  # fmt: skip
    assert not any(row[name] for name in findings)
    assert row["source_costs"] == 0 and row["own_costs"] == 0
