"""Five ways to decide on a launch, run over tests of drawn feeds and paid by what the launch then does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from casebook.experiments import (
    Belief,
    Effect,
    Report,
    difference,
    fit_programme,
    launch_value,
    report,
    srm,
)
from casebook.feed.dials import Programme, draw_world
from casebook.feed.plays_report import HALVES, MARGINS, MDE, judge, report_plan, report_table
from casebook.feed.simulate import Feed, simulate
from casebook.feed.tables import user_table

PAST = 200  # earlier tests of the programme, of the same size and without a fault
POLICIES = ("star", "source", "report", "shrunk", "value")
ALPHA = 0.05
Row = dict[str, float | bool]


def past_belief(programme: Programme, se: float, rng: np.random.Generator) -> Belief | None:
    """Return what the estimates of ``PAST`` earlier tests say of the programme, or None if they are no more than noise.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> past_belief(Programme(idle=0.5, scale=0.02), 0.01, rng).sd > 0.005
    True
    >>> past_belief(Programme(idle=1.0), 0.05, np.random.default_rng(0)) is None
    True
    """
    estimates: NDArray[np.float64] = programme.draw(PAST, rng) + se * rng.standard_normal(PAST)
    if estimates.var() <= se**2:  # then no spread explains them better than none
        return None
    return fit_programme(estimates, np.full(PAST, se))


def relative(effect: Effect) -> Effect:
    """Return an effect as a share of the control's mean, which is taken as known."""
    base = effect.control_mean
    ends = (getattr(effect, name) / base for name in ("estimate", "low", "high", "se"))
    return replace(effect, **dict(zip(("estimate", "low", "high", "se"), ends, strict=True)))


def decide(feed: Feed, belief: Belief | None, cost: float) -> dict[str, bool]:
    """Return who launches what was tested.

    Parameters
    ----------
    feed : Feed
        With arms of halves.
    belief : Belief or None
        Of relative effects, before this test; None stands for "they do nothing".
    cost : float
        What the launch costs from now on, as a share of all minutes.

    Returns
    -------
    dict of str to bool
        ``star`` : minutes rise with p < 0.05.
        ``source`` : the same, the arms' sizes agree with the plan, and no guardrail's estimate is beyond its margin.
        ``report`` : :func:`casebook.experiments.report` says launch (CUPED, margins excluded, pays).
        ``shrunk`` : the same with the estimate pulled to the programme's past.
        ``value`` : no fault in the table, no guardrail shown to be harmed, and the launch's expected value is above 0.
    """
    raw = user_table(feed.tables).query("arm != 'rest'")
    is_new = (raw["arm"] == "new").to_numpy()
    plain = difference(raw["minutes"], is_new)
    rows, plan = report_table(feed), report_plan(feed)
    plan = replace(plan, pays_from=cost * plan.mde / MDE)
    said = report(rows, plan)
    known = None if belief is None else _scaled(belief, plain.control_mean)
    shrunk = report(rows, replace(plan, programme=known)) if known else None
    guards = {name: relative(difference(rows[name], is_new)).estimate for name in MARGINS}
    star = plain.p < ALPHA and plain.estimate > 0
    calm = all(guards[name] <= margin for name, margin in MARGINS.items())
    sound = srm([is_new.sum(), (~is_new).sum()], [0.5, 0.5]).p >= 0.01
    return {
        "star": bool(star),
        "source": bool(star and calm and sound),
        "report": said.verdict == "launch",
        "shrunk": shrunk is not None and shrunk.verdict == "launch",
        "value": belief is not None and _pays(said, belief, cost),
    }


def _scaled(belief: Belief, base: float) -> Belief:
    return Belief(belief.mean * base, belief.sd * base, belief.idle)


def _pays(said: Report, belief: Belief, cost: float) -> bool:
    harmed = ("guardrail", "stop") in [(one.step, one.outcome) for one in said.reasons]
    if said.verdict == "fix and rerun" or harmed:
        return False
    effect = relative(said.effects["minutes"])
    return launch_value(belief.update(effect.estimate, effect.se), 1.0, to_pay=cost).launch


def play_decision(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Draw one test of a programme, let every policy decide, and count what each decision is worth.

    Parameters
    ----------
    dials : dict
        ``users`` in each arm, ``idle`` and ``scale`` of the programme, ``fault_chance`` of each fault, ``cost`` of the
        launch and ``harm`` of a guardrail beyond its margin, both as shares of all minutes.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``launch`` (what it would be worth: the relative effect on day 180 less cost and harm), ``oracle`` (that, or 0),
        for each policy ``launches_*`` and ``worth_*``. The findings, for each policy: ``loses_*`` (it launches what
        costs more than it brings), and

        ``value_beats_star``, ``star_beats_value`` : one earns more in this test than the other.
        ``value_beats_report``, ``report_beats_value`` : likewise.
    """
    programme = Programme(dials["idle"], dials["scale"])
    world = draw_world(rng, dials["fault_chance"], programme)
    feed = simulate(world, 2 * round(dials["users"]), np.random.default_rng(rng.integers(2**62)), HALVES)
    minutes = user_table(feed.tables).query("arm == 'control'")["minutes"]
    se = float(minutes.std() / minutes.mean() * np.sqrt(2 / dials["users"]))
    launches = decide(feed, past_belief(programme, se, rng), dials["cost"])
    truth = judge(feed)
    worth = truth["launch"] - dials["cost"] - dials["harm"] * truth["guard_harmed"]
    earned = {name: worth * launches[name] for name in POLICIES}
    return {
        "launch": worth,
        "oracle": max(worth, 0.0),
        **{f"launches_{name}": launches[name] for name in POLICIES},
        **{f"worth_{name}": earned[name] for name in POLICIES},
        **{f"loses_{name}": earned[name] < 0 for name in POLICIES},
        "value_beats_star": earned["value"] > earned["star"],
        "star_beats_value": earned["star"] > earned["value"],
        "value_beats_report": earned["value"] > earned["report"],
        "report_beats_value": earned["report"] > earned["value"],
    }
