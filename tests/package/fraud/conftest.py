"""Small random logs of card events for the tests of the features, made without the room's simulator."""

import copy

import numpy as np
import pandas as pd
import pytest

from casebook.fraud.rules import Rules
from casebook.fraud.scorer import Scorer
from casebook.fraud.service_log import DecisionLog
from casebook.fraud.service_rules import RuleBook
from casebook.fraud.state import FeatureState, MemoryStore

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


class FailingStore(MemoryStore):
    """A store that raises what it is told to, before its next calls."""

    def __init__(self):
        super().__init__()
        self.error, self.fails, self.trips = None, ("get", "put"), 0

    def _trip(self, kind):
        self.trips += 1
        if self.error is not None and kind in self.fails:
            raise self.error

    def get(self, keys):
        self._trip("get")
        return super().get(keys)

    def put(self, values):
        self._trip("put")
        super().put(values)


class FailingModel:
    """A model that raises while it is told to, and else asks the one it was made of."""

    def __init__(self, model):
        self.model, self.error = model, None

    def __getattr__(self, name):
        return getattr(self.model, name)

    def p(self, features):
        if self.error is not None:
            raise self.error
        return self.model.p(features)


class Bank:
    """Scorers on one log and one store, begun anew as often as asked."""

    def __init__(self, model, path):
        self.model, self.path, self.store = FailingModel(model), path, FailingStore()
        self.log = self.scorer = None
        self.now = 200 * 86_400

    def start(self, **settings):
        self.close()
        self.log = DecisionLog(self.path)
        state, rules = FeatureState(self.store), RuleBook(Rules(card_days=3))
        settings = {"pause": 0.0} | settings
        self.scorer = Scorer(state, self.model, rules, self.log, lambda: self.now, **settings)
        return self.scorer

    def close(self):
        if self.log is not None:
            self.log.close()

    def snapshot(self):
        """Return all that a refusal must leave as it is."""
        memory = {name: value for name, value in vars(self.scorer.rules).items() if name.startswith("_")}
        return dict(self.store.values), self.path.read_bytes(), copy.deepcopy(memory)


@pytest.fixture
def new_bank(toy_model, tmp_path):
    """Return a function that makes a bank with a log of its own; it is not started."""
    made = []

    def make():
        made.append(Bank(toy_model, tmp_path / f"log-{len(made)}.jsonl"))
        return made[-1]

    yield make
    for bank in made:
        bank.close()


@pytest.fixture
def bank(new_bank):
    """Return a bank with a started scorer."""
    made = new_bank()
    made.start()
    return made


@pytest.fixture(scope="session")
def rows():
    """Return 400 events of few cards, in order, as requests."""
    events, _ = draw_log(np.random.default_rng(21), 400, days=3.0, cards=12, merchants=60)
    return events.to_dict("records")


@pytest.fixture(scope="session")
def recorded_run():
    """Return a small bank under its rules with ample fraud, and the recorder of its features."""
    from casebook.fraud.recorder import Recorded
    from casebook.fraud.rules import Rules
    from casebook.fraud.simulate import simulate
    from casebook.fraud.world import World

    recorder = Recorded.watching(Rules())
    world = World(prevalence=0.02, delay_days=3.0)
    return simulate(world, 800, 45, np.random.default_rng(5), recorder), recorder


@pytest.fixture(scope="session")
def recorded_evidence(recorded_run):
    """Return the same as the evidence of an evaluation."""
    from casebook.fraud.protocol import Evidence

    run, recorder = recorded_run
    return Evidence(recorder.features, run.tables, run.truth.events["fraud"].to_numpy())
