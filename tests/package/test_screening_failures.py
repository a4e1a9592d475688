"""The failure modes: hindsight flatters and honesty does not; recall by count is not recall by dollars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from casebook.decisions import threshold
from casebook.screening.evaluate import class_costs
from casebook.screening.failures import hindsight, recalls
from casebook.screening.simulate import Desk, World, simulate

ROUNDING = 1e-9  # sums of a few thousand products in float64


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_hindsight_always_flatters_and_honesty_does_not():
    desk = simulate(World(base_rate=0.05, ratio=20.0), 12_000, rng(13))
    gains = hindsight(desk.p, desk, class_costs(desk), draws=60, cases=1_500, rng=rng(14))
    assert gains["apparent"].min() >= -ROUNDING  # tuned on the same cases, it cannot lose to any other cut
    assert gains["honest"].mean() < 0 < gains["apparent"].mean()  # p is the truth here, so no cut beats the formula's
    assert 0 < (gains["honest"] > 0).mean() < 0.6
    assert len(gains) == 60


def test_hindsight_is_per_hundred_cases_and_repeats_with_its_seed():
    desk = simulate(World(base_rate=0.05, ratio=20.0), 3_000, rng(15))
    one, two = (hindsight(desk.p, desk, class_costs(desk), 3, 500, rng(16)) for _ in range(2))
    pd.testing.assert_frame_equal(one, two)
    doubled = Desk(desk.cases.assign(cost_fp=2.0, cost_fn=2 * desk.cases["cost_fn"]), desk.p)
    np.testing.assert_allclose(
        hindsight(desk.p, doubled, class_costs(doubled), 3, 500, rng(16)), 2 * one, rtol=ROUNDING
    )
    with_all = hindsight(desk.p, desk, class_costs(desk), 1, 1_500, rng(17))
    average, y = class_costs(desk), desk.cases["y"].to_numpy()
    # On all cases at once, apparent and honest together say what the tuned cut saves on the whole desk.
    drawn = rng(17).choice(3_000, size=3_000, replace=False)[:1_500]
    table = pd.DataFrame({"y": y[drawn], "p": desk.p[drawn]})

    def cost(cut: float) -> float:
        stopped = table["p"] > cut
        return float(
            (stopped & (table["y"] == 0)).sum() * average.fp + (~stopped & (table["y"] == 1)).sum() * average.fn
        )

    best = min(cost(cut) for cut in [-1.0, *table["p"]])
    expected = 100 * (cost(threshold(average.fp, average.fn)) - best) / 1_500
    assert with_all["apparent"].iloc[0] == pytest.approx(expected, rel=ROUNDING)


def test_recall_by_count_and_by_dollars_by_hand():
    cases = pd.DataFrame({"y": [1, 1, 1, 0, 0], "cost_fn": [10.0, 30.0, 60.0, 5.0, 5.0]})
    desk = Desk(cases, np.full(5, 0.5))
    got = recalls(desk, {"small": np.array([1, 1, 0, 1, 0], bool), "large": np.array([0, 0, 1, 0, 0], bool)})
    assert got.loc["small"].tolist() == pytest.approx([2 / 3, 0.4, 1])
    assert got.loc["large"].tolist() == pytest.approx([1 / 3, 0.6, 0])
