"""The sums of scale: against the same sums in exact whole numbers, real arrays' bytes, and counts by hand."""

import math
import re
from dataclasses import fields, replace
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from casebook.contracts import ContractError
from casebook.demand.existing_cells import cells_that_exist, quiet_share
from casebook.demand.scale import Job, batch_table, bytes_table, core_hours, cost_model, prompt_table

# A handful of products in double precision.
ROUNDING = 1e-12
count = st.integers(1, 10**9)
rate = st.integers(1, 10**7)


def test_the_prompts_own_figures():
    value = prompt_table()["value"]
    assert value["cells"] == 10**9 and value["forecasts"] == 7 * 10**9 and value["history"] == 2 * 365 * 10**9


def test_bytes_are_those_of_arrays():
    table = bytes_table({"a million": 1e6, "ten": 10})
    for name in table.columns:
        assert table.loc["a million", name] * 1e9 == np.zeros(10**6, name).nbytes
        assert table.loc["ten", name] * 1e9 == pytest.approx(np.zeros(10, name).nbytes, rel=ROUNDING)


@given(count, rate)
def test_core_hours_times_the_rate_are_the_rows(rows, per_second):
    assert core_hours(rows, per_second) == pytest.approx(float(Fraction(rows, 3_600 * per_second)), rel=ROUNDING)


@given(count, rate, st.integers(1, 48))
def test_so_many_cores_finish_in_the_window_and_one_fewer_does_not(rows, per_second, hours):
    row = batch_table(rows, {"predict": per_second}, hours).loc["predict"]
    cores, window = int(row["cores"]), 3_600 * hours
    assert cores * per_second * window >= rows > (cores - 1) * per_second * window
    assert row["rows_per_second_needed"] * window == pytest.approx(rows, rel=ROUNDING)


def value_of(table, part, figure):
    return table.set_index(["part", "figure"])["value"][(part, figure)]


def test_the_cost_model_is_its_sums():
    job = Job(quantiles=3, existing=0.04, features=25, bytes_each=8, fit_rows=2e7, window_hours=2, efficiency=0.8)
    table = cost_model(1e9, 150_000, 90_000, 40_000, job)
    week = 10**9 * 4 // 100 * 7
    hours = {
        "features": (week + 2 * 10**7) / 150_000 / 3_600 / 0.8,
        "fit": 3 * 2 * 10**7 / 40_000 / 3_600 / 0.8,
        "predict": 3 * week / 90_000 / 3_600 / 0.8,
    }
    for part, expected in hours.items():
        assert value_of(table, part, "core-hours") == pytest.approx(expected, rel=ROUNDING), part
    total = sum(hours.values())
    whole = {
        "core-hours": total,
        "cores": math.ceil(total / 2),
        "machines for the work": math.ceil(math.ceil(total / 2) / 16),
        "training table": 2e7 * 25 * 8 / 1e9,
        "machines for the training table": math.ceil(2e7 * 25 * 8 / 1e9 / 64),
        "rows of the week": week * 25 * 8 / 1e9,
        "dollars a run": 0.05 * total,
        "dollars a year": 52 * 0.05 * total,
    }
    assert set(table.loc[table["part"] == "job", "figure"]) == set(whole)
    for figure, expected in whole.items():
        assert value_of(table, "job", figure) == pytest.approx(expected, rel=ROUNDING), figure


def test_every_assumption_stands_in_the_table_with_its_unit():
    job = Job(existing=0.5, memory_a_machine=32)
    table = cost_model(1e6, 10, 20, 30, job)
    assumed = table[table["part"] == "assumed"].set_index("figure")["value"].to_dict()
    assert assumed == {"cells": 1e6, **{field.name: getattr(job, field.name) for field in fields(Job)}}
    measured = table[table["part"] == "measured"].set_index("figure")["value"].to_dict()
    assert measured == {"features": 10, "predict": 20, "fit": 30}
    assert (table[["part", "figure", "unit", "how"]].map(len) > 0).all(axis=None)


@pytest.mark.parametrize(
    ("name", "value", "rises"),
    [
        ("quantiles", 2, True),
        ("existing", 0.5, False),
        ("efficiency", 0.5, True),
        ("fit_rows", 1e9, True),
        ("days", 14, True),
    ],
)
def test_each_assumption_moves_the_dollars_its_way(name, value, rises):
    base, moved = (cost_model(1e9, 1e5, 1e5, 1e5, job) for job in (Job(), replace(Job(), **{name: value})))
    before, after = (value_of(table, "job", "dollars a run") for table in (base, moved))
    assert (after > before) == rises and after != before


@pytest.mark.parametrize("dispersion", [0.0, 0.7])
def test_quiet_cells_are_those_that_draw_nothing(dispersion):
    means = np.repeat([0.01, 0.1, 0.6], 40_000)
    law = stats.nbinom(1 / dispersion, 1 / (1 + dispersion * means)) if dispersion else stats.poisson(means)
    drawn = sum(law.rvs(random_state=np.random.default_rng(day)) for day in range(7))
    assert quiet_share(means, 7, dispersion) == pytest.approx((drawn == 0).mean(), abs=5 * 0.5 / np.sqrt(120_000))


def test_over_dispersion_makes_more_cells_quiet():
    assert quiet_share([0.3], 7, 2.0) > quiet_share([0.3], 7, 1e-9) == pytest.approx(quiet_share([0.3], 7), rel=1e-6)


def grocer():
    """Two stores, three products, four listed cells, one delisted on day 50; one sells daily, one sold long ago."""
    cells = pd.DataFrame({"store_id": [1, 1, 2, 2], "sku_id": [7, 8, 7, 9]})
    spans, sold = (
        [(0, 100), (0, 50), (0, 100), (90, 100)],
        [lambda d: 1, lambda d: 2, lambda d: d == 10, lambda d: d == 99],
    )
    rows = [
        (*cell, day, int(sells(day)))
        for cell, span, sells in zip(cells.itertuples(index=False), spans, sold, strict=True)
        for day in range(*span)
    ]
    return {
        "stores": pd.DataFrame({"store_id": [1, 2]}),
        "products": pd.DataFrame({"sku_id": [7, 8, 9]}),
        "cells": cells,
        "sales": pd.DataFrame(rows, columns=["store_id", "sku_id", "day", "sold"]),
    }


def test_cells_are_counted_as_by_hand():
    table = cells_that_exist(grocer())
    assert table["cells"].tolist() == [6, 4, 3, 2, 29 / 28]
    np.testing.assert_allclose(table["share_of_all"], np.array([6, 4, 3, 2, 29 / 28]) / 6)
    np.testing.assert_allclose(table["share_of_previous"].iloc[1:], [4 / 6, 3 / 4, 2 / 3, 29 / 56])
    assert cells_that_exist(grocer(), 1)["cells"].tolist() == [6, 4, 3, 2, 2]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: prompt_table(skus=0), "skus must be above 0, got 0; check its sign and unit."),
        (lambda: bytes_table({"rows": -1}), "numbers, 'rows' must be above 0, got -1; check its sign and unit."),
        (lambda: core_hours(10, 0), "rows_per_second must be above 0, got 0; check its sign and unit."),
        (lambda: batch_table(10, {"fit": 3}, float("nan")), "hours must be above 0, got nan; check its sign and unit."),
        (
            lambda: Job(efficiency=80),
            "Job, efficiency must be above 0 and at most 1, got 80; divide percentages by 100.",
        ),
        (lambda: Job(features=0), "Job, features must be above 0, got 0; check its sign and unit."),
        (lambda: cost_model(-1, 1, 1, 1), "cells must be above 0, got -1; check its sign and unit."),
        (lambda: quiet_share([-1]), "means_a_day must be numbers of 0 or more, got -1; check its sign."),
        (
            lambda: cells_that_exist(grocer() | {"sales": grocer()["sales"].head(0)}),
            "sales must be a table with at least one row, got no rows; check the filter or the join that made it.",
        ),
    ],
)
def test_bad_input_is_refused_in_one_sentence(make, text):
    with pytest.raises(ContractError, match=f"^{re.escape(text)}$"):
        make()
