"""One event in, one answer out: rules, state, model, tier, log, in the order of the architecture's diagram."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from casebook.contracts import ContractError, refuse
from casebook.fraud.feature_event import Event, read_event
from casebook.fraud.served_model import ServedModel
from casebook.fraud.service_event import Fields, check_same, read_report, read_scored
from casebook.fraud.service_log import DECISION, REPORT, DecisionLog, Line
from casebook.fraud.service_rules import RuleBook
from casebook.fraud.service_state import PAUSE, FollowingState, StateError, said
from casebook.fraud.state import FeatureState
from casebook.fraud.world import ACTIONS

ALLOW = ACTIONS[0]
_COUNTED = ("scored", "repeated", "refused", "fallback", "reports")


@dataclass(frozen=True)
class Decision:
    """The answer to one event.

    Attributes
    ----------
    event_id : int
    action : str
        One of ``ACTIONS``: of the rules' and the tier's the one with more friction.
    p : float or None
        Calibrated probability of fraud; None where the model was not asked or failed.
    tier : str or None
        The action that p alone asks for.
    reasons : list of str
        The rules that hold; then, unless the tier is to allow, the features that raised the score most.
    version : str
        The model's.
    fallback : str or None
        What failed and how, where the rules decided alone: ``"model: ..."`` or ``"state: ..."``.
    latency_ms : float
        From the call to the decision, before the log and the state took it.
    """

    event_id: int
    action: str
    p: float | None
    tier: str | None
    reasons: list[str]
    version: str
    fallback: str | None
    latency_ms: float


class Scorer:
    """The service without its web part.

    Parameters
    ----------
    state : FeatureState
        May hold a past that the log does not.
    model : ServedModel
    rules : RuleBook
    log : DecisionLog
        Read at the start: state and rules take from it what they lack.
    clock : callable
        Returns now in the world's seconds.
    pause : float
        Seconds for which a state that failed is not asked again.

    Notes
    -----
    An event is answered once. The same event again gets the first answer, whatever the state is by then; the same id
    with other content is refused. Whatever is refused leaves state, rules and log as they are.

    The answer's line is in the log before anybody gets the answer, and the state takes the event after that. So a
    crash between the two loses nothing, see :class:`casebook.fraud.service_state.FollowingState`.

    An event up to five minutes earlier than its card's last is answered as of its own second, from what has arrived
    by now; later answers are as if it had come in time, and answers already given stand (see
    :class:`casebook.fraud.state.FeatureState`). An earlier one is refused. While the state is down nobody knows the
    card's last event: such an event is answered by the rules, and the state leaves it out afterwards.

    One event at a time: another that came between features and update would miss this one.

    Examples
    --------
    >>> import lightgbm as lgb, numpy as np, pandas as pd, tempfile
    >>> from casebook.fraud.state import MemoryStore
    >>> event = {"event_id": 1, "at": 0, "card_id": 5, "merchant_id": 7, "amount_cents": 900, "currency": "USD"}
    >>> event |= {"channel": "online", "entry": "typed", "country": "US", "category": "digital"}
    >>> X = pd.DataFrame({"amount_cents": np.arange(200) * 500})
    >>> fitted = lgb.LGBMClassifier(n_estimators=3, n_jobs=1, verbose=-1).fit(X, X["amount_cents"] > 70_000)
    >>> model = ServedModel.of(fitted, "toy", cuts=(0.35, 0.9, 0.95))
    >>> folder = tempfile.TemporaryDirectory()
    >>> log = DecisionLog(f"{folder.name}/log.jsonl")
    >>> scorer = Scorer(FeatureState(MemoryStore()), model, RuleBook(), log, clock=lambda: 3_600)
    >>> small, large = scorer.score(event), scorer.score(event | {"event_id": 2, "amount_cents": 90_000})
    >>> small.action, large.action, large.reasons[0].split(" (")[0]
    ('allow', 'push', 'model: amount_cents = 90000')
    >>> scorer.score(event) == small, scorer.health()["counts"]["repeated"]
    (True, 1)
    >>> scorer.score(event | {"event_id": 3, "amount_cents": -900})
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: amount_cents must be a whole number from 1 to 2^50, got -900; mend it.
    >>> log.close(), folder.cleanup()
    (None, None)
    """

    def __init__(
        self,
        state: FeatureState,
        model: ServedModel,
        rules: RuleBook,
        log: DecisionLog,
        clock: Callable[[], int],
        *,
        pause: float = PAUSE,
    ) -> None:
        self.model, self.rules, self.log, self.clock = model, rules, log, clock
        self.state = FollowingState(state, log, pause)
        self.counts = Counter(dict.fromkeys(_COUNTED, 0))
        self._spec = state.spec
        self._model_down = ""
        self._lock = threading.Lock()
        for _, line in log.lines():
            self._tell_rules(line)

    def score(self, event: Mapping[str, Any]) -> Decision:
        """Answer an event.

        Parameters
        ----------
        event : mapping of str
            As in :func:`casebook.fraud.feature_event.read_event`.

        Returns
        -------
        Decision

        Raises
        ------
        ContractError
            A bad field, a time in the future or too long before the card's last event, an id that was used for
            another event. Nothing is changed.
        OSError
            The log cannot be written. Nothing is changed: no answer is given that could not be given again.
        """
        began = time.perf_counter()
        with self._lock:
            try:
                read, fields = read_scored(event, self._spec, self.clock())
                known = self.log.find(read.event_id)
                if known is not None:
                    return self._again(fields, known)
                decision = self._decide(read, fields, began)
            except ContractError:
                self.counts["refused"] += 1
                raise
            self._write({"kind": DECISION, "event": fields, "answer": asdict(decision)})
            self.counts["scored"] += 1
            self.counts["fallback"] += decision.fallback is not None
            return decision

    def report(self, event_id: int, reported_at: int) -> bool:
        """Take the report that an event was fraud.

        Parameters
        ----------
        event_id : int
            Of an event that was answered here, or that the state took before; the rules hear of the first kind only.
        reported_at : int
            Seconds.

        Returns
        -------
        bool
            False if it was reported before; then nothing changes.

        Raises
        ------
        ContractError
            An event that never came, a report before its event or in the future.
        OSError, StateError
            The log cannot be written, or a state that is down was to be asked for the event. Send it again later.
        """
        with self._lock:
            event_id, reported_at = read_report(event_id, reported_at, self.clock())
            if self.log.is_reported(event_id):
                return False
            known = self.log.find(event_id)
            if known is None:
                self.state.report(event_id, reported_at)
            elif reported_at < known["event"]["at"]:
                must = f"at or after its event's second {known['event']['at']}"
                refuse("reported_at", must, str(reported_at), "mend the time")
            self._write({"kind": REPORT, "event_id": event_id, "reported_at": reported_at})
            self.counts["reports"] += 1
            return True

    def health(self) -> dict[str, Any]:
        """Return how the service does.

        Returns
        -------
        dict
            ``status`` (``ok``, or ``rules only`` while model or state fail), ``model`` (name, version, cuts, and
            ``failed``: how, at the last event), ``state`` (``ok`` or what is wrong with it), ``log`` (decisions and
            reports in it) and ``counts`` since the start: scored, repeated, refused, fallback, reports, left_out.
        """
        with self._lock:
            state, model = self.state.status(), self.model
            told = {"name": model.name, "version": model.version, "cuts": list(model.cuts), "failed": self._model_down}
            return {
                "status": "ok" if state == "ok" and not self._model_down else "rules only",
                "model": told,
                "state": state,
                "log": {"decisions": self.log.decisions, "reports": self.log.reports},
                "counts": {**self.counts, "left_out": self.state.left_out},
            }

    def _again(self, fields: Fields, known: Line) -> Decision:
        check_same(fields, known["event"])
        self.counts["repeated"] += 1
        return Decision(**known["answer"])

    def _decide(self, read: Event, fields: Fields, began: float) -> Decision:
        action, reasons = self.rules.check(read)
        p, tier, why, fallback = self._modelled(fields)
        action = max(action, tier or ALLOW, key=ACTIONS.index)
        latency = round(1_000 * (time.perf_counter() - began), 3)
        return Decision(read.event_id, action, p, tier, reasons + why, self.model.version, fallback, latency)

    def _modelled(self, fields: Fields) -> tuple[float | None, str | None, list[str], str | None]:
        """Return p, its tier and its reasons, or what failed."""
        try:
            features = self.state.features(fields)
        except StateError as error:
            return None, None, [], f"state: {error}"
        try:
            p = self.model.p(features)
            tier = self.model.tier(p)
            why = [] if tier == ALLOW else self.model.reasons(features)
        except Exception as error:
            self._model_down = said(error)
            return None, None, [], f"model: {self._model_down}"
        self._model_down = ""
        return p, tier, why, None

    def _write(self, line: Line) -> None:
        start = self.log.end
        self.log.append(line)
        self._tell_rules(line)
        self.state.take_last(line, start)

    def _tell_rules(self, line: Line) -> None:
        if line["kind"] == DECISION:
            self.rules.take(read_event(line["event"], self._spec))
            return
        known = self.log.find(line["event_id"])
        if known is not None:
            self.rules.report(known["event"]["card_id"], known["event"]["merchant_id"], line["reported_at"])
