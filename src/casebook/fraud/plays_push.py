"""One bank whose pushes and calls are labels too: what they add to tomorrow's model, and where their errors hurt."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from casebook.fraud.dials import ADVERSARY, ASKING, BANK
from casebook.fraud.lessons import MONTH
from casebook.fraud.push_labels import answer_quality, precisions, run_push
from casebook.fraud.relearn import allow_until
from casebook.fraud.world import World
from casebook.worlds import Dial, captured

CARDS, DAYS = 2_000, 80
_NAMED = {dial.name: dial for dial in (*BANK, *ADVERSARY, *ASKING)}
DIALS: tuple[Dial, ...] = (
    replace(_NAMED["prevalence"], low=0.004),  # with less, a small bank has no hundred attempts a month
    *(_NAMED[name] for name in ("ring_share", "delay_days", "reported", "false_claims", "notice_days", "speed")),
    replace(_NAMED["push_pass"], null=1.0),
    *(_NAMED[name] for name in ("push_confirm", "push_slip")),
    replace(_NAMED["call_pass"], null=1.0),
    _NAMED["call_confirm"],
)
Row = dict[str, float | bool]


def play_push_labels(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Play one bank twice, its model taught weekly by reports alone, and by reports and answers.

    Precisions are over all attempts from the first fit on; all teachers' models are fitted to the log of the bank that
    learns from reports.

    Parameters
    ----------
    dials : dict
        Those of :data:`DIALS`. In the null world every fraudster passes every push and call, so that nobody is asked.
    rng : numpy.random.Generator

    Returns
    -------
    dict
        ``attempts``; ``ap_*`` of each teacher, see :data:`casebook.fraud.push_labels.TEACHERS`; ``captured``, the share
        of what the truth would add to reports that answers add; ``denied`` and ``confirmed``, answers, and
        ``denied_frauds`` and ``confirmed_frauds``, the share of frauds among each; ``cost_reports`` and
        ``cost_answers``, loss and friction of the two banks, and ``saved``, dollars. The findings:

        ``answers_help`` : the model with answers is better.
        ``answers_hurt`` : it is worse.
        ``trusting_hurts`` : to believe a confirmation against a later report is worse than not to.
        ``answers_beat_prompt`` : the model with answers is better than one with prompt and complete reports: what they
        tell of what never passed counts for more than their speed.
        ``answers_pay`` : ``saved`` above 0.
    """
    settings: dict[str, Any] = {dial.name: dials[dial.name] for dial in DIALS}
    start = allow_until(World(**settings), CARDS, DAYS, int(rng.integers(2**53)), day=MONTH)
    reports = run_push(start, "reports", rivals=("answers", "trusting", "prompt", "truth"))
    answers = run_push(start, "answers")
    ap, asked = precisions(reports), answer_quality(reports)
    cost = [float(run.run.money[["loss", "friction"]].to_numpy().sum()) for run in (reports, answers)]
    count, share = (dict(asked[name]) for name in ("n", "fraud_share"))
    judged = reports.judged()
    return {
        "attempts": float((judged["fraud"] & judged["live"]).sum()),
        **{f"ap_{name}": value for name, value in ap.items()},
        "captured": float(captured(ap["answers"], ap["reports"], ap["truth"])),
        "denied": float(count["deny"]),
        "denied_frauds": float(share["deny"]),
        "confirmed": float(count["confirm"]),
        "confirmed_frauds": float(share["confirm"]),
        "cost_reports": cost[0],
        "cost_answers": cost[1],
        "saved": cost[0] - cost[1],
        "answers_help": bool(ap["answers"] > ap["reports"]),
        "answers_hurt": bool(ap["answers"] < ap["reports"]),
        "trusting_hurts": bool(ap["trusting"] < ap["answers"]),
        "answers_beat_prompt": bool(ap["answers"] > ap["prompt"]),
        "answers_pay": bool(cost[1] < cost[0]),
    }
