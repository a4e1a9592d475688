"""Print as JSON what spotify-confidence says of the table; run by an interpreter that has it, see make_peers.py."""

import json
import sys
from importlib.metadata import version

LOOKS = (0.2, 0.45, 0.7, 1.0)
RATES = ((0.10, 0.01), (0.05, 0.005), (0.20, -0.02))  # of the control, and the change to be seen
MEANS = ((40.0, 2.0), (3.0, -0.25))  # standard deviation, and the change to be seen
WEIGHTS = {"equal": (1, 1), "unequal": (6, 4)}  # control, treated


def answers(path):
    import pandas as pd

    table = pd.read_parquet(path)
    minutes, converted = _sums(table, "minutes"), _sums(table, "converted")
    t_test, z_test = _tester("StudentsTTest"), _tester("ZTest")
    return {
        "mean": {"t": _effects(t_test, minutes), "z": _effects(z_test, minutes)},
        "proportion": {"t": _effects(t_test, converted), "z": _effects(z_test, converted)},
        "impressions as if independent": _effects(z_test, _impressions(table))["absolute"],
        "cuped": _effects(_linreg, _cuped_sums(table)),
        "srm": _srm(t_test, minutes),
        "looks": {f"{sides} sides": _looks(table, sides) for sides in (2, 1)},
        "sample size": {
            f"{sides} sides": {name: _sizes(weights, sides) for name, weights in WEIGHTS.items()} for sides in (2, 1)
        },
    }


def _sums(table, column):
    squares = table.assign(y=table[column].astype(float), yy=table[column].astype(float) ** 2, n=1)
    return squares.groupby("arm", as_index=False)[["y", "yy", "n"]].sum()


def _impressions(table):
    # The engine divides a numerator by a count of rows. A click is 0 or 1, hence its own square.
    sums = table.groupby("arm", as_index=False)[["clicks", "impressions"]].sum()
    return sums.assign(y=sums["clicks"].astype(float), yy=sums["clicks"].astype(float), n=sums["impressions"])


def _cuped_sums(table):
    parts = table.assign(x=table["minutes_before"], xx=table["minutes_before"] ** 2)
    parts = parts.assign(xy=table["minutes"] * table["minutes_before"]).groupby("arm", as_index=False)
    return _sums(table, "minutes").merge(parts[["x", "xx", "xy"]].sum(), on="arm")


def _tester(name):
    import spotify_confidence

    return lambda sums: getattr(spotify_confidence, name)(sums, "y", "yy", "n", "arm")


def _linreg(sums):
    from spotify_confidence import ZTestLinreg

    return ZTestLinreg(sums, "y", "yy", "n", "x", "xx", "xy", "arm")


def _effects(test, sums):
    kinds = {"absolute": True, "relative": False}
    asked = {kind: test(sums).difference("control", "new", absolute=flag, verbose=True) for kind, flag in kinds.items()}
    found = {kind: _read(frame) for kind, frame in asked.items()}
    del found["relative"]["se"]  # the engine leaves it absolute
    return found


def _read(frame):
    row = frame.iloc[0]
    names = {"estimate": "difference", "low": "ci_lower", "high": "ci_upper", "se": "std_err", "p": "p-value"}
    return {ours: float(row[theirs]) for ours, theirs in names.items()}


def _srm(test, sums):
    import pandas as pd

    three = pd.DataFrame({"arm": ["new", "control", "rest"], "y": 1.0, "yy": 2.0, "n": [4_700, 5_200, 90_100]})
    designed = {"new": 0.05, "control": 0.05, "rest": 0.9}
    return {
        "table": float(test(sums).sample_ratio_test({"new": 0.4, "control": 0.6})[0]),
        "three arms": float(test(three).sample_ratio_test(designed)[0]),
    }


def _looks(table, sides):
    """Return the looks at the first users, the next and so on, with what the engine takes as critical z."""
    import pandas as pd
    from spotify_confidence import ZTest

    parts = [_sums(table.iloc[: int(share * len(table))], "minutes").assign(look=i) for i, share in enumerate(LOOKS)]
    looks = pd.concat(parts).assign(final=len(table))
    test = ZTest(looks, "y", "yy", "n", ["arm"], ordinal_group_column="look")
    words = {} if sides == 2 else {"non_inferiority_margins": (None, "increase")}
    final = {"final_expected_sample_size_column": "final", "verbose": True}
    found = test.difference("control", "new", True, "look", **final, **words)
    critical = (found["difference"] - found["adjusted ci_lower"]) / found["std_err"]
    return {"shares": list(LOOKS), "critical": critical.astype(float).tolist()}


def _sizes(weights, sides):
    """Return units in all: two-sided the engine plans for a rise, one-sided for a change the way it is told."""
    found = {"rates": [], "means": []}
    for rate, change in RATES:
        found["rates"].append(_size(rate, rate * (1 - rate), change, True, weights, sides))
    for sd, change in MEANS:
        found["means"].append(_size(100.0, sd**2, change, False, weights, sides))
    return found


def _size(average, variance, change, binary, weights, sides):
    import pandas as pd
    from spotify_confidence import SampleSizeCalculator

    way = None if sides == 2 else "increase" if change > 0 else "decrease"
    row = {"metric": "m", "avg": average, "var": variance, "binary": binary}
    plan = pd.DataFrame([row | {"mde": abs(change) / average, "nim": None, "way": way}])
    calculator = SampleSizeCalculator(plan, "avg", "var", "binary", metric_column="metric", power=0.8)
    return int(calculator.sample_size(weights, "mde", "nim", "way")["required_sample_size_for_metric"].iloc[0])


if __name__ == "__main__":
    print(json.dumps({"version": version("spotify-confidence"), **answers(sys.argv[1])}))
