"""A toy trial of which both potential outcomes are known."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest


@dataclass(frozen=True)
class Toy:
    X: pd.DataFrame
    y: np.ndarray
    treated: np.ndarray
    tau: np.ndarray
    y_if_treated: np.ndarray
    y_if_left: np.ndarray


def make_toy(seed: int, n: int, effect: float = 1.0) -> Toy:
    """Four columns; risk comes from `risk`, the effect (-0.10 to 0.30 times `effect`) from `lever`."""
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.uniform(-1, 1, (n, 4)), columns=["risk", "lever", "noise", "more_noise"])
    tau = effect * (0.1 + 0.2 * X["lever"].to_numpy())
    base = 0.4 + 0.2 * X["risk"].to_numpy()
    luck = rng.random(n)
    left, helped = (luck < base).astype(int), (luck < base + tau).astype(int)
    treated = rng.random(n) < 0.5
    return Toy(X, np.where(treated, helped, left), treated, tau, helped, left)


@pytest.fixture(scope="session")
def toy() -> Callable[..., Toy]:
    return make_toy
