"""Small random feature frames: the ids, a few features, and a target with a weekday, a SKU and noise."""

import numpy as np
import pandas as pd


def frame(seed=0, weeks=20, stores=3, skus=8, start=0):
    """Random rows with the ids and a few features; y has a weekday, a SKU and noise."""
    rng = np.random.default_rng(seed)
    origin = start + 6 + 7 * np.arange(weeks)
    store, sku, origin, horizon = np.meshgrid(range(stores), range(skus), origin, range(4, 11), indexing="ij")
    X = pd.DataFrame({"store_id": store.ravel(), "sku_id": sku.ravel(), "origin": origin.ravel()})
    X["horizon"] = horizon.ravel()
    X["day"] = X["origin"] + X["horizon"]
    level = 2 + 3 * (X["sku_id"] % 4) + 2 * (X["day"] % 7 >= 5)
    X["y"] = rng.poisson(level).astype(float)
    X["last_same_weekday"] = rng.poisson(level).astype(np.float32)
    X["mean_28"] = (level + rng.normal(0, 0.3, len(X))).astype(np.float32)
    X["weekday"] = (X["day"] % 7).astype(np.float32)
    X["category_code"] = (X["sku_id"] % 3).astype(np.float32)
    return X
