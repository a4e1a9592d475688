"""One company whose reps chose whom to call: what each analyst of their calls concludes."""

from __future__ import annotations

import numpy as np

from casebook.churn.history import history_snapshot
from casebook.churn.plays import Row, world_of

SUBSCRIBERS = 25_000


def play_history(dials: dict[str, float], rng: np.random.Generator) -> Row:
    """Let the reps call a month's list, and compare the naive and the adjusted answer with the truth.

    Returns
    -------
    dict
        What :func:`casebook.churn.history.history_snapshot` returns, and the findings ``naive_wrong_sign``,
        ``adjusted_wrong_sign`` (the calls help, and a 95% interval says that they harm; the naive answer is given the
        adjusted one's standard error) and ``adjusted_covers``.
    """
    found: Row = dict(history_snapshot(world_of(dials), SUBSCRIBERS, rng))
    half = (found["high"] - found["low"]) / 2
    helps = found["truth"] > 0
    return found | {
        "covers": float(found["covers"]),
        "naive_wrong_sign": bool(helps and found["naive"] + half < 0),
        "adjusted_wrong_sign": bool(helps and found["high"] < 0),
        "adjusted_covers": bool(found["covers"] > 0),
    }
