"""A run's attempts by kind: how many, how large, and how many the bank will ever hear of."""

from __future__ import annotations

import pandas as pd

from casebook.fraud.simulate import Run
from casebook.fraud.world import KINDS


def kinds_table(run: Run) -> pd.DataFrame:
    """Return a run's attempts by kind of fraud.

    Parameters
    ----------
    run : Run

    Returns
    -------
    pandas.DataFrame
        Indexed by kind, with ``all`` last: ``attempts``; ``episodes``; ``amount`` and ``loss``, means in dollars, the
        loss being what an attempt costs if it passes; ``passed`` (attempts); ``known``, the share of these that was
        reported by the end; missing where none passed.

    Examples
    --------
    >>> import numpy as np
    >>> from casebook.fraud.simulate import simulate
    >>> from casebook.fraud.world import World
    >>> table = kinds_table(simulate(World(prevalence=0.01), 500, 20, np.random.default_rng(0)))
    >>> bool(table["attempts"].iloc[:-1].sum() == table.loc["all", "attempts"])
    True
    """
    truth = run.truth.events
    fraud = truth["fraud"].to_numpy()
    attempts = truth.loc[fraud, ["kind", "episode_id", "loss_dollars"]].astype({"kind": str})
    attempts["amount"] = run.tables["events"]["amount_cents"].to_numpy()[fraud] / 100
    attempts["passed"] = (run.tables["decisions"]["outcome"] == "passed").to_numpy()[fraud]
    told = truth.loc[fraud, "event_id"].isin(run.tables["reports"]["event_id"]).to_numpy()
    attempts["told"] = attempts["passed"].to_numpy() & told
    rows = {kind: _row(attempts[attempts["kind"] == kind]) for kind in KINDS if (attempts["kind"] == kind).any()}
    return pd.DataFrame.from_dict(rows | {"all": _row(attempts)}, orient="index").rename_axis("kind")


def _row(attempts: pd.DataFrame) -> dict[str, float]:
    passed = int(attempts["passed"].sum())
    return {
        "attempts": len(attempts),
        "episodes": attempts["episode_id"].nunique(),
        "amount": attempts["amount"].mean(),
        "loss": attempts["loss_dollars"].mean(),
        "passed": passed,
        "known": attempts["told"].sum() / passed if passed else float("nan"),
    }
