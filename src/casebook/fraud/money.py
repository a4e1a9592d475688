"""What policies cost, played from the same past: losses, friction and its parts, and the source's ratio beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.branch import Past
from casebook.fraud.day_features import Decide
from casebook.fraud.morning import Policy
from casebook.fraud.outcomes import ALLOW, BLOCK, CALL, DECLINED, PUSH, STOPPED
from casebook.fraud.policies import Predicts, by_model, oracle
from casebook.fraud.simulate import Run
from casebook.fraud.tiers import Tiers
from casebook.fraud.world import DAY
from casebook.worlds import Interval, captured, paired_interval

NOTHING, ORACLE = "nothing", "oracle"
FRICTION = ("push", "call", "block", "stopped")
MILLION = 1_000_000


@dataclass(frozen=True)
class Ledger:
    """Policies that went on from one past.

    Attributes
    ----------
    table : pandas.DataFrame
        One row a policy. Dollars per million honest events: ``loss``, ``friction``, its parts ``push``, ``call``,
        ``block`` and ``stopped`` (sales on cards that were stopped before), ``net`` = ``loss`` + ``friction``,
        ``blocked_dollars``. Then ``ratio`` (blocked dollars per dollar of friction), ``fpr`` (share of honest events
        that are asked about or refused), ``captured`` (share of what the oracle saves against doing nothing). A day:
        ``pushes``, ``calls``, ``complaints`` (honest events blocked), ``stopped_holders`` (cards stopped by an honest
        event). Counts: ``attempts`` that arrived and ``passed``.
    daily : pandas.DataFrame
        ``net`` of each day in dollars, not scaled; one column a policy.
    events : int
        Honest events played.
    """

    table: pd.DataFrame
    daily: pd.DataFrame
    events: int

    def against(self, policy: str, other: str, level: float = 0.95) -> Interval:
        """Return how much less a policy costs than another, dollars a day, with an interval over paired days.

        Days of one branch hang together a little, as fraudsters learn: worlds make the better interval.
        """
        return paired_interval(self.daily[other], self.daily[policy], level)


def play_policies(past: Past, decides: Mapping[str, Decide], plain: Mapping[str, Policy] | None = None) -> Ledger:
    """Let every policy go on from a past, beside doing nothing and the oracle.

    Parameters
    ----------
    past : Past
    decides : mapping of str to callable
        Functions of a morning and its features, see :func:`casebook.fraud.policies.by_model`.
    plain : mapping of str to callable, optional
        Policies that need no features.

    Returns
    -------
    Ledger

    Raises
    ------
    ContractError
        A name that is given twice, or is that of doing nothing or the oracle.

    Examples
    --------
    >>> from casebook.fraud.branch import play_until
    >>> from casebook.fraud.rules import Rules
    >>> from casebook.fraud.world import World
    >>> past = play_until(World(prevalence=0.01), 500, 20, np.random.default_rng(0), day=10)
    >>> table = play_policies(past, {}, {"rules": Rules()}).table
    >>> float(table.loc["oracle", "captured"]), bool(0 < table.loc["rules", "captured"] < 1)
    (1.0, True)
    """
    others = plain or {}
    names = [*decides, *others]
    if clash := [name for name in names if name in (NOTHING, ORACLE) or names.count(name) > 1]:
        refuse("policies", "named once each and unlike the two that are always played", repr(clash[0]), "rename it")
    bills, daily = {}, {}

    def enter(name: str, run: Run) -> None:
        bills[name] = bill(run, past.day)
        daily[name] = (run.money["loss"] + run.money["friction"]).to_numpy()

    enter(NOTHING, past.go_on(None))
    for name, policy in others.items():
        enter(name, past.go_on(policy))
    for name, decide in decides.items():
        enter(name, past.go_on(past.featured(decide)))
    enter(ORACLE, past.go_on(oracle, sees_truth=True))
    table = pd.DataFrame.from_dict(bills, orient="index")
    events = int(table["honest"].iloc[0])
    dollars = ["loss", "friction", *FRICTION, "net", "blocked_dollars"]
    table[dollars] *= MILLION / events
    table["captured"] = captured(table["net"], table["net"].loc[NOTHING], table["net"].loc[ORACLE])
    return Ledger(table.drop(columns="honest"), pd.DataFrame(daily, pd.Index(past_days(past), name="day")), events)


def past_days(past: Past) -> range:
    """Return the days that a branch plays."""
    return range(past.day, past.days)


def bill(run: Run, first_day: int) -> dict[str, float]:
    """Return the totals of a run from a day on, as in :attr:`Ledger.table` but not scaled; and ``honest`` events."""
    money = run.money[run.money["day"] >= first_day].sum()
    start = int(np.searchsorted(run.tables["events"]["at"].to_numpy(), first_day * DAY))
    decided = run.tables["decisions"].iloc[start:]
    action, outcome = decided["action"].to_numpy(), decided["outcome"].cat.codes.to_numpy()
    honest = ~run.truth.events["fraud"].to_numpy()[start:]
    live, days = outcome != STOPPED, run.days - first_day
    stops = honest & (outcome == DECLINED)
    count = {
        "pushes": (action == PUSH) & live,
        "calls": (action == CALL) & live,
        "complaints": stops & (action == BLOCK),
        "stopped_holders": stops,
    }
    totals = {name: float(money[name]) for name in ("loss", "friction", *FRICTION, "blocked_dollars")}
    return {
        **totals,
        "net": totals["loss"] + totals["friction"],
        "ratio": totals["blocked_dollars"] / totals["friction"] if totals["friction"] else float("nan"),
        "fpr": float((action != ALLOW)[honest & live].sum() / honest.sum()),
        **{name: float(rows.sum() / days) for name, rows in count.items()},
        "attempts": float(money["attempts"]),
        "passed": float(money["passed"]),
        "honest": float(honest.sum()),
    }


def frontier(past: Past, model: Predicts, cuts: Sequence[float]) -> pd.DataFrame:
    """Play one cut, a block, at several levels.

    Parameters
    ----------
    past : Past
    model : Predicts
    cuts : sequence of float
        Probabilities.

    Returns
    -------
    pandas.DataFrame
        One row a cut, from the highest to the lowest: ``cut``, ``ratio`` (dollars of fraud that did not pass per
        dollar of friction), ``blocked_dollars``, ``friction``, ``saved`` (net cost of doing nothing less that of the
        cut), dollars per million honest events; ``fpr``; ``stopped_holders`` a day.
    """
    levels = sorted(cuts, reverse=True)
    table = play_policies(past, {str(cut): by_model(model, Tiers(block=cut)) for cut in levels}).table
    saved = float(table["net"].loc[NOTHING]) - table["net"]
    found = table.assign(saved=saved).iloc[1:-1].assign(cut=levels)
    columns = ["cut", "ratio", "blocked_dollars", "friction", "saved", "fpr", "stopped_holders"]
    return found[columns].reset_index(drop=True)
