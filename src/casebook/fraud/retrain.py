"""What retraining buys: one bank played daily, weekly and never refitted, with the fraudsters answering each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from casebook.contracts import refuse
from casebook.fraud.evaluate import average_precision
from casebook.fraud.in_force import Fit, InForce, Schedule, fit_light
from casebook.fraud.simulate import Run, simulate
from casebook.fraud.world import DAY, World

EVERY = {"daily": 1, "weekly": 7, "never": 0}
"""Days between fits."""
START, DAYS, WINDOW = 77, 112, 42
"""The first fit looks back over a log of five weeks and more: fitted to a younger one, a model is worse for that alone,
and then refits pay in a bank in which nothing moves. Its window is as long as any later one's."""


@dataclass(frozen=True)
class Played:
    """What a schedule came to on the days in force.

    Attributes
    ----------
    cost : float
        Loss and friction, dollars.
    loss, friction : float
    ap : float
        Average precision of the scores that were in force, over all attempts that arrived; read at ``prevalence``
        of the first schedule played, since a policy that stops episodes early meets fewer attempts.
    caught : float
        Share of the attempts that arrived and did not pass; a few dear frauds do not carry it as they do the cost.
    attempts, passed : int
    fits : int
    """

    cost: float
    loss: float
    friction: float
    ap: float
    caught: float
    attempts: int
    passed: int
    fits: int


def play_schedules(
    world: World,
    cards: int,
    days: int,
    rng: np.random.Generator,
    schedule: Schedule | None = None,
    every: Mapping[str, int] | None = None,
    fit: Fit = fit_light,
) -> dict[str, Played]:
    """Play the same bank under each schedule of refits, on the same random draws.

    All meet the same holders and the same plans of fraudsters; what differs is which attempts pass, and what the
    fraudsters learn from it. Features are built once for each run, as the policy asks for them.

    Parameters
    ----------
    world : World
    cards, days : int
    rng : numpy.random.Generator
    schedule : Schedule, optional
        All but ``every``; by default in force from day 77, fitted to the six weeks before.
    every : mapping of str to int, optional
        Days between fits by name; 0: never. By default :data:`EVERY`.
    fit : callable, optional

    Returns
    -------
    dict of str to Played

    Raises
    ------
    ContractError
        Days that end before the schedule starts, or no schedule.

    Examples
    --------
    >>> got = play_schedules(World(prevalence=0.02), 400, 40, np.random.default_rng(0), Schedule(start=21, window=14))
    >>> {name: played.fits for name, played in got.items()}
    {'daily': 19, 'weekly': 3, 'never': 1}
    """
    base, named = schedule or Schedule(start=START, window=WINDOW), EVERY if every is None else every
    if days <= base.start or not named:
        got = f"{days} days with the start on day {base.start}, and {len(named)} schedules"
        refuse("days and every", "days after the start, and a schedule", got, "play longer, or start earlier")
    seed, for_model = (int(rng.integers(2**62)) for _ in range(2))
    found: dict[str, Played] = {}
    prevalence: float | None = None
    for name, gap in named.items():
        policy = InForce(replace(base, every=gap), np.random.default_rng(for_model), fit)
        run = simulate(world, cards, days, np.random.default_rng(seed), policy)
        if prevalence is None:
            prevalence = _prevalence(run, base.start)
        found[name] = _judge(run, policy, base.start, prevalence)
    return found


def gain(played: Mapping[str, Played], better: str, worse: str) -> dict[str, float]:
    """Return what one schedule saves over another, and what it adds to the average precision.

    Parameters
    ----------
    played : mapping of str to Played
    better, worse : str

    Returns
    -------
    dict
        ``saved``: less cost, as a share of the worse one's; ``ap``: more average precision; ``caught``: more of the
        attempts that did not pass.

    Examples
    --------
    >>> one = Played(90.0, 80.0, 10.0, 0.5, 0.6, 100, 40, 7)
    >>> gain({"weekly": one, "never": replace(one, cost=120.0, ap=0.4)}, "weekly", "never")
    {'saved': 0.25, 'ap': 0.1, 'caught': 0.0}
    """
    for name in (better, worse):
        if name not in played:
            refuse("better and worse", f"names out of {sorted(played)}", repr(name), "name schedules that were played")
    one, other = played[better], played[worse]
    saved = (other.cost - one.cost) / other.cost if other.cost > 0 else np.nan
    more = {what: float(np.round(getattr(one, what) - getattr(other, what), 12)) for what in ("ap", "caught")}
    return {"saved": float(saved), **more}


def _prevalence(run: Run, start: int) -> float:
    after = run.tables["events"]["at"].to_numpy() >= start * DAY
    return float(run.truth.events["fraud"].to_numpy()[after].mean())


def _judge(run: Run, policy: InForce, start: int, prevalence: float) -> Played:
    scored: pd.DataFrame = policy.scored(run.tables)
    after = scored["p"].notna().to_numpy()
    fraud, p = run.truth.events["fraud"].to_numpy()[after], scored["p"].to_numpy()[after]
    money = run.money[run.money["day"] >= start]
    ap = average_precision(fraud, p, prevalence=prevalence) if fraud.any() else np.nan
    loss, friction = float(money["loss"].sum()), float(money["friction"].sum())
    attempts, passed = int(money["attempts"].sum()), int(money["passed"].sum())
    return Played(
        cost=loss + friction,
        loss=loss,
        friction=friction,
        ap=ap,
        caught=1 - passed / attempts if attempts else np.nan,
        attempts=attempts,
        passed=passed,
        fits=len(policy.models),
    )
