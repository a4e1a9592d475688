"""A small shop for the tests of the weekly job: a stub of a model, its features, a run, and what it wrote."""

import json

import pandas as pd
from scipy import stats

from casebook.demand.operate import weekly_job
from casebook.demand.overrides import Override

ORIGIN = 83
NAME = "2023-03-26"
ENOUGH = 600  # more points than a run has
STEPS = ("read", "features", "forecast", "overrides", "orders", "report", "timing")
FAIR = Override(ORIGIN + 5, ORIGIN + 6, "multiply", 3.0, "street fair", "Ada", ORIGIN - 3, ORIGIN + 6, store_id=0)


class Stub:
    """A model that knows only the horizon and the store: gamma quantiles."""

    def predict(self, X, taus):
        mean = 2.0 + X["store_id"].to_numpy() + X["horizon"].to_numpy() / 10
        return pd.DataFrame({tau: stats.gamma.ppf(tau, 4, scale=mean / 4) for tau in taus}, index=X.index)


def build(tables, origins, horizons):
    """Every cell, origin and horizon; nothing else."""
    cells = tables["cells"][["store_id", "sku_id"]]
    when = pd.MultiIndex.from_product([origins, horizons], names=["origin", "horizon"]).to_frame(index=False)
    return cells.merge(when, how="cross").assign(day=lambda frame: frame["origin"] + frame["horizon"])


def save(tables, folder):
    folder.mkdir(exist_ok=True, parents=True)
    for name, frame in tables.items():
        frame.to_parquet(folder / f"{name}.parquet")
    return folder


def run(data, folder, **options):
    options = {"model": Stub(), "build_features": build, **options}
    return weekly_job(data, folder, ORIGIN, **options)


def tree(folder, timing=False):
    """Everything under a folder but the audit, and but the one file that says how long it took, and its digest."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.name == "audit.jsonl" or (path.name == "timing.json" and not timing):
            continue
        raw = path.read_bytes() if path.is_file() else None
        if path.name == "manifest.json" and not timing:
            manifest = json.loads(raw)
            manifest["outputs"] = [one for one in manifest["outputs"] if one["step"] != "timing"]
            raw = manifest
        found[name] = raw
    return found
