"""Print as JSON what gbstats says of the table; run by an interpreter that has it, see make_peers.py."""

import json
import sys
from importlib.metadata import version

TUNINGS = (1_000, 5_000, 20_000)


def answers(path):
    import pandas as pd

    table = pd.read_parquet(path)
    arms = table[table["arm"] == "control"], table[table["arm"] == "new"]
    metrics = {"mean": _mean, "proportion": _proportion, "ratio": _ratio, "cuped": _cuped}
    found = {}
    for name, statistic in metrics.items():
        found[name] = {kind: _fixed([statistic(arm) for arm in arms], kind) for kind in ("absolute", "relative")}
    found["sequential"] = {str(tuning): _sequential([_mean(arm) for arm in arms], tuning) for tuning in TUNINGS}
    return found | {"srm": _srm([len(arm) for arm in arms])}


def _sums(values):
    values = values.astype(float)
    return {"n": len(values), "sum": float(values.sum()), "sum_squares": float((values**2).sum())}


def _mean(arm, column="minutes"):
    from gbstats.models.statistics import SampleMeanStatistic

    return SampleMeanStatistic(**_sums(arm[column]))


def _proportion(arm):
    from gbstats.models.statistics import ProportionStatistic

    return ProportionStatistic(n=len(arm), sum=float(arm["converted"].sum()))


def _ratio(arm):
    from gbstats.models.statistics import RatioStatistic

    product = float((arm["clicks"].astype(float) * arm["impressions"]).sum())
    return RatioStatistic(len(arm), _mean(arm, "clicks"), _mean(arm, "impressions"), product)


def _cuped(arm):
    from gbstats.models.statistics import RegressionAdjustedStatistic

    product = float((arm["minutes"] * arm["minutes_before"]).sum())
    return RegressionAdjustedStatistic(len(arm), _mean(arm), _mean(arm, "minutes_before"), product, theta=0)


def _fixed(pair, kind):
    from gbstats.frequentist.tests import FrequentistConfig, TwoSidedTTest

    test = TwoSidedTTest(*pair, FrequentistConfig(difference_type=kind))
    theta = {"theta": test.stat_b.theta} if hasattr(test.stat_b, "theta") and kind == "absolute" else {}
    return _read(test.compute_result()) | theta


def _sequential(pair, tuning):
    from gbstats.frequentist.tests import SequentialConfig, SequentialTwoSidedTTest

    config = SequentialConfig(difference_type="absolute", sequential_tuning_parameter=tuning)
    return _read(SequentialTwoSidedTTest(*pair, config).compute_result())


def _read(result):
    low, high = map(float, result.ci)
    numbers = {"estimate": result.expected, "low": low, "high": high, "se": result.uplift.stddev, "p": result.p_value}
    return {name: float(value) for name, value in numbers.items()}


def _srm(counts):
    from gbstats.utils import check_srm

    return {
        "table": float(check_srm(counts, [0.6, 0.4])),
        "three arms": float(check_srm([4_700, 5_200, 90_100], [0.05, 0.05, 0.9])),
    }


if __name__ == "__main__":
    print(json.dumps({"version": version("gbstats"), **answers(sys.argv[1])}))
