"""The answer to a push as a label of the same minute, with its errors, beside reports that come late or never."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray, refuse
from casebook.fraud.evaluate import average_precision
from casebook.fraud.lessons import Lesson, Memory, Teach
from casebook.fraud.morning import Morning
from casebook.fraud.outcomes import CONFIRM, DENY
from casebook.fraud.prices import Asking, Prices
from casebook.fraud.relearn import Decide, Decision, Learned, Start, learn
from casebook.fraud.stakes import Stakes
from casebook.fraud.tiers import least_cost
from casebook.fraud.world import ANSWERS, DAY, World

WEEK = 7


def taught_reports(memory: Memory) -> Lesson:
    """Teach what passed in the last month, as reported by now."""
    return Lesson(memory.passed, memory.reported, np.ones(len(memory.age))).of_last_month(memory)


def taught_answers(memory: Memory) -> Lesson:
    """Teach the same and, as fraud, what the holder denied; a report counts more than a confirmation.

    What was denied did not pass, so that no report will ever come of it: without the answer it is no row at all. Where
    nobody answered nothing is known, and the row is left out.
    """
    denied = memory.answer == DENY
    return Lesson(memory.passed | denied, memory.reported | denied, np.ones(len(memory.age))).of_last_month(memory)


def taught_trusting(memory: Memory) -> Lesson:
    """Teach the same, but what was confirmed stays honest whatever is reported later."""
    lesson = taught_answers(memory)
    return lesson._replace(y=lesson.y & (memory.answer != CONFIRM))


def taught_prompt(memory: Memory) -> Lesson:
    """Teach the truth about what passed in the last month: reports without delay, gap or lie, an oracle."""
    return Lesson(memory.passed, memory.truth(), np.ones(len(memory.age))).of_last_month(memory)


def taught_truth(memory: Memory) -> Lesson:
    """Teach the truth of all events until yesterday: an oracle."""
    return Lesson(memory.live, memory.truth(), np.ones(len(memory.age))).of_last_month(memory)


TEACHERS: dict[str, Teach] = {
    "reports": taught_reports,
    "answers": taught_answers,
    "trusting": taught_trusting,
    "prompt": taught_prompt,
    "truth": taught_truth,
}
"""Who says which events a model is fitted to, and with which labels."""
_ORACLES = {"prompt", "truth"}


def asking(world: World) -> Decide:
    """Return what takes the action that is expected to cost least on each event, of all four.

    The bank knows its shares of answers, and a fraudster's pass share as the mean over kinds. It counts an event's own
    loss and not the rest of the episode.
    """
    prices = Prices(world.costs, Asking.of(world), Stakes(sale=0.0, loss=0.0))

    def decide(morning: Morning, p: FloatArray) -> Decision:
        return Decision(least_cost(p, morning.events, prices), np.ones(len(p)))

    return decide


def run_push(start: Start, acts: str, rivals: Sequence[str] = (), every: int = WEEK) -> Learned:
    """Play a bank with four actions that fits its model anew to the labels of one teacher.

    Parameters
    ----------
    start : Start
    acts : str
        The teacher, of :data:`TEACHERS`, whose model decides.
    rivals : sequence of str
        Teachers whose models are fitted to the same log and scored beside it.
    every : int
        Days between fits; with 1 yesterday's answers are in today's model.

    Returns
    -------
    Learned

    Raises
    ------
    ContractError
        A name that is no teacher's; days between fits below 1.
    """
    for name in (acts, *rivals):
        if name not in TEACHERS:
            refuse("acts and rivals", f"out of {', '.join(TEACHERS)}", repr(name), "name teachers")
    teachers = {name: TEACHERS[name] for name in (acts, *rivals)}
    return learn(start, asking(start.past.world), teachers, every, sees_truth=bool(_ORACLES & set(teachers)))


def precisions(learned: Learned) -> dict[str, float]:
    """Return the average precision of each teacher's model over all attempts on live cards, by teacher.

    Missing where there is no attempt.
    """
    table = learned.judged()
    table = table[table["live"]]
    if not table["fraud"].any():
        return dict.fromkeys(learned.teachers, np.nan)
    return {name: average_precision(table["fraud"], table[name]) for name in learned.teachers}


def answer_quality(learned: Learned) -> pd.DataFrame:
    """Return how far each answer to a push or a call can be believed.

    Parameters
    ----------
    learned : Learned

    Returns
    -------
    pandas.DataFrame
        Indexed by answer: ``n``, ``frauds``, ``fraud_share``, ``reported`` (share of the frauds that was ever reported
        in the run), ``days_to_report`` (median over those; missing without any).
    """
    tables, fraud = learned.run.tables, learned.run.truth.events["fraud"].to_numpy()
    ids, answer = tables["answers"]["event_id"].to_numpy(), tables["answers"]["answer"].astype(str).to_numpy()
    when = pd.Series(tables["reports"]["reported_at"].to_numpy(), index=tables["reports"]["event_id"].to_numpy())
    waits = (when.reindex(ids).to_numpy(float) - tables["events"]["at"].to_numpy()[ids]) / DAY
    table = pd.DataFrame({"fraud": fraud[ids], "wait": np.where(fraud[ids], waits, np.nan)})
    found = table.groupby(answer).agg(
        n=("fraud", "size"), frauds=("fraud", "sum"), told=("wait", "count"), days_to_report=("wait", "median")
    )
    found = found.reindex(pd.Index(ANSWERS, name="answer")).fillna({"n": 0, "frauds": 0, "told": 0})
    found.insert(2, "fraud_share", found["frauds"] / found["n"])
    found.insert(3, "reported", found.pop("told") / found["frauds"])
    return found.astype({"n": np.int64, "frauds": np.int64})
