"""What selective labels do to a bank, from one fit to the next: precision in truth and as it sees it, and money."""

from __future__ import annotations

import numpy as np
import pandas as pd

from casebook.contracts import FloatArray
from casebook.exploration import PolicyValue, snips
from casebook.fraud.evaluate import average_precision
from casebook.fraud.outcomes import BLOCK
from casebook.fraud.relearn import Learned
from casebook.fraud.selective import prices_of


def by_round(learned: Learned) -> pd.DataFrame:
    """Return what each round, from one fit to the next, brought.

    Attempts on cards that were stopped already are left out of the precisions: no model decides about them.

    Parameters
    ----------
    learned : Learned

    Returns
    -------
    pandas.DataFrame
        One row a round. ``first_day``; ``events`` and ``attempts`` on live cards; of each teacher's model ``ap_*``, its
        average precision over them; of the one that decided, ``passed_ap``, the same over what passed, with all labels
        in, and ``passed_ap_weighted``, that by one over the chance of passing; ``stopped_share`` of the attempts.
        ``explored`` passed by the draw, ``explored_frauds`` of them; ``explored_loss``, what these cost, and
        ``explored_spared``, what blocks of the honest ones would have; ``unreached``, frauds blocked with no chance to
        pass. ``loss`` and ``friction`` of the whole bank. Dollars.
    """
    table = learned.judged()
    if_honest, _ = prices_of(learned.run.world).of(learned.run.tables["events"].iloc[table["event_id"].to_numpy()])
    table["spared"] = if_honest[:, BLOCK]
    rows = [_round(part, learned.teachers) for _, part in table.groupby("round")]
    money = learned.run.money
    number = (money["day"].to_numpy() - learned.first) // learned.every
    return pd.DataFrame(rows).join(money.groupby(number)[["loss", "friction"]].sum())


def audit_blocks(learned: Learned) -> tuple[float, PolicyValue]:
    """Return the share of frauds among the blocks, in truth and as the explored events tell it.

    Both are over blocks that had a chance to pass, with all labels in. Without exploration nobody can tell.

    Parameters
    ----------
    learned : Learned

    Returns
    -------
    tuple of float and PolicyValue

    Raises
    ------
    ContractError
        If fewer than two events were to be blocked with a chance to pass, or none of them passed.
    """
    table = learned.judged()
    table = table[table["live"] & (table["chance"] > 0) & (table["chance"] < 1)]
    propensities = np.where(table["passed"], table["chance"], 1 - table["chance"])
    seen = (table["fraud"] & table["passed"]).to_numpy()
    return float(table["fraud"].mean()), snips(seen, table["passed"].to_numpy(float), propensities)


def _round(part: pd.DataFrame, names: list[str]) -> dict[str, float]:
    live, passed = part[part["live"]], part[part["passed"]]
    explored = passed[passed["chance"] < 1]
    tricked, honest = explored[explored["fraud"]], explored[~explored["fraud"]]
    return {
        "first_day": int(part["day"].iloc[0]),
        "events": len(live),
        "attempts": int(live["fraud"].sum()),
        **{f"ap_{name}": _precision(live, name) for name in names},
        "passed_ap": _precision(passed, names[0]),
        "passed_ap_weighted": _precision(passed, names[0], 1 / passed["chance"].to_numpy()),
        "stopped_share": float((~part["passed"])[part["fraud"]].mean()),
        "explored": len(explored),
        "explored_frauds": len(tricked),
        "explored_loss": float(tricked["loss"].sum()),
        "explored_spared": float(honest["spared"].sum()),
        "unreached": int((live["fraud"] & (live["chance"] == 0)).sum()),
    }


def _precision(table: pd.DataFrame, name: str, weight: FloatArray | None = None) -> float:
    """Return the average precision, missing where there is one class only."""
    if not 0 < table["fraud"].sum() < len(table):
        return np.nan
    return average_precision(table["fraud"], table[name], weight=weight)
