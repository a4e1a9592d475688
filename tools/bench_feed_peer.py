"""Time gbstats on the bench's Parquet file; run by an interpreter that has it, see ``tools.bench``."""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version
from typing import Any


def main(path: str, metrics: int) -> dict[str, Any]:
    """Return the seconds of each metric's sums with one covariate, by pandas, and of the effects out of the sums."""
    import numpy as np
    import pandas as pd

    effect(*[adjusted(np.arange(9.0), np.arange(9.0) ** 2)] * 2)  # what is imported late is imported now
    start = time.perf_counter()
    arms = pd.read_parquet(path, columns=["arm", "before_0"])
    sides = [(arms["arm"] == name).to_numpy() for name in ("control", "new")]
    before = [arms["before_0"].to_numpy(dtype=np.float64)[rows] for rows in sides]
    sums = []
    for i in range(metrics):
        values = pd.read_parquet(path, columns=[f"metric_{i}"])[f"metric_{i}"].to_numpy(dtype=np.float64)
        sums.append([adjusted(values[rows], x) for rows, x in zip(sides, before, strict=True)])
    middle = time.perf_counter()
    for control, treated in sums:
        effect(control, treated)
    end = time.perf_counter()
    return {"version": version("gbstats"), "moments": middle - start, "effects": end - middle}


def adjusted(y: Any, x: Any) -> Any:
    """Return an arm's sums as the engine wants them."""
    from gbstats.models.statistics import (  # type: ignore[import-not-found]
        RegressionAdjustedStatistic,
        SampleMeanStatistic,
    )

    post, pre = (SampleMeanStatistic(len(v), float(v.sum()), float(v @ v)) for v in (y, x))
    return RegressionAdjustedStatistic(len(y), post, pre, float(y @ x), theta=0)


def effect(control: Any, treated: Any) -> Any:
    """Return the engine's difference with its interval."""
    from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest  # type: ignore[import-not-found]

    return TwoSidedTTest(control, treated, FrequentistConfig(difference_type="absolute")).compute_result()


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1], int(sys.argv[2]))))
