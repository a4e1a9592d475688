"""Small random logs of card events for the tests of the features, made without the room's simulator."""

import numpy as np
import pandas as pd
import pytest

ENTRIES = ("chip", "contactless", "magstripe", "wallet", "typed", "threeds", "app")
CHANNELS = ("terminal",) * 4 + ("online",) * 2 + ("app",)


def frame_of(at, card, merchant, terminal, device, cents, entry, country, place):
    """Put columns of codes together as the table ``events``; what the entry hides becomes -1 or NaN."""
    at, entry = np.asarray(at, dtype=np.int64), np.asarray(entry)
    at_terminal, with_device = entry < 4, entry >= 5
    x = np.where(at_terminal, np.asarray(place, dtype=float), np.nan)
    return pd.DataFrame(
        {
            "event_id": np.arange(len(at)) + 10,
            "at": at,
            "card_id": np.asarray(card, dtype=np.int64),
            "merchant_id": np.asarray(merchant, dtype=np.int64),
            "terminal_id": np.where(at_terminal, terminal, -1),
            "device_id": np.where(with_device, device, -1),
            "amount_cents": np.asarray(cents, dtype=np.int64),
            "channel": pd.Categorical.from_codes(np.array([0, 0, 0, 0, 1, 1, 2])[entry], ["terminal", "online", "app"]),
            "entry": pd.Categorical.from_codes(entry, list(ENTRIES)),
            "currency": "USD",
            "country": np.array(["US", "CA", "FR"])[np.asarray(country)],
            "category": np.array(["grocery", "fuel", "an unknown word"])[np.asarray(merchant) % 3],
            "x_km": x,
            "y_km": x / 3,
        }
    )


def draw_log(rng, n, days=40.0, cards=20, merchants=12, repeat=0.1):
    """Draw events and reports; a share ``repeat`` of the events falls into the second of the one before."""
    at = np.sort(rng.integers(0, int(days * 86_400), n))
    for row in np.flatnonzero(rng.random(n) < repeat):
        at[row] = at[max(row - 1, 0)]
    merchant = rng.integers(0, merchants, n)
    terminal = 2 * merchant + rng.integers(0, 2, n)
    many = {"card": rng.integers(0, cards, n), "device": rng.integers(0, cards, n)}
    events = frame_of(
        np.sort(at), many["card"], merchant, terminal, many["device"], rng.integers(1, 90_000, n),
        rng.integers(0, 7, n), rng.integers(0, 3, n), rng.uniform(-500, 500, n),
    )  # fmt: skip
    told = np.sort(rng.choice(n, n // 8, replace=False))
    delay = rng.integers(0, 10 * 86_400, len(told))
    reports = pd.DataFrame({"event_id": told + 10, "reported_at": events["at"].to_numpy()[told] + delay})
    return events, reports


@pytest.fixture(scope="session")
def logs():
    """Return the function that draws a log."""
    return draw_log


@pytest.fixture(scope="session")
def frames():
    """Return the function that puts a log together from columns."""
    return frame_of


@pytest.fixture(scope="session")
def toy_model():
    """Return a small model of all features, fitted on a random log in which large sums at new merchants are fraud."""
    import lightgbm as lgb

    from casebook.fraud.features import build
    from casebook.fraud.served_model import ServedModel

    rng = np.random.default_rng(0)
    events, reports = draw_log(rng, 3_000, cards=60, merchants=400)
    X = build(events, reports)
    y = rng.random(len(X)) < np.where((X["amount_cents"] > 60_000) & (X["new_merchant"] == 1), 0.6, 0.02)
    fitted = lgb.LGBMClassifier(n_estimators=20, num_leaves=8, n_jobs=1, verbose=-1).fit(X, y)
    return ServedModel.of(fitted, "toy", cuts=(0.1, 0.3, 0.9))
