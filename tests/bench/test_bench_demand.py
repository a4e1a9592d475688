"""The grocer's bench at a toy size: what is measured and under which name, never how fast the machine is."""

from __future__ import annotations

import pytest

from casebook.demand.origins import HORIZONS
from tools import bench, bench_demand

pytestmark = pytest.mark.slow

STORES, SKUS, DAYS, TREES = 6, 10, 182, 3


@pytest.fixture(scope="module")
def rows():
    pytest.importorskip("distributed")
    return [bench.Row(*row) for row in bench_demand.measured(STORES, SKUS, DAYS, TREES)]


def number(row, after):
    return int(row.name.partition(after)[2].split()[0].replace(",", ""))


def test_every_step_is_measured_under_a_name_that_says_its_size(rows):
    sold, built, learnt = number(rows[0], "write_parquet, "), number(rows[5], "parquet, "), number(rows[16], "fit, ")
    assert sold > built > learnt > 1_000
    world, whole = f"write_parquet, {sold:,} rows of sales", f"{built:,} rows"
    both = f"features, fit of one quantile, forecasts, {whole}, 2 threads"
    steps = [("features", built), ("fit", learnt), ("predict", built)]
    names = [
        (world, "rows/s"),
        (f"{world}, time", "s"),
        (f"{world}, CPU time", "s"),
        (f"{world}, peak memory", "MB"),
        (f"{world}, size of the sales", "MB"),
        (f"build_from_parquet, {whole}, 2 threads, time", "s"),
        (f"build_from_parquet, {whole}, CPU time", "s"),
        (f"BoostedQuantiles.fit, {whole}, 3 trees, time", "s"),
        (f"BoostedQuantiles.fit, {whole}, CPU time", "s"),
        (f"forecasts from file to file, {whole}, time", "s"),
        ("the same, by CPU time", "rows/s a core"),
        (f"{both}, time", "s"),
        (f"{both}, CPU time", "s"),
        (f"{both}, peak memory", "MB"),
    ]
    for way in ("one process", "Dask, 1 worker", "Dask, 2 workers"):
        names += [(f"{way}: start", "s")] if way.startswith("Dask") else []
        for step, size in steps:
            names.append((f"{way}: {step}, {size:,} rows", "rows/s"))
            names.append((f"{way}: {step}, {size:,} rows, by CPU time", "rows/s a core"))
    assert [(row.name, row.unit) for row in rows] == names
    assert all(row.value > 0 for row in rows)


def test_the_whole_is_the_sum_of_its_steps(rows):
    seconds = [row.value for row in rows[:14] if row.name.endswith(" time") and row.unit == "s"]
    wall, cpu = seconds[2:7:2], seconds[3:7:2]
    assert seconds[7] == pytest.approx(sum(wall))
    assert seconds[8] == pytest.approx(sum(cpu) + number(rows[5], "parquet, ") / rows[10].value)
    assert rows[0].value == pytest.approx(number(rows[0], "write_parquet, ") / rows[1].value)


def test_the_sizes_of_the_real_run_are_those_promised():
    assert (bench_demand.FULL_STORES, bench_demand.FULL_SKUS) == (24, 660)
    assert (bench_demand.TREES, bench_demand.THREADS, bench_demand.WORKERS) == (150, 2, (1, 2))
    last = bench_demand.origins_of(DAYS)[-1]
    assert last + max(HORIZONS) < DAYS <= last + 7 + max(HORIZONS)
