"""What was drawn in the tests in which a launch rule lost money."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casebook.feed.dials import Programme, draw_world
from casebook.feed.world import faults_of


def drawn_of(tests: pd.DataFrame) -> pd.DataFrame:
    """Return the effect and the faults of every test of the study of decisions, drawn again from its dials and seed.

    Parameters
    ----------
    tests : pandas.DataFrame
        The study's rows, with ``idle``, ``scale``, ``fault_chance`` and ``seed``.

    Returns
    -------
    pandas.DataFrame
        Index that of `tests`; ``effect`` (relative, for good) and ``faults`` (a frozenset of their names).
    """
    rows = {}
    for name, row in tests.iterrows():
        rng = np.random.default_rng(int(row["seed"]))
        world = draw_world(rng, float(row["fault_chance"]), Programme(float(row["idle"]), float(row["scale"])))
        rows[name] = {"effect": world.effect, "faults": frozenset(faults_of(world))}
    return pd.DataFrame(rows).T.astype({"effect": float})


def losers(tests: pd.DataFrame, drawn: pd.DataFrame, policies: tuple[str, ...]) -> pd.DataFrame:
    """Count what was drawn in the tests that each rule launched at a loss.

    Parameters
    ----------
    tests : pandas.DataFrame
        The study's rows, with ``loses_*`` of each rule.
    drawn : pandas.DataFrame
        From :func:`drawn_of`.
    policies : tuple of str

    Returns
    -------
    pandas.DataFrame
        One row a rule: ``lost``, and of these ``no effect`` (zero or less), ``no fault``, ``novelty``, ``carry_over``.

    Examples
    --------
    >>> tests = pd.DataFrame({"loses_star": [True, True, False]})
    >>> drawn = pd.DataFrame({"effect": [0.0, 0.1, 0.0], "faults": [frozenset({"novelty"}), frozenset(), frozenset()]})
    >>> losers(tests, drawn, ("star",)).loc["star"].to_dict()
    {'lost': 2, 'no effect': 1, 'no fault': 1, 'novelty': 1, 'carry_over': 0}
    """
    table = {}
    for policy in policies:
        lost = drawn[tests[f"loses_{policy}"].to_numpy(dtype=bool)]
        table[policy] = {
            "lost": len(lost),
            "no effect": int((lost["effect"] <= 0).sum()),
            "no fault": int((lost["faults"].map(len) == 0).sum()),
            **{fault: int(lost["faults"].map(lambda on, fault=fault: fault in on).sum()) for fault in _INFLATE},
        }
    return pd.DataFrame(table).T


_INFLATE = ("novelty", "carry_over")
