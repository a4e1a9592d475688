"""What each of the four actions costs on an honest event and on a fraud, as a bank expects it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.outcomes import DENIED, loss_if_passed, pass_shares
from casebook.fraud.stakes import SHRINK, Stakes
from casebook.fraud.world import ACTIONS, ALL_KINDS, CHANNELS, ENTRIES, Friction, World

Dollars = npt.NDArray[np.float64]
Share = float | Mapping[str, float]


@dataclass(frozen=True)
class Asking:
    """What a bank believes of its pushes and calls, as shares; it may be wrong.

    Parameters
    ----------
    push_pass, call_pass : float or mapping of str to float
        Share that a fraudster passes; one number, or one for each of ``ENTRIES``.
    push_confirm, call_confirm : float
        Share that an honest holder confirms in time.
    push_slip, call_slip : float
        Share that he denies by mistake, which stops his card.
    denied : float
        Share of what the fraudster does not pass that the holder denies, which stops the card; the rest is unanswered,
        and the episode goes on.

    Raises
    ------
    ContractError
        What is no share, or a mapping without one of ``ENTRIES``.

    Examples
    --------
    >>> Asking(push_pass=8)
    Traceback (most recent call last):
    ...
    casebook.contracts.ContractError: Asking, push_pass must be in [0, 1], got 8; divide percentages by 100.
    """

    push_pass: Share = 0.2
    push_confirm: float = 0.85
    push_slip: float = 0.004
    call_pass: Share = 0.1
    call_confirm: float = 0.7
    call_slip: float = 0.002
    denied: float = DENIED

    def __post_init__(self) -> None:
        for part in fields(self):
            value = getattr(self, part.name)
            if isinstance(value, Mapping) and (missing := [name for name in ENTRIES if name not in value]):
                refuse(f"Asking, {part.name}", f"a share for {missing[0]!r}", "none", "give one for each of ENTRIES")
            shares = np.array(list(value.values()) if isinstance(value, Mapping) else [value], float)
            if not ((shares >= 0) & (shares <= 1)).all():
                refuse(f"Asking, {part.name}", "in [0, 1]", str(value), "divide percentages by 100")

    @classmethod
    def of(cls, world: World) -> Asking:
        """Return what a bank believes that knows its world, but not which kind of fraud an event would be.

        A pass share is that of all kinds, weighted by the attempts they make.

        Examples
        --------
        >>> round(Asking.of(World(push_pass=0.08)).push_pass, 2)
        0.2
        """
        mix = world.shares(0)
        passed = {way: float(mix @ pass_shares(getattr(world, way))) for way in ("push_pass", "call_pass")}
        same = {name: getattr(world, name) for name in ("push_confirm", "push_slip", "call_confirm", "call_slip")}
        return cls(**passed, **same)

    def learned(self, world: World, cases: pd.DataFrame) -> Asking:
        """Return the same beliefs with a pass share for each entry mode, from what investigators say of past cases.

        A scheme asks for the type of every fraud that is reported to it; so a bank knows which kinds come by which
        entry mode, and that who has taken an account over holds the phone as well.

        Parameters
        ----------
        world : World
            For the pass share of each kind.
        cases : pandas.DataFrame
            One row a reported fraud: ``kind`` and ``entry``, words of ``ALL_KINDS`` and ``ENTRIES``.

        Returns
        -------
        Asking
            An entry mode with few cases is drawn to the one number for all.

        Examples
        --------
        >>> cases = pd.DataFrame({"kind": ["account_takeover"] * 200, "entry": ["app"] * 200})
        >>> learned = Asking.of(World()).learned(World(), cases)
        >>> {name: round(share, 2) for name, share in learned.push_pass.items()}["app"]
        0.57
        """
        entry = pd.Index(ENTRIES).get_indexer(pd.Index(cases["entry"].astype(str)))
        kind = pd.Index(ALL_KINDS).get_indexer(pd.Index(cases["kind"].astype(str)))
        if (entry < 0).any() or (kind < 0).any():
            refuse("cases", "kinds and entry modes of the world", "another word", "use ALL_KINDS and ENTRIES")
        count, learned = np.bincount(entry, minlength=len(ENTRIES)), {}
        for way in ("push_pass", "call_pass"):
            total = np.bincount(entry, pass_shares(getattr(world, way))[kind], len(ENTRIES))
            drawn = (total + SHRINK * _by_entry(getattr(self, way))) / (count + SHRINK)
            learned[way] = dict(zip(ENTRIES, drawn.tolist(), strict=True))
        return replace(self, **learned)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Prices:
    """All that a bank needs to price an action on an event.

    Parameters
    ----------
    costs : Friction
    asking : Asking
    stakes : Stakes

    Examples
    --------
    >>> prices = Prices(Friction(), Asking(), Stakes(sale=60.0, loss=170.0, rest=180.0))
    >>> prices.mean_table().round(2)
           if_negative  if_positive
    allow         0.00        350.0
    push          0.20        113.2
    call          6.28         83.6
    block        15.90          0.0
    """

    costs: Friction
    asking: Asking
    stakes: Stakes

    def table(self, sale: float, loss: float, rest: float | None = None, entry: str | None = None) -> pd.DataFrame:
        """Return what each action costs on one event, for :func:`casebook.decisions.lower_envelope`.

        Parameters
        ----------
        sale : float
            Amount on which the bank earns its margin; 0 for a transfer.
        loss : float
            What the event costs if it is a fraud and passes.
        rest : float, optional
            What later frauds on the card cost if it is not stopped; by default the mean of the entry mode, or of all.
        entry : str, optional
            For pass shares and rest of one entry mode; by default those of the reported frauds' mix.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``ACTIONS``; ``if_negative`` and ``if_positive``, dollars.
        """
        weights = np.array(self.stakes.shares) if entry is None else np.eye(len(ENTRIES))[ENTRIES.index(entry)]
        left = float(np.average(self.stakes.by_entry("rest"), weights=weights)) if rest is None else rest
        passed = np.average(self._pass_shares(), axis=1, weights=weights)[:, None]
        return self._table(sale, self._if_fraud(np.array([loss]), np.array([left]), passed)[0])

    def mean_table(self) -> pd.DataFrame:
        """Return :meth:`table` at the mean sale, and on a fraud the mean over the reported frauds' entry modes."""
        positive = self._if_fraud(self.stakes.by_entry("loss"), self.stakes.by_entry("rest"), self._pass_shares())
        return self._table(self.stakes.sale, np.average(positive, axis=0, weights=self.stakes.shares))

    def _table(self, sale: float, positive: Dollars) -> pd.DataFrame:
        negative = self._if_honest(np.array([sale]))[0]
        return pd.DataFrame({"if_negative": negative, "if_positive": positive}, index=list(ACTIONS))

    def of(self, events: pd.DataFrame) -> tuple[Dollars, Dollars]:
        """Return what each action costs on each event if it is honest and if it is a fraud, both of shape (n, 4).

        Parameters
        ----------
        events : pandas.DataFrame, n rows
            ``amount_cents``, ``entry`` and ``channel``.
        """
        entry, channel = (events[name].cat.codes.to_numpy().astype(np.int8) for name in ("entry", "channel"))
        cents = events["amount_cents"].to_numpy()
        loss = loss_if_passed(self.costs, cents, entry, channel)
        sale = np.where(channel == CHANNELS.index("app"), 0.0, cents / 100)
        rest, passed = self.stakes.by_entry("rest")[entry], self._pass_shares()[:, entry]
        return self._if_honest(sale), self._if_fraud(loss, rest, passed)

    def _if_honest(self, sale: Dollars) -> Dollars:
        """Return the cost of each action on honest events, shape (n, 4)."""
        costs, asking = self.costs, self.asking
        stop = costs.reissue + costs.margin * self.stakes.lost_sales
        margin = costs.margin * sale
        push = costs.push + margin * (1 - asking.push_confirm) + stop * asking.push_slip
        call = costs.call + margin * (1 - asking.call_confirm) + stop * asking.call_slip
        return np.column_stack([np.zeros(len(sale)), push, call, costs.block + margin + stop])

    def _if_fraud(self, loss: Dollars, rest: Dollars, passed: Dollars) -> Dollars:
        """Return the cost of each action on frauds, shape (n, 4); ``passed`` has a row for pushes and one for calls."""
        stop = np.full(len(loss), self.costs.margin * self.stakes.lost_sales)
        unanswered = (1 - passed) * (1 - self.asking.denied)
        denied = (1 - passed) * self.asking.denied
        push, call = passed * (loss + rest) + unanswered * rest + denied * stop
        return np.column_stack([loss + rest, push, call, stop])

    def _pass_shares(self) -> Dollars:
        """Return pass shares of pushes and of calls by entry mode, shape (2, 7)."""
        return np.array([_by_entry(self.asking.push_pass), _by_entry(self.asking.call_pass)])


def _by_entry(share: Share) -> npt.NDArray[Any]:
    if isinstance(share, Mapping):
        return np.array([share[name] for name in ENTRIES], float)
    return np.full(len(ENTRIES), float(share))
